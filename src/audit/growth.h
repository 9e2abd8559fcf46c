/*
 * growth.h: how one checkpoint extends another, as text: "old N", the
 * consistency proof, an empty line, the newer checkpoint's note (C2SP
 * tlog-witness, add-checkpoint).
 */
#ifndef AUDIT_GROWTH_H
#define AUDIT_GROWTH_H

#include "audit/edge.h"

struct growth {
	uint64_t old;
	struct hash proof[PROOF_MAX];
	size_t n;
	struct str note; /* a view; empty: there was none */
};

/* E_CORRUPT: it is another text. */
err growth_parse(struct str text, struct growth *ret) MUST_USE;

#endif
