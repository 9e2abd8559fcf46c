/* reviews.tsx: somebody has looked through the log, up to here. */
import { useState } from "preact/hooks";
import { get, post, type Page as Pages } from "../../core/api.ts";
import { useLoaded } from "../../core/use.ts";
import { Ago, Empty, Facts, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say } from "../../text/index.ts";
import { AuditTabs } from "./common.tsx";

interface Review { id: string; from: number; through: number; note: string;
	findings: number; reviewer: string; created_at: string }
interface Reviews extends Pages<Review> { unreviewed: { first: number;
	entries: number; since: string | null; reviewed_at: string | null;
	due_at: string | null; overdue: boolean } }

function Add({ onClose }: { onClose: () => void }) {
	const form = useForm({ note: "", findings: "0", through: "" },
	    async v => {
		await post("/v1/audit/reviews", { note: v.note,
			findings: Number(v.findings),
			...(v.through && { through: Number(v.through) }) });
		onClose();
	});
	return <Dialog title={T.audit.addReview} onClose={onClose}>
		<FormBox form={form}>
			<TextField form={form} name="note" rows={5} required
			    label={T.audit.note} hint={T.audit.noteHint} />
			<TextField form={form} name="findings" inputmode="numeric"
			    label={T.audit.findings} />
			<TextField form={form} name="through" inputmode="numeric"
			    label={T.audit.through} hint={T.audit.throughHint} />
			<Submit form={form}>{T.audit.addReview}</Submit>
		</FormBox></Dialog>;
}

export default function ReviewsPage() {
	const list = useLoaded<Reviews>(signal => get<Reviews>(
	    "/v1/audit/reviews", { limit: 100 }, signal), [],
	    e => e.action === "audit.review");
	const [adding, add] = useState(false);
	return <Page title={T.audit.reviews} lead={T.audit.reviewsLead}
	    actions={<Button kind="primary" icon="plus" perm="audit.review"
		onClick={() => add(true)}>{T.audit.addReview}</Button>}>
		<AuditTabs at="/audit/reviews" />
		<Load of={list}>{v => <>
			<section class="card"><Facts rows={[
				[T.audit.unreviewed, v.unreviewed.entries],
				[T.audit.since, <Ago at={v.unreviewed.since} />],
				[T.audit.due, <>
				    <Ago at={v.unreviewed.due_at} />{" "}
				    {v.unreviewed.overdue && <span
					class="pill st-new">{T.audit.overdue}</span>}</>],
			]} /></section>
			{v.items.length === 0 ? <Empty title={T.audit.noReviews} /> :
			    v.items.map(r => <section class="card stack" key={r.id}>
				<div class="row"><Person id={r.reviewer} />
				<Ago at={r.created_at} />
				<span class="dim">{say(T.audit.rangeOf,
				    { from: r.from, to: r.through })}</span>
				{r.findings > 0 && <span class="pill st-pending">{say(
				    T.audit.findingsN, { n: r.findings })}</span>}</div>
				<p><Plain text={r.note} /></p></section>)}
		</>}</Load>
		{adding && <Add onClose={() => { add(false); list.reload(); }} />}
	</Page>;
}
