/* plain.tsx: text of others.  What would turn it round (bidi) or hide in it
 * (controls, zero width) is shown as what it is. */
const HIDDEN = new RegExp("[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f" +
    "\\u00ad\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2064" +
    "\\u2066-\\u206f\\ufeff]", "g");

export function Plain({ text }: { text: string }) {
	if (text.search(HIDDEN) < 0)
		return <>{text}</>;
	const parts: (string | preact.JSX.Element)[] = [];
	let from = 0;
	for (const m of text.matchAll(HIDDEN)) {
		parts.push(text.slice(from, m.index));
		parts.push(<span class="hidden-char" key={m.index}>{"U+" +
		    (m[0].codePointAt(0) ?? 0).toString(16).toUpperCase()
		    .padStart(4, "0")}</span>);
		from = m.index + m[0].length;
	}
	parts.push(text.slice(from));
	return <>{parts}</>;
}
