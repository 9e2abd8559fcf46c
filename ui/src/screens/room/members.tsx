/* members.tsx: who sees a private incident. */
import { useState } from "preact/hooks";
import { put, Problem, get, type Got } from "../../core/api.ts";
import { nameOf, type Who } from "../../core/people.ts";
import { may } from "../../core/session.ts";
import { useGet } from "../../core/use.ts";
import { Load } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { PeoplePicker } from "../../kit/people-picker.tsx";
import { Person } from "../../kit/person.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say, word } from "../../text/index.ts";
import type { Incident } from "../incidents/model.ts";
import type { Room } from "./incident.ts";

interface Member { kind: string; id: string }
interface Members { members: Member[] }
const KINDS = ["user", "group", "service_account"];

/* Adding or taking one away is said of the list as it is now: whoever
 * changed it meanwhile keeps what they did. */
function useMembers(room: Room, i: Incident) {
	const path = room.path + "/members";
	const list = useGet<Members>(path, undefined, e =>
	    e.resource.some(r => r.id === i.id));
	const change = async (f: (m: Member[]) => Member[]): Promise<void> => {
		for (let n = 0, now: Pick<Got<Members>, "data" | "etag"> =
		    await get<Members>(path); ; n++) {
			try {
				const g = await put<Members>(path,
				    { members: f(now.data.members) }, now.etag);
				list.set(g.data, g.etag);
				room.reload();
				return;
			} catch (e) {
				if (!(e instanceof Problem) || e.status !== 412 ||
				    n === 3)
					throw e;
				now = await get<Members>(path);
			}
		}
	};
	return { list, change };
}

function List({ room, i, known }: { room: Room; i: Incident;
    known: Who[] }) {
	const { list, change } = useMembers(room, i);
	const [adding, add] = useState(false);
	const need = { perm: "incident.restrict", project: room.project,
		resource: { type: "incident", id: i.id } };
	const remove = async (m: Member): Promise<void> => {
		if (await confirm({ title: T.room.removeTitle, danger: true,
		    go: T.kit.remove, text: say(T.room.removeText,
			{ name: nameOf(m.id) }) }))
			await change(all => all.filter(x => x.id !== m.id));
	};
	return <Load of={list}>{({ members }) => <>
		<ul class="room-items">{members.map(m => <li key={m.id}
		    class="row room-item room-pane-head">
			<span><Person id={m.id} kind={m.kind} />
				{m.kind !== "user" && <span class="dim small">
					{" " + word(T.people.kinds, m.kind)}</span>}</span>
			<Button kind="ghost" icon="x" {...need}
			    off={members.length === 1 && T.room.lastMember}
			    label={say(T.room.removeMember, { name: nameOf(m.id) })}
			    onClick={() => remove(m)} /></li>)}</ul>
		{adding ? <PeoplePicker label={T.room.addMember} autofocus
		    kinds={KINDS} known={known}
		    but={members.map(m => m.id)} onPick={async w => {
			add(false);
			await change(all => [...all, { kind: w.kind, id: w.id }]);
			toast(say(T.room.added, { name: w.name }));
		    }} /> :
		    <Button icon="plus" {...need} onClick={() => add(true)}>
			{T.room.addMember}</Button>}
	</>}</Load>;
}

export async function setPrivate(room: Room, on: boolean): Promise<void> {
	if (await confirm({ title: on ? T.room.privateTitle : T.room.openTitle,
	    text: on ? T.room.privateText : T.room.openText, danger: !on,
	    go: on ? T.room.makePrivate : T.room.makeOpen }))
		await room.edit({ private: on });
}

export function MembersPane({ room, i, known }: { room: Room; i: Incident;
    known: Who[] }) {
	return <div class="stack">
		<div class="row room-pane-head"><h2>{T.room.panes.members}</h2>
			<Button icon="lock" perm="incident.restrict"
			    project={room.project}
			    resource={{ type: "incident", id: i.id }}
			    onClick={() => setPrivate(room, !i.private)}>
				{i.private ? T.room.makeOpen : T.room.makePrivate}
			</Button></div>
		<p class="dim">{i.private ? T.room.isPrivate : T.room.isOpen}</p>
		{i.private && <List room={room} i={i} known={known} />}
		{i.private && !may("incident.restrict", room.project) &&
		    <p class="dim small">{T.room.membersChoose}</p>}
	</div>;
}
