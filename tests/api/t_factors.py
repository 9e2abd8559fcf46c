#!/usr/bin/env python3
"""
Local accounts: second factors, recovery codes, who may enrol, and that nothing
of it is told.
"""
import re
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from browser import (GOOD, Browser, Key, at_once, last, make_totp, make_user,
                     now_step, same_refusal, secrets, totp,
                     unb64)  # noqa: E402
from rig import run, test  # noqa: E402


@test
def who_may_enrol(rig):
    """A token that may less than its owner would give itself the rest."""
    c = rig.client(rig.make_token(("incident.view",)))
    for path, body in (("password", {"new": GOOD}), ("totp", {}),
                       ("totp/confirm", {"code": "000000"}),
                       ("recovery-codes", None), ("webauthn/challenge", None),
                       ("webauthn", {"credential": {}})):
        rig.ok(c.post("/v1/me/" + path, body), 403, "forbidden")
        rig.ok(rig.client(None).post("/v1/me/" + path, body), 401)
    rig.ok(rig.client(rig.make_token()).post("/v1/me/webauthn/challenge"), 200)
    _, account = rig.make_account("org_admin")
    rig.ok(account.post("/v1/me/password", {"new": GOOD}), 403)
    _, u, _ = make_user(rig, None)
    # who may edit users but is no administrator does not become one
    role = rig.ok(rig.post("/v1/roles", {
        "name": "clerk", "permissions": ["user.view", "user.edit"]}), 201)
    _, clerk = rig.make_account(role.json["name"])
    rig.ok(clerk.get(f"/v1/users/{u}/credentials"), 200)
    rig.ok(clerk.post(f"/v1/users/{u}/enrolment"), 403)
    rig.ok(account.post(f"/v1/users/{u}/enrolment"), 201)
    # an enrolment token does nothing else
    t = rig.ok(rig.post(f"/v1/users/{u}/enrolment"), 201).json["token"]
    for path in ("/v1/users", rig.p + "/incidents", "/v1/audit"):
        rig.check(rig.client(t).get(path).status in (403, 404), path)
    rig.ok(rig.client(t).post("/v1/tokens", {
        "name": "x", "scopes": ["*"], "expires_at": "2030-01-01T00:00:00Z"}),
        403)


@test
def codes_of_an_app(rig):
    email, _, c = make_user(rig)
    rig.ok(c.post("/v1/me/totp/confirm", {"code": "000000"}), 409)
    a = rig.ok(c.post("/v1/me/totp", {"name": "phone"}), 201).json
    rig.check(re.fullmatch("[A-Z2-7]{32}", a["secret"]), "secret")
    rig.eq(a["otpauth"], "otpauth://totp/Redoubt:" +
           email.replace("@", "%40") + f"?secret={a['secret']}&issuer=Redoubt")
    rig.ok(Browser(rig).login(email, GOOD), 200)  # does not count yet
    s = now_step()
    for bad in ("000000", "", "abcdef", totp(a["secret"], s + 5)):
        rig.ok(c.post("/v1/me/totp/confirm", {"code": bad}), 400)
    secret = make_totp(rig, c)
    rig.check(secret != a["secret"], "a new one replaces what waited")
    k = [i for i in c.get("/v1/me/credentials").json["items"]
         if i["kind"] == "totp"]
    rig.eq([(i["confirmed"], i["name"]) for i in k], [(True, "phone")])
    b = Browser(rig)
    s = now_step()
    same_refusal(rig, b.login(email, GOOD), "second_factor_missing")
    same_refusal(rig, b.login(email, GOOD, totp=totp(a["secret"], s)), "totp")
    same_refusal(rig, b.login(email, GOOD, totp=totp(secret, s - 5)), "totp")
    same_refusal(rig, b.login(email, "no", totp=totp(secret, s)),
                 "wrong_password")
    rig.ok(b.login(email, GOOD, totp=totp(secret, s)), 200)
    rig.eq(b.get("/v1/whoami").json["session"]["method"], "password+totp")
    same_refusal(rig, Browser(rig).login(email, GOOD, totp=totp(secret, s)),
                 "totp")  # once
    same_refusal(rig, Browser(rig).login(email, GOOD,
                                         totp=totp(secret, s - 1)), "totp")
    rig.ok(Browser(rig).login(email, GOOD, totp=totp(secret, s + 1)), 200)


def sixteen(rig, email, code):
    """16 at once; those before may have made the account wait."""
    status, tries = [], 0
    while 200 not in status and tries < 8:
        time.sleep(tries and 2)
        tries += 1
        status += [a.status for a in at_once(
            16, lambda i: Browser(rig).login(email, GOOD, totp=code))]
    rig.eq(status.count(200), 1)
    rig.check(set(status) <= {200, 401, 429, 503}, f"{status}")


@test
def a_code_is_good_once(rig):
    """16 with the same code, from 16 places: one of them gets in."""
    email, _, c = make_user(rig)
    secret = make_totp(rig, c)
    code = totp(secret, now_step())
    sixteen(rig, email, code)
    codes = rig.ok(c.post("/v1/me/recovery-codes"), 201).json["codes"]
    sixteen(rig, email, codes[0])


@test
def recovery(rig):
    email, _, c = make_user(rig)
    make_totp(rig, c)
    key = {"Idempotency-Key": "codes"}
    a = rig.ok(c.post("/v1/me/recovery-codes", headers=key), 201).json
    again = rig.ok(c.post("/v1/me/recovery-codes", headers=key), 201).json
    rig.eq((again["id"], again["codes"]), (a["id"], None))
    codes = a["codes"]
    secrets.extend(codes)
    rig.eq(len(set(codes)), 10)
    rig.check(all(re.fullmatch("([A-Z2-7]{4}-){3}[A-Z2-7]{4}", x)
                  for x in codes), "form")
    b = Browser(rig)
    rig.ok(b.login(email, GOOD, totp=codes[0]), 200)
    rig.eq(b.get("/v1/whoami").json["session"]["method"], "password+recovery")
    same_refusal(rig, Browser(rig).login(email, GOOD, totp=codes[0]),
                 "recovery_code")
    rig.ok(Browser(rig).login(email, GOOD,
                              totp=codes[9].lower().replace("-", "")), 200)
    left = {i["kind"]: i for i in c.get("/v1/me/credentials").json["items"]}
    rig.eq(left["recovery"]["left"], 8)
    # another's
    other, _, d = make_user(rig)
    rig.ok(d.post("/v1/me/recovery-codes"), 201)
    same_refusal(rig, Browser(rig).login(other, GOOD, totp=codes[1]),
                 "recovery_code")
    new = rig.ok(c.post("/v1/me/recovery-codes"), 201).json["codes"]
    secrets.extend(new)
    same_refusal(rig, Browser(rig).login(email, GOOD, totp=codes[1]),
                 "recovery_code")
    rig.ok(Browser(rig).login(email, GOOD, totp=new[1]), 200)


def challenge(rig, b, email, password=GOOD):
    return rig.ok(b.post("/v1/login/challenge",
                         {"email": email, "password": password}), 200).json


@test
def security_keys(rig):
    email, u, c = make_user(rig)
    k = Key(rig)
    o = rig.ok(c.post("/v1/me/webauthn/challenge"), 200).json
    rig.eq((o["rp"]["id"], o["attestation"]), ("127.0.0.1", "none"))
    rig.eq([p["alg"] for p in o["pubKeyCredParams"]], [-7, -8, -257])
    rig.eq(unb64(o["user"]["id"]).hex(), u.replace("-", ""))
    answer = k.create(o)

    def add(credential, who=c):
        return who.post("/v1/me/webauthn", {"name": "blue",
                                            "credential": credential})
    for bad, why in (({}, "webauthn_malformed"),
                     (answer | {"id": "AAAA"}, "webauthn_credential")):
        rig.ok(add(bad), 400)
        rig.eq(last(rig, "credential.webauthn")["reason"], why)
    rig.ok(add(answer), 400)  # its challenge was used by the try before
    rig.eq(last(rig, "credential.webauthn")["reason"], "webauthn_challenge")
    k.origin = "https://evil.example"
    rig.ok(add(k.create(c.post("/v1/me/webauthn/challenge").json)), 400)
    rig.eq(last(rig, "credential.webauthn")["reason"], "webauthn_origin")
    k.origin = rig.url
    _, _, other = make_user(rig)
    rig.ok(add(k.create(other.post("/v1/me/webauthn/challenge").json)), 400)
    rig.eq(last(rig, "credential.webauthn")["reason"], "webauthn_challenge")
    rig.ok(add(k.create(c.post("/v1/me/webauthn/challenge").json)), 201)
    o = c.post("/v1/me/webauthn/challenge").json
    rig.eq([unb64(x["id"]) for x in o["excludeCredentials"]], [k.id])
    rig.ok(add(k.create(o)), 409, "exists")

    b = Browser(rig)
    same_refusal(rig, b.login(email, GOOD), "second_factor_missing")
    a = b.post("/v1/login/challenge", {"email": email, "password": "no"})
    rig.ok(a, 401)
    rig.eq(last(rig, "session.challenge")["reason"], "wrong_password")
    a = b.post("/v1/login/challenge",
               {"email": make_user(rig)[0], "password": GOOD})
    rig.ok(a, 401)
    rig.eq(last(rig, "session.challenge")["reason"], "no_security_key")
    o = challenge(rig, b, email)
    rig.eq([unb64(x["id"]) for x in o["allowCredentials"]], [k.id])
    proof = k.get(o)
    a = rig.ok(b.login(email, GOOD, webauthn=proof), 200)
    rig.eq(a.json["session"]["method"], "password+webauthn")
    b = Browser(rig)
    same_refusal(rig, b.login(email, GOOD, webauthn=proof),
                 "webauthn_challenge")
    k.count -= 2  # a copy of the key that was left behind
    same_refusal(rig, b.login(email, GOOD,
                              webauthn=k.get(challenge(rig, b, email))),
                 "webauthn_counter")
    k.count += 5
    rig.ok(b.login(email, GOOD, webauthn=k.get(challenge(rig, b, email))), 200)
    stranger = Key(rig)
    stranger.id = k.id
    b = Browser(rig)
    email2, _, c2 = make_user(rig)
    rig.ok(add(stranger.create(c2.post("/v1/me/webauthn/challenge").json),
               c2), 201)  # the same id with another user is another key
    same_refusal(rig, b.login(email2, GOOD, webauthn=k.get(
        challenge(rig, b, email2))), "webauthn_signature")
    same_refusal(rig, b.login(email2, GOOD, webauthn=stranger.get(
        challenge(rig, b, email))), "webauthn_challenge")
    rig.ok(Browser(rig).login(email, GOOD, webauthn=k.get(
        challenge(rig, Browser(rig), email))), 200)


@test
def removing(rig):
    email, u, c = make_user(rig)
    secret = make_totp(rig, c)
    a, b = Browser(rig), Browser(rig)
    rig.ok(a.login(email, GOOD, totp=totp(secret, now_step())), 200)
    rig.ok(b.login(email, GOOD, totp=totp(secret, now_step() + 1)), 200)
    ids = {i["kind"]: i["id"] for i in a.get("/v1/me/credentials")
           .json["items"]}
    _, _, d = make_user(rig)
    rig.ok(d.delete("/v1/me/credentials/" + ids["totp"]), 404)
    rig.ok(a.delete("/v1/me/credentials/" + ids["totp"]), 204)
    rig.ok(a.get("/v1/whoami"), 200)
    rig.ok(b.get("/v1/whoami"), 401)
    rig.ok(Browser(rig).login(email, GOOD), 200)
    # by an administrator: all sessions end
    seen = rig.ok(rig.get(f"/v1/users/{u}/credentials"), 200).json["items"]
    rig.eq([i["id"] for i in seen], [ids["password"]])
    at = f"/v1/users/{u}/credentials/{ids['password']}"
    _, viewer = rig.make_account("viewer")
    rig.check(viewer.delete(at).status in (403, 404), "viewer")
    rig.ok(rig.delete("/v1/users/" + rig.get("/v1/whoami").json["id"] +
                      "/credentials/" + ids["password"]), 404)
    rig.ok(rig.delete(at), 204)
    rig.eq(last(rig, "credential.reset")["outcome"], "ok")
    rig.ok(a.get("/v1/whoami"), 401)
    same_refusal(rig, Browser(rig).login(email, GOOD), "no_password")


@test
def nothing_is_told(rig):
    """Seeds, codes and passwords are in no answer, entry, log or file."""
    rig.check(len(secrets) > 20, "secrets")
    text = rig.log_text()
    cursor = ""
    while cursor is not None:
        a = rig.get("/v1/audit?limit=200" + (cursor and "&cursor=" + cursor))
        text += a.body.decode()
        cursor = a.json["next"]
    for u in rig.get("/v1/users?limit=200").json["items"]:
        text += rig.get(f"/v1/users/{u['id']}/credentials").body.decode()
    for s in secrets:
        rig.check(s not in text, f"{s} was told")
    for f in (rig.data / "db").iterdir():
        data = f.read_bytes()
        for s in secrets + ["$argon2id$"]:
            rig.check(s.encode() not in data, f"{s} in {f.name}")


run()
