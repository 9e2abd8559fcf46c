/*
 * guard.h: what a session must show besides its cookie, which a browser sends
 * whoever made the page that asks.
 *
 * Every method that may change something needs, together:
 *	X-Redoubt-CSRF	the token of this session (GET /v1/whoami)
 *	Origin		that of public_url, once
 *	Sec-Fetch-Site	same-origin or none, when the browser says it
 * else E_CSRF, on record with what was wrong.  Tokens need none of it: no
 * browser sends them by itself.
 *
 * A FRESH route needs a login (or a step-up) that is not older than the
 * policy's step_up_minutes: E_STEP_UP.
 */
#ifndef FLOW_GUARD_H
#define FLOW_GUARD_H

#include "flow/call.h"

/* In the auth step, when c->actor is known. */
err guard_session(struct call *c) MUST_USE;
/* scheme://host[:port] of an https URL, default port left out, lower case;
 * false when it is none. */
bool guard_origin(struct str url, char *ret, size_t max);

#endif
