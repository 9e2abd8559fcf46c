#include "seal/cache.h"

#include "base/mem.h"
#include "seal/engine.h"

_Static_assert((CACHE_SLOTS & (CACHE_SLOTS - 1)) == 0, "a power of two");
_Static_assert(CACHE_KEYS < CACHE_NONE, "indexes fit");

void
cache_init(struct key_cache *c)
{
	c->newest = c->oldest = c->unused = CACHE_NONE;
	c->fresh = 0;
	memset(c->slot, 0, sizeof c->slot);
}

/* ---- the hash: open addressing, linear probing ---- */

/* Multiplicative (Knuth, 6.4): the high bits, those that every bit of id
 * reaches; numbers in a row land far apart. */
static size_t
home(uint32_t id)
{
	return (
	    size_t)((uint64_t)(id * UINT32_C(2654435769)) * CACHE_SLOTS >> 32);
}

static size_t
next(size_t slot)
{
	return (slot + 1) % CACHE_SLOTS;
}

/* Where id is, or the empty slot where it would be. */
static size_t
probe(const struct key_cache *c, uint32_t id)
{
	size_t s = home(id);

	while (c->slot[s] != 0 && c->entry[c->slot[s] - 1].key.id != id)
		s = next(s);
	return s;
}

/* Empty a slot and move back those that were pushed behind it. */
static void
slot_clear(struct key_cache *c, size_t hole)
{
	size_t s = hole;

	for (;;) {
		size_t want;

		s = next(s);
		if (c->slot[s] == 0)
			break;
		want = home(c->entry[c->slot[s] - 1].key.id);
		/* May the one at s stand in the hole: is want not after it? */
		if ((s - want) % CACHE_SLOTS >= (s - hole) % CACHE_SLOTS) {
			c->slot[hole] = c->slot[s];
			hole = s;
		}
	}
	c->slot[hole] = 0;
}

/* ---- the order of use ---- */

static void
order_remove(struct key_cache *c, uint16_t i)
{
	struct cache_entry *e = &c->entry[i];

	if (e->newer == CACHE_NONE)
		c->newest = e->older;
	else
		c->entry[e->newer].older = e->older;
	if (e->older == CACHE_NONE)
		c->oldest = e->newer;
	else
		c->entry[e->older].newer = e->newer;
}

static void
order_add(struct key_cache *c, uint16_t i)
{
	struct cache_entry *e = &c->entry[i];

	e->newer = CACHE_NONE;
	e->older = c->newest;
	if (c->newest == CACHE_NONE)
		c->oldest = i;
	else
		c->entry[c->newest].newer = i;
	c->newest = i;
}

const struct data_key *
cache_find(struct key_cache *c, uint32_t id)
{
	uint16_t at = c->slot[probe(c, id)];

	if (at == 0)
		return NULL;
	at--;
	if (c->newest != at) {
		order_remove(c, at);
		order_add(c, at);
	}
	return &c->entry[at].key;
}

static void
drop_at(struct key_cache *c, size_t slot)
{
	uint16_t i = (uint16_t)(c->slot[slot] - 1);
	struct cache_entry *e = &c->entry[i];

	slot_clear(c, slot);
	order_remove(c, i);
	engine_forget(&e->key);
	e->key.secret = secret_free(e->key.secret);
	e->older = c->unused;
	c->unused = i;
}

static uint16_t
entry_take(struct key_cache *c)
{
	uint16_t i;

	if (c->unused == CACHE_NONE && c->fresh < CACHE_KEYS)
		return c->fresh++;
	if (c->unused == CACHE_NONE)
		drop_at(c, probe(c, c->entry[c->oldest].key.id));
	i = c->unused;
	c->unused = c->entry[i].older;
	return i;
}

const struct data_key *
cache_add(struct key_cache *c, const struct data_key *k)
{
	uint16_t i = entry_take(c);
	size_t slot = probe(c, k->id);
	struct cache_entry *e = &c->entry[i];

	BUG_ON(c->slot[slot] != 0);
	c->slot[slot] = (uint16_t)(i + 1);
	e->key = *k;
	e->key.serial = key_serial();
	order_add(c, i);
	return &e->key;
}

void
cache_drop(struct key_cache *c, uint32_t id)
{
	size_t slot = probe(c, id);

	if (c->slot[slot] != 0)
		drop_at(c, slot);
}

void
cache_done(struct key_cache *c)
{
	while (c->newest != CACHE_NONE)
		drop_at(c, probe(c, c->entry[c->newest].key.id));
}
