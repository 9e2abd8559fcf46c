/*
 * screen.ts: what a screen says of itself.  A screen is a folder of
 * screens/; its screen.ts exports one of these, its views come when they are
 * first looked at.
 */
import type { ComponentType } from "preact";

export interface ViewProps { params: Record<string, string>;
	query: URLSearchParams }
export type View = ComponentType<ViewProps>;

/* Where the navigation has it. */
export type Section = "work" | "automation" | "evidence" | "setup" | "admin";

export interface NavEntry {
	section: Section; order: number;
	/* :project is the project one is in */
	path: string; label: string; icon: string;
	/* routes that are of it, and not under its path */
	also?: string[];
	/* shown to whoever has one of these: in the project if the path has
	 * :project, else anywhere */
	perm?: string | string[];
	/* such as "g i" */
	key?: string;
}

export interface Command {
	id: string; label: string; keywords?: string;
	perm?: string; key?: string;
	/* a path to go to, or what to do */
	path?: string;
	run?: () => void | Promise<void>;
}

export interface Screen {
	id: string;
	/* pattern, such as /p/:project/i/:num: its view */
	routes: Record<string, () => Promise<{ default: View }>>;
	nav?: NavEntry[];
	commands?: Command[];
}
export const screen = (s: Screen): Screen => s;
