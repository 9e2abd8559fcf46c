/*
 * log-data.ts: a log on the server as pieces of bytes, of which a few are
 * here.  Rows are what is shown in a line; how many a piece has is guessed
 * until it is here.  Nothing is asked for but what is looked at, until one
 * searches or asks for a line by its number.
 */
import { Lost, call, type Ask } from "../core/api.ts";
import { visible } from "./ansi.ts";

export const PIECE = 256 * 1024;
const EDGE = 16 * 1024;     /* a line may reach this far into the next piece */
const KEEP = 10;            /* pieces that stay */
/* bytes of one answer, when all are looked at: with the overlap a window */
const SCAN = 1024 * 1024 - 256;
const AT_ONCE = 6;

export interface Row { from: number; to: number; col: number; first: boolean }
interface Loaded { bytes: Uint8Array; at: number; rows: Row[]; used: number }
export interface Hit { at: number }

const utf8 = new TextDecoder();
const latin = new TextDecoder("latin1");

export class LogData {
	size = 0;
	ready = false;
	/* rows of each piece, as far as is known; -1: a guess will do */
	counts: number[] = [];
	/* lines before each piece, once all have been looked at */
	lines: number[] | null = null;
	cols = 0;     /* wrapped at so many characters; 0: not */
	#pieces = new Map<number, Loaded>();
	#asked = new Map<number, Promise<void>>();
	#tick = 0;
	#bytesPerRow = 120;
	readonly abort = new AbortController();

	constructor(readonly path: string, readonly query: Ask["query"],
	    readonly changed: () => void) {}

	async #get(from: number, bytes: number): Promise<Uint8Array> {
		const u = new URL(this.path, location.origin);
		for (const [k, v] of Object.entries({ ...this.query,
			offset: from, bytes }))
			if (v !== undefined && v !== null)
				u.searchParams.set(k, String(v));
		const ask = (): Promise<Response> => fetch(u, {
			signal: this.abort.signal, cache: "no-store",
			headers: { accept: "text/plain" } });
		let r = await ask();
		for (let i = 0; !r.ok && i < 20; i++) {
			if (r.status === 503 || r.status === 429)
				await new Promise(f => setTimeout(f, 50 + 50 * i));
			else     /* says why, and asks for a login when it is that */
				await call("GET", this.path, { as: "none", query:
				    { ...this.query, offset: from, bytes: 0 } });
			r = await ask();
		}
		if (!r.ok)
			throw new Lost(String(r.status));
		const m = /\/(\d+)$/.exec(r.headers.get("content-range") ?? "");
		if (m)
			this.#grow(Number(m[1]));
		return new Uint8Array(await r.arrayBuffer());
	}

	#grow(size: number): void {
		if (size <= this.size)
			return;
		this.size = size;
		while (this.counts.length < Math.ceil(size / PIECE))
			this.counts.push(-1);
	}

	/* How much there is, and its end. */
	async open(): Promise<void> {
		await this.#get(0, 0);
		this.ready = true;
		if (this.size > 0)
			await this.load(this.counts.length - 1);
		this.changed();
	}

	count(k: number): number {
		const n = this.counts[k] ?? 0;
		return n >= 0 ? n : Math.max(1, Math.round(Math.min(PIECE,
		    this.size - k * PIECE) / this.#bytesPerRow));
	}
	total(): number {
		let n = 0;
		for (let k = 0; k < this.counts.length; k++)
			n += this.count(k);
		return n;
	}
	has(k: number): boolean { return this.#pieces.has(k); }

	row(k: number, i: number): { text: string; row: Row } | null {
		const p = this.#pieces.get(k), row = p?.rows[i];
		if (!p || !row)
			return null;
		p.used = ++this.#tick;
		return { row, text: this.#text(p, row) };
	}
	#text(p: Loaded, r: Row): string {
		const t = utf8.decode(p.bytes.subarray(r.from - p.at, r.to - p.at));
		return this.cols === 0 ? t : t.slice(r.col, r.col + this.cols);
	}

	load(k: number): Promise<void> {
		if (k < 0 || k >= this.counts.length || this.#pieces.has(k))
			return Promise.resolve();
		const now = this.#asked.get(k);
		if (now)
			return now;
		const at = Math.max(0, k * PIECE - EDGE);
		const p = this.#get(at, (k + 1) * PIECE + EDGE - at)
		    .then(bytes => {
			this.#pieces.set(k, { bytes, at, rows: [],
				used: ++this.#tick });
			this.#cut(k);
			this.#drop();
			this.changed();
		    }).finally(() => this.#asked.delete(k));
		this.#asked.set(k, p);
		return p;
	}
	#drop(): void {
		while (this.#pieces.size > KEEP) {
			const [k] = [...this.#pieces].reduce((a, b) =>
			    b[1].used < a[1].used ? b : a);
			this.#pieces.delete(k);
		}
	}

	/* Where rows begin: behind each newline that lies in the piece. */
	#cut(k: number): void {
		const p = this.#pieces.get(k);
		if (!p)
			return;
		const begin = k * PIECE - p.at;
		const stop = Math.min((k + 1) * PIECE - p.at, p.bytes.length);
		const rows: Row[] = [];
		/* a line that began too long ago begins again here */
		let s = begin === 0 || p.bytes.lastIndexOf(10, begin - 1) < 0 ?
		    begin : p.bytes[begin - 1] === 10 ? begin :
		    p.bytes.indexOf(10, begin) + 1 || stop;
		while (s < stop) {
			let e = p.bytes.indexOf(10, s);
			const next = e < 0 ? p.bytes.length : e + 1;
			if (e < 0)
				e = p.bytes.length;
			if (e > s && p.bytes[e - 1] === 13)
				e--;
			this.#rows(p, s, e, rows);
			s = next;
		}
		p.rows = rows;
		this.counts[k] = rows.length;
		if (rows.length > 20)
			this.#bytesPerRow = (stop - begin) / rows.length;
	}
	#rows(p: Loaded, s: number, e: number, rows: Row[]): void {
		const row = { from: s + p.at, to: e + p.at, col: 0, first: true };
		if (this.cols === 0 || e - s <= this.cols) {
			rows.push(row);
			return;
		}
		const n = utf8.decode(p.bytes.subarray(s, e)).length;
		for (let c = 0; c < n; c += this.cols)
			rows.push({ ...row, col: c, first: c === 0 });
	}

	wrap(cols: number): void {
		if (cols === this.cols)
			return;
		this.cols = cols;
		this.counts = this.counts.map(() => -1);
		for (const k of this.#pieces.keys())
			this.#cut(k);
		this.changed();
	}

	/* More was written. */
	append(offset: number, data: Uint8Array): void {
		const from = this.size - offset;
		if (from < 0 || from >= data.length) {
			if (from < 0)     /* something was missed */
				this.#forget(this.size);
			this.#grow(offset + data.length);
			this.changed();
			return;
		}
		const more = data.subarray(from), before = this.size;
		this.#grow(before + more.length);
		for (const [k, p] of this.#pieces) {
			const end = p.at + p.bytes.length;
			const room = (k + 1) * PIECE + EDGE - end;
			if (end !== before || room <= 0)
				continue;
			const add = more.subarray(0, room);
			const bytes = new Uint8Array(p.bytes.length + add.length);
			bytes.set(p.bytes);
			bytes.set(add, p.bytes.length);
			p.bytes = bytes;
			this.#cut(k);
		}
		if (this.lines && this.lines.length < this.counts.length)
			this.lines = null;
		this.changed();
	}
	#forget(from: number): void {
		for (const k of this.#pieces.keys())
			if ((k + 1) * PIECE + EDGE > from)
				this.#pieces.delete(k);
	}

	/* Everything, last bytes first; `see` may end it. */
	async #all(see: (bytes: Uint8Array, from: number) => boolean,
	    overlap: number): Promise<void> {
		const n = Math.ceil(this.size / SCAN);
		let next = n - 1, on = true;
		const one = async (): Promise<void> => {
			while (on && next >= 0) {
				const i = next--;
				const b = await this.#get(i * SCAN, SCAN + overlap);
				on &&= see(b, i * SCAN);
			}
		};
		await Promise.all(Array.from({ length: AT_ONCE }, one));
	}

	/* Which bytes say this; capitals or not.  At most `most`. */
	async search(words: string, most: number, found: (n: number) => void):
	    Promise<Hit[]> {
		const needle = latin.decode(new TextEncoder()
		    .encode(words)).toLowerCase();
		const hits: Hit[] = [];
		await this.#all((bytes, from) => {
			const t = latin.decode(bytes).toLowerCase();
			for (let i = t.indexOf(needle); i >= 0 && i < SCAN;
			    i = t.indexOf(needle, i + needle.length))
				hits.push({ at: from + i });
			found(hits.length);
			return hits.length < most;
		}, Math.min(256, needle.length));
		return hits.sort((a, b) => a.at - b.at);
	}

	/* The number of the first line that begins in each piece: asked for once. */
	async index(): Promise<number[]> {
		if (this.lines)
			return this.lines;
		const per: number[] = this.counts.map(() => 0);
		await this.#all((bytes, from) => {
			for (let i = bytes.indexOf(10); i >= 0 && i < SCAN;
			    i = bytes.indexOf(10, i + 1)) {
				/* the line it begins lies in the next byte's piece */
				const k = Math.floor((from + i + 1) / PIECE);
				per[k] = (per[k] ?? 0) + 1;
			}
			return true;
		}, 0);
		/* the first line begins without a newline before it */
		let n = 2;
		this.lines = this.counts.map((_, k) => {
			n += k === 0 ? 0 : per[k - 1] ?? 0;
			return k === 0 ? 1 : n;
		});
		return this.lines;
	}
	/* The number of a row's line, if it is known by now. */
	lineOf(k: number, i: number): number | null {
		const p = this.#pieces.get(k);
		const base = k === 0 ? 1 : this.lines?.[k];
		if (!p || base === undefined)
			return null;
		if (this.cols === 0)
			return base + i;
		let n = base - 1;
		for (let j = 0; j <= i; j++)
			n += p.rows[j]?.first ? 1 : 0;
		return n;
	}

	/* The row that has this byte. */
	async rowAt(byte: number): Promise<{ k: number; i: number }> {
		let k = Math.max(0, Math.min(this.counts.length - 1,
		    Math.floor(byte / PIECE)));
		await this.load(k);
		let rows = this.#pieces.get(k)?.rows ?? [];
		if (k > 0 && (rows[0]?.from ?? Infinity) > byte) {
			await this.load(--k);
			rows = this.#pieces.get(k)?.rows ?? [];
		}
		return { k, i: Math.max(0, rows.findLastIndex(r =>
		    r.first && r.from <= byte)) };
	}
	async lineAt(line: number): Promise<{ k: number; i: number }> {
		const before = await this.index();
		const k = Math.max(0, before.findLastIndex(n => n <= line));
		await this.load(k);
		let n = (before[k] ?? 1) - 1;
		const rows = this.#pieces.get(k)?.rows ?? [];
		const i = rows.findIndex(r => r.first && ++n === line);
		return { k, i: i < 0 ? Math.max(0, rows.length - 1) : i };
	}

	close(): void {
		this.abort.abort();
		this.#pieces.clear();
	}
}
export { visible };
