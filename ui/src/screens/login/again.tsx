/* again.tsx: the session ended, or a recent login is asked for: log in here,
 * and what was on the screen stays. */
import { post } from "../../core/api.ts";
import { load, me, stepUp } from "../../core/session.ts";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { T } from "../../text/index.ts";

export default function Again() {
	const form = useForm({ email: me.peek()?.email ?? "", password: "" },
	    async v => {
		await post("/v1/login", v);
		await load();
		stepUp.peek()?.(true);
	});
	return <Dialog title={T.login.title}
	    {...(stepUp.value && { onClose: () => stepUp.peek()?.(false) })}>
		<FormBox form={form}>
			<TextField form={form} name="email" label="E-mail"
			    autocomplete="username" />
			<TextField form={form} name="password" label="Password"
			    type="password" autocomplete="current-password" />
			<Submit form={form}>{T.login.title}</Submit>
		</FormBox>
	</Dialog>;
}
