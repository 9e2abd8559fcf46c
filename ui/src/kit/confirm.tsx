/* confirm.tsx: are you sure; what cannot be taken back is typed. */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { T, say } from "../text/index.ts";
import { Button } from "./button.tsx";
import { Actions, Dialog } from "./dialog.tsx";

interface Ask { title: string; text: string; go: string; type?: string;
	danger?: boolean; answer: (yes: boolean) => void }
const ask = signal<Ask | null>(null);

export const confirm = (q: Omit<Ask, "answer">): Promise<boolean> =>
	new Promise(r => { ask.value = { ...q, answer: r }; });

export function ConfirmHost() {
	return ask.value ? <Confirm key={ask.value.title} q={ask.value} /> : null;
}

function Confirm({ q }: { q: Ask }) {
	const [typed, put] = useState("");
	const end = (yes: boolean): void => { ask.value = null; q.answer(yes); };
	return <Dialog title={q.title} onClose={() => end(false)}>
		<p>{q.text}</p>
		{q.type && <div class="field"><label>
			{say(T.kit.type, { word: q.type })}
			<input value={typed} autocomplete="off"
			    onInput={e => put(e.currentTarget.value)} /></label></div>}
		<Actions>
			<Button onClick={() => end(false)}>{T.kit.cancel}</Button>
			<Button kind={q.danger ? "danger" : "primary"}
			    off={q.type !== undefined && typed !== q.type &&
				say(T.kit.type, { word: q.type })}
			    onClick={() => end(true)}>{q.go}</Button>
		</Actions>
	</Dialog>;
}
