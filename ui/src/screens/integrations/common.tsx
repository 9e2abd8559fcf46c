/* common.tsx: what the pages of integrations share. */
import { Copy } from "../../kit/bits.tsx";
import { T, word } from "../../text/index.ts";

export interface Integration { id: string; name: string; template: string;
	url: string; status: string; disabled: boolean; auth: Scheme;
	default_severity: string; mapping: Record<string, unknown> | null;
	created_at: string; secret?: string; token?: string; jwk?: unknown;
	credentials?: { id: string; kind: string; created_at: string;
	    expires_at: string; last_used: string | null }[] }
export interface Template { name: string; title: string; sample: unknown;
	auth: Scheme[] }
export interface Scheme { kind: string; scheme?: string }

/* A template as people call it. */
export const titleOf = (all: readonly Template[] | undefined,
    name: string): string => all?.find(t => t.name === name)?.title ?? name;

export const schemeName = (s: Scheme): string =>
	word(T.integrations.schemes, s.kind) + (s.scheme ? ": " + s.scheme : "");

/* What is told once. */
export function Told({ i }: { i: Integration }) {
	const example = `curl -H 'Authorization: Bearer ${i.token ?? i.secret}` +
	    `' -H 'Content-Type: application/json' \\\n  -d @payload.json ` + i.url;
	return <div class="stack">
		<p>{T.integrations.once}</p>
		<p>{T.integrations.url}: <code>{i.url}</code> <Copy text={i.url} />
		</p>
		{i.secret && <p>{T.integrations.secret}: <code>{i.secret}</code>{" "}
			<Copy text={i.secret} /></p>}
		{i.token && <p>{T.integrations.token}: <code>{i.token}</code>{" "}
			<Copy text={i.token} /></p>}
		{!!i.jwk && <pre tabIndex={0}>{JSON.stringify(i.jwk, null, 1)}</pre>}
		{i.secret?.startsWith("rdw_") && <pre tabIndex={0}>{example}</pre>}
	</div>;
}
