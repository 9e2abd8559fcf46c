#!/usr/bin/env python3
"""Every page, in both themes, wide and narrow: crawl.mjs."""
import sys
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from seed import seed  # noqa: E402
from uikit import journeys, run  # noqa: E402

journeys("crawl.mjs", seed,
         extra=["/admin/access?tab=who", "/admin/access?tab=least",
                "/admin/access?what=", "/p/default/incidents?view=board"])
run()
