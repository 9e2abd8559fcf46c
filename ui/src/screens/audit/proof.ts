/*
 * proof.ts: does the log hold an entry, and is it still the log this browser
 * has seen before?  Nothing of the server is believed: the key and the last
 * checkpoint are kept here from the first time on, and what comes later must
 * be signed by that key and grow out of that checkpoint.
 */
import { call, Problem } from "../../core/api.ts";
import { T, say } from "../../text/index.ts";
import type { Entry } from "./common.tsx";
import { canonical } from "../../proof/export.ts";
import { extends_, includes, leafHash, parseGrowth, parseInclusion }
    from "../../proof/tree.ts";
import { logKey, openCheckpoint, type Checkpoint, type Key }
    from "../../proof/note.ts";
import { toHex } from "../../proof/bytes.ts";

export interface Step { hash: string; side: "left" | "right" }
export interface Proof { size: bigint; root: string; index: bigint;
	leaf: string; path: Step[]; keyKnown: boolean; key: string;
	grewFrom: bigint | null }

interface Kept { key: string; size: string; root: string }
const WHERE = "redoubt-log";

export function kept(): Kept | null {
	try {
		return JSON.parse(localStorage.getItem(WHERE) ?? "null") as
		    Kept | null;
	} catch {
		return null;
	}
}
export function forget(): void { localStorage.removeItem(WHERE); }
/* The key an auditor was given, by another way than this server. */
export async function trust(key: string): Promise<void> {
	await logKey(key);
	localStorage.setItem(WHERE, JSON.stringify({ key, size: "0",
		root: "" }));
}

const text = async (path: string, query?: Record<string, string | number>):
    Promise<string> => (await call<string>("GET", path,
	{ as: "text", ...(query && { query }) })).data;

const unhex = (s: string): Uint8Array<ArrayBuffer> => Uint8Array.from(
    s.match(/../g) ?? [], x => parseInt(x, 16));

/* The log has grown out of what was seen here before, or this throws. */
async function grown(now: Checkpoint, old: Kept | null):
    Promise<bigint | null> {
	const before = old ? BigInt(old.size) : 0n;
	if (!old || before === 0n)
		return null;
	if (before > now.size)
		throw new Error(say(T.audit.shrunk, { before: String(before),
			now: String(now.size) }));
	const was = { size: before, root: unhex(old.root) };
	if (before === now.size) {
		if (toHex(now.root) !== old.root)
			throw new Error(T.audit.otherLog);
		return before;
	}
	const g = parseGrowth(await text("/v1/audit/proof",
	    { old: String(before), new: String(now.size) }));
	if (!await extends_(was, now, g.proof))
		throw new Error(say(T.audit.notGrown,
		    { before: String(before) }));
	return before;
}

function sides(index: bigint, size: bigint, n: number): Step["side"][] {
	const out: Step["side"][] = [];
	let fn = index, sn = size - 1n;
	while (out.length < n) {
		const left = (fn & 1n) === 1n || fn === sn;
		if (left) {
			out.push("left");
			while ((fn & 1n) === 0n && fn !== 0n) {
				fn >>= 1n;
				sn >>= 1n;
			}
		} else {
			out.push("right");
		}
		fn >>= 1n;
		sn >>= 1n;
	}
	return out;
}

/* The newest entries are covered by the next checkpoint, in a moment. */
const TRIES = 10, WAIT_MS = 1500;
async function proofOf(seq: number): Promise<string> {
	for (let i = 0; ; i++) {
		try {
			return await text("/v1/audit/proof", { seq });
		} catch (e) {
			if (!(e instanceof Problem) || e.status !== 404)
				throw e;
			if (i === TRIES)
				throw new Error(T.audit.notSigned);
			await new Promise(r => setTimeout(r, WAIT_MS));
		}
	}
}

/* What a page shows of an entry beside its leaf: is it what the leaf says? */
interface Leaf { [k: string]: unknown;
	principal: { kind: string; id?: string };
	resource?: { type: string; id: string }[] }
function saysSo(e: Entry): boolean {
	const l = JSON.parse(e.leaf) as Leaf;
	/* a member said twice would say two things */
	if (canonical(l) !== e.leaf)
		return false;
	const of = (r: Leaf["resource"]): string[][] =>
		(r ?? []).map(x => [x.type, x.id]);
	const shown = [e.seq, e.time, e.action, e.outcome, e.reason, e.project,
	    e.principal.kind, e.principal.id, e.principal.credential,
	    e.request_id, e.address, e.count, of(e.resource)];
	const signed = [l["seq"], l["time"], l["action"], l["outcome"],
	    l["reason"], l["project"], l.principal.kind, l.principal.id,
	    l["credential"], l["request_id"], l["address"], l["count"] ?? 1,
	    of(l.resource)];
	return JSON.stringify(shown) === JSON.stringify(signed);
}

/* The largest that was seen stays, whatever tab saw it; another key that was
 * trusted meanwhile does, too. */
function keep(now: Kept): void {
	const k = kept();
	if (!k || (k.key === now.key && BigInt(k.size) < BigInt(now.size)))
		localStorage.setItem(WHERE, JSON.stringify(now));
}

export async function prove(e: Entry): Promise<Proof> {
	const { seq, leaf } = e;
	const old = kept();
	const vkey = old?.key ?? (await text("/v1/audit/key")).trim();
	const key: Key = await logKey(vkey);
	const p = parseInclusion(await proofOf(seq));
	const c = await openCheckpoint(p.note, key);
	const h = await leafHash(new TextEncoder().encode(leaf));
	if (p.index !== BigInt(seq) - 1n)
		throw new Error(T.audit.otherEntry);
	if (!await includes(h, p.index, c.size, p.proof, c.root))
		throw new Error(T.audit.noRoot);
	if (!saysSo(e))
		throw new Error(T.audit.otherFacts);
	const grewFrom = await grown(c, old);
	keep({ key: vkey, size: String(c.size), root: toHex(c.root) });
	const s = sides(p.index, c.size, p.proof.length);
	return { size: c.size, root: toHex(c.root), index: p.index,
		leaf: toHex(h), keyKnown: old !== null, key: vkey, grewFrom,
		path: p.proof.map((x, i) => ({ hash: toHex(x),
		    side: s[i] ?? "right" })) };
}
