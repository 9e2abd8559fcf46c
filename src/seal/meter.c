/* meter.c: see meter.h. */
#include "seal/meter.h"

#include <stdatomic.h>

#include "base/limits.h"
#include "base/mem.h"

/*
 * Open addressing with linear probing.  Only the writer puts numbers in or
 * takes them out, so a reader finds each that is there.  Whoever still holds
 * the meter of a key that was forgotten counts for the next one there: too
 * much, never too little.
 */
enum { SLOTS = 2 * LIM_KEY_METERS, NOBODY = 0, GONE = 1 };

_Static_assert((SLOTS & (SLOTS - 1)) == 0, "a power of two");

struct meter {
	_Atomic(uint64_t) key;		/* NOBODY, GONE, or the number + 2 */
	_Atomic(uint64_t) seals, bytes; /* before the start, too */
	_Atomic(uint64_t) seals_max, bytes_max;
	_Atomic(uint64_t) seals_low, bytes_low; /* from here on: due */
	struct meters *of;
};

struct meters {
	struct amount limit, block;
	atomic_bool due;
	size_t n;
	struct meter slot[SLOTS];
};

err
meters_new(const struct amount *limit, const struct amount *block,
    struct meters **ret)
{
	struct meters *m = mem_new(1, sizeof *m);

	if (m == NULL)
		return err_of(E_NO_MEMORY);
	m->limit = *limit;
	m->block = *block;
	*ret = m;
	return OK;
}

struct meters *
meters_free(struct meters *m)
{
	mem_free(m);
	return NULL;
}

static size_t
home(uint32_t id)
{
	return (size_t)((uint64_t)(id * UINT32_C(2654435769)) * SLOTS >> 32);
}

struct meter *
meters_find(struct meters *m, uint32_t id)
{
	size_t s = home(id);

	for (size_t i = 0; i < SLOTS; i++, s = (s + 1) % SLOTS) {
		uint64_t key =
		    atomic_load_explicit(&m->slot[s].key, memory_order_acquire);

		if (key == (uint64_t)id + 2)
			return &m->slot[s];
		if (key == NOBODY)
			break;
	}
	return NULL;
}

/* ---- grants ---- */

static struct meter *
take(struct meters *m, uint32_t id, const struct amount *used)
{
	size_t s = home(id);
	struct meter *k;

	if (m->n == LIM_KEY_METERS)
		return NULL;
	while (atomic_load(&m->slot[s].key) > GONE)
		s = (s + 1) % SLOTS;
	k = &m->slot[s];
	k->of = m;
	atomic_store(&k->seals_max, 0);
	atomic_store(&k->bytes_max, 0);
	atomic_store(&k->seals_low, 0);
	atomic_store(&k->bytes_low, 0);
	atomic_store(&k->seals, used->seals);
	atomic_store(&k->bytes, used->bytes);
	atomic_store_explicit(&k->key, (uint64_t)id + 2, memory_order_release);
	m->n++;
	return k;
}

err
meters_add(struct meters *m, uint32_t id, const struct amount *used)
{
	if (meters_find(m, id) != NULL || take(m, id, used) != NULL)
		return OK;
	return err_of(E_LIMIT);
}

static uint64_t
plan(uint64_t used, uint64_t block, uint64_t limit)
{
	return used >= limit || limit - used < block ? limit : used + block;
}

bool
meters_plan(struct meters *m, uint32_t id, struct amount *ret)
{
	struct amount used;

	if (!meters_used(m, id, &used))
		return false;
	ret->seals = plan(used.seals, m->block.seals, m->limit.seals);
	ret->bytes = plan(used.bytes, m->block.bytes, m->limit.bytes);
	return true;
}

/* At the limit there is nothing more to ask for. */
static uint64_t
half(uint64_t to, uint64_t block, uint64_t limit)
{
	return to >= limit ? UINT64_MAX : to - block / 2;
}

void
meters_give(struct meters *m, uint32_t id, const struct amount *to)
{
	struct meter *k = meters_find(m, id);

	if (k == NULL)
		return;
	atomic_store(&k->seals_low,
	    half(to->seals, m->block.seals, m->limit.seals));
	atomic_store(&k->bytes_low,
	    half(to->bytes, m->block.bytes, m->limit.bytes));
	atomic_store(&k->seals_max, to->seals);
	atomic_store(&k->bytes_max, to->bytes);
}

void
meters_forget(struct meters *m, uint32_t id)
{
	struct meter *k = meters_find(m, id);

	if (k == NULL)
		return;
	atomic_store(&k->key, GONE);
	m->n--;
}

static bool
low(const struct meter *k)
{
	return atomic_load_explicit(&k->seals, memory_order_relaxed) >=
	    atomic_load_explicit(&k->seals_low, memory_order_relaxed) ||
	    atomic_load_explicit(&k->bytes, memory_order_relaxed) >=
	    atomic_load_explicit(&k->bytes_low, memory_order_relaxed);
}

bool
meters_due(struct meters *m)
{
	return atomic_load_explicit(&m->due, memory_order_relaxed) &&
	    atomic_exchange(&m->due, false);
}

size_t
meters_low(struct meters *m, uint32_t *ret, size_t max)
{
	size_t n = 0;

	for (size_t s = 0; s < SLOTS; s++) {
		uint64_t key = atomic_load(&m->slot[s].key);

		if (key <= GONE || !low(&m->slot[s]))
			continue;
		if (n == max) {
			atomic_store(&m->due, true);
			break;
		}
		ret[n++] = (uint32_t)(key - 2);
	}
	return n;
}

bool
meters_used(struct meters *m, uint32_t id, struct amount *ret)
{
	const struct meter *k = meters_find(m, id);

	if (k == NULL)
		return false;
	ret->seals = atomic_load(&k->seals);
	ret->bytes = atomic_load(&k->bytes);
	return true;
}

/* ---- counting ---- */

err
meter_count(struct meter *m, size_t bytes)
{
	uint64_t seals =
	    atomic_fetch_add_explicit(&m->seals, 1, memory_order_relaxed) + 1;
	uint64_t sum =
	    atomic_fetch_add_explicit(&m->bytes, bytes, memory_order_relaxed) +
	    bytes;

	if (low(m))
		atomic_store_explicit(&m->of->due, true, memory_order_relaxed);
	if (seals <=
		atomic_load_explicit(&m->seals_max, memory_order_relaxed) &&
	    sum <= atomic_load_explicit(&m->bytes_max, memory_order_relaxed))
		return OK;
	return err_of(E_KEY_USED_UP);
}
