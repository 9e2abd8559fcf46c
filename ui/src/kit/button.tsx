/* button.tsx: what does something.  Busy while it does; a permission that is
 * lacking leaves it there, and it then answers why. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { may, mayAnywhere } from "../core/session.ts";
import { T, plain, say } from "../text/index.ts";
import { Icon } from "./icon.tsx";
import { toast, toastWrong } from "./toast.tsx";
import { askWhy } from "./why.tsx";

export interface ButtonProps {
	children?: ComponentChildren;
	/* answers a promise: the button is busy until it is settled; what is
	 * thrown is shown, unless onWrong takes it */
	onClick?: (() => unknown) | undefined;
	onWrong?: (e: unknown) => void;
	kind?: "primary" | "danger" | "ghost" | "plain";
	icon?: string; label?: string; type?: "button" | "submit";
	/* the permission it takes; in a project, or (null) the organization;
	 * "anywhere": some project will do */
	perm?: string; project?: string | null | "anywhere";
	resource?: { type: string; id: string };
	/* why it cannot be used now, though one may */
	off?: string | false | undefined;
	busy?: boolean; shortcut?: string; pressed?: boolean; cls?: string;
	autofocus?: boolean;
}

export function Button(p: ButtonProps) {
	const [running, run] = useState(false);
	const denied = p.perm !== undefined && !(p.project === "anywhere" ?
	    mayAnywhere(p.perm) : may(p.perm, p.project));
	const off = denied || !!p.off;
	const label = p.label === undefined ? undefined : plain(p.label);
	const title = denied ? say(T.why.hint, { perm: p.perm ?? "" }) :
	    p.off || (p.shortcut ? `${label ?? ""} (${p.shortcut})`.trim() :
	    p.children === undefined ? label : undefined);

	const click = (e: MouseEvent): void => {
		if (denied) {
			e.preventDefault();
			askWhy({ perm: p.perm ?? "", resource: p.resource,
				project: p.project === "anywhere" ? null : p.project });
			return;
		}
		if (off || running || !p.onClick) {
			if (off)
				e.preventDefault();
			/* a title is for those with a mouse only */
			if (p.off)
				toast(p.off);
			return;
		}
		const r = p.onClick();
		if (r instanceof Promise) {
			run(true);
			r.catch(p.onWrong ?? toastWrong).finally(() => run(false));
		}
	};
	return <button type={p.type ?? "button"} onClick={click}
	    class={`${p.kind ?? "plain"} ${p.children === undefined ?
		"icon-only" : ""} ${denied ? "denied" : ""} ${p.cls ?? ""}`}
	    aria-disabled={off || undefined} title={title || undefined}
	    aria-label={p.children === undefined ? label : undefined}
	    aria-pressed={p.pressed} aria-busy={running || p.busy || undefined}
	    autofocus={p.autofocus}>
		{p.icon && <Icon name={denied ? "lock" : p.icon} />}
		{denied && !p.icon && <Icon name="lock" size={13} />}
		{p.children}
	</button>;
}
