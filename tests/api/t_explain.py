#!/usr/bin/env python3
"""
"Why may they not?" is answered with what to do: whoever does it, over the
API, gets what was refused.  The rule is the one the refusal has in the log.
"""
import random
import sys
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from matrix import PERM, ROLES  # noqa: E402
from rig import run, test  # noqa: E402

EXPLAIN = "/v1/access/explain"
R = random.Random(20261128)


def ask(rig, a, perm, project=None, incident=None, token=None):
    body = {"principal": {"kind": "service_account", "id": a},
            "permission": perm}
    if token:
        body["token"] = token
    if project:
        body["resource"] = {"project": project}
        if incident:
            body["resource"].update(type="incident", id=incident)
    return rig.ok(rig.post(EXPLAIN, body), 200).json


def token_of(rig, a, **kw):
    text = rig.make_token(owner=a, **kw)
    t = [t for t in rig.get("/v1/tokens?limit=200&owner=" + a).json["items"]
         if t["key_id"] == text[4:14]][0]
    return t["id"], text


def follow(rig, a, advice, state):
    """Do it; what the next question is asked with is in state."""
    what = advice["do"]
    if what == "enable":
        rig.ok(rig.patch("/v1/service-accounts/" + a, {"disabled": False}),
               200)
    elif what == "bind":
        rig.bind("service_account", a, advice["role"], advice["project"])
    elif what == "add_member":
        at = f"{rig.p}/incidents/{state['incident']}/members"
        m = rig.get(at).json["members"]
        rig.ok(rig.put(at, {"members": m + [
            {"kind": "service_account", "id": a}]}), 200)
    else:
        rig.check(what in ("new_token", "token_scope", "token_project"), what)
        state["token"] = "again"


@test
def advice_is_good(rig):
    rig.ok(rig.post("/v1/projects", {"slug": "other"}), 201)
    private = rig.make_incident("mine", private=True)["id"]
    # what machines of their own kind hold is in no role and no token
    perms = sorted(set(PERM.values()) - {"ingest", "delegate.work"})
    kinds, flipped = set(), 0
    while flipped < 60:
        a, _ = rig.make_account(R.choice(sorted(ROLES)), R.choice(
            [rig.project, "other", None]))
        state = {"incident": R.choice([None, private]), "token": None}
        project = rig.project if state["incident"] else R.choice(
            [None, rig.project, "other"])
        perm = R.choice(perms)
        if project is None and perm.split(".")[0] in ("incident", "alert"):
            continue
        if R.random() < 0.5:
            scopes = R.sample(perms, 8)
            state["token"], _ = token_of(
                rig, a, scopes=scopes,
                **({"projects": ["other"]} if R.random() < 0.4 else {}))
        if R.random() < 0.3:
            rig.ok(rig.patch("/v1/service-accounts/" + a,
                             {"disabled": True}), 200)
        x = ask(rig, a, perm, project, **state)
        if x["allowed"]:
            rig.eq(x["would_allow_if"], [])
            continue
        for advice in x["would_allow_if"]:
            follow(rig, a, advice, state)
            kinds.add(advice["do"])
        if state["token"] == "again":
            state["token"], _ = token_of(rig, a, scopes=[perm])
        y = ask(rig, a, perm, project, **state)
        rig.check(y["allowed"], f"{x} then {y}")
        flipped += 1
    rig.check({"enable", "bind", "add_member", "token_scope",
               "token_project"} <= kinds, str(kinds))
    print(f"# {flipped} refusals turned, by {sorted(kinds)}")


@test
def the_rule_is_the_one_on_record(rig):
    a, c = rig.make_account("viewer", rig.project)
    narrow_id, narrow = token_of(rig, a, scopes=["alert.view"])
    for client, token, method, path, body, perm in (
            (c, None, "POST", "/incidents", {"title": "x"},
             "incident.create"),
            (rig.client(narrow), narrow_id, "GET", "/incidents", None,
             "incident.view")):
        rig.ok(client.request(method, rig.p + path, body), 403)
        x = ask(rig, a, perm, rig.project, token=token)
        e = rig.get("/v1/audit?limit=20&outcome=denied&principal=" + a)
        rig.eq(rig.get("/v1/audit/%d" % e.json["items"][0]["seq"]).json[
            "leaf"].count(x["rule"]), 1, x["rule"])


@test
def oneself_and_others(rig):
    a, c = rig.make_account("viewer", rig.project)
    x = rig.ok(c.post(EXPLAIN, {"permission": "incident.view", "resource": {
        "project": rig.project}}), 200).json
    rig.check(x["allowed"] and x["snapshot"] > 0, str(x))
    # which roles would do, and those of the organization's own to who may
    # see roles only
    role = f"own{a[-6:]}"
    rig.ok(rig.post("/v1/roles", {"name": role, "permissions": [
        "incident.create"]}), 201)
    body = {"permission": "incident.create",
            "resource": {"project": rig.project}}
    x = rig.ok(c.post(EXPLAIN, body), 200).json
    rig.check(not x["allowed"] and "responder" in x["roles"] and
              "viewer" not in x["roles"] and role not in x["roles"] and
              x["redacted"] == ["roles"], str(x))
    x = rig.ok(rig.post(EXPLAIN, body), 200).json
    rig.check(role in x["roles"] and x["redacted"] == [], str(x))
    # everybody may ask about themselves, also with no right at all
    _, nobody = rig.make_account()
    x = rig.ok(nobody.post(EXPLAIN, {"permission": "audit.view"}), 200).json
    rig.check(not x["allowed"] and "auditor" in x["roles"], str(x))
    rig.ok(nobody.post(EXPLAIN, body), 404)
    rig.ok(c.post(EXPLAIN, {"permission": "incident.view", "principal": {
        "kind": "user", "id": rig.get("/v1/whoami").json["id"]}}), 403)
    tid, _ = token_of(rig, a)
    me = rig.get("/v1/whoami").json["id"]
    rig.ok(rig.post(EXPLAIN, {
        "permission": "incident.view", "token": tid,
        "principal": {"kind": "user", "id": me}}), 404)


run()
