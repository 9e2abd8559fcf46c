/* palette.tsx: Ctrl+K: go, search, act, in one input. */
import { useEffect, useId, useMemo, useState } from "preact/hooks";
import { at, get, type Page } from "../core/api.ts";
import { may, mayAnywhere, project } from "../core/session.ts";
import { Dialog } from "../kit/dialog.tsx";
import { toastWrong } from "../kit/toast.tsx";
import { T, say } from "../text/index.ts";
import { Plain } from "../kit/plain.tsx";
import { commands, inProject } from "./nav.ts";
import { go } from "./router.ts";
import type { Command } from "./screen.ts";

const SHOWN = 12;

/* How well a text fits what was typed: all its words, better at the start. */
export function fits(text: string, words: string[]): number {
	const t = text.toLowerCase();
	let score = 0;
	for (const w of words) {
		const i = t.indexOf(w);
		if (i < 0)
			return -1;
		score += i === 0 ? 3 : t[i - 1] === " " ? 2 : 1;
	}
	return score - t.length / 1000;
}

function ranked(all: Command[], typed: string): Command[] {
	const words = typed.toLowerCase().split(/\s+/).filter(w => w !== "");
	return all.map(c => ({ c, s: fits(`${c.label} ${c.keywords ?? ""}`,
	    words) })).filter(x => x.s >= 0).sort((a, b) => b.s - a.s)
	    .map(x => x.c).slice(0, SHOWN);
}

interface Hit { id: string; number: number; title: string }

/* Incidents by number or words, asked for a moment after typing. */
function useHits(typed: string): Command[] {
	const [hits, set] = useState<Command[]>([]);
	const p = project.value;
	useEffect(() => {
		const q = typed.trim();
		if (q.length < 2 || !p || !may("incident.view", p)) {
			set([]);
			return undefined;
		}
		const abort = new AbortController();
		const number = /^(?:inc-)?(\d+)$/i.exec(q)?.[1];
		const timer = setTimeout(() => {
			const ask: Promise<Hit[]> = number ?
			    get<Hit>(at`/v1/projects/${p}/incidents/INC-${number}`,
				undefined, abort.signal).then(g => [g.data]) :
			    get<Page<Hit>>(at`/v1/projects/${p}/incidents`,
				{ q, limit: 5 }, abort.signal)
				.then(g => g.data.items);
			ask.then(items => set(items.map(i => ({ id: i.id,
				label: `INC-${i.number} ${i.title}`,
				path: at`/p/${p}/i/${i.number}` }))),
			    () => set([]));
		}, 120);
		return () => { clearTimeout(timer); abort.abort(); };
	}, [typed, p]);
	return hits;
}

export default function Palette({ onClose }: { onClose: () => void }) {
	const [typed, put] = useState(""), [at_, setAt] = useState(0);
	const id = useId();
	const all = useMemo(() => commands().filter(c => !c.perm ||
	    mayAnywhere(c.perm)), []);
	const hits = useHits(typed);
	const items = [...ranked(all, typed), ...hits];
	const on = Math.min(at_, items.length - 1);

	const act = (c: Command | undefined): void => {
		if (!c)
			return;
		onClose();
		if (c.path)
			go(inProject(c.path));
		else
			void Promise.resolve(c.run?.()).catch(toastWrong);
	};
	const key = (e: KeyboardEvent): void => {
		const n = e.key === "ArrowDown" ? 1 : e.key === "ArrowUp" ? -1 : 0;
		if (n !== 0 && items.length > 0) {
			e.preventDefault();
			setAt((on + n + items.length) % items.length);
		} else if (e.key === "Enter") {
			e.preventDefault();
			act(items[on]);
		}
	};
	return <Dialog title={T.palette.title} onClose={onClose} cls="palette">
		<input role="combobox" aria-expanded="true" aria-controls={id}
		    aria-activedescendant={items[on] ? `${id}-${on}` : undefined}
		    aria-label={T.palette.title} placeholder={T.palette.hint}
		    autocomplete="off" value={typed} onKeyDown={key}
		    onInput={e => { put(e.currentTarget.value); setAt(0); }} />
		<ul role="listbox" id={id} aria-label={T.palette.title}>
			{items.map((c, i) => <li key={c.id} id={`${id}-${i}`}
			    role="option" aria-selected={i === on}
			    onClick={() => act(c)}>
				<span><Plain text={c.label} /></span>
				{c.key && <kbd>{c.key}</kbd>}</li>)}
			{items.length === 0 && <li role="option"
			    aria-selected={false} aria-disabled="true">
				{say(T.palette.none, { typed })}</li>}
		</ul>
	</Dialog>;
}
