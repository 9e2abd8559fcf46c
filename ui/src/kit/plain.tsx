/* plain.tsx: text of others, with what hides in it in boxes (text/plain.ts). */
import { codePoint, HIDDEN } from "../text/plain.ts";

export function Plain({ text }: { text: string }) {
	if (text.search(HIDDEN) < 0)
		return <>{text}</>;
	const parts: (string | preact.JSX.Element)[] = [];
	let from = 0;
	for (const m of text.matchAll(HIDDEN)) {
		parts.push(text.slice(from, m.index));
		parts.push(<span class="hidden-char" key={m.index}>
			{codePoint(m[0])}</span>);
		from = m.index + m[0].length;
	}
	parts.push(text.slice(from));
	return <>{parts}</>;
}
