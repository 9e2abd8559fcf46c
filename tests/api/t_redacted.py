#!/usr/bin/env python3
"""
What people wrote is destroyed, and the log does not notice: a leaf has a
commitment, its salt and text lay sealed beside it.  Everything that proved
something before proves it afterwards.
"""
import json
import sqlite3
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import run, test  # noqa: E402
from tlogkit import (LOG, checkpoint, leaf_hash, log_key,  # noqa: E402
                     node_path, path_of, root_of, tiles, unbundle)


def leaves(rig, size):
    out = []
    for i, w in tiles(size, 0):
        out += unbundle(rig.ok(rig.get(
            f"{LOG}/tile/entries/{path_of(i, w)}"), 200).body)
    return out


@test
def proofs_outlive_what_was_written(rig):
    rig.vkey = log_key(rig)
    for i in range(5):
        rig.make_incident(f"a text nobody should keep {i}")
    time.sleep(1.3)
    note = rig.get(LOG + "/checkpoint").body
    _, size, root = checkpoint(note, rig.vkey)
    seq = rig.get("/v1/audit?action=incident.create").json["items"][0]["seq"]
    before = leaves(rig, size)
    export = rig.ok(rig.post("/v1/audit/export", {}), 200).body
    rig.stop()
    db = sqlite3.connect(rig.data / "db" / "store.db")
    gone = db.execute("DELETE FROM audit_body").rowcount
    db.commit()
    db.close()
    rig.check(gone >= 5, f"{gone} bodies")
    v = rig.cli("audit", "verify", "--data", str(rig.data), "--json")
    rig.eq(v.returncode, 0, v.stdout + v.stderr)
    rig.start()
    rig.eq(leaves(rig, size), before, "every leaf is as it was")
    rig.eq(root_of([leaf_hash(e) for e in before]), root)
    rig.check("cm" in json.loads(before[seq - 1]), "it still commits")
    proof = rig.ok(rig.get(f"/v1/audit/proof?seq={seq}"), 200).body
    head, _, at = proof.partition(b"\n\n")
    _, now, new_root = checkpoint(at, rig.vkey)
    rig.eq(node_path(leaf_hash(before[seq - 1]), seq - 1, now,
                     head.decode().split("\n")[2:]), new_root)
    (rig.dir / "old").write_bytes(note)
    (rig.dir / "new").write_bytes(at)
    r = rig.user_cli("audit", "compare", str(rig.dir / "old"),
                     str(rig.dir / "new"), "--key", rig.vkey)
    rig.eq(r.returncode, 0, r.stdout + r.stderr)
    for name, text in (("before", export), ("after", rig.post(
            "/v1/audit/export", {}).body)):
        (rig.dir / name).write_bytes(text)
        r = rig.cli("audit", "verify", "--file", str(rig.dir / name), "--key",
                    rig.vkey)
        rig.eq(r.returncode, 0, r.stdout + r.stderr)


run()
