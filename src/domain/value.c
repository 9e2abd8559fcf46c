#include "domain/value.h"

#include "base/json_canon.h"
#include "base/limits.h"
#include "domain/document.h"

enum { CONCAT_DEPTH = 4 };

/* ---- types ---- */

static const char *const type_texts[] = {"string", "integer", "number",
    "boolean", "array", "object", "any"};

bool
value_type_parse(struct str s, enum value_type *ret)
{
	for (unsigned i = 0; i < TYPE_ANY; i++) {
		if (str_is(s, type_texts[i])) {
			*ret = (enum value_type)i;
			return true;
		}
	}
	return false;
}

struct str
value_type_text(enum value_type t)
{
	return str_c(type_texts[t]);
}

static enum value_type
type_of(const struct json *j)
{
	int64_t v;

	switch (j->kind) {
	case JSON_STRING:
		return TYPE_STRING;
	case JSON_NUMBER:
		return json_i64(j, INT64_MIN, INT64_MAX, &v) ? TYPE_INTEGER
							     : TYPE_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE:
		return TYPE_BOOLEAN;
	case JSON_ARRAY:
		return TYPE_ARRAY;
	case JSON_OBJECT:
		return TYPE_OBJECT;
	case JSON_NULL:
		break;
	}
	return TYPE_ANY;
}

/* Could something of type `have` be wanted as `want`? */
static bool
fits(enum value_type want, enum value_type have)
{
	return want == TYPE_ANY || have == TYPE_ANY || want == have ||
	    (want == TYPE_NUMBER && have == TYPE_INTEGER) ||
	    (want == TYPE_INTEGER && have == TYPE_NUMBER);
}

bool
value_type_holds(enum value_type t, const struct json *j)
{
	enum value_type have = type_of(j);

	if (j->kind == JSON_NULL)
		return false;
	return t == TYPE_ANY || t == have ||
	    (t == TYPE_NUMBER && have == TYPE_INTEGER);
}

/* ---- reading ---- */

static const struct {
	enum value_kind kind;
	struct str name;
	enum value_type type;
	bool below;
} members[] = {
#define MEMBER(kind, name, type) {kind, {name, sizeof name - 1}, type, false},
#include "domain/values.def"
#undef MEMBER
#define MEMBERS(kind, name, type) {kind, {name, sizeof name - 1}, type, true},
#include "domain/values.def"
#undef MEMBERS
};

static bool
member_type(enum value_kind kind, struct str name, enum value_type *ret)
{
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		if (members[i].kind != kind)
			continue;
		if (members[i].below ? str_starts(name, members[i].name) &&
			    name.n > members[i].name.n
				     : str_eq(name, members[i].name)) {
			*ret = members[i].type;
			return true;
		}
	}
	return false;
}

static bool
reference_kind(struct str word, enum value_kind *ret)
{
	static const char *const words[VALUE_KINDS] = {
	    [VALUE_INPUT] = "input",
	    [VALUE_STEP] = "step",
	    [VALUE_INCIDENT] = "incident",
	    [VALUE_ALERT] = "alert",
	    [VALUE_RUN] = "run",
	    [VALUE_OLD] = "old",
	    [VALUE_ENTRY] = "entry",
	    [VALUE_CONCAT] = "concat",
	    [VALUE_LITERAL] = "literal",
	};

	for (unsigned i = 0; i < VALUE_KINDS; i++) {
		if (str_is(word, words[i])) {
			*ret = (enum value_kind)i;
			return true;
		}
	}
	return false;
}

static err
read_literal(struct document *d, const struct at *at, const struct json *j,
    struct value *ret)
{
	size_t i = 0;

	if (j->kind == JSON_ARRAY) {
		for (const struct json *c = json_first(j); c != NULL;
		     c = c->next, i++) {
			struct at here = at_item(at, i);

			if (c->kind == JSON_ARRAY || c->kind == JSON_OBJECT)
				return refuse(d, &here, E_INVALID,
				    "an array of scalars, or {\"literal\": "
				    "..}");
		}
	}
	*ret = (struct value){.kind = VALUE_LITERAL,
	    .type = type_of(j),
	    .literal = j};
	return OK;
}

static err
read_step(struct document *d, const struct at *at, const struct json *j,
    struct value *ret)
{
	struct at here = at_member(at, STR("step"));
	const char *why = "no such step comes before";

	ret->kind = VALUE_STEP;
	if (j->count != 2 || !json_str(json_get(j, STR("step")), &ret->step) ||
	    !json_str(json_get(j, STR("output")), &ret->name))
		return refuse(d, at, E_INVALID,
		    "{\"step\": \"id\", \"output\": \"name\"}");
	if (d->output == NULL ||
	    !d->output(d->ctx, ret->step, ret->name, &ret->type, &why))
		return refuse(d, &here, E_INVALID, "%s: %.*s", why,
		    SHORT(ret->step));
	return OK;
}

static err
read_member(struct document *d, const struct at *at, const struct json *j,
    struct value *ret)
{
	struct at here = at_member(at, j->child->name);

	if (!json_str(j->child, &ret->name))
		return refuse(d, &here, E_INVALID, "a name");
	if (ret->kind == VALUE_INPUT
		? d->input != NULL && d->input(d->ctx, ret->name, &ret->type)
		: member_type(ret->kind, ret->name, &ret->type))
		return OK;
	return refuse(d, &here, E_INVALID, "there is no %.*s",
	    SHORT(ret->name));
}

static err read_value(struct document *d, const struct at *at,
    const struct json *j, unsigned depth, struct value *ret);

static err
read_concat(struct document *d, const struct at *at, const struct json *list,
    unsigned depth, struct value *ret)
{
	struct at here = at_member(at, STR("concat"));
	struct value *items;
	size_t n = 0;

	if (list->kind != JSON_ARRAY || list->count == 0 ||
	    list->count > LIM_RUNBOOK_LIST || depth == CONCAT_DEPTH)
		return refuse(d, &here, E_INVALID,
		    "1 to %d values, at most %d levels", LIM_RUNBOOK_LIST,
		    CONCAT_DEPTH);
	items = arena_array(d->a, list->count, sizeof *items);
	if (items == NULL)
		return err_of(E_NO_MEMORY);
	for (const struct json *c = json_first(list); c != NULL; c = c->next) {
		struct at item = at_item(&here, n);

		TRY(read_value(d, &item, c, depth + 1, &items[n]));
		if (items[n].type == TYPE_ARRAY ||
		    items[n].type == TYPE_OBJECT || c->kind == JSON_NULL)
			return refuse(d, &item, E_INVALID,
			    "only scalars can be put together");
		n++;
	}
	*ret = (struct value){.kind = VALUE_CONCAT,
	    .type = TYPE_STRING,
	    .items = items,
	    .items_n = n};
	return OK;
}

static err
read_reference(struct document *d, const struct at *at, const struct json *j,
    unsigned depth, struct value *ret)
{
	enum value_kind kind;

	/* "output" may stand first */
	if (json_get(j, STR("step")) != NULL && j->count == 2)
		kind = VALUE_STEP;
	else if (j->count != 1 || !reference_kind(j->child->name, &kind))
		return refuse(d, at, E_INVALID,
		    "a scalar, or {\"input\"|\"step\"|\"incident\"|\"alert\"|"
		    "\"run\"|\"concat\"|\"literal\": ..}");
	if ((d->sources & 1U << kind) == 0)
		return refuse(d, at, E_INVALID, "%.*s is not known here",
		    SHORT(j->child->name));
	*ret = (struct value){.kind = kind, .type = TYPE_ANY};
	if (kind == VALUE_STEP)
		return read_step(d, at, j, ret);
	if (kind == VALUE_CONCAT)
		return read_concat(d, at, j->child, depth, ret);
	if (kind != VALUE_LITERAL)
		return read_member(d, at, j, ret);
	ret->literal = j->child;
	ret->type = type_of(j->child);
	return OK;
}

static err
read_value(struct document *d, const struct at *at, const struct json *j,
    unsigned depth, struct value *ret)
{
	if (j->kind == JSON_OBJECT)
		return read_reference(d, at, j, depth, ret);
	return read_literal(d, at, j, ret);
}

err
value_parse(struct document *d, const struct at *at, const struct json *j,
    enum value_type want, struct value *ret)
{
	TRY(read_value(d, at, j, 0, ret));
	if (fits(want, ret->type))
		return OK;
	return refuse(d, at, E_INVALID, "is %s, wanted is %s",
	    type_texts[ret->type], type_texts[want]);
}

/* ---- evaluating ---- */

static const struct json null_value = {.kind = JSON_NULL, .raw = {"null", 4}};

static const struct json *
found(const struct json *j)
{
	return j == NULL ? &null_value : j;
}

/* "labels.host": the member host of labels, whatever host contains. */
static const struct json *
member(const struct json *doc, struct str name)
{
	struct str head, rest = STR_NONE;

	if (str_cut(name, '.', &head, &rest))
		return found(json_get(json_get(doc, head), rest));
	return found(json_get(doc, name));
}

static const struct json *
new_text(struct arena *a, struct str s)
{
	struct json *j = ARENA_NEW(a, struct json);

	if (j == NULL)
		return NULL;
	*j = (struct json){.kind = JSON_STRING, .text = s};
	return j;
}

static err
eval_concat(const struct value *v, const struct scope *s, struct arena *a,
    struct trail *t, const struct json **ret)
{
	struct buf b;

	buf_init_on(&b, a, LIM_RUNBOOK);
	for (size_t i = 0; i < v->items_n; i++) {
		const struct json *j = NULL;
		struct str text;

		TRY(value_eval(&v->items[i], s, a, t, &j));
		if (j->kind == JSON_ARRAY || j->kind == JSON_OBJECT ||
		    !err_ok(value_as_text(a, j, &text))) {
			trail_set(t, "concat: part %zu is no text", i + 1);
			return err_of(E_INVALID);
		}
		buf_str(&b, text);
	}
	TRY(buf_check(&b));
	*ret = new_text(a, buf_view(&b));
	return err_of(*ret == NULL ? E_NO_MEMORY : E_OK);
}

err
value_eval(const struct value *v, const struct scope *s, struct arena *a,
    struct trail *t, const struct json **ret)
{
	switch (v->kind) {
	case VALUE_LITERAL:
		*ret = v->literal;
		return OK;
	case VALUE_INPUT:
		*ret = found(json_get(s->inputs, v->name));
		return OK;
	case VALUE_STEP:
		*ret = found(json_get(json_get(s->steps, v->step), v->name));
		return OK;
	case VALUE_INCIDENT:
		*ret = member(s->incident, v->name);
		return OK;
	case VALUE_ALERT:
		*ret = member(s->alert, v->name);
		return OK;
	case VALUE_RUN:
		*ret = member(s->run, v->name);
		return OK;
	case VALUE_OLD:
		*ret = member(s->old, v->name);
		return OK;
	case VALUE_ENTRY:
		*ret = member(s->entry, v->name);
		return OK;
	case VALUE_CONCAT:
	case VALUE_KINDS:
		break;
	}
	return eval_concat(v, s, a, t, ret);
}

err
value_as_text(struct arena *a, const struct json *j, struct str *ret)
{
	struct str s = STR_NONE;

	switch (j->kind) {
	case JSON_NULL:
		return err_of(E_INVALID);
	case JSON_TRUE:
		s = STR("true");
		break;
	case JSON_FALSE:
		s = STR("false");
		break;
	case JSON_NUMBER:
	case JSON_STRING:
		s = j->text;
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		TRY(json_canon_text(a, j, LIM_RUNBOOK, &s));
		break;
	}
	if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
		return err_of(E_INVALID);
	*ret = s;
	return OK;
}

bool
value_fixed(const struct value *v)
{
	if (v->kind != VALUE_CONCAT)
		return v->kind == VALUE_LITERAL;
	for (size_t i = 0; i < v->items_n; i++)
		if (!value_fixed(&v->items[i]))
			return false;
	return true;
}
