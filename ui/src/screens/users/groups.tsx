/* groups.tsx: groups, and who is in them. */
import { useState } from "preact/hooks";
import { at, get, patch, type Got } from "../../core/api.ts";
import { useAll } from "../../core/use.ts";
import { Load } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Crud } from "../../kit/crud.tsx";
import { Actions, Dialog } from "../../kit/dialog.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toastWrong } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";

interface Subject { kind: string; id: string }
interface Group { id: string; name: string; member_count?: number;
	members?: Subject[] }
interface Someone extends Subject { name: string }

/* Everybody who can be in a group. */
export function useSubjects(groups: boolean): { data: Someone[] | null;
    error: Error | null; reload: () => void } {
	const u = useAll<{ id: string; name: string; email: string }>(
	    "/v1/users");
	const s = useAll<{ id: string; name: string }>("/v1/service-accounts");
	const g = useAll<{ id: string; name: string }>(groups ? "/v1/groups" :
	    null);
	const ready = u.data && s.data && (!groups || g.data);
	return { error: u.error ?? s.error ?? g.error,
		reload: () => { u.reload(); s.reload(); g.reload(); },
		data: ready ? [
			...(u.data ?? []).map(x => ({ kind: "user", id: x.id,
				name: x.name || x.email })),
			...(s.data ?? []).map(x => ({ kind: "service_account",
				id: x.id, name: x.name })),
			...(g.data ?? []).map(x => ({ kind: "group", id: x.id,
				name: x.name }))] : null };
}

function Members({ got, onClose }: { got: Got<Group>;
    onClose: () => void }) {
	const all = useSubjects(false);
	const [in_, set] = useState(new Map((got.data.members ?? [])
	    .map(m => [m.id, m])));
	const [find, put] = useState("");
	const toggle = (s: Someone): void => set(old => {
		const m = new Map(old);
		if (!m.delete(s.id))
			m.set(s.id, { kind: s.kind, id: s.id });
		return m;
	});
	const save = async (): Promise<void> => {
		await patch(at`/v1/groups/${got.data.id}`,
		    { members: [...in_.values()] }, got.etag);
		onClose();
	};
	return <Dialog title={say(T.users.membersOf, { name: got.data.name })}
	    onClose={onClose}>
		<input value={find} aria-label={T.users.find}
		    placeholder={T.users.find}
		    onInput={e => put(e.currentTarget.value)} />
		<Load of={all}>{list => <ul class="users-pick">
			{list.filter(s => s.name.toLowerCase().includes(
			    find.toLowerCase())).slice(0, 200).map(s =>
				<li key={s.id}><label><input type="checkbox"
				    checked={in_.has(s.id)}
				    onChange={() => toggle(s)} /> <Plain
					text={s.name} />
				{s.kind !== "user" && <span class="dim">
					{" " + T.users.kinds[s.kind as "group"]}</span>}
				</label></li>)}</ul>}</Load>
		<Actions><Button onClick={onClose}>{T.kit.cancel}</Button>
			<Button kind="primary" onClick={save}>{T.kit.save}</Button>
		</Actions></Dialog>;
}

export default function Groups() {
	const [open, show] = useState<{ got: Got<Group>;
		reload: () => void } | null>(null);
	return <><Crud<Group> title={T.users.groups} lead={T.users.groupsLead}
	    path="/v1/groups" perm="user.edit" events="group."
	    name={g => g.name} empty={T.users.noGroups}
	    createLabel={T.users.createGroup}
	    columns={[
		{ label: T.users.name, cell: g => <Plain text={g.name} /> },
		{ label: T.users.members, cell: g => g.member_count ??
		    g.members?.length ?? 0 }]}
	    fields={[{ name: "name", label: T.users.name, required: true }]}
	    row={(g, reload) => <Button icon="users" perm="user.edit"
		onClick={() => get<Group>(at`/v1/groups/${g.id}`).then(got =>
		    show({ got, reload }), toastWrong)}>
		{T.users.members}</Button>} />
		{open && <Members got={open.got} onClose={() => {
			show(null);
			open.reload();
		}} />}
	</>;
}
