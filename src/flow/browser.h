/*
 * browser.h: what a browser gets that no program does: cookies, redirects,
 * small pages, and where it may go next.
 */
#ifndef FLOW_BROWSER_H
#define FLOW_BROWSER_H

#include "flow/call.h"

/*
 * A Set-Cookie of ours: Secure; HttpOnly; Path=/; no Domain.  name begins
 * with __Host-.  seconds 0: it goes with the browser; below 0: it goes now.
 * At most CALL_COOKIES in one answer; more is a bug.
 */
enum cookie_site {
	COOKIE_LAX,  /* sessions */
	COOKIE_NONE, /* login transactions: the provider's POST brings it */
};
void answer_cookie(struct call *c, const char *name, struct str value,
    enum cookie_site site, int seconds);

/* 303 (RFC 9110 15.4.4): the browser goes on with GET, whatever it sent. */
void answer_redirect(struct call *c, struct str location);

/*
 * A page of one heading and one paragraph, both escaped, and a link back when
 * `link` is not empty: no script, no style from elsewhere, no frame.
 */
void answer_page(struct call *c, int status, struct str title, struct str text,
    struct str link);

/*
 * Where to go after a login, from outside: a path of this server, nothing
 * that a browser could take for another host or that logs in again:
 *	^/[A-Za-z0-9._~/-]*(\?[A-Za-z0-9._~=&%+-]*)?$
 * at most LIM_NEXT bytes, no "//", no segment "." or "..", not below /auth/.
 */
bool next_valid(struct str s);
/* next when it is valid, else "/". */
struct str next_or_root(struct str next);

#endif
