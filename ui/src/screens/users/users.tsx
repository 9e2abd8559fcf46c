/* users.tsx: the people of the organization. */
import { at, post } from "../../core/api.ts";
import { Ago } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Crud, type CrudField } from "../../kit/crud.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T } from "../../text/index.ts";
import { Enrolment } from "./enrolment.tsx";
import { useState } from "preact/hooks";

export interface User { id: string; email: string; name: string;
	disabled: boolean; break_glass: boolean; anonymized_at: string | null;
	created_at: string }

export const State = ({ u }: { u: User }) => u.anonymized_at ?
	<span class="pill">{T.users.anonymized}</span> : u.disabled ?
	<span class="pill st-revoked">{T.status.disabled}</span> :
	<span class="pill st-ok">{T.status.active}</span>;

export const FIELDS: CrudField<User>[] = [
	{ name: "email", label: T.users.email, kind: "email", at: "create",
		required: true },
	{ name: "name", label: T.users.name },
	{ name: "break_glass", label: T.users.glass, kind: "check",
		hint: T.users.glassHint },
	{ name: "disabled", label: T.users.disabled, kind: "check", at: "edit",
		hint: T.users.disabledHint }];
export const called = (u: User): string => u.email || u.name;

export default function Users() {
	const [token, show] = useState<string | null>(null);
	const enrol = async (u: User): Promise<void> => {
		show((await post<{ token: string }>(
		    at`/v1/users/${u.id}/enrolment`)).data.token);
	};
	return <><Crud<User> title={T.users.title} lead={T.users.lead}
	    path="/v1/users" perm="user.edit" events="user."
	    name={called} empty={T.users.none}
	    createLabel={T.users.create} deleteText={() => T.users.deleteText}
	    columns={[
		{ label: T.users.email, cell: u => <a
		    href={at`/admin/users/${u.id}`}><Plain
			text={u.email || u.id} /></a> },
		{ label: T.users.name, wide: true,
			cell: u => <Plain text={u.name} /> },
		{ label: T.users.state, cell: u => <State u={u} /> },
		{ label: T.users.glass, wide: true,
			cell: u => u.break_glass ? T.users.yes : "" },
		{ label: T.users.since, wide: true,
			cell: u => <Ago at={u.created_at} /> }]}
	    fields={FIELDS}
	    row={u => <Button kind="ghost" icon="key" label={T.users.enrol +
		" " + u.email} perm="user.edit" onClick={() => enrol(u)}
		off={!!u.anonymized_at && T.users.anonymized} />} />
		{token && <Enrolment token={token} onClose={() => show(null)} />}
	</>;
}
