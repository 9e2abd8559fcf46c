#!/usr/bin/env python3
"""The UI's files, and a browser's cache: files.mjs."""
import sys
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from uikit import journeys, run  # noqa: E402

journeys("files.mjs")
run()
