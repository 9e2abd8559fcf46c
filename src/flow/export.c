/*
 * export.c: POST /v1/audit/export: the log, or a part of it, in the formats
 * of audit/formats.def, with a signed manifest as its last line
 * (doc/PROTOCOL.audit 5).  Runs on a reader, in pieces of bounded memory; a
 * client that does not read is waited for LIM_STALL_MS.
 *
 * That somebody wants it is on record (outcome intent) before the first byte
 * leaves, and what became of it (bytes, entries, digest, whether the client
 * went away) afterwards.
 */
#include <time.h>

#include "audit/manifest.h"
#include "audit/verify.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "flow/admin_body.h"
#include "flow/audit_query.h"
#include "flow/cosigned.h"
#include "flow/handlers.h"
#include "flow/line.h"
#include "flow/streams.h"
#include "flow/writer.h"
#include "ipc/keeper.h"
#include "seal/parcel.h"

enum {
	SIGNED_WAIT_MS = 3000,
	SIGNED_POLL_MS = 5,
	OUT_MAX = 512 * 1024,
	PIECE_BYTES = 128 * 1024, /* pushed at once */
	EXPORTS_MAX = 1 /* a slow client must leave readers for others */
};

/* Texts of the record, which outlive the export in the call's arena. */
struct completion {
	uint64_t first, last, entries, bytes;
	struct hash sha256; /* of what left, sealed or not */
	bool gone;
};

struct export
{
	struct call *c;
	struct lane *l;
	struct audit_query q;
	bool all; /* no filter: entries need not be looked at */
	struct manifest m;
	struct note_key key;
	struct audit_tree *tree;
	struct audit_tile tile; /* hashes of the entries at hand */
	struct marks *marks;
	struct audit_hasher *plain, *left; /* before and after sealing */
	struct parcel *parcel;		   /* NULL: nobody's key was given */
	struct arena a;			   /* of one line */
	struct buf out;			   /* not yet pushed */
	struct buf sealed;
	struct completion done;
	struct hash digest; /* of the manifest */
	uint8_t sig[MANIFEST_SIG];
	err e;
};

static void
nap(int ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	(void)nanosleep(&t, NULL);
}

/* ---- what is asked for ---- */

static err
ask(struct call *c, struct export *x, uint8_t ret_pk[HPKE_KEY])
{
	struct str format = json_str_at(c->body, STR("format"));
	struct str to = json_str_at(c->body, STR("recipient"));

	TRY(audit_query_body(c, &x->q));
	if (format.p != NULL && !export_format_parse(format, &x->m.format))
		return call_bad(c, E_INVALID,
		    "format: ndjson, csv, cef, ocsf or syslog");
	if (x->q.from != 0 && x->q.to != 0 && x->q.from >= x->q.to)
		return call_bad(c, E_INVALID,
		    "from is not before to: there is nothing to export");
	if (to.p != NULL && !parcel_public_parse(to, ret_pk))
		return call_bad(c, E_INVALID,
		    "recipient: not a key as redoubt audit keygen prints it");
	x->all = x->q.needs == 0 && x->q.address.p == NULL;
	return OK;
}

/* One bucket for all: an export reads everything and takes a reader. */
static err
ration(struct call *c)
{
	static const int64_t each = INT64_C(1000000) * 60 / LIM_EXPORTS_MINUTE;
	atomic_llong *at = &c->lane->state->n.exports_at;
	int64_t now = time_mono_us(), next;
	long long old = atomic_load(at);

	do {
		next = (old > now ? old : now) + each;
		if (next - now > each * LIM_EXPORTS_BURST) {
			c->retry_after =
			    (unsigned)((next - now - each * LIM_EXPORTS_BURST) /
				1000000) +
			    1;
			return call_bad(c, E_RATE,
			    "more than %d exports in a minute",
			    LIM_EXPORTS_MINUTE);
		}
	} while (!atomic_compare_exchange_weak(at, &old, next));
	return OK;
}

err
route_audit_export(struct call *c)
{
	struct export x = {.c = c};
	uint8_t pk[HPKE_KEY];

	TRY(ask(c, &x, pk));
	TRY(ration(c));
	c->rec.outcome = AUDIT_INTENT;
	c->rec.body = c->req->body;
	return OK; /* the rest runs in streams_export */
}

/* ---- what it covers ---- */

static err
sign_soon(struct lane *l, void *arg)
{
	(void)arg;
	writer_sign_soon(l->writer);
	return OK;
}

/* What enough witnesses have cosigned, and nothing behind it. */
static err
witnessed(struct export *x)
{
	err e = cosigned_last(x->c, &x->m.size, &x->m.note);

	if (!err_is(e, E_NOT_FOUND))
		return e;
	return call_bad(x->c, E_CONFLICT,
	    "witnessed: not enough witnesses have cosigned the log");
}

/* A checkpoint that covers everything there was when the export was asked
 * for, its intent too. */
static err
checkpoint(struct export *x)
{
	struct manifest *m = &x->m;
	uint64_t last;
	err e = OK;

	TRY(store_audit_last(x->l->conn, &last));
	TRY(writer_do(x->l->state->writer, sign_soon, NULL));
	for (int ms = 0; ms <= SIGNED_WAIT_MS; ms += SIGNED_POLL_MS) {
		e = store_checkpoint_get(x->l->conn, last, x->c->a, &m->size,
		    &m->note);
		if (!err_is(e, E_NOT_FOUND))
			return e;
		nap(SIGNED_POLL_MS);
	}
	return store_checkpoint_get(x->l->conn, 0, x->c->a, &m->size, &m->note);
}

static err
range(struct export *x)
{
	struct manifest *m = &x->m;

	m->first = 1;
	m->last = m->size;
	if (x->q.from != 0)
		TRY(audit_seq_at(x->l, x->c->a, x->q.from, &m->first));
	if (x->q.to != 0) {
		TRY(audit_seq_at(x->l, x->c->a, x->q.to, &m->last));
		m->last--;
	}
	if (m->last > m->size)
		m->last = m->size;
	if (m->first > m->last)
		return call_bad(x->c, E_INVALID,
		    "there is nothing to export between from and to");
	if (m->last + 1 - m->first > LIM_EXPORT)
		return call_bad(x->c, E_LIMIT,
		    "more than %d entries: export by from and to", LIM_EXPORT);
	return OK;
}

/* What was asked for in the end: a saved filter and what replaced it. */
static struct str
filter_text(struct call *c, const struct audit_query *q)
{
	const struct {
		const char *name;
		struct str value;
	} texts[] = {
	    {"action", q->action},
	    {"address", q->address},
	    {"principal", q->principal},
	    {"project", q->project},
	    {"request", q->request},
	    {"resource", q->resource},
	};
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->a, MANIFEST_MAX / 4);
	jw_init(&w, &b);
	jw_obj(&w);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (texts[i].value.p == NULL)
			continue;
		jw_name(&w, str_c(texts[i].name));
		jw_str(&w, texts[i].value);
	}
	if (q->has_outcome)
		jw_kstr(&w, "outcome", str_c(audit_outcome_text(q->outcome)));
	if (q->from != 0)
		jw_time(&w, "from", q->from);
	if (q->to != 0)
		jw_time(&w, "to", q->to);
	jw_obj_end(&w);
	return b.failed ? STR("{}") : buf_view(&b);
}

static void
requester(struct export *x)
{
	struct call *c = x->c;
	char id[UUID_TEXT + 1];

	uuid_text(&c->actor->id, id);
	x->m.requester_id = arena_dup(c->a, str_of(id, UUID_TEXT));
	x->m.requester_kind = str_c(principal_kind_text(c->actor->kind));
	x->m.credential = call_credential(c, c->a);
	x->m.request_id = str_of(c->request_id_text, UUID_TEXT);
	x->m.reason = json_str_at(c->body, STR("reason"));
	x->m.filter = filter_text(c, &x->q);
	x->m.time = time_now_ms();
}

static err
prepare(struct export *x)
{
	struct call *c = x->c;
	uint8_t pk[HPKE_KEY];
	int64_t time;

	TRY(ask(c, x, pk));
	if (body_flag(c, "witnessed", false))
		TRY(witnessed(x));
	else
		TRY(checkpoint(x));
	TRY(range(x));
	TRY(store_meta_get(x->l->conn, "audit.vkey", c->a, &x->m.key));
	TRY(note_key_parse(x->m.key, &x->key));
	requester(x);
	TRY(audit_tree_new(&x->tree));
	TRY(ledger_load(x->l->conn, x->m.size, x->tree, &time));
	TRY(marks_new(x->m.first, x->m.last, &x->marks));
	if (json_str_at(c->body, STR("recipient")).p != NULL)
		TRY(parcel_new(pk, &x->sealed, &x->parcel));
	x->done.first = x->m.first;
	x->done.last = x->m.last;
	return arena_check(c->a);
}

/* ---- what leaves ---- */

static bool
push(struct export *x, struct str bytes)
{
	audit_hasher_add(x->left, bytes);
	x->done.bytes += bytes.n;
	return exchange_push_wait(x->c->x, bytes, OUT_MAX, LIM_STALL_MS);
}

/* What was written so far, on its way. */
static err
flush(struct export *x)
{
	bool ok;

	TRY(buf_check(&x->out));
	if (x->parcel == NULL) {
		ok = push(x, buf_view(&x->out));
	} else {
		TRY(parcel_add(x->parcel, buf_view(&x->out), &x->sealed));
		ok = push(x, buf_view(&x->sealed));
		buf_clear(&x->sealed);
	}
	buf_clear(&x->out);
	return err_of(ok ? E_OK : E_UNAVAILABLE);
}

/* The bytes since `from` are part of the file. */
static void
count(struct export *x, size_t from)
{
	struct str s = str_skip(buf_view(&x->out), from);

	audit_hasher_add(x->plain, s);
	x->m.bytes += s.n;
}

static bool
wanted(struct export *x, struct str leaf)
{
	struct audit_entry e;

	if (x->all)
		return true;
	if (!audit_query_may(&x->q, leaf))
		return false;
	x->e = audit_leaf_read(&x->a, leaf, &e);
	return err_ok(x->e) && audit_query_match(&x->q, &e);
}

/* NDJSON has a line for what a filter left out, and what ties entries to
 * their tile. */
static err
entry_evidence(struct export *x, uint64_t seq, struct str leaf,
    const struct hash *h, bool shown)
{
	if (shown)
		TRY(export_line(&x->a, EXPORT_NDJSON, leaf, h, &x->out));
	else
		audit_export_stub(&x->out, seq, h);
	marks_entry(x->marks, seq, h, shown);
	if (audit_export_hashes_due(seq, x->m.last))
		return audit_export_hashes(x->tree, x->m.first, seq,
		    ledger_tile, x->l->conn, &x->out);
	return OK;
}

static err
entry(struct export *x, uint64_t seq, struct str leaf)
{
	uint64_t tile = (seq - 1) / TILE_WIDTH;
	size_t before = x->out.n;
	const struct hash *h;
	bool shown;

	if (tile != x->tile.index || seq == x->m.first)
		TRY(audit_export_tile(x->tree, tile, ledger_tile, x->l->conn,
		    &x->tile));
	h = &x->tile.hash[(seq - 1) % TILE_WIDTH];
	arena_reset(&x->a);
	shown = wanted(x, leaf);
	TRY(x->e);
	x->m.entries += shown;
	if (x->m.format == EXPORT_NDJSON) {
		TRY(entry_evidence(x, seq, leaf, h, shown));
	} else if (shown) {
		TRY(export_line(&x->a, x->m.format, leaf, h, &x->out));
		marks_add(x->marks, seq, str_skip(buf_view(&x->out), before));
	}
	count(x, before);
	return x->out.n < PIECE_BYTES ? OK : flush(x);
}

static bool
one(void *ctx, uint64_t seq, struct str leaf)
{
	struct export *x = ctx;

	if (seq > x->m.last)
		return false;
	x->e = entry(x, seq, leaf);
	return err_ok(x->e);
}

/* ---- the end ---- */

static err
sign(struct lane *l, void *arg)
{
	struct export *x = arg;

	return keeper_export_sign(writer_keeper(l->writer), x->digest.b,
	    x->sig);
}

/* What stands before the manifest, and what is said of it there. */
static err
proofs(struct export *x)
{
	struct manifest *m = &x->m;
	size_t before = x->out.n;
	struct hash_list l;

	if (m->format == EXPORT_NDJSON) {
		TRY(audit_export_trailer(2, x->tree, m->first, m->last, m->note,
		    m->size, &x->key, ledger_tile, x->l->conn, &x->a, &x->out));
		audit_sha256(str_skip(buf_view(&x->out), before), &m->trailer);
		count(x, before);
		return buf_check(&x->out);
	}
	if (m->entries != m->last + 1 - m->first)
		return OK;
	TRY(audit_export_cover(x->tree, 0, m->first - 1, ledger_tile,
	    x->l->conn, x->c->a, &l));
	m->left = l.h;
	m->left_n = l.n;
	TRY(audit_export_cover(x->tree, m->last, m->size, ledger_tile,
	    x->l->conn, x->c->a, &l));
	m->right = l.h;
	m->right_n = l.n;
	return OK;
}

static err
end(struct export *x)
{
	struct str text;
	struct buf b, json;

	arena_reset(&x->a);
	TRY(proofs(x));
	marks_end(x->marks, x->m.block, &x->m.blocks);
	audit_hasher_end(x->plain, &x->m.sha256);
	buf_init_on(&b, &x->a, MANIFEST_MAX);
	TRY(manifest_write(&x->m, &b));
	text = buf_view(&b);
	audit_sha256(text, &x->digest);
	TRY(writer_do(x->l->state->writer, sign, x));
	buf_init_on(&json, &x->a, MANIFEST_MAX + 256);
	manifest_close(text, x->sig, &json);
	TRY(buf_check(&json));
	export_text(x->m.format, x->m.time, buf_view(&json), &x->out);
	TRY(flush(x));
	if (x->parcel == NULL)
		return OK;
	TRY(parcel_end(x->parcel, &x->sealed));
	return err_of(push(x, buf_view(&x->sealed)) ? E_OK : E_UNAVAILABLE);
}

static void
head(struct export *x)
{
	struct reply r = {.status = 200,
	    .content_type = str_c(export_format_type(x->m.format))};
	struct buf b;

	if (x->parcel != NULL)
		r.content_type = STR("application/octet-stream");
	buf_init_on(&b, x->c->a, 128);
	buf_fmt(&b, "attachment; filename=\"%s%s\"",
	    export_format_file(x->m.format),
	    x->parcel != NULL ? ".sealed" : "");
	r.headers[r.headers_n++] = (struct header){STR("x-request-id"),
	    str_of(x->c->request_id_text, UUID_TEXT)};
	r.headers[r.headers_n++] =
	    (struct header){STR("content-disposition"), buf_view(&b)};
	exchange_stream(x->c->x, &r);
}

static err
stream(struct export *x)
{
	head(x);
	export_head(x->m.format, &x->out);
	marks_add(x->marks, x->m.first, buf_view(&x->out));
	count(x, 0);
	TRY(store_audit_walk(x->l->conn, x->m.first, false, one, x));
	TRY(x->e);
	return end(x);
}

/* ---- what became of it, on record ---- */

static struct str
completion_json(struct call *c, const struct completion *d)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->a, 1024);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_ki64(&w, "bytes", (int64_t)d->bytes);
	jw_ki64(&w, "entries", (int64_t)d->entries);
	jw_ki64(&w, "first", (int64_t)d->first);
	jw_kbool(&w, "gone", d->gone);
	jw_ki64(&w, "last", (int64_t)d->last);
	jw_name(&w, STR("sha256"));
	jw_b64(&w, str_of((const char *)d->sha256.b, HASH_SIZE));
	jw_obj_end(&w);
	return buf_view(&b);
}

static void
touch_text(struct call *c, const char *type, struct buf *b)
{
	size_t i = c->rec.resources++;

	c->rec.resource[i].type = type;
	c->rec.resource[i].ref = arena_dup(c->a, buf_view(b));
	buf_clear(b);
}

static err
record(struct lane *l, void *arg)
{
	struct writer *w = l->writer;

	return ledger_add(writer_ledger(w), l, desk_arena(writer_desk(w)), arg);
}

static void
complete(struct export *x, err e)
{
	struct call *c = x->c;
	struct buf b;

	audit_hasher_end(x->left, &x->done.sha256);
	x->done.entries = x->m.entries;
	x->done.gone = exchange_gone(c->x);
	c->rec = (struct record){.action = c->route->audit,
	    .outcome = err_ok(e) ? AUDIT_OK : AUDIT_ERROR,
	    .body = completion_json(c, &x->done)};
	if (!err_ok(e))
		c->rec.reason =
		    x->done.gone ? STR("client_gone") : str_c(err_name(e));
	buf_init_on(&b, c->a, 128);
	if (x->done.first > 0) {
		buf_fmt(&b, "%llu-%llu", (unsigned long long)x->done.first,
		    (unsigned long long)x->done.last);
		touch_text(c, "audit", &b);
		buf_u64(&b, x->done.bytes);
		touch_text(c, "bytes", &b);
		buf_u64(&b, x->done.entries);
		touch_text(c, "entries", &b);
		hex_add(&b, str_of((char *)x->done.sha256.b, HASH_SIZE));
		touch_text(c, "sha256", &b);
	}
	err_ignore(writer_do(x->l->state->writer, record, c),
	    "the intent is on record; the store says why in the log");
}

static void
run(struct export *x)
{
	struct call *c = x->c;
	err e = prepare(x);

	if (!err_ok(e)) {
		complete(x, e);
		line_fail(c, e);
		line_answer(c);
		return;
	}
	/* cut short, an export has no manifest: it cannot pass for whole */
	e = stream(x);
	complete(x, e);
	(void)snap_unref(c->snap);
	exchange_finish(c->x);
	exchange_release(c->x);
}

static err
admit(struct call *c, atomic_ullong *open)
{
	lane_refresh(c->lane);
	TRY(line_recheck(c));
	if (atomic_load(open) <= EXPORTS_MAX)
		return OK;
	c->retry_after = 5;
	return call_bad(c, E_RATE, "another export is under way");
}

void
streams_export(struct lane *l, struct call *c)
{
	struct export x = {.c = c, .l = l, .e = OK};
	atomic_ullong *open = &l->state->n.exports_open;
	err e;

	c->lane = l;
	x.left = audit_hasher_new();
	x.plain = audit_hasher_new();
	arena_init(&x.a, (size_t)16 * 1024 * 1024);
	buf_init(&x.out, (size_t)4 * OUT_MAX);
	buf_init(&x.sealed, (size_t)8 * OUT_MAX);
	atomic_fetch_add(open, 1);
	e = admit(c, open);
	if (err_ok(e)) {
		run(&x);
	} else {
		complete(&x, e);
		line_fail(c, e);
		line_answer(c);
	}
	atomic_fetch_sub(open, 1);
	buf_done(&x.sealed);
	buf_done(&x.out);
	arena_done(&x.a);
	x.marks = marks_free(x.marks);
	x.parcel = parcel_free(x.parcel);
	x.left = audit_hasher_free(x.left);
	x.plain = audit_hasher_free(x.plain);
	(void)audit_tree_free(x.tree);
}
