#include "domain/cron.h"

enum {
	DAY = 86400,
	HORIZON = 30 * 366, /* days looked ahead: past a century's lost leap */
};

/* ---- reading ---- */

static const struct field {
	const char *name;
	unsigned low, high;
	const char *words; /* three letters each, of low, low + 1, .. */
} fields[] = {
    {"minute", 0, 59, ""},
    {"hour", 0, 23, ""},
    {"day", 1, 31, ""},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"weekday", 0, 7, "sunmontuewedthufrisat"},
};

static bool
number_parse(const struct field *f, struct str s, unsigned *ret)
{
	uint64_t n;

	for (size_t i = 0; s.n == 3 && f->words[i] != '\0'; i += 3) {
		if (str_ieq(s, str_of(f->words + i, 3))) {
			*ret = f->low + (unsigned)(i / 3);
			return true;
		}
	}
	if (s.n == 0 || s.n > 2 || !str_u64(s, f->low, f->high, &n))
		return false;
	*ret = (unsigned)n;
	return true;
}

/* "*", "5", "1-5", "*" and "1-5" with "/2" behind. */
static bool
range_parse(const struct field *f, struct str s, uint64_t *bits)
{
	struct str range, step = STR_NONE, from, to = STR_NONE;
	unsigned low = f->low, high = f->high;
	bool stepped = str_cut(s, '/', &range, &step);
	uint64_t by = 1;

	if (stepped && !str_u64(step, 1, 59, &by))
		return false;
	if (!str_is(range, "*")) {
		bool two = str_cut(range, '-', &from, &to);

		if (!number_parse(f, from, &low) || (stepped && !two))
			return false;
		high = low;
		if (two && (!number_parse(f, to, &high) || high < low))
			return false;
	} else if (high == 7) {
		high = 6; /* Sunday once */
	}
	for (unsigned v = low; v <= high; v += (unsigned)by)
		*bits |= UINT64_C(1) << v;
	return true;
}

static bool
field_parse(const struct field *f, struct str s, uint64_t *ret)
{
	struct str item;
	bool more = true;

	*ret = 0;
	while (more) {
		more = str_cut(s, ',', &item, &s);
		if (!range_parse(f, item, ret))
			return false;
	}
	return true;
}

err
cron_parse(struct str s, struct trail *t, struct cron *ret)
{
	enum { FIELDS = sizeof fields / sizeof *fields };
	uint64_t bits[FIELDS];
	bool any[FIELDS];
	struct str word;

	for (size_t i = 0; i < FIELDS; i++) {
		bool more = str_cut(s, ' ', &word, &s);

		if (more != (i + 1 < FIELDS) ||
		    !field_parse(&fields[i], word, &bits[i])) {
			trail_set(t, "%s: no such %s: \"%.*s\"", "cron",
			    fields[i].name, (int)(word.n < 40 ? word.n : 40),
			    word.p);
			return err_of(E_INVALID);
		}
		any[i] = word.p[0] == '*';
	}
	*ret = (struct cron){
	    .minutes = bits[0],
	    .hours = (uint32_t)bits[1],
	    .days = (uint32_t)bits[2],
	    .months = (uint32_t)bits[3],
	    .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
	    .any_hour = any[1],
	    .any_day = any[2],
	    .any_weekday = any[4],
	};
	return OK;
}

/* ---- the next time ---- */

static bool
day_matches(const struct cron *c, int64_t days)
{
	unsigned month, day, weekday = weekday_of(days);
	bool by_day, by_weekday;
	int64_t year;

	date_of_day(days, &year, &month, &day);
	by_day = (c->days >> day & 1) != 0;
	by_weekday = (c->weekdays >> weekday & 1) != 0;
	if ((c->months >> month & 1) == 0)
		return false;
	if (c->any_day || c->any_weekday)
		return by_day && by_weekday;
	return by_day || by_weekday;
}

/* The first matching minute of a day at or after `from` seconds; -1. */
static int64_t
minute_in_day(const struct cron *c, int64_t from)
{
	for (int64_t m = (from + 59) / 60; m < 1440; m++) {
		if ((c->hours >> m / 60 & 1) == 0) {
			m = (m / 60 + 1) * 60 - 1;
			continue;
		}
		if ((c->minutes >> m % 60 & 1) != 0)
			return m * 60;
	}
	return -1;
}

/* The first matching local time in [from, to); false: none. */
static bool
local_next(const struct cron *c, int64_t from, int64_t to, int64_t *ret)
{
	int64_t day = from / DAY, at = from % DAY;

	if (at < 0) {
		at += DAY;
		day--;
	}
	for (; day * DAY < to; day++, at = 0) {
		int64_t s = day_matches(c, day) ? minute_in_day(c, at) : -1;

		if (s < 0)
			continue;
		*ret = day * DAY + s;
		return *ret < to;
	}
	return false;
}

/* Within one span, from t on. */
static bool
span_next(const struct cron *c, const struct zone_span *s, int64_t t,
    int64_t end, int64_t *ret)
{
	int64_t from = t + s->offset, to = end + s->offset;

	/* local times that were there already, before the clock went back */
	if (!c->any_hour && s->from != INT64_MIN && from < s->from + s->before)
		from = s->from + s->before;
	if (from >= to || !local_next(c, from, to, ret))
		return false;
	*ret -= s->offset;
	return true;
}

/* What the clock skips where the span ends. */
static bool
gap_has(const struct cron *c, const struct zone_span *s)
{
	int64_t unused;

	return !c->any_hour && s->after > s->offset &&
	    local_next(c, s->to + s->offset, s->to + s->after, &unused);
}

int64_t
cron_next(const struct cron *c, const struct zone *z, int64_t after)
{
	int64_t t = after / 1000 + 1, end = t + (int64_t)HORIZON * DAY, found;

	if (after < 0)
		return 0;
	while (t < end) {
		struct zone_span s;

		zone_span(z, t, &s);
		if (span_next(c, &s, t, s.to < end ? s.to : end, &found))
			return found * 1000;
		if (s.to < end && gap_has(c, &s))
			return s.to * 1000;
		t = s.to;
	}
	return 0;
}
