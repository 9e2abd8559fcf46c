import { Dialog } from "../kit/dialog.tsx";
import { Key } from "../kit/bits.tsx";
import { prefs, setPref } from "../core/prefs.ts";
import { T } from "../text/index.ts";
import { bound } from "./keys.ts";

/* Every key that does something here. */
export default function Help({ onClose }: { onClose: () => void }) {
	const seen = new Map(bound().map(b => [b.key, b.label]));
	return <Dialog title={T.keys.title} onClose={onClose}>
		<label class="check"><input type="checkbox"
		    checked={prefs.value.keys}
		    onChange={e => setPref("keys", e.currentTarget.checked)} />
			{" " + T.keys.on}</label>
		<dl class="keys">{[...seen].map(([k, l]) =>
			<div key={k}><dt><Key k={k} /></dt><dd>{l}</dd></div>)}
		</dl>
	</Dialog>;
}
