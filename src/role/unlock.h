/*
 * unlock.h: opening a sealed root file (seal/rootseal.h): what makes the
 * keys of its unlockers.  Passphrases, files and shares are worked on here;
 * tokens and TPMs in a short-lived child, since their drivers are foreign
 * code (device.h).
 */
#ifndef ROLE_UNLOCK_H
#define ROLE_UNLOCK_H

#include "role/datadir.h"
#include "role/role.h"
#include "seal/rootseal.h"
#include "seal/share.h"

/* What a person has said; wiped by whoever read it. */
struct unlock_lines {
	struct str line[SHARES_MAX];
	size_t n;
	struct str source; /* empty: whichever it opens */
};

/* What all of this works on. */
struct unlocking {
	struct arena *a;
	const struct datadir *dir;
	struct trail *t;
	const struct root_sealed *sealed;
};

/*
 * U, without anybody: the unlockers that ask nobody, one after the other.
 * E_SEALED when they do not but somebody could; else the error of the last one
 * tried.  The trail names that one.
 */
err unlock_auto(const struct unlocking *k, struct secret *ret_u) MUST_USE;
/*
 * U, with what a person has said: a passphrase, a PIN, or shares.
 * E_WRONG_KEY or E_INVALID, and the trail says which line is wrong and how.
 */
err unlock_by(const struct unlocking *k, const struct unlock_lines *l,
    struct secret *ret_u) MUST_USE;
/* The one or the other, asking p (NULL: nobody) only when it has to.
 * source: that unlocker; empty = any, and what was found is kept for the rest
 * of the command, which then asks once. */
err unlock_ask(const struct unlocking *k, const struct person *p,
    struct str source, struct secret *ret_u) MUST_USE;
/* Read what one way of unlocking takes: one line, or k shares. */
err unlock_collect(struct arena *a, const struct person *p, const char *what,
    struct trail *t, struct unlock_lines *ret) MUST_USE;

/* ---- new unlockers ---- */

/*
 * ret is complete but for its wrapped key, which `key` encrypts.  E_INVALID
 * with a trail when the spec is no good.
 */
err unlock_make(const struct unlocking *k, const struct person *p,
    const struct unlock_spec *spec, struct unlocker *ret,
    struct secret *ret_key) MUST_USE;
/* The same for k of n shares, which the caller shows once and wipes. */
err unlock_make_shares(const struct unlocking *k, struct str name,
    unsigned needed, unsigned n, struct unlocker *ret, struct secret *ret_key,
    struct share ret_shares[SHARES_MAX]) MUST_USE;
/* Is this one of the shares of u?  E_INVALID and a trail when it is not. */
err unlock_share_of(const struct unlocking *k, const struct unlocker *u,
    const struct share *s) MUST_USE;
/* The unlocker of that kind and (unless empty) name; NULL: none. */
const struct unlocker *unlocker_find(const struct root_sealed *r,
    enum unlocker_kind kind, struct str name);

/*
 * An open root key file: a descriptor of its plain text, to be read once,
 * whether it was sealed or not (fd is taken).  p: whom to ask, may be NULL.
 */
err root_key_unlock(const struct datadir *d, int fd, const struct person *p,
    struct trail *t, int *ret) MUST_USE;

#endif
