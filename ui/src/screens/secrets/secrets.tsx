/* secrets.tsx: which there are, who can open them, who used them; never what
 * they are. */
import { useState } from "preact/hooks";
import type { ViewProps } from "../../app/screen.ts";
import { at, delNow, type Page as Pages } from "../../core/api.ts";
import { pairsOf } from "../../core/labels.ts";
import { useAll, useGet } from "../../core/use.ts";
import { Ago, Empty, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say } from "../../text/index.ts";
import { SetSecret } from "./set.tsx";

export interface Secret { id: string; name: string;
	description: string | null; version: number;
	delegates?: { labels?: Record<string, string> };
	runbooks?: string[]; connectors?: string[];
	missing?: { name: string }[]; external?: unknown;
	updated_at: string }
interface Use { seq?: number; time?: string; at?: string; n?: number;
	[k: string]: unknown }

function Uses({ path, name, onClose }: { path: string; name: string;
    onClose: () => void }) {
	const list = useGet<Pages<Use>>(path + "/uses", { limit: 100 });
	return <Dialog title={say(T.secrets.usesOf, { name })} onClose={onClose}>
		<Load of={list}>{({ items }) => items.length === 0 ?
			<p class="dim">{T.secrets.noUses}</p> :
			<ul class="plain">{items.map((u, i) => <li key={i}>
				<Ago at={String(u.time ?? u.at ?? "")} />{" "}
				{u.seq !== undefined && <a href={at`/audit/${u.seq}`}>
					{say(T.audit.entry, { seq: u.seq })}</a>}
			</li>)}</ul>}</Load></Dialog>;
}

export default function Secrets({ params }: ViewProps) {
	const p = params["project"] ?? "";
	const base = at`/v1/projects/${p}/secrets`;
	const list = useAll<Secret>(base, {}, e => e.project === p &&
	    e.action.startsWith("secret."));
	const [open, show] = useState<{ kind: "new" } | { kind: "set" | "uses";
		s: Secret } | null>(null);
	const path = (s: Secret): string => base + at`/${s.name}`;
	const close = (): void => { show(null); list.reload(); };
	const remove = async (s: Secret): Promise<void> => {
		if (!await confirm({ title: say(T.crud.deleteTitle,
		    { name: s.name }), text: T.secrets.deleteText,
		    go: T.kit.delete, danger: true, type: s.name }))
			return;
		await delNow(path(s));
		list.reload();
	};
	return <Page title={T.secrets.title} lead={T.secrets.lead} actions={
	    <Button kind="primary" icon="plus" perm="secret.edit" project={p}
		onClick={() => show({ kind: "new" })}>
		{T.secrets.create}</Button>}>
		<Load of={list} empty={<Empty icon="key" title={T.secrets.none}>
			{T.secrets.noneHint}</Empty>}>{all =>
			<div class="scroll card flush" tabIndex={0}>
			<table class="crud"><thead><tr>
				<th scope="col">{T.secrets.name}</th>
				<th scope="col">{T.secrets.version}</th>
				<th scope="col" class="wide">{T.secrets.for}</th>
				<th scope="col" class="wide">{T.secrets.changed}</th>
				<th scope="col"><span class="sr">{T.crud.actions}</span></th>
			</tr></thead><tbody>{all.map(s => <tr key={s.id}>
				<td><code>{s.name}</code>{s.description && <span
				    class="dim"> <Plain text={s.description} /></span>}
				{(s.missing?.length ?? 0) > 0 && <p class="wrong small">
					{say(T.secrets.missing, { names: (s.missing ?? [])
					    .map(m => m.name).join(", ") })}</p>}</td>
				<td>{s.version}{!!s.external && " " + T.secrets.external}
				</td>
				<td class="wide"><code>{pairsOf(
				    s.delegates?.labels).join(", ")}</code></td>
				<td class="wide"><Ago at={s.updated_at} /></td>
				<td class="crud-actions">
					<Button perm="secret.edit" project={p}
					    off={!!s.external && T.secrets.external}
					    onClick={() => show({ kind: "set", s })}>
						{T.secrets.rotate}</Button>{" "}
					<Button onClick={() => show({ kind: "uses", s })}>
						{T.secrets.uses}</Button>{" "}
					<Button kind="ghost" icon="trash" perm="secret.edit"
					    project={p} label={say(T.crud.delete,
						{ name: s.name })}
					    onClick={() => remove(s)} /></td>
			</tr>)}</tbody></table></div>}</Load>
		{open?.kind === "new" && <SetSecret project={p} old={null}
		    onClose={close} />}
		{open?.kind === "set" && <SetSecret project={p} old={open.s}
		    onClose={close} />}
		{open?.kind === "uses" && <Uses path={path(open.s)}
		    name={open.s.name} onClose={() => show(null)} />}
	</Page>;
}
