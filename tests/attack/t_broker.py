#!/usr/bin/env python3
"""
The broker of a delegate against real services: what arrives, how it ends,
and what must not be possible.  Name server, certificates and services are of
this test; the broker is the product's, confined as always.
"""
import base64
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from brokerkit import *  # noqa: E402,F403

JSON = {"Content-Type": "application/json"}
SECRET = "hunter2-Tr0ub4dor&3"


class Raw(threading.Thread):
    """TLS that answers with these bytes, whatever it is asked."""

    def __init__(self, key, crt, answer, hold=0):
        super().__init__(daemon=True)
        self.answer, self.got, self.hold = answer, [], hold
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(crt, key)
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(64)
        self.port = self.sock.getsockname()[1]
        self.start()

    def run(self):
        while True:
            s, _ = self.sock.accept()
            with contextlib.suppress(OSError):
                s.settimeout(20)
                t = self.context.wrap_socket(s, server_side=True)
                self.got.append(t.recv(65536))
                for piece in self.answer:
                    t.sendall(piece)
                time.sleep(self.hold)
                t.close()


class World:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="broker-"))
        self.ca = Authority(self.dir)
        self.key, self.crt = self.ca.issue("svc", "DNS:svc.test")
        self.flips = 0
        self.names = Names({"svc.test": ["127.0.0.1"],
                            "other.test": ["127.0.0.1"],
                            "meta.test": ["169.254.169.254"],
                            "ten.test": ["10.0.0.1"],
                            "alias.test": "cname:ten.test"})
        self.broker = Broker(resolver=[f"127.0.0.1:{self.names.port}"],
                             authorities=self.ca.pem)
        self.echo = self.service(lambda r: (200, JSON, json.dumps(
            {"path": r["path"], "body": r["body"].decode("latin-1"),
             "headers": dict(r["headers"])}).encode()))

    def service(self, answer, **more):
        return Service(self.key, self.crt, answer, **more)

    def raw(self, *answer, hold=0):
        return Raw(self.key, self.crt, answer, hold)

    def ping(self, port, outputs=None, ms=10000, **more):
        return self.broker.http(connector(port, **more), "ping",
                                secret=more.get("secret", SECRET),
                                outputs=outputs, ms=ms)

    def ask(self, action, params, auth=None, **more):
        """One action with parameters, to the echo."""
        n = len(self.echo.got)
        e = self.broker.http(
            connector(self.echo.port, actions=[{"name": "a", **action}],
                      auth=auth or {"kind": "none"}, **more),
            "a", params, secret=SECRET)
        return e, self.echo.got[n] if len(self.echo.got) > n else None


N = [{"name": "n", "type": "integer", "pointer": "/n"}]
TEXT = [{"name": "p", "type": "string", "required": True}]
OPTIONAL = [{"name": "p", "type": "string"}]


@test
def one_request(w):
    s = w.service(lambda r: (200, JSON, b'{"n":7,"a":{"b":["x","y"]}}'))
    e = w.broker.http(connector(s.port), "ping", outputs=[
        {"name": "n", "type": "integer", "pointer": "/n"},
        {"name": "y", "type": "string", "pointer": "/a/b/1"}])
    same(e["end"], "ok")
    same(json.loads(e["outputs"]), {"n": 7, "y": "y"})
    same((e["host"], e["port"], e["address"], e["status"], e["sent"]),
         ("svc.test", s.port, "127.0.0.1", 200, True))
    same(s.got[0]["version"], "TLSv1.3")
    same(s.got[0]["headers"]["Host"], f"svc.test:{s.port}")
    same(s.names, ["svc.test"])


@test
def it_is_confined(w):
    status = open(f"/proc/{w.broker.pid}/status").read()
    for line in ("Seccomp:\t2", "NoNewPrivs:\t1", "CapEff:\t" + "0" * 16,
                 "CapPrm:\t" + "0" * 16, "CapBnd:\t" + "0" * 16):
        check(line in status, line)
    fds = os.listdir(f"/proc/{w.broker.pid}/fd")
    check(len(fds) <= 6, "descriptors", fds)
    if os.geteuid() == 0:
        other = Broker(resolver=["127.0.0.1"], authorities=w.ca.pem,
                       uid=65534)
        check("Uid:\t65534\t65534\t65534\t65534" in
              open(f"/proc/{other.pid}/status").read(), "uid")
        other.stop()


@test
def it_ends_with_its_agent(w):
    other = Broker(resolver=["127.0.0.1"], authorities=w.ca.pem)
    other.process.kill()
    other.process.wait()
    for _ in range(100):
        if not os.path.exists(f"/proc/{other.pid}"):
            break
        time.sleep(0.02)
    check(not os.path.exists(f"/proc/{other.pid}"))


# ---- templates ----

NASTY = ["a b", "a/b", "a?b=c&d#e", "%2e%2e", "é😀", "a+b", "'\"<>\\x",
         "x;y", "{p}", "$(id)", "a%00b", "..a", "a..", "x/y/z"]


@test
def in_the_path(w):
    for v in NASTY:
        e, r = w.ask({"method": "GET", "path": "/x/{p}/y", "params": TEXT},
                     {"p": v})
        if "\\" in v:
            continue
        same(e["end"], "ok", v, e)
        same(r and r["path"], "/x/" + urllib.parse.quote(v, safe="") + "/y",
             v)


@test
def out_of_the_path(w):
    for v in ["", ".", "..", "../y", "a/..", "a/../b", "a/./b", "a//b", "/a",
              "a/", "..\\b", "a\\..\\b", "a\nb", "a\r\nX: y", "\0", "\x7f"]:
        e, r = w.ask({"method": "GET", "path": "/x/{p}", "params": TEXT},
                     {"p": v})
        same((e["end"], e["sent"], r), ("request", False, None), repr(v))


@test
def in_the_query(w):
    for v in NASTY + ["", "..", "a\nb", "a\r\nX: y"]:
        e, r = w.ask({"method": "GET", "path": "/x", "params": TEXT,
                      "query": {"k": "<{p}>", "z": {"param": "p"}}},
                     {"p": v})
        same(e["end"], "ok", v, e)
        same(urllib.parse.parse_qsl(r["path"].split("?")[1],
                                    keep_blank_values=True),
             [("k", f"<{v}>"), ("z", v)], v)
    e, r = w.ask({"method": "GET", "path": "/x", "params": [
        {"name": "p", "type": "array"}, {"name": "q", "type": "string"}],
        "query": {"k": {"param": "p"}, "q": {"param": "q"}}},
        {"p": ["a", 1, True]})
    same(r["path"], "/x?k=a&k=1&k=true")


@test
def in_the_header(w):
    action = {"method": "GET", "path": "/x", "params": TEXT,
              "headers": {"x-a": "<{p}>", "x-b": {"param": "p"}}}
    e, r = w.ask(action, {"p": "a: b, 'c' \"d\" {p}"})
    same((r["headers"]["x-a"], r["headers"]["x-b"]),
         ("<a: b, 'c' \"d\" {p}>", "a: b, 'c' \"d\" {p}"))
    for v in ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "é", "\x7f"]:
        e, r = w.ask(action, {"p": v})
        same((e["end"], r), ("request", None), repr(v))


@test
def headers_of_the_action(w):
    """Its own take the place of ours."""
    e, r = w.ask({"method": "POST", "path": "/x", "body": {}, "headers": {
        "user-agent": "a/1", "accept": "text/plain",
        "content-type": "application/merge-patch+json"}}, {})
    same(e["end"], "ok")
    for name, value in (("User-Agent", "a/1"), ("Accept", "text/plain"),
                        ("Content-Type", "application/merge-patch+json")):
        same(r["headers"].get_all(name), [value])


@test
def in_the_body(w):
    action = {"method": "POST", "path": "/x", "params": [
        {"name": "s", "type": "string", "required": True},
        {"name": "n", "type": "number"}, {"name": "o", "type": "object"},
        {"name": "none", "type": "string"}],
        "body": {"text": "<{s}>", "s": {"param": "s"}, "n": {"param": "n"},
                 "o": [{"param": "o"}, {"param": "none"}, 1, None],
                 "none": {"param": "none"}, "t": True}}
    for v in NASTY + ["", '","evil":"', "a\r\nb", "\0\x1f"]:
        e, r = w.ask(action, {"s": v, "n": 1.5, "o": {"k": [v]}})
        same(e["end"], "ok", v, e)
        same(json.loads(r["body"]),
             {"text": f"<{v}>", "s": v, "n": 1.5, "o": [{"k": [v]}, 1, None],
              "t": True}, v)
        same(r["headers"]["Content-Type"], "application/json")


@test
def parameters_that_are_not_the_actions(w):
    action = {"method": "GET", "path": "/{p}", "params": [
        {"name": "p", "type": "string", "required": True, "max_length": 5},
        {"name": "i", "type": "integer"}]}
    for v in [{}, {"p": 1}, {"p": "abcdef"}, {"p": "a", "x": 1},
              {"p": "a", "i": "1"}, {"p": "a", "i": 1.5}, {"p": None},
              [], "x"]:
        e, r = w.ask(action, v)
        same((e["end"], e["sent"], r), ("params", False, None), v)
    i = w.broker.begin("http", document=json.dumps(connector(1)),
                       action="ping", params='{"a":1,"a":2}', ms=1000)
    same(w.broker.wait(lambda e: e["id"] == i)["end"], "params")
    e = w.broker.http(connector(1), "pong")
    same(e["end"], "action")


@test
def documents(w):
    for name, more, end in [
            ("expired", {"expires_at": "2020-01-01T00:00:00Z"},
             "connector.expired"),
            ("unknown member", {"evil": 1}, "connector"),
            ("http", {"base": "http://svc.test"}, "connector"),
            ("another host", {"hosts": ["other.test:443"]}, "connector"),
            ("no authorities", {"ca": "-----BEGIN CERTIFICATE-----\nx\n"
                                "-----END CERTIFICATE-----\n"}, "connector"),
            ("a missing scope", {
                "auth": {"kind": "bearer", "secret": "s", "scopes": ["r"]},
                "actions": [{"name": "ping", "method": "GET", "path": "/",
                             "scopes": ["w"]}]}, "connector")]:
        e = w.broker.http(connector(w.echo.port, **more), "ping")
        same((e["end"], e["sent"]), (end, False), name)
    i = w.broker.begin("http", document="{", action="ping", ms=1000)
    same(w.broker.wait(lambda e: e["id"] == i)["end"], "connector")


# ---- credentials ----

@test
def credentials(w):
    get = {"method": "GET", "path": "/x"}
    for auth, name, value in [
            ({"kind": "bearer", "secret": "s"}, "Authorization",
             "Bearer " + SECRET),
            ({"kind": "api_key", "secret": "s", "header": "x-key"}, "x-key",
             SECRET),
            ({"kind": "api_key", "secret": "s", "header": "authorization",
              "prefix": "Token token="}, "Authorization",
             "Token token=" + SECRET),
            ({"kind": "basic", "secret": "s", "username": "ann"},
             "Authorization", "Basic " + base64.b64encode(
                 b"ann:" + SECRET.encode()).decode())]:
        e, r = w.ask(get, {}, auth)
        same(e["end"], "ok", auth)
        same(r["headers"][name], value)
        same(len(r["headers"].get_all(name)), 1)


@test
def secrets_that_are_none(w):
    d = connector(w.echo.port, auth={"kind": "bearer", "secret": "s"})
    n = len(w.echo.got)
    for v in ["", "short", "abcdefgh\r\nX-Evil: 1", "abcdefgh\0", "abcdéfgh",
              "abc\ndefgh"]:
        e = w.broker.http(d, "ping", secret=v)
        same((e["end"], e["sent"]), ("credential", False), repr(v))
    same(len(w.echo.got), n)
    same(w.broker.http(d, "ping", secret=SECRET + "\n")["end"], "ok")
    same(w.echo.got[-1]["headers"]["Authorization"], "Bearer " + SECRET)


@test
def an_answer_that_tells_it(w):
    """The credential does not come back, in any spelling."""
    s = w.service(lambda r: (200, JSON, json.dumps({
        "raw": f"you said {r['headers']['Authorization']}!",
        "b64": base64.b64encode(SECRET.encode()).decode(),
        "hex": SECRET.encode().hex(), "n": 1,
        "deep": {"a": [SECRET, {SECRET: "b"}], "ok": True}}).encode()))
    e = w.broker.http(
        connector(s.port, auth={"kind": "bearer", "secret": "s"}), "ping",
        secret=SECRET, outputs=[
            {"name": "raw", "type": "string", "pointer": "/raw"},
            {"name": "b64", "type": "string", "pointer": "/b64"},
            {"name": "hex", "type": "string", "pointer": "/hex"},
            {"name": "deep", "type": "object", "pointer": "/deep"},
            {"name": "n", "type": "integer", "pointer": "/n"}])
    same(json.loads(e["outputs"]), {
        "raw": "you said Bearer ***!", "b64": "***", "hex": "***", "n": 1,
        "deep": {"a": ["***", {"***": "b"}], "ok": True}})
    check(SECRET not in json.dumps(e))


@test
def mutual_tls(w):
    s = w.service(lambda r: (200, JSON, b'{"n":1}'),
                  client_ca=str(w.ca.cert))
    key, crt = w.ca.issue("delegate", "DNS:delegate.test", "clientAuth")
    okey, _ = w.ca.issue("another", "DNS:another.test", "clientAuth")
    d = connector(s.port, auth={"kind": "mtls", "secret": "s"})
    pem = crt.read_text() + key.read_text()
    e = w.broker.http(d, "ping", secret=pem, outputs=N)
    same(e["end"], "ok", e)
    same(dict(x[0] for x in s.got[-1]["peer"]["subject"])["commonName"],
         "delegate")
    same(w.broker.http(d, "ping", secret=key.read_text() + crt.read_text())[
        "end"], "ok", "the other way round")
    n = len(s.got)
    for name, v in [("no key", crt.read_text()),
                    ("no certificate", key.read_text()),
                    ("another's key", crt.read_text() + okey.read_text()),
                    ("nothing", ""), ("text", "not a certificate")]:
        e = w.broker.http(d, "ping", secret=v)
        same((e["end"], e["sent"]), ("credential", False), name)
    e = w.broker.http(connector(s.port), "ping")
    check(e["end"] in ("tls", "answer", "connect"), e)
    same(len(s.got), n, "let in without a certificate")


# ---- TLS ----

@test
def old_tls_is_refused_by_name(w):
    s = w.service(lambda r: (200, JSON, b'{"n":1}'),
                  maximum=ssl.TLSVersion.TLSv1_2)
    e = w.ping(s.port)
    same((e["end"], e["sent"], len(s.got)), ("tls.old", False, 0), e)
    e = w.ping(s.port, min_tls="1.2")
    same((e["end"], s.got[0]["version"]), ("ok", "TLSv1.2"))
    new = w.service(lambda r: (200, JSON, b"{}"))
    same(w.ping(new.port, min_tls="1.2")["end"], "ok")
    same(new.got[0]["version"], "TLSv1.3")


@test
def who_it_is_not(w):
    other_dir = w.dir / "other"
    other_dir.mkdir()
    other = Authority(other_dir)
    key, crt = other.issue("svc", "DNS:svc.test")
    stranger = Service(key, crt, lambda r: (200, JSON, b"{}"))
    e = w.ping(stranger.port)
    same((e["end"], len(stranger.got)), ("tls", 0), e)
    same(w.ping(stranger.port, ca=other.pem)["end"], "ok")
    # its own authorities are not added to the system's
    same(w.ping(w.echo.port, ca=other.pem)["end"], "tls")
    key, crt = w.ca.issue("wrong", "DNS:other.test")
    wrong = Service(key, crt, lambda r: (200, JSON, b"{}"))
    same((w.ping(wrong.port)["end"], len(wrong.got)), ("tls", 0))
    key, crt = w.ca.issue("client", "DNS:svc.test", "clientAuth")
    client = Service(key, crt, lambda r: (200, JSON, b"{}"))
    same((w.ping(client.port)["end"], len(client.got)), ("tls", 0))


@test
def no_tls(w):
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen()

    def plain():
        c, _ = s.accept()
        c.recv(1000)
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        c.close()
    threading.Thread(target=plain, daemon=True).start()
    same(w.ping(s.getsockname()[1])["end"], "tls")


# ---- addresses ----

@test
def addresses(w):
    for host, end in [("meta.test", "address"), ("ten.test", "address"),
                      ("alias.test", "address"), ("none.test", "dns")]:
        e = w.broker.http(connector(w.echo.port, host=host), "ping")
        same((e["end"], e["sent"]), (end, False), host)
    e = w.ping(w.echo.port, allow_cidrs=None)
    same((e["end"], e["sent"]), ("address", False), "loopback, not listed")
    e = w.ping(w.echo.port, allow_cidrs=["127.0.0.0/8"])
    same((e["end"], e["sent"]), ("address", False), "loopback by a block")


# ---- answers ----

@test
def statuses(w):
    target = w.service(lambda r: (200, JSON, b"{}"))
    for status in (301, 302, 303, 307, 308):
        s = w.service(lambda r: (status, {
            "Location": f"https://svc.test:{target.port}/"}, b""))
        e = w.ping(s.port)
        same((e["end"], e["status"]), ("answer.redirect", status))
    same(len(target.got), 0, "a redirect was followed")
    for status in (400, 401, 403, 404, 409, 422, 429, 500, 502, 503):
        s = w.service(lambda r: (status, {"Retry-After": "7"}, b"no"))
        e = w.ping(s.port)
        same((e["end"], e["status"], e["retry_ms"]),
             ("answer.status", status, 7000))
        check("no" not in e["detail"], e)
        same(len(s.got), 1, "tried again")
    for status in (200, 201, 202, 204):
        s = w.service(lambda r: (status, {}, b""))
        same(w.ping(s.port)["end"], "ok", status)


@test
def methods(w):
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        e, r = w.ask({"method": method, "path": "/m"}, {})
        same((e["end"], r["method"]), ("ok", method), e)


@test
def sizes(w):
    full = b'{"n":1,"x":"' + b"x" * ((1 << 20) - 14) + b'"}'
    same(len(full), 1 << 20)
    s = w.service(lambda r: (200, JSON, full))
    same(w.ping(s.port, outputs=N)["end"], "ok")
    s = w.service(lambda r: (200, JSON, full + b" "))
    same(w.ping(s.port, outputs=N)["end"], "answer.too_big")
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    s = w.raw(head, *[chunk] * 256, b"0\r\n\r\n")
    same(w.ping(s.port)["end"], "ok")
    s = w.raw(head, *[chunk] * 257, b"0\r\n\r\n")
    same(w.ping(s.port)["end"], "answer.too_big")
    s = w.raw(head, *[b"1\r\nx\r\n" * 1000] * 900)
    same(w.ping(s.port)["end"], "answer.too_big", "tiny chunks")
    s = w.raw(b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"a" * 1000 + b"\r\n"] * 40)
    check(w.ping(s.port)["end"] in ("answer", "answer.too_big"))


@test
def answers_that_are_none(w):
    ok = b"HTTP/1.1 200 OK\r\n"
    for name, text in [
            ("nothing", b""), ("half a head", ok),
            ("HTTP/1.0", b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("no length", ok + b"\r\nbody"),
            ("two lengths", ok + b"Content-Length: 1\r\n"
             b"Content-Length: 1\r\n\r\na"),
            ("both", ok + b"Content-Length: 1\r\n"
             b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
            ("short", ok + b"Content-Length: 9\r\n\r\na"),
            ("long", ok + b"Content-Length: 1\r\n\r\nab"),
            ("gzip", ok + b"Content-Encoding: gzip\r\n"
             b"Content-Length: 1\r\n\r\na"),
            ("line feeds", ok.replace(b"\r", b"") +
             b"Content-Length: 0\n\n"),
            ("folded", ok + b"Content-Length: 0\r\n x: y\r\n\r\n"),
            ("switching", b"HTTP/1.1 101 Up\r\n\r\n"),
            ("a 204 with a body", b"HTTP/1.1 204 No\r\n"
             b"Content-Length: 2\r\n\r\nab"),
            ("chunks without an end", ok + b"Transfer-Encoding: chunked\r\n"
             b"\r\n1\r\na\r\n"),
            ("a chunk extension", ok + b"Transfer-Encoding: chunked\r\n\r\n"
             b"1;a=b\r\na\r\n0\r\n\r\n"),
            ("a trailer", ok + b"Transfer-Encoding: chunked\r\n\r\n"
             b"0\r\nX: y\r\n\r\n"),
            ("another protocol", b"220 ESMTP\r\n"),
            ("binary", os.urandom(500))]:
        s = w.raw(text)
        e = w.ping(s.port)
        same((e["end"], e["sent"], e["outputs"]), ("answer", True, ""), name)
    s = w.raw(b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + ok +
              b"Content-Length: 0\r\n\r\n")
    same(w.ping(s.port)["end"], "ok", "103 before it")


@test
def outputs(w):
    s = w.service(lambda r: (200, JSON, json.dumps(
        {"s": "x", "i": 1, "f": 1.5, "t": True, "z": None, "a": [1, [2]],
         "o": {"~/": {"": "deep"}}}).encode()))

    def get(kind, pointer):
        e = w.ping(s.port, outputs=[
            {"name": "v", "type": kind, "pointer": pointer}])
        return json.loads(e["outputs"])["v"] if e["end"] == "ok" else e["end"]
    same(get("string", "/s"), "x")
    same(get("integer", "/i"), 1)
    same(get("number", "/f"), 1.5)
    same(get("number", "/i"), 1)
    same(get("boolean", "/t"), True)
    same(get("array", "/a"), [1, [2]])
    same(get("integer", "/a/1/0"), 2)
    same(get("string", "/o/~0~1/"), "deep")
    same(get("object", "")["s"], "x")
    bad = "answer.output"
    for kind, pointer in [("integer", "/s"), ("string", "/i"),
                          ("integer", "/f"), ("boolean", "/z"),
                          ("string", "/none"), ("integer", "/a/2"),
                          ("integer", "/a/01"), ("integer", "/a/-"),
                          ("string", "/s/0"), ("object", "/a")]:
        same(get(kind, pointer), bad, kind, pointer)
    for body in (b"", b"<html>", b'{"v":1,"v":2}', b'{"v":1} x',
                 b"\xff\xfe", b"[" * 100):
        s = w.service(lambda r: (200, JSON, body))
        same(w.ping(s.port, outputs=N)["end"], bad, body)
        same(w.ping(s.port)["end"], "ok", body)


# ---- time ----

@test
def time_is_up(w):
    s = w.raw(hold=5)
    begun = time.monotonic()
    e = w.ping(s.port, ms=700)
    same((e["end"], e["sent"]), ("timeout", True))
    check(0.6 < time.monotonic() - begun < 2, time.monotonic() - begun)
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    deaf.listen()
    e = w.ping(deaf.getsockname()[1], ms=700)
    same((e["end"], e["sent"]), ("timeout", False))
    deaf.close()
    e = w.ping(1, ms=2000)
    same((e["end"], e["sent"]), ("connect", False))


@test
def given_up(w):
    s = w.raw(hold=20)
    i = w.broker.begin("http", document=json.dumps(connector(s.port)),
                       action="ping", ms=20000)
    while not s.got:
        time.sleep(0.01)
    begun = time.monotonic()
    w.broker.say(op="cancel", id=i)
    e = w.broker.wait(lambda e: e["id"] == i)
    same(e["end"], "cancelled")
    check(time.monotonic() - begun < 1)


@test
def many_at_once(w):
    s = w.service(lambda r: (time.sleep(0.5), (200, JSON, json.dumps(
        {"n": int(r["path"].split("/")[-1])}).encode()))[1])
    d = json.dumps(connector(s.port, actions=[
        {"name": "a", "method": "GET", "path": "/{n}", "outputs": N,
         "params": [{"name": "n", "type": "integer", "required": True}]}]))
    begun = time.monotonic()
    ids = {w.broker.begin("http", document=d, action="a", ms=20000,
                          params=json.dumps({"n": n})): n for n in range(60)}
    for i, n in ids.items():
        e = w.broker.wait(lambda e: e["id"] == i)
        same(json.loads(e["outputs"] or "{}"), {"n": n}, e)
    print(f"# 60 at once: {time.monotonic() - begun:.1f} s")


@test
def too_many_at_once(w):
    """256 may wait for a service that never answers; more are told so."""
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    deaf.listen(512)
    d = json.dumps(connector(deaf.getsockname()[1]))
    ids = [w.broker.begin("http", document=d, action="ping", ms=4000)
           for n in range(300)]
    ends = [w.broker.wait(lambda e: e["id"] == i)["end"] for i in ids]
    same((ends.count("limit"), ends.count("timeout")), (44, 256), set(ends))
    same(w.ping(w.echo.port)["end"], "ok", "afterwards")
    deaf.close()


@test
def nothing_is_left(w):
    """Descriptors, threads, and a secret where others could see it."""
    time.sleep(1)
    fds = os.listdir(f"/proc/{w.broker.pid}/fd")
    check(len(fds) <= 6, "descriptors", fds)
    check(len(os.listdir(f"/proc/{w.broker.pid}/task")) <= 4, "threads")
    for name in ("cmdline", "environ", "comm"):
        with contextlib.suppress(PermissionError):
            check(SECRET.encode() not in open(
                f"/proc/{w.broker.pid}/{name}", "rb").read(), name)
    same((w.broker.dir / "stderr").read_text(), "")


if __name__ == "__main__":
    run(World())
