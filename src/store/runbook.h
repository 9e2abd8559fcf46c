/*
 * runbook.h: versions of runbooks in the store.  See store.h for what all
 * functions have in common.
 */
#ifndef STORE_RUNBOOK_H
#define STORE_RUNBOOK_H

#include "store/store.h"

struct version_row {
	uint64_t seq;	/* assigned by caller */
	struct uuid id; /* of the row; what its blob is sealed for */
	uint32_t project;
	struct uuid runbook;
	uint32_t n; /* 1, 2, ... of the runbook */
	uint8_t state;
	int64_t created;
	struct sealed sealed;
	struct stored stored;
};
err store_version_insert(struct store_conn *c,
    const struct version_row *r) MUST_USE;
/* Its state and blob, found by seq. */
err store_version_update(struct store_conn *c,
    const struct version_row *r) MUST_USE;
err store_version_get(struct store_conn *c, const struct uuid *runbook,
    uint32_t n, struct arena *a, struct version_row *ret) MUST_USE;
/* All of a runbook; fine when there is none. */
err store_version_delete(struct store_conn *c,
    const struct uuid *runbook) MUST_USE;
/* The highest seq; 0 when there is none. */
err store_version_last(struct store_conn *c, uint64_t *ret) MUST_USE;

#endif
