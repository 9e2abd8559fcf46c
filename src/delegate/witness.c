#include "delegate/witness.h"

#include "delegate/home.h"

/* "log.forked\n", and the two notes. */
static enum reason
distrust_read(int dir)
{
	CLEANUP(buf_done) struct buf b;
	struct str line, rest;
	err e;

	buf_init(&b, 4 * NOTE_MAX);
	e = home_read(dir, "distrust", &b);
	if (err_is(e, E_NOT_FOUND))
		return REASON_NONE;
	/* A file that is there and cannot be read is no reason to trust. */
	if (!err_ok(e))
		return REASON_DISTRUST;
	str_cut(buf_view(&b), '\n', &line, &rest);
	return str_eq(line, reason_code(REASON_SHRUNKEN)) ? REASON_SHRUNKEN
							  : REASON_FORKED;
}

static enum reason
distrust(struct witness *w, enum reason why, struct str note)
{
	CLEANUP(buf_done) struct buf b;

	buf_init(&b, 4 * NOTE_MAX);
	buf_str(&b, reason_code(why));
	buf_c(&b, "\n\nthe last checkpoint this delegate took:\n\n");
	buf_str(&b, w->note);
	buf_c(&b, "\nwhat the server showed then:\n\n");
	buf_str(&b, note);
	w->distrust = why;
	err_ignore(home_write(w->dir, "distrust", 0400, buf_view(&b)),
	    "the next start asks the same server the same again");
	return why;
}

static void
keep(struct witness *w, struct str note, const struct checkpoint *c)
{
	memcpy(w->store, note.p, note.n);
	w->note = str_of(w->store, note.n);
	w->last = *c;
}

err
witness_open(int dir, const struct note_key *key, struct trail *t,
    struct witness *ret)
{
	CLEANUP(buf_done) struct buf b;
	struct checkpoint c;
	err e;

	*ret = (struct witness){.dir = dir, .key = *key};
	ret->distrust = distrust_read(dir);
	buf_init(&b, NOTE_MAX);
	e = home_read(dir, "witness", &b);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	if (err_ok(e) && err_ok(checkpoint_open(buf_view(&b), key, &c))) {
		keep(ret, buf_view(&b), &c);
		return OK;
	}
	trail_set(t, "witness: no checkpoint of this server's log");
	return err_ok(e) ? err_of(E_CORRUPT) : e;
}

/* Does it extend the last one? */
static enum reason
follows(const struct witness *w, const struct checkpoint *c,
    const struct hash *proof, size_t n)
{
	const struct checkpoint *l = &w->last;

	if (c->size < l->size)
		return REASON_SHRUNKEN;
	if (l->size == 0)
		return REASON_NONE; /* everything extends nothing */
	if (c->size == l->size)
		return memcmp(c->root.b, l->root.b, HASH_SIZE) == 0
		    ? REASON_NONE
		    : REASON_FORKED;
	return err_ok(audit_verify_consistency(l->size, &l->root, c->size,
		   &c->root, proof, n))
	    ? REASON_NONE
	    : REASON_FORKED;
}

enum reason
witness_see(struct witness *w, struct str note, const struct hash *proof,
    size_t n, struct checkpoint *ret)
{
	struct checkpoint c;
	enum reason r;

	if (w->distrust != REASON_NONE)
		return REASON_DISTRUST;
	if (note.n > NOTE_MAX || !err_ok(checkpoint_open(note, &w->key, &c)))
		return REASON_CHECKPOINT;
	r = follows(w, &c, proof, n);
	if (r != REASON_NONE)
		return distrust(w, r, note);
	if (c.size > w->last.size || w->note.n == 0) {
		if (!err_ok(home_write(w->dir, "witness", 0600, note)))
			return REASON_JOURNAL;
		keep(w, note, &c);
	}
	*ret = c;
	return REASON_NONE;
}

err
witness_cosign(const struct witness *w, struct str name,
    const uint8_t seed[SECRET_SIZE], uint64_t seconds, struct buf *b)
{
	if (w->note.n == 0)
		return err_of(E_NOT_FOUND);
	return note_cosign(w->note, name, seed, seconds, b);
}
