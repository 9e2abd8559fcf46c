/*
 * run_log.h: what the steps of a run wrote, as one stream of bytes for the
 * run and one for each task.  Masked by the delegate before it came; kept in
 * sealed pieces of at most LIM_LOG_PIECE, so a reader opens what it shows and
 * no more, and the whole never lies in memory.
 */
#ifndef FLOW_RUN_LOG_H
#define FLOW_RUN_LOG_H

#include "flow/state.h"

/* Whose: all of the run, or (task not NULL) one task's. */
struct run_log_of {
	struct uuid run;
	const struct uuid *task;
	uint32_t project;
};

/*
 * Writer lane, in its transaction: bytes at the end of the run's log and of
 * the task's; task all zero: a line of the engine's own.  E_LIMIT when the run
 * has LIM_RUN_LOG bytes.
 */
err run_log_append(struct lane *l, uint32_t project, const struct uuid *run,
    const struct uuid *task, struct str bytes) MUST_USE;
/* How many bytes there are. */
err run_log_size(struct lane *l, const struct run_log_of *of,
    uint64_t *ret) MUST_USE;
/*
 * Bytes from `from` on, at most max: less at the end, empty past it.  From any
 * lane.  Only the pieces that are shown are read.
 */
err run_log_read(struct lane *l, const struct run_log_of *of, uint64_t from,
    size_t max, struct arena *a, struct str *ret) MUST_USE;

#endif
