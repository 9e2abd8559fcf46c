/* ed.ts: a document being edited, and what the server said is wrong. */
import { pointer, type Json, type Place } from "./tree.ts";

export interface Ed {
	doc: Json; errors: Map<string, string>;
	set: (at: Place, v: Json | undefined) => void;
	put: (doc: Json) => void;
}

/* What is wrong at a place or inside of it. */
export function errorAt(ed: Ed, at: Place): string | undefined {
	const p = pointer(at);
	for (const [k, v] of ed.errors)
		if (k === p || k.startsWith(p + "/"))
			return v;
	return undefined;
}

/* errors[] of a body whose member `under` is the document. */
export function errorsOf(errors: { pointer: string; detail: string }[],
    under: string): Map<string, string> {
	const out = new Map<string, string>();
	for (const e of errors)
		if (e.pointer === under || e.pointer.startsWith(under + "/")) {
			const p = e.pointer.slice(under.length);
			if (!out.has(p))
				out.set(p, e.detail);
		}
	return out;
}
