#!/usr/bin/env python3
"""
Debian's prometheus-alertmanager, unmodified, with a webhook receiver and its
own CA file: firing and resolved alerts; then Prometheus itself against the
API v2 path.
"""
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import run, test  # noqa: E402

AM = shutil.which("prometheus-alertmanager")
PROM = shutil.which("prometheus")


def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    p = s.getsockname()[1]
    s.close()
    return p


def wait_for(what, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        r = what()
        if r:
            return r
        time.sleep(0.2)
    return None


def up(port, path):
    def f():
        try:
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{port}{path}", timeout=2) as r:
                return r.status == 200
        except OSError:
            return False
    return wait_for(f)


def post_am(port, alert):
    req = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v2/alerts",
        json.dumps([alert]).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(req, timeout=5) as r:
        assert r.status == 200


def find_alert(rig, name, status=None):
    def f():
        for a in rig.get(rig.p + "/alerts?limit=200").json["items"]:
            if a["labels"].get("alertname") == name and \
                    (status is None or a["status"] == status):
                return a
        return None
    return wait_for(f)


@test
def alertmanager_webhook(rig):
    rig.check(AM, "prometheus-alertmanager is installed")
    n = rig.make_integration("alertmanager")
    port = free_port()
    d = rig.dir / "am"
    d.mkdir()
    (d / "token").write_text(n["secret"])
    (d / "am.yml").write_text(f"""
route:
  receiver: redoubt
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 1s
  repeat_interval: 1h
receivers:
- name: redoubt
  webhook_configs:
  - url: {rig.url.replace('127.0.0.1', 'localhost')}/ingest/{n['id']}
    send_resolved: true
    http_config:
      authorization: {{credentials_file: {d}/token}}
      tls_config: {{ca_file: {rig.ca}}}
""")
    am = subprocess.Popen(
        [AM, f"--config.file={d}/am.yml", f"--storage.path={d}/data",
         f"--web.listen-address=127.0.0.1:{port}",
         "--cluster.listen-address="],
        stdout=subprocess.DEVNULL, stderr=open(d / "log", "wb"))
    try:
        rig.check(up(port, "/-/ready"), "alertmanager started")
        for inst in ("a", "b"):
            post_am(port, {"labels": {"alertname": "E2E", "instance": inst,
                                      "severity": "critical",
                                      "service": "shop"},
                           "annotations": {"summary": "shop is down"}})
        a = find_alert(rig, "E2E")
        if not rig.check(a, "no alert came: " +
                         (d / "log").read_text()[-1500:]):
            return
        rig.eq((a["status"], a["severity"], a["title"]),
               ("triggered", "critical", "shop is down"))
        inc = rig.ok(rig.get(f"{rig.p}/incidents/{a['incident']}"),
                     200).json
        rig.eq(inc["source"]["kind"], "rule")
        both = wait_for(lambda: rig.get(
            f"{rig.p}/incidents/{a['incident']}").json["alert_count"] == 2)
        rig.check(both, "the incident collects the second alert")
        for inst in ("a", "b"):
            post_am(port, {"labels": {"alertname": "E2E", "instance": inst,
                                      "severity": "critical",
                                      "service": "shop"},
                           "endsAt": time.strftime(
                               "%Y-%m-%dT%H:%M:%SZ",
                               time.gmtime(time.time() - 1))})
        rig.check(find_alert(rig, "E2E", "resolved"), "it resolves")
        t = rig.get(f"{rig.p}/incidents/{a['incident']}/timeline").json
        kinds = [e["kind"] for e in t["items"]]
        rig.check("alert" in kinds and "alert_resolved" in kinds, kinds)
        d2 = rig.get(f"{rig.p}/integrations/{n['id']}/deliveries").json
        rig.check(len(d2["items"]) >= 2 and all(
            x["status"] == "accepted" for x in d2["items"]), "deliveries")
    finally:
        am.send_signal(signal.SIGTERM)
        am.wait(10)


@test
def prometheus_api_v2(rig):
    # it fires when Prometheus has found its Alertmanager (5 s), and sends
    # only once a minute: what it sends before nobody gets
    rig.check(PROM, "prometheus is installed")
    n = rig.make_integration("alertmanager")
    port = free_port()
    d = rig.dir / "prom"
    d.mkdir()
    (d / "rules.yml").write_text("""
groups:
- name: e2e
  interval: 1s
  rules:
  - alert: AlwaysFiring
    expr: vector(time()) > {t} < {t} + 10
    labels: {{severity: error, service: billing}}
    annotations: {{summary: billing is slow}}
""".format(t=int(time.time()) + 12))
    (d / "prom.yml").write_text(f"""
global: {{evaluation_interval: 1s, scrape_interval: 1s}}
rule_files: [{d}/rules.yml]
alerting:
  alertmanagers:
  - scheme: https
    path_prefix: /ingest/{n['id']}
    api_version: v2
    tls_config: {{ca_file: {rig.ca}, server_name: localhost}}
    authorization: {{credentials: {n['secret']}}}
    static_configs: [{{targets: ['127.0.0.1:{rig.port}']}}]
""")
    p = subprocess.Popen(
        [PROM, f"--config.file={d}/prom.yml",
         f"--storage.tsdb.path={d}/data",
         f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=open(d / "log", "wb"))
    try:
        rig.check(up(port, "/-/ready"), "prometheus started")
        a = find_alert(rig, "AlwaysFiring")
        if not rig.check(a, "no alert came: " +
                         (d / "log").read_text()[-1500:]):
            return
        rig.eq((a["severity"], a["service"]), ("error", "billing"))
        rig.check(a["incident"], "an incident was opened")
        rig.check(wait_for(lambda: find_alert(
            rig, "AlwaysFiring", "resolved"), 40), "it resolves")
    finally:
        p.send_signal(signal.SIGTERM)
        p.wait(10)


@test
def grafana_payload(rig):
    """The body Grafana 10 posts, as its documentation shows it."""
    n = rig.make_integration("grafana")
    s = rig.client(n["secret"])
    body = {"receiver": "redoubt", "status": "firing", "orgId": 1,
            "alerts": [{"status": "firing", "labels": {
                "alertname": "High memory usage", "severity": "critical",
                "team": "blue", "zone": "us-1"},
                "annotations": {"description": "The system has high memory",
                                "runbook_url": "https://myrunbook.com/",
                                "summary": "This alert was triggered"},
                "startsAt": "2021-10-12T09:51:03.157076+02:00",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "https://play.grafana.org/alerting/1",
                "fingerprint": "c6eadffa33fcdf37",
                "silenceURL": "https://play.grafana.org/silence",
                "dashboardURL": "", "panelURL": "",
                "values": {"B": 44.23, "C": 1}}],
            "groupLabels": {}, "commonLabels": {"team": "blue"},
            "commonAnnotations": {}, "externalURL": "https://g.org/",
            "version": "1", "groupKey": "{}:{}", "truncatedAlerts": 0,
            "title": "[FIRING:1]", "state": "alerting", "message": "**F**"}
    r = rig.ok(s.post("/ingest/" + n["id"], body), 202).json["receipt"]
    a = rig.get(rig.p + "/alerts/" + r["alerts"][0]["id"]).json
    rig.eq((a["title"], a["severity"], a["dedup_key"]),
           ("This alert was triggered", "critical", "c6eadffa33fcdf37"))
    body["alerts"][0]["status"] = body["status"] = "resolved"
    rig.ok(s.post("/ingest/" + n["id"], body), 202)
    rig.eq(rig.get(rig.p + "/alerts/" + a["id"]).json["status"], "resolved")


run()
