/* run.tsx: one run: where it stands, whom it waits for, what it wrote. */
import { useState } from "preact/hooks";
import { at, post } from "../../core/api.ts";
import type { ViewProps } from "../../app/screen.ts";
import { lasting, now } from "../../core/time.ts";
import { useGet } from "../../core/use.ts";
import { Ago, Copy, Facts, Load, Page, Status, When } from
    "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Actions, Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { LogViewer } from "../../kit/log.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, plain, say, word } from "../../text/index.ts";
import { IncidentLink } from "../alerts/incident.tsx";
import { Data } from "../runbooks/data.tsx";
import { ApprovalCard, ManualCard } from "./cards.tsx";
import { isOver, type Run, type RunStep } from "./model.ts";

const t = T.runs;

function Cancel({ path, onClose, onDone }: { path: string;
    onClose: () => void; onDone: () => void }) {
	const form = useForm({ note: "" }, async v => {
		await post(path + "/cancel", v.note ? { note: v.note } : {});
		toast(t.cancelled);
		onDone();
	});
	return <Dialog title={t.cancelTitle} onClose={onClose}>
		<p>{t.cancelText}</p>
		<FormBox form={form}>
			<TextField form={form} name="note" label={t.why} rows={2} />
			<Actions><Button onClick={onClose}>{T.kit.close}</Button>
			<Submit form={form} danger>{t.cancel}</Submit></Actions>
		</FormBox></Dialog>;
}

const took = (s: RunStep): string => s.started_at ? lasting((s.ended_at ?
    Date.parse(s.ended_at) : now.value) - Date.parse(s.started_at)) : "";

function Step({ s, onLog }: { s: RunStep; onLog: () => void }) {
	const deep = Math.min(6, (s.path.match(/steps|then|else|branches|undo/g)
	    ?.length ?? 1) - 1);
	return <li class={`runs-step runs-deep-${deep} at-${s.state}`}>
		<div class="row">
			<Status value={s.state} />
			<strong><Plain text={s.name ?? s.id} /></strong>
			<span class="pill">{word(T.runbooks.kinds, s.kind)}</span>
			{s.undo && <span class="pill">{t.undoes}</span>}
			{s.name && <code>{s.id}</code>}
			<span class="dim small mono">{took(s)}</span>
			{s.attempt > 1 && <span class="dim small">
				{say(t.attempt, { n: s.attempt })}</span>}
			{s.task && <Button kind="ghost" icon="list"
			    onClick={onLog}>{t.log}</Button>}
		</div>
		{s.code && s.code !== s.state && <p class={s.state === "failed" ?
		    "wrong small" : "dim small"}><Plain
		    text={word(t.codes, s.code)} /></p>}
		{s.started_at && <p class="dim small">{t.began}{" "}
			<When at={s.started_at} />{s.ended_at && <>{" – "}
			<When at={s.ended_at} /></>}</p>}
		{s.until && !s.waiting_for && <p class="dim small">
			{t.until}{" "}<When at={s.until} /></p>}
		{s.completed_by && <p class="small">{t.completedBy}{" "}
			<Person id={s.completed_by} /></p>}
		{s.note && <blockquote class="small"><Plain text={s.note} />
		</blockquote>}
		{s.outputs && Object.keys(s.outputs).length > 0 &&
		    <Data label={t.outputs} value={s.outputs} />}
		{s.decisions?.map(d => <p key={d.seq} class="small">
			<Person id={d.user} name={d.name} />{" "}
			{d.decision === "approve" ? t.approved : t.rejected}{" "}
			<Ago at={d.at} /> <a href={at`/audit/${d.seq}`}>#{d.seq}</a>
			{d.note && <>{": "}<Plain text={d.note} /></>}</p>)}
	</li>;
}

function Head({ r, project }: { r: Run; project: string }) {
	return <Facts rows={[
		[t.state, <span class="row"><Status value={r.state} />
			{r.code && r.code !== r.state && <Plain
			    text={word(t.codes, r.code)} />}
			{r.stopping && <span class="pill st-waiting">
				{t.stopping}</span>}
			{r.frozen && !isOver(r.state) && <span class=
			    "pill st-suspended">{t.frozen}</span>}
			{r.undo_failed && <span class="wrong">{t.undoFailed}</span>}
		</span>],
		[t.runbook, <a href={at`/p/${project}/runbooks/${r.runbook.slug ??
		    r.runbook.id}?version=${r.runbook.version}`}>
			<Plain text={r.runbook.name ?? t.goneBook} />{" "}
			{say(t.versionN, { n: r.runbook.version })}</a>],
		[t.requester, <Person id={r.requester.id} kind={r.requester.kind}
		    name={r.requester.name} />],
		r.trigger !== null && [t.by, <a href={at`/p/${project}/triggers`}>
			{t.trigger}</a>],
		r.incident !== null && [t.incident,
		    <IncidentLink id={r.incident} project={project} title />],
		[t.began, <When at={r.started_at} />],
		r.ended_at ? [t.ended, <When at={r.ended_at} />] :
		    [t.deadline, <When at={r.deadline} />],
		[t.took, r.started_at ? lasting((r.ended_at ? Date.parse(r.ended_at)
		    : now.value) - Date.parse(r.started_at)) : "–"],
		[t.digest, <span class="row"><code>{r.digest.slice(0, 16)}…</code>
			<Copy text={r.digest} label={t.copyDigest} /></span>],
		Object.keys(r.inputs).length > 0 && [t.inputs,
		    <Data label={t.inputs} value={r.inputs} open />],
		r.outputs !== null && Object.keys(r.outputs).length > 0 && [t.outputs,
		    <Data label={t.outputs} value={r.outputs} open />],
	]} />;
}

export default function RunView({ params }: ViewProps) {
	const p = params["project"] ?? "", id = params["id"] ?? "";
	const path = at`/v1/projects/${p}/runs/${id}`;
	const run = useGet<Run>(path, undefined, e => e.project === p &&
	    /^(run|task)\./.test(e.action) && !/\.(read|list|log)/.test(e.action)
	    && (e.resource.length === 0 || e.resource.some(r => r.id === id ||
		r.id.startsWith(id) || r.type === "task")));
	const [cancelling, cancel] = useState(false);
	const [step, setStep] = useState<string>("");

	return <Load of={run}>{r => {
		const waits = r.steps.filter(s => s.waiting_for);
		const has = r.steps.some(s => s.task);
		return <Page title={say(t.of, { name: r.runbook.name ??
		    r.runbook.slug ?? t.goneBook })} back={[at`/p/${p}/runs`,
		    t.title]} actions={
		    <Button kind="danger" icon="x" perm="run.cancel" project={p}
			off={isOver(r.state) && t.isOver ||
			    r.stopping && t.stopping}
			onClick={() => cancel(true)}>{t.cancel}</Button>}>
			{waits.map(s => s.kind === "approval" ?
				<ApprovalCard key={s.id} r={r} s={s} project={p}
				    path={path} onDone={run.reload} /> :
				<ManualCard key={s.id} r={r} s={s} project={p}
				    path={path} onDone={run.reload} />)}
			<div class="runs-main">
				<section class="card"><h2>{t.steps}</h2>
					<ol class="runs-steps">{r.steps.map(s => <Step
					    key={s.id} s={s} onLog={() => {
						setStep(s.id);
						document.getElementById("run-log")
						    ?.scrollIntoView();
					    }} />)}</ol></section>
				<section class="card"><h2>{t.about}</h2>
					<Head r={r} project={p} /></section>
			</div>
			<section class="card" id="run-log"><div class="row runs-loghead">
				<h2>{t.log}</h2>
				<label class="facet">{t.logOf}
				<select value={step} onChange={e =>
				    setStep(e.currentTarget.value)}>
					<option value="">{t.logAll}</option>
					{r.steps.filter(s => s.task).map(s =>
						<option key={s.id} value={s.id}>{plain(s.name ??
						    s.id)}</option>)}</select></label></div>
				{has || isOver(r.state) || step ? <LogViewer
				    key={step} path={path + "/log"} label={t.log}
				    step={step || undefined} live={!isOver(r.state)} /> :
				    <p class="dim">{t.logNone}</p>}
			</section>
			{cancelling && <Cancel path={path} onClose={() => cancel(false)}
			    onDone={() => { cancel(false); run.reload(); }} />}
		</Page>;
	}}</Load>;
}
