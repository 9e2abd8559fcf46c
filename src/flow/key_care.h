/*
 * key_care.h: what the server does for its class keys by itself: grants them
 * what they may seal, before they seal it, and gives a class a new term when
 * its key has sealed long enough or often enough for the policy.
 */
#ifndef FLOW_KEY_CARE_H
#define FLOW_KEY_CARE_H

#include "flow/state.h"
#include "seal/meter.h"

/* Granted at a time: more than any batch of the writer seals. */
extern const struct amount key_care_block;

/* What no key may pass is a limit of limits.def. */
err key_care_meters(struct meters **ret) MUST_USE;
/* First grants, when a store is opened for use.  A store that cannot be
 * written to leaves its keys without: they refuse until it can. */
err key_care_begin(struct lane *l) MUST_USE;
/* The end: nobody seals any more, so what was granted and not used need not
 * count. */
void key_care_end(struct lane *l);

/* Between two batches, in transactions of their own. */
void key_care_grant(struct lane *l);
/* A few keys at a time, from *at on. */
void key_care_renew(struct lane *l, int64_t now, size_t *at);

#endif
