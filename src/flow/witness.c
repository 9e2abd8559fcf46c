/*
 * witness.c: delegates watch the audit log, doc/PROTOCOL.delegate 9: they get
 * its newest checkpoint with a proof that it extends the one they have, and
 * give it back cosigned.
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "flow/admin_body.h"
#include "flow/delegates.h"
#include "flow/handlers.h"
#include "flow/writer.h"
#include "store/task.h"

err
delegate_consistency_json(struct call *c, struct jw *w, uint64_t old,
    uint64_t size)
{
	struct hash_list proof = {.n = 0};

	/* an older one than it has seen needs no proof: it is wrong */
	if (old <= size)
		TRY(audit_tree_consistency(ledger_tree(
					       writer_ledger(c->lane->writer)),
		    old, size, ledger_tile, c->lane->conn, c->a, &proof));
	jw_karr(w, "consistency");
	for (size_t i = 0; i < proof.n; i++)
		jw_b64(w, str_of((const char *)proof.h[i].b, HASH_SIZE));
	jw_arr_end(w);
	return OK;
}

err
route_delegate_checkpoint(struct call *c)
{
	struct str raw = c->query.raw[PARAM_OLD], note;
	uint64_t old = 0, size;
	struct jw *w;

	if (raw.p != NULL && !str_u64(raw, 0, INT64_MAX, &old))
		return call_bad(c, E_INVALID, "old: a size the log has had");
	TRY(store_checkpoint_get(c->lane->conn, 0, c->a, &size, &note));
	w = answer(c, 200);
	jw_obj(w);
	jw_kstr(w, "checkpoint", note);
	TRY(delegate_consistency_json(c, w, old, size));
	jw_obj_end(w);
	c->rec.skip = true;
	return buf_check(&c->out);
}

/* One of ours, of a size we have, with its own signature below. */
static err
judge(struct call *c, const struct delegate *d, struct str note,
    struct checkpoint *ret)
{
	char name[64 + UUID_TEXT], id[UUID_TEXT + 1];
	struct note_key key;
	struct str stored;
	uint64_t size, seconds;
	struct checkpoint mine;

	uuid_text(&d->o.id, id);
	(void)snprintf(name, sizeof name, "redoubt-delegate/%s", id);
	TRY(note_key_parse(str_c(c->lane->state->trust.log_key), &key));
	if (!err_ok(checkpoint_open(note, &key, ret)) ||
	    !note_cosigned(note, str_c(name), d->ed25519, &seconds))
		return call_bad(c, E_INVALID,
		    "checkpoint: not the log's, or not cosigned by you");
	if (!err_ok(store_checkpoint_get(c->lane->conn, ret->size, c->a, &size,
		&stored)) ||
	    size != ret->size)
		return call_bad(c, E_CONFLICT,
		    "the log has no such checkpoint");
	TRY(checkpoint_open(stored, &key, &mine));
	if (memcmp(mine.root.b, ret->root.b, HASH_SIZE) != 0)
		return call_bad(c, E_CONFLICT, "another root at that size");
	return OK;
}

err
route_delegate_witness(struct call *c)
{
	struct str note = body_text(c, "checkpoint", STR(""));
	struct witness_row old, r = {.time = c->now, .note = note};
	const struct delegate *d;
	struct checkpoint cp;
	err e;

	TRY(delegate_self(c, &d));
	TRY(judge(c, d, note, &cp));
	r.delegate = d->o.id;
	r.size = cp.size;
	e = store_witness_get(c->lane->conn, &d->o.id, c->a, &old);
	answer_empty(c, 204);
	c->rec.skip = true;
	if (err_ok(e) && old.size >= r.size)
		return OK; /* an older one comes late */
	if (!err_ok(e) && !err_is(e, E_NOT_FOUND))
		return e;
	c->dirty = true;
	return store_witness_put(c->lane->conn, &r);
}
