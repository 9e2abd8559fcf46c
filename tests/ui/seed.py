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

from rig import later  # noqa: E402
from runkit import (Book, approval, incident, manual,  # noqa: E402
                    script)
from secretkit import sealed  # noqa: E402

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


def at_once(f, items, n=8):
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(f, items))


class Seed:
    def __init__(self, rig):
        self.rig = rig
        self.fill = {"/p/": ["default"], "/p/*/i/*/": [
            "details", "alerts", "runs", "members", "audit"]}

    def post(self, path, body, status=201):
        c = self.rig.client(self.rig.token)
        a = self.rig.ok(c.post(path, body), status)
        c.close()
        return a.json if a.body else None

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
        n = at_once(one, range(24))
        self.fill["/p/*/i/"] = [str(n[2])]

    def alerts(self):
        rig, p = self.rig, self.rig.p
        i = rig.make_integration("alertmanager", auth={"kind": "bearer"})
        rig.make_integration("generic", auth={"kind": "hmac",
                                              "scheme": "generic"})
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
        for k in range(12):
            rig.ok(sender.post("/ingest/" + i["id"], batch(k)), 202)
        rig.check(sender.post("/ingest/" + i["id"],
                              {"nothing": "of use"}).status in (202, 422),
                  "a dead letter")
        a = rig.ok(rig.get(p + "/alerts?limit=1"), 200).json["items"][0]
        self.fill["/p/*/alerts/"] = [a["id"]]
        self.fill["/p/*/integrations/"] = [i["id"]]

    def automation(self):
        rig = self.rig
        d = rig.make_delegate("frankfurt", {"site": "fra"})
        rig.post(rig.p + "/delegates", {"name": "paris",
                                        "labels": {"site": "par"}})
        b = Book(rig, "drain-node", [
            manual("look"), approval("sure"), script("drain"),
            incident("tell", timeline="Drained.")])
        runs = [b.start().json["id"] for _ in range(2)]
        Book(rig, "collect-logs", [script("collect")])
        rig.ok(rig.writer.post(rig.p + "/runbooks", {"document": {
            "slug": "failover", "name": "Failover", "context": "incident",
            "steps": [manual("check")]}}), 201)
        robot, _ = rig.make_account("responder", rig.project)
        rig.ok(rig.post(rig.p + "/triggers", {
            "name": "every night", "runbook": "collect-logs",
            "service_account": robot, "on": "schedule",
            "cron": "15 3 * * *", "time_zone": "Europe/Berlin"}), 201)
        rig.ok(rig.post(rig.p + "/secrets", sealed(rig, "jira", b"x" * 20)),
               201)
        for slug, submit in (("tickets", True), ("tickets-of-test", False)):
            rig.ok(rig.post(rig.p + "/connectors", {
                "slug": slug, "kind": "jira", "actions": ["create_issue"],
                "base": "https://acme.example.net/jira",
                "auth": {"kind": "bearer", "secret": "jira",
                         "scopes": ["write:jira-work"]},
                "delegates": {"labels": {"site": "fra"}},
                "expires_at": later(86400 * 100)}), 201)
            if submit:
                rig.ok(rig.post(f"{rig.p}/connectors/{slug}/submit"), 200)
        self.fill["/p/*/connectors/"] = ["tickets"]
        self.fill["/p/*/runbooks/"] = ["drain-node"]
        self.fill["/p/*/runs/"] = runs[:1]
        return d

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
        self.fill["/admin/users/"] = [next(iter(rig.people.values()))["id"]]
        self.fill["/audit/"] = ["7"]


def seed(rig):
    began = time.monotonic()
    s = Seed(rig)
    rig.ok(rig.post("/v1/projects", {"slug": "shop", "name": "Shop"}), 201)
    s.incidents()
    s.alerts()
    s.automation()
    s.people()
    print(f"# seeded in {time.monotonic() - began:.1f} s")
    return {"fill": s.fill}
