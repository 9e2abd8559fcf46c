/*
 * sso_txn.h: a login under way.  Nothing of it is stored here: it travels in
 * a cookie of the browser that began it, sealed, so that nobody else can
 * bring an answer for it (login CSRF), nobody can change or read it, and
 * nobody can fill our memory with it.  That it is used once is the writer's
 * business (SEEN_LOGIN, in the transaction that begins the session).
 *
 * The cookie is SameSite=None: a provider's form_post is a cross-site POST
 * and brings no Lax cookie.  Its name holds the transaction's id, so logins
 * in two tabs do not disturb each other; a browser keeps TXN_BROWSER of them.
 */
#ifndef FLOW_SSO_TXN_H
#define FLOW_SSO_TXN_H

#include "flow/call.h"

#define TXN_COOKIE "__Host-rdtx-"
enum {
	TXN_SECONDS = 600,
	TXN_BROWSER = 6, /* under way in one browser */
	TXN_RANDOM = 43, /* characters of 256 random bits */
	TXN_STATE = UUID_TEXT + 1 + TXN_RANDOM, /* RelayState allows 80 */
};

struct txn {
	struct uuid id;
	struct uuid idp;
	int64_t begun, expires;	   /* ms */
	char state[TXN_STATE + 1]; /* the id, a dot, 256 random bits */
	char nonce[TXN_RANDOM + 1];
	char verifier[TXN_RANDOM + 1]; /* RFC 7636 */
	bool fresh;		       /* a new proof was demanded */
	struct uuid session;	       /* the one it was begun in; zero: none */
	struct str next;	       /* path to go on to */
};

/* Begin: random values, and the cookie in c's answer. */
err txn_begin(struct call *c, const struct uuid *idp, struct str next,
    bool fresh, struct txn *ret) MUST_USE;
/* Has it the form of a state of ours? */
bool txn_is_state(struct str s);
/*
 * The transaction that `state` names, from the browser's cookie.  *ret_why
 * is static: why not.  E_TXN_COOKIE: the browser has not brought it;
 * E_TXN_EXPIRED; E_AUTH_FAILED: a cookie that is none of ours, or of another
 * provider or state.
 */
err txn_take(struct call *c, const struct uuid *idp, struct str state,
    const char **ret_why, struct txn *ret) MUST_USE;
/* Tell the browser to forget it. */
void txn_forget(struct call *c, const struct txn *t);
/* What SEEN_LOGIN remembers of it. */
err txn_hash(const struct txn *t, uint8_t ret[SEEN_SIZE]) MUST_USE;

#endif
