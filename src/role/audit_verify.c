/* audit_verify.c: `redoubt audit verify --data DIR`. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "audit/epoch.h"
#include "base/limits.h"
#include "role/audit_verify.h"
#include "role/keep.h"
#include "role/unlock.h"
#include "role/plan.h"
#include "store/store.h"

enum { VERIFY_ARENA = 1 << 20 };

struct walk {
	struct store_conn *conn;
	struct audit_check *check;
	struct note_key now; /* what the log is called */
	struct note_key key; /* what it was called, as far as was read */
	struct audit_verdict *v;
	struct arena arena; /* of one checkpoint */
	uint64_t note_size; /* of the last one compared */
	uint64_t notes;	    /* of the store that were compared */
	uint64_t last_size; /* what the keeper signed last; 0 = not known */
	struct buf last;    /* its note */
	err e;
};

static err found(struct walk *w, uint64_t seq, const char *fmt, ...)
    PRINTF(3, 4) MUST_USE;

static err
found(struct walk *w, uint64_t seq, const char *fmt, ...)
{
	va_list ap;

	w->v->bad_seq = seq;
	va_start(ap, fmt);
	if (vsnprintf(w->v->what, sizeof w->v->what, fmt, ap) < 0)
		w->v->what[0] = '\0';
	va_end(ap);
	return err_of(E_BAD_ANSWER);
}

/* ---- tiles and checkpoints behind entry `size` ---- */

static err
tile(struct walk *w, unsigned level, uint64_t index, uint64_t size)
{
	struct audit_tile t = {.level = level, .index = index};
	uint8_t b[STORE_TILE];
	err e = store_tile_get(w->conn, level, index, b);

	if (err_is(e, E_NOT_FOUND) || err_is(e, E_CORRUPT))
		return found(w, size,
		    "tile %u/%" PRIu64 " behind entry %" PRIu64 " is %s", level,
		    index, size,
		    err_is(e, E_NOT_FOUND) ? "missing" : "damaged");
	TRY(e);
	_Static_assert(sizeof t.hash == STORE_TILE, "a tile is its hashes");
	memcpy(t.hash, b, sizeof t.hash);
	return audit_check_tile(w->check, &t, w->v);
}

static err
tiles(struct walk *w, uint64_t size)
{
	uint64_t wide = TILE_WIDTH;

	for (unsigned level = 0; level < TILE_LEVELS - 1; level++) {
		if (size % wide != 0)
			return OK;
		TRY(tile(w, level, size / wide - 1, size));
		wide *= TILE_WIDTH;
	}
	return OK;
}

/* The keeper's own comes between those of the store. */
static err
keepers(struct walk *w, uint64_t up_to)
{
	uint64_t size = w->last_size;

	if (size == 0 || size > up_to)
		return OK;
	w->last_size = 0;
	return audit_check_note(w->check, size, buf_view(&w->last), &w->now,
	    w->v);
}

static err
notes(struct walk *w, uint64_t up_to)
{
	for (;;) {
		struct str note;
		uint64_t size;
		err e;

		arena_reset(&w->arena);
		e = store_checkpoint_get(w->conn, w->note_size + 1, &w->arena,
		    &size, &note);
		if (err_is(e, E_NOT_FOUND) || (err_ok(e) && size > up_to))
			return keepers(w, up_to);
		TRY(e);
		TRY(audit_check_note(w->check, size, note, &w->key, w->v));
		w->note_size = size;
		w->notes++;
	}
}

static err
past_tile(void *ctx, unsigned level, uint64_t index, struct audit_tile *ret)
{
	struct walk *w = ctx;

	ret->level = level;
	ret->index = index;
	return store_tile_get(w->conn, level, index, (uint8_t *)ret->hash);
}

/* The log has another name behind this one. */
static err
forked(struct walk *w, struct str text)
{
	TRY(audit_check_past(w->check, text, past_tile, w, w->v));
	return note_key_named(audit_check_epoch(w->check), w->now.pub, &w->key);
}

static err
leaf(struct walk *w, struct str text)
{
	uint64_t size;

	if (fork_is(text)) /* what was signed under the old name is over */
		TRY(notes(w, audit_check_size(w->check)));
	TRY(audit_check_leaf(w->check, text, w->v));
	if (fork_is(text))
		TRY(forked(w, text));
	size = audit_check_size(w->check);
	if (size % TILE_WIDTH != 0)
		return OK;
	TRY(tiles(w, size));
	return notes(w, size);
}

static bool
on_leaf(void *ctx, uint64_t seq, struct str text)
{
	struct walk *w = ctx;

	w->e = leaf(w, text);
	/* The leaf's own number has been compared, now that of its row. */
	if (err_ok(w->e) && seq != audit_check_size(w->check))
		w->e = found(w, audit_check_size(w->check),
		    "entry %" PRIu64 " is kept under number %" PRIu64,
		    audit_check_size(w->check), seq);
	return err_ok(w->e);
}

/* Rows that no walk comes by, and that a list could still show. */
static err
strays(struct walk *w, const struct audit_rows *r)
{
	uint64_t size = audit_check_size(w->check), want = 0;

	for (uint64_t n = size / TILE_WIDTH; n > 0; n /= TILE_WIDTH)
		want += n;
	if (r->strays > 0)
		return found(w, 1, "%" PRIu64 " rows stand before entry 1",
		    r->strays);
	if (r->tiles != want)
		return found(w, size + 1,
		    "%" PRIu64 " tiles, but %" PRIu64 " entries fill %" PRIu64,
		    r->tiles, size, want);
	return OK;
}

/* Every log that has epochs began with the first. */
static err
first_name(struct walk *w, const struct epoch *now)
{
	char name[NOTE_NAME_MAX + 1];
	struct buf b = {.p = name, .cap = sizeof name, .max = sizeof name};

	buf_str(&b, now->log);
	buf_c(&b, "/1");
	TRY(buf_check(&b));
	audit_check_origin(w->check, buf_view(&b));
	return note_key_named(buf_view(&b), w->now.pub, &w->key);
}

/* The last name is the one the log goes by. */
static err
last_name(struct walk *w)
{
	if (strcmp(w->key.name, w->now.name) == 0)
		return OK;
	return found(w, audit_check_size(w->check),
	    "the log is called %.100s, and no entry says why", w->now.name);
}

static err
walk(struct walk *w)
{
	struct audit_rows rows;
	struct epoch now;

	TRY(audit_check_new(&w->check));
	w->now = w->key;
	if (epoch_parse(str_c(w->now.name), &now))
		TRY(first_name(w, &now));
	TRY(store_audit_walk(w->conn, 1, false, on_leaf, w));
	TRY(w->e);
	TRY(store_audit_rows(w->conn, &rows));
	TRY(strays(w, &rows));
	TRY(last_name(w));
	/* Also those that cover more than there is: that is the finding. */
	TRY(notes(w, UINT64_MAX));
	if (w->notes != rows.checkpoints)
		return found(w, 1,
		    "%" PRIu64 " checkpoints, but %" PRIu64
		    " can be found by their size",
		    rows.checkpoints, w->notes);
	return audit_check_end(w->check, w->v);
}

/* ---- whose signature ---- */

/* Is that a root key?  Without one nothing is known of the other two.  A
 * sealed one opens, in a pipe, or does not. */
static bool
root_reads(const struct datadir *d, int *fd)
{
	struct root_keys *roots = NULL;
	struct trail quiet = {{0}};
	struct buf b;
	err e = root_key_unlock(d, *fd, NULL, &quiet, fd);

	if (!err_ok(e) || lseek(*fd, 0, SEEK_SET) < 0)
		return err_ok(e);
	e = fd_read_all(*fd, SECRET_FILE_MAX, &b);
	if (err_ok(e))
		e = root_parse(buf_view(&b), &quiet, &roots);
	buf_wipe(&b);
	if (roots != NULL)
		(void)root_free(roots);
	return err_ok(e);
}

static err
word(struct walk *w, const int fd[3], struct trail *t)
{
	struct keep k = {0};
	err e;

	TRY(keep_open(&k, fd[0], fd[1], fd[2], t));
	w->key = k.key;
	w->last_size = k.last.size;
	e = checkpoint_sign(&k.last, &k.key, secret_view(k.seed), &w->last);
	keep_close(&k);
	return e;
}

static err
keepers_files(struct walk *w, const struct datadir *d, int fd[3],
    bool *ret_known)
{
	struct trail t = {{0}};
	err e = secret_open(d, "keys/audit.key", false, &t, &fd[1]);

	if (err_ok(e))
		e = secret_open(d, "keys/keeper.state", false, &t, &fd[2]);
	if (err_is(e, E_DENIED)) /* no key of ours: not for us to see */
		return OK;
	if (err_ok(e))
		e = word(w, fd, &t);
	*ret_known = err_ok(e);
	if (err_ok(e) || err_is(e, E_NO_MEMORY))
		return e;
	return found(w, 1, "what the keeper signed last cannot be known: %s",
	    t.detail[0] != '\0' ? t.detail : err_text(e));
}

/*
 * With the root key: what the keeper knows; its files are part of the log
 * then, and none of them may be missing or spoilt.  Without it, only that
 * the store agrees with itself under the key it names.
 */
static err
keepers_word(struct walk *w, const struct datadir *d, struct str root,
    bool *ret_known)
{
	struct trail quiet = {{0}};
	int fd[3] = {-1, -1, -1};
	err e = OK;

	*ret_known = false;
	if (err_ok(root_key_open(d, root, &quiet, &fd[0])) &&
	    root_reads(d, &fd[0]))
		e = keepers_files(w, d, fd, ret_known);
	for (size_t i = 0; i < 3; i++)
		if (fd[i] >= 0)
			(void)close(fd[i]);
	return e;
}

static err
stores_key(struct walk *w, bool known, struct verify_report *ret)
{
	struct note_key named;
	struct str text;
	struct buf b;
	err e;

	TRY(store_meta_get(w->conn, "audit.vkey", &w->arena, &text));
	e = note_key_parse(text, &named);
	if (err_ok(e) && known &&
	    (strcmp(named.name, w->key.name) != 0 ||
		memcmp(named.pub, w->key.pub, sizeof named.pub) != 0))
		e = err_of(E_BAD_ANSWER);
	if (!err_ok(e)) {
		(void)snprintf(w->v->what, sizeof w->v->what,
		    "the store names a signing key that is not the keeper's");
		return err_of(E_BAD_ANSWER);
	}
	if (!known)
		w->key = named;
	ret->key_known = known;
	buf_init(&b, sizeof ret->vkey - 1);
	note_key_text(&w->key, &b);
	if (!b.failed)
		memcpy(ret->vkey, b.p, b.n);
	buf_done(&b);
	return OK;
}

/* ---- the whole ---- */

static err
verify(struct walk *w, const struct datadir *d, struct store *s,
    struct str root, bool cut, struct verify_report *ret)
{
	bool known;
	err e;

	/* The keeper first: the log is never behind it. */
	TRY(keepers_word(w, d, root, &known));
	if (cut)
		w->last_size = 0;
	TRY(store_reader(s, &w->conn));
	e = store_view_begin(w->conn);
	if (err_ok(e)) {
		e = stores_key(w, known, ret);
		if (err_ok(e))
			e = walk(w);
		store_view_end(w->conn);
	}
	(void)store_conn_close(w->conn);
	return e;
}

static err
opened(struct walk *w, const struct datadir *d, struct arena *a, bool cut,
    struct trail *t, struct verify_report *ret)
{
	struct config config;
	struct store *s;
	err e;

	TRY(plan_config(d, NULL, a, t, &config));
	TRY(store_open(datadir_path(d, a, STR("db")), STORE_READ, t, &s));
	e = verify(w, d, s, config.keys_root, cut, ret);
	(void)store_close(s);
	return e;
}

err
role_audit_verify(const char *dir, struct trail *t, struct verify_report *ret)
{
	return audit_verify_dir(dir, false, t, ret);
}

err
audit_verify_dir(const char *dir, bool cut, struct trail *t,
    struct verify_report *ret)
{
	struct walk w = {.v = &ret->v};
	struct datadir d;
	struct arena a;
	err e;

	*ret = (struct verify_report){.vkey = ""};
	TRY(confine_light(t));
	TRY(datadir_open(dir, t, &d));
	arena_init(&a, VERIFY_ARENA);
	arena_init(&w.arena, VERIFY_ARENA);
	buf_init(&w.last, NOTE_MAX);
	e = opened(&w, &d, &a, cut, t, ret);
	w.check = audit_check_free(w.check);
	buf_done(&w.last);
	arena_done(&w.arena);
	arena_done(&a);
	datadir_close(&d);
	if (err_is(e, E_BAD_ANSWER))
		trail_set(t, "%s", ret->v.what);
	if (err_is(e, E_CORRUPT))
		trail_set(t, "the store cannot be read behind entry %" PRIu64,
		    ret->v.entries);
	return e;
}
