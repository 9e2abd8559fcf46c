#include "base/time.h"

#include <time.h>

enum { DAY_MS = 86400000, MIN_MS = 60000 };

/* 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z */
static const int64_t first_ms = -62167219200000, last_ms = 253402300799999;

int64_t
time_now_ms(void)
{
	struct timespec ts;

	BUG_ON(clock_gettime(CLOCK_REALTIME, &ts) != 0);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
time_mono_us(void)
{
	struct timespec ts;

	BUG_ON(clock_gettime(CLOCK_MONOTONIC, &ts) != 0);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/*
 * Days since 1970-01-01 and back, proleptic Gregorian, by H. Hinnant's
 * algorithms (howardhinnant.github.io/date_algorithms.html): years begin in
 * March, so that the leap day is the last one.
 */
static int64_t
days_of(int64_t y, int64_t m, int64_t d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
date_of(int64_t days, int64_t *y, int64_t *m, int64_t *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp + (mp < 10 ? 3 : -9);
	*y = yoe + era * 400 + (*m <= 2);
}

static char *
digits(char *p, int64_t v, int width, char after)
{
	for (int i = width - 1; i >= 0; i--) {
		p[i] = (char)('0' + v % 10);
		v /= 10;
	}
	p[width] = after;
	return p + width + 1;
}

void
time_text(int64_t ms, char ret[TIME_TEXT + 1])
{
	int64_t y, m, d, day, left;
	char *p = ret;

	if (ms < first_ms)
		ms = first_ms;
	if (ms > last_ms)
		ms = last_ms;
	day = (ms >= 0 ? ms : ms - (DAY_MS - 1)) / DAY_MS;
	left = ms - day * DAY_MS;
	date_of(day, &y, &m, &d);
	p = digits(p, y, 4, '-');
	p = digits(p, m, 2, '-');
	p = digits(p, d, 2, 'T');
	p = digits(p, left / 3600000, 2, ':');
	p = digits(p, left / MIN_MS % 60, 2, ':');
	p = digits(p, left / 1000 % 60, 2, '.');
	p = digits(p, left % 1000, 3, 'Z');
	*p = '\0';
}

/* Take `width` digits with a value within [min, max] off s. */
static bool
take(struct str *s, size_t width, int64_t min, int64_t max, int64_t *ret)
{
	int64_t v = 0;

	if (s->n < width)
		return false;
	for (size_t i = 0; i < width; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		v = v * 10 + (s->p[i] - '0');
	}
	if (v < min || v > max)
		return false;
	*s = str_skip(*s, width);
	*ret = v;
	return true;
}

static bool
take_c(struct str *s, char c, char other)
{
	if (s->n == 0 || (s->p[0] != c && s->p[0] != other))
		return false;
	*s = str_skip(*s, 1);
	return true;
}

static int64_t
month_days(int64_t y, int64_t m)
{
	static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31};
	bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

	return days[m - 1] + (m == 2 && leap);
}

static bool
take_date(struct str *s, int64_t *ret_days)
{
	int64_t y, m, d;

	if (!take(s, 4, 0, 9999, &y) || !take_c(s, '-', '-') ||
	    !take(s, 2, 1, 12, &m) || !take_c(s, '-', '-') ||
	    !take(s, 2, 1, month_days(y, m), &d))
		return false;
	*ret_days = days_of(y, m, d);
	return true;
}

/* A fraction is optional; digits after the third are read and dropped. */
static bool
take_fraction(struct str *s, int64_t *ret_ms)
{
	int64_t ms = 0, weight = 100, digit;

	*ret_ms = 0;
	if (!take_c(s, '.', '.'))
		return true;
	if (!take(s, 1, 0, 9, &digit))
		return false;
	do {
		ms += digit * weight;
		weight /= 10;
	} while (take(s, 1, 0, 9, &digit));
	*ret_ms = ms;
	return true;
}

static bool
take_offset(struct str *s, int64_t *ret_ms)
{
	int64_t h, m, sign = 1;

	*ret_ms = 0;
	if (take_c(s, 'Z', 'z'))
		return true;
	if (take_c(s, '-', '-'))
		sign = -1;
	else if (!take_c(s, '+', '+'))
		return false;
	if (!take(s, 2, 0, 23, &h) || !take_c(s, ':', ':') ||
	    !take(s, 2, 0, 59, &m))
		return false;
	*ret_ms = sign * (h * 60 + m) * MIN_MS;
	return true;
}

bool
time_parse(struct str s, int64_t *ret_ms)
{
	int64_t days, h, m, sec, frac, offset, minute, ms;

	if (!take_date(&s, &days) || !take_c(&s, 'T', 't') ||
	    !take(&s, 2, 0, 23, &h) || !take_c(&s, ':', ':') ||
	    !take(&s, 2, 0, 59, &m) || !take_c(&s, ':', ':') ||
	    !take(&s, 2, 0, 60, &sec) || !take_fraction(&s, &frac) ||
	    !take_offset(&s, &offset) || s.n != 0)
		return false;
	minute = days * DAY_MS + (h * 60 + m) * MIN_MS - offset;
	/* A leap second ends a day of UTC, wherever the clock hangs. */
	if (sec == 60 && (minute + MIN_MS) % DAY_MS != 0)
		return false;
	ms = minute + sec * 1000 + frac;
	if (ms < first_ms || ms > last_ms)
		return false;
	*ret_ms = ms;
	return true;
}
