"""
brokerkit.py: a real broker of a delegate for tests, and what it talks to:
a name server, certificates, HTTPS services that keep what arrived.
Standard library only.
"""
import contextlib
import http.server
import json
import os
import pathlib
import queue
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / os.environ.get("BROKER_BUILD", "build/release")
MODULES = ("base client ipc confine seal audit access domain auth egress "
           "delegate").split()
FLAGS = {"asan": ["-fsanitize=address,undefined", "-DREDOUBT_SANITIZED"],
         "tsan": ["-fsanitize=thread", "-DREDOUBT_SANITIZED"]}


def tool():
    """The driver, linked with what `make all` has built."""
    objects = [f"build/{BUILD.name}/{m}/{c.stem}.o" for m in MODULES
               for c in sorted((TOP / "src" / m).glob("*.c"))]
    subprocess.run(["make", "-s", f"V={BUILD.name}", *objects], cwd=TOP,
                   check=True)
    out = BUILD / "delegate" / "broker_tool"
    source = TOP / "tests" / "delegate" / "broker_tool.c"
    newest = max(os.stat(TOP / p).st_mtime for p in objects + [source])
    if not out.exists() or out.stat().st_mtime < newest:
        flags = FLAGS.get(BUILD.name, [])
        cc = "clang" if flags else "gcc"
        subprocess.run(
            [cc, "-std=gnu17", "-g", "-O1", "-pthread", "-pie", "-fPIE",
             "-I" + str(TOP / "src"), "-I" + str(TOP), "-D_GNU_SOURCE",
             *flags, "-o", str(out), str(source), *objects, "-lssl",
             "-lcrypto", "-lseccomp", "-linih", "-largon2", "-lxml2", "-lz",
             "-lm"], cwd=TOP, check=True)
    return out


class Broker:
    def __init__(self, **conf):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="broker-"))
        os.chmod(self.dir, 0o755)
        self.errors = open(self.dir / "stderr", "wb")
        self.process = subprocess.Popen(
            [tool(), json.dumps(conf)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.errors)
        self.events, self.next_id = queue.Queue(), 1
        self.held = []
        threading.Thread(target=self.read, daemon=True).start()
        ready = self.events.get(timeout=20)
        if ready is None:
            raise RuntimeError((self.dir / "stderr").read_text())
        self.pid = ready["pid"]

    def read(self):
        for line in self.process.stdout:
            self.events.put(json.loads(line))
        self.events.put(None)

    def say(self, **what):
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        self.process.stdin.flush()

    def begin(self, op, **what):
        i, self.next_id = self.next_id, self.next_id + 1
        self.say(op=op, id=i, **what)
        return i

    def wait(self, test, timeout=15):
        """The first event for which test says yes; others are kept."""
        for e in self.held:
            if test(e):
                self.held.remove(e)
                return e
        until = time.monotonic() + timeout
        while True:
            e = self.events.get(timeout=max(0.01, until - time.monotonic()))
            if e is None:
                raise RuntimeError("the broker ended: " +
                                   (self.dir / "stderr").read_text())
            if test(e):
                return e
            self.held.append(e)

    def http(self, document, action, params=None, secret="", outputs=None,
             ms=10000):
        i = self.begin(
            "http", document=json.dumps(document), action=action,
            params=json.dumps(params or {}), secret=secret, ms=ms,
            outputs="" if outputs is None else json.dumps(outputs))
        return self.wait(lambda e: e["id"] == i and e["what"] == "answer")

    def secret(self, document, path, field, secret="", ms=10000):
        i = self.begin("secret", document=json.dumps(document), path=path,
                       field=field, secret=secret, ms=ms)
        return self.wait(lambda e: e["id"] == i and e["what"] == "value")

    def relay(self, *documents, secret=""):
        path = str(self.dir / f"r{self.next_id}")
        i = self.begin("relay", path=path, secret=secret,
                       documents=[json.dumps(d) for d in documents])
        for _ in range(200):
            if os.path.exists(path):
                break
            time.sleep(0.01)
        return i, path

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


# ---- names ----

def name_of(packet, at):
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
        at += 1 + packet[at]
    return ".".join(labels).lower(), at + 1


def packed(name):
    return b"".join(bytes([len(x)]) + x.encode()
                    for x in name.split(".")) + b"\0"


class Names(threading.Thread):
    """A name server.  table: name -> list of addresses, "cname:other", or a
    function that is called for each question."""

    def __init__(self, table):
        super().__init__(daemon=True)
        self.table, self.asked = table, []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.start()

    def records(self, name, kind):
        out, seen = [], name
        for _ in range(4):
            got = self.table.get(seen, [])
            if callable(got):
                got = got()
            if isinstance(got, str):
                other = got.split(":", 1)[1]
                out.append((seen, 5, packed(other)))
                seen = other
                continue
            for a in got:
                six = ":" in a
                if six == (kind == 28):
                    out.append((seen, kind, socket.inet_pton(
                        socket.AF_INET6 if six else socket.AF_INET, a)))
            break
        return out

    def run(self):
        while True:
            packet, who = self.sock.recvfrom(2048)
            name, end = name_of(packet, 12)
            kind = struct.unpack(">H", packet[end:end + 2])[0]
            self.asked.append((name, kind))
            records = self.records(name, kind)
            body = b"".join(
                packed(n) + struct.pack(">HHIH", t, 1, 0, len(d)) + d
                for n, t, d in records)
            code = 0 if records else 3
            head = packet[:2] + struct.pack(">HHHHH", 0x8180 | code, 1,
                                            len(records), 0, 0)
            self.sock.sendto(head + packet[12:end + 4] + body, who)


# ---- certificates ----

def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True,
                   capture_output=True)


class Authority:
    def __init__(self, d):
        self.dir = pathlib.Path(d)
        self.key, self.cert = self.dir / "ca.key", self.dir / "ca.crt"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=test CA", "-keyout", self.key, "-out", self.cert)

    @property
    def pem(self):
        return self.cert.read_text()

    def issue(self, name, san, usage="serverAuth"):
        key, csr, crt = (self.dir / f"{name}.{x}" for x in
                         ("key", "csr", "crt"))
        ext = self.dir / f"{name}.ext"
        ext.write_text(f"subjectAltName={san}\nextendedKeyUsage={usage}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", csr)
        openssl("x509", "-req", "-in", csr, "-CA", self.cert, "-CAkey",
                self.key, "-CAcreateserial", "-days", "2", "-extfile", ext,
                "-out", crt)
        return key, crt


# ---- services ----

class Service(threading.Thread):
    """HTTPS; keeps what arrived in .got; answer(request) -> (status,
    headers, body)."""

    def __init__(self, key, crt, answer, client_ca=None, maximum=None,
                 minimum=None, setup=None):
        super().__init__(daemon=True)
        self.got, self.names = [], []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def any(self):
                n = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(n)
                request = {"method": self.command, "path": self.path,
                           "headers": self.headers, "body": body,
                           "peer": self.connection.getpeercert(),
                           "version": self.connection.version()}
                service.got.append(request)
                status, headers, out = answer(request)
                self.send_response(status)
                for k, v in headers.items():
                    self.send_header(k, v)
                if "Transfer-Encoding" not in headers and \
                        "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(out)))
                self.end_headers()
                if self.command != "HEAD":
                    with contextlib.suppress(OSError):
                        self.wfile.write(out)
                self.close_connection = True
            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = any

            def log_message(self, *a):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *a):
                pass

            def finish_request(self, request, address):
                with contextlib.suppress(OSError, ssl.SSLError):
                    request.settimeout(30)
                    wrapped = service.context.wrap_socket(
                        request, server_side=True)
                    Handler(wrapped, address, self)

        c = self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(crt, key)
        c.sni_callback = lambda s, name, ctx: self.names.append(name)
        if client_ca:
            c.load_verify_locations(client_ca)
            c.verify_mode = ssl.CERT_REQUIRED
        if maximum:
            c.maximum_version = maximum
        if minimum:
            c.minimum_version = minimum
        if setup:
            setup(c)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.start()

    def run(self):
        self.server.serve_forever()


def connector(port, host="svc.test", **more):
    """A document that leads to a service of these tests."""
    doc = {"slug": "svc", "kind": "https", "base": f"https://{host}:{port}",
           "actions": [{"name": "ping", "method": "GET", "path": "/ping"}],
           "auth": {"kind": "none"}, "delegates": {"labels": {"a": "b"}},
           "expires_at": "2099-01-01T00:00:00Z",
           "allow_cidrs": ["127.0.0.1/32"]}
    doc.update(more)
    return {k: v for k, v in doc.items() if v is not None}


# ---- TAP ----

tests = []
found = []


def test(f):
    tests.append(f)
    return f


def check(cond, *what):
    if not cond:
        found.append(" ".join(map(str, what)) or "not true")


def same(got, want, *what):
    check(got == want, *what, f"got {got!r}, want {want!r}")


def run(*args):
    bad = 0
    chosen = [f for f in tests
              if len(sys.argv) < 2 or sys.argv[1] in f.__name__]
    for n, f in enumerate(chosen, 1):
        del found[:]
        try:
            f(*args)
        except Exception:
            found.append(traceback.format_exc())
        for x in found:
            print("# " + x.replace("\n", "\n# "))
        bad += bool(found)
        print(f"{'not ok' if found else 'ok'} {n} - {f.__name__}", flush=True)
    print(f"1..{len(chosen)}")
    sys.exit(bool(bad))
