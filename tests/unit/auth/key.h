/* key.h: MAC keys for tests, made as the server makes them. */
#ifndef TESTS_AUTH_KEY_H
#define TESTS_AUTH_KEY_H

#include "seal/keyring.h"
#include "tests/t.h"

struct ring {
	struct arena a;
	struct project_keys *pk;
	struct keyring *ring;
	const struct data_key *key, *other;
};

static inline err
ring_load(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	(void)ctx, (void)id, (void)a, (void)ret;
	return err_of(E_NOT_FOUND);
}

static inline void
ring_must(err e)
{
	if (err_ok(e))
		return;
	printf("# ring: %s\n", err_name(e));
	abort();
}

static inline void
ring_open(struct ring *r)
{
	static const uint8_t root[SECRET_SIZE] = {1, 2, 3};
	struct wrapped_key wrapped;
	struct uuid none = {{0}};

	arena_init(&r->a, 1 << 20);
	r->pk = project_keys_new();
	ring_must(project_keys_add(r->pk, 0, 1, root));
	ring_must(keyring_new(r->pk, ring_load, NULL, &r->ring));
	ring_must(keyring_make(r->ring, 7, 0, SEAL_CLASS_TOKEN, &none, 1, &r->a,
	    &wrapped, &r->key));
	ring_must(keyring_make(r->ring, 8, 0, SEAL_CLASS_TOKEN, &none, 2, &r->a,
	    &wrapped, &r->other));
	ring_must(keyring_get(r->ring, 7, &r->key));
}

static inline void
ring_close(struct ring *r)
{
	keyring_free(r->ring);
	project_keys_unref(r->pk);
	arena_done(&r->a);
}

#endif
