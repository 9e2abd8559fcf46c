#!/usr/bin/env python3
"""
Ways around the relay of a script (reference: audit-sandbox-secrets B6, B9).
Each is tried against the real broker over the socket a sandbox has.  What
counts is the effect: nobody but the approved service may be reached, and the
approved one only by a handshake that names it.  Every try is to be reported.
"""
import array
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from brokerkit import *  # noqa: E402,F403

tried = []


class Victim(threading.Thread):
    """Who must not be reached; keeps what reached it."""

    def __init__(self, address, port=0, says=b""):
        super().__init__(daemon=True)
        self.got, self.says = [], says
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((address, port))
        self.sock.listen(64)
        self.port = self.sock.getsockname()[1]
        self.start()

    def run(self):
        while True:
            s, _ = self.sock.accept()
            self.got.append(s)
            s.sendall(self.says)
            if self.says:
                s.recv(10)
            s.close()


# ---- TLS by hand ----

def ext(kind, data):
    return struct.pack(">HH", kind, len(data)) + data


def sni(*names, kind=0):
    entries = b"".join(bytes([kind]) + struct.pack(">H", len(n)) + n
                       for n in names)
    return ext(0, struct.pack(">H", len(entries)) + entries)


VERSIONS = ext(43, b"\x04\x03\x04\x03\x03")
ONLY12 = ext(43, b"\x02\x03\x03")
GROUPS = ext(10, b"\x00\x04\x00\x1d\x00\x17")
SIGALGS = ext(13, b"\x00\x08\x04\x03\x08\x04\x05\x03\x08\x05")
SHARE = ext(51, b"\x00\x24\x00\x1d\x00\x20" + b"\x09" * 32)


def message(*exts, body=None):
    block = b"".join(exts)
    body = body if body is not None else (
        b"\x03\x03" + b"\x11" * 32 + b"\x20" + b"\x22" * 32 +
        b"\x00\x04\x13\x01\x13\x02" + b"\x01\x00" +
        struct.pack(">H", len(block)) + block)
    return b"\x01" + struct.pack(">I", len(body))[1:] + body


def record(data, kind=22, version=0x0301):
    return struct.pack(">BHH", kind, version, len(data)) + data


def hello(name=b"svc.test", *more):
    return record(message(sni(name), VERSIONS, GROUPS, SIGALGS, SHARE, *more))


def split(text, pieces):
    """One handshake message over so many records."""
    m = text[5:]
    step = -(-len(m) // pieces)
    return b"".join(record(m[i:i + step]) for i in range(0, len(m), step))


class World:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="relay-"))
        self.ca = Authority(self.dir)
        self.key, self.crt = self.ca.issue("svc", "DNS:svc.test")
        self.service = Service(self.key, self.crt,
                               lambda r: (200, {}, b"hello"))
        self.old = Service(self.key, self.crt, lambda r: (200, {}, b"old"),
                           maximum=ssl.TLSVersion.TLSv1_2)
        self.retry = Service(
            self.key, self.crt, lambda r: (200, {}, b"again"),
            setup=lambda c: c.set_ecdh_curve("secp384r1"))
        self.plain = Victim("127.0.0.1")
        self.talker = Victim("127.0.0.1", says=b"220 mail.test ESMTP\r\n")
        self.port = self.service.port
        self.victim = Victim("127.0.0.1")
        self.shadow = Victim("127.0.0.2", self.port)
        self.flips = 0
        bad = {"meta.test": "169.254.169.254", "zero.test": "0.0.0.0",
               "ten.test": "10.1.2.3", "seven.test": "172.16.9.9",
               "home.test": "192.168.1.1", "cgn.test": "100.64.3.4",
               "loop2.test": "127.0.0.2", "multi.test": "224.0.0.1",
               "class-e.test": "240.0.0.1", "bcast.test": "255.255.255.255",
               "doc.test": "192.0.2.1", "bench.test": "198.18.0.1",
               "loop6.test": "::1", "any6.test": "::",
               "link6.test": "fe80::1", "ula.test": "fd00::5",
               "mapped.test": "::ffff:127.0.0.2",
               "compat.test": "::127.0.0.1",
               "nat64.test": "64:ff9b::7f00:1", "six4.test": "2002:7f00:1::",
               "teredo.test": "2001:0:7f00:1::", "aws6.test": "fd00:ec2::254",
               "site.test": "fec0::1", "multi6.test": "ff02::1"}
        self.bad = bad
        table = {n: [a] for n, a in bad.items()}
        table.update({
            "svc.test": ["127.0.0.1"], "old.test": ["127.0.0.1"],
            "evil.test": ["127.0.0.1"], "svc.test.evil.test": ["127.0.0.1"],
            "evilsvc.test": ["127.0.0.1"], "xn--svc-8na.test": ["127.0.0.1"],
            "alias.test": "cname:inner.test", "inner.test": ["10.9.8.7"],
            "alias2.test": "cname:loop2.test",
            "both.test": ["127.0.0.2", "127.0.0.1"],
            "flip.test": self.flip, "localhost": ["127.0.0.1"]})
        self.names = Names(table)
        self.broker = Broker(resolver=[f"127.0.0.1:{self.names.port}"],
                             authorities=self.ca.pem, idle_ms=2000,
                             bytes=8 << 20)
        hosts = [f"{n}:{self.port}" for n in bad]
        self.documents = [
            self.document(),
            self.document(slug="bad-a", hosts=hosts[:12], base=f"https://"
                          f"meta.test:{self.port}"),
            self.document(slug="bad-b", hosts=hosts[12:], base=f"https://"
                          f"loop6.test:{self.port}"),
            self.document(slug="more", base=f"https://flip.test:{self.port}",
                          hosts=[f"{n}:{self.port}" for n in (
                              "flip.test", "alias.test", "alias2.test",
                              "both.test", "gone.test")] +
                          [f"old.test:{self.old.port}",
                           f"svc.test:{self.old.port}",
                           f"svc.test:{self.retry.port}",
                           f"svc.test:{self.plain.port}",
                           f"svc.test:{self.talker.port}"])]
        self.id, self.path = self.broker.relay(*self.documents)

    def document(self, **more):
        return connector(self.port, **{"script_egress": "pass", **more})

    def flip(self):
        """Every second answer leads to the shadow."""
        self.flips += 1
        return ["127.0.0.1" if self.flips % 2 else "127.0.0.2"]

    def open(self, path=None):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(15)
        for _ in range(40):  # it has a name before it listens
            with contextlib.suppress(ConnectionRefusedError):
                s.connect(path or self.path)
                return s
            time.sleep(0.05)
        s.connect(path or self.path)
        return s

    def head(self, target=None, more=""):
        target = target or f"svc.test:{self.port}"
        return (f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
                f"{more}\r\n").encode("latin-1")

    def decision(self, i=None):
        i = i or self.id
        return self.broker.wait(
            lambda e: e["id"] == i and e["what"] == "decision")

    def reached(self):
        return (len(self.service.names), len(self.victim.got),
                len(self.shadow.got))


def heard(s):
    """All until the end."""
    out = b""
    with contextlib.suppress(OSError):
        while True:
            got = s.recv(65536)
            if not got:
                break
            out += got
    return out


def refused_head(w, name, raw, end):
    """A CONNECT that must get no 200 and reach nobody."""
    before = w.reached()
    s = w.open()
    s.sendall(raw)
    s.shutdown(socket.SHUT_WR)
    said = heard(s)
    s.close()
    e = w.decision()
    tried.append(name)
    check(b" 200" not in said.split(b"\r\n")[0] and said.startswith(b"HTTP/"),
          name, said[:80])
    same(e["end"], end, name)
    same(w.reached(), before, name)


def refused_hello(w, name, raw, end, target=None):
    """After the 200: what must not reach the service."""
    before = w.reached()
    s = w.open()
    s.sendall(w.head(target))
    said = s.recv(4096)
    check(said.startswith(b"HTTP/1.1 200"), name, said)
    for piece in raw if isinstance(raw, list) else [raw]:
        s.sendall(piece)
        time.sleep(0.01 if isinstance(raw, list) else 0)
    s.shutdown(socket.SHUT_WR)
    said = heard(s)
    s.close()
    e = w.decision()
    tried.append(name)
    same(e["end"], end, name)
    check(said in (b"", b"\x15\x03\x03\0\2\2\x31"), name, said[:40])
    same(w.reached(), before, name)


# ---- what is let through ----

def talk(w, s, name="svc.test", context=None):
    c = context or ssl.create_default_context(cafile=str(w.ca.cert))
    t = c.wrap_socket(s, server_hostname=name)
    version = t.version()
    t.sendall(f"GET /x HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    return heard(t), version


@test
def the_approved_service(w):
    s = w.open()
    s.sendall(w.head(more="User-Agent: curl/7.88\r\n"
                     "Proxy-Connection: Keep-Alive\r\n"))
    check(s.recv(100).startswith(b"HTTP/1.1 200"))
    said, version = talk(w, s)
    check(said.endswith(b"hello"), said)
    same(version, "TLSv1.3")
    e = w.decision()
    same((e["end"], e["host"], e["port"], e["address"]),
         ("ok", "svc.test", w.port, "127.0.0.1"))
    e = w.broker.wait(lambda e: e["what"] == "closed")
    check(e["up"] > 200 and e["down"] > 500, e)


@test
def the_way_python_says_it(w):
    s = w.open()
    s.sendall(f"CONNECT svc.test:{w.port} HTTP/1.0\r\n\r\n".encode())
    check(s.recv(100).startswith(b"HTTP/1.1 200"))
    check(talk(w, s)[0].endswith(b"hello"))
    same(w.decision()["end"], "ok")


@test
def in_many_pieces(w):
    """Byte for byte, and a ClientHello over three records."""
    s = w.open()
    for b in w.head():
        s.sendall(bytes([b]))
    check(s.recv(100).startswith(b"HTTP/1.1 200"))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    c = ssl.create_default_context(cafile=str(w.ca.cert))
    t = c.wrap_bio(incoming, outgoing, server_hostname="svc.test")
    with contextlib.suppress(ssl.SSLWantReadError):
        t.do_handshake()
    for b in split(outgoing.read(), 3):
        s.sendall(bytes([b]))
    done = False
    while not done:
        incoming.write(s.recv(65536))
        try:
            t.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            pass
        s.sendall(outgoing.read() or b"")
    same(t.version(), "TLSv1.3")
    s.close()
    same(w.decision()["end"], "ok")


@test
def a_server_that_asks_again(w):
    """HelloRetryRequest: the second greeting is looked at too."""
    target = f"svc.test:{w.retry.port}"
    s = w.open()
    s.sendall(w.head(target))
    s.recv(100)
    said, version = talk(w, s)
    check(said.endswith(b"again") and version == "TLSv1.3", said)
    same(w.decision()["end"], "ok")
    s = w.open()
    s.sendall(w.head(target))
    s.recv(100)
    p384 = ext(10, b"\x00\x04\x00\x1d\x00\x18")
    s.sendall(record(message(sni(b"svc.test"), VERSIONS, p384, SIGALGS,
                             SHARE)))
    answer = s.recv(65536)
    check(answer[5:6] == b"\x02" and b"\xcf\x21\xad\x74" in answer, "no retry")
    before = len(w.retry.names)
    s.sendall(b"\x14\x03\x03\0\1\1" + hello(b"evil.test"))
    heard(s)
    same(w.decision()["end"], "relay.sni")
    tried.append("another name in the second ClientHello")
    same(len(w.retry.names), before)


# ---- heads ----

@test
def heads(w):
    p = w.port
    t = "relay.target"
    r = "relay.request"
    for name, target, end in [
            ("userinfo", f"a@svc.test:{p}", t),
            ("userinfo with a port", f"svc.test:{p}@evil.test:{p}", t),
            ("a trailing dot", f"svc.test.:{p}", t),
            ("upper case", f"SVC.TEST:{p}", t),
            ("mixed case", f"Svc.test:{p}", t),
            ("an address", f"127.0.0.1:{p}", t),
            ("IPv6", f"[::1]:{p}", t),
            ("a zone", f"[fe80::1%25lo]:{p}", t),
            ("a decimal address", f"2130706433:{p}", t),
            ("an octal address", f"0177.0.0.1:{p}", t),
            ("a hexadecimal address", f"0x7f000001:{p}", t),
            ("hexadecimal parts", f"0x7f.0.0.0x1:{p}", t),
            ("a short address", f"127.1:{p}", t),
            ("all zeros", f"0.0.0.0:{p}", t),
            ("one zero", f"0:{p}", t),
            ("a name that ends in a number", f"svc.test.1:{p}", t),
            ("a port with a zero before it", f"svc.test:0{p}", t),
            ("port 0", "svc.test:0", t),
            ("port 65536", "svc.test:65536", t),
            ("a port beyond 16 bits", f"svc.test:{p + 65536}", t),
            ("a signed port", f"svc.test:+{p}", t),
            ("a hexadecimal port", f"svc.test:{p:#x}", t),
            ("no port", "svc.test", t),
            ("an empty port", "svc.test:", t),
            ("two ports", f"svc.test:{p}:{p}", t),
            ("a wildcard", f"*.test:{p}", t),
            ("a percent escape", f"svc%2etest:{p}", t),
            ("an escaped NUL", f"svc.test%00.evil.test:{p}", t),
            ("an underscore", f"svc_x.test:{p}", t),
            ("a hyphen first", f"-svc.test:{p}", t),
            ("an empty label", f"svc..test:{p}", t),
            ("a dot first", f".svc.test:{p}", t),
            ("a label of 64", f"{'a' * 64}.test:{p}", t),
            ("a name of 254", f"{'a.' * 126}aa:{p}", t),
            ("a URL", f"https://svc.test:{p}/", t),
            ("a path", f"svc.test:{p}/", t),
            ("a list", f"svc.test:{p},evil.test:{p}", t),
            ("letters of Unicode", f"sv\xe7.test:{p}", r),
            ("a NUL", f"svc.test\0.evil.test:{p}", r),
            ("a tab", f"svc.test:{p}\t", r),
            ("an unapproved host", f"evil.test:{p}", "relay.host"),
            ("an unapproved port", f"svc.test:{w.victim.port}", "relay.host"),
            ("a name before it", f"svc.test.evil.test:{p}", "relay.host"),
            ("a name around it", f"evilsvc.test:{p}", "relay.host"),
            ("punycode", f"xn--svc-8na.test:{p}", "relay.host"),
            ("localhost", f"localhost:{p}", "relay.host"),
            ("its own name server", f"svc.test:{w.names.port}",
             "relay.host")]:
        refused_head(w, name, w.head(target), end)


@test
def requests(w):
    p = w.port
    t = f"svc.test:{p}"
    h = f"Host: {t}\r\n"
    r = "relay.request"
    first = f"CONNECT {t} HTTP/1.1\r\n"
    for name, text, end in [
            ("GET of an http URL", f"GET http://{t}/ HTTP/1.1\r\n{h}\r\n",
             "relay.method"),
            ("GET of an https URL", f"GET https://{t}/ HTTP/1.1\r\n{h}\r\n",
             "relay.method"),
            ("POST", f"POST / HTTP/1.1\r\n{h}\r\n", "relay.method"),
            ("connect in lower case", f"connect {t} HTTP/1.1\r\n{h}\r\n",
             "relay.method"),
            ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", r),
            ("HTTP/0.9", f"CONNECT {t}\r\n\r\n", r),
            ("HTTP/1.2", f"CONNECT {t} HTTP/1.2\r\n{h}\r\n", r),
            ("two blanks", f"CONNECT  {t} HTTP/1.1\r\n{h}\r\n", r),
            ("a tab between", f"CONNECT\t{t} HTTP/1.1\r\n{h}\r\n", r),
            ("a blank line first", f"\r\n{first}{h}\r\n", r),
            ("two Hosts", first + h + h + "\r\n", r),
            ("two Hosts that differ", first + h + "Host: evil.test\r\n\r\n",
             r),
            ("another Host", first + f"Host: evil.test:{p}\r\n\r\n", r),
            ("a Host without the port", first + "Host: svc.test\r\n\r\n", r),
            ("no Host", first + "\r\n", r),
            ("a line feed alone", first.replace("\r", "") + h + "\r\n", r),
            ("line feeds alone", (first + h + "\r\n").replace("\r", ""), r),
            ("a carriage return inside", first + h + "X: a\rb\r\n\r\n", r),
            ("a folded line", first + h + "X: a\r\n b: c\r\n\r\n", r),
            ("a blank before the colon", first + h + "X : a\r\n\r\n", r),
            ("a field without a name", first + h + ": a\r\n\r\n", r),
            ("a field without a colon", first + h + "evil\r\n\r\n", r),
            ("chunks", first + h + "Transfer-Encoding: chunked\r\n\r\n", r),
            ("a length", first + h + "Content-Length: 5\r\n\r\n", r),
            ("an upgrade", first + h + "Upgrade: h2c\r\n\r\n", r),
            ("CR LF in the target",
             f"CONNECT {t}\r\nHost: evil HTTP/1.1\r\n\r\n", r),
            ("a head of 9 KiB", first + h + f"X: {'a' * 9000}\r\n\r\n", r),
            ("40 fields", first + h + "X: a\r\n" * 40 + "\r\n", r),
            ("a second CONNECT behind it", (first + h + "\r\n") * 2,
             "relay.early"),
            ("bytes behind it", first + h + "\r\nx", "relay.early"),
            ("SOCKS 5", "\x05\x01\x00", r),
            ("SOCKS 4", "\x04\x01\x01\xbb\x7f\0\0\x01\0", r),
            ("nothing", "", r)]:
        refused_head(w, name, text.encode("latin-1"), end)
    refused_head(w, "a handshake behind it", w.head() + hello(),
                 "relay.early")
    refused_head(w, "a handshake without CONNECT", hello(), r)


# ---- addresses ----

@test
def addresses(w):
    for name, address in w.bad.items():
        refused_head(w, f"a name for {address}", w.head(f"{name}:{w.port}"),
                     "address")
    for name, end in [("alias.test", "address"), ("alias2.test", "address"),
                      ("gone.test", "dns")]:
        refused_head(w, name, w.head(f"{name}:{w.port}"), end)


@test
def names_that_change(w):
    """The address that was checked is the one that is connected to."""
    before = len(w.shadow.got)
    ends = []
    for _ in range(20):
        s = w.open()
        s.sendall(w.head(f"flip.test:{w.port}"))
        said = s.recv(200)
        if said.startswith(b"HTTP/1.1 200"):
            s.sendall(hello(b"flip.test"))
        s.close()
        ends.append(w.decision()["end"])
    tried.append("a name that changes")
    check("address" in ends, ends)
    same(len(w.shadow.got), before, "the shadow was reached")
    # of two addresses only the one that may be
    s = w.open()
    s.sendall(w.head(f"both.test:{w.port}"))
    check(s.recv(200).startswith(b"HTTP/1.1 200"))
    s.close()
    same(w.decision()["address"], "127.0.0.1")
    same(len(w.shadow.got), before, "the shadow was reached")
    tried.append("one good address of two")


# ---- handshakes ----

@test
def handshakes(w):
    n = "relay.tls"
    good = hello()
    body = good[9:]
    for name, raw, end in [
            ("no name", record(message(VERSIONS, GROUPS, SHARE)),
             "relay.sni.none"),
            ("no extensions", record(message(body=b"\x03\x03" + b"\x11" * 32 +
                                             b"\0\0\x02\x13\x01\x01\0")),
             "relay.sni.none"),
            ("another name", hello(b"evil.test"), "relay.sni"),
            ("the name in upper case", hello(b"SVC.TEST"), "relay.sni"),
            ("the name with a dot", hello(b"svc.test."), "relay.sni"),
            ("the name and a NUL", hello(b"svc.test\0"), "relay.sni"),
            ("a longer name", hello(b"svc.test.evil.test"), "relay.sni"),
            ("an empty name", hello(b""), n),
            ("two names", record(message(sni(b"svc.test", b"evil.test"),
                                         VERSIONS)), "relay.sni"),
            ("two names, the other first",
             record(message(sni(b"evil.test", b"svc.test"), VERSIONS)),
             "relay.sni"),
            ("two lists of names",
             record(message(sni(b"svc.test"), VERSIONS, sni(b"evil.test"))),
             "relay.sni"),
            ("a name of another type",
             record(message(sni(b"svc.test", kind=1), VERSIONS)),
             "relay.sni"),
            ("ECH", hello(b"svc.test", ext(0xfe0d, b"\0" * 40)),
             "relay.ech"),
            ("GREASE that looks like ECH",
             hello(b"svc.test", ext(0xfe0d, os.urandom(180))), "relay.ech"),
            ("the outside of ECH", hello(b"svc.test", ext(0xfd00, b"\2\0\0")),
             "relay.ech"),
            ("ESNI", hello(b"svc.test", ext(0xffce, b"\0" * 20)),
             "relay.ech"),
            ("an extension twice", hello(b"svc.test", VERSIONS), n),
            ("TLS 1.2 only", record(message(sni(b"svc.test"), ONLY12)),
             "relay.version"),
            ("TLS 1.2 of old", record(message(sni(b"svc.test"))),
             "relay.version"),
            ("HTTP", b"GET / HTTP/1.1\r\nHost: svc.test\r\n\r\n", n),
            ("CONNECT again", w.head("evil.test:443"), n),
            ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n", n),
            ("SSL 2", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", n),
            ("application data", record(body, kind=23), n),
            ("an alert", record(b"\1\0", kind=21), n),
            ("change_cipher_spec first", record(b"\1", kind=20) + good, n),
            ("an empty record", record(b"") + good, n),
            ("a record of SSL 3", record(good[5:], version=0x0300), n),
            ("a record of the future", record(good[5:], version=0x0304), n),
            ("a record too long", struct.pack(">BHH", 22, 0x301, 0x4001) +
             b"\1" * 0x4001, n),
            ("a server's hello", record(b"\2" + good[6:]), n),
            ("a length that lies", good[:6] + b"\0\0\x10" + good[9:], n),
            ("a longer length", good[:6] + b"\0\xff\xff" + good[9:], n),
            ("a hello of 17 KiB",
             split(hello(b"svc.test", ext(21, b"\0" * 17000)), 2), n),
            ("bytes behind the message", record(good[5:] + b"x"), n),
            ("a second hello behind it", good + hello(b"evil.test"), n),
            ("early data behind it", good + record(b"x" * 20, kind=23), n),
            ("extensions cut short", record(message(
                body=body[:-4])), n),
            ("another name over three records",
             split(hello(b"evil.test"), 3), "relay.sni"),
            ("another name, byte for byte",
             [bytes([b]) for b in split(hello(b"evil.test"), 3)],
             "relay.sni"),
            ("half a hello", good[:60], n),
            ("nothing", b"", n)]:
        refused_hello(w, name, raw, end)


@test
def servers(w):
    """TLS 1.2 where 1.3 is asked for; a service that speaks no TLS."""
    s = w.open()
    s.sendall(w.head(f"svc.test:{w.old.port}"))
    check(s.recv(200).startswith(b"HTTP/1.1 200"))
    try:
        talk(w, s)
        check(False, "TLS 1.2 went through")
    except ssl.SSLError as e:
        check("ACCESS_DENIED" in str(e).upper(), e)
    same(w.decision()["end"], "relay.version")
    tried.append("a server of TLS 1.2")
    for name, target, end in [
            ("a server that hangs up", w.plain.port, "connect"),
            ("a server without TLS", w.talker.port, "relay.tls")]:
        s = w.open()
        s.sendall(w.head(f"svc.test:{target}"))
        check(s.recv(200).startswith(b"HTTP/1.1 200"), name)
        s.sendall(hello())
        said = heard(s)
        tried.append(name)
        same(w.decision()["end"], end, name)
        check(said in (b"", b"\x15\x03\x03\0\2\2\x31"), name, said[:30])
    # ... and where the connector allows it
    i, path = w.broker.relay(connector(w.old.port, script_egress="pass",
                                       min_tls="1.2"))
    s = w.open(path)
    s.sendall(w.head(f"svc.test:{w.old.port}"))
    s.recv(200)
    said, version = talk(w, s)
    check(said.endswith(b"old") and version == "TLSv1.2", said)
    same(w.decision(i)["end"], "ok")


# ---- bounds ----

@test
def slow_ones(w):
    """A byte a second: ten seconds for the head, ten for the greeting."""
    ends = {}

    def slow(name, first, rest):
        s = w.open()
        s.sendall(first)
        if first:
            s.recv(100)
        begun = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 20:
                s.sendall(rest[:1])
                rest = rest[1:]
                s.settimeout(1)
                with contextlib.suppress(socket.timeout):
                    if not s.recv(100):
                        break
        ends[name] = time.monotonic() - begun
    threads = [threading.Thread(target=slow, args=a) for a in [
        ("head", b"", w.head()), ("hello", w.head(), hello())]]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(sorted(w.decision()["end"] for _ in ends),
         ["relay.request", "relay.tls"])
    tried.extend(ends)
    for name, took in ends.items():
        check(8 < took < 14, name, took)


@test
def too_many_connections(w):
    i, path = w.broker.relay(w.document())
    held = [w.open(path) for _ in range(16)]
    time.sleep(0.3)
    s = w.open(path)
    said = heard(s)
    check(said.startswith(b"HTTP/1.1 429"), said)
    same(w.decision(i)["end"], "relay.connections")
    tried.append("the 17th connection")
    # another step's are its own
    s = w.open()
    s.sendall(w.head())
    check(s.recv(100).startswith(b"HTTP/1.1 200"))
    s.close()
    w.decision()
    for s in held:
        s.close()
    for _ in held:
        w.decision(i)
    s = w.open(path)
    s.sendall(w.head())
    check(s.recv(100).startswith(b"HTTP/1.1 200"), "room again")
    s.close()
    w.decision(i)


@test
def the_budget(w):
    """8 MiB here, for all connections of a step together."""
    i, path = w.broker.relay(w.document())
    s = w.open(path)
    s.sendall(w.head())
    s.recv(100)
    t = ssl.create_default_context(cafile=str(w.ca.cert)).wrap_socket(
        s, server_hostname="svc.test")
    t.sendall(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")
    sent = 0
    with contextlib.suppress(OSError):
        while sent < 20 << 20:
            t.sendall(b"x" * 16384)
            sent += 16384
    e = w.broker.wait(lambda e: e["what"] == "closed" and e["id"] == i)
    same(e["end"], "relay.budget")
    check(7 << 20 < e["up"] + e["down"] <= 8 << 20, e)
    tried.append("more than the budget")
    w.decision(i)
    s = w.open(path)
    s.sendall(w.head())
    for _ in range(3):
        said = s.recv(100)
        break
    w.broker.wait(lambda e: e["what"] == "decision" and e["id"] == i)
    check(said.startswith((b"HTTP/1.1 429", b"HTTP/1.1 200")), said)


@test
def silence(w):
    i, path = w.broker.relay(w.document())
    s = w.open(path)
    s.sendall(w.head())
    s.recv(100)
    t = ssl.create_default_context(cafile=str(w.ca.cert)).wrap_socket(
        s, server_hostname="svc.test")
    begun = time.monotonic()
    with contextlib.suppress(OSError):
        t.recv(100)
    took = time.monotonic() - begun
    check(1.5 < took < 5, took)
    same(w.broker.wait(lambda e: e["what"] == "closed" and
                       e["id"] == i)["end"], "relay.idle")


def descriptors(w):
    return len(os.listdir(f"/proc/{w.broker.pid}/fd"))


@test
def descriptors_that_are_passed(w):
    """They stay behind, with the first byte as with any other."""
    time.sleep(0.5)
    before = descriptors(w)
    secret = open(w.dir / "ca.key")
    s = w.open()
    raw = w.head()
    for at in (0, 10, len(raw) - 1):
        end = len(raw) if at == len(raw) - 1 else (10 if at == 0 else
                                                   len(raw) - 1)
        s.sendmsg([raw[at:end]], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                   array.array("i", [secret.fileno()] * 8))])
        time.sleep(0.05)
    check(s.recv(100).startswith(b"HTTP/1.1 200"))
    names = [os.readlink(f"/proc/{w.broker.pid}/fd/{n}")
             for n in os.listdir(f"/proc/{w.broker.pid}/fd")]
    check(not any("ca.key" in n for n in names), names)
    check(descriptors(w) <= before + 2, "descriptors")
    s.close()
    w.decision()
    tried.append("descriptors over the socket")


@test
def the_end_of_a_step(w):
    i, path = w.broker.relay(w.document())
    s = w.open(path)
    s.sendall(w.head())
    s.recv(100)
    t = ssl.create_default_context(cafile=str(w.ca.cert)).wrap_socket(
        s, server_hostname="svc.test")
    w.decision(i)
    w.broker.say(op="cancel", id=i)
    e = w.broker.wait(lambda e: e["what"] == "ended" and e["id"] == i)
    check(e["up"] > 0 and e["down"] > 0, e)
    same(w.broker.wait(lambda e: e["what"] == "closed" and
                       e["id"] == i)["end"], "cancelled")
    with contextlib.suppress(OSError):
        check(not t.recv(10), "still open")
    try:
        w.open(path)
        check(False, "still listening")
    except ConnectionRefusedError:
        pass
    tried.append("after the end")


SECRET = "hunter2-Tr0ub4dor&3"


def invoked(w, path, raw):
    s = w.open(path)
    s.sendall(raw)
    said = heard(s)
    s.close()
    head, _, body = said.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0].decode(), body


@test
def actions_without_the_credential(w):
    """script_egress: inject: the broker adds it, the script never has it."""
    svc = Service(w.key, w.crt, lambda r: (200, {
        "Content-Type": "application/json"}, json.dumps(
            {"path": r["path"], "said": r["headers"]["Authorization"]}
            ).encode()))
    doc = connector(svc.port, slug="tick-1", script_egress="inject",
                    auth={"kind": "bearer", "secret": "s"}, actions=[
                        {"name": "get_it", "method": "GET",
                         "path": "/x/{p}", "params": [
                             {"name": "p", "type": "string",
                              "required": True, "max_length": 20}],
                         "outputs": [
                             {"name": "path", "type": "string",
                              "pointer": "/path"},
                             {"name": "said", "type": "string",
                              "pointer": "/said"}]}])
    i, path = w.broker.relay(doc, secret=SECRET)

    def raw(body=b'{"p":"a b"}', target="http://tick-1.connector/get_it",
            host="tick-1.connector", more="", method="POST",
            version="HTTP/1.1", length=None):
        return (f"{method} {target} {version}\r\nHost: {host}\r\n{more}"
                f"Content-Length: {len(body) if length is None else length}"
                "\r\n\r\n").encode() + body
    status, body = invoked(w, path, raw())
    same(status, "HTTP/1.1 200 OK")
    same(json.loads(body), {"code": "ok", "status": 200, "outputs": {
        "path": "/x/a%20b", "said": "Bearer ***"}})
    same(svc.got[0]["headers"]["Authorization"], "Bearer " + SECRET)
    e = w.decision(i)
    same((e["end"], e["host"], e["port"], e["status"]),
         ("ok", "svc.test", svc.port, 200))
    n = len(svc.got)
    host = "Host: tick-1.connector\r\n"
    for name, text, end in [
            ("another action", raw(
                target="http://tick-1.connector/other"), "action"),
            ("another connector", raw(
                target="http://tick-2.connector/get_it",
                host="tick-2.connector"), "relay.host"),
            ("the service itself", raw(
                target=f"http://svc.test:{svc.port}/x"), "relay.target"),
            ("a query", raw(target="http://tick-1.connector/get_it?a=b"),
             "relay.target"),
            ("more path", raw(target="http://tick-1.connector/get_it/x"),
             "relay.target"),
            ("a port", raw(target="http://tick-1.connector:80/get_it",
                           host="tick-1.connector:80"), "relay.target"),
            ("capitals", raw(target="http://TICK-1.connector/get_it"),
             "relay.target"),
            ("GET", raw(method="GET"), "relay.method"),
            ("parameters that leave their place",
             raw(b'{"p":"../admin"}'), "request"),
            ("no parameters", raw(b""), "params"),
            ("other parameters", raw(b'{"p":"a","x":1}'), "params"),
            ("no JSON", raw(b"p=a"), "params"),
            ("another Host", raw(host="tick-2.connector"), "relay.request"),
            ("two Hosts", raw(more=host), "relay.request"),
            ("chunks", raw(more="Transfer-Encoding: chunked\r\n"),
             "relay.request"),
            ("two lengths", raw(more="Content-Length: 11\r\n"),
             "relay.request"),
            ("bytes behind it", raw(length=3), "relay.early"),
            ("a second request behind it", raw() + raw(), "relay.early"),
            ("a body of 33 KiB", raw(b'{"p":"' + b"a" * 33000 + b'"}'),
             "relay.request"),
            ("a line feed alone", raw().replace(b"\r\n", b"\n", 1),
             "relay.request"),
            ("CONNECT to its host", w.head(f"svc.test:{svc.port}"),
             "relay.host")]:
        status, body = invoked(w, path, text)
        check(" 200 " not in status and SECRET.encode() not in body, name)
        same(w.decision(i)["end"], end, name)
        tried.append("inject: " + name)
    same(len(svc.got), n, "the service was asked")
    # one whose egress is pass has no actions for scripts
    i, path = w.broker.relay(dict(doc, script_egress="pass"), secret=SECRET)
    status, _ = invoked(w, path, raw())
    same((status.split()[1], w.decision(i)["end"]), ("405", "relay.method"))
    # a secret that cannot be used is none
    i, path = w.broker.relay(doc, secret="short")
    status, body = invoked(w, path, raw())
    same((status.split()[1], json.loads(body)["code"]), ("502", "credential"))
    same(w.decision(i)["end"], "credential")
    same(len(svc.got), n)


@test
def documents_that_are_not_for_scripts(w):
    for name, more, end in [
            ("none", {"script_egress": "none"}, "connector"),
            ("not said", {"script_egress": None}, "connector"),
            ("expired", {"expires_at": "2020-01-01T00:00:00Z"},
             "connector.expired"),
            ("a wildcard", {"hosts": ["*.test:443"]}, "connector"),
            ("another member", {"evil": 1}, "connector")]:
        i, path = w.broker.relay(w.document(**more))
        same(w.broker.wait(lambda e: e["what"] == "ended" and
                           e["id"] == i)["end"], end, name)
        tried.append(f"a document: {name}")
        try:
            s = w.open(path)
            s.sendall(w.head())
            check(not s.recv(10), name)
        except OSError:
            pass


@test
def nobody_else_was_reached(w):
    same(len(w.victim.got), 0)
    same(len(w.shadow.got), 0)
    same(set(w.service.names), {"svc.test", "flip.test"})
    print(f"# {len(tried)} ways around tried, 0 led anywhere")
    check(len(tried) >= 60)


if __name__ == "__main__":
    run(World())
