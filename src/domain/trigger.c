#include "domain/trigger.h"

#include "domain/runbook_read.h"

static const char *const words[] = {"alert_opened", "alert_resolved",
    "incident_created", "incident_updated", "key_event", "schedule"};

struct str
trigger_on_text(enum trigger_on on)
{
	return str_c(words[on]);
}

static bool
of_alert(enum trigger_on on)
{
	return on == TRIGGER_ALERT_OPENED || on == TRIGGER_ALERT_RESOLVED;
}

static bool
of_incident(enum trigger_on on)
{
	return on == TRIGGER_INCIDENT_CREATED ||
	    on == TRIGGER_INCIDENT_UPDATED || on == TRIGGER_KEY_EVENT;
}

/* What can be asked about what happened. */
static unsigned
sources(enum trigger_on on)
{
	unsigned all = 1U << VALUE_LITERAL | 1U << VALUE_CONCAT;

	if (of_alert(on))
		all |= 1U << VALUE_ALERT;
	if (of_incident(on))
		all |= 1U << VALUE_INCIDENT;
	if (on == TRIGGER_INCIDENT_UPDATED)
		all |= 1U << VALUE_OLD;
	if (on == TRIGGER_KEY_EVENT)
		all |= 1U << VALUE_ENTRY;
	return all;
}

static err
on_parse(struct document *d, const struct json *doc, const struct runbook *rb,
    struct trigger *g)
{
	struct at here = at_member(NULL, STR("on"));
	struct str word = member_str(doc, "on");
	unsigned i = 0;

	while (i < sizeof words / sizeof *words && !str_is(word, words[i]))
		i++;
	if (i == sizeof words / sizeof *words)
		return refuse(d, &here, E_INVALID,
		    "alert_opened, alert_resolved, incident_created, "
		    "incident_updated, key_event or schedule");
	g->on = (enum trigger_on)i;
	d->sources = sources(g->on);
	if (rb != NULL &&
	    ((rb->context == CONTEXT_INCIDENT && !of_incident(g->on)) ||
		(rb->context == CONTEXT_ALERT && !of_alert(g->on))))
		return refuse(d, &here, E_INVALID,
		    "the runbook's context is %.*s",
		    STR_ARG(runbook_context_text(rb->context)));
	return OK;
}

static err
condition(struct document *d, const struct json *doc, const char *name,
    const struct cond **ret)
{
	const struct json *j = json_get(doc, str_c(name));
	struct at here = at_member(NULL, str_c(name));
	struct cond *c;

	if (j == NULL)
		return OK;
	c = ARENA_NEW(d->a, struct cond);
	if (c == NULL)
		return err_of(E_NO_MEMORY);
	*ret = c;
	return cond_parse(d, &here, j, c);
}

static err
schedule_parse(struct document *d, const struct json *doc, struct trigger *g)
{
	struct at cron = at_member(NULL, STR("cron"));
	struct at zone = at_member(NULL, STR("time_zone"));
	bool scheduled = g->on == TRIGGER_SCHEDULE;
	struct str name = member_str(doc, "time_zone");

	if (scheduled != (json_get(doc, STR("cron")) != NULL))
		return refuse(d, &cron, scheduled ? E_MISSING : E_INVALID,
		    scheduled ? "is missing" : "only with on: schedule");
	if (!scheduled && json_get(doc, STR("time_zone")) != NULL)
		return refuse(d, &zone, E_INVALID, "only with on: schedule");
	if (!scheduled)
		return OK;
	g->zone = zone_named(name.n == 0 ? STR("UTC") : name);
	if (g->zone == NULL)
		return refuse(d, &zone, E_INVALID,
		    "the name of a time zone: Europe/Berlin");
	return cron_parse(member_str(doc, "cron"), d->t, &g->cron);
}

static err
delay_parse(struct document *d, const struct json *doc, struct trigger *g)
{
	struct at delay = at_member(NULL, STR("delay_s"));
	struct at recheck = at_member(NULL, STR("recheck"));

	g->delay_s = member_u32(doc, "delay_s", 0);
	if (g->delay_s > 0 && g->on == TRIGGER_SCHEDULE)
		return refuse(d, &delay, E_INVALID, "not with a schedule");
	if (g->delay_s == 0 && json_get(doc, STR("recheck")) != NULL)
		return refuse(d, &recheck, E_INVALID, "only with delay_s");
	TRY(condition(d, doc, "when", &g->when));
	g->recheck = g->when;
	return condition(d, doc, "recheck", &g->recheck);
}

static err
guard_parse(struct document *d, const struct json *doc, struct trigger *g)
{
	const struct json *j = json_get(doc, STR("guard"));
	struct at here = at_member(NULL, STR("guard"));
	struct at once = at_member(&here, STR("once"));

	if (j != NULL)
		TRY(members_check(d, &here, j, OWN_GUARD, OWN_NOTHING));
	g->per_hour = member_u32(j, "per_hour", 60);
	g->depth = member_u32(j, "depth", 2);
	g->once = member_bool(j, "once", false);
	if (g->once && g->on == TRIGGER_SCHEDULE)
		return refuse(d, &once, E_INVALID, "not with a schedule");
	return OK;
}

static err
input_parse(struct document *d, const struct at *at, const struct json *j,
    const struct runbook *rb, struct named_value *ret)
{
	const struct input *in = rb == NULL ? NULL : runbook_input(rb, j->name);
	struct at here = at_member(at, j->name);
	struct value *v = ARENA_NEW(d->a, struct value);
	const char *why = "";

	if (v == NULL)
		return err_of(E_NO_MEMORY);
	if (rb != NULL && in == NULL)
		return refuse(d, &here, E_INVALID,
		    "the runbook has no such input");
	*ret = (struct named_value){j->name, v};
	TRY(value_parse(d, &here, j, in == NULL ? TYPE_ANY : in->type, v));
	if (in != NULL && v->kind == VALUE_LITERAL &&
	    !err_ok(input_check(in, v->literal, &why)))
		return refuse(d, &here, E_INVALID, "%s", why);
	return OK;
}

static err
inputs_parse(struct document *d, const struct json *doc,
    const struct runbook *rb, struct trigger *g)
{
	const struct json *j = json_get(doc, STR("inputs"));
	struct at here = at_member(NULL, STR("inputs"));
	struct named_value *nv =
	    arena_array(d->a, j == NULL ? 1 : j->count + 1, sizeof *nv);

	if (nv == NULL)
		return err_of(E_NO_MEMORY);
	g->inputs = nv;
	for (const struct json *c = json_first(j); c != NULL; c = c->next)
		TRY(input_parse(d, &here, c, rb, &nv[g->inputs_n++]));
	for (size_t i = 0; rb != NULL && i < rb->inputs_n; i++) {
		struct at item = at_member(&here, rb->inputs[i].name);

		if (rb->inputs[i].required &&
		    json_get(j, rb->inputs[i].name) == NULL)
			return refuse(d, &item, E_MISSING,
			    "the runbook requires it");
	}
	return OK;
}

err
trigger_parse(const struct json *doc, const struct runbook *rb, struct arena *a,
    struct trail *t, struct trigger *ret)
{
	struct document d = {.a = a, .t = t};

	*ret = (struct trigger){0};
	TRY(members_check(&d, NULL, doc, OWN_TRIGGER, OWN_NOTHING));
	TRY(document_plain(&d, NULL, doc));
	TRY(on_parse(&d, doc, rb, ret));
	TRY(schedule_parse(&d, doc, ret));
	TRY(delay_parse(&d, doc, ret));
	TRY(guard_parse(&d, doc, ret));
	return inputs_parse(&d, doc, rb, ret);
}

err
trigger_inputs(const struct trigger *g, const struct scope *s, struct arena *a,
    struct trail *t, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	for (size_t i = 0; i < g->inputs_n; i++) {
		const struct json *j = NULL;

		TRY(value_eval(g->inputs[i].value, s, a, t, &j));
		if (j->kind == JSON_NULL)
			continue;
		jw_name(&w, g->inputs[i].name);
		jw_value(&w, j);
	}
	jw_obj_end(&w);
	return buf_check(out);
}
