/*
 * C2SP signed-note, tlog-checkpoint and tlog-cosignature, as
 * doc/PROTOCOL.audit has them: what is malformed is malformed, whoever signed
 * it, and a wrong signature of a known key spoils the note.
 */
import { Bad, base64, bytesOf, concat, ed25519, equal, sha256, textOf, toHex,
    type Bytes } from "./bytes.ts";

const SIGNATURE = 1, COSIGNATURE = 4;
const NOTE_MAX = 65536, LINES_MAX = 16, NAME_MAX = 120;
const SIZE_MAX = 2n ** 62n;

export interface Key {
	name: string;
	type: number;
	id: Bytes;
	key: Bytes;
}

export interface Checkpoint {
	origin: string;
	size: bigint;
	root: Bytes;
	note: string;
}

interface Line {
	name: string;
	blob: Bytes;
}

/* White_Space of Unicode, control characters and "+" are in no name. */
function nameOk(name: string): boolean {
	return bytesOf(name).length <= NAME_MAX &&
	    /^[^\s\u0000-\u0020\u007f\u0085+]+$/u.test(name) &&
	    !name.includes("\ufffd");
}

async function keyId(name: string, type: number, key: Bytes): Promise<Bytes> {
	return (await sha256(concat(bytesOf(name),
	    Uint8Array.of(0x0a, type), key))).slice(0, 4);
}

async function parseKey(vkey: string, type: number): Promise<Key> {
	const m = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/u.exec(vkey);

	if (!m || !nameOk(m[1]!))
		throw new Bad("not a verifier key");
	const raw = base64(m[3]!);
	const id = await keyId(m[1]!, type, raw.slice(1));

	if (raw.length !== 33 || raw[0] !== type || toHex(id) !== m[2])
		throw new Bad("not a verifier key");
	return { name: m[1]!, type, id, key: raw.slice(1) };
}

/** The key of a log. */
export function logKey(vkey: string): Promise<Key> {
	return parseKey(vkey, SIGNATURE);
}

/** The key of a witness. */
export function witnessKey(vkey: string): Promise<Key> {
	return parseKey(vkey, COSIGNATURE);
}

function lineOf(text: string): Line {
	const m = /^\u2014 ([^ ]+) ([^ ]+)$/u.exec(text);

	if (!m || !nameOk(m[1]!))
		throw new Bad("a signature line is malformed");
	const blob = base64(m[2]!);

	if (blob.length < 5)
		throw new Bad("a signature is too short");
	return { name: m[1]!, blob };
}

/** The text, with its last newline, and the signature lines. */
function cut(note: string): { text: string; lines: Line[] } {
	const at = note.lastIndexOf("\n\n");

	if (bytesOf(note).length > NOTE_MAX || at < 0 || !note.endsWith("\n") ||
	    /[\u0000-\u0009\u000b-\u001f]/u.test(note))
		throw new Bad("not a signed note");
	const lines = note.slice(at + 2).split("\n");

	lines.pop();
	if (lines.length === 0 || lines.length > LINES_MAX)
		throw new Bad("a note has 1 to 16 signatures");
	return { text: note.slice(0, at + 1), lines: lines.map(lineOf) };
}

function isBy(line: Line, key: Key): boolean {
	return line.name === key.name && equal(line.blob.slice(0, 4), key.id);
}

/** The text of a note that the key has signed. */
export async function openNote(note: string | Bytes, key: Key):
    Promise<string> {
	const { text, lines } = cut(typeof note === "string" ? note :
	    textOf(note));
	const own = lines.filter((l) => isBy(l, key));

	if (own.length === 0)
		throw new Bad(`not signed by ${key.name}`);
	for (const l of own)
		if (!await ed25519(key.key, l.blob.slice(4), bytesOf(text)))
			throw new Bad(`the signature of ${key.name} is wrong`);
	return text;
}

export async function openCheckpoint(note: string | Bytes, key: Key):
    Promise<Checkpoint> {
	const text = await openNote(note, key);
	const m = /^([^\n]+)\n(0|[1-9][0-9]{0,18})\n([^\n]+)\n$/u.exec(text);

	if (!m)
		throw new Bad("not a checkpoint");
	const size = BigInt(m[2]!), root = base64(m[3]!);

	if (size > SIZE_MAX || root.length !== 32)
		throw new Bad("not a checkpoint");
	if (m[1] !== key.name)
		throw new Bad("a checkpoint of another log");
	return { origin: m[1], size, root,
		note: typeof note === "string" ? note : textOf(note) };
}

/** When the witness cosigned it, in seconds; null: it did not. */
export async function cosigned(note: string, witness: Key):
    Promise<bigint | null> {
	const { text, lines } = cut(note);
	let when: bigint | null = null;

	if (witness.type !== COSIGNATURE)
		throw new Bad("not the key of a witness");
	for (const l of lines.filter((x) => isBy(x, witness))) {
		if (l.blob.length !== 76)
			throw new Bad("a cosignature is malformed");
		when = new DataView(l.blob.buffer, l.blob.byteOffset)
		    .getBigUint64(4);
		if (!await ed25519(witness.key, l.blob.slice(12),
		    bytesOf(`cosignature/v1\ntime ${when}\n${text}`)))
			throw new Bad(`the cosignature of ${witness.name} is wrong`);
	}
	return when;
}
