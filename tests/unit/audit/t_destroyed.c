/* t_destroyed.c: reports of what was destroyed against the log's entries. */
#include "audit/destroyed.h"

#include "audit/leaf.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/t.h"

/* The vector of doc/PROTOCOL.audit. */
static const char value[] =
    "{\"by\":\"organization\",\"class\":\"incident\",\"days\":30,\"ids\":"
    "[\"01a2224f-0dd5-7590-b236-ae9d476fc758\"],\"keys\":[{\"digest\":"
    "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\","
    "\"id\":17}],\"project\":\"01a22239-dd81-71d7-9a13-62fff589ab80\","
    "\"rows\":9,\"time\":\"2026-11-28T13:00:00.000Z\",\"units\":1,\"v\":1}";
static const char cm[] = "SnqPWkmd4zFd3hq3zqSZ7/HX+97cRoMaszzBdyU9MxQ=";
static const char salt[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

static struct arena a;

static struct str
quoted(struct str s)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, &a, 65536);
	jw_init(&w, &b);
	jw_str(&w, s);
	return buf_view(&b);
}

static struct str
report(unsigned seq, const char *s, struct str v)
{
	struct buf b;

	buf_init_on(&b, &a, 65536);
	buf_fmt(&b, "{\"items\":[{\"seq\":%u,\"salt\":\"%s\",\"value\":", seq,
	    s);
	buf_str(&b, quoted(v));
	buf_c(&b, "}],\"next\":null}");
	return buf_view(&b);
}

static struct str
log_of(unsigned seq)
{
	struct buf b;

	buf_init_on(&b, &a, 65536);
	buf_fmt(&b,
	    "{\"h\":\"x\",\"seq\":1}\n"
	    "{\"action\":\"retention.destroy\",\"cm\":\"%s\",\"outcome\":"
	    "\"ok\","
	    "\"principal\":{\"kind\":\"system\"},\"seq\":%u,"
	    "\"time\":\"2026-11-28T13:00:00.000Z\",\"v\":1}\n{\"trailer\":1}\n",
	    cm, seq);
	return buf_view(&b);
}

static err
check(struct str r, struct str log, struct destroyed_verdict *v)
{
	return audit_destroyed(&a, r, log, v);
}

TEST(the_vector)
{
	uint8_t s[32], got[COMMITMENT_SIZE];
	struct str want;

	arena_init(&a, 1 << 20);
	for (unsigned i = 0; i < sizeof s; i++)
		s[i] = (uint8_t)i;
	audit_commit(s, STR("destruction"), str_c(value), got);
	T_REQUIRE(b64_decode(&a, str_c(cm), &want));
	T_EQ_MEM(got, want.p, sizeof got);
	arena_done(&a);
}

TEST(bound_or_not)
{
	struct destroyed_verdict v;
	static const char other[] =
	    "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

	arena_init(&a, 4 << 20);
	T_GOOD(check(report(7, salt, str_c(value)), log_of(7), &v));
	T_EQ_INT(v.rows, 1);
	T_EQ_INT(v.bound, 1);
	T_EQ_INT(v.others, 0);
	T_OK(err_is(check(report(7, other, str_c(value)), log_of(7), &v),
	    E_BAD_ANSWER));
	T_EQ_INT(v.bad_seq, 7);
	T_OK(err_is(check(report(7, salt, STR("{}")), log_of(7), &v),
	    E_BAD_ANSWER));
	T_OK(err_is(check(report(6, salt, str_c(value)), log_of(7), &v),
	    E_BAD_ANSWER));
	T_EQ_INT(v.bad_seq, 6);
	T_OK(err_is(check(report(8, salt, str_c(value)), log_of(7), &v),
	    E_BAD_ANSWER));
	T_EQ_INT(v.others, 1);
	T_GOOD(check(STR("{\"items\":[]}"), log_of(7), &v));
	T_EQ_INT(v.others, 1);
	arena_done(&a);
}

TEST(no_reports)
{
	static const char *const bad[] = {"", "[]", "{}", "{\"items\":{}}",
	    "{\"items\":[7]}", "{\"items\":[{\"seq\":1}]}",
	    "{\"items\":[{\"seq\":0,\"salt\":\"\",\"value\":\"\"}]}",
	    "{\"items\":[{\"seq\":1,\"salt\":\"AA==\",\"value\":\"\"}]}"};
	struct destroyed_verdict v;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (err_ok(check(str_c(bad[i]), log_of(7), &v)))
			T_FAIL("%s", bad[i]);
	arena_done(&a);
}

T_MAIN
