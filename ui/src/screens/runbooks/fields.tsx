/* fields.tsx: members of a document as fields, said as a table: which a thing
 * has, and what shape each is. */
import { useId, useState } from "preact/hooks";
import { Button } from "../../kit/button.tsx";
import { T, say } from "../../text/index.ts";
import { errorAt, type Ed } from "./ed.ts";
import { getAt, insertAt, listOf, objOf, pointer, setAt, textOf, type Json,
	type Place } from "./tree.ts";
import { CondBox, JsonBox, ValueBox } from "./value.tsx";

const t = T.runbooks;
export interface Spec { name: string; label: string; must?: boolean;
	shape: "line" | "text" | "code" | "int" | "bool" | "select" | "words" |
	    "value" | "values" | "map" | "cond" | "labels" | "rows" | "group" |
	    "json";
	options?: readonly string[]; words?: Readonly<Record<string, string>>;
	/* of rows, of groups */
	of?: Spec[]; hint?: string; blank?: Json; sources?: string[] }

export const TYPES = ["string", "integer", "number", "boolean", "array",
    "object"] as const;

function Plain({ ed, at, s }: { ed: Ed; at: Place; s: Spec }) {
	const id = useId(), place = [...at, s.name];
	const v = getAt(ed.doc, place), bad = errorAt(ed, place);
	const common = { id, name: pointer(place), "aria-invalid":
	    bad !== undefined, "aria-describedby": bad || s.hint ? id + "h" :
	    undefined, value: textOf(v), autocomplete: "off",
	    spellcheck: s.shape === "text" };
	const put = (x: string): void => ed.set(place, x === "" && !s.must ?
	    undefined : s.shape === "int" && /^-?(0|[1-9]\d*)$/.test(x) ?
	    Number(x) : x);
	const input = (e: { currentTarget: { value: string } }): void =>
		put(e.currentTarget.value);
	const box = s.shape === "bool" ? null : s.shape === "select" ?
	    <select {...common} onChange={input}>
		{!s.must && <option value="">{T.kit.none}</option>}
		{s.options?.map(o => <option key={o} value={o}>
			{s.words?.[o] ?? o}</option>)}</select> :
	    s.shape === "text" || s.shape === "code" ? <textarea {...common}
		rows={s.shape === "code" ? 8 : 3} onInput={input}
		class={s.shape === "code" ? "mono" : ""} /> :
	    <input {...common} onInput={input}
		inputMode={s.shape === "int" ? "numeric" : undefined} />;
	return <div class={s.shape === "bool" ? "field check" : "field"}>
		{box === null ? <label><input type="checkbox" checked={v === true}
		    name={pointer(place)} onChange={e => ed.set(place,
			e.currentTarget.checked || undefined)} /> {s.label}</label> :
		    <><label for={id}>{s.label}{s.must && <span class="req"
			aria-hidden="true"> *</span>}</label>{box}</>}
		{(bad || s.hint) && <p id={id + "h"} class={bad ? "wrong" : "hint"}>
			{bad ?? s.hint}</p>}
	</div>;
}

/* Words, separated by commas. */
function Words({ ed, at, s }: { ed: Ed; at: Place; s: Spec }) {
	const id = useId(), place = [...at, s.name];
	const v = getAt(ed.doc, place), shown = listOf(v).map(textOf).join(", ");
	const [text, put] = useState(shown), [was, saw] = useState(shown);
	const bad = errorAt(ed, place);
	if (was !== shown) {
		saw(shown);
		put(shown);
	}
	if (listOf(v).some(x => typeof x !== "string" || x.includes(",")))
		return <Json ed={ed} at={at} s={s} />;
	return <div class="field"><label for={id}>{s.label}</label>
		<input id={id} name={pointer(place)} value={text} autocomplete="off"
		    aria-invalid={bad !== undefined} aria-describedby={id + "h"}
		    onInput={e => {
			const list = e.currentTarget.value.split(",")
			    .map(x => x.trim()).filter(x => x !== "");
			put(e.currentTarget.value);
			saw(list.join(", "));
			ed.set(place, list.length > 0 ? list : undefined);
		    }} />
		<p id={id + "h"} class={bad ? "wrong" : "hint"}>
			{bad ?? T.kit.commas}</p></div>;
}
const Json = ({ ed, at, s }: { ed: Ed; at: Place; s: Spec }) =>
	<div class="field"><p>{s.label} (JSON)</p>
		<JsonBox ed={ed} at={[...at, s.name]} label={s.label} /></div>;

/* Something that may be there or not. */
function Maybe({ ed, at, s, start, children }: { ed: Ed; at: Place; s: Spec;
    start: Json; children: () => preact.ComponentChildren }) {
	const place = [...at, s.name], bad = ed.errors.get(pointer(place));
	const there = getAt(ed.doc, place) !== undefined;
	return <div class="field">{there ? <>{children()}
		{!s.must && s.shape !== "cond" && <div><Button kind="ghost" icon="x"
		    onClick={() => ed.set(place, undefined)}>{say(t.removeIt,
			{ what: s.label })}</Button></div>}</> :
		<div><Button icon="plus" onClick={() => ed.set(place, start)}>
			{say(t.addIt, { what: s.label })}</Button></div>}
		{bad && s.shape !== "cond" && <p class="wrong">{bad}</p>}</div>;
}

/* {name: value} */
function Named({ ed, place, label, text, sources }: { ed: Ed; place: Place;
    label: string; text: boolean; sources?: string[] }) {
	const o = objOf(getAt(ed.doc, place)), names = Object.keys(o);
	const rename = (from: string, to: string): void => {
		if (to === from || (to in o))
			return;
		ed.set(place, Object.fromEntries(Object.entries(o).map(([k, v]) =>
		    [k === from ? to : k, v])));
	};
	return <fieldset><legend>{label}</legend>
		{names.map((k, i) => <div key={i} class="runbooks-pair">
			<input value={k} aria-label={say(t.nameOf, { what: label })}
			    onChange={e => rename(k, e.currentTarget.value)} />
			{text ? <input value={textOf(o[k])} aria-label={k}
			    aria-invalid={errorAt(ed, place) !== undefined}
			    onInput={e => ed.set([...place, k],
				e.currentTarget.value)} /> :
			    <ValueBox ed={ed} at={[...place, k]} label={k}
				{...(sources && { sources })} />}
			<Button kind="ghost" icon="x" label={say(t.removeIt,
			    { what: k })} onClick={() => ed.set([...place, k],
				undefined)} /></div>)}
		<div><Button icon="plus" onClick={() => {
			let k = "name";
			for (let i = 2; k in o; i++)
				k = "name" + i;
			ed.set([...place, k], "");
		}}>{say(t.addIt, { what: label })}</Button></div></fieldset>;
}

function Rows({ ed, place, s }: { ed: Ed; place: Place; s: Spec }) {
	const n = listOf(getAt(ed.doc, place)).length;
	return <fieldset><legend>{s.label}</legend>
		{Array.from({ length: n }, (_, i) => <div key={i}
		    class="runbooks-card"><div class="runbooks-head">
			<strong>{i + 1}</strong><Button kind="ghost" icon="x"
			    label={say(t.removeIt, { what: `${s.label} ${i + 1}` })}
			    onClick={() => ed.set(n === 1 ? place : [...place, i],
				undefined)} /></div>
			<Fields ed={ed} at={[...place, i]} specs={s.of ?? []} />
			<Own ed={ed} at={[...place, i]} />
			</div>)}
		<div><Button icon="plus" onClick={() => ed.put(insertAt(ed.doc,
		    place, n, s.blank ?? {}))}>{say(t.addIt, { what: s.label })}
		</Button></div></fieldset>;
}
/* What is wrong with a thing as a whole. */
export function Own({ ed, at }: { ed: Ed; at: Place }) {
	const bad = ed.errors.get(pointer(at));
	return bad ? <p class="wrong" role="alert">{bad}</p> : null;
}
function Values({ ed, place, s }: { ed: Ed; place: Place; s: Spec }) {
	const n = listOf(getAt(ed.doc, place)).length;
	return <fieldset><legend>{s.label}</legend>
		{Array.from({ length: n }, (_, i) => <div key={i} class="row">
			<ValueBox ed={ed} at={[...place, i]} label={`${s.label} ${
			    i + 1}`} />
			<Button kind="ghost" icon="x" label={say(t.removeIt,
			    { what: `${s.label} ${i + 1}` })} onClick={() =>
				ed.set(n === 1 ? place : [...place, i], undefined)} />
		</div>)}
		<div><Button icon="plus" onClick={() => ed.put(setAt(ed.doc,
		    [...place, n], ""))}>{say(t.addIt, { what: s.label })}</Button>
		</div></fieldset>;
}

function One({ ed, at, s }: { ed: Ed; at: Place; s: Spec }) {
	const place = [...at, s.name], more = s.sources && { sources: s.sources };
	switch (s.shape) {
	case "words": return <Words ed={ed} at={at} s={s} />;
	case "json": return <Maybe ed={ed} at={at} s={s} start={s.blank ?? []}>
		{() => <Json ed={ed} at={at} s={s} />}</Maybe>;
	case "value": return <Maybe ed={ed} at={at} s={s} start="">
		{() => <fieldset><legend>{s.label}</legend>
		<ValueBox ed={ed} at={place} label={s.label} {...more} />
		</fieldset>}</Maybe>;
	case "values": return <Maybe ed={ed} at={at} s={s} start={[""]}>
		{() => <Values ed={ed} place={place} s={s} />}</Maybe>;
	case "map": return <Maybe ed={ed} at={at} s={s} start={{ name: "" }}>
		{() => <Named ed={ed} place={place} label={s.label} text={false}
		    {...more} />}</Maybe>;
	case "labels": return <Maybe ed={ed} at={at} s={s}
	    start={{ labels: { site: "" } }}>{() => <Named ed={ed}
		place={[...place, "labels"]} label={s.label} text />}</Maybe>;
	case "cond": return <Maybe ed={ed} at={at} s={s}
	    start={{ eq: [{ [s.sources?.[0] ?? "input"]: "" }, ""] }}>
		{() => <CondBox ed={ed} at={place} label={s.label} {...more}
		    remove={s.must ? undefined : () => ed.set(place, undefined)} />}
	    </Maybe>;
	case "rows": return <Maybe ed={ed} at={at} s={s} start={[s.blank ?? {}]}>
		{() => <Rows ed={ed} place={place} s={s} />}</Maybe>;
	case "group": return <Maybe ed={ed} at={at} s={s} start={s.blank ?? {}}>
		{() => <fieldset><legend>{s.label}</legend><div
		    class="runbooks-cols"><Fields ed={ed} at={place}
			specs={s.of ?? []} /></div></fieldset>}</Maybe>;
	default: return <Plain ed={ed} at={at} s={s} />;
	}
}

export const Fields = ({ ed, at, specs }: { ed: Ed; at: Place;
    specs: Spec[] }) => <>{specs.map(s => <One key={s.name} ed={ed} at={at}
	s={s} />)}</>;
