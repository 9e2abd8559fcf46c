#!/usr/bin/env python3
"""
The processes: what stops what, with which exit code, and what each has
given up, seen from outside.
"""
import base64
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import BINARY, SANITIZED, Rig, run, test  # noqa: E402


def supervisor(rig):
    """The process that the first one has started."""
    return next(pid for pid in rig.pids()
                if int(status(pid)["PPid"]) == rig.server.pid)


def children(rig):
    """{"server": pid, "keeper": pid, "idp": pid}: what the supervisor
    started, not what that has forked"""
    found, parent = {}, supervisor(rig)
    for pid in rig.pids():
        if int(status(pid)["PPid"]) != parent:
            continue
        cmd = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"--role" in cmd:
            found[cmd[-2].decode()] = pid
    return found


def status(pid):
    out = {}
    for line in open(f"/proc/{pid}/status"):
        name, _, value = line.partition(":")
        out[name] = value.strip()
    return out


def wait(rig, timeout=20):
    rc = rig.server.wait(timeout)
    rig.server = None
    rig.log.close()
    rig.close()
    return rc


@test
def what_they_gave_up(rig):
    kids = children(rig)
    rig.eq(sorted(kids), ["idp", "keeper", "server"])
    own = os.stat("/proc/self/ns/net").st_ino
    for name, pid in [*kids.items(), ("supervisor", supervisor(rig))]:
        s = status(pid)
        rig.eq(s["NoNewPrivs"], "1", name)
        rig.eq(s["Seccomp"], "2", name)
        rig.check(os.stat(f"/proc/{pid}/ns/net").st_ino != own,
                  f"{name} is in our network")
        if name != "supervisor":
            for cap in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                rig.eq(int(s[cap], 16), 0, f"{name} {cap}")
            rig.eq(os.readlink(f"/proc/{pid}/fd/1"), "/dev/null", name)
            env = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
            if not SANITIZED:
                rig.eq(env, b"", f"{name} environment")
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        core = next(x for x in limits.split("\n") if "core file" in x)
        rig.eq(core.split()[4:6], ["0", "0"], f"{name} core limit")


@test
def what_they_hold_open(rig):
    rig.ok(rig.get("/v1/whoami"), 200)
    keys = str(rig.data / "keys")
    for name, pid in children(rig).items():
        held = [os.readlink(f"/proc/{pid}/fd/{fd}")
                for fd in os.listdir(f"/proc/{pid}/fd")]
        files = [f for f in held if f.startswith("/") and
                 not f.startswith("/dev/null")]
        if name == "server":
            rig.check(not [f for f in files if f.startswith(keys)],
                      f"the server holds {files}")
        elif name == "idp":
            rig.check(not [f for f in files if f.startswith(str(rig.data))],
                      f"idp holds {files}")
        else:
            mine = [f for f in files if f.startswith(str(rig.data))]
            rig.eq(sorted(os.path.basename(f) for f in mine),
                   ["audit.key", "keeper.state"])
            rig.check(not [f for f in held if "root.key" in f], str(held))


@test
def secrets_are_not_in_readable_memory(rig):
    """The root key is in no page of any process that can be read."""
    if SANITIZED:  # 16 TiB of shadow
        return
    root = (rig.data / "keys" / "root.key").read_text().split()[2]
    raw = base64.b64decode(root)
    for name, pid in [*children(rig).items(),
                      ("supervisor", supervisor(rig)),
                      ("first", rig.server.pid)]:
        hits = seen = 0
        with open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in open(f"/proc/{pid}/maps"):
                at, perm = line.split()[:2]
                if "r" not in perm or "[v" in line:
                    continue
                lo, hi = (int(x, 16) for x in at.split("-"))
                try:
                    mem.seek(lo)
                    data = mem.read(hi - lo)
                except (OSError, ValueError, OverflowError):
                    continue
                hits += data.count(raw) + data.count(root.encode())
                seen += data.count(b"IPC_SIGNED")
        rig.check(seen > 0, f"{name}: its memory was not read")
        rig.eq(hits, 0, f"{name}: copies of the root key")


@test
def a_killed_child_stops_everything(rig):
    for name in ("server", "keeper"):
        kids = children(rig)
        os.kill(kids[name], signal.SIGKILL)
        rig.eq(wait(rig), 1, name)
        for pid in kids.values():
            rig.check(not os.path.exists(f"/proc/{pid}"), f"{pid} is left")
        rig.check(f"child={name}" in rig.log_text(), "no line about it")
        rig.start()
        rig.ok(rig.get("/v1/whoami"), 200)


@test
def a_killed_supervisor_takes_its_children(rig):
    kids = children(rig)
    os.kill(rig.server.pid, signal.SIGKILL)
    wait(rig)
    end = time.time() + 5
    while time.time() < end and any(os.path.exists(f"/proc/{p}")
                                    for p in kids.values()):
        time.sleep(0.01)
    for name, pid in kids.items():
        rig.check(not os.path.exists(f"/proc/{pid}"), f"{name} is left")
    rig.start()
    rig.ok(rig.get("/v1/whoami"), 200)


@test
def children_are_deaf(rig):
    """A terminal's or cgroup's signal to all of them is the supervisor's."""
    for pid in children(rig).values():
        for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(pid, sig)
    time.sleep(0.3)
    rig.ok(rig.get("/v1/whoami"), 200)


@test
def signals(rig):
    for sig in (signal.SIGTERM, signal.SIGINT):
        rig.eq(rig.stop(sig), 0, str(sig))
        rig.start()
    # to the whole group, as a terminal does
    os.killpg(rig.server.pid, signal.SIGINT)
    rig.eq(wait(rig), 0, "group")
    rig.start()


def served(rig):
    c = ssl.create_default_context()
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((rig.host, rig.port), 10) as s, \
            c.wrap_socket(s) as t:
        return t.getpeercert(True)


@test
def certificate_reload(rig):
    """SIGHUP: a good pair is taken, a bad one is not; nobody is cut off."""
    tls, old = rig.data / "tls", served(rig)
    kept = rig.raw()
    other = Rig(start=False)
    try:
        (tls / "key.pem").write_text("rubbish")
        rig.server.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        rig.eq(served(rig), old, "rubbish was taken")
        rig.check("tls.reload.failed" in rig.log_text(), "no line")
        for f in ("key.pem", "cert.pem", "ca.pem"):
            shutil.copyfile(other.data / "tls" / f, tls / f)
        os.chmod(tls / "key.pem", 0o644)
        rig.server.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        rig.eq(served(rig), old, "a key that others can read was taken")
        os.chmod(tls / "key.pem", 0o600)
        rig.server.send_signal(signal.SIGHUP)
        end = time.time() + 5
        while served(rig) == old and time.time() < end:
            time.sleep(0.05)
        rig.check(served(rig) != old, "the new pair was not taken")
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        rig.check(kept.recv(64).startswith(b"HTTP/1.1 200"), "cut off")
        kept.close()
        rig.close()
        rig.ok(rig.get("/v1/whoami"), 200)
    finally:
        other.done()


@test
def told_to_the_service_manager(rig):
    rig.stop()
    path = rig.dir / "notify"
    for name in (str(path), "@redoubt-test-" + str(os.getpid())):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind(name.replace("@", "\0", 1) if name[0] == "@" else name)
        s.settimeout(10)
        os.environ["NOTIFY_SOCKET"] = name
        try:
            rig.start()
            rig.eq(s.recv(100), b"READY=1\nSTATUS=serving")
            rig.eq(rig.stop(), 0)
            rig.eq(s.recv(100), b"STOPPING=1")
        finally:
            del os.environ["NOTIFY_SOCKET"]
            s.close()
    rig.start()


def serve(rig, *args, env=None):
    out = subprocess.run([BINARY, "serve", "--data", str(rig.data),
                          "--listen", "127.0.0.1:0", *args],
                         capture_output=True, text=True, timeout=30,
                         env=env)
    return out.returncode, out.stderr, out.stdout


@test
def what_is_wrong_is_said(rig):
    rig.stop()
    d = rig.data

    def refused(what, rc, word):
        got, err, out = serve(rig)
        rig.check(got == rc and word in err and "ready" not in out,
                  f"{what}: {got}, want {rc}, {word}: {err[-400:]}")

    def with_mode(path, mode, rc, word):
        old = os.stat(path).st_mode & 0o7777
        os.chmod(path, mode)
        refused(f"{path.name} {mode:o}", rc, word)
        os.chmod(path, old)

    with_mode(d / "keys/root.key", 0o444, 2, "root.key")
    with_mode(d / "keys/root.key", 0o420, 2, "root.key")
    with_mode(d / "keys/audit.key", 0o644, 2, "audit.key")
    with_mode(d / "tls/key.pem", 0o640, 2, "key.pem")
    with_mode(d, 0o777, 2, "others may write")
    for name, rc in (("keys/root.key", 7), ("keys/audit.key", 3),
                     ("keys/keeper.state", 3), ("tls/cert.pem", 3),
                     ("db/store.db", 3)):
        os.rename(d / name, d / "aside")
        refused("no " + name, rc, name.split("/")[1])
        os.rename(d / "aside", d / name)
    state = d / "keys/keeper.state"
    good = state.read_bytes()
    state.write_bytes(bytes(len(good)))
    refused("an empty state", 8, "keeper.state")
    state.write_bytes(good)
    conf = d / "redoubt.conf"
    text = conf.read_text()
    conf.write_text(text + "\n[server]\nreactors = many\n")
    refused("a bad setting", 2, "reactors")
    conf.write_text(text)
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(1)
    at = "127.0.0.1:%d" % s.getsockname()[1]
    rc, err, _ = serve(rig, "--listen", at)
    rig.check(rc == 7 and "in use" in err, f"{rc} {err[-300:]}")
    s.close()
    rig.start()
    rig.ok(rig.get("/v1/whoami"), 200)


@test
def a_root_key_from_systemd(rig):
    """keys.root without a slash is a credential."""
    rig.stop()
    creds = rig.dir / "creds"
    creds.mkdir(mode=0o700)
    os.rename(rig.data / "keys/root.key", creds / "redoubt-root")
    os.chmod(creds / "redoubt-root", 0o440)
    conf = rig.data / "redoubt.conf"
    text = conf.read_text()
    conf.write_text(text + "\n[keys]\nroot = redoubt-root\n")
    rc, err, _ = serve(rig)
    rig.check(rc == 2 and "credential" in err, f"{rc} {err[-300:]}")
    os.environ["CREDENTIALS_DIRECTORY"] = str(creds)
    try:
        rig.start()
        rig.ok(rig.get("/v1/whoami"), 200)
        rig.stop()
    finally:
        del os.environ["CREDENTIALS_DIRECTORY"]
    os.rename(creds / "redoubt-root", rig.data / "keys/root.key")
    os.chmod(rig.data / "keys/root.key", 0o400)
    conf.write_text(text)
    rig.start()


@test
def as_another_user(rig):
    """Started by root on a directory of somebody else's: the server is them,
    the keeper and the idp role are who they were told to be, and nobody can
    come back."""
    if os.geteuid() != 0:
        return
    rig.stop()
    conf = rig.data / "redoubt.conf"
    text = conf.read_text()
    conf.write_text(text + "\n[keeper]\nuser = daemon\n[idp]\nuser = bin\n")
    os.chmod(rig.dir, 0o755)
    for p in [rig.data, rig.data / "db", *(rig.data / "db").iterdir()]:
        os.chown(p, 65534, 65534)
    rig.start()
    kids = children(rig)
    rig.eq(status(kids["server"])["Uid"].split(), ["65534"] * 4)
    rig.eq(status(kids["server"])["Groups"], "")
    rig.eq(len(set(status(kids["keeper"])["Uid"].split())), 1)
    rig.eq(len(set(status(kids["idp"])["Uid"].split())), 1)
    rig.eq(len({status(p)["Uid"] for p in kids.values()}), 3, "uids")
    rig.check(status(kids["keeper"])["Uid"].split()[0] not in
              ("0", "65534"), "the keeper's uid")
    rig.ok(rig.post(rig.p + "/incidents", {"title": "as nobody"}), 201)
    rig.eq(rig.stop(), 0)
    conf.write_text(text + "\n[server]\nuser = daemon\n")
    rc, err, _ = serve(rig)
    rig.check(rc == 2 and "belongs to" in err, f"{rc} {err[-300:]}")
    conf.write_text(text)
    for p in [rig.data, rig.data / "db", *(rig.data / "db").iterdir()]:
        os.chown(p, 0, 0)
    rig.start()


@test
def without_root(_):
    """An ordinary user gets all of it too, with user namespaces."""
    if os.geteuid() != 0:
        return
    import tempfile
    top = pathlib.Path(tempfile.mkdtemp(prefix="redoubt-user-"))
    os.chown(top, 65534, 65534)
    binary = top / "redoubt"
    shutil.copyfile(os.path.realpath(BINARY), binary)
    os.chmod(binary, 0o755)
    who = dict(user=65534, group=65534, extra_groups=[])
    data = str(top / "data")
    try:
        out = subprocess.run([binary, "init", "--data", data],
                             capture_output=True, text=True, **who)
        _.eq(out.returncode, 0, out.stderr)
        p = subprocess.Popen([binary, "serve", "--data", data, "--listen",
                              "127.0.0.1:0"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, **who)
        line = p.stdout.readline()
        _.check(line.startswith("ready "), line)
        p.send_signal(signal.SIGTERM)
        log = p.communicate(timeout=30)[1]
        _.eq(p.returncode, 0, log)
        if not SANITIZED:
            _.eq(log.count("event=confined"), 4, log)
        _.eq(log.count("netns=1"), 4, log)
    finally:
        shutil.rmtree(top)


run()
