/*
 * admin_hooks.h: the credentials of integrations: tokens they own (bearer,
 * basic) and secrets they keep (hmac, url_key).  At most two of a kind are
 * live: the newest, and the one before while its overlap lasts.
 */
#ifndef FLOW_ADMIN_HOOKS_H
#define FLOW_ADMIN_HOOKS_H

#include "flow/call.h"

/* What was made and is shown this once. */
struct hook_shown {
	char token[TOKEN_TEXT + 1]; /* empty: none */
	struct str secret;	    /* p NULL: none, or the sender's own */
	bool made;
};

/* The member `auth` of the body as rules; n->auth becomes their text. */
err hook_read_auth(struct call *c, struct integration *n,
    struct hook_auth *ret) MUST_USE;
/*
 * The first half of a route that may need a new key (call.h, SLOW): finding
 * an RSA key takes a second, and nobody else should wait for it.
 */
err hook_prepare(struct call *c, const struct hook_auth *h) MUST_USE;
/* The rules of an integration. */
err hook_stored_auth(struct call *c, const struct integration *n,
    struct hook_auth *ret) MUST_USE;
/*
 * (writer) Make what the rules ask for and the integration has not, drop what
 * they do not ask for any more.  old: the rules before, or NULL.  n->secrets
 * changes; it is the caller's to store.
 */
err hook_equip(struct call *c, struct integration *n,
    const struct hook_auth *old, const struct hook_auth *h,
    struct hook_shown *ret) MUST_USE;
/* (writer) A new one of each, the one before it good until then; or with
 * `drop` none, and the one before ends now. */
struct hook_rotation {
	int64_t until;
	struct str given; /* the sender's own new secret; or empty */
	bool drop;
	bool jwe; /* the encryption key instead */
};
err hook_rotate(struct call *c, struct integration *n,
    const struct hook_auth *h, const struct hook_rotation *r,
    struct hook_shown *ret) MUST_USE;
/* (writer) The integration goes: what is kept of its secrets' use too. */
err hook_forget(struct call *c, const struct integration *n) MUST_USE;
/* "secret" and, with both, "token"; wipes. */
void hook_shown_json(struct call *c, struct hook_shown *s);
/* "credentials": what is live, without its text. */
void hook_credentials_json(struct call *c, struct jw *w,
    const struct integration *n);
/* "jwk" and "jwks": its public keys, when bodies are encrypted to it. */
void hook_jwks_json(struct call *c, struct jw *w, const struct integration *n);
/* The request's body without secrets, for the audit log. */
struct str hook_body(struct call *c, const struct hook_auth *h,
    const struct integration *n);

#endif
