#!/usr/bin/env python3
"""
What the browser is sent (B1) and whom that names (B12): the files of
build/ui/dist, gzip -9.  TAP on stdout.
"""
import gzip
import pathlib
import re
import sys
sys.path.insert(0, __file__.rsplit("/tests/", 1)[0] + "/tests")
from rig import TOP, tell  # noqa: E402

DIST = TOP / "build" / "ui" / "dist"
KB = 1000
STATIC = re.compile(rb'(?:from|import)\s*"\./([^"]+\.js)"')
LATER = re.compile(rb'import\(\s*"\./([^"]+\.js)"\s*\)')
ROUTE = re.compile(rb'"(/[^"]*)":\(\)=>import\("\./([^"]+)"\)')
# names of XML's namespaces, and what an error of marked tells programmers
NAMES = ("http://www.w3.org/", "https://github.com/markedjs/marked.")

files = {f.name: f.read_bytes() for f in DIST.iterdir() if f.is_file()}
js = {n: b for n, b in files.items() if n.endswith(".js")}
small = {n: len(gzip.compress(b, 9)) for n, b in files.items()}
routes = {k.decode(): v.decode() for b in js.values()
          for k, v in ROUTE.findall(b)}


def closure(*names):
    """The files that come with these, before anything runs."""
    seen, left = set(), list(names)
    while left:
        n = left.pop()
        if n not in seen:
            seen.add(n)
            left += [x.decode() for x in STATIC.findall(js[n])]
    return seen


def size(names):
    return sum(small[n] for n in names)


first = closure(*re.findall(r'<script type="module" src="/([^"]+)"',
                            files["index.html"].decode()))
# an editor of code is what only some pages have, and those wait for it
editor = {n for n, b in js.items() if b"cm-editor" in b and b"cm-content" in b
          and n not in first and small[n] > 40 * KB}


def within(what, value, limit):
    print(f"# {what}: {value / KB:.1f} of {limit} KB")
    return [] if value <= limit * KB else [f"{what}: {value / KB:.1f} KB"]


def first_page():
    inbox = first | closure(routes["/p/:project/alerts"])
    return within("the frame and the inbox", size(inbox), 90) + \
        within("styles", size(n for n in files if n.endswith(".css")), 15) + \
        within("fonts", sum(len(b) for n, b in files.items()
                            if n.endswith(".woff2")), 95)


def each_route():
    bad, most = [], {}
    for path, chunk in routes.items():
        most[path] = size(closure(chunk) - first - editor)
    for path, n in sorted(most.items(), key=lambda x: -x[1]):
        if n > 40 * KB or path == max(most, key=most.get):
            bad += within(path, n, 40)
    return bad + [x for n in editor for x in within("editor " + n, small[n],
                                                    140)]


def all_of_it():
    return within("all of it", size(js), 350)


def nothing_is_left_out():
    """Each file is reached, or there is no sense in its size."""
    roots = set(first)
    while more := {x.decode() for n in roots for x in LATER.findall(js[n])
                   } | {n for n in js if n.encode() in b"".join(
                       js[r] for r in roots)}:
        more = closure(*more) - roots
        if not more:
            break
        roots |= more
    return [f"{n} is never asked for" for n in sorted(set(js) - roots)]


def nobody_else_is_named():
    bad = []
    for n, b in files.items():
        if n.endswith(".woff2"):
            continue
        text = b.decode()
        for m in re.finditer(r"""(?:https?|wss?|ftp)://[\w-]+\.[^\s"'`<>)]*|"""
                             r"""(?:url\(|src=|href=)["']?//[^\s"'`)]*""",
                             text):
            if not m[0].startswith(NAMES):
                bad.append(f"{n}: {m[0][:100]}")
    return bad


tests = (first_page, each_route, all_of_it, nothing_is_left_out,
         nobody_else_is_named)
failed = [tell(n, t.__name__, t()) for n, t in enumerate(tests, 1)]
print(f"1..{len(tests)}")
sys.exit(any(failed))
