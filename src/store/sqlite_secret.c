/* sqlite_secret.c: see secret.h. */
#include "store/secret.h"

#include "store/conn.h"

err
store_secret_put(struct store_conn *c, const struct secret_row *row)
{
	struct q q = q_start(c, Q_SECRET_PUT);

	q_num(&q, row->key);
	q_uuid(&q, &row->secret);
	q_num(&q, row->project);
	q_sealed(&q, row->sealed);
	return q_run(&q);
}

err
store_secret_get(struct store_conn *c, uint32_t key, struct arena *a,
    struct secret_row *ret)
{
	struct q q = q_start(c, Q_SECRET_GET);
	struct secret_row r = {.key = key};
	bool got;

	q_num(&q, key);
	got = q_next(&q);
	if (got) {
		c_bytes(&q, 0, r.secret.b, sizeof r.secret.b);
		r.project = c_u32(&q, 1);
		r.stored.bytes = c_copy(&q, 2, a);
	}
	TRY(q_one(&q, got));
	*ret = r;
	return OK;
}

err
store_secret_delete(struct store_conn *c, uint32_t key)
{
	struct q q = q_start(c, Q_SECRET_DELETE);

	q_num(&q, key);
	return q_run_some(&q);
}
