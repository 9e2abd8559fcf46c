/*
 * restore.c: `redoubt restore`: a data directory of a backup, made beside its
 * place and moved there when all of it was read and found good.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "flow/keys.h"
#include "role/audit_verify.h"
#include "role/backup_chain.h"
#include "role/fork.h"
#include "role/making.h"
#include "role/plan.h"
#include "role/slots.h"
#include "role/unlock.h"
#include "store/dump.h"

enum { TABLES = 128, NAME_EXTRA = 16 };

struct restoring {
	struct backup_chain *c;
	const struct restore_options *o;
	struct arena *a;
	struct trail *t;
	char part[PATH_MAX + NAME_EXTRA]; /* where it is made */
	struct making m;
	int lock; /* of it */
	struct store_load *load;
	char table[DUMP_NAME + 1]; /* at hand */
	uint64_t objects, rows, dropped;
	struct fork_note note;
	char origin[NOTE_NAME_MAX + 1], next[NOTE_NAME_MAX + 1];
	struct verify_report report;
};

/* ---- the place ---- */

/* DIR itself must be free, and what a restore that was killed has left is
 * removed. */
static err
place(struct restoring *r)
{
	struct making old = {.path = r->part,
	    .dir = -1,
	    .keys = -1,
	    .tls = -1,
	    .db = -1,
	    .root = -1,
	    .audit = -1,
	    .state = -1};
	size_t n = strlen(r->o->data);

	while (n > 1 && r->o->data[n - 1] == '/')
		n--;
	if (n >= PATH_MAX)
		return err_of(E_INVALID);
	(void)snprintf(r->part, sizeof r->part, "%.*s.restoring", (int)n,
	    r->o->data);
	TRY(making_free(r->o->data, r->t));
	old.dir =
	    open(r->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (old.dir < 0)
		return OK;
	if (flock(old.dir, LOCK_EX | LOCK_NB) != 0) {
		(void)close(old.dir);
		trail_set(r->t, "another restore is at work on %s", r->part);
		return err_of(E_LOCKED);
	}
	making_adopt(&old);
	making_undo(&old);
	making_close(&old);
	return OK;
}

static err
file_slots(struct restoring *r, const char *name, struct str data, int *ret)
{
	TRY(making_open(r->m.keys, name, 0600, r->t, ret));
	return slots_make(*ret, data);
}

static err
root_file(struct restoring *r)
{
	TRY(making_open(r->m.keys, "root.key", 0400, r->t, &r->m.root));
	TRY(making_write(r->m.root, buf_view(&r->c->root)));
	if (r->c->ring.keeper.escrow.n > 0) {
		int fd;
		err e;

		TRY(making_open(r->m.keys, "root.escrow", 0400, r->t, &fd));
		e = making_write(fd, r->c->ring.keeper.escrow);
		(void)close(fd);
		TRY(e);
	}
	return OK;
}

static err
files(struct restoring *r)
{
	const struct backup_keeper *k = &r->c->ring.keeper;
	struct making *m = &r->m;
	struct str ignored;

	TRY(making_take(m, r->t));
	if (flock(m->dir, LOCK_EX | LOCK_NB) != 0)
		return making_failed(r->t, r->part);
	TRY(making_dir(m, "keys", &m->keys, r->t));
	TRY(making_dir(m, "tls", &m->tls, r->t));
	TRY(making_dir(m, "db", &m->db, r->t));
	TRY(root_file(r));
	TRY(file_slots(r, "audit.key", k->seed, &m->audit));
	TRY(file_slots(r, "keeper.state", k->state, &m->state));
	TRY(making_tls(m, r->a, time_now_ms(), r->t, &ignored));
	return making_config(m, r->t);
}

/* ---- rows ---- */

static err
keys_load(struct restoring *r)
{
	struct store_conn *c = store_load_conn(r->load);
	const struct backup_ring *ring = &r->c->ring;
	struct data_key_row k;

	for (size_t i = 0; i < ring->projects; i++) {
		const struct project_key_row *p = &ring->project[i];

		TRY(keys_store_project(c, p->project, p->version, p->created,
		    p->wrapped.bytes));
	}
	for (size_t i = 0; backup_ring_key(ring, i, &k); i++)
		TRY(keys_store_data(c, &k));
	return OK;
}

static err
on_row(void *ctx, const struct backup_rows *t, struct str row)
{
	struct restoring *r = ctx;
	bool dropped;

	if (!str_is(t->table, r->table)) {
		TRY(store_load_table(r->load, t->table, t->columns));
		memcpy(r->table, t->table.p, t->table.n);
		r->table[t->table.n] = '\0';
	}
	TRY(store_load_row(r->load, row, backup_ring_has, &r->c->ring,
	    &dropped));
	r->rows += !dropped;
	r->dropped += dropped;
	r->objects += !dropped && str_is(t->table, "object");
	return OK;
}

static err
rows_load(struct restoring *r)
{
	err e;

	TRY(keys_load(r));
	e = backup_chain_rows(r->c, on_row, r);
	if (err_is(e, E_CORRUPT))
		trail_set(r->t, "%s: its rows do not fit together",
		    r->c->file[0].path);
	TRY(e);
	if (r->objects == 0) {
		trail_set(r->t,
		    "nothing opens with %s: its keys were replaced (key "
		    "rewrap); use a copy of the keys from before: --keys",
		    r->c->keys_path);
		return err_of(E_WRONG_KEY);
	}
	return store_data_key_high(store_load_conn(r->load),
	    r->c->ring.head.schema);
}

static err
store_make(struct restoring *r, const char *db)
{
	err e;

	TRY(store_load_new(db, r->c->file[0].head.schema, r->t, &r->load));
	e = rows_load(r);
	if (err_ok(e))
		e = store_load_done(r->load, r->t);
	else
		store_load_free(r->load);
	r->load = NULL;
	return e;
}

/* ---- the log ---- */

/* The signing key is the one the log says; what was signed last under its
 * name is what the keeper says, or, when that has gone on since, the newest
 * checkpoint of the backup. */
static err
keeper_check(struct restoring *r, const char *db, const struct keep *k)
{
	struct fork *f = &r->note.fork;
	struct note_key key;

	if (!err_ok(note_key_parse(r->c->list.vkey, &key)) ||
	    memcmp(key.pub, k->key.pub, sizeof key.pub) != 0) {
		trail_set(r->t, "%s: the signing key of another log",
		    r->c->keys_path);
		return err_of(E_CORRUPT);
	}
	memcpy(r->origin, key.name, sizeof r->origin);
	f->before = str_c(r->origin);
	if (strcmp(k->last.origin, key.name) != 0)
		return fork_newest(db, &key, r->a, f, r->t);
	f->size = k->last.size;
	f->root = k->last.root;
	return OK;
}

static err
log_fork(struct restoring *r, const char *db)
{
	struct hash root;
	struct datadir d;
	struct keep k;
	uint64_t size;
	int fd;
	err e;

	TRY(datadir_open(r->part, r->t, &d));
	e = root_key_open(&d, STR(""), r->t, &fd);
	if (err_ok(e))
		e = root_key_unlock(&d, fd, role_person(), r->t, &fd);
	datadir_close(&d);
	TRY(e);
	e = keep_open(&k, fd, r->m.audit, r->m.state, r->t);
	(void)close(fd);
	if (err_is(e, E_WRONG_KEY) || err_is(e, E_CORRUPT)) {
		trail_set(r->t, "%s: what it knows of the log is damaged",
		    r->c->keys_path);
		return err_of(E_CORRUPT);
	}
	TRY(e);
	e = keeper_check(r, db, &k);
	if (err_ok(e))
		e = fork_root(db, &size, &root, r->t);
	if (err_ok(e) && size != r->c->list.entries)
		e = err_of(E_CORRUPT);
	if (err_ok(e))
		e = fork_keep(&k, r->origin, size, &root, r->next);
	keep_close(&k);
	r->note.fork.log = str_c(r->next);
	return e;
}

static err
go_on(struct restoring *r)
{
	struct fork_note *n = &r->note;
	struct config config;
	struct datadir d;
	err e;

	n->reason = r->o->reason;
	n->backup = &r->c->file[0].head.id;
	n->rows = r->rows;
	n->dropped = r->dropped;
	TRY(datadir_open(r->part, r->t, &d));
	e = plan_config(&d, NULL, r->a, r->t, &config);
	if (err_ok(e))
		e = fork_go_on(&d, &config, r->a, n, r->t);
	datadir_close(&d);
	TRY(e);
	return audit_verify_dir(r->part, false, r->t, &r->report);
}

/* ---- the whole ---- */

static err
move(struct restoring *r)
{
	struct making *m = &r->m;

	TRY(making_give(m, r->t));
	if (fsync(m->keys) != 0 || fsync(m->tls) != 0 || fsync(m->db) != 0 ||
	    fsync(m->dir) != 0)
		return making_failed(r->t, r->part);
	if (rename(r->part, r->o->data) != 0)
		return making_failed(r->t, r->o->data);
	m->made = m->ours = false; /* it is theirs */
	return making_sync_parent(r->o->data, r->t);
}

static err
make(struct restoring *r)
{
	char db[sizeof r->part + 4];

	TRY(files(r));
	(void)snprintf(db, sizeof db, "%s/db", r->part);
	TRY(store_make(r, db));
	TRY(log_fork(r, db));
	TRY(go_on(r));
	return move(r);
}

static err
told(const struct restoring *r, struct str *ret)
{
	const struct fork *f = &r->note.fork;
	uint64_t kept = r->c->list.entries;
	struct buf b;
	struct jw w;

	buf_init_on(&b, r->a, (size_t)4 * PATH_MAX);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "data", str_c(r->o->data));
	backup_chain_json(&w, r->c, true);
	jw_ki64(&w, "dropped", (int64_t)r->dropped);
	jw_kstr(&w, "origin", f->log);
	jw_kstr(&w, "before", f->before);
	jw_ki64(&w, "lost", f->size > kept ? (int64_t)(f->size - kept) : 0);
	jw_obj_end(&w);
	*ret = buf_view(&b);
	return buf_check(&b);
}

static err
restore(struct restoring *r, struct str *ret)
{
	err e;

	TRY(confine_light(r->t));
	(void)umask(077);
	TRY(place(r));
	TRY(backup_chain_open(r->c, r->o, r->t));
	TRY(backup_chain_unlock(r->c, r->o));
	e = make(r);
	if (!err_ok(e))
		making_undo(&r->m);
	making_close(&r->m);
	TRY(e);
	return told(r, ret);
}

err
role_restore(struct arena *a, const struct restore_options *o, struct trail *t,
    struct str *ret)
{
	struct backup_chain *c = mem_new(1, sizeof *c);
	struct restoring *r = mem_new(1, sizeof *r);
	err e = err_of(E_NO_MEMORY);

	if (c != NULL && r != NULL) {
		*r = (struct restoring){.c = c, .o = o, .a = a, .t = t};
		r->m = (struct making){.path = r->part,
		    .dir = -1,
		    .keys = -1,
		    .tls = -1,
		    .db = -1,
		    .root = -1,
		    .audit = -1,
		    .state = -1};
		e = restore(r, ret);
		backup_chain_close(c);
	}
	mem_free(r);
	mem_free(c);
	return e;
}
