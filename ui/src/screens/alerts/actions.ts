/*
 * actions.ts: the verbs of alerts, the same from the list, the preview, the
 * page and the keyboard.  What one does shows at once; what the server
 * refuses is put back and said.
 */
import { signal } from "@preact/signals";
import { at, post, Problem } from "../../core/api.ts";
import { may } from "../../core/session.ts";
import { confirm } from "../../kit/confirm.tsx";
import { toast, wrong } from "../../kit/toast.tsx";
import { askWhy } from "../../kit/why.tsx";
import { T, say } from "../../text/index.ts";
import type { Alert } from "./model.ts";
import type { Store } from "./store.ts";

export type Verb = "acknowledge" | "resolve";
const AT_ONCE = 4;

/* Alerts one has acted on: they may leave a list that holds still. */
export const own = signal<ReadonlySet<string>>(new Set());
/* A long one on its way: done of so many. */
export const progress = signal<{ done: number; of: number } | null>(null);

const after: Record<Verb, string> = { acknowledge: "acknowledged",
	resolve: "resolved" };
export const fits = (verb: Verb, a: Alert): boolean =>
	a.status !== "resolved" &&
	    (verb === "resolve" || a.status !== "acknowledged");

/* f of every one, some at a time. */
export async function each<V>(vs: V[], f: (v: V) => Promise<void>):
    Promise<void> {
	const queue = [...vs];
	const work = async (): Promise<void> => {
		for (let v = queue.shift(); v !== undefined; v = queue.shift())
			await f(v);
	};
	await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/* May one?  Else it is said why not. */
export function allowed(s: Store, perm = "alert.act"): boolean {
	if (may(perm, s.project))
		return true;
	askWhy({ perm, project: s.project });
	return false;
}

function told(verb: Verb, done: Alert[], errors: unknown[]): void {
	const t = T.alerts.did[verb], one = done[0];
	if (done.length > 0)
		toast(done.length === 1 && one ?
		    say(t.one, { title: one.title.slice(0, 80) }) :
		    say(t.many, { n: done.length }));
	if (errors.length > 0)
		toast(say(T.alerts.notDone, { n: errors.length,
			why: wrong(errors[0]) }), undefined, true);
}

/* began: asked and answered, it is on its way */
export async function act(s: Store, alerts: Alert[], verb: Verb,
    began?: () => void): Promise<void> {
	const todo = alerts.filter(a => fits(verb, a));
	const done: Alert[] = [], errors: unknown[] = [];

	if (!allowed(s))
		return;
	if (todo.length === 0) {
		toast(T.alerts.nothing[verb]);
		return;
	}
	if (verb === "resolve" && todo.length > 1 && !await confirm({
		title: say(T.alerts.resolveTitle, { n: todo.length }),
		text: T.alerts.resolveText, go: T.alerts.resolve }))
		return;
	began?.();
	own.value = new Set([...own.peek(), ...todo.map(a => a.id)]);
	s.put(todo.map(a => ({ ...a, status: after[verb] })));
	if (todo.length > 20)
		progress.value = { done: 0, of: todo.length };
	await each(todo, async a => {
		try {
			const { data } = await post<Alert>(
			    at`/v1/projects/${s.project}/alerts/${a.id}/${verb}`, {});
			s.put([data]);
			done.push(a);
		} catch (e) {
			s.put([a]);
			errors.push(e);
		}
		if (progress.peek())
			progress.value = { done: done.length + errors.length,
				of: todo.length };
	});
	progress.value = null;
	told(verb, done, errors);
}

/* To the incident of this id or number; to a new one without. */
export async function attach(s: Store, alerts: Alert[], incident: string |
    null, severity?: string): Promise<string> {
	const todo = alerts.filter(a => a.incident === null);
	const path = (a: Alert): string =>
		at`/v1/projects/${s.project}/alerts/${a.id}/promote`;
	let to = incident, errors: unknown[] = [], n = 0;

	const first = to === null ? todo.shift() : undefined;
	if (first) {
		const { data } = await post<Alert>(path(first),
		    severity ? { severity } : {});
		s.put([data]);
		to = data.incident;
		n = 1;
	}
	await each(todo, async a => {
		try {
			s.put([(await post<Alert>(path(a), { incident: to })).data]);
			n++;
		} catch (e) {
			errors = [...errors, e];
		}
	});
	own.value = new Set([...own.peek(), ...alerts.map(a => a.id)]);
	if (n === 0 && errors[0] instanceof Problem)
		throw errors[0];
	toast(say(T.alerts.attached, { n }));
	if (errors.length > 0)
		toast(say(T.alerts.notDone, { n: errors.length,
			why: wrong(errors[0]) }), undefined, true);
	return to ?? "";
}
