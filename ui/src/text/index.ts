/*
 * index.ts: the catalogue, and how its texts are filled in.
 * say("{n} {n|alert|alerts} of {name}", {n: 2, name: "x"}): the number's
 * form is chosen by Intl.PluralRules (one|other here).  What hides in a value
 * is shown: the rest is ours.
 */
import { en } from "./en.ts";
import { plain } from "./plain.ts";

export { plain };

export const T = en;
const plural = new Intl.PluralRules("en");

export function say(text: string, values: Record<string, string | number>):
    string {
	return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g,
	    (whole, k: string, one?: string, other?: string) => {
		const v = values[k];
		if (v === undefined)
			return whole;
		if (one === undefined)
			return plain(String(v));
		return plural.select(Number(v)) === "one" ? one : other ?? "";
	});
}

/* The catalogue's word for a value of the API, or the value: enumerations
 * may grow before the catalogue does, and names that people give stand among
 * some ("constructor" is one). */
export function word(table: Readonly<Record<string, string>>, v: string):
    string {
	return Object.hasOwn(table, v) ? table[v] ?? v : v;
}
