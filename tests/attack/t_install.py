#!/usr/bin/env python3
"""
L06: two fresh installations share no key material, and what init makes is
readable by its owner only.
"""
import base64
import os
import re
import sqlite3
import stat
import subprocess
import sys
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import Rig, run, test  # noqa: E402


def der(pem):
    """The bytes of each PEM block."""
    return [base64.b64decode(b) for b in re.findall(
        r"-----BEGIN [^-]+-----\n(.*?)-----END", pem, re.S)]


def runs(data, n):
    return {data[i:i + n] for i in range(len(data) - n + 1)}


def random_parts(rig):
    """What must be different, as bytes, by name."""
    keys, tls = rig.data / "keys", rig.data / "tls"
    word = (keys / "root.key").read_text().split()
    return {
        "root key id": word[1].encode(),
        "root key": base64.b64decode(word[2]),
        "audit key": (keys / "audit.key").read_bytes()[18:18 + 112],
        "tls key": der((tls / "key.pem").read_text())[0],
        "certificate": der((tls / "cert.pem").read_text())[0],
        "authority": der((tls / "ca.pem").read_text())[0],
        "token": rig.about["token"][4:].encode(),
        "fingerprint": rig.about["fingerprint"].encode(),
    }


def spki(path):
    return subprocess.run(["openssl", "x509", "-in", str(path), "-noout",
                           "-pubkey"], capture_output=True,
                          check=True).stdout


def scalar(path):
    out = subprocess.run(["openssl", "pkey", "-in", str(path), "-noout",
                          "-text"], capture_output=True, text=True,
                         check=True).stdout
    return re.sub(r"[\s:]", "", out.split("priv:")[1].split("pub:")[0])


def blobs(rig):
    """Everything sealed or wrapped in the store, without its header: key
    commitment, nonce, ciphertext, tag."""
    db = sqlite3.connect(rig.data / "db" / "store.db")
    out = []
    for table, column in (("project_key", "wrapped"),
                          ("data_key", "wrapped"), ("object", "sealed")):
        rows = db.execute(f"SELECT {column} FROM {table}").fetchall()
        assert rows, table
        out += [r[0][8:] for r in rows]
    db.close()
    return out


@test
def L06_nothing_is_shared(_):
    a, b = Rig(start=False), Rig(start=False)
    try:
        x, y = random_parts(a), random_parts(b)
        for name in x:
            _.check(x[name] != y[name], f"the same {name}")
            _.check(len(x[name]) > 8, f"{name}: {x[name]!r}")
        for name in ("root key", "token"):
            _.check(not runs(x[name], 8) & runs(y[name], 8),
                    f"part of the {name}")
        for f in ("ca.pem", "cert.pem"):
            _.check(spki(a.data / "tls" / f) != spki(b.data / "tls" / f), f)
        _.check(scalar(a.data / "tls" / "key.pem") !=
                scalar(b.data / "tls" / "key.pem"), "the TLS private key")
        one, two = ({r for blob in blobs(rig) for r in runs(blob, 12)}
                    for rig in (a, b))
        _.check(len(one) > 1000 and len(two) > 1000, "too few blobs")
        _.check(not one & two, f"{len(one & two)} runs of 12 bytes")
    finally:
        a.done()
        b.done()


@test
def owner_only(_):
    rig = Rig(start=False)
    try:
        for path in [rig.data, *rig.data.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            secret = "ca.pem" not in path.name and \
                "cert.pem" not in path.name
            if secret:
                _.check(mode & 0o077 == 0, f"{path}: {mode:o}")
        root = rig.data / "keys" / "root.key"
        _.eq(stat.S_IMODE(root.stat().st_mode), 0o400)
    finally:
        rig.done()


@test
def the_authority_has_no_key(_):
    """What signed the certificate can sign no other."""
    rig = Rig(start=False)
    try:
        ca = spki(rig.data / "tls" / "ca.pem")
        for path in rig.data.rglob("*"):
            if path.suffix != ".pem" or "key" not in path.name:
                continue
            pub = subprocess.run(["openssl", "pkey", "-in", str(path),
                                  "-pubout"], capture_output=True,
                                 check=True).stdout
            _.check(pub != ca, f"{path} is the authority's")
        out = subprocess.run(
            ["openssl", "verify", "-x509_strict", "-CAfile",
             str(rig.data / "tls" / "ca.pem"), "-verify_ip", "127.0.0.1",
             "-purpose", "sslserver", str(rig.data / "tls" / "cert.pem")],
            capture_output=True, text=True)
        _.eq(out.returncode, 0, out.stderr)
    finally:
        rig.done()


@test
def refuses_a_directory_in_use(_):
    rig = Rig(start=False)
    try:
        before = {p: p.read_bytes() for p in rig.data.rglob("*")
                  if p.is_file()}
        out = rig.cli("init", "--data", str(rig.data))
        _.eq(out.returncode, 5, out.stderr)
        _.eq(out.stdout, "")
        after = {p: p.read_bytes() for p in rig.data.rglob("*")
                 if p.is_file()}
        _.check(before == after, "something has changed")
    finally:
        rig.done()


os.umask(0)  # init must not lean on ours
run()
