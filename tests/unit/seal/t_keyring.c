#include "base/limits.h"
#include "base/rand.h"
#include "tests/t.h"
#include "tests/unit/seal/help.h"

/* A store of wrapped keys; index = id - 1. */
enum { KEYS = LIM_KEY_CACHE + 1000 };

static struct {
	struct wrapped_key key[KEYS + 1];
	bool gone[KEYS + 1];
	struct arena arena;
	int loads;
} store;

/* A bijection without pattern, so that hashes collide. */
static uint32_t
scatter(uint32_t i)
{
	return i * UINT32_C(2246822519);
}

static err
load_scattered(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	uint32_t i = id * UINT32_C(3066638151);

	T_OK(ctx == &store);
	store.loads++;
	if (scatter(i) != id || i < 1 || i > KEYS)
		return err_of(E_NOT_FOUND);
	*ret = store.key[i];
	ret->stored.bytes = arena_dup(a, ret->wrapped.bytes);
	return OK;
}

static err
load(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	T_OK(ctx == &store);
	store.loads++;
	if (id == 0 || id > KEYS || store.gone[id] || store.key[id].id == 0)
		return err_of(E_NOT_FOUND);
	*ret = store.key[id];
	ret->stored.bytes = arena_dup(a, ret->wrapped.bytes);
	ret->wrapped.bytes = STR_NONE;
	return OK;
}

static struct project_keys *
new_keys(void)
{
	struct project_keys *pk = project_keys_new();
	uint8_t key[SECRET_SIZE];

	for (uint32_t p = 0; p < 3; p++) {
		rand_bytes(key, sizeof key);
		T_GOOD(project_keys_add(pk, p, 1, key));
	}
	return pk;
}

static struct keyring *
new_ring(struct project_keys *pk)
{
	struct keyring *r = NULL;

	T_GOOD(keyring_new(pk, load, &store, &r));
	return r;
}

static struct keyring *
begin(void)
{
	struct project_keys *pk = new_keys();
	struct keyring *r;

	memset(&store, 0, sizeof store);
	arena_init(&store.arena, 64 << 20);
	r = new_ring(pk);
	project_keys_unref(pk);
	return r;
}

static void
finish(struct keyring *r)
{
	keyring_free(r);
	arena_done(&store.arena);
}

static const struct data_key *
make(struct keyring *r, uint32_t id, uint32_t project)
{
	const struct data_key *k = NULL;

	T_GOOD(keyring_make(r, id, project, SEAL_CLASS_OBJECT, NULL, 1,
	    &store.arena, &store.key[id], &k));
	return k;
}

static struct stored
sealed_under(const struct data_key *k)
{
	struct seal_where w = {.table = SEAL_TABLE_OBJECT, .schema = 1};
	struct sealed s = {STR_NONE};

	T_GOOD(seal_close(k, &w, STR("text"), &store.arena, &s));
	return help_stored(s);
}

static err
opens(struct keyring *r, struct stored s)
{
	struct seal_where w = {.table = SEAL_TABLE_OBJECT, .schema = 1};
	struct str back = STR_NONE;
	err e = keyring_open(r, &w, s, &store.arena, &back);

	if (err_ok(e))
		T_EQ_STR(back, STR("text"));
	return e;
}

TEST(made_then_found_elsewhere)
{
	struct keyring *r = begin(), *other;
	struct project_keys *pk = new_keys();
	struct stored s = sealed_under(make(r, 5, 1));

	T_GOOD(opens(r, s));
	T_EQ_INT(store.loads, 0);
	T_EQ_INT(store.key[5].wrapped.bytes.n, 112);
	T_EQ_INT(store.key[5].version, 1);
	/* Another thread has the same project keys, another server has not. */
	keyring_forget(r, 5);
	T_GOOD(opens(r, s));
	T_GOOD(opens(r, s));
	T_EQ_INT(store.loads, 1);
	other = new_ring(pk);
	T_ERR(opens(other, s), E_WRONG_KEY);
	keyring_free(other);
	project_keys_unref(pk);
	finish(r);
}

TEST(all_random)
{
	struct keyring *r = begin();
	const struct data_key *a = make(r, 1, 1), *b = make(r, 2, 1);

	T_OK(!ct_eq(secret_view(a->secret), secret_view(b->secret), 32));
	finish(r);
}

TEST(destroyed_is_gone)
{
	struct keyring *r = begin();
	struct stored s = sealed_under(make(r, 5, 1));

	store.gone[5] = true;
	keyring_forget(r, 5);
	keyring_forget(r, 5);
	T_ERR(opens(r, s), E_NOT_FOUND);
	finish(r);
}

TEST(number_in_use)
{
	struct keyring *r = begin();
	const struct data_key *k = make(r, 5, 1);
	struct wrapped_key w;

	T_ERR(keyring_make(r, 5, 1, SEAL_CLASS_OBJECT, NULL, 1, &store.arena,
		  &w, &k),
	    E_EXISTS);
	/* After a rollback the number is free again. */
	keyring_forget(r, 5);
	make(r, 5, 1);
	finish(r);
}

TEST(unknown_project)
{
	struct keyring *r = begin();
	const struct data_key *k;
	struct wrapped_key w;
	struct stored s = sealed_under(make(r, 5, 2));
	struct project_keys *none = project_keys_new();

	T_ERR(keyring_make(r, 6, 77, SEAL_CLASS_OBJECT, NULL, 1, &store.arena,
		  &w, &k),
	    E_SEALED);
	keyring_rekey(r, none);
	T_GOOD(opens(r, s)); /* cached keys stay */
	keyring_forget(r, 5);
	T_ERR(opens(r, s), E_SEALED);
	project_keys_unref(none);
	finish(r);
}

#define CHANGED(what)                                                          \
	do {                                                                   \
		struct wrapped_key good = store.key[5];                        \
		struct wrapped_key *k = &store.key[5];                         \
		const struct data_key *none;                                   \
		what;                                                          \
		T_ERR(keyring_get(r, 5, &none), E_CORRUPT);                    \
		store.key[5] = good;                                           \
	} while (0)

/* Whoever writes the table cannot make a key into another. */
TEST(row_of_a_key_is_bound)
{
	struct keyring *r = begin();
	const struct data_key *got;

	make(r, 5, 1);
	make(r, 6, 1);
	keyring_forget(r, 5);
	CHANGED(k->class = SEAL_CLASS_INDEX);
	CHANGED(k->term = 2);
	CHANGED(k->subject.b[3] = 1);
	CHANGED(k->id = 6);
	CHANGED(*k = store.key[6]);
	CHANGED(*k = store.key[6]; k->id = 5);
	CHANGED(k->wrapped.bytes.n--);
	store.key[5].project = 2;
	T_ERR(keyring_get(r, 5, &got), E_WRONG_KEY);
	store.key[5].project = 1;
	T_GOOD(keyring_get(r, 5, &got));
	finish(r);
}

TEST(project_key_rotation)
{
	struct keyring *r = begin();
	struct project_keys *pk = new_keys(), *newer;
	uint8_t key[SECRET_SIZE];
	struct stored s, t;
	struct wrapped_key again;

	keyring_rekey(r, pk);
	s = sealed_under(make(r, 5, 1));
	newer = project_keys_clone(pk);
	rand_bytes(key, sizeof key);
	T_GOOD(project_keys_add(newer, 1, 2, key));
	keyring_rekey(r, newer);
	T_EQ_INT(project_keys_latest(newer, 1), 2);
	T_EQ_INT(project_keys_latest(pk, 1), 1);
	t = sealed_under(make(r, 6, 1));
	T_EQ_INT(store.key[6].version, 2);

	T_GOOD(keyring_rewrap(r, &store.key[5], &store.arena, &again));
	T_EQ_INT(again.version, 2);
	T_EQ_INT(again.id, 5);
	store.key[5] = again;
	/* The old version can now be removed. */
	project_keys_unref(pk);
	pk = project_keys_clone(newer);
	project_keys_remove(pk, 1, 1);
	project_keys_remove(pk, 1, 1);
	keyring_rekey(r, pk);
	keyring_forget(r, 5);
	keyring_forget(r, 6);
	T_GOOD(opens(r, s));
	T_GOOD(opens(r, t));
	project_keys_unref(pk);
	project_keys_unref(newer);
	finish(r);
}

TEST(rewrap_needs_the_old_key)
{
	struct keyring *r = begin();
	struct project_keys *pk = new_keys();
	struct wrapped_key again = {.id = 99};

	make(r, 5, 1);
	keyring_rekey(r, pk);
	T_ERR(keyring_rewrap(r, &store.key[5], &store.arena, &again),
	    E_WRONG_KEY);
	T_EQ_INT(again.id, 99);
	project_keys_unref(pk);
	finish(r);
}

/* ---- the cache ---- */

TEST(bounded_and_least_recent_leaves)
{
	struct keyring *r = begin();
	const struct data_key *k, *first;

	first = make(r, 1, 1);
	for (uint32_t id = 2; id <= KEYS; id++) {
		make(r, id, 1);
		if (id % 100 == 0) {
			T_GOOD(keyring_get(r, 1, &k)); /* keep it in use */
			T_OK(k == first);
			T_EQ_INT(data_key_id(k), 1);
		}
	}
	T_EQ_INT(store.loads, 0);
	/* 1 and the newest LIM_KEY_CACHE - 1 are there, the others are not. */
	for (uint32_t id = KEYS - LIM_KEY_CACHE + 2; id <= KEYS; id++)
		T_GOOD(keyring_get(r, id, &k));
	T_EQ_INT(store.loads, 0);
	T_GOOD(keyring_get(r, KEYS - LIM_KEY_CACHE + 1, &k));
	T_EQ_INT(store.loads, 1);
	T_GOOD(keyring_get(r, 1, &k)); /* it was the oldest by then */
	T_EQ_INT(store.loads, 2);
	finish(r);
}

TEST(several_may_be_held)
{
	struct keyring *r = begin();
	const struct data_key *held[16], *k;

	for (uint32_t id = 1; id <= KEYS; id++)
		make(r, id, 1);
	for (uint32_t i = 0; i < 16; i++)
		T_GOOD(keyring_get(r, i + 1, &held[i]));
	for (uint32_t id = 100; id < 1100; id++)
		T_GOOD(keyring_get(r, id, &k));
	for (uint32_t i = 0; i < 16; i++)
		T_EQ_INT(data_key_id(held[i]), i + 1);
	finish(r);
}

/* Against a list that is plainly right. */
struct model {
	uint32_t id[LIM_KEY_CACHE]; /* newest first */
	size_t n;
};

static bool
model_drop(struct model *m, uint32_t id)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->id[i] != id)
			continue;
		m->n--;
		memmove(m->id + i, m->id + i + 1, (m->n - i) * sizeof m->id[0]);
		return true;
	}
	return false;
}

static void
model_put(struct model *m, uint32_t id)
{
	if (m->n == LIM_KEY_CACHE)
		m->n--;
	memmove(m->id + 1, m->id, m->n * sizeof m->id[0]);
	m->id[0] = id;
	m->n++;
}

TEST(cache_like_the_model)
{
	struct project_keys *pk = new_keys();
	struct keyring *r = begin(), *m_ring = NULL;
	static struct model m;
	uint32_t x = 12345;

	T_GOOD(keyring_new(pk, load_scattered, &store, &m_ring));
	for (uint32_t i = 1; i <= KEYS; i++) {
		const struct data_key *k;

		T_GOOD(keyring_make(m_ring, scatter(i), 1, SEAL_CLASS_OBJECT,
		    NULL, 1, &store.arena, &store.key[i], &k));
		keyring_forget(m_ring, scatter(i));
	}
	for (int i = 0; i < 60000; i++) {
		const struct data_key *k = NULL;
		int loads = store.loads;
		uint32_t id;

		x = x * 1664525 + 1013904223;
		id = scatter((x >> 8) % KEYS + 1);
		if (x >> 29 == 0) {
			keyring_forget(m_ring, id);
			model_drop(&m, id);
			continue;
		}
		T_GOOD(keyring_get(m_ring, id, &k));
		T_EQ_INT(data_key_id(k), id);
		T_EQ_INT(store.loads == loads, model_drop(&m, id));
		model_put(&m, id);
	}
	T_OK(m.n > LIM_KEY_CACHE - 50); /* it was full most of the time */
	keyring_free(m_ring);
	project_keys_unref(pk);
	finish(r);
}

/* ---- project keys ---- */

TEST(project_keys_sorted_any_order)
{
	struct project_keys *pk = project_keys_new();
	uint8_t key[SECRET_SIZE] = {0};

	for (uint32_t i = 0; i < 400; i++) {
		uint32_t p = i * 7 % 20, v = i * 13 % 20 + 1;

		key[0] = (uint8_t)p, key[1] = (uint8_t)v;
		if (project_keys_find(pk, p, v) == NULL)
			T_GOOD(project_keys_add(pk, p, v, key));
		T_ERR(project_keys_add(pk, p, v, key), E_EXISTS);
	}
	for (uint32_t p = 0; p < 20; p++) {
		uint32_t latest = 0;

		for (uint32_t v = 1; v <= 20; v++) {
			struct secret *s = project_keys_find(pk, p, v);

			if (s == NULL)
				continue;
			latest = v;
			T_EQ_INT(secret_view(s)[0], p);
			T_EQ_INT(secret_view(s)[1], v);
		}
		T_EQ_INT(project_keys_latest(pk, p), latest);
	}
	T_EQ_INT(project_keys_latest(pk, 20), 0);
	T_OK(project_keys_find(pk, 20, 1) == NULL);
	T_GOOD(project_keys_add(pk, 3, UINT32_MAX, key));
	T_EQ_INT(project_keys_latest(pk, 3), UINT32_MAX);
	T_EQ_INT(project_keys_latest(pk, 2) < 21, 1);
	T_OK(project_keys_unref(project_keys_ref(pk)) == NULL);
	T_EQ_INT(project_keys_latest(pk, 3), UINT32_MAX);
	project_keys_unref(pk);
}

TEST(project_keys_bounded)
{
	struct project_keys *pk = project_keys_new();
	uint8_t key[SECRET_SIZE] = {0};
	uint32_t n = LIM_PROJECTS * 16;

	for (uint32_t v = 1; v <= n; v++)
		T_GOOD(project_keys_add(pk, 1, v, key));
	T_ERR(project_keys_add(pk, 1, n + 1, key), E_LIMIT);
	project_keys_unref(pk);
}

T_MAIN
