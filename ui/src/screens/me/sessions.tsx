import { at, del } from "../../core/api.ts";
import { me, type Session } from "../../core/session.ts";
import { useAll } from "../../core/use.ts";
import { Agent } from "../../kit/agent.tsx";
import { Ago, Load, When } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { toast } from "../../kit/toast.tsx";
import { T } from "../../text/index.ts";

/* Where one is logged in; each can be ended from here. */
export function Sessions() {
	const list = useAll<Session>("/v1/sessions");
	const end = async (path: string): Promise<void> => {
		await del(path);
		toast(T.me.ended);
		list.reload();
	};
	return <section class="card stack" aria-labelledby="me-sessions">
		<div class="row me-head"><h2 id="me-sessions">{T.me.sessions}</h2>
			<Button icon="logout" onClick={() => end("/v1/sessions")}>
				{T.me.endAll}</Button></div>
		<Load of={list}>{all => {
			const mine = all.filter(s => s.user === me.value?.id);
			return mine.length === 0 ? <p class="dim">{T.me.noSession}</p> :
			    <div class="scroll" tabIndex={0}><table><thead><tr>
				<th scope="col">{T.me.from}</th>
				<th scope="col" class="wide">{T.me.method}</th>
				<th scope="col" class="wide">{T.me.since}</th>
				<th scope="col">{T.me.lastUsed}</th>
				<th scope="col" class="wide">{T.me.until}</th>
				<th scope="col"><span class="sr">{T.me.end}</span></th>
			</tr></thead><tbody>{mine.map(s => <tr key={s.id}>
				<td><code>{s.address}</code><br />
					<Agent text={s.agent} /></td>
				<td class="wide">{s.method}</td>
				<td class="wide"><When at={s.auth_time} /></td>
				<td><Ago at={s.last_used} /></td>
				<td class="wide"><Ago at={s.expires_at} /></td>
				<td class="crud-actions">{s.current ? <span class="pill st-ok">
					{T.me.thisOne}</span> :
				    <Button onClick={() => end(
					at`/v1/sessions/${s.id}`)}>{T.me.end}</Button>}</td>
			</tr>)}</tbody></table></div>;
		}}</Load>
	</section>;
}
