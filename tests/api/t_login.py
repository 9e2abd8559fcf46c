#!/usr/bin/env python3
"""
Local accounts: passwords, and what is refused.  Every refusal of a login is the
same answer; why is in the audit log.
"""
import json
import re
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from browser import (GOOD, OTHER, Browser, at_once,  # noqa: E402
                     last, make_user, same_refusal)
from rig import SANITIZED, run, test  # noqa: E402


@test
def bootstrap(rig):
    """The administrator's token sets the first password."""
    rig.eq(rig.get("/v1/me/credentials").json["items"], [])
    a = rig.ok(rig.post("/v1/me/password", {"new": GOOD}), 200).json
    rig.eq((a["kind"], a["name"]), ("password", "password"))
    rig.check("phc" not in a and "data" not in a, f"{a}")
    rig.eq(last(rig, "credential.password")["outcome"], "ok")
    b = Browser(rig)
    a = rig.ok(b.login("admin@localhost", GOOD), 200)
    rig.check(re.fullmatch(r"__Host-redoubt=[\w-]{43}; Path=/; Secure; "
                           r"HttpOnly; SameSite=Lax",
                           a.headers["set-cookie"]), "cookie")
    rig.eq(a.json["session"]["method"], "password")
    rig.eq(a.json["session"]["address"], b.address)
    leaf = last(rig)
    rig.eq((leaf["outcome"], leaf["principal"]["kind"]), ("ok", "user"))
    w = rig.ok(b.get("/v1/whoami"), 200).json
    rig.eq((w["kind"], w["csrf"]), ("user", b.csrf))
    rig.ok(b.post("/v1/logout"), 204)
    rig.ok(b.get("/v1/whoami"), 401)


@test
def refusals(rig):
    email, _, _ = make_user(rig)
    nobody, _, _ = make_user(rig, None)
    gone, u, _ = make_user(rig)
    rig.ok(rig.patch(f"/v1/users/{u}", {"disabled": True}), 200)
    for who, password, why in (
            (email, "wrong", "wrong_password"),
            (email, GOOD + " ", "wrong_password"),
            (email, GOOD[:-1], "wrong_password"),
            (nobody, GOOD, "no_password"),
            (gone, GOOD, "owner"),
            (gone, "wrong", "wrong_password"),
            ("unknown@login.example", GOOD, "unknown"),
            ("x" + email, GOOD, "unknown")):
        same_refusal(rig, Browser(rig).login(who, password), why)
    for password in (GOOD.upper(), GOOD + "\0", "\0" + GOOD,
                     "' OR '1'='1", GOOD.replace("o", "\u043e")):
        e, _, _ = make_user(rig)
        same_refusal(rig, Browser(rig).login(e, password), "wrong_password")
    b = Browser(rig)
    for body in ({}, {"email": email}, {"password": GOOD},
                 {"email": email, "password": ""},
                 {"email": "", "password": GOOD},
                 {"email": email, "password": None},
                 {"email": email, "password": 1},
                 {"email": email, "password": [GOOD]},
                 {"email": [email], "password": GOOD},
                 {"email": email, "password": "x" * 513},
                 {"email": email, "password": GOOD, "user": "x"},
                 {"email": email, "password": GOOD, "webauthn": []},
                 {"email": email, "password": GOOD, "totp": 123456}):
        rig.ok(b.post("/v1/login", body), 400)
    form = f"email={email}&password={GOOD}"
    rig.ok(b.request("POST", "/v1/login", form, raw=True, headers={
        "Content-Type": "application/x-www-form-urlencoded"}), 415)
    rig.ok(Browser(rig).login(email, GOOD), 200)
    # who has no second factor cannot have shown one
    for more, why in (({"totp": "000000"}, "totp"), ({"totp": "x"}, "totp"),
                      ({"webauthn": {}}, "webauthn_malformed"),
                      ({"totp": "0", "webauthn": {}}, "two_second_factors"),
                      ({"totp": "AAAA-AAAA-AAAA-AAAA"}, "recovery_code")):
        same_refusal(rig, Browser(rig).login(make_user(rig)[0], GOOD, **more),
                     why)


@test
def what_may_be_a_password(rig):
    email, _, c = make_user(rig, None)
    for bad in ("", "short", "k8#vQz!m2Lx", "k8#vQz!m2LxR" * 11,
                "password1234", "P@ssw0rd2026", "qwertyuiop12",
                "aaaaaaaaaaaa", "123456789012", "redoubt-2026!",
                email.split("@")[0] + "-7k#", "login.example"):
        rig.ok(c.post("/v1/me/password", {"new": bad}), 400)
    rig.ok(c.post("/v1/me/password", {}), 400, "missing")
    rig.eq(c.get("/v1/me/credentials").json["items"], [])
    for good in ("k8#vQz!m2LxR", "x" * 5 + "yz" + "\0" * 3 + "ab",
                 "zgkwpvhqtmcx", "пароль-надёжный", "\U0001f600\U0001f601"
                 "\U0001f602\U0001f603\U0001f604\U0001f605" * 2,
                 "k8#vQz!m" * 15 + "k8#vQz!n"):
        rig.ok(c.post("/v1/me/password", {"new": good}), 200)
        rig.ok(Browser(rig).login(email, good), 200)
    rig.eq(len(c.get("/v1/me/credentials").json["items"]), 1)


@test
def changing_it(rig):
    email, _, _ = make_user(rig)
    a, b = Browser(rig), Browser(rig)
    rig.ok(a.login(email, GOOD), 200)
    rig.ok(b.login(email, GOOD), 200)
    new = {"new": OTHER, "current": GOOD}
    rig.ok(a.post("/v1/me/password", {"new": OTHER}), 400, "missing")
    rig.ok(a.post("/v1/me/password", {"new": OTHER, "current": "no"}), 403)
    rig.eq(last(rig, "credential.password")["reason"], "wrong_password")
    for headers in ({"X-Redoubt-CSRF": None}, {"Origin": "https://evil"},
                    {"X-Redoubt-CSRF": "A" * 43}, {"Origin": None}):
        rig.ok(a.post("/v1/me/password", new, headers=headers), 403, "csrf")
    rig.ok(b.get("/v1/whoami"), 200)
    rig.ok(a.post("/v1/me/password", new), 200)
    rig.ok(a.get("/v1/whoami"), 200)
    rig.ok(b.get("/v1/whoami"), 401)  # the others have ended
    same_refusal(rig, Browser(rig).login(email, GOOD), "wrong_password")
    rig.ok(Browser(rig).login(email, OTHER), 200)


def posture(rig):
    return {i["check"]: i for i in rig.get("/v1/posture").json["items"]}


@test
def as_posture_sees_it(rig):
    """A password alone is a finding; so is nobody to ask in an emergency."""
    email, u, _ = make_user(rig)
    p = posture(rig)
    rig.check(not p["second_factors"]["ok"] and
              "no second factor" in p["second_factors"]["detail"], f"{p}")
    rig.ok(rig.patch(f"/v1/users/{u}", {"break_glass": True}), 200)
    rig.check(posture(rig)["break_glass_users"]["ok"], "one")
    rig.ok(Browser(rig).login(email, GOOD), 200)
    n = posture(rig)["bootstrap_token"]["detail"]
    rig.ok(rig.post(f"/v1/users/{u}/enrolment"), 201)  # may do nothing else
    rig.eq(posture(rig)["bootstrap_token"]["detail"], n)


@test
def throttling(rig):
    email, _, _ = make_user(rig)
    got = at_once(9, lambda i: Browser(rig).login(email, "wrong"))
    rig.eq(sorted(a.status for a in got), [401] * 5 + [429] * 4)
    after = {"1", "2"} if SANITIZED else {"1"}  # slow: two periods at most
    for a in got:
        rig.check(a.status != 429 or (a.code == "rate_limited" and
                  a.headers["retry-after"] in after), f"{a}")
    rig.check(any(json.loads(i["leaf"]).get("reason") == "throttled"
                  for i in rig.get("/v1/audit?limit=20&order=desc&"
                                   "action=session.login").json["items"]),
              "on record")
    rig.ok(Browser(rig).login(make_user(rig)[0], GOOD), 200)  # others are not
    time.sleep(1.1)
    rig.ok(Browser(rig).login(email, "wrong"), 401)
    a = rig.ok(Browser(rig).login(email.upper(), GOOD), 429)
    rig.eq(a.headers["retry-after"], "2")
    time.sleep(2.1)
    rig.ok(Browser(rig).login(email, GOOD), 200)  # never for good
    for _ in range(5):
        rig.ok(Browser(rig).login(email, "wrong"), 401)
    # nobody's account waits like somebody's
    got = at_once(9, lambda i: Browser(rig).login("no@login.example", GOOD))
    rig.eq(sorted(a.status for a in got), [401] * 5 + [429] * 4)
    # an address has ten; in the time they take it may get one or two more
    b, n = Browser(rig), 0
    while n < 15 and (a := b.login(f"u{n}@login.example", GOOD)).status == 401:
        n += 1
    rig.ok(a, 429)
    rig.check(10 <= n < 13, f"{n} attempts")
    rig.check(1 <= int(a.headers["retry-after"]) <= 6, "retry-after")
    rig.ok(Browser(rig).login("u@login.example", GOOD), 401)


def took(rig, email):
    b = Browser(rig)
    b.get("/healthz")  # connect
    at = time.perf_counter()
    rig.ok(b.login(email, "wrong password"), 401)
    return time.perf_counter() - at


def differences(rig, known, nobody):
    """Least times: unknown ones and ones without a password, to known.  What
    else the machine does makes a login longer, never shorter."""
    times = {"known": [], "unknown": [], "no password": []}
    for i in range(15):
        times["known"].append(took(rig, known[i % 4]))
        times["unknown"].append(took(rig, f"timing{time.time()}@x.example"))
        times["no password"].append(took(rig, nobody[i % 4]))
    least = {k: min(v) for k, v in times.items()}
    print("# least " + ", ".join(f"{k} {v * 1000:.1f} ms"
                                 for k, v in least.items()))
    return [least[k] / least["known"] - 1 for k in ("unknown", "no password")]


@test
def nobody_takes_as_long(rig):
    known = [make_user(rig)[0] for _ in range(4)]
    nobody = [make_user(rig, None)[0] for _ in range(4)]
    for _ in range(1 if SANITIZED else 4):  # the machine may be busy
        d = differences(rig, known, nobody)
        if max(abs(x) for x in d) < 0.10:
            break
        known = [make_user(rig)[0] for _ in range(4)]
        nobody = [make_user(rig, None)[0] for _ in range(4)]
    rig.check(SANITIZED or max(abs(x) for x in d) < 0.10, f"{d}")


def memory(pid, what):
    text = open(f"/proc/{pid}/status").read()
    return int(re.search(what + r":\s+(\d+) kB", text)[1]) / 1024


@test
def many_at_once(rig):
    """Two hash at a time, 16 wait, the rest is told to come again."""
    email, _, _ = make_user(rig)
    pid = max(rig.pids(), key=lambda p: memory(p, "VmSize"))
    browsers = [Browser(rig) for _ in range(200)]
    at_once(50, lambda i: [b.get("/healthz") for b in browsers[i::50]])
    at_once(10, lambda i: Browser(rig).login("warm@login.example", GOOD))
    idle = memory(pid, "VmRSS")
    with open(f"/proc/{pid}/clear_refs", "w") as f:
        f.write("5")  # the peak counts from here
    got = at_once(200, lambda i: browsers[i].login(
        f"many{i}@login.example", GOOD))
    status = [a.status for a in got]
    peak = memory(pid, "VmHWM")
    print(f"# {status.count(401)} were hashed, {status.count(503)} refused; "
          f"{idle:.0f} MiB, at most {peak:.0f} MiB")
    # the two may not have begun when the queue of 16 is full
    rig.check(status.count(401) >= 16 and status.count(503) > 0, "status")
    rig.eq(status.count(401) + status.count(503), 200)
    rig.check(all(a.headers["retry-after"] for a in got if a.status == 503),
              "retry-after")
    if not SANITIZED:
        rig.check(64 < peak - idle <= 130, f"{peak - idle:.0f} MiB more")
    rig.ok(Browser(rig).login(email, GOOD), 200)


run()
