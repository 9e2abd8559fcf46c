/* incident.tsx: the incident an alert belongs to, known by its number.  The
 * API names it by id: what is in sight is asked for, once. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { at, get } from "../../core/api.ts";
import { Plain } from "../../kit/plain.tsx";

export interface Incident { id: string; number: number; title: string;
	severity: string; status: string; services?: string[] }
const known = signal<Record<string, Incident | null>>({});
const asked = new Set<string>();
let queue: { id: string; project: string }[] = [];
let busy = 0;
const AT_ONCE = 2, WAITING = 60;

export const learn = (items: Incident[]): void => {
	for (const i of items)
		asked.add(i.id);
	known.value = { ...known.peek(),
		...Object.fromEntries(items.map(i => [i.id, i])) };
};

async function work(): Promise<void> {
	const next = queue.pop();
	if (!next)
		return;
	busy++;
	try {
		learn([(await get<Incident>(
		    at`/v1/projects/${next.project}/incidents/${next.id}`)).data]);
	} catch {
		known.value = { ...known.peek(), [next.id]: null };
	}
	busy--;
	void work();
}

function want(id: string, project: string): void {
	if (asked.has(id))
		return;
	asked.add(id);
	queue.push({ id, project });
	/* scrolled past: may be asked again */
	for (const x of queue.splice(0, Math.max(0, queue.length - WAITING)))
		asked.delete(x.id);
	if (busy < AT_ONCE)
		void work();
}

export function IncidentLink({ id, project, title }: { id: string;
    project: string; title?: boolean }) {
	const i = known.value[id];
	useEffect(() => {
		const timer = setTimeout(() => want(id, project), 150);
		return () => clearTimeout(timer);
	}, [id, project]);
	return i ? <a href={at`/p/${project}/i/${i.number}`} tabIndex={title ?
	    undefined : -1}>INC-{i.number}{title && <> <Plain text={i.title} />
	    </>}</a> : <span class="dim mono">{id.slice(-8)}</span>;
}
