"""
judgekit.py: Redoubt's own verifiers in a process that is asked again and
again (tests/attack/judge.c), and what a forger needs: the tree of RFC 9162,
signed notes, leaves in their one form.
"""
import base64
import hashlib
import json
import pathlib
import subprocess

import othercrypto  # noqa: F401  (first: it may start Debian's python3)
from cryptography.hazmat.primitives.serialization import Encoding, \
    PublicFormat
from cryptography.hazmat.primitives.asymmetric.ed25519 import \
    Ed25519PrivateKey
from rig import BINARY, TOP

WIDTH = 256


def built(name):
    """A program beside BINARY, made of the sources BINARY was made of."""
    at = pathlib.Path(BINARY).resolve().parent / name
    v = pathlib.Path(BINARY).resolve().parent.name
    subprocess.run(["make", "-s", f"V={v}", str(at.relative_to(TOP))],
                   cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    return at


class Judge:
    def __init__(self):
        at = built("attack/judge")
        self.p = subprocess.Popen([str(at)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.p.stdin.write(" ".join(map(str, words)) + "\n")
        self.p.stdin.flush()
        line = self.p.stdout.readline().rstrip("\n")
        if not line:
            raise RuntimeError(f"the judge died of {words}: {self.p.wait()}")
        return line

    def store(self, data):
        return self.ask("store", data)

    def export(self, path):
        return self.ask("export", path)

    def secrets(self, data):
        """[(kind, number, 32 bytes)] of every key of a store."""
        out, line = [], self.ask("secrets", data)
        while line.split()[0] not in ("ok", "err", "bad"):
            kind, n, key = line.split()
            out.append((kind, int(n), bytes.fromhex(key)))
            line = self.p.stdout.readline().rstrip("\n")
        if not line.startswith("ok"):
            raise RuntimeError(line)
        return out

    def done(self):
        self.p.stdin.close()
        self.p.wait(10)
        self.p.stdout.close()


# ---- the tree ----

def h_leaf(b):
    return hashlib.sha256(b"\0" + b).digest()


def h_node(a, b):
    return hashlib.sha256(b"\1" + a + b).digest()


def root_of(hashes):
    """RFC 9162 2.1.1"""
    n = len(hashes)
    if n < 2:
        return hashes[0] if n else hashlib.sha256(b"").digest()
    k = 1 << ((n - 1).bit_length() - 1)
    return h_node(root_of(hashes[:k]), root_of(hashes[k:]))


# ---- notes ----

def key_id(name, pub):
    return hashlib.sha256(name.encode() + b"\n\1" + pub).digest()[:4]


def sign(text, name, seed):
    """A signed note; text ends in a newline."""
    k = Ed25519PrivateKey.from_private_bytes(seed)
    pub = k.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    sig = key_id(name, pub) + k.sign(text.encode())
    return f"{text}\n\u2014 {name} {base64.b64encode(sig).decode()}\n" \
        .encode()


def checkpoint(name, size, root, seed, origin=None):
    return sign(f"{origin or name}\n{size}\n"
                f"{base64.b64encode(root).decode()}\n", name, seed)


# ---- leaves ----

def leaf_of(obj):
    return json.dumps(obj, sort_keys=True, separators=(",", ":")).encode()

