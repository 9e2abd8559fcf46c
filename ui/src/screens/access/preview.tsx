/* preview.tsx: who could do more, who less, were this done: the server's own
 * decisions before and after, and the policy tests. */
import { post } from "../../core/api.ts";
import { useLoaded } from "../../core/use.ts";
import { Load } from "../../kit/bits.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say } from "../../text/index.ts";

export interface Change { method: string; path: string;
	body?: Record<string, unknown> }
interface Cell { name?: string; principal?: { kind: string; id: string };
	permission: string; project?: string | null }
interface Answer { added: Cell[]; removed: Cell[]; added_count: number;
	removed_count: number; truncated: boolean;
	tests: { name?: string; ok: boolean }[] }

const Cells = ({ title, n, cells, cls }: { title: string; n: number;
    cells: Cell[]; cls: string }) => <div>
	<h3 class={cls}>{say(title, { n })}</h3>
	<ul class="access-cells" tabIndex={0} aria-label={say(title,
	    { n })}>{cells.map((c, i) => <li key={i}>
		<Plain text={c.name ?? c.principal?.id ?? ""} />{" "}
		<code>{c.permission}</code>
		{c.project && <span class="dim"> {c.project}</span>}</li>)}</ul>
</div>;

export function Preview({ change }: { change: Change }) {
	const key = JSON.stringify(change);
	const a = useLoaded<Answer>(() => post<Answer>("/v1/access/preview",
	    change), [key]);
	return <section class="card stack" aria-live="polite">
		<Load of={a}>{v => <>
			<Cells title={T.access.added} n={v.added_count}
			    cells={v.added} cls="bad" />
			<Cells title={T.access.removed} n={v.removed_count}
			    cells={v.removed} cls="good" />
			{v.truncated && <p class="dim">{T.access.truncated}</p>}
			{v.tests.filter(t => !t.ok).map((t, i) =>
				<p key={i} class="wrong">{say(T.access.testFails,
				    { name: t.name ?? String(i + 1) })}</p>)}
		</>}</Load></section>;
}
