/*
 * seal.ts: doc/PROTOCOL.secret with WebCrypto: a value is encrypted here to
 * the public keys of delegates; the server gets what it cannot open.
 * HPKE is RFC 9180: base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * AES-256-GCM.
 */
import { base64, bytesOf, concat, sha256, toBase64, toHex, type Bytes }
    from "../../proof/bytes.ts";

export interface Recipient { delegate: string; name: string;
	identity: string; key: string; fingerprint: string }
export interface Box { delegate: string; fingerprint: string; box: string }

const be = (n: number, size: number): Bytes => Uint8Array.from(
    { length: size }, (_, i) => n >>> (8 * (size - 1 - i)));

async function hmac(key: Bytes, data: Bytes): Promise<Bytes> {
	const k = await crypto.subtle.importKey("raw", key.length ? key :
	    new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false,
	    ["sign"]);
	return new Uint8Array(await crypto.subtle.sign("HMAC", k, data));
}
const KEM = concat(bytesOf("KEM"), be(0x20, 2));
const SUITE = concat(bytesOf("HPKE"), be(0x20, 2), be(1, 2), be(2, 2));
const extract = (suite: Bytes, salt: Bytes, label: string, ikm: Bytes):
    Promise<Bytes> => hmac(salt, concat(bytesOf("HPKE-v1"), suite, bytesOf(label),
	ikm));
const expand = async (suite: Bytes, prk: Bytes, label: string, info: Bytes,
    n: number): Promise<Bytes> => (await hmac(prk, concat(be(n, 2),
	bytesOf("HPKE-v1"), suite, bytesOf(label), info, Uint8Array.of(1))))
	.slice(0, n);

async function gcm(key: Bytes, iv: Bytes, aad: Bytes, plain: Bytes):
    Promise<Bytes> {
	const k = await crypto.subtle.importKey("raw", key, "AES-GCM", false,
	    ["encrypt"]);
	return new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM",
		iv, additionalData: aad }, k, plain));
}

async function hpke(pk: Bytes, info: Bytes, aad: Bytes, plain: Bytes):
    Promise<Bytes> {
	const pair = await crypto.subtle.generateKey({ name: "X25519" }, false,
	    ["deriveBits"]) as CryptoKeyPair;
	const enc = new Uint8Array(await crypto.subtle.exportKey("raw",
	    pair.publicKey));
	const theirs = await crypto.subtle.importKey("raw", pk,
	    { name: "X25519" }, false, []);
	const dh = new Uint8Array(await crypto.subtle.deriveBits(
	    { name: "X25519", public: theirs }, pair.privateKey, 256));
	/* RFC 9180 7.1.4: a key that brings all to one point */
	if (dh.every(x => x === 0))
		throw new Error("a delegate's key is no key");
	const none = new Uint8Array();
	const shared = await expand(KEM, await extract(KEM, none, "eae_prk",
	    dh), "shared_secret", concat(enc, pk), 32);
	const context = concat(Uint8Array.of(0),
	    await extract(SUITE, none, "psk_id_hash", none),
	    await extract(SUITE, none, "info_hash", info));
	const s = await extract(SUITE, shared, "secret", none);
	return concat(enc, await gcm(await expand(SUITE, s, "key", context, 32),
	    await expand(SUITE, s, "base_nonce", context, 12), aad, plain));
}

export const VALUE_MIN = 8, VALUE_MAX = 16384;

export async function sealFor(project: string, name: string, value: string,
    to: Recipient[]): Promise<{ data: string; boxes: Box[] }> {
	const about = bytesOf(`redoubt-secret/1\n${project}\n${name}\n`);
	const v = bytesOf(value);
	if (v.length < VALUE_MIN || v.length > VALUE_MAX)
		throw new RangeError(`${VALUE_MIN} to ${VALUE_MAX} bytes`);
	const plain = new Uint8Array(Math.ceil((4 + v.length) / 64) * 64);
	plain.set(be(v.length, 4));
	plain.set(v, 4);
	const key = crypto.getRandomValues(new Uint8Array(32));
	const nonce = crypto.getRandomValues(new Uint8Array(12));
	const data = concat(nonce, await gcm(key, nonce, about, plain));
	const digest = await sha256(data);
	const boxes = await Promise.all(to.map(async r => ({
		delegate: r.delegate, fingerprint: r.fingerprint,
		box: toBase64(await hpke(base64(r.key), about, digest, key)) })));
	plain.fill(0);
	key.fill(0);
	return { data: toBase64(data), boxes };
}

/* ---- whose keys these are ---- */

const WHERE = "redoubt-delegates";
type Pins = Record<string, string>;
function pins(): Pins {
	try {
		return JSON.parse(localStorage.getItem(WHERE) ?? "{}") as Pins;
	} catch {
		return {};
	}
}

export interface Checked extends Recipient { state: "known" | "new" |
    "changed" | "false" }

/* The fingerprint is computed here, and compared with what this browser has
 * kept of the delegate: the server is who the value is kept from. */
export async function check(to: Recipient[]): Promise<Checked[]> {
	const kept = pins();
	return Promise.all(to.map(async r => {
		const fp = toHex(await sha256(concat(base64(r.identity), base64(r.key))));
		const old = kept[r.delegate];
		return { ...r, state: fp !== r.fingerprint ? "false" as const :
		    old === undefined ? "new" as const :
		    old === fp ? "known" as const : "changed" as const };
	}));
}
export function keep(to: Recipient[]): void {
	localStorage.setItem(WHERE, JSON.stringify({ ...pins(),
		...Object.fromEntries(to.map(r =>
		    [r.delegate, r.fingerprint])) }));
}
