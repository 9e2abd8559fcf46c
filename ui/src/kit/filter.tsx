/*
 * filter.tsx: one filter, three ways to see it: the text one types, the
 * facets one clicks, the address one sends.  "status:open sev:sev1 words":
 * the words go to the API's q, the rest to parameters of their names.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { useKeys } from "../app/keys.ts";
import { goQuery, here } from "../app/router.ts";
import { T, say } from "../text/index.ts";
import { Icon } from "./icon.tsx";

export interface FilterDef { name: string; label: string;
	options?: readonly (readonly [string, string])[] }
export type Values = Record<string, string>;

/* What the address says of the filter. */
export function filterOf(defs: FilterDef[]): Values {
	const out: Values = {};
	for (const n of ["q", ...defs.map(d => d.name)]) {
		const v = here.value.query.get(n);
		if (v)
			out[n] = v;
	}
	return out;
}

const quoted = (v: string): string => /\s|"/.test(v) ?
    JSON.stringify(v) : v;

export function toText(defs: FilterDef[], v: Values): string {
	return [...defs.filter(d => v[d.name])
	    .map(d => `${d.name}:${quoted(v[d.name] ?? "")}`),
	    ...(v["q"] ? [v["q"]] : [])].join(" ");
}

export function fromText(defs: FilterDef[], text: string): Values {
	const out: Values = {}, words: string[] = [];
	const re = /(?:([\w-]+):)?("(?:[^"\\]|\\.)*"|\S+)/g;
	for (const m of text.matchAll(re)) {
		const [whole, k, raw] = [m[0], m[1], m[2] ?? ""];
		if (k && defs.some(d => d.name === k)) {
			try {
				out[k] = raw.startsWith('"') ?
				    String(JSON.parse(raw)) : raw;
			} catch {
				out[k] = raw;
			}
		} else {
			words.push(whole);
		}
	}
	if (words.length > 0)
		out["q"] = words.join(" ");
	return out;
}

export function FilterBar({ defs, placeholder, noText }: {
    defs: FilterDef[]; placeholder: string; noText?: boolean }) {
	const v = filterOf(defs);
	const input = useRef<HTMLInputElement>(null);
	const [text, put] = useState(toText(defs, v));
	const [bad, setBad] = useState("");
	const shown = toText(defs, v);

	useEffect(() => put(shown), [shown]);
	useKeys([{ key: "/", label: T.keys.filter,
		run: () => input.current?.focus() }]);
	const apply = (s: string): void => {
		const n = fromText(defs, s);
		if (noText && n["q"]) {
			setBad(say(T.kit.noText, { names:
			    defs.map(d => d.name + ":").join(" ") }));
			return;
		}
		setBad("");
		goQuery({ q: n["q"], ...Object.fromEntries(defs.map(d =>
		    [d.name, n[d.name]])) });
	};
	return <div class="filterbar">
		<form role="search" onSubmit={e => {
			e.preventDefault();
			apply(text);
		}}>
			<Icon name="search" />
			<input ref={input} value={text} placeholder={placeholder}
			    aria-label={placeholder} autocomplete="off"
			    spellcheck={false} aria-invalid={bad !== ""}
			    onInput={e => put(e.currentTarget.value)}
			    onBlur={() => text !== shown && apply(text)}
			    onKeyDown={e => {
				if (e.key === "Escape") {
					put(shown);
					e.currentTarget.blur();
				}
			    }} />
			{shown && <button type="button" class="ghost icon-only"
			    aria-label={T.kit.clear} onClick={() => apply("")}>
				<Icon name="x" /></button>}
		</form>
		{bad && <p class="wrong" role="alert">{bad}</p>}
		<div class="facets">{defs.filter(d => d.options).map(d =>
			<label key={d.name} class="facet">{d.label}
				<select value={v[d.name] ?? ""} onChange={e =>
				    goQuery({ [d.name]: e.currentTarget.value })}>
					<option value="">{T.kit.any}</option>
					{d.options?.map(([o, l]) =>
					    <option key={o} value={o}>{l}</option>)}
				</select></label>)}</div>
	</div>;
}
