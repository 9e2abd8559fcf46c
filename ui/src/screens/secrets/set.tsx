/* set.tsx: setting a value: for whom, whether they are who they were, and
 * only then what. */
import { useEffect, useState } from "preact/hooks";
import { at, get, post, Problem, type Page as Pages } from "../../core/api.ts";
import { labelsOf, pairsOf } from "../../core/labels.ts";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, ListField, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";
import { check, keep, sealFor, type Checked, type Recipient } from "./seal.ts";
import type { Secret } from "./secrets.tsx";

const refuse = (name: string, detail: string): Problem => new Problem(400,
    "invalid", detail, "", "", 0, [{ pointer: "/" + name, code: "invalid",
	detail }]);

export function SetSecret({ project, old, onClose }: { project: string;
    old: Secret | null; onClose: () => void }) {
	const base = at`/v1/projects/${project}`;
	const [to, setTo] = useState<Checked[] | null>(null);
	const [compared, compare] = useState(false);
	const form = useForm({ name: old?.name ?? "", value: "",
		labels: pairsOf(old?.delegates?.labels),
		description: "", overlap_s: "3600" }, async v => {
		if (!to || to.length === 0)
			throw refuse("labels", T.secrets.noOne);
		if (to.some(r => r.state === "false"))
			throw refuse("labels", T.secrets.isFalse);
		if (to.some(r => r.state !== "known") && !compared)
			throw refuse("labels", T.secrets.compareFirst);
		const sealed = await sealFor(project, v.name, v.value, to)
		    .catch((e: unknown) => {
			throw e instanceof RangeError ? refuse("value",
			    say(T.secrets.size, { size: e.message })) : e;
		});
		const delegates = { labels: labelsOf(v.labels) };
		if (old)
			await post(base + at`/secrets/${old.name}/versions`, {
				...sealed, overlap_s: Number(v.overlap_s) });
		else
			await post(base + "/secrets", { name: v.name, delegates,
				...(v.description && { description: v.description }),
				...sealed });
		keep(to);
		toast(T.secrets.set);
		onClose();
	});
	const key = form.values.labels.join(",");
	/* who would get it, asked when the labels are as they are for a while */
	useEffect(() => {
		setTo(null);
		compare(false);
		if (key === "")
			return undefined;
		/* an answer about other labels comes too late: what was compared
		 * is what is sealed to */
		let on = true;
		const tell = (rs: Checked[]): void => {
			if (on)
				setTo(rs);
		};
		const timer = setTimeout(() => {
			get<Pages<Recipient>>(base + "/secret-recipients",
			    { labels: key }).then(async g =>
				tell(await check(g.data.items)),
			    () => tell([]));
		}, 250);
		return () => {
			on = false;
			clearTimeout(timer);
		};
	}, [key]);
	return <Dialog wide onClose={onClose} title={old ? say(
	    T.secrets.rotateTitle, { name: old.name }) : T.secrets.create}>
		<p class="dim">{T.secrets.text}</p>
		<FormBox form={form}>
			{!old && <TextField form={form} name="name" required mono
			    label={T.secrets.name} hint={T.secrets.nameHint} />}
			{!old && <TextField form={form} name="description"
			    label={T.secrets.description} />}
			{!old && <ListField form={form} name="labels"
			    label={T.secrets.labels} hint={T.delegates.labelsHint} />}
			<div aria-live="polite">{to && <ul class="plain stack">
				{to.map(r => <li key={r.delegate} class="card">
					<strong><Plain text={r.name} /></strong>{" "}
					<span class={`pill ${r.state === "known" ? "st-ok" :
					    r.state === "new" ? "st-pending" :
					    "st-denied"}`}>{T.secrets.states[r.state]}</span>
					<br /><code>{r.fingerprint}</code></li>)}</ul>}
				{to?.length === 0 && <p class="wrong">{T.secrets.noOne}
				</p>}</div>
			{form.errors["labels"] && old && <p class="wrong">
				{form.errors["labels"]}</p>}
			{to?.some(r => r.state !== "known") && <label class="check">
				<input type="checkbox" checked={compared} onChange={e =>
				    compare(e.currentTarget.checked)} />
				{" " + T.secrets.compared}</label>}
			<TextField form={form} name="value" type="password" required
			    label={T.secrets.value} hint={T.secrets.valueHint}
			    autocomplete="off" />
			{old && <TextField form={form} name="overlap_s"
			    inputmode="numeric" label={T.secrets.overlap} />}
			<Submit form={form}>{T.secrets.setIt}</Submit>
		</FormBox></Dialog>;
}
