/*
 * sqlite_vfs.c: a layer between SQLite and the files of the system, for
 * three promises:
 *
 * - no file but the database, its log, its log's index and its journal is
 *   opened: nothing temporary reaches a disk;
 * - when fsync of the log fails, what was not known to be durable is cut off
 *   and the log takes no more: a commit that was answered with an error does
 *   not come back after a crash (P. Rebello and others, "Can applications
 *   recover from fsync failures?", USENIX ATC 2020);
 * - the pages of a commit go to the log in few large writes.  SQLite makes
 *   two small ones for each page; fsync follows each commit anyway and sends
 *   them on (synchronous=FULL), so nobody can see the difference;
 * - folding the log back leaves the disk few pages to write at a time, so
 *   that a commit's fsync never waits behind megabytes of them.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "store/conn.h"

/* SQLite's own layer takes the low 17 bits of a length: pieces below that. */
enum { LOG_BUFFER = 512 * 1024, LOG_PIECE = 124 * 1024 };
enum { DIRTY_MAX = 64 };

struct file {
	sqlite3_file base;
	bool log;
	bool broken;	       /* fsync failed */
	unsigned dirty;	       /* pages of the database not synced yet */
	sqlite3_int64 unsure;  /* lowest offset written since fsync, or -1 */
	sqlite3_int64 at;      /* where the buffered bytes belong */
	size_t n;	       /* how many there are */
	unsigned char *buffer; /* LOG_BUFFER bytes, from the first write */
	_Alignas(8) unsigned char real[]; /* the system's sqlite3_file */
};

static sqlite3_vfs *below; /* set once, before any use */

/* errno of the last failure, before anything else sets it. */
static _Thread_local int last_error;

static int
noted(int rc)
{
	if (rc != SQLITE_OK)
		last_error = errno;
	return rc;
}

static struct file *
file_of(sqlite3_file *f)
{
	return (struct file *)(void *)f;
}

static sqlite3_file *
real_of(sqlite3_file *f)
{
	return (sqlite3_file *)(void *)file_of(f)->real;
}

static int
flush(struct file *f)
{
	sqlite3_file *r = real_of(&f->base);
	int rc = SQLITE_OK;

	for (size_t at = 0; at < f->n && rc == SQLITE_OK; at += LOG_PIECE) {
		size_t n = f->n - at < LOG_PIECE ? f->n - at : LOG_PIECE;

		rc = r->pMethods->xWrite(r, f->buffer + at, (int)n,
		    f->at + (sqlite3_int64)at);
	}
	f->n = 0; /* after an error the commit fails: never write it later */
	return rc;
}

static int
f_close(sqlite3_file *file)
{
	struct file *f = file_of(file);
	int rc = flush(f), rc2 = SQLITE_OK;

	mem_free(f->buffer);
	f->buffer = NULL;
	if (real_of(file)->pMethods != NULL)
		rc2 = real_of(file)->pMethods->xClose(real_of(file));
	return rc != SQLITE_OK ? rc : rc2;
}

static int
f_read(sqlite3_file *file, void *p, int n, sqlite3_int64 at)
{
	struct file *f = file_of(file);

	if (f->n > 0 && at + n > f->at) {
		int rc = flush(f);

		if (rc != SQLITE_OK)
			return rc;
	}
	return noted(real_of(file)->pMethods->xRead(real_of(file), p, n, at));
}

static int
log_write(struct file *f, const void *p, size_t n, sqlite3_int64 at)
{
	sqlite3_file *r = real_of(&f->base);

	if (f->broken)
		return SQLITE_IOERR_WRITE;
	if (f->unsure < 0 || at < f->unsure)
		f->unsure = at;
	if (f->n > 0 &&
	    (at != f->at + (sqlite3_int64)f->n || n > LOG_BUFFER - f->n)) {
		int rc = flush(f);

		if (rc != SQLITE_OK)
			return rc;
	}
	if (f->buffer == NULL)
		f->buffer = mem_new(1, LOG_BUFFER);
	if (f->buffer == NULL || n > LOG_PIECE)
		return noted(r->pMethods->xWrite(r, p, (int)n, at));
	if (f->n == 0)
		f->at = at;
	memcpy(f->buffer + f->n, p, n);
	f->n += n;
	return SQLITE_OK;
}

_Thread_local bool vfs_gentle;

/*
 * An error fails the fold, and the log keeps what it holds: a page that
 * fsync may have lost is written again.
 */
static int
page_write(struct file *f, const void *p, int n, sqlite3_int64 at)
{
	sqlite3_file *r = real_of(&f->base);
	int rc = noted(r->pMethods->xWrite(r, p, n, at));

	if (rc != SQLITE_OK || ++f->dirty < DIRTY_MAX || !vfs_gentle)
		return rc;
	f->dirty = 0;
	return noted(r->pMethods->xSync(r, SQLITE_SYNC_NORMAL));
}

static int
f_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
	if (file_of(file)->log)
		return log_write(file_of(file), p, (size_t)n, at);
	return page_write(file_of(file), p, n, at);
}

static int
f_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int rc = flush(file_of(file));

	if (rc != SQLITE_OK)
		return rc;
	return noted(real_of(file)->pMethods->xTruncate(real_of(file), size));
}

static int
f_sync(sqlite3_file *file, int flags)
{
	struct file *f = file_of(file);
	sqlite3_file *r = real_of(file);
	int rc = flush(f);

	if (f->broken)
		return SQLITE_IOERR_FSYNC;
	if (rc == SQLITE_OK)
		rc = noted(r->pMethods->xSync(r, flags));
	f->dirty = 0;
	if (!f->log)
		return rc;
	if (rc == SQLITE_OK) {
		f->unsure = -1;
	} else if (rc == SQLITE_IOERR_FSYNC) {
		f->broken = true;
		/* As good as it gets: the disk just failed. */
		if (f->unsure >= 0)
			(void)r->pMethods->xTruncate(r, f->unsure);
	}
	return rc;
}

static int
f_size(sqlite3_file *file, sqlite3_int64 *ret)
{
	int rc = flush(file_of(file));

	if (rc != SQLITE_OK)
		return rc;
	return noted(real_of(file)->pMethods->xFileSize(real_of(file), ret));
}

/* ---- passed through ---- */

static const sqlite3_io_methods *
real_methods(sqlite3_file *f)
{
	return real_of(f)->pMethods;
}

static int
f_lock(sqlite3_file *f, int level)
{
	return real_methods(f)->xLock(real_of(f), level);
}

static int
f_unlock(sqlite3_file *f, int level)
{
	return real_methods(f)->xUnlock(real_of(f), level);
}

static int
f_reserved(sqlite3_file *f, int *ret)
{
	return real_methods(f)->xCheckReservedLock(real_of(f), ret);
}

static int
f_control(sqlite3_file *f, int op, void *arg)
{
	return real_methods(f)->xFileControl(real_of(f), op, arg);
}

static int
f_sector(sqlite3_file *f)
{
	return real_methods(f)->xSectorSize(real_of(f));
}

static int
f_device(sqlite3_file *f)
{
	return real_methods(f)->xDeviceCharacteristics(real_of(f));
}

static int
f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	return noted(
	    real_methods(f)->xShmMap(real_of(f), page, size, extend, ret));
}

static int
f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return real_methods(f)->xShmLock(real_of(f), at, n, flags);
}

static void
f_shm_barrier(sqlite3_file *f)
{
	real_methods(f)->xShmBarrier(real_of(f));
}

static int
f_shm_unmap(sqlite3_file *f, int unlink)
{
	return real_methods(f)->xShmUnmap(real_of(f), unlink);
}

/* Version 2: shared memory for the log's index, no mapping of pages. */
static const sqlite3_io_methods methods = {
    2,
    f_close,
    f_read,
    f_write,
    f_truncate,
    f_sync,
    f_size,
    f_lock,
    f_unlock,
    f_reserved,
    f_control,
    f_sector,
    f_device,
    f_shm_map,
    f_shm_lock,
    f_shm_barrier,
    f_shm_unmap,
    NULL,
    NULL,
};

static int
v_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *file, int flags,
    int *ret_flags)
{
	struct file *f = file_of(file);
	int ours =
	    SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
	int rc;

	(void)v;
	memset(f, 0, sizeof *f);
	f->unsure = -1;
	if (name == NULL || (flags & ours) == 0 ||
	    (flags & SQLITE_OPEN_DELETEONCLOSE) != 0)
		return SQLITE_CANTOPEN;
	f->log = (flags & SQLITE_OPEN_WAL) != 0;
	rc = noted(below->xOpen(below, name, real_of(file), flags, ret_flags));
	/* Ours is set even on failure when the system's wants closing. */
	if (real_of(file)->pMethods != NULL)
		f->base.pMethods = &methods;
	return rc;
}

static int
v_delete(sqlite3_vfs *v, const char *name, int sync)
{
	(void)v;
	return noted(below->xDelete(below, name, sync));
}

static int
v_access(sqlite3_vfs *v, const char *name, int flags, int *ret)
{
	(void)v;
	return below->xAccess(below, name, flags, ret);
}

static int
v_path(sqlite3_vfs *v, const char *name, int n, char *ret)
{
	(void)v;
	return below->xFullPathname(below, name, n, ret);
}

static void *
v_dl_open(sqlite3_vfs *v, const char *name)
{
	(void)v;
	(void)name;
	return NULL;
}

static int
v_random(sqlite3_vfs *v, int n, char *ret)
{
	ssize_t got = getrandom(ret, (size_t)n, 0);

	/* The system's layer would open /dev/urandom, outside the store. */
	(void)v;
	return got < 0 ? 0 : (int)got;
}

static int
v_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return below->xSleep(below, us);
}

static int
v_time(sqlite3_vfs *v, double *ret)
{
	(void)v;
	return below->xCurrentTime(below, ret);
}

static int
v_last_error(sqlite3_vfs *v, int n, char *ret)
{
	(void)v;
	(void)n;
	(void)ret;
	return last_error;
}

static int
v_time64(sqlite3_vfs *v, sqlite3_int64 *ret)
{
	(void)v;
	return below->xCurrentTimeInt64(below, ret);
}

static sqlite3_vfs ours = {
    .iVersion = 2,
    .zName = "redoubt",
    .xOpen = v_open,
    .xDelete = v_delete,
    .xAccess = v_access,
    .xFullPathname = v_path,
    .xDlOpen = v_dl_open,
    .xRandomness = v_random,
    .xSleep = v_sleep,
    .xCurrentTime = v_time,
    .xGetLastError = v_last_error,
    .xCurrentTimeInt64 = v_time64,
};

static void
register_once(void)
{
	/* A connection belongs to one thread; counting memory would take a
	 * lock shared by all of them for every allocation. */
	(void)sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	BUG_ON(sqlite3_initialize() != SQLITE_OK);
	below = sqlite3_vfs_find("unix");
	BUG_ON(below == NULL || below->iVersion < 2);
	ours.szOsFile = (int)sizeof(struct file) + below->szOsFile;
	ours.mxPathname = below->mxPathname;
	BUG_ON(sqlite3_vfs_register(&ours, 0) != SQLITE_OK);
}

int
vfs_errno(void)
{
	return last_error;
}

const char *
vfs_name(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	BUG_ON(pthread_once(&once, register_once) != 0);
	return ours.zName;
}

void
vfs_forget(sqlite3 *db)
{
	sqlite3_file *f = NULL;

	if (sqlite3_file_control(db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &f) ==
		SQLITE_OK &&
	    f != NULL && f->pMethods == &methods)
		file_of(f)->n = 0;
}
