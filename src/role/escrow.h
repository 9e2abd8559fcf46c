/*
 * escrow.h: DIR/keys/root.escrow, a sealed copy of the root key file for the
 * day on which that is lost.  It opens with shares (`key split`) or with any
 * other unlocker of a sealed file.  Of a plain file's copy the unlock key is
 * also kept under the root key itself, so that a rotation can bring the copy
 * up to date and shares stay good.
 */
#ifndef ROLE_ESCROW_H
#define ROLE_ESCROW_H

#include "role/rootfile.h"

#define ESCROW_FILE "root.escrow" /* in DIR/keys */

/* E_NOT_FOUND when there is none; views into a. */
err escrow_read(const struct datadir *d, struct arena *a, struct trail *t,
    struct root_sealed *ret) MUST_USE;
/*
 * `text` is what the root key file says now, or will say.  Nothing happens
 * to a plain file without a copy; f->keys have the key that opens it.
 */
err escrow_update(struct root_file *f, struct str text,
    struct trail *t) MUST_USE;
/* A copy of a plain file, its unlock key under one more unlocker: instead of
 * the copy there was. */
err escrow_make(struct root_file *f, struct unlocker *u,
    const struct secret *key, struct trail *t) MUST_USE;

#endif
