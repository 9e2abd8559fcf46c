/* matrix.tsx: what fires, severity by service; each number opens the inbox
 * with that filter. */
import { at } from "../../core/api.ts";
import { Severity } from "../../kit/bits.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say, word } from "../../text/index.ts";
import type { Board, Firing } from "./board.ts";

const SEVERITIES = ["critical", "error", "warning", "info"];
const ROWS = 15;

interface Row { service: string; by: Map<string, Firing>; n: number }

function rowsOf(firing: Firing[]): Row[] {
	const rows = new Map<string, Row>();
	for (const f of firing) {
		const k = f.service ?? "none";
		const r = rows.get(k) ?? { service: k, by: new Map(), n: 0 };
		r.by.set(f.severity, f);
		r.n += f.count;
		rows.set(k, r);
	}
	const worst = (r: Row): number => SEVERITIES.findIndex(s => r.by.has(s));
	const most = (r: Row): number =>
		r.by.get(SEVERITIES[worst(r)] ?? "")?.count ?? 0;
	return [...rows.values()].sort((a, b) => worst(a) - worst(b) ||
	    most(b) - most(a) || b.n - a.n);
}

export function Matrix({ b, many }: { b: Board; many: boolean }) {
	const firing = b.firing ?? [], rows = rowsOf(firing);
	const loud = firing.reduce((n, f) => n + f.unacknowledged, 0);
	const to = (q: Record<string, string>): string =>
		at`/p/${b.project}/alerts` + "?" + new URLSearchParams(
		    { status: "triggered,acknowledged", ...q }).toString();
	return <section class="card now-matrix">
		<h2><a href={to({})}>{say(b.more ? T.now.firingMore :
		    T.now.firing, { n: b.total })}</a>
			{many && <span class="dim"> {b.project}</span>}
			<span class={loud > 0 ? "pill st-new" : "pill st-ok"}>
				{loud > 0 ? say(T.now.loud, { n: loud }) :
				    T.now.allTaken}</span></h2>
		<div class="scroll" tabIndex={0} role="region"
		    aria-label={T.now.matrix}><table>
			<thead><tr><th scope="col">{T.now.service}</th>
				{SEVERITIES.map(s => <th key={s} scope="col">
					<Severity value={s} /></th>)}</tr></thead>
			<tbody>{rows.slice(0, ROWS).map(r => <tr key={r.service}>
				<th scope="row"><a href={to({ service: r.service })}>
					{r.service === "none" ? T.now.noService :
					    <Plain text={r.service} />}</a></th>
				{SEVERITIES.map(s => {
					const f = r.by.get(s);
					const open = f?.unacknowledged ?? 0;
					return <td key={s}>{!f ?
					    <span class="dim" aria-hidden="true">·</span> :
					    <a class={`now-cell now-${s}` +
						(open > 0 ? "" : " taken")}
						href={to({ service: r.service, severity: s })}
						aria-label={say(T.now.cell, { n: f.count, open,
						    severity: word(T.severity, s),
						    service: r.service })}>{f.count}</a>}</td>;
				})}</tr>)}</tbody>
		</table></div>
		{rows.length > ROWS && <p><a href={to({})}>
			{say(T.now.moreServices, { n: rows.length - ROWS })}</a></p>}
	</section>;
}
