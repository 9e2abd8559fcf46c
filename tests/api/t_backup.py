#!/usr/bin/env python3
"""
Backups: made beside a server that takes alerts, one building on another, each
restored; what is in them, what is not, what destroyed keys mean, and every
way to damage them.  LONG=1 does the damage at many more places.
"""
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import BINARY, TOP, Rig, test, run  # noqa: E402

LONG = bool(os.environ.get("LONG"))
CANARY = "canary-7d1f0c55-quokka"


def cmd(rig, *args, rc=0, data=None):
    """redoubt ARGS --json: the object, or standard error."""
    r = rig.cli(*args, "--json", timeout=120)
    if not rig.eq(r.returncode, rc, f"{args}: {r.stdout}{r.stderr}"):
        return {} if rc == 0 else r.stderr
    return json.loads(r.stdout) if rc == 0 else r.stderr


def backup(rig, name, base=None, data=None, **kw):
    d = place(rig)
    more = ["--base", str(d / base)] if base else []
    return cmd(rig, "backup", "--data", str(data or rig.data), "--to",
               str(d / name), *more, **kw)


def place(rig):
    d = rig.dir / "backups"
    d.mkdir(exist_ok=True)
    return d


def restore(rig, name, to, *more, rc=0):
    return cmd(rig, "restore", "--from", str(place(rig) / name), "--data",
               str(rig.dir / to), "--root",
               str(rig.data / "keys" / "root.key"), *more, rc=rc)


def sql(data, q, *args):
    db = sqlite3.connect(f"file:{data}/db/store.db?mode=ro", uri=True)
    try:
        return db.execute(q, args).fetchall()
    finally:
        db.close()


class Load:
    """Alerts from several threads; what was answered is remembered."""

    def __init__(self, rig, threads=3):
        self.rig, self.stop, self.acked, self.ms = rig, False, [], []
        self.n = rig.make_integration(template="generic")
        self.threads = [threading.Thread(target=self.send, args=(i,))
                        for i in range(threads)]
        for t in self.threads:
            t.start()

    def send(self, i):
        c, n = self.rig.client(self.n["secret"]), 0
        while not self.stop:
            name, start = f"{i}-{n}", time.monotonic()
            r = c.post("/ingest/" + self.n["id"], {
                "title": CANARY + name, "dedup_key": name,
                "severity": "warning"})
            if r.status != 202:
                self.rig.fail(f"ingest: {r!r}")
                break
            self.ms.append(1000 * (time.monotonic() - start))
            self.acked.append((time.time(), r.json["audit_seq"]
                               if "audit_seq" in r.json else None, name))
            n += 1
        c.close()

    def done(self):
        self.stop = True
        for t in self.threads:
            t.join()


@contextlib.contextmanager
def started(rig, data):
    """A server on a restored directory."""
    other = Rig.__new__(Rig)
    other.__dict__.update(rig.__dict__)
    other.data, other.server, other.conn = data, None, None
    other.ca = str(data / "tls" / "ca.pem")
    other.failures, other.checks, other.rig = rig.failures, 0, other
    other.dir = rig.dir / (data.name + ".log")
    other.dir.mkdir(exist_ok=True)
    other.seen = 0
    other.start()
    try:
        yield other
    finally:
        rig.eq(other.stop(), 0, "the restored server ends well")


def alerts_of(rig, data):
    """dedup keys of a restored directory, read by a server on it."""
    found, cursor = set(), ""
    with started(rig, data) as other:
        while cursor is not None:
            r = rig.ok(other.get(other.p + "/alerts?limit=200" + (
                f"&cursor={cursor}" if cursor else "")), 200)
            found |= {a["dedup_key"] for a in r.json["items"]}
            cursor = r.json["next"]
    return found


@test
def under_load(rig):
    """Three that build on each other, while alerts come in; each holds all
    that had been acknowledged when it began."""
    load = Load(rig)
    time.sleep(0.4)
    points = []
    for name, base in (("1.rbk", None), ("2.rbk", "1.rbk"),
                       ("3.rbk", "2.rbk")):
        acked = {a[2] for a in list(load.acked)}
        points.append((name, acked, backup(rig, name, base)))
        time.sleep(0.3)
    load.done()
    rig.check(len(load.acked) > 50, f"{len(load.acked)} alerts")
    for name, acked, made in points:
        rig.eq(made["online"], True)
        v = cmd(rig, "backup", "verify", "--from", str(place(rig) / name))
        rig.eq((v["opened"], v["entries"], v["destroyed"]),
               (True, made["entries"], 0), name)
        to = rig.dir / ("r" + name[0])
        r = restore(rig, name, to.name)
        rig.eq(r["files"], int(name[0]))
        v = cmd(rig, "audit", "verify", "--data", str(to))
        rig.eq((v["ok"], v["forks"], v["entries"]),
               (True, 1, made["entries"] + 2), name)
        found = alerts_of(rig, to)
        rig.check(acked <= found, f"{name}: {len(acked - found)} missing")
    rig.check(points[2][2]["new_blocks"] < points[2][2]["blocks"] or
              points[2][2]["blocks"] < 12, str(points[2][2]))
    rig.restored = points


@test
def on_record(rig):
    seen = [e for e in rig.ok(rig.get(
        "/v1/audit?action=backup.create&limit=200"), 200).json["items"]]
    rig.eq(sorted({e["outcome"] for e in seen}), ["intent", "ok"])
    rig.eq(len([e for e in seen if e["outcome"] == "ok"]), 3)
    when = sql(rig.data, "SELECT value FROM meta WHERE name = 'backup.time'")
    rig.check(abs(int(when[0][0]) / 1000 - time.time()) < 60, str(when))


@test
def nothing_in_plain(rig):
    rig.make_incident(CANARY + " incident")
    backup(rig, "canary.rbk", "3.rbk")
    for f in place(rig).iterdir():
        text = f.read_bytes()
        for word in (CANARY, "org.create", rig.token, "admin@localhost",
                     "backup.create"):
            rig.check(word.encode() not in text, f"{word} in {f.name}")
        rig.eq(f.stat().st_mode & 0o777, 0o600, f.name)


@test
def a_few_changes_are_a_small_file(rig):
    """Most of a store does not change."""
    n = rig.make_integration(template="generic")
    c = rig.client(n["secret"])
    for i in range(150):
        rig.ok(c.post("/ingest/" + n["id"], {
            "title": "x" * 4000, "dedup_key": f"big-{i}"}), 202)
    c.close()
    full = backup(rig, "full.rbk")
    rig.make_incident("one more")
    some = backup(rig, "some.rbk", "full.rbk")
    rig.check(some["bytes"] < full["bytes"] / 2 and
              some["new_blocks"] < some["blocks"] / 2, f"{full} {some}")


@test
def what_was_shredded_stays_so(rig):
    """Yesterday's backup with today's keys."""
    i = rig.make_incident(CANARY + " to be shredded")
    seq, = sql(rig.data, "SELECT max(seq) FROM incident")[0]
    backup(rig, "yesterday.rbk")
    shutil.copy(place(rig) / keys_name(rig), rig.dir / "old-keys.rbk")
    blob, = sql(rig.data, "SELECT sealed FROM incident WHERE seq = ?", seq)[0]
    key = int.from_bytes(blob[4:8], "big")
    rig.stop()
    db = sqlite3.connect(rig.data / "db" / "store.db")
    db.execute("PRAGMA secure_delete = ON")
    rig.eq(db.execute("DELETE FROM data_key WHERE id = ?", (key,)).rowcount, 1)
    db.commit()
    db.close()
    backup(rig, "today.rbk", "yesterday.rbk")
    v = cmd(rig, "backup", "verify", "--from", str(place(rig) /
                                                   "yesterday.rbk"))
    rig.check(v["destroyed"] >= 2, str(v))  # the incident and its timeline
    r = restore(rig, "yesterday.rbk", "shredded")
    rig.check(r["dropped"] >= 2, str(r))
    to = rig.dir / "shredded"
    rig.eq(sql(to, "SELECT count(*) FROM incident WHERE seq = ?", seq),
           [(0,)])
    rig.eq(sql(to, "SELECT count(*) FROM timeline WHERE key >> 24 = ?", seq),
           [(0,)])
    rig.eq(sql(to, "SELECT count(*) FROM incident_tag t WHERE NOT EXISTS "
               "(SELECT 1 FROM incident i WHERE i.project = t.project AND "
               "i.number = t.number)"), [(0,)])
    v = cmd(rig, "audit", "verify", "--data", str(to))
    rig.eq(v["ok"], True)
    # with the keys of yesterday it would be there: they are what to lose
    r = restore(rig, "yesterday.rbk", "kept", "--keys",
                str(rig.dir / "old-keys.rbk"))
    rig.eq(r["dropped"], 0)
    # keys that are older than a backup do not open it, and are named
    err = restore(rig, "today.rbk", "never", "--keys",
                  str(rig.dir / "old-keys.rbk"), rc=8)
    rig.check("old-keys.rbk" in err, err)
    rig.start()


def keys_name(rig):
    return next(f.name for f in place(rig).iterdir()
                if f.name.startswith("keys-"))


def damages(rig, size):
    r = random.Random(5)
    places = [0, 20, 40, 70, 79, 80, 81, 85, 90, 200, size // 2, size - 60,
              size - 45, size - 40, size - 10, size - 1]
    return sorted({p % size for p in places + [
        r.randrange(size) for _ in range(200 if LONG else 6)]})


@test
def damage_is_found(rig):
    """Any byte, any cut, of a backup, of one it builds on, of the keys:
    named, exit 8, and nothing is restored."""
    d = place(rig)
    bad = rig.dir / "bad"
    shutil.copytree(d, bad)
    root = str(rig.data / "keys" / "root.key")

    def refused(what, name="2.rbk", named=None, verb="verify"):
        args = ["--from", str(bad / name), "--root", root]
        args = ["backup", "verify", *args] if verb == "verify" else [
            "restore", *args, "--data", str(rig.dir / "bad-r")]
        r = rig.cli(*args)
        rig.eq(r.returncode, 8, f"{what}: {r.stdout}{r.stderr}")
        rig.check((named or name) in r.stderr, f"{what}: {r.stderr}")
        rig.check(not (rig.dir / "bad-r").exists() and
                  not (rig.dir / "bad-r.restoring").exists(), what)

    for name in ("2.rbk", "1.rbk", keys_name(rig)):
        good = (d / name).read_bytes()
        for at in damages(rig, len(good)):
            b = bytearray(good)
            b[at] ^= 1
            (bad / name).write_bytes(b)
            refused(f"{name}: byte {at} of {len(b)}", named=".rbk")
        for n in (0, 10, 80, len(good) // 2, len(good) - 1):
            (bad / name).write_bytes(good[:n])
            refused(f"{name}: cut at {n}", named=".rbk")
        (bad / name).write_bytes(good + b"x")
        refused(f"{name}: longer", named=".rbk", verb="restore")
        (bad / name).write_bytes(good)
    (bad / "1.rbk").unlink()
    refused("without its base", verb="restore")
    cmd(rig, "backup", "verify", "--from", str(d / "2.rbk"), "--root", root)


def resum(b):
    """The same with a digest that fits: what somebody with a tool does."""
    import hashlib
    return bytes(b[:-32]) + hashlib.sha256(bytes(b[:-32])).digest()


def records(b):
    """(offset, kind, length) of each record."""
    at = 80
    while b[at] != 3:
        n = int.from_bytes(b[at + 1:at + 5], "big")
        yield at, b[at], n
        at += 5 + n


@test
def forgery_is_found(rig):
    """The same by who can make digests, but has no key."""
    d, bad = place(rig), rig.dir / "forged"
    shutil.copytree(d, bad)
    root = str(rig.data / "keys" / "root.key")
    one, two = (d / "1.rbk").read_bytes(), (d / "full.rbk").read_bytes()

    def refused(what, name, text, rc=8):
        good = (d / name).read_bytes()
        (bad / name).write_bytes(text)
        r = rig.cli("backup", "verify", "--from", str(bad / name), "--root",
                    root)
        rig.eq(r.returncode, rc, f"{what}: {r.stdout}{r.stderr}")
        (bad / name).write_bytes(good)

    for at in damages(rig, len(one) - 45):
        b = bytearray(one)
        b[at] ^= 4
        refused(f"byte {at}", "1.rbk", resum(b))
    blocks = [r for r in records(two) if r[1] == 1]
    (a, _, n), (c, _, m) = blocks[0], blocks[1]
    swapped = two[:a] + two[c:c + 5 + m] + two[a:a + 5 + n] + \
        two[c + 5 + m:]
    refused("two blocks in each other's place", "full.rbk", resum(swapped))
    gone = bytearray(two[:a] + two[a + 5 + n:])
    at = int.from_bytes(gone[-44:-36], "big") - (5 + n)
    gone[-44:-36] = at.to_bytes(8, "big")
    refused("a block taken out", "full.rbk", resum(gone))
    # the blocks of one with the list of another
    lists = int.from_bytes(one[-44:-36], "big")
    other = int.from_bytes(two[-44:-36], "big")
    mixed = bytearray(two[:other] + one[lists:])
    mixed[-44:-36] = other.to_bytes(8, "big")
    refused("the list of another", "full.rbk", resum(mixed))
    head = bytearray(two)
    head[48:64] = one[32:48]
    refused("another base", "full.rbk", resum(head))


@test
def foreign(rig):
    """Of another organization; another root key."""
    other = Rig(start=False)
    try:
        to = other.dir / "o.rbk"
        rig.eq(other.cli("backup", "--data", str(other.data), "--to",
                         str(to)).returncode, 0)
        keys = next(f for f in other.dir.iterdir()
                    if f.name.startswith("keys-"))
        err = restore(rig, "1.rbk", "never", "--keys", str(keys), rc=8)
        rig.check("another organization" in err, err)
        r = rig.cli("restore", "--from", str(place(rig) / "1.rbk"), "--data",
                    str(rig.dir / "never"), "--root",
                    str(other.data / "keys" / "root.key"))
        rig.eq(r.returncode, 7, r.stderr)
        err = backup(rig, "never.rbk", str(to), rc=8)
        rig.check("another organization" in err, err)
        rig.check(not (place(rig) / "never.rbk").exists() and
                  not (place(rig) / "never.rbk.part").exists(), "left")
        rig.check(not (rig.dir / "never").exists(), "restored")
    finally:
        other.done()


@test
def without_the_root_key(rig):
    """Only that the bytes are those that were written."""
    moved = rig.dir / "moved"
    shutil.copytree(place(rig), moved)
    key = rig.data / "keys" / "root.key"
    key.rename(rig.dir / "away")
    try:
        v = cmd(rig, "backup", "verify", "--from", str(moved / "3.rbk"))
        rig.eq((v["opened"], v["files"]), (False, 3))
        err = cmd(rig, "restore", "--from", str(moved / "3.rbk"), "--data",
                  str(rig.dir / "never"), rc=3)
        rig.check("--root" in err, err)
    finally:
        (rig.dir / "away").rename(key)


@test
def killed_at_any_time(rig):
    """The file is not there, or whole; the one before is as it was."""
    d, r = place(rig), random.Random(9)
    before = {f.name: f.read_bytes() for f in d.iterdir()
              if not f.name.startswith("keys-")}
    whole = 0
    for i in range(60 if LONG else 8):
        p = subprocess.Popen([BINARY, "backup", "--data", str(rig.data),
                              "--to", str(d / f"k{i}.rbk")],
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(r.random() * 0.06)
        p.send_signal(signal.SIGKILL)
        p.wait()
        if (d / f"k{i}.rbk").exists():
            whole += 1
            cmd(rig, "backup", "verify", "--from", str(d / f"k{i}.rbk"))
        cmd(rig, "backup", "verify", "--from", str(d / "3.rbk"))
    for name, text in before.items():
        rig.eq((d / name).read_bytes() == text, True, name)
    # and the server takes the next one
    for _ in range(50):
        out = rig.cli("backup", "--data", str(rig.data), "--to",
                      str(d / "after.rbk"))
        if out.returncode != 7:
            break
        time.sleep(0.1)
    rig.eq(out.returncode, 0, out.stderr)


@test
def disk_full(rig):
    small = rig.dir / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none",
                       str(small)], capture_output=True).returncode != 0:
        return
    try:
        r = rig.cli("backup", "--data", str(rig.data), "--to",
                    str(small / "x.rbk"))
        rig.eq(r.returncode, 7, r.stderr)
        rig.check("space" in r.stderr, r.stderr)
        rig.eq(list(small.iterdir()), [])
    finally:
        subprocess.run(["umount", str(small)])


@test
def restore_killed(rig):
    """No DIR, or a whole one; the next restore cleans up."""
    to = rig.dir / "rk"
    for i in range(20 if LONG else 4):
        p = subprocess.Popen([BINARY, "restore", "--from", str(
            place(rig) / "full.rbk"), "--data", str(to)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.03 * (i + 1))
        p.send_signal(signal.SIGKILL)
        p.wait()
        if to.exists():
            break
    if not to.exists():
        restore(rig, "full.rbk", "rk")
    rig.eq(cmd(rig, "audit", "verify", "--data", str(to))["ok"], True)
    rig.check(not (rig.dir / "rk.restoring").exists(), "left")


@test
def what_was_written_is_read_for_ever(rig):
    """tests/vectors/backup: a chain of two of 2026-11-28."""
    v = rig.dir / "vectors"
    shutil.copytree(TOP / "tests" / "vectors" / "backup", v)
    (v / "root.key").chmod(0o400)
    got = cmd(rig, "backup", "verify", "--from", str(v / "two.rbk"),
              "--root", str(v / "root.key"))
    want = json.loads((v / "two.json").read_text())
    rig.eq({k: got[k] for k in want}, want)
    cmd(rig, "restore", "--from", str(v / "two.rbk"), "--data",
        str(rig.dir / "rv"), "--root", str(v / "root.key"))
    rig.eq(sql(rig.dir / "rv", "SELECT count(*) FROM incident"), [(2,)])
    rig.eq(cmd(rig, "audit", "verify", "--data", str(rig.dir / "rv"))["ok"],
           True)


@test
def a_chain_goes_on_after_a_restore(rig):
    """The restored server's backups build on those from before."""
    to = rig.dir / "r3"
    b = cmd(rig, "backup", "--data", str(to), "--to",
            str(place(rig) / "4.rbk"), "--base", str(place(rig) / "3.rbk"))
    rig.eq(b["online"], False)
    again = restore(rig, "4.rbk", "r4")
    rig.check("/3-" in again["origin"] and "/2-" in again["before"],
              str(again))
    v = cmd(rig, "audit", "verify", "--data", str(rig.dir / "r4"))
    rig.eq((v["ok"], v["forks"]), (True, 2))


@test
def from_before_a_rotation(rig):
    """The newest keys have terms that the backup has never heard of; what is
    restored seals with them."""
    name = "before-rotation.rbk"
    backup(rig, name)
    gone = cmd(rig, "backup", "verify", "--from",
               str(place(rig) / name))["destroyed"]
    cmd(rig, "key", "rotate", "--data", str(rig.data))
    backup(rig, "after-rotation.rbk", name)
    r = restore(rig, name, "rotated")
    rig.eq(r["dropped"], gone)
    with started(rig, rig.dir / "rotated") as other:
        i = other.make_incident("after the restore")
        rig.ok(other.get(other.p + f"/incidents/{i['number']}"), 200)
        p = rig.ok(other.get("/v1/whoami"), 200)
        rig.eq(p.status, 200)
    v = cmd(rig, "audit", "verify", "--data", str(rig.dir / "rotated"))
    rig.eq(v["ok"], True)


if __name__ == "__main__":
    run()
