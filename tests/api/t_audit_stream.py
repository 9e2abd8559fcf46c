#!/usr/bin/env python3
"""The log for who collects it: events and long poll, from where one was, in
each format, filtered, and of what one may see."""
import json
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import run, sse, test  # noqa: E402

STREAM = "/v1/audit/stream"


def poll(rig, after, client=None, wait=0, **kw):
    """Lines, and where to go on."""
    q = "&".join(f"{k}={v}" for k, v in kw.items())
    r = rig.ok((client or rig).get(f"{STREAM}?wait={wait}&after={after}&{q}"),
               200)
    lines = r.body.decode().splitlines()
    return lines, int(r.headers["x-redoubt-after"])


def drain(rig, after=0, **kw):
    got = []
    while True:
        lines, next_ = poll(rig, after, **kw)
        got += lines
        if not lines or next_ == after:
            return got, next_
        own = [x for x in lines if "audit.stream" in x]
        if len(own) == len(lines):  # only that we poll
            return got, next_
        after = next_


@test
def polls_have_every_entry_once(rig):
    for i in range(5):
        rig.make_incident(f"one of {i}")
    lines, after = drain(rig, limit=7)
    seqs = [json.loads(x)["seq"] for x in lines]
    rig.eq(seqs, list(range(1, len(seqs) + 1)), "in order, without a gap")
    # what is there is what the log says
    leaf = rig.get(f"/v1/audit/{seqs[3]}").json["leaf"]
    rig.eq(lines[3], leaf)
    rig.make_incident("another")
    more, _ = poll(rig, after, wait=5)
    rig.check(any("incident.create" in x for x in more), more)
    again, _ = poll(rig, after, wait=5)
    rig.eq(again[:len(more)], more, "at least once: the same again")


@test
def a_poll_waits(rig):
    _, after = drain(rig)
    begin = time.monotonic()
    t = threading.Timer(0.6, lambda: rig.client(rig.token).post(
        rig.p + "/incidents", {"title": "late"}))
    t.start()
    lines, _ = poll(rig, after, wait=20, action="incident.*")
    rig.check(0.3 < time.monotonic() - begin < 10, "when there is something")
    rig.check("incident.create" in lines[-1], lines)
    t.join()
    _, after = drain(rig)
    begin = time.monotonic()
    lines, next_ = poll(rig, after, wait=1, action="org.")
    rig.check(0.8 < time.monotonic() - begin < 10, "and no longer")
    rig.eq(lines, [])
    rig.check(next_ >= after, "its own entry was looked at")
    # who polls without a pause is not answered by their own polls
    _, after = drain(rig)
    n = 0
    end = time.monotonic() + 2
    while time.monotonic() < end:
        _, after = poll(rig, after, wait=1)
        n += 1
    rig.check(n <= 3, f"{n} polls in two seconds")


@test
def formats(rig):
    for form, start in (("cef", "CEF:0|"), ("syslog", "<1"),
                        ("ocsf", '{"activity_id"'), ("ndjson", '{"action"')):
        lines, _ = poll(rig, 0, format=form, limit=5)
        rig.eq(len(lines), 5)
        rig.check(all(x.startswith(start) for x in lines), lines[0])
        text = sse(rig.client(rig.token), f"{STREAM}?format={form}&after=0",
                   0.5)
        data = [x[6:] for x in text.splitlines() if x.startswith("data: ")]
        rig.eq(data[:5], lines, form)
    for q in ("format=csv", "format=x", "wait=61", "wait=x", "after=x",
              "after=-1", "outcome=x", "limit=0", "foo=1"):
        rig.ok(rig.get(f"{STREAM}?{q}"), 400)


@test
def events_resume(rig):
    c = rig.client(rig.token)
    text = sse(c, STREAM + "?after=2", 0.5)
    ids = [int(x[4:]) for x in text.splitlines() if x.startswith("id: ")]
    rig.eq(ids[:3], [2, 3, 4], "behind the one it has")
    text = sse(c, STREAM + "?after=2", 0.5, last=str(ids[3]))
    ids2 = [int(x[4:]) for x in text.splitlines() if x.startswith("id: ")]
    rig.eq(ids2[:2], [ids[3], ids[3] + 1], "Last-Event-ID is the newer word")
    text = sse(c, STREAM + "?after=0&action=incident.create", 0.5)
    kinds = {json.loads(x[6:])["action"] for x in text.splitlines()
             if x.startswith("data: ")}
    rig.eq(kinds, {"incident.create"})


@test
def scoped(rig):
    """A token of some projects sees their entries and no other."""
    rig.ok(rig.post("/v1/projects", {"slug": "other", "name": "o"}), 201)
    rig.ok(rig.post("/v1/projects/other/incidents", {"title": "o"}), 201)
    mine = rig.get(rig.p).json["id"]
    c = rig.client(rig.make_token(projects=[rig.project]))
    lines, after = poll(rig, 0, client=c, limit=200)
    rig.check(lines and all(json.loads(x).get("project") == mine
                            for x in lines), lines[:2])
    rig.ok(rig.post("/v1/projects/other/incidents", {"title": "p"}), 201)
    rig.eq(poll(rig, after, client=c)[0], [])
    _, viewer = rig.make_account("viewer", rig.project)
    rig.ok(viewer.get(STREAM + "?wait=0"), 403)
    rig.ok(viewer.get(STREAM), 403)
    sa, auditor = rig.make_account("auditor")
    lines, _ = poll(rig, 0, client=auditor)
    rig.check(lines, "an auditor sees it")
    # it is on record, also that somebody was refused
    e = rig.get(f"/v1/audit?action=audit.stream&principal={sa}").json["items"]
    rig.check(len(e) >= 1, e)


@test
def tail(rig):
    cursor = rig.dir / "cursor"
    out = rig.user_cli("audit", "tail", "--after", "0", "--count", "4",
                       "--cursor", str(cursor))
    rig.eq([json.loads(x)["seq"] for x in out.stdout.splitlines()],
           [1, 2, 3, 4], out.stderr)
    rig.eq(cursor.read_text(), "4\n")
    out = rig.user_cli("audit", "tail", "--count", "3", "--format", "cef",
                       "--cursor", str(cursor))
    rig.check([x.split("externalId=")[1].split()[0]
               for x in out.stdout.splitlines()] == ["5", "6", "7"],
              out.stdout + out.stderr)
    rig.eq(cursor.read_text(), "7\n")
    cursor.write_text("seven\n")
    out = rig.user_cli("audit", "tail", "--cursor", str(cursor))
    rig.eq(out.returncode, 6, out.stderr)


run()
