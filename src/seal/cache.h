/*
 * cache.h: the unwrapped data keys of one thread, at most LIM_KEY_CACHE of
 * them; the one not used for longest makes room.  Keys stay where they are
 * until dropped or evicted, so a pointer outlives LIM_KEY_CACHE - 1 other
 * keys.
 */
#ifndef SEAL_CACHE_H
#define SEAL_CACHE_H

#include "base/limits.h"
#include "seal/key.h"

enum {
	CACHE_KEYS = LIM_KEY_CACHE,
	CACHE_SLOTS = 2 * CACHE_KEYS, /* never more than half full */
	CACHE_NONE = UINT16_MAX,
};

struct cache_entry {
	struct data_key key;
	uint16_t newer, older; /* indexes into entry, or CACHE_NONE */
};

struct key_cache {
	uint16_t newest, oldest;
	uint16_t unused;	    /* free entries, linked by older */
	uint16_t fresh;		    /* entries from here on were never used */
	uint16_t slot[CACHE_SLOTS]; /* entry index + 1, 0 = empty */
	struct cache_entry entry[CACHE_KEYS];
};

void cache_init(struct key_cache *c);
/* Drops all keys. */
void cache_done(struct key_cache *c);
/* NULL when absent; what is found becomes the newest. */
const struct data_key *cache_find(struct key_cache *c, uint32_t id);
/* Takes the secret and gives a serial; the id must be absent. */
const struct data_key *cache_add(struct key_cache *c, const struct data_key *k);
/* Wipes the key; absent is fine. */
void cache_drop(struct key_cache *c, uint32_t id);

#endif
