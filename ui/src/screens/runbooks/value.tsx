/*
 * value.tsx: values and conditions of documents as fields.  What no field
 * fits is there as JSON, and stays what it is until somebody changes it.
 */
import { useId, useState } from "preact/hooks";
import { Button } from "../../kit/button.tsx";
import { T, say } from "../../text/index.ts";
import { errorAt, type Ed } from "./ed.ts";
import { getAt, insertAt, isObj, listOf, pointer, setAt, textOf, type Json,
	type Place } from "./tree.ts";

const t = T.runbooks;
const SOURCES = ["input", "incident", "alert", "run", "old", "changed",
    "entry"];

function kindOf(v: Json | undefined): string {
	if (typeof v === "string" || v === undefined)
		return "text";
	if (typeof v === "number")
		return "number";
	if (typeof v === "boolean")
		return "boolean";
	if (isObj(v)) {
		const k = Object.keys(v);
		if (k.length === 1 && SOURCES.includes(k[0] ?? ""))
			return k[0] ?? "";
		if (k.length === 2 && "step" in v && "output" in v)
			return "step";
		if (k.length === 1 && Array.isArray(v["concat"]))
			return "concat";
	}
	return "json";
}
const START: Record<string, Json> = { text: "", number: 0, boolean: true,
	step: { step: "", output: "" }, concat: { concat: ["", ""] }, json: [],
	...Object.fromEntries(SOURCES.map(s => [s, { [s]: "" }])) };

/* JSON that is kept as it is typed until it is JSON. */
export function JsonBox({ ed, at, label }: { ed: Ed; at: Place;
    label: string }) {
	const v = getAt(ed.doc, at), shown = JSON.stringify(v) ?? "";
	const [text, put] = useState(shown), [was, saw] = useState(shown);
	const [bad, setBad] = useState(false);
	if (was !== shown) {
		saw(shown);
		put(shown);
	}
	return <textarea class="mono" rows={2} value={text} aria-label={label}
	    aria-invalid={bad || errorAt(ed, at) !== undefined} onInput={e => {
		put(e.currentTarget.value);
		try {
			const j = JSON.parse(e.currentTarget.value) as Json;
			setBad(false);
			saw(JSON.stringify(j));
			ed.set(at, j);
		} catch {
			setBad(true);
		}
	    }} />;
}

const number = (s: string): Json => /^-?(0|[1-9]\d*)$/.test(s) ? Number(s) : s;

export function ValueBox({ ed, at, label, sources }: { ed: Ed; at: Place;
    label: string; sources?: string[] }) {
	const v = getAt(ed.doc, at), kind = kindOf(v);
	const bad = errorAt(ed, at), id = useId();
	const kinds = ["text", "number", "boolean", ...(sources ?? ["input",
	    "step", "incident", "alert", "run"]), "concat", "json"];
	const line = (place: Place, l: string, read = (s: string): Json => s) =>
		<input value={textOf(getAt(ed.doc, place))} aria-label={l}
		    aria-invalid={bad !== undefined} autocomplete="off"
		    aria-describedby={bad ? id : undefined} onInput={e =>
			ed.set(place, read(e.currentTarget.value))} />;
	return <div class="field"><div class="runbooks-pair">
		<select value={kind} aria-label={say(t.kindOf, { what: label })}
		    onChange={e => ed.set(at, START[e.currentTarget.value] ?? "")}>
			{(kinds.includes(kind) ? kinds : [...kinds, kind]).map(k =>
				<option key={k} value={k}>{t.valueKinds[k as keyof
				    typeof t.valueKinds] ?? k}</option>)}</select>
		{kind === "text" ? line(at, label) :
		    kind === "number" ? line(at, label, number) :
		    kind === "boolean" ? <select aria-label={label}
			value={String(v)} onChange={e => ed.set(at,
			    e.currentTarget.value === "true")}>
			<option value="true">true</option>
			<option value="false">false</option></select> :
		    kind === "step" ? <div class="row">
			{line([...at, "step"], t.stepId)}
			{line([...at, "output"], t.outputName)}</div> :
		    kind === "concat" ? <Concat ed={ed} at={[...at, "concat"]}
			label={label} {...(sources && { sources })} /> :
		    kind === "json" ? <JsonBox ed={ed} at={at} label={label} /> :
		    line([...at, kind], label)}
	</div>{bad && <p class="wrong" id={id}>{bad}</p>}</div>;
}

function Concat({ ed, at, label, sources }: { ed: Ed; at: Place;
    label: string; sources?: string[] }) {
	const list = listOf(getAt(ed.doc, at));
	return <div class="stack">{list.map((_, i) => <div key={i} class="row">
		<ValueBox ed={ed} at={[...at, i]} {...(sources && { sources })}
		    label={`${label} ${i + 1}`} />
		<Button kind="ghost" icon="x" label={T.kit.remove}
		    onClick={() => ed.set([...at, i], undefined)} /></div>)}
		<div><Button icon="plus" onClick={() =>
		    ed.put(insertAt(ed.doc, at, list.length, ""))}>{t.part}
		</Button></div></div>;
}

/* ---- conditions ---- */

const TWO = ["eq", "ne", "lt", "le", "gt", "ge", "in", "contains"];
const OPS = [...TWO, "exists", "all", "any", "not"];
const startCond = (op: string): Json => op === "in" ? { in: ["", []] } :
    TWO.includes(op) ? { [op]: ["", ""] } : op === "exists" ?
    { exists: { input: "" } } : op === "not" ? { not: { exists:
    { input: "" } } } : { [op]: [{ exists: { input: "" } }] };

export function CondBox({ ed, at, label, sources, remove }: { ed: Ed;
    at: Place; label: string; sources?: string[];
    remove?: (() => void) | undefined }) {
	const c = getAt(ed.doc, at);
	const op = isObj(c) && Object.keys(c).length === 1 ?
	    Object.keys(c)[0] ?? "" : "";
	const known = OPS.includes(op) && (!TWO.includes(op) ||
	    listOf(isObj(c) ? c[op] : undefined).length === 2);
	const bad = ed.errors.get(pointer(at));
	const more = sources && { sources };
	const inner = isObj(c) ? c[op] : undefined;
	return <fieldset class="runbooks-cond"><legend>{label}</legend>
		<div class="row"><select value={known ? op : ""}
		    aria-label={say(t.kindOf, { what: label })} onChange={e =>
			ed.set(at, startCond(e.currentTarget.value))}>
			{!known && <option value="">JSON</option>}
			{OPS.map(o => <option key={o} value={o}>
				{t.ops[o as keyof typeof t.ops]}</option>)}</select>
			{remove && <Button kind="ghost" icon="x"
			    label={say(t.removeIt, { what: label })}
			    onClick={remove} />}</div>
		{!known ? <JsonBox ed={ed} at={at} label={label} /> :
		    TWO.includes(op) ? [0, 1].map(i => <ValueBox key={i} ed={ed}
			at={[...at, op, i]} label={`${label} ${i + 1}`}
			{...more} />) :
		    op === "exists" ? <ValueBox ed={ed} at={[...at, op]}
			label={label} {...more} /> :
		    op === "not" ? <CondBox ed={ed} at={[...at, op]}
			label={t.ops.not} {...more} /> :
		    <>{listOf(inner).map((_, i) => <CondBox key={i} ed={ed}
			at={[...at, op, i]} label={`${i + 1}`} {...more}
			remove={() => ed.set([...at, op, i], undefined)} />)}
			<div><Button icon="plus" onClick={() => ed.put(setAt(ed.doc,
			    [...at, op, listOf(inner).length],
			    { exists: { input: "" } }))}>{t.part}</Button></div></>}
		{bad && <p class="wrong">{bad}</p>}
	</fieldset>;
}
