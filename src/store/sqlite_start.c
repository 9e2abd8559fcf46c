/*
 * sqlite_start.c: what happens before a store is used: making it, knowing
 * it, healing it, looking at it, bringing it up to date.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/conn.h"

/* ---- making ---- */

static err
fill(struct store *s, struct store_conn *c, struct trail *t)
{
	err e;

	TRY(conn_run(c, Q_SET_PAGE_SIZE));
	TRY(start_migrate(c, 0, s->schema, t));
	e = conn_run(c, Q_SET_JOURNAL);
	return e;
}

static err
sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int bad = fd < 0 || fsync(fd) != 0;

	if (fd >= 0)
		(void)close(fd);
	return err_of(bad ? E_IO : E_OK);
}

/* The file has its mode before it has content; what SQLite puts beside it
 * gets the same. */
static err
make_file(const char *path, struct trail *t)
{
	int fd;

	if (unlink(path) != 0 && errno != ENOENT)
		return err_of(E_IO);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		trail_set(t, "%s: %s", path, strerror(errno));
		return err_of(errno == ENOSPC ? E_NO_SPACE : E_IO);
	}
	(void)fchmod(fd, 0600); /* whatever the umask */
	(void)close(fd);
	return OK;
}

/* Under another name first: a crash leaves no store rather than half one. */
err
start_create(struct store *s, struct trail *t)
{
	char *whole = s->path;
	size_t n = strlen(whole) + sizeof ".new";
	char *fresh = mem_new(n, 1);
	struct store_conn *c = NULL;
	err e;

	if (fresh == NULL)
		return err_of(E_NO_MEMORY);
	(void)snprintf(fresh, n, "%s.new", whole);
	e = make_file(fresh, t);
	s->path = fresh;
	if (err_ok(e))
		e = store_conn_new(s, true, SQLITE_OPEN_READWRITE,
		    Q_CACHE_WRITER, &c);
	if (err_ok(e))
		e = fill(s, c, t);
	store_conn_close(c);
	s->path = whole;
	if (err_ok(e) && rename(fresh, whole) != 0)
		e = err_of(E_IO);
	if (err_ok(e))
		e = sync_dir(s->dir);
	else
		(void)unlink(fresh);
	mem_free(fresh);
	return e;
}

/* ---- knowing ---- */

static err
ask_number(struct store_conn *c, enum query id, uint64_t *ret)
{
	struct q q = q_start(c, id);

	return q_number(&q, ret);
}

err
start_identify(struct store_conn *c, struct trail *t, uint64_t *ret)
{
	uint64_t app, version;

	TRY(ask_number(c, Q_APPLICATION, &app));
	TRY(ask_number(c, Q_VERSION, &version));
	if (app != APPLICATION_ID || version == 0) {
		trail_set(t, "store.db is not a store of Redoubt");
		return err_of(E_CORRUPT);
	}
	if (version > SCHEMA_VERSION) {
		trail_set(t,
		    "store.db has schema %llu; this binary knows up to %d: "
		    "use a newer one",
		    (unsigned long long)version, SCHEMA_VERSION);
		return err_of(E_CORRUPT);
	}
	*ret = version;
	return OK;
}

/* ---- healing ---- */

/*
 * Write the log's bytes over themselves and sync.  After a failed fsync the
 * kernel holds pages it believes clean which the disk never got; they are
 * read back as if they were there.  Dirty again, they either get there or
 * the start fails.
 */
static err
rewrite(const char *path)
{
	enum { PIECE = 256 * 1024 };
	char *piece = mem_new(PIECE, 1);
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	off_t at = 0;
	ssize_t n = -1;
	err e = err_of(E_IO);

	if (piece == NULL || fd < 0)
		goto out;
	while ((n = pread(fd, piece, PIECE, at)) > 0) {
		if (pwrite(fd, piece, (size_t)n, at) != n)
			goto out;
		at += n;
	}
	if (n == 0 && fdatasync(fd) == 0)
		e = OK;
out:
	if (fd >= 0)
		(void)close(fd);
	mem_free(piece);
	return e;
}

err
start_heal(struct store *s, struct trail *t)
{
	size_t n = strlen(s->path) + sizeof "-wal";
	char *path = mem_new(n, 1);
	struct stat st;
	err e;

	if (path == NULL)
		return err_of(E_NO_MEMORY);
	(void)snprintf(path, n, "%s-wal", s->path);
	if (stat(path, &st) != 0 || st.st_size == 0) {
		mem_free(path);
		return OK;
	}
	/* The writer's lock keeps strangers from the log meanwhile. */
	e = store_begin(s->writer);
	if (err_ok(e)) {
		e = rewrite(path);
		store_rollback(s->writer);
	}
	mem_free(path);
	if (err_is(e, E_IO))
		trail_set(t, "the log of store.db could not be rewritten");
	TRY(e);
	e = store_checkpoint(s, true);
	return err_is(e, E_LOCKED) ? OK : e; /* a reader looks on: later */
}

/* ---- looking ---- */

err
start_ask(struct store_conn *c, enum query id, struct trail *t)
{
	struct q q = q_start(c, id);
	struct trail said = {""};
	bool good = false;

	while (q_next(&q)) {
		struct str s = c_view(&q, 0);

		good = str_eq(s, STR("ok"));
		if (!good)
			trail_set(&said, "store.db: %.*s", STR_ARG(s));
	}
	TRY(q_end(&q));
	if (said.detail[0] != '\0' || !good) {
		trail_set(t, "%s",
		    said.detail[0] != '\0' ? said.detail : "store.db");
		return err_of(E_CORRUPT);
	}
	return OK;
}

static const struct {
	uint64_t since; /* schema */
	const char *sql;
} edges[] = {
#define EDGE(since, sql) {since, sql},
#include "store/query.def"
};

static int
read_all(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v3(db, sql, -1, 0, &st, NULL), rc2;

	while (rc == SQLITE_OK || rc == SQLITE_ROW)
		rc = sqlite3_step(st);
	rc2 = sqlite3_finalize(st);
	return rc == SQLITE_DONE ? rc2 : rc;
}

/*
 * A small store is checked whole.  A big one where it grew last and where a
 * torn or lost write would show: both ends of each table and index, and the
 * blobs that were written last.
 */
err
start_check(struct store_conn *c, uint64_t version, struct trail *t)
{
	uint64_t pages;

	TRY(ask_number(c, Q_PAGE_COUNT, &pages));
	if (pages <= QUICK_CHECK)
		return start_ask(c, Q_QUICK_CHECK, t);
	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
		int rc = SQLITE_OK;

		if (edges[i].since <= version)
			rc = read_all(c->db, edges[i].sql);
		if (rc != SQLITE_OK) {
			trail_set(t, "store.db: %s: at %s", sqlite3_errstr(rc),
			    edges[i].sql);
			return conn_error(c, rc);
		}
	}
	return OK;
}

/* ---- bringing up to date ---- */

#define FORM(name, sql) __attribute__((unused)) static const char name[] = sql;
#include "store/query.def"

static err
apply(struct store_conn *c, uint64_t version, unsigned to)
{
	char text[sizeof form_version + 12];

	for (; version < to; version++) {
		int rc =
		    sqlite3_exec(c->db, schemas[version].sql, NULL, NULL, NULL);

		TRY(conn_error(c, rc));
	}
	TRY(conn_run(c, Q_SET_APPLICATION));
	(void)snprintf(text, sizeof text, form_version, to);
	return conn_error(c, sqlite3_exec(c->db, text, NULL, NULL, NULL));
}

err
start_migrate(struct store_conn *c, uint64_t version, unsigned to,
    struct trail *t)
{
	err e;

	if (version >= to)
		return OK;
	TRY(store_begin(c));
	e = apply(c, version, to);
	if (!err_ok(e)) {
		trail_set(t, "schema %llu: %s", (unsigned long long)version,
		    sqlite3_errmsg(c->db));
		store_rollback(c);
		return e;
	}
	return store_commit(c);
}
