/*
 * run.h: a run of a runbook, as a state machine.  Pure: what happens goes in
 * (a beginning, a result, a timer, somebody's decision), the next state and
 * the effects to carry out come out; no I/O, no clock, no randomness.
 *
 * Nothing but the state of each step says where a run stands: what may start
 * is found by walking the tree from its root, so a run that was put away and
 * read again goes on exactly as if nothing had been.
 *
 * Promises (tests/unit/domain/t_run_model.c):
 *	- an attempt of a step is started once, and the next one only when it
 *	  is known how the last one ended;
 *	- a task that was lost after it began is not started again unless its
 *	  step says that it is idempotent;
 *	- every run ends, at the latest when its time is over;
 *	- what is undone is undone in the reverse order of completion, once.
 */
#ifndef DOMAIN_RUN_H
#define DOMAIN_RUN_H

#include "base/id.h"
#include "domain/runbook.h"
#include "domain/words.h"

/* A decision somebody made at an approval step. */
struct run_vote {
	struct uuid who;
	bool yes;
	int64_t at;
	uint64_t seq; /* of its audit entry */
	struct str note;
	struct run_vote *next; /* the one before */
};

struct run_step {
	enum run_at at;
	bool began;	  /* its task has: there may be effects */
	bool stopping;	  /* it was told to end, and has not yet */
	bool stop_bad;	  /* it will have failed then, else be cancelled */
	bool undo;	  /* its failure asks for undoing */
	uint8_t branch;	  /* of a condition: 1 then, 2 else */
	uint32_t attempt; /* 0: never started */
	uint32_t order;	  /* among those that succeeded, from 1 */
	int64_t started, ended;
	int64_t due;	  /* of its timer, ms; 0: none */
	struct uuid task; /* the present or last one's */
	struct uuid by;	  /* who completed it */
	struct str code;  /* why it ended as it did, one word; or empty */
	struct str note;
	const struct json *outputs; /* object, or NULL */
	struct run_vote *votes;	    /* newest first */
};

struct run {
	enum run_state state;
	bool stopping, stop_bad;
	bool undo_bad;	/* undoing did not go through */
	uint32_t order; /* steps that have succeeded */
	int64_t started, ended, deadline;
	struct str code;
	const struct json *outputs;
	struct run_step *step; /* by index */
	size_t step_n;
};

enum run_effect_kind {
	RUN_DO_TASK,	 /* offer a task with `values` */
	RUN_DO_CANCEL,	 /* cancel run_step.task */
	RUN_DO_INCIDENT, /* change the incident as `values` say, run_result */
	RUN_TELL_STEP,	 /* the step is at `at` now, with `code` */
	RUN_TELL_END,	 /* the run has ended */
};

struct run_effect {
	enum run_effect_kind kind;
	const struct step *step; /* NULL: about the run */
	uint32_t attempt;
	enum run_at at;
	struct str code;
	/* RUN_DO_TASK: as step_values has it. RUN_DO_INCIDENT: {"set":{..},
	 * "timeline":text,"key_event":bool,"transition":text}. */
	struct str values;
	struct run_effect *next;
};

/* One thing that happens to one run. */
struct run_machine {
	const struct runbook *rb;
	struct run *run;
	struct arena *a; /* what the run and the effects point to */
	int64_t now;
	bool held; /* frozen: nothing is started */
	/* What conditions and values may look at; NULL: nothing. */
	const struct json *inputs, *incident, *alert, *about;
	struct trail trail;
	struct run_effect *first, **last; /* in order */
};

/* A run of rb at which nothing has happened yet. */
err run_new(const struct runbook *rb, struct arena *a,
    struct run **ret) MUST_USE;
/* Before any of the others. */
void run_machine_init(struct run_machine *m);

/* From queued to running. */
err run_begin(struct run_machine *m) MUST_USE;
/* Its task began. */
void run_task_began(struct run_machine *m, const struct step *s,
    uint32_t attempt);
/* How an attempt of a task or of a change of the incident ended. */
struct run_result {
	uint32_t attempt;
	enum {
		RUN_GOOD,
		RUN_BAD,
		RUN_STOPPED, /* cancelled before it ended by itself */
		RUN_LOST,    /* nobody knows */
	} how;
	struct str code;
	const struct json *outputs;
};
/* One that is not waited for (any more) changes nothing. */
err run_result(struct run_machine *m, const struct step *s,
    const struct run_result *r) MUST_USE;
/* Whatever is due by now. */
err run_timer(struct run_machine *m) MUST_USE;
/* Look again: what held it may be gone. */
err run_look(struct run_machine *m) MUST_USE;
/* Stop what can be stopped; it has ended when nothing runs any more.
 * E_CONFLICT: it has. */
err run_cancel(struct run_machine *m, struct str code) MUST_USE;

/* Who decides at an approval step, as far as it matters. */
struct run_voter {
	struct uuid who;
	bool person;	/* a user: nobody else has eyes */
	bool requester; /* asked for the run, or made what did */
	bool author;	/* wrote or brought in this version */
	bool named;	/* is among the step's approvers, if it names any */
};
/*
 * E_CONFLICT: the step waits for no (more) approval; E_FORBIDDEN: not by this
 * one, the trail says why.  A no ends the step at once.
 */
err run_vote(struct run_machine *m, const struct step *s,
    const struct run_voter *who, bool yes, uint64_t seq,
    struct str note) MUST_USE;
/* May who?  The same refusals, and nothing changes. */
err run_may_vote(const struct run_machine *m, const struct step *s,
    const struct run_voter *who, struct trail *t) MUST_USE;
/* A manual step was done, or could not be. E_CONFLICT: it is not waiting. */
err run_complete(struct run_machine *m, const struct step *s,
    const struct uuid *who, bool good, const struct json *outputs,
    struct str note) MUST_USE;

/* When run_timer should be called; 0: not. held: what only waits to be
 * started does not count. */
int64_t run_due(const struct run *r, bool held);
bool run_over(const struct run *r);

/* ---- run_doc.c: putting it away ---- */
void run_write(struct jw *w, const struct runbook *rb, const struct run *r);
/* E_CORRUPT for what run_write of that runbook cannot have written. */
err run_read(const struct runbook *rb, const struct json *j, struct arena *a,
    struct run **ret) MUST_USE;

#endif
