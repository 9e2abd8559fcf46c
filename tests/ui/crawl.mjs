/*
 * crawl.mjs: every page, in both themes, wide and narrow: what axe finds, what
 * the CSP forbids, what leaves the origin, what is cut off.  With SHOTS=1 a
 * picture of each.
 */
import { readFileSync, mkdirSync } from "node:fs";
import { axe, context, journey, login, overflow, run, settled, shot, ui }
	from "./kit.mjs";

const FILL = ui.fill ?? {};
const patterns = readFileSync(`${ui.dist}/pages.txt`, "utf8").trim().split("\n");
/* A pattern's stars are the project, then what the seed made. */
export function paths(pattern) {
	let p = pattern;
	if (p.startsWith("/p/*"))
		p = p.replace("*", ui.project);
	const key = Object.keys(FILL).find(k => p.startsWith(k) &&
	    p.includes("*"));
	return p.includes("*") ? (key ? FILL[key].map(v =>
	    p.replace("*", encodeURIComponent(v)).replace("*", "alerts")) : []) :
	    [p];
}
const all = [...patterns.flatMap(paths), ...(ui.extra ?? [])];
const LOGGED_OUT = ["/login", "/enrol"];

async function look(t, p, path, where) {
	const found = [];
	await p.goto(ui.url + path);
	await settled(p);
	await p.waitForTimeout(150);
	const facts = await p.evaluate(() => ({
		h1: document.querySelectorAll("h1").length,
		main: document.querySelectorAll("main").length,
		title: document.title }));
	if (facts.h1 !== 1 || facts.main !== 1 || !facts.title.includes(" · "))
		found.push(JSON.stringify(facts));
	const wider = await overflow(p);
	if (wider > 0)
		found.push(`${wider} px wider than the window`);
	found.push(...await axe(p));
	if (process.env.SHOTS)
		await shot(p, `${where}/${path.replace(/[^\w]+/g, "_")
		    .replace(/^_/, "") || "now"}`);
	for (const f of found)
		t.check(false, `${where} ${path}: ${f}`);
}

async function crawl(t, theme, width) {
	const where = `${theme}-${width}`;
	mkdirSync(`${ui.out}/${where}`, { recursive: true });
	const more = { colorScheme: theme, viewport: { width, height: 900 } };
	const p = await login("org_admin", "/me", more);
	for (const path of all.filter(x => !LOGGED_OUT.includes(x)))
		await look(t, p, path, where);
	const q = await (await context(more)).newPage();
	for (const path of LOGGED_OUT)
		await look(t, q, path, where);
	t.note(`${where}: ${all.length} pages`);
}
journey("every_page_dark_wide", t => crawl(t, "dark", 1440));
journey("every_page_light_wide", t => crawl(t, "light", 1440));
journey("every_page_dark_narrow", t => crawl(t, "dark", 390));
journey("every_page_light_narrow", t => crawl(t, "light", 390));
await run();
