#!/usr/bin/env python3
"""Triggers fire: once for each happening, in the name of their account and no
further than their owner's rights, not for what their own runs do, not more
often than they say; refusals are on record."""
import sqlite3
import sys
import time
import uuid

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from delegatekit import DRig, person  # noqa: E402
from rig import run, test  # noqa: E402
from runkit import Book, Run, approval, incident, manual  # noqa: E402


def account(rig):
    if not hasattr(rig, "robot"):
        rig.robot, _ = rig.make_account("responder", rig.project)
    return rig.robot


def trigger(rig, book, on, **kw):
    return rig.ok(rig.post(rig.p + "/triggers", {
        "name": book.slug, "runbook": book.slug,
        "service_account": account(rig), "on": on, **kw}), 201).json


def runs(rig, book, n=1, seconds=3):
    """So many, soon; and no more."""
    end = time.monotonic() + seconds
    while True:
        got = rig.get(f"{rig.p}/runs?runbook={book.slug}&limit=200"
                      ).json["items"]
        if len(got) >= n or time.monotonic() > end:
            break
        time.sleep(0.02)
    time.sleep(0.1)
    got = rig.get(f"{rig.p}/runs?runbook={book.slug}&limit=200").json["items"]
    rig.eq(len(got), n, "runs")
    return [Run(rig, x).look() for x in got]


def fired(rig, t, outcome):
    return [x for x in rig.get("/v1/audit?limit=200&action=trigger.fire&"
                               "resource=trigger:" + t["id"]).json["items"]
            if x["outcome"] == outcome]


@test
def an_incident_is_declared(rig):
    b = Book(rig, "declared", [manual("a")], context="incident", inputs=[
        {"name": "what", "type": "string", "required": True}])
    t = trigger(rig, b, "incident_created",
                when={"eq": [{"incident": "severity"}, "sev1"]},
                inputs={"what": {"incident": "title"}})
    rig.make_incident("small", severity="sev4")
    i = rig.make_incident("large", severity="sev1")
    r = runs(rig, b)[0]
    rig.eq((r.json["incident"], r.json["inputs"], r.json["trigger"]),
           (i["id"], {"what": "large"}, t["id"]))
    rig.eq(r.json["requester"]["id"], account(rig))
    rig.eq(len(fired(rig, t, "ok")), 1)
    rig.ok(rig.patch(f"{rig.p}/triggers/{t['id']}", {"enabled": False}), 200)
    rig.make_incident("large too", severity="sev1")
    runs(rig, b)


@test
def what_changed_and_what_it_was(rig):
    b = Book(rig, "worse", [manual("a")])
    t = trigger(rig, b, "incident_updated", when={"all": [
        {"eq": [{"old": "severity"}, "sev3"]},
        {"eq": [{"incident": "severity"}, "sev0"]}]})
    i = rig.make_incident("grows")
    one = f"{rig.p}/incidents/{i['id']}"
    rig.ok(rig.patch(one, {"title": "grows more"}), 200)
    rig.ok(rig.patch(one, {"severity": "sev0"}), 200)
    rig.ok(rig.patch(one, {"severity": "sev0"}), 200)
    r = runs(rig, b)[0]
    # who made the trigger asked for its runs (L14)
    rig.eq(len(fired(rig, t, "ok")), 1)
    r.do("cancel")
    rig.ok(rig.delete(f"{rig.p}/triggers/{t['id']}"), 204)


@test
def alerts_and_key_events(rig):
    opened, closed = (Book(rig, s, [manual("a")])
                      for s in ("opened", "closed"))
    trigger(rig, opened, "alert_opened", guard={"once": True},
            when={"eq": [{"alert": "labels.host"}, "db1"]})
    trigger(rig, closed, "alert_resolved")
    n = rig.make_integration("generic")
    c = rig.client(n["secret"])
    for host in ("db1", "db2"):
        for _ in range(3):
            rig.ok(c.post("/ingest/" + n["id"], {
                "title": "disk " + host, "dedup_key": host,
                "severity": "warning", "labels": {"host": host}}), 202)
    r = runs(rig, opened)[0]
    rig.check(r.json["alert"], "alert")
    rig.ok(rig.post(f"{rig.p}/alerts/{r.json['alert']}/resolve", {}), 200)
    rig.eq(runs(rig, closed)[0].json["alert"], r.json["alert"])
    b = Book(rig, "turning", [manual("a")], context="incident")
    trigger(rig, b, "key_event",
            when={"contains": [{"entry": "text"}, "rollback"]})
    i = rig.make_incident("turns")
    for text, key in (("rollback", False), ("rollback it", True),
                      ("other", True)):
        rig.ok(rig.post(f"{rig.p}/incidents/{i['id']}/timeline",
                        {"text": text, "key_event": key}), 201)
    rig.eq(runs(rig, b)[0].json["incident"], i["id"])


@test
def it_does_not_turn_in_circles(rig):
    b = Book(rig, "loop", [incident("t", timeline="again", key_event=True)],
             context="incident")
    t = trigger(rig, b, "key_event", guard={"depth": 3, "per_hour": 100},
                when={"contains": [{"entry": "text"}, "again"]})
    i = rig.make_incident("spins")
    rig.ok(rig.post(f"{rig.p}/incidents/{i['id']}/timeline",
                    {"text": "again", "key_event": True}), 201)
    rig.eq(sorted(r.json["depth"] for r in runs(rig, b, 3)), [1, 2, 3])
    rig.eq([x["reason"] for x in fired(rig, t, "error")], ["depth"])


@test
def so_many_in_an_hour(rig):
    b = Book(rig, "rate", [manual("a")])
    t = trigger(rig, b, "incident_created", guard={"per_hour": 2})
    for n in range(4):
        rig.make_incident(f"n{n}")
    runs(rig, b, 2)
    rig.eq([x["reason"] for x in fired(rig, t, "error")], ["rate"] * 2)
    j = rig.get(f"{rig.p}/triggers/{t['id']}").json
    rig.eq((j["fired_in_hour"], j["refused"], j["last_refusal"]),
           (2, 2, "rate"))
    rig.ok(rig.delete(f"{rig.p}/triggers/{t['id']}"), 204)


@test
def no_further_than_its_owner(rig):
    u, _ = person(rig, "responder", rig.project)
    b = Book(rig, "owned", [manual("a")])
    t = trigger(rig, b, "incident_created",
                owner={"kind": "user", "id": u})
    rig.make_incident("one")
    runs(rig, b)
    rig.ok(rig.patch("/v1/users/" + u, {"disabled": True}), 200)
    rig.make_incident("two")
    end = time.monotonic() + 3
    while not fired(rig, t, "denied") and time.monotonic() < end:
        time.sleep(0.02)
    runs(rig, b)
    rig.check(len(fired(rig, t, "ok")) == 1, "once")
    rig.eq([x["reason"] for x in fired(rig, t, "denied")], ["rights"])
    rig.ok(rig.delete(f"{rig.p}/triggers/{t['id']}"), 204)


@test
def later_if_it_still_holds(rig):
    b = Book(rig, "later", [manual("a")])
    t = trigger(rig, b, "incident_created", delay_s=1,
                when={"eq": [{"incident": "status"}, "new"]})
    i = rig.make_incident("gone soon")
    rig.make_incident("stays")
    rig.ok(rig.post(f"{rig.p}/incidents/{i['id']}/transitions",
                    {"to": "acknowledged"}), 200)
    rig.eq(rig.get(f"{rig.p}/runs?runbook=later").json["items"], [])
    rig.stop()
    rig.start()
    runs(rig, b)
    rig.ok(rig.delete(f"{rig.p}/triggers/{t['id']}"), 204)


def due(rig, t, at):
    """While nobody serves: its schedule's next time is then."""
    db = sqlite3.connect(rig.data / "db" / "store.db")
    n = db.execute('UPDATE trigger_state SET due = ? WHERE "trigger" = ?',
                   (at, uuid.UUID(t["id"]).bytes)).rowcount
    db.commit()
    db.close()
    rig.eq(n, 1, "its row")


@test
def a_schedule_that_was_missed_is_made_up_for_once(rig):
    b = Book(rig, "yearly", [manual("a")])
    t = trigger(rig, b, "schedule", cron="30 4 1 1 *",
                time_zone="Europe/Vienna")
    at = f"{rig.p}/triggers/{t['id']}"
    next_at = rig.get(at).json["next_at"]
    rig.check(next_at and next_at.endswith("-01-01T03:30:00.000Z"), next_at)
    rig.eq(runs(rig, b, 0, 0), [])
    rig.stop()
    due(rig, t, 1000)  # 1970: it would have been due fifty times since
    rig.start()
    r = runs(rig, b)[0]
    rig.eq((r.json["trigger"], r.json["requester"]["id"]),
           (t["id"], account(rig)))
    rig.eq(rig.get(at).json["next_at"], next_at)
    rig.stop()
    rig.start()
    runs(rig, b)
    rig.stop()
    due(rig, t, 1000)
    rig.start()
    runs(rig, b, 2)
    rig.ok(rig.patch(at, {"enabled": False}), 200)
    rig.eq(rig.get(at).json["next_at"], None)
    rig.ok(rig.delete(at), 204)


@test
def what_cannot_start_says_why(rig):
    b = Book(rig, "why", [manual("a")], context="incident",
             concurrency={"limit": 1, "on_limit": "refuse"}, inputs=[
                 {"name": "what", "type": "string", "max_length": 8,
                  "required": True}])
    t = trigger(rig, b, "incident_created",
                inputs={"what": {"incident": "title"}})
    at = f"{rig.p}/triggers/{t['id']}"

    def why(title):
        rig.make_incident(title)
        end = time.monotonic() + 3
        seen = len(reasons)
        while time.monotonic() < end:
            now = [x["reason"] for x in fired(rig, t, "error")
                   + fired(rig, t, "denied")]
            if len(now) > seen:
                break
            time.sleep(0.02)
        new = list(now)
        for x in reasons:
            new.remove(x)
        reasons.extend(new)
        rig.eq(rig.get(at).json["last_refusal"], new[0] if new else None)
        return new

    reasons = []
    rig.eq(why("too long for it"), ["inputs"])
    rig.ok(rig.patch(at, {"inputs": {"what": "7"}}), 200)
    rig.make_incident("goes")
    r = runs(rig, b)[0]
    rig.eq(why("another is there"), ["busy"])
    rig.ok(rig.post(f"{rig.p}/runs/{r.id}/cancel", {}), 200)
    rig.ok(rig.post(rig.p + "/automation/freeze", {"reason": "test"}), 201)
    rig.eq(why("frozen"), ["frozen"])
    rig.ok(rig.delete(rig.p + "/automation/freeze"), 204)
    rig.ok(rig.delete(at), 204)


if __name__ == "__main__":
    run(DRig)
