/* sessions.tsx: who is logged in, from where; any of it can be ended. */
import { at, del } from "../../core/api.ts";
import type { Session } from "../../core/session.ts";
import { useAll } from "../../core/use.ts";
import { Agent } from "../../kit/agent.tsx";
import { Ago, Empty, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Person } from "../../kit/person.tsx";
import { toast } from "../../kit/toast.tsx";
import { T } from "../../text/index.ts";

export default function Sessions() {
	const list = useAll<Session>("/v1/sessions", {},
	    e => e.action.startsWith("session."));
	const end = async (s: Session): Promise<void> => {
		await del(at`/v1/sessions/${s.id}`);
		toast(T.me.ended);
		list.reload();
	};
	return <Page title={T.tokens.sessions} lead={T.tokens.sessionsLead}>
		<Load of={list} empty={<Empty title={T.tokens.noSessions} />}>
			{all => <div class="scroll card flush" tabIndex={0}>
			<table class="crud"><thead><tr>
			<th scope="col">{T.tokens.who}</th>
			<th scope="col">{T.me.from}</th>
			<th scope="col" class="wide">{T.me.method}</th>
			<th scope="col" class="wide">{T.me.lastUsed}</th>
			<th scope="col" class="wide">{T.me.until}</th>
			<th scope="col"><span class="sr">{T.me.end}</span></th>
		</tr></thead><tbody>{all.map(s => <tr key={s.id}>
			<td><Person id={s.user} /></td>
			<td><code>{s.address}</code><br /><Agent text={s.agent} /></td>
			<td class="wide">{s.method}</td>
			<td class="wide"><Ago at={s.last_used} /></td>
			<td class="wide"><Ago at={s.expires_at} /></td>
			<td class="crud-actions">{s.current ?
			    <span class="pill st-ok">{T.me.thisOne}</span> :
			    <Button onClick={() => end(s)}>{T.me.end}</Button>}</td>
		</tr>)}</tbody></table></div>}</Load></Page>;
}
