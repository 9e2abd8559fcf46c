/*
 * share.h: a 32-byte key in n shares, any k of which give it back (Shamir,
 * GF(2^8) modulo x^8 + x^4 + x^3 + x + 1), and the text of one share.
 * Fewer than k say nothing about the key.  No branch and no table depends on
 * a secret.  Format: doc/PROTOCOL.seal.
 */
#ifndef SEAL_SHARE_H
#define SEAL_SHARE_H

#include "base/secret.h"

enum {
	SHARES_MAX = 16,
	SHARE_SET = 4,
	SHARE_CHECK = 8,
	SHARE_TEXT = 96, /* room for the text of one and its NUL */
};

struct share {
	uint8_t set[SHARE_SET]; /* the same in all that were made together */
	uint8_t k;		/* how many are needed */
	uint8_t x;		/* 1 .. n: which one it is */
	uint8_t y[SECRET_SIZE];
};

/* ret gets n shares. E_INVALID unless 2 <= k <= n <= SHARES_MAX. */
err share_split(const struct secret *key, const uint8_t set[SHARE_SET],
    unsigned k, unsigned n, struct share *ret) MUST_USE;
/* From k shares of one set with different x; E_INVALID for others.  Shares
 * that were forged give another key: see share_check. */
err share_join(const struct share *s, size_t k, struct secret *ret) MUST_USE;

/* "redoubt1-XXXXX-...": the caller wipes it. */
void share_write(const struct share *s, char ret[SHARE_TEXT]);
/* Upper or lower case, with or without dashes and spaces.  E_INVALID with a
 * trail that says what is wrong and nothing of the share. */
err share_read(struct str text, struct trail *t, struct share *ret) MUST_USE;
/* Does the text say that it is a share, a whole one or not? */
bool share_like(struct str text);
/* What tells a share from any other, and cannot be turned back into it. */
err share_check(const struct share *s, uint8_t ret[SHARE_CHECK]) MUST_USE;

#endif
