/*
 * retention.h: finding what is due, deleting it, and the rows that say what
 * was destroyed.  Everything here is found by an index.  The promises are
 * those of store.h.
 */
#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include "store/store.h"

/* A place in the order of what ended when. */
struct due_at {
	int64_t at;
	uint64_t seq;
};
/* Incidents closed, runs ended by `before`, the oldest first, behind *io,
 * which moves on. */
err store_incident_due(struct store_conn *c, uint32_t project, int64_t before,
    struct due_at *io, size_t max, struct arena *a, struct incident_row **ret,
    size_t *ret_n) MUST_USE;
struct run_due_row {
	uint64_t seq, incident;
	struct uuid id;
};
err store_run_over(struct store_conn *c, uint32_t project, int64_t before,
    struct due_at *io, size_t max, struct run_due_row *ret,
    size_t *ret_n) MUST_USE;
/* The ids of runs of an incident, at most max. */
err store_run_of(struct store_conn *c, uint64_t incident, struct uuid *ret,
    size_t max, size_t *ret_n) MUST_USE;

/* Delete; *io_rows counts what went. */
err store_incident_delete(struct store_conn *c, const struct incident_row *r,
    uint64_t *io_rows) MUST_USE;
err store_run_delete(struct store_conn *c, const struct uuid *run,
    uint64_t *io_rows) MUST_USE;
/* Its alerts become nobody's, or (drop) go; at most max, *ret of them. */
err store_alerts_leave(struct store_conn *c, uint64_t incident, bool drop,
    size_t max, uint64_t *ret) MUST_USE;

/* ---- rows by the key that seals them ---- */

/* ALERT, DELIVERY, RUN, HAPPENING, TASK, RUN_LOG, AUDIT, REPLY. */
err store_keyed_count(struct store_conn *c, enum seal_table table, uint32_t key,
    uint64_t *ret) MUST_USE;
/* Is there one? */
err store_keyed_any(struct store_conn *c, enum seal_table table, uint32_t key,
    bool *ret) MUST_USE;
/* At most max; *ret went.  Not for alerts. */
err store_keyed_delete(struct store_conn *c, enum seal_table table,
    uint32_t key, size_t max, uint64_t *ret) MUST_USE;
struct keyed_alert {
	uint64_t seq, incident;
	struct alert_id id;
	bool open;
};
err store_keyed_alerts(struct store_conn *c, uint32_t key, uint64_t after,
    size_t max, struct keyed_alert *ret, size_t *ret_n) MUST_USE;
err store_alert_delete(struct store_conn *c, uint64_t seq) MUST_USE;

/* ---- what was destroyed ---- */

struct destruction_row {
	uint64_t seq; /* of the log's entry */
	int64_t time;
	uint8_t class;
	uint32_t project;
	uint64_t units;
	struct sealed sealed; /* table DESTRUCTION, pk = seq; project 0 */
	struct stored stored;
};
err store_destruction_put(struct store_conn *c,
    const struct destruction_row *r) MUST_USE;
/* From the oldest on, behind `after`, in [from, to); to 0: open. */
err store_destructions(struct store_conn *c, int64_t from, int64_t to,
    uint64_t after, size_t max, struct arena *a, struct destruction_row **ret,
    size_t *ret_n) MUST_USE;

#endif
