#!/usr/bin/env python3
"""
OpenID Connect by code, against a provider that does as a test tells it: PKCE,
a code that is good for ever, keys that change, a provider that refuses or is
not there.
"""
import base64
import hashlib
import http.server
import json
import socket
import ssl
import sys
import threading
import time
import urllib.parse
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import Rig, run, test  # noqa: E402
from ssokit import Browser, Key, b64url, openssl, query_of  # noqa: E402

NAMES = ("plain", "again", "keys", "lies", "refuses")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Op:
    """A token endpoint and keys, for each name below /NAME."""

    def __init__(self, d):
        self.port = free_port()
        self.issuer = f"https://localhost:{self.port}"
        self.key = Key(d, "one")
        self.published = [self.key.jwk]
        self.say = None     # what claims to answer with: f(form)
        self.signer = self.key
        self.asked = {"token": [], "jwks": []}
        self.ca, crt, key = d / "op.crt", d / "op.crt", d / "op.key"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost", "-keyout", key, "-out", crt)
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.minimum_version = ssl.TLSVersion.TLSv1_3
        c.load_cert_chain(crt, key)
        op = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def answer(self, status, body):
                body = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                op.asked["jwks"].append(self.path)
                self.answer(200, {"keys": op.published})

            def do_POST(self):
                n = int(self.headers["Content-Length"])
                form = dict(urllib.parse.parse_qsl(
                    self.rfile.read(n).decode()))
                op.asked["token"].append((self.path, form))
                said = op.say(form)
                if said is None:
                    self.answer(400, {"error": "invalid_grant"})
                else:
                    self.answer(200, {"id_token": said,
                                      "access_token": "x",
                                      "token_type": "Bearer"})
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", self.port), Handler)
        self.server.socket = c.wrap_socket(self.server.socket,
                                           server_side=True)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()


class Place(Rig):
    def __init__(self):
        super().__init__(start=False)
        self.op = Op(self.dir)
        port, self.closed = free_port(), free_port()
        self.listen = f"127.0.0.1:{port}"
        here, conf = f"https://127.0.0.1:{port}", self.data / "idp.conf"
        conf.write_text("".join(f"""[idp {name}]
issuer = {self.op.issuer}
token_endpoint = {self.op.issuer}/{name}/token
jwks_uri = {self.op.issuer}/{name}/jwks
client_id = redoubt
redirect_uri = {here}/auth/oidc/{name}/callback
ca_file = {self.op.ca}
connect = 127.0.0.1:{self.closed if name == "gone" else self.op.port}
""" for name in NAMES + ("gone",)))
        conf.chmod(0o600)
        self.start()
        for name in NAMES + ("gone", "unknown"):
            self.ok(self.post("/v1/identity-providers", {
                "name": name, "kind": "oidc-code", "config": {
                    "issuer": self.op.issuer, "client_id": "redoubt",
                    "authorization_endpoint": self.op.issuer + "/auth",
                    "jit": True}}), 201)

    def begin(self, browser, name):
        a = self.ok(browser.get(f"/auth/oidc/{name}/login"), 303)
        asked = query_of(a)
        self.op.say = lambda form: self.id_token(asked)
        return asked

    def id_token(self, asked, kid=None, **change):
        now = int(time.time())
        c = {"iss": self.op.issuer, "aud": "redoubt", "sub": "alice",
             "iat": now, "exp": now + 300, "nonce": asked["nonce"], **change}
        h = {"alg": "RS256", "kid": kid or self.op.signer.jwk["kid"]}
        text = ".".join(b64url(json.dumps(x).encode()) for x in (h, c))
        return text + "." + b64url(self.op.signer.sign(text.encode()))

    def back(self, browser, name, asked, code="c0de", **more):
        return browser.get(f"/auth/oidc/{name}/callback?" +
                           urllib.parse.urlencode({
                               "code": code, "state": asked["state"], **more}))

    def refused(self, answer, reason, code="auth_failed", status=403):
        self.eq(answer.status, status, reason)
        self.check(code in answer.body.decode(), answer)
        items = self.get("/v1/audit?action=auth.login&order=desc&limit=1"
                         "&outcome=denied").json["items"]
        self.eq(json.loads(items[0]["leaf"])["reason"], reason)


@test
def code_and_verifier(rig):
    b = Browser(rig)
    asked = rig.begin(b, "plain")
    rig.eq((asked["response_type"], asked["code_challenge_method"]),
           ("code", "S256"))
    rig.ok(rig.back(b, "plain", asked), 303)
    rig.ok(b.whoami(), 200)
    path, form = rig.op.asked["token"][-1]
    rig.eq(path, "/plain/token")
    rig.eq((form["grant_type"], form["code"], form["client_id"]),
           ("authorization_code", "c0de", "redoubt"))
    rig.eq(form["redirect_uri"], asked["redirect_uri"])
    rig.eq(base64.urlsafe_b64encode(hashlib.sha256(
        form["code_verifier"].encode()).digest()).rstrip(b"=").decode(),
        asked["code_challenge"])
    # neither seen by who only sees the addresses
    rig.check(form["code_verifier"] not in str(asked), "the verifier leaks")


@test
def a_code_that_is_good_for_ever(rig):
    """The provider redeems it each time: we still let one in."""
    b = Browser(rig)
    asked = rig.begin(b, "again")
    jar, answers, lock = dict(b.jar), [], threading.Lock()

    def work():
        for _ in range(6):
            one = Browser(rig)
            one.jar = dict(jar)
            a = rig.back(one, "again", asked)
            one.client.close()
            with lock:
                answers.append(a.status)
    threads = [threading.Thread(target=work) for _ in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    rig.eq(len(answers), 96)
    rig.eq(answers.count(303), 1, str(sorted(answers)))
    # refused, or not asked for: a provider is called sixty times a minute
    rig.check(set(answers) <= {303, 403, 429, 503}, str(set(answers)))


@test
def keys_change(rig):
    """A key nobody knows makes us ask once, and not again for a minute."""
    b = Browser(rig)
    rig.ok(rig.back(b, "keys", rig.begin(b, "keys")), 303)
    times = rig.op.asked["jwks"].count("/keys/jwks")
    rig.eq(times, 1)
    rig.ok(rig.back(b, "keys", rig.begin(b, "keys")), 303)
    rig.eq(rig.op.asked["jwks"].count("/keys/jwks"), 1, "kept")
    asked = rig.begin(b, "keys")
    rig.op.signer = Key(rig.dir, "two")
    rig.op.published.append(rig.op.signer.jwk)
    # asked less than a minute ago
    rig.refused(rig.back(b, "keys", asked), "jwt.kid")
    rig.eq(rig.op.asked["jwks"].count("/keys/jwks"), 1, "asked again")
    # another provider, asked for the first time, knows it
    rig.ok(rig.back(b, "lies", rig.begin(b, "lies")), 303)
    rig.op.signer = rig.op.key


@test
def what_the_provider_says_is_checked(rig):
    b = Browser(rig)
    for change, reason in (({"nonce": "x"}, "oidc.nonce"),
                           ({"aud": "other"}, "oidc.aud"),
                           ({"c_hash": "AAAA"}, "oidc.c_hash")):
        asked = rig.begin(b, "lies")
        rig.op.say = lambda form: rig.id_token(asked, **change)
        rig.refused(rig.back(b, "lies", asked), reason)
    asked = rig.begin(b, "lies")
    rig.refused(rig.back(b, "lies", asked, iss="https://other"),
                "oidc.iss_param")
    rig.refused(rig.back(b, "lies", asked, code=""), "oidc.answer")
    rig.refused(rig.back(b, "lies", asked, code="x" * 2049), "oidc.answer")
    # a code by POST is no answer of this flow
    rig.refused(b.post("/auth/oidc/lies/callback", {
        "state": asked["state"], "code": "c"}), "oidc.answer")
    rig.check(b.request("HEAD", "/auth/oidc/lies/callback?code=c&state=" +
                        asked["state"]).status == 405, "HEAD logs in")
    rig.refused(rig.back(Browser(rig), "lies", asked), "txn.cookie",
                "txn_cookie")


@test
def a_provider_that_cannot_be_asked(rig):
    b = Browser(rig)
    asked = rig.begin(b, "refuses")
    rig.op.say = lambda form: None
    rig.refused(rig.back(b, "refuses", asked), "idp.denied")
    asked = rig.begin(b, "gone")
    rig.refused(rig.back(b, "gone", asked), "idp.connect", "idp_unreachable",
                503)
    asked = rig.begin(b, "unknown")
    rig.refused(rig.back(b, "unknown", asked), "idp.not_configured",
                "idp_not_configured", 503)
    rig.check(b.whoami().status == 401, "somebody")


run(Place)
