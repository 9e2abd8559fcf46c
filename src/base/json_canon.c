#include "base/json_canon.h"
#include "base/mem.h"

enum { FEW = 24 }; /* members sorted where they are on the stack */

static int
by_name(const struct json *a, const struct json *b)
{
	size_t n = a->name.n < b->name.n ? a->name.n : b->name.n;
	int c = n == 0 ? 0 : memcmp(a->name.p, b->name.p, n);

	if (c != 0)
		return c;
	return a->name.n < b->name.n ? -1 : a->name.n > b->name.n;
}

/* The heap property below `at`, of n members. */
static void
sift(const struct json **m, size_t at, size_t n)
{
	for (size_t kid; (kid = 2 * at + 1) < n; at = kid) {
		const struct json *t = m[at];

		if (kid + 1 < n && by_name(m[kid], m[kid + 1]) < 0)
			kid++;
		if (by_name(t, m[kid]) >= 0)
			return;
		m[at] = m[kid];
		m[kid] = t;
	}
}

/* In place and never worse than n log n, whoever chose the names. */
static void
sort(const struct json **m, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift(m, i, n);
	for (size_t i = n; i-- > 1;) {
		const struct json *t = m[0];

		m[0] = m[i];
		m[i] = t;
		sift(m, 0, i);
	}
}

/* No character beyond the BMP: those begin with 0xf0 and more. */
static bool
sortable(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] >= 0xf0)
			return false;
	return true;
}

static err value(struct jw *w, const struct json *v);

static err
members(struct jw *w, const struct json *v, const struct json **m)
{
	size_t n = 0;

	for (const struct json *c = json_first(v); c != NULL; c = c->next) {
		if (!sortable(c->name))
			return err_of(E_INVALID);
		m[n++] = c;
	}
	BUG_ON(n != v->count);
	sort(m, n);
	jw_obj(w);
	for (size_t i = 0; i < n; i++) {
		jw_name(w, m[i]->name);
		TRY(value(w, m[i]));
	}
	jw_obj_end(w);
	return OK;
}

/* Many members are sorted outside of the stack: levels add up. */
static err
object(struct jw *w, const struct json *v)
{
	const struct json *few[FEW], **many;
	err e;

	if (v->count <= FEW)
		return members(w, v, few);
	many = mem_new(v->count, sizeof(const struct json *));
	if (many == NULL)
		return err_of(E_NO_MEMORY);
	e = members(w, v, many);
	mem_free(many);
	return e;
}

static err
array(struct jw *w, const struct json *v)
{
	jw_arr(w);
	for (const struct json *c = json_first(v); c != NULL; c = c->next)
		TRY(value(w, c));
	jw_arr_end(w);
	return OK;
}

static err
number(struct jw *w, const struct json *v)
{
	int64_t i;

	if (!json_i64(v, -JSON_INTEGER_MAX, JSON_INTEGER_MAX, &i))
		return err_of(E_INVALID);
	jw_i64(w, i);
	return OK;
}

/* Recursion is bounded by the reader that made v. */
static err
value(struct jw *w, const struct json *v)
{
	switch (v->kind) {
	case JSON_OBJECT:
		return object(w, v);
	case JSON_ARRAY:
		return array(w, v);
	case JSON_NUMBER:
		return number(w, v);
	case JSON_STRING:
		jw_str(w, v->text);
		return OK;
	case JSON_TRUE:
	case JSON_FALSE:
		jw_bool(w, v->kind == JSON_TRUE);
		return OK;
	case JSON_NULL:
		break;
	}
	jw_null(w);
	return OK;
}

err
json_canon(const struct json *v, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	TRY(value(&w, v));
	return buf_check(out);
}

err
json_canon_text(struct arena *a, const struct json *v, size_t max,
    struct str *ret)
{
	struct buf b;

	buf_init_on(&b, a, max);
	TRY(json_canon(v, &b));
	*ret = buf_view(&b);
	return OK;
}

bool
json_is_canon(struct str text, const struct json *v)
{
	struct buf b;
	bool same;

	buf_init(&b, text.n + 1);
	same = err_ok(json_canon(v, &b)) && str_eq(buf_view(&b), text);
	buf_done(&b);
	return same;
}

static bool
same_children(const struct json *a, const struct json *b)
{
	const struct json *y = json_first(b);

	if (a->count != b->count)
		return false;
	for (const struct json *x = json_first(a); x != NULL; x = x->next) {
		const struct json *o = y;

		if (a->kind == JSON_OBJECT)
			o = json_get(b, x->name);
		else
			y = y->next;
		if (o == NULL || !json_same(x, o))
			return false;
	}
	return true;
}

bool
json_same(const struct json *a, const struct json *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == JSON_OBJECT || a->kind == JSON_ARRAY)
		return same_children(a, b);
	if (a->kind == JSON_STRING || a->kind == JSON_NUMBER)
		return str_eq(a->text, b->text);
	return true;
}
