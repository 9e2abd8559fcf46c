/*
 * hostile.mjs: every page of an organization where every text is meant to do
 * harm (hostile.py): nothing runs, nothing is fetched, nothing is turned round
 * or hidden, nothing is pushed out of the window.
 */
import { expect, journey, keys, login, overflow, quiet, run,
	settled, sticking, ui } from "./kit.mjs";
import { all, both } from "./pages.mjs";

/* What is in the page that no page of ours has. */
const foreign = p => p.evaluate(() => {
	const out = [], hidden = new RegExp("[\\u0000-\\u0008\\u000b-\\u001f" +
	    "\\u007f-\\u009f\\u00ad\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e" +
	    "\\u2060-\\u2064\\u2066-\\u206f\\ufeff]");
	const say = (what, e) => out.push(`${what}: ${(e.outerHTML ?? e.data ??
	    e).slice(0, 200)}`);
	if (globalThis.__pwned !== undefined)
		say("it has run", "");
	for (const e of document.querySelectorAll("*")) {
		if (["iframe", "object", "embed", "base", "frame", "math"]
		    .includes(e.localName))
			say("element", e);
		if (e.localName === "script" && !e.src.startsWith(
		    location.origin))
			say("script", e);
		if (e.localName === "style")
			say("style", e);
		for (const a of e.attributes) {
			if (a.name.startsWith("on"))
				say("attribute", e);
			if (["href", "src", "action", "formaction", "xlink:href"]
			    .includes(a.name) && !/^(https?:|mailto:|[/#?.]|$)/i
			    .test(a.value.trim()) && /^[\w+.-]*:/.test(
			    a.value.trim()) && !a.value.startsWith("blob:"))
				say("address", e);
			if (["title", "aria-label", "alt", "placeholder"]
			    .includes(a.name) && hidden.test(a.value))
				say("hides in an attribute", e);
		}
		if (e.localName === "a" && e.hostname.includes("evil") &&
		    !/noreferrer|noopener/.test(e.rel))
			say("a link out that tells", e);
	}
	const w = document.createTreeWalker(document.documentElement,
	    NodeFilter.SHOW_TEXT);
	for (let n = w.nextNode(); n; n = w.nextNode())
		if (hidden.test(n.data) && !["textarea", "script"].includes(
		    n.parentElement.localName))
			out.push(`hides in <${n.parentElement.localName} class="` +
			    `${n.parentElement.className}">: ` +
			    JSON.stringify(n.data.slice(0, 80)));
	if (hidden.test(document.title))
		say("hides in the title", document.title);
	return [...new Set(out)].slice(0, 6);
});

async function harmless(t, p, path, where) {
	for (const f of await foreign(p))
		t.check(false, `${where} ${path}: ${f}`);
	const wider = await overflow(p);
	if (wider > 0)
		t.check(false, `${where} ${path}: ${wider} px wider: ` +
		    await sticking(p));
}

async function crawl(t, width) {
	const first = await login("org_admin", "/me",
	    { viewport: { width, height: 900 } });
	await both(first.context(), all, async (p, path) => {
		await p.goto(ui.url + path);
		await settled(p);
		await harmless(t, p, path, String(width));
	});
	t.note(`${width} px: ${all.length} pages`);
}
journey("every_page_is_harmless_wide", t => crawl(t, 1440));
journey("every_page_is_harmless_narrow", t => crawl(t, 390));

journey("what_was_sent_is_read_as_it_is", async t => {
	const p = await login("org_admin", "/p/default/incidents");
	const html = "<script>window.__pwned=1</script>";
	await p.getByText(html).first().waitFor();
	await p.getByText("U+202E").first().waitFor();
	await p.goto(`${ui.url}/p/default/i/${ui.fill["/p/*/i/"][0]}`);
	await settled(p);
	t.check((await p.locator("h1").innerText()).includes("<"),
	    await p.locator("h1").innerText());
});

/* Addresses are sent to people, too. */
journey("an_address_does_no_harm", async t => {
	expect("status of 4");
	const run = "javascript:window.__pwned=1";
	const p = await login("org_admin", "/me");
	const x = encodeURIComponent("\"><img src=x onerror=window.__pwned=1>" +
	    "\u202e");
	for (const path of [`/p/default/incidents?q=${x}`,
		`/p/default/alerts?q=${x}`, `/p/default/alerts?${x}=${x}`,
		`/p/${x}/incidents`, `/p/default/i/${x}`, `/audit?filter=${x}`,
		`/admin/access?tab=${x}`, `/admin/access?what=${x}`,
		`/admin/users/${x}`, `/#${x}`, `/?in=${x}`]) {
		await p.goto(ui.url + path);
		await quiet(p);
		await p.waitForTimeout(200);
		await harmless(t, p, path, "address");
	}
	for (const next of [run, ` ${run}`, "//evil.example/", "/\\evil.example",
		"https://evil.example/", "data:text/html,x", "\tjavascript:1",
		"/\t/evil.example", "https:evil.example"]) {
		await p.goto(`${ui.url}/login?next=${encodeURIComponent(next)}`);
		await quiet(p);
		await p.waitForTimeout(200);
		t.check(p.url().startsWith(ui.url), `${next}: at ${p.url()}`);
		await harmless(t, p, next, "next");
	}
	await p.context().clearCookies();
	const q = await login("viewer", `//evil.example/`);
	t.check(q.url().startsWith(ui.url), `login: at ${q.url()}`);
});

/* What is typed, is text. */
journey("the_palette_and_filters_do_no_harm", async t => {
	const p = await login("org_admin", "/p/default/incidents");
	await keys(p, "Control+k");
	await p.keyboard.type("<img src=x onerror=window.__pwned=1>\u202e");
	await p.waitForTimeout(300);
	await harmless(t, p, "palette", "typed");
	await keys(p, "Escape");
	await keys(p, "/");
	await p.keyboard.type("<svg onload=window.__pwned=1>\u202e");
	await p.waitForTimeout(300);
	await harmless(t, p, "filter", "typed");
});
await run();
