/*
 * tasks.h: work for delegates, from the engine's offer to its end.
 *
 *	queued -> leased (fence) -> started -> done
 *
 * The store is the truth; memory holds only polls that wait.  A task that was
 * leased and never started goes back into the queue under the next fence; one
 * that was started and is heard of no more is lost, and what becomes of that
 * is the engine's to say.  So no task runs twice: a start, a piece of log or a
 * result under another fence, or of another delegate, is refused.
 *
 * A selector of no labels matches nothing (L13): such an offer is refused.
 */
#ifndef FLOW_TASKS_H
#define FLOW_TASKS_H

#include "flow/state.h"
#include "store/task.h"

struct task_new {
	uint32_t project;
	struct uuid run;
	struct str step;  /* id of a script or http step of the document */
	uint32_t attempt; /* from 1 */
	struct uuid runbook;
	uint32_t version;
	struct str
	    values; /* canonical JSON: {"args":..,"env":..}|{"params":..} */
	struct str
	    labels; /* canonical JSON object {"name":"value"}, not empty */
	uint32_t timeout_s;
	/* Audit numbers of the run.approve entries this step stands on; those
	 * of the runbook's and the connectors' approval are found here. */
	const uint64_t *approvals;
	size_t approvals_n;
};

/* Numbers are stored: only append. */
enum task_outcome {
	TASK_NONE,
	TASK_SUCCEEDED,
	TASK_FAILED,
	TASK_TIMED_OUT,
	TASK_CANCELLED,
	TASK_REFUSED, /* by the delegate: what it was given does not hold */
	TASK_LOST,    /* started, and heard of no more */
	TASK_OUTCOMES
};
const char *task_outcome_text(enum task_outcome o); /* "succeeded", ... */

/* What became of a task.  Texts live as long as the listener's call. */
struct task_event {
	bool started; /* began; otherwise it is over, see outcome */
	struct uuid task, run, delegate;
	uint32_t project;
	struct str step;
	uint32_t attempt;
	enum task_outcome outcome;
	struct str code; /* why, a word of the delegate's or ours, or empty */
	int exit;	 /* of a script; 0 otherwise */
	struct str outputs; /* canonical JSON object; empty: none */
	uint64_t log_bytes;
	int64_t now;
};

/*
 * Writer lane, in its transaction.  E_INVALID: no labels, or values that are
 * no object; E_LIMIT: the project's queue is full.  Delegates learn of it when
 * the transaction is durable.
 */
err task_offer(struct lane *l, const struct task_new *t, int64_t now,
    struct uuid *ret) MUST_USE;
/*
 * A queued task is over at once, and the engine hears of it before this
 * returns; a leased or started one is over when its delegate says so or is
 * heard of no more.  E_NOT_FOUND: there is no such task, or it is over.
 */
err task_cancel(struct lane *l, const struct uuid *task, int64_t now) MUST_USE;
/* The same for all tasks of a run that are not over. */
err task_cancel_run(struct lane *l, const struct uuid *run,
    int64_t now) MUST_USE;
/* All of it of a run that is forgotten, its log too. */
err task_forget_run(struct lane *l, const struct uuid *run) MUST_USE;

/*
 * Who hears of events: run_task_event of runs.h, once it is there.  It runs in
 * the writer's transaction; an error undoes it, and the delegate sends its
 * word again.
 */
typedef err (*task_listener)(struct lane *l, const struct task_event *ev);

/* Polls that wait look again when this transaction is durable: for freezing
 * and thawing, which change what may be leased. (writer) */
void tasks_wake(struct lane *l);

#endif
