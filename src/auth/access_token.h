/*
 * access_token.h: access tokens of other authorization servers (RFC 9068) as
 * credentials of the API.  The issuer is an identity provider of kind oauth;
 * who it is stands in the identities that an administrator has tied to (that
 * provider, its issuer, the subject); the scope is a ceiling like that of a
 * token of ours, in the names of our permissions: other words say nothing
 * here, and no scope permits nothing.  Signatures are verified once per token
 * and thread (issuers.h).
 */
#ifndef AUTH_ACCESS_TOKEN_H
#define AUTH_ACCESS_TOKEN_H

#include "auth/actor.h"

/* Three parts with dots between: no token of ours. */
bool access_token_form(struct str s);
/*
 * As a token of kind 'o' that is in no world: its id is zero, its key id the
 * start of the hash of what was sent.  *ret_why: AUTH_OK, AUTH_JWT (with the
 * reason in *in->jwt_why), AUTH_UNKNOWN: nobody is that subject.
 */
err access_token_take(struct arena *a, const struct auth_input *in,
    struct str text, enum auth_reason *ret_why,
    const struct token **ret) MUST_USE;

#endif
