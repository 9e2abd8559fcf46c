/* now.tsx: what is going on, at a glance, without a click. */
import { useEffect, useState } from "preact/hooks";
import { at } from "../../core/api.ts";
import { goQuery, here } from "../../app/router.ts";
import { whenever } from "../../core/live.ts";
import { may, mayAnywhere, projects } from "../../core/session.ts";
import { lasting, now, when } from "../../core/time.ts";
import { Ago, Empty, Page, Severity, Status } from "../../kit/bits.tsx";
import { Icon } from "../../kit/icon.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { wrong } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";
import { boardOf, glass, stale, type Board, type Incident, type Waiting }
    from "./board.ts";
import { Matrix } from "./matrix.tsx";

const EVERY_MS = 2000, AGAIN_MS = 60000, STRIP = 12;

interface State { boards: Board[]; glass: Waiting[]; at: number }

/* All boards, again when something happens, and each minute anyway. */
function useBoards(ps: string[]): State | null {
	const [s, set] = useState<State | null>(null);
	const key = ps.join(",");
	useEffect(() => {
		/* of these projects: others do not wait for it */
		let on = true, again = false, busy = false;
		const load = async (): Promise<void> => {
			if (busy) {
				again = true;
				return;
			}
			busy = true;
			const began = Date.now();
			const [boards, g] = await Promise.all([
			    Promise.all(ps.map(boardOf)), glass().catch(() => [])]);
			busy = false;
			if (on)
				set({ boards, glass: g, at: began });
			if (on && again) {
				again = false;
				setTimeout(() => void load(), EVERY_MS);
			}
		};
		void load();
		const off = whenever(e => /^(alert|ingest|incident|run|delegate|connector|break_glass)\./
		    .test(e.action), () => void load(), EVERY_MS);
		const timer = setInterval(() => void load(), AGAIN_MS);
		return () => { on = false; off(); clearInterval(timer); };
	}, [key]);
	return s;
}

function Quiet({ boards, as }: { boards: Board[]; as: number }) {
	const last = boards.map(b => b.quiet).filter(q => q !== null).sort()
	    .at(-1);
	return <p class="now-quiet" role="status"><Icon name="check" size={22} />
		<span><strong>{last ? say(T.now.quietSince,
		    { t: when(Date.parse(last)) }) : T.now.quiet}</strong>{" "}
			<span>{say(T.now.asOf, { t: when(as, false) })}</span></span>
	</p>;
}

function Card({ i, p, many }: { i: Incident; p: string; many: boolean }) {
	return <li><a class={`card now-incident now-${i.severity}`}
	    href={at`/p/${p}/i/${i.number}`}>
		<span class="row"><Severity value={i.severity} />
			<span class="mono">INC-{i.number}</span>
			<Status value={i.status} />
			<span class="now-clock mono" title={T.now.running}>
				{lasting(now.value - Date.parse(i.created_at))}</span></span>
		<strong class="now-name"><Plain text={i.title} /></strong>
		<span class="dim">{many && <>{p} · </>}{i.commander ?
		    <Person id={i.commander} /> : T.now.noCommander}
		{i.services.length > 0 && <> · <Plain
		    text={i.services.join(", ")} /></>}</span>
	</a></li>;
}

function Incidents({ boards, many }: { boards: Board[]; many: boolean }) {
	const all = boards.flatMap(b => (b.incidents ?? [])
	    .map(i => ({ i, p: b.project })))
	    .sort((a, b) => a.i.severity < b.i.severity ? -1 :
		a.i.severity > b.i.severity ? 1 :
		a.i.created_at < b.i.created_at ? -1 : 1);
	if (boards.every(b => b.incidents === null))
		return null;
	return <section><h2>{T.now.incidents}<span class="count">
		{all.length}</span></h2>
		{all.length === 0 ? <p class="dim">{T.now.noIncidents}</p> :
		    <ul class="now-strip">{all.slice(0, STRIP).map(({ i, p }) =>
			<Card key={i.id} i={i} p={p} many={many} />)}</ul>}
		{all.length > STRIP && <p>{[...new Set(all.slice(STRIP)
		    .map(x => x.p))].map(p => <a key={p} class="button"
			href={at`/p/${p}/incidents`}>{say(T.now.moreIncidents,
			{ n: all.length - STRIP, project: p })}</a>)}</p>}
	</section>;
}

const ICON: Record<Waiting["kind"], string> = { approval: "check",
	manual: "user", glass: "alert", connector: "plug", delegate: "cpu" };

function Mine({ items }: { items: Waiting[] }) {
	return <section class="card"><h2>{T.now.waiting}
		<span class="count">{items.length}</span></h2>
		{items.length === 0 ? <p class="dim">{T.now.nothingWaits}</p> :
		    <ul class="now-list">{items.map((w, n) =>
			<li key={w.path + n}><a href={w.path}>
				<Icon name={ICON[w.kind]} />
				<span><span class="dim">{T.now.kinds[w.kind]}</span>{" "}
					<Plain text={w.label} /></span></a>
				<span class="dim small">{w.until ? <>{T.now.until}{" "}
					<Ago at={w.until} /></> : w.since &&
				    <Ago at={w.since} />}</span></li>)}</ul>}
	</section>;
}

function Delegates({ boards, many }: { boards: Board[]; many: boolean }) {
	const all = boards.flatMap(b => (b.delegates ?? [])
	    .filter(d => d.state !== "revoked")
	    .map(d => ({ d, p: b.project })));
	const bad = (d: (typeof all)[number]["d"]): boolean =>
		d.state === "approved" && stale(d, now.value);
	if (boards.every(b => b.delegates === null))
		return null;
	return <section class="card"><h2>{T.now.delegates}
		<span class="count">{all.length}</span></h2>
		{all.length === 0 ? <p class="dim">{T.now.noDelegates}{" "}
			{mayAnywhere("delegate.edit") && boards[0] && <a href={
			    at`/p/${boards[0].project}/delegates`}>
				{T.now.addDelegate}</a>}</p> :
		    <ul class="now-list">{all.sort((a, b) =>
			Number(bad(b.d)) - Number(bad(a.d))).map(({ d, p }) =>
			<li key={d.id}><a href={at`/p/${p}/delegates`}>
				<Icon name={bad(d) ? "alert" : "cpu"} />
				<span>{many && <span class="dim">{p} · </span>}
					<Plain text={d.name} /></span></a>
				<span class={bad(d) ? "pill st-failed" : d.state ===
				    "approved" ? "pill st-ok" : "pill st-pending"}>
					{bad(d) ? T.now.stale : d.state === "approved" ?
					    T.now.ok : T.now.notApproved}</span>
				<span class="dim small"><Ago at={d.last_seen_at} /></span>
			</li>)}</ul>}
	</section>;
}

function Picker({ all, chosen }: { all: string[]; chosen: string[] }) {
	return all.length < 2 ? null : <div class="row" role="group"
	    aria-label={T.now.projects}>
		<button type="button" class="now-chip" aria-pressed={
		    chosen.length === all.length} onClick={() =>
			goQuery({ in: null })}>{T.now.all}</button>
		{all.map(p => <button key={p} type="button" class="now-chip"
		    aria-pressed={chosen.length < all.length &&
			chosen.includes(p)} onClick={() => {
			const set = new Set(chosen.length === all.length ? [] :
			    chosen);
			if (!set.delete(p))
				set.add(p);
			goQuery({ in: [...set].join(",") });
		    }}>{p}</button>)}
	</div>;
}

export default function Now() {
	const all = projects.value.filter(p => may("project.view", p) ||
	    may("alert.view", p) || may("incident.view", p));
	const named = (here.value.query.get("in") ?? "").split(",")
	    .filter(p => all.includes(p));
	const chosen = named.length > 0 ? named : all;
	const s = useBoards(chosen), many = all.length > 1;

	if (all.length === 0)
		return <Page title={T.now.title}><Empty icon="lock"
		    title={T.now.noProject}>{T.now.noProjectHint}</Empty></Page>;
	const failed = s?.boards.find(b => b.failed)?.failed;
	const sees = s?.boards.filter(b => b.firing !== null) ?? [];
	const firing = sees.reduce((n, b) => n + b.total, 0);
	return <Page title={T.now.title} lead={s ? say(T.now.asOf,
	    { t: when(s.at, false) }) : T.kit.loading}
	    actions={<Picker all={all} chosen={chosen} />}>
		{!s ? <p class="loading" aria-busy="true">{T.kit.loading}</p> : <>
			{failed && <p class="wrong" role="alert">
				{say(T.kit.stale, { why: wrong(failed) })}</p>}
			{sees.length > 0 && firing === 0 && !failed &&
			    <Quiet boards={sees} as={s.at} />}
			<div class="now-board">
				<div class="stack">{sees.map(b => b.total > 0 &&
				    <Matrix key={b.project} b={b} many={many} />)}
					<Mine items={[...s.boards.flatMap(b => b.waiting),
					    ...s.glass]} /></div>
				<div class="stack">
					<Incidents boards={s.boards} many={many} />
					<Delegates boards={s.boards} many={many} /></div>
			</div></>}
	</Page>;
}
