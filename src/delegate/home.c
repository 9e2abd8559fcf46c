#include "delegate/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rand.h"

enum { PATH_SIZE = 128 };

static void
fd_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static err
of_errno(void)
{
	switch (errno) {
	case ENOENT:
		return err_of(E_NOT_FOUND);
	case EACCES:
	case EPERM:
	case ELOOP:
		return err_of(E_DENIED);
	case ENOSPC:
	case EDQUOT:
		return err_of(E_NO_SPACE);
	default:
		return err_of(E_IO);
	}
}

err
home_open(const char *path, bool make, struct trail *t, int *ret_dir)
{
	struct stat st;
	int fd;

	if (make && mkdir(path, 0700) != 0 && errno != EEXIST) {
		trail_set(t, "cannot make %s: %s", path,
		    strerrordesc_np(errno));
		return of_errno();
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		trail_set(t, "%s: %s", path, strerrordesc_np(errno));
		return of_errno();
	}
	if (fstat(fd, &st) != 0 || st.st_uid != geteuid() ||
	    (st.st_mode & 077) != 0) {
		trail_set(t, "%s must be ours and of mode 0700", path);
		(void)close(fd);
		return err_of(E_DENIED);
	}
	*ret_dir = fd;
	return OK;
}

err
home_lock(int dir, struct trail *t)
{
	int fd = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
	    0600);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return OK; /* held, and open, until the process ends */
	trail_set(t, "another process uses this directory");
	fd_close(&fd);
	return err_of(E_LOCKED);
}

static err
read_all(int fd, struct buf *b)
{
	char piece[16384];
	err e = OK;

	for (;;) {
		ssize_t n = read(fd, piece, sizeof piece);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			e = of_errno();
		if (n <= 0)
			break;
		buf_add(b, piece, (size_t)n);
		if (b->failed) {
			e = err_of(E_TOO_LARGE);
			break;
		}
	}
	mem_wipe(piece, sizeof piece);
	return e;
}

err
home_read(int dir, const char *name, struct buf *b)
{
	CLEANUP(fd_close)
	int fd =
	    openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return of_errno();
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_of(E_DENIED);
	return read_all(fd, b);
}

static err
write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return of_errno();
		s = str_skip(s, (size_t)n);
	}
	return fsync(fd) == 0 ? OK : of_errno();
}

/* "spool/x" is a file of another directory: its name is what becomes
 * durable there. */
static err
directory_sync(int dir, const char *name)
{
	const char *slash = strrchr(name, '/');
	char path[PATH_SIZE];
	CLEANUP(fd_close) int fd = -1;

	if (slash == NULL)
		return fsync(dir) == 0 ? OK : of_errno();
	memcpy(path, name, (size_t)(slash - name));
	path[slash - name] = '\0';
	fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && fsync(fd) == 0 ? OK : of_errno();
}

err
home_write(int dir, const char *name, unsigned mode, struct str bytes)
{
	CLEANUP(fd_close) int fd = -1;
	char tmp[PATH_SIZE + 8];
	err e;

	BUG_ON(strlen(name) >= PATH_SIZE);
	memcpy(tmp, name, strlen(name));
	memcpy(tmp + strlen(name), ".new", 5);
	if (unlinkat(dir, tmp, 0) != 0 && errno != ENOENT)
		return of_errno();
	fd = openat(dir, tmp,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return of_errno();
	e = write_all(fd, bytes);
	if (err_ok(e) && renameat(dir, tmp, dir, name) != 0)
		e = of_errno();
	if (err_ok(e))
		return directory_sync(dir, name);
	(void)unlinkat(dir, tmp, 0);
	return e;
}

err
home_remove(int dir, const char *name)
{
	return unlinkat(dir, name, 0) == 0 || errno == ENOENT ? OK : of_errno();
}

/* ---- keys ---- */

err
home_key_read(int dir, const char *name, struct secret **ret)
{
	char bytes[SECRET_SIZE + 1] = {0};
	struct buf b = {.p = bytes, .cap = sizeof bytes, .max = sizeof bytes};
	struct secret *s;
	err e = home_read(dir, name, &b);

	if (err_ok(e) && b.n != SECRET_SIZE)
		e = err_of(E_CORRUPT);
	if (err_ok(e))
		e = secret_new(&s);
	if (err_ok(e)) {
		memcpy(secret_bytes(s), bytes, SECRET_SIZE);
		*ret = s;
	}
	mem_wipe(bytes, sizeof bytes);
	return e;
}

err
home_key_write(int dir, const char *name, const struct secret *k)
{
	return home_write(dir, name, 0400,
	    str_of((const char *)secret_view(k), SECRET_SIZE));
}

err
home_key(int dir, const char *name, struct secret **ret)
{
	struct secret *s;
	err e = home_key_read(dir, name, ret);

	if (!err_is(e, E_NOT_FOUND))
		return e;
	TRY(secret_new(&s));
	rand_bytes(secret_bytes(s), SECRET_SIZE);
	e = home_key_write(dir, name, s);
	if (err_ok(e))
		*ret = s;
	else
		secret_free(s);
	return e;
}
