/* add.tsx: setting up one way to log in each. */
import { useState } from "preact/hooks";
import { encode } from "uqr";
import { post } from "../../core/api.ts";
import { Copy } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Actions, Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { toast } from "../../kit/toast.tsx";
import { T } from "../../text/index.ts";
import { newKey } from "../login/webauthn.ts";

interface Props { onClose: () => void }

export function Password({ had, onClose }: Props & { had: boolean }) {
	const form = useForm({ current: "", new: "" }, async v => {
		await post("/v1/me/password", { new: v.new,
			...(had && { current: v.current }) });
		toast(T.me.passwordSet);
		onClose();
	});
	const title = had ? T.me.password : T.me.setPassword;
	return <Dialog title={title} onClose={onClose}>
		<FormBox form={form}>
			{had && <TextField form={form} name="current" required
			    type="password" label={T.me.current}
			    autocomplete="current-password" />}
			<TextField form={form} name="new" type="password" required
			    label={T.me.newPassword} hint={T.me.passwordHint}
			    autocomplete="new-password" />
			<Submit form={form}>{title}</Submit>
		</FormBox></Dialog>;
}

/* A QR code as a picture of squares. */
function Qr({ text, label }: { text: string; label: string }) {
	const { data, size } = encode(text, { border: 2 });
	const path = data.flatMap((row, y) => row.map((on, x) =>
	    on ? `M${x} ${y}h1v1h-1z` : "")).join("");
	return <svg class="me-qr" role="img" aria-label={label}
	    viewBox={`0 0 ${size} ${size}`}><path d={path} /></svg>;
}

export function AddApp({ onClose }: Props) {
	const [made, set] = useState<{ secret: string; otpauth: string } | null>(
	    null);
	const name = useForm({ name: "" }, async v => {
		set((await post<{ secret: string; otpauth: string }>(
		    "/v1/me/totp", v.name ? { name: v.name } : {})).data);
	});
	const code = useForm({ code: "" }, async v => {
		await post("/v1/me/totp/confirm", { code: v.code.trim() });
		toast(T.me.appDone);
		onClose();
	});
	return <Dialog title={T.me.app} onClose={onClose}>
		{made === null ? <FormBox form={name}>
			<TextField form={name} name="name" label={T.me.appName} />
			<Submit form={name}>{T.kit.create}</Submit>
		</FormBox> : <FormBox form={code}>
			<p>{T.me.appScan}</p>
			<Qr text={made.otpauth} label={T.me.address} />
			<p>{T.me.secret}: <code>{made.secret}</code>
				<Copy text={made.secret} /></p>
			<TextField form={code} name="code" label={T.me.code} required
			    inputmode="numeric" autocomplete="one-time-code" />
			<Submit form={code}>{T.me.app}</Submit>
		</FormBox>}</Dialog>;
}

export function AddKey({ onClose }: Props) {
	const form = useForm({ name: "" }, async v => {
		const asked = (await post<object>("/v1/me/webauthn/challenge"))
		    .data;
		await post("/v1/me/webauthn", { credential: await newKey(asked),
			...(v.name && { name: v.name }) });
		toast(T.me.keyDone);
		onClose();
	});
	return <Dialog title={T.me.key} onClose={onClose}>
		<FormBox form={form}>
			<TextField form={form} name="name" label={T.me.keyName} />
			<Submit form={form}>{T.me.key}</Submit>
		</FormBox></Dialog>;
}

export function Recovery({ onClose }: Props) {
	const [codes, set] = useState<string[] | null>(null);
	return <Dialog title={T.me.recovery} {...(codes === null &&
	    { onClose })}>
		<p>{T.me.recoveryText}</p>
		{codes === null ? <>
			<p class="wrong">{T.me.recoverySure}</p>
			<Actions><Button onClick={onClose}>{T.kit.cancel}</Button>
				<Button kind="primary" onClick={async () => set((await
				    post<{ codes: string[] }>(
				    "/v1/me/recovery-codes")).data.codes)}>
					{T.me.recovery}</Button></Actions>
		</> : <>
			<ol class="me-codes">{codes.map(c =>
				<li key={c}><code>{c}</code></li>)}</ol>
			<Actions><Copy text={codes.join("\n")} />
				<Button kind="primary" onClick={onClose}>
					{T.me.kept}</Button></Actions>
		</>}</Dialog>;
}
