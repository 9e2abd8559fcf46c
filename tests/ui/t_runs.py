#!/usr/bin/env python3
"""Runs and their logs, with a delegate that writes: runs.mjs."""
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from uikit import journeys, run  # noqa: E402
from runkit import Book, approval, script  # noqa: E402

LINES = 300000
PIECE = 250000


def big_log():
    """300,000 lines, 50 MB; the first and the last say so."""
    fill = "the quick brown fox jumps over the lazy dog " * 3
    for i in range(1, LINES + 1):
        word = " needle-in-line-one" if i == 1 else \
            " needle-in-the-middle" if i == LINES // 2 else ""
        yield f"{i:07d} {fill}{word} {'x' * 26}\n".encode()


class Hand:
    """Takes every task and does what its script says."""

    def __init__(self, rig):
        self.d, self.rig, self.running = rig.make_delegate(), rig, []
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            try:
                a = self.d.lease(1, running=self.running, wait=2000)
                for given in (a.json or {}).get("tasks", []):
                    e = self.d.open(given)
                    self.do(e)
            except Exception as x:  # the server has ended, with the tests
                if "refused" in str(x) or "closed" in str(x):
                    return
                print("# hand:", repr(x), flush=True)
                time.sleep(0.5)

    def do(self, e):
        self.d.start(e)
        what = e["step"]
        self.running = [{"task": e["task"], "fence": e["fence"]}]
        log = b""
        if what == "big":
            log = self.send(e, big_log())
        elif what == "slow":
            n = 0
            for i in range(600):
                b = f"tick {i} \x1b[31mred\x1b[0m \x1b[2Jhidden\n".encode()
                if self.d.log(e, n, b).status >= 300:
                    break
                n += len(b)
                log += b
                a = self.d.lease(0, running=self.running, wait=0)
                if (a.json or {}).get("cancel"):
                    self.running = []
                    self.d.result(e, "cancelled", 1, log=log)
                    return
                time.sleep(0.1)
        else:
            log = b"hello\n"
            self.d.log(e, 0, log)
        self.running = []
        self.d.result(e, log=log)

    def send(self, e, lines):
        at, b, all_of_it = 0, b"", []
        for x in lines:
            all_of_it.append(x)
            if len(b) + len(x) > PIECE:
                self.rig.ok(self.d.log(e, at, b), 200)
                at, b = at + len(b), b""
            b += x
        self.rig.ok(self.d.log(e, at, b), 200)
        return b"".join(all_of_it)


def seed(rig):
    Hand(rig)
    say = {"timeout_s": 900, "limits": {"output_kb": 100000}}
    big = Book(rig, "big", [script("big", **say)]).start()
    Book(rig, "slow", [script("slow", **say)])
    Book(rig, "ask", [approval("sure", count=2),
                      script("hello", **say)])
    size, end = 0, time.monotonic() + 40
    while time.monotonic() < end:
        r = rig.get(big.path + "/log?tail=30")
        size = int(r.headers.get("content-range", "/0").rsplit("/", 1)[1])
        if f"{LINES:07d}" in rig.get(big.path + "/log?tail=300").body.decode():
            break
        time.sleep(0.2)
    print(f"# a log of {size} bytes is there")
    return {"big": big.id, "size": size, "lines": LINES}


journeys("runs.mjs", seed)
run()
