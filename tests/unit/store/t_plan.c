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
    Q_PROJECT_KEYS,
    Q_CLASS_KEYS,
    Q_OBJECTS,
    Q_TOKEN_USED,
    Q_RIGHTS_USED, /* all wanted */
    Q_INCIDENT_LAST_TIME,
    Q_ALERT_LAST_TIME,
    Q_CHECKPOINT_NEWEST, /* one */
    Q_REPLY_PURGE,	 /* STORE_PURGE rows of its low end */
    Q_ALERT_OPEN,	 /* of what a bounded search found */
    Q_SEEN_COUNT,	 /* once, and when it seems to be full */
    /* once, when all is about to be read */
    Q_COUNT_OBJECT,
    Q_COUNT_INCIDENT,
    Q_COUNT_TIMELINE,
    Q_COUNT_ALERT,
    Q_COUNT_DELIVERY,
    Q_COUNT_AUDIT,
    Q_COUNT_REPLY,
    Q_COUNT_RUNBOOK,
    Q_COUNT_RUN,
    Q_COUNT_HAPPENING,
    Q_COUNT_SECRET,
    Q_COUNT_TASK,
    Q_COUNT_LOG,
    Q_COUNT_DESTRUCTION,
    Q_AUDIT_ROWS, /* by who verifies all of it */
    Q_TABLES,	  /* of the schema */
    Q_COLUMNS,
    Q_LOAD_TIMELINE, /* in a store that nobody uses yet */
    Q_LOAD_MEMBERS,
    Q_LOAD_TAGS,
    Q_LOAD_ALERTS,
    Q_LOAD_RUNS,
    Q_LOAD_USE_NONE,
    Q_LOAD_USE,
    Q_LOAD_RENEWAL,
};

static bool
scan_is_fine(enum query id)
{
	for (size_t i = 0; i < sizeof may_scan / sizeof *may_scan; i++)
		if (may_scan[i] == id)
			return true;
	return false;
}

/* A handful of rows: the cosignatures of one checkpoint. */
static bool
sort_is_fine(enum query id)
{
	return id == Q_COSIGNATURE_AT;
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

		/* what a subquery scans has a line of its own */
		if ((strstr(d, "TEMP B-TREE") != NULL && !sort_is_fine(id)) ||
		    strstr(d, "AUTOMATIC") != NULL ||
		    (strncmp(d, "SCAN", 4) == 0 &&
			strncmp(d, "SCAN (subquery", 14) != 0 &&
			!scan_is_fine(id)))
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

static int
steps(struct store_conn *c)
{
	int n = 0;

	for (size_t i = 0; i < Q_MAX_; i++)
		if (c->st[i] != NULL)
			n += sqlite3_stmt_status(c->st[i],
			    SQLITE_STMTSTATUS_VM_STEP, 1);
	return n;
}

static void
many(struct store_conn *w)
{
	T_GOOD(store_begin(w));
	for (uint64_t i = 1; i <= 5000; i++) {
		struct incident_row r = {.seq = i,
		    .id = {fake_uuid(1, i)},
		    .project = 1,
		    .number = i,
		    .status = i % 1000 == 0,
		    .created = (int64_t)i,
		    .sealed = fake_sealed("x")};
		struct alert_row x = {.seq = i,
		    .id = {fake_uuid(2, i)},
		    .project = 1,
		    .status = i % 1000 == 0,
		    .first_seen = (int64_t)i,
		    .sealed = fake_sealed("x")};

		T_GOOD(store_incident_insert(w, &r));
		T_GOOD(store_alert_insert(w, &x));
	}
	T_GOOD(store_commit(w));
}

/* What SQLite does for a page does not grow with the table. */
TEST(work_of_a_page)
{
	const struct incident_filter f[] = {{.project = 1},
	    {.project = 1, .sort = SORT_WORST},
	    {.project = 1, .sort = SORT_OLDEST, .statuses = 2},
	    {.project = 1, .from = 2000, .to = 2010}};
	const struct alert_filter g[] = {{.project = 1},
	    {.project = 1, .statuses = 2},
	    {.project = 1, .from = 2000, .to = 2010}};
	struct store *s = fake_open(fake_dir(), STORE_CREATE);
	struct incident_row *rows;
	struct alert_row *alerts;
	struct store_conn *w;
	struct arena a;
	size_t n;

	T_REQUIRE(s != NULL);
	w = store_writer(s);
	many(w);
	arena_init(&a, 1024 * 1024);
	for (size_t i = 0; i < sizeof f / sizeof *f; i++) {
		(void)steps(w);
		T_GOOD(store_incident_list(w, &f[i], 5, &a, &rows, &n));
		T_EQ_INT(n, 5);
		T_OK(steps(w) < 1500);
	}
	for (size_t i = 0; i < sizeof g / sizeof *g; i++) {
		(void)steps(w);
		T_GOOD(store_alert_list(w, &g[i], 5, &a, &alerts, &n));
		T_EQ_INT(n, 5);
		T_OK(steps(w) < 1500);
	}
	arena_done(&a);
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
			T_FAIL("%s is %d", p[i].name,
			    sqlite3_column_int(st, 0));
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
