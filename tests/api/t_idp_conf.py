#!/usr/bin/env python3
"""
The idp role under its supervisor: idp.conf at the start and on SIGHUP, what
is started anew and how often, and that nothing of it ends the server.
"""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from ssokit import Saml  # noqa: E402
from rig import BINARY, TOP, Rig, run, test  # noqa: E402

PER_MINUTE = int(re.search(r"LIM_IDP_PER_MINUTE,\s+(\d+)", (
    TOP / "src/base/limits.def").read_text())[1])

CORP = """[idp corp]
issuer = https://idp.test
token_endpoint = https://idp.test/token
jwks_uri = https://idp.test/keys
client_id = redoubt
client_auth = client_secret_basic
secret_file = corp.secret
redirect_uri = https://r.test/auth/oidc/corp/callback
ca_file = tls/ca.pem
connect = 127.0.0.1:9
"""
MORE = CORP + """[idp two]
issuer = https://two.test
metadata_uri = https://two.test/.well-known/openid-configuration
resolver = 127.0.0.53
allow_cidr = 10.0.0.0/8
ca_file = tls/ca.pem
"""


def conf(rig, text, mode=0o600):
    p = rig.data / "idp.conf"
    p.write_text(text)
    os.chmod(p, mode)


class Op:
    """A provider with one page, under this server's own certificate."""

    def __init__(self, rig):
        self.page, self.s = {}, socket.socket()
        self.s.bind(("127.0.0.1", 0))
        self.s.listen(8)
        self.port = self.s.getsockname()[1]
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(rig.data / "tls/cert.pem",
                                 rig.data / "tls/key.pem")
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            c, _ = self.s.accept()
            with contextlib.suppress(OSError, ssl.SSLError):
                c = self.tls.wrap_socket(c, server_side=True)
                c.recv(4096)
                body = json.dumps(self.page).encode()
                c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: "
                          b"application/json\r\nContent-Length: %d\r\n\r\n"
                          % len(body) + body)
            c.close()


def comm(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None  # it has just ended


def named(rig, name):
    return [p for p in rig.pids() if comm(p) == name]


def until(rig, cond, what, seconds=5):
    end = time.time() + seconds
    while time.time() < end:
        if cond():
            return True
        time.sleep(0.02)
    return rig.check(False, what)


def posture(rig):
    items = rig.ok(rig.get("/v1/posture"), 200).json["items"]
    return next(p for p in items if p["check"] == "identity_process")


def new_egress(rig, old):
    until(rig, lambda: named(rig, "redoubt-egress") not in ([], old),
          "no new egress")
    return named(rig, "redoubt-egress")


@test
def without_idp_conf(rig):
    rig.eq(named(rig, "redoubt-egress"), [])
    p = posture(rig)
    rig.check(p["ok"] and "none is meant to" in p["detail"], str(p))
    conf(rig, CORP)
    (rig.data / "corp.secret").write_text("s3cret\n")
    os.chmod(rig.data / "corp.secret", 0o600)
    rig.server.send_signal(signal.SIGHUP)
    until(rig, lambda: "only a restart opens" in rig.log_text(), "no word")
    rig.eq(named(rig, "redoubt-egress"), [])


@test
def with_it(rig):
    rig.stop()
    rig.start()
    rig.eq(len(named(rig, "redoubt-egress")), 1)
    # it says so itself, a moment after it has begun
    until(rig, lambda: "called: 1," in posture(rig)["detail"], "not called")
    rig.check(posture(rig)["ok"], "a finding")
    out = json.loads(rig.cli("check", "--data", str(rig.data),
                             "--json").stdout)
    item = next(c for c in out["items"] if c["check"] == "idp.conf")
    rig.check(item["ok"] and "1 identity" in item["detail"], str(item))


@test
def reload(rig):
    old = named(rig, "redoubt-egress")
    # A bad one is logged, the old one stays.
    for text, mode, word in ((CORP + "x = y\n", 0o600, "no such setting"),
                             (CORP, 0o644, "mode 0644"),
                             (CORP.replace("corp.secret", "none"), 0o600,
                              "none"),
                             (CORP.replace("ca.pem", "none"), 0o600, "none")):
        conf(rig, text, mode)
        rig.server.send_signal(signal.SIGHUP)
        until(rig, lambda: word in rig.log_text(), f"no word of {word}")
        rig.eq(named(rig, "redoubt-egress"), old, word)
    # So is one that only the process itself finds bad.
    (rig.data / "corp.secret").write_text("two\nlines\n")
    conf(rig, CORP)
    rig.server.send_signal(signal.SIGHUP)
    until(rig, lambda: "one line of" in rig.log_text(), "no word")
    rig.eq(named(rig, "redoubt-egress"), old)
    (rig.data / "corp.secret").write_text("s3cret\n")
    rig.check(posture(rig)["ok"], "posture")
    # A good one: another process, the old one goes.
    conf(rig, MORE)
    rig.server.send_signal(signal.SIGHUP)
    until(rig, lambda: "called: 2," in posture(rig)["detail"], "not 2")
    until(rig, lambda: len(named(rig, "redoubt-egress")) == 1, "the old one")
    rig.check(named(rig, "redoubt-egress") != old, "the same process")
    # None: nobody may connect any more.
    (rig.data / "idp.conf").unlink()
    rig.server.send_signal(signal.SIGHUP)
    until(rig, lambda: named(rig, "redoubt-egress") == [], "it stays")
    p = posture(rig)
    rig.check(p["ok"] and "none is meant to" in p["detail"], str(p))


@test
def many_reloads(rig):
    """The last one counts, however fast they come."""
    conf(rig, CORP)
    rig.stop()
    rig.start()
    for i in range(12):
        conf(rig, CORP if i % 2 else MORE)
        rig.server.send_signal(signal.SIGHUP)
        time.sleep(0.01 * (i % 3))
    conf(rig, MORE)
    rig.server.send_signal(signal.SIGHUP)
    until(rig, lambda: "called: 2," in posture(rig)["detail"], "not 2")
    time.sleep(0.3)
    until(rig, lambda: len(named(rig, "redoubt-egress")) == 1, "too many")
    rig.check("called: 2," in posture(rig)["detail"], str(posture(rig)))


@test
def discovery(rig):
    """What a provider says, beside what is configured; nothing changes."""
    op = Op(rig)
    issuer = f"https://localhost:{op.port}"
    conf(rig, f"[idp disc]\nissuer = {issuer}\nmetadata_uri = {issuer}/m\n"
         f"ca_file = tls/ca.pem\nconnect = 127.0.0.1:{op.port}\n")
    rig.stop()
    rig.start()

    def make(name):
        return rig.ok(rig.post("/v1/identity-providers", {
            "name": name, "kind": "oidc-code", "config": {
                "issuer": issuer, "client_id": "x", "algorithms": ["ES256"],
                "authorization_endpoint": issuer + "/auth"}}), 201).json

    at = "/v1/identity-providers/" + make("disc")["id"]
    good = {"issuer": issuer, "authorization_endpoint": issuer + "/auth",
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "code_challenge_methods_supported": ["S256"], "more": 1}
    op.page = good
    a = rig.ok(rig.get(at + "/discovery"), 200).json
    rig.eq((a["reason"], a["differs"]), ("ok", []))
    rig.eq(a["metadata"], {k: v for k, v in good.items() if k != "more"})
    op.page = {**good, "authorization_endpoint": "https://evil.test/",
               "id_token_signing_alg_values_supported": ["RS256"]}
    a = rig.ok(rig.get(at + "/discovery"), 200).json
    rig.eq(a["differs"], ["authorization_endpoint",
                          "id_token_signing_alg_values_supported"])
    before = rig.ok(rig.get(at), 200).json
    op.page = {**good, "issuer": issuer + "/"}
    a = rig.ok(rig.get(at + "/discovery"), 200).json
    rig.eq(a, {"reason": "idp.issuer", "metadata": None, "differs": None})
    rig.eq(rig.ok(rig.get(at), 200).json, before, "it changed something")
    other = "/v1/identity-providers/" + make("absent")["id"]
    rig.ok(rig.get(other + "/discovery"), 503, "idp_not_configured")
    rig.ok(rig.get(at[:-1] + ("0" if at[-1] != "0" else "1") + "/discovery"),
           404)
    out = rig.user_cli("idp", "discover", at.rsplit("/", 1)[1], "--json")
    rig.check(json.loads(out.stdout)["reason"] == "idp.issuer" and
              out.returncode == 0, f"{out.returncode} {out.stderr}")
    got = [rig.get(at + "/discovery").code for _ in range(PER_MINUTE + 20)]
    rig.check("rate_limited" in got, f"{got}")
    rig.ok(rig.client(None).get(at + "/discovery"), 401)


@test
def three_starts_a_minute(rig):
    conf(rig, CORP)
    rig.stop()
    rig.start()
    before = rig.log_text().count("child=egress")
    for i in range(2):
        old = named(rig, "redoubt-egress")
        os.kill(old[0], signal.SIGKILL)
        new_egress(rig, old)
        until(rig, lambda: posture(rig)["ok"], "not ok again")
    os.kill(named(rig, "redoubt-egress")[0], signal.SIGKILL)
    time.sleep(1)
    rig.eq(named(rig, "redoubt-egress"), [], "a fourth start")
    p = posture(rig)
    rig.check(not p["ok"] and "runs: no" in p["detail"] and p["fix"], str(p))
    rig.eq(rig.log_text().count("child=egress") - before, 3)
    rig.ok(rig.get("/v1/whoami"), 200)


def reads_documents(rig, name):
    """A provider's metadata is read by the role; nobody else could."""
    doc = Saml.metadata(SAML_OF[0])
    a = rig.post("/v1/identity-providers", {
        "name": name, "kind": "saml", "config": {"metadata": doc}})
    return a.status == 201


SAML_OF = []


@test
def one_that_waits_follows_the_role(rig):
    """Three times a minute; documents are read and providers are called."""
    rig.stop()
    rig.start()
    SAML_OF.append(Saml(rig, rig.dir, "first"))
    until(rig, lambda: named(rig, "redoubt-spare") != [], "nobody waits")
    for i in range(3):
        old = named(rig, "redoubt-idp") + named(rig, "redoubt-egress")
        heir = named(rig, "redoubt-spare")
        os.kill(old[0], signal.SIGKILL)
        until(rig, lambda: named(rig, "redoubt-idp") == heir, "no heir")
        until(rig, lambda: reads_documents(rig, f"by{i}"), "nobody reads")
        until(rig, lambda: named(rig, "redoubt-spare") not in ([], heir),
              "nobody waits")
        rig.check(not set(old) & set(named(rig, "redoubt-idp") +
                                     named(rig, "redoubt-egress")), "old")
        if i < 2:
            until(rig, lambda: posture(rig)["ok"], "not ok again")
    # one that waits and is killed is replaced
    waits = named(rig, "redoubt-spare")
    os.kill(waits[0], signal.SIGKILL)
    until(rig, lambda: named(rig, "redoubt-spare") not in ([], waits), "one")
    rig.ok(rig.get("/v1/whoami"), 200)


@test
def without_the_role_the_server_serves(rig):
    os.kill(named(rig, "redoubt-idp")[0], signal.SIGKILL)  # the fourth
    until(rig, lambda: named(rig, "redoubt-egress") == [], "it is left")
    until(rig, lambda: not posture(rig)["ok"], "posture is ok")
    rig.check("read: no" in posture(rig)["detail"], str(posture(rig)))
    rig.ok(rig.get("/v1/whoami"), 200)
    rig.server.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    rig.ok(rig.get("/v1/whoami"), 200)
    rig.eq(rig.stop(), 0)
    rig.start()
    rig.check(posture(rig)["ok"], "after a restart")


@test
def what_is_wrong_is_said(rig):
    rig.stop()

    def refused(word, text=CORP, mode=0o600):
        conf(rig, text, mode)
        out = subprocess.run([BINARY, "serve", "--data", str(rig.data),
                              "--listen", "127.0.0.1:0"],
                             capture_output=True, text=True, timeout=30)
        rig.check(out.returncode == 2 and word in out.stderr and
                  "idp.conf" in out.stderr,
                  f"{word}: {out.returncode} {out.stderr[-300:]}")
    refused("0640", mode=0o640)
    refused("line 3", CORP.replace("token_endpoint", "token_end"))
    refused("corp.none", CORP.replace("corp.secret", "corp.none"))
    os.chmod(rig.data / "corp.secret", 0o644)
    refused("0644")
    out = rig.cli("check", "--data", str(rig.data), "--json")
    rig.eq(out.returncode, 8)
    item = next(c for c in json.loads(out.stdout)["items"]
                if c["check"] == "idp.conf")
    rig.check(not item["ok"] and "0644" in item["detail"], str(item))
    os.chmod(rig.data / "corp.secret", 0o600)
    conf(rig, CORP)
    rig.start()


run(lambda: Rig())
