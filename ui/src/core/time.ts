/* time.ts: a clock that ticks for everything that shows how long ago. */
import { signal } from "@preact/signals";
import { prefs } from "./prefs.ts";
import { T, say } from "../text/index.ts";

export const now = signal(Date.now());
setInterval(() => { now.value = Date.now(); }, 1000);

export function ago(ms: number, at: number = now.value): string {
	const s = Math.round((at - ms) / 1000), a = Math.abs(s);
	const t = a < 60 ? say(T.time.s, { n: a }) :
	    a < 3600 ? say(T.time.m, { n: Math.floor(a / 60) }) :
	    a < 172800 ? say(T.time.h, { n: Math.floor(a / 3600) }) :
	    a < 700 * 86400 ? say(T.time.d, { n: Math.floor(a / 86400) }) :
	    say(T.time.y, { n: Math.round(a / 31556952) });
	return s < 0 ? say(T.time.in, { t }) : say(T.time.ago, { t });
}

/* 00:37:12, or 3 d 04:10 */
export function lasting(ms: number): string {
	const s = Math.max(0, Math.floor(ms / 1000)), two = (n: number): string =>
	    String(n).padStart(2, "0");
	const d = Math.floor(s / 86400);
	const h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60;
	return d > 0 ? `${d} d ${two(h)}:${two(m)}` :
	    `${two(h)}:${two(m)}:${two(s % 60)}`;
}

export function when(ms: number, withDay = true): string {
	const o: Intl.DateTimeFormatOptions = { hour: "2-digit",
		minute: "2-digit", second: "2-digit", hourCycle: "h23" };
	if (withDay)
		Object.assign(o, { year: "numeric", month: "short",
			day: "2-digit" });
	if (prefs.value.utc)
		o.timeZone = "UTC";
	const f = new Intl.DateTimeFormat("en-GB", o).format(ms);
	return prefs.value.utc ? f + "Z" : f;
}

/* "Sat, 28 Nov 2026" */
export function day(ms: number): string {
	return new Intl.DateTimeFormat("en-GB", { weekday: "short",
		day: "2-digit", month: "short", year: "numeric",
		...(prefs.value.utc && { timeZone: "UTC" }) }).format(ms);
}
