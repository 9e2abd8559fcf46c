/*
 * backup.h: a backup of a store that is in use, doc/PROTOCOL.backup.  Rows
 * are read in one view on the caller's thread; the writer only makes the key
 * and puts the beginning and the end on record.
 *
 * In this order: backup_file, backup_keys, and when both were read back from
 * where they were written, backup_verified.
 */
#ifndef FLOW_BACKUP_H
#define FLOW_BACKUP_H

#include "flow/backup_form.h"
#include "flow/state.h"

/* What the caller lends. */
struct backup_job {
	struct state *st; /* its writer runs */
	/* The next bytes of the file. */
	err (*put)(void *ctx, struct str bytes);
	void *ctx;
	const atomic_bool *stop; /* end soon; may be NULL */
	const char *by;		 /* "uid:0": for the audit log */
	/* Head and list of the backup this one builds on; empty: none. */
	struct str base_head, base_list;
};

struct backup_made {
	struct backup_head head;
	uint64_t entries; /* of the audit log */
	uint64_t rows, blocks;
	uint64_t fresh; /* blocks that the base does not have */
	uint64_t bytes; /* of the file */
};

/* E_CORRUPT, E_WRONG_KEY, E_NOT_FOUND with a trail: not a base of this store.
 * E_LIMIT: the base builds on too many.  E_UNAVAILABLE: stopped. */
err backup_file(const struct backup_job *j, struct trail *t,
    struct backup_made *ret) MUST_USE;
/* The keys as they are now, without what only the keeper's files say. */
err backup_keys(const struct backup_job *j, const struct backup_made *m,
    struct trail *t) MUST_USE;
err backup_verified(const struct backup_job *j,
    const struct backup_made *m) MUST_USE;
void backup_json(struct buf *b, const struct backup_made *m);

/* When the last one that was verified was begun, ms; 0: never. */
err backup_last(struct store_conn *c, int64_t *ret) MUST_USE;

#endif
