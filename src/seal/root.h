/*
 * root.h: the root key file and what only its holder can do.  Linked into
 * every role (one binary) but used by the keeper, `init` and offline `key`
 * commands only.
 *
 * The file (mode 0400, or a systemd credential) is text, one line a key,
 * the first the primary:
 *	redoubt-root-1 <key id, 16 hex> <base64 of 32 bytes>
 * The key id is the first 8 bytes of SHA-256("redoubt root id" || key).
 * `init` writes root_generate to a new file; `rotate` writes root_generate
 * and then root_line of every old key to a new file, renames it, and drops
 * the lines nothing names any more later, the same way.
 */
#ifndef SEAL_ROOT_H
#define SEAL_ROOT_H

#include "base/buf.h"
#include "seal/seal.h"

enum { ROOT_KEYS_MAX = 8, ROOT_ID_TEXT = 16, ROOT_LINE = 77 };

struct root_keys; /* in secret memory */

/* Parse a whole root key file.  E_WRONG_KEY with a trail when malformed;
 * the trail contains nothing of the file.  The caller wipes the file's
 * bytes. */
err root_parse(struct str file, struct trail *t,
    struct root_keys **ret) MUST_USE;
struct root_keys *root_free(struct root_keys *r);
/* Append a fresh key line (ROOT_LINE bytes) as the file's text. */
err root_generate(struct buf *ret_line) MUST_USE;
/* Append the line of key i. The caller gives both a buf with room for all
 * lines (buf_room), since one that grows leaves copies, and wipes it. */
err root_line(const struct root_keys *r, size_t i,
    struct buf *ret_line) MUST_USE;
size_t root_count(const struct root_keys *r);
/* "0123456789abcdef" of key i, 0 = primary. */
void root_id(const struct root_keys *r, size_t i, char ret[ROOT_ID_TEXT + 1]);

/* Key i itself: what a copy of the file for escrow is kept up to date with
 * (role/escrow.h). */
const struct secret *root_secret(const struct root_keys *r, size_t i);

/* Wrap / unwrap a project key under the primary / under whichever root key
 * the blob names.  The row identity is (project, version). */
err root_wrap(const struct root_keys *r, uint32_t project, uint32_t version,
    const uint8_t key[SECRET_SIZE], struct arena *a,
    struct sealed *ret) MUST_USE;
err root_unwrap(const struct root_keys *r, uint32_t project, uint32_t version,
    struct stored s, uint8_t ret_key[SECRET_SIZE]) MUST_USE;
/* Index of the root key a wrapped project key names; E_WRONG_KEY if none. */
err root_which(const struct root_keys *r, struct stored s,
    size_t *ret) MUST_USE;

/*
 * The audit signing key is 32 bytes of Ed25519 seed, kept sealed under the
 * root key in its own file (keys/audit.key) with these two.
 */
err root_seal_seed(const struct root_keys *r, const uint8_t seed[SECRET_SIZE],
    struct arena *a, struct sealed *ret) MUST_USE;
err root_open_seed(const struct root_keys *r, struct stored s,
    uint8_t ret_seed[SECRET_SIZE]) MUST_USE;

#endif
