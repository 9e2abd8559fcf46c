/* keys.tsx: which algorithms and keys are in use; and the kill switch that
 * makes the server forget them all. */
import { useState } from "preact/hooks";
import { post } from "../../core/api.ts";
import { load } from "../../core/session.ts";
import { useGet } from "../../core/use.ts";
import { Ago, Facts, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { T, say, word } from "../../text/index.ts";

interface Crypto {
	algorithms: { name: string; parameters: string; standard: string;
	    use: string }[];
	tls: { versions: string[]; suites: string[]; groups: string[];
	    library: string };
	root: { keys: { id: string; primary: boolean }[] };
	root_sources: string[];
	project_keys: { keys: number; oldest_at: string | null };
	data_keys: { class: string; kind: string; keys: number; old: number;
	    in_use: number; oldest_at: string | null; seals?: number }[];
	limits: { seals: number; term_days: number };
	reencrypt: null | { done?: number; total?: number };
}
const WORD = "seal";

function Seal({ onClose }: { onClose: () => void }) {
	const form = useForm({ reason: "", sure: "" }, async v => {
		await post("/v1/keys/seal", { reason: v.reason });
		onClose();
		setTimeout(() => void load(), 1500);
	});
	return <Dialog title={T.keyring.seal} onClose={onClose}>
		<p class="wrong">{T.keyring.sealText}</p>
		<FormBox form={form}>
			<TextField form={form} name="reason" rows={3} required
			    label={T.keyring.reason} />
			<TextField form={form} name="sure"
			    label={say(T.kit.type, { word: WORD })} />
			{form.values.sure === WORD && <Submit form={form} danger>
				{T.keyring.seal}</Submit>}
		</FormBox></Dialog>;
}

const share = (n: number | undefined, of: number): string =>
	n === undefined ? "–" : n > 0 && n / of < 1e-4 ? T.keyring.little :
	    `${(100 * n / of).toFixed(2)} %`;

function Inventory({ c }: { c: Crypto }) {
	return <>
		<section class="card"><h2>{T.keyring.root}</h2><Facts rows={[
			[T.keyring.rootKeys, c.root.keys.map(k => <span key={k.id}>
				<code>{k.id}</code>{" "}{k.primary && <span
				    class="pill">{T.keyring.primary}</span>} </span>)],
			[T.keyring.sources, c.root_sources.map(s =>
			    word(T.keyring.kinds, s)).join(", ")],
			[T.keyring.projectKeys, <>{say(T.keyring.oldestOf,
			    { n: c.project_keys.keys })} <Ago
				at={c.project_keys.oldest_at} /></>],
			[T.keyring.tls, [...c.tls.versions, ...c.tls.suites]
			    .join(", ")],
			[T.keyring.library, c.tls.library]]} /></section>
		<section class="card stack"><h2>{T.keyring.data}</h2>
			<div class="scroll" tabIndex={0}><table><thead><tr>
				<th scope="col">{T.keyring.class}</th>
				<th scope="col">{T.keyring.keys}</th>
				<th scope="col" class="wide">{T.keyring.old}</th>
				<th scope="col">{T.keyring.oldest}</th>
				<th scope="col">{T.keyring.used}</th></tr></thead>
			<tbody>{c.data_keys.map(k => <tr key={k.class}>
				<th scope="row">{word(T.keyring.classes,
				    k.class)}</th><td>{k.keys}</td>
				<td class="wide">{k.old}</td>
				<td><Ago at={k.oldest_at} /></td>
				<td>{share(k.seals, c.limits.seals)}</td></tr>)}
			</tbody></table></div></section>
		<section class="card stack"><h2>{T.keyring.algorithms}</h2>
			<div class="scroll" tabIndex={0}><table><thead><tr>
				<th scope="col">{T.keyring.name}</th>
				<th scope="col">{T.keyring.use}</th>
				<th scope="col" class="wide">{T.keyring.parameters}</th>
				<th scope="col" class="wide">{T.keyring.standard}</th>
			</tr></thead><tbody>{c.algorithms.map(a => <tr key={a.name}>
				<th scope="row">{a.name}</th><td>{a.use}</td>
				<td class="wide">{a.parameters}</td>
				<td class="wide">{a.standard}</td></tr>)}</tbody></table>
			</div></section>
	</>;
}

export default function KeysPage() {
	const c = useGet<Crypto>("/v1/policy/crypto");
	const [sealing, seal] = useState(false);
	return <Page title={T.keyring.title} lead={T.keyring.lead} actions={
	    <Button kind="danger" icon="lock" perm="key.seal"
		onClick={() => seal(true)}>{T.keyring.seal}</Button>}>
		<Load of={c}>{v => <Inventory c={v} />}</Load>
		{sealing && <Seal onClose={() => seal(false)} />}
	</Page>;
}
