/* people.ts: the names of those whom answers know by their ids. */
import { signal } from "@preact/signals";
import { all, get } from "./api.ts";
import { may, me, project } from "./session.ts";

export interface Who { kind: string; id: string; name: string }

const names = signal<Record<string, Who>>({});
const asked = new Set<string>();
let wanted = new Set<string>();
let timer: ReturnType<typeof setTimeout> | undefined;

async function ask(): Promise<void> {
	const ids = [...wanted].slice(0, 100);
	timer = undefined;
	wanted = new Set([...wanted].slice(100));
	if (wanted.size > 0)
		timer = setTimeout(() => void ask(), 10);
	try {
		const { data } = await get<{ items: Who[] }>("/v1/people",
		    { ids: ids.join(",") });
		names.value = { ...names.peek(), ...Object.fromEntries(
		    data.items.map(p => [p.id, p])) };
	} catch { /* the ids stay */ }
}

/* The name, or the end of the id until it is known. */
export function nameOf(id: string | null | undefined): string {
	if (!id)
		return "–";
	if (id === me.value?.id)
		return me.value.name;
	const n = names.value[id]?.name;
	if (n === undefined && !asked.has(id)) {
		asked.add(id);
		wanted.add(id);
		timer ??= setTimeout(() => void ask(), 20);
	}
	return n ?? id.slice(-8);
}
/* What one has been told anyway. */
export function know(who: Who): void {
	const n = names.peek()[who.id];
	if (n?.name !== who.name || n.kind !== who.kind)
		names.value = { ...names.peek(), [who.id]: who };
	asked.add(who.id);
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LISTS = [["user", "/v1/users"], ["group", "/v1/groups"],
    ["service_account", "/v1/service-accounts"]] as const;

const kindIn = (kinds: string[]) => (w: Who): boolean =>
	kinds.includes(w.kind);

/* Everybody, for who may list them; else those of this project, for who works
 * its incidents. */
async function listed(typed: string, kinds: string[]): Promise<Who[]> {
	const p = project.peek();
	if (may("user.view"))
		return (await Promise.all(LISTS.filter(([k]) => kinds.includes(k))
		    .map(async ([kind, path]) => (await all<{ id: string;
			name?: string; email?: string }>(path)).map(o => ({ kind,
			id: o.id, name: o.name || o.email || o.id }))))).flat();
	if (!p || !may("incident.edit", p))
		return [];
	return (await get<{ items: Who[] }>("/v1/people", { project: p,
		q: typed })).data.items;
}

/* Whom one may choose from: those, and whom this page has met, which is who
 * took part in what one has seen; and whose id one brings. */
export async function choices(typed: string, kinds: string[]):
    Promise<Who[]> {
	const t = typed.trim().toLowerCase(), m = me.peek();
	if (ID.test(t)) {
		const { data } = await get<{ items: Who[] }>("/v1/people",
		    { ids: t });
		return data.items.filter(kindIn(kinds));
	}
	const found = await listed(t, kinds).catch(() => []);
	const own = m ? [{ kind: m.kind, id: m.id, name: m.name }] : [];
	const seen = new Set<string>();
	return [...own, ...Object.values(names.peek()), ...found]
	    .filter(w => kindIn(kinds)(w) && !seen.has(w.id) &&
		seen.add(w.id) && w.name.toLowerCase().includes(t));
}
