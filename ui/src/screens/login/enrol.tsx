/* enrol.tsx: a first password, by the token of an administrator.  The token
 * may come in the fragment, which no server sees. */
import { useEffect } from "preact/hooks";
import { go } from "../../app/router.ts";
import { post } from "../../core/api.ts";
import { Page } from "../../kit/bits.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { toast } from "../../kit/toast.tsx";
import { T } from "../../text/index.ts";

export default function Enrol() {
	const form = useForm({ token: location.hash.slice(1), new: "" },
	    async v => {
		await post("/v1/me/password", { new: v.new },
		    { bearer: v.token.trim() });
		toast(T.enrol.done);
		go("/login", { replace: true });
	});
	useEffect(() => {
		if (location.hash)
			history.replaceState(null, "", location.pathname);
	}, []);
	return <Page title={T.enrol.title} lead={T.enrol.lead}>
		<FormBox form={form} label={T.enrol.title}>
			<TextField form={form} name="token" label={T.enrol.token}
			    type="password" required mono />
			<TextField form={form} name="new" label={T.me.newPassword}
			    hint={T.me.passwordHint} type="password" required
			    autocomplete="new-password" />
			<Submit form={form}>{T.enrol.next}</Submit>
		</FormBox>
	</Page>;
}
