/*
 * The reader of json.h.  It keeps its own stack, so a document cannot make
 * it recurse; checks happen in one pass; only a string with escapes is ever
 * copied.
 */
#include "base/json.h"
#include "base/rand.h"

enum {
	DEPTH_MAX = 64,	  /* whatever the caller allows; jw has as much */
	PAIRWISE_MAX = 12 /* members compared each with each */
};

struct frame {
	struct json *container;
	struct json **tail; /* where the next child is linked */
};

struct reader {
	struct arena *arena;
	const char *start, *p, *end;
	const struct json_limits *lim;
	struct trail *trail;
	uint32_t values;
	uint32_t depth;
	struct frame stack[DEPTH_MAX];
	const struct json **table; /* for finding duplicates, reused */
	size_t table_size;
	uint64_t seed;
};

static err
refuse(const struct reader *r, enum err_code code, const char *what)
{
	trail_set(r->trail, "byte %zu: %s", (size_t)(r->p - r->start), what);
	return err_of(code);
}

static struct str
rest(const struct reader *r)
{
	return str_of(r->p, (size_t)(r->end - r->p));
}

static void
space(struct reader *r)
{
	while (r->p < r->end &&
	    (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
		r->p++;
}

static bool
take(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* ---- strings ---- */

static bool
hex4(struct str s, uint32_t *ret)
{
	uint32_t v = 0;

	if (s.n < 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		char c = s.p[i];
		char low = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			v = v << 4 | (uint32_t)(low - 'a' + 10);
		else
			return false;
	}
	*ret = v;
	return true;
}

/* At a \uXXXX or a pair of them: the character and how long it was. */
static bool
unicode_escape(struct str s, uint32_t *ret, size_t *ret_n)
{
	uint32_t c, low;

	if (!hex4(str_skip(s, 2), &c) || (c >= 0xdc00 && c < 0xe000))
		return false;
	*ret_n = 6;
	*ret = c;
	if (c < 0xd800 || c >= 0xe000)
		return true;
	s = str_skip(s, 6);
	if (!str_starts(s, STR("\\u")) || !hex4(str_skip(s, 2), &low) ||
	    low < 0xdc00 || low >= 0xe000)
		return false;
	*ret_n = 12;
	*ret = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

static char
short_escape(char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/':
		return c;
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return '\0';
	}
}

static err
skip_escape(struct reader *r)
{
	struct str s = rest(r);
	uint32_t c;
	size_t n = 2;

	if (s.n < 2)
		return refuse(r, E_BAD_JSON, "string without end");
	if (s.p[1] == 'u' && !unicode_escape(s, &c, &n))
		return refuse(r, E_BAD_JSON, "unacceptable \\u escape");
	if (s.p[1] != 'u' && short_escape(s.p[1]) == '\0')
		return refuse(r, E_BAD_JSON, "unknown escape");
	r->p += n;
	return OK;
}

/* One byte or character of a string that is not plain ASCII. */
static err
skip_other(struct reader *r, bool *escaped)
{
	size_t n;

	if (*r->p == '\\') {
		*escaped = true;
		return skip_escape(r);
	}
	if ((unsigned char)*r->p < 0x20)
		return refuse(r, E_BAD_JSON, "control character in a string");
	n = utf8_char(rest(r));
	if (n == 0)
		return refuse(r, E_BAD_UTF8, "invalid UTF-8");
	r->p += n;
	return OK;
}

static char *
put_char(char *at, uint32_t c)
{
	if (c < 0x80) {
		*at++ = (char)c;
		return at;
	}
	if (c < 0x800) {
		*at++ = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		*at++ = (char)(0xe0 | c >> 12);
		*at++ = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		*at++ = (char)(0xf0 | c >> 18);
		*at++ = (char)(0x80 | (c >> 12 & 0x3f));
		*at++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*at++ = (char)(0x80 | (c & 0x3f));
	return at;
}

/* s was checked; no escape is shorter than what it stands for. */
static struct str
unescape(struct arena *a, struct str s)
{
	char *out = arena_raw(a, s.n), *at = out;

	if (out == NULL)
		return STR_NONE;
	while (s.n > 0) {
		const char *b = memchr(s.p, '\\', s.n);
		size_t n = b == NULL ? s.n : (size_t)(b - s.p);
		uint32_t c;

		memcpy(at, s.p, n);
		at += n;
		s = str_skip(s, n);
		if (s.n < 2)
			break;
		n = 2;
		if (s.p[1] != 'u')
			*at++ = short_escape(s.p[1]);
		else if (unicode_escape(s, &c, &n))
			at = put_char(at, c);
		s = str_skip(s, n);
	}
	return str_of(out, (size_t)(at - out));
}

/* Stands behind the opening quote, leaves behind the closing one. */
static err
read_string(struct reader *r, struct str *ret)
{
	const char *first = r->p;
	bool escaped = false;

	for (;;) {
		r->p += utf8_plain(rest(r));
		if (r->p == r->end)
			return refuse(r, E_BAD_JSON, "string without end");
		if (*r->p == '"')
			break;
		TRY(skip_other(r, &escaped));
	}
	*ret = str_of(first, (size_t)(r->p - first));
	r->p++;
	if (escaped)
		*ret = unescape(r->arena, *ret);
	return arena_check(r->arena);
}

/* ---- numbers and words ---- */

static bool
digits(struct reader *r)
{
	const char *first = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return r->p > first;
}

static err
read_number(struct reader *r, struct json *j)
{
	const char *first = r->p;
	bool good;

	if (first == r->end ||
	    (*first != '-' && (*first < '0' || *first > '9')))
		return refuse(r, E_BAD_JSON, "a value was expected");
	take(r, '-');
	good = take(r, '0') || digits(r);
	if (good && take(r, '.'))
		good = digits(r);
	if (good && (take(r, 'e') || take(r, 'E'))) {
		if (!take(r, '-'))
			take(r, '+');
		good = digits(r);
	}
	if (!good)
		return refuse(r, E_BAD_JSON, "malformed number");
	j->kind = JSON_NUMBER;
	j->text = str_of(first, (size_t)(r->p - first));
	return OK;
}

static err
read_word(struct reader *r, struct json *j, struct str word,
    enum json_kind kind)
{
	if (!str_starts(rest(r), word))
		return refuse(r, E_BAD_JSON, "unknown word");
	r->p += word.n;
	j->kind = kind;
	return OK;
}

/* ---- duplicate members ---- */

static bool
same_name(const struct json *a, const struct json *b)
{
	return a->name.n == b->name.n &&
	    (a->name.n == 0 ||
		(a->name.p[0] == b->name.p[0] &&
		    memcmp(a->name.p, b->name.p, a->name.n) == 0));
}

static err
refuse_duplicate(const struct reader *r, const struct json *j)
{
	struct str shown = str_head(j->name, 80);

	trail_set(r->trail, "byte %zu: member \"%.*s\" is given twice",
	    (size_t)(j->raw.p - r->start), STR_ARG(shown));
	return err_of(E_DUPLICATE_KEY);
}

static err
pairwise(const struct reader *r, const struct json *obj)
{
	for (const struct json *a = obj->child; a != NULL; a = a->next)
		for (const struct json *b = a->next; b != NULL; b = b->next)
			if (same_name(a, b))
				return refuse_duplicate(r, b);
	return OK;
}

__extension__ typedef unsigned __int128 u128;

/* Multiply and fold, keyed: names that collide cannot be prepared. */
static uint64_t
name_hash(uint64_t seed, struct str s)
{
	uint64_t h = seed ^ s.n, w;

	for (;;) {
		size_t n = s.n < sizeof w ? s.n : sizeof w;
		u128 m;

		w = 0;
		memcpy(&w, s.p, n);
		m = (u128)(h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
		h = (uint64_t)m ^ (uint64_t)(m >> 64) ^ seed;
		s = str_skip(s, n);
		if (s.n == 0)
			return h;
	}
}

/* Room for `size` members, a power of two, all empty. */
static bool
table_ready(struct reader *r, size_t size)
{
	if (size > r->table_size) {
		r->table = arena_array(r->arena, size, sizeof *r->table);
		r->table_size = size;
	} else {
		memset(r->table, 0, size * sizeof *r->table);
	}
	if (r->seed == 0)
		rand_bytes(&r->seed, sizeof r->seed);
	return r->table != NULL;
}

static err
by_table(struct reader *r, const struct json *obj)
{
	size_t size = 32;

	while (size / 2 < obj->count)
		size *= 2;
	if (!table_ready(r, size))
		return err_of(E_NO_MEMORY);
	for (const struct json *j = obj->child; j != NULL; j = j->next) {
		size_t i = (size_t)name_hash(r->seed, j->name) & (size - 1);

		for (; r->table[i] != NULL; i = (i + 1) & (size - 1))
			if (same_name(r->table[i], j))
				return refuse_duplicate(r, j);
		r->table[i] = j;
	}
	return OK;
}

/* ---- structure ---- */

static struct frame *
top(struct reader *r)
{
	return &r->stack[r->depth - 1];
}

static err
open_container(struct reader *r, struct json *j)
{
	if (r->depth == r->lim->depth || r->depth == DEPTH_MAX)
		return refuse(r, E_TOO_DEEP, "nested too deeply");
	j->kind = *r->p == '{' ? JSON_OBJECT : JSON_ARRAY;
	r->p++;
	r->stack[r->depth++] = (struct frame){j, &j->child};
	return OK;
}

static err
close_container(struct reader *r)
{
	struct json *j = top(r)->container;

	r->depth--;
	j->raw.n = (size_t)(r->p - j->raw.p);
	if (j->kind == JSON_ARRAY)
		return OK;
	return j->count <= PAIRWISE_MAX ? pairwise(r, j) : by_table(r, j);
}

static err
read_value(struct reader *r, struct json *j)
{
	const char *first = r->p;

	j->raw.p = first;
	switch (r->p == r->end ? '\0' : *r->p) {
	case '{':
	case '[':
		return open_container(r, j);
	case '"':
		r->p++;
		j->kind = JSON_STRING;
		TRY(read_string(r, &j->text));
		break;
	case 't':
		TRY(read_word(r, j, STR("true"), JSON_TRUE));
		break;
	case 'f':
		TRY(read_word(r, j, STR("false"), JSON_FALSE));
		break;
	case 'n':
		TRY(read_word(r, j, STR("null"), JSON_NULL));
		break;
	default:
		TRY(read_number(r, j));
	}
	j->raw.n = (size_t)(r->p - first);
	return OK;
}

static err
value_new(struct reader *r, struct json **ret)
{
	if (r->values == r->lim->values)
		return refuse(r, E_TOO_MANY, "too many values");
	r->values++;
	*ret = ARENA_NEW(r->arena, struct json);
	return arena_check(r->arena);
}

/* A member or item; stands where it begins. */
static err
read_child(struct reader *r)
{
	struct frame *f = top(r);
	struct json *j;

	TRY(value_new(r, &j));
	if (f->container->kind == JSON_OBJECT) {
		if (f->container->count == r->lim->members)
			return refuse(r, E_TOO_MANY, "too many members");
		if (!take(r, '"'))
			return refuse(r, E_BAD_JSON, "a name was expected");
		TRY(read_string(r, &j->name));
		space(r);
		if (!take(r, ':'))
			return refuse(r, E_BAD_JSON, "':' was expected");
		space(r);
	}
	*f->tail = j;
	f->tail = &j->next;
	f->container->count++;
	return read_value(r, j);
}

/* Go on inside the innermost container, until none is open. */
static err
read_rest(struct reader *r)
{
	while (r->depth > 0) {
		const struct json *in = top(r)->container;
		bool object = in->kind == JSON_OBJECT;

		space(r);
		if (take(r, object ? '}' : ']')) {
			TRY(close_container(r));
			continue;
		}
		if (in->count > 0) {
			if (!take(r, ','))
				return refuse(r, E_BAD_JSON,
				    object ? "',' or '}' was expected"
					   : "',' or ']' was expected");
			space(r);
		}
		TRY(read_child(r));
	}
	return OK;
}

err
json_parse(struct arena *a, struct str in, const struct json_limits *lim,
    struct trail *t, const struct json **ret)
{
	struct reader r = {.arena = a, .lim = lim, .trail = t};
	struct json *root;

	if (in.n == 0)
		in = STR("");
	r.start = r.p = in.p;
	r.end = in.p + in.n;
	space(&r);
	TRY(value_new(&r, &root));
	TRY(read_value(&r, root));
	TRY(read_rest(&r));
	space(&r);
	if (r.p != r.end)
		return refuse(&r, E_BAD_JSON, "text after the document");
	*ret = root;
	return OK;
}

/* ---- access ---- */

const struct json *
json_get(const struct json *obj, struct str name)
{
	if (obj == NULL || obj->kind != JSON_OBJECT)
		return NULL;
	for (const struct json *j = obj->child; j != NULL; j = j->next)
		if (str_eq(j->name, name))
			return j;
	return NULL;
}

bool
json_str(const struct json *j, struct str *ret)
{
	if (j == NULL || j->kind != JSON_STRING)
		return false;
	*ret = j->text;
	return true;
}

bool
json_i64(const struct json *j, int64_t min, int64_t max, int64_t *ret)
{
	return j != NULL && j->kind == JSON_NUMBER &&
	    str_i64(j->text, min, max, ret);
}

bool
json_bool(const struct json *j, bool *ret)
{
	if (j == NULL || (j->kind != JSON_TRUE && j->kind != JSON_FALSE))
		return false;
	*ret = j->kind == JSON_TRUE;
	return true;
}

struct str
json_str_at(const struct json *obj, struct str name)
{
	struct str s = STR_NONE;

	return json_str(json_get(obj, name), &s) ? s : STR_NONE;
}
