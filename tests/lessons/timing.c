/*
 * timing.c: does the time of a comparison of secrets depend on the secret?
 *
 * After Reparaz, Balasch, Verbauwhede: Dude, is my code constant time?
 * (https://eprint.iacr.org/2016/1123).  Two classes of input, in random
 * order, are written to the same memory; the times, cut at a percentile
 * common to both, go through Welch's t-test.  A leak of one byte's time in
 * an early exit gives a t of hundreds; noise stays under 5.
 *
 * Not flaky: the limit is 10 and one quiet attempt of eight is enough, since
 * a real leak shows in each.  And it can fail: each case runs a second time
 * with a comparison that leaves early, and that must be caught.
 */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "auth/actor.h"
#include "auth/token.h"
#include "base/text.h"
#include "tests/t.h"
#include "tests/unit/seal/help.h"

enum { SAMPLES = 40000, ATTEMPTS = 8, QUIET = 10, LOUD = 25 };

struct timing {
	const char *name;
	int calls; /* a sample */
	void (*prepare)(bool class);
	void (*op)(void);
};

static double sample[SAMPLES], sorted[SAMPLES];
static bool class_of[SAMPLES];
static uint64_t random_state;

static uint64_t
next_random(void)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static double
clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int
by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
take_samples(const struct timing *t)
{
	for (int i = -1000; i < SAMPLES; i++) {
		bool class = next_random() >> 63;
		double from;

		t->prepare(class);
		from = clock_ns();
		for (int c = 0; c < t->calls; c++)
			t->op();
		if (i < 0)
			continue; /* warming up */
		sample[i] = clock_ns() - from;
		class_of[i] = class;
	}
}

/* Welch's t of the samples under `limit`. */
static double
welch(double limit)
{
	double n[2] = {0}, mean[2] = {0}, m2[2] = {0};

	for (int i = 0; i < SAMPLES; i++) {
		int c = class_of[i];
		double d = sample[i] - mean[c];

		if (sample[i] > limit)
			continue;
		n[c]++;
		mean[c] += d / n[c];
		m2[c] += d * (sample[i] - mean[c]);
	}
	/* The clock's resolution keeps the variance from being zero. */
	return (mean[0] - mean[1]) /
	    sqrt((m2[0] / (n[0] - 1) + 0.1) / n[0] +
		(m2[1] / (n[1] - 1) + 0.1) / n[1]);
}

static double
attempt(const struct timing *t)
{
	take_samples(t);
	memcpy(sorted, sample, sizeof sorted);
	qsort(sorted, SAMPLES, sizeof *sorted, by_size);
	return fabs(welch(sorted[SAMPLES * 9 / 10]));
}

static void
must_be_quiet(const struct timing *t)
{
	double least = INFINITY;
	int n = 0;

	while (least >= QUIET && n < ATTEMPTS) {
		double v = attempt(t);

		least = v < least ? v : least;
		n++;
	}
	printf("# %-38s |t| = %.1f after %d\n", t->name, least, n);
	T_OK(least < QUIET);
}

static void
must_be_caught(const struct timing *t)
{
	double most = 0;

	for (int n = 0; n < ATTEMPTS && most <= LOUD; n++) {
		double v = attempt(t);

		most = v > most ? v : most;
	}
	printf("# %-38s |t| = %.1f (a leak)\n", t->name, most);
	T_OK(most > LOUD);
}

/* What must not be used: leaves at the first difference. */
static __attribute__((noinline)) bool
early_eq(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return false;
	return true;
}

static volatile bool sink;

/* ---- ct_eq itself ---- */

static uint8_t ours[32], theirs[32], near[32], far[32];

static void
prepare_first_last(bool class)
{
	memcpy(theirs, class ? near : far, sizeof theirs);
}

static void
op_ct_eq(void)
{
	sink = ct_eq(ours, theirs, sizeof ours);
}

static void
op_early_eq(void)
{
	sink = early_eq(ours, theirs, sizeof ours);
}

static void
make_near_far(const uint8_t of[32])
{
	for (size_t i = 0; i < 32; i++) {
		near[i] = of[i];
		far[i] = (uint8_t)~of[i];
	}
	near[31] ^= 1;
}

TEST(ct_eq_32_bytes)
{
	struct timing t = {"ct_eq", 16, prepare_first_last, op_ct_eq};
	struct timing bad = {"early exit", 16, prepare_first_last, op_early_eq};

	for (size_t i = 0; i < 32; i++)
		ours[i] = (uint8_t)(i * 11);
	make_near_far(ours);
	must_be_quiet(&t);
	must_be_caught(&bad);
	memcpy(near, ours, 32); /* equal against all different */
	t.name = "ct_eq, equal or not";
	must_be_quiet(&t);
}

/* ---- the commitment, in seal_open ---- */

static struct arena arena;
static struct data_key seal_key;
static struct seal_where row = {.table = SEAL_TABLE_ALERT, .schema = 1};
static struct stored blob;

static void
prepare_commitment(bool class)
{
	memcpy((uint8_t *)(uintptr_t)blob.bytes.p + 8, class ? near : far, 32);
}

static void
op_open(void)
{
	uint8_t out[16];
	struct blob_where w = {.row = &row};

	sink = err_is(blob_open(&seal_key, &w, blob, out), E_WRONG_KEY);
}

TEST(commitment)
{
	struct timing t = {"commitment in seal_open", 2, prepare_commitment,
	    op_open};
	struct sealed s = {STR_NONE};

	arena_init(&arena, 65536);
	seal_key = help_key_of(1, 1, SEAL_CLASS_ALERT);
	T_GOOD(
	    seal_close(&seal_key, &row, STR("0123456789abcdef"), &arena, &s));
	blob = help_stored(s);
	make_near_far((const uint8_t *)s.bytes.p + 8);
	prepare_commitment(true);
	op_open();
	T_OK(sink);
	must_be_quiet(&t);
	help_done(&seal_key);
	arena_done(&arena);
}

/* ---- API tokens: near and far are what the store holds ---- */

static struct data_key mac_key;
static struct world *world;
static char header[7 + TOKEN_TEXT + 1] = "Bearer ";
static uint8_t *verifier;
static struct auth_input input;

static void
make_world(void)
{
	struct world_builder *b = NULL;
	struct user u = {.o = {.kind = OBJECT_USER, .id = {{1}}, .version = 1},
	    .email = STR("a@example.org"),
	    .name = STR("A")};
	struct token t = {.o = {.kind = OBJECT_TOKEN,
			      .id = {{2}},
			      .version = 1},
	    .kind = 'p',
	    .owner_kind = PRINCIPAL_USER,
	    .owner = {{{1}}},
	    .name = STR("t"),
	    .expires = INT64_MAX};
	uint8_t sum[32];

	token_make('p', header + 7, t.key_id);
	mac_key = help_key_of(9, 1, SEAL_CLASS_TOKEN);
	T_GOOD(token_verifier(&mac_key, str_c(header + 7), sum));
	make_near_far(sum);
	T_GOOD(world_builder_new(&b));
	T_GOOD(world_builder_put(b, &u.o));
	T_GOOD(world_builder_put(b, &t.o));
	T_GOOD(world_builder_done(b, &world));
	verifier =
	    (uint8_t *)(uintptr_t)world_token_key(world, t.key_id)->verifier;
	input = (struct auth_input){.world = world,
	    .token_mac = &mac_key,
	    .now = 1,
	    .authorization = str_c(header),
	    .address = STR("127.0.0.1")};
}

static void
prepare_verifier(bool class)
{
	memcpy(verifier, class ? near : far, 32);
}

static void
op_auth(void)
{
	const struct actor *who;
	enum auth_reason why;

	sink = err_ok(auth_api(&arena, &input, &why, &who));
}

static void
op_auth_early(void)
{
	uint8_t sum[32];

	sink = err_ok(token_verifier(&mac_key, str_c(header + 7), sum)) &&
	    early_eq(verifier, sum, sizeof sum);
}

TEST(token)
{
	struct timing t = {"token in auth_api", 2, prepare_verifier, op_auth};
	struct timing bad = {"token, early exit", 2, prepare_verifier,
	    op_auth_early};

	arena_init(&arena, 65536);
	make_world();
	near[31] ^= 1; /* the right one: it is the right way to call it */
	prepare_verifier(true);
	op_auth();
	T_OK(sink);
	near[31] ^= 1;
	prepare_verifier(true);
	op_auth();
	T_OK(!sink);
	must_be_quiet(&t);
	must_be_caught(&bad);
	world_unref(world);
	help_done(&mac_key);
	arena_done(&arena);
}

/* ---- the signature of a delivery ---- */

static char signature[7 + 64 + 1] = "sha256=";
static struct hook_auth hook;
static const struct hook_secrets hook_secrets =
    {.s = {{.kind = HOOK_HMAC, .text = {"It's a Secret to Everybody", 26}}},
	.n = 1};

static size_t
hook_header(const void *ctx, struct str name, struct str *ret)
{
	(void)ctx;
	(void)name;
	*ret = str_c(signature);
	return 1;
}

static const struct hook_input hook_input = {.header = hook_header,
    .body = {"Hello, World!", 13}};

static void
prepare_signature(bool class)
{
	struct buf b = {.p = signature + 7, .cap = 64, .max = 64};

	hex_add(&b, str_of((const char *)(class ? near : far), 32));
}

static void
op_hook(void)
{
	struct hook_proof p;

	hook_check(&arena, &hook, &hook_secrets, &hook_input, &p);
	sink = p.why == HOOK_WHY_OK;
}

static void
op_hook_early(void)
{
	uint8_t mac[MAC_MAX], got[32];

	sink = err_ok(mac_hmac(MAC_SHA256, hook_secrets.s[0].text,
		   &hook_input.body, 1, mac)) &&
	    hex_decode(str_of(signature + 7, 64), got, 32) &&
	    early_eq(mac, got, 32);
}

TEST(webhook)
{
	struct timing t = {"signature in hook_check", 2, prepare_signature,
	    op_hook};
	struct timing bad = {"signature, early exit", 2, prepare_signature,
	    op_hook_early};
	static const struct json_limits lim = {4, 8, 8};
	const struct json *j;
	uint8_t mac[MAC_MAX];
	struct trail trail;

	arena_init(&arena, 65536);
	T_GOOD(json_parse(&arena,
	    STR("{\"kind\":\"hmac\",\"scheme\":\"github\"}"), &lim, NULL, &j));
	T_GOOD(hook_auth_parse(&arena, j, &trail, &hook));
	T_GOOD(mac_hmac(MAC_SHA256, hook_secrets.s[0].text, &hook_input.body, 1,
	    mac));
	/* differing in one bit at the end, or in one at the front: so that
	 * the sender's own text decodes in one time */
	memcpy(near, mac, 32);
	memcpy(far, mac, 32);
	far[0] ^= 1;
	/* the right one: it is the right way to call it */
	prepare_signature(true);
	op_hook();
	T_OK(sink);
	near[31] ^= 1;
	prepare_signature(true);
	op_hook();
	T_OK(!sink);
	must_be_quiet(&t);
	must_be_caught(&bad);
	arena_done(&arena);
}

T_MAIN
