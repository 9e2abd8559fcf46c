#!/usr/bin/env python3
"""
http steps with OAuth 2 against npm oidc-provider: client credentials and
refresh tokens, with least scopes, and a service that asks the provider what
the token it got is good for.
"""
import base64
import hashlib
import http.client
import http.cookiejar
import os
import re
import secrets
import sys
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from brokerkit import *  # noqa: E402,F403
import idps  # noqa: E402

SECRET = "client-secret-0123456789-abcdefghij"
JSON = {"Content-Type": "application/json"}
SCOPES = ["tickets:read", "tickets:write", "admin"]
BACK = "https://localhost/back"


class World:
    def __init__(self):
        idps.install()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="oauth-"))
        (self.dir / "op").mkdir()
        self.ca = Authority(self.dir)
        self.key, self.crt = self.ca.issue("svc", "DNS:svc.test")
        port = idps.free_port()
        self.op = idps.Op(self.dir / "op", port, [
            {"client_id": "delegate", "client_secret": SECRET,
             "grant_types": ["client_credentials"], "redirect_uris": [],
             "response_types": [], "scope": "tickets:read tickets:write"},
            {"client_id": "person", "client_secret": SECRET,
             "grant_types": ["authorization_code", "refresh_token"],
             "redirect_uris": [BACK], "response_types": ["code"]},
            {"client_id": "public", "token_endpoint_auth_method": "none",
             "grant_types": ["authorization_code", "refresh_token"],
             "redirect_uris": [BACK], "response_types": ["code"]},
        ], SCOPES)
        self.client = ssl.create_default_context(cafile=str(self.op.ca))
        self.names = Names({"svc.test": ["127.0.0.1"],
                            "localhost": ["127.0.0.1"]})
        self.broker = Broker(resolver=[f"127.0.0.1:{self.names.port}"],
                             authorities=self.ca.pem)
        self.tokens = []
        self.service = Service(self.key, self.crt, self.answer)

    def post(self, path, form, client="delegate", secret=SECRET):
        c = http.client.HTTPSConnection("localhost", self.op.port,
                                        context=self.client)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if secret:
            pair = base64.b64encode(f"{client}:{secret}".encode()).decode()
            headers["Authorization"] = "Basic " + pair
        c.request("POST", path, urllib.parse.urlencode(form), headers)
        r = c.getresponse()
        return r.status, json.loads(r.read() or b"{}")

    def about(self, token, client="delegate"):
        return self.post("/token/introspection", {"token": token}, client)[1]

    def answer(self, request):
        """A service: what the provider says about the token decides."""
        said = request["headers"].get("Authorization", "")
        token = said.removeprefix("Bearer ")
        self.tokens.append(token)
        about = self.about(token)
        if not about.get("active"):
            return 401, {}, b""
        return 200, JSON, json.dumps(
            {"active": about.get("active"), "scope": about.get("scope"),
             "client": about.get("client_id"), "echo": token}).encode()

    def connector(self, kind, client, scopes=None, secret="oauth"):
        return connector(
            self.service.port, ca=self.ca.pem + self.op.ca.read_text(),
            actions=[
                {"name": "read", "method": "GET", "path": "/tickets",
                 "scopes": ["tickets:read"]},
                {"name": "write", "method": "POST", "path": "/tickets",
                 "body": {"a": 1}, "scopes": ["tickets:write"]},
                {"name": "any", "method": "GET", "path": "/"}],
            auth={"kind": kind, "secret": secret, "client_id": client,
                  "token_url": f"https://localhost:{self.op.port}/token",
                  "scopes": scopes or ["tickets:read", "tickets:write"]})

    def refresh_token(self, client):
        """As a person gets one, at the provider's own pages."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(
            verifier.encode()).digest()).rstrip(b"=").decode()

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *a):
                return None
        jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=self.client),
            urllib.request.HTTPCookieProcessor(jar), Stay())

        def get(url, data=None):
            try:
                r = opener.open(url, data)
            except urllib.error.HTTPError as e:
                r = e
            return r.headers.get("Location"), r.read().decode()
        url = self.op.issuer + "/auth?" + urllib.parse.urlencode({
            "client_id": client, "response_type": "code",
            "redirect_uri": BACK, "prompt": "consent", "state": "s",
            "scope": "openid offline_access tickets:read tickets:write",
            "code_challenge": challenge, "code_challenge_method": "S256"})
        data = None
        for _ in range(12):
            where, page = get(url, data)
            data = None
            if where and where.startswith(BACK):
                code = urllib.parse.parse_qs(
                    urllib.parse.urlsplit(where).query)["code"][0]
                break
            if where:
                url = urllib.parse.urljoin(url, where)
                continue
            action = re.search(r'action="([^"]+)"', page).group(1)
            prompt = re.search(r'name="prompt" value="(\w+)"', page).group(1)
            form = {"prompt": prompt}
            if prompt == "login":
                form.update(login="alice", password="x")
            url = urllib.parse.urljoin(url, action)
            data = urllib.parse.urlencode(form).encode()
        form = {"grant_type": "authorization_code", "code": code,
                "redirect_uri": BACK, "code_verifier": verifier}
        if client == "public":
            form["client_id"] = client
        status, got = self.post("/token", form, client,
                                None if client == "public" else SECRET)
        assert status == 200, got
        return got["refresh_token"]


WANT = [{"name": "active", "type": "boolean", "pointer": "/active"},
        {"name": "scope", "type": "string", "pointer": "/scope"},
        {"name": "client", "type": "string", "pointer": "/client"}]


@test
def client_credentials_with_least_scopes(w):
    c = w.connector("oauth2_client", "delegate")
    for action, scope in (("read", "tickets:read"),
                          ("write", "tickets:write")):
        e = w.broker.http(c, action, secret=SECRET, outputs=WANT)
        same(e["end"], "ok", e)
        same(json.loads(e["outputs"]),
             {"active": True, "scope": scope, "client": "delegate"})
    # an action that needs nothing gets what the document names
    e = w.broker.http(c, "any", secret=SECRET, outputs=WANT)
    same(sorted(json.loads(e["outputs"])["scope"].split()),
         ["tickets:read", "tickets:write"])


@test
def a_token_is_kept(w):
    c = w.connector("oauth2_client", "delegate")
    n = len(w.tokens)
    for _ in range(3):
        w.broker.http(c, "read", secret=SECRET)
    same(len(set(w.tokens[n:])), 1)
    # for its scopes, secret and document only
    w.broker.http(c, "write", secret=SECRET)
    same(len(set(w.tokens[n:])), 2)
    check(w.tokens[n] not in open(f"/proc/{w.broker.process.pid}/cmdline")
          .read())


@test
def a_token_that_is_not_taken_is_forgotten(w):
    refuse = Service(w.key, w.crt, lambda r: (401, {}, b""))
    c = w.connector("oauth2_client", "delegate")
    c["base"] = f"https://svc.test:{refuse.port}"
    before = w.broker.http(c, "read", secret=SECRET)
    same((before["end"], before["status"]), ("answer.status", 401))
    w.broker.http(c, "read", secret=SECRET)
    same(len({r["headers"]["Authorization"] for r in refuse.got}), 2)


@test
def the_wrong_client_secret(w):
    e = w.broker.http(w.connector("oauth2_client", "delegate"), "read",
                      secret="not-the-secret-at-all")
    same((e["end"], e["sent"]), ("oauth.refused", False))
    e = w.broker.http(w.connector("oauth2_client", "nobody"), "read",
                      secret=SECRET)
    same(e["end"], "oauth.refused")


@test
def a_scope_the_client_may_not_have(w):
    """The provider grants less, or refuses: nothing is sent either way."""
    c = w.connector("oauth2_client", "delegate", ["tickets:read", "admin"])
    c["actions"] = [{"name": "rule", "method": "GET", "path": "/",
                     "scopes": ["admin"]}]
    n = len(w.service.got)
    e = w.broker.http(c, "rule", secret=SECRET)
    check(e["end"] in ("oauth.refused", "oauth.scope"), e["end"])
    same(len(w.service.got), n)


@test
def a_scope_the_document_lacks(w):
    c = w.connector("oauth2_client", "delegate", ["tickets:read"])
    asked = len(w.names.asked)
    e = w.broker.http(c, "write", secret=SECRET)
    same((e["end"], e["sent"]), ("connector", False))
    same(len(w.names.asked), asked, "somebody was asked")


@test
def refresh_tokens(w):
    token = w.refresh_token("person")
    c = w.connector("oauth2_refresh", "person")
    secret = json.dumps({"refresh_token": token, "client_secret": SECRET})
    e = w.broker.http(c, "read", secret=secret, outputs=[
        {"name": "echo", "type": "string", "pointer": "/echo"}])
    same(e["end"], "ok", e)
    same(json.loads(e["outputs"])["echo"], "***")
    about = w.about(w.tokens[-1], "person")
    same((about.get("active"), about.get("scope"), about.get("client_id")),
         (True, "tickets:read", "person"))
    e = w.broker.http(c, "read", secret=json.dumps(
        {"refresh_token": token, "client_secret": "wrong-secret-here"}))
    same(e["end"], "oauth.refused")


@test
def a_refresh_token_that_is_replaced(w):
    """A public client's is used up by its use: the next one is known."""
    token = w.refresh_token("public")
    c = w.connector("oauth2_refresh", "public")
    for action in ("read", "write", "any"):
        e = w.broker.http(c, action, secret=token)
        same(e["end"], "ok", action)
    check(len(set(w.tokens[-3:])) == 3)
    # in a process that did not see it replaced it is worth nothing
    other = Broker(resolver=[f"127.0.0.1:{w.names.port}"],
                   authorities=w.ca.pem)
    same(other.http(c, "read", secret=token)["end"], "oauth.refused")
    other.stop()


if __name__ == "__main__":
    w = World()
    try:
        run(w)
    finally:
        w.op.stop()
