#!/usr/bin/env python3
"""Verify an audit export of Redoubt without Redoubt: doc/PROTOCOL.audit.
It reads NDJSON, CSV, CEF, OCSF and syslog exports.

usage: verify-export.py EXPORT [KEY]
KEY is the log's verifier key (name+hash+base64), from a source you trust;
without it the key in the export is used, and that is said.
Exit 0: the entries are as signed; 8: they are not, the first bad one is named;
1: the file cannot be read; 2: wrong usage.
"""
import base64
import csv
import datetime
import hashlib
import json
import re
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


LEAF = ("action", "address", "cm", "count", "credential", "outcome",
        "principal", "project", "reason", "request_id", "resource", "seq",
        "time", "v")


def leaf_of(cells):
    """The leaf whose members these are, as bytes, and the hash beside it."""
    def ids(text):
        for one in text.split():
            kind, _, i = one.partition(":")
            i = re.sub("%2([05])", lambda x: " %"[x[1] == "5"], i)
            yield {"type": kind, **({"id": i} if i else {})}
    e = {k: v for k, v in cells.items() if v and k in LEAF}
    e.update(seq=int(e["seq"]), v=1, principal={"kind": cells["principal_kind"]})
    if cells.get("principal_id"):
        e["principal"]["id"] = cells["principal_id"]
    if cells.get("commitment"):
        e["cm"] = cells["commitment"]
    if "count" in e:
        e["count"] = int(e["count"])
    if cells.get("resources"):
        e["resource"] = list(ids(cells["resources"]))
    text = json.dumps(e, sort_keys=True, separators=(",", ":")).encode()
    return text, bytes.fromhex(cells["leaf_hash"]), e["seq"]


COLUMNS = ("seq,time,action,outcome,reason,principal_kind,principal_id,"
           "credential,address,project,request_id,count,resources,commitment,"
           "leaf_hash")
CEF = dict(externalId="seq", act="action", outcome="outcome", reason="reason",
           spriv="principal_kind", suid="principal_id", cs1="credential",
           src="address", c6a2="address", cs2="project", cs3="request_id",
           cnt="count", cs4="resources", cs5="commitment", cs6="leaf_hash")


def row(line):
    cells = next(csv.reader([line]))
    return [c[1:] if c[:1] == "'" else c for c in cells]


def extension(line):
    pairs = re.findall(r"([A-Za-z0-9]+)=((?:\\.|[^\\=])*)(?= [A-Za-z0-9]+=|$)",
                       line.split("|", 7)[7])
    return {k: re.sub(r"\\(.)", r"\1", v) for k, v in pairs}


def cells_of(form, line):
    if form == "csv":
        return dict(zip(COLUMNS.split(","), row(line)))
    if form == "cef":
        at = extension(line)
        cells = {CEF[k]: v for k, v in at.items() if k in CEF}
        seconds, ms = divmod(int(at["rt"]), 1000)
        day = datetime.datetime(1970, 1, 1) + datetime.timedelta(0, seconds)
        return dict(cells, time=day.isoformat() + ".%03dZ" % ms)
    if form == "syslog":
        cells = re.findall(r' ([a-z_]+)="((?:\\.|[^"\\])*)"', line)
        cells = {k: re.sub(r"\\(.)", r"\1", v) for k, v in cells}
        return dict(cells, time=line.split(" ")[1])
    e = json.loads(line)
    user, rest = e["actor"]["user"], e["unmapped"]
    things = " ".join(x["type"] + (":" + re.sub("[ %]", lambda c: "%%%02X" %
                      ord(c[0]), x["uid"]) if "uid" in x else "")
                      for x in e.get("resources", ()))
    return dict(rest, seq=e["metadata"]["sequence"], resources=things,
                action=e["api"]["operation"], outcome=e["status"],
                reason=e.get("status_detail"), principal_kind=user["type"],
                principal_id=user.get("uid"), count=e.get("count"),
                credential=user.get("credential_uid"),
                address=e["src_endpoint"].get("ip"),
                request_id=e["api"].get("request", {}).get("uid"))


def manifest_text(form, line):
    """The manifest and its signature in the last line; None: no manifest."""
    if form == "csv":
        cells = row(line)
        return cells[12] if cells[0] == "manifest" else None
    if form == "cef":
        return extension(line).get("msg")
    if form == "ocsf":
        return line.partition('"unmapped":')[2][:-1]
    if form == "syslog":
        return (line.split(" ", 7) + [""] * 8)[7]
    return line if line.startswith('{"manifest":') else None


def manifest(form, line, key):
    text = manifest_text(form, line) or ""
    m = re.fullmatch(r'\{"manifest":(.*),"signature":"(.{88})"\}', text)
    if not m:
        return None
    statement = b"redoubt audit export manifest 1".ljust(32, b"\0")
    statement += hashlib.sha256(m[1].encode()).digest()
    said = json.loads(m[1])
    pub = key_of(key or said["key"])[2]
    if not ed25519(pub[1:], unb64(m[2], 64), statement):
        raise ValueError("the manifest is not signed by this key")
    if said["v"] != 1 or said["format"] != form:
        raise ValueError("the manifest is of another format")
    return said


def place(m, seq, marks):
    """The entries of the first block that differs."""
    n, width = m["last"] + 1 - m["first"], 256
    while width * 256 < n:
        width *= 2
    got = [hashlib.sha256() for _ in range(0, n, width)]
    for i, what in zip(seq, marks):
        got[(i - m["first"]) // width].update(what)
    for i, h in enumerate(got):
        if [h.digest()] != [unb64(b, 32) for b in m["blocks"][i:i + 1]]:
            a = m["first"] + i * width
            raise Bad(a, "or one up to %d is not as exported"
                      % min(a + width - 1, m["last"]))


def sheet(form, data, key, at):
    """An export that is for other programs."""
    lines = data.decode("ascii").splitlines(True)
    m = manifest(form, lines.pop().rstrip("\r\n"), key) if lines else None
    at[0], seqs, marks, stack = (m or {"first": 1})["first"], [], [], []
    whole = bool(m) and "left" in m
    if whole:
        cover(stack, 0, at[0] - 1, m["left"])
    if form == "csv" and lines:
        seqs, marks = [at[0]], [lines.pop(0).encode()]
        if marks[0].decode() != COLUMNS + "\r\n":
            raise Bad(at[0], "has no names of columns before it")
    for line in lines:
        text, h, seq = leaf_of(cells_of(form, line.rstrip("\r\n")))
        if hashlib.sha256(b"\0" + text).digest() != h:
            raise Bad(seq, "was changed: its hash differs")
        if seq < at[0] or (whole and seq > at[0]):
            raise Bad(at[0], "is missing: entry %d stands in its place" % seq)
        add(stack, 0, h)
        seqs.append(seq)
        marks.append(line.encode())
        at[0] = seq + 1
    if not m:
        raise Bad(at[0], "is where the export is cut off: no manifest")
    at[0] = m["first"]
    if seqs and seqs[-1] > m["last"]:
        raise Bad(seqs[-1], "is beyond the manifest")
    place(m, seqs, marks)
    size, root = checkpoint(m["checkpoint"], key or m["key"])
    if whole:
        cover(stack, m["last"], size, m["right"])
        if fold(stack) != root:
            raise Bad(at[0], "or another was changed: the signed root differs")
    body = data[:len("".join(lines)) + (len(marks[0]) if form == "csv" else 0)]
    same(m, body, at)
    return "%d entries of %d to %d are as exported, checkpoint %d" % (
        m["entries"], m["first"], m["last"], size)


def same(m, body, at):
    if (len(body), hashlib.sha256(body).digest()) != (
            m["bytes"], unb64(m["sha256"], 32)):
        raise Bad(at[0], "or another is not as exported")


def fold(stack):
    got = stack.pop()[1] if stack else hashlib.sha256(b"").digest()
    while stack:
        got = node(stack.pop()[1], got)
    return got


def form_of(data):
    for start, form in ((b"CEF:", "cef"), (b"<", "syslog"), (b"seq,", "csv"),
                        (b'{"activity_id":', "ocsf")):
        if data.startswith(start):
            return form
    return "ndjson"


def trailer(lines):
    if lines and lines[-1].startswith(b'{"checkpoint":'):
        return json.loads(lines.pop())
    seqs = [json.loads(x)["seq"] for x in lines if b'"seq":' in x]
    raise Bad(max(seqs, default=0) + 1, "is where the export is cut off")


EPOCH = re.compile("(.+)/([1-9][0-9]*)(-[0-9a-f]{8})?")


def follows(old, new):
    """Is `new` a name of the epoch behind that of `old`?"""
    a, b = EPOCH.fullmatch(old), EPOCH.fullmatch(new)
    return bool(a and b and a[1] == b[1] and int(b[2]) == int(a[2]) + 1)


def renamed(key, own):
    """The same key under the name of another epoch: what to ask about."""
    if not key:
        return own, None
    (old, _, pub), (new, _, pub2) = key_of(key), key_of(own)
    a, b = EPOCH.fullmatch(old), EPOCH.fullmatch(new)
    if old == new or pub != pub2 or not a or not b or a[1] != b[1]:
        return key, None
    return own, old


def forks(lines, known, origin):
    """Do the entries tell how the log got the name it has?  PROTOCOL.audit 8"""
    name, left, hidden, lost, n = "", known is None, False, 0, 0
    for line in lines:
        hidden = hidden or line.startswith(b'{"h":')
        if not line.startswith(b'{"action":"audit.fork",'):
            continue
        e = json.loads(line)
        log, before, last = [r["id"] for r in e["resource"]]
        if [r["type"] for r in e["resource"]] != ["log", "log.before", "checkpoint"] \
                or not follows(before, log) or (name and name != before and not hidden):
            raise Bad(e["seq"], "is a fork that does not begin where the log was")
        name, left, n = log, left or before == known, n + 1
        lost += max(0, int(last.split(":")[0]) - (e["seq"] - 1))
    if not left or (name and name != origin and not (hidden and known is None)):
        raise Bad(1, "or another is missing: the log is called %s, and no entry says why" % origin)
    return n and "; %d forks: %d entries that were signed before are not here" % (n, lost) or ""


def verify(data, key, at):
    """at[0] is always the entry at hand, at[1] the first suspect."""
    form = form_of(data)
    if form != "ndjson":
        return sheet(form, data, key, at)
    lines = data.split(b"\n")
    if lines.pop():  # the last line is not whole: then it is no trailer
        lines.append(b"")
    tail, body = lines[-1] if lines else b"", data
    if tail.startswith(b'{"manifest":'):
        lines.pop()
        body = data[:len(data) - len(tail) - 1]
    t = trailer(lines)
    at[0], last, stack, mine, time, tile = t["first"], t["last"], [], [], "", None
    key, known = renamed(key, t["key"])
    size, root = checkpoint(t["checkpoint"], key)
    if t["v"] not in (1, 2) or not key_of(t["key"]) or len(t) != 8:
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
    if fold(stack) != root or at[1]:
        raise Bad(*at[1] or (at[0], "or another was changed: the signed root differs"))
    m = manifest(form, tail.decode("ascii"), key) if body is not data else None
    if bool(m) != (t["v"] == 2):
        raise Bad(at[0], "or the manifest is missing, or of another export")
    if m:
        same(m, body, at)
    told = forks(lines, known, key_of(key)[0])
    return "entries %d to %d are as signed, checkpoint %d" % (at[0], last, size) + told


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
