#!/usr/bin/env python3
"""
L19 on a real store: thousands of random manipulations of its file, of what
the keeper signed, and of exports.  Each that changes the log is found, with
the place; none is found where nothing was done.

SEED (7); MUTATIONS of the store's rows (1,000), of its bytes (285), of the
keeper's files (71), of a restored store's rows (200) and of exports (642) are
in this proportion; MUTATIONS=N is the number of the first.
"""
import base64
import collections
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
import judgekit as kit  # noqa: E402
from rig import Rig, run, test  # noqa: E402

ROWS = int(os.environ.get("MUTATIONS", "1000"))
BYTES, STATE, EXPORT = ROWS * 2 // 7, ROWS // 14, ROWS * 9 // 14
SEED = int(os.environ.get("SEED", "7"))
LOG = ("audit", "audit_tile", "checkpoint")


class Log:
    """What a store's file says of the log, read with plain SQLite."""

    def __init__(self, db):
        with contextlib.closing(sqlite3.connect(db)) as c:
            self.rows = {t: c.execute(f"SELECT * FROM {t} ORDER BY 1")
                         .fetchall() for t in LOG}
            self.vkey = c.execute("SELECT value FROM meta WHERE "
                                  "name = 'audit.vkey'").fetchone()
        self.leaves = dict(self.rows["audit"])
        self.n = max(self.leaves, default=0)
        self.sizes = [r[0] for r in self.rows["checkpoint"]]

    def same(self, other):
        """The history and every proof of it are the other's.  The time
        beside a checkpoint is not signed; a checkpoint that is gone takes
        nothing from the entries, which the keeper's last one covers."""
        def of(log):
            return [log.rows["audit"], log.rows["audit_tile"], log.vkey]

        def notes(log):
            return {(r[0], r[2]) for r in log.rows["checkpoint"]}
        return of(self) == of(other) and notes(self) <= notes(other)


def copy(data, to):
    shutil.copytree(data, to, ignore=shutil.ignore_patterns("*.sock"))


class Bench:
    """A store of a real server, its older copy, and a place to spoil it."""

    def __init__(self, rig):
        traffic(rig, 190)
        rig.stop()
        self.old = rig.dir / "old"
        copy(rig.data, self.old)
        rig.start()
        traffic(rig, 330)
        self.exports = exports(rig)
        rig.stop()
        self.take(rig.data)

    def take(self, data):
        self.judge = kit.Judge()
        tmp = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="redoubt-mutation-",
                                                 dir=tmp))
        self.data = self.top / "data"
        copy(data, self.data)
        self.db = self.data / "db" / "store.db"
        self.whole = self.db.read_bytes()
        self.keys = {n: (self.data / "keys" / n).read_bytes()
                     for n in ("audit.key", "keeper.state")}
        self.log = Log(self.db)
        keys = {k: v for k, _, v in self.judge.secrets(self.data)}
        self.seed = keys["seed"]
        self.name = self.log.vkey[0].decode().split("+")[0]
        self.forked = any(b'"audit.fork"' in x
                          for x in self.log.leaves.values())
        self.restore()

    def restore(self):
        for p in self.db.parent.glob("store.db-*"):
            p.unlink(missing_ok=True)
        self.db.write_bytes(self.whole)
        for name, b in self.keys.items():
            (self.data / "keys" / name).write_bytes(b)
            (self.data / "keys" / name).chmod(0o600)

    def sql(self):
        c = sqlite3.connect(self.db, isolation_level=None)
        c.execute("PRAGMA synchronous = OFF")
        return c

    def done(self):
        self.judge.done()
        shutil.rmtree(self.top, ignore_errors=True)


def traffic(rig, n):
    """Entries of many kinds, and a checkpoint now and then."""
    sender = rig.make_integration("generic")
    s, viewer = rig.client(sender["secret"]), rig.make_account("viewer")[1]
    for k in range(n):
        if k % 3 == 0:
            rig.make_incident(f"incident {k}")
        elif k % 3 == 1:
            s.post("/ingest/" + sender["id"], {"title": f"t {k}",
                                               "severity": "warning"})
        elif k % 2:
            rig.get(rig.p + f"/incidents/{k // 6 + 1}")
        else:
            viewer.post(rig.p + "/incidents", {"title": "denied"})
        if k % 60 == 59:
            time.sleep(1.1)


def exports(rig):
    """(format, bytes) of exports that differ in shape."""
    time.sleep(1.2)
    return [(form, rig.ok(rig.post("/v1/audit/export", {
        "format": form, "reason": "an audit", **b}), 200).body)
        for form in ("ndjson", "csv", "cef", "ocsf", "syslog")
        for b in ({}, {"filter": {"action": "incident.*"}},
                  {"filter": {"outcome": "denied"}})]


# ---- where a change must be found ----

def covers(log, s):
    """Entry s is in a full tile, or between two checkpoints."""
    if s <= log.n // kit.WIDTH * kit.WIDTH:
        return range(s, s + 1)
    first = max([x for x in log.sizes if x < s], default=0) + 1
    return range(first, min([x for x in log.sizes if x >= s],
                            default=log.n) + 1)


def named(answer):
    """The entries a finding speaks of: its numbers, and what is between
    `entries A to B`."""
    seqs = {int(answer.split()[1])} if answer.startswith("bad") else set()
    what = answer.split(" ", 2)[2] if answer.count(" ") > 1 else ""
    for a, b in re.findall(r"entries (\d+) to (\d+)", what):
        seqs |= set(range(int(a), int(b) + 1))
    return seqs | {int(x) for x in re.findall(r"\b\d+\b", what)}


# ---- manipulations of rows: each answers the first entry it touched, or the
# ---- text its finding must have; None: nothing was changed ----

def put(c, seq, leaf):
    c.execute("UPDATE audit SET leaf = ? WHERE seq = ?", (leaf, seq))


def edit_bit(b, c, rng):
    s = rng.randint(1, b.log.n)
    leaf = bytearray(b.log.leaves[s])
    leaf[rng.randrange(len(leaf))] ^= 1 << rng.randrange(8)
    put(c, s, bytes(leaf))
    return s


def edit_member(b, c, rng):
    s = rng.randint(1, b.log.n)
    o = json.loads(b.log.leaves[s])
    m = rng.choice(sorted(set(o) - {"v"}))
    v = o[m]
    if m == "seq":
        o[m] = v + rng.choice([-1, 1, 100])
    elif m == "count":
        o[m] = v + 1
    elif m == "outcome":
        o[m] = "ok" if v != "ok" else "denied"
    elif m == "principal":
        o[m] = dict(v, id="0192a3b4-c5d6-7e8f-9012-3456789abcde")
    elif m == "resource":
        o[m] = v[:-1] if len(v) > 1 else v + [{"id": "x", "type": "alert"}]
    elif m == "time":
        o[m] = v[:-2] + str((int(v[-2]) + 1) % 10) + "Z"
    elif m == "cm":
        o[m] = base64.b64encode(rng.randbytes(32)).decode()
    elif m in ("action", "reason") or rng.random() < 0.3:
        o[m] = "incident.read" if v != "incident.read" else "incident.list"
    else:
        o[m] = v[:-1] + ("0" if v[-1] != "0" else "1")
    put(c, s, kit.leaf_of(o))
    return s


def drop_member(b, c, rng):
    s = rng.randint(1, b.log.n)
    o = json.loads(b.log.leaves[s])
    del o[rng.choice(sorted(o))]
    put(c, s, kit.leaf_of(o))
    return s


def other_form(b, c, rng):
    s = rng.randint(1, b.log.n)
    o = json.loads(b.log.leaves[s])
    text = rng.choice([json.dumps(o, sort_keys=True),
                       json.dumps(dict(reversed(o.items())),
                                  separators=(",", ":")),
                       kit.leaf_of(o).decode() + "\n",
                       kit.leaf_of(o).decode().replace("a", "\\u0061", 1),
                       kit.leaf_of(dict(o, zzz=1)).decode(),
                       kit.leaf_of(dict(o, reason="")).decode(),
                       kit.leaf_of(dict(o, v=2)).decode(), "", "{}",
                       "x" * 65536])
    put(c, s, text.encode())
    return s


def node_as_leaf(b, c, rng):
    """A12: 65 bytes that are a node."""
    s = rng.randint(1, b.log.n)
    put(c, s, b"\1" + rng.randbytes(64))
    return s


def replay_leaf(b, c, rng):
    """Another entry's content under this number."""
    s, t = rng.sample(range(1, b.log.n + 1), 2)
    put(c, s, kit.leaf_of(dict(json.loads(b.log.leaves[t]), seq=s)))
    return s


def edit_with_tiles(b, c, rng):
    """A7: a leaf is replaced and every tile made anew."""
    s = rng.randint(1, b.log.n)
    o = json.loads(b.log.leaves[s])
    o["address"] = "203.0.113.9"
    put(c, s, kit.leaf_of(o))
    h = [kit.h_leaf(x[0]) for x in
         c.execute("SELECT leaf FROM audit ORDER BY seq")]
    for t in range(len(h) // kit.WIDTH):
        c.execute("UPDATE audit_tile SET hashes = ? WHERE key = ?",
                  (b"".join(h[t * kit.WIDTH:(t + 1) * kit.WIDTH]), t))
    first = max([x for x in b.log.sizes if x < s], default=0) + 1
    return first


def tail(b, c, rng):
    k = rng.choice([1, 255, 256, 257, rng.randint(1, b.log.n), b.log.n])
    k = min(k, b.log.n)
    left = b.log.n - k
    c.execute("DELETE FROM audit WHERE seq > ?", (left,))
    if rng.random() < 0.7:
        c.execute("DELETE FROM audit_tile WHERE key >= ?",
                  (left // kit.WIDTH,))
    if rng.random() < 0.7:
        c.execute("DELETE FROM checkpoint WHERE size > ?", (left,))
    return left + 1


def middle(b, c, rng):
    k = rng.choice([1, 2, rng.randint(1, 60)])
    s = rng.randint(1, b.log.n - k)
    c.execute("DELETE FROM audit WHERE seq BETWEEN ? AND ?", (s, s + k - 1))
    return s


def first_half(b, c, rng):
    c.execute("DELETE FROM audit WHERE seq <= ?", (rng.randint(1, b.log.n),))
    return 1


def rewrite(b, c, leaves, start):
    """The log from `start` on is these leaves, numbered anew."""
    c.execute("DELETE FROM audit WHERE seq >= ?", (start,))
    c.executemany("INSERT INTO audit VALUES (?, ?)", [
        (start + i, kit.leaf_of(dict(json.loads(x), seq=start + i)))
        for i, x in enumerate(leaves)])


def middle_renumbered(b, c, rng):
    s = rng.randint(1, b.log.n - 1)
    rewrite(b, c, [b.log.leaves[i] for i in range(s + 1, b.log.n + 1)], s)
    return s


def inserted(b, c, rng):
    s = rng.randint(1, b.log.n)
    new = kit.leaf_of(dict(json.loads(b.log.leaves[s]), action="auth.login"))
    rewrite(b, c, [new] + [b.log.leaves[i]
                           for i in range(s, b.log.n + 1)], s)
    return s


def doubled(b, c, rng):
    s = rng.randint(1, b.log.n)
    if rng.random() < 0.5:  # as it is, over the next one or behind the last
        if s == b.log.n:
            c.execute("INSERT INTO audit VALUES (?, ?)",
                      (s + 1, b.log.leaves[s]))
        else:
            put(c, s + 1, b.log.leaves[s])
        return s + 1
    rewrite(b, c, [b.log.leaves[i] for i in range(s, b.log.n + 1)], s + 1)
    return s + 1


def swapped(b, c, rng):
    s, t = sorted(rng.sample(range(1, b.log.n + 1), 2))
    if rng.random() < 0.4:
        t = min(s + 1, b.log.n)
        s = t - 1
    put(c, s, b.log.leaves[t])
    put(c, t, b.log.leaves[s])
    return s


def swapped_renumbered(b, c, rng):
    s, t = sorted(rng.sample(range(1, b.log.n + 1), 2))
    put(c, s, kit.leaf_of(dict(json.loads(b.log.leaves[t]), seq=s)))
    put(c, t, kit.leaf_of(dict(json.loads(b.log.leaves[s]), seq=t)))
    # entries of one millisecond: the first date out of order is the later's
    return s, t


def shuffled(b, c, rng):
    s = rng.randint(1, b.log.n - 8)
    order = list(range(s, s + 8))
    rng.shuffle(order)
    for at, i in zip(range(s, s + 8), order):
        put(c, at, b.log.leaves[i])
    return next((a for a, i in zip(range(s, s + 8), order) if a != i), None)


def numbers_moved(b, c, rng):
    """The table's numbers, not the leaves' own."""
    c.execute("UPDATE audit SET seq = -seq")
    c.execute("UPDATE audit SET seq = -seq + ?", (rng.randint(1, 9),))
    return 1


def tile_bit(b, c, rng):
    key, t = rng.choice(b.log.rows["audit_tile"])
    t, at = bytearray(t), rng.randrange(len(t))
    t[at] ^= 1 << rng.randrange(8)
    c.execute("UPDATE audit_tile SET hashes = ? WHERE key = ?",
              (bytes(t), key))
    return key * kit.WIDTH + at // 32 + 1


def tile_gone(b, c, rng):
    key = rng.choice(b.log.rows["audit_tile"])[0]
    c.execute("DELETE FROM audit_tile WHERE key = ?", (key,))
    return f"tile 0/{key}"


def tiles_swapped(b, c, rng):
    (k, t), (l, u) = rng.sample(b.log.rows["audit_tile"], 2)
    c.execute("UPDATE audit_tile SET hashes = ? WHERE key = ?", (u, k))
    c.execute("UPDATE audit_tile SET hashes = ? WHERE key = ?", (t, l))
    return min(k, l) * kit.WIDTH + 1


def tile_cut(b, c, rng):
    key, t = rng.choice(b.log.rows["audit_tile"])
    c.execute("UPDATE audit_tile SET hashes = ? WHERE key = ?",
              (t[:rng.randrange(len(t))], key))
    return f"tile 0/{key}"


def note_put(c, size, note):
    c.execute("UPDATE checkpoint SET note = ? WHERE size = ?", (note, size))


def note_bit(b, c, rng):
    size, _, note = rng.choice(b.log.rows["checkpoint"])
    note = bytearray(note)
    note[rng.randrange(len(note))] ^= 1 << rng.randrange(8)
    note_put(c, size, bytes(note))
    return f"checkpoint {size}"


def note_forged(b, c, rng):
    """Wrong key; right key and wrong root, size, or origin."""
    size = rng.choice(b.log.sizes)
    h = [kit.h_leaf(b.log.leaves[i + 1]) for i in range(size)]
    root, stranger = kit.root_of(h), rng.randbytes(32)
    note = rng.choice([
        lambda: kit.checkpoint(b.name, size, root, stranger),
        lambda: kit.checkpoint(b.name, size, rng.randbytes(32), b.seed),
        lambda: kit.checkpoint(b.name, size + 1, root, b.seed),
        lambda: kit.checkpoint(b.name, size - 1, root, b.seed),
        lambda: kit.checkpoint(b.name, size, root, b.seed, "other/log"),
        lambda: kit.checkpoint("other/log", size, root, b.seed),
        lambda: kit.sign(f"{b.name}\n0{size}\n"
                         f"{base64.b64encode(root).decode()}\n",
                         b.name, b.seed),
        lambda: kit.sign(f"{b.name}\n{size}\n"
                         f"{base64.b64encode(root).decode()}\nextra\n",
                         b.name, b.seed),
        lambda: kit.checkpoint(b.name, size, root,
                               b.seed).replace(b"\n", b"\r\n"),
        lambda: kit.checkpoint(b.name, size, root,
                               b.seed).replace("\u2014".encode(), b"-"),
        lambda: b"", lambda: b"x" * 100000])()
    note_put(c, size, note)
    return f"checkpoint {size}"


def note_moved(b, c, rng):
    """One that was really signed stands for another size."""
    (s, _, _), (t, _, u) = rng.sample(b.log.rows["checkpoint"], 2)
    note_put(c, s, u)
    return f"checkpoint {s}"


def note_ahead(b, c, rng):
    """A signed promise of entries that are not there."""
    more = b.log.n + rng.randint(1, 1000)
    c.execute("INSERT INTO checkpoint VALUES (?, 0, ?)", (
        more, kit.checkpoint(b.name, more, rng.randbytes(32), b.seed)))
    return b.log.n + 1


def history_resigned(b, c, rng):
    """A8: who stole the signing key rewrites and signs; what the keeper
    signed before tells."""
    s = rng.randint(1, b.log.n)
    edit_with_tiles_at(b, c, s)
    h = [kit.h_leaf(x[0]) for x in
         c.execute("SELECT leaf FROM audit ORDER BY seq")]
    c.execute("DELETE FROM checkpoint")
    c.execute("INSERT INTO checkpoint VALUES (?, 0, ?)", (
        b.log.n, kit.checkpoint(b.name, b.log.n, kit.root_of(h), b.seed)))
    return "two signed checkpoints of size"


def edit_with_tiles_at(b, c, s):
    o = dict(json.loads(b.log.leaves[s]), address="203.0.113.9")
    put(c, s, kit.leaf_of(o))
    h = [kit.h_leaf(x[0]) for x in
         c.execute("SELECT leaf FROM audit ORDER BY seq")]
    for t in range(len(h) // kit.WIDTH):
        c.execute("UPDATE audit_tile SET hashes = ? WHERE key = ?",
                  (b"".join(h[t * kit.WIDTH:(t + 1) * kit.WIDTH]), t))


def other_key(b, c, rng):
    c.execute("UPDATE meta SET value = ? WHERE name = 'audit.vkey'", (
        rng.choice([b"", b"x", bytes(b.log.vkey[0][:-1]),
                    b"x" + b.log.vkey[0]]),))
    return "signing key"


def beside(b, c, rng):
    """Rows no walk comes by, that a list would show."""
    s = rng.randint(1, b.log.n)
    what = rng.choice(["audit", "checkpoint", "tile"])
    if what == "audit":
        c.execute("INSERT INTO audit VALUES (?, ?)",
                  (-rng.randrange(9), b.log.leaves[s]))
        return "before entry 1"
    if what == "checkpoint":
        c.execute("INSERT INTO checkpoint VALUES (?, 0, ?)",
                  (-rng.randrange(9), b.log.rows["checkpoint"][0][2]))
        return "before entry 1"
    level = rng.choice([0, 1, 2]) << 56
    c.execute("INSERT INTO audit_tile VALUES (?, ?)",
              (level + rng.randint(9, 99), b.log.rows["audit_tile"][0][1]))
    return "tiles"


def stream_gone(b, c, rng):
    """L19: everything, and what would tell of it in the store."""
    for t in LOG:
        c.execute(f"DELETE FROM {t}")
    return 1


ROW_KINDS = [edit_bit, edit_member, drop_member, other_form, node_as_leaf,
             replay_leaf, edit_with_tiles, tail, middle, first_half,
             middle_renumbered, inserted, doubled, swapped,
             swapped_renumbered, shuffled, numbers_moved, tile_bit, tile_gone,
             tiles_swapped, tile_cut, note_bit, note_forged, note_moved,
             note_ahead, history_resigned, other_key, beside, stream_gone]


def place_ok(b, where, answer):
    # a log of two epochs without the entry between them, or with a history
    # before it that is not the one it names
    if b.forked and ("no entry says why" in answer or
                     "before the fork at entry" in answer):
        return True
    if isinstance(where, str):
        return re.search(re.escape(where) + r"\b", answer) is not None
    if isinstance(where, tuple):
        return any(place_ok(b, s, answer) for s in where)
    # a time or a number that was changed is noticed at the next entry, too
    return bool(named(answer) & {*covers(b.log, where), where})


def tally(title, counts, misses):
    print(f"# {title}: {sum(counts.values())} found, {misses} missed")
    print("#   " + ", ".join(f"{k} {v}" for k, v in sorted(counts.items())))


_bench = None


def bench(rig):
    global _bench
    _bench = _bench or Bench(rig)
    _bench.restore()
    return _bench


@test
def a_live_log_is_never_suspected(rig):
    """False alarms: what a server is writing is verified 200 times, each
    time a longer history, as auditors do beside it."""
    judge, stop = kit.Judge(), threading.Event()
    sender = rig.make_integration("generic")

    def load():
        s = rig.client(sender["secret"])
        while not stop.is_set():
            s.post("/ingest/" + sender["id"], [
                {"title": f"t {i}", "severity": "warning"} for i in range(3)])
            rig.client(rig.token).get(rig.p + "/incidents")
    t = threading.Thread(target=load)
    t.start()
    seen, end = set(), time.time() + 60
    try:
        while len(seen) < 200 and time.time() < end:
            a = judge.store(rig.data)
            rig.check(a.startswith("ok"), f"false alarm: {a}")
            seen.add(a)
    finally:
        stop.set()
        t.join()
        judge.done()
    rig.eq(len(seen) >= 200, True, f"{len(seen)} histories")
    print(f"# {len(seen)} honest histories, no alarm")


def spoil(rig, b, kinds, times, rng, title):
    """Manipulation after manipulation; each is found, with its place."""
    rig.check(b.judge.store(b.data).startswith("ok"), "honest")
    found, missed = collections.Counter(), 0
    for k in range(times):
        kind = kinds[k % len(kinds)]
        c = b.sql()
        c.execute("BEGIN")
        where = kind(b, c, rng)
        c.execute("COMMIT")
        c.close()
        if where is None or Log(b.db).same(b.log):
            rig.check(where is None, f"{k} {kind.__name__} did nothing")
        else:
            a = b.judge.store(b.data)
            good = not a.startswith("ok") and place_ok(b, where, a)
            rig.check(good, f"{k} {kind.__name__}: {a}, want {where}")
            found[kind.__name__] += good
            missed += not good
        b.restore()
        if len(rig.failures) > 20:
            break
    rig.check(b.judge.store(b.data).startswith("ok"), "honest at the end")
    tally(title, found, missed)


@test
def rows(rig):
    b = bench(rig)
    rig.check(len(b.log.sizes) >= 6 and b.log.n > 2 * kit.WIDTH,
              f"{b.log.n} entries, checkpoints {b.log.sizes}")
    spoil(rig, b, ROW_KINDS, ROWS, random.Random(SEED), "rows")


def fork_edit(b, c, rng):
    """A22: another predecessor, another size, or no fork at all."""
    s = next(s for s, x in b.log.leaves.items() if b'"audit.fork"' in x)
    o = json.loads(b.log.leaves[s])
    m = rng.choice(sorted(set(o) - {"v", "seq", "time", "action"}))
    if m == "resource":
        r = rng.choice(o[m])
        r["id"] = r["id"][:-1] + ("A" if r["id"][-1] != "A" else "B")
    elif m == "cm":
        o[m] = base64.b64encode(rng.randbytes(32)).decode()
    elif isinstance(o[m], str):
        o[m] = "denied" if m == "outcome" else o[m] + "x"
    else:
        o["action"] = "server.start"
    put(c, s, kit.leaf_of(o))
    return s


def fork_gone(b, c, rng):
    s = next(s for s, x in b.log.leaves.items() if b'"audit.fork"' in x)
    put(c, s, b.log.leaves[s].replace(b"audit.fork", b"audit.view"))
    return s


@test
def a_restored_log(rig):
    """Of two epochs: what was signed before a restore and after it."""
    b = bench(rig)
    bk, data = rig.dir / "backup.rbk", rig.dir / "restored"
    for words in (["backup", "--data", str(rig.data), "--to", str(bk)],
                  ["restore", "--from", str(bk), "--data", str(data),
                   "--root", str(rig.data / "keys/root.key")]):
        r = rig.cli(*words)
        if not rig.eq(r.returncode, 0, f"{words}: {r.stderr}"):
            return
    was = rig.data, rig.ca
    rig.data, rig.ca = data, str(data / "tls" / "ca.pem")
    rig.start()
    traffic(rig, 60)
    rig.stop()
    two = Bench.__new__(Bench)
    two.take(rig.data)
    rig.data, rig.ca = was
    rig.check(two.name != b.name, "a new origin")
    spoil(rig, two, [*ROW_KINDS, fork_edit, fork_gone], ROWS // 5,
          random.Random(SEED + 5), "rows of two epochs")
    two.done()


@test
def rolled_back(rig):
    """A10: the file of yesterday; and with the keeper's of yesterday only
    what was signed and kept elsewhere can tell, which is what PROTOCOL.audit
    says."""
    b = bench(rig)
    old = Log(b.old / "db" / "store.db")
    shutil.copyfile(b.old / "db" / "store.db", b.db)
    a = b.judge.store(b.data)
    rig.check(a == f"bad {old.n + 1} the entries {old.n + 1} to {b.log.n} "
              "are missing: a signed checkpoint covers them", a)
    b.restore()


@test
def raw_bytes(rig):
    """The file, not its rows.  What SQLite then reads says what must be
    found: where the log reads as before, nothing."""
    b, rng = bench(rig), random.Random(SEED + 1)
    size, found, same, missed = len(b.whole), collections.Counter(), 0, 0
    pages = log_pages(b)

    def flip(f):
        for _ in range(rng.choice([1, 1, 4, 64])):
            at = rng.choice(pages) * 4096 + rng.randrange(4096)
            f[at] ^= 1 << rng.randrange(8)

    def anywhere(f):
        f[rng.randrange(size)] ^= 1 << rng.randrange(8)

    def zero(f):
        at = rng.choice(pages) * 4096
        f[at:at + 4096] = bytes(4096)

    def swap(f):
        p, q = (rng.choice(pages) * 4096 for _ in "pq")
        f[p:p + 4096], f[q:q + 4096] = f[q:q + 4096], f[p:p + 4096]

    def twice(f):
        p, q = (rng.choice(pages) * 4096 for _ in "pq")
        f[p:p + 4096] = f[q:q + 4096]

    def sectors(f):
        at = rng.choice(pages) * 4096 + rng.randrange(8) * 512
        f[at:at + 512] = rng.randbytes(512)

    def cut(f):
        del f[rng.randrange(1, size // 4096) * 4096:]

    def text(f):
        """What a person with an editor would look for."""
        at = f.find(rng.choice([b'"denied"', b'"user"', b'"incident.',
                                b'127.0.0.1', b'"count":']),
                    rng.randrange(size))
        if at >= 0:
            f[at + 1:at + 4] = b"xyz"
    kinds = [flip, anywhere, zero, swap, twice, sectors, cut, text]
    for k in range(BYTES):
        kind, f = kinds[k % len(kinds)], bytearray(b.whole)
        kind(f)
        b.db.write_bytes(f)
        now = None
        try:
            now = Log(b.db)
        except (sqlite3.Error, AttributeError, UnicodeError):
            pass
        for p in b.db.parent.glob("store.db-*"):
            p.unlink(missing_ok=True)
        b.db.write_bytes(f)
        a = b.judge.store(b.data)
        if now is not None and now.same(b.log):
            # other tables may be broken so that the store does not open
            same += 1
            rig.check(not a.startswith("bad"), f"{k} {kind.__name__}: {a}, "
                      "but the log reads as it was")
        else:
            good = not a.startswith("ok")
            rig.check(good, f"{k} {kind.__name__}: {a}; {differs(b, now)}")
            found[kind.__name__] += good
            missed += not good
        b.restore()
    tally(f"bytes ({same} more left the log as it was)", found, missed)


def differs(b, now):
    """For who must find out why something was missed."""
    if now is None:
        return "SQLite cannot read it"
    return ", ".join(
        f"{t}: {len(now.rows[t])} rows, {len(set(old) - set(now.rows[t]))} "
        f"gone, {len(set(now.rows[t]) - set(old))} new: "
        f"{[r[0] for r in set(now.rows[t]) - set(old)][:9]}"
        for t, old in b.log.rows.items() if now.rows[t] != old)


def log_pages(b):
    """Pages of the three tables, counted from 0."""
    c = b.sql()
    try:
        return [r[0] - 1 for r in c.execute(
            "SELECT pageno FROM dbstat WHERE name IN (?, ?, ?)", LOG)]
    except sqlite3.OperationalError:  # no dbstat: look for leaves
        return [i // 4096 for i in range(0, len(b.whole), 4096)
                if b'"principal":' in b.whole[i:i + 4096]]
    finally:
        c.close()


@test
def keepers_files(rig):
    """The signed state and the sealed seed: anything but the newest whole
    slot is noticed; so is another log's state, an unsigned one, none."""
    b, rng = bench(rig), random.Random(SEED + 2)
    state, found = b.data / "keys" / "keeper.state", 0
    slots = sorted(((int.from_bytes(b.keys["keeper.state"][at + 8:at + 16]),
                     at) for at in (0, 4096)), reverse=True)

    def data_of(at):
        s = b.keys["keeper.state"][at:at + 512]
        return s[18:18 + int.from_bytes(s[16:18])]

    def slot(counter, data):
        s = (b"rdslots1" + counter.to_bytes(8) + len(data).to_bytes(2) +
             data).ljust(480, b"\0")
        return s + hashlib.sha256(s).digest()

    def with_slots(newest):
        f = bytearray(b.keys["keeper.state"])
        for n in (1, 2):  # over both: no older one to fall back on
            at = slots[n % 2][1]
            f[at:at + 512] = slot(slots[0][0] + 2 - n
                                  if at == slots[0][1] else slots[0][0] - 1,
                                  newest)
        return bytes(f)
    good = data_of(slots[0][1])
    for k in range(STATE):
        d = bytearray(good)
        d[rng.randrange(len(d))] ^= 1 << rng.randrange(8)
        state.write_bytes(with_slots(bytes(d)))
        a = b.judge.store(b.data)
        found += rig.check(a.startswith(("bad", "err")) and
                           "keeper" in a, f"state {k}: {a}")
    mac = hmac.new(b"\0" * 32, b"redoubt keeper state 1\0" + good[:-32],
                   hashlib.sha256).digest()
    other = Rig(start=False)
    cases = {
        "made up without the seed": with_slots(good[:-32] + mac),
        "another log's": (other.data / "keys/keeper.state").read_bytes(),
        "both slots torn": b"\0" * len(b.keys["keeper.state"]),
        "empty": b"", "cut": b.keys["keeper.state"][:300]}
    for name, content in cases.items():
        state.write_bytes(content)
        a = b.judge.store(b.data)
        found += rig.check(a.startswith(("bad", "err")) and "keeper" in a,
                           f"{name}: {a}")
    state.unlink()
    a = b.judge.store(b.data)
    found += rig.check(a.startswith(("bad", "err")) and "keeper" in a,
                       f"deleted: {a}")
    b.restore()
    audit = b.data / "keys" / "audit.key"
    for name, content in {
            "another log's": (other.data / "keys/audit.key").read_bytes(),
            "torn": b"\0" * 8192, "empty": b""}.items():
        audit.write_bytes(content)
        a = b.judge.store(b.data)
        found += rig.check(a.startswith(("bad", "err")) and "audit.key" in a,
                           f"audit.key {name}: {a}")
    audit.unlink()
    a = b.judge.store(b.data)
    found += rig.check(a.startswith(("bad", "err")) and "audit.key" in a,
                       f"audit.key deleted: {a}")
    other.done()
    b.restore()
    rig.check(b.judge.store(b.data).startswith("ok"), "honest at the end")
    print(f"# keeper's files: {found} found")


# ---- exports ----

def e_bit(x, rng):
    x = bytearray(x)
    x[rng.randrange(len(x))] ^= 1 << rng.randrange(8)
    return bytes(x)


def lines(x):
    return x.split(b"\n")[:-1]


def joined(ls):
    return b"".join(x + b"\n" for x in ls)


def e_gone(x, rng):
    ls = lines(x)
    at = rng.randrange(len(ls))
    del ls[at:at + rng.choice([1, 1, 5])]
    return joined(ls)


def e_swap(x, rng):
    ls = lines(x)
    i, j = rng.sample(range(len(ls)), 2)
    ls[i], ls[j] = ls[j], ls[i]
    return joined(ls)


def e_double(x, rng):
    ls = lines(x)
    i = rng.randrange(len(ls))
    return joined(ls[:i] + [ls[i]] + ls[i:])


def e_cut(x, rng):
    return x[:rng.randrange(len(x))]


def e_more(x, rng):
    return x + rng.choice([b"\n", b"{}\n", lines(x)[0] + b"\n", b" ", b"\0"])


def e_form(x, rng):
    """A18: an entry written anew."""
    ls = lines(x)
    i = rng.choice([i for i, l in enumerate(ls) if l[:1] == b"{"])
    o = json.loads(ls[i])
    ls[i] = rng.choice([
        json.dumps(o).encode(), b" " + ls[i], ls[i] + b" ", ls[i] + b"\r",
        json.dumps(dict(reversed(o.items())),
                   separators=(",", ":")).encode()])
    return joined(ls)


def e_spaces(x, rng):
    """A18 for those that are not JSON."""
    ls = lines(x)
    i = rng.randrange(len(ls))
    ls[i] = rng.choice([b" " + ls[i], ls[i] + b" ", ls[i].replace(
        b" ", b"  ", 1) if b" " in ls[i] else ls[i] + b"\t"])
    return joined(ls)


WORDS = [(b"incident", b"incldent"), (b"denied", b"okokok"),
         (b"127.0.0.1", b"127.0.0.9"), (b"user", b"usor"), (b"create",
                                                            b"delete")]


def e_word(x, rng):
    """What a person with an editor would do; not to the last lines."""
    ls, (old, new) = lines(x), rng.choice(WORDS)
    at = [i for i, l in enumerate(ls[:-2]) if old in l and seq_of(l)]
    if not at:
        return x
    i = rng.choice(at)
    ls[i] = ls[i].replace(old, new, 1)
    return joined(ls)


def seq_of(line):
    """Whose line it is, in any format."""
    m = re.search(rb'"seq":(\d+)|^(\d+),|externalId=(\d+)|"sequence":(\d+)|'
                  rb'seq="(\d+)"', line)
    return int(next(g for g in m.groups() if g)) if m else None


def e_stub(x, rng):
    """A19, and an entry hidden as a stub of another hash."""
    ls = lines(x)
    at = [i for i, l in enumerate(ls[:-2]) if seq_of(l)]
    i = rng.choice(at)
    ls[i] = json.dumps({"h": base64.b64encode(rng.randbytes(32)).decode(),
                        "seq": seq_of(ls[i])}, separators=(",", ":")).encode()
    return joined(ls)


def e_end(x, rng):
    """The trailer or the manifest: a number, a character, a hash."""
    ls = lines(x)
    i = len(ls) - rng.choice([1, 2])
    at = [m.start() for m in re.finditer(rb"[0-9A-Za-z+/]", ls[i])]
    k = rng.choice(at)
    c = bytes([ls[i][k]])
    ls[i] = ls[i][:k] + (b"1" if c == b"0" else b"0" if c.isdigit()
                         else b"A" if c != b"A" else b"B") + ls[i][k + 1:]
    return joined(ls)


def e_no_end(x, rng):
    """Without its manifest, its trailer, or both."""
    ls = lines(x)
    return joined(rng.choice([ls[:-1], ls[:-2], ls[:-2] + ls[-1:]]))


ANY = [e_bit, e_bit, e_gone, e_swap, e_double, e_cut, e_more, e_word, e_word,
       e_end, e_end, e_no_end]
JSON = [*ANY, e_form, e_stub]
TEXT = [*ANY, e_spaces]


@test
def every_export(rig):
    b, rng = bench(rig), random.Random(SEED + 3)
    path, found, missed = b.top / "export", collections.Counter(), 0
    rig.eq(b.judge.ask("key", b.log.vkey[0].decode()), "ok")
    for form, x in b.exports:
        path.write_bytes(x)
        a = b.judge.export(path)
        rig.check(a.startswith("ok"), f"honest {form}: {a}")
    for k in range(EXPORT):
        form, x = b.exports[k % len(b.exports)]
        kind = rng.choice(JSON if form == "ndjson" else TEXT)
        y = kind(x, rng)
        if y == x:
            continue
        path.write_bytes(y)
        a = b.judge.export(path)
        good = a.startswith("bad") and len(a.split(" ", 2)[2]) > 5
        if kind in (e_word, e_stub) and good:
            at, was = next((i, m) for i, (l, m) in enumerate(
                zip(lines(y), lines(x)), 1) if l != m)
            good = seq_of(was) in named(a) or f"line {at}, " in a
        rig.check(good, f"{k} {form} {kind.__name__}: {a}")
        found[form] += good
        found[kind.__name__] += good
        missed += not good
        if len(rig.failures) > 20:
            break
    print(f"# exports: {sum(found.values()) // 2} found, {missed} missed")
    print("#   " + ", ".join(f"{k} {v}" for k, v in sorted(found.items())))


@test
def an_export_of_another_key(rig):
    """Whole, but not of this log: told only to who knows the key."""
    b = bench(rig)
    rig.eq(b.judge.ask("key", b.log.vkey[0].decode()), "ok")
    other = Rig()
    path = b.top / "export"
    for form in ("ndjson", "csv", "cef", "ocsf", "syslog"):
        path.write_bytes(other.ok(other.post("/v1/audit/export", {
            "format": form}), 200).body)
        a = b.judge.export(path)
        rig.check(a.startswith("bad"), f"{form}: {a}")
    other.stop()
    other.done()
    path.write_bytes(b.exports[0][1])
    rig.check(b.judge.export(path).startswith("ok"), "ours")
    b.done()


run(lambda: Rig())
