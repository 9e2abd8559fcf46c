/* prefs.ts: how one likes it.  In this browser; no incident data. */
import { effect, signal } from "@preact/signals";

export interface Prefs {
	theme: "system" | "dark" | "light";
	utc: boolean; keys: boolean; sound: boolean; notify: boolean;
	dense: boolean;
}
const NORMAL: Prefs = { theme: "system", utc: false, keys: true,
	sound: false, notify: false, dense: false };

function read(): Prefs {
	try {
		return { ...NORMAL, ...JSON.parse(
		    localStorage.getItem("prefs") ?? "{}") as Partial<Prefs> };
	} catch {
		return NORMAL;
	}
}
export const prefs = signal<Prefs>(read());
export const setPref = <K extends keyof Prefs>(k: K, v: Prefs[K]): void => {
	prefs.value = { ...prefs.peek(), [k]: v };
};

effect(() => {
	const p = prefs.value, root = document.documentElement;
	localStorage.setItem("prefs", JSON.stringify(p));
	if (p.theme === "system")
		delete root.dataset["theme"];
	else
		root.dataset["theme"] = p.theme;
	root.classList.toggle("dense", p.dense);
});
addEventListener("storage", e => {
	if (e.key === "prefs")
		prefs.value = read();
});
