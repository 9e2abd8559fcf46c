/*
 * uses.h: when each token and session was last used, and each of a token's
 * permissions (the day).  Kept in memory, written with the batches: for one
 * at most once a minute, for one of its permissions once a day.
 */
#ifndef FLOW_USES_H
#define FLOW_USES_H

#include "access/perm.h"
#include "store/store.h"

struct uses;

err uses_load(struct store_conn *c, struct uses **ret) MUST_USE;
struct uses *uses_free(struct uses *u);
/* Writer only. */
void uses_note(struct uses *u, const struct uuid *token, struct permset with,
    int64_t now);
err uses_flush(struct uses *u, struct store_conn *c) MUST_USE;
void uses_undo(struct uses *u);
/* Its row is deleted; the place is given to another when room is needed.  A
 * note of it after that brings it back. */
void uses_forget(struct uses *u, const struct uuid *token);
/* Any thread. 0 = never. */
int64_t uses_last(struct uses *u, const struct uuid *token);
/* The start of the day each permission was last used, 0 = never. */
void uses_rights(struct uses *u, const struct uuid *token,
    int64_t ret[PERM_MAX_]);
/* What a permission is called in the store, whatever its place in the table. */
uint32_t uses_right_number(enum permission p);

#endif
