/*
 * keys.ts: single keys and sequences ("g i"), off inside inputs and when
 * one does not want them (WCAG 2.1.4).  useKeys() of the innermost dialog
 * wins; `?` lists what is bound.
 */
import { useEffect, useRef } from "preact/hooks";
import { prefs } from "../core/prefs.ts";

export interface Binding { key: string; label: string;
	run: (e: KeyboardEvent) => void }
const layers: (() => Binding[])[] = [];
let pending = "";
let timer: ReturnType<typeof setTimeout> | undefined;

export const bound = (): Binding[] => layers.flatMap(l => l());

export function keyName(e: KeyboardEvent): string {
	const k = e.key === " " ? "Space" : e.key;
	const mod = (e.ctrlKey || e.metaKey ? "Ctrl+" : "") +
	    (e.altKey ? "Alt+" : "");
	return mod + (k.length > 1 && e.shiftKey ? "Shift+" + k : k);
}

const WRITES = "input, textarea, select, [contenteditable], .cm-editor";
function writing(e: KeyboardEvent): boolean {
	const t = e.composedPath()[0];
	return t instanceof Element && t.closest(WRITES) !== null &&
	    !(t instanceof HTMLInputElement &&
	    ["checkbox", "radio", "button"].includes(t.type));
}

document.addEventListener("keydown", e => {
	const k = keyName(e);
	const plain = !k.startsWith("Ctrl+") && !k.startsWith("Alt+");
	if (e.defaultPrevented || (plain && k !== "Escape" &&
	    (writing(e) || !prefs.peek().keys)))
		return;
	const dialog = document.querySelector("dialog:modal") !== null;
	const from = dialog ? layers.filter(l => inDialog.has(l)) : layers;
	const seq = pending === "" ? k : pending + " " + k;
	for (const l of [...from].reverse()) {
		const b = l().find(x => x.key === seq) ??
		    (pending ? undefined : l().find(x => x.key === k));
		if (b) {
			pending = "";
			e.preventDefault();
			b.run(e);
			return;
		}
	}
	clearTimeout(timer);
	pending = from.some(l => l().some(b => b.key.startsWith(seq + " "))) ?
	    seq : "";
	timer = setTimeout(() => { pending = ""; }, 1200);
});

const inDialog = new WeakSet<() => Binding[]>();

export function useKeys(bindings: Binding[], dialog = false): void {
	const now = useRef(bindings);
	now.current = bindings;
	useEffect(() => {
		const l = (): Binding[] => now.current;
		if (dialog)
			inDialog.add(l);
		layers.push(l);
		return () => { layers.splice(layers.indexOf(l), 1); };
	}, [dialog]);
}
