/* backup_chain.c: see backup_chain.h. */
#include "role/backup_chain.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "role/making.h"
#include "role/unlock.h"

enum { BLOCK_MEMORY = 64 * 1024 * 1024 };

static err PRINTF(2, 3) MUST_USE
    damaged(struct backup_chain *c, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	trail_set(c->t, "%s: %s", c->file[0].path, text);
	return err_of(E_CORRUPT);
}

/* ---- files ---- */

/* "dir/" of the path, or "" for here. */
static void
dir_of(const char *path, char ret[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		ret[0] = '\0';
	else
		(void)snprintf(ret, PATH_MAX, "%.*s", (int)(slash - path) + 1,
		    path);
}

static bool
is_id(const char *path, const struct uuid *id)
{
	int fd = open(path,
	    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	struct backup_head h;
	char head[BACKUP_HEAD];
	bool is;

	if (fd < 0)
		return false;
	is = err_ok(file_get(fd, 0, head, sizeof head)) &&
	    err_ok(backup_head_read(str_of(head, sizeof head), &h)) &&
	    uuid_eq(&h.id, id);
	(void)close(fd);
	return is;
}

/* The file of a directory whose head says so. */
static bool
look_for(const char *dir, const struct uuid *id, char ret[PATH_MAX])
{
	DIR *d = opendir(dir[0] == '\0' ? "." : dir);
	const struct dirent *e;
	bool found = false;

	for (size_t i = 0; d != NULL && !found && i < LIM_BACKUP_DIR &&
	     (e = readdir(d)) != NULL;
	     i++) {
		size_t n = strlen(e->d_name);
		int len;

		/* one that is not whole yet has no name */
		if (n > 5 && strcmp(e->d_name + n - 5, ".part") == 0)
			continue;
		len = snprintf(ret, PATH_MAX, "%s%s", dir, e->d_name);
		found = len > 0 && len < PATH_MAX && e->d_name[0] != '.' &&
		    is_id(ret, id);
	}
	if (d != NULL)
		(void)closedir(d);
	return found;
}

static err
add_file(struct backup_chain *c, const char *path)
{
	struct backup_in *f = &c->file[c->n];

	TRY(backup_in_open(path, c->t, f));
	c->n++;
	TRY(backup_in_whole(f, c->t));
	if (!uuid_eq(&f->head.org, &c->file[0].head.org))
		return damaged(c, "%s is of another organization", path);
	return OK;
}

static err
bases(struct backup_chain *c)
{
	char dir[PATH_MAX], path[PATH_MAX], id[UUID_TEXT + 1];

	dir_of(c->file[0].path, dir);
	for (;;) {
		const struct uuid *base = &c->file[c->n - 1].head.base;

		if (uuid_is_zero(base))
			return OK;
		uuid_text(base, id);
		if (c->n == LIM_BACKUP_CHAIN)
			return damaged(c, "it builds on too many");
		if (!look_for(dir, base, path)) {
			trail_set(c->t,
			    "%s builds on backup %s, which is not beside it",
			    c->file[c->n - 1].path, id);
			return err_of(E_CORRUPT);
		}
		TRY(add_file(c, path));
	}
}

static err
keys_read(struct backup_chain *c, const struct restore_options *o)
{
	const struct backup_head *h = &c->file[0].head;
	char dir[PATH_MAX];
	err e;

	dir_of(o->from, dir);
	if (o->keys != NULL)
		(void)snprintf(c->keys_path, sizeof c->keys_path, "%s",
		    o->keys);
	else
		(void)snprintf(c->keys_path, sizeof c->keys_path,
		    "%skeys-%02x%02x%02x%02x.rbk", dir, h->org.b[0],
		    h->org.b[1], h->org.b[2], h->org.b[3]);
	e = backup_ring_read(c->keys_path, c->t, &c->ring);
	c->have_keys = err_ok(e);
	TRY(e);
	if (!uuid_eq(&c->ring.head.org, &h->org)) {
		trail_set(c->t, "%s: the keys of another organization",
		    c->keys_path);
		return err_of(E_CORRUPT);
	}
	return OK;
}

err
backup_chain_open(struct backup_chain *c, const struct restore_options *o,
    struct trail *t)
{
	*c = (struct backup_chain){.t = t};
	for (size_t i = 0; i < LIM_BACKUP_CHAIN; i++)
		c->file[i].fd = -1;
	arena_init(&c->a, BLOCK_MEMORY);
	arena_init(&c->lists, (size_t)4 * LIM_BACKUP_LIST);
	TRY(add_file(c, o->from));
	TRY(bases(c));
	return keys_read(c, o);
}

void
backup_chain_close(struct backup_chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		backup_in_close(&c->file[i]);
	if (c->have_keys)
		backup_ring_close(&c->ring);
	if (c->roots != NULL)
		c->roots = root_free(c->roots);
	buf_wipe(&c->root);
	arena_done(&c->lists);
	arena_done(&c->a);
}

/* ---- keys ---- */

/* The file's bytes are kept, to be copied as they are; the keys in it may
 * need somebody to open them. */
static err
root_open(struct backup_chain *c, int fd)
{
	const struct datadir here = {.fd = AT_FDCWD};
	struct buf plain;
	int open_fd;
	err e = fd_read_all(fd, SECRET_FILE_MAX, &c->root);

	if (!err_ok(e)) {
		(void)close(fd);
		return e;
	}
	TRY(root_key_unlock(&here, fd, role_person(), c->t, &open_fd));
	e = fd_read_all(open_fd, SECRET_FILE_MAX, &plain);
	(void)close(open_fd);
	if (err_ok(e))
		e = root_parse(buf_view(&plain), c->t, &c->roots);
	buf_wipe(&plain);
	return e;
}

/* The sealed copy that came with the keys, for who has its shares. */
static err
escrow_open(struct backup_chain *c)
{
	struct str s = c->ring.keeper.escrow;
	int fd = memfd_create("escrow", MFD_CLOEXEC);

	if (fd < 0)
		return err_of(E_IO);
	if (!err_ok(making_write(fd, s)) || lseek(fd, 0, SEEK_SET) != 0) {
		(void)close(fd);
		return err_of(E_IO);
	}
	return root_open(c, fd);
}

static err
root_read(struct backup_chain *c, const struct restore_options *o)
{
	const struct datadir here = {.fd = AT_FDCWD};
	struct str was = c->ring.keeper.root;
	struct trail quiet = {{0}};
	int fd;
	err e;

	if (o->root != NULL)
		(void)snprintf(c->root_path, sizeof c->root_path, "%s",
		    o->root);
	else if (was.n > 0 && was.n < sizeof c->root_path && was.p[0] == '/' &&
	    memchr(was.p, '\0', was.n) == NULL)
		memcpy(c->root_path, was.p, was.n);
	e = c->root_path[0] == '\0'
	    ? err_of(E_NOT_FOUND)
	    : secret_open(&here, c->root_path, false, &quiet, &fd);
	if (err_ok(e))
		return root_open(c, fd);
	if (o->root == NULL && c->ring.keeper.escrow.n > 0 &&
	    role_person() != NULL)
		return escrow_open(c);
	trail_set(c->t, "%s; say where the root key is: --root FILE",
	    quiet.detail[0] != '\0' ? quiet.detail
				    : "the root key was a credential");
	return e;
}

static err
list_read(struct backup_chain *c, const struct data_key *k)
{
	struct buf sealed, plain;
	err e;

	buf_init(&sealed, (size_t)LIM_BACKUP_LIST + BACKUP_HEAD);
	buf_init_on(&plain, &c->lists, LIM_BACKUP_LIST);
	e = backup_in_list(&c->file[0], &sealed, c->t);
	if (err_ok(e))
		e = backup_list_open(str_skip(buf_view(&sealed), BACKUP_HEAD),
		    &c->file[0].head.id, k, &c->a, &plain);
	buf_done(&sealed);
	TRY(e);
	return backup_list_read(buf_view(&plain), &c->lists, &c->list);
}

/* What is sealed says the same as what is not. */
static err
list_agrees(struct backup_chain *c)
{
	const struct backup_head *h = &c->file[0].head, *l = &c->list.head;

	if (!uuid_eq(&h->org, &l->org) || !uuid_eq(&h->id, &l->id) ||
	    !uuid_eq(&h->base, &l->base) || h->key != l->key ||
	    h->schema != l->schema || h->time != l->time)
		return damaged(c, "its head was changed");
	if (c->list.files_n != c->n)
		return damaged(c, "it is put together of several");
	for (size_t i = 0; i < c->n; i++)
		if (!uuid_eq(&c->list.files[i], &c->file[i].head.id))
			return damaged(c, "it is put together of several");
	return OK;
}

err
backup_chain_unlock(struct backup_chain *c, const struct restore_options *o)
{
	const struct data_key *k;
	err e;

	TRY(root_read(c, o));
	TRY(backup_ring_unlock(&c->ring, c->roots, c->t));
	e = keyring_get(c->ring.ring, c->file[0].head.key, &k);
	if (err_is(e, E_NOT_FOUND))
		return damaged(c,
		    "its key is not in %s: that is older, or the key was "
		    "destroyed",
		    c->keys_path);
	if (err_ok(e))
		e = list_read(c, k);
	if (err_is(e, E_CORRUPT) || err_is(e, E_WRONG_KEY))
		return damaged(c, "its list does not open");
	TRY(e);
	return list_agrees(c);
}

/* ---- rows ---- */

static err
block_open(struct backup_chain *c, const struct backup_block *b,
    struct str *ret)
{
	const struct backup_in *f = &c->file[b->file];
	struct seal_where w = backup_where_block(&f->head.id, b->number);
	uint8_t mac[BACKUP_MAC];
	const struct data_key *k;
	struct stored s;

	arena_reset(&c->a);
	TRY(keyring_get(c->ring.ring, f->head.key, &k));
	TRY(backup_in_block(f, b, &c->a, &s));
	TRY(seal_open(k, &w, s, &c->a, ret));
	TRY(keyring_get(c->ring.ring, c->ring.index, &k));
	TRY(seal_mac(k, "backup block", *ret, mac, sizeof mac));
	return err_of(ct_eq(mac, b->mac, sizeof mac) ? E_OK : E_CORRUPT);
}

static err
block_rows(struct backup_chain *c, const struct backup_block *b,
    backup_rows_fn fn, void *ctx, uint64_t *rows)
{
	struct str plain, row;
	struct backup_rows r;
	err e = block_open(c, b, &plain);

	if (err_ok(e))
		e = backup_rows_read(plain, &r);
	if (err_is(e, E_NOT_FOUND) || err_is(e, E_CORRUPT) ||
	    err_is(e, E_WRONG_KEY))
		return damaged(c, "block %u of %s does not open",
		    (unsigned)b->number, c->file[b->file].path);
	TRY(e);
	while (backup_rows_next(&r, &row)) {
		++*rows;
		TRY(fn(ctx, &r, row));
	}
	if (r.rest.failed)
		return damaged(c, "block %u of %s is not rows",
		    (unsigned)b->number, c->file[b->file].path);
	return OK;
}

err
backup_chain_rows(struct backup_chain *c, backup_rows_fn fn, void *ctx)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < c->list.blocks_n; i++)
		TRY(block_rows(c, &c->list.blocks[i], fn, ctx, &rows));
	if (rows != c->list.rows)
		return damaged(c, "it does not have as many rows as it says");
	return OK;
}

/* ---- telling ---- */

void
backup_chain_json(struct jw *w, const struct backup_chain *c, bool opened)
{
	const struct backup_head *h = &c->file[0].head;
	char id[UUID_TEXT + 1], time[TIME_TEXT + 1];
	uint64_t bytes = 0;

	for (size_t i = 0; i < c->n; i++)
		bytes += c->file[i].size;
	uuid_text(&h->id, id);
	time_text(h->time, time);
	jw_kstr(w, "file", str_c(c->file[0].path));
	jw_kstr(w, "keys", c->have_keys ? str_c(c->keys_path) : STR_NONE);
	jw_kbool(w, "opened", opened);
	jw_kstr(w, "id", str_c(id));
	jw_kstr(w, "time", str_c(time));
	jw_ki64(w, "files", (int64_t)c->n);
	jw_ki64(w, "bytes", (int64_t)bytes);
	if (!opened)
		return;
	jw_ki64(w, "blocks", (int64_t)c->list.blocks_n);
	jw_ki64(w, "rows", (int64_t)c->list.rows);
	jw_ki64(w, "entries", (int64_t)c->list.entries);
}
