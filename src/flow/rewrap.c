/*
 * rewrap.c: see rotate.h.  Rows are read, opened and sealed anew on the
 * caller's thread; the writer only puts them in place of the old ones, when
 * they are still what was read.  A row that was not has a newer text, which
 * the newest key has sealed.
 */
#include "base/limits.h"
#include "flow/pieces.h"
#include "flow/writer.h"

enum {
	PIECE_BYTES = 1024 * 1024, /* of sealed rows in one transaction */
	PIECE_MAX = 256,
	PIECE_FIRST = 16,
	CURSOR_ROOM = 64,
	LISTS_MEMORY = 8 * 1024 * 1024,
	/* Who has read a row without having its key yet gets it in time. */
	READERS_MS = 1000,
};

struct rewrapping {
	struct pieces p;
	struct arena lists;
	struct lane reader;
	struct old_keys old;
	size_t want; /* rows of the next piece */

	struct sealed_row *row; /* of this piece, sealed anew */
	struct sealed *sealed;
	size_t n;
	uint64_t did, damaged;
	struct rewrapped done;
};

/* The old key a row names; NULL: a newest one, or none of ours. */
static struct old_key *
old_of(const struct rewrapping *r, const struct sealed_row *row)
{
	uint32_t id;

	return err_ok(seal_key_id(row->stored, &id))
	    ? old_keys_find(&r->old, id)
	    : NULL;
}

/* ---- walking a table ---- */

/* So many rows that they make a piece, going by those just seen. */
static void
measure(struct rewrapping *r, const struct sealed_row *row, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += row[i].stored.bytes.n;
	if (bytes == 0)
		return;
	r->want = n * PIECE_BYTES / bytes;
	if (r->want > PIECE_MAX)
		r->want = PIECE_MAX;
	if (r->want == 0)
		r->want = 1;
}

static err
walk(struct rewrapping *r, enum seal_table table,
    err (*fn)(struct rewrapping *r, const struct sealed_row *row, size_t n))
{
	char room[CURSOR_ROOM];
	struct str at = STR(""), next;
	struct sealed_row *row;
	size_t n, want;
	err e;

	r->want = PIECE_FIRST;
	do {
		want = r->want;
		TRY(pieces_next(&r->p));
		e = store_sealed_rows(r->reader.conn, table, at, want, &r->p.a,
		    &row, &n, &next);
		if (err_ok(e))
			e = fn(r, row, n);
		if (err_is(e, E_NO_MEMORY) && want > 1) {
			/* big rows behind small ones: the same with fewer */
			r->want = want / 2;
			n = want;
			continue;
		}
		TRY(e);
		measure(r, row, n);
		BUG_ON(next.n > sizeof room);
		memcpy(room, next.p, next.n);
		at = str_of(room, next.n);
	} while (n == want);
	return OK;
}

/* ---- sealing anew ---- */

static struct seal_where
where_of(const struct sealed_row *row)
{
	struct seal_where w = {.table = row->table,
	    .schema = 1,
	    .project = row->project,
	    .pk_n = row->pk_n};

	memcpy(w.pk, row->pk, sizeof w.pk);
	return w;
}

static err
seal_anew(struct rewrapping *r, const struct sealed_row *row,
    const struct old_key *old)
{
	struct seal_where w = where_of(row);
	const struct data_key *k;
	struct str plain;
	err e = keyring_open(r->reader.ring, &w, row->stored, &r->p.a, &plain);

	if (err_is(e, E_CORRUPT) || err_is(e, E_WRONG_KEY) ||
	    err_is(e, E_NOT_FOUND) || err_is(e, E_SEALED)) {
		r->damaged++;
		return OK;
	}
	TRY(e);
	TRY(keyring_get(r->reader.ring, old->newest, &k));
	r->row[r->n] = *row;
	TRY(seal_close(k, &w, plain, &r->p.a, &r->sealed[r->n]));
	r->n++;
	return OK;
}

static err
replace(struct lane *l, void *arg)
{
	struct rewrapping *r = arg;

	r->did = 0;
	for (size_t i = 0; i < r->n; i++) {
		err e = store_sealed_replace(l->conn, &r->row[i], r->sealed[i]);

		if (err_is(e, E_STALE))
			continue;
		TRY(e);
		r->did++;
	}
	return OK;
}

static err
rewrap_some(struct rewrapping *r, const struct sealed_row *row, size_t n)
{
	r->n = 0;
	r->did = r->damaged = 0;
	r->row = arena_array(&r->p.a, n + 1, sizeof *r->row);
	r->sealed = arena_array(&r->p.a, n + 1, sizeof *r->sealed);
	TRY(arena_check(&r->p.a));
	for (size_t i = 0; i < n; i++) {
		const struct old_key *old = old_of(r, &row[i]);

		if (old != NULL)
			TRY(seal_anew(r, &row[i], old));
	}
	if (r->n > 0)
		TRY(pieces_do(&r->p, replace, r));
	r->done.rows += r->did;
	r->done.damaged += r->damaged;
	return OK;
}

/* ---- deleting keys ---- */

static err
count_some(struct rewrapping *r, const struct sealed_row *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct old_key *old = old_of(r, &row[i]);

		if (old != NULL)
			old->uses++;
	}
	return OK;
}

static bool
goes(const struct rewrapping *r, uint32_t id)
{
	const struct old_key *o = old_keys_find(&r->old, id);

	return o != NULL && o->uses == 0;
}

static err
delete_keys(struct lane *l, void *arg)
{
	struct rewrapping *r = arg;
	const struct snap *s = l->snap;
	struct class_key *ck;
	size_t n = 0;

	arena_reset(&r->p.a);
	r->done.deleted = 0;
	ck = arena_array(&r->p.a, s->class_keys_n + 1, sizeof *ck);
	TRY(arena_check(&r->p.a));
	for (size_t i = 0; i < s->class_keys_n; i++) {
		uint32_t id = s->class_keys[i].id;

		if (!goes(r, id)) {
			ck[n++] = s->class_keys[i];
			continue;
		}
		TRY(store_data_key_delete(l->conn, id));
		keyring_forget(l->ring, id);
		r->done.deleted++;
	}
	r->done.kept = r->old.n - r->done.deleted;
	TRY(pieces_record(&r->p, l, AUDIT_KEY_REWRAP,
	    "by=%s rows=%llu "
	    "deleted=%llu kept=%llu damaged=%llu",
	    r->p.r->by, (unsigned long long)r->done.rows,
	    (unsigned long long)r->done.deleted,
	    (unsigned long long)r->done.kept,
	    (unsigned long long)r->done.damaged));
	if (r->done.deleted == 0)
		return OK;
	return pieces_see(l, s->keys, ck, n);
}

/* ---- the whole ---- */

/* Those that class keys seal; the others have keys of subjects only. */
static const enum seal_table sealed_by_class[] = {SEAL_TABLE_OBJECT,
    SEAL_TABLE_ALERT, SEAL_TABLE_DELIVERY, SEAL_TABLE_AUDIT, SEAL_TABLE_REPLY,
    SEAL_TABLE_RUNBOOK, SEAL_TABLE_RUN, SEAL_TABLE_HAPPENING, SEAL_TABLE_TASK,
    SEAL_TABLE_RUN_LOG};
/* Before a key is deleted nothing is taken for granted. */
static const enum seal_table all_tables[] = {SEAL_TABLE_OBJECT,
    SEAL_TABLE_INCIDENT, SEAL_TABLE_TIMELINE, SEAL_TABLE_ALERT,
    SEAL_TABLE_DELIVERY, SEAL_TABLE_AUDIT, SEAL_TABLE_REPLY, SEAL_TABLE_RUNBOOK,
    SEAL_TABLE_RUN, SEAL_TABLE_HAPPENING, SEAL_TABLE_SECRET, SEAL_TABLE_TASK,
    SEAL_TABLE_RUN_LOG};

static err
all_rows(struct rewrapping *r)
{
	TRY(old_keys_list(r->reader.snap, &r->lists, &r->old));
	if (r->old.n > 0) {
		for (size_t i = 0;
		     i < sizeof sealed_by_class / sizeof *sealed_by_class; i++)
			TRY(walk(r, sealed_by_class[i], rewrap_some));
		pieces_rest(&r->p, READERS_MS);
		for (size_t i = 0; i < sizeof all_tables / sizeof *all_tables;
		     i++)
			TRY(walk(r, all_tables[i], count_some));
	}
	return pieces_do(&r->p, delete_keys, r);
}

err
rotate_rewrap(const struct rotation *by, struct trail *t, struct rewrapped *ret)
{
	struct rewrapping r = {.n = 0};
	err e;

	pieces_init(&r.p, by, t);
	arena_init(&r.lists, LISTS_MEMORY);
	e = lane_open(by->st, LANE_READER, 0, &r.reader);
	if (err_ok(e)) {
		e = all_rows(&r);
		lane_close(&r.reader);
	}
	if (err_ok(e))
		r.done.clean = err_ok(store_checkpoint(by->st->store, true));
	arena_done(&r.lists);
	pieces_done(&r.p);
	*ret = r.done;
	return e;
}
