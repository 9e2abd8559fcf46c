/* board.tsx: the same incidents, by where they stand. */
import { at } from "../../core/api.ts";
import { Ago, Severity } from "../../kit/bits.tsx";
import { Icon } from "../../kit/icon.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say, word } from "../../text/index.ts";
import { STATUSES, isOpen, type Incident } from "./model.ts";

const MOST = 50;

function Card({ i, project }: { i: Incident; project: string }) {
	return <li class="card board-card">
		<p class="row small"><Severity value={i.severity} />
			<span class="dim">INC-{i.number}</span>
			{i.private && <Icon name="lock" size={13} />}
			<span class="dim board-when"><Ago at={i.created_at} /></span></p>
		<p><a href={at`/p/${project}/i/${i.number}`}>
			<Plain text={i.title} /></a></p>
		<p class="row small dim">
			{i.commander && <Person id={i.commander} />}
			{i.alert_count > 0 && <span><Icon name="bell" size={13} />
				{" " + i.alert_count}</span>}
			<span class="board-services"><Plain
			    text={i.services.join(", ")} /></span></p>
	</li>;
}

export function Board({ rows, project }: { rows: Incident[];
    project: string }) {
	const columns = STATUSES.filter(s => isOpen(s) ||
	    rows.some(i => i.status === s));
	return <div class="board" role="list" aria-label={T.incidents.board}>
		{columns.map(s => {
			const of = rows.filter(i => i.status === s)
			    .sort((a, b) => a.severity < b.severity ? -1 :
				a.severity > b.severity ? 1 : b.number - a.number);
			return <div key={s} role="listitem" class="board-column"
			    aria-labelledby={"board-" + s}>
				<h2 id={"board-" + s}><span class={`pill st-${s}`}>
					{word(T.status, s)}</span>
					<span class="count">{of.length}</span></h2>
				<ul>{of.slice(0, MOST).map(i => <Card key={i.id} i={i}
				    project={project} />)}</ul>
				{of.length === 0 && <p class="dim small">
					{T.incidents.boardNone}</p>}
				{of.length > MOST && <p class="dim small">
					{say(T.incidents.boardMore,
					    { n: of.length - MOST })}</p>}
			</div>;
		})}
	</div>;
}
