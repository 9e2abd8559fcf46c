/*
 * A whole NDJSON export (doc/PROTOCOL.audit 5 and 6).  Nothing of the server
 * is believed: entries, lists, tiles, trailer and manifest must agree, and the
 * root they make must be the signed one.
 */
import { Bad, base64, bytesOf, concat, ed25519, equal, sha256, textOf,
    type Bytes } from "./bytes.ts";
import { logKey, openCheckpoint, type Checkpoint, type Key } from "./note.ts";
import { cover, fold, leafHash, Stack } from "./tree.ts";

const TILE = 256;

export interface Verdict {
	good: boolean;
	/** One sentence: what was found; empty when good. */
	what: string;
	/** The first bad entry; 0: none. */
	seq: number;
	entries: number;
	hidden: number;
	first: number;
	last: number;
	checkpoint: Checkpoint | null;
	/** Was the key given, or the export's own taken? */
	keyKnown: boolean;
	manifest: boolean;
}

interface Trailer {
	checkpoint: string;
	first: number;
	key: string;
	last: number;
	left: string[];
	right: string[];
	tiles: string[];
	v: number;
}

type Json = { [name: string]: unknown };

function parse(line: string): Json {
	let j: unknown;

	try {
		j = JSON.parse(line);
	} catch {
		throw new Bad("a line is not JSON");
	}
	if (typeof j !== "object" || j === null || Array.isArray(j))
		throw new Bad("a line is not an object");
	return j as Json;
}

/** Members in order, no white space: one text for each value. */
export function canonical(j: unknown): string {
	if (Array.isArray(j))
		return `[${j.map(canonical).join(",")}]`;
	if (typeof j !== "object" || j === null)
		return JSON.stringify(j);
	return `{${Object.keys(j).sort().map((k) =>
	    `${JSON.stringify(k)}:${canonical((j as Json)[k])}`).join(",")}}`;
}

const isNumber = (n: unknown, min: number): n is number =>
	typeof n === "number" && Number.isSafeInteger(n) && n >= min;
const isTexts = (a: unknown): a is string[] =>
	Array.isArray(a) && a.every((t) => typeof t === "string");

function trailerOf(line: string): Trailer {
	const j = parse(line);

	if (typeof j["checkpoint"] !== "string" || typeof j["key"] !== "string" ||
	    !isNumber(j["first"], 1) || !isNumber(j["last"], 0) ||
	    j["last"] < j["first"] - 1 || !isTexts(j["left"]) ||
	    !isTexts(j["right"]) || !isTexts(j["tiles"]) ||
	    (j["v"] !== 1 && j["v"] !== 2) || Object.keys(j).length !== 8)
		throw new Bad("the trailer is malformed");
	return j as unknown as Trailer;
}

/* A leaf is printable, and has one form only. */
const PRINTABLE = /^[\x20-\x7e]*$/;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

class Reading {
	readonly stack = new Stack();
	next: number;
	time = "";
	entries = 0;
	hidden = 0;
	/** Hashes of this tile's entries that are still to be listed. */
	tile: Bytes[] = [];
	tiles = 0;
	lastListed = false;
	/** A list or a tile that differs: a finding, and where to look. */
	differs: Bad | null = null;

	constructor(readonly t: Trailer) {
		this.next = t.first;
	}

	seq(n: unknown): void {
		if (n !== this.next)
			throw new Bad(`entry ${this.next} is missing or out of order`,
			    this.next);
		this.next++;
	}

	leaf(line: string, j: Json): void {
		const time = j["time"];

		if (j["v"] !== 1 || !PRINTABLE.test(line) || line.includes("\\") ||
		    line.length > 65535 || canonical(j) !== line ||
		    typeof time !== "string" || !TIME.test(time))
			throw new Bad(`entry ${this.next} is not a leaf in its one ` +
			    "form", this.next);
		this.seq(j["seq"]);
		if (time < this.time)
			throw new Bad(`entry ${this.next - 1} is dated before the ` +
			    "one before it", this.next - 1);
		this.time = time;
		this.entries++;
	}

	/** The stored hashes, behind each tile and behind the last entry. */
	list(j: Json, hashes: Bytes[]): void {
		const at = this.next - 1, first = at - hashes.length + 1;
		const stored = base64(String(j["hashes"]));

		if (j["tile"] !== Math.floor((at - 1) / TILE) ||
		    stored.length !== 32 * hashes.length)
			throw new Bad("a list of hashes is malformed", first);
		hashes.forEach((h, i) => {
			if (this.differs === null &&
			    !equal(h, stored.slice(32 * i, 32 * i + 32)))
				this.differs = new Bad(`entry ${first + i} is not as ` +
				    "its stored hash says", first + i);
		});
	}

	/** The root of a tile that has ended. */
	full(at: number, first: number): void {
		if (at % TILE !== 0)
			return;
		const listed = this.t.tiles[this.tiles++];

		if (listed === undefined)
			throw new Bad("a tile is missing in the trailer", first);
		if (this.differs === null && (this.stack.tile === null ||
		    !equal(this.stack.tile, base64(listed))))
			this.differs = new Bad(`one of the entries ${first} to ${at} ` +
			    "is not as its tile says", first);
	}
}

/* A tile whole is one subtree; a part is added entry by entry. */
async function grow(stack: Stack, first: number, hashes: Bytes[]):
    Promise<void> {
	if (hashes.length === TILE && (first - 1) % TILE === 0) {
		await stack.add(8, await fold(hashes));
		return;
	}
	for (const h of hashes)
		await stack.add(0, h);
}

async function covered(stack: Stack, from: number, to: number,
    texts: readonly string[], what: string): Promise<void> {
	const heights = [...cover(from, to)];

	if (heights.length !== texts.length)
		throw new Bad(`${what} of the trailer is malformed`);
	for (const [i, k] of heights.entries())
		await stack.add(k, base64(texts[i]!));
}

async function entries(r: Reading, lines: readonly string[]): Promise<void> {
	let batch: Promise<Bytes>[] = [], due = false;

	for (const line of lines) {
		const j = parse(line);

		if ("hashes" in j) {
			const hashes = await Promise.all(batch);

			if (!due)
				throw new Bad("a list of hashes in a wrong place", r.next);
			r.list(j, hashes);
			await grow(r.stack, r.next - hashes.length, hashes);
			r.full(r.next - 1, r.next - hashes.length);
			batch = [];
			due = false;
			continue;
		}
		if (due)
			throw new Bad("a list of hashes is missing", r.next);
		if ("h" in j) {
			if (canonical(j) !== line || Object.keys(j).length !== 2)
				throw new Bad(`entry ${r.next} is malformed`, r.next);
			const h = base64(String(j["h"]));

			if (h.length !== 32)
				throw new Bad(`entry ${r.next} is malformed`, r.next);
			r.seq(j["seq"]);
			r.hidden++;
			batch.push(Promise.resolve(h));
		} else {
			r.leaf(line, j);
			batch.push(leafHash(bytesOf(line)));
		}
		due = (r.next - 1) % TILE === 0 || r.next - 1 === r.t.last;
	}
	if (batch.length > 0)
		throw new Bad("a list of hashes is missing", r.next);
}

/* ---- the manifest ---- */

const LABEL = concat(bytesOf("redoubt audit export manifest 1"),
    Uint8Array.of(0));

async function manifest(line: string, before: Bytes, t: Trailer,
    trailer: string, shown: number, key: Key): Promise<void> {
	const m = /^\{"manifest":(\{.*\}),"signature":"([^"]*)"\}$/.exec(line);

	if (!m)
		throw new Bad("the manifest is malformed");
	const j = parse(m[1]!);

	if (!await ed25519(key.key, base64(m[2]!),
	    concat(LABEL, await sha256(bytesOf(m[1]!)))))
		throw new Bad(`the manifest is not signed by ${key.name}`);
	if (j["first"] !== t.first || j["last"] !== t.last ||
	    j["checkpoint"] !== t.checkpoint || j["entries"] !== shown ||
	    j["bytes"] !== before.length || j["format"] !== "ndjson" ||
	    !equal(base64(String(j["trailer"])), await sha256(bytesOf(`${trailer}\n`))))
		throw new Bad("the manifest is of another export");
	if (!equal(base64(String(j["sha256"])), await sha256(before)))
		throw new Bad("the file is not the one the manifest was made for");
}

/* ---- all of it ---- */

interface Parts {
	lines: string[];
	trailer: string;
	manifest: string | null;
	/** What stands before the manifest. */
	before: Bytes;
}

function partsOf(file: Bytes): Parts {
	const text = textOf(file);

	if (!text.endsWith("\n"))
		throw new Bad("the file was cut");
	const lines = text.split("\n");

	lines.pop();
	const signed = lines.at(-1)?.startsWith('{"manifest":') ?
	    lines.pop()! : null;
	const trailer = lines.pop();

	if (trailer === undefined)
		throw new Bad("the file was cut");
	return { lines, trailer, manifest: signed,
		before: signed === null ? file :
		    file.slice(0, file.length - bytesOf(signed).length - 1) };
}

async function check(file: Bytes, vkey: string | null, v: Verdict):
    Promise<void> {
	const p = partsOf(file), t = trailerOf(p.trailer);
	const key = await logKey(vkey ?? t.key);

	if (vkey !== null && t.key !== vkey)
		throw new Bad("the trailer names another key");
	const point = await openCheckpoint(t.checkpoint, key);
	const size = Number(point.size), r = new Reading(t);

	v.checkpoint = point;
	v.first = t.first;
	v.last = t.last;
	if (!Number.isSafeInteger(size) || size < t.last)
		throw new Bad("the checkpoint does not cover the export");
	if ((t.v === 2) !== (p.manifest !== null))
		throw new Bad("the manifest is missing, or not meant to be there");
	await covered(r.stack, 0, t.first - 1, t.left, "left");
	try {
		await entries(r, p.lines);
	} finally {
		v.entries = r.entries;
		v.hidden = r.hidden;
	}
	if (r.next - 1 !== t.last)
		throw new Bad(`entry ${r.next} is missing`, r.next);
	if (r.tiles !== t.tiles.length)
		throw new Bad("the trailer has tiles that are not in the export");
	await covered(r.stack, t.last, size, t.right, "right");
	if (r.differs !== null)
		throw r.differs;
	if (!equal(await r.stack.root(), point.root))
		throw new Bad(`one of the entries ${t.first} to ${t.last} is not as ` +
		    "it was signed", t.first);
	if (p.manifest !== null) {
		await manifest(p.manifest, p.before, t, p.trailer, r.entries, key);
		v.manifest = true;
	}
}

/** vkey null: the export's own key; that proves only that it is whole. */
export async function verifyExport(file: Bytes, vkey: string | null):
    Promise<Verdict> {
	const v: Verdict = { good: false, what: "", seq: 0, entries: 0,
		hidden: 0, first: 0, last: 0, checkpoint: null,
		keyKnown: vkey !== null, manifest: false };

	try {
		await check(file, vkey, v);
		v.good = true;
	} catch (e) {
		if (!(e instanceof Bad))
			throw e;
		v.what = e.message;
		v.seq = e.seq;
	}
	return v;
}
