#!/usr/bin/env python3
"""
make bench: the figures of doc/performance.md, as ratios measured in this run,
with the machine's own figures.  Never fails by the clock: `LOW` is for the
reader.

What is compared is measured in turns (A B C A B C), its rates are medians,
and each ratio is the median of the ratios of one turn.  The CPU time of a
request, server and client, stands beside the rates: it moves less when
others use the machine.

    bench.py [--quick] [--json] [--only PART,...] [--incidents N]
             [--entries N] [--connections N] [--dir DIR]

PART: idle, get, ingest, verify, list, log, lease, sandbox, audit, keys.  --quick takes 3 seconds where it
otherwise takes 8, two turns for three, and no store of a million incidents.
"""
import argparse
import copy
import json
import os
import pathlib
import platform
import queue
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
sys.path.insert(0, __file__.rsplit("/bench/", 1)[0] + "/tests")
import delegatekit  # noqa: E402
import keybench  # noqa: E402
import runkit  # noqa: E402
from rig import BINARY, Rig, TOP  # noqa: E402

TOOLS = TOP / "build" / "release" / "bench"
CONNECTIONS = 64


def options():
    a = argparse.ArgumentParser()
    a.add_argument("--quick", action="store_true")
    a.add_argument("--json", action="store_true")
    a.add_argument("--only", default="idle,get,ingest,verify,list,log,lease,"
                   "sandbox,proof,audit,keys")
    a.add_argument("--incidents", type=int)
    a.add_argument("--entries", type=int)
    a.add_argument("--connections", type=int, default=10_000)
    a.add_argument("--dir", help="where the stores are made")
    o = a.parse_args()
    o.seconds = 3 if o.quick else 8
    o.turns = 2 if o.quick else 3
    if o.incidents is None:
        o.incidents = 100_000 if o.quick else 1_000_000
    if o.entries is None:
        o.entries = 0 if o.quick else 1_000_000
    return o


OPT = options()
ROWS = []
MACHINE = {}


# ---- printing ----

def say(text):
    print(text, file=sys.stderr if OPT.json else sys.stdout, flush=True)


def number(v):
    if v is None:
        return ""
    return f"{v:,.0f}" if abs(v) >= 100 else f"{v:.3g}"


def row(name, measured, unit, reference="", ratio=None, wanted="", ok=None):
    """One line of the table; ok None: nothing is wanted of it."""
    ROWS.append({"name": name, "measured": measured, "unit": unit,
                 "reference": reference, "ratio": ratio, "wanted": wanted,
                 "ok": ok})
    r = "" if ratio is None else f"{ratio:.2f}"
    verdict = "" if ok is None else "ok" if ok else "LOW"
    say(f"{name:52} {number(measured):>9} {unit:4} {reference:>27} {r:>5} "
        f"{wanted:>11} {verdict}".rstrip())


def heading():
    say(f"{'name':52} {'measured':>9} {'':4} {'reference':>27} {'ratio':>5} "
        f"{'wanted':>11}")


# ---- the machine ----

def fdatasyncs(d, n=1000):
    """Sorted milliseconds of fdatasync after appending 4 KiB."""
    path, block, t = d / "sync", os.urandom(4096), []
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    for _ in range(n):
        os.write(fd, block)
        a = time.perf_counter()
        os.fdatasync(fd)
        t.append((time.perf_counter() - a) * 1e3)
    os.close(fd)
    path.unlink()
    return t


def filesystem(d):
    out = subprocess.run(["stat", "-f", "-c", "%T", str(d)],
                         capture_output=True, text=True).stdout.strip()
    return out or "?"


def machine(d):
    info = pathlib.Path("/proc/cpuinfo").read_text()
    cpu = re.search(r"model name\s*: (.*)", info)
    memory = re.search(r"MemTotal:\s+(\d+)",
                       pathlib.Path("/proc/meminfo").read_text())
    t = sorted(fdatasyncs(d))
    MACHINE.update(
        cpu=cpu.group(1) if cpu else platform.machine(),
        cores=os.cpu_count(), kernel=platform.release(),
        memory_mib=int(memory.group(1)) // 1024,
        filesystem=filesystem(d), load=os.getloadavg()[0],
        fdatasync_ms={"median": t[len(t) // 2], "p99": t[len(t) * 99 // 100]})
    m = MACHINE
    say(f"# {m['cpu']}, {m['cores']} cores, {m['memory_mib']:,} MiB, "
        f"Linux {m['kernel']}, load {m['load']:.2f}\n"
        f"# 4 KiB append and fdatasync on {m['filesystem']}: median "
        f"{m['fdatasync_ms']['median']:.3f} ms, "
        f"p99 {m['fdatasync_ms']['p99']:.3f} ms")


# ---- measuring ----

def cpu_us(pids):
    """CPU time of these processes' threads so far."""
    total = 0
    for p in pids:
        for t in os.listdir(f"/proc/{p}/task"):
            with open(f"/proc/{p}/task/{t}/schedstat") as f:
                total += int(f.read().split()[0])
    return total / 1e3


def children_us():
    k = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (k.ru_utime + k.ru_stime) * 1e6


class Load:
    """A finished run: rate, and CPU microseconds a request."""

    def __init__(self, args, pids, rate, count, check):
        server, client = cpu_us(pids), children_us()
        out = subprocess.run([str(a) for a in args], capture_output=True,
                             text=True)
        if out.returncode != 0 or not check(out.stdout):
            raise RuntimeError(f"{args[0]}: {out.stdout} {out.stderr}")
        self.text = out.stdout
        n = int(re.search(count, out.stdout).group(1))
        self.n, self.rate = n, float(re.search(rate, out.stdout).group(1))
        self.server = (cpu_us(pids) - server) / n
        self.client = (children_us() - client) / n


def wrk(url, pids, token, script=None):
    args = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{OPT.seconds}s",
            "-H", "Authorization: Bearer " + token]
    if script:
        args += ["-s", script]
    return Load(args + [url], pids, r"Requests/sec:\s+([\d.]+)",
                r"(\d+) requests in",
                lambda o: "Non-2xx" not in o and "Socket errors" not in o)


def paced(port, ca, request, pids, rate=0, seconds=None):
    return Load([TOOLS / "b_paced", port, ca, request, rate,
                 seconds or OPT.seconds, CONNECTIONS, 1000], pids,
                r'"rate":([\d.]+)', r'"sent":(\d+)', lambda o: True)


def settled():
    """What was written before is on the disk and not in the way."""
    os.sync()
    time.sleep(0.5)


def turns(*runs):
    """Each in turn, OPT.turns times; a list of runs for each."""
    done = [[] for _ in runs]
    for _ in range(OPT.turns):
        for i, f in enumerate(runs):
            settled()
            done[i].append(f())
    return done


def middle(loads, what="rate"):
    return statistics.median(getattr(x, what) for x in loads)


def compare(name, got, ref, ref_name, wanted):
    """got at least `wanted` times ref: loads of the same turns."""
    ratio = statistics.median(g.rate / r.rate for g, r in zip(got, ref))
    row(name, middle(got), "1/s", f"{ref_name} {number(middle(ref))}", ratio,
        f">= {wanted}", ratio >= wanted)


def cpu_row(name, loads):
    row(f"  {name}: CPU of a request", middle(loads, "server"), "us",
        f"client {number(middle(loads, 'client'))}")


# ---- other servers ----

class NoContent:
    """The same wire code answering 204 to everything, or so many bytes."""

    def __init__(self, rig, size=0, file=None):
        tls = rig.data / "tls"
        self.p = subprocess.Popen(
            [TOOLS / "b_204", tls / "cert.pem", tls / "key.pem", str(size),
             *([file] if file else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.p.stdout.readline().split()[1]
        self.port = int(self.url.rsplit(":", 1)[1])
        self.pids = [self.p.pid]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.stdin.close()
        self.p.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Alertmanager:
    """Debian's, with its API v2 over TLS 1.3; port None: not installed."""

    def __init__(self, rig):
        self.p = self.port = None
        self.pids = []
        am = shutil.which("prometheus-alertmanager")
        if not am:
            say("# prometheus-alertmanager is not installed: not compared")
            return
        d, tls = rig.dir, rig.data / "tls"
        (d / "am.yml").write_text(
            "route: {receiver: x}\nreceivers: [{name: x}]\n")
        (d / "web.yml").write_text(
            f"tls_server_config:\n  cert_file: {tls}/cert.pem\n"
            f"  key_file: {tls}/key.pem\n  min_version: TLS13\n")
        self.port = free_port()
        self.p = subprocess.Popen(
            [am, f"--config.file={d}/am.yml",
             f"--web.config.file={d}/web.yml",
             f"--storage.path={d}/amdata", "--cluster.listen-address=",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pids = [self.p.pid]
        self.wait()

    def wait(self):
        end = time.time() + 20
        while time.time() < end and self.p.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("prometheus-alertmanager did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.p:
            self.p.kill()
            self.p.wait()


# ---- requests ----

MARK = "@" * 16  # b_paced puts another number there each time
ALERT = {
    "labels": {"alertname": "HighErrorRate", "severity": "warning",
               "service": "db", "instance": MARK},
    "annotations": {"summary": "error rate above threshold",
                    "description": "d" * 850},
    "startsAt": "2026-11-25T03:21:34.123Z",
    "generatorURL": "http://prometheus.example/graph?x=" + "y" * 100}


def webhook():
    return json.dumps({
        "version": "4", "groupKey": "{}:{alertname=\"HighErrorRate\"}",
        "status": "firing", "receiver": "redoubt", "truncatedAlerts": 0,
        "groupLabels": {"alertname": "HighErrorRate"},
        "commonLabels": {"alertname": "HighErrorRate"},
        "commonAnnotations": {}, "externalURL": "http://am.example",
        "alerts": [dict(ALERT, status="firing", fingerprint=MARK,
                        endsAt="0001-01-01T00:00:00Z")]})


def request_file(rig, name, path, token, body):
    f = rig.dir / name
    auth = f"Authorization: Bearer {token}\r\n" if token else ""
    f.write_text(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{auth}"
                 f"Content-Type: application/json\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n{body}")
    return f


# ---- 1, 2: ingest ----

class LogWatch(threading.Thread):
    """The largest the store's log gets meanwhile."""

    def __init__(self, rig):
        super().__init__(daemon=True)
        self.path, self.most, self.over = rig.data / "db/store.db-wal", 0, 0

    def run(self):
        while not self.over:
            try:
                self.most = max(self.most, self.path.stat().st_size)
            except OSError:
                pass
            time.sleep(0.1)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over = 1
        self.join()


def ingest(rig):
    n = rig.make_integration()
    body = webhook()
    here = request_file(rig, "post", "/ingest/" + n["id"], n["secret"], body)
    v2 = request_file(rig, "v2", "/api/v2/alerts", None, json.dumps([ALERT]))
    with NoContent(rig) as none, Alertmanager(rig) as am, \
            LogWatch(rig) as log:
        runs = [lambda: paced(none.port, rig.ca, here, none.pids),
                lambda: paced(rig.port, rig.ca, here, rig.pids())]
        if am.port:
            runs.append(lambda: paced(am.port, rig.ca, v2, am.pids))
        ref, got, *other = turns(*runs)
    compare(f"ingest, {len(body):,} bytes, {CONNECTIONS} connections", got,
            ref, "204", 0.25)
    if other:
        compare("  against Alertmanager", got, other[0], "Alertmanager", 1.5)
        cpu_row("Alertmanager", other[0])
    cpu_row("ingest", got)
    cpu_row("204", ref)
    row("  log of the store at most", log.most / 2**20, "MiB")
    at_half(rig, here, middle(got) / 2)
    return here


def at_half(rig, request, rate):
    runs, sync, five = [], [], []
    for _ in range(OPT.turns):
        settled()
        t = fdatasyncs(rig.dir)
        sync.append(statistics.median(t))
        five += [sum(t[i:i + 5]) for i in range(0, len(t), 5)]
        settled()
        x = paced(rig.port, rig.ca, request, rig.pids(), rate)
        runs.append(json.loads(x.text))
    wanted = 5 * statistics.median(sync)
    p99 = statistics.median(r["p99_us"] for r in runs) / 1e3
    row(f"ingest at {rate:,.0f}/s: p99", p99, "ms",
        f"5 fdatasyncs {wanted:.2f} ms", p99 / wanted, "<= 1",
        p99 <= wanted)
    row("  median", statistics.median(r["p50_us"] for r in runs) / 1e3, "ms")
    disk = sorted(five)[len(five) * 99 // 100]
    row("  p99 against the disk's", p99, "ms", f"p99 of 5 in a row "
        f"{disk:.2f} ms", p99 / disk, "<= 1", p99 <= disk)


# ---- 3: reading ----

def many_script(rig, paths):
    """For wrk: another path each time."""
    f = rig.dir / "many.lua"
    f.write_text("local p, n, i = {}, 0, 0\n" + "".join(
        f'n = n + 1 p[n] = "{x}"\n' for x in paths) +
        "request = function() i = i % n + 1 "
        "return wrk.format(nil, p[i]) end\n")
    return f


def floor_row(name, loads, ref):
    """What has to be paid whatever Redoubt does for a request."""
    row("  " + name, middle(loads), "1/s", "",
        statistics.median(x.rate / r.rate for x, r in zip(loads, ref)))
    cpu_row(name, loads)


def get(rig):
    """One incident, as in the middle of one; then more than are kept."""
    rig.stop()
    subprocess.run([TOOLS / "mkstore", rig.data, "200", "1", "50"],
                   check=True, capture_output=True)
    rig.start()
    items = rig.ok(rig.get(rig.p + "/incidents?limit=200"), 200).json["items"]
    paths = [f"{rig.p}/incidents/{i['id']}?include=timeline" for i in items]
    size = len(rig.ok(rig.get(paths[0]), 200).body)
    many = many_script(rig, paths)
    with NoContent(rig) as none, NoContent(rig, size) as same, \
            NoContent(rig, size, "-") as over, \
            NoContent(rig, size, rig.dir / "floor") as durable:
        ref, still, handed, synced, got, others = turns(
            lambda: wrk(none.url + paths[0], none.pids, rig.token),
            lambda: wrk(same.url + paths[0], same.pids, rig.token),
            lambda: wrk(over.url + paths[0], over.pids, rig.token),
            lambda: wrk(durable.url + paths[0], durable.pids, rig.token),
            lambda: wrk(rig.url + paths[0], rig.pids(), rig.token),
            lambda: wrk(rig.url + paths[0], rig.pids(), rig.token, many))
    compare(f"GET incident with 50 entries, {size:,} bytes", got, ref, "204",
            0.3)
    compare("  against these bytes after an fdatasync", got, synced, "floor",
            0.85)
    cpu_row("GET", got)
    row(f"  {size:,} static bytes by the same wire", middle(still), "1/s", "",
        statistics.median(s.rate / r.rate for s, r in zip(still, ref)))
    cpu_row("static bytes", still)
    floor_row("the same from another thread", handed, ref)
    floor_row("and after an fdatasync for all that wait", synced, ref)
    row("  another of 200 each time", middle(others), "1/s", "",
        statistics.median(o.rate / r.rate for o, r in zip(others, ref)))
    cpu_row("another", others)
    cpu_row("204", ref)


LISTS = (
    "", "status=new", "status=new,investigating&severity=sev0",
    "severity=sev1,sev2", "service=service-07", "type=type-03",
    "service=service-07&type=type-03&status=new", "sort=severity",
    "sort=oldest&status=closed", "from=2026-11-01T00:00:00Z",
    "service=service-none")


def timed_list(rig, query):
    """(milliseconds, the page)"""
    a = time.perf_counter()
    r = rig.get(rig.p + "/incidents?limit=50" + (query and "&" + query))
    ms = (time.perf_counter() - a) * 1e3
    if r.status != 200:
        raise RuntimeError(f"list {query}: {r}")
    return ms, r.json


def list_row(rig, query, limit=10):
    t = []
    for _ in range(50):
        ms, page = timed_list(rig, query)
        t.append(ms)
    t.sort()
    row(f"list 50, {query or 'newest first'}", t[25], "ms",
        f"{len(page['items'])} items, p90 {t[45]:.2f}", None,
        f"< {limit}" if limit else "", t[25] < limit if limit else None)


def pages_row(rig, n=100):
    """Page after page by cursor."""
    t, cursor = [], ""
    for _ in range(n):
        ms, page = timed_list(rig, cursor)
        t.append(ms)
        if not page["next"]:
            break
        cursor = "cursor=" + page["next"]
    t.sort()
    row(f"{len(t)} pages of 50 by cursor", t[len(t) // 2], "ms",
        f"most {t[-1]:.2f}", None, "< 10", t[len(t) // 2] < 10)


def lists(rig):
    a = time.perf_counter()
    subprocess.run([TOOLS / "mkstore", rig.data, str(OPT.incidents), "1",
                    "1"], check=True, capture_output=True)
    say(f"# {OPT.incidents:,} sealed incidents made in "
        f"{time.perf_counter() - a:.0f} s")
    starts(rig, f"{OPT.incidents:,} incidents", 3000)
    for q in LISTS:
        list_row(rig, q)
    pages_row(rig)
    list_row(rig, "q=threshold", None)
    list_row(rig, "q=in-no-title", None)  # opens LIM_SCAN rows


# ---- 4: idle ----

def resident(rig):
    """(sum of Pss, sum of VmRSS) of all roles, MiB."""
    pss = rss = 0
    for pid in rig.pids():
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        pss += int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1))
        rss += int(re.search(r"^Rss:\s+(\d+)", text, re.M).group(1))
    return pss / 1024, rss / 1024


def starts(rig, what, limit, n=5):
    """rig is stopped; it runs afterwards."""
    t = []
    for i in range(n):
        a = time.perf_counter()
        rig.start(120)
        t.append((time.perf_counter() - a) * 1e3)
        if i < n - 1:
            rig.stop()
    ms = statistics.median(t)
    row(f"start to ready, {what}", ms, "ms", f"most {max(t):.0f}", None,
        f"< {limit:,}", ms < limit)


def hold(rig, n):
    """n TLS connections that each made one request; resident with them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held, context = [], rig.tls()
    try:
        for _ in range(n):
            s = context.wrap_socket(
                socket.create_connection((rig.host, rig.port), 30),
                server_hostname="localhost")
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            s.recv(4096)
            held.append(s)
        time.sleep(2)
        return resident(rig)
    finally:
        for s in held:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def idle(rig):
    rig.stop()
    starts(rig, "empty store", 300)
    time.sleep(2)
    before, rss = resident(rig)
    row("idle resident memory of all roles, Pss", before, "MiB",
        f"VmRSS {rss:.1f}", None, "< 64", before < 64)
    n = OPT.connections
    a = time.perf_counter()
    pss, rss = hold(rig, n)
    row(f"  with {n:,} idle TLS connections", pss, "MiB",
        f"{(pss - before) * 1024 / n:.1f} KiB each", None, "< 400",
        pss < 400)
    say(f"# held after {time.perf_counter() - a:.0f} s")
    rig.stop()
    rig.start()


# ---- 5: the audit log ----

def verify_row(rig, what, args, n=3):
    t = []
    for _ in range(n):
        a = time.perf_counter()
        out = rig.cli("audit", "verify", *args, "--json", timeout=600)
        t.append(time.perf_counter() - a)
        if out.returncode != 0:
            raise RuntimeError(f"audit verify: {out.stdout} {out.stderr}")
    entries = json.loads(out.stdout)["entries"]
    rate = entries / statistics.median(t)
    row(f"audit verify {what}, {entries:,} entries", rate, "1/s",
        f"{statistics.median(t):.2f} s", None, ">= 300,000",
        rate >= 300_000)


def bare_row(export):
    """In turns in one thread: an export verified, its bytes hashed."""
    out = subprocess.run([TOOLS / "b_audit", "verify", export],
                         capture_output=True, text=True)
    if out.returncode != 0:
        raise RuntimeError(out.stderr)
    r = json.loads(out.stdout)
    row(f"audit verify of {r['entries']:,} entries in memory", r["rate"],
        "1/s", f"SHA-256 of the bytes {r['entries'] / r['bare_s']:,.0f}/s",
        r["ratio"], ">= 0.5", r["ratio"] >= 0.5)


EXPORT = 900_000  # below LIM_EXPORT, which bounds one export


def newest(rig):
    return rig.get("/v1/audit?limit=1").json["items"][0]["seq"]


def verify(rig, request):
    """More entries by ingest, as many as are wanted; then offline."""
    while newest(rig) < OPT.entries:
        paced(rig.port, rig.ca, request, rig.pids(), 0, 5)
    export = rig.dir / "export.ndjson"
    args = ["audit", "export", "--to", str(export)]
    last = newest(rig)
    if last > EXPORT:
        first = rig.ok(rig.get(f"/v1/audit/{last - EXPORT}"), 200).json
        args += ["--from", first["time"]]
    env = dict(os.environ, REDOUBT_URL=rig.url, REDOUBT_CA=rig.ca,
               REDOUBT_TOKEN=rig.token)
    a = time.perf_counter()
    out = rig.cli(*args, env=env, timeout=600)
    if out.returncode != 0:
        raise RuntimeError("audit export: " + out.stderr)
    took = time.perf_counter() - a
    size = export.stat().st_size / 1e6
    row(f"audit export, NDJSON, {size:,.0f} MB to a file", size / took,
        "MB/s", f"{took:.1f} s", None, ">= 100", size / took >= 100)
    rig.stop()
    verify_row(rig, "--data", ["--data", str(rig.data)])
    verify_row(rig, "--file", ["--file", str(export)])
    bare_row(export)


# ---- 6: steps ----

LOG = 50 * 2**20


def log(rig):
    """The tail of 50 MB, then all of it in windows; and what it takes up."""
    rig.stop()
    run = subprocess.run([TOOLS / "mkstore", rig.data, "log", str(LOG)],
                         check=True, capture_output=True,
                         text=True).stdout.strip()
    rig.start()
    path = f"{rig.p}/runs/{run}/log"
    rig.get("/v1/whoami")  # the connection is there
    before, t = resident(rig)[0], []
    for _ in range(20):
        a = time.perf_counter()
        r = rig.ok(rig.get(path + "?tail=65536"), 200)
        t.append((time.perf_counter() - a) * 1e3)
    last = int(r.body.split(b"\n")[-2])
    if len(r.body) != 65536 or (last + 1) * 64 != LOG:
        raise RuntimeError(f"{len(r.body)} bytes, line {last}")
    t.sort()
    row("tail of a log of 50 MB, 64 KiB", t[10], "ms", f"most {t[-1]:.1f}",
        None, "< 500", t[-1] < 500)
    a, at = time.perf_counter(), 0
    while at < LOG:
        got = rig.ok(rig.get(f"{path}?offset={at}&bytes=1048576"), 200).body
        if int(got[:64]) * 64 != at:
            raise RuntimeError(f"at {at}: {got[:64]}")
        at += len(got)
    s = time.perf_counter() - a
    row("  all of it, a MiB at a time", LOG / 2**20 / s, "MB/s",
        f"{s * 1e3:.0f} ms")
    grown = resident(rig)[0] - before
    row("  resident memory after it", grown, "MiB", "more than before", None,
        "< 25", grown < 25)



IN_FLIGHT = 200


def leases(rig, worker, book, n):
    """From asking for a run until a delegate that waits has its task."""
    came, t, stop = queue.Queue(), [], threading.Event()

    def wait():
        while not stop.is_set():
            for task in worker.d.lease(1, worker.running, 1000).json["tasks"]:
                came.put((time.perf_counter(), task))
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    done = runkit.Worker(delegatekit_twin(worker.d))
    for _ in range(n):
        a = time.perf_counter()
        book.start()
        at, task = came.get(timeout=30)
        t.append((at - a) * 1e3)
        runkit.Task(done, task).do()
    stop.set()
    thread.join()
    t.sort()
    p99 = t[len(t) * 99 // 100]
    row(f"run asked for until its task is leased, {n} times: p99", p99, "ms",
        f"median {t[n // 2]:.1f}", None, "< 50", p99 < 50)


def delegatekit_twin(d):
    """The same delegate over another connection."""
    other = copy.copy(d)
    other.conn = None
    return other


def lease(quick):
    rig = delegatekit.DRig()
    try:
        worker = runkit.Worker(rig.make_delegate(max_tasks=IN_FLIGHT))
        book = runkit.Book(rig, "go", [runkit.script("go")])
        leases(rig, worker, book, 100 if quick else 500)
        runs = [book.start() for _ in range(IN_FLIGHT)]
        a, held = time.perf_counter(), []
        while len(held) < IN_FLIGHT and time.perf_counter() - a < 30:
            held += [x.start() for x in worker.lease(IN_FLIGHT, 1000)]
        began = (time.perf_counter() - a) * 1e3
        n = sum(r.look().at("go")[0] == "running" for r in runs)
        row(f"{IN_FLIGHT} runs in flight at one delegate: leased and begun",
            began, "ms", f"{n} run", None, f"{IN_FLIGHT} run",
            n == IN_FLIGHT)
        for x in held:
            x.result()
        n = sum(r.look().state == "succeeded" for r in runs)
        if rig.failures or n != IN_FLIGHT:
            raise RuntimeError("\n".join(rig.failures) + f" {n} succeeded")
    finally:
        rig.done()


def sandbox():
    """A step's sandbox from nothing to its end; bubblewrap in the same run."""
    out = subprocess.run([TOOLS / "b_sandbox", "100" if OPT.quick else "400"],
                         capture_output=True, text=True)
    if out.returncode != 0:
        raise RuntimeError(out.stderr)
    r = json.loads(out.stdout)
    ours, held, other = (r[k]["p50"] for k in ("ours", "held", "bwrap"))
    ratio = ours / other if other else None
    row(f"sandbox of a step, start to end ({r['level']})", ours, "ms",
        f"bubblewrap {other:.2f} ms" if other else "no bubblewrap", ratio,
        "<= 0.6", ratio <= 0.6 if other else None)
    row("  p95", r["ours"]["p95"], "ms",
        f"bubblewrap {r['bwrap']['p95']:.2f}, bare {r['bare']['p50']:.2f} ms")
    row("  while 512 MiB are held", held, "ms", f"without {ours:.2f} ms",
        held / ours, "<= 1.5", held <= 1.5 * ours)
    row(f"  {r['steps']} at once: until the last runs", r["flight_ms"], "ms",
        "", None, "all run", True)


def proofs():
    """Inclusion and consistency proofs of a log of 10,000,000 entries."""
    n = 1_000_000 if OPT.quick else 10_000_000
    with tempfile.TemporaryDirectory() as d:
        out = subprocess.run([TOOLS / "b_proof", d, str(n)],
                             capture_output=True, text=True)
    if out.returncode != 0:
        raise RuntimeError(out.stderr)
    for kind, p99 in re.findall(r"(\w+), work.* p99 (\d+) us", out.stdout):
        row(f"{kind} proof at {n:,} entries, work, p99", int(p99), "us",
            "", None, "< 1000", int(p99) < 1000)


# ---- all ----

def main():
    parts = set(OPT.only.split(","))
    if OPT.dir:
        tempfile.tempdir = OPT.dir
    request = None
    rig = Rig()
    try:
        machine(rig.dir)
        heading()
        if "idle" in parts:
            idle(rig)
        if "get" in parts:
            get(rig)
        if "ingest" in parts or "verify" in parts:
            request = ingest(rig)
        if "verify" in parts:
            verify(rig, request)
        if "log" in parts:
            if "verify" in parts:
                rig.start()
            log(rig)
        if rig.failures:
            raise RuntimeError("\n".join(rig.failures))
    finally:
        rig.done()
    if "list" in parts and OPT.incidents > 0:
        rig = Rig(start=False)
        try:
            lists(rig)
        finally:
            rig.done()
    if "lease" in parts:
        lease(OPT.quick)
    if "sandbox" in parts:
        sandbox()
    if "proof" in parts:
        proofs()
    here = sys.modules[__name__]
    if "audit" in parts:
        keybench.audit(here)
    if "keys" in parts:
        keybench.keys(here)
    if OPT.json:
        print(json.dumps({"machine": MACHINE, "rows": ROWS}, indent=1))


main()
