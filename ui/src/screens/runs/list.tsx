/* list.tsx: the runs of a project, newest first. */
import { at } from "../../core/api.ts";
import { go } from "../../app/router.ts";
import type { ViewProps } from "../../app/screen.ts";
import { lasting, now } from "../../core/time.ts";
import { useAll } from "../../core/use.ts";
import { Ago, Empty, Load, Page, Status } from "../../kit/bits.tsx";
import { FilterBar, filterOf, type FilterDef } from "../../kit/filter.tsx";
import { Grid, type Column } from "../../kit/grid.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say, word } from "../../text/index.ts";
import { STATES, type RunHead } from "./model.ts";

const t = T.runs;
const FILTER: FilterDef[] = [
	{ name: "status", label: t.state, options: [
		["queued,running,undoing", t.open],
		...STATES.map(s => [s, word(T.status, s)] as const)] },
	{ name: "runbook", label: t.runbook },
	{ name: "incident", label: t.incident },
];
const COLUMNS: Column<RunHead>[] = [
	{ id: "state", label: t.state, width: "7.5rem",
		cell: r => <Status value={r.state} />, by: r => r.state },
	{ id: "runbook", label: t.runbook, width: "minmax(8rem,1fr)",
		cell: r => <Plain text={r.runbook.name ?? r.runbook.slug ??
		    t.goneBook} />, by: r => r.runbook.name ?? "" },
	{ id: "version", label: t.version, width: "5rem", wide: true,
		cell: r => r.runbook.version, by: r => r.runbook.version },
	{ id: "who", label: t.requester, width: "12rem", wide: true,
		cell: r => <Person id={r.requester.id} name={r.requester.name}
		    kind={r.requester.kind} /> },
	{ id: "how", label: t.by, width: "6rem", wide: true,
		cell: r => r.trigger ? t.trigger : t.person },
	{ id: "created", label: t.created, width: "7rem",
		cell: r => <Ago at={r.created_at} />, by: r => r.created_at },
	{ id: "took", label: t.took, width: "7rem", wide: true,
		cell: r => r.started_at ? <span class="mono">{lasting((r.ended_at ?
		    Date.parse(r.ended_at) : now.value) -
		    Date.parse(r.started_at))}</span> : "–" },
];

export default function List({ params }: ViewProps) {
	const p = params["project"] ?? "";
	const list = useAll<RunHead>(at`/v1/projects/${p}/runs`,
	    filterOf(FILTER), e => e.project === p && /^run\./.test(e.action) &&
	    !/\.(list|read|log)/.test(e.action), 2000);
	const path = (r: RunHead): string => at`/p/${p}/runs/${r.id}`;
	return <Page title={t.title}>
		<FilterBar defs={FILTER} placeholder={t.filter} noText />
		<Load of={list}>{rows => <Grid label={t.title} rows={rows}
		    columns={COLUMNS} keyOf={r => r.id} href={path}
		    onOpen={r => go(path(r))} empty={<Empty icon="play"
			title={t.none}><a href={at`/p/${p}/runbooks`}>
			{say(t.noneHint, {})}</a></Empty>} />}</Load>
	</Page>;
}
