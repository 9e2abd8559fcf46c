#include "base/json.h"
#include "base/limits.h"
#include "tests/t.h"

static char space[4000];
static struct buf out;
static struct jw w;

static void
start(void)
{
	out =
	    (struct buf){.p = space, .cap = sizeof space, .max = sizeof space};
	jw_init(&w, &out);
}

static struct str
made(void)
{
	return out.failed ? STR("failed") : buf_view(&out);
}

TEST(commas)
{
	start();
	jw_obj(&w);
	jw_kstr(&w, "s", STR("x"));
	jw_ki64(&w, "i", -1);
	jw_kbool(&w, "t", true);
	jw_knull(&w, "z");
	jw_kraw(&w, "r", STR("[0]"));
	jw_kobj(&w, "o");
	jw_obj_end(&w);
	jw_karr(&w, "a");
	jw_i64(&w, 1);
	jw_bool(&w, false);
	jw_obj(&w);
	jw_kstr(&w, "none", STR_NONE);
	jw_obj_end(&w);
	jw_arr(&w);
	jw_arr_end(&w);
	jw_str(&w, STR(""));
	jw_arr_end(&w);
	jw_kstr(&w, "last", STR("y"));
	jw_obj_end(&w);
	T_EQ_STR(made(),
	    STR("{\"s\":\"x\",\"i\":-1,\"t\":true,\"z\":null,\"r\":[0],"
		"\"o\":{},\"a\":[1,false,{\"none\":null},[],\"\"],"
		"\"last\":\"y\"}"));
}

TEST(one_value_at_the_top)
{
	start();
	jw_str(&w, STR("x"));
	T_EQ_STR(made(), STR("\"x\""));
}

/* RFC 8785, 3.2.2.2 */
TEST(escapes)
{
	start();
	jw_str(&w,
	    STR("\x20\xe2\x82\xac$\x0f\nA'B\"\\\\\"/\b\t\f\r\x7f\0\x1f"));
	T_EQ_STR(made(),
	    STR("\" \xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\t\\f\\r\x7f"
		"\\u0000\\u001f\""));
}

TEST(invalid_bytes_become_the_replacement_character)
{
	start();
	jw_arr(&w);
	jw_str(&w, STR("a\xff\xc3"));
	jw_str(&w, STR("\xe2\x82z"));
	jw_arr_end(&w);
	T_EQ_STR(made(),
	    STR("[\"a\xef\xbf\xbd\xef\xbf\xbd\","
		"\"\xef\xbf\xbd\xef\xbf\xbdz\"]"));
}

TEST(splices)
{
	start();
	jw_obj(&w);
	jw_raw_members(&w, STR("{}"));
	jw_raw_members(&w, STR(" { \"a\":1,\"b\":{} } \n"));
	jw_raw_members(&w, STR("{ }"));
	jw_kbool(&w, "c", true);
	jw_raw_members(&w, STR("{\"d\":2}"));
	jw_obj_end(&w);
	T_EQ_STR(made(), STR("{\"a\":1,\"b\":{},\"c\":true,\"d\":2}"));
	start();
	jw_obj(&w);
	jw_raw_members(&w, STR("[1]"));
	T_ERR(buf_check(&out), E_NO_MEMORY);
	start();
	jw_obj(&w);
	jw_raw_members(&w, STR("{"));
	T_ERR(buf_check(&out), E_NO_MEMORY);
}

TEST(a_parsed_value_is_written_again)
{
	static const struct json_limits lim = {32, 100, 100};
	const struct json *j;
	struct arena a;

	arena_init(&a, LIM_ARENA);
	T_REQUIRE(err_ok(json_parse(&a,
	    STR(" { \"\\u0062\" : [ 1.50 , -0, \"\\u00e4\\/\\n\", true ],\n"
		"\"a\":{ } , \"n\": null}"),
	    &lim, NULL, &j)));
	start();
	jw_arr(&w);
	jw_value(&w, j);
	jw_value(&w, json_get(j, STR("a")));
	jw_arr_end(&w);
	T_EQ_STR(made(),
	    STR("[{\"b\":[1.50,-0,\"\xc3\xa4/\\n\",true],\"a\":{},\"n\":null},"
		"{}]"));
	arena_done(&a);
}

TEST(depth_63_is_written_and_64_fails)
{
	start();
	for (int i = 0; i < 63; i++)
		jw_arr(&w);
	T_GOOD(buf_check(&out));
	jw_arr(&w);
	T_ERR(buf_check(&out), E_NO_MEMORY);
}

TEST(overflow_shows_in_the_buf)
{
	start();
	out.cap = out.max = 5;
	jw_str(&w, STR("abcd"));
	T_ERR(buf_check(&out), E_NO_MEMORY);
}

T_MAIN
