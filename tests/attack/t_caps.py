#!/usr/bin/env python3
"""L09: caps on bodies, depth, members, headers, time and connections."""
import gzip
import resource
import socket
import ssl
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import run, test  # noqa: E402


def talk(rig, data, wait=15):
    """Send bytes, return (first line, seconds until the end)."""
    s = rig.raw()
    s.settimeout(wait)
    t = time.time()
    try:
        s.sendall(data)
    except OSError:
        pass
    out = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                break
            out += more
    except (TimeoutError, OSError):
        pass
    s.close()
    return out.split(b"\r\n")[0].decode(errors="replace"), time.time() - t


def head(rig, method="POST", path="/v1/projects/default/incidents", extra=""):
    return (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {rig.token}\r\n"
            f"Content-Type: application/json\r\n{extra}\r\n").encode()


@test
def declared_too_large(rig):
    line, t = talk(rig, head(rig, extra="Content-Length: 99999999999\r\n"))
    rig.check(" 413 " in line and t < 5, f"{line} {t}")
    line, t = talk(rig, head(rig, path="/ingest/x",
                             extra="Content-Length: 1363149\r\n"))
    rig.check(" 413 " in line and t < 5, f"{line} {t}")


@test
def chunked_too_large(rig):
    data = head(rig, extra="Transfer-Encoding: chunked\r\n")
    data += b"10000\r\n" + b"x" * 65536 + b"\r\n"
    data += (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 20
    line, t = talk(rig, data)
    rig.check(" 413 " in line, f"{line} {t}")


@test
def header_caps(rig):
    big = head(rig, "GET", "/v1/whoami", "X-A: " + "a" * 17000 + "\r\n")
    line, _ = talk(rig, big)
    rig.check(" 431 " in line, line)
    many = head(rig, "GET", "/v1/whoami", "X-A: a\r\n" * 120)
    line, _ = talk(rig, many)
    rig.check(" 431 " in line, line)
    line, _ = talk(rig, head(rig, "GET", "/" + "a" * 9000))
    rig.check(" 414 " in line or " 431 " in line or " 400 " in line, line)


@test
def bomb(rig):
    r = rig.request("POST", rig.p + "/incidents",
                    gzip.compress(b" " * 50_000_000), raw=True,
                    headers={"Content-Encoding": "gzip"})
    rig.ok(r, 415)


@test
def slow_header_and_body(rig):
    results = {}

    def slow(name, first, step):
        s = rig.raw()
        s.settimeout(0.1)
        t = time.time()
        s.sendall(first)
        out = b""
        while time.time() - t < 45:
            try:
                s.sendall(step)
            except OSError:
                break
            try:
                more = s.recv(4096)
                if not more:
                    break
                out += more
            except TimeoutError:
                time.sleep(0.4)
            except OSError:
                break
        results[name] = (out.split(b"\r\n")[0].decode(), time.time() - t)
    ts = [threading.Thread(target=slow, args=a) for a in (
        ("header", b"GET /v1/whoami HTTP/1.1\r\nHost: localhost\r\n", b"X"),
        ("body", head(rig, extra="Content-Length: 1000\r\n"), b" "))]
    for t in ts:
        t.start()
    # others are served meanwhile
    t0 = time.time()
    for _ in range(20):
        rig.ok(rig.get("/healthz"), 200)
    rig.check(time.time() - t0 < 5, "others wait")
    for t in ts:
        t.join()
    rig.check(9 < results["header"][1] < 15, f"header: {results['header']}")
    rig.check(28 < results["body"][1] < 40, f"body: {results['body']}")


@test
def silent_handshake(rig):
    s = socket.create_connection((rig.host, rig.port), timeout=20)
    t = time.time()
    rig.eq(s.recv(10), b"")
    rig.check(9 < time.time() - t < 15, f"{time.time() - t}")


@test
def old_tls(rig):
    c = ssl.create_default_context(cafile=rig.ca)
    c.minimum_version = ssl.TLSVersion.TLSv1_2
    c.maximum_version = ssl.TLSVersion.TLSv1_2
    s = socket.create_connection((rig.host, rig.port), timeout=10)
    try:
        c.wrap_socket(s, server_hostname="localhost")
        rig.fail("a TLS 1.2 hello was accepted")
    except ssl.SSLError:
        pass
    s = socket.create_connection((rig.host, rig.port), timeout=10)
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    rig.check(b"HTTP" not in s.recv(100), "plain HTTP was answered")


@test
def ten_thousand_idle(rig):
    n = 10000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE,
                           (min(hard, 2 * n), hard))
    except (ValueError, OSError):
        pass
    n = min(n, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)
    c, conns, before = rig.tls(), [], rss(rig)
    for k in range(n):
        s = socket.create_connection((rig.host, rig.port), timeout=30)
        conns.append(c.wrap_socket(s, server_hostname="localhost"))
    after = rss(rig)
    t = time.time()
    rig.ok(rig.get("/healthz"), 200)
    rig.check(time.time() - t < 1, "an idle crowd slows others")
    rig.check(after < 400 * 1024, f"{after} KiB resident")
    print(f"# {n} idle connections: {before} -> {after} KiB resident")
    for s in conns:
        s.close()


def rss(rig):
    total = 0
    for pid in rig.pids():
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("VmRSS"):
                total += int(line.split()[1])
    return total


run()
