#!/usr/bin/env python3
"""
Code of others reads the log over HTTPS with a bearer header: Go's
golang.org/x/mod/sumdb/tlog and transparency-dev/formats accept checkpoint,
tiles, bundles and cosignatures.  Without a Go tool chain, or without the
modules, there is nothing to ask.
"""
import os
import shutil
import subprocess
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import TOP, run, test  # noqa: E402
from tlogkit import LOG, Witness, log_key  # noqa: E402

ONE = Witness("witness.example/go", b"\1" * 32)


def build():
    """The program, or why it cannot be had."""
    out = TOP / "build" / "tlog-tiles"
    if not shutil.which("go"):
        return None, "no Go tool chain"
    p = subprocess.run(["go", "build", "-o", out, "."], text=True,
                       cwd=TOP / "tests/e2e/tlog-tiles", capture_output=True)
    if p.returncode == 0:
        return out, ""
    if any(w in p.stderr for w in ("proxy", "dial tcp", "no such host",
                                   "requires go", "toolchain")):
        return None, "the modules cannot be had"
    raise RuntimeError(p.stderr)


@test
def others_read_it(rig):
    program, why = build()
    if program is None:
        print(f"# SKIP {why}")
        return
    rig.ok(rig.post("/v1/audit/witnesses", {"key": ONE.vkey}), 201)
    for i in range(700):
        rig.post(rig.p + "/alerts", {"title": f"{i}", "severity": "info"})
    time.sleep(1.3)
    note = rig.get(f"{LOG}/consistency?old=0").body.split(b"\n\n", 1)[1]
    rig.ok(rig.post("/v1/audit/cosignatures", {"checkpoint": ONE.cosign(
        note, int(time.time())).decode()}), 200)
    p = subprocess.run([program, rig.url + LOG, rig.ca, log_key(rig),
                        ONE.vkey], capture_output=True, text=True,
                       env=dict(os.environ, TOKEN=rig.token))
    print("# " + p.stdout.strip().replace("\n", "\n# "))
    rig.eq((p.returncode, "not ok" in p.stdout), (0, False), p.stderr)
    rig.check(int(p.stdout.split("# ")[1].split()[0]) > 700, p.stdout)


run()
