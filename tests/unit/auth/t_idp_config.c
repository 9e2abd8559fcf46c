#include "auth/idp_config.h"
#include "auth/jose.h"
#include "tests/t.h"

static const int64_t now = 1795842000000; /* 2026-11-28T05:00:00Z */
static const struct json_limits limits = {32, 1000, 50000};
#define JWK                                                                    \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"                          \
	"\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
#define OIDC                                                                   \
	"\"issuer\":\"https://x\",\"client_id\":\"c\","                        \
	"\"authorization_endpoint\":\"https://x/a?b=c\""

static const struct json *
parsed(struct arena *a, const char *text)
{
	const struct json *j = NULL;

	T_GOOD(json_parse(a, str_c(text), &limits, NULL, &j));
	return j;
}

static err
taken(struct arena *a, enum idp_kind kind, const char *text,
    const struct idp_config *old, struct idp_config *ret)
{
	struct trail t = {{0}};

	return idp_config_take(a, kind, text == NULL ? NULL : parsed(a, text),
	    old, now, &t, ret);
}

static struct str
written(struct arena *a, const struct idp_config *c, bool shown)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, a, 1 << 20);
	jw_init(&w, &b);
	(shown ? idp_config_show : idp_config_write)(&w, c);
	T_OK(err_ok(buf_check(&b)));
	return buf_view(&b);
}

TEST(kinds)
{
	enum idp_kind k;

	for (unsigned i = IDP_SAML; i <= IDP_OAUTH; i++) {
		T_REQUIRE(
		    idp_kind_parse(str_c(idp_kind_text((enum idp_kind)i)), &k));
		T_EQ_INT(k, i);
	}
	T_OK(!idp_kind_parse(STR("SAML"), &k));
	T_OK(!idp_kind_parse(STR(""), &k));
}

TEST(what_may_be_written)
{
	static const struct {
		enum idp_kind kind;
		enum err_code code;
		const char *text;
	} row[] = {
	    {IDP_OIDC_CODE, E_OK, "{" OIDC "}"},
	    {IDP_OIDC_DIRECT, E_MISSING, "{" OIDC "}"},
	    {IDP_OIDC_DIRECT, E_OK, "{" OIDC ",\"jwks\":{\"keys\":[" JWK "]}}"},
	    {IDP_OIDC_CODE, E_UNKNOWN_MEMBER,
		"{" OIDC ",\"jwks\":{\"keys\":[" JWK "]}}"},
	    {IDP_OIDC_CODE, E_UNKNOWN_MEMBER, "{" OIDC ",\"entity_id\":\"x\"}"},
	    {IDP_OIDC_CODE, E_UNKNOWN_MEMBER, "{" OIDC ",\"Jit\":true}"},
	    {IDP_OIDC_CODE, E_INVALID, "{" OIDC ",\"jit\":1}"},
	    {IDP_OIDC_CODE, E_OK, "{" OIDC ",\"jit\":null}"},
	    {IDP_OIDC_CODE, E_INVALID, "{" OIDC ",\"scopes\":[]}"},
	    {IDP_OIDC_CODE, E_INVALID, "{" OIDC ",\"scopes\":[\"\"]}"},
	    {IDP_OIDC_CODE, E_INVALID, "{" OIDC ",\"scopes\":\"openid\"}"},
	    {IDP_OIDC_CODE, E_OK, "{" OIDC ",\"algorithms\":[\"ES512\"]}"},
	    {IDP_OIDC_CODE, E_INVALID, "{" OIDC ",\"algorithms\":[\"none\"]}"},
	    {IDP_OIDC_CODE, E_INVALID, "{" OIDC ",\"algorithms\":[\"HS256\"]}"},
	    {IDP_OIDC_CODE, E_INVALID, "{" OIDC ",\"algorithms\":[\"dir\"]}"},
	    {IDP_OIDC_CODE, E_INVALID, "{" OIDC ",\"group_map\":[1]}"},
	    {IDP_OIDC_CODE, E_INVALID,
		"{" OIDC ",\"group_map\":[{\"value\":\"x\",\"group\":\"y\"}]}"},
	    {IDP_OIDC_CODE, E_INVALID,
		"{" OIDC ",\"group_map\":[{\"value\":\"x\",\"group\":"
		"\"01a21120-eb10-77a2-8ef6-7a4e14fd62d4\",\"z\":1}]}"},
	    {IDP_OIDC_CODE, E_OK,
		"{" OIDC ",\"group_map\":[{\"value\":\"x\",\"group\":"
		"\"01a21120-eb10-77a2-8ef6-7a4e14fd62d4\"}]}"},
	    {IDP_OAUTH, E_OK,
		"{\"issuer\":\"https://x\",\"audience\":\"https://y\",\"jwks\":"
		"{\"keys\":[" JWK "]}}"},
	    {IDP_OAUTH, E_INVALID,
		"{\"issuer\":\"https://x\",\"audience\":\"https://y\",\"jwks\":"
		"{\"keys\":[]}}"},
	    {IDP_SAML, E_MISSING, "{}"},
	    {IDP_SAML, E_MISSING, NULL},
	    {IDP_SAML, E_OK, "{\"metadata\":\"<x/>\"}"},
	    {IDP_SAML, E_INVALID, "{\"metadata\":\"\"}"},
	    {IDP_SAML, E_UNKNOWN_MEMBER,
		"{\"metadata\":\"<x/>\",\"sp_key\":\"x\"}"},
	    {IDP_SAML, E_OK,
		"{\"metadata\":\"<x/>\",\"allow_sha1_until\":"
		"\"2027-02-26T05:00:00Z\"}"},
	    {IDP_SAML, E_INVALID,
		"{\"metadata\":\"<x/>\",\"allow_sha1_until\":"
		"\"2027-02-26T05:00:01Z\"}"},
	};
	struct idp_config c;
	struct arena a;

	arena_init(&a, 1 << 22);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		err e = taken(&a, row[i].kind, row[i].text, NULL, &c);

		if (!err_is(e, row[i].code))
			T_FAIL("%s: %s", row[i].text, err_name(e));
	}
	arena_done(&a);
}

TEST(addresses)
{
	static const struct {
		const char *url;
		bool good;
	} row[] = {
	    {"https://x", true},
	    {"https://x:8443/y?z=1&w=%20", true},
	    {"https://", false},
	    {"https:///x", false},
	    {"http://x", false},
	    {"HTTPS://x", false},
	    {"javascript:alert(1)", false},
	    {"https://x/ y", false},
	    {"https://u@x", false},
	    {"https://x/#f", false},
	    {"https://x/\\\\y", false},
	    {"https://x/\\u0000", false},
	    {"https://x/\\r\\nSet-Cookie: a=b", false},
	    {"https://\xc3\xa9", false},
	};
	struct idp_config c;
	struct arena a;
	char text[512];

	arena_init(&a, 1 << 22);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		snprintf(text, sizeof text,
		    "{\"issuer\":\"https://x\",\"client_id\":\"c\","
		    "\"authorization_endpoint\":\"%s\"}",
		    row[i].url);
		if (err_ok(taken(&a, IDP_OIDC_CODE, text, NULL, &c)) !=
		    row[i].good)
			T_FAIL("%s", row[i].url);
	}
	arena_done(&a);
}

TEST(kept_and_shown)
{
	struct idp_config c, d;
	struct str certs[] = {STR("QUJD"), STR("REVG")}, text;
	struct arena a;

	arena_init(&a, 1 << 22);
	T_GOOD(taken(&a, IDP_SAML,
	    "{\"metadata\":\"<x/>\",\"jit\":true,\"groups_attribute\":\"g\","
	    "\"allow_sha1_until\":\"2026-12-01T00:00:00Z\"}",
	    NULL, &c));
	T_EQ_STR(idp_config_text(&c, IDP_C_METADATA), STR("<x/>"));
	idp_config_set(&a, &c, IDP_C_METADATA, STR(""));
	idp_config_set(&a, &c, IDP_C_SP_KEY, STR("c2VjcmV0"));
	idp_config_set(&a, &c, IDP_C_ENTITY, STR("urn:x"));
	idp_config_set_list(&a, &c, IDP_C_CERTS, certs, 2);
	text = written(&a, &c, false);
	T_GOOD(idp_config_open(&a, STR("saml"), text, &d));
	T_EQ_STR(written(&a, &d, false), text);
	T_EQ_STR(idp_config_text(&d, IDP_C_SP_KEY), STR("c2VjcmV0"));
	T_OK(idp_config_flag(&d, IDP_C_JIT));
	T_OK(!idp_config_flag(&d, IDP_C_CBC));
	T_OK(idp_config_time(&d, IDP_C_SHA1_UNTIL) == 1796083200000);
	T_OK(d.v[IDP_C_CERTS]->count == 2);
	text = written(&a, &d, true);
	T_OK(!str_ifind(text, STR("c2VjcmV0")) && str_ifind(text, STR("QUJD")));
	T_OK(
	    err_is(idp_config_open(&a, STR("saml"), STR("[]"), &d), E_CORRUPT));
	T_OK(err_is(idp_config_open(&a, STR("x"), STR("{}"), &d), E_CORRUPT));
	arena_done(&a);
}

/* A new config keeps what only the server or a document sets. */
TEST(replacing)
{
	struct idp_config c, d;
	struct arena a;

	arena_init(&a, 1 << 22);
	T_GOOD(taken(&a, IDP_SAML, "{\"metadata\":\"<x/>\",\"jit\":true}", NULL,
	    &c));
	idp_config_set(&a, &c, IDP_C_METADATA, STR(""));
	idp_config_set(&a, &c, IDP_C_ENTITY, STR("urn:x"));
	idp_config_set(&a, &c, IDP_C_SP_KEY, STR("k"));
	T_GOOD(taken(&a, IDP_SAML, "{\"groups_attribute\":\"g\"}", &c, &d));
	T_EQ_STR(idp_config_text(&d, IDP_C_ENTITY), STR("urn:x"));
	T_EQ_STR(idp_config_text(&d, IDP_C_SP_KEY), STR("k"));
	T_OK(!idp_config_flag(&d, IDP_C_JIT));
	T_OK(idp_config_trust_differs(&c, &d)); /* jit */
	T_GOOD(taken(&a, IDP_SAML, "{\"groups_attribute\":\"g\",\"jit\":true}",
	    &c, &d));
	T_OK(!idp_config_trust_differs(&c, &d));
	T_GOOD(taken(&a, IDP_SAML,
	    "{\"jit\":true,\"allow_idp_initiated\":true}", &c, &d));
	T_OK(idp_config_trust_differs(&c, &d));
	T_GOOD(taken(&a, IDP_OIDC_DIRECT,
	    "{" OIDC ",\"jwks\":{\"keys\":[" JWK "]}}", NULL, &c));
	T_GOOD(taken(&a, IDP_OIDC_DIRECT, "{" OIDC "}", &c, &d));
	T_OK(d.v[IDP_C_JWKS] != NULL && !idp_config_trust_differs(&c, &d));
	T_GOOD(taken(&a, IDP_OIDC_DIRECT,
	    "{" OIDC ",\"jwks\":{\"keys\":[" JWK "," JWK "]}}", &c, &d));
	T_OK(idp_config_trust_differs(&c, &d));
	T_OK(err_is(taken(&a, IDP_OIDC_DIRECT, "{}", &c, &d), E_MISSING));
	arena_done(&a);
}

TEST(algorithms)
{
	struct idp_config c;
	struct arena a;

	arena_init(&a, 1 << 22);
	T_GOOD(taken(&a, IDP_OIDC_CODE, "{" OIDC "}", NULL, &c));
	T_OK(idp_config_algs(&c) ==
	    (JOSE_BIT(JOSE_RS256) | JOSE_BIT(JOSE_PS256) |
		JOSE_BIT(JOSE_ES256) | JOSE_BIT(JOSE_EDDSA)));
	T_GOOD(taken(&a, IDP_OIDC_CODE,
	    "{" OIDC ",\"algorithms\":[\"ES384\",\"RS512\"]}", NULL, &c));
	T_OK(idp_config_algs(&c) ==
	    (JOSE_BIT(JOSE_ES384) | JOSE_BIT(JOSE_RS512)));
	arena_done(&a);
}

T_MAIN
