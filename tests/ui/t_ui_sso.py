#!/usr/bin/env python3
"""sso.mjs: the login page with npm oidc-provider and SimpleSAMLphp."""
import pathlib
import sys
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "e2e"))
import idps  # noqa: E402
from uikit import Ui, journeys, run_rig  # noqa: E402

CLIENTS = (("code", "RS256"), ("id_token", "ES256"))


class Place(idps.Beside, Ui):
    """A server with people, and the providers beside it."""

    def __init__(self):
        super().__init__()
        self.start_with_op(CLIENTS)
        self.ssp = self.thing(idps.Ssp(self.dir))


def seed(rig):
    """The providers, and that "ops" of each may read here."""
    g = rig.ok(rig.post("/v1/groups", {"name": "ops"}), 201).json["id"]
    rig.bind("group", g, "viewer", "default")
    rig.make_incident("The shop is closed")
    ops = [{"value": "ops", "group": g}]
    for flow, alg in CLIENTS:
        rig.make_oidc(flow, alg, group_map=ops)
    about = rig.make_idp("ssp-both", "saml", metadata=rig.ssp.metadata,
                         groups_attribute="groups", group_map=ops)
    rig.register_at_ssp(about, **{"saml20.sign.response": True,
                                  "saml20.sign.assertion": True})


journeys("sso.mjs", seed)
run_rig(Place)
