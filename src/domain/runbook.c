/* runbook.c: the document around the steps. */
#include "domain/runbook.h"

#include "base/id.h"
#include "base/json_canon.h"
#include "domain/runbook_read.h"

static const char *const contexts[] = {"any", "incident", "alert", "none"};

struct str
runbook_context_text(enum runbook_context c)
{
	return str_c(contexts[c]);
}

bool
runbook_slug_valid(struct str s)
{
	struct uuid id;

	if (s.n < 2 || s.n > 63 || s.p[0] == '-' || uuid_parse(s, &id))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= 'a' && s.p[i] <= 'z') &&
		    !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-')
			return false;
	return true;
}

bool
ident_valid(struct str s)
{
	if (s.n == 0 || s.n > 63 || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= 'a' && s.p[i] <= 'z') &&
		    !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '_')
			return false;
	return true;
}

/* ---- what values may refer to ---- */

static bool
input_type(void *ctx, struct str name, enum value_type *ret)
{
	const struct runbook_reader *r = ctx;
	const struct input *in = runbook_input(r->rb, name);

	if (in == NULL)
		return false;
	*ret = in->type;
	return true;
}

/* What every step has besides what its document names. */
static bool
implied(const struct step *s, struct str name, enum value_type *ret)
{
	*ret = TYPE_STRING;
	return str_is(name, "outcome") ||
	    (s->kind == STEP_MANUAL && str_is(name, "note"));
}

static bool
output_type(void *ctx, struct str step, struct str name, enum value_type *ret,
    const char **why)
{
	const struct runbook_reader *r = ctx;
	const struct step *s = NULL;
	size_t at = 0;

	for (size_t i = 0; i < r->n && s == NULL; i++)
		if (str_eq(r->steps[i]->id, step))
			s = r->steps[at = i];
	if (s == NULL)
		return false;
	if (!r->before[at]) {
		*why = "has not ended where this is asked";
		return false;
	}
	for (size_t i = 0; i < s->outputs_n; i++) {
		if (str_eq(s->outputs[i].name, name)) {
			*ret = s->outputs[i].type;
			return true;
		}
	}
	*why = "that step has no such output";
	return implied(s, name, ret);
}

/* ---- inputs ---- */

static bool
one_of(const struct json *list, const struct json *j)
{
	for (const struct json *c = json_first(list); c != NULL; c = c->next)
		if (json_same(c, j))
			return true;
	return false;
}

static bool
within(const struct input *in, const struct json *j)
{
	int64_t v, bound;

	if (!json_i64(j, INT64_MIN, INT64_MAX, &v))
		return in->min == NULL && in->max == NULL;
	return (!json_i64(in->min, INT64_MIN, INT64_MAX, &bound) ||
		   v >= bound) &&
	    (!json_i64(in->max, INT64_MIN, INT64_MAX, &bound) || v <= bound);
}

static int64_t
length(const struct json *j)
{
	return j->kind == JSON_STRING ? (int64_t)j->text.n : (int64_t)j->count;
}

err
input_check(const struct input *in, const struct json *j, const char **why)
{
	static const char *const kinds[] = {"a text", "an integer", "a number",
	    "true or false", "an array", "an object", "anything"};

	*why = kinds[in->type];
	if (!value_type_holds(in->type, j))
		return err_of(E_INVALID);
	*why = "none of those that can be chosen";
	if (in->one_of != NULL && !one_of(in->one_of, j))
		return err_of(E_INVALID);
	*why = "out of bounds";
	if ((in->type == TYPE_INTEGER || in->type == TYPE_NUMBER) &&
	    !within(in, j))
		return err_of(E_INVALID);
	*why = "too long";
	if (in->max_length > 0 && length(j) > in->max_length)
		return err_of(E_INVALID);
	return OK;
}

/* Do the declared bounds make sense for the type? */
static err
bounds_check(struct document *d, const struct at *at, const struct json *j,
    const struct input *in)
{
	bool number = in->type == TYPE_INTEGER || in->type == TYPE_NUMBER;
	bool long_one = in->type == TYPE_STRING || in->type == TYPE_ARRAY;
	struct at here =
	    at_member(at, in->min != NULL ? STR("min") : STR("max"));
	int64_t low, high;

	if ((in->min != NULL || in->max != NULL) && !number)
		return refuse(d, &here, E_INVALID, "only for numbers");
	if (json_i64(in->min, INT64_MIN, INT64_MAX, &low) &&
	    json_i64(in->max, INT64_MIN, INT64_MAX, &high) && low > high)
		return refuse(d, &here, E_INVALID, "more than max");
	here = at_member(at, STR("max_length"));
	if (json_get(j, STR("max_length")) != NULL && !long_one)
		return refuse(d, &here, E_INVALID, "only for texts and arrays");
	here = at_member(at, STR("default"));
	if (in->required && in->fallback != NULL)
		return refuse(d, &here, E_INVALID, "and required");
	return OK;
}

/* Do the values the document gives fit the input it declares? */
static err
samples_check(struct document *d, const struct at *at, const struct input *in)
{
	struct input bare = *in;
	struct at here = at_member(at, STR("enum"));
	const char *why = "";
	size_t i = 0;

	bare.one_of = NULL;
	for (const struct json *c = json_first(in->one_of); c != NULL;
	     c = c->next) {
		struct at item = at_item(&here, i++);

		if (!err_ok(input_check(&bare, c, &why)))
			return refuse(d, &item, E_INVALID, "%s", why);
	}
	here = at_member(at, STR("default"));
	if (in->fallback != NULL &&
	    !err_ok(input_check(in, in->fallback, &why)))
		return refuse(d, &here, E_INVALID, "%s", why);
	return OK;
}

static err
input_parse(struct runbook_reader *r, const struct at *at, const struct json *j,
    struct input *in)
{
	struct at here = at_member(at, STR("name"));
	int64_t max;

	TRY(members_check(&r->d, at, j, OWN_INPUT, OWN_NOTHING));
	in->name = member_str(j, "name");
	if (!ident_valid(in->name))
		return refuse(&r->d, &here, E_INVALID,
		    "a-z, then a-z 0-9 _, at most 63");
	if (runbook_input(r->rb, in->name) != NULL)
		return refuse(&r->d, &here, E_INVALID, "is there twice");
	here = at_member(at, STR("type"));
	if (!value_type_parse(member_str(j, "type"), &in->type))
		return refuse(&r->d, &here, E_INVALID,
		    "string, integer, "
		    "number, boolean, array or object");
	in->description = member_str(j, "description");
	in->required = member_bool(j, "required", false);
	in->fallback = json_get(j, STR("default"));
	in->one_of = json_get(j, STR("enum"));
	in->min = json_get(j, STR("min"));
	in->max = json_get(j, STR("max"));
	if (json_i64(json_get(j, STR("max_length")), 1, LIM_TEXT, &max))
		in->max_length = max;
	TRY(bounds_check(&r->d, at, j, in));
	return samples_check(&r->d, at, in);
}

static err
inputs_parse(struct runbook_reader *r, const struct json *list)
{
	struct at here = at_member(NULL, STR("inputs"));
	struct input *in;

	if (list == NULL || list->count == 0)
		return OK;
	in = arena_array(r->d.a, list->count, sizeof *in);
	if (in == NULL)
		return err_of(E_NO_MEMORY);
	r->rb->inputs = in;
	for (const struct json *c = json_first(list); c != NULL; c = c->next) {
		struct at item = at_item(&here, r->rb->inputs_n);

		TRY(input_parse(r, &item, c, &in[r->rb->inputs_n]));
		r->rb->inputs_n++;
	}
	return OK;
}

/* ---- outputs of the run ---- */

err
output_head(struct document *d, const struct at *at, const struct json *j,
    struct str *ret_name, enum value_type *ret_type)
{
	struct at here = at_member(at, STR("name"));

	*ret_name = member_str(j, "name");
	if (!ident_valid(*ret_name))
		return refuse(d, &here, E_INVALID,
		    "a-z, then a-z 0-9 _, at most 63");
	here = at_member(at, STR("type"));
	if (!value_type_parse(member_str(j, "type"), ret_type))
		return refuse(d, &here, E_INVALID,
		    "string, integer, number, "
		    "boolean, array or object");
	return OK;
}

static err
result_parse(struct runbook_reader *r, const struct at *at,
    const struct json *j, struct result *o)
{
	struct at here = at_member(at, STR("name"));
	struct value *v = ARENA_NEW(r->d.a, struct value);

	if (v == NULL)
		return err_of(E_NO_MEMORY);
	TRY(members_check(&r->d, at, j, OWN_RESULT, OWN_NOTHING));
	TRY(output_head(&r->d, at, j, &o->name, &o->type));
	for (size_t i = 0; i < r->rb->outputs_n; i++)
		if (str_eq(r->rb->outputs[i].name, o->name))
			return refuse(&r->d, &here, E_INVALID,
			    "is there twice");
	o->value = v;
	here = at_member(at, STR("value"));
	return value_parse(&r->d, &here, json_get(j, STR("value")), o->type, v);
}

static err
results_parse(struct runbook_reader *r, const struct json *list)
{
	struct at here = at_member(NULL, STR("outputs"));
	struct result *o;

	if (list == NULL || list->count == 0)
		return OK;
	o = arena_array(r->d.a, list->count, sizeof *o);
	if (o == NULL)
		return err_of(E_NO_MEMORY);
	r->rb->outputs = o;
	for (const struct json *c = json_first(list); c != NULL; c = c->next) {
		struct at item = at_item(&here, r->rb->outputs_n);

		TRY(result_parse(r, &item, c, &o[r->rb->outputs_n]));
		r->rb->outputs_n++;
	}
	return OK;
}

/* ---- the head ---- */

static err
context_parse(struct runbook_reader *r, const struct json *doc)
{
	struct at here = at_member(NULL, STR("context"));
	struct str word = member_str(doc, "context");

	for (unsigned i = 0; i < sizeof contexts / sizeof *contexts; i++) {
		if (str_is(word, contexts[i])) {
			r->rb->context = (enum runbook_context)i;
			return OK;
		}
	}
	return refuse(&r->d, &here, E_INVALID, "any, incident, alert or none");
}

static err
types_parse(struct runbook_reader *r, const struct json *list)
{
	struct at here = at_member(NULL, STR("incident_types"));
	struct str *types;
	size_t n = 0;

	if (list == NULL)
		return OK;
	if (r->rb->context != CONTEXT_INCIDENT && r->rb->context != CONTEXT_ANY)
		return refuse(&r->d, &here, E_INVALID,
		    "only with the context incident or any");
	types = arena_array(r->d.a, list->count, sizeof *types);
	if (types == NULL)
		return err_of(E_NO_MEMORY);
	for (const struct json *c = json_first(list); c != NULL; c = c->next) {
		struct at item = at_item(&here, n);

		if (!json_str(c, &types[n]) || types[n].n == 0 ||
		    types[n].n > LIM_NAME)
			return refuse(&r->d, &item, E_INVALID,
			    "a type of incidents");
		n++;
	}
	r->rb->incident_types = types;
	r->rb->incident_types_n = n;
	return OK;
}

static err
concurrency_parse(struct runbook_reader *r, const struct json *doc)
{
	struct at here = at_member(NULL, STR("concurrency"));
	struct at word_at = at_member(&here, STR("on_limit"));
	const struct json *j = json_get(doc, STR("concurrency"));
	struct str word;

	if (j == NULL)
		return OK;
	TRY(members_check(&r->d, &here, j, OWN_CONCURRENCY, OWN_NOTHING));
	r->rb->limit = member_u32(j, "limit", 0);
	word = member_str(j, "on_limit");
	if (word.n == 0 || str_is(word, "queue"))
		return OK;
	if (!str_is(word, "refuse"))
		return refuse(&r->d, &word_at, E_INVALID, "queue or refuse");
	r->rb->on_limit = LIMIT_REFUSE;
	return OK;
}

static err
head_parse(struct runbook_reader *r, const struct json *doc)
{
	struct at here = at_member(NULL, STR("slug"));
	const struct json *j = json_get(doc, STR("approvals"));

	r->rb->slug = member_str(doc, "slug");
	if (!runbook_slug_valid(r->rb->slug))
		return refuse(&r->d, &here, E_INVALID,
		    "2 to 63 of a-z 0-9 -, no uuid");
	r->rb->name = member_str(doc, "name");
	r->rb->description = member_str(doc, "description");
	r->rb->pinned = member_bool(doc, "pinned", false);
	r->rb->timeout_s = member_u32(doc, "timeout_s", 3600);
	here = at_member(NULL, STR("approvals"));
	if (j != NULL)
		TRY(members_check(&r->d, &here, j, OWN_APPROVALS, OWN_NOTHING));
	r->rb->approvals = member_u32(j, "count", 1);
	TRY(context_parse(r, doc));
	TRY(types_parse(r, json_get(doc, STR("incident_types"))));
	return concurrency_parse(r, doc);
}

static unsigned
sources(enum runbook_context c)
{
	unsigned all = 1U << VALUE_LITERAL | 1U << VALUE_INPUT |
	    1U << VALUE_STEP | 1U << VALUE_RUN | 1U << VALUE_CONCAT;

	if (c == CONTEXT_ANY || c == CONTEXT_INCIDENT)
		all |= 1U << VALUE_INCIDENT;
	if (c == CONTEXT_ANY || c == CONTEXT_ALERT)
		all |= 1U << VALUE_ALERT;
	return all;
}

err
runbook_parse(const struct json *doc, struct arena *a, struct trail *t,
    const struct runbook **ret)
{
	struct runbook_reader r =
	    {.d = {.a = a, .t = t, .input = input_type, .output = output_type},
		.parent = STEP_NONE};
	struct at steps = at_member(NULL, STR("steps"));

	r.d.ctx = &r;
	r.rb = ARENA_NEW(a, struct runbook);
	r.steps = arena_array(a, LIM_RUNBOOK_STEPS, sizeof *r.steps);
	if (r.rb == NULL || r.steps == NULL)
		return err_of(E_NO_MEMORY);
	if (doc->raw.n > 2 * LIM_RUNBOOK)
		return refuse(&r.d, NULL, E_TOO_LARGE,
		    "a runbook has at most "
		    "%d bytes",
		    LIM_RUNBOOK);
	TRY(members_check(&r.d, NULL, doc, OWN_RUNBOOK, OWN_NOTHING));
	TRY(document_plain(&r.d, NULL, doc));
	TRY(head_parse(&r, doc));
	r.d.sources = sources(r.rb->context);
	TRY(inputs_parse(&r, json_get(doc, STR("inputs"))));
	TRY(block_parse(&r, &steps, json_get(doc, STR("steps")), &r.rb->main));
	TRY(results_parse(&r, json_get(doc, STR("outputs"))));
	r.rb->steps = (const struct step *const *)r.steps;
	r.rb->steps_n = r.n;
	*ret = r.rb;
	return arena_check(a);
}

const struct step *
runbook_step(const struct runbook *rb, struct str id)
{
	for (size_t i = 0; i < rb->steps_n; i++)
		if (str_eq(rb->steps[i]->id, id))
			return rb->steps[i];
	return NULL;
}

const struct input *
runbook_input(const struct runbook *rb, struct str name)
{
	for (size_t i = 0; i < rb->inputs_n; i++)
		if (str_eq(rb->inputs[i].name, name))
			return &rb->inputs[i];
	return NULL;
}
