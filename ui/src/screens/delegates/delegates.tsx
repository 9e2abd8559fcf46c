/* delegates.tsx: the processes on other hosts that run steps: enrolled,
 * compared, approved by somebody else, revoked at once. */
import { useState } from "preact/hooks";
import type { ViewProps } from "../../app/screen.ts";
import { at, post, Problem, type Json } from "../../core/api.ts";
import { labelsOf, pairsOf } from "../../core/labels.ts";
import { me } from "../../core/session.ts";
import { Ago, Copy, Facts } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Crud } from "../../kit/crud.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { JsonTree } from "../../kit/json.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { now } from "../../core/time.ts";
import { T, say, word } from "../../text/index.ts";

interface Delegate { id: string; name: string; state: string;
	labels: Record<string, string>; max_tasks: number;
	fingerprint: string | null; version: string | null;
	host: string | null; doctor: unknown; created_by: string;
	issued_by: string | null; last_seen_at: string | null;
	certificate_expires_at: string | null; token?: string;
	witness: { size: number; time: string } | null }

const STALE_MS = 120000;
function State({ d }: { d: Delegate }) {
	const old = d.state === "approved" && (!d.last_seen_at ||
	    now.value - Date.parse(d.last_seen_at) > STALE_MS);
	return <><span class={`pill st-${d.state}`}>{word(T.delegates.states,
	    d.state)}</span>{old && <> <span class="pill st-pending">
		{T.delegates.stale}</span></>}</>;
}

function Token({ d, token }: { d: Delegate; token: string }) {
	const cmd = `redoubt delegate enroll --server ${location.origin} \\\n` +
	    `  --ca ca.pem --token -\nredoubt delegate run`;
	return <div class="stack">
		<p>{say(T.delegates.tokenText, { name: d.name })}</p>
		<p><code>{token}</code> <Copy text={token} /></p>
		<pre tabIndex={0}>{cmd}</pre></div>;
}

/* The server takes an approval without a fingerprint; a person who has
 * compared nothing does not get that far. */
async function approve(path: string, typed: string): Promise<void> {
	const refuse = (detail: string): Problem => new Problem(409, "conflict",
	    detail, "", "", 0, [{ pointer: "/fingerprint", code: "conflict",
		detail }]);
	const fingerprint = typed.replace(/[\s:]/g, "").toLowerCase();
	if (fingerprint === "")
		throw refuse(T.delegates.compare);
	await post(path + "/approve", { fingerprint }).catch((e: unknown) => {
		throw e instanceof Problem && e.status === 409 ?
		    refuse(e.detail) : e;
	});
}

function Approve({ d, path, onClose }: { d: Delegate; path: string;
    onClose: () => void }) {
	const form = useForm({ fingerprint: "" }, async v => {
		await approve(path, v.fingerprint);
		toast(T.delegates.approved);
		onClose();
	});
	return <Dialog title={say(T.delegates.approveTitle, { name: d.name })}
	    onClose={onClose}>
		<p>{T.delegates.approveText}</p>
		<Facts rows={[[T.delegates.host, <Plain text={d.host ?? "–"} />],
			[T.delegates.fingerprint, <code>{d.fingerprint}</code>],
			[T.delegates.doctor, <JsonTree
			    label={T.delegates.doctor} value={d.doctor as Json} />]]} />
		<FormBox form={form}>
			<TextField form={form} name="fingerprint" mono required
			    label={T.delegates.typeIt} hint={T.delegates.typeHint} />
			<Submit form={form}>{T.delegates.approve}</Submit>
		</FormBox></Dialog>;
}

export default function Delegates({ params }: ViewProps) {
	const p = params["project"] ?? "";
	const base = at`/v1/projects/${p}/delegates`;
	const [open, show] = useState<{ d: Delegate; reload: () => void;
		token?: string } | null>(null);
	const path = (d: Delegate): string => base + at`/${d.id}`;
	const revoke = async (d: Delegate, reload: () => void):
	    Promise<void> => {
		if (!await confirm({ title: say(T.delegates.revokeTitle,
		    { name: d.name }), text: T.delegates.revokeText,
		    go: T.delegates.revoke, danger: true }))
			return;
		await post(path(d) + "/revoke");
		reload();
	};
	const again = async (d: Delegate, reload: () => void):
	    Promise<void> => {
		const { token } = (await post<{ token: string }>(
		    path(d) + "/token")).data;
		show({ d, reload, token });
	};
	const own = (d: Delegate): boolean =>
		[d.created_by, d.issued_by].includes(me.value?.id ?? "");
	return <><Crud<Delegate> title={T.delegates.title}
	    lead={T.delegates.lead} path={base} perm="delegate.edit"
	    project={p} events="delegate." name={d => d.name}
	    empty={T.delegates.none} emptyHint={T.delegates.noneHint}
	    createLabel={T.delegates.create}
	    onMade={d => d.token ? <Token d={d} token={d.token} /> : null}
	    columns={[
		{ label: T.delegates.name, cell: d => <><Plain text={d.name} />
		    {d.host && <span class="dim small"><br /><Plain
			text={d.host} /></span>}</> },
		{ label: T.delegates.state, cell: d => <State d={d} /> },
		{ label: T.delegates.labels, wide: true, cell: d =>
		    <code>{pairsOf(d.labels).join(", ")}</code> },
		{ label: T.delegates.seen, wide: true,
			cell: d => <Ago at={d.last_seen_at} /> },
		{ label: T.delegates.version, wide: true,
			cell: d => <Plain text={d.version ?? "–"} /> }]}
	    fields={[
		{ name: "name", label: T.delegates.name, required: true },
		{ name: "labels", label: T.delegates.labels, kind: "list",
			hint: T.delegates.labelsHint, send: v => labelsOf(v as string[]),
			of: d => pairsOf(d.labels) },
		{ name: "max_tasks", label: T.delegates.tasks, kind: "number",
			hint: T.delegates.tasksHint }]}
	    row={(d, reload) => <>
		{d.state === "pending" && <Button kind="primary"
		    perm="delegate.approve" project={p} off={own(d) &&
			T.delegates.own} onClick={() => show({ d, reload })}>
			{T.delegates.approve}</Button>}{" "}
		{["slot", "pending"].includes(d.state) && <Button
		    perm="delegate.edit" project={p}
		    onClick={() => again(d, reload)}>{T.delegates.token}</Button>}
		{" "}
		{["approved", "pending"].includes(d.state) && <Button
		    perm="delegate.edit" project={p} kind="danger"
		    onClick={() => revoke(d, reload)}>
			{T.delegates.revoke}</Button>}
	    </>} />
		{open && (open.token ? <Dialog title={T.delegates.token}
		    onClose={() => show(null)}>
			<Token d={open.d} token={open.token} /></Dialog> :
		    <Approve d={open.d} path={path(open.d)} onClose={() => {
			show(null);
			open.reload();
		    }} />)}
	</>;
}
