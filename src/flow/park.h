/*
 * park.h: requests of delegates that wait for something to do.  They lie here,
 * in the writer, until there may be some, until their time is over, or until
 * another one of the same delegate comes; then they are handled once more.
 */
#ifndef FLOW_PARK_H
#define FLOW_PARK_H

#include "flow/call.h"

struct park {
	struct call *c[LIM_PARKED];
	size_t n;
};

bool park_full(const struct park *p);
void park_add(struct park *p, struct call *c);
/* Those whose time has come, or all: taken out, the one first that waits
 * longest. */
size_t park_take(struct park *p, struct call **ret, int64_t now, bool all);
/* Those of that delegate have their time. */
void park_end(struct park *p, const struct uuid *delegate);
/* Milliseconds until the first one has its time; at most max. */
int park_wait(const struct park *p, int64_t now, int max);

#endif
