/* audit_api.c: /v1/audit: entries, checkpoint and proofs. */
#include "base/text.h"
#include "flow/audit_page.h"
#include "flow/handlers.h"
#include "flow/ledger.h"
#include "flow/writer.h"

/* ---- entries ---- */

static void
opt(struct jw *w, const char *name, struct str s)
{
	jw_name(w, str_c(name));
	jw_str(w, s.n == 0 ? STR_NONE : s);
}

static void
entry_json(struct jw *w, const struct audit_entry *e, struct str leaf)
{
	jw_obj(w);
	jw_ki64(w, "seq", (int64_t)e->seq);
	jw_time(w, "time", e->time);
	jw_kobj(w, "principal");
	jw_kstr(w, "kind", e->principal_kind);
	opt(w, "id", e->principal_id);
	opt(w, "credential", e->credential);
	jw_obj_end(w);
	jw_kstr(w, "action", str_c(audit_action_text(e->action)));
	jw_kstr(w, "outcome", str_c(audit_outcome_text(e->outcome)));
	opt(w, "reason", e->reason);
	opt(w, "project", e->project);
	jw_karr(w, "resource");
	for (size_t i = 0; i < e->resources; i++) {
		jw_obj(w);
		jw_kstr(w, "type", e->resource[i].type);
		jw_kstr(w, "id", e->resource[i].id);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	opt(w, "request_id", e->request_id);
	opt(w, "address", e->address);
	jw_ki64(w, "count", e->count > 1 ? (int64_t)e->count : 1);
	jw_kstr(w, "leaf", leaf);
	jw_obj_end(w);
}

err
route_audit_list(struct call *c)
{
	struct audit_query q;

	TRY(audit_query_params(c, &q));
	return audit_page(c, &q, entry_json);
}

err
route_audit_get(struct call *c)
{
	struct audit_entry e;
	struct str leaf;
	uint64_t seq;

	if (!str_u64(c->var[0], 1, INT64_MAX, &seq))
		return err_of(E_NOT_FOUND);
	TRY(store_audit_get(c->lane->conn, seq, c->a, &leaf));
	TRY(audit_leaf_read(c->a, leaf, &e));
	call_touch_num(c, "audit", seq);
	entry_json(answer(c, 200), &e, leaf);
	return buf_check(&c->out);
}

/* ---- checkpoint and proofs: text, as C2SP has them ---- */

static struct buf *
text(struct call *c)
{
	(void)answer(c, 200);
	c->content_type = STR("text/plain; charset=utf-8");
	return &c->out;
}

err
route_audit_checkpoint(struct call *c)
{
	struct str note;
	uint64_t size;

	TRY(store_checkpoint_get(c->lane->conn, 0, c->a, &size, &note));
	buf_str(text(c), note);
	return buf_check(&c->out);
}

static void
hashes(struct buf *b, const struct hash_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		b64_add(b, str_of((const char *)l->h[i].b, HASH_SIZE));
		buf_char(b, '\n');
	}
}

/* C2SP tlog-proof: the entry is in the tree of the newest checkpoint. */
static err
inclusion(struct call *c, uint64_t seq)
{
	const struct audit_tree *tree =
	    ledger_tree(writer_ledger(c->lane->writer));
	struct hash_list proof;
	struct str note;
	uint64_t size;
	struct buf *b;

	TRY(store_checkpoint_get(c->lane->conn, 0, c->a, &size, &note));
	if (seq > size)
		return call_bad(c, E_NOT_FOUND,
		    "entry %llu is in no checkpoint yet",
		    (unsigned long long)seq);
	TRY(audit_tree_inclusion(tree, seq - 1, size, ledger_tile,
	    c->lane->conn, c->a, &proof));
	call_touch_num(c, "audit", seq);
	b = text(c);
	buf_fmt(b, "c2sp.org/tlog-proof@v1\nindex %llu\n",
	    (unsigned long long)(seq - 1));
	hashes(b, &proof);
	buf_char(b, '\n');
	buf_str(b, note);
	return buf_check(b);
}

/*
 * As in the request of C2SP tlog-witness: "old N", the proof, an empty line,
 * and the checkpoint of the new size when one was signed.
 */
static err
consistency(struct call *c, uint64_t old, uint64_t new)
{
	struct ledger *g = writer_ledger(c->lane->writer);
	struct hash_list proof;
	struct str note;
	uint64_t size;
	struct buf *b;
	err e;

	if (new >= ledger_next(g) || old > new)
		return call_bad(c, E_INVALID,
		    "old and new must be sizes the "
		    "log has had, old not above new");
	TRY(audit_tree_consistency(ledger_tree(g), old, new, ledger_tile,
	    c->lane->conn, c->a, &proof));
	b = text(c);
	buf_fmt(b, "old %llu\n", (unsigned long long)old);
	hashes(b, &proof);
	buf_char(b, '\n');
	e = store_checkpoint_get(c->lane->conn, new, c->a, &size, &note);
	if (err_ok(e) && size == new)
		buf_str(b, note);
	else if (!err_is(e, E_NOT_FOUND))
		TRY(e);
	return buf_check(b);
}

err
route_audit_proof(struct call *c)
{
	struct str seq = c->query.raw[PARAM_SEQ];
	struct str old = c->query.raw[PARAM_OLD];
	struct str new = c->query.raw[PARAM_NEW];
	uint64_t a, b;

	if (seq.p != NULL && old.p == NULL &&
	    new.p == NULL &&str_u64(seq, 1, INT64_MAX, &a))
		return inclusion(c, a);
	if (seq.p == NULL && old.p != NULL &&
	    new.p != NULL &&str_u64(old, 0, INT64_MAX, &a) &&
	    str_u64(new, 0, INT64_MAX, &b))
		return consistency(c, a, b);
	return call_bad(c, E_INVALID, "give seq, or old and new");
}
