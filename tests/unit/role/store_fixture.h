/* An installation with a log of any length, for tests of what reads it. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "role/keep.h"
#include "role/role.h"
#include "store/store.h"
#include "tests/t.h"

#define FIXTURE_NOW INT64_C(1790000000000)

static char fx_top[64], fx_dir[96], fx_db[128];

static int
fx_open(const char *name, int flags)
{
	char path[160];

	(void)snprintf(path, sizeof path, "%s/%s", fx_dir, name);
	return open(path, flags | O_CLOEXEC);
}

static void
fx_begin(void)
{
	struct init_options o = {.data = fx_dir, .now = FIXTURE_NOW};
	struct trail t = {{0}};
	struct init_result r;
	struct arena a;

	arena_init(&a, (size_t)16 << 20);
	(void)snprintf(fx_top, sizeof fx_top, "/tmp/t_fixture.XXXXXX");
	BUG_ON(mkdtemp(fx_top) == NULL);
	(void)snprintf(fx_dir, sizeof fx_dir, "%s/data", fx_top);
	(void)snprintf(fx_db, sizeof fx_db, "%s/data/db", fx_top);
	T_GOOD(role_init(&a, &o, &t, &r));
	arena_done(&a);
}

static void
fx_end(void)
{
	char cmd[128];

	(void)snprintf(cmd, sizeof cmd, "rm -rf %s", fx_top);
	BUG_ON(system(cmd) != 0);
}

static void
fx_keep(struct keep *k, int fd[3])
{
	struct trail t = {{0}};

	fd[0] = fx_open("keys/root.key", O_RDONLY);
	fd[1] = fx_open("keys/audit.key", O_RDWR);
	fd[2] = fx_open("keys/keeper.state", O_RDWR);
	T_GOOD(keep_open(k, fd[0], fd[1], fd[2], &t));
}

static err
fx_tile(void *ctx, const struct audit_tile *t)
{
	return store_tile_put(ctx, t->level, t->index,
	    (const uint8_t *)t->hash);
}

static err
fx_load(void *ctx, unsigned level, uint64_t index, struct audit_tile *ret)
{
	ret->level = level;
	ret->index = index;
	return store_tile_get(ctx, level, index, (uint8_t *)ret->hash);
}

static void
fx_sign(struct store_conn *conn, struct audit_tree *tree, struct keep *k)
{
	struct checkpoint c = k->last;
	struct hash_list proof;
	struct arena a;
	struct buf b;

	arena_init(&a, 1 << 20);
	buf_init_on(&b, &a, 4096);
	c.size = audit_tree_size(tree);
	T_GOOD(audit_tree_root(tree, &c.root));
	T_GOOD(audit_tree_consistency(tree, k->last.size, c.size, fx_load, conn,
	    &a, &proof));
	T_GOOD(keep_sign(k, &c, proof.h, proof.n, &b));
	T_GOOD(store_checkpoint_put(conn, c.size, FIXTURE_NOW, buf_view(&b)));
	arena_done(&a);
}

static void
fx_leaf(struct buf *b, uint64_t seq)
{
	const struct audit_entry e = {
	    .seq = seq,
	    .time = FIXTURE_NOW + (int64_t)seq,
	    .action = AUDIT_INGEST,
	    .principal_kind = STR("integration"),
	    .principal_id = STR("0192a3b4-c5d6-7e8f-9012-3456789abcde"),
	    .credential = STR("abcdefghij"),
	    .address = STR("192.0.2.1"),
	    .request_id = STR("0192a3b4-c5d6-7e8f-9012-3456789abcde"),
	    .project = STR("0192a3b4-c5d6-7e8f-9012-3456789abcde"),
	    .resource = {{STR("delivery"),
		STR("0192a3b4-c5d6-7e8f-9012-3456789abcde")}},
	    .resources = 1,
	};

	buf_clear(b);
	T_GOOD(audit_leaf_write(b, &e));
}

/* Entries 2 .. n, a checkpoint each `every`, and one at the end. */
static void
fx_grow(uint64_t n, uint64_t every)
{
	struct trail t = {{0}};
	struct audit_tree *tree;
	struct store_conn *conn;
	struct store *s;
	struct arena a;
	struct hash h;
	struct str leaf;
	struct keep k;
	struct buf b;
	int fd[3];

	arena_init(&a, 1 << 20);
	buf_init(&b, LIM_LEAF);
	fx_keep(&k, fd);
	T_GOOD(store_open(fx_db, STORE_WRITE, &t, &s));
	conn = store_writer(s);
	T_GOOD(store_audit_get(conn, 1, &a, &leaf));
	T_GOOD(audit_tree_new(&tree));
	audit_leaf_hash(leaf, &h);
	T_GOOD(audit_tree_append(tree, &h, fx_tile, conn));
	T_GOOD(store_begin(conn));
	for (uint64_t seq = 2; seq <= n; seq++) {
		fx_leaf(&b, seq);
		audit_leaf_hash(buf_view(&b), &h);
		T_GOOD(store_audit_append(conn, seq, buf_view(&b)));
		T_GOOD(audit_tree_append(tree, &h, fx_tile, conn));
		if (seq % every == 0 || seq == n)
			fx_sign(conn, tree, &k);
	}
	T_GOOD(store_commit(conn));
	tree = audit_tree_free(tree);
	T_OK(store_close(s) == NULL);
	keep_close(&k);
	for (size_t i = 0; i < 3; i++)
		(void)close(fd[i]);
	buf_done(&b);
	arena_done(&a);
}

/* What somebody with the database file and a tool would do. */
__attribute__((unused)) static void
fx_sql(const char *sql)
{
	char path[160], *msg = NULL;
	sqlite3 *db;

	(void)snprintf(path, sizeof path, "%s/store.db", fx_db);
	T_OK(sqlite3_open(path, &db) == SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK)
		T_FAIL("%s: %s", sql, msg);
	(void)sqlite3_close(db);
}

#endif
