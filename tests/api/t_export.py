#!/usr/bin/env python3
"""Exports in every format: parsers of others read them, nothing in them means
anything to who reads them, both verifiers agree, and each is on record."""
import base64
import csv
import hashlib
import http.client
import io
import json
import re
import subprocess
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import BINARY, TOP, run, test  # noqa: E402

FORMATS = ("ndjson", "csv", "cef", "ocsf", "syslog")


def entries(rig, query):
    return rig.ok(rig.get("/v1/audit?limit=200&" + query), 200).json["items"]


def export(rig, **body):
    return rig.ok(rig.post("/v1/audit/export", body), 200).body


def verdicts(rig, data, name="e"):
    """What both verifiers say: exit codes, and what the first one said."""
    path = rig.dir / ("export." + name)
    path.write_bytes(data)
    out = rig.cli("audit", "verify", "--file", str(path), "--json")
    py = subprocess.run([sys.executable, str(TOP / "contrib/verify-export.py"),
                         str(path)], capture_output=True, text=True)
    return out.returncode, py.returncode, out.stdout + py.stdout + py.stderr


def leaves(rig):
    """Leaf by number, as the log itself has them."""
    lines = export(rig).split(b"\n")
    return {json.loads(x)["seq"]: x for x in lines if x.startswith(b'{"act')}


@test
def hostile_names_do_not_arrive(rig):
    """What people write is not in the log; the reason of an export is in its
    manifest, as inert ASCII."""
    for text in ("=cmd|' /C calc'!A0", "a\"b|c=d]e,f", "\u202etxt.exe",
                 "<script>alert(1)</script>", "@SUM(1)", "%n%s{}"):
        rig.ok(rig.post(rig.p + "/incidents", {"title": text}), 201)
    reason = "=1+1|x]\"' \u202e\u2028<b> \U0001f4a3 %s, \\ rt=0"
    for form in FORMATS:
        data = export(rig, format=form, reason=reason,
                      filter={"action": "incident.*"})
        text = data.decode()
        rig.check("calc" not in text and "script" not in text, form)
        # the signed note in the trailer of NDJSON has its dash
        odd = set(text) - {chr(c) for c in range(32, 127)} - set("\r\n")
        rig.check(odd <= {"\u2014"} if form == "ndjson" else not odd, odd)
        said = json.loads(manifest_of(form, text))["manifest"]
        rig.eq(said["reason"], reason, form)
        rig.eq(verdicts(rig, data, form)[:2], (0, 0), form)


def manifest_of(form, text):
    last = text.splitlines()[-1]
    if form == "csv":
        return list(csv.reader(io.StringIO(text)))[-1][12]
    if form == "cef":
        return cef(last)[1]["msg"]
    if form == "syslog":
        return rfc5424(last)["msg"]
    if form == "ocsf":
        return json.dumps(json.loads(last)["unmapped"])
    return last


def cef(line):
    """CEF as its specification reads: seven fields, then key=value."""
    head, at = [], 0
    while len(head) < 7:
        m = re.compile(r"((?:\\[|\\]|[^|\\])*)\|").match(line, at)
        head.append(re.sub(r"\\(.)", r"\1", m[1]))
        at = m.end()
    keys = list(re.finditer(r"(?:^| )(\w+)=", line[at:]))
    keys = [k for k in keys if line[at:][k.end() - 2] != "\\"]
    ends = [k.start() for k in keys[1:]] + [len(line) - at]
    return head, {k[1]: re.sub(r"\\(.)", r"\1", line[at:][k.end():e])
                  for k, e in zip(keys, ends)}


def rfc5424(line):
    """By the grammar of RFC 5424 6, for what it lets one say."""
    m = re.fullmatch(
        r"<(\d{1,3})>1 (\S+) (-|[!-~]{1,255}) (-|[!-~]{1,48}) (-|[!-~]{1,128})"
        r" (-|[!-~]{1,32}) (-|\[.*\])(?: (.*))?", line)
    assert m and int(m[1]) <= 191, line[:200]
    data, sd, at = {}, m[7], 0
    if sd != "-":
        head = re.match(r'\[[^ =\]"]{1,32}', sd)
        at = head.end()
        while sd[at] == " ":
            p = re.compile(r' ([^ =\]"]{1,32})="((?:\\["\\\]]|[^"\\\]])*)"'
                           ).match(sd, at)
            data[p[1]] = re.sub(r"\\(.)", r"\1", p[2])
            at = p.end()
        assert sd[at:] == "]", sd[at:]
    return {"pri": int(m[1]), "time": m[2], "id": m[6], "data": data,
            "msg": m[8]}


@test
def parsers_of_others_read_them(rig):
    want = leaves(rig)
    rows = list(csv.DictReader(io.StringIO(
        export(rig, format="csv").decode(), newline="")))
    cefs = [cef(x) for x in export(rig, format="cef").decode().splitlines()]
    logs = [rfc5424(x)
            for x in export(rig, format="syslog").decode().splitlines()]
    ocsf = [json.loads(x) for x in export(rig, format="ocsf").splitlines()]
    for seq, line in want.items():
        e, h = json.loads(line), hashlib.sha256(b"\0" + line).hexdigest()
        r, c, s, o = rows[seq - 1], cefs[seq - 1], logs[seq - 1], ocsf[seq - 1]
        rig.eq((int(r["seq"]), r["action"], r["time"], r["leaf_hash"]),
               (seq, e["action"], e["time"], h), "csv")
        rig.eq(r["reason"], e.get("reason", ""), "csv")
        rig.eq(c[0][:5], ["CEF:0", "Redoubt", "redoubt", "1", e["action"]])
        rig.eq((c[1]["externalId"], c[1]["cs6"], c[1]["cs6Label"]),
               (str(seq), h, "leafHash"), "cef")
        rig.eq((s["time"], s["data"]["seq"], s["data"]["leaf_hash"],
                s["data"]["action"]), (e["time"], str(seq), h, e["action"]))
        rig.eq((s["pri"] >> 3, o["metadata"]["version"]), (13, "1.6.0"))
        rig.eq((o["metadata"]["sequence"], o["unmapped"]["leaf_hash"]),
               (seq, h), "ocsf")
        rig.eq(o["type_uid"], o["class_uid"] * 100 + o["activity_id"])
        rig.check(o["class_uid"] in (3002, 6003) and
                  o["category_uid"] == o["class_uid"] // 1000, o)
        for member in ("activity_id", "actor", "severity_id", "time",
                       "src_endpoint", "metadata", "status_id"):
            rig.check(member in o, f"{member} in {o}")
    rig.eq(rows[-1]["seq"], "manifest")
    rig.check(None not in rows[0] and len(rows[0]) == 15, "columns")


@test
def edits_are_named(rig):
    for form in FORMATS:
        data = export(rig, format=form, filter={"outcome": "ok"})
        lines = data.splitlines(True)
        n = len(lines) // 2
        if form == "ndjson":
            n = next(i for i in range(n, len(lines))
                     if lines[i].startswith(b'{"action"'))
        bad = [
            lines[:n] + [lines[n].replace(b"ok", b"no", 1)] + lines[n + 1:],
            lines[:n] + lines[n + 1:],
            lines[:n] + [lines[n]] + lines[n:],
            lines[:-1], lines[:-1] + [lines[-1].replace(b"user", b"root")],
            lines[:n], [],
        ]
        for i, b in enumerate(bad):
            got = verdicts(rig, b"".join(b), form)
            rig.check(got[:2] == (8, 8), f"{form} edit {i}: {got}")


@test
def on_record(rig):
    before = entries(rig, "action=audit.export")
    data = export(rig, format="csv", reason="monthly")
    new = entries(rig, "action=audit.export")
    new = [e for e in new if e["seq"] > before[0]["seq"]]
    rig.eq([e["outcome"] for e in new], ["ok", "intent"])
    rig.eq(new[0]["request_id"], new[1]["request_id"])
    said = {r["type"]: r["id"] for r in new[0]["resource"]}
    rig.eq(said["bytes"], str(len(data)))
    rig.eq(said["sha256"], hashlib.sha256(data).hexdigest())
    rig.eq(said["entries"], str(len(data.splitlines()) - 2))
    m = json.loads(manifest_of("csv", data.decode()))["manifest"]
    rig.eq(m["request_id"], new[0]["request_id"])
    rig.eq(m["requester"]["id"], rig.get("/v1/whoami").json["id"])
    rig.check("cm" in json.loads(new[1]["leaf"]), "the reason is committed")
    # the bytes that were signed are the bytes there are
    body = data[:data.rindex(b"\r\n", 0, -2) + 2]
    rig.eq(base64.b64decode(m["sha256"]), hashlib.sha256(body).digest())


@test
def sealed_to_somebody(rig):
    """What leaves is unreadable but to them; the record is of what left."""
    key = rig.dir / "auditor.key"
    to = rig.cli("audit", "keygen", "--to", str(key)).stdout.strip()
    for form in ("ndjson", "csv"):
        data = export(rig, format=form, recipient=to)
        rig.check(data.startswith(b"redoubt-parcel-1\n"), data[:40])
        for word in (b"audit.export", b"principal", b"org.create", b"seq"):
            rig.check(word not in data, f"{word} can be read")
        e = entries(rig, "action=audit.export&outcome=ok")[0]
        said = {r["type"]: r["id"] for r in e["resource"]}
        rig.eq((said["bytes"], said["sha256"]),
               (str(len(data)), hashlib.sha256(data).hexdigest()))
        path = rig.dir / ("sealed." + form)
        path.write_bytes(data)
        out = subprocess.run([BINARY, "audit", "open", str(path), "--key",
                              str(key)], capture_output=True)
        rig.eq(out.returncode, 0, out.stderr)
        rig.eq(verdicts(rig, out.stdout, form)[:2], (0, 0), form)
        # a changed byte, a piece cut off: not opened
        for bad in (data[:200] + bytes([data[200] ^ 1]) + data[201:],
                    data[:-1], data[:97]):
            path.write_bytes(bad)
            out = rig.cli("audit", "open", str(path), "--key", str(key),
                          "--to", str(rig.dir / "never"))
            rig.eq(out.returncode, 8, out.stderr)
            rig.check(not (rig.dir / "never").exists(), "nothing is left")


@test
def bad_requests(rig):
    for body, code in (
            ({"format": "xlsx"}, "invalid"),
            ({"format": "csv", "from": "2030-01-01T00:00:00Z"}, "invalid"),
            ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
             "invalid"),
            ({"to": "1990-01-01T00:00:00Z"}, "invalid"),
            ({"from": "yesterday"}, "invalid"),
            ({"recipient": "redoubt-recipient-1:AAAA"}, "invalid"),
            ({"filter": {"x": "y"}}, "unknown_member"),
            ({"manifest": True}, "unknown_member")):
        r = rig.post("/v1/audit/export", body)
        rig.ok(r, 400, code)
    r = rig.post("/v1/audit/export", {"to": "1990-01-01T00:00:00Z"})
    rig.check("nothing to export" in r.json["detail"], r)
    e = entries(rig, "action=audit.export&outcome=error")
    rig.eq(e[0]["reason"], "invalid")
    _, c = rig.make_account("viewer", rig.project)
    rig.ok(c.post("/v1/audit/export", {"format": "csv"}), 403)


@test
def the_client_goes_away(rig):
    """Cut short there is no manifest, and the log says who left."""
    s = rig.raw()
    token = rig.token
    body = b'{"format":"ocsf"}'
    s.sendall(b"POST /v1/audit/export HTTP/1.1\r\nhost: localhost\r\n"
              b"authorization: Bearer " + token.encode() + b"\r\n"
              b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
              % len(body) + body)
    rig.check(s.recv(1) == b"H", "it has begun")
    s.close()
    for _ in range(50):
        e = entries(rig, "action=audit.export")[0]
        if e["outcome"] != "intent":
            break
        time.sleep(0.1)
    rig.check(e["outcome"] in ("ok", "error"), e)
    rig.check("bytes" in {r["type"] for r in e["resource"]}, e)


@test
def too_many_are_told_when(rig):
    body = {"format": "csv", "filter": {"action": "org.create"}}
    for _ in range(60):
        r = rig.post("/v1/audit/export", body)
        if r.status == 429:
            break
    rig.ok(r, 429, "rate_limited")
    rig.check(1 <= int(r.headers["retry-after"]) <= 60, r.headers)


run()
