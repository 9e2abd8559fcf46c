#include "role/rootfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "role/escrow.h"
#include "role/slots.h"

#define NEXT "keys/root.next"

enum { FILE_ROOM = ROOT_LINE * (ROOT_KEYS_MAX + 1) };

/* ---- reading ---- */

static err
parse_fd(int fd, struct trail *t, struct root_keys **ret)
{
	struct buf b;
	err e = fd_read_all(fd, SECRET_FILE_MAX, &b);

	if (err_ok(e))
		e = root_parse(buf_view(&b), t, ret);
	else
		trail_set(t, "root key file: cannot be read");
	buf_wipe(&b);
	return e;
}

/* A link is followed once and for all: what it points to is replaced, not
 * the link. */
static err
real_path(struct root_file *f, struct str setting, struct trail *t)
{
	char path[PATH_MAX];
	struct str name = setting.n == 0 ? STR("keys/root.key") : setting;
	int n;

	f->path[0] = '\0';
	if (memchr(name.p, '/', name.n) == NULL)
		return OK;
	n = snprintf(path, sizeof path, "%s%s%.*s",
	    name.p[0] == '/' ? "" : f->dir->path, name.p[0] == '/' ? "" : "/",
	    STR_ARG(name));
	if (n < 0 || (size_t)n >= sizeof path ||
	    realpath(path, f->path) == NULL) {
		trail_set(t, "root key file: %s", strerrordesc_np(errno));
		return err_of(E_NOT_FOUND);
	}
	return OK;
}

/* Plain or sealed; whoever has to be asked is. */
static err
read_keys(struct root_file *f, int fd, struct trail *t)
{
	struct buf b, plain = {.max = SECRET_FILE_MAX};
	struct unlocking k = {&f->arena, f->dir, t, &f->sealed};
	err e = fd_read_all(fd, SECRET_FILE_MAX, &b);

	if (!err_ok(e) || !root_is_sealed(buf_view(&b))) {
		buf_wipe(&b);
		return parse_fd(fd, t, &f->keys);
	}
	e = root_sealed_parse(&f->arena, buf_view(&b), t, &f->sealed);
	buf_wipe(&b);
	TRY(e);
	TRY(secret_new(&f->unlock));
	TRY(unlock_ask(&k, role_person(), STR(""), f->unlock));
	e = root_sealed_open(&f->arena, &f->sealed, f->unlock, &plain);
	if (err_ok(e))
		e = root_parse(buf_view(&plain), t, &f->keys);
	buf_wipe(&plain);
	return e;
}

err
root_file_where(const struct datadir *d, struct str setting, struct trail *t,
    struct root_file *ret)
{
	struct root_file f = {.dir = d, .uid = geteuid(), .gid = getegid()};

	TRY(real_path(&f, setting, t));
	*ret = f;
	return OK;
}

err
root_file_open(const struct datadir *d, struct str setting, struct trail *t,
    struct root_file *ret)
{
	bool credential =
	    setting.n > 0 && memchr(setting.p, '/', setting.n) == NULL;
	struct root_file f = {.dir = d, .uid = geteuid(), .gid = getegid()};
	struct trail why = {{0}};
	struct stat st;
	err e;
	int fd;

	e = root_key_open(d, setting, &why, &fd);
	if (err_is(e, E_CONFIG) && credential) {
		*ret = f;
		return OK;
	}
	if (!err_ok(e))
		trail_set(t, "%s", why.detail);
	TRY(e);
	arena_init(&f.arena, LIM_UNLOCK_ARENA);
	e = real_path(&f, setting, t);
	if (err_ok(e) && fstat(fd, &st) != 0)
		e = err_of(E_IO);
	if (err_ok(e))
		e = read_keys(&f, fd, t);
	(void)close(fd);
	if (!err_ok(e)) {
		root_file_close(&f);
		return e;
	}
	f.uid = st.st_uid;
	f.gid = st.st_gid;
	*ret = f;
	return OK;
}

void
root_file_close(struct root_file *f)
{
	if (f->keys != NULL)
		f->keys = root_free(f->keys);
	f->unlock = secret_free(f->unlock);
	arena_done(&f->arena);
}

/* ---- writing ---- */

static bool
write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = str_skip(s, (size_t)n);
	}
	return fsync(fd) == 0;
}

/* name: in dir, complete and durable or not there. */
static bool
file_put(int dir, const char *name, const struct root_file *f, struct str text)
{
	int fd, saved;
	bool good;

	if (unlinkat(dir, name, 0) != 0 && errno != ENOENT)
		return false;
	fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (fd < 0)
		return false;
	good = fchmod(fd, 0400) == 0 &&
	    (geteuid() != 0 || fchown(fd, f->uid, f->gid) == 0) &&
	    write_all(fd, text);
	saved = errno;
	(void)close(fd);
	if (!good)
		(void)unlinkat(dir, name, 0);
	errno = saved;
	return good;
}

bool
root_file_put(int dir, const char *name, const struct root_file *f,
    struct str text)
{
	char temp[NAME_MAX + 1];
	int n = snprintf(temp, sizeof temp, "%s.part", name);

	if (n < 0 || (size_t)n >= sizeof temp) {
		errno = ENAMETOOLONG;
		return false;
	}
	return file_put(dir, temp, f, text) &&
	    renameat(dir, temp, dir, name) == 0 && fsync(dir) == 0;
}

static bool
replaced(const struct root_file *f, struct str text)
{
	char dir[PATH_MAX], base[PATH_MAX];
	int fd, saved;
	bool good;

	memcpy(dir, f->path, sizeof dir);
	memcpy(base, f->path, sizeof base);
	fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	good = root_file_put(fd, basename(base), f, text);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return good;
}

static err
not_replaced(const struct root_file *f, int e, struct trail *t)
{
	trail_set(t, "cannot replace %s: %s", f->path, strerrordesc_np(e));
	if (e == ENOSPC || e == EDQUOT)
		return err_of(E_NO_SPACE);
	/* Busy: it is a mount of its own, as containers do it. */
	return err_of(e == EACCES || e == EPERM || e == EROFS || e == EBUSY
		? E_CONFIG
		: E_IO);
}

/* What goes into the file for that text. */
static err
file_text(struct root_file *f, struct str text, struct str *ret)
{
	struct buf b;

	*ret = text;
	if (f->unlock == NULL)
		return OK;
	TRY(root_sealed_close(&f->arena, &f->sealed, f->unlock, text));
	buf_init_on(&b, &f->arena, ROOT_SEALED_MAX);
	root_sealed_write(&f->sealed, &b);
	*ret = buf_view(&b);
	return buf_check(&b);
}

/* The new file takes effect, here too. */
static err
replace(struct root_file *f, struct str text, struct trail *t)
{
	struct root_keys *keys = NULL;
	struct str out;
	err e;

	TRY(root_parse(text, t, &keys));
	e = file_text(f, text, &out);
	if (err_ok(e) && !replaced(f, out))
		e = not_replaced(f, errno, t);
	if (!err_ok(e)) {
		(void)root_free(keys);
		return e;
	}
	(void)root_free(f->keys);
	f->keys = keys;
	return OK;
}

static err
all_lines(const struct root_file *f, struct buf *b)
{
	for (size_t i = 0; i < root_count(f->keys); i++)
		TRY(root_line(f->keys, i, b));
	return buf_check(b);
}

err
root_file_write(struct root_file *f, struct trail *t)
{
	struct buf b = {.max = FILE_ROOM};
	err e = OK;

	if (!buf_room(&b, FILE_ROOM))
		return err_of(E_NO_MEMORY);
	e = all_lines(f, &b);
	if (err_ok(e))
		e = replace(f, buf_view(&b), t);
	if (err_ok(e))
		e = escrow_update(f, buf_view(&b), t);
	buf_wipe(&b);
	return e;
}

/* ---- by hand ---- */

static err
next_open(const struct root_file *f, struct root_keys **ret)
{
	struct trail quiet = {{0}};
	int fd;
	err e;

	TRY(secret_open(f->dir, NEXT, false, &quiet, &fd));
	e = parse_fd(fd, &quiet, ret);
	(void)close(fd);
	return e;
}

/* A line somebody else has to put into place. */
static err
by_hand(const struct root_file *f, struct str line, struct trail *t)
{
	struct root_keys *keys = NULL;
	err e = next_open(f, &keys);

	if (err_ok(e)) /* from an earlier try, maybe in use by now */
		(void)root_free(keys);
	else if (!file_put(f->dir->fd, NEXT, f, line)) {
		trail_set(t, "cannot write %s: %s", NEXT,
		    strerrordesc_np(errno));
		return err_of(E_CONFIG);
	}
	trail_set(t,
	    "put the line in %s before the others of the root key file by "
	    "hand, restart the server, rotate again; cannot change %s",
	    NEXT, f->path[0] != '\0' ? f->path : "a credential");
	return err_of(E_CONFIG);
}

void
root_file_next_done(const struct root_file *f, const char *root)
{
	char was[ROOT_ID_TEXT + 1];
	struct root_keys *keys = NULL;

	if (!err_ok(next_open(f, &keys)))
		return;
	root_id(keys, 0, was);
	(void)root_free(keys);
	if (strcmp(root, was) == 0)
		(void)unlinkat(f->dir->fd, NEXT, 0);
}

/* ---- the two changes ---- */

static err
add(struct root_file *f, struct buf *b, struct trail *t)
{
	struct trail why = {{0}};
	size_t line;
	err e;

	TRY(root_generate(b));
	line = b->n;
	if (f->path[0] == '\0' && f->unlock == NULL)
		return by_hand(f, buf_view(b), t);
	TRY(all_lines(f, b));
	e = replace(f, buf_view(b), &why);
	/* A sealed file's keys are not written anywhere in plain. */
	if (err_is(e, E_CONFIG) && f->unlock == NULL)
		return by_hand(f, str_head(buf_view(b), line), t);
	if (!err_ok(e))
		trail_set(t, "%s", why.detail);
	TRY(e);
	return escrow_update(f, buf_view(b), t);
}

err
root_file_add(struct root_file *f, struct trail *t)
{
	struct buf b = {.max = FILE_ROOM};
	err e;

	if (f->keys != NULL && root_count(f->keys) == ROOT_KEYS_MAX) {
		trail_set(t, "the root key file has %d keys already",
		    ROOT_KEYS_MAX);
		return err_of(E_LIMIT);
	}
	/* At its full size at once: a buf that grows leaves copies. */
	if (!buf_room(&b, FILE_ROOM))
		return err_of(E_NO_MEMORY);
	e = add(f, &b, t);
	buf_wipe(&b);
	return e;
}

/* Both copies of the signing seed, since either may be the one that is
 * left. */
static err
seed_opens(const struct datadir *d, const struct root_keys *alone,
    struct trail *t)
{
	struct secret *seed = NULL;
	struct slot s[2];
	err e;
	int fd;

	TRY(secret_open(d, "keys/audit.key", false, t, &fd));
	e = slots_read(fd, s);
	(void)close(fd);
	if (err_ok(e))
		e = secret_new(&seed);
	for (size_t i = 0; err_ok(e) && i < 2; i++) {
		struct stored st = {str_of((char *)s[i].data, s[i].n)};

		if (s[i].counter != 0)
			e = root_open_seed(alone, st, secret_bytes(seed));
	}
	if (seed != NULL)
		(void)secret_free(seed);
	if (!err_ok(e))
		trail_set(t,
		    "audit.key does not open with the new root key "
		    "alone");
	return e;
}

static err
drop(struct root_file *f, struct buf *b, struct trail *t)
{
	struct root_keys *alone = NULL;
	err e;

	TRY(root_line(f->keys, 0, b));
	TRY(root_parse(buf_view(b), t, &alone));
	e = seed_opens(f->dir, alone, t);
	(void)root_free(alone);
	TRY(e);
	if (f->path[0] == '\0')
		return err_of(E_CONFIG);
	/* First the copy: what opens it is in the file still. */
	TRY(escrow_update(f, buf_view(b), t));
	return replace(f, buf_view(b), t);
}

err
root_file_drop(struct root_file *f, struct trail *t)
{
	struct buf b = {.max = FILE_ROOM};
	err e;

	if (f->keys == NULL)
		return err_of(E_CONFIG);
	if (!buf_room(&b, FILE_ROOM))
		return err_of(E_NO_MEMORY);
	e = drop(f, &b, t);
	buf_wipe(&b);
	return e;
}
