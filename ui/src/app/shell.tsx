/* shell.tsx: what is round every page. */
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { logout, me, mayAnywhere, project, projects } from "../core/session.ts";
import { prefs, setPref } from "../core/prefs.ts";
import { ConfirmHost } from "../kit/confirm.tsx";
import { Icon } from "../kit/icon.tsx";
import { lazy } from "../kit/lazy.tsx";
import { Toasts, toastWrong, undoLast } from "../kit/toast.tsx";
import { WhyHost } from "../kit/why.tsx";
import { T, plain } from "../text/index.ts";
import { Plain } from "../kit/plain.tsx";
import { Banners, Freshness } from "./banners.tsx";
import { useKeys } from "./keys.ts";
import { SECTIONS, inProject, navAll, navOf } from "./nav.ts";
import { Outlet } from "./outlet.tsx";
import { go, here } from "./router.ts";
import type { NavEntry } from "./screen.ts";

const Palette = lazy(() => import("./palette.tsx"));
const Help = lazy(() => import("./help.tsx"));
export const over = signal<"palette" | "help" | null>(null);

function isHere(n: NavEntry): boolean {
	const p = inProject(n.path), at = here.value.path;
	return at === p || (p !== "/" && at.startsWith(p + "/")) ||
	    (n.also?.includes(here.value.pattern) ?? false);
}

function Nav({ onGo }: { onGo: () => void }) {
	const box = useRef<HTMLElement>(null);
	useEffect(() => box.current?.querySelector("[aria-current]")
	    ?.scrollIntoView({ block: "nearest" }), [here.value.path]);
	return <nav ref={box} class="nav" aria-label={T.nav.label} onClick={e => {
		if ((e.target as Element).closest("a"))
			onGo();
	}}>
		{SECTIONS.map(([s, label]) => {
			const es = navOf(s);
			return es.length === 0 ? null : <div key={s}>
				<h2>{label}</h2>
				<ul>{es.map(n => <li key={n.path}>
					<a href={inProject(n.path)} aria-current={
					    isHere(n) ? "page" : undefined}
					    title={n.key}>
						<Icon name={n.icon} />{n.label}</a>
				</li>)}</ul></div>;
		})}
	</nav>;
}

function ProjectPicker() {
	const all = projects.value;
	return all.length < 2 ? <span class="project">{all[0] ?? ""}</span> :
		<select class="project" aria-label={T.nav.project}
		    value={project.value} onChange={e => {
			const to = e.currentTarget.value, p = here.value.path;
			const pages = navAll().filter(n =>
			    n.path.includes(":project") &&
			    (p + "/").startsWith(inProject(n.path) + "/"));
			project.value = to;
			if (p.startsWith("/p/"))
				go(inProject(pages[0]?.path ?? "/"));
		    }}>
			{all.map(p => <option key={p} value={p}>{p}</option>)}
		</select>;
}

function themeNext(): void {
	const dark = prefs.peek().theme === "dark" ||
	    (prefs.peek().theme === "system" &&
	    matchMedia("(prefers-color-scheme: dark)").matches);
	setPref("theme", dark ? "light" : "dark");
}

function Top({ onMenu, menu }: { onMenu: () => void; menu: boolean }) {
	return <header class="top">
		<button type="button" class="ghost icon-only menu-button"
		    aria-label={T.nav.menu} aria-expanded={menu} onClick={onMenu}>
			<Icon name="list" /></button>
		<a class="brand" href="/"><Icon name="shield" size={20} />
			<span>Redoubt</span></a>
		<ProjectPicker />
		<button type="button" class="search-button"
		    onClick={() => { over.value = "palette"; }}>
			<Icon name="search" /><span>{T.nav.search}</span>
			<kbd>Ctrl K</kbd></button>
		<Freshness />
		{mayAnywhere("incident.create") && <a class="button danger declare"
		    href={inProject("/p/:project/declare")}>
			<Icon name="flame" /><span>{T.nav.declare}</span></a>}
		<a class="me" href="/me" title={plain(me.value?.name ?? "")}>
			<Icon name="user" /><span><Plain text={me.value?.name ?? ""} /></span></a>
		<button type="button" class="ghost icon-only"
		    aria-label={T.nav.logout} title={T.nav.logout}
		    onClick={() => void logout().catch(toastWrong)}>
			<Icon name="logout" /></button>
	</header>;
}

export function Shell() {
	const [menu, open] = useState(false);
	useEffect(() => open(false), [here.value.path]);
	/* the project of the address is the project one is in */
	const p = here.value.params["project"];
	useEffect(() => {
		if (p && projects.peek().includes(p))
			project.value = p;
	}, [p]);
	useKeys([
		{ key: "Ctrl+k", label: T.palette.title,
			run: () => { over.value = "palette"; } },
		{ key: "?", label: T.keys.title,
			run: () => { over.value = "help"; } },
		{ key: "c", label: T.nav.declare,
			run: () => go(inProject("/p/:project/declare")) },
		{ key: "z", label: T.keys.undo, run: undoLast },
		{ key: "D", label: T.keys.theme, run: themeNext },
		{ key: "Escape", label: T.keys.back, run: () => {
			if (document.activeElement instanceof HTMLElement)
				document.activeElement.blur();
		} },
		...navAll().filter(n => n.key).map(n => ({ key: n.key ?? "",
			label: n.label, run: () => go(inProject(n.path)) })),
	]);
	return <>
		<a class="skip" href="#main">{T.nav.skip}</a>
		<Top menu={menu} onMenu={() => open(!menu)} />
		<div class={menu ? "frame menu-open" : "frame"}>
			<Nav onGo={() => open(false)} />
			<main id="main" tabIndex={-1}>
				<Banners />
				<Outlet />
			</main>
		</div>
		<Toasts /><ConfirmHost /><WhyHost />
		{over.value === "palette" && <Palette
		    onClose={() => { over.value = null; }} />}
		{over.value === "help" && <Help
		    onClose={() => { over.value = null; }} />}
	</>;
}
