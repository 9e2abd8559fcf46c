#!/usr/bin/env python3
"""Every page without a pointer: keyboard.mjs."""
import sys
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from seed import seed  # noqa: E402
from uikit import journeys, run  # noqa: E402

journeys("keyboard.mjs", seed)
run()
