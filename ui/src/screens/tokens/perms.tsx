/* perms.tsx: choosing permissions: what one looks for, in groups. */
import { useState } from "preact/hooks";
import { Field, type Form } from "../../kit/form.tsx";
import { T, say } from "../../text/index.ts";

type Lists<V> = { [K in keyof V]: V[K] extends string[] ? K : never }[
    keyof V] & string;

export function Perms<V>({ form, name, label, offered }: { form: Form<V>;
    name: Lists<V>; label: string; offered: readonly string[] }) {
	const [find, put] = useState("");
	const chosen = new Set(form.values[name] as string[]);
	const groups = new Map<string, string[]>();
	for (const p of offered.filter(x => x.includes(find.trim()))) {
		const g = p.split(".")[0] ?? p;
		groups.set(g, [...groups.get(g) ?? [], p]);
	}
	const toggle = (ps: string[], on: boolean): void => {
		const s = new Set(chosen);
		for (const p of ps) {
			if (on)
				s.add(p);
			else
				s.delete(p);
		}
		form.set(name, offered.filter(p => s.has(p)) as never);
	};
	return <Field form={form} name={name} label={label} required
	    hint={say(T.tokens.chosen, { n: chosen.size })}>{i => <>
		<input id={i.id} value={find} placeholder={T.tokens.findPerm}
		    aria-invalid={i.bad} aria-describedby={i.hint}
		    onInput={e => put(e.currentTarget.value)} />
		<div class="perms">{[...groups].map(([g, ps]) =>
			<fieldset key={g}><legend><label><input type="checkbox"
			    checked={ps.every(p => chosen.has(p))}
			    onChange={e => toggle(ps, e.currentTarget.checked)} />
				{" " + g}</label></legend>
				{ps.map(p => <label key={p}><input type="checkbox"
				    checked={chosen.has(p)} onChange={e =>
					toggle([p], e.currentTarget.checked)} /> {p}
				</label>)}</fieldset>)}</div></>}
	</Field>;
}
