/* common.ts: what the pages of connectors share. */
export interface Connector { id: string; slug: string; name: string | null;
	kind: string; state: string; version: number; digest: string;
	usable: boolean; why_not: string | null; reaches?: string[];
	editors?: string[]; expires_at: string; approved_by: string | null;
	approved_at: string | null; document: Record<string, unknown>;
	created_at: string; messages?: boolean }
export interface Kind { kind: string; meaning: string; messages: boolean;
	actions: { name: string; description: string; method: string;
	    path: string }[] }
export interface Doc { slug: string; kind: string; base: string;
	actions: unknown; auth: Record<string, unknown>; delegates: { labels?: Record<string, string> };
	expires_at: string; [k: string]: unknown }
