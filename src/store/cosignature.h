/*
 * cosignature.h: what witnesses have cosigned of the audit log.  See store.h
 * for what each function answers.
 */
#ifndef STORE_COSIGNATURE_H
#define STORE_COSIGNATURE_H

#include "store/store.h"

struct cosignature_row {
	struct uuid witness; /* a registered one, or a delegate */
	uint64_t size;	     /* of the checkpoint */
	int64_t time;	     /* that the witness says it was, in ms */
	struct str line;     /* of the note, with its newline; public */
};

/* Put, in the place of its last one at that size; of each witness the newest
 * LIM_COSIGNATURES stay. */
err store_cosignature_put(struct store_conn *c,
    const struct cosignature_row *r) MUST_USE;
/* The newest of that witness. */
err store_cosignature_last(struct store_conn *c, const struct uuid *witness,
    struct arena *a, struct cosignature_row *ret) MUST_USE;
/* Those of a checkpoint of that size; at most max. */
err store_cosignatures_at(struct store_conn *c, uint64_t size, struct arena *a,
    struct cosignature_row *ret, size_t max, size_t *ret_n) MUST_USE;
/* The greatest size >= from that so many witnesses have cosigned. */
err store_cosigned_size(struct store_conn *c, uint64_t from, unsigned quorum,
    uint64_t *ret) MUST_USE;
err store_cosignature_forget(struct store_conn *c,
    const struct uuid *witness) MUST_USE;

/* The smallest checkpoint of a size >= size that was signed at or after
 * `time` and that somebody has cosigned. */
err store_cosigned_since(struct store_conn *c, int64_t time, uint64_t size,
    struct arena *a, uint64_t *ret_size, struct str *ret_note) MUST_USE;
/* When the checkpoint of that size was signed. */
err store_checkpoint_time(struct store_conn *c, uint64_t size,
    int64_t *ret) MUST_USE;

#endif
