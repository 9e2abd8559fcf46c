#!/usr/bin/env python3
"""sso.mjs: the login page with npm oidc-provider and SimpleSAMLphp."""
import pathlib
import sys
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "e2e"))
import idps  # noqa: E402
from uikit import Ui, journeys, run_rig  # noqa: E402

SECRET = "s" * 43
BASIC = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
CLIENTS = {"code-rs256": ("code", "RS256"),
           "id-token-es256": ("id_token", "ES256")}


class Place(Ui):
    """A server with people, and the providers beside it."""

    def __init__(self):
        idps.install()
        super().__init__(start=False)
        self.things = []
        self.listen = f"127.0.0.1:{idps.free_port()}"
        self.here = "https://" + self.listen
        self.op = self.thing(idps.Op(self.dir, idps.free_port(), [{
            "client_id": name, "client_secret": SECRET,
            "redirect_uris": [f"{self.here}/auth/oidc/{name}/callback"],
            "response_types": [flow], "grant_types": [
                "authorization_code" if flow == "code" else "implicit"],
            "id_token_signed_response_alg": alg,
            "token_endpoint_auth_method": "client_secret_basic"
            if flow == "code" else "none"}
            for name, (flow, alg) in CLIENTS.items()]))
        self.configure("code-rs256")
        self.start()
        self.ssp = self.thing(idps.Ssp(self.dir))

    def thing(self, t):
        self.things.append(t)
        return t

    def done(self):
        for t in self.things:
            t.stop()
        super().done()

    def configure(self, name):
        """idp.conf: what the idp role may call."""
        secret, at = self.dir / "secret", self.op.issuer
        conf = self.data / "idp.conf"
        secret.write_text(SECRET + "\n")
        conf.write_text(f"""[idp {name}]
issuer = {at}
token_endpoint = {at}/token
jwks_uri = {at}/jwks
metadata_uri = {at}/.well-known/openid-configuration
client_id = {name}
redirect_uri = {self.here}/auth/oidc/{name}/callback
client_auth = client_secret_basic
secret_file = {secret}
ca_file = {self.op.ca}
connect = 127.0.0.1:{self.op.port}
""")
        for f in (secret, conf):
            f.chmod(0o600)

    def provider(self, name, kind, **config):
        return self.ok(self.post("/v1/identity-providers", {
            "name": name, "kind": kind, "config": {
                "jit": True, **config}}), 201).json


def seed(rig):
    """The providers, and that "ops" of each may read here."""
    g = rig.ok(rig.post("/v1/groups", {"name": "ops"}), 201).json["id"]
    rig.bind("group", g, "viewer", "default")
    rig.make_incident("The shop is closed")
    ops = [{"value": "ops", "group": g}]
    for name, (flow, alg) in CLIENTS.items():
        rig.provider(
            name, "oidc-code" if flow == "code" else "oidc-direct",
            issuer=rig.op.issuer, client_id=name, algorithms=[alg],
            authorization_endpoint=rig.op.issuer + "/auth",
            groups_claim="groups", group_map=ops,
            scopes=["openid", "profile", "email", "groups"],
            **({} if flow == "code" else {"jwks": rig.op.jwks}))
    about = rig.provider("ssp-both", "saml", metadata=rig.ssp.metadata,
                         groups_attribute="groups", group_map=ops)
    urls = about["urls"]
    rig.ssp.register(urls["entity_id"], urls["acs"],
                     about["config"]["sp_certificate"],
                     NameIDFormat=PERSISTENT,
                     **{"simplesaml.nameidattribute": "uid",
                        "attributes.NameFormat": BASIC,
                        "validate.authnrequest": True,
                        "saml20.sign.response": True,
                        "saml20.sign.assertion": True})


journeys("sso.mjs", seed)
run_rig(Place)
