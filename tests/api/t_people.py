#!/usr/bin/env python3
"""
Names for ids, and preferences: what pages need of people, told to who has a
right here and nobody else.
"""
import json
import sys
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from browser import GOOD, Browser, make_user  # noqa: E402
from rig import run, test  # noqa: E402

PREFS = "/v1/me/preferences"


def names(client, *ids):
    r = client.get("/v1/people?ids=" + ",".join(ids))
    return r, {p["id"]: p for p in r.json.get("items", [])}


@test
def who_is_behind_an_id(rig):
    _, u, _ = make_user(rig)
    rig.ok(rig.patch("/v1/users/" + u, {"name": "Olga O\u2019Hara"}), 200)
    email, nameless, _ = make_user(rig)
    sa, viewer = rig.make_account("viewer", rig.project)
    hook = rig.make_integration(name="Prometheus")["id"]
    g = rig.ok(rig.post("/v1/groups", {"name": "sre"}), 201).json["id"]
    z = "0190a000-0000-7000-8000-000000000000"
    r, who = names(viewer, u, nameless, sa, hook, g, z)
    rig.ok(r, 200)
    rig.eq(who[u], {"id": u, "kind": "user", "name": "Olga O\u2019Hara"})
    rig.eq(who[nameless]["name"], email.split("@")[0])
    rig.check(email not in r.body.decode(), "an address is told")
    rig.eq((who[sa]["kind"], who[g]["name"], who[hook]["name"]),
           ("service_account", "sre", "Prometheus"))
    rig.check(z not in who, "who is not there")
    # who has no right anywhere is a stranger, who has none in a project does
    # not hear of what is in it
    _, stranger = rig.make_account()
    rig.eq(names(stranger, u, sa, hook, g)[1], {})
    rig.ok(rig.post("/v1/projects", {"slug": "other", "name": "O"}), 201)
    _, away = rig.make_account("viewer", "other")
    rig.eq(set(names(away, u, hook)[1]), {u})
    rig.eq(rig.client(None).get("/v1/people?ids=" + u).status, 401)


@test
def bounds(rig):
    z = "0190a000-0000-7000-8000-000000000000"
    for q, code in (("", "missing"), ("?ids=", "missing"),
                    ("?ids=x", "invalid"), (f"?ids={z},", None),
                    (f"?ids={z},,{z}", "invalid"),
                    ("?ids=" + ",".join([z] * 100), None),
                    ("?ids=" + ",".join([z] * 101), "invalid")):
        r = rig.get("/v1/people" + q)
        rig.check(r.code == code and r.status == (400 if code else 200),
                  f"{q[:50]}: {r!r}")
        if code:
            rig.eq(r.json["errors"][0]["pointer"], "?ids", q[:50])


def found(client, query):
    r = client.get("/v1/people?" + query)
    return r, [(p["kind"], p["name"]) for p in r.json.get("items", [])]


@test
def who_takes_part(rig):
    """Found by name, by who works incidents there, of who sees the project."""
    p = "project=" + rig.ok(rig.post("/v1/projects", {
        "slug": "part", "name": "Part"}), 201).json["slug"]

    def make(name, role=None, **more):
        _, u, _ = make_user(rig, None)
        rig.ok(rig.patch("/v1/users/" + u, {"name": name, **more}), 200)
        if role:
            rig.ok(rig.post("/v1/bindings", {
                "subject": {"kind": "user", "id": u}, "role": role,
                "project": "part"}), 201)
        return u
    make("Zoe Quill", "responder")
    make("zoltan Quirk", "viewer")
    make("Zora Quade")  # has nothing here
    make("Zed Quarz", "responder", disabled=True)
    g = rig.ok(rig.post("/v1/groups", {"name": "zq-night"}), 201).json["id"]
    rig.ok(rig.post("/v1/bindings", {"subject": {"kind": "group", "id": g},
                                     "role": "responder",
                                     "project": "part"}), 201)
    rig.ok(rig.post("/v1/groups", {"name": "zq-idle"}), 201)
    _, responder = rig.make_account("responder", "part")
    r, who = found(responder, p + "&q=qu")
    rig.ok(r, 200)
    rig.eq(who, [("user", "Zoe Quill"), ("user", "zoltan Quirk")])
    rig.check("@" not in r.body.decode(), "an address is told")
    rig.eq(found(responder, p + "&q=ZQ-")[1], [("group", "zq-night")])
    rig.eq(found(responder, p + "&q=nobody")[1], [])
    rig.check(("user", "Zoe Quill") in found(responder, p)[1], "without q")
    for i in range(25):
        make(f"Twin {i}", "viewer")
    rig.eq(len(found(responder, p + "&q=twin")[1]), 20)
    # who only reads is not told, and that is on record
    _, viewer = rig.make_account("viewer", "part")
    rig.ok(found(viewer, p + "&q=qu")[0], 403)
    e = rig.get("/v1/audit?order=desc&limit=1&action=people.read").json
    rig.eq(json.loads(e["items"][0]["leaf"])["outcome"], "denied")
    _, away = rig.make_account("responder", rig.project)
    rig.ok(found(away, p)[0], 404)
    rig.ok(found(responder, "project=none")[0], 404)
    rig.ok(found(responder, p + "&q=" + "x" * 4000)[0], 400)
    rig.ok(found(responder, p + "&ids=" + g)[0], 400)
    rig.ok(found(responder, "q=x")[0], 400, "missing")


def person(rig):
    email, u, _ = make_user(rig)
    b = Browser(rig)
    rig.ok(b.login(email, GOOD), 200)
    b.user = u
    return b


@test
def preferences(rig):
    b, other = person(rig), person(rig)
    r = rig.ok(b.get(PREFS), 200)
    rig.eq(r.json, {"document": {}, "updated_at": None})
    tag = r.headers["etag"]
    doc = {"theme": "dark", "views": [{"name": "Mine \u2603 Axolotl",
                                       "q": "status:new"}], "sound": False}
    new = rig.ok(b.put(PREFS, {"document": doc},
                       headers={"If-Match": tag}), 200)
    rig.eq(new.json["document"], doc)
    # another tab that has read the old one is told so
    rig.ok(b.put(PREFS, {"document": {}}, headers={"If-Match": tag}), 412,
           "stale")
    again = rig.ok(b.put(PREFS, {"document": {**doc, "theme": "light"}},
                         headers={"If-Match": new.headers["etag"]}), 200)
    rig.eq(rig.get(PREFS).json["document"], {})
    rig.eq(other.get(PREFS).json["document"], {})
    rig.eq(b.get(PREFS).json["document"]["theme"], "light")
    rig.stop()
    rig.start()
    b.close()
    rig.eq(b.get(PREFS).json, again.json)
    # sealed, as everything that people write
    for f in rig.data.rglob("*"):
        if f.is_file():
            rig.check(b"Axolotl" not in f.read_bytes(), f"plain in {f}")
    e = rig.get("/v1/audit?order=desc&limit=1&action=preferences.update")
    leaf = json.loads(e.json["items"][0]["leaf"])
    rig.eq((leaf["principal"]["id"], leaf["outcome"]), (b.user, "ok"))
    rig.check("light" not in e.body.decode(), "the log says it")


@test
def preferences_have_bounds(rig):
    b = person(rig)
    fill = 16384 - len('{"x":""}')
    rig.ok(b.put(PREFS, {"document": {"x": "a" * (fill - 1)}}), 200)
    raw = '{"document":{"x":"%s"}}'
    rig.ok(b.request("PUT", PREFS, raw % ("a" * fill), raw=True), 200)
    r = b.request("PUT", PREFS, raw % ("a" * (fill + 1)), raw=True)
    rig.ok(r, 400, "invalid")
    rig.eq([(e["pointer"], e["code"]) for e in r.json["errors"]],
           [("/document", "too_long")])
    for body, at in (({}, "/document"), ({"document": []}, "/document"),
                     ({"theme": "dark"}, "/theme")):
        r = b.put(PREFS, body)
        rig.check(r.status == 400 and
                  r.json["errors"][0]["pointer"] == at, f"{body}: {r!r}")
    _, program = rig.make_account("viewer", rig.project)
    rig.ok(program.get(PREFS), 403)
    rig.ok(program.put(PREFS, {"document": {}}), 403)


@test
def they_go_with_the_person(rig):
    b = person(rig)
    rig.ok(b.put(PREFS, {"document": {"a": 1}}), 200)
    rig.ok(rig.delete("/v1/users/" + b.user), 204)
    c = person(rig)
    rig.ok(c.put(PREFS, {"document": {"a": 1}}), 200)
    rig.ok(rig.post(f"/v1/users/{c.user}/anonymize", {"reason": "left"}), 200)
    rig.stop()
    rig.start()  # and nothing is left that cannot be read
    rig.ok(rig.get("/v1/whoami"), 200)


run()
