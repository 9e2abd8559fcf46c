/*
 * engine.h: inside flow's runs only.  A run on the writer's table, and what
 * the engine keeps between two looks at the clock.
 */
#ifndef FLOW_ENGINE_H
#define FLOW_ENGINE_H

#include "audit/digest.h"
#include "domain/run.h"
#include "flow/desk.h"
#include "flow/runbooks.h"
#include "flow/runs.h"
#include "store/run.h"

/* What of a run never changes, and is sealed with its state. */
struct run_facts {
	struct permset ceiling;
	enum principal_kind owner_kind;
	struct uuid owner; /* all zero: none */
	const struct json *inputs, *happening;
	struct str digest; /* of the runbook's document */
};

struct engine_run {
	struct lane *lane;
	struct arena *a;
	struct run_row row;
	struct run_facts facts;
	struct runbook_version v;
	struct run_machine m;
	struct incident_card *incident; /* NULL: none */
	struct run_origin origin;
	struct call as; /* in whose name: for entries and what it changes */
	bool fresh;	/* not in the store yet */
};

/* What waits until the present run is put back. */
struct engine_next {
	struct uuid run;
	bool begin;		 /* a queued one; else */
	struct task_event event; /* copied */
	struct engine_next *next;
};

struct engine {
	int64_t due; /* the first time anything is; 0: nothing */
	bool known;  /* due is, in this version of the world */
	uint64_t version;
	bool busy;
	struct engine_next *first, **last; /* of this transaction */
	uint64_t run_seq, happening_seq;
	bool numbers; /* they are known */
};

/* ---- engine.c ---- */
/* On the table; E_NOT_FOUND. */
err engine_open(struct lane *l, const struct uuid *run, int64_t now,
    struct engine_run **ret) MUST_USE;
/* The same for a row somebody has read: readers too. */
err engine_read(struct lane *l, const struct run_row *row, struct arena *a,
    int64_t now, struct engine_run *ret) MUST_USE;
/* Carry out the effects, and what comes of them; put it back. */
err engine_settle(struct engine_run *r) MUST_USE;
/* And what had to wait for that. */
err engine_rest(struct lane *l, int64_t now) MUST_USE;
struct seal_where run_where(const struct run_row *r);
struct seal_where happening_where(uint32_t project, uint64_t seq);
/* What conditions and values see of the run and its surroundings. */
err engine_scope(struct engine_run *r) MUST_USE;
/* The digest that an approval of this run is bound to. */
err engine_digest(struct engine_run *r, char ret[DIGEST_TEXT + 1]) MUST_USE;
/* In whose name it acts: r->as, from what is known of it. */
void engine_as(struct engine_run *r);
/* May one more run of it go on now? */
err engine_room(struct lane *l, const struct runbook *rb, const struct uuid *id,
    bool *ret) MUST_USE;
/* A queued run has its turn when the present one is put back. */
err engine_later(struct lane *l, const struct uuid *run) MUST_USE;
/* s, if it is a short word of a-z 0-9 _ . -, else empty. */
enum { ENGINE_WORD = 64 };
struct str engine_word(struct arena *a, struct str s);

/* ---- engine_do.c ---- */
err engine_do(struct engine_run *r, const struct run_effect *e) MUST_USE;
/* An entry about the run, in its own name. */
err engine_record(struct engine_run *r, enum audit_action action,
    struct str reason, const struct step *s) MUST_USE;
/* The run, and its incident, into c's entry; blind when that is private. */
void engine_touch(struct engine_run *r, struct call *c);
/* Timeline of its incident, when there is one. */
err engine_note(struct engine_run *r, struct call *by, enum entry_kind kind,
    const struct step *s, struct str text) MUST_USE;
/* Which delegates may take it; E_INVALID: none can. */
err engine_selector(struct engine_run *r, const struct step *s,
    struct selector *ret) MUST_USE;
/* May it, now? */
bool engine_may(struct engine_run *r, enum permission p);

/* ---- engine_tend.c ---- */
/* Whatever is due by the clock; from the writer, between batches. */
void engine_tend(struct lane *l);
/* How long the writer may rest, ms, at most max. */
int engine_rest_ms(struct lane *l, int max);

/* ---- happen.c ---- */
/* Into the outbox, until due; i: its incident, whose key seals it. */
err fire_put(struct call *c, const struct incident_card *i, struct str doc,
    int64_t due) MUST_USE;

/* ---- engine_start.c ---- */
/* What the last numbers of rows are. */
err engine_numbers(struct lane *l) MUST_USE;
/* Everything that can be refused before a run begins, and what it would be;
 * writes nothing. */
err run_plan(struct call *c, const struct run_order *o,
    struct engine_run **ret) MUST_USE;
/* The plan as if it began: for showing it. */
err run_imagine(struct call *c, const struct run_order *o,
    struct engine_run *r) MUST_USE;

#endif
