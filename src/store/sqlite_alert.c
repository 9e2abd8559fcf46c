/*
 * sqlite_alert.c: alerts, one at a time.
 */
#include "store/conn.h"

err
store_alert_insert(struct store_conn *c, const struct alert_row *r)
{
	struct q q;

	TRY(order_note(c, &c->alerts, order_alerts, Q_ALERT_LAST_TIME,
	    r->first_seen));
	q = q_start(c, Q_ALERT_INSERT);
	q_u64(&q, r->seq);
	q_uuid(&q, &r->id.u);
	q_num(&q, r->project);
	q_blob(&q, r->dedup, sizeof r->dedup);
	q_u64(&q, r->incident);
	q_num(&q, r->status);
	q_num(&q, r->severity);
	q_num(&q, r->version);
	q_num(&q, r->count);
	q_num(&q, r->first_seen);
	q_num(&q, r->last_seen);
	q_num(&q, r->resolved);
	q_sealed(&q, r->sealed);
	return q_run(&q);
}

static err
update(struct store_conn *c, enum query id, const struct alert_row *r,
    bool blob)
{
	struct q q = q_start(c, id);

	q_u64(&q, r->seq);
	q_u64(&q, r->incident);
	q_num(&q, r->status);
	q_num(&q, r->severity);
	q_num(&q, r->resolved);
	q_num(&q, r->version);
	q_num(&q, r->count);
	q_num(&q, r->last_seen);
	if (blob)
		q_sealed(&q, r->sealed);
	return q_run_some(&q);
}

/* A repeated alert changes counters only: that statement touches no index. */
err
store_alert_update(struct store_conn *c, const struct alert_row *r)
{
	bool blob = r->sealed.bytes.p != NULL;
	err e;

	e = update(c, blob ? Q_ALERT_TOUCH_BLOB : Q_ALERT_TOUCH, r, blob);
	if (!err_is(e, E_NOT_FOUND))
		return e;
	return update(c, blob ? Q_ALERT_MOVE_BLOB : Q_ALERT_MOVE, r, blob);
}

void
alert_read(struct q *q, struct alert_row *r)
{
	*r = (struct alert_row){
	    .seq = c_u64(q, 0),
	    .project = c_u32(q, 2),
	    .incident = c_u64(q, 4),
	    .status = c_u8(q, 5),
	    .severity = c_u8(q, 6),
	    .version = c_u32(q, 7),
	    .count = c_u32(q, 8),
	    .first_seen = c_num(q, 9),
	    .last_seen = c_num(q, 10),
	    .resolved = c_num(q, 11),
	};
	c_bytes(q, 1, r->id.u.b, sizeof r->id.u.b);
	c_bytes(q, 3, r->dedup, sizeof r->dedup);
}

static err
read_one(struct q *q, struct arena *a, struct alert_row *ret)
{
	struct alert_row r = {0};
	bool got = q_next(q);

	if (got) {
		alert_read(q, &r);
		r.stored.bytes = c_copy(q, 12, a);
	}
	TRY(q_one(q, got));
	*ret = r;
	return OK;
}

err
store_alert_by_id(struct store_conn *c, const struct alert_id *id,
    struct arena *a, struct alert_row *ret)
{
	struct q q = q_start(c, Q_ALERT_BY_ID);

	q_uuid(&q, &id->u);
	return read_one(&q, a, ret);
}

err
store_alert_by_dedup(struct store_conn *c, const uint8_t dedup[BLIND_SIZE],
    struct arena *a, struct alert_row *ret)
{
	struct q q = q_start(c, Q_ALERT_BY_DEDUP);

	q_blob(&q, dedup, BLIND_SIZE);
	return read_one(&q, a, ret);
}

err
store_alert_last(struct store_conn *c, uint64_t *ret_seq)
{
	struct q q = q_start(c, Q_ALERT_LAST);

	return q_number(&q, ret_seq);
}

err
store_alert_open(struct store_conn *c, uint64_t incident, uint64_t *ret)
{
	struct q q = q_start(c, Q_ALERT_OPEN);

	q_u64(&q, incident);
	q_num(&q, STORE_COUNT_MAX);
	return q_number(&q, ret);
}
