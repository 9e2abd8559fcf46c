/*
 * kit.mjs: what a program of journeys needs.
 *
 *	import { journey, login, run } from "./kit.mjs";
 *	journey("a_viewer_reads", async t => {
 *		const p = await login("viewer", "/p/default/incidents");
 *		await p.getByRole("grid").waitFor();
 *		t.eq(await p.title(), "Incidents · Redoubt");
 *	});
 *	await run();
 *
 * A journey fails, too, when its pages print an error, break the CSP or ask
 * for anything that is not the server's.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import https from "node:https";
import { chromium } from "playwright-core";

export const ui = JSON.parse(process.env.UI);
const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    `--ignore-certificate-errors-spki-list=${ui.spki}`];
const only = process.argv[2];

let browser = null;
export async function chrome(...more) {
	return chromium.launch({ executablePath: "/usr/bin/chromium",
	    args: [...ARGS, ...more] });
}

/* ---- journeys ---- */

const journeys = [];
export const journey = (name, f) => journeys.push([name, f]);
let complaints = [];
/* What a journey expects to be complained of: a status, such as 412. */
const expected = new Set();
export const expect = (...what) => what.forEach(w => expected.add(String(w)));

class T {
	bad = [];
	check(cond, what) {
		if (!cond)
			this.bad.push(what);
	}
	eq(a, b, what = "") {
		const x = JSON.stringify(a), y = JSON.stringify(b);
		if (x !== y)
			this.bad.push(`${what} ${x}, want ${y}`);
	}
	note(s) { console.log("# " + s); }
}

export async function run() {
	let n = 0, failed = 0;
	browser = await chrome();
	for (const [name, f] of journeys) {
		if (only && !name.includes(only))
			continue;
		const t = new T();
		complaints = [];
		expected.clear();
		try {
			await f(t);
		} catch (e) {
			t.bad.push(e.stack);
		}
		t.bad.push(...complaints.filter(c =>
		    ![...expected].some(x => c.includes(x))));
		for (const c of browser.contexts())
			await c.close();
		for (const b of t.bad)
			console.log("# " + String(b).replaceAll("\n", "\n# ")
			    .slice(0, 3000));
		console.log(`${t.bad.length ? "not ok" : "ok"} ${++n} - ${name}` +
		    "");
		if (t.bad.length) {
			console.error(`${name}: ${t.bad.join("\n")}`.slice(0, 3000));
			failed++;
		}
	}
	await browser.close();
	console.log(`1..${n}`);
	process.exit(failed ? 1 : 0);
}

/* ---- pages ---- */

function watch(p) {
	p.on("pageerror", e => complaints.push(`page error ${e.stack}`));
	p.on("console", m => {
		/* who is logged in is asked of whoever is not */
		if (m.type() === "error" && !(m.text().includes("401") &&
		    m.location().url.endsWith("/v1/whoami")))
			complaints.push(`console ${m.text()} ${m.location().url}`);
	});
	p.on("request", r => {
		if (!r.url().startsWith(ui.url) && !r.url().startsWith("blob:"))
			complaints.push(`asks elsewhere: ${r.url()}`);
	});
	p.on("dialog", d => {
		complaints.push(`a dialog: ${d.message()}`);
		void d.dismiss();
	});
	return p;
}

/* A browser of its own: no cookies, no storage of others. */
export async function context(more = {}) {
	const c = await (more.browser ?? browser).newContext({
		viewport: { width: 1440, height: 900 }, locale: "en-GB",
		acceptDownloads: true, ...more });
	await c.addInitScript(() => addEventListener("securitypolicyviolation",
	    e => console.error(`CSP ${e.violatedDirective} ${e.blockedURI} ` +
		`${e.sourceFile}:${e.lineNumber}`)));
	c.setDefaultTimeout(20000);
	return c;
}
export const page = async c => watch(await c.newPage());

/* Logged in by the form, as a person would; at that path. */
export async function login(who, path = "/", more = {}) {
	const c = more.context ?? await context(more);
	const p = await page(c), person = ui.people[who] ?? who;
	await p.goto(`${ui.url}/login?next=${encodeURIComponent(path)}`);
	await p.locator("input[name=email]").fill(person.email);
	await p.locator("input[name=password]").fill(person.password);
	await p.keyboard.press("Enter");
	await p.locator(".top .me").waitFor();
	await settled(p);
	return p;
}

/* Nothing is loading any more. */
export async function settled(p) {
	await p.waitForFunction(() =>
	    document.querySelector("main h1") !== null &&
	    document.querySelector("[aria-busy=true]") === null)
	    .catch(async e => {
		throw new Error(`${p.url()} does not settle: ` + await p.evaluate(
		    () => document.querySelector("[aria-busy=true]")?.outerHTML ??
		    document.body.innerText.slice(0, 300)), { cause: e });
	    });
}
export async function goto(p, path) {
	await p.goto(ui.url + path);
	await settled(p);
}

/* ---- the API beside the browser, with the administrator's token ---- */

const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });
export function api(method, path, body, headers = {}) {
	return new Promise((done, fail) => {
		const r = https.request(ui.url + path, { method, agent, headers: {
			authorization: `Bearer ${headers.token ?? ui.token}`,
			...(body && { "content-type": "application/json" }),
			...headers } }, a => {
			const parts = [];
			a.on("data", d => parts.push(d));
			a.on("end", () => {
				const text = Buffer.concat(parts).toString();
				let json = null;
				try {
					json = JSON.parse(text);
				} catch { /* not every answer is */ }
				done({ status: a.statusCode, text, json,
					etag: a.headers.etag });
			});
		});
		r.on("error", fail);
		r.end(body && JSON.stringify(body));
	});
}
export const sleep = ms => new Promise(r => setTimeout(r, ms));
/* Until f answers something true. */
export async function until(f, what, ms = 10000) {
	for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) {
		const v = await f();
		if (v)
			return v;
	}
	throw new Error(`never: ${what}`);
}

/* ---- measuring ---- */

/* axe's violations, as short lines.  By the debugger, so that the page's CSP
 * stays what it is. */
export async function axe(p) {
	const cdp = await p.context().newCDPSession(p);
	await cdp.send("Runtime.evaluate", { expression: AXE });
	const { result, exceptionDetails } = await cdp.send("Runtime.evaluate", {
		awaitPromise: true, returnByValue: true,
		expression: "axe.run(document, {resultTypes: ['violations']})" +
		    ".then(r => r.violations.map(v => v.id + ': ' + " +
		    "v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + ' ' + " +
		    "n.failureSummary.slice(0, 200)).join(' | ')))" });
	await cdp.detach();
	return exceptionDetails ? [exceptionDetails.text] : result.value;
}

/* How far the document is wider than the window, in pixels. */
export const overflow = p => p.evaluate(() => Math.max(0,
    document.documentElement.scrollWidth - document.documentElement
	.clientWidth));

export async function slow(p, rate) {
	const cdp = await p.context().newCDPSession(p);
	await cdp.send("Emulation.setCPUThrottlingRate", { rate });
	return cdp;
}

/* The times between frames while f runs, in ms, sorted. */
export async function frames(p, f) {
	await p.evaluate(() => {
		const o = { on: true, at: [] };
		const step = t => {
			o.at.push(t);
			if (o.on)
				requestAnimationFrame(step);
		};
		globalThis.__frames = o;
		requestAnimationFrame(step);
	});
	await f();
	const at = await p.evaluate(() => {
		globalThis.__frames.on = false;
		return globalThis.__frames.at;
	});
	return at.slice(1).map((t, i) => t - at[i]).sort((a, b) => a - b);
}
export const quantile = (sorted, q) =>
	sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];

export async function shot(p, name) {
	await p.screenshot({ path: `${ui.out}/${name}.png` });
}
