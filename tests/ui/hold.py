#!/usr/bin/env python3
"""hold.py [seed|hostile|none] [FILE]: the server of the browser tests, to look
at by hand: who can log in, and (in FILE) what a program of kit.mjs gets as UI.
Until it is interrupted."""
import json
import pathlib
import signal
import sys
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from hostile import hostile  # noqa: E402
from seed import seed  # noqa: E402
from uikit import Ui  # noqa: E402

ENDS = {signal.SIGINT, signal.SIGTERM}
rig = Ui()
try:
    people = rig.everybody()
    what = sys.argv[1] if len(sys.argv) > 1 else "seed"
    made = {"seed": seed, "hostile": hostile}.get(what, lambda r: {})(rig)
    for p in people.values():
        print(f"{p['email']:40} {p['password']}")
    print(rig.url, "pid", rig.server.pid, flush=True)
    if len(sys.argv) > 2:
        pathlib.Path(sys.argv[2]).write_text(json.dumps(rig.facts(**made)))
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    signal.sigwait(ENDS)
finally:
    print("\n".join(rig.failures), flush=True)
    rig.stop()
    rig.done()
