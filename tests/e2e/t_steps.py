#!/usr/bin/env python3
"""
The whole way: a real server, a real delegate with its sandbox and its broker,
runbooks that others have approved, secrets the server cannot open, and a
service of this test that keeps what arrived.
"""
import base64
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))
import brokerkit as kit  # noqa: E402
import t_vault  # noqa: E402
from delegatekit import DRig  # noqa: E402
from rig import BINARY, later, run, test  # noqa: E402
from runkit import Book  # noqa: E402
from secretkit import sealed  # noqa: E402

TOKEN = "ghp_9fK2mQx7RtZ4vB1nW8sL5pY0cD3hJ6gA"
PASSWORD = "correct horse battery/staple&42"
SITE = {"labels": {"site": "fra"}}


class World:
    """What there is besides the server; made at the first test."""

    def __init__(self, rig):
        self.rig = rig
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="steps-"))
        self.ca = kit.Authority(self.dir)
        key, crt = self.ca.issue("svc", "DNS:svc.test")
        self.service = kit.Service(key, crt, self.answer)
        self.other = kit.Service(key, crt, lambda r: (200, {}, b"other"))
        self.names = kit.Names({"svc.test": ["127.0.0.1"]})
        self.enroll()
        _, self.checker = rig.person("approver", rig.project)
        for name, value in (("token", TOKEN), ("password", PASSWORD)):
            rig.ok(rig.post(rig.p + "/secrets",
                            sealed(rig, name, value.encode())), 201)
        self.connector("tickets", actions=[
            {"name": "create", "method": "POST", "path": "/q/{queue}",
             "params": [{"name": "queue", "type": "string",
                         "required": True},
                        {"name": "title", "type": "string",
                         "required": True}],
             "body": {"title": {"param": "title"}}},
            {"name": "fail", "method": "GET", "path": "/fail"}],
            auth={"kind": "bearer", "secret": "token"})
        self.connector("helper", script_egress="inject", actions=[
            {"name": "create", "method": "POST", "path": "/from/{queue}",
             "params": [{"name": "queue", "type": "string",
                         "required": True}], "body": {},
             "outputs": [{"name": "echo", "type": "string",
                          "pointer": "/echo"}]}],
            auth={"kind": "bearer", "secret": "token"})
        self.connector("raw", script_egress="pass", actions=[
            {"name": "get", "method": "GET", "path": "/"}],
            auth={"kind": "none"})

    def answer(self, request):
        if request["path"] == "/fail":
            return 503, {"Retry-After": "1"}, b"later"
        said = request["headers"].get("Authorization", "")
        return 200, {"Content-Type": "application/json"}, json.dumps(
            {"key": "T-1", "echo": said}).encode()

    def enroll(self):
        rig = self.rig
        slot = rig.ok(rig.post(rig.p + "/delegates", {
            "name": "real", "labels": {"site": "fra"}}), 201).json
        d = self.dir / "delegate"
        argv = [BINARY, "delegate", "enroll", "--dir", str(d), "--url",
                rig.url, "--ca", str(rig.ca), "--name", "real"]
        subprocess.run(argv, input=slot["token"] + "\n", text=True,
                       capture_output=True)
        _, boss = rig.person("org_admin")
        rig.ok(boss.post(f"{rig.p}/delegates/{slot['id']}/approve", {}), 200)
        r = subprocess.run(argv, input=slot["token"] + "\n", text=True,
                           capture_output=True)
        rig.eq(r.returncode, 0, r.stderr)
        ca = self.dir / "authorities.pem"
        ca.write_text(self.ca.pem)
        conf = d / "policy.conf"
        conf.chmod(0o600) if conf.exists() else None
        conf.write_text(f"""[delegate]
labels = site=fra
kinds = script http
runbooks = *
connectors = *
hosts = *
secrets = *
[interpreter sh]
path = /bin/sh
profile = interp
[broker]
resolvers = 127.0.0.1:{self.names.port}
authorities = {ca}
""")
        conf.chmod(0o600)
        self.log = open(self.dir / "log", "wb")
        self.process = subprocess.Popen(
            [BINARY, "delegate", "run", "--dir", str(d)], stdout=self.log,
            stderr=self.log, stdin=subprocess.DEVNULL)

    def connector(self, slug, port=None, **kw):
        rig = self.rig
        doc = kit.connector(port or self.service.port, slug=slug, name=slug,
                            delegates=SITE, expires_at=later(86400 * 100),
                            **kw)
        rig.ok(rig.post(rig.p + "/connectors", doc), 201)
        c = rig.ok(rig.post(f"{rig.p}/connectors/{slug}/submit"), 200).json
        rig.ok(self.checker.post(f"{rig.p}/connectors/{slug}/approve",
                                 {"digest": c["digest"]}), 200)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def world(rig):
    if not hasattr(rig, "world"):
        rig.world = World(rig)
    return rig.world


def done(rig, slug, step, inputs=None, declared=()):
    """A published runbook of one step, run to its end."""
    b = Book(rig, slug, [step], inputs=[
        {"name": n, "type": "string", "required": True} for n in declared])
    r = b.start(inputs=inputs or {})
    return r.until(lambda r: r.state not in ("queued", "running"), 30)


def written(rig, r, step):
    a = rig.get(f"{r.path}/log?step={step}")
    rig.ok(a, 200)
    return a.body.decode("utf-8", "replace")


def holds(w, what):
    """Files of delegate and server that have it, in any plain spelling."""
    found = []
    for top in (w.dir / "delegate", pathlib.Path(w.rig.data)):
        for p in top.rglob("*"):
            if p.is_file():
                b = p.read_bytes()
                found += [str(p) for x in (
                    what, base64.b64encode(what)[:20],
                    what.hex().encode()) if x in b]
    return found


def script(text, **kw):
    return {"id": "s", "kind": "script", "interpreter": "sh", "script": text,
            "delegates": SITE, **kw}


@test
def an_http_step(rig):
    w = world(rig)
    r = done(rig, "ticket", {
        "id": "t", "kind": "http", "connector": "tickets",
        "action": "create",
        "params": {"queue": {"input": "queue"}, "title": 'disk "full"'},
        "outputs": [{"name": "key", "type": "string", "pointer": "/key"},
                    {"name": "echo", "type": "string", "pointer": "/echo"}]},
        {"queue": "a/b c"}, ["queue"])
    rig.eq(r.state, "succeeded", str(r.json))
    got = w.service.got[-1]
    rig.eq((got["method"], got["path"], json.loads(got["body"]),
            got["headers"]["Authorization"], got["version"]),
           ("POST", "/q/a%2Fb%20c", {"title": 'disk "full"'},
            "Bearer " + TOKEN, "TLSv1.3"))
    rig.eq(r.step("t")["outputs"], {"key": "T-1", "echo": "Bearer ***"})
    rig.check("svc.test" in written(rig, r, "t"), "log")


@test
def a_service_that_fails(rig):
    w = world(rig)
    n = len(w.service.got)
    r = done(rig, "failing", {
        "id": "t", "kind": "http", "connector": "tickets", "action": "fail"})
    rig.eq((r.state, r.at("t")), ("failed", ("failed", "answer.status")),
           str(r.json))
    rig.eq(len(w.service.got), n + 1, "tried again")


@test
def secrets_in_a_script(rig):
    """L21: it has the secret, says it in many ways, and none is kept."""
    world(rig)
    r = done(rig, "talkative", script(
        """read -r p <&3
echo "password: $p"
printf '%s' "$p" | base64
printf '%s' "$p" | od -An -tx1
printf '%s' "$p" | xxd -p 2>/dev/null || true
printf '%s' "$p" | rev; echo
printf '%s' "$p" | cut -c1-9 | tr -d '\\n'; sleep 0.3
printf '%s\\n' "$p" | cut -c10-
printf '%s' "$p" | fold -w 7 >&2
echo done
""", secrets=["password"]))
    rig.eq(r.state, "succeeded", str(r.json))
    text = written(rig, r, "s")
    rig.check("password: ***" in text and "done" in text, text)
    flat = "".join(text.split())
    for what in (PASSWORD, PASSWORD[4:16], PASSWORD[::-1][4:16],
                 base64.b64encode(PASSWORD.encode()).decode()[:16],
                 PASSWORD.encode().hex()[:24]):
        rig.check("".join(what.split()) not in flat, what + " in " + text)


def curl(port, host="svc.test"):
    return script(f"""cat >ca.pem <<'X'
%s
X
curl -sS --cacert ca.pem --max-time 20 https://{host}:{port}/from-a-script
""", connectors=["raw"])


@test
def a_script_and_its_connector(rig):
    w = world(rig)
    step = curl(w.service.port)
    step["script"] = step["script"] % w.ca.pem
    r = done(rig, "out", step)
    rig.eq(r.state, "succeeded", str(r.json) + written(rig, r, "s"))
    rig.check('"T-1"' in written(rig, r, "s"), written(rig, r, "s"))
    rig.eq(w.service.got[-1]["path"], "/from-a-script")


@test
def a_script_and_a_credential_it_does_not_have(rig):
    w = world(rig)
    r = done(rig, "helped", script(
        """curl -sS -x "$HTTPS_PROXY" http://helper.connector/create \\
    -d '{"queue":"ops"}'
curl -sS -x "$HTTPS_PROXY" http://tickets.connector/create -d '{}'
env; cat /proc/self/environ /proc/1/environ 2>/dev/null | tr '\\0' '\\n'
""", connectors=["helper"]))
    text = written(rig, r, "s")
    rig.eq(r.state, "succeeded", str(r.json) + text)
    rig.check('"echo":"Bearer ***"' in text and "relay.host" in text, text)
    rig.eq((w.service.got[-1]["path"],
            w.service.got[-1]["headers"]["Authorization"]),
           ("/from/ops", "Bearer " + TOKEN))


@test
def a_script_and_what_is_not_its(rig):
    w = world(rig)
    n = len(w.other.got), len(w.other.names)
    for slug, port, host, extra in [
            ("out-port", w.other.port, "svc.test", ""),
            ("out-host", w.service.port, "evil.test", ""),
            ("out-direct", w.other.port, "127.0.0.1", "--noproxy '*'")]:
        step = curl(port, host)
        step["script"] = (step["script"] % w.ca.pem).replace(
            "curl ", f"curl {extra} ")
        r = done(rig, slug, step)
        rig.eq(r.state, "failed", slug + str(r.json))
    # without a connector there is no proxy at all
    step = curl(w.service.port)
    step["script"] = step["script"] % w.ca.pem
    del step["connectors"]
    m = len(w.service.got)
    r = done(rig, "out-none", step)
    rig.eq((r.state, len(w.service.got)), ("failed", m))
    rig.eq((len(w.other.got), len(w.other.names)), n)


@test
def a_secret_of_an_external_manager(rig):
    """A real OpenBao; the server knows where it lies, the delegate reads it,
    for the step alone."""
    w = world(rig)
    bao = t_vault.World()
    try:
        w.names.table["bao.test"] = ["127.0.0.1"]
        rig.ok(rig.post(rig.p + "/secrets",
                        sealed(rig, "bao-token", bao.limited.encode())), 201)
        w.connector("bao", port=bao.port, host="bao.test", kind="vault",
                    ca=bao.ca.pem, actions=["health"],
                    auth={"kind": "bearer", "secret": "bao-token"})
        rig.ok(rig.post(rig.p + "/secrets", {"name": "managed", "external": {
            "connector": "bao", "path": "kv/data/app/db",
            "field": "password"}}), 201)
        r = done(rig, "managed", script(
            "read -r p <&3; echo \"it: $p\"; printf %s \"$p\" | wc -c\n",
            secrets=["managed"], connectors=["bao"]))
        text = written(rig, r, "s")
        rig.eq(r.state, "succeeded", str(r.json) + text)
        rig.check("it: ***\n" in text and
                  f"{len(t_vault.VALUE.encode())}\n" in text, text)
        rig.eq(holds(w, t_vault.VALUE.encode()), [], "on a disk")
        bao.api("PUT", "sys/seal")
        b = rig.ok(rig.post(rig.p + "/runbooks/managed/runs", {}), 201).json
        r.id, r.path = b["id"], f"{rig.p}/runs/{b['id']}"
        r.until(lambda r: r.state not in ("queued", "running"), 30)
        rig.eq((r.state, r.at("s")[0]), ("failed", "failed"), str(r.json))
    finally:
        bao.broker.stop()
        bao.process.kill()


@test
def nothing_is_kept(rig):
    w = world(rig)
    for what in (TOKEN, PASSWORD):
        rig.eq(holds(w, what.encode()), [], "on a disk")
    w.stop()
    for what in (TOKEN, PASSWORD):
        rig.check(what not in (w.dir / "log").read_text(), "its log")
        rig.check(what not in rig.log_text(), "the server's log")


if __name__ == "__main__":
    run(DRig)
