import { Copy } from "../../kit/bits.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { T } from "../../text/index.ts";

/* A token with which somebody sets up their login; shown once. */
export function Enrolment({ token, onClose }: { token: string;
    onClose: () => void }) {
	const link = `${location.origin}/enrol#${token}`;
	return <Dialog title={T.users.enrol} onClose={onClose}>
		<p>{T.users.enrolText}</p>
		<p><code>{link}</code> <Copy text={link} /></p>
		<p class="dim">{T.users.enrolOnce}</p>
	</Dialog>;
}
