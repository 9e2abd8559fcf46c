/* use.ts: hooks: something of the server that stays current. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { all, get, type Got, type Ask } from "./api.ts";
import { whenever, type Event } from "./live.ts";

export interface Loaded<T> {
	data: T | null; etag: string | null; error: Error | null;
	loading: boolean; at: number;
	reload: () => void;
	/* Show this until the server says something else (optimistic). */
	set: (data: T, etag?: string | null) => void;
}

/* What `ask` answers; again when one of `deps` is another, when an event
 * matches, and on reload(). */
export function useLoaded<T>(ask: ((signal: AbortSignal) =>
    Promise<Got<T>>) | null, deps: unknown[], on?: (e: Event) => boolean):
    Loaded<T> {
	const [s, put] = useState<Omit<Loaded<T>, "reload" | "set">>({
		data: null, etag: null, error: null, loading: true, at: 0 });
	const [n, again] = useState(0);
	const match = useRef(on);
	match.current = on;
	/* An answer that is on its way is waited for: events that come faster
	 * than answers would else let none arrive. */
	const busy = useRef(false), late = useRef(false);

	useEffect(() => {
		const abort = new AbortController();
		busy.current = ask !== null;
		late.current = false;
		const done = (): void => {
			busy.current = false;
			if (late.current)
				again(x => x + 1);
		};
		if (!ask)
			return undefined;
		put(o => ({ ...o, loading: true }));
		ask(abort.signal).then(g => {
			if (abort.signal.aborted)
				return;
			put({ data: g.data, etag: g.etag, error: null,
				loading: false, at: Date.now() });
			done();
		}, (e: unknown) => {
			if (abort.signal.aborted)
				return;
			put(o => ({ ...o, error: e as Error, loading: false }));
			done();
		});
		return () => abort.abort();
	}, [...deps, n]);
	/* another question: the old answer must not stay */
	useEffect(() => () => put({ data: null, etag: null, error: null,
		loading: true, at: 0 }), deps);
	useEffect(() => on ? whenever(e => match.current?.(e) ?? false,
	    () => {
		if (busy.current)
			late.current = true;
		else
			again(x => x + 1);
	    }) : undefined, [on !== undefined]);
	const reload = useCallback(() => again(x => x + 1), []);
	const set = useCallback((data: T, etag?: string | null) =>
	    put(o => ({ ...o, data, etag: etag ?? o.etag })), []);
	return { ...s, reload, set };
}

export const useGet = <T>(path: string | null, query?: Ask["query"],
    on?: (e: Event) => boolean): Loaded<T> =>
	useLoaded<T>(path === null ? null :
	    signal => get<T>(path, query, signal),
	    [path, JSON.stringify(query ?? {})], on);

/* A whole list, of at most `most`. */
export const useAll = <T>(path: string | null, query?: Ask["query"],
    on?: (e: Event) => boolean, most = 1000): Loaded<T[]> =>
	useLoaded<T[]>(path === null ? null : async () => ({
		data: await all<T>(path, query, most), etag: null, status: 200 }),
	    [path, JSON.stringify(query ?? {})], on);
