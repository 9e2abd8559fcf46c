/*
 * identity.h: one account at a provider: (provider, issuer, subject), never an
 * e-mail address, which providers hand out anew and people choose.
 */
#ifndef AUTH_IDENTITY_H
#define AUTH_IDENTITY_H

#include "access/world.h"

/* What struct identity is found by: SHA-256 of the provider's id, the length
 * of the issuer (u32), the issuer, the subject. */
err identity_key(const struct uuid *idp, struct str issuer, struct str subject,
    uint8_t ret[DIGEST_SIZE]) MUST_USE;

#endif
