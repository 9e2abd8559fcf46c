#!/usr/bin/env python3
"""Runs of runbooks: every kind of step through the API, who may see and
decide, what stands in the log, the timeline and the stream."""
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from delegatekit import DRig, person  # noqa: E402
from rig import run, sse, test  # noqa: E402
from runkit import (Book, Run, Worker, approval, incident,  # noqa: E402
                    manual, script)  # noqa: E402


def entries(rig, **q):
    q = "&".join(f"{k}={v}" for k, v in q.items())
    return rig.ok(rig.get("/v1/audit?limit=200&" + q), 200).json["items"]


def refs(e, kind):
    return [x["id"] for x in e["resource"] if x["type"] == kind]


def timeline(rig, i):
    return rig.ok(rig.get(f"{rig.p}/incidents/{i['id']}/timeline?limit=200"),
                  200).json["items"]


@test
def people_do_it(rig):
    b = Book(rig, "by-hand", [manual("look"), manual("fix")],
             inputs=[{"name": "host", "type": "string", "required": True},
                     {"name": "n", "type": "integer", "default": 3}])
    b.start(status=400, code="missing")
    b.start(status=400, inputs={"host": 7})
    b.start(status=400, inputs={"host": "a", "what": 1})
    r = b.start(inputs={"host": "db1"})
    rig.eq((r.state, r.at("look"), r.at("fix")),
           ("running", ("manual", None), ("pending", None)))
    rig.eq(r.json["inputs"], {"host": "db1", "n": 3})
    rig.eq(r.json["digest"], b.digest)
    rig.eq(r.step("look")["waiting_for"]["instructions"], "Do look.")
    r.do("complete", step="fix", status=409)
    r.do("complete", step="nope", status=400)
    r.do("complete", step="look", outputs={"x": 1}, status=400)
    r.do("complete", step="look", note="looked")
    rig.eq(r.at("look"), ("succeeded", None))
    rig.eq(r.step("look")["note"], "looked")
    rig.eq(r.look().at("fix"), ("manual", None))
    r.do("complete", step="fix", failed=True)
    rig.eq((r.state, r.json["code"]), ("failed", "step"))
    rig.eq(r.at("fix"), ("failed", "refused"))
    r.do("complete", step="fix", status=409)
    r.do("cancel", status=409)


@test
def only_whom_it_is_assigned_to(rig):
    u, c = person(rig, "responder", rig.project)
    g = rig.ok(rig.post("/v1/groups", {"name": "fixers", "members": []}),
               201).json
    b = Book(rig, "assigned", [
        manual("one", assignee={"kind": "user", "id": u}),
        manual("two", assignee={"kind": "group", "id": g["id"]})])
    r = b.start()
    r.do("complete", step="one", status=403)
    r.do("complete", c, step="one")
    r.do("complete", c, step="two", status=403)
    rig.ok(rig.patch("/v1/groups/" + g["id"], {
        "members": [{"kind": "user", "id": u}]}), 200)
    r.do("complete", c, step="two")
    rig.eq(r.state, "succeeded")
    rig.eq(r.step("two")["completed_by"], u)


@test
def it_changes_its_incident(rig):
    i = rig.make_incident("Disk full", severity="sev3",
                          fields={"team": "core", "region": "eu"})
    b = Book(rig, "escalate", [
        incident("up", set={"severity": "sev1",
                            "fields.region": {"input": "region"},
                            "summary": {"concat": [
                                {"incident": "title"}, " in ",
                                {"input": "region"}]}},
                 timeline={"concat": ["was ", {"incident": "severity"}]},
                 key_event=True, transition="investigating"),
        {"id": "c", "kind": "condition",
         "when": {"eq": [{"incident": "severity"}, "sev1"]},
         "then": [manual("page")], "else": [manual("sleep")]}],
        context="incident",
        inputs=[{"name": "region", "type": "string", "required": True}])
    b.start(status=400, inputs={"region": "us"})
    start = entries(rig)[0]["seq"]
    r = b.start(inputs={"region": "us"}, incident=f"INC-{i['number']}")
    j = rig.get(f"{rig.p}/incidents/{i['id']}").json
    rig.eq((j["severity"], j["status"], j["summary"], j["fields"]),
           ("sev1", "investigating", "Disk full in us",
            {"region": "us", "team": "core"}))
    # what follows sees what was changed
    rig.eq((r.at("page"), r.at("sleep")),
           (("manual", None), ("pending", None)))
    rig.eq(r.json["incident"], i["id"])
    r.do("complete", step="page")
    rig.eq((r.state, r.at("sleep")), ("succeeded", ("skipped", None)))
    t = timeline(rig, i)
    rig.eq([(x["kind"], x["text"]) for x in t if x["kind"] == "note"],
           [("note", "was sev3")])
    rig.eq([(x["kind"], x["data"]["state"]) for x in t
            if x["kind"].startswith("run_") and
            x["data"].get("step") in (None, "up")],
           [("run_started", "queued"), ("run_step", "running"),
            ("run_step", "succeeded"), ("run_ended", "succeeded")])
    rig.check(all(x["data"]["run"] == r.id for x in t
                  if x["kind"].startswith("run_")), "run")
    rig.check(all(x["source"]["kind"] == "run" and
                  x["source"]["credential"] == r.id
                  for x in t if x["kind"] in ("note", "changed", "status")),
              "source")
    e = [x for x in reversed(entries(rig, resource="run:" + r.id))
         if x["seq"] > start]
    rig.eq([x["action"] for x in e], [
        "run.begin", "run.step", "incident.update", "incident.transition",
        "timeline.add", "run.step.end", "run.step", "run.step", "run.start",
        "run.complete", "run.step.end", "run.step.end", "run.end"])
    rig.check(all(x["principal"]["id"] == rig.get("/v1/whoami").json["id"]
                  for x in e), "principal")
    b.start(inputs={"region": "x"}, incident="INC-99999", status=404)


@test
def a_step_that_is_refused(rig):
    """The run may what its requester may, at each step."""
    a, c = rig.make_account("viewer", rig.project)
    rig.ok(rig.post("/v1/roles", {"name": "runner",
                                  "permissions": ["runbook.run"]}), 201)
    rig.bind("service_account", a, "runner", rig.project)
    i = rig.make_incident("Small")
    b = Book(rig, "meddle", [
        incident("up", set={"severity": "sev0"}, on_failure="continue"),
        incident("move", transition="closed"),
        incident("back", transition="acknowledged")])
    r = b.start(c, incident=i["id"])
    rig.eq((r.at("up"), r.at("move")), (("failed", "forbidden"),) * 2)
    rig.eq(r.state, "failed")
    e = [x for x in entries(rig, resource="run:" + r.id)
         if x["action"] == "incident.update"]
    rig.eq([(x["outcome"], x["principal"]["id"]) for x in e],
           [("denied", a)])
    r = b.start(incident=i["id"])
    rig.eq((r.at("move"), r.at("back")),
           (("succeeded", None), ("failed", "bad_transition")))
    b = Book(rig, "no-incident", [incident("up", set={"severity": "sev0"})])
    rig.eq(b.start().at("up"), ("failed", "no_incident"))


@test
def a_token_bounds_what_it_started(rig):
    i = rig.make_incident("Narrow")
    b = Book(rig, "narrow", [incident("up", set={"severity": "sev0"})])
    c = rig.make_token(("runbook.run", "incident.view"))
    c = rig.client(c)
    rig.eq(b.start(c, incident=i["id"]).at("up"), ("failed", "forbidden"))


@test
def time_passes(rig):
    b = Book(rig, "waits", [
        {"id": "w", "kind": "wait", "seconds": 1},
        {"id": "p", "kind": "parallel", "fail": "first", "branches": [
            [{"id": "v", "kind": "wait", "seconds": 600}],
            [manual("m", timeout_s=1)]], "on_failure": "continue"},
        manual("end", timeout_s=600)], timeout_s=3)
    r = b.start()
    t = time.monotonic()
    rig.eq(r.at("w"), ("waiting", None))
    r.until(lambda r: r.at("m")[0] == "manual")
    rig.check(0.8 < time.monotonic() - t < 2, "one second")
    r.until(lambda r: r.at("end")[0] == "manual")
    rig.eq((r.at("m"), r.at("v"), r.at("p")),
           (("failed", "timed_out"), ("cancelled", "inner"),
            ("failed", "inner")))
    r.until(lambda r: r.state == "failed")
    rig.eq((r.json["code"], r.at("end")),
           ("timed_out", ("cancelled", "timed_out")))


@test
def undone_backwards(rig):
    i = rig.make_incident("Undo")
    note = [incident(f"un{n}", timeline=f"undo {n}") for n in range(3)]
    b = Book(rig, "undo", [
        incident("a", timeline="a", undo=[note[0]]),
        incident("b", timeline="b", undo=[note[1]]),
        manual("c", on_failure="undo", undo=[note[2]])])
    r = b.start(incident=i["id"])
    r.do("complete", step="c", failed=True)
    rig.eq((r.state, r.json["undo_failed"]), ("failed", False))
    rig.eq([x["text"] for x in timeline(rig, i) if x["kind"] == "note"],
           ["a", "b", "undo 1", "undo 0"])
    rig.eq(r.at("un2"), ("skipped", None))


@test
def cancelling(rig):
    b = Book(rig, "stop-it", [manual("a"), manual("b")])
    r = b.start()
    _, v = rig.make_account("viewer", rig.project)
    r.do("cancel", v, status=403)
    etag = rig.get(r.path).headers["etag"]
    rig.ok(rig.post(r.path + "/cancel", {},
                    headers={"If-Match": '"99"'}), 412)
    rig.ok(rig.post(r.path + "/cancel", {"note": "wrong host"},
                    headers={"If-Match": etag}), 200)
    r.look()
    rig.eq((r.state, r.at("a"), r.at("b")),
           ("cancelled", ("cancelled", "cancelled"), ("skipped", None)))
    # with no body, too
    r = b.start()
    rig.ok(rig.post(r.path + "/cancel"), 200)


@test
def one_run_of_a_key(rig):
    b = Book(rig, "keyed", [manual("a")], inputs=[
        {"name": "x", "type": "integer", "default": 1}])
    r = b.start(idempotency="deploy 7")
    rig.eq(b.start(idempotency="deploy 7", status=200).id, r.id)
    b.start(idempotency="deploy 7", inputs={"x": 2}, status=409,
            code="idempotency_reuse")
    rig.check(b.start(idempotency="deploy 8").id != r.id, "another key")
    _, c = rig.make_account("responder", rig.project)
    rig.check(b.start(c, idempotency="deploy 7").id != r.id, "of others")
    # all at once: one
    got = []

    def go():
        c = rig.client(rig.token)
        got.append(c.post(b.path + "/runs", {"idempotency": "race"}))
        c.close()

    threads = [threading.Thread(target=go) for _ in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    rig.eq(len({g.json["id"] for g in got}), 1)
    rig.eq(sorted(g.status for g in got), [200] * 11 + [201])


@test
def so_many_at_a_time(rig):
    b = Book(rig, "queued", [manual("a")],
             concurrency={"limit": 2, "on_limit": "queue"})
    r = [b.start() for _ in range(4)]
    rig.eq([x.state for x in r], ["running"] * 2 + ["queued"] * 2)
    rig.ok(rig.post(r[0].path + "/cancel"), 200)
    rig.eq([x.look().state for x in r],
           ["cancelled", "running", "running", "queued"])
    rig.ok(rig.post(r[3].path + "/cancel"), 200)
    r[1].do("complete", step="a")
    rig.eq([x.look().state for x in r],
           ["cancelled", "succeeded", "running", "cancelled"])
    b = Book(rig, "refused", [manual("a")],
             concurrency={"limit": 1, "on_limit": "refuse"})
    x = b.start()
    b.start(status=409, code="limit_reached")
    x.do("complete", step="a")
    b.start()


@test
def four_eyes(rig):
    """L14: neither who asked nor who wrote it; people only; bound to what it
    asks; before its time is over; once."""
    me, mine = person(rig, "project_admin", rig.project)
    one, a = person(rig, "approver", rig.project)
    two, c = person(rig, "approver", rig.project)
    _, robot = rig.make_account("approver", rig.project)
    b = Book(rig, "careful", [approval("ok", count=2), manual("go")],
             inputs=[{"name": "host", "type": "string", "required": True}])
    r = b.start(mine, inputs={"host": "db1"})
    rig.eq(r.at("ok"), ("approval", None))
    want = r.step("ok")["waiting_for"]
    from runkit import digest
    rig.eq(want["digest"], digest({"inputs": {"host": "db1"}, "run": r.id,
                                   "runbook": b.digest}))
    yes = {"step": "ok", "decision": "approve"}
    r.do("approve", mine, status=403, **yes)
    r.do("approve", rig.writer, status=403, **yes)
    r.do("approve", robot, status=403, **yes)
    _, v = person(rig, "responder", rig.project)
    r.do("approve", v, status=403, **yes)
    r.do("approve", a, status=412, digest="0" * 64, **yes)
    r.do("approve", a, status=400, step="ok", decision="perhaps")
    r.do("approve", a, status=409, step="go", decision="approve")
    r.do("approve", a, digest=want["digest"], note="fine", **yes)
    rig.eq(r.at("ok"), ("approval", None))
    r.do("approve", a, status=409, **yes)
    # an approval is for this run only
    other = b.start(mine, inputs={"host": "db1"})
    rig.eq(other.step("ok").get("decisions"), None)
    other.do("approve", a, status=412, digest=want["digest"], **yes)
    r.do("approve", c, **yes)
    rig.eq((r.at("ok"), r.at("go")),
           (("succeeded", None), ("manual", None)))
    r.do("approve", rig.checker, status=409, **yes)
    d = r.step("ok")["decisions"]
    rig.eq([x["user"] for x in d], [two, one])
    ref = f"{r.id}/ok/{want['digest']}"
    for x in d:
        e = rig.get(f"/v1/audit/{x['seq']}").json
        e = e.get("entry", e)
        rig.eq((e["action"], e["outcome"], e["principal"]["id"],
                refs(e, "run_approval")),
               ("run.approve", "ok", x["user"], [ref]))
    # a no ends it
    other.do("approve", a, step="ok", decision="reject", note="no")
    rig.eq((other.state, other.at("ok")), ("failed", ("failed", "rejected")))
    e = entries(rig, resource="run:" + other.id, action="run.reject")
    rig.eq([x["principal"]["id"] for x in e], [one])
    for x in entries(rig, resource="run:" + r.id, action="run.approve"):
        rig.check((x["outcome"] == "ok") == bool(refs(x, "run_approval")), x)


@test
def approvers_by_name_and_in_time(rig):
    u, a = person(rig, "approver", rig.project)
    _, c = person(rig, "approver", rig.project)
    b = Book(rig, "named", [
        approval("ok", approvers=[{"kind": "user", "id": u}])])
    r = b.start()
    r.do("approve", c, status=403, step="ok", decision="approve")
    r.do("approve", a, step="ok", decision="approve")
    rig.eq(r.state, "succeeded")


@test
def a_private_incident_hides_its_runs(rig):
    member, m = rig.make_account("responder", rig.project)
    _, o = rig.make_account("project_admin", rig.project)
    i = rig.make_incident("Breach at Axolotl", private=True)
    rig.ok(rig.put(f"{rig.p}/incidents/{i['id']}/members", {"members": [
        {"kind": "user", "id": rig.get("/v1/whoami").json["id"]},
        {"kind": "service_account", "id": member}]}), 200)
    b = Book(rig, "hidden", [manual("a")])
    b.start(o, incident=i["id"], status=404)
    r = b.start(incident=i["id"])
    rig.ok(m.get(r.path), 200)
    for verb, body in (("cancel", {}), ("complete", {"step": "a"})):
        rig.ok(o.post(f"{r.path}/{verb}", body), 404)
    rig.ok(o.get(r.path), 404)
    ids = [x["id"] for x in o.get(rig.p + "/runs").json["items"]]
    rig.check(r.id not in ids, "list")
    rig.ok(o.get(f"{rig.p}/runs?incident={i['id']}"), 404)
    ids = [x["id"] for x in m.get(
        f"{rig.p}/runs?incident={i['id']}").json["items"]]
    rig.eq(ids, [r.id])
    seen = {}

    def listen(name, who):
        seen[name] = sse(who, "/v1/events", 1.5)

    ts = [threading.Thread(target=listen, args=x)
          for x in (("m", m), ("o", o))]
    for t in ts:
        t.start()
    time.sleep(0.5)
    r.do("complete", step="a")
    for t in ts:
        t.join()
    rig.check(r.id in str(seen["m"]), f"member: {seen['m']}")
    rig.check(r.id not in str(seen["o"]) and i["id"] not in str(seen["o"]),
              f"outsider: {seen['o']}")
    _, aud = rig.make_account("auditor")
    t = str(aud.get("/v1/audit?limit=200").json)
    rig.check(i["id"] not in t and r.id not in t, "audit")


@test
def listing(rig):
    b = Book(rig, "listed", [manual("a")])
    ids = [b.start().id for _ in range(7)]
    seen, cursor = [], ""
    while cursor is not None:
        p = rig.ok(rig.get(f"{rig.p}/runs?runbook=listed&limit=3" + (
            f"&cursor={cursor}" if cursor else "")), 200).json
        seen += [x["id"] for x in p["items"]]
        cursor = p["next"]
    rig.eq(seen, ids[::-1])
    Run(rig, {"id": ids[0]}).do("cancel")
    p = rig.get(f"{rig.p}/runs?runbook=listed&status=cancelled").json
    rig.eq([x["id"] for x in p["items"]], [ids[0]])
    rig.eq(p["items"][0]["runbook"]["slug"], "listed")
    rig.ok(rig.get(rig.p + "/runs?status=new"), 400)
    rig.ok(rig.get(rig.p + "/runs?runbook=nobody"), 404)
    rig.ok(rig.get(rig.p + "/runs/" + ids[0][:-4] + "0000"), 404)
    rig.ok(rig.post("/v1/projects", {"slug": "elsewhere"}), (201))
    rig.ok(rig.get("/v1/projects/elsewhere/runs/" + ids[0]), 404)


@test
def a_dry_run_shows_and_does_nothing(rig):
    b = Book(rig, "dry", [
        script("go", args=["-h", {"input": "host"}],
               env={"N": {"input": "n"}},
               outputs=[{"name": "v", "type": "string"}]),
        script("later", args=[{"step": "go", "output": "v"}],
               delegates={"labels": {"site": "nowhere"}}),
        incident("up", set={"severity": "sev0"})],
        inputs=[{"name": "host", "type": "string", "required": True},
                {"name": "n", "type": "integer", "default": 4}])
    d = rig.make_delegate("dry one", {"site": "fra"})
    before = len(rig.get(rig.p + "/runs?limit=200").json["items"])
    p = rig.ok(rig.post(b.path + "/runs", {
        "dry_run": True, "inputs": {"host": "db1"}}), 200).json
    rig.eq((p["dry_run"], p["digest"], p["inputs"]),
           (True, b.digest, {"host": "db1", "n": 4}))
    go, later, up = p["steps"]
    rig.eq(go["values"], {"args": ["-h", "db1"], "env": {"N": "4"}})
    rig.eq(go["script"], "echo go\n")
    rig.eq([x["name"] for x in go["delegates"]], ["dry one"])
    rig.eq((later["values"], later["delegates"]), (None, []))
    rig.check(later["values_wait"], later)
    rig.eq(up["kind"], "incident")
    rig.eq(len(rig.get(rig.p + "/runs?limit=200").json["items"]), before)
    rig.ok(rig.post(b.path + "/runs", {"dry_run": True}), 400)
    d.close()


@test
def the_version_that_is_published(rig):
    b = Book(rig, "versions", [manual("a")])
    r = b.start()
    rig.ok(rig.writer.post(b.path + "/versions", {"document": {
        **b.document, "steps": [manual("b")]}}), 201)
    rig.eq(b.start().json["runbook"]["version"], 1)
    b.publish(2)
    rig.eq(b.start().at("b"), ("manual", None))
    # what runs goes on as it began
    r.do("complete", step="a")
    rig.eq(r.state, "succeeded")
    rig.ok(rig.writer.post(rig.p + "/runbooks", {"document": {
        **b.document, "slug": "draft-only"}}), 201)
    rig.ok(rig.post(rig.p + "/runbooks/draft-only/runs", {}), 409)


@test
def standing_still(rig):
    """The kill switch: nothing starts, time limits and people go on."""
    path = rig.p + "/automation/freeze"
    b = Book(rig, "frozen", [manual("a"), manual("b")])
    r = b.start()
    _, v = rig.make_account("responder", rig.project)
    rig.ok(v.post(path, {"reason": "no"}), 403)
    rig.ok(rig.post(path, {}), 400)
    f = rig.ok(rig.post(path, {"reason": "fire in the hall"}), 201).json
    rig.eq((f["frozen"], f["project"]["reason"]), (True, "fire in the hall"))
    rig.ok(rig.post(path, {"reason": "again"}), 200)
    rig.eq(v.get(path).json["project"]["reason"], "fire in the hall")
    b.start(status=409, code="frozen")
    r.do("complete", step="a")
    rig.eq((r.at("a"), r.at("b")), (("succeeded", None), ("pending", None)))
    rig.check(r.json["frozen"], "shown")
    # everywhere, too: both have to go
    rig.ok(v.post("/v1/automation/freeze", {"reason": "no"}), 403)
    rig.ok(rig.post("/v1/automation/freeze", {"reason": "all"}), 201)
    rig.ok(rig.delete(path), 204)
    rig.ok(rig.delete(path), 404)
    rig.eq(r.look().at("b"), ("pending", None))
    b.start(status=409, code="frozen")
    rig.check("all" in str(rig.get("/v1/posture").json), "posture")
    rig.ok(rig.delete("/v1/automation/freeze"), 204)
    rig.eq(rig.get("/v1/automation/freeze").json,
           {"frozen": False, "organization": None})
    rig.eq(r.look().at("b"), ("manual", None))
    e = [(x["action"], x["outcome"]) for x in reversed(entries(rig))
         if x["action"].startswith("automation.") and
         x["action"] != "automation.freeze.read"]
    rig.eq([x for x in e if x[1] == "ok"],
           [("automation.freeze", "ok")] * 3 + [("automation.thaw", "ok")] * 2)


@test
def delegates_do_it(rig):
    i = rig.make_incident("Slow")
    w = Worker(rig.make_delegate("worker", {"site": "fra", "os": "linux"}))
    b = Book(rig, "deploy", [
        script("look", args=["-h", {"input": "host"}],
               outputs=[{"name": "load", "type": "integer"}],
               retry={"times": 1, "backoff_s": 0}),
        {"id": "c", "kind": "condition",
         "when": {"gt": [{"step": "look", "output": "load"}, 5]},
         "then": [script("fix", args=[{"step": "look", "output": "load"}],
                         delegates={"labels": {"os": "linux"}})]}],
        inputs=[{"name": "host", "type": "string", "required": True}],
        outputs=[{"name": "load", "type": "integer",
                  "value": {"step": "look", "output": "load"}}])
    r = b.start(inputs={"host": "db1"}, incident=i["id"])
    rig.eq(r.at("look"), ("running", None))
    t = w.one()
    rig.eq((t.step, t.values), ("look", {"args": ["-h", "db1"], "env": {}}))
    rig.eq(t.text["runbook"]["digest"], b.digest)
    rig.eq(t.text["inputs"], {"host": "db1"})
    t.start()
    rig.eq((r.look().step("look")["began"], r.step("look")["task"]),
           (True, t.id))
    t.result("failed", code="exit", exit=3)
    t2 = w.one()
    rig.eq((t2.step, t2.text["attempt"]), ("look", 2))
    t2.do(outputs={"load": 9})
    t.result("succeeded", status=409, outputs={"load": 1})
    t3 = w.one()
    rig.eq((t3.step, t3.values["args"]), ("fix", ["9"]))
    t3.do()
    r.look()
    rig.eq((r.state, r.json["outputs"]), ("succeeded", {"load": 9}))
    rig.eq(w.lease(), [])
    e = [x for x in entries(rig, resource="run:" + r.id,
                            action="run.step.end")
         if refs(x, "output_digest") and refs(x, "run_step") == ["look"]]
    from runkit import digest
    rig.eq([refs(x, "output_digest") for x in e], [[digest({"load": 9})]])
    rig.check(any(x["data"].get("output_digest") == digest({"load": 9})
                  for x in timeline(rig, i)), "timeline")
    # outputs that the runbook does not name are none
    r = b.start(inputs={"host": "db1"})
    w.one().do(outputs={"load": "many"})
    w.one().do(outputs={"other": 1})
    rig.eq((r.look().state, r.at("look")), ("failed", ("failed", "outputs")))
    w.d.close()


@test
def a_task_is_told_to_end(rig):
    w = Worker(rig.make_delegate("ender", {"site": "ham"}))
    sel = {"delegates": {"labels": {"site": "ham"}}}
    b = Book(rig, "ends", [script("a", timeout_s=1, **sel)])
    r = b.start()
    r.until(lambda r: r.state == "failed")  # nobody took it
    rig.eq(r.at("a"), ("failed", "timed_out"))
    r = b.start()
    t = w.one().start()
    time.sleep(1.2)
    w.lease()
    rig.eq(w.last["cancel"], [t.id])
    rig.eq(r.look().at("a"), ("running", "timed_out"))  # until it ends
    t.result("cancelled")
    rig.eq(r.look().at("a"), ("failed", "timed_out"))
    r = b.start()
    t = w.one().start()
    rig.ok(rig.post(r.path + "/cancel"), 200)
    rig.eq((r.look().state, r.json["stopping"]), ("running", True))
    t.result("cancelled")
    rig.eq(r.look().state, "cancelled")
    # frozen: what runs is stopped, nothing is leased
    b = Book(rig, "ends-too", [script("a", on_failure="continue", **sel),
                               script("b", **sel)])
    r = b.start()
    t = w.one().start()
    path = rig.p + "/automation/freeze"
    rig.ok(rig.post(path, {"reason": "stop"}), 201)
    w.lease()
    rig.eq((w.last["cancel"], w.last["frozen"]), ([t.id], True))
    t.result("cancelled")
    rig.eq((r.look().at("a"), r.at("b")),
           (("failed", "cancelled"), ("pending", None)))
    rig.eq(w.lease(), [])
    rig.ok(rig.delete(path), 204)
    w.one().do()
    rig.eq((r.look().at("b"), r.state), (("succeeded", None), "succeeded"))
    w.d.close()


@test
def rights_are_asked_at_each_step(rig):
    a, c = rig.make_account("responder", rig.project)
    w = Worker(rig.make_delegate("rights", {"site": "muc"}))
    sel = {"delegates": {"labels": {"site": "muc"}}}
    b = Book(rig, "rights", [script("a", **sel), script("b", **sel)])
    r = b.start(c)
    t = w.one().start()
    rig.ok(rig.patch("/v1/service-accounts/" + a, {"disabled": True}), 200)
    t.result()
    rig.eq((r.look().at("a"), r.at("b")),
           (("succeeded", None), ("failed", "forbidden")))
    rig.eq(w.lease(), [])
    w.d.close()


@test
def a_restart_in_between(rig):
    b = Book(rig, "restart", [
        {"id": "w", "kind": "wait", "seconds": 4}, manual("a"),
        approval("ok")])
    r = b.start()
    rig.stop()
    rig.start()
    rig.eq(r.look().at("w"), ("waiting", None))
    r.until(lambda r: r.at("a")[0] == "manual")
    r.do("complete", step="a")
    rig.stop()
    rig.start()
    rig.checker.close()
    r.look().do("approve", rig.checker, step="ok", decision="approve")
    rig.eq(r.state, "succeeded")


if __name__ == "__main__":
    run(DRig)
