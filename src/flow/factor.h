/*
 * factor.h: second factors at a login, in the writer's transaction, so that a
 * code or challenge is good once however many ask with it at once.
 */
#ifndef FLOW_FACTOR_H
#define FLOW_FACTOR_H

#include "auth/challenge.h"
#include "auth/credential.h"
#include "flow/call.h"

/* What a user has to show besides the password; a TOTP that was never
 * confirmed does not count. */
struct factors {
	bool totp, webauthn;
	size_t codes; /* recovery codes that are left */
};
err factors_of(struct call *c, const struct uuid *user,
    struct factors *ret) MUST_USE;

/*
 * The members totp (a code of an authenticator app, or a recovery code) and
 * webauthn of the body against what the user has; what was used up is
 * stored.  *ret_method: "password", "password+totp", "password+recovery" or
 * "password+webauthn".  E_UNAUTHENTICATED, with *ret_why (static) for the
 * audit log.
 */
err factor_check(struct call *c, const struct uuid *user,
    struct str *ret_method, const char **ret_why) MUST_USE;

/* The MAC key with that number; a key that is gone is E_NOT_FOUND. */
err factor_key(struct call *c, uint32_t id,
    const struct data_key **ret) MUST_USE;
/* What this server asks authenticators: its name and origin. */
void factor_ask(struct call *c, struct webauthn_ask *ret);
/*
 * The challenge in clientDataJSON, when it is one of ours, for this and this
 * user, and was not used: used now.  E_UNAUTHENTICATED.
 */
err factor_challenge(struct call *c, enum challenge_for what,
    const struct uuid *user, struct str client_data,
    uint8_t ret[WEBAUTHN_CHALLENGE_SIZE]) MUST_USE;
/* A member that is base64url, decoded; false when absent or not. */
bool factor_bytes(struct call *c, const struct json *j, const char *name,
    struct str *ret);

#endif
