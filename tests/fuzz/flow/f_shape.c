/*
 * A body against every schema: what passes has only members that may be set,
 * all that are required, and values within their limits.
 */
#include "base/json.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "flow/line.h"
#include "flow/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct field *
field_of(enum schema s, struct str name)
{
	for (size_t i = 0; i < fields_n; i++)
		if (fields[i].schema == s && str_eq(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static size_t
chars(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void
text_within(const struct field *f, struct str s)
{
	BUG_ON(!utf8_valid(s));
	switch (f->type) {
	case FT_NAME:
		BUG_ON(s.n == 0 || chars(s) > f->max);
		for (size_t i = 0; i < s.n; i++)
			BUG_ON((unsigned char)s.p[i] < 0x20);
		break;
	case FT_TEXT:
	case FT_STRING:
	case FT_LINK:
		BUG_ON(s.n > f->max);
		break;
	case FT_SLUG:
		BUG_ON(s.n == 0 || s.n > 63);
		break;
	case FT_EMAIL:
		BUG_ON(s.n > 254 || memchr(s.p, '@', s.n) == NULL);
		break;
	default:
		break;
	}
}

static void
within(const struct field *f, const struct json *j)
{
	if (j->kind == JSON_NULL) {
		BUG_ON((f->set & FIELD_N) == 0);
		return;
	}
	if (j->kind == JSON_STRING)
		text_within(f, j->text);
	if (j->kind == JSON_ARRAY || f->type == FT_LABELS)
		BUG_ON(j->count > f->max);
	if (f->type == FT_OBJECT)
		BUG_ON(j->kind != JSON_OBJECT || j->raw.n > f->max);
}

static void
passed(enum schema s, unsigned set, const struct json *body)
{
	BUG_ON(body->kind != JSON_OBJECT);
	for (const struct json *j = body->child; j != NULL; j = j->next) {
		const struct field *f = field_of(s, j->name);

		BUG_ON(f == NULL || (f->set & set) == 0);
		within(f, j);
	}
	for (size_t i = 0; i < fields_n; i++)
		BUG_ON(set == FIELD_C && fields[i].schema == s &&
		    (fields[i].set & FIELD_R) != 0 &&
		    json_get(body, fields[i].name) == NULL);
}

static void
refused(struct arena *a, err e, const struct trail *t)
{
	static const struct json_limits lim = {8, 100, 100};
	const struct json *j;
	struct buf b;

	BUG_ON(err_status(e) != 400 || t->detail[0] == '\0');
	buf_init_on(&b, a, 65536);
	line_problem(&b, e, t, "01a3185c-5000-7112-a5c7-417debdccb64");
	BUG_ON(b.failed);
	BUG_ON(!err_ok(json_parse(a, buf_view(&b), &lim, NULL, &j)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
	    LIM_JSON_VALUES};
	static const unsigned sets[] = {FIELD_C, FIELD_P};
	const struct json *body;
	struct arena a;

	arena_init(&a, LIM_ARENA);
	if (err_ok(json_parse(&a, str_of((const char *)data, size), &lim, NULL,
		&body)))
		for (unsigned s = SCHEMA_NONE; s < SCHEMA_MAX_; s++)
			for (size_t i = 0; i < 2; i++) {
				struct trail t = {""};
				err e = shape_body((enum schema)s, sets[i],
				    body, &t);

				if (err_ok(e))
					passed((enum schema)s, sets[i], body);
				else
					refused(&a, e, &t);
			}
	arena_done(&a);
	return 0;
}
