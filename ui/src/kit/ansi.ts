/*
 * ansi.ts: a line of a log as pieces with classes.  Of what terminals obey
 * only colours (16) and weights do something here; all else is shown as what
 * it is.
 */
export interface Piece { text: string; cls: string; control?: boolean }

const SEQ = /\x1b(?:\[([0-9;:?<=>!]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])?/g;

interface Pen { fg: number; bg: number; bold: boolean; dim: boolean;
	italic: boolean; under: boolean; swap: boolean }
const plain = (): Pen => ({ fg: -1, bg: -1, bold: false, dim: false,
	italic: false, under: false, swap: false });

function classes(p: Pen): string {
	const fg = p.swap ? p.bg : p.fg, bg = p.swap ? p.fg : p.bg;
	return [fg >= 0 && `ansi-${fg}`, bg >= 0 && `ansi-b${bg}`,
	    p.swap && fg < 0 && bg < 0 && "ansi-swap", p.bold && "ansi-bold",
	    p.dim && "ansi-dim", p.italic && "ansi-italic",
	    p.under && "ansi-under"].filter(Boolean).join(" ");
}

/* One number of SGR; false: not one of ours. */
function apply(p: Pen, n: number): boolean {
	if (n === 0)
		Object.assign(p, plain());
	else if (n === 1)
		p.bold = true;
	else if (n === 2)
		p.dim = true;
	else if (n === 3)
		p.italic = true;
	else if (n === 4)
		p.under = true;
	else if (n === 7)
		p.swap = true;
	else if (n === 22)
		p.bold = p.dim = false;
	else if (n === 23)
		p.italic = false;
	else if (n === 24)
		p.under = false;
	else if (n === 27)
		p.swap = false;
	else if (n >= 30 && n <= 37)
		p.fg = n - 30;
	else if (n === 39)
		p.fg = -1;
	else if (n >= 40 && n <= 47)
		p.bg = n - 40;
	else if (n === 49)
		p.bg = -1;
	else if (n >= 90 && n <= 97)
		p.fg = n - 82;
	else if (n >= 100 && n <= 107)
		p.bg = n - 92;
	else
		return false;
	return true;
}

const shown = (s: string): string => s.replaceAll("\x1b", "ESC")
    .replace(/[\x00-\x1f\x7f]/g, c => "^" +
	String.fromCharCode(c.charCodeAt(0) ^ 0x40));

export function ansi(line: string): Piece[] {
	if (!line.includes("\x1b"))
		return [{ text: line, cls: "" }];
	const out: Piece[] = [], pen = plain();
	let at = 0;
	const put = (text: string): void => {
		if (text !== "")
			out.push({ text, cls: classes(pen) });
	};
	for (const m of line.matchAll(SEQ)) {
		put(line.slice(at, m.index));
		at = m.index + m[0].length;
		const ok = m[2] === "m" && /^[0-9;]*$/.test(m[1] ?? "") &&
		    (m[1] ?? "").split(";").map(x => apply(pen, Number(x)))
			.every(Boolean);
		if (!ok)
			out.push({ text: shown(m[0]), cls: "", control: true });
	}
	put(line.slice(at));
	return out;
}

/* What one sees of it, for searching and measuring. */
export const visible = (line: string): string =>
	ansi(line).map(p => p.text).join("");
