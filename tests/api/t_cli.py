#!/usr/bin/env python3
"""Every command against a real server: what it prints, how it exits."""
import json
import os
import re
import subprocess
import sys
import threading
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from browser import GOOD, now_step, totp  # noqa: E402
from delegatekit import Delegate, person  # noqa: E402
from runkit import Book, approval, manual  # noqa: E402
from rig import BINARY, SANITIZED, TOP, test, run  # noqa: E402
from ssokit import Key  # noqa: E402
from tlogkit import Witness  # noqa: E402

used, worked = set(), set()
names = [c["name"] for c in json.loads(subprocess.run(
    [BINARY, "help", "--json"], capture_output=True).stdout)["commands"]]


def note(argv, to=used):
    words = [a for a in argv if not a.startswith("-")]
    for n in (3, 2, 1):
        if " ".join(words[:n]) in names:
            to.add(" ".join(words[:n]))
            return


def cli(rig, *argv, rc=0, token=None, input=None, env=None):
    """Run it; the parsed document when --json was asked."""
    note(argv)
    if env is None:
        p = rig.user_cli(*argv, token=token, input=input)
    else:
        p = rig.cli(*argv, env=env, input=input)
    rig.check(p.returncode == rc, f"{argv}: exit {p.returncode}, want {rc}: "
              f"{p.stderr}")
    if p.returncode == 0:
        note(argv, worked)
    if SANITIZED:  # it says so of a step that starts on a stack of its own
        p.stderr = re.sub(r"==\d+==WARNING: ASan is ignoring requested "
                          r"__asan_handle_no_return.*?\n(.*False positive.*\n"
                          r"|.*For details.*\n)*", "", p.stderr)
    logs = argv[0] == "serve" or argv[:2] == ("delegate", "run")
    if rc not in (0, 8) and not logs:
        rig.check(p.stderr.startswith("redoubt: "), f"{argv}: {p.stderr!r}")
    rig.check("\x1b" not in p.stdout + p.stderr, f"{argv}: escape")
    if "--json" in argv and p.returncode in (0, 8):
        return json.loads(p.stdout)
    return p.stdout if p.returncode == 0 else p.stderr


def j(rig, *argv, **kw):
    return cli(rig, *argv, "--json", **kw)


@test
def who_and_login(rig):
    me = j(rig, "whoami")
    rig.eq(me["kind"], "user")
    rig.check("kind:" in cli(rig, "whoami"), "text")
    home = str(rig.dir / "home")
    env = {"PATH": os.environ["PATH"], "HOME": home}
    cli(rig, "whoami", rc=4, env=env)
    cli(rig, "login", "--url", rig.url, "--ca", rig.ca, env=env,
        input=rig.token + "\n")
    rig.eq(os.stat(home + "/.config/redoubt/login.json").st_mode & 0o777,
           0o600)
    rig.eq(cli(rig, "whoami", "--json", env=env)["id"], me["id"])
    cli(rig, "incident", "list", env=env)
    cli(rig, "logout", env=env)
    cli(rig, "whoami", rc=4, env=env)
    wrong = rig.token[:-1] + ("0" if rig.token[-1] != "0" else "1")
    cli(rig, "whoami", rc=4, token=wrong)
    cli(rig, "login", "--url", rig.url, "--ca", rig.ca, env=env, rc=4,
        input=wrong)


@test
def incidents(rig):
    i = j(rig, "incident", "create", "Checkout fails", "--severity", "sev1",
          "--services", "shop,payments", "--summary", "-",
          "--fields", '{"ticket":7}', "--type", "outage",
          "--environments", "prod", input="first\nsecond")
    rig.eq((i["title"], i["severity"], i["services"], i["fields"]),
           ("Checkout fails", "sev1", ["shop", "payments"], {"ticket": 7}))
    rig.eq(i["summary"], "first\nsecond")
    rig.eq(i["source"]["kind"], "cli")
    n = str(i["number"])
    for form in (n, "INC-" + n, i["id"]):
        rig.eq(j(rig, "incident", "show", form)["id"], i["id"])
    text = cli(rig, "incident", "show", n)
    rig.check("Checkout fails" in text and "etag: " in text, text)
    tag = text.split("etag: ")[1].strip()
    u = j(rig, "incident", "update", n, "--severity", "sev0", "--services",
          "", "--etag", tag)
    rig.eq((u["severity"], u["services"]), ("sev0", []))
    cli(rig, "incident", "update", n, "--title", "x", "--etag", tag, rc=5)
    cli(rig, "incident", "update", n, rc=2)
    cli(rig, "incident", "update", n, "--severity", "sev9", rc=6)
    m = j(rig, "incident", "move", n, "acknowledged", "--note", "mine")
    rig.eq(m["status"], "acknowledged")
    cli(rig, "incident", "move", n, "new", rc=5)
    cli(rig, "incident", "move", n, "nonsense", rc=6)
    e = j(rig, "incident", "note", n, "it was DNS", "--key-event")
    rig.eq((e["text"], e["key_event"]), ("it was DNS", True))
    cli(rig, "incident", "note", n, "-", input="from\nstdin")
    t = j(rig, "incident", "timeline", n, "--order", "asc")
    rig.check(any(x["text"] == "from\nstdin" for x in t["items"]), "note")
    rig.check("it was DNS" in cli(rig, "incident", "timeline", n), "table")
    s = j(rig, "incident", "show", n, "--include", "timeline")
    rig.check("it was DNS" in json.dumps(s), "included timeline")
    rig.eq(j(rig, "incident", "alerts", n)["items"], [])
    cli(rig, "incident", "show", "999999", rc=3)
    cli(rig, "incident", "show", "../x", rc=3)
    cli(rig, "incident", "list", "--project", "nowhere", rc=3)


@test
def lists_and_pages(rig):
    for k in range(7):
        cli(rig, "incident", "create", f"page {k}", "--type", "paging")
    a = j(rig, "incident", "list", "--type", "paging", "--limit", "3")
    rig.eq((len(a["items"]), a["next"] is None), (3, False))
    b = j(rig, "incident", "list", "--type", "paging", "--limit", "3",
          "--cursor", a["next"])
    rig.eq(len({x["id"] for x in a["items"] + b["items"]}), 6)
    c = j(rig, "incident", "list", "--type", "paging", "--limit", "2",
          "--all", "--sort", "oldest")
    rig.eq([x["title"] for x in c["items"]], [f"page {k}" for k in range(7)])
    rig.eq(c["next"], None)
    text = cli(rig, "incident", "list", "--type", "paging", "--limit", "2",
               "--all")
    rig.eq(len(text.splitlines()), 8, text)
    rig.check(text.startswith("INCIDENT "), text)
    rig.eq(j(rig, "incident", "list", "--severity", "sev4")["items"], [])
    rig.check(j(rig, "incident", "list", "--from", "1h", "--q", "page 3")
              ["items"], "from and q")
    rig.eq(j(rig, "incident", "list", "--to", "1h")["items"], [])
    cli(rig, "incident", "list", "--limit", "0", rc=6)
    cli(rig, "incident", "list", "--limit", "201", rc=6)
    cli(rig, "incident", "list", "--limit", "x", rc=6)
    cli(rig, "incident", "list", "--cursor", "rubbish", rc=6)
    cli(rig, "incident", "list", "--status", "nonsense", rc=6)
    cli(rig, "incident", "list", "--nonsense", rc=2)


@test
def idempotency(rig):
    one = j(rig, "incident", "create", "once", "--idempotency-key", "k-1")
    two = j(rig, "incident", "create", "once", "--idempotency-key", "k-1")
    rig.eq(one["id"], two["id"])
    cli(rig, "incident", "create", "other", "--idempotency-key", "k-1", rc=5)


@test
def private_incidents(rig):
    account, other = rig.make_account("viewer", rig.project)
    i = j(rig, "incident", "create", "hush", "--private", "true")
    n = str(i["number"])
    cli(rig, "incident", "show", n, rc=3, token=other.token)
    before = j(rig, "incident", "members", n)["members"]
    me = j(rig, "whoami")
    m = j(rig, "incident", "members", n, "--set",
          f"user:{me['id']},service-account:{account}")
    rig.eq(len(m["members"]), 2)
    rig.check(account in cli(rig, "incident", "members", n), "table")
    cli(rig, "incident", "show", n, token=other.token)
    cli(rig, "incident", "members", n, "--set", "user", rc=6)
    rig.check(isinstance(before, list), "members")


@test
def alerts(rig):
    a = j(rig, "alert", "create", "Disk full", "--severity", "critical",
          "--label", "host=db1", "--label", "mount=/a=b", "--message", "97%",
          "--dedup-key", "d1", "--service", "db", "--environment", "prod",
          "--link", "https://example.org/x")
    rig.eq(a["labels"], {"host": "db1", "mount": "/a=b"})
    rig.eq(j(rig, "alert", "show", a["id"])["title"], "Disk full")
    rig.check(a["id"] in cli(rig, "alert", "list"), "table")
    rig.eq(j(rig, "alert", "ack", a["id"], "--note", "looking")["status"],
           "acknowledged")
    rig.eq(j(rig, "alert", "resolve", a["id"])["status"], "resolved")
    rig.check(j(rig, "alert", "list", "--status", "resolved", "--severity",
                "critical", "--from", "1h", "--q", "Disk")["items"], "filter")
    w = j(rig, "alert", "create", "Odd", "--severity", "warning")
    p = j(rig, "alert", "promote", w["id"], "--severity", "sev3")
    rig.check(p, "promoted")
    n = j(rig, "alert", "show", w["id"])["incident"]
    rig.check(n is not None, "incident of the alert")
    got = j(rig, "incident", "alerts", n)["items"]
    rig.eq([x["id"] for x in got], [w["id"]])
    rig.eq(j(rig, "alert", "list", "--incident", n)["items"], got)
    v = j(rig, "alert", "create", "Odder", "--severity", "warning")
    cli(rig, "alert", "promote", v["id"], "--incident", n)
    cli(rig, "alert", "show", "0", rc=3)
    cli(rig, "alert", "ack", "01936b7e-0000-7000-8000-000000000000", rc=3)


@test
def projects(rig):
    rig.eq(j(rig, "project", "create", "shop", "--name", "Shop")["slug"],
           "shop")
    cli(rig, "project", "create", "shop", rc=5)
    cli(rig, "project", "create", "Bad Slug!", rc=6)
    rig.eq(j(rig, "project", "update", "shop", "--name", "The shop")["name"],
           "The shop")
    rig.eq(j(rig, "project", "show", "shop")["name"], "The shop")
    rig.eq(j(rig, "project", "summary", "shop")["alerts"]["total"], 0)
    rig.check("shop" in cli(rig, "project", "list"), "table")
    i = j(rig, "incident", "create", "elsewhere", "--project", "shop")
    rig.eq(i["number"], 1)
    j(rig, "project", "create", "empty")
    cli(rig, "project", "delete", "empty")
    cli(rig, "project", "show", "empty", rc=3)


@test
def integrations(rig):
    rig.check("alertmanager" in cli(rig, "template", "list"), "templates")
    i = j(rig, "integration", "create", "prom", "--template", "alertmanager",
          "--auth", "bearer", "--default-severity", "warning")
    rig.check(i["secret"].startswith("rdw_"), "secret")
    rig.eq(j(rig, "integration", "update", i["id"], "--name", "prom2",
             "--disabled", "true")["name"], "prom2")
    rig.eq(j(rig, "integration", "show", i["id"])["status"], "disabled")
    cli(rig, "integration", "update", i["id"], "--disabled", "false")
    r = j(rig, "integration", "rotate", i["id"])
    rig.check(r["secret"] != i["secret"], "rotated")
    payload = json.dumps({"version": "4", "status": "firing", "alerts": [{
        "status": "firing", "labels": {"alertname": "X",
                                       "severity": "critical"},
        "annotations": {}, "startsAt": "2026-11-25T03:21:34Z"}]})
    t = j(rig, "integration", "test", i["id"], "--payload", "-",
          input=payload)
    rig.check("X" in json.dumps(t), "mapped")
    rig.eq(j(rig, "integration", "deliveries", i["id"])["items"], [])
    d = rig.client(r["secret"]).post(
        "/ingest/" + i["id"], json.loads(payload))
    rig.eq(d.status, 202, d)
    rig.eq(len(j(rig, "integration", "deliveries", i["id"])["items"]), 1)
    rig.check(" accepted " in cli(rig, "integration", "deliveries", i["id"]),
              "table")
    rig.check("prom2" in cli(rig, "integration", "list"), "table")
    cli(rig, "integration", "create", "x", "--template", "nonsense",
        "--auth", "bearer", rc=6)
    cli(rig, "integration", "delete", i["id"])
    cli(rig, "integration", "show", i["id"], rc=3)


@test
def runbooks(rig):
    doc = {"slug": "by-hand", "name": "By hand", "context": "any", "steps": [
        {"id": "look", "kind": "manual", "instructions": "Look."}]}
    r = j(rig, "runbook", "create", json.dumps(doc), "--note", "first")
    rig.eq(r["slug"], "by-hand")
    rig.check("by-hand" in cli(rig, "runbook", "list"), "table")
    rig.eq(j(rig, "runbook", "show", "by-hand")["id"], r["id"])
    doc["name"] = "Otherwise"
    v = j(rig, "runbook", "revise", "by-hand", json.dumps(doc))
    rig.eq(v["version"], 2)
    rig.check("draft" in cli(rig, "runbook", "versions", "by-hand"), "table")
    rig.eq(j(rig, "runbook", "version", "by-hand", "2")["document"], doc)
    cli(rig, "runbook", "approve", "by-hand", "2", "--digest", v["digest"],
        rc=4)  # mine
    _, other = person(rig, "org_admin")
    cli(rig, "runbook", "approve", "by-hand", "2", "--digest", "0" * 64,
        token=other.token, rc=5)
    cli(rig, "runbook", "publish", "by-hand", "2", rc=5)
    a = j(rig, "runbook", "approve", "by-hand", "2", "--digest", v["digest"],
          token=other.token)
    rig.eq(a["state"], "approved")
    rig.eq(j(rig, "runbook", "publish", "by-hand", "2")["state"],
           "published")
    rig.eq(j(rig, "runbook", "plan", "by-hand", "2")["steps"][0]["id"],
           "look")
    rig.eq(j(rig, "runbook", "update", "by-hand", "--pinned", "true")[
        "pinned"], True)
    cli(rig, "runbook", "rm", "by-hand", rc=5)
    doc["slug"] = "unused"
    j(rig, "runbook", "create", json.dumps(doc))
    cli(rig, "runbook", "rm", "unused")
    cli(rig, "runbook", "show", "unused", rc=3)


@test
def a_delegate_of_its_own(rig):
    """Joined, and never approved: it does not run; t_delegate.py has more."""
    d = j(rig, "delegate", "create", "here", "--label", "site=fra")
    home = str(rig.dir / "delegate")
    enroll = ("delegate", "enroll", "--dir", home, "--url", rig.url, "--ca",
              rig.ca, "--name", "here")
    cli(rig, *enroll, input="rdd_no_such_token_00000000000\n", rc=4)
    r = j(rig, *enroll, input=d["token"] + "\n")
    rig.eq((r["delegate"], r["state"]), (d["id"], "pending"))
    show = j(rig, "delegate", "show", d["id"])
    s = j(rig, "delegate", "status", "--dir", home)
    rig.eq((s["fingerprint"], s["state"]), (show["fingerprint"], "pending"))
    rig.check("pending" in cli(rig, "delegate", "status", "--dir", home),
              "text")
    cli(rig, "delegate", "run", "--dir", home + "-none", rc=3)
    cli(rig, "delegate", "epoch", "--dir", home, "--key", "x+y+z", rc=6)
    cli(rig, "delegate", "rm", d["id"])
    cli(rig, "delegate", "run", "--dir", home, rc=4)


@test
def runbook_files(rig):
    """A file of YAML and the API's JSON are one schema."""
    path = rig.dir / "web.yaml"
    path.write_text("""\
# restarts the web tier
slug: web-restart
name: Restart web
context: incident
pinned: true
timeout_s: 600
inputs:
  - {name: host, type: string, required: true}
  - name: answer
    type: string
    enum: [yes, no, "12", 0o17, 12:30]   # all of them texts
steps:
  - id: ask
    kind: approval
    message: |
      May it be restarted?
      Look first.
    count: 1
    expires_s: 3600
  - id: restart
    kind: script
    interpreter: bash
    script: "set -eu\\necho \\"$1\\"\\n"
    args:
      - {input: host}
      - concat: [--mode=, {incident: severity}]
      - 007
      - ~text
    delegates: {labels: {site: fra}}
    on_failure: continue
""")
    doc = {"slug": "web-restart", "name": "Restart web",
           "context": "incident", "pinned": True, "timeout_s": 600,
           "inputs": [{"name": "host", "type": "string", "required": True},
                      {"name": "answer", "type": "string", "enum": [
                          "yes", "no", "12", "0o17", "12:30"]}],
           "steps": [{"id": "ask", "kind": "approval", "message":
                      "May it be restarted?\nLook first.\n", "count": 1,
                      "expires_s": 3600},
                     {"id": "restart", "kind": "script",
                      "interpreter": "bash",
                      "script": 'set -eu\necho "$1"\n',
                      "args": [{"input": "host"}, {"concat": [
                          "--mode=", {"incident": "severity"}]},
                          "007", "~text"],
                      "delegates": {"labels": {"site": "fra"}},
                      "on_failure": "continue"}]}
    f = ("-f", str(path))
    rig.eq(j(rig, "runbook", "lint", *f)["document"], doc)
    cli(rig, "runbook", "diff", *f, rc=3)  # there is none yet
    r = j(rig, "runbook", "apply", *f, "--note", "from git")
    rig.eq(r["latest"], 1)
    v = j(rig, "runbook", "version", "web-restart", "1")
    rig.eq((v["document"], v["note"]), (doc, "from git"))
    rig.eq(j(rig, "runbook", "apply", *f)["version"], 1)  # unchanged
    rig.eq(j(rig, "runbook", "diff", *f)["diff"], "")
    doc["name"] = "Otherwise"
    doc["steps"][1]["args"].append(True)
    changed = rig.dir / "web.json"
    changed.write_text(json.dumps(doc))
    text = j(rig, "runbook", "diff", "-f", str(changed), rc=8)["diff"]
    rig.eq(text.splitlines(), ['- name: "Restart web"', '+ name: "Otherwise"',
                               '+ steps[1].args[4]: true'])
    rig.eq(j(rig, "runbook", "apply", "-f", str(changed))["version"], 2)
    for bad, why in (
            ("a: &x 1\nb: *x\n", "line 1: an anchor"),
            ("a: *x\n", "line 1:"),
            ("a: !!str 1\n", "line 1: a tag"),
            ("a: 1\na: 2\n", "duplicate"),
            ("a: 1\n---\nb: 1\n", "line 2: a second document"),
            ("<<: {a: 1}\n", "line 1: a merge key"),
            ("? [a]\n: 1\n", "line 1: a key"),
            ("a: 1.5\n", "line 1: a number"),
            ("%YAML 1.1\n---\na: 1\n", "directive"),
            ("", "no document"), ("a: [1\n", "line "),
            ("[" * 40, "line "), ("slug: x\n", "slug"),
            ("pinned: yes\nslug: ab\n", "pinned: true or false")):
        text = cli(rig, "runbook", "lint", "-f", "-", rc=6, input=bad)
        rig.check(why in text, f"{bad!r}: {text!r}")


@test
def sample_runbooks(rig):
    """What contrib/runbooks shows can be uploaded as it is."""
    samples = sorted((TOP / "contrib/runbooks").glob("*.yaml"))
    rig.check(len(samples) >= 3, f"{samples}")
    for path in samples:
        doc = j(rig, "runbook", "lint", "-f", str(path))["document"]
        r = j(rig, "runbook", "apply", "-f", str(path))
        rig.eq(r["slug"], path.stem)
        rig.eq(j(rig, "runbook", "version", path.stem, "1")["document"], doc)


@test
def triggers(rig):
    doc = {"slug": "started", "name": "S", "context": "any", "steps": [
        {"id": "look", "kind": "manual", "instructions": "Look."}]}
    j(rig, "runbook", "create", json.dumps(doc))
    a, _ = rig.make_account("responder", rig.project)
    t = j(rig, "trigger", "create", "nightly", "--runbook", "started",
          "--service-account", a, "--on", "schedule", "--cron", "0 3 * * *",
          "--time-zone", "Europe/Berlin")
    rig.check("nightly" in cli(rig, "trigger", "list"), "table")
    rig.eq(len(j(rig, "trigger", "next", t["id"], "--limit", "3")["items"]),
           3)
    rig.eq(j(rig, "trigger", "update", t["id"], "--enabled", "false")[
        "enabled"], False)
    rig.eq(j(rig, "trigger", "show", t["id"])["cron"], "0 3 * * *")
    cli(rig, "run", "log", t["id"], "--tail", "100", rc=3)  # no run
    cli(rig, "trigger", "rm", t["id"])
    cli(rig, "trigger", "show", t["id"], rc=3)


@test
def delegates(rig):
    d = j(rig, "delegate", "create", "fra-1", "--label", "site=fra",
          "--label", "os=linux", "--max-tasks", "4")
    rig.eq(d["labels"], {"site": "fra", "os": "linux"})
    agent = Delegate(rig, d["token"])
    agent.token = j(rig, "delegate", "token", d["id"])["token"]
    rig.check("slot" in cli(rig, "delegate", "list"), "table")
    rig.ok(agent.join(), 201)
    show = j(rig, "delegate", "show", d["id"])
    rig.eq(show["state"], "pending")
    cli(rig, "delegate", "approve", d["id"], rc=4)  # mine
    _, other = person(rig, "org_admin")
    cli(rig, "delegate", "approve", d["id"], "--fingerprint", "0" * 64,
        token=other.token, rc=5)
    r = j(rig, "delegate", "approve", d["id"], "--fingerprint",
          show["fingerprint"], token=other.token)
    rig.eq(r["state"], "approved")
    r = j(rig, "delegate", "update", d["id"], "--label", "site=ber")
    rig.eq(r["labels"], {"site": "ber"})
    rig.eq(j(rig, "delegate", "revoke", d["id"])["state"], "revoked")
    cli(rig, "delegate", "rm", d["id"])
    cli(rig, "delegate", "show", d["id"], rc=3)


@test
def connectors(rig):
    j(rig, "project", "create", "roads")
    at = ("--project", "roads")
    _, other = person(rig, "org_admin")
    kinds = cli(rig, "connector", "kinds")
    rig.check("pagerduty" in kinds and "yes" in kinds or "true" in kinds,
              kinds)
    make = ("connector", "create", "tickets", "--kind", "jira", "--base",
            "https://acme.example.net", "--actions", '["create_issue"]',
            "--auth", '{"kind":"bearer","secret":"jira","scopes":'
            '["write:jira-work"]}', "--delegates", "site=fra")
    cli(rig, *make, *at, rc=2)  # how long?
    c = j(rig, *make, "--expires", "30d", *at)
    rig.eq((c["state"], c["document"]["delegates"]),
           ("draft", {"labels": {"site": "fra"}}))
    cli(rig, "connector", "submit", "tickets", *at, rc=5)  # no secret
    d = j(rig, "delegate", "create", "roads-1", "--label", "site=fra", *at)
    agent = Delegate(rig, d["token"])
    rig.ok(agent.join(), 201)
    cli(rig, "delegate", "approve", d["id"], *at, token=other.token)
    secrets(rig, at, agent)
    rig.eq(j(rig, "connector", "submit", "tickets", *at)["state"], "pending")
    ok = ("connector", "approve", "tickets", "--digest", c["digest"], *at)
    cli(rig, *ok, rc=4)  # mine
    rig.eq(j(rig, *ok, token=other.token)["usable"], True)
    rig.check("approved" in cli(rig, "connector", "list", *at), "table")
    r = j(rig, "connector", "suspend", "tickets", "--reason", "drill", *at)
    rig.eq(r["state"], "suspended")
    r = j(rig, "connector", "update", "tickets", "--min-tls", "1.2", *at)
    rig.eq((r["state"], r["version"]), ("pending", 2))
    rig.eq(j(rig, "connector", "show", "tickets", *at)["version"], 2)
    rig.eq(j(rig, "connector", "revoke", "tickets", *at)["state"],
           "revoked")
    cli(rig, "connector", "delete", "tickets", *at)
    cli(rig, "secret", "rm", "jira", *at)
    cli(rig, "secret", "show", "jira", *at, rc=3)


def secrets(rig, at, agent):
    """Values from standard input and files; keys that are remembered."""
    home = rig.dir / "config"
    env = dict(os.environ, REDOUBT_URL=rig.url, REDOUBT_CA=rig.ca,
               REDOUBT_TOKEN=rig.token, XDG_CONFIG_HOME=str(home))
    new = ("secret", "set", "jira", "--delegates", "site=fra", *at)
    cli(rig, *new, "the-value-itself", rc=2, env=env)  # never an argument
    cli(rig, "secret", "set", "jira", *at, rc=2, env=env, input="x" * 20)
    out = cli(rig, *new, rc=6, env=env, input="short")
    rig.check("first use" in out, out)
    cli(rig, "secret", "set", "jira", "--delegates", "site=ber", *at, rc=5,
        env=env, input="x" * 20)  # nobody there
    p = rig.cli(*new, "--json", env=env, input="canary-in-a-pipe\n")
    note(new)
    rig.eq(p.returncode, 0, p.stderr)
    rig.check("canary" not in p.stdout + p.stderr, p.stderr)
    s = json.loads(p.stdout)
    rig.eq([r["delegate"] for r in s["versions"][0]["recipients"]],
           [agent.id])
    pins = home / "redoubt" / "delegates.txt"
    rig.eq(pins.stat().st_mode & 0o777, 0o600)
    value = rig.dir / "value"
    value.write_bytes(b"from a file\n\0binary")
    turn = ("secret", "rotate", "jira", "--file", str(value), "--overlap",
            "60", *at)
    rig.check("first use" not in rig.cli(*turn, env=env).stderr, "again")
    note(turn)
    # the server says another key: refused until somebody has compared it
    text = pins.read_text()
    pins.write_text(text[:-10] + "0" * 9 + "\n")
    p = rig.cli(*turn, env=env)
    rig.eq(p.returncode, 4, p.stderr)
    rig.check("accept-keys" in p.stderr, p.stderr)
    rig.eq(j(rig, "secret", "show", "jira", *at)["version"], 2)
    rig.eq(rig.cli(*turn, "--accept-keys", env=env).returncode, 0)
    rig.eq(pins.read_text(), text)
    rig.check("jira" in cli(rig, "secret", "list", *at), "table")
    r = j(rig, "secret", "update", "jira", "--connectors", "tickets", *at)
    rig.eq((r["connectors"], r["version"]), (["tickets"], 3))
    rig.eq(j(rig, "secret", "uses", "jira", *at)["items"], [])


@test
def senders(rig):
    i = j(rig, "integration", "create", "gh", "--template", "generic",
          "--auth", "hmac:github")
    rig.eq(i["auth"]["scheme"], "github")
    rig.check(i["secret"] and not i["secret"].startswith("rdw_"), "a secret")
    u = j(rig, "integration", "update", i["id"], "--auth",
          '[{"kind":"hmac","scheme":"github"},{"kind":"bearer"}]')
    rig.check(u["token"] if u.get("token") else u["secret"], "a token more")
    r = j(rig, "integration", "rotate", i["id"], "--overlap", "60",
          "--secret", "sixteen bytes or more")
    rig.check("sixteen" not in json.dumps(r), "it is not shown")
    rig.eq(len(j(rig, "integration", "show", i["id"])["credentials"]), 4)
    j(rig, "integration", "rotate", i["id"], "--drop", "true")
    rig.eq(len(j(rig, "integration", "show", i["id"])["credentials"]), 2)
    n = j(rig, "integration", "create", "jwe", "--template", "generic",
          "--auth", '[{"kind":"bearer"},{"kind":"jwe"}]')
    r = j(rig, "integration", "rotate", n["id"], "--jwe", "true")
    rig.eq(len(r["jwks"]["keys"]), 2)
    cli(rig, "integration", "create", "x", "--template", "generic",
        "--auth", "hmac:md5", rc=6)
    t = j(rig, "token", "create", "bound", "--scopes", "incident.view",
          "--expires", "1d", "--mtls", "A" * 43)
    rig.eq(t["mtls"], "A" * 43)


@test
def people(rig):
    u = j(rig, "user", "create", "ann@example.org", "--name", "Ann")
    rig.eq(j(rig, "user", "update", u["id"], "--name", "Anna")["name"],
           "Anna")
    rig.eq(j(rig, "user", "show", u["id"])["email"], "ann@example.org")
    rig.check("ann@example.org" in cli(rig, "user", "list"), "table")
    cli(rig, "user", "create", "no address", rc=6)
    s = j(rig, "service-account", "create", "robot")
    rig.eq(j(rig, "service-account", "update", s["id"], "--name", "bot")
           ["name"], "bot")
    rig.eq(j(rig, "service-account", "show", s["id"])["name"], "bot")
    rig.check("bot" in cli(rig, "service-account", "list"), "table")
    g = j(rig, "group", "create", "ops", "--members",
          f"user:{u['id']},service_account:{s['id']}")
    rig.eq(len(g["members"]), 2)
    rig.eq(j(rig, "group", "update", g["id"], "--members",
             f"user:{u['id']}")["members"][0]["id"], u["id"])
    rig.eq(j(rig, "group", "show", g["id"])["name"], "ops")
    rig.check("ops" in cli(rig, "group", "list"), "table")
    r = j(rig, "role", "create", "reader", "--permissions",
          "incident.view,project.view")
    rig.eq(sorted(r["permissions"]), ["incident.view", "project.view"])
    rig.eq(len(j(rig, "role", "update", r["id"], "--permissions",
                 "project.view")["permissions"]), 1)
    rig.eq(j(rig, "role", "show", "viewer")["name"], "viewer")
    rig.check("org_admin" in cli(rig, "role", "list"), "table")
    b = j(rig, "binding", "create", f"group:{g['id']}", "responder",
          "--project", rig.project, "--expires", "30d", "--reason", "on call")
    rig.eq(b["role"], "responder")
    rig.eq(j(rig, "binding", "show", b["id"])["reason"], "on call")
    rig.check(b["id"] in cli(rig, "binding", "list", "--project",
                             rig.project), "table")
    x = j(rig, "access", "explain", f"user:{u['id']}", "incident.edit",
          "--project", rig.project)
    rig.eq(x["allowed"], True)
    rig.check(x["because"], "because")
    cli(rig, "binding", "delete", b["id"])
    x = j(rig, "access", "explain", f"user:{u['id']}", "incident.edit",
          "--project", rig.project)
    rig.eq(x["allowed"], False)
    cli(rig, "access", "explain", f"user:{u['id']}", "incident.edit")
    cli(rig, "access", "explain", "nobody", "incident.edit", rc=6)
    cli(rig, "role", "delete", r["id"])
    cli(rig, "group", "delete", g["id"])
    cli(rig, "service-account", "delete", s["id"])
    cli(rig, "user", "delete", u["id"])
    cli(rig, "user", "show", u["id"], rc=3)
    u = j(rig, "user", "create", "left@example.org", "--name", "Left")
    cli(rig, "user", "anonymize", u["id"], rc=2)
    rig.check(j(rig, "user", "anonymize", u["id"], "--reason", "they left")
              ["name"].startswith("person "), "anonymized")


@test
def tokens(rig):
    t = j(rig, "token", "create", "ci", "--scopes", "incident.view",
          "--expires", "1d", "--projects", rig.project, "--ip-allow",
          "127.0.0.0/8")
    rig.check(t["token"].startswith("rdp_"), "token")
    cli(rig, "incident", "list", token=t["token"])
    cli(rig, "incident", "create", "x", token=t["token"], rc=4)
    rig.check("token" not in j(rig, "token", "show", t["id"]), "once")
    rig.check(t["id"] in cli(rig, "token", "list"), "table")
    me = j(rig, "whoami")["id"]
    rig.check(j(rig, "token", "list", "--owner", me)["items"], "owner")
    cli(rig, "token", "revoke", t["id"])
    cli(rig, "incident", "list", token=t["token"], rc=4)
    cli(rig, "token", "create", "x", "--scopes", "nonsense", "--expires",
        "1d", rc=6)
    cli(rig, "token", "create", "x", "--scopes", "*", rc=2)


@test
def feed(rig):
    out = str(rig.dir / "events")
    got = []

    def follow(*argv):
        got.append(rig.user_cli(*argv))
    i = rig.make_incident("watched")
    n = str(i["number"])
    threads = [threading.Thread(target=follow, args=a) for a in (
        ("watch", "--count", "2", "--json"),
        ("watch", "--count", "1", "--exec", f"cat >>{out}"),
        ("incident", "watch", n, "--count", "1"))]
    used.update(("watch", "incident watch"))
    for t in threads:
        t.start()
    time.sleep(1.5)
    cli(rig, "incident", "create", "unwatched")
    cli(rig, "incident", "note", n, "hello")
    for t in threads:
        t.join(20)
    rig.eq(sorted(p.returncode for p in got), [0, 0, 0], got)
    docs = [json.loads(line) for p in got for line in p.stdout.splitlines()
            if line.startswith("{")]
    rig.eq([d["action"] for d in docs], ["incident.create", "timeline.add"])
    rig.eq(json.load(open(out))["action"], "incident.create")
    rig.check(any("timeline.add" in p.stdout and i["id"] in p.stdout and
                  "{" not in p.stdout for p in got), got)
    # from where one left off
    after = str(docs[0]["seq"] - 1)
    again = cli(rig, "watch", "--after", after, "--count", "1", "--json")
    rig.eq(again, docs[0])
    cli(rig, "incident", "watch", "999999", rc=3)


@test
def audit(rig):
    a = j(rig, "audit", "list", "--limit", "5", "--order", "asc")
    rig.eq([e["seq"] for e in a["items"]], [1, 2, 3, 4, 5])
    rig.check("incident.create" in cli(
        rig, "audit", "list", "--action", "incident.create", "--outcome",
        "ok", "--from", "1h"), "table")
    rig.eq(j(rig, "audit", "show", "1")["seq"], 1)
    cli(rig, "audit", "show", "99999999", rc=3)
    note = cli(rig, "audit", "checkpoint")
    key = cli(rig, "audit", "key").strip()
    rig.eq(key.split("+")[0], note.split("\n")[0], "who signs it")
    rig.check("\n\n\u2014 " in note, note)
    size = int(note.split("\n")[1])
    rig.check(cli(rig, "audit", "proof", "--seq", "1"), "inclusion")
    rig.check(j(rig, "audit", "proof", "--old", "1", "--new", str(size)),
              "consistency")
    whole = cli(rig, "audit", "export")
    rig.eq(json.loads(whole.split("\n")[0])["seq"], 1)
    to = str(rig.dir / "export.ndjson")
    s = j(rig, "audit", "export", "--to", to)
    rig.eq(s["file"], to)
    cli(rig, "audit", "export", "--to", to, rc=5)
    part = str(rig.dir / "part.ndjson")
    cli(rig, "audit", "export", "--to", part, "--action", "incident.create",
        "--from", "1d")
    for path in (to, part):
        v = j(rig, "audit", "verify", "--file", path)
        rig.check(v, "verdict")
    text = open(to).read().replace("incident.create", "incident.crEate", 1)
    bad = str(rig.dir / "bad.ndjson")
    open(bad, "w").write(text)
    cli(rig, "audit", "verify", "--file", bad, rc=8)
    cli(rig, "audit", "verify", "--data", str(rig.data))
    cli(rig, "audit", "verify", rc=2)
    cli(rig, "audit", "verify", "--file", "/nonexistent", rc=3)
    cli(rig, "audit", "verify", "--data", "/nonexistent", rc=3)


@test
def exports_for_others(rig):
    d = rig.dir
    key, sealed = str(d / "auditor.key"), str(d / "week.sealed")
    to = cli(rig, "audit", "keygen", "--to", key).strip()
    rig.eq(os.stat(key).st_mode & 0o777, 0o600)
    cli(rig, "audit", "keygen", "--to", key, rc=5)
    rig.check(open(key).read().startswith("redoubt-recipient-secret-1:"), key)
    cli(rig, "audit", "export", "--format", "cef", "--recipient", to,
        "--reason", "for the auditor", "--to", sealed)
    cli(rig, "audit", "export", "--recipient", to[:-1] + "x", rc=6)
    out = str(d / "week.cef")
    rig.check(j(rig, "audit", "open", sealed, "--key", key, "--to", out),
              "opened")
    v = j(rig, "audit", "verify", "--file", out)
    rig.eq((v["format"], v["manifest"]), ("cef", True))
    rig.check(cli(rig, "audit", "open", sealed, "--key", key) ==
              open(out).read(), "to standard output, too")
    other = str(d / "other.key")
    cli(rig, "audit", "keygen", "--to", other, "--json")
    cli(rig, "audit", "open", sealed, "--key", other, rc=8)
    cli(rig, "audit", "open", out, "--key", key, rc=6)
    cli(rig, "audit", "open", sealed, "--key", sealed, rc=6)
    cli(rig, "audit", "open", "/nonexistent", "--key", key, rc=3)
    cut = str(d / "cut.sealed")
    open(cut, "wb").write(open(sealed, "rb").read()[:-1])
    cli(rig, "audit", "open", cut, "--key", key, "--to", str(d / "no"), rc=8)
    rig.check(not os.path.exists(d / "no"), "nothing is left of it")
    lines = cli(rig, "audit", "tail", "--after", "0", "--count", "2")
    rig.eq([json.loads(x)["seq"] for x in lines.splitlines()], [1, 2])


@test
def witnesses(rig):
    key = Witness("auditor.example/cli", b"\5" * 32).vkey
    w = j(rig, "audit", "add-witness", key)
    rig.eq(w["key"], key)
    cli(rig, "audit", "add-witness", key, rc=5)
    cli(rig, "audit", "add-witness", "nonsense", rc=6)
    rig.eq(j(rig, "audit", "show-witness", w["id"])["name"], w["name"])
    rig.check("auditor.example/cli" in cli(rig, "audit", "witnesses"), "list")
    cli(rig, "audit", "remove-witness", w["id"])
    at = str(rig.dir / "witness")
    log = j(rig, "audit", "verify", "--data", str(rig.data))["key"]
    own = cli(rig, "audit", "witness", "--state", at, "--init", "--name",
              "auditor.example/w", "--key", log)
    one = j(rig, "audit", "add-witness", own.strip())["id"]
    rig.check("cosigned" in cli(rig, "audit", "witness", "--state", at), at)
    rig.eq(j(rig, "audit", "compare", at + "/witness", at + "/witness",
             "--key", log)["ok"], True)
    cli(rig, "audit", "remove-witness", one)
    cli(rig, "audit", "show-witness", w["id"], rc=3)
    p = j(rig, "policy", "set", "--witness-quorum", "2", "--witness-minutes",
          "5")
    rig.eq((p["witness_quorum"], p["witness_minutes"]), (2, 5))
    cli(rig, "policy", "set", "--witness-quorum", "9", rc=6)


@test
def local_accounts(rig):
    u = j(rig, "user", "create", "local@example.org")["id"]
    t = j(rig, "user", "enrol", u)["token"]
    cli(rig, "credential", "password", token=t, rc=6, input="short\n")
    cli(rig, "credential", "password", token=t, rc=6, input="")
    rig.eq(j(rig, "credential", "password", token=t, input=GOOD + "\r\n")
           ["kind"], "password")
    rig.ok(rig.client(None).post("/v1/login", {
        "email": "local@example.org", "password": GOOD}), 200)
    secret = j(rig, "credential", "totp", "--name", "phone", token=t)["secret"]
    cli(rig, "credential", "confirm", totp(secret, now_step()), token=t)
    rig.check("codes" in cli(rig, "credential", "recovery-codes", token=t),
              "codes")
    rig.check("phone" in cli(rig, "credential", "list", token=t), "list")
    mine = j(rig, "credential", "list", token=t)["items"]
    rig.eq(sorted(i["kind"] for i in mine), ["password", "recovery", "totp"])
    rig.eq(j(rig, "user", "credentials", u)["items"], mine)
    cli(rig, "credential", "remove", mine[0]["id"], token=t)
    cli(rig, "user", "reset", u, mine[1]["id"])
    cli(rig, "user", "reset", u, mine[1]["id"], rc=3)
    rig.eq(len(j(rig, "credential", "list", token=t)["items"]), 1)
    cli(rig, "credential", "recovery-codes")


@test
def columns_are_members(rig):
    """Each column of views.def names a member that the server sends."""
    views, view = {}, None
    for line in open(os.path.join(os.path.dirname(__file__),
                                  "../../src/cli/views.def")):
        word = line.strip().replace(")", "(").split("(")
        if word[0] == "VIEW":
            view = views.setdefault(word[1], [])
        elif word[0] == "COLUMN":
            view.append(word[1].split('"')[1])
    n = str(rig.make_incident("columns")["number"])
    rig.make_integration()
    cli(rig, "group", "create", "columns")
    cli(rig, "alert", "create", "columns")
    for name, argv in {
            "INCIDENTS": ["incident", "list"],
            "TIMELINE": ["incident", "timeline", n],
            "ALERTS": ["alert", "list"], "PROJECTS": ["project", "list"],
            "INTEGRATIONS": ["integration", "list"],
            "TEMPLATES": ["template", "list"], "USERS": ["user", "list"],
            "SERVICE_ACCOUNTS": ["service-account", "list"],
            "GROUPS": ["group", "list"], "ROLES": ["role", "list"],
            "BINDINGS": ["binding", "list"], "TOKENS": ["token", "list"],
            "CREDENTIALS": ["credential", "list"],
            "AUDIT": ["audit", "list"], "POSTURE": ["posture"]}.items():
        items = j(rig, *argv)["items"]
        rig.check(items, f"{name} is empty")
        for column in views[name]:
            rig.check(any(column in x for x in items), f"{name}.{column}")


@test
def posture_and_keys(rig):
    p = j(rig, "posture")
    rig.check(all({"check", "ok", "detail", "fix"} <= set(x)
                  for x in p["items"]), p)
    rig.check("CHECK" in cli(rig, "posture"), "table")
    cli(rig, "posture", "--strict",
        rc=0 if all(x["ok"] for x in p["items"]) else 8)
    d = str(rig.data)
    i = rig.make_incident("before rotation")
    rig.check(j(rig, "key", "status", "--data", d), "status")
    rig.check(cli(rig, "key", "status", "--data", d), "status")
    cli(rig, "key", "rotate", "--data", d)
    cli(rig, "key", "rewrap", "--data", d)
    s = cli(rig, "key", "split", "--data", d, "--shares", "3", "--threshold",
            "2").split()
    cli(rig, "key", "drill", "--data", d, input="\n".join(s[1:]) + "\n")
    cli(rig, "key", "recover", "--data", d, rc=5)
    cli(rig, "key-source", "list", "--data", d)
    cli(rig, "key-source", "add", "--data", d, "--kind", "file", rc=6)
    cli(rig, "key-source", "test", "--data", d, "file", rc=5)
    cli(rig, "key-source", "remove", "--data", d, "file", rc=3)
    cli(rig, "key", "reencrypt", "--data", d)
    rig.check("Ed25519" in cli(rig, "key", "inventory"), "inventory")
    rig.eq(j(rig, "incident", "show", i["id"])["title"], "before rotation")
    rig.eq(j(rig, "incident", "create", "after")["title"], "after")
    cli(rig, "key", "status", "--data", "/nonexistent", rc=3)


@test
def denials(rig):
    _, viewer = rig.make_account("viewer", rig.project)
    t = viewer.token
    cli(rig, "incident", "list", token=t)
    cli(rig, "incident", "create", "x", token=t, rc=4)
    cli(rig, "user", "list", token=t, rc=4)
    cli(rig, "audit", "export", token=t, rc=4)
    cli(rig, "project", "show", "shop", token=t, rc=3)


@test
def local_commands(rig):
    d = str(rig.data)
    cli(rig, "init", "--data", d, rc=5)
    cli(rig, "init", rc=2)
    cli(rig, "serve", "--data", d, "--listen", "127.0.0.1:0", rc=7)
    cli(rig, "serve", "--data", "/nonexistent", rc=3)
    out = j(rig, "check", "--data", d, rc=8 if SANITIZED else 0)
    rig.check(isinstance(out, dict), out)
    cli(rig, "check", "--data", "/nonexistent", rc=3)
    cli(rig, "help")
    cli(rig, "help", "incident", "move")
    cli(rig, "help", "nonsense", rc=2)
    j(rig, "help")
    rig.check(cli(rig, "version").startswith("redoubt "), "version")
    rig.check("version" in j(rig, "version"), "version")
    rig.check("script" in j(rig, "completion", "bash"), "completion")
    cli(rig, "completion", "tcsh", rc=2)
    p = rig.user_cli()
    rig.eq(p.returncode, 2)


@test
def L08_inert_on_a_terminal(rig):
    evil = "a\u202eb\u2066c\u0085d"
    i = rig.post(rig.p + "/incidents",
                 {"title": "t", "summary": "x\n\x1b[2J" + evil})
    if i.status != 201:  # refusing it is fine, too
        return
    n = str(i.json["number"])
    for argv in (("incident", "show", n), ("incident", "list"),
                 ("incident", "show", n, "--json")):
        out = cli(rig, *argv) if "--json" not in argv else \
            rig.user_cli(*argv).stdout
        rig.check(not set(out) & set("\x1b\u202e\u2066\u0085"), argv)
    rig.eq(j(rig, "incident", "show", n)["summary"], i.json["summary"])


@test
def access(rig):
    u = j(rig, "user", "create", "zoe@example.org")
    subject = "user:" + u["id"]
    g = j(rig, "resource-group", "create", "databases", "--types",
          "incident,alert", "--services", "db", "--label", "team=a")
    rig.eq((g["labels"], g["services"]), ({"team": "a"}, ["db"]))
    j(rig, "resource-group", "update", g["id"], "--severities", "sev1")
    rig.eq(j(rig, "resource-group", "show", g["id"])["severities"], ["sev1"])
    rig.check("databases" in cli(rig, "resource-group", "list"), "list")
    b = j(rig, "binding", "create", subject, "viewer", "--project",
          rig.project, "--resource-group", g["id"], "--not-before",
          "2020-01-01T00:00:00Z")
    x = j(rig, "access", "what-can", subject)
    rig.check("incident.view" in x["some_resources"][rig.project], str(x))
    who = cli(rig, "access", "who-can", "project.view", "--project",
              rig.project)
    rig.check("zoe@example.org" in who, who)
    x = j(rig, "access", "preview", "DELETE", "/v1/bindings/" + b["id"])
    rig.check(x["removed_count"] > 0, str(x))
    cli(rig, "access", "set-tests", '[{"as":"user:zoe@example.org","do":'
        '"incident.view","on":"some:%s","expect":"allow"}]' % rig.project)
    rig.check("zoe" in cli(rig, "access", "tests"), "tests")
    cli(rig, "binding", "delete", b["id"], rc=5)
    cli(rig, "binding", "delete", b["id"], "--force")
    cli(rig, "access", "set-tests", "[]")
    cli(rig, "resource-group", "delete", g["id"])
    why = "nobody of the team can be reached"
    e = j(rig, "break-glass", "use", why, "--minutes", "5", "--in",
          rig.project)
    cli(rig, "break-glass", "use", "short", "--minutes", "5", rc=6)
    rig.check(why[:20] in cli(rig, "break-glass", "list"), "list")
    rig.eq(j(rig, "break-glass", "show", e["id"])["state"], "live")
    cli(rig, "break-glass", "end", e["id"])
    cli(rig, "break-glass", "review", e["id"], "fine", rc=4)


@test
def audit_saved_and_reviewed(rig):
    f = j(rig, "audit", "filter", "save", "refused", "--outcome", "denied",
          "--days", "7", "--shared")
    rig.eq(f["filter"], {"outcome": "denied", "days": 7})
    rig.check("refused" in cli(rig, "audit", "filter", "list"), "list")
    cli(rig, "incident", "show", "INC-999999", rc=3)
    rig.check(all(e["outcome"] == "denied" for e in j(
        rig, "audit", "list", "--filter", "refused")["items"]), "filtered")
    cli(rig, "audit", "list", "--address", "127.0.0.0/8", "--days", "1",
        "--project", rig.project, "--request", f["id"])
    f = j(rig, "audit", "filter", "update", f["id"], "--action", "auth.*",
          "--shared", "false")
    rig.eq((f["filter"], f["shared"]), ({"action": "auth.*"}, False))
    rig.eq(j(rig, "audit", "filter", "show", f["id"])["name"], "refused")
    cli(rig, "audit", "filter", "rm", f["id"])
    cli(rig, "audit", "list", "--filter", "refused", rc=6)
    r = j(rig, "audit", "review", "add", "nothing odd", "--findings", "0")
    rig.check(str(r["through"]) in cli(rig, "audit", "review", "list"), "r")


@test
def tokens_cared_for(rig):
    t = j(rig, "token", "create", "cared for", "--scopes",
          "incident.view,alert.view", "--expires", "10d")
    u = j(rig, "token", "usage", t["id"])
    rig.eq(sorted(u["unused"]), ["alert.view", "incident.view"])
    rig.check("cared for" in cli(rig, "token", "unused"), "unused")
    n = j(rig, "token", "narrow", t["id"], "--scopes", "incident.view")
    rig.eq(n["scopes"], ["incident.view"])
    r = j(rig, "token", "rotate", t["id"], "--overlap", "0")
    rig.check(r["token"] != t["token"], "rotated")
    cli(rig, "token", "rotate", t["id"], rc=5)


@test
def sessions_and_policy(rig):
    cli(rig, "session", "list", "--user", "*")
    cli(rig, "session", "kill", "01a22000-0000-7000-8000-000000000000", rc=3)
    cli(rig, "session", "kill-all")
    was = j(rig, "policy", "show")["review_days"]
    rig.eq(j(rig, "policy", "set", "--review-days", "60")["review_days"], 60)
    cli(rig, "policy", "set", "--review-days", str(was))
    rig.eq(j(rig, "policy", "set", "--messaging", "true")["messaging"], True)
    rig.eq(j(rig, "policy", "set", "--messaging", "false")["messaging"], False)


@test
def identity_providers(rig):
    key = Key(rig.dir, "cli").jwk
    i = j(rig, "idp", "create", "cli-as", "--kind", "oauth", "--issuer",
          "https://as.example.org", "--audience",
          "https://redoubt.example.org", "--jwks",
          json.dumps({"keys": [key]}))
    rig.check("cli-as" in cli(rig, "idp", "list"), "list")
    rig.eq(j(rig, "idp", "show", i["id"])["kind"], "oauth")
    # only a provider that codes are redeemed at can be asked
    rig.check("redoubt:" in cli(rig, "idp", "discover", i["id"], rc=6),
              "discover")
    sa = j(rig, "service-account", "create", "by token")
    k = j(rig, "service-account", "link", sa["id"], "--idp", i["id"],
          "--subject", "robot")
    rig.check("robot" in cli(rig, "service-account", "identities", sa["id"]),
              "identities")
    cli(rig, "service-account", "unlink", sa["id"], k["id"])
    u = j(rig, "user", "create", "linked@example.org")
    k = j(rig, "user", "link", u["id"], "--idp", i["id"], "--subject", "lin")
    rig.check("lin" in cli(rig, "user", "identities", u["id"]), "user")
    cli(rig, "user", "unlink", u["id"], k["id"])
    j(rig, "idp", "update", i["id"], "--enabled", "false")
    cli(rig, "idp", "rm", i["id"])
    cli(rig, "idp", "show", i["id"], rc=3)


@test
def runs(rig):
    b = Book(rig, "cli-runs", [manual("a"), approval("ok"), manual("b")],
             inputs=[{"name": "host", "type": "string"}])
    p = j(rig, "runbook", "run", "cli-runs", "--dry-run")
    rig.eq([s["id"] for s in p["steps"]], ["a", "ok", "b"])
    r = j(rig, "runbook", "run", "cli-runs", "--inputs",
          '{"host":"db1"}', "--idempotency", "once")
    rig.eq(r["inputs"], {"host": "db1"})
    rig.check("Cli-Runs" in cli(rig, "run", "list", "--status", "running",
                                "--runbook", "cli-runs"), "list")
    j(rig, "run", "complete", r["id"], "a", "--note", "done")
    w = j(rig, "run", "show", r["id"])["steps"][1]["waiting_for"]
    cli(rig, "run", "approve", r["id"], "ok", "approve", rc=4)
    out = rig.user_cli("run", "approve", r["id"], "ok", "approve",
                       "--digest", w["digest"], "--json",
                       token=b.rig.checker.token)
    rig.eq(out.returncode, 0, out.stderr)
    rig.eq(j(rig, "run", "cancel", r["id"])["state"], "cancelled")
    for place in ("", "-all"):
        j(rig, "automation", "freeze" + place, "fire drill")
        rig.eq(j(rig, "automation", "status" + place)["frozen"], True)
        cli(rig, "runbook", "run", "cli-runs", rc=5)
        cli(rig, "automation", "thaw" + place)
        rig.eq(j(rig, "automation", "status" + place)["frozen"], False)


@test
def holds(rig):
    h = j(rig, "hold", "create", "smith", "--reason", "-", "--on",
          rig.project, "--until", "90d", input="a letter")
    rig.eq((h["live"], h["project"], h["reason"]),
           (True, rig.project, "a letter"))
    rig.check("smith" in cli(rig, "hold", "list"), "list")
    rig.eq(j(rig, "hold", "show", h["id"])["id"], h["id"])
    rig.eq(j(rig, "hold", "release", h["id"], "--reason", "over")["live"],
           False)
    cli(rig, "hold", "release", h["id"], "--reason", "over", rc=5)


def actions_of_commands():
    """{command: (route, its audit action)} from the tables."""
    route = dict(re.findall(r'^ROUTE\((\w+),\s.*?\b(AUDIT_\w+),',
                            (TOP / "src/flow/routes.def").read_text(), re.M))
    action = dict(re.findall(r'^AUDIT\((\w+),\s*"([^"]+)"',
                             (TOP / "src/audit/audit.def").read_text(), re.M))
    out = {}
    for f in sorted((TOP / "src/cli").glob("commands*.def")):
        for name, r in re.findall(r'^COMMAND\("([^"]+)", \w+, (\w+),',
                                  f.read_text(), re.M):
            if route.get(r, "AUDIT_NONE") != "AUDIT_NONE":
                out[name] = r, action[route[r]]
    return out


@test
def every_command_left_its_entry(rig):
    """L20: what a command did is in the log under its route's action."""
    did, missing = 0, []
    for name, (route, action) in actions_of_commands().items():
        if name not in worked:
            continue
        e = rig.ok(rig.get(f"/v1/audit?action={action}&limit=1"),
                   200).json["items"]
        did += 1
        if not e or e[0]["outcome"] not in ("ok", "intent"):
            e = rig.get(f"/v1/audit?action={action}&outcome=ok").json["items"]
        if not e:
            missing.append((name, route, action))
    rig.eq(missing, [])
    rig.check(did > 120, f"{did} commands")
    print(f"# {did} commands by their actions")


@test
def retention(rig):
    j(rig, "policy", "set", "--retention", '{"incident":{"days":90}}')
    rig.eq(j(rig, "retention", "show")["incident"]["days"], 90)
    rig.eq(j(rig, "retention", "set", "--incident", "30",
             "--audit-body", "400")["incident"],
           {"days": 30, "min_days": 0, "locked": None, "by": "project"})
    cli(rig, "retention", "set", "--incident", "91", rc=6)
    cli(rig, "retention", "preview")
    cli(rig, "retention", "run")
    cli(rig, "retention", "report")
    log, rows = (str(rig.data.parent / x) for x in ("destroyed.log", "rows"))
    with open(log, "w") as f:
        f.write(cli(rig, "audit", "export"))
    with open(rows, "w") as f:
        json.dump(j(rig, "retention", "report", "--all"), f)
    v = j(rig, "retention", "verify", "--file", rows, "--log", log)
    rig.eq((v["ok"], v["rows"]), (True, v["bound"]))
    cli(rig, "retention", "verify", "--file", rows, "--log", log + "x", rc=3)


@test
def server_gone(rig):
    rig.stop()
    cli(rig, "whoami", rc=7)
    cli(rig, "serve", "--data", str(rig.data), "--listen", "nonsense", rc=2)
    cli(rig, "audit", "verify", "--data", str(rig.data))
    cli(rig, "check", "--data", str(rig.data), rc=rig.user_cli(
        "check", "--data", str(rig.data)).returncode)


@test
def the_doctor_of_a_delegate(rig):
    d = j(rig, "delegate", "doctor")
    rig.check(d["level"] in ("full", "degraded"), d["missing"])
    rig.check(len(d["probes"]) >= 44, d)
    rig.check("level " in cli(rig, "delegate", "doctor"), "a line a probe")


@test
def backups(rig):
    d, to = str(rig.data), str(rig.dir / "cli.rbk")
    b = j(rig, "backup", "--data", d, "--to", to)
    rig.eq((b["online"], b["base"]), (rig.server is not None, None))
    cli(rig, "backup", "--data", d, "--to", to, rc=5)
    rig.eq(j(rig, "backup", "verify", "--from", to)["id"], b["id"])
    out = cli(rig, "restore", "--from", to, "--data", str(rig.dir / "cli-r"),
              "--reason", "a drill")
    rig.check("origin" in out, out)
    cli(rig, "restore", "--from", to, "--data", d, rc=5)
    # nothing is lost where nothing was cut
    cli(rig, "audit", "fork", "--data", str(rig.dir / "cli-r"), rc=5)


@test
def sealing(rig):
    d = str(rig.data)
    if rig.server is None:
        rig.start()
    cli(rig, "key", "unseal", "--data", d, rc=5)
    cli(rig, "key", "seal-remote", "", rc=6)
    cli(rig, "key", "seal-remote", "a drill")
    rig.says("sealed")
    cli(rig, "incident", "list", rc=7)
    cli(rig, "key", "unseal", "--data", d)
    rig.says("ready")
    cli(rig, "key", "seal", "--data", d, "--reason", "a drill")
    rig.says("sealed")
    cli(rig, "key", "unseal", "--data", d)
    rig.says("ready")
    cli(rig, "incident", "list")


@test
def every_command_was_driven(rig):
    used.add("serve")
    rig.eq(sorted(set(names) - used), [])


run()
