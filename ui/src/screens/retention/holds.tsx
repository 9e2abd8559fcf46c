/* holds.tsx: what must not be destroyed, and why. */
import { useState } from "preact/hooks";
import { at, del } from "../../core/api.ts";
import { projects } from "../../core/session.ts";
import { Ago } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Crud } from "../../kit/crud.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";

interface Hold { id: string; name: string; reason: string | null;
	project: string | null; incident: string | null; until: string | null;
	live: boolean; released_at: string | null;
	release_reason: string | null; created_at: string }

function Release({ h, onClose }: { h: Hold; onClose: () => void }) {
	const form = useForm({ reason: "" }, async v => {
		await del(at`/v1/holds/${h.id}`, null, v);
		toast(say(T.retention.released, { name: h.name }));
		onClose();
	});
	return <Dialog title={say(T.retention.releaseTitle, { name: h.name })}
	    onClose={onClose}>
		<p>{T.retention.releaseText}</p>
		<FormBox form={form}>
			<TextField form={form} name="reason" rows={3} required
			    label={T.retention.reason} />
			<Submit form={form} danger>{T.retention.release}</Submit>
		</FormBox></Dialog>;
}

export default function Holds() {
	const [open, show] = useState<{ h: Hold; reload: () => void } | null>(
	    null);
	return <><Crud<Hold> title={T.retention.holds}
	    lead={T.retention.holdsLead} path="/v1/holds" perm="hold.edit"
	    project="anywhere" events="hold." name={h => h.name}
	    empty={T.retention.noHolds} createLabel={T.retention.addHold} noEdit
	    noDelete columns={[
		{ label: T.retention.name, cell: h => <Plain text={h.name} /> },
		{ label: T.retention.covers, cell: h => h.incident ? <Plain
		    text={`${h.project ?? ""} ${h.incident}`} /> : h.project ??
		    T.retention.organization },
		{ label: T.retention.reason, wide: true,
			cell: h => <Plain text={h.reason ?? ""} /> },
		{ label: T.retention.state, cell: h => h.live ?
		    <span class="pill st-pending">{T.retention.live}</span> :
		    <span class="pill">{T.retention.over}</span> },
		{ label: T.retention.until, wide: true, cell: h => h.until ?
		    <Ago at={h.until} /> : T.retention.released0 }]}
	    fields={[
		{ name: "name", label: T.retention.name, required: true },
		{ name: "reason", label: T.retention.reason, required: true,
			kind: "area" },
		{ name: "project", label: T.retention.project, kind: "select",
			options: [["", T.retention.organization],
			    ...projects.value.map(p => [p, p] as const)] },
		{ name: "incident", label: T.retention.incident,
			hint: T.retention.incidentHint },
		{ name: "until", label: T.retention.until, kind: "time" }]}
	    row={(h, reload) => h.live ? <Button perm="hold.edit"
		project={h.project} onClick={() => show({ h, reload })}>
		{T.retention.release}</Button> : null} />
		{open && <Release h={open.h} onClose={() => {
			show(null);
			open.reload();
		}} />}
	</>;
}
