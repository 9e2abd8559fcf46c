"""
tlogkit.py: a reader of C2SP tlog-tiles and signed notes of its own, with
Python's standard library and cryptography's Ed25519: nothing of Redoubt's.
"""
import base64
import hashlib
import json
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey, Ed25519PublicKey)
from cryptography.hazmat.primitives.serialization import (Encoding,
                                                          PublicFormat)

LOG = "/v1/audit/log"
SIGNATURE, COSIGNATURE = 1, 4


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(leaf):
    return sha(b"\0", leaf)


def root_of(hashes):
    """MTH of RFC 9162 2.1.1."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha()
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return sha(b"\1", root_of(hashes[:k]), root_of(hashes[k:]))


def node_path(leaf, index, size, proof):
    """The root that an inclusion proof makes, RFC 9162 2.1.3.2."""
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        p = base64.b64decode(p, validate=True)
        assert sn > 0, "the proof is too long"
        if fn & 1 or fn == sn:
            r = sha(b"\1", p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha(b"\1", r, p)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0, "the proof is too short"
    return r


def path_of(index, width=256):
    text = f"{index % 1000:03}"
    while index >= 1000:
        index //= 1000
        text = f"x{index % 1000:03}/" + text
    return text + (f".p/{width}" if width < 256 else "")


def tiles(size, level):
    """(index, width) of each tile of that level in a tree of that size."""
    n = size >> 8 * level
    return ([(i, 256) for i in range(n // 256)] +
            ([(n // 256, n % 256)] if n % 256 else []))


def unbundle(data):
    out = []
    while data:
        n, = struct.unpack(">H", data[:2])
        assert len(data) >= 2 + n
        out.append(data[2:2 + n])
        data = data[2 + n:]
    return out


class Key:
    """A verifier key: name+hash+base64(type || key)."""

    def __init__(self, vkey):
        self.name, self.hash, raw = vkey.split("+", 2)
        raw = base64.b64decode(raw, validate=True)
        self.type, self.public = raw[0], raw[1:]
        assert self.hash == key_id(self.name, self.type, self.public).hex()

    def good(self, text, blob):
        """Of a line's bytes behind the key id."""
        key = Ed25519PublicKey.from_public_bytes(self.public)
        if self.type == COSIGNATURE:
            when, blob = struct.unpack(">Q", blob[:8])[0], blob[8:]
            text = f"cosignature/v1\ntime {when}\n".encode() + text
        try:
            key.verify(blob, text)
        except Exception:
            return False
        return True


def key_id(name, kind, public):
    return sha(name.encode(), b"\n", bytes([kind]), public)[:4]


def note_lines(note):
    """The text, and (name, key id, rest) of each signature line."""
    text, lines = note.rsplit(b"\n\n", 1)
    out = []
    for line in lines.decode().splitlines():
        dash, name, blob = line.split(" ")
        assert dash == "\u2014"
        blob = base64.b64decode(blob, validate=True)
        out.append((name, blob[:4].hex(), blob[4:]))
    return text + b"\n", out


def signed_by(note, vkey):
    key = Key(vkey)
    text, lines = note_lines(note)
    return any(name == key.name and kid == key.hash and key.good(text, blob)
               for name, kid, blob in lines)


def checkpoint(note, vkey=None):
    """(origin, size, root), signed by vkey."""
    assert vkey is None or signed_by(note, vkey), "not signed by the log"
    origin, size, root = note_lines(note)[0].decode().splitlines()
    return origin, int(size), base64.b64decode(root)


class Witness:
    """A witness with a key of its own, and no memory at all."""

    def __init__(self, name, seed):
        self.name = name
        self.key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.key.public_key().public_bytes(
            Encoding.Raw, PublicFormat.Raw)
        kid = key_id(name, COSIGNATURE, self.public)
        self.vkey = (f"{name}+{kid.hex()}+" + base64.b64encode(
            bytes([COSIGNATURE]) + self.public).decode())

    def line(self, note, when):
        text, _ = note_lines(note)
        sig = self.key.sign(f"cosignature/v1\ntime {when}\n".encode() + text)
        blob = (key_id(self.name, COSIGNATURE, self.public) +
                struct.pack(">Q", when) + sig)
        return f"\u2014 {self.name} {base64.b64encode(blob).decode()}\n"

    def cosign(self, note, when):
        return note + self.line(note, when).encode()


def log_key(rig):
    """The log's verifier key, as the operator reads it off the store."""
    out = rig.cli("audit", "verify", "--data", str(rig.data), "--json")
    return json.loads(out.stdout)["key"]
