/*
 * session.h: a login that lasts: a cookie of 256 random bits, of which the
 * world keeps the SHA-256 only.  A cookie that names no session is ignored
 * and never adopted (fixation); who logs in gets another.
 *
 * Cookies: RFC 6265bis; the __Host- prefix (Secure, Path=/, no Domain) keeps
 * other hosts and plain HTTP from setting it.  Without Max-Age: it goes with
 * the browser.  CSRF: the token is an HMAC over the session's id and key, so
 * it needs no storing, dies with the session, and is worth nothing in another.
 */
#ifndef AUTH_SESSION_H
#define AUTH_SESSION_H

#include "access/world.h"
#include "seal/seal.h"

#define SESSION_COOKIE "__Host-redoubt"
enum {
	SESSION_SECRET = 32,
	SESSION_TEXT = 43, /* of the cookie's value and of the CSRF token */
};

/* The value of that cookie in a Cookie header; false when there is none.
 * *ret_n: how many there are. */
bool cookie_find(struct str header, struct str name, struct str *ret,
    size_t *ret_n);

/* A new secret, as the cookie's value, and the key it is kept under. */
err session_make(char ret[SESSION_TEXT + 1],
    uint8_t ret_key[DIGEST_SIZE]) MUST_USE;
/* The key of a cookie's value; false when it is none of ours by its form. */
bool session_key(struct str value, uint8_t ret[DIGEST_SIZE]);
/* mac: the SEAL_CLASS_TOKEN key. */
err session_csrf(const struct data_key *mac, const struct session *s,
    char ret[SESSION_TEXT + 1]) MUST_USE;

/*
 * When it ends if nothing more happens, in ms: the earliest of its own end,
 * what the policy of now gives it since the login, and since it was last used
 * (0: not since the login).
 */
int64_t session_absolute_end(const struct session *s, const struct policy *p);
int64_t session_idle_end(const struct session *s, const struct policy *p,
    int64_t used);

#endif
