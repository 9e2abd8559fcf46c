/*
 * time.h: times are int64_t milliseconds since 1970-01-01T00:00:00Z.  Only
 * flow, role and cli read the clock; everybody else is told the time.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/err.h"
#include "base/str.h"

enum { TIME_TEXT = 24 }; /* 2026-11-25T03:21:34.123Z */

int64_t time_now_ms(void);  /* wall clock */
int64_t time_mono_us(void); /* for intervals */
/* Years 0000 to 9999 only; others are clamped. Writes 24 bytes and a NUL. */
void time_text(int64_t ms, char ret[TIME_TEXT + 1]);
/*
 * RFC 3339: offset or Z required, any number of fraction digits (read to
 * milliseconds), leap second 60 accepted as the next second.
 */
bool time_parse(struct str s, int64_t *ret_ms);

#endif
