/* A worker that verifies an export, so that a page stays quick. */
import { verifyExport, type Verdict } from "./export.ts";

interface Job {
	id: number;
	file: ArrayBuffer | Blob;
	key: string | null;
}

type Answer = { id: number; verdict: Verdict } | { id: number; error: string };

const self_ = globalThis as unknown as {
	onmessage: (m: MessageEvent<Job>) => void;
	postMessage(a: Answer): void;
};

async function work(job: Job): Promise<Answer> {
	try {
		const raw = job.file instanceof Blob ? await job.file.arrayBuffer()
		    : job.file;

		return { id: job.id,
			verdict: await verifyExport(new Uint8Array(raw), job.key) };
	} catch (e) {
		return { id: job.id, error: e instanceof Error ? e.message : "?" };
	}
}

self_.onmessage = (m) => {
	void work(m.data).then((a) => self_.postMessage(a));
};
