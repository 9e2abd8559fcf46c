#!/usr/bin/env python3
"""
Sessions over HTTPS: what a browser must show to change anything, in every
combination; that nothing is adopted; that an end is an end, over both
protocols and for open streams.  tests/unit/flow/t_sessions.c has the clock.
"""
import itertools
import json
import socket
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from browser import GOOD, Browser, make_user, now_step, totp  # noqa: E402
from rig import later, run, test  # noqa: E402

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
ORIGINS = ("ours", None, "null", "https://evil.example", "http")
SITES = (None, "same-origin", "none", "same-site", "cross-site")
TOKENS = ("right", None, "another's")
TYPES = ("application/json", "text/plain")


def admin(rig):
    """A browser of somebody who may do everything."""
    email, u, _ = make_user(rig)
    rig.bind("user", u, "org_admin")
    b = Browser(rig)
    rig.ok(b.login(email, GOOD), 200)
    b.email, b.user = email, u
    return b


def bare(b):
    """The same cookie, without what a page adds."""
    c = Browser(b.rig, b.address)
    c.cookie = b.cookie
    return c


def headers(rig, b, other, origin, site, token, kind):
    h = {"Content-Type": kind}
    if origin:
        h["Origin"] = {"ours": rig.url, "http": rig.url.replace(
            "https", "http")}.get(origin, origin)
    if site:
        h["Sec-Fetch-Site"] = site
    if token:
        h["X-Redoubt-CSRF"] = b.csrf if token == "right" else other.csrf
    return h


def target(method, n):
    nothing = "/v1/groups/0190a000-0000-7000-8000-000000000000"
    return {"POST": ("/v1/groups", {"name": f"g{n}"}),
            "PUT": ("/v1/policy", {"review_days": 30}),
            "PATCH": (nothing, {"name": "x"}),
            "DELETE": (nothing, None)}.get(method, ("/v1/groups", None))


def wanted(method, origin, site, token, kind):
    if method in ("GET", "HEAD"):
        return 200
    if method == "OPTIONS":
        return 405
    if origin != "ours" or site in ("same-site", "cross-site") or \
            token != "right":
        return 403
    if method == "DELETE":
        return 404
    if kind != "application/json":
        return 415
    return {"POST": 201, "PUT": 200, "PATCH": 404}[method]


@test
def csrf_matrix(rig):
    b, other = admin(rig), admin(rig)
    c, n, made, wrong = bare(b), 0, 0, []
    for combo in itertools.product(METHODS, ORIGINS, SITES, TOKENS, TYPES):
        method, n = combo[0], n + 1
        path, body = target(method, n)
        a = c.request(method, path, body,
                      headers=headers(rig, b, other, *combo[1:]))
        want = wanted(*combo)
        if a.status != want:
            wrong.append(f"{combo}: {a.status}, want {want}")
        if want == 403 and a.code != "csrf":
            wrong.append(f"{combo}: {a!r}")
        made += want == 201
    rig.eq(wrong[:5], [])
    rig.check(n >= 400, f"{n} combinations")
    rig.eq(len(rig.get("/v1/groups?limit=200").json["items"]), made)
    print(f"# {n} combinations, {made} made something")


@test
def without_the_cookie_nothing_helps(rig):
    b = admin(rig)
    c = Browser(rig)
    for h in ({}, {"Origin": rig.url, "X-Redoubt-CSRF": b.csrf},
              {"Cookie": "__Host-redoubt=" + "A" * 43},
              {"Cookie": "__Secure-redoubt=" + b.cookie.split("=")[1]},
              {"Cookie": "redoubt=" + b.cookie.split("=")[1]},
              {"Cookie": b.cookie + "; " + b.cookie},
              {"Cookie": b.cookie[:-1]},
              {"Cookie": b.cookie + "A"},
              {"Authorization": "Bearer " + b.cookie.split("=")[1]},
              {"X-Redoubt-User": "admin"}):
        rig.ok(c.get("/v1/whoami", headers=h), 401)
    rig.ok(c.get("/v1/whoami", headers={
        "Cookie": b.cookie, "Authorization": "Bearer " + rig.token}), 400)
    rig.ok(bare(b).get("/v1/whoami", headers={
        "Cookie": "theme=dark; " + b.cookie + "; lang=en"}), 200)


@test
def fixation(rig):
    email, _, _ = make_user(rig)
    b = Browser(rig)
    b.cookie = planted = "__Host-redoubt=" + "A" * 43
    rig.ok(b.login(email, GOOD), 200)
    rig.check(b.cookie != planted, "adopted")
    first, csrf = b.cookie, b.csrf
    rig.ok(b.login(email, GOOD), 200)  # again: another, and the old one is dead
    rig.check(b.cookie != first and b.csrf != csrf, "the same")
    rig.ok(Browser(rig).get("/v1/whoami", headers={"Cookie": first}), 401)
    rig.ok(Browser(rig).get("/v1/whoami", headers={"Cookie": planted}), 401)
    rig.eq(len(b.get("/v1/sessions").json["items"]), 1)


@test
def ten_and_no_more(rig):
    email, _, _ = make_user(rig)
    bs = [Browser(rig) for _ in range(11)]
    for b in bs:
        rig.ok(b.login(email, GOOD), 200)
    rig.eq([b.get("/v1/whoami").status for b in bs], [401] + [200] * 10)
    items = bs[5].get("/v1/sessions").json["items"]
    rig.eq((len(items), sum(s["current"] for s in items)), (10, 1))
    rig.check(not any("key" in s or "secret" in s for s in items), "a secret")
    rig.ok(bs[5].delete("/v1/sessions"), 204)
    rig.eq([b.get("/v1/whoami").status for b in bs],
           [401] * 5 + [200] + [401] * 5)


@test
def killed_by_the_command_line(rig):
    b = admin(rig)
    r = rig.user_cli("session", "list", "--user", b.user, "--json")
    s = json.loads(r.stdout)["items"]
    rig.eq([x["method"] for x in s], ["password"])
    r = rig.user_cli("session", "kill", s[0]["id"])
    rig.eq(r.returncode, 0, r.stderr)
    rig.ok(b.get("/v1/whoami"), 401)
    rig.ok(b.login(b.email, GOOD), 200)
    rig.eq(rig.user_cli("session", "kill-all", "--user",
                        b.user).returncode, 0)
    rig.ok(b.get("/v1/whoami"), 401)
    r = rig.user_cli("policy", "set", "--session-idle-minutes", "60")
    rig.eq(r.returncode, 0, r.stderr)
    rig.check("60" in rig.user_cli("policy", "show").stdout, "policy show")


@test
def a_stream_ends_with_its_session(rig):
    b = admin(rig)
    s = rig.raw()
    s.settimeout(10)
    s.sendall(f"GET /v1/events HTTP/1.1\r\nHost: x\r\nCookie: {b.cookie}"
              "\r\n\r\n".encode())
    got = b""
    while b"redoubt" not in got:
        got += s.recv(4096)
    t = time.time()
    rig.ok(b.post("/v1/logout"), 204)
    try:
        while not got.endswith(b"0\r\n\r\n"):
            more = s.recv(4096)
            if not more:
                break
            got += more
    except socket.timeout:
        rig.fail("the stream stays open")
    rig.check(time.time() - t < 3, f"{time.time() - t:.1f} s")


@test
def what_it_made_names_it(rig):
    b = admin(rig)
    sid = b.get("/v1/whoami").json["session"]["id"]
    i = rig.ok(b.post(rig.p + "/incidents", {"title": "x"},
                      headers={"Idempotency-Key": "k"}), 201)
    rig.eq((i.json["source"]["kind"], i.json["source"]["credential"]),
           ("ui", sid))
    again = rig.ok(b.post(rig.p + "/incidents", {"title": "x"},
                          headers={"Idempotency-Key": "k"}), 201)
    rig.eq(again.json["id"], i.json["id"])
    leaf = json.loads(rig.get("/v1/audit?limit=1&order=desc&action="
                              "incident.create").json["items"][0]["leaf"])
    rig.eq((leaf["principal"]["id"], leaf["credential"]), (b.user, sid))
    c = b.get(rig.p + "/incidents?limit=1").json["next"]
    if c:  # a cursor is the person's, not the credential's
        t = rig.client(b.post("/v1/tokens", {
            "name": "t", "scopes": ["*"],
            "expires_at": later(60)}).json["token"])
        rig.ok(t.get(rig.p + f"/incidents?limit=1&cursor={c}"), 200)


@test
def what_a_page_needs_after_a_reload(rig):
    """whoami: everything but secrets."""
    b = admin(rig)
    me = rig.ok(b.get("/v1/whoami"), 200).json
    s = me["session"]
    rig.eq((me["email"], me["csrf"], me["organization"]),
           (b.email, b.csrf, "Redoubt"))
    rig.check(me["version"] and me["name"] is not None, str(me))
    rig.check(s["auth_time"] < s["fresh_until"] <= s["expires_at"] and
              s["auth_time"] < s["idle_at"], str(s))
    rig.eq(me["credentials"], {"password": True, "totp": False,
                               "passkeys": 0, "recovery_codes": False})
    t = rig.ok(b.post("/v1/me/totp", {"name": "phone"}), 201).json
    rig.eq(b.get("/v1/whoami").json["credentials"]["totp"], False)
    rig.ok(b.post("/v1/me/totp/confirm", {
        "code": totp(t["secret"], now_step() - 1)}), 200)
    rig.eq(b.get("/v1/whoami").json["credentials"]["totp"], True)
    # a program has none of it; who cannot see the project, no name of it
    _, p = rig.make_account()
    me = rig.ok(p.get("/v1/whoami"), 200).json
    rig.check("session" not in me and "csrf" not in me and
              "email" not in me and me["organization"] is None, str(me))


@test
def log_in_again_or_may_not(rig):
    """What a page can tell apart by `code`."""
    b = admin(rig)
    _, u, _ = make_user(rig)
    rig.ok(Browser(rig).get("/v1/whoami"), 401, "unauthenticated")
    rig.ok(bare(b).post("/v1/groups", {"name": "x"}), 403, "csrf")
    email, _, _ = make_user(rig)
    plain = Browser(rig)
    rig.ok(plain.login(email, GOOD), 200)
    rig.ok(plain.get("/v1/users"), 403, "forbidden")


@test
def ends_with_the_user(rig):
    b = admin(rig)
    rig.ok(rig.patch("/v1/users/" + b.user, {"disabled": True}), 200)
    rig.ok(b.get("/v1/whoami"), 401)
    rig.ok(rig.patch("/v1/users/" + b.user, {"disabled": False}), 200)
    rig.ok(b.get("/v1/whoami"), 401)  # it does not come back
    rig.ok(b.login(b.email, GOOD), 200)
    rig.ok(rig.delete("/v1/users/" + b.user), 204)
    rig.ok(b.get("/v1/whoami"), 401)


@test
def a_restart_keeps_it(rig):
    b = admin(rig)
    rig.stop()
    rig.start()
    b.close()
    rig.ok(b.get("/v1/whoami"), 200)
    rig.ok(b.post("/v1/logout"), 204)  # and its pages may go on
    rig.ok(b.get("/v1/whoami"), 401)


run()
