#!/usr/bin/python3
"""
gen.py: the SAML corpus: one JSON object a line, for tests/unit/auth/t_saml.c.

    {"name", "expect": "ok" or a reason, "xml": base64, "now": ms,
     "subject": what a good one names, "provider": {...}}

Keys are new each time and times are fixed, so nothing in here is a secret or
goes stale.  Responses are made as text, so that every byte can be tampered
with; lxml (exclusive C14N) and cryptography sign and encrypt them.

    gen.py [--raw DIR]   also writes each document to DIR, for the fuzzers
"""
import base64
import datetime
import hashlib
import json
import os
import pathlib
import re
import sys
import urllib.parse
import zlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import \
    decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

P = "urn:oasis:names:tc:SAML:2.0:protocol"
A = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
IDP = "https://idp.example/meta"
SP = "https://sp.example/auth/saml/corp/metadata"
ACS = "https://sp.example/auth/saml/corp/acs"
REQ = "_req0123456789"
NOW = datetime.datetime(2026, 11, 28, 12, 0, 0)
HASH = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(),
        "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
DIGEST = {"sha1": DS + "sha1", "sha256": XENC + "sha256",
          "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
          "sha512": XENC + "sha512"}
MORE = "http://www.w3.org/2001/04/xmldsig-more#"


def t(seconds=0):
    return (NOW + datetime.timedelta(seconds=seconds)).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


def ms(when):
    return int((when - datetime.datetime(1970, 1, 1)).total_seconds() * 1000)


def spki(key):
    return key.public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)


def cert(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp")])
    return x509.CertificateBuilder().subject_name(name).issuer_name(
        name).public_key(key.public_key()).serial_number(7).not_valid_before(
        NOW - datetime.timedelta(days=900)).not_valid_after(
        NOW - datetime.timedelta(days=1)).sign(
        key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


RSA = rsa.generate_private_key(65537, 2048)
RSA2 = rsa.generate_private_key(65537, 2048)
RSA1024 = rsa.generate_private_key(65537, 1024)
EVIL = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
EC521 = ec.generate_private_key(ec.SECP521R1())
SPKEY = rsa.generate_private_key(65537, 2048)
KEYS = {"rsa": RSA, "rsa2": RSA2, "rsa1024": RSA1024, "evil": EVIL,
        "ec": EC, "ec521": EC521}
CERT = cert(RSA)


def b64(b):
    return base64.b64encode(b).decode()


# ---- text of a response ----

ATTRS = ('<saml:AttributeStatement><saml:Attribute Name="mail">'
         '<saml:AttributeValue>ada@example.com</saml:AttributeValue>'
         '</saml:Attribute><saml:Attribute Name="groups">'
         '<saml:AttributeValue>sre</saml:AttributeValue>'
         '<saml:AttributeValue>ops</saml:AttributeValue></saml:Attribute>'
         '</saml:AttributeStatement>')
AUTHN = ('<saml:AuthnStatement AuthnInstant="{authn}" SessionIndex="_s1"{over}>'
         '<saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:'
         'SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>'
         '</saml:AuthnContext></saml:AuthnStatement>')
CONFIRM = ('<saml:SubjectConfirmation Method="{method}">'
           '<saml:SubjectConfirmationData{recipient}{until}{irt}{before}/>'
           '</saml:SubjectConfirmation>')


def attr(name, value):
    return "" if value is None else f' {name}="{value}"'


def confirm(method="urn:oasis:names:tc:SAML:2.0:cm:bearer", recipient=ACS,
            until=300, irt=REQ, before=None):
    return CONFIRM.format(
        method=method, recipient=attr("Recipient", recipient),
        until=attr("NotOnOrAfter",
                   t(until) if isinstance(until, int) else until),
        irt=attr("InResponseTo", irt), before=attr("NotBefore", before))


def audience(*names):
    return "<saml:AudienceRestriction>" + "".join(
        f"<saml:Audience>{n}</saml:Audience>" for n in names) + \
        "</saml:AudienceRestriction>"


def assertion(subject="ada", aid="_a1", issuer=IDP, version="2.0", issued=0,
              name=None, confirms=None, conditions=None, inner=None,
              cond_from=-60, cond_until=300, authn=0, over=None,
              authn_statement=None, attributes=ATTRS, extra="",
              ns=f' xmlns:saml="{A}"', subject_xml=None, issuer_xml=None,
              sig="{ASIG}"):
    if name is None:
        name = ('<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:'
                f'nameid-format:persistent">{subject}</saml:NameID>')
    if confirms is None:
        confirms = confirm()
    if inner is None:
        inner = audience(SP)
    if conditions is None:
        conditions = ("<saml:Conditions" +
                      attr("NotBefore", cond_from if cond_from is None else
                           t(cond_from)) +
                      attr("NotOnOrAfter", cond_until if not
                           isinstance(cond_until, int) else t(cond_until)) +
                      ">" + inner + "</saml:Conditions>")
    if authn_statement is None:
        authn_statement = AUTHN.format(
            authn=t(authn) if isinstance(authn, int) else authn,
            over=attr("SessionNotOnOrAfter",
                      t(over) if isinstance(over, int) else over))
    if subject_xml is None:
        subject_xml = f"<saml:Subject>{name}{confirms}</saml:Subject>"
    if issuer_xml is None:
        issuer_xml = f"<saml:Issuer>{issuer}</saml:Issuer>"
    issued = t(issued) if isinstance(issued, int) else issued
    return (f'<saml:Assertion{ns}' + attr("ID", aid) +
            attr("IssueInstant", issued) + attr("Version", version) +
            f">{issuer_xml}{sig}{subject_xml}{conditions}"
            f"{authn_statement}{attributes}{extra}</saml:Assertion>")


SUCCESS = ('<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:'
           '2.0:status:Success"/></samlp:Status>')


def response(body=None, rid="_r1", issuer=IDP, version="2.0", issued=0,
             destination=ACS, irt=REQ, status=SUCCESS, before="", after="",
             issuer_xml=None, head="", sig="{RSIG}", **kw):
    if body is None:
        body = assertion(**kw)
    if issuer_xml is None:
        issuer_xml = "" if issuer is None else (
            f'<saml:Issuer xmlns:saml="{A}">{issuer}</saml:Issuer>')
    issued = t(issued) if isinstance(issued, int) else issued
    return (head + f'<samlp:Response xmlns:samlp="{P}"' + attr("ID", rid) +
            attr("Version", version) + attr("IssueInstant", issued) +
            attr("Destination", destination) + attr("InResponseTo", irt) +
            f">{issuer_xml}{sig}{before}{status}{body}{after}"
            "</samlp:Response>")


# ---- signing ----

def canon(node, prefixes=None, comments=False):
    return etree.tostring(node, method="c14n", exclusive=True,
                          with_comments=comments,
                          inclusive_ns_prefixes=prefixes)


def raw_sign(key, md, data):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), HASH[md])
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(HASH[md])))
    n = (key.key_size + 7) // 8
    return r.to_bytes(n, "big") + s.to_bytes(n, "big")


def method_of(key, md):
    if isinstance(key, rsa.RSAPrivateKey):
        return DS + "rsa-sha1" if md == "sha1" else MORE + "rsa-" + md
    return MORE + "ecdsa-" + md


def signature(digest, ref, key="rsa", md="sha256", dmd=None, uri=None,
              transforms=None, info_canon=EXC, info_canon_inner="",
              method=None, method_inner="", digest_alg=None, digest_inner="",
              keyinfo=None, prefix="ds:", value=None, sign_with=None,
              ref_attrs="", after_reference="", sigval_wrap=None,
              info_first=True, object_xml="", info_extra=""):
    """The text of a ds:Signature over that digest."""
    k = KEYS[key]
    dmd = dmd or md
    x = f'xmlns{":" + prefix[:-1] if prefix else ""}="{DS}"'
    if transforms is None:
        transforms = (f'<{prefix}Transform Algorithm="{DS}enveloped-signature"'
                      f'/><{prefix}Transform Algorithm="{EXC}"/>')
    uri = "#" + ref if uri is None else uri
    info = (f'<{prefix}SignedInfo {x}><{prefix}CanonicalizationMethod '
            f'Algorithm="{info_canon}">{info_canon_inner}'
            f'</{prefix}CanonicalizationMethod><{prefix}SignatureMethod '
            f'Algorithm="{method_of(k, md) if method is None else method}">{method_inner}'
            f'</{prefix}SignatureMethod><{prefix}Reference URI="{uri}"'
            f'{ref_attrs}><{prefix}Transforms>{transforms}'
            f'</{prefix}Transforms><{prefix}DigestMethod Algorithm="'
            f'{DIGEST[dmd] if digest_alg is None else digest_alg}">'
            f'{digest_inner}'
            f'</{prefix}DigestMethod><{prefix}DigestValue>'
            f'{b64(digest)}</{prefix}DigestValue></{prefix}Reference>'
            f'{after_reference}</{prefix}SignedInfo>')
    to_sign = canon(etree.fromstring(info))
    if value is None:
        value = raw_sign(KEYS[sign_with or key], md, to_sign)
    val = b64(value)
    if sigval_wrap:
        val = "\n" + "\n".join(val[i:i + 64]
                               for i in range(0, len(val), 64)) + "\n"
    info = info.replace(" " + x, "", 1)
    if keyinfo is None:
        keyinfo = (f"<{prefix}KeyInfo><{prefix}X509Data>"
                   f"<{prefix}X509Certificate>{b64(CERT)}"
                   f"</{prefix}X509Certificate></{prefix}X509Data>"
                   f"</{prefix}KeyInfo>")
    val = f"<{prefix}SignatureValue>{val}</{prefix}SignatureValue>"
    parts = info + val if info_first else val + info
    return (f"<{prefix}Signature {x}>{parts}{keyinfo}{object_xml}"
            f"</{prefix}Signature>")


def digest_of(xml, ref, md="sha256", prefixes=None):
    root = etree.fromstring(xml.encode())
    hits = [n for n in root.iter() if n.get("ID") == ref]
    return hashlib.new(md, canon(hits[0], prefixes)).digest()


def sign_a(xml, ref="_a1", prefixes=None, **kw):
    """Put a signature at {ASIG}."""
    bare = xml.replace("{ASIG}", "").replace("{RSIG}", "")
    d = digest_of(bare, ref, kw.get("dmd") or kw.get("md", "sha256"), prefixes)
    return xml.replace("{ASIG}", signature(d, ref, **kw))


def sign_r(xml, ref="_r1", prefixes=None, **kw):
    bare = xml.replace("{ASIG}", "").replace("{RSIG}", "")
    d = digest_of(bare, ref, kw.get("dmd") or kw.get("md", "sha256"), prefixes)
    return xml.replace("{RSIG}", signature(d, ref, **kw)).replace("{ASIG}", "")


def done(xml):
    return xml.replace("{ASIG}", "").replace("{RSIG}", "")


def good(**kw):
    """The usual one: its assertion is signed."""
    return done(sign_a(response(**kw)))


# ---- encryption ----

def encrypt(plain, data_alg="aes256-gcm", oaep="old", oaep_md="sha1",
            mgf=None, key=None, place="inside", tag_cut=0, iv_n=12,
            extra_method="", to=None, data_uri=None, wrap_uri=None,
            flip=False, plain_bytes=None):
    n = 16 if "128" in data_alg else 32
    secret = key or os.urandom(n)
    body = plain_bytes if plain_bytes is not None else plain.encode()
    if data_alg.endswith("gcm"):
        iv = os.urandom(iv_n)
        ct = iv + AESGCM(secret[:n]).encrypt(iv, body, None)
        ct = ct[:len(ct) - tag_cut]
    else:
        iv = os.urandom(16)
        pad = 16 - len(body) % 16
        e = Cipher(algorithms.AES(secret[:n]), modes.CBC(iv)).encryptor()
        ct = iv + e.update(body + bytes(pad - 1) + bytes([pad])) + e.finalize()
    if flip:
        ct = ct[:40] + bytes([ct[40] ^ 1]) + ct[41:]
    h = HASH[oaep_md]
    m = HASH[mgf or ("sha1" if oaep == "old" else oaep_md)]
    if oaep == "pkcs1":
        wrapped = (to or SPKEY).public_key().encrypt(
            secret, padding.PKCS1v15())
        uri = XENC + "rsa-1_5"
        inner = ""
    else:
        wrapped = (to or SPKEY).public_key().encrypt(
            secret, padding.OAEP(padding.MGF1(m), h, None))
        uri = XENC + "rsa-oaep-mgf1p" if oaep == "old" else \
            XENC11 + "rsa-oaep"
        inner = f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="' \
                f'{DIGEST[oaep_md]}"/>'
        if oaep == "new":
            inner += f'<xenc11:MGF xmlns:xenc11="{XENC11}" Algorithm="' \
                     f'{XENC11}mgf1{mgf or oaep_md}"/>'
    ek = (f'<xenc:EncryptedKey xmlns:xenc="{XENC}"><xenc:EncryptionMethod '
          f'Algorithm="{wrap_uri or uri}">{inner}{extra_method}'
          f'</xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>'
          f'{b64(wrapped)}</xenc:CipherValue></xenc:CipherData>'
          f'</xenc:EncryptedKey>')
    alg = data_uri
    if alg is None:
        alg = (XENC11 if data_alg.endswith("gcm") else XENC) + data_alg
    info = f'<ds:KeyInfo xmlns:ds="{DS}">{ek}</ds:KeyInfo>' \
        if place == "inside" else ""
    return (f'<saml:EncryptedAssertion xmlns:saml="{A}"><xenc:EncryptedData '
            f'xmlns:xenc="{XENC}" Type="{XENC}Element"><xenc:EncryptionMethod '
            f'Algorithm="{alg}"/>{info}<xenc:CipherData><xenc:CipherValue>'
            f'{b64(ct)}</xenc:CipherValue></xenc:CipherData>'
            f'</xenc:EncryptedData>{ek if place == "beside" else ""}'
            f'</saml:EncryptedAssertion>')


def signed_assertion(**kw):
    return done(sign_a(assertion(**kw)))


# ---- the cases ----

CASES = []


def case(name, expect, xml, subject="ada", now=0, kind="response",
         values=None, **provider):
    """values: those of its attribute x."""
    p = {"entity": IDP, "sp": SP, "acs": ACS, "request": REQ,
         "keys": ["rsa"], "decrypt": True}
    p.update(provider)
    p["keys"] = [b64(CERT if k == "cert" else spki(KEYS[k]))
                 for k in p["keys"]]
    p["decrypt"] = [b64(SPKEY.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))] if p["decrypt"] else []
    data = xml if isinstance(xml, bytes) else xml.encode()
    CASES.append({"name": name, "expect": expect, "xml": b64(data),
                  "kind": kind, "values": values,
                  "subject": subject, "provider": p,
                  "now": ms(NOW + datetime.timedelta(seconds=now))})


def ok(name, xml, **kw):
    case("ok." + name, "ok", xml, **kw)


def no(reason, name, xml, **kw):
    case(f"{reason}.{name}", "saml." + reason, xml, **kw)


def valid():
    ok("assertion", good())
    ok("response", sign_r(response()))
    ok("both", both())
    ok("certificate", good(), keys=["cert"])
    ok("second_key", good(), keys=["rsa2", "rsa"])
    ok("ec_beside_rsa", done(sign_a(response(), key="ec")),
       keys=["rsa", "ec"])
    ok("ec521", done(sign_a(response(), key="ec521", md="sha512")),
       keys=["ec521"])
    for md in ("sha384", "sha512"):
        ok("rsa_" + md, done(sign_a(response(), md=md)))
    ok("digest_512", done(sign_a(response(), dmd="sha512")))
    ok("default_prefix", done(sign_a(response(), prefix="")))
    ok("value_wrapped", done(sign_a(response(), sigval_wrap=True)))
    ok("no_keyinfo", done(sign_a(response(), keyinfo="")))
    ok("foreign_keyinfo", done(sign_a(
        response(), keyinfo="<ds:KeyInfo><ds:KeyName>x</ds:KeyName>"
        "</ds:KeyInfo>")))
    inc = f'<ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="%s"/>'
    tr = (f'<ds:Transform Algorithm="{DS}enveloped-signature"/>'
          f'<ds:Transform Algorithm="{EXC}">{inc}</ds:Transform>')
    ok("prefix_list", done(sign_a(response(), prefixes=["xs"],
                                  transforms=tr % "xs")))
    x = response(body=assertion(ns=f' xmlns:saml="{A}" xmlns:xs="http://www.'
                                'w3.org/2001/XMLSchema"'))
    ok("prefix_list_used", done(sign_a(x, prefixes=["xs"],
                                       transforms=tr % "xs")))
    ok("no_response_issuer", good(issuer_xml=""))
    ok("no_destination", good(destination=None))
    ok("two_confirmations", good(confirms=confirm(
        method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches") + confirm()))
    ok("second_confirmation", good(confirms=confirm(
        recipient="https://other.example/acs") + confirm()))
    ok("two_audiences", good(inner=audience("https://x.example", SP)))
    ok("two_restrictions", good(inner=audience(SP) + audience(SP, "urn:x")))
    ok("one_time_use", good(inner=audience(SP) + "<saml:OneTimeUse/>"))
    ok("proxy", good(inner=audience(SP) +
                     '<saml:ProxyRestriction Count="0"/>'))
    ok("declaration", good(head='<?xml version="1.0" encoding="UTF-8"?>'))
    ok("unicode", good(subject="użytkownik"), subject="użytkownik")
    ok("entities", good(subject="a&amp;b&#x41;"), subject="a&bA")
    ok("no_attributes", good(attributes=""))
    ok("xml_value", good(attributes='<saml:AttributeStatement><saml:Attribute '
                         'Name="x"><saml:AttributeValue><saml:NameID>y'
                         '</saml:NameID></saml:AttributeValue>'
                         '</saml:Attribute></saml:AttributeStatement>'))
    ok("white_space", done(sign_a(response(body="\n  " + assertion(
        sig="\n{ASIG}\n") + "\n"))))
    ok("skew_before", good(cond_from=80))
    ok("skew_after", good(cond_until=-80, confirms=confirm(until=-80)))
    ok("no_not_before", good(cond_from=None))
    ok("session_over_later", good(over=3600))
    ok("fraction", good(cond_until="2026-11-28T12:05:00.1234567Z"))
    ok("unsolicited", good(irt=None, confirms=confirm(irt=None)), request="",
       unsolicited=True)
    ok("sha1_for_now", done(sign_a(response(), md="sha1")),
       sha1_until=ms(NOW) + 1000)
    for alg in ("aes128-gcm", "aes256-gcm"):
        ok("encrypted_" + alg, response(
            body=encrypt(signed_assertion(), alg), sig=""))
    ok("encrypted_beside", response(
        body=encrypt(signed_assertion(), place="beside"), sig=""))
    ok("encrypted_oaep_sha256", response(
        body=encrypt(signed_assertion(), oaep_md="sha256"), sig=""))
    ok("encrypted_oaep11", response(
        body=encrypt(signed_assertion(), oaep="new", oaep_md="sha256"),
        sig=""))
    ok("encrypted_in_signed", sign_r(response(
        body=encrypt(done(assertion())))))
    ok("encrypted_signed_in_signed", sign_r(response(
        body=encrypt(signed_assertion()))))
    ok("cbc_in_signed", sign_r(response(
        body=encrypt(done(assertion()), "aes256-cbc"))), cbc=True)


def at_limits():
    """Everything at n; n + 1 is among the bad ones."""
    x = good()

    def status(inner):
        return x.replace("</samlp:Status>", inner + "</samlp:Status>")

    def attributes(inner):
        return good(attributes="<saml:AttributeStatement>" + inner +
                    "</saml:AttributeStatement>")

    ok("depth_32", status("<samlp:X>" * 30 + "</samlp:X>" * 30))
    no("tree", "depth_33", status("<samlp:X>" * 31 + "</samlp:X>" * 31))
    root = etree.fromstring(x)
    nodes = sum(1 + (n.text is not None) + (n.tail is not None)
                for n in root.iter())
    for n, f in ((20000, lambda s: ok("nodes_20000", s)),
                 (20001, lambda s: no("tree", "nodes_20001", s))):
        f(status("<samlp:X/>" * (n - nodes)))
    ok("attributes_24", x.replace("<samlp:Status>", "<samlp:Status " +
       " ".join(f"a{i}='1'" for i in range(24)) + ">"))
    ok("namespaces_24", x.replace("<samlp:Status>", "<samlp:Status " +
       " ".join(f"xmlns:n{i}='u:{i}'" for i in range(24)) + ">"))
    def scope(deep, leaves, more):
        """A chain of elements that declare 20 each, leaves below it."""
        return status("".join("<samlp:X " + " ".join(
            f"xmlns:{c}{i}='u:{c}{i}'" for i in range(n)) + ">"
            for c, n in zip("abcd"[:deep], [20] * (deep - 1) + [more])) +
            "<samlp:X/>" * leaves + "</samlp:X>" * deep)

    # the root declares one
    ok("scope_64", scope(4, 1, 3))
    # side by side they do not add up
    three = scope(3, 1, 20)
    three = three[three.index("<samlp:X "):three.index("</samlp:Status>")]
    ok("scope_again", status(three * 3))
    no("tree", "scope_65", scope(4, 1, 4))
    no("signature", "slow_canon", scope(4, 19000, 3).replace(
        f'CanonicalizationMethod Algorithm="{EXC}">',
        f'CanonicalizationMethod Algorithm="{EXC}"><ec:InclusiveNamespaces '
        f'xmlns:ec="{EXC}" PrefixList="' + " ".join(
            f"q{i}" for i in range(16)) + '"/>', 1))
    ids = x.count(' ID="')
    ok("ids_256", status("".join(f'<samlp:X ID="i{i}"/>'
                                 for i in range(256 - ids))))
    no("tree", "ids_257", status("".join(f'<samlp:X ID="i{i}"/>'
                                         for i in range(257 - ids))))
    for n, f in ((262144, lambda s: ok("bytes_262144", s)),
                 (262145, lambda s: no("encoding", "bytes_262145", s))):
        f(status(" " * (n - len(x))))
    ok("subject_256", good(subject="a" * 256), subject="a" * 256)
    ok("names_64", attributes("".join(
        f'<saml:Attribute Name="a{i}"/>' for i in range(64))))
    ok("values_256", attributes('<saml:Attribute Name="x">' + "<saml:"
       "AttributeValue>v</saml:AttributeValue>" * 256 + "</saml:Attribute>"))
    ok("value_1024", attributes(
        '<saml:Attribute Name="x"><saml:AttributeValue>' + "v" * 1024 +
        "</saml:AttributeValue></saml:Attribute>"))
    one = '<saml:Attribute Name="x"><saml:AttributeValue>%s' \
        "</saml:AttributeValue></saml:Attribute>"
    ok("same_name_twice", attributes(one % "1" + one % "2"),
       values=["1", "2"])
    ok("same_name_256", attributes(one % "v" * 256), values=["v"] * 256)
    no("attribute", "same_name_257", attributes(one % "v" * 257))
    ok("life_24h", good(cond_until=86400))
    no("expired", "life_24h_1s", good(cond_until=86401))
    ok("issued_600s", good(issued=0), now=240)
    ok("skew_90s", good(cond_from=90, authn=90))
    # what a verdict holds, 60 KiB
    no("too_much", "verdict", attributes("".join(
        f'<saml:Attribute Name="a{i}">' + ("<saml:AttributeValue>" + "v" *
        1000 + "</saml:AttributeValue>") * 16 + "</saml:Attribute>"
        for i in range(4))))
    # 8 KiB and 256 KiB that are signed, for their time
    for name, size in (("8k", 8192), ("256k", 262144)):
        def big(n):
            return both(attributes='<saml:AttributeStatement><saml:Attribute '
                        'Name="x"><saml:AttributeValue>' +
                        f'<x:y xmlns:x="u:x">{"v" * 50}</x:y>' * (n // 85) +
                        "v" * 0 + "</saml:AttributeValue></saml:Attribute>"
                        "</saml:AttributeStatement>")
        ok("size_" + name, big(size - len(big(0)) - 100))


def both(**kw):
    """Assertion signed, then the response around it."""
    x = sign_a(response(**kw))
    bare = x.replace("{RSIG}", "")
    return x.replace("{RSIG}", signature(digest_of(bare, "_r1"), "_r1"))


def evil_assertion(aid="_evil", **kw):
    return done(assertion(subject="admin", aid=aid, **kw))


def wrapping():
    """XSW 1 to 9 and relatives: the signed assertion is there, another one
    is to be believed."""
    x = good()
    a = re.search(r"<saml:Assertion.*</saml:Assertion>", x, re.S).group(0)
    sig = re.search(r"<ds:Signature .*</ds:Signature>", x, re.S).group(0)
    unsigned = a.replace(sig, "")
    r = sign_r(response())
    rsig = re.search(r"<ds:Signature .*</ds:Signature>", r, re.S).group(0)
    r0 = r.replace(rsig, "")
    evil = evil_assertion()
    same = evil_assertion(aid="_a1")

    def s(name, xml, reason="shape"):
        no(reason, "xsw_" + name, xml)

    # the original response inside the signature of an evil one
    er = r0.replace(">ada<", ">admin<").replace('ID="_r1"', 'ID="_e"')
    er = er.replace('ID="_a1"', 'ID="_ea"')
    s("1", er.replace("<samlp:Status>", rsig.replace(
        "</ds:Signature>", r0 + "</ds:Signature>") + "<samlp:Status>", 1))
    s("2", er.replace("<samlp:Status>", r0 + rsig + "<samlp:Status>", 1))
    s("3", x.replace(a, evil + a))
    s("4", x.replace(a, evil.replace("</saml:Assertion>",
                                     a + "</saml:Assertion>")))
    s("5", x.replace(a, evil.replace("</saml:Issuer>", "</saml:Issuer>" +
                                     sig) + unsigned))
    s("6", x.replace(a, evil.replace(
        "</saml:Issuer>", "</saml:Issuer>" + sig.replace(
            "</ds:Signature>", unsigned + "</ds:Signature>"))))
    s("7", x.replace(a, f"<samlp:Extensions>{a}</samlp:Extensions>" + evil))
    s("8", x.replace(a, evil.replace(
        "</saml:Issuer>", "</saml:Issuer>" + sig.replace(
            "</ds:Signature>", f"<ds:Object>{unsigned}</ds:Object>"
            "</ds:Signature>"))))
    s("9", x.replace(a, f'<saml:Advice xmlns:saml="{A}">{a}</saml:Advice>' +
                     evil))
    s("after", x.replace(a, a + evil))
    s("in_status", x.replace("</samlp:Status>", f"<samlp:StatusDetail>{a}"
                             "</samlp:StatusDetail></samlp:Status>").replace(
        a + "</samlp:Response>", evil + "</samlp:Response>"))
    s("in_subject", x.replace(a, evil.replace(
        "</saml:Subject>", a + "</saml:Subject>")))
    s("in_attribute", x.replace(a, evil.replace(
        "<saml:AttributeValue>ops</saml:AttributeValue>",
        f"<saml:AttributeValue>{a}</saml:AttributeValue>")))
    s("same_id", x.replace(a, same + a), "tree")
    s("same_id_after", x.replace(a, a + same), "tree")
    s("response_in_response", x.replace(a, good() + evil), "tree")
    s("encrypted_and_plain", x.replace(a, a + encrypt(evil)))
    s("two_encrypted", response(body=encrypt(signed_assertion()) +
                                encrypt(evil), sig=""))
    s("other_namespace", x.replace(a, a.replace("saml:", "e:").replace(
        "xmlns:saml", "xmlns:e").replace(A, "urn:evil") + evil))
    s("signature_moved_to_root", x.replace(sig, "").replace(
        "<samlp:Status>", sig + "<samlp:Status>", 1), "reference")
    s("signature_in_subject", x.replace(sig, "").replace(
        "<saml:Subject>", "<saml:Subject>" + sig))
    s("signature_after_subject", x.replace(sig, "").replace(
        "</saml:Subject>", "</saml:Subject>" + sig))
    s("signature_before_issuer", x.replace(sig, "").replace(
        "<saml:Issuer>", sig + "<saml:Issuer>", 1))
    s("signature_at_end", x.replace(sig, "").replace(
        "</saml:Assertion>", sig + "</saml:Assertion>"))
    s("three_signatures", both().replace(
        "</saml:Assertion>", sig + "</saml:Assertion>"))
    s("two_of_one", x.replace(sig, sig + sig))
    # one is good, the other is not
    for which, at in (("assertion", 0), ("response", 1)):
        b = both()
        vals = re.findall(r"<ds:SignatureValue>([^<]*)<", b)
        bad = vals[at if len(vals) > at else 0]
        flipped = ("B" if bad[0] != "B" else "C") + bad[1:]
        no("signature", f"both_{which}_broken", b.replace(bad, flipped))


def tampering():
    x = good()

    def d(name, a, b, reason="digest", n=1):
        assert a in x, (name, a)
        no(reason, "changed_" + name, x.replace(a, b, n))

    d("subject", ">ada<", ">admin<")
    d("attribute", ">sre<", ">root<")
    d("mail", "ada@example.com", "boss@example.com")
    d("session", 'SessionIndex="_s1"', 'SessionIndex="_s2"')
    d("format", "nameid-format:persistent", "nameid-format:transient")
    d("white_space", "</saml:Subject>", "</saml:Subject> ")
    d("attribute_order", 'Name="mail"', 'NameFormat="x" Name="mail"')
    d("digest_value", "<ds:DigestValue>", "<ds:DigestValue>AAAA", "signature")
    d("transform", EXC + '"/></ds:Transforms>',
      EXC + '"><ec:InclusiveNamespaces xmlns:ec="' + EXC +
      '" PrefixList="x"/></ds:Transform></ds:Transforms>', "signature")
    d("algorithm", "rsa-sha256", "rsa-sha512", "signature")
    d("prefix", "xmlns:saml=", 'xmlns:x="urn:x" xmlns:saml=', "ok")
    CASES.pop()
    no("signature", "other_key", done(sign_a(response(), key="evil")))
    no("signature", "other_key_in_keyinfo", done(sign_a(
        response(), key="evil", keyinfo="<ds:KeyInfo><ds:X509Data><ds:"
        f"X509Certificate>{b64(cert(EVIL))}</ds:X509Certificate></ds:"
        "X509Data></ds:KeyInfo>")))
    no("signature", "key_value", done(sign_a(
        response(), key="evil", keyinfo="<ds:KeyInfo><ds:KeyValue><ds:"
        "RSAKeyValue><ds:Modulus>" + b64(
            EVIL.public_key().public_numbers().n.to_bytes(256, "big")) +
        "</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue>"
        "</ds:KeyValue></ds:KeyInfo>")))
    no("signature", "zero", done(sign_a(response(), value=bytes(256))))
    no("signature", "short", done(sign_a(response(), value=bytes(255))))
    no("signature", "long", done(sign_a(response(), value=bytes(257))))
    no("signature", "one", done(sign_a(response(),
                                       value=bytes(255) + b"\1")))
    no("signature", "ec_zero", done(sign_a(
        response(), key="ec", value=bytes(64))), keys=["ec"])
    no("signature", "ec_long", done(sign_a(
        response(), key="ec", value=bytes(66))), keys=["ec"])
    no("signature", "ec_der", done(sign_a(
        response(), key="ec", value=EC.sign(b"x", ec.ECDSA(HASH["sha256"])))),
       keys=["ec"])
    no("sig_shape", "empty", re.sub(
        r"<ds:SignatureValue>[^<]*", "<ds:SignatureValue>", x))
    no("sig_shape", "not_base64", re.sub(
        r"<ds:SignatureValue>[^<]*", "<ds:SignatureValue>!!!!", x))
    no("unsigned", "nothing", done(response()))
    no("key", "rsa1024", done(sign_a(response(), key="rsa1024")),
       keys=["rsa1024"])
    no("key", "no_keys", x, keys=[])
    no("key", "only_ec", x, keys=["ec"])
    no("key", "rsa_key_ec_alg", done(sign_a(
        response(), method=MORE + "ecdsa-sha256")))
    no("key", "ec_key_rsa_alg", x.replace("x", "x"), keys=["ec521"])


def signature_forms():
    def s(reason, name, xml, **kw):
        no(reason, "sig_" + name, xml, **kw)

    x = good()
    one = '<ds:Transform Algorithm="%s"/>'
    env = one % (DS + "enveloped-signature")
    exc = one % EXC

    def tr(name, text, reason="transform", **kw):
        s(reason, "transform_" + name,
          done(sign_a(response(), transforms=text, **kw)))

    tr("none", "")
    tr("enveloped_only", env)
    tr("exc_only", exc)
    tr("swapped", exc + env)
    tr("three", env + exc + exc)
    tr("twice_enveloped", env + env)
    tr("c14n11", env + one % "http://www.w3.org/2006/12/xml-c14n11")
    tr("inclusive", env +
       one % "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")
    tr("with_comments", env + one % (EXC + "WithComments"))
    tr("xslt", env + '<ds:Transform Algorithm="http://www.w3.org/TR/1999/'
       'REC-xslt-19991116"><x:s xmlns:x="http://www.w3.org/1999/XSL/'
       'Transform"/></ds:Transform>')
    tr("xpath", '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-'
       '19991116"><ds:XPath>not(ancestor-or-self::x)</ds:XPath>'
       '</ds:Transform>' + exc)
    tr("base64", env + one % (DS + "base64"))
    tr("parameters", f'<ds:Transform Algorithm="{DS}enveloped-signature">'
       "<ds:XPath>x</ds:XPath></ds:Transform>" + exc)
    tr("two_lists", env + f'<ds:Transform Algorithm="{EXC}"><ec:'
       f'InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="a"/><ec:Inclusive'
       f'Namespaces xmlns:ec="{EXC}" PrefixList="b"/></ds:Transform>')
    tr("list_without_prefixes", env + f'<ds:Transform Algorithm="{EXC}"><ec:'
       f'InclusiveNamespaces xmlns:ec="{EXC}"/></ds:Transform>')
    tr("list_of_something", env + f'<ds:Transform Algorithm="{EXC}"><ec:'
       f'InclusiveNamespaces xmlns:ec="{EXC}" List="a"/></ds:Transform>')
    tr("many_prefixes", env + f'<ds:Transform Algorithm="{EXC}"><ec:'
       f'InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="' +
       " ".join(f"p{i}" for i in range(20)) + '"/></ds:Transform>')
    for name, uri in (("empty", ""), ("other", "#_other"), ("xpointer",
                      "#xpointer(id('_a1'))"), ("http",
                      "http://evil.example/x"), ("file", "file:///etc/passwd"),
                      ("response", "#_r1"), ("bare", "_a1"), ("space",
                      "#_a1 "), ("case", "#_A1")):
        s("reference", "uri_" + name, done(sign_a(response(), uri=uri)))
    s("reference", "type_attr", done(sign_a(
        response(), ref_attrs=' Type="http://www.w3.org/2000/09/xmldsig#'
        'Object"')))
    ref = re.search(r"<ds:Reference.*</ds:Reference>", x, re.S).group(0)
    s("reference", "two_references", done(sign_a(
        response(), after_reference=ref)))
    s("reference", "no_id", done(sign_a(response()).replace(
        ' ID="_a1"', "")))
    for name, m in (("hmac", DS + "hmac-sha1"), ("hmac256", MORE +
                    "hmac-sha256"), ("md5", MORE + "rsa-md5"), ("dsa",
                    DS + "dsa-sha1"), ("ripemd", MORE + "rsa-ripemd160"),
                    ("pss", "http://www.w3.org/2007/05/xmldsig-more#"
                     "sha256-rsa-MGF1"), ("none", ""), ("case",
                    (MORE + "rsa-sha256").upper()), ("sha224",
                    MORE + "rsa-sha224")):
        s("algorithm", "method_" + name, done(sign_a(response(), method=m)))
    s("algorithm", "sha1", done(sign_a(response(), md="sha1")))
    s("algorithm", "sha1_only_signature", done(sign_a(
        response(), md="sha1", dmd="sha256")))
    s("algorithm", "sha1_over", done(sign_a(response(), md="sha1")),
      sha1_until=ms(NOW) - 1)
    s("algorithm", "digest_sha1", done(sign_a(response(), dmd="sha1")))
    for name, m in (("md5", MORE + "md5"), ("none", ""), ("sha224",
                    MORE + "sha224"), ("http", "http://x.example/d")):
        s("algorithm", "digest_" + name, done(sign_a(
            response(), digest_alg=m)))
    s("algorithm", "hmac_length", done(sign_a(
        response(), method_inner="<ds:HMACOutputLength>1"
        "</ds:HMACOutputLength>")))
    s("algorithm", "digest_parameters", done(sign_a(
        response(), digest_inner="<ds:X/>")))
    for name, c in (("inclusive", "http://www.w3.org/TR/2001/REC-xml-c14n-"
                    "20010315"), ("comments", EXC + "WithComments"),
                    ("none", "")):
        s("transform", "canon_" + name, done(sign_a(
            response(), info_canon=c)))
    s("sig_shape", "order", done(sign_a(response(), info_first=False)))
    s("shape", "object", done(sign_a(
        response(), object_xml="<ds:Object>x</ds:Object>")))
    s("sig_shape", "two_keyinfo", done(sign_a(
        response(), keyinfo="<ds:KeyInfo/><ds:KeyInfo/>")))
    s("sig_shape", "extra", done(sign_a(
        response(), object_xml="<ds:Foo/>", keyinfo="")))
    s("shape", "manifest", done(sign_a(
        response(), keyinfo="<ds:KeyInfo><ds:Manifest/></ds:KeyInfo>")))
    s("sig_shape", "no_value", re.sub(
        r"<ds:SignatureValue>.*</ds:SignatureValue>", "", x, flags=re.S))
    s("sig_shape", "two_infos", x.replace(
        "</ds:SignedInfo>", "</ds:SignedInfo><ds:SignedInfo/>"))
    s("sig_shape", "no_reference", re.sub(
        r"<ds:Reference.*</ds:Reference>", "", x, flags=re.S))
    s("sig_shape", "no_digest", re.sub(
        r"<ds:DigestValue>[^<]*</ds:DigestValue>", "", x))
    s("sig_shape", "two_digest_values", done(sign_a(response())).replace(
        "</ds:DigestValue>", "</ds:DigestValue><ds:DigestValue>AAAA"
        "</ds:DigestValue>"))
    # CVE-2024-45409, CVE-2025-47949: a digest where nobody signed it
    v = re.search(r"<ds:DigestValue>([^<]*)<", x).group(1)
    s("shape", "digest_in_status", x.replace(
        "</samlp:Status>", "<samlp:StatusDetail><ds:Signature xmlns:ds=\"" +
        DS + f"\"><ds:DigestValue>{v}</ds:DigestValue></ds:Signature>"
        "</samlp:StatusDetail></samlp:Status>").replace(">ada<", ">admin<"))
    # CVE-2025-29775: the digest split by a comment
    s("lexical", "digest_comment", x.replace(
        "<ds:DigestValue>", "<ds:DigestValue><!-- " + v + " -->"))
    # CVE-2025-29774: two SignedInfo, one signed, one believed
    info = re.search(r"<ds:SignedInfo>.*</ds:SignedInfo>", x, re.S).group(0)
    s("sig_shape", "signed_info_twice", x.replace(
        info, info.replace(v, "A" * len(v)) + info))
    s("sig_shape", "digest_nested", x.replace(
        "<ds:DigestValue>" + v, "<ds:DigestValue><ds:X>" + v + "</ds:X>"))
    s("reference", "uri_twice_id", x.replace(
        "<samlp:Status>", '<samlp:Status ID="x">').replace(
        'URI="#_a1"', 'URI="#x"'))


def markup():
    def lx(name, xml, **kw):
        no("lexical", name, xml, **kw)

    x = good()
    dtd = '<!DOCTYPE samlp:Response [%s]>'
    lx("doctype", dtd % "" + x)
    lx("entity", dtd % '<!ENTITY e "ada">' + x.replace(">ada<", ">&e;<"))
    lx("external", dtd % '<!ENTITY e SYSTEM "file:///etc/passwd">' + x)
    lx("parameter", dtd % '<!ENTITY % e SYSTEM "http://x.example/">%e;' + x)
    lx("billion", dtd % '<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">' + x)
    # CVE-2025-23369: an attribute of type ID by a DTD, with an entity in it
    lx("dtd_id", dtd % '<!ATTLIST saml:Assertion ID ID #IMPLIED>'
       '<!ENTITY i "_a1">' + x)
    lx("comment_in_name", x.replace(">ada<", ">admin<!-- -->ada<"))
    lx("comment_anywhere", x.replace("<samlp:Status>",
                                     "<!-- x --><samlp:Status>"))
    lx("comment_before", "<!-- -->" + x)
    lx("comment_after", x + "<!-- -->")
    lx("signed_comment", done(sign_a(response(
        subject="admin<!-- -->.evil"))))
    lx("cdata", x.replace(">ada<", "><![CDATA[ada]]><"))
    lx("signed_cdata", done(sign_a(response(subject="<![CDATA[ada]]>"))))
    lx("pi", x.replace("<samlp:Status>", "<?x y?><samlp:Status>"))
    lx("signed_pi", done(sign_a(response(subject="admin<?x?>.evil"))))
    lx("pi_before", '<?xml-stylesheet href="x"?>' + x)
    lx("declaration_11", '<?xml version="1.1"?>' + x)
    lx("declaration_latin", '<?xml version="1.0" encoding="ISO-8859-1"?>' + x)
    lx("declaration_utf16", '<?xml version="1.0" encoding="UTF-16"?>' + x)
    lx("declaration_late", " " + '<?xml version="1.0"?>' + x)
    lx("declaration_twice", '<?xml version="1.0"?><?xml version="1.0"?>' + x)
    lx("unknown_entity", x.replace(">ada<", ">&nbsp;<"))
    lx("bare_ampersand", x.replace(">ada<", ">a&b<"))
    lx("control", x.replace(">ada<", ">a\x01<"))
    lx("delete", x.replace(">ada<", ">a\x7f<"))
    lx("nul", x.replace(">ada<", ">a\0<"))
    no("encoding", "utf8", x.encode().replace(b">ada<", b">\xff<"))
    no("encoding", "overlong", x.encode().replace(b">ada<", b">\xc0\xaf<"))
    no("encoding", "surrogate", x.encode().replace(b">ada<",
                                                   b">\xed\xa0\x80<"))
    no("encoding", "utf16", x.encode("utf-16"))
    no("encoding", "empty", b"")
    no("encoding", "too_long", x + " " * 262144)
    no("parse", "bom", b"\xef\xbb\xbf" + b"\xef\xbb\xbf" + x.encode())
    no("parse", "garbage", "hello")
    no("parse", "truncated", x[:-5])
    no("parse", "trailing", x + "x")
    no("parse", "two_roots", x + x)
    no("parse", "char_ref_nul", x.replace(">ada<", ">&#0;<"))
    no("parse", "attribute_twice", x.replace(
        'ID="_a1"', 'ID="_a1" ID="_a2"'))
    no("tree", "unbound_prefix", x.replace(
        "<saml:Subject>", "<y:X/><saml:Subject>"))


def trees():
    x = good()

    def tr(name, xml, **kw):
        no("tree", name, xml, **kw)

    tr("relative_namespace", done(sign_a(response())).replace(
        "<saml:Subject>", '<saml:Subject xmlns:q="1">'))
    tr("relative_on_root", x.replace("<samlp:Response ",
                                     '<samlp:Response xmlns:ns="1" '))
    tr("empty_namespace", x.replace("<samlp:Status>",
                                    '<samlp:Status><x xmlns=""/>'))
    tr("no_namespace", x.replace("<samlp:Status>", "<samlp:Status><x/>"))
    tr("xml_id", x.replace("<samlp:Status>", '<samlp:Status xml:id="_a1">'))
    tr("xml_base", x.replace("<samlp:Status>",
                             '<samlp:Status xml:base="http://x/">'))
    tr("xml_space", x.replace("<samlp:Status>",
                              '<samlp:Status xml:space="preserve">'))
    tr("id_in_namespace", x.replace("<samlp:Status>",
                                    '<samlp:Status samlp:ID="z">'))
    tr("id_twice", x.replace("<samlp:Status>", '<samlp:Status ID="_a1">'))
    tr("id_case", x.replace("<samlp:Status>", '<samlp:Status Id="_a1">'))
    tr("id_lower", x.replace("<samlp:Status>", '<samlp:Status id="_a1">'))
    tr("assertion_id", x.replace("<samlp:Status>",
                                 '<samlp:Status AssertionID="_a1">'))
    tr("id_empty", x.replace("<samlp:Status>", '<samlp:Status ID="">'))
    tr("same_as_response", x.replace('ID="_a1"', 'ID="_r1"'))
    tr("mixed", x.replace("<samlp:Status>", "<samlp:Status>x"))
    tr("mixed_name", done(sign_a(response(
        subject="admin<saml:X/>"))))
    tr("stray_text", x.replace("</samlp:Status>", "</samlp:Status>x"))
    deep = "<samlp:X>" * 40 + "</samlp:X>" * 40
    tr("deep", x.replace("</samlp:Status>", deep + "</samlp:Status>"))
    tr("many_nodes", x.replace("</samlp:Status>", "<samlp:X/>" * 20001 +
                               "</samlp:Status>"))
    tr("many_attributes", x.replace("<samlp:Status>", "<samlp:Status " +
       " ".join(f'a{i}="1"' for i in range(25)) + ">"))
    tr("attributes_at_48", x.replace("<samlp:Status>", "<samlp:Status " +
       " ".join(f'a{i}="=>\'"' for i in range(48)) + ">"))
    for n, kind in ((49, "values"), (20000, "bomb")):
        no("lexical", "attribute_" + kind, x.replace(
            "<samlp:Status>", "<samlp:Status " +
            " ".join(f"a{i}=''" for i in range(n)) + ">"))
    no("lexical", "namespace_bomb", x.replace(
        "<samlp:Status>", "<samlp:Status " +
        " ".join(f"xmlns:a{i}='u:'" for i in range(12000)) + ">"))
    tr("many_ids", x.replace("</samlp:Status>", "".join(
        f'<samlp:X ID="i{i}"/>' for i in range(300)) + "</samlp:Status>"))
    tr("many_namespaces", x.replace("<samlp:Status>", "<samlp:Status " +
       " ".join(f'xmlns:n{i}="urn:{i}"' for i in range(25)) + ">"))


def shapes():
    x = good()

    def s(name, xml, reason="shape", **kw):
        no(reason, name, xml, **kw)

    s("root_assertion", signed_assertion())
    s("root_other", x.replace("samlp:Response", "samlp:LogoutResponse"))
    s("root_namespace", x.replace(f'xmlns:samlp="{P}"',
                                  'xmlns:samlp="urn:x"'))
    s("no_status", x.replace(SUCCESS, ""))
    s("status_last", x.replace(SUCCESS, "").replace(
        "</samlp:Response>", SUCCESS + "</samlp:Response>"))
    s("two_statuses", x.replace(SUCCESS, SUCCESS + SUCCESS))
    s("no_assertion", done(response(body="")))
    s("extensions", x.replace(SUCCESS, "<samlp:Extensions><samlp:X/>"
                              "</samlp:Extensions>" + SUCCESS))
    s("advice", good(extra="<saml:Advice/>"))
    s("two_issuers", x.replace("<samlp:Status>", '<saml:Issuer xmlns:saml='
                               f'"{A}">x</saml:Issuer><samlp:Status>'))
    s("after_assertion", x.replace("</samlp:Response>",
                                   "<samlp:X/></samlp:Response>"))
    s("encrypted_id", good(name='<saml:EncryptedID><saml:X/>'
                           '</saml:EncryptedID>'))
    s("unknown_statement", good(extra="<saml:FooStatement/>"))
    s("authz_statement", good(extra="<saml:AuthzDecisionStatement/>"))
    fail = SUCCESS.replace("Success", "Responder")
    s("status", good(status=fail), "status")
    s("status_nested", good(status=(
        '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:'
        'status:Requester">' + '<samlp:StatusCode Value="urn:oasis:names:tc:'
        'SAML:2.0:status:Success"/></samlp:StatusCode></samlp:Status>')),
      "status")
    s("status_empty", good(status="<samlp:Status/>"), "status")
    s("version", good(version="1.1", body=assertion()), "version")
    s("version_none", x.replace('ID="_r1" Version="2.0"', 'ID="_r1"'),
      "version")
    s("assertion_version", done(sign_a(response(body=assertion(
        version="1.1")))), "version")
    s("no_assertion_id", sign_r(response(body=assertion(aid=None))))


def envelopes():
    def e(reason, name, xml, **kw):
        no(reason, "envelope_" + name, xml, **kw)

    e("destination", "other", good(destination="https://evil.example/acs"))
    e("destination", "prefix", good(destination=ACS + "x"))
    e("destination", "slash", good(destination=ACS + "/"))
    e("destination", "case", good(destination=ACS.upper()))
    e("destination", "empty", good(destination=""))
    e("destination", "signed_without", sign_r(response(destination=None)))
    e("request", "other", good(irt="_other"))
    e("request", "none", good(irt=None))
    e("request", "empty", good(irt=""))
    e("request", "prefix", good(irt=REQ + "0"))
    e("request", "unasked", good(irt=None, confirms=confirm(irt=None)),
      request="")
    e("request", "unasked_with", good(), request="", unsolicited=True)
    e("request", "unasked_inner", good(irt=None), request="",
      unsolicited=True)
    e("issued", "old", good(issued=-601))
    e("issued", "future", good(issued=100))
    e("issued", "none", good(issued=None).replace(
        ' IssueInstant="None"', ""))
    e("issued", "garbage", good(issued="yesterday"))
    e("issued", "offset", good(issued="2026-11-28T13:00:00+01:00"))
    e("issuer", "other", good(issuer="https://evil.example"))
    e("issuer", "space", good(issuer=IDP + " "))
    e("issuer", "slash", good(issuer=IDP + "/"))
    e("issuer", "empty", good(issuer=""))


def semantics():
    def m(reason, case_name, **kw):
        no(reason, case_name, done(sign_a(response(body=assertion(**kw)))))

    m("issuer", "assertion_other", issuer="https://evil.example")
    m("issuer", "assertion_space", issuer=" " + IDP)
    m("issuer", "assertion_empty", issuer="")
    no("issuer", "assertion_none", sign_r(response(body=assertion(
        issuer_xml="", sig=""))))
    m("issued", "assertion_future", issued=100)
    m("issued", "assertion_old", issued=-90000)
    m("issued", "assertion_garbage", issued="x")
    m("subject", "none", subject_xml="")
    m("subject", "two", subject_xml="<saml:Subject><saml:NameID>a"
      "</saml:NameID>" + confirm() + "</saml:Subject><saml:Subject>"
      "<saml:NameID>b</saml:NameID>" + confirm() + "</saml:Subject>")
    m("subject", "no_name", name="")
    m("subject", "two_names", name="<saml:NameID>a</saml:NameID>"
      "<saml:NameID>b</saml:NameID>")
    m("subject", "empty_name", name="<saml:NameID></saml:NameID>")
    m("subject", "space", subject="a b")
    m("subject", "leading", subject=" ada")
    m("subject", "newline", subject="ada\n")
    for name, c in (("nbsp", "\u00a0"), ("line_separator", "\u2028"),
                    ("zero_width", "\u200b"), ("right_to_left", "\u202e"),
                    ("isolate", "\u2066"), ("byte_order_mark", "\ufeff"),
                    ("ideographic_space", "\u3000"), ("c1", "\u0085"),
                    ("soft_hyphen", "\u00ad"), ("tag", "\U000e0041")):
        m("subject", name, subject="ada" + c)
    m("subject", "long", subject="a" * 257)
    m("subject", "element", name="<saml:NameID><saml:X>ada</saml:X>"
      "</saml:NameID>")
    m("subject", "base_id", name='<saml:BaseID NameQualifier="x"/>')
    m("confirm", "none", confirms="")
    m("confirm", "method", confirms=confirm(
        method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"))
    m("confirm", "recipient", confirms=confirm(recipient="https://x/acs"))
    m("confirm", "no_recipient", confirms=confirm(recipient=None))
    m("confirm", "recipient_prefix", confirms=confirm(recipient=ACS + "/"))
    m("confirm", "not_before", confirms=confirm(before=t(-10)))
    m("confirm", "no_until", confirms=confirm(until=None))
    m("confirm", "until_garbage", confirms=confirm(until="soon"))
    m("confirm", "no_data", confirms='<saml:SubjectConfirmation Method="urn:'
      'oasis:names:tc:SAML:2.0:cm:bearer"/>')
    m("expired", "confirm", confirms=confirm(until=-91))
    m("request", "confirm", confirms=confirm(irt="_other"))
    m("request", "confirm_none", confirms=confirm(irt=None))
    m("conditions", "none", conditions="")
    m("conditions", "two", conditions=("<saml:Conditions NotOnOrAfter=\"" +
      t(300) + "\">" + audience(SP) + "</saml:Conditions>") * 2)
    m("conditions", "no_until", cond_until=None)
    m("conditions", "until_garbage", cond_until="later")
    m("conditions", "unknown", inner=audience(SP) + "<saml:Condition/>")
    m("conditions", "foreign", inner=audience(SP) +
      '<x:Y xmlns:x="urn:x"/>')
    m("expired", "over", cond_until=-91)
    m("expired", "long_over", cond_until=-86400)
    m("expired", "not_yet", cond_from=91)
    m("expired", "too_long", cond_until=86500)
    m("audience", "none", inner="")
    m("audience", "other", inner=audience("https://other.example"))
    m("audience", "empty", inner="<saml:AudienceRestriction/>")
    m("audience", "second_without", inner=audience(SP) +
      audience("https://other.example"))
    m("audience", "prefix", inner=audience(SP + "/"))
    m("audience", "space", inner=audience(" " + SP))
    m("authn", "none", authn_statement="")
    m("authn", "future", authn=100)
    m("authn", "garbage", authn="x")
    m("authn", "session_over", over=-91)
    m("attribute", "no_name", attributes="<saml:AttributeStatement>"
      "<saml:Attribute/></saml:AttributeStatement>")
    m("attribute", "child", attributes='<saml:AttributeStatement><saml:'
      'Attribute Name="x"><saml:X/></saml:Attribute>'
      '</saml:AttributeStatement>')
    m("attribute", "encrypted", attributes="<saml:AttributeStatement><saml:"
      "EncryptedAttribute/></saml:AttributeStatement>")
    m("attribute", "encrypted_named", attributes="<saml:AttributeStatement>"
      '<saml:EncryptedAttribute Name="x"/></saml:AttributeStatement>')
    m("attribute", "many", attributes="<saml:AttributeStatement>" +
      "".join(f'<saml:Attribute Name="a{i}"/>' for i in range(65)) +
      "</saml:AttributeStatement>")
    m("attribute", "many_values", attributes='<saml:AttributeStatement><saml:'
      'Attribute Name="x">' + "<saml:AttributeValue>v"
      "</saml:AttributeValue>" * 257 + "</saml:Attribute>"
      "</saml:AttributeStatement>")
    m("attribute", "long_value", attributes='<saml:AttributeStatement><saml:'
      'Attribute Name="x"><saml:AttributeValue>' + "v" * 1025 +
      "</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>")
    m("shape", "session_garbage", over="x")
    # answers to others, replayed here
    no("signature", "another_provider", good(), keys=["rsa2"])
    no("request", "replayed_in_another_login", good(), request="_req2")
    no("expired", "replayed_tomorrow", sign_r(response(issued=86400)),
       now=86400)
    no("destination", "another_service", good(),
       acs="https://sp.example/auth/saml/other/acs")
    no("audience", "another_entity", good(), sp="https://sp.example/other")


def encrypted():
    def d(name, xml, reason="decrypt", **kw):
        no(reason, "encrypted_" + name, xml, **kw)

    def r(body, **kw):
        return response(body=body, sig="", **kw)

    a = signed_assertion()
    d("flipped", r(encrypt(a, flip=True)))
    d("other_key", r(encrypt(a, to=EVIL)))
    d("no_key", r(encrypt(a)), decrypt=False)
    d("pkcs1", r(encrypt(a, oaep="pkcs1")))
    d("pkcs1_as_oaep", r(encrypt(a, oaep="pkcs1",
                                 wrap_uri=XENC + "rsa-oaep-mgf1p")))
    d("cbc", r(encrypt(a, "aes256-cbc")))
    d("cbc_allowed_unsigned", r(encrypt(a, "aes256-cbc")), cbc=True)
    d("cbc_signed_not_allowed", sign_r(response(
        body=encrypt(a, "aes128-cbc"))))
    d("3des", r(encrypt(a, data_uri=XENC + "tripledes-cbc")))
    d("gcm192", r(encrypt(a, data_uri=XENC11 + "aes192-gcm")))
    d("alg_none", r(encrypt(a, data_uri="")))
    d("as_cbc", sign_r(response(body=encrypt(
        a, data_uri=XENC + "aes256-cbc"))), cbc=True)
    d("tag_short", r(encrypt(a, tag_cut=4)))
    d("tag_gone", r(encrypt(a, tag_cut=16)))
    d("key_length", r(encrypt(a, "aes128-gcm", key=os.urandom(32))))
    d("iv_length", r(encrypt(a, iv_n=16)))
    d("oaep_label", r(encrypt(a, extra_method=f"<xenc:OAEPparams>AAAA"
                              "</xenc:OAEPparams>")))
    d("oaep_hash_wrong", r(encrypt(a, oaep_md="sha256").replace(
        DIGEST["sha256"] + '"/></xenc:EncryptionMethod>',
        DIGEST["sha1"] + '"/></xenc:EncryptionMethod>')))
    d("no_encrypted_key", r(re.sub(r"<ds:KeyInfo.*</ds:KeyInfo>", "",
                                   encrypt(a), flags=re.S)))
    d("cipher_reference", r(re.sub(
        r"<xenc:CipherValue>[^<]*</xenc:CipherValue></xenc:CipherData>"
        r"</xenc:EncryptedData>", '<xenc:CipherReference URI="http://x/"/>'
        "</xenc:CipherData></xenc:EncryptedData>", encrypt(a))))
    d("empty", r(encrypt("")))
    d("unsigned", r(encrypt(done(assertion()))), "unsigned")
    d("evil_key", r(encrypt(done(sign_a(assertion(), key="evil")))),
      "signature")
    d("changed", r(encrypt(a.replace(">ada<", ">admin<"))), "digest")
    d("garbage", r(encrypt("hello")), "parse")
    d("comment", r(encrypt(a.replace(">ada<", ">a<!-- -->da<"))), "lexical")
    d("dtd", r(encrypt("<!DOCTYPE x>" + a)), "lexical")
    d("response_inside", r(encrypt(good())), "shape")
    d("two_inside", r(encrypt(a.replace(
        "</saml:Assertion>", evil_assertion() + "</saml:Assertion>"))),
      "shape")
    d("audience", r(encrypt(signed_assertion(inner=audience("urn:x")))),
      "audience")
    d("wrapped_in_signed", sign_r(response(body=encrypt(a))).replace(
        "</saml:EncryptedAssertion>", "</saml:EncryptedAssertion>" +
        evil_assertion()), "shape")
    d("swapped_in_signed", re.sub(
        r"<saml:EncryptedAssertion.*</saml:EncryptedAssertion>",
        encrypt(evil_assertion()),
        sign_r(response(body=encrypt(a))), flags=re.S), "digest")
    d("not_utf8", r(encrypt("", plain_bytes=b"\xff<a/>")), "encoding")


SLO = "https://sp.example/auth/saml/corp/logout"


def logout(lid="_l1", issued=0, destination=SLO, issuer=IDP, name="ada",
           sessions=("_s1",), version="2.0", until=None, sig="{LSIG}",
           root="LogoutRequest"):
    return (f'<samlp:{root} xmlns:samlp="{P}" xmlns:saml="{A}"' +
            attr("ID", lid) + attr("Version", version) +
            attr("IssueInstant", t(issued)) +
            attr("Destination", destination) +
            attr("NotOnOrAfter", None if until is None else t(until)) +
            f"><saml:Issuer>{issuer}</saml:Issuer>{sig}<saml:NameID>{name}"
            "</saml:NameID>" + "".join(
                f"<samlp:SessionIndex>{s}</samlp:SessionIndex>"
                for s in sessions) + f"</samlp:{root}>")


def packed(xml):
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b64(z.compress(xml.encode()) + z.flush())


def query(xml, key="rsa", relay=None, alg=None, message=None,
          sign_with=None, tamper=None):
    quote = urllib.parse.quote_plus
    q = "SAMLRequest=" + quote(packed(xml) if message is None else message)
    if relay is not None:
        q += "&RelayState=" + quote(relay)
    q += "&SigAlg=" + quote(alg or method_of(KEYS[key], "sha256"))
    s = raw_sign(KEYS[sign_with or key], "sha256", q.encode())
    if tamper:
        q = tamper(q)
    return q + "&Signature=" + quote(b64(s))


def logouts():
    bare = logout(sig="")

    def q(expect, name, text, **kw):
        case("query." + name, "ok" if expect == "ok" else "saml." + expect,
             text, kind="query", **kw)

    def d(expect, name, text, **kw):
        case("document." + name, "ok" if expect == "ok" else
             "saml." + expect, text, kind="document", **kw)

    q("ok", "good", query(bare))
    q("ok", "relay", query(bare, relay="a b&c"))
    q("ok", "ec", query(bare, key="ec"), keys=["ec"])
    q("ok", "no_sessions", query(logout(sig="", sessions=())))
    q("signature", "other_key", query(bare, sign_with="evil"))
    q("signature", "changed", query(bare, relay="x", tamper=lambda s:
                                    s.replace("RelayState=x",
                                              "RelayState=y")))
    q("signature", "relay_added", query(bare, tamper=lambda s: s.replace(
        "&SigAlg", "&RelayState=y&SigAlg")))
    q("signature", "lower_case_escapes", query(bare, tamper=lambda s:
                                               s.replace("%2F", "%2f")))
    q("algorithm", "sha1", query(bare, alg=DS + "rsa-sha1"))
    q("algorithm", "alg_none", query(bare, alg="none"))
    q("encoding", "unsigned", "SAMLRequest=" + packed(bare))
    q("encoding", "twice", query(bare) + "&SAMLRequest=x")
    q("encoding", "extra", query(bare) + "&x=y")
    q("encoding", "empty", "")
    q("encoding", "not_deflated", query(bare, message=b64(bare.encode())))
    q("encoding", "bomb", query("", message=packed(" " * 300000)))
    q("encoding", "trailing", query("", message=b64(base64.b64decode(
        packed(bare)) + b"x")))
    q("destination", "other", query(logout(sig="", destination=ACS)))
    q("destination", "none", query(logout(sig="", destination=None)))
    q("subject", "no_name", query(logout(sig="", name="")))
    q("subject", "long_name", query(logout(sig="", name="a" * 257)))
    q("ok", "name_256", query(logout(sig="", name="a" * 256)),
      subject="a" * 256)
    q("shape", "long_id", query(logout(sig="", lid="_" * 257)))
    q("ok", "sessions_8", query(logout(sig="", sessions=["s"] * 8)))
    q("issuer", "issuer_other", query(logout(sig="", issuer="urn:x")))
    q("issued", "old", query(logout(sig="", issued=-700)))
    q("issued", "future", query(logout(sig="", issued=700)))
    q("expired", "over", query(logout(sig="", until=-100)))
    q("version", "version", query(logout(sig="", version="1.1")))
    q("shape", "no_id", query(logout(sig="", lid=None)))
    q("shape", "response", query(logout(sig="", root="LogoutResponse")))
    q("shape", "many_sessions", query(logout(sig="", sessions=["s"] * 9)))
    q("lexical", "dtd", query("<!DOCTYPE x>" + bare))
    signed = logout()
    dg = digest_of(bare, "_l1")
    good_doc = signed.replace("{LSIG}", signature(dg, "_l1"))
    d("ok", "good", good_doc)
    d("unsigned", "unsigned", bare)
    d("digest", "changed", good_doc.replace(">ada<", ">bob<"))
    d("signature", "other_key", signed.replace(
        "{LSIG}", signature(dg, "_l1", key="evil")))
    d("reference", "other_id", signed.replace(
        "{LSIG}", signature(dg, "_x")))
    d("destination", "other", good_doc, acs="x", slo="https://x/")


def metadata():
    def key(use, c=None):
        return (f'<md:KeyDescriptor{attr("use", use)}><ds:KeyInfo xmlns:ds='
                f'"{DS}"><ds:X509Data><ds:X509Certificate>'
                f'{b64(c or CERT)}</ds:X509Certificate></ds:X509Data>'
                f'</ds:KeyInfo></md:KeyDescriptor>')

    def sso(binding="HTTP-Redirect", to="https://idp.example/sso",
            what="SingleSignOnService"):
        return (f'<md:{what} Binding="urn:oasis:names:tc:SAML:2.0:bindings:'
                f'{binding}" Location="{to}"/>')

    def entity(inner, eid=IDP, role="IDPSSODescriptor"):
        return (f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:'
                f'metadata" entityID="{eid}"><md:{role} protocolSupport'
                f'Enumeration="{P}">{inner}</md:{role}>'
                "</md:EntityDescriptor>")

    def m(ok_, name, xml):
        case("metadata." + name, "ok" if ok_ else "saml.metadata", xml,
             kind="meta", subject=IDP)

    good_one = entity(key("signing") + sso("HTTP-POST") + sso())
    m(True, "good", good_one)
    m(True, "declared", '<?xml version="1.0"?>\n' + good_one + "\n")
    m(True, "no_use", entity(key(None) + sso()))
    m(True, "logout", entity(key("signing") + sso(
        what="SingleLogoutService", to="https://idp.example/slo") + sso()))
    m(True, "two_keys", entity(key("signing") + key("signing") +
                               key("encryption") + sso()))
    m(True, "entities", '<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:'
      'SAML:2.0:metadata">' + good_one + "</md:EntitiesDescriptor>")
    m(False, "two_entities", '<md:EntitiesDescriptor xmlns:md="urn:oasis:'
      'names:tc:SAML:2.0:metadata">' + good_one * 2 +
      "</md:EntitiesDescriptor>")
    m(False, "no_key", entity(key("encryption") + sso()))
    m(False, "five_keys", entity(key("signing") * 5 + sso()))
    m(False, "small_key", entity(key("signing", cert(RSA1024)) + sso()))
    m(False, "odd_curve", entity(key("signing", cert(
        ec.generate_private_key(ec.SECP256K1()))) + sso()))
    m(True, "curve_521", entity(key("signing", cert(EC521)) + sso()))
    m(True, "valid_until", good_one.replace(
        " entityID", attr("validUntil", t(1)) + " entityID"))
    m(False, "valid_no_longer", good_one.replace(
        " entityID", attr("validUntil", t(0)) + " entityID"))
    m(False, "role_no_longer", good_one.replace(
        "<md:IDPSSODescriptor", "<md:IDPSSODescriptor" +
        attr("validUntil", t(-1))))
    m(False, "until_garbage", good_one.replace(
        " entityID", attr("validUntil", "never") + " entityID"))
    m(False, "bad_key", entity(key("signing", b"hello") + sso()))
    m(False, "no_sso", entity(key("signing")))
    m(False, "only_post", entity(key("signing") + sso("HTTP-POST")))
    m(False, "javascript", entity(key("signing") + sso(
        to="javascript:alert(1)")))
    m(False, "space", entity(key("signing") + sso(to="https://x/ y")))
    m(False, "sp", entity(key("signing") + sso(), role="SPSSODescriptor"))
    m(False, "no_name", entity(key("signing") + sso(), eid=""))
    m(False, "dtd", "<!DOCTYPE x>" + good_one)
    m(False, "text", "hello")
    m(False, "empty", "")


def main():
    valid()
    at_limits()
    wrapping()
    tampering()
    signature_forms()
    markup()
    trees()
    shapes()
    envelopes()
    semantics()
    encrypted()
    logouts()
    metadata()
    names = [c["name"] for c in CASES]
    assert len(set(names)) == len(names), \
        [n for n in names if names.count(n) > 1]
    raw = sys.argv[2] if sys.argv[1:2] == ["--raw"] else None
    for c in CASES:
        if raw:
            (pathlib.Path(raw) / c["name"].replace("/", "_")).write_bytes(
                base64.b64decode(c["xml"]))
        print(json.dumps(c))


main()
