/*
 * oidc.h: what an OpenID provider says, believed: id_tokens (OpenID Connect
 * Core 2, 3.1.3.7), logout tokens (Back-Channel Logout 2.4, 2.6), and access
 * tokens of an authorization server (RFC 9068).  Pure:
 * token, keys, rules and the time in, a person or a reason out.
 *
 * Refused: algorithms that are not allowed, keys that do not fit (jose.h), a
 * token of another kind, another issuer, audience or nonce, times that are
 * missing, no integers, past or too far ahead, a subject that is no plain
 * text of 1 to 255 bytes, groups that the provider left out (overage), text
 * with control characters.  Nothing in a token is fetched.
 *
 * at_hash is not looked at: it binds an access token of the provider's, and
 * none is ever used here.
 *
 * Replay is the caller's: a nonce is of one request, a jti is used once.
 */
#ifndef AUTH_OIDC_H
#define AUTH_OIDC_H

#include "auth/jose.h"

enum {
	OIDC_SKEW = 60,	   /* seconds, each way */
	OIDC_AGE = 600,	   /* seconds since it was issued */
	OIDC_LIFE = 3600,  /* seconds, of an access token */
	OIDC_TEXT = 255,   /* bytes of sub, sid, jti */
	OIDC_GROUPS = 500, /* of one token */
	OIDC_GROUP = 1024, /* bytes of one */
};

struct oidc_rules {
	struct str issuer, client_id; /* to the byte */
	struct str nonce;	      /* of the request (id_token) */
	struct str code;	 /* redeemed for it; empty: there was none */
	struct str acr;		 /* demanded; empty: any */
	const struct json *amr;	 /* a list, each demanded; NULL: any */
	struct str groups_claim; /* empty: groups are not asked for */
	uint32_t algs;		 /* JOSE_BITs that may sign */
	int64_t now;		 /* ms */
	int64_t after;		 /* ms: they must have logged in since; 0 */
};

/* Views into the arena. */
struct oidc_person {
	struct str sub;
	struct str email, name, sid; /* may be empty */
	const struct str *groups;
	size_t groups_n;
	int64_t auth_time; /* ms; 0: not said */
};
/* E_UNAUTHENTICATED with a reason; E_NO_MEMORY, E_CRYPTO. */
err oidc_id_token(struct arena *a, struct str token, const struct oidc_rules *r,
    const struct jwks *keys, enum jose_why *ret_why,
    struct oidc_person *ret) MUST_USE;

struct oidc_logout {
	struct str sub, sid; /* one may be empty */
	struct str jti;
	int64_t until; /* ms: of its jti in the replay table */
};
err oidc_logout_token(struct arena *a, struct str token,
    const struct oidc_rules *r, const struct jwks *keys, enum jose_why *ret_why,
    struct oidc_logout *ret) MUST_USE;

/* RFC 9068: a program's access token, for us as `client_id` of the rules. */
struct oidc_access {
	struct str sub, client_id;
	struct str scope; /* words with single spaces between; may be empty */
	int64_t expires;  /* ms */
};
err oidc_access_token(struct arena *a, struct str token,
    const struct oidc_rules *r, const struct jwks *keys, enum jose_why *ret_why,
    struct oidc_access *ret) MUST_USE;
/* Who a token says it is from, to find the keys that can tell; nothing of it
 * is believed.  Empty when it does not say. */
struct str oidc_claimed_issuer(struct arena *a, struct str token);

#endif
