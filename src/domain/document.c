#include "domain/document.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json_canon.h"

enum { PATH = 120 }; /* of the trail's 191; the rest says what is wrong */

static void
write_path(struct buf *b, const struct at *at)
{
	if (at == NULL)
		return;
	write_path(b, at->up);
	if (at->name.p == NULL) {
		buf_fmt(b, "[%zu]", at->index);
		return;
	}
	if (b->n > 0)
		buf_char(b, '.');
	buf_str(b, at->name);
}

struct str
at_text(struct arena *a, const struct at *at)
{
	struct buf b;

	buf_init_on(&b, a, 4096);
	write_path(&b, at);
	return buf_view(&b);
}

err
refuse(struct document *d, const struct at *at, enum err_code code,
    const char *fmt, ...)
{
	struct str path = at_text(d->a, at);
	bool cut = path.n > PATH;
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	if (cut)
		path = str_skip(path, path.n - PATH);
	if (at == NULL)
		trail_set(d->t, "%s", what);
	else
		trail_set(d->t, "%s%.*s: %s", cut ? ".." : "", STR_ARG(path),
		    what);
	return err_of(code);
}

static bool
name_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0xf0 || s.p[i] == '\0')
			return false;
	return true;
}

/* Recursion is bounded by the reader that made j. */
err
document_plain(struct document *d, const struct at *at, const struct json *j)
{
	size_t i = 0;
	int64_t n;

	if (j->kind == JSON_NUMBER &&
	    !json_i64(j, -JSON_INTEGER_MAX, JSON_INTEGER_MAX, &n))
		return refuse(d, at, E_INVALID,
		    "numbers are integers within 2^53; write others as text");
	if (j->kind == JSON_STRING && memchr(j->text.p, 0, j->text.n) != NULL)
		return refuse(d, at, E_INVALID, "a NUL character");
	for (const struct json *c = json_first(j); c != NULL; c = c->next) {
		struct at here = j->kind == JSON_OBJECT ? at_member(at, c->name)
							: at_item(at, i++);

		if (j->kind == JSON_OBJECT && !name_plain(c->name))
			return refuse(d, at, E_INVALID,
			    "a name has characters that are not for names");
		TRY(document_plain(d, &here, c));
	}
	return OK;
}
