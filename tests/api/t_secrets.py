#!/usr/bin/env python3
"""Secrets: ciphertext in, nothing out, versions that end."""
import json
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from delegatekit import DRig, b64, raw  # noqa: E402
from npmkit import NODE  # noqa: E402
from rig import later, run, test  # noqa: E402
from secretkit import (open_value, recipients, seal_value,  # noqa: E402
                       sealed, unb64, version)

ROOT = __file__.rsplit("/tests/", 1)[0]
S = "/secrets"


def delegates(rig):
    if not hasattr(rig, "d1"):
        rig.d1 = rig.make_delegate("d1", {"site": "fra", "os": "linux"})
        rig.d2 = rig.make_delegate("d2", {"site": "fra", "os": "bsd"})
        rig.d3 = rig.make_delegate("d3", {"site": "ber", "os": "linux"})
    return rig.d1, rig.d2, rig.d3


def make(rig, name, value=b"correct horse", **kw):
    delegates(rig)
    b = sealed(rig, name, value, **kw)
    return rig.ok(rig.post(rig.p + S, b), 201).json, b


@test
def recipients_are_approved_and_match(rig):
    d1, d2, d3 = delegates(rig)
    slot = rig.ok(rig.post(rig.p + "/delegates", {
        "name": "slot", "labels": {"site": "fra"}}), 201).json
    out = recipients(rig, {"site": "fra"})
    rig.eq(sorted(r["delegate"] for r in out), sorted([d1.id, d2.id]))
    rig.check(slot["id"] not in str(out), "one that has not joined")
    one = [r for r in out if r["delegate"] == d1.id][0]
    rig.eq((one["key"], one["identity"]),
           (b64(raw(d1.sealing)), b64(raw(d1.identity))))
    rig.eq([r["delegate"] for r in recipients(
        rig, {"site": "fra", "os": "bsd"})], [d2.id])
    for bad in ("", "?labels=", "?labels=site", "?labels=site%3D",
                "?labels=Site%3Dfra"):
        rig.ok(rig.get(rig.p + "/secret-recipients" + bad), 400)
    _, who = rig.make_account("viewer", rig.project)
    rig.ok(who.get(rig.p + "/secret-recipients?labels=site%3Dfra"), 403)


@test
def write_only(rig):
    d1, d2, d3 = delegates(rig)
    s, b = make(rig, "tok", description="of the tracker")
    rig.eq((s["version"], s["external"], s["description"]),
           (1, None, "of the tracker"))
    rig.eq(sorted(r["delegate"] for r in s["versions"][0]["recipients"]),
           sorted([d1.id, d2.id]))
    rig.eq(s["missing"], [])
    seen = json.dumps([s] + [rig.ok(rig.get(rig.p + S + x), 200).json
                             for x in ("", "/tok", "/" + s["id"])])
    for part in [b["data"]] + [x["box"] for x in b["boxes"]]:
        rig.check(part not in seen, "ciphertext is answered")
    # what is kept opens with a delegate's key, and only so
    for d in (d1, d2):
        box = [x["box"] for x in b["boxes"] if x["delegate"] == d.id][0]
        rig.eq(open_value(d.sealing, rig.project, "tok", unb64(b["data"]),
                          unb64(box)), b"correct horse")
    # bound to its name and project
    box = unb64(b["boxes"][0]["box"])
    for project, name in (("elsewhere", "tok"), (rig.project, "other")):
        try:
            open_value(d1.sealing, project, name, unb64(b["data"]), box)
            rig.fail("it opens under another name")
        except Exception:
            pass
    rig.ok(rig.post(rig.p + S, sealed(rig, "tok", b"x" * 9)), 409, "exists")
    # editing it takes secret.edit, using it another right, seeing a third
    for role, read, write in (("viewer", 403, 403), ("responder", 403, 403),
                              ("automation_author", 200, 403),
                              ("project_admin", 200, 204)):
        _, who = rig.make_account(role, rig.project)
        rig.ok(who.get(rig.p + S + "/tok"), read)
        rig.ok(who.delete(rig.p + S + "/tok"), write)


@test
def what_is_no_ciphertext_is_refused(rig):
    d1, d2, d3 = delegates(rig)
    good = sealed(rig, "bad", b"v" * 30)
    one = good["boxes"][0]

    def with_box(**kw):
        return {**good, "boxes": [{**one, **kw}]}
    key, data = seal_value(rig.project, "bad", b"v" * 30)
    for bad in ({**good, "data": "secret"}, {**good, "data": b64(b"x" * 91)},
                {**good, "data": b64(data + b"x")},
                {**good, "data": b64(bytes(12 + 64 * 258 + 16))},
                {**good, "boxes": []}, with_box(box=b64(bytes(79))),
                with_box(box="x"), with_box(delegate=d3.id),
                with_box(delegate="0190a000-0000-7000-8000-000000000000"),
                {**good, "boxes": [{**one, "x": 1}]},
                {**good, "name": "Bad"}, {**good, "name": "../x"},
                {**good, "name": "a@2"}, {**good, "value": "v"},
                {**good, "delegates": {"labels": {}}},
                {k: v for k, v in good.items() if k != "delegates"},
                {k: v for k, v in good.items() if k != "data"},
                {k: v for k, v in good.items() if k != "boxes"},
                {**good, "external": {"connector": "v", "path": "a",
                                      "field": "f"}}):
        r = rig.post(rig.p + S, bad)
        rig.check(r.status == 400, f"{json.dumps(bad)[:120]}: {r!r}")
    rig.ok(rig.post(rig.p + S, with_box(fingerprint="0" * 64)), 409,
           "conflict")
    rig.ok(rig.post(rig.p + S, {**good, "boxes": [one, one]}), 409)
    rig.ok(rig.post(rig.p + S, good), 201)
    # as long as one may be, and a byte more
    rig.ok(rig.post(rig.p + S, sealed(rig, "long", b"v" * 16384)), 201)
    rig.ok(rig.post(rig.p + S, sealed(rig, "longer", b"v" * 16445)), 400)


@test
def rotation_and_destruction(rig):
    before = rows(rig)
    make(rig, "turn", b"the first value")
    first = rows(rig) - before
    rig.eq(len(first), 1)
    r = rig.ok(rig.post(f"{rig.p}{S}/turn/versions", {
        **version(rig, "turn", b"the second one"), "overlap_s": 2}), 201)
    rig.eq([v["version"] for v in r.json["versions"]], [2, 1])
    rig.check(r.json["versions"][1]["ends_at"] is not None, "it never ends")
    rig.eq(r.json["versions"][0]["ends_at"], None)
    second = rows(rig) - before - first
    r = rig.ok(rig.post(f"{rig.p}{S}/turn/versions", {
        **version(rig, "turn", b"the third one"), "overlap_s": 0}), 201)
    # the second one is destroyed at once, the first after its overlap
    rig.eq([v["version"] for v in r.json["versions"]], [3, 1])
    rig.check(not second & rows(rig) and first <= rows(rig), "the second")
    until = time.monotonic() + 10
    while len(rig.get(f"{rig.p}{S}/turn").json["versions"]) > 1 and \
            time.monotonic() < until:
        time.sleep(0.3)
    s = rig.ok(rig.get(f"{rig.p}{S}/turn"), 200).json
    rig.eq([v["version"] for v in s["versions"]], [3])
    rig.check(not first & rows(rig), "the first one has its row")
    e = rig.get("/v1/audit?action=secret.destroy").json["items"]
    rig.check(len(e) >= 1, "it is not on record")
    for bad in (-1, 2592001, "1"):
        rig.ok(rig.post(f"{rig.p}{S}/turn/versions", {
            **version(rig, "turn", b"v" * 9), "overlap_s": bad}), 400)
    for n in range(4, 11):
        rig.ok(rig.post(f"{rig.p}{S}/turn/versions", {
            **version(rig, "turn", b"v" * 9), "overlap_s": 600}), 201)
    rig.ok(rig.post(f"{rig.p}{S}/turn/versions", {
        **version(rig, "turn", b"v" * 9), "overlap_s": 600}), 409,
        "limit_reached")
    rig.ok(rig.delete(f"{rig.p}{S}/turn"), 204)
    rig.ok(rig.get(f"{rig.p}{S}/turn"), 404)
    rig.eq(rows(rig), before)


def rows(rig):
    """Numbers of the keys of all versions; each has its key, no key is
    without its version."""
    db = sqlite3.connect(f"file:{rig.data}/db/store.db?mode=ro", uri=True)
    try:
        out = {r[0] for r in db.execute("SELECT key FROM secret_version")}
        have = {r[0] for r in db.execute(
            "SELECT id FROM data_key WHERE class = 20")}
    finally:
        db.close()
    rig.eq(out, have)
    return out


@test
def delegates_come_and_go(rig):
    d1, d2, d3 = delegates(rig)
    s, _ = make(rig, "some", only=[d1.id])
    rig.eq([x["delegate"] for x in s["missing"]], [d2.id])
    d4 = rig.make_delegate("d4", {"site": "fra"})
    s = rig.ok(rig.get(rig.p + S + "/some"), 200).json
    rig.eq(sorted(x["delegate"] for x in s["missing"]),
           sorted([d2.id, d4.id]))
    old = version(rig, "some", b"for all of them")
    rig.ok(rig.post(d4.path + "/revoke"), 200)
    # sealed to one that is revoked meanwhile
    rig.ok(rig.post(f"{rig.p}{S}/some/versions", old), 400)
    s = rig.ok(rig.post(f"{rig.p}{S}/some/versions",
                        version(rig, "some", b"for all of them")), 201).json
    rig.eq(s["missing"], [])


@test
def elsewhere_and_not_around_itself(rig):
    delegates(rig)
    make(rig, "vault-token")
    con = {"slug": "vault", "kind": "vault",
           "base": "https://vault.example.net", "actions": ["health"],
           "auth": {"kind": "api_key", "header": "x-vault-token",
                    "secret": "vault-token"},
           "delegates": {"labels": {"site": "fra"}},
           "expires_at": later(86400)}
    rig.ok(rig.post(rig.p + "/connectors", con), 201)
    ext = {"connector": "vault", "path": "kv/data/db", "field": "password"}
    s = rig.ok(rig.post(rig.p + S, {"name": "db", "external": ext}),
               201).json
    rig.eq((s["external"], s["version"], s["versions"]), (ext, None, []))
    rig.ok(rig.post(f"{rig.p}{S}/db/versions",
                    version(rig, "db", b"v" * 9)), 409)
    for bad in ({**ext, "path": "../x"}, {**ext, "path": "/kv"},
                {**ext, "path": "a//b"}, {**ext, "path": "a?b"},
                {**ext, "path": ""}, {**ext, "field": "a/b"},
                {**ext, "connector": "nowhere"}, {**ext, "more": 1},
                {"path": "a", "field": "b"}):
        rig.ok(rig.post(rig.p + S, {"name": "bad-one", "external": bad}),
               400)
    # the manager's own credential cannot lie in the manager
    rig.ok(rig.patch(rig.p + "/connectors/vault", {
        "auth": {**con["auth"], "secret": "db"}}), 200)
    rig.ok(rig.post(rig.p + S, {"name": "loop", "external": ext}), 400)
    rig.ok(rig.post(rig.p + "/connectors/vault/submit"), 409,
           "connector_unusable")


@test
def another_project(rig):
    delegates(rig)
    s, b = make(rig, "ours")
    rig.ok(rig.post("/v1/projects", {"slug": "elsewhere", "name": "E"}), 201)
    there = "/v1/projects/elsewhere" + S
    for x in ("ours", s["id"]):
        rig.ok(rig.get(f"{there}/{x}"), 404)
        rig.ok(rig.get(f"{there}/{x}/uses"), 404)
        rig.ok(rig.delete(f"{there}/{x}"), 404)
        rig.ok(rig.post(f"{there}/{x}/versions",
                        version(rig, "ours", b"v" * 9)), 404)
    rig.ok(rig.post(there, b), 400)  # delegates of another project
    rig.eq(rig.ok(rig.get(f"{rig.p}{S}/ours/uses"), 200).json["items"], [])


@test
def vectors_of_a_browser(rig):
    """What Python seals, WebCrypto opens, and the other way round."""
    r = subprocess.run([NODE, f"{ROOT}/tests/vectors/secret/check.mjs"],
                       capture_output=True, text=True, timeout=60)
    rig.check(r.returncode == 0, r.stdout + r.stderr)
    rig.check("vectors" in r.stdout, r.stdout)
    print("# " + r.stdout.strip())


@test
def a_project_goes_with_its_secrets(rig):
    rig.ok(rig.post("/v1/projects", {"slug": "gone", "name": "G"}), 201)
    rig.make_delegate("dg", {"site": "x"}, project="gone")
    rig.ok(rig.post("/v1/projects/gone" + S, sealed(
        rig, "s", b"v" * 20, {"site": "x"}, "gone")), 201)
    n = len(rows(rig))
    rig.ok(rig.delete("/v1/projects/gone"), 204)
    rig.eq(len(rows(rig)), n - 1)


run(DRig)
