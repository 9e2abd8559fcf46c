/* views.tsx: filters with names.  Those of ours are always there; one's own
 * are kept (core/prefs). */
import { useState } from "preact/hooks";
import { at } from "../../core/api.ts";
import { Button } from "../../kit/button.tsx";
import { Actions, Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, needs, useForm } from "../../kit/form.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";
import { saveViews, viewsOf, type SavedView } from "../../core/views.ts";

export const FIRING = "status=triggered,acknowledged";
const OURS: [string, string][] = [[T.alerts.views.firing, FIRING],
    [T.alerts.views.unacknowledged, "status=triggered"],
    [T.alerts.views.critical, FIRING + "&severity=critical"],
    [T.alerts.views.loose, FIRING + "&incident=none"],
    [T.alerts.views.all, ""]];

/* Two queries that say the same, in whatever order. */
const norm = (q: string): string => [...new URLSearchParams(q)]
    .map(([k, v]) => `${k}=${v}`).sort().join("&");

function Save({ query, onClose }: { query: string; onClose: () => void }) {
	const form = useForm({ name: "" }, async v => {
		const name = v.name.trim();
		if (name === "")
			throw new Error(needs(T.alerts.viewName));
		await saveViews("alerts", [...viewsOf("alerts")
		    .filter(x => x.name !== name), { name, query }]);
		toast(say(T.alerts.viewSaved, { name }));
		onClose();
	});
	return <Dialog title={T.alerts.saveView} onClose={onClose}>
		<FormBox form={form}>
			<TextField form={form} name="name" required autofocus
			    label={T.alerts.viewName} hint={T.alerts.viewHint} />
			<p><code>{decodeURIComponent(query) || T.kit.any}</code></p>
			<Actions><Button onClick={onClose}>{T.kit.cancel}</Button>
				<Submit form={form}>{T.kit.save}</Submit></Actions>
		</FormBox></Dialog>;
}

export function Views({ project, query }: { project: string;
    query: string }) {
	const [saving, save] = useState(false);
	const mine = viewsOf("alerts"), now = norm(query);
	const ours = OURS.map(([name, q]): SavedView => ({ name, query: q }));
	const own = mine.find(v => norm(v.query) === now);
	const none = ![...ours, ...mine].some(v => norm(v.query) === now);
	const to = (v: SavedView): string => at`/p/${project}/alerts` +
	    (v.query === "" ? "?all=1" : "?" + v.query);
	return <div class="alerts-views">
		<nav class="tabs" aria-label={T.alerts.views.title}>
			{[...ours, ...mine].map(v => <a key={v.name} href={to(v)}
			    aria-current={norm(v.query) === now ? "page" : undefined}>
				{v.name}</a>)}</nav>
		{none && <Button kind="ghost" icon="plus" onClick={() => save(true)}>
			{T.alerts.saveView}</Button>}
		{own && <Button kind="ghost" icon="trash"
		    label={say(T.alerts.removeView, { name: own.name })}
		    onClick={() => saveViews("alerts",
			mine.filter(v => v !== own))} />}
		{saving && <Save query={query} onClose={() => save(false)} />}
	</div>;
}
