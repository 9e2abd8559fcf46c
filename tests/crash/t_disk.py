#!/usr/bin/env python3
"""
Disk full, read-only disk, a locked store, damaged pages, wrong and missing
root keys: a clear message, the right status or exit code, nothing lost.
"""
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import BINARY, Rig, run, test  # noqa: E402


def serve(data, *args, timeout=15):
    """Exit code and messages of a serve that is expected to refuse."""
    p = subprocess.Popen([BINARY, "serve", "--data", str(data), "--listen",
                          "127.0.0.1:0", *args], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True,
                         start_new_session=True)
    try:
        out, _ = p.communicate(timeout=timeout)
        return p.returncode, out
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        out, _ = p.communicate()
        return None, out


class Small(Rig):
    """A data directory on a small disk of its own."""

    def __init__(self, size="24m"):
        self.size = size
        super().__init__(start=False)
        disk = self.dir / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o",
                        f"size={size},mode=0700", "none", str(disk)],
                       check=True)
        shutil.copytree(self.data, disk / "data", symlinks=True,
                        ignore=shutil.ignore_patterns("control.sock"))
        for p in [self.data, *self.data.rglob("*")]:
            q = disk / "data" / p.relative_to(self.data)
            if p.name == "control.sock":
                continue
            os.chmod(q, p.stat().st_mode & 0o777)
        self.data = disk / "data"
        self.disk = disk
        self.start()

    def done(self):
        self.stop()
        subprocess.run(["umount", str(self.disk)])
        super().done()


@test
def disk_full(_):
    if os.geteuid() != 0:
        return
    rig = Small()
    try:
        kept, status = [], None
        for k in range(2000):
            r = rig.post(rig.p + "/incidents",
                         {"title": f"full {k}", "summary": "x" * 60000})
            status = r.status
            if status != 201:
                break
            kept.append(r.json["id"])
        rig.check(status == 503, f"{r!r}")
        rig.check(r.code in ("no_space", "audit_unavailable", "io"), repr(r))
        rig.check("retry-after" in {k.lower() for k in r.headers}, "header")
        # a read needs its audit entry, so it may be refused, not lost
        r = rig.get(rig.p + "/incidents/" + kept[0])
        rig.check(r.status in (200, 503), repr(r))
        rig.check(len(kept) > 20, f"{len(kept)} kept")
        subprocess.run(["mount", "-o", "remount,size=64m", str(rig.disk)],
                       check=True)
        r = rig.post(rig.p + "/incidents", {"title": "room again"})
        rig.ok(r, 201)
        for id in kept[:3] + kept[-3:]:
            rig.ok(rig.get(rig.p + "/incidents/" + id), 200)
        rig.stop()
        out = rig.cli("audit", "verify", "--data", str(rig.data))
        rig.eq(out.returncode, 0, out.stdout + out.stderr)
        rig.start()
        for id in kept:
            rig.ok(rig.get(rig.p + "/incidents/" + id), 200)
        _.failures += rig.failures
    finally:
        rig.done()


@test
def a_lost_write(rig):
    """A disk that fails at the moment of durability: nothing more is
    written; the server ends so that the store is opened anew."""
    rig.stop()
    rig.wrap = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"]
    rig.start()
    kept = rig.make_incident("kept")
    for pid in rig.pids():
        resource.prlimit(pid, resource.RLIMIT_FSIZE,
                         (4096, resource.RLIM_INFINITY))
    try:
        r = rig.post(rig.p + "/incidents", {"title": "lost"})
        rig.check(r.status == 503, repr(r))
    except OSError:
        pass  # it may be gone before it has answered
    rig.close()
    rig.eq(rig.server.wait(20), 7, "exit")
    rig.check("the disk lost a write" in rig.log_text(), "says why")
    rig.stop(shot=True)
    rig.wrap = []
    rig.start()
    rig.ok(rig.get(rig.p + "/incidents/" + kept["id"]), 200)
    rig.eq([i["title"] for i in rig.get(rig.p + "/incidents").json["items"]
            if i["title"] == "lost"], [], "not there")
    out = rig.cli("audit", "verify", "--data", str(rig.data))
    rig.eq(out.returncode, 0, out.stdout + out.stderr)


@test
def second_server(rig):
    rc, out = serve(rig.data)
    rig.check(rc == 7, f"{rc} {out}")
    rig.check("in use" in out or "locked" in out, out)
    rig.ok(rig.get("/v1/whoami"), 200)


@test
def locked_by_another_process(rig):
    """Somebody opened the database with another tool."""
    db = next(p for p in rig.data.rglob("store.db"))
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sqlite3, sys, time\n"
         f"c = sqlite3.connect({str(db)!r}, isolation_level=None)\n"
         "c.execute('BEGIN IMMEDIATE')\nprint('held', flush=True)\n"
         "time.sleep(30)\n"], stdout=subprocess.PIPE)
    holder.stdout.readline()
    r = rig.post(rig.p + "/incidents", {"title": "locked out"})
    rig.check(r.status == 503, repr(r))
    holder.kill()
    holder.wait()
    rig.ok(rig.post(rig.p + "/incidents", {"title": "free again"}), 201)


@test
def keys(rig):
    rig.make_incident("before")
    rig.stop()
    root = rig.data / "keys" / "root.key"
    good = root.read_bytes()
    aside = root.with_suffix(".aside")
    root.rename(aside)
    rc, out = serve(rig.data)
    rig.check(rc in (3, 7) and "root" in out, f"missing: {rc} {out}")
    other = Rig(start=False)
    shutil.copyfile(other.data / "keys" / "root.key", root)
    os.chmod(root, 0o400)
    other.done()
    rc, out = serve(rig.data)
    rig.check(rc == 7 and "key" in out, f"wrong: {rc} {out}")
    os.chmod(root, 0o600)
    root.write_bytes(b"garbage\n")
    rc, out = serve(rig.data)
    rig.check(rc not in (0, None) and "key" in out, f"garbage: {rc} {out}")
    root.write_bytes(good)
    os.chmod(root, 0o444)
    rc, out = serve(rig.data)
    rig.check(rc not in (0, None) and "mode" in out or "read" in out,
              f"readable by all: {rc} {out}")
    root.unlink()
    aside.rename(root)
    rig.start()
    rig.ok(rig.get(rig.p + "/incidents/1"), 200)


@test
def damaged_and_read_only(rig):
    for k in range(60):
        rig.make_incident(f"page {k}", summary="y" * 3000)
    rig.stop()
    whole = rig.dir / "whole"
    shutil.copytree(rig.data, whole,
                    ignore=shutil.ignore_patterns("control.sock"))
    db = next(p for p in rig.data.rglob("store.db"))
    raw = bytearray(db.read_bytes())
    raw[0:16] = b"not a database!!"
    db.write_bytes(raw)
    rc, out = serve(rig.data)
    rig.check(rc == 8 and ("corrupt" in out or "database" in out),
              f"not a database: {rc} {out}")
    shutil.copyfile(next(whole.rglob("store.db")), db)
    raw = bytearray(db.read_bytes())
    for at in range(len(raw) // 3, len(raw), 4096):
        raw[at:at + 64] = os.urandom(64)
    db.write_bytes(raw)
    out = rig.cli("check", "--data", str(rig.data))
    rig.check(out.returncode == 8, f"check: {out.returncode} {out.stdout}"
              f"{out.stderr}")
    out = rig.cli("audit", "verify", "--data", str(rig.data))
    rig.check(out.returncode == 8, f"verify: {out.returncode} {out.stdout}"
              f"{out.stderr}")
    shutil.copyfile(next(whole.rglob("store.db")), db)
    rig.start()
    rig.ok(rig.get(rig.p + "/incidents?limit=1"), 200)


@test
def rolled_back_store(rig):
    """An old copy of the database under a newer keeper state (L19)."""
    rig.stop()
    db = next(p for p in rig.data.rglob("store.db"))
    old = db.read_bytes()
    rig.start()
    rig.make_incident("after the copy")
    time.sleep(1.5)
    rig.stop()
    new = db.read_bytes()
    db.write_bytes(old)
    for p in db.parent.glob("store.db-*"):
        p.unlink()
    rc, out = serve(rig.data)
    rig.check(rc == 8 and "signed" in out, f"{rc} {out}")
    out = rig.cli("audit", "verify", "--data", str(rig.data))
    rig.check(out.returncode == 8, f"{out.stdout} {out.stderr}")
    db.write_bytes(new)
    rig.start()
    rig.ok(rig.get("/v1/whoami"), 200)


@test
def flags(rig):
    for args, rc in ((["serve"], 2), (["serve", "--data"], 2),
                     (["serve", "--nope"], 2), (["init"], 2), (["nope"], 2),
                     (["serve", "--data", "/nonexistent"], 3),
                     (["init", "--data", str(rig.data)], 5),
                     (["audit", "verify"], 2),
                     (["audit", "verify", "--file", "/nonexistent"], 3),
                     (["key", "status", "--data", "/nonexistent"], 3)):
        out = rig.cli(*args)
        rig.check(out.returncode == rc and out.stderr,
                  f"{args}: {out.returncode} {out.stderr}, want {rc}")
    for listen in ("x", "127.0.0.1", "127.0.0.1:99999", "256.1.1.1:1"):
        rc, out = serve(rig.data, "--listen", listen)
        rig.check(rc in (2, 6, 7), f"--listen {listen}: {rc} {out}")


run()
