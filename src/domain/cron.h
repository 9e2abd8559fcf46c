/*
 * cron.h: schedules of five fields, POSIX crontab(5) with names, ranges,
 * lists and steps:
 *
 *	minute 0-59, hour 0-23, day 1-31, month 1-12 or jan-dec,
 *	weekday 0-7 or sun-sat
 *
 * Weekday 0 and 7 are Sunday.  When both day and weekday are restricted (do
 * not begin with *), one of them is enough.
 *
 * Where clocks change: what falls into an hour that is skipped happens once,
 * at its end; what falls into an hour that comes twice happens the first
 * time.  A schedule of every hour (hour field *) follows the clock as it
 * goes: it happens in both, and nothing is made up for.
 */
#ifndef DOMAIN_CRON_H
#define DOMAIN_CRON_H

#include "base/err.h"
#include "domain/zone.h"

struct cron {
	uint64_t minutes;
	uint32_t hours, days, months, weekdays; /* bit per value */
	bool any_hour, any_day, any_weekday;	/* the field begins with * */
};

/* E_INVALID with a trail that names the field. */
err cron_parse(struct str s, struct trail *t, struct cron *ret) MUST_USE;

/* The first time after `after` (ms, ms), a whole minute unless the clock's
 * change is none; 0: none in the next 30 years. */
int64_t cron_next(const struct cron *c, const struct zone *z, int64_t after);

#endif
