#!/usr/bin/env python3
"""A person who left: their key is destroyed, their id stays."""
import sqlite3
import sys
import time
import uuid
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from auditkit import operations, said  # noqa: E402
from rig import run, test  # noqa: E402

NAME, MAIL = "Zebulon Quartzmann", "zebulon.quartzmann@example.org"
MARKS = (b"ebulon", b"uartzmann")


def store(rig, sql, *args):
    with sqlite3.connect(f"file:{rig.data}/db/store.db?mode=ro",
                         uri=True) as db:
        return db.execute(sql, args).fetchall()


def make(rig, name=NAME, mail=MAIL):
    u = rig.ok(rig.post("/v1/users", {"email": mail, "name": name}), 201).json
    rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "user", "id": u["id"]}, "role": "responder",
        "project": rig.project}), 201)
    return u


def works(rig, user):
    i = rig.make_incident("worked on by somebody")
    rig.ok(rig.patch(f"{rig.p}/incidents/{i['id']}",
                     {"commander": user["id"]}), 200)
    return i


@test
def every_person_has_a_key(rig):
    """Also the first administrator, who was made before there were any."""
    me = rig.get("/v1/whoami").json["id"]
    end = time.time() + 5
    while time.time() < end and not store(
            rig, "SELECT 1 FROM data_key WHERE class = 5 AND subject = ?",
            uuid.UUID(me).bytes):
        time.sleep(0.05)
    u = make(rig, "Somebody Else", "else@example.org")
    for who in (me, u["id"]):
        (key,), = store(rig, "SELECT id FROM data_key WHERE class = 5 AND "
                        "subject = ?", uuid.UUID(who).bytes)
        (row,), = store(rig, "SELECT sealed FROM object WHERE kind = 2 AND "
                        "id = ?", uuid.UUID(who).bytes)
        rig.eq(int.from_bytes(row[4:8], "big"), key)


@test
def names_are_put_in_when_read(rig):
    i = rig.make_incident("named")
    at = f"{rig.p}/incidents/{i['id']}/timeline"
    me = rig.get("/v1/whoami").json
    rig.ok(rig.post(at, {"text": 'a note ,"actor":{"kind":"user","id":"'}),
           201)

    def actors():
        return [e["actor"] for e in rig.get(at).json["items"]]
    rig.eq({a["name"] for a in actors()}, {me["name"]})
    rig.eq({a["id"] for a in actors()}, {me["id"]})
    rig.ok(rig.patch("/v1/users/" + me["id"], {"name": 'New "N" \\ame'}), 200)
    rig.eq({a["name"] for a in actors()}, {'New "N" \\ame'})
    sa, c = rig.make_account("responder", rig.project)
    r = rig.ok(c.post(at, {"text": "by a program"}), 201).json
    rig.check(r["actor"]["name"].startswith("account "), r["actor"])


@test
def anonymized(rig):
    u = make(rig)
    at = "/v1/users/" + u["id"]
    rig.ok(rig.patch(at, {"name": NAME + " II"}), 200)
    i = works(rig, u)
    subject = uuid.UUID(u["id"]).bytes
    (key, wrapped), = store(rig, "SELECT id, wrapped FROM data_key WHERE "
                            "class = 5 AND subject = ?", subject)
    bodies = [r for r, in store(rig, "SELECT sealed FROM audit_body")
              if int.from_bytes(r[4:8], "big") == key]
    rig.eq(len(bodies), 2)  # of making and of changing them
    # refused: without a reason, by who may not, while a hold is live
    for bad in ({}, {"reason": " "}, {"reason": 1}):
        rig.ok(rig.post(at + "/anonymize", bad), 400)
    _, c = rig.make_account("project_admin", rig.project)
    rig.ok(c.post(at + "/anonymize", {"reason": "left"}), 403)
    me = rig.get("/v1/whoami").json["id"]
    rig.ok(rig.post(f"/v1/users/{me}/anonymize", {"reason": "x"}), 409)
    h = rig.ok(rig.post("/v1/holds", {
        "name": "h", "reason": "a lawsuit", "project": rig.project}),
        201).json
    rig.ok(rig.post(at + "/anonymize", {"reason": "left"}), 409, "held")
    rig.ok(rig.delete(at), 409, "held")
    r = rig.delete("/v1/holds/" + h["id"], body={"reason": "it is over"})
    rig.check(r.status in (200, 204), r)
    r = rig.ok(rig.post(at + "/anonymize", {"reason": "left"}), 200).json
    rig.check(r["disabled"] and r["anonymized_at"], r)
    rig.eq((r["id"], r["name"]), (u["id"], "person " + u["id"][-8:]))
    rig.ok(rig.post(at + "/anonymize", {"reason": "left"}), 409)
    rig.ok(rig.patch(at, {"name": NAME}), 409)
    rig.eq(rig.get(f"{rig.p}/incidents/{i['id']}").json["commander"],
           u["id"])
    e = rig.get("/v1/audit?action=person.anonymize&outcome=ok").json["items"]
    rig.eq([x["resource"] for x in e], [[{"type": "user", "id": u["id"]}]])
    b = rig.get("/v1/bindings?limit=200").json["items"]
    rig.check(all(x["subject"]["id"] != u["id"] for x in b), "bindings")
    # nothing on any route says who it was
    told = 0
    for method, path, body in said(rig, operations(rig), {
            "p": rig.project, "i": i["id"], "n": u["id"], "a": "0",
            "g": "0", "s": "1"}):
        rig.check(not any(m in body for m in MARKS), f"{method} {path}")
        told += len(body)
    rig.check(told > 10000, "was told something")
    # the key is nowhere: what it sealed is noise, here and in every copy;
    # in the log ahead of the store, too, while the server runs
    end = time.time() + 10
    while time.time() < end and any(wrapped in f.read_bytes()
                                    for f in rig.data.glob("db/*")):
        time.sleep(0.1)
    rig.check(time.time() < end, "the key left the store's files")
    rig.eq(store(rig, "SELECT 1 FROM data_key WHERE id = ? OR subject = ?",
                 key, subject), [])
    rig.stop()
    for f in rig.data.glob("db/*"):
        data = f.read_bytes()
        rig.check(wrapped not in data and
                  not any(m in data for m in MARKS), f"{f}")
    out = rig.cli("check", "--data", str(rig.data), "--json")
    rig.check("damaged" not in out.stdout, out.stdout[:400])
    out = rig.cli("audit", "verify", "--data", str(rig.data))
    rig.eq(out.returncode, 0, out.stdout + out.stderr)
    rig.start()
    rig.eq(rig.get(at).json["name"], "person " + u["id"][-8:])
    # the address is free again, for somebody else
    n = make(rig)
    rig.check(n["id"] != u["id"], "another")


@test
def by_the_policy(rig):
    """People who were deactivated go when the retention policy says so."""
    u = make(rig, "Gone " + NAME, "gone@example.org")
    stays = make(rig, "Still Here", "here@example.org")
    at = "/v1/users/" + u["id"]
    rig.ok(rig.patch(at, {"disabled": True}), 200)
    rig.ok(rig.put("/v1/policy", {"retention": {"person": {"days": 0}}}), 200)
    end = time.time() + 25
    while time.time() < end and not rig.get(at).json["anonymized_at"]:
        time.sleep(0.2)
    rig.eq(rig.get(at).json["name"], "person " + u["id"][-8:])
    rig.eq(rig.get("/v1/users/" + stays["id"]).json["name"], "Still Here")
    e = rig.get("/v1/audit?action=person.anonymize&principal=system").json
    rig.eq([(x["resource"][0]["id"], x["reason"]) for x in e["items"]],
           [(u["id"], "retention")])


run()
