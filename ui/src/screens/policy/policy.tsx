/* policy.tsx: what holds for everybody here. */
import { useState } from "preact/hooks";
import { put } from "../../core/api.ts";
import { may } from "../../core/session.ts";
import { useGet } from "../../core/use.ts";
import { Ago, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { CheckField, FormBox, ListField, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { toast } from "../../kit/toast.tsx";
import { T } from "../../text/index.ts";

const NUMBERS = ["session_idle_minutes", "session_absolute_hours",
    "step_up_minutes", "token_max_days", "review_days", "audit_review_days",
    "key_days", "key_seals", "witness_quorum", "witness_minutes"] as const;
const SWITCHES = ["sso_only", "local_login", "messaging"] as const;
type Policy = Record<(typeof NUMBERS)[number], number> &
    Record<(typeof SWITCHES)[number], boolean> &
    { ip_allow: string[] | null; updated_at: string | null };
type Values = Record<(typeof NUMBERS)[number], string> &
    Record<(typeof SWITCHES)[number], boolean> & { ip_allow: string[] };

function Form({ p, etag, reload }: { p: Policy; etag: string | null;
    reload: () => void }) {
	const start = { ip_allow: p.ip_allow ?? [],
		...Object.fromEntries(NUMBERS.map(n => [n, String(p[n])])),
		...Object.fromEntries(SWITCHES.map(s => [s, p[s]])) } as Values;
	const form = useForm<Values>(start, async v => {
		/* what was changed, and nothing else */
		const body: Record<string, unknown> = {};
		for (const n of NUMBERS) {
			if (v[n] !== start[n])
				body[n] = Number(v[n]);
		}
		for (const s of SWITCHES) {
			if (v[s] !== start[s])
				body[s] = v[s];
		}
		if (v.ip_allow.join() !== start.ip_allow.join())
			body["ip_allow"] = v.ip_allow.length > 0 ? v.ip_allow : null;
		await put("/v1/policy", body, etag);
		toast(T.policy.saved);
		reload();
	});
	const text = T.policy.fields, hint = T.policy.hints;
	return <FormBox form={form}><div class="policy-cards">
		<section class="card form"><h2>{T.policy.logins}</h2>
			{SWITCHES.slice(0, 2).map(s => <CheckField key={s} form={form}
			    name={s} label={text[s]} hint={hint[s]} />)}
			{NUMBERS.slice(0, 3).map(n => <TextField key={n} form={form}
			    name={n} label={text[n]} inputmode="numeric"
			    hint={hint[n]} />)}
			<ListField form={form} name="ip_allow"
			    label={text.ip_allow} hint={hint.ip_allow} /></section>
		<section class="card form"><h2>{T.policy.reviews}</h2>
			{NUMBERS.slice(3, 6).map(n => <TextField key={n} form={form}
			    name={n} label={text[n]} inputmode="numeric"
			    hint={hint[n]} />)}</section>
		<section class="card form"><h2>{T.policy.keys}</h2>
			{NUMBERS.slice(6, 8).map(n => <TextField key={n} form={form}
			    name={n} label={text[n]} inputmode="numeric"
			    hint={hint[n]} />)}</section>
		<section class="card form"><h2>{T.policy.log}</h2>
			{NUMBERS.slice(8).map(n => <TextField key={n} form={form}
			    name={n} label={text[n]} inputmode="numeric"
			    hint={hint[n]} />)}
			<CheckField form={form} name="messaging"
			    label={text.messaging} hint={hint.messaging} /></section>
	</div><div class="actions">{may("policy.edit") ?
		<Submit form={form}>{T.kit.save}</Submit> :
		<Button perm="policy.edit">{T.kit.save}</Button>}
		<span class="dim">{p.updated_at ? <>{T.policy.changed}{" "}
			<Ago at={p.updated_at} /></> : T.policy.never}</span></div>
	</FormBox>;
}

/* What one types stays when somebody else changes the policy; sending it is
 * refused then (412), and says so. */
function Kept(now: { p: Policy; etag: string | null; reload: () => void }) {
	const [held, hold] = useState<typeof now | null>(null);
	const from = held ?? now;
	return <div onInput={() => { if (!held) hold(now); }}>
		<Form key={from.etag ?? ""} p={from.p} etag={from.etag}
		    reload={() => { hold(null); now.reload(); }} />
		{held && held.etag !== now.etag && <p class="wrong" role="alert">
			{T.policy.stale}{" "}<Button onClick={() => hold(null)}>
				{T.policy.discard}</Button></p>}
	</div>;
}

export default function PolicyPage() {
	const p = useGet<Policy>("/v1/policy", {},
	    e => e.action.startsWith("policy."));
	return <Page title={T.policy.title} lead={T.policy.lead}>
		<Load of={p}>{v => <Kept p={v} etag={p.etag}
		    reload={p.reload} />}</Load>
		<p class="dim">{T.policy.retention} <a href="/retention">
			{T.policy.retentionLink}</a></p></Page>;
}
