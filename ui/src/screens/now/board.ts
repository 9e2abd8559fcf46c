/* board.ts: what is going on in a project, as far as one may see it. */
import { all, at, get, type Page } from "../../core/api.ts";
import { may, me } from "../../core/session.ts";

/* How many of a severity and a service fire. */
export interface Firing { severity: string; service: string | null;
	count: number; unacknowledged: number }
export interface Incident { id: string; number: number; title: string;
	severity: string; status: string; commander: string | null;
	created_at: string; services: string[] }
export interface Delegate { id: string; name: string; state: string;
	last_seen_at: string | null }
export interface Waiting { kind: "approval" | "manual" | "glass" |
    "connector" | "delegate"; label: string; path: string;
	since: string | null; until: string | null }
export interface Board {
	project: string;
	/* null: one may not see them */
	firing: Firing[] | null; total: number; more: boolean;
	quiet: string | null;
	incidents: Incident[] | null; delegates: Delegate[] | null;
	waiting: Waiting[];
	/* what could not be asked */
	failed: Error | null;
}

const OPEN = "new,acknowledged,investigating,mitigating,monitoring";
const RUNS = 50, STALE_MS = 90000;

export const stale = (d: Delegate, now: number): boolean =>
	d.last_seen_at === null || now - Date.parse(d.last_seen_at) > STALE_MS;

interface Run { id: string; state: string; created_at: string;
	runbook: { name: string | null }; requester: { id: string };
	steps?: { id: string; name: string | null; state: string;
		waiting_for?: { assignee?: Who | null; approvers?: Who[];
			message?: string; instructions?: string };
		until?: string | null; decisions?: { id?: string }[] }[] }
interface Who { kind: string; id: string }

/* Is it I who is asked?  Of a group one cannot tell here: then it may be. */
const mine = (who: Who | null | undefined): boolean => !who ||
	who.kind === "group" || who.id === me.peek()?.id;

async function runs(p: string): Promise<Waiting[]> {
	if (!may("run.view", p) || !(may("runbook.run", p) ||
	    may("runbook.approve", p)))
		return [];
	const { items } = (await get<Page<Run>>(at`/v1/projects/${p}/runs`,
	    { status: "queued,running,undoing", limit: RUNS })).data;
	const out: Waiting[] = [];
	for (const r of items) {
		const { data } = await get<Run>(at`/v1/projects/${p}/runs/${r.id}`);
		for (const s of data.steps ?? []) {
			const w = s.waiting_for;
			const asks = w?.approvers ? may("runbook.approve", p) &&
			    data.requester.id !== me.peek()?.id &&
			    (w.approvers.length === 0 || w.approvers.some(mine)) :
			    w ? may("runbook.run", p) && mine(w.assignee) : false;
			if (w && asks)
				out.push({ kind: w.approvers ? "approval" : "manual",
					label: `${data.runbook.name ?? ""}: ` +
					    (s.name ?? s.id),
					path: at`/p/${p}/runs/${r.id}`,
					since: r.created_at, until: s.until ?? null });
		}
	}
	return out;
}

interface Connector { slug: string; name: string; state: string;
	updated_at?: string }
async function connectors(p: string): Promise<Waiting[]> {
	if (!may("connector.view", p) || !may("connector.approve", p))
		return [];
	return (await all<Connector>(at`/v1/projects/${p}/connectors`))
	    .filter(c => c.state === "pending").map(c => ({ kind: "connector",
		label: c.name, path: at`/p/${p}/connectors/${c.slug}`,
		since: c.updated_at ?? null, until: null }));
}

/* The time of the last alert that is over. */
async function quietSince(path: string): Promise<string | null> {
	const { items } = (await get<Page<{ resolved_at: string | null;
		last_seen: string }>>(path, { status: "resolved", limit: 20 })).data;
	return items.map(a => a.resolved_at ?? a.last_seen).sort().at(-1) ?? null;
}

interface Summary {
	alerts: { firing: Firing[]; total: number; more: boolean } | null;
	runs: { waiting_approval: number; waiting_manual: number;
		more: boolean } | null;
}

async function summary(b: Board): Promise<void> {
	const p = at`/v1/projects/${b.project}`;
	const { data } = await get<Summary>(p + "/summary");
	b.firing = data.alerts?.firing ?? null;
	b.total = data.alerts?.total ?? 0;
	b.more = data.alerts?.more ?? false;
	if (data.alerts && b.total === 0)
		b.quiet = await quietSince(p + "/alerts");
	const r = data.runs;
	if (r && (r.more || r.waiting_approval + r.waiting_manual > 0))
		b.waiting.push(...await runs(b.project));
}

async function incidents(b: Board): Promise<void> {
	if (may("incident.view", b.project))
		b.incidents = await all<Incident>(
		    at`/v1/projects/${b.project}/incidents`, { status: OPEN }, 200);
}

async function delegates(b: Board): Promise<void> {
	if (!may("delegate.view", b.project))
		return;
	b.delegates = await all<Delegate>(
	    at`/v1/projects/${b.project}/delegates`);
	if (may("delegate.approve", b.project))
		b.waiting.push(...b.delegates.filter(d => d.state === "pending")
		    .map((d): Waiting => ({ kind: "delegate", label: d.name,
			path: at`/p/${b.project}/delegates`, since: null,
			until: null })));
}

/* All of it; what fails leaves the rest. */
export async function boardOf(project: string): Promise<Board> {
	const b: Board = { project, firing: null, total: 0, more: false, quiet: null,
		incidents: null, delegates: null, waiting: [], failed: null };
	const parts = [summary(b), incidents(b), delegates(b),
	    connectors(project).then(w => { b.waiting.push(...w); })];
	for (const r of await Promise.allSettled(parts)) {
		if (r.status === "rejected")
			b.failed = r.reason as Error;
	}
	return b;
}

/* Uses of break-glass that I may review. */
export async function glass(): Promise<Waiting[]> {
	if (!may("breakglass.review"))
		return [];
	const items = await all<{ id: string; name: string | null;
		state: string; principal: { id: string };
		ended_at: string | null }>("/v1/break-glass");
	return items.filter(g => g.state === "over" &&
	    g.principal.id !== me.peek()?.id).map(g => ({ kind: "glass",
		label: g.name ?? g.principal.id, path: "/admin/glass",
		since: g.ended_at, until: null }));
}
