/*
 * task_job.h: inside the handling of tasks: what is to be done, opened; how a
 * task ends; what becomes of leases.
 */
#ifndef FLOW_TASK_JOB_H
#define FLOW_TASK_JOB_H

#include "base/json.h"
#include "flow/tasks.h"

/* The sealed part of a task. */
struct task_job {
	struct str step, labels, values, inputs;
	const struct json *labels_json;
	struct uuid runbook;
	uint32_t version, timeout_s;
	uint64_t approvals[LIM_TASK_APPROVALS];
	size_t approvals_n;
};

err task_job(struct lane *l, const struct task_row *r, struct arena *a,
    struct task_job *ret) MUST_USE;

/* How it ended. */
struct task_end {
	enum task_outcome outcome;
	struct str code;
	int exit;
	struct str outputs; /* canonical JSON object or empty */
	uint64_t log_bytes;
	int64_t now;
};
/* The row is changed and written, and the engine is told. */
err task_over(struct lane *l, struct task_row *r, const struct task_end *e,
    struct arena *a) MUST_USE;
/* Its start, to the engine. */
err task_begun(struct lane *l, struct task_row *r, int64_t now,
    struct arena *a) MUST_USE;
/* Into the queue again; the next lease has another fence. */
err task_requeue(struct lane *l, struct task_row *r, int64_t now) MUST_USE;
/* What a delegate had: queued again, or lost. */
err tasks_drop(struct lane *l, const struct uuid *delegate, int64_t now,
    struct arena *a) MUST_USE;

/* Has a lease ended?  And what is done about it; arg: the time. */
bool tasks_due(struct lane *l, int64_t now);
err tasks_tend(struct lane *l, void *arg) MUST_USE;

#endif
