/*
 * export.c: POST /v1/audit/export: NDJSON that verifies offline
 * (doc/PROTOCOL.audit 5).  Runs on a reader, in pieces of bounded memory;
 * a client that does not read is waited for LIM_STALL_MS.
 */
#include <time.h>

#include "audit/verify.h"
#include "base/limits.h"
#include "base/mem.h"
#include "flow/audit_query.h"
#include "flow/handlers.h"
#include "flow/ledger.h"
#include "flow/line.h"
#include "flow/streams.h"

enum {
	SIGNED_WAIT_MS = 3000,
	SIGNED_POLL_MS = 20,
	OUT_MAX = 256 * 1024,
	EXPORTS_MAX = 1 /* a slow client must leave readers for others */
};

struct export
{
	struct call *c;
	struct lane *l;
	struct audit_query q;
	uint64_t first, last; /* seqs covered */
	uint64_t size;	      /* of the checkpoint */
	struct str note;
	struct note_key key;
	struct audit_tree *tree;
	struct arena a; /* of one line */
	struct buf out;
	err e;
};

static void
nap(int ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	(void)nanosleep(&t, NULL);
}

/* A checkpoint that covers everything there was when the export was asked
 * for; the writer signs about once a second. */
static err
checkpoint(struct export *x)
{
	uint64_t last;
	err e = OK;

	TRY(store_audit_last(x->l->conn, &last));
	for (int ms = 0; ms <= SIGNED_WAIT_MS; ms += SIGNED_POLL_MS) {
		e = store_checkpoint_get(x->l->conn, last, x->c->a, &x->size,
		    &x->note);
		if (!err_is(e, E_NOT_FOUND))
			return e;
		nap(SIGNED_POLL_MS);
	}
	return store_checkpoint_get(x->l->conn, 0, x->c->a, &x->size, &x->note);
}

static err
range(struct export *x)
{
	x->first = 1;
	x->last = x->size;
	if (x->q.from != 0)
		TRY(audit_seq_at(x->l, x->c->a, x->q.from, &x->first));
	if (x->q.to != 0) {
		TRY(audit_seq_at(x->l, x->c->a, x->q.to, &x->last));
		x->last--;
	}
	if (x->last > x->size)
		x->last = x->size;
	if (x->first > x->last)
		x->first = x->last + 1;
	if (x->last + 1 - x->first > LIM_EXPORT)
		return call_bad(x->c, E_LIMIT,
		    "more than %d entries: export by from and to", LIM_EXPORT);
	return OK;
}

static bool
push(struct export *x)
{
	bool ok = exchange_push_wait(x->c->x, buf_view(&x->out), OUT_MAX,
	    LIM_STALL_MS);

	buf_clear(&x->out);
	return ok;
}

static bool
one(void *ctx, uint64_t seq, struct str leaf)
{
	struct export *x = ctx;
	struct audit_entry e;

	if (seq > x->last)
		return false;
	arena_reset(&x->a);
	x->e = audit_leaf_read(&x->a, leaf, &e);
	if (!err_ok(x->e))
		return false;
	if (audit_query_match(&x->q, &e)) {
		buf_str(&x->out, leaf);
		buf_char(&x->out, '\n');
	} else {
		struct hash h;

		audit_leaf_hash(leaf, &h);
		audit_export_stub(&x->out, seq, &h);
	}
	if (audit_export_hashes_due(seq, x->last))
		x->e = audit_export_hashes(x->tree, x->first, seq, ledger_tile,
		    x->l->conn, &x->out);
	if (err_ok(x->e) &&
	    (x->out.failed || (x->out.n > OUT_MAX / 2 && !push(x))))
		x->e = err_of(E_UNAVAILABLE);
	return err_ok(x->e);
}

static err
prepare(struct export *x)
{
	struct str vkey;
	int64_t time;

	TRY(audit_query_body(x->c, &x->q));
	TRY(checkpoint(x));
	TRY(range(x));
	TRY(store_meta_get(x->l->conn, "audit.vkey", x->c->a, &vkey));
	TRY(note_key_parse(vkey, &x->key));
	TRY(audit_tree_new(&x->tree));
	return ledger_load(x->l->conn, x->size, x->tree, &time);
}

static err
stream(struct export *x)
{
	struct reply head = {.status = 200,
	    .content_type = STR("application/x-ndjson")};

	head.headers[head.headers_n++] = (struct header){STR("x-request-id"),
	    str_of(x->c->request_id_text, UUID_TEXT)};
	head.headers[head.headers_n++] =
	    (struct header){STR("content-disposition"),
		STR("attachment; filename=\"audit.ndjson\"")};
	exchange_stream(x->c->x, &head);
	if (x->first <= x->last)
		TRY(store_audit_walk(x->l->conn, x->first, false, one, x));
	TRY(x->e);
	arena_reset(&x->a);
	TRY(audit_export_trailer(x->tree, x->first, x->last, x->note, x->size,
	    &x->key, ledger_tile, x->l->conn, &x->a, &x->out));
	return err_of(push(x) ? E_OK : E_UNAVAILABLE);
}

static void
run(struct export *x)
{
	struct call *c = x->c;
	err e = prepare(x);

	if (!err_ok(e)) {
		line_fail(c, e);
		line_answer(c);
		return;
	}
	/* cut short, an export has no trailer: it cannot pass for whole */
	err_ignore(stream(x), "the missing trailer tells the client");
	(void)snap_unref(c->snap);
	exchange_finish(c->x);
	exchange_release(c->x);
}

err
route_audit_export(struct call *c)
{
	struct str format = json_str_at(c->body, STR("format"));
	struct audit_query q;

	if (format.p != NULL && !str_is(format, "ndjson"))
		return call_bad(c, E_INVALID, "format: ndjson");
	return audit_query_body(c, &q); /* the rest runs in streams_export */
}

void
streams_export(struct lane *l, struct call *c)
{
	struct export x = {.c = c, .l = l, .e = OK};
	atomic_ullong *open = &l->state->n.exports_open;
	err e;

	c->lane = l;
	if (atomic_fetch_add(open, 1) >= EXPORTS_MAX) {
		atomic_fetch_sub(open, 1);
		line_fail(c, err_of(E_RATE));
		line_answer(c);
		return;
	}
	lane_refresh(l);
	e = line_recheck(c);
	if (!err_ok(e)) {
		atomic_fetch_sub(open, 1);
		line_fail(c, e);
		line_answer(c);
		return;
	}
	arena_init(&x.a, (size_t)4 * 1024 * 1024);
	buf_init(&x.out, (size_t)2 * OUT_MAX);
	run(&x);
	buf_done(&x.out);
	arena_done(&x.a);
	(void)audit_tree_free(x.tree);
	atomic_fetch_sub(open, 1);
}
