#!/usr/bin/env python3
"""
L23: kill -9 at random moments under load.  Every alert that was answered is
there exactly once after the restart, none is doubled, the log verifies.
ROUNDS kills (200).
"""
import os
import random
import signal
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import Rig, run, test  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "200"))
SENDERS = 6


def send(rig, n, k, round_, answered, stop):
    c, i = rig.client(n["secret"]), 0
    while not stop.is_set():
        i += 1
        key = f"r{round_}-{k}-{i}"
        try:
            r = c.post("/ingest/" + n["id"], {
                "title": "t " + key, "dedup_key": key,
                "severity": random.choice(["critical", "warning"]),
                "group": f"g{random.randrange(4)}"})
        except Exception:
            return
        if r.status == 202:
            answered[key] = r.json["receipt"]["alerts"][0]["id"]


def alerts_of(rig, round_):
    """dedup_key -> ids of all alerts of a round, newest first."""
    found, cursor = {}, ""
    while cursor is not None:
        r = rig.ok(rig.get(rig.p + "/alerts?limit=200" +
                           (f"&cursor={cursor}" if cursor else "")), 200)
        if r.status != 200:
            return found
        for a in r.json["items"]:
            if not a["dedup_key"].startswith(f"r{round_}-"):
                return found
            found.setdefault(a["dedup_key"], []).append(a["id"])
        cursor = r.json["next"]
    return found


@test
def kill_under_load(rig):
    rng = random.Random(int(os.environ.get("SEED", "7")))
    n = rig.make_integration("generic")
    total, in_start = 0, 0
    for round_ in range(ROUNDS):
        answered, stop = {}, threading.Event()
        ts = [threading.Thread(target=send,
                               args=(rig, n, k, round_, answered, stop))
              for k in range(SENDERS)]
        for t in ts:
            t.start()
        time.sleep(rng.random() * 0.5)
        rig.stop(signal.SIGKILL)
        stop.set()
        for t in ts:
            t.join()
        if rng.random() < 0.1:  # and once more while it starts
            try:
                rig.start(timeout=rng.random() * 0.3)
            except RuntimeError:
                pass
            rig.stop(signal.SIGKILL)
            in_start += 1
        out = rig.cli("audit", "verify", "--data", str(rig.data))
        rig.check(out.returncode == 0,
                  f"round {round_}: {out.stdout} {out.stderr}")
        rig.start()
        found = alerts_of(rig, round_)
        for key, id in answered.items():
            rig.check(found.get(key) == [id],
                      f"{key}: {found.get(key)}, answered {id}")
        for key, ids in found.items():
            rig.check(len(ids) == 1, f"{key} doubled: {ids}")
        total += len(answered)
        if len(rig.failures) > 20:
            break
    rig.check(total > ROUNDS, f"only {total} alerts were answered")
    print(f"# {ROUNDS} kills (+{in_start} while starting), "
          f"{total} answered alerts, all there once")


run(lambda: Rig())
