/*
 * live-source.ts: one stream of /v1/events, opened again whenever it ends.
 * Runs in the SharedWorker, or in the one tab that leads where there is
 * none.  fetch rather than EventSource: it sees comments (the server is
 * still there), the status (the session is not), and every event's name.
 */
export interface Event {
	seq: number; time: string; action: string; project?: string;
	principal?: { kind: string; id: string };
	resource: { type: string; id: string }[];
}
export type Message =
    | { kind: "events"; events: Event[] }
    | { kind: "state"; open: boolean; at: number }
    | { kind: "beat"; at: number }
    | { kind: "resync" }
    | { kind: "reauth" };

const BATCH_MS = 50;
const BACKOFF_MS = [1000, 2000, 4000, 8000, 15000];
const QUIET_MS = 45000;     /* the server says something every 15 s */
const LINE_MAX = 1 << 16;

export class Source {
	#abort: AbortController | null = null;
	#last = "";
	#heard = 0;
	#batch: Event[] = [];
	#timer: ReturnType<typeof setTimeout> | undefined;
	#running = false;
	#turn = 0;

	open = false;

	constructor(private readonly tell: (m: Message) => void) {}

	start(): void {
		if (!this.#running) {
			this.#running = true;
			void this.#run(++this.#turn);
		}
	}

	/* What was not told yet was for whom it was opened for. */
	stop(): void {
		this.#running = false;
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#batch = [];
		this.#abort?.abort();
		this.#said(false);
	}

	#said(open: boolean): void {
		this.open = open;
		this.tell({ kind: "state", open, at: Date.now() });
	}

	/* A run that slept while it was stopped and started is over. */
	async #run(turn: number): Promise<void> {
		const on = (): boolean => this.#running && turn === this.#turn;
		for (let tries = 0; on(); tries++) {
			const began = Date.now();
			try {
				await this.#once();
			} catch { /* gone: again */ }
			if (!on())
				return;
			this.#said(false);
			if (Date.now() - began > 10000)
				tries = 0;
			const ms = BACKOFF_MS[Math.min(tries,
			    BACKOFF_MS.length - 1)] ?? 15000;
			await new Promise(r => setTimeout(r,
			    ms * (0.7 + Math.random() * 0.6)));
		}
	}

	async #once(): Promise<void> {
		const abort = new AbortController();
		this.#abort = abort;
		const h: Record<string, string> = { accept: "text/event-stream" };
		if (this.#last !== "")
			h["last-event-id"] = this.#last;
		const r = await fetch("/v1/events", { headers: h,
			signal: abort.signal, cache: "no-store" });
		if (r.status === 401)
			this.tell({ kind: "reauth" });
		if (!r.ok || !r.body)
			return;
		this.#heard = Date.now();
		this.#said(true);
		const watch = setInterval(() => {
			if (Date.now() - this.#heard > QUIET_MS)
				abort.abort();
		}, 5000);
		try {
			await this.#read(r.body);
		} finally {
			clearInterval(watch);
		}
	}

	async #read(body: ReadableStream<Uint8Array>): Promise<void> {
		const reader = body.getReader();
		const utf8 = new TextDecoder();
		let rest = "", name = "", data = "";

		for (;;) {
			const { done, value } = await reader.read();
			if (done)
				return;
			this.#heard = Date.now();
			this.tell({ kind: "beat", at: this.#heard });
			const lines = (rest + utf8.decode(value, { stream: true }))
			    .split("\n");
			rest = lines.pop() ?? "";
			if (rest.length > LINE_MAX)
				throw new Error("a line without end");
			for (const raw of lines) {
				const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
				if (line === "") {
					this.#event(name, data);
					name = data = "";
				} else if (line.startsWith("event:")) {
					name = line.slice(6).trim();
				} else if (line.startsWith("data:")) {
					data += line.slice(5).trimStart();
				} else if (line.startsWith("id:")) {
					this.#last = line.slice(3).trim();
				}
			}
		}
	}

	#event(name: string, data: string): void {
		if (name === "resync" || name === "reauth") {
			this.tell({ kind: name });
			return;
		}
		if (data === "")
			return;
		this.#batch.push(JSON.parse(data) as Event);
		this.#timer ??= setTimeout(() => {
			this.#timer = undefined;
			const events = this.#batch;
			this.#batch = [];
			this.tell({ kind: "events", events });
		}, BATCH_MS);
	}
}
