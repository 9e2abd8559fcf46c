/* people.ts: the names of those whom answers know by their ids. */
import { signal } from "@preact/signals";
import { get } from "./api.ts";
import { me } from "./session.ts";

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
