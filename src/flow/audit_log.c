/*
 * audit_log.c: checkpoints, proofs, and /v1/audit/log: the log as C2SP
 * tlog-tiles has it, for clients that know that and nothing of Redoubt
 * (doc/PROTOCOL.audit 10).  Tiles and bundles show what a checkpoint has
 * signed; the rest is not there yet.
 */
#include "audit/tile_path.h"
#include "base/text.h"
#include "flow/cosigned.h"
#include "flow/handlers.h"
#include "flow/ledger.h"
#include "flow/writer.h"

/* ---- checkpoints and proofs: text, as C2SP has them ---- */

static struct buf *
text(struct call *c)
{
	(void)answer(c, 200);
	c->content_type = STR("text/plain; charset=utf-8");
	return &c->out;
}

static err
answer_note(struct call *c, struct str note)
{
	buf_str(text(c), note);
	return buf_check(&c->out);
}

/* Who signs the log.  Whoever trusts the log should have it by another way,
 * and compare. */
err
route_audit_key(struct call *c)
{
	struct buf *b = text(c);

	buf_str(b, str_c(c->lane->state->trust.log_key));
	buf_char(b, '\n');
	return buf_check(b);
}

err
route_audit_checkpoint(struct call *c)
{
	struct str note;
	uint64_t size;

	TRY(store_checkpoint_get(c->lane->conn, 0, c->a, &size, &note));
	TRY(cosigned_note(c, size, note, &note));
	return answer_note(c, note);
}

/* What enough witnesses have cosigned, when they are up to date. */
err
route_audit_log_checkpoint(struct call *c)
{
	struct str note;
	uint64_t size;

	TRY(cosigned_best(c, 0, &size, &note));
	return answer_note(c, note);
}

static void
hashes(struct buf *b, const struct hash_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		b64_add(b, str_of((const char *)l->h[i].b, HASH_SIZE));
		buf_char(b, '\n');
	}
}

/* C2SP tlog-proof: the entry is in the tree of a checkpoint: one that is
 * witnessed, if it covers the entry. */
static err
inclusion(struct call *c, uint64_t seq)
{
	const struct audit_tree *tree =
	    ledger_tree(writer_ledger(c->lane->writer));
	struct hash_list proof;
	struct str note;
	uint64_t size;
	struct buf *b;

	TRY(cosigned_best(c, seq, &size, &note));
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

/* As in the request of C2SP tlog-witness: "old N", the proof, an empty line,
 * and the checkpoint of the new size when one was signed. */
static err
consistency(struct call *c, uint64_t old, uint64_t new, struct str note)
{
	struct hash_list proof;
	struct buf *b;

	TRY(audit_tree_consistency(ledger_tree(writer_ledger(c->lane->writer)),
	    old, new, ledger_tile, c->lane->conn, c->a, &proof));
	b = text(c);
	buf_fmt(b, "old %llu\n", (unsigned long long)old);
	hashes(b, &proof);
	buf_char(b, '\n');
	buf_str(b, note);
	return buf_check(b);
}

static err
between(struct call *c, uint64_t old, uint64_t new)
{
	struct str note = STR_NONE;
	uint64_t size;
	err e;

	if (new >= ledger_next(writer_ledger(c->lane->writer)) || old > new)
		return call_bad(c, E_INVALID,
		    "old and new must be sizes the "
		    "log has had, old not above new");
	e = store_checkpoint_get(c->lane->conn, new, c->a, &size, &note);
	if (err_ok(e) && size == new)
		TRY(cosigned_note(c, size, note, &note));
	else if (err_ok(e) || err_is(e, E_NOT_FOUND))
		note = STR_NONE;
	else
		return e;
	return consistency(c, old, new, note);
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
		return between(c, a, b);
	return call_bad(c, E_INVALID, "give seq, or old and new");
}

/* For witnesses: what to cosign next, and that it extends what they have
 * seen. */
err
route_audit_log_consistency(struct call *c)
{
	struct str raw = c->query.raw[PARAM_OLD], note;
	uint64_t old, size;

	if (!str_u64(raw, 0, INT64_MAX, &old))
		return call_bad(c, E_INVALID, "old: a size the log has had");
	TRY(cosigned_next(c, old, &size, &note));
	if (old > size)
		return call_bad(c, E_CONFLICT,
		    "the log has %llu signed entries, and never had %llu",
		    (unsigned long long)size, (unsigned long long)old);
	return consistency(c, old, size, note);
}

/* ---- tiles ---- */

static err
signed_size(struct call *c, uint64_t *ret)
{
	struct str note;

	return store_checkpoint_get(c->lane->conn, 0, c->a, ret, &note);
}

/* The same bytes for ever. */
static struct buf *
answer_bytes(struct call *c)
{
	(void)answer(c, 200);
	c->content_type = STR("application/octet-stream");
	c->immutable = true;
	return &c->out;
}

err
route_audit_log_tile(struct call *c)
{
	struct hash hash[TILE_WIDTH];
	struct tile_path t;
	unsigned level;
	uint64_t size;

	if (!tile_level_parse(c->var[0], &level) ||
	    !tile_path_parse(c->var[1], &t))
		return err_of(E_NOT_FOUND);
	TRY(signed_size(c, &size));
	TRY(audit_tree_tile(ledger_tree(writer_ledger(c->lane->writer)), size,
	    level, t.index, t.width, ledger_tile, c->lane->conn, hash));
	buf_add(answer_bytes(c), hash, t.width * sizeof *hash);
	return buf_check(&c->out);
}

/* ---- bundles of entries ---- */

struct bundle {
	struct buf *b;
	unsigned n, want;
};

static bool
bundle_one(void *ctx, uint64_t seq, struct str leaf)
{
	struct bundle *k = ctx;

	(void)seq;
	if (k->n == k->want)
		return false;
	k->n++;
	buf_be16(k->b, (uint16_t)leaf.n);
	buf_str(k->b, leaf);
	return true;
}

err
route_audit_log_entries(struct call *c)
{
	struct bundle k = {.n = 0};
	struct tile_path t;
	uint64_t size, first;

	if (!tile_path_parse(c->var[0], &t))
		return err_of(E_NOT_FOUND);
	TRY(signed_size(c, &size));
	if (t.index > size / TILE_WIDTH ||
	    t.width > size - t.index * TILE_WIDTH)
		return err_of(E_NOT_FOUND);
	first = t.index * TILE_WIDTH + 1;
	k.want = t.width;
	k.b = answer_bytes(c);
	TRY(store_audit_walk(c->lane->conn, first, false, bundle_one, &k));
	if (k.n < k.want)
		return err_of(E_CORRUPT);
	call_touch_num(c, "audit", first);
	return buf_check(k.b);
}
