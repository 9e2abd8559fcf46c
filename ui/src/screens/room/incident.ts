/*
 * incident.ts: the incident of a war room: what is known of it, and changes.
 * A change is shown at once and sent with the ETag of what it was made from.
 * When somebody else was faster (412): what only one of both changed is kept,
 * and what both did is asked about.
 */
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { at, call, get, post, Problem, type Got } from "../../core/api.ts";
import { useGet } from "../../core/use.ts";
import { nameOf } from "../../core/people.ts";
import { whenever, type Event } from "../../core/live.ts";
import type { Conflict } from "../../kit/merge.tsx";
import { T } from "../../text/index.ts";
import { labelOf, shown, type Incident } from "../incidents/model.ts";

export type Change = Partial<Pick<Incident, "title" | "summary" | "severity" |
    "type" | "services" | "environments" | "fields" | "security_details" |
    "private" | "commander">>;
export type Base = Pick<Got<Incident>, "data" | "etag">;

/* Somebody looked at both, and left it as it is. */
export class NotSaved extends Error {
	constructor() { super(T.room.notSaved); }
	override toString(): string { return this.message; }
}

export interface Clash { conflicts: Conflict[];
	answer: (mine: Set<string> | null) => void }

export interface Room {
	project: string; number: string; path: string;
	data: Incident | null; etag: string | null; error: Error | null;
	reload: () => void;
	clash: Clash | null;
	edit: (change: Change, base?: Base) => Promise<void>;
	move: (to: string, note?: string) => Promise<void>;
}

const same = (a: unknown, b: unknown): boolean =>
	JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
const told = (k: string, v: unknown): string => k === "commander" && v ?
    nameOf(String(v)) : shown(k, v);
const TRIES = 5;
const RECHECK_MS = 20000;

/* What both changed, to something else each. */
function conflictsOf(mine: Record<string, unknown>, base: Incident,
    theirs: Incident): Conflict[] {
	const b = base as unknown as Record<string, unknown>;
	const t = theirs as unknown as Record<string, unknown>;
	return Object.keys(mine).filter(k => !same(t[k], b[k]) &&
	    !same(t[k], mine[k])).map(k => ({ name: k, label: labelOf(k),
		mine: told(k, mine[k]), theirs: told(k, t[k]),
		base: told(k, b[k]) }));
}

export function useRoom(project: string, number: string): Room {
	const path = at`/v1/projects/${project}/incidents/${number}`;
	const id = useRef("");
	const got = useGet<Incident>(path, undefined, (e: Event) =>
	    e.resource.some(r => r.type === "incident" &&
		r.id === id.current));
	/* an alert says nothing of its incident: look, but not at each */
	useEffect(() => whenever(e => e.project === project &&
	    /^(ingest|alert)\./.test(e.action), got.reload, 1500), [project]);
	/* who is no member any more hears of nothing: so look, now and then */
	const hidden = got.data?.private ?? false;
	useEffect(() => {
		const look = (): void => {
			if (!document.hidden)
				got.reload();
		};
		const timer = hidden ? setInterval(look, RECHECK_MS) : undefined;
		document.addEventListener("visibilitychange", look);
		return () => {
			clearInterval(timer);
			document.removeEventListener("visibilitychange", look);
		};
	}, [hidden]);
	const [clash, setClash] = useState<Clash | null>(null);
	const last = useRef<Base | null>(null);
	const queue = useRef<Promise<unknown>>(Promise.resolve());

	id.current = got.data?.id ?? "";
	last.current = got.data && { data: got.data, etag: got.etag };

	const take = useCallback((g: Base): void => {
		last.current = g;
		got.set(g.data, g.etag);
	}, [got.set]);

	/* one after the other: the next is made from what the one before gave */
	const change = useCallback((mine: Record<string, unknown>,
	    from: Base | undefined, send: (what: Record<string, unknown>,
	    etag: string | null) => Promise<Got<Incident>>): Promise<void> => {
		const work = async (): Promise<void> => {
			let base = from ?? last.current, what = mine;
			if (!base)
				return;
			if (last.current)
				got.set({ ...last.current.data, ...mine });
			try {
				for (let n = 0; ; n++) {
					try {
						take(await send(what, base.etag));
						return;
					} catch (e) {
						if (!(e instanceof Problem) ||
						    e.status !== 412 || n === TRIES)
							throw e;
					}
					const theirs = await get<Incident>(path);
					what = await settle(what, base.data, theirs);
					base = theirs;
					if (Object.keys(what).length === 0) {
						take(theirs);
						return;
					}
				}
			} catch (e) {
				got.reload();
				throw e;
			}
		};
		const settle = async (what: Record<string, unknown>,
		    base: Incident, theirs: Got<Incident>) => {
			const conflicts = conflictsOf(what, base, theirs.data);
			if (conflicts.length === 0)
				return what;
			const keep = await new Promise<Set<string> | null>(answer =>
			    setClash({ conflicts, answer }));
			setClash(null);
			if (!keep) {
				take(theirs);
				throw new NotSaved();
			}
			return Object.fromEntries(Object.entries(what).filter(
			    ([k]) => keep.has(k) ||
			    !conflicts.some(c => c.name === k)));
		};
		const run = queue.current.then(work, work);
		queue.current = run.catch(() => undefined);
		return run;
	}, [path, take]);

	return useMemo(() => ({ project, number, path, data: got.data,
		etag: got.etag, error: got.error, reload: got.reload, clash,
		edit: (c, base) => change(c, base, (what, etag) =>
		    call<Incident>("PATCH", path, { body: what, ifMatch: etag })),
		move: (to, note) => change({ status: to }, undefined,
		    (what, etag) => post<Incident>(path + "/transitions",
			{ to: what["status"], ...(note && { note }) },
			{ ifMatch: etag })),
	}), [project, number, path, got.data, got.etag, got.error, clash,
	    change]);
}
