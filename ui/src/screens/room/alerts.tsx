/* alerts.tsx: the alerts of the incident, and those that could be. */
import { useState } from "preact/hooks";
import { at, post } from "../../core/api.ts";
import type { Event } from "../../core/live.ts";
import { useAll, type Loaded } from "../../core/use.ts";
import { Ago, Load, Severity, Status } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Actions, Dialog } from "../../kit/dialog.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";
import type { Incident } from "../incidents/model.ts";
import type { Room } from "./incident.ts";

interface Alert { id: string; title: string; severity: string;
	status: string; service: string; count: number; last_seen: string;
	incident: string | null }
const OVER = ["resolved", "suppressed"];

const touches = (project: string) => (e: Event): boolean =>
	e.project === project && /^(alert|ingest)\./.test(e.action);

function Row({ a, room, list }: { a: Alert; room: Room;
    list: Loaded<Alert[]> }) {
	const act = async (verb: "acknowledge" | "resolve"): Promise<void> => {
		const { data } = await post<Alert>(at`/v1/projects/${
		    room.project}/alerts/${a.id}/` + verb, {});
		list.set((list.data ?? []).map(x => x.id === a.id ? data : x));
	};
	const may = { perm: "alert.act", project: room.project,
		resource: { type: "alert", id: a.id } };
	return <li class="room-item">
		<p class="row"><Severity value={a.severity} />
			<Status value={a.status} />
			<span class="dim small">{a.count > 1 &&
			    say(T.room.times, { n: a.count }) + " · "}
				<Ago at={a.last_seen} /></span></p>
		<p><a href={at`/p/${room.project}/alerts/${a.id}`}>
			<Plain text={a.title} /></a></p>
		{a.service && <p class="dim small"><Plain text={a.service} /></p>}
		{!OVER.includes(a.status) && <div class="row">
			{a.status === "triggered" && <Button {...may}
			    onClick={() => act("acknowledge")}>
				{T.room.acknowledge}</Button>}
			<Button {...may} onClick={() => act("resolve")}>
				{T.room.resolve}</Button></div>}
	</li>;
}

export function Alerts({ room, i, onAttach }: { room: Room; i: Incident;
    onAttach: () => void }) {
	const list = useAll<Alert>(at`/v1/projects/${room.project}/incidents/${
	    i.id}/alerts`, { limit: 200 }, e => touches(room.project)(e) ||
	    e.resource.some(r => r.id === i.id), 400);
	return <div class="stack">
		<div class="row room-pane-head"><h2>{T.room.panes.alerts}
			<span class="count">{i.alert_count}</span></h2>
			<Button icon="link" perm="alert.act" project={room.project}
			    onClick={onAttach}>{T.room.attach}</Button></div>
		<Load of={list}>{all => all.length === 0 ?
			<p class="dim">{T.room.noAlerts}</p> :
			<ul class="room-items">{all.map(a => <Row key={a.id} a={a}
			    room={room} list={list} />)}</ul>}</Load>
	</div>;
}

/* Alerts without an incident, to choose from. */
export function Attach({ room, i, onClose }: { room: Room; i: Incident;
    onClose: () => void }) {
	const list = useAll<Alert>(at`/v1/projects/${room.project}/alerts`,
	    { status: "triggered,acknowledged", limit: 200 },
	    touches(room.project), 1000);
	const [words, put] = useState("");
	const [chosen, choose] = useState<ReadonlySet<string>>(new Set());
	const w = words.toLowerCase();
	const attach = async (): Promise<void> => {
		for (const id of chosen) {
			await post(at`/v1/projects/${room.project}/alerts/${id
			    }/promote`, { incident: i.id });
			choose(s => new Set([...s].filter(x => x !== id)));
		}
		toast(say(T.room.attached, { n: chosen.size }));
		room.reload();
		onClose();
	};
	return <Dialog title={say(T.room.attachTo, { n: i.number })}
	    onClose={onClose} wide>
		<p class="dim">{T.room.attachHint}</p>
		<input type="search" aria-label={T.room.findAlert} value={words}
		    placeholder={T.room.findAlert}
		    onInput={e => put(e.currentTarget.value)} />
		<Load of={list}>{all => {
			const free = all.filter(a => a.incident === null &&
			    `${a.title} ${a.service}`.toLowerCase().includes(w));
			return free.length === 0 ? <p>{T.room.noFree}</p> :
			    <ul class="room-items room-choose">{free.map(a =>
				<li key={a.id}><label class="row">
					<input type="checkbox" checked={chosen.has(a.id)}
					    onChange={e => choose(new Set(
						e.currentTarget.checked ?
						[...chosen, a.id] :
						[...chosen].filter(x => x !== a.id)))} />
					<Severity value={a.severity} />
					<span class="room-grow"><Plain text={a.title} /></span>
					<span class="dim small"><Ago at={a.last_seen} /></span>
				</label></li>)}</ul>;
		}}</Load>
		<Actions><Button onClick={onClose}>{T.kit.cancel}</Button>
			<Button kind="primary" perm="alert.act" project={room.project}
			    off={chosen.size === 0 && T.room.chooseFirst}
			    onClick={attach}>{say(T.room.attachGo,
				{ n: chosen.size })}</Button></Actions>
	</Dialog>;
}
