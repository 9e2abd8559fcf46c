/* form.tsx: a connector's document: the common members have fields, the rest
 * is the document itself. */
import { Problem } from "../../core/api.ts";
import { FormBox, ListField, SelectField, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { T } from "../../text/index.ts";
import { useAll } from "../../core/use.ts";
import { at } from "../../core/api.ts";
import { labelsOf, pairsOf } from "../../core/labels.ts";
import { may } from "../../core/session.ts";
import type { Doc, Kind } from "./common.ts";

const inDays = (n: number): string => new Date(Date.now() + n * 86400000)
    .toISOString();
const pretty = (v: unknown): string => JSON.stringify(v, null, 2);

function json(name: string, text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch (e) {
		throw new Problem(400, "bad_json", T.idps.badJson, String(e), "", 0,
		    [{ pointer: "/" + name, code: "bad_json", detail: String(e) }]);
	}
}

export function ConnectorForm({ kinds, project, from, send }: {
    kinds: Kind[]; project: string; from?: Doc;
    send: (d: Record<string, unknown>) => Promise<unknown> }) {
	const secrets = useAll<{ name: string }>(may("secret.view", project) ?
	    at`/v1/projects/${project}/secrets` : null);
	const form = useForm({ slug: from?.slug ?? "",
		kind: from?.kind ?? "https", base: from?.base ?? "https://",
		delegates: pairsOf(from?.delegates?.labels),
		expires_at: (from?.expires_at ?? inDays(180)).slice(0, 16),
		actions: pretty(from?.actions ?? []),
		auth: pretty(from?.auth ?? { kind: "bearer", secret: "" }) },
	    async v => {
		await send({
			...(!from && { slug: v.slug, kind: v.kind }),
			base: v.base, actions: json("actions", v.actions),
			auth: json("auth", v.auth), delegates: { labels: labelsOf(v.delegates) },
			expires_at: new Date(v.expires_at + ":00Z").toISOString() });
	});
	const kind = kinds.find(k => k.kind === form.values.kind);
	return <FormBox form={form}>
		{!from && <TextField form={form} name="slug" required
		    label={T.connectors.slug} hint={T.connectors.slugHint} />}
		{!from && <SelectField form={form} name="kind"
		    label={T.connectors.kind} options={kinds.map(k =>
			[k.kind, `${k.kind}: ${k.meaning}`] as const)} />}
		<TextField form={form} name="base" label={T.connectors.base}
		    required hint={T.connectors.baseHint} />
		<TextField form={form} name="actions" rows={6} mono
		    label={T.connectors.actions} hint={kind?.actions.length ?
			T.connectors.actionsOf + " " + kind.actions.map(a =>
			a.name).join(", ") : T.connectors.actionsHint} />
		<TextField form={form} name="auth" rows={4} mono
		    label={T.connectors.auth} hint={(secrets.data ?? []).length ?
			T.connectors.secrets + " " + (secrets.data ?? []).map(s =>
			s.name).join(", ") : T.connectors.authHint} />
		<ListField form={form} name="delegates"
		    label={T.connectors.delegates}
		    hint={T.delegates.labelsHint} />
		<TextField form={form} name="expires_at" type="datetime-local"
		    label={T.connectors.expires} required />
		<Submit form={form}>{from ? T.kit.save : T.kit.create}</Submit>
	</FormBox>;
}
