/*
 * actor.h: who?  A credential in, a `struct actor` out; the only maker of
 * actors.  One error (E_UNAUTHENTICATED) for every reason, in one time; the
 * reason goes to the audit entry, not to the caller.
 */
#ifndef AUTH_ACTOR_H
#define AUTH_ACTOR_H

#include "auth/delegate_cert.h"
#include "access/access.h"
#include "auth/hook.h"
#include "auth/jose.h"
#include "seal/seal.h"

enum auth_reason {
	AUTH_OK,
	AUTH_MISSING,
	AUTH_MALFORMED,
	AUTH_UNKNOWN,
	AUTH_WRONG_SECRET,
	AUTH_EXPIRED,
	AUTH_REVOKED,
	AUTH_OWNER,   /* owner gone or disabled */
	AUTH_ADDRESS, /* not from an allowed address */
	AUTH_KIND,    /* a token of a kind not accepted here */
	AUTH_CERT,    /* not with the certificate the token is bound to */
	AUTH_IDLE,    /* a session not used for too long */
	AUTH_BOTH,    /* a token and a session at once */
	AUTH_JWT,     /* an access token that is not believed: *jwt_why */
};
const char *auth_reason_text(enum auth_reason r); /* "expired", ... */

struct issuers;

struct auth_input {
	const struct world *world;
	const struct data_key *token_mac; /* SEAL_CLASS_TOKEN key */
	int64_t now;
	struct str authorization; /* header value, or empty */
	struct str bearer;	  /* a token given otherwise; or empty */
	struct str cookie;	  /* header value, or empty */
	struct str address;
	const uint8_t *cert; /* SHA-256 of the client's, or NULL */
	/* When a session was last used; 0: not since the login. */
	int64_t (*last_used)(void *ctx, const struct uuid *session);
	void *ctx;
	/* Of other authorization servers; NULL: there are none. */
	struct issuers *issuers;
	uint64_t version;	/* of the world, for them */
	enum jose_why *jwt_why; /* where to say why, with AUTH_JWT; or NULL */
};

/*
 * For /v1: Authorization: Bearer rdp_/rds_/rdb_..., or an access token of an
 * issuer there is (access_token.h), or the cookie of a session.
 * E_BAD_REQUEST for both: which of them asks would be a guess.
 */
err auth_api(struct arena *a, const struct auth_input *in,
    enum auth_reason *ret_why, const struct actor **ret) MUST_USE;
/*
 * For /ingest/{id}: the schemes the integration asks for, all of which must
 * hold (hook.h; what of h is about tokens and time is filled in here).
 * E_UNAUTHENTICATED also when the integration does not exist; E_DISABLED only
 * after a good credential.  *ret_why is about a token, *ret_proof.why about
 * the rest: auth_ingest_reason says which counts.
 */
err auth_ingest(struct arena *a, const struct auth_input *in,
    const struct uuid *integration, const struct hook_input *h,
    struct hook_proof *ret_proof, enum auth_reason *ret_why,
    const struct actor **ret) MUST_USE;
const char *auth_ingest_reason(enum auth_reason why,
    const struct hook_proof *p);
/*
 * For /v1/delegate: the client's certificate, which says which delegate it is
 * and of which epoch.  ca: the key of the authority.
 */
err auth_delegate(struct arena *a, const struct auth_input *in, struct str der,
    const uint8_t ca[32], enum auth_reason *ret_why,
    struct delegate_cert *ret_cert, const struct actor **ret) MUST_USE;
/*
 * For joining: a delegate's join token, as long as it is good.  Nothing but
 * joining may be done in the name of this actor.
 */
err auth_join(struct arena *a, const struct auth_input *in,
    enum auth_reason *ret_why, const struct actor **ret) MUST_USE;
/* Who has logged in just now: for the rest of the login's own request. */
const struct actor *auth_login(struct arena *a, const struct world *w,
    const struct session *s, struct str address);
/* The server itself: start, key rotation, flushes. */
const struct actor *auth_system(struct arena *a, const struct world *w);
/*
 * Who started a run, for what the run does in their name: what they may now,
 * and of that what they might when it was started (ceiling).  Only for runs
 * that were put away and sealed by us (flow/engine.h).
 */
const struct actor *auth_run(struct arena *a, const struct world *w,
    enum principal_kind kind, const struct uuid *id, struct permset ceiling);
/*
 * Somebody to ask access_explain about: a user, service account or
 * integration without a token's ceiling, or a group (what its members have by
 * it).  Nobody has proved to be it, so nothing may be done in its name.  NULL
 * for other kinds.
 */
const struct actor *auth_supposed(struct arena *a, const struct world *w,
    enum principal_kind kind, const struct uuid *id);
/* The owner of the token, asking with it. */
const struct actor *auth_supposed_token(struct arena *a, const struct world *w,
    const struct token *t);

#endif
