/* access.tsx: why may they; who can; what can they; what nobody uses. */
import { useState } from "preact/hooks";
import { goQuery } from "../../app/router.ts";
import type { ViewProps } from "../../app/screen.ts";
import { all, post } from "../../core/api.ts";
import { me, projects } from "../../core/session.ts";
import { useGet, useLoaded } from "../../core/use.ts";
import { Empty, Load, Page, Tabs } from "../../kit/bits.tsx";
import { FormBox, SelectField, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, plain, say, word } from "../../text/index.ts";
import { WhyTree, type Explained } from "../../kit/why-tree.tsx";
import { useSubjects } from "../users/groups.tsx";

const perms = (): (readonly [string, string])[] =>
	(me.value?.permissions ?? []).map(p => [p, p] as const);
const places = (): (readonly [string, string])[] => [
    ["", T.access.organization] as const,
    ...projects.value.map(p => [p, p] as const)];

function Why() {
	const subjects = useSubjects(false);
	const [a, set] = useState<Explained | null>(null);
	const form = useForm({ principal: "", permission: "incident.view",
		project: "", type: "incident", id: "" }, async v => {
		const [kind, id] = v.principal.split(":");
		set(null);
		set((await post<Explained>("/v1/access/explain", {
			permission: v.permission,
			...(v.principal && { principal: { kind, id } }),
			...((v.project || v.id) && { resource: {
				...(v.project && { project: v.project }),
				...(v.id && { type: v.type, id: v.id }) } })
		})).data);
	});
	return <div class="split access-why"><section class="card">
		<FormBox form={form}>
			<SelectField form={form} name="principal"
			    label={T.access.who} options={[["", T.access.myself],
				...(subjects.data ?? []).map(s =>
				[`${s.kind}:${s.id}`, s.name] as const)]} />
			<SelectField form={form} name="permission"
			    label={T.access.permission} options={perms()} />
			<SelectField form={form} name="project"
			    label={T.access.where} options={places()} />
			<TextField form={form} name="id" label={T.access.object}
			    hint={T.access.objectHint} />
			<SelectField form={form} name="type" label={T.access.type}
			    options={["incident", "alert", "integration"].map(t =>
				[t, t] as const)} />
			<Submit form={form}>{T.access.askWhy}</Submit>
		</FormBox></section>
		<section class="card" aria-live="polite">{a ? <WhyTree a={a} /> :
		    <p class="dim">{T.access.whyHint}</p>}</section></div>;
}

interface Who { principal: { kind: string; id: string }; name: string;
	role: string; group: string | null; expires_at: string | null }

function WhoCan() {
	const [q, ask] = useState({ permission: "incident.view", project: "" });
	const list = useLoaded<Who[]>(async () => ({ etag: null, status: 200,
		data: await all<Who>("/v1/access/who-can", q) }),
	    [q.permission, q.project]);
	return <div class="stack">
		<div class="row">
			<label class="facet">{T.access.permission}
				<select value={q.permission} onChange={e => ask({ ...q,
				    permission: e.currentTarget.value })}>
				{perms().map(([p]) => <option key={p}>{p}</option>)}
				</select></label>
			<label class="facet">{T.access.where}
				<select value={q.project} onChange={e => ask({ ...q,
				    project: e.currentTarget.value })}>
				{places().map(([v, l]) => <option key={v} value={v}>
					{l}</option>)}</select></label></div>
		<Load of={list} empty={<Empty title={T.access.nobody} />}>{all =>
			<div class="scroll card flush" tabIndex={0}><table><thead><tr>
				<th scope="col">{T.access.subject}</th>
				<th scope="col">{T.access.role}</th>
				<th scope="col">{T.access.by}</th></tr></thead>
			<tbody>{all.map(w => <tr key={w.principal.id}>
				<td><Plain text={w.name} /> <span class="dim small">{word(
				    T.users.kinds, w.principal.kind)}</span></td>
				<td><Plain text={word(T.access.names, w.role)} /></td>
				<td>{w.group ? T.access.byGroup : T.access.direct}</td>
			</tr>)}</tbody></table></div>}</Load></div>;
}

interface What { name: string; organization: string[];
	projects: Record<string, string[]>; some_resources?: unknown[] }

function WhatCan({ who }: { who: string }) {
	const subjects = useSubjects(true);
	const a = useGet<What>(who ? "/v1/access/what-can" : null,
	    { principal: who });
	return <div class="stack">
		<label class="facet">{T.access.who}
			<select value={who} onChange={e =>
			    goQuery({ what: e.currentTarget.value })}>
				<option value="">{T.access.choose}</option>
				{(subjects.data ?? []).map(s => <option key={s.id}
				    value={`${s.kind}:${s.id}`}>{plain(s.name)}</option>)}
			</select></label>
		{who ? <Load of={a}>{v => <div class="cards">
			{[[T.access.organization, v.organization] as const,
			    ...Object.entries(v.projects)].map(([p, ps]) =>
				<section class="card" key={p}><h2>{p}</h2>
				{ps.length === 0 ? <p class="dim">{T.kit.none}</p> :
				<p class="me-perms">{ps.map(x =>
					<code key={x}>{x}</code>)}</p>}</section>)}
		</div>}</Load> : <Empty icon="user" title={T.access.choose}>
			{T.access.whatHint}</Empty>}</div>;
}

interface Least { id: string; name: string; owner: string; used: { permission: string }[];
	unused: string[]; dormant: boolean }

function LeastPrivilege() {
	const list = useLoaded<Least[]>(async () => ({ etag: null, status: 200,
		data: await all<Least>("/v1/access/least-privilege") }), []);
	return <Load of={list} empty={<Empty icon="check"
	    title={T.access.allUsed} />}>
		{all => <div class="scroll card flush" tabIndex={0}><table><thead><tr>
			<th scope="col">{T.access.token}</th>
			<th scope="col">{T.tokens.owner}</th>
			<th scope="col" class="wide">{T.access.used}</th>
			<th scope="col">{T.access.unused}</th></tr></thead>
		<tbody>{all.map(t => <tr key={t.id}>
			<td><Plain text={t.name} />{t.dormant && <> <span
			    class="pill st-pending">{T.access.dormant}</span></>}</td>
			<td><Person id={t.owner} /></td>
			<td class="wide">{t.used.length}</td>
			<td><details><summary>{say(T.access.permsN,
			    { n: t.unused.length })}</summary><p class="me-perms">
				{t.unused.map(p => <code key={p}>{p}</code>)}</p>
			</details></td></tr>)}</tbody></table>
		<p class="access-hint"><a href="/admin/tokens">
			{T.access.narrowLink}</a></p></div>}</Load>;
}

export default function Access({ query }: ViewProps) {
	const what = query.get("what");
	const tab = what !== null ? "?what=" : query.get("tab") ?? "";
	const at = "/admin/access";
	const tabs = [[at, T.access.why], [at + "?tab=who", T.access.whoCan],
	    [at + "?what=", T.access.whatCan],
	    [at + "?tab=least", T.access.least]] as const;
	return <Page title={T.access.title} lead={T.access.lead}>
		<Tabs label={T.access.title} tabs={tabs} at={what !== null ?
		    at + "?what=" : tab ? `${at}?tab=${tab}` : at} />
		{what !== null ? <WhatCan who={what} /> :
		    tab === "who" ? <WhoCan /> : tab === "least" ?
		    <LeastPrivilege /> : <Why />}
	</Page>;
}
