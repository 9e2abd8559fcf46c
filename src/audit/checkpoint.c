#include "audit/edge.h"
#include "audit/note.h"

#include "base/text.h"

err
checkpoint_sign(const struct checkpoint *c, const struct note_key *k,
    const uint8_t seed[SECRET_SIZE], struct buf *b)
{
	CLEANUP(buf_done) struct buf text;

	if (c->size > TREE_SIZE_MAX || strcmp(c->origin, k->name) != 0)
		return err_of(E_INVALID);
	buf_init(&text, 512);
	buf_c(&text, c->origin);
	buf_char(&text, '\n');
	buf_u64(&text, c->size);
	buf_char(&text, '\n');
	b64_add(&text, str_of((const char *)c->root.b, HASH_SIZE));
	buf_char(&text, '\n');
	TRY(buf_check(&text));
	return note_sign(buf_view(&text), k, seed, b);
}

/* Three lines and nothing behind them. */
static err
body_parse(struct arena *a, struct str text, struct checkpoint *ret)
{
	struct checkpoint c = {.size = 0};
	struct str origin, size, root;

	if (!str_cut(text, '\n', &origin, &text) ||
	    !str_cut(text, '\n', &size, &text) ||
	    !str_cut(text, '\n', &root, &text) || text.n != 0)
		return err_of(E_CORRUPT);
	if (origin.n == 0 || origin.n > NOTE_NAME_MAX ||
	    !str_u64(size, 0, TREE_SIZE_MAX, &c.size) ||
	    !b64_decode(a, root, &root) || root.n != HASH_SIZE)
		return err_of(a->failed ? E_NO_MEMORY : E_CORRUPT);
	memcpy(c.origin, origin.p, origin.n);
	memcpy(c.root.b, root.p, HASH_SIZE);
	*ret = c;
	return OK;
}

err
checkpoint_open(struct str note, const struct note_key *k,
    struct checkpoint *ret)
{
	CLEANUP(arena_done) struct arena a;
	struct checkpoint c;
	struct str text;

	arena_init(&a, NOTE_MAX);
	TRY(note_open(note, k, &text));
	TRY(body_parse(&a, text, &c));
	if (strcmp(c.origin, k->name) != 0)
		return err_of(E_BAD_ANSWER);
	*ret = c;
	return OK;
}

err
checkpoint_may_follow(const struct checkpoint *last,
    const struct checkpoint *next, const struct hash *proof, size_t n)
{
	struct hash empty;

	audit_empty_hash(&empty);
	if (strcmp(last->origin, next->origin) != 0 ||
	    next->size > TREE_SIZE_MAX || next->size < last->size)
		return err_of(E_BAD_ANSWER);
	if (next->size == 0)
		return err_of(n == 0 && hash_eq(&next->root, &empty)
			? E_OK
			: E_BAD_ANSWER);
	return audit_verify_consistency(last->size, &last->root, next->size,
	    &next->root, proof, n);
}
