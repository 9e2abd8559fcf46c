#!/usr/bin/env python3
"""
Makes v1.json: vectors of doc/PROTOCOL.secret, by Python's cryptography.
Everything that is random in use is derived from the vector's number here.
"""
import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
from secretkit import about, b64, hpke_seal, raw, seal_value  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import (  # noqa: E402
    ed25519, x25519)


def derive(n, what, size=32):
    return hashlib.sha256(f"redoubt-secret vector {n} {what}".encode()
                          ).digest()[:size]


def vector(n, project, name, value, delegates):
    key, nonce = derive(n, "key"), derive(n, "nonce", 12)
    _, data = seal_value(project, name, value, key, nonce)
    to = []
    for i in range(delegates):
        sk = x25519.X25519PrivateKey.from_private_bytes(
            derive(n, f"delegate {i}"))
        ident = ed25519.Ed25519PrivateKey.from_private_bytes(
            derive(n, f"identity {i}"))
        e = derive(n, f"ephemeral {i}")
        box = hpke_seal(raw(sk), about(project, name),
                        hashlib.sha256(data).digest(), key,
                        x25519.X25519PrivateKey.from_private_bytes(e))
        to.append({
            "delegate": f"0190a000-0000-7000-8000-00000000000{i}",
            "private": derive(n, f"delegate {i}").hex(),
            "identity": b64(raw(ident)), "key": b64(raw(sk)),
            "fingerprint": hashlib.sha256(raw(ident) + raw(sk)).hexdigest(),
            "ephemeral": e.hex(), "box": b64(box)})
    return {"project": project, "name": name, "value": value.hex(),
            "data_key": key.hex(), "nonce": nonce.hex(), "data": b64(data),
            "recipients": to}


VECTORS = [
    vector(1, "shop", "jira", b"correct horse battery staple", 1),
    vector(2, "shop", "jira", b"correct horse battery staple", 3),
    vector(3, "a", "0", b"12345678", 1),
    vector(4, "shop", "k8s.token_2-b", bytes(range(60)), 2),
    vector(5, "shop", "k8s.token_2-b", bytes(range(61)), 2),
    vector(6, "shop", "long", b"\xf0\x9f\x94\x91" * 4096, 1),
]
text = json.dumps({"protocol": "redoubt-secret/1", "vectors": VECTORS},
                  indent=1) + "\n"
if "--check" in sys.argv:
    sys.exit((HERE / "v1.json").read_text() != text)
(HERE / "v1.json").write_text(text)
