#!/usr/bin/env python3
"""
Retention: what a policy may say, what goes by it and when, what a legal hold
keeps, and what is left of what went: nothing that opens, and a proof.
"""
import base64
import hashlib
import json
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import later, run, test  # noqa: E402

CANARY = "quagga-5523"


def policy(rig, status=200, **classes):
    return rig.ok(rig.put("/v1/policy", {"retention": classes}), status)


def close(rig, i):
    at = f"{rig.p}/incidents/{i['id']}"
    for to in ("acknowledged", "investigating", "resolved", "closed"):
        rig.post(at + "/transitions", {"to": to})
    rig.eq(rig.get(at).json["status"], "closed")
    return at


def report(rig):
    return rig.ok(rig.get("/v1/retention/report?limit=200"), 200).json["items"]


def preview(rig):
    return rig.ok(rig.get("/v1/retention/preview"), 200).json["items"]


def shred(rig):
    """Have it run; what it destroyed: {class: units}."""
    before = {x["seq"] for x in report(rig)}
    last = rig.ok(rig.post("/v1/retention/run"), 202).json["last_run_at"]
    for _ in range(400):
        r = rig.get("/v1/retention/preview").json
        if r["last_run_at"] not in (last, None) and not r["busy"]:
            break
        time.sleep(.05)
    else:
        rig.check(False, "no run")
    out = {}
    for x in report(rig):
        if x["seq"] not in before:
            out[x["class"]] = out.get(x["class"], 0) + x["units"]
    return out


@test
def what_a_policy_may_say(rig):
    for classes, member in (
            ({"incident": {"days": -1}}, "incident.days"),
            ({"incident": {"days": 36501}}, "incident.days"),
            ({"incident": {"days": 10 ** 30}}, "incident.days"),
            ({"incident": {"days": 1.5}}, "incident.days"),
            ({"incident": {}}, "incident.days"),
            ({"incident": 7}, "incident"),
            ({"incident": {"days": 3, "weeks": 1}}, "weeks"),
            ({"incident": {"days": 3, "min_days": 4}}, "min_days"),
            ({"incident": {"days": 3, "locked": "tomorrow"}}, "locked"),
            ({"reply": {"days": 2}}, "reply.days"),
            ({"feelings": {"days": 3}}, "feelings")):
        r = rig.put("/v1/policy", {"retention": classes})
        rig.check(r.status == 400 and member in r.body.decode(),
                  f"{classes}: {r!r}")
    p = policy(rig, incident={"days": 30, "min_days": 10}).json["retention"]
    rig.eq((p["incident"]["days"], p["incident"]["by"], p["run"]["by"]),
           (30, "organization", "default"))
    at = rig.p + "/retention"
    rig.eq(rig.get(at).json["incident"]["days"], 30)
    for body, member in (({"incident": {"days": 31}}, "incident.days"),
                         ({"incident": {"days": 9}}, "incident.days"),
                         ({"incident": {"days": 20, "locked": None}},
                          "locked")):
        r = rig.put(at, body)
        rig.check(r.status == 400 and member in r.body.decode(), f"{r!r}")
    rig.eq(rig.ok(rig.put(at, {"incident": {"days": 20}}),
                  200).json["incident"]["by"], "project")
    rig.ok(rig.put(at, {"incident": None}), 200)
    # a lock: longer, never shorter
    policy(rig, run={"days": 30, "locked": later(3600)})
    for worse in ({"days": 29}, None, {"days": 30, "locked": later(60)},
                  {"days": 30, "locked": None}):
        r = rig.put("/v1/policy", {"retention": {"run": worse}})
        rig.eq((r.status, r.json["code"]), (409, "retention_locked"))
        rig.check("retention.run" in r.body.decode(), r.body)
    r = rig.put(at, {"run": {"days": 5}})
    rig.eq((r.status, r.json["code"]), (409, "retention_locked"))
    policy(rig, run={"days": 31})
    _, viewer = rig.make_account("viewer", rig.project)
    rig.ok(viewer.get(at), 403)
    rig.ok(viewer.get("/v1/retention/preview"), 403)
    rig.ok(viewer.post("/v1/retention/run"), 403)


@test
def when_it_goes(rig):
    policy(rig, incident={"days": 30}, delivery={"days": 60})
    i = rig.make_incident("when")
    at = f"{rig.p}/incidents/{i['id']}"
    rig.eq(i["expires_on"], None)
    close(rig, i)
    d = rig.get(at).json
    want = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400))
    rig.eq(d["expires_on"], want)
    listed = rig.get(rig.p + "/incidents").json["items"]
    rig.eq([x["expires_on"] for x in listed if x["id"] == i["id"]], [want])
    h = rig.ok(rig.post("/v1/holds", {
        "name": "x", "reason": "y", "project": rig.project,
        "incident": i["id"]}), 201).json
    rig.eq(rig.get(at).json["expires_on"], None)
    rig.ok(rig.delete("/v1/holds/" + h["id"], body={"reason": "z"}), 200)
    rig.eq(shred(rig).get("incident", 0), 0)
    rig.ok(rig.get(at), 200)


@test
def incidents_go(rig):
    policy(rig, incident={"days": 0, "min_days": 0})
    gone = [rig.make_incident(f"{CANARY} {n}", services=[f"svc-{n}"])
            for n in range(30)]
    stays = rig.make_incident("open")
    held = rig.make_incident("held")
    a = rig.ok(rig.post(rig.p + "/alerts", {
        "title": "of it", "severity": "info"}), 201).json
    rig.ok(rig.post(f"{rig.p}/alerts/{a['id']}/promote",
                    {"incident": gone[0]["id"]}), 200)
    for i in gone + [held]:
        close(rig, i)
    h = rig.ok(rig.post("/v1/holds", {
        "name": "x", "reason": "y", "project": rig.project,
        "incident": held["id"]}), 201).json
    # those of the other test are due by now, too
    due = [x for x in preview(rig) if x["class"] == "incident"]
    rig.eq(len(due), 1)
    rig.check(due[0]["units"] >= 30, due)
    did = shred(rig)
    rig.eq(did["incident"], due[0]["units"])
    rig.eq([x for x in preview(rig) if x["class"] == "incident"], [])
    for i in gone:
        rig.ok(rig.get(f"{rig.p}/incidents/{i['id']}"), 404)
        rig.ok(rig.get(f"{rig.p}/incidents/INC-{i['number']}"), 404)
    for i in (stays, held):
        rig.ok(rig.get(f"{rig.p}/incidents/{i['id']}"), 200)
    ids = [x["id"] for x in
           rig.ok(rig.get(rig.p + "/incidents?limit=100"), 200).json["items"]]
    rig.eq(set(ids) & {i["id"] for i in gone}, set())
    rig.eq(rig.get(rig.p + "/incidents?service=svc-3").json["items"], [])
    rig.eq(rig.ok(rig.get(f"{rig.p}/alerts/{a['id']}"), 200).json["incident"],
           None)
    # a number is never given twice
    n = rig.make_incident("next")["number"]
    rig.check(n > max(i["number"] for i in gone), n)
    # released, it goes
    rig.ok(rig.delete("/v1/holds/" + h["id"], body={"reason": "z"}), 200)
    rig.eq(shred(rig)["incident"], 1)
    rig.ok(rig.get(f"{rig.p}/incidents/{held['id']}"), 404)
    # the log is as it was
    rig.ok(rig.get("/v1/audit?limit=50"), 200)


@test
def each_has_a_proof(rig):
    items = report(rig)
    rig.check(len(items) > 2, len(items))
    for x in items:
        e = rig.get(f"/v1/audit/{x['seq']}").json
        rig.eq(e["action"], "retention.destroy")
        v = x["value"].encode()
        name = b"destruction"
        cm = hashlib.sha256(
            b"\x02" + base64.b64decode(x["salt"]) +
            len(name).to_bytes(2, "big") + name +
            len(v).to_bytes(4, "big") + v).digest()
        rig.eq(json.loads(e["leaf"])["cm"], base64.b64encode(cm).decode())
        what = json.loads(x["value"])
        rig.eq((what["class"], what["units"]), (x["class"], x["units"]))
        if what["class"] == "incident":
            rig.check(len(what["keys"]) >= len(what["ids"]), what)


@test
def alerts_deliveries_and_bodies_go(rig):
    n = rig.make_integration()
    s = rig.client(n["secret"])
    where = f"{rig.p}/integrations/{n['id']}/deliveries"

    def send(name, status="firing"):
        return rig.ok(s.post("/ingest/" + n["id"], {
            "version": "4", "groupKey": name, "status": status,
            "receiver": "r", "alerts": [{
                "status": status, "labels": {
                    "alertname": name, "severity": "info", "service": "db"},
                "annotations": {"summary": CANARY},
                "startsAt": "2026-11-25T03:21:34.123Z",
                "endsAt": "0001-01-01T00:00:00Z"}]}),
            202).json["receipt"]["alerts"][0]["id"]
    over = [send(f"over-{k}") for k in range(4)]
    still = send("still")
    for k in range(4):
        send(f"over-{k}", "resolved")
    at = rig.p + "/retention"
    x = rig.get(f"{rig.p}/alerts/{over[0]}").json
    rig.eq(x["expires_on"], None)
    rig.ok(rig.put(at, {"delivery": {"days": 0}, "alert": {"days": 0}}), 200)
    x = rig.get(f"{rig.p}/alerts/{over[0]}").json
    rig.eq((x["status"], x["expires_on"]),
           ("resolved", time.strftime("%Y-%m-%d", time.gmtime())))
    rig.eq(rig.get(f"{rig.p}/alerts/{still}").json["expires_on"], None)
    rig.check(rig.get(where).json["items"][0]["expires_on"], "of a delivery")
    h = rig.ok(rig.post("/v1/holds", {
        "name": "x", "reason": "y", "project": rig.project}), 201).json
    rig.eq([x for x in preview(rig) if x["project"]], [])
    rig.eq(shred(rig), {})
    rig.ok(rig.get(f"{rig.p}/alerts/{over[0]}"), 200)
    rig.ok(rig.delete("/v1/holds/" + h["id"], body={"reason": "z"}), 200)
    p = {x["class"]: x["units"] for x in preview(rig)}
    rig.eq((p["alert"], p["delivery"]), (4, 9))
    did = shred(rig)
    rig.eq(did, p)
    for a in over:
        rig.ok(rig.get(f"{rig.p}/alerts/{a}"), 404)
    rig.eq(rig.ok(rig.get(f"{rig.p}/alerts/{still}"), 200).json["status"],
           "triggered")
    rig.eq(rig.get(where).json["items"], [])
    keys = [k for x in report(rig) if x["class"] in ("alert", "delivery")
            for k in json.loads(x["value"]).get("keys", [])]
    rig.eq(len(keys), 2)
    # one that comes again is a new one
    rig.check(send("over-0") != over[0], "a new alert")
    policy(rig, audit_body={"days": 0})
    p = {x["class"]: x["units"] for x in preview(rig)}
    rig.check(p["audit_body"] > 10, p)
    did = shred(rig)
    # that it was asked for is itself a body
    rig.check(p["audit_body"] <= did["audit_body"] <= p["audit_body"] + 3,
              (p, did))
    policy(rig, audit_body=None)
    rig.ok(rig.put(at, {"delivery": None, "alert": None}), 200)


@test
def the_log_still_verifies(rig):
    out = rig.user_cli("audit", "verify", "--data", str(rig.data))
    rig.eq(out.returncode, 0, out.stdout + out.stderr)


run()
