#!/usr/bin/env python3
"""
/v1/events for pages: what is told to whom, when something was missed, and
when the login is over.
"""
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from browser import GOOD, Browser, make_user  # noqa: E402
from rig import run, sse, test  # noqa: E402


class Page:
    """An open stream of somebody's browser, or of a token."""

    def __init__(self, client, last=None):
        self.s = client.rig.raw()
        h = "GET /v1/events HTTP/1.1\r\nHost: x\r\n"
        if client.token:
            h += f"Authorization: Bearer {client.token}\r\n"
        else:
            h += f"Cookie: {client.cookie}\r\n"
        if last is not None:
            h += f"Last-Event-ID: {last}\r\n"
        self.s.settimeout(0.1)
        self.s.sendall((h + "\r\n").encode())
        self.text = ""
        self.until("\n\n")

    def until(self, word, seconds=5):
        end = time.time() + seconds
        while word not in self.text and time.time() < end:
            try:
                more = self.s.recv(65536)
                if not more:
                    break
                self.text += more.decode(errors="replace")
            except TimeoutError:
                pass
        return word in self.text

    def close(self):
        self.s.close()


def person(rig, role=None, project=None):
    email, u, _ = make_user(rig)
    if role:
        rig.bind("user", u, role, project)
    b = Browser(rig)
    rig.ok(b.login(email, GOOD), 200)
    b.user = u
    return b


def newest(rig):
    items = rig.get("/v1/audit?order=desc&limit=1").json["items"]
    return items[0]["seq"]


@test
def how_it_begins(rig):
    p = Page(rig)
    rig.check("retry: 2000\nid: " in p.text, p.text)
    rig.check("resync" not in p.text, p.text)
    p.close()


@test
def what_was_missed(rig):
    """An id this log has not come to, and too much for a page."""
    p = Page(rig, 10 ** 15)
    rig.check(p.until("event: resync\ndata: {}"), p.text)
    i = rig.make_incident("after that")  # and it goes on from there
    rig.check(p.until(i["id"]), p.text)
    p.close()
    b = person(rig, "viewer", rig.project)
    start, first = newest(rig), rig.make_incident("first")

    def fill(n):
        c = rig.client(rig.token)
        for _ in range(n):
            c.get("/v1/whoami")
        c.close()
    fill(200)
    p = Page(b, start)
    rig.check(p.until(first["id"]) and "resync" not in p.text, p.text)
    p.close()
    rows = newest(rig) - start
    fill(5100 - rows)
    p = Page(b, newest(rig) - 4900)
    rig.check(not p.until("resync", 0.3), p.text)
    p.close()
    p = Page(b, start)
    rig.check(p.until("event: resync", 2) and first["id"] not in p.text,
              p.text[:500])
    p.close()
    # a program that comes back misses nothing
    rig.check(first["id"] in sse(rig, "/v1/events", 1.5, last=start), "token")


@test
def the_end_of_a_login(rig):
    b = person(rig, "viewer", rig.project)
    p = Page(b)
    rig.ok(b.post("/v1/logout"), 204)
    rig.check(p.until("event: reauth\ndata: {}"), p.text)
    p.close()
    account, c = rig.make_account("viewer", rig.project)
    p = Page(c)
    rig.ok(rig.patch("/v1/service-accounts/" + account, {"disabled": True}),
           200)
    rig.check(p.until("event: reauth"), p.text)
    p.close()


@test
def rights_are_those_of_now(rig):
    account, c = rig.make_account()
    bound = rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "service_account", "id": account},
        "role": "viewer", "project": rig.project}), 201).json["id"]
    p = Page(c)
    one = rig.make_incident("seen")
    rig.check(p.until(one["id"]), p.text)
    rig.ok(rig.delete("/v1/bindings/" + bound), 204)
    two = rig.make_incident("unseen")
    rig.check(not p.until(two["id"], 1), p.text)
    p.close()


@test
def what_pages_wait_for(rig):
    """Each kind of change a screen shows reaches who may see it, with ids and
    project, and does not reach others."""
    viewer, nobody = person(rig, "viewer", rig.project), person(rig)
    admin = Page(rig)
    seen, unseen = Page(viewer), Page(nobody)
    i = rig.make_incident("x")
    rig.ok(rig.patch(rig.p + "/incidents/" + i["id"], {"severity": "sev1"}),
           200)
    rig.ok(rig.post(rig.p + f"/incidents/{i['id']}/timeline",
                    {"text": "a"}), 201)
    a = rig.ok(rig.post(rig.p + "/alerts", {"title": "a",
                                            "dedup_key": "k"}), 201).json
    rig.ok(rig.post(rig.p + "/alerts", {"title": "a", "dedup_key": "k"}), 200)
    rig.ok(rig.post(rig.p + f"/alerts/{a['id']}/resolve"), 200)
    rig.ok(rig.post(rig.p + "/automation/freeze", {"reason": "r"}), 201)
    rig.ok(rig.delete(rig.p + "/automation/freeze"), 204)
    rig.ok(rig.post("/v1/automation/freeze", {"reason": "all"}), 201)
    rig.ok(rig.delete("/v1/automation/freeze"), 204)
    rig.ok(rig.put("/v1/policy", {"review_days": 31}), 200)
    for word in ("incident.create", "incident.update", "timeline.add",
                 "alert.create", "alert.resolve", "automation.freeze"):
        rig.check(seen.until("event: " + word), f"{word}: {seen.text[-400:]}")
    rig.check(admin.until("event: policy.update"), admin.text[-400:])
    rig.check(f'"project":"{rig.project}"' in seen.text and
              a["id"] in seen.text, seen.text[-400:])
    # that everything stands still is told to everybody, the rest is not
    rig.check(unseen.until("event: automation.thaw"), unseen.text)
    for word in ("incident.", "alert.", "timeline.", "policy."):
        rig.check("event: " + word not in unseen.text, unseen.text)
    rig.check("event: policy." not in seen.text, seen.text)
    rig.eq(unseen.text.count("event: automation."), 2)
    for p in (admin, seen, unseen):
        p.close()


@test
def ones_own_tabs(rig):
    b, other = person(rig), person(rig)
    mine, others = Page(b), Page(other)
    rig.ok(b.put("/v1/me/preferences", {"document": {"a": 1}}), 200)
    rig.check(mine.until("event: preferences.update"), mine.text)
    rig.check(not others.until("preferences", 0.5), others.text)
    mine.close()
    others.close()


@test
def eight_pages_in_a_storm(rig):
    """Figures for doc/performance.md: nothing is lost while it pours."""
    hook = rig.make_integration("generic", auth={"kind": "bearer"})
    start = newest(rig)
    pages = [Page(person(rig, "viewer", rig.project)) for _ in range(8)]
    n, workers = 1500, 4

    def pour(w):
        c = rig.client(None)
        for k in range(n // workers):
            c.post("/ingest/" + hook["id"],
                   {"title": "storm", "severity": "warning",
                    "dedup_key": f"{w}-{k}"},
                   headers={"Authorization": "Bearer " + hook["secret"]})
        c.close()
    t = time.time()
    ts = [threading.Thread(target=pour, args=(w,)) for w in range(workers)]
    readers = [threading.Thread(target=p.until, args=("nothing", 12))
               for p in pages]
    for x in ts + readers:
        x.start()
    for x in ts:
        x.join()
    poured = time.time() - t
    while time.time() - t < 12 and any(
            p.text.count("event: ingest.receive") < n for p in pages):
        time.sleep(0.05)
    told = time.time() - t
    counts = [p.text.count("event: ingest.receive") for p in pages]
    rig.eq(counts, [n] * 8)
    for p in pages:
        p.close()
    print(f"# {n / poured:.0f} deliveries/s, all told to 8 pages "
          f"{told - poured:.2f} s later")
    rig.check(start > 0, "a log")


run()
