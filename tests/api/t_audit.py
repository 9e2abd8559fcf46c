#!/usr/bin/env python3
"""L20 and the log as an auditor uses it: everything is in it, provably."""
import base64
import json
import random
import subprocess
import sys
import threading
import time
import urllib.parse
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import BINARY, TOP, run, test  # noqa: E402


def entries(rig, query):
    return rig.ok(rig.get("/v1/audit?limit=200&" + query), 200).json["items"]


@test
def reads_and_denials_are_recorded(rig):
    i = rig.make_incident("read me")
    me = rig.get("/v1/whoami").json["id"]
    rig.get(rig.p + "/incidents/" + i["id"])
    e = entries(rig, f"action=incident.read&resource=incident:{i['id']}")
    rig.eq(len(e), 1)
    rig.eq(e[0]["principal"]["id"], me)
    sa, c = rig.make_account("viewer", rig.project)
    rig.ok(c.patch(rig.p + "/incidents/1", {"title": "x"}), 403)
    e = entries(rig, f"outcome=denied&principal={sa}")
    rig.eq([x["action"] for x in e], ["incident.update"])
    rig.ok(rig.client("rdp_x").get("/v1/whoami"), 401)
    e = entries(rig, "action=auth.failed&outcome=denied")
    rig.check(len(e) >= 1 and e[0]["principal"]["kind"] == "anonymous", e)


@test
def floods_are_counted(rig):
    """Nothing is dropped: the counts add up to what was asked."""
    sa, c = rig.make_account()
    threads, each = 8, 50
    before = sum(e["count"] for e in entries(rig, f"principal={sa}"))

    def flood():
        mine = rig.client(c.token)
        for _ in range(each):
            mine.get(rig.p + "/incidents")
    ts = [threading.Thread(target=flood) for _ in range(threads)]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    total, cursor, rows = 0, "", 0
    while cursor is not None:
        r = rig.get(f"/v1/audit?limit=200&principal={sa}&outcome=denied" +
                    (f"&cursor={cursor}" if cursor else "")).json
        total += sum(e["count"] for e in r["items"])
        rows += len(r["items"])
        cursor = r["next"]
    rig.eq(total - before, threads * each, "denials")
    print(f"# {threads * each} denials in {rows} entries")


@test
def leaf_is_exact(rig):
    e = entries(rig, "action=incident.create")[0]
    leaf = json.loads(e["leaf"])
    rig.eq(leaf["seq"], e["seq"])
    rig.eq(json.dumps(leaf, sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False), e["leaf"])
    rig.check("cm" in leaf, "a change commits to its body")


@test
def filters(rig):
    every = entries(rig, "order=asc")
    rig.check([e["seq"] for e in every] ==
              sorted(e["seq"] for e in every), "asc")
    mid = every[len(every) // 2]["time"]
    rig.check(all(e["time"] >= mid for e in entries(rig, "from=" + mid)),
              "from")
    rig.check(all(e["time"] < mid for e in entries(rig, "to=" + mid)), "to")
    for q in ("action=nope", "outcome=nope", "order=up", "limit=0",
              "address=10.0.0.1/8", "address=x", "project=nowhere",
              "days=0", "days=x", "request=", "principal=" + "x" * 300):
        rig.ok(rig.get("/v1/audit?" + q), 400)


def names(want, kind, ident):
    return want in (kind, ident, f"{kind}:{ident}", f"{kind}:")


# What a filter means, said a second time.
MEANING = {
    "principal": lambda e, v: names(v, e["principal"]["kind"],
                                    e["principal"]["id"]),
    "action": lambda e, v: e["action"].startswith(v.rstrip("*"))
    if v.endswith((".", "*")) else e["action"] == v,
    "outcome": lambda e, v: e["outcome"] == v,
    "resource": lambda e, v: any(names(v, r["type"], r["id"])
                                 for r in e["resource"]),
    "request": lambda e, v: e["request_id"] == v,
    "address": lambda e, v: e["address"] == v or
    "/" in v and e["address"] is not None,
    "project": lambda e, v: e["project"] == v,
}


def values(e):
    """What of an entry can be asked for."""
    p, one = e["principal"], e["action"].split(".")[0]
    yield from (("principal", p["kind"]), ("action", e["action"]),
                ("action", one + "."), ("action", one + ".*"),
                ("outcome", e["outcome"]))
    for r in e["resource"]:
        yield from (("resource", r["type"]), ("resource", r["id"]),
                    ("resource", f"{r['type']}:{r['id']}"))
    for name, v in (("principal", p["id"]), ("request", e["request_id"]),
                    ("address", e["address"]), ("project", e["project"]),
                    ("address", "127.0.0.0/8")):
        if v:
            yield name, v


@test
def every_filter_means_what_it_says(rig):
    """Random pairs of members against the same filter in Python."""
    rig.client(None).get("/v1/whoami")
    i = rig.make_incident("filtered")
    rig.get(rig.p + "/incidents/" + i["id"])
    _, c = rig.make_account("viewer", rig.project)
    c.patch(rig.p + "/incidents/1", {"title": "x"})
    every = entries(rig, "")
    end = every[0]["time"]  # what follows is of this test: not looked at
    every = [e for e in every if e["time"] < end]
    one_each = list({e["action"]: e for e in every}.values())
    dice, seen, rows = random.Random(5), set(), 0
    for _ in range(100):
        e = dice.choice(one_each)
        q = dict(dice.sample(list(values(e)), dice.choice((1, 2))))
        seen.update(q)
        got = [x["seq"] for x in entries(rig, urllib.parse.urlencode(
            {**q, "from": every[-1]["time"], "to": end}))]
        want = [x["seq"] for x in every
                if all(MEANING[k](x, v) for k, v in q.items())]
        rig.eq([x for x in got if x >= every[-1]["seq"]], want, q)
        rows += len(got)
    rig.eq(seen, set(MEANING))
    rig.eq(len(entries(rig, f"days=1&request={every[0]['request_id']}")), 1)
    slug = entries(rig, f"project={rig.project}&resource=incident")
    rig.check(slug and all(x["project"] for x in slug), "by slug")
    print(f"# 100 filters, {rows} rows")


@test
def proofs(rig):
    seq = entries(rig, "action=incident.create")[-1]["seq"]
    time.sleep(1.5)
    one = rig.ok(rig.get("/v1/audit/checkpoint"), 200)
    rig.check(one.headers["content-type"].startswith("text/plain"), "text")
    old = int(one.body.decode().split("\n")[1])
    r = rig.ok(rig.get(f"/v1/audit/proof?seq={seq}"), 200).body.decode()
    rig.check(r.startswith("c2sp.org/tlog-proof@v1\nindex "), r[:60])
    rig.make_incident("grow")
    time.sleep(1.5)
    new = int(rig.get("/v1/audit/checkpoint").body.decode().split("\n")[1])
    rig.check(new > old, "grew")
    r = rig.ok(rig.get(f"/v1/audit/proof?old={old}&new={new}"),
               200).body.decode()
    for line in r.split("\n\n")[0].split("\n")[1:]:
        rig.eq(len(base64.b64decode(line)), 32)
    rig.check(f"\n{new}\n" in r, "with the checkpoint of new")
    for q in ("", "seq=x", "seq=0", f"old={new}&new={old}", "old=1",
              "old=0&new=99999999"):
        rig.ok(rig.get("/v1/audit/proof?" + q), 400)
    rig.ok(rig.get("/v1/audit/proof?seq=99999999"), 404)


@test
def export_verifies_offline(rig):
    path = rig.dir / "export.ndjson"
    for body in ({}, {"format": "ndjson"},
                 {"filter": {"action": "incident.*"}},
                 {"filter": {"outcome": "denied"}}):
        r = rig.ok(rig.post("/v1/audit/export", body), 200)
        path.write_bytes(r.body)
        out = rig.cli("audit", "verify", "--file", str(path), "--json")
        rig.check(out.returncode == 0, f"{body}: {out.stdout} {out.stderr}")
        py = subprocess.run([sys.executable,
                             str(TOP / "contrib/verify-export.py"),
                             str(path)], capture_output=True, text=True)
        rig.check(py.returncode == 0, f"python: {py.stdout} {py.stderr}")
    rig.ok(rig.post("/v1/audit/export", {"format": "xls"}), 400)
    rig.ok(rig.post("/v1/audit/export", {"filter": {"x": "y"}}), 400)
    lines = path.read_bytes().split(b"\n")
    rig.check(len(entries(rig, "action=audit.export")) >= 4,
              "exports are recorded")
    # edited, cut, without its trailer: named
    text = rig.post("/v1/audit/export", {}).body
    for bad in (text.replace(b"incident.create", b"incident.update", 1),
                b"\n".join(text.split(b"\n")[:3] + text.split(b"\n")[4:]),
                b"\n".join(text.split(b"\n")[:-2]) + b"\n",
                b"\n".join(text.split(b"\n")[:-3]) + b"\n", b"", lines[0]):
        path.write_bytes(bad)
        out = rig.cli("audit", "verify", "--file", str(path))
        rig.check(out.returncode == 8, f"{out.returncode} {out.stdout}")


@test
def store_verifies_offline(rig):
    time.sleep(1.2)
    rig.stop()
    out = rig.cli("audit", "verify", "--data", str(rig.data), "--json")
    rig.check(out.returncode == 0, out.stdout + out.stderr)
    rig.start()
    rig.ok(rig.get("/v1/whoami"), 200)


run()
