#!/usr/bin/env python3
"""Declaring, the list, the board, and who sees what: incidents.mjs."""
import sys
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from uikit import journeys, run  # noqa: E402

journeys("incidents.mjs")
run()
