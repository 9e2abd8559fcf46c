"""runkit.py: runbooks that are published and runs of them, for tests."""
import base64
import hashlib
import json
import time

from delegatekit import b64, canonical, hpke_open, person


def document(slug, steps, **kw):
    return {"slug": slug, "name": slug.title(), "context": "any",
            "steps": steps, **kw}


def digest(v):
    return hashlib.sha256(canonical(v).encode()).hexdigest()


def manual(id, **kw):
    return {"id": id, "kind": "manual", "instructions": f"Do {id}.", **kw}


def approval(id, **kw):
    return {"id": id, "kind": "approval", "message": "Sure?", "count": 1,
            "expires_s": 600, **kw}


def incident(id, **kw):
    return {"id": id, "kind": "incident", **kw}


def script(id, **kw):
    return {"id": id, "kind": "script", "interpreter": "sh",
            "script": f"echo {id}\n",
            "delegates": {"labels": {"site": "fra"}}, **kw}


class Book:
    """A published runbook: its author and approver are others."""

    def __init__(self, rig, slug, steps, **kw):
        self.rig, self.slug = rig, slug
        if not hasattr(rig, "writer"):
            rig.writer_id, rig.writer = person(rig, "project_admin",
                                               rig.project)
            rig.checker_id, rig.checker = person(rig, "approver", rig.project)
        self.path = rig.p + "/runbooks/" + slug
        self.document = document(slug, steps, **kw)
        rig.ok(rig.writer.post(rig.p + "/runbooks",
                               {"document": self.document}), 201)
        self.publish(1)

    def publish(self, n):
        v = self.rig.ok(self.rig.checker.get(f"{self.path}/versions/{n}"),
                        200).json
        self.digest = v["digest"]
        for _ in range(v["approvals_needed"]):
            self.rig.ok(self.rig.checker.post(
                f"{self.path}/versions/{n}/approve",
                {"digest": v["digest"]}), 200)
        self.rig.ok(self.rig.writer.post(
            f"{self.path}/versions/{n}/publish"), 200)

    def start(self, client=None, status=201, code=None, **body):
        client = client or self.rig
        r = client.post(self.path + "/runs", body)
        self.rig.ok(r, status, code)
        return Run(self.rig, r.json) if status in (200, 201) else r


class Run:
    def __init__(self, rig, json):
        self.rig, self.json, self.id = rig, json, json["id"]
        self.path = f"{rig.p}/runs/{self.id}"

    def look(self, client=None):
        self.json = self.rig.ok((client or self.rig).get(self.path),
                                200).json
        return self

    @property
    def state(self):
        return self.json["state"]

    def step(self, id):
        return [s for s in self.json["steps"] if s["id"] == id][0]

    def at(self, id):
        s = self.step(id)
        return s["state"], s["code"]

    def until(self, what, seconds=10):
        """Look until what(self)."""
        end = time.monotonic() + seconds
        while not what(self.look()):
            if time.monotonic() > end:
                self.rig.fail(f"not in {seconds} s: {self.json}")
                return self
            time.sleep(0.02)
        return self

    def do(self, verb, client=None, status=200, code=None, **body):
        r = self.rig.ok((client or self.rig).post(
            f"{self.path}/{verb}", body), status, code)
        if status == 200:
            self.json = r.json
        return r


class Worker:
    """A delegate that takes tasks and answers as it is told."""

    def __init__(self, delegate):
        self.d, self.rig = delegate, delegate.rig
        self.running = []

    def lease(self, capacity=4, wait=0, status=200):
        r = self.d.post("/v1/delegate/lease", {
            "capacity": capacity, "running": self.running, "wait_ms": wait,
            "checkpoint_size": self.d.seen})
        self.rig.ok(r, status)
        self.last = r.json
        return [Task(self, t) for t in (r.json or {}).get("tasks", [])]

    def one(self, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            got = self.lease(1, 1000)
            if got:
                return got[0]
        raise AssertionError(f"no task in {seconds} s")


class Task:
    def __init__(self, worker, t):
        self.w, self.id, self.fence = worker, t["task"], t["fence"]
        sealed = base64.b64decode(t["sealed"])
        plain = hpke_open(worker.d.sealing, b"redoubt-task/1",
                          self.id.encode(), sealed)
        n = int.from_bytes(plain[:4], "big")
        self.text = json.loads(plain[4:4 + n])
        self.step, self.values = self.text["step"], self.text["values"]

    @property
    def path(self):
        return f"/v1/delegate/tasks/{self.id}"

    def start(self, status=204):
        self.w.rig.ok(self.w.d.post(self.path + "/start",
                                    {"fence": self.fence}), status)
        self.w.running.append({"task": self.id, "fence": self.fence})
        return self

    def answer(self, outcome="succeeded", code="", exit=0, outputs=None):
        outputs = outputs or {}
        empty = hashlib.sha256(b"").hexdigest()
        text = (f"redoubt-result/1\n{self.id}\n{self.fence}\n{outcome}\n"
                f"{exit}\n{digest(outputs)}\n0\n{empty}\n")
        return {"fence": self.fence, "outcome": outcome,
                "code": code or outcome, "exit": exit, "outputs": outputs,
                "log_bytes": 0, "log_sha256": empty,
                "sig": b64(self.w.d.session.sign(text.encode()))}

    def result(self, outcome="succeeded", status=204, **kw):
        self.w.running = [x for x in self.w.running if x["task"] != self.id]
        self.w.rig.ok(self.w.d.post(self.path + "/result",
                                    self.answer(outcome, **kw)), status)
        return self

    def do(self, **kw):
        return self.start().result(**kw)
