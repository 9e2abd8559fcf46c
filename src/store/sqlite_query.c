/*
 * sqlite_query.c: using a statement, and transactions.
 */
#include <stdio.h>

#include "store/conn.h"

struct q
q_start(struct store_conn *c, enum query id)
{
	struct q q = {.c = c, .rc = SQLITE_OK};

	if (c->st[id] == NULL)
		q.rc = sqlite3_prepare_v3(c->db, conn_sql[id], -1,
		    SQLITE_PREPARE_PERSISTENT, &c->st[id], NULL);
	q.st = c->st[id];
	BUG_ON(q.st != NULL && sqlite3_stmt_busy(q.st));
	return q;
}

#define BIND(q, call)                                                          \
	do {                                                                   \
		if ((q)->rc == SQLITE_OK)                                      \
			(q)->rc = (call);                                      \
	} while (0)

void
q_num(struct q *q, int64_t v)
{
	BIND(q, sqlite3_bind_int64(q->st, ++q->at, v));
}

void
q_u64(struct q *q, uint64_t v)
{
	if (v > INT64_MAX)
		BIND(q, SQLITE_RANGE);
	else
		q_num(q, (int64_t)v);
}

void
q_blob(struct q *q, const void *p, size_t n)
{
	BIND(q,
	    sqlite3_bind_blob64(q->st, ++q->at, n == 0 ? "" : p, n,
		SQLITE_STATIC));
}

void
q_text(struct q *q, const char *s)
{
	BIND(q, sqlite3_bind_text(q->st, ++q->at, s, -1, SQLITE_STATIC));
}

void
q_null(struct q *q)
{
	BIND(q, sqlite3_bind_null(q->st, ++q->at));
}

void
q_sealed(struct q *q, struct sealed s)
{
	if (s.bytes.p == NULL || s.bytes.n == 0)
		BIND(q, SQLITE_MISUSE);
	else
		q_str(q, s.bytes);
}

bool
q_next(struct q *q)
{
	if (q->rc == SQLITE_OK || q->rc == SQLITE_ROW)
		q->rc = sqlite3_step(q->st);
	return q->rc == SQLITE_ROW;
}

err
q_end(struct q *q)
{
	if (q->st != NULL)
		(void)sqlite3_reset(q->st); /* tells q->rc again */
	TRY(conn_error(q->c, q->rc));
	if (q->bad)
		return conn_error(q->c, SQLITE_CORRUPT);
	/* One request too big, not a transaction gone wrong. */
	return err_of(q->full ? E_NO_MEMORY : E_OK);
}

err
q_one(struct q *q, bool got)
{
	TRY(q_end(q));
	return err_of(got ? E_OK : E_NOT_FOUND);
}

err
q_number(struct q *q, uint64_t *ret)
{
	uint64_t v = q_next(q) ? c_u64(q, 0) : 0;

	TRY(q_end(q));
	*ret = v;
	return OK;
}

/*
 * SQLite may end a transaction by itself when the disk is full.  What came
 * later would then be committed statement by statement: never.
 */
err
q_run(struct q *q)
{
	struct store_conn *c = q->c;

	BUG_ON(!c->writes || !c->tx);
	if (err_ok(c->failed)) {
		BUG_ON(sqlite3_get_autocommit(c->db));
		(void)q_next(q);
	} else {
		q->rc = SQLITE_OK;
	}
	TRY(q_end(q));
	return c->failed;
}

err
q_run_some(struct q *q)
{
	TRY(q_run(q));
	return err_of(sqlite3_changes(q->c->db) > 0 ? E_OK : E_NOT_FOUND);
}

/* ---- columns ---- */

int64_t
c_num(struct q *q, int col)
{
	return sqlite3_column_int64(q->st, col);
}

uint64_t
c_max(struct q *q, int col, uint64_t max)
{
	int64_t v = sqlite3_column_int64(q->st, col);

	if (v < 0 || (uint64_t)v > max) {
		q->bad = true;
		return 0;
	}
	return (uint64_t)v;
}

struct str
c_view(struct q *q, int col)
{
	const char *p = sqlite3_column_blob(q->st, col);
	size_t n = (size_t)sqlite3_column_bytes(q->st, col);

	if (p == NULL && sqlite3_errcode(q->c->db) == SQLITE_NOMEM)
		q->rc = SQLITE_NOMEM;
	return p == NULL ? STR("") : str_of(p, n);
}

void
c_bytes(struct q *q, int col, void *ret, size_t n)
{
	struct str s = c_view(q, col);

	if (s.n == n) {
		memcpy(ret, s.p, n);
	} else {
		memset(ret, 0, n);
		q->bad = true;
	}
}

struct str
c_copy(struct q *q, int col, struct arena *a)
{
	struct str s = arena_dup(a, c_view(q, col));

	if (s.p == NULL)
		q->full = true;
	return s;
}

void *
rows_more(struct arena *a, void **rows, size_t n, size_t *cap, size_t size)
{
	if (n >= *cap) {
		size_t want = n == 0 ? 16 : n * 2;
		void *p = arena_array(a, want, size);

		if (p == NULL)
			return NULL;
		if (n > 0)
			memcpy(p, *rows, n * size);
		*rows = p;
		*cap = want;
	}
	return (char *)*rows + n * size;
}

/* ---- transactions ---- */

err
conn_run(struct store_conn *c, enum query id)
{
	struct q q = q_start(c, id);

	(void)q_next(&q);
	return q_end(&q);
}

err
store_begin(struct store_conn *c)
{
	BUG_ON(!c->writes || c->tx);
	if (store_poisoned(c->s))
		return err_of(E_IO);
	TRY(conn_run(c, Q_BEGIN));
	c->tx = true;
	c->failed = OK;
	return OK;
}

static void
over(struct store_conn *c)
{
	c->tx = false;
	c->saved = false;
	c->stale = false;
	c->failed = OK;
}

void
store_rollback(struct store_conn *c)
{
	if (!c->tx)
		return;
	c->incidents.known = false;
	c->alerts.known = false;
	c->seen_known = false;
	if (!sqlite3_get_autocommit(c->db))
		err_ignore(conn_run(c, Q_ROLLBACK), "it is over either way");
	/* Only a bug or memory gone can leave it open; writing on in it
	 * would commit what was to be forgotten. */
	if (!sqlite3_get_autocommit(c->db))
		conn_poison(c);
	vfs_forget(c->db);
	over(c);
}

/*
 * Any I/O error here means that it is not known what of this transaction
 * the disk holds; our layer cut it off the log (sqlite_vfs.c), and nothing
 * more is written until the store was opened anew.
 */
err
store_commit(struct store_conn *c)
{
	err e = c->failed;

	BUG_ON(!c->writes || !c->tx || c->saved);
	if (err_ok(e) && store_poisoned(c->s))
		e = err_of(E_IO);
	if (err_ok(e)) {
		BUG_ON(sqlite3_get_autocommit(c->db));
		e = conn_run(c, Q_COMMIT);
	}
	if (!err_ok(e)) {
		if (err_is(e, E_IO))
			conn_poison(c);
		store_rollback(c);
		return e;
	}
	if (c->stale)
		atomic_fetch_add(&c->s->stamp, 1);
	over(c);
	return OK;
}

uint64_t
store_incidents_stamp(const struct store *s)
{
	return atomic_load(&s->stamp);
}

err
store_savepoint(struct store_conn *c)
{
	BUG_ON(!c->writes || !c->tx || c->saved);
	TRY(c->failed);
	TRY(conn_run(c, Q_SAVE));
	c->saved = true;
	return OK;
}

err
store_savepoint_keep(struct store_conn *c)
{
	BUG_ON(!c->saved);
	TRY(c->failed);
	TRY(conn_run(c, Q_SAVE_KEEP));
	c->saved = false;
	return OK;
}

/* An error that ended the whole transaction cannot be undone in part. */
err
store_savepoint_undo(struct store_conn *c)
{
	err e = c->failed;

	BUG_ON(!c->saved);
	c->incidents.known = false;
	c->alerts.known = false;
	if (sqlite3_get_autocommit(c->db))
		return err_ok(e) ? err_of(E_INTERNAL) : e;
	c->failed = OK;
	TRY(conn_run(c, Q_SAVE_UNDO));
	TRY(conn_run(c, Q_SAVE_KEEP));
	c->saved = false;
	return OK;
}

err
store_view_begin(struct store_conn *c)
{
	BUG_ON(c->writes || c->tx);
	TRY(conn_run(c, Q_VIEW));
	c->tx = true;
	return OK;
}

err
store_view_long(struct store_conn *c)
{
	TRY(store_view_begin(c));
	c->lasting = true;
	atomic_fetch_add(&c->s->lasting, 1);
	return OK;
}

void
store_view_end(struct store_conn *c)
{
	if (!c->tx)
		return;
	if (c->lasting)
		atomic_fetch_sub(&c->s->lasting, 1);
	c->lasting = false;
	if (!sqlite3_get_autocommit(c->db))
		err_ignore(conn_run(c, Q_COMMIT), "nothing was written");
	if (!sqlite3_get_autocommit(c->db))
		err_ignore(conn_run(c, Q_ROLLBACK), "the next begin tells");
	over(c);
}

err
conn_enter(struct store_conn *c, bool *ret_began)
{
	*ret_began = !c->tx;
	if (c->tx)
		return OK;
	if (c->writes) { /* the writer, reading between transactions */
		TRY(conn_run(c, Q_VIEW));
		c->tx = true;
		return OK;
	}
	return store_view_begin(c);
}

void
conn_leave(struct store_conn *c, bool began)
{
	if (began)
		store_view_end(c);
}

/* ---- meta ---- */

err
store_meta_get(struct store_conn *c, const char *name, struct arena *a,
    struct str *ret)
{
	struct q q = q_start(c, Q_META_GET);
	struct str s = STR_NONE;
	bool got;

	q_text(&q, name);
	got = q_next(&q);
	if (got)
		s = c_copy(&q, 0, a);
	TRY(q_one(&q, got));
	*ret = s;
	return OK;
}

err
store_meta_set(struct store_conn *c, const char *name, struct str value)
{
	struct q q = q_start(c, Q_META_SET);

	q_text(&q, name);
	q_str(&q, value);
	return q_run(&q);
}

err
meta_number(struct store_conn *c, const char *name, int64_t *ret)
{
	struct q q = q_start(c, Q_META_GET);
	int64_t v = 0;

	q_text(&q, name);
	if (q_next(&q) && !str_i64(c_view(&q, 0), INT64_MIN, INT64_MAX, &v))
		q.bad = true;
	TRY(q_end(&q));
	*ret = v;
	return OK;
}

err
meta_number_set(struct store_conn *c, const char *name, int64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%lld", (long long)v);

	return store_meta_set(c, name, str_of(text, (size_t)n));
}
