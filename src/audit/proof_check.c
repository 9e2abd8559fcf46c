#include "audit/edge.h"

/*
 * The two loops of RFC 9162, 2.1.3.2 and 2.1.4.2.  fn and sn are the place
 * of the node being proved and of the last node, on the level reached.
 */
struct walk {
	uint64_t fn, sn;
};

static bool
odd(uint64_t n)
{
	return (n & 1) != 0;
}

/* Is the next hash of the proof a left sibling?  Then skip the levels on
 * which the node has no sibling at all. */
static bool
walk_left(struct walk *w)
{
	if (!odd(w->fn) && w->fn != w->sn)
		return false;
	while (!odd(w->fn) && w->fn != 0) {
		w->fn >>= 1;
		w->sn >>= 1;
	}
	return true;
}

static void
walk_up(struct walk *w)
{
	w->fn >>= 1;
	w->sn >>= 1;
}

err
audit_verify_inclusion(const struct hash *leaf, uint64_t index, uint64_t size,
    const struct hash *proof, size_t n, const struct hash *root)
{
	struct walk w = {index, size - 1};
	struct hash r = *leaf;

	if (index >= size)
		return err_of(E_BAD_ANSWER);
	for (size_t i = 0; i < n; i++) {
		if (w.sn == 0)
			return err_of(E_BAD_ANSWER);
		if (walk_left(&w))
			audit_node_hash(&proof[i], &r, &r);
		else
			audit_node_hash(&r, &proof[i], &r);
		walk_up(&w);
	}
	if (w.sn != 0 || !hash_eq(&r, root))
		return err_of(E_BAD_ANSWER);
	return OK;
}

static err
grown(uint64_t old_size, const struct hash *old_root, uint64_t new_size,
    const struct hash *new_root, const struct hash *proof, size_t n)
{
	struct walk w = {old_size - 1, new_size - 1};
	const struct hash *end = proof + n;
	struct hash fr, sr;

	while (odd(w.fn))
		walk_up(&w);
	/* fn is 0 only when the old tree is complete: it is a node itself. */
	fr = w.fn == 0 ? *old_root : *proof++;
	sr = fr;
	for (; proof < end; proof++) {
		if (w.sn == 0)
			return err_of(E_BAD_ANSWER);
		if (walk_left(&w)) {
			audit_node_hash(proof, &fr, &fr);
			audit_node_hash(proof, &sr, &sr);
		} else {
			audit_node_hash(&sr, proof, &sr);
		}
		walk_up(&w);
	}
	if (w.sn != 0 || !hash_eq(&fr, old_root) || !hash_eq(&sr, new_root))
		return err_of(E_BAD_ANSWER);
	return OK;
}

err
audit_verify_consistency(uint64_t old_size, const struct hash *old_root,
    uint64_t new_size, const struct hash *new_root, const struct hash *proof,
    size_t n)
{
	bool good = n == 0;

	if (old_size > 0 && old_size < new_size && n > 0)
		return grown(old_size, old_root, new_size, new_root, proof, n);
	if (old_size == new_size)
		good = good && hash_eq(old_root, new_root);
	else
		good = good && old_size == 0;
	return err_of(good ? E_OK : E_BAD_ANSWER);
}
