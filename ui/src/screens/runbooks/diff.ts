/* diff.ts: two texts, line by line: what stayed, came and went. */
export type Line = readonly ["=" | "+" | "-", string];
const CELLS = 4e6;

export function diff(a: readonly string[], b: readonly string[]): Line[] {
	let s = 0, e = 0;
	while (s < a.length && s < b.length && a[s] === b[s])
		s++;
	while (e < a.length - s && e < b.length - s &&
	    a[a.length - 1 - e] === b[b.length - 1 - e])
		e++;
	const x = a.slice(s, a.length - e), y = b.slice(s, b.length - e);
	const keep = (l: readonly string[]): Line[] => l.map(t => ["=", t]);
	return [...keep(a.slice(0, s)), ...middle(x, y),
	    ...keep(a.slice(a.length - e))];
}

/* The longest common part, by the table. */
function middle(x: readonly string[], y: readonly string[]): Line[] {
	const n = x.length, m = y.length, w = m + 1;
	if (n * m > CELLS)
		return [...x.map(t => ["-", t] as const),
		    ...y.map(t => ["+", t] as const)];
	const len = new Uint16Array((n + 1) * w);
	for (let i = n - 1; i >= 0; i--)
		for (let j = m - 1; j >= 0; j--)
			len[i * w + j] = x[i] === y[j] ?
			    (len[(i + 1) * w + j + 1] ?? 0) + 1 :
			    Math.max(len[(i + 1) * w + j] ?? 0,
				len[i * w + j + 1] ?? 0);
	const out: Line[] = [];
	let i = 0, j = 0;
	while (i < n || j < m) {
		if (i < n && j < m && x[i] === y[j]) {
			out.push(["=", x[i] ?? ""]);
			i++;
			j++;
		} else if (i < n && (j === m || (len[(i + 1) * w + j] ?? 0) >=
		    (len[i * w + j + 1] ?? 0))) {
			out.push(["-", x[i++] ?? ""]);
		} else {
			out.push(["+", y[j++] ?? ""]);
		}
	}
	return out;
}

/* Only so many equal lines around what differs; null: lines left out. */
export function around(lines: Line[], n = 3): (Line | null)[] {
	const near = (i: number): boolean => lines.slice(Math.max(0, i - n),
	    i + n + 1).some(l => l[0] !== "=");
	const out: (Line | null)[] = [];
	lines.forEach((l, i) => {
		if (near(i))
			out.push(l);
		else if (out.length === 0 || out[out.length - 1] !== null)
			out.push(null);
	});
	return out;
}
