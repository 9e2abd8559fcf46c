/*
 * reencrypt.c: see rotate.h.  All keys with a number below the one that was
 * next when it began are old.  The steps, each safe to be the last:
 *	1. that number goes into the store
 *	2. class keys: a new term for each that has none yet
 *	3. rows: sealed anew; subjects get a key that follows theirs
 *	4. all rows are looked at once more; what names an old key keeps it
 *	5. the other old keys are deleted, and the number
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "flow/keys.h"
#include "flow/rewrap.h"
#include "flow/writer.h"

enum {
	LISTS_MEMORY = 32 * 1024 * 1024,
	PIECE_TERMS = 64,
	PIECE_KEYS = 64,
	LEFT_MAX = 65536,
	ROUNDS = 3,
	PLACE_MAX = 256,
};

static const char note_name[] = "keys.reencrypt";

struct reencrypting {
	struct rewrapping w; /* first: its note finds us */
	struct reencryption at;
	struct class_key term[PIECE_TERMS];
	size_t terms_n;
	uint32_t *left; /* old keys that rows name, by number */
	size_t left_n;
	bool left_many;
	uint32_t key[PIECE_KEYS];
	size_t keys_n;
	uint64_t deleted, kept;
};

/* ---- where it is ---- */

static void
cursor_text(struct str at, char ret[2 * REWRAP_CURSOR + 1])
{
	static const char digit[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < at.n; i++) {
		ret[n++] = digit[(uint8_t)at.p[i] >> 4];
		ret[n++] = digit[(uint8_t)at.p[i] & 15];
	}
	ret[n] = '\0';
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
cursor_of(struct str text, struct reencryption *ret)
{
	if (text.n % 2 != 0 || text.n / 2 > sizeof ret->cursor)
		return false;
	for (ret->cursor_n = 0; ret->cursor_n < text.n / 2; ret->cursor_n++) {
		int high = nibble(text.p[2 * ret->cursor_n]);
		int low = nibble(text.p[2 * ret->cursor_n + 1]);

		if (high < 0 || low < 0)
			return false;
		ret->cursor[ret->cursor_n] = (char)(high << 4 | low);
	}
	return true;
}

static err
note_put(struct lane *l, const struct reencryption *at)
{
	char text[PLACE_MAX], cursor[2 * REWRAP_CURSOR + 1];
	int n;

	cursor_text(str_of(at->cursor, at->cursor_n), cursor);
	n = snprintf(text, sizeof text, "%lu %llu %zu %llu %llu %s",
	    (unsigned long)at->below, (unsigned long long)at->started,
	    at->table, (unsigned long long)at->done,
	    (unsigned long long)at->total, cursor);
	if (n < 0 || (size_t)n >= sizeof text)
		return err_of(E_INTERNAL);
	return store_meta_set(l->conn, note_name, str_c(text));
}

static bool
numbers_of(struct str text, struct reencryption *ret)
{
	uint64_t v[5];
	struct str word;

	for (size_t i = 0; i < 5; i++)
		if (!str_cut(text, ' ', &word, &text) ||
		    !str_u64(word, 0, INT64_MAX, &v[i]))
			return false;
	*ret = (struct reencryption){.below = (uint32_t)v[0],
	    .started = (int64_t)v[1],
	    .table = (size_t)v[2],
	    .done = v[3],
	    .total = v[4]};
	return v[0] > 0 && v[0] <= UINT32_MAX && cursor_of(text, ret);
}

err
reencrypt_at(struct store_conn *c, struct reencryption *ret)
{
	struct arena a;
	struct str text;
	err e;

	*ret = (struct reencryption){.below = 0};
	arena_init(&a, PLACE_MAX * 4);
	e = store_meta_get(c, note_name, &a, &text);
	if (err_is(e, E_NOT_FOUND))
		e = OK;
	else if (err_ok(e) && text.n > 0 && !numbers_of(text, ret))
		e = err_of(E_CORRUPT);
	arena_done(&a);
	return e;
}

/* ---- 1: the number ---- */

static err
begin(struct lane *l, void *arg)
{
	struct reencrypting *r = arg;
	uint64_t total = r->at.total;

	TRY(reencrypt_at(l->conn, &r->at));
	if (r->at.below != 0)
		return pieces_record(&r->w.p, l, AUDIT_KEY_REENCRYPT,
		    "resumed below=%u by=%s", r->at.below, r->w.p.r->by);
	r->at =
	    (struct reencryption){.below = desk_key_id(writer_desk(l->writer)),
		.started = time_now_ms(),
		.total = total};
	TRY(note_put(l, &r->at));
	return pieces_record(&r->w.p, l, AUDIT_KEY_REENCRYPT,
	    "begin below=%u by=%s", r->at.below, r->w.p.r->by);
}

static err
count(struct reencrypting *r, uint64_t *ret)
{
	enum seal_table table;
	uint64_t n;

	*ret = 0;
	for (size_t i = 0; store_sealed_table(i, &table) != NULL; i++) {
		TRY(pieces_go_on(&r->w.p));
		TRY(store_sealed_count(r->w.reader.conn, table, &n));
		*ret += n;
	}
	return OK;
}

/* ---- 2: terms ---- */

static err
terms_some(struct lane *l, void *arg)
{
	struct reencrypting *r = arg;
	const struct snap *s = l->snap;

	r->terms_n = 0;
	for (size_t i = 0; i < s->class_keys_n && r->terms_n < PIECE_TERMS;
	     i++) {
		const struct class_key *k = &s->class_keys[i];

		if (rotate_class(k->class) && k->id < r->at.below &&
		    snap_class_key(s, k->project, k->class) == k->id)
			r->term[r->terms_n++] = *k;
	}
	if (r->terms_n == 0)
		return OK;
	return keys_new_terms(l, r->term, r->terms_n, &r->w.p.a);
}

static err
terms(struct reencrypting *r)
{
	do {
		TRY(pieces_next(&r->w.p));
		TRY(pieces_do(&r->w.p, terms_some, r));
	} while (r->terms_n == PIECE_TERMS);
	lane_refresh(&r->w.reader);
	TRY(old_keys_list(r->w.reader.snap, &r->w.lists, &r->w.old));
	return OK;
}

/* ---- 3: rows ---- */

static void
tell(struct reencrypting *r)
{
	struct key_work *k = &r->w.p.r->st->key_work;

	atomic_store(&k->done, r->w.seen);
	atomic_store(&k->total, r->at.total);
}

/* In the transaction of each piece, so that a crash goes on behind it. */
static err
note(struct rewrapping *w, struct lane *l)
{
	struct reencrypting *r = (struct reencrypting *)w;

	r->at.table = w->table;
	r->at.done = w->seen;
	BUG_ON(w->at.n > sizeof r->at.cursor);
	memcpy(r->at.cursor, w->at.p, w->at.n);
	r->at.cursor_n = w->at.n;
	return note_put(l, &r->at);
}

static err
seal_some(struct rewrapping *w, const struct sealed_row *row, size_t n)
{
	TRY(rewrap_some(w, row, n));
	tell((struct reencrypting *)w);
	return OK;
}

static err
rows(struct reencrypting *r)
{
	struct str at = str_of(r->at.cursor, r->at.cursor_n);
	char first[REWRAP_CURSOR];
	enum seal_table table;

	memcpy(first, at.p, at.n);
	at = str_of(first, at.n);
	r->w.seen = r->at.done;
	for (size_t i = r->at.table; store_sealed_table(i, &table) != NULL;
	     i++) {
		r->w.table = i;
		TRY(rewrap_walk(&r->w, table, at, seal_some));
		at = STR("");
	}
	return OK;
}

/* ---- 4: what names old keys still ---- */

static size_t
place(const struct reencrypting *r, uint32_t id)
{
	size_t lo = 0, hi = r->left_n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->left[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
is_left(const struct reencrypting *r, uint32_t id)
{
	size_t i = place(r, id);

	return r->left_many || (i < r->left_n && r->left[i] == id);
}

static void
leave(struct reencrypting *r, uint32_t id)
{
	size_t i = place(r, id);

	if (i < r->left_n && r->left[i] == id)
		return;
	if (r->left_n == LEFT_MAX) {
		r->left_many = true;
		return;
	}
	memmove(r->left + i + 1, r->left + i,
	    (r->left_n - i) * sizeof *r->left);
	r->left[i] = id;
	r->left_n++;
}

/* Once more, for what came in between; and what stays is noted. */
static err
check_some(struct rewrapping *w, const struct sealed_row *row, size_t n)
{
	struct reencrypting *r = (struct reencrypting *)w;

	for (size_t i = 0; i < n; i++) {
		uint32_t id = rewrap_old(w, &row[i]);

		if (id != 0 && id < r->at.below)
			leave(r, id);
	}
	return OK;
}

static err
all_tables(struct reencrypting *r, rewrap_fn fn)
{
	enum seal_table table;

	for (size_t i = 0; store_sealed_table(i, &table) != NULL; i++)
		TRY(rewrap_walk(&r->w, table, STR(""), fn));
	return OK;
}

static err
check(struct reencrypting *r)
{
	uint64_t rows_before;

	r->w.note = NULL; /* from here on, all again */
	for (int i = 0;; i++) {
		r->left_n = 0;
		r->left_many = false;
		TRY(all_tables(r, check_some));
		if (r->left_n == 0 || i == ROUNDS)
			return OK;
		rows_before = r->w.done.rows;
		r->w.done.damaged = 0; /* counted again */
		TRY(all_tables(r, rewrap_some));
		if (r->w.done.rows == rows_before)
			return OK; /* what is left does not open */
	}
}

/* ---- 5: the end of old keys ---- */

static bool
ends(const struct reencrypting *r, const struct data_key_row *k)
{
	if (k->id >= r->at.below)
		return false;
	return rotate_class((enum seal_class)k->class) ||
	    k->class == SEAL_CLASS_INCIDENT || k->class == SEAL_CLASS_PERSON ||
	    k->class == SEAL_CLASS_SECRET;
}

static err
delete_some(struct lane *l, void *arg)
{
	struct reencrypting *r = arg;

	return keys_destroy(l, r->key, r->keys_n, &r->w.p.a);
}

static err
delete_old(struct reencrypting *r)
{
	struct data_key_row *row;
	uint32_t after = 0;
	size_t n;

	do {
		int64_t since = time_mono_us();

		TRY(pieces_next(&r->w.p));
		TRY(store_data_keys_after(r->w.reader.conn, after, PIECE_KEYS,
		    &r->w.p.a, &row, &n));
		r->keys_n = 0;
		for (size_t i = 0; i < n; i++) {
			after = row[i].id;
			if (!ends(r, &row[i]))
				continue;
			if (is_left(r, row[i].id))
				r->kept++;
			else
				r->key[r->keys_n++] = row[i].id;
		}
		if (r->keys_n > 0)
			TRY(pieces_do(&r->w.p, delete_some, r));
		r->deleted += r->keys_n;
		pieces_yield(&r->w.p, since);
	} while (n == PIECE_KEYS && after < r->at.below);
	return OK;
}

static err
finish(struct lane *l, void *arg)
{
	struct reencrypting *r = arg;

	TRY(store_meta_set(l->conn, note_name, STR("")));
	return pieces_record(&r->w.p, l, AUDIT_KEY_REENCRYPT,
	    "done below=%u by=%s rows=%llu deleted=%llu kept=%llu damaged=%llu",
	    r->at.below, r->w.p.r->by, (unsigned long long)r->w.done.rows,
	    (unsigned long long)r->deleted, (unsigned long long)r->kept,
	    (unsigned long long)r->w.done.damaged);
}

/* ---- the whole ---- */

static err
all_steps(struct reencrypting *r)
{
	TRY(count(r, &r->at.total));
	TRY(pieces_do(&r->w.p, begin, r));
	r->w.below = r->at.below;
	r->w.note = note;
	tell(r);
	TRY(terms(r));
	TRY(rows(r));
	pieces_rest(&r->w.p, LIM_READERS_MS);
	TRY(check(r));
	TRY(delete_old(r));
	return pieces_do(&r->w.p, finish, r);
}

static err
run(struct reencrypting *r, const struct rotation *by)
{
	err e;

	r->left = arena_array(&r->w.lists, LEFT_MAX + 1, sizeof *r->left);
	TRY(arena_check(&r->w.lists));
	TRY(lane_open(by->st, LANE_READER, 0, &r->w.reader));
	atomic_store(&by->st->key_work.started, time_now_ms());
	e = all_steps(r);
	atomic_store(&by->st->key_work.started, 0);
	lane_close(&r->w.reader);
	return e;
}

err
rotate_reencrypt(const struct rotation *by, struct trail *t,
    struct rewrapped *ret)
{
	struct reencrypting *r = mem_new(1, sizeof *r);
	err e;

	if (r == NULL)
		return err_of(E_NO_MEMORY);
	pieces_init(&r->w.p, by, t);
	arena_init(&r->w.lists, LISTS_MEMORY);
	e = run(r, by);
	if (err_ok(e))
		r->w.done.clean = err_ok(store_checkpoint(by->st->store, true));
	r->w.done.deleted = r->deleted;
	r->w.done.kept = r->kept;
	arena_done(&r->w.lists);
	pieces_done(&r->w.p);
	*ret = r->w.done;
	mem_free(r);
	return e;
}
