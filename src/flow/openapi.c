/* openapi.c: GET /openapi.json, expanded from routes.def and fields.def. */
#include <stdio.h>

#include "auth/session.h"
#include "base/limits.h"
#include "flow/handlers.h"
#include "flow/call.h"
#include "flow/shape.h"

/* {"$ref":"#/components/schemas/X"} or with a suffix for bodies. */
static void
reference(struct jw *w, const char *name, const char *suffix)
{
	char text[120];

	(void)snprintf(text, sizeof text, "#/components/schemas/%s%s", name,
	    suffix);
	jw_obj(w);
	jw_kstr(w, "$ref", str_c(text));
	jw_obj_end(w);
}

static void
content(struct jw *w, const char *type, const char *name, const char *suffix)
{
	jw_kobj(w, "content");
	jw_name(w, str_c(type));
	jw_obj(w);
	jw_name(w, STR("schema"));
	reference(w, name, suffix);
	jw_obj_end(w);
	jw_obj_end(w);
}

static void
parameter(struct jw *w, struct str name, const char *in, bool required)
{
	jw_obj(w);
	jw_kstr(w, "name", name);
	jw_kstr(w, "in", str_c(in));
	jw_kbool(w, "required", required);
	jw_kraw(w, "schema", STR("{\"type\":\"string\"}"));
	jw_obj_end(w);
}

static void
parameters(struct jw *w, const struct route *r)
{
	struct str rest = r->path, name, star;

	jw_karr(w, "parameters");
	while (str_cut(rest, '{', &name, &rest)) {
		(void)str_cut(rest, '}', &name, &rest);
		(void)str_cut(name, '*', &name, &star);
		parameter(w, name, "path", true);
	}
	for (unsigned p = 0; p < PARAM_MAX_; p++)
		if ((r->params >> p & 1) != 0)
			parameter(w, str_c(param_text((enum param)p)), "query",
			    false);
	jw_arr_end(w);
}

static void
operation(struct jw *w, const struct route *r)
{
	static const char *const tier[] = {"read", "write", "admin", "never"};
	static const char *const auth[] = {"open", "api", "ingest", "login",
	    "delegate", "join"};

	jw_obj(w);
	jw_kstr(w, "operationId", str_c(r->id));
	parameters(w, r);
	if (r->schema != SCHEMA_NONE) {
		jw_kobj(w, "requestBody");
		jw_kbool(w, "required", true);
		content(w,
		    r->schema == SCHEMA_FORM
			? "application/x-www-form-urlencoded"
			: "application/json",
		    schema_name(r->schema),
		    r->set == FIELD_P ? "_patch" : "_create");
		jw_obj_end(w);
	}
	jw_kobj(w, "responses");
	jw_kobj(w, "default");
	jw_kstr(w, "description", STR("answer, or problem"));
	content(w, "application/problem+json", "problem", "");
	jw_obj_end(w);
	jw_obj_end(w);
	jw_karr(w, "security");
	if (r->auth == ROUTE_API)
		jw_raw(w, STR("{\"token\":[]},{\"session\":[],\"csrf\":[]}"));
	else if (r->auth == ROUTE_INGEST)
		jw_raw(w, STR("{\"sender\":[]}"));
	else if (r->auth == ROUTE_DELEGATE)
		jw_raw(w, STR("{\"delegate\":[]}"));
	else if (r->auth == ROUTE_JOIN)
		jw_raw(w, STR("{\"token\":[]}"));
	jw_arr_end(w);
	jw_kstr(w, "x-auth", str_c(auth[r->auth]));
	jw_kbool(w, "x-fresh", r->fresh);
	jw_kstr(w, "x-permission",
	    r->perm == PERM_NONE	 ? STR("none")
		: r->perm == PERM_OBJECT ? STR("object")
					 : str_c(perm_text(r->perm)));
	jw_kstr(w, "x-audit", str_c(audit_action_text(r->audit)));
	jw_kstr(w, "x-tier", str_c(tier[r->tier]));
	jw_obj_end(w);
}

static bool
seen_before(size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (str_eq(routes[i].path, routes[j].path))
			return true;
	return false;
}

/* OpenAPI has no word for a variable with slashes in it. */
static void
path_name(struct jw *w, struct str path)
{
	char text[120];
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};

	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] != '*')
			buf_char(&b, path.p[i]);
	jw_name(w, buf_view(&b));
}

static void
paths(struct jw *w)
{
	static const char *const method[] = {
	    [HTTP_GET] = "get",
	    [HTTP_POST] = "post",
	    [HTTP_PUT] = "put",
	    [HTTP_PATCH] = "patch",
	    [HTTP_DELETE] = "delete",
	};

	jw_kobj(w, "paths");
	for (size_t i = 0; i < routes_n; i++) {
		if (seen_before(i))
			continue;
		path_name(w, routes[i].path);
		jw_obj(w);
		for (size_t j = i; j < routes_n; j++) {
			if (!str_eq(routes[i].path, routes[j].path))
				continue;
			jw_name(w, str_c(method[routes[j].method]));
			operation(w, &routes[j]);
		}
		jw_obj_end(w);
	}
	jw_obj_end(w);
}

/* One schema: the object (set 0) or the body of creation or change. */
static void
schema(struct jw *w, enum schema s, unsigned set, const char *suffix)
{
	char name[80];

	(void)snprintf(name, sizeof name, "%s%s", schema_name(s), suffix);
	jw_name(w, str_c(name));
	jw_obj(w);
	jw_kstr(w, "type", STR("object"));
	jw_kbool(w, "additionalProperties", set == 0);
	jw_kobj(w, "properties");
	for (size_t i = 0; i < fields_n; i++) {
		if (fields[i].schema != s ||
		    (set != 0 && (fields[i].set & set) == 0))
			continue;
		jw_name(w, fields[i].name);
		jw_obj(w);
		shape_openapi(w, &fields[i]);
		jw_obj_end(w);
	}
	jw_obj_end(w);
	if (set == FIELD_C) {
		jw_karr(w, "required");
		for (size_t i = 0; i < fields_n; i++)
			if (fields[i].schema == s &&
			    (fields[i].set & FIELD_R) != 0)
				jw_str(w, fields[i].name);
		jw_arr_end(w);
	}
	jw_obj_end(w);
}

err
route_openapi(struct call *c)
{
	struct jw *w = answer(c, 200);

	jw_obj(w);
	jw_kstr(w, "openapi", STR("3.1.0"));
	jw_kobj(w, "info");
	jw_kstr(w, "title", STR("Redoubt"));
	jw_kstr(w, "version", str_c(REDOUBT_VERSION));
	jw_obj_end(w);
	paths(w);
	jw_kobj(w, "components");
	jw_kraw(w, "securitySchemes",
	    STR("{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
		"\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\","
		"\"name\":\"" SESSION_COOKIE "\"},"
		"\"csrf\":{\"type\":\"apiKey\",\"in\":\"header\","
		"\"name\":\"X-Redoubt-CSRF\"},"
		"\"sender\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
		"\"delegate\":{\"type\":\"mutualTLS\"}}"));
	jw_kobj(w, "schemas");
	jw_kraw(w, "problem",
	    STR("{\"type\":\"object\",\"required\":[\"type\",\"title\","
		"\"status\",\"detail\",\"code\",\"request_id\"],"
		"\"properties\":{"
		"\"type\":{\"type\":\"string\"},"
		"\"title\":{\"type\":\"string\"},"
		"\"status\":{\"type\":\"integer\"},"
		"\"detail\":{\"type\":\"string\"},"
		"\"code\":{\"type\":\"string\"},"
		"\"request_id\":{\"type\":\"string\"},"
		"\"errors\":{\"type\":\"array\",\"maxItems\":32,"
		"\"description\":\"the members that are wrong\","
		"\"items\":{\"type\":\"object\",\"required\":"
		"[\"pointer\",\"code\",\"detail\"],\"properties\":{"
		"\"pointer\":{\"type\":\"string\",\"description\":"
		"\"RFC 6901, into the body; ?name: a query parameter\"},"
		"\"code\":{\"type\":\"string\"},"
		"\"detail\":{\"type\":\"string\"}}}}}}"));
	_Static_assert(LIM_FAULTS == 32, "said in the schema above");
	for (unsigned s = SCHEMA_NONE + 1; s < SCHEMA_MAX_; s++) {
		schema(w, (enum schema)s, 0, "");
		schema(w, (enum schema)s, FIELD_C, "_create");
		schema(w, (enum schema)s, FIELD_P, "_patch");
	}
	jw_obj_end(w);
	jw_obj_end(w);
	jw_obj_end(w);
	return buf_check(&c->out);
}
