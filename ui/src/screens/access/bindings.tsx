/* bindings.tsx: who has which role, where, until when, and why. */
import { useState } from "preact/hooks";
import type { ViewProps } from "../../app/screen.ts";
import { at, delNow, post } from "../../core/api.ts";
import { projects } from "../../core/session.ts";
import { useAll } from "../../core/use.ts";
import { Ago, Empty, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, SelectField, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say, word } from "../../text/index.ts";
import { useSubjects } from "../users/groups.tsx";
import { Preview, type Change } from "./preview.tsx";
import type { Role } from "./roles.tsx";

export interface Binding { id: string; role: string;
	subject: { kind: string; id: string }; project: string | null;
	resource_group: string | null; not_before: string | null;
	expires_at: string | null; reason: string | null;
	break_glass: string | null; created_at: string }

const roleOf = (b: Binding): string => word(T.access.names, b.role);
const time = (s: string): string | undefined => s === "" ? undefined :
    new Date(s).toISOString();

const Where = ({ b }: { b: Binding }) => <>
	{b.project ?? T.access.everywhere}
	{b.resource_group && <span class="dim small"><br />
		{T.access.some}</span>}</>;

function Create({ onClose }: { onClose: () => void }) {
	const subjects = useSubjects(true);
	const roles = useAll<Role>("/v1/roles");
	const groups = useAll<{ id: string; name: string }>(
	    "/v1/resource-groups");
	const [look, preview] = useState<Change | null>(null);
	const form = useForm({ subject: "", role: "viewer", project: "",
		resource_group: "", expires_at: "", reason: "" }, async v => {
		await post("/v1/bindings", body(v));
		toast(T.access.bound);
		onClose();
	});
	const body = (v: typeof form.values): Record<string, unknown> => {
		const [kind, id] = v.subject.split(":");
		return { subject: { kind, id }, role: v.role,
			...(v.project && { project: v.project }),
			...(v.resource_group &&
			    { resource_group: v.resource_group }),
			...(v.expires_at && { expires_at: time(v.expires_at) }),
			...(v.reason && { reason: v.reason }) };
	};
	return <Dialog title={T.access.bind} onClose={onClose} wide>
		<FormBox form={form}>
			<SelectField form={form} name="subject" required
			    label={T.access.subject} options={[["", T.access.choose],
				...(subjects.data ?? []).map(s =>
				[`${s.kind}:${s.id}`, `${s.name} (${word(
				T.users.kinds, s.kind)})`] as const)]} />
			<SelectField form={form} name="role" required
			    label={T.access.role} options={(roles.data ?? []).map(r =>
				[r.name, word(T.access.names, r.name)] as const)} />
			<SelectField form={form} name="project"
			    label={T.access.where} options={[["", T.access.everywhere],
				...projects.value.map(p => [p, p] as const)]} />
			<SelectField form={form} name="resource_group"
			    label={T.access.only} options={[["", T.access.all],
				...(groups.data ?? []).map(g =>
				[g.id, g.name] as const)]} />
			<TextField form={form} name="expires_at"
			    type="datetime-local" label={T.access.until} />
			<TextField form={form} name="reason" rows={2}
			    label={T.access.reason} />
			<div class="actions">
				<Button off={form.values.subject === "" &&
				    T.access.choose} onClick={() => preview({
				    method: "POST", path: "/v1/bindings",
				    body: body(form.values) })}>
					{T.access.preview}</Button>
				<Submit form={form}>{T.access.bind}</Submit>
			</div>
		</FormBox>
		{look && <Preview change={look} />}
	</Dialog>;
}

export default function Bindings({ query }: ViewProps) {
	const list = useAll<Binding>("/v1/bindings", {},
	    e => e.action.startsWith("binding."));
	const subjects = useSubjects(true);
	const [making, make] = useState(false);
	const [find, put] = useState(query.get("role") ?? "");
	const name = (b: Binding): string => subjects.data?.find(s =>
	    s.id === b.subject.id)?.name ?? b.subject.id;
	const remove = async (b: Binding): Promise<void> => {
		if (!await confirm({ title: T.access.unbindTitle, danger: true,
		    text: say(T.access.unbindText, { name: name(b),
			role: roleOf(b) }), go: T.access.unbind }))
			return;
		await delNow(at`/v1/bindings/${b.id}`);
		list.reload();
	};
	const fits = (b: Binding): boolean => [name(b), b.role, roleOf(b),
	    b.project, b.reason].join(" ").toLowerCase().includes(find.toLowerCase());
	return <Page title={T.access.bindings} lead={T.access.bindingsLead}
	    actions={<Button kind="primary" icon="plus" perm="binding.edit"
		project="anywhere" onClick={() => make(true)}>
		{T.access.bind}</Button>}>
		<input value={find} aria-label={T.access.find}
		    placeholder={T.access.find}
		    onInput={e => put(e.currentTarget.value)} />
		<Load of={list} empty={<Empty title={T.access.noBindings} />}>
			{all => <div class="scroll card flush" tabIndex={0}>
			<table class="crud"><thead><tr>
			<th scope="col">{T.access.subject}</th>
			<th scope="col">{T.access.role}</th>
			<th scope="col" class="wide">{T.access.where}</th>
			<th scope="col" class="wide">{T.access.until}</th>
			<th scope="col" class="wide">{T.access.reason}</th>
			<th scope="col"><span class="sr">{T.crud.actions}</span></th>
		</tr></thead><tbody>{all.filter(fits).map(b => <tr key={b.id}>
			<td><Plain text={name(b)} /> <span class="dim small">
				{word(T.users.kinds, b.subject.kind)}</span></td>
			<td><Plain text={roleOf(b)} />{b.break_glass && <> <span
			    class="pill st-new">{T.access.glassPill}</span></>}
				<span class="slim"><Where b={b} /></span></td>
			<td class="wide"><Where b={b} /></td>
			<td class="wide">{b.expires_at ? <Ago at={b.expires_at} /> :
			    T.access.noEnd}</td>
			<td class="wide"><Plain text={b.reason ?? ""} /></td>
			<td class="crud-actions"><Button kind="ghost" icon="trash"
			    perm="binding.edit" project={b.project}
			    label={T.access.unbind + ": " + name(b) + ", " + roleOf(b)}
			    onClick={() => remove(b)} /></td>
		</tr>)}</tbody></table></div>}</Load>
		{making && <Create onClose={() => { make(false); list.reload(); }} />}
	</Page>;
}
