/* toast.tsx: what was done, for a few seconds, with a way back. */
import { signal } from "@preact/signals";
import { Lost, Problem } from "../core/api.ts";
import { T, say } from "../text/index.ts";
import { Plain } from "./plain.tsx";

interface Toast { id: number; text: string; bad: boolean;
	undo?: () => void | Promise<void> }
const toasts = signal<Toast[]>([]);
let next = 1;
const drop = (id: number): void => {
	toasts.value = toasts.value.filter(t => t.id !== id);
};

export function toast(text: string, undo?: Toast["undo"], bad = false): void {
	const id = next++;
	toasts.value = [...toasts.value.slice(-3),
	    { id, text, bad, ...(undo && { undo }) }];
	setTimeout(() => drop(id), undo ? 10000 : bad ? 12000 : 5000);
}

/* Undo what the newest toast offers to. */
export function undoLast(): void {
	const t = [...toasts.peek()].reverse().find(x => x.undo);
	if (t) {
		drop(t.id);
		void t.undo?.();
	}
}

/* What went wrong, in words. */
export function wrong(e: unknown): string {
	if (e instanceof Problem)
		return e.detail && e.detail !== e.title ?
		    `${e.title}: ${e.detail}` : e.title;
	return e instanceof Lost ? T.kit.lost : String(e);
}
export const toastWrong = (e: unknown): void =>
	toast(wrong(e), undefined, true);

export function Toasts() {
	return <div class="toasts" role="status" aria-live="polite">
		{toasts.value.map(t =>
			<div key={t.id} class={t.bad ? "toast bad" : "toast"}>
				<span><Plain text={t.text} /></span>
				{t.undo && <button type="button" onClick={() => {
					drop(t.id);
					void t.undo?.();
				}}>{say(T.kit.undo, {})}</button>}
			</div>)}
	</div>;
}
