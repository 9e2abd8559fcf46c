/* glass.tsx: more rights for minutes, for a reason; somebody else reviews. */
import { useState } from "preact/hooks";
import { at, del, post } from "../../core/api.ts";
import { load, may, me, project, projects } from "../../core/session.ts";
import { useAll } from "../../core/use.ts";
import { Ago, Empty, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, SelectField, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say, word } from "../../text/index.ts";

interface Glass { id: string; principal: { kind: string; id: string };
	name?: string; project: string | null; role: string;
	incident?: string | null; reason: string | null; state: string;
	overdue?: boolean; expires_at: string; created_at: string;
	note?: string | null }

function Break({ onClose }: { onClose: () => void }) {
	const form = useForm({ project: project.value, incident: "", role: "",
		reason: "", minutes: "30" }, async v => {
		await post("/v1/break-glass", { reason: v.reason,
			minutes: Number(v.minutes),
			...(v.project && { project: v.project }),
			...(v.incident && { incident: v.incident }),
			...(v.role && { role: v.role }) });
		await load();
		onClose();
	});
	return <Dialog title={T.access.breakIt} onClose={onClose}>
		<p class="wrong">{T.access.breakText}</p>
		<FormBox form={form}>
			<SelectField form={form} name="project"
			    label={T.access.where} options={projects.value.map(p =>
				[p, p] as const)} />
			<TextField form={form} name="incident"
			    label={T.access.incident} hint={T.access.incidentHint} />
			<TextField form={form} name="role" label={T.access.role}
			    hint={T.access.glassRoleHint} />
			<TextField form={form} name="minutes" inputmode="numeric"
			    label={T.access.minutes} required />
			<TextField form={form} name="reason" rows={3} required
			    label={T.access.reason} hint={T.access.reasonHint} />
			<Submit form={form} danger>{T.access.breakIt}</Submit>
		</FormBox></Dialog>;
}

function Review({ g, onClose }: { g: Glass; onClose: () => void }) {
	const form = useForm({ note: "" }, async v => {
		await post(at`/v1/break-glass/${g.id}/review`, v);
		onClose();
	});
	return <Dialog title={T.access.review} onClose={onClose}>
		<p><Plain text={g.reason ?? ""} /></p>
		<FormBox form={form}>
			<TextField form={form} name="note" rows={4} required
			    label={T.access.found} />
			<Submit form={form}>{T.access.review}</Submit>
		</FormBox></Dialog>;
}

export default function GlassPage() {
	const list = useAll<Glass>("/v1/break-glass", {},
	    e => e.action.startsWith("break_glass."));
	const [open, show] = useState<Glass | "break" | null>(null);
	const close = (): void => { show(null); list.reload(); };
	const own = (g: Glass): boolean => g.principal.id === me.value?.id;
	const end = async (g: Glass): Promise<void> => {
		await del(at`/v1/break-glass/${g.id}`);
		await load();
		list.reload();
	};
	return <Page title={T.access.glass} lead={T.access.glassLead}
	    actions={<Button kind="danger" icon="alert" perm="breakglass.use"
		project="anywhere" onClick={() => show("break")}>
		{T.access.breakIt}</Button>}>
		<Load of={list} empty={<Empty icon="check"
		    title={T.access.noGlass}>
			{T.access.noGlassHint}</Empty>}>{all =>
			<div class="stack">{all.map(g =>
			<section class="card stack" key={g.id}>
				<div class="row"><span class={`pill ${g.state === "live" ?
				    "st-new" : g.state === "over" ? "st-pending" :
				    "st-ok"}`}>{word(T.access.glassStates, g.state)}</span>
				<Person id={g.principal.id} name={g.name} />
				<Plain text={word(T.access.names, g.role)} />
				<span class="dim">{g.project ?? T.access.everywhere}</span>
				{g.incident && <span class="dim">
					<Plain text={g.incident} /></span>}
				<span class="dim">{T.access.broken}{" "}
					<Ago at={g.created_at} />{g.state === "live" && <>
					, {T.access.ends} <Ago at={g.expires_at} /></>}</span>
				{g.overdue && <span class="pill st-new">
					{T.access.overdue}</span>}</div>
				<p><Plain text={g.reason ?? ""} /></p>
				{g.note && <p class="dim">{say(T.access.noted,
				    { note: g.note })}</p>}
				{g.state === "live" && own(g) && <div><Button
				    onClick={() => end(g)}>{T.access.endIt}</Button></div>}
				{g.state === "over" && <div><Button
				    perm="breakglass.review" off={own(g) &&
					may("breakglass.review") && T.access.notOwn}
				    onClick={() => show(g)}>{T.access.review}</Button></div>}
			</section>)}</div>}</Load>
		{open === "break" ? <Break onClose={close} /> : open &&
		    <Review g={open} onClose={close} />}
	</Page>;
}
