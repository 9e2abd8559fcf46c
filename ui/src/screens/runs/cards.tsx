/* cards.tsx: what a run waits for somebody to do: decide, or work. */
import { post } from "../../core/api.ts";
import { me } from "../../core/session.ts";
import { Ago, Copy } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { FormBox, TextField, useForm } from "../../kit/form.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";
import type { Run, RunStep } from "./model.ts";

const t = T.runs;
interface Props { r: Run; s: RunStep; project: string; path: string;
	onDone: () => void }

/* Why it is not mine to decide; the server knows more reasons. */
function notMine(r: Run, s: RunStep): string | false {
	const id = me.value?.id;
	if (me.value?.kind !== "user")
		return t.personsOnly;
	if (!r.trigger && r.requester.id === id)
		return t.ownRun;
	if (s.decisions?.some(d => d.user === id))
		return t.decided;
	const who = s.waiting_for?.approvers ?? [];
	if (who.length > 0 && who.every(a => a.kind === "user" && a.id !== id))
		return t.notAsked;
	return false;
}

export function ApprovalCard({ r, s, project, path, onDone }: Props) {
	const w = s.waiting_for;
	const yes = s.decisions?.filter(d => d.decision === "approve") ?? [];
	const form = useForm({ note: "" }, async () => undefined);
	const decide = async (decision: "approve" | "reject"): Promise<void> => {
		await post(path + "/approve", { step: s.id, decision,
			digest: w?.digest, ...(form.values.note &&
			{ note: form.values.note }) });
		toast(decision === "approve" ? t.youApproved : t.youRejected);
		onDone();
	};
	const off = notMine(r, s);
	return <section class="card runs-waits" aria-label={say(t.approvalOf,
	    { name: s.name ?? s.id })}>
		<h2>{say(t.approvalOf, { name: s.name ?? s.id })}</h2>
		<p><Plain text={w?.message ?? ""} /></p>
		<p class="small">{say(t.nOfM, { n: yes.length, m: w?.count ?? 1 })}
			{yes.map(d => <span key={d.user}>{" "}<Person id={d.user}
			    name={d.name} /></span>)}</p>
		{w?.approvers && w.approvers.length > 0 && <p class="small">
			{t.askedAre}{" "}{w.approvers.map(a => <span key={a.id}>
			<Person id={a.id} kind={a.kind} />{" "}</span>)}</p>}
		<p class="dim small">{t.ends}{" "}<Ago at={w?.until} /></p>
		<p class="small row">{t.decideDigest}{" "}
			<code>{w?.digest?.slice(0, 16)}…</code>
			<Copy text={w?.digest ?? ""} label={t.copyDigest} /></p>
		<FormBox form={form}>
			<TextField form={form} name="note" label={t.why} rows={2} />
			<div class="actions">
				<Button kind="primary" icon="check" off={off}
				    perm="runbook.approve" project={project}
				    onClick={() => decide("approve")}>{t.approve}</Button>
				<Button kind="danger" icon="x" off={off}
				    perm="runbook.approve" project={project}
				    onClick={() => decide("reject")}>{t.reject}</Button>
				{off && <span class="dim small">{off}</span>}
			</div>
		</FormBox>
	</section>;
}

export function ManualCard({ r, s, project, path, onDone }: Props) {
	const w = s.waiting_for;
	const form = useForm({ note: "" }, async () => undefined);
	const end = async (failed: boolean): Promise<void> => {
		await post(path + "/complete", { step: s.id, failed,
			...(form.values.note && { note: form.values.note }) });
		toast(failed ? t.saidFailed : t.saidDone);
		onDone();
	};
	const off = w?.assignee?.kind === "user" &&
	    w.assignee.id !== me.value?.id && t.assigned;
	void r;
	return <section class="card runs-waits" aria-label={say(t.manualOf,
	    { name: s.name ?? s.id })}>
		<h2>{say(t.manualOf, { name: s.name ?? s.id })}</h2>
		<p class="runs-text"><Plain text={w?.instructions ?? ""} /></p>
		{w?.assignee && <p class="small">{t.askedAre}{" "}
			<Person id={w.assignee.id} kind={w.assignee.kind} /></p>}
		<p class="dim small">{t.ends}{" "}<Ago at={w?.until} /></p>
		<FormBox form={form}>
			<TextField form={form} name="note" label={t.how} rows={2} />
			<div class="actions">
				<Button kind="primary" icon="check" off={off}
				    perm="runbook.run" project={project}
				    onClick={() => end(false)}>{t.done}</Button>
				<Button kind="danger" icon="x" off={off}
				    perm="runbook.run" project={project}
				    onClick={() => end(true)}>{t.cannot}</Button>
				{off && <span class="dim small">{off}</span>}
			</div>
		</FormBox>
	</section>;
}
