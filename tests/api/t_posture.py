#!/usr/bin/env python3
"""What an auditor asks first: each check of the contract's section 10, red
and then green, over the API and as `redoubt check` sees it."""
import os
import pathlib
import shutil
import sys
import tempfile
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from delegatekit import DRig  # noqa: E402
from rig import later, run, test  # noqa: E402

# contract.md 10, and where it is proved red and green
CONTRACT = {
    "rbac": "here", "sso": "t_sso.py", "audit_reviewed": "here",
    "tokens_least_privilege": "here", "tokens_used": "t_tokens.py",
    "tokens_unexpired": "here", "webhooks_signed": "t_hooks.py",
    "webhooks_authenticated": "t_hooks.py", "root_key_apart": "here",
    "tls": "always: there is no other listener (t_spine.py)",
    "retention_set": "here", "backups_recent": "here",
    "delegates_sandboxed": "here",
}


def checks(rig):
    return {c["check"]: c for c in rig.get("/v1/posture").json["items"]}


def turns(rig, name, red, green):
    """red() makes it fail, green() makes it well again."""
    if red:
        red()
    c = checks(rig)[name]
    rig.check(not c["ok"] and c["detail"] and c["fix"], f"red: {c}")
    green()
    c = checks(rig)[name]
    rig.check(c["ok"] and c["detail"] and not c["fix"], f"green: {c}")


@test
def all_are_there(rig):
    have = checks(rig)
    rig.eq(set(CONTRACT) - set(have), set())
    for c in have.values():
        rig.eq(set(c), {"check", "ok", "detail", "fix"})


@test
def rbac(rig):
    made = []

    def red():
        for _ in range(4):
            a, _ = rig.make_account("org_admin")
            made.append(a)

    def green():
        for a in made:
            rig.ok(rig.delete("/v1/service-accounts/" + a), 204)
    turns(rig, "rbac", red, green)


@test
def tokens(rig):
    def revoke(name):
        for t in rig.get("/v1/tokens?limit=200").json["items"]:
            if t["name"] == name:
                rig.ok(rig.delete("/v1/tokens/" + t["id"]), 204)

    def make(name, scopes, seconds):
        rig.ok(rig.post("/v1/tokens", {"name": name, "scopes": scopes,
                                       "expires_at": later(seconds)}), 201)

    def over():
        make("over", ["incident.view"], 1)
        time.sleep(1.6)
    turns(rig, "tokens_unexpired", over, lambda: revoke("over"))
    revoke("t")  # of the accounts of other tests
    turns(rig, "tokens_least_privilege", lambda: make("wide", ["*"], 99),
          lambda: revoke("wide"))


@test
def audit(rig):
    turns(rig, "audit_reviewed", None, lambda: rig.ok(rig.post(
        "/v1/audit/reviews", {"note": "looked for refusals"}), 201))


@test
def retention(rig):
    turns(rig, "retention_set", None, lambda: rig.ok(rig.put("/v1/policy", {
        "retention": {"incident": {"days": 730},
                      "alert": {"days": 400}}}), 200))


@test
def backups(rig):
    to = rig.dir / "backups"
    to.mkdir(mode=0o700)

    def green():
        p = rig.cli("backup", "--data", str(rig.data), "--to",
                    str(to / "a.rbk"))
        rig.eq(p.returncode, 0, p.stderr)
    turns(rig, "backups_recent", None, green)


@test
def delegates(rig):
    rig.make_delegate(says={"doctor": {"v": 1, "level": "full"}})
    made = []

    def red():
        made.append(rig.make_delegate(
            says={"doctor": {"v": 1, "level": "none"}}))

    def green():
        rig.ok(rig.post(made[0].path + "/revoke"), 200)
    turns(rig, "delegates_sandboxed", red, green)


@test
def root_key(rig):
    """Beside the store, then on another disk, then sealed."""
    other = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm"))
    conf = rig.data / "redoubt.conf"
    was = conf.read_text() if conf.exists() else ""
    root = rig.data / "keys/root.key"
    apart = os.stat(other).st_dev != os.stat(root).st_dev

    def green():
        rig.stop()
        shutil.copy(root, other / "root.key")
        os.chmod(other / "root.key", 0o400)
        conf.write_text(was + f"\n[keys]\nroot = {other}/root.key\n")
        os.chmod(conf, 0o600)
        rig.start()
    try:
        if rig.check(apart, "/dev/shm is a disk of its own"):
            turns(rig, "root_key_apart", None, green)
        # redoubt check says the same without the server
        rig.stop()
        out = rig.cli("check", "--data", str(rig.data))
        rig.check("outside the data directory" in out.stdout, out.stdout)
        conf.write_text(was)
        out = rig.cli("check", "--data", str(rig.data))
        rig.check("inside the data directory" in out.stdout and
                  "fix: keep the root key off" in out.stdout, out.stdout)
        rig.start()
    finally:
        shutil.rmtree(other, ignore_errors=True)


run(DRig)
