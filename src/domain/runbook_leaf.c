/* runbook_leaf.c: steps without steps inside, by kind. */
#include "base/id.h"
#include "domain/runbook_read.h"
#include "domain/words.h"

/* ---- words ---- */

static bool
chars_in(struct str s, const char *more)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || strchr(more, c) == NULL))
			return false;
	}
	return s.n > 0 && s.n <= 63;
}

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool
variable_valid(struct str s)
{
	return chars_in(s, UPPER "_") && (s.p[0] < '0' || s.p[0] > '9');
}

/* What interpreters and the loader take orders from is not for a document. */
static bool
variable_reserved(struct str s)
{
	static const char *const whole[] = {"PATH", "HOME", "IFS", "ENV",
	    "BASH_ENV", "BASHOPTS", "SHELLOPTS", "PS4", "NODE_OPTIONS",
	    "RUBYOPT", "RUBYLIB", "GCONV_PATH", "LOCPATH", "TMPDIR",
	    "PROMPT_COMMAND", "CDPATH", "GLOBIGNORE"};
	static const struct str begin[] = {{"LD_", 3}, {"PYTHON", 6},
	    {"PERL", 4}, {"BASH_FUNC", 9}, {"REDOUBT_", 8}, {"MALLOC_", 7},
	    {"GLIBC_", 6}};

	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		if (str_is(s, whole[i]))
			return true;
	for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
		if (str_starts(s, begin[i]))
			return true;
	return false;
}

/* RFC 6901: "" or /.. with ~0 and ~1. */
static bool
pointer_valid(struct str s)
{
	if (s.n == 0)
		return true;
	if (s.p[0] != '/' || s.n > 500)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '~' &&
		    (i + 1 == s.n || (s.p[i + 1] != '0' && s.p[i + 1] != '1')))
			return false;
	return true;
}

/* ---- pieces ---- */

static err
args_parse(struct runbook_reader *r, const struct at *at,
    const struct json *list, struct step_script *s)
{
	struct at here = at_member(at, STR("args"));
	struct value *v;
	size_t n = 0;

	if (list == NULL || list->count == 0)
		return OK;
	v = arena_array(r->d.a, list->count, sizeof *v);
	if (v == NULL)
		return err_of(E_NO_MEMORY);
	for (const struct json *c = json_first(list); c != NULL; c = c->next) {
		struct at item = at_item(&here, n);

		if (c->kind == JSON_NULL)
			return refuse(&r->d, &item, E_INVALID,
			    "null is no argument");
		TRY(value_parse(&r->d, &item, c, TYPE_ANY, &v[n++]));
	}
	s->args = v;
	s->args_n = n;
	return OK;
}

/* {"name": VALUE}; ok says of a name why it is not one, or NULL. */
static err
named_parse(struct runbook_reader *r, const struct at *at,
    const struct json *obj, const char *(*ok)(struct str name),
    const struct named_value **ret, size_t *ret_n)
{
	struct named_value *nv;
	size_t n = 0;

	if (obj == NULL || obj->count == 0)
		return OK;
	nv = arena_array(r->d.a, obj->count, sizeof *nv);
	if (nv == NULL)
		return err_of(E_NO_MEMORY);
	for (const struct json *c = json_first(obj); c != NULL; c = c->next) {
		struct at item = at_member(at, c->name);
		struct value *v = ARENA_NEW(r->d.a, struct value);
		const char *why = ok(c->name);

		if (why != NULL)
			return refuse(&r->d, &item, E_INVALID, "%s", why);
		if (v == NULL)
			return err_of(E_NO_MEMORY);
		TRY(value_parse(&r->d, &item, c, TYPE_ANY, v));
		nv[n++] = (struct named_value){c->name, v};
	}
	*ret = nv;
	*ret_n = n;
	return OK;
}

static const char *
env_name(struct str s)
{
	if (!variable_valid(s))
		return "A-Z a-z _, then digits too, at most 63";
	return variable_reserved(s) ? "is reserved" : NULL;
}

static const char *
param_name(struct str s)
{
	return variable_valid(s) ? NULL : "A-Z a-z _, then digits too";
}

static err
outputs_parse(struct runbook_reader *r, const struct at *at,
    const struct json *list, enum owner owner, struct step *s)
{
	struct at here = at_member(at, STR("outputs"));
	struct output *o;
	size_t n = 0;

	if (list == NULL || list->count == 0)
		return OK;
	o = arena_array(r->d.a, list->count, sizeof *o);
	if (o == NULL)
		return err_of(E_NO_MEMORY);
	for (const struct json *c = json_first(list); c != NULL; c = c->next) {
		struct at item = at_item(&here, n);
		struct at at_name = at_member(&item, STR("name"));
		struct at at_ptr = at_member(&item, STR("pointer"));

		TRY(members_check(&r->d, &item, c, owner, OWN_NOTHING));
		TRY(output_head(&r->d, &item, c, &o[n].name, &o[n].type));
		o[n].pointer = member_str(c, "pointer");
		if (!pointer_valid(o[n].pointer))
			return refuse(&r->d, &at_ptr, E_INVALID,
			    "a JSON pointer (RFC 6901)");
		if (str_is(o[n].name, "outcome"))
			return refuse(&r->d, &at_name, E_INVALID,
			    "every step has that one");
		for (size_t i = 0; i < n; i++)
			if (str_eq(o[i].name, o[n].name))
				return refuse(&r->d, &at_name, E_INVALID,
				    "is there twice");
		n++;
	}
	s->outputs = o;
	s->outputs_n = n;
	return OK;
}

static err
delegates_parse(struct runbook_reader *r, const struct at *at,
    const struct json *j, struct step *s)
{
	struct at here = at_member(at, STR("delegates"));
	const struct json *o = json_get(j, STR("delegates"));
	struct str path = at_text(r->d.a, &here);
	const char *c = arena_cstr(r->d.a, path);

	if (o == NULL)
		return OK;
	if (c == NULL)
		return err_of(E_NO_MEMORY);
	s->selects = true;
	return selector_parse(r->d.a, o, c, r->d.t, &s->delegates);
}

/* ---- script ---- */

static bool
secret_ref_parse(struct str s, struct secret_ref *ret)
{
	struct str version = STR_NONE;
	uint64_t n = 0;

	if (str_cut(s, '@', &ret->name, &version) &&
	    !str_u64(version, 1, 1000000, &n))
		return false;
	ret->version = (uint32_t)n;
	return chars_in(ret->name, UPPER "_.-") && ret->name.p[0] != '.' &&
	    ret->name.p[0] != '-';
}

static err
secrets_parse(struct runbook_reader *r, const struct at *at,
    const struct json *list, struct step_script *s)
{
	struct at here = at_member(at, STR("secrets"));
	struct secret_ref *ref;
	size_t n = 0;

	if (list == NULL || list->count == 0)
		return OK;
	ref = arena_array(r->d.a, list->count, sizeof *ref);
	if (ref == NULL)
		return err_of(E_NO_MEMORY);
	for (const struct json *c = json_first(list); c != NULL; c = c->next) {
		struct at item = at_item(&here, n);

		if (c->kind != JSON_STRING ||
		    !secret_ref_parse(c->text, &ref[n]))
			return refuse(&r->d, &item, E_INVALID,
			    "\"name\" or \"name@version\"");
		for (size_t i = 0; i < n; i++)
			if (str_eq(ref[i].name, ref[n].name))
				return refuse(&r->d, &item, E_INVALID,
				    "is there twice");
		n++;
	}
	s->secrets = ref;
	s->secrets_n = n;
	return OK;
}

static err
connectors_parse(struct runbook_reader *r, const struct at *at,
    const struct json *list, struct step_script *s)
{
	struct at here = at_member(at, STR("connectors"));
	struct str *slug;
	size_t n = 0;

	if (list == NULL || list->count == 0)
		return OK;
	slug = arena_array(r->d.a, list->count, sizeof *slug);
	if (slug == NULL)
		return err_of(E_NO_MEMORY);
	for (const struct json *c = json_first(list); c != NULL; c = c->next) {
		struct at item = at_item(&here, n);

		if (!json_str(c, &slug[n]) || !runbook_slug_valid(slug[n]))
			return refuse(&r->d, &item, E_INVALID,
			    "the slug of a connector");
		for (size_t i = 0; i < n; i++)
			if (str_eq(slug[i], slug[n]))
				return refuse(&r->d, &item, E_INVALID,
				    "is there twice");
		n++;
	}
	s->connectors = slug;
	s->connectors_n = n;
	return OK;
}

static err
limits_parse(struct runbook_reader *r, const struct at *at,
    const struct json *o, struct step_limits *ret)
{
	struct at here = at_member(at, STR("limits"));

	if (o == NULL)
		return OK;
	TRY(members_check(&r->d, &here, o, OWN_LIMITS, OWN_NOTHING));
	*ret = (struct step_limits){
	    .wall_s = member_u32(o, "wall_s", 0),
	    .cpu_s = member_u32(o, "cpu_s", 0),
	    .memory_mb = member_u32(o, "memory_mb", 0),
	    .pids = member_u32(o, "pids", 0),
	    .work_mb = member_u32(o, "work_mb", 0),
	    .output_kb = member_u32(o, "output_kb", 0),
	};
	return OK;
}

static err
script_parse(struct runbook_reader *r, const struct at *at,
    const struct json *j, struct step *s)
{
	struct at here = at_member(at, STR("interpreter"));
	struct step_script *sc = &s->script;

	sc->interpreter = member_str(j, "interpreter");
	sc->script = member_str(j, "script");
	if (!chars_in(sc->interpreter, "._+-") || sc->interpreter.p[0] < '0')
		return refuse(&r->d, &here, E_INVALID,
		    "the name of an interpreter, no path");
	TRY(args_parse(r, at, json_get(j, STR("args")), sc));
	here = at_member(at, STR("env"));
	TRY(named_parse(r, &here, json_get(j, STR("env")), env_name, &sc->env,
	    &sc->env_n));
	TRY(secrets_parse(r, at, json_get(j, STR("secrets")), sc));
	TRY(connectors_parse(r, at, json_get(j, STR("connectors")), sc));
	TRY(limits_parse(r, at, json_get(j, STR("limits")), &sc->limits));
	TRY(outputs_parse(r, at, json_get(j, STR("outputs")), OWN_OUTPUT, s));
	return delegates_parse(r, at, j, s);
}

/* ---- http ---- */

static err
http_parse(struct runbook_reader *r, const struct at *at, const struct json *j,
    struct step *s)
{
	struct at here = at_member(at, STR("connector"));

	s->http.connector = member_str(j, "connector");
	s->http.action = member_str(j, "action");
	if (!runbook_slug_valid(s->http.connector))
		return refuse(&r->d, &here, E_INVALID,
		    "the slug of a connector");
	here = at_member(at, STR("action"));
	if (!label_name_valid(s->http.action))
		return refuse(&r->d, &here, E_INVALID, "the name of an action");
	here = at_member(at, STR("params"));
	TRY(named_parse(r, &here, json_get(j, STR("params")), param_name,
	    &s->http.params, &s->http.params_n));
	TRY(outputs_parse(r, at, json_get(j, STR("outputs")), OWN_POINTED, s));
	return delegates_parse(r, at, j, s);
}

/* ---- people ---- */

static err
person_parse(struct document *d, const struct at *at, const struct json *j,
    struct person *ret)
{
	struct at here = at_member(at, STR("kind"));
	struct str kind = member_str(j, "kind");
	struct uuid id;

	TRY(members_check(d, at, j, OWN_PERSON, OWN_NOTHING));
	ret->group = str_is(kind, "group");
	if (!ret->group && !str_is(kind, "user"))
		return refuse(d, &here, E_INVALID, "user or group");
	here = at_member(at, STR("id"));
	ret->id = member_str(j, "id");
	if (!uuid_parse(ret->id, &id))
		return refuse(d, &here, E_INVALID, "a uuid");
	return OK;
}

static err
manual_parse(struct runbook_reader *r, const struct at *at,
    const struct json *j, struct step *s)
{
	const struct json *o = json_get(j, STR("assignee"));
	struct at here = at_member(at, STR("assignee"));

	s->manual.instructions = member_str(j, "instructions");
	s->manual.assigned = o != NULL;
	return o == NULL ? OK
			 : person_parse(&r->d, &here, o, &s->manual.assignee);
}

static err
approvers_parse(struct runbook_reader *r, const struct at *at,
    const struct json *list, struct step_approval *ret)
{
	struct at here = at_member(at, STR("approvers"));
	struct person *p;
	bool groups = false;
	size_t n = 0;

	if (list == NULL)
		return OK;
	p = arena_array(r->d.a, list->count, sizeof *p);
	if (p == NULL)
		return err_of(E_NO_MEMORY);
	for (const struct json *c = json_first(list); c != NULL; c = c->next) {
		struct at item = at_item(&here, n);

		TRY(person_parse(&r->d, &item, c, &p[n]));
		for (size_t i = 0; i < n; i++)
			if (str_eq(p[i].id, p[n].id))
				return refuse(&r->d, &item, E_INVALID,
				    "is there twice");
		groups = groups || p[n++].group;
	}
	if (!groups && n < ret->count)
		return refuse(&r->d, &here, E_INVALID,
		    "fewer people than approvals asked for");
	ret->approvers = p;
	ret->approvers_n = n;
	return OK;
}

static err
approval_parse(struct runbook_reader *r, const struct at *at,
    const struct json *j, struct step *s)
{
	struct at here = at_member(at, STR("kind"));

	if (r->in_undo)
		return refuse(&r->d, &here, E_INVALID,
		    "what undoes does not ask");
	s->approval.message = member_str(j, "message");
	s->approval.count = member_u32(j, "count", 1);
	s->approval.expires_s = member_u32(j, "expires_s", 60);
	return approvers_parse(r, at, json_get(j, STR("approvers")),
	    &s->approval);
}

/* ---- incident ---- */

static const char *
set_name(struct str s)
{
	static const struct str fields = {"fields.", 7};

	if (str_is(s, "title") || str_is(s, "summary") ||
	    str_is(s, "severity") ||
	    (str_starts(s, fields) && s.n > fields.n && s.n <= LIM_NAME))
		return NULL;
	return "title, summary, severity or fields.NAME";
}

static err
set_check(struct runbook_reader *r, const struct at *at,
    const struct named_value *nv)
{
	struct at here = at_member(at, nv->name);
	enum severity sev;

	if (str_starts(nv->name, STR("fields.")))
		return OK;
	if (nv->value->type != TYPE_STRING && nv->value->type != TYPE_ANY)
		return refuse(&r->d, &here, E_INVALID, "a text");
	if (str_is(nv->name, "severity") && nv->value->kind == VALUE_LITERAL &&
	    (nv->value->literal->kind != JSON_STRING ||
		!severity_parse(nv->value->literal->text, &sev)))
		return refuse(&r->d, &here, E_INVALID, "sev0 to sev4");
	return OK;
}

static err
timeline_parse(struct runbook_reader *r, const struct at *at,
    const struct json *j, struct step_incident *ret)
{
	struct at here = at_member(at, STR("timeline"));
	const struct json *o = json_get(j, STR("timeline"));
	struct value *v;

	ret->key_event = member_bool(j, "key_event", false);
	if (o == NULL) {
		here = at_member(at, STR("key_event"));
		if (json_get(j, STR("key_event")) == NULL)
			return OK;
		return refuse(&r->d, &here, E_INVALID,
		    "is an entry of the timeline: say timeline");
	}
	v = ARENA_NEW(r->d.a, struct value);
	if (v == NULL)
		return err_of(E_NO_MEMORY);
	ret->timeline = v;
	return value_parse(&r->d, &here, o, TYPE_STRING, v);
}

static err
incident_parse(struct runbook_reader *r, const struct at *at,
    const struct json *j, struct step *s)
{
	struct step_incident *in = &s->incident;
	struct at here = at_member(at, STR("kind"));
	enum incident_status to;

	if (r->rb->context != CONTEXT_ANY && r->rb->context != CONTEXT_INCIDENT)
		return refuse(&r->d, &here, E_INVALID,
		    "this context has no incident");
	here = at_member(at, STR("set"));
	TRY(named_parse(r, &here, json_get(j, STR("set")), set_name, &in->set,
	    &in->set_n));
	for (size_t i = 0; i < in->set_n; i++)
		TRY(set_check(r, &here, &in->set[i]));
	TRY(timeline_parse(r, at, j, in));
	here = at_member(at, STR("transition"));
	in->transition = member_str(j, "transition");
	if (json_get(j, STR("transition")) != NULL &&
	    (!incident_status_parse(in->transition, &to) ||
		to == INCIDENT_MERGED || to == INCIDENT_NEW))
		return refuse(&r->d, &here, E_INVALID,
		    "a status an incident can go to");
	if (in->set_n == 0 && in->timeline == NULL && in->transition.n == 0)
		return refuse(&r->d, at, E_MISSING,
		    "set, timeline or transition");
	return OK;
}

err
step_parse_leaf(struct runbook_reader *r, const struct at *at,
    const struct json *j, struct step *s)
{
	switch (s->kind) {
	case STEP_SCRIPT:
		return script_parse(r, at, j, s);
	case STEP_HTTP:
		return http_parse(r, at, j, s);
	case STEP_MANUAL:
		return manual_parse(r, at, j, s);
	case STEP_APPROVAL:
		return approval_parse(r, at, j, s);
	case STEP_INCIDENT:
		return incident_parse(r, at, j, s);
	case STEP_WAIT:
		s->wait_s = member_u32(j, "seconds", 1);
		return OK;
	case STEP_CONDITION:
	case STEP_PARALLEL:
		break;
	}
	return err_of(E_INTERNAL);
}
