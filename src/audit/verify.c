#include "audit/epoch.h"
#include "audit/feed.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>

struct audit_check {
	struct audit_tree *tree;
	struct feed feed;
	struct audit_verdict v;
};

err
audit_check_new(struct audit_check **ret)
{
	struct audit_check *c = mem_new(1, sizeof *c);
	err e;

	if (c == NULL)
		return err_of(E_NO_MEMORY);
	e = audit_tree_new(&c->tree);
	if (!err_ok(e)) {
		mem_free(c);
		return e;
	}
	feed_init(&c->feed, 1);
	c->v.first = 1;
	*ret = c;
	return OK;
}

struct audit_check *
audit_check_free(struct audit_check *c)
{
	if (c != NULL)
		c->tree = audit_tree_free(c->tree);
	mem_free(c);
	return NULL;
}

uint64_t
audit_check_size(const struct audit_check *c)
{
	return audit_tree_size(c->tree);
}

static bool
is_bad(const struct audit_check *c)
{
	return c->v.bad_seq != 0;
}

static err
leaf_add(struct audit_check *c, struct str leaf)
{
	struct hash h;

	if (is_bad(c))
		return err_of(E_BAD_ANSWER);
	TRY(feed_leaf(&c->feed, leaf, &h, &c->v));
	return audit_tree_append(c->tree, &h, NULL, NULL);
}

err
audit_check_leaf(struct audit_check *c, struct str leaf,
    struct audit_verdict *v)
{
	err e = leaf_add(c, leaf);

	*v = c->v;
	return e;
}

static err
tile_compare(struct audit_check *c, const struct audit_tile *t)
{
	uint64_t size = audit_check_size(c), wide, first;
	const struct hash *h;
	unsigned i = 0;

	if (is_bad(c))
		return err_of(E_BAD_ANSWER);
	if (t->level >= TILE_LEVELS - 1)
		return err_of(E_INVALID);
	wide = UINT64_C(1) << (8 * t->level);
	if (size == 0 || size % (wide * TILE_WIDTH) != 0 ||
	    t->index != size / (wide * TILE_WIDTH) - 1)
		return err_of(E_INVALID);
	h = c->tree->edge[t->level].hash;
	while (i < TILE_WIDTH && hash_eq(&h[i], &t->hash[i]))
		i++;
	if (i == TILE_WIDTH)
		return OK;
	first = (t->index * TILE_WIDTH + i) * wide + 1;
	return finding_range(&c->v, first, first + wide - 1,
	    "was changed: it does not have the hash stored in its tile");
}

err
audit_check_tile(struct audit_check *c, const struct audit_tile *t,
    struct audit_verdict *v)
{
	err e = tile_compare(c, t);

	*v = c->v;
	return e;
}

/* What the signature vouches for is not what was fed. */
static err
root_differs(struct audit_check *c, uint64_t size)
{
	uint64_t good = c->v.signed_size;
	char rest[80];

	if (good >= size)
		return finding(&c->v, 1,
		    "two signed checkpoints of size %" PRIu64 " differ", size);
	(void)snprintf(rest, sizeof rest,
	    "was changed after it was signed, says checkpoint %" PRIu64, size);
	return finding_range(&c->v, good + 1, size, rest);
}

/* A tile is whole at the edge until the next leaf comes. */
static err
edge_load(void *ctx, unsigned level, uint64_t index, struct audit_tile *ret)
{
	const struct audit_tree *t = ctx;
	uint64_t wide = UINT64_C(1) << (8 * (level + 1));

	if (t->peaks.size != (index + 1) * wide)
		return err_of(E_NOT_FOUND);
	*ret = t->edge[level];
	return OK;
}

/* kept: the size the note is kept under. */
static err
note_read(struct audit_check *c, uint64_t kept, struct str note,
    const struct note_key *k, struct checkpoint *ret)
{
	uint64_t next = c->v.signed_size + 1;
	err e = checkpoint_open(note, k, ret);

	if (err_is(e, E_CORRUPT))
		return finding(&c->v, next,
		    "checkpoint %" PRIu64 " is malformed", kept);
	if (err_is(e, E_BAD_ANSWER))
		return finding(&c->v, next,
		    "checkpoint %" PRIu64 " is not signed by %.80s", kept,
		    k->name);
	TRY(e);
	if (ret->size != kept)
		return finding(&c->v, next,
		    "checkpoint %" PRIu64 " is that of size %" PRIu64, kept,
		    ret->size);
	return OK;
}

static err
note_compare(struct audit_check *c, uint64_t kept, struct str note,
    const struct note_key *k)
{
	uint64_t size = audit_check_size(c);
	struct checkpoint cp;
	struct hash root;
	err e;

	if (is_bad(c))
		return err_of(E_BAD_ANSWER);
	TRY(note_read(c, kept, note, k, &cp));
	if (cp.size > size)
		return finding(&c->v, size + 1,
		    "the entries %" PRIu64 " to %" PRIu64
		    " are missing: a signed checkpoint covers them",
		    size + 1, cp.size);
	e = audit_tree_root_at(c->tree, cp.size, edge_load, c->tree, &root);
	if (!err_ok(e))
		return err_of(E_INVALID);
	if (!hash_eq(&root, &cp.root))
		return root_differs(c, cp.size);
	if (c->v.signed_size < cp.size)
		c->v.signed_size = cp.size;
	return OK;
}

err
audit_check_note(struct audit_check *c, uint64_t kept, struct str note,
    const struct note_key *k, struct audit_verdict *v)
{
	err e = note_compare(c, kept, note, k);

	*v = c->v;
	return e;
}

void
audit_check_origin(struct audit_check *c, struct str origin)
{
	if (origin.n < sizeof c->feed.epoch) {
		memcpy(c->feed.epoch, origin.p, origin.n);
		c->feed.epoch[origin.n] = '\0';
	}
}

struct str
audit_check_epoch(const struct audit_check *c)
{
	return str_c(c->feed.epoch);
}

err
audit_check_past(struct audit_check *c, struct str leaf, tile_load load,
    void *ctx, struct audit_verdict *v)
{
	uint64_t seq = audit_check_size(c);
	struct hash root;
	struct fork f;
	err e;

	TRY(fork_read(leaf, &f));
	if (f.size >= seq)
		return OK; /* of what is lost nothing can be said */
	TRY(audit_tree_root_at(c->tree, f.size, load, ctx, &root));
	if (hash_eq(&root, &f.root))
		return OK;
	e = finding(&c->v, seq,
	    "the %" PRIu64 " entries that were signed before the fork at "
	    "entry %" PRIu64 " were others",
	    f.size, seq);
	*v = c->v;
	return e;
}

err
audit_check_end(struct audit_check *c, struct audit_verdict *v)
{
	err e = err_of(is_bad(c) ? E_BAD_ANSWER : E_OK);

	if (err_ok(e) && c->v.entries > 0 && c->v.signed_size == 0)
		e = finding(&c->v, 1, "no signed checkpoint covers the log");
	*v = c->v;
	return e;
}
