/* sources.ts: the names of a project's integrations, asked for once. */
import { signal } from "@preact/signals";
import { all, at } from "../../core/api.ts";
import { may } from "../../core/session.ts";

const names = signal<Record<string, string>>({});
const asked = new Set<string>();

export function integrationName(project: string, id: string | undefined):
    string | null {
	if (!asked.has(project) && may("integration.view", project)) {
		asked.add(project);
		all<{ id: string; name: string }>(
		    at`/v1/projects/${project}/integrations`).then(items => {
			names.value = { ...names.peek(), ...Object.fromEntries(
			    items.map(i => [i.id, i.name])) };
		}, () => asked.delete(project));
	}
	return id === undefined ? null : names.value[id] ?? null;
}
