/*
 * edge.h: the right edge of a Merkle tree, for the files of audit only.
 *
 * `struct peaks` is the compact form: the roots of the maximal complete
 * subtrees of a tree of `size` leaves, one for each bit set in size (Crosby
 * and Wallach 2009; RFC 9162 2.1.2 folds the same stack).  Everything that
 * grows a tree, here or in an export, is peaks_add of a subtree of some
 * height.
 */
#ifndef AUDIT_EDGE_H
#define AUDIT_EDGE_H

#include "audit/tree.h"

/* A log never has more than 2^62 leaves, so proofs have at most 63 hashes. */
enum { TREE_HEIGHT_MAX = 62, PROOF_MAX = 63 };
#define TREE_SIZE_MAX (UINT64_C(1) << TREE_HEIGHT_MAX)

struct peaks {
	uint64_t size;
	struct hash h[TREE_HEIGHT_MAX + 1]; /* h[i] counts if bit i of size */
};

/*
 * Join *h, a subtree of `height` at the right end, with its left neighbours
 * up to height `stop`; answers the height reached.  p is only read.
 */
unsigned peaks_carry(const struct peaks *p, unsigned height, unsigned stop,
    struct hash *h);
/* size must be a multiple of 2^height.  E_LIMIT past TREE_SIZE_MAX. */
err peaks_add(struct peaks *p, unsigned height, const struct hash *h) MUST_USE;
void peaks_root(const struct peaks *p, struct hash *ret);

/*
 * The greatest complete subtree that starts at leaf `from` and ends at or
 * before `to`; walking with it covers [from, to) with the fewest subtrees.
 * from < to.
 */
static inline unsigned
subtree_height(uint64_t from, uint64_t to)
{
	unsigned room = 63U - (unsigned)__builtin_clzll(to - from);
	unsigned even = from == 0 ? 63U : (unsigned)__builtin_ctzll(from);

	return even < room ? even : room;
}

static inline bool
hash_eq(const struct hash *a, const struct hash *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* Root over n hashes; n is a power of two, at most TILE_WIDTH. */
void tile_fold(const struct hash *h, size_t n, struct hash *ret);

struct audit_tree {
	struct peaks peaks;
	/* edge[l] is the tile of level l being filled; its first
	 * (size >> 8 l) % 256 hashes count.  Right after it filled it is
	 * whole until the next append. */
	struct audit_tile edge[TILE_LEVELS];
};

/* Reads subtrees of a log: full tiles through load, the rest at the edge. */
struct tree_reader {
	const struct audit_tree *t;
	tile_load load;
	void *ctx;
	bool have;
	struct audit_tile tile; /* the last one loaded */
};

/* The subtree over leaves [index << height, (index + 1) << height). */
err tree_subtree(struct tree_reader *r, unsigned height, uint64_t index,
    struct hash *ret) MUST_USE;

#endif
