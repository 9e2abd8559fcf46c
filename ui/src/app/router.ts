/* router.ts: the address is the state: path, parameters, query.  A pattern's
 * last part may be left out when it is ":name?"; pages that differ in it only
 * are one page, which stays. */
import { signal } from "@preact/signals";
import screens from "all-screens";
import type { View } from "./screen.ts";

interface Route { pattern: string[]; load: () => Promise<{ default: View }> }
const routes: Route[] = screens.flatMap(s => Object.entries(s.routes)
    .map(([p, load]) => ({ pattern: p.split("/"), load })));

export interface Found {
	load: Route["load"] | null; params: Record<string, string>;
	path: string; query: URLSearchParams; pattern: string;
	/* what makes it another page */
	page: string;
}

function matches(r: Route, parts: string[]): Record<string, string> | null {
	const params: Record<string, string> = {};
	const n = r.pattern.length, last = r.pattern[n - 1] ?? "";
	if (n !== parts.length && !(last.endsWith("?") &&
	    n - 1 === parts.length))
		return null;
	for (const [i, p] of r.pattern.slice(0, parts.length).entries()) {
		const part = parts[i] ?? "";
		if (p.startsWith(":") && part !== "")
			params[p.replace(/[:?]/g, "")] = decodeURIComponent(part);
		else if (p !== part)
			return null;
	}
	return params;
}

/* Of two patterns that match, the one with fewer variables. */
export function find(address: string): Found {
	const u = new URL(address, location.origin);
	const parts = u.pathname.split("/");
	let best: Found = { load: null, params: {}, path: u.pathname,
		query: u.searchParams, pattern: "", page: "" };
	let vars = 99;
	for (const r of routes) {
		const n = r.pattern.filter(p => p.startsWith(":")).length;
		const params = n < vars ? matches(r, parts) : null;
		if (params) {
			best = { ...best, load: r.load, params,
				pattern: r.pattern.join("/"),
				page: JSON.stringify(r.pattern.map((s, i) =>
				    s.endsWith("?") ? s : parts[i])) };
			vars = n;
		}
	}
	return best;
}

export const here = signal<Found>(find(location.href));

/* What may stop one from leaving (for that address): an edit not saved. */
type Guard = (to: string) => boolean;
let guard: Guard | null = null;
export function guardLeaving(g: Guard | null): void { guard = g; }

export function go(path: string, how: { replace?: boolean } = {}): void {
	if (guard && !guard(path))
		return;
	guard = null;
	if (how.replace)
		history.replaceState(null, "", path);
	else
		history.pushState(null, "", path);
	here.value = find(location.href);
	if (!how.replace)
		scrollTo(0, 0);
}

/* Other values in the query of this page. */
export function goQuery(values: Record<string, string | null | undefined>):
    void {
	const u = new URL(location.href);
	for (const [k, v] of Object.entries(values)) {
		if (v === null || v === undefined || v === "")
			u.searchParams.delete(k);
		else
			u.searchParams.set(k, v);
	}
	history.replaceState(null, "", u.pathname + u.search);
	here.value = find(location.href);
}

let shown = location.href;
here.subscribe(() => { shown = location.href; });
addEventListener("popstate", () => {
	const to = location.pathname + location.search;
	if (guard && !guard(to)) {
		history.pushState(null, "", shown);
		return;
	}
	guard = null;
	here.value = find(location.href);
});

/* A click on a link of ours stays in the page. */
document.addEventListener("click", e => {
	const a = (e.target as Element).closest?.("a");
	if (!a || e.defaultPrevented || e.button !== 0 || e.metaKey ||
	    e.ctrlKey || e.shiftKey || e.altKey || a.target !== "" ||
	    a.hasAttribute("download") || a.origin !== location.origin ||
	    find(a.href).load === null)
		return;
	e.preventDefault();
	go(a.pathname + a.search + a.hash);
});
