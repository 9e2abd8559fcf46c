/* nav.ts: what the screens put into the navigation and the palette. */
import screens from "all-screens";
import { mayAnywhere, may, project } from "../core/session.ts";
import { T } from "../text/index.ts";
import type { Command, NavEntry, Section } from "./screen.ts";

export const SECTIONS: [Section, string][] = [["work", T.nav.work],
    ["automation", T.nav.automation], ["evidence", T.nav.evidence],
    ["setup", T.nav.setup], ["admin", T.nav.admin]];

const entries = screens.flatMap(s => s.nav ?? [])
    .sort((a, b) => a.order - b.order);

export const inProject = (path: string): string =>
	path.replace(":project", encodeURIComponent(project.value || "-"));

function shown(n: NavEntry): boolean {
	const perms = n.perm === undefined ? [] :
	    typeof n.perm === "string" ? [n.perm] : n.perm;
	return perms.length === 0 || perms.some(p =>
	    n.path.includes(":project") ? may(p, project.value) :
	    mayAnywhere(p));
}

export const navOf = (s: Section): NavEntry[] =>
	entries.filter(n => n.section === s && shown(n));
export const navAll = (): NavEntry[] => entries.filter(shown);

/* Commands of the screens, and every page as one. */
export function commands(): Command[] {
	return [...screens.flatMap(s => s.commands ?? []),
	    ...navAll().map(n => ({ id: "go:" + n.path, label: n.label,
		path: n.path, ...(n.key && { key: n.key }) }))];
}
