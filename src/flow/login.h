/*
 * login.h: local logins: an e-mail address, a password, a second factor.
 *
 * The first half of each runs on one of LIM_HASHES threads and hashes a
 * password, also when there is nobody of that address, so that all refusals
 * cost the same; the second half looks at the second factor and begins the
 * session, in one transaction.  Outside there is one error, E_UNAUTHENTICATED;
 * why is on record: "unknown", "no_password", "wrong_password", "owner",
 * "local_login", "changed", or what factor_check says.
 */
#ifndef FLOW_LOGIN_H
#define FLOW_LOGIN_H

#include "auth/challenge.h"
#include "flow/call.h"

/* Count an attempt for the account and the caller's address: E_RATE, on
 * record, with Retry-After. */
err login_throttled(struct call *c, struct str account) MUST_USE;

/* "challenge" and "timeout" of an open object: what authenticators sign. */
err webauthn_challenge(struct call *c, struct jw *w, enum challenge_for what,
    const struct uuid *user) MUST_USE;
/* A list of the user's security keys, as PublicKeyCredentialDescriptorJSON. */
err webauthn_known(struct call *c, struct jw *w, const char *name,
    const struct uuid *user) MUST_USE;

#endif
