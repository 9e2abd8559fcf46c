/* room.mjs: journeys in the war room; started by t_room.py. */
import { api, chrome, context, expect, journey, page, run, shot, sleep, ui }
    from "./kit.mjs";
import { P, at, command, composerWrong, draft, end, entries, entry, inRoom,
	incident, note, room, write } from "./warroom.mjs";

journey("slash_commands", async t => {
	expect(403, 409, 412); /* a page that is late asks again by itself */
	const i = await incident("Commands are typed here");
	const p = await room("responder", i);
	const now = async () => (await api("GET",
	    `${P}/incidents/${i.number}`)).json;
	await inRoom(p);
	await p.keyboard.press("n");
	await p.keyboard.type("/st");
	await p.waitForSelector(".room-suggest li");
	await p.keyboard.press("Enter");
	await p.waitForFunction(() => document.querySelectorAll(
	    ".room-suggest li").length > 3);
	const offered = await p.locator(".room-suggest li").allTextContents();
	t.check(offered[0].includes("acknowledged") && !offered.some(o =>
	    o.includes("new") || o.includes("merged")),
	    "allowed ones only are offered");
	await p.keyboard.type("mi");
	await p.waitForFunction(() => document.querySelectorAll(
	    ".room-suggest li").length === 1);
	await p.keyboard.press("Tab");
	await p.keyboard.type(" rolled *back*");
	await p.keyboard.press("Enter");
	await p.waitForSelector(".room-head .st-mitigating");
	await p.locator(".room-entry.k-status", { hasText: "rolled" }).waitFor();
	t.eq((await now()).status, "mitigating", "/status, its note, by keyboard");
	await command(p, "/sev 0");
	await command(p, "/commander me");
	await command(p, "/title Checkout is down");
	await command(p, "/key Found it");
	let got = await now();
	t.eq([got.severity, got.commander, got.title], ["sev0",
	    ui.people.responder.id, "Checkout is down"],
	    "/sev, /commander, /title");
	t.check((await entries(i)).some(e => e.text === "Found it" &&
	    e.key_event), "/key");
	await p.waitForSelector(".room-head .person");
	for (const [text, want] of [["/sev 9", "no severity"],
	    ["/status nowhere", "no status"], ["/status new", "follow"],
	    ["/commander Nobody Nowhere", "Nobody is known"],
	    ["/run none-such", "No published runbook"],
	    ["/frobnicate", "no command"], ["/private on", ""]]) {
		await command(p, text);
		const said = await composerWrong(p);
		t.check(said !== "" && said.includes(want),
		    `${text}: said at the command (${said})`);
		t.eq(await draft(p), text,
		    "and what was typed stays");
	}
	await command(p, "//not a command");
	t.check((await entries(i)).some(e => e.text === "/not a command"),
	    "// begins a note with a slash");
	await command(p, "/help");
	await p.waitForSelector("dialog .room-help");
	await p.keyboard.press("Escape");
	await command(p, "/run " + ui.runbook);
	await p.waitForSelector("dialog input[name='inputs.host']");
	await p.keyboard.press("Escape");
	await end(p);
});

/* No key changes a status by itself: one opens the list, and chooses. */
journey("choosing_by_keyboard", async t => {
	const i = await incident("Chosen by keys", { severity: "sev3" });
	const now = async () => (await api("GET",
	    `${P}/incidents/${i.number}`)).json;
	const p = await room("responder", i);
	const selects = p.locator(".room-choice select");
	for (const n of [0, 1]) {
		await selects.nth(n).focus();
		await p.keyboard.press("ArrowDown");
		await sleep(200);
		await p.keyboard.press("Escape");
	}
	await selects.nth(1).focus();
	await p.keyboard.press("c");
	await p.keyboard.press("Escape");
	await sleep(300);
	let got = await now();
	t.eq([got.severity, got.status], ["sev3", "new"], "nothing is changed");
	t.check(p.url().endsWith("/" + i.number), "no key of the page acts");
	await selects.nth(0).selectOption("sev1");
	await p.waitForSelector(".room-head .sev-sev1");
	await p.waitForSelector(".toast button");
	await p.locator("h1").focus();
	await p.keyboard.press("z");
	await p.waitForSelector(".room-head .sev-sev3");
	await p.waitForFunction(async u => (await (await fetch(u)).json())
	    .severity === "sev3", `${P}/incidents/${i.number}`);
	await selects.nth(1).selectOption("cancelled");
	await p.waitForSelector("dialog");
	await p.keyboard.press("Escape");
	got = await now();
	t.eq(got.status, "new", "what cannot be taken back is asked about");
	await end(p);
});

journey("two_browsers_live", async t => {
	const i = await incident("Two look at it");
	const a = await room("responder", i);
	const b = await room("commander", i);
	await b.keyboard.press("t");
	await b.waitForSelector(".fresh.ok");
	const times = [];
	for (let k = 0; k < 5; k++) {
		await a.keyboard.press("n");
		await a.keyboard.type(`written ${k}`);
		const from = Date.now();
		await a.keyboard.press("Control+Enter");
		await entry(b, `written ${k}`).waitFor();
		times.push(Date.now() - from);
		await sleep(200);
	}
	t.bar("another browser sees it, ms", Math.max(...times), 1000);
	const from = Date.now();
	await command(a, "/sev 1");
	await b.waitForSelector(".room-head .sev-sev1");
	t.bar("severity in the other's header, ms", Date.now() - from, 1500);
	await end(a);
	await end(b);
});

journey("news_waits_behind_a_pill", async t => {
	const i = await incident("A long one");
	/* one is declared, 480 follow; two pages more are looked at for key
	 * events */
	for (let k = 0; k < 480; k += 8)
		await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(j =>
		    note(i, `entry\n\nsecond line ${k + j}`)));
	const p = await room("responder", i);
	await p.keyboard.press("t");
	await p.waitForFunction(() => document.querySelectorAll(
	    ".room-entry").length > 400);
	const count = await p.locator(".room-entry").count();
	t.check(count < 481, `the first pages only: ${count}`);
	const box = p.locator(".room-scroll");
	await box.evaluate(e => { e.scrollTop = 900; });
	await sleep(400);
	const before = await box.evaluate(e => [e.scrollTop, [...e
	    .querySelectorAll(".room-entry")].map(x => x.id)[0]]);
	await note(i, "while you read");
	await p.waitForSelector(".room-pill button");
	t.eq(await box.evaluate(e => [e.scrollTop, [...e.querySelectorAll(
	    ".room-entry")].map(x => x.id)[0]]), before, "nothing moved");
	t.check((await p.locator(".room-pill").textContent()).startsWith("1 new"),
	    "the pill says how many");
	await p.click(".room-pill button");
	await entry(p, "while you read").waitFor();
	t.check(await box.evaluate(e => e.scrollTop) < 50, "and leads there");
	await box.evaluate(e => { e.scrollTop = 900; });
	await sleep(400);
	await write(p, "written from below");
	await p.waitForFunction(() => document.querySelector(".room-scroll")
	    .scrollTop < 50);
	t.check(await entry(p, "written from below").isVisible(),
	    "what one writes oneself is shown at once");
	await p.locator(".room-more").click();
	await p.waitForSelector("#entry-1");
	t.eq(await p.locator(".room-entry").count(), 483, "older ones on demand");
	await p.click("text=Newest first");
	await p.waitForFunction(() => document.querySelector(
	    ".room-entry").id === "entry-1");
	t.check(true, "oldest first");
	await end(p);
});

journey("a_stale_edit_is_merged", async t => {
	expect(412);
	const i = await incident("Before", { summary: "old", severity: "sev3" });
	const at = `${P}/incidents/${i.number}`;
	const p = await room("responder", i);
	await p.keyboard.press("e");
	await p.waitForSelector("dialog input[name=title]");
	await api("PATCH", at, { title: "Theirs", summary: "by another" });
	await p.fill("dialog input[name=title]", "Mine");
	await p.selectOption("dialog select[name=severity]", "sev1");
	await p.fill("dialog textarea[name=fields]", "no colon here");
	await p.click("dialog button[type=submit]");
	await p.waitForSelector("dialog .field.bad textarea[name=fields]");
	t.check(true, "a line that is no field: said at the field");
	await p.fill("dialog textarea[name=fields]", "region: eu\nusers: 12");
	await p.click("dialog button[type=submit]");
	await p.waitForSelector("table.merge");
	const rows = await p.locator("table.merge tbody tr").allTextContents();
	t.check(rows.length === 1 && rows[0].includes("Before") &&
	    rows[0].includes("Mine") && rows[0].includes("Theirs"),
	    "asked about what both changed only: " + rows);
	let got = (await api("GET", at)).json;
	t.eq([got.title, got.severity], ["Theirs", "sev3"],
	    "nothing is saved while it is asked");
	await shot(p, "room-merge");
	await p.locator("table.merge input[type=radio]").nth(1).check();
	await p.locator("dialog:has(.merge) .actions button.primary").click();
	await p.waitForFunction(() => !document.querySelector("dialog"));
	got = (await api("GET", at)).json;
	t.eq([got.title, got.summary, got.severity, got.fields], ["Theirs",
	    "by another", "sev1", { region: "eu", users: 12 }],
	    "theirs where chosen, mine else");

	/* in place, and somebody leaves it */
	await p.click("[aria-label='Edit the title']");
	await p.waitForSelector(".room-title input");
	await api("PATCH", at, { title: "Theirs again" });
	await p.fill(".room-title input", "Mine again");
	await p.keyboard.press("Enter");
	await p.waitForSelector("table.merge");
	await p.keyboard.press("Escape");
	await p.waitForSelector(".room-title .wrong");
	t.eq((await api("GET", at)).json.title, "Theirs again",
	    "left: theirs stays");
	t.eq(await p.locator(".room-title input").inputValue(), "Mine again",
	    "and mine is still there to be read");
	await p.keyboard.press("Escape");
	await api("PATCH", at, { environments: ["prod"] });
	await p.click("[aria-label='Edit the title']");
	await api("PATCH", at, { environments: ["prod", "eu"] });
	await p.fill(".room-title input", "No clash");
	await p.keyboard.press("Enter");
	await p.waitForSelector("h1:has-text('No clash')");
	await sleep(300);
	got = (await api("GET", at)).json;
	t.eq([got.title, got.environments], ["No clash", ["prod", "eu"]],
	    "changes of other fields are both kept, unasked");
	await end(p);
});

journey("a_lost_connection_loses_nothing", async t => {
	expect("ERR_");
	const i = await incident("The line is bad");
	/* for route.fetch() */
	const p = await room("responder", i, { ignoreHTTPSErrors: true });
	await p.keyboard.press("t");
	await p.context().setOffline(true);
	await write(p, "typed in the dark");
	await p.waitForSelector(".room-composer .wrong");
	t.eq(await draft(p),
	    "typed in the dark", "the text stays");
	t.check(await p.locator(".banner.bad").count() === 1, "a banner says so");
	await p.context().setOffline(false);
	await p.keyboard.press("Control+Enter");
	await entry(p, "typed in the dark").waitFor();

	/* the answer gets lost, not the question */
	let first = true;
	await p.route("**/timeline", async r => {
		if (r.request().method() !== "POST" || !first)
			return r.continue();
		first = false;
		await r.fetch();
		return r.abort();
	});
	await write(p, "asked twice");
	await p.waitForSelector(".room-composer .wrong");
	await p.keyboard.press("Control+Enter");
	await p.waitForFunction(() => document.querySelector(
	    ".room-composer textarea").value === "");
	await sleep(300);
	t.eq((await entries(i)).filter(e => e.text === "asked twice").length, 1,
	    "posted once");

	/* another page and back; nothing of it in any storage */
	await p.keyboard.press("Escape");
	await p.keyboard.press("n");
	await p.keyboard.type("half a sentence");
	await p.keyboard.press("Escape");
	await p.keyboard.press("g");
	await p.keyboard.press("i");
	await p.waitForSelector("[role=grid]");
	await p.goBack();
	await inRoom(p);
	t.eq(await draft(p),
	    "half a sentence", "a draft waits");
	t.eq(await p.evaluate(() => [JSON.stringify({ ...localStorage }),
	    JSON.stringify({ ...sessionStorage })].filter(s =>
	    s.includes("half a sentence"))), [], "in no storage");
	await p.locator(".room-composer textarea").fill("");
	await end(p);
});

journey("an_ended_session_loses_nothing", async t => {
	expect(401);
	const i = await incident("A long night");
	const c = await context(), p = await page(c);
	await p.goto(ui.url + "/login?next=/me");
	await p.fill("input[name=email]", ui.people.responder.email);
	await p.fill("input[name=password]", ui.people.responder.password);
	await p.keyboard.press("Enter");
	await p.waitForURL(u => u.pathname === "/me");
	await p.goto(ui.url + at("/i/" + i.number));
	await inRoom(p);
	await p.keyboard.press("t");
	await c.clearCookies();
	await write(p, "before the login");
	await p.waitForSelector("dialog input[name=password]");
	await p.fill("dialog input[name=password]",
	    ui.people.responder.password);
	await p.keyboard.press("Enter");
	await entry(p, "before the login").waitFor();
	t.eq((await entries(i)).filter(e => e.text === "before the login").length,
	    1, "posted after the login, once");
	await end(p);
});

journey("alerts_and_runs_of_it", async t => {
	expect(400);
	const i = await incident("Parts of it");
	const free = (await api("POST", P + "/alerts", { title:
	    "Latency of shard seven", severity: "warning" })).json;
	const p = await room("responder", i);
	await p.keyboard.press("3");
	await p.waitForURL("**/alerts");
	await p.click("text=Attach");
	await p.waitForSelector("dialog .room-choose");
	await p.fill("dialog input[type=search]", "shard seven");
	await p.check("dialog .room-choose input");
	await p.click("dialog .actions button.primary");
	await p.locator(".room-side .room-item", { hasText: "shard seven" })
	    .waitFor();
	await p.click(".room-side button:has-text('Acknowledge')");
	await p.waitForSelector(".room-side .st-acknowledged");
	await p.click(".room-side button:has-text('Resolve')");
	await p.waitForSelector(".room-side .st-resolved");
	const a = (await api("GET", `${P}/alerts/${free.id}`)).json;
	t.eq([a.incident, a.status], [i.id, "resolved"],
	    "attached, acknowledged, resolved");
	await p.keyboard.press("4");
	await p.waitForURL("**/runs");
	await p.click(".room-side button:has-text('Run a runbook')");
	await p.selectOption("#run-book", ui.runbook);
	await p.waitForSelector("dialog input[name='inputs.host']");
	await p.click("dialog button[type=submit]");
	await p.waitForSelector("dialog .field.bad input[name='inputs.host']");
	t.check(true, "an input that is needed: said at it");
	await p.fill("dialog input[name='inputs.host']", "web1");
	await p.fill("dialog input[name='inputs.count']", "many");
	await p.click("dialog button[type=submit]");
	await p.waitForSelector("dialog .field.bad input[name='inputs.count']");
	await p.fill("dialog input[name='inputs.count']", "500");
	await p.click("dialog button[type=submit]");
	await p.waitForSelector("dialog .wrong");
	t.check(true, "what the server does not take is said, too");
	await p.fill("dialog input[name='inputs.count']", "3");
	await p.click("dialog button[type=submit]");
	await p.locator(".room-side .st-running, .room-side .st-queued").first()
	    .waitFor();
	t.check(true, "the run is there, live");
	await p.keyboard.press("t");
	await p.waitForSelector(".room-entry.k-run_started");
	await p.keyboard.press("5");
	await p.waitForURL("**/members");
	await p.keyboard.press("1");
	await p.waitForURL(new RegExp(`/i/${i.number}$`));
	await p.keyboard.press("]");
	await p.waitForURL(u => !u.pathname.endsWith(`/${i.number}`));
	t.check(true, "keys 1 to 6, [ and ]");
	await end(p);
});

/* Who may read the audit log is led to it; others are told why not. */
journey("audit_entries_of_it", async t => {
	const i = await incident("What was done here");
	const p = await room("org_admin", i);
	await p.keyboard.press("6");
	await p.waitForSelector(".room-side .room-item code");
	t.check((await p.locator(".room-side").textContent()).includes(
	    "incident.create"), "its creation is there");
	t.eq(await p.locator(".room-side .room-item a").first()
	    .getAttribute("href").then(h => /^\/audit\/\d+$/.test(h)), true,
	    "an entry's own page");
	await end(p);
	const r = await room("responder", i);
	await r.keyboard.press("6");
	await r.locator(".room-side button.denied").focus();
	await r.keyboard.press("Enter");
	await r.waitForSelector("dialog");
	t.check((await r.locator("dialog").textContent()).includes(
	    "audit.view"), "why not");
	await end(r);
});

/* B9: eight tabs, all live, nothing starves; over HTTP/1.1, too, where a
 * browser has six connections. */
async function eightTabs(t, more) {
	const i = await incident("Eight tabs");
	const first = await room("responder", i, more);
	const pages = [first];
	while (pages.length < 8) {
		const p = await page(first.context());
		await p.goto(ui.url + at("/i/" + i.number));
		pages.push(p);
	}
	for (const p of pages) {
		await inRoom(p);
		await p.waitForSelector(".fresh.ok");
		await p.click("text=Everything");
	}
	await sleep(500);
	const from = Date.now();
	await note(i, "to all of you");
	const times = await Promise.all(pages.map(async p => {
		await entry(p, "to all of you").waitFor();
		return Date.now() - from;
	}));
	const fetched = await Promise.all(pages.map(p => p.evaluate(async () => {
		const began = performance.now();
		await (await fetch("/v1/whoami")).json();
		return Math.round(performance.now() - began);
	})));
	const proto = await first.evaluate(() => performance.getEntriesByType(
	    "resource").map(e => e.nextHopProtocol).filter(x => x)[0]);
	t.note(`eight tabs over ${proto}: all hear after ${Math.max(...times)} ` +
	    `ms, fetch answers after ${Math.max(...fetched)} ms`);
	t.bar("eight tabs, all hear of it, ms", Math.max(...times), 5000);
	t.bar("eight tabs, each is answered, ms", Math.max(...fetched), 1500);
	await first.context().close();
	return proto;
}

journey("eight_tabs", async t => {
	t.eq(await eightTabs(t), "h2", "over");
});

journey("eight_tabs_over_http_1", async t => {
	const browser = await chrome("--disable-http2");
	try {
		t.eq(await eightTabs(t, { browser }), "http/1.1", "over");
	} finally {
		await browser.close();
	}
});

journey("on_paper", async t => {
	const i = await incident("On paper", { severity: "sev1" });
	await note(i, "a turning point", { key_event: true });
	await note(i, "small talk");
	const p = await room("responder", i, { colorScheme: "dark" });
	await entry(p, "a turning point").waitFor();
	await p.emulateMedia({ media: "print" });
	t.check(!await p.locator(".room-composer").isVisible() &&
	    !await p.locator(".nav").isVisible(), "no controls on paper");
	t.check(await entry(p, "a turning point").isVisible() &&
	    await p.locator(".room-head h1").isVisible() &&
	    await entry(p, "small talk").count() === 0,
	    "its head and the key events");
	t.eq(await p.evaluate(() => getComputedStyle(document.documentElement)
	    .backgroundColor), "rgb(255, 255, 255)", "black on white");
	await shot(p, "room-print");
	await end(p);
});

await run();
