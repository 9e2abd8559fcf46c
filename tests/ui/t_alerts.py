#!/usr/bin/env python3
"""The alert inbox and the board: alerts.mjs.  Real alerts, real storms."""
import sys
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from uikit import journeys, run  # noqa: E402


def seed(rig):
    n = rig.make_integration()
    return {"integration": n["id"], "secret": n["secret"], "ca": rig.ca}


journeys("alerts.mjs", seed)
run()
