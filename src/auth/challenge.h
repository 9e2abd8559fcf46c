/*
 * challenge.h: WebAuthn challenges that nothing has to remember: a time, a
 * random part, and a MAC over both, over what it is for and over whom.  Good
 * for CHALLENGE_MS; that it is used once is for the caller to keep
 * (store_seen_add).
 */
#ifndef AUTH_CHALLENGE_H
#define AUTH_CHALLENGE_H

#include "auth/webauthn.h"
#include "base/id.h"
#include "seal/seal.h"

enum { CHALLENGE_MS = 5 * 60 * 1000 };

enum challenge_for {
	CHALLENGE_REGISTER = 1,
	CHALLENGE_LOGIN = 2,
};

/* mac: a key of the TOKEN class. */
err challenge_make(const struct data_key *mac, enum challenge_for what,
    const struct uuid *user, int64_t now,
    uint8_t ret[WEBAUTHN_CHALLENGE_SIZE]) MUST_USE;
/* E_UNAUTHENTICATED: not ours, for another, or too old. */
err challenge_check(const struct data_key *mac, enum challenge_for what,
    const struct uuid *user, int64_t now,
    const uint8_t challenge[WEBAUTHN_CHALLENGE_SIZE]) MUST_USE;

#endif
