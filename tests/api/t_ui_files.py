#!/usr/bin/env python3
"""
The web UI's files: who may have them (anybody), under which names, how they
are packed and cached, and that nothing else is anybody's.
"""
import gzip
import hashlib
import re
import subprocess
import sys
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import TOP, run, test  # noqa: E402

PAGE_CSP = ["default-src 'none'", "script-src 'self'", "style-src 'self'",
            "img-src 'self'", "font-src 'self'", "connect-src 'self'",
            "worker-src 'self'", "manifest-src 'self'", "base-uri 'none'",
            "form-action 'self'", "frame-ancestors 'none'",
            "object-src 'none'", "require-trusted-types-for 'script'",
            "trusted-types redoubt-worker"]


def table():
    d = (TOP / "build/ui/assets.def").read_text()
    return (re.findall(r'ASSET\(\d+, "([^"]+)", "([^"]+)", "([^"]+)", (\w+)',
                       d), re.findall(r'PAGE\("([^"]+)"\)', d))


@test
def anybody_gets_a_page(rig):
    c = rig.client(None)
    _, pages = table()
    rig.check("/login" in pages and "/p/*/incidents" in pages, pages)
    for p in pages:
        a = rig.ok(c.get(p.replace("*", "x-1")), 200)
        rig.eq(a.headers["content-type"], "text/html; charset=utf-8", p)
        rig.eq(a.headers["content-security-policy"].split("; "), PAGE_CSP)
        rig.eq(a.headers["cache-control"], "no-cache")
        rig.check(b"<script type=\"module\"" in a.body, p)
        for k, v in (("x-content-type-options", "nosniff"),
                     ("referrer-policy", "no-referrer"),
                     ("cross-origin-opener-policy", "same-origin"),
                     ("cross-origin-embedder-policy", "require-corp"),
                     ("cross-origin-resource-policy", "same-origin")):
            rig.eq(a.headers[k], v)
        rig.check(a.headers["permissions-policy"], p)


@test
def every_file(rig):
    c = rig.client(None)
    for path, kind, tag, fixed in table()[0]:
        if path == "/index.html":
            continue
        a = rig.ok(c.get(path), 200)
        rig.eq(a.headers["content-type"], kind)
        rig.eq(a.headers["etag"], f'"{tag}"', path)
        rig.check(a.headers["content-encoding"] is None, path)
        rig.eq("immutable" in a.headers["cache-control"], fixed == "true")
        disk = (TOP / "build/ui/dist" / path[1:]).read_bytes()
        rig.eq(hashlib.sha256(a.body).hexdigest(),
               hashlib.sha256(disk).hexdigest(), path)
        h = c.request("HEAD", path)
        rig.eq((h.status, h.body, h.headers["content-length"]),
               (200, b"", str(len(disk))))
        n = c.get(path, headers={"If-None-Match": f'"x", W/"{tag}"'})
        rig.eq((n.status, n.body), (304, b""), path)
        rig.eq(n.headers["etag"], f'"{tag}"')
        z = c.get(path, headers={"Accept-Encoding": "gzip"})
        if z.headers["content-encoding"] == "gzip":
            rig.eq(gzip.decompress(z.body), disk, path)
            rig.eq(z.headers["etag"], f'"{tag}g"')
        rig.eq(z.headers["vary"], "accept-encoding")


@test
def codings(rig):
    """RFC 9110 12.5.3, strictly: what is malformed is not wanted."""
    c = rig.client(None)
    for accept, want in (
            ("br", "br"), ("gzip, br", "br"), ("gzip", "gzip"),
            ("br;q=0, gzip", "gzip"), ("br;q=0.000,gzip;q=0.5", "gzip"),
            ("br ; q=0.1", "br"), ("identity", None), ("", None),
            ("*", None), ("br;q=0", None), ("br;q=2", None), ("BR", None),
            ("br;x=1", None), ("br;q=", None), ("xbr, brx", None),
            ("br;q=0.0000001", None), ("br;q=0.5x", None), ("deflate, zstd", None),
            (",,br,,", "br"), ("br;q=1.0", "br")):
        a = rig.ok(c.get("/login", headers={"Accept-Encoding": accept}), 200)
        rig.eq(a.headers["content-encoding"], want, accept)


@test
def nothing_else(rig):
    c = rig.client(None)
    for p in ("/index.html", "/nothing", "/login/", "//login", "/Login",
              "/%6cogin", "/login%00", "/../login", "/p//incidents",
              "/p/x/y/incidents", "/p/x/incidents/", "/pages.txt",
              "/assets.def", "/ui/login", "/p/%2e%2e/incidents/x", "/main",
              "/v1/incidents", "/v1", "/metrics"):
        a = c.request("GET", p)
        rig.check(a.status in (400, 401), f"{p}: {a.status}")
        rig.check(b"<html" not in a.body, p)
    for m in ("POST", "PUT", "DELETE", "PATCH"):
        rig.ok(c.request(m, "/login"), 401)


@test
def a_token_in_the_address(rig):
    """It is refused and revoked, as everywhere."""
    token = rig.make_token()
    c = rig.client(None)
    for p in ("/login?next=/x&t=", "/?"):
        a = c.get(p + token)
        rig.ok(a, 400, "token_in_url")
    rig.ok(rig.client(token).get("/v1/whoami"), 401)
    rig.ok(c.get("/login?next=/p/x/incidents%3Fq=1"), 200)


@test
def over_both_protocols(rig):
    big = max(table()[0], key=lambda t:
              (TOP / "build/ui/dist" / t[0][1:]).stat().st_size)[0]
    disk = (TOP / "build/ui/dist" / big[1:]).read_bytes()
    for v in ("--http1.1", "--http2"):
        for more in ([], ["--compressed"], ["--limit-rate", "100k"]):
            out = subprocess.run(["curl", "-s", v, "--cacert", rig.ca, *more,
                                  rig.url + big], capture_output=True)
            rig.check(out.stdout == disk, f"{v} {more}")


@test
def nobody_is_on_record(rig):
    """There is nobody, and nothing was read: no entry."""
    n = rig.get("/v1/audit?limit=1&order=desc").json["items"][0]["seq"]
    c = rig.client(None)
    for _ in range(20):
        rig.ok(c.get("/login"), 200)
    m = rig.get("/v1/audit?limit=1&order=desc").json["items"][0]["seq"]
    rig.check(m - n <= 1, f"{m - n} entries")


run()
