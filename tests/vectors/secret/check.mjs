// What a browser does with doc/PROTOCOL.secret: WebCrypto only.  Every vector
// is opened with each delegate's key and made again from its parts; then a
// value is sealed afresh and opened.
import { readFileSync } from "node:fs";

const { subtle } = crypto;
const text = new TextEncoder();
const hex = (s) => Uint8Array.from(s.match(/../g) ?? [], (b) =>
	parseInt(b, 16));
const b64 = (s) => Uint8Array.from(atob(s), (c) => c.charCodeAt(0));
const cat = (...parts) => {
	const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
	let at = 0;
	for (const p of parts) {
		out.set(p, at);
		at += p.length;
	}
	return out;
};
const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
const be = (n, size) =>
	Uint8Array.from({ length: size }, (_, i) => n >>> (8 * (size - 1 - i)));
const sha256 = async (b) => new Uint8Array(await subtle.digest("SHA-256", b));

// ---- HPKE, RFC 9180: base mode, X25519, HKDF-SHA256, AES-256-GCM ----
const hmac = async (key, data) => {
	const k = await subtle.importKey("raw", key.length ? key : new
		Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
	return new Uint8Array(await subtle.sign("HMAC", k, data));
};
const KEM = cat(text.encode("KEM"), be(0x20, 2));
const SUITE = cat(text.encode("HPKE"), be(0x20, 2), be(1, 2), be(2, 2));
const extract = (suite, salt, label, ikm) => hmac(salt,
	cat(text.encode("HPKE-v1"), suite, text.encode(label), ikm));
const expand = async (suite, prk, label, info, n) => (await hmac(prk,
	cat(be(n, 2), text.encode("HPKE-v1"), suite, text.encode(label), info,
		Uint8Array.of(1)))).slice(0, n);

const PKCS8 = hex("302e020100300506032b656e04220420");
const privateKey = (sk) => subtle.importKey("pkcs8", cat(PKCS8, sk),
	{ name: "X25519" }, true, ["deriveBits"]);
const publicKey = (pk) => subtle.importKey("raw", pk, { name: "X25519" },
	true, []);
const dh = async (sk, pk) => new Uint8Array(await subtle.deriveBits(
	{ name: "X25519", public: await publicKey(pk) }, sk, 256));

async function context(shared, enc, pk, info) {
	const none = new Uint8Array();
	const eae = await extract(KEM, none, "eae_prk", shared);
	const secret = await expand(KEM, eae, "shared_secret", cat(enc, pk), 32);
	const about = cat(Uint8Array.of(0),
		await extract(SUITE, none, "psk_id_hash", none),
		await extract(SUITE, none, "info_hash", info));
	const s = await extract(SUITE, secret, "secret", none);
	return {
		key: await subtle.importKey("raw",
			await expand(SUITE, s, "key", about, 32), "AES-GCM", false,
			["encrypt", "decrypt"]),
		iv: await expand(SUITE, s, "base_nonce", about, 12),
	};
}

async function hpkeSeal(pk, info, aad, plain, e) {
	const enc = e.pk;
	const c = await context(await dh(e.sk, pk), enc, pk, info);
	return cat(enc, new Uint8Array(await subtle.encrypt({ name: "AES-GCM",
		iv: c.iv, additionalData: aad }, c.key, plain)));
}

async function hpkeOpen(sk, pk, info, aad, sealed) {
	const enc = sealed.slice(0, 32);
	const c = await context(await dh(sk, enc), enc, pk, info);
	return new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv: c.iv,
		additionalData: aad }, c.key, sealed.slice(32)));
}

// ---- PROTOCOL.secret ----
const about = (project, name) => text.encode(
	`redoubt-secret/1\n${project}\n${name}\n`);

async function sealData(key, nonce, info, value) {
	const n = Math.ceil((4 + value.length) / 64) * 64;
	const plain = new Uint8Array(n);
	plain.set(be(value.length, 4));
	plain.set(value, 4);
	const k = await subtle.importKey("raw", key, "AES-GCM", false,
		["encrypt"]);
	return cat(nonce, new Uint8Array(await subtle.encrypt({ name: "AES-GCM",
		iv: nonce, additionalData: info }, k, plain)));
}

async function openData(key, info, data) {
	const k = await subtle.importKey("raw", key, "AES-GCM", false,
		["decrypt"]);
	const plain = new Uint8Array(await subtle.decrypt({ name: "AES-GCM",
		iv: data.slice(0, 12), additionalData: info }, k,
		data.slice(12)));
	const n = new DataView(plain.buffer).getUint32(0);
	return plain.slice(4, 4 + n);
}

function must(cond, what) {
	if (!cond) {
		console.error(what);
		process.exit(1);
	}
}

const file = new URL("v1.json", import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, "utf8"));
let boxes = 0;
for (const [i, v] of vectors.entries()) {
	const info = about(v.project, v.name);
	const data = b64(v.data), aad = await sha256(data);
	must(same(await sealData(hex(v.data_key), hex(v.nonce), info,
		hex(v.value)), data), `${i}: data`);
	for (const r of v.recipients) {
		const pk = b64(r.key);
		const sk = await privateKey(hex(r.private));
		must(same(await sha256(cat(b64(r.identity), pk)),
			hex(r.fingerprint)), `${i}: fingerprint`);
		const key = await hpkeOpen(sk, pk, info, aad, b64(r.box));
		must(same(key, hex(v.data_key)), `${i}: box`);
		must(same(await openData(key, info, data), hex(v.value)),
			`${i}: value`);
		// made again, with the ephemeral key given
		const e = await privateKey(hex(r.ephemeral));
		const jwk = await subtle.exportKey("jwk", e);
		const epk = b64(jwk.x.replaceAll("-", "+").replaceAll("_", "/"));
		must(same(await hpkeSeal(pk, info, aad, hex(v.data_key),
			{ sk: e, pk: epk }), b64(r.box)), `${i}: sealed`);
		// for another name it does not open
		const other = await hpkeOpen(sk, pk, about(v.project, "other"),
			aad, b64(r.box)).catch(() => null);
		must(other === null, `${i}: opens under another name`);
		boxes++;
	}
}
// afresh, as a page would
const pair = await subtle.generateKey({ name: "X25519" }, true,
	["deriveBits"]);
const pk = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
const key = crypto.getRandomValues(new Uint8Array(32));
const info = about("shop", "fresh"), value = text.encode("from a browser");
const data = await sealData(key, crypto.getRandomValues(new Uint8Array(12)),
	info, value);
const e = await subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]);
const box = await hpkeSeal(pk, info, await sha256(data), key, {
	sk: e.privateKey,
	pk: new Uint8Array(await subtle.exportKey("raw", e.publicKey)),
});
const got = await hpkeOpen(pair.privateKey, pk, info, await sha256(data), box);
must(same(await openData(got, info, data), value), "afresh");
console.log(`${vectors.length} vectors, ${boxes} boxes, 1 afresh`);
