"""
browser.py: local accounts, and who logs in: a client with a cookie, a CSRF
token and an Origin instead of a token, from an address of 127.0.0.0/8 of its own; an
authenticator app; a security key in software.
"""
import base64
import hashlib
import hmac
import http.client
import itertools
import json
import struct
import threading
import time

from rig import Client

_addresses = (f"127.{a}.{b}.{c}" for a in range(1, 250)
              for b in range(1, 250) for c in range(1, 250))


class Browser(Client):
    def __init__(self, rig, address=None):
        super().__init__(rig, None)
        self.address = address or next(_addresses)
        self.cookie = self.csrf = None

    def request(self, method, path, body=None, headers=None, raw=False):
        h = {}
        if self.cookie:
            h["Cookie"] = self.cookie
        if self.csrf and method != "GET":
            h |= {"X-Redoubt-CSRF": self.csrf, "Origin": self.rig.url}
        if self.conn is None:
            self.conn = http.client.HTTPSConnection(
                self.rig.host, self.rig.port, timeout=60,
                context=self.rig.tls(), source_address=(self.address, 0))
        return super().request(method, path, body, h | (headers or {}), raw)

    def login(self, email, password, **more):
        a = self.post("/v1/login",
                      {"email": email, "password": password, **more})
        if a.status == 200:
            self.cookie = a.headers["set-cookie"].split(";")[0]
            self.csrf = a.json["csrf"]
        return a


# ---- an authenticator app ----

def now_step():
    return int(time.time()) // 30


def totp(secret, step):
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    at = mac[19] & 15
    v = struct.unpack(">I", mac[at:at + 4])[0] & 0x7fffffff
    return f"{v % 1000000:06d}"


# ---- a security key ----

def b64(b):
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()


def unb64(s):
    return base64.urlsafe_b64decode(s + "=" * (-len(s) % 4))


class Key:
    """ES256; `wrong` changes what it does."""

    ids = itertools.count(1)

    def __init__(self, rig):
        from cryptography.hazmat.primitives.asymmetric import ec
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.id = b"key %d of a test" % next(Key.ids)
        self.origin, self.rp, self.count = rig.url, rig.host, 0

    def client_data(self, kind, challenge):
        return json.dumps({"type": kind, "challenge": challenge,
                           "origin": self.origin,
                           "crossOrigin": False}).encode()

    def auth_data(self, flags, tail=b""):
        self.count += 1
        return hashlib.sha256(self.rp.encode()).digest() + bytes([flags]) + \
            struct.pack(">I", self.count) + tail

    def create(self, options):
        n = self.private.public_key().public_numbers()
        cose = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + \
            n.x.to_bytes(32, "big") + b"\x22\x58\x20" + n.y.to_bytes(32, "big")
        data = self.auth_data(0x45, bytes(16) + struct.pack(
            ">H", len(self.id)) + self.id + cose)
        att = b"\xa3cfmtdnonegattStmt\xa0hauthData\x58" + \
            bytes([len(data)]) + data
        return {"id": b64(self.id), "rawId": b64(self.id),
                "type": "public-key", "clientExtensionResults": {},
                "response": {"clientDataJSON": b64(self.client_data(
                    "webauthn.create", options["challenge"])),
                    "attestationObject": b64(att), "transports": ["usb"]}}

    def get(self, options):
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        client = self.client_data("webauthn.get", options["challenge"])
        data = self.auth_data(0x05)
        sig = self.private.sign(data + hashlib.sha256(client).digest(),
                                ec.ECDSA(hashes.SHA256()))
        return {"id": b64(self.id), "type": "public-key",
                "response": {"clientDataJSON": b64(client),
                             "authenticatorData": b64(data),
                             "signature": b64(sig)}}


# ---- accounts, and what is said of them ----

GOOD = "correct horse battery staple"
OTHER = "four wet words in a row"
n_users = 0
secrets = [GOOD, OTHER]  # must be nowhere in the end


def make_user(rig, password=GOOD):
    """A user who can log in; (email, id, client of the enrolment token)."""
    global n_users
    n_users += 1
    email = f"user{n_users}@login.example"
    u = rig.ok(rig.post("/v1/users", {"email": email}), 201).json["id"]
    t = rig.ok(rig.post(f"/v1/users/{u}/enrolment"), 201).json["token"]
    c = rig.client(t)
    if password:
        rig.ok(c.post("/v1/me/password", {"new": password}), 200)
    return email, u, c


def make_totp(rig, c):
    a = rig.ok(c.post("/v1/me/totp", {"name": "phone"}), 201).json
    secrets.append(a["secret"])
    # the step before this one: this and the next are left for the test
    rig.ok(c.post("/v1/me/totp/confirm",
                  {"code": totp(a["secret"], now_step() - 1)}), 200)
    return a["secret"]


def last(rig, action="session.login", outcome=None):
    q = f"/v1/audit?limit=1&order=desc&action={action}"
    if outcome:
        q += "&outcome=" + outcome
    return json.loads(rig.get(q).json["items"][0]["leaf"])


def same_refusal(rig, a, why):
    """401, no cookie, the one text; the reason is on record only."""
    rig.ok(a, 401, "unauthenticated")
    body = {k: v for k, v in a.json.items() if k != "request_id"}
    rig.eq(body, {"type": "urn:redoubt:error:unauthenticated", "status": 401,
                  "title": "Authentication is required",
                  "detail": "Authentication is required",
                  "code": "unauthenticated"})
    rig.check(a.headers["set-cookie"] is None, "a cookie")
    leaf = last(rig)
    rig.eq((leaf.get("reason"), leaf["outcome"]), (why, "denied"))
    return leaf


def at_once(n, f):
    out, go = [], threading.Barrier(n)

    def one(i):
        go.wait()
        out.append(f(i))
    threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out
