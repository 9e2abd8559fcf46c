/*
 * zone.h: time zones, from a table that is part of the program (zones.def):
 * good for times from 2025 on.  Seconds since 1970.
 */
#ifndef DOMAIN_ZONE_H
#define DOMAIN_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct zone; /* a row of the table */

/* By its name in the tz database, exactly; NULL. */
const struct zone *zone_named(struct str name);
size_t zone_count(void);
struct str zone_name(size_t i);

/* A time between two changes of a zone's clock. */
struct zone_span {
	int64_t from, to; /* UTC; to is where the next change is */
	int32_t offset;	  /* of local time, seconds east */
	int32_t before;	  /* the offset until `from` */
	int32_t after;	  /* and from `to` on */
};
/* The span t lies in.  A zone without changes has one span of all times. */
void zone_span(const struct zone *z, int64_t t, struct zone_span *ret);

/* Days since 1970-01-01 of a date, and the other way round; weekday 0 is
 * Sunday. */
int64_t day_of(int64_t year, unsigned month, unsigned day);
void date_of_day(int64_t days, int64_t *year, unsigned *month, unsigned *day);
unsigned weekday_of(int64_t days);
unsigned days_in_month(int64_t year, unsigned month);

#endif
