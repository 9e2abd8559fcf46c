#!/usr/bin/env python3
"""
A secret all the way: set by the command line, carried by the server, opened by
a real delegate, used by a script that tries to show it.  It is in nobody's
command line or environment, no file of server or delegate, no answer, and not
in the server's memory.
"""
import base64
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from delegatekit import DRig, make_runbook, person, start_run  # noqa: E402
from rig import BINARY, run, test  # noqa: E402

CANARY = b"cAnArY-9b1d-Zeppelin-hunter2-x"
POLICY = """[delegate]
labels = site=fra
kinds = script
runbooks = *
connectors = *
hosts = *
secrets = *

[interpreter sh]
path = /bin/sh
profile = interp
args = -eu
"""
# Reads its secret and shows it in ways that accidents have.
SHOW = """IFS= read -r s <&"$SECRET_FD_HUNTER" || true
echo "raw $s"
printf 'split '; for p in 1 2 3; do printf '%s' "$s"; done; echo
printf 'b64 '; printf '%s' "$s" | base64
printf 'hex '; printf '%s' "$s" | od -An -tx1 | tr -d ' \\n'; echo
echo "to stderr $s" >&2
echo "json {\\"k\\":\\"$s\\"}"
printf '%s' "$s" > left-behind || true
env
cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' || true
sleep 2
echo "length ${#s}"
"""


def forms(b):
    out = {b, b.hex().encode(), b.hex().upper().encode(), b[::-1]}
    for skip in range(3):
        e = base64.b64encode(b"\0" * skip + b)
        out.add(e[4 if skip else 0:-4])
    return out


NEEDLES = forms(CANARY)


def hits(data):
    return [n[:20] for n in NEEDLES if n in data]


def env(rig):
    return dict(os.environ, REDOUBT_URL=rig.url, REDOUBT_CA=rig.ca,
                REDOUBT_TOKEN=rig.token, REDOUBT_PROJECT=rig.project,
                XDG_CONFIG_HOME=str(rig.dir / "config"))


def cli(rig, *argv, input=None, ok=True):
    p = subprocess.run([BINARY, *argv], env=env(rig), input=input,
                       capture_output=True, timeout=90)
    rig.check(not ok or p.returncode == 0, f"{argv}: {p.stderr!r}")
    return p


class Real:
    """`redoubt delegate run`, enrolled and approved."""

    def __init__(self, rig):
        self.rig, self.dir = rig, rig.dir / "delegate"
        slot = rig.ok(rig.post(rig.p + "/delegates", {
            "name": "real", "labels": {"site": "fra"}}), 201).json
        at = ("--dir", str(self.dir))
        join = ("delegate", "enroll", *at, "--url", rig.url, "--ca", rig.ca,
                "--json")
        cli(rig, *join, input=slot["token"].encode() + b"\n",
            ok=False)
        _, boss = person(rig, "org_admin")
        rig.ok(boss.post(f"{rig.p}/delegates/{slot['id']}/approve", {}), 200)
        cli(rig, *join, input=slot["token"].encode() + b"\n")
        (self.dir / "policy.conf").write_text(POLICY)
        (self.dir / "policy.conf").chmod(0o600)
        self.log = open(rig.dir / "delegate.log", "ab")
        self.p = subprocess.Popen([BINARY, "delegate", "run", *at],
                                  stdin=subprocess.DEVNULL, stdout=self.log,
                                  stderr=self.log)

    def stop(self):
        self.p.terminate()
        self.p.wait(30)


def real(rig):
    if not hasattr(rig, "real"):
        rig.real = Real(rig)
    return rig.real


class Watch(threading.Thread):
    """Command lines and environments of every process, again and again."""

    def __init__(self):
        super().__init__()
        self.found, self.looked, self.over = set(), 0, False

    def run(self):
        me = {str(os.getpid())}
        while not self.over:
            for pid in os.listdir("/proc"):
                if not pid.isdigit() or pid in me:
                    continue
                for name in ("cmdline", "environ"):
                    try:
                        data = pathlib.Path("/proc", pid, name).read_bytes()
                    except OSError:
                        continue
                    self.looked += 1
                    if hits(data):
                        self.found.add((name, data[:60]))
            time.sleep(0.02)


def written(pid):
    """What a process has written to its memory."""
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
                    pass
    return b"".join(out)


def ended(rig, path):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        r = rig.ok(rig.get(path), 200).json
        if r["state"] in ("succeeded", "failed", "cancelled"):
            return r
        time.sleep(0.2)
    rig.fail(f"it does not end: {r}")
    return r


@test
def used_and_shown_nowhere(rig):
    d = real(rig)
    cli(rig, "secret", "set", "hunter", "--delegates", "site=fra",
        input=CANARY + b"\n")
    book = make_runbook(rig, "shows", [{
        "id": "show", "kind": "script", "interpreter": "sh", "script": SHOW,
        "secrets": ["hunter"], "delegates": {"labels": {"site": "fra"}}}])
    w = Watch()
    w.start()
    path = start_run(rig, book)
    r = ended(rig, path)
    w.over = True
    w.join()
    rig.eq(r["state"], "succeeded", json.dumps(r)[:600])
    rig.eq(w.found, set())
    rig.check(w.looked > 200, f"{w.looked} looked at")
    log = rig.ok(rig.get(path + "/log"), 200).body
    text = base64.b64decode(json.loads(log)["data"]) \
        if log[:1] == b"{" and b'"data"' in log else log
    rig.check(b"length %d" % len(CANARY) in text, f"it ran: {text!r}")
    for line in (b"raw ", b"split ", b"b64 ", b"hex ", b"to stderr "):
        rig.check(line in text, f"{line} in {text!r}")
    rig.check(not hits(text) and not hits(log), f"shown: {text!r}")
    rig.check(not hits(rig.log_text().encode()), "in the server's log")
    for pid in rig.pids():
        rig.check(not hits(written(pid)), f"in the memory of {pid}")
    for top in (rig.data, d.dir, rig.dir / "delegate.log",
                rig.dir / "config"):
        for p in ([top] if top.is_file() else top.rglob("*")):
            if p.is_file():
                rig.check(not hits(p.read_bytes()), f"in {p}")
    u = rig.ok(rig.get(rig.p + "/secrets/hunter/uses"), 200).json["items"]
    rig.eq(len(u), 1)


@test
def the_search_finds_what_is_there(rig):
    w = Watch()
    w.start()
    p = subprocess.Popen(["sleep", "1"], env={"X": CANARY.decode()})
    p.wait()
    w.over = True
    w.join()
    rig.check(any(name == "environ" for name, _ in w.found), "environ")
    rig.make_incident("findable-" + "q" * 20)
    rig.check(any(b"findable-" in written(pid) for pid in rig.pids()),
              "memory")


@test
def a_step_that_crashes_leaves_nothing(rig):
    d = real(rig)
    book = make_runbook(rig, "crashes", [{
        "id": "crash", "kind": "script", "interpreter": "sh",
        "script": 'IFS= read -r s <&"$SECRET_FD_HUNTER"\n'
                  "ulimit -c unlimited || true\nkill -SEGV $$\nsleep 5\n",
        "secrets": ["hunter"], "delegates": {"labels": {"site": "fra"}}}])
    r = ended(rig, start_run(rig, book))
    rig.eq(r["state"], "failed")
    for p in [*d.dir.rglob("*"), *pathlib.Path("/tmp").glob("core*"),
              *pathlib.Path.cwd().glob("core*")]:
        if p.is_file():
            rig.check("core" not in p.name and not hits(p.read_bytes()),
                      f"{p}")


@test
def the_delegate_ends(rig):
    real(rig).stop()
    rig.eq(rig.real.p.returncode, 0)
    text = (rig.dir / "delegate.log").read_bytes()
    rig.check(not hits(text), "in the delegate's log")


run(DRig)
