/* form.tsx: the ways to log in, for the page and for logging in again. */
import { useEffect, useState } from "preact/hooks";
import { get, post, Problem } from "../../core/api.ts";
import { Button } from "../../kit/button.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say } from "../../text/index.ts";
import { answerOf } from "./webauthn.ts";

interface Methods { password: boolean; passkeys: boolean;
	notice?: string | null; organization?: string;
	providers: { id: string; kind: string; name: string;
		login: string }[] }

export function useMethods(): Methods | null {
	const [m, set] = useState<Methods | null>(null);
	useEffect(() => {
		get<Methods>("/auth/methods").then(g => set(g.data), () =>
		    set({ password: true, passkeys: true, providers: [] }));
	}, []);
	return m;
}

/* One text for every refusal: the server does not say which it was. */
function inWords(e: unknown): never {
	if (e instanceof Problem && e.status === 401)
		throw new Problem(401, e.code, T.login.refused, "", e.requestId,
		    0, []);
	if (e instanceof Problem && e.status === 429)
		throw new Problem(429, e.code, say(T.login.slow,
		    { n: e.retryAfter }), "", e.requestId, 0, []);
	throw e;
}

export function LoginForm({ methods, email, next, reauth, onDone }: {
    methods: Methods; email: string; next: string; reauth: boolean;
    onDone: () => Promise<void> }) {
	const form = useForm({ email, password: "", totp: "" }, async v => {
		await post("/v1/login", { email: v.email, password: v.password,
			...(v.totp.trim() && { totp: v.totp.trim() }) })
		    .catch(inWords);
		await onDone();
	});
	const byKey = async (): Promise<void> => {
		const { email: who, password } = form.values;
		try {
			const asked = (await post<object>("/v1/login/challenge",
			    { email: who, password })).data;
			await post("/v1/login", { email: who, password,
				webauthn: await answerOf(asked) });
		} catch (e) {
			inWords(e);
		}
		await onDone();
	};
	const to = (login: string): string => login + "?next=" +
	    encodeURIComponent(next) + (reauth ? "&reauth=1" : "");
	return <div class="stack">
		{methods.notice && <p class="card"><Plain text={methods.notice} />
		</p>}
		{methods.providers.map(p => <a key={p.id}
		    class="button primary" href={to(p.login)}>
			<Plain text={say(T.login.with, { name: p.name })} /></a>)}
		{reauth && methods.providers.length > 0 &&
		    <p class="hint">{T.login.atProvider}</p>}
		{methods.providers.length > 0 && methods.password &&
		    <p class="dim login-or">{T.login.or}</p>}
		{methods.password && <FormBox form={form} label={T.login.title}>
			<TextField form={form} name="email" type="email" required
			    label={T.login.email} autocomplete="username" />
			<TextField form={form} name="password" type="password"
			    required label={T.login.password}
			    autocomplete="current-password" />
			<TextField form={form} name="totp" label={T.login.code}
			    hint={T.login.codeHint} inputmode="numeric"
			    autocomplete="one-time-code" />
			<Submit form={form} second={methods.providers.length > 0}>
				{T.login.title}</Submit>
			{methods.passkeys && "PublicKeyCredential" in window &&
			    <Button icon="key" onClick={byKey} off={(
				form.values.email === "" ||
				form.values.password === "") && T.login.keyHint}>
				{T.login.key}</Button>}
		</FormBox>}
		{!methods.password && methods.providers.length === 0 &&
		    <p class="wrong">{T.login.noWays}</p>}
	</div>;
}
