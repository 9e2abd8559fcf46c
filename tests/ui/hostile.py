"""
hostile.py: what somebody may send who means harm, in every text the API takes
(L08): script, markup, addresses, styles, what turns text round or hides in it,
what a terminal obeys, and as much of it as each field holds.

What runs of it sets `__pwned`; what it would fetch is at evil.example.
"""
import json
import time

from seed import at_once
from rig import later
from runkit import Book, approval, manual, script
from secretkit import sealed

RUN = "window.__pwned=1"
PAYLOADS = (
    f"<script>{RUN}</script>",
    f'"><img src=x onerror="{RUN}">',
    f"'><svg/onload={RUN}>",
    f"[click](javascript:{RUN}) ![p](https://evil.example/p.png) "
    f"[d](data:text/html,<script>{RUN}</script>) <https://evil.example>",
    f"<a href=\"javascript:{RUN}\">x</a><iframe srcdoc='<script>{RUN}"
    "</script>'></iframe>",
    "</title></textarea></style><style>*{display:none!important}</style>"
    "<base href=//evil.example/>",
    "{{constructor.constructor('" + RUN + "')()}}${" + RUN + "}",
    "report\u202egnp.exe \u2066\u2067isolates\u2069",
    "pay\u200bpal\u00ad.exa\ufeffmple\u2060",
    "\u05e9\u05dc\u05d5\u05dd (1) \u0645\u0631\u062d\u0628\u0627 SEV-1",
    "Z" + "\u0335\u0321\u031b\u0344\u0346\u0350" * 3 + "algo",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 8,
    "=HYPERLINK(\"https://evil.example\",\"x\")",
    "javascript:" + RUN, "__proto__", "constructor",
    "../../etc/passwd%00%2e%2e", "<!--", "]]>", "&lt;b&gt; &amp;amp; &#x3c;",
    "A" * 70000,  # as much as the field holds
    "\U0001f4a3" * 20000,
    "a \n" * 20000,
)
# where control characters are allowed, or were once
TERMINAL = "\x1b[31mred\x1b[0m\x1b]0;title\x07\x08\x08\x7f\x9b31m \x00"
NAME, TITLE, TEXT = 200, 500, 65536


def cut(text, cap, one_line=True):
    """As much as fits, in characters of names, in bytes of texts."""
    if one_line:
        return text.replace("\n", " ").strip()[:cap]
    return text.encode()[:cap].decode(errors="ignore")


def names(cap=NAME):
    return [cut(p, cap) for p in PAYLOADS if cut(p, cap)]


def texts(cap=TEXT):
    return [cut(p, cap, False) for p in PAYLOADS]


class Hostile:
    def __init__(self, rig):
        self.rig = rig
        self.taken, self.refused = {}, {}

    def post(self, path, body, client=None):
        """Taken, or refused for what it is: never anything else."""
        c = client or self.rig.client(self.rig.token)
        a = c.post(path, body)
        if client is None:
            c.close()
        kind = path.rsplit("/", 1)[1]
        to = self.taken if a.status in (200, 201, 202) else self.refused
        to[kind] = to.get(kind, 0) + 1
        self.rig.check(a.status in (200, 201, 202, 400, 409, 422),
                       f"{path} {str(body)[:200]}: {a!r}")
        return a.json if a.status in (200, 201) and a.body else None

    def many(self, path, bodies):
        return [x for x in at_once(lambda b: self.post(path, b), bodies)
                if x]

    # ---- what responders see ----

    def incidents(self):
        p = self.rig.p + "/incidents"
        made = self.many(p, [{
            "title": cut(x, TITLE), "summary": cut(x, TEXT, False),
            "type": cut(x, NAME), "services": [cut(x, NAME)],
            "environments": [cut(x, NAME)], "severity": f"sev{n % 5}",
            "security_details": cut(x, TEXT, False),
            "fields": {x[:60]: x[:900]}}
            for n, x in enumerate(PAYLOADS) if cut(x, TITLE)])
        t = f"{p}/{made[0]['number']}"
        self.many(t + "/timeline", [{"text": x, "key_event": n % 2 == 0}
                                    for n, x in enumerate(texts())])
        for to, note in (("acknowledged", 1), ("mitigating", 3)):
            self.post(t + "/transitions", {"to": to,
                                           "note": PAYLOADS[note]})
        return [str(i["number"]) for i in made]

    def alerts(self):
        rig = self.rig
        i = rig.make_integration("alertmanager", auth={"kind": "bearer"})
        sender = rig.client(i["secret"])
        for n, x in enumerate(PAYLOADS):
            x = cut(x, 20000)
            self.post("/ingest/" + i["id"], {
                "version": "4", "groupKey": x[:200], "status": "firing",
                "receiver": x[:200], "groupLabels": {}, "commonLabels": {},
                "commonAnnotations": {}, "externalURL": "javascript:" + RUN,
                "alerts": [{
                    "status": "firing", "fingerprint": f"h{n}",
                    "labels": {"alertname": x[:500], "severity": x[:100],
                               "service": x[:200], "instance": x[:500]},
                    "annotations": {"summary": x[:500],
                                    "description": x[:5000],
                                    "runbook_url": "javascript:" + RUN},
                    "startsAt": "2026-11-28T10:00:00Z",
                    "generatorURL": "javascript:" + RUN}]}, sender)
        self.post("/ingest/" + i["id"], {TERMINAL: PAYLOADS[0]}, sender)
        sender.request("POST", "/ingest/" + i["id"],
                       f"<b>{PAYLOADS[0]}</b>".encode(), raw=True)
        sender.close()
        self.many(rig.p + "/alerts", [{
            "title": cut(x, TITLE), "message": cut(x, TEXT, False),
            "service": cut(x, NAME), "environment": cut(x, NAME),
            "dedup_key": x[:100], "labels": {cut(x, 60): cut(x, 900)},
            "link": link} for x in PAYLOADS if cut(x, 60)
            for link in ("javascript:" + RUN,
                         "https://evil.example/" + RUN)])
        items = rig.ok(rig.get(rig.p + "/alerts?limit=100"), 200).json["items"]
        return [a["id"] for a in items[:2]], i["id"]

    # ---- automation ----

    def automation(self):
        rig = self.rig
        # some names hang on the delegate: it is well known, and says of its
        # host what it likes
        d = rig.make_delegate(cut(PAYLOADS[1], NAME), {
            "site": "fra"}, says={
            "host": cut(PAYLOADS[2], NAME),
            "doctor": {"kernel": PAYLOADS[3], PAYLOADS[0]: TERMINAL}})
        self.many(rig.p + "/delegates", [{"name": x, "labels": {
            "site": "fra"}} for x in names()])
        self.many(rig.p + "/delegates", [{"name": "n", "labels": {
            x[:60]: x[:60]}} for x in names()])
        b = Book(rig, "hostile", [
            manual("look", instructions=PAYLOADS[3] + "\n\n" + PAYLOADS[0]),
            approval("sure", message=PAYLOADS[3]),
            script("go", script=f"echo '{PAYLOADS[1]}'\n")],
            description=PAYLOADS[5])
        run = b.start()
        self.log(b, d)
        for n, x in enumerate(names()):
            self.post(rig.p + "/runbooks", {"document": {
                "slug": f"hostile-{n}", "name": x, "context": "any",
                "steps": [manual("a", instructions=cut(x, 900, False))]},
                "note": cut(x, 900, False)})
        robot, _ = rig.make_account("responder", rig.project)
        self.many(rig.p + "/triggers", [{
            "name": x, "runbook": "hostile", "service_account": robot,
            "on": "incident_created", "when": {"eq": [
                {"incident": "title"}, x]}} for x in names()])
        self.post(rig.p + "/secrets", sealed(
            rig, "hostile", b"x" * 20, description=PAYLOADS[0]))
        def connector(n, x, path):
            return {"slug": f"hostile-{n}", "name": x, "kind": "jira",
                    "actions": ["create_issue"],
                    "base": "https://acme.example.net" + path,
                    "auth": {"kind": "bearer", "secret": "hostile",
                             "scopes": ["write:jira-work"]},
                    "delegates": {"labels": {"site": "fra"}},
                    "expires_at": later(86400)}
        self.many(rig.p + "/connectors", [
            connector(n, x, "") for n, x in enumerate(names())])
        self.many(rig.p + "/connectors", [
            connector(f"p{n}", x, "/" + x[:40])
            for n, x in enumerate(names())])
        return [run.id, self.logged]

    def log(self, book, d):
        """A run that has ended, and what its step has printed."""
        rig = self.rig
        b = Book(rig, "printer", [script("go")])
        run = b.start()
        e = d.one()
        rig.ok(d.start(e), 204)
        text = "\n".join([TERMINAL, *PAYLOADS]).encode() + b"\xff\xfe\xc0\n"
        rig.ok(d.log(e, 0, text), 200)
        rig.ok(d.result(e, log=text, outputs={}), 204)
        self.logged = run.id

    # ---- administration ----

    def administration(self):
        rig, p = self.rig, self.rig.project
        some = list(rig.people.values())
        self.many("/v1/users", [{"email": f"h{n}@example.com", "name": x}
                                for n, x in enumerate(names())])
        self.many("/v1/service-accounts", [{"name": x} for x in names()])
        self.many("/v1/groups", [{"name": x} for x in names()])
        self.many("/v1/roles", [{"name": x, "permissions": [
            "project.view"]} for x in names()])
        self.many("/v1/resource-groups", [{
            "name": x, "project": p, "types": ["incident"],
            "services": [x]} for x in names()])
        self.many("/v1/bindings", [{
            "subject": {"kind": "user", "id": some[0]["id"]},
            "role": "viewer", "project": p, "reason": x,
            "expires_at": later(86400 + n)}
            for n, x in enumerate(texts(1024))])
        self.many("/v1/tokens", [{"name": x, "scopes": ["project.view"],
                                  "expires_at": later(3600)}
                                 for x in names()])
        self.many("/v1/holds", [{"name": cut(x, NAME), "project": p,
                                 "reason": cut(x, 1000, False)}
                                for x in PAYLOADS if cut(x, NAME)])
        self.many("/v1/audit/filters", [{
            "name": x, "shared": True, "filter": {"outcome": "denied"}}
            for x in names()])
        for x in texts(4096)[:6]:
            self.post("/v1/audit/reviews", {"note": x})
        self.many("/v1/projects", [{"slug": f"h{n}", "name": x}
                                   for n, x in enumerate(names()[:8])])
        self.post("/v1/automation/freeze", {"reason": PAYLOADS[3]})
        # tested by what makes the log speak
        c = rig.client(rig.token)
        for x in names(60)[:8]:
            c.get("/v1/whoami", headers={
                "User-Agent": x.encode("utf-8").decode("latin-1"),
                "X-Request-Id": "h-" + str(abs(hash(x)))[:8]})
        c.close()
        _, c = rig.make_account("commander", p)
        rig.ok(c.post("/v1/break-glass", {
            "project": p, "minutes": 5, "reason": "twenty characters " +
            PAYLOADS[0]}), 201)


def hostile(rig):
    began = time.monotonic()
    h = Hostile(rig)
    numbers = h.incidents()
    alerts, integration = h.alerts()
    runs = h.automation()
    h.administration()
    users = rig.ok(rig.get("/v1/users?limit=100"), 200).json["items"]
    bad = [u["id"] for u in users if u["email"].startswith("h")]
    seq = rig.ok(rig.get("/v1/audit?limit=1"), 200).json["items"][0]["seq"]
    for kind in h.refused:  # or there is a mistake here
        rig.check(kind in h.taken, f"no {kind} was taken")
    print(f"# hostile in {time.monotonic() - began:.1f} s: taken "
          f"{json.dumps(h.taken)}, refused {json.dumps(h.refused)}")
    return {"fill": {
        "/p/": ["default"], "/p/*/i/": numbers[:3], "/p/*/alerts/": alerts,
        "/p/*/i/*/": ["details", "alerts", "runs", "members", "audit"],
        "/p/*/integrations/": [integration], "/p/*/runs/": runs,
        "/p/*/runbooks/": ["hostile"], "/p/*/connectors/": ["hostile-0"],
        "/admin/users/": bad[:1], "/audit/": [str(seq - 3)]}}
