/* export.tsx: the log as a file, signed; sealed to somebody's key if wanted. */
import { call } from "../../core/api.ts";
import { Dialog } from "../../kit/dialog.tsx";
import { CheckField, FormBox, SelectField, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { toast } from "../../kit/toast.tsx";
import { T } from "../../text/index.ts";

const FORMATS = ["ndjson", "csv", "cef", "ocsf", "syslog"] as const;

export function Export({ values, onClose }: {
    values: Record<string, string>; onClose: () => void }) {
	const { from, to, days, filter, ...rest } = values;
	const form = useForm({ format: "ndjson", from: from ?? "",
		to: to ?? "", recipient: "", reason: "", witnessed: false },
	    async v => {
		const since = days && !v.from ? new Date(Date.now() -
		    Number(days) * 86400000).toISOString() : v.from;
		const r = await call<Response>("POST", "/v1/audit/export", {
		    as: "none", body: { format: v.format,
			...(since && { from: since }), ...(v.to && { to: v.to }),
			...(filter && { saved: filter }),
			...(Object.keys(rest).length > 0 && { filter: rest }),
			...(v.recipient && { recipient: v.recipient.trim() }),
			...(v.reason && { reason: v.reason }),
			...(v.witnessed && { witnessed: true }) } });
		const blob = await r.data.blob();
		const a = document.createElement("a");
		a.href = URL.createObjectURL(blob);
		a.download = `redoubt-audit.${v.recipient ? "sealed" : v.format}`;
		a.click();
		setTimeout(() => URL.revokeObjectURL(a.href), 60000);
		toast(T.audit.exported);
		onClose();
	});
	return <Dialog title={T.audit.export} onClose={onClose}>
		<p class="dim">{T.audit.exportText}</p>
		<FormBox form={form}>
			<SelectField form={form} name="format"
			    label={T.audit.format} options={FORMATS.map(f =>
				[f, T.audit.formats[f]] as const)} />
			<TextField form={form} name="reason" required
			    label={T.audit.reason} hint={T.audit.reasonHint} />
			<TextField form={form} name="recipient" mono
			    label={T.audit.recipient} hint={T.audit.recipientHint} />
			<CheckField form={form} name="witnessed"
			    label={T.audit.witnessed} />
			<Submit form={form}>{T.audit.export}</Submit>
		</FormBox></Dialog>;
}
