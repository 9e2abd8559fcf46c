/*
 * The reader against jansson: both accept or both refuse, and what they
 * read is the same.  Documented differences:
 *
 * - jansson refuses numbers it cannot hold; we keep the digits;
 * - jansson refuses a NUL in a member name;
 * - jansson takes a NUL outside of strings for the end of the document;
 * - our limits.
 *
 * Also: what the writer makes of a document reads back as that document.
 */
/* Both libraries have these names. */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_INTEGER JANSSON_INTEGER
#define JSON_REAL JANSSON_REAL
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_INTEGER
#undef JSON_REAL
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"

static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
    LIM_JSON_VALUES};

#define HOLDS(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

static bool same(const struct json *a, const json_t *b);

static bool
same_array(const struct json *a, const json_t *b)
{
	size_t i = 0;

	if (a->count != json_array_size(b))
		return false;
	for (const struct json *c = a->child; c != NULL; c = c->next)
		if (!same(c, json_array_get(b, i++)))
			return false;
	return i == a->count;
}

static bool
same_object(const struct json *a, const json_t *b)
{
	size_t n = 0;

	if (a->count != json_object_size(b))
		return false;
	for (const struct json *c = a->child; c != NULL; c = c->next, n++) {
		char *key = strndup(c->name.p, c->name.n);
		const json_t *v = key == NULL ? NULL : json_object_get(b, key);

		free(key);
		if (v == NULL || !same(c, v) || json_get(a, c->name) != c)
			return false;
	}
	return n == a->count;
}

static bool
same_number(const struct json *a, const json_t *b)
{
	char *text = strndup(a->text.p, a->text.n);
	double d = text == NULL ? 0 : strtod(text, NULL);
	int64_t v;

	free(text);
	if (json_typeof(b) == JANSSON_REAL)
		return !json_i64(a, INT64_MIN, INT64_MAX, &v) &&
		    memcmp(&d, &(double){json_real_value(b)}, sizeof d) == 0;
	if (!json_i64(a, INT64_MIN, INT64_MAX, &v))
		return str_is(a->text, "-0") && json_integer_value(b) == 0;
	return v == json_integer_value(b);
}

static bool
same(const struct json *a, const json_t *b)
{
	switch (json_typeof(b)) {
	case JANSSON_OBJECT:
		return a->kind == JSON_OBJECT && same_object(a, b);
	case JANSSON_ARRAY:
		return a->kind == JSON_ARRAY && same_array(a, b);
	case JANSSON_STRING:
		return a->kind == JSON_STRING &&
		    str_eq(a->text,
			str_of(json_string_value(b), json_string_length(b)));
	case JANSSON_INTEGER:
	case JANSSON_REAL:
		return a->kind == JSON_NUMBER && same_number(a, b);
	case JANSSON_TRUE:
		return a->kind == JSON_TRUE;
	case JANSSON_FALSE:
		return a->kind == JSON_FALSE;
	case JANSSON_NULL:
		return a->kind == JSON_NULL;
	}
	return false;
}

static const struct json *
parsed(struct arena *a, struct str in)
{
	const struct json *j = NULL;

	HOLDS(err_ok(json_parse(a, in, &lim, NULL, &j)) && j != NULL);
	return j;
}

/* Written, read and written again it is the same text. */
static void
rewrite(const struct json *j)
{
	struct arena a;
	struct buf once, twice;
	struct jw w;

	arena_init(&a, 64 * 1024 * 1024);
	buf_init(&once, LIM_ARENA);
	buf_init(&twice, LIM_ARENA);
	jw_init(&w, &once);
	jw_value(&w, j);
	HOLDS(err_ok(buf_check(&once)));
	jw_init(&w, &twice);
	jw_value(&w, parsed(&a, buf_view(&once)));
	HOLDS(str_eq(buf_view(&once), buf_view(&twice)));
	buf_done(&once);
	buf_done(&twice);
	arena_done(&a);
}

/* Each value's raw text is in the input and is that value. */
static void
raw_is_inside(const struct json *j, struct str in)
{
	HOLDS(j->raw.p >= in.p && j->raw.n <= in.n &&
	    (size_t)(j->raw.p - in.p) <= in.n - j->raw.n);
	for (const struct json *c = j->child; c != NULL; c = c->next)
		raw_is_inside(c, j->raw);
}

static bool
we_may_refuse(err e, struct str in)
{
	return memchr(in.p, '\0', in.n) != NULL || err_is(e, E_TOO_DEEP) ||
	    err_is(e, E_TOO_MANY) || err_is(e, E_NO_MEMORY);
}

static bool
jansson_may_refuse(const json_error_t *e)
{
	return json_error_code(e) == json_error_numeric_overflow ||
	    json_error_code(e) == json_error_null_byte_in_key;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	struct trail t = {""};
	json_error_t theirs;
	const struct json *j = NULL;
	struct arena a;
	json_t *b;
	err e;

	arena_init(&a, LIM_ARENA);
	e = json_parse(&a, in, &lim, &t, &j);
	b = json_loadb((const char *)data, size,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &theirs);
	HOLDS(err_ok(e) == (j != NULL));
	HOLDS(err_ok(e) || err_is(e, E_NO_MEMORY) || t.detail[0] != '\0');
	if (err_ok(e) && b != NULL)
		HOLDS(same(j, b));
	else if (err_ok(e))
		HOLDS(jansson_may_refuse(&theirs));
	else if (b != NULL)
		HOLDS(we_may_refuse(e, in));
	if (err_ok(e)) {
		raw_is_inside(j, in);
		rewrite(j);
	}
	json_decref(b);
	arena_done(&a);
	return 0;
}
