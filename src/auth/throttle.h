/*
 * throttle.h: how often somebody may try to log in.
 *
 * An account (known or not: it goes by the address that was typed) has
 * THROTTLE_FREE attempts, then each doubles the wait, from a second to 15
 * minutes, never longer; a success, or an hour without any, forgets them.
 * An attempt counts when it begins, so many at once are not one.  An address
 * has LIM_LOGIN_ADDRESS attempts a minute and as many at once; IPv6 goes by
 * /64.
 *
 * What is refused without a password being guessed has buckets of its own:
 * answers of identity providers, deliveries without a credential.  Only what
 * was bad counts, a bucket of a minute's worth (limits.def) that fills
 * evenly.
 *
 * Tables of a fixed size, found by keyed hash; when there is no room the
 * least that is remembered is forgotten.  Thread-safe.
 */
#ifndef AUTH_THROTTLE_H
#define AUTH_THROTTLE_H

#include "base/err.h"
#include "base/str.h"

enum { THROTTLE_FREE = 5, THROTTLE_MAX_MS = 15 * 60 * 1000 };

struct throttle;

/* NULL: no memory. */
struct throttle *throttle_new(void);
struct throttle *throttle_free(struct throttle *t);

/*
 * An attempt begins.  E_RATE, with the milliseconds until the next is of use:
 * it is not to be made, and does not count.
 */
err throttle_begin(struct throttle *t, struct str account, struct str address,
    int64_t now, int64_t *ret_wait) MUST_USE;
/* It was one of the account's owner. */
void throttle_good(struct throttle *t, struct str account);

enum throttled {
	THROTTLED_LOGINS,  /* of an address; of: empty */
	THROTTLED_HOOKS,   /* of an address; of: for which integration */
	THROTTLED_ADDRESS, /* of an address; of: empty */
	THROTTLED_MAX_,
};
/* E_RATE when that bucket is empty. */
err throttle_look(struct throttle *t, enum throttled what, struct str address,
    struct str of, int64_t now, int64_t *ret_wait) MUST_USE;
/* One more that was bad; E_RATE when the bucket was empty already. */
err throttle_bad(struct throttle *t, enum throttled what, struct str address,
    struct str of, int64_t now, int64_t *ret_wait) MUST_USE;

#endif
