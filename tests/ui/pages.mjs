/* pages.mjs: the addresses of all pages, and two of them at once. */
import { readFileSync } from "node:fs";
import { page, ui } from "./kit.mjs";

export const patterns = readFileSync(`${ui.dist}/pages.txt`, "utf8").trim()
    .split("\n");
/* A star of a pattern is each of what the seed made of that kind: fill has it
 * by what stands before the star. */
export function paths(pattern) {
	let out = [""], before = "";
	for (const piece of pattern.split(/(\*)/)) {
		const values = piece === "*" ? ui.fill[before] ?? [] : [piece];
		out = out.flatMap(o => values.map(v => o + (piece === "*" ?
		    encodeURIComponent(v) : v)));
		before += piece;
	}
	return out;
}
export const LOGGED_OUT = ["/login", "/enrol"];
export const all = [...patterns.flatMap(paths), ...(ui.extra ?? [])].filter(
    x => !LOGGED_OUT.includes(x));

/* f(page, path) for all of them, two pages of one browser at once. */
export async function both(context, todo, f) {
	const left = [...todo];
	await Promise.all([0, 1].map(async () => {
		const p = await page(context);
		for (let path = left.shift(); path; path = left.shift())
			await f(p, path);
		await p.close();
	}));
}
