/*
 * sqlite_dump.c: see dump.h.  The tables and their columns are asked of the
 * schema, so that none is forgotten.
 */
#include "store/dump.h"

#include <stdio.h>

#include "base/mem.h"
#include "store/conn.h"

#define FORM(name, sql) __attribute__((unused)) static const char name[] = sql;
#include "store/query.def"

enum { SQL_MAX = 8192, ROW_MAX = 17 * 1024 * 1024, TABLES = 128 };

/* One table being read. */
struct table {
	char name[DUMP_NAME + 1];
	char columns[DUMP_NAMES];
	size_t n;		  /* columns */
	size_t key[DUMP_COLUMNS]; /* which of them are its key, in order */
	char order[DUMP_NAMES];	  /* the same as names */
	size_t keys;
};

static err
list_add(char *list, struct str name)
{
	size_t n = strlen(list);

	if (n + name.n + 2 > DUMP_NAMES || name.n == 0 || name.n > DUMP_NAME)
		return err_of(E_CORRUPT);
	for (size_t i = 0; i < name.n; i++)
		if ((name.p[i] < 'a' || name.p[i] > 'z') && name.p[i] != '_')
			return err_of(E_CORRUPT);
	if (n > 0)
		list[n++] = ',';
	memcpy(list + n, name.p, name.n);
	list[n + name.n] = '\0';
	return OK;
}

/* Where the key's k-th column stands; its name goes to `order`. */
static err
key_column(struct store_conn *c, struct table *t, size_t k)
{
	struct q q = q_start(c, Q_COLUMNS);
	size_t at = 0, found = t->n;
	err e = OK;

	q_text(&q, t->name);
	while (q_next(&q)) {
		if (c_u64(&q, 1) == k + 1 && found == t->n) {
			found = at;
			e = list_add(t->order, c_view(&q, 0));
		}
		at++;
	}
	TRY(q_end(&q));
	t->key[k] = found;
	TRY(e);
	return err_of(found < t->n ? E_OK : E_CORRUPT);
}

static err
table_learn(struct store_conn *c, struct str name, struct table *t)
{
	struct q q;
	err e = OK;

	*t = (struct table){.n = 0};
	TRY(list_add(t->name, name));
	q = q_start(c, Q_COLUMNS);
	q_text(&q, t->name);
	while (err_ok(e) && q_next(&q)) {
		e = list_add(t->columns, c_view(&q, 0));
		if (t->n++ == DUMP_COLUMNS)
			e = err_of(E_CORRUPT);
		if (c_u64(&q, 1) > 0)
			t->keys++;
	}
	TRY(q_end(&q));
	TRY(e);
	for (size_t k = 0; k < t->keys; k++)
		TRY(key_column(c, t, k));
	return err_of(t->keys > 0 ? E_OK : E_CORRUPT);
}

/* ---- reading ---- */

static void
column_add(sqlite3_stmt *st, int i, struct buf *b)
{
	int type = sqlite3_column_type(st, i);
	const void *p;

	switch (type) {
	case SQLITE_NULL:
		buf_char(b, 0);
		return;
	case SQLITE_INTEGER:
		buf_char(b, 1);
		buf_be64(b, (uint64_t)sqlite3_column_int64(st, i));
		return;
	case SQLITE_TEXT:
	case SQLITE_BLOB:
		buf_char(b, type == SQLITE_TEXT ? 2 : 3);
		p = sqlite3_column_blob(st, i);
		buf_be32(b, (uint32_t)sqlite3_column_bytes(st, i));
		buf_add(b, p, (size_t)sqlite3_column_bytes(st, i));
		return;
	default: /* no table has such a column */
		b->failed = true;
	}
}

static err
row_tell(const struct table *t, sqlite3_stmt *st, struct buf *row,
    struct buf *key, dump_fn fn, void *ctx)
{
	struct dump_row r = {.table = str_c(t->name),
	    .columns = str_c(t->columns)};

	buf_clear(row);
	buf_clear(key);
	for (size_t i = 0; i < t->n; i++)
		column_add(st, (int)i, row);
	for (size_t i = 0; i < t->keys; i++)
		column_add(st, (int)t->key[i], key);
	TRY(buf_check(row));
	TRY(buf_check(key));
	r.row = buf_view(row);
	r.key = buf_view(key);
	return fn(ctx, &r);
}

static err
rows_tell(struct store_conn *c, const struct table *t, sqlite3_stmt *st,
    dump_fn fn, void *ctx)
{
	CLEANUP(buf_done) struct buf row;
	CLEANUP(buf_done) struct buf key;
	int rc;

	buf_init(&row, ROW_MAX);
	buf_init(&key, ROW_MAX);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		TRY(row_tell(t, st, &row, &key, fn, ctx));
	return conn_error(c, rc);
}

static err
table_dump(struct store_conn *c, struct str name, dump_fn fn, void *ctx)
{
	sqlite3_stmt *st = NULL;
	char sql[SQL_MAX];
	struct table t;
	int n;
	err e;

	TRY(table_learn(c, name, &t));
	n = snprintf(sql, sizeof sql, form_dump, t.columns, t.name, t.order);
	if (n < 0 || (size_t)n >= sizeof sql)
		return err_of(E_INTERNAL);
	e = conn_error(c, sqlite3_prepare_v3(c->db, sql, -1, 0, &st, NULL));
	if (err_ok(e))
		e = rows_tell(c, &t, st, fn, ctx);
	(void)sqlite3_finalize(st);
	return e;
}

static err
tables(struct store_conn *c, struct arena *a, struct str ret[TABLES],
    size_t *ret_n)
{
	struct q q = q_start(c, Q_TABLES);

	*ret_n = 0;
	while (*ret_n < TABLES && q_next(&q))
		ret[(*ret_n)++] = c_copy(&q, 0, a);
	TRY(q_end(&q));
	return arena_check(a);
}

err
store_dump(struct store_conn *c, dump_fn fn, void *ctx)
{
	struct str name[TABLES];
	struct arena a;
	size_t n;
	err e;

	BUG_ON(!c->tx);
	arena_init(&a, 65536);
	e = tables(c, &a, name, &n);
	for (size_t i = 0; err_ok(e) && i < n; i++)
		e = table_dump(c, name[i], fn, ctx);
	arena_done(&a);
	return e;
}

unsigned
store_schema(void)
{
	return SCHEMA_VERSION;
}

/* ---- filling ---- */

enum { LOAD_ROWS = 20000 }; /* in one transaction */

struct store_load {
	struct store *s;
	struct table table;
	sqlite3_stmt *st; /* inserts into it */
	size_t sealed;	  /* its column of that name; t.n: none */
	size_t rows;	  /* of the transaction */
};

err
store_load_new(const char *dir, unsigned schema, struct trail *t,
    struct store_load **ret)
{
	struct store_load *l;
	err e;

	if (schema == 0 || schema > SCHEMA_VERSION) {
		trail_set(t,
		    "it has schema %u; this binary knows up to %d: use a "
		    "newer one",
		    schema, SCHEMA_VERSION);
		return err_of(E_CORRUPT);
	}
	l = mem_new(1, sizeof *l);
	if (l == NULL)
		return err_of(E_NO_MEMORY);
	e = store_open_as(dir, STORE_CREATE, schema, t, &l->s);
	if (err_ok(e))
		e = store_begin(l->s->writer);
	if (!err_ok(e)) {
		store_load_free(l);
		return e;
	}
	*ret = l;
	return OK;
}

struct store_conn *
store_load_conn(struct store_load *l)
{
	return l->s->writer;
}

void
store_load_free(struct store_load *l)
{
	if (l == NULL)
		return;
	(void)sqlite3_finalize(l->st);
	(void)store_close(l->s);
	mem_free(l);
}

static size_t
column_named(const struct table *t, const char *want)
{
	struct str rest = str_c(t->columns), name;

	for (size_t i = 0; i < t->n; i++) {
		(void)str_cut(rest, ',', &name, &rest);
		if (str_is(name, want))
			return i;
	}
	return t->n;
}

/* "?1,?2,...": as many as there are columns. */
static void
marks(size_t n, char ret[DUMP_NAMES])
{
	struct buf b = {.p = ret, .cap = DUMP_NAMES - 1, .max = DUMP_NAMES - 1};

	for (size_t i = 1; i <= n; i++)
		buf_fmt(&b, i > 1 ? ",?%zu" : "?%zu", i);
	ret[b.n] = '\0';
}

err
store_load_table(struct store_load *l, struct str table, struct str columns)
{
	struct store_conn *c = l->s->writer;
	char sql[SQL_MAX], values[DUMP_NAMES];
	struct str name[TABLES];
	struct arena a;
	size_t n, i = 0;
	err e;

	(void)sqlite3_finalize(l->st);
	l->st = NULL;
	arena_init(&a, 65536);
	e = tables(c, &a, name, &n);
	while (err_ok(e) && i < n && !str_eq(name[i], table))
		i++;
	arena_done(&a);
	TRY(e);
	if (i == n)
		return err_of(E_CORRUPT);
	TRY(table_learn(c, table, &l->table));
	if (!str_is(columns, l->table.columns))
		return err_of(E_CORRUPT);
	l->sealed = column_named(&l->table, "sealed");
	marks(l->table.n, values);
	n = (size_t)snprintf(sql, sizeof sql, form_load, l->table.name,
	    l->table.columns, values);
	if (n >= sizeof sql)
		return err_of(E_INTERNAL);
	return conn_error(c,
	    sqlite3_prepare_v3(c->db, sql, -1, 0, &l->st, NULL));
}

/* Binds the next column; its bytes, when it has some. */
static bool
column_bind(sqlite3_stmt *st, int at, struct cur *c, struct str *ret)
{
	uint8_t type = cur_u8(c);

	*ret = STR_NONE;
	switch (type) {
	case 0:
		return sqlite3_bind_null(st, at) == SQLITE_OK;
	case 1:
		return sqlite3_bind_int64(st, at, (int64_t)cur_be64(c)) ==
		    SQLITE_OK;
	case 2:
	case 3:
		*ret = cur_view(c, cur_be32(c));
		if (c->failed)
			return false;
		if (ret->n == 0)
			*ret = STR("");
		return (type == 2 ? sqlite3_bind_text64(st, at, ret->p, ret->n,
					SQLITE_STATIC, SQLITE_UTF8)
				  : sqlite3_bind_blob64(st, at, ret->p, ret->n,
					SQLITE_STATIC)) == SQLITE_OK;
	default:
		return false;
	}
}

/* So many rows, and what is written so far goes to the disk. */
static err
load_piece(struct store_load *l)
{
	if (++l->rows < LOAD_ROWS)
		return OK;
	l->rows = 0;
	TRY(store_commit(l->s->writer));
	TRY(store_checkpoint(l->s, false));
	return store_begin(l->s->writer);
}

err
store_load_row(struct store_load *l, struct str row, load_has has, void *ctx,
    bool *ret_dropped)
{
	struct cur c = cur_of(row);
	bool good = true;
	struct str v;
	uint32_t key;
	int rc;

	BUG_ON(l->st == NULL);
	*ret_dropped = false;
	for (size_t i = 0; good && i < l->table.n; i++) {
		good = column_bind(l->st, (int)i + 1, &c, &v) && !c.failed;
		if (!good || i != l->sealed)
			continue;
		if (!err_ok(seal_key_id((struct stored){v}, &key)))
			return err_of(E_CORRUPT);
		*ret_dropped = !has(ctx, key);
	}
	if (!good || !cur_end(&c))
		return err_of(E_CORRUPT);
	if (*ret_dropped)
		return OK;
	rc = sqlite3_step(l->st);
	(void)sqlite3_reset(l->st);
	if (rc != SQLITE_DONE)
		return (rc & 0xff) == SQLITE_CONSTRAINT
		    ? err_of(E_CORRUPT)
		    : conn_error(l->s->writer, rc);
	return load_piece(l);
}

static err
load_end(struct store_load *l, struct trail *t)
{
	static const enum query rest[] = {Q_LOAD_TIMELINE, Q_LOAD_MEMBERS,
	    Q_LOAD_TAGS, Q_LOAD_ALERTS, Q_LOAD_RUNS, Q_LOAD_USE_NONE,
	    Q_LOAD_USE, Q_LOAD_RENEWAL};
	struct store_conn *c = l->s->writer;

	TRY(store_commit(c));
	TRY(start_migrate(c, l->s->schema, SCHEMA_VERSION, t));
	TRY(store_begin(c));
	for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
		TRY(conn_run(c, rest[i]));
	TRY(store_commit(c));
	TRY(store_check(l->s, t));
	return store_checkpoint(l->s, true);
}

err
store_load_done(struct store_load *l, struct trail *t)
{
	err e;

	(void)sqlite3_finalize(l->st);
	l->st = NULL;
	e = load_end(l, t);
	store_load_free(l);
	return e;
}
