/* entry.tsx: one entry: what it says, its exact bytes, and its proof. */
import { useState } from "preact/hooks";
import type { ViewProps } from "../../app/screen.ts";
import { go } from "../../app/router.ts";
import { useKeys } from "../../app/keys.ts";
import { at } from "../../core/api.ts";
import { useGet } from "../../core/use.ts";
import { Copy, Facts, Load, Page, When } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Person } from "../../kit/person.tsx";
import { T, say } from "../../text/index.ts";
import { About, Outcome, type Entry } from "./common.tsx";
import { prove, type Proof } from "./proof.ts";

function Proved({ p }: { p: Proof }) {
	return <div class="stack">
		<p class="good"><strong>{say(T.audit.proved,
		    { n: String(p.size) })}</strong></p>
		<p class="dim">{p.keyKnown ? T.audit.keyKnown :
		    T.audit.keyFirst} {p.grewFrom !== null && say(
		    T.audit.grew, { n: String(p.grewFrom) })}</p>
		<ol class="audit-path">
			<li><span class="good">✓</span> {T.audit.leafHash}
				<code>{p.leaf}</code></li>
			{p.path.map((s, i) => <li key={i}>
				<span class="good">✓</span> {s.side === "left" ?
				    T.audit.left : T.audit.right}
				<code>{s.hash}</code></li>)}
			<li><span class="good">✓</span> {T.audit.root}
				<code>{p.root}</code></li>
		</ol>
		<p class="dim small">{T.audit.key} <code>{p.key}</code></p>
	</div>;
}

function ProofPanel({ e }: { e: Entry }) {
	const [p, set] = useState<Proof | null>(null);
	const [bad, setBad] = useState("");
	const check = async (): Promise<void> => {
		setBad("");
		set(null);
		try {
			set(await prove(e));
		} catch (x) {
			setBad(String(x instanceof Error ? x.message : x));
		}
	};
	return <section class="card stack" aria-live="polite">
		<h2>{T.audit.proof}</h2>
		<p class="dim">{T.audit.proofText}</p>
		<div><Button kind="primary" icon="posture" onClick={check}>
			{T.audit.prove}</Button></div>
		{p && <Proved p={p} />}
		{bad && <p class="wrong" role="alert"><strong>{say(
		    T.audit.notProved, { seq: e.seq })}</strong> {bad}</p>}
	</section>;
}

export default function EntryPage({ params }: ViewProps) {
	const seq = Number(params["seq"]);
	const e = useGet<Entry>(Number.isSafeInteger(seq) ?
	    at`/v1/audit/${seq}` : null);
	const to = (n: number): void => {
		if (n > 0)
			go(at`/audit/${n}`);
	};
	useKeys([
		{ key: "[", label: T.audit.before, run: () => to(seq - 1) },
		{ key: "]", label: T.audit.after, run: () => to(seq + 1) },
	]);
	return <Page title={say(T.audit.entry, { seq: String(seq) })}
	    back={["/audit", T.audit.title]} actions={<>
		<Button onClick={() => to(seq - 1)} off={seq <= 1 &&
		    T.audit.firstOne}>{T.audit.before}</Button>
		<Button onClick={() => to(seq + 1)}>{T.audit.after}</Button></>}>
		<Load of={e}>{v => <>
			<section class="card"><Facts rows={[
				[T.audit.time, <When at={v.time} />],
				[T.audit.action, <code>{v.action}</code>],
				[T.audit.outcome, <><Outcome value={v.outcome} />{" "}
				    {v.reason && <code>{v.reason}</code>}</>],
				[T.audit.who, v.principal.id ? <>
				    <Person id={v.principal.id} />{" "}
				    <span class="dim">{v.principal.kind}</span></> :
				    v.principal.kind],
				v.principal.credential ? [T.audit.credential,
				    <code>{v.principal.credential}</code>] : null,
				[T.audit.resource, v.resource.length === 0 ? T.kit.none :
				    <ul class="plain">{v.resource.map((r, i) =>
					<li key={i}>{r.type} <a href={"/audit?resource=" +
					    encodeURIComponent(`${r.type}:${r.id}`)}>
					<About r={r} /></a></li>)}</ul>],
				v.project ? [T.audit.project,
				    <code>{v.project}</code>] : null,
				v.request_id ? [T.audit.request, <a
				    href={"/audit?request=" +
				    encodeURIComponent(v.request_id)}>
				    <code>{v.request_id}</code></a>] : null,
				v.address ? [T.audit.address, <a
				    href={"/audit?address=" +
				    encodeURIComponent(v.address)}>
				    <code>{v.address}</code></a>] : null,
				v.count > 1 ? [T.audit.count, v.count] : null,
			]} /></section>
			<section class="card stack"><div class="row">
				<h2>{T.audit.leaf}</h2><Copy text={v.leaf} /></div>
				<p class="dim">{T.audit.leafText}</p>
				<pre class="audit-leaf" tabIndex={0}>{v.leaf}</pre>
			</section>
			<ProofPanel key={v.seq} e={v} />
		</>}</Load></Page>;
}
