/* live-worker.ts: the SharedWorker: one stream for all tabs of a browser. */
import { Source, type Message } from "./live-source.ts";

/* A tab that has not asked for this long is gone. */
const GONE_MS = 90000;
const tabs = new Map<MessagePort, number>();
let said: Message | null = null;

const source = new Source(m => {
	if (m.kind === "state")
		said = m;
	for (const p of tabs.keys())
		p.postMessage(m);
});

setInterval(() => {
	for (const [p, at] of tabs) {
		if (Date.now() - at > GONE_MS)
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
	tabs.set(port, Date.now());
	port.onmessage = m => {
		if (m.data === "bye") {
			tabs.delete(port);
			if (tabs.size === 0)
				source.stop();
			return;
		}
		tabs.set(port, Date.now());
		source.start();
	};
	port.start();
	if (said)
		port.postMessage(said);
	source.start();
};
