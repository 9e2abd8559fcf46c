/* fork.c: see fork.h; and `redoubt audit fork`. */
#include "role/fork.h"

#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/time.h"
#include "flow/writer.h"
#include "role/audit_verify.h"
#include "role/plan.h"
#include "role/unlock.h"

enum { ANSWER = 4096, BODY = 2 * LIM_TEXT };

/* ---- the log as it is ---- */

static err
root_of(struct store *s, uint64_t *ret_size, struct hash *ret_root)
{
	struct audit_tree *tree = NULL;
	struct store_conn *c;
	uint64_t size = 0;
	int64_t time;
	err e;

	TRY(store_reader(s, &c));
	e = audit_tree_new(&tree);
	if (err_ok(e))
		e = store_audit_last(c, &size);
	if (err_ok(e))
		e = ledger_load(c, size, tree, &time);
	if (err_ok(e))
		e = audit_tree_root(tree, ret_root);
	*ret_size = size;
	(void)audit_tree_free(tree);
	(void)store_conn_close(c);
	return e;
}

err
fork_root(const char *db, uint64_t *ret_size, struct hash *ret_root,
    struct trail *t)
{
	struct store *s;
	err e;

	TRY(store_open(db, STORE_READ, t, &s));
	e = root_of(s, ret_size, ret_root);
	(void)store_close(s);
	return e;
}

err
fork_newest(const char *db, const struct note_key *key, struct arena *a,
    struct fork *ret, struct trail *t)
{
	struct checkpoint c = {.size = 0};
	struct store_conn *conn;
	struct store *s;
	struct str note;
	uint64_t size;
	err e;

	TRY(store_open(db, STORE_READ, t, &s));
	e = store_reader(s, &conn);
	if (err_ok(e)) {
		e = store_checkpoint_get(conn, 0, a, &size, &note);
		if (err_ok(e))
			e = checkpoint_open(note, key, &c);
		(void)store_conn_close(conn);
	}
	(void)store_close(s);
	ret->size = c.size;
	ret->root = c.root;
	return e;
}

/* ---- the keeper ---- */

err
fork_keep(struct keep *k, const char *origin, uint64_t size,
    const struct hash *root, char ret[NOTE_NAME_MAX + 1])
{
	struct checkpoint next = {.size = size, .root = *root};
	uint8_t mark[4];

	rand_bytes(mark, sizeof mark);
	TRY(epoch_next(str_c(origin), mark, next.origin));
	TRY(keep_fork(k, &next));
	memcpy(ret, next.origin, sizeof next.origin);
	return OK;
}

/* ---- the entry ---- */

static err
body(const struct fork_note *n, struct arena *a, struct str *ret)
{
	struct buf b;
	struct jw w;

	*ret = STR("");
	if (n->reason.n == 0)
		return OK;
	buf_init_on(&b, a, BODY);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "reason", n->reason);
	jw_obj_end(&w);
	*ret = buf_view(&b);
	return buf_check(&b);
}

static err
restored(struct lane *l, const struct fork_note *n, struct arena *a)
{
	char id[UUID_TEXT + 1], why[128];
	struct audit_entry e = {.action = AUDIT_BACKUP_RESTORE,
	    .outcome = AUDIT_OK,
	    .resources = 1};

	if (n->backup == NULL)
		return OK;
	uuid_text(n->backup, id);
	(void)snprintf(why, sizeof why, "by=%s rows=%llu dropped=%llu", n->by,
	    (unsigned long long)n->rows, (unsigned long long)n->dropped);
	e.resource[0] = (struct audit_resource){STR("backup"), str_c(id)};
	e.reason = str_c(why);
	return ledger_entry(writer_ledger(l->writer), l, a, &e, STR(""),
	    time_now_ms());
}

static err
note(struct lane *l, void *arg)
{
	struct arena *a = desk_arena(writer_desk(l->writer));
	const struct fork_note *n = arg;
	struct audit_entry e = {.outcome = AUDIT_OK};
	char by[sizeof n->by + 4];
	struct str said;

	(void)snprintf(by, sizeof by, "by=%s", n->by);
	e.reason = str_c(by);

	TRY(store_meta_set(l->conn, "audit.origin", n->fork.log));
	TRY(store_meta_set(l->conn, "audit.vkey",
	    str_c(l->state->trust.log_key)));
	TRY(fork_fill(&n->fork, a, &e));
	TRY(body(n, a, &said));
	TRY(ledger_entry(writer_ledger(l->writer), l, a, &e, said,
	    time_now_ms()));
	TRY(restored(l, n, a));
	l->state->forks = false; /* from here on it may be signed */
	return OK;
}

err
fork_go_on(const struct datadir *d, const struct config *c, struct arena *a,
    struct fork_note *n, struct trail *t)
{
	struct local *l = mem_new(1, sizeof *l);
	err e;

	if (l == NULL)
		return err_of(E_NO_MEMORY);
	(void)snprintf(n->by, sizeof n->by, "uid:%u", (unsigned)getuid());
	l->st.forks = true;
	e = local_open(l, d, c, a, t);
	if (err_ok(e)) {
		e = writer_do(l->st.writer, note, n);
		local_close(l);
	}
	mem_free(l);
	return e;
}

/* ---- redoubt audit fork ---- */

struct forking {
	struct arena *a;
	struct trail *t;
	const struct fork_options *o;
	struct datadir dir;
	struct config config;
	const char *db;
	int lock, fd[3];
	struct keep keep;
	char origin[NOTE_NAME_MAX + 1]; /* what the store is called */
	char next[NOTE_NAME_MAX + 1];
	uint64_t size;
	struct hash root;
	struct fork_note note;
	bool half; /* the keeper has the next name already */
	bool far;  /* and has signed under it */
};

static err
keep_files(struct forking *f)
{
	err e = root_key_open(&f->dir, f->config.keys_root, f->t, &f->fd[0]);

	if (err_is(e, E_NOT_FOUND))
		return err_of(E_SEALED);
	TRY(e);
	TRY(root_key_unlock(&f->dir, f->fd[0], role_person(), f->t, &f->fd[0]));
	TRY(secret_open(&f->dir, "keys/audit.key", true, f->t, &f->fd[1]));
	TRY(secret_open(&f->dir, "keys/keeper.state", true, f->t, &f->fd[2]));
	return keep_open(&f->keep, f->fd[0], f->fd[1], f->fd[2], f->t);
}

static err
store_name(struct forking *f)
{
	struct store_conn *c;
	struct str name = STR_NONE;
	struct store *s;
	err e;

	TRY(store_open(f->db, STORE_READ, f->t, &s));
	e = store_reader(s, &c);
	if (err_ok(e)) {
		e = store_meta_get(c, "audit.origin", f->a, &name);
		(void)store_conn_close(c);
	}
	(void)store_close(s);
	TRY(e);
	if (name.n >= sizeof f->origin)
		return err_of(E_CORRUPT);
	memcpy(f->origin, name.p, name.n);
	return fork_root(f->db, &f->size, &f->root, f->t);
}

/* The root the log had at the size that was signed. */
static err
root_at(struct forking *f, uint64_t size, struct hash *ret)
{
	struct audit_tree *tree = NULL;
	struct store_conn *c;
	struct store *s;
	int64_t time;
	err e;

	TRY(store_open(f->db, STORE_READ, f->t, &s));
	e = store_reader(s, &c);
	if (err_ok(e)) {
		e = audit_tree_new(&tree);
		if (err_ok(e))
			e = ledger_load(c, size, tree, &time);
		if (err_ok(e))
			e = audit_tree_root(tree, ret);
		(void)audit_tree_free(tree);
		(void)store_conn_close(c);
	}
	(void)store_close(s);
	return e;
}

/* The keeper has gone on under a name that this store never had: of what it
 * signed under the store's name only the store itself knows. */
static err
set_back_far(struct forking *f)
{
	struct note_key key;

	TRY(note_key_named(str_c(f->origin), f->keep.key.pub, &key));
	f->far = true;
	return fork_newest(f->db, &key, f->a, &f->note.fork, f->t);
}

static err
all_there(struct forking *f, const struct checkpoint *last)
{
	struct hash root;

	TRY(root_at(f, last->size, &root));
	if (memcmp(root.b, last->root.b, HASH_SIZE) == 0) {
		trail_set(f->t, "all %llu entries that were signed are there",
		    (unsigned long long)last->size);
		return err_of(E_CONFLICT);
	}
	trail_set(f->t,
	    "the first %llu audit entries are not the ones that were signed: "
	    "that is no log that was cut; restore a backup",
	    (unsigned long long)last->size);
	return err_of(E_BAD_ANSWER);
}

/* What was signed last under the store's name, and whether it is whole. */
static err
compare(struct forking *f)
{
	const struct checkpoint *last = &f->keep.last;

	if (strcmp(last->origin, f->origin) != 0) {
		f->half = strcmp(f->keep.before.origin, f->origin) == 0 &&
		    f->keep.before.size > 0 && last->size == f->size;
		if (!f->half)
			return set_back_far(f);
		last = &f->keep.before;
	}
	f->note.fork.size = last->size;
	f->note.fork.root = last->root;
	return f->half || last->size > f->size ? OK : all_there(f, last);
}

/* What is there must be good as far as anybody can say. */
static err
prefix(struct forking *f)
{
	struct verify_report r;

	/* Then the keeper's name is not the store's, which would be found. */
	if (f->half || f->far)
		return OK;
	return audit_verify_dir(f->o->data, true, f->t, &r);
}

static err
accepted(struct forking *f)
{
	if (!f->o->accept && f->far) {
		trail_set(f->t,
		    "the log went on as %.80s, which is lost; to go on without "
		    "it: --accept --entries %llu --reason TEXT",
		    f->keep.last.origin, (unsigned long long)f->size);
		return err_of(E_BAD_ANSWER);
	}
	if (!f->o->accept) {
		trail_set(f->t,
		    "entries %llu to %llu were signed and are lost; to go on "
		    "without them: --accept --entries %llu --reason TEXT",
		    (unsigned long long)f->size + 1,
		    (unsigned long long)f->note.fork.size,
		    (unsigned long long)f->size);
		return err_of(E_BAD_ANSWER);
	}
	if (f->o->entries != f->size || f->o->reason.n == 0) {
		trail_set(f->t,
		    "--accept goes with --entries %llu, the number of entries "
		    "there are, and --reason TEXT",
		    (unsigned long long)f->size);
		return err_of(E_USAGE);
	}
	if (f->o->reason.n > LIM_TEXT || !utf8_valid(f->o->reason))
		return err_of(E_INVALID);
	return OK;
}

static err
told(struct forking *f, struct str *ret)
{
	const struct fork *k = &f->note.fork;
	struct buf b;
	struct jw w;

	buf_init_on(&b, f->a, ANSWER);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "origin", k->log);
	jw_kstr(&w, "before", k->before);
	jw_ki64(&w, "entries", (int64_t)f->size);
	jw_ki64(&w, "signed", (int64_t)k->size);
	jw_ki64(&w, "lost",
	    k->size > f->size ? (int64_t)(k->size - f->size) : 0);
	jw_obj_end(&w);
	*ret = buf_view(&b);
	return buf_check(&b);
}

static err
fork_dir(struct forking *f, struct str *ret)
{
	TRY(confine_light(f->t));
	TRY(datadir_open(f->o->data, f->t, &f->dir));
	TRY(plan_config(&f->dir, NULL, f->a, f->t, &f->config));
	TRY(datadir_lock(&f->dir, 0, f->t, &f->lock));
	f->db = datadir_path(&f->dir, f->a, STR("db"));
	TRY(arena_check(f->a));
	TRY(keep_files(f));
	TRY(store_name(f));
	TRY(compare(f));
	TRY(accepted(f));
	TRY(prefix(f));
	if (f->half)
		memcpy(f->next, f->keep.last.origin, sizeof f->next);
	else
		TRY(fork_keep(&f->keep, f->origin, f->size, &f->root, f->next));
	f->note.fork.log = str_c(f->next);
	f->note.fork.before = str_c(f->origin);
	f->note.reason = f->o->reason;
	TRY(fork_go_on(&f->dir, &f->config, f->a, &f->note, f->t));
	return told(f, ret);
}

err
role_audit_fork(struct arena *a, const struct fork_options *o, struct trail *t,
    struct str *ret)
{
	struct forking f = {.a = a,
	    .t = t,
	    .o = o,
	    .dir = {.fd = -1},
	    .lock = -1,
	    .fd = {-1, -1, -1}};
	err e = fork_dir(&f, ret);

	keep_close(&f.keep);
	for (size_t i = 0; i < 3; i++)
		if (f.fd[i] >= 0)
			(void)close(f.fd[i]);
	if (f.lock >= 0)
		(void)close(f.lock);
	datadir_close(&f.dir);
	return e;
}
