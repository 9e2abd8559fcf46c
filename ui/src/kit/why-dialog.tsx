import { useEffect, useState } from "preact/hooks";
import { post } from "../core/api.ts";
import { me } from "../core/session.ts";
import { T, say } from "../text/index.ts";
import { Dialog } from "./dialog.tsx";
import { wrong } from "./toast.tsx";
import type { Question } from "./why.tsx";

interface Answer { allowed: boolean; because: (string |
    { text?: string; detail?: string; [k: string]: unknown })[];
	[k: string]: unknown }

const line = (b: Answer["because"][number]): string =>
	typeof b === "string" ? b : b.text ?? b.detail ?? JSON.stringify(b);

export default function Why({ q, onClose }: { q: Question;
    onClose: () => void }) {
	const [a, set] = useState<Answer | null>(null);
	const [bad, setBad] = useState("");

	useEffect(() => {
		const m = me.peek();
		post<Answer>("/v1/access/explain", {
			principal: { kind: m?.kind, id: m?.id },
			permission: q.perm,
			...(q.project || q.resource ? { resource: {
				...(q.project && { project: q.project }),
				...q.resource } } : {}),
		}).then(g => set(g.data), (e: unknown) => setBad(wrong(e)));
	}, []);
	return <Dialog title={T.why.title} onClose={onClose}>
		<p>{say(q.project ? T.why.needsIn : T.why.needs,
		    { perm: q.perm, project: q.project ?? "" })}</p>
		{a && <>
			<p><strong>{a.allowed ? T.why.yes : T.why.no}</strong></p>
			<ul>{a.because.map((b, i) => <li key={i}>{line(b)}</li>)}</ul>
		</>}
		{bad && <p class="bad">{bad}</p>}
		<p class="dim">{T.why.ask}</p>
	</Dialog>;
}
