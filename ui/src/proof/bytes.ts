/* Bytes: strict base64 and hexadecimal, UTF-8, SHA-256 and Ed25519. */

export type Bytes = Uint8Array<ArrayBuffer>;

/** What is looked at is not what it should be. */
export class Bad extends Error {
	/** Number of the entry it was found at; 0: none. */
	constructor(message: string, readonly seq = 0) {
		super(message);
	}
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export function bytesOf(text: string): Bytes {
	return encoder.encode(text);
}

export function textOf(bytes: Uint8Array): string {
	try {
		return utf8.decode(bytes);
	} catch {
		throw new Bad("not UTF-8");
	}
}

export function concat(...parts: Uint8Array[]): Bytes {
	const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
	let at = 0;

	for (const p of parts) {
		out.set(p, at);
		at += p.length;
	}
	return out;
}

/** Public values: time tells nothing. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length)
		return false;
	for (let i = 0; i < a.length; i++)
		if (a[i] !== b[i])
			return false;
	return true;
}

/** RFC 4648 section 4, padded, trailing bits zero: one text for each value. */
export function base64(text: string): Bytes {
	let raw: string;

	try {
		raw = atob(text);
	} catch {
		throw new Bad("not base64");
	}
	if (btoa(raw) !== text)
		throw new Bad("not base64");
	return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

export function toBase64(bytes: Uint8Array): string {
	let raw = "";

	for (const b of bytes)
		raw += String.fromCharCode(b);
	return btoa(raw);
}

export function toHex(bytes: Uint8Array): string {
	return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export async function sha256(bytes: Bytes): Promise<Bytes> {
	return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Older browsers have no Ed25519: then nothing can be verified here. */
export async function hasEd25519(): Promise<boolean> {
	try {
		await crypto.subtle.importKey("raw", new Uint8Array(32).fill(1),
		    "Ed25519", false, ["verify"]);
		return true;
	} catch {
		return false;
	}
}

export async function ed25519(key: Bytes, signature: Bytes, text: Bytes):
    Promise<boolean> {
	try {
		const k = await crypto.subtle.importKey("raw", key, "Ed25519",
		    false, ["verify"]);

		return await crypto.subtle.verify("Ed25519", k, signature, text);
	} catch (e) {
		if (await hasEd25519())
			return false;
		throw new Error("this browser has no Ed25519", { cause: e });
	}
}
