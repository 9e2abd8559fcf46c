"""keybench.py: parts of bench.py: what the audit log costs, and new keys under
load.  b: bench.py's module, whose functions print the rows."""
import json
import statistics
import subprocess
import threading
import time

ROWS = 1_000_000  # to be encrypted anew; a twentieth of it when quick
ENTRIES = 19


def sender(b, rig):
    """A file with one delivery, and who may send it."""
    n = rig.make_integration()
    return b.request_file(rig, "post", "/ingest/" + n["id"], n["secret"],
                          b.webhook())


def audit(b):
    """Ingest with the log and by a server that was linked without it."""
    rig, bare = b.Rig(), b.Rig(start=False)
    bare.wrap = ["sh", "-c", 'shift; exec "$0" "$@"',
                 str(b.TOOLS / "redoubt_nolog")]
    try:
        bare.start()
        one, two = sender(b, rig), sender(b, bare)
        got, ref = b.turns(
            lambda: b.paced(rig.port, rig.ca, one, rig.pids()),
            lambda: b.paced(bare.port, bare.ca, two, bare.pids()))
        b.compare("ingest with its audit log", got, ref, "without", 0.85)
        b.cpu_row("with", got)
        b.cpu_row("without", ref)
        items = rig.get("/v1/audit?limit=1&order=desc").json["items"]
        if items[0]["seq"] < sum(x.n for x in got):
            raise RuntimeError("there is no log")
    finally:
        bare.done()
        rig.done()


class Rotating(threading.Thread):
    """redoubt key rotate, one after the other."""

    def __init__(self, rig):
        super().__init__()
        self.rig, self.over, self.n = rig, threading.Event(), 0

    def run(self):
        while not self.over.is_set():
            r = self.rig.cli("key", "rotate", "--data", str(self.rig.data))
            if r.returncode != 0:
                raise RuntimeError(r.stderr)
            self.n += 1
            self.over.wait(0.5)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def p99_row(b, name, got, ref):
    """Medians; and no request may have failed (b_paced looks)."""
    p, q = (statistics.median(json.loads(x.text)["p99_us"] for x in loads)
            for loads in (got, ref))
    b.row(name, p / 1e3, "ms", f"else {q / 1e3:.2f} ms", p / q, "< 2",
          p / q < 2)


def rotation(b, rig, request):
    n = []

    def rotated():
        with Rotating(rig) as r:
            x = b.paced(rig.port, rig.ca, request, rig.pids())
        n.append(r.n)
        return x
    ref, got = b.turns(
        lambda: b.paced(rig.port, rig.ca, request, rig.pids()), rotated)
    p99_row(b, f"ingest while the root key is replaced {sum(n)} times: p99",
            got, ref)
    b.compare("  its rate", got, ref, "else", 0.5)


def anew(b, rows):
    rig = b.Rig(start=False)
    try:
        subprocess.run([b.TOOLS / "mkstore", rig.data,
                        str(rows // (ENTRIES + 1)), "1", str(ENTRIES)],
                       check=True, capture_output=True)
        rig.start()
        request = sender(b, rig)
        rate = b.paced(rig.port, rig.ca, request, rig.pids(), 0, 3).rate / 2

        def part():
            return b.paced(rig.port, rig.ca, request, rig.pids(), rate, 4)
        b.settled()
        ref = [part(), part()]  # as many afterwards
        start = time.perf_counter()
        p = subprocess.Popen([b.BINARY, "key", "reencrypt", "--data",
                              str(rig.data), "--json"],
                             stdout=subprocess.PIPE, text=True)
        got = [part()]
        while p.poll() is None:
            got.append(part())
        took = time.perf_counter() - start
        done = json.loads(p.communicate()[0])
        if done["kept"] or done["damaged"] or done["rows"] < rows:
            raise RuntimeError(done)
        ref += [part(), part()]
        whole = got[:-1] or got  # the last one is beside it only partly
        p99_row(b, f"ingest at {rate:,.0f}/s while {done['rows']:,} rows are "
                "encrypted anew: p99", whole, ref)
        b.row("  it took, beside that", took, "s",
              f"{done['rows'] / took:,.0f} rows/s")
    finally:
        rig.done()


def keys(b):
    rig = b.Rig()
    try:
        rotation(b, rig, sender(b, rig))
    finally:
        rig.done()
    anew(b, ROWS // 20 if b.OPT.quick else ROWS)
