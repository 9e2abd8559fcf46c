/* similar.ts: open incidents that share words with what is typed.  The
 * server finds a text, not words: so the open ones are compared here. */
import type { Incident } from "../incidents/model.ts";

const COMMON = new Set(("the and for from with are was has not can all its " +
    "that this into after since down").split(" "));

export const wordsOf = (s: string): string[] =>
	[...new Set(s.toLowerCase().split(/[^\p{L}\p{N}]+/u))]
	    .filter(w => w.length > 2 && !COMMON.has(w));

/* Words of the title count double; a beginning counts as the word. */
function score(words: string[], i: Incident): number {
	const title = wordsOf(i.title);
	const rest = wordsOf([i.summary ?? "", ...i.services].join(" "));
	let n = 0;
	for (const w of words) {
		if (title.some(t => t.startsWith(w)))
			n += 2;
		else if (rest.some(t => t.startsWith(w)))
			n++;
	}
	return n;
}

export function similar(typed: string, open: Incident[]): Incident[] {
	const words = wordsOf(typed);
	return open.map(i => ({ i, n: score(words, i) }))
	    .filter(x => x.n >= 2).sort((a, b) => b.n - a.n ||
		b.i.number - a.i.number).slice(0, 5).map(x => x.i);
}
