/*
 * tree.h: the Merkle tree of RFC 9162 (section 2.1): leaf hash =
 * SHA-256(0x00 || leaf), node hash = SHA-256(0x01 || left || right), kept as
 * C2SP tlog-tiles of height 8.
 *
 * `struct audit_tree` is the right edge of the log: for each level the
 * hashes of the tile being filled.  Appending is amortized two hashes and,
 * every 256 leaves, one full tile handed out to be stored.  It does no I/O;
 * proofs read full tiles through a callback.
 */
#ifndef AUDIT_TREE_H
#define AUDIT_TREE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { HASH_SIZE = 32, TILE_WIDTH = 256, TILE_LEVELS = 8 };

struct hash {
	uint8_t b[HASH_SIZE];
};

struct audit_tree;

/* One full tile: 256 hashes.  Level 0 holds leaf hashes. */
struct audit_tile {
	unsigned level;
	uint64_t index;
	struct hash hash[TILE_WIDTH];
};

/* Reads a stored full tile; E_NOT_FOUND or E_CORRUPT otherwise. */
typedef err (*tile_load)(void *ctx, unsigned level, uint64_t index,
    struct audit_tile *ret);
/* Receives each tile as it fills; an error aborts the append. */
typedef err (*tile_full)(void *ctx, const struct audit_tile *t);

err audit_tree_new(struct audit_tree **ret) MUST_USE;
struct audit_tree *audit_tree_free(struct audit_tree *t);
uint64_t audit_tree_size(const struct audit_tree *t);

/* Append one leaf hash.  full may be called once per level; it may be NULL.
 * E_LIMIT past 2^62 leaves.  After an error the tree is as it was. */
err audit_tree_append(struct audit_tree *t, const struct hash *leaf,
    tile_full full, void *ctx) MUST_USE;

/*
 * Savepoint for a transaction: copy the right edge out and back.  The copy
 * is a fixed-size value inside a new tree object.
 */
void audit_tree_copy(struct audit_tree *dst, const struct audit_tree *src);

/*
 * Rebuild the right edge of a log of `size` leaves after a restart: full
 * tiles through load, the hashes of the last size % 256 leaves given in
 * order.
 */
err audit_tree_restore(struct audit_tree *t, uint64_t size,
    const struct hash *tail, size_t tail_n, tile_load load, void *ctx) MUST_USE;

/* Root of the present tree; size 0 gives SHA-256(""). */
err audit_tree_root(const struct audit_tree *t, struct hash *ret) MUST_USE;

/* Root the tree had at `size`; E_INVALID when that is past the present. */
err audit_tree_root_at(const struct audit_tree *t, uint64_t size,
    tile_load load, void *ctx, struct hash *ret) MUST_USE;

/*
 * RFC 9162 2.1.3.1 and 2.1.4.1; at most 63 hashes, in the arena.  The proof
 * from size 0, and from a size to itself, is empty.  E_INVALID: no such
 * proof.  load is asked for the same tile once in a row.
 */
struct hash_list {
	struct hash *h;
	size_t n;
};
err audit_tree_inclusion(const struct audit_tree *t, uint64_t index,
    uint64_t size, tile_load load, void *ctx, struct arena *a,
    struct hash_list *ret) MUST_USE;
err audit_tree_consistency(const struct audit_tree *t, uint64_t old_size,
    uint64_t new_size, tile_load load, void *ctx, struct arena *a,
    struct hash_list *ret) MUST_USE;

/*
 * The first `width` hashes of the tile of that level and index, of C2SP
 * tlog-tiles; all of it or a part.  E_NOT_FOUND: a tree of `size` leaves has
 * no such hashes.
 */
err audit_tree_tile(const struct audit_tree *t, uint64_t size, unsigned level,
    uint64_t index, unsigned width, tile_load load, void *ctx,
    struct hash *ret) MUST_USE;

/*
 * Verification: RFC 9162 2.1.3.2 and 2.1.4.2.  E_BAD_ANSWER when it does not
 * hold.  Everything extends size 0, whatever old_root is then.
 */
err audit_verify_inclusion(const struct hash *leaf, uint64_t index,
    uint64_t size, const struct hash *proof, size_t n,
    const struct hash *root) MUST_USE;
err audit_verify_consistency(uint64_t old_size, const struct hash *old_root,
    uint64_t new_size, const struct hash *new_root, const struct hash *proof,
    size_t n) MUST_USE;

/* Plain SHA-256, with this thread's context. */
void audit_sha256(struct str s, struct hash *ret);
void audit_leaf_hash(struct str leaf, struct hash *ret);
/* ret may be l or r. */
void audit_node_hash(const struct hash *l, const struct hash *r,
    struct hash *ret);
/* The same of bytes that come in pieces; after end it begins anew. */
struct audit_hasher;
struct audit_hasher *audit_hasher_new(void);
void audit_hasher_add(struct audit_hasher *h, struct str s);
void audit_hasher_end(struct audit_hasher *h, struct hash *ret);
struct audit_hasher *audit_hasher_free(struct audit_hasher *h);
void audit_empty_hash(struct hash *ret); /* of the tree without leaves */

#endif
