#!/usr/bin/env python3
"""
L01: the server calls nobody.  Every route is driven with bodies full of
addresses that a listener of ours waits at, while strace counts what the
processes try and the kernel refuses.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import Rig, later, run, test  # noqa: E402


class Trap:
    """Accepts on TCP and UDP and counts."""

    def __init__(self):
        self.hits = []
        self.tcp = socket.socket()
        self.tcp.bind(("127.0.0.1", 0))
        self.tcp.listen(64)
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        for f in (self.accept, self.receive):
            threading.Thread(target=f, daemon=True).start()

    def accept(self):
        while True:
            s, a = self.tcp.accept()
            self.hits.append(("tcp", a))
            s.close()

    def receive(self):
        while True:
            self.hits.append(("udp", self.udp.recvfrom(100)[1]))


def payloads(trap):
    at = f"127.0.0.1:{trap.port}"
    return [f"http://{at}/x", f"https://{at}/x", f"ftp://{at}/",
            f"ldap://{at}/a", f"${{jndi:ldap://{at}/a}}", f"gopher://{at}/",
            f"file:///etc/passwd", f"//{at}/share", f"\\\\{at}\\x",
            f"http://localhost:{trap.port}/", f"http://[::1]:{trap.port}/"]


def drive(rig, url):
    me = rig.get("/v1/whoami").json["id"]
    api = rig.get("/openapi.json").json
    n = 0
    for path, ops in api["paths"].items():
        for method, op in ops.items():
            if path.endswith(("/events", "/stream")):
                continue
            p = path.replace("{p}", rig.project).replace("{i}", "1")
            p = p.replace("{s}", "1")
            p = re.sub(r"\{\w\}", url.replace("/", "%2F").replace("?", ""), p)
            for body in ({"title": url, "summary": url, "link": url,
                          "labels": {"u": url}, "name": url, "slug": "x",
                          "template": url, "auth": {"kind": "bearer",
                                                    "url": url},
                          "callback": url, "webhook": url, "url": url},
                         {"title": url}, {"title": url, "link": url},
                         {"text": url}, {"name": url, "template": "generic",
                                         "auth": {"kind": "bearer"}},
                         {"name": url, "email": "a@b.c"},
                         {"payload": {"title": url, "link": url}}):
                if method == "get":
                    body = None
                r = rig.request(method.upper(), p, body, headers={
                    "Referer": url, "Origin": url, "X-Callback": url,
                    "Host": None})
                rig.check(r.status < 500, f"{method} {p}: {r!r}")
                n += 1
                if method in ("get", "delete"):
                    break
    s = rig.make_integration("grafana")
    c = rig.client(s["secret"])
    for kind in ("generatorURL", "panelURL", "dashboardURL", "silenceURL",
                 "imageURL", "externalURL"):
        c.post("/ingest/" + s["id"], {"externalURL": url, "alerts": [{
            "status": "firing", kind: url,
            "labels": {"alertname": "u", "severity": "critical"},
            "annotations": {"runbook_url": url, "summary": url}}]})
        n += 1
    return n


@test
def nobody_is_called(rig):
    trap = Trap()
    pids = rig.pids()
    rig.check(len(pids) >= 4, f"supervisor, keeper, server, idp: {pids}")
    trace = rig.dir / "strace"
    st = subprocess.Popen(
        ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg,"
         "socket,execve,execveat,io_uring_setup", "-o", str(trace)] +
        [a for p in pids for a in ("-p", str(p))],
        stderr=subprocess.PIPE)
    time.sleep(1)
    rig.check(st.poll() is None, "strace is attached")
    n = sum(drive(rig, u) for u in payloads(trap)[:3])
    for u in payloads(trap)[3:]:
        rig.make_incident(u, summary=u)
    time.sleep(1)
    st.terminate()
    st.wait()
    text = trace.read_text()
    bad = [l for l in text.split("\n") if re.search(
        r"\b(connect|socket|execve|execveat|io_uring_setup)\(", l) or
        re.search(r"AF_INET", l) or
        re.search(r"\bsend(to|mmsg)\(.*sa_family", l)]
    rig.check(not bad, f"{bad[:5]}")
    rig.check("send" in text or n > 0, "the trace saw the processes")
    rig.check(trap.hits == [], f"somebody called: {trap.hits}")
    print(f"# {n} requests, {len(pids)} processes, 0 connects")


@test
def nor_where_one_process_may(_):
    """With idp.conf: one process could, to one port, and is not asked to."""
    asked, other = Trap(), Trap()
    rig = Rig(start=False)
    try:
        conf = rig.data / "idp.conf"
        conf.write_text("[idp corp]\nissuer = https://idp.test\n"
                        "jwks_uri = https://idp.test/keys\n"
                        f"connect = 127.0.0.1:{asked.port}\n"
                        "ca_file = tls/ca.pem\n")
        os.chmod(conf, 0o600)
        rig.start()
        name = {p: open(f"/proc/{p}/comm").read().strip()
                for p in rig.pids()}
        # one waits; the first one starts the supervisor and asks nobody
        _.eq(len(name), 7, f"{name}")
        _.check("redoubt-egress" in name.values(), f"{name}")
        here = os.readlink("/proc/self/ns/net")
        for pid, n in name.items():
            cut = os.readlink(f"/proc/{pid}/ns/net") != here
            _.eq(cut, pid != rig.server.pid and
                 n not in ("redoubt-idp", "redoubt-spare",
                                 "redoubt-egress"), n)
        trace = rig.dir / "strace"
        st = subprocess.Popen(
            ["strace", "-f", "-qq", "-e", "trace=connect,socket,sendto,bind",
             "-o", str(trace)] + [a for p in name for a in ("-p", str(p))],
            stderr=subprocess.PIPE)
        time.sleep(1)
        n = sum(drive(rig, u) for t in (asked, other)
                for u in payloads(t)[:1])
        time.sleep(0.5)
        st.terminate()
        st.wait()
        bad = [l for l in trace.read_text().split("\n")
               if re.search(r"\b(connect|socket|bind)\(|AF_INET", l)]
        _.check(not bad, f"{bad[:5]}")
        _.eq((asked.hits, other.hits), ([], []))
        _.failures += rig.failures
        print(f"# {n} requests, 0 connects")
    finally:
        rig.done()


@test
def cut_off(rig):
    """The server's own network namespace has nothing in it."""
    here = os.readlink("/proc/self/ns/net")
    cut = 0
    for pid in rig.pids():
        ns = os.readlink(f"/proc/{pid}/ns/net")
        cmd = open(f"/proc/{pid}/cmdline").read()
        seccomp = [l for l in open(f"/proc/{pid}/status")
                   if l.startswith(("Seccomp:", "NoNewPrivs:"))]
        rig.check("Seccomp:\t2\n" in seccomp and "NoNewPrivs:\t1\n" in
                  seccomp, f"{cmd!r}: {seccomp}")
        # Without idp.conf the idp role is cut off too.
        rig.check(ns != here, f"{cmd!r} is in our network namespace")
        routes = open(f"/proc/{pid}/net/route").read().strip()
        rig.eq(len(routes.split("\n")), 1, "routes")
        cut += 1
    # the first, supervisor, keeper, server, idp and the one that waits
    rig.eq(cut, 6)
    p = {x["check"]: x for x in rig.get("/v1/posture").json["items"]}
    rig.check("seccomp: yes" in p["confinement"]["detail"], p["confinement"])


run(lambda: Rig())
