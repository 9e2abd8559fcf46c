#include "audit/tree.h"

#include "base/mem.h"
#include "tests/t.h"

/*
 * The reference: RFC 9162 2.1.1 and 2.1.3.1, 2.1.4.1 as they are written
 * down, recursive and without memory.
 */
static uint64_t
half(uint64_t n)
{
	uint64_t k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

static struct hash
naive_root(const struct hash *d, uint64_t n)
{
	struct hash l, r, ret;

	if (n == 0) {
		audit_empty_hash(&ret);
		return ret;
	}
	if (n == 1)
		return d[0];
	l = naive_root(d, half(n));
	r = naive_root(d + half(n), n - half(n));
	audit_node_hash(&l, &r, &ret);
	return ret;
}

static size_t
naive_path(const struct hash *d, uint64_t m, uint64_t n, struct hash *ret)
{
	uint64_t k = half(n);
	size_t at;

	if (n == 1)
		return 0;
	if (m < k) {
		at = naive_path(d, m, k, ret);
		ret[at] = naive_root(d + k, n - k);
	} else {
		at = naive_path(d + k, m - k, n - k, ret);
		ret[at] = naive_root(d, k);
	}
	return at + 1;
}

static size_t
naive_subproof(const struct hash *d, uint64_t m, uint64_t n, bool whole,
    struct hash *ret)
{
	uint64_t k = half(n);
	size_t at;

	if (m == n) {
		if (whole)
			return 0;
		ret[0] = naive_root(d, n);
		return 1;
	}
	if (m <= k) {
		at = naive_subproof(d, m, k, whole, ret);
		ret[at] = naive_root(d + k, n - k);
	} else {
		at = naive_subproof(d + k, m - k, n - k, false, ret);
		ret[at] = naive_root(d, k);
	}
	return at + 1;
}

/* A store of tiles in memory. */
struct shelf {
	struct audit_tile *tile;
	size_t n, loads;
};

static err
shelf_put(void *ctx, const struct audit_tile *t)
{
	struct shelf *s = ctx;
	struct audit_tile *p = mem_grow(s->tile, s->n + 1, sizeof *p);

	if (p == NULL)
		return err_of(E_NO_MEMORY);
	s->tile = p;
	s->tile[s->n++] = *t;
	return OK;
}

static err
shelf_get(void *ctx, unsigned level, uint64_t index, struct audit_tile *ret)
{
	struct shelf *s = ctx;

	s->loads++;
	for (size_t i = 0; i < s->n; i++)
		if (s->tile[i].level == level && s->tile[i].index == index) {
			memcpy(ret->hash, s->tile[i].hash, sizeof ret->hash);
			return OK;
		}
	return err_of(E_NOT_FOUND);
}

static struct hash
leaf_no(uint64_t i)
{
	struct hash h;

	audit_leaf_hash(str_of((const char *)&i, sizeof i), &h);
	return h;
}

static struct hash *
leaves(uint64_t n)
{
	struct hash *d = mem_new(n, sizeof *d);

	for (uint64_t i = 0; d != NULL && i < n; i++)
		d[i] = leaf_no(i);
	return d;
}

static bool
same(struct hash a, struct hash b)
{
	return memcmp(a.b, b.b, sizeof a.b) == 0;
}

static uint64_t seed = 88172645463325252;

static uint64_t
any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* One log of 1100 leaves, its tiles, and the roots of all its sizes. */
enum { N = 1100 };
static struct hash *log_leaf, log_root[N + 1];
static struct audit_tree *log_tree;
static struct shelf log_shelf;

TEST(roots_of_all_sizes)
{
	struct hash h;

	log_leaf = leaves(N);
	T_REQUIRE(log_leaf != NULL);
	T_GOOD(audit_tree_new(&log_tree));
	for (uint64_t n = 0; n <= N; n++) {
		T_EQ_INT(audit_tree_size(log_tree), n);
		log_root[n] = naive_root(log_leaf, n);
		T_GOOD(audit_tree_root(log_tree, &h));
		T_OK(same(h, log_root[n]));
		if (n < N)
			T_GOOD(audit_tree_append(log_tree, &log_leaf[n],
			    shelf_put, &log_shelf));
	}
	T_EQ_INT(log_shelf.n, N / 256);
	for (uint64_t n = 0; n <= N; n++) {
		T_GOOD(
		    audit_tree_root_at(log_tree, n, shelf_get, &log_shelf, &h));
		T_OK(same(h, log_root[n]));
	}
	T_ERR(audit_tree_root_at(log_tree, N + 1, shelf_get, &log_shelf, &h),
	    E_INVALID);
}

static void
inclusion_one(uint64_t i, uint64_t n)
{
	struct hash want[64];
	size_t k = naive_path(log_leaf + 0, i, n, want);
	struct hash_list l = {NULL, 0};
	struct arena a;

	arena_init(&a, 1 << 20);
	log_shelf.loads = 0;
	T_GOOD(audit_tree_inclusion(log_tree, i, n, shelf_get, &log_shelf, &a,
	    &l));
	T_EQ_INT(l.n, k);
	if (l.n == k && k > 0)
		T_EQ_MEM(l.h, want, k * sizeof *want);
	/* The path climbs through one tile at a time. */
	T_OK(log_shelf.loads <= 5);
	T_GOOD(
	    audit_verify_inclusion(&log_leaf[i], i, n, l.h, l.n, &log_root[n]));
	T_ERR(audit_verify_inclusion(&log_leaf[(i + 1) % N], i, n, l.h, l.n,
		  &log_root[n]),
	    E_BAD_ANSWER);
	T_ERR(audit_verify_inclusion(&log_leaf[i], i, n, l.h, l.n,
		  &log_root[n - 1]),
	    E_BAD_ANSWER);
	T_ERR(audit_verify_inclusion(&log_leaf[i], i, n, l.h, l.n + 1,
		  &log_root[n]),
	    E_BAD_ANSWER);
	if (l.n > 0) {
		T_ERR(audit_verify_inclusion(&log_leaf[i], i, n, l.h, l.n - 1,
			  &log_root[n]),
		    E_BAD_ANSWER);
		T_ERR(audit_verify_inclusion(&log_leaf[i], i, n, l.h + 1,
			  l.n - 1, &log_root[n]),
		    E_BAD_ANSWER);
		l.h[any(l.n)].b[any(32)] ^= (uint8_t)(1U << any(8));
		T_ERR(audit_verify_inclusion(&log_leaf[i], i, n, l.h, l.n,
			  &log_root[n]),
		    E_BAD_ANSWER);
	}
	arena_done(&a);
}

TEST(inclusion)
{
	T_REQUIRE(log_tree != NULL);
	for (uint64_t n = 1; n <= 40; n++)
		for (uint64_t i = 0; i < n; i++)
			inclusion_one(i, n);
	for (int k = 0; k < 600; k++) {
		uint64_t n = 1 + any(N);

		inclusion_one(any(n), n);
	}
	for (uint64_t n = 254; n < 260; n++)
		inclusion_one(n - 1, n);
}

static void
consistency_one(uint64_t m, uint64_t n)
{
	struct hash want[64];
	size_t k = m == 0 ? 0 : naive_subproof(log_leaf, m, n, true, want);
	struct hash_list l = {NULL, 0};
	struct hash *om = &log_root[m], *on = &log_root[n];
	struct arena a;

	arena_init(&a, 1 << 20);
	T_GOOD(audit_tree_consistency(log_tree, m, n, shelf_get, &log_shelf, &a,
	    &l));
	T_EQ_INT(l.n, k);
	if (l.n == k && k > 0)
		T_EQ_MEM(l.h, want, k * sizeof *want);
	T_GOOD(audit_verify_consistency(m, om, n, on, l.h, l.n));
	T_ERR(audit_verify_consistency(m, om, n, on, l.h, l.n + 1),
	    E_BAD_ANSWER);
	if (m > 0 && m < n) {
		T_ERR(audit_verify_consistency(n, on, m, om, l.h, l.n),
		    E_BAD_ANSWER);
		T_ERR(audit_verify_consistency(m, on, n, on, l.h, l.n),
		    E_BAD_ANSWER);
		T_ERR(audit_verify_consistency(m, om, n, om, l.h, l.n),
		    E_BAD_ANSWER);
		T_ERR(audit_verify_consistency(m, om, n, on, l.h, l.n - 1),
		    E_BAD_ANSWER);
		T_ERR(audit_verify_consistency(m, om, n, on, l.h, 0),
		    E_BAD_ANSWER);
		l.h[any(l.n)].b[any(32)] ^= (uint8_t)(1U << any(8));
		T_ERR(audit_verify_consistency(m, om, n, on, l.h, l.n),
		    E_BAD_ANSWER);
	}
	arena_done(&a);
}

TEST(consistency)
{
	T_REQUIRE(log_tree != NULL);
	for (uint64_t n = 0; n <= 40; n++)
		for (uint64_t m = 0; m <= n; m++)
			consistency_one(m, n);
	for (int k = 0; k < 600; k++) {
		uint64_t n = any(N + 1);

		consistency_one(any(n + 1), n);
	}
	consistency_one(256, 512);
	consistency_one(255, 256);
	consistency_one(256, 1024);
	consistency_one(1024, N);
}

TEST(proofs_that_cannot_be)
{
	struct hash r[4] = {{{1}}, {{2}}, {{3}}, {{4}}};
	struct hash_list l;
	struct arena a;

	arena_init(&a, 1 << 20);
	T_REQUIRE(log_tree != NULL);
	T_ERR(audit_tree_inclusion(log_tree, 5, 5, shelf_get, &log_shelf, &a,
		  &l),
	    E_INVALID);
	T_ERR(audit_tree_inclusion(log_tree, 0, 0, shelf_get, &log_shelf, &a,
		  &l),
	    E_INVALID);
	T_ERR(audit_tree_inclusion(log_tree, 0, N + 1, shelf_get, &log_shelf,
		  &a, &l),
	    E_INVALID);
	T_ERR(audit_tree_consistency(log_tree, 6, 5, shelf_get, &log_shelf, &a,
		  &l),
	    E_INVALID);
	T_ERR(audit_tree_consistency(log_tree, 6, N + 1, shelf_get, &log_shelf,
		  &a, &l),
	    E_INVALID);
	/* A tile that the store lost is an error, not a wrong proof. */
	T_ERR(audit_tree_inclusion(log_tree, 0, N, NULL, NULL, &a, &l),
	    E_NOT_FOUND);
	T_ERR(audit_verify_inclusion(&r[0], 0, 0, NULL, 0, &r[0]),
	    E_BAD_ANSWER);
	T_ERR(audit_verify_inclusion(&r[0], UINT64_MAX, UINT64_MAX, r, 4, r),
	    E_BAD_ANSWER);
	T_ERR(audit_verify_inclusion(&r[0], UINT64_MAX - 1, UINT64_MAX, r, 4,
		  r),
	    E_BAD_ANSWER);
	T_ERR(audit_verify_consistency(7, r, 7, r + 1, NULL, 0), E_BAD_ANSWER);
	T_ERR(audit_verify_consistency(UINT64_C(1) << 63, r, UINT64_MAX, r + 1,
		  r, 4),
	    E_BAD_ANSWER);
	T_ERR(audit_verify_consistency(1, r, UINT64_MAX, r + 1, r, 4),
	    E_BAD_ANSWER);
	T_GOOD(audit_verify_consistency(0, r, 7, r + 1, NULL, 0));
	T_ERR(audit_verify_consistency(0, r, 7, r + 1, r, 1), E_BAD_ANSWER);
	arena_done(&a);
}

static err
never(void *ctx, const struct audit_tile *t)
{
	(void)t;
	++*(int *)ctx;
	return err_of(E_NO_SPACE);
}

/* A proof is as long as the sizes say, even if the root is made to fit. */
TEST(roots_made_to_fit)
{
	struct hash leaf = log_leaf[5], extra = leaf_no(99), root, l[64];
	size_t n = naive_path(log_leaf, 5, 8, l);

	T_ERR(audit_verify_inclusion(&leaf, 0, 8, NULL, 0, &leaf),
	    E_BAD_ANSWER);
	T_GOOD(audit_verify_inclusion(&leaf, 5, 8, l, n, &log_root[8]));
	l[n] = extra;
	audit_node_hash(&extra, &log_root[8], &root);
	T_ERR(audit_verify_inclusion(&leaf, 5, 8, l, n + 1, &root),
	    E_BAD_ANSWER);
	/* From 4 to 8 the proof is one hash: neither none nor two. */
	n = naive_subproof(log_leaf, 4, 8, true, l);
	T_EQ_INT(n, 1);
	T_GOOD(
	    audit_verify_consistency(4, &log_root[4], 8, &log_root[8], l, n));
	l[n] = extra;
	T_ERR(audit_verify_consistency(4, &log_root[4], 8, &root, l, n + 1),
	    E_BAD_ANSWER);
	T_ERR(audit_verify_consistency(4, &log_root[4], 16, &log_root[8], l, n),
	    E_BAD_ANSWER);
	/* 3 to 8, where each hash joins both roots until the last. */
	n = naive_subproof(log_leaf, 3, 8, true, l);
	T_GOOD(
	    audit_verify_consistency(3, &log_root[3], 8, &log_root[8], l, n));
	T_ERR(audit_verify_consistency(3, &log_root[3], 16, &log_root[8], l, n),
	    E_BAD_ANSWER);
}

static err
any_tile(void *ctx, unsigned level, uint64_t index, struct audit_tile *ret)
{
	(void)ctx;
	(void)level;
	(void)index;
	memset(ret->hash, 7, sizeof ret->hash);
	return OK;
}

/* 2^62 leaves and not one more. */
TEST(largest)
{
	struct audit_tree *t = NULL;
	struct hash h = leaf_no(1);

	T_GOOD(audit_tree_new(&t));
	T_GOOD(
	    audit_tree_restore(t, UINT64_C(1) << 62, NULL, 0, any_tile, NULL));
	T_ERR(audit_tree_append(t, &h, NULL, NULL), E_LIMIT);
	T_ERR(audit_tree_restore(t, (UINT64_C(1) << 62) + 1, &h, 1, any_tile,
		  NULL),
	    E_INVALID);
	t = audit_tree_free(t);
}

/* A tile that cannot be stored leaves the tree as it was. */
TEST(refused_tile)
{
	struct audit_tree *t = NULL;
	struct hash before, after, leaf = leaf_no(255);
	int calls = 0;

	T_GOOD(audit_tree_new(&t));
	for (uint64_t i = 0; i < 255; i++)
		T_GOOD(audit_tree_append(t, &log_leaf[i], never, &calls));
	T_GOOD(audit_tree_root(t, &before));
	T_EQ_INT(calls, 0);
	T_ERR(audit_tree_append(t, &leaf, never, &calls), E_NO_SPACE);
	T_EQ_INT(calls, 1);
	T_EQ_INT(audit_tree_size(t), 255);
	T_GOOD(audit_tree_root(t, &after));
	T_OK(same(before, after));
	T_GOOD(audit_tree_append(t, &log_leaf[255], NULL, NULL));
	T_GOOD(audit_tree_root(t, &after));
	T_OK(same(after, log_root[256]));
	t = audit_tree_free(t);
}

TEST(savepoint)
{
	struct audit_tree *t = NULL, *save = NULL;
	struct hash h;

	T_GOOD(audit_tree_new(&t));
	T_GOOD(audit_tree_new(&save));
	for (uint64_t i = 0; i < 1000; i++) {
		if (i % 7 == 3) {
			audit_tree_copy(save, t);
			for (int k = 0; k < 300; k++)
				T_GOOD(audit_tree_append(t, &log_leaf[k], NULL,
				    NULL));
			audit_tree_copy(t, save);
		}
		T_GOOD(audit_tree_append(t, &log_leaf[i], NULL, NULL));
		T_GOOD(audit_tree_root(t, &h));
		T_OK(same(h, log_root[i + 1]));
	}
	t = audit_tree_free(t);
	save = audit_tree_free(save);
}

/* After a restart the tree is what it was: root, proofs and next tiles. */
static void
restore_one(const struct hash *d, uint64_t n, uint64_t more)
{
	struct shelf s = {0}, s2 = {0};
	struct audit_tree *t = NULL, *u = NULL;
	struct hash a, b;

	T_GOOD(audit_tree_new(&t));
	T_GOOD(audit_tree_new(&u));
	for (uint64_t i = 0; i < n; i++)
		T_GOOD(audit_tree_append(t, &d[i], shelf_put, &s));
	T_GOOD(audit_tree_restore(u, n, d + n / 256 * 256, n % 256, shelf_get,
	    &s));
	for (uint64_t i = n; i <= n + more; i++) {
		T_EQ_INT(audit_tree_size(u), i);
		T_GOOD(audit_tree_root(t, &a));
		T_GOOD(audit_tree_root(u, &b));
		T_OK(same(a, b));
		T_GOOD(audit_tree_append(t, &d[i], shelf_put, &s));
		T_GOOD(audit_tree_append(u, &d[i], shelf_put, &s2));
	}
	for (size_t i = 0; i < s2.n && s2.n <= s.n; i++) {
		const struct audit_tile *x = &s.tile[s.n - s2.n + i];

		T_EQ_INT(s2.tile[i].level, x->level);
		T_EQ_INT(s2.tile[i].index, x->index);
		T_EQ_MEM(s2.tile[i].hash, x->hash, sizeof x->hash);
	}
	T_EQ_INT(s2.n,
	    (n + more + 1) / 256 - n / 256 + (n + more + 1) / 65536 -
		n / 65536);
	mem_free(s.tile);
	mem_free(s2.tile);
	t = audit_tree_free(t);
	u = audit_tree_free(u);
}

TEST(restore)
{
	static const uint64_t sizes[] = {0, 1, 2, 255, 256, 257, 511, 512, 513,
	    1000, 65535, 65536, 65537, 65791, 65792, 65793, 131071, 131072,
	    131073};
	struct hash *d = leaves(132000);

	T_REQUIRE(d != NULL);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		restore_one(d, sizes[i], 300);
	mem_free(d);
}

TEST(restore_refuses)
{
	struct audit_tree *t = NULL;
	struct shelf none = {0};

	T_GOOD(audit_tree_new(&t));
	T_ERR(audit_tree_restore(t, 5, log_leaf, 4, shelf_get, &none),
	    E_INVALID);
	T_ERR(audit_tree_restore(t, 256, log_leaf, 0, shelf_get, &none),
	    E_NOT_FOUND);
	T_ERR(audit_tree_restore(t, 256, log_leaf, 0, NULL, NULL), E_NOT_FOUND);
	T_ERR(audit_tree_restore(t, UINT64_MAX - 255, log_leaf, 0, shelf_get,
		  &none),
	    E_INVALID);
	t = audit_tree_free(t);
}

/* Levels above 0 and 1, against a reference that pads with whole subtrees. */
TEST(a_tall_log)
{
	uint64_t n = 65536 * 2 + 256 * 3 + 5;
	struct hash *d = leaves(n), h, want;
	struct shelf s = {0};
	struct audit_tree *t = NULL;
	struct hash_list l;
	struct arena a;

	arena_init(&a, 1 << 20);
	T_REQUIRE(d != NULL);
	T_GOOD(audit_tree_new(&t));
	for (uint64_t i = 0; i < n; i++)
		T_GOOD(audit_tree_append(t, &d[i], shelf_put, &s));
	want = naive_root(d, n);
	T_GOOD(audit_tree_root(t, &h));
	T_OK(same(h, want));
	T_EQ_INT(s.n, n / 256 + n / 65536);
	for (int k = 0; k < 40; k++) {
		uint64_t m = 1 + any(n), i = any(m);
		struct hash rm = naive_root(d, m);

		T_GOOD(audit_tree_root_at(t, m, shelf_get, &s, &h));
		T_OK(same(h, rm));
		T_GOOD(audit_tree_inclusion(t, i, m, shelf_get, &s, &a, &l));
		T_GOOD(audit_verify_inclusion(&d[i], i, m, l.h, l.n, &rm));
		T_GOOD(audit_tree_consistency(t, m, n, shelf_get, &s, &a, &l));
		T_GOOD(audit_verify_consistency(m, &rm, n, &want, l.h, l.n));
		arena_reset(&a);
	}
	arena_done(&a);
	t = audit_tree_free(t);
	mem_free(s.tile);
	mem_free(d);
}

TEST(done)
{
	log_tree = audit_tree_free(log_tree);
	mem_free(log_shelf.tile);
	mem_free(log_leaf);
}

T_MAIN
