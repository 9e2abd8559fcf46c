/* room.tsx: the war room of an incident. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { useKeys } from "../../app/keys.ts";
import { go } from "../../app/router.ts";
import type { ViewProps } from "../../app/screen.ts";
import { at, get, Problem, type Page as ListPage } from "../../core/api.ts";
import { may, me } from "../../core/session.ts";
import type { Who } from "../../core/people.ts";
import { Failed, Key, Page, Tabs } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Actions, Dialog } from "../../kit/dialog.tsx";
import { Merge } from "../../kit/merge.tsx";
import { PeoplePicker } from "../../kit/people-picker.tsx";
import { toast, toastWrong } from "../../kit/toast.tsx";
import { askWhy } from "../../kit/why.tsx";
import { T, plain, say } from "../../text/index.ts";
import { lastList, type Incident } from "../incidents/model.ts";
import { Alerts, Attach } from "./alerts.tsx";
import { AuditPane } from "./audit.tsx";
import { COMMANDS, Mistake, runbooks, type Context } from "./commands.ts";
import { Composer } from "./composer.tsx";
import { Details } from "./details.tsx";
import { Edit } from "./edit.tsx";
import { useFeed, type Feed } from "./feed.ts";
import { Header } from "./header.tsx";
import { useRoom, type Room } from "./incident.ts";
import { MembersPane } from "./members.tsx";
import { Runs } from "./runs.tsx";
import { StartRun } from "./start-run.tsx";
import { Timeline } from "./timeline.tsx";

const PANES = ["timeline", "details", "alerts", "runs", "members", "audit"];
type Open = { what: "edit" | "commander" | "attach" | "help" } |
    { what: "run"; slug: string | null } | null;

function Commander({ room, i, known, onClose }: { room: Room; i: Incident;
    known: Who[]; onClose: () => void }) {
	const set = (id: string | null): void => {
		onClose();
		room.edit({ commander: id }).catch(toastWrong);
	};
	return <Dialog title={T.room.assign} onClose={onClose} cls="room-roles">
		<PeoplePicker label={T.incidents.commander} autofocus
		    known={known} {...(i.commander && { but: [i.commander] })}
		    onPick={w => set(w.id)} />
		<Actions>
			{i.commander && <Button onClick={() => set(null)}>
				{T.room.noCommander}</Button>}
			{me.value?.kind === "user" && me.value.id !== i.commander &&
			    <Button kind="primary" onClick={() => set(
				me.value?.id ?? null)}>{T.room.take}</Button>}
		</Actions></Dialog>;
}

const CommandHelp = ({ onClose }: { onClose: () => void }) =>
	<Dialog title={T.room.commands.title} onClose={onClose} wide>
		<dl class="room-help">{COMMANDS.map(c => <div key={c.name}>
			<dt><code>{c.usage}</code></dt><dd>{c.hint}</dd></div>)}</dl>
		<p class="dim">{T.room.commands.keys} <Key k="Ctrl Enter" /></p>
	</Dialog>;

/* Who took part: whom one may well choose from. */
function known(feed: Feed): Who[] {
	const out = new Map<string, Who>();
	for (const { actor } of feed.entries.value) {
		if (actor?.name && actor.kind === "user")
			out.set(actor.id, { ...actor, name: actor.name });
	}
	return [...out.values()];
}

/* The one before or after in the list one came from, else of all. */
async function beside(room: Room, i: Incident, by: number): Promise<void> {
	let { numbers } = lastList;
	if (lastList.project !== room.project || !numbers.includes(i.number))
		numbers = (await get<ListPage<Incident>>(
		    at`/v1/projects/${room.project}/incidents`,
		    { limit: 200 })).data.items.map(x => x.number);
	const n = numbers[numbers.indexOf(i.number) + by];
	if (n === undefined || !numbers.includes(i.number))
		toast(T.room.noMore);
	else
		go(at`/p/${room.project}/i/${n}`);
}

function Side({ pane, room, i, feed, open }: { pane: string; room: Room;
    i: Incident; feed: Feed; open: (o: Open) => void }) {
	switch (pane) {
	case "alerts": return <Alerts room={room} i={i}
	    onAttach={() => open({ what: "attach" })} />;
	case "runs": return <Runs room={room} i={i}
	    onStart={() => open({ what: "run", slug: null })} />;
	case "members": return <MembersPane room={room} i={i}
	    known={known(feed)} />;
	case "audit": return <AuditPane i={i} />;
	default: return <Details room={room} i={i}
	    onEdit={() => open({ what: "edit" })} />;
	}
}

function Inside({ room, i, pane }: { room: Room; i: Incident;
    pane: string }) {
	const feed = useFeed(room.path, i.id, i.timeline_count);
	const [everything, setEverything] = useState(false);
	const [up, setUp] = useState(true), [own, wrote] = useState(0);
	const [open, show] = useState<Open>(null);
	const close = (): void => show(null);
	const base = at`/p/${room.project}/i/${i.number}`;
	const paneAt = (p: string): string => p === "timeline" ? base :
	    `${base}/${p}`;
	const step = (n: number): void => {
		beside(room, i, n).catch(toastWrong);
	};
	/* a key answers why, as its button would */
	const edits = (o: Open) => (): void => {
		if (may("incident.edit", room.project))
			show(o);
		else
			askWhy({ perm: "incident.edit", project: room.project,
				resource: { type: "incident", id: i.id } });
	};
	useKeys([
		{ key: "t", label: T.room.keyT,
			run: () => setEverything(!everything) },
		{ key: "e", label: T.room.keyE, run: edits({ what: "edit" }) },
		{ key: "r", label: T.room.assign,
			run: edits({ what: "commander" }) },
		{ key: "[", label: T.room.before, run: () => step(-1) },
		{ key: "]", label: T.room.after, run: () => step(1) },
		...PANES.map((p, n) => ({ key: String(n + 1),
			label: T.room.panes[p as "alerts"], run: () => {
				go(paneAt(p));
				requestAnimationFrame(() => document.getElementById(
				    p === "timeline" ? "timeline" : "room-side")?.focus());
			} })),
	]);
	const context: Context = useMemo(() => ({ room, i,
		note: async (text, key, once) => {
			await feed.note(text, key, once ?? crypto.randomUUID());
			wrote(n => n + 1);
			if (!key && !everything)
				toast(T.room.posted);
		},
		startRun: async slug => {
			if (!(await runbooks(room.project)).some(b => b.slug === slug))
				throw new Mistake(say(T.room.commands.noBook, { slug }));
			show({ what: "run", slug });
		},
		attach: () => show({ what: "attach" }),
		help: () => show({ what: "help" }) }),
	    [room, i, feed, everything]);
	return <div class={`room at-${pane}`}>
		<Header room={room} i={i}
		    onCommander={() => show({ what: "commander" })} />
		<Tabs label={T.room.panesLabel} at={paneAt(pane)} tabs={PANES.map(
		    (p): [string, string, number?] => p === "alerts" ?
			[paneAt(p), T.room.panes[p], i.alert_count] :
			[paneAt(p), T.room.panes[p as "alerts"]])} />
		<div class="room-body">
			<div class="room-main">
				<div class="row room-bar">
					<Button pressed={!everything} shortcut="t"
					    onClick={() => setEverything(false)}>
						{T.room.keyEvents}</Button>
					<Button pressed={everything} shortcut="t"
					    onClick={() => setEverything(true)}>
						{T.room.everything}
						<span class="count">{i.timeline_count}</span>
					</Button>
					<Button kind="ghost" onClick={() => setUp(!up)}>
						{up ? T.room.newestFirst : T.room.oldestFirst}
					</Button>
				</div>
				<Timeline feed={feed} project={room.project} up={up}
				    everything={everything} own={own}
				    total={i.timeline_count} />
				<Composer context={context} />
			</div>
			<aside class="room-side" id="room-side" tabIndex={-1}
			    aria-label={T.room.panes[(pane === "timeline" ?
				"details" : pane) as "alerts"]}>
				<Side pane={pane} room={room} i={i} feed={feed}
				    open={show} /></aside>
		</div>
		{open?.what === "edit" && <Edit room={room} i={i}
		    onClose={close} />}
		{open?.what === "commander" && <Commander room={room} i={i}
		    known={known(feed)} onClose={close} />}
		{open?.what === "attach" && <Attach room={room} i={i}
		    onClose={close} />}
		{open?.what === "run" && <StartRun room={room} i={i}
		    slug={open.slug} onClose={close} />}
		{open?.what === "help" && <CommandHelp onClose={close} />}
		{room.clash && <Merge what={`INC-${i.number}`}
		    conflicts={room.clash.conflicts}
		    onChoose={mine => room.clash?.answer(mine)}
		    onClose={() => room.clash?.answer(null)} />}
	</div>;
}

export default function RoomPage({ params }: ViewProps) {
	const project = params["project"] ?? "", num = params["num"] ?? "";
	const room = useRoom(project, num);
	const i = room.data, asked = params["pane"] ?? "timeline";
	const pane = PANES.includes(asked) ? asked : "timeline";
	const title = i ? `INC-${i.number} ${i.title}` : T.room.title;
	useEffect(() => {
		document.title = `${plain(title)} · Redoubt`;
	}, [title]);
	/* what one may see no more is not left on the screen */
	const gone = room.error instanceof Problem &&
	    [403, 404].includes(room.error.status);
	if (i && !gone)
		return <Inside room={room} i={i} pane={pane} />;
	return <Page title={T.room.title}>{room.error ?
		<Failed error={room.error} again={room.reload} /> :
		<p class="loading" aria-busy="true">{T.kit.loading}</p>}</Page>;
}
