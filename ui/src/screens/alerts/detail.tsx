/* detail.tsx: one alert on its own page; [ and ] go on in the list. */
import { useEffect, useState } from "preact/hooks";
import { at } from "../../core/api.ts";
import { go } from "../../app/router.ts";
import { useKeys } from "../../app/keys.ts";
import type { ViewProps } from "../../app/screen.ts";
import { useGet } from "../../core/use.ts";
import { Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { toast } from "../../kit/toast.tsx";
import { T } from "../../text/index.ts";
import { act, allowed, type Verb } from "./actions.ts";
import { Attach } from "./attach.tsx";
import type { Alert } from "./model.ts";
import { AlertView } from "./preview.tsx";
import { shownLast, storeOf } from "./store.ts";

export default function Detail({ params }: ViewProps) {
	const p = params["project"] ?? "", id = params["id"] ?? "";
	const s = storeOf(p);
	const got = useGet<Alert>(at`/v1/projects/${p}/alerts/${id}`, {},
	    e => e.project === p && e.resource.some(r => r.id === id));
	const [attaching, attach] = useState(false);
	const ids = shownLast.project === p ? shownLast.ids : [];
	const i = ids.indexOf(id);
	const list = at`/p/${p}/alerts` + (i >= 0 ? shownLast.query : "");

	useEffect(() => s.use(), [s]);
	useEffect(() => {
		if (got.data)
			s.put([got.data]);
	}, [got.data]);
	void s.version.value;
	/* what one does shows at once: it is in the store first */
	const a = s.rows.get(id) ?? got.data;
	const step = (n: number): void => {
		const to = ids[i + n];
		if (i >= 0 && to !== undefined) {
			shownLast.at = to;
			go(at`/p/${p}/alerts/${to}`, { replace: true });
		}
	};
	const verb = (v: Verb) => (): void => {
		if (a)
			void act(s, [a], v);
	};
	const startAttach = (): void => {
		if (a?.incident)
			toast(T.alerts.attachedAll);
		else
			attach(a !== null && allowed(s));
	};
	useKeys([
		{ key: "[", label: T.alerts.before, run: () => step(-1) },
		{ key: "]", label: T.alerts.next, run: () => step(1) },
		{ key: "a", label: T.alerts.acknowledge, run: verb("acknowledge") },
		{ key: "e", label: T.alerts.resolve, run: verb("resolve") },
		{ key: "m", label: T.alerts.attach, run: startAttach },
		{ key: "u", label: T.alerts.back, run: () => go(list) },
	]);
	return <Page title={a?.title ?? T.alerts.one} back={[list,
	    T.alerts.title]} actions={<>
		<Button label={T.alerts.before} shortcut="[" off={ids[i - 1] ===
		    undefined && T.alerts.noBefore} onClick={() => step(-1)}>←</Button>
		<Button label={T.alerts.next} shortcut="]" off={(i < 0 ||
		    ids[i + 1] === undefined) && T.alerts.noNext}
		    onClick={() => step(1)}>→</Button></>}>
		<Load of={{ ...got, data: a }}>{x => <AlertView a={x} s={s} page
		    onAttach={startAttach} />}</Load>
		{attaching && a && <Attach s={s} alerts={[a]}
		    onClose={() => attach(false)} />}
	</Page>;
}
