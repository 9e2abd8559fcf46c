/* log-stream.ts: what is written to a log, as it is written.  Nothing is
 * asked for while the tab is hidden. */
import type { LogData } from "./log-data.ts";

const AGAIN_MS = 2000;

function bytesOf(b64: string): Uint8Array {
	const s = atob(b64), out = new Uint8Array(s.length);
	for (let i = 0; i < s.length; i++)
		out[i] = s.charCodeAt(i);
	return out;
}

async function once(path: string, data: LogData, signal: AbortSignal):
    Promise<void> {
	const u = new URL(path, location.origin);
	u.searchParams.set("offset", String(data.size));
	const r = await fetch(u, { signal, cache: "no-store",
		headers: { accept: "text/event-stream" } });
	const reader = r.ok ? r.body?.getReader() : undefined;
	const utf8 = new TextDecoder();
	let rest = "";
	while (reader) {
		const { done, value } = await reader.read();
		if (done)
			return;
		const lines = (rest + utf8.decode(value, { stream: true }))
		    .split("\n");
		rest = lines.pop() ?? "";
		for (const l of lines) {
			if (!l.startsWith("data:"))
				continue;
			const e = JSON.parse(l.slice(5)) as { offset?: number;
				data?: string };
			if (e.data !== undefined && e.offset !== undefined)
				data.append(e.offset, bytesOf(e.data));
		}
	}
}

/* Until the answer is called. */
export function followLog(path: string, data: LogData): () => void {
	let abort: AbortController | null = null;
	let timer: ReturnType<typeof setTimeout> | undefined;
	let over = false;
	const look = (): void => {
		clearTimeout(timer);
		if (over || document.hidden) {
			abort?.abort();
			abort = null;
		} else if (!abort) {
			const mine = abort = new AbortController();
			once(path, data, mine.signal).catch(() => undefined)
			    .finally(() => {
				if (abort === mine) {
					abort = null;
					timer = setTimeout(look, AGAIN_MS);
				}
			});
		}
	};
	document.addEventListener("visibilitychange", look);
	look();
	return () => {
		over = true;
		document.removeEventListener("visibilitychange", look);
		look();
	};
}
