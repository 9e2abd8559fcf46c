/* views.ts: filters one has given a name, of each list. */
import { signal } from "@preact/signals";

export interface SavedView { name: string; query: string }
type All = Record<string, SavedView[]>;

function read(): All {
	try {
		return JSON.parse(localStorage.getItem("views") ?? "{}") as All;
	} catch {
		return {};
	}
}
const views = signal<All>(read());
addEventListener("storage", e => {
	if (e.key === "views")
		views.value = read();
});

export const viewsOf = (list: string): SavedView[] =>
	views.value[list] ?? [];
export async function saveViews(list: string, vs: SavedView[]):
    Promise<void> {
	views.value = { ...views.peek(), [list]: vs };
	localStorage.setItem("views", JSON.stringify(views.peek()));
}
