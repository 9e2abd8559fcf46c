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

/* A filter made ready for 10,000 alerts. */
interface Test { f: Facet; in: Set<string>; any: boolean; not: boolean }
export interface Ready { q: string; tests: Test[] }
export function ready(v: Values): Ready {
	const tests = FACETS.flatMap(f => [f, "-" + f].flatMap(k => {
		const list = v[k];
		return list ? [{ f, in: new Set([list, ...list.split(",")]),
			any: f === "incident" && list === "any",
			not: k !== f }] : [];
	}));
	return { q: (v["q"] ?? "").toLowerCase(), tests };
}

/* The facets this alert does not fit, at most two: with none it is in the
 * list, with one it counts for that facet.  "q" is a facet, here. */
export function misses(a: Alert, r: Ready): (Facet | "q")[] {
	const out: (Facet | "q")[] = [];
	if (r.q !== "" && !textOf(a).includes(r.q))
		out.push("q");
	for (const t of r.tests) {
		const is = t.in.has(facetOf(a, t.f)) ||
		    (t.any && a.incident !== null);
		if (is === t.not && !out.includes(t.f))
			out.push(t.f);
		if (out.length > 1)
			break;
	}
	return out;
}

export type Counts = Record<Facet, Map<string, number>>;
export interface Shown { rows: readonly Alert[]; counts: Counts }

const worth = (f: Facet, a: Alert): string => f === "incident" ?
    (a.incident ? "any" : "none") : facetOf(a, f);
/* ids are UUIDv7: they sort by time of creation */
const newest = (a: Alert, b: Alert): number =>
	a.id < b.id ? 1 : a.id > b.id ? -1 : 0;

/*
 * What a filter lets through, newest first, and how many each value of a
 * facet would.  10,000 rows of which 200 change four times a second are not
 * looked through again: what has changed is put in its place.
 */
export class Selection {
	shown: Shown;

	readonly #filter: Ready;

	constructor(all: Iterable<Alert>, v: Values) {
		this.#filter = ready(v);
		const rows: Alert[] = [];
		this.shown = { rows, counts: Object.fromEntries(FACETS.map(f =>
		    [f, new Map<string, number>()])) as Counts };
		for (const a of all) {
			if (this.#count(a, 1))
				rows.push(a);
		}
		rows.sort(newest);
	}

	/* Counts it, or takes it out; is it in the list? */
	#count(a: Alert, n: 1 | -1): boolean {
		const m = misses(a, this.#filter), one = m[0];
		const add = (f: Facet): void => {
			const k = worth(f, a), c = this.shown.counts[f];
			const x = (c.get(k) ?? 0) + n;
			if (x === 0)
				c.delete(k);
			else
				c.set(k, x);
		};
		if (m.length === 0)
			FACETS.forEach(add);
		else if (m.length === 1 && one && one !== "q")
			add(one);
		return m.length === 0;
	}

	/* Where in the list this id is, or would be. */
	#place(rows: readonly Alert[], id: string): number {
		let lo = 0, hi = rows.length;
		while (lo < hi) {
			const mid = (lo + hi) >> 1, x = rows[mid];
			if (x && x.id > id)
				lo = mid + 1;
			else
				hi = mid;
		}
		return lo;
	}

	/* changed: what each was before; now: what it is */
	apply(changed: Map<string, Alert | undefined>,
	    now: (id: string) => Alert | undefined): void {
		if (changed.size === 0)
			return;
		const rows = [...this.shown.rows], more: Alert[] = [];
		let moved = false;
		for (const [id, old] of changed) {
			const a = now(id);
			const was = old !== undefined && this.#count(old, -1);
			const is = a !== undefined && this.#count(a, 1);
			const i = was ? this.#place(this.shown.rows, id) : -1;
			if (is && was)
				rows[i] = a;
			else if (is)
				more.push(a);
			else if (was)
				delete rows[i];
			moved = moved || (was && !is);
		}
		more.sort(newest);
		const left = moved ? rows.filter(() => true) : rows;
		const last = more[more.length - 1], first = left[0];
		const end = left[left.length - 1], top = more[0];
		this.shown = { counts: { ...this.shown.counts }, rows:
		    !last || !top ? left : !first || !end || last.id > first.id ?
		    [...more, ...left] : top.id < end.id ? [...left, ...more] :
		    [...left, ...more].sort(newest) };
	}
}

/* One value more, or less, in a list. */
export function toggled(list: string | undefined, value: string): string |
    null {
	const set = new Set((list ?? "").split(",").filter(x => x !== ""));
	if (!set.delete(value))
		set.add(value);
	return set.size === 0 ? null : [...set].join(",");
}
