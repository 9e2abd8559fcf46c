/*
 * quorum.h: which logs are believed, and which of their witnesses must have
 * cosigned a checkpoint: a C2SP tlog-policy.  A group counts each member once
 * and is in one group at most, so no witness counts twice.
 */
#ifndef AUDIT_QUORUM_H
#define AUDIT_QUORUM_H

#include "audit/note.h"

enum { QUORUM_LOGS = 32, QUORUM_WITNESSES = 32, QUORUM_GROUPS = 32 };

struct quorum_member {
	struct str name;
	struct note_key key; /* of a witness */
	/* Of a group: how many of its members. */
	unsigned threshold;
	bool used;   /* it is in a group already */
	uint64_t in; /* of a group: its members, a bit each */
};

struct quorum {
	struct note_key log[QUORUM_LOGS];
	size_t logs; /* 0: any */
	/* In the order they were defined. */
	struct quorum_member member[QUORUM_WITNESSES + QUORUM_GROUPS];
	size_t members;
	int top; /* member that must have witnessed it; -1: none */
};

/* Names are views into text.  E_INVALID with the line in the trail. */
err quorum_parse(struct str text, struct trail *t, struct quorum *ret) MUST_USE;
/* `threshold` of these keys; 0: all of them.  E_INVALID: there are not so
 * many, too many, or one twice. */
err quorum_of(const struct note_key *witness, size_t n, unsigned threshold,
    struct quorum *ret) MUST_USE;

/* Who has cosigned it, not before `since` (s); is it enough? */
struct quorum_result {
	bool met;
	size_t witnesses, cosigned;
	uint64_t oldest; /* time of the oldest cosignature counted */
};
void quorum_ask(const struct quorum *q, struct str note, uint64_t since,
    struct quorum_result *ret);

#endif
