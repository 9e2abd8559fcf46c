#!/usr/bin/env python3
"""
Bindings limited to a resource group: whatever way one looks, one sees what is
in the group and nothing else; a group that selects nothing holds nothing.
"""
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import later, run, sse, test  # noqa: E402

CANARY = "quetzal-5501"


def group(rig, **kw):
    rig.n_groups = getattr(rig, "n_groups", 0) + 1
    body = {"name": f"group {rig.n_groups}",
            "types": ["incident", "alert", "integration"], **kw}
    return rig.ok(rig.post("/v1/resource-groups", body), 201).json


def limited(rig, role, g, **kw):
    """An account whose only binding is limited to g."""
    a, c = rig.make_account()
    rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "service_account", "id": a}, "role": role,
        "project": rig.project, "resource_group": g["id"], **kw}), 201)
    tok = rig.make_token(owner=a)
    return a, rig.client(tok)


def world(rig):
    if hasattr(rig, "w"):
        return rig.w
    w = rig.w = {}
    w["db"] = rig.make_incident("db slow", services=["db"], type="slow",
                                severity="sev1", environments=["prod"])
    w["web"] = rig.make_incident(CANARY + " web", services=["web"],
                                 summary=CANARY, environments=["test"])
    w["none"] = rig.make_incident(CANARY + " none")
    w["hidden"] = rig.make_incident(CANARY + " hidden", services=["db"],
                                    private=True)
    for name, service in (("a_db", "db"), ("a_web", "web")):
        title = "alert db" if name == "a_db" else CANARY + " alert"
        w[name] = rig.ok(rig.post(rig.p + "/alerts", {
            "title": title, "service": service, "severity": "info",
            "labels": {"team": service}}), 201).json
    rig.ok(rig.post(rig.p + f"/alerts/{w['a_web']['id']}/promote",
                    {"incident": w["db"]["id"]}), 200)
    w["hook"] = rig.make_integration()
    w["other"] = rig.make_integration()
    return w


def ids(answer):
    return {x["id"] for x in answer.json["items"]}


@test
def only_what_is_in_the_group(rig):
    w, p = world(rig), rig.p
    g = group(rig, services=["db"])
    _, c = limited(rig, "responder", g)
    for q in ("", "?q=db", "?sort=severity", "?service=db", "?limit=1"):
        r = rig.ok(c.get(p + "/incidents" + q), 200)
        rig.eq(ids(r), {w["db"]["id"]}, q)
        rig.check(CANARY not in r.body.decode(), q)
    rig.eq(ids(c.get(p + "/incidents?q=" + CANARY)), set())
    rig.eq(ids(c.get(p + "/incidents?service=web")), set())
    rig.eq(ids(c.get(p + "/alerts")), {w["a_db"]["id"]})
    rig.eq(ids(c.get(p + "/alerts?q=alert")), {w["a_db"]["id"]})
    rig.eq(ids(c.get(f"{p}/alerts?ids={w['a_db']['id']},{w['a_web']['id']}")),
           {w["a_db"]["id"]})
    one = f"{p}/incidents/{w['db']['id']}"
    rig.ok(c.get(one), 200)
    rig.ok(c.get(one + "?include=timeline"), 200)
    rig.ok(c.get(one + "/timeline"), 200)
    # the alert of a visible incident is itself not in the group
    rig.eq(ids(rig.ok(c.get(one + "/alerts"), 200)), set())
    rig.ok(c.get(f"{p}/alerts/{w['a_db']['id']}"), 200)
    rig.ok(c.get(f"{p}/alerts/{w['a_web']['id']}"), 404)
    rig.ok(c.patch(one, {"summary": "looking"}), 200)
    rig.ok(c.post(one + "/timeline", {"text": "note"}), 201)
    rig.ok(c.post(one + "/transitions", {"to": "acknowledged"}), 200)
    rig.ok(c.post(f"{p}/alerts/{w['a_db']['id']}/acknowledge", {}), 200)
    for other in ("web", "none", "hidden"):
        i = w[other]
        for ref in (i["id"], f"INC-{i['number']}", i["number"]):
            hidden(rig, c, f"{p}/incidents/{ref}")
    rig.ok(c.post(f"{p}/alerts/{w['a_web']['id']}/resolve", {}), 404)


def hidden(rig, c, one):
    for path in (one, one + "?include=timeline", one + "/timeline",
                 one + "/alerts", one + "/members"):
        r = c.get(path)
        rig.check(r.status == 404 and CANARY not in r.body.decode(),
                  f"{path} {r!r}")
    for m, path, body in (("PATCH", one, {"title": "x"}),
                          ("POST", one + "/transitions", {"to": "resolved"}),
                          ("POST", one + "/timeline", {"text": "x"})):
        rig.check(c.request(m, path, body).status == 404, m + path)


@test
def events_of_the_group(rig):
    w, p = world(rig), rig.p
    _, c = limited(rig, "viewer", group(rig, services=["db"]))
    start = rig.get("/v1/audit?limit=1").json["items"][0]["seq"]
    for name in ("db", "web", "none", "hidden"):
        rig.ok(rig.post(f"{p}/incidents/{w[name]['id']}/timeline",
                        {"text": "x"}), 201)
    for name in ("a_db", "a_web"):
        rig.ok(rig.post(f"{p}/alerts/{w[name]['id']}/resolve", {}), 200)
    rig.ok(rig.patch(p, {"name": "Default"}), 200)
    rig.ok(rig.patch(f"{p}/integrations/{w['hook']['id']}",
                     {"name": "x"}), 200)
    time.sleep(0.2)
    text = sse(c, "/v1/events", 0.8, last=start)
    told = {n for n in w if w[n]["id"] in text}
    rig.eq(told, {"db", "a_db"})
    rig.check("project.update" in text and  # that, it may know
              "integration.update" not in text, text)
    text = sse(rig, "/v1/events", 0.8, last=start)
    rig.check(all(w[n]["id"] in text for n in w if n not in ("other",)),
              "the administrator hears all")


@test
def what_is_not_narrowed_is_denied(rig):
    """Every other route of the project refuses who is limited to a group."""
    g = group(rig, services=["db"], ids=[world(rig)["hook"]["id"]])
    _, c = limited(rig, "project_admin", g)
    p = rig.p
    for m, path, body in (
            ("PATCH", p, {"name": "x"}), ("DELETE", p, None),
            ("POST", p + "/alerts", {"title": "x"}),
            ("POST", p + "/integrations", {
                "name": "x", "template": "generic",
                "auth": {"kind": "bearer"}}),
            ("POST", f"{p}/alerts/{world(rig)['a_db']['id']}/promote", {}),
            ("GET", "/v1/bindings?project=" + rig.project, None),
            ("POST", "/v1/bindings", {
                "subject": {"kind": "user",
                            "id": rig.get("/v1/whoami").json["id"]},
                "role": "viewer", "project": rig.project})):
        r = c.request(m, path, body)
        rig.check(r.status in (403, 404), f"{m} {path}: {r!r}")
    rig.ok(c.get(p), 200)  # that the project is there, it knows
    rig.eq(ids(c.get(p + "/integrations")), {world(rig)["hook"]["id"]})
    one = p + "/integrations/"
    rig.ok(c.get(one + world(rig)["hook"]["id"]), 200)
    rig.ok(c.get(one + world(rig)["hook"]["id"] + "/deliveries"), 200)
    rig.ok(c.get(one + world(rig)["other"]["id"]), 404)
    rig.ok(c.get(one + world(rig)["other"]["id"] + "/deliveries"), 404)
    rig.ok(c.post(one + world(rig)["other"]["id"] + "/rotate"), 404)
    rig.ok(c.delete(one + world(rig)["other"]["id"]), 404)


@test
def declaring_in_the_group(rig):
    g = group(rig, services=["db"], severities=["sev1", "sev2"])
    _, c = limited(rig, "responder", g)
    p = rig.p + "/incidents"
    rig.ok(c.post(p, {"title": "a", "services": ["db"]}), 403)  # sev3
    rig.ok(c.post(p, {"title": "b", "severity": "sev1"}), 403)
    r = rig.ok(c.post(p, {"title": "c", "severity": "sev1",
                          "services": ["x", "db"]}), 201)
    rig.ok(c.get(f"{p}/{r.json['id']}"), 200)


@test
def an_empty_selector_matches_nothing(rig):
    """L13"""
    w, p = world(rig), rig.p
    g = group(rig)
    _, c = limited(rig, "project_admin", g)
    for path in (p, p + "/incidents", p + "/alerts", p + "/integrations",
                 f"{p}/incidents/{w['db']['id']}",
                 f"{p}/alerts/{w['a_db']['id']}"):
        rig.ok(c.get(path), 404)
    rig.ok(c.post(p + "/incidents", {"title": "x"}), 404)
    # nor does one that is emptied later
    full = group(rig, services=["db"])
    _, d = limited(rig, "viewer", full)
    rig.ok(d.get(f"{p}/incidents/{w['db']['id']}"), 200)
    rig.ok(rig.patch("/v1/resource-groups/" + full["id"],
                     {"services": []}), 200)
    rig.ok(d.get(f"{p}/incidents/{w['db']['id']}"), 404)
    rig.ok(d.get(p + "/incidents"), 404)
    # nor one with no type
    rig.ok(rig.patch("/v1/resource-groups/" + full["id"],
                     {"services": ["db"], "types": []}), 200)
    rig.ok(d.get(p + "/incidents"), 404)
    # what people leave out is not "everything" in lists of names, either
    rig.ok(rig.post("/v1/resource-groups", {"name": "x"}), 400, "missing")


@test
def selectors(rig):
    w, p = world(rig), rig.p
    for kw, sees in ((dict(environments=["prod"]), {"db"}),
                     (dict(incident_types=["slow"]), {"db"}),
                     (dict(severities=["sev1"]), {"db"}),
                     (dict(severities=["sev3"]), {"web", "none"}),
                     (dict(ids=[w["none"]["id"]]), {"none"}),
                     (dict(services=["db"], environments=["test"]), set()),
                     (dict(labels={"team": "db"}), set())):
        _, c = limited(rig, "viewer", group(rig, types=["incident"], **kw))
        got = ids(rig.ok(c.get(p + "/incidents"), 200))
        names = {n for n in ("db", "web", "none", "hidden")
                 if w[n]["id"] in got}
        rig.eq(names, sees, str(kw))
    _, c = limited(rig, "viewer", group(rig, types=["alert"],
                                        labels={"team": "web"}))
    rig.eq(ids(c.get(p + "/alerts")), {w["a_web"]["id"]})
    rig.eq(ids(c.get(p + "/incidents")), set())


@test
def editing_groups(rig):
    g = group(rig, services=["db"], labels={"a": "b=c"},
              project=rig.project)
    rig.eq(g["labels"], {"a": "b=c"})
    rig.eq(g["project"], rig.project)
    at = "/v1/resource-groups/" + g["id"]
    rig.eq(rig.ok(rig.get(at), 200).json, g)
    rig.ok(rig.post("/v1/resource-groups", {
        "name": g["name"], "types": ["alert"]}), 409, "exists")
    for bad in ({"types": ["planet"]}, {"severities": ["sev9"]},
                {"ids": ["x"]}, {"labels": {"a=b": "c"}},
                {"project": "nowhere"}):
        r = rig.post("/v1/resource-groups",
                     {"name": "bad", "types": ["alert"], **bad})
        rig.check(r.status in (400, 404), f"{bad}: {r!r}")
    rig.ok(rig.patch(at, {"project": None}), 400)
    b = rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "user", "id": rig.get("/v1/whoami").json["id"]},
        "role": "viewer", "resource_group": g["id"]}), 201).json
    rig.eq(b["resource_group"], g["id"])
    # it limits the administrator itself, who may not widen it
    rig.ok(rig.patch(at, {"services": ["db", "web"]}), 403)
    rig.ok(rig.delete(at), 409, "conflict")
    rig.ok(rig.delete("/v1/bindings/" + b["id"]), 204)
    rig.ok(rig.patch(at, {"services": ["db", "web"]}), 200)
    rig.ok(rig.delete(at), 204)
    rig.ok(rig.get(at), 404)
    rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "user", "id": rig.get("/v1/whoami").json["id"]},
        "role": "viewer", "resource_group": g["id"]}), 400)


@test
def widening_is_granting(rig):
    """Who may edit groups but lacks what is bound with one cannot widen."""
    g = group(rig, services=["db"])
    limited(rig, "responder", g)
    rig.ok(rig.post("/v1/roles", {
        "name": "group keeper", "permissions": ["role.edit", "role.view"]}),
        201)
    _, keeper = rig.make_account("group keeper")
    at = "/v1/resource-groups/" + g["id"]
    rig.ok(keeper.get(at), 200)
    rig.ok(keeper.patch(at, {"services": ["db", "web"]}), 403)
    unbound = group(rig, services=["db"])
    rig.ok(keeper.patch("/v1/resource-groups/" + unbound["id"],
                        {"services": ["web"]}), 200)


@test
def not_yet_and_no_longer(rig):
    a, c = rig.make_account()
    one = rig.p + "/incidents"
    rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "service_account", "id": a}, "role": "viewer",
        "project": rig.project, "not_before": later(3600),
        "expires_at": later(60)}), 400)
    rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "service_account", "id": a}, "role": "viewer",
        "project": rig.project, "not_before": later(3600)}), 201)
    rig.ok(c.get(one), 404)
    soon = time.strftime("%Y-%m-%dT%H:%M:%S",
                         time.gmtime(time.time() + 2)) + ".000Z"
    end = time.strftime("%Y-%m-%dT%H:%M:%S",
                        time.gmtime(time.time() + 4)) + ".000Z"
    b = rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "service_account", "id": a}, "role": "viewer",
        "project": rig.project, "not_before": soon, "expires_at": end,
        "reason": "a try"}), 201).json
    rig.eq((b["not_before"], b["expires_at"], b["reason"]),
           (soon, end, "a try"))
    c = rig.client(rig.make_token(owner=a))
    rig.ok(c.get(one), 404)
    time.sleep(2.1)
    rig.ok(c.get(one), 200)
    time.sleep(2)
    rig.ok(c.get(one), 404)


@test
def explaining_groups(rig):
    w = world(rig)
    g = group(rig, services=["db"])
    a, c = limited(rig, "viewer", g)
    who = {"kind": "service_account", "id": a}

    def ask(name, perm="incident.view", client=rig, **kw):
        r = client.post("/v1/access/explain", {
            "permission": perm, **kw, "resource": {
                "project": rig.project, "type": "incident",
                "id": w[name]["id"]}})
        return rig.ok(r, 200).json
    x = ask("db", principal=who)
    rig.check(x["allowed"] and x["would_allow_if"] == [], str(x))
    x = ask("web", principal=who)
    rig.eq((x["allowed"], x["rule"]), (False, "no_binding"))
    rig.check("other resources" in str(x["because"]), str(x))
    rig.eq(x["would_allow_if"][0]["do"], "bind")
    x = ask("db", client=c)  # oneself, without naming it
    rig.check(x["allowed"], str(x))
    rig.ok(c.post("/v1/access/explain", {
        "permission": "incident.view", "resource": {
            "project": rig.project, "type": "incident",
            "id": w["web"]["id"]}}), 404)
    r = rig.ok(rig.get("/v1/access/who-can?permission=incident.view&project="
                       f"{rig.project}&resource=incident:{w['db']['id']}"),
               200).json
    rig.check(a in {x["principal"]["id"] for x in r["items"]}, "who can")
    r = rig.ok(rig.get("/v1/access/who-can?permission=incident.view&project="
                       f"{rig.project}&resource=incident:{w['web']['id']}"),
               200).json
    rig.check(a not in {x["principal"]["id"] for x in r["items"]}, "who")
    r = rig.ok(c.get("/v1/access/what-can"), 200).json
    rig.check("incident.view" in r["some_resources"][rig.project], str(r))
    rig.check("incident.view" not in r["projects"].get(rig.project, []),
              str(r))
    rig.ok(c.get("/v1/access/what-can?principal=user:" +
                 rig.get("/v1/whoami").json["id"]), 403)
    rig.ok(c.get("/v1/access/who-can?permission=incident.view"), 403)


run()
