#!/usr/bin/env python3
"""
kill -9 of the server at random moments under runs: a delegate with a journal
takes tasks, does them, and says so until it is heard.  No step is done twice,
none is lost: every run ends as it should, each of its steps was done exactly
once and in order, waits and incident steps too, and the log verifies.
ROUNDS kills (50).
"""
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from delegatekit import DRig  # noqa: E402
from rig import run, test  # noqa: E402
from runkit import Book, Run, Task, Worker, incident, script  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "50"))
STEPS = ["a", "b1", "b2", "note", "z"]
done, lock = [], threading.Lock()  # what was really done: (run, step)


def forever(f, stop):
    """Until it is answered; None when the test is over."""
    while not stop.is_set():
        try:
            r = f()
            if r.status < 500:
                return r
        except Exception:
            pass
        time.sleep(0.01)
    return None


class Journal(Worker):
    """As PROTOCOL.delegate 7: written down before it is done."""

    def __init__(self, d, stop):
        super().__init__(d)
        self.stop, self.known = stop, set()

    def work(self):
        while not self.stop.is_set():
            r = forever(lambda: self.d.post("/v1/delegate/lease", {
                "capacity": 4, "running": [], "wait_ms": 200,
                "checkpoint_size": self.d.seen}), self.stop)
            for t in (r.json.get("tasks", []) if r and r.status == 200
                      else []):
                self.do_one(Task(self, t))

    def do_one(self, t):
        if t.id in self.known:
            return
        r = forever(lambda: self.d.post(t.path + "/start",
                                        {"fence": t.fence}), self.stop)
        if r is None or r.status != 204:
            return
        self.known.add(t.id)
        with lock:
            done.append((t.text["run"], t.step))
        forever(lambda: self.say(t), self.stop)

    def say(self, t):
        return self.d.post(t.path + "/result", t.answer())


def starters(rig, b, i, stop, started):
    """Whoever starts runs repeats until it is answered: by key, once."""
    n = 0
    c = rig.client(rig.token)
    while not stop.is_set():
        n += 1
        key = f"run {threading.get_ident()} {n}"
        r = forever(lambda: rig.client(rig.token).post(b.path + "/runs", {
            "incident": i["id"], "idempotency": key}), stop)
        if r is not None:
            rig.check(r.status in (200, 201), r)
            started.append((key, r.json["id"]))
        time.sleep(0.03)
    c.close()


@test
def kill_under_runs(rig):
    rng = random.Random(int(os.environ.get("SEED", "11")))
    i = rig.make_incident("Crash")
    b = Book(rig, "crash", [
        script("a"),
        {"id": "p", "kind": "parallel", "branches": [
            [script("b1")], [{"id": "w", "kind": "wait", "seconds": 1},
                             script("b2")]]},
        incident("note", timeline={"run": "id"}), script("z")])
    stop, quit_, started = threading.Event(), threading.Event(), []
    ts = [threading.Thread(target=Journal(rig.make_delegate(), quit_).work,
                           daemon=True)
          for _ in range(3)]
    ss = [threading.Thread(target=starters, args=(rig, b, i, stop, started),
                           daemon=True)
          for _ in range(2)]
    for t in ts + ss:
        t.start()
    for round_ in range(ROUNDS):
        time.sleep(rng.random() * 0.4)
        rig.stop(signal.SIGKILL)
        if round_ % 10 == 0:
            out = rig.cli("audit", "verify", "--data", str(rig.data))
            rig.check(out.returncode == 0, f"{out.stdout} {out.stderr}")
        rig.start()
    stop.set()
    for t in ss:
        t.join(30)
    ids = {id for _, id in started}
    rig.eq(len({k for k, _ in started}), len(ids), "one run of a key")
    end = time.monotonic() + 120
    for id in ids:
        r = Run(rig, {"id": id})
        r.look()
        while r.state in ("running", "queued") and time.monotonic() < end:
            time.sleep(0.05)
            r.look()
        rig.check(r.state == "succeeded", f"{r.json}")
    quit_.set()
    for t in ts:
        t.join(30)
    check_done(rig, i, ids)


def check_done(rig, i, ids):
    notes, cursor = [], ""
    while cursor is not None:
        p = rig.ok(rig.get(f"{rig.p}/incidents/{i['id']}/timeline?limit=200"
                           + (f"&cursor={cursor}" if cursor else "")),
                   200).json
        notes += [x["text"] for x in p["items"] if x["kind"] == "note"]
        cursor = p["next"]
    rig.eq(sorted(notes), sorted(ids), "notes")
    for id in ids:
        mine = [s for r, s in done if r == id]
        rig.check(sorted(mine) == ["a", "b1", "b2", "z"] and
                  mine[0] == "a" and mine[-1] == "z", f"{id}: {mine}")
    out = rig.cli("audit", "verify", "--data", str(rig.data))
    rig.check(out.returncode in (0, 7), f"{out.stdout} {out.stderr}")
    rig.check(len(ids) > ROUNDS / 4, f"only {len(ids)} runs")
    print(f"# {ROUNDS} kills, {len(ids)} runs, {len(done)} tasks, each done "
          "once")


if __name__ == "__main__":
    run(DRig)
