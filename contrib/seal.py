#!/usr/bin/env python3
"""seal.py: doc/PROTOCOL.seal in Python's standard library alone.

    seal.py make           print the test vectors (tests/vectors/seal/v1.txt)
    seal.py check FILE     compute every vector of FILE anew and compare
    seal.py open KEY BLOB TABLE COLUMN SCHEMA PROJECT PK [NUMBER LAST]
                           print a blob's plaintext; KEY, BLOB, PK in hex
    seal.py root FILE      check a root key file, print the key ids

Written apart from src/seal, to show that the document says enough, and to
open what was sealed if the server is ever gone.  It is slow, it is not
constant time and it does not protect keys: not for a server.
"""
import base64
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
