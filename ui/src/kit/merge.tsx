/* merge.tsx: somebody else changed it meanwhile: field by field, theirs or
 * mine; never the last one silently. */
import { useState } from "preact/hooks";
import { T, say } from "../text/index.ts";
import { Button } from "./button.tsx";
import { Actions, Dialog } from "./dialog.tsx";
import { Plain } from "./plain.tsx";

export interface Conflict { name: string; label: string; mine: string;
	theirs: string; base?: string | undefined }

export function Merge({ what, conflicts, onChoose, onClose }: {
    what: string; conflicts: Conflict[];
    /* the fields of which mine is kept */
    onChoose: (mine: Set<string>) => unknown; onClose: () => void }) {
	const [mine, set] = useState(new Set(conflicts.map(c => c.name)));
	const pick = (name: string, m: boolean): void => set(old => {
		const s = new Set(old);
		if (m)
			s.add(name);
		else
			s.delete(name);
		return s;
	});
	return <Dialog title={T.merge.title} onClose={onClose} wide>
		<p>{say(T.merge.text, { what })}</p>
		<div class="scroll" tabIndex={0}><table class="merge"><thead><tr>
			<th scope="col">{T.merge.field}</th>
			<th scope="col">{T.merge.mine}</th>
			<th scope="col">{T.merge.theirs}</th>
		</tr></thead><tbody>{conflicts.map(c => <tr key={c.name}>
			<th scope="row">{c.label}{c.base !== undefined &&
			    <span class="dim small"><br />{T.merge.base}: <Plain
				text={c.base} /></span>}</th>
			{([[true, c.mine], [false, c.theirs]] as const).map(([m, v]) =>
				<td key={String(m)}><label>
					<input type="radio" name={"merge-" + c.name}
					    checked={mine.has(c.name) === m}
					    onChange={() => pick(c.name, m)} />
					{" "}<Plain text={v || T.kit.none} /></label></td>)}
		</tr>)}</tbody></table></div>
		<Actions>
			<Button onClick={onClose}>{T.kit.cancel}</Button>
			<Button kind="primary" onClick={() => onChoose(mine)}>
				{T.merge.go}</Button>
		</Actions>
	</Dialog>;
}
