#!/usr/bin/env python3
"""The command line against servers that misbehave.

TAP on stdout.  REDOUBT names the binary (default build/redoubt); a fake TLS
server plays every part.  Nothing here needs the real server.
"""
import contextlib
import json
import os
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

REDOUBT = os.path.abspath(os.environ.get("REDOUBT", "build/redoubt"))
TOKEN = "rdp_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
work = tempfile.mkdtemp(prefix="redoubt-cli-")
passed = failed = 0


def sh(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def certificate(name, san):
    key, pem = f"{work}/{name}.key", f"{work}/{name}.pem"
    sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
       "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
       f"/CN={name}", "-addext", f"subjectAltName={san}", "-keyout", key,
       "-out", pem)
    return pem, key


GOOD = certificate("good", "IP:127.0.0.1,DNS:localhost")
OTHER = certificate("other", "DNS:other.example")


def answer(body=b"{}", status="200 OK", kind="application/json", extra=""):
    if isinstance(body, str):
        body = body.encode()
    return (f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{extra}"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


class Server:
    """Runs `play(conn, request_bytes)` for each request; play returns False
    to close the connection."""

    def __init__(self, play, cert=GOOD, tls12=False):
        self.play, self.requests, self.connections = play, [], 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*cert)
        if tls12:
            self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                raw, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(raw,),
                             daemon=True).start()

    def serve(self, raw):
        with contextlib.suppress(OSError, ValueError):
            conn = self.context.wrap_socket(raw, server_side=True)
            while True:
                data = b""
                while b"\r\n\r\n" not in data:
                    piece = conn.recv(65536)
                    if not piece:
                        return
                    data += piece
                head, _, body = data.partition(b"\r\n\r\n")
                for line in head.split(b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        want = int(line.split(b":")[1])
                        while len(body) < want:
                            body += conn.recv(65536)
                self.requests.append((head.decode(), body))
                if self.play(conn, head.decode()) is False:
                    with contextlib.suppress(OSError):
                        conn.unwrap()
                    conn.close()
                    return

    def close(self):
        self.socket.close()


def run(*argv, url=None, env=None, stdin=b"", allowed="\n", **kw):
    e = {"PATH": os.environ["PATH"], "HOME": work,
         "XDG_CONFIG_HOME": f"{work}/config"}
    if url:
        e.update(REDOUBT_URL=url, REDOUBT_TOKEN=TOKEN, REDOUBT_CA=GOOD[0])
    e.update(env or {})
    begin = time.monotonic()
    p = subprocess.run([REDOUBT, *argv], input=stdin, env=e, timeout=60,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
    p.seconds = time.monotonic() - begin
    p.out, p.err = p.stdout.decode(), p.stderr.decode()
    for text in (p.out, p.err):
        for c in text:
            o = ord(c)
            if (o < 32 and c not in allowed) or 0x7f <= o <= 0x9f or \
                    0x202a <= o <= 0x202e or 0x2066 <= o <= 0x2069:
                raise AssertionError(f"L08: U+{o:04X} reached the terminal")
    assert TOKEN not in p.out + p.err, "the token was printed"
    return p


def test(f):
    global passed, failed
    try:
        f()
        passed += 1
        print(f"ok {passed + failed} - {f.__name__}", flush=True)
    except Exception as e:  # noqa: a test must not end the others
        failed += 1
        print(f"not ok {passed + failed} - {f.__name__}\n# {e!r}", flush=True)


def expect(p, code, *err):
    assert p.returncode == code, f"exit {p.returncode}: {p.err}"
    for text in err:
        assert text in p.err, f"{text!r} not in {p.err!r}"


def raw(data, close=False):
    """A play that sends these bytes."""
    def play(conn, head):
        conn.sendall(data)
        return not close
    return play


def with_server(play, *argv, **kw):
    s = Server(play, kw.pop("cert", GOOD), kw.pop("tls12", False))
    try:
        p = run(*argv, url=s.url, **kw)
    finally:
        s.close()
    p.server = s
    return p


@test
def a_good_answer():
    p = with_server(raw(answer('{"name":"ann","id":"7"}')), "whoami")
    expect(p, 0)
    assert p.out == "name: ann\nid:   7\n", p.out
    p = with_server(raw(answer('{"name":"ann","id":"7"}')), "whoami", "--json")
    assert json.loads(p.out) == {"name": "ann", "id": "7"}
    head = p.server.requests[0][0]
    assert head.startswith("GET /v1/whoami HTTP/1.1\r\n"), head
    assert f"authorization: Bearer {TOKEN}" in head
    assert "user-agent: redoubt-cli/" in head


@test
def chunked_and_until_close():
    c = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    p = with_server(raw(c + b"Transfer-Encoding: chunked\r\n\r\n"
                        b"1\r\n{\r\n6\r\n\"a\":1}\r\n0\r\n\r\n"), "whoami")
    expect(p, 0)
    assert p.out == "a: 1\n"
    p = with_server(raw(c + b"\r\n{\"a\":1}", close=True), "whoami")
    expect(p, 0)


@test
def exit_codes_of_problems():
    want = {400: 6, 401: 4, 403: 4, 404: 3, 405: 6, 408: 7, 409: 5, 412: 5,
            413: 6, 415: 6, 422: 6, 429: 7, 431: 6, 500: 1, 501: 1, 502: 7,
            503: 7, 504: 7, 302: 1}
    for status, code in want.items():
        body = json.dumps({"title": "Some title", "detail": "some detail",
                           "code": "some_code", "status": status,
                           "request_id": "0193-id"})
        p = with_server(raw(answer(body, f"{status} X",
                                   "application/problem+json")), "whoami")
        expect(p, code, "redoubt: Some title: some detail "
               "(some_code, request 0193-id)")
        assert p.out == ""


@test
def what_is_wrong_a_line_each():
    """errors[] of a problem, at most 32 of them, and nothing for one."""
    for n, lines in ((1, 1), (2, 3), (33, 33)):
        body = json.dumps({"title": "T", "detail": "d0", "errors": [
            {"pointer": f"/m{i}", "code": "missing", "detail": f"d{i}"}
            for i in range(n)]})
        p = with_server(raw(answer(body, "400 X",
                                   "application/problem+json")), "whoami")
        expect(p, 6, "redoubt: T: d0")
        assert len(p.err.splitlines()) == lines, p.err
        assert n == 1 or "  /m1: d1" in p.err.splitlines(), p.err


@test
def problems_without_a_document():
    p = with_server(raw(answer("<h1>no</h1>", "503 X", "text/html",
                               "Retry-After: 7\r\nX-Request-Id: abc\r\n")),
                    "whoami")
    expect(p, 7, "answered 503", "request abc", "try again in 7 s")
    p = with_server(raw(answer("{", "404 X", "application/problem+json")),
                    "whoami")
    expect(p, 3)


@test
def L08_escape_sequences_everywhere():
    evil = "\x1b[2J\x1b]0;x\x07\u009b31m\u202e\u2066\x7f\r\n"
    body = json.dumps({"title": evil, "detail": evil, "code": evil,
                       "request_id": evil}, ensure_ascii=False)
    p = with_server(raw(answer(body.replace("\u007f", "\\u007f"), "400 X",
                               "application/problem+json")), "whoami")
    expect(p, 6)
    assert "\\u{001B}" in p.err
    doc = json.dumps({evil: evil, "items": [{"title": evil, "number": 1}],
                      "next": evil})
    for argv in (["incident", "list"], ["incident", "list", "--json"],
                 ["whoami"], ["whoami", "--json"]):
        p = with_server(raw(answer(doc)), *argv)
        expect(p, 0)
        if "--json" in argv:
            assert json.loads(p.out) == json.loads(doc)
    p = with_server(raw(answer("HTTP", kind="text/\x1b[31m")), "whoami")
    expect(p, 1)


@test
def truncated_answers():
    h = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    for data in (b"", b"HTTP/1.1 20", h, h + b"Content-Length: 9\r\n\r\n{}",
                 h + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}"):
        p = with_server(raw(data, close=True), "whoami")
        expect(p, 7, "closed the connection")


@test
def a_body_until_close_needs_a_proper_close():
    def play(conn, head):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json"
                     b"\r\n\r\n{}")
        conn.shutdown(socket.SHUT_RDWR)
        conn.close()
        return True
    expect(with_server(play, "whoami"), 7)


@test
def malformed_answers():
    h = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    for data in (b"HTTP/1.0 200 OK\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n",
                 h + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
                 h + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"
                 b"\r\n2\r\n{}\r\n0\r\n\r\n",
                 h + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                 h + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n",
                 h + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
                 h + b"A: " + b"x" * 20000 + b"\r\n\r\n"):
        p = with_server(raw(data, close=True), "whoami")
        expect(p, 1, "malformed")


@test
def answers_that_are_not_json():
    for body in ("", "{", "{}x", "nul", '{"a":1,"a":2}', '"\\ud800"',
                 "[" * 100 + "]" * 100, '{"a":01}', "\ufeff{}",
                 "[" + "1," * 500000 + "1]"):
        p = with_server(raw(answer(body)), "whoami")
        expect(p, 1, "not JSON")
    p = with_server(raw(answer(b'"\xff"')), "whoami")
    expect(p, 1, "not JSON")
    expect(with_server(raw(answer("{}", kind="text/html")), "whoami"), 1,
           "not JSON but text/html")
    expect(with_server(raw(answer("[]")), "incident", "list"), 1, "no list")


def endless(start, piece):
    def play(conn, head):
        conn.sendall(start)
        while True:
            conn.sendall(piece)
    return play


@test
def endless_answers_are_bounded():
    h = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    for play in (
            endless(h + b"Content-Length: 99999999999\r\n\r\n", b" " * 65536),
            endless(h + b"Transfer-Encoding: chunked\r\n\r\n",
                    b"10000\r\n" + b"[" * 65536 + b"\r\n"),
            endless(h, b"A: b\r\n" * 1000),
            endless(b"", b"HTTP/1.1 100 \r\n\r\n" * 100)):
        p = with_server(play, "whoami")
        expect(p, 1)
        assert p.seconds < 20
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if "ASAN" not in os.environ:
        assert after < max(before, 200 * 1024), f"{after} KiB"


@test
def silence_and_dripping_time_out():
    def silent(conn, head):
        time.sleep(20)

    def drip(conn, head):
        for b in answer("{}" + " " * 1000):
            conn.sendall(bytes([b]))
            time.sleep(0.1)
    for play in (silent, drip):
        p = with_server(play, "whoami", "--timeout", "1")
        expect(p, 7, "in time")
        assert p.seconds < 4, p.seconds


@test
def a_silent_handshake_times_out():
    s = socket.create_server(("127.0.0.1", 0))
    p = run("whoami", "--timeout", "1",
            url=f"https://127.0.0.1:{s.getsockname()[1]}")
    expect(p, 7, "in time")
    s.close()


@test
def nobody_there():
    s = socket.create_server(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    expect(run("whoami", url=f"https://127.0.0.1:{port}"), 7,
           "cannot connect")
    expect(run("whoami", url="https://no.such.host.invalid"), 7,
           "cannot resolve")


@test
def tls_is_checked():
    good = raw(answer())
    p = with_server(good, "whoami", cert=OTHER)
    expect(p, 7, "certificate")
    assert not p.server.requests, "the token went to a stranger"
    p = with_server(good, "whoami", env={"REDOUBT_CA": OTHER[0]})
    expect(p, 7, "certificate")
    assert not p.server.requests
    # the right authority, the wrong name
    p = with_server(good, "whoami", cert=OTHER, env={"REDOUBT_CA": OTHER[0]})
    expect(p, 7, "certificate")
    assert not p.server.requests
    p = with_server(good, "whoami", tls12=True)
    expect(p, 7)
    assert not p.server.requests
    expect(with_server(good, "whoami", env={"REDOUBT_CA": "/nonexistent"}), 2)
    s = Server(good)
    p = run("whoami", url=f"https://localhost:{s.port}")
    s.close()
    expect(p, 0)


@test
def a_redirect_is_not_followed():
    other = Server(raw(answer()))
    p = with_server(raw(answer("", "302 Found",
                               extra=f"Location: {other.url}/\r\n")),
                    "whoami")
    expect(p, 1)
    assert other.connections == 0
    other.close()


def paged(count):
    def play(conn, head):
        target = head.split()[1]
        at = int(target.split("cursor=")[1]) if "cursor=" in target else 1
        conn.sendall(answer(json.dumps({
            "items": [{"number": at, "title": f"t{at}"}],
            "next": str(at + 1) if at < count else None})))
        return at % 2 == 1  # the server closes every second connection
    return play


@test
def all_pages():
    p = with_server(paged(5), "incident", "list", "--all", "--json",
                    "--status", "new")
    expect(p, 0)
    doc = json.loads(p.out)
    assert [i["number"] for i in doc["items"]] == [1, 2, 3, 4, 5]
    assert doc["next"] is None
    for head, _ in p.server.requests:
        assert "status=new" in head.split()[1]
    p = with_server(paged(5), "incident", "list", "--all")
    assert p.out.count("INC-") == 5 and p.out.count("TITLE") == 1, p.out
    p = with_server(paged(5), "incident", "list")
    expect(p, 0, "--cursor 2")
    p = with_server(paged(0), "incident", "list", "--all", "--json")
    assert len(json.loads(p.out)["items"]) == 1
    p = with_server(raw(answer('{"items":[],"next":null}')), "incident",
                    "list", "--all", "--json")
    assert json.loads(p.out) == {"items": [], "next": None}


@test
def pages_in_a_circle():
    p = with_server(raw(answer('{"items":[],"next":"same"}')), "incident",
                    "list", "--all")
    expect(p, 1, "circles")


@test
def a_refusal_in_the_middle_of_pages():
    def play(conn, head):
        if "cursor=" in head:
            conn.sendall(answer("{}", "401 X"))
        else:
            conn.sendall(answer('{"items":[{"number":1}],"next":"2"}'))
    p = with_server(play, "incident", "list", "--all", "--json")
    expect(p, 4)
    assert p.out == "", "half a document"


@test
def bodies_and_keys():
    p = with_server(raw(answer("{}", "201 Created")), "incident", "create",
                    "Down\u00e4", "--severity", "sev1")
    expect(p, 0)
    head, body = p.server.requests[0]
    assert head.startswith("POST /v1/projects/default/incidents HTTP/1.1")
    assert "content-type: application/json" in head
    key = head.lower().split("idempotency-key: ")[1].split("\r\n")[0]
    assert len(key) == 32
    assert json.loads(body) == {"title": "Down\u00e4", "severity": "sev1"}
    p = with_server(raw(answer("", "204 No Content")), "user", "delete",
                    "x", "--etag", '"3"')
    expect(p, 0)
    assert p.out == ""
    assert 'if-match: "3"' in p.server.requests[0][0]
    p = with_server(raw(answer("", "204 No Content")), "user", "delete", "x",
                    "--json")
    json.loads(p.out)
    p = run("user", "delete", "x", "--etag", '"3"\r\nA: b',
            url="https://127.0.0.1:1")
    assert p.returncode in (2, 7)


# ---- the live feed ----

def event(n, kind="incident.create", **data):
    return (f"id: {n}\nevent: {kind}\ndata: "
            f"{json.dumps(dict(data, seq=n))}\n\n").encode()


def feed(*pieces):
    """Each connection gets the next piece of the feed, then is closed."""
    left = list(pieces)

    def play(conn, head):
        piece = left.pop(0)
        if isinstance(piece, int):
            conn.sendall(answer("{}", f"{piece} X"))
            return False
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream"
                     b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in piece:
            conn.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        return False
    return play


@test
def watch_goes_on_where_it_broke():
    p = with_server(feed([b": hello\n\n", event(1), event(2)[:20]],
                         [event(2), event(3)]),
                    "watch", "--count", "3", "--json")
    expect(p, 0)
    got = [json.loads(line)["seq"] for line in p.out.splitlines()]
    assert got == [1, 2, 3], got
    assert "last-event-id" not in p.server.requests[0][0].lower()
    assert "last-event-id: 1\r\n" in p.server.requests[1][0] + "\r\n"


@test
def watch_ends_when_refused():
    expect(with_server(feed(401), "watch"), 4)
    expect(with_server(feed([event(1)], 401), "watch"), 4)
    expect(with_server(feed(503), "watch"), 7)
    expect(with_server(raw(answer("{}")), "watch"), 1, "no event stream")


@test
def watch_text_and_hostile_events():
    evil = "\x1b[31m\u202e"
    p = with_server(feed([event(1, "a\x1b[1mb", time=evil, principal={
        "kind": evil, "id": evil}, resource=[{"type": "x", "id": evil}])]),
        "watch", "--count", "1")
    expect(p, 0)
    assert "\\u{001B}" in p.out
    p = with_server(feed([b"data: {\n\n"]), "watch", "--count", "1")
    expect(p, 1, "not JSON")
    p = with_server(feed([b"data: " + b"x" * (2 << 20)]), "watch")
    expect(p, 1, "larger than")


@test
def watch_runs_a_command_for_each_event():
    out = f"{work}/exec"
    p = with_server(feed([event(1, title="$(touch /tmp/evil)"), event(2)]),
                    "watch", "--count", "2", "--exec", f"cat >>{out}")
    expect(p, 0)
    with open(out) as f:
        docs = [json.loads(line) for line in f]
    assert [d["seq"] for d in docs] == [1, 2]
    assert docs[0]["title"] == "$(touch /tmp/evil)"
    # one that reads nothing, and one that fails
    big = event(1, title="x" * 300000)
    expect(with_server(feed([big]), "watch", "--count", "1", "--exec", ":"),
           0)
    expect(with_server(feed([big]), "watch", "--count", "1", "--exec",
                       "exit 3"), 1, "exited with 3")


@test
def watch_gives_a_command_no_descriptors():
    out = f"{work}/fds"
    r, w = os.pipe()
    p = with_server(feed([event(1)]), "watch", "--count", "1", "--exec",
                    f"ls /proc/self/fd >{out}", pass_fds=(r, w))
    expect(p, 0)
    with open(out) as f:
        fds = set(f.read().split())
    # 0 1 2, and the directory ls has open
    assert len(fds) == 4 and str(w) not in fds - {"3"}, fds


@test
def watch_an_incident():
    def play(conn, head):
        if "/events" in head:
            return feed([event(1, resource=[{"type": "incident",
                                             "id": "other"}]),
                         event(2, resource=[{"type": "alert", "id": "a"},
                                            {"type": "incident",
                                             "id": "mine"}])])(conn, head)
        assert "/incidents/INC-7" in head
        conn.sendall(answer('{"id":"mine"}'))
    p = with_server(play, "incident", "watch", "7", "--count", "1", "--json")
    expect(p, 0)
    assert json.loads(p.out)["seq"] == 2
    expect(with_server(raw(answer("{}", "404 X")), "incident", "watch", "7"),
           3)


# ---- exports and notes ----

LINES = b'{"seq":1}\n{"seq":2}\n'


def chunks(*parts, whole=True, kind="application/x-ndjson"):
    data = (f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n").encode()
    for p in parts:
        data += f"{len(p):x}\r\n".encode() + p + b"\r\n"
    return raw(data + (b"0\r\n\r\n" if whole else b""), close=True)


@test
def export():
    p = with_server(chunks(LINES[:3], LINES[3:]), "audit", "export",
                    "--from", "2026-01-01T00:00:00Z")
    expect(p, 0)
    assert p.stdout == LINES
    assert json.loads(p.server.requests[0][1]) == {
        "from": "2026-01-01T00:00:00Z"}
    to = f"{work}/export"
    p = with_server(chunks(LINES), "audit", "export", "--to", to, "--json")
    expect(p, 0)
    assert json.loads(p.out) == {"file": to, "bytes": 20, "lines": 2}
    assert open(to, "rb").read() == LINES
    assert os.stat(to).st_mode & 0o777 == 0o600
    p = with_server(chunks(b"x"), "audit", "export", "--to", to)
    expect(p, 5)
    assert open(to, "rb").read() == LINES
    expect(with_server(chunks(LINES), "audit", "export", "--json"), 2)


@test
def a_broken_export_leaves_nothing():
    d = f"{work}/broken"
    os.mkdir(d)
    p = with_server(chunks(LINES, whole=False), "audit", "export", "--to",
                    f"{d}/x")
    expect(p, 7)
    assert os.listdir(d) == []
    p = with_server(raw(answer("{}", "403 X")), "audit", "export", "--to",
                    f"{d}/x")
    expect(p, 4)
    assert os.listdir(d) == []
    expect(with_server(chunks(LINES), "audit", "export", "--to",
                       f"{d}/no/x"), 6)


@test
def notes():
    note = "origin\n3\nAAAA=\n\n\u2014 origin sig\n"
    p = with_server(raw(answer(note, kind="text/plain")), "audit",
                    "checkpoint")
    expect(p, 0)
    assert p.out == note
    p = with_server(raw(answer(note, kind="text/plain")), "audit", "proof",
                    "--seq", "1", "--json")
    assert json.loads(p.out) == {"text": note}
    assert "seq=1" in p.server.requests[0][0]
    p = with_server(raw(answer("\x1b[2J", kind="text/plain")), "audit",
                    "checkpoint")
    expect(p, 0)


@test
def posture():
    doc = ('{"items":[{"check":"a","ok":true,"detail":"d","fix":"f"},'
           '{"check":"b","ok":false,"detail":"d","fix":"f"}]}')
    expect(with_server(raw(answer(doc)), "posture"), 0)
    expect(with_server(raw(answer(doc)), "posture", "--strict"), 8)


# ---- logging in ----

@test
def login_and_logout():
    s = Server(raw(answer('{"name":"ann"}')))
    path = f"{work}/config/redoubt/login.json"
    p = run("login", "--url", s.url, "--ca", GOOD[0], "--project", "shop",
            stdin=TOKEN.encode() + b"\n")
    expect(p, 0)
    assert os.stat(path).st_mode & 0o777 == 0o600
    doc = json.load(open(path))
    assert doc == {"url": s.url, "ca": GOOD[0], "token": TOKEN,
                   "project": "shop"}
    p = run("incident", "list", env={"REDOUBT_PROJECT": ""})
    expect(p, 1)  # {"name"} is no list; but it was asked
    assert "/v1/projects/shop/incidents" in s.requests[-1][0]
    assert f"Bearer {TOKEN}" in s.requests[-1][0]
    # another server does not get this token
    other = Server(raw(answer()))
    run("whoami", env={"REDOUBT_URL": other.url, "REDOUBT_CA": GOOD[0]})
    assert other.requests and TOKEN not in other.requests[0][0]
    other.close()
    os.chmod(path, 0o644)
    expect(run("whoami"), 2, "chmod 600")
    expect(run("logout"), 0)
    assert not os.path.exists(path)
    expect(run("logout"), 0)
    expect(run("whoami"), 4, "not logged in")
    s.close()


@test
def a_refused_login_writes_nothing():
    s = Server(raw(answer("{}", "401 X")))
    path = f"{work}/config/redoubt/login.json"
    p = run("login", "--url", s.url, "--ca", GOOD[0], stdin=TOKEN.encode())
    expect(p, 4)
    assert not os.path.exists(path)
    expect(run("login", "--url", s.url, "--ca", GOOD[0], stdin=b"hunter2\n"),
           6, "no token")
    expect(run("login", "--url", s.url, stdin=b""), 6)
    expect(run("login", "--url", "http://a", stdin=TOKEN.encode()), 2)
    expect(run("login", "--ca", "/nonexistent", stdin=TOKEN.encode()), 2)
    assert not os.path.exists(path)
    s.close()


@test
def a_token_in_the_arguments_is_refused():
    p = subprocess.run([REDOUBT, "whoami", TOKEN], stderr=subprocess.PIPE)
    assert p.returncode == 2 and TOKEN.encode() not in p.stderr


# ---- output ----

@test
def a_full_disk_is_told():
    with open("/dev/full", "wb") as full:
        p = subprocess.run([REDOUBT, "help"], stdout=full,
                           stderr=subprocess.PIPE)
    assert p.returncode == 1 and b"cannot write" in p.stderr


@test
def closed_descriptors():
    p = subprocess.run(f"{REDOUBT} version 0<&- 1>&- 2>&-", shell=True)
    assert p.returncode in (0, 1)
    p = subprocess.run(f"{REDOUBT} help | head -1", shell=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.stdout.startswith(b"usage") and p.stderr == b""


@test
def completions_and_man_page():
    for shell, check in (("bash", "bash -n"), ("zsh", "zsh -n"),
                         ("fish", "fish -n")):
        p = run("completion", shell, allowed="\n\t")
        expect(p, 0)
        path = f"{work}/c.{shell}"
        open(path, "w").write(p.out)
        if shutil.which(shell):
            sh(*check.split(), path)
    # and they complete
    line = "redoubt incident list --status ack"
    typed = f"({line})"
    p = subprocess.run(["bash", "-c", f"""
        source {work}/c.bash; COMP_WORDS={typed}; COMP_CWORD=4; _redoubt
        echo "${{COMPREPLY[*]}}" """], stdout=subprocess.PIPE)
    assert p.stdout == b"acknowledged\n", p.stdout
    if shutil.which("zsh"):
        p = subprocess.run(["zsh", "-fc", f"""
            compdef() {{}}; source {work}/c.zsh
            compadd() {{ shift; print -r -- $* }}
            words={typed}; CURRENT=5; _redoubt"""], stdout=subprocess.PIPE)
        assert b"acknowledged" in p.stdout.split(), p.stdout
    if shutil.which("fish"):
        p = subprocess.run(["fish", "-Nc", f"""
            source {work}/c.fish; complete -C '{line}'"""],
                           stdout=subprocess.PIPE)
        assert p.stdout.startswith(b"acknowledged\t"), p.stdout
    page = f"{work}/redoubt.1"
    open(page, "w").write(run("help", "--man").out)
    if shutil.which("mandoc"):
        r = subprocess.run(["mandoc", "-T", "lint", page],
                           stdout=subprocess.PIPE)
        assert r.stdout == b"", r.stdout.decode()
    names = {c["name"] for c in json.loads(run("help", "--json").out)
             ["commands"]}
    for name in names:
        p = run(*name.split(), "--help")
        expect(p, 0)
        assert p.out.startswith(f"usage: redoubt {name}"), name


print(f"1..{passed + failed}")
shutil.rmtree(work, ignore_errors=True)
sys.exit(failed != 0)
