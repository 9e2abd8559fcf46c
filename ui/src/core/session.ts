/* session.ts: who is logged in here, and what they may. */
import { computed, effect, signal } from "@preact/signals";
import { csrf, get, Lost, onRefused, post, Problem } from "./api.ts";

/* As /v1/sessions tells it. */
export interface Session { id: string; user: string; method: string;
	address: string; agent: string; auth_time: string; last_used: string;
	expires_at: string; current: boolean }
export interface Me {
	kind: string; id: string; name: string; email?: string;
	organization?: string; version?: string;
	permissions: string[];
	projects: Record<string, string[]>;
	break_glass: { id: string; project?: string; expires_at: string }[];
	csrf?: string;
	session?: { id: string; method: string; provider?: string | null;
		expires_at: string; [k: string]: unknown };
	token?: unknown;
}

/* loading: nothing known; out: nobody; in: me is who; expired: me was who,
 * their work is still on the screen; sealed: the server has no keys;
 * lost: no answer yet. */
export type State = "loading" | "out" | "in" | "expired" | "sealed" | "lost";
export const state = signal<State>("loading");
export const me = signal<Me | null>(null);
/* Who waits for a login of a moment ago (step-up); one login is for all. */
export const stepUp = signal<((done: boolean) => void) | null>(null);

/* What the page holds is one person's: lists, names, toasts, requests that
 * wait.  For another, or nobody, it begins anew, in every tab; nothing that
 * was under way goes on as somebody else. */
const tabs = new BroadcastChannel("redoubt-session");
function leave(to: string): Promise<void> {
	me.value = null;
	csrf.value = "";
	state.value = "loading";
	/* when nothing is drawn any more that would ask whether to stay */
	setTimeout(() => location.replace(to), 0);
	return new Promise(() => undefined);
}
tabs.onmessage = e => {
	const who = me.peek()?.id;
	if (who !== undefined && e.data !== who)
		void leave(e.data === null ? "/login" : "/");
};
/* a page that comes back by the browser's "back" may be of before */
addEventListener("pageshow", e => {
	if (e.persisted)
		void load();
});

export async function load(): Promise<void> {
	try {
		const { data } = await get<Me>("/v1/whoami");
		if (me.peek()?.id !== data.id)
			tabs.postMessage(data.id);
		if (me.peek() && me.peek()?.id !== data.id)
			return await leave("/");
		csrf.value = data.csrf ?? "";
		me.value = data;
		state.value = "in";
	} catch (e) {
		if (e instanceof Problem && e.status === 401)
			state.value = me.peek() ? "expired" : "out";
		else if (e instanceof Problem && e.code === "sealed")
			state.value = "sealed";
		else if (e instanceof Lost)
			state.value = me.peek() ? "in" : "lost";
		else
			throw e;
	}
}

export async function logout(): Promise<void> {
	try {
		await post("/v1/logout");
	} finally {
		void forget();
	}
}

/* Nobody is here any more, as far as this page is concerned. */
export function forget(): Promise<void> {
	tabs.postMessage(null);
	return leave("/login");
}

function until(good: (s: State) => boolean): Promise<State> {
	return new Promise(done => {
		const stop = state.subscribe(s => {
			if (good(s)) {
				queueMicrotask(() => stop());
				done(s);
			}
		});
	});
}

onRefused(async (p, path) => {
	if (path === "/v1/whoami" || path.startsWith("/v1/login"))
		return false;
	if (p.code === "step_up_required") {
		return await new Promise<boolean>(r => {
			const before = stepUp.peek();
			stepUp.value = done => {
				stepUp.value = null;
				before?.(done);
				r(done);
			};
		});
	}
	if (p.status === 401) {
		const who = me.peek()?.id;
		state.value = who ? "expired" : "out";
		/* what was asked goes on after the same person's next login */
		return who !== undefined && await until(s => s !== "expired") ===
		    "in" && me.peek()?.id === who;
	}
	if (p.code === "sealed")
		state.value = "sealed";
	if (p.code === "csrf") {
		const before = csrf.peek();
		await load();
		return csrf.peek() !== before;
	}
	return false;
});

/* May I?  In a project, or in the organization without one. */
export function may(perm: string, project?: string | null): boolean {
	const m = me.value;
	if (!m)
		return false;
	const set = project ? m.projects[project] : m.permissions;
	return set !== undefined && set.includes(perm);
}

/* May I anywhere? */
export function mayAnywhere(perm: string): boolean {
	const m = me.value;
	return m !== null && (m.permissions.includes(perm) ||
	    Object.values(m.projects).some(s => s.includes(perm)));
}

export const projects = computed(() =>
    Object.keys(me.value?.projects ?? {}).sort());

/* The project one is in: the address says, else the last one. */
export const project = signal<string>("");
effect(() => {
	const known = projects.value;
	if (known.length > 0 && !known.includes(project.value)) {
		const last = localStorage.getItem("project");
		project.value = last && known.includes(last) ? last :
		    known[0] ?? "";
	}
});
effect(() => {
	if (project.value)
		localStorage.setItem("project", project.value);
});
