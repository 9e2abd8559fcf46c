/* banners.tsx: what must not be overlooked: lost, frozen, glass broken. */
import { useEffect, useState } from "preact/hooks";
import { at, get, heard, online } from "../core/api.ts";
import { open, whenever } from "../core/live.ts";
import { load, may, me, project, state } from "../core/session.ts";
import { ago, now } from "../core/time.ts";
import { Button } from "../kit/button.tsx";
import { Icon } from "../kit/icon.tsx";
import { T, say } from "../text/index.ts";

/* Silence must not look like health: when the server was last heard. */
export function Freshness() {
	const live = open.value && online.value;
	const old = heard.value > 0 && now.value - heard.value > 20000;
	const text = !live || old ? T.live.stale : T.live.live;
	return <span class={`fresh ${live && !old ? "ok" : "stale"}`}
	    title={heard.value ? say(T.live.heard,
		{ t: ago(heard.value, now.value) }) : undefined}>
		<span class="dot" aria-hidden="true" />{text}
		{(!live || old) && heard.value > 0 &&
		    <span> {ago(heard.value, now.value)}</span>}</span>;
}

interface Freeze { frozen: boolean; reason?: string }

function useFreeze(): string | null {
	const [s, set] = useState<string | null>(null);
	const p = project.value, inside = state.value === "in";
	useEffect(() => {
		if (!inside)
			return undefined;
		const ask = async (): Promise<void> => {
			const org = (await get<Freeze>("/v1/automation/freeze")).data;
			const own = p && may("project.view", p) ?
			    (await get<Freeze>(
				at`/v1/projects/${p}/automation/freeze`)).data : null;
			set(org.frozen ? T.banner.frozenAll : own?.frozen ?
			    say(T.banner.frozen, { project: p }) : null);
		};
		const again = (): void => { ask().catch(() => undefined); };
		again();
		return whenever(e => e.action.startsWith("automation."), again);
	}, [p, inside]);
	return s;
}

export function Banners() {
	const frozen = useFreeze();
	const glass = me.value?.break_glass ?? [];
	return <div class="banners" aria-live="polite">
		{!online.value && state.value === "in" &&
		    <p class="banner bad"><Icon name="alert" /> {T.banner.lost}
			<Button icon="refresh" onClick={load}>{T.kit.again}</Button>
		    </p>}
		{frozen && <p class="banner cold"><Icon name="freeze" /> {frozen}</p>}
		{glass.length > 0 && <p class="banner hot"><Icon name="flame" />
			{" " + say(T.banner.glass, { n: glass.length })}</p>}
	</div>;
}
