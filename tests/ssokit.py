"""
ssokit.py: identity providers that say what a test wants them to say, made of
the standard library and the openssl command: RS256 id_tokens, signed SAML
responses, and a browser's cookies.
"""
import base64
import hashlib
import html
import http.client
import json
import re
import subprocess
import time
import urllib.parse
import uuid
import zlib


def openssl(*args, data=None):
    return subprocess.run(["openssl", *map(str, args)], input=data, check=True,
                          capture_output=True).stdout


def b64url(b):
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()


class Key:
    """An RSA key in files of a directory."""

    def __init__(self, d, name="key"):
        self.pem, self.crt = d / (name + ".pem"), d / (name + ".crt")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                "-subj", "/CN=" + name, "-keyout", self.pem, "-out", self.crt)
        hexed = openssl("rsa", "-in", self.pem, "-noout", "-modulus")
        n = bytes.fromhex(hexed.decode().strip().split("=")[1])
        self.jwk = {"kty": "RSA", "kid": name, "alg": "RS256", "use": "sig",
                    "n": b64url(n), "e": "AQAB"}
        self.cert = "".join(self.crt.read_text().strip().split("\n")[1:-1])

    def sign(self, data):
        return openssl("dgst", "-sha256", "-sign", self.pem, data=data)


class Browser:
    """Cookies, no following of redirects, and an address of its own."""
    made = 0

    def __init__(self, rig, address=None):
        self.rig, self.jar, self.client = rig, {}, rig.client(None)
        Browser.made += 1
        self.client.address = address or (
            f"127.9.{Browser.made // 250}.{Browser.made % 250 + 1}")

    def request(self, method, url, body=None, headers=None, cookies=True):
        path = url
        if "://" in url:
            u = urllib.parse.urlsplit(url)
            path = u.path + ("?" + u.query if u.query else "")
        h = dict(headers or {})
        if cookies and self.jar:
            h["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.jar.items())
        if isinstance(body, (dict, list)):
            body = urllib.parse.urlencode(body)
        if body is not None:
            h.setdefault("Content-Type", "application/x-www-form-urlencoded")
        a = self.client.request(method, path, body, h, raw=True)
        for line in a.headers.get_all("set-cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            if "Max-Age=0" in line:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        return a

    def get(self, url, **kw):
        return self.request("GET", url, **kw)

    def post(self, url, body, **kw):
        return self.request("POST", url, body, **kw)

    def whoami(self):
        return self.get("/v1/whoami")

    def other(self):
        return Browser(self.rig)


def query_of(answer):
    url = answer.headers["location"]
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


# ---- OpenID Connect ----

class Oidc:
    """A provider for oidc-direct."""

    def __init__(self, rig, d, name, group_map=(), **config):
        self.rig, self.name, self.key = rig, name, Key(d, name)
        self.issuer = f"https://{name}.example.org"
        self.about = rig.ok(rig.post("/v1/identity-providers", {
            "name": name, "kind": "oidc-direct", "config": self.some({
                "issuer": self.issuer,
                "authorization_endpoint": self.issuer + "/auth",
                "client_id": "redoubt",
                "jwks": {"keys": [self.key.jwk]},
                "jit": True, "groups_claim": "groups",
                "group_map": list(group_map), **config})}), 201).json
        self.id = self.about["id"]

    @staticmethod
    def some(config):
        return {k: v for k, v in config.items() if v is not None}

    @property
    def base(self):
        return "/auth/oidc/" + self.name

    def begin(self, browser, more=""):
        """What the provider is asked: parameters of the redirect."""
        a = self.rig.ok(browser.get(self.base + "/login" + more), 303)
        return query_of(a)

    def claims(self, asked, sub="alice", **more):
        now = int(time.time())
        c = {"iss": self.issuer, "aud": "redoubt", "sub": sub, "iat": now,
             "exp": now + 300, "nonce": asked["nonce"],
             "email": sub + "@example.org", "name": sub.title()}
        c.update(more)
        return {k: v for k, v in c.items() if v is not None}

    def token(self, claims, header=None, key=None):
        h = {"alg": "RS256", "kid": self.key.jwk["kid"], **(header or {})}
        text = ".".join(b64url(json.dumps(x).encode()) for x in (h, claims))
        return text + "." + b64url((key or self.key).sign(text.encode()))

    def answer(self, browser, asked, sub="alice", **more):
        """Come back as that person; the answer."""
        return browser.post(self.base + "/callback", {
            "state": asked["state"],
            "id_token": self.token(self.claims(asked, sub, **more))})

    def login(self, browser, sub="alice", more="", **claims):
        return self.answer(browser, self.begin(browser, more), sub, **claims)


# ---- SAML ----

SAML = "urn:oasis:names:tc:SAML:2.0:"
DS = "http://www.w3.org/2000/09/xmldsig#"
SHA = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"


def stamp(offset=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() +
                                                           offset))


class Saml:
    """
    A provider for saml.  What it signs is written in canonical form, so that
    canonicalizing changes nothing: no spaces, attributes in order, namespaces
    where they are first used.
    """

    def __init__(self, rig, d, name, group_map=(), **config):
        self.rig, self.name, self.key = rig, name, Key(d, name)
        self.entity = f"https://{name}.example.org/idp"
        self.about = rig.ok(rig.post("/v1/identity-providers", {
            "name": name, "kind": "saml", "config": {
                "metadata": self.metadata(), "jit": True,
                "groups_attribute": "groups",
                "group_map": list(group_map), **config}}), 201).json
        self.id = self.about["id"]
        self.acs = self.about["urls"]["acs"]
        self.sp = self.about["urls"]["entity_id"]

    @property
    def base(self):
        return "/auth/saml/" + self.name

    def metadata(self):
        return (f'<EntityDescriptor xmlns="{SAML}metadata" entityID='
                f'"{self.entity}"><IDPSSODescriptor '
                f'protocolSupportEnumeration="{SAML}protocol">'
                f'<KeyDescriptor use="signing"><KeyInfo xmlns="{DS}">'
                f'<X509Data><X509Certificate>{self.key.cert}'
                f'</X509Certificate></X509Data></KeyInfo></KeyDescriptor>'
                f'<SingleLogoutService Binding="{SAML}bindings:HTTP-Redirect" '
                f'Location="{self.entity}/slo"/>'
                f'<SingleSignOnService Binding="{SAML}bindings:HTTP-Redirect" '
                f'Location="{self.entity}/sso"/></IDPSSODescriptor>'
                f'</EntityDescriptor>')

    def begin(self, browser, more=""):
        a = self.rig.ok(browser.get(self.base + "/login" + more), 303)
        asked = query_of(a)
        request = zlib.decompress(base64.b64decode(asked["SAMLRequest"]), -15)
        asked["id"] = re.search(r' ID="([^"]+)"', request.decode()).group(1)
        asked["request"] = request.decode()
        return asked

    def signed(self, before, id, after):
        """before + signature + after, the signature being over the rest."""
        digest = base64.b64encode(hashlib.sha256(
            (before + after).encode()).digest()).decode()
        info = (f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod '
                f'Algorithm="{EXC}"></ds:CanonicalizationMethod>'
                f'<ds:SignatureMethod Algorithm="{RSA}"></ds:SignatureMethod>'
                f'<ds:Reference URI="#{id}"><ds:Transforms><ds:Transform '
                f'Algorithm="{DS}enveloped-signature"></ds:Transform>'
                f'<ds:Transform Algorithm="{EXC}"></ds:Transform>'
                f'</ds:Transforms><ds:DigestMethod Algorithm="{SHA}">'
                f'</ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue>'
                f'</ds:Reference></ds:SignedInfo>')
        value = base64.b64encode(self.key.sign(info.encode())).decode()
        return (before + f'<ds:Signature xmlns:ds="{DS}">' +
                info.replace(f' xmlns:ds="{DS}"', "", 1) +
                f'<ds:SignatureValue>{value}</ds:SignatureValue>'
                f'</ds:Signature>' + after)

    def assertion(self, request_id, name="alice", groups=(), session="s1",
                  acs=None, audience=None, id=None):
        id = id or "_" + uuid.uuid4().hex
        acs, audience = acs or self.acs, audience or self.sp
        irt = f' InResponseTo="{request_id}"' if request_id else ""
        values = "".join(f"<saml:AttributeValue>{html.escape(g)}"
                         f"</saml:AttributeValue>" for g in groups)
        given = (f'<saml:AttributeStatement><saml:Attribute Name="groups">'
                 f'{values}</saml:Attribute></saml:AttributeStatement>'
                 if groups else "")
        return self.signed(
            f'<saml:Assertion xmlns:saml="{SAML}assertion" ID="{id}" '
            f'IssueInstant="{stamp()}" Version="2.0"><saml:Issuer>'
            f'{self.entity}</saml:Issuer>', id,
            f'<saml:Subject><saml:NameID Format="{SAML}nameid-format:'
            f'persistent">{name}</saml:NameID><saml:SubjectConfirmation '
            f'Method="{SAML}cm:bearer"><saml:SubjectConfirmationData{irt} '
            f'NotOnOrAfter="{stamp(300)}" Recipient="{acs}">'
            f'</saml:SubjectConfirmationData></saml:SubjectConfirmation>'
            f'</saml:Subject><saml:Conditions NotBefore="{stamp(-60)}" '
            f'NotOnOrAfter="{stamp(300)}"><saml:AudienceRestriction>'
            f'<saml:Audience>{audience}</saml:Audience>'
            f'</saml:AudienceRestriction></saml:Conditions>'
            f'<saml:AuthnStatement AuthnInstant="{stamp()}" '
            f'SessionIndex="{session}"><saml:AuthnContext>'
            f'<saml:AuthnContextClassRef>{SAML}ac:classes:Password'
            f'</saml:AuthnContextClassRef></saml:AuthnContext>'
            f'</saml:AuthnStatement>{given}</saml:Assertion>')

    def response(self, request_id, name="alice", **kw):
        id = "_" + uuid.uuid4().hex
        irt = f' InResponseTo="{request_id}"' if request_id else ""
        return (f'<samlp:Response xmlns:samlp="{SAML}protocol" '
                f'Destination="{kw.get("acs") or self.acs}" ID="{id}"{irt} '
                f'IssueInstant="{stamp()}" Version="2.0"><saml:Issuer '
                f'xmlns:saml="{SAML}assertion">{self.entity}</saml:Issuer>'
                f'<samlp:Status><samlp:StatusCode Value="{SAML}status:Success"'
                f'></samlp:StatusCode></samlp:Status>' +
                self.assertion(request_id, name, **kw) + '</samlp:Response>')

    def post(self, browser, asked, xml):
        return browser.post(self.base + "/acs", {
            "RelayState": asked["RelayState"],
            "SAMLResponse": base64.b64encode(xml.encode()).decode()})

    def login(self, browser, name="alice", more="", **kw):
        asked = self.begin(browser, more)
        return self.post(browser, asked, self.response(asked["id"], name, **kw))

    def logout_parts(self, name, session, id):
        """Before and after where a signature would be."""
        id = id or "_" + uuid.uuid4().hex
        return (f'<samlp:LogoutRequest xmlns:samlp="{SAML}protocol" '
                f'Destination="{self.about["urls"]["logout"]}" '
                f'ID="{id}" IssueInstant="{stamp()}" Version="2.0">'
                f'<saml:Issuer xmlns:saml="{SAML}assertion">{self.entity}'
                f'</saml:Issuer>', id,
                f'<saml:NameID xmlns:saml="{SAML}assertion" '
                f'Format="{SAML}nameid-format:persistent">{name}'
                f'</saml:NameID><samlp:SessionIndex>{session}'
                f'</samlp:SessionIndex></samlp:LogoutRequest>')

    def logout_post(self, browser, name="alice", session="s1", sign=True):
        before, id, after = self.logout_parts(name, session, None)
        xml = self.signed(before, id, after) if sign else before + after
        return browser.post(self.base + "/logout", {
            "SAMLRequest": base64.b64encode(xml.encode()).decode(),
            "RelayState": "r"})

    def logout_url(self, name="alice", session="s1", id=None, key=None):
        """A signed LogoutRequest, by redirect."""
        before, id, after = self.logout_parts(name, session, id)
        xml = before + after
        z = zlib.compressobj(9, zlib.DEFLATED, -15)
        raw = z.compress(xml.encode()) + z.flush()
        q = urllib.parse.urlencode({
            "SAMLRequest": base64.b64encode(raw).decode(), "SigAlg": RSA})
        sig = base64.b64encode((key or self.key).sign(q.encode())).decode()
        return self.base + "/logout?" + q + "&Signature=" + \
            urllib.parse.quote(sig, safe="")
