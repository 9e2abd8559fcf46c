"""
secretkit.py: doc/PROTOCOL.secret by another implementation (Python's
cryptography): sealing values for delegates, and opening them as one.
"""
import base64
import hashlib
import os

from delegatekit import b64, hkdf_expand, hkdf_extract, hpke_open, raw
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def unb64(s):
    return base64.b64decode(s)


def about(project, name):
    return f"redoubt-secret/1\n{project}\n{name}\n".encode()


def hpke_seal(pk, info, aad, plain, ephemeral=None):
    """pk: 32 bytes."""
    kem = b"KEM\x00\x20"
    suite = b"HPKE\x00\x20\x00\x01\x00\x02"
    e = ephemeral or x25519.X25519PrivateKey.generate()

    def extract(s, salt, label, ikm):
        return hkdf_extract(salt, b"HPKE-v1" + s + label + ikm)

    def expand(s, prk, label, text, n):
        return hkdf_expand(prk, n.to_bytes(2, "big") + b"HPKE-v1" + s +
                           label + text, n)
    enc = raw(e)
    dh = e.exchange(x25519.X25519PublicKey.from_public_bytes(pk))
    shared = expand(kem, extract(kem, b"", b"eae_prk", dh), b"shared_secret",
                    enc + pk, 32)
    context = b"\0" + extract(suite, b"", b"psk_id_hash", b"") + \
        extract(suite, b"", b"info_hash", info)
    secret = extract(suite, shared, b"secret", b"")
    key = expand(suite, secret, b"key", context, 32)
    nonce = expand(suite, secret, b"base_nonce", context, 12)
    return enc + AESGCM(key).encrypt(nonce, plain, aad)


def seal_value(project, name, value, key=None, nonce=None):
    key, nonce = key or os.urandom(32), nonce or os.urandom(12)
    text = len(value).to_bytes(4, "big") + value
    text += bytes(-len(text) % 64)
    return key, nonce + AESGCM(key).encrypt(nonce, text,
                                            about(project, name))


def recipients(rig, labels, project=None):
    p = "/v1/projects/" + (project or rig.project)
    q = "%2C".join(f"{k}%3D{v}" for k, v in labels.items())
    return rig.ok(rig.get(f"{p}/secret-recipients?labels={q}"),
                  200).json["items"]


def version(rig, name, value, labels=None, project=None, only=None):
    """{"data","boxes"} for the delegates that have the labels."""
    project = project or rig.project
    labels = labels or {"site": "fra"}
    key, data = seal_value(project, name, value)
    digest = hashlib.sha256(data).digest()
    boxes = []
    for r in recipients(rig, labels, project):
        if only and r["delegate"] not in only:
            continue
        box = hpke_seal(unb64(r["key"]), about(project, name), digest, key)
        boxes.append({"delegate": r["delegate"],
                      "fingerprint": r["fingerprint"], "box": b64(box)})
    return {"data": b64(data), "boxes": boxes}


def sealed(rig, name, value, labels=None, project=None, only=None, **kw):
    """The body of POST /secrets."""
    return {"name": name, "delegates": {"labels": labels or {"site": "fra"}},
            **version(rig, name, value, labels, project, only), **kw}


def open_value(sk, project, name, data, box):
    """As the delegate with that private key."""
    digest = hashlib.sha256(data).digest()
    key = hpke_open(sk, about(project, name), digest, box)
    text = AESGCM(key).decrypt(data[:12], data[12:], about(project, name))
    n = int.from_bytes(text[:4], "big")
    assert not any(text[4 + n:])
    return text[4:4 + n]
