/* triggers.tsx: what starts runbooks by itself, and why it did not. */
import { useState } from "preact/hooks";
import { all, at, delNow, get, patch, type Got } from "../../core/api.ts";
import type { ViewProps } from "../../app/screen.ts";
import { useLoaded } from "../../core/use.ts";
import { Ago, Empty, Facts, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast, toastWrong } from "../../kit/toast.tsx";
import { T, say, word } from "../../text/index.ts";
import { condText } from "../runbooks/model.ts";
import { EditTrigger, Next } from "./edit.tsx";
import type { Trigger } from "./model.ts";

const t = T.triggers;

function Item({ x, project, path, onEdit, reload }: { x: Trigger;
    project: string; path: string; onEdit: () => void; reload: () => void }) {
	const set = async (enabled: boolean): Promise<void> => {
		const { etag } = await get(path);
		await patch(path, { enabled }, etag);
		toast(enabled ? t.isOn : t.isOff);
		reload();
	};
	const remove = async (): Promise<void> => {
		if (!await confirm({ title: say(T.crud.deleteTitle,
		    { name: x.name }), text: T.crud.deleteText, danger: true,
		    go: T.kit.delete }))
			return;
		await delNow(path);
		toast(say(T.crud.deleted, { name: x.name }));
		reload();
	};
	return <li class="card stack">
		<div class="row triggers-head"><div class="row">
			<h2><Plain text={x.name} /></h2>
			<span class={`pill ${x.enabled ? "st-ok" : ""}`}>
				{x.enabled ? t.enabled : t.disabled}</span></div>
			<div class="actions">
				<Button perm="runbook.edit" project={project}
				    onClick={() => set(!x.enabled)}>{x.enabled ?
					t.disable : t.enable}</Button>
				<Button icon="edit" perm="runbook.edit" project={project}
				    label={say(T.crud.edit, { name: x.name })}
				    onClick={onEdit} />
				<Button icon="trash" perm="runbook.edit" project={project}
				    label={say(T.crud.delete, { name: x.name })}
				    onClick={remove} /></div></div>
		<Facts rows={[
			[t.on, <>{word(t.happenings, x.on)}{x.cron !== null && <>{": "}
			    <code>{x.cron}</code> {x.time_zone ?? "UTC"}</>}</>],
			x.when !== null && [t.when, <code><Plain
			    text={condText(x.when)} /></code>],
			x.delay_s !== null && [t.delay, `${x.delay_s} s`],
			x.recheck !== null && [t.recheck, <code><Plain
			    text={condText(x.recheck)} /></code>],
			[t.runbook, x.runbook === null ? "–" : <a href={at`/p/${project
			    }/runbooks/${x.runbook}`}>{x.runbook}</a>],
			[t.account, <Person id={x.service_account}
			    kind="service_account" />],
			[t.owner, <Person id={x.owner.id} kind={x.owner.kind} />],
			[t.fired, <><Ago at={x.last_fired_at} />{(x.fired_in_hour ??
			    0) > 0 && " · " + say(t.inHour, { n: x.fired_in_hour ??
				0 })}</>],
			(x.refused ?? 0) > 0 && [t.refused, <span class="wrong">
			    {word(t.refusals, x.last_refusal ?? "")}{" "}
			    <Ago at={x.last_refused_at} />{" · "}{say(t.times,
				{ n: x.refused ?? 0 })}</span>],
			x.on === "schedule" && x.enabled && [t.next,
			    <Next path={path} />],
		]} />
	</li>;
}

export default function Triggers({ params }: ViewProps) {
	const p = params["project"] ?? "";
	const path = at`/v1/projects/${p}/triggers`;
	/* the list does not say what they did */
	const list = useLoaded<Trigger[]>(async signal => ({ etag: null,
		status: 200, data: await Promise.all((await all<Trigger>(path))
		    .map(async x => (await get<Trigger>(`${path}/${x.id}`,
			undefined, signal)).data)) }),
	    [path], e => e.project === p &&
	    /^trigger\.(create|update|delete|fire)/.test(e.action));
	const [editing, edit] = useState<Got<Trigger> | "new" | null>(null);
	return <Page title={t.title} lead={t.lead} actions={<Button kind="primary"
	    icon="plus" perm="runbook.edit" project={p}
	    onClick={() => edit("new")}>{t.create}</Button>}>
		<Load of={list} empty={<Empty icon="zap" title={t.none}>
			{t.noneHint}</Empty>}>{xs => <ul class="triggers">
			{xs.map(x => <Item key={x.id} x={x} project={p}
			    path={`${path}/${x.id}`} reload={list.reload}
			    onEdit={() => get<Trigger>(`${path}/${x.id}`).then(edit,
				toastWrong)} />)}</ul>}</Load>
		{editing !== null && <EditTrigger project={p}
		    got={editing === "new" ? null : editing}
		    onClose={() => edit(null)} onDone={() => {
			edit(null);
			list.reload();
		    }} />}
	</Page>;
}
