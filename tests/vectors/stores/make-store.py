#!/usr/bin/env python3
"""
make-store.py: a small store by the program REDOUBT names, for t_upgrade.py:
    REDOUBT=OLD/build/redoubt make-store.py v1.tar.xz
An incident, a note, an integration with a delivery, an account, a denial.
"""
import json
import pathlib
import sqlite3
import sys
import tarfile
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from rig import Rig  # noqa: E402

rig = Rig()
title, note = "of an older program", "written by it"
i = rig.ok(rig.post(rig.p + "/incidents", {
    "title": title, "severity": "sev2", "summary": "s"}), 201).json
rig.ok(rig.post(f"{rig.p}/incidents/{i['id']}/timeline", {"text": note}), 201)
n = rig.make_integration()
rig.client(n["secret"]).post("/ingest/" + n["id"], {"title": "an alert"})
_, c = rig.make_account("viewer", rig.project)
c.patch(rig.p + "/incidents/1", {"title": "x"})
rig.stop()
with sqlite3.connect(rig.data / "db/store.db") as db:
    schema = db.execute("PRAGMA user_version").fetchone()[0]
(rig.data / "about.json").write_text(json.dumps({
    "token": rig.token, "project": rig.project, "title": title,
    "note": note, "schema": schema}))
with tarfile.open(sys.argv[1], "w:xz", preset=9) as t:
    t.add(rig.data, "data", filter=lambda m: None
          if m.name.endswith((".sock", "/lock")) else m)
assert not rig.failures, rig.failures
rig.done()
