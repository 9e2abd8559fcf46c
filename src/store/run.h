/*
 * run.h: rows of runs, of what happened and may fire triggers, and of what
 * triggers have done.  The promises are those of store.h.
 */
#ifndef STORE_RUN_H
#define STORE_RUN_H

#include "store/store.h"

struct run_row {
	uint64_t seq;
	struct uuid id;
	uint32_t project;
	struct uuid runbook;
	uint32_t number;   /* version of the runbook */
	struct uuid cause; /* the trigger; all zero: by hand */
	uint64_t incident; /* seq; 0: none */
	struct uuid alert; /* all zero: none */
	uint8_t requester_kind;
	struct uuid requester;
	uint8_t state;
	uint32_t depth;
	uint32_t version;
	int64_t created, started, ended, due;
	bool keyed;
	uint8_t key[BLIND_SIZE];
	struct sealed sealed; /* to write */
	struct stored stored; /* as read */
};

/* E_EXISTS: the key is taken. */
err store_run_insert(struct store_conn *c, const struct run_row *r) MUST_USE;
/* Of what may change: state, version, started, ended, due, sealed. */
err store_run_update(struct store_conn *c, const struct run_row *r) MUST_USE;
err store_run_by_id(struct store_conn *c, const struct uuid *id,
    struct arena *a, struct run_row *ret) MUST_USE;
err store_run_by_key(struct store_conn *c, const uint8_t key[BLIND_SIZE],
    struct arena *a, struct run_row *ret) MUST_USE;
err store_run_last(struct store_conn *c, uint64_t *ret_seq) MUST_USE;
/* How many runs of a runbook are in that state? */
err store_run_count(struct store_conn *c, const struct uuid *runbook,
    uint8_t state, uint64_t *ret) MUST_USE;
/* The oldest one of it; E_NOT_FOUND. */
err store_run_first(struct store_conn *c, const struct uuid *runbook,
    uint8_t state, struct uuid *ret) MUST_USE;
/* Ids of runs that are due by now, at most max; *ret_n of them. */
err store_run_due(struct store_conn *c, int64_t now, struct uuid *ret,
    size_t max, size_t *ret_n) MUST_USE;
/* When the first of anything is due: run, happening, trigger; 0: nothing. */
err store_run_next_due(struct store_conn *c, int64_t *ret) MUST_USE;
/* Ids of runs of a project in a state, after seq; *ret_seq: of the last. */
err store_run_in_state(struct store_conn *c, uint32_t project, uint8_t state,
    uint64_t after, struct uuid *ret, size_t max, size_t *ret_n,
    uint64_t *ret_seq) MUST_USE;

/* Newest first. */
struct run_filter {
	uint32_t project;
	const struct uuid *runbook; /* or NULL */
	uint64_t incident;	    /* or 0 */
	uint64_t before;	    /* seq; 0: from the newest */
};
err store_run_list(struct store_conn *c, const struct run_filter *f, size_t max,
    struct arena *a, struct run_row **ret, size_t *ret_n) MUST_USE;

/* ---- what happened ---- */

struct happening_row {
	uint64_t seq;
	uint32_t project;
	int64_t due;
	struct sealed sealed;
	struct stored stored;
};
/* Assigns seq. */
err store_happening_add(struct store_conn *c, struct happening_row *r) MUST_USE;
err store_happening_last(struct store_conn *c, uint64_t *ret_seq) MUST_USE;
/* The first that is due by now; E_NOT_FOUND. */
err store_happening_due(struct store_conn *c, int64_t now, struct arena *a,
    struct happening_row *ret) MUST_USE;
err store_happening_delete(struct store_conn *c, uint64_t seq) MUST_USE;

/* ---- triggers ---- */

struct trigger_row {
	struct uuid trigger;
	int64_t due, last_fired, window, last_refused;
	uint32_t fired, refused;
	uint8_t reason;
};
/* E_NOT_FOUND: it has done nothing yet. */
err store_trigger_get(struct store_conn *c, const struct uuid *trigger,
    struct trigger_row *ret) MUST_USE;
err store_trigger_put(struct store_conn *c,
    const struct trigger_row *r) MUST_USE;
err store_trigger_delete(struct store_conn *c,
    const struct uuid *trigger) MUST_USE;
err store_trigger_due(struct store_conn *c, int64_t now, struct uuid *ret,
    size_t max, size_t *ret_n) MUST_USE;

#endif
