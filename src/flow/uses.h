/*
 * uses.h: when each token was last used.  Kept in memory, written with the
 * batches, for one token at most once a minute.
 */
#ifndef FLOW_USES_H
#define FLOW_USES_H

#include "store/store.h"

struct uses;

err uses_load(struct store_conn *c, struct uses **ret) MUST_USE;
struct uses *uses_free(struct uses *u);
/* Writer only. */
void uses_note(struct uses *u, const struct uuid *token, int64_t now);
err uses_flush(struct uses *u, struct store_conn *c) MUST_USE;
void uses_undo(struct uses *u);
/* Any thread. 0 = never. */
int64_t uses_last(struct uses *u, const struct uuid *token);

#endif
