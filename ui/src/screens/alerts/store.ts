/*
 * store.ts: the alerts of a project this tab knows.  They come page by page,
 * newest first; whatever the filter then says is answered from here.  Events
 * say which have changed; those are asked for by their ids.
 */
import { effect, signal } from "@preact/signals";
import { all, at, get, type Page } from "../../core/api.ts";
import { listen, open, resynced, type Event } from "../../core/live.ts";
import type { Values } from "../../kit/filter.tsx";
import { misses, ready, Selection, type Alert, type Shown } from "./model.ts";

const MOST = 10000;     /* of one question */
const PAGE = 200, IDS = 100, TICK_MS = 250;
/* An event names some of what a delivery held, not always all: with more
 * than the delivery and one alert, look for what else is new. */
const NAMED = 2;
const SLACK_MS = 2000;

/* What the server can filter by; the rest is done here. */
function question(v: Values): Record<string, string> {
	const q: Record<string, string> = {};
	for (const k of ["severity", "status"]) {
		const x = v[k];
		if (x && x.split(",").every(w => /^[a-z]+$/.test(w)))
			q[k] = x;
	}
	if (v["incident"] && !["any", "none"].includes(v["incident"]))
		q["incident"] = v["incident"];
	return q;
}

export class Store {
	readonly rows = new Map<string, Alert>();
	/* counts changes of rows, once a frame */
	readonly version = signal(0);
	readonly loading = signal(false);
	readonly error = signal<Error | null>(null);
	/* there are more than were loaded */
	readonly capped = signal(false);
	/* when all of it was last heard or asked for, ms */
	readonly at = signal(0);

	#path: string;
	#users = 0;
	/* what has changed since select() was last asked */
	#before = new Map<string, Alert | undefined>();
	#selection: { key: string; of: Selection } | null = null;
	#off: (() => void) | null = null;
	#whole = new Set<string>();     /* questions answered in full */
	#abort: AbortController | null = null;
	#asked = "";
	#pending = new Set<string>();
	#more = false;
	#ticking = false;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#frame = false;
	#known = 0;     /* ms: everything older has been seen */
	#early: string[] = [];     /* read before the stream was open */

	constructor(readonly project: string) {
		this.#path = at`/v1/projects/${project}/alerts`;
	}

	/* Somebody looks; until the answer is called. */
	use(): () => void {
		if (this.#users++ === 0) {
			let first = true;
			const off = listen(es => this.#heard(es));
			const stop = effect(() => {
				void resynced.value;
				if (!first)
					this.again();
				first = false;
			});
			/* what changed between the reading and the opening, no
			 * event has told */
			const late = effect(() => {
				if (!open.value || this.#early.length === 0)
					return;
				for (const id of this.#early)
					this.#pending.add(id);
				this.#early = [];
				this.#more = true;
				this.#soon();
			});
			this.#off = () => { off(); stop(); late(); };
			this.#whole.clear();
		}
		return () => {
			if (--this.#users === 0) {
				this.#off?.();
				this.#abort?.abort();
				this.loading.value = false;
				this.#asked = "";
			}
		};
	}

	put(items: Alert[]): void {
		for (const a of items) {
			this.#changed(a.id);
			this.rows.set(a.id, a);
		}
		if (items.length > 0)
			this.touch();
	}

	drop(id: string): void {
		if (!this.rows.has(id))
			return;
		this.#changed(id);
		this.rows.delete(id);
		this.touch();
	}

	#changed(id: string): void {
		if (!this.#before.has(id))
			this.#before.set(id, this.rows.get(id));
	}

	/* What this filter shows, current with version. */
	select(v: Values): Shown {
		const key = JSON.stringify(v);
		const s = this.#selection;
		if (s?.key === key)
			s.of.apply(this.#before, id => this.rows.get(id));
		else
			this.#selection = { key, of: new Selection(
			    this.rows.values(), v) };
		this.#before = new Map();
		return (this.#selection as { of: Selection }).of.shown;
	}

	touch(): void {
		if (this.#frame)
			return;
		this.#frame = true;
		const go = (): void => {
			this.#frame = false;
			this.version.value++;
		};
		if (document.hidden)
			setTimeout(go, TICK_MS);
		else
			requestAnimationFrame(go);
	}

	/* All that the filter lets through, unless it is here. */
	want(v: Values): void {
		const q = question(v);
		const whole = JSON.stringify(q);
		if (this.#whole.has(whole) || this.#whole.has("{}") ||
		    this.#asked === whole)
			return;
		if (this.capped.peek() && v["q"])
			q["q"] = v["q"];
		void this.#load(q, whole);
	}

	again(): void {
		this.#whole.clear();
		const q = this.#asked === "" ? {} :
		    JSON.parse(this.#asked) as Record<string, string>;
		void this.#load(q, JSON.stringify(q));
	}

	async #load(q: Record<string, string>, whole: string): Promise<void> {
		this.#abort?.abort();
		const abort = this.#abort = new AbortController();
		const began = Date.now(), old = [...this.rows.keys()];
		const seen = new Set<string>();
		let cursor: string | null = null;

		this.#asked = whole;
		this.loading.value = true;
		this.error.value = null;
		try {
			do {
				const page: Page<Alert> = (await get<Page<Alert>>(this.#path,
				    { limit: PAGE, ...q, cursor }, abort.signal)).data;
				for (const a of page.items)
					seen.add(a.id);
				if (!open.peek())
					this.#early.push(...page.items.map(a => a.id));
				this.put(page.items);
				cursor = page.next;
			} while (cursor !== null && seen.size < MOST);
			this.capped.value = cursor !== null;
			if (cursor === null && !q["q"])
				this.#whole.add(whole);
			this.#sweep(old, seen, q, cursor !== null);
			this.#known = Math.max(this.#known, began);
			this.at.value = began;
		} catch (e) {
			if (abort.signal.aborted)
				return;
			this.error.value = e as Error;
		}
		this.#asked = "";
		this.loading.value = false;
		this.touch();
	}

	/* What should have come, and did not, has changed meanwhile. */
	#sweep(old: string[], seen: Set<string>, q: Record<string, string>,
	    part: boolean): void {
		const filter = ready(q);
		let last = "";
		for (const id of seen)
			last = last === "" || id < last ? id : last;
		for (const id of old) {
			const a = this.rows.get(id);
			if (a && !seen.has(id) && !(part && id < last) &&
			    misses(a, filter).length === 0)
				this.#pending.add(id);
		}
		this.#soon();
	}

	#heard(es: Event[]): void {
		for (const e of es) {
			if (e.project !== this.project ||
			    !/^(alert|ingest)\./.test(e.action))
				continue;
			for (const r of e.resource) {
				if (r.type === "alert")
					this.#pending.add(r.id);
			}
			if (e.resource.length > NAMED)
				this.#more = true;
		}
		this.at.value = Date.now();
		this.#soon();
	}

	#soon(): void {
		if (this.#pending.size > 0 || this.#more)
			this.#timer ??= setTimeout(() => {
				this.#timer = undefined;
				if (!this.#ticking)
					void this.#tick();
			}, TICK_MS);
	}

	async #tick(): Promise<void> {
		this.#ticking = true;
		try {
			const unknown = [...this.#pending]
			    .filter(id => !this.rows.has(id)).length;
			if (this.#more || unknown > IDS)
				await this.#newest();
			for (let n = 0; n < 5 && this.#pending.size > 0; n++)
				await this.#some([...this.#pending].slice(0, IDS));
		} catch { /* lost: the next event, or a resync, asks again */ }
		this.#ticking = false;
		if (this.#users > 0)
			this.#soon();
	}

	async #some(ids: string[]): Promise<void> {
		const items = await all<Alert>(this.#path,
		    { limit: null, ids: ids.join(",") });
		const got = new Set(items.map(a => a.id));
		for (const id of ids) {
			this.#pending.delete(id);
			if (!got.has(id))
				this.drop(id);
		}
		this.put(items);
	}

	/* Pages from the newest back to where all is known. */
	async #newest(): Promise<void> {
		const began = Date.now(), until = this.#known - SLACK_MS;
		let cursor: string | null = null;
		let n = 0;

		this.#more = false;
		for (;;) {
			const page: Page<Alert> = (await get<Page<Alert>>(this.#path,
			    { limit: PAGE, cursor })).data;
			for (const a of page.items)
				this.#pending.delete(a.id);
			this.put(page.items);
			n += page.items.length;
			cursor = page.next;
			const last = page.items[page.items.length - 1];
			if (!last || cursor === null || n >= MOST ||
			    Date.parse(last.first_seen) < until)
				break;
		}
		this.#known = Math.max(this.#known, began);
	}
}

const stores = new Map<string, Store>();
export function storeOf(project: string): Store {
	let s = stores.get(project);
	if (!s) {
		s = new Store(project);
		stores.set(project, s);
	}
	return s;
}

/* What the inbox last showed, for whoever goes on to the next. */
export const shownLast = { project: "", ids: [] as string[], query: "",
	at: null as string | null };
