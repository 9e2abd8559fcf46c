"""
liarserver.py: a server of a test's own for real delegates: TLS 1.3 with
client certificates, doc/PROTOCOL.delegate, its own log and keeper
(liarkit.World).  It says what the test wants it to say, and remembers what
the delegate says.
"""
import base64
import datetime
import http.server
import ipaddress
import json
import os
import pathlib
import queue
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import liarkit  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: E402

d = liarkit.d
TOP = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("REDOUBT", str(TOP / "build" / "redoubt"))
PEM = serialization.Encoding.PEM
DAY = datetime.timedelta(days=1)


def certificate(subject, key, issuer, issuer_key, hash_, *extensions,
                seconds=86400, public=None):
    now = datetime.datetime.utcnow()
    b = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
         .public_key(public or key.public_key())
         .serial_number(x509.random_serial_number())
         .not_valid_before(now - datetime.timedelta(seconds=2))
         .not_valid_after(now + datetime.timedelta(seconds=seconds)))
    for e, critical in extensions:
        b = b.add_extension(e, critical)
    return b.sign(issuer_key, hash_)


def name(cn):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, cn)])


class Tls:
    """A certificate for 127.0.0.1 of an authority of its own, in files."""

    def __init__(self, path):
        ca, key = (ec.generate_private_key(ec.SECP256R1()) for _ in "12")
        ca_cert = certificate(name("test ca"), ca, name("test ca"), ca,
                              hashes.SHA256(),
                              (x509.BasicConstraints(True, None), True))
        cert = certificate(
            name("test"), key, name("test ca"), ca, hashes.SHA256(),
            (x509.SubjectAlternativeName([
                x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                x509.DNSName("localhost")]), False))
        self.ca, self.chain = path / "ca.pem", path / "chain.pem"
        self.ca.write_bytes(ca_cert.public_bytes(PEM))
        self.chain.write_bytes(
            cert.public_bytes(PEM) + key.private_bytes(
                PEM, serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption()))


class Server:
    """What it answers is in .lease (a list of offers) or .raw (bytes)."""

    def __init__(self, world=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="redoubt-liar-"))
        self.tls = Tls(self.dir)
        self.world = world or liarkit.World(now=int(time.time() * 1000))
        self.ca = ed25519.Ed25519PrivateKey.generate()
        self.ca_cert = certificate(
            name("redoubt delegates"), self.ca, name("redoubt delegates"),
            self.ca, None, (x509.BasicConstraints(True, None), True))
        self.state, self.frozen, self.cancel = "approved", False, []
        self.cert_s, self.renewals, self.cosigned = 86400, 0, []
        self.offers, self.raw = queue.Queue(), None
        self.starts, self.logs, self.results = {}, {}, {}
        self.leases, self.order, self.start_status = [], [], 204
        self.log_offsets, self.fail_results = [], 0
        self.lock = threading.Condition()
        self.open()

    def open(self, port=0):
        (self.dir / "clients.pem").write_bytes(
            self.ca_cert.public_bytes(PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.tls.chain)
        context.load_verify_locations(self.dir / "clients.pem")
        context.verify_mode = ssl.CERT_OPTIONAL
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", port),
                                                    handler(self))
        self.http.daemon_threads = True
        self.http.socket = context.wrap_socket(
            self.http.socket, server_side=True,
            do_handshake_on_connect=False)
        self.port = self.http.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,),
                         daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    # ---- what it answers ----
    def issue(self, public, delegate):
        cert = certificate(
            name(delegate), None, name("redoubt delegates"), self.ca, None,
            (x509.SubjectAlternativeName([x509.UniformResourceIdentifier(
                f"urn:redoubt:delegate:{delegate}:1")]), False),
            (x509.ExtendedKeyUsage(
                [x509.ExtendedKeyUsageOID.CLIENT_AUTH]), False),
            public=ed25519.Ed25519PublicKey.from_public_bytes(public),
            seconds=self.cert_s)
        return cert.public_bytes(PEM).decode()

    def join(self, body, token):
        ed, x = (base64.b64decode(body[n]) for n in ("ed25519", "x25519"))
        ed25519.Ed25519PublicKey.from_public_bytes(ed).verify(
            base64.b64decode(body["proof"]), d.join_text(token, ed, x))
        w = self.world
        self.identity, w.sealing = ed, x
        answer = {"delegate": w.ids["delegate"], "project": w.ids["project"],
                  "state": self.state,
                  "ca": self.ca_cert.public_bytes(PEM).decode(),
                  "log": {"origin": liarkit.ORIGIN, "key": d.verifier_key(
                      liarkit.ORIGIN, w.log.public)},
                  "task_key": d.b64(w.keeper.public)}
        if self.state == "approved":
            answer["certificate"] = self.issue(ed, w.ids["delegate"])
        return answer

    def renew(self, body):
        ed = base64.b64decode(body["ed25519"])
        ed25519.Ed25519PublicKey.from_public_bytes(ed).verify(
            base64.b64decode(body["proof"]),
            d.renew_text(self.world.ids["delegate"], ed))
        self.renewals += 1
        return {"certificate": self.issue(ed, self.world.ids["delegate"])}

    def lease(self, body):
        w = self.world
        self.leases.append(body)
        answer = {"tasks": [], "cancel": self.cancel, "frozen": self.frozen}
        try:
            if body["capacity"] == 0:
                raise queue.Empty
            offers = self.offers.get(timeout=min(body["wait_ms"], 300) / 1e3)
        except queue.Empty:
            return answer
        if isinstance(offers, dict):  # a whole answer
            return answer | offers
        for task, fence, sealed in offers:
            answer["tasks"].append({"task": task, "fence": fence,
                                    "sealed": d.b64(sealed)})
        return answer | {"checkpoint": w.point(), "consistency":
                         w.consistency(body["checkpoint_size"])}

    def task(self, task, what, body, query, peer):
        with self.lock:
            self.order.append((what, task))
            self.lock.notify_all()
            if what == "start":
                if self.start_status == 204:
                    self.starts[task] = self.starts.get(task, 0) + 1
                return self.start_status, None
            if what == "log":
                have = self.logs.setdefault(task, b"")
                at = int(query["offset"][0])
                self.log_offsets.append((task, at))
                if at == len(have):
                    self.logs[task] += base64.b64decode(body["data"])
                return 200, {"next": len(self.logs[task])}
            if self.fail_results:
                self.fail_results -= 1
                return 503, {"code": "unavailable"}
            text = d.result_text(task, body["fence"], body["outcome"],
                                 body["exit"], body["outputs"],
                                 body["log_bytes"], body["log_sha256"])
            peer.verify(base64.b64decode(body["sig"]), text)
            self.results.setdefault(task, []).append(body)
            self.lock.notify_all()
            return 204, None

    def answer(self, method, path, query, body, headers, peer):
        if path == "/v1/delegate/join":
            return 201, self.join(body, headers["authorization"].split()[1])
        if peer is None:
            return 401, {"code": "unauthenticated"}
        if self.raw is not None and path == "/v1/delegate/lease":
            self.leases.append(body)
            return self.raw
        if path == "/v1/delegate/lease":
            return 200, self.lease(body)
        if path == "/v1/delegate/renew":
            return 200, self.renew(body)
        if path == "/v1/delegate/checkpoint":
            w = self.world
            return 200, {"checkpoint": w.point(), "consistency":
                         w.consistency(int(query["old"][0]))}
        if path == "/v1/delegate/witness":
            self.cosigned.append(body["checkpoint"])
            return 204, None
        _, _, _, _, task, what = path.split("/")
        return self.task(task, what, body, query, peer)

    # ---- for tests ----
    def fresh(self):
        """Ids and time of another task."""
        self.world.ids = self.world.ids | {"task": str(uuid.uuid4())}
        self.world.now = int(time.time() * 1000)
        return self.world

    def result(self, task, seconds=20):
        end = time.time() + seconds
        with self.lock:
            while task not in self.results:
                left = end - time.time()
                if left <= 0:
                    return None
                self.lock.wait(left)
            return self.results[task][0]

    def saw(self, what, task, seconds=20):
        end = time.time() + seconds
        with self.lock:
            while (what, task) not in self.order:
                left = end - time.time()
                if left <= 0:
                    return False
                self.lock.wait(left)
        return True


def handler(server):
    from urllib.parse import parse_qs, urlsplit

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def peer(self):
            der = self.connection.getpeercert(binary_form=True)
            return der and x509.load_der_x509_certificate(der).public_key()

        def talk(self):
            n = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(n)) if n else None
            u = urlsplit(self.path)
            status, answer = server.answer(
                self.command, u.path, parse_qs(u.query), body, self.headers,
                self.peer())
            if isinstance(answer, bytes):  # the whole of it, as it is
                self.wfile.write(answer)
                self.close_connection = True
                return
            text = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            if status != 204:
                self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = talk

        def log_message(self, *_):
            pass

        def finish(self):
            try:
                super().finish()
            except (OSError, ValueError):
                pass

        def handle(self):
            try:
                super().handle()
            except (OSError, ValueError):
                pass

    return Handler


class Delegate:
    """A real one, in a directory of its own."""

    def __init__(self, server, policy=liarkit.POLICY, path=None):
        self.server = server
        self.dir = pathlib.Path(path or server.dir / "delegate")
        self.p = None
        if path is None:
            self.enroll()
        if policy is not None:
            (self.dir / "policy.conf").write_text(policy)
            (self.dir / "policy.conf").chmod(0o600)

    def cli(self, *args, token=None, ok=True):
        r = subprocess.run([BINARY, "delegate", *args, "--dir",
                            str(self.dir)], input=token, text=True,
                           capture_output=True)
        assert not ok or r.returncode == 0, (args, r.returncode, r.stderr)
        return r

    def enroll(self, *more, ok=True):
        return self.cli("enroll", "--url", self.server.url, "--ca",
                        str(self.server.tls.ca), "--name", "test", "--json",
                        *more, token="rdd_0123456789abcdefghijklmnop\n",
                        ok=ok)

    def status(self):
        return json.loads(self.cli("status", "--json").stdout)

    def start(self, prefix=()):
        time.sleep(0.4)  # polls of an earlier one have ended
        self.log = open(self.dir.parent / f"{self.dir.name}.log", "ab")
        self.from_ = self.log.tell()  # of what this one says
        self.p = subprocess.Popen(
            [*prefix, BINARY, "delegate", "run", "--dir", str(self.dir)],
            stderr=self.log, stdout=self.log, stdin=subprocess.DEVNULL)
        return self

    def text(self):
        return (self.dir.parent / f"{self.dir.name}.log").read_text()

    def stop(self, sig=signal.SIGTERM, seconds=20):
        if self.p is None:
            return None
        self.p.send_signal(sig)
        rc = self.p.wait(seconds)
        self.p = None
        return rc

    def kill(self):
        return self.stop(signal.SIGKILL)
