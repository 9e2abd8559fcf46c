/*
 * ration.h: how much one delegate may ask for: a bucket each, filled with
 * LIM_DELEGATE_RATE a second up to LIM_DELEGATE_BURST.  A request costs one,
 * and one more for every RATION_BYTES of its body.  Thread-safe.
 */
#ifndef FLOW_RATION_H
#define FLOW_RATION_H

#include "base/err.h"
#include "base/id.h"

enum { RATION_BYTES = 16384 };

struct ration;

/* NULL: no memory. */
struct ration *ration_new(void);
struct ration *ration_free(struct ration *r);
/* E_RATE: it has to wait.  now: microseconds of a clock that is never set. */
err ration_take(struct ration *r, const struct uuid *who, size_t bytes,
    int64_t now) MUST_USE;

#endif
