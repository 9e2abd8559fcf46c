/* accounts.tsx: programs that have rights of their own. */
import { Crud } from "../../kit/crud.tsx";
import { Ago } from "../../kit/bits.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T } from "../../text/index.ts";

interface Account { id: string; name: string; disabled: boolean;
	created_at: string }

export default function Accounts() {
	return <Crud<Account> title={T.users.accounts}
	    lead={T.users.accountsLead} path="/v1/service-accounts"
	    perm="user.edit" events="service_account." name={a => a.name}
	    empty={T.users.noAccounts} createLabel={T.users.createAccount}
	    columns={[
		{ label: T.users.name, cell: a => <Plain text={a.name} /> },
		{ label: T.users.state, cell: a => a.disabled ?
		    <span class="pill st-revoked">{T.status.disabled}</span> :
		    <span class="pill st-ok">{T.status.active}</span> },
		{ label: T.users.rights, wide: true, cell: a => <a
		    href={"/admin/access?what=service_account:" + a.id}>
			{T.users.rightsLink}</a> },
		{ label: T.users.since, wide: true,
			cell: a => <Ago at={a.created_at} /> }]}
	    fields={[
		{ name: "name", label: T.users.name, required: true },
		{ name: "disabled", label: T.users.disabled, kind: "check",
			at: "edit" }]} />;
}
