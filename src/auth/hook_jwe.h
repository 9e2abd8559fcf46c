/*
 * hook_jwe.h: bodies encrypted to an integration (RFC 7516): it has a key pair
 * of its own, made here; the public half is in its answers, the private one a
 * secret beside the others (hook.h).  Encryption only: who sent the body is
 * proved by something else, before this is asked.
 *
 * ECDH-ES and ECDH-ES+A256KW with P-256, RSA-OAEP-256 with RSA of 3072 bits;
 * A256GCM.  What jose.h refuses (zip, crit, PBES2, RSA1_5, short tags, points
 * off the curve) is refused.
 */
#ifndef AUTH_HOOK_JWE_H
#define AUTH_HOOK_JWE_H

#include "auth/hook.h"
#include "auth/jose.h"

/* A fresh private key, as the text of a secret. */
err hook_jwe_make(struct arena *a, const struct hook_rule *r,
    struct str *ret) MUST_USE;
/* E_UNAUTHENTICATED with the reason for the audit entry. */
err hook_jwe_open(struct arena *a, const struct hook_secrets *s, int64_t now,
    struct str body, enum jose_why *ret_why, struct str *ret) MUST_USE;
/* "jwk": the public part of the newest one, and "jwks": those of all live
 * ones, newest first; as members of an open object. */
err hook_jwe_public(struct arena *a, const struct hook_secrets *s, int64_t now,
    struct jw *w) MUST_USE;

#endif
