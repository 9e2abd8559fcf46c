/*
 * composer.tsx: notes and commands.  What is typed stays until it is done:
 * through a lost connection, an ended session, another page.  It is kept in
 * memory and nowhere else.
 */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useKeys } from "../../app/keys.ts";
import { Lost } from "../../core/api.ts";
import { may, me } from "../../core/session.ts";
import { Button } from "../../kit/button.tsx";
import { Plain } from "../../kit/plain.tsx";
import { wrong } from "../../kit/toast.tsx";
import { T } from "../../text/index.ts";
import { Mistake, execute, parse, suggest, type Context }
    from "./commands.ts";
import { NotSaved } from "./incident.ts";

interface Draft { text: string; key: boolean; once: string }
const drafts = new Map<string, Draft>();
const NONE = (): Draft => ({ text: "", key: false,
	once: crypto.randomUUID() });

/* a reload would lose it: the browser asks; not for one who is gone, whose
 * page must not stay (core/session.ts) */
addEventListener("beforeunload", e => {
	if (me.peek() && [...drafts.values()].some(d => d.text.trim() !== ""))
		e.preventDefault();
});

type Suggestion = Awaited<ReturnType<typeof suggest>>[number];

function useSuggestions(c: Context, text: string): [Suggestion[],
    () => void] {
	const [items, set] = useState<Suggestion[]>([]);
	useEffect(() => {
		let on = true;
		void suggest(c, text).then(s => on && set(s), () => on && set([]));
		return () => { on = false; };
	}, [text, c.i.status]);
	return [items, () => set([])];
}

const said = (e: unknown): string => e instanceof Mistake ||
    e instanceof NotSaved ? e.message :
    e instanceof Lost ? T.room.lost : wrong(e);

export function Composer({ context }: { context: Context }) {
	const { room, i } = context, id = useId();
	const [d, put] = useState<Draft>(() => drafts.get(i.id) ?? NONE());
	const [bad, setBad] = useState(""), [busy, setBusy] = useState(false);
	const [items, close] = useSuggestions(context, d.text);
	const [at, setAt] = useState(0);
	const area = useRef<HTMLTextAreaElement>(null);
	const command = parse(d.text), on = Math.min(at, items.length - 1);

	useKeys([{ key: "n", label: T.room.write,
		run: () => area.current?.focus() }]);
	const keep = (n: Draft): void => {
		drafts.set(i.id, n);
		put(n);
	};
	/* another text is another note */
	const type = (text: string): void => {
		keep({ ...d, text, once: crypto.randomUUID() });
		setBad("");
		setAt(0);
	};
	const send = async (): Promise<void> => {
		const text = d.text.trim();
		if (text === "" || busy)
			return;
		setBusy(true);
		setBad("");
		close();
		try {
			await (command ? execute({ ...context, note: (t, key) =>
			    context.note(t, key, d.once) }, text) :
			    context.note(text.replace(/^\/\//, "/"), d.key,
				d.once));
			drafts.delete(i.id);
			put(NONE());
		} catch (e) {
			setBad(said(e));
		} finally {
			setBusy(false);
			/* unless one has gone elsewhere meanwhile */
			if (area.current?.form?.contains(document.activeElement))
				area.current.focus();
		}
	};
	const take = (s: Suggestion | undefined): void => {
		if (s)
			type(s.whole);
	};
	const key = (e: KeyboardEvent): void => {
		const n = e.key === "ArrowDown" ? 1 : e.key === "ArrowUp" ? -1 : 0;
		if (e.isComposing)
			return;
		if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
			e.preventDefault();
			void send();
		} else if (items.length > 0 && n !== 0) {
			e.preventDefault();
			setAt((on + n + items.length) % items.length);
		} else if (items.length > 0 && (e.key === "Tab" ||
		    e.key === "Enter") && !e.shiftKey) {
			e.preventDefault();
			take(items[on]);
		} else if (items.length > 0 && e.key === "Escape") {
			e.preventDefault();
			close();
		} else if (command && e.key === "Enter" && !e.shiftKey) {
			e.preventDefault();
			void send();
		}
	};
	return <form class="composer room-composer" aria-label={T.room.write}
	    onSubmit={e => { e.preventDefault(); void send(); }}>
		{items.length > 0 && <ul class="room-suggest" id={id + "l"}
		    role="listbox" aria-label={T.room.commands.title}>
			{items.map((s, n) => <li key={s.whole} role="option"
			    id={`${id}-${n}`} aria-selected={n === on}
			    onMouseDown={e => { e.preventDefault(); take(s); }}>
				<code><Plain text={s.text} /></code>
				<span class="dim"><Plain text={s.label} /></span></li>)}
		</ul>}
		<textarea ref={area} rows={2} value={d.text} id={id}
		    aria-label={T.room.write} placeholder={T.room.writeHint}
		    aria-autocomplete="list" aria-invalid={bad !== ""}
		    aria-controls={items.length > 0 ? id + "l" : undefined}
		    aria-activedescendant={items.length > 0 ? `${id}-${on}` :
			undefined} aria-describedby={bad ? id + "b" : undefined}
		    onKeyDown={key} onInput={e => type(e.currentTarget.value)} />
		<div class="row room-send">
			{bad && <p class="wrong" id={id + "b"} role="alert">{bad}</p>}
			<Button icon="star" pressed={d.key} kind="plain"
			    onClick={() => keep({ ...d, key: !d.key })}>
				{T.room.markKey}</Button>
			<Button kind="primary" type="submit" busy={busy}
			    perm="incident.comment" project={room.project}>
				{command ? T.room.doIt : T.room.post}
				<kbd>{command ? "Enter" : "Ctrl Enter"}</kbd></Button>
		</div>
		{!may("incident.comment", room.project) && <p class="dim small">
			{T.room.readOnly}</p>}
	</form>;
}
