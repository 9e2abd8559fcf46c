/*
 * credential.h: what `data` of a struct credential is, for each kind: a small
 * JSON object that lies in the sealed object.  Passwords and recovery codes
 * are there as hashes, a TOTP seed as it is: nothing here is ever rendered
 * after the enrolment.
 */
#ifndef AUTH_CREDENTIAL_H
#define AUTH_CREDENTIAL_H

#include "access/world.h"
#include "auth/recovery.h"
#include "auth/totp.h"
#include "auth/webauthn.h"

struct cred_password {
	uint32_t key;	/* data key number of the pepper */
	struct str phc; /* password.h */
};

struct cred_totp {
	uint8_t seed[TOTP_SEED];
	uint64_t last;	/* step accepted last */
	bool confirmed; /* a code was shown once; else it counts for nothing */
};

struct cred_recovery {
	uint32_t key; /* data key number of the hashes' key */
	size_t n;     /* codes that are left */
	uint8_t hash[RECOVERY_CODES][RECOVERY_HASH];
};

/* In the arena; check it. */
struct str cred_password_data(struct arena *a, const struct cred_password *p);
struct str cred_totp_data(struct arena *a, const struct cred_totp *t);
struct str cred_webauthn_data(struct arena *a, const struct webauthn_key *k);
struct str cred_recovery_data(struct arena *a, const struct cred_recovery *r);

/* E_CORRUPT: not what was written, or of another kind. Texts are in the
 * arena. */
err cred_password_of(struct arena *a, const struct credential *c,
    struct cred_password *ret) MUST_USE;
err cred_totp_of(struct arena *a, const struct credential *c,
    struct cred_totp *ret) MUST_USE;
err cred_webauthn_of(struct arena *a, const struct credential *c,
    struct webauthn_key *ret) MUST_USE;
err cred_recovery_of(struct arena *a, const struct credential *c,
    struct cred_recovery *ret) MUST_USE;

const char *credential_kind_text(enum credential_kind k); /* "totp", ... */

#endif
