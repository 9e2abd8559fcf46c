/*
 * Schedules.  next.tsv is what another implementation on Python's zoneinfo
 * says (tests/vectors/cron/make.py): all zones, and each change of the odd
 * ones.
 */
#include "domain/cron.h"

#include "runbooks.h"

static struct cron
cron_of(const char *text)
{
	struct cron c = {0};
	struct trail t = {0};

	if (!err_ok(cron_parse(str_c(text), &t, &c)))
		T_FAIL("%s: %s", text, t.detail);
	return c;
}

/* Each time of a line follows from the one before. */
static size_t
follow(struct str line)
{
	struct str name, text, from, at;
	struct trail t = {0};
	const struct zone *z;
	int64_t now = 0, want = 0;
	struct cron c;
	size_t n = 0;
	bool more = true;

	(void)str_cut(line, '\t', &name, &line);
	(void)str_cut(line, '\t', &text, &line);
	(void)str_cut(line, '\t', &from, &line);
	z = zone_named(name);
	if (z == NULL || !err_ok(cron_parse(text, &t, &c)) ||
	    !str_i64(from, 0, INT64_MAX, &now)) {
		T_FAIL("%.*s", STR_ARG(name));
		return 0;
	}
	for (; more && line.n > 0; n++) {
		int64_t got = cron_next(&c, z, now * 1000) / 1000;

		more = str_cut(line, ' ', &at, &line);
		(void)str_i64(at, 0, INT64_MAX, &want);
		if (got != want) {
			T_FAIL("%.*s \"%.*s\" after %lld: %lld, want %lld",
			    STR_ARG(name), STR_ARG(text), (long long)now,
			    (long long)got, (long long)want);
			return n;
		}
		now = got;
	}
	return n;
}

TEST(as_zoneinfo_says)
{
	struct arena a;
	struct str all, line;
	size_t lines = 0, times = 0;

	arena_init(&a, 8 << 20);
	all = file_of(&a, "tests/vectors/cron/next.tsv");
	while (str_cut(all, '\n', &line, &all)) {
		times += follow(line);
		lines++;
	}
	printf("# %zu schedules, %zu times\n", lines, times);
	T_OK(lines >= 2000 && times >= 20000);
	T_OK(zone_count() >= 590);
	arena_done(&a);
}

TEST(written_badly)
{
	static const char *const bad[] = {"", "*", "* * * *", "* * * * * *",
	    "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *",
	    "* * * 13 *", "* * * * 8", "-1 * * * *", "a * * * *", "5- * * * *",
	    "5-1 * * * *", "*/0 * * * *", "*/60 * * * *", "5/10 * * * *",
	    "1,,2 * * * *", ",1 * * * *", "1, * * * *", "* * * foo *",
	    "* * * * sunday", "@daily", "* * L * *", "* * * * 1#2",
	    " * * * * *", "*  * * * *", "* * * * * ", "01234 * * * *",
	    "00 * * * *", "*/ * * * *", "1-2-3 * * * *", "1-2/3/4 * * * *",
	    "* * * jan-foo *", "? * * * *", "*\t* * * *", "** * * * *"};
	struct cron c;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct trail t = {0};

		T_ERR(cron_parse(str_c(bad[i]), &t, &c), E_INVALID);
		T_OK(strncmp(t.detail, "cron: no such ", 14) == 0);
	}
}

TEST(written_well)
{
	struct cron c = cron_of("0-10/5,30 1,3 1 JAN-mar,Dec 5-7");

	T_OK(c.minutes == (1U | 1U << 5 | 1U << 10 | 1U << 30));
	T_EQ_INT(c.hours, 1 << 1 | 1 << 3);
	T_EQ_INT(c.days, 1 << 1);
	T_EQ_INT(c.months, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 12);
	T_EQ_INT(c.weekdays, 1 << 5 | 1 << 6 | 1);
	c = cron_of("* * * * *");
	T_EQ_INT(c.weekdays, 0x7f);
	T_OK(c.any_hour && c.any_day && c.any_weekday);
}

TEST(never)
{
	struct cron c = cron_of("0 0 31 2 *");

	T_EQ_INT(cron_next(&c, zone_named(STR("UTC")), 1700000000000), 0);
	T_EQ_INT(cron_next(&c, zone_named(STR("Africa/Casablanca")),
		     1700000000000),
	    0);
	c = cron_of("0 0 29 2 *"); /* 2100 has none */
	T_EQ_INT(cron_next(&c, zone_named(STR("UTC")), 4000000000000),
	    4233686400000); /* 2104 */
	T_EQ_INT(cron_next(&c, zone_named(STR("UTC")), -5), 0);
	T_OK(zone_named(STR("Europe/Nowhere")) == NULL);
	T_OK(zone_named(STR("europe/berlin")) == NULL);
	T_OK(zone_named(STR("")) == NULL);
}

TEST(dates)
{
	for (int64_t d = -800000; d < 3000000; d += 997) {
		unsigned m, day;
		int64_t y;

		date_of_day(d, &y, &m, &day);
		T_EQ_INT(day_of(y, m, day), d);
		T_OK(day >= 1 && day <= days_in_month(y, m));
	}
	T_EQ_INT(weekday_of(0), 4);
	T_EQ_INT(weekday_of(-1), 3);
	T_EQ_INT(days_in_month(2000, 2), 29);
	T_EQ_INT(days_in_month(2100, 2), 28);
	T_EQ_INT(days_in_month(2025, 12), 31);
}

T_MAIN
