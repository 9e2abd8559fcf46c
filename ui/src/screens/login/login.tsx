/* login.tsx: who are you? */
import { go } from "../../app/router.ts";
import type { ViewProps } from "../../app/screen.ts";
import { post } from "../../core/api.ts";
import { load } from "../../core/session.ts";
import { Page } from "../../kit/bits.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { T } from "../../text/index.ts";

export default function Login({ query }: ViewProps) {
	const form = useForm({ email: "", password: "" }, async v => {
		await post("/v1/login", v);
		await load();
		const next = query.get("next") ?? "/";
		go(next.startsWith("/") && !next.startsWith("//") ? next : "/",
		    { replace: true });
	});
	return <Page title={T.login.title}>
		<FormBox form={form}>
			<TextField form={form} name="email" label="E-mail"
			    autocomplete="username" />
			<TextField form={form} name="password" label="Password"
			    type="password" autocomplete="current-password" />
			<Submit form={form}>{T.login.title}</Submit>
		</FormBox>
	</Page>;
}
