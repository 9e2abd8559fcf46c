/*
 * cbor.h: a bounded reader of CBOR (RFC 8949) for WebAuthn: definite lengths
 * and shortest forms only (CTAP2 canonical form, except for the order of
 * members), nesting of LIM_CBOR_DEPTH, no tags, no floating point, keys of
 * maps are integers or texts and none occurs twice.  Nothing is copied.
 */
#ifndef AUTH_CBOR_H
#define AUTH_CBOR_H

#include "base/buf.h"

enum cbor_kind {
	CBOR_UINT,
	CBOR_NINT,
	CBOR_BYTES,
	CBOR_TEXT,
	CBOR_ARRAY,
	CBOR_MAP,
	CBOR_SIMPLE, /* false, true, null */
};

struct cbor {
	enum cbor_kind kind;
	uint64_t n;	  /* the number; -1 - n of a NINT; count of items */
	struct str bytes; /* BYTES, TEXT: what it holds; else the encoded items
			     of an ARRAY or MAP */
};

/* Take one whole item off `in`, all that is in it checked; max bytes bound
 * it.  E_INVALID: not what this reader takes; `in` is then spoiled. */
err cbor_take(struct cur *in, size_t max, struct cbor *ret) MUST_USE;
/* Members of a MAP that was taken: false when absent. */
bool cbor_at_int(const struct cbor *map, int64_t key, struct cbor *ret);
bool cbor_at_text(const struct cbor *map, struct str key, struct cbor *ret);
/* A number that fits: false for other kinds. */
bool cbor_i64(const struct cbor *c, int64_t *ret);

#endif
