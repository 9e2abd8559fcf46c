/*
 * live.ts: what happens, as it happens.  listen() gets events; changed() is
 * a signal that counts events that match, for whatever shows a list.
 */
import { effect, signal } from "@preact/signals";
import { heard } from "./api.ts";
import { load, me, state } from "./session.ts";
import { workerUrl } from "./workers.ts";
import { Source, type Event, type Message } from "./live-source.ts";

export type { Event } from "./live-source.ts";
type Listener = (events: Event[]) => void;

/* Is the stream open? */
export const open = signal(false);
/* Counts the times when something may have been missed: read all again. */
export const resynced = signal(0);

const listeners = new Set<Listener>();

export function listen(l: Listener): () => void {
	listeners.add(l);
	return () => listeners.delete(l);
}

/* Call f, at most every ms, when an event matches or one may be missed. */
export function whenever(match: (e: Event) => boolean, f: () => void,
    ms = 300): () => void {
	let timer: ReturnType<typeof setTimeout> | undefined;
	let first = true;
	const soon = (): void => {
		timer ??= setTimeout(() => { timer = undefined; f(); }, ms);
	};
	const off = listen(es => {
		if (es.some(match))
			soon();
	});
	const stop = effect(() => {
		void resynced.value;
		if (!first)
			soon();
		first = false;
	});
	return () => { off(); stop(); clearTimeout(timer); };
}

function take(m: Message): void {
	if (m.kind === "state" || m.kind === "beat") {
		if (m.kind === "state")
			open.value = m.open;
		if (m.kind === "beat" || m.open)
			heard.value = Math.max(heard.peek(), m.at);
	} else if (m.kind === "resync") {
		resynced.value++;
	} else if (m.kind === "reauth") {
		void load();
	} else {
		for (const l of listeners)
			l(m.events);
	}
}

function shared(): () => void {
	const w = new SharedWorker(workerUrl(LIVE_WORKER), { type: "module",
		name: "redoubt-live" });
	const alive = (): void => w.port.postMessage(me.peek()?.id ?? "");
	w.port.onmessage = e => take(e.data as Message);
	w.port.start();
	alive();
	const timer = setInterval(alive, 30000);
	addEventListener("pagehide", () => w.port.postMessage("bye"));
	addEventListener("pageshow", alive);
	return () => { clearInterval(timer); w.port.postMessage("bye"); };
}

/* Without SharedWorker: the tab that gets the lock leads, the others hear. */
function led(): () => void {
	const ch = new BroadcastChannel("redoubt-live");
	const stop = new AbortController();
	const source = new Source(m => { take(m); ch.postMessage(m); });
	ch.onmessage = e => take(e.data as Message);
	void navigator.locks.request("redoubt-live", { signal: stop.signal },
	    () => new Promise<void>(() => source.start())).catch(() => undefined);
	return () => { stop.abort(); source.stop(); ch.close(); };
}

let running: (() => void) | null = null;
export function follow(): void {
	effect(() => {
		const on = state.value === "in";
		if (on && !running)
			running = "SharedWorker" in window ? shared() : led();
		else if (!on && running && state.value !== "lost") {
			running();
			running = null;
		}
	});
}
