"""
seed.py: an organization at work, made through the API: what every page of the
UI has something to show of.  Answers what a crawl fills its patterns with.
"""
import concurrent.futures
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(1, sys.path[0] + "/api")

from delegatekit import Delegate  # noqa: E402
from rig import later  # noqa: E402
from runkit import (Book, approval, incident, manual,  # noqa: E402
                    script)
from secretkit import sealed  # noqa: E402
from ssokit import Oidc  # noqa: E402

SERVICES = ["checkout", "payments", "search", "login", "billing", "edge",
            "catalogue", "mail"]
WHAT = ["returns 502", "is slow in eu-west-1", "has no free connections",
        "is out of disk", "drops every tenth request", "certificate expires",
        "lags 40 minutes behind", "restarts in a loop"]
NOTE = """**Rolled back** to the build of this morning.

- error rate is down to `0.2 %`
- see [the dashboard](https://grafana.example.com/d/checkout)

| node | free |
|---|---|
| db-1 | 12 % |
| db-2 | 91 % |
"""


LOG = b"".join(b"\x1b[32m%02d\x1b[0m evicting pod checkout-%d from db-2\n" %
               (i, i) for i in range(60)) + b"drained\n"


def at_once(f, items, n=8):
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(f, items))


class Seed:
    def __init__(self, rig):
        self.rig = rig
        self.fill = {"/p/": ["default"], "/p/*/i/*/": [
            "details", "alerts", "runs", "members", "audit"]}

    def post(self, path, body, status=201, client=None):
        c = client or self.rig.client(self.rig.token)
        a = self.rig.ok(c.post(path, body), status)
        c.close()
        return a.json if a.body else None

    def change(self, method, path, body):
        """With the version it has now."""
        e = self.rig.ok(self.rig.get(path), 200).headers["etag"]
        self.rig.ok(self.rig.request(method, path, body,
                                     {"If-Match": e} if e else {}), 200)

    def patch(self, path, body):
        self.change("PATCH", path, body)

    def put(self, path, body):
        self.change("PUT", path, body)

    def incidents(self):
        p = self.rig.p
        moves = [[], ["acknowledged"], ["acknowledged", "investigating"],
                 ["acknowledged", "mitigating", "monitoring"],
                 ["acknowledged", "resolved"], ["acknowledged", "cancelled"]]

        def one(i):
            c = self.rig.client(self.rig.token)
            made = self.rig.ok(c.post(p + "/incidents", {
                "title": f"{SERVICES[i % 8].title()} {WHAT[i % 7]}",
                "severity": f"sev{i % 5}", "services": [SERVICES[i % 8]],
                "environments": ["production"],
                "summary": "Since the 14:05 deploy.",
                "private": i == 7}), 201).json
            t = f"{p}/incidents/{made['number']}"
            for to in moves[i % len(moves)]:
                self.rig.ok(c.post(t + "/transitions", {"to": to}), 200)
            self.rig.ok(c.post(t + "/timeline", {"text": NOTE}), 201)
            self.rig.ok(c.post(t + "/timeline", {
                "text": "Customers see errors at checkout.",
                "key_event": True}), 201)
            c.close()
            return made["number"]
        n = at_once(one, range(30))
        self.fill["/p/*/i/"] = [str(n[2])]
        return n[2]

    def alerts(self):
        rig, p = self.rig, self.rig.p
        i = rig.make_integration("alertmanager", auth={"kind": "bearer"})
        rig.make_integration("generic", name="build server", auth={
            "kind": "hmac", "scheme": "generic"})
        rig.make_integration("pagerduty", name="old pager")
        off = rig.make_integration("grafana", name="grafana of test")
        self.patch(f"{p}/integrations/{off['id']}", {"disabled": True})
        sender = rig.client(i["secret"])

        def batch(k):
            return {"version": "4", "groupKey": f"g{k}", "status": "firing",
                    "receiver": "redoubt", "groupLabels": {},
                    "commonLabels": {}, "commonAnnotations": {},
                    "externalURL": "https://am.example.com", "alerts": [{
                        "status": "resolved" if j % 5 == 4 else "firing",
                        "labels": {"alertname": f"Alert{k}{j}",
                                   "severity": ["critical", "warning",
                                                "info"][j % 3],
                                   "service": SERVICES[(k + j) % 8]},
                        "annotations": {"summary": WHAT[j % 8]},
                        "startsAt": "2026-11-28T10:00:00Z",
                        "endsAt": "2026-11-28T11:00:00Z",
                        "generatorURL": "https://prometheus.example.com/g",
                        "fingerprint": f"f{k:02}{j:02}"}
                        for j in range(10)]}
        for k in range(20):
            rig.ok(sender.post("/ingest/" + i["id"], batch(k)), 202)
        rig.check(sender.post("/ingest/" + i["id"],
                              {"nothing": "of use"}).status in (202, 422),
                  "a dead letter")
        a = rig.ok(rig.get(p + "/alerts?limit=1"), 200).json["items"][0]
        self.fill["/p/*/alerts/"] = [a["id"]]
        self.fill["/p/*/integrations/"] = [i["id"]]

    def attached(self, number):
        """Alerts of an incident."""
        p = self.rig.p
        items = [a for a in self.rig.ok(self.rig.get(
            p + "/alerts?limit=100"), 200).json["items"]
            if a["incident"] is None and a["resolved_at"] is None]
        for a in items[:4]:
            self.post(f"{p}/alerts/{a['id']}/promote",
                      {"incident": str(number)}, 200)
        for a in items[4:7]:
            self.post(f"{p}/alerts/{a['id']}/acknowledge",
                      {"note": "Looking."}, 200)

    def automation(self, number):
        rig = self.rig
        d = rig.make_delegate("frankfurt", {"site": "fra"})
        self.post(rig.p + "/delegates", {"name": "paris",
                                         "labels": {"site": "par"}})
        waits = self.post(rig.p + "/delegates", {
            "name": "oslo", "labels": {"site": "osl"}})
        rig.ok(Delegate(rig, waits["token"]).join(host="osl-1.example"), 201)
        gone = rig.make_delegate("warsaw", {"site": "waw"})
        rig.ok(rig.post(gone.path + "/revoke"), 200)
        self.runs(d, number)
        rig.ok(rig.post(rig.p + "/secrets", sealed(
            rig, "jira", b"x" * 20, description="Jira's token of ops")), 201)
        self.connectors()

    def runs(self, d, number):
        """Runbooks in all states, and runs of them."""
        rig = self.rig
        b = Book(rig, "drain-node", [
            manual("look"), approval("sure"), script("drain"),
            incident("tell", timeline="Drained.")],
            description="Takes a node out of the pool, and says so.")
        looks, asks, drains, stops = (b.start(incident=str(number))
                                      for _ in range(4))
        for r in (asks, drains):
            r.do("complete", step="look", note="db-2 it is")
        drains.do("approve", rig.checker, step="sure", decision="approve")
        e = d.one()
        rig.ok(d.start(e), 204)
        rig.ok(d.log(e, 0, LOG), 200)
        rig.ok(d.result(e, log=LOG), 204)
        stops.do("cancel", note="The other one.")
        fails = Book(rig, "collect-logs", [script("collect")]).start()
        e = d.one()
        rig.ok(d.start(e), 204)
        rig.ok(d.log(e, 0, b"collect: no space left\n"), 200)
        rig.ok(d.result(e, "failed", 1, log=b"collect: no space left\n",
                        code="exit"), 204)
        for slug, name in (("failover", "Failover"), ("restart", "Restart")):
            rig.ok(rig.writer.post(rig.p + "/runbooks", {"document": {
                "slug": slug, "name": name, "context": "incident",
                "steps": [manual("check")]}}), 201)
        rig.ok(rig.writer.post(b.path + "/versions", {
            "document": {**b.document, "name": "Drain a node"},
            "note": "A name people find."}), 201)
        robot, _ = rig.make_account("responder", rig.project)
        self.post(rig.p + "/triggers", {
            "name": "every night", "runbook": "collect-logs",
            "service_account": robot, "on": "schedule",
            "cron": "15 3 * * *", "time_zone": "Europe/Berlin"})
        self.post(rig.p + "/triggers", {
            "name": "when payments page", "runbook": "collect-logs",
            "service_account": robot, "on": "alert_opened",
            "enabled": False, "when": {"eq": [{"alert": "service"},
                                              "payments"]}})
        self.fill["/p/*/runbooks/"] = ["drain-node"]
        self.fill["/p/*/runs/"] = [r.id for r in (looks, asks, drains, fails)]

    def connectors(self):
        rig, states = self.rig, ("draft", "pending", "approved", "suspended",
                                 "revoked")
        for slug, state in zip(("tickets-of-test", "tickets", "tickets-of-ops",
                                "tickets-of-old", "tickets-of-then"), states):
            path = f"{rig.p}/connectors/{slug}"
            c = self.post(rig.p + "/connectors", {
                "slug": slug, "kind": "jira", "actions": ["create_issue"],
                "base": "https://acme.example.net/jira",
                "auth": {"kind": "bearer", "secret": "jira",
                         "scopes": ["write:jira-work"]},
                "delegates": {"labels": {"site": "fra"}},
                "expires_at": later(86400 * 100)})
            if state != "draft":
                c = self.post(path + "/submit", None, 200)
            if state not in ("draft", "pending"):
                rig.ok(rig.checker.post(path + "/approve",
                                        {"digest": c["digest"]}), 200)
            if state in ("suspended", "revoked"):
                verb = {"suspended": "suspend", "revoked": "revoke"}[state]
                self.post(f"{path}/{verb}", {"reason": "It is 2026."}, 200)
        self.fill["/p/*/connectors/"] = ["tickets", "tickets-of-ops"]

    def people(self):
        rig = self.rig
        g = self.post("/v1/groups", {"name": "On duty", "members": [
            {"kind": "user", "id": p["id"]}
            for p in list(rig.people.values())[:3]]})
        self.post("/v1/bindings", {"subject": {"kind": "group",
                                               "id": g["id"]},
                                   "role": "viewer", "project": "default",
                                   "expires_at": later(86400 * 30),
                                   "reason": "the rota of December"})
        self.post("/v1/service-accounts", {"name": "backup robot"})
        self.post("/v1/roles", {"name": "reader of services", "permissions":
                                ["project.view", "incident.view"]})
        self.post("/v1/resource-groups", {
            "name": "payments", "project": "default", "types": ["incident"],
            "services": ["payments"]})
        self.post("/v1/tokens", {"name": "grafana", "scopes": [
            "incident.view"], "expires_at": later(86400 * 60)})
        self.post("/v1/holds", {"name": "smith v example", "reason":
                                "letter of 3 May", "project": "default"})
        self.post("/v1/audit/filters", {"name": "refused", "shared": True,
                                        "filter": {"outcome": "denied"}})
        self.evidence()
        self.fill["/admin/users/"] = [next(iter(rig.people.values()))["id"]]
        self.fill["/audit/"] = ["7"]

    def evidence(self):
        """What auditors and administrators look at."""
        rig = self.rig
        self.post("/v1/audit/reviews", {"note": "Nothing unusual but the "
                                        "denials of grafana's token.",
                                        "findings": 1})
        self.post("/v1/holds", {"name": "regulator 17", "reason":
                                "until the report is accepted",
                                "until": later(86400 * 200)})
        self.put(rig.p + "/retention", {
            "alert": {"days": 400}, "delivery": {"days": 30}})
        _, c = rig.make_account("commander", rig.project)
        self.post("/v1/break-glass", {
            "project": rig.project, "minutes": 30,
            "reason": "the on-call person does not answer"}, client=c)
        self.put("/v1/access/policy-tests", {"tests": [{
            "name": "viewers do not declare",
            "as": "user:" + rig.people["viewer"]["email"],
            "do": "incident.create", "on": "project:" + rig.project,
            "expect": "deny"}]})
        Oidc(rig, rig.dir, "keycloak")
        for _ in range(3):  # what is refused is on record, too
            rig.client("rdp_nobody").get("/v1/whoami")


def seed(rig):
    began = time.monotonic()
    s = Seed(rig)
    rig.ok(rig.post("/v1/projects", {"slug": "shop", "name": "Shop"}), 201)
    number = s.incidents()
    s.alerts()
    s.attached(number)
    s.automation(number)
    s.people()
    print(f"# seeded in {time.monotonic() - began:.1f} s")
    return {"fill": s.fill}
