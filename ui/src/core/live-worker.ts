/* live-worker.ts: the SharedWorker: one stream for all tabs of a browser,
 * which is of one person: with another it is opened again. */
import { Source, type Message } from "./live-source.ts";

/* A tab that has not asked for this long is gone. */
const GONE_MS = 90000;
interface Tab { at: number; who: string }
const tabs = new Map<MessagePort, Tab>();
let whose = "";
let said: Message | null = null;

const source = new Source(m => {
	if (m.kind === "state")
		said = m;
	for (const [p, tab] of tabs) {
		if (tab.who === whose)
			p.postMessage(m);
	}
});

setInterval(() => {
	for (const [p, tab] of tabs) {
		if (Date.now() - tab.at > GONE_MS)
			tabs.delete(p);
	}
	if (tabs.size === 0)
		source.stop();
}, 10000);

(self as unknown as { onconnect: (e: MessageEvent) => void }).onconnect =
    e => {
	const port = e.ports[0];
	if (!port)
		return;
	port.onmessage = m => {
		if (m.data === "bye") {
			tabs.delete(port);
			if (tabs.size === 0)
				source.stop();
			return;
		}
		const who = String(m.data), fresh = !tabs.has(port);
		tabs.set(port, { at: Date.now(), who });
		if (who !== whose) {
			whose = who;
			source.stop();
		}
		if (fresh && said)
			port.postMessage(said);
		source.start();
	};
	port.start();
};
