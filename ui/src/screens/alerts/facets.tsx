/* facets.tsx: what the list holds of each value; a click edits the filter's
 * own text, so that both always say the same. */
import { goQuery } from "../../app/router.ts";
import type { Values } from "../../kit/filter.tsx";
import { Severity } from "../../kit/bits.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say, word } from "../../text/index.ts";
import { SEVERITIES, STATUSES, toggled, type Counts, type Facet }
    from "./model.ts";

const FEW = 6;

function Chip({ f, v, n, values }: { f: Facet; v: string; n: number;
    values: Values }) {
	const on = (values[f] ?? "").split(",").includes(v);
	const off = (values["-" + f] ?? "").split(",").includes(v);
	return <button type="button" class={`alerts-chip ${off ? "off" : ""}`}
	    aria-pressed={on} onClick={() => goQuery(off ?
		{ ["-" + f]: toggled(values["-" + f], v) } :
		{ [f]: toggled(values[f], v) })}>
		{f === "severity" ? <Severity value={v} /> : f === "status" ?
		    word(T.status, v) : f === "incident" ?
		    word(T.alerts.hasIncident, v) : <Plain text={v} />}
		<span class="count">{n}</span>
		{off && <span class="sr">{T.alerts.excluded}</span>}
	</button>;
}

function valuesOf(f: Facet, counts: Counts, values: Values): string[] {
	const fixed: readonly string[] = f === "severity" ? SEVERITIES :
	    f === "status" ? STATUSES : f === "incident" ? ["any", "none"] : [];
	if (fixed.length > 0)
		return fixed.filter(v => f !== "status" || v !== "suppressed" ||
		    counts[f].has(v) || values[f]?.includes(v));
	const set = new Set([...(values[f] ?? "").split(","),
	    ...(values["-" + f] ?? "").split(",")].filter(x => x !== ""));
	for (const [v] of [...counts[f]].sort((a, b) => b[1] - a[1])) {
		if (set.size >= FEW)
			break;
		set.add(v);
	}
	return [...set];
}

export function Facets({ counts, values }: { counts: Counts;
    values: Values }) {
	return <div class="alerts-facets">
		{(["severity", "status", "incident", "service"] as const).map(f => {
			const vs = valuesOf(f, counts, values);
			const more = counts[f].size - vs.length;
			return vs.length === 0 ? null : <div key={f} role="group"
			    class="alerts-facet" aria-label={T.alerts[f]}>
				<span class="dim small">{T.alerts[f]}</span>
				{vs.map(v => <Chip key={v} f={f} v={v} values={values}
				    n={counts[f].get(v) ?? 0} />)}
				{f === "service" && more > 0 && <span class="dim small">
					{say(T.alerts.moreValues, { n: more })}</span>}
			</div>;
		})}
	</div>;
}
