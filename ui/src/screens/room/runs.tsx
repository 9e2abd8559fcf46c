/* runs.tsx: what was run for this incident, and running more. */
import { at } from "../../core/api.ts";
import { useAll } from "../../core/use.ts";
import { Ago, Load, Status } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say } from "../../text/index.ts";
import type { Incident } from "../incidents/model.ts";
import type { Room } from "./incident.ts";

interface Run { id: string; state: string; created_at: string;
	ended_at: string | null;
	runbook: { slug: string | null; name: string | null; version: number };
	requester: { kind: string; id: string; name: string | null } }

export function Runs({ room, i, onStart }: { room: Room; i: Incident;
    onStart: () => void }) {
	const list = useAll<Run>(at`/v1/projects/${room.project}/runs`,
	    { incident: i.id, limit: 100 }, e => e.project === room.project &&
	    /^(run|task)\./.test(e.action), 200);
	return <div class="stack">
		<div class="row room-pane-head"><h2>{T.room.panes.runs}</h2>
			<Button icon="play" perm="runbook.run" project={room.project}
			    onClick={onStart}>{T.room.startRun}</Button></div>
		<Load of={list}>{all => all.length === 0 ?
			<p class="dim">{T.room.noRuns}</p> :
			<ul class="room-items">{all.map(r => <li key={r.id}
			    class="room-item">
				<p class="row"><Status value={r.state} />
					<span class="dim small"><Ago at={r.ended_at ??
					    r.created_at} /></span></p>
				<p><a href={at`/p/${room.project}/runs/${r.id}`}>
					<Plain text={r.runbook.name ?? r.runbook.slug ??
					    T.room.goneRunbook} /></a>
					<span class="dim small">{" " + say(T.room.version,
					    { n: r.runbook.version })}</span></p>
				<p class="small"><Person id={r.requester.id}
				    name={r.requester.name} kind={r.requester.kind} /></p>
			</li>)}</ul>}</Load>
	</div>;
}
