#!/usr/bin/env python3
"""Tokens over their life: rotation with an overlap, what they hold against
what they use, narrowing to that without a new denial."""
import datetime
import sys
import time
sys.path.insert(0, __file__.rsplit("/api/", 1)[0])
from rig import Client, test, run  # noqa: E402


def later(days):
    t = datetime.datetime.now(datetime.timezone.utc)
    return (t + datetime.timedelta(days=days)).strftime(
        "%Y-%m-%dT%H:%M:%S.000Z")


def token(rig, scopes, days=30, **more):
    body = {"name": "t", "scopes": scopes, "expires_at": later(days), **more}
    return rig.ok(rig.post("/v1/tokens", body), 201).json


def account(rig, name, role):
    sa = rig.ok(rig.post("/v1/service-accounts", {"name": name}), 201).json
    rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "service_account", "id": sa["id"]},
        "role": role, "project": "default"}), 201)
    return sa


@test
def rotation_overlaps(rig):
    old = token(rig, ["project.view"], days=10)
    c = Client(rig, old["token"])
    rig.ok(c.get("/v1/whoami"), 200)
    r = rig.ok(rig.post(f"/v1/tokens/{old['id']}/rotate",
                        {"overlap_s": 2}), 201).json
    rig.eq(r["rotated_from"], old["id"])
    rig.eq(r["scopes"], ["project.view"])
    rig.check(r["token"] != old["token"] and r["id"] != old["id"], "another")
    new = Client(rig, r["token"])
    rig.ok(new.get("/v1/whoami"), 200)
    rig.ok(c.get("/v1/whoami"), 200)
    time.sleep(2.2)
    rig.ok(c.get("/v1/whoami"), 401)
    rig.ok(new.get("/v1/whoami"), 200)
    # it lives as long again as the first did
    days = (datetime.datetime.fromisoformat(r["expires_at"][:-1]) -
            datetime.datetime.utcnow()).total_seconds() / 86400
    rig.check(9.9 < days < 10.1, f"lives {days} days")


@test
def rotation_at_once_and_by_default(rig):
    t = token(rig, ["project.view"])
    r = rig.ok(rig.post(f"/v1/tokens/{t['id']}/rotate", {"overlap_s": 0}),
               201).json
    rig.ok(Client(rig, t["token"]).get("/v1/whoami"), 401)
    rig.ok(rig.post(f"/v1/tokens/{t['id']}/rotate"), 409)  # it is over
    s = rig.ok(rig.post(f"/v1/tokens/{r['id']}/rotate"), 201).json
    left = (datetime.datetime.fromisoformat(s["old_expires_at"][:-1]) -
            datetime.datetime.utcnow()).total_seconds()
    rig.check(3590 < left < 3605, f"an hour: {left}")


@test
def rotation_refuses(rig):
    t = token(rig, ["project.view"])
    path = f"/v1/tokens/{t['id']}/rotate"
    for body in ({"overlap_s": -1}, {"overlap_s": 86401}, {"overlap_s": 1.5},
                 {"overlap_s": "1"}, {"other": 1}, {"scopes": ["*"]}):
        rig.ok(rig.post(path, body), 400)
    rig.ok(rig.post(path, {"overlap_s": 86400}), 201)
    rig.ok(rig.post(path, {}, headers={"If-Match": '"77"'}), 412)
    rig.ok(rig.post("/v1/tokens/01234567-89ab-7def-8123-456789abcdef/rotate"),
           404)


@test
def nobody_rotates_what_they_could_not_make(rig):
    sa = account(rig, "rotated", "project_admin")
    t = token(rig, ["incident.view", "token.create"], owner=sa["id"])
    other = account(rig, "viewer", "viewer")
    o = token(rig, ["project.view", "token.create"], owner=other["id"])
    # another account does not see it; itself may, within its own rights
    rig.ok(Client(rig, o["token"]).post(f"/v1/tokens/{t['id']}/rotate"), 404)
    me = Client(rig, t["token"])
    r = rig.ok(me.post(f"/v1/tokens/{t['id']}/rotate"), 201).json
    rig.eq(sorted(r["scopes"]), ["incident.view", "token.create"])
    # a narrow token of one's own does not get the secret of a wide one
    wide = token(rig, ["*"])
    narrow = token(rig, ["token.create", "token.admin"])
    rig.ok(Client(rig, narrow["token"]).post(
        f"/v1/tokens/{wide['id']}/rotate"), 403)


@test
def held_against_used(rig):
    t = token(rig, ["incident.view", "incident.create", "alert.view",
                    "user.view"])
    c = Client(rig, t["token"])
    rig.ok(c.get(rig.p + "/incidents"), 200)
    rig.ok(c.post(rig.p + "/incidents", {"title": "x"}), 201)
    u = rig.ok(rig.get(f"/v1/tokens/{t['id']}/usage"), 200).json
    rig.eq(sorted(x["permission"] for x in u["used"]),
              ["incident.create", "incident.view"])
    rig.eq(sorted(u["unused"]), ["alert.view", "user.view"])
    rig.eq(u["dormant"], False)
    wide = rig.ok(rig.get("/v1/access/least-privilege?limit=200"), 200).json
    rig.check(t["id"] in [x["id"] for x in wide["items"]], "in the report")
    rig.ok(c.get("/v1/access/least-privilege"), 403)
    # one step, and everything it did goes on
    n = rig.ok(rig.post(f"/v1/tokens/{t['id']}/narrow"), 200).json
    rig.eq(sorted(n["scopes"]), ["incident.create", "incident.view"])
    rig.ok(c.get(rig.p + "/incidents"), 200)
    rig.ok(c.post(rig.p + "/incidents", {"title": "y"}), 201)
    rig.ok(c.get("/v1/users"), 403)
    rig.ok(c.get(rig.p + "/alerts"), 403)
    wide = rig.ok(rig.get("/v1/access/least-privilege?limit=200"), 200).json
    rig.check(t["id"] not in [x["id"] for x in wide["items"]], "gone from it")


@test
def narrowing_never_widens(rig):
    t = token(rig, ["incident.view", "alert.view"])
    path = f"/v1/tokens/{t['id']}/narrow"
    rig.ok(rig.post(path), 409, "conflict")  # used nothing
    rig.ok(rig.post(path, {"scopes": ["incident.view", "user.view"]}), 400)
    rig.ok(rig.post(path, {"days": 0}), 400)
    rig.ok(rig.post(path, {"scopes": ["*"]}), 200)  # all it has
    n = rig.ok(rig.post(path, {"scopes": ["alert.view"]}), 200).json
    rig.eq(n["scopes"], ["alert.view"])
    rig.ok(rig.post(path, {"scopes": ["incident.view"]}), 400)


@test
def use_is_remembered(rig):
    t = token(rig, ["incident.view", "alert.view"])
    rig.ok(Client(rig, t["token"]).get(rig.p + "/incidents"), 200)
    rig.stop()
    rig.start()
    u = rig.ok(rig.get(f"/v1/tokens/{t['id']}/usage"), 200).json
    rig.eq([x["permission"] for x in u["used"]], ["incident.view"])
    # and goes with the token's owner's wish
    rig.ok(rig.delete(f"/v1/tokens/{t['id']}"), 204)


@test
def replay_of_a_day_of_work(rig):
    """Narrow to used, do everything again: no new denial."""
    t = token(rig, ["*"])
    c = Client(rig, t["token"])
    p = rig.p

    def work(n):
        i = c.post(p + "/incidents", {"title": f"work {n}"})
        inc = f"{p}/incidents/{i.json['id']}"
        return [a.status for a in (
            i, c.get(inc), c.post(inc + "/timeline", {"text": "hm"}),
            c.post(inc + "/transitions", {"to": "acknowledged"}),
            c.get(p + "/alerts"), c.get("/v1/tokens"), c.get("/v1/bindings"),
            c.get("/v1/projects"), c.get("/v1/audit"), c.get("/v1/posture"),
            c.get("/v1/roles"), c.get(p + "/integrations"),
            c.get("/v1/tokens/" + t["id"]))]

    before = work(1)
    tokens = len(c.get("/v1/tokens?limit=200").json["items"])
    n = rig.ok(rig.post(f"/v1/tokens/{t['id']}/narrow"), 200).json
    rig.check(len(n["scopes"]) < 15, n["scopes"])
    rig.eq(work(2), before)
    rig.eq(len(c.get("/v1/tokens?limit=200").json["items"]), tokens)


run()
