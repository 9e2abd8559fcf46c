/* incidents.mjs: journeys to incidents; started by t_incidents.py. */
import { api, axe, context, expect, journey, overflow, page, run, settled,
	shot, sleep, ui } from "./kit.mjs";
import { P, as, at, end, entries, entry, inRoom, incident, note, room, write }
    from "./warroom.mjs";


journey("first_login_to_first_incident", async t => {
	expect(400);
	const p = await page(await context());
	await p.goto(ui.url + "/");
	await p.waitForSelector("input[name=email]");
	await p.focus("input[name=email]");
	await p.keyboard.type(ui.people.responder.email);
	await p.keyboard.press("Tab");
	await p.keyboard.type(ui.people.responder.password);
	await p.keyboard.press("Enter");
	await p.waitForSelector(".nav");
	await p.keyboard.press("c");
	await p.waitForSelector(".declare-card");
	t.eq(await p.evaluate(() => document.activeElement.name), "title",
	    "the title has the focus");
	await p.keyboard.press("Enter");
	await p.waitForSelector(".declare-card [aria-invalid=true]");
	t.check(await p.locator(".field.bad .wrong").count() === 1,
	    "no title: said at the field");
	await p.keyboard.type("Payments are slow");
	await p.keyboard.press("Enter");
	await p.waitForURL("**/i/*");
	await inRoom(p);
	t.check((await p.locator("h1").textContent()).includes(
	    "Payments are slow"), "the war room of what was declared");
	await write(p, "looking at **the queue**");
	await p.keyboard.press("Escape");
	await p.keyboard.press("t");
	await entry(p, "looking at").waitFor();
	t.check(await p.locator(".room-entry strong", { hasText: "the queue" })
	    .count() === 1, "the note, as Markdown");
	await p.keyboard.press("g");
	await p.keyboard.press("i");
	await p.waitForSelector("[role=grid]");
	await p.keyboard.press("j");
	await p.waitForSelector(".grid-row.at:focus");
	await p.keyboard.press("Enter");
	await p.waitForSelector(".room");
	t.check(true, "back to it through the list");
	await end(p);
});

journey("similar_ones_while_declaring", async t => {
	expect(400);
	const i = await incident("Certificate of edge proxy has expired");
	const p = await as("responder", at("/declare"));
	await p.locator("input[name=title]").fill("certificate exp");
	await p.locator("#similar").waitFor();
	t.check((await p.locator(".declare-similar").textContent()).includes(
	    "INC-" + i.number), "the open one is shown");
	await p.locator("input[name=title]").fill("something else");
	await p.waitForFunction(() => !document.querySelector("#similar"));
	t.check(true, "and not for other words");
	await p.locator("input[name=title]").fill("x".repeat(501));
	await p.keyboard.press("Enter");
	await p.waitForSelector(".field.bad");
	t.eq(await p.evaluate(() => document.activeElement.name), "title",
	    "too long: the field has the focus, and what is wrong");
	await p.locator("input[name=title]").fill("All at once");
	await p.click(".declare-more summary");
	await p.fill("input[name=services]", "edge, dns");
	await p.fill("textarea[name=summary]", "said **now**");
	await p.selectOption("select[name=severity]", "sev0");
	await p.locator("input[name=title]").focus();
	await p.keyboard.press("Enter");
	await p.waitForSelector(".room-summary strong");
	const j = (await api("GET", P + "/incidents?q=All%20at%20once")).json
	    .items[0];
	t.eq([j.services, j.severity], [["edge", "dns"], "sev0"],
	    "what was said beside the title is kept");
	await end(p);
});

journey("private_means_members_only", async t => {
	expect(404);
	const seen = await incident("Public canary");
	const a = await as("commander", at("/declare"));
	const admin = await as("org_admin", at("/incidents"));
	await admin.waitForSelector("[role=grid]");
	const events = admin.evaluate(async () => {
		const stop = new AbortController();
		setTimeout(() => stop.abort(), 6000);
		let text = "";
		try {
			const r = await fetch("/v1/events", { signal: stop.signal });
			const rd = r.body.getReader();
			for (;;) {
				const { value, done } = await rd.read();
				if (done)
					break;
				text += new TextDecoder().decode(value);
			}
		} catch { /* after 6 s */ }
		return text;
	});
	await a.fill("input[name=title]", "Sekrit breach of vault");
	await a.click(".declare-more summary");
	await a.check("input[name=private]");
	await a.locator("input[name=title]").focus();
	await a.keyboard.press("Enter");
	await a.waitForURL("**/i/*");
	await inRoom(a);
	const num = /\/i\/(\d+)/.exec(a.url())[1];
	await a.waitForSelector(".room-private");
	await a.keyboard.press("n");
	await a.keyboard.type("who did it: sekrit");
	await a.keyboard.press("Control+Enter");
	await a.keyboard.press("Escape");
	await a.keyboard.press("t");
	await entry(a, "who did it").waitFor();
	const id = await a.evaluate(async u => (await (await fetch(u)).json())
	    .id, `${P}/incidents/${num}`);
	await note(seen, "public news");
	await sleep(500);
	t.check(!(await admin.content()).includes("Sekrit"), "not in the list");
	await admin.keyboard.press("Control+k");
	await admin.keyboard.type("sekrit");
	await sleep(700);
	t.check(!(await admin.locator("dialog ul").textContent()).includes(
	    "breach"), "not in the palette by words");
	await admin.locator("dialog input").fill("INC-" + num);
	await sleep(700);
	t.check(!(await admin.locator("dialog ul").textContent()).includes(
	    "breach"), "nor by its number");
	await admin.keyboard.press("Escape");
	const heard = await events;
	t.check(heard.includes(seen.id) && !heard.includes(id),
	    "no event of it, but those of others");
	for (const x of ["", "/members", "/alerts"]) {
		await admin.goto(ui.url + at(`/i/${num}${x}`));
		await admin.waitForSelector(".failed");
		t.check(!(await admin.content()).includes("Sekrit"),
		    `not at its address ${x}`);
	}
	/* the list and the board of whoever is a member */
	await a.goto(ui.url + at("/incidents?view=board"));
	await a.locator(".board-card", { hasText: "INC-" + num }).first().waitFor();
	t.check(true, "its member sees it");

	/* let in, then taken away again while it is open */
	await a.goto(ui.url + at(`/i/${num}/members`));
	await a.click("text=Add a member");
	await a.waitForSelector(".picker-list li");
	/* by the name of one this page has never met */
	await a.keyboard.type(ui.people.responder.name.slice(0, 6).toLowerCase());
	await a.locator(".picker-list li .person", {
		hasText: ui.people.responder.name }).waitFor();
	await a.keyboard.press("Enter");
	await a.waitForFunction(() => document.querySelectorAll(
	    ".room-side .room-item").length === 2);
	const r = await as("responder", at("/i/" + num));
	await inRoom(r);
	t.check((await r.content()).includes("Sekrit"), "let in");
	await a.click(`.room-side [aria-label='Remove ${
	    ui.people.responder.name}']`);
	await a.click("dialog button.danger");
	await a.waitForFunction(() => document.querySelectorAll(
	    ".room-side .room-item").length === 1);
	await r.waitForSelector(".failed", { timeout: 40000 });
	t.check(!(await r.locator("main").textContent()).includes("Sekrit"),
	    "taken away: nothing of it stays on the screen");
	await end(a);
	await end(admin);
	await end(r);
});

journey("a_viewer_is_told_why", async t => {
	expect(403);
	const i = await incident("Look, do not touch");
	const p = await room("viewer", i);
	for (const where of [".room-choice button.denied",
	    ".room-title button.denied", ".room-send button.denied"]) {
		await p.locator(where).first().focus();
		await p.keyboard.press("Enter");
		await p.waitForSelector("dialog");
		await p.waitForFunction(() => /You may not, because|takes the/
		    .test(document.querySelector("dialog").textContent));
		t.check(/incident\.(edit|comment)/.test(await p.locator("dialog")
		    .textContent()), `${where} says why`);
		await p.keyboard.press("Escape");
		await p.waitForFunction(() => !document.querySelector("dialog"));
	}
	await p.locator(".room-composer textarea").fill("may I?");
	await p.keyboard.press("Control+Enter");
	await p.waitForSelector("dialog, .room-composer .wrong");
	t.check((await entries(i)).length === 1, "nothing was written");
	await p.locator(".room-composer textarea").fill("");
	await p.keyboard.press("Escape");
	await p.waitForFunction(() => !document.querySelector("dialog"));
	await p.locator("h1").focus();
	await p.keyboard.press("e");
	await p.waitForSelector("dialog");
	t.check((await p.locator("dialog").textContent()).includes(
	    "incident.edit"), "a key says why, too");
	await end(p);
});

const HOSTILE = ["[click](javascript:alert(1)) [x](data:text/html,y) " +
    "[v](vbscript:x) <a href=\"javascript:alert(1)\">a</a>",
    "<img src=x onerror=alert(1)><script>alert(1)</script><svg onload=x>",
    "abc\u202Egnp.exe\u202C \u2066x\u2069 \u200Bzero", "\u001B[31mred\u001B[0m",
    "A".repeat(3000), "![i](https://evil.example/x.png)",
    "```\n<script>alert(1)</script>\n```", "| a | b |\n|-|-|\n| <b>x | y |",
    "[a]: javascript:alert(1)\n\n[a]", "&lt;img src=x&gt; &#106;avascript:"];

journey("hostile_text_is_text", async t => {
	const title = "<img src=x onerror=alert(1)>\u202Egnp.exe " + "W".repeat(90);
	const i = await incident(title, { summary: HOSTILE[0] + "\n\n" +
		HOSTILE[1], services: ["<b>s</b>\u202E"], environments: ["\u2066e"],
		fields: { "<i>k</i>": "<script>alert(1)</script>", url:
		"javascript:alert(1)" }, type: "<u>t</u>",
		security_details: HOSTILE[0] });
	for (const h of HOSTILE)
		await note(i, h, { key_event: true });
	for (const [w, scheme] of [[1440, "dark"], [390, "light"]]) {
		const p = await as("responder", at("/i/" + i.number), {
			viewport: { width: w, height: 844 }, colorScheme: scheme });
		await inRoom(p);
		await entry(p, "AAAA").first().waitFor();
		for (const x of ["", "/details"]) {
			await p.goto(ui.url + at(`/i/${i.number}${x}`));
			await p.waitForSelector(".room .tabs");
			await sleep(500);
			t.eq(await p.evaluate(() => [...document.querySelectorAll(
			    "main a")].map(a => a.getAttribute("href"))
			    .filter(h => !/^(\/|https?:|mailto:|#)/.test(h))), [],
			    "no link leads to code");
			t.eq(await p.evaluate(() => document.querySelectorAll(
			    "main script, main img, main iframe, main [onerror]")
			    .length), 0, "no element came of text");
			t.check(await overflow(p) <= 0,
			    `the page holds its width at ${w} ${x}`);
			t.check(await p.locator(".hidden-char").count() > 0,
			    "what turns text round is shown as what it is");
		}
		await shot(p, `hostile-${w}`);
		for (const x of ["/incidents?view=table",
		    "/incidents?view=board"]) {
			await p.goto(ui.url + at(x));
			await p.waitForSelector("[role=grid], .board");
			await sleep(300);
			t.check(await overflow(p) <= 0, `${x} holds its width at ${w}`);
		}
		await end(p);
	}
});

journey("accessible", async t => {
	const i = await incident("Looked at by axe", { severity: "sev2",
		summary: "x", services: ["a"], private: false });
	await note(i, "# a\n\n- b\n\n`c` [d](https://e.example)",
	    { key_event: true });
	for (const [who, w, scheme] of [["responder", 1440, "dark"],
	    ["responder", 390, "light"], ["viewer", 1440, "light"]]) {
		const p = await as(who, at("/incidents"), { colorScheme: scheme,
			viewport: { width: w, height: 844 } });
		const look = async what => {
			t.eq(await axe(p), [],
			    `axe: ${what}, ${who}, ${w} ${scheme}`);
			t.check(await overflow(p) <= 0, `${what} holds its width ${w}`);
			await shot(p, `incidents-${what.replace(/\W+/g, "-")}-` +
			    `${who}-${w}`);
		};
		const see = async (path, ready, what) => {
			await p.goto(ui.url + at(path));
			await p.waitForSelector(ready);
			await sleep(300);
			await look(what ?? path);
		};
		/* where there is no room for a table it is not what comes first */
		await see("/incidents", w < 760 ? ".board" : "[role=grid]");
		await see("/incidents?view=table", "[role=grid]");
		await see("/incidents?view=board", ".board");
		await see("/declare", ".declare-card");
		for (const x of ["", "/details", "/alerts", "/runs", "/members",
		    "/audit"])
			await see(`/i/${i.number}${x}`, ".room .tabs", "room" + x);
		if (who !== "responder") {
			await end(p);
			continue;
		}
		for (const [key, ready, what] of [["e",
		    "dialog input[name=title]", "edit"], ["r", "dialog .picker",
		    "commander"], ["?", "dialog .keys", "keys"]]) {
			await p.keyboard.press(key);
			await p.waitForSelector(ready);
			await sleep(200);
			await look(what);
			await p.keyboard.press("Escape");
			if (what === "commander") /* the list of people first */
				await p.keyboard.press("Escape");
			await p.waitForFunction(() =>
			    !document.querySelector("dialog"));
		}
		await p.goto(ui.url + at("/i/" + i.number));
		await inRoom(p);
		await p.keyboard.press("n");
		await p.keyboard.type("/");
		await p.waitForSelector(".room-suggest");
		await look("commands");
		await end(p);
	}
});

await run();
