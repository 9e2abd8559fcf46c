"""
keykit.py: `redoubt key` and its like on a store of the test's own.
"""
import json
import os
import subprocess

from rig import BINARY, Rig, test

PASS = "correct horse battery staple"


def fresh(f):
    """With a store of its own."""
    def own(rig):
        r = Rig(start=False)
        r.failures = rig.failures
        try:
            f(r)
        finally:
            os.environ.pop("SOFTHSM2_CONF", None)
            r.done()
    own.__name__ = f.__name__
    return test(own)


def key(rig, *verb, said="", rc=0, data=None):
    """redoubt VERB --json: the object, or standard error."""
    r = subprocess.run([BINARY, *verb, "--data", str(data or rig.data),
                        "--json"], input=said, capture_output=True,
                       text=True, timeout=60)
    rig.eq(r.returncode, rc, f"{verb}: {r.stderr}")
    return json.loads(r.stdout) if rc == 0 and r.stdout else r.stderr


def says(rig, what, *verb, **kw):
    text = key(rig, *verb, **kw)
    rig.check(what in text, f"{verb} says {text}, not {what}")


def lines(*s):
    return "".join(x + "\n" for x in s)
