/* labels.ts: labels as one types them: name=value, one after the other. */
export type Labels = Record<string, string>;

export const pairsOf = (l: Labels | null | undefined): string[] =>
	Object.entries(l ?? {}).map(([k, v]) => `${k}=${v}`);

/* A word without "=" is a name whose value is empty. */
export const labelsOf = (pairs: readonly string[]): Labels =>
	Object.fromEntries(pairs.map(s => {
		const i = s.indexOf("=");
		return i < 0 ? [s, ""] : [s.slice(0, i), s.slice(i + 1)];
	}));
