#!/usr/bin/env python3
"""One alert from the wire to the disk and back."""
import json
import sys
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import test, run  # noqa: E402


def delivery(name="DiskFull", severity="critical", status="firing", **labels):
    return {"version": "4", "groupKey": "{}:{alertname=\"%s\"}" % name,
            "status": status, "receiver": "redoubt", "alerts": [{
                "status": status,
                "labels": {"alertname": name, "severity": severity,
                           "service": "db", **labels},
                "annotations": {"summary": name + " on db",
                                "description": "97 percent"},
                "startsAt": "2026-11-25T03:21:34.123Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://prometheus.example/graph"}]}


@test
def health(rig):
    anon = rig.client(None)
    rig.ok(anon.get("/healthz"), 200)
    rig.ok(anon.get("/readyz"), 200)
    api = rig.ok(anon.get("/openapi.json"), 200).json
    rig.check("/v1/projects/{p}/incidents" in api["paths"], "openapi paths")
    rig.ok(anon.get("/v1/whoami"), 401, "unauthenticated")
    rig.ok(anon.get("/nothing"), 401)
    rig.ok(rig.get("/nothing"), 404, "not_found")
    r = rig.ok(rig.delete("/v1/whoami"), 405, "method_not_allowed")
    rig.check("GET" in r.headers["allow"], "allow")


@test
def whoami(rig):
    me = rig.ok(rig.get("/v1/whoami"), 200).json
    rig.eq(me["kind"], "user")
    rig.check("incident.view" in me["projects"][rig.project], "permissions")


@test
def incident_life(rig):
    i = rig.make_incident(severity="sev2", services=["db"], summary="s",
                          fields={"ticket": 7})
    rig.eq(i["number"], 1)
    rig.eq((i["status"], i["severity"], i["services"]),
           ("new", "sev2", ["db"]))
    one = rig.p + "/incidents/" + i["id"]
    a = rig.ok(rig.get(one), 200)
    rig.eq(a.json["fields"], {"ticket": 7})
    tag = a.headers["etag"]
    rig.ok(rig.get(rig.p + "/incidents/INC-1"), 200)
    rig.ok(rig.get(rig.p + "/incidents/1"), 200)
    b = rig.ok(rig.patch(one, {"severity": "sev1", "title": "Worse"},
                         headers={"If-Match": tag}), 200)
    rig.eq((b.json["severity"], b.json["title"]), ("sev1", "Worse"))
    rig.ok(rig.patch(one, {"severity": "sev0"}, headers={"If-Match": tag}),
           412, "stale")
    rig.ok(rig.post(one + "/transitions", {"to": "acknowledged"}), 200)
    rig.ok(rig.post(one + "/transitions", {"to": "new"}), 409,
           "bad_transition")
    rig.ok(rig.post(one + "/transitions",
                    {"to": "resolved", "note": "done"}), 200)
    r = rig.ok(rig.post(one + "/transitions", {"to": "investigating"}), 200)
    rig.eq(r.json["resolved_at"], None)
    rig.ok(rig.post(one + "/timeline",
                    {"text": "looking", "key_event": True}), 201)
    t = rig.ok(rig.get(one + "/timeline"), 200).json
    rig.eq([e["seq"] for e in t["items"]], list(range(1, len(t["items"]) + 1)))
    rig.eq(t["items"][-1]["text"], "looking")
    rig.eq(t["items"][1]["data"]["severity"], {"from": "sev2", "to": "sev1"})
    inc = rig.ok(rig.get(one + "?include=timeline"), 200).json
    rig.eq(len(inc["timeline"]), len(t["items"]))


@test
def alert_opens_collects_resolves(rig):
    n = rig.make_integration()
    s = rig.client(n["secret"])
    path = "/ingest/" + n["id"]
    a = rig.ok(s.post(path, delivery()), 202).json["receipt"]
    rig.eq((a["alerts"][0]["status"], a["alerts"][0]["deduplicated"]),
           ("triggered", False))
    b = rig.ok(s.post(path, delivery()), 202).json["receipt"]
    rig.eq(b["alerts"][0]["deduplicated"], True)
    rig.eq(b["alerts"][0]["id"], a["alerts"][0]["id"])
    rig.ok(s.post(path, delivery(instance="b")), 202)
    one = rig.p + "/alerts/" + a["alerts"][0]["id"]
    al = rig.ok(rig.get(one), 200).json
    rig.eq((al["count"], al["severity"], al["service"]),
           (2, "critical", "db"))
    inc = rig.ok(rig.get(rig.p + "/incidents/" + al["incident"]), 200).json
    rig.eq((inc["alert_count"], inc["severity"], inc["source"]["kind"]),
           (2, "sev1", "rule"))
    rig.ok(s.post(path, delivery(status="resolved")), 202)
    al = rig.ok(rig.get(one), 200).json
    rig.eq(al["status"], "resolved")
    rig.check(al["resolved_at"], "resolved_at")
    e = rig.ok(rig.get(rig.p + "/audit" if False else "/v1/audit/%d" %
                       a["seq"]), 200).json
    rig.eq((e["action"], e["outcome"]), ("ingest.receive", "ok"))
    rig.eq(json.loads(e["leaf"])["seq"], a["seq"])


@test
def api_v2(rig):
    n = rig.make_integration()
    s = rig.client(n["secret"])
    alert = {"labels": {"alertname": "V2", "severity": "error"},
             "annotations": {"summary": "two"},
             "startsAt": "2026-11-25T03:21:34Z"}
    path = f"/ingest/{n['id']}/api/v2/alerts"
    r = rig.ok(s.post(path, [alert]), 200).json["receipt"]
    alert["endsAt"] = "2026-11-25T03:22:34Z"
    rig.ok(s.post(path, [alert]), 200)
    al = rig.ok(rig.get(rig.p + "/alerts/" + r["alerts"][0]["id"]), 200).json
    rig.eq(al["status"], "resolved")


@test
def lists_and_audit(rig):
    for k in range(5):
        rig.make_incident(f"list {k}", type="listed")
    seen, cursor = [], ""
    while cursor is not None:
        r = rig.ok(rig.get(rig.p + "/incidents?type=listed&limit=2" +
                           (f"&cursor={cursor}" if cursor else "")), 200).json
        seen += [i["title"] for i in r["items"]]
        cursor = r["next"]
    rig.eq(seen, [f"list {k}" for k in (4, 3, 2, 1, 0)])
    q = rig.ok(rig.get(rig.p + "/incidents?q=LIST%203"), 200).json["items"]
    rig.eq([i["title"] for i in q], ["list 3"])
    a = rig.ok(rig.get("/v1/audit?action=incident.create&limit=5"), 200).json
    rig.eq(len(a["items"]), 5)
    rig.ok(rig.get("/v1/audit/checkpoint"), 200)


run()
