/*
 * A key seals what it was granted, not once more, and what the store says is
 * never less than what was sealed.
 */
#include <pthread.h>

#include "base/limits.h"
#include "base/rand.h"
#include "seal/meter.h"
#include "tests/t.h"
#include "tests/unit/seal/help.h"

static const struct amount none = {0, 0};

static struct meters *
open_meters(uint64_t limit, uint64_t block)
{
	struct amount most = {limit, limit * 100}, each = {block, block * 100};
	struct meters *m = NULL;

	T_GOOD(meters_new(&most, &each, &m));
	return m;
}

static void
grant(struct meters *m, uint32_t id, struct amount *ret)
{
	T_REQUIRE(meters_plan(m, id, ret));
	meters_give(m, id, ret);
}

TEST(nothing_before_a_grant)
{
	struct meters *m = open_meters(100, 10);
	struct amount to;

	T_OK(meters_find(m, 7) == NULL);
	T_OK(!meters_plan(m, 7, &to));
	T_GOOD(meters_add(m, 7, &none));
	T_ERR(meter_count(meters_find(m, 7), 1), E_KEY_USED_UP);
	T_OK(meters_due(m));
	(void)meters_free(m);
}

TEST(so_often_and_not_once_more)
{
	struct meters *m = open_meters(24, 10);
	struct amount to, used;
	uint32_t low[2];

	T_GOOD(meters_add(m, 1, &none));
	grant(m, 1, &to);
	T_EQ_INT(to.seals, 10);
	T_EQ_INT(to.bytes, 1000);
	for (int i = 0; i < 4; i++)
		T_GOOD(meter_count(meters_find(m, 1), 1));
	T_OK(!meters_due(m));
	T_EQ_INT(meters_low(m, low, 2), 0);
	T_GOOD(meter_count(meters_find(m, 1), 1));
	T_OK(meters_due(m)); /* half of it is used */
	T_OK(!meters_due(m));
	T_EQ_INT(meters_low(m, low, 2), 1);
	T_EQ_INT(low[0], 1);
	for (int i = 0; i < 5; i++)
		T_GOOD(meter_count(meters_find(m, 1), 1));
	T_ERR(meter_count(meters_find(m, 1), 1), E_KEY_USED_UP);
	/* what was refused counts: too much is said, never too little */
	grant(m, 1, &to);
	T_EQ_INT(to.seals, 21);
	for (int i = 0; i < 10; i++)
		T_GOOD(meter_count(meters_find(m, 1), 1));
	T_ERR(meter_count(meters_find(m, 1), 1), E_KEY_USED_UP);
	grant(m, 1, &to);
	T_EQ_INT(to.seals, 24); /* nobody goes beyond the limit */
	for (int i = 0; i < 2; i++)
		T_GOOD(meter_count(meters_find(m, 1), 1));
	T_ERR(meter_count(meters_find(m, 1), 1), E_KEY_USED_UP);
	grant(m, 1, &to);
	T_EQ_INT(to.seals, 24);
	T_ERR(meter_count(meters_find(m, 1), 1), E_KEY_USED_UP);
	T_OK(meters_used(m, 1, &used));
	T_OK(used.seals >= 24);
	(void)meters_free(m);
}

TEST(bytes_count_too)
{
	struct meters *m = open_meters(100, 10);
	struct amount to;

	T_GOOD(meters_add(m, 1, &none));
	grant(m, 1, &to);
	T_GOOD(meter_count(meters_find(m, 1), 999));
	T_GOOD(meter_count(meters_find(m, 1), 1));
	T_ERR(meter_count(meters_find(m, 1), 1), E_KEY_USED_UP);
	(void)meters_free(m);
}

TEST(a_start_goes_on_where_the_store_says)
{
	struct meters *m = open_meters(100, 10);
	struct amount used = {95, 9000}, to;

	T_GOOD(meters_add(m, 3, &used));
	grant(m, 3, &to);
	T_EQ_INT(to.seals, 100);
	T_EQ_INT(to.bytes, 10000);
	for (int i = 0; i < 5; i++)
		T_GOOD(meter_count(meters_find(m, 3), 1));
	T_ERR(meter_count(meters_find(m, 3), 1), E_KEY_USED_UP);
	(void)meters_free(m);
}

TEST(many_keys_come_and_go)
{
	struct meters *m = open_meters(100, 10);
	struct amount to;

	for (uint32_t i = 1; i <= LIM_KEY_METERS; i++)
		T_GOOD(meters_add(m, i * 4096, &none));
	T_ERR(meters_add(m, 5, &none), E_LIMIT);
	for (uint32_t i = 1; i <= LIM_KEY_METERS; i += 2)
		meters_forget(m, i * 4096);
	meters_forget(m, 5);
	for (uint32_t i = 1; i <= LIM_KEY_METERS; i++)
		T_OK((meters_find(m, i * 4096) != NULL) == (i % 2 == 0));
	T_GOOD(meters_add(m, 5, &none));
	grant(m, 5, &to);
	T_GOOD(meter_count(meters_find(m, 5), 1));
	(void)meters_free(m);
}

/* ---- keys ---- */

static err
no_load(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	struct wrapped_key *k = ctx;

	(void)a;
	if (id != k->id)
		return err_of(E_NOT_FOUND);
	*ret = *k;
	return OK;
}

static err
seal_once(const struct data_key *k, struct arena *a)
{
	struct seal_where w = {.table = SEAL_TABLE_OBJECT, .schema = 1};
	struct sealed s;

	return seal_close(k, &w, STR("text"), a, &s);
}

TEST(class_keys_and_no_others)
{
	struct project_keys *pk = project_keys_new();
	struct meters *m = open_meters(100, 10);
	struct uuid subject = {{1}};
	const struct data_key *k;
	uint8_t key[SECRET_SIZE] = {7};
	struct wrapped_key wrapped = {.id = 0}, other;
	struct keyring *r;
	struct amount to;
	struct arena a;

	arena_init(&a, 1 << 20);
	T_GOOD(project_keys_add(pk, 0, 1, key));
	T_GOOD(keyring_new(pk, no_load, &wrapped, &r));
	keyring_meter(r, m);
	T_GOOD(keyring_make(r, 1, 0, SEAL_CLASS_OBJECT, NULL, 1, &a, &wrapped,
	    &k));
	T_ERR(seal_once(k, &a), E_KEY_USED_UP); /* nobody granted it */
	T_ERR(keyring_make(r, 0, 0, SEAL_CLASS_OBJECT, NULL, 1, &a, &other, &k),
	    E_LIMIT);
	T_GOOD(meters_add(m, 1, &none));
	grant(m, 1, &to);
	keyring_forget(r, 1);
	T_GOOD(keyring_get(r, 1, &k)); /* as another thread gets it */
	for (int i = 0; i < 10; i++)
		T_GOOD(seal_once(k, &a));
	T_ERR(seal_once(k, &a), E_KEY_USED_UP);
	grant(m, 1, &to);
	T_GOOD(seal_once(k, &a));
	T_GOOD(keyring_make(r, 2, 0, SEAL_CLASS_INCIDENT, &subject, 1, &a,
	    &other, &k));
	for (int i = 0; i < 20; i++)
		T_GOOD(seal_once(k, &a));
	(void)keyring_free(r);
	(void)meters_free(m);
	(void)project_keys_unref(pk);
	arena_done(&a);
}

/* ---- threads ---- */

enum { THREADS = 4, TRIES = 20000 };

struct worker {
	struct meters *m;
	uint64_t did;
};

static void *
seal_much(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < TRIES; i++)
		w->did += err_ok(meter_count(meters_find(w->m, 9), 1));
	return NULL;
}

TEST(threads_share_a_grant)
{
	struct meters *m = open_meters(50000, 30000);
	struct worker w[THREADS];
	pthread_t t[THREADS];
	struct amount to;
	uint64_t did = 0;

	T_GOOD(meters_add(m, 9, &none));
	grant(m, 9, &to);
	for (int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){m, 0};
		T_EQ_INT(pthread_create(&t[i], NULL, seal_much, &w[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		T_EQ_INT(pthread_join(t[i], NULL), 0);
		did += w[i].did;
	}
	T_EQ_INT(did, 30000);
	(void)meters_free(m);
}

T_MAIN
