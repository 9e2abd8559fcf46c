/*
 * crawl.mjs: every page, in both themes, wide and narrow: what axe finds, what
 * the CSP forbids, what leaves the origin, what is cut off.  With SHOTS=1 a
 * picture of each.  And every page again as each of the others.
 */
import { mkdirSync, rmSync } from "node:fs";
import { axe, COLOURS, context, expect, journey, login, overflow, quiet,
	run, settled, shot, sticking, ui } from "./kit.mjs";
import { all, both, LOGGED_OUT, paths, patterns } from "./pages.mjs";

/* A picture's name is the same each time: of an id, which of all it is. */
const ID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const ids = [...new Set(all.map(p => ID.exec(p)?.[0]).filter(x => x))];
const name = path => path.replace(ID, id => `id${ids.indexOf(id)}`)
    .replace(/[^\w]+/g, "_").replace(/^_|_$/g, "") || "now";
const idle = p => p.waitForFunction(() => document.getAnimations().every(
    a => a.playState !== "running"));

async function facts(p) {
	const f = await p.evaluate(() => ({
		h1: document.querySelectorAll("h1").length,
		main: document.querySelectorAll("main").length,
		title: document.title }));
	return f.h1 === 1 && f.main === 1 && f.title.includes(" · ") ? [] :
	    [JSON.stringify(f)];
}

/* Where one is and what can be done with a row are in sight, and no list
 * scrolls in a page that scrolls. */
const hidden = p => p.evaluate(() => {
	const out = [];
	for (const e of document.querySelectorAll(
	    ".nav [aria-current], .tabs [aria-current], td.crud-actions > *")) {
		const r = e.getBoundingClientRect();
		if (r.width > 0 && (r.left < 0 || r.right > innerWidth ||
		    (e.closest(".nav") && r.bottom > innerHeight)))
			out.push(`out of sight: ${e.ariaLabel ?? e.textContent}`);
	}
	if (document.querySelector(".nav") && /^.p.[^/]+.(i|declare|new-)/
	    .test(location.pathname) &&
	    !document.querySelector(".nav [aria-current]"))
		out.push("the navigation does not say where one is");
	if (document.querySelector("main .grid") &&
	    document.documentElement.scrollHeight > innerHeight)
		out.push("a list that scrolls in a page that does");
	return out;
});

/* One page at one width, in both themes. */
async function look(t, p, path, width) {
	const bad = (theme, found) => found.forEach(f =>
	    t.check(false, `${theme}-${width} ${path}: ${f}`));
	await p.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
	await p.goto(ui.url + path);
	await settled(p);
	await idle(p);
	bad("dark", await facts(p));
	bad("dark", await hidden(p));
	const wider = await overflow(p);
	bad("dark", wider > 0 ? [`${wider} px wider than the window: ` +
	    await sticking(p)] : []);
	bad("dark", await axe(p));
	if (process.env.SHOTS)
		await shot(p, `dark-${width}/${name(path)}`);
	await p.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
	await idle(p);
	bad("light", await axe(p, COLOURS));
	if (process.env.SHOTS)
		await shot(p, `light-${width}/${name(path)}`);
}

async function crawl(t, width) {
	for (const theme of process.env.SHOTS ? ["dark", "light"] : []) {
		rmSync(`${ui.out}/${theme}-${width}`, { recursive: true,
			force: true });
		mkdirSync(`${ui.out}/${theme}-${width}`, { recursive: true });
	}
	const more = { viewport: { width, height: 900 } };
	const began = Date.now(), c = await context(more);
	await both(c, LOGGED_OUT, (p, path) => look(t, p, path, width));
	await (await login("org_admin", "/me", { context: c })).close();
	await both(c, all, (p, path) => look(t, p, path, width));
	t.note(`${width} px: ${all.length + LOGGED_OUT.length} pages, ` +
	    `${((Date.now() - began) / 1000).toFixed(0)} s`);
}

journey("every_pattern_has_its_page", t => {
	for (const p of patterns)
		t.check(paths(p).length > 0, `the seed has nothing for ${p}`);
});
journey("every_page_wide", t => crawl(t, 1440));
journey("every_page_narrow", t => crawl(t, 390));
/* What one may not see is said in the page: never by breaking. */
journey("every_page_as_everybody", async t => {
	expect("status of 403", "status of 404");
	for (const role of Object.keys(ui.people)) {
		const p = await login(role, "/me");
		for (const path of all) {
			await p.evaluate(to => {
				history.pushState(null, "", to);
				dispatchEvent(new PopStateEvent("popstate"));
				return new Promise(r => requestAnimationFrame(
				    () => setTimeout(r)));
			}, path);
			await quiet(p);
			for (const f of await facts(p))
				t.check(false, `${role} ${path}: ${f}`);
		}
		await p.context().close();
	}
});
await run();
