/* login.tsx: who are you? */
import { useEffect } from "preact/hooks";
import { go } from "../../app/router.ts";
import type { ViewProps } from "../../app/screen.ts";
import { load, me, state } from "../../core/session.ts";
import { Page } from "../../kit/bits.tsx";
import { Icon } from "../../kit/icon.tsx";
import { T, say } from "../../text/index.ts";
import { LoginForm, useMethods } from "./form.tsx";

/* Only a page of ours. */
export function nextOf(query: URLSearchParams): string {
	const n = query.get("next") ?? "/";
	try {
		const u = new URL(n, location.origin);
		return n.startsWith("/") && u.origin === location.origin &&
		    u.pathname !== "/login" ? u.pathname + u.search : "/";
	} catch {
		return "/";
	}
}

export default function Login({ query }: ViewProps) {
	const methods = useMethods(), next = nextOf(query);
	/* whoever is logged in has nothing to do here */
	useEffect(() => {
		if (state.value === "in" && me.value)
			go(next, { replace: true });
	}, [state.value]);
	return <Page title={T.login.title} lead={methods?.organization &&
	    say(T.login.lead, { name: methods.organization })}>
		{methods && <LoginForm methods={methods} email="" next={next}
		    reauth={false} onDone={async () => {
			await load();
			go(next, { replace: true });
		    }} />}
		<p class="dim small"><a href="/enrol"><Icon name="key" />
			{" " + T.login.enrolLink}</a></p>
	</Page>;
}
