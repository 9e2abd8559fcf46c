/*
 * runs.h: runs of runbooks in the writer.  The state machine is
 * domain/run.h; this loads a run, lets something happen to it, does what
 * comes of that (tasks, timers, changes of incidents, entries), and puts it
 * back, all in the transaction that is open.  So a run is as durable as what
 * happened to it, and nothing of it lives in memory.
 */
#ifndef FLOW_RUNS_H
#define FLOW_RUNS_H

#include "flow/call.h"

/* What became of a task (flow/tasks.h). */
enum run_task_what {
	RUN_TASK_STARTED, /* the delegate has begun; it may have effects now */
	RUN_TASK_DONE,	  /* it ended; outcome says how */
	RUN_TASK_LOST,	  /* its lease ended after it had started */
};
/* Of RUN_TASK_DONE, as the delegate says it. */
enum run_task_outcome {
	RUN_TASK_SUCCEEDED,
	RUN_TASK_FAILED,
	RUN_TASK_TIMED_OUT,
	RUN_TASK_CANCELLED, /* also by task_cancel, before it was leased */
	RUN_TASK_REFUSED,   /* the delegate would not; nothing was started */
};

struct run_task_event {
	struct uuid run, task;
	struct str step; /* its id in the runbook */
	uint32_t attempt;
	enum run_task_what what;
	enum run_task_outcome outcome;
	int64_t exit;	    /* of a script */
	struct str code;    /* why, a short word; or empty */
	struct str outputs; /* JSON object text, checked; or empty */
	struct uuid delegate;
	int64_t now;
};
/*
 * Writer only.  An event of a task the run does not wait for (any more) is
 * OK and changes nothing.  Task functions may call it from inside
 * task_offer and task_cancel: it is taken up when the present one is done.
 * An error is one of the store: the transaction is spoiled.
 */
err run_task_event(struct lane *l, const struct run_task_event *e) MUST_USE;

/* Who starts a run, and of what.  Views must outlive the call only. */
struct run_new {
	uint32_t project;
	struct uuid runbook;
	uint32_t version;	   /* 0: the one that is published */
	const struct json *inputs; /* NULL: none */
	uint64_t incident;	   /* seq, 0: none */
	struct uuid alert;	   /* all zero: none */
	struct uuid trigger;	   /* all zero: by hand */
	struct str happening; /* JSON object text of what fired it; or empty */
	struct str key;	      /* idempotency, within the runbook; or empty */
	uint32_t depth;	      /* of runs that caused it: 0 by hand */
};

#endif
