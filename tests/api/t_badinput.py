#!/usr/bin/env python3
"""Contract section 3: what is refused, how, and that nothing comes of it."""
import json
import re
import sys
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import later, run, test  # noqa: E402


def post(rig, path, text, **h):
    return rig.request("POST", path, text, raw=True, headers=h)


@test
def bodies(rig):
    p = rig.p + "/incidents"
    bad = [
        ("", "bad_json"), ("{", "bad_json"), ("[]", "invalid"),
        ("null", "invalid"), ('"x"', "invalid"), ("{}", "missing"),
        ('{"title":"a"} x', "bad_json"), ('{"title":"a",}', "bad_json"),
        ('{"title":1}', "invalid"), ('{"title":null}', "invalid"),
        ('{"title":""}', "invalid"), ('{"title":"  "}', "invalid"),
        ('{"title":"a\\nb"}', "invalid"),
        ('{"title":"%s"}' % ("x" * 501), "invalid"),
        ('{"title":"a","title":"b"}', "duplicate_key"),
        ('{"title":"a","nope":1}', "unknown_member"),
        ('{"title":"a","id":"x"}', "unknown_member"),
        ('{"title":"a","status":"closed"}', "unknown_member"),
        ('{"title":"a","created_at":"2020-01-01T00:00:00Z"}',
         "unknown_member"),
        ('{"title":"a","severity":"sev9"}', "invalid"),
        ('{"title":"a","severity":1}', "invalid"),
        ('{"title":"a","services":"db"}', "invalid"),
        ('{"title":"a","services":[1]}', "invalid"),
        ('{"title":"a","services":[%s]}' % ",".join(['"x"'] * 101),
         "invalid"),
        ('{"title":"a","private":"yes"}', "invalid"),
        ('{"title":"a","fields":[]}', "invalid"),
        ('{"title":"a","fields":{"a":%s1%s}}' % ("[" * 31, "]" * 31),
         "too_deep"),
        ('{"title":"a","fields":{%s}}' % ",".join(
            f'"k{i}":1' for i in range(1001)), "too_many"),
        ('{"title":"\\ud800"}', "bad_json"),
        ("\ufeff{}", "bad_json"),
    ]
    for text, code in bad:
        r = post(rig, p, text)
        rig.check(r.status == 400 and r.code == code,
                  f"{text[:60]}: {r!r}, want {code}")
        rig.eq(r.headers["content-type"], "application/problem+json")
    r = rig.request("POST", p, b'{"title":"\xff"}', raw=True)
    rig.check(r.status == 400 and r.code in ("bad_utf8", "bad_json"),
              repr(r))
    r = post(rig, p, '{"title":"a","nope":1}')
    rig.check("nope" in r.json["detail"], "the member is named")
    for m in ("type", "title", "status", "detail", "code", "request_id"):
        rig.check(m in r.json, m)
    rig.eq(rig.get(p).json["items"], [], "something came of it:")


@test
def limits_at_n(rig):
    p = rig.p + "/incidents"
    rig.ok(post(rig, p, '{"title":"%s"}' % ("\u00e9" * 500)), 201)
    rig.ok(post(rig, p, '{"title":"a","fields":{"a":%s1%s}}' %
                ("[" * 30, "]" * 30)), 201)
    rig.ok(post(rig, p, '{"title":"a","fields":{%s}}' % ",".join(
        f'"k{i}":1' for i in range(1000))), 201)
    rig.ok(post(rig, p, json.dumps({"title": "a", "summary": "x" * 65536})),
           201)
    rig.ok(post(rig, p, json.dumps({"title": "a", "summary": "x" * 65537})),
           400, "invalid")
    rig.ok(post(rig, p, "x" * (1024 * 1024 + 1)), 413, "too_large")


@test
def media_types(rig):
    p, b = rig.p + "/incidents", '{"title":"a"}'
    for t, s in (("application/json", 201),
                 ("application/json; charset=utf-8", 201),
                 ("Application/JSON", 201), ("text/plain", 415),
                 ("application/xml", 415), ("application/json; a=b", 415),
                 ("application/x-www-form-urlencoded", 415), ("", 415)):
        rig.ok(post(rig, p, b, **{"Content-Type": t}), s)
    rig.ok(post(rig, p, b, **{"Content-Encoding": "gzip"}), 415)


@test
def queries(rig):
    p = rig.p + "/incidents"
    for q, code in (("limit=0", "invalid"), ("limit=201", "invalid"),
                    ("limit=x", "invalid"), ("limit=1&limit=2", "invalid"),
                    ("nope=1", "unknown_parameter"),
                    ("status=nope", "invalid"), ("severity=sev9", "invalid"),
                    ("from=yesterday", "invalid"), ("sort=size", "invalid"),
                    ("cursor=AAAA", "bad_cursor"), ("cursor=", "bad_cursor"),
                    ("cursor=%00", "bad_request"), ("q=%zz", "bad_request"),
                    ("q=%ff", "bad_request")):
        r = rig.get(p + "?" + q)
        rig.check(r.status == 400 and r.code == code, f"{q}: {r!r}")
    rig.ok(rig.get(p + "?limit=200"), 200)
    rig.ok(rig.get(p + "?limit=1"), 200)


@test
def cursors_are_bound(rig):
    for k in range(3):
        rig.make_incident(f"c{k}")
    c = rig.get(rig.p + "/incidents?limit=1").json["next"]
    rig.check(c, "a cursor")
    rig.ok(rig.get(rig.p + f"/incidents?limit=1&cursor={c}"), 200)
    rig.ok(rig.get(rig.p + f"/incidents?status=new&cursor={c}"), 400,
           "bad_cursor")
    rig.ok(rig.get(rig.p + f"/alerts?cursor={c}"), 400, "bad_cursor")
    _, other = rig.make_account("viewer", rig.project)
    rig.ok(other.get(rig.p + f"/incidents?limit=1&cursor={c}"), 400,
           "bad_cursor")
    flipped = ("A" if c[5] != "A" else "B").join((c[:5], c[6:]))
    rig.ok(rig.get(rig.p + f"/incidents?limit=1&cursor={flipped}"), 400,
           "bad_cursor")


@test
def alerts_by_their_ids(rig):
    """In the order asked for, in as many pages as they take."""
    p, z = rig.p + "/alerts", "0190a000-0000-7000-8000-000000000000"
    made = [rig.ok(rig.post(p, {"title": f"a{k}", "message": "m" * 65000}),
                   201).json["id"] for k in range(40)]
    want = ",".join(made[::-1] + [z])
    first = rig.ok(rig.get(f"{p}?ids={want}"), 200).json
    rig.check(first["next"], "they do not fit into one answer")
    second = rig.ok(rig.get(f"{p}?ids={want}&cursor={first['next']}"),
                    200).json
    got = [a["id"] for a in first["items"] + second["items"]]
    rig.eq((got, second["next"]), (made[::-1], None))
    for q in ("ids=x", f"ids={z},", f"ids={z},x", f"ids={z}&q=m",
              f"ids={z}&limit=2", "ids=" + ",".join([z] * 101)):
        r = rig.get(f"{p}?{q}")
        want = 200 if q.endswith(",") else 400
        rig.check(r.status == want, f"{q[:60]}: {r!r}")
    rig.ok(rig.get(f"{p}?ids={z},{z}&cursor={first['next']}"), 400,
           "bad_cursor")


@test
def unknown_ids(rig):
    z = "0190a000-0000-7000-8000-000000000000"
    for path in ("/incidents/" + z, "/incidents/INC-9999", "/incidents/x",
                 "/incidents/%2e%2e", "/alerts/" + z, "/integrations/" + z,
                 "/incidents/" + z + "/timeline"):
        rig.ok(rig.get(rig.p + path), 404, "not_found")
    for path in ("/v1/projects/nope", "/v1/projects/nope/incidents",
                 "/v1/users/" + z, "/v1/tokens/" + z, "/v1/roles/" + z,
                 "/v1/audit/999999", "/v1/audit/x", "/v1/groups/" + z):
        rig.ok(rig.get(path), 404, "not_found")
    rig.ok(rig.patch(rig.p + "/incidents/" + z, {"title": "a"}), 404)
    rig.ok(rig.delete(rig.p + "/integrations/" + z), 404)


@test
def idempotency(rig):
    p, h = rig.p + "/incidents", {"Idempotency-Key": "k1"}
    a = rig.ok(rig.post(p, {"title": "once"}, headers=h), 201)
    b = rig.ok(rig.post(p, {"title": "once"}, headers=h), 201)
    rig.eq(a.body, b.body)
    rig.eq(a.headers["etag"], b.headers["etag"])
    rig.ok(rig.post(p, {"title": "twice"}, headers=h), 409,
           "idempotency_reuse")
    q = rig.get(p + "?q=once").json["items"]
    rig.eq(len(q), 1)
    rig.ok(rig.post(p, {"title": "x"}, headers={"Idempotency-Key": "k" * 255}),
           201)
    rig.ok(rig.post(p, {"title": "x"}, headers={"Idempotency-Key": "k" * 256}),
           400)
    # a key is one person's
    _, other = rig.make_account("responder", rig.project)
    rig.ok(other.post(p, {"title": "twice"}, headers=h), 201)


@test
def etags(rig):
    i = rig.make_incident("tags")
    one = rig.p + "/incidents/" + i["id"]
    for h, s in (("NOW", 200), ('"99"', 412), ("*", 200),
                 ('"77", NOW', 200), ("2", 412), ("W/NOW", 412)):
        h = h.replace("NOW", rig.get(one).headers["etag"])
        r = rig.patch(one, {"title": f"t{h}"}, headers={"If-Match": h})
        rig.check(r.status == s, f"If-Match {h}: {r!r}")


@test
def token_in_address(rig):
    """Refused, and revoked when it is a good one."""
    _, c = rig.make_account("viewer", rig.project)
    rig.ok(c.get(rig.p + "/incidents?token=" + c.token), 400, "token_in_url")
    rig.ok(c.get(rig.p + "/incidents"), 401)
    _, d = rig.make_account("viewer", rig.project)
    rig.client(None).get("/x/" + "".join(f"%{ord(ch):02x}" for ch in d.token))
    rig.ok(d.get(rig.p + "/incidents"), 401)
    e = rig.get("/v1/audit?action=token.in_url").json["items"]
    rig.eq(len(e), 2)


@test
def identity_only_from_the_credential(rig):
    """L03."""
    for h in ("X-User", "X-Tenant-Id", "X-Role", "X-Forwarded-User",
              "X-Remote-User", "X-Org-Id"):
        rig.ok(rig.get(rig.p + "/incidents", headers={h: "admin"}), 400)
    for q in ("user=x", "tenant=x", "role=org_admin", "owner=x"):
        rig.ok(rig.get(rig.p + "/incidents?" + q), 400, "unknown_parameter")
    for m in ("user", "tenant", "role", "owner", "principal", "org_id",
              "actor", "source", "project"):
        r = rig.post(rig.p + "/incidents", {"title": "a", m: "x"})
        rig.ok(r, 400, "unknown_member")


@test
def server_owned_members(rig):
    """L04: expanded from the schemas."""
    api = rig.get("/openapi.json").json
    schemas, n = api["components"]["schemas"], 0
    for path, ops in api["paths"].items():
        if path.startswith("/scim/"):
            continue  # RFC 7644 has unknown attributes read over (ADR 0025)
        if path.startswith("/v1/delegate/"):
            continue  # it takes a delegate to ask: t_delegates.py
        for method, op in ops.items():
            ref = op.get("requestBody", {}).get("content", {}).get(
                "application/json", {}).get("schema", {}).get("$ref")
            if not ref:
                continue
            body = ref.rsplit("/", 1)[1]
            whole = body.rsplit("_", 1)[0]
            owned = set(schemas[whole]["properties"]) - \
                set(schemas[body]["properties"])
            url = path.replace("{p}", rig.project)
            url = url.replace("{i}", "1").replace(
                "{a}", "0190a000-0000-7000-8000-000000000000").replace(
                "{n}", "0190a000-0000-7000-8000-000000000000")
            url = re.sub(r"\{\w\}", "1", url)
            for m in sorted(owned) + ["surprise"]:
                r = rig.request(method.upper(), url, {m: "x"})
                n += 1
                rig.check(r.status == 400 and r.code == "unknown_member",
                          f"{method} {url} {m}: {r!r}")
    print(f"# {n} members tried")


def bodies_of(rig):
    """(method, url, members of the body) of each route with one."""
    api = rig.get("/openapi.json").json
    schemas = api["components"]["schemas"]
    z = "0190a000-0000-7000-8000-000000000000"
    for path, ops in api["paths"].items():
        if path.startswith("/scim/") or path.startswith("/v1/delegate/"):
            continue
        for method, op in ops.items():
            ref = op.get("requestBody", {}).get("content", {}).get(
                "application/json", {}).get("schema", {}).get("$ref")
            if not ref:
                continue
            url = path.replace("{p}", rig.project)
            url = url.replace("{i}", "1").replace("{a}", z).replace("{n}", z)
            yield (method.upper(), re.sub(r"\{\w\}", "1", url),
                   schemas[ref.rsplit("/", 1)[1]]["properties"])


def wrong(of):
    """A value no member of that type can have."""
    kind = of["type"] if isinstance(of["type"], list) else [of["type"]]
    return 7 if "string" in kind else "x"


def pointers(r):
    return {e["pointer"]: e for e in r.json.get("errors", [])}


@test
def every_member_is_pointed_at(rig):
    """errors[]: each writable member with a wrong type, and all at once."""
    n = 0
    for method, url, members in bodies_of(rig):
        for m, of in members.items():
            r = rig.request(method, url, {m: wrong(of)})
            e = pointers(r).get("/" + m)
            n += 1
            rig.check(r.status == 400 and e and e["code"] == "wrong_type" and
                      e["detail"].startswith(m + ": "),
                      f"{method} {url} {m}: {r!r}")
        r = rig.request(method, url, {m: wrong(of)
                                      for m, of in members.items()})
        rig.check(set(pointers(r)) >= {"/" + m for m in members},
                  f"{method} {url}: {r!r}")
        rig.check(r.json["detail"] == r.json["errors"][0]["detail"],
                  f"{method} {url}: {r!r}")
    rig.check(n > 150, f"only {n} members tried")
    print(f"# {n} members tried")


@test
def what_is_wrong_with_a_member(rig):
    p = rig.p + "/incidents"
    for body, pointer, code in (
            ({}, "/title", "missing"), ({"title": ""}, "/title", "empty"),
            ({"title": "x" * 501}, "/title", "too_long"),
            ({"title": "a\nb"}, "/title", "invalid"),
            ({"title": "a", "nope": 1}, "/nope", "unknown_member"),
            ({"title": "a", "a/b~c": 1}, "/a~1b~0c", "unknown_member"),
            ({"title": "a", "\u00e9": 1}, "/\u00e9", "unknown_member"),
            ({"title": "a", "id": "x"}, "/id", "unknown_member"),
            ({"title": "a", "severity": "sev9"}, "/severity", "not_allowed"),
            ({"title": "a", "services": ["x"] * 101}, "/services",
             "too_many"),
            ({"title": "a", "services": ["x", "y", 1]}, "/services/2",
             "invalid"),
            ({"title": "a", "summary": "x" * 65537}, "/summary",
             "too_long")):
        r = rig.post(p, body)
        e = r.json.get("errors", [])
        rig.check(r.status == 400 and len(e) == 1 and
                  (e[0]["pointer"], e[0]["code"]) == (pointer, code),
                  f"{str(body)[:60]}: {r!r}")
    r = rig.post(rig.p + "/alerts", {"title": "a", "labels": {"x": "y",
                                                             "z": 1}})
    rig.eq(list(pointers(r)), ["/labels/z"])
    r = rig.post(p, [])
    rig.eq(list(pointers(r)), [""])
    r = rig.post(p, {"severity": 1, "nope": 1, "title": ""})
    rig.eq([e["code"] for e in r.json["errors"]],
           ["wrong_type", "unknown_member", "empty"])


@test
def what_handlers_refuse_is_pointed_at(rig):
    i = rig.make_incident("x")
    one = rig.p + f"/incidents/{i['id']}"
    z = "0190a000-0000-7000-8000-000000000000"
    user = {"kind": "user", "id": z}
    for method, url, body, pointer in (
            ("PATCH", one, {"commander": z}, "/commander"),
            ("PUT", one + "/members", {"members": [user]}, "/members"),
            ("POST", one + "/timeline",
             {"text": "a", "occurred_at": "2999-01-01T00:00:00Z"},
             "/occurred_at"),
            ("POST", "/v1/groups", {"name": "g", "members": [user]},
             "/members/0"),
            ("PUT", "/v1/policy", {"token_max_days": 0},
             "/token_max_days"),
            ("PUT", "/v1/policy",
             {"retention": {"incident": {"days": -1}}},
             "/retention/incident/days"),
            ("POST", "/v1/tokens",
             {"name": "t", "scopes": ["*"],
              "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
            ("POST", "/v1/tokens",
             {"name": "t", "scopes": ["*"], "projects": ["nowhere"],
              "expires_at": later(3600)}, "/projects"),
            ("POST", "/v1/access/explain", {"permission": "x.y"},
             "/permission"),
            ("POST", rig.p + "/integrations",
             {"name": "n", "template": "generic", "auth": {"kind": "no"}},
             "/auth"),
            ("POST", rig.p + "/runbooks", {"document": {}},
             "/document/slug"),
            ("POST", rig.p + "/runbooks", {"document": {
                "slug": "a", "name": "a", "steps": [{"id": "a", "n": 1}]}},
             "/document/")):
        r = rig.request(method, url, body)
        at = [e["pointer"] for e in r.json.get("errors", [])]
        rig.check(r.status == 400 and len(at) == 1 and
                  (at[0] == pointer or pointer.endswith("/") and
                   at[0].startswith(pointer)), f"{url}: {r!r}")
    for q in ("limit=0", "nope=1", "status=nope", "from=x", "sort=size",
              "limit=1&limit=2"):
        r = rig.get(rig.p + "/incidents?" + q)
        rig.eq(list(pointers(r)), ["?" + q.split("=")[0]], q)
    r = rig.post(one + "/transitions", {"to": "merged"})
    rig.check(r.status == 400 or "errors" not in r.json, f"{r!r}")


@test
def errors_are_bounded(rig):
    for n in (31, 32, 33, 900):
        r = rig.post(rig.p + "/incidents",
                     {"title": "a", **{f"k{i}": 1 for i in range(n)}})
        rig.eq(len(r.json["errors"]), min(n, 32))
    # at its longest it is a document still
    r = rig.post(rig.p + "/incidents",
                 {"title": "a", **{'"' * 200 + str(i): 1 for i in range(40)}})
    rig.eq(len(r.json["errors"]), 32)


run()
