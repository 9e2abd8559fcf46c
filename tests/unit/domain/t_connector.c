/* Connectors: what a document may say, the catalogue, parameters. */
#include "base/json_canon.h"
#include "base/limits.h"
#include "domain/connector.h"

#include "tests/t.h"

static struct arena a;
static struct trail t;

static const struct json *
parse(const char *text)
{
	const struct json *j = NULL;

	t = (struct trail){0};
	T_GOOD(json_parse(&a, str_c(text), &connector_limits, &t, &j));
	return j;
}

/* The parts of a good document; a row of a table replaces one. */
enum part {
	SLUG,
	KIND,
	BASE,
	HOSTS,
	ACTIONS,
	AUTH,
	MORE,
	LABELS,
	EXPIRES,
	PARTS
};
static const char *const good[PARTS] = {"\"slug\":\"tickets\"",
    "\"kind\":\"https\"", "\"base\":\"https://api.example.com/v1\"",
    "\"hosts\":[\"api.example.com:443\"]",
    "\"actions\":[{\"name\":\"get\",\"method\":\"GET\",\"path\":\"/x/{id}\","
    "\"params\":[{\"name\":\"id\",\"type\":\"string\",\"required\":true}]}]",
    "\"auth\":{\"kind\":\"bearer\",\"secret\":\"tok\"}", NULL,
    "\"delegates\":{\"labels\":{\"zone\":\"a\"}}",
    "\"expires_at\":\"2027-01-01T00:00:00Z\""};

static const struct json *
document(enum part part, const char *with)
{
	struct buf b;

	buf_init_on(&b, &a, 200000);
	buf_char(&b, '{');
	for (int i = 0; i < PARTS; i++) {
		const char *s = i == (int)part ? with : good[i];

		if (s == NULL || *s == '\0')
			continue;
		if (b.n > 1)
			buf_char(&b, ',');
		buf_c(&b, s);
	}
	buf_c(&b, "}");
	buf_char(&b, '\0');
	T_OK(!b.failed);
	return parse(b.p);
}

static err
check(enum part part, const char *with, struct connector *ret)
{
	return connector_parse(&a, document(part, with), &t, ret);
}

TEST(good_document)
{
	struct connector c;

	arena_init(&a, 1 << 27);
	T_GOOD(check(PARTS, NULL, &c));
	T_OK(str_is(c.slug, "tickets"));
	T_OK(str_is(c.prefix, "/v1"));
	T_OK(str_is(c.origin.host, "api.example.com"));
	T_EQ_INT(c.origin.port, 443);
	T_EQ_INT(c.hosts_n, 1);
	T_OK(!c.tls12);
	T_EQ_INT(c.egress, CONNECTOR_EGRESS_NONE);
	T_OK(connector_reaches(&c, STR("api.example.com"), 443));
	T_OK(!connector_reaches(&c, STR("api.example.com"), 8443));
	T_OK(!connector_reaches(&c, STR("a.api.example.com"), 443));
	T_OK(connector_action(&c, STR("get")) != NULL);
	T_OK(connector_action(&c, STR("GET")) == NULL);
	/* hosts that are not named are those it needs, and no more */
	T_GOOD(check(HOSTS, "", &c));
	T_EQ_INT(c.hosts_n, 1);
	T_OK(connector_reaches(&c, STR("api.example.com"), 443));
	arena_done(&a);
}

struct row {
	enum part part;
	const char *with;
	enum err_code want;
};

static const struct row rows[] = {
    /* hosts: one spelling, one place */
    {BASE, "\"base\":\"http://api.example.com\"", E_INVALID},
    {BASE, "\"base\":\"https://u@api.example.com\"", E_INVALID},
    {BASE, "\"base\":\"https://u:p@api.example.com/v1\"", E_INVALID},
    {BASE, "\"base\":\"https://API.example.com\"", E_INVALID},
    {BASE, "\"base\":\"https://api.example.com.\"", E_INVALID},
    {BASE, "\"base\":\"https://api.example.com/\"", E_INVALID},
    {BASE, "\"base\":\"https://api.example.com/v1?x=1\"", E_INVALID},
    {BASE, "\"base\":\"https://api.example.com/v1#f\"", E_INVALID},
    {BASE, "\"base\":\"https://api.example.com/../v1\"", E_INVALID},
    {BASE, "\"base\":\"https://api.example.com/%2e%2e\"", E_INVALID},
    {BASE, "\"base\":\"https://api.example.com\\\\@evil.com\"", E_INVALID},
    {BASE, "\"base\":\"https://api.example.com:0443\"", E_INVALID},
    {BASE, "\"base\":\"https://api.example.com:70000\"", E_INVALID},
    {BASE, "\"base\":\"https://other.example.com\"", E_INVALID},
    {BASE, "\"base\":\"https://\"", E_INVALID},
    {HOSTS, "\"hosts\":[\"*.example.com:443\"]", E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com\"]", E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"127.1:443\"]", E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"0x7f000001:443\"]",
	E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"2130706433:443\"]",
	E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"0177.0.0.1:443\"]",
	E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"010.0.0.1:443\"]", E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"[::ffff:10.0.0.1]:443\"]",
	E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"[0:0::1]:443\"]", E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"[fe80::1%eth0]:443\"]",
	E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"::1:443\"]", E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"10.0.0.1:443\"]", E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"8.8.8.8:443\"]", E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"a_b.example.com:443\"]",
	E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"hooks.slack.com:443\"]",
	E_INVALID},
    {HOSTS, "\"hosts\":[\"api.example.com:443\",\"slack.com:443\"]", E_INVALID},
    {MORE, "\"allow_cidrs\":[\"0.0.0.0/0\"]", E_INVALID},
    {MORE, "\"allow_cidrs\":[\"10.0.0.1/8\"]", E_INVALID},
    {MORE, "\"allow_cidrs\":[\"::/0\"]", E_INVALID},
    /* actions */
    {ACTIONS, "\"actions\":[]", E_INVALID},
    {ACTIONS, "", E_MISSING},
    {ACTIONS, "\"actions\":[\"create_issue\"]", E_INVALID},
#define ACT(x) "\"actions\":[{\"name\":\"a\"," x "}]"
    {ACTIONS, ACT("\"method\":\"CONNECT\",\"path\":\"/x\""), E_INVALID},
    {ACTIONS, ACT("\"method\":\"get\",\"path\":\"/x\""), E_INVALID},
    {ACTIONS, ACT("\"method\":\"GET\",\"path\":\"x\""), E_INVALID},
    {ACTIONS, ACT("\"method\":\"GET\",\"path\":\"//x\""), E_INVALID},
    {ACTIONS, ACT("\"method\":\"GET\",\"path\":\"/a/../x\""), E_INVALID},
    {ACTIONS, ACT("\"method\":\"GET\",\"path\":\"/a%2f\""), E_INVALID},
    {ACTIONS, ACT("\"method\":\"GET\",\"path\":\"/a?b=c\""), E_INVALID},
    {ACTIONS, ACT("\"method\":\"GET\",\"path\":\"/{id}\""), E_INVALID},
    {ACTIONS, ACT("\"method\":\"GET\",\"path\":\"/{id\""), E_INVALID},
    {ACTIONS, ACT("\"method\":\"GET\",\"path\":\"/id}\""), E_INVALID},
    {ACTIONS,
	ACT("\"method\":\"GET\",\"path\":\"/{i}\",\"params\":[{\"name\":\"i\","
	    "\"type\":\"string\"}]"),
	E_INVALID},
    {ACTIONS,
	ACT("\"method\":\"GET\",\"path\":\"/{i}\",\"params\":[{\"name\":\"i\","
	    "\"type\":\"object\",\"required\":true}]"),
	E_INVALID},
    {ACTIONS, ACT("\"method\":\"GET\",\"path\":\"/x\",\"body\":{}"), E_INVALID},
    {ACTIONS,
	ACT("\"method\":\"POST\",\"path\":\"/x\",\"body\":{\"a\":{\"param\":"
	    "\"b\"}}"),
	E_INVALID},
    {ACTIONS,
	ACT("\"method\":\"GET\",\"path\":\"/x\",\"headers\":{\"host\":\"y\"}"),
	E_INVALID},
    {ACTIONS,
	ACT("\"method\":\"GET\",\"path\":\"/x\",\"headers\":{\"Authorization\""
	    ":\"y\"}"),
	E_INVALID},
    {ACTIONS,
	ACT("\"method\":\"GET\",\"path\":\"/x\",\"headers\":{\"x-a\":"
	    "\"a\\r\\nb\"}"),
	E_INVALID},
    {ACTIONS, ACT("\"method\":\"GET\",\"path\":\"/x\",\"query\":{\"a\":[1]}"),
	E_INVALID},
    {ACTIONS,
	ACT("\"method\":\"GET\",\"path\":\"/x\",\"outputs\":[{\"name\":\"o\","
	    "\"type\":\"string\",\"pointer\":\"a\"}]"),
	E_INVALID},
    {ACTIONS, ACT("\"method\":\"GET\",\"path\":\"/x\",\"more\":1"),
	E_UNKNOWN_MEMBER},
    {ACTIONS,
	"\"actions\":[{\"name\":\"a\",\"method\":\"GET\",\"path\":\"/x\"},"
	"{\"name\":\"a\",\"method\":\"PUT\",\"path\":\"/y\"}]",
	E_EXISTS},
    {ACTIONS, ACT("\"method\":\"GET\",\"path\":\"/x\",\"scopes\":[\"write\"]"),
	E_INVALID},
    /* credentials */
    {AUTH, "", E_MISSING},
    {AUTH, "\"auth\":{\"kind\":\"bearer\"}", E_MISSING},
    {AUTH, "\"auth\":{\"kind\":\"none\",\"secret\":\"x\"}", E_INVALID},
    {AUTH, "\"auth\":{\"kind\":\"bearer\",\"secret\":\"x\",\"token\":\"y\"}",
	E_UNKNOWN_MEMBER},
    {AUTH, "\"auth\":{\"kind\":\"bearer\",\"secret\":\"../x\"}", E_INVALID},
    {AUTH,
	"\"auth\":{\"kind\":\"api_key\",\"secret\":\"x\",\"header\":\"Host\"}",
	E_INVALID},
    {AUTH,
	"\"auth\":{\"kind\":\"basic\",\"secret\":\"x\",\"username\":\"a:b\"}",
	E_INVALID},
    {AUTH,
	"\"auth\":{\"kind\":\"oauth2_client\",\"secret\":\"x\",\"client_id\":"
	"\"c\",\"token_url\":\"https://id.example.com/token\"}",
	E_INVALID},
    /* the rest */
    {SLUG, "\"slug\":\"Up\"", E_INVALID},
    {SLUG, "", E_MISSING},
    {KIND, "\"kind\":\"smtp\"", E_INVALID},
    {LABELS, "", E_MISSING},
    {LABELS, "\"delegates\":{}", E_INVALID},
    {LABELS, "\"delegates\":{\"labels\":{}}", E_INVALID},
    {LABELS, "\"delegates\":{\"labels\":{\"a\":\"\"}}", E_INVALID},
    {LABELS, "\"delegates\":{\"labels\":{\"A\":\"x\"}}", E_INVALID},
    {LABELS, "\"delegates\":{\"labels\":{\"a\":\"x y\"}}", E_INVALID},
    {EXPIRES, "", E_MISSING},
    {EXPIRES, "\"expires_at\":\"tomorrow\"", E_INVALID},
    {MORE, "\"min_tls\":\"1.1\"", E_INVALID},
    {MORE, "\"script_egress\":\"all\"", E_INVALID},
    {MORE, "\"insecure\":true", E_UNKNOWN_MEMBER},
    {MORE, "\"ca\":\"x\"", E_INVALID},
    {MORE,
	"\"ca\":\"-----BEGIN CERTIFICATE-----\\nMA==\\n"
	"-----END CERTIFICATE-----\\nx\"",
	E_INVALID},
    {MORE,
	"\"ca\":\"-----BEGIN PRIVATE KEY-----\\nMA==\\n"
	"-----END PRIVATE KEY-----\\n\"",
	E_INVALID},
};

TEST(bad_documents)
{
	struct connector c;

	arena_init(&a, 1 << 27);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		err e = check(rows[i].part, rows[i].with, &c);

		if (!err_is(e, rows[i].want))
			T_FAIL("%s: %s, not %s", rows[i].with, err_name(e),
			    err_name(err_of(rows[i].want)));
		if (t.detail[0] == '\0')
			T_FAIL("%s: nothing is said", rows[i].with);
		arena_reset(&a);
	}
	arena_done(&a);
}

/* What the table refuses is refused for that reason only. */
static const struct row fine[] = {
    {BASE, "\"base\":\"https://api.example.com:443/v1/x\"", E_OK},
    {HOSTS,
	"\"hosts\":[\"api.example.com:443\",\"10.0.0.1:8443\"],"
	"\"allow_cidrs\":[\"10.0.0.0/8\"]",
	E_OK},
    {HOSTS,
	"\"hosts\":[\"api.example.com:443\",\"[fd00::1]:443\"],"
	"\"allow_cidrs\":[\"fd00::/8\"]",
	E_OK},
    {ACTIONS,
	ACT("\"method\":\"POST\",\"path\":\"/{i}/"
	    "\",\"params\":[{\"name\":\"i\","
	    "\"type\":\"integer\",\"required\":true},{\"name\":\"o\",\"type\":"
	    "\"object\"}],\"query\":{\"q\":\"a{i}\",\"r\":{\"param\":\"o\"}},"
	    "\"headers\":{\"x-a\":\"{i}\"},\"body\":[{\"param\":\"o\"},1,"
	    "true,null,{\"param\":\"i\",\"b\":2}]"),
	E_OK},
    {AUTH,
	"\"auth\":{\"kind\":\"oauth2_client\",\"secret\":\"x\",\"client_id\":"
	"\"c\",\"token_url\":\"https://api.example.com/token\",\"scopes\":"
	"[\"a\",\"b\"],\"audience\":\"https://x\"}",
	E_OK},
    {AUTH, "\"auth\":{\"kind\":\"none\"}", E_OK},
    {AUTH,
	"\"auth\":{\"kind\":\"api_key\",\"secret\":\"x\",\"header\":\"x-key\","
	"\"prefix\":\"Key \"}",
	E_OK},
    {MORE,
	"\"ca\":\"-----BEGIN CERTIFICATE-----\\nMAAA\\n"
	"-----END CERTIFICATE-----\\n\",\"min_tls\":\"1.2\","
	"\"script_egress\":\"pass\"",
	E_OK},
    {KIND, "\"kind\":\"chat\",\"name\":\"shown\"", E_OK},
};

TEST(fine_documents)
{
	struct connector c;

	arena_init(&a, 1 << 27);
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
		err e = check(fine[i].part, fine[i].with, &c);

		if (!err_ok(e))
			T_FAIL("%s: %s: %s", fine[i].with, err_name(e),
			    t.detail);
		arena_reset(&a);
	}
	arena_done(&a);
}

/* ---- the catalogue ---- */

/* A document of that kind with one action of the catalogue, by its name. */
static const struct json *using(const char *kind, struct str action,
    const struct json *scopes)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, &a, 100000);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "slug", STR("xx"));
	jw_kstr(&w, "name", STR("shown to people"));
	jw_kstr(&w, "kind", str_c(kind));
	jw_kstr(&w, "base", STR("https://api.example.com"));
	jw_karr(&w, "actions");
	jw_str(&w, action);
	jw_arr_end(&w);
	jw_kobj(&w, "auth");
	jw_kstr(&w, "kind", STR("bearer"));
	jw_kstr(&w, "secret", STR("s"));
	if (scopes != NULL) {
		jw_name(&w, STR("scopes"));
		jw_value(&w, scopes);
	}
	jw_obj_end(&w);
	jw_kraw(&w, "delegates", STR("{\"labels\":{\"z\":\"a\"}}"));
	jw_kstr(&w, "expires_at", STR("2027-01-01T00:00:00Z"));
	jw_obj_end(&w);
	buf_char(&b, '\0');
	T_OK(!b.failed);
	return parse(b.p);
}

/* One action: resolved, canonical, valid; refused without its scopes. */
static void
one_action(const char *kind, const struct json *act)
{
	struct str name = json_str_at(act, STR("name")), text, again;
	const struct json *scopes = json_get(act, STR("scopes")), *whole = NULL;
	struct connector c;

	t = (struct trail){0};
	T_GOOD(connector_canon(&a, using(kind, name, scopes), &t, &text));
	T_GOOD(json_parse(&a, text, &connector_limits, &t, &whole));
	T_REQUIRE(whole != NULL);
	T_OK(json_is_canon(text, whole));
	T_OK(json_get(whole, STR("name")) == NULL);
	if (!err_ok(connector_parse(&a, whole, &t, &c)))
		T_FAIL("%s %.*s: %s", kind, STR_ARG(name), t.detail);
	T_OK(connector_action(&c, name) != NULL);
	T_OK(json_str_at(act, STR("description")).n > 0);
	T_GOOD(connector_canon(&a, whole, &t, &again));
	T_OK(str_eq(text, again));
	if (scopes == NULL)
		return;
	T_GOOD(connector_canon(&a, using(kind, name, NULL), &t, &text));
	T_GOOD(json_parse(&a, text, &connector_limits, &t, &whole));
	T_ERR(connector_parse(&a, whole, &t, &c), E_INVALID);
}

TEST(catalogue)
{
	const struct json *all = NULL;
	size_t actions = 0;

	arena_init(&a, 1 << 27);
	T_GOOD(
	    json_parse(&a, connector_catalogue(), &connector_limits, &t, &all));
	T_REQUIRE(all != NULL);
	T_EQ_INT(all->count, CONNECTOR_KINDS);
	for (int k = 0; k < CONNECTOR_KINDS; k++) {
		const char *kind = connector_kind_text((enum connector_kind)k);
		const struct json *j = json_get(all, str_c(kind));

		T_REQUIRE(j != NULL && j->kind == JSON_ARRAY);
		/* https has none: one writes one's own */
		T_OK((j->count == 0) == (k == CONNECTOR_HTTPS));
		for (j = json_first(j); j != NULL; j = j->next, actions++)
			one_action(kind, j);
	}
	T_OK(actions >= 60);
	arena_done(&a);
}

TEST(canonical_text_is_one)
{
	struct str one, two;

	arena_init(&a, 1 << 27);
	T_GOOD(connector_canon(&a,
	    parse("{\"slug\":\"a\",\"name\":\"n\",\"kind\":\"https\"}"), &t,
	    &one));
	T_GOOD(connector_canon(&a,
	    parse("{ \"kind\" : \"https\", \"slug\":\"\\u0061\" }"), &t, &two));
	T_OK(str_eq(one, two));
	T_ERR(connector_canon(&a,
		  parse("{\"kind\":\"jira\",\"actions\":[\"nope\"]}"), &t,
		  &one),
	    E_INVALID);
	/* a number that has no one text */
	T_ERR(connector_canon(&a, parse("{\"slug\":1.5}"), &t, &one),
	    E_INVALID);
	arena_done(&a);
}

TEST(parameters)
{
	static const struct {
		const char *params;
		enum err_code want;
	} row[] = {
	    {"{\"s\":\"abc\",\"i\":7}", E_OK},
	    {"{\"s\":\"abcd\"}", E_OK},
	    {"{\"s\":\"abcde\"}", E_INVALID},
	    {"{\"i\":7}", E_MISSING},
	    {"{\"s\":7}", E_INVALID},
	    {"{\"s\":\"a\",\"i\":7.5}", E_INVALID},
	    {"{\"s\":\"a\",\"i\":\"7\"}", E_INVALID},
	    {"{\"s\":\"a\",\"z\":1}", E_UNKNOWN_MEMBER},
	    {"{\"s\":null}", E_INVALID},
	    {"[]", E_INVALID},
	};
	struct connector c;

	arena_init(&a, 1 << 27);
	T_GOOD(check(ACTIONS,
	    ACT("\"method\":\"POST\",\"path\":\"/x\",\"params\":[{\"name\":"
		"\"s\",\"type\":\"string\",\"required\":true,\"max_length\":4},"
		"{\"name\":\"i\",\"type\":\"integer\"}]"),
	    &c));
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		err e = connector_check_params(&c.actions[0],
		    parse(row[i].params), &t);

		if (!err_is(e, row[i].want))
			T_FAIL("%s: %s", row[i].params, err_name(e));
	}
	T_ERR(connector_check_params(&c.actions[0], NULL, &t), E_MISSING);
	arena_done(&a);
}

/* n and n + 1 of a list. */
TEST(bounds)
{
	struct connector c;
	struct buf b;

	for (int n = LIM_CONNECTOR_ACTIONS; n <= LIM_CONNECTOR_ACTIONS + 1;
	     n++) {
		arena_init(&a, 1 << 27);
		buf_init_on(&b, &a, 100000);
		buf_c(&b, "\"actions\":[");
		for (int i = 0; i < n; i++)
			buf_fmt(&b,
			    "%s{\"name\":\"a%d\",\"method\":\"GET\","
			    "\"path\":\"/\"}",
			    i > 0 ? "," : "", i);
		buf_c(&b, "]");
		buf_char(&b, '\0');
		if (n == LIM_CONNECTOR_ACTIONS)
			T_GOOD(check(ACTIONS, b.p, &c));
		else
			T_ERR(check(ACTIONS, b.p, &c), E_INVALID);
		arena_done(&a);
	}
}

T_MAIN
