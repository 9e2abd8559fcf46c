/*
 * totp.h: one-time codes of an authenticator app: RFC 6238 with HMAC-SHA-1,
 * 6 digits, 30 seconds, the step before and after accepted too, each step
 * once.  Seeds are 160 bits (RFC 4226 4).
 */
#ifndef AUTH_TOTP_H
#define AUTH_TOTP_H

#include "base/buf.h"

enum {
	TOTP_SEED = 20,
	TOTP_DIGITS = 6,
	TOTP_SECONDS = 30,
	TOTP_SEED_TEXT = 32, /* base32 */
};

/* RFC 4226 5.3: six digits, no NUL. E_CRYPTO only when libcrypto fails. */
err totp_code(const uint8_t seed[TOTP_SEED], uint64_t step,
    char ret[TOTP_DIGITS]) MUST_USE;
/*
 * Is it a code of now, one step more or less, later than `last` (the step
 * accepted last, 0 for none)?  All three are computed and compared in one
 * time.  *ret_step is what `last` becomes; E_UNAUTHENTICATED otherwise.
 */
err totp_check(const uint8_t seed[TOTP_SEED], uint64_t last, int64_t now_ms,
    struct str code, uint64_t *ret_step) MUST_USE;

/* RFC 4648 6, upper case, without padding: how a seed is shown and kept. */
void base32_add(struct buf *b, struct str bytes);
/* Exactly ret_n bytes, whose count is a multiple of 5; upper case only. */
bool base32_decode(struct str in, void *ret, size_t ret_n);
/* otpauth://totp/ISSUER:ACCOUNT?secret=...&issuer=ISSUER */
void totp_uri(struct buf *b, struct str issuer, struct str account,
    const uint8_t seed[TOTP_SEED]);

#endif
