/*
 * runbook_plan.c: POST .../versions/{v}/plan: a dry run.  What each step would
 * be given with these inputs, through which connectors, with which secrets,
 * and which delegates could do it now.  Nothing is started and nothing is
 * asked of a delegate.
 *
 * What only a run can know (outputs of steps, members of its incident) is
 * shown as the reference it is.
 */
#include "domain/document.h"
#include "flow/admin_body.h"
#include "flow/connectors.h"
#include "flow/handlers.h"
#include "flow/runbooks.h"

struct plan {
	struct call *c;
	struct jw *w;
	struct scope scope;
};

/* ---- values ---- */

static bool
known(const struct value *v)
{
	if (v->kind == VALUE_LITERAL || v->kind == VALUE_INPUT)
		return true;
	for (size_t i = 0; i < v->items_n; i++)
		if (!known(&v->items[i]))
			return false;
	return v->kind == VALUE_CONCAT;
}

static bool
cond_known(const struct cond *c)
{
	for (size_t i = 0; i < c->values_n; i++)
		if (!known(&c->values[i]))
			return false;
	for (size_t i = 0; i < c->parts_n; i++)
		if (!cond_known(&c->parts[i]))
			return false;
	return true;
}

/* {"step":"id","output":"n"}, {"incident":"severity"}, {"concat":[..]} */
static void
reference_json(struct jw *w, const struct value *v)
{
	static const char *const word[VALUE_KINDS] = {
	    [VALUE_INPUT] = "input",
	    [VALUE_STEP] = "output",
	    [VALUE_INCIDENT] = "incident",
	    [VALUE_ALERT] = "alert",
	    [VALUE_RUN] = "run",
	};

	jw_obj(w);
	if (v->kind == VALUE_CONCAT) {
		jw_karr(w, "concat");
		for (size_t i = 0; i < v->items_n; i++)
			if (v->items[i].kind == VALUE_LITERAL)
				jw_value(w, v->items[i].literal);
			else
				reference_json(w, &v->items[i]);
		jw_arr_end(w);
	} else {
		if (v->kind == VALUE_STEP)
			jw_kstr(w, "step", v->step);
		jw_name(w, str_c(word[v->kind]));
		jw_str(w, v->name);
	}
	jw_obj_end(w);
}

/* as_text: as an argument or a variable is given. */
static err
value_json(struct plan *p, const struct value *v, bool as_text)
{
	struct call *c = p->c;
	const struct json *j = NULL;
	struct trail t = {0};
	struct str text;

	if (!known(v) || !err_ok(value_eval(v, &p->scope, c->a, &t, &j))) {
		reference_json(p->w, v);
		return OK;
	}
	if (as_text && err_ok(value_as_text(c->a, j, &text)))
		jw_str(p->w, text);
	else
		jw_value(p->w, j);
	return OK;
}

static err
named_json(struct plan *p, const char *name, const struct named_value *nv,
    size_t n, bool as_text)
{
	jw_name(p->w, str_c(name));
	jw_obj(p->w);
	for (size_t i = 0; i < n; i++) {
		jw_name(p->w, nv[i].name);
		TRY(value_json(p, nv[i].value, as_text));
	}
	jw_obj_end(p->w);
	return OK;
}

/* Whether it holds: null when only a run can tell. */
static void
holds_json(struct plan *p, const char *name, const struct cond *c)
{
	struct trail t = {0};
	bool holds;

	if (c == NULL)
		return;
	jw_name(p->w, str_c(name));
	if (cond_known(c) &&
	    err_ok(cond_eval(c, &p->scope, p->c->a, &t, &holds)))
		jw_bool(p->w, holds);
	else
		jw_null(p->w);
}

/* ---- where ---- */

static err
parsed(struct call *c, struct str text, const struct json **ret)
{
	static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
	    LIM_JSON_VALUES};

	return json_parse(c->a, text, &lim, NULL, ret);
}

/* The approved delegates that have the labels. */
static err
delegates_json(struct plan *p, const struct selector *s)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(p->c), OBJECT_DELEGATE, &n);
	jw_karr(p->w, "delegates");
	for (size_t i = 0; i < n; i++) {
		const struct delegate *d = (const struct delegate *)o[i];
		const struct json *labels = NULL;

		if (d->o.project != p->c->project->o.project ||
		    d->state != DELEGATE_APPROVED)
			continue;
		TRY(parsed(p->c, d->labels, &labels));
		if (!selector_matches(s, labels))
			continue;
		jw_obj(p->w);
		jw_uuid(p->w, "id", &d->o.id);
		jw_kstr(p->w, "name", d->name);
		jw_obj_end(p->w);
	}
	jw_arr_end(p->w);
	return OK;
}

static void
connector_json(struct plan *p, struct str slug)
{
	const struct world *w = call_world(p->c);
	uint32_t project = p->c->project->o.project;
	struct connector_use use;
	struct trail t = {0};
	bool usable =
	    err_ok(connector_usable(w, project, slug, p->c->now, &t, &use));

	jw_obj(p->w);
	jw_kstr(p->w, "slug", slug);
	jw_kbool(p->w, "usable", usable);
	if (!usable)
		jw_kstr(p->w, "why",
		    t.detail[0] == '\0' ? STR("there is no such connector")
					: arena_dup(p->c->a, str_c(t.detail)));
	jw_obj_end(p->w);
}

static void
secrets_json(struct plan *p, const struct step_script *s)
{
	uint32_t project = p->c->project->o.project;

	jw_karr(p->w, "secrets");
	for (size_t i = 0; i < s->secrets_n; i++) {
		jw_obj(p->w);
		jw_kstr(p->w, "name", s->secrets[i].name);
		if (s->secrets[i].version > 0)
			jw_ki64(p->w, "version", s->secrets[i].version);
		jw_kbool(p->w, "exists",
		    world_secret_name(call_world(p->c), project,
			s->secrets[i].name) != NULL);
		jw_obj_end(p->w);
	}
	jw_arr_end(p->w);
}

/* ---- steps ---- */

static err
script_json(struct plan *p, const struct step *s)
{
	const struct step_script *sc = &s->script;

	jw_kstr(p->w, "interpreter", sc->interpreter);
	jw_karr(p->w, "args");
	for (size_t i = 0; i < sc->args_n; i++)
		TRY(value_json(p, &sc->args[i], true));
	jw_arr_end(p->w);
	TRY(named_json(p, "env", sc->env, sc->env_n, true));
	secrets_json(p, sc);
	jw_karr(p->w, "connectors");
	for (size_t i = 0; i < sc->connectors_n; i++)
		connector_json(p, sc->connectors[i]);
	jw_arr_end(p->w);
	return delegates_json(p, &s->delegates);
}

/* The step's own selector, or that of its connector. */
static err
http_selector(struct plan *p, const struct step *s, struct selector *ret)
{
	const struct connector_object *o =
	    world_connector_slug(call_world(p->c), p->c->project->o.project,
		s->http.connector);
	const struct json *doc = NULL;
	struct trail t = {0};

	*ret = s->delegates;
	if (s->selects || o == NULL)
		return OK;
	TRY(parsed(p->c, o->document, &doc));
	err_ignore(selector_parse(p->c->a, json_get(doc, STR("delegates")),
		       "delegates", &t, ret),
	    "then no delegate is selected, and none is shown");
	return OK;
}

static err
http_json(struct plan *p, const struct step *s)
{
	struct selector sel = {0};

	jw_kstr(p->w, "action", s->http.action);
	TRY(named_json(p, "params", s->http.params, s->http.params_n, false));
	jw_karr(p->w, "connectors");
	connector_json(p, s->http.connector);
	jw_arr_end(p->w);
	TRY(http_selector(p, s, &sel));
	return delegates_json(p, &sel);
}

static err
step_json(struct plan *p, const struct step *s)
{
	jw_obj(p->w);
	jw_kstr(p->w, "id", s->id);
	jw_kstr(p->w, "kind", step_kind_text(s->kind));
	jw_kstr(p->w, "path", s->path);
	jw_kbool(p->w, "undo", s->in_undo);
	holds_json(p, "if", s->only_if);
	if (s->kind == STEP_CONDITION)
		holds_json(p, "when", s->condition.when);
	if (s->kind == STEP_SCRIPT)
		TRY(script_json(p, s));
	if (s->kind == STEP_HTTP)
		TRY(http_json(p, s));
	if (s->kind == STEP_INCIDENT)
		TRY(named_json(p, "set", s->incident.set, s->incident.set_n,
		    false));
	jw_obj_end(p->w);
	return OK;
}

err
route_version_plan(struct call *c)
{
	struct plan p = {.c = c};
	const struct runbook_object *r;
	struct runbook_version v;
	const struct json *inputs = NULL;
	struct buf b;

	TRY(call_version(c, &r, &v));
	buf_init_on(&b, c->a, LIM_BODY);
	TRY(runbook_inputs(v.rb, json_get(c->body, STR("inputs")), &c->trail,
	    &b));
	TRY(parsed(c, buf_view(&b), &inputs));
	p.scope.inputs = inputs;
	p.w = answer(c, 200);
	jw_obj(p.w);
	jw_kstr(p.w, "slug", r->slug);
	jw_ki64(p.w, "version", v.row.n);
	jw_kstr(p.w, "state", str_c(version_state_text(v.row.state)));
	jw_kstr(p.w, "digest", str_c(v.digest));
	jw_kraw(p.w, "inputs", buf_view(&b));
	jw_karr(p.w, "steps");
	for (size_t i = 0; i < v.rb->steps_n; i++)
		TRY(step_json(&p, v.rb->steps[i]));
	jw_arr_end(p.w);
	jw_obj_end(p.w);
	return buf_check(&c->out);
}
