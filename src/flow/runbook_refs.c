/* runbook_refs.c: see runbook_refs.h. */
#include "flow/runbook_refs.h"

#include "flow/connector_care.h"
#include "flow/secrets.h"

/* The step at hand. */
struct looking {
	struct call *c;
	uint32_t project;
	const struct runbook *rb;
	const struct step *s;
};

/* What is wrong with it, and where. */
static err
wrong(struct looking *l, const struct trail *t)
{
	return call_bad(l->c, E_CONFLICT, "%.*s: %s", STR_ARG(l->s->path),
	    t->detail);
}

static err
check_secret(struct looking *l, const struct secret_ref *ref)
{
	struct secret_user by = {.runbook = l->rb->slug};
	struct trail t = {{0}};
	struct buf b;

	buf_init_on(&b, l->c->a, 128);
	buf_str(&b, ref->name);
	if (ref->version != 0)
		buf_fmt(&b, "@%u", ref->version);
	TRY(buf_check(&b));
	if (err_ok(secret_refers(call_world(l->c), l->project, buf_view(&b),
		&by, &t)))
		return OK;
	return wrong(l, &t);
}

static err
check_script(struct looking *l)
{
	const struct step_script *s = &l->s->script;

	for (size_t i = 0; i < s->secrets_n; i++)
		TRY(check_secret(l, &s->secrets[i]));
	for (size_t i = 0; i < s->connectors_n; i++) {
		struct trail t = {{0}};

		if (!err_ok(connector_refers(l->c->a, call_world(l->c),
			l->project, s->connectors[i], STR(""), NULL, &t)))
			return wrong(l, &t);
	}
	return OK;
}

static bool
given(const struct step_http *h, struct str name)
{
	for (size_t i = 0; i < h->params_n; i++)
		if (str_eq(h->params[i].name, name))
			return true;
	return false;
}

/* Values come at run time; names are known now. */
static err
check_names(struct looking *l, const struct connector_action *act)
{
	const struct step_http *h = &l->s->http;

	for (size_t i = 0; i < act->params_n; i++)
		if (act->params[i].required && !given(h, act->params[i].name))
			return call_bad(l->c, E_CONFLICT,
			    "%.*s: params: %.*s is missing",
			    STR_ARG(l->s->path), STR_ARG(act->params[i].name));
	for (size_t i = 0; i < h->params_n; i++) {
		size_t k = 0;

		while (k < act->params_n &&
		    !str_eq(act->params[k].name, h->params[i].name))
			k++;
		if (k == act->params_n)
			return call_bad(l->c, E_CONFLICT,
			    "%.*s: params: %.*s is none of %.*s",
			    STR_ARG(l->s->path), STR_ARG(h->params[i].name),
			    STR_ARG(act->name));
	}
	return OK;
}

static err
check_http(struct looking *l)
{
	const struct step_http *h = &l->s->http;
	const struct world *w = call_world(l->c);
	const struct connector_object *o;
	struct trail t = {{0}};
	struct connector doc;

	if (!err_ok(connector_refers(l->c->a, w, l->project, h->connector,
		h->action, NULL, &t)))
		return wrong(l, &t);
	o = world_connector_slug(w, l->project, h->connector);
	TRY(connector_open(l->c->a, o->document, &t, &doc));
	return check_names(l, connector_action(&doc, h->action));
}

err
runbook_refs_check(struct call *c, uint32_t project, const struct runbook *rb)
{
	struct looking l = {.c = c, .project = project, .rb = rb};

	for (size_t i = 0; i < rb->steps_n; i++) {
		l.s = rb->steps[i];
		if (l.s->kind == STEP_SCRIPT)
			TRY(check_script(&l));
		else if (l.s->kind == STEP_HTTP)
			TRY(check_http(&l));
	}
	return OK;
}
