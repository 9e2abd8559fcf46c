#!/usr/bin/env python3
"""
A real delegate that is killed, stopped, cancelled, cut off and renewed, by a
server of the test's own (liarserver.py): no step is done twice, none that was
done is lost, output arrives whole and without secrets.
"""
import base64
import hashlib
import http.server
import os
import random
import shutil
import ssl
import struct
import sys
import threading
import time
import uuid
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
import liarkit  # noqa: E402
from liarserver import Delegate, Server, ed25519  # noqa: E402

d = liarkit.d
n = [0, 0]
KILLS = int(os.environ.get("KILLS", "50"))


def check(what, good, detail=""):
    n[0] += 1
    n[1] += not good
    print(f"{'ok' if good else 'not ok'} {n[0]} - {what}", flush=True)
    if not good:
        print(f"# {str(detail)[:600]}", flush=True)


class Counter:
    """A service: how often did each text arrive?"""

    def __init__(self, tls):
        self.hits, lock = {}, threading.Lock()
        hits = self.hits

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                with lock:
                    hits[body] = hits.get(body, 0) + 1
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    pass  # the delegate was killed

            def log_message(self, *_):
                pass

        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(tls.chain)
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.socket = c.wrap_socket(self.http.socket, server_side=True,
                                         do_handshake_on_connect=False)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever,
                         daemon=True).start()

    def of(self, text):
        return self.hits.get(d.canon({"text": text}), 0)


def script(s, text, who="world", secrets=(), limits=None, outputs=None,
           args=None):
    """A task of a script of its own; approved, sealed."""
    w = s.fresh()
    step = liarkit.SCRIPT | {"script": text}
    if secrets:
        step |= {"secrets": [x["name"] for x in secrets]}
    if limits:
        step |= {"limits": limits}
    if outputs:
        step |= {"outputs": outputs}
    doc = liarkit.runbook(step)
    env = w.envelope(doc, [w.approve(doc)], secrets=list(secrets))
    env["inputs"] = {"who": who}
    env["values"]["args"] = [who, "-x", f"a-{who}"]
    return liarkit.offer(w, env)


def run(s, offer, seconds=20):
    s.offers.put([offer])
    return s.result(offer[0], seconds)


def log_is_whole(s, r, task):
    log = s.logs.get(task, b"")
    return (len(log) == r["log_bytes"] and
            hashlib.sha256(log).hexdigest() == r["log_sha256"])


# ---- killed at random moments ----

class Task:
    def __init__(self, s, approvals):
        self.text, self.fence = str(uuid.uuid4()), 0
        self.id, self.approvals, self.s = str(uuid.uuid4()), approvals, s

    def offer(self):
        w, self.fence = self.s.fresh(), self.fence + 1
        w.ids = w.ids | {"task": self.id}
        env = w.envelope(liarkit.HTTP, self.approvals, [liarkit.JIRA],
                         fence=self.fence, inputs={"who": self.text},
                         values={"params": {"text": self.text}})
        return liarkit.offer(w, env)

    @property
    def started(self):
        return self.id in self.s.starts

    @property
    def done(self):
        return self.id in self.s.results


def kills(s, g, counter):
    w = s.fresh()
    approvals = [w.approve(liarkit.HTTP), w.approve_connector(liarkit.JIRA)]
    rng, tasks = random.Random(7), []
    for i in range(KILLS):
        g.start()
        tasks += [Task(s, approvals) for _ in range(4)]
        again = [t for t in tasks if not t.started]
        for t in again:
            s.offers.put([t.offer()])
        time.sleep(0.1 + rng.random() * 0.5)
        g.kill()
        while not s.offers.empty():
            s.offers.get()
    g.start()
    end = time.time() + 60
    while time.time() < end and not all(t.started for t in tasks):
        for t in tasks:
            if not t.started:
                s.offers.put([t.offer()])
        time.sleep(1)
    end = time.time() + 15
    while time.time() < end and s.leases[-1]["running"]:
        time.sleep(0.1)
    done = [t for t in tasks if t.done]
    lost = [t for t in tasks if t.started and not t.done]
    good = [t for t in done if s.results[t.id][0]["outcome"] == "succeeded"]
    hits = [counter.of(t.text) for t in tasks]
    print(f"# {KILLS} kills, {len(tasks)} steps: {len(good)} done, "
          f"{len(lost)} lost after their start, {hits.count(0)} without and "
          f"{hits.count(1)} with effect; "
          f"{g.text().count('event=delegate.recovered')} results delivered "
          f"after a kill")
    check("every step was started", all(t.started for t in tasks))
    check("no step was done twice", max(hits) == 1, hits)
    check("what was said to be done was done",
          all(counter.of(t.text) == 1 for t in good))
    check("nothing ended otherwise", len(good) == len(done),
          [s.results[t.id] for t in done if t not in good][:2])
    check("what was lost was running when it was killed",
          len(lost) <= 4 * KILLS and len(good) > KILLS, len(lost))
    # a server that offers what is lost again
    for t in lost:
        s.offers.put([t.offer()])
    for t in lost:
        s.result(t.id)
    check("nothing that is lost is done a second time",
          max(counter.of(t.text) for t in tasks) == 1)


# ---- output ----

def output(s, g):
    offer = script(s, "i=0; while [ $i -lt 40000 ]; do echo "
                   "\"line $i ..............................\"; "
                   "i=$((i+1)); done\n", limits={"output_kb": 4096})
    r = run(s, offer, 60)
    check("two megabytes arrive whole", r and r["outcome"] == "succeeded" and
          log_is_whole(s, r, offer[0]) and r["log_bytes"] > 1500000 and
          s.logs[offer[0]].endswith(b"line 39999 " + b"." * 30 + b"\n"), r)
    offer = script(s, "head -c 300000 /dev/zero | tr '\\0' 'x'\n",
                   limits={"output_kb": 16})
    r = run(s, offer)
    check("more than the limit is left out, and said so",
          r and log_is_whole(s, r, offer[0]) and r["log_bytes"] < 17000 and
          b"bytes left out]" in s.logs[offer[0]], r)
    offer = script(s, "printf 'a\\033[31mb\\r\\n'; echo err >&2\n")
    r = run(s, offer)
    check("control characters are shown, both streams are there",
          r and b"a\\x1b[31mb\\x0d\n" in s.logs[offer[0]] and
          b"err\n" in s.logs[offer[0]], s.logs.get(offer[0]))
    value = b"correct horse battery staple"
    offer = script(s, "read -r v <&$SECRET_FD_DB; echo \"got $v\"; "
                   "echo \"$v\" | base64; printf '%s' \"$v\" | od -An -tx1 "
                   "| tr -d ' \\n'; echo; echo ${#v}\n"
                   "printf '{\"n\": %d, \"v\": \"%s\"}' ${#v} \"$v\" "
                   ">/job/outputs.json\n",
                   secrets=[liarkit.secret(s.world, value=value)],
                   outputs=[{"name": "n", "type": "integer"},
                            {"name": "v", "type": "string"}])
    r = run(s, offer)
    log = s.logs.get(offer[0], b"")
    check("a secret is read from its descriptor",
          r and r["outcome"] == "succeeded" and
          r["outputs"].get("n") == len(value), (r, log))
    check("and is nowhere in the log or the outputs",
          value not in log and b"battery" not in log and
          base64.b64encode(value)[:30] not in log and
          value.hex().encode() not in log and
          "battery" not in str(r["outputs"]) and b"***" in log, (r, log))
    r = run(s, script(s, "echo '{\"x\": 1}' >/job/outputs.json\n"))
    check("outputs nobody declared fail", r and
          (r["outcome"], r["code"]) == ("failed", "outputs"), r)
    r = run(s, script(s, "exit 3\n"))
    check("an exit status is told", r and
          (r["outcome"], r["code"], r["exit"]) == ("failed", "exit", 3), r)
    flood = script(s, "yes\n", limits={"wall_s": 3, "output_kb": 64})
    s.offers.put([flood])
    s.saw("log", flood[0])
    t = time.time()
    r = run(s, script(s, "echo quick\n"))
    check("a step that writes without end keeps nobody waiting",
          r and r["outcome"] == "succeeded" and time.time() - t < 2.5 and
          flood[0] not in s.results, (r, time.time() - t))
    r = s.result(flood[0])
    check("and is cut off", r and r["outcome"] == "timed_out" and
          log_is_whole(s, r, flood[0]), r)
    r = run(s, script(s, "sleep 30\n", limits={"wall_s": 1}))
    check("time is over", r and r["outcome"] == "timed_out", r)


# ---- the server is away, cancels, freezes ----

def cut_off(s, g):
    s.fail_results = 10 ** 6
    offer = script(s, "echo kept; echo over a crash\n")
    s.offers.put([offer])
    check("a step ends while the server is ill", s.saw("result", offer[0]))
    spool = g.dir / "spool" / f"{offer[0]}.json"
    check("its result is on the disk", spool.exists())
    g.kill()
    s.logs.pop(offer[0])  # it has lost them, too
    s.fail_results = 0
    g.start()
    r = s.result(offer[0])
    check("the result arrives after a kill, with its log", r and
          r["outcome"] == "succeeded" and log_is_whole(s, r, offer[0]) and
          s.logs[offer[0]] == b"kept\nover a crash\n", r)
    end = time.time() + 5
    while time.time() < end and spool.exists():
        time.sleep(0.05)
    left = [x.name for x in (g.dir / "spool").iterdir()]
    check("nothing is left of it", not left, left)
    offer = script(s, "sleep 1; echo through\n")
    s.offers.put([offer])
    s.saw("start", offer[0])
    port = s.port
    s.close()
    time.sleep(1.5)
    s.open(port)
    r = s.result(offer[0], 30)
    check("a server that was away gets the result", r and
          s.logs[offer[0]] == b"through\n", r)


def told_to(s, g):
    offer = script(s, "echo begun; sleep 30\n")
    s.offers.put([offer])
    s.saw("log", offer[0])
    s.cancel = [offer[0]]
    t = time.time()
    r = s.result(offer[0], 15)
    check("a step is cancelled", r and r["outcome"] == "cancelled" and
          time.time() - t < 8, r)
    s.cancel = []
    s.frozen = True
    time.sleep(0.7)
    r = run(s, script(s, "echo frozen\n"))
    check("frozen: nothing is started", r and (r["outcome"], r["code"]) ==
          ("refused", "delegate.frozen"), r)
    s.frozen = False
    time.sleep(0.7)
    s.start_status = 409
    offer = script(s, "echo not ours\n")
    s.offers.put([offer])
    s.saw("start", offer[0])
    time.sleep(0.5)
    check("a start that is not granted is not made",
          offer[0] not in s.logs and offer[0] not in s.results and
          offer[0] not in (g.dir / "journal").read_text())
    s.start_status = 204


def stopping(s, g):
    offer = script(s, "sleep 1; echo finished\n")
    s.offers.put([offer])
    s.saw("start", offer[0])
    rc = g.stop()
    r = s.result(offer[0], 1)
    check("SIGTERM lets a step end and delivers it", rc == 0 and r and
          r["outcome"] == "succeeded" and
          s.logs[offer[0]] == b"finished\n", (rc, r))
    (g.dir / "policy.conf").write_text(
        g.policy.replace("[limits]", "drain_s = 1\n[limits]"))
    g.start()
    offer = script(s, "sleep 50\n")
    s.offers.put([offer])
    s.saw("start", offer[0])
    t = time.time()
    rc = g.stop()
    r = s.result(offer[0], 1)
    check("but not for ever", rc == 0 and time.time() - t < 8 and r and
          r["outcome"] == "cancelled", (rc, r))


def renewing(s, g):
    s.cert_s, before = 4, s.renewals
    shutil.rmtree(g.dir)
    g.enroll()
    (g.dir / "policy.conf").write_text(g.policy)
    (g.dir / "policy.conf").chmod(0o600)
    first = (g.dir / "session").read_bytes()[:32]
    g.start()
    end = time.time() + 15
    while time.time() < end and s.renewals < before + 1:
        time.sleep(0.1)
    s.cert_s = 86400
    time.sleep(0.5)
    check("a certificate is renewed at half of its life, with another key",
          s.renewals > before and
          (g.dir / "session").read_bytes()[:32] != first)
    r = run(s, script(s, "echo renewed\n"))
    check("and the next result is signed with that", r and
          r["outcome"] == "succeeded", r)


def witness(s):
    check("it is a witness", s.cosigned)
    note = s.cosigned[-1]
    line = note.rstrip("\n").split("\n")[-1].split(" ")
    raw, text = base64.b64decode(line[2]), note[:note.index("\n\n") + 1]
    name = f"redoubt-delegate/{s.world.ids['delegate']}"
    key = ed25519.Ed25519PublicKey.from_public_bytes(s.identity)
    seconds, = struct.unpack(">Q", raw[4:12])
    key.verify(raw[12:],
               f"cosignature/v1\ntime {seconds}\n{text}".encode())
    check("with cosignatures of its identity", line[1] == name and
          raw[:4] == d.key_id(name, s.identity, 4) and
          abs(seconds - time.time()) < 300)


def main():
    s = Server()
    counter = Counter(s.tls)
    host = f"127.0.0.1:{counter.port}"
    liarkit.JIRA |= {"base": f"https://{host}", "hosts": [host],
                     "ca": s.tls.ca.read_text(),
                     "allow_cidrs": ["127.0.0.1/32"]}
    policy = liarkit.POLICY.replace("jira.example:443", host)
    g = Delegate(s, policy)
    g.policy = policy
    try:
        kills(s, g, counter)
        output(s, g)
        cut_off(s, g)
        told_to(s, g)
        witness(s)
        stopping(s, g)
        renewing(s, g)
        g.stop()
    except BaseException:
        print(g.text()[-3000:], file=sys.stderr)
        raise
    finally:
        if g.p is not None:
            g.kill()
        shutil.rmtree(s.dir, ignore_errors=True)
    print(f"1..{n[0]}")
    return 1 if n[1] else 0


if __name__ == "__main__":
    rc = main()
    sys.stdout.flush()
    os._exit(rc)
