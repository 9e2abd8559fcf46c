/* list.tsx: whoever sends us alerts, and how they prove who they are. */
import type { ViewProps } from "../../app/screen.ts";
import { at } from "../../core/api.ts";
import { useGet } from "../../core/use.ts";
import { Ago } from "../../kit/bits.tsx";
import { Crud } from "../../kit/crud.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T } from "../../text/index.ts";
import { Told, schemeName, titleOf, type Integration, type Scheme,
	type Template } from "./common.tsx";

const SCHEMES: Scheme[] = [{ kind: "bearer" }, { kind: "basic" },
    ...["standard-webhooks", "github", "slack", "sentry", "pagerduty",
	"grafana", "generic"].map(scheme => ({ kind: "hmac", scheme })),
    { kind: "mtls" }];

export default function List({ params }: ViewProps) {
	const p = params["project"] ?? "";
	const templates = useGet<{ items: Template[] }>("/v1/templates");
	const kind = (i: Integration): string =>
		titleOf(templates.data?.items, i.template);
	return <Crud<Integration> title={T.integrations.title}
	    lead={T.integrations.lead}
	    path={at`/v1/projects/${p}/integrations`} perm="integration.edit"
	    project={p} events="integration." name={i => i.name}
	    empty={T.integrations.none} emptyHint={T.integrations.noneHint}
	    createLabel={T.integrations.create} onMade={i => <Told i={i} />}
	    deleteText={() => T.integrations.deleteText}
	    columns={[
		{ label: T.integrations.name, cell: i => <><a
		    href={at`/p/${p}/integrations/${i.id}`}><Plain
			text={i.name} /></a>
		    <span class="slim dim small">{kind(i)}</span></> },
		{ label: T.integrations.template, wide: true, cell: kind },
		{ label: T.integrations.auth, wide: true,
			cell: i => schemeName(i.auth) },
		{ label: T.integrations.state, cell: i => <span
		    class={`pill ${i.disabled ? "" : "st-ok"}`}>{i.disabled ?
			T.status.disabled : T.status.active}</span> },
		{ label: T.integrations.since, wide: true,
			cell: i => <Ago at={i.created_at} /> }]}
	    fields={[
		{ name: "name", label: T.integrations.name, required: true },
		{ name: "template", label: T.integrations.template, at: "create",
			kind: "select", start: "alertmanager",
			options: (templates.data?.items ?? []).map(t =>
			    [t.name, t.title] as const) },
		{ name: "auth", label: T.integrations.auth, at: "create",
			kind: "select", start: JSON.stringify(SCHEMES[0]),
			hint: T.integrations.authHint,
			options: SCHEMES.map(s =>
			    [JSON.stringify(s), schemeName(s)] as const),
			send: v => JSON.parse(String(v)) as unknown },
		{ name: "default_severity", label: T.integrations.severity,
			kind: "select", start: "warning",
			hint: T.integrations.severityHint,
			options: ["critical", "error", "warning", "info"].map(s =>
			    [s, T.severity[s as "info"]] as const) },
		{ name: "disabled", label: T.integrations.disabled,
			kind: "check", at: "edit" }]} />;
}
