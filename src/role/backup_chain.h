/*
 * backup_chain.h: a backup with those it builds on, which lie in the same
 * directory whatever they are called, and the keys that open them.
 */
#ifndef ROLE_BACKUP_CHAIN_H
#define ROLE_BACKUP_CHAIN_H

#include "base/json.h"
#include "role/backup_in.h"
#include "role/backup_ring.h"
#include "role/role.h"

struct backup_chain {
	struct trail *t;
	struct backup_in file[LIM_BACKUP_CHAIN]; /* [0] is the one asked for */
	size_t n;
	char keys_path[PATH_MAX + 32];
	bool have_keys;
	struct backup_ring ring;
	char root_path[PATH_MAX];
	struct buf root; /* the root key file's bytes */
	struct root_keys *roots;
	struct arena a, lists;
	struct backup_list list;
};

/* All bytes of all files are what was written. E_CORRUPT, E_NOT_FOUND with a
 * trail, which names the file. */
err backup_chain_open(struct backup_chain *c, const struct restore_options *o,
    struct trail *t) MUST_USE;
/* The root key, the keys, the list.  E_NOT_FOUND: no root key to be had. */
err backup_chain_unlock(struct backup_chain *c,
    const struct restore_options *o) MUST_USE;
void backup_chain_close(struct backup_chain *c);
/* What it is, as members of the open object. */
void backup_chain_json(struct jw *w, const struct backup_chain *c, bool opened);

/* Every row of the backup, in order; the views are good during the call. */
typedef err (*backup_rows_fn)(void *ctx, const struct backup_rows *table,
    struct str row);
err backup_chain_rows(struct backup_chain *c, backup_rows_fn fn,
    void *ctx) MUST_USE;

#endif
