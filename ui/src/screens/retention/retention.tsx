/* retention.tsx: how long what is kept, what goes next, what has gone. */
import { useState } from "preact/hooks";
import { at, post, put, type Page as Pages } from "../../core/api.ts";
import { may, projects } from "../../core/session.ts";
import { useGet } from "../../core/use.ts";
import { Ago, Empty, Load, Page, When } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say, word } from "../../text/index.ts";

interface Rule { days: number | null; min_days?: number;
	locked?: string | null; by?: string }
type Rules = Record<string, Rule>;
type Values = Record<string, string>;

const days = (r: Rule): string => r.days === null ? T.retention.ever :
    say(T.retention.days, { n: r.days });

/* "" is for ever, or as the organization says; a number is days. */
function Edit({ rules, etag, path, wrap, onClose }: { rules: Rules;
    etag: string | null; path: string; wrap: boolean;
    onClose: () => void }) {
	const start: Values = Object.fromEntries(Object.entries(rules).map(
	    ([k, r]) => [k, r.days === null ? "" : String(r.days)]));
	const form = useForm<Values>(start, async v => {
		const changed = Object.fromEntries(Object.keys(rules)
		    .filter(k => v[k] !== start[k]).map(k => [k,
			v[k] === "" ? null : { days: Number(v[k]) }]));
		await put(path, wrap ? { retention: changed } : changed, etag);
		toast(T.policy.saved);
		onClose();
	});
	/* the server names them retention.incident.days */
	const errors = Object.fromEntries(Object.entries(form.errors).map(
	    ([k, d]) => [k.replace(/^retention\./, ""), d]));
	return <Dialog title={T.retention.change} onClose={onClose}>
		<p class="dim">{T.retention.changeText}</p>
		<FormBox form={form}>{Object.keys(rules).map(k =>
			<TextField key={k} form={{ ...form, errors }} name={k}
			    label={word(T.retention.classes, k)}
			    inputmode="numeric" />)}
			<Submit form={form}>{T.kit.save}</Submit></FormBox></Dialog>;
}

function Table({ rules }: { rules: Rules }) {
	return <div class="scroll" tabIndex={0}><table><thead><tr>
		<th scope="col">{T.retention.class}</th>
		<th scope="col">{T.retention.kept}</th>
		<th scope="col" class="wide">{T.retention.atLeast}</th>
		<th scope="col" class="wide">{T.retention.locked}</th>
		<th scope="col" class="wide">{T.retention.by}</th>
	</tr></thead><tbody>{Object.entries(rules).map(([k, r]) =>
		<tr key={k}><th scope="row">{word(T.retention.classes, k)}</th>
			<td>{days(r)}</td>
			<td class="wide">{r.min_days ? say(T.retention.days,
			    { n: r.min_days }) : "–"}</td>
			<td class="wide">{r.locked ? <When at={r.locked} /> : "–"}</td>
			<td class="wide">{r.by ? word(T.retention.whose, r.by) :
			    ""}</td></tr>)}</tbody></table></div>;
}

function Organization() {
	const p = useGet<{ retention: Rules }>(may("policy.view") ?
	    "/v1/policy" : null);
	const [open, show] = useState(false);
	return <section class="card stack"><div class="row retention-head">
		<h2>{T.retention.organization}</h2>
		<Button perm="policy.edit" onClick={() => show(true)}>
			{T.kit.edit}</Button></div>
		{may("policy.view") ? <Load of={p}>{v => <>
			<Table rules={v.retention} />
			{open && <Edit rules={v.retention} etag={p.etag} wrap
			    path="/v1/policy" onClose={() => {
				show(false);
				p.reload();
			    }} />}</>}</Load> :
		    <p class="dim">{T.kit.forbidden}</p>}</section>;
}

function Project({ project }: { project: string }) {
	const path = at`/v1/projects/${project}/retention`;
	const r = useGet<Rules>(path);
	const [open, show] = useState(false);
	return <section class="card stack"><div class="row retention-head">
		<h2>{project}</h2><Button perm="retention.edit" project={project}
		    onClick={() => show(true)}>{T.kit.edit}</Button></div>
		<Load of={r}>{v => <>
			<Table rules={v} />
			{open && <Edit rules={v} etag={r.etag} path={path}
			    wrap={false} onClose={() => {
				show(false);
				r.reload();
			    }} />}</>}</Load></section>;
}

interface Due { project: string | null; class: string; days: number;
	units: number; ids?: string[] }
interface Preview { time: string; last_run_at: string | null; busy: boolean;
	items: Due[] }
interface Gone { seq: number; class: string; project: string | null;
	units: number; time?: string; days?: number | null }

function Next() {
	const p = useGet<Preview>("/v1/retention/preview");
	const run = async (): Promise<void> => {
		if (!await confirm({ title: T.retention.runTitle, danger: true,
		    text: T.retention.runText, go: T.retention.run }))
			return;
		await post("/v1/retention/run");
		toast(T.retention.asked);
		p.reload();
	};
	return <section class="card stack"><div class="row retention-head">
		<h2>{T.retention.next}</h2>
		<Button kind="danger" perm="retention.edit" onClick={run}>
			{T.retention.run}</Button></div>
		<Load of={p}>{v => <>
			<p class="dim">{T.retention.lastRun} <Ago
			    at={v.last_run_at} /></p>
			{v.items.length === 0 ? <p>{T.retention.nothing}</p> :
			<div class="scroll" tabIndex={0}><table><thead><tr>
				<th scope="col">{T.retention.class}</th>
				<th scope="col">{T.retention.project}</th>
				<th scope="col">{T.retention.units}</th></tr></thead>
			<tbody>{v.items.map((i, n) => <tr key={n}>
				<td>{word(T.retention.classes, i.class)}</td>
				<td>{i.project ?? T.retention.organization}</td>
				<td>{i.units}</td></tr>)}</tbody></table></div>}
		</>}</Load></section>;
}

function Report() {
	const r = useGet<Pages<Gone>>("/v1/retention/report", { limit: 50 });
	return <section class="card stack"><h2>{T.retention.gone}</h2>
		<p class="dim">{T.retention.goneText}</p>
		<Load of={r}>{v => v.items.length === 0 ? <Empty
		    title={T.retention.noneGone} /> :
			<div class="scroll" tabIndex={0}><table><thead><tr>
				<th scope="col">{T.audit.seq}</th>
				<th scope="col">{T.retention.class}</th>
				<th scope="col">{T.retention.project}</th>
				<th scope="col">{T.retention.units}</th></tr></thead>
			<tbody>{v.items.map(g => <tr key={g.seq}>
				<td>{may("audit.view") ? <a href={at`/audit/${g.seq}`}>
					{g.seq}</a> : g.seq}</td>
				<td>{word(T.retention.classes, g.class)}</td>
				<td>{g.project ?? T.retention.organization}</td>
				<td>{g.units}</td></tr>)}</tbody></table></div>}
		</Load></section>;
}

export default function RetentionPage() {
	return <Page title={T.retention.title} lead={T.retention.lead}>
		<Organization />
		{projects.value.filter(p => may("retention.view", p)).map(p =>
			<Project key={p} project={p} />)}
		<Next /><Report />
	</Page>;
}
