/* why-tree.tsx: a decision of the server, step by step. */
import { T, say } from "../text/index.ts";
import { Plain } from "./plain.tsx";

export interface Explained { allowed: boolean; rule: string;
	because: { step: string; ok: boolean; detail: string;
	    role?: string | null; project?: string | null }[];
	would_allow_if?: (string | { detail?: string; role?: string;
	    project?: string | null })[] }

export function WhyTree({ a }: { a: Explained }) {
	return <div class="stack">
		<p class={a.allowed ? "good" : "bad"}><strong>{a.allowed ?
		    T.why.allowed : T.why.denied}</strong> <span class="dim">
			{a.rule}</span></p>
		<ol class="why">{a.because.map((b, i) => <li key={i}>
			<span class={b.ok ? "good" : "bad"} aria-hidden="true">
				{b.ok ? "✓" : "✗"}</span>
			<span class="sr">{b.ok ? T.why.yes1 : T.why.no1}</span>
			{" "}<Plain text={b.detail} />
			{b.role && <> <code>{b.role}</code></>}</li>)}</ol>
		{(a.would_allow_if?.length ?? 0) > 0 && <>
			<h3>{T.why.wouldIf}</h3>
			<ul>{a.would_allow_if?.map((w, i) => <li key={i}>
				<Plain text={typeof w === "string" ? w :
				    w.detail ?? say(T.why.wouldRole, {
					role: w.role ?? "",
					project: w.project ?? T.why.org }) } /></li>)}
			</ul></>}
	</div>;
}
