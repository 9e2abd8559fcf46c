/* model.ts: runbooks and versions as the API has them; values and conditions
 * in words. */
import { T, say } from "../../text/index.ts";
import { isObj, listOf, textOf, type Json, type Obj } from "./tree.ts";

export interface Subject { kind: string; id: string }
export interface Runbook { id: string; slug: string; name: string;
	context: string; incident_types: string[]; pinned: boolean;
	archived: boolean; latest: number; current: number | null;
	owner: Subject; created_at: string; updated_at: string }
export interface VersionHead { runbook: string; version: number; state: string;
	digest: string; author: Subject; uploader: Subject; note: string;
	approvals_needed: number; approvals: { principal: Subject; name: string |
	    null; at: string; seq: number }[];
	created_at: string; published_at: string | null }
export interface Version extends VersionHead { document: Obj;
	warnings: { step: string; no_secret?: string; no_connector?: string }[] }

export const KINDS = ["script", "http", "manual", "approval", "incident",
    "wait", "condition", "parallel"] as const;
const t = T.runbooks;

/* A value, in words. */
export function valueText(v: Json | undefined): string {
	if (Array.isArray(v))
		return "[" + v.map(valueText).join(", ") + "]";
	if (!isObj(v))
		return v === undefined ? "" : typeof v === "string" ?
		    JSON.stringify(v) : String(v);
	if (v["concat"] !== undefined)
		return listOf(v["concat"]).map(valueText).join(" + ");
	if (v["step"] !== undefined)
		return say(t.ofStep, { name: textOf(v["output"]),
			step: textOf(v["step"]) });
	for (const k of ["input", "incident", "alert", "run", "old", "changed",
	    "entry"])
		if (v[k] !== undefined)
			return `${k} ${textOf(v[k])}`;
	return JSON.stringify(v["literal"] ?? v);
}
const OPS: Record<string, string> = { eq: "=", ne: "≠", lt: "<", le: "≤",
	gt: ">", ge: "≥", in: "∈", contains: "∋" };
export function condText(c: Json | undefined): string {
	const [op, x] = isObj(c) ? Object.entries(c)[0] ?? [] : [];
	if (op === undefined)
		return textOf(c);
	if (op in OPS)
		return `${valueText(listOf(x)[0])} ${OPS[op]} ${
		    valueText(listOf(x)[1])}`;
	if (op === "not")
		return `not (${condText(x)})`;
	if (op === "exists")
		return `${valueText(x)} is there`;
	return "(" + listOf(x).map(condText).join(op === "all" ? " and " :
	    " or ") + ")";
}

/* A new step of a kind: what it must have, to be filled in. */
export function blank(kind: string, id: string): Obj {
	const more: Record<string, Obj> = {
		script: { interpreter: "sh", script: "", delegates: { labels: {} } },
		http: { connector: "", action: "" },
		manual: { instructions: "" },
		approval: { message: "", count: 1, expires_s: 3600 },
		incident: { timeline: "" },
		wait: { seconds: 60 },
		condition: { when: { exists: { input: "" } }, then: [] },
		parallel: { branches: [[], []] },
	};
	return { id, kind, ...more[kind] };
}
export const newDocument = (): Obj => ({ slug: "", name: "", context: "any",
	steps: [] });
