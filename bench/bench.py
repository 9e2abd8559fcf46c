#!/usr/bin/env python3
"""
make bench: the figures of doc/performance.md, as ratios measured in this run,
with the machine's own figures.  Never fails by the clock: `LOW` is for the
reader.  Options: --quick, --incidents N (1,000,000), --json.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import time
sys.path.insert(0, __file__.rsplit("/bench/", 1)[0] + "/tests")
from rig import Rig, TOP  # noqa: E402

TOOLS = TOP / "build" / "release" / "bench"
ARGS = argparse.ArgumentParser()
ARGS.add_argument("--quick", action="store_true")
ARGS.add_argument("--json", action="store_true")
ARGS.add_argument("--incidents", type=int, default=1_000_000)
OPT = ARGS.parse_args()
SECONDS = 3 if OPT.quick else 8
ROWS = []


def row(name, got, unit, reference="", ratio=None, wanted="", ok=None):
    ROWS.append({"name": name, "measured": got, "unit": unit,
                 "reference": reference, "ratio": ratio, "wanted": wanted,
                 "ok": ok})
    if not OPT.json:
        r = "" if ratio is None else f"{ratio:.2f}"
        print(f"{name:46} {got:>12,.4g} {unit:6} {reference:>22} {r:>6} "
              f"{wanted:>12} {'' if ok is None else 'ok' if ok else 'LOW'}",
              flush=True)


def fdatasyncs(d):
    fd = os.open(d / "sync", os.O_CREAT | os.O_WRONLY, 0o600)
    t, block = [], os.urandom(4096)
    for _ in range(500):
        os.write(fd, block)
        a = time.perf_counter()
        os.fdatasync(fd)
        t.append((time.perf_counter() - a) * 1e3)
    os.close(fd)
    t.sort()
    return t[250], t[495]


def machine(d):
    cpu = re.search(r"model name\s*: (.*)",
                    pathlib.Path("/proc/cpuinfo").read_text()).group(1)
    mid, p99 = fdatasyncs(d)
    if not OPT.json:
        print(f"# {cpu}, {os.cpu_count()} cores, Linux {platform.release()}, "
              f"fdatasync of 4 KiB {mid:.3f} ms, p99 {p99:.3f} ms, "
              f"load {os.getloadavg()[0]:.2f}")
    return mid


def wrk(url, token=None, connections=64):
    a = ["wrk", "-t2", f"-c{connections}", f"-d{SECONDS}s"]
    if token:
        a += ["-H", "Authorization: Bearer " + token]
    out = subprocess.run(a + [url], capture_output=True, text=True).stdout
    if "Non-2xx" in out:
        raise RuntimeError(out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def paced(port, ca, request, rate):
    out = subprocess.run([TOOLS / "b_paced", str(port), ca, str(request),
                          str(rate), str(SECONDS), "64", "1000"],
                         capture_output=True, text=True).stdout
    return json.loads(out)


def request_file(rig, name, path, token, body):
    f = rig.dir / name
    auth = f"Authorization: Bearer {token}\r\n" if token else ""
    f.write_text(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{auth}"
                 f"Content-Type: application/json\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n{body}")
    return f


ALERT = {"status": "firing", "labels": {
    "alertname": "A", "severity": "warning", "service": "db",
    "instance": "@" * 16}, "annotations": {
    "summary": "s", "description": "d" * 950},
    "startsAt": "2026-11-25T03:21:34.123Z",
    "generatorURL": "http://prometheus.example/graph?x=" + "y" * 100}


def webhook():
    return json.dumps({"version": "4", "groupKey": "{}:{alertname=\"A\"}",
                       "status": "firing", "receiver": "redoubt", "alerts": [
                           dict(ALERT, fingerprint="@" * 16,
                                endsAt="0001-01-01T00:00:00Z")]})


class NoContent:
    """The same wire code answering 204 to everything."""

    def __init__(self, rig):
        tls = rig.data / "tls"
        self.p = subprocess.Popen(
            [TOOLS / "b_204", str(tls / "cert.pem"), str(tls / "key.pem")],
            stdout=subprocess.PIPE, text=True)
        line = self.p.stdout.readline()
        self.port = int(re.findall(r"\d+", line)[-1])
        self.url = f"https://127.0.0.1:{self.port}"

    def stop(self):
        self.p.kill()
        self.p.wait()


def alertmanager(rig, request):
    """Debian's Alertmanager on its API v2 over TLS 1.3: alerts a second."""
    am = shutil.which("prometheus-alertmanager")
    if not am:
        return None
    d, tls = rig.dir, rig.data / "tls"
    (d / "am.yml").write_text("route: {receiver: x}\nreceivers: [{name: x}]\n")
    (d / "web.yml").write_text(
        f"tls_server_config:\n  cert_file: {tls}/cert.pem\n"
        f"  key_file: {tls}/key.pem\n  min_version: TLS13\n")
    port = 19093
    p = subprocess.Popen(
        [am, f"--config.file={d}/am.yml", f"--web.config.file={d}/web.yml",
         f"--storage.path={d}/amdata", "--cluster.listen-address=",
         f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(3)
    try:
        return paced(port, rig.ca, request, 0)["rate"]
    finally:
        p.kill()
        p.wait()


def ingest(rig, sync):
    n = rig.make_integration()
    body = webhook()
    here = request_file(rig, "post", "/ingest/" + n["id"], n["secret"], body)
    v2 = request_file(rig, "v2", "/api/v2/alerts", None, json.dumps([ALERT]))
    none, got, ref = NoContent(rig), [], []
    for _ in range(2):
        ref.append(paced(none.port, rig.ca, here, 0)["rate"])
        got.append(paced(rig.port, rig.ca, here, 0)["rate"])
    none.stop()
    a, b = sum(got) / 2, sum(ref) / 2
    row("ingest, sealed, audited, durable", a, "1/s", f"204: {b:,.0f}",
        a / b, ">= 0.25", a / b >= 0.25)
    am = alertmanager(rig, v2)
    if am:
        row("ingest against Alertmanager", a, "1/s",
            f"Alertmanager: {am:,.0f}", a / am, ">= 1.5", a / am >= 1.5)
    time.sleep(2)
    p99 = paced(rig.port, rig.ca, here, a / 2)["p99_us"] / 1e3
    row("ingest p99 at half that rate", p99, "ms",
        f"5 syncs: {5 * sync:.2f} ms", p99 / sync, "<= 5",
        p99 <= 5 * sync)


def reading(rig):
    i = rig.make_incident("bench")
    one = rig.p + "/incidents/" + i["id"]
    for k in range(49):
        rig.post(one + "/timeline", {"text": f"entry {k} " + "x" * 80})
    none, got, ref = NoContent(rig), [], []
    for _ in range(2):
        ref.append(wrk(none.url + "/"))
        got.append(wrk(rig.url + one + "?include=timeline", rig.token))
    none.stop()
    a, b = sum(got) / 2, sum(ref) / 2
    row("GET incident with 50 entries", a, "1/s", f"204: {b:,.0f}", a / b,
        ">= 0.3", a / b >= 0.3)


def resident(rig):
    total = 0
    for pid in rig.pids():
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def start_ms(rig):
    t = time.perf_counter()
    rig.start()
    return (time.perf_counter() - t) * 1e3


def idle(rig):
    row("idle resident memory, all roles", resident(rig), "MiB", "", None,
        "< 64", resident(rig) < 64)
    rig.stop()
    ms = start_ms(rig)
    row("start to ready, empty store", ms, "ms", "", None, "< 300", ms < 300)


def verify(rig):
    rig.stop()
    t = time.perf_counter()
    out = rig.cli("audit", "verify", "--data", str(rig.data), "--json",
                  timeout=600)
    s = time.perf_counter() - t
    n = json.loads(out.stdout)["entries"]
    row(f"audit verify, {n:,} entries", n / s, "1/s", "", None,
        ">= 300,000", n / s >= 300000)


def million(rig):
    t = time.perf_counter()
    subprocess.run([TOOLS / "mkstore", str(rig.data), str(OPT.incidents),
                    "1", "1"], check=True, capture_output=True)
    made = time.perf_counter() - t
    ms = start_ms(rig)
    row(f"start to ready, {OPT.incidents:,} incidents", ms, "ms",
        f"made in {made:.0f} s", None, "< 3000", ms < 3000)
    for q in ("", "&status=new", "&severity=sev1,sev2", "&sort=severity",
              "&status=new,investigating&severity=sev0", "&service=service-7",
              "&from=2026-11-01T00:00:00Z"):
        t = []
        for _ in range(30):
            a = time.perf_counter()
            r = rig.get(rig.p + "/incidents?limit=50" + q)
            t.append((time.perf_counter() - a) * 1e3)
            assert r.status == 200, r
        t.sort()
        row(f"list 50{q or ', newest'}", t[15], "ms", f"p90 {t[27]:.1f}",
            None, "< 10", t[15] < 10)


def main():
    rig = Rig()
    try:
        sync = machine(rig.dir)
        idle(rig)
        reading(rig)
        ingest(rig, sync)
        verify(rig)
    finally:
        rig.done()
    rig = Rig(start=False)
    try:
        if OPT.incidents:
            million(rig)
    finally:
        rig.done()
    if OPT.json:
        print(json.dumps(ROWS, indent=1))


main()
