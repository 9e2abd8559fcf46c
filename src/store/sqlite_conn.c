/*
 * sqlite_conn.c: one connection: its statements, its transactions, and what
 * SQLite's answers mean.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/conn.h"

const char *const conn_sql[Q_MAX_] = {
#define Q(name, sql) sql,
#include "store/query.def"
};

static const struct {
	bool writer_only;
	const char *sql;
} pragmas[] = {
#define A false
#define W true
#define PRAGMA(who, sql) {who, sql},
#include "store/query.def"
#undef A
#undef W
};

/* Statements are ours alone: limits only have to admit them. */
static const struct {
	int limit, value;
} limits[] = {
    {SQLITE_LIMIT_LENGTH, 16 * 1024 * 1024},
    {SQLITE_LIMIT_SQL_LENGTH, 64 * 1024},
    {SQLITE_LIMIT_COLUMN, 64},
    {SQLITE_LIMIT_EXPR_DEPTH, 32},
    {SQLITE_LIMIT_COMPOUND_SELECT, 4},
    {SQLITE_LIMIT_VDBE_OP, 25000},
    {SQLITE_LIMIT_FUNCTION_ARG, 16},
    {SQLITE_LIMIT_ATTACHED, 0},
    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64},
    {SQLITE_LIMIT_VARIABLE_NUMBER, 32},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
    {SQLITE_LIMIT_WORKER_THREADS, 0},
};

static err
error_of(int rc, int os_error)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return OK;
	case SQLITE_FULL:
		return err_of(E_NO_SPACE);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return err_of(E_LOCKED);
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		if (os_error == ENOSPC || os_error == EDQUOT)
			return err_of(E_NO_SPACE);
		return err_of(rc == SQLITE_IOERR_NOMEM ? E_NO_MEMORY : E_IO);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_NOLFS:
		return err_of(E_IO);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_MISMATCH:
		return err_of(E_CORRUPT);
	case SQLITE_CONSTRAINT:
		return err_of(E_EXISTS);
	case SQLITE_NOMEM:
		return err_of(E_NO_MEMORY);
	case SQLITE_TOOBIG:
		return err_of(E_TOO_LARGE);
	case SQLITE_RANGE: /* of numbers: q_u64 */
		return err_of(E_INVALID);
	default:
		return err_of(E_INTERNAL);
	}
}

/* Remember what went wrong and make it stick to the transaction. */
err
conn_error(struct store_conn *c, int rc)
{
	err e;

	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return OK;
	c->fault = rc;
	c->fault_os =
	    (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN
	    ? vfs_errno()
	    : 0;
	e = error_of(rc, c->fault_os);
	if (c->tx && err_ok(c->failed))
		c->failed = e;
	/* Nothing is known about pages whose fsync failed: the kernel drops
	 * the error after telling it once. */
	if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
		conn_poison(c);
	return e;
}

void
conn_poison(struct store_conn *c)
{
	atomic_store(&c->s->poisoned, true);
}

bool
store_poisoned(const struct store *s)
{
	return atomic_load(&s->poisoned);
}

void
store_fault(const struct store_conn *c, int *ret_code, int *ret_os)
{
	*ret_code = c->fault;
	*ret_os = c->fault_os;
}

/* ---- opening ---- */

static int
wait_a_little(void *ctx, int n)
{
	struct store_conn *c = ctx;
	struct timespec t = {.tv_nsec = WAIT_US * 1000};
	int64_t now = time_mono_us();

	/* by the clock: a nap takes longer than it was meant to */
	if (n == 0)
		c->since = now;
	if (now - c->since >= c->patience * INT64_C(1000))
		return 0;
	(void)nanosleep(&t, NULL);
	return 1;
}

/* Called after each commit, with the pages the log then has. */
static int
log_grew(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct store *s = ctx;

	(void)db;
	(void)name;
	if ((unsigned)pages < atomic_load(&s->wal_pages))
		atomic_store(&s->wal_folded, 0); /* it was started anew */
	atomic_store(&s->wal_pages, (unsigned)pages);
	return SQLITE_OK;
}

static int
harden(sqlite3 *db)
{
	static const struct {
		int what, on;
	} config[] = {
	    {SQLITE_DBCONFIG_DEFENSIVE, 1},
	    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
	    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
	    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	    {SQLITE_DBCONFIG_DQS_DML, 0},
	    {SQLITE_DBCONFIG_DQS_DDL, 0},
	};
	int rc = SQLITE_OK;

	for (size_t i = 0; i < sizeof config / sizeof *config; i++)
		if (rc == SQLITE_OK)
			rc = sqlite3_db_config(db, config[i].what, config[i].on,
			    (int *)NULL);
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		sqlite3_limit(db, limits[i].limit, limits[i].value);
	return rc;
}

static err
set_up(struct store_conn *c, bool changes, enum query cache)
{
	int rc = harden(c->db);

	sqlite3_extended_result_codes(c->db, 1);
	sqlite3_busy_handler(c->db, wait_a_little, c);
	for (size_t i = 0; i < sizeof pragmas / sizeof *pragmas; i++)
		if (rc == SQLITE_OK && (changes || !pragmas[i].writer_only))
			rc = sqlite3_exec(c->db, pragmas[i].sql, NULL, NULL,
			    NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(c->db, conn_sql[cache], NULL, NULL, NULL);
	if (rc == SQLITE_OK && !changes)
		rc = sqlite3_exec(c->db, conn_sql[Q_QUERY_ONLY], NULL, NULL,
		    NULL);
	if (rc == SQLITE_OK && c->writes)
		sqlite3_wal_hook(c->db, log_grew, c->s);
	return conn_error(c, rc);
}

err
store_conn_new(struct store *s, bool writes, int flags, enum query cache,
    struct store_conn **ret)
{
	struct store_conn *c = mem_new(1, sizeof *c);
	int rc;
	err e;

	if (c == NULL)
		return err_of(E_NO_MEMORY);
	c->s = s;
	c->writes = writes;
	c->patience = PATIENCE;
	flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
	    SQLITE_OPEN_NOFOLLOW | (s->frozen ? SQLITE_OPEN_URI : 0);
	rc = sqlite3_open_v2(s->path, &c->db, flags, vfs_name());
	if (c->db == NULL)
		e = err_of(E_NO_MEMORY);
	else if (rc != SQLITE_OK)
		e = conn_error(c, sqlite3_extended_errcode(c->db));
	else
		e = set_up(c, (flags & SQLITE_OPEN_READWRITE) != 0, cache);
	if (!err_ok(e)) {
		store_conn_close(c);
		return e;
	}
	*ret = c;
	return OK;
}

err
store_reader(struct store *s, struct store_conn **ret)
{
	struct store_conn *c;

	TRY(store_conn_new(s, false, SQLITE_OPEN_READONLY, Q_CACHE_READER, &c));
	c->lent = true;
	atomic_fetch_add(&s->readers, 1);
	*ret = c;
	return OK;
}

struct store_conn *
store_conn_close(struct store_conn *c)
{
	if (c == NULL)
		return NULL;
	for (size_t i = 0; i < Q_MAX_; i++)
		sqlite3_finalize(c->st[i]);
	if (c->db != NULL && sqlite3_close(c->db) != SQLITE_OK)
		bug(__FILE__, __LINE__, "a statement was left open");
	if (c->lent)
		atomic_fetch_sub(&c->s->readers, 1);
	mem_free(c);
	return NULL;
}
