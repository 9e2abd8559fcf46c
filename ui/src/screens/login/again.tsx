/* again.tsx: the session ended, or a recent login is asked for: log in here,
 * and what was on the screen stays. */
import { forget, load, me, state, stepUp } from "../../core/session.ts";
import { Dialog } from "../../kit/dialog.tsx";
import { T } from "../../text/index.ts";
import { LoginForm, useMethods } from "./form.tsx";

export default function Again() {
	const methods = useMethods(), ended = state.value === "expired";
	const done = async (): Promise<void> => {
		/* another person does not get past this: load() leaves */
		await load();
		stepUp.peek()?.(true);
	};
	return <Dialog title={T.login.again} {...(!ended &&
	    { onClose: () => stepUp.peek()?.(false) })}>
		<p>{ended ? T.login.expired : T.login.stepUp}</p>
		{methods && <LoginForm methods={methods} reauth={!ended}
		    email={me.peek()?.email ?? ""} onDone={done}
		    next={location.pathname + location.search} />}
		{ended && <p class="small"><a href="/login"
		    onClick={e => { e.preventDefault(); void forget(); }}>
			{T.login.other}</a></p>}
	</Dialog>;
}
