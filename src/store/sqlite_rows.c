/*
 * sqlite_rows.c: keys, objects, deliveries, kept answers, token use.
 */
#include "store/conn.h"
#include "store/dump.h"

/* ---- project keys ---- */

err
store_project_key_put(struct store_conn *c, uint32_t project, uint32_t version,
    int64_t created, struct sealed wrapped)
{
	struct q q = q_start(c, Q_PROJECT_KEY_PUT);

	q_num(&q, project);
	q_num(&q, version);
	q_num(&q, created);
	q_sealed(&q, wrapped);
	return q_run(&q);
}

err
store_project_key_delete(struct store_conn *c, uint32_t project,
    uint32_t version)
{
	struct q q = q_start(c, Q_PROJECT_KEY_DELETE);

	q_num(&q, project);
	q_num(&q, version);
	return q_run_some(&q);
}

err
store_project_keys(struct store_conn *c, struct arena *a,
    struct project_key_row **ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_PROJECT_KEYS);
	void *rows = NULL;
	size_t n = 0, cap = 0;

	while (q_next(&q)) {
		struct project_key_row *r =
		    rows_more(a, &rows, n, &cap, sizeof *r);

		if (r == NULL)
			break;
		r->project = c_u32(&q, 0);
		r->version = c_u32(&q, 1);
		r->created = c_num(&q, 2);
		r->wrapped.bytes = c_copy(&q, 3, a);
		n++;
	}
	TRY(q_end(&q));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	return OK;
}

/* ---- data keys ---- */

/* Numbers of destroyed keys are not given again: what they sealed must stay
 * "destroyed" and not become "wrong key". */
static const char key_high[] = "store.data_key";

static err
max_id(struct store_conn *c, uint64_t *ret)
{
	struct q q = q_start(c, Q_DATA_KEY_LAST);

	return q_number(&q, ret);
}

err
store_data_key_last(struct store_conn *c, uint32_t *ret_id)
{
	int64_t high;
	uint64_t max;

	TRY(meta_number(c, key_high, &high));
	TRY(max_id(c, &max));
	if (high > 0 && (uint64_t)high > max)
		max = (uint64_t)high;
	if (max > UINT32_MAX)
		return conn_error(c, SQLITE_CORRUPT);
	*ret_id = (uint32_t)max;
	return OK;
}

err
store_data_key_high(struct store_conn *c, uint32_t id)
{
	return meta_number_set(c, key_high, id);
}

err
store_data_key_delete(struct store_conn *c, uint32_t id)
{
	struct q q;
	uint64_t max;

	TRY(max_id(c, &max));
	if (max == id)
		TRY(meta_number_set(c, key_high, id));
	/* what else is known of it goes with it */
	q = q_start(c, Q_KEY_USE_DELETE);
	q_num(&q, id);
	TRY(q_run(&q));
	q = q_start(c, Q_KEY_RENEWAL_DELETE);
	q_num(&q, id);
	TRY(q_run(&q));
	q = q_start(c, Q_DATA_KEY_DELETE);
	q_num(&q, id);
	return q_run_some(&q);
}

err
store_data_key_put(struct store_conn *c, const struct data_key_row *k)
{
	struct q q = q_start(c, Q_DATA_KEY_PUT);

	q_num(&q, k->id);
	q_num(&q, k->project);
	q_num(&q, k->version);
	q_num(&q, k->class);
	if (k->has_subject)
		q_uuid(&q, &k->subject);
	else
		q_null(&q);
	q_u64(&q, k->term);
	q_sealed(&q, k->wrapped);
	return q_run(&q);
}

static void
data_key_read(struct q *q, struct arena *a, struct data_key_row *r)
{
	*r = (struct data_key_row){
	    .id = c_u32(q, 0),
	    .project = c_u32(q, 1),
	    .version = c_u32(q, 2),
	    .class = c_u8(q, 3),
	    .has_subject = sqlite3_column_type(q->st, 4) != SQLITE_NULL,
	    .term = c_u64(q, 5),
	};
	if (r->has_subject)
		c_bytes(q, 4, r->subject.b, sizeof r->subject.b);
	r->was_wrapped.bytes = c_copy(q, 6, a);
}

err
store_data_key_get(struct store_conn *c, uint32_t id, struct arena *a,
    struct data_key_row *ret)
{
	struct q q = q_start(c, Q_DATA_KEY_GET);
	struct data_key_row r = {0};
	bool got;

	q_num(&q, id);
	got = q_next(&q);
	if (got)
		data_key_read(&q, a, &r);
	TRY(q_one(&q, got));
	*ret = r;
	return OK;
}

static err
data_keys_read(struct q *q, struct arena *a, struct data_key_row **ret,
    size_t *ret_n)
{
	void *rows = NULL;
	size_t n = 0, cap = 0;

	while (q_next(q)) {
		struct data_key_row *r =
		    rows_more(a, &rows, n, &cap, sizeof *r);

		if (r == NULL)
			break;
		data_key_read(q, a, r);
		n++;
	}
	TRY(q_end(q));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	return OK;
}

err
store_class_keys(struct store_conn *c, struct arena *a,
    struct data_key_row **ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_CLASS_KEYS);

	return data_keys_read(&q, a, ret, ret_n);
}

err
store_data_keys_after(struct store_conn *c, uint32_t after, size_t max,
    struct arena *a, struct data_key_row **ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_DATA_KEYS_AFTER);

	q_num(&q, after);
	q_u64(&q, max);
	return data_keys_read(&q, a, ret, ret_n);
}

/* ---- objects ---- */

err
store_object_put(struct store_conn *c, const struct object_row *o)
{
	struct q q = q_start(c, Q_OBJECT_PUT);

	q_num(&q, o->kind);
	q_uuid(&q, &o->id);
	q_num(&q, o->project);
	q_num(&q, o->version);
	q_num(&q, o->created);
	q_num(&q, o->updated);
	q_sealed(&q, o->sealed);
	return q_run(&q);
}

err
store_object_delete(struct store_conn *c, uint8_t kind, const struct uuid *id)
{
	struct q q = q_start(c, Q_OBJECT_DELETE);

	q_num(&q, kind);
	q_uuid(&q, id);
	return q_run_some(&q);
}

err
store_object_sealed(struct store_conn *c, uint8_t kind, const struct uuid *id,
    struct arena *a, struct stored *ret)
{
	struct q q = q_start(c, Q_OBJECT_SEALED);
	struct str s = STR_NONE;
	bool got;

	q_num(&q, kind);
	q_uuid(&q, id);
	got = q_next(&q);
	if (got)
		s = c_copy(&q, 0, a);
	TRY(q_one(&q, got));
	TRY(arena_check(a));
	ret->bytes = s;
	return OK;
}

err
store_objects(struct store_conn *c, struct arena *a, struct object_row **ret,
    size_t *ret_n)
{
	struct q q = q_start(c, Q_OBJECTS);
	void *rows = NULL;
	size_t n = 0, cap = 0;

	while (q_next(&q)) {
		struct object_row *r = rows_more(a, &rows, n, &cap, sizeof *r);

		if (r == NULL)
			break;
		*r = (struct object_row){
		    .kind = c_u8(&q, 0),
		    .project = c_u32(&q, 2),
		    .version = c_u32(&q, 3),
		    .created = c_num(&q, 4),
		    .updated = c_num(&q, 5),
		};
		c_bytes(&q, 1, r->id.b, sizeof r->id.b);
		r->stored.bytes = c_copy(&q, 6, a);
		n++;
	}
	TRY(q_end(&q));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	return OK;
}

/* ---- deliveries ---- */

err
store_delivery_insert(struct store_conn *c, const struct delivery_row *r)
{
	struct q q = q_start(c, Q_DELIVERY_INSERT);

	q_u64(&q, r->seq);
	q_uuid(&q, &r->id.u);
	q_num(&q, r->project);
	q_uuid(&q, &r->integration.u);
	q_num(&q, r->received);
	q_num(&q, r->status);
	q_num(&q, r->alerts);
	q_num(&q, r->bytes);
	q_sealed(&q, r->sealed);
	return q_run(&q);
}

err
store_delivery_last(struct store_conn *c, uint64_t *ret_seq)
{
	struct q q = q_start(c, Q_DELIVERY_LAST);

	return q_number(&q, ret_seq);
}

static void
delivery_read(struct q *q, struct arena *a, struct delivery_row *r)
{
	*r = (struct delivery_row){
	    .seq = c_u64(q, 0),
	    .project = c_u32(q, 2),
	    .received = c_num(q, 4),
	    .status = c_u8(q, 5),
	    .alerts = c_u32(q, 6),
	    .bytes = c_u32(q, 7),
	};
	c_bytes(q, 1, r->id.u.b, sizeof r->id.u.b);
	c_bytes(q, 3, r->integration.u.b, sizeof r->integration.u.b);
	r->stored.bytes = c_copy(q, 8, a);
}

err
store_delivery_list(struct store_conn *c,
    const struct principal_id *integration, uint64_t after, size_t max,
    struct arena *a, struct delivery_row **ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_DELIVERY_LIST);
	void *rows = NULL;
	size_t n = 0, cap = 0;

	q_uuid(&q, &integration->u);
	q_u64(&q, after > 0 ? after : INT64_MAX);
	q_u64(&q, max);
	while (q_next(&q)) {
		struct delivery_row *r =
		    rows_more(a, &rows, n, &cap, sizeof *r);

		if (r == NULL)
			break;
		delivery_read(&q, a, r);
		n++;
	}
	TRY(q_end(&q));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	return OK;
}

/* ---- answers kept for Idempotency-Key ---- */

err
store_reply_put(struct store_conn *c, const struct reply_row *r)
{
	struct q q = q_start(c, Q_REPLY_PUT);

	q_blob(&q, r->key, sizeof r->key);
	q_blob(&q, r->body_hash, sizeof r->body_hash);
	q_num(&q, r->created);
	q_num(&q, r->status);
	q_sealed(&q, r->sealed);
	return q_run(&q);
}

err
store_reply_get(struct store_conn *c, const uint8_t key[BLIND_SIZE],
    struct arena *a, struct reply_row *ret)
{
	struct q q = q_start(c, Q_REPLY_GET);
	struct reply_row r = {0};
	bool got;

	q_blob(&q, key, BLIND_SIZE);
	got = q_next(&q);
	if (got) {
		c_bytes(&q, 0, r.key, sizeof r.key);
		c_bytes(&q, 1, r.body_hash, sizeof r.body_hash);
		r.created = c_num(&q, 2);
		r.status = (uint16_t)c_max(&q, 3, UINT16_MAX);
		r.stored.bytes = c_copy(&q, 4, a);
	}
	TRY(q_one(&q, got));
	*ret = r;
	return OK;
}

err
store_reply_purge(struct store_conn *c, int64_t before)
{
	struct q q = q_start(c, Q_REPLY_PURGE);

	q_num(&q, before);
	q_num(&q, STORE_PURGE);
	return q_run(&q);
}

/* ---- token use ---- */

err
store_token_used_put(struct store_conn *c, const struct token_id *t,
    int64_t used)
{
	struct q q = q_start(c, Q_TOKEN_USED_PUT);

	q_uuid(&q, &t->u);
	q_num(&q, used);
	return q_run(&q);
}

err
store_token_used_delete(struct store_conn *c, const struct token_id *t)
{
	struct q q = q_start(c, Q_TOKEN_USED_DELETE);

	q_uuid(&q, &t->u);
	TRY(q_run(&q));
	q = q_start(c, Q_RIGHTS_USED_DELETE);
	q_uuid(&q, &t->u);
	return q_run(&q);
}

err
store_token_used(struct store_conn *c, struct arena *a,
    struct token_used_row **ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_TOKEN_USED);
	void *rows = NULL;
	size_t n = 0, cap = 0;

	while (q_next(&q)) {
		struct token_used_row *r =
		    rows_more(a, &rows, n, &cap, sizeof *r);

		if (r == NULL)
			break;
		c_bytes(&q, 0, r->token.u.b, sizeof r->token.u.b);
		r->used = c_num(&q, 1);
		n++;
	}
	TRY(q_end(&q));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	return OK;
}

err
store_right_used_put(struct store_conn *c, const struct right_used_row *r)
{
	struct q q = q_start(c, Q_RIGHT_USED_PUT);

	q_uuid(&q, &r->token.u);
	q_num(&q, r->permission);
	q_num(&q, r->used);
	return q_run(&q);
}

err
store_rights_used(struct store_conn *c, struct arena *a,
    struct right_used_row **ret, size_t *ret_n)
{
	struct q q = q_start(c, Q_RIGHTS_USED);
	void *rows = NULL;
	size_t n = 0, cap = 0;

	while (q_next(&q)) {
		struct right_used_row *r =
		    rows_more(a, &rows, n, &cap, sizeof *r);

		if (r == NULL)
			break;
		c_bytes(&q, 0, r->token.u.b, sizeof r->token.u.b);
		r->permission = (uint32_t)c_num(&q, 1);
		r->used = c_num(&q, 2);
		n++;
	}
	TRY(q_end(&q));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	return OK;
}
