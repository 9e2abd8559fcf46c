/*
 * sso_keys.h: the keys of a provider that signs id_tokens.  Pinned ones stand
 * in its config; those of oidc-code are asked for through the idp role, and
 * kept in memory for LIM_JWKS_FRESH_MS.  A token under a key we do not know
 * makes us ask again, at most once in LIM_JWKS_RETRY_MS for a provider; when
 * nobody answers, what we have is good for LIM_JWKS_STALE_MS.
 */
#ifndef FLOW_SSO_KEYS_H
#define FLOW_SSO_KEYS_H

#include "auth/jose.h"
#include "flow/sso.h"

/* The caller frees the set.  again: what we had did not fit; E_NOT_FOUND when
 * there is nothing newer to be had.  Other errors are refusals of the login,
 * with their reason on record. */
err keys_of(struct call *c, const struct sso *s, bool again,
    struct jwks **ret) MUST_USE;

#endif
