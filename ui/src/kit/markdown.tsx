/*
 * markdown.tsx: Markdown as vnodes.  marked only cuts the text into tokens;
 * no HTML is made of it, so nothing in it can be any (ADR 0046).  What is
 * written as HTML is shown as the text it is.
 */
import type { ComponentChildren } from "preact";
import { Lexer, type Token, type Tokens } from "marked";
import { Plain } from "./plain.tsx";

/* Only addresses a person may follow from here; never javascript:, data:. */
export function safeHref(s: string): string | null {
	try {
		const u = new URL(s, location.origin);
		return ["https:", "http:", "mailto:"].includes(u.protocol) ? s :
		    null;
	} catch {
		return null;
	}
}

const DEEP = 20;

function inline(ts: Token[] | undefined, deep: number): ComponentChildren {
	if (deep > DEEP)
		return ts?.map(t => t.raw).join("");
	return ts?.map((t, i) => {
		const within = (): ComponentChildren =>
			inline((t as Tokens.Generic).tokens, deep + 1);
		switch (t.type) {
		case "strong": return <strong key={i}>{within()}</strong>;
		case "em": return <em key={i}>{within()}</em>;
		case "del": return <del key={i}>{within()}</del>;
		case "codespan":
			return <code key={i}>{(t as Tokens.Codespan).text}</code>;
		case "br": return <br key={i} />;
		case "link": {
			const href = safeHref((t as Tokens.Link).href);
			return href ? <a key={i} href={href} rel="noreferrer noopener"
			    target={href.startsWith("/") ? undefined : "_blank"}>
				{within()}</a> : <span key={i}>{t.raw}</span>;
		}
		case "text": case "escape":
			return (t as Tokens.Text).tokens ? within() :
			    <Plain key={i} text={(t as Tokens.Text).text} />;
		default: return <Plain key={i} text={t.raw} />;
		}
	});
}

function block(ts: Token[], deep = 0): ComponentChildren {
	if (deep > DEEP)
		return ts.map(t => t.raw).join("");
	return ts.map((t, i) => {
		switch (t.type) {
		case "space": return null;
		case "heading": return <p key={i} class="md-h">
			{inline((t as Tokens.Heading).tokens, 0)}</p>;
		case "paragraph": return <p key={i}>
			{inline((t as Tokens.Paragraph).tokens, 0)}</p>;
		case "text": return <span key={i}>
			{inline((t as Tokens.Text).tokens ?? [t], 1)}</span>;
		case "code": return <pre key={i} tabIndex={0}><code>
			{(t as Tokens.Code).text}</code></pre>;
		case "blockquote": return <blockquote key={i}>
			{block((t as Tokens.Blockquote).tokens, deep + 1)}
			</blockquote>;
		case "hr": return <hr key={i} />;
		case "list": {
			const l = t as Tokens.List;
			const items = l.items.map((x, j) => <li key={j}>
				{x.task && <input type="checkbox" disabled
				    aria-label={x.text} checked={x.checked ?? false} />}
				{block(x.tokens, deep + 1)}</li>);
			return l.ordered ? <ol key={i} start={Number(l.start) || 1}>
				{items}</ol> : <ul key={i}>{items}</ul>;
		}
		case "table": {
			const x = t as Tokens.Table;
			return <table key={i}><thead><tr>{x.header.map((c, j) =>
				<th key={j} scope="col">{inline(c.tokens, 0)}</th>)}
				</tr></thead><tbody>{x.rows.map((r, j) =>
				<tr key={j}>{r.map((c, k) =>
				<td key={k}>{inline(c.tokens, 0)}</td>)}</tr>)}
				</tbody></table>;
		}
		default: return <Plain key={i} text={t.raw} />;
		}
	});
}

export default function Markdown({ text }: { text: string }) {
	return <div class="md" dir="auto">
		{block(new Lexer({ gfm: true, breaks: true }).lex(text))}</div>;
}
