/*
 * key_use.h: how much class keys have sealed, and which keys of subjects
 * follow which while all is encrypted anew.  See store.h for what all
 * functions have in common.
 */
#ifndef STORE_KEY_USE_H
#define STORE_KEY_USE_H

#include "store/store.h"

struct key_use_row {
	uint32_t id;
	int64_t since;	       /* it seals, ms */
	uint64_t seals, bytes; /* granted: it has sealed no more */
};
err store_key_use_put(struct store_conn *c,
    const struct key_use_row *r) MUST_USE; /* insert or replace */
/* E_NOT_FOUND: no class key, or gone. */
err store_key_use_get(struct store_conn *c, uint32_t id,
    struct key_use_row *ret) MUST_USE;

/* `id` is what the subject of `old` is sealed under from now on. */
err store_key_renew(struct store_conn *c, uint32_t old, uint32_t id) MUST_USE;
/* The one that follows, and the one before; E_NOT_FOUND. */
err store_key_renewed(struct store_conn *c, uint32_t old,
    uint32_t *ret) MUST_USE;
err store_key_before(struct store_conn *c, uint32_t id, uint32_t *ret) MUST_USE;
/* The next that were followed by others, at most max. */
err store_key_renewals(struct store_conn *c, uint32_t after, size_t max,
    struct arena *a, uint32_t **ret, size_t *ret_n) MUST_USE;

#endif
