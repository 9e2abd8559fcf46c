#!/usr/bin/env python3
"""
Real identity providers, unmodified, and a real browser: SimpleSAMLphp and npm
samlp for SAML (assertion signed, response signed, both, encrypted), npm
oidc-provider for code with PKCE and for form_post.
"""
import json
import re
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
sys.path.insert(0, __file__.rsplit("/", 1)[0])
import idps  # noqa: E402
from rig import Rig, run, test  # noqa: E402

ALGS = ("RS256", "PS256", "ES256", "EdDSA")


class Place(idps.Beside, Rig):
    """A server, the providers, a browser."""

    def __init__(self):
        super().__init__()
        self.start_with_op([(flow, alg) for alg in ALGS
                            for flow in ("code", "id_token")])
        self.ssp = self.thing(idps.Ssp(self.dir))
        self.samlp = self.thing(idps.Samlp(self.dir))
        self.browser = self.thing(idps.Browser(self.dir))
        self.contexts = 0

    # ---- people ----

    def person(self):
        self.contexts += 1
        name = f"person {self.contexts}"
        self.browser.do("open", context=name)
        return Person(self, name)


class Person:
    def __init__(self, place, name):
        self.place, self.name = place, name

    def do(self, what, **kw):
        return self.place.browser.do(what, context=self.name, **kw)

    def go(self, url):
        return self.do("go", url=url)

    def login_ssp(self, about, user="alice"):
        self.go(about["urls"]["login"] + "?next=/v1/whoami")
        return self.do("fill", fields={"#username": user,
                                       "#password": "secret"},
                       submit="#submit_button, [type=submit]")

    def login_samlp(self, about, user="alice", url=None):
        self.go(url or about["urls"]["login"] + "?next=/v1/whoami")
        return self.do("fill", fields={"[name=username]": user,
                                       "[name=password]": "secret"},
                       submit="[type=submit]")

    def login_op(self, about, user="alice"):
        self.go(about["urls"]["login"] + "?next=/v1/whoami")
        self.do("fill", fields={"[name=login]": user, "[name=password]": "x"},
                submit="[type=submit]")
        return self.do("fill", fields={}, submit="[type=submit]")

    def fetch(self, path, **kw):
        kw["headers"] = {"Origin": self.place.here, **kw.get("headers", {})}
        return self.do("fetch", url=self.place.here + path, **kw)

    def whoami(self):
        a = self.fetch("/v1/whoami")
        return json.loads(a["text"]) if a["status"] == 200 else None

    def close(self):
        self.do("close")


def arrived(rig, person, page):
    """They are back, and somebody."""
    rig.check(page["url"] == rig.here + "/v1/whoami" and
              page["status"] == 200, f"{page['url']} {page['status']} "
              f"{page['text'][:500]}")
    me = person.whoami()
    rig.check(me, "nobody")
    return me or {}


# ---- SAML ----

MODES = {  # what SimpleSAMLphp is told
    "assertion": {"saml20.sign.response": False,
                  "saml20.sign.assertion": True},
    "response": {"saml20.sign.response": True,
                 "saml20.sign.assertion": False},
    "both": {"saml20.sign.response": True, "saml20.sign.assertion": True},
    "encrypted": {"saml20.sign.response": True, "saml20.sign.assertion": True,
                  "assertion.encryption": True},
}


def make_ssp(rig, mode, **config):
    # Debian's version encrypts with AES-CBC, whatever it is asked for
    if mode == "encrypted":
        config["allow_cbc"] = True
    about = rig.make_idp("ssp-" + mode, "saml", metadata=rig.ssp.metadata,
                         groups_attribute="groups", **config)
    rig.register_at_ssp(about, **{
        "sign.logout": True, "validate.logout": True,
        "SingleLogoutService": about["urls"]["logout"], **MODES[mode]})
    return about


@test
def simplesamlphp(rig):
    group = rig.ok(rig.post("/v1/groups", {"name": "from ssp"}),
                   201).json["id"]
    rig.bind("group", group, "responder")
    for mode in MODES:
        about = make_ssp(rig, mode,
                         group_map=[{"value": "ops", "group": group}])
        p = rig.person()
        me = arrived(rig, p, p.login_ssp(about))
        rig.eq(me.get("name"), "Alice of SSP", mode)
        a = p.fetch(rig.p + "/incidents")
        rig.eq(a["status"], 200, "what the mapped group may")
        p.close()
    p = rig.person()
    arrived(rig, p, p.login_ssp(about, "bob"))
    rig.eq(p.fetch(rig.p + "/incidents")["status"], 404)
    p.close()


@test
def samlp(rig):
    for mode in rig.samlp.MODES:
        about = rig.make_idp("samlp-" + mode, "saml",
                             metadata=rig.samlp.metadata(mode),
                             groups_attribute="http://schemas.passportjs.com/"
                                              "groups")
        urls = about["urls"]
        pem = "-----BEGIN CERTIFICATE-----\n" + "\n".join(re.findall(
            ".{1,64}", about["config"]["sp_certificate"])) + \
            "\n-----END CERTIFICATE-----\n"
        rig.samlp.register(urls["entity_id"], urls["acs"], pem)
        p = rig.person()
        me = arrived(rig, p, p.login_samlp(about))
        rig.eq(me.get("name"), "alice of samlp", mode)
        p.close()


@test
def two_saml_providers_two_people(rig):
    """The same name at two providers is two accounts."""
    ids = {}
    for i in rig.ok(rig.get("/v1/users?limit=200"), 200).json["items"]:
        ids.setdefault(i["name"], set()).add(i["id"])
    rig.eq(len(ids["Alice of SSP"]), 4, "one for each provider of ours")
    rig.check(not ids["Alice of SSP"] & ids["alice of samlp"], "linked")


@test
def idp_initiated(rig):
    """From the provider's own page: only where that is allowed."""
    for allowed in (False, True):
        name = "portal-yes" if allowed else "portal-no"
        about = rig.make_idp(name, "saml",
                             metadata=rig.samlp.metadata("assertion"),
                             allow_idp_initiated=allowed)
        urls = about["urls"]
        rig.samlp.register(urls["entity_id"], urls["acs"])
        p = rig.person()
        page = p.login_samlp(about, url=f"http://localhost:{rig.samlp.port}"
                             f"/sso/assertion?sp={urls['entity_id']}")
        if allowed:
            rig.eq(page["url"], rig.here + "/")
            rig.check(p.whoami(), "nobody")
        else:
            rig.check("auth_failed" in page["text"], page["text"][:500])
            rig.check(p.whoami() is None, "somebody")
        p.close()


@test
def saml_logout(rig):
    """The provider's own logout ends the session here."""
    about = [i for i in rig.get("/v1/identity-providers?limit=200").json[
        "items"] if i["name"] == "ssp-both"][0]
    p = rig.person()
    arrived(rig, p, p.login_ssp(about))
    p.go(rig.ssp.base + "saml2/idp/SingleLogoutService.php?ReturnTo=" +
         rig.ssp.base)
    end = time.time() + 10
    p.go(rig.here + "/healthz")
    while p.whoami() and time.time() < end:
        time.sleep(0.2)
    rig.check(p.whoami() is None, "still logged in")
    p.close()


# ---- OpenID Connect ----

@test
def oidc_form_post(rig):
    """A cross-site POST: only a SameSite=None cookie comes with it."""
    for alg in ALGS:
        about = rig.make_oidc("id_token", alg)
        p = rig.person()
        me = arrived(rig, p, p.login_op(about))
        rig.eq(me.get("name"), "alice of the OP", alg)
        cookies = {c["name"]: c for c in p.do("cookies")["cookies"]
                   if c["domain"] == "127.0.0.1"}
        rig.eq(list(cookies), ["__Host-redoubt"], "cookies left")
        c = cookies["__Host-redoubt"]
        rig.check(c["secure"] and c["httpOnly"] and c["sameSite"] == "Lax",
                  str(c))
        p.close()


@test
def oidc_code(rig):
    for alg in ALGS:
        about = rig.make_oidc("code", alg, iss_required=True)
        p = rig.person()
        me = arrived(rig, p, p.login_op(about))
        rig.eq(me.get("name"), "alice of the OP", alg)
        p.close()


@test
def a_write_and_a_logout(rig):
    """What a page of ours does with a session."""
    about = [i for i in rig.get("/v1/identity-providers?limit=200").json[
        "items"] if i["name"] == "code-rs256"][0]
    p = rig.person()
    me = arrived(rig, p, p.login_op(about, "carol"))
    rig.eq(p.fetch("/v1/logout", method="POST")["status"], 403,
           "without a CSRF token")
    rig.check(p.whoami(), "nobody")
    a = p.fetch("/v1/logout", method="POST",
             headers={"X-Redoubt-CSRF": me["csrf"]})
    rig.eq(a["status"], 204, str(a))
    rig.check(p.whoami() is None, "somebody")
    p.close()


@test
def every_login_is_on_record(rig):
    items = rig.ok(rig.get("/v1/audit?action=auth.login&limit=200"),
                   200).json["items"]
    good = [i for i in items if i["outcome"] == "ok"]
    bad = [json.loads(i["leaf"])["reason"] for i in items
           if i["outcome"] != "ok"]
    rig.check(len(good) >= 18, f"{len(good)} logins")
    rig.eq(bad, ["saml.unsolicited"])
    for i in good:
        rig.eq(i["principal"]["kind"], "user")


run(Place)
