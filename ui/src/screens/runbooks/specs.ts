/* specs.ts: which members a document, an input and each kind of step have;
 * src/domain/runbook.def, for a form. */
import { T, word } from "../../text/index.ts";
import { STATUSES } from "../incidents/model.ts";
import { TYPES, type Spec } from "./fields.tsx";

const t = T.runbooks, f = t.fields;
const line = (name: keyof typeof f, must = false): Spec =>
	({ name, label: f[name], shape: "line", must });
const int = (name: keyof typeof f, must = false): Spec =>
	({ name, label: f[name], shape: "int", must });
const TYPE: Spec = { name: "type", label: f.type, shape: "select",
	options: TYPES, must: true };
const OUTPUTS: Spec = { name: "outputs", label: f.outputs, shape: "rows",
	of: [line("name", true), TYPE], blank: { name: "", type: "string" } };
const DELEGATES: Spec = { name: "delegates", label: f.delegates,
	shape: "labels" };
const PERSON: Spec[] = [{ name: "kind", label: f.kind, shape: "select",
	options: ["user", "group"], words: T.people.kinds, must: true },
	line("id", true)];

export const INPUT: Spec[] = [line("name", true), TYPE,
	{ name: "required", label: f.required, shape: "bool" },
	{ name: "default", label: f.default, shape: "json", blank: "" },
	{ name: "enum", label: f.enum, shape: "json", blank: [] },
	int("min"), int("max"), int("max_length"),
	{ name: "description", label: f.description, shape: "text" }];

export const RUNBOOK: Spec[] = [line("slug", true), line("name", true),
	{ name: "description", label: f.description, shape: "text" },
	{ name: "context", label: f.context, shape: "select", must: true,
		options: ["any", "incident", "alert", "none"] },
	{ name: "incident_types", label: f.incident_types, shape: "words" },
	{ name: "pinned", label: f.pinned, shape: "bool" },
	int("timeout_s"),
	{ name: "approvals", label: f.approvals, shape: "group",
		of: [int("count", true)], blank: { count: 1 } },
	{ name: "concurrency", label: f.concurrency, shape: "group",
		blank: { limit: 1, on_limit: "queue" }, of: [int("limit", true),
		{ name: "on_limit", label: f.on_limit, shape: "select",
			options: ["queue", "refuse"] }] },
	{ name: "inputs", label: f.inputs, shape: "rows", of: INPUT,
		blank: { name: "", type: "string" } }];
export const RESULTS: Spec[] = [{ name: "outputs", label: f.outputs,
	shape: "rows", blank: { name: "", type: "string", value: "" },
	of: [line("name", true), TYPE, { name: "value", label: f.value,
		shape: "value", must: true }] }];

const KIND: Record<string, Spec[]> = {
	script: [line("interpreter", true),
		{ name: "script", label: f.script, shape: "code", must: true },
		{ name: "args", label: f.args, shape: "values" },
		{ name: "env", label: f.env, shape: "map" },
		{ name: "secrets", label: f.secrets, shape: "words" },
		{ name: "connectors", label: f.connectors, shape: "words" },
		{ ...DELEGATES, must: true }, OUTPUTS,
		{ name: "limits", label: f.limits, shape: "group",
			blank: { wall_s: 60 }, of: [int("wall_s"), int("cpu_s"),
			int("memory_mb"), int("pids"), int("work_mb"),
			int("output_kb")] }],
	http: [line("connector", true), line("action", true),
		{ name: "params", label: f.params, shape: "map" },
		{ ...OUTPUTS, of: [...OUTPUTS.of ?? [], line("pointer", true)],
			blank: { name: "", type: "string", pointer: "" } },
		DELEGATES],
	manual: [{ name: "instructions", label: f.instructions, shape: "text",
		must: true }, { name: "assignee", label: f.assignee,
		shape: "group", of: PERSON, blank: { kind: "user", id: "" } }],
	approval: [{ name: "message", label: f.message, shape: "text",
		must: true }, int("count", true), int("expires_s", true),
		{ name: "approvers", label: f.approvers, shape: "rows",
			of: PERSON, blank: { kind: "user", id: "" } }],
	incident: [{ name: "set", label: f.set, shape: "map" },
		{ name: "timeline", label: f.timeline, shape: "value" },
		{ name: "key_event", label: f.key_event, shape: "bool" },
		{ name: "transition", label: f.transition, shape: "select",
			options: STATUSES.filter(s => s !== "new" && s !== "merged"),
			words: Object.fromEntries(STATUSES.map(s => [s,
			    word(T.status, s)])) }],
	wait: [int("seconds", true)],
	condition: [{ name: "when", label: f.when, shape: "cond", must: true }],
	parallel: [{ name: "fail", label: f.fail, shape: "select",
		options: ["first", "all"] }],
};
const WORKS = ["script", "http", "incident"];

export const stepSpecs = (kind: string): Spec[] => [line("id", true),
	line("name"), ...KIND[kind] ?? []];
export const moreSpecs = (kind: string): Spec[] => [
	{ name: "if", label: f.if, shape: "cond" },
	...kind === "wait" ? [] : [int("timeout_s")],
	{ name: "on_failure", label: f.on_failure, shape: "select",
		options: ["stop", "continue", "undo"], words: t.failures },
	...WORKS.includes(kind) ? [
		{ name: "idempotent", label: f.idempotent, shape: "bool" },
		{ name: "retry", label: f.retry, shape: "group",
			blank: { times: 2, backoff_s: 10 }, of: [int("times", true),
			int("backoff_s", true), int("factor"), int("max_s")] },
	] as Spec[] : []];
