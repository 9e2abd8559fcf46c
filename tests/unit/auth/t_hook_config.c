/* The auth object of an integration, and the secrets beside it. */
#include "auth/hook.h"

#include "tests/t.h"

static err
parse(struct arena *a, const char *text, struct trail *t, struct hook_auth *ret)
{
	static const struct json_limits limits = {16, 100, 1000};
	const struct json *j;

	T_GOOD(json_parse(a, str_c(text), &limits, NULL, &j));
	return hook_auth_parse(a, j, t, ret);
}

/* ---- the auth object ---- */

static const struct {
	const char *text;
	enum err_code e;
} bad[] = {
    {"{}", E_INVALID},
    {"[]", E_INVALID},
    {"\"bearer\"", E_INVALID},
    {"[\"bearer\"]", E_INVALID},
    {"{\"kind\":\"none\"}", E_INVALID},
    {"{\"kind\":\"Bearer\"}", E_INVALID},
    {"{\"kind\":1}", E_INVALID},
    {"{\"kind\":\"bearer\",\"secret\":\"x\"}", E_UNKNOWN_MEMBER},
    {"{\"kind\":\"basic\",\"user\":\"a:b\"}", E_INVALID},
    {"{\"kind\":\"basic\",\"user\":\"\"}", E_INVALID},
    {"{\"kind\":\"basic\",\"user\":\"\\u00fc\"}", E_INVALID},
    {"{\"kind\":\"hmac\"}", E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"md5\"}", E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"github\",\"header\":\"x\"}",
	E_UNKNOWN_MEMBER},
    {"{\"kind\":\"hmac\",\"scheme\":\"github\",\"secret\":"
     "\"123456789012345\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"standard-webhooks\",\"secret\":"
     "\"whsec_0123456789abcdef\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"standard-webhooks\","
     "\"public_key\":\"whpk_AAAA\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"generic\",\"header\":"
     "\"Authorization\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"generic\",\"header\":\"a b\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"generic\",\"algorithm\":"
     "\"sha1\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"generic\",\"encoding\":\"b64\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"generic\",\"template\":\"{ts}\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"generic\",\"template\":"
     "\"{body}{body}\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"generic\",\"template\":"
     "\"{ts}{body}\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"generic\",\"template\":"
     "\"{body}\",\"timestamp_header\":\"t\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"generic\",\"template\":"
     "\"{x}{body}\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"generic\",\"header\":\"t\","
     "\"timestamp_header\":\"T\"}",
	E_INVALID},
    {"{\"kind\":\"hmac\",\"scheme\":\"slack\",\"unique_bodies\":true}",
	E_UNKNOWN_MEMBER},
    {"{\"kind\":\"mtls\"}", E_INVALID},
    {"{\"kind\":\"mtls\",\"fingerprint\":\"ab\"}", E_INVALID},
    {"{\"kind\":\"mtls\",\"fingerprint\":[]}", E_INVALID},
    {"{\"kind\":\"mtls\",\"ca\":\"x\"}", E_INVALID},
    {"{\"kind\":\"mtls\",\"spki\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
     "AAAAAAAAA=\",\"san\":\"dns:x\"}",
	E_INVALID},
    {"{\"kind\":\"ip_allow\"}", E_INVALID},
    {"{\"kind\":\"ip_allow\",\"cidrs\":[]}", E_INVALID},
    {"{\"kind\":\"ip_allow\",\"cidrs\":[\"10.0.0.1/8\"]}", E_INVALID},
    {"{\"kind\":\"jwe\"}", E_INVALID},
    {"[{\"kind\":\"jwe\"},{\"kind\":\"ip_allow\",\"cidrs\":[\"::/0\"]}"
     "]",
	E_INVALID},
    {"[{\"kind\":\"bearer\"},{\"kind\":\"bearer\"}]", E_INVALID},
    {"[{\"kind\":\"bearer\"},{\"kind\":\"basic\"}]", E_INVALID},
    {"[{\"kind\":\"url_key\"},{\"kind\":\"hmac\",\"scheme\":\"slack\"}"
     "]",
	E_INVALID},
    {"{\"kind\":\"all\",\"of\":[]}", E_INVALID},
    {"{\"kind\":\"all\",\"of\":{}}", E_INVALID},
    {"{\"kind\":\"all\"}", E_UNKNOWN_MEMBER},
    {"{\"kind\":\"all\",\"of\":[{\"kind\":\"bearer\"}],\"or\":1}",
	E_UNKNOWN_MEMBER},
    {"{\"kind\":\"all\",\"of\":[{\"kind\":\"all\",\"of\":[]}]}", E_INVALID},
};

TEST(refused)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct trail t = {""};
		struct hook_auth h;
		struct arena a;
		err e;

		arena_init(&a, 1 << 20);
		e = parse(&a, bad[i].text, &t, &h);
		if (!err_is(e, bad[i].e))
			T_FAIL("%s: %s (%s)", bad[i].text, err_name(e),
			    t.detail);
		if (t.detail[0] == '\0')
			T_FAIL("%s: nothing is told", bad[i].text);
		arena_done(&a);
	}
}

/* What is written reads back as itself, and has no secret in it. */
TEST(written)
{
	static const char *const good[] = {
	    "{\"kind\":\"bearer\"}",
	    "{\"kind\":\"basic\",\"user\":\"prometheus\"}",
	    "{\"kind\":\"hmac\",\"scheme\":\"github\",\"unique_bodies\":true}",
	    "{\"kind\":\"hmac\",\"scheme\":\"slack\"}",
	    "{\"kind\":\"hmac\",\"scheme\":\"grafana\",\"header\":"
	    "\"x-grafana-alerting-signature\",\"timestamp_header\":\"x-t\"}",
	    "{\"kind\":\"hmac\",\"scheme\":\"generic\",\"header\":\"x-s\","
	    "\"prefix\":\"s=\",\"encoding\":\"base64url\",\"algorithm\":"
	    "\"sha384\",\"template\":\"{ts}.{body}\",\"timestamp_header\":"
	    "\"x-t\"}",
	    "{\"kind\":\"hmac\",\"scheme\":\"standard-webhooks\","
	    "\"public_key\":[\"whpk_/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgC"
	    "U=\"]}",
	    "{\"kind\":\"all\",\"of\":[{\"kind\":\"basic\",\"user\":"
	    "\"redoubt\"},{\"kind\":\"ip_allow\",\"cidrs\":[\"10.0.0.0/8\"]},{"
	    "\"kind\":\"jwe\",\"key\":\"P-256\"}]}",
	    "{\"kind\":\"mtls\",\"spki\":["
	    "\"00000000000000000000000000000000000000000000000000000000000000"
	    "01\"]}",
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct hook_auth h;
		struct trail t;
		struct arena a;
		struct buf b;
		struct jw w;

		arena_init(&a, 1 << 20);
		T_GOOD(parse(&a, good[i], &t, &h));
		buf_init_on(&b, &a, 65536);
		jw_init(&w, &b);
		hook_auth_write(&w, &h);
		T_EQ_STR(buf_view(&b), str_c(good[i]));
		arena_done(&a);
	}
}

TEST(given_secret)
{
	struct hook_auth h;
	struct trail t;
	struct arena a;
	struct buf b;
	struct jw w;

	arena_init(&a, 1 << 20);
	T_GOOD(parse(&a,
	    "[{\"kind\":\"hmac\",\"scheme\":\"slack\",\"secret\":"
	    "\"8f742231b10e8888abcd99yyyzzz85a5\"}]",
	    &t, &h));
	T_EQ_STR(h.given, STR("8f742231b10e8888abcd99yyyzzz85a5"));
	buf_init_on(&b, &a, 65536);
	jw_init(&w, &b);
	hook_auth_write(&w, &h);
	T_EQ_STR(buf_view(&b), STR("{\"kind\":\"hmac\",\"scheme\":\"slack\"}"));
	arena_done(&a);
}

static const struct hook_secrets two = {
    .s = {{.id = {{1}}, .kind = HOOK_HMAC, .text = {"0123456789abcdef", 16}},
	{.id = {{2}},
	    .kind = HOOK_JWE,
	    .text = {"{\"kty\":\"EC\"}", 12},
	    .created = 5,
	    .expires = 99}},
    .n = 2,
};

TEST(secrets_text)
{
	struct hook_secrets back;
	struct arena a;
	struct buf b;
	struct jw w;

	arena_init(&a, 1 << 20);
	buf_init_on(&b, &a, 65536);
	jw_init(&w, &b);
	hook_secrets_write(&w, &two);
	T_GOOD(hook_secrets_parse(&a, buf_view(&b), &back));
	T_EQ_INT(back.n, 2);
	T_EQ_INT(back.s[1].kind, HOOK_JWE);
	T_EQ_STR(back.s[1].text, STR("{\"kty\":\"EC\"}"));
	T_EQ_INT(back.s[1].created, 5);
	T_EQ_INT(back.s[1].expires, 99);
	T_OK(uuid_eq(&back.s[0].id, &two.s[0].id));
	T_GOOD(hook_secrets_parse(&a, STR(""), &back));
	T_EQ_INT(back.n, 0);
	T_ERR(hook_secrets_parse(&a, STR("{}"), &back), E_CORRUPT);
	T_ERR(hook_secrets_parse(&a, STR("[{}]"), &back), E_CORRUPT);
	T_ERR(hook_secrets_parse(&a, STR("[1,2,3,4,5,6,7,8,9]"), &back),
	    E_CORRUPT);
	arena_done(&a);
}

TEST(made_secret)
{
	struct hook_auth h;
	struct trail t;
	struct arena a;
	uint8_t bytes[32];
	struct str made;

	memset(bytes, 7, sizeof bytes);
	arena_init(&a, 1 << 20);
	T_GOOD(parse(&a, "{\"kind\":\"hmac\",\"scheme\":\"standard-webhooks\"}",
	    &t, &h));
	made = hook_secret_make(&a, &h.rule[0], bytes);
	T_OK(str_starts(made, STR("whsec_")));
	T_OK(hook_secret_valid(&a, &h.rule[0], made));
	arena_done(&a);
}

T_MAIN
