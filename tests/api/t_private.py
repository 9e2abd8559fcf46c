#!/usr/bin/env python3
"""L07: whatever way one looks, one principal sees the same."""
import json
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import run, sse, test  # noqa: E402

SECRET = "zanzibar-7431"


@test
def private_incident(rig):
    rig.ok(rig.post("/v1/projects", {"slug": "other"}), 201)
    member_id, member = rig.make_account("responder", rig.project)
    _, outsider = rig.make_account("responder", rig.project)
    _, commander = rig.make_account("commander", rig.project)
    _, auditor = rig.make_account("auditor")
    start = rig.get("/v1/audit?limit=1").json["items"][0]["seq"]
    i = rig.make_incident(SECRET + " breach", private=True, type="breach",
                          services=["vault"])
    one = rig.p + "/incidents/" + i["id"]
    rig.ok(rig.put(one + "/members", {"members": [
        {"kind": "user", "id": rig.get("/v1/whoami").json["id"]},
        {"kind": "service_account", "id": member_id}]}), 200)
    rig.ok(rig.post(one + "/timeline", {"text": SECRET + " note"}), 201)
    a = rig.ok(rig.post(rig.p + "/alerts", {
        "title": SECRET + " alert", "severity": "info"}), 201).json
    rig.ok(rig.post(rig.p + f"/alerts/{a['id']}/promote",
                    {"incident": i["id"]}), 200)
    time.sleep(0.2)
    for who, sees in ((rig, True), (member, True), (outsider, False),
                      (commander, False)):
        ways(rig, who, i, a, sees, start)
    everywhere_hidden(rig, auditor, start, i, a)


def ways(rig, who, i, a, sees, start):
    p = rig.p
    one = f"{p}/incidents/{i['id']}"
    want = 200 if sees else 404
    for path in (one, f"{p}/incidents/INC-{i['number']}",
                 f"{p}/incidents/{i['number']}", one + "/timeline",
                 one + "/alerts", one + "/members", f"{p}/alerts/{a['id']}",
                 f"{p}/alerts?incident={i['id']}",
                 one + "?include=timeline"):
        r = who.get(path)
        rig.check(r.status == want, f"{path}: {r!r}, want {want}")
        if not sees:
            rig.check(SECRET not in r.body.decode(), path)
    for q in ("", "?type=breach", "?service=vault", "?q=zanzibar",
              "?status=new", "?severity=sev3", "?sort=severity",
              "?sort=oldest", "?from=2020-01-01T00:00:00Z"):
        r = who.get(p + "/incidents" + q)
        ids = [x["id"] for x in r.json["items"]]
        rig.check((i["id"] in ids) == sees, f"incidents{q}: {ids}")
    for q in ("", "?q=zanzibar", "?severity=info", f"?ids={a['id']}"):
        ids = [x["id"] for x in who.get(p + "/alerts" + q).json["items"]]
        rig.check((a["id"] in ids) == sees, f"alerts{q}: {ids}")
    if not sees:
        # a write that would be allowed on a visible one
        for m, path, body in (
                ("PATCH", one, {"title": "x"}),
                ("POST", one + "/transitions", {"to": "resolved"}),
                ("POST", one + "/timeline", {"text": "x"}),
                ("PUT", one + "/members", {"members": []}),
                ("POST", f"{p}/alerts/{a['id']}/acknowledge", {}),
                ("POST", f"{p}/alerts/{a['id']}/resolve", {})):
            r = who.request(m, path, body)
            rig.check(r.status in (403, 404), f"{m} {path}: {r!r}")
        r = who.patch(f"{p}/incidents/{i['id']}", {"title": "x"},
                      headers={"If-Match": '"999"'})
        rig.ok(r, 404)  # and not 412
    text = sse(who, "/v1/events", 0.8, last=start)
    rig.check((i["id"] in text) == sees, f"events: {text[-400:]}")
    rig.check((a["id"] in text) == sees or sees, "events about its alert")


def everywhere_hidden(rig, auditor, start, i, a):
    """An auditor sees that something private was done, not to what."""
    r = rig.ok(auditor.get("/v1/audit?order=asc&limit=200&action=incident.*"),
               200)
    text = r.body.decode()
    rig.check(i["id"] not in text and SECRET not in text, "audit list")
    rig.check("priv:" in text, "audit says that it was private")
    refs = {x["id"] for e in r.json["items"] for x in e["resource"]
            if x["id"].startswith("priv:")}
    rig.check(len(refs) == 1, f"one reference for one incident: {refs}")
    x = rig.ok(auditor.post("/v1/audit/export", {}), 200).body.decode()
    rig.check(i["id"] not in x and SECRET not in x, "export")
    text = sse(auditor, "/v1/audit/stream", 0.8, last=start)
    rig.check(i["id"] not in text and SECRET not in text, "stream")
    rig.check("priv:" in text, "stream says that it was private")


@test
def organization_administrators_too(rig):
    """Existence is hidden from administrators who are no members."""
    _, admin2 = rig.make_account("org_admin")
    i = rig.make_incident("mine", private=True)
    rig.ok(admin2.get(rig.p + "/incidents/" + i["id"]), 404)
    r = rig.ok(admin2.post("/v1/access/explain", {
        "principal": {"kind": "user", "id": rig.get("/v1/whoami").json["id"]},
        "permission": "incident.view",
        "resource": {"project": rig.project}}), 200).json
    rig.eq(r["allowed"], True)
    ids = [x["id"] for x in admin2.get(rig.p + "/incidents").json["items"]]
    rig.check(i["id"] not in ids, "list")


@test
def a_hold_tells_nothing(rig):
    """A legal hold on a private incident is as private: not listed, not
    there, not to be released by who may not know of the incident."""
    i = rig.ok(rig.post(rig.p + "/incidents", {
        "title": "held", "private": True}), 201).json
    plain = rig.make_incident("held too")
    mine, other = (rig.ok(rig.post("/v1/holds", {
        "name": name, "reason": "a case", "project": rig.project,
        "incident": x["id"]}), 201).json["id"]
        for name, x in (("private", i), ("plain", plain)))
    _, c = rig.make_account("project_admin", rig.project)
    rig.ok(c.get(rig.p + "/incidents/" + i["id"]), 404)
    rig.eq([h["id"] for h in c.get("/v1/holds").json["items"]], [other])
    nothing = "/v1/holds/01a22251-a9b9-7c82-9f51-2e06437a13bb"
    for path in ("/v1/holds/" + mine, nothing):
        rig.ok(c.get(path), 404, "not_found")
        rig.ok(c.delete(path, body={"reason": "x"}), 404, "not_found")
    rig.ok(c.post("/v1/holds", {"name": "p", "reason": "x", "incident":
                                i["id"], "project": rig.project}), 404)
    rig.eq({h["id"] for h in rig.get("/v1/holds").json["items"]},
           {mine, other})
    for h in (mine, other):
        rig.ok(rig.delete("/v1/holds/" + h, body={"reason": "over"}), 200)


@test
def retention_tells_nothing(rig):
    """Counted before and after, by who sees retention; which it was is told
    to nobody, who can still prove it."""
    i = rig.ok(rig.post(rig.p + "/incidents", {
        "title": "shredded", "private": True}), 201).json
    plain = rig.make_incident("shredded too")
    for x in (i, plain):
        for to in ("acknowledged", "investigating", "resolved", "closed"):
            rig.ok(rig.post(f"{rig.p}/incidents/{x['id']}/transitions",
                            {"to": to}), 200)
    rig.ok(rig.put(rig.p + "/retention", {"incident": {"days": 0}}), 200)
    _, c = rig.make_account("project_admin", rig.project)
    r = rig.ok(c.get("/v1/retention/preview"), 200)
    rig.check(plain["id"].encode() in r.body and
              i["id"].encode() not in r.body, f"preview {r!r}")
    rig.ok(rig.post("/v1/retention/run"), 202)
    end = time.time() + 10
    while time.time() < end and rig.get(
            rig.p + "/incidents/" + i["id"]).status != 404:
        time.sleep(.1)
    r = rig.ok(c.get("/v1/retention/report"), 200)
    rig.check(plain["id"].encode() in r.body and b"priv:" in r.body and
              i["id"].encode() not in r.body, f"report {r!r}")
    rig.ok(rig.put(rig.p + "/retention", {"incident": None}), 200)


@test
def crawl(rig):
    """Every GET there is, and questions about access, as who is no member
    and as an administrator who is none: the incident is nowhere."""
    i = rig.make_incident(SECRET, private=True, services=[SECRET],
                          security_details=SECRET, type=SECRET)
    one = rig.p + "/incidents/" + i["id"]
    rig.ok(rig.post(one + "/timeline", {"text": SECRET}), 201)
    rig.ok(rig.post("/v1/break-glass", {
        "incident": i["id"], "minutes": 5,
        "reason": "who reviews this reads it, too"}), 201)
    start = rig.get("/v1/audit?limit=1").json["items"][0]["seq"]
    _, outsider = rig.make_account("responder", rig.project)
    _, commander = rig.make_account("commander", rig.project)
    _, admin = rig.make_account("org_admin")
    paths = [p for p, ops in rig.get("/openapi.json").json["paths"].items()
             if "get" in ops and not p.endswith(("/events", "/stream"))]
    asked = 0
    for c in (outsider, commander, admin):
        for p in paths:
            p = p.replace("{p}", rig.project).replace("{i}", i["id"])
            for q in ("", "?limit=200", "?q=" + SECRET,
                      "?type=" + SECRET, f"?incident={i['id']}",
                      "?permission=incident.view&project=" + rig.project +
                      "&resource=incident:" + i["id"]):
                r = c.get(p.replace("{n}", i["id"]).replace("{a}", i["id"])
                          .replace("{s}", str(start - 1)) + q)
                text = r.body.decode(errors="replace")
                rig.check(SECRET not in text and i["id"] not in text,
                          f"{p}{q}: {text[:300]}")
                asked += 1
        for perm in ("incident.view", "incident.edit"):
            r = c.post("/v1/access/explain", {
                "permission": perm, "resource": {
                    "project": rig.project, "type": "incident",
                    "id": i["id"]}})
            rig.ok(r, 404)
        for path in ("/v1/events", "/v1/audit/stream"):
            rig.check(i["id"] not in sse(c, path, 0.4, last=start - 5), path)
    rig.check(asked > 500, f"{asked} questions")


@test
def making_public_again(rig):
    _, outsider = rig.make_account("responder", rig.project)
    i = rig.make_incident("soon public", private=True)
    one = rig.p + "/incidents/" + i["id"]
    rig.ok(outsider.get(one), 404)
    rig.ok(rig.patch(one, {"private": False}), 200)
    rig.ok(outsider.get(one), 200)
    rig.ok(outsider.patch(one, {"private": True}), 403)


@test
def stream_live_and_resume(rig):
    got = []
    t = threading.Thread(
        target=lambda: got.append(sse(rig, "/v1/events", 1.5)))
    t.start()
    time.sleep(0.5)
    i = rig.make_incident("live")
    t.join()
    rig.check(i["id"] in got[0] and "event: incident.create" in got[0],
              got[0][-300:])
    seq = [l for l in got[0].split("\n") if l.startswith("id: ")][-1][4:]
    j = rig.make_incident("later")
    text = sse(rig, "/v1/events", 0.8, last=seq)
    rig.check(j["id"] in text and i["id"] not in text, "resumed")
    data = [json.loads(l[6:]) for l in text.split("\n")
            if l.startswith("data: ")]
    rig.check(all(d["seq"] > int(seq) for d in data), "after the last seen")


@test
def streams_per_principal(rig):
    _, c = rig.make_account("viewer", rig.project)
    open_ones = []
    for k in range(9):
        s = rig.raw()
        s.sendall((f"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n"
                   f"Authorization: Bearer {c.token}\r\n\r\n").encode())
        s.settimeout(5)
        head = s.recv(4096).decode()
        rig.check(head.startswith("HTTP/1.1 " + ("200" if k < 8 else "429")),
                  f"stream {k + 1}: {head[:60]}")
        open_ones.append(s)
    for s in open_ones:
        s.close()


@test
def revocation_ends_a_stream(rig):
    a, c = rig.make_account("viewer", rig.project)
    s = rig.raw()
    s.sendall((f"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n"
               f"Authorization: Bearer {c.token}\r\n\r\n").encode())
    s.settimeout(5)
    s.recv(4096)
    tok = rig.get("/v1/tokens?owner=" + a).json["items"][0]["id"]
    rig.ok(rig.delete("/v1/tokens/" + tok), 204)
    end, data = time.time() + 3, b"x"
    while data and time.time() < end:
        try:
            data = s.recv(4096)
            if b"0\r\n\r\n" in data:
                data = b""
        except TimeoutError:
            break
    rig.check(not data, "the stream went on after revocation")


run()
