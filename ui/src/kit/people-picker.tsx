/*
 * people-picker.tsx: choosing somebody by name.  Whom one may choose from is
 * what the server tells (core/people), and whom this page knows anyway.
 */
import { useEffect, useId, useState } from "preact/hooks";
import { choices, type Who } from "../core/people.ts";
import { may, project } from "../core/session.ts";
import { T, say, word } from "../text/index.ts";
import { Person } from "./person.tsx";

/* Who fits what is typed; `known` come first. */
export function usePeople(typed: string, known: Who[] = [],
    kinds: string[] = ["user"]): Who[] {
	const [all, set] = useState<Who[]>([]);
	const k = kinds.join();
	useEffect(() => {
		let on = true;
		const timer = setTimeout(() => {
			void choices(typed, k.split(",")).then(w => {
				if (on)
					set(w);
			}, () => undefined);
		}, typed === "" ? 0 : 120);
		return () => { on = false; clearTimeout(timer); };
	}, [typed, k]);
	/* what was found last is of what was typed then */
	const t = typed.trim().toLowerCase();
	const seen = new Set<string>();
	return [...known, ...all].filter(w => kinds.includes(w.kind) &&
	    (w.name.toLowerCase().includes(t) || w.id === t) &&
	    !seen.has(w.id) && seen.add(w.id)).slice(0, 50);
}

export function PeoplePicker({ label, known, kinds, but, onPick, autofocus }: {
    label: string; known?: Who[];
    kinds?: string[];
    /* ids that are chosen already */
    but?: string[]; onPick: (w: Who) => void; autofocus?: boolean }) {
	const [typed, put] = useState(""), [at, setAt] = useState(0);
	const [open, show] = useState(false);
	const id = useId();
	const items = usePeople(typed, known, kinds)
	    .filter(w => !but?.includes(w.id));
	const on = Math.min(at, items.length - 1);

	const pick = (w: Who | undefined): void => {
		if (!w)
			return;
		put("");
		show(false);
		onPick(w);
	};
	const key = (e: KeyboardEvent): void => {
		const n = e.key === "ArrowDown" ? 1 : e.key === "ArrowUp" ? -1 : 0;
		if (n !== 0 && items.length > 0) {
			e.preventDefault();
			show(true);
			setAt((on + n + items.length) % items.length);
		} else if (e.key === "Enter") {
			e.preventDefault();
			pick(items[on]);
		} else if (e.key === "Escape" && open) {
			e.preventDefault();
			e.stopPropagation();
			show(false);
		}
	};
	return <div class="field picker">
		<label for={id}>{label}</label>
		<input id={id} role="combobox" aria-expanded={open}
		    aria-controls={id + "l"} aria-autocomplete="list"
		    aria-activedescendant={open && items[on] ?
			`${id}-${on}` : undefined} autocomplete="off"
		    autofocus={autofocus} value={typed} onKeyDown={key}
		    placeholder={T.people.hint} onFocus={() => show(true)}
		    onBlur={() => show(false)} onInput={e => {
			put(e.currentTarget.value);
			setAt(0);
			show(true);
		    }} />
		<ul role="listbox" id={id + "l"} class="picker-list"
		    aria-label={label} hidden={!open}>
			{items.map((w, i) => <li key={w.id} id={`${id}-${i}`}
			    role="option" aria-selected={i === on}
			    onMouseDown={e => { e.preventDefault(); pick(w); }}>
				<Person id={w.id} name={w.name} kind={w.kind} />
				{w.kind !== "user" && <span class="dim small">
					{" " + word(T.people.kinds, w.kind)}</span>}
			</li>)}
			{items.length === 0 && <li role="option" aria-disabled="true"
			    aria-selected={false} class="dim">
				{say(T.people.none, { typed })}</li>}
		</ul>
		{!may("user.view") && !(project.value &&
		    may("incident.edit", project.value)) &&
		    <p class="hint">{T.people.met}</p>}
	</div>;
}
