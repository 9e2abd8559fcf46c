/*
 * meter.h: how much each class key has sealed, by all threads together.
 *
 * A key seals only what it was granted: the writer puts a grant into the
 * store before it gives it here, so what the store says is never less than
 * what was sealed, whatever crashes.  Beyond its grant a key refuses, and
 * nobody grants beyond the limits (doc/PROTOCOL.seal, 8).
 *
 * Counting is any thread's; all else is the writer's.
 */
#ifndef SEAL_METER_H
#define SEAL_METER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct amount {
	uint64_t seals, bytes;
};

struct meters; /* of one store */
struct meter;  /* of one key */

/* What no key may ever pass, and how much is granted at a time. */
err meters_new(const struct amount *limit, const struct amount *block,
    struct meters **ret) MUST_USE;
struct meters *meters_free(struct meters *m);

/* A key that was used for `used` before, as the store says.  It has no grant
 * yet; known already: nothing changes.  E_LIMIT: too many keys. */
err meters_add(struct meters *m, uint32_t id,
    const struct amount *used) MUST_USE;
/* What the store must say before the key may seal a block more, as far as the
 * limits go. False: not known. */
bool meters_plan(struct meters *m, uint32_t id, struct amount *ret);
/* The store says so, durably. */
void meters_give(struct meters *m, uint32_t id, const struct amount *to);
/* The key seals no more. */
void meters_forget(struct meters *m, uint32_t id);
/* Is some key past half of its last grant? Says so once for each grant. */
bool meters_due(struct meters *m);
/* Those, at most max, by number; the others stay due. */
size_t meters_low(struct meters *m, uint32_t *ret, size_t max);
/* What a key has sealed so far, at most: with what it had at the start.
 * False: not known here.  Any thread. */
bool meters_used(struct meters *m, uint32_t id, struct amount *ret);

/* Of a key that is to seal; NULL: not known, it must not. */
struct meter *meters_find(struct meters *m, uint32_t id);
/* One more, of so many bytes.  E_KEY_USED_UP when that was not granted. */
err meter_count(struct meter *m, size_t bytes) MUST_USE;

#endif
