/* one.tsx: one integration: its address and credentials, what it sent, and
 * what would be made of a payload. */
import { useState } from "preact/hooks";
import type { ViewProps } from "../../app/screen.ts";
import { at, post, type Page as Pages } from "../../core/api.ts";
import { may } from "../../core/session.ts";
import { useGet } from "../../core/use.ts";
import { Ago, Copy, Empty, Facts, Load, Page, Severity }
    from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { CheckField, FormBox, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { JsonTree } from "../../kit/json.tsx";
import { Plain } from "../../kit/plain.tsx";
import { wrong } from "../../kit/toast.tsx";
import { T, say, word } from "../../text/index.ts";
import { Told, titleOf, type Integration, type Template } from "./common.tsx";

interface Mapped { title: string; message: string; severity: string;
	status: string; dedup_key: string; group: string; service: string;
	environment: string; labels: Record<string, string>;
	severity_unmapped?: boolean }
interface Delivery { id: string; received_at: string; status: string;
	alerts: number; bytes: number }

/* The server's own mapping of what is pasted; nothing is stored. */
function TryIt({ path, sample }: { path: string; sample: unknown }) {
	const [text, put] = useState(JSON.stringify(sample, null, 2));
	const [out, set] = useState<Mapped[] | null>(null);
	const [bad, setBad] = useState("");
	const test = async (): Promise<void> => {
		set(null);
		setBad("");
		try {
			const payload = JSON.parse(text) as unknown;
			set((await post<{ alerts: Mapped[] }>(path + "/test",
			    { payload })).data.alerts);
		} catch (e) {
			setBad(e instanceof SyntaxError ? `${T.integrations.badJson} ` +
			    e.message : wrong(e));
		}
	};
	return <section class="card stack"><h2>{T.integrations.tryIt}</h2>
		<p class="dim">{T.integrations.tryText}</p>
		<div class="integrations-try">
			<div class="field"><label for="int-sample">
				{T.integrations.sample}</label>
				<textarea id="int-sample" class="mono" rows={16}
				    value={text} spellcheck={false}
				    onInput={e => put(e.currentTarget.value)} />
				<Button kind="primary" icon="play" onClick={test}>
					{T.integrations.test}</Button></div>
			<div aria-live="polite" class="stack">
				{bad && <p class="wrong" role="alert">{bad}</p>}
				{out?.length === 0 && <p>{T.integrations.noAlerts}</p>}
				{out?.map((a, i) => <div class="card stack" key={i}>
					<div class="row"><Severity value={a.severity} />
					<strong><Plain text={a.title} /></strong></div>
					<Facts rows={[
						[T.integrations.status, a.status],
						[T.integrations.dedup, <code><Plain
						    text={a.dedup_key} /></code>],
						[T.integrations.group, <Plain text={a.group} />],
						[T.integrations.service, <Plain
						    text={a.service || "–"} />],
						[T.integrations.message, <Plain
						    text={a.message || "–"} />],
						[T.integrations.labels, <JsonTree
						    label={T.integrations.labels}
						    value={a.labels} />],
						a.severity_unmapped ? [T.integrations.unmapped,
						    T.integrations.unmappedText] : null]} />
				</div>)}
				{!out && !bad && <p class="dim">{T.integrations.result}</p>}
			</div></div></section>;
}

const sized = (n: number): string => n < 1000 ?
	say(T.integrations.bytes, { n }) :
	say(T.integrations.kilobytes, { n: (n / 1000).toFixed(1) });

function Deliveries({ path }: { path: string }) {
	const list = useGet<Pages<Delivery>>(path + "/deliveries",
	    { limit: 50 }, e => e.action.startsWith("ingest"));
	return <section class="card stack"><div class="row">
		<h2>{T.integrations.deliveries}</h2>
		<Button kind="ghost" icon="refresh" label={T.kit.again}
		    onClick={list.reload} /></div>
		<Load of={list}>{({ items }) => items.length === 0 ?
			<Empty title={T.integrations.noDeliveries} /> :
			<div class="scroll" tabIndex={0}><table><thead><tr>
				<th scope="col">{T.integrations.when}</th>
				<th scope="col">{T.integrations.state}</th>
				<th scope="col">{T.integrations.facts}</th></tr></thead>
			<tbody>{items.map(d => <tr key={d.id}>
				<td><Ago at={d.received_at} /></td>
				<td><span class={`pill ${d.status === "accepted" ?
				    "st-ok" : "st-failed"}`}>{word(
				    T.integrations.states, d.status)}</span></td>
				<td>{say(T.integrations.factsN, { n: d.alerts,
				    size: sized(d.bytes) })}</td>
			</tr>)}</tbody></table></div>}</Load></section>;
}

function Rotate({ path, onClose, onMade }: { path: string;
    onClose: () => void; onMade: (i: Integration) => void }) {
	const form = useForm({ overlap_s: "86400", drop: false }, async v => {
		onMade((await post<Integration>(path + "/rotate", v.drop ?
		    { drop: true } : { overlap_s: Number(v.overlap_s) })).data);
	});
	return <Dialog title={T.integrations.rotate} onClose={onClose}>
		<p>{T.integrations.rotateText}</p>
		<FormBox form={form}>
			<TextField form={form} name="overlap_s" inputmode="numeric"
			    label={T.integrations.overlap} />
			<CheckField form={form} name="drop"
			    label={T.integrations.drop} />
			<Submit form={form}>{T.integrations.rotate}</Submit>
		</FormBox></Dialog>;
}

export default function One({ params }: ViewProps) {
	const p = params["project"] ?? "", id = params["id"] ?? "";
	const path = at`/v1/projects/${p}/integrations/${id}`;
	const one = useGet<Integration>(path, {},
	    e => e.resource.some(r => r.id === id));
	const templates = useGet<{ items: Template[] }>("/v1/templates");
	const [rotating, rotate] = useState(false);
	const [told, tell] = useState<Integration | null>(null);
	return <Load of={one}>{i => <Page title={i.name} back={[
	    at`/p/${p}/integrations`, T.integrations.title]} actions={
	    <Button icon="refresh" perm="integration.edit" project={p}
		onClick={() => rotate(true)}>{T.integrations.rotate}</Button>}>
		<section class="card"><Facts rows={[
			[T.integrations.url, <><code>{i.url}</code>{" "}
			    <Copy text={i.url} /></>],
			[T.integrations.template, titleOf(templates.data?.items,
			    i.template)],
			[T.integrations.auth, <JsonTree
			    label={T.integrations.auth} value={{ ...i.auth }} />],
			[T.integrations.severity, <Severity
			    value={i.default_severity} />],
			[T.integrations.state, i.disabled ?
			    T.status.disabled : T.status.active],
			...(i.credentials ?? []).map(c => [say(
			    T.integrations.credential, { kind: c.kind }), <>
			    {T.integrations.used} <Ago at={c.last_used} />,{" "}
			    {T.integrations.until} <Ago at={c.expires_at} /></>] as
			    const)]} /></section>
		<Deliveries path={path} />
		{may("integration.edit", p) && templates.data && <TryIt path={path}
		    sample={templates.data.items.find(t =>
			t.name === i.template)?.sample ?? {}} />}
		{rotating && <Rotate path={path} onClose={() => rotate(false)}
		    onMade={m => { rotate(false); tell(m); one.reload(); }} />}
		{told && <Dialog title={T.integrations.rotate}>
			<Told i={{ ...i, ...told }} />
			<div class="actions"><Button kind="primary"
			    onClick={() => tell(null)}>{T.crud.kept}</Button></div>
		</Dialog>}
	</Page>}</Load>;
}
