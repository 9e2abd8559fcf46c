/* projects.tsx: the organization's projects. */
import { useState } from "preact/hooks";
import { at, delNow, get, patch, post, type Got } from "../../core/api.ts";
import { load } from "../../core/session.ts";
import { useAll } from "../../core/use.ts";
import { Ago, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toastWrong } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";

interface Project { id: string; slug: string; name: string;
	created_at: string }

function Edit({ got, onClose }: { got: Got<Project> | null;
    onClose: () => void }) {
	const form = useForm({ slug: "", name: got?.data.name ?? "" },
	    async v => {
		if (got)
			await patch(at`/v1/projects/${got.data.slug}`,
			    { name: v.name }, got.etag);
		else
			await post("/v1/projects", { slug: v.slug,
				...(v.name && { name: v.name }) });
		await load();
		onClose();
	});
	return <Dialog title={got ? say(T.crud.edit, { name: got.data.slug }) :
	    T.projects.create} onClose={onClose}>
		<FormBox form={form}>
			{!got && <TextField form={form} name="slug" required
			    label={T.projects.slug} hint={T.projects.slugHint} />}
			<TextField form={form} name="name" label={T.projects.name} />
			<Submit form={form}>{got ? T.kit.save : T.kit.create}</Submit>
		</FormBox></Dialog>;
}

export default function Projects() {
	const list = useAll<Project>("/v1/projects", {},
	    e => e.action.startsWith("project."));
	const [open, show] = useState<Got<Project> | "new" | null>(null);
	const remove = async (p: Project): Promise<void> => {
		if (!await confirm({ title: say(T.crud.deleteTitle,
		    { name: p.slug }), text: T.projects.deleteText,
		    go: T.kit.delete, danger: true, type: p.slug }))
			return;
		await delNow(at`/v1/projects/${p.slug}`);
		await load();
		list.reload();
	};
	return <Page title={T.projects.title} lead={T.projects.lead} actions={
	    <Button kind="primary" icon="plus" perm="project.create"
		onClick={() => show("new")}>{T.projects.create}</Button>}>
		<Load of={list}>{all => <div class="scroll card flush" tabIndex={0}>
		<table><thead><tr><th scope="col">{T.projects.slug}</th>
			<th scope="col">{T.projects.name}</th>
			<th scope="col" class="wide">{T.projects.since}</th>
			<th scope="col"><span class="sr">{T.crud.actions}</span></th>
		</tr></thead><tbody>{all.map(p => <tr key={p.id}>
			<td><code>{p.slug}</code></td>
			<td><Plain text={p.name ?? ""} /></td>
			<td class="wide"><Ago at={p.created_at} /></td>
			<td class="crud-actions">
				<Button kind="ghost" icon="edit" perm="project.edit"
				    project={p.slug} label={say(T.crud.edit,
					{ name: p.slug })} onClick={() => get<Project>(
					at`/v1/projects/${p.slug}`)
					.then(show, toastWrong)} />
				<Button kind="ghost" icon="trash" perm="project.edit"
				    project={p.slug} label={say(T.crud.delete,
					{ name: p.slug })} onClick={() => remove(p)} />
			</td></tr>)}</tbody></table></div>}</Load>
		{open && <Edit got={open === "new" ? null : open}
		    onClose={() => { show(null); list.reload(); }} />}
	</Page>;
}
