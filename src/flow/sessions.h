/*
 * sessions.h: beginning, renewing and ending logins, in the writer's
 * transaction.  auth/session.h has what a session is, guard.h what it must
 * show, admin_sessions.c the routes.
 *
 * A session that ends is an object less in the world: it is over for every
 * request that comes after the commit, and open streams end at the next look.
 */
#ifndef FLOW_SESSIONS_H
#define FLOW_SESSIONS_H

#include "flow/call.h"

struct login {
	struct uuid user;
	struct uuid idp;   /* zero: local */
	struct str method; /* "saml", "oidc", "password+totp", ... */
	int64_t auth_time; /* 0: now; not after now */
	int64_t expires;   /* of the provider's own session; 0: not known */
	/* For the provider's logout; UTF-8, at most LIM_DEDUP bytes each. */
	struct str idp_session, name_id;
};

/*
 * They have proved who they are: a new session, its cookie in the answer, and
 * c->actor says who it is from here on, also on record.  A session whose
 * cookie came along ends, and so does the user's oldest above
 * LIM_USER_SESSIONS.
 *
 * E_UNAUTHENTICATED, with the reason on record ("owner", "address"), when the
 * user is disabled or gone or comes from where the policy lets nobody in;
 * E_LIMIT above LIM_SESSIONS.
 */
err session_begin(struct call *c, const struct login *l) MUST_USE;
/*
 * The caller's session after a step-up: another id and secret, auth_time now,
 * the same end.  E_INVALID when it is no session that asks.
 */
err session_renew(struct call *c, struct str method) MUST_USE;
/* The caller's own ends, and the browser is told to forget the cookie.
 * Nothing when it is no session that asks. */
err session_end(struct call *c) MUST_USE;

/* All of a user's: when they are disabled or deleted, when a password or a
 * second factor changes.  `but`: this one stays; may be NULL. */
err drop_sessions(struct call *c, const struct uuid *user,
    const struct uuid *but) MUST_USE;
/* Of every one of these users (other principals have none). */
err drop_sessions_of_all(struct call *c, const struct principal_id *who,
    size_t n) MUST_USE;
/* Of everybody who came from that provider: it is removed or disabled. */
err drop_sessions_of_idp(struct call *c, const struct uuid *idp) MUST_USE;
/* One login at a provider is over (its logout): idp_session empty: all of
 * that name_id.  How many ended. */
err drop_sessions_named(struct call *c, const struct uuid *idp,
    struct str name_id, struct str idp_session, size_t *ret_n) MUST_USE;
/* The user's accounts at providers and credentials, when the user goes. */
err drop_logins(struct call *c, const struct uuid *user) MUST_USE;

/* One as an object of an answer. */
void session_json(struct call *c, struct jw *w, const struct session *s);

/* Is it over, by the policy of now?  Those that are stay in the world until
 * sessions_tend, and are refused and not shown. */
bool session_over(struct lane *l, const struct session *s, int64_t now);
/* Are there any?  Cheap; then let them go (writer, in a transaction; a task
 * of writer_do). arg: now, as int64_t. */
bool sessions_due(struct lane *l, int64_t now);
err sessions_tend(struct lane *l, void *arg) MUST_USE;

#endif
