/*
 * t_plan.c: how SQLite will run each statement: no scan of a table that
 * grows, no sorting.  Scans that stop at the first rows, or read a table that
 * is held in memory anyway, are named here.
 */
#include "store/conn.h"
#include "tests/unit/store/fake.h"

static const char *const names[] = {
#define Q(name, sql) #name,
#include "store/query.def"
};

static const enum query may_scan[] = {
    Q_PROJECT_KEYS, Q_CLASS_KEYS, Q_OBJECTS, Q_TOKEN_USED, /* all wanted */
    Q_INCIDENT_LAST_TIME, Q_ALERT_LAST_TIME, Q_CHECKPOINT_NEWEST, /* one */
    Q_REPLY_PURGE, /* STORE_PURGE rows of its low end */
    Q_ALERT_OPEN,  /* of what a bounded search found */
};

static bool
scan_is_fine(enum query id)
{
	for (size_t i = 0; i < sizeof may_scan / sizeof *may_scan; i++)
		if (may_scan[i] == id)
			return true;
	return false;
}

static void
explain(sqlite3 *db, enum query id)
{
	char sql[2048];
	sqlite3_stmt *st = NULL;

	(void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", conn_sql[id]);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK) {
		T_FAIL("%s: %s", names[id], sqlite3_errmsg(db));
		return;
	}
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *d = (const char *)sqlite3_column_text(st, 3);

		if (strstr(d, "TEMP B-TREE") != NULL ||
		    strstr(d, "AUTOMATIC") != NULL ||
		    (strncmp(d, "SCAN", 4) == 0 && !scan_is_fine(id)))
			T_FAIL("%s: %s", names[id], d);
		if (getenv("PLAN") != NULL)
			printf("# %s: %s\n", names[id], d);
	}
	(void)sqlite3_finalize(st);
}

TEST(plans)
{
	struct store *s = fake_open(fake_dir(), STORE_CREATE);

	T_REQUIRE(s != NULL);
	for (int i = 0; i < Q_MAX_; i++)
		explain(store_writer(s)->db, (enum query)i);
	s = store_close(s);
}

/* The merged runs are read from the index alone. */
TEST(runs_are_covered)
{
	static const enum query ids[] = {Q_INCIDENT_RUNS, Q_INCIDENT_RUN_DOWN,
	    Q_INCIDENT_RUN_UP, Q_ALERT_RUNS, Q_ALERT_RUN_DOWN, Q_ALERT_OF_DOWN,
	    Q_MEMBER_RUN_DOWN, Q_MEMBER_RUN_UP};
	struct store *s = fake_open(fake_dir(), STORE_CREATE);
	char sql[2048];

	T_REQUIRE(s != NULL);
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		sqlite3_stmt *st = NULL;

		(void)snprintf(sql, sizeof sql, "EXPLAIN %s", conn_sql[ids[i]]);
		T_REQUIRE(sqlite3_prepare_v2(store_writer(s)->db, sql, -1, &st,
			      NULL) == SQLITE_OK);
		while (sqlite3_step(st) == SQLITE_ROW)
			if (strcmp((const char *)sqlite3_column_text(st, 1),
				"DeferredSeek") == 0)
				T_FAIL("%s reads the table", names[ids[i]]);
		(void)sqlite3_finalize(st);
	}
	s = store_close(s);
}

TEST(pragmas_hold)
{
	static const struct {
		const char *name;
		int want;
	} p[] = {{"synchronous", 2}, {"secure_delete", 1},
	    {"wal_autocheckpoint", 0}, {"cell_size_check", 1}, {"mmap_size", 0},
	    {"temp_store", 2}, {"trusted_schema", 0}, {"automatic_index", 0},
	    {"page_size", 4096}, {"user_version", SCHEMA_VERSION}};
	struct store *s = fake_open(fake_dir(), STORE_CREATE);
	sqlite3 *db;
	int on;

	T_REQUIRE(s != NULL);
	db = store_writer(s)->db;
	for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
		char sql[64];
		sqlite3_stmt *st = NULL;

		(void)snprintf(sql, sizeof sql, "PRAGMA %s", p[i].name);
		T_OK(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK);
		T_OK(sqlite3_step(st) == SQLITE_ROW);
		if (sqlite3_column_int(st, 0) != p[i].want)
			T_FAIL(
			    "%s is %d", p[i].name, sqlite3_column_int(st, 0));
		(void)sqlite3_finalize(st);
	}
	T_OK(sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, -1, &on) == 0);
	T_EQ_INT(on, 1);
	T_OK(sqlite3_exec(db, "ATTACH ':memory:' AS x", NULL, NULL, NULL) !=
	    SQLITE_OK);
	T_OK(sqlite3_exec(db, "ATTACH '' AS x", NULL, NULL, NULL) != SQLITE_OK);
	s = store_close(s);
}

T_MAIN
