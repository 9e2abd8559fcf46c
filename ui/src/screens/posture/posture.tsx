/* posture.tsx: the best practices, each with what was found and what to do. */
import { useGet } from "../../core/use.ts";
import { Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Plain } from "../../kit/plain.tsx";
import { inProject, navAll } from "../../app/nav.ts";
import { T, say, word } from "../../text/index.ts";

interface Check { check: string; ok: boolean; detail: string; fix: string }

/* Where what is to do is done; what is missing is done at the host. */
const P = "/p/:project/";
const PAGES: Record<string, string[]> = {
	rbac: ["/admin/bindings"],
	tokens_least_privilege: ["/admin/tokens"],
	tokens_used: ["/admin/access", "/admin/tokens"],
	tokens_unexpired: ["/admin/tokens"], bootstrap_token: ["/admin/tokens"],
	webhooks_authenticated: [P + "integrations"],
	webhooks_signed: [P + "integrations"],
	sso: ["/admin/idps", "/admin/policy"],
	break_glass_users: ["/admin/users"],
	break_glass_reviewed: ["/admin/glass"],
	automation_goes_on: ["/admin/freeze"], audit_reviewed: ["/audit"],
	second_factors: ["/admin/users"], session_limits: ["/admin/policy"],
	token_life: ["/admin/policy"], connectors_usable: [P + "connectors"],
	messaging_off: ["/admin/policy"], secrets_kept: [P + "secrets"],
	audit_witnessed: ["/audit"], keys_replaced: ["/keys"],
	retention_set: ["/retention"], delegates_sandboxed: [P + "delegates"],
};

const Row = ({ c }: { c: Check }) => <li class={`card posture-${c.ok ?
    "ok" : "bad"}`}>
	<h2><span aria-hidden="true">{c.ok ? "✓" : "!"}</span>
		<span class="sr">{c.ok ? T.posture.good : T.posture.bad}</span>
		{" " + word(T.posture.checks, c.check)}</h2>
	<p><Plain text={c.detail} /></p>
	{!c.ok && c.fix && <p class="dim">{T.posture.fix}{" "}
		<Plain text={c.fix} />{navAll().filter(n =>
		    PAGES[c.check]?.includes(n.path)).map(n => <>{" · "}
			<a href={inProject(n.path)}>{n.label}</a></>)}</p>}
</li>;

export default function PosturePage() {
	const p = useGet<{ items: Check[] }>("/v1/posture");
	return <Page title={T.posture.title} lead={T.posture.lead} actions={
	    <Button icon="refresh" onClick={p.reload}>{T.posture.again}</Button>}>
		<Load of={p}>{({ items }) => {
			const bad = items.filter(c => !c.ok);
			return <>
				<p class={bad.length ? "bad" : "good"}><strong>
					{bad.length ? say(T.posture.badN, { n: bad.length,
					    all: items.length }) : say(T.posture.allGood,
					    { n: items.length })}</strong></p>
				<ul class="posture">{[...bad, ...items.filter(c => c.ok)]
				    .map(c => <Row key={c.check} c={c} />)}</ul></>;
		}}</Load></Page>;
}
