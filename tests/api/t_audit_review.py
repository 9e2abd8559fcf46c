#!/usr/bin/env python3
"""Saved filters of the audit log, its reviews, and what reminds of them."""
import sys
import urllib.parse
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import later, run, test  # noqa: E402

FILTERS, REVIEWS = "/v1/audit/filters", "/v1/audit/reviews"


@test
def saved_filters(rig):
    _, auditor = rig.make_account("auditor")
    _, other = rig.make_account("auditor")
    mine = rig.ok(auditor.post(FILTERS, {
        "name": "refused", "filter": {"outcome": "denied", "days": 7}}),
        201).json
    shared = rig.ok(rig.post(FILTERS, {
        "name": "logins", "filter": {"action": "auth.*"}, "shared": True}),
        201).json
    rig.eq(mine["filter"], {"outcome": "denied", "days": 7})

    def seen(c):
        return sorted(f["name"] for f in c.get(FILTERS).json["items"])
    rig.eq(seen(auditor), ["logins", "refused"])
    rig.eq(seen(other), ["logins"])
    at = f"{FILTERS}/{mine['id']}"
    for method, body in (("GET", None), ("PATCH", {"shared": True}),
                         ("DELETE", None)):
        rig.ok(other.request(method, at, body), 404)
    # another's shared one: seen, not changed
    there = f"{FILTERS}/{shared['id']}"
    rig.ok(other.get(there), 200)
    rig.ok(other.patch(there, {"name": "x"}), 403)
    rig.ok(other.delete(there), 403)
    rig.ok(auditor.post(FILTERS, {"name": "refused", "filter": {}}), 409)
    rig.ok(auditor.post(FILTERS, {"name": "logins", "filter": {},
                                  "shared": True}), 409)
    for bad in ({"x": "y"}, {"action": "nope"}, {"outcome": 1}, {"days": 0},
                {"days": "7"}, {"from": "yesterday"}, {"address": "a/b"},
                {"project": "nowhere"}, {"filter": "logins"}):
        r = auditor.post(FILTERS, {"name": "bad", "filter": bad})
        rig.ok(r, 400)
    rig.ok(auditor.post(FILTERS, {"name": "", "filter": {}}), 400)
    # one's own goes before a shared one of the name
    rig.ok(other.post(FILTERS, {"name": "logins",
                                "filter": {"outcome": "error"}}), 201)
    rig.ok(other.patch(there, {"name": "x"}), 403)
    _, nobody = rig.make_account("viewer", rig.project)
    rig.ok(nobody.get(FILTERS), 403)
    r = rig.ok(auditor.patch(at, {"shared": True, "name": "no"},
                             headers={"If-Match": '"1"'}), 200).json
    rig.check(r["shared"] and r["filter"]["days"] == 7, r)
    rig.ok(auditor.patch(at, {"name": "x"}, headers={"If-Match": '"1"'}), 412)
    rig.eq(seen(other), ["logins", "logins", "no"])
    rig.ok(rig.delete(at), 204)  # who runs the place tidies up
    rig.ok(rig.get(f"/v1/audit?filter={mine['id']}"), 400)


@test
def used(rig):
    rig.client("rdp_x").get("/v1/whoami")
    rig.ok(rig.post(FILTERS, {"name": "bad logins", "filter": {
        "action": "auth.failed", "outcome": "denied"}}), 201)

    def ask(**q):
        return rig.ok(rig.get("/v1/audit?" + urllib.parse.urlencode(
            q, quote_via=urllib.parse.quote)),
                      200).json["items"]
    got = ask(filter="bad logins")
    rig.check(got and all(e["action"] == "auth.failed" for e in got), "all")
    got = ask(filter="bad logins", action="audit.filter.create",
              outcome="ok")
    rig.check(got and all(e["action"] == "audit.filter.create" for e in got),
              "what is given goes before what was saved")
    rig.ok(rig.get("/v1/audit?filter=none"), 400)
    r = rig.ok(rig.post("/v1/audit/export", {"saved": "bad logins"}), 200)
    whole = [l for l in r.body.split(b"\n") if b'"action":' in l]
    rig.check(whole and all(b'"auth.failed"' in l for l in whole), "export")
    # a cursor of one filter is none of another
    c = rig.get("/v1/audit?filter=logins&limit=1").json["next"]
    rig.ok(rig.get(f"/v1/audit?limit=1&cursor={c}"), 400)


def due(rig):
    return next(c for c in rig.get("/v1/posture").json["items"]
                if c["check"] == "audit_reviewed")


@test
def reviews(rig):
    u = rig.ok(rig.get(REVIEWS), 200).json["unreviewed"]
    rig.eq((u["first"], u["reviewed_at"], u["overdue"]), (1, None, False))
    rig.check(u["entries"] > 10 and u["since"] < u["due_at"], u)
    rig.eq(due(rig)["ok"], False)  # there never was one
    _, auditor = rig.make_account("auditor")
    rig.ok(auditor.post(REVIEWS, {"note": "by a machine"}), 403)
    for bad in ({}, {"note": ""}, {"note": "  "}, {"note": "x", "through": 0},
                {"note": "x", "through": 10 ** 9},
                {"note": "x", "findings": -1}, {"note": "x", "from": 1}):
        rig.ok(rig.post(REVIEWS, bad), 400)
    secret = "denials of last night: the old deploy token"
    one = rig.ok(rig.post(REVIEWS, {"note": secret, "through": 5,
                                    "findings": 1}), 201).json
    rig.eq((one["from"], one["through"], one["findings"]), (1, 5, 1))
    rig.ok(rig.post(REVIEWS, {"note": "again", "through": 5}), 400)
    two = rig.ok(rig.post(REVIEWS, {"note": "the rest"}), 201).json
    rig.eq(two["from"], 6)
    a = rig.ok(rig.get(REVIEWS), 200).json
    rig.eq([i["id"] for i in a["items"]], [two["id"], one["id"]])
    rig.eq(a["items"][1]["note"], secret)
    rig.eq(a["unreviewed"]["first"], two["through"] + 1)
    rig.eq(due(rig)["ok"], True)
    page = rig.get(REVIEWS + "?limit=1").json
    rig.eq([i["id"] for i in rig.get(
        f"{REVIEWS}?limit=1&cursor={page['next']}").json["items"]],
        [one["id"]])
    e = rig.get("/v1/audit?action=audit.review&outcome=ok").json["items"]
    rig.eq(len(e), 2)
    rig.check(all("cm" in x["leaf"] for x in e), "the note is committed to")
    rig.stop()
    for f in rig.data.glob("db/*"):
        rig.check(secret.encode() not in f.read_bytes(), f"{f}: the note")
    rig.start()
    rig.eq(rig.get(REVIEWS).json["items"][1]["note"], secret)


@test
def the_policy_says_how_often(rig):
    rig.eq(rig.get("/v1/policy").json["audit_review_days"], 30)
    for bad in (0, -1, "30", 10 ** 6):
        rig.ok(rig.put("/v1/policy", {"audit_review_days": bad}), 400)
    rig.ok(rig.put("/v1/policy", {"audit_review_days": 7}), 200)
    u = rig.get(REVIEWS).json["unreviewed"]
    rig.eq(u["due_at"][:10], later(7 * 86400)[:10])
    rig.check("7" in due(rig)["detail"], due(rig))


run()
