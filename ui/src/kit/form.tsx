/*
 * form.tsx: a form is its values, what is wrong with them, and how they are
 * sent.  What the server says in errors[] is shown at the field its pointer
 * names; what belongs to no field, above the button.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Problem } from "../core/api.ts";
import { T, plain, say } from "../text/index.ts";
import { wrong } from "./toast.tsx";

export interface Form<V> {
	values: V; errors: Record<string, string>; wrong: string;
	busy: boolean; dirty: boolean;
	set: <K extends keyof V & string>(k: K, v: V[K]) => void;
	reset: (values: V) => void;
	submit: (e?: Event) => Promise<boolean>;
}

/* "/auth/kind" is the field "auth.kind". */
const named = (pointer: string): string => pointer.replace(/^\//, "")
    .replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");

export function useForm<V extends object>(initial: V, send: (v: V) =>
    Promise<unknown>): Form<V> {
	const [values, setValues] = useState(initial);
	const [errors, setErrors] = useState<Record<string, string>>({});
	const [bad, setBad] = useState("");
	const [busy, setBusy] = useState(false), [dirty, touch] = useState(false);
	const latest = useRef(values);
	/* two of Enter come before anything is drawn again */
	const sending = useRef(false);
	latest.current = values;

	return { values, errors, wrong: bad, busy, dirty,
		set: (k, v) => {
			setValues(o => ({ ...o, [k]: v }));
			touch(true);
			setErrors(o => {
				const { [k]: _, ...rest } = o;
				return rest;
			});
		},
		reset: v => { setValues(v); setErrors({}); setBad(""); touch(false); },
		submit: async e => {
			e?.preventDefault();
			if (sending.current)
				return false;
			sending.current = true;
			setBusy(true);
			setBad("");
			setErrors({});
			try {
				await send(latest.current);
				touch(false);
				return true;
			} catch (x) {
				const es = x instanceof Problem ? x.errors : [];
				setErrors(Object.fromEntries([...es].reverse()
				    .map(i => [named(i.pointer), i.detail])));
				setBad(wrong(x));
				return false;
			} finally {
				sending.current = false;
				setBusy(false);
			}
		} };
}

export function FormBox<V>({ form, children, label }: { form: Form<V>;
    children: ComponentChildren; label?: string }) {
	const ref = useRef<HTMLFormElement>(null);
	const first = Object.keys(form.errors)[0];
	/* what is wrong gets the focus */
	useEffect(() => {
		if (form.wrong)
			ref.current?.querySelector<HTMLElement>(
			    "[aria-invalid=true]")?.focus();
	}, [form.wrong, first]);
	return <form ref={ref} class="form" aria-label={label} noValidate
	    onSubmit={e => void form.submit(e)}>
		{children}
		{form.wrong && <p class="wrong" role="alert">{form.wrong}</p>}
	</form>;
}

interface FieldProps<V> {
	form: Form<V>; name: keyof V & string; label: string; hint?: string;
	required?: boolean;
}
type InputType = "text" | "password" | "email" | "number" | "url" |
    "datetime-local" | "date" | "search";
interface Ids { id: string; hint: string | undefined; bad: boolean }

export function Field<V>({ form, name, label, hint, required, children }:
    FieldProps<V> & { children: (i: Ids) => ComponentChildren }) {
	const id = useId();
	/* an error within the field's value counts, too */
	const own = Object.entries(form.errors).find(([k]) => k === name ||
	    k.startsWith(name + "."));
	const bad = own?.[1];
	return <div class={bad ? "field bad" : "field"}>
		<label for={id}>{label}
			{required && <span class="req" aria-hidden="true"> *</span>}
		</label>
		{children({ id, bad: bad !== undefined,
			hint: bad || hint ? id + "h" : undefined })}
		{(bad || hint) && <p id={id + "h"} class={bad ? "wrong" : "hint"}>
			{bad ?? hint}</p>}
	</div>;
}

type KeysOf<V, X> = {
	[K in keyof V]: V[K] extends X ? K : never;
}[keyof V] & string;
type StringKeys<V> = KeysOf<V, string>;
type BoolKeys<V> = KeysOf<V, boolean>;
type ListKeys<V> = KeysOf<V, string[]>;

export function TextField<V>(p: Omit<FieldProps<V>, "name"> & {
    name: StringKeys<V>; type?: InputType; rows?: number; autofocus?: boolean;
    placeholder?: string; autocomplete?: string; list?: string;
    mono?: boolean; inputmode?: "numeric" | "text" }) {
	return <Field {...p}>{i => {
		const common = { id: i.id, name: p.name,
			value: p.form.values[p.name] as string,
			"aria-invalid": i.bad, "aria-describedby": i.hint,
			"aria-required": p.required, autofocus: p.autofocus,
			placeholder: p.placeholder, class: p.mono ? "mono" : "",
			onInput: (e: { currentTarget: { value: string } }) =>
			    p.form.set(p.name, e.currentTarget.value as never) };
		return p.rows ? <textarea {...common} rows={p.rows} /> :
		    /* the types of JSX know one element for each type */
		    <input {...common} {...{ type: p.type ?? "text",
			list: p.list } as object} inputMode={p.inputmode}
		    autocomplete={p.autocomplete ?? "off"} />;
	}}</Field>;
}

export function SelectField<V>(p: Omit<FieldProps<V>, "name"> & {
    name: StringKeys<V>; options: readonly (readonly [string, string])[] }) {
	return <Field {...p}>{i => <select id={i.id} name={p.name}
	    aria-invalid={i.bad} aria-describedby={i.hint}
	    value={p.form.values[p.name] as string}
	    onChange={e => p.form.set(p.name, e.currentTarget.value as never)}>
		{p.options.map(([v, l]) => <option key={v} value={v}>
			{plain(l)}</option>)}
	</select>}</Field>;
}

export function CheckField<V>(p: Omit<FieldProps<V>, "name"> & {
    name: BoolKeys<V> }) {
	const id = useId();
	const bad = p.form.errors[p.name];
	return <div class="field check">
		<label><input type="checkbox" name={p.name}
		    checked={p.form.values[p.name] as boolean}
		    aria-describedby={bad || p.hint ? id : undefined}
		    onChange={e => p.form.set(p.name,
			e.currentTarget.checked as never)} /> {p.label}</label>
		{(bad || p.hint) && <p id={id} class={bad ? "wrong" : "hint"}>
			{bad ?? p.hint}</p>}
	</div>;
}

/* Words, separated by commas. */
export function ListField<V>(p: Omit<FieldProps<V>, "name"> & {
    name: ListKeys<V>; placeholder?: string }) {
	const [text, put] = useState(() =>
	    (p.form.values[p.name] as string[]).join(", "));
	return <Field {...p} hint={p.hint ?? T.kit.commas}>{i =>
		<input id={i.id} name={p.name} value={text} aria-invalid={i.bad}
		    aria-describedby={i.hint} placeholder={p.placeholder}
		    autocomplete="off" onInput={e => {
			put(e.currentTarget.value);
			p.form.set(p.name, e.currentTarget.value.split(",")
			    .map(s => s.trim()).filter(s => s !== "") as never);
		    }} />}</Field>;
}

export const Submit = ({ form, children, danger, second }: {
    form: { busy: boolean }; children: ComponentChildren; danger?: boolean;
    second?: boolean }) =>
	<button type="submit" class={danger ? "danger" : second ? "" : "primary"}
	    aria-busy={form.busy || undefined}>{children}</button>;

export const needs = (label: string): string => say(T.kit.needs, { label });
