/* narrow.tsx: a token shrinks to what it has used (least privilege). */
import { at, post } from "../../core/api.ts";
import { useGet } from "../../core/use.ts";
import { Ago, Load } from "../../kit/bits.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, useForm } from "../../kit/form.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";
import { Perms } from "./perms.tsx";
import type { Token } from "./tokens.tsx";

interface Usage { used?: { permission: string; last_used?: string;
	count?: number }[]; unused?: string[]; [k: string]: unknown }

export function Narrow({ t, onClose }: { t: Token; onClose: () => void }) {
	const usage = useGet<Usage>(at`/v1/tokens/${t.id}/usage`);
	return <Dialog title={say(T.tokens.narrowTitle, { name: t.name })}
	    onClose={onClose} wide>
		<p>{T.tokens.narrowText}</p>
		<Load of={usage}>{u => <Form t={t} u={u} onClose={onClose} />}
		</Load></Dialog>;
}

function Form({ t, u, onClose }: { t: Token; u: Usage;
    onClose: () => void }) {
	const used = (u.used ?? []).map(x => x.permission);
	const form = useForm({ scopes: t.scopes.filter(s => used.includes(s)) },
	    async v => {
		await post(at`/v1/tokens/${t.id}/narrow`, { scopes: v.scopes });
		toast(T.tokens.narrowed);
		onClose();
	});
	return <FormBox form={form}>
		{used.length > 0 && <div class="scroll" tabIndex={0}><table><tbody>
			{(u.used ?? []).map(x => <tr key={x.permission}>
				<td><code>{x.permission}</code></td>
				<td>{x.count ?? ""}</td>
				<td><Ago at={x.last_used} /></td></tr>)}
		</tbody></table></div>}
		{used.length === 0 && <p class="dim">{T.tokens.unused}</p>}
		<Perms form={form} name="scopes" label={T.tokens.left}
		    offered={t.scopes} />
		<Submit form={form}>{T.tokens.narrow}</Submit>
	</FormBox>;
}
