#!/usr/bin/env python3
"""Encrypted bodies: JWE made by other code, and what must not open."""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import othercrypto  # noqa: E402,F401
from cryptography.hazmat.primitives import hashes, keywrap  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa  # noqa: E402,E501
from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: E402
from rig import run, test  # noqa: E402

number = [0]


def b64(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def body(**kw):
    number[0] += 1
    return json.dumps({"title": "Sealed", "dedup_key": f"j{number[0]}",
                       **kw}).encode()


CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}


def public_of(jwk):
    if jwk["kty"] == "RSA":
        return rsa.RSAPublicNumbers(
            int.from_bytes(unb64(jwk["e"]), "big"),
            int.from_bytes(unb64(jwk["n"]), "big")).public_key()
    return ec.EllipticCurvePublicNumbers(
        int.from_bytes(unb64(jwk["x"]), "big"),
        int.from_bytes(unb64(jwk["y"]), "big"),
        CURVES[jwk["crv"]]).public_key()


def epk_of(public, **kw):
    n, size = public.public_numbers(), (public.curve.key_size + 7) // 8
    return {"kty": "EC", "crv": {256: "P-256", 384: "P-384"}[
        public.curve.key_size], "x": b64(n.x.to_bytes(size, "big")),
        "y": b64(n.y.to_bytes(size, "big")), **kw}


def kdf(z, name, apu=b"", apv=b""):
    """RFC 7518 4.6.2, 256 bits."""
    def lv(x):
        return len(x).to_bytes(4, "big") + x
    return hashlib.sha256(b"\0\0\0\1" + z + lv(name.encode()) + lv(apu) +
                          lv(apv) + (256).to_bytes(4, "big")).digest()


class Jwe:
    """One token, part by part, for tests that spoil a part."""

    def __init__(self, jwk, plain, alg="ECDH-ES+A256KW", head=None, cek=None,
                 iv=None, epk=None, z=None):
        head = {"alg": alg, "enc": "A256GCM", "kid": jwk["kid"],
                **(head or {})}
        head = {k: v for k, v in head.items() if v is not None}
        to, key = public_of(jwk), b""
        self.cek = cek or os.urandom(32)
        if alg.startswith("ECDH"):
            mine = ec.generate_private_key(to.curve)
            z = z or mine.exchange(ec.ECDH(), to)
            head["epk"] = epk or epk_of(mine.public_key())
            apu = unb64(head.get("apu", ""))
            apv = unb64(head.get("apv", ""))
            if alg == "ECDH-ES":
                self.cek = kdf(z, "A256GCM", apu, apv)
            else:
                key = keywrap.aes_key_wrap(kdf(z, alg, apu, apv), self.cek)
        elif alg == "RSA-OAEP-256":
            key = to.encrypt(self.cek, padding.OAEP(
                padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
        elif alg == "RSA-OAEP":
            key = to.encrypt(self.cek, padding.OAEP(
                padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
        elif alg == "RSA1_5":
            key = to.encrypt(self.cek, padding.PKCS1v15())
        elif alg == "A256KW":
            key = os.urandom(40)
        elif alg == "PBES2-HS512+A256KW":
            key = os.urandom(40)
        if head.get("epk") is False:
            del head["epk"]
        self.head = b64(json.dumps(head).encode())
        self.key = key
        self.iv = iv or os.urandom(12)
        sealed = AESGCM(self.cek).encrypt(self.iv, plain, self.head.encode())
        self.text, self.tag = sealed[:-16], sealed[-16:]

    def __bytes__(self):
        return ".".join([self.head, b64(self.key), b64(self.iv),
                         b64(self.text), b64(self.tag)]).encode()


def make(rig, key="P-256", template="generic", **kw):
    n = rig.make_integration(template, auth=[
        {"kind": "hmac", "scheme": "github"}, {"kind": "jwe", "key": key}],
        **kw)
    rig.eq(n["jwk"], n["jwks"]["keys"][0])
    return n


def post(rig, n, data, kind="application/jose", path="", secret=None):
    sig = hmac.new((secret or n["secret"]).encode(), data, "sha256").hexdigest()
    c = rig.client(None)
    a = c.request("POST", f"/ingest/{n['id']}{path}", data, {
        "Content-Type": kind, "X-Hub-Signature-256": "sha256=" + sig},
        raw=True)
    c.close()
    return a


def reason(rig):
    e = rig.get("/v1/audit?action=auth.failed&order=desc&limit=1").json
    return json.loads(e["items"][0]["leaf"])


def taken(rig, n, token, plain):
    data = bytes(token)
    r = rig.ok(post(rig, n, data), 202)
    if r.status != 202:
        return None
    rig.eq(r.json["receipt"]["sha256"], hashlib.sha256(data).hexdigest(),
           "the receipt is for what was sent")
    key = json.loads(plain)["dedup_key"]
    alerts = [a for a in rig.get(rig.p + "/alerts?limit=200").json["items"]
              if a["dedup_key"] == key]
    rig.eq(len(alerts), 1, key)
    return r.json


def refused(rig, n, token, prefix=("jwe.", "jwt.")):
    rig.ok(post(rig, n, bytes(token)), 401, "unauthenticated")
    leaf = reason(rig)
    rig.check(leaf["reason"].startswith(prefix), leaf)
    rig.check({"type": "integration", "id": n["id"]} in leaf["resource"]
              if "resource" in leaf else True, leaf)


ALGS = [("P-256", "ECDH-ES"), ("P-256", "ECDH-ES+A256KW"),
        ("RSA", "RSA-OAEP-256")]


# ---- good ones ----

for _key, _alg in ALGS:
    def _go(rig, key=_key, alg=_alg):
        n = make(rig, key)
        plain = body()
        taken(rig, n, Jwe(n["jwk"], plain, alg), plain)
        plain = body()  # without a kid: there is one key
        taken(rig, n, Jwe(n["jwk"], plain, alg, {"kid": None}), plain)
        plain = body()
        taken(rig, n, Jwe(n["jwk"], plain, alg, {"cty": "json"}), plain)
        # as long as a body may be
        plain = body(message="x" * 950000)
        rig.ok(post(rig, n, bytes(Jwe(n["jwk"], plain, alg))), 202)
    _go.__name__ = "opens_" + _alg.lower().replace("-", "_").replace("+", "_")
    test(_go)


@test
def parties_are_named(rig):
    n = make(rig)
    for alg in ("ECDH-ES", "ECDH-ES+A256KW"):
        plain = body()
        taken(rig, n, Jwe(n["jwk"], plain, alg,
                          {"apu": b64(b"Alice"), "apv": b64(b"Bob")}), plain)


@test
def the_public_key(rig):
    for key, kty in (("P-256", "EC"), ("RSA", "RSA")):
        n = make(rig, key)
        got = rig.get(rig.p + "/integrations/" + n["id"]).json
        rig.eq(got["jwks"], n["jwks"])
        k = n["jwk"]
        rig.eq([k["kty"], len(n["jwks"]["keys"])], [kty, 1])
        rig.check(k["kid"] and not set(k) & {"d", "p", "q", "dp", "dq", "qi",
                                             "k"}, f"public only: {list(k)}")
        if kty == "RSA":
            rig.check(len(unb64(k["n"])) >= 384, "3072 bits")
        rig.eq(got["auth"]["of"][1], {"kind": "jwe", "key": key})


@test
def another_key_pair_each(rig):
    rig.check(make(rig)["jwk"]["x"] != make(rig)["jwk"]["x"], "two keys")


@test
def to_somebody_else(rig):
    n, other = make(rig), make(rig)
    refused(rig, n, Jwe(other["jwk"], body()))  # its kid is not ours
    refused(rig, n, Jwe({**other["jwk"], "kid": n["jwk"]["kid"]}, body()))
    refused(rig, n, Jwe({**n["jwk"], "kid": "x"}, body()))


@test
def the_outer_proof_is_needed(rig):
    n = make(rig)
    data = bytes(Jwe(n["jwk"], body()))
    a = post(rig, n, data, secret="0" * 43)
    rig.ok(a, 401)
    rig.eq(reason(rig)["reason"], "hook.sig")
    # over what was sent, not over what it says
    plain = body()
    data = bytes(Jwe(n["jwk"], plain))
    sig = hmac.new(n["secret"].encode(), plain, "sha256").hexdigest()
    c = rig.client(None)
    rig.ok(c.request("POST", "/ingest/" + n["id"], data, {
        "Content-Type": "application/jose",
        "X-Hub-Signature-256": "sha256=" + sig}, raw=True), 401)
    c.close()


@test
def only_encrypted_ones(rig):
    n = make(rig)
    rig.ok(post(rig, n, body(), "application/json"), 415, "media_type")
    rig.ok(post(rig, n, bytes(Jwe(n["jwk"], body())), "application/json"),
           415)
    refused(rig, n, body())
    plain = rig.make_integration("generic", auth={"kind": "bearer"})
    c = rig.client(plain["secret"])
    rig.ok(c.request("POST", "/ingest/" + plain["id"],
                     bytes(Jwe(n["jwk"], body())),
                     {"Content-Type": "application/jose"}, raw=True), 415)


@test
def what_is_inside_is_checked(rig):
    n = make(rig)
    for plain in (b"", b"x", b"{", b'{"a":1,"a":2}', b"\xff", b"[" * 40):
        a = post(rig, n, bytes(Jwe(n["jwk"], plain)))
        rig.ok(a, 400)
    rig.ok(post(rig, n, bytes(Jwe(n["jwk"], b'{"no":"title"}'))), 422,
           "mapping_failed")


@test
def a_retry(rig):
    n = make(rig)
    data = bytes(Jwe(n["jwk"], body()))
    first = rig.ok(post(rig, n, data), 202).json
    again = rig.ok(post(rig, n, data), 202).json
    rig.eq(again.pop("duplicate"), True)
    rig.eq(again, first)


@test
def alertmanagers_api(rig):
    n = make(rig)
    plain = json.dumps([{"labels": {"alertname": "Sealed"}}]).encode()
    rig.ok(post(rig, n, bytes(Jwe(n["jwk"], plain)), path="/api/v2/alerts"),
           200)


# ---- spoilt ones: each from a good one ----

def spoil(name, change, alg="ECDH-ES+A256KW", **kw):
    def go(rig):
        n = make(rig, "RSA" if alg.startswith("RSA") else "P-256")
        t = Jwe(n["jwk"], body(), alg, **kw)
        refused(rig, n, change(t) or t)
        plain = body()  # and the good one is taken
        good = alg if (("P-256", alg) in ALGS or ("RSA", alg) in ALGS) \
            else "RSA-OAEP-256" if alg.startswith("RSA") else "ECDH-ES"
        taken(rig, n, Jwe(n["jwk"], plain, good), plain)
    go.__name__ = name
    test(go)


def tag_of(n):
    def change(t):
        t.tag = (t.tag + b"\0" * 16)[:n]
    return change


def flip(part, at):
    def change(t):
        raw = bytearray(getattr(t, part))
        raw[at] ^= 1
        setattr(t, part, bytes(raw))
    return change


def put(part, value):
    return lambda t: setattr(t, part, value)


def head(**kw):
    """Another header than the one that was sealed over."""
    def change(t):
        h = {**json.loads(unb64(t.head)), **kw}
        t.head = b64(json.dumps(
            {k: v for k, v in h.items() if v is not None}).encode())
    return change


def text(f):
    return lambda t: f(bytes(t))


for _n in (0, 4, 8, 12, 15, 17, 32):
    spoil(f"tag_of_{_n}_bytes", tag_of(_n))
for _part in ("text", "tag", "iv", "key"):
    spoil(f"{_part}_changed", flip(_part, 0))
    spoil(f"{_part}_changed_at_the_end", flip(_part, -1))
for _n in (0, 8, 16):
    spoil(f"iv_of_{_n}_bytes", put("iv", b"\0" * _n))
spoil("no_content_key", put("key", b""))
spoil("content_key_where_none_belongs", put("key", b"\0" * 40), "ECDH-ES")
spoil("content_key_cut", lambda t: put("key", t.key[:-8])(t))
spoil("rsa_key_of_noise", put("key", os.urandom(384)), "RSA-OAEP-256")
spoil("rsa_key_cut", lambda t: put("key", t.key[:-1])(t), "RSA-OAEP-256")
spoil("rsa_key_changed", flip("key", 100), "RSA-OAEP-256")
# what opens with a key of zeros must not be what a failure falls back to
spoil("zero_key", put("key", b"\0" * 40), cek=b"\0" * 32)
spoil("zero_key_rsa", put("key", b"\0" * 384), "RSA-OAEP-256",
      cek=b"\0" * 32)
spoil("header_changed", head(typ="x"))
spoil("algorithm_swapped", head(alg="ECDH-ES"))
spoil("algorithm_none", head(alg="none"))
spoil("algorithm_dir", head(alg="dir"))
spoil("rsa1_5", lambda t: None, "RSA1_5")
spoil("rsa_oaep_sha1", lambda t: None, "RSA-OAEP")
spoil("a256kw", lambda t: None, "A256KW")
spoil("pbes2", lambda t: None, "PBES2-HS512+A256KW",
      head={"p2s": b64(b"salt" * 4), "p2c": 2**31 - 1})
spoil("a128gcm", lambda t: None, head={"enc": "A128GCM"})
spoil("a256cbc", lambda t: None, head={"enc": "A256CBC-HS512"})
spoil("compressed", lambda t: None, head={"zip": "DEF"})
spoil("critical", lambda t: None, head={"crit": ["exp"], "exp": 1})
spoil("b64", lambda t: None, head={"b64": False})
for _h in ("jku", "x5u"):
    spoil(_h, lambda t: None, head={_h: "https://127.0.0.1:1/keys"})
spoil("jwk_in_it", lambda t: None, head={"jwk": {"kty": "oct", "k": "AA"}})
spoil("x5c_in_it", lambda t: None, head={"x5c": ["AA=="]})
spoil("enc_missing", head(enc=None))
spoil("alg_missing", head(alg=None))
spoil("alg_twice", lambda t: put("head", b64(
    b'{"alg":"ECDH-ES",' + unb64(t.head)[1:]))(t))
spoil("header_no_json", put("head", b64(b"{")))
spoil("header_empty", put("head", ""))
spoil("epk_missing", head(epk=None))
spoil("epk_no_object", head(epk="x"))
_p = ec.generate_private_key(ec.SECP256R1()).public_key()
_q = ec.generate_private_key(ec.SECP384R1()).public_key()
spoil("epk_off_the_curve", lambda t: None, "ECDH-ES",
      epk={**epk_of(_p), "y": b64(b"\1" * 32)}, z=b"\0" * 32)
spoil("epk_zero", lambda t: None, "ECDH-ES",
      epk={**epk_of(_p), "x": b64(b"\0" * 32), "y": b64(b"\0" * 32)},
      z=b"\0" * 32)
spoil("epk_of_another_curve", lambda t: None, "ECDH-ES", epk=epk_of(_q),
      z=b"\0" * 48)
spoil("epk_short", lambda t: None, "ECDH-ES",
      epk={**epk_of(_p), "x": b64(b"\1" * 31)}, z=b"\0" * 32)
spoil("epk_with_a_private_part", lambda t: None, "ECDH-ES",
      epk=epk_of(_p, d=b64(b"\1" * 32)), z=b"\0" * 32)
spoil("four_parts", text(lambda d: d.rpartition(b".")[0]))
spoil("six_parts", text(lambda d: d + b".AA"))
spoil("padded", text(lambda d: d + b"=="))
spoil("a_line_break", text(lambda d: d + b"\n"))
spoil("a_space", text(lambda d: b" " + d))
spoil("standard_base64", text(lambda d: d.replace(b".", b".+", 1)))
spoil("cut_in_the_middle", text(lambda d: d[:len(d) // 2]))
spoil("dots", text(lambda d: b"...."))
spoil("json_form", text(lambda d: json.dumps(dict(zip(
    ("protected", "encrypted_key", "iv", "ciphertext", "tag"),
    d.decode().split(".")))).encode()))


# ---- keys that are changed ----

@test
def the_key_is_rotated(rig):
    n = make(rig)
    path = rig.p + "/integrations/" + n["id"]
    r = rig.ok(rig.post(path + "/rotate", {"jwe": True, "overlap_s": 600}),
               200).json
    rig.eq(r["secret"], None, "the signing secret is as it was")
    keys = r["jwks"]["keys"]
    rig.eq([len(keys), keys[1]["kid"]], [2, n["jwk"]["kid"]])
    for k in keys:
        plain = body()
        taken(rig, n, Jwe(k, plain), plain)
    refused(rig, n, Jwe(keys[0], body(), head={"kid": None}))  # which?
    rig.ok(rig.post(path + "/rotate", {"drop": True}), 200)
    refused(rig, n, Jwe(keys[1], body()))
    plain = body()
    taken(rig, n, Jwe(keys[0], plain), plain)
    # rotating the secret leaves the encryption key alone
    r = rig.ok(rig.post(path + "/rotate", {"overlap_s": 0}), 200).json
    rig.eq(r["jwks"]["keys"], [keys[0]])
    n["secret"] = r["secret"]
    plain = body()
    taken(rig, n, Jwe(keys[0], plain), plain)
    b = rig.make_integration("generic")
    rig.ok(rig.post(rig.p + f"/integrations/{b['id']}/rotate",
                    {"jwe": True}), 400, "invalid")


@test
def rules_are_changed(rig):
    n = make(rig)
    path = rig.p + "/integrations/" + n["id"]
    hm = {"kind": "hmac", "scheme": "github"}
    r = rig.ok(rig.patch(path, {"auth": [hm, {"kind": "jwe", "key": "RSA"}]}),
               200).json
    k = r["jwks"]["keys"][0]
    rig.eq([k["kty"], len(r["jwks"]["keys"])], ["RSA", 1])
    plain = body()
    taken(rig, n, Jwe(k, plain, "RSA-OAEP-256"), plain)
    refused(rig, n, Jwe(n["jwk"], body()))
    r = rig.ok(rig.patch(path, {"auth": hm}), 200).json
    rig.check("jwks" not in r, "no key any more")
    rig.ok(post(rig, n, body(), "application/json"), 202)


@test
def the_private_key_is_nowhere(rig):
    n = make(rig)
    time.sleep(1.1)
    where = {"detail": rig.get(rig.p + "/integrations/" + n["id"]).body,
             "audit": rig.get("/v1/audit?limit=200&order=desc").body,
             "log": rig.log_text().encode()}
    for p in pathlib.Path(rig.data).rglob("*"):
        if p.is_file():
            where[str(p)] = p.read_bytes()
    # PKCS #8 of a P-256 key begins with these bytes, and so its base64url
    head = bytes.fromhex("308187020100301306072a8648ce3d020106082a8648ce3d0301"
                         "07046d306b0201010420")
    for name, text_ in where.items():
        if "tls" in name or name.endswith(".pem"):
            continue  # the server's own
        rig.check(head not in text_ and b64(head[:36]).encode() not in text_,
                  name)


@test
def it_survives_a_restart(rig):
    n = make(rig)
    rig.stop()
    rig.start()
    plain = body()
    taken(rig, n, Jwe(n["jwk"], plain), plain)


@test
def what_is_refused_at_creation(rig):
    for auth in ({"kind": "jwe"}, [{"kind": "jwe"}],
                 [{"kind": "jwe"}, {"kind": "ip_allow",
                                    "cidrs": ["127.0.0.1"]}],
                 [{"kind": "bearer"}, {"kind": "jwe", "key": "P-521"}],
                 [{"kind": "bearer"}, {"kind": "jwe"}, {"kind": "jwe"}]):
        rig.ok(rig.post(rig.p + "/integrations", {
            "name": "x", "template": "generic", "auth": auth}), 400,
            "invalid")


run()
