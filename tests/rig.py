"""
rig.py: a real Redoubt server for tests, and a client for it.  Standard
library only.

    from rig import Rig, test, run
    @test
    def it_answers(rig):
        rig.ok(rig.get("/v1/whoami"), 200)
    run()

Each test function gets the same running server; checks that fail are
collected and the file ends with TAP lines and exit 1.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

TOP = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("REDOUBT", str(TOP / "build" / "redoubt"))
# A build with sanitizers says so in the name of its directory.  It confines
# itself less, and is slower.
SANITIZED = bool({"asan", "tsan", "coverage"} &
                 set(pathlib.Path(BINARY).resolve().parts))
REPORT = re.compile("ERROR: AddressSanitizer|runtime error:|"
                    "ERROR: LeakSanitizer|WARNING: ThreadSanitizer|"
                    "LeakSanitizer has encountered")
broken = []  # what went wrong with servers, whoever was being tested


class Answer:
    """One HTTP answer; .json is parsed on demand."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        try:
            return self.json.get("code")
        except ValueError:
            return None

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Client:
    """Keeps one TLS connection; token may be None."""

    def __init__(self, rig, token):
        self.rig, self.token, self.conn = rig, token, None
        self.address = None  # of this end, when it matters

    def request(self, method, path, body=None, headers=None, raw=False):
        h = {}
        if self.token:
            h["Authorization"] = "Bearer " + self.token
        if body is not None and not raw:
            body = json.dumps(body)
        if body is not None:
            h["Content-Type"] = "application/json"
        h.update(headers or {})
        h = {k: v for k, v in h.items() if v is not None}
        if isinstance(body, str):
            body = body.encode()
        for attempt in (1, 2):
            if self.conn is None:
                self.conn = http.client.HTTPSConnection(
                    self.rig.host, self.rig.port, timeout=30,
                    context=self.rig.tls(), source_address=self.address
                    and (self.address, 0))
            try:
                self.conn.request(method, path, body, h)
                r = self.conn.getresponse()
                a = Answer(r.status, r.headers, r.read())
                if r.will_close:
                    self.close()
                return a
            except (http.client.RemoteDisconnected, BrokenPipeError,
                    ConnectionResetError, ssl.SSLError):
                self.close()
                if attempt == 2:
                    raise

    def close(self):
        if self.conn is not None:
            self.conn.close()
        self.conn = None

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def post(self, path, body=None, **kw):
        return self.request("POST", path, body, **kw)

    def put(self, path, body=None, **kw):
        return self.request("PUT", path, body, **kw)

    def patch(self, path, body=None, **kw):
        return self.request("PATCH", path, body, **kw)

    def delete(self, path, **kw):
        return self.request("DELETE", path, **kw)


class Rig(Client):
    """A data directory, a server on it, and the admin's client."""
    listen = "127.0.0.1:0"

    def __init__(self, args=(), wrap=(), start=True):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="redoubt-test-"))
        self.data = self.dir / "data"
        out = self.cli("init", "--data", str(self.data), "--json")
        if out.returncode != 0:
            raise RuntimeError("init: " + out.stderr)
        self.about = json.loads(out.stdout)
        self.ca = self.about["ca"]
        self.project = self.about["project"]
        self.p = "/v1/projects/" + self.project
        self.args, self.wrap, self.server = list(args), list(wrap), None
        self.failures, self.checks = [], 0
        self.host, self.port = "127.0.0.1", 0
        self.seen = 0  # bytes of the log that were looked at
        super().__init__(self, self.about["token"])
        if start:
            self.start()

    # ---- the server ----

    def cli(self, *args, env=None, input=None, timeout=60):
        p = subprocess.run([BINARY, *args], capture_output=True, text=True,
                           env=env, input=input, timeout=timeout)
        if m := REPORT.search(p.stderr):
            broken.append(f"{args}: {p.stderr[m.start():][:6000]}")
        return p

    def user_cli(self, *args, token=None, input=None):
        env = dict(os.environ, REDOUBT_URL=self.url, REDOUBT_CA=self.ca,
                   REDOUBT_TOKEN=token or self.token)
        return self.cli(*args, env=env, input=input)

    def start(self, timeout=20, word="ready"):
        """word: what it says first; "sealed" where it waits for somebody"""
        self.log = open(self.dir / "server.log", "ab")
        self.server = subprocess.Popen(
            [*self.wrap, BINARY, "serve", "--data", str(self.data),
             "--listen", self.listen, *self.args],
            stdout=subprocess.PIPE, stderr=self.log,
            start_new_session=True)
        os.set_blocking(self.server.stdout.fileno(), False)
        self.url = self.says(word, timeout)
        self.port = int(self.url.rsplit(":", 1)[1])

    def says(self, word, timeout=20):
        """Wait for its next line, WORD URL; the URL."""
        line, end = b"", time.time() + timeout
        while b"\n" not in line:
            if time.time() > end or self.server.poll() is not None:
                raise RuntimeError("server did not start: " +
                                   self.log_text()[-2000:])
            line += self.server.stdout.read() or b""
            time.sleep(0.01)
        said, url = line.decode().split()[:2]
        assert said == word, line
        return url

    def log_text(self):
        log = self.dir / "server.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def pids(self):
        """All processes of the server."""
        out = subprocess.run(["ps", "-eo", "pid,pgid"], capture_output=True,
                             text=True).stdout.split("\n")[1:]
        return [int(l.split()[0]) for l in out if l.split()
                and int(l.split()[1]) == self.server.pid]

    def look(self, tell=True):
        """Sanitizer reports in what the log has got since the last look."""
        text = self.log_text()
        new, self.seen = text[self.seen:], len(text)
        if tell and (m := REPORT.search(new)):
            broken.append("sanitizer report:\n" + new[m.start():][:6000])

    def stop(self, sig=signal.SIGTERM, timeout=20, shot=False):
        """The exit code: 0 for a server that is asked to stop.  shot: the
        test has killed it, so what it says of that is no news."""
        self.close()
        if self.server is None:
            self.look()
            return None
        died = self.server.poll()
        if died is not None and not shot:
            broken.append(f"the server had ended with {died}")
        if died is not None:
            pass
        elif sig == signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.server.pid, sig)
        else:
            self.server.send_signal(sig)
        try:
            rc = self.server.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.server.pid, signal.SIGKILL)
            rc = self.server.wait()
            broken.append("the server did not stop")
        if died is None and sig != signal.SIGKILL and rc != 0:
            broken.append(f"the server stopped with {rc}")
        self.server = None
        self.log.close()
        self.look(tell=not shot)
        return rc

    def done(self):
        self.stop()
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)

    def tls(self):
        c = ssl.create_default_context(cafile=self.ca)
        c.minimum_version = ssl.TLSVersion.TLSv1_3
        return c

    def raw(self, alpn=None):
        """A TLS socket."""
        c = self.tls()
        if alpn:
            c.set_alpn_protocols(alpn)
        s = socket.create_connection((self.host, self.port), timeout=30)
        return c.wrap_socket(s, server_hostname="localhost")

    def client(self, token):
        return Client(self, token)

    # ---- making things ----

    def make_token(self, scopes=("*",), owner=None, **kw):
        body = {"name": "t", "scopes": list(scopes),
                "expires_at": later(3600), **kw}
        if owner:
            body["owner"] = owner
        return self.ok(self.post("/v1/tokens", body), 201).json["token"]

    def make_account(self, role=None, project=None, scopes=("*",)):
        """A service account with a role; (id, client)."""
        self.n_accounts = getattr(self, "n_accounts", 0) + 1
        a = self.ok(self.post("/v1/service-accounts",
                    {"name": f"account {self.n_accounts}"}), 201).json["id"]
        if role:
            self.bind("service_account", a, role, project)
        return a, self.client(self.make_token(scopes, owner=a))

    def bind(self, kind, id, role, project=None):
        body = {"subject": {"kind": kind, "id": id}, "role": role}
        if project:
            body["project"] = project
        return self.ok(self.post("/v1/bindings", body), 201).json["id"]

    def make_integration(self, template="alertmanager", project=None, **kw):
        p = "/v1/projects/" + (project or self.project)
        return self.ok(self.post(p + "/integrations", {
            "name": "sender", "template": template,
            "auth": {"kind": "bearer"}, **kw}), 201).json

    def make_incident(self, title="It is broken", **kw):
        return self.ok(self.post(self.p + "/incidents",
                                 {"title": title, **kw}), 201).json

    # ---- checking ----

    def fail(self, what):
        where = [f for f in traceback.extract_stack()
                 if not f.filename.endswith("rig.py")]
        at = f"{pathlib.Path(where[-1].filename).name}:{where[-1].lineno}" \
            if where else "?"
        self.failures.append(f"{at}: {what}")

    def check(self, cond, what):
        self.checks += 1
        if not cond:
            self.fail(what)
        return cond

    def eq(self, a, b, what=""):
        return self.check(a == b, f"{what} {a!r}, want {b!r}")

    def ok(self, answer, status, code=None):
        self.checks += 1
        if answer.status != status or (code and answer.code != code):
            self.fail(f"{answer!r}, want {status} {code or ''}")
        return answer


def later(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z",
                         time.gmtime(time.time() + seconds))


def sse(client, path, seconds, last=None):
    """What an event stream says in some seconds, as text."""
    s = client.rig.raw()
    h = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n" \
        f"Authorization: Bearer {client.token}\r\n"
    if last is not None:
        h += f"Last-Event-ID: {last}\r\n"
    s.sendall((h + "\r\n").encode())
    s.settimeout(0.2)
    end, data = time.time() + seconds, b""
    while time.time() < end:
        try:
            more = s.recv(65536)
            if not more:
                break
            data += more
        except TimeoutError:
            pass
    s.close()
    return data.decode(errors="replace")


_tests = []


def test(f):
    _tests.append(f)
    return f


def run(make=Rig):
    """Run the file's tests against one server; exit 1 if any failed."""
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    rig, bad, n = make(), 0, 0
    try:
        for f in _tests:
            if only not in f.__name__:
                continue
            rig.failures = []
            try:
                f(rig)
            except Exception as e:  # a test that breaks has failed
                rig.failures.append("".join(
                    traceback.format_exception(e))[-1500:])
            n += 1
            bad += tell(n, f.__name__, rig.failures)
    finally:
        rig.stop()
        bad += tell(n + 1, "servers_ran_and_ended_well", broken)
        if bad:
            print("# server log:\n# " +
                  rig.log_text()[-3000:].replace("\n", "\n# "))
        rig.done()
    print(f"1..{n + 1}")
    sys.exit(bad != 0)


def tell(n, name, failures):
    """One TAP line; True when it failed."""
    for what in failures:
        print("# " + what.replace("\n", "\n# "))
    print(f"{'not ok' if failures else 'ok'} {n} - {name}", flush=True)
    return bool(failures)
