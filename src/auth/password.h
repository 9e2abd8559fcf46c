/*
 * password.h: passwords of local accounts.
 *
 * What is kept is argon2id (RFC 9106) over HMAC-SHA256 of the exact bytes
 * under a key of the store (the pepper), as a PHC string; its parameters are
 * read back from the string, so they can rise.  One hash takes 64 MiB and
 * about half a second: only threads made for it may call hash and check.
 *
 * What may be a password (OWASP ASVS 5 V6.2): 12 to LIM_PASSWORD characters,
 * any characters, none required, nothing cut off; not one of the most used,
 * also not with digits around it or letters written as digits; not made of
 * the names of the product, the organization or the person.
 */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "base/arena.h"
#include "seal/seal.h"

enum {
	PASSWORD_SALT = 16,
	PASSWORD_TAG = 32,
	PASSWORD_MIN = 12,	  /* characters */
	PASSWORD_PHC = 128,	  /* room for a PHC string and its NUL */
	PASSWORD_KIB = 64 * 1024, /* RFC 9106 4: memory, passes, lanes */
	PASSWORD_PASSES = 3,
};

/* E_NO_MEMORY when 64 MiB cannot be had. */
err password_hash(const struct data_key *pepper, struct str password,
    const uint8_t salt[PASSWORD_SALT], char ret[PASSWORD_PHC]) MUST_USE;
/*
 * E_UNAUTHENTICATED: another password.  E_CORRUPT: phc is nothing that
 * password_hash wrote, with these or other sane parameters.  An empty phc is
 * a person without a password: the same work for nothing,
 * E_UNAUTHENTICATED.
 */
err password_check(const struct data_key *pepper, struct str password,
    struct str phc) MUST_USE;
/*
 * A key from a passphrase that a person keeps, for what has no pepper: plain
 * argon2id with one lane.  E_INVALID unless kib is 8 .. PASSWORD_KIB_MAX and
 * passes 1 .. PASSWORD_PASSES_MAX.  Takes that much memory and its time.
 */
enum { PASSWORD_KIB_MAX = 1024 * 1024, PASSWORD_PASSES_MAX = 16 };
err password_key(struct str passphrase, const uint8_t salt[PASSWORD_SALT],
    uint32_t kib, uint32_t passes, struct secret *ret) MUST_USE;
/* Was it hashed with less than is asked for today? */
bool password_outdated(struct str phc);

/*
 * E_INVALID, with a trail that says why but not what.  words: names that the
 * password must not be made of; empty and short ones do no harm.
 */
err password_fits(struct str password, const struct str *words, size_t n,
    struct trail *t) MUST_USE;
/* Is it, in this spelling, on the list of the most used? */
bool password_common(struct str lower);

#endif
