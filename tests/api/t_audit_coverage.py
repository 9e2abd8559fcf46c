#!/usr/bin/env python3
"""
Floods are counted to the last request; and who reads the log reads nothing of
incidents.  That every route leaves its entry, whoever asks, is judged in
t_matrix.py; that every command does, in t_cli.py.
"""
import sys
import threading
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from auditkit import entries, operations, said  # noqa: E402
from rig import run, sse, test  # noqa: E402

TEXT = "zebra-quartz"  # what only incidents say


def values(rig):
    """What stands in paths: things there are."""
    i = rig.make_incident(TEXT + " title", summary=TEXT + " summary",
                          services=["db"], fields={"f": TEXT + " field"})
    rig.ok(rig.post(f"{rig.p}/incidents/{i['id']}/timeline",
                    {"text": TEXT + " note"}), 201)
    a = rig.ok(rig.post(rig.p + "/alerts", {
        "title": TEXT + " alert", "severity": "info",
        "message": TEXT + " message"}), 201).json
    hook = rig.make_integration()
    return {"p": rig.project, "i": i["id"], "a": a["id"], "n": hook["id"],
            "g": hook["id"], "s": "1"}


@test
def floods_add_up(rig):
    """Some share an entry; their counts are what was asked, to the last."""
    sa, c = rig.make_account("viewer", rig.project)
    threads, each = 8, 60
    kinds = ((rig.p + "/incidents", 200, "incident.list", "ok"),
             ("/v1/users", 403, "user.list", "denied"))
    last = entries(rig, 0)[-1]["seq"]

    def flood():
        mine = rig.client(c.token)
        for _ in range(each):
            for path, status, *_ in kinds:
                if mine.get(path).status != status:
                    rig.check(False, path)
    ts = [threading.Thread(target=flood) for _ in range(threads)]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    for _, _, action, outcome in kinds:
        e = entries(rig, last, f"&principal={sa}&action={action}"
                    f"&outcome={outcome}")
        rig.eq(sum(x["count"] for x in e), threads * each, action)
        print(f"# {threads * each} of {action} in {len(e)} entries")


@test
def the_auditor_reads_no_incident(rig):
    ids, ops = values(rig), operations(rig)
    glass = rig.ok(rig.post("/v1/break-glass", {
        "reason": "the only responder cannot be reached", "minutes": 5,
        "incident": ids["i"]}), 201).json["id"]
    _, auditor = rig.make_account("auditor")
    _, viewer = rig.make_account("viewer", rig.project)
    sights = [ids] + [{**ids, "n": n} for n in (glass,)]
    told = 0
    for sight in sights:
        for method, at, body in said(auditor, ops, sight):
            rig.check(TEXT.encode() not in body, f"{method} {at}: {body!r}")
            told += len(body)
    for path in ("/v1/audit/stream", "/v1/events"):
        rig.make_incident(TEXT + " told live")
        heard = sse(auditor, path, 0.6)
        rig.check(TEXT not in heard, f"{path}: {heard!r}")
    # the test can fail: who may read it does
    rig.check(any(TEXT.encode() in b for _, _, b in
                  said(viewer, ops, ids)), "a viewer reads it")
    rig.check(told > 10000, f"{told} bytes")
    print(f"# {told} bytes read as auditor")


run()
