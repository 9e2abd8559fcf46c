/* entry.tsx: one thing that happened. */
import { at } from "../../core/api.ts";
import { when } from "../../core/time.ts";
import { Severity, Status } from "../../kit/bits.tsx";
import { Icon } from "../../kit/icon.tsx";
import { lazy } from "../../kit/lazy.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say, word } from "../../text/index.ts";
import { labelOf, shown } from "../incidents/model.ts";
import type { Entry } from "./feed.ts";

const Markdown = lazy(() => import("../../kit/markdown.tsx"));

const ICONS: Record<string, string> = { note: "edit", created: "flame",
	changed: "settings", status: "activity", members: "users",
	alert: "bell", alert_resolved: "check", alert_acknowledged: "eye",
	break_glass: "key", run_started: "play", run_step: "list",
	run_approval: "posture", run_ended: "check" };
/* later than this after it happened, it is worth a word */
const LATE_MS = 60000;

const textAt = (e: Entry, k: string): string | null => {
	const v = e.data?.[k];
	return typeof v === "string" ? v : null;
};

/* A value of before or after, as it is shown elsewhere. */
function Value({ name, v }: { name: string; v: unknown }) {
	if (v === null || v === undefined || v === "" ||
	    (Array.isArray(v) && v.length === 0))
		return <span class="dim">{T.kit.none}</span>;
	if (name === "severity")
		return <Severity value={String(v)} />;
	if (name === "commander")
		return <Person id={String(v)} />;
	return <span class="room-value"><Plain text={shown(name, v)} /></span>;
}

function Changes({ e }: { e: Entry }) {
	return <ul class="room-changes">{Object.entries(e.data ?? {}).map(
	    ([k, v]) => <li key={k}><span class="dim">{labelOf(k)}</span>{" "}
		{v === null || typeof v !== "object" ? T.room.changedHidden : <>
			<Value name={k} v={(v as { from?: unknown }).from} />
			<span class="room-arrow" role="img"
			    aria-label={T.room.became}> → </span>
			<Value name={k} v={(v as { to?: unknown }).to} /></>}
	    </li>)}</ul>;
}

function Members({ e }: { e: Entry }) {
	const all = e.data?.["members"];
	return <p class="room-names">{Array.isArray(all) && all.map((m: {
	    kind: string; id: string }) => <Person key={m.id} id={m.id}
		kind={m.kind} />)}</p>;
}

/* What it leads to. */
function Where({ e, project }: { e: Entry; project: string }) {
	const run = textAt(e, "run"), alert = textAt(e, "alert");
	if (run)
		return <a class="small" href={at`/p/${project}/runs/${run}`}>
			{T.room.toRun}</a>;
	return alert ? <a class="small"
	    href={at`/p/${project}/alerts/${alert}`}>{T.room.toAlert}</a> :
	    null;
}

function Said({ e }: { e: Entry }) {
	switch (e.kind) {
	case "note":
		return <Markdown text={e.text} />;
	case "status":
		return <><p><Status value={textAt(e, "from") ?? ""} />
			<span class="room-arrow" role="img"
			    aria-label={T.room.became}> → </span>
			<Status value={textAt(e, "to") ?? ""} /></p>
			{e.text && <Markdown text={e.text} />}</>;
	case "changed":
		return <Changes e={e} />;
	case "members":
		return <Members e={e} />;
	default:
		return e.text ? <p class="room-text"><Plain text={e.text} /></p> :
		    null;
	}
}

export function EntryView({ e, project }: { e: Entry; project: string }) {
	const occurred = Date.parse(e.occurred_at);
	const recorded = Date.parse(e.recorded_at);
	return <li class={`room-entry k-${e.kind} ${e.key_event ? "key" : ""}`}
	    id={`entry-${e.seq}`}>
		<time class="room-at mono" dateTime={e.occurred_at}
		    title={say(T.room.recorded, { at: when(recorded) })}>
			{when(occurred, false)}</time>
		<span class="room-icon"><Icon name={ICONS[e.kind] ?? "list"} />
		</span>
		<div class="room-said">
			<p class="room-line">
				{e.key_event && <span class="room-star"
				    title={T.room.keyEvent}><Icon name="star" size={13} />
					<span class="sr">{T.room.keyEvent} </span></span>}
				<span class="room-kind">{word(T.room.kinds, e.kind)}</span>
				{e.actor && <Person id={e.actor.id} name={e.actor.name}
				    kind={e.actor.kind} />}
				{e.source && e.source.kind !== "ui" &&
				    <span class="dim small">{say(T.room.by, { source:
					word(T.room.sources, e.source.kind) })}</span>}
				<Where e={e} project={project} />
				{recorded - occurred > LATE_MS && <span
				    class="dim small">{say(T.room.recorded,
				    { at: when(recorded) })}</span>}
			</p>
			<Said e={e} />
		</div>
	</li>;
}
