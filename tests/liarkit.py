"""
liarkit.py: a log, a keeper and a server of a test's own, as far as a
delegate can tell, made of contrib/delegate.py; and every lie a server can
tell about a task, with the word a delegate must refuse it with.

    python3 tests/liarkit.py vectors    tests/vectors/delegate/lies.txt
"""
import copy
import json
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "contrib"))
import delegate as d  # noqa: E402

ORIGIN = "redoubt.example/audit/test/1"
ID = d.ID
TASK, RUN, PROJECT, RUNBOOK, DELEGATE = ID % 1, ID % 2, ID % 3, ID % 4, ID % 7
CONNECTOR, AUTHOR, ANN, BOB = ID % 5, ID % 8, ID % 9, ID % 10
LABELS = {"site": "fra"}
NOW = 1795600000000

SCRIPT = {"id": "say", "kind": "script", "interpreter": "sh",
          "script": "echo hello $1\n",
          "args": [{"input": "who"}, "-x", {"concat": ["a-", {"input":
                                                              "who"}]}],
          "delegates": {"labels": LABELS}}
INPUTS = [{"name": "who", "type": "string", "required": True}]


def runbook(*steps, **more):
    return {"slug": "hello", "name": "Hello", "context": "none",
            "inputs": INPUTS, "steps": list(steps) or [SCRIPT]} | more


APPROVED = runbook({"id": "ask", "kind": "approval", "message": "sure?",
                    "count": 2, "expires_s": 600}, SCRIPT)
HTTP = runbook({"id": "say", "kind": "http", "connector": "jira",
                "action": "comment", "params": {"text": {"input": "who"}}})
SECRET = runbook(SCRIPT | {"secrets": ["db"]})
JIRA = {"slug": "jira", "kind": "https", "base": "https://jira.example",
        "hosts": ["jira.example:443"],
        "actions": [{"name": "comment", "method": "POST", "path": "/comment",
                     "body": {"text": {"param": "text"}},
                     "params": [{"name": "text", "type": "string"}]}],
        "auth": {"kind": "none"}, "delegates": {"labels": LABELS},
        "expires_at": "2099-01-01T00:00:00.000Z"}


class World:
    """Keys, a log that grows, and tasks that are whole."""

    def __init__(self, seed=0, now=NOW):
        self.log = d.Signer(d.seed(seed))
        self.keeper = d.Signer(d.seed(seed + 96))
        self.ids = {"task": TASK, "delegate": DELEGATE, "project": PROJECT}
        self.sealing = d.x25519_public(d.seed(128))
        self.leaves, self.hashes, self.now = [], [], now
        self.labels, self.ephemeral = LABELS, d.seed(160)
        for i in range(3):
            self.entry("server.start", [], f"{i}")

    # ---- the log ----
    def entry(self, action, resources, who, outcome="ok", project=None,
              kind="user"):
        e = {"action": action, "outcome": outcome,
             "principal": {"id": who, "kind": kind},
             "seq": len(self.leaves) + 1,
             "time": "2026-11-25T03:21:34.123Z", "v": 1}
        if resources:
            e["project"] = project or self.ids["project"]
            e["resource"] = [{"id": i, "type": t} for t, i in resources]
        self.leaves.append(d.canon(e))
        self.hashes.append(d.leaf_hash(self.leaves[-1]))
        return e["seq"]

    def root(self, n=None):
        return d.root(self.hashes[:n])

    def point(self):
        return d.checkpoint(ORIGIN, self.log, len(self.hashes), self.root())

    def consistency(self, old):
        if old > len(self.hashes):
            return []
        return [d.b64(h) for h in d.consistency(old, self.hashes)]

    def proof(self, seq):
        return {"seq": seq, "leaf": self.leaves[seq - 1].decode(),
                "proof": [d.b64(h) for h in d.inclusion(seq - 1,
                                                        self.hashes)]}

    # ---- approvals; each gives the number of its entry ----
    def approve(self, document, who=ANN, version=1, **more):
        ref = f"{RUNBOOK}/{version}/{d.hex256(d.canon(document))}"
        return self.entry("runbook.approve", [("runbook_version", ref)], who,
                          **more)

    def approve_connector(self, document, who=ANN, **more):
        ref = f"{CONNECTOR}/1/{d.hex256(d.canon(document))}"
        return self.entry("connector.approve", [("connector_version", ref)],
                          who, **more)

    def approve_run(self, document, inputs, who=ANN, step="ask", run=RUN,
                    **more):
        digest = d.run_digest(run, inputs, d.hex256(d.canon(document)))
        return self.entry("run.approve",
                          [("run_approval", f"{run}/{step}/{digest}")], who,
                          **more)

    # ---- tasks ----
    def envelope(self, document, approvals, connectors=(), **more):
        text = d.canon(document)
        step = document["steps"][-1]
        env = {
            "v": "redoubt-task/1", "log": ORIGIN, "run": RUN, "step": "say",
            "attempt": 1, "fence": 1, "project_slug": "payments",
            "issued": self.now, "expires": self.now + 600000,
            "selector": {"labels": self.labels},
            "runbook": {"id": RUNBOOK, "version": 1,
                        "digest": d.hex256(text), "document": text.decode()},
            "values": {"args": ["world", "-x", "a-world"], "env": {}}
            if step["kind"] == "script" else {"params": {"text": "world"}},
            "inputs": {"who": "world"}, "secrets": [],
            "connectors": [
                {"id": CONNECTOR, "slug": c["slug"], "version": 1,
                 "digest": d.hex256(d.canon(c)),
                 "document": d.canon(c).decode()} for c in connectors],
            "approvals": [self.proof(n) for n in approvals],
            "checkpoint": self.point()} | self.ids
        return env | more

    def seal(self, env, text=None, keeper=None, to=None):
        return d.task_seal(keeper or self.keeper, self.ephemeral,
                           to or self.sealing, env, text)


def secret(w, name="db", value=b"correct horse", to=None, slug="payments",
           ck=b"k" * 32):
    aad = f"redoubt-secret/1\n{slug}\n{name}\n".encode()
    plain = len(value).to_bytes(4, "big") + value
    plain += bytes(-len(plain) % 64)
    nonce = b"n" * 12
    data = nonce + d.AESGCM(ck).encrypt(nonce, plain, aad)
    box = d.hpke_seal(w.ephemeral, to or w.sealing, aad, d.sha256(data), ck)
    return {"id": ID % 6, "name": name, "version": 1, "data": d.b64(data),
            "box": d.b64(box)}


# ---- lies: each makes an offer (task, fence, sealed) of a world ----
LIES = {}


def lie(reason, name=None):
    def add(f):
        LIES[name or f.__name__] = (reason, f)
        return f
    return add


def plain(w, **more):
    doc = runbook()
    return w.envelope(doc, [w.approve(doc)], **more)


def offer(w, env, **how):
    return env["task"], env["fence"], w.seal(env, **how)


def edited(reason, name, edit):
    """A task that is whole but for what edit does to it, signed anew."""
    def make(w):
        env = plain(w)
        edit(env)
        return offer(w, env)
    LIES[name] = (reason, make)


@lie("")
def the_truth(w):
    return offer(w, plain(w))


@lie("task.signature")
def unsigned(w):
    env = plain(w)
    text = d.canon(env)
    return env["task"], 1, d.hpke_seal(
        w.ephemeral, w.sealing, b"redoubt-task/1", env["task"].encode(),
        len(text).to_bytes(4, "big") + text + bytes(64))


@lie("task.signature")
def signed_by_another_key(w):
    return offer(w, plain(w), keeper=d.Signer(d.seed(1)))


@lie("task.signature")
def signed_by_the_log_key(w):
    return offer(w, plain(w), keeper=w.log)


@lie("task.signature")
def signed_for_another_text(w):
    env = plain(w)
    other = copy.deepcopy(env)
    other["values"]["args"][0] = "evil"
    text = d.canon(other)
    sig = w.keeper.sign(d.task_text(env, d.canon(env)))
    return env["task"], 1, d.hpke_seal(
        w.ephemeral, w.sealing, b"redoubt-task/1", env["task"].encode(),
        len(text).to_bytes(4, "big") + text + sig)


@lie("sealed.open")
def sealed_to_another(w):
    return offer(w, plain(w), to=d.x25519_public(d.seed(3)))


@lie("sealed.open")
def of_another_lease(w):
    _, fence, sealed = offer(w, plain(w))
    return ID % 77, fence, sealed


@lie("sealed.open")
def flipped_bit(w):
    task, fence, sealed = offer(w, plain(w))
    return task, fence, sealed[:70] + bytes([sealed[70] ^ 1]) + sealed[71:]


@lie("sealed.open")
def garbage(w):
    return w.ids["task"], 1, bytes(range(256)) * 4


@lie("sealed.size")
def nothing(w):
    return w.ids["task"], 1, b""


@lie("sealed.size")
def oversized(w):
    return w.ids["task"], 1, bytes(1024 * 1024 + 1)


def sealed_raw(w, plaintext):
    return w.ids["task"], 1, d.hpke_seal(w.ephemeral, w.sealing,
                                         b"redoubt-task/1",
                                         w.ids["task"].encode(), plaintext)


@lie("task.form")
def a_length_past_the_end(w):
    return sealed_raw(w, b"\xff\xff\xff\xff" + bytes(100))


@lie("task.form")
def a_byte_too_much(w):
    return sealed_raw(w, b"\0\0\0\2{}" + bytes(65))


@lie("task.text")
def no_json(w):
    return sealed_raw(w, b"\0\0\0\5hello" + bytes(64))


@lie("task.text")
def not_canonical(w):
    env = plain(w)
    return offer(w, env, text=json.dumps(env).encode())


@lie("task.text")
def a_member_twice(w):
    env = plain(w)
    text = d.canon(env)
    return offer(w, env, text=b'{"step":"say",' + text[1:])


def put(*path, to):
    def edit(env):
        at = env
        for p in path[:-1]:
            at = at[p]
        at[path[-1]] = to
    return edit


edited("task.text", "a_member_more", put("extra", to=1))
edited("task.text", "a_member_less", lambda e: e.pop("approvals"))
edited("task.text", "another_version", put("v", to="redoubt-task/2"))
edited("task.text", "fence_zero", put("fence", to=0))
edited("task.text", "values_no_object", put("values", to=[]))
edited("task.log", "another_log", put("log", to="redoubt.example/audit/x/1"))
edited("task.delegate", "other_delegates_task", put("delegate", to=ID % 70))
edited("task.project", "other_projects_task", put("project", to=ID % 30))
edited("task.early", "issued_tomorrow",
       lambda e: e.update(issued=e["issued"] + 86400000,
                          expires=e["expires"] + 86400000))
edited("task.stale", "stale",
       lambda e: e.update(issued=e["issued"] - 3600000,
                          expires=e["expires"] - 3600000))
edited("task.life", "valid_for_a_year",
       lambda e: e.update(expires=e["issued"] + 365 * 86400000))


@lie("task.fence")
def another_fence(w):
    task, _, sealed = offer(w, plain(w))
    return task, 2, sealed


@lie("log.checkpoint")
def checkpoint_of_another_key(w):
    env = plain(w)
    env["checkpoint"] = d.checkpoint(ORIGIN, d.Signer(d.seed(5)),
                                     len(w.hashes), w.root())
    return offer(w, env)


@lie("log.differs")
def an_older_checkpoint(w):
    env = plain(w)
    env["checkpoint"] = d.checkpoint(ORIGIN, w.log, len(w.hashes) - 1,
                                     w.root(len(w.hashes) - 1))
    return offer(w, env)


@lie("log.differs")
def a_checkpoint_of_another_log(w):
    """Signed, of the same size, and another past: not what was witnessed."""
    other = World(now=w.now)
    other.ids, other.labels = w.ids, w.labels
    other.entry("server.stop", [], "0")
    doc = runbook()
    env = other.envelope(doc, [other.approve(doc)])
    while len(w.hashes) < len(other.hashes):
        w.entry("server.stop", [], "1")
    return offer(w, env)


def altered(env, old, new):
    """Another document, with a digest that fits it."""
    text = env["runbook"]["document"].replace(old, new)
    assert text != env["runbook"]["document"]
    env["runbook"] |= {"document": text, "digest": d.hex256(text.encode())}


edited("runbook.digest", "altered_script", lambda e: e["runbook"].update(
    document=e["runbook"]["document"].replace("hello $1", "evil")))
edited("approval.runbook", "altered_script_with_its_digest",
       lambda e: altered(e, "hello $1", "evil"))
edited("approval.runbook", "interpreter_of_another_kind",
       lambda e: altered(e, '"sh"', '"python3"'))
edited("approval.runbook", "approval_of_another_version",
       put("runbook", "version", to=2))
edited("approval.runbook", "approval_of_another_runbook",
       put("runbook", "id", to=ID % 40))
edited("approval.runbook", "no_approval", put("approvals", to=[]))
edited("runbook.step", "no_such_step", put("step", to="nothing"))


@lie("approval.runbook")
def the_same_approval_twice_for_two(w):
    doc = runbook(approvals={"count": 2})
    n = w.approve(doc)
    return offer(w, w.envelope(doc, [n, n]))


@lie("approval.runbook")
def one_person_approving_twice(w):
    doc = runbook(approvals={"count": 2})
    return offer(w, w.envelope(doc, [w.approve(doc), w.approve(doc)]))


@lie("")
def two_people_approving(w):
    doc = runbook(approvals={"count": 2})
    return offer(w, w.envelope(doc, [w.approve(doc), w.approve(doc, BOB)]))


@lie("approval.runbook")
def an_approval_that_was_denied(w):
    doc = runbook()
    return offer(w, w.envelope(doc, [w.approve(doc, outcome="denied")]))


@lie("approval.runbook")
def an_approval_of_another_project(w):
    doc = runbook()
    return offer(w, w.envelope(doc, [w.approve(doc, project=ID % 30)]))


@lie("approval.runbook")
def an_approval_by_a_machine(w):
    doc = runbook()
    return offer(w, w.envelope(doc, [w.approve(doc, kind="service_account")]))


@lie("approval.runbook")
def an_approval_of_a_connector(w):
    doc = runbook()
    ref = f"{RUNBOOK}/1/{d.hex256(d.canon(doc))}"
    n = w.entry("connector.approve", [("runbook_version", ref)], ANN)
    return offer(w, w.envelope(doc, [n]))


@lie("approval.runbook")
def a_request_for_approval(w):
    doc = runbook()
    ref = f"{RUNBOOK}/1/{d.hex256(d.canon(doc))}"
    n = w.entry("runbook.update", [("runbook_version", ref)], AUTHOR)
    return offer(w, w.envelope(doc, [n]))


@lie("approval.proof")
def an_approval_that_is_not_in_the_log(w):
    doc = runbook()
    n = w.approve(doc)
    proof = w.proof(n)
    w.leaves.pop()
    w.hashes.pop()
    w.entry("server.stop", [], "0")
    return offer(w, w.envelope(doc, []) | {"approvals": [proof]})


@lie("approval.proof")
def a_proof_of_another_log(w):
    other = World()
    doc = runbook()
    n = other.approve(doc)
    other.entry("server.stop", [], "9")
    w.entry("server.stop", [], "8")
    w.entry("server.stop", [], "8")
    return offer(w, w.envelope(doc, []) | {"approvals": [other.proof(n)]})


edited("approval.leaf", "a_leaf_with_another_number",
       lambda e: e["approvals"][0].update(seq=1))
edited("approval.leaf", "a_leaf_that_is_none",
       lambda e: e["approvals"][0].update(leaf="{}"))
edited("approval.proof", "a_proof_that_is_too_short",
       lambda e: e["approvals"][0]["proof"].pop())
edited("approval.proof", "a_proof_that_is_no_list",
       lambda e: e["approvals"][0].update(proof="x"))


# ---- values ----
edited("values.inputs", "altered_arguments",
       put("values", "args", 0, to="evil"))
edited("values.document", "altered_literal", put("values", "args", 1, to="-y"))
edited("values.document", "an_argument_more",
       lambda e: e["values"]["args"].append("x"))
edited("values.document", "an_argument_less",
       lambda e: e["values"]["args"].pop())
edited("values.document", "a_variable_more",
       put("values", "env", to={"LD_PRELOAD": "/tmp/x"}))
edited("values.inputs", "altered_concat",
       put("values", "args", 2, to="a-evil"))
edited("values.document", "a_member_of_values_more",
       put("values", "stdin", to="x"))

# ---- selectors ----
edited("selector.empty", "an_empty_selector",
       put("selector", to={"labels": {}}))
edited("selector.differs", "a_widened_selector",
       put("selector", to={"labels": {"site": "fra", "x": "y"}}))
edited("selector.differs", "another_selector",
       put("selector", to={"labels": {"site": "lon"}}))


@lie("selector.labels")
def a_step_for_other_labels(w):
    doc = runbook(SCRIPT | {"delegates": {"labels": {"site": "lon"}}})
    env = w.envelope(doc, [w.approve(doc)])
    env["selector"] = {"labels": {"site": "lon"}}
    return offer(w, env)


@lie("selector.differs")
def a_step_for_others_with_our_labels(w):
    doc = runbook(SCRIPT | {"delegates": {"labels": {"site": "lon"}}})
    return offer(w, w.envelope(doc, [w.approve(doc)]))


# ---- approval steps ----
def behind(w, approvals, **more):
    return offer(w, w.envelope(APPROVED, [w.approve(APPROVED)] + approvals,
                               **more))


GOOD = {"who": "world"}


@lie("")
def behind_an_approval_step(w):
    return behind(w, [w.approve_run(APPROVED, GOOD),
                      w.approve_run(APPROVED, GOOD, BOB)])


@lie("approval.run")
def an_approval_step_nobody_passed(w):
    return behind(w, [])


@lie("approval.run")
def an_approval_step_one_person_passed(w):
    return behind(w, [w.approve_run(APPROVED, GOOD),
                      w.approve_run(APPROVED, GOOD)])


@lie("approval.run")
def an_approval_of_other_inputs(w):
    other = {"who": "nobody"}
    return behind(w, [w.approve_run(APPROVED, other),
                      w.approve_run(APPROVED, other, BOB)])


@lie("approval.run")
def an_approval_of_another_run(w):
    return behind(w, [w.approve_run(APPROVED, GOOD, run=ID % 20),
                      w.approve_run(APPROVED, GOOD, BOB, run=ID % 20)])


@lie("approval.run")
def an_approval_of_another_step(w):
    return behind(w, [w.approve_run(APPROVED, GOOD, step="other"),
                      w.approve_run(APPROVED, GOOD, BOB, step="other")])


@lie("approval.inputs")
def behind_an_approval_step_without_inputs(w):
    env = w.envelope(APPROVED, [w.approve(APPROVED)])
    del env["inputs"]
    return offer(w, env)


# ---- connectors ----
def http(w, doc=None, connector_approvals=True, connector=None, **more):
    c = connector or JIRA
    doc = doc or HTTP
    approvals = [w.approve(doc)]
    if connector_approvals:
        approvals.append(w.approve_connector(c))
    return w.envelope(doc, approvals, [c], **more)


@lie("")
def an_http_step(w):
    return offer(w, http(w))


@lie("approval.connector")
def an_unapproved_connector(w):
    return offer(w, http(w, connector_approvals=False))


@lie("connector.digest")
def an_altered_connector(w):
    env = http(w)
    env["connectors"][0]["document"] = \
        env["connectors"][0]["document"].replace("/comment", "/evil")
    return offer(w, env)


@lie("approval.connector")
def an_altered_connector_with_its_digest(w):
    env = http(w)
    c = env["connectors"][0]
    c["document"] = c["document"].replace("/comment", "/evil")
    c["digest"] = d.hex256(c["document"].encode())
    return offer(w, env)


@lie("connector.missing")
def a_connector_that_is_missing(w):
    return offer(w, http(w) | {"connectors": []})


@lie("connector.missing")
def another_connector_in_its_place(w):
    other = JIRA | {"slug": "other"}
    doc = runbook(SCRIPT | {"connectors": ["jira"]})
    env = http(w, doc, connector=JIRA)
    env["connectors"] = []
    w2 = http(w, doc, connector=other)
    del w2["connectors"][0]
    return offer(w, w2)


@lie("connector.extra")
def a_connector_nobody_named(w):
    doc = runbook()
    return offer(w, http(w, doc))


@lie("connector.expired")
def an_expired_connector(w):
    return offer(w, http(w, connector=JIRA |
                         {"expires_at": "2026-01-01T00:00:00.000Z"}))


@lie("connector.selector")
def a_connector_for_others(w):
    return offer(w, http(w, connector=JIRA |
                         {"delegates": {"labels": {"site": "lon"}}}))


@lie("values.inputs")
def altered_parameters(w):
    return offer(w, http(w, values={"params": {"text": "evil"}}))


@lie("values.document")
def a_parameter_more(w):
    return offer(w, http(w, values={"params": {"text": "world", "x": 1}}))


# ---- secrets ----
def with_secret(w, s):
    return offer(w, w.envelope(SECRET, [w.approve(SECRET)], secrets=s))


@lie("")
def a_step_with_a_secret(w):
    return with_secret(w, [secret(w)])


@lie("secret.missing")
def a_secret_that_is_missing(w):
    return with_secret(w, [])


@lie("secret.extra")
def a_secret_nobody_named(w):
    return with_secret(w, [secret(w), secret(w, "other")])


@lie("secret.extra")
def the_same_secret_twice(w):
    return with_secret(w, [secret(w), secret(w)])


@lie("secret.open")
def a_secret_of_another_project(w):
    return with_secret(w, [secret(w, slug="other")])


@lie("secret.open")
def a_secret_of_another_name(w):
    return with_secret(w, [secret(w, "other") | {"name": "db"}])


@lie("secret.open")
def a_secret_sealed_to_another(w):
    return with_secret(w, [secret(w, to=d.x25519_public(d.seed(3)))])


@lie("secret.open")
def a_secret_with_other_data(w):
    other = secret(w, value=b"another value of it", ck=b"x" * 32)
    return with_secret(w, [secret(w) | {"data": other["data"]}])


@lie("secret.version")
def a_secret_of_another_version(w):
    doc = runbook(SCRIPT | {"secrets": ["db@2"]})
    return offer(w, w.envelope(doc, [w.approve(doc)], secrets=[secret(w)]))


# ---- the local policy, which tests give as POLICY ----
POLICY = """[delegate]
labels = site=fra os=linux
kinds = script http
runbooks = hello
connectors = jira other
hosts = jira.example:443
secrets = db other
[limits]
wall_s = 60
[interpreter sh]
path = /bin/sh
"""


@lie("policy.runbook")
def a_runbook_not_allowed_here(w):
    doc = runbook(slug="other")
    return offer(w, w.envelope(doc, [w.approve(doc)]))


@lie("policy.interpreter")
def an_interpreter_not_allowed_here(w):
    doc = runbook(SCRIPT | {"interpreter": "python3"})
    return offer(w, w.envelope(doc, [w.approve(doc)]))


@lie("policy.limits")
def limits_not_allowed_here(w):
    doc = runbook(SCRIPT | {"limits": {"wall_s": 61}})
    return offer(w, w.envelope(doc, [w.approve(doc)]))


@lie("policy.host")
def a_host_not_allowed_here(w):
    return offer(w, http(w, connector=JIRA | {
        "hosts": JIRA["hosts"] + ["evil.example:443"]}))


@lie("policy.connector")
def a_connector_not_allowed_here(w):
    doc = runbook(HTTP["steps"][0] | {"connector": "third"})
    return offer(w, http(w, doc, connector=JIRA | {"slug": "third"}))


@lie("policy.secret")
def a_secret_not_allowed_here(w):
    doc = runbook(SCRIPT | {"secrets": ["third"]})
    return offer(w, w.envelope(doc, [w.approve(doc)],
                               secrets=[secret(w, "third")]))


def vectors():
    yield "# Made by tests/liarkit.py; read by t_envelope.c\n"
    for name, (reason, make) in LIES.items():
        w = World()
        task, fence, sealed = make(w)
        if len(sealed) > 65536:
            continue  # the test has it
        yield (f"{name} {reason or '-'} {task} {fence} "
               f"{d.b64(w.point().encode())} {d.b64(sealed) or '-'}\n")


if __name__ == "__main__" and sys.argv[1:] == ["vectors"]:
    sys.stdout.writelines(vectors())
