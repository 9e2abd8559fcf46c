/*
 * crud.tsx: objects one lists, makes, changes and deletes, said as a table of
 * fields.  What administration is mostly made of; what is special goes into
 * `row` and `detail`.
 */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { delNow, get, patch, post, Problem, type Got } from "../core/api.ts";
import type { Event } from "../core/live.ts";
import { useAll } from "../core/use.ts";
import { T, say } from "../text/index.ts";
import { Empty, Load, Page } from "./bits.tsx";
import { Button } from "./button.tsx";
import { confirm } from "./confirm.tsx";
import { Dialog } from "./dialog.tsx";
import { CheckField, FormBox, ListField, SelectField, Submit, TextField,
	useForm } from "./form.tsx";
import { Merge, type Conflict } from "./merge.tsx";
import { toast, toastWrong } from "./toast.tsx";

export type Values = Record<string, string | boolean | string[]>;

export interface CrudField<O> {
	name: string; label: string; hint?: string; required?: boolean;
	kind?: "text" | "area" | "list" | "check" | "select" | "number" |
	    "time" | "password" | "email" | "mono";
	options?: readonly (readonly [string, string])[];
	/* when it can be set; both without it */
	at?: "create" | "edit";
	/* what an object has for it; the member of its name without it */
	of?: (o: O) => string | boolean | string[];
	/* what is sent for it; undefined: nothing */
	send?: (v: string | boolean | string[]) => unknown;
	/* for the fields of a new one */
	start?: string | boolean | string[];
}
export interface CrudColumn<O> { label: string;
	cell: (o: O) => ComponentChildren; wide?: boolean }

export interface CrudProps<O extends { id: string }> {
	title: string; lead?: string; path: string;
	columns: CrudColumn<O>[]; fields: CrudField<O>[];
	name: (o: O) => string;
	/* asked for creating, changing, deleting */
	perm: string; project?: string | null;
	/* prefix of the events that change the list */
	events: string;
	empty: string; emptyHint?: ComponentChildren;
	createLabel: string;
	/* shown after one was made, such as a secret that is told once */
	onMade?: (o: O) => ComponentChildren | null;
	row?: (o: O, reload: () => void) => ComponentChildren;
	/* why it cannot be changed or deleted */
	fixed?: (o: O) => string | false;
	noEdit?: boolean; noDelete?: boolean; noCreate?: boolean;
	query?: Record<string, string>; filter?: (o: O) => boolean;
	actions?: ComponentChildren; children?: ComponentChildren;
	/* the list has no pages */
	deleteText?: (o: O) => string;
}

const startOf = (f: { kind?: string; start?: Values[string] }):
    Values[string] => f.start ?? (f.kind === "check" ? false :
	f.kind === "list" ? [] : "");

function valueOf<O>(f: CrudField<O>, o: O): Values[string] {
	const v = f.of ? f.of(o) : (o as Record<string, unknown>)[f.name];
	return v === null || v === undefined ? startOf({
		...(f.kind && { kind: f.kind }) }) :
	    typeof v === "number" ? String(v) : v as Values[string];
}

/* What the API wants for what was typed. */
function sent<O>(f: CrudField<O>, v: Values[string]): unknown {
	if (f.send)
		return f.send(v);
	if (f.kind === "number")
		return v === "" ? null : Number(v);
	if (f.kind === "time")
		return v === "" ? null : new Date(String(v)).toISOString();
	return v;
}
const same = (a: unknown, b: unknown): boolean =>
	JSON.stringify(a) === JSON.stringify(b);
const shown = (v: Values[string]): string =>
	Array.isArray(v) ? v.join(", ") : String(v);

export function FieldOf({ f, form }: { f: CrudField<never>;
    form: ReturnType<typeof useForm<Values>> }) {
	const p = { form: form as never, name: f.name as never, label: f.label,
		...(f.hint && { hint: f.hint }),
		...(f.required && { required: true }) };
	switch (f.kind) {
	case "list": return <ListField {...p} />;
	case "check": return <CheckField {...p} />;
	case "select": return <SelectField {...p} options={f.options ?? []} />;
	case "area": return <TextField {...p} rows={4} />;
	case "mono": return <TextField {...p} rows={6} mono />;
	case "number": return <TextField {...p} inputmode="numeric" />;
	case "time": return <TextField {...p} type="datetime-local" />;
	case "password": return <TextField {...p} type="password"
	    autocomplete="new-password" />;
	case "email": return <TextField {...p} type="email" />;
	default: return <TextField {...p} />;
	}
}

function Create<O extends { id: string }>({ p, onClose, onMade }: {
    p: CrudProps<O>; onClose: () => void; onMade: (o: O) => void }) {
	const fields = p.fields.filter(f => f.at !== "edit");
	const form = useForm<Values>(Object.fromEntries(fields.map(f =>
	    [f.name, startOf(f as CrudField<never>)])), async v => {
		const body: Record<string, unknown> = {};
		for (const f of fields) {
			const x = sent(f, v[f.name] ?? "");
			/* what was not filled in is not sent */
			if (x !== undefined && x !== null && x !== "" &&
			    !(Array.isArray(x) && x.length === 0))
				body[f.name] = x;
		}
		onMade((await post<O>(p.path, body)).data);
	});
	return <Dialog title={p.createLabel} onClose={onClose}>
		<FormBox form={form}>
			{fields.map(f => <FieldOf key={f.name} form={form}
			    f={f as CrudField<never>} />)}
			<Submit form={form}>{T.kit.create}</Submit>
		</FormBox></Dialog>;
}

export function Edit<O extends { id: string }>({ p, got, onClose }: {
    p: Pick<CrudProps<O>, "fields" | "name" | "path">; got: Got<O>;
    onClose: () => void }) {
	const fields = p.fields.filter(f => f.at !== "create");
	const [base, rebase] = useState(got);
	const [clash, setClash] = useState<{ theirs: Got<O>;
		conflicts: Conflict[] } | null>(null);
	const url = `${p.path}/${encodeURIComponent(got.data.id)}`;

	const changes = (v: Values, from: O): Record<string, unknown> =>
		Object.fromEntries(fields.filter(f =>
		    !same(v[f.name], valueOf(f, from)))
		    .map(f => [f.name, sent(f, v[f.name] ?? "")])
		    .filter(([, x]) => x !== undefined));
	const form = useForm<Values>(Object.fromEntries(fields.map(f =>
	    [f.name, valueOf(f, got.data)])), async v => {
		try {
			await patch(url, changes(v, base.data), base.etag);
		} catch (e) {
			if (!(e instanceof Problem) || e.status !== 412)
				throw e;
			await stale(v);
			return;
		}
		onClose();
	});
	/* what both changed is asked about; what only they did stays theirs */
	const stale = async (v: Values): Promise<void> => {
		const theirs = await get<O>(url);
		const conflicts = fields.filter(f => {
			const t = valueOf(f, theirs.data);
			return !same(v[f.name], valueOf(f, base.data)) &&
			    !same(t, v[f.name]);
		}).map(f => ({ name: f.name, label: f.label,
			mine: shown(v[f.name] ?? ""),
			theirs: shown(valueOf(f, theirs.data)),
			base: shown(valueOf(f, base.data)) }));
		setClash({ theirs, conflicts });
	};
	const choose = async (mine: Set<string>): Promise<void> => {
		const theirs = clash?.theirs ?? base;
		const v: Values = Object.fromEntries(fields.map(f => [f.name,
		    same(form.values[f.name], valueOf(f, base.data)) ||
		    (!mine.has(f.name) && clash?.conflicts.some(c =>
			c.name === f.name)) ? valueOf(f, theirs.data) :
		    form.values[f.name] ?? ""]));
		rebase(theirs);
		await patch(url, changes(v, theirs.data), theirs.etag);
		onClose();
	};
	return clash ? <Merge what={p.name(got.data)} onClose={onClose}
	    conflicts={clash.conflicts} onChoose={choose} /> :
	    <Dialog title={say(T.crud.edit, { name: p.name(got.data) })}
		onClose={onClose}>
		<FormBox form={form}>
			{fields.map(f => <FieldOf key={f.name} form={form}
			    f={f as CrudField<never>} />)}
			<Submit form={form}>{T.kit.save}</Submit>
		</FormBox></Dialog>;
}

export function Crud<O extends { id: string }>(p: CrudProps<O>) {
	const list = useAll<O>(p.path, p.query, (e: Event) =>
	    e.action.startsWith(p.events));
	const [making, make] = useState(false);
	const [made, setMade] = useState<ComponentChildren | null>(null);
	const [editing, edit] = useState<Got<O> | null>(null);
	const url = (o: O): string => `${p.path}/${encodeURIComponent(o.id)}`;

	const remove = async (o: O): Promise<void> => {
		if (!await confirm({ title: say(T.crud.deleteTitle,
		    { name: p.name(o) }), text: p.deleteText?.(o) ??
		    T.crud.deleteText, go: T.kit.delete, danger: true }))
			return;
		await delNow(url(o));
		toast(say(T.crud.deleted, { name: p.name(o) }));
		list.reload();
	};
	const create = p.noCreate ? null : <Button kind="primary" icon="plus"
	    perm={p.perm} project={p.project ?? null}
	    onClick={() => make(true)}>{p.createLabel}</Button>;
	return <Page title={p.title} lead={p.lead}
	    actions={<>{p.actions}{create}</>}>
		{p.children}
		<Load of={list} empty={<Empty title={p.empty}>
			{p.emptyHint}</Empty>}>{all => <div class="scroll card flush" tabIndex={0}>
			<table class="crud"><thead><tr>
				{p.columns.map(c => <th key={c.label} scope="col"
				    class={c.wide ? "wide" : ""}>{c.label}</th>)}
				<th scope="col"><span class="sr">{T.crud.actions}</span></th>
			</tr></thead><tbody>
				{all.filter(p.filter ?? (() => true)).map(o => {
					const fixed = p.fixed?.(o) ?? false;
					return <tr key={o.id}>
						{p.columns.map(c => <td key={c.label}
						    class={c.wide ? "wide" : ""}>
							{c.cell(o)}</td>)}
						<td class="crud-actions">
							{p.row?.(o, list.reload)}
							{!p.noEdit && <Button kind="ghost" icon="edit"
							    perm={p.perm} project={p.project ?? null}
							    off={fixed} label={say(T.crud.edit,
								{ name: p.name(o) })}
							    onClick={() => get<O>(url(o))
								.then(edit, toastWrong)} />}
							{!p.noDelete && <Button kind="ghost"
							    icon="trash" perm={p.perm} off={fixed}
							    project={p.project ?? null}
							    label={say(T.crud.delete,
								{ name: p.name(o) })}
							    onClick={() => remove(o)} />}
						</td></tr>;
				})}
			</tbody></table></div>}</Load>
		{making && <Create p={p} onClose={() => make(false)} onMade={o => {
			make(false);
			list.reload();
			setMade(p.onMade?.(o) ?? null);
			toast(say(T.crud.made, { name: p.name(o) }));
		}} />}
		{editing && <Edit p={p} got={editing} onClose={() => {
			edit(null);
			list.reload();
		}} />}
		{made !== null && <Dialog title={p.createLabel}>
			{made}
			<div class="actions"><Button kind="primary"
			    onClick={() => setMade(null)}>{T.crud.kept}</Button></div>
		</Dialog>}
	</Page>;
}
