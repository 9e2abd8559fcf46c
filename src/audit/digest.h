/*
 * digest.h: the digest documents are approved and compared by: SHA-256 of a
 * canonical text (base/json_canon.h), 64 lower-case hexadecimal digits.
 */
#ifndef AUDIT_DIGEST_H
#define AUDIT_DIGEST_H

#include "base/json.h"

enum { DIGEST_TEXT = 64 };

/* Of bytes that are canonical already, or of no JSON. */
void digest_text(struct str text, char ret[DIGEST_TEXT + 1]);
/* Of a value's canonical text; E_INVALID when it has none. */
err digest_json(struct arena *a, const struct json *v,
    char ret[DIGEST_TEXT + 1]) MUST_USE;
/* Is s such a digest, by its form? */
bool digest_valid(struct str s);

#endif
