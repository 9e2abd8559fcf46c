#!/usr/bin/env python3
"""
Every route with every kind of principal, over HTTP; and every answer leaves its
entry in the audit log, each denial too (auditkit.py).

Routes come from /openapi.json, which the server expands from routes.def; the
permissions of roles from roles.def; so a new route or role is in the matrix by
itself.  What must happen is worked out here, from the permission a route
declares, and not asked of the server.  What is anybody's besides, the files of
the web UI, is no route: t_ui_files.py says that nothing else is.
"""
import re
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from auditkit import Watch  # noqa: E402
from matrix import ANYWHERE, everybody, principals  # noqa: E402
from rig import later, run, test  # noqa: E402


def fill(rig, path, ids):
    path = path.replace("{p}", rig.project)
    return re.sub(r"\{(\w)\}", lambda m: ids.get(m.group(1), "0"), path)


@test
def matrix(rig):
    rig.ok(rig.post("/v1/projects", {"slug": "elsewhere", "name": "E"}), 201)
    who = principals(rig)
    api = rig.get("/openapi.json").json
    ids = {"i": "999999", "a": "0190a000-0000-7000-8000-000000000000",
           "n": "0190a000-0000-7000-8000-000000000000", "s": "1",
           "g": "0190a000-0000-7000-8000-000000000000"}
    time.sleep(2.1)  # now the binding that expires has expired
    ops = [(m.upper(), path, op) for path, ops in api["paths"].items()
           for m, op in ops.items()]

    watch = Watch(rig)

    def ask(w):
        for method, path, op in ops:
            if cell(rig, w, method, path, op, ids) is not None:
                watch.last.refused = refused(w, path, op)
        return len(ops)
    cells = everybody(who, ask)
    seen, actions = watch.judge()
    for what in ("done", "unknown", "forbidden", "hidden"):
        rig.check(seen.get(what, 0) > 100, f"{what}: {seen}")
    rig.check(len(who) >= 9, "principals")
    print(f"# {len(api['paths'])} paths, {len(who)} principals, "
          f"{cells} cells; in the log: {seen}, {len(actions)} actions")


def refused(w, path, op):
    """May it not, for what it holds?  Then that is on record."""
    inside, perm = "{p}" in path, op["x-permission"]
    return op["x-auth"] == "api" and (
        inside and not w.project - ANYWHERE or
        perm not in ("none", "object") and not w.may(perm, inside))


def cell(rig, w, method, path, op, ids):
    perm, body = op["x-permission"], None
    poll = path == "/v1/audit/stream"
    if poll:
        path += "?wait=0"
    elif path.endswith(("/events", "/stream")):
        if not w.anonymous and (perm == "none" or w.may(perm, False)):
            return None  # it stays open; t_stream.py opens it
    if method in ("POST", "PUT", "PATCH"):
        body = {}
    # nothing is really changed: no version is 0
    r = w.client.request(method, fill(rig, path, ids), body,
                         headers={"If-Match": '"0"'})
    at = f"{method} {path} as {w.name}: {r!r}"
    if op["x-auth"] == "login":  # who asks comes out of it: nobody, here
        rig.check(r.status in (400, 401, 403, 404, 415, 429) or
                  r.status == 303 or method == "GET" and r.status == 200, at)
        return r
    if not op["security"]:
        rig.check(r.status == (401 if "/.well-known/" in path else 200), at)
        return r
    if w.anonymous or path.startswith(("/ingest/", "/v1/delegate/")):
        rig.check(r.status == 401 and r.code == "unauthenticated", at)
        return r
    in_project = "{p}" in path
    if in_project and not w.project - ANYWHERE:
        rig.check(r.status == 404, at)
    elif poll:  # a token of some projects has a part of it: t_audit_stream.py
        rig.check(r.status == (200 if w.may("audit.view", False) else 403) or
                  r.status == 200 and "project" in w.name, at)
    elif perm in ("none", "object"):
        rig.check(r.status not in (401, 500, 503), at)
        if method != "GET" and perm == "object" and w.name in (
                "nobody", "responder elsewhere", "agent in project"):
            rig.check(r.status in (400, 403, 404), at)
    elif w.may(perm, in_project):
        rig.check(r.status not in (401, 403, 500, 503), at)
    else:
        rig.check(r.status in (403, 404), at)
    return r


@test
def every_route_declares(rig):
    """L02, seen from outside: only the open ones are open."""
    api = rig.get("/openapi.json").json
    opened = [p for p, ops in api["paths"].items() for o in ops.values()
              if not o["security"] and o["x-auth"] == "open"]
    rig.eq(sorted(opened), ["/.well-known/oauth-protected-resource",
                            "/.well-known/oauth-protected-resource/mcp",
                            "/auth/methods",
                            "/healthz", "/openapi.json", "/readyz"])
    logins = {p for p, ops in api["paths"].items() for o in ops.values()
              if o["x-auth"] == "login"}
    rig.check(all(p.startswith(("/auth/", "/v1/login")) for p in logins),
              f"{logins}")
    for path, ops in api["paths"].items():
        for o in ops.values():
            rig.check(o["x-permission"] and o["x-audit"] and o["x-tier"],
                      path)


@test
def expired_and_revoked(rig):
    a, c = rig.make_account("viewer", rig.project)
    rig.ok(c.get(rig.p + "/incidents"), 200)
    tokens = rig.ok(rig.get("/v1/tokens?owner=" + a), 200).json["items"]
    rig.ok(rig.delete("/v1/tokens/" + tokens[0]["id"]), 204)
    rig.ok(c.get(rig.p + "/incidents"), 401)
    b, d = rig.make_account("viewer", rig.project)
    rig.ok(rig.patch("/v1/service-accounts/" + b, {"disabled": True}), 200)
    rig.ok(d.get(rig.p + "/incidents"), 401)
    rig.ok(rig.post("/v1/tokens", {"name": "x", "scopes": ["*"],
                                   "expires_at": later(-5)}), 400)


run()
