/*
 * answers.h: what a server answers a delegate, read strictly; a member that
 * is not known is left alone (a newer server may say more), one that is known
 * has its form or the answer is refused.  Pure.  Views into the text and the
 * arena.
 */
#ifndef DELEGATE_ANSWERS_H
#define DELEGATE_ANSWERS_H

#include "audit/note.h"
#include "base/id.h"
#include "base/json.h"
#include "base/limits.h"

enum { ANSWER_PROOF = 63 };

struct joined {
	struct str delegate, project; /* ids */
	bool approved;
	struct str certificate; /* PEM; empty unless approved */
	struct str log_key;	/* verifier key; its name is the origin */
	struct note_key log;
	uint8_t task_key[32];
	struct str mtls; /* "https://host:port", or empty */
};

struct leased {
	struct str task; /* id */
	uint64_t fence;
	struct str sealed; /* bytes */
};

struct lease {
	struct leased task[LIM_DELEGATE_TASKS];
	size_t tasks;
	struct uuid cancel[LIM_DELEGATE_TASKS];
	size_t cancels;
	bool frozen;
	struct str note; /* a checkpoint, or empty */
	struct hash proof[ANSWER_PROOF];
	size_t proof_n;
};

/* E_PEER with a trail when it is not such an answer. */
err answer_joined(struct arena *a, struct str text, struct trail *t,
    struct joined *ret) MUST_USE;
err answer_lease(struct arena *a, struct str text, struct trail *t,
    struct lease *ret) MUST_USE;
/* {"checkpoint","consistency"}: the others of *ret are empty. */
err answer_checkpoint(struct arena *a, struct str text, struct trail *t,
    struct lease *ret) MUST_USE;
err answer_certificate(struct arena *a, struct str text, struct trail *t,
    struct str *ret) MUST_USE;
err answer_next(struct arena *a, struct str text, struct trail *t,
    uint64_t *ret) MUST_USE;
/* `code` of a problem document; empty when it is none. */
struct str answer_code(struct arena *a, struct str text);

#endif
