/* load.c: see load.h. */
#include "flow/load.h"

#include "auth/delegate_cert.h"
#include "base/limits.h"
#include "base/mem.h"
#include "flow/key_care.h"
#include "flow/ledger.h"
#include "flow/objects.h"

enum { LOAD_MEMORY = 64 * 1024 * 1024 };

static err
unwrap_all(struct store_conn *conn, const struct ipc_end *keeper,
    struct arena *a, struct project_keys *keys, struct trail *t)
{
	struct project_key_row *row;
	uint8_t key[SECRET_SIZE];
	size_t n;

	TRY(store_project_keys(conn, a, &row, &n));
	for (size_t i = 0; i < n; i++) {
		err e = keeper_key_unwrap(keeper, row[i].project,
		    row[i].version, row[i].wrapped.bytes, key);

		if (err_ok(e))
			e = project_keys_add(keys, row[i].project,
			    row[i].version, key);
		mem_wipe(key, sizeof key);
		if (err_is(e, E_WRONG_KEY))
			trail_set(t,
			    "the root key is not the one this store "
			    "was sealed with");
		TRY(e);
	}
	if (n == 0)
		trail_set(t, "the store has no keys");
	return err_of(n == 0 ? E_CORRUPT : E_OK);
}

static err
class_keys(struct store_conn *conn, struct arena *a, struct class_key **ret,
    size_t *ret_n)
{
	struct data_key_row *row;
	size_t n;

	TRY(store_class_keys(conn, a, &row, &n));
	*ret = arena_array(a, n + 1, sizeof **ret);
	TRY(arena_check(a));
	for (size_t i = 0; i < n; i++)
		(*ret)[i] = (struct class_key){row[i].project,
		    (enum seal_class)row[i].class, row[i].id, row[i].term};
	*ret_n = n;
	return OK;
}

/* A world without anything in it, to open the first objects with. */
static err
first_snap(struct project_keys *keys, const struct class_key *ck, size_t n,
    struct snap **ret)
{
	struct world_builder *b;
	struct world *w;
	err e;

	TRY(world_builder_new(&b));
	TRY(world_builder_done(b, &w));
	e = snap_new(1, w, keys, ck, n, ret);
	(void)world_unref(w);
	return e;
}

static err
load_world(struct state *st, struct world **ret)
{
	struct world_builder *b;
	struct lane l;
	err e;

	TRY(lane_open(st, LANE_READER, 0, &l));
	e = world_builder_new(&b);
	if (err_ok(e)) {
		e = objects_load(l.conn, l.ring, b);
		if (err_ok(e))
			e = world_builder_done(b, ret);
		else
			(void)world_builder_free(b);
	}
	lane_close(&l);
	return e;
}

static err
first_grants(struct state *st)
{
	struct lane l;
	err e;

	TRY(key_care_meters(&st->meters));
	TRY(lane_open(st, LANE_WRITER, 0, &l));
	e = key_care_begin(&l);
	lane_close(&l);
	return e;
}

static err
load(struct state *st, const struct ipc_end *keeper, struct arena *a,
    struct project_keys *keys, struct trail *t)
{
	struct store_conn *conn = store_writer(st->store);
	struct class_key *ck;
	struct world *world;
	struct snap *s;
	size_t n;
	err e;

	TRY(unwrap_all(conn, keeper, a, keys, t));
	TRY(class_keys(conn, a, &ck, &n));
	TRY(first_snap(keys, ck, n, &st->snap));
	atomic_store(&st->version, st->snap->version);
	TRY(load_world(st, &world));
	e = snap_new(2, world, keys, ck, n, &s);
	(void)world_unref(world);
	TRY(e);
	state_publish(st, s);
	(void)snap_unref(s);
	return first_grants(st);
}

err
state_load(struct state *st, const struct ipc_end *keeper, struct trail *t)
{
	struct project_keys *keys = project_keys_new();
	struct arena a;
	err e;

	if (keys == NULL)
		return err_of(E_NO_MEMORY);
	arena_init(&a, LOAD_MEMORY);
	e = load(st, keeper, &a, keys, t);
	arena_done(&a);
	(void)project_keys_unref(keys);
	return e;
}

void
state_done(struct state *st)
{
	struct lane l;

	if (st->meters != NULL && err_ok(lane_open(st, LANE_WRITER, 0, &l))) {
		key_care_end(&l);
		lane_close(&l);
	}
	st->snap = snap_unref(st->snap);
	st->meters = meters_free(st->meters);
}

static err
check_root(struct store_conn *conn, const struct keeper_last *last,
    struct audit_tree *tree, struct trail *t)
{
	struct hash root;
	int64_t time;

	TRY(ledger_load(conn, last->size, tree, &time));
	TRY(audit_tree_root(tree, &root));
	if (memcmp(root.b, last->root, sizeof root.b) == 0)
		return OK;
	trail_set(t,
	    "the first %llu audit entries are not the ones that "
	    "were signed",
	    (unsigned long long)last->size);
	return err_of(E_BAD_ANSWER);
}

static err
load_trust(struct trust *t, const struct ipc_end *keeper)
{
	struct keeper_task_keys k;
	struct str der;
	struct buf b = {.p = t->ca_pem,
	    .cap = sizeof t->ca_pem - 1,
	    .max = sizeof t->ca_pem - 1};

	TRY(keeper_task_keys(keeper, &k));
	der = str_of((const char *)k.ca, k.ca_n);
	memcpy(t->task_key, k.task, sizeof t->task_key);
	TRY(delegate_ca_key(der, t->ca));
	delegate_cert_pem(&b, der);
	return err_of(b.failed ? E_INTERNAL : E_OK);
}

/* The name the store goes by is the keeper's: else a fork was cut short. */
static err
check_origin(struct state *st, struct store_conn *conn,
    const struct keeper_last *last, struct trail *t)
{
	struct arena a;
	struct str name;
	bool same;
	err e;

	arena_init(&a, 4096);
	e = store_meta_get(conn, "audit.origin", &a, &name);
	same = !err_ok(e) || str_is(name, last->origin);
	arena_done(&a);
	if (same || st->forks)
		return err_is(e, E_NOT_FOUND) ? OK : e;
	trail_set(t,
	    "the keeper calls the log %s, the store does not: redoubt audit "
	    "fork was cut short, run it again",
	    last->origin);
	return err_of(E_BAD_ANSWER);
}

err
state_check_log(struct state *st, const struct ipc_end *keeper, struct trail *t)
{
	struct store_conn *conn = store_writer(st->store);
	struct keeper_last last;
	struct audit_tree *tree;
	uint64_t seq;
	err e;

	TRY(keeper_last(keeper, &last));
	TRY(store_audit_last(conn, &seq));
	if (last.size > seq) {
		trail_set(t,
		    "the audit log ends at entry %llu, but %llu "
		    "were signed: see redoubt audit fork",
		    (unsigned long long)seq, (unsigned long long)last.size);
		return err_of(E_BAD_ANSWER);
	}
	TRY(check_origin(st, conn, &last, t));
	(void)memcpy(st->origin, last.origin, sizeof st->origin);
	(void)memcpy(st->trust.log_key, last.vkey, sizeof last.vkey);
	TRY(load_trust(&st->trust, keeper));
	TRY(audit_tree_new(&tree));
	e = check_root(conn, &last, tree, t);
	(void)audit_tree_free(tree);
	return e;
}
