#!/usr/bin/env python3
"""
A store of every released version opens and is brought up to date; what is
newer than the program is refused, with what to do, and left as it is; and
whenever the power goes while a store is brought up to date, it opens again.

Two kinds of old stores.  tests/vectors/stores/*.tar.xz were made and filled
by the programs of their time, as the commits before 0.2.0, 0.3.0 and 0.4.0
built them (make-store.py there), and never touched since.  For every schema
in between, a store of this program is taken back to it: what later schemas
added is dropped, and the schema must then be, word for word, the one that
those files of src/store/schema make.
"""
import contextlib
import json
import os
import shutil
import sqlite3
import sys
import tarfile
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from faultkit import KILL, Disk  # noqa: E402
from rig import SANITIZED, TOP, Rig, run, test  # noqa: E402

SCHEMAS = sorted((TOP / "src/store/schema").glob("*.sql"))
NEWEST = len(SCHEMAS)
STRIDE = int(os.environ.get("STRIDE", "2"))  # 1: at every operation


def schema_of(db):
    return {name: sql for name, sql in db.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")}


def schema_at(n):
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        for f in SCHEMAS[:n]:
            db.executescript(f.read_text())
        return schema_of(db)


def opened(rig):
    return contextlib.closing(sqlite3.connect(rig.data / "db/store.db"))


def back_to(rig, n):
    """Take the store of a stopped server back to schema n."""
    want = schema_at(n)
    with opened(rig) as db:
        for kind in ("index", "table"):
            for name, in db.execute(
                    "SELECT name FROM sqlite_master WHERE type = ? AND "
                    "sql IS NOT NULL", (kind,)).fetchall():
                if name not in want:
                    db.execute(f"DROP {kind} {name}")
        for name in set(want) - set(schema_of(db)):
            db.execute(want[name])  # what a later one took away
        db.execute(f"PRAGMA user_version = {n}")
        db.commit()
        have = schema_of(db)
        rig.eq({k: have.get(k) for k in want if have.get(k) != want[k]}, {},
               f"schema {n}")


def version(rig):
    with opened(rig) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def whole(rig, n, check=True):
    """Up to date, and everything in it opens."""
    with opened(rig) as db:
        rig.eq(schema_of(db), schema_at(NEWEST), f"{n}: the schema")
    rig.eq(version(rig), NEWEST, f"{n}: the version")
    if check:
        out = rig.cli("check", "--data", str(rig.data), "--json")
        # sanitizers need what the filter refuses
        rig.eq(out.returncode, 8 if SANITIZED else 0,
               f"{n}: {out.stdout[:2000]}")
    out = rig.cli("audit", "verify", "--data", str(rig.data))
    rig.eq(out.returncode, 0, f"{n}: {out.stdout} {out.stderr}")


def copy(of, to):
    shutil.copytree(of, to, symlinks=True,
                    ignore=shutil.ignore_patterns("*.sock"))


def base(rig):
    """The store all others are made of; (its copy, what is in it)."""
    at = rig.dir / "base"
    if not at.exists():
        rig.i = rig.make_incident("from an older store", summary="kept",
                                  services=["db"])
        rig.ok(rig.post(f"{rig.p}/incidents/{rig.i['id']}/timeline",
                        {"text": "a note"}), 201)
        rig.make_integration()
        rig.stop()
        copy(rig.data, at)
    elif rig.server:
        rig.stop()
    shutil.rmtree(rig.data)
    copy(at, rig.data)
    return rig.i


@test
def every_schema(rig):
    for n in range(NEWEST, 0, -1):
        i = base(rig)
        back_to(rig, n)
        rig.start()
        one = rig.ok(rig.get(f"{rig.p}/incidents/{i['id']}"), 200).json
        rig.eq((one["title"], one["summary"]),
               ("from an older store", "kept"), f"schema {n}")
        rig.ok(rig.get(f"{rig.p}/incidents?service=db"), 200)
        rig.make_incident("of today")
        rig.ok(rig.get(rig.p + "/runs"), 200)
        rig.eq(rig.stop(), 0)
        whole(rig, n, check=n in (1, NEWEST // 2))
    print(f"# {NEWEST} schemas")


@test
def stores_of_older_programs(rig):
    """Made by them: their formats are read, not only their schemas."""
    stores = sorted((TOP / "tests/vectors/stores").glob("*.tar.xz"))
    rig.check(len(stores) >= 3, f"{stores}")
    for f in stores:
        old = Rig(start=False)
        shutil.rmtree(old.data)
        with tarfile.open(f) as t:
            t.extractall(old.dir)  # Debian 12's has no filter; ours anyway
        for d in (".", "db", "keys", "tls"):
            os.chmod(old.data / d, 0o700)
        about = json.loads((old.data / "about.json").read_text())
        (old.data / "about.json").unlink()
        old.token, old.project = about["token"], about["project"]
        old.p = "/v1/projects/" + old.project
        old.ca = str(old.data / "tls/ca.pem")
        old.failures = rig.failures
        rig.eq(version(old), about["schema"], f.name)
        old.start()
        r = old.get(f"{old.p}/incidents/1")
        if r.status == 401:  # the token of then is over by now
            print(f"# {f.name}: opened, not asked")
        else:
            rig.eq(r.json["title"], about["title"], f.name)
            rig.eq(old.get(f"{old.p}/incidents/1/timeline").json["items"][-1]
                   ["text"], about["note"], f.name)
        rig.eq(old.stop(), 0, f.name)
        whole(old, f.name)
        old.done()


@test
def newer_is_refused(rig):
    base(rig)
    with opened(rig) as db:
        db.execute(f"PRAGMA user_version = {NEWEST + 1}")
    before = (rig.data / "db/store.db").read_bytes()
    out = rig.cli("serve", "--data", str(rig.data), "--listen", rig.listen)
    rig.eq(out.returncode, 8, out.stderr)
    rig.check(f"schema {NEWEST + 1}" in out.stderr and
              "use a newer one" in out.stderr, out.stderr)
    out = rig.cli("check", "--data", str(rig.data))
    rig.check(out.returncode == 8 and "use a newer one" in out.stdout +
              out.stderr, out.stdout)
    rig.eq((rig.data / "db/store.db").read_bytes(), before, "untouched")
    base(rig)
    rig.start()


@test
def power_goes_while_it_is_brought_up_to_date(rig):
    """At each operation on its files, from schema 1 on."""
    if SANITIZED:
        return
    base(rig)
    back_to(rig, 1)
    at = rig.dir / "first"
    copy(rig.data, at)
    cut, n, killed, states = 0, 0, 0, set()
    while True:
        n += STRIDE
        shutil.rmtree(rig.data)
        copy(at, rig.data)
        with Disk(rig) as disk:
            disk.fail(n, kind=KILL)
            try:
                rig.start()
            except RuntimeError:
                pass
            cut = disk.heal()
            rig.stop(shot=True)
        killed += bool(cut)
        states.add(version(rig))
        rig.start()
        rig.eq(rig.get(f"{rig.p}/incidents/{rig.i['id']}").json["title"],
               "from an older store", f"cut at {n}")
        rig.eq(rig.stop(), 0)
        whole(rig, f"cut at {n}", check=False)
        if not cut or n > 400:
            break
    rig.check(killed > 4 and states == {1, NEWEST}, f"{killed} {states}")
    print(f"# cut at {killed} operations, up to the {n}th; then {states}")
    rig.start()


run()
