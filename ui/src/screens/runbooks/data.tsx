/* data.tsx: JSON of others, to be read. */
import { Plain } from "../../kit/plain.tsx";
import { textOf, type Json } from "./tree.ts";

export const Data = ({ label, value, open }: { label: string; value: Json;
    open?: boolean }) => <details open={open} class="runbooks-data">
	<summary>{label}</summary>
	{typeof value === "object" && value !== null && !Array.isArray(value) ?
		<dl class="facts">{Object.entries(value).map(([k, v]) =>
			<div key={k}><dt class="mono"><Plain text={k} /></dt>
			<dd class="mono runbooks-value"><Plain text={textOf(v)} /></dd>
			</div>)}</dl> :
		<pre><Plain text={textOf(value)} /></pre>}
	</details>;
