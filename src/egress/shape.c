/* shape.c: of what a provider says, the part that was asked for. */
#include "egress/inner.h"

#include "base/limits.h"

static const struct json_limits bounds = {8, 200, 5000};

static enum idp_status
object(struct arena *a, struct str text, const struct json **ret)
{
	struct trail t = {{0}};

	if (!err_ok(json_parse(a, text, &bounds, &t, ret)) ||
	    (*ret)->kind != JSON_OBJECT)
		return IDP_BAD_JSON;
	return IDP_OK;
}

/* Base64url and dots, so that it is inert wherever it goes. */
static bool
is_compact(struct str s)
{
	if (s.n == 0 || s.n > LIM_IDP_TOKEN)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '-' || c == '_' ||
			c == '.'))
			return false;
	}
	return true;
}

enum idp_status
shape_token(struct arena *a, struct str json, struct buf *ret)
{
	const struct json *o;
	struct str token, type;

	if (object(a, json, &o) != IDP_OK)
		return IDP_BAD_JSON;
	token = json_str_at(o, STR("id_token"));
	type = json_str_at(o, STR("token_type"));
	if (!is_compact(token) || !str_ieq(type, STR("Bearer")))
		return IDP_BAD_JSON;
	buf_str(ret, token);
	return ret->failed ? IDP_TOO_BIG : IDP_OK;
}

enum idp_status
shape_jwks(struct arena *a, struct str json, struct buf *ret)
{
	enum jose_why why;
	struct jwks *keys;
	struct jw w;
	err e;

	if (!err_ok(jwks_parse(a, json, JWK_PUBLIC, &why, &keys)))
		return IDP_BAD_JSON;
	jw_init(&w, ret);
	e = jwks_write(keys, &w);
	(void)jwks_free(keys);
	if (ret->failed)
		return IDP_TOO_BIG;
	return err_ok(e) ? IDP_OK : IDP_BAD_JSON;
}

/* ---- metadata ---- */

enum kind { TEXT, LIST, FLAG };

static const struct {
	const char *name;
	enum kind kind;
} members[] = {
    {"issuer", TEXT},
    {"authorization_endpoint", TEXT},
    {"token_endpoint", TEXT},
    {"jwks_uri", TEXT},
    {"end_session_endpoint", TEXT},
    {"response_types_supported", LIST},
    {"response_modes_supported", LIST},
    {"id_token_signing_alg_values_supported", LIST},
    {"code_challenge_methods_supported", LIST},
    {"token_endpoint_auth_methods_supported", LIST},
    {"scopes_supported", LIST},
    {"acr_values_supported", LIST},
    {"authorization_response_iss_parameter_supported", FLAG},
};

static bool
is_right(const struct json *j, enum kind kind)
{
	if (kind == TEXT)
		return j->kind == JSON_STRING;
	if (kind == FLAG)
		return j->kind == JSON_TRUE || j->kind == JSON_FALSE;
	if (j->kind != JSON_ARRAY)
		return false;
	for (const struct json *i = json_first(j); i != NULL; i = i->next)
		if (i->kind != JSON_STRING)
			return false;
	return true;
}

static bool
holds(const struct json *list, const char *what)
{
	for (const struct json *i = json_first(list); i != NULL; i = i->next)
		if (str_is(i->text, what))
			return true;
	return false;
}

enum idp_status
shape_meta(struct arena *a, struct str json, const struct provider *p,
    struct buf *ret)
{
	const struct json *o;
	struct jw w;

	if (object(a, json, &o) != IDP_OK)
		return IDP_BAD_JSON;
	if (!str_eq(json_str_at(o, STR("issuer")), p->issuer))
		return IDP_ISSUER;
	jw_init(&w, ret);
	jw_obj(&w);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		struct str name = str_c(members[i].name);
		const struct json *j = json_get(o, name);

		if (j == NULL)
			continue;
		if (!is_right(j, members[i].kind))
			return IDP_BAD_JSON;
		jw_name(&w, name);
		jw_value(&w, j);
	}
	jw_obj_end(&w);
	/* Asked for a code, it must know what protects one. */
	if (p->url[URL_TOKEN].n > 0 &&
	    !holds(json_get(o, STR("code_challenge_methods_supported")),
		"S256"))
		return IDP_PKCE;
	return ret->failed ? IDP_TOO_BIG : IDP_OK;
}
