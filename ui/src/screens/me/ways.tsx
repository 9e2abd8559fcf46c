/* ways.tsx: password, authenticator app, security keys, recovery codes. */
import { useState } from "preact/hooks";
import { at, del, type Page } from "../../core/api.ts";
import { useGet } from "../../core/use.ts";
import { Ago, Load } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say, word } from "../../text/index.ts";
import { AddApp, AddKey, Password, Recovery } from "./add.tsx";

interface Way { id: string; kind: string; name: string; confirmed?: boolean;
	left?: number; backed_up?: boolean; created_at: string }
type Open = "password" | "app" | "key" | "recovery" | null;

function stateOf(w: Way): string {
	return w.confirmed === false ? T.me.unconfirmed :
	    w.left !== undefined ? say(T.me.left, { n: w.left }) :
	    w.backed_up ? T.me.backedUp : "";
}

export function Ways() {
	const list = useGet<Page<Way>>("/v1/me/credentials");
	const [open, show] = useState<Open>(null);
	const close = (): void => { show(null); list.reload(); };
	const remove = async (w: Way): Promise<void> => {
		if (!await confirm({ title: T.me.removeTitle, danger: true,
		    text: say(T.me.removeText, { name: w.name ||
			word(T.me.kinds, w.kind) }), go: T.kit.remove }))
			return;
		await del(at`/v1/me/credentials/${w.id}`);
		list.reload();
	};
	const has = (k: string): boolean =>
		list.data?.items.some(w => w.kind === k) ?? false;
	return <section class="card stack" aria-labelledby="me-ways">
		<h2 id="me-ways">{T.me.ways}</h2>
		<Load of={list}>{({ items }) => items.length === 0 ?
			<p class="dim">{T.me.noWays}</p> :
			<div class="scroll" tabIndex={0}><table><thead><tr>
				<th scope="col">{T.me.kind}</th>
				<th scope="col">{T.me.name}</th>
				<th scope="col">{T.me.state}</th>
				<th scope="col" class="wide">{T.me.added}</th>
				<th scope="col"><span class="sr">{T.kit.remove}</span></th>
			</tr></thead><tbody>{items.map(w => <tr key={w.id}>
				<td>{word(T.me.kinds, w.kind)}</td>
				<td><Plain text={w.name} /></td>
				<td>{stateOf(w)}</td>
				<td class="wide"><Ago at={w.created_at} /></td>
				<td class="crud-actions"><Button kind="ghost" icon="trash"
				    label={T.kit.remove + " " + w.name} onClick={() => remove(w)} /></td>
			</tr>)}</tbody></table></div>}</Load>
		<div class="actions">
			<Button onClick={() => show("password")}>
				{has("password") ? T.me.password : T.me.setPassword}
			</Button>
			<Button onClick={() => show("app")}>{T.me.app}</Button>
			<Button onClick={() => show("key")}
			    off={!("PublicKeyCredential" in window) && T.me.keyNo}>
				{T.me.key}</Button>
			<Button onClick={() => show("recovery")}>
				{T.me.recovery}</Button>
		</div>
		{open === "password" && <Password had={has("password")}
		    onClose={close} />}
		{open === "app" && <AddApp onClose={close} />}
		{open === "key" && <AddKey onClose={close} />}
		{open === "recovery" && <Recovery onClose={close} />}
	</section>;
}
