/*
 * proof.mjs CHROMIUM BUNDLE EXPORT KEY: the library of ui/src/proof in a real
 * browser: an export is verified in a worker, as it is and with one bit of one
 * entry turned.  One JSON object on standard output.
 */
import { launch } from "../../ui/chromium.mjs";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";

const [exe, bundle, file, key] = process.argv.slice(2);
const FILES = {
	"/favicon.ico": ["image/x-icon", ""],
	"/": ["text/html", "<!doctype html><title>proof</title>"],
	"/index.js": ["text/javascript", readFileSync(`${bundle}/index.js`)],
	"/worker.js": ["text/javascript", readFileSync(`${bundle}/worker.js`)],
	"/export": ["application/x-ndjson", readFileSync(file)],
};
const server = createServer((q, r) => {
	const [type, body] = FILES[q.url] ?? [null, null];

	if (type === null) {
		r.writeHead(404).end();
		return;
	}
	r.writeHead(200, { "content-type": type,
		"content-security-policy": "default-src 'self'; " +
		    "require-trusted-types-for 'script'; trusted-types proof" });
	r.end(body);
}).listen(0, "127.0.0.1");
await new Promise((done) => server.on("listening", done));
const browser = await launch({ exe });
const page = await browser.newPage();
const said = [];

page.on("console", (m) => said.push(m.text()));
page.on("pageerror", (e) => said.push(String(e)));
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const out = await page.evaluate(async (vkey) => {
	const { hasEd25519 } = await import("/index.js");
	const policy = trustedTypes.createPolicy("proof",
	    { createScriptURL: (u) => u });
	const worker = new Worker(policy.createScriptURL("/worker.js"),
	    { type: "module" });
	const ask = (file) => new Promise((done, failed) => {
		worker.onmessage = (m) => done(m.data);
		worker.onerror = (e) => failed(new Error(e.message));
		worker.postMessage({ id: 1, file, key: vkey });
	});
	const raw = await (await fetch("/export")).arrayBuffer();
	const plain = (v) => ({ good: v.good, what: v.what, seq: v.seq,
		entries: v.entries, manifest: v.manifest });
	const times = [];
	let v;

	for (let i = 0; i < 3; i++) {
		const from = performance.now();

		v = await ask(new Blob([raw]));
		times.push(performance.now() - from);
	}
	/* a bit of the entry in the middle */
	const bad = new Uint8Array(raw.slice(0));
	const text = new TextDecoder().decode(bad);
	const at = text.lastIndexOf('"request_id":"',
	    text.indexOf('"seq":5000,')) + 20;

	bad[at] ^= 1;
	return { ed25519: await hasEd25519(), ms: Math.min(...times),
		good: plain(v.verdict), turned: at,
		bad: plain((await ask(bad.buffer)).verdict) };
}, key);
await browser.close();
server.close();
console.log(JSON.stringify({ ...out, said }));
