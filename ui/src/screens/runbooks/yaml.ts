/*
 * yaml.ts: a document as YAML and back: the strict subset of doc/runbooks.md,
 * with the place of everything.  Loaded when YAML is first looked at.
 */
import { Alias, Document, LineCounter, Parser, Composer, Scalar, isCollection,
	isMap, isPair, isScalar, isSeq, visit, type Node, type ScalarTag,
	type SchemaOptions } from "yaml";
import { T } from "../../text/index.ts";
import { pointer, type Json, type Place } from "./tree.ts";

export interface Wrong { line: number; message: string; pointer?: string }
export interface Parsed { doc: Json | null; wrong: Wrong[];
	/* the line (from 1) of a pointer, or of what is nearest above it */
	lineOf: (pointer: string) => number }

const INT = /^-?(?:0|[1-9][0-9]*)$/;
const REAL = /^[-+]?(?=[0-9.]*[0-9])(?=[0-9]*\.)[0-9.]+$/;
const tags: ScalarTag[] = [
	{ tag: "tag:yaml.org,2002:null", identify: v => v === null,
		default: true, test: /^(?:~|null)?$/, resolve: () =>
		    new Scalar(null), stringify: () => "null",
		createNode: () => new Scalar(null) },
	{ tag: "tag:yaml.org,2002:bool", default: true,
		identify: v => typeof v === "boolean", test: /^(?:true|false)$/,
		resolve: s => s === "true", stringify: n => String(n.value) },
	{ tag: "tag:yaml.org,2002:int", default: true,
		identify: v => typeof v === "number", test: INT,
		resolve: s => Number(s), stringify: n => String(n.value) },
	{ tag: "tag:yaml.org,2002:float", default: true,
		identify: () => false, test: REAL,
		resolve: (s, fail) => { fail(T.runbooks.yamlReal); return s; } },
];
const schema: SchemaOptions & { keepUndefined: boolean } = {
	schema: "failsafe", customTags: t => [...t, ...tags], merge: false,
	keepUndefined: false };

/* Quoted, too, what older YAML takes for something else (no, on, 0755), and
 * what libyaml cannot read as a block: one that begins with a tab. */
export function stringify(doc: Json): string {
	const d = new Document(doc, { ...schema, compat: "yaml-1.1",
		aliasDuplicateObjects: false });
	visit(d, { Scalar: (_, n) => {
		if (typeof n.value === "string" &&
		    /^[\n ]*\t|[\u0085\u2028\u2029\ufeff]/.test(n.value))
			n.type = "QUOTE_DOUBLE";
	} });
	return d.toString({ lineWidth: 0, indent: 2, indentSeq: true })
	    .replaceAll("\u0085", "\\N").replaceAll("\u2028", "\\L")
	    .replaceAll("\u2029", "\\P").replaceAll("\ufeff", "\\uFEFF");
}

/* What the subset has no place for. */
function refused(d: Document.Parsed): [Node | null, string][] {
	const out: [Node | null, string][] = [];
	visit(d, (_, n, path) => {
		if (n instanceof Alias)
			out.push([n, T.runbooks.yamlAlias]);
		if (isPair(n) && !(isScalar(n.key)))
			out.push([n.key as Node, T.runbooks.yamlKey]);
		if (isPair(n) && isScalar(n.key) && n.key.source === "<<")
			out.push([n.key as Node, T.runbooks.yamlMerge]);
		if ((isScalar(n) || isCollection(n)) && n.anchor)
			out.push([n, T.runbooks.yamlAnchor]);
		if ((isScalar(n) || isCollection(n)) && n.tag && path.length > 0)
			out.push([n, T.runbooks.yamlTag]);
		if (isScalar(n) && typeof n.value === "number" &&
		    !Number.isSafeInteger(n.value))
			out.push([n, T.runbooks.yamlBig]);
	});
	return out;
}

/* A key is the text it is written as. */
function plainJson(n: unknown): Json {
	if (isMap(n))
		return Object.fromEntries(n.items.map(p => [keyText(p.key),
		    plainJson(p.value)]));
	if (isSeq(n))
		return n.items.map(plainJson);
	return isScalar(n) ? n.value as Json : null;
}
const keyText = (k: unknown): string => isScalar(k) ?
    typeof k.value === "string" ? k.value : k.source ?? "" : "";

/* Where places are. */
function offsets(n: unknown, at: Place, out: Map<string, number>): void {
	if (isMap(n)) {
		for (const p of n.items) {
			const k = p.key as Scalar | null;
			const place = [...at, keyText(k)];
			out.set(pointer(place), k?.range?.[0] ?? 0);
			offsets(p.value, place, out);
		}
	} else if (isSeq(n)) {
		n.items.forEach((x, i) => {
			out.set(pointer([...at, i]), (x as Node).range?.[0] ?? 0);
			offsets(x, [...at, i], out);
		});
	}
}

export function parse(text: string): Parsed {
	const lines = new LineCounter();
	const tokens = [...new Parser(lines.addNewLine).parse(text)];
	const docs = [...new Composer({ ...schema, uniqueKeys: true,
		strict: true, version: "1.2" }).compose(tokens, true, text.length)];
	const line = (o: number | undefined): number =>
		Math.max(1, lines.linePos(o ?? 0).line);
	const wrong: Wrong[] = [];
	const d = docs[0] as Document.Parsed | undefined;

	for (const t of tokens)
		if (t.type === "directive")
			wrong.push({ line: line(t.offset),
				message: T.runbooks.yamlDirective });
	if (docs[1])
		wrong.push({ line: line(docs[1].range?.[0]),
			message: T.runbooks.yamlSecond });
	for (const e of docs.flatMap(x => [...x.errors, ...x.warnings]))
		wrong.push({ line: line(e.pos[0]),
			message: e.message.split("\n")[0] ?? "" });
	for (const [n, message] of d ? refused(d) : [])
		wrong.push({ line: line(n?.range?.[0]), message });
	if (!d || d.contents === null || !isMap(d.contents))
		wrong.push({ line: 1, message: T.runbooks.yamlNoDoc });
	const places = new Map<string, number>();
	if (d)
		offsets(d.contents, [], places);
	return { wrong: wrong.sort((a, b) => a.line - b.line),
		doc: wrong.length === 0 && d ? plainJson(d.contents) : null,
		lineOf: p => {
			for (let q = p; q !== ""; q = q.slice(0, q.lastIndexOf("/"))) {
				const o = places.get(q);
				if (o !== undefined)
					return line(o);
			}
			return 1;
		} };
}
