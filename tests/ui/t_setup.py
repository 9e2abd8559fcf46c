#!/usr/bin/env python3
"""
setup.mjs on a real server with a delegate (delegatekit.py), who opens then
what the browser has encrypted.
"""
import hashlib
import sys
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from uikit import journeys, run  # noqa: E402
from delegatekit import make_runbook, raw, script_step, start_run  # noqa: E402
from rig import test  # noqa: E402
from secretkit import open_value, sealed, unb64  # noqa: E402

VALUES = ["correct horse, battery \u2603 staple", "another one of 16 kinds"]


def seed(rig):
    rig.d = rig.make_delegate("frankfurt", {"site": "fra"})
    rig.ok(rig.post(rig.p + "/secrets", sealed(
        rig, "jira", b"what the connector is given")), 201)
    return {"values": VALUES, "delegate": rig.d.id,
            "fingerprint": hashlib.sha256(
                raw(rig.d.identity) + raw(rig.d.sealing)).hexdigest()}


journeys("setup.mjs", seed)


@test
def the_delegate_opens_what_the_browser_set(rig):
    if len(sys.argv) > 1:
        return
    for named, value in (("db-password@1", VALUES[0]),
                         ("db-password", VALUES[1])):
        slug = named.replace("@", "-at-") + "-book"
        start_run(rig, make_runbook(rig, slug, [script_step(
            secrets=[named])]))
        e = rig.d.one()
        if not rig.check(e, "no task for the delegate"):
            return
        s = e["secrets"][0]
        rig.eq(open_value(rig.d.sealing, e["project_slug"], s["name"],
                          unb64(s["data"]), unb64(s["box"])),
               value.encode(), named)
        rig.ok(rig.d.start(e), 204)
        rig.ok(rig.d.result(e), 204)


run()
