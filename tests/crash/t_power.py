#!/usr/bin/env python3
"""
The power is cut at every write.  A workload's writes, syncs, truncations and
removals of the store's and the keeper's files are recorded; for each point
among them the disk is made as it could be then: what was not synced dropped,
kept, torn in a sector, or in any part and order.  Each time the store opens,
the log verifies, and every action that had been answered is there once, with
its entry; none is there without one.

CUTS: how many images (250), by SEED; CUTS=all: every point, four ways each.
"""
import collections
import json
import os
import pathlib
import random
import shutil
import sqlite3
import sys
import tempfile
import time
import uuid
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
import judgekit as kit  # noqa: E402
from faultkit import SYNC, WAL, Disk, Disks  # noqa: E402
from rig import Rig, run, test  # noqa: E402

CUTS = os.environ.get("CUTS", "250")
SEED = int(os.environ.get("SEED", "7"))
SERVERS = 12 if CUTS != "all" else 100  # images a real server is started on


def work(rig, disk, answered):
    """Actions of many kinds; notes (operations done, kind, id) of each that
    was answered."""
    n = rig.make_integration("generic")
    sender, big = rig.client(n["secret"]), "x" * 20000

    def note(kind, id):
        answered.append((disk.head.ops, kind, id))
    for k in range(30):
        i = rig.make_incident(f"incident {k}", summary=big[:k * 700])
        note("incident", i["id"])
        r = rig.ok(sender.post("/ingest/" + n["id"], {
            "title": f"t {k}", "severity": "warning", "dedup_key": f"d{k}"}),
            202)
        note("alert", r.json["receipt"]["alerts"][0]["id"])
        if k % 3 == 0:
            rig.ok(rig.post(rig.p + f"/incidents/{i['id']}/transitions",
                            {"to": "acknowledged"}), 200)
        if k % 10 == 9:
            time.sleep(1.1)  # the keeper signs
            note("service_account", rig.ok(rig.post(
                "/v1/service-accounts", {"name": f"a{k}"}), 201).json["id"])


def destroy(rig, gone):
    """Retention takes some of the first ones; no answer promises when."""
    rig.ok(rig.put("/v1/policy", {"retention": {"incident": {
        "days": 0, "min_days": 0}}}), 200)
    for i in gone:
        for to in ("acknowledged", "investigating", "resolved", "closed"):
            rig.post(f"{rig.p}/incidents/{i}/transitions", {"to": to})
    rig.ok(rig.post("/v1/retention/run"), 202)
    end = time.time() + 10
    while time.time() < end and any(rig.get(
            f"{rig.p}/incidents/{i}").status != 404 for i in gone):
        time.sleep(.1)
    time.sleep(.5)  # it folds the log


def ids(c, table):
    return collections.Counter(str(uuid.UUID(bytes=r[0])) for r in
                               c.execute(f"SELECT id FROM {table}"))


def looked_at(data, ops, answered, gone=()):
    """What is wrong with an image, or ''."""
    c = sqlite3.connect(data / "db" / "store.db")
    try:
        have = {"incident": ids(c, "incident"), "alert": ids(c, "alert"),
                "service_account": ids(c, "object")}
        told = collections.Counter()
        for (leaf,) in c.execute("SELECT leaf FROM audit"):
            o = json.loads(leaf)
            for r in o.get("resource", ()):
                told[o["action"], r["id"]] += 1
    finally:
        c.close()
    for at, kind, id in answered:
        if at <= ops and have[kind][id] != 1:
            return f"{kind} {id}, answered at {at}: {have[kind][id]} times"
        if at <= ops and kind != "alert" and \
                told[kind + ".create", id] != 1:
            return f"{kind} {id}, answered at {at}, has no entry"
    made = {i for a, i in told if a == "incident.create"} - set(gone)
    if made != set(have["incident"]) - set(gone):
        return f"incidents {made ^ set(have['incident'])} without their " \
            "entries, or the other way round"
    return ""


@test
def cut_anywhere(rig):
    rig.stop()
    before = rig.dir / "before"
    shutil.copytree(rig.data, before,
                    ignore=shutil.ignore_patterns("*.sock"))
    answered = []
    with Disk(rig, trace=True) as disk:
        rig.start()
        gone = [rig.make_incident(f"to go {k}")["id"] for k in range(5)]
        work(rig, disk, answered)
        destroy(rig, gone)
        rig.stop()
        ops = disk.trace()
        rig.eq(len(ops), disk.head.ops, "all operations are in the trace")
    kinds = collections.Counter((o[0], o[1]) for o in ops)
    rig.check(min(kinds[1, 1], kinds[2, 1], kinds[1, 2], kinds[2, 2],
                  kinds[1, 5], kinds[2, 5]) > 0, f"{kinds}")
    tmp = "/dev/shm" if os.path.isdir("/dev/shm") else None
    top = pathlib.Path(tempfile.mkdtemp(prefix="redoubt-power-", dir=tmp))
    try:
        cut(rig, before, top / "data", ops, answered, gone)
        would_be_found(rig, before, top / "data", ops, answered, gone)
    finally:
        shutil.rmtree(top)
    rig.start()


def cut(rig, before, data, ops, answered, gone):
    points = [(k, how) for k in range(len(ops) + 1) for how in Disks.HOW]
    rng = random.Random(SEED)
    if CUTS != "all":
        points = sorted(rng.sample(points, min(int(CUTS), len(points))))
    served = set(rng.sample(points, min(SERVERS, len(points))))
    shutil.copytree(before, data)
    disks, judge, done = Disks(before), kit.Judge(), 0
    found = collections.Counter()
    for k, how in points:
        while done < k:
            disks.do(*ops[done])
            done += 1
        disks.image(how, data, f"{SEED} {k} {how}")
        a = judge.store(data)
        wrong = "" if a.startswith("ok") else a
        wrong = wrong or looked_at(data, k, answered, gone)
        if (k, how) in served:
            disks.image(how, data, f"{SEED} {k} {how}")
            wrong = wrong or started(rig, data, k, answered, gone)
        found[how] += not wrong
        rig.check(not wrong, f"cut behind operation {k} of {len(ops)}, "
                  f"{how}: {wrong}")
        if len(rig.failures) > 20:
            break
    judge.done()
    print(f"# {len(ops)} operations, {len(answered)} answered actions, "
          f"{len(points)} images ({len(served)} with a server): " +
          ", ".join(f"{h} {found[h]} good" for h in Disks.HOW))


def would_be_found(rig, before, data, ops, answered, gone):
    """The same trace, as if the server had not waited for its log: this
    test can fail."""
    disks = Disks(before)
    for op in ops[:answered[-1][0]]:
        if op[:2] != (SYNC, WAL):
            disks.do(*op)
    disks.image("dropped", data, 0)
    rig.check(looked_at(data, len(ops), answered, gone), "lost actions are found")


def started(rig, data, k, answered, gone):
    """A real server on the image says the same; what retention was at is
    there or is not, and nothing in between."""
    was, rig.data, wrong = rig.data, data, ""
    try:
        rig.start()
        for at, kind, id in answered:
            if at > k or kind == "service_account":
                continue
            r = rig.get(f"{rig.p}/{kind}s/{id}")
            if r.status != 200:
                wrong = f"server: {kind} {id}: {r!r}"
        for i in gone:
            r = rig.get(f"{rig.p}/incidents/{i}")
            if r.status not in (200, 404):
                wrong = f"half destroyed: {r!r}"
        rig.ok(rig.post(rig.p + "/incidents", {"title": "and on"}), 201)
        rig.stop()
        out = rig.cli("audit", "verify", "--data", str(data))
        if out.returncode != 0:
            wrong = wrong or f"after the server: {out.stdout}{out.stderr}"
    except RuntimeError as e:
        wrong = f"server: {e}"
        rig.stop()
    finally:
        rig.data = was
    return wrong


run(lambda: Rig())
