/* details.tsx: all that is written down of the incident itself. */
import { When } from "../../kit/bits.tsx";
import { Facts } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Icon } from "../../kit/icon.tsx";
import { lazy } from "../../kit/lazy.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, word } from "../../text/index.ts";
import { shown, type Incident } from "../incidents/model.ts";
import type { Room } from "./incident.ts";

const Markdown = lazy(() => import("../../kit/markdown.tsx"));

const Names = ({ all }: { all: string[] }) => all.length === 0 ?
    <span class="dim">–</span> :
    <span class="room-names">{all.map(s => <span class="pill" key={s}>
	<Plain text={s} /></span>)}</span>;

function Security({ room, i }: { room: Room; i: Incident }) {
	if (i.redacted?.includes("security_details"))
		return <span class="dim">{T.room.hidden}{" "}
			<Button kind="ghost" perm="incident.sensitive"
			    project={room.project} label={T.why.title}
			    resource={{ type: "incident", id: i.id }} /></span>;
	return i.security_details ? <Markdown text={i.security_details} /> :
	    <span class="dim">–</span>;
}

export function Details({ room, i, onEdit }: { room: Room; i: Incident;
    onEdit: () => void }) {
	const t = T.incidents.fields;
	return <div class="stack">
		<div class="row room-pane-head"><h2>{T.room.panes.details}</h2>
			<Button icon="edit" perm="incident.edit" shortcut="e"
			    label={T.kit.edit} project={room.project}
			    resource={{ type: "incident", id: i.id }}
			    onClick={onEdit}>{T.kit.edit}</Button></div>
		{i.summary ? <section class="room-summary"
		    aria-label={t.summary}><Markdown text={i.summary} />
		</section> : <p class="dim">{T.room.noSummary}</p>}
		<Facts rows={[
			[t.services, <Names all={i.services} />],
			[t.environments, <Names all={i.environments} />],
			[t.type, i.type ? <Plain text={i.type} /> :
			    <span class="dim">–</span>],
			...Object.entries(i.fields).map(([k, v]) =>
			    [k, <Plain text={shown(k === "severity" ? "" : k, v)} />
			    ] as const),
			[t.security_details, <Security room={room} i={i} />],
		]} />
		<Facts rows={[
			[T.room.declared, <When at={i.created_at} />],
			[T.room.acknowledged, <When at={i.acknowledged_at} />],
			[T.room.mitigated, <When at={i.mitigated_at} />],
			[T.room.resolved, <When at={i.resolved_at} />],
			i.closed_at !== null && [T.room.closed,
			    <When at={i.closed_at} />],
			[T.room.expires, i.expires_on ?
			    <time dateTime={i.expires_on}>{i.expires_on}</time> :
			    <span class="dim">{T.room.stays}</span>],
			[T.room.from, <span>{word(T.room.sources,
			    i.source?.kind ?? "")}{i.source?.address &&
			    <> · <code>{i.source.address}</code></>}</span>],
		]} />
		{i.private && <p class="dim small"><Icon name="lock" size={13} />
			{" " + T.room.privateHint}</p>}
	</div>;
}
