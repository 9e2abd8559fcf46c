#!/usr/bin/env python3
"""
The root key file opened by a PKCS#11 token (SoftHSM) and by a TPM (swtpm):
real ones in software.  What is unplugged, changed, locked or absent says so,
and nothing is lost by it.
"""
import os
import shutil
import subprocess
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from keykit import PASS, fresh, key, lines, says  # noqa: E402
from rig import SANITIZED, Rig, run, test  # noqa: E402

MODULE = "/usr/lib/softhsm/libsofthsm2.so"


def soft_token(rig, pin):
    d = rig.dir / "hsm"
    (d / "tokens").mkdir(parents=True)
    (d / "softhsm2.conf").write_text(
        f"directories.tokendir = {d}/tokens\nobjectstore.backend = file\n"
        "log.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(d / "softhsm2.conf")
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label",
                    "unit test", "--pin", pin, "--so-pin", "00000000"],
                   check=True, capture_output=True)
    p = rig.dir / "pin"
    p.write_text(pin + "\n")
    p.chmod(0o400)
    return p


@fresh
def a_token(rig):
    pin = soft_token(rig, "482910")
    add = ("key-source", "add", "--kind", "pkcs11", "--module", MODULE)
    says(rig, "needed", *add, rc=6)
    says(rig, "no token", *add, "--token", "another", "--pin", str(pin), rc=7)
    key(rig, *add, "--token", "unit test", "--pin", str(pin))
    text = (rig.data / "keys/root.key").read_text()
    rig.check("482910" not in text and "pkcs11" in text, text)
    t = key(rig, "key-source", "test", "pkcs11")
    print(f"# unsealed with a token in {t['ms']} ms")
    rig.check(t["ms"] <= 150 * max(1, os.getloadavg()[0]) or SANITIZED,
              f"{t['ms']} ms")
    rig.start()
    rig.ok(rig.get("/v1/whoami"), 200)
    key(rig, "key", "rotate")
    rig.make_incident("after the rotation")
    rig.eq(rig.stop(), 0)
    key(rig, "key-source", "add", "--kind", "passphrase", said=lines(PASS))
    # unplugged
    tokens, away = rig.dir / "hsm/tokens", rig.dir / "hsm/away"
    tokens.rename(away)
    tokens.mkdir()
    says(rig, "is it plugged in", "key-source", "test", "pkcs11", rc=7)
    rig.start(word="sealed")
    rig.check("plugged in" in rig.log_text(), "the log says why")
    key(rig, "key", "unseal", said=lines(PASS))
    rig.says("ready")
    rig.close()
    rig.ok(rig.get("/v1/whoami"), 200)
    rig.stop()
    tokens.rmdir()
    rig.start(word="sealed")
    away.rename(tokens)
    key(rig, "key", "unseal")
    rig.says("ready")
    rig.close()
    rig.stop()
    # a wrong PIN, a file that is not there, another token's key
    pin.chmod(0o600)
    pin.write_text("111111")
    says(rig, "the PIN is wrong", "key-source", "test", "pkcs11", rc=4)
    pin.unlink()
    says(rig, "No such file", "key-source", "test", "pkcs11", rc=3)
    shutil.rmtree(tokens)
    soft = rig.dir / "hsm"
    soft.rename(rig.dir / "old")
    soft_token(rig, "482910")
    says(rig, "no key", "key-source", "test", "pkcs11", rc=7)
    # a module that others can change is not loaded
    bad = rig.dir / "bad.so"
    shutil.copy(MODULE, bad)
    bad.chmod(0o777)
    says(rig, "no PKCS#11 module", "key-source", "add", "--kind", "pkcs11",
         "--name", "x", "--module", str(bad), "--token", "unit test",
         "--pin", str(pin), rc=7, said=lines(PASS))


@fresh
def a_token_with_somebody(rig):
    soft_token(rig, "482910")
    key(rig, "key-source", "add", "--kind", "pkcs11", "--module", MODULE,
        "--token", "unit test", "--ask-pin", said=lines("482910"))
    rig.start(word="sealed")
    says(rig, "PIN is wrong", "key", "unseal", said=lines("1234"), rc=4)
    key(rig, "key", "unseal", said=lines("482910"))
    rig.says("ready")
    rig.close()
    rig.ok(rig.get("/v1/whoami"), 200)


class Tpm:
    """swtpm on a unix socket; it forgets nothing between two of them."""

    def __init__(self, rig, name="tpm"):
        self.dir = rig.dir / name
        self.dir.mkdir(exist_ok=True)
        self.sock = rig.dir / (name + ".sock")
        self.start()

    def start(self):
        self.sock.unlink(missing_ok=True)
        self.p = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.dir}",
             "--server", f"type=unixio,path={self.sock}",
             "--ctrl", f"type=unixio,path={self.sock}.ctrl",
             "--flags", "not-need-init,startup-clear"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.time() + 10
        while not self.sock.exists() and time.time() < end:
            time.sleep(0.01)

    def stop(self):
        """In order: else the TPM takes it for an attack on its PINs."""
        if self.p.poll() is None:
            subprocess.run(["tpm2_shutdown", "-T", self.tcti],
                           capture_output=True)
            self.p.terminate()
        self.p.wait()

    @property
    def tcti(self):
        return f"swtpm:path={self.sock}"


@fresh
def a_tpm(rig):
    tpm = Tpm(rig)
    try:
        key(rig, "key-source", "add", "--kind", "tpm2", "--tcti", tpm.tcti)
        t = key(rig, "key-source", "test", "tpm2")
        print(f"# unsealed with a TPM in {t['ms']} ms")
        rig.check(t["ms"] <= 1000 * max(1, os.getloadavg()[0]) or SANITIZED,
                  f"{t['ms']} ms")
        rig.start()
        rig.ok(rig.get("/v1/whoami"), 200)
        rig.stop()
        tpm.stop()
        says(rig, "no TPM to talk to", "key-source", "test", "tpm2", rc=7)
        rig.start(word="sealed")
        tpm.start()
        key(rig, "key", "unseal")
        rig.says("ready")
        rig.close()
        rig.stop()
        # a disk in another machine
        tpm.stop()
        shutil.rmtree(tpm.dir)
        tpm.dir.mkdir()
        tpm.start()
        says(rig, "another TPM", "key-source", "test", "tpm2", rc=7)
    finally:
        tpm.stop()


@fresh
def a_tpm_with_pcrs_and_a_pin(rig):
    tpm = Tpm(rig)
    try:
        add = ("key-source", "add", "--kind", "tpm2", "--tcti", tpm.tcti)
        says(rig, "numbers from 0 to 23", *add, "--pcrs", "7,24", rc=6)
        key(rig, *add, "--pcrs", "7,16", "--ask-pin", said=lines("91827"))
        s = key(rig, "key", "split", "--shares", "2", "--threshold", "2",
                said=lines("91827"))["shares"]
        key(rig, "key-source", "test", "tpm2", said=lines("91827"))
        says(rig, "PIN is wrong", "key-source", "test", "tpm2",
             said=lines("00000"), rc=4)
        r = subprocess.run(["tpm2_pcrextend", "-T", tpm.tcti,
                            "16:sha256=" + "ab" * 32], capture_output=True,
                           text=True)
        rig.eq(r.returncode, 0, r.stderr)
        says(rig, "PCR is not as it was", "key-source", "test", "tpm2",
             said=lines("91827"), rc=7)
        # which is what the second way in is for
        key(rig, "key", "status", said=lines(*s))
    finally:
        tpm.stop()


run(make=lambda: Rig(start=False))
