#!/usr/bin/env python3
"""
The audit log verified in the browser (ui/src/proof), without trusting the
server: a real export of 10,000 entries in a real Chromium, in a worker, and
the proofs and cosignatures of the real server in Node.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
sys.path.insert(0, __file__.rsplit("/", 1)[0])
import idps  # noqa: E402
from npmkit import NODE  # noqa: E402
from rig import TOP, run, test  # noqa: E402
from tlogkit import LOG, Witness, log_key  # noqa: E402

HERE = pathlib.Path(__file__).parent
BUNDLE = TOP / "build" / "ui"
ENTRIES = 10_000
ONE = Witness("browser.example/w", b"\1" * 32)


def build():
    out = subprocess.run(["make", "-s", "ui"], cwd=TOP, capture_output=True,
                         text=True)
    assert out.returncode == 0, out.stdout + out.stderr


@test
def vectors_in_node(rig):
    build()
    out = subprocess.run([NODE, TOP / "ui/test/proof.mjs",
                          BUNDLE / "index.js", TOP / "tests/vectors/audit"],
                         capture_output=True, text=True)
    rig.eq(out.returncode, 0, out.stdout + out.stderr)
    print("# " + out.stdout.strip().replace("\n", "\n# "))


def fill(rig):
    """Entries, many at a time."""
    def some(n):
        c = rig.client(rig.token)
        for _ in range(n):
            c.post(rig.p + "/alerts", {"title": "x", "severity": "info"})
        c.close()
    size = rig.get("/v1/audit?limit=1").json["items"][0]["seq"]
    left = (ENTRIES - size) // 8 + 1
    ts = [threading.Thread(target=some, args=(left,)) for _ in range(8)]
    for t in ts:
        t.start()
    for t in ts:
        t.join()


@test
def an_export_in_chromium(rig):
    idps.install()
    fill(rig)
    path = rig.dir / "export"
    body = rig.ok(rig.post("/v1/audit/export", {}), 200).body
    path.write_bytes(body)
    key = log_key(rig)
    out = subprocess.run(
        [NODE, HERE / "idp" / "proof.mjs", shutil.which("chromium"), BUNDLE,
         path, key], capture_output=True, text=True, timeout=120)
    rig.eq(out.returncode, 0, out.stderr)
    r = json.loads(out.stdout)
    print(f"# {r['good']['entries']} entries, {len(body)} bytes: "
          f"{r['ms']:.0f} ms in Chromium")
    rig.check(r["ed25519"] and not r["said"], r)
    rig.check(r["good"]["good"] and r["good"]["manifest"] and
              r["good"]["entries"] >= ENTRIES, r)
    rig.check(r["turned"] > 0 and not r["bad"]["good"] and
              r["bad"]["seq"] == 5000, r["bad"])
    rig.check(r["ms"] < 2000, f"{r['ms']} ms, at most 2000")


@test
def proofs_of_the_server(rig):
    rig.ok(rig.post("/v1/audit/witnesses", {"key": ONE.vkey}), 201)
    one = rig.get(f"{LOG}/consistency?old=0").body.split(b"\n\n", 1)[1]
    rig.ok(rig.post("/v1/audit/cosignatures", {"checkpoint": ONE.cosign(
        one, int(time.time())).decode()}), 200)
    entry = rig.get("/v1/audit/7").json["leaf"]
    rig.make_incident("more")
    time.sleep(1.3)
    old = int(one.split(b"\n")[1])
    now = rig.get("/v1/audit/checkpoint").body
    size = int(now.split(b"\n")[1])
    given = {
        "key": log_key(rig), "witness": ONE.vkey, "leaf": entry,
        "one": rig.get(LOG + "/checkpoint").body.decode(),
        "old": one.decode(),
        "proof": rig.get("/v1/audit/proof?seq=7").body.decode(),
        "grown": rig.get(f"/v1/audit/proof?old={old}&new={size}"
                         ).body.decode()}
    code = """
import * as p from "%s";
const g = JSON.parse(process.argv[1]), key = await p.logKey(g.key);
const i = p.parseInclusion(g.proof), at = await p.openCheckpoint(i.note, key);
const leaf = await p.leafHash(new TextEncoder().encode(g.leaf));
const gr = p.parseGrowth(g.grown);
const old = await p.openCheckpoint(g.old, key);
const now = await p.openCheckpoint(gr.note, key);
console.log(JSON.stringify({
    included: await p.includes(leaf, i.index, at.size, i.proof, at.root),
    other: await p.includes(leaf, i.index + 1n, at.size, i.proof, at.root),
    grown: await p.extends_(old, now, gr.proof),
    shrunk: await p.extends_(now, old, gr.proof),
    when: Number(await p.cosigned(g.one, await p.witnessKey(g.witness)))}));
""" % (BUNDLE / "index.js")
    out = subprocess.run([NODE, "--input-type=module", "-e", code,
                          json.dumps(given)], capture_output=True, text=True)
    rig.eq(out.returncode, 0, out.stderr)
    r = json.loads(out.stdout)
    rig.check(r["included"] and r["grown"], r)
    rig.check(not r["other"] and not r["shrunk"], r)
    rig.check(abs(r["when"] - time.time()) < 60, r)


run()
