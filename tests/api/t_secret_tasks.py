#!/usr/bin/env python3
"""
Secrets and connectors on their way: what a task carries, for whom, and what
is on record of it.
"""
import hashlib
import sys
import time

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from delegatekit import (DRig, canonical, make_runbook,  # noqa: E402
                         script_step, start_run)
from rig import later, run, test  # noqa: E402
from secretkit import open_value, sealed, unb64, version  # noqa: E402


def equip(rig):
    if hasattr(rig, "d"):
        return rig.d
    rig.d = rig.make_delegate("d", {"site": "fra"})
    rig.ann_id, rig.ann = rig.person("approver", rig.project)
    for name in ("jira", "deploy", "vault-token"):
        rig.ok(rig.post(rig.p + "/secrets", sealed(
            rig, name, b"the value of " + name.encode())), 201)
    connector(rig, "tickets", "jira", ["add_comment"], "jira",
              ["write:jira-work"])
    connector(rig, "vault", "vault", ["health"], "vault-token")
    rig.ok(rig.post(rig.p + "/secrets", {"name": "db", "external": {
        "connector": "vault", "path": "kv/data/db", "field": "password"}}),
        201)
    return rig.d


def connector(rig, slug, kind, actions, secret, scopes=()):
    c = rig.ok(rig.post(rig.p + "/connectors", {
        "slug": slug, "kind": kind, "base": "https://x.example.net",
        "actions": actions, "auth": {
            "kind": "bearer", "secret": secret, "scopes": list(scopes)},
        "delegates": {"labels": {"site": "fra"}},
        "expires_at": later(86400)}), 201).json
    rig.ok(rig.post(f"{rig.p}/connectors/{slug}/submit"), 200)
    return rig.ok(rig.ann.post(f"{rig.p}/connectors/{slug}/approve",
                               {"digest": c["digest"]}), 200).json


def opened(rig, e):
    """{name: (version, value)} of a task's secrets."""
    return {s["name"]: (s["version"], open_value(
        rig.d.sealing, e["project_slug"], s["name"], unb64(s["data"]),
        unb64(s["box"]))) for s in e["secrets"] if "data" in s}


def uses(rig, name):
    return rig.ok(rig.get(f"{rig.p}/secrets/{name}/uses"),
                  200).json["items"]


def done(rig, e):
    rig.ok(rig.d.start(e), 204)
    rig.ok(rig.d.result(e), 204)


def ended(rig, path):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        r = rig.ok(rig.get(path), 200).json
        if r["state"] in ("succeeded", "failed", "cancelled"):
            return r
        time.sleep(0.1)
    rig.fail(f"it does not end: {r['state']}")


@test
def a_scripts_secrets_and_connectors(rig):
    d = equip(rig)
    book = make_runbook(rig, "both", [script_step(
        secrets=["deploy"], connectors=["tickets"])])
    path = start_run(rig, book)
    e = d.one()
    rig.eq(opened(rig, e), {"deploy": (1, b"the value of deploy"),
                            "jira": (1, b"the value of jira")})
    rig.eq([c["slug"] for c in e["connectors"]], ["tickets"])
    c = e["connectors"][0]
    rig.eq(hashlib.sha256(c["document"].encode()).hexdigest(), c["digest"])
    one = rig.ok(rig.get(rig.p + "/connectors/tickets"), 200).json
    rig.eq((c["document"], c["version"], c["id"]),
           (canonical(one["document"]), 1, one["id"]))
    # the approval of that version is there, by its number
    rig.check(one["approval"] in [a["seq"] for a in e["approvals"]],
              "the connector's approval")
    leaf = [a["leaf"] for a in e["approvals"]
            if a["seq"] == one["approval"]][0]
    rig.check(f"{one['id']}/1/{one['digest']}" in leaf, leaf)
    done(rig, e)
    rig.eq(ended(rig, path)["state"], "succeeded")
    for name in ("deploy", "jira"):
        u = uses(rig, name)
        rig.eq([(x["run"], x["delegate"]) for x in u],
               [(path.rsplit("/", 1)[1], d.id)], name)
        a = rig.ok(rig.get(f"/v1/audit/{u[0]['seq']}"), 200).json
        rig.eq((a["action"], a["principal"]["id"]), ("secret.use", d.id))
    rig.eq(uses(rig, "db"), [])


@test
def a_version_is_named_or_the_newest(rig):
    d = equip(rig)
    pinned = make_runbook(rig, "pinned", [script_step(secrets=["deploy@1"])])
    newest = make_runbook(rig, "newest", [script_step(secrets=["deploy"])])
    rig.ok(rig.post(rig.p + "/secrets/deploy/versions", {
        **version(rig, "deploy", b"another value"), "overlap_s": 600}), 201)
    for book, want in ((pinned, (1, b"the value of deploy")),
                       (newest, (2, b"another value"))):
        start_run(rig, book)
        e = d.one()
        rig.eq(opened(rig, e), {"deploy": want})
        done(rig, e)
    # the old one ends now, and what names it cannot run any more
    rig.ok(rig.post(rig.p + "/secrets/deploy/versions", {
        **version(rig, "deploy", b"a third value"), "overlap_s": 0}), 201)
    rig.eq(len(rig.get(rig.p + "/secrets/deploy").json["versions"]), 2)


@test
def elsewhere(rig):
    """The reference, its manager's connector and that one's credential."""
    d = equip(rig)
    start_run(rig, make_runbook(rig, "outside", [script_step(
        secrets=["db"])]))
    e = d.one()
    rig.eq([s for s in e["secrets"] if "external" in s], [{
        "name": "db", "external": {
            "connector": "vault", "path": "kv/data/db",
            "field": "password"}}])
    rig.eq(opened(rig, e), {"vault-token": (1, b"the value of vault-token")})
    rig.eq([c["slug"] for c in e["connectors"]], ["vault"])
    done(rig, e)
    rig.eq(len(uses(rig, "db")), 1)


@test
def who_may_not_does_not_get_it(rig):
    d = equip(rig)
    book = make_runbook(rig, "later-not", [script_step(secrets=["deploy"])])
    rig.ok(rig.patch(rig.p + "/secrets/deploy", {"runbooks": ["another"]}),
           200)
    before = len(uses(rig, "deploy"))
    path = start_run(rig, book)
    rig.check(d.one(wait=1500) is None, "it is leased")
    rig.eq(ended(rig, path)["state"], "failed")
    rig.eq(len(uses(rig, "deploy")), before)
    rig.ok(rig.patch(rig.p + "/secrets/deploy", {"runbooks": []}), 200)
    # a delegate it is not sealed to
    rig.make_delegate("newcomer", {"site": "ber"})
    book = make_runbook(rig, "far", [script_step(
        labels={"site": "ber"}, secrets=["deploy"])])
    path = start_run(rig, book)
    rig.check(d.one(wait=500) is None, "leased by who does not match")


@test
def a_connector_taken_back(rig):
    d = equip(rig)
    book = make_runbook(rig, "taken", [script_step(connectors=["tickets"])])
    rig.ok(rig.post(rig.p + "/connectors/tickets/suspend", {}), 200)
    path = start_run(rig, book)
    rig.check(d.one(wait=1500) is None, "it is leased")
    rig.eq(ended(rig, path)["state"], "failed")


run(DRig)
