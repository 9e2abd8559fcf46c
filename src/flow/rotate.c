/*
 * rotate.c: see rotate.h.  The steps, each safe to be the last:
 *	1. the keeper reads the root key file, which has a new first line
 *	2. project keys: wrapped anew under the new root key
 *	3. each project: a new version of its key, in use from then on
 *	4. data keys: wrapped anew under those
 *	5. old versions: deleted when no data key is wrapped under them
 *	6. class keys: a new term each, in use from then on
 */
#include "flow/rotate.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "flow/keys.h"
#include "flow/pieces.h"
#include "flow/writer.h"

enum {
	/* About a millisecond of the writer's time, and one commit. */
	PIECE_WRAPS = 64,
	PIECE_PROJECTS = 32,
	PIECE_KEYS = 256,
	PIECE_DELETES = 256,
	PIECE_TERMS = 64,
	SCAN_KEYS = 1024,
	LISTS_MEMORY = 32 * 1024 * 1024,
};

/* One version of a project's key. */
struct version {
	uint32_t project, version;
	bool used; /* a data key is wrapped under it */
};

struct rotating {
	struct pieces p;
	struct arena lists; /* live to the end */
	const char *root;
	uint32_t root_number; /* as blobs name it */
	struct lane reader;

	uint32_t *project;
	struct version *version;
	struct class_key *term;
	size_t projects_n, versions_n, terms_n;

	/* Of the step at hand: where the next piece begins, and what the last
	 * one reached; taken over when it is durable. */
	uint64_t at, next;
	uint64_t did, damaged;
	bool more;
	struct rotated done;
};

bool rotate_class(enum seal_class class)
{
	switch (class) {
	case SEAL_CLASS_OBJECT:
	case SEAL_CLASS_ALERT:
	case SEAL_CLASS_PAYLOAD:
	case SEAL_CLASS_AUDIT:
	case SEAL_CLASS_REPLY:
	case SEAL_CLASS_CURSOR:
		return true;
	case SEAL_CLASS_INCIDENT:
	case SEAL_CLASS_BACKUP:
	case SEAL_CLASS_SECRET:
	case SEAL_CLASS_PERSON:
	case SEAL_CLASS_INDEX:
	case SEAL_CLASS_TOKEN:
		return false;
	}
	return false;
}

static void
begin(struct rotating *r)
{
	arena_reset(&r->p.a);
	r->next = r->at;
	r->did = r->damaged = 0;
	r->more = false;
}

static err
step(struct rotating *r, err (*fn)(struct lane *l, void *arg), uint64_t *count)
{
	r->at = 0;
	do {
		TRY(pieces_do(&r->p, fn, r));
		r->at = r->next;
		*count += r->did;
		r->done.damaged += r->damaged;
	} while (r->more);
	return OK;
}

/* ---- 1: the root key ---- */

static err
primary(struct rotating *r, struct lane *l)
{
	struct keeper_last last;

	TRY(keeper_last(writer_keeper(l->writer), &last));
	if (last.roots > 0 && strcmp(last.root_ids[0], r->root) == 0)
		return OK;
	trail_set(r->p.t,
	    "the keeper reads another root key file: its first "
	    "key is %s, not %s",
	    last.roots > 0 ? last.root_ids[0] : "none", r->root);
	return err_of(E_CONFLICT);
}

static err
first(struct lane *l, void *arg)
{
	struct rotating *r = arg;

	begin(r);
	TRY(primary(r, l));
	return pieces_record(&r->p, l, AUDIT_KEY_ROTATE, "begin root=%s by=%s",
	    r->root, r->p.r->by);
}

/* ---- 2: project keys under it ---- */

static err
under_root(struct rotating *r, struct str wrapped)
{
	struct stored s = {wrapped};
	uint32_t id;

	TRY(seal_key_id(s, &id));
	return err_of(id == r->root_number ? E_OK : E_WRONG_KEY);
}

static err
wrap_one(struct rotating *r, struct lane *l, const struct project_key_row *row)
{
	struct buf b;

	buf_init_on(&b, &r->p.a, LIM_IPC);
	TRY(keeper_key_rewrap(writer_keeper(l->writer), row->project,
	    row->version, row->wrapped.bytes, &b));
	TRY(under_root(r, buf_view(&b)));
	return keys_store_project(l->conn, row->project, row->version,
	    row->created, buf_view(&b));
}

/*
 * The keeper's ration is used up: keep what this piece has done.  Undone, a
 * piece larger than what the ration regains meanwhile would use it up again
 * each time, and never end.
 */
static bool
enough(struct rotating *r, err e)
{
	if (!err_is(e, E_RATE) || r->did == 0)
		return false;
	r->more = true;
	return true;
}

static err
wrap_some(struct lane *l, void *arg)
{
	struct rotating *r = arg;
	struct project_key_row *row;
	size_t n;
	err e;

	begin(r);
	TRY(store_project_keys(l->conn, &r->p.a, &row, &n));
	for (size_t i = 0; i < n; i++) {
		if (err_ok(under_root(r, row[i].wrapped.bytes)))
			continue;
		if (r->did == PIECE_WRAPS) {
			r->more = true;
			break;
		}
		e = wrap_one(r, l, &row[i]);
		if (enough(r, e))
			return OK;
		TRY(e);
		r->did++;
	}
	return OK;
}

/* ---- 3: new versions ---- */

/* All versions there are, and which projects have one. */
static err
list_versions(struct rotating *r)
{
	struct project_key_row *row;
	size_t n;

	TRY(store_project_keys(r->reader.conn, &r->lists, &row, &n));
	r->version = arena_array(&r->lists, n + 1, sizeof *r->version);
	r->project = arena_array(&r->lists, n + 1, sizeof *r->project);
	TRY(arena_check(&r->lists));
	r->projects_n = 0;
	for (size_t i = 0; i < n; i++) {
		r->version[i] =
		    (struct version){row[i].project, row[i].version, false};
		if (i == 0 || row[i].project != row[i - 1].project)
			r->project[r->projects_n++] = row[i].project;
	}
	r->versions_n = n;
	return OK;
}

static int
by_version(const void *a, const void *b)
{
	const struct version *x = a, *y = b;

	if (x->project != y->project)
		return x->project < y->project ? -1 : 1;
	return x->version < y->version ? -1 : x->version > y->version;
}

static struct version *
find_version(struct rotating *r, uint32_t project, uint32_t version)
{
	struct version want = {project, version, false};

	return bsearch(&want, r->version, r->versions_n, sizeof want,
	    by_version);
}

/* Versions that an earlier rotation deleted and that stayed in memory for
 * who was reading then. */
static void
forget_deleted(struct rotating *r, struct project_keys *keys)
{
	for (size_t i = 0; i < r->projects_n; i++) {
		uint32_t p = r->project[i];

		for (uint32_t v = project_keys_latest(keys, p); v > 1; v--)
			if (find_version(r, p, v - 1) == NULL)
				project_keys_remove(keys, p, v - 1);
	}
}

static err
new_version(struct rotating *r, struct lane *l, struct project_keys *keys,
    uint32_t project)
{
	uint32_t version = project_keys_latest(keys, project) + 1;
	uint8_t key[SECRET_SIZE];
	struct buf wrapped;
	err e;

	buf_init_on(&wrapped, &r->p.a, LIM_IPC);
	TRY(keeper_key_new(writer_keeper(l->writer), project, version, key,
	    &wrapped));
	e = project_keys_add(keys, project, version, key);
	mem_wipe(key, sizeof key);
	TRY(e);
	TRY(under_root(r, buf_view(&wrapped)));
	return keys_store_project(l->conn, project, version, time_now_ms(),
	    buf_view(&wrapped));
}

static err
version_some(struct lane *l, void *arg)
{
	struct rotating *r = arg;
	struct project_keys *keys = project_keys_clone(l->snap->keys);
	err e = OK;

	begin(r);
	if (keys == NULL)
		return err_of(E_NO_MEMORY);
	if (r->at == 0)
		forget_deleted(r, keys);
	while (r->next < r->projects_n && r->did < PIECE_PROJECTS) {
		e = new_version(r, l, keys, r->project[r->next]);
		if (!err_ok(e))
			break;
		r->next++;
		r->did++;
	}
	if (enough(r, e))
		e = OK;
	r->more = r->next < r->projects_n;
	if (err_ok(e))
		e = pieces_see(l, keys, l->snap->class_keys,
		    l->snap->class_keys_n);
	(void)project_keys_unref(keys);
	return e;
}

/* ---- 4: data keys under them ---- */

static err
rewrap_one(struct rotating *r, struct lane *l, struct data_key_row *row)
{
	struct wrapped_key old =
			       {
				   .id = row->id,
				   .project = row->project,
				   .version = row->version,
				   .class = row->class,
				   .subject = row->subject,
				   .term = row->term,
				   .stored = row->was_wrapped,
			       },
			   new;
	err e = keyring_rewrap(l->ring, &old, &r->p.a, &new);

	if (err_is(e, E_CORRUPT) || err_is(e, E_WRONG_KEY) ||
	    err_is(e, E_SEALED)) {
		r->damaged++; /* nobody could open it before either */
		return OK;
	}
	TRY(e);
	row->version = new.version;
	row->wrapped = new.wrapped;
	r->did++;
	return store_data_key_put(l->conn, row);
}

static err
rewrap_some(struct lane *l, void *arg)
{
	struct rotating *r = arg;
	struct data_key_row *row;
	size_t n;

	begin(r);
	TRY(store_data_keys_after(l->conn, (uint32_t)r->at, PIECE_KEYS, &r->p.a,
	    &row, &n));
	for (size_t i = 0; i < n; i++) {
		r->next = row[i].id;
		if (row[i].version !=
		    project_keys_latest(l->snap->keys, row[i].project))
			TRY(rewrap_one(r, l, &row[i]));
	}
	r->more = n == PIECE_KEYS;
	return OK;
}

/* ---- 5: old versions ---- */

/* New data keys are wrapped under the newest version only, so what is not
 * used now never will be. */
static err
mark_used(struct rotating *r)
{
	struct data_key_row *row;
	uint32_t after = 0;
	size_t n;

	do {
		TRY(pieces_next(&r->p));
		TRY(store_data_keys_after(r->reader.conn, after, SCAN_KEYS,
		    &r->p.a, &row, &n));
		for (size_t i = 0; i < n; i++) {
			struct version *v =
			    find_version(r, row[i].project, row[i].version);

			if (v != NULL)
				v->used = true;
			after = row[i].id;
		}
	} while (n == SCAN_KEYS);
	return OK;
}

static err
delete_some(struct lane *l, void *arg)
{
	struct rotating *r = arg;

	begin(r);
	for (; r->next < r->versions_n && r->did < PIECE_DELETES; r->next++) {
		const struct version *v = &r->version[r->next];

		if (v->used ||
		    v->version ==
			project_keys_latest(l->snap->keys, v->project))
			continue;
		TRY(store_project_key_delete(l->conn, v->project, v->version));
		r->did++;
	}
	r->more = r->next < r->versions_n;
	return OK;
}

/* ---- 6: class keys ---- */

static err
list_terms(struct rotating *r)
{
	const struct snap *s = r->reader.snap;

	r->term = arena_array(&r->lists, s->class_keys_n + 1, sizeof *r->term);
	TRY(arena_check(&r->lists));
	r->terms_n = 0;
	for (size_t i = 0; i < s->class_keys_n; i++) {
		const struct class_key *k = &s->class_keys[i];

		if (rotate_class(k->class) &&
		    snap_class_key(s, k->project, k->class) == k->id)
			r->term[r->terms_n++] = *k;
	}
	return OK;
}

static err
term_some(struct lane *l, void *arg)
{
	struct rotating *r = arg;
	size_t n = r->terms_n - r->at;

	begin(r);
	if (n > PIECE_TERMS)
		n = PIECE_TERMS;
	TRY(keys_new_terms(l, r->term + r->at, n, &r->p.a));
	r->did = n;
	r->next = r->at + n;
	r->more = r->next < r->terms_n;
	return OK;
}

/* ---- the whole ---- */

static err
last(struct lane *l, void *arg)
{
	struct rotating *r = arg;
	struct rotated *d = &r->done;

	begin(r);
	return pieces_record(&r->p, l, AUDIT_KEY_ROTATE,
	    "done root=%s by=%s "
	    "project_keys=%llu projects=%llu data_keys=%llu class_keys=%llu "
	    "deleted=%llu damaged=%llu",
	    r->root, r->p.r->by, (unsigned long long)d->project_keys,
	    (unsigned long long)d->projects, (unsigned long long)d->data_keys,
	    (unsigned long long)d->class_keys, (unsigned long long)d->deleted,
	    (unsigned long long)d->damaged);
}

/* What the caller will rely on when it drops the other root keys. */
static err
all_under_root(struct rotating *r)
{
	struct project_key_row *row;
	size_t n;

	TRY(pieces_next(&r->p));
	TRY(store_project_keys(r->reader.conn, &r->p.a, &row, &n));
	for (size_t i = 0; i < n; i++) {
		if (err_ok(under_root(r, row[i].wrapped.bytes)))
			continue;
		trail_set(r->p.t,
		    "a key of project %u is not under the new "
		    "root key",
		    row[i].project);
		return err_of(E_WRONG_KEY);
	}
	return OK;
}

static err
all_steps(struct rotating *r)
{
	struct rotated *d = &r->done;
	uint64_t none = 0;

	TRY(step(r, first, &none));
	TRY(step(r, wrap_some, &d->project_keys));
	TRY(list_versions(r));
	TRY(step(r, version_some, &d->projects));
	TRY(step(r, rewrap_some, &d->data_keys));
	TRY(mark_used(r));
	TRY(step(r, delete_some, &d->deleted));
	lane_refresh(&r->reader);
	TRY(list_terms(r));
	TRY(step(r, term_some, &d->class_keys));
	TRY(all_under_root(r));
	return step(r, last, &none);
}

/* The first 4 bytes of the id. */
static bool
root_number(const char *text, uint32_t *ret)
{
	char head[9] = {0}, *end;

	if (strlen(text) != ROOT_TEXT)
		return false;
	memcpy(head, text, 8);
	*ret = (uint32_t)strtoul(head, &end, 16);
	return *end == '\0' && head[0] != '-' && head[0] != '+';
}

static err
open_run(struct rotating *r, const struct rotation *by, const char *root,
    struct trail *t)
{
	*r = (struct rotating){.root = root};
	pieces_init(&r->p, by, t);
	arena_init(&r->lists, LISTS_MEMORY);
	if (!root_number(root, &r->root_number))
		return err_of(E_INVALID);
	return lane_open(by->st, LANE_READER, 0, &r->reader);
}

err
rotate_keys(const struct rotation *by, const char *root, struct trail *t,
    struct rotated *ret)
{
	struct rotating r;
	err e = open_run(&r, by, root, t);

	if (err_ok(e)) {
		e = by->reload(by->ctx, t);
		if (err_ok(e))
			e = all_steps(&r);
		lane_close(&r.reader);
	}
	if (err_ok(e))
		err_ignore(store_checkpoint(by->st->store, true),
		    "a reader holds it back; the next one takes it");
	arena_done(&r.lists);
	pieces_done(&r.p);
	*ret = r.done;
	return e;
}

/* ---- afterwards ---- */

static err
alone(struct lane *l, void *arg)
{
	struct rotating *r = arg;
	struct keeper_last k;

	begin(r);
	TRY(primary(r, l));
	TRY(keeper_last(writer_keeper(l->writer), &k));
	if (k.roots != 1) {
		trail_set(r->p.t, "the root key file still has %zu keys",
		    k.roots);
		return err_of(E_CONFLICT);
	}
	return pieces_record(&r->p, l, AUDIT_KEY_ROTATE,
	    "dropped root=%s "
	    "by=%s",
	    r->root, r->p.r->by);
}

err
rotate_dropped(const struct rotation *by, const char *root, struct trail *t)
{
	struct rotating r = {.root = root};
	uint64_t none = 0;
	err e = by->reload(by->ctx, t);

	pieces_init(&r.p, by, t);
	if (err_ok(e))
		e = step(&r, alone, &none);
	pieces_done(&r.p);
	return e;
}
