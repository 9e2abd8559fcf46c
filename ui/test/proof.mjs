/*
 * proof.mjs BUNDLE VECTORS: the library of ui/src/proof in Node, on the
 * vectors of doc/PROTOCOL.audit and on what somebody changed of them.  TAP.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [bundle, vectors] = process.argv.slice(2);
const p = await import(pathToFileURL(resolve(bundle)));
const read = (name) => new Uint8Array(readFileSync(`${vectors}/${name}`));
const text = (name) => new TextDecoder().decode(read(name));
const KEY = "redoubt.example/audit/test/1+5f729edd+" +
    "AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const hex = (s) => Uint8Array.from(s.match(/../g), (x) => parseInt(x, 16));
const b64 = (s) => new Uint8Array(Buffer.from(s, "base64"));
let n = 0, bad = 0;

async function test(name, run) {
	try {
		await run();
		console.log(`ok ${++n} - ${name}`);
	} catch (e) {
		console.log(`# ${e.stack.replaceAll("\n", "\n# ")}`);
		console.log(`not ok ${++n} - ${name}`);
		bad++;
	}
}

function ok(cond, what) {
	if (!cond)
		throw new Error(what);
}

async function refused(run, what) {
	try {
		await run();
	} catch (e) {
		ok(e instanceof p.Bad, `${what}: ${e}`);
		return;
	}
	throw new Error(`taken: ${what}`);
}

const log = read("log.ndjson"), part = read("part.ndjson");
const lines = text("log.ndjson").split("\n");
const trailer = JSON.parse(lines.at(-2));

await test("this_engine_has_ed25519", async () => ok(await p.hasEd25519()));

await test("exports", async () => {
	for (const [f, entries] of [[log, 300], [part, null]]) {
		const v = await p.verifyExport(f, KEY);

		ok(v.good && v.keyKnown, v.what);
		ok(entries === null || v.entries === entries, "entries");
	}
	ok((await p.verifyExport(log, null)).good, "its own key");
	ok((await p.verifyExport(part, KEY)).hidden > 0, "stubs");
	const other = KEY.replace("test/1+5f729edd", "test/1+5f729ede");
	const v = await p.verifyExport(log, other);
	ok(!v.good, "another key");
});

await test("leaf_hashes", async () => {
	const want = text("leaf.hash").trim().split("\n");
	const leaves = text("leaf.ndjson").trim().split("\n");

	for (const [i, l] of leaves.entries())
		ok(p.toHex(await p.leafHash(new TextEncoder().encode(l))) ===
		    want[i].split(" ")[0], `leaf ${i}`);
});

await test("proofs", async () => {
	const hashes = [];
	const roots = new Map();

	for (const l of lines)
		if (l.startsWith('{"action"'))
			hashes.push(await p.leafHash(new TextEncoder().encode(l)));
	let seen = 0;
	for (const l of text("proofs.txt").trim().split("\n")) {
		const [kind, a, b, ...rest] = l.split(" ");

		if (kind === "root") {
			roots.set(a, b64(b));
			continue;
		}
		const proof = rest.map(b64), root = roots.get(b);
		if (root === undefined || (kind === "consistency" && a !== "0" &&
		    roots.get(a) === undefined))
			continue;
		const holds = (x, r) => kind === "inclusion" ?
		    p.includes(hashes[Number(a)], BigInt(a), BigInt(b), x, r) :
		    p.extends_({ size: BigInt(a), root: roots.get(a) ??
			new Uint8Array(32) }, { size: BigInt(b), root: r }, x);
		ok(await holds(proof, root), l.slice(0, 60));
		seen++;
		/* what is no proof: longer, shorter, another root, none at all */
		const twisted = root.slice();
		twisted[0] ^= 1;
		const trivial = kind === "consistency" && a === "0";
		ok(trivial || !await holds(proof, twisted), "another root");
		ok(!await holds([...proof, root], root), "an extra hash");
		ok(proof.length === 0 || !await holds(proof.slice(1), root),
		    "a hash less");
	}
	ok(seen > 20, `${seen} proofs`);
	const z = new Uint8Array(32), one = { size: 1n, root: z };
	ok(!await p.includes(z, 0n, 0n, [], z), "of nothing");
	ok(!await p.includes(z, 5n, 5n, [], z), "behind the end");
	ok(!await p.extends_({ size: 2n, root: z }, one, []), "shrunk");
	ok(!await p.extends_(one, { size: 1n, root: hashes[0] }, []), "same size");
	ok(!await p.extends_(one, { size: 2n ** 63n, root: z }, []), "2^63");
	ok(!await p.includes(z, 0n, 2n ** 63n, new Array(64).fill(z), z), "64");
});

await test("notes", async () => {
	const key = await p.logKey(KEY), note = trailer.checkpoint;
	const open = (x) => p.openCheckpoint(x, key);

	ok((await open(note)).size === 300n, "size");
	const [body, sig] = note.split("\n\n");
	const line = sig.slice(0, -1), twice = `${note}${line}\n`;
	ok((await open(twice)).size === 300n, "its line twice");
	ok((await open(`${note}\u2014 other/x AAAAAAAA\n`)).size === 300n,
	    "lines of others");
	for (const [what, x] of [
		["CRLF", note.replaceAll("\n", "\r\n")],
		["no empty line", `${body}\n${sig}`],
		["a hyphen", note.replace("\u2014", "-")],
		["bad padding", note.replace(/=\n$/, "\n")],
		["more padding", note.replace(/=\n$/, "==\n")],
		["trailing bits", note.replace(/.=\n$/, "t=\n")],
		["no newline", note.slice(0, -1)],
		["nothing", ""], ["no signature", `${body}\n\n`],
		["17 lines", note + `${line}\n`.repeat(16)],
		["5 MB", note + "x".repeat(5 << 20)],
		["an extension line", note.replace("\n\n", "\nextension\n\n")],
		["a leading zero", note.replace("\n300\n", "\n0300\n")],
		["a negative size", note.replace("\n300\n", "\n-300\n")],
		["another size", note.replace("\n300\n", "\n301\n")],
		["another key", note.replaceAll("test/1", "test/2")],
		["a control character", note.replace("\n\n", "\u0001\n\n")],
		["a wrong one beside a right one",
			`${note}${line.slice(0, -6)}AAAA==\n`]])
		await refused(() => open(x), what);
	for (const k of ["", "x", KEY.slice(0, -1), KEY.replace("+5f", "+6f"),
	    KEY.replace("+AQ", "+BA"), `a b${KEY.slice(28)}`])
		await refused(() => p.logKey(k), k);
});

await test("cosignatures", async () => {
	const file = text("cosigned.txt").split("\n");
	const value = (name) => file.find((l) => l.startsWith(`${name} `))
	    .slice(name.length + 1);
	const w = await p.witnessKey(value("witness"));
	const note = new TextDecoder().decode(hex(value("note")));

	ok(await p.cosigned(note, w) === BigInt(value("time")), "time");
	ok(await p.cosigned(trailer.checkpoint, w) === null, "none");
	ok((await p.openCheckpoint(note, await p.logKey(KEY))).size === 300n);
	await refused(() => p.cosigned(note.replace("\n300\n", "\n301\n"), w),
	    "of another checkpoint");
	await refused(() => p.witnessKey(KEY), "a log's key");
	await refused(() => p.logKey(value("witness")), "a witness's key");
});

/* One bit anywhere: found, and the entry named when it is one's. */
await test("every_change_is_found", async () => {
	let seed = 12345, named = 0;
	const rand = (m) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % m;

	for (const f of [log, part])
		for (let i = 0; i < 150; i++) {
			const x = f.slice(), at = rand(x.length);
			const line = new TextDecoder().decode(f.slice(0, at))
			    .split("\n").length;

			x[at] ^= 1 << rand(8);
			const v = await p.verifyExport(x, KEY);
			ok(!v.good && v.what, `byte ${at} of line ${line}`);
			named += v.seq > 0;
		}
	ok(named > 200, `${named} named`);
});

await test("lines_moved", async () => {
	const put = (ls) => new TextEncoder().encode(ls.join("\n"));
	const cut = (i, k) => [...lines.slice(0, i), ...lines.slice(i + k)];

	for (const [what, ls, seq] of [["deleted", cut(9, 1), 10],
	    ["doubled", [...lines.slice(0, 9), ...lines.slice(8)], 10],
	    ["swapped", [...lines.slice(0, 9), lines[10], lines[9],
		...lines.slice(11)], 10],
	    ["a list gone", cut(256, 1), 257],
	    ["cut", lines.slice(0, 200), 0],
	    ["no trailer", lines.slice(0, -2), 0],
	    ["spaces", lines.with ? lines.with(3, lines[3].replace(":", ": ")) :
		lines.map((l, i) => i === 3 ? l.replace(":", ": ") : l), 4],
	    ["another order", lines.map((l, i) => i === 3 ? JSON.stringify(
		Object.fromEntries(Object.entries(JSON.parse(l)).reverse())) : l),
		4]]) {
		const v = await p.verifyExport(put(ls), KEY);
		ok(!v.good && (seq === 0 || v.seq === seq),
		    `${what}: ${v.seq} ${v.what}`);
	}
	ok(!(await p.verifyExport(new Uint8Array(), KEY)).good, "nothing");
	ok(!(await p.verifyExport(Uint8Array.of(0xff, 0x0a), KEY)).good, "UTF-8");
});

console.log(`1..${n}`);
process.exit(bad > 0 ? 1 : 0);
