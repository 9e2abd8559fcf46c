/*
 * sqlite_audit.c: the log's leaves, bodies, tiles and checkpoints.
 */
#include "store/conn.h"

err
store_audit_append(struct store_conn *c, uint64_t seq, struct str leaf)
{
	struct q q = q_start(c, Q_AUDIT_APPEND);

	q_u64(&q, seq);
	q_str(&q, leaf);
	return q_run(&q);
}

static err
one_blob(struct q *q, int col, struct arena *a, struct str *ret)
{
	struct str s = STR_NONE;
	bool got = q_next(q);

	if (got)
		s = c_copy(q, col, a);
	TRY(q_one(q, got));
	*ret = s;
	return OK;
}

err
store_audit_get(struct store_conn *c, uint64_t seq, struct arena *a,
    struct str *ret)
{
	struct q q = q_start(c, Q_AUDIT_GET);

	q_u64(&q, seq);
	return one_blob(&q, 0, a, ret);
}

err
store_audit_last(struct store_conn *c, uint64_t *ret_seq)
{
	struct q q = q_start(c, Q_AUDIT_LAST);

	return q_number(&q, ret_seq);
}

err
store_audit_walk(struct store_conn *c, uint64_t first, bool down,
    store_audit_fn fn, void *ctx)
{
	struct q q = q_start(c, down ? Q_AUDIT_DOWN : Q_AUDIT_UP);

	q_u64(&q, first > INT64_MAX ? INT64_MAX : first);
	while (q_next(&q)) {
		uint64_t seq = c_u64(&q, 0);
		struct str leaf = c_view(&q, 1);

		if (q.bad || q.rc != SQLITE_ROW || !fn(ctx, seq, leaf))
			break;
	}
	return q_end(&q);
}

err
store_audit_rows(struct store_conn *c, struct audit_rows *ret)
{
	struct q q = q_start(c, Q_AUDIT_ROWS);
	struct audit_rows r = {0};
	bool got = q_next(&q);

	if (got) {
		r.strays = c_u64(&q, 0);
		r.tiles = c_u64(&q, 1);
		r.checkpoints = c_u64(&q, 2);
	}
	TRY(q_one(&q, got));
	*ret = r;
	return OK;
}

err
store_audit_body_put(struct store_conn *c, uint64_t seq, struct sealed body)
{
	struct q q = q_start(c, Q_AUDIT_BODY_PUT);

	q_u64(&q, seq);
	q_sealed(&q, body);
	return q_run(&q);
}

err
store_audit_body_get(struct store_conn *c, uint64_t seq, struct arena *a,
    struct stored *ret)
{
	struct q q = q_start(c, Q_AUDIT_BODY_GET);

	q_u64(&q, seq);
	return one_blob(&q, 0, a, &ret->bytes);
}

/* ---- tiles ---- */

enum { TILE_INDEX_BITS = 56, TILE_LEVELS = 63 };

static void
tile_key(struct q *q, unsigned level, uint64_t index)
{
	if (level > TILE_LEVELS || index >> TILE_INDEX_BITS != 0)
		q_u64(q, UINT64_MAX); /* E_INVALID */
	else
		q_u64(q, (uint64_t)level << TILE_INDEX_BITS | index);
}

err
store_tile_put(struct store_conn *c, unsigned level, uint64_t index,
    const uint8_t hashes[STORE_TILE])
{
	struct q q = q_start(c, Q_TILE_PUT);

	tile_key(&q, level, index);
	q_blob(&q, hashes, STORE_TILE);
	return q_run(&q);
}

err
store_tile_get(struct store_conn *c, unsigned level, uint64_t index,
    uint8_t ret[STORE_TILE])
{
	struct q q = q_start(c, Q_TILE_GET);
	bool got;

	tile_key(&q, level, index);
	got = q_next(&q);
	if (got)
		c_bytes(&q, 0, ret, STORE_TILE);
	return q_one(&q, got);
}

/* ---- checkpoints ---- */

err
store_checkpoint_put(struct store_conn *c, uint64_t size, int64_t time,
    struct str note)
{
	struct q q = q_start(c, Q_CHECKPOINT_PUT);

	q_u64(&q, size);
	q_num(&q, time);
	q_str(&q, note);
	return q_run(&q);
}

err
store_checkpoint_get(struct store_conn *c, uint64_t size, struct arena *a,
    uint64_t *ret_size, struct str *ret_note)
{
	struct q q =
	    q_start(c, size == 0 ? Q_CHECKPOINT_NEWEST : Q_CHECKPOINT_FROM);
	struct str note = STR_NONE;
	uint64_t at = 0;
	bool got;

	if (size > 0)
		q_u64(&q, size);
	got = q_next(&q);
	if (got) {
		at = c_u64(&q, 0);
		note = c_copy(&q, 1, a);
	}
	TRY(q_one(&q, got));
	*ret_size = at;
	*ret_note = note;
	return OK;
}
