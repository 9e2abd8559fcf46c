/* Requests of approved actions, pure: bounds, and what is left out. */
#include "delegate/action.h"

#include "tests/t.h"

static struct arena arena;
static struct trail trail;
static struct connector con;
static struct request req;

static const char document[] =
    "{\"slug\":\"svc\",\"kind\":\"https\",\"base\":\"https://svc.test/api\","
    "\"actions\":[{\"name\":\"a\",\"method\":\"POST\",\"path\":\"/x/{p}\","
    "\"query\":{\"q\":{\"param\":\"q\"},\"k\":\"v {p}\"},"
    "\"headers\":{\"x-a\":\"{p}\"},"
    "\"body\":{\"p\":\"<{p}>\",\"q\":{\"param\":\"q\"}},"
    "\"params\":[{\"name\":\"p\",\"type\":\"string\",\"required\":true},"
    "{\"name\":\"q\",\"type\":\"string\"}]}],"
    "\"auth\":{\"kind\":\"none\"},\"delegates\":{\"labels\":{\"a\":\"b\"}},"
    "\"expires_at\":\"2099-01-01T00:00:00Z\"}";

static const struct json *
parsed(const char *text)
{
	const struct json *j = NULL;

	T_GOOD(json_parse(&arena, str_c(text), &connector_limits, &trail, &j));
	return j;
}

static err
made(const char *params)
{
	arena_init(&arena, 4 << 20);
	trail = (struct trail){{0}};
	T_GOOD(connector_parse(&arena, parsed(document), &trail, &con));
	return action_request(&arena, &con, &con.actions[0], parsed(params),
	    &trail, &req);
}

TEST(each_place_has_its_context)
{
	T_GOOD(made("{\"p\":\"a/\\\"b\",\"q\":\"\\u00e9\"}"));
	T_EQ_STR(req.method, STR("POST"));
	T_EQ_STR(req.path, STR("/api/x/a%2F%22b?q=%C3%A9&k=v%20a%2F%22b"));
	T_EQ_STR(req.fields,
	    STR("x-a: a/\"b\r\nUser-Agent: redoubt\r\n"
		"Accept: application/json\r\n"
		"Content-Type: application/json\r\n"));
	T_EQ_STR(req.body, STR("{\"p\":\"<a/\\\"b>\",\"q\":\"\xc3\xa9\"}"));
	arena_done(&arena);
}

TEST(what_is_not_given_is_left_out)
{
	T_GOOD(made("{\"p\":\"a\"}"));
	T_EQ_STR(req.path, STR("/api/x/a?k=v%20a"));
	T_EQ_STR(req.body, STR("{\"p\":\"<a>\"}"));
	arena_done(&arena);
}

TEST(nothing_leaves_its_place)
{
	static const char *const bad[] = {"{\"p\":\"\"}", "{\"p\":\"..\"}",
	    "{\"p\":\"a/../b\"}", "{\"p\":\"a\\\\..\"}", "{\"p\":\"a\\nb\"}",
	    "{\"p\":\"\\u0000\"}", "{}", "{\"p\":[\"a\"]}",
	    "{\"p\":\"\\u00e9\"}"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		T_ERR(made(bad[i]), E_INVALID);
		arena_done(&arena);
	}
}

/* A path of ACTION_PATH bytes goes, one more does not. */
TEST(a_long_path)
{
	static char text[ACTION_PATH + 64];
	/* "/api/x/" P "?k=v%20" P */
	size_t fixed = 7 + 7;
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};

	for (size_t over = 0; over < 2; over++) {
		buf_clear(&b);
		buf_c(&b, "{\"p\":\"");
		for (size_t i = 0; i < (ACTION_PATH - fixed) / 2 + over; i++)
			buf_char(&b, 'a');
		buf_c(&b, "\"}");
		buf_char(&b, '\0');
		if (over == 0)
			T_GOOD(made(text));
		else
			T_OK(!err_ok(made(text)));
		arena_done(&arena);
	}
}

TEST(pointers)
{
	const struct json *d, *j;

	arena_init(&arena, 1 << 20);
	d = parsed("{\"a\":[10,{\"~/\":1}],\"\":2,\"m~n\":3}");
	T_OK(json_pointer(d, STR("")) == d);
	T_OK(json_pointer(d, STR("a")) == NULL);
	T_EQ_STR(json_pointer(d, STR("/a/0"))->text, STR("10"));
	T_EQ_STR(json_pointer(d, STR("/a/1/~0~1"))->text, STR("1"));
	T_EQ_STR(json_pointer(d, STR("/"))->text, STR("2"));
	T_EQ_STR(json_pointer(d, STR("/m~0n"))->text, STR("3"));
	T_OK(json_pointer(d, STR("/a/2")) == NULL);
	T_OK(json_pointer(d, STR("/a/00")) == NULL);
	T_OK(json_pointer(d, STR("/a/-")) == NULL);
	T_OK(json_pointer(d, STR("/a/0/0")) == NULL);
	j = json_pointer(d, STR("/a"));
	T_OK(action_type_fits(CONNECTOR_ARRAY, j));
	T_OK(!action_type_fits(CONNECTOR_OBJECT, j));
	arena_done(&arena);
}

TEST(a_list_of_outputs)
{
	const struct connector_output *o;
	size_t n = 0;

	arena_init(&arena, 1 << 20);
	T_GOOD(action_outputs_parse(&arena,
	    STR("[{\"name\":\"n\",\"type\":\"integer\",\"pointer\":\"/n\"}]"),
	    &o, &n));
	T_EQ_INT(n, 1);
	T_EQ_STR(o[0].pointer, STR("/n"));
	T_ERR(action_outputs_parse(&arena, STR("{}"), &o, &n), E_INVALID);
	T_ERR(action_outputs_parse(&arena,
		  STR("[{\"name\":\"n\",\"type\":\"any\",\"pointer\":\"\"}]"),
		  &o, &n),
	    E_INVALID);
	T_ERR(action_outputs_parse(&arena,
		  STR("[{\"name\":\"n\",\"type\":\"string\"}]"), &o, &n),
	    E_INVALID);
	T_ERR(action_outputs_parse(&arena, STR("[1]"), &o, &n), E_INVALID);
	arena_done(&arena);
}

T_MAIN
