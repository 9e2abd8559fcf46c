"""
faultkit.py: a server on a disk that fails, or whose power is cut
(tests/crash/fault.c is the part in the server).

    with Disk(rig) as disk:      # the rig's server runs on it when started
        disk.fail(3, errno.EIO)  # the third operation from now
        ...
    disk.trace() -> operations; Cut(files, operations) -> images
"""
import ctypes
import errno
import mmap
import os
import pathlib
import random
import shutil
import struct

from judgekit import built

DB, WAL, JOURNAL, AUDIT, STATE = 1, 2, 3, 4, 5
NAMES = {DB: "db/store.db", WAL: "db/store.db-wal",
         JOURNAL: "db/store.db-journal", AUDIT: "keys/audit.key",
         STATE: "keys/keeper.state"}
WRITE, SYNC, TRUNCATE, UNLINK = 1, 2, 3, 4
ALL_OPS, ALL_FILES = 0x1e, 0x3e
ERRNO, SHORT, KILL = 0, 1, 2
ROOM = 512 << 20  # sparse


class Head(ctypes.Structure):
    _fields_ = [("magic", ctypes.c_char * 8), ("lock", ctypes.c_uint32),
                ("flags", ctypes.c_uint32), ("ops", ctypes.c_uint64),
                ("fail_at", ctypes.c_uint64), ("fail_count", ctypes.c_uint64),
                ("fail_errno", ctypes.c_uint32),
                ("fail_kind", ctypes.c_uint32), ("fail_ops", ctypes.c_uint32),
                ("fail_files", ctypes.c_uint32), ("failed", ctypes.c_uint64),
                ("inode", ctypes.c_uint64 * 6), ("used", ctypes.c_uint64),
                ("room", ctypes.c_uint64)]


class Disk:
    def __init__(self, rig, trace=False, dump=False):
        self.rig, self.dir = rig, rig.dir / "faulty"
        self.dir.mkdir(exist_ok=True)
        self.dir.chmod(0o755)
        shutil.copy(built("crash/redoubt"), self.dir / "redoubt")
        ctl = self.dir / "fault.ctl"
        ctl.write_bytes(b"")
        ctl.chmod(0o666)
        os.truncate(ctl, ROOM)
        with open(ctl, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), ROOM)
        self.head = Head.from_buffer(self.map)
        self.head.flags = (1 if trace else 0) | (2 if dump else 0)
        self.head.room = ROOM - ctypes.sizeof(Head)
        for n in (AUDIT, STATE):
            self.head.inode[n] = (rig.data / NAMES[n]).stat().st_ino
        # in the place of the program the rig would start
        rig.wrap = ["sh", "-c", f'shift; exec {self.dir}/redoubt "$@"', "sh"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.rig.wrap = []
        del self.head  # the mapping has views
        self.map.close()
        shutil.rmtree(self.dir)

    def fail(self, n, err=errno.EIO, kind=ERRNO, count=1, ops=ALL_OPS,
             files=ALL_FILES):
        """The n-th operation from now fails, if it is one of these on one of
        these; otherwise the next that is."""
        h = self.head
        h.fail_at, h.failed = 0, 0
        h.fail_errno, h.fail_kind, h.fail_count = err, kind, count
        h.fail_ops, h.fail_files = ops, files
        h.fail_at = h.ops + n

    def heal(self):
        self.head.fail_at = 0
        return self.head.failed

    def trace(self):
        """[(op, file, offset, bytes)] so far."""
        out, at = [], ctypes.sizeof(Head)
        end = at + self.head.used
        while at < end:
            op, file, n, off = struct.unpack_from("<BB2xIQ", self.map, at)
            at += 16
            data = b""
            if op == WRITE:
                data = self.map[at:at + n]
                at += n
            out.append((op, file, off, data))
        return out


class File:
    """A file as the disk has it, and what it was told since the last sync."""

    def __init__(self, content):
        self.durable = None if content is None else bytearray(content)
        self.pending = []

    @staticmethod
    def apply(b, op, off, data):
        if op == UNLINK:
            return None
        b = bytearray() if b is None else b
        if op == TRUNCATE:
            if off < len(b):
                del b[off:]
            else:
                b.extend(bytes(off - len(b)))
            return b
        if off > len(b):
            b.extend(bytes(off - len(b)))
        b[off:off + len(data)] = data
        return b

    def do(self, op, off, data):
        if op != SYNC:
            self.pending.append((op, off, data))
            return
        for p in self.pending:
            self.durable = self.apply(self.durable, *p)
        self.pending = []

    def image(self, how, rng):
        """dropped, kept, torn (the last write in part), or mixed: any of the
        sectors that were not synced, which is any order of writing them."""
        b = None if self.durable is None else bytearray(self.durable)
        if how == "dropped":
            return b
        for i, (op, off, data) in enumerate(self.pending):
            last = i == len(self.pending) - 1
            if op != WRITE:
                if how != "mixed" or rng.random() < 0.5:
                    b = self.apply(b, op, off, data)
            elif how == "kept" or (how == "torn" and not last):
                b = self.apply(b, op, off, data)
            elif how == "torn":
                first = 512 - off % 512  # to the end of its sector
                cuts = [0, *range(first, len(data), 512)]
                b = self.apply(b, op, off, data[:rng.choice(cuts)])
            else:
                at = 0
                while at < len(data):
                    n = min(512 - (off + at) % 512, len(data) - at)
                    if rng.random() < 0.5:
                        b = self.apply(b, op, off + at, data[at:at + n])
                    at += n
        return b


class Disks:
    """All files, through a trace."""
    HOW = ("dropped", "kept", "torn", "mixed")

    def __init__(self, data):
        self.files = {}
        for n, name in NAMES.items():
            p = pathlib.Path(data) / name
            self.files[n] = File(p.read_bytes() if p.exists() else None)

    def do(self, op, file, off, data):
        self.files[file].do(op, off, data)

    def image(self, how, data, seed):
        """Write it over the files below data."""
        rng = random.Random(seed)
        for n, f in self.files.items():
            b, p = f.image(how, rng), pathlib.Path(data) / NAMES[n]
            if b is None:
                p.unlink(missing_ok=True)
            else:
                p.write_bytes(b)
        (pathlib.Path(data) / "db/store.db-shm").unlink(missing_ok=True)
