#!/usr/bin/env python3
"""Connectors: exact documents, states, approval by somebody else."""
import concurrent.futures
import hashlib
import sys
import time

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from delegatekit import DRig, canonical  # noqa: E402
from rig import later, run, test  # noqa: E402
from secretkit import sealed  # noqa: E402

C = "/connectors"


def body(slug, **kw):
    out = {"slug": slug, "kind": "jira",
           "base": "https://acme.example.net/jira",
           "actions": ["create_issue", "add_comment"],
           "auth": {"kind": "bearer", "secret": "jira",
                    "scopes": ["write:jira-work"]},
           "delegates": {"labels": {"site": "fra"}},
           "expires_at": later(86400 * 100)}
    out.update(kw)
    return {k: v for k, v in out.items() if v is not None}


def make(rig, slug, **kw):
    return rig.ok(rig.post(rig.p + C, body(slug, **kw)), 201).json


def people(rig):
    """The secret, and two people who may approve."""
    if not hasattr(rig, "ann"):
        rig.make_delegate("keeper of jira")
        rig.ok(rig.post(rig.p + "/secrets", sealed(rig, "jira", b"x" * 20)),
               201)
        rig.ann_id, rig.ann = rig.person("approver", rig.project)
        rig.bob_id, rig.bob = rig.person("project_admin", rig.project)
    return rig.ann, rig.bob


def at(rig, c, verb=""):
    return f"{rig.p}{C}/{c['slug']}" + (f"/{verb}" if verb else "")


def approved(rig, slug, **kw):
    ann, _ = people(rig)
    c = make(rig, slug, **kw)
    c = rig.ok(rig.post(at(rig, c, "submit")), 200).json
    return rig.ok(ann.post(at(rig, c, "approve"), {"digest": c["digest"]}),
                  200).json


@test
def a_document_is_canonical_and_whole(rig):
    c = make(rig, "whole", name="Tickets", hosts=["acme.example.net:443"])
    rig.eq((c["state"], c["version"], c["name"]), ("draft", 1, "Tickets"))
    text = canonical(c["document"])
    rig.eq(hashlib.sha256(text.encode()).hexdigest(), c["digest"])
    rig.check("name" not in c["document"], "the display name is bound")
    acts = {a["name"]: a for a in c["document"]["actions"]}
    rig.eq((acts["create_issue"]["method"], acts["create_issue"]["path"]),
           ("POST", "/rest/api/3/issue"))
    rig.check("description" not in acts["create_issue"], "prose is bound")
    rig.eq(c["reaches"], ["acme.example.net:443"])
    rig.eq((c["usable"], c["approved_by"], c["approval"]),
           (False, None, None))
    one = rig.ok(rig.get(f"{rig.p}{C}/{c['id']}"), 200)
    rig.eq(one.json["document"], c["document"])
    rig.eq(rig.ok(rig.get(at(rig, c)), 200).json["id"], c["id"])
    items = rig.ok(rig.get(rig.p + C), 200).json["items"]
    rig.check(any(x["slug"] == "whole" for x in items), "list")
    kinds = rig.ok(rig.get("/v1/connector-kinds"), 200).json["items"]
    rig.eq(len(kinds), 12)
    rig.eq(sorted(k["kind"] for k in kinds if k["messages"]),
           ["chat", "opsgenie", "pagerduty"])


@test
def what_is_not_exact_is_refused(rig):
    act = {"name": "a", "method": "GET", "path": "/x"}
    for bad in ({"base": "http://acme.example.net"},
                {"base": "https://u:p@acme.example.net"},
                {"base": "https://acme.example.net/../x"},
                {"base": "https://ACME.example.net"},
                {"hosts": ["*.example.net:443"]},
                {"hosts": ["other.example.net:443"]},
                {"hosts": ["acme.example.net:443", "127.1:443"]},
                {"hosts": ["acme.example.net:443", "0x7f.1:443"]},
                {"hosts": ["acme.example.net:443", "10.0.0.8:443"]},
                {"hosts": ["acme.example.net:443",
                           "[::ffff:10.0.0.1]:443"]},
                {"allow_cidrs": ["0.0.0.0/0"]},
                {"kind": "https", "base": "https://hooks.slack.com",
                 "actions": [act]},
                {"actions": ["no_such"]},
                {"actions": []},
                {"actions": [{**act, "path": "/a/%2e%2e"}]},
                {"actions": [{**act, "path": "/{q}"}]},
                {"actions": [{**act, "headers": {"host": "x"}}]},
                {"actions": [{**act, "scopes": ["admin"]}]},
                {"auth": {"kind": "none"}},
                {"auth": {"kind": "bearer"}},
                {"auth": {"kind": "bearer", "secret": "jira"}},
                {"auth": {"kind": "bearer", "secret": "jira",
                          "token": "t"}},
                {"delegates": {"labels": {}}}, {"delegates": {}},
                {"delegates": None}, {"expires_at": None},
                {"min_tls": "1.1"}, {"script_egress": "all"},
                {"verify": False}, {"state": "approved"}):
        r = rig.post(rig.p + C, body("bad", **bad))
        rig.check(r.status == 400, f"{bad}: {r!r}")
    make(rig, "taken")
    rig.ok(rig.post(rig.p + C, body("taken")), 409, "exists")
    rig.ok(rig.post(rig.p + C, body("lan", hosts=[
        "acme.example.net:443", "10.0.0.8:443"],
        allow_cidrs=["10.0.0.0/8"])), 201)


@test
def four_eyes(rig):
    ann, bob = people(rig)
    c = make(rig, "eyes")
    # bob edits, so bob is one of the editors
    c = rig.ok(bob.patch(at(rig, c), {"expires_at": later(86400 * 50)}),
               200).json
    rig.eq((c["state"], c["version"], len(c["editors"])), ("draft", 2, 2))
    rig.ok(ann.post(at(rig, c, "approve"), {"digest": c["digest"]}), 409,
           "bad_transition")
    rig.ok(ann.post(at(rig, c, "submit")), 403)
    c = rig.ok(rig.post(at(rig, c, "submit")), 200).json
    rig.eq(c["state"], "pending")
    # neither editor, nor a machine, nor whoever has not read it
    rig.ok(rig.post(at(rig, c, "approve"), {"digest": c["digest"]}), 403)
    rig.ok(bob.post(at(rig, c, "approve"), {"digest": c["digest"]}), 403)
    _, robot = rig.make_account("approver", rig.project)
    r = rig.ok(robot.post(at(rig, c, "approve"), {"digest": c["digest"]}),
               403)
    rig.check("person" in r.json["detail"], r.json["detail"])
    rig.ok(ann.post(at(rig, c, "approve"), {"digest": "0" * 64}), 412)
    rig.ok(ann.post(at(rig, c, "approve"), {}), 400)
    c = rig.ok(ann.post(at(rig, c, "approve"), {"digest": c["digest"]}),
               200).json
    rig.eq((c["state"], c["usable"], c["approved_by"]),
           ("approved", True, rig.ann_id))
    # the entry a delegate looks for is the one it says
    e = rig.ok(rig.get(f"/v1/audit/{c['approval']}"), 200).json
    rig.eq((e["action"], e["outcome"], e["principal"]["id"]),
           ("connector.approve", "ok", rig.ann_id))
    rig.check({"type": "connector_version",
               "id": f"{c['id']}/2/{c['digest']}"} in e["resource"],
              f"{e['resource']}")


@test
def the_number_of_an_approval_is_its_entrys(rig):
    """Also when many requests share a commit with it."""
    ann, bob = people(rig)
    made = []
    for i in range(12):
        c = make(rig, f"many-{i}")
        made.append(rig.ok(rig.post(at(rig, c, "submit")), 200).json)

    def approve(c):
        me = rig.client(ann.token)
        r = me.post(at(rig, c, "approve"), {"digest": c["digest"]})
        me.close()
        return r

    def noise(i):
        me = rig.client(bob.token)
        r = me.get(at(rig, made[i])) if i % 3 else \
            me.patch(at(rig, made[i]), {"expires_at": "never"})
        me.close()
        return r
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        others = [pool.submit(noise, i) for i in range(12)]
        answers = list(pool.map(approve, made))
        for o in others:
            o.result()
    for r in answers:
        c = rig.ok(r, 200).json
        e = rig.ok(rig.get(f"/v1/audit/{c['approval']}"), 200).json
        rig.eq((e["action"], e["outcome"]), ("connector.approve", "ok"))
        rig.check({"type": "connector_version",
                   "id": f"{c['id']}/1/{c['digest']}"} in e["resource"],
                  f"{c['slug']}: {e['resource']}")


@test
def any_change_of_what_is_bound_waits_again(rig):
    ann, bob = people(rig)
    c = approved(rig, "drift")
    n = rig.ok(rig.patch(at(rig, c), {"name": "other"}), 200).json
    rig.eq((n["state"], n["version"], n["digest"], n["name"]),
           ("approved", 1, c["digest"], "other"))
    for i, change in enumerate((
            {"base": "https://acme.example.net/other"},
            {"hosts": ["acme.example.net:443", "b.example.net:443"]},
            {"actions": ["create_issue"]},
            {"auth": {"kind": "bearer", "secret": "jira", "scopes": [
                "write:jira-work", "read:jira-work"]}},
            {"allow_cidrs": ["10.0.0.0/8"]}, {"min_tls": "1.2"},
            {"delegates": {"labels": {"site": "ber"}}},
            {"expires_at": later(86400 * 20)}, {"script_egress": "pass"})):
        n = rig.ok(rig.patch(at(rig, c), change), 200).json
        rig.eq((n["state"], n["version"], n["approved_by"], n["usable"]),
               ("pending", 2 + i, None, False), f"{change}")
        rig.check("pending" in n["why_not"], n["why_not"])
        # the last approval begins the list of editors anew
        rig.eq(len(n["editors"]), 1)
        n = rig.ok(ann.post(at(rig, c, "approve"), {"digest": n["digest"]}),
                   200).json
        rig.eq(n["state"], "approved")
    # the same again is no change
    same = rig.ok(rig.patch(at(rig, c), {"script_egress": "pass"}), 200).json
    rig.eq((same["state"], same["version"]), ("approved", n["version"]))
    # a member can be taken away, and that is a change too
    n = rig.ok(bob.patch(at(rig, c), {"script_egress": None}), 200).json
    rig.eq((n["state"], n["editors"]), ("pending", [rig.bob_id]))
    rig.ok(bob.post(at(rig, c, "approve"), {"digest": n["digest"]}), 403)


@test
def suspended_and_revoked(rig):
    ann, _ = people(rig)
    c = approved(rig, "stop")
    c = rig.ok(rig.post(at(rig, c, "suspend"), {"reason": "leaked"}),
               200).json
    rig.eq((c["state"], c["usable"], c["reason"]),
           ("suspended", False, "leaked"))
    rig.ok(ann.post(at(rig, c, "approve"), {"digest": c["digest"]}), 409)
    c = rig.ok(rig.post(at(rig, c, "submit")), 200).json
    # who wrote it still cannot approve it
    rig.ok(rig.post(at(rig, c, "approve"), {"digest": c["digest"]}), 403)
    c = rig.ok(ann.post(at(rig, c, "approve"), {"digest": c["digest"]}),
               200).json
    rig.eq(c["usable"], True)
    c = rig.ok(rig.post(at(rig, c, "revoke")), 200).json
    rig.eq(c["state"], "revoked")
    for verb, b in (("submit", None), ("suspend", {}), ("revoke", {}),
                    ("approve", {"digest": c["digest"]})):
        rig.ok((ann if verb == "approve" else rig).post(
            at(rig, c, verb), b), 409)
    rig.ok(rig.patch(at(rig, c), {"min_tls": "1.2"}), 409)
    rig.ok(rig.delete(at(rig, c)), 204)
    rig.ok(rig.get(at(rig, c)), 404)


@test
def no_credential_no_approval(rig):
    people(rig)
    c = make(rig, "bare", auth={"kind": "bearer", "secret": "nowhere",
                                "scopes": ["write:jira-work"]})
    r = rig.ok(rig.post(at(rig, c, "submit")), 409, "connector_unusable")
    rig.check("nowhere" in r.json["detail"], r.json["detail"])
    rig.ok(rig.post(rig.p + "/secrets", sealed(
        rig, "picky", b"y" * 20, connectors=["another"])), 201)
    rig.ok(rig.patch(at(rig, c), {"auth": {
        "kind": "bearer", "secret": "picky",
        "scopes": ["write:jira-work"]}}), 200)
    r = rig.ok(rig.post(at(rig, c, "submit")), 409, "connector_unusable")
    rig.ok(rig.patch(rig.p + "/secrets/picky",
                     {"connectors": ["another", "bare"]}), 200)
    rig.ok(rig.post(at(rig, c, "submit")), 200)
    # and one in use stays
    used = approved(rig, "holds")
    rig.ok(rig.delete(rig.p + "/secrets/jira"), 409, "conflict")
    rig.ok(rig.post(at(rig, used, "revoke")), 200)


@test
def what_a_runbook_names_must_be_there(rig):
    """Not published before its connectors and secrets are there, have what
    it asks for, and let it."""
    ann, _ = people(rig)
    doc = {"slug": "files-issues", "name": "n", "context": "any", "steps": [
        {"id": "ticket", "kind": "http", "connector": "named",
         "action": "add_comment", "params": {"issue": "A-1"}},
        {"id": "go", "kind": "script", "interpreter": "sh",
         "script": "true\n", "secrets": ["named-key"],
         "connectors": ["named"], "delegates": {"labels": {"site": "fra"}}}]}
    r = rig.ok(rig.post(rig.p + "/runbooks", {"document": doc}), 201).json
    path = f"{rig.p}/runbooks/{r['id']}/versions"

    def publish(n, status, word=None):
        text = canonical(rig.get(f"{path}/{n}").json["document"])
        rig.ok(ann.post(f"{path}/{n}/approve", {
            "digest": hashlib.sha256(text.encode()).hexdigest()}),
            200) if n not in done else None
        done.add(n)
        a = rig.ok(rig.post(f"{path}/{n}/publish"), status)
        rig.check(word is None or word in a.json["detail"], f"{a!r}")
    done = set()
    publish(1, 409, "no connector named")
    make(rig, "named", actions=["create_issue"])
    publish(1, 409, "no action add_comment")
    rig.ok(rig.patch(rig.p + C + "/named", {"actions": ["add_comment"]}),
           200)
    publish(1, 409, "text is missing")
    doc["steps"][0]["params"]["text"] = "done"
    doc["steps"][0]["params"]["other"] = "x"
    rig.ok(rig.post(path, {"document": doc}), 201)
    publish(2, 409, "other is none of add_comment")
    del doc["steps"][0]["params"]["other"]
    rig.ok(rig.post(path, {"document": doc}), 201)
    publish(3, 409, "no secret named-key")
    rig.ok(rig.post(rig.p + "/secrets", sealed(
        rig, "named-key", b"y" * 20, runbooks=["another"])), 201)
    publish(3, 409, "is not for runbook files-issues")
    rig.ok(rig.patch(rig.p + "/secrets/named-key",
                     {"runbooks": ["files-issues"]}), 200)
    publish(3, 200)


@test
def expiry(rig):
    ann, _ = people(rig)
    for when, status in ((-60, 409), (86400 * 401, 409), (86400 * 399, 200)):
        c = make(rig, f"ends{status}{abs(when)}", expires_at=later(when))
        rig.ok(rig.post(at(rig, c, "submit")), status)
    c = make(rig, "short", expires_at=later(3))
    c = rig.ok(rig.post(at(rig, c, "submit")), 200).json
    rig.ok(ann.post(at(rig, c, "approve"), {"digest": c["digest"]}), 200)

    def over():
        return not rig.get(at(rig, c)).json["usable"]
    until = time.monotonic() + 10
    while not over() and time.monotonic() < until:
        time.sleep(0.2)
    rig.check(over(), "it never expires")
    rig.check("expired" in rig.get(at(rig, c)).json["why_not"], "why")


@test
def messages_to_people_are_off(rig):
    ann, _ = people(rig)
    c = make(rig, "pager", kind="pagerduty",
             base="https://api.pagerduty.com", actions=["create_incident"],
             auth={"kind": "api_key", "secret": "jira",
                   "header": "authorization", "prefix": "Token token=",
                   "scopes": ["incidents.write"]})
    rig.eq(c["messages"], True)
    rig.eq(rig.get("/v1/policy").json["messaging"], False)
    r = rig.ok(rig.post(at(rig, c, "submit")), 409, "connector_unusable")
    rig.check("messaging" in r.json["detail"], r.json["detail"])
    rig.ok(rig.put("/v1/policy", {"messaging": True}), 200)
    c = rig.ok(rig.post(at(rig, c, "submit")), 200).json
    c = rig.ok(ann.post(at(rig, c, "approve"), {"digest": c["digest"]}),
               200).json
    rig.eq(c["usable"], True)
    # and when it is taken back, what was approved is not used any more
    rig.ok(rig.put("/v1/policy", {"messaging": False}), 200)
    rig.eq(rig.get(at(rig, c)).json["usable"], False)


@test
def other_projects_and_people(rig):
    ann, _ = people(rig)
    rig.ok(rig.post("/v1/projects", {"slug": "elsewhere", "name": "E"}), 201)
    c = make(rig, "mine")
    for path in ("mine", c["id"]):
        rig.ok(rig.get(f"/v1/projects/elsewhere{C}/{path}"), 404)
        rig.ok(rig.post(f"/v1/projects/elsewhere{C}/{path}/revoke"), 404)
    rig.ok(rig.post(f"/v1/projects/elsewhere{C}", body("mine")), 201)
    rig.ok(ann.patch(at(rig, c), {"min_tls": "1.2"}), 403)
    rig.ok(ann.delete(at(rig, c)), 403)
    _, responder = rig.person("responder", rig.project)
    rig.ok(responder.get(at(rig, c)), 403)
    r = rig.ok(rig.patch(at(rig, c), {"name": "x"},
                         headers={"If-Match": '"9"'}), 412)
    rig.check(r.code == "stale", r.code)
    checks = {x["check"]: x for x in rig.get("/v1/posture").json["items"]}
    rig.eq(checks["messaging_off"]["ok"], True)
    rig.check("approved connectors" in checks["connectors_usable"]["detail"],
              "posture")


run(DRig)
