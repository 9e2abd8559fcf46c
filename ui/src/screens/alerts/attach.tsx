/* attach.tsx: alerts into an incident: one that is open, those of the same
 * services first, or a new one. */
import { useMemo, useState } from "preact/hooks";
import { at } from "../../core/api.ts";
import { go } from "../../app/router.ts";
import { useAll } from "../../core/use.ts";
import { Ago, Failed, Severity, Status } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Actions, Dialog } from "../../kit/dialog.tsx";
import { Plain } from "../../kit/plain.tsx";
import { wrong } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";
import { attach } from "./actions.ts";
import { learn, type Incident } from "./incident.tsx";
import type { Alert } from "./model.ts";
import type { Store } from "./store.ts";

interface Open extends Incident { updated_at: string }
const OPEN = "new,acknowledged,investigating,mitigating,monitoring";
const SHOWN = 8;

function ranked(all: Open[], alerts: Alert[], typed: string): Open[] {
	const services = new Set(alerts.map(a => a.service));
	const like = (i: Open): number =>
		(i.services ?? []).some(x => services.has(x)) ? 1 : 0;
	const words = typed.toLowerCase().split(/\s+/).filter(w => w !== "");
	return all.filter(i => words.every(w =>
	    `inc-${i.number} ${i.title}`.toLowerCase().includes(w)))
	    .sort((a, b) => like(b) - like(a)).slice(0, SHOWN);
}

export function Attach({ s, alerts, onClose }: { s: Store; alerts: Alert[];
    onClose: () => void }) {
	const todo = alerts.filter(a => a.incident === null);
	const [typed, put] = useState(""), [on, setOn] = useState(0);
	const [bad, setBad] = useState(""), [busy, setBusy] = useState(false);
	const open = useAll<Open>(at`/v1/projects/${s.project}/incidents`,
	    { status: OPEN }, undefined, 200);
	const list = useMemo(() => ranked(open.data ?? [], todo, typed),
	    [open.data, typed]);
	const services = new Set(todo.map(a => a.service));
	const at_ = Math.min(on, list.length - 1);

	const send = async (to: Open | null): Promise<void> => {
		if (busy)
			return;
		setBusy(true);
		setBad("");
		try {
			if (to)
				learn([to]);
			const id = await attach(s, todo, to?.id ?? null);
			onClose();
			if (!to && id)
				go(at`/p/${s.project}/i/${id}`);
		} catch (e) {
			setBad(wrong(e));
			setBusy(false);
		}
	};
	return <Dialog title={say(T.alerts.attachTitle, { n: todo.length })}
	    onClose={onClose} cls="palette">
		<input role="combobox" aria-expanded="true"
		    aria-controls="alerts-open" aria-label={T.alerts.attachFind}
		    placeholder={T.alerts.attachFind} autocomplete="off"
		    aria-activedescendant={list[at_] ? `alerts-open-${at_}` :
			undefined} value={typed}
		    onInput={e => { put(e.currentTarget.value); setOn(0); }}
		    onKeyDown={e => {
			const n = e.key === "ArrowDown" ? 1 :
			    e.key === "ArrowUp" ? -1 : 0;
			if (n !== 0 && list.length > 0) {
				e.preventDefault();
				setOn((at_ + n + list.length) % list.length);
			} else if (e.key === "Enter") {
				e.preventDefault();
				void send(e.ctrlKey || e.metaKey ? null :
				    list[at_] ?? null);
			}
		    }} />
		{open.error && <Failed error={open.error} again={open.reload} />}
		{open.data !== null && list.length === 0 &&
		    <p class="dim">{T.alerts.attachNone}</p>}
		<ul role="listbox" id="alerts-open" aria-label={T.alerts.attachFind}>
			{list.map((i, n) => <li key={i.id} role="option"
			    id={`alerts-open-${n}`} aria-selected={n === at_}
			    onClick={() => void send(i)}>
				<span class="alerts-open"><Severity value={i.severity} />
					{" "}INC-{i.number}{" "}<Plain text={i.title} /></span>
				<span class="row">
					{(i.services ?? []).some(x => services.has(x)) &&
					    <span class="pill">{T.alerts.similar}</span>}
					<Status value={i.status} />
					<Ago at={i.updated_at} /></span></li>)}
		</ul>
		<p class="hint">{T.alerts.attachHint}</p>
		{bad && <p class="wrong" role="alert">{bad}</p>}
		<Actions>
			<Button onClick={onClose}>{T.kit.cancel}</Button>
			<Button perm="incident.create" project={s.project}
			    icon="plus" busy={busy} onClick={() => send(null)}>
				{T.alerts.attachNew}</Button>
			{list[at_] && <Button kind="primary" busy={busy}
			    perm="incident.edit" project={s.project}
			    onClick={() => send(list[at_] ?? null)}>
				{say(T.alerts.attachTo, { n: list[at_]?.number ?? "" })}
			</Button>}
		</Actions>
	</Dialog>;
}
