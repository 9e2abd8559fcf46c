#!/usr/bin/env python3
"""
What a secret is, nowhere: not in an answer, the log, the store, the audit
log, the memory of the server's processes, the command line or environment of
anybody, a core dump or an error text; and what is kept opens with a delegate's
private key and with nothing that the server has.
"""
import base64
import os
import pathlib
import pty
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from delegatekit import DRig, b64  # noqa: E402
from rig import BINARY, run, test  # noqa: E402
from secretkit import (open_value, recipients, sealed,  # noqa: E402
                       unb64, version)

CANARY = b"cAnArY-5e3c-zeppelin-hunter2"


def forms(b):
    """The value and what programs make of it; long pieces count too."""
    t = b.decode()
    out = {b, b.hex().encode(), b.hex().upper().encode(), b[::-1],
           t.encode("utf-16-le"), t.lower().encode(), t.upper().encode(),
           urllib.parse.quote(t, safe="").encode(), b[:14], b[-14:]}
    for skip in range(3):
        e = base64.b64encode(b"\0" * skip + b)
        out.add(e[4 if skip else 0:-4])
    return out


NEEDLES = forms(CANARY)


def hits(data):
    return [n[:24] for n in NEEDLES if n in data]


def env(rig):
    return dict(os.environ, REDOUBT_URL=rig.url, REDOUBT_CA=rig.ca,
                REDOUBT_TOKEN=rig.token, REDOUBT_PROJECT=rig.project,
                XDG_CONFIG_HOME=str(rig.dir / "config"))


def cli(rig, *argv, input=None):
    return subprocess.run([BINARY, *argv], env=env(rig), input=input,
                          capture_output=True, timeout=60)


def equip(rig):
    if not hasattr(rig, "d1"):
        rig.said = []  # every answer's bytes
        ask = rig.request

        def noted(*a, **kw):
            r = ask(*a, **kw)
            rig.said.append(r.body)
            return r
        rig.request = noted
        rig.d1 = rig.make_delegate("d1", {"site": "fra"})
        rig.d2 = rig.make_delegate("d2", {"site": "ber"})


def memory(pid):
    """What a process has written to its memory and root may read."""
    out, span = [], None
    with open(f"/proc/{pid}/smaps") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            words = line.split()
            if len(words) > 1 and len(words[1]) == 4 and "-" in words[0]:
                span = words[0] if words[1].startswith("rw") else None
            elif span and words[0] == "Rss:" and words[1] != "0":
                lo, hi = (int(x, 16) for x in span.split("-"))
                try:
                    mem.seek(lo)
                    out.append(mem.read(hi - lo))
                except OSError:
                    pass  # keys in memory that nobody may read
    return b"".join(out)


LIKELY = [CANARY] + [base64.b64encode(b"\0" * n + CANARY)[4 if n else 0:-4]
                     for n in range(3)]


def in_memory(pid):
    data = memory(pid)
    return len(data), [n[:24] for n in LIKELY if n in data]


@test
def set_and_rotated_by_the_command_line(rig):
    equip(rig)
    p = cli(rig, "secret", "set", "hunter", "--delegates", "site=fra",
            "--json", input=CANARY + b"\n")
    rig.eq(p.returncode, 0, p.stderr)
    rig.said += [p.stdout, p.stderr]
    value = rig.dir / "elsewhere.txt"
    value.write_bytes(CANARY)
    p = cli(rig, "secret", "rotate", "hunter", "--file", str(value),
            "--verbose", "--json")
    rig.eq(p.returncode, 0, p.stderr)
    value.unlink()
    rig.said += [p.stdout, p.stderr]
    p = cli(rig, "secret", "set", "argv", "--delegates", "site=fra",
            CANARY.decode())
    rig.eq(p.returncode, 2, "a value in an argument")
    for bad in ({"value": CANARY.decode()}, {"data": CANARY.decode()},
                {"data": CANARY.decode(), "boxes": []},
                {"boxes": [{"box": CANARY.decode()}]},
                {"name": CANARY.decode()}, {"external": {
                    "connector": CANARY.decode(), "path": "a",
                    "field": "b"}}):
        r = rig.post(rig.p + "/secrets", {
            "name": "bad", "delegates": {"labels": {"site": "fra"}}, **bad})
        rig.eq(r.status, 400, f"{bad}")


def typed(rig, name, *lines):
    """At a terminal; (exit code, all that was shown)."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(BINARY, [str(BINARY), "secret", "set", name, "--delegates",
                           "site=fra"], env(rig))
    shown = b""
    try:
        for line in lines:
            while not shown.endswith(b": "):
                shown += os.read(fd, 4096)
            os.write(fd, line + b"\n")
            shown += os.read(fd, 1)
        while True:
            shown += os.read(fd, 4096)
    except OSError:
        pass  # it has ended
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


@test
def typed_at_a_terminal(rig):
    equip(rig)
    rc, shown = typed(rig, "typed", CANARY, CANARY)
    rig.eq(rc, 0, shown)
    rig.check(shown.count(b": ") >= 2 and not hits(shown), f"{shown!r}")
    rc, shown = typed(rig, "mistyped", CANARY, CANARY + b"x")
    rig.check(rc == 6 and b"two values" in shown and not hits(shown),
              f"{rc} {shown!r}")
    rig.ok(rig.get(rig.p + "/secrets/mistyped"), 404)
    rig.said.append(shown)


@test
def in_no_answer_and_no_record(rig):
    equip(rig)
    body = sealed(rig, "mine", CANARY)
    rig.ok(rig.post(rig.p + "/secrets", body), 201)
    for path in ("/secrets", "/secrets/mine", "/secrets/mine/uses"):
        rig.ok(rig.get(rig.p + path), 200)
    seq = rig.ok(rig.get("/v1/audit?action=secret.&limit=200"),
                 200).json["items"]
    rig.check(len(seq) >= 3, "entries")
    for e in seq:
        rig.ok(rig.get(f"/v1/audit/{e['seq']}"), 200)
    rig.ok(rig.post("/v1/audit/export", {"format": "ndjson"}), 200)
    for x in rig.said:
        rig.check(not hits(x), f"{hits(x)} in {x[:200]!r}")
    # nor what is opened with the delegate's key
    shown = b"".join(rig.said)
    for part in [body["data"]] + [x["box"] for x in body["boxes"]]:
        rig.check(part.encode() not in shown, "ciphertext in an answer")
    rig.check(not hits(rig.log_text().encode()), "in the log")
    pins = rig.dir / "config"
    for p in list(pathlib.Path(rig.data).rglob("*")) + \
            list(pins.rglob("*")):
        if p.is_file():
            rig.check(not hits(p.read_bytes()), f"in {p}")


@test
def in_nobodys_memory(rig):
    """While a value is being set, and after: only who sets it has it."""
    equip(rig)
    r, w = os.pipe()
    p = subprocess.Popen(
        [BINARY, "secret", "set", "slow", "--delegates", "site=fra"],
        env=env(rig), stdin=r, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    os.close(r)
    os.write(w, CANARY)  # and no end of it yet
    time.sleep(1)
    own = f"/proc/{p.pid}"
    for name in ("cmdline", "environ"):
        rig.check(not hits(pathlib.Path(own, name).read_bytes()), name)
    # nobody but root may look: it is not dumpable
    rig.eq(os.stat(own + "/mem").st_uid, 0)
    for pid in rig.pids():
        rig.eq(in_memory(pid)[1], [], f"early, in {pid}")
    os.write(w, b"\n")
    os.close(w)
    out, err = p.communicate(timeout=30)
    rig.eq(p.returncode, 0, err)
    rig.check(not hits(out + err), "printed")
    seen = 0
    for pid in rig.pids():
        n, found = in_memory(pid)
        seen += n
        rig.eq(found, [], f"in the memory of {pid}")
        for name in ("cmdline", "environ"):
            text = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            rig.check(not hits(text), f"{name} of {pid}")
    rig.check(seen > 1_000_000, f"{seen} bytes were looked at")
    # the search finds what is there
    rig.make_incident("findable-" + "q" * 20)
    rig.check(any(b"findable-" in memory(pid) for pid in rig.pids()),
              "nothing is ever found")


@test
def in_no_core_dump(rig):
    equip(rig)
    where = rig.dir / "cores"
    where.mkdir()

    def limits():
        resource.setrlimit(resource.RLIMIT_CORE, (
            resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    r, w = os.pipe()
    p = subprocess.Popen(
        [BINARY, "secret", "set", "crash", "--delegates", "site=fra"],
        env=env(rig), stdin=r, cwd=where, preexec_fn=limits,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(r)
    os.write(w, CANARY)
    time.sleep(1)
    p.send_signal(signal.SIGSEGV)
    rig.eq(p.wait(timeout=20), -signal.SIGSEGV)
    os.close(w)
    rig.eq([x.name for x in where.iterdir()], [])
    # where one would have been left
    q = subprocess.Popen(["sleep", "60"], cwd=where, preexec_fn=limits)
    time.sleep(0.2)
    q.send_signal(signal.SIGSEGV)
    q.wait()
    if open("/proc/sys/kernel/core_pattern").read().strip() == "core":
        rig.check(len(list(where.iterdir())) == 1, "dumps are off here")


@test
def only_a_delegates_key_opens_it(rig):
    """The store's rows, opened with every key the server has, are still
    ciphertext; with the delegate's private key they are the value."""
    equip(rig)
    body = sealed(rig, "locked", CANARY)
    rig.ok(rig.post(rig.p + "/secrets", body), 201)
    data = unb64(body["data"])
    box = unb64(body["boxes"][0]["box"])
    rig.eq(open_value(rig.d1.sealing, rig.project, "locked", data, box),
           CANARY)
    for key, project, name in (
            (rig.d2.sealing, rig.project, "locked"),  # another delegate
            (rig.d1.sealing, "elsewhere", "locked"),  # another project
            (rig.d1.sealing, rig.project, "other")):  # another secret
        try:
            open_value(key, project, name, data, box)
            rig.fail(f"it opens for {project} {name}")
        except Exception:
            pass
    # data and box of different versions do not go together
    other = version(rig, "locked", b"another value")
    try:
        open_value(rig.d1.sealing, rig.project, "locked",
                   unb64(other["data"]), box)
        rig.fail("a box opens other data")
    except Exception:
        pass


@test
def another_projects_secret_is_unreachable(rig):
    """By a person, by a reference, by a delegate of the other project."""
    equip(rig)
    rig.ok(rig.post("/v1/projects", {"slug": "other", "name": "O"}), 201)
    there = "/v1/projects/other"
    s = rig.ok(rig.post(rig.p + "/secrets", sealed(rig, "ours", CANARY)),
               201).json
    _, admin = rig.person("project_admin", "other")
    for x in ("ours", s["id"]):
        for at in (there, rig.p):
            for method, path, b in (
                    ("GET", "", None), ("GET", "/uses", None),
                    ("DELETE", "", None), ("PATCH", "", {"description": "x"}),
                    ("POST", "/versions", version(rig, "ours", b"v" * 9))):
                r = admin.request(method, f"{at}/secrets/{x}{path}", b)
                rig.check(r.status == 404, f"{method} {at} {x}: {r!r}")
    # a connector there does not find it by its name
    c = rig.ok(admin.post(there + "/connectors", {
        "slug": "thief", "kind": "https", "base": "https://evil.example.net",
        "actions": [{"name": "a", "method": "GET", "path": "/"}],
        "auth": {"kind": "bearer", "secret": "ours"},
        "delegates": {"labels": {"site": "x"}},
        "expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(
            time.time() + 86400))}), 201).json
    r = rig.ok(admin.post(f"{there}/connectors/{c['slug']}/submit"), 409)
    rig.check("no secret ours" in r.json["detail"], r.json["detail"])
    # a delegate there is no recipient here
    spy = rig.make_delegate("spy", {"site": "fra"}, project="other")
    rig.check(spy.id not in str(recipients(rig, {"site": "fra"})), "spy")
    one = sealed(rig, "leak", CANARY)
    spied = recipients(rig, {"site": "fra"}, "other")[0]
    one["boxes"].append({"delegate": spy.id,
                         "fingerprint": spied["fingerprint"],
                         "box": b64(bytes(80))})
    rig.ok(rig.post(rig.p + "/secrets", one), 400)


@test
def destroyed_is_destroyed(rig):
    equip(rig)
    rig.ok(rig.post(rig.p + "/secrets", sealed(rig, "brief", CANARY)), 201)
    db = sqlite3.connect(f"file:{rig.data}/db/store.db?mode=ro", uri=True)
    before = {k: s for k, s in db.execute(
        "SELECT key, sealed FROM secret_version")}
    rig.ok(rig.delete(rig.p + "/secrets/brief"), 204)
    after = {k for k, in db.execute("SELECT key FROM secret_version")}
    keys = {k for k, in db.execute("SELECT id FROM data_key")}
    db.close()
    gone = set(before) - after
    rig.eq(len(gone), 1)
    rig.check(not gone & keys, "its key is still there")
    rig.stop()
    raw = b"".join(p.read_bytes() for p in
                   pathlib.Path(rig.data, "db").iterdir() if p.is_file())
    rig.check(all(before[k][80:112] not in raw for k in gone),
              "its bytes are still in the store")
    rig.start()


run(DRig)
