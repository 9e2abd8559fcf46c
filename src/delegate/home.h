/*
 * home.h: the delegate's directory: 0700, its owner's, and whose alone are
 * the keys in it (0400).  Files are replaced whole: what is read back after a
 * crash is the old one or the new one.
 *
 *	identity.key  seal.key			32 bytes each
 *	session  ca.pem  delegate.json		(enrol.h)
 *	policy.conf				(policy.h)
 *	journal  witness  distrust		(journal.h, witness.h)
 *	spool/<task>.log  spool/<task>.json	(spool.h)
 *	status.json  lock
 */
#ifndef DELEGATE_HOME_H
#define DELEGATE_HOME_H

#include "base/buf.h"
#include "base/secret.h"

/* Open the directory; made when `make` and it is not there.  E_DENIED: it is
 * not ours, or others may look into it. */
err home_open(const char *path, bool make, struct trail *t,
    int *ret_dir) MUST_USE;
/* One process at a time; the lock ends with it.  E_LOCKED. */
err home_lock(int dir, struct trail *t) MUST_USE;

/* All of a regular file of ours.  E_NOT_FOUND, E_TOO_LARGE, E_DENIED. */
err home_read(int dir, const char *name, struct buf *b) MUST_USE;
/* Written, on the disk, and only then in the place of an older one. */
err home_write(int dir, const char *name, unsigned mode,
    struct str bytes) MUST_USE;
err home_remove(int dir, const char *name) MUST_USE; /* gone is fine */

/* A key of 32 bytes.  E_NOT_FOUND; E_CORRUPT: not 32 bytes. */
err home_key_read(int dir, const char *name, struct secret **ret) MUST_USE;
err home_key_write(int dir, const char *name, const struct secret *k) MUST_USE;
/* Read, or made of random bytes when it is not there. */
err home_key(int dir, const char *name, struct secret **ret) MUST_USE;

#endif
