/*
 * rewrap.c: see rotate.h.  Rows are read, opened and sealed anew on the
 * caller's thread; the writer only puts them in place of the old ones, when
 * they are still what was read.  A row that was not has a newer text, which
 * the newest key has sealed.
 */
#include "flow/rewrap.h"

#include "base/limits.h"
#include "base/time.h"
#include "flow/keys.h"
#include "flow/writer.h"
#include "store/key_use.h"

enum {
	PIECE_BYTES = 1024 * 1024, /* of sealed rows in one transaction */
	PIECE_MAX = 48,
	PIECE_FIRST = 16,
	LISTS_MEMORY = 8 * 1024 * 1024,
};

static bool
is_class_key(const struct rewrapping *r, uint32_t id)
{
	return old_keys_find(&r->old, id) != NULL;
}

uint32_t
rewrap_old(const struct rewrapping *r, const struct sealed_row *row)
{
	uint32_t id;

	if (!err_ok(seal_key_id(row->stored, &id)))
		return 0;
	return id < r->below || is_class_key(r, id) ? id : 0;
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

err
rewrap_walk(struct rewrapping *r, enum seal_table table, struct str at,
    rewrap_fn fn)
{
	char room[REWRAP_CURSOR];
	struct str next;
	struct sealed_row *row;
	size_t n, want;
	err e;

	r->want = PIECE_FIRST;
	do {
		int64_t since = time_mono_us();

		want = r->want;
		TRY(pieces_next(&r->p));
		e = store_sealed_rows(r->reader.conn, table, at, want, &r->p.a,
		    &row, &n, &next);
		if (err_ok(e)) {
			r->at = next;
			r->seen += n;
			e = fn(r, row, n);
			if (!err_ok(e))
				r->seen -= n;
		}
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
		pieces_yield(&r->p, since);
	} while (n == want);
	return OK;
}

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

/* ---- keys that follow those of subjects ---- */

static err
renewed(struct rewrapping *r, uint32_t old, uint32_t *ret)
{
	struct renewal *known = &r->recent[old % REWRAP_RECENT];
	uint32_t id;
	err e;

	if (known->old != old) {
		e = store_key_renewed(r->reader.conn, old, &id);
		if (err_is(e, E_NOT_FOUND)) {
			*ret = 0;
			return OK;
		}
		TRY(e);
		*known = (struct renewal){old, id};
	}
	*ret = known->id;
	return OK;
}

/* A key that is gone has nothing that could follow it. */
static err
follow(struct rewrapping *r, struct lane *l, uint32_t old)
{
	struct data_key_row was, row;
	struct wrapped_key wrapped;
	const struct data_key *k;
	uint32_t id;
	err e = store_key_renewed(l->conn, old, &id);

	if (!err_is(e, E_NOT_FOUND))
		return e;
	e = store_data_key_get(l->conn, old, &r->p.a, &was);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	if (!was.has_subject)
		return OK;
	row = was;
	row.id = desk_key_id(writer_desk(l->writer));
	row.term++;
	TRY(keyring_make(l->ring, row.id, row.project,
	    (enum seal_class)row.class, &row.subject, row.term, &r->p.a,
	    &wrapped, &k));
	row.version = wrapped.version;
	row.wrapped = wrapped.wrapped;
	TRY(store_data_key_put(l->conn, &row));
	return store_key_renew(l->conn, old, row.id);
}

static err
follow_all(struct lane *l, void *arg)
{
	struct rewrapping *r = arg;

	for (size_t i = 0; i < r->need_n; i++)
		TRY(follow(r, l, r->need[i]));
	return OK;
}

static void
needs(struct rewrapping *r, uint32_t old)
{
	for (size_t i = r->need_n; i > 0; i--)
		if (r->need[i - 1] == old)
			return;
	r->need[r->need_n++] = old;
}

/* All subjects of these rows have a key that follows. */
static err
follow_some(struct rewrapping *r, const struct sealed_row *row, size_t n)
{
	r->need_n = 0;
	r->need = arena_array(&r->p.a, n + 1, sizeof *r->need);
	TRY(arena_check(&r->p.a));
	for (size_t i = 0; i < n; i++) {
		uint32_t old = rewrap_old(r, &row[i]), id;

		if (old == 0 || is_class_key(r, old))
			continue;
		TRY(renewed(r, old, &id));
		if (id == 0)
			needs(r, old);
	}
	return r->need_n == 0 ? OK : pieces_do(&r->p, follow_all, r);
}

static err
newest(struct rewrapping *r, uint32_t old, const struct data_key **ret)
{
	const struct old_key *class = old_keys_find(&r->old, old);
	uint32_t id;

	if (class != NULL)
		return keyring_get(r->reader.ring, class->newest, ret);
	TRY(renewed(r, old, &id));
	if (id == 0)
		return err_of(E_NOT_FOUND);
	return keyring_get(r->reader.ring, id, ret);
}

/* ---- sealing anew ---- */

static bool
is_damage(err e)
{
	return err_is(e, E_CORRUPT) || err_is(e, E_WRONG_KEY) ||
	    err_is(e, E_NOT_FOUND) || err_is(e, E_SEALED);
}

static err
seal_anew(struct rewrapping *r, const struct sealed_row *row, uint32_t old)
{
	struct seal_where w = where_of(row);
	const struct data_key *k;
	struct str plain;
	err e = keyring_open(r->reader.ring, &w, row->stored, &r->p.a, &plain);

	if (err_ok(e))
		e = newest(r, old, &k);
	if (is_damage(e)) {
		r->damaged++;
		return OK;
	}
	TRY(e);
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
	return r->note == NULL ? OK : r->note(r, l);
}

err
rewrap_some(struct rewrapping *r, const struct sealed_row *row, size_t n)
{
	r->n = 0;
	r->did = r->damaged = 0;
	r->row = arena_array(&r->p.a, n + 1, sizeof *r->row);
	r->sealed = arena_array(&r->p.a, n + 1, sizeof *r->sealed);
	TRY(arena_check(&r->p.a));
	TRY(follow_some(r, row, n));
	for (size_t i = 0; i < n; i++) {
		uint32_t old = rewrap_old(r, &row[i]);

		if (old != 0)
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
		uint32_t old = rewrap_old(r, &row[i]);

		if (old != 0)
			old_keys_find(&r->old, old)->uses++;
	}
	return OK;
}

static err
delete_keys(struct lane *l, void *arg)
{
	struct rewrapping *r = arg;
	uint32_t *id = arena_array(&r->lists, r->old.n + 1, sizeof *id);
	size_t n = 0;

	TRY(arena_check(&r->lists));
	for (size_t i = 0; i < r->old.n; i++)
		if (r->old.key[i].uses == 0)
			id[n++] = r->old.key[i].id;
	TRY(keys_destroy(l, id, n, &r->lists));
	r->done.deleted = n;
	r->done.kept = r->old.n - r->done.deleted;
	return pieces_record(&r->p, l, AUDIT_KEY_REWRAP,
	    "by=%s rows=%llu "
	    "deleted=%llu kept=%llu damaged=%llu",
	    r->p.r->by, (unsigned long long)r->done.rows,
	    (unsigned long long)r->done.deleted,
	    (unsigned long long)r->done.kept,
	    (unsigned long long)r->done.damaged);
}

/* ---- the whole ---- */

bool
rewrap_subjects_only(enum seal_table table)
{
	return table == SEAL_TABLE_INCIDENT || table == SEAL_TABLE_TIMELINE ||
	    table == SEAL_TABLE_SECRET;
}

/* Before a key is deleted nothing is taken for granted: all are counted. */
static err
all_rows(struct rewrapping *r)
{
	enum seal_table table;

	TRY(old_keys_list(r->reader.snap, &r->lists, &r->old));
	for (size_t i = 0; r->old.n > 0 && store_sealed_table(i, &table); i++)
		if (!rewrap_subjects_only(table))
			TRY(rewrap_walk(r, table, STR(""), rewrap_some));
	if (r->old.n > 0)
		pieces_rest(&r->p, LIM_READERS_MS);
	for (size_t i = 0; r->old.n > 0 && store_sealed_table(i, &table); i++)
		TRY(rewrap_walk(r, table, STR(""), count_some));
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
