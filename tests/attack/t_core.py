#!/usr/bin/env python3
"""
L05: what a core dump of each role would hold.  Cores are off (RLIMIT_CORE 0,
not dumpable).  Should they be forced on, the kernel leaves out every page of
ours (coredump_filter 0); and of what root can read by other means, the pages
with keys are not part: not by ptrace, not by /proc/PID/mem.
"""
import base64
import os
import pathlib
import re
import resource
import signal
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
import judgekit as kit  # noqa: E402
from faultkit import Disk  # noqa: E402
from memkit import memory, role_of  # noqa: E402
from rig import SANITIZED, Rig, run, test  # noqa: E402

CANARY = "cAnArY-c0re9-zeppelin"
ROLES = ("supervisor", "keeper", "server", "idp")


def forms(b):
    return {b, b.hex().encode(), base64.b64encode(b)[:-4]}


def fill(rig):
    """Text and secrets have gone everywhere; all keys have been used."""
    n = rig.make_integration("generic")
    s = rig.client(n["secret"])
    for k in range(12):
        rig.make_incident(CANARY + str(k), summary=CANARY)
        s.post("/ingest/" + n["id"], {"title": CANARY, "severity": "error"})
        rig.get(rig.p + f"/incidents/{k + 1}")
    time.sleep(1.3)  # signed
    return [n["secret"], rig.token]


def all_keys(rig):
    judge = kit.Judge()
    keys = judge.secrets(rig.data)
    judge.done()
    for line in (rig.data / "keys/root.key").read_text().splitlines():
        keys.append(("root", 0, base64.b64decode(line.split()[2])))
    return keys


def found(data, keys, texts):
    return [k for k, n, b in keys if any(f in data for f in forms(b))] + \
        [t[:9] for t in texts if t.encode() in data or
         t.encode("utf-16-le") in data or
         base64.b64encode(t.encode())[:-4] in data]


@test
def cores_are_off(rig):
    fill(rig)
    seen = set()
    for pid in rig.pids():
        seen.add(role_of(pid))
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        rig.eq(re.search(r"core file size +(\S+) +(\S+)", limits).groups(),
               ("0", "0"), f"{role_of(pid)}: RLIMIT_CORE")
        kinds = pathlib.Path(f"/proc/{pid}/coredump_filter").read_text()
        rig.eq(int(kinds, 16), 0, f"{role_of(pid)}: coredump_filter")
        # not dumpable: what is in /proc is root's, whoever it runs as
        rig.eq(os.stat(f"/proc/{pid}/mem").st_uid, 0, "owner")
    rig.eq(seen, set(ROLES), "every role")


@test
def a_core_would_hold_nothing(rig):
    if SANITIZED or os.geteuid() != 0:
        return
    keys, texts = all_keys(rig), [*fill(rig), CANARY]
    rig.check(len(keys) > 20, f"{len(keys)} keys")
    for pid in rig.pids():
        core = memory(pid, as_core=True)
        rig.eq(found(core, keys, texts), [], f"core of {role_of(pid)}")


@test
def root_reads_no_long_lived_key(rig):
    """Root stops nobody from reading a process; but the root key, the
    signing seed and what wraps data keys are in pages not even root's
    debugger is shown."""
    if SANITIZED or os.geteuid() != 0:
        return
    keys, texts = all_keys(rig), [*fill(rig), CANARY]
    told = []
    for pid in rig.pids():
        role, all_of_it = role_of(pid), memory(pid, as_core=False)
        hits = found(all_of_it, keys, texts)
        told.append(f"{role} {len(all_of_it) >> 10} KiB "
                    f"({len(hits)} of {len(keys)} keys and texts)")
        for kind in ("root", "seed", "task", "ca", "project"):
            rig.check(kind not in hits, f"{role}: a {kind} key")
        if role != "server":
            rig.eq(hits, [], role)
        else:  # at work: the request's text, the keys its threads used last
            rig.check(hits.count("data") <= 16, f"{role}: {hits}")
            rig.check(CANARY[:9] in hits, "the server was looked at")
    print("# what root can read: " + ", ".join(told))


def kernels_core(rig, kinds):
    """The core the kernel makes of a server that ends by a signal; kinds: its
    coredump_filter, None for what it has."""
    rig.stop()
    here = rig.data / "db"  # all a server may write to, the others nothing
    was = os.getcwd()
    os.chdir(here)
    resource.setrlimit(resource.RLIMIT_CORE, (
        resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        with Disk(rig, dump=True):
            rig.start()
            fill(rig)
            pid = next(p for p in rig.pids() if role_of(p) == "server")
            if kinds is not None:
                pathlib.Path(f"/proc/{pid}/coredump_filter").write_text(kinds)
            os.kill(pid, signal.SIGSEGV)
            rig.server.wait(20)
            rig.stop(signal.SIGKILL, shot=True)
    finally:
        os.chdir(was)
        resource.setrlimit(resource.RLIMIT_CORE, (
            0, resource.RLIM_INFINITY))
    made = list(here.glob("core*"))
    core = b"".join(p.read_bytes() for p in made)
    for p in made:
        p.unlink()
    rig.start()
    return parts(core)


def parts(core):
    """(notes, pages) of a core: the registers of each thread among the
    first; of the second what is not zeros."""
    at, zero, notes, pages = int.from_bytes(core[32:40], "little"), \
        bytes(4096), b"", []
    for k in range(int.from_bytes(core[56:58], "little")):
        h = core[at + 56 * k:at + 56 * k + 56]
        off, size = (int.from_bytes(h[i:i + 8], "little") for i in (8, 32))
        if h[0] == 4:  # PT_NOTE
            notes += core[off:off + size]
        else:
            pages += [core[i:i + 4096] for i in range(off, off + size, 4096)
                      if core[i:i + 4096] != zero]
    return notes, b"".join(pages)


@test
def forced(rig):
    """RLIMIT_CORE and dumpable forced, and a place to write: the real thing,
    made by the kernel.  With the kernel's usual filter the text is in it, so
    this looks in the right place; with ours nothing is."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()
    if SANITIZED or os.geteuid() != 0 or pattern[0] in "|/":
        print(f"# no cores here to look at: core_pattern {pattern.strip()}")
        return
    keys = all_keys(rig)
    (_, usual), (notes, ours) = kernels_core(rig, "0x33"), \
        kernels_core(rig, None)
    rig.check(found(usual, keys, [CANARY]), "the usual filter: text is there")
    for kind in ("root", "seed", "task", "ca", "project"):
        rig.check(kind not in found(usual, keys, []),
                  f"the usual filter: a {kind} key")
    # What a vector register held last of a copied text is the kernel's to
    # write; of keys not even that.
    rig.eq(found(ours, keys, [CANARY, rig.token]), [], "ours")
    rig.eq(found(notes, keys, [rig.token]), [], "the notes of ours")
    rig.check(len(notes) > 1000, "there was a core")
    print(f"# cores the kernel made: {len(usual) >> 10} KiB of pages with its "
          f"usual filter, {len(ours) >> 10} KiB with ours")


run(lambda: Rig())
