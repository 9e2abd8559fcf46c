/* preview.tsx: one alert, all of it: beside the list, and on its own page. */
import { at, type Json } from "../../core/api.ts";
import { ago, lasting } from "../../core/time.ts";
import { Ago, Copy, Facts, Severity, Status, When } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Icon } from "../../kit/icon.tsx";
import { JsonTree } from "../../kit/json.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say, word } from "../../text/index.ts";
import { act, fits } from "./actions.ts";
import { IncidentLink } from "./incident.tsx";
import type { Alert } from "./model.ts";
import { integrationName } from "./sources.ts";
import type { Store } from "./store.ts";

/* Only addresses a person may follow from here. */
function href(s: string): string | null {
	try {
		return ["https:", "http:"].includes(new URL(s).protocol) ? s : null;
	} catch {
		return null;
	}
}

export function Verbs({ s, alerts, onAttach }: { s: Store; alerts: Alert[];
    onAttach: () => void }) {
	const common = { perm: "alert.act", project: s.project };
	return <div class="actions">
		<Button {...common} icon="check" label={T.alerts.acknowledge}
		    shortcut="a" off={!alerts.some(a => fits("acknowledge", a)) &&
			T.alerts.nothing.acknowledge}
		    onClick={() => act(s, alerts, "acknowledge")}>
			{T.alerts.acknowledge}</Button>
		<Button {...common} icon="posture" label={T.alerts.resolve}
		    shortcut="e" off={!alerts.some(a => fits("resolve", a)) &&
			T.alerts.nothing.resolve}
		    onClick={() => act(s, alerts, "resolve")}>
			{T.alerts.resolve}</Button>
		<Button {...common} icon="flame" label={T.alerts.attach}
		    shortcut="m" off={!alerts.some(a => a.incident === null) &&
			T.alerts.attachedAll} onClick={onAttach}>
			{T.alerts.attach}</Button>
	</div>;
}

/* Why it is what it is: what the rules were asked, and what they did. */
function Explain({ a }: { a: Alert }) {
	const { rules = [], ...rest } = a.explain ?? {};
	return <section class="card"><h2>{T.alerts.why}</h2>
		<ol class="alerts-rules">{rules.map((r, i) => <li key={i}>
			<p><strong><Plain text={r.rule} /></strong>{" "}
				<span class={r.matched ? "pill st-ok" : "pill"}>
					{r.matched ? T.alerts.matched :
					    T.alerts.notMatched}</span></p>
			{r.condition && <p class="dim">
				<Plain text={say(T.alerts.condition,
				    { text: r.condition })} /></p>}
			<p>{T.alerts.didWhat}: <Plain text={
			    word(T.alerts.ruleDid, r.did)} /></p>
		</li>)}</ol>
		{rules.length === 0 && <p class="dim">{T.alerts.noRules}</p>}
		{a.severity_unmapped && <p class="wrong">{T.alerts.unmapped}</p>}
		{Object.keys(rest).length > 0 && <JsonTree label={T.alerts.why}
		    value={rest as Record<string, Json>} />}
	</section>;
}

/* How often the same came in, under which key. */
function History({ a }: { a: Alert }) {
	const from = Date.parse(a.first_seen), to = Date.parse(a.last_seen);
	return <section class="card"><h2>{T.alerts.history}</h2>
		<p>{a.count < 2 ? T.alerts.once : say(T.alerts.often, { n: a.count,
		    t: lasting(to - from),
		    each: lasting((to - from) / (a.count - 1)) })}</p>
		<Facts rows={[
			[T.alerts.first, <When at={a.first_seen} />],
			[T.alerts.last, <When at={a.last_seen} />],
			a.resolved_at !== null && [T.alerts.resolvedAt,
			    <When at={a.resolved_at} />],
			[T.alerts.key, <code><Plain text={a.dedup_key} /></code>],
			a.group !== null && [T.alerts.group,
			    <code><Plain text={a.group} /></code>],
			a.expires_at ? [T.alerts.expires,
			    <When at={a.expires_at} />] : null,
		]} />
	</section>;
}

function Source({ a, s }: { a: Alert; s: Store }) {
	const from = a.source?.principal;
	const name = integrationName(s.project, from);
	return <>{word(T.alerts.kinds, a.source?.kind ?? "")}{" "}
		{name !== null ? <a href={
		    at`/p/${s.project}/integrations/${from ?? ""}`}>
			<Plain text={name} /></a> :
		    a.source?.kind !== "webhook" && from ? <Person id={from} /> :
		    <code>{from?.slice(-12)}</code>}
		{a.source?.address && <span class="dim"> {a.source.address}</span>}
	</>;
}

export function AlertView({ a, s, onAttach, page }: { a: Alert; s: Store;
    onAttach: () => void; page?: boolean }) {
	const url = a.link === null ? null : href(a.link);
	const here = at`/p/${s.project}/alerts/${a.id}`;
	return <div class="stack alerts-view">
		<header class="stack">
			{!page && <h2 class="alerts-title"><a href={here}>
				<Plain text={a.title} /></a></h2>}
			<p class="row"><Severity value={a.severity} />
				<Status value={a.status} />
				<span class="dim">{say(T.alerts.since,
				    { t: ago(Date.parse(a.first_seen)) })}</span></p>
			<Verbs s={s} alerts={[a]} onAttach={onAttach} />
		</header>
		<Facts rows={[
			[T.alerts.incident, a.incident ?
			    <IncidentLink id={a.incident} project={s.project} title /> :
			    <span class="dim">{T.alerts.noIncident}</span>],
			[T.alerts.service, <Plain text={a.service ?? "–"} />],
			[T.alerts.environment, <Plain text={a.environment ?? "–"} />],
			[T.alerts.count, a.count],
			[T.alerts.last, <Ago at={a.last_seen} />],
			[T.alerts.source, <Source a={a} s={s} />],
			a.link !== null && [T.alerts.link, url ? <a href={url}
			    target="_blank" rel="noreferrer noopener">
				<Icon name="link" /> <Plain text={url} /></a> :
			    <Plain text={a.link} />],
		]} />
		{a.message && <section class="card"><h2>{T.alerts.message}</h2>
			<p class="alerts-message" dir="auto">
				<Plain text={a.message} /></p></section>}
		<Explain a={a} />
		<section class="card"><h2>{T.alerts.labels}</h2>
			{Object.keys(a.labels).length === 0 ?
			    <p class="dim">{T.kit.none}</p> :
			    <JsonTree label={T.alerts.labels} value={a.labels} />}
		</section>
		<History a={a} />
		<details class="card"><summary>{T.alerts.raw}</summary>
			<div class="row"><Copy text={JSON.stringify(a, null, 2)}
			    label={T.kit.copy} /></div>
			<JsonTree label={T.alerts.raw}
			    value={a as unknown as Record<string, Json>} />
		</details>
	</div>;
}
