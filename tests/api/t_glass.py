#!/usr/bin/env python3
"""
Breaking the glass: a way into what one is kept out of that everybody sees,
that is written down wherever it leads, and that somebody else reviews.
"""
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import run, sse, test  # noqa: E402

WHY = "the on-call person does not answer"
CANARY = "axolotl-9917"


def use(c, status=201, **kw):
    body = {"reason": WHY, "minutes": 5, **kw}
    return c.rig.ok(c.post("/v1/break-glass", body), status)


def private(rig):
    i = rig.make_incident(CANARY, private=True, services=["vault"])
    return i, f"{rig.p}/incidents/{i['id']}"


@test
def into_a_private_incident(rig):
    i, one = private(rig)
    a, c = rig.make_account("commander", rig.project)
    _, viewer = rig.make_account("viewer", rig.project)
    rig.ok(c.get(one), 404)
    start = rig.get("/v1/audit?limit=1").json["items"][0]["seq"]
    g = use(c, incident=i["id"]).json
    rig.eq((g["incident"], g["role"], g["state"]),
           (i["id"], "responder", "live"))
    rig.ok(c.get(one), 200)
    rig.ok(c.get(f"{rig.p}/incidents/INC-{i['number']}/timeline"), 200)
    ids = [x["id"] for x in c.get(rig.p + "/incidents").json["items"]]
    rig.check(i["id"] in ids, "list")
    rig.ok(c.post(one + "/timeline", {"text": "looking"}), 201)
    # its members see who broke the glass, and why
    d = rig.ok(rig.get(one + "?include=timeline"), 200).json
    rig.eq([x["id"] for x in d["break_glass"]], [g["id"]])
    e = [x for x in d["timeline"] if x["kind"] == "break_glass"]
    rig.eq([(x["text"], x["data"]["break_glass"], x["actor"]["id"])
            for x in e], [(WHY, g["id"], a)])
    rig.check(all(m["id"] != a for m in
                  rig.get(one + "/members").json["members"]), "no member")
    # it is no way to stay, or to let others in
    rig.ok(c.put(one + "/members", {"members": [
        {"kind": "service_account", "id": a}]}), 403)
    rig.ok(c.patch(one, {"private": False}), 403)
    rig.eq([x["id"] for x in c.get("/v1/whoami").json["break_glass"]],
           [g["id"]])
    # others see that it is broken, not what is behind
    r = rig.ok(viewer.get("/v1/break-glass"), 200)
    x = [x for x in r.json["items"] if x["id"] == g["id"]][0]
    rig.eq((x["incident"], x["reason"]), (None, None))
    rig.check(i["id"] not in r.body.decode() and
              CANARY not in r.body.decode(), "hidden")
    rig.ok(viewer.get(one), 404)
    tagged(rig, start, a, g["id"])
    rig.ok(viewer.delete("/v1/break-glass/" + g["id"]), 403)
    rig.ok(c.delete("/v1/break-glass/" + g["id"]), 204)
    rig.ok(c.get(one), 404)
    ids = [x["id"] for x in c.get(rig.p + "/incidents").json["items"]]
    rig.check(i["id"] not in ids, "over")
    rig.ok(c.delete("/v1/break-glass/" + g["id"]), 409)


def tagged(rig, start, principal, glass):
    """Every entry of the principal since then names the glass."""
    r = rig.ok(rig.get(f"/v1/audit?limit=200&principal={principal}"), 200)
    mine = [e for e in r.json["items"] if e["seq"] > start]
    rig.check(len(mine) >= 7, f"{len(mine)} entries")
    first = min(e["seq"] for e in mine)
    for e in mine:
        rig.check({"type": "break_glass", "id": glass} in e["resource"] or
                  (e["seq"] == first and e["outcome"] == "denied"),
                  str(e))
    r = rig.ok(rig.get("/v1/audit?limit=200&resource=break_glass:" + glass),
               200)
    rig.check(len(r.json["items"]) >= len(mine) - 1, "found by the glass")


@test
def hidden_from_streams_too(rig):
    """Under a glass, what is done to a private incident is told to nobody
    who is no member."""
    i, one = private(rig)
    _, c = rig.make_account("commander", rig.project)
    _, outsider = rig.make_account("responder", rig.project)
    start = rig.get("/v1/audit?limit=1").json["items"][0]["seq"]
    g = use(c, incident=i["id"]).json
    rig.ok(c.post(one + "/timeline", {"text": CANARY}), 201)
    time.sleep(0.2)
    text = sse(outsider, "/v1/events", 0.8, last=start)
    rig.check("timeline.add" not in text and i["id"] not in text, text)
    rig.check("break_glass.use" in text, "that it was broken, they hear")
    text = sse(rig, "/v1/events", 0.8, last=start)
    rig.check("timeline.add" in text and g["id"] in text, text)
    rig.ok(c.delete("/v1/break-glass/" + g["id"]), 204)


@test
def in_a_project(rig):
    _, c = rig.make_account("commander", rig.project)
    _, d = rig.make_account("responder", rig.project)
    post = rig.get("/openapi.json").json["paths"]["/v1/break-glass"]["post"]
    rig.check(post["x-fresh"], "a session must have logged in lately")
    rig.ok(rig.post("/v1/projects", {"slug": "glassless"}), 201)
    use(d, 403, project=rig.project)
    use(c, 404, project="glassless")
    use(c, 404, project="nowhere")
    use(c, 404, incident="0190a000-0000-7000-8000-000000000000")
    use(c, 404, project=rig.project, incident="INC-99999")
    rig.ok(c.patch(rig.p, {"name": "x"}), 403)
    g = use(c, project=rig.project).json
    rig.eq((g["role"], g["incident"]), ("project_admin", None))
    rig.ok(c.patch(rig.p, {"name": "Default"}), 200)
    i = rig.make_incident("banner")
    rig.check(g["id"] in str(rig.get(
        rig.p + "/incidents/" + i["id"]).json["break_glass"]), "banner")
    b = [x for x in rig.get("/v1/bindings?limit=200").json["items"]
         if x.get("break_glass") == g["id"]]
    rig.eq(len(b), 1)
    rig.ok(rig.delete("/v1/bindings/" + b[0]["id"]), 409)
    i, one = private(rig)  # project administrators do not see it either
    rig.ok(c.get(one), 404)
    rig.ok(rig.delete("/v1/break-glass/" + g["id"]), 204)
    rig.ok(c.patch(rig.p, {"name": "x"}), 403)
    # of an alert, an integration, and others: nothing by one incident
    g = use(c, incident=i["id"], role="project_admin").json
    rig.ok(c.get(one), 200)
    rig.ok(c.patch(rig.p, {"name": "x"}), 403)
    rig.ok(c.get(rig.p + "/integrations"), 200)
    rig.eq(c.get(rig.p + "/integrations").json["items"], [])
    rig.ok(c.delete("/v1/break-glass/" + g["id"]), 204)


@test
def reviewing(rig):
    _, c = rig.make_account("commander", rig.project)
    _, auditor = rig.make_account("auditor")
    g = use(c, project=rig.project).json
    at = "/v1/break-glass/" + g["id"]
    rig.ok(c.post(at + "/review", {"note": "good"}), 403)
    rig.ok(auditor.post(at + "/review", {"note": "good"}), 409)
    rig.ok(c.delete(at), 204)
    rig.ok(auditor.post(at + "/review", {}), 400)
    r = rig.ok(auditor.post(at + "/review", {"note": "good"}), 200).json
    rig.eq((r["state"], r["note"], r["reason"]), ("reviewed", "good", WHY))
    r = rig.ok(rig.get(at), 200).json
    rig.check(r["reviewer"] and r["reviewed_at"], str(r))
    out = rig.user_cli("break-glass", "list", "--json")
    rig.check(g["id"] in out.stdout and out.returncode == 0, out.stderr)
    out = rig.user_cli("break-glass", "use", WHY, "--minutes", "1", "--in",
                       rig.project)
    rig.eq(out.returncode, 0, out.stderr)


run()
