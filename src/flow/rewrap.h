/*
 * rewrap.h: what sealing rows anew has in common, whether only old terms go
 * (rewrap.c) or every key there is (reencrypt.c).
 */
#ifndef FLOW_REWRAP_H
#define FLOW_REWRAP_H

#include "flow/pieces.h"

enum { REWRAP_CURSOR = 64, REWRAP_RECENT = 1024 };

/* A key of a subject and the one that follows it; 0 = none yet. */
struct renewal {
	uint32_t old, id;
};

struct rewrapping {
	struct pieces p;
	struct arena lists;
	struct lane reader;
	struct old_keys old; /* class keys */
	uint32_t below;	     /* keys of subjects below this number are old */
	size_t want;	     /* rows of the next piece */

	struct renewal recent[REWRAP_RECENT]; /* by old % REWRAP_RECENT */
	uint32_t *need; /* keys to be followed, of this piece */
	size_t need_n;

	struct sealed_row *row; /* of this piece, sealed anew */
	struct sealed *sealed;
	size_t n;
	uint64_t did, damaged;
	struct rewrapped done;

	/* Where the walk is, for who wants to go on there; in the same
	 * transaction as what it did.  NULL: nobody. */
	err (*note)(struct rewrapping *r, struct lane *l);
	size_t table; /* of store_sealed_table */
	struct str at;
	uint64_t seen; /* rows looked at */
};

/* The old key a row names; 0: none of ours, or one that seals today. */
uint32_t rewrap_old(const struct rewrapping *r, const struct sealed_row *row);
/* Walk the rows of one table from `at` on, in pieces. */
typedef err (
    *rewrap_fn)(struct rewrapping *r, const struct sealed_row *row, size_t n);
err rewrap_walk(struct rewrapping *r, enum seal_table table, struct str at,
    rewrap_fn fn) MUST_USE;
/* Seal them anew. */
err rewrap_some(struct rewrapping *r, const struct sealed_row *row,
    size_t n) MUST_USE;

/* Are all rows of this table under keys of subjects? */
bool rewrap_subjects_only(enum seal_table table);

#endif
