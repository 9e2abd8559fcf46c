/*
 * sqlite_walk.c: every sealed row, in pieces, for rotation and for asking
 * which data keys are still in use.
 */
#include "store/conn.h"

/* What a row's identity is made of, in this order. */
enum {
	PK_ID = 1,	 /* its id */
	PK_INCIDENT = 2, /* the incident of a timeline key */
	PK_ENTRY = 4,	 /* the number in a timeline key */
	PK_KEY = 8,	 /* its key: a number, or an object's kind */
	PK_AT = 16,	 /* the number in a column of its own */
};

/* A walk statement answers: the key as a number, the id, the project, the
 * blob.  An object's key is number and id. */
#define ROW(t, name, q, pk)                                                    \
	{                                                                      \
		SEAL_TABLE_##t, name, Q_WALK_##q, Q_RESEAL_##q, Q_COUNT_##q,   \
		    pk                                                         \
	}

static const struct table {
	enum seal_table table;
	const char *name;
	enum query walk, reseal, count;
	unsigned pk;
} tables[] = {
    ROW(OBJECT, "object", OBJECT, PK_ID | PK_KEY),
    ROW(INCIDENT, "incident", INCIDENT, PK_ID),
    ROW(TIMELINE, "timeline", TIMELINE, PK_INCIDENT | PK_ENTRY),
    ROW(ALERT, "alert", ALERT, PK_ID),
    ROW(DELIVERY, "delivery", DELIVERY, PK_ID),
    ROW(AUDIT, "audit_body", AUDIT, PK_KEY),
    ROW(REPLY, "reply", REPLY, PK_ID),
    ROW(RUNBOOK, "runbook_version", RUNBOOK, PK_ID),
    ROW(RUN, "run", RUN, PK_ID),
    ROW(HAPPENING, "happening", HAPPENING, PK_KEY),
    ROW(SECRET, "secret_version", SECRET, PK_ID | PK_KEY),
    ROW(TASK, "task", TASK, PK_ID),
    ROW(RUN_LOG, "run_log", LOG, PK_ID | PK_AT),
    ROW(DESTRUCTION, "destruction", DESTRUCTION, PK_KEY),
};

enum { TABLES = sizeof tables / sizeof *tables, PLACE = 8 + 16 };

/* A place in a table: the number, and the id where it is part of the key. */
struct place {
	int64_t key;
	struct uuid id;
};

static const struct place start = {.key = INT64_MIN};

static const struct table *
table_of(enum seal_table table)
{
	for (size_t i = 0; i < TABLES; i++)
		if (tables[i].table == table)
			return &tables[i];
	bug(__FILE__, __LINE__, "a table without sealed rows of its own");
}

const char *
store_sealed_table(size_t i, enum seal_table *ret)
{
	if (i >= TABLES)
		return NULL;
	*ret = tables[i].table;
	return tables[i].name;
}

err
store_sealed_count(struct store_conn *c, enum seal_table table, uint64_t *ret)
{
	struct q q = q_start(c, table_of(table)->count);

	return q_number(&q, ret);
}

static bool
has_id(const struct table *t)
{
	return t->table == SEAL_TABLE_OBJECT;
}

static uint8_t
place_put(const struct place *p, uint8_t ret[PLACE])
{
	memcpy(ret, &p->key, 8);
	memcpy(ret + 8, p->id.b, 16);
	return PLACE;
}

static bool
place_get(struct str s, struct place *ret)
{
	if (s.n == 0) {
		*ret = start;
		return true;
	}
	if (s.n != PLACE)
		return false;
	memcpy(&ret->key, s.p, 8);
	memcpy(ret->id.b, s.p + 8, 16);
	return true;
}

static void
walk_from(struct q *q, const struct table *t, const struct place *p, size_t max)
{
	q_num(q, p->key);
	if (has_id(t))
		q_uuid(q, &p->id);
	else
		q->at++; /* ?2 is not in the statement */
	q_u64(q, max);
}

static void
place_read(struct q *q, const struct table *t, struct place *ret)
{
	ret->key = c_num(q, 0);
	if (has_id(t))
		c_bytes(q, 1, ret->id.b, sizeof ret->id.b);
}

/* The row's identity as its sealer named it: the comment in store.h. */
static void
row_read(struct q *q, const struct table *t, struct arena *a,
    const struct place *p, struct sealed_row *r)
{
	struct seal_where w = {0};
	struct uuid id;

	*r = (struct sealed_row){.table = t->table, .project = c_u32(q, 2)};
	if ((t->pk & PK_ID) != 0) {
		c_bytes(q, 1, id.b, sizeof id.b);
		seal_where_id(&w, &id);
	}
	if ((t->pk & PK_INCIDENT) != 0)
		seal_where_num(&w, (uint64_t)p->key >> ENTRY_BITS);
	if ((t->pk & PK_ENTRY) != 0)
		seal_where_num(&w, (uint64_t)p->key & ENTRY_MAX);
	if ((t->pk & PK_KEY) != 0)
		seal_where_num(&w, (uint64_t)p->key);
	if ((t->pk & PK_AT) != 0)
		seal_where_num(&w, c_u64(q, 4));
	memcpy(r->pk, w.pk, w.pk_n);
	r->pk_n = w.pk_n;
	r->locator_n = place_put(p, r->locator);
	r->stored.bytes = c_copy(q, 3, a);
}

err
store_sealed_rows(struct store_conn *c, enum seal_table table,
    struct str cursor, size_t max, struct arena *a, struct sealed_row **ret,
    size_t *ret_n, struct str *ret_cursor)
{
	const struct table *t = table_of(table);
	struct q q = q_start(c, t->walk);
	struct place p;
	void *rows = NULL;
	size_t n = 0, cap = 0;
	uint8_t b[PLACE];

	if (!place_get(cursor, &p))
		return err_of(E_BAD_CURSOR);
	walk_from(&q, t, &p, max);
	while (q_next(&q)) {
		struct sealed_row *r = rows_more(a, &rows, n, &cap, sizeof *r);

		if (r == NULL)
			break;
		place_read(&q, t, &p);
		row_read(&q, t, a, &p, r);
		n++;
	}
	TRY(q_end(&q));
	(void)place_put(&p, b);
	*ret_cursor = arena_dup(a, str_of((const char *)b, sizeof b));
	TRY(arena_check(a));
	*ret = rows;
	*ret_n = n;
	return OK;
}

/* Only if it is still what was read: else a newer text would be lost. */
err
store_sealed_replace(struct store_conn *c, const struct sealed_row *row,
    struct sealed sealed)
{
	const struct table *t = table_of(row->table);
	struct q q = q_start(c, t->reseal);
	struct place p;

	if (!place_get(str_of((const char *)row->locator, row->locator_n), &p))
		return err_of(E_BAD_CURSOR);
	c->stale |= row->table == SEAL_TABLE_INCIDENT;
	q_num(&q, p.key);
	if (has_id(t))
		q_uuid(&q, &p.id);
	else
		q.at++;
	q_sealed(&q, sealed);
	q_str(&q, row->stored.bytes);
	TRY(q_run(&q));
	return err_of(sqlite3_changes(c->db) > 0 ? E_OK : E_STALE);
}

static err
uses_in(struct store_conn *c, const struct table *t, uint32_t id,
    uint64_t *count)
{
	struct place p = start;
	size_t n;

	do { /* in pieces, so that no view holds the log back for long */
		struct q q = q_start(c, t->walk);

		n = 0;
		walk_from(&q, t, &p, WALK_PIECE);
		while (q_next(&q)) {
			struct stored s = {c_view(&q, 3)};
			uint32_t named;

			place_read(&q, t, &p);
			n++;
			if (!err_ok(seal_key_id(s, &named)))
				q.bad = true;
			else if (named == id)
				++*count;
		}
		TRY(q_end(&q));
	} while (n == WALK_PIECE);
	return OK;
}

err
store_data_key_uses(struct store_conn *c, uint32_t id, uint64_t *ret)
{
	uint64_t count = 0;

	for (size_t i = 0; i < TABLES; i++)
		TRY(uses_in(c, &tables[i], id, &count));
	*ret = count;
	return OK;
}
