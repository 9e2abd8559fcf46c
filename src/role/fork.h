/*
 * fork.h: a log that goes on under another name, offline: after a restore,
 * and when the keeper remembers more than the store has.
 */
#ifndef ROLE_FORK_H
#define ROLE_FORK_H

#include "audit/epoch.h"
#include "role/local.h"

/* What is put on record; the texts live as long as the call. */
struct fork_note {
	struct fork fork;
	struct str reason; /* what the operator says; empty: nothing */
	char by[32];
	/* Of a restore. */
	const struct uuid *backup; /* NULL: none */
	uint64_t rows, dropped;
};

/* The root of the log of a store that nobody uses. */
err fork_root(const char *db, uint64_t *ret_size, struct hash *ret_root,
    struct trail *t) MUST_USE;
/* The newest checkpoint of a store, as what was signed last. */
err fork_newest(const char *db, const struct note_key *key, struct arena *a,
    struct fork *ret, struct trail *t) MUST_USE;
/* The next name, into ret and onto the keeper's file; size and root: of the
 * log as it is. */
err fork_keep(struct keep *k, const char *origin, uint64_t size,
    const struct hash *root, char ret[NOTE_NAME_MAX + 1]) MUST_USE;
/* The entry, and a signature over it. */
err fork_go_on(const struct datadir *d, const struct config *c, struct arena *a,
    struct fork_note *n, struct trail *t) MUST_USE;

#endif
