/*
 * tree.ts: the document as a tree of JSON, places in it, and changes that
 * leave all else as it is.  A place is a list of members and indexes; its
 * pointer (RFC 6901) is how the server names it.
 */
import type { Json } from "../../core/api.ts";

export type { Json };
export type Obj = { [k: string]: Json };
export type Place = readonly (string | number)[];

export const isObj = (j: Json | undefined): j is Obj =>
	typeof j === "object" && j !== null && !Array.isArray(j);
export const listOf = (j: Json | undefined): Json[] =>
	Array.isArray(j) ? j : [];
export const objOf = (j: Json | undefined): Obj => isObj(j) ? j : {};
export const textOf = (j: Json | undefined): string =>
	typeof j === "string" ? j : j === undefined || j === null ? "" :
	typeof j === "object" ? JSON.stringify(j) : String(j);

export const pointer = (p: Place): string => p.map(s => "/" +
    String(s).replaceAll("~", "~0").replaceAll("/", "~1")).join("");

export function getAt(doc: Json | undefined, p: Place): Json | undefined {
	let j = doc;
	for (const s of p)
		j = Array.isArray(j) ? j[Number(s)] : isObj(j) ? j[s] : undefined;
	return j;
}

/* The same document, but for this place; undefined takes a member away. */
export function setAt(doc: Json, p: Place, v: Json | undefined): Json {
	const [head, ...rest] = p;
	if (head === undefined)
		return v ?? null;
	if (Array.isArray(doc)) {
		const i = Number(head), out = [...doc];
		if (rest.length === 0 && v === undefined)
			out.splice(i, 1);
		else
			out[i] = setAt(doc[i] ?? {}, rest, v);
		return out;
	}
	const o = objOf(doc);
	if (rest.length === 0 && v === undefined) {
		const { [head]: _, ...others } = o;
		return others;
	}
	return { ...o, [head]: setAt(o[head] ??
	    (typeof rest[0] === "number" ? [] : {}), rest, v) };
}

export function insertAt(doc: Json, list: Place, i: number, v: Json): Json {
	const out = [...listOf(getAt(doc, list))];
	out.splice(i, 0, v);
	return setAt(doc, list, out);
}
/* One item of a list, up or down. */
export function moveAt(doc: Json, list: Place, from: number, to: number):
    Json {
	const out = [...listOf(getAt(doc, list))];
	if (to < 0 || to >= out.length)
		return doc;
	const [x] = out.splice(from, 1);
	out.splice(to, 0, x ?? null);
	return setAt(doc, list, out);
}

export const same = (a: Json | undefined, b: Json | undefined): boolean => {
	if (a === b)
		return true;
	if (Array.isArray(a) && Array.isArray(b))
		return a.length === b.length && a.every((x, i) => same(x, b[i]));
	if (isObj(a) && isObj(b)) {
		const k = Object.keys(a);
		return k.length === Object.keys(b).length &&
		    k.every(x => Object.hasOwn(b, x) && same(a[x], b[x]));
	}
	return false;
};

/* The lists of steps a step has inside, with what they are. */
export function innerLists(s: Obj, at: Place): { place: Place;
    what: "then" | "else" | "branch" | "undo"; n: number }[] {
	const out: ReturnType<typeof innerLists> = [];
	if (s["kind"] === "condition") {
		out.push({ place: [...at, "then"], what: "then", n: 0 });
		out.push({ place: [...at, "else"], what: "else", n: 0 });
	}
	if (s["kind"] === "parallel")
		listOf(s["branches"]).forEach((_, i) => out.push({
			place: [...at, "branches", i], what: "branch", n: i + 1 }));
	if (s["undo"] !== undefined)
		out.push({ place: [...at, "undo"], what: "undo", n: 0 });
	return out;
}
/* Every step, in order, with its place. */
export function allSteps(doc: Json, list: Place = ["steps"]):
    { step: Obj; place: Place }[] {
	return listOf(getAt(doc, list)).flatMap((x, i) => {
		const place = [...list, i];
		return isObj(x) ? [{ step: x, place }, ...innerLists(x, place)
		    .flatMap(l => allSteps(doc, l.place))] : [];
	});
}
/* An id nobody has. */
export function freeId(doc: Json, kind: string): string {
	const taken = new Set(allSteps(doc).map(s => s.step["id"]));
	for (let i = 1; ; i++) {
		const id = i === 1 ? kind : `${kind}_${i}`;
		if (!taken.has(id))
			return id;
	}
}
