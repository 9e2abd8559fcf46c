#!/usr/bin/env python3
"""Verify an audit export of Redoubt without Redoubt: doc/PROTOCOL.audit.

usage: verify-export.py EXPORT [KEY]
KEY is the log's verifier key (name+hash+base64), from a source you trust;
without it the key in the export is used, and that is said.
Exit 0: the entries are as signed; 8: they are not, the first bad one is named;
1: the file cannot be read; 2: wrong usage.
"""
import base64
import hashlib
import json
import sys

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


class Bad(Exception):
    """Bad(seq, sentence)"""


def plus(a, b):  # Edwards points in extended coordinates, RFC 8032 5.1.4
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    o, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, z - o, z + o, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(k, a):
    r = (0, 1, 1, 0)
    while k:
        r, a, k = plus(r, a) if k & 1 else r, plus(a, a), k >> 1
    return r


def point(b):
    y = int.from_bytes(b, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    x = pow(xx, (P + 3) // 8, P)
    x = x if (x * x - xx) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - xx) % P or (x == 0 and sign):
        raise ValueError("not a point")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


BASE = point(bytes([0x58] + [0x66] * 31))


def ed25519(pub, sig, text):
    s = int.from_bytes(sig[32:], "little")
    k = int.from_bytes(hashlib.sha512(sig[:32] + pub + text).digest(), "little")
    a, b = times(s, BASE), plus(point(sig[:32]), times(k % Q, point(pub)))
    return s < Q and all((a[i] * b[2] - b[i] * a[2]) % P == 0 for i in (0, 1))


def unb64(text, size=None):
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text or size not in (None, len(raw)):
        raise ValueError("base64")
    return raw


def key_of(vkey):
    name, mark, pub = vkey.split("+", 2)
    pub = unb64(pub, 33)
    right = hashlib.sha256(name.encode() + b"\n" + pub).digest()[:4]
    if pub[0] != 1 or right.hex() != mark:
        raise ValueError("key")
    return name, right, pub


def checkpoint(note, vkey):
    """(size, root) of a C2SP checkpoint, signed with the key."""
    name, right, pub = key_of(vkey)
    text, _, lines = note.rpartition("\n\n")
    origin, size, root = text.split("\n")
    text = (text + "\n").encode()
    if origin != name or not size.isdigit():
        raise ValueError("origin")
    for line in lines.rstrip("\n").split("\n"):
        dash, signer, sig = line.split(" ")
        sig = unb64(sig)
        if dash != "\u2014":
            raise ValueError("signature line")
        if signer == name and sig[:4] == right and len(sig) == 68:
            if ed25519(pub[1:], sig[4:], text):
                return int(size), unb64(root, 32)
    raise ValueError("no signature of " + name)


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def add(stack, height, h):
    """Put a subtree on the right edge; answers the tile root it completes."""
    tile = h if height == 8 else None
    while stack and stack[-1][0] == height:
        h, height = node(stack.pop()[1], h), height + 1
        tile = h if height == 8 else tile
    stack.append((height, h))
    return tile


def cover(stack, at, end, hashes):
    """Put on the subtrees that cover leaves [at, end), greatest first."""
    while at < end:
        height = (end - at).bit_length() - 1
        height = min(height, (at & -at).bit_length() - 1) if at else height
        add(stack, height, unb64(hashes.pop(0), 32))
        at += 1 << height
    if hashes:
        raise ValueError("the proof is too long")


def entry(line, seq, last):
    """(leaf hash, time) of the line of entry `seq`."""
    e = json.loads(line or b"0")
    form = json.dumps(e, sort_keys=True, separators=(",", ":")).encode()
    if form != line or not isinstance(e, dict) or not {"h", "time"} & set(e):
        raise Bad(seq, "is not a leaf in its one form")
    if e["seq"] != seq:
        raise Bad(seq, "is missing: entry %d stands in its place" % e["seq"])
    if "h" in e:
        return unb64(e["h"], 32), last
    if e["time"] < last:
        raise Bad(seq, "is dated before the entry before it")
    return hashlib.sha256(b"\0" + line).digest(), e["time"]


def trailer(lines):
    if lines and lines[-1].startswith(b'{"checkpoint":'):
        return json.loads(lines.pop())
    seqs = [json.loads(x)["seq"] for x in lines if b'"seq":' in x]
    raise Bad(max(seqs, default=0) + 1, "is where the export is cut off")


def verify(data, key, at):
    """at[0] is always the entry at hand, at[1] the first suspect."""
    lines = data.split(b"\n")
    if lines.pop():  # the last line is not whole: then it is no trailer
        lines.append(b"")
    t = trailer(lines)
    at[0], last, stack, mine, time, tile = t["first"], t["last"], [], [], "", None
    size, root = checkpoint(t["checkpoint"], key or t["key"])
    if t["v"] != 1 or not key_of(t["key"]) or len(t) != 8:
        raise ValueError("trailer")
    if size < last:
        raise Bad(size + 1, "is beyond the signed checkpoint")
    cover(stack, 0, at[0] - 1, t["left"])
    for line in lines:
        seq, full = at[0], mine if at[0] % 256 == 1 else []
        if not line.startswith(b'{"hashes":'):
            if full or seq > last:
                raise Bad(seq - len(full), "or its list of hashes is out of place")
            h, time = entry(line, seq, time)
            tile = add(stack, 0, h)
            mine.append(h)
            at[0] += 1
            continue
        if not full and seq != last + 1:
            raise Bad(seq, "is missing")
        listed = json.loads(line)
        if listed["tile"] != (seq - 2) // 256:
            raise Bad(seq - len(mine), "has the list of another tile")
        listed = unb64(listed["hashes"], 32 * len(mine))
        off = [i for i in range(len(mine)) if mine[i] != listed[i * 32:i * 32 + 32]]
        if full and unb64(t["tiles"].pop(0), 32) != tile and not off:
            text = "or one up to %d was changed" % (seq - 1)
            at[1] = at[1] or (seq - len(mine), text)
        if off:
            at[1] = at[1] or (seq - len(mine) + off[0], "was changed")
        mine = []
    if at[0] <= last:
        raise Bad(at[0], "is missing")
    if mine:
        raise Bad(at[0] - len(mine), "has no list of hashes")
    at[0] = t["first"]
    if t["tiles"]:
        raise ValueError("roots of other tiles")
    cover(stack, last, size, t["right"])
    got = stack.pop()[1] if stack else hashlib.sha256(b"").digest()
    while stack:
        got = node(stack.pop()[1], got)
    if got != root or at[1]:
        raise Bad(*at[1] or (at[0], "or another was changed: the signed root differs"))
    return "entries %d to %d are as signed, checkpoint %d" % (at[0], last, size)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    AT = [1, None]
    try:
        with open(sys.argv[1], "rb") as f:
            print(verify(f.read(), "".join(sys.argv[2:]), AT))
    except Bad as e:
        print("entry %d %s" % e.args)
        sys.exit(8)
    except OSError as e:
        sys.exit(str(e))
    except (ValueError, LookupError, TypeError, RecursionError) as e:
        print("entry %d is not proved: %s" % (AT[0], e))
        sys.exit(8)
    if len(sys.argv) == 2:
        print("the key was taken from the export: whose it is was not checked")
