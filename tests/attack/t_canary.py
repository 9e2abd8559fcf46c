#!/usr/bin/env python3
"""
L05: what people and senders write is nowhere in plain: not in the store, its
write-ahead log, temporary files, the log, core dumps or error texts, alive,
after kill -9, and after an orderly end.
"""
import base64
import os
import pathlib
import resource
import signal
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import Rig, later, run, test  # noqa: E402

CANARY = "cAnArY-7f3a9-zeppelin"


def forms(text):
    """Raw, hexadecimal, UTF-16, backwards, lower case, JSON with escapes, and
    base64 at every alignment."""
    b = text.encode()
    out = {b, b.hex().encode(), b.hex().upper().encode(),
           text.encode("utf-16-le"), text.encode("utf-16-be"),
           b[::-1], text.lower().encode(), text.encode("utf-32-le"),
           "".join(f"\\u{ord(c):04x}" for c in text).encode(),
           "".join(f"%{c:02X}" for c in b).encode()}
    for skip in range(3):  # base64 at every alignment
        e = base64.b64encode(b"\0" * skip + b)
        out.add(e[4 if skip else 0:-4])
    return out


def files(*tops):
    for top in tops:
        for p in pathlib.Path(top).rglob("*"):
            if p.is_file() and not p.is_symlink():
                yield p


def find(needles, *tops):
    hits, n = [], 0
    for p in files(*tops):
        try:
            data = p.read_bytes()
        except OSError:
            continue
        n += 1
        hits += [f"{p}: {x[:40]!r}" for x in needles if x in data]
    return hits, n


def schema_value(name, spec, rig, me):
    """Something valid with the canary in it, by the field's type."""
    t = spec["type"]
    t = t[0] if isinstance(t, list) else t
    special = {
        "severity": "critical", "slug": CANARY.lower()[:40].replace("y-", "y"),
        "email": CANARY + "@example.com", "commander": me, "owner": None,
        "to": "acknowledged", "expires_at": later(3600),
        "occurred_at": later(-60), "from": later(-60), "role": "viewer",
        "project": rig.project, "template": "generic", "format": "ndjson",
        "auth": {"kind": "bearer"}, "subject": {"kind": "user", "id": me},
        "principal": {"kind": "user", "id": me}, "permission": CANARY,
        "members": [{"kind": "user", "id": me}], "scopes": ["incident.view"],
        "permissions": ["incident.view"], "projects": [rig.project],
        "ip_allow": ["127.0.0.0/8"], "link": "https://x/" + CANARY,
        "default_severity": "error", "incident": None, "kind": "alert",
        "mapping": {"service": CANARY}, "filter": {"resource": CANARY},
        "payload": {"title": CANARY}, "labels": {CANARY: CANARY},
        "private": False, "disabled": False,
    }
    if name in special:
        return special[name]
    return {"string": CANARY, "boolean": True, "integer": 1,
            "array": [CANARY], "object": {CANARY: CANARY}}[t]


def drive(rig):
    """The canary into every member of every body, every query, header and
    path, and through an integration. Returns secrets that were shown."""
    api = rig.get("/openapi.json").json
    me = rig.get("/v1/whoami").json["id"]
    rig.make_incident(CANARY)
    ids = {"p": rig.project, "i": "1", "s": "1"}
    secrets, wrote = [rig.token], 0
    for path, ops in api["paths"].items():
        for method, op in ops.items():
            ref = op.get("requestBody", {}).get("content", {}).get(
                "application/json", {}).get("schema", {}).get("$ref")
            body = None
            if ref:
                spec = api["components"]["schemas"][ref.rsplit("/", 1)[1]]
                body = {k: schema_value(k, v, rig, me)
                        for k, v in spec["properties"].items()}
                body = {k: v for k, v in body.items() if v is not None}
                if "incident" in ref and "severity" in body:
                    body["severity"] = "sev1"
            if path.endswith(("/events", "/stream", "/keys/seal")) or \
                    method == "delete":
                continue
            url = path
            for k, v in ids.items():
                url = url.replace("{%s}" % k, v)
            url = url.replace("{a}", CANARY).replace("{n}", CANARY)
            url = url.replace("{g}", CANARY)
            r = rig.request(method.upper(), url, body, headers={
                "User-Agent": CANARY, "X-Anything": CANARY,
                "Idempotency-Key": CANARY if method == "post" else None})
            wrote += r.status in (200, 201)
            rig.check(r.status < 500, f"{method} {url}: {r!r}")
            for m in ("token", "secret"):
                if r.status == 201 and r.json.get(m):
                    secrets.append(r.json[m])
            rig.get(url + "?q=" + CANARY)
    n = rig.make_integration("generic", mapping={"service": CANARY})
    secrets.append(n["secret"])
    s = rig.client(n["secret"])
    for body in ({"title": CANARY, "severity": CANARY, "labels": {"a": CANARY},
                  "message": CANARY, "dedup_key": CANARY, "group": CANARY,
                  "link": CANARY}, {"no": CANARY}, [{"x": CANARY}]):
        s.post("/ingest/" + n["id"], body, headers={"User-Agent": CANARY})
    s.request("POST", "/ingest/" + n["id"], "{" + CANARY, raw=True)
    a = rig.get(rig.p + "/alerts?limit=200").json["items"]
    for x in a[:3]:
        rig.post(rig.p + f"/alerts/{x['id']}/acknowledge", {"note": CANARY})
        rig.post(rig.p + f"/alerts/{x['id']}/promote", {})
    rig.client(CANARY).get("/v1/whoami")
    rig.get("/" + CANARY)
    rig.check(wrote > 15, f"{wrote} requests wrote something")
    return secrets


@test
def nowhere_in_plain(rig):
    secrets = drive(rig)
    needles = set().union(*(forms(CANARY), *(forms(s) for s in secrets),
                            *(forms(s[15:]) for s in secrets)))
    time.sleep(1.2)
    hits, n = find(needles, rig.data)
    rig.check(not hits, f"alive: {hits[:5]}")
    rig.check(n > 5, f"{n} files")
    wal = [p for p in files(rig.data) if p.name.endswith("-wal")]
    rig.check(wal and wal[0].stat().st_size > 0, "the log was looked at")
    rig.check(CANARY not in rig.log_text(), "in the server's log")
    for s in secrets:
        rig.check(s not in rig.log_text(), "a secret in the log")
    fds = open_files(rig)
    hits = [f"{p}" for p, data in fds if any(x in data for x in needles)]
    rig.check(not hits, f"open files: {hits}")
    rig.stop(signal.SIGKILL)
    hits, _ = find(needles, rig.data)
    rig.check(not hits, f"after kill -9: {hits[:5]}")
    rig.start()
    rig.ok(rig.get(rig.p + "/incidents?q=" + CANARY), 200)
    rig.stop()
    hits, _ = find(needles, rig.data)
    rig.check(not hits, f"after the end: {hits[:5]}")
    rig.start()
    copies(rig, needles)


def copies(rig, needles):
    """What leaves the directory: backups with their keys, whole and by
    steps; exports of the log in every format; what opens them is not there
    either."""
    out = rig.dir / "copies"
    out.mkdir()
    for name, base in (("1", []), ("2", ["--base", str(out / "1.rbk")])):
        r = rig.cli("backup", "--data", str(rig.data), "--to",
                    str(out / f"{name}.rbk"), *base)
        rig.eq(r.returncode, 0, r.stderr)
        rig.make_incident(CANARY)
    for form in ("ndjson", "csv", "cef", "ocsf", "syslog"):
        (out / form).write_bytes(rig.ok(rig.post("/v1/audit/export", {
            "format": form}), 200).body)
    sealed_export(rig, out)
    hits, n = find(needles, out)
    rig.check(not hits and n >= 9, f"copies: {hits[:5]}, {n} files")
    root = (rig.data / "keys/root.key").read_text().split()[2]
    keys = {root.encode(), base64.b64decode(root), *forms(rig.token[4:])}
    hits, _ = find(keys, out)
    rig.check(not hits, f"keys in copies: {hits}")
    for p in out.glob("*.rbk"):
        rig.eq(p.stat().st_mode & 0o777, 0o600, f"{p.name}: mode")
    rig.check(CANARY not in rig.log_text(), "in the server's log")


def open_files(rig):
    """Contents of every regular file a process has open, deleted ones too."""
    out = []
    for pid in rig.pids():
        d = f"/proc/{pid}/fd"
        try:
            names = os.listdir(d)
        except OSError:
            continue
        for fd in names:
            try:
                if pathlib.Path(d, fd).is_file():
                    out.append((os.readlink(f"{d}/{fd}"),
                                pathlib.Path(d, fd).read_bytes()))
            except OSError:
                pass
    return out


def sealed_export(rig, out):
    """To a key that is not the server's: not even ids are in it."""
    key = rig.dir / "auditor.key"
    to = rig.cli("audit", "keygen", "--to", str(key)).stdout.strip()
    b = rig.ok(rig.post("/v1/audit/export", {"recipient": to}), 200).body
    (out / "sealed").write_bytes(b)
    me = rig.get("/v1/whoami").json["id"]
    for word in ('"principal"', "incident.create", me, rig.project,
                 "127.0.0.1", "redoubt/", to, key.read_text().split()[-1]):
        rig.check(not any(f in b for f in forms(word)), f"{word} in it")
    r = rig.cli("audit", "open", str(out / "sealed"), "--key", str(key),
                "--to", str(rig.dir / "opened"))
    rig.eq(r.returncode, 0, r.stderr)
    rig.check(me.encode() in (rig.dir / "opened").read_bytes(), "opened")
    r = rig.cli("audit", "verify", "--file", str(rig.dir / "opened"))
    rig.eq(r.returncode, 0, r.stdout + r.stderr)


@test
def errors_tell_nothing(rig):
    """No answer repeats a secret, a path of the server or SQL."""
    for path in ("/v1/projects/" + CANARY, rig.p + "/incidents/" + CANARY):
        r = rig.get(path)
        for word in ("sqlite", "SELECT", "/home", "/tmp", "src/", ".c:"):
            rig.check(word not in r.body.decode(), f"{path}: {word}")
    r = rig.client("rdp_" + CANARY).get("/v1/whoami")
    rig.check(CANARY not in r.body.decode(), "token repeated")


@test
def no_core(rig):
    """A crash leaves no core, and nobody but root may look inside."""
    if not hasattr(resource, "RLIMIT_CORE"):
        return
    rig.make_incident(CANARY)
    for pid in rig.pids():
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        line = [l for l in limits.split("\n") if "core file" in l][0]
        rig.eq(line.split()[4:6], ["0", "0"], f"pid {pid}")
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()
    before = set(files(rig.dir))
    for pid in rig.pids():
        os.kill(pid, signal.SIGSEGV)
    time.sleep(1)
    rig.stop(signal.SIGKILL, shot=True)
    new = [p for p in set(files(rig.dir)) - before if "core" in p.name]
    rig.check(not new, f"{new} ({pattern.strip()})")
    hits, _ = find(forms(CANARY), rig.dir, "/var/lib/systemd/coredump") \
        if pathlib.Path("/var/lib/systemd/coredump").exists() else \
        find(forms(CANARY), rig.dir)
    rig.check(not hits, hits)
    rig.start()


run(lambda: Rig())
