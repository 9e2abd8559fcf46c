#include "base/time.h"
#include "tests/t.h"

#include <time.h>

static struct str
text_of(int64_t ms)
{
	static char t[TIME_TEXT + 1];

	time_text(ms, t);
	return str_c(t);
}

TEST(text)
{
	T_EQ_STR(text_of(0), STR("1970-01-01T00:00:00.000Z"));
	T_EQ_STR(text_of(-1), STR("1969-12-31T23:59:59.999Z"));
	T_EQ_STR(text_of(1795576894123), STR("2026-11-25T03:21:34.123Z"));
	T_EQ_STR(text_of(951782400000), STR("2000-02-29T00:00:00.000Z"));
	T_EQ_STR(text_of(4107542400000), STR("2100-03-01T00:00:00.000Z"));
}

TEST(text_clamps)
{
	T_EQ_STR(text_of(253402300799999), STR("9999-12-31T23:59:59.999Z"));
	T_EQ_STR(text_of(253402300800000), STR("9999-12-31T23:59:59.999Z"));
	T_EQ_STR(text_of(INT64_MAX), STR("9999-12-31T23:59:59.999Z"));
	T_EQ_STR(text_of(-62167219200000), STR("0000-01-01T00:00:00.000Z"));
	T_EQ_STR(text_of(-62167219200001), STR("0000-01-01T00:00:00.000Z"));
	T_EQ_STR(text_of(INT64_MIN), STR("0000-01-01T00:00:00.000Z"));
}

TEST(agrees_with_libc_on_every_day)
{
	for (int64_t day = -719528; day <= 2932896; day += 1) {
		time_t at = (time_t)(day * 86400 + day % 86400);
		char want[80];
		struct tm tm;
		int64_t back;

		gmtime_r(&at, &tm);
		snprintf(want, sizeof want,
		    "%04d-%02d-%02dT%02d:%02d:%02d.000Z", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
		    tm.tm_sec);
		if (tm.tm_year < -1900)
			continue;
		T_REQUIRE(str_eq(text_of((int64_t)at * 1000), str_c(want)));
		T_REQUIRE(time_parse(str_c(want), &back));
		T_REQUIRE(back == (int64_t)at * 1000);
	}
}

static int64_t
parsed(const char *s)
{
	int64_t ms = -1;

	return time_parse(str_c(s), &ms) ? ms : -1;
}

TEST(parse_examples_of_rfc_3339)
{
	T_EQ_INT(parsed("1985-04-12T23:20:50.52Z"), 482196050520);
	T_EQ_INT(parsed("1996-12-19T16:39:57-08:00"), 851042397000);
	T_EQ_INT(parsed("1990-12-31T23:59:60Z"), 662688000000);
	T_EQ_INT(parsed("1990-12-31T15:59:60-08:00"), 662688000000);
	T_EQ_INT(parsed("1937-01-01T12:00:27.87+00:20"), -1041337172130);
}

TEST(parse_other_forms)
{
	T_EQ_INT(parsed("1970-01-01t00:00:01z"), 1000);
	T_EQ_INT(parsed("1970-01-01T00:00:01.1Z"), 1100);
	T_EQ_INT(parsed("1970-01-01T00:00:01.0019999999999999999999Z"), 1001);
	T_EQ_INT(parsed("1970-01-01T00:00:01-00:00"), 1000);
	T_EQ_INT(parsed("1970-01-02T00:00:00+23:59"), 60000);
	T_EQ_INT(parsed("1990-12-31T23:59:60.5Z"), 662688000500);
	T_EQ_INT(parsed("0001-01-01T00:00:00Z"), -62135596800000);
	T_EQ_INT(parsed("2000-02-29T00:00:00Z"), 951782400000);
}

TEST(parse_refuses)
{
	static const char *const bad[] = {"", "1970-01-01", "1970-01-01T00:00Z",
	    "1970-01-01T00:00:00", "1970-01-01 00:00:00Z",
	    "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00,5Z",
	    "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z",
	    "1970-01-01T00:00:61Z", "1970-01-01T00:00:60Z",
	    "1990-12-31T23:59:60+01:00", "1970-00-01T00:00:00Z",
	    "1970-13-01T00:00:00Z", "1970-01-00T00:00:00Z",
	    "1970-01-32T00:00:00Z", "1970-04-31T00:00:00Z",
	    "1970-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
	    "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+00:60",
	    "1970-01-01T00:00:00+0000", "1970-01-01T00:00:00+00",
	    "1970-01-01T00:00:00ZZ", "1970-01-01T00:00:00Z ",
	    " 1970-01-01T00:00:00Z", "+1970-01-01T00:00:00Z",
	    "19700-01-01T00:00:00Z", "197-01-01T00:00:00Z",
	    "1970-1-01T00:00:00Z", "1970-01-01T0:00:00Z",
	    "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:60Z",
	    "9999-12-31T23:59:59-00:01"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int64_t ms = 7;

		if (time_parse(str_c(bad[i]), &ms) || ms != 7)
			T_FAIL("accepted \"%s\"", bad[i]);
	}
}

TEST(clocks_move)
{
	int64_t wall = time_now_ms(), mono = time_mono_us();
	struct timespec ms2 = {0, 2000000};

	nanosleep(&ms2, NULL);
	T_OK(time_now_ms() - wall >= 1 && time_now_ms() - wall < 5000);
	T_OK(time_mono_us() - mono >= 2000);
	T_OK(wall / 1000 - (int64_t)time(NULL) <= 1);
}

T_MAIN
