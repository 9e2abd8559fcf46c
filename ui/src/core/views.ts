/* views.ts: filters one has given a name, of each list.  They are among one's
 * preferences at the server: a name may tell of an incident, so this browser
 * keeps none of it. */
import { effect, signal } from "@preact/signals";
import { call, get, Problem } from "./api.ts";
import { me } from "./session.ts";

export interface SavedView { name: string; query: string }
type All = Record<string, SavedView[]>;
interface Preferences { document: { views?: All; [k: string]: unknown } }

const PATH = "/v1/me/preferences";
const views = signal<All>({});
let whose = "";

effect(() => {
	const id = me.value?.kind === "user" ? me.value.id : "";
	if (id === whose)
		return;
	whose = id;
	views.value = {};
	if (id !== "")
		get<Preferences>(PATH).then(g => {
			views.value = g.data.document.views ?? {};
		}, () => { whose = ""; });
});

export const viewsOf = (list: string): SavedView[] =>
	views.value[list] ?? [];

/* Changes those of a list; what else is among the preferences stays. */
export async function saveViews(list: string, vs: SavedView[]):
    Promise<void> {
	for (let again = 0; ; again++) {
		const old = await get<Preferences>(PATH);
		const document = { ...old.data.document,
			views: { ...old.data.document.views, [list]: vs } };
		try {
			await call("PUT", PATH, { body: { document },
				ifMatch: old.etag });
			views.value = document.views;
			return;
		} catch (e) {
			if (!(e instanceof Problem && e.status === 412) || again > 2)
				throw e;
		}
	}
}
