/* sqlite_retention.c: see retention.h. */
#include "store/retention.h"

#include "store/conn.h"

/* ---- what is due ---- */

err
store_incident_due(struct store_conn *c, uint32_t project, int64_t before,
    struct due_at *io, size_t max, struct arena *a, struct incident_row **ret,
    size_t *ret_n)
{
	struct q q = q_start(c, Q_INCIDENT_CLOSED);
	void *rows = NULL;
	size_t n = 0, cap = 0;

	q_num(&q, project);
	q_num(&q, before);
	q_num(&q, io->at);
	q_u64(&q, io->seq);
	q_u64(&q, max);
	while (q_next(&q)) {
		struct incident_row *r =
		    rows_more(a, &rows, n, &cap, sizeof *r);

		if (r == NULL)
			break;
		incident_read(&q, r);
		r->stored.bytes = c_copy(&q, 16, a);
		n++;
	}
	TRY(q_end(&q));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	if (n > 0)
		*io = (struct due_at){(*ret)[n - 1].closed, (*ret)[n - 1].seq};
	return OK;
}

err
store_run_over(struct store_conn *c, uint32_t project, int64_t before,
    struct due_at *io, size_t max, struct run_due_row *ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_RUN_OVER);
	struct due_at last = *io;
	size_t n = 0;

	q_num(&q, project);
	q_num(&q, before);
	q_num(&q, io->at);
	q_u64(&q, io->seq);
	q_u64(&q, max);
	while (n < max && q_next(&q)) {
		struct run_due_row *r = &ret[n++];

		r->seq = c_u64(&q, 0);
		c_bytes(&q, 1, r->id.b, sizeof r->id.b);
		r->incident = c_u64(&q, 2);
		last = (struct due_at){c_num(&q, 3), r->seq};
	}
	TRY(q_end(&q));
	*io = last;
	*ret_n = n;
	return OK;
}

err
store_run_of(struct store_conn *c, uint64_t incident, struct uuid *ret,
    size_t max, size_t *ret_n)
{
	struct q q = q_start(c, Q_RUN_OF);
	size_t n = 0;

	q_u64(&q, incident);
	q_u64(&q, max);
	while (n < max && q_next(&q))
		c_bytes(&q, 0, ret[n++].b, sizeof ret->b);
	TRY(q_end(&q));
	*ret_n = n;
	return OK;
}

/* ---- deleting ---- */

static err
gone(struct q *q, uint64_t *io_rows)
{
	struct store_conn *c = q->c;

	TRY(q_run(q));
	*io_rows += (uint64_t)sqlite3_changes(c->db);
	return OK;
}

err
store_incident_delete(struct store_conn *c, const struct incident_row *r,
    uint64_t *io_rows)
{
	struct q q;

	TRY(incident_number_kept(c, r));
	q = q_start(c, Q_TIMELINE_DELETE);
	q_u64(&q, r->seq << ENTRY_BITS);
	q_u64(&q, (r->seq + 1) << ENTRY_BITS);
	TRY(gone(&q, io_rows));
	q = q_start(c, Q_TAGS_DELETE);
	q_num(&q, r->project);
	q_u64(&q, r->number);
	TRY(gone(&q, io_rows));
	q = q_start(c, Q_MEMBERS_CLEAR);
	q_u64(&q, r->seq);
	TRY(gone(&q, io_rows));
	q = q_start(c, Q_INCIDENT_DELETE);
	q_u64(&q, r->seq);
	c->stale = true;
	return gone(&q, io_rows);
}

err
store_run_delete(struct store_conn *c, const struct uuid *run,
    uint64_t *io_rows)
{
	static const enum query parts[] = {Q_TASK_FORGET, Q_LOG_FORGET,
	    Q_RUN_DELETE};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct q q = q_start(c, parts[i]);

		q_uuid(&q, run);
		TRY(gone(&q, io_rows));
	}
	return OK;
}

err
store_alerts_leave(struct store_conn *c, uint64_t incident, bool drop,
    size_t max, uint64_t *ret)
{
	struct q q = q_start(c, drop ? Q_ALERT_DROP : Q_ALERT_LEAVE);

	*ret = 0;
	q_u64(&q, incident);
	q_u64(&q, max);
	return gone(&q, ret);
}

err
store_alert_delete(struct store_conn *c, uint64_t seq)
{
	struct q q = q_start(c, Q_ALERT_DELETE);

	q_u64(&q, seq);
	return q_run_some(&q);
}

/* ---- rows by their key ---- */

static const struct keyed {
	enum seal_table table;
	enum query count, any, delete;
} keyed[] = {
    {SEAL_TABLE_ALERT, Q_KEYED_ALERT, Q_KEYED_ALERT_ANY, Q_MAX_},
    {SEAL_TABLE_DELIVERY, Q_KEYED_DELIVERY, Q_KEYED_DELIVERY_ANY,
	Q_KEYED_DELIVERY_DELETE},
    {SEAL_TABLE_RUN, Q_KEYED_RUN, Q_KEYED_RUN_ANY, Q_KEYED_RUN_DELETE},
    {SEAL_TABLE_HAPPENING, Q_KEYED_HAPPENING, Q_KEYED_HAPPENING_ANY,
	Q_KEYED_HAPPENING_DELETE},
    {SEAL_TABLE_TASK, Q_KEYED_TASK, Q_KEYED_TASK_ANY, Q_KEYED_TASK_DELETE},
    {SEAL_TABLE_RUN_LOG, Q_KEYED_LOG, Q_KEYED_LOG_ANY, Q_KEYED_LOG_DELETE},
    {SEAL_TABLE_AUDIT, Q_KEYED_AUDIT, Q_KEYED_AUDIT_ANY, Q_KEYED_AUDIT_DELETE},
    {SEAL_TABLE_REPLY, Q_KEYED_REPLY, Q_KEYED_REPLY_ANY, Q_KEYED_REPLY_DELETE},
};

static const struct keyed *
keyed_of(enum seal_table table)
{
	for (size_t i = 0; i < sizeof keyed / sizeof *keyed; i++)
		if (keyed[i].table == table)
			return &keyed[i];
	bug(__FILE__, __LINE__, "a table that is not found by its keys");
}

/* As the head of a blob has it. */
static void
head_of(uint32_t key, uint8_t ret[4])
{
	for (unsigned i = 0; i < 4; i++)
		ret[i] = (uint8_t)(key >> (24 - 8 * i));
}

static err
number(struct store_conn *c, enum query id, uint32_t key, uint64_t *ret)
{
	struct q q = q_start(c, id);
	uint8_t head[4];

	head_of(key, head);
	q_blob(&q, head, sizeof head);
	return q_number(&q, ret);
}

err
store_keyed_count(struct store_conn *c, enum seal_table table, uint32_t key,
    uint64_t *ret)
{
	return number(c, keyed_of(table)->count, key, ret);
}

err
store_keyed_any(struct store_conn *c, enum seal_table table, uint32_t key,
    bool *ret)
{
	uint64_t one;

	TRY(number(c, keyed_of(table)->any, key, &one));
	*ret = one != 0;
	return OK;
}

err
store_keyed_delete(struct store_conn *c, enum seal_table table, uint32_t key,
    size_t max, uint64_t *ret)
{
	enum query id = keyed_of(table)->delete;
	struct q q;
	uint8_t head[4];

	BUG_ON(id == Q_MAX_);
	q = q_start(c, id);
	*ret = 0;
	head_of(key, head);
	q_blob(&q, head, sizeof head);
	q_u64(&q, max);
	return gone(&q, ret);
}

err
store_keyed_alerts(struct store_conn *c, uint32_t key, uint64_t after,
    size_t max, struct keyed_alert *ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_KEYED_ALERTS);
	uint8_t head[4];
	size_t n = 0;

	head_of(key, head);
	q_blob(&q, head, sizeof head);
	q_u64(&q, after);
	q_u64(&q, max);
	while (n < max && q_next(&q)) {
		struct keyed_alert *r = &ret[n++];

		r->seq = c_u64(&q, 0);
		c_bytes(&q, 1, r->id.u.b, sizeof r->id.u.b);
		r->incident = c_u64(&q, 2);
		r->open = c_u64(&q, 3) != 0;
	}
	TRY(q_end(&q));
	*ret_n = n;
	return OK;
}

/* ---- what was destroyed ---- */

err
store_destruction_put(struct store_conn *c, const struct destruction_row *r)
{
	struct q q = q_start(c, Q_DESTRUCTION_PUT);

	q_u64(&q, r->seq);
	q_num(&q, r->time);
	q_num(&q, r->class);
	q_num(&q, r->project);
	q_u64(&q, r->units);
	q_sealed(&q, r->sealed);
	return q_run(&q);
}

err
store_destructions(struct store_conn *c, int64_t from, int64_t to,
    uint64_t after, size_t max, struct arena *a, struct destruction_row **ret,
    size_t *ret_n)
{
	struct q q = q_start(c, Q_DESTRUCTIONS);
	void *rows = NULL;
	size_t n = 0, cap = 0;

	q_num(&q, from);
	q_num(&q, to == 0 ? INT64_MAX : to);
	q_u64(&q, after);
	q_u64(&q, max);
	while (q_next(&q)) {
		struct destruction_row *r =
		    rows_more(a, &rows, n, &cap, sizeof *r);

		if (r == NULL)
			break;
		*r = (struct destruction_row){.seq = c_u64(&q, 0),
		    .time = c_num(&q, 1),
		    .class = c_u8(&q, 2),
		    .project = c_u32(&q, 3),
		    .units = c_u64(&q, 4)};
		r->stored.bytes = c_copy(&q, 5, a);
		n++;
	}
	TRY(q_end(&q));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	return OK;
}
