/* sqlite_runbook.c: versions of runbooks. */
#include "store/conn.h"
#include "store/runbook.h"

err
store_version_insert(struct store_conn *c, const struct version_row *r)
{
	struct q q = q_start(c, Q_VERSION_INSERT);

	q_u64(&q, r->seq);
	q_uuid(&q, &r->id);
	q_num(&q, r->project);
	q_uuid(&q, &r->runbook);
	q_num(&q, r->n);
	q_num(&q, r->state);
	q_num(&q, r->created);
	q_sealed(&q, r->sealed);
	return q_run(&q);
}

err
store_version_update(struct store_conn *c, const struct version_row *r)
{
	struct q q = q_start(c, Q_VERSION_UPDATE);

	q_u64(&q, r->seq);
	q_num(&q, r->state);
	q_sealed(&q, r->sealed);
	return q_run_some(&q);
}

err
store_version_get(struct store_conn *c, const struct uuid *runbook, uint32_t n,
    struct arena *a, struct version_row *ret)
{
	struct q q = q_start(c, Q_VERSION_GET);
	struct version_row r = {0};
	bool got;

	q_uuid(&q, runbook);
	q_num(&q, n);
	got = q_next(&q);
	if (got) {
		r.seq = c_u64(&q, 0);
		c_bytes(&q, 1, r.id.b, sizeof r.id.b);
		r.project = c_u32(&q, 2);
		c_bytes(&q, 3, r.runbook.b, sizeof r.runbook.b);
		r.n = c_u32(&q, 4);
		r.state = c_u8(&q, 5);
		r.created = c_num(&q, 6);
		r.stored.bytes = c_copy(&q, 7, a);
	}
	TRY(q_one(&q, got));
	TRY(arena_check(a));
	*ret = r;
	return OK;
}

err
store_version_delete(struct store_conn *c, const struct uuid *runbook)
{
	struct q q = q_start(c, Q_VERSION_DELETE);

	q_uuid(&q, runbook);
	return q_run(&q);
}

err
store_version_last(struct store_conn *c, uint64_t *ret)
{
	struct q q = q_start(c, Q_VERSION_LAST);

	return q_number(&q, ret);
}
