#!/usr/bin/env python3
"""
A disk that fails: the n-th write, sync, truncation or removal of the store's
or the keeper's files gives EIO or ENOSPC, or takes half of what it was given,
for every n of a workload.  The server says so (503) or ends so that it is
started anew; what it had answered is there once, with its entry; what it had
refused is not; the log verifies; and it goes on.

FAULTS: how many (40), by SEED; FAULTS=all: every n, three ways.
"""
import collections
import errno
import os
import random
import signal
import sqlite3
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
import judgekit as kit  # noqa: E402
from faultkit import ALL_FILES, ERRNO, KILL, SHORT, STATE, SYNC, \
    WRITE, Disk  # noqa: E402
from rig import Rig, run, test  # noqa: E402

FAULTS = os.environ.get("FAULTS", "40")
SEED = int(os.environ.get("SEED", "7"))
WAYS = {"EIO": (errno.EIO, ERRNO), "ENOSPC": (errno.ENOSPC, ERRNO),
        "short": (errno.ENOSPC, SHORT)}
STEPS = 40


def act(rig, disk, name, kept, refused):
    """Some actions, until the fault has come and one more has been asked
    for.  Titles of what was answered and of what was not."""
    for k in range(STEPS):
        title = f"{name} {k}"
        try:
            r = rig.post(rig.p + "/incidents", {
                "title": title, "summary": "x" * 9000})
        except Exception as e:
            rig.close()
            refused.append(None)  # nobody knows
            return f"gone: {type(e).__name__}"
        if r.status == 201:
            kept.append((r.json["id"], title))
        else:
            rig.check(r.status == 503, f"{name}: {r!r}")
            refused.append(title)
        if disk.head.failed and (r.status != 201 or k > 3):
            return "failed"
    return "no fault"


def ended(rig):
    """Has it ended, as it does when the disk lost a write?  While it ends it
    takes no connection."""
    end = time.time() + 10
    while time.time() < end and rig.server.poll() is None:
        try:
            rig.get("/healthz")
            time.sleep(0.05)
            if rig.server.poll() is None:
                return False
        except Exception:
            rig.close()
            time.sleep(0.05)
    return True


def again(rig, disk, ends):
    """A server that runs: this one, or the next."""
    if not ended(rig):
        return
    rc = rig.server.wait(10)
    ends[rc] += 1
    rig.check(rc in (7, 8), f"ended with {rc}: {rig.log_text()[-600:]}")
    disk.heal()
    rig.stop(shot=True)
    rig.start()


def goes_on(rig, disk, name, kept, ends):
    """It does, at once or when it was started anew."""
    r = None
    for k in range(4):
        again(rig, disk, ends)
        try:
            r = rig.post(rig.p + "/incidents", {"title": f"{name} {k}"})
        except Exception:  # it was about to end
            rig.close()
            continue
        if r.status == 201:
            kept.append((r.json["id"], f"{name} {k}"))
            return
        time.sleep(0.1)
    rig.fail(f"{name}: {r!r}")


def all_there(rig, kept, refused):
    c = sqlite3.connect(f"file:{rig.data}/db/store.db?mode=ro", uri=True)
    n = collections.Counter(bytes(r[0]) for r in
                            c.execute("SELECT id FROM incident"))
    c.close()
    for id, title in kept:
        rig.check(n[bytes.fromhex(id.replace("-", ""))] == 1,
                  f"{title} was answered and is not there")
    titles, cursor = collections.Counter(), ""
    while cursor is not None:
        r = rig.ok(rig.get(rig.p + "/incidents?limit=200" +
                           (f"&cursor={cursor}" if cursor else "")), 200)
        titles.update(i["title"] for i in r.json["items"])
        cursor = r.json["next"]
    for id, title in kept:
        rig.check(titles[title] == 1, f"{title}: {titles[title]} times")
    for title in refused:
        rig.check(title is None or titles[title] == 0,
                  f"{title} was refused and is there")


@test
def every_operation(rig):
    rig.stop()
    kept, refused, ends = [], [], collections.Counter()
    seen, judge = collections.Counter(), kit.Judge()
    with Disk(rig) as disk:
        rig.start()
        at = disk.head.ops
        act(rig, disk, "none", kept, refused)
        per = disk.head.ops - at  # operations of a workload
        points = [(n, way) for n in range(1, per + 12) for way in WAYS]
        if FAULTS != "all":
            points = random.Random(SEED).sample(points,
                                                min(int(FAULTS), len(points)))
        for n, way in points:
            err, kind = WAYS[way]
            disk.fail(n, err, kind)
            how = act(rig, disk, f"{way} {n}", kept, refused)
            disk.heal()
            seen[way, how.split(":")[0]] += 1
            goes_on(rig, disk, f"on {way} {n}", kept, ends)
            a = judge.store(rig.data)
            rig.check(a.startswith("ok"), f"{way} {n} ({how}): {a}")
            if len(rig.failures) > 20:
                break
        all_there(rig, kept, refused)
        rig.stop()
        rig.check(judge.store(rig.data).startswith("ok"), "at the end")
    rig.start()
    all_there(rig, kept, refused)
    judge.done()
    print(f"# {per} operations a workload, {len(points)} faults: " +
          ", ".join(f"{w} {h} {n}" for (w, h), n in sorted(seen.items())) +
          f"; ended {dict(ends)}; {len(kept)} answered, all there; "
          f"{len(refused)} refused, none there")


@test
def a_full_disk_for_a_while(rig):
    """Not one write but all of them, then room again."""
    rig.stop()
    kept, refused = [], []
    with Disk(rig) as disk:
        rig.start()
        disk.fail(1, errno.ENOSPC, count=10**9)
        act(rig, disk, "full", kept, refused)
        r = rig.get("/healthz")
        rig.check(r.status in (200, 503), repr(r))
        rig.check(disk.heal() > 0, "it was full")
        goes_on(rig, disk, "room", kept, collections.Counter())
        all_there(rig, kept, refused)
        rig.stop()
    rig.start()
    all_there(rig, kept, refused)


@test
def the_keeper_cannot_write(rig):
    """What it signs must stand in its file first: no file, no signature, and
    the server goes on unsigned; then it is signed."""
    rig.stop()
    with Disk(rig) as disk:
        rig.start()
        judge = kit.Judge()
        for files, ops in ((1 << STATE, 1 << WRITE), (1 << STATE, 1 << SYNC)):
            disk.fail(1, errno.EIO, count=10**9, files=files, ops=ops)
            before = int(rig.get("/v1/audit/checkpoint").body.split(b"\n")[1])
            kept = rig.make_incident("while the keeper cannot write")
            time.sleep(2.2)
            after = int(rig.get("/v1/audit/checkpoint").body.split(b"\n")[1])
            rig.check(disk.heal() > 0, "it tried")
            rig.check(after == before, f"signed {after} without its state")
            for _ in range(40):
                time.sleep(0.1)
                if rig.server.poll() is not None:
                    break
                now = int(rig.get("/v1/audit/checkpoint").body
                          .split(b"\n")[1])
                if now > before:
                    break
            again(rig, disk, collections.Counter())
            rig.check(now > before, f"{now}: signed again")
            rig.ok(rig.get(rig.p + f"/incidents/{kept['id']}"), 200)
            a = judge.store(rig.data)
            rig.check(a.startswith("ok"), a)
        judge.done()
        rig.stop()
    rig.start()


@test
def killed_within_an_operation(rig):
    """A process that dies holding half an operation, signer included."""
    rig.stop()
    judge, rng, kept = kit.Judge(), random.Random(SEED), []
    rounds = 10 if FAULTS != "all" else 200
    dead = collections.Counter()
    with Disk(rig) as disk:
        for k in range(rounds):
            disk.head.lock = 0  # who held it may have been killed
            rig.start()
            keeper = k % 2 == 0
            disk.fail(rng.randint(1, 40), kind=KILL,
                      files=1 << STATE if keeper else ALL_FILES)
            end = time.time() + 4
            while time.time() < end and rig.server.poll() is None:
                try:
                    r = rig.post(rig.p + "/incidents",
                                 {"title": f"kill {k}"})
                except Exception:
                    rig.close()
                    break
                if r.status == 201:
                    kept.append((r.json["id"], f"kill {k}"))
                if disk.head.failed:
                    break
                time.sleep(0.02)
            dead["keeper" if keeper else "any"] += disk.heal() > 0
            rig.stop(signal.SIGKILL, shot=True)
            a = judge.store(rig.data)
            rig.check(a.startswith("ok"), f"round {k}: {a}")
    rig.start()
    c = sqlite3.connect(f"file:{rig.data}/db/store.db?mode=ro", uri=True)
    have = {bytes(r[0]).hex() for r in c.execute("SELECT id FROM incident")}
    c.close()
    for id, title in kept:
        rig.check(id.replace("-", "") in have, f"{title} is lost")
    judge.done()
    rig.check(dead["keeper"] >= rounds // 4, f"{dead}")
    print(f"# {rounds} rounds, killed within an operation: {dict(dead)}; "
          f"{len(kept)} answered, all there")


run(lambda: Rig())
