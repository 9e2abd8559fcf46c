/* dialog.tsx: the browser's own <dialog>: modal, focus comes back. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { T } from "../text/index.ts";
import { Plain } from "./plain.tsx";
import { Icon } from "./icon.tsx";

interface Props {
	title: string; children: ComponentChildren;
	/* asked to close, by Esc, the cross or a click beside */
	onClose?: () => void;
	wide?: boolean; cls?: string;
}

export function Dialog({ title, children, onClose, wide, cls }: Props) {
	const ref = useRef<HTMLDialogElement>(null), id = useId();
	const close = useRef(onClose);
	close.current = onClose;

	useEffect(() => {
		const d = ref.current, before = document.activeElement;
		d?.showModal();
		d?.querySelector<HTMLElement>("[autofocus], input, textarea, " +
		    "select, .dialog-body button")?.focus();
		return () => {
			d?.close();
			if (before instanceof HTMLElement && before.isConnected)
				before.focus();
		};
	}, []);
	return <dialog ref={ref} class={`dialog ${wide ? "wide" : ""} ` +
	    (cls ?? "")} aria-labelledby={id}
	    onCancel={e => { e.preventDefault(); close.current?.(); }}
	    onMouseDown={e => {
		if (e.target === ref.current)
			close.current?.();
	    }}>
		<div class="dialog-head">
			<h2 id={id}><Plain text={title} /></h2>
			{onClose && <button type="button" class="ghost icon-only"
			    aria-label={T.kit.close} onClick={onClose}>
				<Icon name="x" /></button>}
		</div>
		<div class="dialog-body">{children}</div>
	</dialog>;
}

/* What ends a dialog: the way on last. */
export const Actions = ({ children }: { children: ComponentChildren }) =>
	<div class="actions">{children}</div>;
