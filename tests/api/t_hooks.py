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


run()
