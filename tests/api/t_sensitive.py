#!/usr/bin/env python3
"""
What is marked sensitive in an incident: whatever way one looks, one without
incident.sensitive sees that something is left out, and not what.
"""
import sys
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import run, sse, test  # noqa: E402

SECRET = "wolverine-3381"


def make(rig, **kw):
    i = rig.make_incident("in the open", services=["db"],
                          security_details=SECRET + " first", **kw)
    one = f"{rig.p}/incidents/{i['id']}"
    rig.ok(rig.patch(one, {"security_details": SECRET + " second",
                           "summary": "public"}), 200)
    return i, one


def ways(rig, c, i, one, sees):
    for path in (one, one + "?include=timeline", one + "/timeline",
                 one + "/timeline?order=desc", rig.p + "/incidents",
                 rig.p + "/incidents?q=open", rig.p + "/incidents?limit=1",
                 f"{rig.p}/incidents/INC-{i['number']}"):
        for _ in (1, 2):  # a page may be kept: never for somebody else
            r = rig.ok(c.get(path), 200)
            rig.check((SECRET in r.body.decode()) == sees, path)
    r = rig.ok(c.get(one), 200).json
    rig.eq(r["security_details"], SECRET + " second" if sees else None)
    rig.eq(r.get("redacted"), None if sees else ["security_details"])
    rig.eq((r["title"], r["summary"]), ("in the open", "public"))
    for q in (SECRET, "second", "WOLVERINE"):
        r = rig.ok(c.get(f"{rig.p}/incidents?q={q}"), 200).json
        rig.eq(i["id"] in [x["id"] for x in r["items"]], sees, q)
    t = c.get(one + "/timeline").json["items"]
    d = [x["data"] for x in t if x["kind"] == "changed"][0]
    rig.eq(d["summary"]["to"], "public")
    rig.eq(d["security_details"],
           {"from": SECRET + " first", "to": SECRET + " second"}
           if sees else None)


@test
def who_reads_it(rig):
    i, one = make(rig)
    start = rig.get("/v1/audit?limit=1").json["items"][0]["seq"]
    who = [(rig.make_account(role, rig.project)[1], sees) for role, sees in
           (("viewer", False), ("responder", True), ("commander", True),
            ("agent", False), ("approver", False), ("project_admin", True))]
    # nothing is changed from here on, so that pages are kept
    for c, sees in who + who:
        ways(rig, c, i, one, sees)
        rig.check(SECRET not in sse(c, "/v1/events", 0.3, last=start - 3),
                  "events")
    a, _ = rig.make_account("responder", rig.project)
    c = rig.client(rig.make_token(
        ["project.view", "incident.view", "incident.edit"], owner=a))
    ways(rig, c, i, one, False)
    ways(rig, rig, i, one, True)


@test
def who_writes_it(rig):
    i, one = make(rig)
    a, _ = rig.make_account("responder", rig.project)
    c = rig.client(rig.make_token(
        ["incident.view", "incident.edit", "incident.create"], owner=a))
    for body in ({"security_details": "x"}, {"security_details": None},
                 {"security_details": SECRET + " second"}):
        rig.ok(c.patch(one, body), 403)
    rig.ok(c.post(rig.p + "/incidents", {"title": "x",
                                         "security_details": "x"}), 403)
    # what one may not read, one's changes leave as it is
    r = rig.ok(c.patch(one, {"title": "renamed"}), 200)
    rig.check(SECRET not in r.body.decode(), "the answer of a change")
    rig.eq(rig.get(one).json["security_details"], SECRET + " second")
    r = rig.ok(c.post(one + "/transitions", {"to": "acknowledged"}), 200)
    rig.check(SECRET not in r.body.decode(), "the answer of a move")
    r = rig.ok(c.post(rig.p + "/incidents", {"title": "x"}), 201).json
    rig.eq(r["redacted"], ["security_details"])


@test
def for_some_incidents(rig):
    """Reads all, and works those of one service: sees what is sensitive
    there and nowhere else."""
    i, one = make(rig)
    j = rig.make_incident("elsewhere", services=["web"],
                          security_details=SECRET)
    g = rig.ok(rig.post("/v1/resource-groups", {
        "name": "dbs", "types": ["incident"], "services": ["db"]}),
        201).json["id"]
    a, _ = rig.make_account("viewer", rig.project)
    rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "service_account", "id": a},
        "role": "responder", "project": rig.project, "resource_group": g}),
        201)
    c = rig.client(rig.make_token(owner=a))
    ways_one = rig.ok(c.get(one), 200).json
    rig.eq(ways_one["security_details"], SECRET + " second")
    r = rig.ok(c.get(f"{rig.p}/incidents/{j['id']}"), 200).json
    rig.eq((r["security_details"], r["redacted"]),
           (None, ["security_details"]))
    items = {x["id"]: x for x in c.get(rig.p + "/incidents").json["items"]}
    rig.eq((items[i["id"]]["security_details"] is None,
            items[j["id"]]["security_details"] is None), (False, True))
    found = [x["id"] for x in c.get(
        f"{rig.p}/incidents?q={SECRET}").json["items"]]
    rig.eq((i["id"] in found, j["id"] in found), (True, False))
    rig.ok(c.patch(one, {"security_details": SECRET + " third"}), 200)
    rig.ok(c.patch(f"{rig.p}/incidents/{j['id']}",
                   {"security_details": "x"}), 403)


@test
def it_counts_as_used(rig):
    """A token that reads what is sensitive needs the permission; one that
    meets nothing sensitive does not."""
    plain = rig.make_incident("nothing to hide")["id"]
    _, one = make(rig)
    for path, used in ((f"{rig.p}/incidents/{plain}", False), (one, True)):
        a, c = rig.make_account("responder", rig.project)
        rig.ok(c.get(path), 200)
        t = rig.get("/v1/tokens?owner=" + a).json["items"][0]["id"]
        u = rig.ok(rig.get(f"/v1/tokens/{t}/usage"), 200).json
        rig.eq("incident.sensitive" not in u["unused"], used, path)


@test
def declared_in_the_api(rig):
    api = rig.get("/openapi.json").json
    f = api["components"]["schemas"]["incident"]["properties"]
    rig.eq(f["security_details"]["x-permission"], "incident.sensitive")
    rig.check("x-permission" not in f["summary"], "summary")


run()
