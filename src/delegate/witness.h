/*
 * witness.h: the log as this delegate has seen it grow.  It keeps the last
 * checkpoint it took, takes another only with a proof that it extends that
 * one, and cosigns it.  A log that is shorter than it was, or another one,
 * ends all trust: both notes are kept in `distrust`, and nothing of that
 * server is believed again, through restarts, until that file is removed.
 */
#ifndef DELEGATE_WITNESS_H
#define DELEGATE_WITNESS_H

#include "audit/note.h"
#include "delegate/reasons.h"

struct witness {
	int dir;
	struct note_key key;	/* of the log: pinned at enrolment */
	struct checkpoint last; /* size 0: none yet */
	struct str note;	/* as it came; empty: none yet */
	char store[NOTE_MAX];	/* of note */
	enum reason distrust;	/* REASON_NONE: none */
};

/* What DIR remembers.  E_CORRUPT, with a trail: a checkpoint that the log's
 * key did not sign. */
err witness_open(int dir, const struct note_key *key, struct trail *t,
    struct witness *ret) MUST_USE;

/*
 * The server shows a checkpoint, and how it extends the last one.  What holds
 * is the last one from then on, also on the disk.  *ret is written then.
 */
enum reason witness_see(struct witness *w, struct str note,
    const struct hash *proof, size_t n, struct checkpoint *ret);
/* The last one, cosigned under that name. E_NOT_FOUND: there is none. */
err witness_cosign(const struct witness *w, struct str name,
    const uint8_t seed[SECRET_SIZE], uint64_t seconds, struct buf *b) MUST_USE;

#endif
