/* epoch.c: see epoch.h. */
#include "audit/epoch.h"

#include <stdio.h>

#include "audit/edge.h"
#include "base/text.h"

enum { MARK = 8, ARENA = 4096 };

static bool
is_mark(struct str s)
{
	if (s.n != MARK)
		return false;
	for (size_t i = 0; i < MARK; i++)
		if ((s.p[i] < '0' || s.p[i] > '9') &&
		    (s.p[i] < 'a' || s.p[i] > 'f'))
			return false;
	return true;
}

bool
epoch_parse(struct str origin, struct epoch *ret)
{
	const char *slash =
	    origin.n == 0 ? NULL : memrchr(origin.p, '/', origin.n);
	struct str number, mark;
	struct epoch e;
	bool marked;

	if (slash == NULL || slash == origin.p)
		return false;
	e.log = str_head(origin, (size_t)(slash - origin.p));
	marked = str_cut(str_skip(origin, e.log.n + 1), '-', &number, &mark);
	if (!str_u64(number, 1, UINT32_MAX, &e.number) ||
	    marked != (e.number > 1) || (marked && !is_mark(mark)))
		return false;
	*ret = e;
	return true;
}

err
epoch_next(struct str origin, const uint8_t mark[4],
    char ret[NOTE_NAME_MAX + 1])
{
	struct buf b = {.p = ret, .cap = NOTE_NAME_MAX, .max = NOTE_NAME_MAX};
	struct epoch e;

	if (!epoch_parse(origin, &e) || e.number == UINT32_MAX)
		return err_of(E_INVALID);
	buf_str(&b, e.log);
	buf_char(&b, '/');
	buf_u64(&b, e.number + 1);
	buf_char(&b, '-');
	hex_add(&b, str_of((const char *)mark, 4));
	if (b.failed)
		return err_of(E_INVALID);
	ret[b.n] = '\0';
	return OK;
}

bool
epoch_follows(struct str origin, struct str next)
{
	struct epoch a, b;

	return epoch_parse(origin, &a) && epoch_parse(next, &b) &&
	    str_eq(a.log, b.log) && b.number == a.number + 1;
}

/* ---- the entry ---- */

err
fork_text(const struct fork *f, struct arena *a, struct str *ret)
{
	struct buf b;

	buf_init_on(&b, a, FORK_TEXT);
	buf_u64(&b, f->size);
	buf_char(&b, ':');
	b64_add(&b, str_of((const char *)f->root.b, HASH_SIZE));
	*ret = buf_view(&b);
	return buf_check(&b);
}

err
fork_fill(const struct fork *f, struct arena *a, struct audit_entry *ret)
{
	struct str text;

	TRY(fork_text(f, a, &text));
	ret->action = AUDIT_FORK;
	ret->resource[0] = (struct audit_resource){STR("log"), f->log};
	ret->resource[1] =
	    (struct audit_resource){STR("log.before"), f->before};
	ret->resource[2] = (struct audit_resource){STR("checkpoint"), text};
	ret->resources = FORK_RESOURCES;
	return OK;
}

bool
fork_is(struct str leaf)
{
	return str_starts(leaf, STR("{\"action\":\"audit.fork\","));
}

static bool
checkpoint_read(struct str s, struct fork *f)
{
	struct str size, root;
	struct arena a;
	bool ok;

	arena_init(&a, ARENA);
	ok = str_cut(s, ':', &size, &root) &&
	    str_u64(size, 0, TREE_SIZE_MAX, &f->size) &&
	    b64_decode(&a, root, &root) && root.n == HASH_SIZE;
	if (ok)
		memcpy(f->root.b, root.p, HASH_SIZE);
	arena_done(&a);
	return ok;
}

err
fork_read(struct str leaf, struct fork *ret)
{
	struct audit_entry e;
	struct str action;
	struct fork f;

	TRY(audit_leaf_view(leaf, &e, &action));
	if (e.resources != FORK_RESOURCES || !str_is(action, "audit.fork") ||
	    !str_is(e.resource[0].type, "log") ||
	    !str_is(e.resource[1].type, "log.before") ||
	    !str_is(e.resource[2].type, "checkpoint") ||
	    !checkpoint_read(e.resource[2].id, &f))
		return err_of(E_CORRUPT);
	f.log = e.resource[0].id;
	f.before = e.resource[1].id;
	if (!epoch_follows(f.before, f.log))
		return err_of(E_CORRUPT);
	*ret = f;
	return OK;
}
