/*
 * Values, conditions, and what a step is given: what the engine makes of a
 * document is what the delegate accepts, and nothing else is.
 */
#include "runbooks.h"

#include "domain/document.h"

static const char book[] =
    "{\"slug\":\"sl\",\"name\":\"n\",\"context\":\"any\",\"inputs\":["
    "{\"name\":\"host\",\"type\":\"string\",\"required\":true,"
    "\"max_length\":8},"
    "{\"name\":\"tries\",\"type\":\"integer\",\"min\":1,\"max\":9,"
    "\"default\":3},"
    "{\"name\":\"mode\",\"type\":\"string\",\"enum\":[\"soft\",\"hard\"]}],"
    "\"steps\":[{\"id\":\"s\",\"kind\":\"script\",\"interpreter\":\"sh\","
    "\"script\":\"x\",\"delegates\":{\"labels\":{\"a\":\"b\"}},\"args\":["
    "\"fixed\",{\"input\":\"host\"},{\"input\":\"tries\"},"
    "{\"concat\":[\"--a=\",{\"input\":\"host\"},\"bb\"]},"
    "{\"literal\":{\"z\":1,\"a\":[true]}}],"
    "\"env\":{\"MODE\":{\"input\":\"mode\"},\"K\":\"v\"}},"
    "{\"id\":\"h\",\"kind\":\"http\",\"connector\":\"cc\",\"action\":\"go\","
    "\"params\":{\"n\":{\"input\":\"tries\"},\"t\":{\"concat\":[\"x\","
    "{\"input\":\"mode\"}]},\"o\":{\"incident\":\"summary\"},\"l\":7}}]}";

static struct arena arena;

static const struct json *
inputs_of(const struct runbook *rb, const char *given)
{
	struct trail t = {0};
	struct buf b;

	buf_init_on(&b, &arena, 65536);
	if (!err_ok(runbook_inputs(rb, json_of(&arena, str_c(given)), &t, &b)))
		T_FAIL("%s", t.detail);
	return json_of(&arena, buf_view(&b));
}

TEST(inputs)
{
	static const struct {
		const char *given, *why;
	} bad[] = {
	    {"{}", "inputs.host: is missing"},
	    {"[]", "inputs: an object"},
	    {"{\"host\":1}", "inputs.host: a text"},
	    {"{\"host\":null}", "inputs.host: a text"},
	    {"{\"host\":\"123456789\"}", "inputs.host: too long"},
	    {"{\"host\":\"a\",\"tries\":0}", "inputs.tries: out of bounds"},
	    {"{\"host\":\"a\",\"tries\":\"3\"}", "inputs.tries: an integer"},
	    {"{\"host\":\"a\",\"tries\":1.5}", "inputs.tries: an integer"},
	    {"{\"host\":\"a\",\"mode\":\"warm\"}", "inputs.mode: none of"},
	    {"{\"host\":\"a\",\"other\":1}", "inputs.other: there is no"},
	};
	const struct runbook *rb;

	arena_init(&arena, 8 << 20);
	rb = runbook_of(&arena, str_c(book));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct trail t = {0};
		struct buf b;

		buf_init_on(&b, &arena, 65536);
		T_OK(!err_ok(runbook_inputs(rb,
		    json_of(&arena, str_c(bad[i].given)), &t, &b)));
		if (!str_starts(str_c(t.detail), str_c(bad[i].why)))
			T_FAIL("%s: %s", bad[i].given, t.detail);
	}
	T_EQ_STR(inputs_of(rb, "{\"host\":\"a\"}")->raw,
	    STR("{\"host\":\"a\",\"tries\":3}"));
	arena_done(&arena);
}

static struct str
values_of(const struct runbook *rb, const char *step, const char *given)
{
	struct scope s = {.inputs = inputs_of(rb, given)};
	struct trail t = {0};
	struct buf b;

	buf_init_on(&b, &arena, 65536);
	if (!err_ok(
		step_values(runbook_step(rb, str_c(step)), &s, &arena, &t, &b)))
		T_FAIL("%s", t.detail);
	return buf_view(&b);
}

TEST(made_and_accepted)
{
	static const char *const given[] = {"{\"host\":\"a\"}",
	    "{\"host\":\"bb\",\"tries\":9,\"mode\":\"hard\"}",
	    "{\"host\":\"\",\"mode\":\"soft\"}",
	    "{\"host\":\"abbb\",\"mode\":\"soft\"}",
	    "{\"host\":\"$(id)\\n\",\"mode\":\"soft\"}"};
	const struct runbook *rb;

	arena_init(&arena, 8 << 20);
	rb = runbook_of(&arena, str_c(book));
	T_EQ_STR(values_of(rb, "s", given[0]),
	    STR("{\"args\":[\"fixed\",\"a\",\"3\",\"--a=abb\","
		"\"{\\\"a\\\":[true],\\\"z\\\":1}\"],\"env\":{\"K\":\"v\"}}"));
	for (size_t i = 1; i < sizeof given / sizeof *given; i++) {
		T_OK(step_values_match(rb, runbook_step(rb, STR("s")),
		    json_of(&arena, values_of(rb, "s", given[i]))));
		T_OK(step_values_match(rb, runbook_step(rb, STR("h")),
		    json_of(&arena, values_of(rb, "h", given[i]))));
	}
	arena_done(&arena);
}

/* What a hostile server would send: none of it is of this document. */
TEST(altered)
{
	static const struct {
		const char *step, *values;
	} bad[] = {
	    {"s", "{}"},
	    {"s", "[]"},
	    {"s", "{\"args\":[],\"env\":{\"K\":\"v\"}}"},
#define ARGS(a, b, c, d) "{\"args\":[" a "," b "," c "," d ","
#define Z "\"{\\\"a\\\":[true],\\\"z\\\":1}\"]"
#define ENV ",\"env\":{\"K\":\"v\"}}"
	    {"s", ARGS("\"other\"", "\"a\"", "\"3\"", "\"--a=abb\"") Z ENV},
	    {"s",
		ARGS("\"fixed\"", "\"123456789\"", "\"3\"", "\"--a=abb\"")
		    Z ENV},
	    {"s", ARGS("\"fixed\"", "\"a\"", "\"10\"", "\"--a=abb\"") Z ENV},
	    {"s", ARGS("\"fixed\"", "\"a\"", "\"x\"", "\"--a=abb\"") Z ENV},
	    {"s", ARGS("\"fixed\"", "\"a\"", "3", "\"--a=abb\"") Z ENV},
	    {"s", ARGS("\"fixed\"", "\"a\"", "\"3\"", "\"--b=abb\"") Z ENV},
	    {"s", ARGS("\"fixed\"", "\"a\"", "\"3\"", "\"--a=ab\"") Z ENV},
	    {"s", ARGS("\"fixed\"", "\"a\"", "\"3\"", "\"--a=b\"") Z ENV},
	    {"s",
		ARGS("\"fixed\"", "\"a\\u0000b\"", "\"3\"", "\"--a=abb\"")
		    Z ENV},
	    {"s",
		ARGS("\"fixed\"", "\"a\"", "\"3\"",
		    "\"--a=abb\"") "\"{}\"]" ENV},
	    {"s",
		ARGS("\"fixed\"", "\"a\"", "\"3\"", "\"--a=abb\"") Z
		",\"env\":{}}"},
	    {"s",
		ARGS("\"fixed\"", "\"a\"", "\"3\"", "\"--a=abb\"") Z
		",\"env\":{\"K\":\"w\"}}"},
	    {"s",
		ARGS("\"fixed\"", "\"a\"", "\"3\"", "\"--a=abb\"") Z
		",\"env\":{\"K\":\"v\",\"LD_PRELOAD\":\"x\"}}"},
	    {"s",
		ARGS("\"fixed\"", "\"a\"", "\"3\"", "\"--a=abb\"") Z
		",\"env\":{\"K\":\"v\",\"MODE\":\"warm\"}}"},
	    {"s",
		ARGS("\"fixed\"", "\"a\"", "\"3\"", "\"--a=abb\"") Z
		",\"env\":{\"K\":\"v\"},\"more\":1}"},
	    {"h", "{\"params\":{}}"},
	    {"h", "{\"params\":{\"n\":3,\"t\":\"xsoft\"}}"},
	    {"h", "{\"params\":{\"n\":3,\"t\":\"xsoft\",\"l\":8}}"},
	    {"h", "{\"params\":{\"n\":10,\"t\":\"xsoft\",\"l\":7}}"},
	    {"h", "{\"params\":{\"n\":3,\"t\":\"y\",\"l\":7}}"},
	    {"h", "{\"params\":{\"n\":3,\"t\":\"xsoft\",\"l\":7,\"o\":1}}"},
	    {"h", "{\"params\":{\"n\":3,\"t\":\"xsoft\",\"l\":7,\"u\":1}}"},
	    {"h", "{\"params\":{\"n\":null,\"t\":\"xsoft\",\"l\":7}}"},
	};
	const struct runbook *rb;

	arena_init(&arena, 8 << 20);
	rb = runbook_of(&arena, str_c(book));
	T_OK(step_values_match(rb, runbook_step(rb, STR("s")),
	    json_of(&arena,
		STR(ARGS("\"fixed\"", "\"a\"", "\"3\"", "\"--a=abb\"")
			Z ENV))));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (step_values_match(rb, runbook_step(rb, str_c(bad[i].step)),
			json_of(&arena, str_c(bad[i].values))))
			T_FAIL("accepted: %s", bad[i].values);
	T_OK(!step_values_match(rb, runbook_step(rb, STR("s")), NULL));
	arena_done(&arena);
}

TEST(conditions)
{
	static const struct {
		const char *cond;
		int want; /* -1: an error */
	} row[] = {
	    {"{\"eq\":[1,1]}", 1},
	    {"{\"eq\":[{\"literal\":1},{\"literal\":1.0}]}", 1},
	    {"{\"eq\":[{\"incident\":\"severity\"},\"sev1\"]}", 1},
	    {"{\"ne\":[{\"incident\":\"summary\"},\"x\"]}", 1},
	    {"{\"eq\":[{\"incident\":\"summary\"},{\"literal\":null}]}", 1},
	    {"{\"lt\":[{\"incident\":\"summary\"},\"x\"]}", 0},
	    {"{\"ge\":[{\"incident\":\"summary\"},\"x\"]}", 0},
	    {"{\"lt\":[2,10]}", 1},
	    {"{\"lt\":[\"2\",\"10\"]}", 0},
	    {"{\"le\":[{\"incident\":\"fields.load\"},2.5]}", 1},
	    {"{\"gt\":[{\"incident\":\"fields.load\"},2]}", 1},
	    {"{\"lt\":[{\"incident\":\"fields.load\"},\"9\"]}", 0},
	    {"{\"in\":[{\"incident\":\"severity\"},[\"sev0\",\"sev1\"]]}", 1},
	    {"{\"in\":[{\"incident\":\"severity\"},[\"sev2\"]]}", 0},
	    {"{\"contains\":[{\"incident\":\"services\"},\"web\"]}", 1},
	    {"{\"contains\":[{\"incident\":\"services\"},\"we\"]}", 0},
	    {"{\"contains\":[{\"incident\":\"title\"},\"down\"]}", 1},
	    {"{\"contains\":[{\"incident\":\"title\"},\"\"]}", 1},
	    {"{\"exists\":{\"incident\":\"summary\"}}", 0},
	    {"{\"exists\":{\"alert\":\"labels.host.name\"}}", 1},
	    {"{\"exists\":{\"alert\":\"labels.host\"}}", 0},
	    {"{\"not\":{\"exists\":{\"alert\":\"labels.host\"}}}", 1},
	    {"{\"all\":[{\"eq\":[1,1]},{\"eq\":[1,2]}]}", 0},
	    {"{\"any\":[{\"eq\":[1,2]},{\"eq\":[1,1]}]}", 1},
	    {"{\"any\":[{\"eq\":[1,2]},{\"not\":{\"eq\":[1,1]}}]}", 0},
	    {"{\"eq\":[{\"concat\":[{\"incident\":\"summary\"}]},\"x\"]}", -1},
	    {"{\"any\":[{\"eq\":[1,1]},{\"eq\":[{\"concat\":[{\"incident\":"
	     "\"summary\"}]},\"x\"]}]}",
		1},
	    {"{\"changed\":\"severity\"}", 1},
	    {"{\"changed\":\"title\"}", 0},
	};
	struct scope s = {0};

	arena_init(&arena, 8 << 20);
	s.incident = json_of(&arena,
	    STR("{\"severity\":\"sev1\",\"title\":\"web down\",\"summary\":"
		"null,\"services\":[\"web\",\"db\"],\"fields\":{\"load\":"
		"2.25}}"));
	s.old = json_of(&arena,
	    STR("{\"severity\":\"sev3\",\"title\":\"web down\"}"));
	s.alert = json_of(&arena, STR("{\"labels\":{\"host.name\":\"x\"}}"));
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct trail t = {0};
		struct document d = {.a = &arena, .t = &t, .sources = 0xffff};
		struct cond c = {0};
		bool holds = false;
		err e = cond_parse(&d, NULL,
		    json_of(&arena, str_c(row[i].cond)), &c);

		if (err_ok(e))
			e = cond_eval(&c, &s, &arena, &t, &holds);
		if ((err_ok(e) ? (int)holds : -1) != row[i].want)
			T_FAIL("%s: %s %d %s", row[i].cond, err_name(e), holds,
			    t.detail);
	}
	arena_done(&arena);
}

TEST(outputs)
{
	const struct step *s;
	struct trail t = {0};

	arena_init(&arena, 8 << 20);
	s = runbook_step(sample(&arena), STR("restart"));
	T_GOOD(step_outputs_check(s,
	    json_of(&arena, STR("{\"version\":\"1\",\"count\":2}")), &t));
	T_ERR(step_outputs_check(s, json_of(&arena, STR("{\"count\":2}")), &t),
	    E_MISSING);
	T_ERR(step_outputs_check(s,
		  json_of(&arena, STR("{\"version\":1,\"count\":2}")), &t),
	    E_INVALID);
	T_ERR(step_outputs_check(s,
		  json_of(&arena,
		      STR("{\"version\":\"1\",\"count\":2,\"x\":1}")),
		  &t),
	    E_UNKNOWN_MEMBER);
	T_ERR(step_outputs_check(s, NULL, &t), E_MISSING);
	arena_done(&arena);
}

T_MAIN
