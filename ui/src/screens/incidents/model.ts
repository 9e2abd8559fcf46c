/* model.ts: an incident as the API has it, and what may follow what. */
import { T, word } from "../../text/index.ts";

export type Fields = Record<string, unknown>;
export interface Incident {
	id: string; number: number; title: string; summary: string | null;
	severity: string; status: string; type: string | null;
	services: string[]; environments: string[]; fields: Fields;
	security_details: string | null; redacted?: string[];
	private: boolean; commander: string | null; alert_count: number;
	timeline_count: number; source: Source | null;
	created_at: string; updated_at: string;
	acknowledged_at: string | null; mitigated_at: string | null;
	resolved_at: string | null; closed_at: string | null;
	expires_on: string | null;
	break_glass?: unknown;
}
export interface Source { kind: string; principal?: unknown;
	credential?: string | null; address?: string | null }

export const SEVERITIES = ["sev0", "sev1", "sev2", "sev3", "sev4"] as const;
export const NORMAL_SEVERITY = "sev3";
/* in their order; merged is entered by a verb of its own */
const RANKED = ["new", "acknowledged", "investigating", "mitigating",
    "monitoring", "resolved", "closed", "cancelled"];
export const OPEN = RANKED.slice(0, 5);
export const STATUSES = [...RANKED, "merged"];
export const isOpen = (status: string): boolean => OPEN.includes(status);

/* Forward, or an end taken back; all else the server refuses. */
export function following(from: string): string[] {
	if (from === "resolved")
		return ["closed", "investigating"];
	if (from === "closed")
		return ["investigating"];
	return isOpen(from) ? RANKED.slice(RANKED.indexOf(from) + 1) : [];
}

export const severityOptions = SEVERITIES.map(s =>
    [s, word(T.severity, s)] as const);
export const statusOptions = STATUSES.map(s =>
    [s, word(T.status, s)] as const);

/* The numbers the list showed last, in its order: for [ and ]. */
export const lastList: { project: string; numbers: number[] } =
    { project: "", numbers: [] };

/* ---- custom fields as lines, "name: value" ---- */

/* A text that would read as something else is quoted. */
function valueText(v: unknown): string {
	if (typeof v !== "string")
		return JSON.stringify(v);
	return parsed(v) === v && !v.includes("\n") && v.trim() === v ? v :
	    JSON.stringify(v);
}
function parsed(s: string): unknown {
	try {
		return JSON.parse(s) as unknown;
	} catch {
		return s;
	}
}
export const fieldLines = (f: Fields): string =>
	Object.entries(f).map(([k, v]) => `${k}: ${valueText(v)}`).join("\n");

/* The line that says nothing, or the fields. */
export function fieldsOf(lines: string): Fields | string {
	const out: Fields = {};
	for (const line of lines.split("\n").filter(l => l.trim() !== "")) {
		const m = /^\s*([^:]+?)\s*:\s*(.*)$/.exec(line);
		if (!m?.[1])
			return line;
		out[m[1]] = parsed((m[2] ?? "").trim());
	}
	return out;
}

/* Any value of an incident in a line or some. */
export function shown(name: string, v: unknown): string {
	if (v === null || v === undefined || v === "")
		return "";
	if (name === "severity")
		return word(T.severity, String(v));
	if (name === "status")
		return word(T.status, String(v));
	if (Array.isArray(v))
		return v.map(x => typeof x === "string" ? x :
		    JSON.stringify(x)).join(", ");
	if (typeof v === "boolean")
		return v ? T.incidents.yes : T.incidents.no;
	return typeof v === "object" ? fieldLines(v as Fields) : String(v);
}
export const labelOf = (name: string): string =>
	word(T.incidents.fields, name);
