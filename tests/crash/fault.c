/*
 * fault.c: a disk that fails when a test says so, and that tells what was
 * asked of it.
 *
 * Linked into a second redoubt, whose calls to the system (and SQLite's) then
 * come here first.  Whoever wants faults puts a file fault.ctl beside that
 * program: each process maps it when it starts, before it gives up its files,
 * so nothing more is asked of the kernel than a server may.  In it stand the
 * fault to come and, when asked for, every write, sync, truncation and
 * removal of the store's and the keeper's files in the order they were done,
 * with their bytes.  tests/faultkit.py is the other side.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { F_NONE, F_DB, F_WAL, F_JOURNAL, F_AUDIT, F_STATE, FILES };
enum { OP_WRITE = 1, OP_SYNC, OP_TRUNCATE, OP_UNLINK };
enum { KIND_ERRNO, KIND_SHORT, KIND_KILL };
enum { FLAG_TRACE = 1, FLAG_DUMP = 2 };
enum { FDS = 4096, O_CREATE = 0100, O_TMP = 020000000 };

struct ctl {
	char magic[8];
	atomic_uint lock;
	uint32_t flags;
	atomic_ullong ops; /* done or failed so far */
	uint64_t fail_at;  /* the first of them to fail, from 1; 0: none */
	uint64_t fail_count;
	uint32_t fail_errno, fail_kind;
	uint32_t fail_ops;   /* 1 << OP_x */
	uint32_t fail_files; /* 1 << F_x */
	atomic_ullong failed;
	uint64_t inode[FILES]; /* of files that are opened by others */
	uint64_t used, room;   /* of the trace */
	uint8_t trace[];
};

struct entry {
	uint8_t op, file, pad[2];
	uint32_t n;
	uint64_t at;
};

static struct ctl *ctl;
static uint8_t of_fd[FDS];

__attribute__((constructor)) static void
fault_start(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
	struct stat st;
	char *slash;
	long fd;

	if (n <= 0)
		return;
	path[n] = '\0';
	slash = strrchr(path, '/');
	memcpy(slash + 1, "fault.ctl", sizeof "fault.ctl");
	fd = syscall(SYS_openat, -100, path, 02 /* O_RDWR */);
	if (fd < 0)
		return;
	if (syscall(SYS_fstat, fd, &st) == 0 &&
	    (size_t)st.st_size > sizeof *ctl) {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
		    MAP_SHARED, (int)fd, 0);

		if (p != MAP_FAILED)
			ctl = p;
	}
	(void)syscall(SYS_close, fd);
}

/* ---- which file ---- */

static bool
ends(const char *s, const char *with)
{
	size_t n = strlen(s), m = strlen(with);

	return n >= m && strcmp(s + n - m, with) == 0;
}

static unsigned
file_of_path(const char *path)
{
	return ends(path, "/store.db")	      ? F_DB
	    : ends(path, "/store.db-wal")     ? F_WAL
	    : ends(path, "/store.db-journal") ? F_JOURNAL
					      : F_NONE;
}

static unsigned
file_of(int fd)
{
	struct stat st;

	if (ctl == NULL || fd < 0 || fd >= FDS)
		return F_NONE;
	if (of_fd[fd] != F_NONE)
		return of_fd[fd];
	/* The keeper gets its files open. */
	if (ctl->inode[F_STATE] == 0 || syscall(SYS_fstat, fd, &st) != 0)
		return F_NONE;
	for (unsigned f = F_AUDIT; f < FILES; f++)
		if (ctl->inode[f] == st.st_ino)
			return f;
	return F_NONE;
}

/* ---- one at a time, in one order for all processes ---- */

static void
lock(void)
{
	while (atomic_exchange(&ctl->lock, 1) != 0)
		(void)syscall(SYS_sched_yield);
}

static void
unlock(void)
{
	atomic_store(&ctl->lock, 0);
}

/* Is it this one's turn to fail?  The count goes on either way. */
static bool
fails(unsigned op, unsigned file)
{
	uint64_t n = atomic_fetch_add(&ctl->ops, 1) + 1;

	if (ctl->fail_at == 0 || n < ctl->fail_at ||
	    (ctl->fail_ops >> op & 1) == 0 ||
	    (ctl->fail_files >> file & 1) == 0 ||
	    atomic_load(&ctl->failed) >= ctl->fail_count)
		return false;
	atomic_fetch_add(&ctl->failed, 1);
	if (ctl->fail_kind == KIND_KILL) {
		unlock();
		__builtin_trap();
	}
	return true;
}

static void
trace(unsigned op, unsigned file, uint64_t at, const void *p, size_t n)
{
	struct entry e = {(uint8_t)op, (uint8_t)file, {0}, (uint32_t)n, at};
	size_t data = op == OP_WRITE ? n : 0;

	if ((ctl->flags & FLAG_TRACE) == 0 ||
	    ctl->room - ctl->used < sizeof e + data)
		return;
	memcpy(ctl->trace + ctl->used, &e, sizeof e);
	if (data > 0)
		memcpy(ctl->trace + ctl->used + sizeof e, p, data);
	ctl->used += sizeof e + data;
}

static long
put(int fd, const void *p, size_t n, int64_t at)
{
	unsigned file = file_of(fd);
	bool append = at < 0;
	long r;

	if (file == F_NONE)
		return append ? syscall(SYS_write, fd, p, n)
			      : syscall(SYS_pwrite64, fd, p, n, at);
	lock();
	if (append)
		at = syscall(SYS_lseek, fd, 0, SEEK_END);
	if (fails(OP_WRITE, file)) {
		if (ctl->fail_kind != KIND_SHORT || n < 2) {
			unlock();
			errno = (int)ctl->fail_errno;
			return -1;
		}
		n /= 2;
	}
	r = append ? syscall(SYS_write, fd, p, n)
		   : syscall(SYS_pwrite64, fd, p, n, at);
	if (r > 0)
		trace(OP_WRITE, file, (uint64_t)at, p, (size_t)r);
	unlock();
	return r;
}

static int
other(unsigned op, unsigned file, long number, long a, long b)
{
	int r;

	if (file == F_NONE)
		return (int)syscall(number, a, b);
	lock();
	if (fails(op, file)) {
		unlock();
		errno = (int)ctl->fail_errno;
		return -1;
	}
	r = (int)syscall(number, a, b);
	if (r == 0)
		trace(op, file, (uint64_t)b, NULL, 0);
	unlock();
	return r;
}

/* ---- what is called ---- */

ssize_t
write(int fd, const void *p, size_t n)
{
	return put(fd, p, n, -1);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return put(fd, p, n, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return put(fd, p, n, at);
}

int
fsync(int fd)
{
	return other(OP_SYNC, file_of(fd), SYS_fsync, fd, 0);
}

int
fdatasync(int fd)
{
	return other(OP_SYNC, file_of(fd), SYS_fdatasync, fd, 0);
}

int
ftruncate(int fd, off_t size)
{
	return other(OP_TRUNCATE, file_of(fd), SYS_ftruncate, fd, size);
}

int
ftruncate64(int fd, off64_t size)
{
	return ftruncate(fd, size);
}

int
unlink(const char *path)
{
	unsigned file = ctl == NULL ? F_NONE : file_of_path(path);

	return other(OP_UNLINK, file, SYS_unlink, (long)path, 0);
}

static int
opened(const char *path, int flags, unsigned mode)
{
	long fd = syscall(SYS_openat, -100, path, flags, mode);

	if (fd >= 0 && fd < FDS && ctl != NULL)
		of_fd[fd] = (uint8_t)file_of_path(path);
	return (int)fd;
}

#define OPEN(name)                                                             \
	int name(const char *path, int flags, ...);                            \
	int name(const char *path, int flags, ...)                             \
	{                                                                      \
		unsigned mode = 0;                                             \
		va_list ap;                                                    \
                                                                               \
		if ((flags & (O_CREATE | O_TMP)) != 0) {                       \
			va_start(ap, flags);                                   \
			mode = va_arg(ap, unsigned);                           \
			va_end(ap);                                            \
		}                                                              \
		return opened(path, flags, mode);                              \
	}

OPEN(open)
OPEN(open64)

int
close(int fd)
{
	if (fd >= 0 && fd < FDS)
		of_fd[fd] = F_NONE;
	return (int)syscall(SYS_close, fd);
}

/*
 * ---- core dumps, for the test that looks what would be in one ----
 * They cannot be given up, and the proof that they were is told so.
 */

static bool
dumps(void)
{
	return ctl != NULL && (ctl->flags & FLAG_DUMP) != 0;
}

int
prctl(int what, ...)
{
	long a[4];
	va_list ap;

	va_start(ap, what);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (dumps() && what == PR_SET_DUMPABLE)
		a[0] = 1;
	if (dumps() && what == PR_GET_DUMPABLE)
		return 0;
	return (int)syscall(SYS_prctl, what, a[0], a[1], a[2], a[3]);
}

int
setrlimit(__rlimit_resource_t what, const struct rlimit *r)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	if (dumps() && what == RLIMIT_CORE)
		r = &all;
	return (int)syscall(SYS_prlimit64, 0, what, r, NULL);
}

int
getrlimit(__rlimit_resource_t what, struct rlimit *ret)
{
	int r = (int)syscall(SYS_prlimit64, 0, what, NULL, ret);

	if (r == 0 && dumps() && what == RLIMIT_CORE)
		*ret = (struct rlimit){0, 0};
	return r;
}
