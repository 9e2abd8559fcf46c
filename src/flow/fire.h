/*
 * fire.h: triggers.  What happens is written into an outbox, in the
 * transaction in which it happens and only when an enabled trigger could
 * match; the writer looks at it once, after that transaction, and starts the
 * runs that come of it in the transaction that takes it out of the outbox.
 * So each happening fires each trigger once or not at all, whatever ends the
 * process in between.
 */
#ifndef FLOW_FIRE_H
#define FLOW_FIRE_H

#include "flow/call.h"

/* Writer: due ones, at most a piece; false: something could not be done. */
bool fire_happenings(struct lane *l, int64_t now);
/* The schedule of a trigger is due. */
err fire_schedule(struct lane *l, const struct uuid *trigger,
    int64_t now) MUST_USE;

#endif
