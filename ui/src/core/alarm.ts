/*
 * alarm.ts: a new critical alert, heard in an open tab by whoever switched
 * that on: a notification of this browser, a sound, a number in the title.
 * Nothing is pushed by the server; one tab of a browser speaks for all.
 */
import { effect } from "@preact/signals";
import { at, get, type Page } from "./api.ts";
import { listen, type Event } from "./live.ts";
import { prefs } from "./prefs.ts";
import { may } from "./session.ts";
import { T, plain, say } from "../text/index.ts";

interface Alert { id: string; title: string; first_seen: string }
const WAIT_MS = 800, SHOWN = 3;

let audio: AudioContext | undefined;
export function beep(): void {
	try {
		audio ??= new AudioContext();
		void audio.resume();
		const gain = audio.createGain();
		gain.connect(audio.destination);
		for (const [i, hz] of [880, 660].entries()) {
			const o = audio.createOscillator(), t = audio.currentTime;
			o.frequency.value = hz;
			gain.gain.value = 0.15;
			o.connect(gain);
			o.start(t + i * 0.18);
			o.stop(t + i * 0.18 + 0.15);
		}
	} catch { /* no sound here */ }
}

/* How many came while nobody looked: in front of the tab's title. */
let unseen = 0;
function badge(): void {
	const bare = document.title.replace(/^\(\d+\) /, "");
	document.title = unseen > 0 ? `(${unseen}) ${bare}` : bare;
}
document.addEventListener("visibilitychange", () => {
	if (!document.hidden) {
		unseen = 0;
		badge();
	}
});

function tell(project: string, fresh: Alert[], speak: boolean): void {
	if (document.hidden) {
		unseen += fresh.length;
		badge();
	}
	if (!speak)
		return;
	if (prefs.peek().sound)
		beep();
	if (!prefs.peek().notify || Notification.permission !== "granted")
		return;
	for (const a of fresh.slice(0, SHOWN)) {
		const n = new Notification(say(T.alarm.title, { project }),
		    { body: plain(a.title.slice(0, 200)), tag: a.id, icon: "/icon.svg" });
		n.onclick = () => {
			window.focus();
			location.href = at`/p/${project}/alerts/${a.id}`;
		};
	}
	if (fresh.length > SHOWN)
		new Notification(say(T.alarm.more, { project,
			n: fresh.length - SHOWN }), { icon: "/icon.svg" });
}

/* What is critical and new since the last look. */
const since = new Map<string, number>();
const told = new Set<string>();
async function look(project: string, speak: boolean): Promise<void> {
	const from = since.get(project) ?? Date.now() - 5000;
	since.set(project, Date.now() - 1000);
	const { items } = (await get<Page<Alert>>(
	    at`/v1/projects/${project}/alerts`, { severity: "critical",
		status: "triggered", limit: 20 })).data;
	const fresh = items.filter(a => !told.has(a.id) &&
	    Date.parse(a.first_seen) >= from);
	for (const a of fresh)
		told.add(a.id);
	if (fresh.length > 0)
		tell(project, fresh, speak);
}

let speaks = false;
void navigator.locks?.request("redoubt-alarm", () => {
	speaks = true;
	return new Promise<void>(() => undefined);
});

const waiting = new Map<string, ReturnType<typeof setTimeout>>();
function heard(es: Event[]): void {
	for (const e of es) {
		const p = e.project;
		if (!p || waiting.has(p) || !may("alert.view", p) ||
		    !/^(ingest\.|alert\.create)/.test(e.action))
			continue;
		if (!since.has(p))
			since.set(p, Date.parse(e.time) - 300);
		waiting.set(p, setTimeout(() => {
			waiting.delete(p);
			look(p, speaks || !navigator.locks).catch(() => undefined);
		}, WAIT_MS));
	}
}

let off: (() => void) | null = null;
effect(() => {
	const on = prefs.value.sound || prefs.value.notify;
	if (on && !off)
		off = listen(heard);
	else if (!on && off) {
		off();
		off = null;
	}
});
