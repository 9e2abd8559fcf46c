// alerts.mjs SCENARIO: a page in Debian's Chromium, for t_alerts.py, which
// gives what it needs as JSON on the first line of stdin and may say more on
// further lines; the answer is JSON on stdout.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { chromium } = createRequire(process.env.PLAYWRIGHT ??
    import.meta.url)("playwright-core");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const line = async () => JSON.parse((await lines.next()).value ?? "null");
const say = o => process.stdout.write(JSON.stringify(o) + "\n");
const d = await line();

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-background-timer-throttling"] });

async function open(who, options = {}) {
	const context = await browser.newContext({ ignoreHTTPSErrors: true,
		viewport: { width: 1440, height: 900 }, ...options });
	const page = await context.newPage();
	page.faults = [];
	page.on("console", m => {
		/* nobody is logged in at first: whoami says so */
		if (m.type() === "error" && !/401/.test(m.text()))
			page.faults.push(m.text());
	});
	page.on("pageerror", e => page.faults.push(String(e)));
	await page.addInitScript(() => document.addEventListener(
	    "securitypolicyviolation", e => console.error("CSP " +
	    e.violatedDirective + " " + e.blockedURI)));
	await page.goto(d.url + "/login?next=/me");
	await page.fill("input[name=email]", who);
	await page.fill("input[name=password]", d.password);
	await page.click("button[type=submit]");
	await page.waitForURL(u => u.pathname === "/me");
	return page;
}
const inbox = (page, query = "") => page.goto(
    `${d.url}/p/${d.project}/alerts${query}`);
const ready = page => page.waitForSelector(".grid-body .grid-row");
const text = (page, selector) => page.locator(selector).allInnerTexts();

/* In the page: how long each frame takes while f runs, ms. */
const FRAMES = () => {
	globalThis.frames = async (ms, f) => {
		const out = [];
		let last = performance.now();
		const end = last + ms;
		for (let n = 0; ; n++) {
			f?.(n);
			const now = await new Promise(r => requestAnimationFrame(() =>
			    r(performance.now())));
			out.push(now - last);
			last = now;
			if (now > end)
				break;
		}
		out.sort((a, b) => a - b);
		return { median: out[out.length >> 1],
			p95: out[Math.floor(out.length * 0.95)],
			max: out[out.length - 1], n: out.length };
	};
	/* from doing something to its picture */
	globalThis.painted = async f => {
		const t = performance.now();
		f();
		await new Promise(r => requestAnimationFrame(() => {
			const c = new MessageChannel();
			c.port1.onmessage = () => r();
			c.port2.postMessage(0);
		}));
		return performance.now() - t;
	};
};
const median = v => [...v].sort((a, b) => a - b)[v.length >> 1];

const scenarios = {
	/* 10,000 rows: scrolling, filtering, sorting */
	async rows() {
		const page = await open(d.user);
		await inbox(page, "?all=1");
		const began = Date.now();
		await ready(page);
		const firstRows = Date.now() - began;
		await page.waitForFunction(n => new RegExp(`^${n} alerts$`).test(
		    document.querySelector(".alerts-state")?.innerText.trim()),
		    d.rows, { timeout: 120000 });
		const allRows = Date.now() - began;
		await page.evaluate(FRAMES);
		const scroll = await page.evaluate(() => frames(4000, n => {
			document.querySelector(".grid").scrollTop = n * 97;
		}));
		const dom = await page.locator(".grid .grid-row").count();
		const filter = [], sort = [];
		for (let i = 0; i < 6; i++) {
			filter.push(await page.evaluate(() => painted(() =>
			    document.querySelector(".alerts-chip").click())));
			await page.waitForTimeout(150);
		}
		for (let i = 0; i < 6; i++) {
			sort.push(await page.evaluate(n => painted(() =>
			    document.querySelectorAll(".grid-head button")[n].click()),
			    i % 3));
			await page.waitForTimeout(150);
		}
		const client = await page.context().newCDPSession(page);
		await client.send("HeapProfiler.collectGarbage");
		const heap = (await client.send("Runtime.getHeapUsage")).usedSize;
		say({ firstRows, allRows, scroll, dom, filter: median(filter),
			sort: median(sort), heapMB: heap / 1e6, faults: page.faults });
	},

	/* while it storms: frames, the focused row, and what is there after */
	async storm() {
		const page = await open(d.user);
		await inbox(page, "?all=1");
		await ready(page);
		await page.evaluate(FRAMES);
		await page.waitForFunction(() => !/loading/.test(
		    document.querySelector(".alerts-state")?.innerText));
		await page.evaluate(() => {
			document.querySelector(".grid").scrollTop = 3000;
		});
		await page.waitForTimeout(300);
		await page.locator(".grid-body .grid-row").nth(14).focus();
		const where = () => page.evaluate(() => {
			const r = document.activeElement;
			return { text: r.querySelector(".cell:nth-child(3)")?.innerText,
				y: Math.round(r.getBoundingClientRect().top) };
		});
		const before = await where();
		say({ ready: true });
		const frames = await page.evaluate(ms => globalThis.frames(ms), d.ms);
		const after = await where();
		const { ids } = await line();
		await page.waitForFunction(n => Number(/^(\d+)/.exec(document
		    .querySelector(".alerts-state")?.innerText)?.[1]) >= n,
		    d.rows + ids.length, { timeout: 60000 }).catch(() => undefined);
		const shown = await page.evaluate(() => Number(/^(\d+)/.exec(document
		    .querySelector(".alerts-state").innerText)[1]));
		const pill = await text(page, ".fresh-pill");
		/* every one of them, by walking the whole list */
		await page.keyboard.press("N");
		await page.waitForTimeout(300);
		const seen = await page.evaluate(async () => {
			const g = document.querySelector(".grid"), out = new Set();
			for (let y = 0; y < g.scrollHeight; y += g.clientHeight / 2) {
				g.scrollTop = y;
				await new Promise(r => requestAnimationFrame(() =>
				    requestAnimationFrame(r)));
				for (const a of g.querySelectorAll(".grid-body a[href*='/alerts/']"))
					out.add(a.href.split("/").pop());
			}
			return [...out];
		});
		const set = new Set(seen);
		say({ frames, before, after, shown, pill, faults: page.faults,
			lost: ids.filter(i => !set.has(i)).length });
	},

	/* first paint, cold, at d.slow times slower a CPU */
	async paint() {
		const first = await open(d.user);
		const state = await first.context().storageState();
		const fcp = [], rows = [];
		for (let i = 0; i < 5; i++) {
			const context = await browser.newContext({
				ignoreHTTPSErrors: true, storageState: state,
				viewport: { width: 1440, height: 900 } });
			const page = await context.newPage();
			const client = await context.newCDPSession(page);
			await client.send("Emulation.setCPUThrottlingRate",
			    { rate: d.slow });
			await page.goto(d.url + (d.path ?? `/p/${d.project}/alerts`));
			await page.waitForSelector(d.wait ?? ".grid-body .grid-row");
			const t = await page.evaluate(() => [performance
			    .getEntriesByName("first-contentful-paint")[0]?.startTime,
			    performance.now()]);
			fcp.push(t[0]);
			rows.push(t[1]);
			await context.close();
		}
		say({ fcp: median(fcp), rows: median(rows), all: fcp });
	},
};
try {
	await scenarios[process.argv[2]]();
} catch (e) {
	console.error(e);
	process.exitCode = 1;
} finally {
	await browser.close();
	process.exit();
}
