/* list.tsx: all incidents of a project, as the filter says. */
import { at } from "../../core/api.ts";
import { go } from "../../app/router.ts";
import type { ViewProps } from "../../app/screen.ts";
import { useAll } from "../../core/use.ts";
import { Ago, Empty, Load, Page, Severity, Status } from "../../kit/bits.tsx";
import { FilterBar, filterOf, type FilterDef } from "../../kit/filter.tsx";
import { Grid, type Column } from "../../kit/grid.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T } from "../../text/index.ts";

interface Incident { id: string; number: number; title: string;
	severity: string; status: string; alert_count: number;
	services: string[]; commander: string | null; updated_at: string }

const FILTER: FilterDef[] = [
	{ name: "severity", label: T.incidents.severity,
		options: ["sev0", "sev1", "sev2", "sev3", "sev4"].map(s =>
		    [s, T.severity[s as "sev1"]] as const) },
	{ name: "status", label: T.incidents.status,
		options: ["new", "acknowledged", "investigating", "mitigating",
		    "monitoring", "resolved", "closed", "merged", "cancelled"].map(s => [s, T.status[s as "new"]] as const) },
	{ name: "service", label: T.incidents.services },
];

const COLUMNS: Column<Incident>[] = [
	{ id: "number", label: T.incidents.number, width: "5.5rem",
		cell: i => `INC-${i.number}`, by: i => i.number },
	{ id: "severity", label: T.incidents.severity, width: "5.5rem",
		cell: i => <Severity value={i.severity} />,
		by: i => i.severity },
	{ id: "title", label: T.incidents.name, width: "minmax(8rem,1fr)",
		cell: i => <Plain text={i.title} />, by: i => i.title },
	{ id: "status", label: T.incidents.status, width: "8rem",
		cell: i => <Status value={i.status} />, by: i => i.status },
	{ id: "services", label: T.incidents.services, width: "12rem",
		wide: true, cell: i => i.services.join(", ") },
	{ id: "commander", label: T.incidents.commander, width: "10rem",
		wide: true, cell: i => i.commander ?
		    <Person id={i.commander} /> : "–" },
	{ id: "alerts", label: T.incidents.alerts, width: "5rem", wide: true,
		cell: i => i.alert_count, by: i => i.alert_count },
	{ id: "updated", label: T.incidents.updated, width: "7rem",
		wide: true, cell: i => <Ago at={i.updated_at} />,
		by: i => i.updated_at },
];

export default function List({ params }: ViewProps) {
	const p = params["project"] ?? "";
	const path = (i: Incident): string => at`/p/${p}/i/${i.number}`;
	const list = useAll<Incident>(at`/v1/projects/${p}/incidents`,
	    filterOf(FILTER), e => e.project === p &&
	    e.action.startsWith("incident."));
	return <Page title={T.incidents.title}>
		<FilterBar defs={FILTER} placeholder={T.incidents.filter} />
		<Load of={list}>{rows => <Grid label={T.incidents.title}
		    rows={rows} columns={COLUMNS} keyOf={i => i.id} href={path}
		    onOpen={i => go(path(i))} empty={<Empty
			title={T.incidents.none}>{T.incidents.noneHint}</Empty>} />}
		</Load>
	</Page>;
}
