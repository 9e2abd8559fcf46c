#!/usr/bin/env python3
"""The log as tiles: what another implementation of tlog-tiles makes of it."""
import json
import sys
import time
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import run, test  # noqa: E402
from tlogkit import (LOG, checkpoint, leaf_hash, path_of,  # noqa: E402
                     root_of, tiles, unbundle)


def grown(rig, entries=600):
    """A log of more than two tiles, signed; its newest note."""
    size = 0
    while size < entries:
        # a change is an entry of its own
        for i in range(entries - size):
            rig.make_incident(f"entry {i}")
        time.sleep(1.2)
        note = rig.ok(rig.get(LOG + "/checkpoint"), 200).body
        size = checkpoint(note)[1]
    return note


def get(rig, path):
    return rig.ok(rig.get(f"{LOG}/tile/{path}", raw=True), 200)


@test
def all_of_it(rig):
    origin, size, root = checkpoint(grown(rig))
    leaves, hashes, above = [], [], []
    for i, w in tiles(size, 0):
        bundle = unbundle(get(rig, "entries/" + path_of(i, w)).body)
        tile = get(rig, "0/" + path_of(i, w)).body
        rig.eq(len(bundle), w)
        rig.eq(len(tile), 32 * w)
        leaves += bundle
        hashes += [tile[n:n + 32] for n in range(0, len(tile), 32)]
    rig.eq(len(leaves), size)
    rig.check([leaf_hash(e) for e in leaves] == hashes, "hashes of leaves")
    rig.eq(root_of(hashes), root, "the signed root")
    rig.eq([json.loads(e)["seq"] for e in leaves], list(range(1, size + 1)))
    for i, w in tiles(size, 1):
        tile = get(rig, "1/" + path_of(i, w)).body
        above += [tile[n:n + 32] for n in range(0, len(tile), 32)]
    rig.check(above == [root_of(hashes[n:n + 256])
                        for n in range(0, size - size % 256, 256)], "level 1")
    rig.check(origin.startswith("redoubt"), origin)


@test
def a_tile_is_for_ever(rig):
    for path in ("0/000", "0/000.p/7", "entries/000", "1/000.p/2"):
        r = get(rig, path)
        rig.check("immutable" in r.headers["cache-control"] and
                  "private" in r.headers["cache-control"], r.headers)
        rig.eq(r.headers["content-type"], "application/octet-stream")
    whole, part = get(rig, "0/000").body, get(rig, "0/000.p/7").body
    rig.eq(whole[:7 * 32], part, "a part of a tile that is full by now")
    rig.eq(get(rig, "1/000.p/1").body, root_of(
        [whole[n:n + 32] for n in range(0, len(whole), 32)]))
    r = rig.get(LOG + "/checkpoint")
    rig.eq(r.headers["cache-control"], "no-store")
    r = rig.get(LOG + "/tile/0/999")
    rig.eq(r.headers["cache-control"], "no-store", "what may be there later")


@test
def what_is_not_there(rig):
    size = checkpoint(rig.get(LOG + "/checkpoint").body)[1]
    i, w = tiles(size, 0)[-1]
    for kind in ("0", "entries"):
        for path in ("", "0", "0000", "x000/000", "000.p/0", "000.p/256",
                     "000.p/01", "000.p", "000/", "..", "%30%30%30",
                     "000%2ep/1", path_of(i), path_of(i + 1, 1),
                     "x999/x999/x999/x999/x999/999", "9" * 40):
            rig.ok(rig.get(f"{LOG}/tile/{kind}/{path}"), 404)
    for level in ("8", "63", "64", "-1", "00", "x", "data"):
        rig.ok(rig.get(f"{LOG}/tile/{level}/000.p/1"), 404)
    rig.ok(rig.post(LOG + "/tile/0/000", {}), 405)
    rig.ok(rig.client(None).get(LOG + "/tile/0/000"), 401)
    _, c = rig.make_account("viewer", rig.project)
    for path in ("/tile/0/000", "/tile/entries/000", "/checkpoint",
                 "/consistency?old=0"):
        rig.ok(c.get(LOG + path), 403)
    _, c = rig.make_account("auditor")
    for path in ("/tile/0/000", "/tile/entries/000", "/checkpoint",
                 "/consistency?old=0"):
        rig.ok(c.get(LOG + path), 200)


@test
def nothing_before_it_is_signed(rig):
    """A bundle never has more than a checkpoint that was given out."""
    for _ in range(20):
        rig.make_incident("more")
        i, w = tiles(checkpoint(rig.get(LOG + "/checkpoint").body)[1], 0)[-1]
        rig.ok(rig.get(f"{LOG}/tile/entries/{path_of(i, w)}"), 200)
        last = json.loads(unbundle(rig.get(
            f"{LOG}/tile/entries/{path_of(i, w)}").body)[-1])["seq"]
        rig.eq(last, 256 * i + w)


@test
def proofs_between_sizes(rig):
    note = rig.get(LOG + "/checkpoint").body
    size = checkpoint(note)[1]
    r = rig.ok(rig.get(f"{LOG}/consistency?old=0"), 200).body.decode()
    rig.check(r.startswith("old 0\n\n"), r[:30])
    rig.make_incident("grow")
    time.sleep(1.3)
    r = rig.ok(rig.get(f"{LOG}/consistency?old={size}"), 200).body.decode()
    head, _, note = r.partition("\n\n")
    # witnesses are shown one and the same for some minutes, or a newer one
    next_ = checkpoint(note.encode())[1]
    rig.check(next_ >= size, "never an older one than was seen")
    rig.check((next_ == size) == (head == f"old {size}"), head)
    rig.eq(head.split("\n")[0], f"old {size}")
    r = rig.ok(rig.get(f"{LOG}/consistency?old=3"), 200).body.decode()
    head, _, note = r.partition("\n\n")
    rig.check(head.startswith("old 3\n") and checkpoint(note.encode())[1] > 3
              and all(len(h) == 44 for h in head.split("\n")[1:]), head)
    for q in ("", "?old=x", "?old=-1"):
        rig.ok(rig.get(LOG + "/consistency" + q), 400)
    rig.ok(rig.get(LOG + "/consistency?old=99999999"), 409)


run()
