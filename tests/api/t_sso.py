#!/usr/bin/env python3
"""
Single sign-on from outside: what a provider's answer must be bound to, what is
used once, who is linked to whom, and what the log says of each refusal.  The
providers are made here (ssokit.py); real ones are in tests/e2e/t_sso.py, forged
tokens and documents in tests/unit/auth.
"""
import base64
import concurrent.futures
import json
import sys
import time
import urllib.parse
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import run, test  # noqa: E402
from ssokit import Browser, Key, Oidc, Saml, query_of  # noqa: E402

kit = {}


def oidc(rig, name="corp", **config):
    if name not in kit:
        kit[name] = Oidc(rig, rig.dir, name, **config)
    return kit[name]


def saml(rig, name="works", **config):
    if name not in kit:
        kit[name] = Saml(rig, rig.dir, name, **config)
    return kit[name]


def last_login(rig, outcome="denied", action="auth.login"):
    """The newest entry of that outcome about a login."""
    items = rig.ok(rig.get(f"/v1/audit?action={action}&order=desc&limit=1"
                           "&outcome=" + outcome), 200).json["items"]
    return json.loads(items[0]["leaf"]) if items else {}


def refused(rig, answer, reason, code="auth_failed", status=None,
            action="auth.login"):
    """One page that says nothing, one entry that says what it was."""
    text = answer.body.decode()
    rig.check(answer.status == (status or {"auth_failed": 403}.get(
        code, answer.status)), f"{reason}: {answer!r}")
    rig.check(code in text, f"{reason}: {text[:300]}")
    rig.check(reason not in text, f"the page says {reason}")
    rig.check("__Host-redoubt=" not in
              str(answer.headers.get_all("set-cookie")), reason)
    rig.eq(last_login(rig, action=action).get("reason"), reason)


def logged_in(rig, browser, answer, to="/"):
    rig.check(answer.status == 303, repr(answer))
    rig.eq(answer.headers["location"], to)
    return rig.ok(browser.whoami(), 200).json


# ---- it works ----

@test
def oidc_login(rig):
    op, b = oidc(rig), Browser(rig)
    asked = op.begin(b, "?next=/v1/projects")
    rig.eq(asked["response_type"], "id_token")
    rig.eq(asked["response_mode"], "form_post")
    rig.eq(asked["redirect_uri"], op.about["urls"]["callback"])
    rig.check("code_challenge" not in asked, asked)
    me = logged_in(rig, b, op.answer(b, asked), "/v1/projects")
    rig.eq(me["name"], "Alice", str(me))
    entry = last_login(rig, "ok")
    rig.eq(entry["principal"]["id"], me["id"], str(entry))
    # the second time it is the same user
    c = Browser(rig)
    rig.eq(logged_in(rig, c, op.login(c))["id"], me["id"])


@test
def saml_login(rig):
    idp, b = saml(rig), Browser(rig)
    asked = idp.begin(b, "?next=/v1/projects")
    rig.check(set(asked) >= {"SAMLRequest", "RelayState", "SigAlg",
                             "Signature"}, str(asked))
    rig.check(len(asked["RelayState"]) <= 80, asked["RelayState"])
    rig.check(idp.acs in asked["request"], asked["request"])
    me = logged_in(rig, b, idp.post(b, asked, idp.response(asked["id"])),
                   "/v1/projects")
    c = Browser(rig)
    rig.eq(logged_in(rig, c, idp.login(c))["id"], me["id"])


@test
def metadata(rig):
    idp = saml(rig)
    a = rig.ok(Browser(rig).get(idp.base + "/metadata"), 200)
    rig.eq(a.headers["content-type"], "application/samlmetadata+xml")
    for what in (idp.sp, idp.acs, "WantAssertionsSigned"):
        rig.check(what in a.body.decode(), what)


@test
def means_demanded(rig):
    """Whoever logged in by less than the config demands is not let in."""
    op = oidc(rig, "means", acr="urn:mfa", amr=["mfa", "hwk"])
    b = Browser(rig)
    asked = op.begin(b)
    rig.eq(asked["acr_values"], "urn:mfa")
    for claims, why in (({"acr": "urn:pwd", "amr": ["mfa", "hwk"]},
                         "oidc.acr"),
                        ({"acr": "urn:mfa", "amr": ["mfa"]}, "oidc.amr"),
                        ({"acr": "urn:mfa", "amr": "mfa hwk"}, "oidc.amr"),
                        ({"acr": "urn:mfa"}, "oidc.amr")):
        refused(rig, op.login(Browser(rig), **claims), why)
    logged_in(rig, b, op.answer(b, asked, acr="urn:mfa",
                                amr=["pwd", "hwk", "mfa"]))
    password = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
    for name, acr in (("worse", password + "X"), ("weak", password)):
        idp, b = saml(rig, name, acr=acr), Browser(rig)
        a = idp.login(b)
        if acr == password:
            logged_in(rig, b, a)
        else:
            refused(rig, a, "saml.acr")
    bad = {"name": "none", "kind": "saml", "config": {
        "metadata": saml(rig).metadata(), "amr": ["mfa"]}}
    rig.ok(rig.post("/v1/identity-providers", bad), 400, "unknown_member")


@test
def refused_often(rig):
    """From one address 60 refusals a minute; then the next has to wait."""
    op = oidc(rig)
    b = Browser(rig, "127.8.0.1")
    bad = {"state": "A" * 43, "id_token": "x.y.z"}
    n = 0
    while n < 100:
        a = b.post(op.base + "/callback", bad)
        if a.status == 429:
            break
        n += 1
    rig.check(60 <= n <= 75, f"{n} answers")  # a second gives one more
    rig.check(1 <= int(a.headers["retry-after"]) <= 2, f"{a.headers}")
    rig.check(b"rate_limited" in a.body, f"{a.body}")
    rig.eq(last_login(rig)["reason"], "throttled")
    # SAML and the beginning of a login, too; not from elsewhere
    def also_refused(ask):
        """A second gives one more, and this may be the second."""
        for _ in range(10):
            if ask().status == 429:
                return True
            while b.post(op.base + "/callback", bad).status != 429:
                pass
        return False
    works = saml(rig)
    rig.check(also_refused(lambda: b.post(works.base + "/acs", {
        "SAMLResponse": "x"})), "SAML")
    rig.check(also_refused(lambda: b.get(op.base + "/login")), "a beginning")
    c = Browser(rig)
    logged_in(rig, c, op.login(c))
    time.sleep(2.1)
    logged_in(rig, b, op.login(b))  # a good one does not count


# ---- bound to the browser that asked ----

@test
def state(rig):
    op, b = oidc(rig), Browser(rig)
    asked = op.begin(b)
    token = op.token(op.claims(asked))
    cb = op.base + "/callback"
    for state in ("", "x", asked["state"][:-1], asked["state"] + "A",
                  asked["state"][:-1] + ("A" if asked["state"][-1] != "A"
                                         else "B"), "A" * 80, "\x00"):
        a = b.post(cb, {"state": state, "id_token": token})
        if state == "\x00":
            rig.check(a.status == 400, repr(a))
            continue
        refused(rig, a, "txn.state")
    refused(rig, b.post(cb, {"id_token": token}), "txn.state")
    # nothing of that has used it up
    logged_in(rig, b, b.post(cb, {"state": asked["state"],
                                  "id_token": token}))


@test
def other_browser(rig):
    op, b = oidc(rig), Browser(rig)
    asked = op.begin(b)
    stranger = Browser(rig)
    refused(rig, op.answer(stranger, asked), "txn.cookie", "txn_cookie")
    # one with a transaction of its own neither
    op.begin(stranger)
    refused(rig, op.answer(stranger, asked), "txn.cookie", "txn_cookie")
    # nor with a cookie of that name and another's content
    mine = [k for k in stranger.jar if k.startswith("__Host-rdtx-")][0]
    name = [k for k in b.jar if k.startswith("__Host-rdtx-")][0]
    stranger.jar[name] = stranger.jar.pop(mine)
    refused(rig, op.answer(stranger, asked), "txn.forged")
    good = b.jar[name]
    for bad in ("", "x", good[:-2], good[:50] + "AAAA" + good[54:]):
        stranger.jar[name] = bad
        refused(rig, op.answer(stranger, asked), "txn.forged")
    logged_in(rig, b, op.answer(b, asked))


@test
def other_provider(rig):
    op, two, b = oidc(rig), oidc(rig, "second"), Browser(rig)
    asked = op.begin(b)
    body = {"state": asked["state"], "id_token": op.token(op.claims(asked))}
    refused(rig, b.post(two.base + "/callback", body), "txn.provider")
    rig.ok(b.post("/auth/saml/corp/acs", body), 404)
    rig.ok(b.post("/auth/oidc/nobody/callback", body), 404)
    # the token of the other one at this one
    body["id_token"] = two.token(two.claims(asked))
    refused(rig, b.post(op.base + "/callback", body), "jwt.kid")
    # under our key id, signed by the other
    body["id_token"] = op.token(op.claims(asked), key=two.key)
    refused(rig, b.post(op.base + "/callback", body), "jwt.sig")
    # by the right key, for the other
    body["id_token"] = op.token(op.claims(asked, iss=two.issuer))
    refused(rig, b.post(op.base + "/callback", body), "oidc.iss")


@test
def mix_up(rig):
    """RFC 9207: an answer that names its issuer must name ours."""
    op, b = oidc(rig), Browser(rig)
    for iss in ("https://second.example.org", op.issuer + "/", ""):
        asked = op.begin(b)
        refused(rig, b.post(op.base + "/callback", {
            "state": asked["state"], "iss": iss,
            "id_token": op.token(op.claims(asked))}), "oidc.iss_param")
    asked = op.begin(b)
    logged_in(rig, b, b.post(op.base + "/callback", {
        "state": asked["state"], "iss": op.issuer,
        "id_token": op.token(op.claims(asked))}))
    strict = oidc(rig, "strict", iss_required=True)
    asked = strict.begin(b)
    refused(rig, strict.answer(b, asked), "oidc.iss_param")


@test
def provider_errors(rig):
    op, b = oidc(rig), Browser(rig)
    asked = op.begin(b)
    text = "<script>alert(1)</script>"
    a = b.post(op.base + "/callback", {
        "state": asked["state"], "error": "access_denied",
        "error_description": text})
    refused(rig, a, "oidc.provider_error")
    rig.check("alert(1)" not in a.body.decode(), "description is shown")
    # bound like an answer
    a = Browser(rig).post(op.base + "/callback", {
        "state": asked["state"], "error": "access_denied"})
    refused(rig, a, "txn.cookie", "txn_cookie")
    a = b.post(op.base + "/callback", {
        "state": asked["state"], "error": "access_denied",
        "iss": "https://second.example.org"})
    refused(rig, a, "oidc.iss_param")


@test
def what_an_answer_may_hold(rig):
    op, b = oidc(rig), Browser(rig)
    cb = op.base + "/callback"
    asked = op.begin(b)
    token = op.token(op.claims(asked))
    state = asked["state"]
    # no token, a code in its place, both
    refused(rig, b.post(cb, {"state": state}), "oidc.answer")
    refused(rig, b.post(cb, {"state": state, "code": "c"}), "oidc.answer")
    refused(rig, b.post(cb, {"state": state, "code": "c",
                             "id_token": token}), "oidc.answer")
    # by GET, where only codes come
    q = urllib.parse.urlencode({"state": state, "id_token": token})
    refused(rig, b.get(cb + "?" + q), "oidc.answer")
    # twice
    for twice in (f"state={state}&state={state}&id_token={token}",
                  f"state={state}&id_token={token}&id_token={token}"):
        rig.ok(b.post(cb, twice), 400)
    # 16 KiB and a little
    big = op.token(op.claims(asked, junk="x" * (17 * 1024)))
    refused(rig, b.post(cb, {"state": state, "id_token": big}), "jwt.size")
    # another kind of body
    rig.ok(b.post(cb, json.dumps({"state": state, "id_token": token}),
                  headers={"Content-Type": "application/json"}), 415)
    logged_in(rig, b, b.post(cb, {"state": state, "id_token": token,
                                  "session_state": "what.keycloak.adds"}))


@test
def claims(rig):
    """Some of each kind over the whole way; all are in tests/unit/auth."""
    op, b, now = oidc(rig), Browser(rig), int(time.time())
    for change, reason in (
            ({"nonce": "x"}, "oidc.nonce"), ({"nonce": None}, "oidc.nonce"),
            ({"aud": "other"}, "oidc.aud"), ({"exp": now - 100}, "oidc.exp"),
            ({"iat": now - 3600}, "oidc.iat"), ({"sub": ""}, "oidc.sub")):
        asked = op.begin(b)
        refused(rig, op.answer(b, asked, **change), reason)
    asked = op.begin(b)
    for header, reason in (({"alg": "none"}, "jwt.alg"),
                           ({"alg": "HS256"}, "jwt.alg"),
                           ({"jku": "https://evil.example/"},
                            "jwt.header_key"),
                           ({"typ": "at+jwt"}, "jwt.typ")):
        refused(rig, b.post(op.base + "/callback", {
            "state": asked["state"],
            "id_token": op.token(op.claims(asked), header)}), reason)


# ---- used once ----

def many(f, n=100, threads=16):
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda i: f(i), range(n)))


def one_of_many(rig, browser, send):
    """100 times the same from 16 threads: one is let in."""
    jar = dict(browser.jar)

    def once(i):
        b = Browser(rig)
        b.jar = dict(jar)
        a = send(b)
        b.client.close()
        return a
    answers = many(once)
    good = [a for a in answers if a.status == 303]
    rig.eq(len(good), 1, "let in")
    for a in answers:
        rig.check(a.status in (303, 403), repr(a))


@test
def replay_oidc(rig):
    op, b = oidc(rig), Browser(rig)
    asked = op.begin(b)
    body = {"state": asked["state"], "id_token": op.token(op.claims(asked))}
    one_of_many(rig, b, lambda x: x.post(op.base + "/callback", body))
    # the token with another transaction: its nonce is of the first
    asked = op.begin(b)
    body["state"] = asked["state"]
    refused(rig, b.post(op.base + "/callback", body), "oidc.nonce")


@test
def replay_saml(rig):
    idp, b = saml(rig), Browser(rig)
    asked = idp.begin(b)
    xml = idp.response(asked["id"])
    one_of_many(rig, b, lambda x: idp.post(x, asked, xml))
    # two answers to one question
    asked = idp.begin(b)
    jar = dict(b.jar)
    logged_in(rig, b, idp.post(b, asked, idp.response(asked["id"])))
    b.jar = jar
    refused(rig, idp.post(b, asked, idp.response(asked["id"], "bob")),
            "txn.used")


@test
def two_tabs(rig):
    op, idp, b = oidc(rig), saml(rig), Browser(rig)
    one, two, three = op.begin(b, "?next=/a"), op.begin(b, "?next=/b"), \
        idp.begin(b, "?next=/c")
    logged_in(rig, b, op.answer(b, two), "/b")
    logged_in(rig, b, idp.post(b, three, idp.response(three["id"])), "/c")
    logged_in(rig, b, op.answer(b, one), "/a")
    # a browser keeps some, and drops the oldest
    many_of = []
    for _ in range(9):  # which is the oldest, a millisecond says
        time.sleep(0.003)
        many_of.append(op.begin(b))
    rig.eq(len([k for k in b.jar if "rdtx" in k]), 6)
    refused(rig, op.answer(b, many_of[0]), "txn.cookie", "txn_cookie")
    logged_in(rig, b, op.answer(b, many_of[8]))


@test
def next_is_ours(rig):
    op, b = oidc(rig), Browser(rig)
    for bad in ("//evil.example", "https://evil.example", "/\\evil.example",
                "/auth/oidc/corp/login", "/a//b", "/../x", "/%2f%2fevil",
                "javascript:alert(1)", "/a b", "/\r\nX: y", ""):
        asked = op.begin(b, "?" + urllib.parse.urlencode({"next": bad}))
        logged_in(rig, b, op.answer(b, asked), "/")


# ---- SAML's own ----

@test
def saml_answers(rig):
    idp, other, b = saml(rig), saml(rig, "plant"), Browser(rig)
    asked = idp.begin(b)
    # an answer to nobody's question, or to another's
    refused(rig, idp.post(b, asked, idp.response("_" + "0" * 40)), "saml.request")
    refused(rig, idp.post(b, asked, idp.response(None)), "saml.request")
    # for another recipient, for another audience
    refused(rig, idp.post(b, asked, idp.response(
        asked["id"], acs=other.acs)), "saml.destination")
    refused(rig, idp.post(b, asked, idp.response(
        asked["id"], audience=other.sp)), "saml.audience")
    # of the other provider
    refused(rig, idp.post(b, asked, other.response(
        asked["id"], acs=idp.acs, audience=idp.sp)), "saml.issuer")
    # changed after it was signed
    good = idp.response(asked["id"])
    refused(rig, idp.post(b, asked, good.replace(">alice<", ">admin<")),
            "saml.digest")
    # no RelayState, no base64, no XML
    a = b.post(idp.base + "/acs", {
        "SAMLResponse": base64.b64encode(good.encode()).decode()})
    refused(rig, a, "saml.unsolicited")
    refused(rig, b.post(idp.base + "/acs", {
        "RelayState": asked["RelayState"], "SAMLResponse": "%%%"}),
        "saml.encoding")
    refused(rig, idp.post(b, asked, "<!DOCTYPE x>" + good), "saml.lexical")
    refused(rig, idp.post(Browser(rig), asked, good), "txn.cookie",
            "txn_cookie")
    logged_in(rig, b, idp.post(b, asked, good))


@test
def unasked(rig):
    """Logins that nobody asked for: only where that is allowed."""
    idp, b = saml(rig, "portal", allow_idp_initiated=True), Browser(rig)

    def post(xml, relay=None):
        body = {"SAMLResponse": base64.b64encode(xml.encode()).decode()}
        if relay is not None:
            body["RelayState"] = relay
        return b.post(idp.base + "/acs", body)
    xml = idp.response(None)
    logged_in(rig, b, post(xml))
    refused(rig, post(xml), "answer.replay")
    # whatever the provider sends along leads nowhere
    logged_in(rig, b, post(idp.response(None), "https://evil.example/"))
    # it does not get one past the check of those that were asked for
    asked = idp.begin(b)
    refused(rig, idp.post(b, asked, idp.response(None)), "saml.request")
    refused(rig, post(idp.response("_" + "0" * 40)), "saml.request")


@test
def saml_logout(rig):
    idp, b, c = saml(rig), Browser(rig), Browser(rig)
    logged_in(rig, b, idp.login(b, "carol", session="s1"))
    logged_in(rig, c, idp.login(c, "carol", session="s2"))
    # by somebody else, or changed
    for url in (idp.logout_url("carol", "s1", key=Key(rig.dir, "evil")),
                idp.logout_url("carol", "s1").replace("Signature=", "Sig="),
                idp.logout_url("carol", "s1").replace(
                    "SAMLRequest=", "RelayState=x&SAMLRequest=")):
        a = c.get(url)
        rig.check(a.status in (400, 403), repr(a))
    rig.ok(b.whoami(), 200)
    # the one session, not the other
    url = idp.logout_url("carol", "s1", id="_once")
    a = rig.ok(Browser(rig).get(url), 303)
    rig.check(a.headers["location"].startswith(idp.entity + "/slo?"), a)
    rig.check("SAMLResponse" in query_of(a), query_of(a))
    rig.ok(b.whoami(), 401)
    rig.ok(c.whoami(), 200)
    rig.check(Browser(rig).get(url).status in (400, 403), "replayed")
    # by form: signed inside
    refused(rig, idp.logout_post(Browser(rig), "carol", "s2", sign=False),
            "saml.unsigned", action="auth.logout")
    rig.ok(c.whoami(), 200)
    a = rig.ok(idp.logout_post(Browser(rig), "carol", "s2"), 303)
    rig.eq(query_of(a)["RelayState"], "r")
    rig.ok(c.whoami(), 401)


# ---- OpenID's logout ----

@test
def backchannel_logout(rig):
    op, b, c = oidc(rig), Browser(rig), Browser(rig)
    logged_in(rig, b, op.login(b, "dave", sid="one"))
    logged_in(rig, c, op.login(c, "dave", sid="two"))
    url = op.base + "/backchannel-logout"

    def token(header={"typ": "logout+jwt"}, **change):
        now = int(time.time())
        t = {"iss": op.issuer, "aud": "redoubt", "iat": now, "exp": now + 120,
             "jti": str(time.time_ns()), "sid": "one", "events": {
                 "http://schemas.openid.net/event/backchannel-logout": {}}}
        t.update(change)
        return op.token({k: v for k, v in t.items() if v is not None}, header)
    for bad in (token(nonce="n"), token(events={}), token(aud="x"),
                token(iss="https://x"), token(sid=None), token(jti=None),
                token(header={"typ": "JWT", "alg": "none"}), "x",
                op.token(op.claims({"nonce": "n"}))):
        rig.ok(Browser(rig).post(url, {"logout_token": bad}), 400)
    rig.ok(Browser(rig).post(url, {}), 400)
    rig.ok(b.whoami(), 200)
    good = token()
    a = rig.ok(Browser(rig).post(url, {"logout_token": good}), 200)
    rig.eq(a.headers["cache-control"], "no-store")
    rig.ok(b.whoami(), 401)
    rig.ok(c.whoami(), 200)
    rig.ok(Browser(rig).post(url, {"logout_token": good}), 400)
    rig.ok(Browser(rig).post(url, {"logout_token": token(
        sid=None, sub="dave")}), 200)
    rig.ok(c.whoami(), 401)


# ---- who is who ----

@test
def linking(rig):
    op, b = oidc(rig, "linked", jit=False), Browser(rig)
    refused(rig, op.login(b, "erin"), "account.unknown", "no_account")
    user = rig.ok(rig.post("/v1/users", {
        "email": "erin@example.org", "name": "Erin"}), 201).json
    # not by the e-mail address
    refused(rig, op.login(b, "erin"), "account.unknown", "no_account")
    path = f"/v1/users/{user['id']}/identities"
    link = rig.ok(rig.post(path, {"identity_provider": op.id,
                                  "subject": "erin"}), 201).json
    rig.eq(link["issuer"], op.issuer)
    rig.ok(rig.post(path, {"identity_provider": op.id, "subject": "erin"}),
           409)
    rig.eq(logged_in(rig, b, op.login(b, "erin"))["id"], user["id"])
    rig.eq(len(rig.ok(rig.get(path), 200).json["items"]), 1)
    # disabled: told only to who has proved to be it
    rig.ok(rig.patch("/v1/users/" + user["id"], {"disabled": True}), 200)
    rig.ok(b.whoami(), 401)
    refused(rig, op.login(b, "erin"), "account.disabled", "account_disabled")
    rig.ok(rig.patch("/v1/users/" + user["id"], {"disabled": False}), 200)
    logged_in(rig, b, op.login(b, "erin"))
    rig.ok(rig.delete(f"{path}/{link['id']}"), 204)
    rig.ok(b.whoami(), 401)
    refused(rig, op.login(b, "erin"), "account.unknown", "no_account")


@test
def linking_is_granting(rig):
    """Who ties an identity to somebody can become them."""
    op = oidc(rig)
    admin = rig.ok(rig.get("/v1/whoami"), 200).json["id"]
    rig.ok(rig.post("/v1/roles", {
        "name": "clerk", "permissions": ["user.view", "user.edit", "idp.view",
                                         "idp.edit"]}), 201)
    _, clerk = rig.make_account("clerk")
    rig.ok(clerk.post(f"/v1/users/{admin}/identities", {
        "identity_provider": op.id, "subject": "clerk"}), 403)
    # nor by what a provider of theirs is believed
    rig.ok(rig.post(f"/v1/users/{admin}/identities", {
        "identity_provider": op.id, "subject": "root"}), 201)
    path = "/v1/identity-providers/" + op.id
    config = {"issuer": op.issuer, "client_id": "redoubt",
              "authorization_endpoint": op.issuer + "/auth",
              "groups_claim": "groups", "jit": True}
    rig.ok(clerk.patch(path, {"config": {
        **config, "jwks": {"keys": [Key(rig.dir, "mine").jwk]}}}), 403)
    rig.ok(clerk.patch(path, {"config": {**config, "issuer":
                                         "https://mine.example"}}), 403)
    # to map a group is to let people into it
    group = rig.ok(rig.post("/v1/groups", {"name": "rulers"}), 201).json["id"]
    rig.bind("group", group, "org_admin")
    rig.ok(clerk.patch(path, {"config": {
        **config, "group_map": [{"value": "x", "group": group}]}}), 403)
    # what is no such change is theirs to make
    rig.ok(clerk.patch(path, {"config": {**config, "scopes": ["openid"]}}),
           200)
    rig.ok(rig.patch(path, {"config": config}), 200)


@test
def groups(rig):
    g = {n: rig.ok(rig.post("/v1/groups", {"name": n}), 201).json["id"]
         for n in ("ops", "sre", "byhand")}
    rig.bind("group", g["ops"], "responder")
    gm = [{"value": "ops", "group": g["ops"]},
          {"value": "sre", "group": g["sre"]},
          {"value": "byhand", "group": g["byhand"]}]
    op = oidc(rig, "grouped", group_map=gm)
    b = Browser(rig)

    def members(n):
        return {m["id"] for m in rig.ok(rig.get(
            "/v1/groups/" + g[n]), 200).json["members"]}
    # nothing but what is mapped
    me = logged_in(rig, b, op.login(b, "frank", groups=["unmapped"]))["id"]
    rig.ok(b.get(rig.p + "/incidents"), 404)
    logged_in(rig, b, op.login(b, "frank", groups=["ops", "sre", "x"]))
    rig.ok(b.get(rig.p + "/incidents"), 200)
    rig.check(me in members("ops") and me in members("sre"), "joined")
    # replaced by the next login
    logged_in(rig, b, op.login(b, "frank", groups=["sre"]))
    rig.check(me not in members("ops") and me in members("sre"), "left")
    rig.ok(b.get(rig.p + "/incidents"), 404)
    # what somebody gave by hand stays
    rig.ok(rig.patch("/v1/groups/" + g["byhand"], {
        "members": [{"kind": "user", "id": me}]}), 200)
    logged_in(rig, b, op.login(b, "frank", groups=["sre", "byhand"]))
    logged_in(rig, b, op.login(b, "frank", groups=[]))
    rig.check(me in members("byhand") and me not in members("sre"), "by hand")
    # no longer mapped: gone at once
    logged_in(rig, b, op.login(b, "frank", groups=["ops", "sre"]))
    rig.ok(rig.patch("/v1/identity-providers/" + op.id, {"config": {
        "issuer": op.issuer, "authorization_endpoint": op.issuer + "/auth",
        "client_id": "redoubt", "groups_claim": "groups", "jit": True,
        "group_map": gm[1:]}}), 200)
    rig.check(me not in members("ops") and me in members("sre"), "unmapped")
    # what an overage marker stands in for is not "no groups"
    asked = op.begin(b)
    refused(rig, op.answer(b, asked, "frank", _claim_names={"groups": "src1"},
                           _claim_sources={"src1": {}}), "oidc.overage")
    # the provider goes: so do its sessions, identities and memberships
    rig.ok(b.whoami(), 200)
    rig.ok(rig.delete("/v1/identity-providers/" + op.id), 204)
    rig.ok(b.whoami(), 401)
    rig.check(me not in members("sre"), "removed")
    rig.eq(rig.get(f"/v1/users/{me}/identities").json["items"], [])
    rig.ok(b.get(op.base + "/login"), 404)


@test
def disabled_provider(rig):
    op, b = oidc(rig, "paused"), Browser(rig)
    logged_in(rig, b, op.login(b))
    asked = op.begin(b)
    path = "/v1/identity-providers/" + op.id
    rig.eq(rig.ok(rig.patch(path, {"enabled": False}), 200).json["enabled"],
           False)
    rig.ok(b.whoami(), 401)
    rig.ok(b.get(op.base + "/login"), 404)
    rig.ok(op.answer(b, asked), 404)
    rig.ok(rig.patch(path, {"enabled": True}), 200)
    logged_in(rig, b, op.login(b))


@test
def step_up(rig):
    """?reauth=1 asks the provider for a new proof, and takes no old one."""
    op, b, now = oidc(rig), Browser(rig), int(time.time())
    me = logged_in(rig, b, op.login(b, auth_time=now - 7200))
    old = dict(b.jar)
    asked = op.begin(b, "?reauth=1")
    rig.eq((asked["prompt"], asked["max_age"]), ("login", "0"))
    refused(rig, op.answer(b, asked, auth_time=now - 7200), "oidc.auth_time")
    asked = op.begin(b, "?reauth=1")
    rig.eq(logged_in(rig, b, op.answer(
        b, asked, auth_time=int(time.time())))["id"], me["id"])
    was = Browser(rig)
    was.jar = {"__Host-redoubt": old["__Host-redoubt"]}
    rig.ok(was.whoami(), 401)
    idp = saml(rig)
    asked = idp.begin(b, "?reauth=1")
    rig.check('ForceAuthn="true"' in asked["request"], asked["request"])


# ---- access tokens ----

@test
def access_tokens(rig):
    key, other = Key(rig.dir, "as"), Key(rig.dir, "as2")
    iss, aud = "https://as.example.org", "https://redoubt.example.org"
    idp = rig.ok(rig.post("/v1/identity-providers", {
        "name": "as", "kind": "oauth", "config": {
            "issuer": iss, "audience": aud,
            "jwks": {"keys": [key.jwk]}}}), 201).json["id"]
    account, _ = rig.make_account("responder", rig.project)
    rig.ok(rig.post(f"/v1/service-accounts/{account}/identities", {
        "identity_provider": idp, "subject": "build-17"}), 201)
    signer = Oidc.__new__(Oidc)
    signer.key = key

    def client(header=None, by=None, **change):
        now = int(time.time())
        c = {"iss": iss, "aud": aud, "sub": "build-17", "iat": now,
             "exp": now + 600, "jti": "j", "client_id": "ci",
             "scope": "incident.view project.view"}
        c.update(change)
        return rig.client(signer.token(
            {k: v for k, v in c.items() if v is not None},
            {"typ": "at+jwt", **(header or {})}, by))
    me = rig.ok(client().get("/v1/whoami"), 200).json
    rig.eq((me["kind"], me["id"]), ("service_account", account))
    rig.ok(client().get(rig.p + "/incidents"), 200)
    # within its scope, and within what the account may
    rig.ok(client().post(rig.p + "/incidents", {"title": "x"}), 403)
    rig.ok(client(scope="incident.create project.view").post(
        rig.p + "/incidents", {"title": "x"}), 201)
    rig.ok(client(scope=None).get(rig.p + "/incidents"), 404)
    rig.ok(client(scope="user.view *").get("/v1/users"), 403)

    def refused_as(c, reason):
        a = rig.ok(c.get("/v1/whoami"), 401)
        rig.check(reason not in a.body.decode(), "it says why")
        e = rig.get("/v1/audit?action=auth.failed&order=desc&limit=1").json
        rig.eq(json.loads(e["items"][0]["leaf"])["reason"], reason)
    now = int(time.time())
    for c, reason in (
            (client(sub="build-18"), "unknown"),
            (client(iss="https://other.example"), "oidc.iss"),
            (client(aud="https://other.example"), "oidc.aud"),
            (client(exp=now - 100, iat=now - 200), "oidc.exp"),
            (client(exp=now + 7200), "at.life"),
            (client(client_id=None), "at.client_id"),
            (client(by=other), "jwt.sig"),
            (client({"typ": "JWT"}), "jwt.typ"),
            (client({"alg": "none"}), "jwt.alg"),
            (client({"kid": "x"}), "jwt.kid"),
            (rig.client("a.b.c"), "oidc.iss")):
        refused_as(c, reason)
    # a login's token is none of these, and these are no login's
    op = oidc(rig)
    b = Browser(rig)
    refused_as(rig.client(op.token(op.claims(op.begin(b)))), "oidc.iss")
    # it is linked by hand only, and programs are linked to nothing else
    rig.ok(rig.post(f"/v1/service-accounts/{account}/identities", {
        "identity_provider": op.id, "subject": "x"}), 400)
    rig.ok(b.get("/auth/oidc/as/login"), 404)
    path = "/v1/identity-providers/" + idp
    good = client()
    rig.ok(rig.patch(path, {"enabled": False}), 200)
    refused_as(good, "oidc.iss")
    rig.ok(rig.patch(path, {"enabled": True}), 200)
    rig.ok(good.get("/v1/whoami"), 200)
    rig.ok(rig.patch(f"/v1/service-accounts/{account}", {"disabled": True}),
           200)
    refused_as(good, "owner")


# ---- what a login page offers ----

@test
def methods_without_a_credential(rig):
    """How one can log in, and nothing else of the organization."""
    saml(rig), oidc(rig)
    c = rig.client(None)
    m = rig.ok(c.get("/auth/methods"), 200).json
    rig.eq(set(m), {"password", "passkeys", "break_glass", "providers",
                    "notice"})
    rig.eq((m["password"], m["passkeys"], m["break_glass"], m["notice"]),
           (True, True, False, None))
    of = {p["name"]: p for p in m["providers"]}
    rig.eq((of["works"]["login"], of["works"]["kind"]),
           ("/auth/saml/works/login", "saml"))
    rig.eq((of["corp"]["login"], of["corp"]["kind"]),
           ("/auth/oidc/corp/login", "oidc-direct"))
    for p in m["providers"]:
        rig.eq(set(p), {"id", "kind", "name", "login"})
        rig.check(p["kind"] != "oauth", "programs do not log in there")
        a = c.get(p["login"])
        rig.check(a.status in (302, 303, 200), f"{p}: {a!r}")
    # those that are off are not there
    off = "/v1/identity-providers/" + of["corp"]["id"]
    rig.ok(rig.patch(off, {"enabled": False}), 200)
    rig.eq("corp" in {p["name"] for p in rig.ok(
        c.get("/auth/methods"), 200).json["providers"]}, False)
    rig.ok(rig.patch(off, {"enabled": True}), 200)
    for policy, want in (({"sso_only": True}, (False, False, True)),
                         ({"local_login": False}, (False, False, False)),
                         ({"sso_only": False, "local_login": True},
                          (True, True, False))):
        rig.ok(rig.put("/v1/policy", policy), 200)
        m = c.get("/auth/methods").json
        rig.eq((m["password"], m["passkeys"], m["break_glass"]), want)
    rig.ok(c.get("/auth/methods?x=1"), 400)


# ---- what an administrator may write ----

@test
def configs(rig):
    key = oidc(rig).key
    good = {"issuer": "https://x.example", "client_id": "c", "jwks":
            {"keys": [key.jwk]}, "authorization_endpoint": "https://x.example"}
    path = "/v1/identity-providers"

    def post(kind, config, name="tried"):
        return rig.post(path, {"name": name, "kind": kind, "config": config})
    for change, code in (
            ({"what": 1}, "unknown_member"), ({"issuer": None}, "missing"),
            ({"issuer": "http://x.example"}, "invalid"),
            ({"issuer": "https://u@x.example"}, "invalid"),
            ({"client_id": ""}, "invalid"), ({"client_id": "a\nb"}, "invalid"),
            ({"jwks": {"keys": []}}, "invalid"),
            ({"jwks": {"keys": [{**key.jwk, "d": "AQAB"}]}}, "invalid"),
            ({"algorithms": ["none"]}, "invalid"),
            ({"algorithms": ["HS256"]}, "invalid"),
            ({"group_map": [{"value": "x"}]}, "invalid"),
            ({"group_map": [{"value": "x", "group":
                             "01a21120-eb10-77a2-8ef6-7a4e14fd62d4"}]},
             "invalid"),
            ({"group_map": [{"value": "x", "group": "x"}] * 101}, "invalid"),
            ({"jit": "yes"}, "invalid"), ({"metadata": "<x/>"},
                                          "unknown_member")):
        rig.ok(post("oidc-direct", {**good, **change}), 400, code)
    rig.ok(post("oidc-direct", {**good, "entity_id": "x"}), 400,
           "unknown_member")
    rig.ok(post("ldap", good), 400, "invalid")
    rig.ok(post("oidc-code", {k: v for k, v in good.items() if k != "jwks"},
                "not a name of idp.conf"), 400, "invalid")
    doc = saml(rig).metadata()
    for config, code in (
            ({}, "missing"), ({"metadata": "<x/>"}, "invalid"),
            ({"metadata": doc.replace("IDPSSO", "SPSSO")}, "invalid"),
            ({"metadata": "<!DOCTYPE x>" + doc}, "invalid"),
            ({"metadata": doc, "sp_key": "x"}, "unknown_member"),
            ({"metadata": doc, "allow_sha1_until": "2099-01-01T00:00:00Z"},
             "invalid")):
        rig.ok(post("saml", config), 400, code)
    rig.ok(post("oidc-direct", good, "corp"), 409, "exists")
    # the private key towards a provider is shown nowhere
    made = rig.ok(post("saml", {"metadata": doc}, "shown"), 201)
    again = rig.ok(rig.get(path + "/" + made.json["id"]), 200)
    for a in (made, again, rig.get(path)):
        rig.check("sp_key" not in a.body.decode(), "sp_key is shown")
    rig.eq(again.json["config"]["entity_id"], saml(rig).entity)
    rig.eq(len(again.json["fingerprints"]), 1)
    # a change keeps the document and the key
    sp = again.json["config"]["sp_certificate"]
    a = rig.ok(rig.patch(path + "/" + made.json["id"], {
        "config": {"jit": True}}, headers={"If-Match": '"1"'}), 200).json
    rig.eq((a["config"]["sp_certificate"], a["config"]["jit"]), (sp, True))
    rig.ok(rig.patch(path + "/" + made.json["id"], {"enabled": False},
                     headers={"If-Match": '"1"'}), 412)
    rig.ok(rig.delete(path + "/" + made.json["id"]), 204)
    rig.ok(rig.get(path + "/" + made.json["id"]), 404)


@test
def command_line(rig):
    doc = saml(rig).metadata()
    p = rig.user_cli("idp", "create", "byhand", "--kind", "saml",
                     "--metadata", "-", "--jit", "true", input=doc)
    rig.eq(p.returncode, 0, p.stderr)
    p = rig.user_cli("idp", "list", "--json")
    one = [i for i in json.loads(p.stdout)["items"] if i["name"] == "byhand"]
    rig.eq(len(one), 1, p.stdout)
    for argv in (["idp", "show", one[0]["id"]],
                 ["idp", "update", one[0]["id"], "--enabled", "false"],
                 ["idp", "rm", one[0]["id"]]):
        p = rig.user_cli(*argv)
        rig.eq(p.returncode, 0, f"{argv}: {p.stderr}")


run()
