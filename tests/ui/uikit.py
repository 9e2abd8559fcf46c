"""
uikit.py: a real server with people on it, and a Chromium that uses it.

    from uikit import Ui, journeys, run
    journeys("incidents.mjs")      # its tests are TAP of this file
    run()

Each *.mjs is a node program (kit.mjs) that gets the address, the people and
what the seed made as JSON in UI, and prints TAP.
"""
import base64
import hashlib
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from delegatekit import DRig  # noqa: E402
from npmkit import NODE, install  # noqa: E402
from rig import run as run_rig  # noqa: E402
from rig import test  # noqa: E402

ROLES = ("viewer", "responder", "commander", "automation_author", "approver",
         "integration_admin", "oncall_manager", "project_admin", "org_admin",
         "auditor")
PASSWORD = "nine tired otters knit"


def spki(pem):
    """What Chromium's --ignore-certificate-errors-spki-list wants."""
    out = subprocess.run(
        "openssl x509 -pubkey -noout | openssl pkey -pubin -outform der",
        shell=True, input=pem, capture_output=True, check=True).stdout
    return base64.b64encode(hashlib.sha256(out).digest()).decode()


class Ui(DRig):
    """A server with one person for each built-in role."""

    def __init__(self, **kw):
        super().__init__(**kw)
        self.people = {}

    def human(self, role, name=None, project=None):
        """Somebody who can log in: {email, password, id, name}."""
        name = name or role.replace("_", " ").title()
        email = f"{role.replace('_', '.')}@example.com"
        if email in {p["email"] for p in self.people.values()}:
            email = f"{len(self.people)}.{email}"
        u = self.ok(self.post("/v1/users", {"email": email, "name": name}),
                    201).json["id"]
        t = self.ok(self.post(f"/v1/users/{u}/enrolment"), 201).json["token"]
        self.ok(self.client(t).post("/v1/me/password", {"new": PASSWORD}),
                200)
        everywhere = role in ("org_admin", "auditor")
        self.bind("user", u, role,
                  None if everywhere else project or "default")
        return {"email": email, "password": PASSWORD, "id": u, "name": name}

    def everybody(self):
        for r in ROLES:
            if r not in self.people:
                self.people[r] = self.human(r)
        return self.people

    def facts(self, **more):
        pem = ssl.get_server_certificate((self.host, self.port)).encode()
        return {"url": self.url, "project": "default", "token": self.token,
                "pid": self.server.pid, "spki": spki(pem),
                "people": self.people,
                "dist": str(HERE.parent.parent / "build/ui/dist"),
                "out": str(HERE.parent.parent / "build/shots"), **more}

    def node(self, program, *args, timeout=900, **more):
        """Run a program of kit.mjs; (passed, failed) names, what it said.
        Its notes are told at once."""
        install(HERE)
        said, env = [], {**os.environ, "UI": json.dumps(self.facts(**more))}
        with open(self.dir / "node.log", "w+") as log:
            p = subprocess.Popen([NODE, HERE / program, *args], env=env,
                                 stdout=subprocess.PIPE, stderr=log,
                                 text=True)
            timer = threading.Timer(timeout, p.kill)
            timer.start()
            for line in p.stdout:
                said.append(line.rstrip())
                if line.startswith("#"):
                    print(line, end="", flush=True)
            rc = p.wait()
            timer.cancel()
            log.seek(0)
            err = log.read()
        bad = [x for x in said if x.startswith("not ok")]
        good = [x for x in said if x.startswith("ok")]
        if rc != 0 and not bad:
            bad = [f"not ok {program} exit {rc} (-9: after {timeout} s): "
                   f"{err[-1500:]}"]
        return good, bad, err


def journeys(program, seed=None, **more):
    """Each journey of the program is a test of this file."""
    text = (HERE / program).read_text()
    names = re.findall(r'^journey\("([^"]+)"', text, re.M)
    assert names, f"{program} has no journeys"
    state = {}

    def all_of_it(rig):
        if "began" not in state:
            state.update(began=True, good=[], bad=["the seed failed"])
            rig.everybody()
            facts = {**more, **((seed(rig) or {}) if seed else {})}
            only = sys.argv[1:2]
            state["good"], state["bad"], _ = rig.node(
                program, *only, **facts)
        return state

    for n in names:
        def one(rig, n=n):
            s = all_of_it(rig)
            ends = f" - {n}"
            if any(x.endswith(ends) for x in s["good"]):
                return
            why = [x for x in s["bad"] if not x.startswith("not ok ") or
                   x.endswith(ends)] or ["it did not come to it"]
            rig.fail("\n".join(why)[-2000:])
        one.__name__ = n
        test(one)


def run():
    run_rig(Ui)
