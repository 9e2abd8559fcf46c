/*
 * cosigned.h: checkpoints of the audit log with what witnesses say of them.
 *
 * A checkpoint is signed about every second, and witnesses look about every
 * minute: so what the first of them cosigns is what the next ones are given
 * that have not seen it, for half of the policy's time (cosigned_next), and
 * who reads is
 * given the newest that enough of them have cosigned, as long as that is not
 * older than the policy wants (cosigned_best).
 */
#ifndef FLOW_COSIGNED_H
#define FLOW_COSIGNED_H

#include "audit/note.h"
#include "flow/call.h"

/* The note of that size with the cosignatures there are, as many as fit. */
err cosigned_note(struct call *c, uint64_t size, struct str note,
    struct str *ret) MUST_USE;
/* What a witness that has seen `old` is to cosign next; never a smaller one
 * than it has seen, unless the log is.  Without lines of others. */
err cosigned_next(struct call *c, uint64_t old, uint64_t *ret_size,
    struct str *ret_note) MUST_USE;
/* The newest checkpoint of a size >= from (0: any) that a quorum has cosigned
 * and that is fresh; else the newest. */
err cosigned_best(struct call *c, uint64_t from, uint64_t *ret_size,
    struct str *ret_note) MUST_USE;

/* The newest that a quorum has cosigned, however long ago. E_NOT_FOUND. */
err cosigned_last(struct call *c, uint64_t *ret_size,
    struct str *ret_note) MUST_USE;

/* How well the log is watched. */
struct cosigned_state {
	size_t witnesses; /* registered, and delegates that have cosigned */
	size_t fresh;	  /* cosigned lately */
	uint64_t size;	  /* of what a quorum has cosigned; 0: nothing */
	int64_t time;	  /* when that was signed */
};
err cosigned_state(struct call *c, struct cosigned_state *ret) MUST_USE;

/* Keys by which cosignatures are known. */
err witness_key(const struct witness_object *w, struct note_key *ret) MUST_USE;
err witness_delegate_key(const struct delegate *d,
    struct note_key *ret) MUST_USE;

#endif
