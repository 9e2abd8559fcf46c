/* user.tsx: one person: how they log in, who they are elsewhere, what they
 * may, their end. */
import { useState } from "preact/hooks";
import { at, del, get, post, type Got, type Page as Pages } from "../../core/api.ts";
import type { ViewProps } from "../../app/screen.ts";
import { may } from "../../core/session.ts";
import { useGet } from "../../core/use.ts";
import { Ago, Empty, Facts, Load, Page, When } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Edit } from "../../kit/crud.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, SelectField, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say, word } from "../../text/index.ts";
import { Enrolment } from "./enrolment.tsx";
import { FIELDS, State, called, type User } from "./users.tsx";

interface Way { id: string; kind: string; name: string; created_at: string }
interface Identity { id: string; identity_provider: string; issuer: string;
	subject: string; label: string | null }
interface Idp { id: string; name: string }

function Ways({ id }: { id: string }) {
	const list = useGet<Pages<Way>>(at`/v1/users/${id}/credentials`);
	const remove = async (w: Way): Promise<void> => {
		if (!await confirm({ title: T.users.resetTitle, danger: true,
		    text: T.users.resetText, go: T.kit.remove }))
			return;
		await del(at`/v1/users/${id}/credentials/${w.id}`);
		list.reload();
	};
	return <section class="card stack"><h2>{T.users.ways}</h2>
		<Load of={list}>{({ items }) => items.length === 0 ?
			<p class="dim">{T.users.noWays}</p> :
			<div class="scroll" tabIndex={0}><table><thead><tr>
				<th scope="col">{T.me.kind}</th>
				<th scope="col">{T.me.name}</th>
				<th scope="col">{T.me.added}</th>
				<th scope="col"><span class="sr">{T.crud.actions}</span></th>
			</tr></thead><tbody>{items.map(w =>
				<tr key={w.id}><td>{word(T.me.kinds, w.kind)}</td>
				<td><Plain text={w.name} /></td>
				<td><Ago at={w.created_at} /></td>
				<td class="crud-actions"><Button kind="ghost" icon="trash"
				    perm="user.edit" label={T.kit.remove + " " + w.name}
				    onClick={() => remove(w)} /></td></tr>)}
			</tbody></table></div>}</Load></section>;
}

function Link({ id, idps, onDone }: { id: string; idps: Idp[];
    onDone: () => void }) {
	const form = useForm({ identity_provider: idps[0]?.id ?? "",
		subject: "", label: "" }, async v => {
		await post(at`/v1/users/${id}/identities`, {
			identity_provider: v.identity_provider,
			subject: v.subject, ...(v.label && { label: v.label }) });
		onDone();
	});
	return <Dialog title={T.users.link} onClose={onDone}>
		<p class="dim">{T.users.linkHint}</p>
		<FormBox form={form}>
			<SelectField form={form} name="identity_provider"
			    label={T.users.provider}
			    options={idps.map(i => [i.id, i.name] as const)} />
			<TextField form={form} name="subject" required
			    label={T.users.subject} hint={T.users.subjectHint} />
			<TextField form={form} name="label" label={T.users.label} />
			<Submit form={form}>{T.users.link}</Submit>
		</FormBox></Dialog>;
}

function Identities({ id }: { id: string }) {
	const list = useGet<Pages<Identity>>(at`/v1/users/${id}/identities`);
	const idps = useGet<Pages<Idp>>(may("idp.view") ?
	    "/v1/identity-providers" : null);
	const [adding, add] = useState(false);
	const name = (i: Identity): string => idps.data?.items.find(x =>
	    x.id === i.identity_provider)?.name ?? i.issuer;
	const unlink = async (i: Identity): Promise<void> => {
		if (!await confirm({ title: T.users.unlinkTitle, danger: true,
		    text: say(T.users.unlinkText, { subject: i.subject }),
		    go: T.kit.remove }))
			return;
		await del(at`/v1/users/${id}/identities/${i.id}`);
		list.reload();
	};
	return <section class="card stack"><h2>{T.users.identities}</h2>
		<Load of={list}>{({ items }) => items.length === 0 ?
			<p class="dim">{T.users.noIdentities}</p> :
			<div class="scroll" tabIndex={0}><table><tbody>{items.map(i =>
				<tr key={i.id}><td><Plain text={name(i)} /></td>
				<td><code><Plain text={i.subject} /></code></td>
				<td><Plain text={i.label ?? ""} /></td>
				<td class="crud-actions"><Button kind="ghost" icon="trash"
				    perm="user.edit" label={T.kit.remove + " " + i.subject}
				    onClick={() => unlink(i)} /></td></tr>)}
			</tbody></table></div>}</Load>
		<div class="actions"><Button icon="link" perm="user.edit"
		    off={(idps.data?.items.length ?? 0) === 0 && T.users.noIdps}
		    onClick={() => add(true)}>{T.users.link}</Button></div>
		{adding && <Link id={id} idps={idps.data?.items ?? []}
		    onDone={() => { add(false); list.reload(); }} />}
	</section>;
}

function Anonymize({ u, onDone }: { u: User; onDone: () => void }) {
	const form = useForm({ reason: "", sure: "" }, async v => {
		await post(at`/v1/users/${u.id}/anonymize`, { reason: v.reason });
		toast(T.users.anonymized);
		onDone();
	});
	return <Dialog title={T.users.anonymize} onClose={onDone}>
		<p class="wrong">{T.users.anonymizeText}</p>
		<FormBox form={form}>
			<TextField form={form} name="reason" required rows={2}
			    label={T.users.reason} hint={T.users.reasonHint} />
			<TextField form={form} name="sure"
			    label={say(T.kit.type, { word: u.email })} />
			{form.values.sure === u.email && <Submit form={form} danger>
				{T.users.anonymize}</Submit>}
		</FormBox></Dialog>;
}

export default function UserPage({ params }: ViewProps) {
	const id = params["id"] ?? "";
	const user = useGet<User>(at`/v1/users/${id}`, {},
	    e => e.resource.some(r => r.id === id));
	const [open, show] = useState<Got<User> | "anonymize" | null>(null);
	const close = (): void => { show(null); user.reload(); };
	const [token, setToken] = useState<string | null>(null);
	return <Load of={user}>{u => <Page title={u.name || u.email || u.id}
	    back={["/admin/users", T.users.title]} actions={<>
		<Button icon="edit" perm="user.edit" off={!!u.anonymized_at &&
		    T.users.anonymized} onClick={async () =>
		    show(await get<User>(at`/v1/users/${id}`))}>
			{T.kit.edit}</Button>
		<Button icon="key" perm="user.edit" onClick={async () =>
		    setToken((await post<{ token: string }>(
			at`/v1/users/${id}/enrolment`)).data.token)}>
			{T.users.enrol}</Button>
		<Button kind="danger" perm="person.anonymize"
		    off={u.anonymized_at ? T.users.anonymized : !u.disabled &&
			T.users.disableFirst}
		    onClick={() => show("anonymize")}>{T.users.anonymize}</Button>
	    </>}>
		{u.anonymized_at ? <Empty icon="user"
		    title={T.users.anonymized} /> : null}
		<section class="card"><Facts rows={[
			[T.users.email, <Plain text={u.email} />],
			[T.users.state, <State u={u} />],
			[T.users.glass, u.break_glass ? T.users.yes : T.users.no],
			[T.users.since, <When at={u.created_at} />],
			[T.users.rights, <a href={"/admin/access?what=user:" +
			    u.id}>{T.users.rightsLink}</a>]]} /></section>
		<Ways id={id} />
		<Identities id={id} />
		{open === "anonymize" ? <Anonymize u={u} onDone={close} /> :
		    open && <Edit p={{ path: "/v1/users", fields: FIELDS,
			name: called }} got={open} onClose={close} />}
		{token && <Enrolment token={token}
		    onClose={() => setToken(null)} />}
	</Page>}</Load>;
}
