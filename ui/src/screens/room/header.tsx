/* header.tsx: what it is, how bad, who leads, since when. */
import { useEffect, useRef, useState } from "preact/hooks";
import { me } from "../../core/session.ts";
import { lasting, now } from "../../core/time.ts";
import { Severity, Status, When } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Icon } from "../../kit/icon.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast, toastWrong } from "../../kit/toast.tsx";
import { may } from "../../core/session.ts";
import { T, say, word } from "../../text/index.ts";
import { following, severityOptions, type Incident }
    from "../incidents/model.ts";
import type { Room } from "./incident.ts";

type Options = readonly (readonly [string, string])[];

/* A closed <select> takes another value at each key, which here would be done
 * at once: so keys open it, and a choice is one. */
function openFirst(e: KeyboardEvent & { currentTarget: HTMLSelectElement }):
    void {
	if (e.ctrlKey || e.metaKey || e.altKey || (e.key.length > 1 &&
	    !/^(Arrow|Home|End|Page)/.test(e.key)))
		return;
	e.preventDefault();
	e.stopPropagation();
	e.currentTarget.showPicker();
}

/* One of some, for who may; for others what it is, and why not. */
function Choice({ room, label, value, options, onChoose, children }: {
    room: Room; label: string; value: string; options: Options;
    onChoose: (v: string) => unknown; children: preact.ComponentChildren }) {
	if (!may("incident.edit", room.project))
		return <span class="room-choice">{children}
			<Button kind="ghost" perm="incident.edit" label={label}
			    project={room.project} /></span>;
	return <label class="room-choice">
		<span class="sr">{label}</span>
		{children}
		<select value={value} onKeyDown={openFirst} onChange={e => {
			const to = e.currentTarget.value;
			e.currentTarget.value = value;
			onChoose(to);
		}}>{options.map(([v, l]) =>
			<option key={v} value={v}>{l}</option>)}</select>
		<Icon name="down" size={14} />
	</label>;
}

export async function setSeverity(room: Room, to: string): Promise<void> {
	const before = room.data?.severity;
	await room.edit({ severity: to });
	if (before !== undefined && before !== to)
		toast(say(T.room.severityIs, { severity: word(T.severity, to) }),
		    () => room.edit({ severity: before }).catch(toastWrong));
}

export async function moveTo(room: Room, to: string, note?: string):
    Promise<void> {
	if ((to === "closed" || to === "cancelled") && note === undefined &&
	    !await confirm({ title: say(T.room.moveTitle, { status:
		word(T.status, to) }), text: to === "closed" ? T.room.closeText :
		T.room.cancelText, go: say(T.room.moveGo, { status:
		word(T.status, to) }), danger: to === "cancelled" }))
		return;
	await room.move(to, note);
}

function Title({ room, i }: { room: Room; i: Incident }) {
	const [text, put] = useState<string | null>(null);
	const input = useRef<HTMLInputElement>(null);
	const back = useRef<HTMLDivElement>(null);
	const base = useRef<Parameters<Room["edit"]>[1]>(undefined);
	const [bad, setBad] = useState("");

	useEffect(() => {
		if (text !== null)
			input.current?.select();
	}, [text !== null]);
	const end = (): void => {
		put(null);
		setBad("");
		queueMicrotask(() => back.current?.querySelector("button")
		    ?.focus());
	};
	const save = (): void => {
		const to = text?.trim() ?? "";
		if (to === i.title) {
			end();
			return;
		}
		if (to === "") {
			setBad(T.room.titleEmpty);
			return;
		}
		room.edit({ title: to }, base.current).then(end, (e: unknown) =>
		    setBad(e instanceof Error ? e.message : String(e)));
	};
	return <div class="room-title" ref={back}>
		<span class="room-number">INC-{i.number}</span>
		{text === null ? <>
			<h1 tabIndex={-1}><Plain text={i.title} /></h1>
			<Button kind="ghost" icon="edit" label={T.room.editTitle}
			    perm="incident.edit" project={room.project}
			    resource={{ type: "incident", id: i.id }}
			    onClick={() => {
				base.current = { data: i, etag: room.etag };
				put(i.title);
			    }} />
		</> : <form onSubmit={e => { e.preventDefault(); save(); }}>
			<h1 class="sr">{i.title}</h1>
			<input ref={input} aria-label={T.incidents.name} value={text}
			    aria-invalid={bad !== ""} aria-describedby="title-bad"
			    onInput={e => put(e.currentTarget.value)}
			    onKeyDown={e => {
				if (e.key === "Escape") {
					e.preventDefault();
					end();
				}
			    }} />
			<Button kind="primary" type="submit">{T.kit.save}</Button>
			<Button onClick={end}>{T.kit.cancel}</Button>
			{bad && <p id="title-bad" class="wrong" role="alert">{bad}</p>}
		</form>}
	</div>;
}

/* How long it runs; stands when it is over. */
function Running({ i }: { i: Incident }) {
	const end = i.resolved_at ?? i.closed_at;
	const ms = (end ? Date.parse(end) : now.value) -
	    Date.parse(i.created_at);
	return <span class="room-clock" title={T.room.running}>
		<Icon name="clock" size={14} /> {lasting(ms)}</span>;
}

export function Header({ room, i, onCommander }: { room: Room; i: Incident;
    onCommander: () => void }) {
	const wrongly = (p: Promise<void>): void => { p.catch(toastWrong); };
	const mine = i.commander !== null && i.commander === me.value?.id;
	return <header class="room-head">
		<Title room={room} i={i} />
		<div class="room-facts">
			<Choice room={room} label={T.incidents.severity}
			    value={i.severity} options={severityOptions}
			    onChoose={v => wrongly(setSeverity(room, v))}>
				<Severity value={i.severity} /></Choice>
			<Choice room={room} label={T.incidents.status}
			    value={i.status} options={[i.status,
				...following(i.status)].map(s =>
				[s, word(T.status, s)] as const)}
			    onChoose={v => wrongly(moveTo(room, v))}>
				<Status value={i.status} /></Choice>
			<Running i={i} />
			{i.private && <span class="pill room-private">
				<Icon name="lock" size={13} /> {T.room.private}</span>}
			<span class="room-lead">{T.incidents.commander}{" "}
				{i.commander ? <Person id={i.commander} /> :
				    <span class="dim">{T.room.nobody}</span>}
				<Button cls="small" icon="user" shortcut="r"
				    label={T.room.assign} perm="incident.edit"
				    project={room.project} onClick={onCommander}>
					{T.room.choose}</Button>
				{!mine && me.value?.kind === "user" &&
				    may("incident.edit", room.project) &&
				    <Button cls="small" onClick={() => room.edit({
					commander: me.value?.id ?? null })}>
					{T.room.take}</Button>}
			</span>
			<span class="dim small room-since">{T.room.declared}{" "}
				<When at={i.created_at} /></span>
		</div>
	</header>;
}
