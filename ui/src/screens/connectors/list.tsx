/* list.tsx: approved ways to other services. */
import { useState } from "preact/hooks";
import type { ViewProps } from "../../app/screen.ts";
import { go } from "../../app/router.ts";
import { at, post } from "../../core/api.ts";
import { useAll, useGet } from "../../core/use.ts";
import { Ago, Empty, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, word } from "../../text/index.ts";
import type { Connector, Kind } from "./common.ts";
import { ConnectorForm } from "./form.tsx";

export default function List({ params }: ViewProps) {
	const p = params["project"] ?? "";
	const path = at`/v1/projects/${p}/connectors`;
	const list = useAll<Connector>(path, {}, e => e.project === p &&
	    e.action.startsWith("connector."));
	const kinds = useGet<{ items: Kind[] }>("/v1/connector-kinds");
	const [making, make] = useState(false);
	return <Page title={T.connectors.title} lead={T.connectors.lead}
	    actions={<Button kind="primary" icon="plus" perm="connector.edit"
		project={p} onClick={() => make(true)}>
		{T.connectors.create}</Button>}>
		<Load of={list} empty={<Empty icon="plug"
		    title={T.connectors.none}>{T.connectors.noneHint}</Empty>}>
			{all => <div class="scroll card flush" tabIndex={0}><table><thead><tr>
				<th scope="col">{T.connectors.slug}</th>
				<th scope="col">{T.connectors.kind}</th>
				<th scope="col">{T.connectors.state}</th>
				<th scope="col" class="wide">{T.connectors.expires}</th>
			</tr></thead><tbody>{all.map(c => <tr key={c.id}>
				<td><a href={at`/p/${p}/connectors/${c.slug}`}>
					{c.slug}</a>{c.name && c.name !== c.slug && <span class="dim"> <Plain
					text={c.name} /></span>}</td>
				<td>{c.kind}</td>
				<td><span class={`pill st-${c.state}`}>{word(
				    T.connectors.states, c.state)}</span></td>
				<td class="wide"><Ago at={c.expires_at} /></td>
			</tr>)}</tbody></table></div>}</Load>
		{making && kinds.data && <Dialog wide title={T.connectors.create}
		    onClose={() => make(false)}>
			<ConnectorForm kinds={kinds.data.items} project={p}
			    send={async d => {
				const c = (await post<Connector>(path, d)).data;
				go(at`/p/${p}/connectors/${c.slug}`);
			    }} /></Dialog>}
	</Page>;
}
