/* rgroups.tsx: some resources, by what they are; a binding may be for them
 * alone. */
import { labelsOf, pairsOf } from "../../core/labels.ts";
import { projects } from "../../core/session.ts";
import { Crud } from "../../kit/crud.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T } from "../../text/index.ts";

interface Group { id: string; name: string; project: string | null;
	types: string[]; services: string[]; environments: string[];
	incident_types: string[]; severities: string[];
	labels: Record<string, string>; ids: string[] }

function holds(g: Group): string {
	return [...g.services, ...g.environments, ...g.incident_types,
	    ...g.severities, ...pairsOf(g.labels), ...g.ids].join(", ");
}

export default function ResourceGroups() {
	return <Crud<Group> title={T.access.rgroups} lead={T.access.rgroupsLead}
	    path="/v1/resource-groups" perm="role.edit" events="resource_group."
	    name={g => g.name} empty={T.access.noRgroups}
	    emptyHint={T.access.noRgroupsHint}
	    createLabel={T.access.createRgroup}
	    columns={[
		{ label: T.access.name, cell: g => <Plain text={g.name} /> },
		{ label: T.access.types, cell: g => g.types.join(", ") },
		{ label: T.access.where, wide: true,
			cell: g => g.project ?? T.access.everywhere },
		{ label: T.access.holds, wide: true, cell: g => <Plain
		    text={holds(g) || T.access.holdsNothing} /> }]}
	    fields={[
		{ name: "name", label: T.access.name, required: true },
		{ name: "project", label: T.access.where, kind: "select",
			at: "create", options: [["", T.access.everywhere],
			    ...projects.value.map(p => [p, p] as const)] },
		{ name: "types", label: T.access.types, kind: "list",
			required: true, hint: T.access.typesHint },
		{ name: "services", label: T.access.services, kind: "list" },
		{ name: "environments", label: T.access.environments,
			kind: "list" },
		{ name: "incident_types", label: T.access.incidentTypes,
			kind: "list" },
		{ name: "severities", label: T.access.severities, kind: "list",
			hint: T.access.severitiesHint },
		{ name: "labels", label: T.access.labels, kind: "list",
			hint: T.access.labelsHint, send: v => labelsOf(v as string[]),
			of: g => pairsOf(g.labels) },
		{ name: "ids", label: T.access.ids, kind: "list" }]} />;
}
