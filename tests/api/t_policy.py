#!/usr/bin/env python3
"""
Policy tests: a change of roles, bindings, groups or resource groups that
breaks a sentence the organization has written down does not happen.  And
previews: what a change would change, without changing it.
"""
import sys
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import later, run, test  # noqa: E402

TESTS = "/v1/access/policy-tests"
PREVIEW = "/v1/access/preview"


def put(rig, *tests, status=200):
    return rig.ok(rig.put(TESTS, {"tests": list(tests)}), status)


def who(a):
    return {"kind": "service_account", "id": a}


def state(rig):
    """Everything a preview could have touched."""
    return [rig.get(p + "?limit=200").body for p in
            ("/v1/bindings", "/v1/roles", "/v1/groups",
             "/v1/resource-groups")]


@test
def a_change_that_flips_a_test(rig):
    a, c = rig.make_account("viewer", rig.project)
    g = rig.ok(rig.post("/v1/groups", {"name": "sre", "members": []}),
               201).json
    bad = {"name": "nobody edits pay", "as": "group:sre",
           "do": "incident.edit", "on": "project:" + rig.project,
           "expect": "deny"}
    r = put(rig, bad, {"as": f"service_account:{a}", "do": "incident.view",
                       "on": "project:" + rig.project, "expect": "allow"})
    rig.eq([(x["ok"], x["decided"]) for x in r.json["items"]],
           [(True, "deny"), (True, "allow")])
    want = {"subject": {"kind": "group", "id": g["id"]},
            "role": "responder", "project": rig.project}
    r = rig.ok(rig.post("/v1/bindings", want), 409, "policy_test_failed")
    rig.check("nobody edits pay" in r.json["detail"] and
              "group:sre" in r.json["detail"], str(r.json))
    rig.check(g["id"] not in rig.get("/v1/bindings?limit=200").body.decode(),
              "nothing was changed")
    # what breaks no test goes through, also beside one that fails already
    rig.ok(rig.post("/v1/bindings", {**want, "role": "viewer"}), 201)
    b = [x for x in rig.get("/v1/bindings?limit=200").json["items"]
         if x["subject"]["id"] == a][0]
    rig.ok(rig.delete("/v1/bindings/" + b["id"]), 409, "policy_test_failed")
    rig.ok(c.get(rig.p + "/incidents"), 200)
    # deleting the account takes its bindings away, too
    rig.ok(rig.delete("/v1/service-accounts/" + a), 409,
           "policy_test_failed")
    rig.ok(c.get(rig.p + "/incidents"), 200)
    forced(rig, want, b)


def forced(rig, want, b):
    c = rig.client(rig.make_token([p for p in rig.get(
        "/v1/whoami").json["permissions"] if p != "rbac.escalate"]))
    rig.ok(c.post("/v1/bindings?force=true", want), 403)
    rig.ok(rig.post("/v1/bindings?force=false", want), 409)
    r = rig.ok(rig.post("/v1/bindings?force=true", want), 201)
    e = rig.get("/v1/audit?limit=5&action=binding.create").json["items"][0]
    rig.check("forced" in [x["type"] for x in e["resource"]], str(e))
    r = rig.ok(rig.get(TESTS), 200).json["items"]
    rig.eq([x["ok"] for x in r], [False, True])
    # a test that fails already stops nothing else
    rig.make_account("viewer", rig.project)
    rig.ok(rig.delete(f"/v1/bindings/{b['id']}?force=true"), 204)


@test
def through_roles_and_groups(rig):
    a, c = rig.make_account()
    rig.ok(rig.post("/v1/roles", {"name": "reader",
                                  "permissions": ["project.view"]}), 201)
    role = [x for x in rig.get("/v1/roles?limit=200").json["items"]
            if x["name"] == "reader"][0]["id"]
    g = rig.ok(rig.post("/v1/groups", {"name": "readers"}), 201).json["id"]
    rig.bind("group", g, "reader", rig.project)
    rig.bind("group", g, "viewer", rig.project)
    put(rig, {"as": f"service_account:{a}", "do": "incident.view",
              "on": "project:" + rig.project, "expect": "deny"},
        {"as": "group:readers", "do": "alert.act", "expect": "deny",
         "on": "project:" + rig.project})
    rig.ok(rig.patch("/v1/groups/" + g, {"members": [who(a)]}), 409)
    rig.ok(c.get(rig.p), 404)
    rig.ok(rig.patch("/v1/roles/" + role, {
        "permissions": ["project.view", "alert.act"]}), 409)
    rig.ok(rig.patch("/v1/roles/" + role, {
        "permissions": ["project.view", "alert.view"]}), 200)
    rg = rig.ok(rig.post("/v1/resource-groups", {
        "name": "nothing yet", "types": ["incident"]}), 201).json["id"]
    rig.ok(rig.post("/v1/bindings", {
        "subject": who(a), "role": "viewer", "project": rig.project,
        "resource_group": rg}), 201)
    put(rig, {"as": f"service_account:{a}", "do": "incident.view",
              "on": "some:" + rig.project, "expect": "deny"})
    rig.ok(rig.patch("/v1/resource-groups/" + rg, {"services": ["db"]}), 409,
           "policy_test_failed")
    put(rig)
    rig.ok(rig.patch("/v1/resource-groups/" + rg, {"services": ["db"]}), 200)


@test
def what_begins_later_counts_now(rig):
    a, _ = rig.make_account()
    put(rig, {"as": "service_account:" + a, "do": "audit.view",
              "on": "organization", "expect": "deny"})
    b = {"subject": who(a), "role": "auditor", "not_before": later(86400)}
    rig.ok(rig.post("/v1/bindings", b), 409, "policy_test_failed")
    r = rig.ok(rig.post(PREVIEW, {"method": "POST", "path": "/v1/bindings",
                                  "body": b}), 200).json
    rig.eq([x["ok"] for x in r["tests"]], [False])
    rig.ok(rig.post("/v1/bindings", {**b, "role": "viewer"}), 201)
    put(rig)


@test
def breaking_the_glass_is_not_stopped(rig):
    a, c = rig.make_account("commander", rig.project)
    put(rig, {"as": f"service_account:{a}", "do": "project.edit",
              "on": "project:" + rig.project, "expect": "deny"})
    g = rig.ok(c.post("/v1/break-glass", {
        "project": rig.project, "minutes": 1,
        "reason": "the only way to stop the fire"}), 201).json
    rig.ok(c.delete("/v1/break-glass/" + g["id"]), 204)
    put(rig)


@test
def posture(rig):
    def row():
        return [c for c in rig.get("/v1/posture").json["items"]
                if c["check"] == "policy_tests"][0]
    put(rig)
    rig.eq(row()["ok"], False)
    me = "user:" + rig.get("/v1/whoami").json["id"]
    put(rig, {"as": me, "do": "audit.view", "on": "organization",
              "expect": "allow"})
    rig.eq(row()["ok"], True)
    put(rig, {"as": me, "do": "audit.view", "on": "organization",
              "expect": "deny"})
    rig.check(row()["ok"] is False and "1 of 1" in row()["detail"], "fails")
    put(rig)


@test
def what_a_test_may_say(rig):
    good = {"as": "user:x@y", "do": "incident.view",
            "on": "organization", "expect": "deny"}
    for bad in ({"as": "martian:x"}, {"as": "user:"}, {"as": "x"},
                {"do": "incident.fly"}, {"on": "nowhere"},
                {"on": "project:"}, {"expect": "maybe"}, {"token": 5}):
        put(rig, {**good, **bad}, status=400)
    rig.ok(rig.put(TESTS, {"tests": [{**good, "and": "x"}]}), 400,
           "unknown_member")
    rig.ok(rig.put(TESTS, {"tests": ["x"]}), 400)
    rig.ok(rig.put(TESTS, {"tests": [good] * 201}), 400)
    put(rig, *[good] * 200)
    t = rig.ok(rig.get(TESTS), 200)
    rig.eq(len(t.json["items"]), 200)
    rig.ok(rig.put(TESTS, {"tests": []}, headers={"If-Match": '"0"'}), 412)
    put(rig)
    _, c = rig.make_account("viewer")
    rig.ok(c.get(TESTS), 403)
    rig.ok(c.put(TESTS, {"tests": []}), 403)


@test
def tests_with_a_token(rig):
    me = rig.get("/v1/whoami").json
    rig.make_token(["audit.view"])
    t = [x for x in rig.get("/v1/tokens?limit=200&owner=" +
                            me["id"]).json["items"]
         if x["scopes"] == ["audit.view"]][0]["id"]
    one = {"as": "user:" + me["id"], "do": "incident.view",
           "on": "project:" + rig.project}
    r = put(rig, {**one, "expect": "allow", "token": "none"},
            {**one, "expect": "deny", "token": t}).json["items"]
    rig.eq([x["ok"] for x in r], [True, True])
    put(rig)


@test
def previews(rig):
    a, c = rig.make_account()
    before = state(rig)
    r = rig.ok(rig.post(PREVIEW, {
        "method": "POST", "path": "/v1/bindings", "body": {
            "subject": who(a), "role": "viewer",
            "project": rig.project}}), 200).json
    rig.eq({(x["principal"]["id"], x["permission"], x["project"])
            for x in r["added"]},
           {(a, p, rig.project) for p in
            ("project.view", "incident.view", "alert.view", "runbook.view",
             "run.view")} |
           {(a, "token.create", None)})
    rig.eq((r["added_count"], r["removed"], r["removed_count"],
            r["truncated"], r["tests"]), (6, [], 0, False, []))
    rig.eq(state(rig), before)
    rig.ok(c.get(rig.p), 404)
    b = rig.bind("service_account", a, "responder", rig.project)
    put(rig, {"as": "service_account:" + a, "do": "alert.act",
              "on": "project:" + rig.project, "expect": "allow"})
    before = state(rig)
    r = rig.ok(rig.post(PREVIEW, {
        "method": "DELETE", "path": "/v1/bindings/" + b}), 200).json
    rig.check(r["removed_count"] > 5 and not r["added"], str(r))
    rig.eq([x["ok"] for x in r["tests"]], [False])
    rig.eq(state(rig), before)
    rig.ok(c.get(rig.p), 200)
    put(rig)
    guards(rig, a)


def guards(rig, a):
    """A preview is refused what the change is refused."""
    _, d = rig.make_account("project_admin", rig.project)
    change = {"method": "POST", "path": "/v1/bindings", "body": {
        "subject": who(a), "role": "org_admin"}}
    rig.ok(d.post(PREVIEW, change), 403)
    change["body"].update(role="viewer", project=rig.project)
    rig.ok(d.post(PREVIEW, change), 200)
    change["body"]["role"] = "nonsense"
    rig.ok(d.post(PREVIEW, change), 400)
    rig.ok(d.post(PREVIEW, {"method": "POST", "path": "/v1/roles", "body": {
        "name": "x", "permissions": ["alert.view"]}}), 403)
    for m, path in (("POST", "/v1/tokens"), ("GET", "/v1/bindings"),
                    ("POST", "/v1/access/preview"), ("PUT", "/v1/roles"),
                    ("POST", "/v1/bindings?force=true")):
        rig.ok(d.post(PREVIEW, {"method": m, "path": path, "body": {}}), 400)
    admins = [x for x in rig.get("/v1/bindings?limit=200").json["items"]
              if x["role"] == "org_admin" and x["project"] is None]
    if len(admins) == 1:
        rig.ok(rig.post(PREVIEW, {"method": "DELETE", "path":
                                  "/v1/bindings/" + admins[0]["id"]}), 409,
               "last_admin")


@test
def a_large_preview_is_bounded(rig):
    """An organization-wide role of a group with members and projects."""
    for k in range(30):
        rig.ok(rig.post("/v1/projects", {"slug": f"many-{k}"}), 201)
    ids = [rig.ok(rig.post("/v1/service-accounts", {"name": f"m{k}"}),
                  201).json["id"] for k in range(20)]
    g = rig.ok(rig.post("/v1/groups", {
        "name": "many", "members": [who(i) for i in ids]}), 201).json["id"]
    r = rig.ok(rig.post(PREVIEW, {
        "method": "POST", "path": "/v1/bindings", "body": {
            "subject": {"kind": "group", "id": g}, "role": "viewer"}}),
        200).json
    n = len(rig.get("/v1/projects?limit=200").json["items"])
    rig.eq(r["added_count"], 20 * (5 * n + 1))
    rig.eq((len(r["added"]), r["truncated"]), (1000, True))


@test
def at_the_command_line(rig):
    out = rig.user_cli("access", "set-tests",
                       '[{"as":"user:nobody@x","do":"audit.view",'
                       '"on":"organization","expect":"deny"}]')
    rig.eq(out.returncode, 0, out.stderr)
    out = rig.user_cli("access", "tests")
    rig.check("nobody@x" in out.stdout, out.stdout)
    a, _ = rig.make_account()
    out = rig.user_cli("access", "preview", "POST", "/v1/bindings",
                       '{"subject":{"kind":"service_account","id":"%s"},'
                       '"role":"auditor"}' % a, "--json")
    rig.check('"audit.export"' in out.stdout, out.stdout + out.stderr)
    g = rig.ok(rig.post("/v1/groups", {"name": "cli"}), 201).json["id"]
    rig.put(TESTS, {"tests": [{"as": "group:cli", "do": "audit.view",
                               "on": "organization", "expect": "deny"}]})
    out = rig.user_cli("binding", "create", "group:" + g, "auditor")
    rig.eq(out.returncode, 5, out.stderr)
    out = rig.user_cli("binding", "create", "group:" + g, "auditor",
                       "--force")
    rig.eq(out.returncode, 0, out.stderr)


run()
