/*
 * witness.c: others watch the audit log.  Delegates get its next checkpoint
 * with a proof that it extends the one they have, and give it back cosigned
 * (doc/PROTOCOL.delegate 9); whoever else is registered does the same with
 * /v1/audit/log/consistency and /v1/audit/cosignatures (PROTOCOL.audit 11).
 */
#include "base/limits.h"
#include "base/text.h"
#include "flow/admin_body.h"
#include "flow/cosigned.h"
#include "flow/delegates.h"
#include "flow/handlers.h"
#include "flow/writer.h"
#include "store/cosignature.h"

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
	TRY(cosigned_next(c, old, &size, &note));
	w = answer(c, 200);
	jw_obj(w);
	jw_kstr(w, "checkpoint", note);
	TRY(delegate_consistency_json(c, w, old, size));
	jw_obj_end(w);
	c->rec.skip = true;
	return buf_check(&c->out);
}

/* One of ours, of a size we have. */
static err
judge(struct call *c, struct str note, struct checkpoint *ret)
{
	struct note_key key;
	struct str stored;
	uint64_t size;
	struct checkpoint mine;

	TRY(note_key_parse(str_c(c->lane->state->trust.log_key), &key));
	if (!err_ok(checkpoint_open(note, &key, ret)))
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

/* The witness's line, when there is one; a time to come proves nothing. */
static err
take(struct call *c, struct str note, uint64_t size, const struct note_key *key,
    const struct uuid *witness, bool *ret)
{
	struct cosignature_row r = {.witness = *witness, .size = size};
	uint64_t seconds;

	*ret = note_cosigned(note, key, &seconds, &r.line);
	if (!*ret)
		return OK;
	if (seconds > (uint64_t)c->now / 1000 + LIM_WITNESS_SKEW_S)
		return call_bad(c, E_INVALID,
		    "checkpoint: cosigned at a time "
		    "to come");
	r.time = (int64_t)seconds * 1000;
	c->dirty = true;
	return store_cosignature_put(c->lane->conn, &r);
}

err
route_delegate_witness(struct call *c)
{
	struct str note = body_text(c, "checkpoint", STR(""));
	const struct delegate *d;
	struct checkpoint cp;
	struct note_key key;
	bool taken;

	TRY(delegate_self(c, &d));
	TRY(judge(c, note, &cp));
	TRY(witness_delegate_key(d, &key));
	TRY(take(c, note, cp.size, &key, &d->o.id, &taken));
	if (!taken)
		return call_bad(c, E_INVALID,
		    "checkpoint: not the log's, or not cosigned by you");
	answer_empty(c, 204);
	c->rec.skip = true;
	return OK;
}

/* ---- POST /v1/audit/cosignatures ---- */

err
route_audit_cosign(struct call *c)
{
	struct str note = body_text(c, "checkpoint", STR(""));
	const struct object *const *o;
	struct str name[LIM_WITNESSES];
	struct checkpoint cp;
	size_t n, taken_n = 0;
	struct jw *w;

	TRY(judge(c, note, &cp));
	o = world_objects(call_world(c), OBJECT_WITNESS, &n);
	for (size_t i = 0; i < n; i++) {
		const struct witness_object *x =
		    (const struct witness_object *)o[i];
		struct note_key key;
		bool taken;

		TRY(witness_key(x, &key));
		TRY(take(c, note, cp.size, &key, &x->o.id, &taken));
		if (!taken)
			continue;
		name[taken_n++] = x->name;
		call_touch(c, "witness", &x->o.id);
	}
	if (taken_n == 0)
		return call_bad(c, E_INVALID,
		    "checkpoint: no cosignature of a witness that is "
		    "registered, or a wrong one");
	w = answer(c, 200);
	jw_obj(w);
	jw_ki64(w, "size", (int64_t)cp.size);
	strs_json(w, "witnesses", name, taken_n);
	jw_obj_end(w);
	return buf_check(&c->out);
}
