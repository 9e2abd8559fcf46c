/* edit.tsx: changing what the incident says, all at once. */
import { useState } from "preact/hooks";
import { Problem } from "../../core/api.ts";
import { may } from "../../core/session.ts";
import { Button } from "../../kit/button.tsx";
import { Actions, Dialog } from "../../kit/dialog.tsx";
import { FormBox, ListField, SelectField, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { T, say } from "../../text/index.ts";
import { fieldLines, fieldsOf, severityOptions, type Incident }
    from "../incidents/model.ts";
import type { Base, Change, Room } from "./incident.ts";

interface Values { title: string; summary: string; severity: string;
	type: string; services: string[]; environments: string[];
	fields: string; security_details: string }

const valuesOf = (i: Incident): Values => ({ title: i.title,
	summary: i.summary ?? "", severity: i.severity, type: i.type ?? "",
	services: i.services, environments: i.environments,
	fields: fieldLines(i.fields),
	security_details: i.security_details ?? "" });

/* What was changed, as the API wants it. */
function changeOf(v: Values, from: Values): Change {
	const out: Record<string, unknown> = {};
	for (const k of Object.keys(v) as (keyof Values)[]) {
		if (JSON.stringify(v[k]) === JSON.stringify(from[k]))
			continue;
		const empty = v[k] === "" && ["summary", "type",
		    "security_details"].includes(k);
		out[k] = empty ? null : k === "fields" ? fieldsOf(v.fields) : v[k];
	}
	const line = out["fields"];
	if (typeof line === "string")
		throw new Problem(400, "invalid", T.room.badLine, "", "", 0, [{
			pointer: "/fields", code: "invalid",
			detail: say(T.room.badLineIs, { line }) }]);
	return out as Change;
}

export function Edit({ room, i, onClose }: { room: Room; i: Incident;
    onClose: () => void }) {
	const [base] = useState<Base>({ data: i, etag: room.etag });
	const start = valuesOf(base.data), t = T.incidents.fields;
	const guarded = i.redacted?.includes("security_details") ||
	    !may("incident.sensitive", room.project);
	const form = useForm<Values>(start, async v => {
		const change = changeOf(v, start);
		if (Object.keys(change).length > 0)
			await room.edit(change, base);
		onClose();
	});
	return <Dialog title={say(T.room.editTitleOf, { n: i.number })}
	    onClose={onClose} wide>
		<FormBox form={form}>
			<TextField form={form} name="title" label={t.title} required />
			<TextField form={form} name="summary" label={t.summary}
			    rows={4} hint={T.room.markdown} />
			<SelectField form={form} name="severity" label={t.severity}
			    options={severityOptions} />
			<ListField form={form} name="services" label={t.services} />
			<ListField form={form} name="environments"
			    label={t.environments} />
			<TextField form={form} name="type" label={t.type} />
			<TextField form={form} name="fields" label={t.fields} rows={3}
			    mono hint={T.room.fieldsHint} />
			{!guarded && <TextField form={form} name="security_details"
			    label={t.security_details} rows={3}
			    hint={T.room.securityHint} />}
			<Actions><Button onClick={onClose}>{T.kit.cancel}</Button>
				<Submit form={form}>{T.kit.save}</Submit></Actions>
		</FormBox></Dialog>;
}
