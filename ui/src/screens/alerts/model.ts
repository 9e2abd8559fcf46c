/* model.ts: an alert as the API has it, and what a filter says of it. */
import type { Json } from "../../core/api.ts";
import type { FilterDef, Values } from "../../kit/filter.tsx";
import { T } from "../../text/index.ts";

export interface Rule { rule: string; condition?: string; matched: boolean;
	did: string; [k: string]: Json | undefined }
export interface Alert {
	id: string; title: string; message: string | null; severity: string;
	status: string; count: number; first_seen: string; last_seen: string;
	resolved_at: string | null; expires_at?: string | null;
	incident: string | null; dedup_key: string; group: string | null;
	service: string | null; environment: string | null;
	labels: Record<string, Json>; link: string | null;
	severity_unmapped: boolean;
	source: { kind: string; principal?: string; address?: string;
		[k: string]: Json | undefined } | null;
	explain: { rules?: Rule[]; [k: string]: Json | Rule[] | undefined } | null;
}

export const SEVERITIES = ["critical", "error", "warning", "info"] as const;
export const STATUSES = ["triggered", "acknowledged", "resolved",
    "suppressed"] as const;
export const firing = (a: Alert): boolean =>
	a.status === "triggered" || a.status === "acknowledged";
export const rank = (a: Alert): number =>
	SEVERITIES.indexOf(a.severity as "info");

/* What the filter knows: a name, and "-name" for all but that.  Lists are
 * separated by commas. */
export const FACETS = ["severity", "status", "service", "environment",
    "incident"] as const;
export type Facet = typeof FACETS[number];
export const FILTER: FilterDef[] = FACETS.flatMap(f => [
	{ name: f, label: T.alerts[f] },
	{ name: "-" + f, label: T.alerts[f] }]);

export function facetOf(a: Alert, f: Facet): string {
	return f === "incident" ? a.incident ?? "none" : a[f] ?? "none";
}
const has = (list: string, a: Alert, f: Facet): boolean => {
	const v = facetOf(a, f);
	return list === v || list.split(",").includes(v) ||
	    (f === "incident" && list === "any" && a.incident !== null);
};

const texts = new WeakMap<Alert, string>();
function textOf(a: Alert): string {
	let t = texts.get(a);
	if (t === undefined) {
		t = [a.title, a.message, a.service, a.environment, a.dedup_key,
		    ...Object.values(a.labels).filter(l => typeof l === "string")]
		    .join("\0").toLowerCase();
		texts.set(a, t);
	}
	return t;
}

/* The facets this alert does not fit, at most two: with none it is in the
 * list, with one it counts for that facet.  "q" is a facet, here. */
export function misses(a: Alert, v: Values): (Facet | "q")[] {
	const out: (Facet | "q")[] = [];
	if (v["q"] && !textOf(a).includes(v["q"].toLowerCase()))
		out.push("q");
	for (const f of FACETS) {
		const yes = v[f], no = v["-" + f];
		if ((yes && !has(yes, a, f)) || (no && has(no, a, f)))
			out.push(f);
		if (out.length > 1)
			break;
	}
	return out;
}

export type Counts = Record<Facet, Map<string, number>>;
export interface Shown { rows: Alert[]; counts: Counts }

/* What the filter lets through, newest first, and how many each value of a
 * facet would. */
export function shownOf(all: Iterable<Alert>, v: Values): Shown {
	const rows: Alert[] = [];
	const counts = Object.fromEntries(FACETS.map(f =>
	    [f, new Map<string, number>()])) as Counts;
	const count = (f: Facet, a: Alert): void => {
		const k = f === "incident" ? (a.incident ? "any" : "none") :
		    facetOf(a, f);
		counts[f].set(k, (counts[f].get(k) ?? 0) + 1);
	};
	for (const a of all) {
		const m = misses(a, v);
		if (m.length === 0) {
			rows.push(a);
			for (const f of FACETS)
				count(f, a);
		} else if (m.length === 1 && m[0] && m[0] !== "q") {
			count(m[0], a);
		}
	}
	/* ids are UUIDv7: they sort by time of creation */
	rows.sort((a, b) => a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
	return { rows, counts };
}

/* One value more, or less, in a list. */
export function toggled(list: string | undefined, value: string): string |
    null {
	const set = new Set((list ?? "").split(",").filter(x => x !== ""));
	if (!set.delete(value))
		set.add(value);
	return set.size === 0 ? null : [...set].join(",");
}
