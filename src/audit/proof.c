#include "audit/edge.h"

static err
tile_get(struct tree_reader *r, unsigned level, uint64_t index)
{
	if (r->have && r->tile.level == level && r->tile.index == index)
		return OK;
	if (r->load == NULL)
		return err_of(E_NOT_FOUND);
	r->have = false;
	TRY(r->load(r->ctx, level, index, &r->tile));
	r->tile.level = level;
	r->tile.index = index;
	r->have = true;
	return OK;
}

err
tree_subtree(struct tree_reader *r, unsigned height, uint64_t index,
    struct hash *ret)
{
	unsigned level = height / 8, bits = height % 8;
	uint64_t at = index << bits, tile = at / TILE_WIDTH, full = 0;
	const struct hash *h = r->t->edge[level].hash;

	if (level + 1 < TILE_LEVELS)
		full = r->t->peaks.size >> (8 * (level + 1));
	if (tile < full) {
		TRY(tile_get(r, level, tile));
		h = r->tile.hash;
	}
	tile_fold(h + at % TILE_WIDTH, (size_t)1 << bits, ret);
	return OK;
}

/*
 * MTH(D[lo:hi]) of RFC 9162 2.1.1, for the ranges its recursion makes: lo is
 * a multiple of a power of two that is no smaller than the range.
 */
static err
range_root(struct tree_reader *r, uint64_t lo, uint64_t hi, struct hash *ret)
{
	struct peaks p;
	struct hash h;

	p.size = 0;
	while (lo < hi) {
		unsigned k = subtree_height(lo, hi);

		TRY(tree_subtree(r, k, lo >> k, &h));
		TRY(peaks_add(&p, k, &h));
		lo += UINT64_C(1) << k;
	}
	peaks_root(&p, ret);
	return OK;
}

err
audit_tree_root_at(const struct audit_tree *t, uint64_t size, tile_load load,
    void *ctx, struct hash *ret)
{
	struct tree_reader r = {.t = t, .load = load, .ctx = ctx};

	if (size > t->peaks.size)
		return err_of(E_INVALID);
	if (size == t->peaks.size)
		return audit_tree_root(t, ret);
	return range_root(&r, 0, size, ret);
}

err
audit_tree_tile(const struct audit_tree *t, uint64_t size, unsigned level,
    uint64_t index, unsigned width, tile_load load, void *ctx, struct hash *ret)
{
	struct tree_reader r = {.t = t, .load = load, .ctx = ctx};
	uint64_t have;

	if (size > t->peaks.size || width == 0 || width > TILE_WIDTH)
		return err_of(E_INVALID);
	have = level < TILE_LEVELS ? size >> (8 * level) : 0;
	if (index >= have / TILE_WIDTH + 1 || width > have - index * TILE_WIDTH)
		return err_of(E_NOT_FOUND);
	for (unsigned i = 0; i < width; i++)
		TRY(tree_subtree(&r, 8 * level, index * TILE_WIDTH + i,
		    &ret[i]));
	return OK;
}

/* Largest power of two below n; n > 1. */
static uint64_t
split_at(uint64_t n)
{
	return UINT64_C(1) << (63 - (unsigned)__builtin_clzll(n - 1));
}

/* Proofs are found from the root down and told from the leaf up. */
static void
list_reverse(struct hash_list *l)
{
	for (size_t i = 0; i < l->n / 2; i++) {
		struct hash x = l->h[i];

		l->h[i] = l->h[l->n - 1 - i];
		l->h[l->n - 1 - i] = x;
	}
}

static err
list_new(struct arena *a, struct hash_list *ret)
{
	ret->n = 0;
	ret->h = arena_array(a, PROOF_MAX, sizeof *ret->h);
	return arena_check(a);
}

static err
list_range(struct hash_list *l, struct tree_reader *r, uint64_t lo, uint64_t hi)
{
	BUG_ON(l->n >= PROOF_MAX);
	TRY(range_root(r, lo, hi, &l->h[l->n]));
	l->n++;
	return OK;
}

err
audit_tree_inclusion(const struct audit_tree *t, uint64_t index, uint64_t size,
    tile_load load, void *ctx, struct arena *a, struct hash_list *ret)
{
	struct tree_reader r = {.t = t, .load = load, .ctx = ctx};
	struct hash_list l;
	uint64_t lo = 0, hi = size;

	if (size > t->peaks.size || index >= size)
		return err_of(E_INVALID);
	TRY(list_new(a, &l));
	while (hi - lo > 1) {
		uint64_t mid = lo + split_at(hi - lo);

		if (index < mid) {
			TRY(list_range(&l, &r, mid, hi));
			hi = mid;
		} else {
			TRY(list_range(&l, &r, lo, mid));
			lo = mid;
		}
	}
	list_reverse(&l);
	*ret = l;
	return OK;
}

err
audit_tree_consistency(const struct audit_tree *t, uint64_t old_size,
    uint64_t new_size, tile_load load, void *ctx, struct arena *a,
    struct hash_list *ret)
{
	struct tree_reader r = {.t = t, .load = load, .ctx = ctx};
	struct hash_list l;
	uint64_t lo = 0, hi = new_size;

	if (new_size > t->peaks.size || old_size > new_size)
		return err_of(E_INVALID);
	TRY(list_new(a, &l));
	while (old_size > 0 && old_size != hi) {
		uint64_t mid = lo + split_at(hi - lo);

		if (old_size <= mid) {
			TRY(list_range(&l, &r, mid, hi));
			hi = mid;
		} else {
			TRY(list_range(&l, &r, lo, mid));
			lo = mid;
		}
	}
	/* A whole old tree is known to who asks; a part of it is not. */
	if (lo > 0)
		TRY(list_range(&l, &r, lo, hi));
	list_reverse(&l);
	*ret = l;
	return OK;
}
