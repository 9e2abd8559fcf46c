/* sqlite_task.c: see task.h. */
#include "store/task.h"

#include "store/conn.h"

/* ---- tasks ---- */

err
store_task_insert(struct store_conn *c, const struct task_row *r)
{
	struct q q = q_start(c, Q_TASK_INSERT);

	q_uuid(&q, &r->id);
	q_num(&q, r->project);
	q_uuid(&q, &r->run);
	q_uuid(&q, &r->delegate);
	q_num(&q, r->attempt);
	q_num(&q, r->state);
	q_num(&q, r->outcome);
	q_num(&q, r->cancel);
	q_u64(&q, r->fence);
	q_num(&q, r->until);
	q_num(&q, r->offered);
	q_num(&q, r->changed);
	q_blob(&q, r->result, sizeof r->result);
	q_sealed(&q, r->sealed);
	q_blob(&q, r->selector, sizeof r->selector);
	return q_run(&q);
}

err
store_task_update(struct store_conn *c, const struct task_row *r)
{
	struct q q = q_start(c, Q_TASK_UPDATE);

	q_uuid(&q, &r->id);
	q_uuid(&q, &r->delegate);
	q_num(&q, r->state);
	q_num(&q, r->outcome);
	q_num(&q, r->cancel);
	q_u64(&q, r->fence);
	q_num(&q, r->until);
	q_num(&q, r->changed);
	q_blob(&q, r->result, sizeof r->result);
	return q_run_some(&q);
}

static void
task_read(struct q *q, struct arena *a, struct task_row *r)
{
	*r = (struct task_row){
	    .seq = c_u64(q, 15),
	    .project = c_u32(q, 1),
	    .attempt = c_u32(q, 4),
	    .state = c_u8(q, 5),
	    .outcome = c_u8(q, 6),
	    .cancel = c_max(q, 7, 1) != 0,
	    .fence = c_u64(q, 8),
	    .until = c_num(q, 9),
	    .offered = c_num(q, 10),
	    .changed = c_num(q, 11),
	};
	c_bytes(q, 0, r->id.b, sizeof r->id.b);
	c_bytes(q, 2, r->run.b, sizeof r->run.b);
	c_bytes(q, 3, r->delegate.b, sizeof r->delegate.b);
	c_bytes(q, 12, r->result, sizeof r->result);
	c_bytes(q, 14, r->selector, sizeof r->selector);
	r->stored.bytes = c_copy(q, 13, a);
}

err
store_task_get(struct store_conn *c, const struct uuid *id, struct arena *a,
    struct task_row *ret)
{
	struct q q = q_start(c, Q_TASK_GET);
	bool got;

	q_uuid(&q, id);
	got = q_next(&q);
	if (got)
		task_read(&q, a, ret);
	return q_one(&q, got);
}

static err
task_list(struct q *q, struct arena *a, struct task_row **ret, size_t *ret_n)
{
	void *rows = NULL;
	size_t n = 0, cap = 0;

	while (q_next(q)) {
		struct task_row *r = rows_more(a, &rows, n, &cap, sizeof *r);

		if (r == NULL)
			break;
		task_read(q, a, r);
		n++;
	}
	TRY(q_end(q));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	return OK;
}

err
store_task_selector(struct store_conn *c, uint32_t project,
    const uint8_t after[BLIND_SIZE], struct arena *a, struct task_row *ret)
{
	struct q q = q_start(c, Q_TASK_SELECTOR);
	bool got;

	q_num(&q, project);
	q_blob(&q, after, BLIND_SIZE);
	got = q_next(&q);
	if (got)
		task_read(&q, a, ret);
	return q_one(&q, got);
}

err
store_task_queued(struct store_conn *c, uint32_t project,
    const uint8_t selector[BLIND_SIZE], size_t max, struct task_queued *ret,
    size_t *ret_n)
{
	struct q q = q_start(c, Q_TASK_QUEUED);
	size_t n = 0;

	q_num(&q, project);
	q_blob(&q, selector, BLIND_SIZE);
	q_u64(&q, max);
	while (n < max && q_next(&q)) {
		c_bytes(&q, 0, ret[n].id.b, sizeof ret[n].id.b);
		c_bytes(&q, 1, ret[n].run.b, sizeof ret[n].run.b);
		n++;
	}
	TRY(q_end(&q));
	*ret_n = n;
	return OK;
}

err
store_task_held(struct store_conn *c, const struct uuid *delegate, size_t max,
    struct arena *a, struct task_row **ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_TASK_HELD);

	q_uuid(&q, delegate);
	q_u64(&q, max);
	return task_list(&q, a, ret, ret_n);
}

err
store_task_over(struct store_conn *c, int64_t now, size_t max, struct arena *a,
    struct task_row **ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_TASK_OVER);

	q_num(&q, now);
	q_u64(&q, max);
	return task_list(&q, a, ret, ret_n);
}

err
store_task_of_run(struct store_conn *c, const struct uuid *run, size_t max,
    struct arena *a, struct task_row **ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_TASK_OF_RUN);

	q_uuid(&q, run);
	q_u64(&q, max);
	return task_list(&q, a, ret, ret_n);
}

err
store_task_running(struct store_conn *c, const struct uuid *run, uint64_t *ret)
{
	struct q q = q_start(c, Q_TASK_RUNNING);

	q_uuid(&q, run);
	return q_number(&q, ret);
}

err
store_task_waiting(struct store_conn *c, uint32_t project, uint64_t *ret)
{
	struct q q = q_start(c, Q_TASK_WAITING);

	q_num(&q, project);
	return q_number(&q, ret);
}

err
store_task_next(struct store_conn *c, int64_t *ret)
{
	struct q q = q_start(c, Q_TASK_NEXT);
	uint64_t v;

	TRY(q_number(&q, &v));
	*ret = (int64_t)v;
	return OK;
}

static err
forget(struct store_conn *c, enum query query, const struct uuid *id)
{
	struct q q = q_start(c, query);

	q_uuid(&q, id);
	return q_run(&q);
}

err
store_task_forget(struct store_conn *c, const struct uuid *run)
{
	return forget(c, Q_TASK_FORGET, run);
}

/* ---- logs ---- */

err
store_log_insert(struct store_conn *c, const struct log_row *r)
{
	struct q q = q_start(c, Q_LOG_INSERT);

	q_num(&q, r->project);
	q_uuid(&q, &r->run);
	q_uuid(&q, &r->task);
	q_u64(&q, r->at);
	q_u64(&q, r->task_at);
	q_num(&q, r->bytes);
	q_sealed(&q, r->sealed);
	return q_run(&q);
}

err
store_log_extend(struct store_conn *c, const struct log_row *r)
{
	struct q q = q_start(c, Q_LOG_EXTEND);

	q_uuid(&q, &r->run);
	q_u64(&q, r->at);
	q_num(&q, r->bytes);
	q_sealed(&q, r->sealed);
	return q_run_some(&q);
}

static err
log_one(struct q *q, struct arena *a, struct log_row *ret)
{
	bool got = q_next(q);

	if (got) {
		*ret = (struct log_row){
		    .project = c_u32(q, 0),
		    .at = c_u64(q, 3),
		    .task_at = c_u64(q, 4),
		    .bytes = c_u32(q, 5),
		};
		c_bytes(q, 1, ret->run.b, sizeof ret->run.b);
		c_bytes(q, 2, ret->task.b, sizeof ret->task.b);
		ret->stored.bytes = c_copy(q, 6, a);
	}
	return q_one(q, got);
}

/* The last one at or before `from`; a piece is never empty, so it is the one
 * that holds it when any does. */
static err
log_at(struct store_conn *c, enum query query, const struct uuid *id,
    uint64_t from, struct arena *a, struct log_row *ret)
{
	struct q q = q_start(c, query);

	q_uuid(&q, id);
	q_u64(&q, from);
	return log_one(&q, a, ret);
}

err
store_log_last(struct store_conn *c, const struct uuid *run, struct arena *a,
    struct log_row *ret)
{
	return log_at(c, Q_LOG_FROM, run, INT64_MAX, a, ret);
}

err
store_log_task_last(struct store_conn *c, const struct uuid *task,
    struct arena *a, struct log_row *ret)
{
	return log_at(c, Q_LOG_TASK_FROM, task, INT64_MAX, a, ret);
}

err
store_log_from(struct store_conn *c, const struct uuid *run, uint64_t from,
    struct arena *a, struct log_row *ret)
{
	return log_at(c, Q_LOG_FROM, run, from, a, ret);
}

err
store_log_task_from(struct store_conn *c, const struct uuid *task,
    uint64_t from, struct arena *a, struct log_row *ret)
{
	return log_at(c, Q_LOG_TASK_FROM, task, from, a, ret);
}

err
store_log_forget(struct store_conn *c, const struct uuid *run)
{
	return forget(c, Q_LOG_FORGET, run);
}
