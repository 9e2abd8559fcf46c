#!/usr/bin/env python3
"""
A store that is set back gets no second signature under its name: it goes on
under another one when an operator says so, and nobody who knows the old name
believes the new one without the entry that says why.
"""
import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import BINARY, Rig, TOP, test, run  # noqa: E402

PYTHON = TOP / "contrib" / "verify-export.py"


def fork(rig, *more, rc=0):
    r = rig.cli("audit", "fork", "--data", str(rig.data), "--json", *more)
    rig.eq(r.returncode, rc, f"fork {more}: {r.stdout}{r.stderr}")
    return json.loads(r.stdout) if rc == 0 else r.stderr


def verified(rig, rc=0, data=None):
    r = rig.cli("audit", "verify", "--data", str(data or rig.data), "--json")
    rig.eq(r.returncode, rc, r.stdout + r.stderr)
    return json.loads(r.stdout) if r.stdout else {"what": r.stderr}


def set_back(rig, to):
    shutil.rmtree(rig.data / "db")
    shutil.copytree(to, rig.data / "db")


def starts_not(rig, why):
    try:
        rig.start()
    except RuntimeError as e:
        rig.check(why in str(e), str(e)[-300:])
        rig.log.close()
        rig.server = None
        return
    rig.fail("the server starts")


def export(rig, name):
    to = rig.dir / name
    r = rig.user_cli("audit", "export", "--to", str(to))
    rig.eq(r.returncode, 0, r.stderr)
    return to


def by_both(rig, file, key, rc):
    """redoubt audit verify and the Python one say the same."""
    a = rig.cli("audit", "verify", "--file", str(file), "--key", key)
    b = subprocess.run([str(PYTHON), str(file), key], capture_output=True,
                       text=True)
    rig.eq((a.returncode, b.returncode), (rc, rc),
           a.stdout + a.stderr + b.stdout + b.stderr)
    return a.stdout + b.stdout


@test
def set_back_and_accepted(rig):
    rig.make_incident("before")
    rig.old_key = verified(rig)["key"]
    rig.before = export(rig, "before.ndjson")
    rig.stop()
    old = rig.dir / "old"
    shutil.copytree(rig.data / "db", old)
    rig.start()
    for i in range(5):
        rig.make_incident(f"lost {i}")
    rig.stop()
    set_back(rig, old)
    v = verified(rig, 8)
    rig.check("missing" in v["what"], str(v))
    starts_not(rig, "redoubt audit fork")
    why = fork(rig, rc=8)
    rig.check("are lost" in why and "--accept" in why, why)
    n = int(why.split("--entries ")[1].split()[0])
    fork(rig, "--accept", "--entries", str(n), rc=2)
    fork(rig, "--accept", "--entries", str(n + 1), "--reason", "x", rc=2)
    fork(rig, "--accept", "--reason", "x", rc=2)
    starts_not(rig, "redoubt audit fork")
    done = fork(rig, "--accept", "--entries", str(n), "--reason",
                "the disk of quokka was set back")
    rig.check(done["lost"] > 5 and done["entries"] == n and
              "/2-" in done["origin"] and done["before"].endswith("/1"),
              str(done))
    v = verified(rig)
    rig.eq((v["ok"], v["forks"], v["lost"]), (True, 1, done["lost"]))
    rig.new_key, rig.done_fork = v["key"], done
    fork(rig, "--accept", "--entries", str(n), "--reason", "x", rc=5)
    rig.start()
    rig.make_incident("after")
    e = rig.ok(rig.get("/v1/audit?action=audit.fork"), 200).json["items"]
    rig.eq([x["seq"] for x in e], [n + 1])
    rig.eq([x["type"] for x in e[0]["resource"]],
           ["log", "log.before", "checkpoint"])
    rig.check("quokka" not in e[0]["leaf"], "the reason is sealed")
    c = rig.ok(rig.get("/v1/audit/checkpoint"), 200).body.decode()
    rig.eq(c.split("\n")[0], done["origin"])


@test
def whoever_knows_the_old_name(rig):
    """An export that shows why is believed; one that does not, is not."""
    after = export(rig, "after.ndjson")
    rig.check("forks" in by_both(rig, after, rig.new_key, 0), "told")
    rig.check("forks" in by_both(rig, after, rig.old_key, 0), "told")
    by_both(rig, rig.before, rig.old_key, 0)
    by_both(rig, rig.before, rig.new_key, 8)
    # the same without that entry: nothing says why
    part = rig.dir / "part.ndjson"
    r = rig.user_cli("audit", "export", "--to", str(part), "--action",
                     "incident.create")
    rig.eq(r.returncode, 0, r.stderr)
    by_both(rig, part, rig.new_key, 0)
    by_both(rig, part, rig.old_key, 8)
    # a key of somebody else under the right name
    forged = rig.old_key.rsplit("+", 1)[0] + "+" + "A" * 44
    r = rig.cli("audit", "verify", "--file", str(after), "--key", forged)
    rig.check(r.returncode != 0, r.stdout)


@test
def a_fork_that_was_cut_short(rig):
    """Killed at any time: the same command again finishes it, and nothing
    goes on before."""
    rig.stop()
    old = rig.dir / "old2"
    shutil.copytree(rig.data / "db", old)
    rig.start()
    rig.make_incident("lost again")
    rig.stop()
    keys = rig.dir / "keys"
    shutil.copytree(rig.data / "keys", keys)
    said, ends = [], set()
    for ms in (4, 8, 12, 16, 20, 24, 28, 35, 50):
        set_back(rig, old)
        shutil.rmtree(rig.data / "keys")
        shutil.copytree(keys, rig.data / "keys")
        n = int(fork(rig, rc=8).split("--entries ")[1].split()[0])
        said = ["--accept", "--entries", str(n), "--reason", "again"]
        p = subprocess.Popen([BINARY, "audit", "fork", "--data",
                              str(rig.data), *said], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(ms / 1000)
        p.kill()
        p.wait()
        r = rig.cli("audit", "fork", "--data", str(rig.data), *said)
        rig.check(r.returncode in (0, 5), r.stderr)
        ends.add(r.returncode)
        v = verified(rig)
        rig.eq((v["ok"], v["forks"]), (True, 2), str(ms))
    # set back beyond a fork that was signed: one more, from the name it had
    set_back(rig, old)
    starts_not(rig, "redoubt audit fork")
    rig.check("/3-" in fork(rig, rc=8), "says which")
    again = fork(rig, *said)
    rig.check("/3-" in again["origin"] and "/2-" in again["before"],
              str(again))
    v = verified(rig)
    rig.eq((v["ok"], v["forks"]), (True, 2))
    rig.start()


@test
def history_written_anew_is_no_fork(rig):
    rig.make_incident("to be signed")
    rig.ok(rig.get("/v1/audit/checkpoint"), 200)
    rig.stop()
    old = rig.dir / "good"
    shutil.copytree(rig.data / "db", old)
    db = sqlite3.connect(rig.data / "db" / "store.db")
    seq, leaf = db.execute("SELECT seq, leaf FROM audit WHERE CAST(leaf AS TEXT) "
                           "LIKE '%incident.create%' ORDER BY seq DESC").fetchone()
    db.execute("UPDATE audit SET leaf = ? WHERE seq = ?", (leaf.replace(
        b"incident.create", b"incident.update"), seq))
    db.commit()
    db.close()
    verified(rig, 8)
    why = fork(rig, rc=8)
    rig.check("not the ones that were signed" in why, why)
    set_back(rig, old)
    verified(rig)


@test
def forged_forks(rig):
    """Whoever writes the store cannot rename the log."""
    def changed(what, *sql):
        d = rig.dir / "forged"
        shutil.rmtree(d, ignore_errors=True)
        shutil.copytree(rig.data, d, ignore=shutil.ignore_patterns("*.sock"))
        db = sqlite3.connect(d / "db" / "store.db")
        for q, args in sql:
            rig.check(db.execute(q, args).rowcount > 0, q)
        db.commit()
        db.close()
        verified(rig, 8, d)

    db = sqlite3.connect(rig.data / "db" / "store.db")
    seq, leaf = db.execute("SELECT seq, leaf FROM audit WHERE CAST(leaf AS TEXT) "
                           "LIKE '%audit.fork%' ORDER BY seq DESC").fetchone()
    db.close()
    put = "UPDATE audit SET leaf = ? WHERE seq = ?"
    for a, b in ((b"/3-", b"/4-"), (b"/2-", b"/1-"),
                 (b"audit.fork", b"audit.fort"), (b"log.before", b"log.betore"),
                 (b'"checkpoint"', b'"checkpoinu"')):
        changed(f"{a} {b}", (put, (leaf.replace(a, b), seq)))
    changed("name", ("UPDATE meta SET value = CAST(replace(CAST(value AS TEXT), '/3-', '/4-') AS BLOB) "
                     "WHERE name IN ('audit.origin', 'audit.vkey')", ()))
    changed("checkpoint", (
        "UPDATE checkpoint SET note = CAST(replace(CAST(note AS TEXT), '/3-', '/2-') AS BLOB) WHERE size "
        "= (SELECT max(size) FROM checkpoint)", ()))


if __name__ == "__main__":
    run()
