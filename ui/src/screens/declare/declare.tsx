/* declare.tsx: title, Enter.  All else is optional, and can be said later. */
import { useMemo } from "preact/hooks";
import { go } from "../../app/router.ts";
import type { ViewProps } from "../../app/screen.ts";
import { at, post } from "../../core/api.ts";
import { may } from "../../core/session.ts";
import { useAll } from "../../core/use.ts";
import { Ago, Page, Severity, Status } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { CheckField, FormBox, ListField, SelectField, TextField, useForm,
	type Form } from "../../kit/form.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";
import { NORMAL_SEVERITY, OPEN, severityOptions, type Incident }
    from "../incidents/model.ts";
import { similar } from "./similar.ts";

interface Values { title: string; severity: string; summary: string;
	services: string[]; environments: string[]; type: string;
	security_details: string; private: boolean }
const START: Values = { title: "", severity: NORMAL_SEVERITY, summary: "",
	services: [], environments: [], type: "", security_details: "",
	private: false };

/* What was said; what was not is for the server to choose. */
const bodyOf = (v: Values): Record<string, unknown> =>
	Object.fromEntries(Object.entries(v).filter(([k, x]) =>
	    k === "title" || (JSON.stringify(x) !==
		JSON.stringify(START[k as keyof Values]))));

function Similar({ project, typed }: { project: string; typed: string }) {
	const open = useAll<Incident>(may("incident.view", project) ?
	    at`/v1/projects/${project}/incidents` : null,
	    { status: OPEN.join(",") }, e => e.project === project &&
	    /^incident\.(create|update|move)/.test(e.action), 400);
	const fit = useMemo(() => similar(typed, open.data ?? []),
	    [typed, open.data]);
	return <aside class="declare-similar" aria-live="polite">
		{fit.length > 0 && <section class="card" aria-labelledby="similar">
			<h2 id="similar">{T.declare.similar}</h2>
			<p class="dim small">{T.declare.similarHint}</p>
			<ul>{fit.map(i => <li key={i.id}>
				<a href={at`/p/${project}/i/${i.number}`}>INC-{i.number}
					{" "}<Plain text={i.title} /></a>
				<p class="row small"><Severity value={i.severity} />
					<Status value={i.status} />
					<span class="dim"><Ago at={i.created_at} /></span></p>
			</li>)}</ul></section>}
	</aside>;
}

function More({ form, project }: { form: Form<Values>; project: string }) {
	const t = T.incidents.fields;
	/* what is wrong in there must be seen */
	const bad = Object.keys(form.errors).some(k => k !== "title" &&
	    k !== "severity");
	return <details class="declare-more" open={bad || undefined}>
		<summary>{T.declare.more}</summary>
		<div class="form">
			<TextField form={form} name="summary" label={t.summary}
			    rows={3} hint={T.room.markdown} />
			<ListField form={form} name="services" label={t.services} />
			<ListField form={form} name="environments"
			    label={t.environments} />
			<TextField form={form} name="type" label={t.type} />
			{may("incident.sensitive", project) && <TextField form={form}
			    name="security_details" label={t.security_details}
			    rows={2} hint={T.room.securityHint} />}
			<CheckField form={form} name="private"
			    label={T.declare.private} />
		</div></details>;
}

export default function Declare({ params }: ViewProps) {
	const project = params["project"] ?? "";
	const form = useForm<Values>(START, async v => {
		const { data } = await post<Incident>(
		    at`/v1/projects/${project}/incidents`, bodyOf(v));
		toast(say(T.declare.made, { n: data.number }));
		go(at`/p/${project}/i/${data.number}`, { replace: true });
	});
	return <Page title={T.declare.title} lead={T.declare.lead}>
		<div class="split">
			<div class="card declare-card"><FormBox form={form}>
				<TextField form={form} name="title" required autofocus
				    label={T.declare.what} />
				<SelectField form={form} name="severity"
				    label={T.incidents.severity} options={severityOptions}
				    hint={T.declare.severityHint} />
				<More form={form} project={project} />
				<div class="actions"><Button kind="danger" type="submit"
				    icon="flame" perm="incident.create"
				    project={project} busy={form.busy}>
					{T.declare.go} <kbd>Enter</kbd></Button></div>
			</FormBox></div>
			<Similar project={project} typed={form.values.title} />
		</div>
	</Page>;
}
