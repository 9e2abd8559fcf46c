#!/usr/bin/env python3
"""
Legal holds: who puts and releases them, what they keep from being destroyed,
and what is no hold.
"""
import sys
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import later, run, test  # noqa: E402

WHY = "letter of 3 May, kestrel-4471"


def put(c, status=201, **kw):
    return c.rig.ok(c.post("/v1/holds", {"name": "smith", "reason": WHY,
                                         **kw}), status)


@test
def life(rig):
    h = put(rig).json
    rig.eq((h["live"], h["project"], h["incident"], h["released_at"]),
           (True, None, None, None))
    rig.eq(h["by"]["kind"], "user")
    one = "/v1/holds/" + h["id"]
    rig.eq(rig.ok(rig.get(one), 200).json["reason"], WHY)
    r = rig.ok(rig.delete(one, body={}), 400)
    rig.check("reason" in r.body.decode(), r.body)
    r = rig.ok(rig.delete(one, body={"reason": "  "}), 400)
    rig.check("reason" in r.body.decode(), r.body)
    r = rig.ok(rig.delete(one, body={"reason": "settled"}), 200).json
    rig.eq((r["live"], r["release_reason"]), (False, "settled"))
    r = rig.ok(rig.delete(one, body={"reason": "again"}), 409)
    rig.check("released already" in r.body.decode(), r.body)
    acts = [(x["action"], x["outcome"])
            for x in rig.get("/v1/audit?action=hold.&limit=20").json["items"]]
    for a in (("hold.create", "ok"), ("hold.release", "ok"),
              ("hold.release", "error")):
        rig.check(a in acts, acts)
    # what people wrote is not in the log in the clear
    rig.check(WHY not in rig.get("/v1/audit?limit=50").body.decode(), "leaf")


@test
def no_holds(rig):
    for body, member in (
            ({"name": "x"}, "reason"), ({"reason": WHY}, "name"),
            ({"name": "x", "reason": " \n"}, "reason"),
            ({"name": "x", "reason": WHY, "incident": "INC-1"}, "project"),
            ({"name": "x", "reason": WHY, "project": "nowhere"}, "project"),
            ({"name": "x", "reason": WHY, "project": rig.project,
              "incident": "INC-4040"}, "incident"),
            ({"name": "x", "reason": WHY, "until": "2020-01-01T00:00:00Z"},
             "until"),
            ({"name": "x", "reason": WHY, "forever": True}, "forever")):
        r = rig.post("/v1/holds", body)
        rig.check(r.status in (400, 404) and member in r.body.decode(),
                  f"{body}: {r!r}")


@test
def a_project_under_one_stays(rig):
    rig.ok(rig.post("/v1/projects", {"slug": "held", "name": "H"}), 201)
    h = put(rig, project="held", until=later(3600)).json
    rig.eq(h["project"], "held")
    r = rig.ok(rig.delete("/v1/projects/held"), 409)
    rig.eq(r.json["code"], "held")
    rig.ok(rig.get("/v1/projects/held"), 200)
    rig.ok(rig.delete("/v1/holds/" + h["id"], body={"reason": "over"}), 200)
    everywhere = put(rig).json["id"]
    rig.ok(rig.delete("/v1/projects/held"), 409)
    rig.ok(rig.delete("/v1/holds/" + everywhere, body={"reason": "o"}), 200)
    rig.ok(rig.delete("/v1/projects/held"), 204)


@test
def who_may(rig):
    _, viewer = rig.make_account("viewer", rig.project)
    _, admin = rig.make_account("project_admin", rig.project)
    mine = put(admin, project=rig.project).json
    rig.ok(admin.post("/v1/holds", {"name": "x", "reason": WHY}), 403)
    rig.ok(viewer.post("/v1/holds", {"name": "x", "reason": WHY,
                                     "project": rig.project}), 403)
    rig.ok(viewer.get("/v1/holds/" + mine["id"]), 404)
    rig.eq(viewer.get("/v1/holds").json["items"], [])
    org = put(rig).json
    seen = [x["id"] for x in admin.get("/v1/holds").json["items"]]
    rig.check(mine["id"] in seen and org["id"] not in seen, seen)
    rig.ok(admin.delete("/v1/holds/" + org["id"], body={"reason": "x"}), 404)
    i = rig.make_incident("x", private=True)
    # one that they do not see is not there
    r = admin.post("/v1/holds", {"name": "x", "reason": WHY,
                                 "project": rig.project,
                                 "incident": f"INC-{i['number']}"})
    rig.ok(r, 404)
    own = put(rig, project=rig.project, incident=i["id"]).json
    rig.eq(own["incident"], i["id"])
    for x in (mine, org, own):
        rig.ok(rig.delete("/v1/holds/" + x["id"], body={"reason": "x"}), 200)


run()
