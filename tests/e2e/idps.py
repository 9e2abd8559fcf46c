"""
idps.py: identity providers as they are installed, started for a test, and a
headless Chromium that uses them.

    Ssp      Debian's SimpleSAMLphp (SAML)
    Samlp    npm samlp (SAML)
    Op       npm oidc-provider (OpenID Connect)
    Browser  Debian's Chromium, driven by npm playwright-core
    Beside   what a Rig has of them
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import npmkit  # noqa: E402
from npmkit import NODE  # noqa: E402

SSP = pathlib.Path("/usr/share/simplesamlphp")
ETC = pathlib.Path("/etc/simplesamlphp")
BASIC = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    p = s.getsockname()[1]
    s.close()
    return p


def install():
    npmkit.install(HERE / "idp")
    npmkit.install(HERE.parent / "ui")


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def make_key(d, name, subject="/CN=idp"):
    """A self-signed certificate; (key, certificate)."""
    key, crt = d / (name + ".key"), d / (name + ".crt")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
            "-subj", subject, "-keyout", key, "-out", crt)
    return key, crt


def make_tls(d):
    """A CA and a certificate for localhost; (key, certificate, CA)."""
    ca_key, ca = make_key(d, "ca", "/CN=test CA")
    key, crt, csr = d / "tls.key", d / "tls.crt", d / "tls.csr"
    ext = d / "tls.ext"
    ext.write_text("subjectAltName=DNS:localhost\n")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
            "-keyout", key, "-out", csr)
    openssl("x509", "-req", "-in", csr, "-CA", ca, "-CAkey", ca_key,
            "-CAcreateserial", "-days", "30", "-extfile", ext, "-out", crt)
    return key, crt, ca


class Process:
    """A server of ours to start and to end."""

    def spawn(self, argv, log, **kw):
        self.log = open(log, "ab")
        self.process = subprocess.Popen(argv, stderr=self.log,
                                        start_new_session=True, **kw)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


class Node(Process):
    """A program of tests/e2e/idp; says "ready" when it is."""

    def start(self, script, d, conf):
        self.conf, self.conf_file = conf, d / (script + ".json")
        self.write()
        self.spawn([NODE, HERE / "idp" / script, self.conf_file],
                   d / (script + ".log"), stdout=subprocess.PIPE)
        if self.process.stdout.readline() != b"ready\n":
            raise RuntimeError((d / (script + ".log")).read_text()[-2000:])

    def write(self):
        self.conf_file.write_text(json.dumps(self.conf, default=str))


class Samlp(Node):
    MODES = ("assertion", "response", "both", "encrypted")

    def __init__(self, d):
        self.port = free_port()
        self.entity = "urn:samlp:idp"
        key, crt = make_key(d, "samlp")
        self.start("samlp.mjs", d, {
            "port": self.port, "issuer": self.entity, "key": key, "cert": crt,
            "sp": {}, "encryption": {}})
        self.cert = "".join(crt.read_text().strip().split("\n")[1:-1])

    def metadata(self, mode):
        return f"""<EntityDescriptor \
xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{self.entity}">\
<IDPSSODescriptor protocolSupportEnumeration=\
"urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">\
<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>\
<X509Certificate>{self.cert}</X509Certificate></X509Data></KeyInfo>\
</KeyDescriptor><SingleSignOnService \
Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" \
Location="http://localhost:{self.port}/sso/{mode}"/>\
</IDPSSODescriptor></EntityDescriptor>"""

    def register(self, entity, acs, pem=None):
        self.conf["sp"][entity] = acs
        if pem:
            self.conf["encryption"][entity] = pem
        self.write()


class Op(Node):
    def __init__(self, d, port, clients, machines=None):
        self.port, self.issuer = port, f"https://localhost:{port}"
        key, crt, self.ca = make_tls(d)
        self.jwks_file = d / "jwks.json"
        self.start("op.mjs", d, {
            "port": port, "issuer": self.issuer, "tls_key": key,
            "tls_cert": crt, "jwks": self.jwks_file, "clients": clients,
            "machines": machines})

    @property
    def jwks(self):
        return json.loads(self.jwks_file.read_text())


class Ssp(Process):
    """PHP's own web server on Debian's files, with a configuration aside."""
    EDITS = (
        ("'baseurlpath' => .*,", "'baseurlpath' => '{base}',"),
        ("'certdir' => .*,", "'certdir' => '{d}/cert/',"),
        ("'loggingdir' => .*,", "'loggingdir' => '{d}/log/',"),
        ("'tempdir' => .*,", "'tempdir' => '{d}/tmp',"),
        ("'metadatadir' => .*,", "'metadatadir' => '{d}/metadata/',"),
        ("'enable.saml20-idp' => false", "'enable.saml20-idp' => true"),
        ("'session.cookie.secure' => true", "'session.cookie.secure' => false"),
        # SameSite=None would need TLS
        ("'session.cookie.samesite' => .*,",
         "'session.cookie.samesite' => 'Lax',"),
        ("'logging.handler' => 'syslog'", "'logging.handler' => 'file'"),
        ("'exampleauth' => false", "'exampleauth' => true"),
        ("//'secretsalt' => 'defaultsecretsalt'", "'secretsalt' => 'test'"),
        ("//'auth.adminpassword' => '123'", "'auth.adminpassword' => 'test'"),
    )
    USERS = """<?php
$config = ['example-userpass' => ['exampleauth:UserPass',
    'alice:secret' => ['uid' => ['alice'], 'mail' => ['alice@example.org'],
        'displayName' => ['Alice of SSP'], 'groups' => ['ops', 'everyone']],
    'bob:secret' => ['uid' => ['bob'], 'mail' => ['bob@example.org'],
        'displayName' => ['Bob of SSP'], 'groups' => ['everyone']],
]];
"""
    HOSTED = """<?php
$metadata['__DYNAMIC:1__'] = ['host' => '__DEFAULT__',
    'privatekey' => 'ssp.key', 'certificate' => 'ssp.crt',
    'auth' => 'example-userpass', 'userid.attribute' => 'uid',
    'signature.algorithm' =>
        'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'attributes.NameFormat' =>
        'urn:oasis:names:tc:SAML:2.0:attrname-format:basic',
];
"""

    def __init__(self, d):
        self.dir = d / "ssp"
        for sub in ("config", "metadata", "cert", "log", "tmp"):
            (self.dir / sub).mkdir(parents=True)
        self.port = free_port()
        self.base = f"http://localhost:{self.port}/"
        make_key(self.dir / "cert", "ssp")
        text = (ETC / "config.php").read_text()
        for old, new in self.EDITS:
            new = new.format(d=self.dir, base=self.base)
            text, n = re.subn(old, lambda m: new, text)
            if n == 0:
                raise RuntimeError("config.php has no " + old)
        (self.dir / "config" / "config.php").write_text(text)
        (self.dir / "config" / "authsources.php").write_text(self.USERS)
        (self.dir / "metadata" / "saml20-idp-hosted.php").write_text(
            self.HOSTED)
        self.sps = {}
        self.register_all()
        # the password of bob and alice goes to a server with one worker more
        # than Chromium has connections
        env = dict(os.environ, PHP_CLI_SERVER_WORKERS="4",
                   SIMPLESAMLPHP_CONFIG_DIR=str(self.dir / "config"))
        self.spawn([shutil.which("php") or "php", "-S",
                    f"localhost:{self.port}", "-t", SSP / "www"],
                   self.dir / "php.log", stdout=subprocess.DEVNULL, env=env)
        self.metadata = self.read_metadata()

    def read_metadata(self):
        end = time.time() + 15
        while True:
            try:
                with urllib.request.urlopen(
                        self.base + "saml2/idp/metadata.php", timeout=10) as r:
                    return r.read().decode()
            except OSError:
                if time.time() > end:
                    raise
                time.sleep(0.1)

    def register(self, entity, acs, cert, **options):
        self.sps[entity] = dict(options, AssertionConsumerService=acs,
                                certData=cert)
        self.register_all()

    def register_all(self):
        def php(v):
            if isinstance(v, bool):
                return "true" if v else "false"
            return "'" + v.replace("\\", "\\\\").replace("'", "\\'") + "'"
        out = "<?php\n"
        for entity, conf in self.sps.items():
            out += f"$metadata[{php(entity)}] = [\n" + "".join(
                f"    {php(k)} => {php(v)},\n" for k, v in conf.items()) + \
                "];\n"
        (self.dir / "metadata" / "saml20-sp-remote.php").write_text(out)


class Browser(Process):
    def __init__(self, d):
        self.spawn([NODE, HERE / "idp" / "browser.mjs",
                    shutil.which("chromium") or "chromium"],
                   d / "browser.log", stdin=subprocess.PIPE,
                   stdout=subprocess.PIPE)
        if not self.process.stdout.readline():
            raise RuntimeError((d / "browser.log").read_text()[-2000:])

    def do(self, what, **kw):
        self.process.stdin.write(
            json.dumps({"do": what, **kw}).encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{what} {kw}: {answer['error']}")
        return answer

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            super().stop()


class Beside:
    """To mix into a Rig: the providers beside its server, which end with it.
    A client of the OpenID provider is named as ours of it is, after the flow:
    code-rs256, id-token-es256."""
    SECRET = "s" * 43

    def __init__(self):
        install()
        self.things = []
        super().__init__(start=False)

    def thing(self, t):
        self.things.append(t)
        return t

    def done(self):
        for t in self.things:
            t.stop()
        super().done()

    # ---- OpenID Connect ----

    def start_with_op(self, clients):
        """The provider with a client for each (flow, algorithm), then the
        server that knows it."""
        self.listen = f"127.0.0.1:{free_port()}"
        self.here = "https://" + self.listen
        self.op = self.thing(Op(self.dir, free_port(),
                                [self.client_at_op(*c) for c in clients]))
        self.write_idp_conf([self.op_name(flow, alg)
                             for flow, alg in clients if flow == "code"])
        self.start()

    @staticmethod
    def op_name(flow, alg):
        return f"{flow.replace('_', '-')}-{alg.lower()}"

    def client_at_op(self, flow, alg):
        name, code = self.op_name(flow, alg), flow == "code"
        return {"client_id": name, "client_secret": self.SECRET,
                "redirect_uris": [f"{self.here}/auth/oidc/{name}/callback"],
                "response_types": [flow],
                "grant_types": ["authorization_code" if code else "implicit"],
                "id_token_signed_response_alg": alg,
                "token_endpoint_auth_method":
                    "client_secret_basic" if code else "none",
                "backchannel_logout_session_required": True}

    def write_idp_conf(self, names):
        """idp.conf: what the idp role may call."""
        secret, conf = self.dir / "secret", self.data / "idp.conf"
        at = self.op.issuer
        secret.write_text(self.SECRET + "\n")
        conf.write_text("".join(f"""[idp {name}]
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
""" for name in names))
        for f in (secret, conf):
            f.chmod(0o600)

    def make_oidc(self, flow, alg, **config):
        name = self.op_name(flow, alg)
        more = {} if flow == "code" else {"jwks": self.op.jwks}
        return self.make_idp(
            name, "oidc-code" if flow == "code" else "oidc-direct",
            issuer=self.op.issuer, client_id=name, algorithms=[alg],
            authorization_endpoint=self.op.issuer + "/auth",
            groups_claim="groups",
            scopes=["openid", "profile", "email", "groups"],
            **more, **config)

    # ---- both ----

    def make_idp(self, name, kind, **config):
        return self.ok(self.post("/v1/identity-providers", {
            "name": name, "kind": kind,
            "config": {"jit": True, **config}}), 201).json

    # ---- SAML ----

    def register_at_ssp(self, about, **options):
        """SimpleSAMLphp (self.ssp) told of ours."""
        urls = about["urls"]
        self.ssp.register(urls["entity_id"], urls["acs"],
                          about["config"]["sp_certificate"],
                          NameIDFormat=PERSISTENT,
                          **{"simplesaml.nameidattribute": "uid",
                             "attributes.NameFormat": BASIC,
                             "validate.authnrequest": True, **options})
