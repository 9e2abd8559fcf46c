#include "domain/condition.h"

#include <stdlib.h>

#include "base/json_canon.h"
#include "base/limits.h"
#include "domain/document.h"

enum { COND_DEPTH = 8 };

static const char *const words[] = {"eq", "ne", "lt", "le", "gt", "ge", "in",
    "contains", "exists", "all", "any", "not"};

/* ---- reading ---- */

static err read_cond(struct document *d, const struct at *at,
    const struct json *j, unsigned depth, struct cond *ret);

/* The values of [V, V..] behind those already there. */
static err
read_values(struct document *d, const struct at *at, const struct json *first,
    struct value *ret, size_t n)
{
	size_t i = 0;

	for (const struct json *c = first; i < n && c != NULL;
	     c = c->next, i++) {
		struct at here = at_item(at, i);

		TRY(value_parse(d, &here, c, TYPE_ANY, &ret[i]));
	}
	return OK;
}

static bool
ordered(enum value_type t)
{
	return t == TYPE_STRING || t == TYPE_INTEGER || t == TYPE_NUMBER ||
	    t == TYPE_ANY;
}

static bool
comparable(enum value_type a, enum value_type b)
{
	bool na = a == TYPE_INTEGER || a == TYPE_NUMBER;
	bool nb = b == TYPE_INTEGER || b == TYPE_NUMBER;

	return a == b || a == TYPE_ANY || b == TYPE_ANY || (na && nb);
}

/* What can be told before the run: that it could never hold. */
static err
check_types(struct document *d, const struct at *at, const struct cond *c)
{
	const struct value *v = c->values;

	if (c->kind <= COND_GE && !comparable(v[0].type, v[1].type))
		return refuse(d, at, E_INVALID, "%.*s and %.*s do not compare",
		    STR_ARG(value_type_text(v[0].type)),
		    STR_ARG(value_type_text(v[1].type)));
	if (c->kind >= COND_LT && c->kind <= COND_GE &&
	    (!ordered(v[0].type) || !ordered(v[1].type)))
		return refuse(d, at, E_INVALID,
		    "only numbers and texts have an order");
	if (c->kind == COND_CONTAINS && v[0].type != TYPE_STRING &&
	    v[0].type != TYPE_ARRAY && v[0].type != TYPE_ANY)
		return refuse(d, at, E_INVALID,
		    "only texts and arrays contain something");
	return OK;
}

static err
read_pair(struct document *d, const struct at *at, const struct json *j,
    struct cond *ret)
{
	struct value *v;

	if (j->kind != JSON_ARRAY || j->count != 2)
		return refuse(d, at, E_INVALID, "two values");
	v = arena_array(d->a, 2, sizeof *v);
	if (v == NULL)
		return err_of(E_NO_MEMORY);
	TRY(read_values(d, at, json_first(j), v, 2));
	ret->values = v;
	ret->values_n = 2;
	return check_types(d, at, ret);
}

static err
read_in(struct document *d, const struct at *at, const struct json *j,
    struct cond *ret)
{
	struct at set = at_item(at, 1);
	const struct json *list;
	struct value *v;

	if (j->kind != JSON_ARRAY || j->count != 2)
		return refuse(d, at, E_INVALID, "a value and an array");
	list = json_first(j)->next;
	if (list->kind != JSON_ARRAY || list->count == 0 ||
	    list->count > LIM_RUNBOOK_LIST)
		return refuse(d, &set, E_INVALID, "1 to %d values",
		    LIM_RUNBOOK_LIST);
	v = arena_array(d->a, list->count + 1, sizeof *v);
	if (v == NULL)
		return err_of(E_NO_MEMORY);
	TRY(read_values(d, at, json_first(j), v, 1));
	TRY(read_values(d, &set, json_first(list), v + 1, list->count));
	ret->values = v;
	ret->values_n = list->count + 1;
	return OK;
}

static err
read_exists(struct document *d, const struct at *at, const struct json *j,
    struct cond *ret)
{
	struct value *v = ARENA_NEW(d->a, struct value);

	if (v == NULL)
		return err_of(E_NO_MEMORY);
	ret->values = v;
	ret->values_n = 1;
	return value_parse(d, at, j, TYPE_ANY, v);
}

static err
read_parts(struct document *d, const struct at *at, const struct json *j,
    unsigned depth, struct cond *ret)
{
	bool one = ret->kind == COND_NOT;
	struct cond *parts;
	size_t n = 0;

	if (!one &&
	    (j->kind != JSON_ARRAY || j->count == 0 ||
		j->count > LIM_RUNBOOK_LIST))
		return refuse(d, at, E_INVALID, "1 to %d conditions",
		    LIM_RUNBOOK_LIST);
	parts = arena_array(d->a, one ? 1 : j->count, sizeof *parts);
	if (parts == NULL)
		return err_of(E_NO_MEMORY);
	ret->parts = parts;
	ret->parts_n = one ? 1 : j->count;
	if (one)
		return read_cond(d, at, j, depth + 1, parts);
	for (const struct json *c = json_first(j); c != NULL; c = c->next) {
		struct at here = at_item(at, n);

		TRY(read_cond(d, &here, c, depth + 1, &parts[n++]));
	}
	return OK;
}

/* {"changed": "severity"}: the incident's and the old one's differ. */
static err
read_changed(struct document *d, const struct at *at, const struct json *j,
    struct cond *ret)
{
	struct json *ask = arena_array(d->a, 4, sizeof *ask);
	struct value *v = arena_array(d->a, 2, sizeof *v);

	if (ask == NULL || v == NULL)
		return err_of(E_NO_MEMORY);
	for (unsigned i = 0; i < 2; i++) {
		ask[i] = (struct json){.kind = JSON_OBJECT,
		    .count = 1,
		    .child = &ask[2 + i]};
		ask[2 + i] = *j;
		ask[2 + i].next = NULL;
		ask[2 + i].name = i == 0 ? STR("incident") : STR("old");
		TRY(value_parse(d, at, &ask[i], TYPE_ANY, &v[i]));
	}
	*ret = (struct cond){.kind = COND_NE, .values = v, .values_n = 2};
	return OK;
}

static bool
cond_word(struct str s, enum cond_kind *ret)
{
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
		if (str_is(s, words[i])) {
			*ret = (enum cond_kind)i;
			return true;
		}
	}
	return false;
}

static err
read_cond(struct document *d, const struct at *at, const struct json *j,
    unsigned depth, struct cond *ret)
{
	enum cond_kind kind = COND_NE;
	const struct json *arg;
	struct at here;

	if (depth == COND_DEPTH)
		return refuse(d, at, E_INVALID, "at most %d levels",
		    COND_DEPTH);
	if (j->kind != JSON_OBJECT || j->count != 1)
		return refuse(d, at, E_INVALID,
		    "a condition: an object with one member");
	arg = j->child;
	here = at_member(at, arg->name);
	if (str_is(arg->name, "changed") && (d->sources & 1U << VALUE_OLD) != 0)
		return read_changed(d, &here, arg, ret);
	if (!cond_word(arg->name, &kind))
		return refuse(d, &here, E_INVALID,
		    "eq, ne, lt, le, gt, ge, "
		    "in, contains, exists, all, any or not");
	*ret = (struct cond){.kind = kind};
	if (kind == COND_IN)
		return read_in(d, &here, arg, ret);
	if (kind == COND_EXISTS)
		return read_exists(d, &here, arg, ret);
	if (kind >= COND_ALL)
		return read_parts(d, &here, arg, depth, ret);
	return read_pair(d, &here, arg, ret);
}

err
cond_parse(struct document *d, const struct at *at, const struct json *j,
    struct cond *ret)
{
	return read_cond(d, at, j, 0, ret);
}

/* ---- evaluating ---- */

static int
sign(double a, double b)
{
	return a < b ? -1 : a > b;
}

/* Integers exactly, others as doubles; false when one is no number. */
static bool
compare_numbers(const struct json *a, const struct json *b, int *ret)
{
	int64_t x, y;
	char text[2][64];

	if (a->kind != JSON_NUMBER || b->kind != JSON_NUMBER)
		return false;
	if (json_i64(a, INT64_MIN, INT64_MAX, &x) &&
	    json_i64(b, INT64_MIN, INT64_MAX, &y)) {
		*ret = x < y ? -1 : x > y;
		return true;
	}
	if (a->text.n >= sizeof text[0] || b->text.n >= sizeof text[0])
		return false;
	memcpy(text[0], a->text.p, a->text.n);
	memcpy(text[1], b->text.p, b->text.n);
	text[0][a->text.n] = text[1][b->text.n] = '\0';
	*ret = sign(strtod(text[0], NULL), strtod(text[1], NULL));
	return true;
}

static bool
compare(const struct json *a, const struct json *b, int *ret)
{
	if (a->kind == JSON_STRING && b->kind == JSON_STRING) {
		*ret = str_cmp(a->text, b->text);
		return true;
	}
	return compare_numbers(a, b, ret);
}

static bool
equal(const struct json *a, const struct json *b)
{
	int c;

	return compare_numbers(a, b, &c) ? c == 0 : json_same(a, b);
}

static bool
text_in(struct str s, struct str needle)
{
	return needle.n == 0 ||
	    (s.n > 0 && memmem(s.p, s.n, needle.p, needle.n) != NULL);
}

static bool
contains(const struct json *a, const struct json *b)
{
	if (a->kind == JSON_STRING)
		return b->kind == JSON_STRING && text_in(a->text, b->text);
	if (a->kind != JSON_ARRAY)
		return false;
	for (const struct json *c = json_first(a); c != NULL; c = c->next)
		if (equal(c, b))
			return true;
	return false;
}

static bool
holds(enum cond_kind kind, const struct json *a, const struct json *b)
{
	int c = 0;

	if (kind == COND_EQ || kind == COND_NE)
		return equal(a, b) == (kind == COND_EQ);
	if (kind == COND_CONTAINS)
		return contains(a, b);
	if (!compare(a, b, &c))
		return false;
	return kind == COND_LT ? c < 0
	    : kind == COND_LE  ? c <= 0
	    : kind == COND_GT  ? c > 0
			       : c >= 0;
}

static err
eval_values(const struct cond *c, const struct scope *s, struct arena *a,
    struct trail *t, bool *ret)
{
	const struct json *left = NULL, *right = NULL;

	TRY(value_eval(&c->values[0], s, a, t, &left));
	if (c->kind == COND_EXISTS) {
		*ret = left->kind != JSON_NULL;
		return OK;
	}
	*ret = false;
	for (size_t i = 1; i < c->values_n && !*ret; i++) {
		TRY(value_eval(&c->values[i], s, a, t, &right));
		*ret = c->kind == COND_IN ? equal(left, right)
					  : holds(c->kind, left, right);
	}
	return OK;
}

err
cond_eval(const struct cond *c, const struct scope *s, struct arena *a,
    struct trail *t, bool *ret)
{
	bool one = false;

	if (c->kind < COND_ALL)
		return eval_values(c, s, a, t, ret);
	for (size_t i = 0; i < c->parts_n; i++) {
		TRY(cond_eval(&c->parts[i], s, a, t, &one));
		if (c->kind == COND_NOT)
			one = !one;
		else if (one == (c->kind == COND_ANY))
			break;
	}
	*ret = one;
	return OK;
}
