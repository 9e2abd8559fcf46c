/* init.c: `redoubt init`: a directory from nothing, whole or not at all. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/rand.h"
#include "role/certs.h"
#include "role/datadir.h"
#include "role/found.h"

/* What is being made, and how much of it exists. */
struct making {
	const char *path;
	int dir, keys, tls, db; /* directories, -1 = not made */
	bool made;		/* DIR itself */
	bool ours;		/* something in it is ours to remove */
	int root, audit, state;
};

static err
failed(struct trail *t, const char *what)
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

/* ---- what was asked ---- */

static bool
one_line(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return s.n > 0 && s.n <= LIM_NAME && utf8_valid(s);
}

static bool
email_like(struct str s)
{
	struct str user, host = s;

	return one_line(s) && memchr(s.p, ' ', s.n) == NULL &&
	    str_cut(s, '@', &user, &host) && user.n > 0 && host.n > 0 &&
	    memchr(host.p, '@', host.n) == NULL;
}

static err
options(const struct init_options *in, struct trail *t,
    struct init_options *ret)
{
	*ret = *in;
	if (ret->org.n == 0)
		ret->org = STR("Redoubt");
	if (ret->admin.n == 0)
		ret->admin = STR("admin@localhost");
	if (!one_line(ret->org)) {
		trail_set(t, "--org: one line of at most %d bytes", LIM_NAME);
		return err_of(E_INVALID);
	}
	if (!email_like(ret->admin)) {
		trail_set(t, "--admin: not an e-mail address");
		return err_of(E_INVALID);
	}
	return OK;
}

/* ---- directories and files ---- */

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

static err
dir_take(struct making *m, struct trail *t)
{
	m->made = mkdir(m->path, 0700) == 0;
	if (!m->made && errno != EEXIST)
		return failed(t, m->path);
	m->dir = open(m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->dir < 0 && errno == ENOTDIR) {
		trail_set(t, "%s is no directory", m->path);
		return err_of(E_EXISTS);
	}
	if (m->dir < 0)
		return failed(t, m->path);
	if (!m->made && !is_empty(m->dir)) {
		trail_set(t, "%s is in use: it is not empty", m->path);
		return err_of(E_EXISTS);
	}
	if (fchmod(m->dir, 0700) != 0)
		return failed(t, m->path);
	return OK;
}

static err
dir_make(struct making *m, const char *name, int *ret, struct trail *t)
{
	if (mkdirat(m->dir, name, 0700) != 0)
		return failed(t, name);
	m->ours = true;
	*ret = openat(m->dir, name,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *ret < 0 ? failed(t, name) : OK;
}

static err
file_open(int dir, const char *name, mode_t mode, struct trail *t, int *ret)
{
	int fd = openat(dir, name,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return failed(t, name);
	if (fchmod(fd, mode) != 0) {
		(void)close(fd);
		return failed(t, name);
	}
	*ret = fd;
	return OK;
}

static err
write_all(int fd, struct str s)
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

	TRY(file_open(dir, name, mode, t, &fd));
	e = write_all(fd, text);
	if (close(fd) != 0 && err_ok(e))
		e = err_of(E_IO);
	if (!err_ok(e))
		trail_set(t, "%s: %s", name, err_text(e));
	return e;
}

/* ---- the parts ---- */

static err
make_root(struct making *m, struct trail *t)
{
	struct buf b = {.max = 4096};
	err e;

	TRY(file_open(m->keys, "root.key", 0400, t, &m->root));
	/* At its full size at once: a buf that grows leaves copies. */
	if (!buf_room(&b, 4096))
		return err_of(E_NO_MEMORY);
	e = root_generate(&b);
	if (err_ok(e))
		e = write_all(m->root, buf_view(&b));
	buf_wipe(&b);
	return e;
}

static err
make_keys(struct making *m, const struct uuid *org, struct trail *t)
{
	char origin[NOTE_NAME_MAX + 1] = "redoubt/";
	struct root_keys *roots = NULL;
	struct buf b;
	err e;

	TRY(make_root(m, t));
	TRY(file_open(m->keys, "audit.key", 0600, t, &m->audit));
	TRY(file_open(m->keys, "keeper.state", 0600, t, &m->state));
	uuid_text(org, origin + 8);
	memcpy(origin + 8 + UUID_TEXT, "/1", 3); /* the first epoch */
	e = fd_read_all(m->root, SECRET_FILE_MAX, &b);
	if (err_ok(e))
		e = root_parse(buf_view(&b), t, &roots);
	buf_wipe(&b);
	TRY(e);
	e = keep_make(roots, str_c(origin), m->audit, m->state, t);
	(void)root_free(roots);
	return e;
}

static err
make_tls(struct making *m, struct arena *a, int64_t now, struct trail *t,
    struct init_result *ret)
{
	struct certs c;
	err e;

	TRY(certs_make(now, &c));
	ret->fingerprint = arena_dup(a, str_c(c.fingerprint));
	e = file_make(m->tls, "ca.pem", 0644, buf_view(&c.ca), t);
	if (err_ok(e))
		e = file_make(m->tls, "cert.pem", 0644, buf_view(&c.cert), t);
	if (err_ok(e))
		e = file_make(m->tls, "key.pem", 0600, buf_view(&c.key), t);
	certs_done(&c);
	return e;
}

static err
make_config(struct making *m, struct trail *t)
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

static err
make_store(struct making *m, struct arena *a, const struct uuid *org,
    const struct init_options *o, struct trail *t, struct init_result *ret)
{
	struct datadir real;
	struct keep k;
	err e;

	TRY(datadir_open(m->path, t, &real));
	datadir_close(&real); /* for its path */
	TRY(keep_open(&k, m->root, m->audit, m->state, t));
	e = found_store(a, datadir_path(&real, a, STR("db")), &k, org, o, t,
	    ret);
	keep_close(&k);
	ret->ca = str_c(datadir_path(&real, a, STR("tls/ca.pem")));
	ret->root_key = str_c(datadir_path(&real, a, STR("keys/root.key")));
	return e;
}

/* Made by root for a server that will not be root. */
static err
give_away(struct making *m, struct trail *t)
{
	const struct passwd *pw = geteuid() == 0 ? getpwnam("redoubt") : NULL;
	DIR *d;
	const struct dirent *e;

	if (pw == NULL)
		return OK;
	if (fchown(m->dir, pw->pw_uid, pw->pw_gid) != 0 ||
	    fchown(m->db, pw->pw_uid, pw->pw_gid) != 0)
		return failed(t, "chown");
	d = fdopendir(dup(m->db));
	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' &&
		    fchownat(m->db, e->d_name, pw->pw_uid, pw->pw_gid,
			AT_SYMLINK_NOFOLLOW) != 0) {
			(void)closedir(d);
			return failed(t, "chown");
		}
	if (d != NULL)
		(void)closedir(d);
	return OK;
}

static err
make(struct making *m, struct arena *a, const struct init_options *o,
    struct trail *t, struct init_result *ret)
{
	struct uuid org = rand_uuid(o->now);

	TRY(dir_take(m, t));
	TRY(dir_make(m, "keys", &m->keys, t));
	TRY(dir_make(m, "tls", &m->tls, t));
	TRY(dir_make(m, "db", &m->db, t));
	TRY(make_keys(m, &org, t));
	TRY(make_tls(m, a, o->now, t, ret));
	TRY(make_config(m, t));
	TRY(make_store(m, a, &org, o, t, ret));
	TRY(give_away(m, t));
	if (fsync(m->keys) != 0 || fsync(m->tls) != 0 || fsync(m->db) != 0 ||
	    fsync(m->dir) != 0)
		return failed(t, m->path);
	return arena_check(a);
}

/* ---- undoing ---- */

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

/* Only what we have made: another init may be at work in the same place. */
static void
undo(struct making *m)
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

static void
making_close(const struct making *m)
{
	const int all[] = {m->dir, m->keys, m->tls, m->db, m->root, m->audit,
	    m->state};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i] >= 0)
			(void)close(all[i]);
}

err
role_init(struct arena *a, const struct init_options *in, struct trail *t,
    struct init_result *ret)
{
	struct making m = {.path = in->data,
	    .dir = -1,
	    .keys = -1,
	    .tls = -1,
	    .db = -1,
	    .root = -1,
	    .audit = -1,
	    .state = -1};
	struct init_result r = {.url = STR("https://127.0.0.1:8443")};
	struct init_options o;
	err e;

	TRY(options(in, t, &o));
	TRY(confine_light(t));
	(void)umask(077);
	r.admin = arena_dup(a, o.admin);
	e = make(&m, a, &o, t, &r);
	if (!err_ok(e)) {
		trail_set(t, "%s: %s", in->data, err_text(e));
		undo(&m);
	}
	making_close(&m);
	if (err_ok(e))
		*ret = r;
	return e;
}
