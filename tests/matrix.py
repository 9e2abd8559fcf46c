"""
matrix.py: who asks in the matrix tests, and what each may do, worked out from
permissions.def and roles.def and not asked of the server.
"""
import concurrent.futures
import re

from rig import TOP, later

ROLES_DEF = (TOP / "src/access/roles.def").read_text()
PERMS_DEF = (TOP / "src/access/permissions.def").read_text()
PERM = dict(re.findall(r'PERM\((PERM_\w+),\s*"([^"]+)"', PERMS_DEF))
ORG = set(re.findall(r'PERM\(PERM_\w+,\s*"([^"]+)",\s*ORG', PERMS_DEF))
# About oneself: whoever has a role anywhere may make tokens, which can do no
# more than their owner.
ANYWHERE = {"token.create"}


def roles():
    text = ROLES_DEF.replace("\\\n", " ")
    macros = dict(re.findall(r"#define (P_\w+)\s+(.*)", text))

    def expand(s):
        out = set()
        for w in re.findall(r"\b(?:P_\w+|PERM_\w+)\b", s):
            out |= expand(macros[w]) if w in macros else {PERM[w]}
        return out
    return {m[0]: expand(m[1]) for m in
            re.findall(r'^ROLE\((\w+),\s*"[^"]*",(.*)\)$', text, re.M)}


ROLES = roles()


class Who:
    """A principal: what it holds in the project and in the organization."""

    def __init__(self, name, client, project=(), org=(), anonymous=False,
                 elsewhere=()):
        self.name, self.client, self.anonymous = name, client, anonymous
        self.project = set(project) | set(org)
        self.org = set(org) | (set(elsewhere or project) & ANYWHERE)

    def may(self, perm, in_project):
        return perm in (self.project if in_project else self.org)


def expired(rig):
    """Its binding is over before it asks."""
    a, c = rig.make_account()
    rig.ok(rig.post("/v1/bindings", {
        "subject": {"kind": "service_account", "id": a},
        "role": "org_admin", "expires_at": later(2)}), 201)
    return Who("expired binding", rig.client(rig.make_token(owner=a)))


def principals(rig):
    out = [Who("anonymous", rig.client(None), anonymous=True),
           Who("nonsense", rig.client("rdp_" + "0" * 48), anonymous=True)]
    for role in sorted(ROLES):
        _, c = rig.make_account(role, rig.project)
        # an organization-wide permission means nothing in a project binding
        out.append(Who(role + " in project", c,
                       ROLES[role] - (ORG - ANYWHERE)))
    for role in ("org_admin", "auditor", "viewer"):
        _, c = rig.make_account(role)
        out.append(Who(role + " everywhere", c, org=ROLES[role]))
    _, c = rig.make_account("responder", "elsewhere")
    out.append(Who("responder elsewhere", c, elsewhere=ROLES["responder"]))
    _, c = rig.make_account("org_admin", None, scopes=("incident.view",))
    out.append(Who("narrow token of an admin", c, org={"incident.view"}))
    out.append(expired(rig))
    _, c = rig.make_account()
    out.append(Who("nobody", c))
    n = rig.make_integration()
    out.append(Who("integration", rig.client(n["secret"]), anonymous=True))
    return out


def everybody(who, ask):
    """ask(w) for each of them, some at a time; how many requests."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return sum(pool.map(ask, who))
