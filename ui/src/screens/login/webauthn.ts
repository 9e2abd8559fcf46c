/* webauthn.ts: the browser's part of a security key (WebAuthn 3, 5.1.8). */

export async function answerOf(asked: object): Promise<unknown> {
	const c = await navigator.credentials.get({ publicKey:
	    PublicKeyCredential.parseRequestOptionsFromJSON(asked as
	    PublicKeyCredentialRequestOptionsJSON) });
	return (c as PublicKeyCredential).toJSON();
}

export async function newKey(asked: object): Promise<unknown> {
	const c = await navigator.credentials.create({ publicKey:
	    PublicKeyCredential.parseCreationOptionsFromJSON(asked as
	    PublicKeyCredentialCreationOptionsJSON) });
	return (c as PublicKeyCredential).toJSON();
}
