/* making.c: see making.h. */
#include "role/making.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/limits.h"
#include "role/certs.h"

err
making_failed(struct trail *t, const char *what)
{
	int e = errno;

	trail_set(t, "%s: %s", what, strerrordesc_np(e));
	if (e == ENOSPC || e == EDQUOT)
		return err_of(E_NO_SPACE);
	if (e == EACCES || e == EPERM || e == EROFS)
		return err_of(E_DENIED);
	if (e == ENOENT)
		return err_of(E_NOT_FOUND);
	return err_of(e == EEXIST ? E_EXISTS : E_IO);
}

static bool
is_empty(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	bool empty = d != NULL;

	if (d == NULL && fd >= 0)
		(void)close(fd);
	while (d != NULL && empty && (e = readdir(d)) != NULL)
		empty =
		    strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	if (d != NULL)
		(void)closedir(d);
	return empty;
}

err
making_take(struct making *m, struct trail *t)
{
	m->made = mkdir(m->path, 0700) == 0;
	if (!m->made && errno != EEXIST)
		return making_failed(t, m->path);
	m->dir = open(m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->dir < 0 && errno == ENOTDIR) {
		trail_set(t, "%s is no directory", m->path);
		return err_of(E_EXISTS);
	}
	if (m->dir < 0)
		return making_failed(t, m->path);
	if (!m->made && !is_empty(m->dir)) {
		trail_set(t, "%s is in use: it is not empty", m->path);
		return err_of(E_EXISTS);
	}
	if (fchmod(m->dir, 0700) != 0)
		return making_failed(t, m->path);
	return OK;
}

err
making_free(const char *path, struct trail *t)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	bool is_free;

	if (fd < 0)
		return errno == ENOENT ? OK : making_failed(t, path);
	is_free = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && is_empty(fd);
	(void)close(fd);
	if (is_free)
		return OK;
	trail_set(t, "%s is in use: it is not empty", path);
	return err_of(E_EXISTS);
}

err
making_dir(struct making *m, const char *name, int *ret, struct trail *t)
{
	if (mkdirat(m->dir, name, 0700) != 0)
		return making_failed(t, name);
	m->ours = true;
	*ret = openat(m->dir, name,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *ret < 0 ? making_failed(t, name) : OK;
}

err
making_open(int dir, const char *name, mode_t mode, struct trail *t, int *ret)
{
	int fd = openat(dir, name,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return making_failed(t, name);
	if (fchmod(fd, mode) != 0) {
		(void)close(fd);
		return making_failed(t, name);
	}
	*ret = fd;
	return OK;
}

err
making_write(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_of(errno == ENOSPC ? E_NO_SPACE : E_IO);
		s = str_skip(s, (size_t)n);
	}
	return err_of(fsync(fd) == 0 ? E_OK : E_IO);
}

static err
file_make(int dir, const char *name, mode_t mode, struct str text,
    struct trail *t)
{
	int fd;
	err e;

	TRY(making_open(dir, name, mode, t, &fd));
	e = making_write(fd, text);
	if (close(fd) != 0 && err_ok(e))
		e = err_of(E_IO);
	if (!err_ok(e))
		trail_set(t, "%s: %s", name, err_text(e));
	return e;
}

err
making_tls(struct making *m, struct arena *a, int64_t now, struct trail *t,
    struct str *ret_fingerprint)
{
	struct certs c;
	err e;

	TRY(certs_make(now, &c));
	*ret_fingerprint = arena_dup(a, str_c(c.fingerprint));
	e = file_make(m->tls, "ca.pem", 0644, buf_view(&c.ca), t);
	if (err_ok(e))
		e = file_make(m->tls, "cert.pem", 0644, buf_view(&c.cert), t);
	if (err_ok(e))
		e = file_make(m->tls, "key.pem", 0600, buf_view(&c.key), t);
	certs_done(&c);
	return e;
}

err
making_config(struct making *m, struct trail *t)
{
	struct buf b;
	err e;

	buf_init(&b, LIM_CONFIG);
	config_template(&b);
	e = buf_check(&b);
	if (err_ok(e))
		e = file_make(m->dir, "redoubt.conf", 0600, buf_view(&b), t);
	buf_done(&b);
	return e;
}

/* Made by root for a server that will not be root. */
err
making_give(struct making *m, struct trail *t)
{
	const struct passwd *pw = geteuid() == 0 ? getpwnam("redoubt") : NULL;
	DIR *d;
	const struct dirent *e;

	if (pw == NULL)
		return OK;
	if (fchown(m->dir, pw->pw_uid, pw->pw_gid) != 0 ||
	    fchown(m->db, pw->pw_uid, pw->pw_gid) != 0)
		return making_failed(t, "chown");
	d = fdopendir(dup(m->db));
	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' &&
		    fchownat(m->db, e->d_name, pw->pw_uid, pw->pw_gid,
			AT_SYMLINK_NOFOLLOW) != 0) {
			(void)closedir(d);
			return making_failed(t, "chown");
		}
	if (d != NULL)
		(void)closedir(d);
	return OK;
}

static void
empty_out(int dir)
{
	DIR *d = dir < 0 ? NULL : fdopendir(dup(dir));
	const struct dirent *e;

	if (d != NULL)
		rewinddir(d);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dir, e->d_name, 0);
	if (d != NULL)
		(void)closedir(d);
}

void
making_undo(struct making *m)
{
	static const char *const names[] = {"keys", "tls", "db"};
	const int dirs[] = {m->keys, m->tls, m->db};

	for (size_t i = 0; i < 3; i++) {
		empty_out(dirs[i]);
		if (m->ours)
			(void)unlinkat(m->dir, names[i], AT_REMOVEDIR);
	}
	if (m->ours)
		(void)unlinkat(m->dir, "redoubt.conf", 0);
	if (m->made)
		(void)rmdir(m->path);
}

void
making_adopt(struct making *m)
{
	static const int flags =
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

	m->keys = openat(m->dir, "keys", flags);
	m->tls = openat(m->dir, "tls", flags);
	m->db = openat(m->dir, "db", flags);
	m->made = m->ours = true;
}

err
making_sync_parent(const char *path, struct trail *t)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";
	int fd, bad;

	if (slash != NULL)
		(void)snprintf(dir, sizeof dir, "%.*s", (int)(slash - path) + 1,
		    path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return making_failed(t, dir);
	bad = fsync(fd);
	(void)close(fd);
	return bad != 0 ? making_failed(t, dir) : OK;
}

void
making_close(const struct making *m)
{
	const int all[] = {m->dir, m->keys, m->tls, m->db, m->root, m->audit,
	    m->state};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i] >= 0)
			(void)close(all[i]);
}
