#include "tests/t.h"

TEST(equality)
{
	T_OK(str_eq(STR("ab"), STR("ab")));
	T_OK(!str_eq(STR("ab"), STR("abc")));
	T_OK(!str_eq(STR("ab"), STR("aB")));
	T_OK(str_eq(STR_NONE, STR("")));
	T_OK(str_is(STR("ab"), "ab"));
	T_OK(str_ieq(STR("Content-Type"), STR("content-tYPE")));
	T_OK(!str_ieq(STR("a["), STR("a{")));
	T_OK(!str_ieq(STR("a"), STR("ab")));
}

TEST(starts_and_ends)
{
	T_OK(str_starts(STR("/v1/x"), STR("/v1/")));
	T_OK(!str_starts(STR("/v"), STR("/v1/")));
	T_OK(str_starts(STR("x"), STR("")));
	T_OK(str_ends(STR("a.json"), STR(".json")));
	T_OK(!str_ends(STR("json"), STR(".json")));
}

TEST(skip_and_head_clamp)
{
	T_EQ_STR(str_skip(STR("abc"), 1), STR("bc"));
	T_EQ_INT(str_skip(STR("abc"), 9).n, 0);
	T_EQ_STR(str_head(STR("abc"), 2), STR("ab"));
	T_EQ_STR(str_head(STR("abc"), 9), STR("abc"));
}

TEST(cut)
{
	struct str s = STR("a:b:c"), head;

	T_OK(str_cut(s, ':', &head, &s));
	T_EQ_STR(head, STR("a"));
	T_EQ_STR(s, STR("b:c"));
	T_OK(str_cut(s, ':', &head, &s));
	T_EQ_STR(head, STR("b"));
	T_OK(!str_cut(s, ':', &head, &s));
	T_EQ_STR(head, STR("c"));
	T_EQ_INT(s.n, 0);
	T_OK(!str_cut(s, ':', &head, &s));
	T_EQ_INT(head.n, 0);
	s = STR("k=v");
	T_OK(str_cut(s, '=', &s, &head));
	T_EQ_STR(s, STR("k"));
}

TEST(order)
{
	T_EQ_INT(str_cmp(STR("a"), STR("b")), -1);
	T_EQ_INT(str_cmp(STR("b"), STR("a")), 1);
	T_EQ_INT(str_cmp(STR("a"), STR("a")), 0);
	T_EQ_INT(str_cmp(STR("a"), STR("aa")), -1);
	T_EQ_INT(str_cmp(STR("aa"), STR("a")), 1);
	T_EQ_INT(str_cmp(STR(""), STR("")), 0);
	T_EQ_INT(str_cmp(STR("\xff"), STR("a")), 1);
}

TEST(find)
{
	T_OK(str_ifind(STR("Disk FULL on db1"), STR("full")));
	T_OK(str_ifind(STR("full"), STR("full")));
	T_OK(!str_ifind(STR("ful"), STR("full")));
	T_OK(str_ifind(STR("x"), STR("")));
	T_OK(str_ifind(STR(""), STR("")));
	T_OK(!str_ifind(STR("abc"), STR("cd")));
	T_OK(str_find(STR("disk full"), STR("full")));
	T_OK(!str_find(STR("disk FULL"), STR("full")));
	T_OK(!str_find(STR("ful"), STR("full")));
	T_OK(str_find(STR(""), STR("")) && !str_find(STR_NONE, STR("x")));
}

TEST(trim)
{
	T_EQ_STR(str_trim(STR(" \ta b\t ")), STR("a b"));
	T_EQ_INT(str_trim(STR(" \t ")).n, 0);
	T_EQ_STR(str_trim(STR("\na")), STR("\na"));
}

static bool
u64_is(const char *s, uint64_t want)
{
	uint64_t v;

	return str_u64(str_c(s), 0, UINT64_MAX, &v) && v == want;
}

TEST(u64)
{
	uint64_t v = 7;

	T_OK(u64_is("0", 0));
	T_OK(u64_is("10", 10));
	T_OK(u64_is("18446744073709551615", UINT64_MAX));
	T_OK(!str_u64(STR("18446744073709551616"), 0, UINT64_MAX, &v));
	T_OK(!str_u64(STR("99999999999999999999"), 0, UINT64_MAX, &v));
	T_OK(!str_u64(STR("100000000000000000000"), 0, UINT64_MAX, &v));
	T_OK(!str_u64(STR(""), 0, 9, &v));
	T_OK(!str_u64(STR("01"), 0, 9, &v));
	T_OK(!str_u64(STR("+1"), 0, 9, &v));
	T_OK(!str_u64(STR("-1"), 0, 9, &v));
	T_OK(!str_u64(STR(" 1"), 0, 9, &v));
	T_OK(!str_u64(STR("1 "), 0, 9, &v));
	T_OK(!str_u64(STR("1a"), 0, 9, &v));
	T_OK(!str_u64(STR("10"), 0, 9, &v));
	T_OK(!str_u64(STR("4"), 5, 9, &v));
	T_EQ_INT(v, 7);
}

static bool
i64_is(const char *s, int64_t want)
{
	int64_t v;

	return str_i64(str_c(s), INT64_MIN, INT64_MAX, &v) && v == want;
}

TEST(i64)
{
	int64_t v = 7;

	T_OK(i64_is("0", 0));
	T_OK(i64_is("-1", -1));
	T_OK(i64_is("9223372036854775807", INT64_MAX));
	T_OK(i64_is("-9223372036854775807", -INT64_MAX));
	T_OK(i64_is("-9223372036854775808", INT64_MIN));
	T_OK(!str_i64(STR("9223372036854775808"), 0, INT64_MAX, &v));
	T_OK(!str_i64(STR("-9223372036854775809"), INT64_MIN, 0, &v));
	T_OK(!str_i64(STR("-0"), -1, 1, &v));
	T_OK(!str_i64(STR("-"), -1, 1, &v));
	T_OK(!str_i64(STR("--1"), -1, 1, &v));
	T_OK(!str_i64(STR("-2"), -1, 1, &v));
	T_OK(!str_i64(STR("1.0"), -1, 1, &v));
	T_EQ_INT(v, 7);
}

T_MAIN
