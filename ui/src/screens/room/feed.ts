/*
 * feed.ts: the timeline of an incident, as far as it was asked for.  Newest
 * page first, older ones on demand; what is new is read until it meets what
 * is known, so nothing is missed between two events.
 */
import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get, post, type Page } from "../../core/api.ts";
import { whenever } from "../../core/live.ts";
import { know } from "../../core/people.ts";
import type { Source } from "../incidents/model.ts";

export interface Entry { seq: number; kind: string; text: string;
	key_event: boolean; occurred_at: string; recorded_at: string;
	actor: { kind: string; id: string; name: string | null } | null;
	source: Source | null; data: Record<string, unknown> | null }

const PAGE = 50, MANY = 200;

export class Feed {
	/* in the order of their numbers */
	readonly entries = signal<Entry[]>([]);
	readonly ready = signal(false);
	readonly error = signal<Error | null>(null);
	readonly older = signal<string | null>(null);
	readonly reading = signal(false);
	#fresh: Promise<void> | null = null;
	#again = false;
	#gone = false;

	constructor(readonly path: string) {}
	stop(): void { this.#gone = true; }
	get newest(): number { return this.entries.peek().at(-1)?.seq ?? 0; }

	#add(es: Entry[]): void {
		const known = this.entries.peek();
		const have = new Set(known.map(e => e.seq));
		const add = es.filter(e => !have.has(e.seq));
		for (const e of add) {
			if (e.actor?.name)
				know({ ...e.actor, name: e.actor.name });
		}
		if (add.length > 0)
			this.entries.value = [...known, ...add]
			    .sort((a, b) => a.seq - b.seq);
	}
	#page(limit: number, cursor: string | null): Promise<Page<Entry>> {
		return get<Page<Entry>>(this.path + "/timeline",
		    { order: "desc", limit, cursor }).then(g => g.data);
	}

	/* What came since; asked for while it reads, it reads once more. */
	fresh(): Promise<void> {
		if (this.#fresh) {
			this.#again = true;
			return this.#fresh;
		}
		this.#fresh = this.#catchUp().then(() => {
			this.error.value = null;
		}, (e: unknown) => {
			this.error.value = e as Error;
		}).finally(() => {
			this.#fresh = null;
			if (this.#again && !this.#gone) {
				this.#again = false;
				void this.fresh();
			}
		});
		return this.#fresh;
	}
	async #catchUp(): Promise<void> {
		const first = !this.ready.peek(), newest = this.newest;
		const came: Entry[] = [];
		let cursor: string | null = null;
		do {
			const page: Page<Entry> = await this.#page(first ? PAGE :
			    cursor === null ? 20 : MANY, cursor);
			came.push(...page.items);
			cursor = page.next;
		} while (!first && cursor !== null &&
		    (came.at(-1)?.seq ?? 0) > newest + 1);
		if (this.#gone)
			return;
		if (first)
			this.older.value = cursor;
		this.#add(came);
		this.ready.value = true;
	}

	async more(): Promise<void> {
		const cursor = this.older.peek();
		if (cursor === null || this.reading.peek())
			return;
		this.reading.value = true;
		try {
			const page = await this.#page(MANY, cursor);
			this.older.value = page.next;
			this.#add(page.items);
			this.error.value = null;
		} catch (e) {
			this.error.value = e as Error;
		} finally {
			this.reading.value = false;
		}
	}

	/* Posts a note; the same key posts it once, however often it is tried. */
	async note(text: string, key: boolean, once: string): Promise<void> {
		const { data } = await post<Entry>(this.path + "/timeline",
		    { text, key_event: key }, { key: once });
		if (data.seq === this.newest + 1)
			this.#add([data]);
		else
			await this.fresh();
	}
}

export function useFeed(path: string, id: string | undefined,
    count: number): Feed {
	const feed = useMemo(() => new Feed(path), [path]);
	useEffect(() => {
		void feed.fresh();
		return () => feed.stop();
	}, [feed]);
	/* alerts tell of themselves only; the count tells the rest */
	useEffect(() => {
		if (feed.ready.peek() && count > feed.newest)
			void feed.fresh();
	}, [feed, count]);
	useEffect(() => id ? whenever(e => e.resource.some(r =>
	    r.type === "incident" && r.id === id), () => void feed.fresh(), 60) :
	    undefined, [feed, id]);
	return feed;
}
