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
#include "flow/tasks.h"

/*
 * What became of a task; the server's on_task.  Writer only.  An event of an
 * attempt the run does not wait for (any more) is OK and changes nothing.
 * Called from inside task_offer and task_cancel it is taken up when the
 * present one is done.  An error spoils the transaction.
 */
err run_task_event(struct lane *l, const struct task_event *e) MUST_USE;

/* The inputs of a run as canonical JSON; any lane. */
err run_inputs_text(struct lane *l, const struct uuid *run, struct arena *a,
    struct str *ret) MUST_USE;

/* Who starts a run, and of what.  Views must outlive the call only. */
struct run_order {
	uint32_t project;
	struct uuid runbook;
	const struct json *inputs; /* NULL: none */
	uint64_t incident;	   /* seq, 0: none */
	struct uuid alert;	   /* all zero: none */
	struct uuid trigger;	   /* all zero: by hand */
	struct str happening;	   /* JSON object: what fired it; or empty */
	struct str key;		   /* idempotency; or empty */
	uint32_t depth;		   /* of runs that caused it: 0 by hand */
	enum principal_kind kind;  /* in whose name, */
	struct uuid who;
	struct permset ceiling; /* of what they may, that and no more, */
	enum principal_kind owner_kind; /* and no more than this one may now; */
	struct uuid owner;		/* all zero: nobody else */
};

/*
 * Start it: the published version, in the transaction that is open.  Rights
 * are the caller's to ask; inputs, context, limits and freezes are checked
 * here.  *ret_again: there is a run of that key already.
 */
err run_start(struct call *c, const struct run_order *o, struct uuid *ret,
    bool *ret_again) MUST_USE;

#endif
