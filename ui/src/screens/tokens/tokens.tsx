/* tokens.tsx: credentials of programs: as little as will do, for as long as
 * will do; what is not used can be taken off. */
import { useState } from "preact/hooks";
import { at, del, post } from "../../core/api.ts";
import { may, me } from "../../core/session.ts";
import { useAll } from "../../core/use.ts";
import { Ago, Copy, Empty, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, ListField, SelectField, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";
import { Perms } from "./perms.tsx";
import { Narrow } from "./narrow.tsx";

export interface Token { id: string; name: string; kind: string;
	key_id: string; owner: string; owner_kind: string; scopes: string[];
	projects: string[] | null; expires_at: string;
	last_used: string | null; revoked_at: string | null }

const inDays = (n: number): string =>
	new Date(Date.now() + n * 86400000).toISOString().slice(0, 16);

function Create({ onClose, onMade }: { onClose: () => void;
    onMade: (token: string) => void }) {
	const accounts = useAll<{ id: string; name: string }>(
	    may("token.admin") ? "/v1/service-accounts" : null);
	const form = useForm({ name: "", owner: "", scopes: [] as string[],
		projects: [] as string[], expires_at: inDays(90),
		ip_allow: [] as string[] }, async v => {
		const made = await post<Token & { token: string }>("/v1/tokens", {
			name: v.name, scopes: v.scopes,
			expires_at: new Date(v.expires_at).toISOString(),
			...(v.owner && { owner: v.owner }),
			...(v.projects.length > 0 && { projects: v.projects }),
			...(v.ip_allow.length > 0 && { ip_allow: v.ip_allow }) });
		onMade(made.data.token);
	});
	return <Dialog title={T.tokens.create} onClose={onClose} wide>
		<FormBox form={form}>
			<TextField form={form} name="name" label={T.tokens.name}
			    required />
			<SelectField form={form} name="owner" label={T.tokens.owner}
			    hint={T.tokens.ownerHint}
			    options={[["", T.tokens.myself] as const,
				...(accounts.data ?? []).map(a =>
				[a.id, a.name] as const)]} />
			<Perms form={form} name="scopes" label={T.tokens.scopes}
			    offered={me.value?.permissions ?? []} />
			<ListField form={form} name="projects"
			    label={T.tokens.projects} hint={T.tokens.projectsHint} />
			<TextField form={form} name="expires_at" required
			    type="datetime-local" label={T.tokens.expires} />
			<ListField form={form} name="ip_allow"
			    label={T.tokens.addresses}
			    hint={T.tokens.addressesHint} />
			<Submit form={form}>{T.tokens.create}</Submit>
		</FormBox></Dialog>;
}

function state(t: Token): [string, string] {
	return t.revoked_at ? ["st-revoked", T.tokens.revoked] :
	    Date.parse(t.expires_at) < Date.now() ?
	    ["", T.tokens.expired] : ["st-ok", T.tokens.valid];
}

export default function Tokens() {
	const list = useAll<Token>("/v1/tokens", {},
	    e => e.action.startsWith("token."));
	const [making, make] = useState(false);
	const [secret, show] = useState<string | null>(null);
	const [narrowing, narrow] = useState<Token | null>(null);
	const revoke = async (t: Token): Promise<void> => {
		if (!await confirm({ title: say(T.tokens.revokeTitle,
		    { name: t.name }), text: T.tokens.revokeText,
		    go: T.tokens.revoke, danger: true }))
			return;
		await del(at`/v1/tokens/${t.id}`);
		toast(T.tokens.revoked);
		list.reload();
	};
	const rotate = async (t: Token): Promise<void> => {
		show((await post<{ token: string }>(
		    at`/v1/tokens/${t.id}/rotate`, {})).data.token);
		list.reload();
	};
	return <Page title={T.tokens.title} lead={T.tokens.lead} actions={
	    <Button kind="primary" icon="plus" perm="token.create"
		onClick={() => make(true)}>{T.tokens.create}</Button>}>
		<Load of={list} empty={<Empty title={T.tokens.none}>
			{T.tokens.noneHint}</Empty>}>{all =>
			<div class="scroll card flush" tabIndex={0}>
			<table class="crud"><thead><tr>
				<th scope="col">{T.tokens.name}</th>
				<th scope="col" class="wide">{T.tokens.owner}</th>
				<th scope="col" class="wide">{T.tokens.scopes}</th>
				<th scope="col" class="wide">{T.tokens.expires}</th>
				<th scope="col" class="wide">{T.tokens.used}</th>
				<th scope="col">{T.tokens.state}</th>
				<th scope="col"><span class="sr">{T.crud.actions}</span></th>
			</tr></thead><tbody>{all.map(t => {
				const [cls, text] = state(t);
				const dead = t.revoked_at !== null && T.tokens.revoked;
				return <tr key={t.id}>
					<td><Plain text={t.name} /><br />
						<code class="tokens-id">{t.key_id}</code>
						<span class="slim"><Person id={t.owner} /></span></td>
					<td class="wide"><Person id={t.owner} /></td>
					<td class="wide"><details><summary>
						{say(T.tokens.scopesN, { n: t.scopes.length })}
						</summary><p class="me-perms">{t.scopes.map(s =>
						<code key={s}>{s}</code>)}</p></details></td>
					<td class="wide"><Ago at={t.expires_at} /></td>
					<td class="wide">{t.last_used ?
					    <Ago at={t.last_used} /> : T.tokens.never}</td>
					<td><span class={`pill ${cls}`}>{text}</span></td>
					<td class="crud-actions">
						{t.scopes.length > 0 && <><Button off={dead}
						    onClick={() => narrow(t)}>
							{T.tokens.narrow}</Button>{" "}</>}
						<Button kind="ghost" icon="refresh" off={dead}
						    label={T.tokens.rotate + " " + t.name}
						    onClick={() => rotate(t)} />
						<Button kind="ghost" icon="trash" off={dead}
						    label={T.tokens.revoke + " " + t.name}
						    onClick={() => revoke(t)} />
					</td></tr>;
			})}</tbody></table></div>}</Load>
		{making && <Create onClose={() => make(false)} onMade={t => {
			make(false);
			show(t);
			list.reload();
		}} />}
		{narrowing && <Narrow t={narrowing} onClose={() => {
			narrow(null);
			list.reload();
		}} />}
		{secret && <Dialog title={T.tokens.secretTitle}>
			<p>{T.tokens.secretText}</p>
			<p><code>{secret}</code> <Copy text={secret} /></p>
			<div class="actions"><Button kind="primary"
			    onClick={() => show(null)}>{T.crud.kept}</Button></div>
		</Dialog>}
	</Page>;
}
