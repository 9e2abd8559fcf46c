#!/usr/bin/env python3
"""
What opens the root key file: passphrases, key files, shares; the copy for
escrow; everything a person can get wrong.  No passphrase and no share is
ever an argument.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from keykit import PASS, fresh, key, lines, says  # noqa: E402
from rig import SANITIZED, TOP, Rig, run, test  # noqa: E402



@fresh
def shares_bring_a_lost_file_back(rig):
    d = rig.data
    out = key(rig, "key", "split", "--shares", "5", "--threshold", "3")
    s = out["shares"]
    rig.eq((len(s), len(set(s)), out["threshold"]), (5, 5, 3))
    rig.eq(key(rig, "key", "drill", said=lines(*s[1:4]))["opens"], True)
    was = (d / "keys/root.key").read_text()
    for bad, why, rc in (
            (s[:2], "3 shares are needed, 2 were given", 6),
            ([s[0], s[1], s[0]], "share 1 was given twice", 6),
            ([s[0], s[1][:-3] + "000", s[2]], "line 2: this share is damaged",
             6),
            ([s[0], s[1][:-5], s[2]], "line 2: this share is too short", 6),
            ([s[0], "redoubt1-" + "U" * 69, s[2]],
             "line 2: this share has a character that no share has", 6),
            (["swordfish", s[1]], "line 1: that is no share", 6)):
        says(rig, why, "key", "drill", said=lines(*bad), rc=rc)
    says(rig, "there is a root key file", "key", "recover", said=lines(*s[:3]), rc=5)
    (d / "keys/root.key").unlink()
    key(rig, "key", "status", rc=7)
    says(rig, "3 shares are needed", "key", "recover", said=lines(*s[:2]), rc=6)
    rig.check(not (d / "keys/root.key").exists(), "nothing was written")
    out = key(rig, "key", "recover",
              said=lines(s[4].lower().replace("-", " ").replace(
                  "redoubt1 ", "redoubt1-"), s[0], s[2]))
    rig.eq((d / "keys/root.key").read_text(), was)
    rig.eq((d / "keys/root.key").stat().st_mode & 0o777, 0o400)
    rig.eq(out["root"], was.split()[1])
    # other shares replace these
    new = key(rig, "key", "split", "--shares", "3", "--threshold", "2")
    says(rig, "share 1 is of another set", "key", "drill", said=lines(*s[:3]), rc=6)
    says(rig, "share 3 is of another set", "key", "drill", said=lines(new["shares"][0], s[2]),
                  rc=6)
    for n, k in ((1, 1), (2, 3), (17, 2), (3, 1), (0, 0)):
        key(rig, "key", "split", "--shares", str(n), "--threshold", str(k),
            rc=6)


@fresh
def shares_outlive_a_rotation(rig):
    d = rig.data
    s = key(rig, "key", "split", "--shares", "2", "--threshold", "2")["shares"]
    first = (d / "keys/root.key").read_text()
    copy = (d / "keys/root.escrow").read_text()
    key(rig, "key", "rotate")
    now = (d / "keys/root.key").read_text()
    rig.check(now != first and now.count("\n") == 1, "rotated")
    rig.check((d / "keys/root.escrow").read_text() != copy, "copied")
    (d / "keys/root.key").unlink()
    key(rig, "key", "recover", said=lines(*s))
    rig.eq((d / "keys/root.key").read_text(), now)
    # a copy of another key stops the rotation before an old key is gone
    (d / "keys/root.escrow").chmod(0o600)
    (d / "keys/root.escrow").write_text(copy)
    says(rig, "another root key", "key", "rotate", rc=7)
    (d / "keys/root.escrow").unlink()
    key(rig, "key", "rotate")
    rig.eq(key(rig, "key", "status")["root"]["keys"][0]["id"],
           (d / "keys/root.key").read_text().split()[1])


@fresh
def a_passphrase_seals_the_file(rig):
    d = rig.data
    plain = (d / "keys/root.key").read_text()
    says(rig, "12", "key-source", "add", "--kind", "passphrase",
                          said="short\n", rc=6)
    rig.eq((d / "keys/root.key").read_text(), plain, "unchanged")
    key(rig, "key-source", "add", "--kind", "passphrase", said=lines(PASS))
    text = (d / "keys/root.key").read_text()
    rig.check(text.startswith("redoubt-root-sealed-1 "), text[:40])
    rig.check(plain.split()[2] not in text, "the key is in it")
    rig.eq(key(rig, "key-source", "list")["sources"][0]["kind"], "passphrase")
    for said, why, rc in (("", "", 6), (lines(PASS + "!"), "wrong", 7)):
        says(rig, why, "key", "status", said=said, rc=rc)
    t = key(rig, "key-source", "test", "passphrase", said=lines(PASS))
    rig.check(t["ms"] <= 1000 * max(1, os.getloadavg()[0]) or SANITIZED,
              f"{t['ms']} ms")
    print(f"# unsealed with a passphrase in {t['ms']} ms")
    says(rig, "last one", "key-source", "remove", "passphrase",
                                said=lines(PASS), rc=5)
    key(rig, "key", "rotate", said=lines(PASS))
    rig.eq(key(rig, "key", "status", said=lines(PASS))["online"], False)
    # shares of a sealed file are sources of it
    s = key(rig, "key", "split", "--shares", "3", "--threshold", "2",
            said=lines(PASS))["shares"]
    rig.eq(key(rig, "key", "status", said=lines(*s[1:]))["online"], False)
    # a backup goes with it, and comes back with what opens the file
    to = str(rig.dir / "a.rbk")
    key(rig, "backup", "--to", to, said=lines(PASS))
    for n, said in enumerate((s[1:], [PASS], [PASS + "!"])):
        r = rig.cli("restore", "--from", to, "--data", str(rig.dir / f"r{n}"),
                    "--reason", "a drill", input=lines(*said))
        rig.eq(r.returncode, 7 if n == 2 else 0, r.stderr)
    key(rig, "key-source", "add", "--kind", "passphrase", "--name", "second",
        said=lines(s[0], s[2], "another passphrase entirely"))
    says(rig, "exists", "key-source", "add", "--kind", "passphrase", "--name", "second",
        said=lines(PASS, "another passphrase entirely"), rc=5)
    key(rig, "key-source", "remove", "passphrase", said=lines(PASS))
    says(rig, "wrong", "key", "status", said=lines(PASS), rc=7)
    # somebody who has nothing but the document
    for said in (s[1:], ["another passphrase entirely"]):
        r = subprocess.run([sys.executable, str(TOP / "contrib/seal.py"),
                            "sealed", str(d / "keys/root.key")],
                           input=lines(*said), capture_output=True, text=True)
        rig.check(re.fullmatch(r"redoubt-root-1 [0-9a-f]{16} [\w+/]{43}=\n",
                               r.stdout), r.stdout + r.stderr)
    # lost: the copy has the same sources
    (d / "keys/root.key").unlink()
    key(rig, "key", "recover", said=lines("another passphrase entirely"))
    key(rig, "key", "status", said=lines("another passphrase entirely"))
    # a bit of it
    at = (d / "keys/root.key")
    good = at.read_bytes()
    at.chmod(0o600)
    line = good.index(b"passphrase second ")
    for where in (30, line + 20, line + 60, line + 120, len(good) - 20):
        at.write_bytes(good[:where] + bytes([good[where] ^ 1])
                       + good[where + 1:])
        r = rig.cli("key", "status", "--data", str(d),
                    input=lines("another passphrase entirely"))
        rig.check(r.returncode in (7, 8), f"{where}: {r}")
        rig.check("damaged" in r.stderr or "wrong" in r.stderr or
                  "integrity" in r.stderr, f"{where}: {r.stderr}")
    at.write_bytes(good)
    key(rig, "key", "status", said=lines("another passphrase entirely"))


@fresh
def a_key_file_opens_it_unattended(rig):
    d = rig.data
    k = pathlib.Path(rig.dir) / "unlock.key"
    key(rig, "key-source", "add", "--kind", "file", "--path", str(k))
    rig.eq(k.stat().st_mode & 0o777, 0o400)
    rig.check(re.fullmatch(r"redoubt-unlock-1 [A-Za-z0-9+/]{43}=\n",
                           k.read_text()), k.read_text())
    rig.eq(key(rig, "key", "status")["online"], False)
    t = key(rig, "key-source", "test", "file")
    rig.check(t["ms"] <= 150 or SANITIZED, f"{t['ms']} ms")
    print(f"# unsealed with a file in {t['ms']} ms")
    r = rig.cli("check", "--data", str(d), "--json")
    rig.check('"keys.project"' in r.stdout and
              json.loads(r.stdout)["findings"] == int(SANITIZED),
              r.stdout[:200])  # sanitizers need what the filter refuses
    away = k.with_name("away")
    k.rename(away)
    says(rig, "No such file", "key-source", "test", "file", rc=3)
    k.write_text(away.read_text().replace("redoubt-unlock-1", "something"))
    k.chmod(0o400)
    says(rig, "no unlock key file", "key-source", "test", "file", rc=2)
    k.unlink()
    away.rename(k)
    key(rig, "key-source", "add", "--kind", "passphrase", said=lines(PASS))
    k.unlink()
    key(rig, "key-source", "remove", "file", said=lines(PASS))
    says(rig, "nothing was read", "key", "rotate", rc=6)


run(make=lambda: Rig(start=False))
