/*
 * connector_action.c: the actions of a connector's document: what may be
 * asked, to the letter, and where parameters stand in it.  A parameter in a
 * path or inside a text must be a required one, so that nothing is ever sent
 * with a hole in it.
 */
#include "domain/connector_inner.h"

enum { NAME_MAX = 63, TPL_DEPTH = 12, POINTER_MAX = 256 };

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH",
    "DELETE"};

/* What says where a message ends, whose it is or what becomes of it is the
 * delegate's. */
static const char *const own_headers[] = {"authorization", "connection",
    "content-encoding", "content-length", "cookie", "expect", "forwarded",
    "host", "keep-alive", "proxy-authorization", "proxy-connection", "te",
    "trailer", "transfer-encoding", "upgrade", "via", "x-forwarded-for",
    "x-forwarded-host", "x-forwarded-proto"};

/* The action being read. */
struct acting {
	struct reading *r;
	struct connector_action *act;
};

static const struct connector_param *
param_of(const struct connector_action *act, struct str name)
{
	for (size_t i = 0; i < act->params_n; i++)
		if (str_eq(act->params[i].name, name))
			return &act->params[i];
	return NULL;
}

/* ---- templates ---- */

/* A placeholder in a text: a parameter that is always there. */
static err
placeholder(struct acting *g, struct str name)
{
	const struct connector_param *p = param_of(g->act, name);

	if (p == NULL)
		return REFUSE(g->r->t, E_INVALID,
		    "action %.*s: {%.*s} is no parameter of it",
		    STR_ARG(g->act->name), STR_ARG(name));
	if (!p->required || p->type == CONNECTOR_ARRAY ||
	    p->type == CONNECTOR_OBJECT)
		return REFUSE(g->r->t, E_INVALID,
		    "action %.*s: {%.*s} inside a text must be required and "
		    "no array or object",
		    STR_ARG(g->act->name), STR_ARG(name));
	return OK;
}

static err
text_template(struct acting *g, struct str s)
{
	struct str before, name;

	while (s.n > 0) {
		bool open = str_cut(s, '{', &before, &s);

		if (memchr(before.p, '}', before.n) != NULL ||
		    (open && !str_cut(s, '}', &name, &s)))
			return REFUSE(g->r->t, E_INVALID,
			    "action %.*s: unmatched brace",
			    STR_ARG(g->act->name));
		if (open)
			TRY(placeholder(g, name));
	}
	return OK;
}

bool
connector_reference(const struct json *j, struct str *ret)
{
	return j->kind == JSON_OBJECT && j->count == 1 &&
	    str_is(j->child->name, "param") && json_str(j->child, ret);
}

static err
value_template(struct acting *g, const struct json *j, unsigned depth)
{
	struct str name;

	if (depth > TPL_DEPTH)
		return REFUSE(g->r->t, E_TOO_DEEP, "action %.*s: too deep",
		    STR_ARG(g->act->name));
	if (connector_reference(j, &name)) {
		if (param_of(g->act, name) != NULL)
			return OK;
		return REFUSE(g->r->t, E_INVALID,
		    "action %.*s: %.*s is no parameter of it",
		    STR_ARG(g->act->name), STR_ARG(name));
	}
	if (j->kind == JSON_STRING)
		return text_template(g, j->text);
	for (j = json_first(j); j != NULL; j = j->next)
		TRY(value_template(g, j, depth + 1));
	return OK;
}

/* ---- header and query ---- */

static bool
header_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '_';
}

static err
check_header(struct acting *g, const struct json *j)
{
	bool good = j->name.n > 0 && j->name.n <= NAME_MAX;

	for (size_t i = 0; good && i < j->name.n; i++)
		good = header_char(j->name.p[i]);
	if (!good)
		return REFUSE(g->r->t, E_INVALID,
		    "action %.*s: a header's name is a-z, 0-9, - and _",
		    STR_ARG(g->act->name));
	for (size_t i = 0; i < sizeof own_headers / sizeof *own_headers; i++)
		if (str_is(j->name, own_headers[i]))
			return REFUSE(g->r->t, E_INVALID,
			    "action %.*s: %.*s is not an action's to set",
			    STR_ARG(g->act->name), STR_ARG(j->name));
	if (j->kind != JSON_STRING)
		return OK;
	for (size_t i = 0; i < j->text.n; i++)
		if (j->text.p[i] < 0x20 || j->text.p[i] > 0x7e)
			return REFUSE(g->r->t, E_INVALID,
			    "action %.*s: a header is printable ASCII",
			    STR_ARG(g->act->name));
	return OK;
}

/* An object of texts and references. */
static err
flat_template(struct acting *g, const struct json *o, const char *what,
    const struct json **ret)
{
	struct str name;

	if (o == NULL)
		return OK;
	if (o->kind != JSON_OBJECT || o->count > LIM_CONNECTOR_PARAMS)
		return REFUSE(g->r->t, E_INVALID,
		    "action %.*s: %s is an object of at most %d members",
		    STR_ARG(g->act->name), what, LIM_CONNECTOR_PARAMS);
	for (const struct json *j = json_first(o); j != NULL; j = j->next) {
		if (j->kind != JSON_STRING && !connector_reference(j, &name))
			return REFUSE(g->r->t, E_INVALID,
			    "action %.*s: %s: a text or {\"param\":NAME}",
			    STR_ARG(g->act->name), what);
		TRY(value_template(g, j, 0));
	}
	*ret = o;
	return OK;
}

static err
read_templates(struct acting *g, const struct json *o)
{
	const struct json *headers = json_get(o, STR("headers"));
	struct connector_action *act = g->act;

	TRY(flat_template(g, json_get(o, STR("query")), "query", &act->query));
	TRY(flat_template(g, headers, "headers", &act->headers));
	for (const struct json *j = json_first(headers); j != NULL; j = j->next)
		TRY(check_header(g, j));
	act->body = json_get(o, STR("body"));
	if (act->body == NULL)
		return OK;
	if (str_is(act->method, "GET") || str_is(act->method, "HEAD"))
		return REFUSE(g->r->t, E_INVALID,
		    "action %.*s: %.*s has no body", STR_ARG(act->name),
		    STR_ARG(act->method));
	return value_template(g, act->body, 0);
}

/* ---- parameters and outputs ---- */

static err
read_param(struct acting *g, const struct json *j, struct connector_param *ret)
{
	static const char *const names[] = {"name", "type", "required",
	    "max_length", "description", NULL};
	const struct json *max = json_get(j, STR("max_length"));
	int64_t length = LIM_CONNECTOR_VALUE;

	TRY(only_members(g->r, j, "params", names));
	TRY(ascii_member(g->r, j, "name", NAME_MAX, true, &ret->name));
	if (!connector_name_valid(ret->name))
		return REFUSE(g->r->t, E_INVALID,
		    "params: a name is a-z, 0-9 and _, from a letter");
	if (param_of(g->act, ret->name) != NULL)
		return REFUSE(g->r->t, E_EXISTS, "params: %.*s is there twice",
		    STR_ARG(ret->name));
	if (!connector_type_parse(json_str_at(j, STR("type")), &ret->type))
		return REFUSE(g->r->t, E_INVALID, "params: type of %.*s",
		    STR_ARG(ret->name));
	if (max != NULL && !json_i64(max, 1, LIM_CONNECTOR_VALUE, &length))
		return REFUSE(g->r->t, E_INVALID,
		    "params: max_length of %.*s is 1 to %d", STR_ARG(ret->name),
		    LIM_CONNECTOR_VALUE);
	ret->max_length = (uint32_t)length;
	if (json_get(j, STR("required")) != NULL &&
	    !json_bool(json_get(j, STR("required")), &ret->required))
		return REFUSE(g->r->t, E_INVALID, "params: required: a flag");
	return OK;
}

static err
list_of(struct acting *g, const struct json *o, const char *name,
    const struct json **ret)
{
	*ret = json_get(o, str_c(name));
	if (*ret == NULL ||
	    ((*ret)->kind == JSON_ARRAY &&
		(*ret)->count <= LIM_CONNECTOR_PARAMS))
		return OK;
	return REFUSE(g->r->t, E_INVALID,
	    "action %.*s: %s is a list of at most %d", STR_ARG(g->act->name),
	    name, LIM_CONNECTOR_PARAMS);
}

static err
read_params(struct acting *g, const struct json *o)
{
	struct connector_param *p;
	const struct json *list;

	TRY(list_of(g, o, "params", &list));
	if (list == NULL)
		return OK;
	p = arena_array(g->r->a, list->count + 1, sizeof *p);
	if (p == NULL)
		return err_of(E_NO_MEMORY);
	g->act->params = p;
	for (list = json_first(list); list != NULL; list = list->next) {
		TRY(read_param(g, list, &p[g->act->params_n]));
		g->act->params_n++;
	}
	return OK;
}

/* RFC 6901: empty, or / before each token; ~ only as ~0 and ~1. */
static bool
pointer_valid(struct str s)
{
	if (s.n > POINTER_MAX || (s.n > 0 && s.p[0] != '/'))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '~' &&
		    (i + 1 == s.n || (s.p[i + 1] != '0' && s.p[i + 1] != '1')))
			return false;
	return true;
}

static err
read_output(struct acting *g, const struct json *j,
    struct connector_output *ret)
{
	static const char *const names[] = {"name", "type", "pointer",
	    "description", NULL};

	TRY(only_members(g->r, j, "outputs", names));
	TRY(ascii_member(g->r, j, "name", NAME_MAX, true, &ret->name));
	ret->pointer = json_str_at(j, STR("pointer"));
	if (!connector_name_valid(ret->name) || ret->pointer.p == NULL ||
	    !pointer_valid(ret->pointer) ||
	    !connector_type_parse(json_str_at(j, STR("type")), &ret->type))
		return REFUSE(g->r->t, E_INVALID,
		    "outputs: {name,type,pointer}; the pointer is one of JSON");
	for (size_t i = 0; i < g->act->outputs_n; i++)
		if (str_eq(g->act->outputs[i].name, ret->name))
			return REFUSE(g->r->t, E_EXISTS,
			    "outputs: %.*s is there twice", STR_ARG(ret->name));
	return OK;
}

static err
read_outputs(struct acting *g, const struct json *o)
{
	struct connector_output *p;
	const struct json *list;

	TRY(list_of(g, o, "outputs", &list));
	if (list == NULL)
		return OK;
	p = arena_array(g->r->a, list->count + 1, sizeof *p);
	if (p == NULL)
		return err_of(E_NO_MEMORY);
	g->act->outputs = p;
	for (list = json_first(list); list != NULL; list = list->next) {
		TRY(read_output(g, list, &p[g->act->outputs_n]));
		g->act->outputs_n++;
	}
	return OK;
}

/* ---- one action, all of them ---- */

static bool
method_valid(struct str s)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (str_is(s, methods[i]))
			return true;
	return false;
}

static err
read_line(struct acting *g, const struct json *o)
{
	struct connector_action *act = g->act;

	TRY(ascii_member(g->r, o, "name", NAME_MAX, true, &act->name));
	if (!connector_name_valid(act->name))
		return REFUSE(g->r->t, E_INVALID,
		    "actions: a name is a-z, 0-9 and _, from a letter");
	TRY(ascii_member(g->r, o, "method", 8, true, &act->method));
	TRY(ascii_member(g->r, o, "path", 1024, true, &act->path));
	if (!method_valid(act->method))
		return REFUSE(g->r->t, E_INVALID,
		    "action %.*s: method is GET, HEAD, POST, PUT, PATCH or "
		    "DELETE",
		    STR_ARG(act->name));
	if (!connector_path_valid(act->path, true))
		return REFUSE(g->r->t, E_INVALID,
		    "action %.*s: path begins with / and has no query, "
		    "escape, empty or dot segment",
		    STR_ARG(act->name));
	return OK;
}

static err
read_action(struct reading *r, const struct json *o,
    struct connector_action *act)
{
	static const char *const names[] = {"name", "method", "path", "query",
	    "headers", "body", "params", "scopes", "outputs", "description",
	    NULL};
	struct acting g = {r, act};

	if (o->kind == JSON_STRING)
		return REFUSE(r->t, E_INVALID,
		    "actions: %.*s is not in the catalogue of this kind",
		    STR_ARG(o->text));
	TRY(only_members(r, o, "actions", names));
	TRY(read_line(&g, o));
	TRY(read_params(&g, o));
	TRY(text_template(&g, act->path));
	TRY(read_templates(&g, o));
	TRY(texts_member(r, o, "scopes", LIM_CONNECTOR_SCOPES, &act->scopes,
	    &act->scopes_n));
	return read_outputs(&g, o);
}

err
connector_read_actions(struct reading *r, const struct json *list,
    struct connector *ret)
{
	struct connector_action *act;

	if (list == NULL || list->kind != JSON_ARRAY || list->count == 0 ||
	    list->count > LIM_CONNECTOR_ACTIONS)
		return REFUSE(r->t, list == NULL ? E_MISSING : E_INVALID,
		    "actions: a list of 1 to %d", LIM_CONNECTOR_ACTIONS);
	act = arena_array(r->a, list->count, sizeof *act);
	if (act == NULL)
		return err_of(E_NO_MEMORY);
	ret->actions = act;
	for (list = json_first(list); list != NULL; list = list->next) {
		TRY(read_action(r, list, &act[ret->actions_n]));
		if (connector_action(ret, act[ret->actions_n].name) != NULL)
			return REFUSE(r->t, E_EXISTS,
			    "actions: %.*s is there twice",
			    STR_ARG(act[ret->actions_n].name));
		ret->actions_n++;
	}
	return OK;
}
