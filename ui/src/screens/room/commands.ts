/*
 * commands.ts: what one types after "/".  A command is a word and what
 * follows it; options() are what may follow, run() does it.  What is wrong is
 * thrown, and shown where it was typed.
 */
import { all, at } from "../../core/api.ts";
import { choices } from "../../core/people.ts";
import { me } from "../../core/session.ts";
import { T, say, word } from "../../text/index.ts";
import { SEVERITIES, following, type Incident } from "../incidents/model.ts";
import { moveTo, setSeverity } from "./header.tsx";
import type { Room } from "./incident.ts";

export interface Context { room: Room; i: Incident;
	note: (text: string, key: boolean, once?: string) => Promise<void>;
	startRun: (slug: string) => Promise<void>;
	attach: () => void; help: () => void }
export interface Option { text: string; label: string }
export interface Command { name: string; usage: string; hint: string;
	options?: (c: Context, rest: string) => Option[] | Promise<Option[]>;
	run: (c: Context, rest: string) => unknown }

/* Wrong at once, without asking the server. */
export class Mistake extends Error {
	override toString(): string { return this.message; }
}

const MOST = 10;
const t = T.room.commands;
/* how people say it */
const ALIASES: Record<string, string> = { ack: "acknowledged",
	mitigated: "monitoring", resolve: "resolved", close: "closed",
	reopen: "investigating", cancel: "cancelled" };

interface Runbook { slug: string; name: string; current: number | null;
	archived: boolean }
let books: { project: string; at: number; items: Runbook[] } | null = null;
export async function runbooks(project: string): Promise<Runbook[]> {
	if (books?.project !== project || Date.now() - books.at > 30000) {
		const items = await all<Runbook>(at`/v1/projects/${project}/runbooks`);
		books = { project, at: Date.now(), items: items.filter(b =>
		    b.current !== null && !b.archived) };
	}
	return books.items;
}

const need = (rest: string, what: string): string => {
	if (rest.trim() === "")
		throw new Mistake(say(t.needs, { what }));
	return rest.trim();
};
function oneWord(rest: string): [string, string] {
	const m = /^\s*(\S*)\s*([^]*)$/.exec(rest);
	return [m?.[1] ?? "", m?.[2] ?? ""];
}

async function commander(c: Context, rest: string): Promise<void> {
	const who = need(rest, t.who);
	if (who.toLowerCase() === "nobody")
		return c.room.edit({ commander: null });
	if (who.toLowerCase() === "me") {
		if (me.peek()?.kind !== "user")
			throw new Mistake(t.notUser);
		return c.room.edit({ commander: me.peek()?.id ?? null });
	}
	const fit = await choices(who, ["user"]);
	const exact = fit.filter(w => w.name.toLowerCase() ===
	    who.toLowerCase());
	const [only, ...others] = exact.length > 0 ? exact : fit;
	if (!only)
		throw new Mistake(say(t.noPerson, { who }));
	if (others.length > 0)
		throw new Mistake(say(t.manyPeople, { who, names:
		    fit.slice(0, 4).map(w => w.name).join(", ") }));
	return c.room.edit({ commander: only.id });
}

async function severity(c: Context, rest: string): Promise<void> {
	const n = need(rest, T.incidents.severity).toLowerCase()
	    .replace(/^sev-?/, "");
	const sev = "sev" + n;
	if (!SEVERITIES.includes(sev as "sev0"))
		throw new Mistake(say(t.noSeverity, { given: rest.trim() }));
	return setSeverity(c.room, sev);
}

async function status(c: Context, rest: string): Promise<void> {
	const [typed, note] = oneWord(need(rest, T.incidents.status));
	const to = ALIASES[typed.toLowerCase()] ?? typed.toLowerCase();
	if (!(to in T.status))
		throw new Mistake(say(t.noStatus, { given: typed, known:
		    following(c.i.status).join(", ") }));
	return moveTo(c.room, to, note);
}

export const COMMANDS: Command[] = [
	{ name: "status", usage: t.statusUsage, hint: t.status, run: status,
		options: c => following(c.i.status).map(s =>
		    ({ text: s, label: "" })) },
	{ name: "sev", usage: t.sevUsage, hint: t.sev, run: severity,
		options: () => SEVERITIES.map(s => ({ text: s.slice(3),
			label: word(T.severity, s) })) },
	{ name: "commander", usage: t.commanderUsage, hint: t.commander,
		run: commander, options: async (_, rest) => [
		    { text: "me", label: t.me }, { text: "nobody", label: t.nobody },
		    ...(await choices(rest, ["user"]))
			.filter(w => w.id !== me.peek()?.id)
			.slice(0, 8).map(w => ({ text: w.name, label: "" }))] },
	{ name: "title", usage: t.titleUsage, hint: t.titleHint, run: (c, rest) =>
		c.room.edit({ title: need(rest, T.incidents.name) }) },
	{ name: "key", usage: t.keyUsage, hint: t.key, run: (c, rest) =>
		c.note(need(rest, t.text), true) },
	{ name: "run", usage: t.runUsage, hint: t.run,
		run: (c, rest) => c.startRun(need(rest, t.slug)),
		options: async c => (await runbooks(c.room.project)).map(b =>
		    ({ text: b.slug, label: b.name })) },
	{ name: "private", usage: t.privateUsage, hint: t.private,
		options: () => [{ text: "on", label: t.on },
		    { text: "off", label: t.off }],
		run: (c, rest) => {
			const v = need(rest, "on | off").toLowerCase();
			if (v !== "on" && v !== "off")
				throw new Mistake(say(t.needs, { what: "on | off" }));
			return c.room.edit({ private: v === "on" });
		} },
	{ name: "alert", usage: "/alert", hint: t.alert, run: c => c.attach() },
	{ name: "help", usage: "/help", hint: t.help, run: c => c.help() },
];

export interface Parsed { name: string; rest: string; args: boolean;
	command: Command | undefined }
/* "//" begins a text that begins with "/". */
export function parse(text: string): Parsed | null {
	const m = /^\/(?!\/)(\S*)(\s?)([^]*)$/.exec(text);
	return m ? { name: m[1] ?? "", args: m[2] !== "", rest: m[3] ?? "",
		command: COMMANDS.find(c => c.name === m[1]?.toLowerCase()) } :
	    null;
}

/* What could stand there, each with the whole text it makes. */
export async function suggest(c: Context, text: string): Promise<(Option & {
    whole: string })[]> {
	const p = parse(text);
	if (!p || text.includes("\n"))
		return [];
	if (!p.args)
		return COMMANDS.filter(x => x.name.startsWith(
		    p.name.toLowerCase())).map(x => ({ text: x.usage,
			label: x.hint, whole: `/${x.name} ` }))
		    .filter(o => o.whole.trim() !== text || o.text !== text);
	const rest = p.rest.toLowerCase();
	/* as many as fit: whoever types on has fewer */
	return (await p.command?.options?.(c, p.rest) ?? [])
	    .filter(o => o.text.toLowerCase().startsWith(rest) &&
		o.text.toLowerCase() !== rest).slice(0, MOST)
	    .map(o => ({ ...o, whole: `/${p.command?.name ?? ""} ${o.text}` }));
}

export async function execute(c: Context, text: string): Promise<void> {
	const p = parse(text);
	if (!p?.command)
		throw new Mistake(say(t.unknown, { name: p?.name ?? "" }));
	await p.command.run(c, p.rest);
}
