#!/usr/bin/env python3
"""Runbooks: documents, versions, approval by others, publishing."""
import copy
import hashlib
import json
import pathlib
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from delegatekit import canonical, person  # noqa: E402
from rig import TOP, run, test  # noqa: E402

VALID = json.loads((TOP / "tests/vectors/runbook/valid.json").read_text())


def document(slug, **kw):
    d = {"slug": slug, "name": slug, "context": "any", "steps": [
        {"id": "look", "kind": "manual", "instructions": "Look."}]}
    d.update(kw)
    return d


def script(slug, **kw):
    return document(slug, inputs=[
        {"name": "host", "type": "string", "required": True}], steps=[
        {"id": "go", "kind": "script", "interpreter": "sh",
         "script": "echo go\n", "args": [{"input": "host"}],
         "secrets": ["deploy"], "connectors": ["artifacts"],
         "delegates": {"labels": {"site": "fra"}}, **kw}])


def make(rig, slug, **kw):
    r = rig.ok(rig.post(rig.p + "/runbooks", {"document": document(
        slug, **kw)}), 201)
    return rig.p + "/runbooks/" + r.json["id"], r.json


def digest(doc):
    return hashlib.sha256(canonical(doc).encode()).hexdigest()


def approve(client, path, n, d):
    return client.post(f"{path}/versions/{n}/approve", {"digest": d})


@test
def a_document_is_a_first_version(rig):
    path, r = make(rig, "first", pinned=True)
    rig.eq((r["slug"], r["latest"], r["current"], r["pinned"]),
           ("first", 1, None, True))
    rig.eq(rig.ok(rig.get(path), 200).json, r)
    rig.eq(rig.ok(rig.get(rig.p + "/runbooks/first"), 200).json, r)
    rig.check(r in rig.get(rig.p + "/runbooks").json["items"], "list")
    v = rig.ok(rig.get(path + "/versions/1"), 200).json
    doc = document("first", pinned=True)
    rig.eq(v["document"], doc)
    rig.eq(v["digest"], digest(doc))
    rig.eq((v["state"], v["version"], v["approvals"]), ("draft", 1, []))
    for no in ("2", "0", "x", "-1", "99999999999"):
        rig.ok(rig.get(f"{path}/versions/{no}"), 404)
    rig.ok(rig.get(rig.p + "/runbooks/nobody"), 404)
    rig.ok(rig.post(rig.p + "/runbooks", {"document": doc}), 409, "exists")


@test
def everything_that_can_be_in_one(rig):
    r = rig.ok(rig.post(rig.p + "/runbooks", {"document": VALID}), 201).json
    v = rig.ok(rig.get(f"{rig.p}/runbooks/{r['id']}/versions/1"), 200).json
    rig.eq(v["document"], VALID)
    rig.eq(v["digest"], digest(VALID))
    rig.eq(v["approvals_needed"], 2)
    rig.eq({json.dumps(w, sort_keys=True) for w in v["warnings"]}, {
        '{"no_secret": "deploy-key", "step": "restart"}',
        '{"no_secret": "db_password", "step": "restart"}',
        '{"no_connector": "artifacts", "step": "restart"}',
        '{"no_connector": "tracker", "step": "ticket"}'})
    rig.ok(rig.delete(f"{rig.p}/runbooks/{r['id']}"), 204)
    rig.ok(rig.get(f"{rig.p}/runbooks/{r['id']}"), 404)


def edited(op, pointer, text):
    """The valid document with one line of invalid.tsv done to it."""
    doc = copy.deepcopy(VALID)
    parts = [int(p) if p.isdigit() else p for p in pointer.split("/")[1:]]
    at = doc
    if op == "add":
        for p in [x for x in parts if x != ""]:
            at = at[p]
        at.update(json.loads(text))
        return doc
    for p in parts[:-1]:
        at = at[p]
    if op == "del":
        del at[parts[-1]]
    else:
        at[parts[-1]] = json.loads(text)
    return doc


@test
def invalid_documents_are_refused_where_they_are_wrong(rig):
    n = 0
    for line in (TOP / "tests/vectors/runbook/invalid.tsv").read_text(
            ).splitlines():
        op, pointer, code, place, text = line.split("\t")
        doc = edited(op, pointer, text)
        if json.dumps(doc).count("[") > 2000:
            continue
        r = rig.post(rig.p + "/runbooks", {"document": doc})
        if r.status == 400 and r.json["detail"].startswith("body"):
            continue  # the shape of any body was in the way
        tail = place[-100:]
        rig.check(r.status in (400, 413) and r.code == code and
                  tail in r.json["detail"], f"{line[:150]}: {r!r}")
        n += 1
    rig.check(n >= 500, f"{n}")
    print(f"# {n} documents refused")


@test
def an_empty_selector_is_refused(rig):
    """L13"""
    for sel in ({}, {"labels": {}}, None):
        d = script("empty")
        d["steps"][0]["delegates"] = sel
        r = rig.ok(rig.post(rig.p + "/runbooks", {"document": d}), 400,
                   "invalid")
        rig.check("steps[0].delegates" in r.json["detail"], r)
    del d["steps"][0]["delegates"]
    rig.ok(rig.post(rig.p + "/runbooks", {"document": d}), 400, "missing")


@test
def an_edit_is_another_version(rig):
    path, r = make(rig, "edits")
    rig.ok(rig.post(path + "/versions", {"document": document("edits")}),
           409, "exists")  # it says the same
    rig.ok(rig.post(path + "/versions", {"document": document("other")}),
           400, "invalid")
    for i in range(2, 6):
        v = rig.ok(rig.post(path + "/versions", {
            "document": document("edits", name=f"v{i}"),
            "note": f"because {i}"}), 201)
        rig.eq(v.json["version"], i)
        rig.eq(v.headers["location"],
               f"{rig.p}/runbooks/edits/versions/{i}")
    seen, cursor = [], ""
    while cursor is not None:
        page = rig.ok(rig.get(f"{path}/versions?limit=2" + (
            f"&cursor={cursor}" if cursor else "")), 200).json
        seen += [v["version"] for v in page["items"]]
        rig.check(all("document" not in v for v in page["items"]), "short")
        cursor = page["next"]
    rig.eq(seen, [5, 4, 3, 2, 1])
    rig.eq(rig.get(path + "/versions/3").json["note"], "because 3")
    rig.ok(rig.request("PUT", path + "/versions/3", {}), 405)
    rig.ok(rig.request("PATCH", path + "/versions/3", {}), 405)
    rig.eq(rig.get(path).json["latest"], 5)
    rig.ok(rig.post(path + "/versions", {"document": document(
        "edits", name="late")}, headers={"If-Match": '"1"'}), 412)


@test
def others_approve(rig):
    """L14: neither who wrote it nor who uploaded it; bound to what it says;
    once each; by people."""
    author, a = person(rig, "automation_author", rig.project)
    writer, w = person(rig, "project_admin", rig.project)
    one, b = person(rig, "approver", rig.project)
    _, e = person(rig, "approver", rig.project)
    _, robot = rig.make_account("approver", rig.project)
    doc = document("four-eyes", approvals={"count": 2})
    r = rig.ok(w.post(rig.p + "/runbooks", {
        "document": doc, "author": {"kind": "user", "id": one}}), 201).json
    path, d = rig.p + "/runbooks/" + r["id"], digest(doc)
    v = rig.get(path + "/versions/1").json
    rig.eq((v["author"]["id"], v["uploader"]["id"]), (one, writer))
    rig.ok(approve(a, path, 1, d), 403, "forbidden")  # not permitted
    rig.ok(approve(w, path, 1, d), 403)     # uploaded it
    rig.ok(approve(b, path, 1, d), 403)     # wrote it
    rig.ok(approve(robot, path, 1, d), 403)
    rig.ok(approve(e, path, 1, "0" * 64), 409, "conflict")
    rig.ok(approve(e, path, 1, ""), 400)
    rig.ok(e.post(path + "/versions/1/approve", {}), 400)
    rig.ok(w.post(path + "/versions/1/publish"), 409, "conflict")
    v = rig.ok(approve(e, path, 1, d), 200).json
    rig.eq((v["state"], len(v["approvals"])), ("draft", 1))
    rig.ok(approve(e, path, 1, d), 409)     # twice is once
    rig.ok(w.post(path + "/versions/1/publish"), 409)
    _, f = person(rig, "approver", rig.project)
    v = rig.ok(approve(f, path, 1, d), 200).json
    rig.eq((v["state"], len(v["approvals"])), ("approved", 2))
    # another version has no approvals
    rig.ok(w.post(path + "/versions", {"document": document(
        "four-eyes", name="changed", approvals={"count": 1})}), 201)
    rig.eq(rig.get(path + "/versions/2").json["approvals"], [])
    rig.ok(w.post(path + "/versions/2/publish"), 409)
    v = rig.ok(w.post(path + "/versions/1/publish"), 200).json
    rig.eq(v["state"], "published")
    rig.eq(rig.get(path).json["current"], 1)
    # fewer approvals are asked for only after as many agreed
    d2 = rig.get(path + "/versions/2").json["digest"]
    rig.eq(rig.ok(approve(e, path, 2, d2), 200).json["state"], "draft")
    rig.ok(w.post(path + "/versions/2/publish"), 409)
    rig.eq(rig.ok(approve(f, path, 2, d2), 200).json["state"], "approved")
    rig.ok(w.post(path + "/versions/2/publish"), 200)
    rig.eq([x["state"] for x in
            rig.get(path + "/versions").json["items"]],
           ["published", "superseded"])
    rig.eq(rig.get(path).json["name"], "changed")
    # back to what was approved before
    rig.ok(w.post(path + "/versions/1/publish"), 200)
    rig.eq(rig.get(path).json["current"], 1)


@test
def an_approval_is_a_leaf(rig):
    """What delegates ask for: the leaf names runbook, number and digest."""
    _, b = person(rig, "approver", rig.project)
    doc = script("leaf")
    r = rig.ok(rig.post(rig.p + "/runbooks", {"document": doc}), 201).json
    path = rig.p + "/runbooks/leaf"
    v = rig.ok(approve(b, path, 1, digest(doc)), 200).json
    seq = v["approvals"][0]["seq"]
    e = rig.ok(rig.get(f"/v1/audit/{seq}"), 200).json
    rig.eq((e["action"], e["outcome"]), ("runbook.approve", "ok"))
    rig.check({"type": "runbook_version",
               "id": f"{r['id']}/1/{digest(doc)}"} in [
                   {k: x.get(k) for k in ("type", "id")}
                   for x in e["resource"]], f"{e}")
    refused = rig.post(path + "/versions/1/approve", {"digest": digest(doc)})
    rig.ok(refused, 403)
    last = rig.get("/v1/audit?action=runbook.approve&limit=1").json["items"]
    rig.check(last[0]["outcome"] != "ok", f"{last}")


@test
def who_left_does_not_count(rig):
    one, b = person(rig, "approver", rig.project)
    path, _ = make(rig, "left")
    d = rig.get(path + "/versions/1").json["digest"]
    rig.ok(approve(b, path, 1, d), 200)
    rig.ok(rig.patch("/v1/users/" + one, {"disabled": True}), 200)
    rig.ok(rig.post(path + "/versions/1/publish"), 409, "conflict")


@test
def what_was_published_stays(rig):
    _, b = person(rig, "approver", rig.project)
    path, r = make(rig, "stays")
    d = rig.get(path + "/versions/1").json["digest"]
    rig.ok(approve(b, path, 1, d), 200)
    rig.ok(rig.post(path + "/versions/1/publish"), 200)
    rig.ok(rig.post(path + "/versions/1/publish"), 409)
    rig.ok(approve(b, path, 1, d), 409)
    rig.ok(rig.delete(path), 409, "conflict")
    o = rig.ok(rig.patch(path, {"archived": True, "name": "Old", "pinned":
                                True}), 200).json
    rig.eq((o["archived"], o["name"], o["pinned"]), (True, "Old", True))
    rig.ok(rig.post(path + "/versions", {"document": document(
        "stays", name="x")}), 409)
    rig.ok(rig.patch(path, {"slug": "other"}), 400)
    rig.ok(rig.patch(path, {"owner": {"kind": "user", "id":
           "0190a000-0000-7000-8000-000000000000"}}), 400)


@test
def another_project_does_not_see_it(rig):
    rig.ok(rig.post("/v1/projects", {"slug": "other", "name": "O"}), 201)
    _, r = make(rig, "mine")
    for name in (r["id"], "mine"):
        for at in ("", "/versions", "/versions/1"):
            rig.ok(rig.get(f"/v1/projects/other/runbooks/{name}{at}"), 404)
    r = rig.ok(rig.post("/v1/projects/other/runbooks", {
        "document": document("mine")}), 201)  # a slug is of its project
    rig.eq(rig.get("/v1/projects/other/runbooks").json["items"], [r.json])


@test
def a_plan_shows_what_would_run_where(rig):
    doc = script("planned", env={"N": {"run": "id"}}, **{"if": {
        "eq": [{"input": "host"}, "web1"]}})
    doc["steps"][0]["args"] = [{"input": "host"}, {"concat": [
        "--to=", {"input": "host"}]}, {"incident": "severity"}]
    doc["steps"].append({"id": "call", "kind": "http", "connector": "nowhere",
                         "action": "go", "params": {
                             "h": {"input": "host"},
                             "o": {"step": "go", "output": "outcome"}}})
    rig.ok(rig.post(rig.p + "/runbooks", {"document": doc}), 201)
    path = rig.p + "/runbooks/planned/versions/1/plan"
    ds = [rig.ok(rig.post(rig.p + "/delegates", {
        "name": n, "labels": labels}), 201).json for n, labels in (
            ("plan-a", {"site": "fra"}), ("plan-b", {"site": "ber"}))]
    rig.ok(rig.post(path, {}), 400, "missing")
    rig.ok(rig.post(path, {"inputs": {"host": 1}}), 400, "invalid")
    p = rig.ok(rig.post(path, {"inputs": {"host": "web1"}}), 200).json
    rig.eq(p["digest"], digest(doc))
    go, call = p["steps"]
    rig.eq((go["if"], go["args"]), (True, [
        "web1", "--to=web1", {"incident": "severity"}]))
    rig.eq(go["env"], {"N": {"run": "id"}})
    rig.eq(go["secrets"], [{"name": "deploy", "exists": False}])
    rig.eq([x["usable"] for x in go["connectors"]], [False])
    rig.eq(go["delegates"], [])  # a place is no approved delegate
    rig.eq(call["params"], {"h": "web1",
                            "o": {"step": "go", "output": "outcome"}})
    p = rig.ok(rig.post(path, {"inputs": {"host": "db"}}), 200).json
    rig.eq(p["steps"][0]["if"], False)
    _, author = person(rig, "automation_author", rig.project)
    rig.ok(author.post(path, {"inputs": {"host": "db"}}), 403)
    for d in ds:
        rig.ok(rig.delete(f"{rig.p}/delegates/{d['id']}"), 204)


def trigger(rig, **kw):
    a, _ = rig.make_account("responder", rig.project)
    body = {"name": "t", "runbook": "triggered", "service_account": a,
            "on": "incident_updated", "inputs": {
                "host": {"incident": "fields.host"}}}
    body.update(kw)
    return rig.post(rig.p + "/triggers", body)


@test
def triggers(rig):
    rig.ok(rig.post(rig.p + "/runbooks", {"document": script("triggered")}),
           201)
    when = {"all": [{"changed": "severity"},
                    {"eq": [{"old": "severity"}, "sev3"]}]}
    r = rig.ok(trigger(rig, when=when, delay_s=300, guard={"once": True}),
               201).json
    rig.eq((r["when"], r["delay_s"], r["enabled"], r["cron"]),
           (when, 300, True, None))
    path = rig.p + "/triggers/" + r["id"]
    got = rig.ok(rig.get(path), 200).json
    rig.eq({k: got[k] for k in r}, r)
    rig.eq((got["last_fired_at"], got["refused"]), (None, 0))
    rig.eq(rig.get(rig.p + "/triggers").json["items"], [r])
    for bad, at in (({"on": "often"}, "on"), ({"cron": "* * * * *"}, "cron"),
                    ({"inputs": {}}, "inputs.host"),
                    ({"inputs": {"host": 1}}, "inputs.host"),
                    ({"inputs": {"host": "a", "no": 1}}, "inputs.no"),
                    ({"when": {"eq": [1]}}, "when.eq"),
                    ({"guard": {"per_hour": 0}}, "guard.per_hour"),
                    ({"runbook": "nobody"}, "runbook"),
                    ({"service_account":
                      "0190a000-0000-7000-8000-000000000000"}, "service")):
        x = trigger(rig, **bad)
        rig.check(x.status == 400 and x.json["detail"].startswith(at),
                  f"{bad}: {x!r}")
    s = rig.ok(rig.patch(path, {
        "on": "schedule", "cron": "30 2 * * *", "when": None, "delay_s": None,
        "guard": None, "time_zone": "Europe/Berlin",
        "inputs": {"host": "web1"}}), 200).json
    rig.eq((s["when"], s["cron"]), (None, "30 2 * * *"))
    times = rig.ok(rig.get(path + "/next?limit=200"), 200).json["items"]
    rig.eq(len(times), 200)
    rig.check(all(a["at"] < b["at"] for a, b in zip(times, times[1:])),
              "in order")
    rig.check({x["at"][11:16] for x in times} >= {"01:30"}, f"{times[:3]}")
    rig.ok(rig.delete(rig.p + "/runbooks/triggered"), 409)
    rig.ok(rig.delete(path), 204)
    rig.ok(rig.get(path), 404)
    rig.ok(rig.delete(rig.p + "/runbooks/triggered"), 204)


@test
def a_trigger_gives_nobody_more(rig):
    rig.ok(rig.post(rig.p + "/runbooks", {"document": document("rights")}),
           201)
    strong, _ = rig.make_account("project_admin", rig.project)
    weak, _ = rig.make_account("viewer", rig.project)
    _, author = person(rig, "automation_author", rig.project)
    _, admin = person(rig, "project_admin", rig.project)
    body = {"name": "x", "runbook": "rights", "on": "alert_opened"}
    r = author.post(rig.p + "/triggers", {**body, "service_account": weak})
    rig.ok(r, 403)  # may not run it by hand either
    rig.ok(rig.post("/v1/roles", {"name": "both", "permissions": [
        "project.view", "incident.view", "alert.view", "run.view",
        "runbook.view", "runbook.edit", "runbook.run", "token.create"]}), 201)
    _, author = person(rig, "both", rig.project)
    rig.ok(author.post(rig.p + "/triggers", {
        **body, "service_account": weak}), 201)
    r = author.post(rig.p + "/triggers", {**body, "service_account": strong})
    rig.check(r.status == 403 and "you do not" in r.json["detail"], f"{r!r}")
    t = rig.ok(admin.post(rig.p + "/triggers", {
        **body, "service_account": strong}), 201).json
    rig.ok(author.patch(f"{rig.p}/triggers/{t['id']}", {"name": "mine"}), 403)


@test
def it_survives_a_restart_and_rotation(rig):
    path, r = make(rig, "durable")
    before = rig.get(path + "/versions/1").json
    rig.stop()
    rig.start()
    rig.eq(rig.ok(rig.get(path), 200).json, r)
    rig.eq(rig.get(path + "/versions/1").json, before)
    rig.eq(rig.cli("key", "rotate", "--data", str(rig.data)).returncode, 0)
    rig.eq(rig.cli("key", "rewrap", "--data", str(rig.data)).returncode, 0)
    rig.eq(rig.get(path + "/versions/1").json, before)


@test
def a_document_is_sealed(rig):
    word = "canary-of-a-runbook-7312"
    make(rig, "sealed", description=word)
    rig.stop()
    for p in pathlib.Path(rig.dir).rglob("*"):
        if p.is_file():
            rig.check(word.encode() not in p.read_bytes(), f"{p}")
    rig.start()


run()
