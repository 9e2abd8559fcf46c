#!/usr/bin/env python3
"""
The broker of a delegate against real services: what arrives, how it ends,
and what must not be possible.  Name server, certificates and services are of
this test; the broker is the product's, confined as always.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from brokerkit import *  # noqa: E402,F403


class World:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="broker-"))
        self.ca = Authority(self.dir)
        self.key, self.crt = self.ca.issue("svc", "DNS:svc.test")
        self.names = Names({"svc.test": ["127.0.0.1"]})
        self.broker = Broker(resolver=[f"127.0.0.1:{self.names.port}"],
                             authorities=self.ca.pem)

    def service(self, answer, **more):
        return Service(self.key, self.crt, answer, **more)


JSON = {"Content-Type": "application/json"}


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
    check(len(fds) <= 5, "descriptors", fds)


if __name__ == "__main__":
    run(World())
