/* audit.tsx: what the audit log has of this incident, for who may see. */
import { at, type Page } from "../../core/api.ts";
import { may } from "../../core/session.ts";
import { useGet } from "../../core/use.ts";
import { Ago, Load, Status } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Icon } from "../../kit/icon.tsx";
import { Person } from "../../kit/person.tsx";
import { T } from "../../text/index.ts";
import type { Incident } from "../incidents/model.ts";

interface AuditEntry { seq: number; time: string; action: string;
	outcome: string; principal: { kind: string; id: string } }

function Entries({ i }: { i: Incident }) {
	const list = useGet<Page<AuditEntry>>("/v1/audit", { order: "desc",
		limit: 50, resource: i.id });
	return <Load of={list}>{({ items }) => items.length === 0 ?
		<p class="dim">{T.room.noAudit}</p> :
		<ul class="room-items">{items.map(e => <li key={e.seq}
		    class="room-item">
			<p class="row"><a href={at`/audit/${e.seq}`}>
				<code>{e.action}</code></a>
				{e.outcome !== "ok" && <Status value={e.outcome} />}
				<span class="dim small"><Ago at={e.time} /></span></p>
			<p class="small"><Person id={e.principal.id}
			    kind={e.principal.kind} /></p></li>)}</ul>}</Load>;
}

export function AuditPane({ i }: { i: Incident }) {
	return <div class="stack">
		<div class="row room-pane-head"><h2>{T.room.panes.audit}</h2>
			{may("audit.view") ? <a class="button"
			    href={`/audit?resource=${i.id}`}>
				<Icon name="audit" /> {T.room.allAudit}</a> :
			    <Button perm="audit.view" icon="audit">
				{T.room.allAudit}</Button>}</div>
		<p class="dim">{T.room.auditHint}</p>
		{may("audit.view") && <Entries i={i} />}
	</div>;
}
