"""
delegatekit.py: a delegate of its own, for tests: doc/PROTOCOL.delegate spoken
by another implementation (Python's cryptography).
"""
import base64
import hashlib
import http.client
import json
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "api"))
import othercrypto  # noqa: E402,F401
from browser import GOOD, Browser, make_user  # noqa: E402
from cryptography.hazmat.primitives import hashes, hmac, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519  # noqa: E402
from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: E402
from rig import Answer, Rig, later  # noqa: E402

RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw
DIR = tempfile.TemporaryDirectory(prefix="redoubt-delegates-")
made = [0]


def b64(b):
    return base64.b64encode(b).decode()


def raw(key):
    return key.public_key().public_bytes(*RAW)


def canonical(v):
    return json.dumps(v, sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False)


def person(rig, role, project=None):
    """A user with a role, who has logged in and made a token; (id, client)."""
    email, u, _ = make_user(rig)
    rig.bind("user", u, role, project)
    b = Browser(rig)
    rig.ok(b.login(email, GOOD), 200)
    t = rig.ok(b.post("/v1/tokens", {
        "name": "t", "scopes": ["*"], "expires_at": later(3600)}), 201)
    b.close()
    return u, rig.client(t.json["token"])


class DRig(Rig):
    """With the listener that demands certificates."""

    def __init__(self, **kw):
        super().__init__(args=["--mtls-listen", "127.0.0.1:0"], **kw)

    @property
    def mtls_port(self):
        return int(re.findall(r"mtls=127\.0\.0\.1:(\d+)",
                              self.log_text())[-1])

    def person(self, role, project=None):
        return person(self, role, project)

    def make_delegate(self, name=None, labels=None, project=None, says={},
                      **kw):
        """A place, joined and approved: a Delegate."""
        self.n_delegates = getattr(self, "n_delegates", 0) + 1
        p = "/v1/projects/" + (project or self.project)
        body = {"name": name or f"delegate {self.n_delegates}",
                "labels": labels or {"site": "fra"}, **kw}
        slot = self.ok(self.post(p + "/delegates", body), 201).json
        d = Delegate(self, slot["token"])
        d.path = f"{p}/delegates/{slot['id']}"
        self.ok(d.join(**says), 201)
        self.approve(d)
        self.ok(d.join(), 201)
        return d

    def approve(self, d, **body):
        if not hasattr(self, "approver"):
            _, self.approver = self.person("org_admin")
        return self.ok(self.approver.post(d.path + "/approve", body), 200)


# ---- HPKE, RFC 9180, base mode, X25519, HKDF-SHA256, AES-256-GCM ----

def hkdf_extract(salt, ikm):
    h = hmac.HMAC(salt or bytes(32), hashes.SHA256())
    h.update(ikm)
    return h.finalize()


def hkdf_expand(prk, info, n):
    out = t = b""
    i = 1
    while len(out) < n:
        h = hmac.HMAC(prk, hashes.SHA256())
        h.update(t + info + bytes([i]))
        t = h.finalize()
        out += t
        i += 1
    return out[:n]


def hpke_open(sk, info, aad, sealed):
    kem = b"KEM\x00\x20"
    suite = b"HPKE\x00\x20\x00\x01\x00\x02"

    def extract(s, salt, label, ikm):
        return hkdf_extract(salt, b"HPKE-v1" + s + label + ikm)

    def expand(s, prk, label, info, n):
        return hkdf_expand(prk, n.to_bytes(2, "big") + b"HPKE-v1" + s +
                           label + info, n)
    enc, ct = sealed[:32], sealed[32:]
    dh = sk.exchange(x25519.X25519PublicKey.from_public_bytes(enc))
    eae = extract(kem, b"", b"eae_prk", dh)
    shared = expand(kem, eae, b"shared_secret", enc + raw(sk), 32)
    context = b"\0" + extract(suite, b"", b"psk_id_hash", b"") + \
        extract(suite, b"", b"info_hash", info)
    secret = extract(suite, shared, b"secret", b"")
    key = expand(suite, secret, b"key", context, 32)
    nonce = expand(suite, secret, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, ct, aad)


class Delegate:
    """Keys, a certificate, and the requests of the protocol."""

    def __init__(self, rig, token=None):
        self.rig, self.token = rig, token
        self.identity = ed25519.Ed25519PrivateKey.generate()
        self.sealing = x25519.X25519PrivateKey.generate()
        self.session = self.identity
        self.conn, self.file = None, None
        self.seen = 0  # size of the last checkpoint
        self.about = {}

    # ---- joining ----

    def join_body(self, **over):
        e, x = raw(self.identity), raw(self.sealing)
        text = "redoubt-join/1\n" + \
            hashlib.sha256((self.token or "").encode()).hexdigest() + "\n" + \
            e.hex() + "\n" + x.hex() + "\n"
        return {"ed25519": b64(e), "x25519": b64(x), "version": "0.3.0",
                "host": "test.example", "doctor": {"userns": True},
                "proof": b64(self.identity.sign(text.encode())), **over}

    def join(self, **over):
        a = self.rig.client(self.token).post("/v1/delegate/join",
                                             self.join_body(**over))
        if a.status == 201:
            self.about = a.json
            self.id = a.json["delegate"]
            if "certificate" in a.json:
                self.take(a.json["certificate"], self.identity)
        return a

    def take(self, pem, key):
        made[0] += 1
        self.close()
        self.session, self.pem = key, pem
        self.file = f"{DIR.name}/{made[0]}.pem"
        pathlib.Path(self.file).write_text(pem + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()).decode())

    def renew(self, **over):
        key = ed25519.Ed25519PrivateKey.generate()
        text = f"redoubt-renew/1\n{self.id}\n{raw(key).hex()}\n"
        a = self.post("/v1/delegate/renew", {
            "ed25519": b64(raw(key)), "proof": b64(key.sign(text.encode())),
            **over})
        if a.status == 200:
            self.take(a.json["certificate"], key)
        return a

    # ---- requests ----

    def connect(self, timeout=40):
        ctx = self.rig.tls()
        if self.file:
            ctx.load_cert_chain(self.file)
        return http.client.HTTPSConnection(
            "127.0.0.1", self.rig.mtls_port, timeout=timeout, context=ctx)

    def request(self, method, path, body=None, headers=()):
        h = {"Content-Type": "application/json"} if body is not None else {}
        h.update(dict(headers))
        data = json.dumps(body) if body is not None else None
        for attempt in (1, 2):
            if self.conn is None:
                self.conn = self.connect()
            try:
                self.conn.request(method, path, data, h)
                r = self.conn.getresponse()
                a = Answer(r.status, r.headers, r.read())
                if r.will_close:
                    self.close()
                return a
            except (http.client.RemoteDisconnected, ConnectionError):
                self.close()
                if attempt == 2:
                    raise
            except Exception:
                # the port may be another server's by now
                self.close()
                raise

    def close(self):
        if self.conn is not None:
            self.conn.close()
        self.conn = None

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def post(self, path, body=None, **kw):
        return self.request("POST", path, {} if body is None else body, **kw)

    # ---- work ----

    def lease(self, capacity=1, running=(), wait=0, **over):
        a = self.post("/v1/delegate/lease", {
            "capacity": capacity, "running": list(running), "wait_ms": wait,
            "checkpoint_size": self.seen, **over})
        if a.status == 200 and a.json.get("checkpoint"):
            self.seen = int(a.json["checkpoint"].split("\n")[1])
        return a

    def one(self, wait=10000, **kw):
        """A task, opened; None when there was none."""
        a = self.rig.ok(self.lease(1, wait=wait, **kw), 200).json
        return self.open(a["tasks"][0], a) if a.get("tasks") else None

    def open(self, given, answer=None):
        """What a delegate verifies first of all: seal and signature."""
        plain = hpke_open(self.sealing, b"redoubt-task/1",
                          given["task"].encode(),
                          base64.b64decode(given["sealed"]))
        n = int.from_bytes(plain[:4], "big")
        text, sig = plain[4:4 + n], plain[4 + n:]
        e = json.loads(text)
        self.rig.eq(canonical(e).encode(), text, "canonical")
        said = "redoubt-task/1\n" + "".join(f"{x}\n" for x in (
            e["log"], e["task"], e["delegate"], e["issued"], e["expires"],
            hashlib.sha256(text).hexdigest()))
        ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(
            self.about["task_key"])).verify(sig, said.encode())
        self.rig.eq((e["task"], e["fence"], e["delegate"]),
                    (given["task"], given["fence"], self.id))
        if answer:
            self.rig.eq(e["checkpoint"], answer["checkpoint"])
        return e

    def start(self, e, fence=None):
        return self.post(f"/v1/delegate/tasks/{e['task']}/start",
                         {"fence": fence or e["fence"]})

    def log(self, e, offset, data, fence=None):
        return self.post(
            f"/v1/delegate/tasks/{e['task']}/log?offset={offset}",
            {"fence": fence or e["fence"], "data": b64(data)})

    def result(self, e, outcome="succeeded", exit=0, outputs=None, log=b"",
               code="", fence=None, key=None, **over):
        outputs = {} if outputs is None else outputs
        fence = fence or e["fence"]
        log_hash = hashlib.sha256(log).hexdigest()
        said = "redoubt-result/1\n" + "".join(f"{x}\n" for x in (
            e["task"], fence, outcome, exit,
            hashlib.sha256(canonical(outputs).encode()).hexdigest(),
            len(log), log_hash))
        return self.post(f"/v1/delegate/tasks/{e['task']}/result", {
            "fence": fence, "outcome": outcome, "code": code, "exit": exit,
            "outputs": outputs, "log_bytes": len(log),
            "log_sha256": log_hash,
            "sig": b64((key or self.session).sign(said.encode())), **over})


def script_step(id="go", labels=None, **kw):
    return {"id": id, "kind": "script", "interpreter": "sh",
            "script": "echo go\n",
            "delegates": {"labels": labels or {"site": "fra"}}, **kw}


def make_runbook(rig, slug, steps, project=None, **kw):
    """One that others have approved and that is published; its path."""
    p = "/v1/projects/" + (project or rig.project)
    doc = {"slug": slug, "name": slug, "context": "any", "steps": steps, **kw}
    r = rig.ok(rig.post(p + "/runbooks", {"document": doc}), 201).json
    path = f"{p}/runbooks/{r['id']}"
    d = hashlib.sha256(canonical(doc).encode()).hexdigest()
    if not hasattr(rig, "approver"):
        _, rig.approver = person(rig, "org_admin")
    rig.ok(rig.approver.post(path + "/versions/1/approve", {"digest": d}),
           200)
    rig.ok(rig.post(path + "/versions/1/publish"), 200)
    return path


def start_run(rig, path, **kw):
    """Its path."""
    r = rig.ok(rig.post(path + "/runs", {"inputs": {}, **kw}), 201).json
    return path.rsplit("/runbooks/", 1)[0] + "/runs/" + r["id"]
