/* backup_in.c: see backup_in.h. */
#include "role/backup_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/sha.h"
#include "base/mem.h"

enum { READ = 1 << 20 };

static err
damaged(struct trail *t, const struct backup_in *f, const char *what)
{
	trail_set(t, "%s: %s", f->path, what);
	return err_of(E_CORRUPT);
}

err
file_get(int fd, uint64_t at, void *ret, size_t n)
{
	char *p = ret;

	while (n > 0) {
		ssize_t got = pread(fd, p, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_of(E_IO);
		if (got == 0)
			return err_of(E_CORRUPT);
		p += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return OK;
}

static err
sha_file(int fd, uint64_t n, struct sha *sha, char *room)
{
	for (uint64_t at = 0; at < n;) {
		size_t part = n - at < READ ? (size_t)(n - at) : READ;

		TRY(file_get(fd, at, room, part));
		sha_add(sha, str_of(room, part));
		at += part;
	}
	return OK;
}

err
file_sha(int fd, uint64_t n, uint8_t ret[BACKUP_SHA])
{
	char *room = mem_new(READ, 1);
	struct sha *sha = NULL;
	err e = room == NULL ? err_of(E_NO_MEMORY) : sha_new(&sha);

	if (err_ok(e))
		e = sha_file(fd, n, sha, room);
	if (err_ok(e))
		sha_get(sha, ret);
	(void)sha_free(sha);
	mem_free(room);
	return e;
}

static err
look(struct backup_in *f, struct trail *t)
{
	char head[BACKUP_HEAD], tail[BACKUP_TAIL];
	struct stat st;

	if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return damaged(t, f, "not a regular file");
	f->size = (uint64_t)st.st_size;
	if (f->size < BACKUP_HEAD + BACKUP_TAIL)
		return damaged(t, f, "no backup, or one that was cut");
	TRY(file_get(f->fd, 0, head, sizeof head));
	if (!err_ok(backup_head_read(str_of(head, sizeof head), &f->head)))
		return damaged(t, f, "no backup of Redoubt");
	TRY(file_get(f->fd, f->size - BACKUP_TAIL, tail, sizeof tail));
	if (!err_ok(backup_tail_read(str_of(tail, sizeof tail), &f->tail)) ||
	    f->tail.list_at < BACKUP_HEAD ||
	    f->tail.list_at > f->size - BACKUP_TAIL)
		return damaged(t, f,
		    "the backup was cut, or its end is damaged");
	return OK;
}

err
backup_in_open(const char *path, struct trail *t, struct backup_in *ret)
{
	struct backup_in f = {.fd = -1};
	err e;

	if (strlen(path) >= sizeof f.path)
		return err_of(E_INVALID);
	memcpy(f.path, path, strlen(path) + 1);
	f.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (f.fd < 0) {
		trail_set(t, "%s: %s", path, strerrordesc_np(errno));
		return err_of(errno == ENOENT ? E_NOT_FOUND
			: errno == EACCES     ? E_DENIED
					      : E_IO);
	}
	e = look(&f, t);
	if (err_ok(e))
		*ret = f;
	else
		(void)close(f.fd);
	return e;
}

void
backup_in_close(struct backup_in *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
}

/* The record at *at, which has to be of that kind; *at goes behind it. */
static err
step(const struct backup_in *f, enum backup_record kind, uint64_t *at,
    struct trail *t)
{
	uint64_t left = f->size - BACKUP_TAIL - *at;
	char head[BACKUP_RECORD];
	uint8_t got = 0;
	uint32_t n = 0;

	if (left < BACKUP_RECORD)
		return damaged(t, f, "a record is not whole");
	TRY(file_get(f->fd, *at, head, sizeof head));
	if (!err_ok(backup_record_read(str_of(head, sizeof head), &got, &n)) ||
	    got != (uint8_t)kind || n > left - BACKUP_RECORD)
		return damaged(t, f, "a record is not what it should be");
	*at += BACKUP_RECORD + n;
	return OK;
}

err
backup_in_whole(const struct backup_in *f, struct trail *t)
{
	uint8_t sha[BACKUP_SHA];
	uint64_t at = BACKUP_HEAD;

	TRY(file_sha(f->fd, f->size - BACKUP_SHA, sha));
	if (memcmp(sha, f->tail.sha, sizeof sha) != 0) /* public: in the file */
		return damaged(t, f, "not the bytes that were written");
	while (at < f->tail.list_at)
		TRY(step(f, RECORD_BLOCK, &at, t));
	for (uint32_t i = 0; i < f->tail.lists; i++)
		TRY(step(f, RECORD_LIST, &at, t));
	if (at != f->size - BACKUP_TAIL)
		return damaged(t, f, "there is more behind its list");
	return OK;
}

err
backup_in_list(const struct backup_in *f, struct buf *b, struct trail *t)
{
	uint64_t n = f->size - BACKUP_TAIL - f->tail.list_at;

	if (n == 0 || n > LIM_BACKUP_LIST)
		return damaged(t, f, "it has no list of blocks");
	if (!buf_room(b, BACKUP_HEAD + n))
		return err_of(E_NO_MEMORY);
	TRY(file_get(f->fd, 0, b->p + b->n, BACKUP_HEAD));
	b->n += BACKUP_HEAD;
	TRY(file_get(f->fd, f->tail.list_at, b->p + b->n, n));
	b->n += n;
	return OK;
}

err
backup_in_block(const struct backup_in *f, const struct backup_block *k,
    struct arena *a, struct stored *ret)
{
	uint64_t end = f->tail.list_at;
	char head[BACKUP_RECORD];
	uint8_t kind;
	uint32_t n;
	char *p;

	if (k->at < BACKUP_HEAD || k->at > end || end - k->at < BACKUP_RECORD ||
	    end - k->at - BACKUP_RECORD < k->n)
		return err_of(E_CORRUPT);
	TRY(file_get(f->fd, k->at, head, sizeof head));
	TRY(backup_record_read(str_of(head, sizeof head), &kind, &n));
	if (kind != RECORD_BLOCK || n != k->n)
		return err_of(E_CORRUPT);
	p = arena_raw(a, (size_t)n + 1);
	TRY(arena_check(a));
	TRY(file_get(f->fd, k->at + BACKUP_RECORD, p, n));
	ret->bytes = str_of(p, n);
	return OK;
}
