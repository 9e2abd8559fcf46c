/* runs.mjs: runs, whom they wait for, and logs; started by t_runs.py. */
import { api, axe, expect, goto, journey, login, run, settled, shot, sleep, ui,
	until } from "./kit.mjs";

const P = "/p/default", V = "/v1/projects/default";
const text = p => p.locator(".log-body").innerText();
const tail = (p, s) => p.waitForFunction(x => document.querySelector(
    ".log-body")?.innerText.includes(x), s, { polling: "raf" });
async function start(slug) {
	const r = await api("POST", `${V}/runbooks/${slug}/runs`, {});
	return r.json;
}
/* The heap after a collection: objects, and what array buffers hold. */
async function heap(p) {
	const cdp = await p.context().newCDPSession(p);
	await cdp.send("HeapProfiler.collectGarbage");
	const h = await cdp.send("Runtime.getHeapUsage");
	await cdp.detach();
	return (h.usedSize + (h.backingStorageSize ?? 0)) / 1e6;
}

async function searching(p, t) {
	/* everything is looked at, and little of it kept */
	const took = async f => {
		const from = Date.now();
		await f();
		return Date.now() - from;
	};
	await p.locator(".log-search").fill("needle-in-line-one");
	const first = await took(async () => {
		await p.keyboard.press("Enter");
		await p.locator(".log-hits", { hasText: "1 of 1" }).waitFor();
		await p.locator(".log-row mark").first().waitFor();
	});
	t.note(`searched ${(ui.size / 1e6).toFixed(1)} MB in ${first} ms`);
	t.bar("search of the whole log, ms", first, 1000);
	t.check((await p.locator(".log-row.on").innerText())
	    .includes("0000001 "), "and it is shown");
	await p.locator(".log-line").fill("150000");
	await p.keyboard.press("Enter");
	let on = "";
	await until(async () => (on = await p.locator(".log-row.on")
	    .innerText()).includes("0150000 "), "line 150,000")
	    .catch(e => { throw new Error(`${e.message}: ${on}`); });
	t.eq((await p.locator(".log-row.on .log-no").innerText()).trim(),
	    "150000", "its number");
}

journey("B10_a_log_of_300000_lines", async t => {
	const p = await login("responder", P + "/runs");
	const last = String(ui.lines).padStart(7, "0");
	/* from the run's page being there to its log's end being there */
	await goto(p, `${P}/runs/${ui.big}`);
	await tail(p, last);
	const asked = [];
	p.on("request", r => asked.push(r.url()));
	const ms = [];
	for (let i = 0; i < 3; i++) {
		await p.goto(`${ui.url}${P}/runs`);
		await settled(p);
		await p.evaluate(path => {
			const seen = new MutationObserver(() => {
				const v = document.querySelector(".log-view");
				if (v && globalThis.__open === undefined)
					globalThis.__open = performance.now();
				if (globalThis.__tail === undefined &&
				    document.querySelector(".log-body")?.innerText
					.includes(path))
					globalThis.__tail = performance.now();
			});
			seen.observe(document.body, { subtree: true,
				childList: true, characterData: true });
		}, last);
		await p.locator(".grid-body .grid-row").filter({ hasText:
		    "Big" }).first().click();
		await p.waitForFunction(() => globalThis.__tail !== undefined);
		ms.push(await p.evaluate(() =>
		    globalThis.__tail - globalThis.__open));
	}
	ms.sort((a, b) => a - b);
	t.note(`tail shown after ${ms.map(Math.round)} ms`);
	t.bar("tail of the log, ms", ms[1], 500);

	await searching(p, t);
	const mb = await heap(p);
	t.note(`heap ${mb.toFixed(1)} MB`);
	t.check(mb <= 60, `heap ${mb} MB`);
	t.eq(await axe(p), [], "axe");
	await shot(p, "log-big");
	await p.locator("a[href$='/runs']").first().click();
	await settled(p);
	asked.length = 0;
	await sleep(3000);
	t.eq(asked.filter(u => u.includes("/log")), [],
	    "nothing is fetched after leaving");
});

journey("a_log_as_it_is_written_and_the_run_cancelled", async t => {
	expect("Failed to load resource");
	const r = await start("slow");
	const p = await login("responder", `${P}/runs/${r.id}`);
	await until(async () => /tick 5 /.test(await text(p)), "it is followed");
	t.check(await p.locator(".ansi-1", { hasText: "red" }).count() > 0,
	    "colours are classes");
	t.check(await p.locator(".hidden-char", { hasText: "ESC[2J" }).count() > 0,
	    "other sequences are shown");
	const streams = [];
	p.on("request", q => q.url().includes("/log/stream") &&
	    streams.push(q.url()));
	await until(async () => /tick 15 /.test(await text(p)), "it goes on");
	await shot(p, "log-live");
	await p.getByRole("button", { name: "Cancel the run" }).click();
	await p.locator("dialog textarea").fill("enough");
	await p.locator("dialog button[type=submit]").click();
	await p.locator(".facts .st-cancelled").waitFor();
	t.eq((await api("GET", `${V}/runs/${r.id}`)).json.state, "cancelled");
});

journey("two_of_two_approve", async t => {
	expect(403);
	const r = await start("ask");
	const p = await login("approver", `${P}/runs/${r.id}`);
	await p.getByText("0 of 2 approvals.").waitFor();
	await p.getByRole("button", { name: "Approve" }).click();
	await p.getByText("1 of 2 approvals.").waitFor();
	t.check((await p.locator(".runs-waits").innerText())
	    .includes("You have decided."), "once each");
	const q = await login("commander", `${P}/runs/${r.id}`);
	await q.locator(".runs-waits").waitFor();
	t.check(await q.getByRole("button", { name: "Approve" })
	    .getAttribute("class").then(c => c.includes("denied")),
	    "who may not is told why");
	await shot(q, "run-approval");
	const o = await login("project_admin", `${P}/runs/${r.id}`);
	await o.locator(".runs-waits textarea").fill("seen");
	await o.getByRole("button", { name: "Approve" }).click();
	await p.locator(".facts .st-succeeded").waitFor();
	await until(async () => (await text(p)).includes("hello"), "its log");
});

await run();
