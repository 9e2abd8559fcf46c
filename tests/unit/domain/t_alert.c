/* Alerts: folding, the default rule, mappings. */
#include "domain/map.h"

#include "grants.h"
#include "tests/t.h"

static const struct json_limits lim = {32, 1000, 10000};

static const struct json *
parse(struct arena *a, const char *text)
{
	const struct json *j = NULL;
	struct trail t = {0};

	T_GOOD(json_parse(a, str_c(text), &lim, &t, &j));
	return j;
}

TEST(fold_table)
{
	static const struct {
		int old; /* -1: none */
		bool resolved, same;
		enum alert_did did;
		int status;
		uint32_t count;
	} row[] = {
	    {-1, false, false, ALERT_DID_OPEN, ALERT_TRIGGERED, 1},
	    {-1, true, false, ALERT_DID_CLOSED, ALERT_RESOLVED, 1},
	    {ALERT_TRIGGERED, false, true, ALERT_DID_REPEAT, ALERT_TRIGGERED,
		8},
	    {ALERT_TRIGGERED, false, false, ALERT_DID_CHANGE, ALERT_TRIGGERED,
		8},
	    {ALERT_ACKNOWLEDGED, false, true, ALERT_DID_REPEAT,
		ALERT_ACKNOWLEDGED, 8},
	    {ALERT_ACKNOWLEDGED, true, true, ALERT_DID_RESOLVE, ALERT_RESOLVED,
		8},
	    {ALERT_RESOLVED, true, true, ALERT_DID_AGAIN, ALERT_RESOLVED, 8},
	    {ALERT_RESOLVED, false, true, ALERT_DID_REOPEN, ALERT_TRIGGERED, 1},
	};
	struct arena a;
	const struct grant *g;

	arena_init(&a, 1 << 20);
	g = grant_for(&a, PERM_INGEST);
	T_REQUIRE(g != NULL);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct alert_head old = {.status = (uint8_t)row[i].old,
				      .count = 7,
				      .version = 3,
				      .first_seen = 1,
				      .severity = ALERT_ERROR},
				  h;
		struct alert_in in = {.severity = ALERT_ERROR,
		    .resolved = row[i].resolved};

		T_EQ_INT(alert_fold(g, row[i].old < 0 ? NULL : &old, &in,
			     row[i].same, 50, &h),
		    row[i].did);
		T_EQ_INT(h.status, row[i].status);
		T_EQ_INT(h.count, row[i].count);
		T_EQ_INT(h.last_seen, 50);
	}
	arena_done(&a);
}

/* Taken elsewhere: only what fires is taken, and what was sent stays. */
TEST(fold_taken)
{
	static const struct {
		int old; /* -1: none */
		enum alert_did did;
		int status;
		uint32_t version;
	} row[] = {
	    {-1, ALERT_DID_TAKEN, ALERT_ACKNOWLEDGED, 1},
	    {ALERT_TRIGGERED, ALERT_DID_ACK, ALERT_ACKNOWLEDGED, 4},
	    {ALERT_ACKNOWLEDGED, ALERT_DID_REPEAT, ALERT_ACKNOWLEDGED, 3},
	    {ALERT_RESOLVED, ALERT_DID_AGAIN, ALERT_RESOLVED, 3},
	};
	struct arena a;
	const struct grant *g;

	arena_init(&a, 1 << 20);
	g = grant_for(&a, PERM_INGEST);
	T_REQUIRE(g != NULL);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct alert_head old = {.status = (uint8_t)row[i].old,
				      .count = 7,
				      .version = 3,
				      .severity = ALERT_CRITICAL},
				  h;
		struct alert_in in = {.severity = ALERT_ERROR,
		    .acknowledged = true};
		enum alert_did did;

		did = alert_fold(g, row[i].old < 0 ? NULL : &old, &in, false,
		    50, &h);
		T_EQ_INT(did, row[i].did);
		T_EQ_INT(h.status, row[i].status);
		T_EQ_INT(h.version, row[i].version);
		if (row[i].old >= 0)
			T_EQ_INT(h.severity, ALERT_CRITICAL);
		T_EQ_INT(alert_did_new(did), row[i].old < 0);
		T_EQ_INT(rule_default(&in, did, false, true), RULE_NOTHING);
	}
	arena_done(&a);
}

TEST(by_hand)
{
	struct alert_head h = {.status = ALERT_TRIGGERED, .version = 1};
	struct trail t = {0};
	const struct grant *g;
	struct arena a;

	arena_init(&a, 1 << 20);
	g = grant_for(&a, PERM_ALERT_ACT);
	T_GOOD(alert_acknowledge(g, &h, &t));
	T_GOOD(alert_acknowledge(g, &h, &t));
	T_EQ_INT(h.version, 2);
	T_GOOD(alert_resolve(g, &h, 9, &t));
	T_EQ_INT(h.resolved, 9);
	T_ERR(alert_resolve(g, &h, 10, &t), E_CONFLICT);
	T_ERR(alert_acknowledge(g, &h, &t), E_CONFLICT);
	arena_done(&a);
}

TEST(default_rule)
{
	for (unsigned s = 0; s < ALERT_SEVERITY_MAX_; s++) {
		struct alert_in in = {.severity = (enum alert_severity)s};
		bool grave = s <= ALERT_ERROR;

		T_EQ_INT(rule_default(&in, ALERT_DID_OPEN, false, false),
		    grave ? RULE_OPENS : RULE_NOTHING);
		T_EQ_INT(rule_default(&in, ALERT_DID_OPEN, false, true),
		    RULE_JOINS);
		T_EQ_INT(rule_default(&in, ALERT_DID_REPEAT, false, true),
		    RULE_NOTHING);
		T_EQ_INT(rule_default(&in, ALERT_DID_CHANGE, true, true),
		    RULE_NOTHING);
		in.resolved = true;
		T_EQ_INT(rule_default(&in, ALERT_DID_CLOSED, false, true),
		    RULE_NOTHING);
	}
}

static err
map(struct arena *a, enum map_kind kind, const char *text, struct alert_in **in,
    size_t *n)
{
	struct map_settings s = {.kind = kind,
	    .now = 1764000000000,
	    .fresh_key = STR("fresh"),
	    .default_severity = ALERT_ERROR};
	struct trail t = {0};

	return map_delivery(a, &s, parse(a, text), &t, in, n);
}

TEST(alertmanager)
{
	struct arena a;
	struct alert_in *in;
	size_t n = 0;

	arena_init(&a, 1 << 20);
	T_GOOD(map(&a, MAP_ALERTMANAGER,
	    "{\"groupKey\":\"G\",\"alerts\":["
	    "{\"status\":\"firing\",\"labels\":{\"alertname\":\"A\","
	    "\"severity\":\"Warning\",\"service\":\"s\"},\"annotations\":{"
	    "\"summary\":\"Sum\",\"description\":\"Desc\"},"
	    "\"fingerprint\":\"f1\",\"generatorURL\":\"http://x/\"},"
	    "{\"status\":\"resolved\",\"labels\":{\"alertname\":\"B\","
	    "\"severity\":\"purple\"}}]}",
	    &in, &n));
	T_REQUIRE(n == 2);
	T_EQ_STR(in[0].title, STR("Sum"));
	T_EQ_STR(in[0].message, STR("Desc"));
	T_EQ_STR(in[0].dedup_key, STR("f1"));
	T_EQ_STR(in[0].group, STR("G"));
	T_EQ_INT(in[0].severity, ALERT_WARNING);
	T_OK(!in[0].severity_unmapped && !in[0].resolved);
	T_EQ_STR(in[1].title, STR("B"));
	T_OK(in[1].resolved && in[1].severity_unmapped);
	T_EQ_INT(in[1].severity, ALERT_ERROR);
	arena_done(&a);
}

TEST(pagerduty)
{
	static const char *const bad[] = {"{}", "[]", "1",
	    "{\"event_action\":\"trigger\"}",
	    "{\"event_action\":\"trigger\",\"payload\":{\"summary\":\"\"}}",
	    "{\"event_action\":\"resolve\"}",
	    "{\"event_action\":\"resolve\",\"dedup_key\":\"\"}",
	    "{\"event_action\":1,\"dedup_key\":\"k\"}", "{\"event\":{}}",
	    "{\"event\":{\"data\":{\"id\":\"x\"}}}"};
	struct arena a;
	struct alert_in *in;
	size_t n = 0;

	arena_init(&a, 1 << 20);
	T_GOOD(map(&a, MAP_PAGERDUTY,
	    "{\"event_action\":\"trigger\",\"payload\":{\"summary\":\"S\","
	    "\"source\":\"h\",\"severity\":\"info\",\"group\":\"g\",\"class\":"
	    "7,\"custom_details\":{\"a\":[1]}},\"links\":[{\"href\":\"u\"}]}",
	    &in, &n));
	T_REQUIRE(n == 1);
	T_EQ_STR(in->title, STR("S"));
	T_EQ_STR(in->message, STR("{\"a\":[1]}"));
	T_EQ_STR(in->service, STR("h"));
	T_EQ_STR(in->labels, STR("{\"source\":\"h\",\"group\":\"g\"}"));
	T_EQ_STR(in->link, STR("u"));
	T_EQ_STR(in->group, STR("g"));
	T_EQ_STR(in->dedup_key, STR("fresh"));
	T_EQ_INT(in->severity, ALERT_INFO);
	T_GOOD(map(&a, MAP_PAGERDUTY,
	    "{\"event_action\":\"acknowledge\",\"dedup_key\":\"k\"}", &in, &n));
	T_OK(in->acknowledged && !in->resolved && in->title.n > 0);
	T_EQ_STR(in->group, STR("k"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_ERR(map(&a, MAP_PAGERDUTY, bad[i], &in, &n), E_MAPPING);
	arena_done(&a);
}

/* {alertname="x"} has this fingerprint in Prometheus' common/model. */
TEST(fingerprint)
{
	struct str f = STR("");
	struct arena a;

	arena_init(&a, 1 << 20);
	T_GOOD(map_fingerprint(&a, parse(&a, "{}"), &f));
	T_EQ_STR(f, STR("cbf29ce484222325"));
	T_GOOD(map_fingerprint(&a, parse(&a, "{\"b\":\"2\",\"a\":\"1\"}"), &f));
	{
		struct str g = STR("");

		T_GOOD(map_fingerprint(&a,
		    parse(&a,
			"{\"a\":\"1\",\"c\":\"\","
			"\"b\":\"2\"}"),
		    &g));
		T_EQ_STR(f, g);
	}
	T_ERR(map_fingerprint(&a, parse(&a, "{\"a\":1}"), &f), E_MAPPING);
	arena_done(&a);
}

TEST(api_v2_ends_at)
{
	struct arena a;
	struct alert_in *in;
	size_t n = 0;

	arena_init(&a, 1 << 20);
	T_GOOD(map(&a, MAP_ALERTMANAGER_V2,
	    "[{\"labels\":{\"alertname\":"
	    "\"A\"},\"endsAt\":\"2020-01-01T00:00:00Z\"},{\"labels\":{"
	    "\"alertname\":\"A\"},\"endsAt\":\"2040-01-01T00:00:00Z\"},"
	    "{\"labels\":{\"alertname\":\"A\"}}]",
	    &in, &n));
	T_REQUIRE(n == 3);
	T_OK(in[0].resolved);
	T_OK(!in[1].resolved);
	T_OK(!in[2].resolved);
	T_EQ_STR(in[0].dedup_key, in[2].dedup_key);
	arena_done(&a);
}

TEST(generic)
{
	struct arena a;
	struct alert_in *in;
	size_t n = 0;

	arena_init(&a, 1 << 20);
	T_GOOD(map(&a, MAP_GENERIC,
	    "{\"title\":\"T\\nsecond\",\"severity\":"
	    "\"critical\",\"status\":\"OK\",\"dedup_key\":\"k\"}",
	    &in, &n));
	T_REQUIRE(n == 1);
	T_EQ_STR(in[0].title, STR("T"));
	T_OK(in[0].resolved);
	T_EQ_STR(in[0].group, STR("k"));
	T_ERR(map(&a, MAP_GENERIC, "{\"x\":1}", &in, &n), E_MAPPING);
	T_ERR(map(&a, MAP_GENERIC, "3", &in, &n), E_MAPPING);
	T_ERR(map(&a, MAP_ALERTMANAGER, "{}", &in, &n), E_MAPPING);
	T_ERR(map(&a, MAP_ALERTMANAGER, "{\"alerts\":[{\"labels\":{\"a\":1}}]}",
		  &in, &n),
	    E_MAPPING);
	T_ERR(map(&a, MAP_ALERTMANAGER, "{\"alerts\":[3]}", &in, &n),
	    E_MAPPING);
	T_GOOD(map(&a, MAP_GENERIC, "[]", &in, &n));
	T_EQ_INT(n, 0);
	arena_done(&a);
}

/* What is too long is cut at a character, never refused. */
TEST(long_texts_are_cut)
{
	struct arena a;
	struct alert_in *in;
	struct buf b;
	size_t n = 0;

	arena_init(&a, 1 << 22);
	buf_init_on(&b, &a, 1 << 18);
	buf_c(&b, "{\"group\":\"");
	for (int i = 0; i < 9000; i++)
		buf_c(&b, "\xc3\xa9");
	buf_c(&b, "\",\"title\":\"");
	for (int i = 0; i < 900; i++)
		buf_c(&b, "\xe2\x82\xac");
	buf_c(&b, "\"}");
	buf_char(&b, 0);
	T_GOOD(map(&a, MAP_GENERIC, b.p, &in, &n));
	T_OK(in[0].title.n <= 500 && in[0].title.n > 490);
	T_OK(utf8_valid(in[0].title));
	T_OK(in[0].group.n <= 1024 && utf8_valid(in[0].group));
	arena_done(&a);
}

TEST(severity_words)
{
	enum alert_severity s;

	T_OK(alert_severity_guess(STR("CRIT"), &s) && s == ALERT_CRITICAL);
	T_OK(alert_severity_guess(STR("Warning"), &s) && s == ALERT_WARNING);
	T_OK(!alert_severity_guess(STR("purple"), &s));
	T_OK(!alert_severity_guess(STR(""), &s));
}

T_MAIN
