#!/usr/bin/env python3
"""account.mjs, on a real server."""
import sys
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from uikit import journeys, run  # noqa: E402

journeys("account.mjs")
run()
