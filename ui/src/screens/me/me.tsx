/* me.tsx: how one likes it, how one logs in, where one is logged in. */
import { me } from "../../core/session.ts";
import { prefs, setPref, type Prefs } from "../../core/prefs.ts";
import { Page } from "../../kit/bits.tsx";
import { toast } from "../../kit/toast.tsx";
import { T } from "../../text/index.ts";
import { Sessions } from "./sessions.tsx";
import { Ways } from "./ways.tsx";

const THEMES = [["system", T.me.system], ["dark", T.me.dark],
    ["light", T.me.light]] as const;

type Switch = {
	[K in keyof Prefs]: Prefs[K] extends boolean ? K : never;
}[keyof Prefs];

function Check({ name, label, hint }: { name: Switch; label: string;
    hint?: string }) {
	const change = async (on: boolean): Promise<void> => {
		if (name === "notify" && on &&
		    await Notification.requestPermission() !== "granted") {
			toast(T.me.notifyNo, undefined, true);
			on = false;
		}
		setPref(name, on);
	};
	return <div class="field check"><label>
		<input type="checkbox" checked={prefs.value[name]}
		    onChange={e => void change(e.currentTarget.checked)} />
		{" " + label}</label>
		{hint && <p class="hint">{hint}</p>}</div>;
}

function Look() {
	return <section class="card stack" aria-labelledby="me-look">
		<h2 id="me-look">{T.me.look}</h2>
		<fieldset class="me-theme"><legend>{T.me.theme}</legend>
			{THEMES.map(([v, l]) => <label key={v}>
				<input type="radio" name="theme" value={v}
				    checked={prefs.value.theme === v}
				    onChange={() => setPref("theme", v)} /> {l}
			</label>)}
		</fieldset>
		<Check name="dense" label={T.me.dense} />
		<Check name="utc" label={T.me.utc} />
		<Check name="keys" label={T.me.keysOn} />
		<Check name="notify" label={T.me.notify} hint={T.me.notifyHint} />
		<Check name="sound" label={T.me.sound} />
	</section>;
}

function Rights() {
	const m = me.value;
	return <section class="card" aria-labelledby="me-rights">
		<h2 id="me-rights">{T.me.rights}</h2>
		<p class="dim">{T.me.rightsHint}</p>
		{Object.entries(m?.projects ?? {}).map(([p, perms]) =>
			<details key={p}><summary>{p}
				<span class="count">{perms.length}</span></summary>
				<p class="me-perms">{perms.map(x =>
					<code key={x}>{x}</code>)}</p></details>)}
	</section>;
}

export default function MePage() {
	return <Page title={T.me.title} lead={[me.value?.name,
	    me.value?.email].filter(x => x).join(" · ")}>
		<div class="stack"><Look /><Ways /><Sessions /><Rights /></div>
	</Page>;
}
