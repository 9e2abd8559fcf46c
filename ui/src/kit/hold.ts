/*
 * hold.ts: a list that does not move while one reads it.  What comes new
 * from elsewhere waits to be asked for; what no longer fits stays where it
 * is, as it is by now.  What one does oneself shows at once.
 */
import { useMemo, useRef, useState } from "preact/hooks";

export interface Live<R> {
	/* the row as it is now, though it may not fit the filter any more */
	find: (key: string) => R | undefined;
	/* rows one has changed oneself: they may leave */
	own: ReadonlySet<string>;
	/* another question (filter, view): all of the answer, at once */
	epoch: string;
}
export interface Held<R> { rows: readonly R[]; fresh: number;
	left: ReadonlySet<string>; take: () => void }

const NONE: ReadonlySet<string> = new Set();

/* Most often what was there is there, with what is new above and below. */
function inOrder<R>(kept: readonly R[], rows: readonly R[],
    keyOf: (r: R) => string): Omit<Held<R>, "take"> | null {
	const first = kept[0], from = first === undefined ? -1 :
	    rows.findIndex(r => keyOf(r) === keyOf(first));
	if (from < 0 || rows.length - from < kept.length)
		return null;
	let same = rows.length - from === kept.length;
	for (const [i, r] of kept.entries()) {
		const n = rows[from + i] as R;
		if (keyOf(n) !== keyOf(r))
			return null;
		same = same && n === r;
	}
	return { rows: same ? kept : rows.slice(from), fresh: from,
		left: NONE };
}

function hold<R>(kept: readonly R[], rows: readonly R[],
    keyOf: (r: R) => string, live: Live<R>): Omit<Held<R>, "take"> {
	const now = new Map(rows.map(r => [keyOf(r), r]));
	const left = new Set<string>(), shown: R[] = [];
	let last = "";

	for (const r of kept) {
		const k = keyOf(r), n = now.get(k);
		if (n) {
			shown.push(n);
			now.delete(k);
			last = k;
		} else if (!live.own.has(k)) {
			shown.push(live.find(k) ?? r);
			left.add(k);
		}
	}
	/* what follows the last row is more of the list, not news */
	const end = last === "" ? rows.length : 1 +
	    rows.findLastIndex(r => keyOf(r) === last);
	for (const r of rows.slice(end)) {
		if (now.delete(keyOf(r)))
			shown.push(r);
	}
	return { rows: shown, fresh: now.size, left };
}

export function useHold<R>(rows: readonly R[], keyOf: (r: R) => string,
    live: Live<R> | undefined, reading: boolean, order: unknown): Held<R> {
	const kept = useRef<readonly R[] | null>(null);
	const asked = useRef<unknown[]>([]);
	const [n, again] = useState(0);
	const question = [live?.epoch, order, n];
	const held = useMemo(() => {
		const same = question.every((x, i) => x === asked.current[i]);
		asked.current = question;
		const h = live && reading && kept.current?.length && same ?
		    inOrder(kept.current, rows, keyOf) ??
			hold(kept.current, rows, keyOf, live) :
		    { rows, fresh: 0, left: NONE };
		kept.current = h.rows;
		return h;
	}, [rows, reading, live?.own, ...question]);
	return { ...held, take: () => again(x => x + 1) };
}
