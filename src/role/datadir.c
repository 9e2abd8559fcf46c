#include "role/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"

static err
failed(struct trail *t, const char *what)
{
	int e = errno;

	trail_set(t, "%s: %s", what, strerrordesc_np(e));
	if (e == ENOENT || e == ENOTDIR)
		return err_of(E_NOT_FOUND);
	if (e == EACCES || e == EPERM)
		return err_of(E_DENIED);
	return err_of(e == ENOSPC || e == EDQUOT ? E_NO_SPACE : E_IO);
}

err
datadir_open(const char *dir, struct trail *t, struct datadir *ret)
{
	struct datadir d = {.fd = -1};
	char real[PATH_MAX];
	struct stat st;

	if (realpath(dir, real) == NULL)
		return failed(t, dir);
	if (strlen(real) >= sizeof d.path) {
		trail_set(t, "%s: the path is too long", dir);
		return err_of(E_CONFIG);
	}
	memcpy(d.path, real, strlen(real) + 1);
	d.fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d.fd < 0 || fstat(d.fd, &st) != 0) {
		err e = failed(t, dir);

		datadir_close(&d);
		return e;
	}
	if ((st.st_mode & 022) != 0) {
		trail_set(t, "%s: others may write in it (mode %04o)", dir,
		    (unsigned)st.st_mode & 07777);
		datadir_close(&d);
		return err_of(E_CONFIG);
	}
	*ret = d;
	return OK;
}

void
datadir_close(struct datadir *d)
{
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
}

err
datadir_lock(const struct datadir *d, int ms, struct trail *t, int *ret)
{
	int64_t end = time_mono_us() + (int64_t)ms * 1000;
	int fd = openat(d->fd, "lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return failed(t, "lock");
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK && time_mono_us() < end) {
			(void)poll(NULL, 0, 20);
			continue;
		}
		(void)close(fd);
		trail_set(t, "%s is in use by another process", d->path);
		return err_of(E_LOCKED);
	}
	*ret = fd;
	return OK;
}

const char *
datadir_path(const struct datadir *d, struct arena *a, struct str name)
{
	struct buf b;

	if (name.n > 0 && name.p[0] == '/')
		return arena_cstr(a, name);
	buf_init_on(&b, a, PATH_MAX);
	buf_c(&b, d->path);
	buf_char(&b, '/');
	buf_str(&b, name);
	return b.failed ? NULL : arena_cstr(a, buf_view(&b));
}

/* other: who else may read it; 0 = nobody. */
static err
only_ours(int fd, const char *path, unsigned other, struct trail *t)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return failed(t, path);
	if (!S_ISREG(st.st_mode)) {
		trail_set(t, "%s: not a regular file", path);
		return err_of(E_CONFIG);
	}
	if ((st.st_mode & 0177 & ~other) != 0) {
		trail_set(t, "%s: mode %04o lets others read it; want 0400",
		    path, (unsigned)st.st_mode & 07777);
		return err_of(E_CONFIG);
	}
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		trail_set(t, "%s: belongs to uid %u", path, st.st_uid);
		return err_of(E_CONFIG);
	}
	if (st.st_size > SECRET_FILE_MAX) {
		trail_set(t, "%s: too large", path);
		return err_of(E_CONFIG);
	}
	return OK;
}

static err
checked_open(int dirfd, const char *path, int flags, unsigned other,
    struct trail *t, int *ret)
{
	/* O_NONBLOCK: a fifo must not stop us before it is refused. */
	int fd = openat(dirfd, path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	err e;

	if (fd < 0)
		return failed(t, path);
	e = only_ours(fd, path, other, t);
	if (err_ok(e))
		*ret = fd;
	else
		(void)close(fd);
	return e;
}

err
secret_open(const struct datadir *d, const char *path, bool write,
    struct trail *t, int *ret)
{
	return checked_open(d->fd, path, write ? O_RDWR : O_RDONLY, 0, t, ret);
}

err
root_key_open(const struct datadir *d, struct str setting, struct trail *t,
    int *ret)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	int n;

	if (setting.n == 0)
		return secret_open(d, "keys/root.key", false, t, ret);
	if (setting.n >= sizeof path) {
		trail_set(t, "keys.root: too long");
		return err_of(E_CONFIG);
	}
	if (memchr(setting.p, '/', setting.n) != NULL) {
		(void)snprintf(path, sizeof path, "%.*s", STR_ARG(setting));
		return secret_open(d, path, false, t, ret);
	}
	if (dir == NULL || setting.p[0] == '.') {
		trail_set(t, "keys.root = %.*s: there is no such credential",
		    STR_ARG(setting));
		return err_of(E_CONFIG);
	}
	n = snprintf(path, sizeof path, "%s/%.*s", dir, STR_ARG(setting));
	if (n < 0 || (size_t)n >= sizeof path) {
		trail_set(t, "keys.root: too long");
		return err_of(E_CONFIG);
	}
	/* systemd shows its access list as a group permission. */
	return checked_open(AT_FDCWD, path, O_RDONLY, 0040, t, ret);
}

err
plain_open(const struct datadir *d, const char *path, struct trail *t, int *ret)
{
	int fd =
	    openat(d->fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return failed(t, path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		trail_set(t, "%s: not a regular file", path);
		return err_of(E_CONFIG);
	}
	*ret = fd;
	return OK;
}

err
fd_read_all(int fd, size_t max, struct buf *b)
{
	*b = (struct buf){.max = max + 1};
	if (!buf_room(b, max + 1))
		return err_of(E_NO_MEMORY);
	for (;;) {
		ssize_t n = pread(fd, b->p + b->n, max + 1 - b->n, (off_t)b->n);

		if (n < 0 && errno == ESPIPE)
			n = read(fd, b->p + b->n, max + 1 - b->n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_of(E_IO);
		if (n == 0)
			return OK;
		b->n += (size_t)n;
		if (b->n > max)
			return err_of(E_TOO_LARGE);
	}
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		mem_wipe(b->p, b->cap);
	buf_done(b);
}
