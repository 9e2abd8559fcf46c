/*
 * What a provider may say, one thing wrong at a time.  Tokens are signed here
 * with keys made here; signatures and keys themselves are t_jose's business.
 */
#include "auth/oidc.h"
#include "base/limits.h"
#include "base/text.h"
#include "tests/t.h"

#define NOW INT64_C(1795842000) /* seconds: 2026-11-28T05:00:00Z */
#define EVENT "http://schemas.openid.net/event/backchannel-logout"

static struct arena a;
static struct jwk *key, *other;
static struct jwks *keys;

static struct jwk *
make(enum jwk_new kind, enum jose_alg alg, const char *kid)
{
	enum jose_why why;
	struct jwk *k = NULL;
	struct str der;

	if (!err_ok(jwk_make(&a, kind, &der)) ||
	    !err_ok(jwk_from_private(der, str_c(kid), alg, &why, &k)))
		abort();
	return k;
}

/* The public half, as a provider would publish it. */
static struct jwks *
published(const struct jwk *k)
{
	struct jwks *set = NULL;
	enum jose_why why;
	struct buf b;
	struct jw w;

	buf_init_on(&b, &a, 65536);
	buf_c(&b, "{\"keys\":[");
	jw_init(&w, &b);
	if (!err_ok(jwk_write(k, &w)))
		abort();
	buf_c(&b, "]}");
	if (!err_ok(jwks_parse(&a, buf_view(&b), JWK_PUBLIC, &why, &set)))
		abort();
	return set;
}

static void
begin(void)
{
	if (key != NULL)
		return;
	arena_init(&a, 1 << 26);
	key = make(JWK_NEW_P256, JOSE_ES256, "one");
	other = make(JWK_NEW_P256, JOSE_ES256, "one");
	keys = published(key);
}

static const struct oidc_rules rules = {
    .issuer = {"https://op.example", 18},
    .client_id = {"redoubt", 7},
    .nonce = {"n-0S6_WzA2Mj", 12},
    .groups_claim = {"groups", 6},
    .algs = JOSE_BIT(JOSE_ES256) | JOSE_BIT(JOSE_EDDSA),
    .now = NOW * 1000,
};

static const char *const good_id[][2] = {
    {"iss", "\"https://op.example\""},
    {"sub", "\"alice\""},
    {"aud", "\"redoubt\""},
    {"exp", "1795842300"},
    {"iat", "1795842000"},
    {"nonce", "\"n-0S6_WzA2Mj\""},
};
static const char *const good_logout[][2] = {
    {"iss", "\"https://op.example\""},
    {"sub", "\"alice\""},
    {"aud", "\"redoubt\""},
    {"exp", "1795842120"},
    {"iat", "1795842000"},
    {"jti", "\"j1\""},
    {"events", "{\"" EVENT "\":{}}"},
};

/* The claims with one more, or with one changed, or (value NULL) left out;
 * name NULL: as they are. */
static struct str
claims(const char *const base[][2], size_t n, const char *name,
    const char *value)
{
	struct buf b;
	bool found = false, some = false;

	buf_init_on(&b, &a, 1 << 20);
	buf_c(&b, "{");
	for (size_t i = 0; i < n; i++) {
		bool mine = name != NULL && strcmp(base[i][0], name) == 0;
		const char *v = mine ? value : base[i][1];

		found = found || mine;
		if (v == NULL)
			continue;
		buf_fmt(&b, "%s\"%s\":", some ? "," : "", base[i][0]);
		buf_c(&b, v);
		some = true;
	}
	if (name != NULL && !found && value != NULL) {
		buf_fmt(&b, ",\"%s\":", name);
		buf_c(&b, value);
	}
	buf_c(&b, "}");
	return buf_view(&b);
}

static struct str
signed_by(const struct jwk *k, enum jose_alg alg, const char *typ,
    struct str payload)
{
	struct str token = STR("");

	if (!err_ok(jws_sign(&a, k, alg, str_c(typ), payload, &token)))
		abort();
	return token;
}

static enum jose_why
judge_id(struct str token, const struct oidc_rules *r, struct oidc_person *ret)
{
	enum jose_why why = WHY_MAX_;
	err e = oidc_id_token(&a, token, r, keys, &why, ret);

	if (err_ok(e) != (why == WHY_OK))
		T_FAIL("%s with %s", err_name(e), jose_why_text(why));
	return why;
}

static enum jose_why
judge_logout(struct str token, struct oidc_logout *ret)
{
	enum jose_why why = WHY_MAX_;
	err e = oidc_logout_token(&a, token, &rules, keys, &why, ret);

	if (err_ok(e) != (why == WHY_OK))
		T_FAIL("%s with %s", err_name(e), jose_why_text(why));
	return why;
}

static void
want(enum jose_why got, enum jose_why wanted, const char *name,
    const char *value)
{
	if (got != wanted)
		T_FAIL("%s %.60s: %s, want %s", name,
		    value == NULL ? "absent" : value, jose_why_text(got),
		    jose_why_text(wanted));
}

/* 255 and 256 bytes. */
#define S16 "0123456789abcdef"
#define S64 S16 S16 S16 S16
#define S255 S64 S64 S64 S16 S16 S16 "0123456789abcde"

/* One thing changed in a good id_token. */
static const struct {
	const char *name, *value;
	enum jose_why why;
} ids[] = {
    {NULL, NULL, WHY_OK},
    {"iss", NULL, WHY_ISS},
    {"iss", "\"https://op.example/\"", WHY_ISS},
    {"iss", "\"https://OP.example\"", WHY_ISS},
    {"iss", "\"\"", WHY_ISS},
    {"iss", "[\"https://op.example\"]", WHY_ISS},
    {"aud", NULL, WHY_AUD},
    {"aud", "\"other\"", WHY_AUD},
    {"aud", "\"Redoubt\"", WHY_AUD},
    {"aud", "\"redoubt \"", WHY_AUD},
    {"aud", "[]", WHY_AUD},
    {"aud", "[\"redoubt\"]", WHY_OK},
    {"aud", "[\"redoubt\",\"other\"]", WHY_AZP},
    {"aud", "[\"other\",\"redoubt\"]", WHY_AZP},
    {"aud", "[\"redoubt\",7]", WHY_AUD},
    {"aud", "{\"redoubt\":1}", WHY_AUD},
    {"aud", "7", WHY_AUD},
    {"azp", "\"redoubt\"", WHY_OK},
    {"azp", "\"other\"", WHY_AZP},
    {"azp", "null", WHY_AZP},
    {"sub", NULL, WHY_SUB},
    {"sub", "\"\"", WHY_SUB},
    {"sub", "7", WHY_SUB},
    {"sub", "\"a\\u0000b\"", WHY_SUB},
    {"sub", "\"a\\nb\"", WHY_SUB},
    {"sub", "\"" S255 "\"", WHY_OK},
    {"sub", "\"" S255 "f\"", WHY_SUB},
    {"exp", NULL, WHY_EXP},
    {"exp", "1795841941", WHY_OK},
    {"exp", "1795841940", WHY_EXP},
    {"exp", "\"1795842300\"", WHY_EXP},
    {"exp", "1795842300.5", WHY_EXP},
    {"exp", "1e400", WHY_EXP},
    {"exp", "-1", WHY_EXP},
    {"exp", "9223372036854775808", WHY_EXP},
    {"exp", "9223372036854775807", WHY_EXP},
    {"exp", "true", WHY_EXP},
    {"iat", NULL, WHY_IAT},
    {"iat", "1795842060", WHY_OK},
    {"iat", "1795842061", WHY_IAT},
    {"iat", "1795841340", WHY_OK},
    {"iat", "1795841339", WHY_IAT},
    {"iat", "0", WHY_IAT},
    {"iat", "null", WHY_IAT},
    {"nbf", "1795842060", WHY_OK},
    {"nbf", "1795842061", WHY_NBF},
    {"nbf", "\"x\"", WHY_NBF},
    {"nonce", NULL, WHY_NONCE},
    {"nonce", "\"\"", WHY_NONCE},
    {"nonce", "\"n-0S6_WzA2M\"", WHY_NONCE},
    {"nonce", "\"n-0S6_WzA2Mjx\"", WHY_NONCE},
    {"nonce", "\"N-0s6_wZa2mJ\"", WHY_NONCE},
    {"nonce", "[\"n-0S6_WzA2Mj\"]", WHY_NONCE},
    {"c_hash", "\"x\"", WHY_C_HASH},
    {"auth_time", "1795000000", WHY_OK},
    {"auth_time", "1795842061", WHY_AUTH_TIME},
    {"auth_time", "\"x\"", WHY_AUTH_TIME},
    {"email", "7", WHY_TEXT},
    {"email", "\"a\\r\\nb\"", WHY_TEXT},
    {"email", "null", WHY_OK},
    {"name", "[]", WHY_TEXT},
    {"sid", "\"" S255 "f\"", WHY_TEXT},
    {"groups", "[]", WHY_OK},
    {"groups", "\"ops\"", WHY_GROUPS},
    {"groups", "[\"ops\",7]", WHY_GROUPS},
    {"groups", "[\"\"]", WHY_GROUPS},
    {"groups", "[\"a\\u0000\"]", WHY_GROUPS},
    {"_claim_names", "{\"groups\":\"src1\"}", WHY_OVERAGE},
    {"_claim_names", "{\"photo\":\"src1\"}", WHY_OK},
    {"hasgroups", "true", WHY_OVERAGE},
    {"hasgroups", "false", WHY_OK},
    {"email_verified", "true", WHY_OK},
    {"unknown", "{\"a\":[{}]}", WHY_OK},
};

TEST(id_tokens)
{
	struct oidc_person who;

	begin();
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		struct str c = claims(good_id, 6, ids[i].name, ids[i].value);

		want(judge_id(signed_by(key, JOSE_ES256, "JWT", c), &rules,
			 &who),
		    ids[i].why, ids[i].name == NULL ? "good" : ids[i].name,
		    ids[i].value);
	}
}

TEST(a_person)
{
	struct oidc_person who;
	struct str c =
	    STR("{\"iss\":\"https://op.example\",\"sub\":\"alice\","
		"\"aud\":[\"redoubt\",\"api\"],\"azp\":\"redoubt\","
		"\"exp\":1795842300,\"iat\":1795842000,"
		"\"nonce\":\"n-0S6_WzA2Mj\",\"email\":\"a@example.org\","
		"\"name\":\"Alice \xc3\x89\",\"sid\":\"s1\","
		"\"auth_time\":1795841000,\"groups\":[\"ops\",\"all\"]}");

	begin();
	T_REQUIRE(judge_id(signed_by(key, JOSE_ES256, "", c), &rules, &who) ==
	    WHY_OK);
	T_EQ_STR(who.sub, STR("alice"));
	T_EQ_STR(who.email, STR("a@example.org"));
	T_EQ_STR(who.name, STR("Alice \xc3\x89"));
	T_EQ_STR(who.sid, STR("s1"));
	T_REQUIRE(who.groups_n == 2);
	T_EQ_STR(who.groups[1], STR("all"));
	T_OK(who.auth_time == 1795841000000);
}

TEST(groups_are_bounded_and_asked_for)
{
	struct oidc_rules none = rules;
	struct oidc_person who;
	struct buf b;

	begin();
	for (unsigned n = OIDC_GROUPS; n <= OIDC_GROUPS + 1; n++) {
		buf_init_on(&b, &a, 65536);
		buf_c(&b, "[");
		for (unsigned i = 0; i < n; i++)
			buf_fmt(&b, "%s\"g%u\"", i == 0 ? "" : ",", i);
		buf_c(&b, "]");
		buf_char(&b, '\0');
		want(judge_id(signed_by(key, JOSE_ES256, "",
				  claims(good_id, 6, "groups", b.p)),
			 &rules, &who),
		    n > OIDC_GROUPS ? WHY_GROUPS : WHY_OK, "groups", "many");
	}
	/* who does not ask is not disturbed */
	none.groups_claim = STR("");
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, "groups", "7")),
		 &none, &who),
	    WHY_OK, "groups", "not asked for");
	T_OK(who.groups_n == 0);
}

TEST(kinds_of_token)
{
	static const struct {
		const char *typ;
		enum jose_why id, logout;
	} row[] = {
	    {"", WHY_OK, WHY_TYP},
	    {"JWT", WHY_OK, WHY_TYP},
	    {"jwt", WHY_OK, WHY_TYP},
	    {"application/jwt", WHY_OK, WHY_TYP},
	    {"at+jwt", WHY_TYP, WHY_TYP},
	    {"application/at+jwt", WHY_TYP, WHY_TYP},
	    {"dpop+jwt", WHY_TYP, WHY_TYP},
	    {"logout+jwt", WHY_TYP, WHY_OK},
	    {"application/logout+jwt", WHY_TYP, WHY_OK},
	};
	struct str id = claims(good_id, 6, NULL, NULL);
	struct str out = claims(good_logout, 7, NULL, NULL);
	struct oidc_person who;
	struct oidc_logout over;

	begin();
	id = claims(good_id, 6, NULL, NULL);
	out = claims(good_logout, 7, NULL, NULL);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		want(judge_id(signed_by(key, JOSE_ES256, row[i].typ, id),
			 &rules, &who),
		    row[i].id, "id", row[i].typ);
		want(judge_logout(signed_by(key, JOSE_ES256, row[i].typ, out),
			 &over),
		    row[i].logout, "logout", row[i].typ);
	}
	/* one in the place of the other */
	want(judge_id(signed_by(key, JOSE_ES256, "JWT", out), &rules, &who),
	    WHY_NONCE, "logout", "as id_token");
	want(judge_logout(signed_by(key, JOSE_ES256, "logout+jwt", id), &over),
	    WHY_EVENTS, "id_token", "as logout");
}

TEST(who_signs)
{
	struct str c, token;
	struct oidc_rules r = rules;
	struct oidc_person who;

	begin();
	c = claims(good_id, 6, NULL, NULL);
	want(judge_id(signed_by(other, JOSE_ES256, "", c), &rules, &who),
	    WHY_SIG, "key", "another of that kid");
	r.algs = JOSE_BIT(JOSE_RS256);
	want(judge_id(signed_by(key, JOSE_ES256, "", c), &r, &who), WHY_ALG,
	    "alg", "not allowed");
	token = signed_by(key, JOSE_ES256, "", c);
	want(judge_id(str_head(token, token.n - 1), &rules, &who), WHY_B64,
	    "token", "cut");
	want(judge_id(STR(""), &rules, &who), WHY_FORM, "token", "empty");
	want(judge_id(signed_by(key, JOSE_ES256, "", STR("[]")), &rules, &who),
	    WHY_CLAIMS, "claims", "[]");
	want(judge_id(signed_by(key, JOSE_ES256, "", STR("x")), &rules, &who),
	    WHY_CLAIMS, "claims", "x");
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  STR("{\"iss\":\"a\",\"iss\":\"b\"}")),
		 &rules, &who),
	    WHY_JSON_DUP, "claims", "twice");
}

/* Methods are demanded: all of them, and nothing else says that they were
 * used. */
static void
methods(struct oidc_rules *r)
{
	static const struct {
		const char *amr;
		enum jose_why why;
	} row[] = {
	    {"[\"mfa\",\"hwk\"]", WHY_OK},
	    {"[\"hwk\",\"pwd\",\"mfa\",7]", WHY_OK},
	    {"[\"mfa\"]", WHY_AMR},
	    {"[\"hwk\"]", WHY_AMR},
	    {"[\"MFA\",\"hwk\"]", WHY_AMR},
	    {"[[\"mfa\",\"hwk\"]]", WHY_AMR},
	    {"\"mfa hwk\"", WHY_AMR},
	    {"{\"a\":\"mfa\",\"b\":\"hwk\"}", WHY_AMR},
	    {"[]", WHY_AMR},
	    {"null", WHY_AMR},
	};
	static const struct json_limits limits = {4, 16, 64};
	struct oidc_person who;
	struct trail t;

	T_GOOD(json_parse(&a, STR("[\"mfa\",\"hwk\"]"), &limits, &t, &r->amr));
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		want(judge_id(signed_by(key, JOSE_ES256, "",
				  claims(good_id, 6, "amr", row[i].amr)),
			 r, &who),
		    row[i].why, "amr", row[i].amr);
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, NULL, NULL)),
		 r, &who),
	    WHY_AMR, "amr", NULL);
}

TEST(what_is_demanded)
{
	struct oidc_rules r = rules;
	struct oidc_person who;

	begin();
	r.acr = STR("urn:mfa");
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, "acr", "\"urn:mfa\"")),
		 &r, &who),
	    WHY_OK, "acr", "same");
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, "acr", "\"urn:pwd\"")),
		 &r, &who),
	    WHY_ACR, "acr", "other");
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, NULL, NULL)),
		 &r, &who),
	    WHY_ACR, "acr", NULL);
	r = rules;
	methods(&r);
	r = rules;
	r.nonce = STR(""); /* no request is no reason to believe anything */
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, "nonce", NULL)),
		 &r, &who),
	    WHY_NONCE, "nonce", NULL);
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, "nonce", "\"\"")),
		 &r, &who),
	    WHY_NONCE, "nonce", "");
	r = rules;
	r.after = (NOW - 100) * 1000;
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, "auth_time", "1795841840")),
		 &r, &who),
	    WHY_OK, "auth_time", "160 s ago");
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, "auth_time", "1795841839")),
		 &r, &who),
	    WHY_AUTH_TIME, "auth_time", "161 s ago");
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, NULL, NULL)),
		 &r, &who),
	    WHY_AUTH_TIME, "auth_time", NULL);
}

/* Core's own example: appendix A.4 and A.6 give a code and its hash. */
TEST(code_hashes)
{
	struct oidc_rules r = rules;
	struct oidc_person who;

	begin();
	r.code = str_c("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_"
		       "11jnpEX3Tgfvk");
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, "c_hash",
			      "\"LDktKdoQak3Pk0cnXxCltA\"")),
		 &r, &who),
	    WHY_OK, "c_hash", "of the code");
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, "c_hash",
			      "\"LDktKdoQak3Pk0cnXxCltB\"")),
		 &r, &who),
	    WHY_C_HASH, "c_hash", "of another");
	r.code = STR("another");
	want(judge_id(signed_by(key, JOSE_ES256, "",
			  claims(good_id, 6, "c_hash",
			      "\"LDktKdoQak3Pk0cnXxCltA\"")),
		 &r, &who),
	    WHY_C_HASH, "c_hash", "of another code");
}

TEST(logout_tokens)
{
	static const struct {
		const char *name, *value;
		enum jose_why why;
	} row[] = {
	    {NULL, NULL, WHY_OK},
	    {"exp", NULL, WHY_OK},
	    {"exp", "1795841900", WHY_EXP},
	    {"iat", NULL, WHY_IAT},
	    {"iss", "\"https://other\"", WHY_ISS},
	    {"aud", "\"other\"", WHY_AUD},
	    {"events", NULL, WHY_EVENTS},
	    {"events", "{}", WHY_EVENTS},
	    {"events", "[\"" EVENT "\"]", WHY_EVENTS},
	    {"events", "{\"" EVENT "\":true}", WHY_EVENTS},
	    {"events", "{\"" EVENT "\":{\"x\":1},\"other\":{}}", WHY_OK},
	    {"nonce", "\"n\"", WHY_LOGOUT_NONCE},
	    {"nonce", "null", WHY_LOGOUT_NONCE},
	    {"sub", NULL, WHY_LOGOUT_WHO},
	    {"sub", "\"\"", WHY_SUB},
	    {"sub", "7", WHY_SUB},
	    {"sid", "\"s1\"", WHY_OK},
	    {"sid", "7", WHY_TEXT},
	    {"jti", NULL, WHY_JTI},
	    {"jti", "\"\"", WHY_JTI},
	    {"jti", "\"" S255 "\"", WHY_OK},
	    {"jti", "\"" S255 "f\"", WHY_JTI},
	};
	struct oidc_logout out;

	begin();
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		want(judge_logout(signed_by(key, JOSE_ES256, "logout+jwt",
				      claims(good_logout, 7, row[i].name,
					  row[i].value)),
			 &out),
		    row[i].why, row[i].name == NULL ? "good" : row[i].name,
		    row[i].value);
}

static const char *const good_access[][2] = {
    {"iss", "\"https://op.example\""},
    {"sub", "\"build-17\""},
    {"aud", "\"redoubt\""},
    {"exp", "1795845600"},
    {"iat", "1795842000"},
    {"jti", "\"j1\""},
    {"client_id", "\"ci\""},
};

/* One thing changed in a good access token. */
static const struct {
	const char *name, *value;
	enum jose_why why;
} accesses[] = {
    {NULL, NULL, WHY_OK},
    {"iss", "\"https://op.example/\"", WHY_ISS},
    {"aud", "\"other\"", WHY_AUD},
    {"aud", "[\"redoubt\"]", WHY_OK},
    {"aud", "[\"other\",\"redoubt\"]", WHY_AUD},
    {"aud", "[\"redoubt\",\"other\"]", WHY_AUD},
    {"aud", "[\"redoubt\",\"redoubt\"]", WHY_AUD},
    {"aud", NULL, WHY_AUD},
    {"sub", NULL, WHY_SUB},
    {"exp", NULL, WHY_EXP},
    {"exp", "1795841940", WHY_EXP},
    {"exp", "1795845601", WHY_LIFE},
    {"exp", "\"1795845600\"", WHY_EXP},
    {"iat", NULL, WHY_IAT},
    {"iat", "1795842061", WHY_IAT},
    {"iat", "1795841999", WHY_LIFE},
    {"nbf", "1795842061", WHY_NBF},
    {"jti", NULL, WHY_JTI},
    {"jti", "\"\"", WHY_JTI},
    {"client_id", NULL, WHY_CLIENT},
    {"client_id", "\"\"", WHY_CLIENT},
    {"client_id", "7", WHY_CLIENT},
    {"scope", "\"incident.view alert.view\"", WHY_OK},
    {"scope", "\"\"", WHY_OK},
    {"scope", "[\"incident.view\"]", WHY_SCOPE},
    {"scope", "\" incident.view\"", WHY_SCOPE},
    {"scope", "\"incident.view \"", WHY_SCOPE},
    {"scope", "\"a  b\"", WHY_SCOPE},
    {"scope", "\"a\\u0000\"", WHY_SCOPE},
    {"scope", "\"a\\\"b\"", WHY_SCOPE},
};

static enum jose_why
judge_access(struct str token, struct oidc_access *ret)
{
	enum jose_why why = WHY_MAX_;
	err e = oidc_access_token(&a, token, &rules, keys, &why, ret);

	if (err_ok(e) != (why == WHY_OK))
		T_FAIL("%s with %s", err_name(e), jose_why_text(why));
	return why;
}

TEST(access_tokens)
{
	static const char *const typ[] = {"", "JWT", "logout+jwt", "at-jwt"};
	struct oidc_access out;
	struct str c;

	begin();
	for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++) {
		c = claims(good_access, 7, accesses[i].name, accesses[i].value);
		want(judge_access(signed_by(key, JOSE_ES256, "at+jwt", c),
			 &out),
		    accesses[i].why,
		    accesses[i].name == NULL ? "good" : accesses[i].name,
		    accesses[i].value);
	}
	c = claims(good_access, 7, "scope", "\"a b\"");
	for (size_t i = 0; i < sizeof typ / sizeof *typ; i++)
		want(judge_access(signed_by(key, JOSE_ES256, typ[i], c), &out),
		    WHY_TYP, "typ", typ[i]);
	want(judge_access(signed_by(other, JOSE_ES256, "at+jwt", c), &out),
	    WHY_SIG, "key", "another");
	for (int n = 4096; n <= 4097; n++) {
		char scope[4100];

		(void)snprintf(scope, sizeof scope, "\"%0*d\"", n, 1);
		want(judge_access(signed_by(key, JOSE_ES256, "at+jwt",
				      claims(good_access, 7, "scope", scope)),
			 &out),
		    n == 4096 ? WHY_OK : WHY_SCOPE, "scope", "long");
	}
	T_REQUIRE(
	    judge_access(signed_by(key, JOSE_ES256, "application/at+jwt", c),
		&out) == WHY_OK);
	T_EQ_STR(out.sub, STR("build-17"));
	T_EQ_STR(out.client_id, STR("ci"));
	T_EQ_STR(out.scope, STR("a b"));
	T_OK(out.expires == 1795845660000);
}

TEST(whose_keys_to_try)
{
	struct str t;

	begin();
	t = signed_by(other, JOSE_ES256, "x", STR("{\"iss\":\"https://y\"}"));
	T_EQ_STR(oidc_claimed_issuer(&a, t), STR("https://y"));
	t = signed_by(key, JOSE_ES256, "", STR("{\"iss\":7}"));
	T_EQ_STR(oidc_claimed_issuer(&a, t), STR(""));
	T_EQ_STR(oidc_claimed_issuer(&a, STR("a.b.c")), STR(""));
	T_EQ_STR(oidc_claimed_issuer(&a, STR("..")), STR(""));
	T_EQ_STR(oidc_claimed_issuer(&a, STR("")), STR(""));
}

T_MAIN
