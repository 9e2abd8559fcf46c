#!/usr/bin/env python3
"""
Everything at once: senders, people, administrators, streams, exports, key
rotation and reloads side by side.  Nothing fails that should not, nothing is
counted twice or lost, and afterwards the log verifies.  What the threads of
the server do to each other is what `make V=tsan` builds look for here.
"""
import os
import signal
import subprocess
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import BINARY, later, run, test  # noqa: E402

SECONDS = float(os.environ.get("SECONDS", "3"))
BUSY = (429, 503)  # a full queue is an honest answer


class Crowd:
    """Threads that each do one thing over and over until time is up."""

    def __init__(self, rig):
        self.rig, self.end = rig, time.time() + SECONDS
        self.threads, self.done = [], {}

    def add(self, fn, *args, n=1):
        for k in range(n):
            t = threading.Thread(target=self.loop, args=(fn, k, *args))
            self.threads.append(t)

    def loop(self, fn, k, *args):
        try:
            while time.time() < self.end:
                fn(k, *args)
                self.done[fn.__name__] = self.done.get(fn.__name__, 0) + 1
        except Exception as e:
            self.rig.fail(f"{fn.__name__}: {e!r}")

    def run(self):
        for t in self.threads:
            t.start()
        for t in self.threads:
            t.join()

    def want(self, answer, *statuses):
        self.rig.check(answer.status in (*statuses, *BUSY),
                       f"{answer!r}, want {statuses}")
        return answer


def senders(crowd, rig):
    sent = {}
    n = rig.make_integration("generic")

    def send(k):
        c = clients(rig, n["secret"])
        key = f"k{k}-{sent.get(k, 0) % 5}"
        r = crowd.want(c.post("/ingest/" + n["id"], {
            "title": "t " + key, "dedup_key": key, "group": f"g{k}",
            "severity": "critical"}), 202)
        if r.status == 202:
            sent[k] = sent.get(k, 0) + 1
    crowd.add(send, n=4)
    return n, sent


_local = threading.local()


def clients(rig, token):
    """One connection per thread and token."""
    mine = _local.__dict__.setdefault("mine", {})
    return mine.setdefault(token, rig.client(token))


def people(crowd, rig, incident):
    """Notes written, by thread."""
    one, notes = f"{rig.p}/incidents/{incident}", {}

    def note(k):
        r = crowd.want(clients(rig, rig.token).post(
            one + "/timeline", {"text": f"note {k}"}), 201)
        notes[k] = notes.get(k, 0) + (r.status == 201)

    def read(k):
        c = clients(rig, rig.token)
        for path in (one + "?include=timeline", one + "/timeline?order=desc",
                     rig.p + "/incidents?limit=20", rig.p + "/alerts",
                     rig.p + "/incidents?q=note", "/metrics", "/healthz",
                     "/v1/tokens", "/v1/posture", "/v1/audit?limit=20",
                     "/v1/audit/checkpoint"):
            crowd.want(c.get(path), 200)

    def health(k):
        crowd.want(clients(rig, None).get("/healthz"), 200)

    def stranger(k):
        crowd.want(clients(rig, "rdp_nobody").get("/v1/whoami"), 401)
    crowd.add(note, n=2)
    crowd.add(read, n=3)
    crowd.add(health, n=2)
    crowd.add(stranger)
    return notes


def administrators(crowd, rig):
    """A token works until it is revoked, and never after."""
    def tokens(k):
        c = clients(rig, rig.token)
        r = crowd.want(c.post("/v1/tokens", {
            "name": "x", "scopes": ["*"], "expires_at": later(60)}), 201)
        if r.status != 201:
            return
        mine = rig.client(r.json["token"])
        crowd.want(mine.get("/v1/whoami"), 200)
        gone = crowd.want(c.delete("/v1/tokens/" + r.json["id"]), 204)
        if gone.status == 204:
            crowd.want(mine.get("/v1/whoami"), 401)
        mine.close()

    def projects(k):
        c = clients(rig, rig.token)
        slug = f"p{k}-{time.time_ns()}"
        if crowd.want(c.post("/v1/projects", {"slug": slug}),
                      201).status == 201:
            crowd.want(c.post(f"/v1/projects/{slug}/incidents",
                              {"title": "in a new project"}), 201)
    crowd.add(tokens, n=2)
    crowd.add(projects)


def watchers(crowd, rig):
    def stream(k):
        path = ("/v1/events", "/v1/audit/stream")[k % 2]
        s = rig.raw()
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                  f"{rig.token}\r\nLast-Event-ID: 1\r\n\r\n".encode())
        s.settimeout(0.5)
        try:
            for _ in range(20):
                s.recv(65536)
        except TimeoutError:
            pass
        s.close()

    def export(k):
        r = crowd.want(clients(rig, rig.token).post("/v1/audit/export",
                       {"from": later(-1)}), 200)
        if r.status == 200:
            rig.check(b'"size"' in r.body.split(b"\n")[-2] or
                      b"checkpoint" in r.body[-4000:], r.body[-300:])
    crowd.add(stream, n=3)
    crowd.add(export, n=2)


def keepers(crowd, rig):
    def rotate(k):
        out = rig.cli("key", "rotate", "--data", str(rig.data), timeout=120)
        rig.check(out.returncode == 0, f"{out.stdout} {out.stderr}")

    def reload(k):
        os.kill(rig.server.pid, signal.SIGHUP)
        time.sleep(0.2)
    crowd.add(rotate)
    crowd.add(reload)


@test
def everything_at_once(rig):
    crowd = Crowd(rig)
    i = rig.make_incident("the one everybody is in")
    n, sent = senders(crowd, rig)
    notes = people(crowd, rig, i["id"])
    administrators(crowd, rig)
    watchers(crowd, rig)
    keepers(crowd, rig)
    crowd.run()
    print(f"# {dict(sorted(crowd.done.items()))}")
    for k, times in sent.items():
        keys = {f"k{k}-{x}": 0 for x in range(min(5, times))}
        r = rig.ok(rig.get(rig.p + f"/alerts?limit=200&q=k{k}-"), 200)
        for a in r.json["items"]:
            rig.check(a["dedup_key"] in keys, a)
            keys[a["dedup_key"]] += a["count"]
        rig.eq(sum(keys.values()), times, f"alerts of sender {k}")
    now = rig.get(f"{rig.p}/incidents/{i['id']}").json
    rig.eq(now["timeline_count"], sum(notes.values()) + 1, "notes")
    for name in crowd.done:
        rig.check(crowd.done[name] > 0, name)
    rig.eq(len(crowd.done), 11, sorted(crowd.done))


@test
def the_log_verifies(rig):
    rig.stop()
    out = subprocess.run([BINARY, "audit", "verify", "--data",
                          str(rig.data)], capture_output=True, text=True)
    rig.eq(out.returncode, 0, out.stdout + out.stderr)
    rig.start()


run()
