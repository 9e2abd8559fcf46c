"""
auditkit.py: does every request leave its entry in the audit log?

    watch = Watch(rig)      from here on every answer of every client is kept
    ...                     ask whatever is to be judged
    watch.judge()           each answer against the log, by request id

What must be there is worked out from the routes as /openapi.json describes
them (routes.def) and the answer's status, and not asked of the server:

    2xx, 3xx    one entry of the route's action with outcome ok (or its intent,
                or both), and none that says denied; nothing where the route
                declares no action
    401         denied, auth.failed: nobody known asks, so those of one moment
                share an entry, and their counts add up
    403         denied, the route's action
    404         denied, if who asked may not (the caller of judge knows)
    else        nothing was done, and nothing says so
"""
import re
import threading

import rig as rig_module

# An action that has a name of its own when it turns out otherwise.
ALSO = {"ingest": {"ingest"}, "run.approve": {"run.reject"},
        "auth.login": {"auth.failed"}}
# Nothing happened: no lease was given, a renewal changed nothing.
QUIET = {"/v1/delegate/lease", "/v1/delegate/join", "/v1/delegate/renew"}


class Asked:
    def __init__(self, method, path, answer, body):
        self.method, self.path = method, path.split("?")[0]
        self.status, self.code = answer.status, answer.code
        self.request = answer.headers.get("x-request-id")
        self.at = f"{method} {path}: {answer!r}"
        self.repeated = "idempotency-replayed" in answer.headers
        self.refused = None  # must it have been refused?


class Watch:
    def __init__(self, rig):
        self.rig, self.asked, self.lock = rig, [], threading.Lock()
        self.routes = routes(rig)
        e = rig.get("/v1/audit?limit=1").json["items"]
        self.since = e[0]["seq"] if e else 0
        plain = rig_module.Client.request
        self.local = threading.local()

        def request(client, method, path, body=None, **kw):
            a = plain(client, method, path, body, **kw)
            one = Asked(method, path, a, body)
            with self.lock:
                self.asked.append(one)
            self.local.last = one
            return a
        self.plain = plain
        rig_module.Client.request = request

    @property
    def last(self):
        """What this thread has asked last."""
        return self.local.last

    def done(self):
        rig_module.Client.request = self.plain

    def route(self, method, path):
        for pattern, ops in self.routes:
            if pattern.fullmatch(path):
                return ops.get(method.lower() if method != "HEAD" else "get")
        return None

    def judge(self):
        """Checks all, and tells how many of each outcome there were."""
        self.done()
        log = {}
        for e in entries(self.rig, self.since):
            log.setdefault(e["request_id"], []).append(e)
        seen, actions, strangers, failed = {}, {}, 0, 0
        for found in log.values():
            failed += sum(e["count"] for e in found
                          if e["action"] == "auth.failed")
        for a in self.asked:
            op = self.route(a.method, a.path)
            if op is None or a.request is None:
                continue
            found = log.get(a.request, [])
            what, good = verdict(a, op, found)
            strangers += what == "unknown"
            seen[what] = seen.get(what, 0) + 1
            for e in found:
                actions.setdefault(e["action"], set()).add(e["outcome"])
            self.rig.check(good, f"{what}: {a.at}: " + str(
                [(e["action"], e["outcome"], e["reason"]) for e in found]))
        self.rig.eq(failed, strangers, "requests of nobody known")
        return seen, actions


def routes(rig):
    """[(pattern, {method: operation})], the most literal first."""
    api = rig.get("/openapi.json").json["paths"]

    def pattern(path):
        return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
    order = sorted(api, key=lambda p: (p.count("{"), -len(p)))
    return [(pattern(p), api[p]) for p in order]


def entries(rig, since, query=""):
    """All entries behind a number, oldest first."""
    cursor, out = "", []
    while cursor is not None:
        r = rig.get(f"/v1/audit?limit=200&order=desc{query}" +
                    (f"&cursor={cursor}" if cursor else "")).json
        out += [e for e in r["items"] if e["seq"] > since]
        cursor = r["next"]
        if r["items"] and r["items"][-1]["seq"] <= since:
            break
    return out[::-1]


def verdict(a, op, found):
    """(what the rule is, whether it holds)"""
    action = op["x-audit"]
    mine = {action} | ALSO.get(action, set())
    did = [e for e in found if e["outcome"] in ("ok", "intent")]
    denied = [e for e in found if e["outcome"] == "denied"]
    if a.status < 400:
        if action == "none" or a.path in QUIET or a.repeated:
            return "nothing to record", not denied
        ends = [e["outcome"] for e in did]  # intent: before its first byte
        return "done", ends in (["ok"], ["intent"], ["intent", "ok"]) and \
            all(e["action"] in mine for e in did) and not denied
    if a.status == 401 and op["security"]:
        return "unknown", not did and all(
            e["action"] == "auth.failed" for e in denied)
    if a.status == 403:
        return "forbidden", bool(denied) and not did and \
            (action == "none" or denied[0]["action"] in mine)
    if a.status == 429 and action == "audit.export":
        return "asked for in vain", bool(did)  # on record before it is tried
    if a.status == 404 and a.refused:
        return "hidden", bool(denied) and not did
    return "nothing done", not did


def fill(path, ids):
    return re.sub(r"\{(\w)\}", lambda m: ids.get(m.group(1), "0"), path)


def operations(rig):
    """[(method, path, operation)] of all routes."""
    api = rig.get("/openapi.json").json["paths"]
    return [(m.upper(), path, op) for path, ops in api.items()
            for m, op in ops.items()]


def stays_open(path):
    return path.endswith(("/events", "/stream"))


def said(c, ops, ids):
    """The bytes of c's answers: (method, path, bytes) of every route that can
    be asked without changing anything."""
    for method, path, _ in ops:
        at = fill(path, ids)
        if method == "GET" and not stays_open(path):
            yield method, at, c.get(at).body
        elif method == "POST" and path != "/v1/keys/seal":
            yield method, at, c.post(at, {}).body
