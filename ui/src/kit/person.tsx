import { nameOf } from "../core/people.ts";
import { Plain } from "./plain.tsx";

/* Somebody, or some service. */
export function Person({ id, name, kind }: { id?: string | null | undefined;
    name?: string | null | undefined; kind?: string | undefined }) {
	const text = name ?? nameOf(id);
	return <span class={`person ${kind ?? ""}`} title={id ?? undefined}>
		<span class="initials" aria-hidden="true">
			{text.replace(/[^\p{L}\p{N} ]/gu, "").split(" ")
			    .map(w => w[0] ?? "").join("").slice(0, 2)
			    .toUpperCase()}</span><Plain text={text} /></span>;
}
