/* verify.tsx: an export is dropped here and checked here, in this browser. */
import { useRef, useState } from "preact/hooks";
import { workerUrl } from "../../core/workers.ts";
import { Facts, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { T, say } from "../../text/index.ts";
import { toHex } from "../../proof/bytes.ts";
import type { Verdict } from "../../proof/export.ts";
import { AuditTabs } from "./common.tsx";
import { forget, kept, trust } from "./proof.ts";

let worker: Worker | null = null;
let jobs = 0;

function verify(file: Blob, key: string | null): Promise<Verdict> {
	worker ??= new Worker(workerUrl(PROOF_WORKER), { type: "module" });
	const w = worker, id = ++jobs;
	return new Promise((done, failed) => {
		w.onmessage = m => {
			const a = m.data as { id: number; verdict?: Verdict;
				error?: string };
			if (a.id !== id)
				return;
			if (a.verdict)
				done(a.verdict);
			else
				failed(new Error(a.error));
		};
		w.onerror = e => failed(new Error(e.message));
		w.postMessage({ id, file, key });
	});
}

function Answer({ v, ms }: { v: Verdict; ms: number }) {
	return <div class="stack">
		<p class={v.good ? "good" : "wrong"}><strong>{v.good ?
		    say(T.audit.fileGood, { n: v.entries }) :
		    say(T.audit.fileBad, { seq: v.seq })}</strong>
			{!v.good && " " + v.what}</p>
		<Facts rows={[
			[T.audit.range, `${v.first} – ${v.last}`],
			[T.audit.hidden, v.hidden],
			[T.audit.manifest, v.manifest ? T.audit.yes : T.audit.no],
			[T.audit.keyed, v.keyKnown ? T.audit.keyKnown :
			    T.audit.keyOwn],
			v.checkpoint ? [T.audit.root,
			    <code>{toHex(v.checkpoint.root)}</code>] : null,
			[T.audit.took, `${Math.round(ms)} ms`]]} />
	</div>;
}

export default function VerifyPage() {
	const [key, put] = useState(kept()?.key ?? "");
	const [a, set] = useState<{ v: Verdict; ms: number } | null>(null);
	const [bad, setBad] = useState("");
	const [over, hover] = useState(false);
	const input = useRef<HTMLInputElement>(null);
	const check = async (f: File | undefined | null): Promise<void> => {
		if (!f)
			return;
		setBad("");
		set(null);
		const from = performance.now();
		try {
			const v = await verify(f, key.trim() || null);
			set({ v, ms: performance.now() - from });
		} catch (e) {
			setBad(e instanceof Error ? e.message : String(e));
		}
	};
	return <Page title={T.audit.verify} lead={T.audit.verifyLead}>
		<AuditTabs at="/audit/verify" />
		<div class="field"><label for="audit-key">{T.audit.key}</label>
			<input id="audit-key" class="mono" value={key}
			    aria-describedby="audit-key-hint"
			    onInput={e => put(e.currentTarget.value)} />
			<p class="hint" id="audit-key-hint">{T.audit.keyHint}</p></div>
		<div class="actions">
			<Button onClick={() => trust(key.trim())}
			    off={key.trim() === "" && T.audit.key}>
				{T.audit.trust}</Button>
			<Button onClick={() => { forget(); put(""); }}>
				{T.audit.forget}</Button></div>
		<div class={over ? "empty audit-drop over" : "empty audit-drop"}
		    onDragOver={e => { e.preventDefault(); hover(true); }}
		    onDragLeave={() => hover(false)}
		    onDrop={e => {
			e.preventDefault();
			hover(false);
			void check(e.dataTransfer?.files[0]);
		    }}>
			<p class="empty-title">{T.audit.drop}</p>
			<input ref={input} type="file" class="sr" tabIndex={-1}
			    aria-label={T.audit.choose} onChange={e => {
				void check(e.currentTarget.files?.[0]);
				e.currentTarget.value = "";
			    }} />
			<Button kind="primary" icon="audit"
			    onClick={() => input.current?.click()}>
				{T.audit.choose}</Button></div>
		<div aria-live="polite">
			{a && <section class="card"><Answer v={a.v} ms={a.ms} />
			</section>}
			{bad && <p class="wrong" role="alert">{bad}</p>}</div>
	</Page>;
}
