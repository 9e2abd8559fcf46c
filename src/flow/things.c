/* things.c: see things.h. */
#include "flow/things.h"

#include "base/limits.h"

static const struct json_limits doc_limits = {
    .depth = LIM_JSON_DEPTH + 4,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

static err
strings(struct call *c, const struct json *j, const struct str **ret,
    size_t *ret_n)
{
	struct str *s;

	*ret_n = 0;
	if (j == NULL || j->kind != JSON_ARRAY)
		return OK;
	s = arena_array(c->a, j->count + 1, sizeof *s);
	if (s == NULL)
		return err_of(E_NO_MEMORY);
	*ret = s;
	for (j = json_first(j); j != NULL; j = j->next)
		if (json_str(j, &s[*ret_n]))
			++*ret_n;
	return OK;
}

static err
incident_of(struct call *c, const struct json *doc, struct resource *ret)
{
	struct str kind = json_str_at(doc, STR("type"));

	ret->type = RESOURCE_INCIDENT;
	ret->kind = kind.p == NULL ? STR("") : kind;
	TRY(strings(c, json_get(doc, STR("services")), &ret->services,
	    &ret->services_n));
	return strings(c, json_get(doc, STR("environments")),
	    &ret->environments, &ret->environments_n);
}

err
thing_incident(struct call *c, const struct incident_row *row, uint8_t severity,
    struct str doc, struct resource *ret)
{
	const struct json *j;

	TRY(json_parse(c->a, doc, &doc_limits, &c->trail, &j));
	*ret = (struct resource){
	    .project = row->project,
	    .id = row->id.u,
	    .severity = severity,
	};
	return incident_of(c, j, ret);
}

err
thing_new_incident(struct call *c, struct resource *ret)
{
	enum severity sev = SEV3; /* as incident_create has it */

	(void)severity_parse(json_str_at(c->body, STR("severity")), &sev);
	*ret = (struct resource){
	    .project = c->project->o.project,
	    .severity = (int)sev,
	};
	return incident_of(c, c->body, ret);
}

static err
labels(struct call *c, const struct json *j, struct resource *ret)
{
	struct resource_label *l;

	if (j == NULL || j->kind != JSON_OBJECT)
		return OK;
	l = arena_array(c->a, j->count + 1, sizeof *l);
	if (l == NULL)
		return err_of(E_NO_MEMORY);
	ret->labels = l;
	for (j = json_first(j); j != NULL; j = j->next)
		if (json_str(j, &l[ret->labels_n].value))
			l[ret->labels_n++].name = j->name;
	return OK;
}

/* A text as a list of one; an empty one is none. */
static err
one(struct call *c, struct str s, const struct str **ret, size_t *ret_n)
{
	struct str *copy = ARENA_NEW(c->a, struct str);

	if (copy == NULL)
		return err_of(E_NO_MEMORY);
	*copy = s;
	*ret = copy;
	*ret_n = s.n > 0;
	return OK;
}

err
thing_alert(struct call *c, const struct alert_row *row,
    const struct uuid *incident, struct str doc, struct resource *ret)
{
	const struct json *j;

	TRY(json_parse(c->a, doc, &doc_limits, &c->trail, &j));
	*ret = (struct resource){
	    .type = RESOURCE_ALERT,
	    .project = row->project,
	    .id = row->id.u,
	    .severity = -1,
	};
	if (incident != NULL)
		ret->incident = *incident;
	TRY(one(c, json_str_at(j, STR("service")), &ret->services,
	    &ret->services_n));
	TRY(one(c, json_str_at(j, STR("environment")), &ret->environments,
	    &ret->environments_n));
	return labels(c, json_get(j, STR("labels")), ret);
}

void
thing_integration(const struct integration *n, struct resource *ret)
{
	*ret = (struct resource){
	    .type = RESOURCE_INTEGRATION,
	    .project = n->o.project,
	    .id = n->o.id,
	    .severity = -1,
	};
}
