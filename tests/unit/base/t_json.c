#include "base/json.h"
#include "base/limits.h"
#include "tests/t.h"

static const struct json_limits usual = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
    LIM_JSON_VALUES};
static struct arena arena;
static struct trail trail;

static err
parse_lim(struct str in, const struct json_limits *lim, const struct json **ret)
{
	arena_done(&arena);
	arena_init(&arena, LIM_ARENA);
	trail.detail[0] = '\0';
	return json_parse(&arena, in, lim, &trail, ret);
}

static err
parse(struct str in)
{
	const struct json *j;

	return parse_lim(in, &usual, &j);
}

static const struct json *
good(struct str in)
{
	const struct json *j = NULL;
	err e = parse_lim(in, &usual, &j);

	if (!err_ok(e))
		T_FAIL("%.*s: %s", STR_ARG(in), trail.detail);
	return j;
}

/* The decoded text of a document that is one string. */
static struct str
decoded(struct str in)
{
	struct str s = STR("refused");

	json_str(good(in), &s);
	return s;
}

TEST(tree)
{
	struct str in = STR(" { \"a\" : [1, -2.5e+3 ,null],\"b\":{\"c\":true},"
			    "\"d\":\"x\" , \"e\":false} ");
	const struct json *j = good(in), *a;

	T_REQUIRE(j != NULL);
	T_EQ_INT(j->kind, JSON_OBJECT);
	T_EQ_INT(j->count, 4);
	T_EQ_STR(j->raw, str_trim(in));
	a = json_get(j, STR("a"));
	T_REQUIRE(a != NULL && a->kind == JSON_ARRAY);
	T_EQ_INT(a->count, 3);
	T_EQ_STR(a->raw, STR("[1, -2.5e+3 ,null]"));
	T_EQ_STR(a->name, STR("a"));
	a = json_first(a);
	T_EQ_STR(a->text, STR("1"));
	T_EQ_STR(a->next->text, STR("-2.5e+3"));
	T_EQ_STR(a->next->raw, STR("-2.5e+3"));
	T_EQ_INT(a->next->next->kind, JSON_NULL);
	T_EQ_STR(a->next->next->raw, STR("null"));
	T_OK(a->next->next->next == NULL);
	T_EQ_STR(json_get(j, STR("b"))->raw, STR("{\"c\":true}"));
	T_EQ_STR(json_str_at(j, STR("d")), STR("x"));
	T_EQ_STR(json_get(j, STR("d"))->raw, STR("\"x\""));
	T_EQ_STR(json_get(j, STR("e"))->name, STR("e"));
}

TEST(a_plain_string_is_a_view)
{
	static const char in[] = "[\"plain \xc3\xa4 text of some length\"]";
	const struct json *j = good(str_c(in));

	T_REQUIRE(j != NULL);
	T_OK(json_first(j)->text.p == in + 2);
}

TEST(escapes)
{
	T_EQ_STR(decoded(STR("\"\"")), STR(""));
	T_EQ_STR(decoded(STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")),
	    STR("\"\\/\b\f\n\r\t"));
	T_EQ_STR(decoded(STR("\"\\u0041\\u00e4\\u20AC\\uD83d\\uDE00\"")),
	    STR("Aä€😀"));
	T_EQ_STR(decoded(STR("\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"")),
	    STR("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"));
	T_EQ_STR(decoded(STR("\"\\ud800\\udc00\\udbff\\udfff\"")),
	    STR("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
	T_EQ_STR(decoded(STR("\"a\\u0000b\"")), STR("a\0b"));
	T_EQ_STR(decoded(STR("\"before\\nbetween\\nafter\"")),
	    STR("before\nbetween\nafter"));
	T_EQ_STR(json_first(good(STR("{\"\\u0061\\n\":1}")))->name, STR("a\n"));
}

TEST(bad_strings)
{
	T_ERR(parse(STR("\"\\x\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"\\u12g4\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"\\u123\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"\\U0041\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"\\ud800\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"\\ud800\\u0041\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"\\ud800\\ud800\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"\\ud800\\ue000\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"\\udc00\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"\\udc00\\udc00\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"a\nb\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"a\0b\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"\x1f\"")), E_BAD_JSON);
	T_ERR(parse(STR("\"\xc3\"")), E_BAD_UTF8);
	T_ERR(parse(STR("\"\xed\xa0\x80\"")), E_BAD_UTF8);
	T_ERR(parse(STR("{\"\xff\":1}")), E_BAD_UTF8);
}

/* Cut anywhere, a document is refused and nothing behind it is read. */
TEST(every_prefix_is_refused)
{
	struct str in = STR("{\"a\":[1.5e-2,\"\\ud83d\\ude00\xc3\xa4\\n\"],"
			    "\"b\":{\"c\":true,\"d\":null}}");

	for (size_t n = 0; n < in.n; n++) {
		char *copy = malloc(n + 1);

		T_REQUIRE(copy != NULL);
		memcpy(copy, in.p, n);
		T_OK(!err_ok(parse(str_of(copy, n))));
		free(copy);
	}
	T_GOOD(parse(in));
	T_ERR(parse(STR_NONE), E_BAD_JSON);
}

TEST(what_is_no_json)
{
	static const char *const bad[] = {"", " ", "nul", "True", "NaN",
	    "Infinity", "'a'", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x10",
	    "1_0", "[1,]", "[,1]", "[1 2]", "[1,,2]", "{\"a\":1,}", "{,}",
	    "{a:1}", "{\"a\" 1}", "{\"a\":}", "{1:2}", "{\"a\":1 \"b\":2}",
	    "[}", "{]", "]", "}", "1 2", "{}{}", "[]x", "[1]//", "/**/1",
	    "\xef\xbb\xbf{}", "\v1", "\f1", "\xc2\xa0 1"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (!err_is(parse(str_c(bad[i])), E_BAD_JSON))
			T_FAIL("\"%s\"", bad[i]);
	T_ERR(parse(STR("1\0")), E_BAD_JSON);
}

TEST(the_trail_says_where)
{
	T_ERR(parse(STR("[1, x]")), E_BAD_JSON);
	T_EQ_STR(str_c(trail.detail), STR("byte 4: a value was expected"));
	T_ERR(parse(STR("{\"aa\":1,\"aa\":2}")), E_DUPLICATE_KEY);
	T_EQ_STR(str_c(trail.detail),
	    STR("byte 13: member \"aa\" is given twice"));
}

static struct str
nested(char *t, size_t depth)
{
	memset(t, '[', depth);
	memset(t + depth, ']', depth);
	return str_of(t, 2 * depth);
}

TEST(depth_at_n_and_n_plus_1)
{
	static char t[4000];
	const struct json *j;
	struct json_limits lim = {1, 1, 100};

	T_GOOD(parse(nested(t, LIM_JSON_DEPTH)));
	T_ERR(parse(nested(t, LIM_JSON_DEPTH + 1)), E_TOO_DEEP);
	T_GOOD(parse_lim(STR("[1]"), &lim, &j));
	T_ERR(parse_lim(STR("[[]]"), &lim, &j), E_TOO_DEEP);
	T_ERR(parse_lim(STR("[{}]"), &lim, &j), E_TOO_DEEP);
	lim.depth = 0;
	T_GOOD(parse_lim(STR("1"), &lim, &j));
	T_ERR(parse_lim(STR("[]"), &lim, &j), E_TOO_DEEP);
	lim = (struct json_limits){1000, 10, 10000};
	T_GOOD(parse_lim(nested(t, 64), &lim, &j));
	T_ERR(parse_lim(nested(t, 65), &lim, &j), E_TOO_DEEP);
	T_ERR(parse_lim(nested(t, 2000), &lim, &j), E_TOO_DEEP);
}

/* {"m<base>":0,...} with n members whose names sort and hash as they like. */
static struct str
object(struct buf *b, int n)
{
	buf_clear(b);
	buf_char(b, '{');
	for (int i = 0; i < n; i++)
		buf_fmt(b, "%s\"m%d\":0", i > 0 ? "," : "", i);
	buf_char(b, '}');
	return buf_view(b);
}

TEST(members_at_n_and_n_plus_1)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	T_GOOD(parse(object(&b, LIM_JSON_MEMBERS)));
	T_ERR(parse(object(&b, LIM_JSON_MEMBERS + 1)), E_TOO_MANY);
	buf_done(&b);
}

TEST(values_at_n_and_n_plus_1)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_char(&b, '[');
	for (int i = 0; i < LIM_JSON_VALUES - 2; i++)
		buf_c(&b, "0,");
	buf_c(&b, "0]");
	T_GOOD(parse(buf_view(&b)));
	b.p[b.n - 1] = ',';
	buf_c(&b, "0]");
	T_ERR(parse(buf_view(&b)), E_TOO_MANY);
	buf_done(&b);
}

/* Any two of n members made equal are found, whichever way is searched. */
TEST(duplicates_at_every_size)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (int n = 2; n <= 70; n++) {
		for (int twin = 0; twin < n; twin++) {
			struct str s = object(&b, n);

			T_GOOD(parse(s));
			b.n--;
			buf_fmt(&b, ",\"\\u006d%d\":1}", twin);
			T_ERR(parse(buf_view(&b)), E_DUPLICATE_KEY);
		}
	}
	object(&b, LIM_JSON_MEMBERS - 1);
	b.n--;
	buf_c(&b, ",\"m500\":1}");
	T_ERR(parse(buf_view(&b)), E_DUPLICATE_KEY);
	buf_done(&b);
}

TEST(large_objects_of_one_document_do_not_mix)
{
	struct buf b, both;

	buf_init(&b, 1 << 20);
	buf_init(&both, 1 << 20);
	buf_char(&both, '[');
	for (int n = 100; n > 10; n -= 5) {
		buf_str(&both, object(&b, n));
		buf_char(&both, ',');
	}
	buf_c(&both, "0]");
	T_GOOD(parse(buf_view(&both)));
	buf_done(&b);
	buf_done(&both);
}

TEST(duplicates_are_of_one_object)
{
	T_GOOD(parse(STR("[{\"a\":1},{\"a\":{\"a\":1}}]")));
	T_ERR(parse(STR("{\"\":1,\"\":2}")), E_DUPLICATE_KEY);
	T_ERR(parse(STR("[[{\"x\":{\"a\":1,\"b\":2,\"a\":3}}]]")),
	    E_DUPLICATE_KEY);
	T_GOOD(parse(STR("{\"a\":1,\"A\":2,\"a\\u0000\":3,\"\":4}")));
}

TEST(a_full_arena_is_told)
{
	const struct json *j = NULL;
	struct buf b;

	buf_init(&b, 1 << 20);
	object(&b, 500);
	for (size_t max = 64; max < 100000; max += 997) {
		struct arena a;
		err e;

		arena_init(&a, max);
		e = json_parse(&a, buf_view(&b), &usual, NULL, &j);
		T_OK(err_ok(e) || err_is(e, E_NO_MEMORY));
		arena_done(&a);
	}
	T_OK(j != NULL);
	buf_done(&b);
}

TEST(typed_reads)
{
	const struct json *j = good(STR("{\"i\":42,\"n\":-9223372036854775808,"
					"\"f\":1.0,\"e\":1e3,\"s\":\"x\","
					"\"t\":true,\"u\":false,\"z\":null,"
					"\"big\":18446744073709551616}"));
	struct str s = STR("kept");
	int64_t v = 7;
	bool b = false;

	T_OK(json_i64(json_get(j, STR("i")), 0, 42, &v) && v == 42);
	T_OK(!json_i64(json_get(j, STR("i")), 0, 41, &v));
	T_OK(json_i64(json_get(j, STR("n")), INT64_MIN, 0, &v));
	T_OK(v == INT64_MIN);
	T_OK(!json_i64(json_get(j, STR("f")), 0, 9, &v));
	T_OK(!json_i64(json_get(j, STR("e")), 0, 9999, &v));
	T_OK(!json_i64(json_get(j, STR("s")), 0, 9, &v));
	T_OK(!json_i64(json_get(j, STR("big")), INT64_MIN, INT64_MAX, &v));
	T_OK(!json_i64(json_get(j, STR("none")), 0, 9, &v));
	T_OK(v == INT64_MIN);
	T_OK(json_bool(json_get(j, STR("t")), &b) && b);
	T_OK(json_bool(json_get(j, STR("u")), &b) && !b);
	T_OK(!json_bool(json_get(j, STR("z")), &b));
	T_OK(!json_bool(NULL, &b));
	T_OK(!json_str(json_get(j, STR("i")), &s));
	T_OK(!json_str(NULL, &s));
	T_EQ_STR(s, STR("kept"));
	T_OK(json_str_at(j, STR("i")).p == NULL);
	T_OK(json_str_at(j, STR("none")).p == NULL);
	T_OK(json_get(NULL, STR("i")) == NULL);
	T_OK(json_get(json_get(j, STR("i")), STR("i")) == NULL);
	T_OK(json_first(NULL) == NULL);
}

T_MAIN
