/* sqlite_cosignature.c: see cosignature.h. */
#include "store/cosignature.h"

#include "base/limits.h"
#include "store/conn.h"

err
store_cosignature_put(struct store_conn *c, const struct cosignature_row *r)
{
	struct q q = q_start(c, Q_COSIGNATURE_PUT);

	q_uuid(&q, &r->witness);
	q_u64(&q, r->size);
	q_num(&q, r->time);
	q_str(&q, r->line);
	TRY(q_run(&q));
	q = q_start(c, Q_COSIGNATURE_TRIM);
	q_uuid(&q, &r->witness);
	q_num(&q, LIM_COSIGNATURES - 1);
	return q_run(&q);
}

static void
row(struct q *q, struct arena *a, struct cosignature_row *ret)
{
	c_bytes(q, 0, ret->witness.b, sizeof ret->witness.b);
	ret->size = c_u64(q, 1);
	ret->time = c_num(q, 2);
	ret->line = c_copy(q, 3, a);
}

err
store_cosignature_last(struct store_conn *c, const struct uuid *witness,
    struct arena *a, struct cosignature_row *ret)
{
	struct q q = q_start(c, Q_COSIGNATURE_LAST);
	bool got;

	q_uuid(&q, witness);
	got = q_next(&q);
	if (got)
		row(&q, a, ret);
	return q_one(&q, got);
}

err
store_cosignatures_at(struct store_conn *c, uint64_t size, struct arena *a,
    struct cosignature_row *ret, size_t max, size_t *ret_n)
{
	struct q q = q_start(c, Q_COSIGNATURE_AT);
	size_t n = 0;

	q_u64(&q, size);
	q_num(&q, (int64_t)max);
	while (n < max && q_next(&q))
		row(&q, a, &ret[n++]);
	*ret_n = n;
	return q_end(&q);
}

err
store_cosigned_size(struct store_conn *c, uint64_t from, unsigned quorum,
    uint64_t *ret)
{
	struct q q = q_start(c, Q_COSIGNED);
	uint64_t size = 0;
	bool got;

	q_u64(&q, from);
	q_num(&q, quorum);
	got = q_next(&q);
	if (got)
		size = c_u64(&q, 0);
	TRY(q_one(&q, got));
	*ret = size;
	return OK;
}

err
store_cosignature_forget(struct store_conn *c, const struct uuid *witness)
{
	struct q q = q_start(c, Q_COSIGNATURE_FORGET);

	q_uuid(&q, witness);
	return q_run(&q);
}

err
store_cosigned_since(struct store_conn *c, int64_t time, uint64_t size,
    struct arena *a, uint64_t *ret_size, struct str *ret_note)
{
	struct q q = q_start(c, Q_COSIGNED_SINCE);
	struct str note = STR_NONE;
	uint64_t at = 0;
	bool got;

	q_num(&q, time);
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

err
store_checkpoint_time(struct store_conn *c, uint64_t size, int64_t *ret)
{
	struct q q = q_start(c, Q_CHECKPOINT_TIME);
	bool got;

	q_u64(&q, size);
	got = q_next(&q);
	if (got)
		*ret = c_num(&q, 0);
	return q_one(&q, got);
}
