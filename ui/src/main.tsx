/* main.tsx: begin.  What is shown depends on who is here (core/session). */
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { Shell } from "./app/shell.tsx";
import { go, here } from "./app/router.ts";
import { Outlet } from "./app/outlet.tsx";
import { follow } from "./core/live.ts";
import { load, state, stepUp } from "./core/session.ts";
import { Page, Empty } from "./kit/bits.tsx";
import { Button } from "./kit/button.tsx";
import { Icon } from "./kit/icon.tsx";
import { Toasts } from "./kit/toast.tsx";
import { lazy } from "./kit/lazy.tsx";
import { T } from "./text/index.ts";
import "./core/prefs.ts";

const Again = lazy(() => import("./screens/login/again.tsx"));

/* Pages for whoever is not logged in. */
const OPEN = ["/login", "/enrol"];

function App() {
	const s = state.value, open = OPEN.includes(here.value.path);
	useEffect(() => {
		if (s === "out" && !open)
			go("/login?next=" + encodeURIComponent(here.peek().path +
			    location.search), { replace: true });
	}, [s, open]);
	if (s === "sealed" || s === "lost")
		return <main class="alone"><Page title={s === "sealed" ?
		    T.banner.sealedTitle : T.kit.lost}>
			<Empty icon="lock" title={s === "sealed" ?
			    T.banner.sealed : T.banner.noServer}>
				<Button icon="refresh" onClick={load}>
					{T.kit.again}</Button></Empty></Page></main>;
	if (s === "loading")
		return <main class="boot" aria-busy="true"><h1>Redoubt</h1>
			<p>{T.kit.loading}</p></main>;
	if (open || s === "out")
		return <main id="main" class="alone" tabIndex={-1}>
			<p class="brand"><Icon name="shield" size={20} /> Redoubt</p>
			{open && <Outlet />}<Toasts /></main>;
	return <><Shell />
		{(s === "expired" || stepUp.value) && <Again />}</>;
}

function start(): void {
	const root = document.getElementById("app");
	if (!root)
		return;
	root.replaceChildren();
	render(<App />, root);
	follow();
	/* what makes itself heard is not needed to show anything */
	const alarm = (): void => { import("./core/alarm.ts")
	    .catch(() => setTimeout(alarm, 30000)); };
	setTimeout(alarm, 3000);
}

/* the static shell is painted before anything runs */
requestAnimationFrame(() => setTimeout(() => {
	void load().finally(start);
}, 0));
/* as long as there is no answer, ask again */
setInterval(() => {
	if (["lost", "sealed"].includes(state.peek()))
		void load();
}, 5000);
