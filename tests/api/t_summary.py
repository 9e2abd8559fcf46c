#!/usr/bin/env python3
"""
/v1/projects/{p}/summary: counts what the lists would show the same caller,
nothing more (L07), and costs little however much is over.
"""
import collections
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import run, test  # noqa: E402
from runkit import Book, approval, manual, person  # noqa: E402

OPEN = "new,acknowledged,investigating,mitigating,monitoring"


def everything(client, path):
    items, cursor = [], ""
    while cursor is not None:
        r = client.get(path + "&limit=200" + cursor)
        if r.status != 200:
            return None
        items += r.json["items"]
        cursor = r.json["next"] and "&cursor=" + r.json["next"]
    return items


def agrees(rig, client, what):
    """The summary against the lists."""
    s = rig.ok(client.get(rig.p + "/summary"), 200).json
    for name, path, keys, members in (
            ("incidents", f"/incidents?status={OPEN}",
             ("severity", "status"), "open"),
            ("alerts", "/alerts?status=triggered,acknowledged",
             ("severity", "service"), "firing")):
        items = everything(client, rig.p + path)
        if items is None:
            rig.eq(s[name], None, f"{what} {name}")
            continue
        want = collections.Counter(tuple(i[k] or None for k in keys)
                                   for i in items)
        got = {tuple(x[k] for k in keys): x["count"]
               for x in s[name][members]}
        rig.eq(got, dict(want), f"{what} {name}")
        rig.eq((s[name]["total"], s[name]["more"]), (len(items), False),
               f"{what} {name}")
        if name == "alerts":
            rig.eq(sum(x["unacknowledged"] for x in s[name][members]),
                   sum(i["status"] == "triggered" for i in items), what)
    return s


def fill(rig):
    for k, severity in enumerate(("sev0", "sev1", "sev1", "sev3")):
        i = rig.make_incident(f"i{k}", severity=severity, services=["db"])
        if k == 2:
            rig.ok(rig.post(rig.p + f"/incidents/{i['id']}/transitions",
                            {"to": "acknowledged"}), 200)
    done = rig.make_incident("done")
    rig.ok(rig.post(rig.p + f"/incidents/{done['id']}/transitions",
                    {"to": "resolved"}), 200)
    rig.hidden = rig.make_incident("hidden", severity="sev0", private=True,
                                   services=["db"])
    for k, (severity, service) in enumerate((
            ("critical", "db"), ("critical", "db"), ("warning", "web"),
            ("info", None))):
        body = {"title": f"a{k}", "severity": severity}
        if service:
            body["service"] = service
        a = rig.ok(rig.post(rig.p + "/alerts", body), 201).json
        if k == 1:
            rig.ok(rig.post(rig.p + f"/alerts/{a['id']}/acknowledge"), 200)
        if k == 3:
            rig.ok(rig.post(rig.p + f"/alerts/{a['id']}/promote",
                            {"incident": rig.hidden["id"]}), 200)
    over = rig.ok(rig.post(rig.p + "/alerts", {"title": "over"}), 201).json
    rig.ok(rig.post(rig.p + f"/alerts/{over['id']}/resolve"), 200)


@test
def as_the_lists(rig):
    fill(rig)
    s = agrees(rig, rig, "admin, a member")
    rig.eq(s["delegates"], {"ok": 0, "stale": 0, "pending": 0})
    rig.eq(s["runs"], {"live": 0, "waiting_approval": 0, "waiting_manual": 0,
                       "more": False})
    rig.check(s["as_of"].endswith("Z"), s)
    _, viewer = rig.make_account("viewer", rig.project)
    v = agrees(rig, viewer, "viewer")
    # what is private, and what hangs on it, is not in the counts
    rig.eq(s["incidents"]["total"] - v["incidents"]["total"], 1)
    rig.eq(s["alerts"]["total"] - v["alerts"]["total"], 1)


@test
def resource_groups_hold(rig):
    g = rig.ok(rig.post("/v1/resource-groups", {
        "name": "db", "project": rig.project,
        "types": ["incident", "alert"], "services": ["db"]}), 201).json
    a, c = rig.make_account()
    rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "service_account", "id": a}, "role": "viewer",
        "project": rig.project, "resource_group": g["id"]}), 201)
    s = agrees(rig, c, "limited")
    rig.check(0 < s["alerts"]["total"] < rig.get(
        rig.p + "/summary").json["alerts"]["total"], str(s))
    rig.eq({x["service"] for x in s["alerts"]["firing"]}, {"db"})
    rig.eq((s["delegates"], s["runs"]), (None, None))


@test
def what_one_may_not_see_is_null(rig):
    _, c = rig.make_account("viewer", rig.project, scopes=["alert.view"])
    s = rig.ok(c.get(rig.p + "/summary"), 200).json
    rig.check(s["incidents"] is None and s["runs"] is None and
              s["delegates"] is None and s["alerts"]["total"] > 0, str(s))
    _, nobody = rig.make_account()
    rig.ok(nobody.get(rig.p + "/summary"), 404)
    rig.ok(rig.client(None).get(rig.p + "/summary"), 401)


@test
def what_waits(rig):
    Book(rig, "asks", [approval("ok")]).start()
    Book(rig, "hands", [manual("a")]).start()
    hidden = Book(rig, "secretly", [manual("a")])
    _, viewer = person(rig, "viewer", rig.project)
    hidden.start(incident=rig.hidden["id"])
    rig.eq(rig.get(rig.p + "/summary").json["runs"],
           {"live": 3, "waiting_approval": 1, "waiting_manual": 2,
            "more": False})
    rig.eq(viewer.get(rig.p + "/summary").json["runs"],
           {"live": 2, "waiting_approval": 1, "waiting_manual": 1,
            "more": False})


@test
def delegates_that_wait(rig):
    rig.ok(rig.post(rig.p + "/delegates", {"name": "d"}), 201)
    s = rig.get(rig.p + "/summary").json["delegates"]
    rig.eq(s, {"ok": 0, "stale": 0, "pending": 0})


@test
def it_is_quick(rig):
    """With what fits a test; bench has the rest."""
    for k in range(300):
        rig.post(rig.p + "/alerts", {"title": f"q{k}", "service": f"s{k % 9}"})
    took = []
    for _ in range(60):
        t = time.time()
        rig.ok(rig.get(rig.p + "/summary"), 200)
        took.append(time.time() - t)
    took.sort()
    print(f"# summary with 300 alerts firing: median {took[30] * 1e3:.1f} ms,"
          f" p95 {took[57] * 1e3:.1f} ms")
    agrees(rig, rig, "many")


run()
