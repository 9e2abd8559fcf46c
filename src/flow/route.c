/* route.c: see route.h. */
#include "flow/route.h"

#include "base/limits.h"
#include "flow/call.h"
#include "flow/handlers.h"

/* P_LIMIT, P_CURSOR, ...: the bits of the params column. */
enum {
#define PARAM(name, text, type) P_##name = 1 << PARAM_##name,
#include "flow/params.def"
#undef PARAM
};
#define C FIELD_C
#define P FIELD_P
#define R FIELD_R
#define N FIELD_N
#define S FIELD_S

const struct route routes[] = {
#define ROUTE(id, m, path, auth, perm, lane, audit, schema, set, params, tier) \
	{#id, HTTP_##m, {path, sizeof(path) - 1}, ROUTE_##auth, perm,          \
	    ROUTE_##lane, audit, SCHEMA_##schema, set, params, TIER_##tier,    \
	    route_##id},
#include "flow/routes.def"
#undef ROUTE
};
const size_t routes_n = sizeof routes / sizeof *routes;

const struct route route_none = {.id = "none",
    .auth = ROUTE_API,
    .perm = PERM_NONE,
    .lane = ROUTE_REACTOR,
    .audit = AUDIT_NONE,
    .tier = TIER_NEVER,
    .handle = route_nothing};
const struct route route_leak = {.id = "token_in_url",
    .auth = ROUTE_OPEN,
    .perm = PERM_NONE,
    .lane = ROUTE_WRITER,
    .audit = AUDIT_TOKEN_IN_URL,
    .tier = TIER_NEVER,
    .handle = route_revoke_leaked};

#define no false
#define yes true
const struct field fields[] = {
#define FIELD(schema, name, type, max, set, class, sensitive, meaning)         \
	{SCHEMA_##schema, {name, sizeof(name) - 1}, FT_##type, max, set,       \
	    FC_##class, sensitive, meaning},
#include "flow/fields.def"
#undef FIELD
};
const size_t fields_n = sizeof fields / sizeof *fields;

const char *
param_text(enum param p)
{
	static const char *const text[] = {
#define PARAM(name, text, type) text,
#include "flow/params.def"
#undef PARAM
	};

	return text[p];
}

const char *
schema_name(enum schema s)
{
	static const char *const name[SCHEMA_MAX_] = {
	    [SCHEMA_NONE] = "none",
	    [SCHEMA_PROJECT] = "project",
	    [SCHEMA_INCIDENT] = "incident",
	    [SCHEMA_TRANSITION] = "transition",
	    [SCHEMA_MEMBERS] = "members",
	    [SCHEMA_ENTRY] = "timeline_entry",
	    [SCHEMA_ALERT] = "alert",
	    [SCHEMA_ALERT_ACT] = "alert_action",
	    [SCHEMA_PROMOTE] = "promotion",
	    [SCHEMA_INTEGRATION] = "integration",
	    [SCHEMA_TEST] = "integration_test",
	    [SCHEMA_USER] = "user",
	    [SCHEMA_SA] = "service_account",
	    [SCHEMA_GROUP] = "group",
	    [SCHEMA_ROLE] = "role",
	    [SCHEMA_BINDING] = "binding",
	    [SCHEMA_TOKEN] = "token",
	    [SCHEMA_EXPLAIN] = "explain",
	    [SCHEMA_EXPORT] = "export",
	};

	return name[s];
}

/* Does the path fit the pattern, segment by segment? */
static bool
fits(struct str pattern, struct str path, struct route_match *ret)
{
	ret->vars = 0;
	while (pattern.n > 0 || path.n > 0) {
		struct str want, have;

		if (pattern.n == 0 || path.n == 0 || path.p[0] != '/')
			return false;
		pattern = str_skip(pattern, 1);
		path = str_skip(path, 1);
		want = pattern;
		have = path;
		while (pattern.n > 0 && pattern.p[0] != '/')
			pattern = str_skip(pattern, 1);
		while (path.n > 0 && path.p[0] != '/')
			path = str_skip(path, 1);
		want.n -= pattern.n;
		have.n -= path.n;
		if (want.n > 0 && want.p[0] == '{') {
			if (have.n == 0 || ret->vars == ROUTE_VARS)
				return false;
			ret->var[ret->vars++] = have;
		} else if (!str_eq(want, have)) {
			return false;
		}
	}
	return true;
}

err
route_find(enum http_method m, struct str path, struct route_match *ret)
{
	struct route_match try;

	ret->route = NULL;
	ret->allow = 0;
	ret->vars = 0;
	if (m == HTTP_HEAD)
		m = HTTP_GET;
	for (size_t i = 0; i < routes_n; i++) {
		if (!fits(routes[i].path, path, &try))
			continue;
		ret->allow |= 1u << routes[i].method;
		if (routes[i].method != m || ret->route != NULL)
			continue;
		ret->route = &routes[i];
		ret->vars = try.vars;
		memcpy(ret->var, try.var, sizeof ret->var);
	}
	if (ret->route != NULL)
		return OK;
	return err_of(ret->allow != 0 ? E_METHOD : E_NOT_FOUND);
}
