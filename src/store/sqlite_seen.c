/*
 * sqlite_seen.c: what may be used once.
 *
 * Rows are counted once and then kept count of.  What one job of a batch
 * takes back stays in the count, so it can only be too high; at the limit it
 * is taken anew, and not again before something was purged: a full table
 * costs no more than an empty one.
 */
#include "base/limits.h"
#include "store/conn.h"

static err
room(struct store_conn *c)
{
	struct q q;

	if (c->seen_known && c->seen < LIM_SEEN)
		return OK;
	if (c->seen_full)
		return err_of(E_LIMIT);
	q = q_start(c, Q_SEEN_COUNT);
	TRY(q_number(&q, &c->seen));
	c->seen_known = true;
	c->seen_full = c->seen >= LIM_SEEN;
	return err_of(c->seen_full ? E_LIMIT : E_OK);
}

err
store_seen_add(struct store_conn *c, enum seen_kind kind,
    const uint8_t hash[SEEN_SIZE], int64_t expires)
{
	struct q q;
	err e;

	TRY(room(c));
	q = q_start(c, Q_SEEN_ADD);
	q_num(&q, kind);
	q_blob(&q, hash, SEEN_SIZE);
	q_num(&q, expires);
	e = q_run_some(&q);
	if (err_is(e, E_NOT_FOUND))
		return err_of(E_EXISTS); /* no row was added */
	TRY(e);
	c->seen++;
	return OK;
}

err
store_seen_purge(struct store_conn *c, int64_t now)
{
	struct q q = q_start(c, Q_SEEN_PURGE);
	uint64_t gone;
	err e;

	q_num(&q, now);
	q_num(&q, STORE_PURGE);
	e = q_run_some(&q);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	gone = (uint64_t)sqlite3_changes64(c->db);
	c->seen = gone < c->seen ? c->seen - gone : 0;
	c->seen_full = false;
	return OK;
}
