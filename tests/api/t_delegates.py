#!/usr/bin/env python3
"""Delegates: places, joining, approval by another person, certificates."""
import hashlib
import json
import ssl
import sys
import http.client

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from delegatekit import DRig, Delegate, b64, raw  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: E402
from rig import run, test  # noqa: E402


def place(rig, name, **kw):
    r = rig.ok(rig.post(rig.p + "/delegates", {"name": name, **kw}), 201)
    d = Delegate(rig, r.json["token"])
    d.path = f"{rig.p}/delegates/{r.json['id']}"
    return d, r.json


def fingerprint(d):
    return hashlib.sha256(raw(d.identity) + raw(d.sealing)).hexdigest()


@test
def a_place_shows_its_token_once(rig):
    d, about = place(rig, "once", labels={"site": "fra", "os": "linux"})
    rig.check(about["token"].startswith("rdd_"), about["token"][:4])
    rig.eq(about["state"], "slot")
    rig.eq(about["labels"], {"site": "fra", "os": "linux"})
    rig.eq(about["fingerprint"], None)
    one = rig.ok(rig.get(d.path), 200)
    rig.check("token" not in one.json and d.token not in one.body.decode(),
              "the token is shown again")
    rig.check(any(x["id"] == about["id"] for x in
                  rig.get(rig.p + "/delegates").json["items"]), "list")
    rig.ok(rig.post(rig.p + "/delegates", {"name": "once"}), 409, "exists")
    for bad in ({"name": "x", "labels": {"A": "x"}},
                {"name": "x", "labels": {"a": ""}},
                {"name": "x", "labels": {"a": "x/y"}},
                {"name": "x", "max_tasks": 0},
                {"name": "x", "max_tasks": 201},
                {"name": "x", "state": "approved"},
                {"name": "x", "labels": {f"a{i}": "x" for i in range(33)}}):
        rig.check(rig.post(rig.p + "/delegates", bad).status == 400, f"{bad}")
    r = rig.ok(rig.patch(d.path, {"labels": {}, "max_tasks": 200}), 200)
    rig.eq((r.json["labels"], r.json["max_tasks"]), ({}, 200))
    rig.ok(rig.delete(d.path), 204)
    rig.ok(d.join(), 401)


@test
def joining_binds_the_token_to_keys(rig):
    d, _ = place(rig, "binds")
    for bad in ({"proof": b64(bytes(64))}, {"ed25519": "x"},
                {"x25519": b64(bytes(31))}, {"proof": ""},
                {"x25519": b64(raw(ed25519.Ed25519PrivateKey.generate()))}):
        rig.ok(d.join(**bad), 400)
    rig.eq(rig.get(d.path).json["state"], "slot")
    r = rig.ok(d.join(), 201).json
    rig.eq(r["state"], "pending")
    rig.check("certificate" not in r, "a certificate before approval")
    rig.eq(r["log"]["key"], rig.about.get("log_key", r["log"]["key"]))
    rig.check(r["mtls"].endswith(f":{rig.mtls_port}"), r["mtls"])
    rig.eq(rig.ok(d.join(), 201).json["state"], "pending")
    thief = Delegate(rig, d.token)
    rig.ok(thief.join(), 401)
    one = rig.get(d.path).json
    rig.eq(one["fingerprint"], fingerprint(d))
    rig.eq(one["host"], "test.example")
    rig.eq(one["doctor"], {"userns": True})
    nobody = Delegate(rig, "rdd_" + d.token[4:-1] + "x")
    rig.ok(nobody.join(), 401)
    rig.ok(rig.client(rig.token).post("/v1/delegate/join",
                                      d.join_body()), 401)
    # a join token is nothing but that
    rig.ok(rig.client(d.token).get("/v1/whoami"), 401)


@test
def approval_is_another_persons(rig):
    d, about = place(rig, "four eyes")
    uid, other = rig.person("approver", rig.project)
    rig.ok(other.post(d.path + "/approve"), 409, "conflict")  # not joined
    rig.ok(d.join(), 201)
    r = rig.ok(rig.post(d.path + "/approve"), 403)  # who made the place
    rig.check("somebody else" in r.json["detail"], r)
    _, machine = rig.make_account("org_admin")
    rig.ok(machine.post(d.path + "/approve"), 403)  # no person
    _, viewer = rig.person("viewer", rig.project)
    rig.ok(viewer.post(d.path + "/approve"), 403)
    rig.ok(other.post(d.path + "/approve", {"fingerprint": "0" * 64}), 409)
    # who made the last token may not either
    _, second = rig.person("org_admin")
    t = rig.ok(second.post(d.path + "/token"), 201).json["token"]
    rig.ok(d.join(), 401)  # the token before is over
    d.token = t
    rig.ok(d.join(), 201)
    rig.ok(second.post(d.path + "/approve"), 403)
    r = rig.ok(other.post(d.path + "/approve",
                          {"fingerprint": fingerprint(d)}), 200).json
    rig.eq((r["state"], r["approved_by"]), ("approved", uid))
    rig.ok(other.post(d.path + "/approve"), 409)
    j = rig.ok(d.join(), 201).json
    rig.eq(j["state"], "approved")
    c = x509.load_pem_x509_certificate(j["certificate"].encode())
    san = c.extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value
    epoch = rig.get(d.path).json["epoch"]
    rig.eq(san.get_values_for_type(x509.UniformResourceIdentifier),
           [f"urn:redoubt:delegate:{about['id']}:{epoch}"])
    ca = x509.load_pem_x509_certificate(j["ca"].encode())
    ca.public_key().verify(c.signature, c.tbs_certificate_bytes)
    rig.eq(c.issuer, ca.subject)
    life = c.not_valid_after - c.not_valid_before
    rig.check(life.total_seconds() <= 86400, "lives longer than a day")
    log = rig.get("/v1/audit?action=delegate.approve&order=desc").json
    rig.eq(log["items"][0]["principal"]["id"], uid)


@test
def a_certificate_is_who_it_is(rig):
    d = rig.make_delegate("certified")
    rig.ok(d.renew(), 200)
    rig.ok(d.renew(), 200)  # with the certificate of the last one
    rig.ok(d.renew(proof=b64(bytes(64))), 400)
    # on the listener without certificates nobody is a delegate
    plain = rig.client(None)
    rig.ok(plain.post("/v1/delegate/renew", {"ed25519": b64(bytes(32)),
                                             "proof": b64(bytes(64))}), 401)
    # a token beside the certificate is a guess
    rig.ok(d.post("/v1/delegate/renew", {"ed25519": "", "proof": ""},
                  headers={"Authorization": "Bearer " + rig.token}), 401)
    # what is no delegate's to ask
    for path in ("/v1/whoami", rig.p + "/incidents", rig.p + "/delegates",
                 "/v1/audit", d.path, rig.p):
        rig.ok(d.get(path), 401)
    rig.check(rig.get(d.path).json["last_seen_at"] is not None, "seen")


@test
def others_certificates_are_nobody(rig):
    d = rig.make_delegate("imitated")
    real = x509.load_pem_x509_certificate(d.pem.encode())
    key = ed25519.Ed25519PrivateKey.generate()
    for signer in (key, d.identity):
        b = (x509.CertificateBuilder().subject_name(real.subject)
             .issuer_name(real.issuer).public_key(key.public_key())
             .serial_number(1).not_valid_before(real.not_valid_before)
             .not_valid_after(real.not_valid_after))
        for e in real.extensions:
            b = b.add_extension(e.value, e.critical)
        pem = b.sign(signer, None).public_bytes(
            __import__("cryptography").hazmat.primitives.serialization
            .Encoding.PEM).decode()
        fake = Delegate(rig)
        fake.id = d.id
        fake.take(pem, key)
        rig.ok(fake.renew(), 401)
    e = rig.get("/v1/audit?action=auth.failed&order=desc&limit=1").json
    rig.eq(json.loads(e["items"][0]["leaf"]).get("reason"), "certificate")


@test
def revoking_is_at_once(rig):
    d = rig.make_delegate("revoked")
    rig.ok(d.renew(), 200)
    old = rig.get(d.path).json
    r = rig.ok(rig.post(d.path + "/revoke"), 200).json
    rig.eq((r["state"], r["epoch"]), ("revoked", old["epoch"] + 1))
    rig.ok(d.renew(), 401)
    rig.ok(d.join(), 401)
    rig.ok(rig.post(d.path + "/revoke"), 409)
    rig.ok(rig.approver.post(d.path + "/approve"), 409)
    # another token, the same keys: approved again, certificates of the new
    # epoch; the old ones stay dead
    before = d.file, d.session
    d.token = rig.ok(rig.post(d.path + "/token"), 201).json["token"]
    rig.eq(rig.ok(d.join(), 201).json["state"], "pending")
    rig.approve(d)
    rig.ok(d.join(), 201)
    rig.ok(d.renew(), 200)
    d.close()
    d.file, d.session = before
    rig.ok(d.renew(), 401)


@test
def another_projects_delegate_is_not_there(rig):
    rig.ok(rig.post("/v1/projects", {"slug": "far", "name": "F"}), 201)
    d = rig.make_delegate("far away", project="far")
    name = d.path.rsplit("/", 1)[1]
    for m, at in (("get", ""), ("delete", ""), ("post", "/approve"),
                  ("post", "/revoke"), ("post", "/token")):
        a = getattr(rig, m)(f"{rig.p}/delegates/{name}{at}")
        rig.ok(a, 404)
    rig.eq([x for x in rig.get(rig.p + "/delegates").json["items"]
            if x["id"] == name], [])


@test
def no_certificate_no_connection(rig):
    d = Delegate(rig)
    try:
        d.get("/healthz")
        rig.fail("served without a certificate")
    except (ssl.SSLError, ConnectionError, http.client.HTTPException):
        pass


run(DRig)
