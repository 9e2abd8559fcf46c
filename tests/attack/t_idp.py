#!/usr/bin/env python3
"""
The idp role, driven the way supervisor and server drive it, against identity
providers that are hostile: what it may call, what it takes for an answer,
what is left of it when a document crashes its reader.  The real role with its
real confinement; only the two that talk to it are played here.
"""
import array
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import BINARY, SANITIZED, TOP, Rig, run, test  # noqa: E402

TYPES = re.findall(r"^MSG\((\w+),", (TOP / "src/ipc/ipc.def").read_text(),
                   re.M)
REASONS = re.findall(r'^IDP\(\w+,\s+"([^"]+)"',
                     (TOP / "src/ipc/idp.def").read_text(), re.M)
E_CONFIG = re.findall(r"^ERR\((\w+)", (TOP / "src/base/errors.def").read_text(),
                      re.M).index("E_CONFIG")
LINKS = 4


# ---- messages ----

def say(s, name, body=b"", fds=()):
    m = struct.pack(">HH", TYPES.index(name), 0) + body
    socket.send_fds(s, [m], list(fds)) if fds else s.send(m)


def hear(s, timeout=12):
    s.settimeout(timeout)
    m, fds, _, _ = socket.recv_fds(s, 70000, 16)
    if not m:
        raise EOFError("the other end has gone")
    return TYPES[struct.unpack(">H", m[:2])[0]], m[4:], fds


def text(s):
    s = s if isinstance(s, bytes) else s.encode()
    return struct.pack(">H", len(s)) + s


AUTH = {"none": 0, "basic": 1, "post": 2, "jwt": 3}


def provider(name="corp", issuer="https://idp.test", token="", jwks="",
             meta="", client="cl ient", redirect="https://r.test/cb",
             auth="none", tls12=False, pin=None, connect=(), resolver=None,
             allow=(), kid="", alg=""):
    b = b"".join(text(x) for x in (name, issuer, token, jwks, meta, client,
                                   redirect, kid, alg))
    b += bytes([AUTH[auth], tls12, pin is not None]) + (pin or bytes(32))
    b += bytes([len(connect)])
    for host, port in connect:
        b += text(host) + struct.pack(">H", port)
    host, port = resolver or ("", 0)
    b += text(host) + struct.pack(">H", port) + bytes([len(allow)])
    return b + b"".join(text(a) for a in allow)


class Role:
    """`redoubt --role idp`, with us as supervisor and server."""

    def __init__(self, egress=True, uid=0, log=None):
        self.up, child = socket.socketpair(socket.AF_UNIX,
                                           socket.SOCK_SEQPACKET)
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                 for _ in range(LINKS)]
        self.saml = [p[0] for p in pairs]
        self.log = log or tempfile.TemporaryFile()

        def place():
            fd = os.dup(child.fileno())
            os.dup2(fd, 3)
            os.set_inheritable(3, True)
        self.p = subprocess.Popen(
            [BINARY, "--role", "idp"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=self.log, preexec_fn=place,
            close_fds=False, env=dict(os.environ) if SANITIZED else {})
        child.close()
        say(self.up, "IPC_IDP_CONFIG", struct.pack(">IIB", uid, uid, egress),
            [p[1].fileno() for p in pairs])
        for p in pairs:
            p[1].close()
        kind, body, _ = hear(self.up)
        assert kind == "IPC_IDP_READY" and body[:2] == b"\0\0", body
        self.seq = 0

    def fork(self):
        """A new egress: (our end, the server's links)."""
        say(self.up, "IPC_EGRESS_FORK")
        while True:
            kind, _, fds = hear(self.up)
            if kind == "IPC_EGRESS_FORKED":
                break
        s = [socket.socket(fileno=fd) for fd in fds]
        return s[0], s[1:]

    def egress(self, *providers, ca=None, credential=None):
        """providers: bodies. The error code of its report."""
        self.eg, self.links = self.fork()
        say(self.eg, "IPC_EGRESS_CONFIG", bytes([len(providers)]))
        for p in providers:
            fds = [os.open(ca or CA / "ca.pem", os.O_RDONLY)]
            if credential is not None:
                f = tempfile.TemporaryFile()
                f.write(credential)
                f.flush()
                fds.append(os.dup(f.fileno()))
            say(self.eg, "IPC_EGRESS_PROVIDER", p, fds)
            for fd in fds:
                os.close(fd)
        kind, body, _ = hear(self.eg)
        assert kind == "IPC_EGRESS_READY"
        return struct.unpack(">H", body[:2])[0]

    def ask(self, op, name="corp", code="the/code+1", verifier="v" * 43,
            link=0, timeout=12):
        """(reason, text)"""
        self.seq += 1
        seq = self.seq
        b = struct.pack(">I", seq) + bytes([len(name)]) + name.encode()
        if op == "TOKEN":
            b += text(code) + bytes([len(verifier)]) + verifier.encode()
        say(self.links[link], "IPC_OIDC_" + op, b)
        kind, body, _ = hear(self.links[link], timeout)
        assert kind == "IPC_OIDC_ANSWER", kind
        assert struct.unpack(">I", body[:4])[0] == seq
        return REASONS[body[4]], body[5:]

    def document(self, doc, settings=b"", now=1, link=0, timeout=8, kind=0):
        """(reason, verdict)"""
        self.seq += 1
        whole = struct.pack(">BQI", kind, now, len(settings)) + settings + doc
        for at in range(0, len(whole), 61440):
            say(self.saml[link], "IPC_SAML_PART", whole[at:at + 61440])
        say(self.saml[link], "IPC_SAML_VERIFY",
            struct.pack(">II", self.seq, len(whole)))
        kind, body, _ = hear(self.saml[link], timeout)
        assert kind == "IPC_SAML_VERDICT", kind
        return REASONS[body[4]], body[5:]

    def kids(self, name):
        out = subprocess.run(["ps", "-eo", "pid,ppid,comm"],
                             capture_output=True, text=True).stdout
        return [int(f[0]) for f in map(str.split, out.split("\n")[1:])
                if len(f) == 3 and int(f[1]) == self.p.pid and
                f[2] == name]

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def close(self):
        self.up.close()
        return self.p.wait(10)


# ---- certificates ----

CA = None


def openssl(*args):
    p = subprocess.run(["openssl", *args], capture_output=True, text=True,
                       cwd=CA)
    assert p.returncode == 0, p.stderr


def certificate(name, san="DNS:idp.test", ca="ca", days=2, start=None):
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={name}")
    (CA / f"{name}.ext").write_text(f"subjectAltName={san}\n")
    if ca is None:
        openssl("x509", "-req", "-in", f"{name}.csr", "-signkey",
                f"{name}.key", "-days", "2", "-extfile", f"{name}.ext",
                "-out", f"{name}.pem")
    else:
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem",
                "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", str(days),
                "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def authority(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")


def make_certificates():
    global CA
    CA = pathlib.Path(tempfile.mkdtemp(prefix="redoubt-idp-"))
    authority("ca")
    authority("other")
    certificate("good")
    certificate("wrong-name", "DNS:evil.test")
    certificate("wildcard", "DNS:*.test")
    certificate("partial", "DNS:id*.test")
    certificate("common-name", "DNS:x.test")
    certificate("address", "IP:127.0.0.1")
    certificate("stranger", ca="other")
    certificate("self", ca=None)
    certificate("expired", days=-1)


def spki(name):
    der = subprocess.run(
        ["openssl", "x509", "-in", CA / f"{name}.pem", "-pubkey", "-noout"],
        capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                         input=der, capture_output=True).stdout
    return hashlib.sha256(der).digest()


# ---- a provider ----

class Trap:
    """Accepts and counts; nobody should come."""

    def __init__(self, host="127.0.0.1"):
        self.s = socket.socket()
        self.s.bind((host, 0))
        self.s.listen(64)
        self.port = self.s.getsockname()[1]
        self.hits = 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            c, _ = self.s.accept()
            self.hits += 1
            c.close()


class Provider:
    """A TLS server that does what `act` says with each connection."""

    def __init__(self, cert="good", act=None, tls12=False, plain=False,
                 ciphers=None):
        self.s = socket.socket()
        self.s.bind(("127.0.0.1", 0))
        self.s.listen(64)
        self.port = self.s.getsockname()[1]
        self.act, self.plain, self.seen, self.sni = act, plain, [], []
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(CA / f"{cert}.pem", CA / f"{cert}.key")
        if tls12:
            c.maximum_version = ssl.TLSVersion.TLSv1_2
        if ciphers:
            c.set_ciphers(ciphers)
        c.sni_callback = lambda s, name, ctx: self.sni.append(name)
        self.ctx = c
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            c, _ = self.s.accept()
            threading.Thread(target=self.one, args=(c,), daemon=True).start()

    def one(self, c):
        with contextlib.suppress(OSError, ssl.SSLError):
            if not self.plain:
                c = self.ctx.wrap_socket(c, server_side=True)
            self.act(self, c)
        with contextlib.suppress(OSError):
            c.close()

    def read(self, c):
        """A request: (line, headers, body)."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = c.recv(65536)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        h = dict(l.lower().split(": ", 1) for l in lines[1:])
        while len(body) < int(h.get("content-length", 0)):
            body += c.recv(65536)
        self.seen.append((lines[0], head.decode(), body.decode()))
        return self.seen[-1]

    def url(self, path="/token", host="idp.test"):
        return f"https://{host}:{self.port}{path}"


def answers(raw, wait=0.0):
    def act(p, c):
        p.read(c)
        c.sendall(raw)
        time.sleep(wait)
    return act


def http(body=b"", status="200 OK", ctype="application/json", extra=""):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return (f"HTTP/1.1 {status}\r\nContent-Type: {ctype}\r\n{extra}"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


JWT = "eyJh.eyJp.c2ln"
TOKENS = {"access_token": "SECRET-ACCESS", "refresh_token": "SECRET-REFRESH",
          "token_type": "Bearer", "expires_in": 60, "id_token": JWT}
ROLE = None


def call(act=None, op="TOKEN", credential=None, ca=None, cert="good", p=None,
         tls12=False, **kw):
    """One provider, one egress, one question: (reason, text, server)."""
    s = Provider(cert, act or answers(http(TOKENS)), tls12=kw.pop(
        "server12", False), plain=kw.pop("plain", False),
        ciphers=kw.pop("ciphers", None))
    host = kw.pop("host", "idp.test")
    where = {"TOKEN": "token", "JWKS": "jwks", "META": "meta"}[op]
    kw.setdefault("connect", [("127.0.0.1", s.port)])
    kw.setdefault(where, s.url(kw.pop("path", "/" + where), host))
    rc = ROLE.egress(provider(tls12=tls12, **kw), credential=credential,
                     ca=ca)
    if rc != 0:
        return f"config {rc}", b"", s
    return *ROLE.ask(op), s


def expect(rig, what, reason, **kw):
    got, out, s = call(**kw)
    rig.eq(got, reason, what)
    rig.check(reason == "ok" or out == b"", f"{what}: {out[:80]!r}")
    return out, s


# ---- what is asked ----

@test
def a_code_is_redeemed(rig):
    out, s = expect(rig, "no client auth", "ok")
    rig.eq(out, JWT.encode())
    line, head, body = s.seen[0]
    rig.eq(line, "POST /token HTTP/1.1")
    rig.eq(s.sni, ["idp.test"])
    rig.eq(body, "grant_type=authorization_code&code=the%2Fcode%2B1&"
           "redirect_uri=https%3A%2F%2Fr.test%2Fcb&code_verifier=" +
           "v" * 43 + "&client_id=cl%20ient")
    for f in (f"Host: idp.test:{s.port}", "Connection: close",
              "Accept-Encoding: identity",
              "Content-Type: application/x-www-form-urlencoded"):
        rig.check(f"\r\n{f}\r\n" in head + "\r\n", f"{f}: {head}")
    rig.check("Authorization" not in head and "Cookie" not in head, head)


@test
def clients_prove_themselves(rig):
    _, s = expect(rig, "basic", "ok", auth="basic", credential=b"s:ec ret\n")
    want = base64.b64encode(b"cl%20ient:s%3Aec%20ret").decode()
    rig.check(f"Authorization: Basic {want}\r\n" in s.seen[0][1],
              s.seen[0][1])
    rig.check("secret" not in s.seen[0][2], s.seen[0][2])
    _, s = expect(rig, "post", "ok", auth="post", credential=b"s:ec ret")
    rig.check("client_id=cl%20ient&client_secret=s%3Aec%20ret" in
              s.seen[0][2], s.seen[0][2])
    expect(rig, "a secret of 256", "ok", auth="basic", credential=b"x" * 256)
    for bad in (b"x" * 257, b"", b"\n", b"a\nb", b"\xff"):
        expect(rig, f"secret {bad[:4]!r}", f"config {E_CONFIG}", auth="basic",
               credential=bad)


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verified(key, alg, signed, sig):
    """With OpenSSL's command, from the public key."""
    for name, b in (("in", signed.encode()), ("sig", sig)):
        (CA / f"jwt.{name}").write_bytes(b)
    openssl("pkey", "-in", f"{key}.key", "-pubout", "-out", "jwt.pub")
    how = ["-rawin"] if alg == "EdDSA" else ["-rawin", "-digest", "sha256"]
    if alg[:2] == "PS":
        how += ["-pkeyopt", "rsa_padding_mode:pss",
                "-pkeyopt", "rsa_pss_saltlen:digest"]
    if alg[:2] == "ES":  # r and s as two integers of ASN.1
        n = len(sig) // 2
        ints = b""
        for part in (sig[:n], sig[n:]):
            part = part.lstrip(b"\0")
            part = (b"\0" if part[0] & 0x80 else b"") + part
            ints += b"\2" + bytes([len(part)]) + part
        (CA / "jwt.sig").write_bytes(b"\x30" + bytes([len(ints)]) + ints)
    return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin",
                           "-inkey", "jwt.pub", "-in", "jwt.in", "-sigfile",
                           "jwt.sig", *how], cwd=CA,
                          capture_output=True).returncode == 0


@test
def clients_sign(rig):
    """private_key_jwt: a fresh assertion each time, for one minute."""
    keys = {"rsa": ["rsa", "-pkeyopt", "rsa_keygen_bits:2048"],
            "p256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "ed": ["ed25519"], "small": ["rsa", "-pkeyopt",
                                         "rsa_keygen_bits:1024"]}
    for name, how in keys.items():
        openssl("genpkey", "-algorithm", *how, "-out", f"{name}.key")
    seen = set()
    for key, alg, kid, want in (
            ("rsa", "", "k1", "RS256"), ("rsa", "PS256", "", "PS256"),
            ("p256", "", "k2", "ES256"), ("ed", "", "k3", "EdDSA")):
        _, s = expect(rig, f"{key} {alg}", "ok", auth="jwt", kid=kid, alg=alg,
                      credential=(CA / f"{key}.key").read_bytes())
        form = dict(f.split("=", 1) for f in s.seen[0][2].split("&"))
        rig.eq(form["client_assertion_type"], "urn%3Aietf%3Aparams%3Aoauth"
               "%3Aclient-assertion-type%3Ajwt-bearer")
        rig.eq(form["client_id"], "cl%20ient")
        rig.check("Authorization" not in s.seen[0][1], s.seen[0][1])
        h, c, sig = form["client_assertion"].split(".")
        head, claims = json.loads(decoded(h)), json.loads(decoded(c))
        rig.eq((head["alg"], head["typ"]), (want, "JWT"))
        rig.check(head["kid"] == kid if kid else head["kid"], f"{head}")
        rig.eq((claims["iss"], claims["sub"], claims["aud"]),
               ("cl ient", "cl ient", s.url()))
        rig.check(abs(claims["iat"] - time.time()) < 5 and
                  claims["exp"] == claims["iat"] + 60, f"{claims}")
        seen.add(claims["jti"])
        rig.check(verified(key, want, h + "." + c, decoded(sig)), f"{want}")
        rig.check(not verified(key, want, h + "x." + c, decoded(sig)), "x")
    rig.eq(len(seen), 4, "jti")
    for what, kw in (
            ("1024 bits", dict(credential=(CA / "small.key").read_bytes())),
            ("a certificate", dict(
                credential=(CA / "good.pem").read_bytes())),
            ("noise", dict(credential=b"x" * 100)),
            ("the wrong algorithm", dict(alg="ES256", credential=(
                CA / "rsa.key").read_bytes()))):
        got = call(auth="jwt", **kw)[0]
        rig.eq(got, f"config {E_CONFIG}", what)


# ---- answers ----

def padded(n):
    """A token answer of exactly n bytes."""
    body = json.dumps(TOKENS).encode()
    return body[:-1] + b" " * (n - len(body)) + b"}"


def chunked(*parts, end=b"0\r\n\r\n"):
    return (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" +
            b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + end)


def head(*lines, body=json.dumps(TOKENS).encode(), status=b"HTTP/1.1 200 OK"):
    n = b"Content-Length: %d" % len(body)
    return b"\r\n".join([status, *[n if x is None else x for x in lines],
                         b"", body])


BODY = json.dumps(TOKENS).encode()
TYPE = b"Content-Type: application/json"
K64 = 65536


def tokens(**kw):
    return http({k: v for k, v in {**TOKENS, **kw}.items() if v is not None})


def answer_cases():
    at = f"http://127.0.0.1:{TRAP.port}/"
    for st in ("301 Moved", "302 Found", "303 See Other", "307 T", "308 P"):
        for to in ("http://169.254.169.254/latest/meta-data/", at,
                   at.replace("http", "https")):
            yield f"{st[:3]} {to}", "idp.http", http(
                TOKENS, st, extra=f"Location: {to}\r\n")
    yield "200 with a Location", "ok", http(
        TOKENS, extra=f"Location: {at}\r\nRefresh: 0;url={at}\r\n")
    yield "cookies", "ok", http(TOKENS, extra="Set-Cookie: a=b\r\n")
    for st in ("400 B", "401 U", "403 F"):
        yield st, "idp.denied", http({"error": "invalid_grant"}, st)
    for st in ("201 C", "204 N", "206 P", "404 N", "500 E", "503 U", "999 X",
               "20 O", "2000 O"):
        yield st, "idp.http", http(TOKENS, st)
    yield "100 first", "idp.http", (b"HTTP/1.1 100 Continue\r\n\r\n" +
                                    http(TOKENS))
    for v in (b"HTTP/1.0 200 OK", b"HTTP/2 200 OK", b"ICY 200 OK",
              b"HTTP/1.1  200 OK", b"http/1.1 200 OK", b"HTTP/1.1 200OK"):
        yield repr(v), "idp.http", head(TYPE, None, status=v)
    for e in ("gzip", "deflate", "br", "zstd", "gzip, identity"):
        yield "coding " + e, "idp.http", http(
            TOKENS, extra=f"Content-Encoding: {e}\r\n")
    yield "coding identity", "ok", http(
        TOKENS, extra="Content-Encoding: identity\r\n")
    for t in ("text/html", "text/json", "application/jso",
              "application/xml", "multipart/form-data", "",
              "application/json, text/html", "application/+json"):
        yield "type " + t, "idp.http", http(TOKENS, ctype=t)
    for t in ("application/json; charset=utf-8", "Application/JSON",
              "application/x+json"):
        yield "type " + t, "ok", http(TOKENS, ctype=t)
    yield "no type", "idp.http", head(None)
    yield "two types", "idp.http", head(TYPE, TYPE, None)
    yield "64 KiB", "ok", http(padded(K64))
    yield "64 KiB + 1", "idp.too_big", http(padded(K64 + 1))
    yield "a length of 2^40", "idp.http", head(
        TYPE, b"Content-Length: 1099511627776")
    yield "64 KiB in chunks", "ok", chunked(padded(K64)[:9],
                                            padded(K64)[9:])
    yield "64 KiB + 1 in chunks", "idp.too_big", chunked(padded(K64 + 1))
    yield "an endless body", "idp.too_big", (
        chunked(*[b"x" * 60000] * 3, end=b""))
    yield "1 byte chunks for ever", "idp.too_big", chunked(
        *[b"x"] * 40000, end=b"")
    big = b"X: " + b"x" * 16384
    yield "16 KiB + of head", "idp.too_big", head(TYPE, None, big)
    n = 16384 - len(head(TYPE, None, b"X: ")) + len(BODY)
    yield "16 KiB of head", "ok", head(TYPE, None, b"X: " + b"x" * n)
    yield "16 KiB + 1 of head", "idp.too_big", head(
        TYPE, None, b"X: " + b"x" * (n + 1))
    yield "101 fields", "idp.http", head(TYPE, None, *[b"X: y"] * 99)
    yield "100 fields", "ok", head(TYPE, None, *[b"X: y"] * 98)
    yield "chunks", "ok", chunked(BODY[:5], BODY[5:])
    for size in (b"zz", b"-1", b"+5", b"5;x=y", b"ffffffffffffffff",
                 b"100000000", b"", b"0x5", b" 5"):
        yield f"chunk of {size}", "idp.http", chunked(
            end=size + b"\r\n" + BODY + b"\r\n0\r\n\r\n")
    yield "a chunk longer than it says", "idp.http", chunked(
        end=b"5\r\n123456\r\n0\r\n\r\n")
    yield "trailers", "idp.http", chunked(
        BODY, end=b"0\r\nX: y\r\n\r\n")
    yield "more behind the chunks", "idp.http", chunked(
        BODY, end=b"0\r\n\r\nX")
    yield "more behind the body", "idp.http", http(TOKENS) + b"X"
    yield "both lengths", "idp.http", http(
        TOKENS, extra="Transfer-Encoding: chunked\r\n")
    for te in (b"gzip, chunked", b"chunked, chunked", b"identity", b"xchunked"):
        yield f"transfer {te}", "idp.http", head(
            TYPE, b"Transfer-Encoding: " + te)
    yield "length twice", "idp.http", head(TYPE, None, None)
    for n in (b"+9", b"-1", b"0x10", b"9 9", b"", b"007"):
        yield f"length {n}", "idp.http", head(TYPE, b"Content-Length: " + n)
    yield "no length", "idp.http", head(TYPE)
    yield "bare line feeds", "idp.http", head(TYPE, None).replace(
        b"\r\n", b"\n")
    yield "a folded line", "idp.http", head(TYPE, b"X: y\r\n z", None)
    yield "NUL in a field", "idp.http", head(TYPE, b"X: a\0b", None)
    yield "CR in a field", "idp.http", head(TYPE, b"X: a\rb", None)
    yield "a space before the colon", "idp.http", head(TYPE, b"X : y", None)
    yield "no colon", "idp.http", head(TYPE, b"Xyz", None)
    yield "nothing", "idp.http", b""
    yield "noise", "idp.http", bytes(range(256)) * 8
    yield "half a body", "idp.http", http(TOKENS)[:-9]
    yield "half a chunk", "idp.http", chunked(BODY)[:-20]
    yield "half a head", "idp.http", head(TYPE, None)[:30]
    yield "HTTP/2", "idp.http", b"\0\0\0\4\0\0\0\0\0"
    # what is in it
    for what, body in (
            ("no JSON", b"<html>"), ("an array", b"[]"), ("null", b"null"),
            ("a byte order mark", b"\xef\xbb\xbf" + BODY),
            ("two documents", BODY + BODY), ("an empty body", b""),
            ("a name twice", BODY[:-1] + b', "id_token": "x.y.z"}'),
            ("depth", b'{"a":' + b"[" * 40 + b"]" * 40 + b"," + BODY[1:]),
            ("bad UTF-8", BODY[:-1] + b', "x": "\xc3\x28"}')):
        yield what, "idp.bad_json", http(body)
    for what, kw in (
            ("no id_token", dict(id_token=None)),
            ("id_token 7", dict(id_token=7)), ("empty", dict(id_token="")),
            ("a space in it", dict(id_token=JWT + " ")),
            ("a line in it", dict(id_token=JWT + "\n")),
            ("16 KiB + 1", dict(id_token="x" * 16385)),
            ("token_type mac", dict(token_type="mac")),
            ("no token_type", dict(token_type=None))):
        yield what, "idp.bad_json", tokens(**kw)
    yield "16 KiB", "ok", tokens(id_token="x" * 16384)
    yield "bearer in small letters", "ok", tokens(token_type="bearer")


@test
def hostile_answers(rig):
    """One provider for all of them; each answer over its own connection."""
    cases = list(answer_cases())
    box = {}
    s = Provider(act=lambda p, c: (p.read(c), c.sendall(box["raw"])))
    names = [f"p{i}" for i in range(16)]
    for at in range(0, len(cases), 160):
        rc = ROLE.egress(*[provider(name=n, token=s.url(), connect=[
            ("127.0.0.1", s.port)]) for n in names])
        rig.eq(rc, 0)
        for i, (what, reason, raw) in enumerate(cases[at:at + 160]):
            box["raw"] = raw
            got, out = ROLE.ask("TOKEN", names[i % 16])
            rig.eq(got, reason, what)
            rig.check((out != b"") == (reason == "ok"), f"{what}: {out[:60]}")
            rig.check(b"SECRET" not in out, f"{what}: {out[:60]}")
    rig.check(all("ookie" not in h for _, h, _ in s.seen), "a cookie came")
    rig.eq(TRAP.hits, 0, "redirects were followed")
    print(f"# {len(cases)} answers")


@test
def keys_and_metadata(rig):
    meta = {"issuer": "https://idp.test", "token_endpoint": "https://x/t",
            "jwks_uri": "https://x/k", "service_documentation": "secret",
            "code_challenge_methods_supported": ["plain", "S256"],
            "response_types_supported": ["code"],
            "authorization_response_iss_parameter_supported": True}

    def case(what, reason, m, **kw):
        out, s = expect(rig, what, reason, op="META",
                        act=answers(http(m)), **kw)
        rig.check(s.seen[0][0] == "GET /meta HTTP/1.1" and
                  s.seen[0][2] == "", s.seen[0][0])
        return out
    out = json.loads(case("metadata", "ok", meta))
    rig.eq(out, {k: v for k, v in meta.items()
                 if k != "service_documentation"})
    for other in ("https://idp.test/", "https://IDP.test", "https://evil",
                  None, 7):
        case(f"issuer {other}", "idp.issuer", {**meta, "issuer": other})
    case("no PKCE asked", "ok",
         {**meta, "code_challenge_methods_supported": ["plain"]})
    for m in (["plain"], [], ["s256"]):
        case(f"PKCE {m}", "idp.pkce",
             {**meta, "code_challenge_methods_supported": m},
             token="https://idp.test/t")
    case("a text that is none", "idp.bad_json", {**meta, "jwks_uri": {}})
    case("a list that is none", "idp.bad_json",
         {**meta, "response_types_supported": "code"})
    case("a list of lists", "idp.bad_json",
         {**meta, "scopes_supported": [["x"]]})


    key = {"kty": "RSA", "n": "AQ", "e": "AQAB", "kid": "1", "alg": "RS256",
           "use": "sig", "key_ops": ["verify"]}
    private = {**key, "d": "PRIVATE", "p": "PRIVATE", "oth": [],
               "x5c": ["MII"], "x5u": "https://x"}

    def keys(what, reason, m):
        out, s = expect(rig, what, reason, op="JWKS",
                        act=answers(http(m, ctype="application/jwk-set+json")))
        rig.eq(s.seen[0][0], "GET /jwks HTTP/1.1")
        return out
    out = keys("keys", "ok", {"keys": [private, {"kty": "oct", "k": "SHARED"},
                                       key], "more": 1})
    rig.eq(json.loads(out), {"keys": [key, key]})
    rig.eq(json.loads(keys("no keys", "ok", {"keys": []})), {"keys": []})
    keys("32 keys", "ok", {"keys": [key] * 32})
    keys("33 keys", "idp.bad_json", {"keys": [key] * 33})
    for m in ({}, {"keys": {}}, {"keys": ["x"]}, {"keys": [{}]},
              {"keys": [{**key, "n": 7}]}, {"keys": [{**key, "kid": None}]},
              {"keys": [{**key, "key_ops": "verify"}]}):
        keys(str(m), "idp.bad_json", m)


# ---- TLS ----

@test
def tls(rig):
    old = dict(server12=True)
    expect(rig, "TLS 1.2", "idp.tls", **old)
    expect(rig, "TLS 1.2 where it may", "ok", tls12=True, **old)
    expect(rig, "TLS 1.3 where 1.2 may", "ok", tls12=True)
    expect(rig, "TLS 1.2 with CBC", "idp.tls", tls12=True, **old,
           ciphers="ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    for cert in ("wrong-name", "partial", "wildcard", "common-name",
                 "stranger", "self", "expired", "address"):
        expect(rig, cert, "idp.tls", cert=cert)
    expect(rig, "an authority of its own", "ok", cert="stranger",
           ca=CA / "other.pem")
    expect(rig, "no authority", f"config {E_CONFIG}", ca=CA / "ca.key")
    expect(rig, "an address", "ok", cert="address", host="127.0.0.1")
    expect(rig, "another address", "idp.tls", cert="good", host="127.0.0.1")
    expect(rig, "pinned", "ok", pin=spki("good"))
    expect(rig, "its authority pinned", "ok", pin=spki("ca"))
    expect(rig, "another key", "idp.tls", pin=spki("stranger"))
    expect(rig, "no TLS", "idp.tls", plain=True,
           act=lambda p, c: (c.recv(100), c.sendall(http(TOKENS))))
    expect(rig, "closed at once", "idp.tls", plain=True,
           act=lambda p, c: None)
    log = ROLE.said()
    for word in ("self-signed", "expired", "IP address mismatch", "hostname",
                 "pinned", "version"):
        rig.check(word.lower() in log.lower(), f"the log has no {word}")


# ---- time ----

def trickle(first, piece, every=0.3):
    def act(p, c):
        p.read(c)
        c.sendall(first)
        while True:
            time.sleep(every)
            c.sendall(piece)
    return act


@test
def slow(rig):
    """All at once, one on each link: nobody waits for another."""
    silent = Provider(plain=True, act=lambda p, c: time.sleep(30))
    mute = Provider(act=lambda p, c: time.sleep(30))
    loris = Provider(act=trickle(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"))
    body = Provider(act=trickle(head(TYPE, b"Content-Length: 9999", body=b""),
                                b" "))
    quick = Provider(act=answers(http(TOKENS)))
    all = {"silent": silent, "mute": mute, "loris": loris, "body": body}
    rc = ROLE.egress(*[provider(name=n, token=s.url(), connect=[
        ("127.0.0.1", s.port)]) for n, s in
        [*all.items(), ("quick", quick)]])
    rig.eq(rc, 0)
    got = {}

    def one(i, name):
        t = time.time()
        r = ROLE.ask("TOKEN", name, link=i)
        got[name] = (r[0], time.time() - t)
    ts = [threading.Thread(target=one, args=a) for a in enumerate(all)]
    links = ROLE.links
    for t in ts:
        t.start()
        time.sleep(0.02)
    for t in ts:
        t.join()
    for name in all:
        rig.eq(got[name][0], "idp.timeout", name)
        rig.check(7 < got[name][1] < 9, f"{name}: {got[name]}")
    rig.eq(ROLE.ask("TOKEN", "quick")[0], "ok")
    rig.eq(links, ROLE.links)


@test
def nobody_listens(rig):
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    stuffed = [socket.socket() for _ in range(8)]
    for s in stuffed:
        s.setblocking(False)
        s.connect_ex(full.getsockname())
    time.sleep(0.1)
    shut = socket.socket()
    shut.bind(("127.0.0.1", 0))
    good = Provider(act=answers(http(TOKENS)))
    where = [("127.0.0.1", s.getsockname()[1]) for s in (full, shut, good.s)]
    rc = ROLE.egress(*[provider(name=f"p{i}", token=good.url(), connect=c)
                       for i, c in enumerate(([where[0]], [where[1]],
                                              [where[1], where[0], where[2]]))])
    rig.eq(rc, 0)
    for name, reason, most in (("p0", "idp.connect", 3.5),
                               ("p1", "idp.connect", 1), ("p2", "ok", 3)):
        t = time.time()
        rig.eq(ROLE.ask("TOKEN", name)[0], reason, name)
        rig.check(time.time() - t < most, f"{name}: {time.time() - t}")


# ---- whom, and how often ----

@test
def only_what_is_configured(rig):
    s = Provider(act=answers(http(TOKENS)))
    at = [("127.0.0.1", s.port)]
    rig.eq(ROLE.egress(provider(name="a", token=s.url(), connect=at),
                       provider(name="b", jwks=s.url(), connect=at)), 0)
    rig.eq(ROLE.ask("TOKEN", "c")[0], "idp.not_configured")
    rig.eq(ROLE.ask("JWKS", "a")[0], "idp.not_configured")
    rig.eq(ROLE.ask("TOKEN", "b")[0], "idp.not_configured")
    rig.eq(ROLE.ask("META", "b")[0], "idp.not_configured")
    rig.eq(s.seen, [])


@test
def sixty_a_minute(rig):
    s = Provider(act=answers(http(TOKENS)))
    at = [("127.0.0.1", s.port)]
    rig.eq(ROLE.egress(*[provider(name=n, token=s.url(), meta=s.url(),
                                  connect=at) for n in "ab"]), 0)
    began = time.monotonic()
    got = [ROLE.ask("TOKEN", "a")[0] for _ in range(75)]
    good = got.count("ok")  # one more for each second it took
    rig.check(60 <= good <= 61 + time.monotonic() - began, f"{good}")
    rig.eq(got[:60], ["ok"] * 60)
    rig.eq(set(got), {"ok", "idp.rate"})
    rig.eq(ROLE.ask("META", "a")[0], "idp.issuer", "another kind")
    rig.eq(ROLE.ask("TOKEN", "b")[0], "ok", "another provider")
    rig.eq(len(s.seen), good + 2)


# ---- names ----

def name_of(s):
    return b"".join(bytes([len(l)]) + l.encode()
                    for l in s.split(".")) + b"\0"


def record(data, type=1, owner=b"\xc0\x0c"):
    return owner + struct.pack(">HHIH", type, 1, 60, len(data)) + data


class Resolver:
    def __init__(self, *records, flags=0x8180, reply=None):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind(("127.0.0.1", 0))
        self.port = self.s.getsockname()[1]
        self.records, self.flags, self.reply = records, flags, reply
        self.asked, self.ports = [], set()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            q, who = self.s.recvfrom(2000)
            self.asked.append(q)
            self.ports.add(who[1])
            for a in (self.reply or type(self).answer)(self, q):
                self.s.sendto(a, who)

    def answer(self, q):
        mine = [r for t, r in self.records if t == q[-4:-2]]
        yield (q[:2] + struct.pack(">HHHHH", self.flags, 1, len(mine), 0, 0) +
               q[12:] + b"".join(mine))


A, AAAA = b"\0\x01", b"\0\x1c"
LO, META = bytes([127, 0, 0, 1]), bytes([169, 254, 169, 254])


def named(rig, what, reason, resolver, allow=("127.0.0.1/32",), most=4):
    t = time.time()
    out, s = expect(rig, what, reason, connect=(), allow=allow,
                    resolver=("127.0.0.1", resolver.port))
    rig.check(time.time() - t < most, f"{what}: {time.time() - t}")
    rig.eq(len(s.seen), int(reason == "ok"), what)
    return s


@test
def a_name_leads_where_it_may(rig):
    good = (A, record(LO))
    named(rig, "allowed", "ok", r := Resolver(good))
    rig.eq(len(r.asked), 1, "asked once, connected to that")
    rig.eq(r.asked[0][12:-4], name_of("idp.test"))
    for allow in (("127.0.0.0/8",), ("0.0.0.0/0", "::/0"), ("10.0.0.0/8",)):
        named(rig, f"loopback in {allow}", "idp.address", Resolver(good),
              allow)
    for addr in (META, bytes([169, 254, 0, 1]), bytes([0, 0, 0, 0]),
                 bytes([224, 0, 0, 1]), bytes([255] * 4),
                 bytes([100, 100, 100, 200]), bytes([127, 9, 9, 9])):
        named(rig, f"{list(addr)}", "idp.address",
              Resolver((A, record(addr))), ("0.0.0.0/0", "::/0"))
    for addr in ("::1", "fe80::1", "ff02::1", "::", "fd00:ec2::254",
                 "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
                 "2002:a9fe:a9fe::"):
        raw = socket.inet_pton(socket.AF_INET6, addr)
        named(rig, addr, "idp.address",
              Resolver((AAAA, record(raw, 28))), ("0.0.0.0/0", "::/0"))
    named(rig, "one of two may", "ok", Resolver((A, record(META)), good))
    mapped = socket.inet_pton(socket.AF_INET6, "::ffff:127.0.0.1")
    named(rig, "mapped", "ok", Resolver((AAAA, record(mapped, 28))))


@test
def resolvers_lie(rig):
    good = (A, record(LO))
    alias = name_of("real.test")
    named(rig, "an alias", "ok", Resolver(
        (A, record(alias, 5)), (A, record(LO, 1, alias))))
    named(rig, "an alias to nothing", "idp.dns", Resolver(
        (A, record(alias, 5)), (A, record(LO, 1, name_of("x.test")))))
    named(rig, "a loop", "idp.dns", Resolver(
        (A, record(name_of("idp.test"), 5))))
    named(rig, "somebody else's address", "idp.dns", Resolver(
        (A, record(LO, 1, name_of("other.test")))))
    named(rig, "no such name", "idp.dns", Resolver(flags=0x8183))
    named(rig, "cut", "idp.dns", Resolver(good, flags=0x8380))
    named(rig, "5 bytes of address", "idp.dns", Resolver(
        (A, record(LO + b"\0"))))
    named(rig, "a pointer to itself", "idp.dns", Resolver(
        (A, record(LO, 1, b"\xc0\x1a"))))

    def forged(r, q):
        right = next(r.answer(q))
        yield b"\0" if q[0] else b"\1"  # too short
        yield bytes([right[0] ^ 1]) + right[1:]  # another id
        yield right[:2] + b"\x01\x00" + right[4:]  # a question
        yield right.replace(b"\3idp", b"\3xdp")  # another question
        yield os.urandom(300)
        yield right
    named(rig, "forgeries first", "ok", Resolver(good, reply=forged))
    named(rig, "silence", "idp.dns", Resolver(reply=lambda r, q: []), most=4)
    r = Resolver(reply=lambda r, q: [])
    named(rig, "silence again", "idp.dns", r)
    rig.eq(len(r.asked), 4, "two tries, two types")
    rig.eq(len({q[:2] for q in r.asked}), 4, "each with its own id")
    rig.eq(len(r.ports), 4, "each from its own port")


# ---- protocol ----

@test
def what_the_server_may_not_say(rig):
    s = Provider(act=answers(http(TOKENS)))
    body = provider(token=s.url(), connect=[("127.0.0.1", s.port)])
    url = s.url().encode()
    bad = [struct.pack(">HHI", TYPES.index(t), 0, 1) + b for t, b in (
        ("IPC_OIDC_TOKEN", b""), ("IPC_OIDC_TOKEN", b"\4corp"),
        ("IPC_OIDC_TOKEN", bytes([len(url)]) + url + text("c") + b"\1v"),
        ("IPC_OIDC_TOKEN", b"\4corp" + text("c\r\nHost: x") + b"\1v"),
        ("IPC_OIDC_TOKEN", b"\4corp" + text("c") + b"\3v&a"),
        ("IPC_OIDC_TOKEN", b"\4corp" + text("c") + b"\1vx"),
        ("IPC_OIDC_TOKEN", b"\4corp" + text("c" * 2049) + b"\1v"),
        ("IPC_OIDC_JWKS", b"\4corp" + url), ("IPC_OIDC_JWKS", b"\4co/p"),
        ("IPC_OIDC_META", b"\377corp"), ("IPC_SAML_PART", b"x"),
        ("IPC_EGRESS_CONFIG", b"\1"), ("IPC_EGRESS_PROVIDER", body))]
    bad += [b"", b"\0", b"\377\377\0\0", os.urandom(64), bytes(70000)[:60000]]
    for m in bad:
        rig.eq(ROLE.egress(body), 0)
        ROLE.links[0].send(m) if m else ROLE.links[0].shutdown(
            socket.SHUT_WR)
        ROLE.links[0].settimeout(5)
        try:
            got = ROLE.links[0].recv(70000)
        except ConnectionResetError:
            got = b""
        rig.eq(got, b"", f"{m[:40]!r} was answered")
        rig.eq(ROLE.ask("TOKEN", link=1)[0], "ok", "others are served")
    rig.check("secret" not in ROLE.said(), "a secret in the log")


@test
def what_the_supervisor_may_not_say(rig):
    def told(*messages):
        eg, links = ROLE.fork()
        for name, b, n in messages:
            f = [os.open(CA / "ca.pem", os.O_RDONLY) for _ in range(n)]
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                say(eg, name, b, f)
            for fd in f:
                os.close(fd)
        kind, b, _ = hear(eg)
        return struct.unpack(">H", b[:2])[0]
    good = provider(token="https://idp.test/", connect=[("127.0.0.1", 1)])
    one = ("IPC_EGRESS_CONFIG", b"\1", 0)
    rig.eq(told(one, ("IPC_EGRESS_PROVIDER", good, 1)), 0)
    for name, kw in (
            ("http", dict(token="http://idp.test/")),
            ("no host", dict(token="https:///")),
            ("userinfo", dict(token="https://a@idp.test/")),
            ("a fragment", dict(token="https://idp.test/#x")),
            ("a line", dict(token="https://idp.test/a\r\nX: y")),
            ("port 0", dict(connect=[("127.0.0.1", 0)])),
            ("a name in connect", dict(connect=[("localhost", 1)])),
            ("neither way", dict(connect=[])),
            ("both ways", dict(resolver=("127.0.0.1", 53),
                               allow=["10.0.0.0/8"])),
            ("a bad block", dict(connect=[], resolver=("127.0.0.1", 53),
                                 allow=["10.0.0.1/8"])),
            ("a bad name", dict(name="Corp")),
            ("no redirect", dict(redirect=""))):
        kw = {**dict(token="https://idp.test/", connect=[("127.0.0.1", 1)]),
              **kw}
        rig.check(told(one, ("IPC_EGRESS_PROVIDER", provider(**kw), 1)) != 0,
                  name)
    for n in range(0, len(good), 7):
        rig.check(told(one, ("IPC_EGRESS_PROVIDER", good[:n], 1)) != 0,
                  f"cut at {n}")
    rig.check(told(one, ("IPC_EGRESS_PROVIDER", good + b"x", 1)) != 0, "more")
    rig.check(told(one, ("IPC_EGRESS_PROVIDER", good, 0)) != 0, "no file")
    rig.check(told(("IPC_EGRESS_CONFIG", b"\21", 0)) != 0, "17 providers")


# ---- documents ----

def flat(s):
    s = s if isinstance(s, bytes) else s.encode()
    return struct.pack(">I", len(s)) + s


def saml_settings(p):
    def keys(name):
        k = [base64.b64decode(x) for x in p.get(name) or []]
        return struct.pack(">I", len(k)) + b"".join(map(flat, k))
    return (flat(p["entity"]) + flat(p["sp"]) + flat(p["acs"]) +
            keys("keys") + keys("decrypt") +
            struct.pack(">I", bool(p.get("unsolicited")) +
                        2 * bool(p.get("cbc"))) +
            struct.pack(">q", p.get("sha1_until") or 0) +
            flat(p.get("request") or ""))


def corpus():
    out = subprocess.run(
        ["/usr/bin/python3", str(TOP / "tests/vectors/saml/gen.py")],
        capture_output=True, text=True)
    assert out.returncode == 0, out.stderr[-500:]
    return [json.loads(l) for l in out.stdout.split("\n") if l]


KINDS = {"response": 0, "query": 1, "document": 2, "meta": 3}
SLO = "https://sp.example/auth/saml/corp/logout"


def one_document(c):
    """A case of the corpus: (reason, was it accepted, the verdict)"""
    kind, p = KINDS[c["kind"]], c["provider"]
    settings = b"" if kind == 3 else saml_settings(p)
    if kind in (1, 2):
        settings = flat(p.get("slo") or SLO) + settings
    got, out = ROLE.document(base64.b64decode(c["xml"]), settings, c["now"],
                             kind=kind)
    zero = bytes(2 if kind == 3 else 4)
    return got, out[:len(zero)] == zero, out


@test
def documents(rig):
    """The whole corpus, each in a confined process that is thrown away."""
    cases, good, times = corpus(), 0, []
    for c in cases:
        if len(c["xml"]) // 4 * 3 - c["xml"].count("=") > 262144:
            continue
        t = time.time()
        got, accepted, out = one_document(c)
        times.append(time.time() - t)
        rig.eq(got, "ok", c["name"])
        rig.eq(accepted, c["expect"] == "ok", c["name"])
        if c["expect"] == "ok" and accepted:
            good += 1
            rig.check(c["subject"].encode() in out, c["name"])
    rig.check(good >= 30, f"{good} good ones")
    times.sort()
    rig.eq(ROLE.kids("redoubt-saml"), [], "each is gone")
    print(f"# {len(times)} documents, {good} accepted, "
          f"{times[len(times) // 2] * 1e3:.1f} ms each, "
          f"most {times[-1] * 1e3:.0f}")


@test
def a_reader_that_ends_badly(rig):
    ok = next(c for c in corpus() if c["expect"] == "ok" and
              c["kind"] == "response")
    xml = base64.b64decode(ok["xml"])
    settings = saml_settings(ok["provider"])
    rig.eq(ROLE.document(xml, b"x", kind=3)[0], "saml.child", "settings")
    rig.eq(ROLE.document(xml, settings, kind=1)[0], "saml.child", "no slo")
    rig.eq(ROLE.document(xml, settings, kind=4)[0], "saml.child", "kind 4")
    for what, s in (("no settings", b""), ("cut", settings[:-1]),
                    ("more", settings + b"x")):
        rig.eq(ROLE.document(xml, s)[0], "saml.child", what)
    # what the reader alone calls fails, or kills it; then all is well again
    for inject in ("setitimer:signal=SIGSEGV", "setitimer:signal=SIGKILL",
                   "setitimer:error=EINVAL", "seccomp:error=EINVAL"):
        st = subprocess.Popen(
            ["strace", "-f", "-qq", "-e", "trace=" + inject.split(":")[0],
             "-e", "inject=" + inject, "-o", str(CA / "strace"),
             "-p", str(ROLE.p.pid)], stderr=subprocess.PIPE)
        time.sleep(0.5)
        rig.eq(ROLE.document(xml, settings, ok["now"]), ("saml.child", b""),
               inject)
        st.terminate()
        st.wait()
        rig.eq(ROLE.document(xml, settings, ok["now"])[0], "ok", "the next")
    for word in ("signal=KILL", "code=1") + (
            () if SANITIZED else ("signal=SEGV", "signal=SYS")):
        rig.check(word in ROLE.said(), f"{word} is not in the log")


@test
def four_documents_at_once(rig):
    ok = next(c for c in corpus() if c["expect"] == "ok" and
              c["kind"] == "response")
    xml, got = base64.b64decode(ok["xml"]), []
    settings = saml_settings(ok["provider"])
    r = Role(egress=False)

    def work(link):
        for i in range(25):
            seq = struct.pack(">I", 1000 * link + i)
            whole = (struct.pack(">BQI", 0, ok["now"], len(settings)) +
                     settings + xml)
            say(r.saml[link], "IPC_SAML_PART", whole)
            say(r.saml[link], "IPC_SAML_VERIFY",
                seq + struct.pack(">I", len(whole)))
            _, body, _ = hear(r.saml[link])
            got.append(body[:4] == seq and body[4:9] == bytes(5))
    ts = [threading.Thread(target=work, args=(i,)) for i in range(LINKS)]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    rig.eq(got, [True] * 100)
    rig.eq(r.close(), 0)


@test
def a_server_that_does_not_listen(rig):
    """Answers nobody takes do not keep documents of other links waiting."""
    ok = next(c for c in corpus() if c["expect"] == "ok" and
              c["kind"] == "response")
    settings, xml = saml_settings(ok["provider"]), base64.b64decode(ok["xml"])
    whole = struct.pack(">BQI", 0, ok["now"], len(settings)) + settings + xml
    r = Role(egress=False)
    r.saml[0].setblocking(False)
    sent, end = 0, time.time() + 2
    while time.time() < end and sent < 4000:
        try:
            if sent % 2 == 0:
                say(r.saml[0], "IPC_SAML_PART", whole)
            else:
                say(r.saml[0], "IPC_SAML_VERIFY",
                    struct.pack(">II", sent, len(whole)))
            sent += 1
        except BlockingIOError:
            time.sleep(0.01)
    rig.check(sent > 100, f"{sent} sent")
    t = time.time()
    rig.eq(r.document(xml, settings, ok["now"], link=1)[0], "ok")
    rig.check(time.time() - t < 2, f"{time.time() - t}")
    r.close()


@test
def what_the_server_may_not_say_about_documents(rig):
    verify = ("IPC_SAML_VERIFY", struct.pack(">II", 1, 5))
    for said in ([verify], [("IPC_SAML_PART", b"abcd"), verify],
                 [("IPC_SAML_PART", b"abcdef"), verify],
                 [("IPC_SAML_VERIFY", struct.pack(">II", 1, 0))],
                 [("IPC_SAML_VERIFY", b"")],
                 [("IPC_SAML_VERIFY", bytes(8) + b"x")],
                 [("IPC_SAML_PART", bytes(61440))] * 6,
                 [("IPC_SAML_PART", bytes(61441))],
                 [("IPC_OIDC_JWKS", b"")], [("IPC_EGRESS_FORK", b"")]):
        r = Role(egress=False)
        for name, b in said:
            with contextlib.suppress(BrokenPipeError):
                say(r.saml[0], name, b)
        rig.eq(r.p.wait(5), 1, f"{said[0][0]} {len(said)}")
        r.up.close()


# ---- what it is ----

def status(pid):
    return dict(l.split(":\t", 1) for l in
                open(f"/proc/{pid}/status").read().split("\n") if ":\t" in l)


@test
def from_outside(rig):
    """Both processes, as the kernel sees them; and what they hold."""
    if SANITIZED:
        return
    key = os.urandom(24).hex().encode()
    s = Provider(act=answers(http(TOKENS)))
    rig.eq(ROLE.egress(provider(token=s.url(), auth="basic",
                                connect=[("127.0.0.1", s.port)]),
                       credential=key), 0)
    rig.eq(ROLE.ask("TOKEN")[0], "ok")
    time.sleep(0.2)
    eg = ROLE.kids("redoubt-egress")
    rig.eq(len(eg), 1, "older ones have gone")
    for pid in (ROLE.p.pid, eg[0]):
        st = status(pid)
        rig.eq(st["Seccomp"], "2")
        rig.eq(st["NoNewPrivs"], "1")
        for cap in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            rig.eq(int(st[cap], 16), 0, cap)
        held = [os.readlink(f"/proc/{pid}/fd/{f}")
                for f in os.listdir(f"/proc/{pid}/fd")]
        held = [h for h in held if not h.startswith(("socket:", "/dev/null"))]
        rig.check(all(h.startswith(("anon_inode:[signalfd", "/memfd",
                                    "/secretmem", "anon_inode:secretmem"))
                      or h == os.readlink(f"/proc/{ROLE.p.pid}/fd/2")
                      for h in held), f"{held}")
        rig.eq(copies(pid, key), 0, "copies of the client secret")
    rig.eq(os.readlink(f"/proc/{eg[0]}/fd/0"), "/dev/null")


def copies(pid, what):
    hits = 0
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in open(f"/proc/{pid}/maps"):
            at, perm = line.split()[:2]
            if "r" not in perm or "[v" in line:
                continue
            lo, hi = (int(x, 16) for x in at.split("-"))
            try:
                mem.seek(lo)
                hits += mem.read(hi - lo).count(what)
            except (OSError, ValueError, OverflowError):
                continue
    return hits


@test
def without_idp_conf(rig):
    """Nobody in it can make a socket, and nobody can be started who can."""
    r = Role(egress=False)
    try:
        if os.geteuid() == 0:
            rig.check(os.stat(f"/proc/{r.p.pid}/ns/net").st_ino !=
                      os.stat("/proc/self/ns/net").st_ino, "our network")
        say(r.up, "IPC_EGRESS_FORK")
        rig.eq(r.p.wait(5), 1, "it ends")
    finally:
        r.up.close()


@test
def as_another_user(rig):
    if os.geteuid() != 0:
        return
    r = Role(uid=65534)
    try:
        rig.eq(status(r.p.pid)["Uid"].split(), ["65534"] * 4)
        s = Provider(act=answers(http(TOKENS)))
        rig.eq(r.egress(provider(token=s.url(),
                                 connect=[("127.0.0.1", s.port)])), 0)
        rig.eq(r.ask("TOKEN")[0], "ok")
    finally:
        rig.eq(r.close(), 0)


def main():
    global ROLE, TRAP
    make_certificates()
    TRAP, ROLE = Trap(), Role()
    try:
        run(lambda: Rig(start=False))
    finally:
        ROLE.close()
        shutil.rmtree(CA, ignore_errors=True)


main()
