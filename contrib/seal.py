#!/usr/bin/env python3
"""seal.py: doc/PROTOCOL.seal in Python's standard library alone.

    seal.py make           print the test vectors (tests/vectors/seal/v1.txt)
    seal.py check FILE     compute every vector of FILE anew and compare
    seal.py open KEY BLOB TABLE COLUMN SCHEMA PROJECT PK [NUMBER LAST]
                           print a blob's plaintext; KEY, BLOB, PK in hex
    seal.py root FILE      check a root key file, print the key ids
    seal.py sealed FILE    open a sealed root key file with the passphrase, or
                           the shares, one a line, of standard input; print
                           what it seals, which is every key there is

Written apart from src/seal, to show that the document says enough, and to
open what was sealed if the server is ever gone.  It is slow, it is not
constant time and it does not protect keys: not for a server.
"""
import base64
import ctypes
import hashlib
import hmac
import struct
import sys

# ---- AES-256 (FIPS 197), encryption only ----


def sbox_make():
    exp, log, x = [0] * 256, [0] * 256, 1
    for i in range(255):
        exp[i], log[x] = x, i
        x ^= (x << 1) ^ (0x11B if x & 0x80 else 0)
        x &= 0xFF
    box = []
    for i in range(256):
        v = exp[(255 - log[i]) % 255] if i else 0
        r = v
        for s in range(1, 5):
            r ^= ((v << s) | (v >> (8 - s))) & 0xFF
        box.append(r ^ 0x63)
    return box


SBOX = sbox_make()


def xtime(b):
    return ((b << 1) ^ (0x1B if b & 0x80 else 0)) & 0xFF


def expand(key):
    w = [list(key[i:i + 4]) for i in range(0, 32, 4)]
    rcon = 1
    for i in range(8, 60):
        t = list(w[i - 1])
        if i % 8 == 0:
            t = [SBOX[b] for b in t[1:] + t[:1]]
            t[0] ^= rcon
            rcon = xtime(rcon)
        elif i % 8 == 4:
            t = [SBOX[b] for b in t]
        w.append([a ^ b for a, b in zip(w[i - 8], t)])
    return [sum(w[r * 4:r * 4 + 4], []) for r in range(15)]


def aes(rounds, block):
    s = [a ^ b for a, b in zip(block, rounds[0])]
    for r in range(1, 15):
        s = [SBOX[b] for b in s]
        s = [s[(i + 4 * (i % 4)) % 16] for i in range(16)]
        if r < 14:
            t = []
            for c in range(0, 16, 4):
                col = s[c:c + 4]
                for i in range(4):
                    a, b = col[i], col[(i + 1) % 4]
                    t.append(xtime(a) ^ xtime(b) ^ b ^ col[(i + 2) % 4]
                             ^ col[(i + 3) % 4])
            s = t
        s = [a ^ b for a, b in zip(s, rounds[r])]
    return bytes(s)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))

# ---- CMAC (SP 800-38B), for messages of whole blocks ----


def cmac(key, message):
    assert message and len(message) % 16 == 0
    rounds = expand(key)
    k1 = int.from_bytes(aes(rounds, bytes(16)), "big") << 1
    if k1 >> 128:
        k1 ^= (1 << 128) | 0x87
    state = bytes(16)
    blocks = [message[i:i + 16] for i in range(0, len(message), 16)]
    blocks[-1] = xor(blocks[-1], k1.to_bytes(16, "big"))
    for b in blocks:
        state = aes(rounds, xor(state, b))
    return state

# ---- GCM (SP 800-38D) ----


def gmul(x, y):
    z = 0
    for i in range(127, -1, -1):
        if (y >> i) & 1:
            z ^= x
        x = (x >> 1) ^ (0xE1 << 120 if x & 1 else 0)
    return z


def gcm(key, nonce, aad, data, decrypt):
    """-> output, tag"""
    rounds = expand(key)
    h = int.from_bytes(aes(rounds, bytes(16)), "big")
    out = b""
    for i in range(0, len(data), 16):
        pad = aes(rounds, nonce + struct.pack(">I", 2 + i // 16))
        out += xor(data[i:i + 16], pad)
    ct = data if decrypt else out
    y = 0
    for part in (aad, ct):
        for i in range(0, len(part), 16):
            b = part[i:i + 16].ljust(16, b"\0")
            y = gmul(y ^ int.from_bytes(b, "big"), h)
    y = gmul(y ^ (len(aad) * 8 << 64 | len(ct) * 8), h)
    tag = xor(y.to_bytes(16, "big"), aes(rounds, nonce + b"\0\0\0\1"))
    return out, tag

# ---- doc/PROTOCOL.seal ----


def derive(key, nonce):
    kx = b"".join(cmac(key, bytes([0, i, 0x58, 0]) + nonce[:12])
                  for i in (1, 2))
    commitment = b"".join(cmac(key, b"XCMT" + nonce + bytes([0, 1, 0, i]))
                          for i in (1, 2))
    return kx, nonce[12:], commitment


def aad_of(head, where):
    table, column, schema, project, pk, form, number = where
    return (b"redoubt-seal-1" + head
            + struct.pack(">BIBBHIB", form, number, table, column, schema,
                          project, len(pk)) + pk)


def seal(key, key_id, nonce, where, plain):
    head = struct.pack(">BBHI", 1, 1, 0, key_id)
    kx, nx, commitment = derive(key, nonce)
    ct, tag = gcm(kx, nx, aad_of(head, where), plain, False)
    return head + commitment + nonce + ct + tag


def unseal(key, where, blob):
    if len(blob) < 80 or blob[:4] != b"\1\1\0\0":
        raise ValueError("not a sealed blob of version 1")
    nonce, ct, tag = blob[40:64], blob[64:-16], blob[-16:]
    kx, nx, commitment = derive(key, nonce)
    if not hmac.compare_digest(commitment, blob[8:40]):
        raise ValueError("wrong key")
    plain, want = gcm(kx, nx, aad_of(blob[:8], where), ct, True)
    if not hmac.compare_digest(tag, want):
        raise ValueError("corrupt, or of another row")
    return plain


def mac(key, label, data):
    return hmac.new(key, bytes([len(label)]) + label + data,
                    "sha256").digest()


def key_pk(key_id, klass, term, subject):
    return struct.pack(">IBQ", key_id, klass, term) + subject


def root_id(key):
    return hashlib.sha256(b"redoubt root id" + key).digest()[:8]


def root_line(key):
    return "redoubt-root-1 %s %s" % (root_id(key).hex(),
                                     base64.b64encode(key).decode())


def root_read(text):
    keys = []
    for line in text.splitlines():
        word = line.split(" ")
        key = base64.b64decode(word[2], validate=True)
        if len(word) != 3 or word[0] != "redoubt-root-1" or len(key) != 32 \
                or root_id(key).hex() != word[1]:
            raise ValueError("not a line of a root key file")
        keys.append(key)
    return keys

# ---- the sealed root key file, shares ----

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def fmul(a, b):
    r = 0
    while b:
        r ^= a if b & 1 else 0
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return r


def finv(a):
    return next(b for b in range(256) if fmul(a, b) == 1)


def share_read(text):
    """-> set, k, x, y"""
    text = text.strip()
    if not text.lower().startswith("redoubt1-"):
        raise ValueError("not a share")
    n = 0
    word = text[9:].upper().replace("-", "").replace(" ", "")
    for c in word.replace("O", "0").replace("I", "1").replace("L", "1"):
        n = n << 5 | ALPHABET.index(c)
    if len(word) != 69 or n & 1:
        raise ValueError("a share is damaged")
    raw = (n >> 1).to_bytes(43, "big")
    if raw[0] != 1 or hashlib.sha256(raw[:39]).digest()[:4] != raw[39:]:
        raise ValueError("a share is damaged")
    return raw[1:5], raw[5], raw[6], raw[7:39]


def share_write(group, k, x, y):
    raw = bytes([1]) + group + bytes([k, x]) + y
    raw += hashlib.sha256(raw).digest()[:4]
    n = int.from_bytes(raw, "big") << 1
    word = "".join(ALPHABET[n >> 5 * i & 31] for i in range(68, -1, -1))
    return "redoubt1-" + "-".join(word[i:i + 5] for i in range(0, 69, 5))


def shares_join(shares):
    group, k = shares[0][:2]
    shares = shares[:k]
    if len({x for _, _, x, _ in shares}) != k or \
            any(s[:2] != (group, k) for s in shares):
        raise ValueError("%d different shares of one set are needed" % k)
    out = bytearray(32)
    for i, (_, _, x, y) in enumerate(shares):
        w = 1
        for j, other in enumerate(shares):
            if i != j:
                w = fmul(w, fmul(other[2], finv(other[2] ^ x)))
        for b in range(32):
            out[b] ^= fmul(w, y[b])
    return bytes(out)


def argon2id(passphrase, salt, kib, passes):
    """Not in the standard library: the reference implementation's."""
    lib = ctypes.CDLL("libargon2.so.1")
    out = ctypes.create_string_buffer(32)
    # what is said of no type goes as an int, and a length is longer
    number, size = ctypes.c_uint32, ctypes.c_size_t
    text = ctypes.c_char_p
    lib.argon2id_hash_raw.argtypes = [number, number, number, text, size,
                                      text, size, text, size]
    if lib.argon2id_hash_raw(passes, kib, 1, passphrase, len(passphrase),
                             salt, len(salt), out, 32) != 0:
        raise ValueError("argon2")
    return out.raw


def sealed_open(text, lines):
    """The text of the root key file."""
    rows = [line.split(" ") for line in text.splitlines()]
    if rows[0][0] != "redoubt-root-sealed-1" or rows[-1][0] != "text":
        raise ValueError("not a sealed root key file")
    file_id = bytes.fromhex(rows[0][1])
    for row in rows[1:-1]:
        if row[0] == "passphrase" and not lines[0].startswith("redoubt1-"):
            key = argon2id(lines[0].encode(), bytes.fromhex(row[4]),
                           int(row[2]), int(row[3]))
        elif row[0] == "shares" and lines[0].startswith("redoubt1-"):
            key = shares_join([share_read(s) for s in lines])
        else:
            continue
        head = (" ".join(row[:-1]) + " ").encode()
        where = (21, 1, 1, 0, hashlib.sha256(head).digest(), 0, 0)
        try:
            u = unseal(key, where, base64.b64decode(row[-1], validate=True))
        except ValueError:
            continue
        if hashlib.sha256(b"redoubt unlock id" + u).digest()[:8] != file_id:
            raise ValueError("not the unlock key of this file")
        return unseal(u, (21, 0, 1, 0, b"", 0, 0),
                      base64.b64decode(rows[-1][1], validate=True)).decode()
    raise ValueError("nothing opens it")


def sealed_make():
    """The example of tests/vectors/seal/root1.txt, always the same."""
    def some(label, n=32):
        return hashlib.shake_256(b"redoubt " + label).digest(n)
    u, root, kek = some(b"U"), some(b"root"), some(b"kek")
    file_id = hashlib.sha256(b"redoubt unlock id" + u).digest()[:8]
    key_id = int.from_bytes(file_id[:4], "big")
    coeff, group = some(b"coefficient"), some(b"set", 4)
    shares = []
    for x in (1, 2, 3):
        y = bytes(k ^ fmul(c, x) for k, c in zip(kek, coeff))
        shares.append(share_write(group, 2, x, y))
    checks = b"".join(
        hashlib.sha256(b"redoubt share check" + bytes([1]) + g + bytes([k, x])
                       + y + hashlib.sha256(bytes([1]) + g + bytes([k, x])
                                            + y).digest()[:4]).digest()[:8]
        for g, k, x, y in map(share_read, shares))
    salt = some(b"salt", 16)
    out = "redoubt-root-sealed-1 %s\n" % file_id.hex()
    for head, key in (
            ("passphrase p 64 2 %s " % salt.hex(),
             argon2id(b"correct horse battery staple", salt, 64, 2)),
            ("shares s 2 3 %s %s " % (group.hex(), checks.hex()), kek)):
        pk = hashlib.sha256(head.encode()).digest()
        blob = seal(key, key_id, some(head.encode(), 24),
                    (21, 1, 1, 0, pk, 0, 0), u)
        out += head + base64.b64encode(blob).decode() + "\n"
    blob = seal(u, key_id, some(b"text", 24), (21, 0, 1, 0, b"", 0, 0),
                (root_line(root) + "\n").encode())
    out += "text " + base64.b64encode(blob).decode() + "\n"
    return out, shares, root_line(root)

# ---- vectors ----


def bytes_of(label, n):
    return hashlib.shake_128(label.encode()).digest(n)


def blob_vector(name, key_id, where, plain):
    key = bytes_of("key " + name, 32)
    nonce = bytes_of("nonce " + name, 24)
    table, column, schema, project, pk, form, number = where
    return [("blob", name), ("key", key.hex()), ("key_id", key_id),
            ("table", table), ("column", column), ("schema", schema),
            ("project", project), ("pk", pk.hex()), ("form", form),
            ("number", number), ("plain", plain.hex()),
            ("sealed", seal(key, key_id, nonce, where, plain).hex())]


def vectors():
    u = bytes_of("uuid", 16)
    text = "The database of caf\u00e9 caf\u00e9 is down".encode()
    for n in (0, 1, 15, 16, 17, 300):
        yield blob_vector("plain of %d bytes" % n, 1,
                          (2, 0, 1, 1, u, 0, 0), bytes_of("p", n))
    for table in range(1, 8):
        yield blob_vector("table %d" % table, 7,
                          (table, 0, 1, 3, u, 0, 0), text)
    yield blob_vector("largest numbers", 0xFFFFFFFF,
                      (255, 255, 65535, 0xFFFFFFFF, bytes_of("pk", 32), 0, 0),
                      text)
    yield blob_vector("no pk, organization", 2, (1, 1, 2, 0, b"", 0, 0), text)
    yield blob_vector("id and number", 3,
                      (3, 0, 1, 9, u + struct.pack(">Q", 50), 0, 0), text)
    yield blob_vector("only chunk, empty", 4, (5, 0, 1, 9, u, 2, 0), b"")
    yield blob_vector("only chunk", 4, (5, 0, 1, 9, u, 2, 0), text)
    yield blob_vector("last chunk, number 7", 4, (5, 0, 1, 9, u, 2, 7), text)
    yield blob_vector("data key for a class", 1,
                      (8, 0, 1, 5, key_pk(12, 2, 3, bytes(16)), 0, 0),
                      bytes_of("data key", 32))
    yield blob_vector("data key of a subject", 2,
                      (8, 0, 1, 5, key_pk(13, 4, 1, u), 0, 0),
                      bytes_of("subject key", 32))
    root = bytes_of("root", 32)
    number = struct.unpack(">I", root_id(root)[:4])[0]
    for name, where in (
            ("project key", (9, 0, 1, 5, struct.pack(">Q", 2), 0, 0)),
            ("audit seed", (10, 0, 1, 0, b"", 0, 0))):
        plain = bytes_of(name, 32)
        sealed = seal(root, number, bytes_of("nonce " + name, 24), where,
                      plain)
        yield [("root", name), ("line", root_line(root)),
               ("plain", plain.hex()), ("sealed", sealed.hex())]
    for label, data in (("index/service", b"checkout"), ("cursor", b""),
                        ("t" * 255, bytes_of("data", 200))):
        key = bytes_of("mac " + label, 32)
        yield [("mac", label), ("key", key.hex()), ("data", data.hex()),
               ("value", mac(key, label.encode(), data).hex())]


def make():
    print("# Vectors of doc/PROTOCOL.seal, made by contrib/seal.py")
    for v in vectors():
        print()
        for name, value in v:
            print(name, value)


def read(path):
    for part in open(path).read().split("\n\n"):
        lines = [s.split(" ", 1) for s in part.strip().splitlines()
                 if not s.startswith("#")]
        if lines:
            yield {s[0]: (s + [""])[1] for s in lines}


def check_one(v):
    if "mac" in v:
        return mac(bytes.fromhex(v["key"]), v["mac"].encode(),
                   bytes.fromhex(v["data"])).hex() == v["value"]
    blob = bytes.fromhex(v["sealed"])
    if "root" in v:
        key, = root_read(v["line"])
        where = {"project key": (9, 0, 1, 5, struct.pack(">Q", 2), 0, 0),
                 "audit seed": (10, 0, 1, 0, b"", 0, 0)}[v["root"]]
        number = struct.unpack(">I", root_id(key)[:4])[0]
    else:
        key, number = bytes.fromhex(v["key"]), int(v["key_id"])
        where = tuple(int(v[n]) for n in ("table", "column", "schema",
                                          "project")) + (
            bytes.fromhex(v["pk"]), int(v["form"]), int(v["number"]))
    plain = bytes.fromhex(v["plain"])
    return unseal(key, where, blob) == plain and \
        seal(key, number, blob[40:64], where, plain) == blob


def check(path):
    bad = 0
    # https://c2sp.org/XAES-256-GCM, the two published vectors
    for k, aad, want in (
            (b"\1", b"",
             "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
            (b"\3", b"c2sp.org/XAES-256-GCM",
             "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d")):
        kx, nx, _ = derive(k * 32, b"ABCDEFGHIJKLMNOPQRSTUVWX")
        ct, tag = gcm(kx, nx, aad, b"XAES-256-GCM", False)
        bad += (ct + tag).hex() != want
    n = 0
    for v in read(path):
        n += 1
        if not check_one(v):
            bad += 1
            print("bad:", v)
    print("%d vectors, %d bad" % (n, bad))
    return 1 if bad or not n else 0


def main(arg):
    if arg == ["make"]:
        return make()
    if len(arg) == 2 and arg[0] == "check":
        return check(arg[1])
    if len(arg) == 2 and arg[0] == "sealed":
        lines = [x for x in sys.stdin.read().split("\n") if x]
        sys.stdout.write(sealed_open(open(arg[1]).read(), lines))
        return 0
    if arg == ["make-sealed"]:
        text, shares, root = sealed_make()
        print(text + "\n" + "\n".join(shares) + "\n\n" + root)
        return 0
    if len(arg) == 2 and arg[0] == "root":
        for key in root_read(open(arg[1]).read()):
            print(root_id(key).hex())
        return 0
    if len(arg) in (8, 10) and arg[0] == "open":
        form, number = 0, 0
        if len(arg) == 10:
            form, number = 2 if arg[9] == "1" else 1, int(arg[8])
        where = tuple(int(a) for a in arg[3:7]) + (bytes.fromhex(arg[7]),
                                                   form, number)
        sys.stdout.buffer.write(unseal(bytes.fromhex(arg[1]), where,
                                       bytes.fromhex(arg[2])))
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
