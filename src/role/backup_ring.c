/* backup_ring.c: see backup_ring.h. */
#include "role/backup_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "role/backup_in.h"

enum { ARENA = 64 * 1024 * 1024, ENTRY_LEAST = 40 };

static err
damaged(struct trail *t, const struct backup_ring *r, const char *what)
{
	trail_set(t, "%s: %s", r->path, what);
	return err_of(E_CORRUPT);
}

/* ---- data keys ---- */

static bool
key_at(const struct backup_ring *r, uint32_t at, struct data_key_row *ret)
{
	struct cur c = cur_of(str_skip(buf_view(&r->plain), at));

	return err_ok(backup_data_key_read(&c, ret));
}

bool
backup_ring_key(const struct backup_ring *r, size_t i, struct data_key_row *ret)
{
	return i < r->keys && key_at(r, r->at[i], ret);
}

static bool
find(const struct backup_ring *r, uint32_t id, struct data_key_row *ret)
{
	size_t lo = 0, hi = r->keys;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (!backup_ring_key(r, mid, ret))
			return false;
		if (ret->id == id)
			return true;
		if (ret->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

bool
backup_ring_has(void *ring, uint32_t id)
{
	const struct backup_ring *r = ring;
	struct data_key_row row;

	return find(r, id, &row);
}

static err
load(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	const struct backup_ring *r = ctx;
	struct data_key_row row = r->sealed_by;

	(void)a;
	if (row.id != id && !find(r, id, &row))
		return err_of(E_NOT_FOUND);
	*ret = (struct wrapped_key){.id = row.id,
	    .project = row.project,
	    .version = row.version,
	    .class = row.class,
	    .subject = row.subject,
	    .term = row.term,
	    .stored = row.was_wrapped};
	return OK;
}

/* Where each begins; they rise. */
static err
keys_index(struct backup_ring *r)
{
	struct cur c = cur_of(buf_view(&r->plain));
	size_t room = r->plain.n / ENTRY_LEAST + 1;
	uint64_t term = 0;
	uint32_t last = 0;

	r->at = mem_new(room, sizeof *r->at);
	if (r->at == NULL)
		return err_of(E_NO_MEMORY);
	for (;;) {
		size_t at = r->plain.n - c.n;
		struct data_key_row row;
		err e = backup_data_key_read(&c, &row);

		if (err_is(e, E_NOT_FOUND))
			return OK;
		TRY(e);
		if (row.id <= last || r->keys == room)
			return err_of(E_CORRUPT);
		last = row.id;
		r->at[r->keys++] = (uint32_t)at;
		if (row.project == 0 && row.class == SEAL_CLASS_INDEX &&
		    row.term > term) {
			term = row.term;
			r->index = row.id;
		}
	}
}

/* ---- records ---- */

static err
project_key(struct backup_ring *r, struct str body, size_t *room)
{
	struct project_key_row row;
	void *p;

	TRY(backup_project_key_read(body, &row));
	if (r->projects == *room) {
		*room = *room == 0 ? 64 : *room * 2;
		p = arena_array(&r->a, *room, sizeof row);
		TRY(arena_check(&r->a));
		if (r->projects > 0)
			memcpy(p, r->project, r->projects * sizeof row);
		r->project = p;
	}
	r->project[r->projects++] = row;
	return OK;
}

/* The next record; E_NOT_FOUND at the end. */
static err
next(struct str *rest, uint8_t *ret_kind, struct str *ret)
{
	uint32_t n;

	if (rest->n == 0)
		return err_of(E_NOT_FOUND);
	TRY(backup_record_read(str_head(*rest, BACKUP_RECORD), ret_kind, &n));
	*rest = str_skip(*rest, BACKUP_RECORD);
	if (n > rest->n)
		return err_of(E_CORRUPT);
	*ret = str_head(*rest, n);
	*rest = str_skip(*rest, n);
	return OK;
}

/* Which may come when: in the order of their numbers, those of a kind
 * together. */
static err
records(struct backup_ring *r)
{
	struct str rest = str_head(buf_view(&r->file), r->file.n - BACKUP_TAIL);
	size_t room = 0, n[RECORD_KEEPER + 1] = {0};
	uint8_t kind, last = RECORD_PROJECT_KEY;
	struct str body;
	err e;

	rest = str_skip(rest, BACKUP_HEAD);
	for (;;) {
		struct str before = rest;

		e = next(&rest, &kind, &body);
		if (!err_ok(e))
			break;
		if (kind < last || kind > RECORD_KEEPER)
			return err_of(E_CORRUPT);
		if (kind == RECORD_DATA_KEYS && n[kind] == 0)
			r->chunks = before;
		if (kind == RECORD_PROJECT_KEY)
			e = project_key(r, body, &room);
		if (kind == RECORD_SEALED_BY) {
			struct cur c = cur_of(body);

			e = backup_data_key_read(&c, &r->sealed_by);
			if (err_ok(e) && !cur_end(&c))
				e = err_of(E_CORRUPT);
		}
		if (kind == RECORD_KEEPER)
			e = backup_keeper_read(body, &r->keeper);
		TRY(e);
		last = kind;
		n[kind]++;
	}
	r->chunks_n = n[RECORD_DATA_KEYS];
	if (!err_is(e, E_NOT_FOUND) || r->projects == 0 ||
	    n[RECORD_SEALED_BY] != 1 || n[RECORD_KEEPER] != 1 ||
	    r->chunks_n == 0)
		return err_of(E_CORRUPT);
	return OK;
}

static err
chunks_open(struct backup_ring *r)
{
	struct str rest = r->chunks;
	size_t n = r->chunks_n;
	struct seal_where w = backup_where_keys(&r->head.id);
	const struct data_key *k;
	struct str body, plain;
	struct arena a;
	uint8_t kind;
	err e = OK;

	TRY(keyring_get(r->ring, r->head.key, &k));
	arena_init(&a, 1 << 20);
	buf_init(&r->plain, r->file.n);
	for (uint32_t i = 0; err_ok(e) && i < n; i++) {
		arena_reset(&a);
		e = next(&rest, &kind, &body);
		if (err_ok(e))
			e = seal_open_chunk(k, &w, i, i + 1 == n,
			    (struct stored){body}, &a, &plain);
		if (err_ok(e))
			buf_str(&r->plain, plain);
	}
	arena_done(&a);
	TRY(e);
	return buf_check(&r->plain);
}

static err
unwrap(struct backup_ring *r, const struct root_keys *roots)
{
	uint8_t key[SECRET_SIZE];

	r->pk = project_keys_new();
	if (r->pk == NULL)
		return err_of(E_NO_MEMORY);
	for (size_t i = 0; i < r->projects; i++) {
		const struct project_key_row *p = &r->project[i];
		err e =
		    root_unwrap(roots, p->project, p->version, p->wrapped, key);

		if (err_ok(e))
			e = project_keys_add(r->pk, p->project, p->version,
			    key);
		mem_wipe(key, sizeof key);
		if (err_is(e, E_EXISTS))
			e = err_of(E_CORRUPT);
		TRY(e);
	}
	return keyring_new(r->pk, load, r, &r->ring);
}

err
backup_ring_unlock(struct backup_ring *r, const struct root_keys *roots,
    struct trail *t)
{
	err e;

	if (r->sealed_by.id != r->head.key ||
	    !uuid_eq(&r->sealed_by.subject, &r->head.id))
		return damaged(t, r, "it is put together of several");
	e = unwrap(r, roots);
	if (err_is(e, E_WRONG_KEY)) {
		trail_set(t, "%s: sealed under another root key", r->path);
		return e;
	}
	if (err_ok(e))
		e = chunks_open(r);
	if (err_ok(e))
		e = keys_index(r);
	if (err_ok(e) && r->index == 0)
		e = err_of(E_CORRUPT);
	if (err_is(e, E_CORRUPT) || err_is(e, E_WRONG_KEY) ||
	    err_is(e, E_NOT_FOUND) || err_is(e, E_SEALED))
		return damaged(t, r, "the keys in it do not open");
	return e;
}

/* ---- bytes ---- */

static err
read_file(struct backup_ring *r, int fd, struct trail *t)
{
	uint8_t sha[BACKUP_SHA];
	struct backup_tail tail;
	struct stat st;
	size_t n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return damaged(t, r, "not a regular file");
	if (st.st_size < BACKUP_HEAD + BACKUP_TAIL ||
	    st.st_size > (off_t)2 * LIM_BACKUP_LIST)
		return damaged(t, r, "no keys of a backup, or cut");
	n = (size_t)st.st_size;
	buf_init(&r->file, n);
	if (!buf_room(&r->file, n))
		return err_of(E_NO_MEMORY);
	TRY(file_get(fd, 0, r->file.p, n));
	r->file.n = n;
	if (!err_ok(
		backup_keys_head_read(str_head(buf_view(&r->file), BACKUP_HEAD),
		    &r->head)))
		return damaged(t, r, "no keys of a backup of Redoubt");
	TRY(file_sha(fd, n - BACKUP_SHA, sha));
	if (!err_ok(
		backup_tail_read(str_skip(buf_view(&r->file), n - BACKUP_TAIL),
		    &tail)) ||
	    memcmp(sha, tail.sha, sizeof sha) != 0) /* public: in the file */
		return damaged(t, r, "cut, or not the bytes that were written");
	if (!err_ok(records(r)))
		return damaged(t, r, "its records are not what they should be");
	return OK;
}

err
backup_ring_read(const char *path, struct trail *t, struct backup_ring *ret)
{
	struct backup_ring r = {.path = path};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	err e;

	if (fd < 0) {
		trail_set(t, "%s: %s", path, strerrordesc_np(errno));
		return err_of(errno == ENOENT ? E_NOT_FOUND : E_DENIED);
	}
	arena_init(&r.a, ARENA);
	e = read_file(&r, fd, t);
	(void)close(fd);
	if (err_ok(e))
		*ret = r;
	else
		backup_ring_close(&r);
	return e;
}

void
backup_ring_close(struct backup_ring *r)
{
	if (r->ring != NULL)
		r->ring = keyring_free(r->ring);
	if (r->pk != NULL)
		r->pk = project_keys_unref(r->pk);
	mem_free(r->at);
	r->at = NULL;
	buf_done(&r->plain);
	buf_done(&r->file);
	arena_done(&r->a);
}
