#!/usr/bin/env python3
"""The listener that demands client certificates: senders and bound tokens."""
import base64
import datetime
import hashlib
import http.client
import json
import pathlib
import re
import ssl
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import othercrypto  # noqa: E402,F401
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: E402,E501
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402
from rig import Answer, Rig, later, run, test  # noqa: E402

UTC = datetime.timezone.utc
DIR = tempfile.TemporaryDirectory(prefix="redoubt-certs-")
made = [0]


class Cert:
    """A key and a certificate, self-signed or issued by another."""

    def __init__(self, by=None, key=None, days=(-1, 30), ca=False, san=None,
                 eku=EKU.CLIENT_AUTH):
        made[0] += 1
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME,
                                             f"client {made[0]}")])
        now = datetime.datetime.now(UTC).replace(microsecond=0)
        b = (x509.CertificateBuilder().subject_name(name)
             .issuer_name(by.cert.subject if by else name)
             .public_key(self.key.public_key())
             .serial_number(x509.random_serial_number())
             .not_valid_before(now + datetime.timedelta(days[0]))
             .not_valid_after(now + datetime.timedelta(days[1]))
             .add_extension(x509.BasicConstraints(ca, None), True))
        if eku and not ca:
            b = b.add_extension(x509.ExtendedKeyUsage([eku]), False)
        if san:
            b = b.add_extension(x509.SubjectAlternativeName([san]), False)
        signer = by.key if by else self.key
        how = None if isinstance(signer, ed25519.Ed25519PrivateKey) \
            else hashes.SHA256()
        self.cert = b.sign(signer, how)
        self.der = self.cert.public_bytes(serialization.Encoding.DER)
        self.pem = self.cert.public_bytes(serialization.Encoding.PEM).decode()
        self.sha256 = hashlib.sha256(self.der).hexdigest()
        spki = self.key.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo)
        self.spki = hashlib.sha256(spki).digest()
        self.x5t = base64.urlsafe_b64encode(
            hashlib.sha256(self.der).digest()).decode().rstrip("=")
        self.file = f"{DIR.name}/{made[0]}.pem"
        with open(self.file, "w") as f:
            f.write(self.pem + self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption()).decode())


class MRig(Rig):
    def __init__(self):
        super().__init__(args=["--mtls-listen", "127.0.0.1:0"])

    @property
    def mtls_port(self):
        return int(re.findall(r"mtls=127\.0\.0\.1:(\d+)", self.log_text())[-1])


def ask(rig, cert, method, path, body=None, headers=(), port=None):
    ctx = rig.tls()
    if cert:
        ctx.load_cert_chain(cert.file)
    c = http.client.HTTPSConnection("127.0.0.1", port or rig.mtls_port,
                                    timeout=30, context=ctx)
    try:
        c.request(method, path, body, dict(headers))
        r = c.getresponse()
        return Answer(r.status, r.headers, r.read())
    finally:
        c.close()


def post(rig, n, cert, headers=(), port=None):
    made[0] += 1
    data = json.dumps({"title": "t", "dedup_key": f"k{made[0]}"})
    return ask(rig, cert, "POST", "/ingest/" + n["id"], data,
               {"Content-Type": "application/json", **dict(headers)}, port)


def make(rig, auth):
    return rig.make_integration("generic", auth=auth)


def reason(rig):
    e = rig.get("/v1/audit?action=auth.failed&order=desc&limit=1").json
    return json.loads(e["items"][0]["leaf"]).get("reason")


def refused(rig, answer, why):
    rig.ok(answer, 401, "unauthenticated")
    rig.eq(reason(rig), why)


@test
def a_certificate_is_demanded(rig):
    rig.ok(ask(rig, Cert(), "GET", "/healthz"), 200)
    try:
        ask(rig, None, "GET", "/healthz")
        rig.fail("served without a certificate")
    except (ssl.SSLError, ConnectionError, http.client.HTTPException):
        pass
    rig.ok(rig.get("/healthz"), 200)  # the other listener asks for none


@test
def by_fingerprint(rig):
    good, bad = Cert(), Cert()
    n = make(rig, {"kind": "mtls", "fingerprint": good.sha256})
    rig.eq(n["secret"], None, "nothing to show")
    rig.eq(n["auth"], {"kind": "mtls", "fingerprint": [good.sha256]})
    rig.ok(post(rig, n, good), 202)
    refused(rig, post(rig, n, bad), "hook.cert")
    refused(rig, post(rig, n, None, port=rig.port), "hook.cert")
    renewed = Cert(key=good.key)  # the key is the same, it is not
    refused(rig, post(rig, n, renewed), "hook.cert")


@test
def by_public_key(rig):
    for key in (ec.generate_private_key(ec.SECP256R1()),
                ed25519.Ed25519PrivateKey.generate(),
                rsa.generate_private_key(65537, 2048)):
        good = Cert(key=key)
        n = make(rig, {"kind": "mtls",
                       "spki": base64.b64encode(good.spki).decode()})
        rig.ok(post(rig, n, good), 202)
        rig.ok(post(rig, n, Cert(key=key)), 202)  # renewed
        refused(rig, post(rig, n, Cert()), "hook.cert")


@test
def pins_are_changed_without_a_gap(rig):
    old, new = Cert(), Cert()
    n = make(rig, {"kind": "mtls", "fingerprint": [old.sha256, new.sha256]})
    rig.ok(post(rig, n, old), 202)
    rig.ok(post(rig, n, new), 202)
    rig.ok(rig.patch(rig.p + "/integrations/" + n["id"],
                     {"auth": {"kind": "mtls", "fingerprint": new.sha256}}),
           200)
    refused(rig, post(rig, n, old), "hook.cert")
    rig.ok(post(rig, n, new), 202)


@test
def dates(rig):
    for days in ((-10, -1), (1, 10)):
        c = Cert(days=days)
        n = make(rig, {"kind": "mtls", "fingerprint": c.sha256})
        refused(rig, post(rig, n, c), "hook.cert_date")


@test
def by_authority(rig):
    ca, other = Cert(ca=True), Cert(ca=True)
    uri = x509.UniformResourceIdentifier("urn:sender:1")
    n = make(rig, {"kind": "mtls", "ca": ca.pem})
    rig.ok(post(rig, n, Cert(by=ca)), 202)
    refused(rig, post(rig, n, Cert(by=other)), "hook.cert")
    refused(rig, post(rig, n, Cert()), "hook.cert")
    refused(rig, post(rig, n, Cert(by=ca, days=(-9, -1))), "hook.cert")
    refused(rig, post(rig, n, Cert(by=ca, eku=EKU.SERVER_AUTH)), "hook.cert")
    leaf = Cert(by=ca)
    refused(rig, post(rig, n, Cert(by=leaf)), "hook.cert")  # no authority
    n = make(rig, {"kind": "mtls", "ca": ca.pem, "san": "uri:urn:sender:1"})
    rig.ok(post(rig, n, Cert(by=ca, san=uri)), 202)
    refused(rig, post(rig, n, Cert(by=ca)), "hook.cert")
    refused(rig, post(rig, n, Cert(by=ca, san=x509.DNSName("urn:sender:1"))),
            "hook.cert")
    n = make(rig, {"kind": "mtls", "ca": ca.pem, "san": "dns:a.example"})
    rig.ok(post(rig, n, Cert(by=ca, san=x509.DNSName("a.example"))), 202)
    refused(rig, post(rig, n, Cert(by=ca, san=x509.DNSName("b.example"))),
            "hook.cert")


@test
def together_with_a_token(rig):
    c = Cert()
    n = make(rig, [{"kind": "bearer"},
                   {"kind": "mtls", "fingerprint": c.sha256}])
    good = {"Authorization": "Bearer " + n["secret"]}
    rig.ok(post(rig, n, c, good), 202)
    refused(rig, post(rig, n, Cert(), good), "hook.cert")
    refused(rig, post(rig, n, c), "missing")
    refused(rig, post(rig, n, None, good, rig.port), "hook.cert")


@test
def a_header_is_no_certificate(rig):
    c = Cert()
    n = make(rig, {"kind": "mtls", "fingerprint": c.sha256})
    pem = c.pem.replace("\n", "%0A")
    for h in ("X-SSL-Client-Cert", "X-Client-Cert", "Client-Cert",
              "X-Forwarded-Client-Cert", "X-SSL-Client-Fingerprint"):
        refused(rig, post(rig, n, Cert(), {h: pem}), "hook.cert")
        refused(rig, post(rig, n, None, {h: c.sha256}, rig.port), "hook.cert")


def bound(rig, cert, **kw):
    return rig.ok(rig.post("/v1/tokens", {
        "name": "bound", "scopes": ["*"], "expires_at": later(3600),
        "mtls": cert.x5t, **kw}), 201).json


@test
def bound_tokens(rig):
    mine, other = Cert(), Cert()
    t = bound(rig, mine)
    rig.eq(t["mtls"], mine.x5t)
    h = {"Authorization": "Bearer " + t["token"]}
    rig.ok(ask(rig, mine, "GET", "/v1/whoami", None, h), 200)
    refused(rig, ask(rig, other, "GET", "/v1/whoami", None, h), "certificate")
    refused(rig, rig.client(t["token"]).get("/v1/whoami"), "certificate")
    # unbound ones are good on both listeners
    rig.ok(ask(rig, other, "GET", "/v1/whoami", None,
               {"Authorization": "Bearer " + rig.token}), 200)
    rig.eq(rig.get("/v1/tokens/" + t["id"]).json["mtls"], mine.x5t)
    for bad in ("x", mine.sha256, mine.x5t + "=", mine.x5t[:-1], ""):
        rig.ok(rig.post("/v1/tokens", {
            "name": "b", "scopes": ["*"], "expires_at": later(60),
            "mtls": bad}), 400, "invalid")


@test
def bound_tokens_make_bound_tokens(rig):
    mine, other = Cert(), Cert()
    t = bound(rig, mine)
    h = {"Authorization": "Bearer " + t["token"],
         "Content-Type": "application/json"}

    def create(**kw):
        return ask(rig, mine, "POST", "/v1/tokens", json.dumps({
            "name": "child", "scopes": ["incident.view"],
            "expires_at": later(60), **kw}), h)
    child = rig.ok(create(), 201).json
    rig.eq(child["mtls"], mine.x5t, "it inherits the binding")
    refused(rig, rig.client(child["token"]).get("/v1/whoami"), "certificate")
    rig.ok(create(mtls=other.x5t), 403, "forbidden")
    rig.ok(create(mtls=mine.x5t), 201)
    free = rig.ok(rig.post("/v1/tokens", {
        "name": "free", "scopes": ["incident.view"],
        "expires_at": later(3600)}), 201).json
    rig.ok(ask(rig, mine, "POST", f"/v1/tokens/{free['id']}/rotate", "{}", h),
           403, "forbidden")
    # a rotated token keeps what it is bound to
    again = rig.ok(ask(rig, mine, "POST", f"/v1/tokens/{child['id']}/rotate",
                       "{}", h), 201).json
    rig.eq(again["mtls"], mine.x5t)


@test
def each_request_has_its_connections_certificate(rig):
    a, b = Cert(), Cert()
    n = make(rig, {"kind": "mtls", "fingerprint": a.sha256})
    conns = []
    for cert in (a, b):
        ctx = rig.tls()
        ctx.load_cert_chain(cert.file)
        conns.append(http.client.HTTPSConnection(
            "127.0.0.1", rig.mtls_port, timeout=30, context=ctx))
    for i in range(10):
        for c, want in zip(conns, (202, 401)):
            c.request("POST", "/ingest/" + n["id"], json.dumps(
                {"title": "t", "dedup_key": f"i{i}"}),
                {"Content-Type": "application/json"})
            r = c.getresponse()
            r.read()
            rig.eq(r.status, want)
    for c in conns:
        c.close()


@test
def nothing_is_resumed(rig):
    ctx = rig.tls()
    ctx.load_cert_chain(Cert().file)
    c = http.client.HTTPSConnection("127.0.0.1", rig.mtls_port, timeout=30,
                                    context=ctx)
    c.request("GET", "/healthz")
    c.getresponse().read()
    session = c.sock.session
    rig.check(session is None or not session.has_ticket, "no ticket")
    c.close()


@test
def the_flag_is_checked(rig):
    for bad in ("x", "127.0.0.1", "127.0.0.1:99999"):
        p = rig.cli("serve", "--data", str(rig.data), "--listen",
                    "127.0.0.1:0", "--mtls-listen", bad)
        rig.check(p.returncode != 0, f"{bad}: {p.returncode}")


run(MRig)
