/* sqlite_key_use.c: see key_use.h. */
#include "store/key_use.h"

#include "store/conn.h"

err
store_key_use_put(struct store_conn *c, const struct key_use_row *r)
{
	struct q q = q_start(c, Q_KEY_USE_PUT);

	q_num(&q, r->id);
	q_num(&q, r->since);
	q_u64(&q, r->seals);
	q_u64(&q, r->bytes);
	return q_run(&q);
}

err
store_key_use_get(struct store_conn *c, uint32_t id, struct key_use_row *ret)
{
	struct q q = q_start(c, Q_KEY_USE_GET);
	struct key_use_row r = {.id = id};
	bool got;

	q_num(&q, id);
	got = q_next(&q);
	if (got) {
		r.since = c_num(&q, 0);
		r.seals = c_u64(&q, 1);
		r.bytes = c_u64(&q, 2);
	}
	TRY(q_one(&q, got));
	*ret = r;
	return OK;
}

err
store_key_renew(struct store_conn *c, uint32_t old, uint32_t id)
{
	struct q q = q_start(c, Q_KEY_RENEW);

	q_num(&q, old);
	q_num(&q, id);
	return q_run(&q);
}

static err
one(struct store_conn *c, enum query id, uint32_t key, uint32_t *ret)
{
	struct q q = q_start(c, id);
	uint32_t v = 0;
	bool got;

	q_num(&q, key);
	got = q_next(&q);
	if (got)
		v = c_u32(&q, 0);
	TRY(q_one(&q, got));
	*ret = v;
	return OK;
}

err
store_key_renewed(struct store_conn *c, uint32_t old, uint32_t *ret)
{
	return one(c, Q_KEY_RENEWED, old, ret);
}

err
store_key_before(struct store_conn *c, uint32_t id, uint32_t *ret)
{
	return one(c, Q_KEY_BEFORE, id, ret);
}

err
store_key_renewals(struct store_conn *c, uint32_t after, size_t max,
    struct arena *a, uint32_t **ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_KEY_RENEWALS);
	uint32_t *id = arena_array(a, max + 1, sizeof *id);
	size_t n = 0;

	q_num(&q, after);
	q_u64(&q, max);
	while (q_next(&q) && id != NULL)
		id[n++] = c_u32(&q, 0);
	TRY(q_end(&q));
	*ret = id;
	*ret_n = n;
	return arena_check(a);
}
