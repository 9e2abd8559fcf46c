/*
 * api.ts: asking the server.  One function, call(); what it throws is a
 * Problem (RFC 9457, what the server said) or a Lost (nothing was said).
 */
import { signal } from "@preact/signals";

export interface FieldError { pointer: string; code: string; detail: string }

export class Problem extends Error {
	readonly errors: FieldError[];
	constructor(readonly status: number, readonly code: string,
	    readonly title: string, readonly detail: string,
	    readonly requestId: string, readonly retryAfter: number,
	    errors: unknown) {
		super(detail || title);
		this.errors = Array.isArray(errors) ? errors as FieldError[] : [];
	}
}

/* The connection is gone, or what came was no answer of ours. */
export class Lost extends Error {}

export type Json = null | boolean | number | string | Json[] |
    { [k: string]: Json };

export interface Got<T> { data: T; etag: string | null; status: number }

export interface Ask {
	body?: unknown;
	query?: Record<string, string | number | boolean | null | undefined>;
	ifMatch?: string | null | undefined;
	/* Idempotency-Key; every POST has one of its own else, and the same
	 * POST once more the same when there was no answer. */
	key?: string;
	signal?: AbortSignal;
	/* A token instead of the session. */
	bearer?: string;
	/* How to read the answer; "none" leaves the body to whoever asked. */
	as?: "json" | "text" | "none";
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/* What every answer tells about the session; session.ts listens. */
export const csrf = signal("");
export const online = signal(true);
export const heard = signal(0);     /* ms: when the server last answered */
type Hook = (p: Problem, path: string) => Promise<boolean>;
let refused: Hook = async () => false;

/* h may put things right, such as by another login, and answer true: then
 * the request is made once more. */
export function onRefused(h: Hook): void { refused = h; }

export function url(path: string, query?: Ask["query"]): string {
	const q = new URLSearchParams();
	for (const [k, v] of Object.entries(query ?? {})) {
		if (v !== undefined && v !== null && v !== "")
			q.set(k, String(v));
	}
	const s = q.toString();
	return s === "" ? path : `${path}?${s}`;
}

function newKey(): string {
	return crypto.randomUUID();
}

/* What was sent and not answered may have been done.  Logins are no such
 * thing, and what they hold is not kept. */
const unanswered = new Map<string, { key: string; at: number }>();
const AGAIN_MS = 120000;
const sameAs = (path: string, body: unknown): string =>
	/^\/v1\/(login|me\/)/.test(path) ? "" :
	`${path}\n${JSON.stringify(body)}`;
function keyFor(id: string): string {
	for (const [k, u] of unanswered) {
		if (Date.now() - u.at > AGAIN_MS)
			unanswered.delete(k);
	}
	return unanswered.get(id)?.key ?? newKey();
}

async function problem(r: Response): Promise<Problem> {
	let o: Record<string, unknown> = {};
	try {
		o = await r.json() as Record<string, unknown>;
	} catch { /* an answer without a body still has a status */ }
	const s = (k: string): string => typeof o[k] === "string" ?
	    o[k] as string : "";
	return new Problem(r.status, s("code"), s("title") || r.statusText,
	    s("detail"), s("request_id") || r.headers.get("x-request-id") || "",
	    Number(r.headers.get("retry-after") ?? 0), o["errors"]);
}

async function send(method: Method, path: string, ask: Ask, key: string):
    Promise<Response> {
	const h = new Headers({ accept: "application/json" });
	if (method !== "GET")
		h.set("x-redoubt-csrf", csrf.peek());
	if (method === "POST")
		h.set("idempotency-key", key);
	if (ask.ifMatch)
		h.set("if-match", ask.ifMatch);
	if (ask.bearer)
		h.set("authorization", "Bearer " + ask.bearer);
	const init: RequestInit = { method, headers: h, redirect: "error",
		credentials: ask.bearer ? "omit" : "same-origin", cache: "no-store" };
	if (ask.signal)
		init.signal = ask.signal;
	if (ask.body !== undefined) {
		h.set("content-type", "application/json");
		init.body = JSON.stringify(ask.body);
	}
	try {
		const r = await fetch(url(path, ask.query), init);
		online.value = true;
		heard.value = Date.now();
		return r;
	} catch (e) {
		if (e instanceof DOMException && e.name === "AbortError")
			throw e;
		online.value = false;
		throw new Lost(String(e));
	}
}

export async function call<T>(method: Method, path: string, ask: Ask = {}):
    Promise<Got<T>> {
	const id = method === "POST" ? sameAs(path, ask.body) : "";
	const key = ask.key ?? keyFor(id);
	for (let again = 0; ; again++) {
		const r = await send(method, path, ask, key).catch((e: unknown) => {
			if (id !== "" && e instanceof Lost)
				unanswered.set(id, { key, at: Date.now() });
			throw e;
		});
		unanswered.delete(id);
		if (r.ok) {
			const as = ask.as ?? "json";
			const data = as === "none" || r.status === 204 ? r :
			    as === "text" ? await r.text() : await r.json();
			return { data: data as T, etag: r.headers.get("etag"),
				status: r.status };
		}
		const p = await problem(r);
		if (again > 0 || ask.bearer || !await refused(p, path))
			throw p;
	}
}

export const get = <T>(path: string, query?: Ask["query"],
    signal?: AbortSignal): Promise<Got<T>> =>
	call<T>("GET", path, { ...(query && { query }), ...(signal && { signal }) });
export const post = <T>(path: string, body?: unknown, ask: Ask = {}):
    Promise<Got<T>> => call<T>("POST", path, { ...ask, body });
export const put = <T>(path: string, body: unknown, ifMatch?: string | null):
    Promise<Got<T>> => call<T>("PUT", path, { body, ifMatch });
export const patch = <T>(path: string, body: unknown, ifMatch?: string | null):
    Promise<Got<T>> => call<T>("PATCH", path, { body, ifMatch });
export const del = (path: string, ifMatch?: string | null, body?: unknown):
    Promise<Got<unknown>> => call("DELETE", path,
	    { ifMatch, ...(body !== undefined && { body }) });

/* Delete what is there now, whatever its version. */
export const delNow = async (path: string): Promise<Got<unknown>> =>
	del(path, (await get(path)).etag);

export interface Page<T> { items: T[]; next: string | null }

/* Every item of a list, at most `most`. */
export async function all<T>(path: string, query: Ask["query"] = {},
    most = 1000): Promise<T[]> {
	const items: T[] = [];
	let cursor: string | null = null;
	do {
		const page: Page<T> = (await get<Page<T>>(path,
		    { limit: 200, ...query, cursor })).data;
		items.push(...page.items);
		cursor = page.next;
	} while (cursor !== null && items.length < most);
	return items;
}

/* A path of segments that may hold anything but what leads out of them. */
export function at(strings: TemplateStringsArray, ...values: (string |
    number)[]): string {
	if (values.some(v => v === "." || v === ".."))
		throw new RangeError("not the name of anything");
	return strings.reduce((a, s, i) => a + s +
	    (i < values.length ? encodeURIComponent(String(values[i])) : ""), "");
}
