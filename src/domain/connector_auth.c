/*
 * connector_auth.c: how a connector proves who it is.  The document names a
 * secret; what it is never stands in it.
 */
#include "domain/connector_inner.h"

enum { SECRET_NAME_MAX = 63, TEXT_MAX = 1024 };

/* Members of auth, and which kinds have them: bit per kind. */
enum {
	NONE = 1 << CONNECTOR_AUTH_NONE,
	BEARER = 1 << CONNECTOR_AUTH_BEARER,
	API_KEY = 1 << CONNECTOR_AUTH_API_KEY,
	BASIC = 1 << CONNECTOR_AUTH_BASIC,
	CLIENT = 1 << CONNECTOR_AUTH_OAUTH2_CLIENT,
	REFRESH = 1 << CONNECTOR_AUTH_OAUTH2_REFRESH,
	MTLS = 1 << CONNECTOR_AUTH_MTLS,
	OAUTH2 = CLIENT | REFRESH,
	HELD = BEARER | API_KEY | BASIC | OAUTH2 | MTLS,
};

static const char *const kinds[CONNECTOR_AUTHS] = {"none", "bearer", "api_key",
    "basic", "oauth2_client", "oauth2_refresh", "mtls"};

static const struct {
	const char *name;
	unsigned may, must;
} members[] = {
    {"kind", NONE | HELD, NONE | HELD},
    {"secret", HELD, HELD},
    {"scopes", HELD, 0},
    {"header", API_KEY, API_KEY},
    {"prefix", API_KEY, 0},
    {"username", BASIC, BASIC},
    {"token_url", OAUTH2, OAUTH2},
    {"client_id", OAUTH2, OAUTH2},
    {"audience", OAUTH2, 0},
};

static bool
kind_parse(struct str s, enum connector_auth_kind *ret)
{
	for (size_t i = 0; i < CONNECTOR_AUTHS; i++) {
		if (str_is(s, kinds[i])) {
			*ret = (enum connector_auth_kind)i;
			return true;
		}
	}
	return false;
}

const char *
connector_auth_text(enum connector_auth_kind k)
{
	return kinds[k];
}

/* Those that the kind has, all that it must have. */
static err
check_members(struct reading *r, const struct json *o, unsigned kind)
{
	size_t found = 0;

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		bool there = json_get(o, str_c(members[i].name)) != NULL;

		if (there && (members[i].may & kind) == 0)
			return REFUSE(r->t, E_INVALID,
			    "auth: this kind has no %s", members[i].name);
		if (!there && (members[i].must & kind) != 0)
			return REFUSE(r->t, E_MISSING, "auth: %s is missing",
			    members[i].name);
		found += there;
	}
	if (found != o->count)
		return REFUSE(r->t, E_UNKNOWN_MEMBER,
		    "auth: kind, secret, scopes, header, prefix, username, "
		    "token_url, client_id, audience");
	return OK;
}

static bool
header_valid(struct str s)
{
	static const char *const never[] = {"host", "connection", "te",
	    "content-length", "transfer-encoding", "upgrade", "trailer",
	    "expect", "content-type"};

	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
			(s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' ||
			s.p[i] == '_'))
			return false;
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		if (str_is(s, never[i]))
			return false;
	return true;
}

static err
read_texts(struct reading *r, const struct json *o, struct connector_auth *ret)
{
	TRY(ascii_member(r, o, "secret", SECRET_NAME_MAX, false, &ret->secret));
	TRY(ascii_member(r, o, "header", 63, false, &ret->header));
	TRY(ascii_member(r, o, "prefix", 64, false, &ret->prefix));
	TRY(ascii_member(r, o, "username", 256, false, &ret->username));
	TRY(ascii_member(r, o, "client_id", TEXT_MAX, false, &ret->client_id));
	TRY(ascii_member(r, o, "audience", TEXT_MAX, false, &ret->audience));
	TRY(ascii_member(r, o, "token_url", 2048, false, &ret->token_url));
	if (ret->secret.n > 0 && !connector_secret_valid(ret->secret))
		return REFUSE(r->t, E_INVALID,
		    "auth: secret: the name of a secret of the project");
	if (!header_valid(ret->header))
		return REFUSE(r->t, E_INVALID,
		    "auth: header: a-z, 0-9, - and _, and none that frames a "
		    "message");
	if (ret->username.n > 0 &&
	    memchr(ret->username.p, ':', ret->username.n) != NULL)
		return REFUSE(r->t, E_INVALID, "auth: username: no colon");
	return OK;
}

err
connector_read_auth(struct reading *r, const struct json *o,
    struct connector *c)
{
	struct connector_auth *ret = &c->auth;
	struct str path;

	if (o == NULL || o->kind != JSON_OBJECT)
		return REFUSE(r->t, o == NULL ? E_MISSING : E_INVALID,
		    "auth: an object with kind");
	if (!kind_parse(json_str_at(o, STR("kind")), &ret->kind))
		return REFUSE(r->t, E_INVALID,
		    "auth: kind: none, bearer, api_key, basic, oauth2_client, "
		    "oauth2_refresh or mtls");
	if (ret->kind == CONNECTOR_AUTH_NONE && c->kind != CONNECTOR_HTTPS)
		return REFUSE(r->t, E_INVALID,
		    "auth: only kind https goes without a credential");
	TRY(check_members(r, o, 1U << ret->kind));
	TRY(read_texts(r, o, ret));
	if (ret->token_url.n > 0 &&
	    (!connector_url_parse(r->a, ret->token_url, &ret->token_host,
		 &path) ||
		path.n == 0))
		return REFUSE(r->t, E_INVALID,
		    "auth: token_url: https://host[:port]/path, exact");
	return texts_member(r, o, "scopes", LIM_CONNECTOR_SCOPES, &ret->scopes,
	    &ret->scopes_n);
}
