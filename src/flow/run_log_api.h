/* run_log_api.h: the live log of a run, for the thread that has the streams.
 * A piece is base64: bytes a step wrote, cut anywhere. */
#ifndef FLOW_RUN_LOG_API_H
#define FLOW_RUN_LOG_API_H

#include "flow/call.h"
#include "flow/run_log.h"
#include "flow/task_job.h"

/* The log of path variable 1, or of ?step= in it; E_NOT_FOUND. */
err run_log_asked(struct call *c, struct run_log_of *ret) MUST_USE;
/* Where a stream begins. */
err run_log_begin(struct call *c, uint64_t *ret) MUST_USE;
/* The next event, if there is any: *at goes on. */
err run_log_event(struct call *c, struct lane *l, struct arena *a, uint64_t *at,
    struct buf *b) MUST_USE;

#endif
