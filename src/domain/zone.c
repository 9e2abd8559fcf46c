#include "domain/zone.h"

struct rule {
	uint8_t month, week, weekday; /* month 0: never */
	int32_t seconds;
};

struct zone {
	struct str name;
	int32_t standard, summer;
	struct rule begin, end; /* of summer time */
};

#define NEVER                                                                  \
	{                                                                      \
		0, 0, 0, 0                                                     \
	}
#define RULE(m, w, d, s)                                                       \
	{                                                                      \
		m, w, d, s                                                     \
	}
static const struct zone zones[] = {
#define ZONE(name, standard, summer, begin, end)                               \
	{{name, sizeof name - 1}, standard, summer, begin, end},
#include "domain/zones.def"
#undef ZONE
};
enum { ZONES = sizeof zones / sizeof *zones };

static const struct shift {
	struct str name;
	int64_t at;
	int32_t offset;
} shifts[] = {
#define SHIFT(name, at, offset) {{name, sizeof name - 1}, at, offset},
#include "domain/zone_shifts.def"
#undef SHIFT
};
enum { SHIFTS = sizeof shifts / sizeof *shifts };

const struct zone *
zone_named(struct str name)
{
	for (size_t i = 0; i < ZONES; i++)
		if (str_eq(zones[i].name, name))
			return &zones[i];
	return NULL;
}

size_t
zone_count(void)
{
	return ZONES;
}

struct str
zone_name(size_t i)
{
	return zones[i].name;
}

/* ---- dates (Hinnant's algorithms, proleptic Gregorian) ---- */

int64_t
day_of(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy =
	    (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 +
	    (int64_t)day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

void
date_of_day(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*year = yoe + era * 400 + (*month <= 2);
}

unsigned
weekday_of(int64_t days)
{
	int64_t w = (days + 4) % 7; /* 1970-01-01 was a Thursday */

	return (unsigned)(w < 0 ? w + 7 : w);
}

unsigned
days_in_month(int64_t year, unsigned month)
{
	return (unsigned)(day_of(month == 12 ? year + 1 : year,
			      month == 12 ? 1 : month + 1, 1) -
	    day_of(year, month, 1));
}

/* ---- changes ---- */

/* When the rule strikes in a year; before: the offset until then. */
static int64_t
strikes(const struct rule *r, int64_t year, int32_t before)
{
	int64_t first = day_of(year, r->month, 1);
	unsigned day =
	    (r->weekday + 7U - weekday_of(first)) % 7 + 7U * (r->week - 1U);

	while (day >= days_in_month(year, r->month))
		day -= 7;
	return (first + day) * 86400 + r->seconds - before;
}

/* A change at `at` to `offset`, seen from t: the last before, or the first
 * after it. */
static void
consider(struct zone_span *s, int64_t t, int64_t at, int32_t before,
    int32_t offset)
{
	if (at <= t && at >= s->from) {
		s->from = at;
		s->offset = offset;
		s->before = before;
	}
	if (at > t && at <= s->to) {
		s->to = at;
		s->after = offset;
	}
}

static void
by_rule(const struct zone *z, int64_t t, struct zone_span *ret)
{
	int64_t year;
	unsigned month, day;

	*ret = (struct zone_span){INT64_MIN, INT64_MAX, z->standard,
	    z->standard, z->standard};
	if (z->begin.month == 0)
		return;
	date_of_day(t >= 0 ? t / 86400 : -1, &year, &month, &day);
	for (int64_t y = year - 1; y <= year + 1; y++) {
		consider(ret, t, strikes(&z->begin, y, z->standard),
		    z->standard, z->summer);
		consider(ret, t, strikes(&z->end, y, z->summer), z->summer,
		    z->standard);
	}
}

/* The zone's own list, as far as it goes; false: it is over, or there is
 * none. */
static bool
by_shifts(const struct zone *z, int64_t t, struct zone_span *ret)
{
	const struct shift *last = NULL;

	*ret = (struct zone_span){INT64_MIN, INT64_MAX, 0, 0, 0};
	for (size_t i = 0; i < SHIFTS; i++) {
		const struct shift *s = &shifts[i];

		if (!str_eq(s->name, z->name))
			continue;
		consider(ret, t, s->at, last == NULL ? s->offset : last->offset,
		    s->offset);
		last = s;
	}
	return last != NULL && t < last->at;
}

void
zone_span(const struct zone *z, int64_t t, struct zone_span *ret)
{
	struct zone_span listed;

	if (by_shifts(z, t, ret))
		return;
	listed = *ret;
	by_rule(z, t, ret);
	/* the last of the list, when no rule has struck since */
	if (listed.from != INT64_MIN && listed.from > ret->from) {
		ret->from = listed.from;
		ret->before = listed.before;
	}
}
