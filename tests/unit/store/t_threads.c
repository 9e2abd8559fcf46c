/*
 * t_threads.c: a writer, readers and one that folds the log and makes it
 * longer, at once: every view is whole and none goes back.  For V=tsan as
 * well.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/store/fake.h"

enum { READERS = 3, COMMITS = 400 };

static struct store *s;
static atomic_bool done;
static atomic_int wrong, views;

static void *
reader(void *ctx)
{
	struct store_conn *c;
	struct arena a;
	uint64_t before = 0;

	(void)ctx;
	arena_init(&a, 65536);
	if (!err_ok(store_reader(s, &c))) {
		atomic_fetch_add(&wrong, 1);
		return NULL;
	}
	while (!atomic_load(&done)) {
		struct str v = STR_NONE;
		uint64_t last = 0, said = 0;

		arena_reset(&a);
		if (!err_ok(store_view_begin(c)) ||
		    !err_ok(store_audit_last(c, &last)) ||
		    !err_ok(store_meta_get(c, "n", &a, &v)) ||
		    !str_u64(v, 0, UINT64_MAX, &said) || said * 2 != last ||
		    last < before)
			atomic_fetch_add(&wrong, 1);
		store_view_end(c);
		before = last;
		atomic_fetch_add(&views, 1);
	}
	c = store_conn_close(c);
	arena_done(&a);
	return NULL;
}

static void *
folder(void *ctx)
{
	(void)ctx;
	while (!atomic_load(&done)) {
		err e = store_wal_pages(s) > 50 ? store_checkpoint(s, false)
						: store_checkpoint(s, true);

		if (!err_ok(e) && !err_is(e, E_LOCKED))
			atomic_fetch_add(&wrong, 1);
		store_log_ahead(s);
		(void)usleep(500);
	}
	return NULL;
}

static void
commit(uint64_t n)
{
	struct store_conn *w = store_writer(s);
	char text[24];
	int k = snprintf(text, sizeof text, "%llu", (unsigned long long)n);

	T_GOOD(store_begin(w));
	if (n > 0) {
		T_GOOD(store_audit_append(w, 2 * n - 1, STR("leaf")));
		T_GOOD(store_audit_append(w, 2 * n, STR("leaf")));
	}
	T_GOOD(store_meta_set(w, "n", str_of(text, (size_t)k)));
	T_GOOD(store_commit(w));
}

TEST(at_once)
{
	pthread_t t[READERS + 1];

	s = fake_open(fake_dir(), STORE_CREATE);
	T_REQUIRE(s != NULL);
	commit(0);
	for (int i = 0; i <= READERS; i++)
		T_REQUIRE(pthread_create(&t[i], NULL,
			      i < READERS ? reader : folder, NULL) == 0);
	for (uint64_t n = 1; n <= COMMITS; n++)
		commit(n);
	atomic_store(&done, true);
	for (int i = 0; i <= READERS; i++)
		(void)pthread_join(t[i], NULL);
	T_EQ_INT(atomic_load(&wrong), 0);
	T_OK(atomic_load(&views) > 10);
	s = store_close(s);
}

T_MAIN
