/* cosigned.c: see cosigned.h. */
#include "flow/cosigned.h"

#include "store/cosignature.h"

enum { ROWS = LIM_WITNESSES + 56 };

/* ---- keys ---- */

err
witness_key(const struct witness_object *w, struct note_key *ret)
{
	return note_witness_parse(w->key, ret);
}

err
witness_delegate_key(const struct delegate *d, struct note_key *ret)
{
	char name[32 + UUID_TEXT + 1];
	struct buf b = {.p = name, .cap = sizeof name, .max = sizeof name};
	char id[UUID_TEXT + 1];

	uuid_text(&d->o.id, id);
	buf_c(&b, "redoubt-delegate/");
	buf_c(&b, id);
	return note_witness_of(buf_view(&b), d->ed25519, ret);
}

/* ---- notes ---- */

/* Registered witnesses first: there may be more delegates than lines. */
static void
add_lines(struct call *c, const struct cosignature_row *r, size_t n,
    bool registered, struct buf *b, size_t *room)
{
	for (size_t i = 0; i<n && * room> 0; i++) {
		if ((world_witness(call_world(c), &r[i].witness) != NULL) !=
		    registered)
			continue;
		buf_str(b, r[i].line);
		(*room)--;
	}
}

err
cosigned_note(struct call *c, uint64_t size, struct str note, struct str *ret)
{
	struct cosignature_row row[ROWS];
	size_t n, room = NOTE_SIGNATURES - 1;
	struct buf b;

	TRY(store_cosignatures_at(c->lane->conn, size, c->a, row, ROWS, &n));
	buf_init_on(&b, c->a, NOTE_MAX);
	buf_str(&b, note);
	add_lines(c, row, n, true, &b, &room);
	add_lines(c, row, n, false, &b, &room);
	*ret = buf_view(&b);
	return buf_check(&b);
}

/* A log that goes on under another name is witnessed anew. */
static bool
ours(struct call *c, struct str note)
{
	struct str name, origin, rest;

	return str_cut(str_c(c->lane->state->trust.log_key), '+', &name,
		   &rest) &&
	    str_cut(note, '\n', &origin, &rest) && str_eq(origin, name);
}

err
cosigned_next(struct call *c, uint64_t old, uint64_t *ret_size,
    struct str *ret_note)
{
	const struct policy *p = world_policy(call_world(c));
	/* twice in the time the policy gives, and then the same for all */
	int64_t slot = (int64_t)p->witness_minutes * 60000 / 2;
	err e = store_cosigned_since(c->lane->conn, c->now - c->now % slot,
	    old + 1, c->a, ret_size, ret_note);

	if (!err_ok(e) && !err_is(e, E_NOT_FOUND))
		return e;
	if (err_ok(e) && ours(c, *ret_note))
		return OK;
	return store_checkpoint_get(c->lane->conn, 0, c->a, ret_size, ret_note);
}

static err
fresh_size(struct call *c, uint64_t from, uint64_t *ret)
{
	const struct policy *p = world_policy(call_world(c));
	int64_t time;

	TRY(store_cosigned_size(c->lane->conn, from == 0 ? 1 : from,
	    p->witness_quorum, ret));
	TRY(store_checkpoint_time(c->lane->conn, *ret, &time));
	return err_of(c->now - time > (int64_t)p->witness_minutes * 60000
		? E_NOT_FOUND
		: E_OK);
}

err
cosigned_best(struct call *c, uint64_t from, uint64_t *ret_size,
    struct str *ret_note)
{
	struct str note = STR_NONE;
	uint64_t size = 0;
	err e = fresh_size(c, from, &size);

	if (err_ok(e))
		e = store_checkpoint_get(c->lane->conn, size, c->a, &size,
		    &note);
	if (!err_ok(e) && !err_is(e, E_NOT_FOUND))
		return e;
	if (!err_ok(e) || !ours(c, note))
		TRY(store_checkpoint_get(c->lane->conn, 0, c->a, &size, &note));
	*ret_size = size;
	return cosigned_note(c, size, note, ret_note);
}

err
cosigned_last(struct call *c, uint64_t *ret_size, struct str *ret_note)
{
	struct str note;
	uint64_t size;

	TRY(store_cosigned_size(c->lane->conn, 1,
	    world_policy(call_world(c))->witness_quorum, &size));
	TRY(store_checkpoint_get(c->lane->conn, size, c->a, ret_size, &note));
	if (!ours(c, note))
		return err_of(E_NOT_FOUND);
	return cosigned_note(c, size, note, ret_note);
}

/* ---- how well it is watched ---- */

static err
count_one(struct call *c, const struct uuid *id, bool registered,
    struct cosigned_state *s)
{
	int64_t most =
	    (int64_t)world_policy(call_world(c))->witness_minutes * 60000;
	struct cosignature_row row;
	struct scratch tmp;
	err e;

	scratch_begin(c, &tmp);
	e = store_cosignature_last(c->lane->conn, id, c->a, &row);
	scratch_end(c, &tmp);
	if (err_is(e, E_NOT_FOUND)) {
		s->witnesses += registered;
		return OK;
	}
	TRY(e);
	s->witnesses++;
	s->fresh += c->now - row.time <= most;
	return OK;
}

err
cosigned_state(struct call *c, struct cosigned_state *ret)
{
	const struct object *const *o;
	struct cosigned_state s = {.size = 0};
	size_t n;
	err e;

	o = world_objects(call_world(c), OBJECT_WITNESS, &n);
	for (size_t i = 0; i < n; i++)
		TRY(count_one(c, &o[i]->id, true, &s));
	o = world_objects(call_world(c), OBJECT_DELEGATE, &n);
	for (size_t i = 0; i < n; i++)
		TRY(count_one(c, &o[i]->id, false, &s));
	e = store_cosigned_size(c->lane->conn, 1,
	    world_policy(call_world(c))->witness_quorum, &s.size);
	if (err_ok(e))
		e = store_checkpoint_time(c->lane->conn, s.size, &s.time);
	if (!err_ok(e) && !err_is(e, E_NOT_FOUND))
		return e;
	*ret = s;
	return OK;
}
