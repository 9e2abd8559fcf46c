#!/usr/bin/env python3
"""
A server that lies cannot make a delegate run anything: a real delegate, a
real TLS server with its own log and keeper, and every lie of liarkit.py; each
is refused with its own word, and nothing is started, run or connected to.
That the truths among them do run shows that the oracle works.
"""
import http.server
import os
import shutil
import ssl
import subprocess
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
import liarkit  # noqa: E402
from liarserver import BINARY, Delegate, Server, Tls  # noqa: E402

d = liarkit.d
n = [0, 0]


def check(what, good, detail=""):
    n[0] += 1
    n[1] += not good
    print(f"{'ok' if good else 'not ok'} {n[0]} - {what}", flush=True)
    if not good:
        print(f"# {detail}")


class Peer:
    """What a connector leads to: it counts."""

    def __init__(self, tls):
        self.hits = []
        hits = self.hits

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                size = int(self.headers.get("content-length") or 0)
                hits.append((self.path, self.rfile.read(size)))
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(tls.chain)
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.socket = c.wrap_socket(self.http.socket, server_side=True)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever,
                         daemon=True).start()


def journal(g):
    p = g.dir / "journal"
    return p.read_text() if p.exists() else ""


def offered(s, offer, reason, name):
    """Offer it; what came of it must be `reason`, without any effect."""
    task = offer[0]
    s.offers.put([offer])
    r = s.result(task)
    if r is None:
        return check(name, False, "no result")
    started = task in s.starts or task in s.logs
    if reason == "":
        return check(name, r["outcome"] == "succeeded" and started, r)
    return check(f"{name}: {reason}",
                 r["outcome"] == "refused" and r["code"] == reason and
                 not started, (r["outcome"], r["code"], started))


def lies(s, g, peer):
    truths = 0
    for name, (reason, make) in liarkit.LIES.items():
        w = s.fresh()
        offer = make(w)
        if name == "of_another_lease":
            offer = (d.ID % (1000 + n[0]), *offer[1:])
        if offer[1] == 0:  # no lease has fence 0
            offer = (offer[0], 1, offer[2])
        before, lines = len(peer.hits), journal(g).count("\n")
        offered(s, offer, reason, name)
        effects = (len(peer.hits) - before, journal(g).count("\n") - lines)
        if reason:
            check(f"{name}: nothing was done", effects == (0, 0), effects)
        truths += reason == "" and effects[1] == 1
    check("the truths did run", truths == 5, truths)
    check("one of them wrote", any(b"hello world" in x
                                   for x in s.logs.values()), s.logs)
    check("one of them reached its peer", len(peer.hits) == 1, peer.hits)


def replays(s, g):
    truth = liarkit.LIES["the_truth"][1]
    offer = truth(s.fresh())
    offered(s, offer, "", "a task to be replayed")
    for how in ("at once", "after a restart", "after a kill"):
        time.sleep(0.3)  # it hears that its result has arrived
        s.results.pop(offer[0])
        s.starts.pop(offer[0], None)
        s.logs.pop(offer[0], None)
        if how != "at once":
            g.stop() if how == "after a restart" else g.kill()
            g.start()
        offered(s, offer, "journal.replayed", f"replayed {how}")
    again = truth(s.world)  # signed anew, under the next fence
    time.sleep(0.3)
    s.results.pop(offer[0])
    env = liarkit.plain(s.world) | {"fence": 2}
    offered(s, liarkit.offer(s.world, env), "journal.replayed",
            "signed anew under another fence")
    check("it is another text", again[2] != offer[2])


GARBAGE = [
    ("no HTTP", b"\0\1\2garbage\r\n\r\n"),
    ("an empty answer", b""),
    ("HTML", b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n<a/>"),
    ("a list", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]"),
    ("a redirect", b"HTTP/1.1 307 x\r\nlocation: https://127.0.0.1:1/\r\n"
     b"content-length: 0\r\n\r\n"),
    ("two lengths", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"
     b"content-length: 3\r\n\r\n{}"),
    ("an endless head", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20000),
    ("a huge body", b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" +
     b"[" * (9 << 20)),
    ("deep JSON", b"HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n" +
     b"[" * 2000 + b"]" * 2000),
]


def calm(s):
    """A lease that is well, so that it does not wait longer and longer."""
    seen, end = len(s.leases), time.time() + 20
    while len(s.leases) < seen + 2 and time.time() < end:
        time.sleep(0.02)


def garbage(s, g):
    for what, raw in GARBAGE:
        seen = len(s.leases)
        s.raw = (200, raw)
        end = time.time() + 20
        while len(s.leases) < seen + 2 and time.time() < end:
            time.sleep(0.02)
        s.raw = None
        calm(s)
        check(f"{what}: it asks again", len(s.leases) >= seen + 2 and
              g.p.poll() is None)
    for what, answer in (
            ("tasks without a checkpoint", {"tasks": [
                {"task": d.ID % 1, "fence": 1, "sealed": ""}]}),
            ("1000 tasks", {"tasks": [{"task": d.ID % i, "fence": 1,
                                       "sealed": "AA=="}
                                      for i in range(1000)],
                            "checkpoint": s.world.point(),
                            "consistency": []}),
            ("a task that is a number", {"tasks": [7], "consistency": [],
                                         "checkpoint": s.world.point()}),
            ("a fence that is a text", {"tasks": [
                {"task": d.ID % 1, "fence": "1", "sealed": ""}],
                "checkpoint": s.world.point(), "consistency": []}),
            ("cancelling what is no id", {"cancel": ["../../etc/passwd"]})):
        seen = len(s.leases)
        s.offers.put(answer)
        end = time.time() + 20
        while len(s.leases) < seen + 2 and time.time() < end:
            time.sleep(0.02)
        calm(s)
        check(f"{what}: it asks again", len(s.leases) >= seen + 2 and
              g.p.poll() is None)
    check("none of it started", journal(g).count("\n") == len(s.starts) or
          len(s.starts) <= journal(g).count("\n"))
    offered(s, liarkit.LIES["the_truth"][1](s.fresh()), "",
            "after all that the truth still runs")


def other_past(s, g):
    """Forked and shrunken logs end all trust."""
    g.stop()
    truth = liarkit.LIES["the_truth"][1]
    good = (s.world.leaves[:], s.world.hashes[:])
    for what, size, reason in (("forked", 5, "log.forked"),
                               ("shrunken", -3, "log.shrunken")):
        path = s.dir / what
        shutil.copytree(g.dir, path)
        (path / "spool").mkdir(exist_ok=True)
        other = Delegate(s, None, path)
        w = s.fresh()
        if what == "forked":
            w.leaves[2] = w.leaves[2].replace(b'"2"', b'"9"')
            w.hashes[2] = d.leaf_hash(w.leaves[2])
            w.entry("server.stop", [], "0")
        else:
            del w.leaves[size:], w.hashes[size:]
        other.start()
        doc = liarkit.runbook()
        env = w.envelope(doc, [])
        lines = journal(other).count("\n")
        offered(s, liarkit.offer(w, env), reason, f"a {what} log")
        w.leaves[:], w.hashes[:] = good[0][:], good[1][:]
        end = time.time() + 10
        while time.time() < end and \
                other.status().get("running", {}).get("distrust") != reason:
            time.sleep(0.1)
        check(f"a {what} log: the status says so",
              other.status()["running"]["distrust"] == reason)
        notes = (path / "distrust").read_text()
        check(f"a {what} log: both notes are kept",
              notes.startswith(reason) and
              notes.count(liarkit.ORIGIN + "\n") == 2, notes)
        other.stop()
        other.start()  # the true log again, and a restart
        s.offers.put([truth(s.fresh())])
        task = s.world.ids["task"]
        check(f"a {what} log: nothing is taken any more, through a restart",
              s.result(task, 2) is None and
              journal(other).count("\n") == lines)
        check(f"a {what} log: its log says so",
              "event=delegate.distrust" in other.text())
        other.stop()
        while not s.offers.empty():
            s.offers.get()
        good = (w.leaves[:], w.hashes[:])
    g.start()


def no_policy(s, g):
    g.stop()
    policy = g.dir / "policy.conf"
    text = policy.read_text()
    truth = liarkit.LIES["the_truth"][1]
    for what, make, code in (
            ("absent", policy.unlink, "policy.absent"),
            ("writable by others", lambda: (
                policy.write_text(text), policy.chmod(0o666)),
             "policy.unsafe"),
            ("with a mistake", lambda: (
                policy.unlink(), policy.write_text("[x]\n" + text),
                policy.chmod(0o600)), "policy.bad")):
        make()
        g.start()
        lines = journal(g).count("\n")
        s.offers.put([truth(s.fresh())])
        task = s.world.ids["task"]
        check(f"a policy file that is {what}: nothing runs",
              s.result(task, 1.5) is None and
              journal(g).count("\n") == lines)
        check(f"a policy file that is {what}: said",
              g.status()["policy"] == code and code in g.text())
        while not s.offers.empty():
            s.offers.get()
        g.stop()
    policy.write_text(text)
    policy.chmod(0o600)


def brokers(g):
    """Root's broker is somebody else, or there is none."""
    policy = g.dir / "policy.conf"
    text = policy.read_text()
    for user, uid in (("nobody", 65534), ("root", None), ("no-such", None)):
        policy.write_text(text + f"[broker]\nuser = {user}\n")
        g.start()
        end = time.time() + 10
        while "event=ready" not in g.text()[g.from_:] and time.time() < end:
            time.sleep(0.05)
        ps = subprocess.run(["ps", "-o", "uid=,comm=", "--ppid",
                             str(g.p.pid)], capture_output=True, text=True)
        seen = [int(line.split()[0]) for line in ps.stdout.splitlines()
                if "broker" in line]
        check(f"a broker as {user}", seen == ([] if uid is None else [uid]),
              ps.stdout)
        g.stop()
    policy.write_text(text)


def no_sandbox(s, g, peer):
    """L10: a host on which no sandbox can be made runs no script."""
    g.stop()
    g.start(["unshare", "-Ur", "sh", "-c",
             "echo 0 >/proc/sys/user/max_user_namespaces; exec \"$@\"",
             "sh"])
    lines, hits = journal(g).count("\n"), len(peer.hits)
    offered(s, liarkit.LIES["the_truth"][1](s.fresh()),
            "sandbox.unavailable", "no sandbox, no run")
    check("and nothing was begun", journal(g).count("\n") == lines)
    check("its status and its log say so",
          g.status()["running"]["sandbox"] is False and
          "event=delegate.sandbox" in g.text(), g.status())
    offered(s, liarkit.LIES["an_http_step"][1](s.fresh()), "",
            "an http step needs none")
    check("it did arrive", len(peer.hits) == hits + 1)
    g.stop()
    g.start()


def confined(g):
    """The agent itself: no port, no programs, few files."""
    status = open(f"/proc/{g.p.pid}/status").read()
    check("no new privileges, a filter, no tracer",
          "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status)
    inodes = set()
    for f in os.listdir(f"/proc/{g.p.pid}/fd"):
        try:
            to = os.readlink(f"/proc/{g.p.pid}/fd/{f}")
        except OSError:
            continue
        if to.startswith("socket:["):
            inodes.add(to[8:-1])
    listening = [line.split()[9] for name in ("tcp", "tcp6")
                 for line in open(f"/proc/{g.p.pid}/net/{name}")
                 if line.split()[3] == "0A"]
    check("it listens to nobody", not inodes & set(listening))
    check("it has tried what it gave up", "event=confined" in g.text() and
          "landlock=" in g.text())


def enrolment(s):
    """A server of another certificate, of other keys the second time."""
    g = Delegate.__new__(Delegate)
    g.server, g.dir, g.p = s, s.dir / "second", None
    other = s.dir / "other"
    other.mkdir()
    ca = s.tls.ca
    s.tls.ca = Tls(other).ca
    r = g.enroll(ok=False)
    check("another authority: no join", r.returncode == 7 and
          "certificate" in r.stderr, r.stderr)
    s.tls.ca = ca
    s.state = "pending"
    g.enroll()
    check("pending is said", g.status()["state"] == "pending")
    check("the token is kept for asking again",
          (g.dir / "join").stat().st_mode & 0o777 == 0o400)
    g.start()
    end = time.monotonic() + 5
    while "delegate.pending" not in g.text() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)
    check("pending waits, and has nothing running",
          g.p.poll() is None and "event=ready" not in g.text(), g.text())
    g.p.kill()
    g.p.wait()
    g.p = None
    keeper, s.world.keeper = s.world.keeper, d.Signer(d.seed(9))
    s.state = "approved"
    r = g.enroll(ok=False)
    check("other keys than at first are refused", r.returncode != 0 and
          "other keys" in r.stderr, r.stderr)
    s.world.keeper = keeper
    sealing = s.world.sealing
    g.enroll()
    check("the same keys go on", g.status()["state"] == "enrolled" and
          s.world.sealing == sealing and not (g.dir / "join").exists())
    for f in ("identity.key", "seal.key", "session"):
        check(f"{f} is ours alone",
              (g.dir / f).stat().st_mode & 0o777 == 0o400)


def main():
    s = Server()
    peer = Peer(s.tls)
    enrolment(s)
    host = f"127.0.0.1:{peer.port}"
    liarkit.JIRA |= {"base": f"https://{host}", "hosts": [host],
                     "ca": s.tls.ca.read_text(),
                     "allow_cidrs": ["127.0.0.1/32"]}
    g = Delegate(s, liarkit.POLICY.replace("jira.example:443", host))
    g.start()
    try:
        lies(s, g, peer)
        if "asan" not in BINARY:  # that one confines itself less
            confined(g)
        no_sandbox(s, g, peer)
        replays(s, g)
        garbage(s, g)
        other_past(s, g)
        no_policy(s, g)
        if os.geteuid() == 0:
            brokers(g)
    finally:
        g.stop()
        text = g.text()
        shutil.rmtree(s.dir, ignore_errors=True)
    check("no secret in its log", "correct horse" not in text)
    print(f"1..{n[0]}")
    return 1 if n[1] else 0


if __name__ == "__main__":
    rc = main()
    sys.stdout.flush()
    os._exit(rc)
