#!/usr/bin/env python3
"""
L25: rotating keys under load: nobody waits or fails, what was written before
opens afterwards, old keys are gone, and a crash anywhere in between leaves a
store that the next rotation finishes.
"""
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import BINARY, Rig, test, run  # noqa: E402

KILLS = int(os.environ.get("KILLS", "12"))


# ---- helpers ----

def key(rig, verb, rc=0):
    """redoubt key VERB --json: the object, or standard error."""
    r = rig.cli("key", verb, "--data", str(rig.data), "--json", timeout=120)
    if not rig.eq(r.returncode, rc, f"key {verb}: {r.stderr}"):
        return {} if rc == 0 else r.stderr
    return json.loads(r.stdout) if rc == 0 else r.stderr


def root_file(rig):
    return rig.data / "keys" / "root.key"


def root_ids(path):
    return [line.split()[1] for line in path.read_text().splitlines()]


def post(rig, client, n, name, **kw):
    return client.post("/ingest/" + n["id"], {
        "title": "t " + name, "dedup_key": name, "severity": "warning", **kw})


def alert_names(rig, client=None):
    """dedup_key -> how many, of all alerts, page by page."""
    found, cursor = {}, ""
    while cursor is not None:
        r = rig.ok((client or rig).get(
            rig.p + "/alerts?limit=200" +
            (f"&cursor={cursor}" if cursor else "")), 200)
        for a in r.json["items"]:
            rig.eq(a["title"], "t " + a["dedup_key"], "title")
            found[a["dedup_key"]] = found.get(a["dedup_key"], 0) + 1
        cursor = r.json["next"]
    return found


def verified(rig):
    r = rig.cli("audit", "verify", "--data", str(rig.data))
    rig.eq(r.returncode, 0, "verify: " + r.stdout + r.stderr)


def say(path, data):
    """The answer of a control socket, as bytes."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(str(path))
    try:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it has said no already
    out = s.makefile("rb").readline()
    s.close()
    return out


class Load:
    """Senders, readers and people at work; what they were told."""

    def __init__(self, rig, n, tag):
        self.rig, self.n, self.tag = rig, n, tag
        self.stop, self.bad, self.sent = threading.Event(), [], set()
        self.incidents, self.slowest, self.reads = [], 0, 0
        self.threads = [threading.Thread(target=f, args=(k,))
                        for f, count in ((self.send, 4), (self.read, 2),
                                         (self.declare, 1))
                        for k in range(count)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *a):
        self.stop.set()
        for t in self.threads:
            t.join()

    def ask(self, f, want):
        start = time.time()
        try:
            r = f()
        except Exception as e:
            if not self.stop.is_set():
                self.bad.append(repr(e))
            return None
        self.slowest = max(self.slowest, time.time() - start)
        if r.status != want:
            self.bad.append(f"{r!r}, want {want}")
            return None
        return r

    def send(self, k):
        c, i = self.rig.client(self.n["secret"]), 0
        while not self.stop.is_set():
            i += 1
            name = f"{self.tag}-{k}-{i}"
            if self.ask(lambda: post(self.rig, c, self.n, name), 202):
                self.sent.add(name)

    def read(self, k):
        c, cursor = self.rig.client(self.rig.token), None
        while not self.stop.is_set():
            q = f"&cursor={cursor}" if cursor else ""
            r = self.ask(lambda: c.get(
                self.rig.p + "/alerts?limit=20" + q), 200)
            cursor = r.json["next"] if r else None
            if r and r.json["items"]:
                one = random.choice(r.json["items"])["id"]
                self.ask(lambda: c.get(self.rig.p + "/alerts/" + one), 200)
            self.reads += 1
            if self.incidents:
                one = random.choice(self.incidents)
                self.ask(lambda: c.get(
                    f"{self.rig.p}/incidents/{one}?include=timeline"), 200)

    def declare(self, k):
        c, i = self.rig.client(self.rig.token), 0
        while not self.stop.is_set():
            i += 1
            r = self.ask(lambda: c.post(
                self.rig.p + "/incidents", {"title": f"{self.tag} {i}"}), 201)
            if not r:
                continue
            one = r.json["id"]
            self.ask(lambda: c.post(
                f"{self.rig.p}/incidents/{one}/timeline",
                {"text": "note"}), 201)
            self.incidents.append(one)
            time.sleep(0.01)


def integration(rig):
    if not hasattr(rig, "generic"):
        rig.generic = rig.make_integration("generic")
    return rig.generic


# ---- online ----

@test
def status_tells(rig):
    s = key(rig, "status")
    rig.eq(s["online"], True)
    rig.eq(s["file"], str(root_file(rig)))
    rig.eq(s["busy"], None)
    rig.eq([k["id"] for k in s["root"]["keys"]], root_ids(root_file(rig)))
    rig.eq(s["root"]["keys"][0]["primary"], True)
    rig.eq([p["project"] for p in s["projects"]], [None, rig.project])
    rig.eq([[k["version"] for k in p["keys"]] for p in s["projects"]],
           [[1], [1]])
    rig.eq(s["waiting"], {"keys": 0, "rows": 0, "exact": True})
    classes = {k["class"]: k for k in s["data_keys"]}
    rig.eq(classes["alert"], {"class": "alert", "keys": 1, "old": 0})
    text = rig.cli("key", "status", "--data", str(rig.data)).stdout
    rig.check(root_ids(root_file(rig))[0] in text, text)


@test
def inventory(rig):
    """Algorithms, classes of keys, ages, uses; for who may see them."""
    i = rig.ok(rig.get("/v1/policy/crypto"), 200).json
    names = {a["name"]: a for a in i["algorithms"]}
    rig.check({"KC-XAES-256-GCM", "Ed25519", "HPKE", "Argon2id"} <=
              set(names), names)
    rig.check(all(a["use"] for a in names.values()), names)
    rig.eq(i["tls"]["versions"], ["TLSv1.3"])
    rig.check("TLS_AES_256_GCM_SHA384" in i["tls"]["suites"], i["tls"])
    rig.check(i["tls"]["library"].startswith("OpenSSL 3"), i["tls"])
    rig.eq([k["id"] for k in i["root"]["keys"]], root_ids(root_file(rig)))
    rig.eq(i["project_keys"]["keys"], 2)
    keys = {k["class"]: k for k in i["data_keys"]}
    rig.eq({k for k, v in keys.items() if v["kind"] == "mac"},
           {"index", "token", "cursor"})
    rig.check(keys["object"]["seals"] > 0 and keys["object"]["bytes"] > 0,
              keys["object"])
    rig.check(keys["object"]["oldest_at"] is not None, keys["object"])
    rig.check("seals" not in keys["token"], keys["token"])
    rig.eq(i["limits"], {"seals": 2 ** 40, "bytes": 2 ** 44, "term_days": 90,
                         "term_seals": 2 ** 32 - 1, "term_bytes": 2 ** 42})
    rig.eq((i["exact"], i["reencrypt"]), (True, None))
    n, was = integration(rig), keys["payload"]["seals"]
    for k in range(7):
        rig.ok(post(rig, rig.client(n["secret"]), n, f"use-{k}"), 202)
    i = rig.ok(rig.get("/v1/policy/crypto"), 200).json
    now = {k["class"]: k for k in i["data_keys"]}["payload"]["seals"]
    rig.eq(now - was, 7, "seven payloads")
    _, viewer = rig.make_account("viewer", rig.project)
    rig.eq(viewer.get("/v1/policy/crypto").status, 403)
    _, auditor = rig.make_account("auditor", None)
    rig.ok(auditor.get("/v1/policy/crypto"), 200)
    # a clean end writes the exact numbers, a start goes on with them
    rig.stop()
    rig.start()
    i = rig.ok(rig.get("/v1/policy/crypto"), 200).json
    rig.eq({k["class"]: k for k in i["data_keys"]}["payload"]["seals"], now)
    rig.stop(signal.SIGKILL)  # without one, it is never less
    rig.start()
    i = rig.ok(rig.get("/v1/policy/crypto"), 200).json
    after = {k["class"]: k for k in i["data_keys"]}["payload"]["seals"]
    rig.check(now < after <= now + 2 ** 23, (now, after))


@test
def old_keys_are_a_finding(rig):
    def check():
        return next(c for c in rig.get("/v1/posture").json["items"]
                    if c["check"] == "keys_replaced")
    rig.eq(check()["ok"], True)
    rig.stop()
    db = sqlite3.connect(rig.data / "db" / "store.db")
    db.execute("UPDATE project_key SET created = created - 366 * 86400000")
    db.commit()
    db.close()
    rig.start()
    rig.eq(check()["ok"], False)
    rig.check(": 366, 365 are fine" in check()["detail"], check())
    rig.check("key rotate" in check()["fix"], check())
    rig.stop()
    db = sqlite3.connect(rig.data / "db" / "store.db")
    db.execute("UPDATE project_key SET created = created + 366 * 86400000")
    db.commit()
    db.close()
    rig.start()
    rig.eq(check()["ok"], True)


@test
def rotate_under_load(rig):
    n = integration(rig)
    before = rig.make_incident("before", private=False)
    post(rig, rig.client(n["secret"]), n, "before-1")
    idem = {"Idempotency-Key": "k1"}
    kept = rig.ok(rig.post(rig.p + "/incidents", {"title": "once"},
                           headers=idem), 201).json
    for i in range(3):
        rig.make_incident(f"page {i}")
    page = rig.ok(rig.get(rig.p + "/incidents?limit=2"), 200).json
    old, rotated = root_ids(root_file(rig)), []
    with Load(rig, n, "load") as load:
        time.sleep(0.5)
        for i in range(3):
            r = key(rig, "rotate")
            rotated.append(r)
            rig.eq(r["damaged"], 0)
            rig.eq(r["resumed"], False)
            rig.eq(r["dropped"], old)
            rig.eq([r["root"]], root_ids(root_file(rig)))
            rig.check(r["root"] not in old, "the same root key")
            old = [r["root"]]
            if i == 0:  # a list that is being read goes on
                rig.ok(rig.get(rig.p + "/incidents?limit=2&cursor=" +
                               page["next"]), 200)
            time.sleep(0.3)
            if i > 0:
                w = key(rig, "rewrap")
                rig.eq(w["kept"], 0)
                rig.eq(w["damaged"], 0)
                rig.check(w["rows"] > 0 and w["deleted"] >= 6, w)
                time.sleep(0.2)
    rig.eq(load.bad[:5], [], "answers under load")
    rig.check(len(load.sent) > 50 and load.reads > 20, "there was no load")
    rig.check(load.slowest < 5, f"an answer took {load.slowest:.1f} s")
    found = alert_names(rig)
    rig.eq([x for x in load.sent if found.get(x) != 1], [], "lost alerts")
    rig.eq(found.get("before-1"), 1)
    rig.eq(rig.ok(rig.get(f"{rig.p}/incidents/{before['id']}"), 200)
           .json["title"], "before")
    rig.eq(rig.ok(rig.post(rig.p + "/incidents", {"title": "once"},
                           headers=idem), 201).json["id"], kept["id"])
    for i in load.incidents:
        r = rig.ok(rig.get(f"{rig.p}/incidents/{i}?include=timeline"), 200)
        rig.check("note" in [t["text"] for t in r.json["timeline"]], "note")
    verified(rig)
    rig.load = load


@test
def old_keys_are_gone(rig):
    s = key(rig, "status")
    rig.eq(s["waiting"]["keys"], 0)
    rig.eq(s["waiting"]["rows"], 0)
    root = root_ids(root_file(rig))
    rig.eq(len(root), 1)
    rig.eq(oct(root_file(rig).stat().st_mode & 0o777), "0o400")
    rig.eq(sorted(os.listdir(rig.data / "keys")),
           ["audit.key", "keeper.state", "root.key"])
    for p in s["projects"]:
        rig.eq([(k["version"], k["root"]) for k in p["keys"]],
               [(4, root[0])])
    for k in s["data_keys"]:
        rig.eq(k["old"], 0, k["class"])


@test
def it_is_on_record(rig):
    items = rig.ok(rig.get("/v1/audit?limit=200&order=desc"
                           "&action=key.rotate"), 200).json["items"]
    leaves = [json.loads(i["leaf"])["reason"] for i in items]
    rig.eq([x.split()[0] for x in leaves],
           ["dropped", "done", "begin"] * 3)
    rig.check(all(i["principal"]["kind"] == "system" for i in items), items)
    rig.check(f"by=uid:{os.getuid()}" in leaves[0], leaves[0])
    items = rig.ok(rig.get("/v1/audit?limit=200&action=key.rewrap"), 200)
    rig.eq(len(items.json["items"]), 2)


@test
def everything_opens_after_a_restart(rig):
    rig.eq(rig.stop(), 0)
    verified(rig)
    rig.start()
    found = alert_names(rig)
    rig.eq([x for x in rig.load.sent if found.get(x) != 1], [], "lost")
    for i in rig.load.incidents[::7]:
        rig.ok(rig.get(f"{rig.p}/incidents/{i}?include=timeline"), 200)
    r = rig.cli("check", "--data", str(rig.data), "--json")
    items = {i["check"]: i for i in json.loads(r.stdout)["items"]}
    rig.eq(items["keys.root"]["ok"], True)
    rig.eq(items["keys.project"]["ok"], True)
    rig.eq(items["audit.log"]["ok"], True)


@test
def projects_made_later(rig):
    rig.ok(rig.post("/v1/projects", {"slug": "later", "name": "Later"}), 201)
    rig.ok(rig.post("/v1/projects/later/incidents", {"title": "one"}), 201)
    key(rig, "rotate")
    key(rig, "rewrap")
    p = [p for p in key(rig, "status")["projects"] if p["project"] == "later"]
    rig.eq([k["version"] for k in p[0]["keys"]], [2])
    i = rig.ok(rig.get("/v1/projects/later/incidents"), 200).json["items"]
    rig.eq([x["title"] for x in i], ["one"])
    n = rig.make_integration("generic", project="later")
    rig.ok(post(rig, rig.client(n["secret"]), n, "later-1"), 202)


@test
def encrypt_all_anew(rig):
    """Under load: nobody notices, all is under new keys, the old are gone."""
    n = integration(rig)
    def below():
        db = sqlite3.connect(f"file:{rig.data}/db/store.db?mode=ro", uri=True)
        try:
            return db.execute("SELECT max(id) FROM data_key").fetchone()[0] + 1
        finally:
            db.close()
    seen, first = [], below()
    with Load(rig, n, "anew") as load:
        time.sleep(0.5)
        p = subprocess.Popen(
            [BINARY, "key", "reencrypt", "--data", str(rig.data), "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while p.poll() is None:
            s = key(rig, "status")["reencrypt"]
            if s is not None:
                seen.append(s)
            time.sleep(0.05)
        out, e = p.communicate()
        rig.eq(p.returncode, 0, e)
        time.sleep(0.2)
    w = json.loads(out)
    rig.eq((w["kept"], w["damaged"]), (0, 0))
    rig.check(w["rows"] > 200 and w["deleted"] > 20, w)
    rig.check(seen and all(x["running"] for x in seen), "no progress is told")
    rig.check(seen[-1]["rows_done"] > 0 and seen[-1]["rows_total"] > 0,
              seen[-1:])
    rig.eq(load.bad[:5], [], "answers under load")
    rig.check(load.slowest < 5, f"an answer took {load.slowest:.1f} s")
    s = key(rig, "status")
    rig.eq((s["reencrypt"], s["waiting"]["keys"]), (None, 0))
    found = alert_names(rig)
    rig.eq([x for x in load.sent if found.get(x) != 1], [], "lost alerts")
    for i in load.incidents + rig.load.incidents[:5]:
        rig.ok(rig.get(f"{rig.p}/incidents/{i}?include=timeline"), 200)
    rig.stop()
    db = sqlite3.connect(rig.data / "db" / "store.db")
    old = db.execute("SELECT DISTINCT class FROM data_key WHERE id < ?",
                     (first,)).fetchall()
    rig.check({c for c, in old} <= {8, 9}, f"old keys of classes {old}")
    for table, in db.execute(
            "SELECT m.name FROM sqlite_schema m, pragma_table_info(m.name) c "
            "WHERE m.type = 'table' AND c.name = 'sealed'").fetchall():
        for blob, in db.execute(f"SELECT sealed FROM {table}"):
            if int.from_bytes(blob[4:8], "big") < first:
                rig.check(False, f"{table}: a row under an old key")
                break
    db.close()
    rig.start()
    verified(rig)
    items = rig.ok(rig.get("/v1/audit?limit=200&order=desc"
                           "&action=key.reencrypt"), 200).json["items"]
    rig.eq([json.loads(i["leaf"])["reason"].split()[0] for i in items],
           ["done", "begin"])


@test
def terms_begin_by_themselves(rig):
    """After key_seals a class key is followed by a new one."""
    n = integration(rig)
    for bad in (0, 999, 2 ** 32, "x"):
        rig.eq(rig.put("/v1/policy", {"key_seals": bad}).status, 400, bad)
    for bad in (0, 3651):
        rig.eq(rig.put("/v1/policy", {"key_days": bad}).status, 400, bad)
    was = rig.ok(rig.get("/v1/policy"), 200).json
    rig.eq((was["key_days"], was["key_seals"]), (90, 2 ** 32 - 1))
    rig.ok(rig.put("/v1/policy", {"key_seals": 1000}), 200)

    def olds():
        return {k["class"]: k["old"] for k in key(rig, "status")["data_keys"]}
    before, c, i, end = olds(), rig.client(n["secret"]), 0, time.time() + 40
    while time.time() < end and not (olds()["payload"] > before["payload"] and
                                     olds()["alert"] > before["alert"]):
        for _ in range(200):
            i += 1
            rig.ok(post(rig, c, n, f"term-{i}"), 202)
    rig.check(olds()["payload"] > before["payload"], "no new term of payload")
    rig.check(olds()["alert"] > before["alert"], "no new term of alert")
    rig.ok(rig.put("/v1/policy", {"key_seals": 2 ** 32 - 1}), 200)
    items = rig.ok(rig.get("/v1/audit?limit=200&order=desc"
                           "&action=key.rotate"), 200).json["items"]
    said = [json.loads(x["leaf"])["reason"] for x in items]
    rig.check(any("class=payload" in x and "why=seals" in x for x in said),
              said[:5])
    key(rig, "rewrap")
    rig.eq(olds(), {k: 0 for k in olds()})


@test
def one_at_a_time(rig):
    runs = [subprocess.Popen(
        [BINARY, "key", "rotate", "--data", str(rig.data), "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(6)]
    out = [(p, *p.communicate()) for p in runs]
    codes = [p.returncode for p, _, _ in out]
    rig.check(set(codes) <= {0, 7} and 0 in codes, codes)
    for p, _, e in out:
        rig.check(p.returncode == 0 or "at work" in e, e)
    rig.eq(len(root_ids(root_file(rig))), 1)
    rig.eq(key(rig, "status")["root"]["keys"][0]["id"],
           root_ids(root_file(rig))[0])


@test
def who_may_ask(rig):
    sock = rig.data / "control.sock"
    rig.eq(oct(sock.stat().st_mode & 0o777), "0o600")
    if os.getuid() != 0:
        return
    # even when the file system would let them
    modes = [(p, p.stat().st_mode & 0o7777)
             for p in (rig.dir, rig.data, sock)]
    out, end = os.pipe()
    try:
        for p, _ in modes:
            p.chmod(0o777)
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.write(end, say(sock, b"status\n") or b"{}")
            os._exit(0)
        os.waitpid(child, 0)
        os.set_blocking(out, False)
        rig.eq(json.loads(os.read(out, 9999)).get("error"), "denied")
    finally:
        for p, m in modes:
            p.chmod(m)
        os.close(out)
        os.close(end)


@test
def nonsense_on_the_socket(rig):
    def said(data):
        return json.loads(say(rig.data / "control.sock", data))

    rig.eq(said(b"nonsense\n")["error"], "not_implemented")
    rig.eq(said(b"rotate\n")["error"], "not_implemented")
    rig.eq(said(b"rotate x\n")["error"], "invalid")
    rig.eq(said(b"rotate " + b"0" * 16 + b"\n")["error"], "conflict")
    rig.eq(said(b"dropped " + b"0" * 16 + b"\n")["error"], "conflict")
    rig.eq(said(b"x" * 10000)["error"], "too_large")
    rig.eq(said(b"status\nstatus\n")["error"], "peer")
    rig.eq(said(b"half")["error"], "unavailable")
    rig.eq(said(b"\0\xff\n")["error"], "not_implemented")
    rig.eq(said(b"status\n")["busy"], None)
    rig.ok(rig.get("/v1/whoami"), 200)


# ---- cut short ----

@test
def killed_anywhere(rig):
    """The server, the command or both, at any moment of a rotation."""
    n, rng, tag = integration(rig), random.Random(7), 0
    for round_ in range(KILLS):
        verb = ["rotate", "reencrypt", "rewrap"][round_ % 3]
        who = ["server", "command", "both"][round_ // 3 % 3]
        with Load(rig, n, f"kill{round_}") as load:
            time.sleep(0.1)
            p = subprocess.Popen(
                [BINARY, "key", verb, "--data", str(rig.data)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.random() * (0.15 if verb == "rotate" else
                                       1.2 if verb == "rewrap" else 3))
            if who != "server":
                p.kill()
            if who != "command":
                load.stop.set()
                rig.stop(signal.SIGKILL)
            p.wait()
        rig.close()
        if who != "command":
            verified(rig)
            rig.start()
        found = alert_names(rig)
        rig.eq([x for x in load.sent if found.get(x) != 1], [],
               f"round {round_}: lost")
        for i in load.incidents[:3]:
            rig.ok(rig.get(f"{rig.p}/incidents/{i}?include=timeline"), 200)
    for _ in range(50):  # a rotation nobody waits for any more
        if key(rig, "status")["busy"] is None:
            break
        time.sleep(0.2)
    key(rig, "rotate")
    rig.eq(len(root_ids(root_file(rig))), 1, "root keys")
    w = key(rig, "reencrypt")  # also one that was cut short
    rig.eq((w["kept"], w["damaged"]), (0, 0))
    s = key(rig, "status")
    rig.eq(s["reencrypt"], None)
    for p in s["projects"]:
        rig.eq([k["root"] for k in p["keys"]], root_ids(root_file(rig)))
    rig.stop()
    rig.start()
    rig.check(len(alert_names(rig)) > 100, "alerts")
    verified(rig)


@test
def a_rotation_begun_is_finished(rig):
    """The command died right after it had written the file."""
    other = Rig(start=False)
    f, old = root_file(rig), root_ids(root_file(rig))
    text = root_file(other).read_text() + f.read_text()
    new = root_ids(root_file(other))
    shutil.rmtree(other.dir)
    f.chmod(0o600)
    f.write_text(text)
    f.chmod(0o400)
    rig.stop()
    rig.start()
    s = key(rig, "status")
    rig.eq([k["id"] for k in s["root"]["keys"]], new + old)
    rig.eq(s["projects"][0]["keys"][0]["root"], old[0])
    r = key(rig, "rotate")
    rig.eq((r["resumed"], r["root"], r["dropped"]), (True, new[0], old))
    rig.eq(root_ids(f), new)
    s = key(rig, "status")
    rig.eq({k["root"] for p in s["projects"] for k in p["keys"]}, set(new))


# ---- the root key file ----

@test
def wrong_or_missing_root_key(rig):
    f = root_file(rig)
    rig.stop()
    good = f.read_bytes()
    other = Rig(start=False)
    foreign = root_file(other).read_bytes()
    shutil.rmtree(other.dir)

    def serve_says(want):
        log = rig.log_text()
        r = rig.cli("serve", "--data", str(rig.data), "--listen",
                    "127.0.0.1:0")
        rig.eq(r.returncode, 7, r.stderr[-500:])
        rig.check(want in r.stderr, r.stderr[-800:])
        for verb in ("status", "rotate", "rewrap"):
            r = rig.cli("key", verb, "--data", str(rig.data))
            rig.eq(r.returncode, 7, f"{verb}: {r.stderr}")
        rig.check(log is not None, "")

    def put(data):
        f.unlink(missing_ok=True)
        f.write_bytes(data)
        f.chmod(0o400)

    f.unlink()
    serve_says("keys/root.key: No such file")
    put(foreign)
    serve_says("not the one this data was sealed with")
    put(b"")
    serve_says("the root key file is empty")
    put(good.replace(b"redoubt-root-1", b"redoubt-root-2"))
    serve_says("line 1 of the root key file")
    put(foreign + good)
    rig.start()
    rig.ok(rig.get("/v1/whoami"), 200)
    rig.stop()
    put(good)
    rig.start()
    rig.ok(rig.get("/v1/whoami"), 200)


@test
def offline(rig):
    """The same, without a server."""
    rig.stop()
    old = root_ids(root_file(rig))
    r = key(rig, "rotate")
    rig.eq((r["online"], r["dropped"]), (False, old))
    w = key(rig, "rewrap")
    rig.eq((w["online"], w["kept"]), (False, 0))
    s = key(rig, "status")
    rig.eq(s["root"]["keys"], [{"id": r["root"], "primary": True}])
    rig.eq(sorted(os.listdir(rig.data / "db")),
           ["lock", "store.db"] if (rig.data / "db" / "lock").exists()
           else ["store.db"])
    verified(rig)
    for _ in range(4):  # and cut short
        p = subprocess.Popen(
            [BINARY, "key", "rotate", "--data", str(rig.data)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.random() * 0.15)
        p.kill()
        p.wait()
    key(rig, "rotate")
    rig.eq(len(root_ids(root_file(rig))), 1)
    rig.start()
    rig.check(len(alert_names(rig)) > 100, "alerts")
    verified(rig)


@test
def a_link_is_followed(rig):
    """keys/root.key may be a link to another disk: that file is replaced."""
    f, away = root_file(rig), rig.dir / "away"
    away.mkdir(exist_ok=True)
    f.rename(away / "root.key")
    f.symlink_to(away / "root.key")
    r = key(rig, "rotate")
    rig.check(f.is_symlink(), "the link was replaced")
    rig.eq(r["file"], str(away / "root.key"))
    rig.eq(root_ids(away / "root.key"), [r["root"]])
    f.unlink()
    (away / "root.key").rename(f)


@test
def a_key_somewhere_else(rig):
    """keys.root names another file."""
    f, away = root_file(rig), rig.dir / "elsewhere.key"
    conf = rig.data / "redoubt.conf"
    was = conf.read_text()
    rig.stop()
    shutil.copy2(f, away)
    conf.write_text(was + f"\n[keys]\nroot = {away}\n")
    rig.start()
    r = key(rig, "rotate")
    rig.eq(root_ids(away), [r["root"]])
    rig.check(root_ids(f) != [r["root"]], "the wrong file was changed")
    # the command reads another configuration than the server
    conf.write_text(was)
    rig.check("not in" in key(rig, "rotate", rc=5), "another file")
    rig.eq(len(root_ids(f)), 1)
    rig.stop()
    f.unlink()
    away.rename(f)
    rig.start()


@test
def a_credential_is_changed_by_hand(rig):
    f, creds = root_file(rig), rig.dir / "creds"
    conf = rig.data / "redoubt.conf"
    was, old = conf.read_text(), root_ids(f)
    rig.stop()
    creds.mkdir()
    f.rename(creds / "root")
    conf.write_text(was + "\n[keys]\nroot = root\n")
    os.environ["CREDENTIALS_DIRECTORY"] = str(creds)
    try:
        rig.start()
        del os.environ["CREDENTIALS_DIRECTORY"]
        rig.eq(key(rig, "status")["file"], None)
        said = key(rig, "rotate", rc=2)
        rig.check("keys/root.next" in said and "by hand" in said, said)
        rig.eq(key(rig, "status")["root"]["keys"][0]["id"], old[0])
        key(rig, "rotate", rc=2)  # nothing new the second time
        nxt = rig.data / "keys" / "root.next"
        rig.eq(oct(nxt.stat().st_mode & 0o777), "0o400")
        new = root_ids(nxt)
        text = nxt.read_text() + (creds / "root").read_text()
        (creds / "root").chmod(0o600)
        (creds / "root").write_text(text)
        (creds / "root").chmod(0o400)
        rig.stop()
        os.environ["CREDENTIALS_DIRECTORY"] = str(creds)
        rig.start()
        del os.environ["CREDENTIALS_DIRECTORY"]
        r = key(rig, "rotate")
        rig.eq((r["root"], r["dropped"], r["left"]), (new[0], [], old))
        rig.check(not nxt.exists(), "root.next stays")
        (creds / "root").unlink()
        (creds / "root").write_text(text.splitlines(True)[0])
        (creds / "root").chmod(0o400)
        rig.stop()
        (creds / "root").rename(f)
        conf.write_text(was)
        rig.start()
        rig.ok(rig.get("/v1/whoami"), 200)
        rig.eq(root_ids(f), new)
    finally:
        os.environ.pop("CREDENTIALS_DIRECTORY", None)


@test
def no_old_key_on_the_disk(rig):
    """Nothing is left that the old root key would open."""
    key(rig, "rotate")
    key(rig, "rewrap")
    rig.stop()
    root = root_ids(root_file(rig))[0]
    db = sqlite3.connect(rig.data / "db" / "store.db")
    heads = {bytes(w)[4:8].hex() for (w,) in
             db.execute("SELECT wrapped FROM project_key")}
    rig.eq(heads, {root[:8]})
    classes = db.execute("SELECT count(*), count(DISTINCT project * 100 + "
                         "class) FROM data_key WHERE subject IS NULL")
    total, distinct = classes.fetchone()
    rig.eq(total, distinct, "one key a class")
    db.close()
    audit = (rig.data / "keys" / "audit.key").read_bytes()
    for at in (0, 4096):
        rig.eq(audit[at + 18 + 4:at + 18 + 8].hex(), root[:8], "audit.key")
    rig.start()


@test
def stopped_in_between(rig):
    """A stop ends a rotation between two pieces; nothing is lost."""
    p = subprocess.Popen([BINARY, "key", "rewrap", "--data", str(rig.data)],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True)
    key(rig, "status")
    time.sleep(0.2)
    start = time.time()
    rig.eq(rig.stop(), 0)
    rig.check(time.time() - start < 10, "the stop waited")
    out, e = p.communicate()
    rig.check(p.returncode in (0, 7), e)
    rig.check(p.returncode == 0 or re.search("run it again|do it again", e), e)
    rig.start()


run()
