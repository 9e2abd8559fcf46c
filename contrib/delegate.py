#!/usr/bin/env python3
"""delegate.py: doc/PROTOCOL.delegate in Python, with python3-cryptography.

    delegate.py make         print the vectors (tests/vectors/delegate/v1.txt)
    delegate.py check FILE   compute every vector of FILE anew and compare

Written apart from src/delegate, to show that the document says enough.  The
tests import it: servers that lie are made of it.
"""
import base64
import hashlib
import hmac
import json
import struct
import sys

from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RAW = (ser.Encoding.Raw, ser.PublicFormat.Raw)


def sha256(b):
    return hashlib.sha256(b).digest()


def hex256(b):
    return hashlib.sha256(b).hexdigest()


def b64(b):
    return base64.b64encode(b).decode()


def canon(v):
    """Canonical JSON, as bytes; integers are the only numbers."""
    return json.dumps(v, sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False).encode()


class Signer:
    """An Ed25519 key."""

    def __init__(self, seed):
        self.key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.key.public_key().public_bytes(*RAW)

    def sign(self, b):
        return self.key.sign(b)


def x25519_public(sk):
    k = x25519.X25519PrivateKey.from_private_bytes(sk)
    return k.public_key().public_bytes(*RAW)


# ---- HPKE (RFC 9180), base mode, X25519, HKDF-SHA256, AES-256-GCM ----

KEM, HPKE = b"KEM\0\x20", b"HPKE\0\x20\0\x01\0\x02"


def extract(suite, salt, label, ikm):
    return hmac.digest(salt, b"HPKE-v1" + suite + label + ikm, "sha256")


def expand(suite, prk, label, info, n):
    what = struct.pack(">H", n) + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, what + b"\x01", "sha256")[:n]


def hpke_keys(dh, enc, pk, info):
    prk = extract(KEM, b"", b"eae_prk", dh)
    shared = expand(KEM, prk, b"shared_secret", enc + pk, 32)
    context = (b"\0" + extract(HPKE, b"", b"psk_id_hash", b"") +
               extract(HPKE, b"", b"info_hash", info))
    secret = extract(HPKE, shared, b"secret", b"")
    return (expand(HPKE, secret, b"key", context, 32),
            expand(HPKE, secret, b"base_nonce", context, 12))


def exchange(sk, pk):
    return x25519.X25519PrivateKey.from_private_bytes(sk).exchange(
        x25519.X25519PublicKey.from_public_bytes(pk))


def hpke_seal(ephemeral, pk, info, aad, plain):
    enc = x25519_public(ephemeral)
    key, nonce = hpke_keys(exchange(ephemeral, pk), enc, pk, info)
    return enc + AESGCM(key).encrypt(nonce, plain, aad)


def hpke_open(sk, info, aad, sealed):
    enc = sealed[:32]
    key, nonce = hpke_keys(exchange(sk, enc), enc, x25519_public(sk), info)
    return AESGCM(key).decrypt(nonce, sealed[32:], aad)


# ---- the texts that are signed ----

def lines(*parts):
    return "".join(f"{p}\n" for p in parts).encode()


def join_text(token, ed, x):
    return lines("redoubt-join/1", hex256(token.encode()), ed.hex(), x.hex())


def renew_text(delegate, ed):
    return lines("redoubt-renew/1", delegate, ed.hex())


def task_text(env, text):
    return lines("redoubt-task/1", env["log"], env["task"], env["delegate"],
                 env["issued"], env["expires"], hex256(text))


def result_text(task, fence, outcome, exit_status, outputs, n, log_sha256):
    return lines("redoubt-result/1", task, fence, outcome, exit_status,
                 hex256(canon(outputs)), n, log_sha256)


def task_seal(signer, ephemeral, pk, env, text=None):
    text = canon(env) if text is None else text
    plain = (struct.pack(">I", len(text)) + text +
             signer.sign(task_text(env, text)))
    return hpke_seal(ephemeral, pk, b"redoubt-task/1", env["task"].encode(),
                     plain)


def task_open(sk, task, sealed):
    """The text and its signature."""
    plain = hpke_open(sk, b"redoubt-task/1", task.encode(), sealed)
    n, = struct.unpack(">I", plain[:4])
    return plain[4:4 + n], plain[4 + n:]


def fingerprint(ed, x):
    return hex256(ed + x)


def run_digest(run, inputs, runbook):
    return hex256(canon({"inputs": inputs, "run": run, "runbook": runbook}))


# ---- the log: PROTOCOL.audit 3 and 4, and cosignatures ----

def leaf_hash(leaf):
    return sha256(b"\0" + leaf)


def node_hash(a, b):
    return sha256(b"\x01" + a + b)


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(hashes):
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return node_hash(root(hashes[:k]), root(hashes[k:]))


def inclusion(i, hashes):
    if len(hashes) <= 1:
        return []
    k = split(len(hashes))
    if i < k:
        return inclusion(i, hashes[:k]) + [root(hashes[k:])]
    return inclusion(i - k, hashes[k:]) + [root(hashes[:k])]


def consistency(m, hashes, whole=True):
    """From the first m to all of them; m 0 and m = all: empty."""
    n = len(hashes)
    if m == 0:
        return []
    if m == n:
        return [] if whole else [root(hashes)]
    k = split(n)
    if m <= k:
        return consistency(m, hashes[:k], whole) + [root(hashes[k:])]
    return consistency(m - k, hashes[k:], False) + [root(hashes[:k])]


def key_id(name, public, kind=1):
    return sha256(name.encode() + b"\n" + bytes([kind]) + public)[:4]


def verifier_key(name, public):
    return (f"{name}+{key_id(name, public).hex()}+" +
            b64(b"\x01" + public))


def note_line(name, what):
    return f"\u2014 {name} {b64(what)}\n"


def checkpoint(name, signer, size, root_hash):
    text = f"{name}\n{size}\n{b64(root_hash)}\n"
    sig = key_id(name, signer.public) + signer.sign(text.encode())
    return text + "\n" + note_line(name, sig)


def cosign(note, delegate, signer, seconds):
    text = note[:note.index("\n\n") + 1]
    name = f"redoubt-delegate/{delegate}"
    sig = signer.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
    return note + note_line(name, key_id(name, signer.public, 4) +
                            struct.pack(">Q", seconds) + sig)


# ---- vectors ----

def seed(n):
    return bytes((n + i) & 0xFF for i in range(32))


ID = "01900000-0000-7000-8000-%012d"


def example():
    """A task that is whole, for fixed keys."""
    log = Signer(seed(0))
    name = "redoubt.example/audit/test/1"
    document = canon({"slug": "hello", "name": "Hello", "context": "none",
                      "steps": [{"id": "say", "kind": "script",
                                 "interpreter": "sh", "script": "echo hello\n",
                                 "delegates": {"labels": {"site": "fra"}}}]})
    ref = f"{ID % 4}/1/{hex256(document)}"
    leaf = canon({
        "action": "runbook.approve", "outcome": "ok",
        "principal": {"id": ID % 9, "kind": "user"}, "project": ID % 3,
        "resource": [{"id": ref, "type": "runbook_version"}], "seq": 2,
        "time": "2026-11-25T03:21:34.123Z", "v": 1})
    hashes = [leaf_hash(b"first"), leaf_hash(leaf), leaf_hash(b"third")]
    return {
        "v": "redoubt-task/1", "log": name, "task": ID % 1, "run": ID % 2,
        "step": "say", "attempt": 1, "fence": 1, "delegate": ID % 7,
        "project": ID % 3, "project_slug": "payments",
        "issued": 1795600000000, "expires": 1795600600000,
        "selector": {"labels": {"site": "fra"}},
        "runbook": {"id": ID % 4, "version": 1, "digest": hex256(document),
                    "document": document.decode()},
        "values": {"args": [], "env": {}}, "connectors": [], "secrets": [],
        "approvals": [{"seq": 2, "leaf": leaf.decode(),
                       "proof": [b64(h) for h in inclusion(1, hashes)]}],
        "checkpoint": checkpoint(name, log, 3, root(hashes))}


def vectors():
    identity, session, task_key = Signer(seed(32)), Signer(seed(64)), Signer(
        seed(96))
    sealing, ephemeral = seed(128), seed(160)
    env = example()
    text = canon(env)
    token = "rdd_0000000000000000000000000000"
    ed, x = identity.public, x25519_public(sealing)
    outputs = {"n": 1, "who": "w\u00f6rld"}
    result = (env["task"], 1, "succeeded", 0, outputs, 6, hex256(b"hello\n"))
    return [
        ("token", token), ("identity", ed.hex()), ("sealing", x.hex()),
        ("session", session.public.hex()),
        ("fingerprint", fingerprint(ed, x)),
        ("join", identity.sign(join_text(token, ed, x)).hex()),
        ("renew", session.sign(renew_text(env["delegate"],
                                          session.public)).hex()),
        ("task_key", task_key.public.hex()),
        ("log_key", verifier_key(env["log"], Signer(seed(0)).public)),
        ("task_text", text.hex()),
        ("task_sig", task_key.sign(task_text(env, text)).hex()),
        ("ephemeral", ephemeral.hex()),
        ("task_sealed", task_seal(task_key, ephemeral, x, env).hex()),
        ("result_outputs", canon(outputs).hex()),
        ("result_sig", session.sign(result_text(*result)).hex()),
        ("run_digest", run_digest(ID % 2, {"host": "db1"}, "00" * 32)),
        ("cosigned", cosign(env["checkpoint"], env["delegate"], identity,
                            1795600000).encode().hex()),
    ]


def main():
    text = ("# Vectors of doc/PROTOCOL.delegate, made by contrib/delegate.py\n"
            "# seeds of 32 bytes n, n+1, ...: log 0, identity 32, session 64,"
            " task key 96,\n# sealing 128, ephemeral 160\n" +
            "".join(f"{n} {v}\n" for n, v in vectors()))
    if sys.argv[1:] == ["make"]:
        sys.stdout.write(text)
    elif len(sys.argv) == 3 and sys.argv[1] == "check":
        with open(sys.argv[2], encoding="utf-8") as f:
            good = f.read() == text
        print("the same" if good else "NOT the same")
        return 0 if good else 1
    else:
        sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main())
