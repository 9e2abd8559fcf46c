/* sha.h: SHA-256 of bytes that come in pieces. */
#ifndef AUDIT_SHA_H
#define AUDIT_SHA_H

#include "base/err.h"
#include "base/str.h"

struct sha;
err sha_new(struct sha **ret) MUST_USE;
void sha_add(struct sha *s, struct str bytes);
/* Of all so far; more may follow. */
void sha_get(const struct sha *s, uint8_t ret[32]);
struct sha *sha_free(struct sha *s); /* NULL is fine */

#endif
