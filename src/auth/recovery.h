/*
 * recovery.h: recovery codes, for who has lost the second factor: ten of 80
 * random bits, shown once, each good once.  80 bits cannot be guessed, so a
 * keyed hash is enough at rest, and looking one up takes no password hash.
 */
#ifndef AUTH_RECOVERY_H
#define AUTH_RECOVERY_H

#include "base/buf.h"
#include "seal/seal.h"

enum {
	RECOVERY_CODES = 10,
	RECOVERY_BYTES = 10, /* 80 bits */
	RECOVERY_TEXT = 19,  /* XXXX-XXXX-XXXX-XXXX, base32 */
	RECOVERY_HASH = 32,
};

/* A code as it is shown. */
void recovery_text(const uint8_t code[RECOVERY_BYTES],
    char ret[RECOVERY_TEXT + 1]);
/* What a person typed: letters of any case, with or without dashes and
 * spaces. false: no code at all. */
bool recovery_parse(struct str s, uint8_t ret[RECOVERY_BYTES]);
/* The hash, under a key of the TOKEN class, of this code of this user. */
err recovery_hash(const struct data_key *mac, const struct uuid *user,
    const uint8_t code[RECOVERY_BYTES], uint8_t ret[RECOVERY_HASH]) MUST_USE;
/* Which of n hashes it is, comparing with all; n when none. They lie one
 * behind the other. */
size_t recovery_find(const uint8_t *hashes, size_t n,
    const uint8_t hash[RECOVERY_HASH]);

#endif
