#!/usr/bin/env python3
"""SCIM: a provider says who works here.  Requests are those of RFC 7644, and
as Okta and Entra ID send them."""
import sys
import urllib.parse
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import Client, run, test  # noqa: E402
from ssokit import Browser, Oidc  # noqa: E402

TYPE = {"Content-Type": "application/scim+json"}
U = "urn:ietf:params:scim:schemas:core:2.0:User"
G = "urn:ietf:params:scim:schemas:core:2.0:Group"
OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
kit = {}


class Scim:
    """A client of one provider."""

    def __init__(self, rig, name, **config):
        self.rig, self.op = rig, Oidc(
            rig, rig.dir, name, groups_claim=None, **config)
        if "sync" not in kit:
            role = rig.ok(rig.post("/v1/roles", {
                "name": "sync", "permissions": ["scim.sync"]}), 201)
            kit["sync"] = role.json["id"]
        sa = rig.ok(rig.post("/v1/service-accounts",
                             {"name": "scim " + name}), 201).json
        rig.ok(rig.post("/v1/bindings", {"subject": {
            "kind": "service_account", "id": sa["id"]}, "role": "sync"}), 201)
        self.client = Client(rig, rig.make_token(["scim.sync"],
                                                 owner=sa["id"]))
        self.at = f"/scim/v2/{self.op.id}"

    def call(self, method, path, body=None, **kw):
        return self.client.request(method, self.at + path, body,
                                   headers=dict(TYPE, **kw))

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body):
        return self.call("POST", path, body)

    def patch(self, path, *ops):
        return self.call("PATCH", path, {"schemas": [OP],
                                         "Operations": list(ops)})

    def user(self, name, **more):
        return self.rig.ok(self.post("/Users", {
            "schemas": [U], "userName": name, **more}), 201).json

    def find(self, text):
        return self.rig.ok(self.get("/Users?filter=" + urllib.parse.quote(
            text)), 200).json


def corp(rig):
    if "corp" not in kit:
        kit["corp"] = Scim(rig, "scimcorp", jit=False)
    return kit["corp"]


def other(rig):
    if "other" not in kit:
        kit["other"] = Scim(rig, "scimother", jit=False)
    return kit["other"]


@test
def what_a_client_asks_first(rig):
    s = corp(rig)
    c = rig.ok(s.get("/ServiceProviderConfig"), 200)
    rig.eq(c.headers["content-type"], "application/scim+json")
    rig.eq([c.json[k]["supported"] for k in ("patch", "bulk", "filter")],
           [True, False, True])
    rig.eq([r["endpoint"] for r in rig.ok(s.get("/ResourceTypes"),
                                          200).json["Resources"]],
           ["/Users", "/Groups"])
    rig.eq(rig.ok(s.get("/Schemas"), 200).json["totalResults"], 2)


@test
def a_user_made(rig):
    s = corp(rig)
    a = rig.ok(s.post("/Users", {
        "schemas": [U, "urn:ietf:params:scim:schemas:extension:enterprise:"
                    "2.0:User"],
        "userName": "ada", "externalId": "e-1", "active": True,
        "name": {"givenName": "Ada", "familyName": "L"},
        "emails": [{"value": "ada@corp.example", "primary": True}],
        "title": "Dr", "password": "never kept",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "7"}}), 201)
    u = a.json
    rig.check(a.headers["location"].endswith("/Users/" + u["id"]), u)
    rig.eq((u["userName"], u["externalId"], u["displayName"], u["active"]),
           ("ada", "e-1", "Ada L", True))
    rig.check("never kept" not in a.body.decode() + rig.log_text(), "password")
    rig.eq(rig.ok(s.get("/Users/" + u["id"]), 200).json, u)
    ours = rig.ok(rig.get("/v1/users/" + u["id"]), 200).json
    rig.eq((ours["name"], ours["email"]), ("Ada L", "ada@corp.example"))
    for f in ('userName eq "ada"', 'USERNAME EQ "ADA"', 'externalId eq "e-1"',
              f'id eq "{u["id"]}"', 'emails.value eq "ADA@corp.example"',
              'displayName eq "Ada L"', U + ':userName eq "ada"'):
        rig.eq([x["id"] for x in s.find(f)["Resources"]], [u["id"]], f)
    for f in ('userName eq "bob"', 'title eq "Dr"', 'externalId eq ""'):
        rig.eq(s.find(f)["totalResults"], 0, f)
    e = rig.ok(s.post("/Users", {"userName": "ADA"}), 409)
    rig.eq((e.json["scimType"], e.json["status"]), ("uniqueness", "409"))
    # and logs in as that user: by subject, nothing else
    b = Browser(rig)
    a = s.op.login(b, "ada", email="other@corp.example")
    rig.check(a.status == 303, repr(a))
    rig.eq(rig.ok(b.whoami(), 200).json["id"], u["id"])
    rig.eq([x["id"] for x in s.find('userName eq "ada"')["Resources"]],
           [u["id"]])
    # who was not provisioned does not
    rig.check(s.op.login(Browser(rig), "eve").status != 303, "eve")


@test
def an_address_links_nobody(rig):
    s = corp(rig)
    old = rig.ok(rig.post("/v1/users", {"email": "boss@corp.example",
                                        "name": "Boss"}), 201).json
    u = s.user("boss@corp.example", emails=[{"value": "boss@corp.example"}])
    rig.check(u["id"] != old["id"], "another user")
    rig.check("emails" not in u, u)
    rig.eq(rig.ok(rig.get("/v1/users/" + old["id"]), 200).json["name"],
           "Boss")


@test
def changes(rig):
    s = corp(rig)
    u = s.user("carl", displayName="Carl")
    path = "/Users/" + u["id"]
    r = rig.ok(s.patch(path, {"op": "replace", "path": "displayName",
                              "value": "Carl C"}), 200)
    rig.eq(r.json["displayName"], "Carl C")
    etag = r.headers["etag"]
    rig.ok(s.call("PATCH", path, {"Operations": [
        {"op": "add", "path": 'emails[type eq "work"].value',
         "value": "carl@corp.example"}]}, **{"If-Match": etag}), 200)
    rig.ok(s.call("PATCH", path, {"Operations": [
        {"op": "replace", "value": {"active": True}}]},
        **{"If-Match": etag}), 412)
    r = rig.ok(s.call("PUT", path, {"userName": "carl2",
                                    "externalId": "x"}), 200).json
    rig.eq((r["userName"], r.get("displayName"), r["active"]),
           ("carl2", None, True))
    # logins follow
    rig.check(s.op.login(Browser(rig), "carl").status != 303, "old name")
    rig.eq(s.op.login(Browser(rig), "carl2").status, 303)
    s.user("carl3")
    rig.ok(s.patch(path, {"op": "replace", "path": "userName",
                          "value": "carl3"}), 409)


@test
def the_end_of_an_account(rig):
    s = corp(rig)
    u = s.user("dora")
    b = Browser(rig)
    s.op.login(b, "dora")
    rig.ok(b.whoami(), 200)
    # as Entra ID says it
    r = rig.ok(s.patch("/Users/" + u["id"], {
        "op": "Replace", "path": "active", "value": "False"}), 200).json
    rig.eq(r["active"], False)
    rig.ok(b.whoami(), 401)
    rig.check(s.op.login(Browser(rig), "dora").status != 303, "disabled")
    rig.eq(rig.ok(rig.get("/v1/users/" + u["id"]), 200).json["disabled"],
           True)
    rig.ok(s.patch("/Users/" + u["id"], {"op": "replace", "value": {
        "active": True}}), 200)
    rig.eq(s.op.login(b, "dora").status, 303)
    rig.ok(s.call("DELETE", "/Users/" + u["id"]), 204)
    rig.ok(b.whoami(), 401)
    rig.ok(s.get("/Users/" + u["id"]), 404)
    rig.ok(rig.get("/v1/users/" + u["id"]), 404)
    rig.ok(s.call("DELETE", "/Users/" + u["id"]), 404)
    # who has another way in stays
    v = s.user("erik")
    rig.ok(rig.post(f"/v1/users/{v['id']}/identities", {
        "identity_provider": other(rig).op.id, "subject": "erik"}), 201)
    rig.ok(s.call("DELETE", "/Users/" + v["id"]), 204)
    rig.ok(rig.get("/v1/users/" + v["id"]), 200)
    rig.check(s.op.login(Browser(rig), "erik").status != 303, "unlinked")


@test
def the_last_administrator_stays(rig):
    me = rig.ok(rig.get("/v1/whoami"), 200).json["id"]
    s = corp(rig)
    rig.ok(s.get("/Users/" + me), 404)
    rig.ok(rig.post(f"/v1/users/{me}/identities", {
        "identity_provider": s.op.id, "subject": "root"}), 201)
    rig.ok(s.get("/Users/" + me), 200)
    rig.ok(s.patch("/Users/" + me, {"op": "replace", "path": "active",
                                    "value": False}), 409)
    i = rig.ok(rig.get(f"/v1/users/{me}/identities"), 200).json["items"][0]
    rig.ok(rig.delete(f"/v1/users/{me}/identities/{i['id']}"), 204)


@test
def groups(rig):
    s = corp(rig)
    x, y = s.user("gina")["id"], s.user("hugo")["id"]
    g = rig.ok(s.post("/Groups", {"schemas": [G], "displayName": "SRE",
                                  "members": [{"value": x}]}), 201).json
    path = "/Groups/" + g["id"]
    rig.eq([m["value"] for m in g["members"]], [x])

    def members():
        return {m["id"] for m in rig.ok(rig.get(
            "/v1/groups/" + g["id"]), 200).json["members"]}
    rig.eq(members(), {x})
    # a group may nothing until somebody who may grant it does
    b = Browser(rig)
    s.op.login(b, "gina")
    rig.ok(b.get(rig.p + "/incidents"), 404)
    rig.bind("group", g["id"], "viewer")
    rig.ok(b.get(rig.p + "/incidents"), 200)
    rig.ok(s.patch(path, {"op": "Add", "path": "members",
                          "value": [{"value": y}]}), 200)
    rig.eq(members(), {x, y})
    rig.ok(s.patch(path, {"op": "remove",
                          "path": f'members[value eq "{x}"]'}), 200)
    rig.eq(members(), {y})
    rig.ok(b.get(rig.p + "/incidents"), 404)
    rig.ok(s.patch(path, {"op": "replace", "path": "members",
                          "value": [{"value": x}]}), 200)
    rig.eq(members(), {x})
    r = rig.ok(s.patch(path, {"op": "replace", "value": {
        "displayName": "Site"}}), 200).json
    rig.eq(r["displayName"], "Site")
    rig.ok(s.post("/Groups", {"displayName": "Site"}), 409)
    found = rig.ok(s.get("/Groups?filter=displayName+eq+%22Site%22&"
                         "excludedAttributes=members"), 200).json
    rig.eq([("members" in r, r["id"]) for r in found["Resources"]],
           [(False, g["id"])])
    # what somebody gave by hand is not theirs to take
    rig.ok(rig.patch("/v1/groups/" + g["id"], {"members": [
        {"kind": "user", "id": x}, {"kind": "user", "id": y}]}), 200)
    rig.ok(s.call("PUT", path, {"displayName": "Site", "members": []}), 200)
    rig.eq(members(), {y})
    rig.ok(s.call("DELETE", path), 204)
    rig.ok(s.get(path), 404)
    rig.eq(members(), {y})


@test
def one_provider_is_not_another(rig):
    s, o = corp(rig), other(rig)
    u, v = s.user("ivan"), o.user("ivan")
    rig.check(u["id"] != v["id"], "two of them")
    rig.ok(s.get("/Users/" + v["id"]), 404)
    rig.ok(s.patch("/Users/" + v["id"], {"op": "replace", "path": "active",
                                         "value": False}), 404)
    rig.ok(s.call("DELETE", "/Users/" + v["id"]), 404)
    rig.check(v["id"] not in str(s.find('userName eq "ivan"')), "list")
    g = rig.ok(s.post("/Groups", {"displayName": "mine"}), 201).json
    rig.ok(o.get("/Groups/" + g["id"]), 404)
    e = rig.ok(s.patch("/Groups/" + g["id"], {
        "op": "add", "path": "members", "value": [{"value": v["id"]}]}), 400)
    rig.eq(e.json["scimType"], "invalidValue")
    # users without an account there are nobody's business
    me = rig.ok(rig.get("/v1/whoami"), 200).json["id"]
    rig.ok(s.get("/Users/" + me), 404)
    for p in ("/v1/users", "/v1/groups", "/v1/tokens", rig.p + "/incidents"):
        rig.check(s.client.get(p).status in (403, 404) or
                  p == "/v1/tokens", p)


@test
def who_may(rig):
    s = corp(rig)
    rig.ok(Client(rig, None).get(s.at + "/Users"), 401)
    t = rig.make_token(["user.view", "user.edit"])
    e = Client(rig, t).get(s.at + "/Users")
    rig.ok(e, 403)
    rig.eq(e.headers["content-type"], "application/scim+json")
    rig.eq(e.json["schemas"],
           ["urn:ietf:params:scim:api:messages:2.0:Error"])
    for p in ("nobody", "01234567-89ab-7def-8123-456789abcdef"):
        rig.ok(rig.get(f"/scim/v2/{p}/Users"), 404)
    rig.ok(rig.get("/scim/v2/scimcorp/Users"), 200)  # by name, too


@test
def bad_input(rig):
    s = corp(rig)
    u = s.user("jan")
    path = "/Users/" + u["id"]
    for body, status in (
            ({}, 400), ({"userName": ""}, 400), ({"userName": 5}, 400),
            ([], 400), ({"userName": "a\u0000b"}, 400),
            ({"userName": "x" * 201}, 400),
            ({"userName": "k", "active": "perhaps"}, 400),
            ({"userName": "k", "emails": 1}, 400),
            ({"userName": "k", "displayName": "a\nb"}, 400)):
        rig.ok(s.post("/Users", body), status)
    for ops in ([], [{"op": "copy"}], [{"op": "remove"}], "x",
                [{"op": "replace", "path": "active", "value": 1}],
                [{"op": "remove", "path": "userName"}]):
        rig.ok(s.call("PATCH", path, {"Operations": ops}), 400)
    rig.ok(s.client.request("POST", s.at + "/Users", b"{", raw=True,
                            headers=TYPE), 400)
    rig.ok(s.client.request("POST", s.at + "/Users", b'{"userName":"k"}',
                            raw=True, headers={"Content-Type": "text/xml"}),
           415)
    rig.ok(s.get("/Users?filter=userName+sw+%22a%22"), 400)
    rig.ok(s.get("/Users?startIndex=x"), 400)
    rig.ok(s.get("/Users/none"), 404)
    rig.eq(rig.ok(s.get(path), 200).json["userName"], "jan")
    rig.eq(s.find('userName eq "k"')["totalResults"], 0)


@test
def pages(rig):
    s = Scim(rig, "scimpages", jit=False)
    ids = [s.user(f"u{i}")["id"] for i in range(7)]
    seen, at = [], 1
    while True:
        r = rig.ok(s.get(f"/Users?startIndex={at}&count=3"), 200).json
        rig.eq(r["totalResults"], 7)
        seen += [x["id"] for x in r["Resources"]]
        if not r["Resources"]:
            break
        at += r["itemsPerPage"]
    rig.eq((len(seen), set(seen)), (7, set(ids)))
    rig.eq(rig.ok(s.get("/Users?count=0"), 200).json["Resources"], [])


@test
def subject_by_external_id(rig):
    s = Scim(rig, "scimext", jit=False, scim_subject="externalId")
    rig.ok(s.post("/Users", {"userName": "kim"}), 400)
    u = s.user("kim", externalId="obj-1")
    rig.check(s.op.login(Browser(rig), "kim").status != 303, "by name")
    b = Browser(rig)
    rig.eq(s.op.login(b, "obj-1").status, 303)
    rig.eq(rig.ok(b.whoami(), 200).json["id"], u["id"])


@test
def it_is_on_record(rig):
    items = rig.ok(rig.get("/v1/audit?action=scim.user.create&limit=1"),
                   200).json["items"]
    rig.eq(items[0]["principal"]["kind"], "service_account")
    rig.eq({r["type"] for r in items[0]["resource"]},
           {"identity_provider", "user"})
    denied = rig.ok(rig.get("/v1/audit?action=scim.read&outcome=denied"),
                    200).json["items"]
    rig.check(len(denied) > 0, "the refusal")


run()
