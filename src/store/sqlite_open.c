/*
 * sqlite_open.c: the store as a whole: opening, who holds it, folding its
 * log back, checking, closing.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/conn.h"

static err
os_error(struct trail *t, const char *what, int error)
{
	trail_set(t, "%s: %s", what, strerror(error));
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return err_of(E_NOT_FOUND);
	case ENOSPC:
	case EDQUOT:
		return err_of(E_NO_SPACE);
	case ENOMEM:
		return err_of(E_NO_MEMORY);
	default:
		return err_of(E_IO);
	}
}

static char *
joined(const char *a, const char *b)
{
	size_t n = strlen(a) + strlen(b) + 1;
	char *p = mem_new(n, 1);

	if (p != NULL)
		(void)snprintf(p, n, "%s%s", a, b);
	return p;
}

static err
find_dir(struct store *s, const char *dir, struct trail *t)
{
	char real[PATH_MAX];

	if (s->mode == STORE_CREATE && mkdir(dir, 0700) != 0 && errno != EEXIST)
		return os_error(t, dir, errno);
	if (realpath(dir, real) == NULL)
		return os_error(t, dir, errno);
	s->dir = joined(real, "");
	s->path = joined(real, "/store.db");
	if (s->dir == NULL || s->path == NULL)
		return err_of(E_NO_MEMORY);
	return OK;
}

/* ---- who holds it ---- */

static void
tell_holder(int fd, struct trail *t)
{
	char pid[16] = "";

	if (pread(fd, pid, sizeof pid - 1, 0) > 0)
		trail_set(t, "the store is held by process %.*s",
		    (int)strspn(pid, "0123456789"), pid);
	else
		trail_set(t, "the store is held by another process");
}

/*
 * An open-file-description lock: gone with the process, however it ends,
 * and not with any other descriptor of the same file.
 */
static err
take_lock(struct store *s, struct trail *t)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char *path = joined(s->dir, "/lock");
	char pid[16];
	int n;

	if (path == NULL)
		return err_of(E_NO_MEMORY);
	s->lock_fd =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	mem_free(path);
	if (s->lock_fd < 0)
		return os_error(t, "lock", errno);
	if (fcntl(s->lock_fd, F_OFD_SETLK, &l) != 0) {
		if (errno != EAGAIN && errno != EACCES)
			return os_error(t, "lock", errno);
		tell_holder(s->lock_fd, t);
		return err_of(E_LOCKED);
	}
	n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	/* Only for the sentence above; a full disk does not matter. */
	if (ftruncate(s->lock_fd, 0) != 0 ||
	    pwrite(s->lock_fd, pid, (size_t)n, 0) != n)
		return OK;
	return OK;
}

/* ---- opening ---- */

static err
find_file(const struct store *s, struct trail *t)
{
	struct stat st;

	if (lstat(s->path, &st) != 0) {
		if (errno == ENOENT && s->mode == STORE_CREATE)
			return OK;
		return os_error(t, "store.db", errno);
	}
	if (s->mode == STORE_CREATE)
		return err_of(E_EXISTS);
	if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		trail_set(t, "store.db is %s",
		    S_ISREG(st.st_mode) ? "empty" : "no regular file");
		return err_of(E_CORRUPT);
	}
	return OK;
}

static err
open_to_write(struct store *s, struct trail *t)
{
	uint64_t version;

	if (s->mode == STORE_CREATE)
		TRY(start_create(s, t));
	TRY(store_conn_new(s, true, SQLITE_OPEN_READWRITE, Q_CACHE_WRITER,
	    &s->writer));
	TRY(start_identify(s->writer, t, &version));
	TRY(store_conn_new(s, false, SQLITE_OPEN_READWRITE, Q_CACHE_FOLDER,
	    &s->folder));
	s->folder->patience = FOLD_PATIENCE;
	TRY(start_heal(s, t));
	TRY(start_check(s->writer, version, t));
	return start_migrate(s->writer, version, s->schema, t);
}

/*
 * On a medium that cannot be written there is no place for the log's index.
 * Without a log none is needed; with one, what it holds would be missed.
 */
static err
freeze(struct store *s, struct trail *t)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789/._-";
	char *log = joined(s->path, "-wal"), *uri, *p;
	struct stat st;
	bool logged;

	if (log == NULL)
		return err_of(E_NO_MEMORY);
	logged = stat(log, &st) == 0 && st.st_size > 0;
	mem_free(log);
	if (logged) {
		trail_set(t,
		    "the directory cannot be written and store.db "
		    "has a log: copy both to where they can be read");
		return err_of(E_IO);
	}
	uri = mem_new(strlen(s->path) * 3 + 32, 1);
	if (uri == NULL)
		return err_of(E_NO_MEMORY);
	p = stpcpy(uri, "file:");
	for (const char *c = s->path; *c != '\0'; c++)
		if (strchr(plain, *c) != NULL)
			*p++ = *c;
		else
			p += snprintf(p, sizeof "%00", "%%%02X",
			    (unsigned char)*c);
	(void)stpcpy(p, "?immutable=1");
	mem_free(s->path);
	s->path = uri;
	s->frozen = true;
	return OK;
}

static err
open_to_read(struct store *s, struct trail *t)
{
	struct store_conn *c;
	uint64_t version;
	err e;

	if (access(s->dir, W_OK) != 0)
		TRY(freeze(s, t));
	TRY(store_reader(s, &c));
	e = start_identify(c, t, &version);
	if (err_ok(e) && version < SCHEMA_VERSION) {
		trail_set(t,
		    "store.db has schema %llu: start the server once "
		    "to bring it up to date",
		    (unsigned long long)version);
		e = err_of(E_CORRUPT);
	}
	store_conn_close(c);
	return e;
}

static err
open_in(struct store *s, const char *dir, struct trail *t)
{
	TRY(find_dir(s, dir, t));
	if (s->mode != STORE_READ) {
		/* No lock file in a directory without a store. */
		if (s->mode == STORE_WRITE)
			TRY(find_file(s, t));
		TRY(take_lock(s, t));
	}
	TRY(find_file(s, t));
	return s->mode == STORE_READ ? open_to_read(s, t) : open_to_write(s, t);
}

static struct store *
drop(struct store *s)
{
	s->writer = store_conn_close(s->writer);
	s->folder = store_conn_close(s->folder);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	if (s->log_fd >= 0)
		(void)close(s->log_fd);
	(void)pthread_mutex_destroy(&s->fold_lock);
	mem_free(s->path);
	mem_free(s->dir);
	mem_free(s);
	return NULL;
}

err
store_open_as(const char *dir, enum store_mode mode, unsigned schema,
    struct trail *t, struct store **ret)
{
	struct store *s = mem_new(1, sizeof *s);
	err e;

	if (s == NULL)
		return err_of(E_NO_MEMORY);
	s->mode = mode;
	s->schema = schema;
	s->lock_fd = s->log_fd = -1;
	atomic_init(&s->stamp, 1);
	BUG_ON(pthread_mutex_init(&s->fold_lock, NULL) != 0);
	e = open_in(s, dir, t);
	if (!err_ok(e)) {
		if (err_is(e, E_CORRUPT))
			trail_set(t, "store.db is damaged, or not a store");
		drop(s);
		return e;
	}
	*ret = s;
	return OK;
}

err
store_open(const char *dir, enum store_mode mode, struct trail *t,
    struct store **ret)
{
	return store_open_as(dir, mode, SCHEMA_VERSION, t, ret);
}

struct store_conn *
store_writer(struct store *s)
{
	return s->writer;
}

struct store *
store_close(struct store *s)
{
	if (s == NULL)
		return NULL;
	BUG_ON(atomic_load(&s->readers) != 0);
	if (s->writer != NULL && !store_poisoned(s)) {
		store_rollback(s->writer);
		err_ignore(store_checkpoint(s, true), "the log stays then");
	}
	/* Nothing that a failed fsync left behind may be called durable. */
	if (store_poisoned(s)) {
		(void)sqlite3_db_config(s->writer->db,
		    SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
		(void)sqlite3_db_config(s->folder->db,
		    SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
	}
	return drop(s);
}

/* ---- the log ---- */

uint32_t
store_wal_pages(const struct store *s)
{
	unsigned pages = atomic_load(&s->wal_pages);
	unsigned folded = atomic_load(&s->wal_folded);

	return pages > folded ? pages - folded : 0;
}

static err
fold(struct store *s, int mode, int patience, int *ret_log, int *ret_done)
{
	int rc;

	s->folder->patience = patience;
	/* while the writer is stopped, one sync is sooner done than many */
	vfs_gentle = mode == SQLITE_CHECKPOINT_PASSIVE;
	rc = sqlite3_wal_checkpoint_v2(s->folder->db, NULL, mode, ret_log,
	    ret_done);
	vfs_gentle = false;
	if (*ret_log >= 0 && *ret_done >= 0) {
		if (*ret_log == 0)
			atomic_store(&s->wal_pages, 0);
		atomic_store(&s->wal_folded, (unsigned)*ret_done);
	}
	return conn_error(s->folder, rc);
}

/* Beside the writer, until little is left that it would have to wait for. */
static err
fold_ahead(struct store *s, int *log, int *done)
{
	for (int i = 0; i < FOLD_PASSES; i++) {
		TRY(fold(s, SQLITE_CHECKPOINT_PASSIVE, 0, log, done));
		if (store_wal_pages(s) <= FOLD_REST)
			break;
	}
	return OK;
}

/*
 * While one pass folds, the writer adds: pass again, each over what the last
 * one left, until few pages are left to stop the writer for.  When it writes
 * faster than this folds, the log grows to WAL_MAX before it is stopped for
 * however many there are.
 */
static err
fold_some(struct store *s)
{
	int log = 0, done = 0;
	err e;

	TRY(fold_ahead(s, &log, &done));
	if (log < WAL_RESTART || atomic_load(&s->lasting) > 0 ||
	    (store_wal_pages(s) > FOLD_REST && log < WAL_MAX))
		return OK; /* the writer starts it anew by itself, or later */
	e = fold(s, SQLITE_CHECKPOINT_RESTART, FOLD_PATIENCE, &log, &done);
	return err_is(e, E_LOCKED) ? OK : e; /* a long reader: next time */
}

/* Short attempts: while one waits for readers, the writer waits too. */
static err
fold_all(struct store *s)
{
	struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	int log = 0, done = 0;
	err e = OK;

	for (int i = 0; i < 30; i++) {
		TRY(fold_ahead(s, &log, &done));
		e = fold(s, SQLITE_CHECKPOINT_TRUNCATE, FOLD_PATIENCE, &log,
		    &done);
		if (!err_is(e, E_LOCKED))
			return e;
		(void)nanosleep(&pause, NULL);
	}
	return e;
}

err
store_checkpoint(struct store *s, bool truncate)
{
	err e;

	BUG_ON(s->folder == NULL);
	if (store_poisoned(s))
		return err_of(E_IO);
	BUG_ON(pthread_mutex_lock(&s->fold_lock) != 0);
	e = truncate ? fold_all(s) : fold_some(s);
	BUG_ON(pthread_mutex_unlock(&s->fold_lock) != 0);
	return e;
}

/* ---- checking ---- */

err
store_check(struct store *s, struct trail *t)
{
	struct store_conn *c;
	err e;

	TRY(store_reader(s, &c));
	e = start_ask(c, Q_FULL_CHECK, t);
	if (err_is(e, E_CORRUPT))
		trail_set(t, "store.db is damaged");
	store_conn_close(c);
	return e;
}

void
store_warm(void)
{
	char seed;

	sqlite3_randomness(sizeof seed, &seed);
}
