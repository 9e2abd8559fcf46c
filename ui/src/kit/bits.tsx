/* bits.tsx: small things that every screen shows the same way. */
import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";
import { Lost, Problem } from "../core/api.ts";
import { ago, now, when } from "../core/time.ts";
import { T, plain, say, word } from "../text/index.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icon.tsx";
import { Plain } from "./plain.tsx";
import { wrong } from "./toast.tsx";

const SHAPES: Record<string, string> = { sev0: "◆", sev1: "▲", sev2: "●",
	sev3: "○", sev4: "–", critical: "◆", error: "▲", warning: "●",
	info: "–", page: "◆" };

/* Shape and word and colour: whoever sees no colour sees the rest. */
export const Severity = ({ value }: { value: string }) =>
	<span class={`sev sev-${value}`}>
		<span aria-hidden="true">{SHAPES[value] ?? "○"}</span>
		{" " + word(T.severity, value)}</span>;

export const Status = ({ value }: { value: string }) =>
	<span class={`pill st-${value}`}>{word(T.status, value)}</span>;

/* How long ago; exactly when, on looking closer. */
export function Ago({ at }: { at: string | null | undefined }) {
	if (!at)
		return <span class="dim">–</span>;
	const ms = Date.parse(at);
	return <time dateTime={at} title={when(ms)}>{ago(ms, now.value)}</time>;
}
export const When = ({ at }: { at: string | null | undefined }) => at ?
	<time dateTime={at} title={at}>{when(Date.parse(at))}</time> :
	<span class="dim">–</span>;

/* Is there a page with a name around? */
const Named = createContext(false);

const useTitle = (title: string): void => useEffect(() => {
	if (title)
		document.title = `${plain(title)} · Redoubt`;
}, [title]);

/* The page's name, for the tab, the h1 and whoever listens. */
export function Page({ title, children, actions, lead, back }: {
    title: string; children: ComponentChildren; actions?: ComponentChildren;
    lead?: ComponentChildren;
    /* the list it is of: where, and what that is called */
    back?: readonly [string, string] }) {
	useTitle(title);
	return <Named.Provider value={true}><div class="page">
		<div class="page-head">
			<div><h1 tabIndex={-1}><Plain text={title} /></h1>
			{lead && <p class="lead">{lead}</p>}</div>
			{actions && <div class="actions">{actions}</div>}
		</div>
		{back && <p><a href={back[0]}><span aria-hidden="true">← </span>
			{back[1]}</a></p>}
		{children}
	</div></Named.Provider>;
}

/* Nothing here, and what to do about it; a check where that is good news. */
export const Empty = ({ title, children, icon }: { title: string;
    children?: ComponentChildren; icon?: string }) =>
	<div class={icon === "check" ? "empty good" : "empty"}>
		<Icon name={icon ?? "list"} size={28} />
		<p class="empty-title">{title}</p>
		{children && <div class="dim">{children}</div>}
	</div>;

/* Why there is nothing: not found, not permitted, lost. */
export function Failed({ error, again }: { error: Error;
    again?: (() => void) | undefined }) {
	const status = error instanceof Problem ? error.status : 0;
	const title = status === 404 ? T.kit.notFound :
	    status === 403 ? T.kit.forbidden :
	    error instanceof Lost ? T.kit.lost : T.kit.failed;
	/* where it is all there is, it is what the page is called */
	const Name = useContext(Named) ? "p" : "h1";
	useTitle(Name === "h1" ? title : "");
	return <div class="empty failed" role="alert">
		<Icon name={status === 403 ? "lock" : "alert"} size={28} />
		<Name class="empty-title" tabIndex={-1}>{title}</Name>
		<p class="dim"><Plain text={wrong(error)} /></p>
		{error instanceof Problem && error.requestId &&
		    <p class="dim mono small">{error.requestId}</p>}
		{again && status !== 404 && status !== 403 &&
		    <Button icon="refresh" onClick={again}>{T.kit.again}</Button>}
	</div>;
}

/* What is loaded, or waited for, or why it did not come. */
export function Load<V>({ of, children, empty }: { of: { data: V | null;
    error: Error | null; reload?: () => void };
    children: (v: V) => ComponentChildren; empty?: ComponentChildren }) {
	if (of.data === null)
		return of.error ? <Failed error={of.error} again={of.reload} /> :
		    <p class="loading" aria-busy="true">{T.kit.loading}</p>;
	if (empty && Array.isArray(of.data) && of.data.length === 0)
		return <>{empty}</>;
	return <>{of.error && <p class="wrong" role="alert">
		{say(T.kit.stale, { why: wrong(of.error) })}</p>}
		{children(of.data)}</>;
}

/* A list of names and values. */
export const Facts = ({ rows }: { rows: (readonly [string,
    ComponentChildren] | null | false)[] }) =>
	<dl class="facts">{rows.filter(r => r).map(r => {
		const [k, v] = r as [string, ComponentChildren];
		return <div key={k}><dt>{k}</dt><dd>{v}</dd></div>;
	})}</dl>;

export const Mono = ({ children }: { children: ComponentChildren }) =>
	<code>{children}</code>;

/* Copy to the clipboard; says so. */
export function Copy({ text, label }: { text: string; label?: string }) {
	return <Button kind="ghost" icon="copy" label={label ?? T.kit.copy}
	    onClick={() => navigator.clipboard.writeText(text)} />;
}

export function Tabs({ tabs, at, label }: { label: string;
    tabs: readonly (readonly [string, string, number?])[]; at: string }) {
	const box = useRef<HTMLElement>(null);
	/* in its box: the page itself stays where it is */
	useEffect(() => {
		const el = box.current, a = el?.querySelector<HTMLElement>(
		    "[aria-current]");
		if (el && a)
			el.scrollLeft = a.offsetLeft - el.offsetLeft -
			    (el.clientWidth - a.offsetWidth) / 2;
	}, [at]);
	return <nav ref={box} class="tabs" aria-label={label}>{tabs.map((
	    [href, l, n]) => <a key={href} href={href}
		aria-current={href === at ? "page" : undefined}>{plain(l)}
		{n !== undefined && <span class="count">{n}</span>}
		</a>)}</nav>;
}

/* A key of the keyboard. */
export const Key = ({ k }: { k: string }) =>
	<>{k.split(" ").map((x, i) => <kbd key={i}>{x}</kbd>)}</>;
