#!/usr/bin/env python3
"""
A sealed server: it starts so when only a person can open the root key file,
and it is made so by the kill switch.  Every route refuses, nobody has a key
or a text in memory, and it serves again when somebody unseals it on its host.
"""
import os
import pathlib
import re
import signal
import socket
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from keykit import PASS, fresh, key, lines, says  # noqa: E402
from rig import SANITIZED, TOP, Rig, run  # noqa: E402

ROUTE = re.compile(r'ROUTE\((\w+),\s*(\w+),\s*"([^"]*)"', re.M)


def all_refuse(rig):
    """Every route of the table, with and without a credential."""
    rows = ROUTE.findall((TOP / "src/flow/routes.def").read_text())
    rig.check(len(rows) > 150, f"{len(rows)} routes")
    n = 0
    for name, method, path in rows:
        path = re.sub(r"\{[^}]*\}", "x", path).replace("…", "x")
        r = rig.request(method, path, {} if method in ("POST", "PUT",
                                                       "PATCH") else None)
        want = 200 if path == "/healthz" else 503
        rig.eq(r.status, want, f"{method} {path}")
        if want == 503:
            rig.eq(r.code, "sealed", f"{method} {path}")
        n += 1
    print(f"# {n} routes refuse while it is sealed")
    for path in ("/ui/", "/healthz/x", "/v1/nothing", "/Login", "//"):
        rig.eq(rig.get(path).status, 503, path)
    # the pages have nothing of anybody's: they say that it is sealed
    shell = rig.ok(rig.client(None).get("/"), 200)
    files = re.findall(rb'(?:src|href)="(/[^"]+)"', shell.body)
    rig.check(len(files) > 2, shell.body)
    for path in files:
        rig.ok(rig.client(None).get(path.decode()), 200)
    rig.eq(rig.post("/healthz", {}).status, 503)


def scan(rig, words):
    """How often each is in the memory of any process, and what was seen."""
    hits, seen = {w: 0 for w in words}, 0
    for pid in rig.pids():
        with open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in open(f"/proc/{pid}/maps"):
                at, perm = line.split()[:2]
                if "r" not in perm or "[v" in line:
                    continue
                lo, hi = (int(x, 16) for x in at.split("-"))
                if hi - lo > 1 << 32:  # a sanitizer's shadow
                    continue
                try:
                    mem.seek(lo)
                    data = mem.read(hi - lo)
                except (OSError, ValueError, OverflowError):
                    continue
                seen += data.count(b"IPC_SIGNED")
                for w in words:
                    hits[w] += data.count(w)
    return hits, seen


@fresh
def starts_sealed_and_is_unsealed(rig):
    key(rig, "key-source", "add", "--kind", "passphrase", said=lines(PASS))
    s = key(rig, "key", "split", "--shares", "3", "--threshold", "2",
            said=lines(PASS))["shares"]
    rig.start(word="sealed")
    all_refuse(rig)
    says(rig, "wrong", "key", "unseal", said=lines("wrong"), rc=7)
    says(rig, "nothing was read", "key", "unseal", rc=6)
    says(rig, "2 shares are needed", "key", "unseal", said=lines(s[0]), rc=6)
    says(rig, "given twice", "key", "unseal", said=lines(s[0], s[0]), rc=6)
    says(rig, "is sealed", "key", "rotate", said=lines(PASS), rc=7)
    says(rig, "is sealed", "key", "rewrap", rc=7)
    rig.eq(rig.get("/readyz").status, 503)
    t = key(rig, "key", "unseal", said=lines(PASS))
    rig.eq(t["sealed"], False)
    print(f"# unsealed with a passphrase and serving in {t['ms']} ms")
    rig.check(t["ms"] <= 1000 * max(1, os.getloadavg()[0]) or SANITIZED,
              f"{t['ms']} ms")
    rig.says("ready")
    rig.close()
    rig.eq(rig.get("/readyz").status, 200)
    rig.ok(rig.get("/v1/whoami"), 200)
    rig.make_incident("after it")
    rig.eq(rig.ok(rig.get("/v1/policy/crypto"), 200).json["root_sources"],
           ["passphrase", "shares"])
    says(rig, "not sealed", "key", "unseal", rc=5)
    key(rig, "key", "rotate", said=lines(PASS))
    rig.make_incident("after the rotation")
    rig.eq(rig.stop(), 0)
    rig.start(word="sealed")
    t = key(rig, "key", "unseal", said=lines(s[2], s[1]))
    print(f"# unsealed with shares and serving in {t['ms']} ms")
    rig.says("ready")
    rig.close()
    rig.eq(len(rig.ok(rig.get(rig.p + "/incidents"), 200).json["items"]), 2)
    rig.stop()
    rig.start(word="sealed")
    rig.eq(rig.stop(), 0, "stopped while it is sealed")
    rig.start(word="sealed")
    rig.close()
    rig.eq(rig.stop(signal.SIGINT), 0)
    says(rig, "start it", "key", "unseal", rc=7)


@fresh
def the_kill_switch(rig):
    rig.start()
    canary = "canary-" + "kumquat-in-the-title"
    i = rig.make_incident(canary)
    rig.ok(rig.post(f"{rig.p}/incidents/{i['id']}/timeline",
                    {"text": canary + " entry"}), 201)
    for _ in range(5):
        rig.ok(rig.get(f"{rig.p}/incidents/{i['id']}"), 200)
    root = (rig.data / "keys/root.key").read_text().split()[2].encode()
    hits, seen = scan(rig, [canary.encode(), root])
    if not SANITIZED:
        rig.check(hits[canary.encode()] > 0 and seen > 0,
                  "its text is in no memory: nothing would be proved")
        rig.eq(hits[root], 0, "the root key, in use")
    _, viewer = rig.make_account("viewer", rig.project)
    rig.eq(viewer.post("/v1/keys/seal", {"reason": "x"}).status, 403)
    rig.eq(rig.post("/v1/keys/seal", {}).status, 400)
    rig.eq(rig.post("/v1/keys/seal", {"reason": ""}).status, 400)
    stream = rig.raw()
    stream.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n"
                   b"Authorization: Bearer " + rig.token.encode() +
                   b"\r\n\r\n")
    rig.check(b"200" in stream.recv(4096), "a stream is open")
    ended = []

    def follow():
        try:
            while stream.recv(65536):
                pass
        except OSError:
            pass
        ended.append(time.time())
    t = threading.Thread(target=follow)
    t.start()
    before = set(rig.pids())
    start = time.time()
    r = rig.post("/v1/keys/seal", {"reason": "an intruder, " + canary})
    rig.eq((r.status, r.json["sealed"]), (202, True))
    rig.says("sealed")
    took = time.time() - start
    t.join(10)
    rig.check(ended, "the stream was not ended")
    print(f"# sealed {took * 1000:.0f} ms after the request")
    rig.check(took < 5, f"{took} s")
    rig.close()
    end = time.time() + 3
    while len(before & set(rig.pids())) > 1 and time.time() < end:
        time.sleep(0.01)
    rig.eq(before & set(rig.pids()), {rig.server.pid},
           "processes that had a key live")
    hits, seen = scan(rig, [canary.encode(), root])
    rig.eq(sum(hits.values()), 0, f"in memory: {hits}")
    if not SANITIZED:
        rig.check(seen > 0, "no memory was read")
    rig.eq(rig.get("/readyz").code, "sealed")
    # a restart does not unseal, with a plain root key file neither
    rig.stop()
    rig.start(word="sealed")
    t = key(rig, "key", "unseal")
    rig.says("ready")
    rig.close()
    a = rig.ok(rig.get("/v1/audit?action=key.seal&limit=10"), 200).json
    rig.eq([x["action"] for x in a["items"]].count("key.seal") >= 1, True)
    r = rig.cli("audit", "verify", "--data", str(rig.data))
    rig.eq(r.returncode, 0, r.stdout + r.stderr)
    # by its owner on the host, and while no server runs
    says(rig, "reason", "key", "seal", "--reason", "", rc=6)
    rig.eq(key(rig, "key", "seal", "--reason", "a drill")["online"], True)
    rig.says("sealed")
    rig.close()
    key(rig, "key", "unseal")
    rig.says("ready")
    rig.close()
    rig.ok(rig.get("/v1/whoami"), 200)
    rig.stop()
    rig.eq(key(rig, "key", "seal", "--reason", "a drill")["online"], False)
    rig.start(word="sealed")
    key(rig, "key", "unseal")
    rig.says("ready")
    rig.close()
    rig.stop()
    key(rig, "key", "seal", "--reason", "a drill")
    key(rig, "key", "unseal")
    rig.start()


@fresh
def unattended(rig):
    k = pathlib.Path(rig.dir) / "unlock.key"
    key(rig, "key-source", "add", "--kind", "file", "--path", str(k))
    rig.start()
    rig.ok(rig.get("/v1/whoami"), 200)
    key(rig, "key", "rotate")
    rig.make_incident("after the rotation")
    rig.eq(key(rig, "key", "status")["online"], True)
    rig.stop()
    away = k.with_name("away")
    k.rename(away)
    rig.start(word="sealed")
    rig.check("No such file" in rig.log_text(), "the log says why")
    says(rig, "No such file", "key", "unseal", rc=3)
    away.rename(k)
    t = key(rig, "key", "unseal")
    print(f"# unsealed with a file and serving in {t['ms']} ms")
    rig.says("ready")
    rig.close()
    rig.ok(rig.get("/v1/whoami"), 200)


@fresh
def what_comes_over_the_socket(rig):
    """Bytes of all kinds: the process that unseals goes on."""
    key(rig, "key-source", "add", "--kind", "passphrase", said=lines(PASS))
    rig.start(word="sealed")
    for said in (b"\n", b"unseal\n", b"unseal {}\n", b"unseal []\n",
                 b'unseal {"lines":"x"}\n', b'unseal {"lines":[1]}\n',
                 b'unseal {"lines":' + b"[" * 100 + b"\n",
                 b'unseal {"lines":[' + b'"x",' * 40 + b'"x"]}\n',
                 b"unseal " + b"x" * 20000 + b"\n", b"status\n",
                 b"\xff\xfe\x00\n"):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(str(rig.data / "control.sock"))
        try:
            s.sendall(said)
            out = s.makefile("rb").readline()
            rig.check(b'"error"' in out, f"{said[:30]}: {out}")
        except OSError:
            pass  # it has said no already
        s.close()
    key(rig, "key", "unseal", said=lines(PASS))
    rig.says("ready")


run(make=lambda: Rig(start=False))
