#!/usr/bin/env python3
"""Every page, where every text is meant to do harm (L08): hostile.mjs."""
import sys
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from hostile import hostile  # noqa: E402
from uikit import journeys, run  # noqa: E402

journeys("hostile.mjs", hostile)
run()
