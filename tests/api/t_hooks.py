#!/usr/bin/env python3
"""Senders: every scheme an integration may ask for, over HTTPS."""
import base64
import hashlib
import hmac
import json
import pathlib
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from rig import run, test  # noqa: E402

GENERIC = {"title": "Disk is full", "severity": "warning"}
number = [0]


def body(**kw):
    """A body that no other test sends."""
    number[0] += 1
    return json.dumps({**GENERIC, "dedup_key": f"k{number[0]}", **kw}).encode()


def make(rig, auth, **kw):
    return rig.make_integration("generic", auth=auth, **kw)


def send(rig, n, data, headers=(), query="", path="", kind=None):
    """Like a sender: no token but what the headers hold."""
    h = {"Content-Type": kind or "application/json", **dict(headers)}
    c = rig.client(None)
    a = c.request("POST", f"/ingest/{n['id']}{path}{query}", data, h, raw=True)
    c.close()
    return a


def mac(key, data, how="sha256"):
    key = key.encode() if isinstance(key, str) else key
    return hmac.new(key, data, how).digest()


def reason(rig, n):
    """Why the last delivery was refused, as the audit log has it."""
    for e in rig.get("/v1/audit?action=auth.failed&order=desc&limit=1"
                     ).json["items"]:
        leaf = json.loads(e["leaf"])
        rig.check(any(r.get("id") == n["id"] for r in e["resource"]),
                  f"the refusal names the integration: {leaf}")
        return leaf.get("reason")


def refused(rig, n, why, *a, **kw):
    answer = send(rig, n, *a, **kw)
    rig.ok(answer, 401, "unauthenticated")
    rig.eq(answer.json["detail"], "Authentication is required")
    rig.eq(reason(rig, n), why)


def taken(rig, *a, status=202, **kw):
    answer = rig.ok(send(rig, *a, **kw), status)
    return answer.json.get("receipt") if answer.status == status else None


def deliveries(rig, n):
    return len(rig.get(rig.p + f"/integrations/{n['id']}/deliveries?limit=200"
                       ).json["items"])


# ---- what senders do: headers for a body ----

def std_key(secret):
    return base64.b64decode(secret.removeprefix("whsec_"))


def std(secret, data, id=None, ts=None, sig=None):
    number[0] += 1
    id = id or f"msg_{number[0]}"
    ts = str(int(time.time()) if ts is None else ts)
    good = "v1," + base64.b64encode(
        mac(std_key(secret), f"{id}.{ts}.".encode() + data)).decode()
    return {"webhook-id": id, "webhook-timestamp": ts,
            "webhook-signature": (sig or "{}").format(good)}


def github(secret, data):
    return {"X-Hub-Signature-256": "sha256=" + mac(secret, data).hex()}


def pagerduty(secret, data):
    return {"X-PagerDuty-Signature": "v1=" + mac(secret, data).hex()}


def slack(secret, data, ts=None):
    ts = str(int(time.time()) if ts is None else ts)
    return {"X-Slack-Request-Timestamp": ts, "X-Slack-Signature":
            "v0=" + mac(secret, b"v0:" + ts.encode() + b":" + data).hex()}


def sentry(secret, data):
    return {"Sentry-Hook-Signature": mac(secret, data).hex(),
            "Sentry-Hook-Resource": "event_alert"}


def grafana(secret, data, ts=None):
    if ts is None:
        return {"X-Grafana-Alerting-Signature": mac(secret, data).hex()}
    return {"X-Grafana-Alerting-Signature":
            mac(secret, str(ts).encode() + b":" + data).hex(),
            "X-Grafana-Alerting-Timestamp": str(ts)}


def generic(secret, data, ts=None):
    ts = str(int(time.time()) if ts is None else ts)
    return {"X-Time": ts, "X-Sig": "s=" + base64.urlsafe_b64encode(
        mac(secret, ts.encode() + b"." + data, "sha512")).decode().rstrip("=")}


GENERIC_AUTH = {"kind": "hmac", "scheme": "generic", "header": "X-Sig",
                "prefix": "s=", "encoding": "base64url",
                "algorithm": "sha512", "timestamp_header": "X-Time"}
GRAFANA_TS = {"kind": "hmac", "scheme": "grafana",
              "timestamp_header": "X-Grafana-Alerting-Timestamp"}


def hm(scheme):
    return {"kind": "hmac", "scheme": scheme}


# ---- bearer and basic ----

@test
def bearer(rig):
    n = make(rig, {"kind": "bearer"})
    good = {"Authorization": "Bearer " + n["secret"]}
    rig.check(n["secret"].startswith("rdw_"), "a webhook token")
    taken(rig, n, body(), good)
    refused(rig, n, "missing", body())
    refused(rig, n, "malformed", body(), {"Authorization": "Bearer x"})
    refused(rig, n, "malformed", body(),
            {"Authorization": "Bearer " + n["secret"][:-1]})
    refused(rig, n, "malformed", body(), {"Authorization": n["secret"]})
    refused(rig, n, "kind", body(), {"Authorization": "Bearer " + rig.token})
    other = make(rig, {"kind": "bearer"})
    refused(rig, n, "owner", body(),
            {"Authorization": "Bearer " + other["secret"]})
    again = body()  # a bearer's bodies may repeat: the alert is folded
    one = taken(rig, n, again, good)
    two = taken(rig, n, again, good)
    rig.eq(one["alerts"][0]["id"], two["alerts"][0]["id"])
    rig.check(two["alerts"][0]["deduplicated"] and
              not one["alerts"][0]["deduplicated"], "folded")


@test
def basic(rig):
    n = make(rig, {"kind": "basic", "user": "prometheus"})
    rig.eq(n["auth"], {"kind": "basic", "user": "prometheus"})

    def header(user, password):
        return {"Authorization": "Basic " + base64.b64encode(
            f"{user}:{password}".encode()).decode()}
    good = header("prometheus", n["secret"])
    taken(rig, n, body(), good)
    taken(rig, n, body(), {"Authorization": good["Authorization"]
                           .replace("Basic", "bASIC ")})
    refused(rig, n, "missing", body())
    refused(rig, n, "hook.basic", body(), header("grafana", n["secret"]))
    refused(rig, n, "hook.basic", body(), header("prometheu", n["secret"]))
    refused(rig, n, "malformed", body(), header("prometheus", "x"))
    refused(rig, n, "malformed", body(),
            header("prometheus", n["secret"][:-1]))
    refused(rig, n, "malformed", body(),
            {"Authorization": good["Authorization"][:-4]})
    refused(rig, n, "malformed", body(),
            {"Authorization": "Bearer " + n["secret"]})
    refused(rig, n, "malformed", body(), {"Authorization": "Basic"})
    b = make(rig, {"kind": "bearer"})
    refused(rig, b, "malformed", body(), header("redoubt", b["secret"]))
    d = make(rig, {"kind": "basic"})
    rig.eq(d["auth"]["user"], "redoubt", "the name when none is given")
    taken(rig, d, body(), header("redoubt", d["secret"]))


# ---- signatures: what holds for every scheme ----

SCHEMES = [(hm("github"), github, "X-Hub-Signature-256"),
           (hm("standard-webhooks"), std, "webhook-signature"),
           (hm("pagerduty"), pagerduty, "X-PagerDuty-Signature"),
           (hm("slack"), slack, "X-Slack-Signature"),
           (hm("sentry"), sentry, "Sentry-Hook-Signature"),
           (hm("grafana"), grafana, "X-Grafana-Alerting-Signature"),
           (GRAFANA_TS, lambda s, d: grafana(s, d, int(time.time())),
            "X-Grafana-Alerting-Signature"),
           (GENERIC_AUTH, generic, "X-Sig")]


def each_scheme(f):
    def go(rig):
        for auth, sign, header in SCHEMES:
            f(rig, make(rig, auth), sign, header)
    go.__name__ = f.__name__
    return test(go)


@each_scheme
def a_good_signature(rig, n, sign, header):
    data = body()
    r = taken(rig, n, data, sign(n["secret"], data))
    rig.eq(r["sha256"], hashlib.sha256(data).hexdigest())


@each_scheme
def no_signature(rig, n, sign, header):
    refused(rig, n, "hook.missing", body())


@each_scheme
def another_key(rig, n, sign, header):
    data = body()
    wrong = n["secret"][:-4] + ("AAA=" if n["secret"].endswith("=")
                                else "AAAA")
    refused(rig, n, "hook.sig", data, sign(wrong, data))


@each_scheme
def another_body(rig, n, sign, header):
    data = body()
    refused(rig, n, "hook.sig", data + b" ", sign(n["secret"], data))


@each_scheme
def a_cut_signature(rig, n, sign, header):
    data = body()
    h = sign(n["secret"], data)
    refused(rig, n, "hook.malformed", data, {**h, header: h[header][:-2]})
    refused(rig, n, "hook.malformed", data, {**h, header: h[header] + "00"})
    refused(rig, n, "hook.malformed", data, {**h, header: "x"})


@each_scheme
def another_encoding(rig, n, sign, header):
    data = body()
    h = sign(n["secret"], data)
    head, _, tail = h[header].rpartition("," if "v1," in h[header] else "=") \
        if h[header][:3] in ("v1,", "v1=", "v0=", "s=" + h[header][2:3]) \
        or h[header].startswith("sha256=") else ("", "", h[header])
    if head == "" and "," not in h[header] and "=" not in h[header]:
        tail = h[header]
    text = tail or h[header]
    swapped = text.upper() if text != text.upper() else text.lower()
    if header in ("webhook-signature", "X-Sig"):  # base64: case is content
        a = send(rig, n, data, {**h, header: h[header].swapcase()})
        rig.ok(a, 401)
    else:
        refused(rig, n, "hook.malformed", data,
                {**h, header: h[header].replace(text, swapped)})


@each_scheme
def two_headers(rig, n, sign, header):
    data = body()
    h = sign(n["secret"], data)
    c = rig.raw(["http/1.1"])
    lines = [f"POST /ingest/{n['id']} HTTP/1.1", "Host: localhost",
             "Content-Type: application/json",
             f"Content-Length: {len(data)}", "Connection: close"]
    lines += [f"{k}: {v}" for k, v in h.items()]
    lines += [f"{header}: {h[header]}"]
    c.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
    got = c.recv(65536)
    c.close()
    rig.check(got.startswith(b"HTTP/1.1 401"), got[:100])
    rig.eq(reason(rig, n), "hook.twice")


@each_scheme
def an_empty_body(rig, n, sign, header):
    a = send(rig, n, b"", sign(n["secret"], b""))
    rig.ok(a, 400, "bad_json")  # known, but it says nothing
    refused(rig, n, "hook.sig", b"", sign(n["secret"], b"x"))


@each_scheme
def both_secrets_of_a_rotation(rig, n, sign, header):
    path = rig.p + "/integrations/" + n["id"]
    old = n["secret"]
    new = rig.ok(rig.post(path + "/rotate", {"overlap_s": 600}),
                 200).json["secret"]
    rig.check(new != old, "another secret")
    for s in (old, new):
        data = body()
        taken(rig, n, data, sign(s, data))
    rig.eq(len(rig.get(path).json["credentials"]), 2)
    rig.ok(rig.post(path + "/rotate", {"drop": True}), 200)
    data = body()
    refused(rig, n, "hook.sig", data, sign(old, data))
    taken(rig, n, data, sign(new, data))
    newest = rig.ok(rig.post(path + "/rotate", {"overlap_s": 0}),
                    200).json["secret"]
    data = body()
    refused(rig, n, "hook.sig", data, sign(new, data))
    taken(rig, n, data, sign(newest, data))


# ---- PagerDuty's Events API v2 ----

def enqueue(rig, n, event, **kw):
    return send(rig, n, json.dumps(event).encode(), path="/v2/enqueue", **kw)


def event(n, action="trigger", key=None, **payload):
    e = {"routing_key": n["secret"], "event_action": action}
    if key:
        e["dedup_key"] = key
    if action == "trigger":
        e["payload"] = {"summary": "Disk 97 percent on db-2",
                        "source": "db-2", "severity": "critical", **payload}
    return e


def alert_of(rig, key):
    for a in rig.get(rig.p + "/alerts?limit=200").json["items"]:
        if a["dedup_key"] == key:
            return a


@test
def enqueue_lives(rig):
    n = rig.make_integration("pagerduty", auth={"kind": "bearer"})
    a = rig.ok(enqueue(rig, n, event(n, key="disk", component="db",
                                     custom_details={"free": "3 GB"})), 202)
    rig.eq(a.json, {"status": "success", "message": "Event processed",
                    "dedup_key": "disk"})
    got = alert_of(rig, "disk")
    rig.eq([got[k] for k in ("title", "severity", "status", "service")],
           ["Disk 97 percent on db-2", "critical", "triggered", "db"])
    rig.eq(got["labels"], {"source": "db-2", "component": "db"})
    rig.ok(enqueue(rig, n, event(n, "acknowledge", "disk")), 202)
    rig.eq(alert_of(rig, "disk")["status"], "acknowledged")
    rig.eq(alert_of(rig, "disk")["title"], "Disk 97 percent on db-2")
    rig.ok(enqueue(rig, n, event(n, "resolve", "disk")), 202)
    rig.eq(alert_of(rig, "disk")["status"], "resolved")
    rig.ok(enqueue(rig, n, event(n, "acknowledge", "disk")), 202)
    rig.eq(alert_of(rig, "disk")["status"], "resolved", "too late")
    i = rig.get(rig.p + f"/incidents/{got['incident']}/timeline?limit=50").json
    kinds = [e["kind"] for e in i["items"]]
    rig.check("alert_acknowledged" in kinds and "alert_resolved" in kinds,
              kinds)
    # without a key each event is an alert of its own
    one, two = (rig.ok(enqueue(rig, n, event(n)), 202).json["dedup_key"]
                for _ in range(2))
    rig.check(one != two and len(one) == 32, f"{one} {two}")
    rig.check(alert_of(rig, one) and alert_of(rig, two), "both are there")


@test
def enqueue_wants_its_key(rig):
    n = rig.make_integration("pagerduty", auth={"kind": "bearer"})
    other = rig.make_integration("pagerduty", auth={"kind": "bearer"})

    def bad(why, e, **kw):
        data = e if isinstance(e, bytes) else json.dumps(e).encode()
        refused(rig, n, why, data, path="/v2/enqueue", **kw)
    bad("missing", {"event_action": "trigger"})
    bad("missing", {**event(n), "routing_key": None})
    bad("missing", {**event(n), "routing_key": [n["secret"]]})
    bad("malformed", {**event(n), "routing_key": "0" * 32})
    bad("malformed", {**event(n), "routing_key": n["secret"][:-1]})
    bad("owner", event(other))
    bad("kind", {**event(n), "routing_key": rig.token})
    # a header is no routing key, and what does not parse has none
    bad("missing", {"event_action": "trigger"},
        headers={"Authorization": "Bearer " + n["secret"]})
    bad("missing", b"{")
    bad("missing", b"")
    bad("missing", json.dumps(event(n)).encode() + b"x")
    bad("missing", b"[" * 40 + b"]" * 40)
    bad("missing", ('{"routing_key":"x",' + json.dumps(event(n))[1:]).encode())
    rig.ok(rig.patch(rig.p + "/integrations/" + n["id"], {"disabled": True}),
           200)
    rig.ok(enqueue(rig, n, event(n)), 403, "disabled")


@test
def enqueue_maps_strictly(rig):
    n = rig.make_integration("pagerduty", auth={"kind": "bearer"})
    for e in ({**event(n), "event_action": "explode"},
              {**event(n), "payload": {}}, {**event(n), "payload": None},
              event(n, "resolve"), event(n, "acknowledge")):
        rig.ok(enqueue(rig, n, e), 422, "mapping_failed")
    a = enqueue(rig, n, event(n, key="sev", severity="odd"))
    rig.ok(a, 202)
    rig.eq(alert_of(rig, "sev")["severity"], "warning")
    rig.ok(enqueue(rig, n, event(n), kind="text/plain"), 415)
    size = 512 * 1024
    e = event(n, key="big", custom_details="")
    pad = size - len(json.dumps(e))
    e["payload"]["custom_details"] = "x" * pad
    rig.ok(enqueue(rig, n, e), 202)  # n
    e["payload"]["custom_details"] += "x"
    rig.ok(enqueue(rig, n, e), 413, "too_large")  # n + 1


@test
def pagerduty_webhooks(rig):
    """v3: what PagerDuty itself sends."""
    n = rig.make_integration("pagerduty", auth=hm("pagerduty"))

    def hook(status, id="PGR0VU2"):
        number[0] += 1
        return json.dumps({"event": {
            "id": f"e{number[0]}", "event_type": f"incident.{status}",
            "resource_type": "incident", "data": {
                "id": id, "type": "incident", "title": "A little bump",
                "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
                "status": status, "urgency": "high",
                "service": {"summary": "API Service"},
                "priority": {"summary": "P1"}}}}).encode()
    for status in ("triggered", "acknowledged", "resolved"):
        data = hook(status)
        taken(rig, n, data, pagerduty(n["secret"], data))
        rig.eq(alert_of(rig, "PGR0VU2")["status"], status)
    a = alert_of(rig, "PGR0VU2")
    rig.eq([a["title"], a["severity"], a["service"]],
           ["A little bump", "critical", "API Service"])
    ping = json.dumps({"event": {
        "id": "01BZ", "event_type": "pagey.ping", "resource_type": "pagey",
        "data": {"message": "Hello from your friend Pagey!",
                 "type": "ping"}}}).encode()
    taken(rig, n, ping, pagerduty(n["secret"], ping))


run()
