/*
 * keyring.h: the keys a thread can use.
 *
 * Project keys are unwrapped by the keeper once and shared, immutable, by
 * all threads (`struct project_keys`, a snapshot).  Data keys are unwrapped
 * with them here, on demand, and cached per thread in locked memory, so no
 * lock is taken on the request path.  A keyring belongs to one thread.
 */
#ifndef SEAL_KEYRING_H
#define SEAL_KEYRING_H

#include "seal/seal.h"

/* ---- project keys (key-encryption keys) ---- */

/* One version of one project's key.  version counts from 1; the highest
 * version wraps new data keys.  project 0 is the organization. */
struct project_keys; /* immutable once published; reference counted */

struct project_keys *project_keys_new(void);
/* Copies 32 bytes of key into a secret. E_EXISTS for a known version;
 * E_LIMIT when there are 16 keys for each of LIM_PROJECTS. Only before the
 * snapshot is published. */
err project_keys_add(struct project_keys *pk, uint32_t project,
    uint32_t version, const uint8_t key[SECRET_SIZE]) MUST_USE;
/* Forget a version that wraps nothing any more; also unpublished only. */
void project_keys_remove(struct project_keys *pk, uint32_t project,
    uint32_t version);
struct project_keys *project_keys_ref(struct project_keys *pk);
struct project_keys *project_keys_unref(struct project_keys *pk);
/* A deep copy to add to; NULL on memory. */
struct project_keys *project_keys_clone(const struct project_keys *pk);
/* The highest version, 0 when the project has no key. */
uint32_t project_keys_latest(const struct project_keys *pk, uint32_t project);

/* ---- data keys ---- */

/* A data key as the store keeps it. */
struct wrapped_key {
	uint32_t id; /* primary key, assigned by the store */
	uint32_t project;
	uint32_t version;    /* of the project key that wraps it */
	uint8_t class;	     /* enum seal_class */
	struct uuid subject; /* zero when the key is a class key */
	uint64_t term;	     /* class keys: 1, 2, ... the newest seals */
	struct sealed wrapped;
	struct stored stored; /* set instead of `wrapped` when read back */
};

struct keyring;

/* How a keyring finds a wrapped key it does not know: ctx is the caller's
 * store connection.  E_NOT_FOUND means destroyed: the data is gone. */
typedef err (*keyring_load)(void *ctx, uint32_t id, struct arena *a,
    struct wrapped_key *ret);

err keyring_new(struct project_keys *pk, keyring_load load, void *ctx,
    struct keyring **ret) MUST_USE;
struct keyring *keyring_free(struct keyring *r);
/* Class keys that are got or made from now on are metered there; without, no
 * key is.  m outlives the keyring. */
struct meters;
void keyring_meter(struct keyring *r, struct meters *m);
struct meters *keyring_meters(const struct keyring *r);
/* Swap in a newer snapshot; takes its own reference. Cached data keys
 * stay valid. */
void keyring_rekey(struct keyring *r, struct project_keys *pk);
/* Forget all cached keys, as keyring_forget does one. */
void keyring_clear(struct keyring *r);
/* Forget a cached key: it was destroyed or is about to be, or it was made in
 * a transaction that was rolled back. Wipes it, also from this thread's
 * cipher state. */
void keyring_forget(struct keyring *r, uint32_t id);

/*
 * Make a random data key with number `id`, wrapped under the newest key of
 * the project, and cache it.  *ret_wrapped is for the store; it lives in a.
 * subject NULL: a class key.  E_SEALED when no key of the project is known,
 * E_EXISTS when id is in the cache, E_LIMIT when it is 0: all are given.
 */
err keyring_make(struct keyring *r, uint32_t id, uint32_t project,
    enum seal_class class, const struct uuid *subject, uint64_t term,
    struct arena *a, struct wrapped_key *ret_wrapped,
    const struct data_key **ret) MUST_USE;

/*
 * The key numbered id, from the cache or loaded and unwrapped.  Such a
 * pointer (and that of keyring_make) is good until the key is forgotten or
 * LIM_KEY_CACHE - 1 other keys have been got or made: a caller may hold any
 * handful at once, but nothing beyond its request.  E_NOT_FOUND: destroyed;
 * E_SEALED: the snapshot lacks the project key; E_WRONG_KEY or E_CORRUPT:
 * the stored key is not the one that was wrapped.
 */
err keyring_get(struct keyring *r, uint32_t id,
    const struct data_key **ret) MUST_USE;

/* Re-wrap a data key under the newest project key, for rotation; the data
 * key stays the same. Reads old->stored, or old->wrapped when that is unset. */
err keyring_rewrap(struct keyring *r, const struct wrapped_key *old,
    struct arena *a, struct wrapped_key *ret) MUST_USE;

/* Convenience: find the blob's key, then seal_open. */
err keyring_open(struct keyring *r, const struct seal_where *w, struct stored s,
    struct arena *a, struct str *ret) MUST_USE;

#endif
