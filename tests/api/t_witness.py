#!/usr/bin/env python3
"""Witnesses: whose cosignatures are taken, shown, counted; and whose not."""
import json
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import run, test  # noqa: E402
from tlogkit import (LOG, Witness, checkpoint, log_key, note_lines,
                     signed_by)

AT = "/v1/audit/witnesses"
POST = "/v1/audit/cosignatures"
ONE = Witness("one.example/w", b"\1" * 32)
TWO = Witness("two.example/w", b"\2" * 32)
STRANGER = Witness("stranger.example/w", b"\3" * 32)


def next_(rig, old=0):
    """What a witness is to cosign."""
    r = rig.ok(rig.get(f"{LOG}/consistency?old={old}"), 200).body
    return r.split(b"\n\n", 1)[1]


def now():
    return int(time.time())


def posture(rig):
    return next(c for c in rig.get("/v1/posture").json["items"]
                if c["check"] == "audit_witnessed")


@test
def registered(rig):
    # half of it ends at noon and at midnight only, not while this runs
    rig.ok(rig.put("/v1/policy", {"witness_minutes": 1440}), 200)
    rig.make_incident("something to sign")
    time.sleep(1.2)
    rig.eq(posture(rig)["ok"], False)
    r = rig.ok(rig.post(AT, {"key": ONE.vkey}), 201)
    w = r.json
    rig.eq(r.headers["location"], AT + "/" + w["id"])
    rig.eq((w["name"], w["key"], w["last"]), (ONE.name, ONE.vkey, None))
    rig.eq(rig.ok(rig.get(AT + "/" + w["id"]), 200).json, w)
    rig.eq([x["id"] for x in rig.get(AT).json["items"]], [w["id"]])
    rig.ok(rig.post(AT, {"key": ONE.vkey}), 409, "exists")
    rig.ok(rig.post(AT, {"key": TWO.vkey}), 201)
    log = rig.vkey = log_key(rig)
    for bad in ("", "x", ONE.vkey[:-1], ONE.vkey.replace("w+", "v+"), log,
                ONE.vkey + "=", Witness("redoubt-delegate/x", b"\4" * 32).vkey,
                Witness("a b", b"\4" * 32).vkey, "x" * 321):
        rig.ok(rig.post(AT, {"key": bad}), 400)
    rig.ok(rig.post(AT, {}), 400)
    rig.ok(rig.post(AT, {"key": STRANGER.vkey, "name": "x"}), 400)
    _, c = rig.make_account("viewer", rig.project)
    for r in (c.get(AT), c.post(AT, {"key": STRANGER.vkey}),
              c.post(POST, {"checkpoint": "x"}), c.get(AT + "/" + w["id"])):
        rig.ok(r, 403)


@test
def cosigned(rig):
    note = next_(rig)
    size = checkpoint(note, rig.vkey)[1]
    r = rig.ok(rig.post(POST, {"checkpoint":
                               ONE.cosign(note, now()).decode()}), 200).json
    rig.eq((r["size"], r["witnesses"]), (size, [ONE.name]))
    # the second is given the same, and one note has both
    rig.make_incident("between")
    time.sleep(1.2)
    rig.eq(next_(rig), note, "all witnesses cosign one checkpoint")
    both = TWO.cosign(ONE.cosign(note, now()), now())
    r = rig.ok(rig.post(POST, {"checkpoint": both.decode()}), 200).json
    rig.eq(r["witnesses"], [ONE.name, TWO.name])
    rig.ok(rig.put("/v1/policy", {"witness_quorum": 2}), 200)
    best = rig.get(LOG + "/checkpoint").body
    rig.eq(checkpoint(best, rig.vkey)[1], size)
    for w in (ONE, TWO):
        rig.check(signed_by(best, w.vkey), best)
    p = posture(rig)
    rig.check(p["ok"] and "2 of 2" in p["detail"] and
              f"entry {size}" in p["detail"], p)
    # evidence about an entry is under what they have cosigned
    proof = rig.ok(rig.get("/v1/audit/proof?seq=3"), 200).body
    rig.check(signed_by(proof.split(b"\n\n", 1)[1], TWO.vkey), proof)
    newest = rig.ok(rig.get("/v1/audit/checkpoint"), 200).body
    rig.check(checkpoint(newest)[1] > size, "the newest is the newest")
    last = {x["name"]: x["last"] for x in rig.get(AT).json["items"]}
    rig.eq(last[TWO.name]["size"], size)
    # too few for the policy: the newest, which says so by itself
    rig.ok(rig.put("/v1/policy", {"witness_quorum": 3}), 200)
    r = rig.get(LOG + "/checkpoint").body
    rig.check(checkpoint(r)[1] > size, r)
    rig.check(not posture(rig)["ok"], "below the quorum")
    rig.ok(rig.put("/v1/policy", {"witness_quorum": 1}), 200)


@test
def old_ones_do_not_count(rig):
    note = next_(rig)
    long_ago = now() - 1441 * 60
    rig.ok(rig.post(POST, {"checkpoint":
                           ONE.cosign(note, long_ago).decode()}), 200)
    rig.check("1 of 2" in posture(rig)["detail"], posture(rig))
    rig.ok(rig.post(POST, {"checkpoint":
                           ONE.cosign(note, now() + 3600).decode()}), 400)


@test
def not_taken(rig):
    note = next_(rig)
    text, _ = note_lines(note)
    good = ONE.cosign(note, now())
    other = note.replace(text, text.replace(b"\n", b"x\n", 1))
    for what, bad, status in (
            ("no cosignature", note, 400),
            ("a stranger's", STRANGER.cosign(note, now()), 400),
            ("no note", b"x", 400),
            ("a wrong one", good[:-8] + b"AAAAAA=\n", 400),
            ("a good one and a wrong one of the same witness",
             good + ONE.line(other, now()).encode(), 400),
            ("another text", other, 400),
            ("not signed by the log",
             ONE.cosign(text + b"\n", now()), 400),
            ("seventeen lines", note + ONE.line(note, 1).encode() * 16, 400)):
        r = rig.post(POST, {"checkpoint": bad.decode()})
        rig.check(r.status == status, f"{what}: {r!r}")
    rig.ok(rig.post(POST, {"checkpoint": "x" * 8193}), 400)
    rig.ok(rig.post(POST, {}), 400)
    e = rig.get("/v1/audit?action=audit.cosign&limit=200").json["items"]
    rig.check({x["outcome"] for x in e} >= {"ok", "denied"}, e)
    rig.check(any({"witness"} == {y["type"] for y in x["resource"]}
                  for x in e if x["outcome"] == "ok"), "which witness")


@test
def the_tool(rig):
    """redoubt audit witness, and an export that its cosignature goes with."""
    at, out = str(rig.dir / "w"), rig.dir / "export"
    r = rig.user_cli("audit", "witness", "--state", at, "--init", "--name",
                     "three.example/w", "--key", rig.vkey, "--json")
    key = json.loads(r.stdout)["key"]
    rig.check(key.startswith("three.example/w+"), r.stdout)
    rig.eq(rig.user_cli("audit", "witness", "--state", at, "--init", "--name",
                        "x", "--key", rig.vkey).returncode, 5)
    look = "audit", "witness", "--state", at, "--json"
    r = rig.user_cli(*look)
    rig.eq(r.returncode, 6, "nobody registered it: " + r.stderr)
    rig.ok(rig.post(AT, {"key": key}), 201)
    sizes = []
    for _ in range(3):
        r = rig.user_cli(*look)
        rig.eq(r.returncode, 0, r.stderr)
        sizes.append(json.loads(r.stdout)["size"])
        rig.make_incident("in between")
        time.sleep(1.2)
    rig.check(sizes == sorted(sizes) and sizes[0] < sizes[2], sizes)
    _, c = rig.make_account("viewer")
    rig.eq(rig.user_cli(*look, token=c.token).returncode, 4)

    export = "audit", "export", "--to", str(out)
    rig.eq(rig.user_cli(*export, "--witnessed").returncode, 0)
    verify = "audit", "verify", "--file", str(out), "--json"
    policy = rig.dir / "policy"
    policy.write_text(f"log {rig.vkey}\nwitness a {key}\n"
                      f"witness b {STRANGER.vkey}\ngroup g any a b\n"
                      "quorum g\n")
    both = ["--witness", key, "--witness", STRANGER.vkey]
    for args, rc in ((["--witness", key], 0), (["--witness", key, "--fresh",
                                               "5"], 0),
                     (["--witness", STRANGER.vkey], 8), (both, 8),
                     ([*both, "--quorum", "1"], 0),
                     ([*both, "--quorum", "2"], 8),
                     (["--policy", str(policy)], 0),
                     ([*both, "--quorum", "3"], 6), (["--quorum", "1"], 2),
                     (["--witness", rig.vkey], 6), (["--fresh", "5"], 2),
                     ([*both, "--policy", str(policy)], 2)):
        r = rig.cli(*verify, *args)
        rig.check(r.returncode == rc, f"{args}: {r.returncode} {r.stderr}")
        if rc in (0, 8):
            v = json.loads(r.stdout)
            rig.eq((v["ok"], v["quorum"]), (rc == 0, rc == 0))
    rig.eq(json.loads(rig.cli(*verify, "--policy", str(policy)).stdout)[
        "key_checked"], True, "the policy names the log")
    policy.write_text("log " + rig.vkey.replace("/1+", "/2+") + "\n")
    rig.eq(rig.cli(*verify, "--policy", str(policy)).returncode, 6)
    # the newest has no cosignature: it says so
    out.unlink()
    rig.eq(rig.user_cli(*export).returncode, 0)
    rig.eq(rig.cli(*verify, "--witness", key).returncode, 8)
    # in the other formats the manifest has it
    out.unlink()
    rig.eq(rig.user_cli(*export, "--witnessed", "--format",
                        "csv").returncode, 0)
    r = rig.cli(*verify, "--witness", key)
    rig.eq(r.returncode, 0, r.stdout + r.stderr)
    rig.ok(rig.put("/v1/policy", {"witness_quorum": 8}), 200)
    out.unlink()
    rig.eq(rig.user_cli(*export, "--witnessed").returncode, 5)
    rig.ok(rig.put("/v1/policy", {"witness_quorum": 1}), 200)
    w = next(x for x in rig.get(AT).json["items"] if x["key"] == key)
    rig.ok(rig.delete(AT + "/" + w["id"]), 204)


@test
def removed(rig):
    w = next(x for x in rig.get(AT).json["items"] if x["name"] == ONE.name)
    rig.ok(rig.delete(AT + "/" + w["id"], headers={"If-Match": '"9"'}), 412)
    rig.ok(rig.delete(AT + "/" + w["id"]), 204)
    rig.ok(rig.get(AT + "/" + w["id"]), 404)
    rig.ok(rig.delete(AT + "/" + w["id"]), 404)
    rig.check(not signed_by(rig.get(LOG + "/checkpoint").body, ONE.vkey),
              "what it had cosigned is not shown any more")
    rig.ok(rig.post(POST, {"checkpoint": ONE.cosign(
        next_(rig), now()).decode()}), 400)


@test
def a_limit(rig):
    for i in range(10, 18):
        r = rig.post(AT, {"key": Witness(f"w{i}", bytes([i]) * 32).vkey})
        rig.check(r.status == (201 if i < 17 else 409), r)
    rig.eq(r.code, "limit_reached")


run()
