/* roles.tsx: what a role may; the built-in ones can be read, not changed. */
import { useState } from "preact/hooks";
import { at, delNow, get, patch, post, type Got } from "../../core/api.ts";
import { me } from "../../core/session.ts";
import { useAll } from "../../core/use.ts";
import { Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast, toastWrong } from "../../kit/toast.tsx";
import { T, say, word } from "../../text/index.ts";
import { Perms } from "../tokens/perms.tsx";

export interface Role { id: string; name: string; description?: string;
	permissions: string[]; builtin: boolean }

function Edit({ got, all, onClose }: { got: Got<Role> | null; all: Role[];
    onClose: () => void }) {
	const known = [...new Set([...all.flatMap(r => r.permissions),
	    ...me.value?.permissions ?? []])].sort();
	const form = useForm({ name: got?.data.name ?? "",
		permissions: got?.data.permissions ?? [] as string[] },
	    async v => {
		if (got)
			await patch(at`/v1/roles/${got.data.id}`, v, got.etag);
		else
			await post("/v1/roles", v);
		onClose();
	});
	return <Dialog wide onClose={onClose} title={got ? say(T.crud.edit,
	    { name: got.data.name }) : T.access.createRole}>
		<FormBox form={form}>
			<TextField form={form} name="name" label={T.access.name}
			    required />
			<Perms form={form} name="permissions" offered={known}
			    label={T.access.permissions} />
			<Submit form={form}>{got ? T.kit.save : T.kit.create}</Submit>
		</FormBox></Dialog>;
}

export default function Roles() {
	const list = useAll<Role>("/v1/roles", {},
	    e => e.action.startsWith("role."));
	const [open, show] = useState<Got<Role> | "new" | null>(null);
	const remove = async (r: Role): Promise<void> => {
		if (!await confirm({ title: say(T.crud.deleteTitle,
		    { name: r.name }), text: T.access.deleteRole,
		    go: T.kit.delete, danger: true }))
			return;
		await delNow(at`/v1/roles/${r.id}`);
		toast(say(T.crud.deleted, { name: r.name }));
		list.reload();
	};
	return <Page title={T.access.roles} lead={T.access.rolesLead}
	    actions={<Button kind="primary" icon="plus" perm="role.edit"
		onClick={() => show("new")}>{T.access.createRole}</Button>}>
		<Load of={list}>{all => <>
			<div class="cards">{all.map(r =>
			<section class="card stack" key={r.id}>
				<div class="row access-head"><h2><Plain
				    text={word(T.access.names, r.name)} /></h2>
				{r.builtin ? <span class="pill">{T.access.builtin}</span> :
				    <span><Button kind="ghost" icon="edit"
					perm="role.edit" label={say(T.crud.edit,
					    { name: r.name })} onClick={() => get<Role>(
					    at`/v1/roles/${r.id}`).then(show, toastWrong)} />
				    <Button kind="ghost" icon="trash" perm="role.edit"
					label={say(T.crud.delete, { name: r.name })}
					onClick={() => remove(r)} /></span>}</div>
				{r.description && <p class="dim">{r.description}</p>}
				<details><summary>{say(T.access.permsN,
				    { n: r.permissions.length })}</summary>
				<p class="me-perms">{r.permissions.map(p =>
					<code key={p}>{p}</code>)}</p></details>
				<p><a href={"/admin/bindings?role=" +
				    encodeURIComponent(r.name)}>{T.access.whoHas}</a></p>
			</section>)}</div>
			{open && <Edit got={open === "new" ? null : open} all={all}
			    onClose={() => { show(null); list.reload(); }} />}
		</>}</Load></Page>;
}
