#!/usr/bin/env python3
"""
All of it, for real: a server with its keeper, people who write, approve and
publish, a delegate that enrolled itself, scripts in its sandbox, an http step
through its broker to a service of ours, a secret the server cannot open.
"""
import http.server
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from delegatekit import DRig  # noqa: E402
from liarserver import BINARY, Tls  # noqa: E402
from rig import later, run, test  # noqa: E402
from runkit import Book, approval, script  # noqa: E402
from secretkit import sealed  # noqa: E402

SECRET = b"correct horse battery staple"
AT = {"labels": {"site": "fra"}}


class Service:
    """What arrived, with what credential."""

    def __init__(self, path):
        self.got, got = [], None
        got = self.got

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                got.append((self.path, self.headers.get("authorization"),
                            json.loads(body)))
                out = b'{"id":"T-1","state":{"n":3}}'
                self.send_response(201)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(out)))
                self.end_headers()
                self.wfile.write(out)

            def log_message(self, *_):
                pass

        self.tls = Tls(path)
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(self.tls.chain)
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.socket = c.wrap_socket(self.http.socket, server_side=True,
                                         do_handshake_on_connect=False)
        self.host = f"127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever,
                         daemon=True).start()


POLICY = """[delegate]
labels = site=fra os=linux
kinds = script http
runbooks = hello tickets guarded slow
connectors = desk
hosts = %s
secrets = db desk
[interpreter sh]
path = /bin/sh
"""


class Host:
    """A delegate's host: enrolled by the command line, approved by another."""

    def __init__(self, rig, policy):
        self.rig, self.dir = rig, rig.dir / "delegate"
        slot = rig.ok(rig.post(rig.p + "/delegates", {
            "name": "fra-1", "labels": {"site": "fra", "os": "linux"}}),
            201).json
        self.id, self.path = slot["id"], f"{rig.p}/delegates/{slot['id']}"
        p = self.cli("enroll", "--url", rig.url, "--ca", rig.ca, "--json",
                     "--join-token", slot["token"], "--name", "fra-1")
        print_ = json.loads(p.stdout)["fingerprint"]
        _, approver = rig.person("org_admin")
        rig.ok(approver.post(self.path + "/approve",
                             {"fingerprint": print_}), 200)
        (self.dir / "policy.conf").write_text(policy)
        (self.dir / "policy.conf").chmod(0o600)
        self.p, self.out = None, open(rig.dir / "delegate.log", "ab")

    def cli(self, *args, input=None):
        p = subprocess.run([BINARY, "delegate", *args, "--dir",
                            str(self.dir)], input=(input or "") + "\n",
                           text=True, capture_output=True)
        self.rig.check(p.returncode == 0, f"{args}: {p.stderr}")
        return p

    def start(self):
        self.p = subprocess.Popen([BINARY, "delegate", "run", "--dir",
                                   str(self.dir)], stderr=self.out,
                                  stdin=subprocess.DEVNULL)
        return self

    def stop(self, sig=signal.SIGTERM):
        if self.p is not None:
            self.p.send_signal(sig)
            self.p.wait(30)
        self.p = None

    def status(self):
        return json.loads(self.cli("status", "--json").stdout)

    def text(self):
        return (self.rig.dir / "delegate.log").read_text()


def world(rig):
    if not hasattr(rig, "its_host"):
        rig.service = Service(rig.dir)
        rig.its_host = Host(rig, POLICY % rig.service.host).start()
    return rig.its_host


def log_of(rig, r, step=None):
    q = f"?step={step}" if step else ""
    return rig.ok(rig.get(f"{r.path}/log{q}"), 200).body


def over(r, seconds=30):
    r.until(lambda r: r.state not in ("running", "queued"), seconds)
    return r


@test
def a_script_with_a_secret(rig):
    world(rig)
    rig.ok(rig.post(rig.p + "/secrets", sealed(rig, "db", SECRET)), 201)
    b = Book(rig, "hello", [script(
        "say", secrets=["db"], args=[{"input": "who"}],
        script="read -r s <&$SECRET_FD_DB\necho \"hello $1, ${#s}\"\n"
               "echo \"$s\"\nprintf '{\"n\": %d}' ${#s} "
               ">/job/outputs.json\n",
        outputs=[{"name": "n", "type": "integer"}])],
        inputs=[{"name": "who", "type": "string", "required": True}],
        outputs=[{"name": "length", "type": "integer",
                  "value": {"step": "say", "output": "n"}}])
    r = over(b.start(inputs={"who": "w\u00f6rld; rm -rf /"}))
    rig.eq((r.state, r.at("say")), ("succeeded", ("succeeded", None)),
           r.json)
    rig.eq(r.json["outputs"], {"length": len(SECRET)})
    log = log_of(rig, r, "say")
    rig.check("hello w\u00f6rld; rm -rf /, 28\n".encode() in log, log)
    rig.check(SECRET not in log and b"***" in log, log)


@test
def an_http_step_through_a_connector(rig):
    world(rig)
    s = rig.service
    rig.ok(rig.post(rig.p + "/secrets", sealed(rig, "desk", b"t0k3n-" * 4)),
           201)
    c = rig.ok(rig.post(rig.p + "/connectors", {
        "slug": "desk", "kind": "https", "base": f"https://{s.host}/api",
        "hosts": [s.host], "ca": s.tls.ca.read_text(),
        "allow_cidrs": ["127.0.0.1/32"],
        "actions": [{"name": "open", "method": "POST", "path": "/tickets",
                     "body": {"title": {"param": "title"}},
                     "params": [{"name": "title", "type": "string",
                                 "required": True}]}],
        "auth": {"kind": "bearer", "secret": "desk"}, "delegates": AT,
        "expires_at": later(86400)}), 201).json
    rig.ok(rig.post(f"{rig.p}/connectors/desk/submit"), 200)
    _, ann = rig.person("approver", rig.project)
    rig.ok(ann.post(f"{rig.p}/connectors/desk/approve",
                    {"digest": c["digest"]}), 200)
    b = Book(rig, "tickets", [
        script("find", script="printf '{\"host\": \"db1\"}' "
                              ">/job/outputs.json\n",
               outputs=[{"name": "host", "type": "string"}]),
        {"id": "open", "kind": "http", "connector": "desk", "action": "open",
         "params": {"title": {"concat": ["disk of ", {
             "step": "find", "output": "host"}]}},
         "outputs": [{"name": "ticket", "type": "string", "pointer": "/id"},
                     {"name": "n", "type": "integer",
                      "pointer": "/state/n"}]}],
        outputs=[{"name": "ticket", "type": "string",
                  "value": {"step": "open", "output": "ticket"}}])
    r = over(b.start())
    rig.eq((r.state, r.json["outputs"]), ("succeeded", {"ticket": "T-1"}),
           r.json)
    rig.eq(s.got, [("/api/tickets", "Bearer " + "t0k3n-" * 4,
                    {"title": "disk of db1"})])
    rig.check(b"t0k3n" not in log_of(rig, r), "credential in the log")


@test
def behind_an_approval(rig):
    world(rig)
    b = Book(rig, "guarded", [approval("sure"), script("do")])
    r = b.start()
    r.until(lambda r: r.at("sure")[0] == "approval", 10)
    _, ann = rig.person("approver", rig.project)
    r.do("approve", ann, step="sure", decision="approve")
    over(r)
    rig.eq((r.state, r.at("do")), ("succeeded", ("succeeded", None)), r.json)


@test
def what_the_owner_does_not_allow(rig):
    world(rig)
    b = Book(rig, "elsewhere", [script("say")])
    r = over(b.start())
    rig.eq((r.state, r.at("say")), ("failed", ("failed",
                                               "policy.runbook")), r.json)


@test
def killed_while_it_runs(rig):
    g = world(rig)
    b = Book(rig, "slow", [script("nap", script="echo nap\nsleep 3\n",
                                  timeout_s=60)], timeout_s=90)
    r = b.start()
    r.until(lambda r: b"nap" in log_of(rig, r), 20)
    g.stop(signal.SIGKILL)
    g.start()
    over(r, 60)
    rig.eq((r.state, r.at("nap")[1]), ("failed", "lost"), r.json)
    r = over(b.start())
    rig.eq(r.state, "succeeded", r.json)


@test
def it_is_a_witness_and_can_be_revoked(rig):
    g = world(rig)
    shown = rig.ok(rig.get(g.path), 200).json
    rig.check(shown["witness"]["size"] > 0, shown)
    rig.ok(rig.post(g.path + "/revoke"), 200)
    end = time.monotonic() + 15
    while time.monotonic() < end and not g.status()["running"]["revoked"]:
        time.sleep(0.2)
    rig.check(g.status()["running"]["revoked"], g.status())
    g.stop()
    rig.check(SECRET.decode() not in g.text() and
              "t0k3n" not in g.text(), "a secret in the delegate's log")
    for f in pathlib.Path(g.dir).rglob("*"):
        if f.is_file():
            rig.check(SECRET not in f.read_bytes(), f"a secret in {f}")


if __name__ == "__main__":
    run(DRig)
