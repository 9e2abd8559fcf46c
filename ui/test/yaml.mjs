/*
 * yaml.mjs: documents as YAML and back: 500 random ones are the same after
 * the way there and back, and what the subset refuses is refused at its line.
 * The program of the CLI (REDOUBT, when given) must read the same out of it.
 *
 *	node ui/test/yaml.mjs
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const top = dirname(dirname(fileURLToPath(import.meta.url)));
const dir = mkdtempSync(join(tmpdir(), "redoubt-yaml-"));
await build({ absWorkingDir: top, bundle: true, format: "esm",
	platform: "browser", outdir: dir, logLevel: "warning", splitting: true,
	outExtension: { ".js": ".mjs" },
	entryPoints: ["src/screens/runbooks/yaml.ts",
		"src/screens/runbooks/tree.ts"] });
const { parse, stringify } = await import(join(dir, "yaml.mjs"));
const { allSteps, getAt, insertAt, moveAt, setAt, pointer } =
    await import(join(dir, "tree.mjs"));

let n = 0, bad = 0;
function check(ok, what, more = "") {
	console.log(`${ok ? "ok" : "not ok"} ${++n} - ${what}`);
	if (!ok) {
		bad++;
		console.log("# " + String(more).replaceAll("\n", "\n# "));
	}
}

/* ---- random documents, the same ones each time ---- */

let seed = Number(process.env.SEED ?? 20261128);
function rnd(k) {
	seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
	return (seed >>> 8) % k;
}
const pick = list => list[rnd(list.length)];
const maybe = (o, k, v) => { if (rnd(2)) o[k] = v(); };
const TEXTS = ["x", "no", "on", "yes", "null", "~", "true", "0755", "12:30",
	"1.5", "-3", "007", "1e3", "0x1f", ".5", "", " lead", "trail ", "- a",
	"a: b", "a #b", "#c", "@at", "`tick", "%d", "&a", "*b", "!t", "|", ">",
	"{a}", "[b]", "'", "\"", "\\n", "tab\there", "two\nlines\n",
	"three\n\n  indented\nlines", "\n\nstart", "ends\n\n\n", "  in\nout",
	"é ü 漢字", "𝕏", "\u202e bidi", "\u0085next", "\ufeff", "a\u2028b",
	"a\r\nb", "\u0007bell", "#!/bin/sh\nset -eu\necho \"$1\" > /job/x\n",
	"<<", "---", "...", "? x", "=", "2026-11-28", "1_000", "+1",
	"x".repeat(300), "long words ".repeat(30), "\t", "\ttab\n\ttab\n"];
const text = () => pick(TEXTS);
const int = () => pick([0, 1, -1, 42, 86400, 2 ** 53 - 1, -(2 ** 53) + 1]);
const list = (f, least = 0) => Array.from({ length: least + rnd(3) }, f);
const map = f => Object.fromEntries(list(() => [pick(["host", "a_b", "NO",
	"Y", "fields.x", "x1", "null", "12"]), f()]));
const value = (deep = 0) => [text, int, () => rnd(2) === 1, () => null,
	() => ({ input: "host" }), () => ({ step: "s", output: "o" }),
	() => ({ incident: "severity" }), () => ({ alert: "labels.x" }),
	() => deep < 2 ? list(() => value(deep + 1)) : [],
	() => deep < 2 ? { concat: list(() => value(deep + 1), 1) } : 1,
	() => ({ literal: { any: [text(), { deep: null }] } })][rnd(11)]();
const cond = (deep = 0) => rnd(3) && deep < 3 ? pick([
	() => ({ all: list(() => cond(deep + 1), 1) }),
	() => ({ not: cond(deep + 1) }), () => ({ exists: value() }),
	() => ({ in: [value(), list(text)] })])() : { eq: [value(), value()] };
let ids = 0;
function step(deep) {
	const kind = pick(["script", "http", "manual", "approval", "incident",
		"wait", ...(deep < 2 ? ["condition", "parallel"] : [])]);
	const s = { id: `s${++ids}`, kind };
	const inner = () => list(() => step(deep + 1), 1);
	maybe(s, "name", text);
	maybe(s, "if", cond);
	maybe(s, "retry", () => ({ times: int(), backoff_s: int() }));
	if (deep < 2)
		maybe(s, "undo", inner);
	const more = {
		script: () => ({ interpreter: "sh", script: text(),
			args: list(value), env: map(value), secrets: list(text),
			limits: map(int), delegates: { labels: map(text) } }),
		http: () => ({ connector: text(), action: text(),
			params: map(value), outputs: list(() => ({ name: text(),
			type: "string", pointer: "/" + text() })) }),
		manual: () => ({ instructions: text() }),
		approval: () => ({ message: text(), count: 1, expires_s: 60 }),
		incident: () => ({ set: map(value), timeline: value() }),
		wait: () => ({ seconds: int() }),
		condition: () => ({ when: cond(), then: inner(), else: inner() }),
		parallel: () => ({ branches: [inner(), inner()] }),
	};
	return { ...s, ...more[kind]() };
}
function random() {
	const d = { slug: "s", name: text(), context: "any" };
	maybe(d, "description", text);
	maybe(d, "pinned", () => true);
	maybe(d, "inputs", () => list(() => ({ name: "n", type: "string",
		default: value(), enum: list(text) })));
	d.steps = list(() => step(0), 1);
	return d;
}

const N = 500;
let differs = null, quiet = null;
for (let i = 0; i < N && !differs; i++) {
	const d = random(), y = stringify(d), p = parse(y);
	if (JSON.stringify(p.doc) !== JSON.stringify(d))
		differs = JSON.stringify(d) + "\n" + y + JSON.stringify(p.wrong);
	/* a member set in the form and set back is the document there was */
	for (const s of allSteps(d)) {
		const at = [...s.place, "name"], before = getAt(d, at);
		const there = setAt(d, at, "another");
		if (getAt(there, at) !== "another" ||
		    (before !== undefined && JSON.stringify(setAt(there, at,
			before)) !== JSON.stringify(d)))
			quiet = pointer(at);
	}
	const moved = moveAt(d, ["steps"], 0, d.steps.length - 1);
	if (JSON.stringify(moveAt(moved, ["steps"], d.steps.length - 1, 0)) !==
	    JSON.stringify(d) || getAt(setAt(insertAt(d, ["steps"], 0,
	    { id: "new", kind: "wait", seconds: 1 }), ["steps", 0], undefined),
	    ["steps", 0, "id"]) !== d.steps[0].id)
		quiet = "steps";
}
check(!differs, `${N} random documents: form, YAML, form`, differs);
check(!quiet, "what a form sets and sets back is as it was", quiet);

/* ---- another reader: the CLI's ---- */

if (process.env.REDOUBT) {
	let other = null;
	for (let i = 0; i < 40 && !other; i++) {
		const d = { slug: "round-trip", name: "x", context: "any", steps: [
			{ id: "go", kind: "manual", instructions: text() + "." },
			{ id: "ask", kind: "approval", message: text() + "x",
				count: 1, expires_s: 60 }] };
		d.steps.push({ id: "sh", kind: "script", interpreter: "sh",
			script: "#" + text(), args: list(() => text()),
			delegates: { labels: { site: "fra" } } });
		const f = join(dir, "d.yaml"), g = join(dir, "d.json");
		writeFileSync(f, stringify(d));
		writeFileSync(g, JSON.stringify(d));
		const lint = file => {
			try {
				return execFileSync(process.env.REDOUBT, ["--json",
				    "runbook", "lint", "-f", file],
				    { encoding: "utf8", stdio: "pipe" });
			} catch (e) {
				return e.stdout + e.stderr.replaceAll(file, "");
			}
		};
		if (lint(f) !== lint(g))
			other = lint(f) + lint(g) + stringify(d);
	}
	check(!other, "the CLI reads out of the YAML what the JSON says", other);
}

/* ---- what is refused, and where ---- */

for (const [what, y, line] of [
	["an anchor", "slug: a\nname: &x b\n", 2],
	["an alias", "slug: &x a\nname: *x\n", 2],
	["a tag", "slug: a\nname: !!str b\n", 2],
	["a tag of one's own", "slug: a\n\nname: !mine b\n", 3],
	["a merge key", "slug: a\n<<: {b: c}\n", 2],
	["a directive", "%YAML 1.2\n---\nslug: a\n", 1],
	["a second document", "slug: a\n---\nslug: b\n", 2],
	["a key twice", "slug: a\nname: b\nslug: c\n", 3],
	["a real number", "slug: a\nname: 1.5\n", 2],
	["a number that is too big", "slug: a\nn: 12345678901234567890\n", 2],
	["a key that is no text", "slug: a\n? [x]\n: b\n", 2],
	["a list", "- a\n", 1], ["nothing", "", 1],
	["no end", "slug: \"a\nname: b\n", 2],
	["a tab for indentation", "slug: a\nsteps:\n\t- x\n", 3]]) {
	const p = parse(y);
	check(p.doc === null && p.wrong.some(w => Math.abs(w.line - line) <= 1),
	    what + " is refused", JSON.stringify(p));
}
const p = parse("slug: a\nsteps:\n  - id: x\n    kind: wait\n  - {id: y}\n");
check(JSON.stringify([p.lineOf("/steps/0/kind"), p.lineOf("/steps/1"),
    p.lineOf("/steps/0/seconds"), p.lineOf("/nothing")]) === "[4,5,3,1]",
    "lines of pointers", [p.lineOf("/steps/0/kind"), p.lineOf("/steps/1"),
	p.lineOf("/steps/0/seconds")]);
const q = parse("a: no\nb: 0755\nc: 12:30\nd: ~\ne:\nf: -7\ng: True\n");
check(JSON.stringify(q.doc) === JSON.stringify({ a: "no", b: "0755",
	c: "12:30", d: null, e: null, f: -7, g: "True" }), "what plain words are",
    JSON.stringify(q));
console.log(`1..${n}`);
rmSync(dir, { recursive: true });
process.exit(bad ? 1 : 0);
