#!/usr/bin/env python3
"""
make.py: spellings of two secrets as Python's own libraries write them; the
masker must find each.  Lines: name, secret, spelling (both in hex).
"""
import base64
import html
import json
import shlex
import textwrap
import urllib.parse

SECRETS = ["hunter2-Tr0ub4dor&3", "p@ss \"w'rd\\<é&/\t42$x`~+😀 end>#?"]
MANY = "".join(f"line {i:02} of a key {i * 7919:x}\n" for i in range(20))


def b64(b):
    return base64.b64encode(b)


def trimmed(encode, group, bits, s, skip):
    """Of the encoding of junk + s + junk, the digits s decides alone."""
    text = encode(b"\xa5" * skip + s + b"\x5a" * group).decode()
    first = -(-skip * 8 // bits)
    last = (skip + len(s)) * 8 // bits
    return text[first:last].encode()


def spellings(s):
    u = s.decode()
    yield "raw", s
    for k in range(3):
        yield f"base64 {k}", trimmed(b64, 3, 6, s, k)
        yield f"base64url {k}", trimmed(base64.urlsafe_b64encode, 3, 6, s, k)
        for j in range(3):
            inner = trimmed(b64, 3, 6, s, k)
            yield f"base64 twice {k} {j}", trimmed(b64, 3, 6, inner, j)
    yield "base64 padded", b64(s)
    yield "base64 padded twice", b64(b64(s))
    for k in range(5):
        yield f"base32 {k}", trimmed(base64.b32encode, 5, 5, s, k)
        yield f"base32 lower {k}", trimmed(base64.b32encode, 5, 5, s,
                                           k).lower()
    for name, h in (("lower", s.hex()), ("upper", s.hex().upper())):
        two = textwrap.wrap(h, 2)
        yield f"hex {name}", h.encode()
        for sep in (":", "-", " ", ","):
            yield f"hex {name} {sep!r}", sep.join(two).encode()
        yield f"hex {name} trailing", "".join(x + ":" for x in two).encode()
        yield f"hex {name} 0x", ", ".join("0x" + x for x in two).encode()
        yield f"hex {name} 0x,", ",".join("0x" + x for x in two).encode()
        yield f"hex {name} 0x blank", " ".join("0x" + x
                                               for x in two).encode()
        yield f"hex {name} \\x", "".join("\\x" + x for x in two).encode()
        yield f"hex {name} %", "".join("%" + x for x in two).encode()
        yield f"hex {name} \\u00", "".join("\\u00" + x for x in two).encode()
        yield f"hex {name} &#x", "".join(f"&#x{x};" for x in two).encode()
        yield f"hex {name} xxd", " ".join(textwrap.wrap(h, 4)).encode()
    yield "decimal list", str(list(s))[1:-1].encode()
    yield "decimal commas", ",".join(map(str, s)).encode()
    yield "decimal blanks", " ".join(map(str, s)).encode()
    yield "decimal html", "".join(f"&#{c};" for c in s).encode()
    yield "octal", "".join(f"\\{c:03o}" for c in s).encode()
    yield "octal od", " ".join(f"{c:03o}" for c in s).encode()
    q = urllib.parse.quote(s, safe="")
    yield "url", q.encode()
    low = "".join(c if i == 0 else c[:2].lower() + c[2:]
                  for i, c in enumerate(q.split("%")))
    parts = q.split("%")
    low = parts[0] + "".join("%" + p[:2].lower() + p[2:] for p in parts[1:])
    yield "url lower", low.encode()
    yield "url form", urllib.parse.quote_plus(s, safe="*").replace(
        "~", "%7E").encode()
    yield "url component", urllib.parse.quote(s, safe="~!*'()").encode()
    yield "url uri", urllib.parse.quote(s, safe="~!*'();/?:@&=+$,#").encode()
    yield "url twice", urllib.parse.quote(q, safe="").encode()
    j = json.dumps(u, ensure_ascii=False)[1:-1]
    yield "json", j.encode()
    yield "json slash", j.replace("/", "\\/").encode()
    a = json.dumps(u)[1:-1]
    yield "json ascii", a.encode()
    g = j.replace("<", "\\u003c").replace(">", "\\u003e")
    yield "json go", g.replace("&", "\\u0026").encode()
    yield "json twice", json.dumps(j, ensure_ascii=False)[1:-1].encode()
    yield "json ascii twice", json.dumps(a)[1:-1].encode()
    yield "html", html.escape(u).encode()
    yield "html no quotes", html.escape(u, quote=False).encode()
    yield "html apos", html.escape(u).replace("&#x27;", "&apos;").encode()
    yield "html 39", html.escape(u).replace("&#x27;", "&#39;").encode()
    yield "shell python", shlex.quote(u)[1:-1].encode() if "'" in u else s
    yield "shell '\\''", u.replace("'", "'\\''").encode()
    yield "shell dq", "".join("\\" + c if c in "\"\\$`" else c
                              for c in u).encode()
    yield "repr of bytes", repr(s)[2:-1].encode()
    yield "repr of text", repr(u)[1:-1].encode()
    yield "utf-16 le", u.encode("utf-16-le")
    yield "utf-16 be", u.encode("utf-16-be")
    yield "reversed", s[::-1]
    asc = s.decode("latin-1")
    yield "upper", bytes(c - 32 if 97 <= c <= 122 else c for c in s)
    yield "lower", bytes(c + 32 if 65 <= c <= 90 else c for c in s)
    rot = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                        "NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm")
    yield "rot13", asc.translate(rot).encode("latin-1")
    yield "wrapped", b"\n".join(s[i:i + 5] for i in range(0, len(s), 5))
    yield "wrapped base64", b"\r\n".join(
        textwrap.wrap(b64(s).decode(), 9)[i].encode()
        for i in range(len(textwrap.wrap(b64(s).decode(), 9))))
    yield "coloured", b"".join(b"\x1b[1;31m" + s[i:i + 1] + b"\x1b[0m"
                               for i in range(len(s)))
    yield "linked", s[:6] + b"\x1b]8;;http://x/\x1b\\" + s[6:] + \
        b"\x1b]8;;\x07"


for secret in SECRETS:
    s = secret.encode()
    for name, text in spellings(s):
        print(name.replace(" ", "_"), s.hex(), text.hex())
m = MANY.encode()
print("many_lines", m.hex(), m.hex())
print("many_lines_base64", m.hex(), base64.encodebytes(m).hex())
print("many_lines_crlf", m.hex(), m.replace(b"\n", b"\r\n").hex())
print("many_lines_json", m.hex(), json.dumps(MANY)[1:-1].encode().hex())
print("one_line_of_many", m.hex(), MANY.split("\n")[7].encode().hex())
