#!/usr/bin/env python3
"""Runbooks: written, approved, published, run: runbooks.mjs; triggers."""
import os
import pathlib
import subprocess
import sys
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from uikit import NODE, journeys, run, test  # noqa: E402
from rig import BINARY, TOP  # noqa: E402
from runkit import Book, manual  # noqa: E402


@test
def documents_as_yaml_and_back(rig):
    out = subprocess.run(
        [NODE, TOP / "ui/test/yaml.mjs"], capture_output=True, text=True,
        timeout=120, env={**os.environ, "REDOUBT": BINARY})
    rig.check(out.returncode == 0, out.stdout[-2000:] + out.stderr[-2000:])
    rig.check(pathlib.Path(BINARY).exists(), "with the CLI")


def seed(rig):
    Book(rig, "sweep-disk", [manual("look")])
    rig.publisher_id = rig.people["project_admin"]["id"]
    a = rig.ok(rig.post("/v1/service-accounts", {"name": "night-shift"}),
               201).json["id"]
    rig.bind("service_account", a, "responder", rig.project)
    return {"account": a}


journeys("runbooks.mjs", seed)
run()
