/*
 * json_canon.h: canonical JSON, a subset of RFC 8785: what is signed,
 * approved and compared by digest has one text.
 *
 * Members are sorted by name, nothing stands between tokens, escapes are the
 * least there are.  Refused, because implementations differ about them:
 * numbers that are no integers within +-(2^53 - 1), in any other spelling
 * than the shortest, and names with characters beyond the BMP (byte order
 * would not be the order of UTF-16 code units).
 */
#ifndef BASE_JSON_CANON_H
#define BASE_JSON_CANON_H

#include "base/json.h"

#define JSON_INTEGER_MAX INT64_C(9007199254740991)

/* E_INVALID for what is refused, E_NO_MEMORY when out has no room. */
err json_canon(const struct json *v, struct buf *out) MUST_USE;
/* The same as a text in the arena of at most max bytes. */
err json_canon_text(struct arena *a, const struct json *v, size_t max,
    struct str *ret) MUST_USE;
/* Is text exactly the canonical text of v, which was read from it? */
bool json_is_canon(struct str text, const struct json *v);
/* Same value?  Numbers by their text: 1 and 1.0 differ. */
bool json_same(const struct json *a, const struct json *b);

#endif
