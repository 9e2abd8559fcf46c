/*
 * pieces.h: what rotate.c, rewrap.c and key_status.c share: one piece of a
 * rotation at a time, and the keys that are old.
 */
#ifndef FLOW_PIECES_H
#define FLOW_PIECES_H

#include "audit/leaf.h"
#include "flow/rotate.h"

struct pieces {
	const struct rotation *r;
	struct trail *t;
	struct arena a; /* of one piece: empty when it begins */
};

void pieces_init(struct pieces *p, const struct rotation *r, struct trail *t);
void pieces_done(struct pieces *p);

/* E_UNAVAILABLE with a trail when the work is to stop here. */
err pieces_go_on(struct pieces *p) MUST_USE;
/* go_on, and an empty arena. */
err pieces_next(struct pieces *p) MUST_USE;
/* fn on the writer's thread, in a transaction; again and again while the
 * keeper says E_RATE, so fn counts from the start each time. */
err pieces_do(struct pieces *p, err (*fn)(struct lane *l, void *arg),
    void *arg) MUST_USE;
/* Beside a server: lets it have the machine as long as the piece that began
 * at `since` (time_mono_us) took. */
void pieces_yield(const struct pieces *p, int64_t since);
/* Sleeps ms or until the work is to stop. */
void pieces_rest(struct pieces *p, int ms);
/* Into the audit log, in the transaction of this piece. */
err pieces_record(struct pieces *p, struct lane *l, enum audit_action action,
    const char *fmt, ...) PRINTF(4, 5) MUST_USE;
/* The batch sees these keys from now on; everybody when it commits. */
err pieces_see(struct lane *l, struct project_keys *keys,
    const struct class_key *ck, size_t n) MUST_USE;

/* A class key that seals no more, though rows may name it. */
struct old_key {
	uint32_t id;
	uint32_t newest; /* the one that does */
	uint64_t uses;	 /* for the caller to count */
};

struct old_keys {
	struct old_key *key; /* by id */
	size_t n;
};

err old_keys_list(const struct snap *s, struct arena *a,
    struct old_keys *ret) MUST_USE;
/* NULL: a key in use, or none of ours. */
struct old_key *old_keys_find(const struct old_keys *o, uint32_t id);

#endif
