/* backup.c: see backup.h. */
#include "flow/backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "audit/sha.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/time.h"
#include "flow/writer.h"
#include "store/dump.h"

enum {
	ROUND = 64 * 1024 * 1024, /* memory of one block */
	CUT = 32768,		  /* a block is about so long */
	CUT_LEAST = 4096,
	REASON_MAX = 256,
	STINT = 256 * 1024, /* bytes read between two rests */
	BUSY = 100,	    /* requests in a second: somebody is waiting */
	SHARE = 4,	    /* of that time one part in so many is ours */
	MAX_REST_US = 100000,
};

struct making {
	const struct backup_job *j;
	struct trail *t;
	struct lane l;
	struct arena a, lists;
	struct backup_made done;
	const struct data_key *key, *index;
	struct sha *sha;
	struct backup_list base;
	struct backup_block *known; /* of the base, by MAC */
	struct backup_list list;
	struct buf entries; /* of the list */
	struct buf plain;   /* the block being filled */
	char table[DUMP_NAME + 1];
	char vkey[256];
	uint32_t number; /* of the next block of this file */
	/* Since it last made room for others: bytes read, when, and how many
	 * requests there had been. */
	uint64_t worked;
	int64_t since;
	unsigned long long requests;
};

/* ---- bytes out ---- */

static err
out(struct making *m, struct str s)
{
	if (m->j->stop != NULL && atomic_load(m->j->stop)) {
		trail_set(m->t, "the server stops");
		return err_of(E_UNAVAILABLE);
	}
	sha_add(m->sha, s);
	m->done.bytes += s.n;
	return m->j->put(m->j->ctx, s);
}

static err
out_record(struct making *m, enum backup_record kind, struct str s)
{
	char room[BACKUP_RECORD];
	struct buf b = {.p = room, .cap = sizeof room, .max = sizeof room};

	backup_record_put(&b, kind, s.n);
	TRY(out(m, buf_view(&b)));
	return out(m, s);
}

/* Sealed as chunks, each a record. */
static err
out_chunks(struct making *m, enum backup_record kind,
    const struct seal_where *w, struct str plain, uint32_t *ret_n)
{
	uint32_t n = 0;
	bool last;

	do {
		struct str piece = str_head(plain, SEAL_CHUNK);
		struct sealed s;

		last = piece.n == plain.n;
		arena_reset(&m->a);
		TRY(seal_close_chunk(m->key, w, n++, last, piece, &m->a, &s));
		TRY(out_record(m, kind, s.bytes));
		plain = str_skip(plain, piece.n);
	} while (!last);
	*ret_n = n;
	return OK;
}

static err
out_tail(struct making *m, uint64_t list_at, uint32_t lists)
{
	struct backup_tail tail = {.list_at = list_at, .lists = lists};
	char room[BACKUP_TAIL];
	struct buf b = {.p = room, .cap = sizeof room, .max = sizeof room};
	struct str all;

	backup_tail_put(&b, &tail);
	sha_add(m->sha, str_head(buf_view(&b), BACKUP_TAIL - BACKUP_SHA));
	sha_get(m->sha, tail.sha);
	buf_clear(&b);
	backup_tail_put(&b, &tail);
	all = buf_view(&b);
	m->done.bytes += all.n;
	return m->j->put(m->j->ctx, all);
}

/* ---- what it builds on ---- */

static int
by_mac(const void *a, const void *b)
{
	const struct backup_block *x = a, *y = b;

	return memcmp(x->mac, y->mac, BACKUP_MAC); /* public: it is a name */
}

static err
refuse(struct making *m, enum err_code code, const char *why)
{
	trail_set(m->t, "the backup to build on %s", why);
	return err_of(code);
}

static err
base_read(struct making *m, const struct uuid *org)
{
	struct backup_head h;
	struct buf plain;
	err e;

	TRY(backup_head_read(m->j->base_head, &h));
	if (!uuid_eq(&h.org, org))
		return refuse(m, E_CORRUPT, "is of another organization");
	buf_init_on(&plain, &m->lists, LIM_BACKUP_LIST);
	e = keyring_get(m->l.ring, h.key, &m->key);
	if (err_is(e, E_NOT_FOUND))
		return refuse(m, E_WRONG_KEY, "has a key that was destroyed");
	if (err_ok(e))
		e = backup_list_open(m->j->base_list, &h.id, m->key, &m->a,
		    &plain);
	if (err_ok(e))
		e = backup_list_read(buf_view(&plain), &m->lists, &m->base);
	if (err_ok(e) && !uuid_eq(&m->base.head.id, &h.id))
		e = err_of(E_CORRUPT);
	if (err_is(e, E_CORRUPT) || err_is(e, E_WRONG_KEY))
		return refuse(m, E_CORRUPT, "is damaged");
	TRY(e);
	if (m->base.files_n == LIM_BACKUP_CHAIN)
		return refuse(m, E_LIMIT,
		    "builds on as many as may be: make a full one");
	m->known = m->base.blocks;
	qsort(m->known, m->base.blocks_n, sizeof *m->known, by_mac);
	return OK;
}

static const struct backup_block *
known(const struct making *m, const struct backup_block *b)
{
	return m->known == NULL
	    ? NULL
	    : bsearch(b, m->known, m->base.blocks_n, sizeof *m->known, by_mac);
}

/* ---- blocks ---- */

static err
block_new(struct making *m, struct backup_block *b)
{
	struct seal_where w = backup_where_block(&m->done.head.id, m->number);
	struct sealed s;

	arena_reset(&m->a);
	TRY(seal_close(m->key, &w, buf_view(&m->plain), &m->a, &s));
	b->file = 0;
	b->number = m->number++;
	b->at = m->done.bytes;
	b->n = (uint32_t)s.bytes.n;
	m->done.fresh++;
	return out_record(m, RECORD_BLOCK, s.bytes);
}

/* Who waits for an answer goes first: while there are requests, most of the
 * time is theirs. */
static void
rest(struct making *m, size_t n)
{
	unsigned long long now = atomic_load(&m->j->st->n.requests);
	int64_t us, t = time_mono_us();

	m->worked += n;
	if (m->worked < STINT)
		return;
	us = t - m->since;
	if (m->since > 0 && us > 0 &&
	    (int64_t)(now - m->requests) * 1000000 / us > BUSY) {
		us = us * (SHARE - 1) > MAX_REST_US ? MAX_REST_US
						    : us * (SHARE - 1);
		(void)nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
		t = time_mono_us();
	}
	/* those that came while it slept count for the next stint */
	m->requests = now;
	m->since = t;
	m->worked = 0;
}

static err
block_end(struct making *m)
{
	const struct backup_block *old;
	struct backup_block b;

	if (m->plain.n == 0)
		return OK;
	TRY(buf_check(&m->plain));
	TRY(seal_mac(m->index, "backup block", buf_view(&m->plain), b.mac,
	    sizeof b.mac));
	old = known(m, &b);
	if (old != NULL) {
		b = *old;
		b.file++;
	} else {
		TRY(block_new(m, &b));
	}
	if (++m->done.blocks > LIM_BACKUP_BLOCKS)
		return err_of(E_LIMIT);
	backup_block_put(&m->entries, &b);
	rest(m, m->plain.n);
	buf_clear(&m->plain);
	return buf_check(&m->entries);
}

/*
 * Blocks end where the key of a row says so, so that rows put in, taken out
 * or changed elsewhere do not move the ends.  Longer rows say so more often:
 * a block is about as long whatever is in it.
 */
static bool
ends_here(struct str key, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (uint8_t)key.p[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	return h % CUT < n;
}

static err
on_row(void *ctx, const struct dump_row *r)
{
	struct making *m = ctx;

	if (!str_is(r->table, m->table) ||
	    (m->plain.n > 0 && m->plain.n + r->row.n > BACKUP_BLOCK))
		TRY(block_end(m));
	if (m->plain.n == 0) {
		memcpy(m->table, r->table.p, r->table.n);
		m->table[r->table.n] = '\0';
		buf_char(&m->plain, (char)r->table.n);
		buf_str(&m->plain, r->table);
		buf_be16(&m->plain, (uint16_t)r->columns.n);
		buf_str(&m->plain, r->columns);
	}
	buf_be32(&m->plain, (uint32_t)r->row.n);
	buf_str(&m->plain, r->row);
	m->done.rows++;
	if (m->plain.n >= CUT_LEAST && ends_here(r->key, r->row.n))
		return block_end(m);
	return OK;
}

/* ---- the list ---- */

static err
list_out(struct making *m)
{
	struct seal_where w = backup_where_list(&m->done.head.id);
	uint64_t at = m->done.bytes;
	struct backup_list *l = &m->list;
	struct buf b;
	uint32_t n = 0;
	err e;

	l->head = m->done.head;
	l->entries = m->done.entries;
	l->vkey = str_c(m->vkey);
	l->files[0] = l->head.id;
	l->files_n = 1;
	for (size_t i = 0; i < m->base.files_n; i++)
		l->files[l->files_n++] = m->base.files[i];
	l->rows = m->done.rows;
	l->blocks_n = m->done.blocks;
	buf_init(&b, LIM_BACKUP_LIST);
	backup_list_put(&b, l);
	buf_str(&b, buf_view(&m->entries));
	e = buf_check(&b);
	if (err_ok(e))
		e = out_chunks(m, RECORD_LIST, &w, buf_view(&b), &n);
	buf_done(&b);
	TRY(e);
	return out_tail(m, at, n);
}

/* ---- the key, and what the log says ---- */

struct noting {
	struct making *m;
	uint32_t key;
	const struct backup_made *made;
	const char *by;
	bool end;
};

static err
note(struct lane *l, const struct noting *n)
{
	const struct backup_made *d = n->made;
	char id[UUID_TEXT + 1], why[REASON_MAX];
	struct audit_entry e = {.action = AUDIT_BACKUP_CREATE,
	    .outcome = n->end ? AUDIT_OK : AUDIT_INTENT,
	    .resources = 1};

	uuid_text(&d->head.id, id);
	e.resource[0] = (struct audit_resource){STR("backup"), str_c(id)};
	if (n->end)
		(void)snprintf(why, sizeof why,
		    "by=%s entries=%llu rows=%llu blocks=%llu new=%llu "
		    "bytes=%llu",
		    n->by, (unsigned long long)d->entries,
		    (unsigned long long)d->rows, (unsigned long long)d->blocks,
		    (unsigned long long)d->fresh, (unsigned long long)d->bytes);
	else
		(void)snprintf(why, sizeof why, "by=%s", n->by);
	e.reason = str_c(why);
	return ledger_entry(writer_ledger(l->writer), l,
	    desk_arena(writer_desk(l->writer)), &e, STR(""), time_now_ms());
}

static err
make_key(struct lane *l, void *arg)
{
	struct noting *n = arg;
	struct desk *d = writer_desk(l->writer);
	struct backup_head *h = &n->m->done.head;
	struct wrapped_key w;
	const struct data_key *k;
	struct data_key_row row;

	h->key = desk_key_id(d);
	TRY(keyring_make(l->ring, h->key, 0, SEAL_CLASS_BACKUP, &h->id, 1,
	    desk_arena(d), &w, &k));
	row = (struct data_key_row){.id = h->key,
	    .version = w.version,
	    .class = SEAL_CLASS_BACKUP,
	    .has_subject = true,
	    .subject = h->id,
	    .term = 1,
	    .wrapped = w.wrapped};
	TRY(store_data_key_put(l->conn, &row));
	return note(l, n);
}

static err
note_end(struct lane *l, void *arg)
{
	const struct noting *n = arg;
	const struct backup_head *h = &n->made->head;
	char text[24];

	(void)snprintf(text, sizeof text, "%lld", (long long)h->time);
	TRY(store_meta_set(l->conn, "backup.time", str_c(text)));
	return note(l, n);
}

/* ---- the whole ---- */

static err
copy_meta(struct making *m, const char *name, char *ret, size_t max)
{
	struct str s;

	TRY(store_meta_get(m->l.conn, name, &m->lists, &s));
	if (s.n >= max)
		return err_of(E_CORRUPT);
	memcpy(ret, s.p, s.n);
	ret[s.n] = '\0';
	return OK;
}

static err
org_id(struct making *m, struct uuid *ret)
{
	char text[UUID_TEXT + 2];

	TRY(copy_meta(m, "org.id", text, sizeof text));
	return err_of(uuid_parse(str_c(text), ret) ? E_OK : E_CORRUPT);
}

static err
rows_out(struct making *m)
{
	struct backup_head *h = &m->done.head;
	char room[BACKUP_HEAD];
	struct buf b = {.p = room, .cap = sizeof room, .max = sizeof room};

	TRY(copy_meta(m, "audit.vkey", m->vkey, sizeof m->vkey));
	TRY(store_audit_last(m->l.conn, &m->done.entries));
	TRY(keyring_get(m->l.ring, h->key, &m->key));
	TRY(keyring_get(m->l.ring,
	    snap_class_key(m->l.snap, 0, SEAL_CLASS_INDEX), &m->index));
	backup_head_put(&b, h);
	TRY(out(m, buf_view(&b)));
	TRY(store_dump(m->l.conn, on_row, m));
	TRY(block_end(m));
	return list_out(m);
}

static err
file(struct making *m)
{
	struct backup_head *h = &m->done.head;
	struct noting n = {.m = m, .made = &m->done, .by = m->j->by};
	err e;

	TRY(org_id(m, &h->org));
	if (m->j->base_head.n > 0)
		TRY(base_read(m, &h->org));
	h->time = time_now_ms();
	h->id = rand_uuid(h->time);
	h->base = m->base.head.id;
	h->schema = store_schema();
	TRY(writer_do(m->j->st->writer, make_key, &n));
	lane_refresh(&m->l);
	TRY(store_view_long(m->l.conn));
	e = rows_out(m);
	store_view_end(m->l.conn);
	return e;
}

static err
making_open(struct making *m, const struct backup_job *j, struct trail *t)
{
	*m = (struct making){.j = j, .t = t};
	arena_init(&m->a, ROUND);
	arena_init(&m->lists, (size_t)2 * LIM_BACKUP_LIST);
	buf_init(&m->entries, LIM_BACKUP_LIST);
	buf_init(&m->plain, BACKUP_RECORD_MAX);
	TRY(sha_new(&m->sha));
	return lane_open(j->st, LANE_READER, 0, &m->l);
}

static void
making_close(struct making *m)
{
	if (m->l.ring != NULL)
		lane_close(&m->l);
	m->sha = sha_free(m->sha);
	buf_done(&m->plain);
	buf_done(&m->entries);
	arena_done(&m->lists);
	arena_done(&m->a);
}

err
backup_file(const struct backup_job *j, struct trail *t,
    struct backup_made *ret)
{
	struct making *m = mem_new(1, sizeof *m);
	err e;

	if (m == NULL)
		return err_of(E_NO_MEMORY);
	e = making_open(m, j, t);
	if (err_ok(e))
		e = file(m);
	if (err_ok(e))
		*ret = m->done;
	making_close(m);
	mem_free(m);
	return e;
}

err
backup_verified(const struct backup_job *j, const struct backup_made *made)
{
	struct noting n = {.made = made, .by = j->by, .end = true};

	return writer_do(j->st->writer, note_end, &n);
}

/* ---- keys ---- */

static err
project_keys_out(struct making *m)
{
	struct project_key_row *row;
	size_t n;

	TRY(store_project_keys(m->l.conn, &m->lists, &row, &n));
	for (size_t i = 0; i < n; i++) {
		char room[2048];
		struct buf b = {.p = room,
		    .cap = sizeof room,
		    .max = sizeof room};

		backup_project_key_put(&b, &row[i], row[i].wrapped.bytes);
		TRY(buf_check(&b));
		TRY(out_record(m, RECORD_PROJECT_KEY, buf_view(&b)));
	}
	return OK;
}

static err
sealed_by_out(struct making *m)
{
	struct data_key_row row;
	struct buf b;

	TRY(store_data_key_get(m->l.conn, m->done.head.key, &m->lists, &row));
	buf_init_on(&b, &m->lists, 4096);
	backup_data_key_put(&b, &row, row.was_wrapped.bytes);
	TRY(buf_check(&b));
	return out_record(m, RECORD_SEALED_BY, buf_view(&b));
}

static err
data_keys(struct making *m, struct buf *b)
{
	enum { KEYS_PIECE = 1000 };
	struct data_key_row *row;
	uint32_t after = 0;
	size_t n;

	do {
		arena_reset(&m->a);
		TRY(store_data_keys_after(m->l.conn, after, KEYS_PIECE, &m->a,
		    &row, &n));
		for (size_t i = 0; i < n; i++)
			backup_data_key_put(b, &row[i],
			    row[i].was_wrapped.bytes);
		after = n > 0 ? row[n - 1].id : after;
		TRY(buf_check(b));
	} while (n == KEYS_PIECE);
	return OK;
}

static err
data_keys_out(struct making *m, uint32_t *ret_n)
{
	struct seal_where w = backup_where_keys(&m->done.head.id);
	struct buf b;
	err e;

	buf_init(&b, LIM_BACKUP_LIST);
	e = data_keys(m, &b);
	if (err_ok(e))
		e = out_chunks(m, RECORD_DATA_KEYS, &w, buf_view(&b), ret_n);
	buf_done(&b);
	return e;
}

static err
keys(struct making *m)
{
	char room[BACKUP_HEAD];
	struct buf b = {.p = room, .cap = sizeof room, .max = sizeof room};
	struct backup_head h = m->done.head;
	uint32_t n;

	TRY(keyring_get(m->l.ring, h.key, &m->key));
	TRY(store_data_key_last(m->l.conn, &h.schema));
	h.base = (struct uuid){{0}};
	backup_keys_head(&b, &h);
	TRY(out(m, buf_view(&b)));
	TRY(project_keys_out(m));
	TRY(sealed_by_out(m));
	return data_keys_out(m, &n);
}

err
backup_keys(const struct backup_job *j, const struct backup_made *made,
    struct trail *t)
{
	struct making *m = mem_new(1, sizeof *m);
	err e;

	if (m == NULL)
		return err_of(E_NO_MEMORY);
	e = making_open(m, j, t);
	m->done.head = made->head;
	if (err_ok(e))
		e = store_view_begin(m->l.conn);
	if (err_ok(e)) {
		e = keys(m);
		store_view_end(m->l.conn);
	}
	making_close(m);
	mem_free(m);
	return e;
}

/* ---- telling ---- */

void
backup_json(struct buf *b, const struct backup_made *m)
{
	char id[UUID_TEXT + 1], base[UUID_TEXT + 1], time[TIME_TEXT + 1];
	struct jw w;

	uuid_text(&m->head.id, id);
	uuid_text(&m->head.base, base);
	time_text(m->head.time, time);
	jw_init(&w, b);
	jw_obj(&w);
	jw_kstr(&w, "id", str_c(id));
	jw_kstr(&w, "base",
	    uuid_is_zero(&m->head.base) ? STR_NONE : str_c(base));
	jw_kstr(&w, "time", str_c(time));
	jw_ki64(&w, "entries", (int64_t)m->entries);
	jw_ki64(&w, "rows", (int64_t)m->rows);
	jw_ki64(&w, "blocks", (int64_t)m->blocks);
	jw_ki64(&w, "new_blocks", (int64_t)m->fresh);
	jw_ki64(&w, "bytes", (int64_t)m->bytes);
	jw_obj_end(&w);
}

err
backup_last(struct store_conn *c, int64_t *ret)
{
	struct arena a;
	struct str s;
	err e;

	arena_init(&a, 4096);
	*ret = 0;
	e = store_meta_get(c, "backup.time", &a, &s);
	if (err_ok(e) && !str_i64(s, 0, INT64_MAX, ret))
		e = err_of(E_CORRUPT);
	arena_done(&a);
	return err_is(e, E_NOT_FOUND) ? OK : e;
}
