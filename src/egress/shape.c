/* shape.c: of what a provider says, the part that was asked for. */
#include "egress/inner.h"

#include "base/json.h"
#include "base/limits.h"

enum { KEYS = 32 };

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

/* A list of texts. */
static bool
is_list(const struct json *j)
{
	if (j->kind != JSON_ARRAY)
		return false;
	for (const struct json *i = json_first(j); i != NULL; i = i->next)
		if (i->kind != JSON_STRING)
			return false;
	return true;
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

/* ---- keys ---- */

/* Of a key, what is public (RFC 7518 6) and what says what it is for. */
static void
key_copy(const struct json *key, struct jw *w)
{
	static const char *const names[] = {"kty", "use", "key_ops", "alg",
	    "kid", "crv", "x", "y", "n", "e"};

	jw_obj(w);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct json *j = json_get(key, str_c(names[i]));

		if (j == NULL)
			continue;
		jw_name(w, str_c(names[i]));
		jw_value(w, j);
	}
	jw_obj_end(w);
}

static bool
key_right(const struct json *key)
{
	static const char *const texts[] = {"kty", "use", "alg", "kid", "crv",
	    "x", "y", "n", "e"};
	const struct json *ops;

	if (key->kind != JSON_OBJECT || json_str_at(key, STR("kty")).n == 0)
		return false;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct json *j = json_get(key, str_c(texts[i]));

		if (j != NULL && j->kind != JSON_STRING)
			return false;
	}
	ops = json_get(key, STR("key_ops"));
	return ops == NULL || is_list(ops);
}

enum idp_status
shape_jwks(struct arena *a, struct str json, struct buf *ret)
{
	const struct json *o, *keys;
	struct jw w;

	if (object(a, json, &o) != IDP_OK)
		return IDP_BAD_JSON;
	keys = json_get(o, STR("keys"));
	if (keys == NULL || keys->kind != JSON_ARRAY || keys->count > KEYS)
		return IDP_BAD_JSON;
	jw_init(&w, ret);
	jw_obj(&w);
	jw_karr(&w, "keys");
	for (const struct json *k = json_first(keys); k != NULL; k = k->next) {
		if (!key_right(k))
			return IDP_BAD_JSON;
		/* A shared secret has no public part. */
		if (!str_is(json_str_at(k, STR("kty")), "oct"))
			key_copy(k, &w);
	}
	jw_arr_end(&w);
	jw_obj_end(&w);
	return ret->failed ? IDP_TOO_BIG : IDP_OK;
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
	return is_list(j);
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
