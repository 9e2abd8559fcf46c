/* edit.tsx: a trigger as a form: when, what, and how often at most. */
import { useState } from "preact/hooks";
import { all, at, get, patch, post, Problem, type Got } from
    "../../core/api.ts";
import { mayAnywhere } from "../../core/session.ts";
import { useLoaded } from "../../core/use.ts";
import { Load, When } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { toast, wrong } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";
import { errorsOf, type Ed } from "../runbooks/ed.ts";
import { Fields, type Spec } from "../runbooks/fields.tsx";
import type { Runbook } from "../runbooks/model.ts";
import { objOf, setAt, textOf, type Json, type Obj, same } from
    "../runbooks/tree.ts";
import { HAPPENINGS, MEMBERS, type Trigger } from "./model.ts";

const t = T.triggers;
const ZONES = Intl.supportedValuesOf?.("timeZone") ?? [];

function specs(doc: Obj, books: Runbook[], accounts: [string, string][],
    made: boolean): Spec[] {
	const on = textOf(doc["on"]), sched = on === "schedule";
	const what = on.startsWith("alert") ? "alert" : "incident";
	const sources = [what, ...on === "incident_updated" ? ["old", "changed"] :
	    [], ...on === "key_event" ? ["entry"] : []];
	return [
		{ name: "name", label: t.name, shape: "line", must: true },
		...made ? [] : [{ name: "runbook", label: t.runbook, must: true,
			shape: "select", options: ["", ...books.map(b => b.slug)],
			words: Object.fromEntries(books.map(b => [b.slug, b.name])) },
		] as Spec[],
		accounts.length > 0 ? { name: "service_account", label: t.account,
			shape: "select", must: true, hint: t.accountHint,
			options: ["", ...accounts.map(a => a[0])],
			words: Object.fromEntries(accounts) } :
		    { name: "service_account", label: t.accountId, shape: "line",
			must: true, hint: t.accountHint },
		{ name: "on", label: t.on, shape: "select", options: HAPPENINGS,
			words: t.happenings, must: true },
		...sched ? [
			{ name: "cron", label: t.cron, shape: "line", must: true,
				hint: t.cronHint },
			{ name: "time_zone", label: t.zone, shape: "select",
				options: ["UTC", ...ZONES.filter(z => z !== "UTC")] },
		] as Spec[] : [
			{ name: "when", label: t.when, shape: "cond", sources },
			{ name: "delay_s", label: t.delay, shape: "int" },
			{ name: "recheck", label: t.recheck, shape: "cond",
				sources: [what] },
		] as Spec[],
		{ name: "inputs", label: t.inputs, shape: "map",
			sources: sched ? [] : [what] },
		{ name: "guard", label: t.guard, shape: "group",
			blank: { per_hour: 60 }, of: [
			{ name: "per_hour", label: t.perHour, shape: "int" },
			{ name: "depth", label: t.depth, shape: "int" },
			{ name: "once", label: t.once, shape: "bool" }] },
	];
}

/* When it is due, as the server has it. */
export function Next({ path }: { path: string }) {
	const next = useLoaded(async signal => get<{ items: { at: string }[] }>(
	    path + "/next", { limit: 5 }, signal), [path]);
	return <Load of={next}>{n => n.items.length === 0 ?
		<p class="dim">{t.never}</p> : <ol class="triggers-next">
		{n.items.map(x => <li key={x.at}><When at={x.at} /></li>)}</ol>}
	</Load>;
}

function Form({ path, got, books, accounts, onClose, onDone }: {
    path: string; got: Got<Trigger> | null; books: Runbook[];
    accounts: [string, string][]; onClose: () => void; onDone: () => void }) {
	const start: Obj = got ? Object.fromEntries(Object.entries(got.data)
	    .filter(([k, v]) => MEMBERS.includes(k) && v !== null)) as Obj :
	    { name: "", runbook: "", service_account: "", on: "alert_opened" };
	const [doc, setDoc] = useState<Json>(start);
	const [errors, setErrors] = useState(new Map<string, string>());
	const [said, say1] = useState("");
	const [base, rebase] = useState(got);
	const put = (d: Json): void => { setDoc(d); setErrors(new Map()); };
	const ed: Ed = { doc, errors, put, set: (p, v) =>
	    setDoc(d => { setErrors(new Map()); return setAt(d, p, v); }) };
	const o = objOf(doc);

	const save = async (): Promise<void> => {
		const sched = o["on"] === "schedule";
		const drop = sched ? ["when", "delay_s", "recheck"] :
		    ["cron", "time_zone"];
		const body: Obj = Object.fromEntries(Object.entries(o).filter(
		    ([k]) => !drop.includes(k)));
		say1("");
		try {
			if (!base) {
				await post(path, body);
				toast(t.made);
			} else {
				/* what is gone is null; what is the same is not sent */
				const now = base.data as unknown as Obj;
				const change = Object.fromEntries(MEMBERS.filter(k =>
				    k !== "runbook").map(k => [k, body[k] ?? null] as const)
				    .filter(([k, v]) => !same(v, now[k] ?? null)));
				await patch(`${path}/` +
				    base.data.id, change, base.etag);
				toast(t.changed);
			}
			onDone();
		} catch (e) {
			if (e instanceof Problem && e.status === 412 && base) {
				rebase(await get<Trigger>(`${path}/${base.data.id}`));
				say1(t.stale);
				return;
			}
			if (e instanceof Problem)
				setErrors(errorsOf(e.errors, ""));
			say1(wrong(e));
		}
	};
	return <form class="form runbooks-edit" noValidate onSubmit={e => {
		e.preventDefault();
		void save();
	}}>
		<Fields ed={ed} at={[]} specs={specs(o, books, accounts,
		    got !== null)} />
		{got && got.data.on === "schedule" && <fieldset>
			<legend>{t.nextSaved}</legend>
			<Next path={`${path}/${got.data.id}`} /></fieldset>}
		{said && <p class="wrong" role="alert">{said}</p>}
		<div class="actions"><Button onClick={onClose}>{T.kit.cancel}
			</Button><Button kind="primary" onClick={save}>{got ?
			T.kit.save : T.kit.create}</Button></div>
	</form>;
}

export function EditTrigger({ project, got, onClose, onDone }: {
    project: string; got: Got<Trigger> | null; onClose: () => void;
    onDone: () => void }) {
	const lists = useLoaded(async () => {
		const [books, accounts] = await Promise.all([
		    all<Runbook>(at`/v1/projects/${project}/runbooks`),
		    mayAnywhere("user.view") ? all<{ id: string; name: string }>(
			"/v1/service-accounts").catch(() => []) : []]);
		return { data: { books: books.filter(b => !b.archived), accounts:
		    accounts.map(a => [a.id, a.name] as [string, string]) },
		    etag: null, status: 200 };
	}, [project]);
	return <Dialog wide title={got ? say(t.editOf, { name: got.data.name }) :
	    t.create} onClose={onClose}>
		<Load of={lists}>{l => <Form path={at`/v1/projects/${project
		    }/triggers`} got={got} books={l.books} accounts={l.accounts}
		    onClose={onClose} onDone={onDone} />}</Load></Dialog>;
}
