/* The tree of RFC 9162 section 2.1 with SHA-256, and its proofs. */
import { Bad, base64, concat, equal, sha256, type Bytes } from "./bytes.ts";

const LEAF = Uint8Array.of(0), NODE = Uint8Array.of(1);

export const PROOF_MAX = 63;

export function leafHash(leaf: Uint8Array): Promise<Bytes> {
	return sha256(concat(LEAF, leaf));
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Bytes> {
	return sha256(concat(NODE, left, right));
}

/* The next hash of a proof is a left sibling: skip the levels on which the
 * node has none. */
function left(w: { fn: bigint; sn: bigint }): boolean {
	if ((w.fn & 1n) === 0n && w.fn !== w.sn)
		return false;
	while ((w.fn & 1n) === 0n && w.fn !== 0n) {
		w.fn >>= 1n;
		w.sn >>= 1n;
	}
	return true;
}

/** RFC 9162 2.1.3.2: is the leaf of that index in the tree? */
export async function includes(leaf: Bytes, index: bigint, size: bigint,
    proof: readonly Bytes[], root: Bytes): Promise<boolean> {
	const w = { fn: index, sn: size - 1n };
	let r = leaf;

	if (index < 0n || index >= size || proof.length > PROOF_MAX)
		return false;
	for (const p of proof) {
		if (w.sn === 0n)
			return false;
		r = left(w) ? await nodeHash(p, r) : await nodeHash(r, p);
		w.fn >>= 1n;
		w.sn >>= 1n;
	}
	return w.sn === 0n && equal(r, root);
}

/** RFC 9162 2.1.4.2: is the newer tree the older one, grown? */
export async function extends_(old: { size: bigint; root: Bytes },
    now: { size: bigint; root: Bytes }, proof: readonly Bytes[]):
    Promise<boolean> {
	const w = { fn: old.size - 1n, sn: now.size - 1n };

	if (old.size < 0n || old.size > now.size || proof.length > PROOF_MAX)
		return false;
	if (old.size === 0n)
		return proof.length === 0;
	if (old.size === now.size)
		return proof.length === 0 && equal(old.root, now.root);
	while ((w.fn & 1n) === 1n) {
		w.fn >>= 1n;
		w.sn >>= 1n;
	}
	const rest = proof.slice(w.fn === 0n ? 0 : 1);
	let fr = w.fn === 0n ? old.root : proof[0], sr = fr;

	if (fr === undefined || sr === undefined || proof.length === 0)
		return false;
	for (const p of rest) {
		if (w.sn === 0n)
			return false;
		if (left(w)) {
			[fr, sr] = [await nodeHash(p, fr), await nodeHash(p, sr)];
		} else {
			sr = await nodeHash(sr, p);
		}
		w.fn >>= 1n;
		w.sn >>= 1n;
	}
	return w.sn === 0n && equal(fr, old.root) && equal(sr, now.root);
}

/** Subtrees put side by side; the root of what they make. */
export class Stack {
	private readonly top: { height: number; hash: Bytes }[] = [];
	/** The last subtree of 256 leaves that was whole: a tile's root. */
	tile: Bytes | null = null;

	async add(height: number, hash: Bytes): Promise<void> {
		let h = hash, k = height;

		for (;;) {
			const t = this.top.at(-1);

			if (k === 8)
				this.tile = h;
			if (t === undefined || t.height > k)
				break;
			if (t.height < k)
				throw new Bad("a subtree in a wrong place");
			h = await nodeHash(t.hash, h);
			k++;
			this.top.pop();
		}
		this.top.push({ height: k, hash: h });
	}

	async root(): Promise<Bytes> {
		let r: Bytes | undefined;

		for (const t of [...this.top].reverse())
			r = r === undefined ? t.hash : await nodeHash(t.hash, r);
		return r ?? await sha256(new Uint8Array());
	}
}

/** Root of 2^k hashes, level by level. */
export async function fold(hashes: readonly Bytes[]): Promise<Bytes> {
	let row = hashes;

	while (row.length > 1) {
		const next: Promise<Bytes>[] = [];

		for (let i = 0; i < row.length; i += 2)
			next.push(nodeHash(row[i]!, row[i + 1]!));
		row = await Promise.all(next);
	}
	return row[0]!;
}

/** Heights of the fewest subtrees that make up [from, to). */
export function* cover(from: number, to: number): Generator<number> {
	let a = from;

	while (a < to) {
		let k = 0;

		while (a % 2 ** (k + 1) === 0 && a + 2 ** (k + 1) <= to)
			k++;
		yield k;
		a += 2 ** k;
	}
}

export interface Growth {
	old: bigint;
	proof: Bytes[];
	note: string;
}

const hashes = (lines: readonly string[]): Bytes[] => lines.map((l) => {
	const h = base64(l);

	if (h.length !== 32)
		throw new Bad("a proof has hashes of 32 bytes");
	return h;
});

/** "old N", hashes, an empty line, a note (PROTOCOL.audit 3). */
export function parseGrowth(text: string): Growth {
	const at = text.indexOf("\n\n");
	const lines = text.slice(0, at).split("\n");
	const m = /^old (0|[1-9][0-9]{0,18})$/u.exec(lines[0] ?? "");

	if (at < 0 || !m || lines.length > PROOF_MAX + 1)
		throw new Bad("not a consistency proof");
	return { old: BigInt(m[1]!), proof: hashes(lines.slice(1)),
		note: text.slice(at + 2) };
}

export interface Inclusion {
	index: bigint;
	proof: Bytes[];
	note: string;
}

/** C2SP tlog-proof. */
export function parseInclusion(text: string): Inclusion {
	const at = text.indexOf("\n\n");
	const lines = text.slice(0, at).split("\n");
	const m = /^index (0|[1-9][0-9]{0,18})$/u.exec(lines[1] ?? "");

	if (at < 0 || lines[0] !== "c2sp.org/tlog-proof@v1" || !m ||
	    lines.length > PROOF_MAX + 2)
		throw new Bad("not an inclusion proof");
	return { index: BigInt(m[1]!), proof: hashes(lines.slice(2)),
		note: text.slice(at + 2) };
}
