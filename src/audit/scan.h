/*
 * scan.h: the one reader of leaf bytes, for the files of audit only.
 *
 * A leaf has one form: members in one order, no white space, no escape.  So
 * reading is comparing with what audit_leaf_write writes, and "reads" means
 * "written again it gives the same bytes".  The action is not looked up in
 * audit.def: a leaf of a newer Redoubt is still a leaf.
 */
#ifndef AUDIT_SCAN_H
#define AUDIT_SCAN_H

#include "audit/leaf.h"

/* Integers in a leaf are exact for every JSON reader: 2^53 - 1. */
#define LEAF_INT_MAX UINT64_C(9007199254740991)

struct leaf_parts {
	/* All but action and commitment; views into the leaf. */
	struct audit_entry e;
	struct str action;
	struct str commitment; /* base64, or empty */
};

bool leaf_scan(struct str leaf, struct leaf_parts *ret);
/* The leaf of such parts, from elsewhere; false, and nothing is written, when
 * it would be none.  p->e.commitment is NULL. */
bool leaf_again(struct buf *b, const struct leaf_parts *p);

/* What any string of a leaf may hold: printable ASCII but " and \. */
bool leaf_text_ok(struct str s);
/* Names of kinds and types: [a-z][a-z0-9_.]*, at most 64 bytes. */
bool leaf_name_ok(struct str s);

#endif
