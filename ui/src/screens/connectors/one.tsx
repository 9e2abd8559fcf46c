/* one.tsx: what a connector may reach and do, and who has said yes to that. */
import { useState } from "preact/hooks";
import type { ViewProps } from "../../app/screen.ts";
import { go } from "../../app/router.ts";
import { at, del, patch, post, type Json } from "../../core/api.ts";
import { me } from "../../core/session.ts";
import { useGet } from "../../core/use.ts";
import { Ago, Facts, Load, Page, When } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { JsonTree } from "../../kit/json.tsx";
import { Person } from "../../kit/person.tsx";
import { T, say, word } from "../../text/index.ts";
import type { Connector, Doc, Kind } from "./common.ts";
import { ConnectorForm } from "./form.tsx";

function Withdraw({ path, verb, onClose }: { path: string;
    verb: "suspend" | "revoke"; onClose: () => void }) {
	const form = useForm({ reason: "" }, async v => {
		await post(`${path}/${verb}`, v.reason ? v : {});
		onClose();
	});
	return <Dialog title={T.connectors[verb]} onClose={onClose}>
		<p>{verb === "revoke" ? T.connectors.revokeText :
		    T.connectors.suspendText}</p>
		<FormBox form={form}>
			<TextField form={form} name="reason" rows={2}
			    label={T.connectors.reason} />
			<Submit form={form} danger>{T.connectors[verb]}</Submit>
		</FormBox></Dialog>;
}

export default function One({ params }: ViewProps) {
	const p = params["project"] ?? "", slug = params["slug"] ?? "";
	const path = at`/v1/projects/${p}/connectors/${slug}`;
	const one = useGet<Connector>(path, {}, e => e.project === p &&
	    e.action.startsWith("connector."));
	const kinds = useGet<{ items: Kind[] }>("/v1/connector-kinds");
	const [open, show] = useState<"edit" | "suspend" | "revoke" | null>(
	    null);
	/* what the edit began with: who was faster is told (412), not undone */
	const [base, begin] = useState<{ c: Connector; etag: string | null } |
	    null>(null);
	const close = (): void => { show(null); one.reload(); };
	const edited = (c: Connector): string | false =>
		(c.editors ?? []).includes(me.value?.id ?? "") && T.connectors.own;
	const approve = async (c: Connector): Promise<void> => {
		if (!await confirm({ title: say(T.connectors.approveTitle,
		    { slug }), text: say(T.connectors.approveText,
		    { reaches: (c.reaches ?? []).join(", ") }),
		    go: T.connectors.approve }))
			return;
		await post(path + "/approve", { digest: c.digest });
		one.reload();
	};
	const remove = async (): Promise<void> => {
		if (!await confirm({ title: say(T.crud.deleteTitle,
		    { name: slug }), text: T.crud.deleteText,
		    go: T.kit.delete, danger: true }))
			return;
		await del(path, one.etag);
		go(at`/p/${p}/connectors`);
	};
	return <Load of={one}>{c => <Page title={c.name || c.slug} back={[
	    at`/p/${p}/connectors`, T.connectors.title]} actions={<>
		<Button icon="edit" perm="connector.edit" project={p}
		    onClick={() => {
			begin({ c, etag: one.etag });
			show("edit");
		    }}>{T.kit.edit}</Button>
		{["draft"].includes(c.state) && <Button kind="primary"
		    perm="connector.edit" project={p} onClick={async () => {
			await post(path + "/submit");
			one.reload();
		    }}>{T.connectors.submit}</Button>}
		{c.state === "pending" && <Button kind="primary" project={p}
		    perm="connector.approve" off={edited(c)}
		    onClick={() => approve(c)}>{T.connectors.approve}</Button>}
		{c.state === "approved" && <Button perm="connector.edit"
		    project={p} onClick={() => show("suspend")}>
			{T.connectors.suspend}</Button>}
		{c.state !== "revoked" && <Button kind="danger" project={p}
		    perm="connector.edit" onClick={() => show("revoke")}>
			{T.connectors.revoke}</Button>}
		<Button kind="ghost" icon="trash" perm="connector.edit"
		    project={p} label={T.kit.delete} onClick={remove} /></>}>
		{!c.usable && <p class="wrong">{say(T.connectors.unusable,
		    { why: c.state === "approved" ? c.why_not ?? "" :
			word(T.connectors.states, c.state) })}</p>}
		<section class="card"><Facts rows={[
			[T.connectors.kind, c.kind],
			[T.connectors.state, <span class={`pill st-${c.state}`}>
			    {word(T.connectors.states, c.state)}</span>],
			[T.connectors.reaches, <code>{(c.reaches ?? []).join(", ")}</code>],
			[T.connectors.digest, <code>{c.digest}</code>],
			[T.connectors.version, c.version],
			[T.connectors.expires, <When at={c.expires_at} />],
			c.approved_by ? [T.connectors.approvedBy, <>
			    <Person id={c.approved_by} />{" "}
			    <Ago at={c.approved_at} /></>] : null]} /></section>
		<section class="card stack"><h2>{T.connectors.document}</h2>
			<p class="dim">{T.connectors.documentText}</p>
			<JsonTree label={T.connectors.document}
			    value={c.document as Json} open={Infinity} /></section>
		{open === "edit" && base && kinds.data && <Dialog wide onClose={close}
		    title={say(T.crud.edit, { name: slug })}>
			<p class="dim">{T.connectors.editText}</p>
			<ConnectorForm kinds={kinds.data.items} project={p}
			    from={{ ...base.c.document, slug: c.slug,
				kind: base.c.kind,
				expires_at: base.c.expires_at } as Doc}
			    send={async d => {
				await patch(path, d, base.etag);
				close();
			    }} /></Dialog>}
		{(open === "suspend" || open === "revoke") && <Withdraw
		    path={path} verb={open} onClose={close} />}
	</Page>}</Load>;
}
