/* idps.tsx: identity providers: what they must be given, what they may say. */
import { useState } from "preact/hooks";
import { at, delNow, get, patch, post, Problem, type Got }
    from "../../core/api.ts";
import { useAll } from "../../core/use.ts";
import { Copy, Empty, Facts, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { CheckField, FormBox, SelectField, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say, word } from "../../text/index.ts";

interface Idp { id: string; name: string; kind: string; enabled: boolean;
	config: Record<string, unknown>; fingerprints?: string[];
	urls?: Record<string, string> }

const KINDS = ["saml", "oidc-direct", "oidc-code", "oauth"] as const;
/* What each kind cannot do without (src/auth/idp_config.def). */
const START: Record<string, unknown> = {
	"saml": { metadata: "", groups_attribute: "groups", jit: false },
	"oidc-direct": { issuer: "https://", authorization_endpoint: "https://",
		client_id: "", jwks: { keys: [] }, jit: false },
	"oidc-code": { issuer: "https://", authorization_endpoint: "https://",
		client_id: "", jit: false },
	"oauth": { issuer: "https://", audience: location.origin,
		jwks: { keys: [] } },
};
const pretty = (o: unknown): string => JSON.stringify(o, null, 2);

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch (e) {
		throw new Problem(400, "bad_json", T.idps.badJson, String(e), "",
		    0, [{ pointer: "/config", code: "bad_json",
		    detail: String(e) }]);
	}
}

function Edit({ got, onClose }: { got: Got<Idp> | null;
    onClose: () => void }) {
	const o = got?.data;
	const form = useForm({ name: o?.name ?? "", kind: o?.kind ?? "saml",
		enabled: o?.enabled ?? true,
		config: pretty(o?.config ?? START["saml"]) }, async v => {
		const config = parse(v.config);
		if (got)
			await patch(at`/v1/identity-providers/${got.data.id}`,
			    { enabled: v.enabled, config }, got.etag);
		else
			await post("/v1/identity-providers", { ...v, config });
		onClose();
	});
	const file = async (f: File | undefined): Promise<void> => {
		if (!f)
			return;
		const c = JSON.parse(form.values.config) as object;
		form.set("config", pretty({ ...c, metadata: await f.text() }));
	};
	return <Dialog wide onClose={onClose} title={o ? say(T.crud.edit,
	    { name: o.name }) : T.idps.create}>
		<FormBox form={form}>
			{!o && <TextField form={form} name="name" required
			    label={T.idps.name} hint={T.idps.nameHint} />}
			{!o && <SelectField form={form} name="kind"
			    label={T.idps.kind} options={KINDS.map(k =>
				[k, word(T.idps.kinds, k)] as const)} />}
			{!o && <div class="actions"><Button onClick={() =>
			    form.set("config", pretty(START[form.values.kind]))}>
				{T.idps.start}</Button></div>}
			<TextField form={form} name="config" rows={12} mono
			    label={T.idps.config} hint={T.idps.configHint} />
			{form.values.kind === "saml" && <label class="field">
				{T.idps.metadata}<input type="file" accept=".xml,text/xml"
				    onChange={e => void file(
					e.currentTarget.files?.[0])} /></label>}
			<CheckField form={form} name="enabled"
			    label={T.idps.enabled} />
			<Submit form={form}>{o ? T.kit.save : T.kit.create}</Submit>
		</FormBox></Dialog>;
}

export default function Idps() {
	const list = useAll<Idp>("/v1/identity-providers", {},
	    e => e.action.startsWith("idp."));
	const [open, show] = useState<Got<Idp> | "new" | null>(null);
	const url = (i: Idp): string => at`/v1/identity-providers/${i.id}`;
	const remove = async (i: Idp): Promise<void> => {
		if (!await confirm({ title: say(T.crud.deleteTitle,
		    { name: i.name }), text: T.idps.deleteText,
		    go: T.kit.delete, danger: true, type: i.name }))
			return;
		await delNow(url(i));
		list.reload();
	};
	return <Page title={T.idps.title} lead={T.idps.lead} actions={
	    <Button kind="primary" icon="plus" perm="idp.edit"
		onClick={() => show("new")}>{T.idps.create}</Button>}>
		<Load of={list} empty={<Empty icon="plug" title={T.idps.none}>
			{T.idps.noneHint}</Empty>}>{all =>
			<div class="stack">{all.map(i =>
			<section class="card stack" key={i.id}>
				<div class="row"><h2><Plain text={i.name} /></h2>
				<span class="pill">{word(T.idps.kinds, i.kind)}</span>
				<span class={`pill ${i.enabled ? "st-ok" : ""}`}>
					{i.enabled ? T.idps.on : T.idps.off}</span></div>
				<Facts rows={[
				    ...Object.entries(i.urls ?? {}).map(([k, v]) =>
					[word(T.idps.urls, k), <><code>{v}</code>{" "}
					<Copy text={v} /></>] as const),
				    ...(i.fingerprints ?? []).map(f =>
					[T.idps.fingerprint, <code>{f}</code>] as const)]} />
				<div class="actions">
				<Button icon="edit" perm="idp.edit" onClick={async () =>
				    show(await get<Idp>(url(i)))}>{T.kit.edit}</Button>
				<Button icon="trash" perm="idp.edit"
				    onClick={() => remove(i)}>{T.kit.delete}</Button></div>
			</section>)}</div>}</Load>
		{open && <Edit got={open === "new" ? null : open}
		    onClose={() => { show(null); list.reload(); }} />}
	</Page>;
}
