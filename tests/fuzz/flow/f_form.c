/*
 * A form, and where to go after a login: what is taken holds nothing that
 * could be taken for something else, and comes out the same when it is
 * encoded and read again.
 */
#include "base/text.h"
#include "base/utf8.h"
#include "flow/browser.h"
#include "flow/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena a;

static void
encode(struct buf *b, const struct form *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (i > 0)
			buf_char(b, '&');
		url_encode(b, f->field[i].name);
		buf_char(b, '=');
		url_encode(b, f->field[i].value);
	}
}

static void
form(struct str text)
{
	struct form f, again;
	struct buf b;

	if (!err_ok(form_parse(&a, text, &f)))
		return;
	BUG_ON(f.n > LIM_FORM_FIELDS);
	buf_init_on(&b, &a, 1 << 20);
	encode(&b, &f);
	BUG_ON(b.failed || !err_ok(form_parse(&a, buf_view(&b), &again)));
	BUG_ON(again.n != f.n);
	for (size_t i = 0; i < f.n; i++) {
		BUG_ON(f.field[i].name.n == 0);
		BUG_ON(!utf8_valid(f.field[i].value));
		BUG_ON(!str_eq(f.field[i].name, again.field[i].name));
		BUG_ON(!str_eq(f.field[i].value, again.field[i].value));
	}
}

static void
next(struct str s)
{
	if (!next_valid(s))
		return;
	BUG_ON(s.n == 0 || s.n > LIM_NEXT || s.p[0] != '/');
	BUG_ON(s.n > 1 && (s.p[1] == '/' || s.p[1] == '\\'));
	for (size_t i = 0; i < s.n; i++)
		BUG_ON(s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == ':' ||
		    s.p[i] == '\\' || s.p[i] == '@' || s.p[i] == '#');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_of((const char *)data, size);

	if (size > 65536)
		return 0;
	arena_init(&a, LIM_ARENA);
	form(s);
	next(s);
	arena_done(&a);
	return 0;
}
