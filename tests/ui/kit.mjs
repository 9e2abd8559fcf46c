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
import net from "node:net";
import { launch } from "./chromium.mjs";

export const ui = JSON.parse(process.env.UI);
const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const only = process.argv[2];

let browser = null;
export const chrome = (...args) => launch({ spki: ui.spki, args });

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
	/* A bar of time.  It is strict with BARS=1, on a machine that does
	 * nothing else; beside other suites the clock says little, and only
	 * what is far off fails. */
	bar(what, value, most) {
		const good = value <= most;
		this.note(`bar: ${what} ${Math.round(value * 10) / 10}, ` +
		    `at most ${most}${good ? "" : "  MISSED"}`);
		this.check(value <= most * (process.env.BARS ? 1 : 4),
		    `${what}: ${value}, at most ${most}`);
	}
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
	const say = what => complaints.push(
	    `${p.url().replace(ui.url, "")}: ${what}`);
	p.on("pageerror", e => say(`page error ${e.stack}`));
	p.on("console", m => {
		/* who is logged in is asked of whoever is not */
		if (m.type() === "error" && !(m.text().includes("401") &&
		    m.location().url.endsWith("/v1/whoami")))
			say(`console ${m.text()} ${m.location().url}`);
	});
	p.on("request", r => {
		if (!r.url().startsWith(ui.url) && !r.url().startsWith("blob:"))
			say(`asks elsewhere: ${r.url()}`);
	});
	p.on("dialog", d => {
		say(`a dialog: ${d.message()}`);
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
	/* what only a page that hangs takes, on a machine that has much to do */
	c.setDefaultTimeout(30000);
	return c;
}
export const page = async c => watch(await c.newPage());

/* The server takes so many logins a minute from one address; and the browser
 * has one. */
const PER_MINUTE = 6;
const forms = [];
let addresses = 0;
/* Logged in by the form, as a person would; at that path. */
async function byForm(p, person, path) {
	await p.goto(`${ui.url}/login?next=${encodeURIComponent(path)}`);
	await p.locator("input[name=email]").fill(person.email);
	await p.locator("input[name=password]").fill(person.password);
	await p.keyboard.press("Enter");
	await p.locator(".top .me").waitFor();
}
/* The same from another address, and the cookie carried over. */
async function byHand(p, { email, password }, path) {
	const a = await api("POST", "/v1/login", { email, password },
	    { authorization: undefined }, `127.9.${process.pid % 250}.` +
	    `${++addresses}`);
	const [name, ...value] = (a.headers["set-cookie"]?.[0] ?? "")
	    .split(";")[0].split("=");
	if (a.status !== 200)
		throw new Error(`${email} cannot log in: ${a.status} ${a.text}`);
	await p.context().addCookies([{ name, value: value.join("="),
		url: ui.url, secure: true, httpOnly: true, sameSite: "Strict" }]);
	await p.goto(ui.url + path);
	await p.locator(".top .me").waitFor();
}
/* A page of somebody's, who is logged in, at that path. */
export async function login(who, path = "/", more = {}) {
	const c = more.context ?? await context(more);
	const p = await page(c), person = ui.people[who] ?? who;
	const now = Date.now();
	const some = !more.byHand &&
	    forms.filter(t => t > now - 60000).length < PER_MINUTE;
	if (some)
		forms.push(now);
	await (some ? byForm : byHand)(p, person, path);
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
/* The same of a page that may have nothing but a refusal to show. */
export const quiet = p => p.waitForFunction(() =>
    document.querySelector("[aria-busy=true]") === null);
export async function goto(p, path) {
	await p.goto(ui.url + path);
	await settled(p);
}

/* ---- the API beside the browser, with the administrator's token ---- */

const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });
export function api(method, path, body, headers = {}, localAddress) {
	const all = { authorization: `Bearer ${headers.token ?? ui.token}`,
		...(body && { "content-type": "application/json" }), ...headers };
	const some = Object.fromEntries(Object.entries(all).filter(
	    ([, v]) => v !== undefined));
	return new Promise((done, fail) => {
		const r = https.request(ui.url + path, { method, headers: some,
			...(localAddress ? { localAddress, agent: false,
				rejectUnauthorized: false } : { agent }) }, a => {
			const parts = [];
			a.on("data", d => parts.push(d));
			a.on("end", () => {
				const text = Buffer.concat(parts).toString();
				let json = null;
				try {
					json = JSON.parse(text);
				} catch { /* not every answer is */ }
				done({ status: a.statusCode, text, json,
					etag: a.headers.etag, headers: a.headers });
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

/* ---- the keyboard ---- */

/* Keys one after the other: "g", "i", "Control+k", "Enter". */
export async function keys(p, ...all) {
	for (const k of all)
		await p.keyboard.press(k);
}
export const type = (p, text) => p.keyboard.type(text);
/* What has the focus, as "role name" or so. */
export const focused = p => p.evaluate(() => {
	let e = document.activeElement;
	while (e?.shadowRoot?.activeElement)
		e = e.shadowRoot.activeElement;
	return e === document.body || !e ? "" :
	    `${e.getAttribute("role") ?? e.localName} ` +
	    `${e.getAttribute("aria-label") ?? e.textContent ?? ""}`.trim();
});
/* By Tab alone to what the locator says; back: the other way around. */
export async function tabTo(p, locator, { max = 80, back = false } = {}) {
	for (let n = 0; n < max; n++) {
		if (await locator.evaluate(e => e.contains(
		    document.activeElement)).catch(() => false))
			return n;
		await p.keyboard.press(back ? "Shift+Tab" : "Tab");
	}
	throw new Error(`${max} times Tab do not lead to ${locator}, but to ` +
	    await focused(p));
}

/* ---- a bad line, a bad server ---- */

/* A browser of its own whose line to the server can be cut: what runs on it
 * ends, and nothing new gets through, until it is mended.  Workers, too. */
export async function wire() {
	const to = Number(new URL(ui.url).port), open = new Set();
	let cut = false;
	const server = net.createServer(a => {
		const b = cut ? null : net.connect(to, "127.0.0.1");
		if (!b) {
			a.destroy();
			return;
		}
		for (const [x, y] of [[a, b], [b, a]]) {
			open.add(x);
			x.on("error", () => y.destroy());
			x.on("close", () => { open.delete(x); y.destroy(); });
			x.pipe(y);
		}
	});
	await new Promise(r => server.listen(0, "127.0.0.1", r));
	const own = await launch({ spki: ui.spki,
		via: { from: to, to: server.address().port } });
	return {
		browser: own,
		cut() {
			cut = true;
			for (const s of open)
				s.destroy();
		},
		mend() { cut = false; },
		async close() {
			await own.close();
			this.cut();
			server.close();
		} };
}
/* While f runs, the server does nothing: it takes connections, as the kernel
 * does, and is silent. */
export async function stunned(f) {
	process.kill(-ui.pid, "SIGSTOP");
	try {
		return await f();
	} finally {
		process.kill(-ui.pid, "SIGCONT");
	}
}

/* ---- measuring ---- */

/* axe's violations, as short lines: of all rules, or of those named.  By the
 * debugger, so that the page's CSP stays what it is. */
export async function axe(p, rules) {
	const cdp = await p.context().newCDPSession(p);
	const there = await cdp.send("Runtime.evaluate",
	    { expression: "typeof axe" });
	if (there.result.value === "undefined")
		await cdp.send("Runtime.evaluate", { expression: AXE });
	const how = JSON.stringify({ resultTypes: ["violations"],
		...(rules && { runOnly: rules }) });
	const { result, exceptionDetails } = await cdp.send("Runtime.evaluate", {
		awaitPromise: true, returnByValue: true,
		expression: `axe.run(document, ${how})` +
		    ".then(r => r.violations.map(v => v.id + ': ' + " +
		    "v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + ' ' + " +
		    "n.failureSummary.slice(0, 200)).join(' | ')))" });
	await cdp.detach();
	return exceptionDetails ? [exceptionDetails.exception?.description ??
	    exceptionDetails.text] : result.value;
}
/* What the other theme can change in what axe finds. */
export const COLOURS = ["color-contrast", "link-in-text-block"];

/* How far the document is wider than the window, in pixels. */
export const overflow = p => p.evaluate(() => Math.max(0,
    document.documentElement.scrollWidth - document.documentElement
	.clientWidth));

/* The elements that make it so: the outermost of those past its edge. */
export const sticking = p => p.evaluate(() => {
	const edge = document.documentElement.clientWidth, out = [];
	const clipped = e => e && (getComputedStyle(e).overflowX !== "visible" ||
	    clipped(e.parentElement));
	for (const e of document.body.querySelectorAll("*"))
		if (e.getBoundingClientRect().right > edge + 0.5 &&
		    !clipped(e.parentElement) && !out.some(o => o.contains(e)))
			out.push(e);
	return out.slice(0, 3).map(e => `${e.localName}.${e.className} to ` +
	    `${Math.round(e.getBoundingClientRect().right)}`).join(", ");
});

export async function slow(p, rate) {
	const cdp = await p.context().newCDPSession(p);
	await cdp.send("Emulation.setCPUThrottlingRate", { rate });
	return cdp;
}

/* Bytes of JavaScript's heap that are in use, rubbish thrown away. */
export async function heap(p) {
	const cdp = await p.context().newCDPSession(p);
	await cdp.send("HeapProfiler.collectGarbage");
	const { usedSize } = await cdp.send("Runtime.getHeapUsage");
	await cdp.detach();
	return usedSize;
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
