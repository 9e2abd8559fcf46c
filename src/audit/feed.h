/*
 * feed.h: entries in order, for the files of audit only.
 *
 * What a leaf alone tells: is it one, is its number the next one, is its
 * time not before the last one.
 */
#ifndef AUDIT_FEED_H
#define AUDIT_FEED_H

#include "audit/edge.h"
#include "audit/verify.h"

struct feed {
	uint64_t next; /* seq expected; 0: whatever comes first */
	int64_t time;  /* of the last leaf */
	/* What the log is called at the last leaf; empty: nobody has said. */
	char epoch[NOTE_NAME_MAX + 1];
	/* A name that is known from elsewhere, and whether a fork leads away
	 * from it. */
	struct str known;
	bool left;
};

void feed_init(struct feed *f, uint64_t next);
/* Reads one leaf; ret gets its hash. */
err feed_leaf(struct feed *f, struct str leaf, struct hash *ret,
    struct audit_verdict *v) MUST_USE;
/* An entry of this number came, of which only the hash is known. */
err feed_seq(struct feed *f, uint64_t seq, struct audit_verdict *v) MUST_USE;

/*
 * The entries are vouched for under the name `origin`, while `known` (of the
 * feed; empty: none) is what the reader trusts: do they tell how the one
 * became the other?
 */
err feed_origin(const struct feed *f, struct str origin,
    struct audit_verdict *v) MUST_USE;

/* Fills in the finding and answers E_BAD_ANSWER. */
err finding(struct audit_verdict *v, uint64_t seq, const char *fmt, ...)
    PRINTF(3, 4) MUST_USE;
/* "entry 7" or "one of the entries 7 to 12"; `rest` follows. */
err finding_range(struct audit_verdict *v, uint64_t first, uint64_t last,
    const char *rest) MUST_USE;

#endif
