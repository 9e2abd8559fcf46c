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

    def document(self, doc, settings=b"", now=1, link=0, timeout=8):
        """(reason, verdict)"""
        self.seq += 1
        whole = struct.pack(">QI", now, len(settings)) + settings + doc
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
            if self.plain:
                self.act(self, c)
                return
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
        expect(rig, f"secret {bad[:4]!r}", "config 45", auth="basic",
               credential=bad)


run(lambda: Rig(start=False))
