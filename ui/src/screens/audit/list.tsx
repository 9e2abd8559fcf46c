/* list.tsx: the log, newest first, as the filter says; it goes on for as long
 * as one scrolls. */
import { useEffect, useRef, useState } from "preact/hooks";
import { go, goQuery, here } from "../../app/router.ts";
import { at, delNow, get, post, type Page as Pages } from "../../core/api.ts";
import { useAll } from "../../core/use.ts";
import { me } from "../../core/session.ts";
import { Ago, Empty, Failed, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FilterBar, filterOf, type FilterDef } from "../../kit/filter.tsx";
import { CheckField, FormBox, Submit, TextField, useForm }
    from "../../kit/form.tsx";
import { Grid, type Column } from "../../kit/grid.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say } from "../../text/index.ts";
import { About, AuditTabs, Outcome, hasName, type Entry } from "./common.tsx";
import { Export } from "./export.tsx";

const FILTER: FilterDef[] = [
	{ name: "outcome", label: T.audit.outcome, options: ["ok", "denied",
	    "error", "intent"].map(o => [o, T.audit.outcomes[o as "ok"]]) },
	{ name: "days", label: T.audit.days, options: ["1", "7", "30", "90"]
	    .map(d => [d, say(T.audit.lastDays, { n: d })]) },
	...["principal", "action", "resource", "request", "address", "project",
	    "from", "to", "filter"].map(name => ({ name, label: name })),
];

const COLUMNS: Column<Entry>[] = [
	{ id: "seq", label: T.audit.seq, width: "5rem", wide: true,
		cell: e => e.seq },
	{ id: "time", label: T.audit.time, width: "5.5rem",
		cell: e => <Ago at={e.time} /> },
	{ id: "action", label: T.audit.action, width: "minmax(9rem,1fr)",
		cell: e => <><code>{e.action}</code>{e.count > 1 &&
		    <span class="count">×{e.count}</span>}</> },
	{ id: "outcome", label: T.audit.outcome, width: "5rem",
		cell: e => <Outcome value={e.outcome} /> },
	{ id: "who", label: T.audit.who, width: "12rem", wide: true,
		cell: e => e.principal.id ? <Person id={e.principal.id} /> :
		    e.principal.kind },
	{ id: "what", label: T.audit.resource, width: "minmax(8rem,1fr)",
		wide: true, cell: e => e.resource.map((r, i) => <>{i > 0 && ", "}
		    {hasName(r) ? <About r={r} /> : r.type}</>) },
	{ id: "address", label: T.audit.address, width: "9rem", wide: true,
		cell: e => e.address ?? "–" },
];

const PAGE = 100, EMPTY_PAGES = 50;

/* Pages may be empty and not the last (doc/audit.md): go on, some times. */
function useEntries(query: Record<string, string>) {
	const key = JSON.stringify(query);
	const [rows, put] = useState<Entry[]>([]);
	const [bad, setBad] = useState<Error | null>(null);
	const next = useRef<string | null | undefined>(undefined);
	const busy = useRef(false);
	/* a first page is of another question: answers to older ones are of no
	 * use, and are not waited for */
	const turn = useRef(0);
	const more = async (first = false): Promise<void> => {
		if (!first && (busy.current || next.current === null))
			return;
		const mine = first ? ++turn.current : turn.current;
		busy.current = true;
		try {
			for (let i = 0; i < EMPTY_PAGES; i++) {
				const p: Pages<Entry> = (await get<Pages<Entry>>(
				    "/v1/audit", { order: "desc", limit: PAGE,
				    ...query, cursor: first && i === 0 ? null :
				    next.current ?? null })).data;
				if (mine !== turn.current)
					return;
				next.current = p.next;
				if (first && i === 0)
					put(p.items);
				else
					put(old => [...old, ...p.items]);
				if (p.items.length > 0 || p.next === null)
					break;
			}
			setBad(null);
		} catch (e) {
			if (mine === turn.current)
				setBad(e as Error);
		} finally {
			if (mine === turn.current)
				busy.current = false;
		}
	};
	useEffect(() => {
		next.current = undefined;
		put([]);
		void more(true);
	}, [key]);
	return { rows, bad, more: () => void more(), again: () =>
	    void more(true), done: next.current === null };
}

interface Saved { id: string; name: string; shared: boolean; owner: string;
	filter: Record<string, string> }

function SaveFilter({ values, onClose }: { values: Record<string, string>;
    onClose: () => void }) {
	const form = useForm({ name: "", shared: false }, async v => {
		const { days, filter: _, ...rest } = values;
		await post("/v1/audit/filters", { name: v.name,
			shared: v.shared, filter: { ...rest,
			    ...(days && { days: Number(days) }) } });
		onClose();
	});
	return <Dialog title={T.audit.save} onClose={onClose}>
		<FormBox form={form}>
			<TextField form={form} name="name" label={T.audit.name}
			    required />
			<CheckField form={form} name="shared"
			    label={T.audit.shared} />
			<Submit form={form}>{T.kit.save}</Submit>
		</FormBox></Dialog>;
}

function SavedFilters({ onSave }: { onSave: (reload: () => void) => void }) {
	const list = useAll<Saved>("/v1/audit/filters");
	const used = here.value.query.get("filter");
	const drop = async (f: Saved): Promise<void> => {
		await delNow(at`/v1/audit/filters/${f.id}`);
		list.reload();
	};
	return <div class="row audit-saved">
		{(list.data ?? []).map(f => <span key={f.id} class="row">
			<Button pressed={used === f.name} onClick={() =>
			    goQuery({ filter: used === f.name ? null : f.name })}>
				<Plain text={f.name} /></Button>
			{f.owner === me.value?.id && <Button kind="ghost" icon="x"
			    label={say(T.crud.delete, { name: f.name })}
			    onClick={() => drop(f)} />}</span>)}
		<Button kind="ghost" icon="plus" onClick={() =>
		    onSave(list.reload)}>{T.audit.save}</Button></div>;
}

export default function AuditList() {
	const values = filterOf(FILTER);
	const { q: _, ...query } = values;
	const { rows, bad, more, again } = useEntries(query);
	const [open, show] = useState<"export" | "save" | null>(null);
	const reload = useRef<() => void>(() => undefined);
	const path = (e: Entry): string => at`/audit/${e.seq}`;
	return <Page title={T.audit.title} lead={T.audit.lead} actions={<>
		<Button icon="refresh" onClick={again}>{T.audit.newer}</Button>
		<Button icon="download" perm="audit.export"
		    onClick={() => show("export")}>{T.audit.export}</Button></>}>
		<AuditTabs at="/audit" />
		<FilterBar defs={FILTER} noText placeholder={T.audit.filter} />
		<SavedFilters onSave={r => {
			reload.current = r;
			show("save");
		}} />
		{bad && <Failed error={bad} again={again} />}
		{!bad && <Grid label={T.audit.title} rows={rows}
		    columns={COLUMNS} keyOf={e => String(e.seq)} href={path}
		    onOpen={e => go(path(e))} more={more} empty={<Empty
			title={T.audit.none}>{T.audit.noneHint}</Empty>} />}
		{open === "export" && <Export values={query}
		    onClose={() => show(null)} />}
		{open === "save" && <SaveFilter values={query} onClose={() => {
			show(null);
			reload.current();
		}} />}
	</Page>;
}
