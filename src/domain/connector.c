/* connector.c: kinds of connectors, and questions about one.  See
 * connector.h. */
#include "domain/connector_inner.h"

const struct json_limits connector_limits = {
    .depth = 20,
    .members = 200,
    .values = 8000,
};

/* ---- kinds ---- */

enum connector_class { SERVICE, MESSAGE };

static const struct {
	const char *text, *meaning;
	enum connector_class class;
} kinds[CONNECTOR_KINDS] = {
#define CONNECTOR_KIND(name, text, class, meaning)                             \
	[name] = {text, meaning, class},
#include "domain/connector_kinds.def"
#undef CONNECTOR_KIND
};

const char *
connector_kind_text(enum connector_kind k)
{
	return kinds[k].text;
}

const char *
connector_kind_meaning(enum connector_kind k)
{
	return kinds[k].meaning;
}

bool
connector_kind_messages(enum connector_kind k)
{
	return kinds[k].class == MESSAGE;
}

bool
connector_kind_parse(struct str s, enum connector_kind *ret)
{
	for (unsigned k = 0; k < CONNECTOR_KINDS; k++) {
		if (str_is(s, kinds[k].text)) {
			*ret = (enum connector_kind)k;
			return true;
		}
	}
	return false;
}

static const char *const types[] = {"string", "integer", "number", "boolean",
    "array", "object"};

bool
connector_type_parse(struct str s, enum connector_type *ret)
{
	for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
		if (str_is(s, types[i])) {
			*ret = (enum connector_type)i;
			return true;
		}
	}
	return false;
}

bool
connector_secret_valid(struct str s)
{
	if (s.n == 0 || s.n > 63)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!word && (i == 0 || (c != '_' && c != '.' && c != '-')))
			return false;
	}
	return true;
}

/* ---- questions ---- */

const struct connector_action *
connector_action(const struct connector *c, struct str name)
{
	for (size_t i = 0; i < c->actions_n; i++)
		if (str_eq(c->actions[i].name, name))
			return &c->actions[i];
	return NULL;
}

bool
connector_reaches(const struct connector *c, struct str host, uint16_t port)
{
	for (size_t i = 0; i < c->hosts_n; i++)
		if (c->hosts[i].port == port && str_eq(c->hosts[i].host, host))
			return true;
	return false;
}

struct str
connector_missing_scope(const struct connector *c,
    const struct connector_action *act)
{
	for (size_t i = 0; i < act->scopes_n; i++) {
		bool has = false;

		for (size_t k = 0; k < c->auth.scopes_n; k++)
			has = has || str_eq(c->auth.scopes[k], act->scopes[i]);
		if (!has)
			return act->scopes[i];
	}
	return STR("");
}

/* ---- parameters ---- */

static bool
of_type(const struct json *j, enum connector_type type)
{
	int64_t whole;

	switch (type) {
	case CONNECTOR_STRING:
		return j->kind == JSON_STRING;
	case CONNECTOR_INTEGER:
		return json_i64(j, INT64_MIN, INT64_MAX, &whole);
	case CONNECTOR_NUMBER:
		return j->kind == JSON_NUMBER;
	case CONNECTOR_BOOLEAN:
		return j->kind == JSON_TRUE || j->kind == JSON_FALSE;
	case CONNECTOR_ARRAY:
		return j->kind == JSON_ARRAY;
	case CONNECTOR_OBJECT:
		return j->kind == JSON_OBJECT;
	}
	return false;
}

static err
check_param(const struct connector_param *p, const struct json *j,
    struct trail *t)
{
	if (j == NULL)
		return p->required
		    ? REFUSE(t, E_MISSING, "params: %.*s is missing",
			  STR_ARG(p->name))
		    : OK;
	if (!of_type(j, p->type))
		return REFUSE(t, E_INVALID, "params: %.*s is no %s",
		    STR_ARG(p->name), types[p->type]);
	if (p->type == CONNECTOR_STRING && j->text.n > p->max_length)
		return REFUSE(t, E_INVALID, "params: %.*s is over %u bytes",
		    STR_ARG(p->name), p->max_length);
	if (j->raw.n > LIM_CONNECTOR_VALUE)
		return REFUSE(t, E_TOO_LARGE, "params: %.*s is over %d bytes",
		    STR_ARG(p->name), LIM_CONNECTOR_VALUE);
	return OK;
}

err
connector_check_params(const struct connector_action *act,
    const struct json *params, struct trail *t)
{
	size_t known = 0;

	if (params != NULL && params->kind != JSON_OBJECT)
		return REFUSE(t, E_INVALID, "params: an object");
	for (size_t i = 0; i < act->params_n; i++) {
		const struct connector_param *p = &act->params[i];
		const struct json *j = json_get(params, p->name);

		TRY(check_param(p, j, t));
		known += j != NULL;
	}
	for (const struct json *j = json_first(params);
	     j != NULL && known < params->count; j = j->next) {
		size_t i = 0;

		while (
		    i < act->params_n && !str_eq(act->params[i].name, j->name))
			i++;
		if (i == act->params_n)
			return REFUSE(t, E_UNKNOWN_MEMBER,
			    "params: %.*s is none of %.*s", STR_ARG(j->name),
			    STR_ARG(act->name));
	}
	return OK;
}
