/*
 * bench/seal.c: what one seal costs.  Best of 9 rounds, nanoseconds.
 *
 * "one key" is a thread that keeps to a key (50 timeline entries of one
 * incident); "keys in turn" pays the key schedule each time (an alert, its
 * payload, its audit body).
 */
#include <stdio.h>
#include <time.h>

#include "base/rand.h"
#include "seal/keyring.h"

enum { ROUNDS = 9, CALLS = 40000 };

static struct arena out, held;
static struct keyring *ring;
static const struct data_key *key[2], *mac;
static struct seal_where row = {.table = SEAL_TABLE_TIMELINE, .schema = 1};
static char text[65536];
static struct stored blob[2];
static size_t size;
static bool turn;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
must(err e)
{
	BUG_ON(!err_ok(e));
}

static void
op_close(int i)
{
	struct sealed s;

	must(seal_close(key[turn & i & 1], &row, str_of(text, size), &out, &s));
}

static void
op_open(int i)
{
	struct str s;

	must(seal_open(key[turn & i & 1], &row, blob[turn & i & 1], &out, &s));
}

static void
op_keyring_open(int i)
{
	struct str s;

	must(keyring_open(ring, &row, blob[turn & i & 1], &out, &s));
}

static void
op_mac(int i)
{
	uint8_t m[32];

	(void)i;
	must(seal_mac(mac, "index/service", str_of(text, 20), m, sizeof m));
}

static void
op_nonce(int i)
{
	uint8_t n[24];

	(void)i;
	rand_bytes(n, sizeof n);
}

static void
op_unwrap(int i)
{
	const struct data_key *k;

	(void)i;
	keyring_forget(ring, 9);
	must(keyring_get(ring, 9, &k));
}

static void
measure(const char *name, void (*op)(int))
{
	double best = 1e18;

	for (int r = 0; r < ROUNDS; r++) {
		double t = now();

		for (int i = 0; i < CALLS; i++) {
			op(i);
			if (out.held > 200000)
				arena_reset(&out);
		}
		t = (now() - t) / CALLS;
		if (t < best)
			best = t;
		arena_reset(&out);
	}
	printf("seal %-34s %6zu B %8.0f ns\n", name, size, best);
}

static struct wrapped_key stored_key;

static err
load(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	(void)ctx;
	(void)a;
	if (id != stored_key.id)
		return err_of(E_NOT_FOUND);
	*ret = stored_key;
	return OK;
}

static void
begin(void)
{
	struct project_keys *pk = project_keys_new();
	const struct data_key *k;
	struct wrapped_key w;
	uint8_t kek[SECRET_SIZE];
	struct uuid u = {{1}};

	arena_init(&out, 16 << 20);
	arena_init(&held, 16 << 20);
	rand_bytes(kek, sizeof kek);
	must(project_keys_add(pk, 1, 1, kek));
	must(keyring_new(pk, load, NULL, &ring));
	must(keyring_make(ring, 1, 1, SEAL_CLASS_ALERT, NULL, 1, &held, &w,
	    &key[0]));
	must(keyring_make(ring, 2, 1, SEAL_CLASS_OBJECT, NULL, 1, &held, &w,
	    &key[1]));
	must(keyring_make(ring, 3, 1, SEAL_CLASS_INDEX, NULL, 1, &held, &w,
	    &mac));
	must(keyring_make(ring, 9, 1, SEAL_CLASS_INCIDENT, &u, 1, &held,
	    &stored_key, &k));
	project_keys_unref(pk);
	seal_where_id(&row, &u);
}

int
main(void)
{
	static const size_t sizes[] = {300, 1500, 65536};

	begin();
	for (size_t i = 0; i < 3; i++) {
		size = sizes[i];
		for (size_t j = 0; j < 2; j++) {
			struct sealed s;

			must(seal_close(key[j], &row, str_of(text, size), &held,
			    &s));
			blob[j].bytes = s.bytes;
		}
		turn = false;
		measure("close, one key", op_close);
		measure("open, one key", op_open);
		turn = true;
		measure("close, keys in turn", op_close);
		measure("open, keys in turn", op_open);
		measure("keyring_open, keys in turn", op_keyring_open);
	}
	size = 24;
	measure("nonce", op_nonce);
	size = 20;
	measure("mac", op_mac);
	size = 32;
	measure("unwrap a data key (cache miss)", op_unwrap);
	keyring_free(ring);
	arena_done(&out);
	arena_done(&held);
	return 0;
}
