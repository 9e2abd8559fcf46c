import { useEffect, useState } from "preact/hooks";
import { post } from "../core/api.ts";
import { T, say } from "../text/index.ts";
import { Dialog } from "./dialog.tsx";
import { wrong } from "./toast.tsx";
import { WhyTree, type Explained } from "./why-tree.tsx";
import type { Question } from "./why.tsx";

/* Without a principal the server explains oneself. */
export default function Why({ q, onClose }: { q: Question;
    onClose: () => void }) {
	const [a, set] = useState<Explained | null>(null);
	const [bad, setBad] = useState("");

	useEffect(() => {
		post<Explained>("/v1/access/explain", { permission: q.perm,
			...((q.project || q.resource) && { resource: {
				...(q.project && { project: q.project }),
				...q.resource } }),
		}).then(g => set(g.data), (e: unknown) => setBad(wrong(e)));
	}, []);
	return <Dialog title={T.why.title} onClose={onClose}>
		<p>{say(q.project ? T.why.needsIn : T.why.needs,
		    { perm: q.perm, project: q.project ?? "" })}</p>
		{a && <WhyTree a={a} />}
		{a?.allowed && <p>{T.why.yes}</p>}
		{bad && <p class="bad">{bad}</p>}
		<p class="dim">{T.why.ask}</p>
	</Dialog>;
}
