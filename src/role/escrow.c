#include "role/escrow.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { TEXT_ROOM = ROOT_LINE * (ROOT_KEYS_MAX + 1) };

err
escrow_read(const struct datadir *d, struct arena *a, struct trail *t,
    struct root_sealed *ret)
{
	struct trail why = {{0}};
	struct buf b;
	int fd;
	err e = secret_open(d, "keys/" ESCROW_FILE, false, &why, &fd);

	if (!err_ok(e)) {
		trail_set(t, "%s", why.detail);
		return e;
	}
	e = fd_read_all(fd, ROOT_SEALED_MAX, &b);
	(void)close(fd);
	if (err_ok(e))
		e = root_sealed_parse(a, buf_view(&b), t, ret);
	buf_wipe(&b);
	return e;
}

static err
put(const struct root_file *f, const struct root_sealed *r, struct trail *t)
{
	int dir =
	    openat(f->dir->fd, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct arena a;
	struct buf b;
	bool good;

	arena_init(&a, (size_t)2 * ROOT_SEALED_MAX);
	buf_init_on(&b, &a, ROOT_SEALED_MAX);
	root_sealed_write(r, &b);
	good = dir >= 0 && !b.failed &&
	    root_file_put(dir, ESCROW_FILE, f, buf_view(&b));
	if (!good)
		trail_set(t, "cannot write keys/" ESCROW_FILE ": %s",
		    strerrordesc_np(errno));
	if (dir >= 0)
		(void)close(dir);
	arena_done(&a);
	return err_of(good ? E_OK : E_IO);
}

/* Under the first key of the text, which is or becomes the primary. */
static err
root_unlocker(struct root_file *f, struct root_sealed *r, struct str text,
    const struct secret *u, struct trail *t)
{
	struct unlocker k = {.kind = UNLOCK_ROOT, .name = STR("root")};
	struct root_keys *keys = NULL;
	char id[ROOT_ID_TEXT + 1];
	err e;

	TRY(root_parse(text, t, &keys));
	root_id(keys, 0, id);
	k.word[0] = arena_dup(&f->arena, str_c(id));
	e = unlocker_close(&f->arena, r, &k, root_secret(keys, 0), u);
	(void)root_free(keys);
	TRY(e);
	for (size_t i = 0; i < r->n; i++)
		if (r->unlocker[i].kind == UNLOCK_ROOT) {
			r->unlocker[i] = k;
			return OK;
		}
	if (r->n == UNLOCKERS_MAX)
		return err_of(E_LIMIT);
	r->unlocker[r->n++] = k;
	return OK;
}

/* The copy's unlock key, with a root key that the file has (still). */
static err
open_by_root(struct root_file *f, const struct root_sealed *r,
    struct secret *ret_u)
{
	const struct unlocker *k = unlocker_find(r, UNLOCK_ROOT, STR(""));
	char id[ROOT_ID_TEXT + 1];

	for (size_t i = 0; k != NULL && i < root_count(f->keys); i++) {
		root_id(f->keys, i, id);
		if (str_is(k->word[0], id))
			return unlocker_open(&f->arena, r, k,
			    root_secret(f->keys, i), ret_u);
	}
	return err_of(E_WRONG_KEY);
}

static err
bring(struct root_file *f, struct root_sealed *r, struct str text,
    struct secret *u, struct trail *t)
{
	err e = open_by_root(f, r, u);

	if (!err_ok(e)) {
		trail_set(t,
		    "keys/" ESCROW_FILE " is of another root key: make new "
		    "shares with key split, or take it away");
		return e;
	}
	TRY(root_unlocker(f, r, text, u, t));
	TRY(root_sealed_close(&f->arena, r, u, text));
	return put(f, r, t);
}

err
escrow_update(struct root_file *f, struct str text, struct trail *t)
{
	struct trail quiet = {{0}};
	struct secret *u = NULL;
	struct root_sealed r;
	err e;

	if (f->unlock != NULL) { /* the copy is the file itself */
		r = f->sealed;
		TRY(root_sealed_close(&f->arena, &r, f->unlock, text));
		return put(f, &r, t);
	}
	e = escrow_read(f->dir, &f->arena, &quiet, &r);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	if (!err_ok(e))
		trail_set(t, "keys/" ESCROW_FILE ": %s", quiet.detail);
	TRY(e);
	TRY(secret_new(&u));
	e = bring(f, &r, text, u, t);
	(void)secret_free(u);
	return e;
}

static err
fresh(struct root_file *f, struct root_sealed *r, struct unlocker *k,
    const struct secret *key, struct buf *text, struct secret *u,
    struct trail *t)
{
	TRY(root_sealed_make(r, u));
	for (size_t i = 0; i < root_count(f->keys); i++)
		TRY(root_line(f->keys, i, text));
	TRY(unlocker_close(&f->arena, r, k, key, u));
	r->unlocker[r->n++] = *k;
	TRY(root_unlocker(f, r, buf_view(text), u, t));
	TRY(root_sealed_close(&f->arena, r, u, buf_view(text)));
	return put(f, r, t);
}

err
escrow_make(struct root_file *f, struct unlocker *k, const struct secret *key,
    struct trail *t)
{
	struct buf text = {.max = TEXT_ROOM};
	struct secret *u = NULL;
	struct root_sealed r;
	err e;

	/* At its full size at once: a buf that grows leaves copies. */
	if (!buf_room(&text, TEXT_ROOM))
		return err_of(E_NO_MEMORY);
	e = secret_new(&u);
	if (err_ok(e))
		e = fresh(f, &r, k, key, &text, u, t);
	(void)secret_free(u);
	buf_wipe(&text);
	return e;
}
