#include "audit/edge.h"

#include "base/mem.h"

unsigned
peaks_carry(const struct peaks *p, unsigned height, unsigned stop,
    struct hash *h)
{
	while (height < stop && (p->size >> height & 1) != 0) {
		audit_node_hash(&p->h[height], h, h);
		height++;
	}
	return height;
}

err
peaks_add(struct peaks *p, unsigned height, const struct hash *h)
{
	struct hash top = *h;
	unsigned at;

	if (height > TREE_HEIGHT_MAX ||
	    UINT64_C(1) << height > TREE_SIZE_MAX - p->size)
		return err_of(E_LIMIT);
	BUG_ON((p->size & ((UINT64_C(1) << height) - 1)) != 0);
	at = peaks_carry(p, height, TREE_HEIGHT_MAX, &top);
	p->h[at] = top;
	p->size += UINT64_C(1) << height;
	return OK;
}

void
peaks_root(const struct peaks *p, struct hash *ret)
{
	struct hash h;
	unsigned i;

	if (p->size == 0) {
		audit_empty_hash(ret);
		return;
	}
	i = (unsigned)__builtin_ctzll(p->size);
	h = p->h[i];
	for (i++; i <= TREE_HEIGHT_MAX; i++)
		if ((p->size >> i & 1) != 0)
			audit_node_hash(&p->h[i], &h, &h);
	*ret = h;
}

/* n >= 2; each round halves the row. */
static void
row_fold(const struct hash *h, size_t n, struct hash *ret)
{
	struct hash row[TILE_WIDTH / 2];

	for (; n > 2; h = row) {
		n /= 2;
		for (size_t i = 0; i < n; i++)
			audit_node_hash(&h[2 * i], &h[2 * i + 1], &row[i]);
	}
	audit_node_hash(&h[0], &h[1], ret);
}

void
tile_fold(const struct hash *h, size_t n, struct hash *ret)
{
	BUG_ON(n == 0 || n > TILE_WIDTH || (n & (n - 1)) != 0);
	if (n == 1)
		*ret = h[0];
	else
		row_fold(h, n, ret);
}

/* How many hashes of the tile being filled at this level count. */
static unsigned
edge_used(uint64_t size, unsigned level)
{
	return (unsigned)(size >> (8 * level) & (TILE_WIDTH - 1));
}

err
audit_tree_new(struct audit_tree **ret)
{
	struct audit_tree *t = mem_new(1, sizeof *t);

	if (t == NULL)
		return err_of(E_NO_MEMORY);
	for (unsigned l = 0; l < TILE_LEVELS; l++)
		t->edge[l].level = l;
	*ret = t;
	return OK;
}

struct audit_tree *
audit_tree_free(struct audit_tree *t)
{
	mem_free(t);
	return NULL;
}

uint64_t
audit_tree_size(const struct audit_tree *t)
{
	return t->peaks.size;
}

/*
 * All that is written lies outside of what the old size makes count, so an
 * error of `full` needs no undoing.
 */
err
audit_tree_append(struct audit_tree *t, const struct hash *leaf, tile_full full,
    void *ctx)
{
	struct peaks *p = &t->peaks;
	struct hash h = *leaf;
	unsigned at = 0, level = 0;

	if (p->size == TREE_SIZE_MAX)
		return err_of(E_LIMIT);
	for (;;) {
		struct audit_tile *e = &t->edge[level];
		unsigned used = edge_used(p->size, level);

		e->hash[used] = h;
		at = peaks_carry(p, at, 8 * (level + 1), &h);
		if (at < 8 * (level + 1) || level + 1 == TILE_LEVELS)
			break;
		level++;
		e->index = p->size >> (8 * level);
		if (full != NULL)
			TRY(full(ctx, e));
	}
	p->h[at] = h;
	p->size++;
	return OK;
}

void
audit_tree_copy(struct audit_tree *dst, const struct audit_tree *src)
{
	dst->peaks = src->peaks;
	for (unsigned l = 0; l < TILE_LEVELS; l++)
		memcpy(dst->edge[l].hash, src->edge[l].hash,
		    edge_used(src->peaks.size, l) * sizeof(struct hash));
}

/* The hashes at the edge of one level are the roots of the full tiles below. */
static err
edge_restore(struct audit_tree *t, uint64_t size, unsigned level,
    tile_load load, void *ctx)
{
	struct audit_tile below = {0};
	unsigned used = edge_used(size, level);
	uint64_t first = (size >> (8 * level)) - used;

	if (used > 0 && load == NULL)
		return err_of(E_NOT_FOUND);
	for (unsigned i = 0; i < used; i++) {
		below.level = level - 1;
		below.index = first + i;
		TRY(load(ctx, level - 1, first + i, &below));
		tile_fold(below.hash, TILE_WIDTH, &t->edge[level].hash[i]);
	}
	return OK;
}

static void
peaks_restore(struct audit_tree *t, uint64_t size, unsigned level)
{
	unsigned used = edge_used(size, level), at = 0;

	for (unsigned b = 8; b-- > 0;) {
		unsigned n = 1U << b;

		if ((used & n) == 0 || 8 * level + b > TREE_HEIGHT_MAX)
			continue;
		tile_fold(&t->edge[level].hash[at], n,
		    &t->peaks.h[8 * level + b]);
		at += n;
	}
}

err
audit_tree_restore(struct audit_tree *t, uint64_t size, const struct hash *tail,
    size_t tail_n, tile_load load, void *ctx)
{
	if (size > TREE_SIZE_MAX || tail_n != edge_used(size, 0))
		return err_of(E_INVALID);
	t->peaks.size = 0;
	if (tail_n > 0)
		memcpy(t->edge[0].hash, tail, tail_n * sizeof *tail);
	peaks_restore(t, size, 0);
	for (unsigned l = 1; l < TILE_LEVELS; l++) {
		TRY(edge_restore(t, size, l, load, ctx));
		peaks_restore(t, size, l);
	}
	t->peaks.size = size;
	return OK;
}

err
audit_tree_root(const struct audit_tree *t, struct hash *ret)
{
	peaks_root(&t->peaks, ret);
	return OK;
}
