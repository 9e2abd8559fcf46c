/*
 * agent.h: between the files of the running delegate: what its threads share,
 * all of it under one lock, and the life of a task:
 *
 *	OFFERED  -> GRANTED -> ASKING -> RUNNING -> ENDED -> (free)
 *	 post:start  main:journal, then  main: the  post: output,
 *		     external secrets	 step	    then the result
 *
 * A task that is refused goes from OFFERED to ENDED at once.  The server may
 * drop one at any time: then it is GONE, and freed when nothing of it runs.
 */
#ifndef DELEGATE_AGENT_H
#define DELEGATE_AGENT_H

#include <pthread.h>

#include "delegate/broker.h"
#include "delegate/enrol.h"
#include "delegate/envelope.h"
#include "delegate/mask.h"
#include "delegate/spool.h"
#include "delegate/witness.h"

enum job_state {
	JOB_FREE,
	JOB_OFFERED,
	JOB_GRANTED,
	JOB_ASKING,
	JOB_RUNNING,
	JOB_ENDED,
	JOB_GONE,
};

struct ending {
	struct str outcome, code; /* static, or in the arena */
	int64_t exit;
	struct str outputs; /* canonical JSON object */
	uint64_t log_bytes;
	char log_sha[65];
};

struct job {
	enum job_state state;
	bool busy;	/* the post thread is talking about it */
	bool cancelled; /* the server wants it to end */
	bool killed;
	bool journaled; /* it is written down: its files stay until the end */
	struct arena arena;
	struct task task;
	struct uuid id;
	char id_text[UUID_TEXT + 1];
	uint64_t fence;
	int64_t offered_us, again_us; /* offered; not to be tried before */
	/* its secrets, and what takes them out of what it writes */
	void *pages;
	size_t pages_n, external; /* the next one to be asked for */
	struct mask_set *mask;
	/* while it runs */
	bool boxed, out_open, err_open;
	struct sandbox box;
	struct masker *out, *err;
	uint64_t ask;	/* number of what the broker was asked; 0: nothing */
	uint64_t relay; /* number of its relay; 0: none */
	/* what came of it */
	struct spool spool;
	uint64_t sent; /* bytes of the log the server has */
	struct ending result;
};

struct agent {
	const char *path;
	int dir;
	struct arena lasting; /* of enrolment and policy */
	struct enrolment e;
	struct pinned pinned;
	struct policy policy;
	struct zygote *zygote; /* NULL: no sandbox can be made here */
	struct trail no_sandbox;
	struct broker *broker;

	pthread_mutex_t lock; /* everything below */
	pthread_cond_t work;  /* for the post thread */
	int wake;	      /* eventfd, for the main thread */
	struct journal *journal;
	struct witness witness;
	struct job *job;  /* LIM_DELEGATE_TASKS */
	uint64_t asked;	  /* last number given to the broker */
	unsigned session; /* counts renewals: clients are made anew */
	bool stopping, frozen, revoked;
	int64_t heard_ms; /* of the server, last */
};

/* ---- jobs (jobs.c); the lock is held ---- */
struct job *job_new(struct agent *g, const struct uuid *id, uint64_t fence);
struct job *job_find(struct agent *g, const struct uuid *id);
size_t jobs_active(const struct agent *g);
/* It came to this, before anything was started. */
void job_refuse(struct agent *g, struct job *j, enum reason why);
void job_outcome(struct job *j, const char *outcome, struct str code);
/* Everything of it is given back; its files too. */
void job_free(struct agent *g, struct job *j);
void agent_wake(struct agent *g);
/* Results that were not delivered before a restart. */
err jobs_recover(struct agent *g) MUST_USE;
/* {"fence","outcome",..} without its signature: what spool/<task>.json
 * has. */
err result_write(const struct job *j, struct buf *b) MUST_USE;
err result_keep(struct agent *g, struct job *j) MUST_USE;

/* Give up what is not needed any more (shut.c), before there are threads.
 * E_DENIED, with a trail: it could be done still. */
err agent_shut(struct agent *g, struct trail *t) MUST_USE;

/* ---- the threads ---- */
void *lease_main(void *agent); /* lease.c */
void *post_main(void *agent);  /* post.c */

/* ---- the work (work.c), in the main thread, the lock held ---- */
void work_begin(struct agent *g, struct job *j);
void work_poll(struct agent *g, struct job *j); /* its descriptors */
void work_cancel(struct agent *g, struct job *j, bool now);
void work_broker(struct agent *g, const struct broker_event *ev);
/* It has ended: as j->result says, unless the disk does not take that. */
void work_end(struct agent *g, struct job *j);

/* ---- asking the server (lease.c) ---- */
/* A client of the present session; made anew when that has changed. */
struct asker {
	struct arena arena;
	struct client *client;
	unsigned session;
	int timeout_ms;
};
err asker_ready(struct agent *g, struct asker *k, struct trail *t) MUST_USE;
void asker_done(struct asker *k);

#endif
