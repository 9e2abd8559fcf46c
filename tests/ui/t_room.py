#!/usr/bin/env python3
"""The war room: room.mjs."""
import sys
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from uikit import journeys, run  # noqa: E402
from runkit import Book, manual  # noqa: E402


def seed(rig):
    Book(rig, "drain-node", [manual("look")], inputs=[
        {"name": "host", "type": "string", "required": True,
         "description": "which one"},
        {"name": "count", "type": "integer", "default": 2, "max": 10}])
    return {"runbook": "drain-node"}


journeys("room.mjs", seed)
run()
