#!/usr/bin/env python3
"""
The key drill, by the book (doc/keys.md), and each step from the thief's side:
the root key file is lost and comes back from shares; keys are rotated under
load and everything is encrypted anew; old root keys, old shares of a way in,
and all keys of yesterday are tried on today's store, and open nothing.
"""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/contrib")
import judgekit as kit  # noqa: E402
import seal  # noqa: E402
from memkit import memory, role_of  # noqa: E402
from rig import BINARY, Rig, run, test  # noqa: E402

PASS = ("correct horse battery staple", "tr0ub4dor and three")


def tool(rig, *words, said="", rc=0, data=None):
    """redoubt WORDS --data DIR --json: the object, or standard error."""
    r = subprocess.run([BINARY, *words, "--data", str(data or rig.data),
                        "--json"], input=said, capture_output=True,
                       text=True, timeout=60)
    rig.eq(r.returncode, rc, f"{words}: {r.stdout} {r.stderr}")
    return json.loads(r.stdout) if rc == 0 and r.stdout else r.stderr


def lines(*s):
    return "".join(x + "\n" for x in s)


def refuses(rig, what, data=None):
    """A server that must not start; what it says."""
    p = subprocess.Popen([BINARY, "serve", "--data", str(data or rig.data),
                          "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True,
                         start_new_session=True)
    try:
        out, _ = p.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        out, _ = p.communicate()
        rig.fail(f"{what}: it started: {out[-300:]}")
        return out
    rig.eq(p.returncode, 7, f"{what}: {out[-400:]}")
    return out


def copied(data, to):
    """What somebody took: the whole directory."""
    shutil.copytree(data, to, ignore=shutil.ignore_patterns("*.sock"))
    return to


def opens(data):
    """{key} of all a store's keys that can be had there, by trying."""
    judge = kit.Judge()
    try:
        return {b for _, _, b in judge.secrets(data)}
    except RuntimeError:
        return set()
    finally:
        judge.done()


def by_kind(data):
    judge = kit.Judge()
    out = judge.secrets(data)
    judge.done()
    return {kind: {b for k, _, b in out if k == kind} for kind, _, _ in out}


def root_file(data):
    return pathlib.Path(data) / "keys" / "root.key"


def put(path, content):
    if path.exists():
        path.chmod(0o600)
    path.write_text(content)
    path.chmod(0o400)


def readable(rig, titles):
    for i, title in enumerate(titles, 1):
        r = rig.ok(rig.get(f"{rig.p}/incidents/{i}"), 200)
        rig.eq(r.json["title"], title)


TITLES = [f"written on day {k}" for k in range(6)]


@test
def lost_and_back_from_shares(rig):
    for t in TITLES:
        rig.make_incident(t)
    rig.shares = tool(rig, "key", "split", "--shares", "5", "--threshold",
                      "3")["shares"]
    rig.ok(rig.get("/v1/whoami"), 200)  # beside a running server
    rig.stop()
    rig.yesterday = copied(rig.data, rig.dir / "yesterday")
    root = root_file(rig.data).read_text()
    root_file(rig.data).unlink()
    refuses(rig, "no root key")
    rig.eq(opens(rig.data), set(), "keys without the root key")
    # two people cannot, nor one who sends twice, nor a share made up
    s = rig.shares
    for bad in (s[:2], [s[0], s[0], s[0]], [s[0], s[1], s[2][:-1] + (
            "A" if s[2][-1] != "A" else "B")], [s[0], s[1]] + ["x" * 69]):
        tool(rig, "key", "recover", said=lines(*bad), rc=6)
        rig.check(not root_file(rig.data).exists(), "nothing was written")
    tool(rig, "key", "recover", said=lines(s[4], s[1], s[2]))
    rig.eq(root_file(rig.data).read_text(), root, "the same key")
    # without the sealed copy shares open nothing
    thin = copied(rig.data, rig.dir / "thin")
    root_file(thin).unlink()
    (thin / "keys" / "root.escrow").unlink()
    rig.check(tool(rig, "key", "recover", said=lines(*s[:3]), rc=3,
                   data=thin), "no copy")
    rig.start()
    readable(rig, TITLES)


def macs(data):
    """Numbers of keys that seal nothing: of blind indexes and of tokens,
    which stay what they are (PROTOCOL.seal 4)."""
    c = sqlite3.connect(data / "db" / "store.db")
    out = {r[0] for r in c.execute("SELECT id FROM data_key "
                                   "WHERE class IN (8, 9)")}
    c.close()
    return out


class Load(threading.Thread):
    """Ingest that must not notice."""

    def __init__(self, rig, n):
        super().__init__()
        self.rig, self.n, self.stop = rig, n, threading.Event()
        self.sent, self.bad, self.times = [], [], []

    def run(self):
        c, k = self.rig.client(self.n["secret"]), 0
        while not self.stop.is_set():
            k += 1
            at = time.monotonic()
            r = c.post("/ingest/" + self.n["id"], {
                "title": f"t {k}", "dedup_key": f"drill {k}",
                "severity": "warning"})
            self.times.append(time.monotonic() - at)
            if r.status == 202:
                self.sent.append(r.json["receipt"]["alerts"][0]["id"])
            else:
                self.bad.append(repr(r))

    def p99(self):
        return sorted(self.times)[len(self.times) * 99 // 100]


@test
def rotated_under_load(rig):
    """L25: nobody fails or waits, what was there is encrypted anew, and no
    key of before opens, or is, anything of after."""
    before = by_kind(rig.data)
    n = rig.make_integration("generic")
    quiet = Load(rig, n)
    quiet.start()
    time.sleep(1)
    quiet.stop.set()
    quiet.join()
    busy = Load(rig, n)
    busy.start()
    tool(rig, "key", "rotate")
    tool(rig, "key", "reencrypt")
    end = time.time() + 20
    while (tool(rig, "key", "status").get("reencrypt") or {}).get(
            "running") and time.time() < end:
        time.sleep(0.1)
    busy.stop.set()
    busy.join()
    rig.eq(busy.bad + quiet.bad, [], "failed requests")
    for id in quiet.sent + busy.sent[-50:]:
        rig.ok(rig.get(rig.p + "/alerts/" + id), 200)
    readable(rig, TITLES)
    after = by_kind(rig.data)
    rig.eq(before["project"] & after["project"], set(), "project keys")
    rig.eq(len(before["data"] & after["data"]), len(macs(rig.yesterday)),
           "data keys that outlived it, besides those of MACs")
    print(f"# {len(busy.sent)} alerts during, none failed; p99 "
          f"{1000 * busy.p99():.1f} ms, before {1000 * quiet.p99():.1f} ms")


@test
def old_keys_open_nothing(rig):
    """A thief has yesterday's root key file, or all of yesterday."""
    rig.stop()
    today = copied(rig.data, rig.dir / "today")
    now = root_file(today).read_text()
    put(root_file(today), root_file(rig.yesterday).read_text())
    out = refuses(rig, "yesterday's root key", today)
    rig.check("key" in out, out[-300:])
    rig.eq(opens(today), set(), "today's keys by yesterday's root key")
    # all of yesterday's keys in today's tables: their wrappings are older
    c = sqlite3.connect(today / "db" / "store.db", isolation_level=None)
    c.execute("ATTACH ? AS y", (str(rig.yesterday / "db" / "store.db"),))
    ids = {r[0] for r in c.execute("SELECT id FROM data_key")}
    old = {r[0] for r in c.execute("SELECT id FROM y.data_key")}
    rig.eq(ids & old, macs(rig.yesterday), "numbers of keys used again")
    c.close()
    # nor do the bytes of an old key, wrapped, stand anywhere on the disk
    wrapped = [r[0] for r in sqlite3.connect(
        rig.yesterday / "db" / "store.db").execute(
        "SELECT wrapped FROM data_key UNION ALL "
        "SELECT wrapped FROM project_key")]
    for p in rig.data.rglob("*"):
        if p.is_file():
            b = p.read_bytes()
            rig.check(not any(w in b for w in wrapped), f"old keys in {p}")
    put(root_file(today), now)
    rig.check(len(opens(today)) > 10, "today's opens today's")
    # yesterday's directory is whole: it opens itself, which is why it is kept
    # like the store
    rig.check(len(opens(rig.yesterday)) > 10, "yesterday's opens yesterday's")
    rig.start()


@test
def shares_outlive_it_and_are_replaced(rig):
    rig.stop()
    s = rig.shares
    root = root_file(rig.data).read_text()
    root_file(rig.data).unlink()
    tool(rig, "key", "recover", said=lines(*s[:3]))
    rig.eq(root_file(rig.data).read_text(), root, "the rotated key")
    # one of them is not trusted any more: new shares for all
    new = tool(rig, "key", "split", "--shares", "3", "--threshold",
               "2")["shares"]
    root_file(rig.data).unlink()
    for bad in (s[:3], [new[0], s[1]], [s[0], s[1], s[2], new[0]]):
        tool(rig, "key", "recover", said=lines(*bad), rc=6)
    rig.check(not root_file(rig.data).exists(), "revoked shares")
    tool(rig, "key", "recover", said=lines(*new[1:]))
    rig.start()
    readable(rig, TITLES)


@test
def a_revoked_passphrase(rig):
    """Taken away it opens no file of today; with a copy of the file of
    yesterday only what was not rotated since, which is why the book says
    rotate."""
    rig.stop()
    for name, p in zip(("first", "second"), PASS):
        said = lines(p) if name == "first" else lines(PASS[0], p)
        tool(rig, "key-source", "add", "--kind", "passphrase", "--name", name,
             said=said)
    sealed = root_file(rig.data).read_text()
    rig.check(sealed.startswith("redoubt-root-sealed-1 "), sealed[:30])
    tool(rig, "key-source", "test", "second", said=lines(PASS[1]))
    tool(rig, "key-source", "remove", "second", said=lines(PASS[0]))
    tool(rig, "key-source", "test", "second", said=lines(PASS[1]), rc=6)
    tool(rig, "key-source", "test", "first", said=lines(PASS[1]), rc=7)
    tool(rig, "key-source", "test", "first", said=lines(PASS[0]))
    tool(rig, "key", "rotate", said=lines(PASS[0]))
    today = copied(rig.data, rig.dir / "today2")
    put(root_file(today), sealed)  # from before: both passphrases open it
    tool(rig, "key-source", "test", "second", said=lines(PASS[1]),
         data=today)
    tool(rig, "key", "status", said=lines(PASS[1]), rc=7, data=today)
    # no word of it, and nothing it was derived to, is on the disk
    for p in rig.data.rglob("*"):
        if p.is_file():
            b = p.read_bytes()
            for x in (*PASS, *rig.shares):
                rig.check(x.encode() not in b, f"{x[:8]} in {p}")


# ---- yesterday's backup, and what was destroyed since ----

def backup(rig, name, *more):
    r = rig.cli("backup", "--data", str(rig.data), "--to",
                str(rig.dir / "bk" / name), *more)
    rig.eq(r.returncode, 0, r.stderr)


def on_restored(rig, name, use):
    """use(), on a server on what a backup gives."""
    rig.restored = getattr(rig, "restored", 0) + 1
    to = rig.dir / f"restored-{rig.restored}"
    r = rig.cli("restore", "--from", str(rig.dir / "bk" / name), "--data",
                str(to), "--root", str(root_file(rig.data)), "--json")
    if not rig.eq(r.returncode, 0, r.stderr):
        return None
    rig.stop()
    was = rig.data, rig.ca
    rig.data, rig.ca = to, str(to / "tls" / "ca.pem")
    try:
        rig.start()
        use(to)
        rig.stop()
        out = rig.cli("audit", "verify", "--data", str(to))
        rig.eq(out.returncode, 0, out.stdout + out.stderr)
    finally:
        rig.data, rig.ca = was
    rig.start()
    return json.loads(r.stdout)


@test
def yesterdays_backup(rig):
    """Another store, with a plain root key file again."""
    old, rig.old = rig.data, None
    rig.data = rig.dir / "data2"
    out = rig.cli("init", "--data", str(rig.data), "--json")
    about = json.loads(out.stdout)
    rig.ca, rig.token, rig.project = about["ca"], about["token"], \
        about["project"]
    rig.p = "/v1/projects/" + rig.project
    rig.check(old != rig.data, "another")
    rig.start()
    (rig.dir / "bk").mkdir()
    rig.gone = [rig.make_incident(f"to be gone {k}", summary=f"text {k}")
                for k in range(3)]
    rig.stays = rig.make_incident("stays")
    backup(rig, "mon.rbk")

    def use(_):
        for k, i in enumerate(rig.gone):
            r = rig.ok(rig.get(f"{rig.p}/incidents/{i['id']}"), 200)
            rig.eq(r.json["title"], f"to be gone {k}")
    on_restored(rig, "mon.rbk", use)


def their_keys(data, ids):
    """Of these incidents: number and key, the key as it is wrapped, and what
    it sealed."""
    judge = kit.Judge()
    keys = {n: b for kind, n, b in judge.secrets(data) if kind == "data"}
    judge.done()
    c = sqlite3.connect(f"file:{data}/db/store.db?mode=ro", uri=True)
    marks = ",".join("?" * len(ids))
    raw = [bytes.fromhex(i.replace("-", "")) for i in ids]
    wrapped = dict(c.execute("SELECT id, wrapped FROM data_key WHERE subject "
                             f"IN ({marks})", raw).fetchall())
    blobs = [r[0] for r in c.execute(
        f"SELECT sealed FROM incident WHERE id IN ({marks})", raw)]
    blobs += [r[0] for r in c.execute(
        "SELECT sealed FROM timeline WHERE key >> 24 IN (SELECT seq FROM "
        f"incident WHERE id IN ({marks}))", raw)]
    c.close()
    return {n: keys[n] for n in wrapped}, list(wrapped.values()), blobs


def under(key, blob):
    """Does it open with that key?  A blob commits to its key."""
    return seal.derive(key, blob[40:64])[2] == blob[8:40]


@test
def shredded_is_unreadable(rig):
    """Retention destroys three incidents; then everything is tried: their
    keys in the store, its log, backups of before and after, a restored
    store, and the memory of every process; what they sealed with every key
    that is left."""
    ids = [i["id"] for i in rig.gone]
    time.sleep(.2)
    keys, wrapped, blobs = their_keys(rig.data, ids)
    rig.check(len(keys) >= 3 and len(blobs) >= 6, f"{len(keys)} keys")
    rig.check(all(any(under(k, b) for k in keys.values()) for b in blobs),
              "with their keys they open")  # this can be seen
    rig.ok(rig.put("/v1/policy", {"retention": {"incident": {
        "days": 0, "min_days": 0}}}), 200)
    for i in ids:
        for to in ("acknowledged", "investigating", "resolved", "closed"):
            rig.ok(rig.post(f"{rig.p}/incidents/{i}/transitions",
                            {"to": to}), 200)
    rig.ok(rig.post("/v1/retention/run"), 202)
    end = time.time() + 20
    while time.time() < end and any(rig.get(
            f"{rig.p}/incidents/{i}").status != 404 for i in ids):
        time.sleep(.1)
    for i in ids:
        rig.ok(rig.get(f"{rig.p}/incidents/{i}"), 404)
    time.sleep(1)  # the run ends: its log is folded
    for pid in rig.pids() if os.geteuid() == 0 else []:
        m = memory(pid, as_core=False)
        rig.check(not any(k in m for k in keys.values()),
                  f"a destroyed key in the memory of {role_of(pid)}")
    backup(rig, "tue.rbk")
    places = [*rig.data.rglob("*"), *(rig.dir / "bk").iterdir()]
    for p in places:
        if p.is_file():
            b = p.read_bytes()
            rig.check(not any(w in b for w in wrapped),
                      f"a destroyed key, wrapped, in {p}")

    def use(data):
        for i in ids:
            rig.ok(rig.get(f"{rig.p}/incidents/{i}"), 404)
        rig.ok(rig.get(f"{rig.p}/incidents/{rig.stays['id']}"), 200)
        left = opens(data) | opens(rig.dir / "data2")
        rig.check(len(left) > 10 and not left & set(keys.values()),
                  "a destroyed key came back")
        rig.check(not any(under(k, b) for k in left for b in blobs),
                  "something opens")
    r = on_restored(rig, "mon.rbk", use)
    rig.check(r and r["dropped"] >= 3, f"dropped: {r}")
    on_restored(rig, "tue.rbk", use)
    print(f"# {len(keys)} destroyed keys, {len(blobs)} sealed texts of "
          f"theirs, {len(places)} files: nothing opens")


run(lambda: Rig())
