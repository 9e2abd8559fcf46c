/* inputs.tsx: values for the inputs of a runbook: for a run, or a plan. */
import { Problem } from "../../core/api.ts";
import { CheckField, SelectField, TextField, useForm } from
    "../../kit/form.tsx";
import { T } from "../../text/index.ts";
import { listOf, objOf, textOf, type Json, type Obj } from "./tree.ts";

export type Given = Record<string, string | boolean>;
const name = (n: Obj): string => "inputs." + textOf(n["name"]);

export const inputsOf = (doc: Obj): Obj[] => listOf(doc["inputs"]).map(objOf);
export const startOf = (doc: Obj): Given => Object.fromEntries(
    inputsOf(doc).map(n => [name(n), n["type"] === "boolean" ?
	n["default"] === true : textOf(n["default"])]));

/* What is sent: what was not filled in is not. */
export function given(doc: Obj, v: Given): Obj {
	const out: Obj = {};
	for (const n of inputsOf(doc)) {
		const x = v[name(n)], k = textOf(n["name"]);
		if (typeof x === "boolean") {
			out[k] = x;
		} else if (x !== undefined && x !== "") {
			const one = listOf(n["enum"]).find(e => textOf(e) === x);
			out[k] = one ?? (n["type"] === "string" ? x : read(k, x));
		}
	}
	return out;
}
function read(k: string, x: string): Json {
	try {
		return JSON.parse(x) as Json;
	} catch {
		throw new Problem(400, "invalid", T.runbooks.badInput, "", "", 0,
		    [{ pointer: "/inputs/" + k, code: "invalid",
			detail: T.runbooks.badInput }]);
	}
}

export function Inputs({ doc, form }: { doc: Obj;
    form: ReturnType<typeof useForm<Given>> }) {
	return <>{inputsOf(doc).map(n => {
		const p = { form: form as never, name: name(n) as never,
			label: textOf(n["name"]), ...(n["required"] === true && {
			required: true }), ...(n["description"] !== undefined && {
			hint: textOf(n["description"]) }) };
		return n["type"] === "boolean" ? <CheckField key={p.label} {...p} /> :
		    listOf(n["enum"]).length > 0 ? <SelectField key={p.label} {...p}
			options={[["", T.kit.none], ...listOf(n["enum"]).map(x =>
			    [textOf(x), textOf(x)] as const)]} /> :
		    <TextField key={p.label} {...p} mono={n["type"] !== "string"} />;
	})}</>;
}
