/* freeze.tsx: the kill switch of automation: here, or everywhere. */
import { useState } from "preact/hooks";
import { at, del, post } from "../../core/api.ts";
import { may, projects } from "../../core/session.ts";
import { useGet } from "../../core/use.ts";
import { Ago, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say } from "../../text/index.ts";

interface Own { reason: string | null; since: string | null;
	by: { kind: string; id: string; name?: string } | null }
/* A project's answer has the organization's freeze beside its own. */
interface Freeze { frozen: boolean; organization: Own | null;
	project?: Own | null }

function Ask({ path, where, onClose }: { path: string; where: string;
    onClose: () => void }) {
	const form = useForm({ reason: "" }, async v => {
		await post(path, v);
		onClose();
	});
	return <Dialog title={say(T.freeze.freezeTitle, { where })}
	    onClose={onClose}>
		<p>{T.freeze.text}</p>
		<FormBox form={form}>
			<TextField form={form} name="reason" required rows={3}
			    label={T.freeze.reason} hint={T.freeze.reasonHint} />
			<Submit form={form} danger>{T.freeze.freeze}</Submit>
		</FormBox></Dialog>;
}

function Switch({ path, where, project }: { path: string; where: string;
    project: string | null }) {
	const f = useGet<Freeze>(path, {},
	    e => e.action.startsWith("automation."));
	const [asking, ask] = useState(false);
	const thaw = async (): Promise<void> => {
		if (!await confirm({ title: say(T.freeze.thawTitle, { where }),
		    text: T.freeze.thawText, go: T.freeze.thaw }))
			return;
		await del(path);
		f.reload();
	};
	const own = (project === null ? f.data?.organization :
	    f.data?.project) ?? null;
	return <section class={`card stack ${own ? "freeze-on" : ""}`}>
		<h2>{where}</h2>
		<Load of={f}>{v => own ? <>
			<p><strong>{T.freeze.isFrozen}</strong> <Ago at={own.since} />
				{own.by && <> {T.freeze.by} <Person id={own.by.id}
				    name={own.by.name} /></>}</p>
			<p><Plain text={own.reason ?? ""} /></p>
			<Button perm="automation.freeze" project={project}
			    onClick={thaw}>{T.freeze.thaw}</Button>
		</> : <>
			<p class="dim">{v.frozen ? T.freeze.byAll :
			    T.freeze.runs}</p>
			<Button kind="danger" icon="freeze" project={project}
			    perm="automation.freeze" onClick={() => ask(true)}>
				{T.freeze.freeze}</Button>
		</>}</Load>
		{asking && <Ask path={path} where={where} onClose={() => {
			ask(false);
			f.reload();
		}} />}
	</section>;
}

export default function FreezePage() {
	return <Page title={T.freeze.title} lead={T.freeze.lead}>
		<div class="cards">
			<Switch path="/v1/automation/freeze" project={null}
			    where={T.freeze.everywhere} />
			{projects.value.filter(p => may("project.view", p)).map(p =>
				<Switch key={p} where={p} project={p}
				    path={at`/v1/projects/${p}/automation/freeze`} />)}
		</div></Page>;
}
