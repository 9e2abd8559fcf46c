/* list.tsx: all incidents of a project, as the filter says. */
import { at } from "../../core/api.ts";
import { go, goQuery, here } from "../../app/router.ts";
import type { ViewProps } from "../../app/screen.ts";
import { lasting, now } from "../../core/time.ts";
import { useAll } from "../../core/use.ts";
import { Ago, Empty, Load, Page, Severity, Status } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { FilterBar, filterOf, type FilterDef } from "../../kit/filter.tsx";
import { Grid, narrow, type Column } from "../../kit/grid.tsx";
import { Icon } from "../../kit/icon.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T } from "../../text/index.ts";
import { Board } from "./board.tsx";
import { OPEN, STATUSES, isOpen, lastList, severityOptions, statusOptions,
	type Incident } from "./model.ts";

const FILTER: FilterDef[] = [
	{ name: "severity", label: T.incidents.severity,
		options: severityOptions },
	{ name: "status", label: T.incidents.status,
		options: [[OPEN.join(","), T.incidents.open], ...statusOptions] },
	{ name: "service", label: T.incidents.services },
	{ name: "type", label: T.incidents.type },
];

const ran = (i: Incident): number => Date.parse(i.resolved_at ??
    i.closed_at ?? "") || now.value;

const COLUMNS: Column<Incident>[] = [
	{ id: "number", label: T.incidents.number, width: "4.5rem",
		cell: i => `INC-${i.number}`, by: i => i.number },
	{ id: "severity", label: T.incidents.severity, width: "5rem",
		cell: i => <Severity value={i.severity} />,
		by: i => i.severity },
	{ id: "title", label: T.incidents.name, width: "minmax(7rem,1fr)",
		cell: i => <>{i.private && <><Icon name="lock" size={13} />
			<span class="sr">{T.incidents.private}</span> </>}
			<Plain text={i.title} /></>, by: i => i.title },
	{ id: "status", label: T.incidents.status, width: "8rem",
		wide: true, cell: i => <Status value={i.status} />,
		by: i => STATUSES.indexOf(i.status) },
	{ id: "running", label: T.incidents.running, width: "7rem",
		wide: true, cell: i => <span class={isOpen(i.status) ? "mono" :
			"mono dim"}>{lasting(ran(i) - Date.parse(i.created_at))}
		</span>, by: i => ran(i) - Date.parse(i.created_at) },
	{ id: "services", label: T.incidents.services, width: "12rem",
		wide: true, cell: i => <Plain text={i.services.join(", ")} /> },
	{ id: "commander", label: T.incidents.commander, width: "10rem",
		wide: true, cell: i => i.commander ?
		    <Person id={i.commander} /> : "–" },
	{ id: "alerts", label: T.incidents.alerts, width: "5rem", wide: true,
		cell: i => i.alert_count, by: i => i.alert_count },
	{ id: "updated", label: T.incidents.updated, width: "7rem",
		wide: true, cell: i => <Ago at={i.updated_at} />,
		by: i => i.updated_at },
];

function Table({ rows, project }: { rows: Incident[]; project: string }) {
	const path = (i: Incident): string => at`/p/${project}/i/${i.number}`;
	return <Grid label={T.incidents.title} rows={rows} columns={COLUMNS}
	    keyOf={i => i.id} href={path} onOpen={i => go(path(i))}
	    rowClass={i => isOpen(i.status) ? "" : "incidents-over"}
	    empty={<Empty title={T.incidents.none}>
		{T.incidents.noneHint}</Empty>} />;
}

export default function List({ params }: ViewProps) {
	const p = params["project"] ?? "";
	/* a table of many columns is of no use where there is room for three */
	const view = here.value.query.get("view");
	const board = view === "board" || (narrow.value && view !== "table");
	const list = useAll<Incident>(at`/v1/projects/${p}/incidents`,
	    filterOf(FILTER), e => e.project === p &&
	    /^(incident|timeline)\./.test(e.action), 10000);

	lastList.project = p;
	lastList.numbers = (list.data ?? []).map(i => i.number);
	return <Page title={T.incidents.title} actions={<>
		<div class="incidents-views" role="group"
		    aria-label={T.incidents.view}>
			<Button icon="list" pressed={!board}
			    onClick={() => goQuery({ view: "table" })}>
				{T.incidents.table}</Button>
			<Button icon="board" pressed={board}
			    onClick={() => goQuery({ view: "board" })}>
				{T.incidents.board}</Button></div>
		<Button kind="danger" icon="flame" perm="incident.create"
		    project={p} shortcut="c" label={T.nav.declare}
		    onClick={() => go(at`/p/${p}/declare`)}>
			{T.nav.declare}</Button></>}>
		<FilterBar defs={FILTER} placeholder={T.incidents.filter} />
		<Load of={list}>{rows => board ? <Board rows={rows} project={p} /> :
		    <Table rows={rows} project={p} />}</Load>
	</Page>;
}
