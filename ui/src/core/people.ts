/* people.ts: the names of those whom answers know by their ids. */
import { signal } from "@preact/signals";
import { all, get } from "./api.ts";
import { may, me } from "./session.ts";

export interface Who { kind: string; id: string; name: string }

const names = signal<Record<string, string>>({});
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
		const { data } = await get<{ items: { id: string;
			name: string }[] }>("/v1/people", { ids: ids.join(",") });
		names.value = { ...names.peek(), ...Object.fromEntries(
		    data.items.map(p => [p.id, p.name])) };
	} catch { /* the ids stay */ }
}

/* The name, or the end of the id until it is known. */
export function nameOf(id: string | null | undefined): string {
	if (!id)
		return "–";
	if (id === me.value?.id)
		return me.value.name;
	const n = names.value[id];
	if (n === undefined && !asked.has(id)) {
		asked.add(id);
		wanted.add(id);
		timer ??= setTimeout(() => void ask(), 20);
	}
	return n ?? id.slice(-8);
}
/* What one has been told anyway. */
export function know(id: string, name: string): void {
	if (names.peek()[id] !== name)
		names.value = { ...names.peek(), [id]: name };
	asked.add(id);
}

/* Whom one may choose from: all, for who may see them; else whom this page
 * knows, which is who took part in what one sees. */
export async function choices(project: string, typed: string,
    kinds: string[]): Promise<Who[]> {
	const t = typed.trim().toLowerCase();
	const known: Who[] = Object.entries(names.peek()).map(([id, name]) =>
	    ({ kind: "user", id, name }));
	const m = me.peek();
	if (m)
		known.unshift({ kind: m.kind, id: m.id, name: m.name });
	const lists = [["user", "/v1/users"], ["group", "/v1/groups"],
	    ["service_account", "/v1/service-accounts"]] as const;
	const found = !may("user.view") ? [] : await Promise.all(lists
	    .filter(([k]) => kinds.includes(k)).map(async ([kind, path]) =>
		(await all<{ id: string; name?: string; email?: string }>(path))
		    .map(o => ({ kind, id: o.id,
			name: o.name || o.email || o.id }))))
	    .catch(() => []);
	void project;
	return [...known, ...found.flat()].filter(w =>
	    w.name.toLowerCase().includes(t));
}
