/*
 * backup.c: `redoubt backup`: asks the server, or is one (keying.h), and
 * writes what comes.  A file gets its name when all of it was read back; the
 * keys get theirs first, because older backups open with newer keys and not
 * the other way round.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/sha.h"
#include "base/mem.h"
#include "role/backup_in.h"
#include "role/backup_wire.h"
#include "role/keying.h"
#include "role/making.h"
#include "role/role.h"
#include "role/slots.h"
#include "role/talk.h"

/* So much goes to the disk at a time: else hundreds of megabytes go at once,
 * and every commit of the server waits for them. */
enum { NAME_EXTRA = 32, SAID = 4096, WINDOW = 2 * 1024 * 1024, NICE = 10 };

/* A file under another name until it is whole. */
struct writing {
	int fd;
	char path[PATH_MAX], part[PATH_MAX + NAME_EXTRA];
	struct sha *sha;
	uint64_t n, asked; /* bytes written; and asked of the disk */
};

struct backing {
	struct keying k;
	struct trail *t;
	const struct backup_options *o;
	struct writing file, keys;
	struct writing *at; /* which one bytes are for */
	struct buf base;
	struct backup_head head;
	int fd; /* the server; -1: none */
	struct str said;
};

/* ---- files ---- */

static err
writing_open(struct writing *w, const char *path, struct trail *t)
{
	size_t n = strlen(path);

	if (n >= sizeof w->path)
		return err_of(E_INVALID);
	memcpy(w->path, path, n + 1);
	(void)snprintf(w->part, sizeof w->part, "%s.part", path);
	if (unlink(w->part) != 0 && errno != ENOENT) /* of one cut short */
		return making_failed(t, w->part);
	w->fd = open(w->part,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->fd < 0)
		return making_failed(t, w->part);
	return sha_new(&w->sha);
}

static void
writing_drop(struct writing *w)
{
	w->sha = sha_free(w->sha);
	if (w->fd < 0)
		return;
	(void)close(w->fd);
	(void)unlink(w->part);
	w->fd = -1;
}

/* The window before the last one is on the disk, the last one on its way. */
static void
pace(struct writing *w)
{
	if (w->n - w->asked < WINDOW)
		return;
	if (w->asked > 0)
		(void)sync_file_range(w->fd, 0, (off_t)w->asked,
		    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			SYNC_FILE_RANGE_WAIT_AFTER);
	(void)sync_file_range(w->fd, (off_t)w->asked, (off_t)(w->n - w->asked),
	    SYNC_FILE_RANGE_WRITE);
	w->asked = w->n;
}

static err
put(void *ctx, struct str s)
{
	struct backing *b = ctx;
	struct writing *w = b->at;

	sha_add(w->sha, s);
	w->n += s.n;
	while (s.n > 0) {
		ssize_t n = write(w->fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return making_failed(b->t, w->part);
		s = str_skip(s, (size_t)n);
	}
	pace(w);
	return OK;
}

/* From the disk, not from memory, as far as the system lets us say so. */
static err
read_back(struct writing *w, struct trail *t)
{
	uint8_t want[BACKUP_SHA], got[BACKUP_SHA];
	struct stat st;

	if (fsync(w->fd) != 0 || fstat(w->fd, &st) != 0)
		return making_failed(t, w->part);
	(void)posix_fadvise(w->fd, 0, 0, POSIX_FADV_DONTNEED);
	sha_get(w->sha, want);
	if ((uint64_t)st.st_size != w->n ||
	    !err_ok(file_sha(w->fd, w->n, got)) ||
	    memcmp(want, got, sizeof got) != 0) { /* public: in the file */
		trail_set(t, "%s: what was read back is not what was written",
		    w->path);
		return err_of(E_IO);
	}
	return OK;
}

static err
take_name(struct writing *w, bool replace, struct trail *t)
{
	int r = replace
	    ? rename(w->part, w->path)
	    : renameat2(AT_FDCWD, w->part, AT_FDCWD, w->path, RENAME_NOREPLACE);

	if (r != 0 && !replace && errno == EINVAL)
		r = rename(w->part, w->path);
	if (r != 0)
		return making_failed(t, w->path);
	(void)close(w->fd);
	w->fd = -1;
	return OK;
}

/* ---- the base ---- */

static err
base_read(struct backing *b)
{
	struct backup_in f;
	err e;

	buf_init(&b->base, (size_t)LIM_BACKUP_LIST + BACKUP_HEAD);
	if (b->o->base == NULL)
		return OK;
	TRY(backup_in_open(b->o->base, b->t, &f));
	e = backup_in_list(&f, &b->base, b->t);
	backup_in_close(&f);
	return e;
}

/* ---- the keeper's part of the keys ---- */

static err
slot_of(struct backing *b, const char *name, struct str *ret)
{
	struct slot s[2];
	int fd;
	err e;

	TRY(secret_open(&b->k.dir, name, false, b->t, &fd));
	e = slots_read(fd, s);
	(void)close(fd);
	if (!err_ok(e))
		trail_set(b->t, "%s: %s", name, err_text(e));
	TRY(e);
	*ret = arena_dup(b->k.a, str_of((const char *)s[0].data, s[0].n));
	return arena_check(b->k.a);
}

/* Empty: a credential, which is found by its name only. */
static struct str
root_path(struct backing *b)
{
	struct str set = b->k.config.keys_root;
	const char *p;

	if (set.n > 0 && memchr(set.p, '/', set.n) == NULL)
		return STR("");
	p = datadir_path(&b->k.dir, b->k.a,
	    set.n > 0 ? set : STR("keys/root.key"));
	return p == NULL ? STR("") : str_c(p);
}

/* keys/root.escrow: whole, or there is none. */
static err
escrow(struct backing *b, struct str *ret)
{
	struct trail quiet = {{0}};
	struct buf text;
	int fd;
	err e = secret_open(&b->k.dir, "keys/root.escrow", false, &quiet, &fd);

	*ret = STR("");
	if (err_is(e, E_NOT_FOUND))
		return OK;
	if (!err_ok(e))
		trail_set(b->t, "%s", quiet.detail);
	TRY(e);
	e = fd_read_all(fd, SECRET_FILE_MAX, &text);
	(void)close(fd);
	if (err_ok(e))
		*ret = arena_dup(b->k.a, buf_view(&text));
	buf_wipe(&text);
	TRY(e);
	return arena_check(b->k.a);
}

static err
keeper_out(struct backing *b)
{
	struct backup_tail tail = {.lists = 0};
	struct backup_keeper keeper;
	struct buf body, out;

	TRY(slot_of(b, "keys/audit.key", &keeper.seed));
	TRY(slot_of(b, "keys/keeper.state", &keeper.state));
	keeper.root = root_path(b);
	TRY(escrow(b, &keeper.escrow));
	buf_init_on(&body, b->k.a, (size_t)PATH_MAX + 2 * SECRET_FILE_MAX);
	backup_keeper_put(&body, &keeper);
	TRY(buf_check(&body));
	buf_init_on(&out, b->k.a, (size_t)PATH_MAX + 3 * SECRET_FILE_MAX);
	backup_record_put(&out, RECORD_KEEPER, body.n);
	buf_str(&out, buf_view(&body));
	TRY(buf_check(&out));
	TRY(put(b, buf_view(&out)));
	buf_clear(&out);
	backup_tail_put(&out, &tail);
	TRY(put(b, str_head(buf_view(&out), BACKUP_TAIL - BACKUP_SHA)));
	sha_get(b->at->sha, tail.sha);
	return put(b, str_of((const char *)tail.sha, sizeof tail.sha));
}

/* ---- from file to keys, and to the names ---- */

static err
file_done(struct backing *b)
{
	const char *to = b->o->to, *slash = strrchr(to, '/');
	char name[PATH_MAX + NAME_EXTRA];
	struct backup_in f;

	TRY(read_back(&b->file, b->t));
	TRY(backup_in_open(b->file.part, b->t, &f));
	b->head = f.head;
	backup_in_close(&f);
	(void)snprintf(name, sizeof name, "%.*skeys-%02x%02x%02x%02x.rbk",
	    slash == NULL ? 0 : (int)(slash - to) + 1, to, b->head.org.b[0],
	    b->head.org.b[1], b->head.org.b[2], b->head.org.b[3]);
	b->at = &b->keys;
	return writing_open(&b->keys, b->o->keys != NULL ? b->o->keys : name,
	    b->t);
}

static err
all_done(struct backing *b)
{
	TRY(keeper_out(b));
	TRY(read_back(&b->keys, b->t));
	TRY(take_name(&b->keys, true, b->t));
	TRY(making_sync_parent(b->keys.path, b->t));
	TRY(take_name(&b->file, false, b->t));
	return making_sync_parent(b->file.path, b->t);
}

/* ---- beside a server ---- */

static err
hear(struct backing *b, int ms, struct str *ret)
{
	const struct json *j;
	struct buf line;

	buf_init_on(&line, b->k.a, TALK_ANSWER_MAX);
	TRY(talk_hear(b->fd, ms, &line));
	*ret = buf_view(&line);
	return keying_understand(&b->k, *ret, &j);
}

/* The first line: what follows it is no line, and may be here already. */
static err
hear_go(struct backing *b)
{
	const struct json *j;
	struct buf line;
	char c;

	buf_init_on(&line, b->k.a, SAID);
	for (;;) {
		TRY(talk_get(b->fd, LIM_BACKUP_STALL_MS, &c, 1));
		if (c == '\n')
			break;
		buf_char(&line, c);
		TRY(buf_check(&line));
	}
	return keying_understand(&b->k, buf_view(&line), &j);
}

/* Frames until the empty one. */
static err
frames(struct backing *b)
{
	CLEANUP(buf_done) struct buf f;
	struct str said;

	buf_init(&f, FRAME_MAX);
	if (!buf_room(&f, FRAME_MAX))
		return err_of(E_NO_MEMORY);
	for (;;) {
		uint8_t size[4];
		uint32_t n;
		struct cur c;

		TRY(talk_get(b->fd, LIM_BACKUP_STALL_MS, size, sizeof size));
		c = cur_of(str_of((const char *)size, sizeof size));
		n = cur_be32(&c);
		if (n == 0)
			return OK;
		if (n == FRAME_ERROR) {
			TRY(hear(b, LIM_BACKUP_STALL_MS, &said));
			return err_of(E_PEER);
		}
		if (n > FRAME_MAX)
			return err_of(E_PEER);
		TRY(talk_get(b->fd, LIM_BACKUP_STALL_MS, f.p, n));
		TRY(put(b, str_of(f.p, n)));
	}
}

static err
online(struct backing *b)
{
	char ask[64];

	/* The server's work is more urgent than writing this down. */
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	TRY(keying_connect(&b->k, &b->fd));
	(void)snprintf(ask, sizeof ask, "backup %zu", b->base.n);
	TRY(talk_say(b->fd, TALK_MS, str_c(ask)));
	TRY(hear_go(b));
	TRY(talk_put(b->fd, LIM_BACKUP_STALL_MS, buf_view(&b->base)));
	TRY(frames(b));
	TRY(file_done(b));
	TRY(frames(b));
	TRY(all_done(b));
	TRY(talk_say(b->fd, TALK_MS, STR("verified")));
	return hear(b, LIM_BACKUP_STALL_MS, &b->said);
}

/* ---- without one ---- */

static err
offline(struct backing *b)
{
	struct backup_made made;
	struct backup_job j = {.put = put,
	    .ctx = b,
	    .by = b->k.by,
	    .base_head = str_head(buf_view(&b->base), BACKUP_HEAD),
	    .base_list = str_skip(buf_view(&b->base), BACKUP_HEAD)};
	struct buf said;

	TRY(keying_local(&b->k));
	(void)snprintf(b->k.by, sizeof b->k.by, "uid:%u offline",
	    (unsigned)getuid());
	j.st = &b->k.local->st;
	TRY(backup_file(&j, b->t, &made));
	TRY(file_done(b));
	TRY(backup_keys(&j, &made, b->t));
	TRY(all_done(b));
	TRY(backup_verified(&j, &made));
	buf_init_on(&said, b->k.a, SAID);
	backup_json(&said, &made);
	b->said = buf_view(&said);
	return buf_check(&said);
}

/* ---- the whole ---- */

static err
told(struct backing *b, struct str *ret)
{
	struct buf out;
	struct jw w;

	buf_init_on(&out, b->k.a, (size_t)4 * PATH_MAX);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kbool(&w, "online", b->k.online);
	jw_kstr(&w, "file", str_c(b->file.path));
	jw_kstr(&w, "keys", str_c(b->keys.path));
	jw_raw_members(&w, b->said);
	jw_obj_end(&w);
	*ret = buf_view(&out);
	return buf_check(&out);
}

static err
run(struct backing *b, struct str *ret)
{
	TRY(keying_begin(&b->k, b->o->data, false));
	if (access(b->o->to, F_OK) == 0) {
		trail_set(b->t, "%s is there already", b->o->to);
		return err_of(E_EXISTS);
	}
	TRY(base_read(b));
	b->at = &b->file;
	TRY(writing_open(&b->file, b->o->to, b->t));
	TRY(b->k.online ? online(b) : offline(b));
	return told(b, ret);
}

err
role_backup(struct arena *a, const struct backup_options *o, struct trail *t,
    struct str *ret)
{
	struct backing b = {.k = {.a = a,
				.t = t,
				.dir = {.fd = -1},
				.lock = -1,
				.only_us = -1},
	    .t = t,
	    .o = o,
	    .file = {.fd = -1},
	    .keys = {.fd = -1},
	    .fd = -1};
	err e = run(&b, ret);

	if (b.fd >= 0)
		(void)close(b.fd);
	writing_drop(&b.file);
	writing_drop(&b.keys);
	buf_done(&b.base);
	keying_end(&b.k);
	return e;
}
