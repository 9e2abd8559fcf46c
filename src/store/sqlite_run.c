/* sqlite_run.c: see run.h. */
#include "store/run.h"

#include "store/conn.h"

/* ---- runs ---- */

err
store_run_insert(struct store_conn *c, const struct run_row *r)
{
	struct q q = q_start(c, Q_RUN_INSERT);

	q_u64(&q, r->seq);
	q_uuid(&q, &r->id);
	q_num(&q, r->project);
	q_uuid(&q, &r->runbook);
	q_num(&q, r->number);
	q_uuid(&q, &r->cause);
	q_u64(&q, r->incident);
	q_uuid(&q, &r->alert);
	q_num(&q, r->requester_kind);
	q_uuid(&q, &r->requester);
	q_num(&q, r->state);
	q_num(&q, r->depth);
	q_num(&q, r->version);
	q_num(&q, r->created);
	q_num(&q, r->started);
	q_num(&q, r->ended);
	q_num(&q, r->due);
	if (r->keyed)
		q_blob(&q, r->key, BLIND_SIZE);
	else
		q_null(&q);
	q_sealed(&q, r->sealed);
	return q_run(&q);
}

err
store_run_update(struct store_conn *c, const struct run_row *r)
{
	struct q q = q_start(c, Q_RUN_UPDATE);

	q_u64(&q, r->seq);
	q_num(&q, r->state);
	q_num(&q, r->version);
	q_num(&q, r->started);
	q_num(&q, r->ended);
	q_num(&q, r->due);
	q_sealed(&q, r->sealed);
	return q_run_some(&q);
}

static void
run_row_read(struct q *q, struct arena *a, struct run_row *r)
{
	struct str key;

	*r = (struct run_row){
	    .seq = c_u64(q, 0),
	    .project = c_u32(q, 2),
	    .number = c_u32(q, 4),
	    .incident = c_u64(q, 6),
	    .requester_kind = c_u8(q, 8),
	    .state = c_u8(q, 10),
	    .depth = c_u32(q, 11),
	    .version = c_u32(q, 12),
	    .created = c_num(q, 13),
	    .started = c_num(q, 14),
	    .ended = c_num(q, 15),
	    .due = c_num(q, 16),
	};
	c_bytes(q, 1, r->id.b, sizeof r->id.b);
	c_bytes(q, 3, r->runbook.b, sizeof r->runbook.b);
	c_bytes(q, 5, r->cause.b, sizeof r->cause.b);
	c_bytes(q, 7, r->alert.b, sizeof r->alert.b);
	c_bytes(q, 9, r->requester.b, sizeof r->requester.b);
	key = c_view(q, 17);
	r->keyed = key.n == BLIND_SIZE;
	if (r->keyed)
		memcpy(r->key, key.p, BLIND_SIZE);
	r->stored.bytes = c_copy(q, 18, a);
}

static err
read_one(struct q *q, struct arena *a, struct run_row *ret)
{
	struct run_row r = {0};
	bool got = q_next(q);

	if (got)
		run_row_read(q, a, &r);
	TRY(q_one(q, got));
	TRY(arena_check(a));
	*ret = r;
	return OK;
}

err
store_run_by_id(struct store_conn *c, const struct uuid *id, struct arena *a,
    struct run_row *ret)
{
	struct q q = q_start(c, Q_RUN_BY_ID);

	q_uuid(&q, id);
	return read_one(&q, a, ret);
}

err
store_run_by_key(struct store_conn *c, const uint8_t key[BLIND_SIZE],
    struct arena *a, struct run_row *ret)
{
	struct q q = q_start(c, Q_RUN_BY_KEY);

	q_blob(&q, key, BLIND_SIZE);
	return read_one(&q, a, ret);
}

err
store_run_last(struct store_conn *c, uint64_t *ret_seq)
{
	struct q q = q_start(c, Q_RUN_LAST);

	return q_number(&q, ret_seq);
}

err
store_run_count(struct store_conn *c, const struct uuid *runbook, uint8_t state,
    uint64_t *ret)
{
	struct q q = q_start(c, Q_RUN_COUNT);

	q_uuid(&q, runbook);
	q_num(&q, state);
	return q_number(&q, ret);
}

err
store_run_first(struct store_conn *c, const struct uuid *runbook, uint8_t state,
    struct uuid *ret)
{
	struct q q = q_start(c, Q_RUN_FIRST);
	bool got;

	q_uuid(&q, runbook);
	q_num(&q, state);
	got = q_next(&q);
	if (got)
		c_bytes(&q, 0, ret->b, sizeof ret->b);
	return q_one(&q, got);
}

/* Ids, and the number behind each when somebody wants the last one's. */
static err
read_ids(struct q *q, struct uuid *ret, size_t max, size_t *ret_n,
    uint64_t *ret_seq)
{
	size_t n = 0;

	while (n < max && q_next(q)) {
		c_bytes(q, 0, ret[n].b, sizeof ret[n].b);
		if (ret_seq != NULL)
			*ret_seq = c_u64(q, 1);
		n++;
	}
	TRY(q_end(q));
	*ret_n = n;
	return OK;
}

err
store_run_due(struct store_conn *c, int64_t now, struct uuid *ret, size_t max,
    size_t *ret_n)
{
	struct q q = q_start(c, Q_RUN_DUE);

	q_num(&q, now);
	q_u64(&q, max);
	return read_ids(&q, ret, max, ret_n, NULL);
}

err
store_run_next_due(struct store_conn *c, int64_t *ret)
{
	static const enum query each[] = {Q_RUN_NEXT, Q_HAPPENING_NEXT,
	    Q_TRIGGER_NEXT};

	*ret = 0;
	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		struct q q = q_start(c, each[i]);
		uint64_t due;

		TRY(q_number(&q, &due));
		if (due > 0 && (*ret == 0 || (int64_t)due < *ret))
			*ret = (int64_t)due;
	}
	return OK;
}

err
store_run_in_state(struct store_conn *c, uint32_t project, uint8_t state,
    uint64_t after, struct uuid *ret, size_t max, size_t *ret_n,
    uint64_t *ret_seq)
{
	struct q q = q_start(c, Q_RUN_IN_STATE);

	q_num(&q, project);
	q_num(&q, state);
	q_u64(&q, after);
	q_u64(&q, max);
	return read_ids(&q, ret, max, ret_n, ret_seq);
}

err
store_run_list(struct store_conn *c, const struct run_filter *f, size_t max,
    struct arena *a, struct run_row **ret, size_t *ret_n)
{
	uint64_t before = f->before > 0 ? f->before : INT64_MAX;
	void *rows = NULL;
	size_t n = 0, cap = 0;
	struct q q;

	q = q_start(c, f->incident > 0 ? Q_RUN_LIST_INCIDENT : Q_RUN_LIST);
	if (f->incident > 0)
		q_u64(&q, f->incident);
	else
		q_num(&q, f->project);
	q_u64(&q, before);
	q_u64(&q, max);
	while (q_next(&q)) {
		struct run_row *r = rows_more(a, &rows, n, &cap, sizeof *r);

		if (r == NULL)
			break;
		run_row_read(&q, a, r);
		n++;
	}
	TRY(q_end(&q));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	return OK;
}

/* ---- what happened ---- */

err
store_happening_last(struct store_conn *c, uint64_t *ret_seq)
{
	struct q q = q_start(c, Q_HAPPENING_LAST);

	return q_number(&q, ret_seq);
}

err
store_happening_add(struct store_conn *c, struct happening_row *r)
{
	struct q q = q_start(c, Q_HAPPENING_ADD);

	q_u64(&q, r->seq);
	q_num(&q, r->project);
	q_num(&q, r->due);
	q_sealed(&q, r->sealed);
	return q_run(&q);
}

err
store_happening_due(struct store_conn *c, int64_t now, struct arena *a,
    struct happening_row *ret)
{
	struct q q = q_start(c, Q_HAPPENING_DUE);
	bool got;

	q_num(&q, now);
	got = q_next(&q);
	if (got) {
		*ret = (struct happening_row){.seq = c_u64(&q, 0),
		    .project = c_u32(&q, 1),
		    .due = c_num(&q, 2)};
		ret->stored.bytes = c_copy(&q, 3, a);
	}
	TRY(q_one(&q, got));
	return arena_check(a);
}

err
store_happening_delete(struct store_conn *c, uint64_t seq)
{
	struct q q = q_start(c, Q_HAPPENING_DELETE);

	q_u64(&q, seq);
	return q_run_some(&q);
}

/* ---- triggers ---- */

err
store_trigger_get(struct store_conn *c, const struct uuid *trigger,
    struct trigger_row *ret)
{
	struct q q = q_start(c, Q_TRIGGER_GET);
	struct trigger_row r = {.trigger = *trigger};
	bool got;

	q_uuid(&q, trigger);
	got = q_next(&q);
	if (got) {
		r.due = c_num(&q, 0);
		r.last_fired = c_num(&q, 1);
		r.window = c_num(&q, 2);
		r.fired = c_u32(&q, 3);
		r.last_refused = c_num(&q, 4);
		r.refused = c_u32(&q, 5);
		r.reason = c_u8(&q, 6);
	}
	TRY(q_one(&q, got));
	*ret = r;
	return OK;
}

err
store_trigger_put(struct store_conn *c, const struct trigger_row *r)
{
	struct q q = q_start(c, Q_TRIGGER_PUT);

	q_uuid(&q, &r->trigger);
	q_num(&q, r->due);
	q_num(&q, r->last_fired);
	q_num(&q, r->window);
	q_num(&q, r->fired);
	q_num(&q, r->last_refused);
	q_num(&q, r->refused);
	q_num(&q, r->reason);
	return q_run(&q);
}

err
store_trigger_delete(struct store_conn *c, const struct uuid *trigger)
{
	struct q q = q_start(c, Q_TRIGGER_DELETE);

	q_uuid(&q, trigger);
	return q_run(&q);
}

err
store_trigger_due(struct store_conn *c, int64_t now, struct uuid *ret,
    size_t max, size_t *ret_n)
{
	struct q q = q_start(c, Q_TRIGGER_DUE);

	q_num(&q, now);
	q_u64(&q, max);
	return read_ids(&q, ret, max, ret_n, NULL);
}
