/*
 * parcel.h: a file sealed to somebody's public key while it is written:
 * doc/PROTOCOL.audit 5.5.  A fresh key is sealed with HPKE (hpke.h); under it
 * chunks of 64 KiB with AES-256-GCM, numbered, the last one marked, so that
 * chunks cannot be cut off, moved, dropped or taken from another parcel.
 *
 * Anybody can seal to a public key: a parcel hides, it does not say who made
 * it.  The manifest inside does.
 */
#ifndef SEAL_PARCEL_H
#define SEAL_PARCEL_H

#include "seal/hpke.h"

#define PARCEL_MAGIC "redoubt-parcel-1\n"

enum {
	PARCEL_CHUNK = 64 * 1024,
	PARCEL_HEAD = sizeof PARCEL_MAGIC - 1 + HPKE_OVERHEAD + HPKE_KEY,
	PARCEL_PIECE = PARCEL_CHUNK + HPKE_TAG, /* a chunk as it lies there */
};

struct parcel;

/* out gets the head.  E_INVALID: pk is no key to seal to. */
err parcel_new(const uint8_t pk[HPKE_KEY], struct buf *out,
    struct parcel **ret) MUST_USE;
/* Whole chunks go to out, the rest waits. */
err parcel_add(struct parcel *p, struct str plain, struct buf *out) MUST_USE;
/* The last chunk, if it is an empty one. */
err parcel_end(struct parcel *p, struct buf *out) MUST_USE;
struct parcel *parcel_free(struct parcel *p);

/* head: PARCEL_HEAD bytes.  E_INVALID: no parcel; E_CORRUPT: not to sk. */
err parcel_open(const uint8_t sk[HPKE_KEY], struct str head,
    struct parcel **ret) MUST_USE;
/* The next piece; last: nothing is behind it.  ret gets piece.n - HPKE_TAG
 * bytes.  E_CORRUPT: changed, out of place, or not the last. */
err parcel_next(struct parcel *p, struct str piece, bool last,
    uint8_t *ret) MUST_USE;

/*
 * Keys as texts, with a check: a mistyped one is refused.
 *	redoubt-recipient-1:<48 base64>		public: give it to exporters
 *	redoubt-recipient-secret-1:<48 base64>	keep it
 */
void parcel_public_text(const uint8_t pk[HPKE_KEY], struct buf *b);
void parcel_secret_text(const uint8_t sk[HPKE_KEY], struct buf *b);
bool parcel_public_parse(struct str s, uint8_t ret[HPKE_KEY]);
bool parcel_secret_parse(struct str s, uint8_t ret[HPKE_KEY]);

#endif
