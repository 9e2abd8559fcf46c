/*
 * sqlite_incident.c: incidents, their tags and members, their timelines,
 * and how far their times are in order.
 */
#include <stdio.h>

#include "store/conn.h"

/* ---- the order of times ---- */

const char order_incidents[] = "store.order.incident";
const char order_alerts[] = "store.order.alert";

static err
order_read(struct store_conn *c, struct order *o, const char *name,
    enum query last)
{
	struct q q;
	int64_t time = 0;

	TRY(meta_number(c, name, &o->slack));
	q = q_start(c, last);
	if (q_next(&q))
		time = c_num(&q, 0);
	TRY(q_end(&q));
	/* Nothing before the last row is later than this. */
	o->high = time > INT64_MAX - o->slack ? INT64_MAX : time + o->slack;
	o->known = true;
	return OK;
}

err
order_note(struct store_conn *c, struct order *o, const char *name,
    enum query last, int64_t time)
{
	int64_t back;

	if (!o->known)
		TRY(order_read(c, o, name, last));
	if (time >= o->high) {
		o->high = time;
		return OK;
	}
	if (__builtin_sub_overflow(o->high, time, &back))
		back = INT64_MAX;
	if (back <= o->slack)
		return OK;
	o->slack = back;
	return meta_number_set(c, name, back);
}

/* ---- incidents ---- */

err
store_incident_insert(struct store_conn *c, const struct incident_row *r)
{
	struct q q;

	TRY(order_note(c, &c->incidents, order_incidents, Q_INCIDENT_LAST_TIME,
	    r->created));
	q = q_start(c, Q_INCIDENT_INSERT);
	q_u64(&q, r->seq);
	q_uuid(&q, &r->id.u);
	q_num(&q, r->project);
	q_u64(&q, r->number);
	q_num(&q, r->severity);
	q_num(&q, r->status);
	q_num(&q, r->private);
	q_num(&q, r->version);
	q_num(&q, r->alerts);
	q_num(&q, r->entries);
	q_num(&q, r->created);
	q_num(&q, r->updated);
	q_num(&q, r->acknowledged);
	q_num(&q, r->mitigated);
	q_num(&q, r->resolved);
	q_num(&q, r->closed);
	q_sealed(&q, r->sealed);
	return q_run(&q);
}

static err
update(struct store_conn *c, enum query id, const struct incident_row *r,
    bool blob)
{
	struct q q = q_start(c, id);

	c->stale = true;
	q_u64(&q, r->seq);
	q_num(&q, r->severity);
	q_num(&q, r->status);
	q_num(&q, r->private);
	q_num(&q, r->version);
	q_num(&q, r->alerts);
	q_num(&q, r->entries);
	q_num(&q, r->updated);
	q_num(&q, r->acknowledged);
	q_num(&q, r->mitigated);
	q_num(&q, r->resolved);
	q_num(&q, r->closed);
	if (blob)
		q_sealed(&q, r->sealed);
	return q_run_some(&q);
}

/* Mostly only counters and times change: that statement touches no index. */
err
store_incident_update(struct store_conn *c, const struct incident_row *r)
{
	bool blob = r->sealed.bytes.p != NULL;
	err e;

	e = update(c, blob ? Q_INCIDENT_TOUCH_BLOB : Q_INCIDENT_TOUCH, r, blob);
	if (!err_is(e, E_NOT_FOUND))
		return e;
	return update(c, blob ? Q_INCIDENT_MOVE_BLOB : Q_INCIDENT_MOVE, r,
	    blob);
}

void
incident_read(struct q *q, struct incident_row *r)
{
	*r = (struct incident_row){
	    .seq = c_u64(q, 0),
	    .project = c_u32(q, 2),
	    .number = c_u64(q, 3),
	    .severity = c_u8(q, 4),
	    .status = c_u8(q, 5),
	    .private = c_u8(q, 6),
	    .version = c_u32(q, 7),
	    .alerts = c_u32(q, 8),
	    .entries = c_u32(q, 9),
	    .created = c_num(q, 10),
	    .updated = c_num(q, 11),
	    .acknowledged = c_num(q, 12),
	    .mitigated = c_num(q, 13),
	    .resolved = c_num(q, 14),
	    .closed = c_num(q, 15),
	};
	c_bytes(q, 1, r->id.u.b, sizeof r->id.u.b);
}

static err
read_one(struct q *q, struct arena *a, struct incident_row *ret)
{
	struct incident_row r = {0};
	bool got = q_next(q);

	if (got) {
		incident_read(q, &r);
		r.stored.bytes = c_copy(q, 16, a);
	}
	TRY(q_one(q, got));
	*ret = r;
	return OK;
}

err
store_incident_by_id(struct store_conn *c, const struct incident_id *id,
    struct arena *a, struct incident_row *ret)
{
	struct q q = q_start(c, Q_INCIDENT_BY_ID);

	q_uuid(&q, &id->u);
	return read_one(&q, a, ret);
}

err
store_incident_by_number(struct store_conn *c, uint32_t project,
    uint64_t number, struct arena *a, struct incident_row *ret)
{
	struct q q = q_start(c, Q_INCIDENT_BY_NUMBER);

	q_num(&q, project);
	/* Above what any number can be: not found, not invalid. */
	q_u64(&q, number > INT64_MAX ? INT64_MAX : number);
	return read_one(&q, a, ret);
}

err
store_incident_by_seq(struct store_conn *c, uint64_t seq, struct arena *a,
    struct incident_row *ret)
{
	struct q q = q_start(c, Q_INCIDENT_BY_SEQ);

	q_u64(&q, seq);
	return read_one(&q, a, ret);
}

/* The highest that were given to what is no more. */
static const char high_seq[] = "store.incident";
enum { HIGH_NAME = 40 };

static const char *
high_number(uint32_t project, char ret[HIGH_NAME])
{
	(void)snprintf(ret, HIGH_NAME, "store.incident.%u", project);
	return ret;
}

err
store_incident_last(struct store_conn *c, uint32_t project, uint64_t *ret_seq,
    uint64_t *ret_number)
{
	struct q q = q_start(c, Q_INCIDENT_LAST_SEQ);
	char name[HIGH_NAME];
	uint64_t seq, number;
	int64_t high;

	TRY(q_number(&q, &seq));
	q = q_start(c, Q_INCIDENT_LAST_NUMBER);
	q_num(&q, project);
	TRY(q_number(&q, &number));
	/* numbers of destroyed ones are not given again */
	TRY(meta_number(c, high_seq, &high));
	*ret_seq = (uint64_t)high > seq ? (uint64_t)high : seq;
	TRY(meta_number(c, high_number(project, name), &high));
	*ret_number = (uint64_t)high > number ? (uint64_t)high : number;
	return OK;
}

err
store_incident_any(struct store_conn *c, uint32_t project, bool *ret)
{
	struct q q = q_start(c, Q_INCIDENT_LAST_NUMBER);
	uint64_t number;

	q_num(&q, project);
	TRY(q_number(&q, &number));
	*ret = number > 0;
	return OK;
}

err
incident_number_kept(struct store_conn *c, const struct incident_row *r)
{
	struct q q = q_start(c, Q_INCIDENT_LAST_SEQ);
	char name[HIGH_NAME];
	uint64_t last;

	TRY(q_number(&q, &last));
	if (r->seq >= last)
		TRY(meta_number_set(c, high_seq, (int64_t)r->seq));
	q = q_start(c, Q_INCIDENT_LAST_NUMBER);
	q_num(&q, r->project);
	TRY(q_number(&q, &last));
	if (r->number < last)
		return OK;
	return meta_number_set(c, high_number(r->project, name),
	    (int64_t)r->number);
}

/* ---- tags ---- */

static void
tag_bind(struct q *q, uint32_t project, enum tag_kind kind,
    const uint8_t value[BLIND_SIZE])
{
	q_num(q, project);
	q_num(q, kind);
	q_blob(q, value, BLIND_SIZE);
}

err
store_tag_add(struct store_conn *c, uint32_t project, enum tag_kind kind,
    const uint8_t value[BLIND_SIZE], uint64_t number)
{
	struct q q = q_start(c, Q_TAG_ADD);

	tag_bind(&q, project, kind, value);
	q_u64(&q, number);
	return q_run(&q);
}

err
store_tag_delete(struct store_conn *c, uint32_t project, enum tag_kind kind,
    const uint8_t value[BLIND_SIZE], uint64_t number)
{
	struct q q = q_start(c, Q_TAG_DELETE);

	tag_bind(&q, project, kind, value);
	q_u64(&q, number);
	return q_run(&q);
}

err
store_tag_newest(struct store_conn *c, uint32_t project, enum tag_kind kind,
    const uint8_t value[BLIND_SIZE], uint64_t *ret)
{
	struct q q = q_start(c, Q_TAG_NEWEST);
	uint64_t number;

	tag_bind(&q, project, kind, value);
	TRY(q_number(&q, &number));
	if (number == 0)
		return err_of(E_NOT_FOUND);
	*ret = number;
	return OK;
}

/* ---- members ---- */

err
store_members_set(struct store_conn *c, uint64_t incident,
    const struct subject *m, size_t n)
{
	struct q q = q_start(c, Q_MEMBERS_CLEAR);

	q_u64(&q, incident);
	TRY(q_run(&q));
	for (size_t i = 0; i < n; i++) {
		q = q_start(c, Q_MEMBER_ADD);
		q_u64(&q, incident);
		q_num(&q, m[i].kind);
		q_uuid(&q, &m[i].id);
		TRY(q_run(&q));
	}
	return OK;
}

static void
member_read(struct q *q, struct subject *s)
{
	s->kind = c_u8(q, 0);
	c_bytes(q, 1, s->id.b, sizeof s->id.b);
}

err
store_members(struct store_conn *c, uint64_t incident, struct arena *a,
    struct subject **ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_MEMBERS);
	void *rows = NULL;
	size_t n = 0, cap = 0;

	q_u64(&q, incident);
	while (q_next(&q)) {
		struct subject *s = rows_more(a, &rows, n, &cap, sizeof *s);

		if (s == NULL)
			break;
		member_read(&q, s);
		n++;
	}
	TRY(q_end(&q));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	return OK;
}

static bool
is_among(const struct subject *s, const struct subject *as, size_t as_n)
{
	for (size_t i = 0; i < as_n; i++)
		if (as[i].kind == s->kind && uuid_eq(&as[i].id, &s->id))
			return true;
	return false;
}

err
store_member_any(struct store_conn *c, uint64_t incident,
    const struct subject *as, size_t as_n, bool *ret)
{
	struct q q = q_start(c, Q_MEMBERS);
	bool found = false;

	q_u64(&q, incident);
	while (!found && as_n > 0 && q_next(&q)) {
		struct subject s;

		member_read(&q, &s);
		found = is_among(&s, as, as_n);
	}
	TRY(q_end(&q));
	*ret = found;
	return OK;
}

/* ---- timeline ---- */

#define ENTRY_INCIDENT_MAX ((uint64_t)INT64_MAX >> ENTRY_BITS)

static void
entry_key(struct q *q, uint64_t incident, uint32_t n)
{
	if (incident > ENTRY_INCIDENT_MAX || n > ENTRY_MAX)
		q_u64(q, UINT64_MAX); /* E_INVALID */
	else
		q_u64(q, incident << ENTRY_BITS | n);
}

err
store_entry_insert(struct store_conn *c, const struct entry_row *r)
{
	struct q q = q_start(c, Q_ENTRY_INSERT);

	entry_key(&q, r->incident, r->n);
	q_num(&q, r->kind);
	q_num(&q, r->key_event);
	q_num(&q, r->occurred);
	q_num(&q, r->recorded);
	q_sealed(&q, r->sealed);
	return q_run(&q);
}

static void
entry_read(struct q *q, struct arena *a, struct entry_row *r)
{
	uint64_t key = c_u64(q, 0);

	*r = (struct entry_row){
	    .incident = key >> ENTRY_BITS,
	    .n = (uint32_t)(key & ENTRY_MAX),
	    .kind = c_u8(q, 1),
	    .key_event = c_u8(q, 2),
	    .occurred = c_num(q, 3),
	    .recorded = c_num(q, 4),
	};
	r->stored.bytes = c_copy(q, 5, a);
}

/* n counts from 1, so key 0 and ENTRY_MAX + 1 of an incident are outside. */
static void
entry_range(struct q *q, uint64_t incident, uint32_t after, bool down)
{
	if (after > ENTRY_MAX)
		after = ENTRY_MAX;
	entry_key(q, incident, down ? 0 : after);
	if (down && after > 0)
		entry_key(q, incident, after);
	else if (incident >= ENTRY_INCIDENT_MAX)
		q_u64(q, UINT64_MAX);
	else
		entry_key(q, incident + 1, 0);
}

err
store_entry_list(struct store_conn *c, uint64_t incident, uint32_t after,
    bool newest_first, size_t max, struct arena *a, struct entry_row **ret,
    size_t *ret_n)
{
	struct q q = q_start(c, newest_first ? Q_ENTRY_DOWN : Q_ENTRY_UP);
	void *rows = NULL;
	size_t n = 0, cap = 0;

	entry_range(&q, incident, after, newest_first);
	q_u64(&q, max);
	while (q_next(&q)) {
		struct entry_row *r = rows_more(a, &rows, n, &cap, sizeof *r);

		if (r == NULL)
			break;
		entry_read(&q, a, r);
		n++;
	}
	TRY(q_end(&q));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	return OK;
}
