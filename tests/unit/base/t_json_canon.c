/* Canonical JSON: RFC 8785 where it is in the subset, refused elsewhere. */
#include "base/json_canon.h"

#include "base/limits.h"
#include "tests/t.h"

static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
    LIM_JSON_VALUES};

static const struct json *
parse(struct arena *a, struct str text)
{
	const struct json *j = NULL;
	struct trail t = {0};

	T_GOOD(json_parse(a, text, &lim, &t, &j));
	return j;
}

TEST(table)
{
	static const struct {
		const char *in, *out;
	} row[] = {
	    {" { } ", "{}"},
	    {"[ ]", "[]"},
	    {"{\"b\":1,\"a\":[2, true,null ,false]}",
		"{\"a\":[2,true,null,false],\"b\":1}"},
	    {"{\"a\":1,\"\":2,\"aa\":3,\"B\":4}",
		"{\"\":2,\"B\":4,\"a\":1,\"aa\":3}"},
	    {"\"\\u0041\\/\\u000a\\u0001\\u00e9\\\"\"",
		"\"A/\\n\\u0001\xc3\xa9\\\"\""},
	    {"9007199254740991", "9007199254740991"},
	    {"-9007199254740991", "-9007199254740991"},
	    /* RFC 8785 3.2.3, without the name beyond the BMP */
	    {"{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\u0080\":5,"
	     "\"\\u00f6\":6}",
		"{\"\\r\":2,\"1\":4,\"\xc2\x80\":5,\"\xc3\xb6\":6,"
		"\"\xe2\x82\xac\":1,\"\xef\xac\xb3\":3}"},
	};
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		const struct json *j = parse(&a, str_c(row[i].in));
		struct str got = STR_NONE;

		T_GOOD(json_canon_text(&a, j, 4096, &got));
		T_EQ_STR(got, str_c(row[i].out));
		T_OK(json_is_canon(str_c(row[i].out), j));
		T_OK(str_is(str_c(row[i].in), row[i].out) ||
		    !json_is_canon(str_c(row[i].in), j));
	}
	arena_done(&a);
}

TEST(refused)
{
	static const char *const in[] = {"1.0", "1e3", "-0", "0.5",
	    "9007199254740992", "-9007199254740992", "{\"\xf0\x9f\x98\x80\":1}",
	    "[{\"a\":[1.5]}]"};
	struct arena a;
	struct str got;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof in / sizeof *in; i++)
		T_ERR(json_canon_text(&a, parse(&a, str_c(in[i])), 4096, &got),
		    E_INVALID);
	T_ERR(json_canon_text(&a, parse(&a, STR("[1,2,3]")), 6, &got),
	    E_NO_MEMORY);
	arena_done(&a);
}

/* Many members in every order give one text, and it reads back the same. */
TEST(order)
{
	enum { N = 900 };
	static const unsigned step[] = {1, 7, 11, 13, 899};
	struct arena a;
	struct str first = STR_NONE, got;

	arena_init(&a, 8 << 20);
	for (size_t k = 0; k < sizeof step / sizeof *step; k++) {
		const struct json *j;
		struct buf b;
		struct jw w;

		buf_init_on(&b, &a, LIM_BODY);
		jw_init(&w, &b);
		jw_obj(&w);
		for (unsigned i = 0; i < N; i++) {
			unsigned v = i * step[k] % N;
			char name[12];

			(void)snprintf(name, sizeof name, "m%u", v);
			jw_name(&w, str_c(name));
			jw_i64(&w, v);
		}
		jw_obj_end(&w);
		j = parse(&a, buf_view(&b));
		T_GOOD(json_canon_text(&a, j, LIM_BODY, &got));
		if (first.p == NULL)
			first = got;
		T_OK(str_eq(first, got));
		T_OK(json_same(j, parse(&a, got)));
	}
	arena_done(&a);
}

TEST(same)
{
	struct arena a;

	arena_init(&a, 1 << 20);
	T_OK(json_same(parse(&a, STR("{\"a\":[1,\"x\"],\"b\":null}")),
	    parse(&a, STR("{ \"b\":null,\"a\":[1,\"\\u0078\"]}"))));
	T_OK(!json_same(parse(&a, STR("[1,2]")), parse(&a, STR("[2,1]"))));
	T_OK(!json_same(parse(&a, STR("[1,2]")), parse(&a, STR("[1]"))));
	T_OK(!json_same(parse(&a, STR("{\"a\":1}")),
	    parse(&a, STR("{\"b\":1}"))));
	T_OK(!json_same(parse(&a, STR("true")), parse(&a, STR("false"))));
	T_OK(!json_same(parse(&a, STR("1")), parse(&a, STR("\"1\""))));
	arena_done(&a);
}

T_MAIN
