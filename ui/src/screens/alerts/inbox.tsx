/* inbox.tsx: what fires: filter, list, preview; all of it by the keyboard. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { at } from "../../core/api.ts";
import { go, goQuery, here } from "../../app/router.ts";
import type { ViewProps } from "../../app/screen.ts";
import { when } from "../../core/time.ts";
import { Ago, Empty, Failed, Page, Severity, Status } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { FilterBar, filterOf } from "../../kit/filter.tsx";
import { Grid, narrow, type Column } from "../../kit/grid.tsx";
import { Icon } from "../../kit/icon.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast, wrong } from "../../kit/toast.tsx";
import { T, say, word } from "../../text/index.ts";
import { act, allowed, own, progress, type Verb } from "./actions.ts";
import { Attach } from "./attach.tsx";
import { Bells } from "./bells.tsx";
import { Facets } from "./facets.tsx";
import { IncidentLink } from "./incident.tsx";
import { FILTER, facetOf, rank, toggled, type Alert, type Facet }
    from "./model.ts";
import { AlertView, Verbs } from "./preview.tsx";
import { shownLast, storeOf, type Store } from "./store.ts";
import { FIRING, Views } from "./views.tsx";

/* Is there room for a preview beside the list? */
const wide = matchMedia("(min-width: 1180px)");
const PANE = "alerts.pane";

/* The status where there is no room for its word. */
const Mark = ({ a }: { a: Alert }) => a.status === "triggered" ?
	<span class="sr">{T.status.triggered}</span> :
	<span title={word(T.status, a.status)}><span class="sr">
		{word(T.status, a.status)}</span><Icon name={
		    a.status === "acknowledged" ? "check" : "posture"} /></span>;

/* Where there is room for one column, what the others say goes below. */
const Lines = ({ a }: { a: Alert }) => <span class="alerts-lines">
	<Plain text={a.title} /><br />
	<span class="dim small"><Mark a={a} /> {a.service &&
	    <><Plain text={a.service} /> · </>}<Ago at={a.last_seen} /></span>
</span>;

const columns = (project: string, pane: boolean): Column<Alert>[] => {
	const some = <V,>(v: V): V[] => pane ? [] : [v];
	return [
		{ id: "severity", label: T.alerts.severity,
			width: narrow.value ? "5rem" : "6rem",
			cell: a => <Severity value={a.severity} />, by: rank,
			value: a => a.severity },
		{ id: "title", label: T.alerts.name, link: true,
			width: "minmax(8rem,1fr)", by: a => a.title,
			cell: a => narrow.value ? <Lines a={a} /> :
			    <Plain text={a.title} /> },
		{ id: "status", label: T.alerts.status, width: "7.6rem",
			cell: a => <Status value={a.status} />, wide: true,
			by: a => a.status, value: a => a.status },
		{ id: "service", label: T.alerts.service, width: "9rem",
			cell: a => <Plain text={a.service ?? "–"} />, wide: true,
			by: a => a.service ?? "", value: a => facetOf(a, "service") },
		...some<Column<Alert>>({ id: "environment", width: "7rem",
			label: T.alerts.environment, wide: true,
			cell: a => <Plain text={a.environment ?? "–"} />,
			by: a => a.environment ?? "",
			value: a => facetOf(a, "environment") }),
		...some<Column<Alert>>({ id: "count", label: T.alerts.count,
			width: "4.5rem", wide: true, cell: a => a.count,
			by: a => a.count }),
		...some<Column<Alert>>({ id: "incident", width: "6rem",
			label: T.alerts.incident, wide: true,
			by: a => a.incident ?? "",
			value: a => facetOf(a, "incident"),
			cell: a => a.incident ? <IncidentLink id={a.incident}
			    project={project} /> : <span class="dim">–</span> }),
		{ id: "last", label: T.alerts.last, width: "6.4rem", wide: true,
			cell: a => <Ago at={a.last_seen} />, by: a => a.last_seen },
	];
};

function useStore(project: string): Store {
	const s = storeOf(project);
	useEffect(() => s.use(), [s]);
	return s;
}

/* Nothing fires: say so, and since when. */
function Quiet({ s, query }: { s: Store; query: string }) {
	if (query !== FIRING)
		return <Empty title={T.alerts.none} icon="filter">
			{T.alerts.noneHint}</Empty>;
	let last = 0;
	for (const a of s.rows.values())
		last = Math.max(last, Date.parse(a.resolved_at ?? a.last_seen));
	return <Empty icon="check" title={last ? say(T.alerts.quietSince,
	    { t: when(last) }) : T.alerts.quiet}>
		{say(T.alerts.asOf, { t: when(s.at.value || Date.now(), false) })}
	</Empty>;
}

function State({ s, n }: { s: Store; n: number }) {
	return <p class="dim small alerts-state">
		{say(T.alerts.shown, { n })}
		{s.loading.value && ` · ${say(T.alerts.loading,
		    { n: s.rows.size })}`}
		{s.capped.value && !s.loading.value &&
		    ` · ${say(T.alerts.capped, { n: s.rows.size })}`}
		{s.error.value && s.rows.size > 0 && <span class="wrong">
			{" · " + say(T.kit.stale, { why: wrong(s.error.value) })}
			<Button kind="ghost" icon="refresh" label={T.kit.again}
			    onClick={() => s.again()} /></span>}
	</p>;
}

function Bulk({ s, alerts, onAttach, onClear }: { s: Store;
    alerts: Alert[]; onAttach: () => void; onClear: () => void }) {
	const p = progress.value;
	return <div class="alerts-bulk" role="toolbar"
	    aria-label={T.alerts.bulk}>
		<strong>{say(T.alerts.selected, { n: alerts.length })}</strong>
		<Verbs s={s} alerts={alerts} onAttach={onAttach} />
		{p && <span role="status">{say(T.alerts.progress,
		    { done: p.done, of: p.of })}</span>}
		<Button kind="ghost" icon="x" label={T.alerts.unselect}
		    onClick={onClear} />
	</div>;
}

/* The address without a filter is the view of what fires; "?all=1" is all. */
function useDefault(): void {
	const empty = here.value.query.size === 0;
	const [first, set] = useState(true);
	useEffect(() => {
		if (empty)
			goQuery(first ? { status: "triggered,acknowledged" } :
			    { all: "1" });
		set(false);
	}, [empty]);
}

export default function Inbox({ params }: ViewProps) {
	const p = params["project"] ?? "", s = useStore(p);
	useDefault();
	const values = filterOf(FILTER), query = JSON.stringify(values);
	const version = s.version.value;
	const shown = useMemo(() => s.select(values), [version, query, s]);
	const [selected, select] = useState<Set<string>>(new Set());
	const [at_, focus] = useState<string | null>(null);
	const [pane, setPane] = useState(localStorage.getItem(PANE) !== "off");
	const [attaching, attach] = useState<Alert[] | null>(null);
	const inPane = pane && wide.matches && !narrow.value;

	useEffect(() => s.want(values), [query, s]);
	/* what the filter hides by now is not acted on */
	const chosen = shown.rows.filter(r => selected.has(r.id));
	const current = at_ === null ? undefined : s.rows.get(at_);
	const targets = (a: Alert): Alert[] =>
		chosen.length > 0 ? chosen : [s.rows.get(a.id) ?? a];
	const verb = (v: Verb) => (a: Alert): void => {
		void act(s, targets(a), v, () => select(new Set()));
	};
	const path = (a: Alert): string => at`/p/${p}/alerts/${a.id}`;
	const open = (a: Alert): void => {
		Object.assign(shownLast, { project: p, query: location.search,
			at: a.id, ids: shown.rows.map(r => r.id) });
		go(path(a));
	};
	const preview = (a: Alert): void => {
		if (!wide.matches)
			open(a);
		focus(a.id);
	};
	const startAttach = (alerts: Alert[]): void => {
		if (!alerts.some(a => a.incident === null))
			toast(T.alerts.attachedAll);
		else if (allowed(s))
			attach(alerts);
	};
	const filtered = location.search.replace("?", "")
	    .replaceAll("%2C", ",");

	return <Page title={T.alerts.title} actions={<Bells />}>
		<Views project={p} query={new URLSearchParams(
		    Object.entries(values)).toString()} />
		<FilterBar defs={FILTER} placeholder={T.alerts.filter} />
		<Facets counts={shown.counts} values={values} />
		{chosen.length > 0 && <Bulk s={s} alerts={chosen}
		    onAttach={() => startAttach(chosen)}
		    onClear={() => select(new Set())} />}
		{s.error.value && s.rows.size === 0 ?
		    <Failed error={s.error.value} again={() => s.again()} /> :
		    s.rows.size === 0 && (s.loading.value || version === 0) ?
		    <p class="loading" aria-busy="true">{T.kit.loading}</p> :
		    <div class={inPane ? "fill alerts-list alerts-split" :
			"fill alerts-list"}>
			<div><Grid label={T.alerts.title} rows={shown.rows}
			    columns={columns(p, inPane)} keyOf={a => a.id}
			    href={path} onOpen={open} onPreview={preview} onToggle={() => {
				localStorage.setItem(PANE, pane ? "off" : "on");
				setPane(!pane);
			    }} selected={selected} onSelect={select}
			    initial={shownLast.project === p ? shownLast.at : null}
			    onFocus={a => focus(a?.id ?? null)}
			    rowClass={a => `alerts-${a.severity}`}
			    live={{ find: k => s.rows.get(k), own: own.value,
				epoch: query }}
			    onValue={(c, v, without) => goQuery({
				[without ? "-" + c : c]: without ?
				    toggled(values["-" + c as Facet], v) : v,
				[without ? c : "-" + c]: null })}
			    keys={[{ key: "a", label: T.alerts.acknowledge,
				run: verb("acknowledge") },
				{ key: "e", label: T.alerts.resolve,
				run: verb("resolve") },
				{ key: "m", label: T.alerts.attach,
				run: a => startAttach(targets(a)) }]}
			    empty={<Quiet s={s} query={filtered} />} />
			<State s={s} n={shown.rows.length} /></div>
			{inPane && <aside class="alerts-pane"
			    aria-label={T.alerts.preview} tabIndex={0}>
				{current ? <AlertView key={current.id} a={current} s={s}
				    onAttach={() => startAttach([current])} /> :
				    <p class="dim">{T.alerts.previewHint}</p>}
			</aside>}
		    </div>}
		{attaching && <Attach s={s} alerts={attaching}
		    onClose={() => { attach(null); select(new Set()); }} />}
	</Page>;
}
