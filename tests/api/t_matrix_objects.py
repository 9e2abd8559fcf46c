#!/usr/bin/env python3
"""
Every route about an incident, an alert, an integration, a connector or a
secret, with every kind of principal, about one's own, one of another project, a private one, and one out
of one's resource group: who may is answered, who may not is refused, and what
one may not see is not there, whichever way it is named.
"""
import re
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from matrix import (ANYWHERE, ORG, ROLES, Who, everybody,  # noqa: E402
                    principals)
from rig import later, run, test  # noqa: E402

# Bodies that get past the shape; what is not here takes none, or {}.
BODY = {
    ("PATCH", "incidents/{i}"): {"title": "x"},
    ("POST", "transitions"): {"to": "acknowledged"},
    ("POST", "timeline"): {"text": "x"},
    ("PUT", "members"): {"members": [{
        "kind": "user", "id": "0190a000-0000-7000-8000-000000000000"}]},
    ("PATCH", "integrations/{n}"): {"name": "x"},
    ("POST", "test"): {"payload": {}},
    ("PATCH", "connectors/{n}"): {"name": "x"},
    ("POST", "connectors/{n}/approve"): {"digest": "0" * 64},
    ("PATCH", "delegates/{n}"): {"name": "x"},
    ("PATCH", "secrets/{n}"): {"description": "x"},
    ("POST", "secrets/{n}/versions"): {"data": "eA==", "boxes": []},
}
# They would change what the others are asked about.
NOT = ("/promote", "/rotate")
NARROWED = re.compile(
    r"incidents(/\{i\}(/(transitions|timeline|members|alerts))?)?$|"
    r"alerts(/\{a\}(/(acknowledge|resolve))?)?$|"
    r"integrations(/\{n\}(/(test|deliveries))?)?$")


CONNECTOR = {"slug": "vault", "kind": "vault",
             "base": "https://vault.example.net", "actions": ["health"],
             "auth": {"kind": "bearer", "secret": "vault"},
             "delegates": {"labels": {"site": "fra"}},
             "expires_at": later(86400)}


def things(rig):
    """{variable: {name: (values, project it is in, hidden)}}"""
    rig.ok(rig.post("/v1/projects", {"slug": "elsewhere", "name": "E"}), 201)
    there = "/v1/projects/elsewhere"
    out = {"incidents": {}, "alerts": {}, "integrations": {},
           "connectors": {}, "secrets": {}, "delegates": {}}

    def incident(name, at, **kw):
        i = rig.ok(rig.post(at + "/incidents", {"title": name, **kw}),
                   201).json
        forms = [i["id"], f"INC-{i['number']}", str(i["number"])]
        # a number of another project is one of this project, or none
        out["incidents"][name] = forms if at == rig.p else forms[:1]
        return i

    def alert(name, at, incident=None):
        a = rig.ok(rig.post(at + "/alerts", {
            "title": name, "severity": "info", "service": "db"}), 201).json
        if incident:
            rig.ok(rig.post(f"{at}/alerts/{a['id']}/promote",
                            {"incident": incident["id"]}), 200)
        out["alerts"][name] = [a["id"]]
    own = incident("own", rig.p, services=["db"])
    out_of = incident("out of the group", rig.p, services=["web"])
    hidden = incident("private", rig.p, services=["db"], private=True)
    incident("elsewhere", there, services=["db"])
    alert("own", rig.p)
    alert("of own", rig.p, own)
    alert("of private", rig.p, hidden)
    alert("elsewhere", there)
    out["integrations"]["own"] = [rig.make_integration()["id"]]
    out["integrations"]["elsewhere"] = [
        rig.make_integration(project="elsewhere")["id"]]
    for name, at in (("own", rig.p), ("elsewhere", there)):
        c = rig.ok(rig.post(at + "/connectors", CONNECTOR), 201).json
        d = rig.ok(rig.post(at + "/secrets", {
            "name": "db-" + name, "external": {
                "connector": "vault", "path": "kv/data/db",
                "field": "password"}}), 201).json
        out["connectors"][name] = [c["id"]] + [c["slug"]] * (name == "own")
        out["secrets"][name] = [d["id"], d["name"]]
        out["delegates"][name] = [rig.ok(rig.post(
            at + "/delegates", {"name": "d"}), 201).json["id"]]
    rig.hidden, rig.out_of = hidden, out_of
    return out


def more(rig, all_things):
    """A member of the private one; one limited to a group."""
    m, c = rig.make_account("responder", rig.project)
    rig.ok(rig.put(f"{rig.p}/incidents/{rig.hidden['id']}/members", {
        "members": [{"kind": "service_account", "id": m},
                    {"kind": "user",
                     "id": rig.get("/v1/whoami").json["id"]}]}), 200)
    member = Who("member", c, ROLES["responder"])
    member.member = True
    g = rig.ok(rig.post("/v1/resource-groups", {
        "name": "dbs", "types": ["incident", "alert"],
        "services": ["db"]}), 201).json["id"]
    a, _ = rig.make_account()
    rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "service_account", "id": a},
        "role": "project_admin", "project": rig.project,
        "resource_group": g}), 201)
    limited = Who("limited to a group", rig.client(rig.make_token(owner=a)),
                  ROLES["project_admin"])
    limited.limited = True
    admin = Who("administrator and member", rig.client(rig.token),
                org=ROLES["org_admin"])
    admin.member = True
    return [member, limited, admin]


def want(w, perm, path, var, name):
    """The statuses that are right."""
    limited = getattr(w, "limited", False)
    if not w.project - ANYWHERE - ORG:
        return {404}
    if perm not in w.project:
        return {403}
    if limited and not NARROWED.search(path):
        return {403}
    if name == "elsewhere":
        return {404}
    if name in ("private", "of private") and not getattr(w, "member", False):
        return {404}
    if limited and (name == "out of the group" or var == "n"):
        return {404}
    # 412: nothing is changed, as no version is 0
    return {200, 201, 204, 400, 409, 412, 422}


@test
def matrix(rig):
    objects = things(rig)
    who = principals(rig) + more(rig, objects)
    time.sleep(2.1)  # now the binding that expires has expired
    cells = []
    for path, ops in rig.get("/openapi.json").json["paths"].items():
        var = re.search(r"^/v1/projects/\{p\}/([\w-]+)/\{([ian])\}", path)
        for method, op in ops.items():
            if not var or path.endswith(NOT) or var[1] not in objects:
                continue
            for name, forms in objects[var[1]].items():
                cells += [(method.upper(), path, op["x-permission"], var[2],
                           name, form) for form in forms]

    def ask(w):
        for c in cells:
            cell(rig, w, *c)
        return len(cells)
    n = everybody(who, ask)
    rig.check(len(who) >= 20 and n >= 2000, f"{len(who)}, {n}")
    print(f"# {len(who)} principals, {n} requests")


def cell(rig, w, method, path, perm, var, name, form):
    body = None
    if method in ("POST", "PUT", "PATCH"):
        body = next((b for (m, end), b in BODY.items()
                     if m == method and path.endswith(end)), {})
    at = path.replace("{p}", rig.project).replace("{" + var + "}", form)
    r = w.client.request(method, at, body, headers={"If-Match": '"0"'})
    right = {401} if w.anonymous else want(w, perm, path, var, name)
    rig.check(r.status in right,
              f"{method} {path} ({name} as {form}) as {w.name}: {r!r}, "
              f"want {sorted(right)}")


run()
