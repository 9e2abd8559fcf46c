/* steps.tsx: steps and the steps inside of them, added, moved and filled in.
 * Alt+Up and Alt+Down move the step one is in. */
import { useState } from "preact/hooks";
import { Button } from "../../kit/button.tsx";
import { T, say, word } from "../../text/index.ts";
import { errorAt, type Ed } from "./ed.ts";
import { Fields, Own } from "./fields.tsx";
import { KINDS, blank } from "./model.ts";
import { moreSpecs, stepSpecs } from "./specs.ts";
import { freeId, getAt, innerLists, insertAt, listOf, moveAt, objOf, pointer,
	textOf, type Place } from "./tree.ts";

const t = T.runbooks;
const focusStep = (p: Place): void => {
	requestAnimationFrame(() => document.getElementById("step" +
	    pointer(p))?.focus());
};

function Step({ ed, list, i }: { ed: Ed; list: Place; i: number }) {
	const at = [...list, i], s = objOf(getAt(ed.doc, at));
	const kind = textOf(s["kind"]), bad = errorAt(ed, at) !== undefined;
	const name = textOf(s["name"] ?? s["id"]);
	const [opened, open] = useState(s["name"] === undefined || bad);
	const [more, showMore] = useState(false);
	const n = listOf(getAt(ed.doc, list)).length;
	const move = (to: number): void => {
		ed.put(moveAt(ed.doc, list, i, to));
		focusStep([...list, Math.max(0, Math.min(n - 1, to))]);
	};
	const extra = moreSpecs(kind).some(x => errorAt(ed, [...at, x.name]));
	return <li class={bad ? "runbooks-card mistaken" : "runbooks-card"}
	    id={"step" + pointer(at)} tabIndex={-1} onKeyDown={e => {
		if (e.altKey && (e.key === "ArrowUp" || e.key === "ArrowDown")) {
			e.preventDefault();
			e.stopPropagation();
			move(e.key === "ArrowUp" ? i - 1 : i + 1);
		}
	    }}>
		<div class="runbooks-head">
			<button type="button" class="ghost" aria-expanded={opened || bad}
			    onClick={() => open(!opened)}>
				<strong>{i + 1}. {name}</strong>
				<span class="pill">{word(t.kinds, kind)}</span></button>
			<span class="row">
				<Button kind="ghost" label={say(t.up, { name })}
				    off={i === 0 && t.isFirst}
				    onClick={() => move(i - 1)} icon="up" />
				<Button kind="ghost" label={say(t.down, { name })}
				    off={i === n - 1 && t.isLast}
				    onClick={() => move(i + 1)} icon="down" />
				<Button kind="ghost" icon="trash" label={say(t.removeIt,
				    { what: name })} onClick={() => {
					ed.set(at, undefined);
					focusStep([...list, Math.max(0, i - 1)]);
				    }} /></span></div>
		<Own ed={ed} at={at} />
		{ed.errors.has(pointer([...at, "kind"])) &&
		    <p class="wrong">{ed.errors.get(pointer([...at, "kind"]))}</p>}
		{(opened || bad) && <>
			<Fields ed={ed} at={at} specs={stepSpecs(kind)} />
			{innerLists(s, at).map(l => <fieldset key={l.what + l.n}>
				<legend>{say(t.inner[l.what], { n: l.n })}</legend>
				<Own ed={ed} at={l.place} />
				<StepList ed={ed} list={l.place} />
				{(l.what === "undo" || l.what === "branch") && <div>
					<Button kind="ghost" icon="x" onClick={() =>
					    ed.set(l.place, undefined)}>{say(t.removeIt,
						{ what: say(t.inner[l.what], { n: l.n }) })}
					</Button></div>}
			</fieldset>)}
			{kind === "parallel" && <div><Button icon="plus"
			    onClick={() => ed.put(insertAt(ed.doc, [...at,
				"branches"], listOf(s["branches"]).length, []))}>
				{t.branch}</Button></div>}
			<details open={more || extra} onToggle={e =>
			    showMore(e.currentTarget.open)}>
				<summary>{t.more}</summary>
				<div class="form">
				<Fields ed={ed} at={at} specs={moreSpecs(kind)} />
				{s["undo"] === undefined && !list.includes("undo") &&
				    <div><Button icon="plus" onClick={() => ed.set(
					[...at, "undo"], [])}>{t.addUndo}</Button></div>}
				</div></details>
		</>}
	</li>;
}

export function StepList({ ed, list }: { ed: Ed; list: Place }) {
	const [kind, choose] = useState<string>("script");
	const steps = listOf(getAt(ed.doc, list));
	return <div class="stack">
		<ol class="runbooks-steps">{steps.map((s, i) => <Step
		    key={textOf(objOf(s)["id"]) + i} ed={ed} list={list} i={i} />)}
		</ol>
		<div class="row">
			<label class="facet">{t.newKind}<select value={kind}
			    onChange={e => choose(e.currentTarget.value)}>
				{KINDS.map(k => <option key={k} value={k}>
					{word(t.kinds, k)}</option>)}</select></label>
			<Button icon="plus" onClick={() => {
				ed.put(insertAt(ed.doc, list, steps.length,
				    blank(kind, freeId(ed.doc, kind))));
				focusStep([...list, steps.length]);
			}}>{t.addStep}</Button></div>
	</div>;
}
