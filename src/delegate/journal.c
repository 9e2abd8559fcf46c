#include "delegate/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "delegate/home.h"

/* Twice the tasks: a table that is at most half full. */
enum { SLOTS = 2 * LIM_DELEGATE_JOURNAL, LINE = 96, DAY_MS = 86400000 };
_Static_assert((SLOTS & (SLOTS - 1)) == 0, "a power of two");

struct entry {
	struct uuid task; /* all zero: free */
	uint64_t fence;
	int64_t expires;
	bool started;
};

struct journal {
	int dir, fd;
	size_t n;
	struct entry entry[SLOTS];
};

/* Where it is, or would be.  Ids are random enough to be their own hash. */
static struct entry *
find(struct journal *j, const struct uuid *task)
{
	size_t i = 0;

	for (unsigned k = 8; k < 16; k++)
		i = i << 8 | task->b[k];
	for (;; i++) {
		struct entry *e = &j->entry[i & (SLOTS - 1)];

		if (uuid_is_zero(&e->task) || uuid_eq(&e->task, task))
			return e;
	}
}

static struct entry *
put(struct journal *j, const struct uuid *task)
{
	struct entry *e = find(j, task);

	if (uuid_is_zero(&e->task)) {
		if (j->n == LIM_DELEGATE_JOURNAL)
			return NULL;
		e->task = *task;
		j->n++;
	}
	return e;
}

static void
line_add(struct buf *b, const struct entry *e)
{
	char id[UUID_TEXT + 1];

	uuid_text(&e->task, id);
	buf_c(b, "started ");
	buf_c(b, id);
	buf_char(b, ' ');
	buf_u64(b, e->fence);
	buf_char(b, ' ');
	buf_i64(b, e->expires);
	buf_char(b, '\n');
}

static bool
line_read(struct str line, struct entry *ret)
{
	struct str word, task, fence;

	*ret = (struct entry){.started = true};
	return str_cut(line, ' ', &word, &line) && str_is(word, "started") &&
	    str_cut(line, ' ', &task, &line) && uuid_parse(task, &ret->task) &&
	    !uuid_is_zero(&ret->task) && str_cut(line, ' ', &fence, &line) &&
	    str_u64(fence, 1, INT64_MAX, &ret->fence) &&
	    str_i64(line, 0, INT64_MAX, &ret->expires);
}

/* ---- the file ---- */

static err
lines_load(struct journal *j, struct str text, struct trail *t)
{
	struct str line;
	struct entry e, *to;
	size_t n = 0;

	while (text.n > 0) {
		if (!str_cut(text, '\n', &line, &text))
			break; /* cut by a crash */
		n++;
		if (!line_read(line, &e)) {
			trail_set(t, "journal: line %zu is none", n);
			return err_of(E_CORRUPT);
		}
		to = put(j, &e.task);
		if (to == NULL) {
			trail_set(t, "journal: it has too many lines");
			return err_of(E_CORRUPT);
		}
		if (!to->started || e.fence > to->fence)
			*to = e;
	}
	return OK;
}

/* Append what is durable from then on. */
static err
file_open(struct journal *j)
{
	if (j->fd >= 0)
		(void)close(j->fd);
	j->fd = openat(j->dir, "journal",
	    O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	return err_of(j->fd >= 0 ? E_OK : E_IO);
}

/*
 * All that is still worth remembering, written anew; the table too, for
 * taking entries out of one of this kind leaves holes.
 */
static err
rewrite(struct journal *j, int64_t before)
{
	size_t kept = 0;
	struct entry *keep = mem_new(j->n + 1, sizeof *keep);
	struct buf b;
	err e;

	if (keep == NULL)
		return err_of(E_NO_MEMORY);
	buf_init(&b, (size_t)LIM_DELEGATE_JOURNAL * LINE);
	for (size_t i = 0; i < SLOTS; i++) {
		if (uuid_is_zero(&j->entry[i].task) ||
		    j->entry[i].expires < before)
			continue;
		keep[kept++] = j->entry[i];
		if (j->entry[i].started)
			line_add(&b, &j->entry[i]);
	}
	e = buf_check(&b);
	if (err_ok(e))
		e = home_write(j->dir, "journal", 0600, buf_view(&b));
	if (err_ok(e)) {
		memset(j->entry, 0, sizeof j->entry);
		j->n = 0;
		for (size_t i = 0; i < kept; i++)
			*put(j, &keep[i].task) = keep[i];
		e = file_open(j);
	}
	buf_done(&b);
	mem_free(keep);
	return e;
}

static err
load(struct journal *j, int64_t now, struct trail *t)
{
	struct buf b;
	err e;

	buf_init(&b, (size_t)LIM_DELEGATE_JOURNAL * LINE);
	e = home_read(j->dir, "journal", &b);
	if (err_is(e, E_NOT_FOUND))
		e = OK;
	else if (err_ok(e))
		e = lines_load(j, buf_view(&b), t);
	else
		trail_set(t, "journal: it cannot be read");
	buf_done(&b);
	/* Also takes a line away that a crash has cut. */
	return err_ok(e) ? rewrite(j, now - 30 * (int64_t)DAY_MS) : e;
}

err
journal_open(int dir, int64_t now, struct trail *t, struct journal **ret)
{
	struct journal *j = mem_new(1, sizeof *j);
	err e;

	if (j == NULL)
		return err_of(E_NO_MEMORY);
	j->dir = dir;
	j->fd = -1;
	e = load(j, now, t);
	if (err_ok(e))
		*ret = j;
	else
		journal_close(j);
	return e;
}

struct journal *
journal_close(struct journal *j)
{
	if (j == NULL)
		return NULL;
	if (j->fd >= 0)
		(void)close(j->fd);
	mem_free(j);
	return NULL;
}

size_t
journal_size(const struct journal *j)
{
	return j->n;
}

/* ---- what it is asked ---- */

/* A place for it, if need be of what expired a day ago. */
static struct entry *
place(struct journal *j, const struct uuid *task, int64_t now)
{
	struct entry *e = put(j, task);

	if (e == NULL && err_ok(rewrite(j, now - DAY_MS)))
		e = put(j, task);
	return e;
}

enum reason
journal_offered(struct journal *j, const struct uuid *task, uint64_t fence,
    int64_t expires, int64_t now)
{
	struct entry *e = place(j, task, now);

	if (e == NULL)
		return REASON_JOURNAL;
	if (e->started)
		return REASON_REPLAYED;
	if (e->fence > fence)
		return REASON_FENCE_OLD;
	e->fence = fence;
	e->expires = expires;
	return REASON_NONE;
}

static err
append(struct journal *j, const struct entry *e)
{
	char line[LINE];
	struct buf b = {.p = line, .cap = sizeof line, .max = sizeof line};
	ssize_t n;

	line_add(&b, e);
	TRY(buf_check(&b));
	if (j->fd < 0)
		return err_of(E_IO);
	n = write(j->fd, line, b.n);
	if (n == (ssize_t)b.n && fdatasync(j->fd) == 0)
		return OK;
	/* What is in the file now is not known: nothing follows it. */
	(void)close(j->fd);
	j->fd = -1;
	return err_of(errno == ENOSPC ? E_NO_SPACE : E_IO);
}

err
journal_started(struct journal *j, const struct uuid *task, uint64_t fence,
    int64_t expires, int64_t now)
{
	struct entry *e = place(j, task, now);

	if (e == NULL)
		return err_of(E_LIMIT);
	if (e->started)
		return err_of(E_EXISTS);
	e->started = true;
	e->fence = fence;
	e->expires = expires;
	return append(j, e);
}
