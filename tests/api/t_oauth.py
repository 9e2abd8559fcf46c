#!/usr/bin/env python3
"""
Access tokens of other authorization servers (RFC 9068), from outside: which
are believed, whom they speak for, what their scope permits, what a client is
told (RFC 9728, RFC 6750).  Each row of `bad` has one thing wrong.
"""
import base64
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import run, test  # noqa: E402
from ssokit import Key, b64url, openssl  # noqa: E402

ISS = "https://as.example.org"
META = "/.well-known/oauth-protected-resource"
kit = {}


def raw(header, claims, sign):
    text = ".".join(b64url(x if isinstance(x, bytes) else json.dumps(
        x).encode()) for x in (header, claims))
    return text + "." + b64url(sign(text.encode()))


def the(rig):
    """The server of tokens, made once: its id, key, and whose they are."""
    if kit:
        return kit
    r = rig.get(META)
    kit["before"] = (r.status, rig.client(None).get(
        "/v1/whoami").headers["www-authenticate"])
    kit["key"], kit["other"] = Key(rig.dir, "as"), Key(rig.dir, "as2")
    kit["aud"] = rig.url.rstrip("/")
    kit["idp"] = make_idp(rig, "as", ISS, kit["key"])
    kit["user"] = rig.ok(rig.post("/v1/users", {
        "email": "olga@example.org"}), 201).json["id"]
    rig.bind("user", kit["user"], "responder", rig.project)
    rig.ok(rig.post(f"/v1/users/{kit['user']}/identities", {
        "identity_provider": kit["idp"], "subject": "olga"}), 201)
    return kit


def make_idp(rig, name, iss, key, **more):
    return rig.ok(rig.post("/v1/identity-providers", {
        "name": name, "kind": "oauth", "config": {
            "issuer": iss, "audience": kit["aud"],
            "jwks": {"keys": [key.jwk]}, **more}}), 201).json["id"]


def claims(**change):
    now = int(time.time())
    c = {"iss": ISS, "aud": kit["aud"], "sub": "olga", "iat": now,
         "exp": now + 600, "jti": "j1", "client_id": "ci",
         "scope": "incident.view project.view incident.create"}
    c.update(change)
    return {k: v for k, v in c.items() if v is not None}


def token(header=None, by=None, **change):
    h = {"typ": "at+jwt", "alg": "RS256", "kid": "as"}
    h.update(header or {})
    return raw({k: v for k, v in h.items() if v is not None},
               claims(**change), (by or kit["key"]).sign)


def last(rig, action="auth.failed"):
    e = rig.get(f"/v1/audit?action={action}&order=desc&limit=1").json
    return json.loads(e["items"][0]["leaf"])


def refused(rig, text, reason):
    a = rig.ok(rig.client(text).get("/v1/whoami"), 401, "unauthenticated")
    rig.check(reason not in a.body.decode(), f"it says {reason}")
    rig.eq(last(rig)["reason"], reason)
    rig.eq(a.headers["www-authenticate"],
           f'Bearer resource_metadata="{kit["aud"]}{META}"')


@test
def nothing_is_told_without_a_server(rig):
    the(rig)
    rig.eq(kit["before"], (401, "Bearer"))


@test
def believed(rig):
    the(rig)
    for text in (token(), token({"typ": "application/at+jwt"}),
                 token({"typ": "AT+JWT"}), token({"kid": None}),
                 token(aud=[kit["aud"]]),
                 token(exp=int(time.time()) + 3600),
                 token(scope="incident.view unknown.word project.view")):
        c = rig.client(text)
        me = rig.ok(c.get("/v1/whoami"), 200).json
        rig.eq((me["kind"], me["id"]), ("user", kit["user"]))
        rig.ok(c.get(rig.p + "/incidents"), 200)
        e = last(rig, "incident.list")
        rig.eq((e["principal"]["id"], e["outcome"]), (kit["user"], "ok"))
        rig.eq(e["credential"],
               hashlib.sha256(text.encode()).hexdigest()[:10])


@test
def bad(rig):
    """One thing wrong; one answer outside, the reason in the log."""
    the(rig)
    now = int(time.time())
    pem = kit["key"].pem.with_suffix(".pub")
    openssl("rsa", "-in", kit["key"].pem, "-pubout", "-out", pem)

    def hs256(secret):
        return raw({"typ": "at+jwt", "alg": "HS256", "kid": "as"}, claims(),
                   lambda t: hmac.new(secret, t, "sha256").digest())
    n = base64.urlsafe_b64decode(kit["key"].jwk["n"] + "==")
    good = token()
    h, c, sig = good.split(".")
    rows = [
        (token({"typ": None}), "jwt.typ"),
        (token({"typ": "JWT"}), "jwt.typ"),
        (token({"typ": "logout+jwt"}), "jwt.typ"),
        (token({"typ": "dpop+jwt"}), "jwt.typ"),
        # an id_token of the same provider
        (token({"typ": "JWT"}, aud="redoubt", client_id=None, jti=None,
               nonce="n"), "jwt.typ"),
        (token({"alg": "none"}), "jwt.alg"),
        (f"{h}.{c}.", "jwt.sig"),
        (token({"alg": "NONE"}), "jwt.alg"),
        (token({"alg": None}), "jwt.header"),
        (hs256(pem.read_bytes()), "jwt.alg"),
        (hs256(n), "jwt.alg"),
        (token({"alg": "RS512"}), "jwt.alg"),
        (token({"alg": "PS256"}), "jwt.kid"),
        (token({"kid": "unknown"}), "jwt.kid"),
        (token({"kid": "../../as"}), "jwt.kid"),
        (token(by=kit["other"]), "jwt.sig"),
        (token({"jku": "https://evil.example/jwks"}), "jwt.header_key"),
        (token({"jwk": kit["other"].jwk}, kit["other"]), "jwt.header_key"),
        (token({"x5u": "https://evil.example"}), "jwt.header_key"),
        (token({"crit": ["x"], "x": 1}), "jwt.crit"),
        (f"{h}.{b64url(json.dumps(claims(sub='root')).encode())}.{sig}",
         "jwt.sig"),
        (token(iss="https://other.example"), "oidc.iss"),
        (token(iss=ISS + "/"), "oidc.iss"),
        (token(iss=None), "oidc.iss"),
        (token(aud=None), "oidc.aud"),
        (token(aud=kit["aud"] + "/"), "oidc.aud"),
        (token(aud="https://other.example"), "oidc.aud"),
        (token(aud=[]), "oidc.aud"),
        # whoever else takes it could use it here
        (token(aud=["https://other.example", kit["aud"]]), "oidc.aud"),
        (token(exp=None), "oidc.exp"),
        (token(iat=now - 200, exp=now - 100), "oidc.exp"),
        (token(exp=str(now + 60)), "oidc.exp"),
        (token(exp=now + 3700), "at.life"),
        (token(iat=now - 3500, exp=now + 600), "at.life"),
        (token(iat=None), "oidc.iat"),
        (token(iat=now + 120), "oidc.iat"),
        (token(nbf=now + 120), "oidc.nbf"),
        (token(sub=None), "oidc.sub"),
        (token(sub=""), "oidc.sub"),
        (token(sub="nobody"), "unknown"),
        (token(sub="olga@example.org", email="olga@example.org"), "unknown"),
        (token(client_id=None), "at.client_id"),
        (token(jti=None), "jwt.jti"),
        (token(scope=["incident.view"]), "at.scope"),
        ("a.b.c", "oidc.iss"),
        ("..", "oidc.iss"),
    ]
    for text, reason in rows:
        refused(rig, text, reason)
    print(f"# {len(rows)} access tokens refused")


@test
def scopes_are_a_ceiling(rig):
    """scope within what the user may: never more than either."""
    the(rig)
    inc = rig.p + "/incidents"
    rig.ok(rig.client(token()).post(inc, {"title": "x"}), 201)
    few = rig.client(token(scope="incident.view project.view"))
    a = rig.ok(few.post(inc, {"title": "x"}), 403, "forbidden")
    told = a.headers["www-authenticate"]
    rig.check(told.startswith('Bearer error="insufficient_scope", scope="'),
              told)
    rig.check("incident.create" in told.split("scope=")[1].split('"')[1]
              .split(), told)
    rig.check(f'resource_metadata="{kit["aud"]}{META}"' in told, told)
    # wider than the user: what the user lacks no scope gives, or asks for
    wide = rig.client(token(scope="user.view token.view project.create"))
    a = rig.ok(wide.get("/v1/users"), 403)
    rig.eq(a.headers["www-authenticate"], None)
    rig.ok(rig.client(token(scope="*")).get(inc), 404)
    rig.ok(rig.client(token(scope="")).get(inc), 404)
    rig.ok(rig.client(token(scope=None)).get(inc), 404)
    rig.ok(rig.client(token(scope=None)).get("/v1/whoami"), 200)
    # a token of ours is told nothing of scopes
    _, own = rig.make_account("viewer", rig.project, ["project.view"])
    a = own.post(inc, {"title": "x"})
    rig.check(a.status in (403, 404) and
              a.headers["www-authenticate"] is None, repr(a))


@test
def only_in_the_header(rig):
    the(rig)
    c = rig.client(None)
    rig.ok(c.get("/v1/whoami?access_token=" + token()), 401)
    rig.ok(c.post("/v1/whoami", {"access_token": token()}), 401)


@test
def believed_is_not_for_ever(rig):
    """A signature is verified once; the rest with every request."""
    the(rig)
    good = rig.client(token(jti="kept"))
    rig.ok(good.get("/v1/whoami"), 200)
    ids = rig.ok(rig.get(f"/v1/users/{kit['user']}/identities"), 200).json
    one = ids["items"][0]["id"]
    rig.ok(rig.delete(f"/v1/users/{kit['user']}/identities/{one}"), 204)
    rig.ok(good.get("/v1/whoami"), 401)
    rig.eq(last(rig)["reason"], "unknown")
    rig.ok(rig.post(f"/v1/users/{kit['user']}/identities", {
        "identity_provider": kit["idp"], "subject": "olga"}), 201)
    rig.ok(good.get("/v1/whoami"), 200)
    user = "/v1/users/" + kit["user"]
    rig.ok(rig.patch(user, {"disabled": True}), 200)
    rig.ok(good.get("/v1/whoami"), 401)
    rig.eq(last(rig)["reason"], "owner")
    rig.ok(rig.patch(user, {"disabled": False}), 200)
    rig.ok(good.get("/v1/whoami"), 200)
    path = "/v1/identity-providers/" + kit["idp"]
    rig.ok(rig.patch(path, {"enabled": False}), 200)
    rig.ok(good.get("/v1/whoami"), 401)
    rig.eq(last(rig)["reason"], "oidc.iss")
    rig.ok(rig.client(None).get(META), 401)
    rig.ok(rig.patch(path, {"enabled": True}), 200)
    # other keys from now on
    config = {"issuer": ISS, "audience": kit["aud"]}
    rig.ok(rig.patch(path, {"config": {**config, "jwks": {"keys": [
        kit["other"].jwk]}}}), 200)
    rig.ok(good.get("/v1/whoami"), 401)
    rig.eq(last(rig)["reason"], "jwt.kid")
    rig.ok(rig.patch(path, {"config": {**config, "jwks": {"keys": [
        kit["key"].jwk]}}}), 200)
    rig.ok(good.get("/v1/whoami"), 200)
    # nothing has changed but the time
    now = int(time.time())
    old = rig.client(token(iat=now - 300, exp=now - 57))
    rig.ok(old.get("/v1/whoami"), 200)
    while time.time() < now + 4:
        time.sleep(0.2)
    rig.ok(old.get("/v1/whoami"), 401)
    rig.eq(last(rig)["reason"], "oidc.exp")


@test
def more_tokens_than_are_kept(rig):
    """Each is who it is, however many come."""
    the(rig)
    account, _ = rig.make_account("viewer", rig.project)
    rig.ok(rig.post(f"/v1/service-accounts/{account}/identities", {
        "identity_provider": kit["idp"], "subject": "ci"}), 201)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda i: (token(
            jti=f"j{i}", sub=("olga", "ci")[i % 2]), i % 2), range(300)))
    c = rig.client(None)
    for text, who in made + made[:150]:
        c.token = text
        a = c.request("GET", "/v1/whoami", None,
                      {"Authorization": "Bearer " + text})
        rig.eq(rig.ok(a, 200).json["id"], (kit["user"], account)[who])


@test
def where_from(rig):
    """The organization's addresses hold for every credential."""
    the(rig)
    c = rig.client(token())
    rig.ok(c.get("/v1/whoami"), 200)
    rig.ok(rig.put("/v1/policy", {"ip_allow": ["127.0.0.1/32"]}), 200)
    rig.ok(c.get("/v1/whoami"), 200)
    c.close()
    c.conn = http.client.HTTPSConnection(
        rig.host, rig.port, timeout=30, context=rig.tls(),
        source_address=("127.0.0.2", 0))
    rig.ok(c.get("/v1/whoami"), 401)
    rig.eq(last(rig)["reason"], "address")
    rig.ok(rig.put("/v1/policy", {"ip_allow": None}), 200)
    rig.ok(c.get("/v1/whoami"), 200)


@test
def metadata(rig):
    """RFC 9728: resource is where the document is, issuers once each."""
    the(rig)
    d = rig.ok(rig.client(None).get(META), 200).json
    rig.eq((d["resource"], d["authorization_servers"],
            d["bearer_methods_supported"]), (kit["aud"], [ISS], ["header"]))
    rig.check("incident.view" in d["scopes_supported"], str(d))
    a = rig.post("/v1/identity-providers", {
        "name": "again", "kind": "oauth", "config": {
            "issuer": ISS, "audience": "https://x.example",
            "jwks": {"keys": [kit["other"].jwk]}}})
    rig.ok(a, 409, "exists")
    two = make_idp(rig, "as2", "https://as2.example.org", kit["other"])
    rig.eq(rig.get(META).json["authorization_servers"],
           [ISS, "https://as2.example.org"])
    rig.ok(rig.patch("/v1/identity-providers/" + two, {"config": {
        "issuer": ISS, "audience": kit["aud"],
        "jwks": {"keys": [kit["other"].jwk]}}}), 409, "exists")
    # the key of one says nothing about the other's people
    refused(rig, token({"kid": "as2"}, kit["other"],
                       iss="https://as2.example.org"), "unknown")
    # who is for another address is not told of
    rig.ok(rig.patch("/v1/identity-providers/" + two, {"config": {
        "issuer": "https://as2.example.org", "audience":
        "https://elsewhere.example", "jwks": {"keys": [kit["other"].jwk]}}}),
        200)
    rig.eq(rig.get(META).json["authorization_servers"], [ISS])


@test
def for_agents(rig):
    """/mcp is a resource of its own, with a document and servers of its own."""
    the(rig)
    stranger = rig.client(None)
    rig.ok(stranger.get(META + "/mcp"), 401)
    told = stranger.get("/mcp").headers["www-authenticate"]
    rig.eq(told, "Bearer")  # nobody's tokens are for it
    make_idp(rig, "agents", "https://as3.example.org", kit["other"],
             audience=kit["aud"] + "/mcp")
    make_idp(rig, "near", "https://as4.example.org", kit["other"],
             audience=kit["aud"] + "/mcp/")
    d = rig.ok(stranger.get(META + "/mcp"), 200).json
    rig.eq((d["resource"], d["authorization_servers"]),
           (kit["aud"] + "/mcp", ["https://as3.example.org"]))
    rig.eq(rig.get(META).json["authorization_servers"], [ISS])
    for path in ("/mcp", "/mcp/x", "/mcp?a=b"):
        rig.eq(rig.ok(stranger.get(path), 401).headers["www-authenticate"],
               f'Bearer resource_metadata="{kit["aud"]}{META}/mcp"', path)
    for path in ("/mcpx", "/v1/whoami", "/x/mcp"):
        rig.eq(rig.ok(stranger.get(path), 401).headers["www-authenticate"],
               f'Bearer resource_metadata="{kit["aud"]}{META}"', path)
    rig.ok(stranger.get(META + "/mcp/x"), 401)
    rig.ok(stranger.get(META + "/other"), 401)


run()
