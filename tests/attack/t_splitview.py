#!/usr/bin/env python3
"""
A server that shows two histories.  Both are the real server with the real
signing key: its data directory was copied, keeper's memory and all, and one
address answers some from the one and some from the other.  Whoever watches
finds out, and has the proof in hand.
"""
import contextlib
import json
import pathlib
import shutil
import socket
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import Rig, run, test  # noqa: E402
from tlogkit import LOG, checkpoint, log_key, signed_by  # noqa: E402


class Front:
    """One address; what is behind it is up to the host.  It passes bytes:
    both servers have the same certificate."""

    def __init__(self):
        self.to = 0
        self.listen = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listen.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            a, _ = self.listen.accept()
            b = socket.create_connection(("127.0.0.1", self.to))
            for x, y in ((a, b), (b, a)):
                threading.Thread(target=self.copy, args=(x, y),
                                 daemon=True).start()

    @staticmethod
    def copy(x, y):
        with contextlib.suppress(OSError):
            while data := x.recv(65536):
                y.sendall(data)
        with contextlib.suppress(OSError):
            y.shutdown(socket.SHUT_WR)


class Two(Rig):
    """The honest server, and the same once more."""

    def __init__(self):
        super().__init__()
        for i in range(20):
            self.make_incident(f"before {i}")
        time.sleep(1.3)
        self.vkey = log_key(self)
        self.front = Front()
        self.stop()
        self.other = Rig(start=False)
        shutil.rmtree(self.other.data)
        shutil.copytree(self.data, self.other.data,
                        ignore=shutil.ignore_patterns("control.sock"))
        for name in ("ca", "token", "project", "p"):
            setattr(self.other, name, getattr(self, name))
        self.start()
        self.other.start()
        # each has signed that it started, and nothing else yet
        time.sleep(1.3)
        self.first = [s.get("/v1/audit/checkpoint").body
                      for s in (self, self.other)]

    def show(self, one):
        self.front.to = one.port

    def ask(self, *args):
        real, self.url = self.url, self.front.url
        try:
            return self.user_cli(*args)
        finally:
            self.url = real

    def witness(self, name):
        at = self.dir / name
        r = self.ask("audit", "witness", "--state", str(at), "--init",
                     "--name", "auditor.example/" + name, "--key", self.vkey)
        assert r.returncode == 0, r.stderr
        for s in (self, self.other):
            s.ok(s.post("/v1/audit/witnesses", {"key": r.stdout.strip()}),
                 201)
        return at

    def look_at(self, at):
        return self.ask("audit", "witness", "--state", str(at))

    def done(self):
        self.other.done()
        super().done()


def grow(*servers, by=5):
    for s in servers:
        for i in range(by):
            s.make_incident(f"of {s.port} {i}")
    time.sleep(1.3)


def evidence(rig, at):
    """Both notes are in the file, as they came, signed by the log."""
    text = (at / "distrust").read_bytes()
    parts = text.split(b":\n\n")[1:]
    notes = [p[:p.rindex(b"=\n") + 2] for p in parts]
    rig.eq(len(notes), 2, text)
    for n in notes:
        rig.check(signed_by(n, rig.vkey), n)
    return [checkpoint(n, rig.vkey) for n in notes]


@test
def a_witness_sees_it_fork(rig):
    rig.show(rig)
    at = rig.witness("one")
    r = rig.look_at(at)
    rig.eq(r.returncode, 0, r.stderr)
    grow(rig, rig.other, by=9)
    r = rig.look_at(at)
    rig.eq(r.returncode, 0, r.stderr)
    rig.check(r.stdout.startswith("cosigned: "), r.stdout)
    grow(rig.other, by=40)
    rig.show(rig.other)
    r = rig.look_at(at)
    rig.eq((r.returncode, r.stdout.split(":")[0]), (8, "log.forked"),
           r.stderr)
    (_, old, _), (_, new, _) = evidence(rig, at)
    rig.check(new > old, "the other history is longer and still another")
    # nothing makes it believe again, not even the honest one
    rig.show(rig)
    r = rig.look_at(at)
    rig.eq((r.returncode, r.stdout.split(":")[0]), (8, "log.forked"),
           "it has not forgotten")
    rig.check((at / "distrust").stat().st_mode & 0o777 == 0o400, "kept")


@test
def a_witness_sees_it_shrink(rig):
    rig.show(rig)
    at = rig.witness("two")
    grow(rig, by=120)
    for _ in range(3):  # what the others have cosigned comes first
        rig.look_at(at)
    r = rig.look_at(at)
    rig.eq(r.returncode, 0, r.stderr)
    rig.show(rig.other)
    r = rig.look_at(at)
    rig.eq((r.returncode, r.stdout.split(":")[0]), (8, "log.shrunken"),
           r.stderr)
    (_, old, _), (_, new, _) = evidence(rig, at)
    rig.check(new < old, "fewer entries")


@test
def two_people_compare(rig):
    a, b = (rig.dir / n for n in ("a", "b"))
    for s, path in ((rig, a), (rig.other, b)):
        path.write_bytes(s.get("/v1/audit/checkpoint").body)
    rig.show(rig)
    r = rig.ask("audit", "compare", str(a), str(b), "--key", rig.vkey)
    rig.eq(r.returncode, 8, r.stderr)
    rig.check("nothing shows" in r.stdout, r.stdout)
    r = rig.ask("audit", "compare", str(a), str(a), "--key", rig.vkey,
                "--json")
    rig.eq((r.returncode, json.loads(r.stdout)["ok"]), (0, True))
    # one that grew, honestly; asked of the server, and from a file
    grow(rig, by=2)
    later = rig.dir / "later"
    later.write_bytes(rig.get("/v1/audit/checkpoint").body)
    rig.eq(rig.ask("audit", "compare", str(later), str(a), "--key",
                   rig.vkey).returncode, 0)
    sizes = [checkpoint(p.read_bytes())[1] for p in (a, later)]
    proof = rig.dir / "proof"
    proof.write_bytes(rig.get("/v1/audit/proof?old=%d&new=%d" % tuple(
        sizes)).body)
    rig.eq(rig.ask("audit", "compare", str(a), str(later), "--key", rig.vkey,
                   "--proof", str(proof)).returncode, 0)
    r = rig.ask("audit", "compare", str(b), str(later), "--key", rig.vkey,
                "--proof", str(proof))
    rig.eq(r.returncode, 8, "a proof of other sizes")
    r = rig.ask("audit", "compare", str(proof), str(later), "--key", rig.vkey)
    rig.eq(r.returncode, 0, "a proof has its checkpoint behind it")


@test
def two_of_one_size(rig):
    sizes = [checkpoint(n, rig.vkey)[1] for n in rig.first]
    rig.eq(sizes[0], sizes[1], "the first checkpoint of each")
    for n, name in zip(rig.first, ("c", "d")):
        (rig.dir / name).write_bytes(n)
    r = rig.cli("audit", "compare", str(rig.dir / "c"), str(rig.dir / "d"),
                "--key", rig.vkey)
    rig.eq(r.returncode, 8, r.stderr)
    rig.check("two logs of" in r.stdout, r.stdout)


@test
def nobody_is_fooled_by_what_it_says(rig):
    """Its own words, beside the signature, count for nothing."""
    at = rig.witness("three")
    rig.show(rig)
    r = rig.look_at(at)
    rig.eq(r.returncode, 0, r.stderr)
    note = (at / "witness").read_bytes()
    other = rig.other.post("/v1/audit/cosignatures",
                           {"checkpoint": note.decode()})
    rig.ok(other, 409, "conflict")
    bad = rig.dir / "bad"
    bad.write_bytes(note.replace(b"\n\n", b"x\n\n", 1))
    for args in ((str(bad), str(bad), "--key", rig.vkey),
                 (str(at / "witness"), str(at / "witness"), "--key", "x"),
                 ("/nonexistent", "/nonexistent", "--key", rig.vkey)):
        r = rig.cli("audit", "compare", *args)
        rig.check(r.returncode in (3, 6), f"{args}: {r.returncode}")
    # a witness of another log
    two = pathlib.Path(str(at) + "-of-another")
    key = rig.vkey.split("+")[0]
    from tlogkit import Witness
    wrong = Witness(key, b"\7" * 32)
    r = rig.ask("audit", "witness", "--state", str(two), "--init", "--name",
                "w", "--key", wrong.vkey)
    rig.eq(r.returncode, 6, "a witness's key is no log's")


if __name__ == "__main__":
    run(Two)
