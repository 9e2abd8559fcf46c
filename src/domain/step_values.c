/*
 * step_values.c: what a step is given: made by the engine, checked by the
 * delegate against the document that was approved.
 */
#include "base/json_canon.h"
#include "domain/runbook_read.h"

/* ---- inputs of a run ---- */

static err
put_input(struct jw *w, const struct input *in, const struct json *given,
    struct trail *t)
{
	const struct json *j = json_get(given, in->name);
	const char *why = "";

	if (j == NULL || (j->kind == JSON_NULL && !in->required))
		j = in->fallback;
	if (j == NULL && in->required) {
		trail_set(t, "inputs.%.*s: is missing", STR_ARG(in->name));
		return err_of(E_MISSING);
	}
	if (j == NULL)
		return OK;
	if (!err_ok(input_check(in, j, &why))) {
		trail_set(t, "inputs.%.*s: %s", STR_ARG(in->name), why);
		return err_of(E_INVALID);
	}
	jw_name(w, in->name);
	jw_value(w, j);
	return OK;
}

err
runbook_inputs(const struct runbook *rb, const struct json *given,
    struct trail *t, struct buf *out)
{
	struct jw w;

	if (given != NULL && given->kind != JSON_OBJECT) {
		trail_set(t, "inputs: an object");
		return err_of(E_INVALID);
	}
	for (const struct json *c = json_first(given); c != NULL; c = c->next) {
		if (runbook_input(rb, c->name) != NULL)
			continue;
		trail_set(t, "inputs.%.*s: there is no such input",
		    SHORT(c->name));
		return err_of(E_UNKNOWN_MEMBER);
	}
	jw_init(&w, out);
	jw_obj(&w);
	for (size_t i = 0; i < rb->inputs_n; i++)
		TRY(put_input(&w, &rb->inputs[i], given, t));
	jw_obj_end(&w);
	return buf_check(out);
}

/* ---- making ---- */

static err
put_args(struct jw *w, const struct step_script *s, const struct scope *scope,
    struct arena *a, struct trail *t)
{
	jw_karr(w, "args");
	for (size_t i = 0; i < s->args_n; i++) {
		const struct json *j = NULL;
		struct str text;

		TRY(value_eval(&s->args[i], scope, a, t, &j));
		if (!err_ok(value_as_text(a, j, &text))) {
			trail_set(t, "args[%zu]: there is no value", i);
			return err_of(E_INVALID);
		}
		jw_str(w, text);
	}
	jw_arr_end(w);
	return OK;
}

static err
put_env(struct jw *w, const struct step_script *s, const struct scope *scope,
    struct arena *a, struct trail *t)
{
	jw_kobj(w, "env");
	for (size_t i = 0; i < s->env_n; i++) {
		const struct json *j = NULL;
		struct str text;

		TRY(value_eval(s->env[i].value, scope, a, t, &j));
		if (j->kind == JSON_NULL)
			continue;
		if (!err_ok(value_as_text(a, j, &text))) {
			trail_set(t, "env.%.*s: is no text",
			    SHORT(s->env[i].name));
			return err_of(E_INVALID);
		}
		jw_name(w, s->env[i].name);
		jw_str(w, text);
	}
	jw_obj_end(w);
	return OK;
}

static err
put_params(struct jw *w, const struct step_http *h, const struct scope *scope,
    struct arena *a, struct trail *t)
{
	jw_kobj(w, "params");
	for (size_t i = 0; i < h->params_n; i++) {
		const struct json *j = NULL;

		TRY(value_eval(h->params[i].value, scope, a, t, &j));
		if (j->kind == JSON_NULL)
			continue;
		jw_name(w, h->params[i].name);
		jw_value(w, j);
	}
	jw_obj_end(w);
	return OK;
}

err
step_values(const struct step *s, const struct scope *scope, struct arena *a,
    struct trail *t, struct buf *out)
{
	struct jw w;

	BUG_ON(s->kind != STEP_SCRIPT && s->kind != STEP_HTTP);
	jw_init(&w, out);
	jw_obj(&w);
	if (s->kind == STEP_SCRIPT) {
		TRY(put_args(&w, &s->script, scope, a, t));
		TRY(put_env(&w, &s->script, scope, a, t));
	} else {
		TRY(put_params(&w, &s->http, scope, a, t));
	}
	jw_obj_end(&w);
	return buf_check(out);
}

/* ---- checking ---- */

/* Is text what a value of this type is written as? */
static bool
text_of_type(enum value_type t, struct str s)
{
	int64_t i;

	switch (t) {
	case TYPE_BOOLEAN:
		return str_is(s, "true") || str_is(s, "false");
	case TYPE_INTEGER:
	case TYPE_NUMBER:
		return str_i64(s, INT64_MIN, INT64_MAX, &i);
	case TYPE_ARRAY:
		return s.n >= 2 && s.p[0] == '[';
	case TYPE_OBJECT:
		return s.n >= 2 && s.p[0] == '{';
	case TYPE_STRING:
	case TYPE_ANY:
		break;
	}
	return true;
}

/* An input's text as the JSON it was, as far as a scalar goes. */
static bool
input_text_fits(const struct runbook *rb, const struct value *v, struct str s)
{
	const struct input *in = runbook_input(rb, v->name);
	struct json j = {.kind = JSON_STRING, .text = s};
	const char *why;

	if (in == NULL || !text_of_type(in->type, s))
		return false;
	if (in->type == TYPE_ARRAY || in->type == TYPE_OBJECT)
		return true;
	if (in->type == TYPE_INTEGER || in->type == TYPE_NUMBER)
		j.kind = JSON_NUMBER;
	if (in->type == TYPE_BOOLEAN)
		j.kind = str_is(s, "true") ? JSON_TRUE : JSON_FALSE;
	return err_ok(input_check(in, &j, &why));
}

/* A literal's text, without an arena: scalars only. */
static bool
literal_text(const struct json *j, struct str *ret)
{
	*ret = j->text;
	if (j->kind == JSON_TRUE || j->kind == JSON_FALSE)
		*ret = j->kind == JSON_TRUE ? STR("true") : STR("false");
	return j->kind != JSON_ARRAY && j->kind != JSON_OBJECT &&
	    j->kind != JSON_NULL;
}

static bool
container_text(const struct json *j, struct str s)
{
	struct buf b;
	bool same;

	buf_init(&b, s.n + 1);
	same = err_ok(json_canon(j, &b)) && str_eq(buf_view(&b), s);
	buf_done(&b);
	return same;
}

/*
 * The literal pieces of a concat, in order, with anything between: what
 * stands before the first gap and behind the last is anchored, the others are
 * found leftmost, neighbours as one.
 */
struct match {
	struct str rest;
	struct buf piece; /* literals since the last gap */
	bool open;	  /* there was a gap: the piece may come later */
};

static bool
match_gap(struct match *m)
{
	struct str piece = buf_view(&m->piece);
	const char *p = m->rest.p;

	if (!m->open && !str_starts(m->rest, piece))
		return false;
	if (m->open && piece.n > 0) {
		p = m->rest.n == 0
		    ? NULL
		    : memmem(m->rest.p, m->rest.n, piece.p, piece.n);
		if (p == NULL)
			return false;
	}
	m->rest = str_skip(m->rest, (size_t)(p - m->rest.p) + piece.n);
	m->open = true;
	buf_clear(&m->piece);
	return true;
}

static bool
match_part(struct match *m, const struct value *v)
{
	struct str piece;

	if (v->kind == VALUE_CONCAT) {
		for (size_t i = 0; i < v->items_n; i++)
			if (!match_part(m, &v->items[i]))
				return false;
		return true;
	}
	if (v->kind != VALUE_LITERAL)
		return match_gap(m);
	if (!literal_text(v->literal, &piece))
		return false;
	buf_str(&m->piece, piece);
	return true;
}

static bool
concat_fits(const struct value *v, struct str s)
{
	struct match m = {.rest = s};
	struct str tail;
	bool fits;

	buf_init(&m.piece, LIM_RUNBOOK);
	fits = match_part(&m, v) && err_ok(buf_check(&m.piece));
	tail = buf_view(&m.piece);
	fits = fits && (m.open ? str_ends(m.rest, tail) : str_eq(m.rest, tail));
	buf_done(&m.piece);
	return fits;
}

static bool
text_fits(const struct runbook *rb, const struct value *v, struct str s)
{
	struct str want;

	if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
		return false;
	if (v->kind == VALUE_LITERAL)
		return literal_text(v->literal, &want)
		    ? str_eq(want, s)
		    : container_text(v->literal, s);
	if (v->kind == VALUE_CONCAT)
		return concat_fits(v, s);
	if (v->kind == VALUE_INPUT)
		return input_text_fits(rb, v, s);
	return text_of_type(v->type, s);
}

static bool
args_match(const struct runbook *rb, const struct step_script *s,
    const struct json *args)
{
	const struct json *c = json_first(args);
	struct str text;

	if (args == NULL || args->kind != JSON_ARRAY ||
	    args->count != s->args_n)
		return false;
	for (size_t i = 0; i < s->args_n; i++, c = c->next)
		if (!json_str(c, &text) || !text_fits(rb, &s->args[i], text))
			return false;
	return true;
}

/* Each is declared and fits; what is left out could have been null. */
static bool
env_match(const struct runbook *rb, const struct step_script *s,
    const struct json *env)
{
	size_t seen = 0;

	if (env == NULL || env->kind != JSON_OBJECT)
		return false;
	for (size_t i = 0; i < s->env_n; i++) {
		const struct json *j = json_get(env, s->env[i].name);
		const struct value *v = s->env[i].value;
		struct str text;

		if (j == NULL && !value_fixed(v) && v->kind != VALUE_CONCAT)
			continue;
		if (j == NULL && v->kind == VALUE_LITERAL &&
		    v->literal->kind == JSON_NULL)
			continue;
		if (!json_str(j, &text) || !text_fits(rb, v, text))
			return false;
		seen++;
	}
	return seen == env->count;
}

static bool
param_fits(const struct runbook *rb, const struct value *v,
    const struct json *j)
{
	const struct input *in;
	const char *why;

	if (j == NULL)
		return v->kind == VALUE_LITERAL ? v->literal->kind == JSON_NULL
						: v->kind != VALUE_CONCAT;
	if (j->kind == JSON_NULL)
		return false;
	if (v->kind == VALUE_LITERAL)
		return json_same(v->literal, j);
	if (v->kind == VALUE_CONCAT)
		return j->kind == JSON_STRING && text_fits(rb, v, j->text);
	if (v->kind != VALUE_INPUT)
		return value_type_holds(v->type, j);
	in = runbook_input(rb, v->name);
	return in != NULL && err_ok(input_check(in, j, &why));
}

static bool
params_match(const struct runbook *rb, const struct step_http *h,
    const struct json *params)
{
	size_t seen = 0;

	if (params == NULL || params->kind != JSON_OBJECT)
		return false;
	for (size_t i = 0; i < h->params_n; i++) {
		const struct json *j = json_get(params, h->params[i].name);

		if (!param_fits(rb, h->params[i].value, j))
			return false;
		seen += j != NULL;
	}
	return seen == params->count;
}

bool
step_values_match(const struct runbook *rb, const struct step *s,
    const struct json *values)
{
	if (values == NULL || values->kind != JSON_OBJECT)
		return false;
	if (s->kind == STEP_SCRIPT)
		return values->count == 2 &&
		    args_match(rb, &s->script, json_get(values, STR("args"))) &&
		    env_match(rb, &s->script, json_get(values, STR("env")));
	return s->kind == STEP_HTTP && values->count == 1 &&
	    params_match(rb, &s->http, json_get(values, STR("params")));
}

/* ---- outputs ---- */

err
step_outputs_check(const struct step *s, const struct json *outputs,
    struct trail *t)
{
	for (size_t i = 0; i < s->outputs_n; i++) {
		const struct output *o = &s->outputs[i];
		const struct json *j = json_get(outputs, o->name);

		if (j == NULL || !value_type_holds(o->type, j)) {
			trail_set(t, "outputs.%.*s: %s", STR_ARG(o->name),
			    j == NULL ? "is missing" : "has another type");
			return err_of(j == NULL ? E_MISSING : E_INVALID);
		}
	}
	if ((outputs == NULL ? 0 : outputs->count) == s->outputs_n)
		return OK;
	trail_set(t, "outputs: more than the document names");
	return err_of(E_UNKNOWN_MEMBER);
}
