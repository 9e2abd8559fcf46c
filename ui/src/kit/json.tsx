/* json.tsx: JSON of others as a tree: what is long is cut, what is deep is
 * folded, nothing in it is anything but text. */
import { useState } from "preact/hooks";
import type { Json } from "../core/api.ts";
import { T, say } from "../text/index.ts";
import { Plain } from "./plain.tsx";

const LONG = 400, MANY = 100;

function Text({ text }: { text: string }) {
	const [all, show] = useState(false);
	if (text.length <= LONG || all)
		return <span class="json-s"><Plain text={text} /></span>;
	return <span class="json-s"><Plain text={text.slice(0, LONG)} />
		<button type="button" class="ghost json-more"
		    onClick={() => show(true)}>
			{say(T.kit.moreChars, { n: text.length - LONG })}</button></span>;
}

function Leaf({ v }: { v: null | boolean | number | string }) {
	return typeof v === "string" ? <Text text={v} /> :
		<span class={`json-${v === null ? "null" : typeof v}`}>
			{String(v)}</span>;
}

function Members({ of, open }: { of: [string, Json][]; open: number }) {
	const [n, more] = useState(MANY);
	return <ul class="json">{of.slice(0, n).map(([k, v]) =>
		<li key={k}><Node name={k} v={v} open={open} /></li>)}
		{of.length > n && <li><button type="button"
		    class="ghost json-more" onClick={() => more(n + 10 * MANY)}>
			{say(T.kit.moreItems, { n: of.length - n })}</button></li>}
	</ul>;
}

function Node({ name, v, open }: { name: string; v: Json; open: number }) {
	const [on, set] = useState(open > 0);
	if (typeof v !== "object" || v === null)
		return <><span class="json-k"><Plain text={name} /></span>
			{" "}<Leaf v={v} /></>;
	const of = Object.entries(v as Record<string, Json>);
	return of.length === 0 ? <><span class="json-k"><Plain text={name} />
		</span> <span class="dim">{Array.isArray(v) ? "[ ]" : "{ }"}</span>
	    </> : <details open={on} onToggle={e => set(e.currentTarget.open)}>
		<summary><span class="json-k"><Plain text={name} /></span>{" "}
			<span class="dim">{Array.isArray(v) ? `[${of.length}]` :
			    `{${of.length}}`}</span></summary>
		{on && <Members of={of} open={open - 1} />}
	</details>;
}

/* open: how many levels are unfolded at first */
export function JsonTree({ value, open = 1, label }: { value: Json;
    open?: number; label: string }) {
	return <div class="json-tree" role="group" aria-label={label}>
		{typeof value === "object" && value !== null ?
		    <Members of={Object.entries(value as Record<string, Json>)}
			open={open} /> : <Leaf v={value} />}</div>;
}
