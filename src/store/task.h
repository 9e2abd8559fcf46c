/*
 * task.h: rows of tasks and of the logs of runs.  See store.h for what each
 * function answers.
 */
#ifndef STORE_TASK_H
#define STORE_TASK_H

#include "store/store.h"

/* Numbers are stored. */
enum task_state {
	TASK_QUEUED = 1,
	TASK_LEASED = 2,
	TASK_STARTED = 3,
	TASK_DONE = 4,
};

struct task_row {
	uint64_t seq; /* in the order they were offered; as read */
	struct uuid id, run;
	struct uuid delegate; /* who has it; all zero: nobody */
	uint32_t project, attempt;
	uint8_t state;
	uint8_t outcome; /* enum task_outcome of flow/tasks.h */
	bool cancel;	 /* it is wanted no more */
	uint64_t fence;	 /* of the last lease; 0: there was none */
	int64_t until;	 /* of the lease */
	int64_t offered, changed;
	uint8_t selector[BLIND_SIZE]; /* of the labels it asks for */
	uint8_t result[BLIND_SIZE];   /* of what was answered; zero: nothing */
	struct sealed sealed;	      /* for writing */
	struct stored stored;	      /* as read */
};

/* Sealed at: table TASK, pk = id. */
err store_task_insert(struct store_conn *c, const struct task_row *r) MUST_USE;
err store_task_get(struct store_conn *c, const struct uuid *id, struct arena *a,
    struct task_row *ret) MUST_USE;
/* All but what it was offered with. */
err store_task_update(struct store_conn *c, const struct task_row *r) MUST_USE;
/*
 * Queued ones of a project, by what they ask for: the oldest with the first
 * selector above `after` (all zero: the first), E_NOT_FOUND when there is
 * none; and those with one selector, the oldest first.
 */
err store_task_selector(struct store_conn *c, uint32_t project,
    const uint8_t after[BLIND_SIZE], struct arena *a,
    struct task_row *ret) MUST_USE;
struct task_queued {
	struct uuid id, run;
};
err store_task_queued(struct store_conn *c, uint32_t project,
    const uint8_t selector[BLIND_SIZE], size_t max, struct task_queued *ret,
    size_t *ret_n) MUST_USE;
/* Leased or started ones of a delegate. */
err store_task_held(struct store_conn *c, const struct uuid *delegate,
    size_t max, struct arena *a, struct task_row **ret, size_t *ret_n) MUST_USE;
/* Leased or started ones whose lease ended before `now`. */
err store_task_over(struct store_conn *c, int64_t now, size_t max,
    struct arena *a, struct task_row **ret, size_t *ret_n) MUST_USE;
/* All of a run, the oldest first. */
err store_task_of_run(struct store_conn *c, const struct uuid *run, size_t max,
    struct arena *a, struct task_row **ret, size_t *ret_n) MUST_USE;
/* How many of a run are leased or started; of a project, queued. */
err store_task_running(struct store_conn *c, const struct uuid *run,
    uint64_t *ret) MUST_USE;
err store_task_waiting(struct store_conn *c, uint32_t project,
    uint64_t *ret) MUST_USE;
/* The end of the first lease that ends; 0: there is none. */
err store_task_next(struct store_conn *c, int64_t *ret) MUST_USE;
err store_task_forget(struct store_conn *c, const struct uuid *run) MUST_USE;

/* ---- logs ---- */

struct log_row {
	struct uuid run, task;
	uint32_t project;
	uint64_t at, task_at; /* where in the run's log, in the task's */
	uint32_t bytes;
	struct sealed sealed;
	struct stored stored;
};

/* Sealed at: table RUN_LOG, pk = run, at. */
err store_log_insert(struct store_conn *c, const struct log_row *r) MUST_USE;
/* It has more bytes now. */
err store_log_extend(struct store_conn *c, const struct log_row *r) MUST_USE;
/* The last piece of a run, of a task; E_NOT_FOUND: there is none. */
err store_log_last(struct store_conn *c, const struct uuid *run,
    struct arena *a, struct log_row *ret) MUST_USE;
err store_log_task_last(struct store_conn *c, const struct uuid *task,
    struct arena *a, struct log_row *ret) MUST_USE;
/* The last piece that begins at or before byte `from`. */
err store_log_from(struct store_conn *c, const struct uuid *run, uint64_t from,
    struct arena *a, struct log_row *ret) MUST_USE;
err store_log_task_from(struct store_conn *c, const struct uuid *task,
    uint64_t from, struct arena *a, struct log_row *ret) MUST_USE;
err store_log_forget(struct store_conn *c, const struct uuid *run) MUST_USE;

#endif
