/*
 * timeline.tsx: what happened.  The list does not move under whoever reads
 * it: what is new waits behind a pill until one is where new things come.
 */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { day } from "../../core/time.ts";
import { Failed } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { T, say } from "../../text/index.ts";
import { EntryView } from "./entry.tsx";
import type { Entry, Feed } from "./feed.ts";

/* So many key events before one has to ask for older ones. */
const ENOUGH = 12, AUTO = 2;

/* Is the end where new things come in sight? */
function useAtNewest(): [{ current: HTMLDivElement | null }, boolean] {
	const mark = useRef<HTMLDivElement>(null);
	const [seen, see] = useState(true);
	useEffect(() => {
		if (!mark.current)
			return undefined;
		const o = new IntersectionObserver(es =>
		    see(es.at(-1)?.isIntersecting ?? true));
		o.observe(mark.current);
		return () => o.disconnect();
	}, []);
	return [mark, seen];
}

/* How far one was shown: all, or what was there when one scrolled away. */
function useShown(feed: Feed, atNewest: boolean): [Entry[], number,
    () => void] {
	const all = feed.entries.value, newest = all.at(-1)?.seq ?? 0;
	const upTo = useRef(0);
	const [, draw] = useState(0);
	if (atNewest || upTo.current === 0)
		upTo.current = newest;
	const shown = all.filter(e => e.seq <= upTo.current);
	return [shown, all.length - shown.length, () => {
		upTo.current = newest;
		draw(n => n + 1);
	}];
}

function Rows({ entries, project }: { entries: Entry[]; project: string }) {
	let before = "";
	return <ol class="room-entries">{entries.map(e => {
		const d = day(Date.parse(e.occurred_at)), first = d !== before;
		before = d;
		return [first && <li class="room-day dim small" key={"d" + e.seq}>
			{d}</li>, <EntryView key={e.seq} e={e} project={project} />];
	})}</ol>;
}

export function Timeline({ feed, project, everything, up, total, own }: {
    feed: Feed; project: string; everything: boolean;
    /* newest first */
    up: boolean; total: number;
    /* how often one has written here: then one is where it is */
    own: number }) {
	const [mark, atNewest] = useAtNewest();
	const [shown, waiting, show] = useShown(feed, atNewest);
	const rows = everything ? shown : shown.filter(e => e.key_event);
	const box = useRef<HTMLDivElement>(null);
	const auto = useRef(0);
	const count = feed.entries.value.length, older = feed.older.value;

	/* few key events among many entries: look further, within reason */
	useEffect(() => {
		if (!everything && older !== null && rows.length < ENOUGH &&
		    auto.current++ < AUTO)
			void feed.more();
	}, [everything, older, count]);
	/* oldest first: one begins at the end */
	useLayoutEffect(() => {
		if (!up && atNewest && box.current)
			box.current.scrollTop = box.current.scrollHeight;
	}, [up, rows.length]);
	const jump = (): void => {
		show();
		requestAnimationFrame(() => mark.current?.scrollIntoView({
			block: "nearest" }));
	};
	useEffect(() => {
		if (own > 0)
			jump();
	}, [own]);
	const more = older !== null && <Button cls="room-more"
	    busy={feed.reading.value} onClick={() => feed.more()}>
		{say(T.room.older, { n: total - count })}</Button>;
	const end = <div ref={mark} class="room-mark" />;
	return <div class="room-scroll" ref={box} tabIndex={0} id="timeline"
	    role="region" aria-label={T.room.timeline}>
		{waiting > 0 && <div class={up ? "room-pill" : "room-pill low"}>
			<Button kind="primary" onClick={jump}>{say(up ?
			    T.room.newUp : T.room.newDown, { n: waiting })}</Button>
		</div>}
		{up ? end : more}
		{feed.error.value && <Failed error={feed.error.value}
		    again={() => void feed.fresh()} />}
		{!feed.ready.value && !feed.error.value &&
		    <p class="loading" aria-busy="true">{T.kit.loading}</p>}
		{feed.ready.value && rows.length === 0 && <p class="dim room-none">
			{everything ? T.room.nothing : T.room.noKey}</p>}
		<Rows entries={up ? [...rows].reverse() : rows}
		    project={project} />
		{up ? more : end}
		<p class="sr" role="status">{waiting > 0 &&
		    say(T.room.newCount, { n: waiting })}</p>
	</div>;
}
