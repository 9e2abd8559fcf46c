/* An installation with rows of every table, under every class of key. */
#ifndef KEY_FIXTURE_H
#define KEY_FIXTURE_H

#include "base/limits.h"
#include "base/rand.h"
#include "base/time.h"
#include "flow/rotate.h"
#include "flow/writer.h"
#include "role/local.h"
#include "role/rootfile.h"
#include "tests/unit/role/store_fixture.h"

enum { KF_ROWS = 300, KF_TEXT = 40 };

static struct datadir kf_dir;
static struct config kf_config;
static struct arena kf_arena;
static struct local kf;

static inline void
kf_unused(void)
{
	(void)fx_grow;
}

/* ---- a server of our own ---- */

static void
kf_up(void)
{
	struct trail t = {{0}};
	err e;

	T_GOOD(datadir_open(fx_dir, &t, &kf_dir));
	arena_init(&kf_arena, (size_t)256 << 20);
	config_defaults(&kf_arena, &kf_config);
	e = local_open(&kf, &kf_dir, &kf_config, &kf_arena, &t);
	if (!err_ok(e)) {
		T_FAIL("open: %s %s", err_name(e), t.detail);
		abort();
	}
}

static void
kf_down(void)
{
	local_close(&kf);
	arena_done(&kf_arena);
	datadir_close(&kf_dir);
}

/* ---- rows ---- */

static struct str
kf_text(struct arena *a, const char *table, unsigned i)
{
	char *p = arena_get(a, KF_TEXT);

	return str_of(p, (size_t)snprintf(p, KF_TEXT, "%s %u", table, i));
}

static err
kf_alert(struct lane *l, unsigned i, struct str text, bool fresh)
{
	struct alert_row r = {.seq = i, .project = 1, .version = 1};
	struct seal_where w = {.table = SEAL_TABLE_ALERT,
	    .schema = 1,
	    .project = 1};

	memcpy(r.id.u.b, &i, sizeof i);
	memcpy(r.dedup, &i, sizeof i);
	seal_where_id(&w, &r.id.u);
	TRY(lane_seal(l, 1, SEAL_CLASS_ALERT, &w, text, &kf_arena, &r.sealed));
	return fresh ? store_alert_insert(l->conn, &r)
		     : store_alert_update(l->conn, &r);
}

static err
kf_delivery(struct lane *l, unsigned i, size_t bytes)
{
	struct delivery_row r = {.seq = i,
	    .project = 1,
	    .status = DELIVERY_ACCEPTED};
	struct seal_where w = {.table = SEAL_TABLE_DELIVERY,
	    .schema = 1,
	    .project = 1};
	struct str text = kf_text(&kf_arena, "delivery", i);

	if (bytes > 0) {
		char *p = arena_get(&kf_arena, bytes);

		memset(p, 'x', bytes);
		memcpy(p, text.p, text.n);
		text = str_of(p, bytes);
	}
	memcpy(r.id.u.b, &i, sizeof i);
	seal_where_id(&w, &r.id.u);
	TRY(lane_seal(l, 1, SEAL_CLASS_PAYLOAD, &w, text, &kf_arena,
	    &r.sealed));
	return store_delivery_insert(l->conn, &r);
}

static err
kf_reply(struct lane *l, unsigned i)
{
	struct reply_row r = {.status = 200, .created = time_now_ms()};
	struct seal_where w = {.table = SEAL_TABLE_REPLY, .schema = 1};
	struct uuid u = {0};

	memcpy(r.key, &i, sizeof i);
	memcpy(u.b, r.key, sizeof u.b);
	seal_where_id(&w, &u);
	TRY(lane_seal(l, 0, SEAL_CLASS_REPLY, &w,
	    kf_text(&kf_arena, "reply", i), &kf_arena, &r.sealed));
	return store_reply_put(l->conn, &r);
}

static err
kf_body(struct lane *l, unsigned i)
{
	struct seal_where w = {.table = SEAL_TABLE_AUDIT, .schema = 1};
	struct sealed s;

	seal_where_num(&w, i);
	TRY(lane_seal(l, 0, SEAL_CLASS_AUDIT, &w,
	    kf_text(&kf_arena, "audit", i), &kf_arena, &s));
	return store_audit_body_put(l->conn, i, s);
}

/* With a key of its own, and one entry. */
static err
kf_incident(struct lane *l, unsigned i)
{
	struct incident_row r = {.seq = i,
	    .project = 1,
	    .number = i,
	    .version = 1};
	struct entry_row n = {.incident = i, .n = 1};
	struct seal_where w = {.table = SEAL_TABLE_INCIDENT,
			      .schema = 1,
			      .project = 1},
			  wn = {.table = SEAL_TABLE_TIMELINE,
			      .schema = 1,
			      .project = 1};
	uint32_t id = desk_key_id(writer_desk(l->writer));
	struct data_key_row row = {.id = id,
	    .project = 1,
	    .class = SEAL_CLASS_INCIDENT,
	    .has_subject = true,
	    .term = 1};
	struct wrapped_key wrapped;
	const struct data_key *k;

	memcpy(r.id.u.b, &i, sizeof i);
	seal_where_id(&w, &r.id.u);
	seal_where_num(&wn, i);
	seal_where_num(&wn, 1);
	TRY(keyring_make(l->ring, id, 1, SEAL_CLASS_INCIDENT, &r.id.u, 1,
	    &kf_arena, &wrapped, &k));
	row.version = wrapped.version;
	row.subject = r.id.u;
	row.wrapped = wrapped.wrapped;
	TRY(store_data_key_put(l->conn, &row));
	TRY(seal_close(k, &w, kf_text(&kf_arena, "incident", i), &kf_arena,
	    &r.sealed));
	TRY(seal_close(k, &wn, kf_text(&kf_arena, "timeline", i), &kf_arena,
	    &n.sealed));
	TRY(store_incident_insert(l->conn, &r));
	return store_entry_insert(l->conn, &n);
}

static err
kf_fill_some(struct lane *l, void *arg)
{
	unsigned from = *(unsigned *)arg;

	for (unsigned i = from + 1; i <= from + KF_ROWS; i++) {
		TRY(kf_alert(l, i, kf_text(&kf_arena, "alert", i), true));
		TRY(kf_delivery(l, i, 0));
		TRY(kf_reply(l, i));
		TRY(kf_body(l, i));
		TRY(kf_incident(l, i));
	}
	return OK;
}

static void
kf_fill(unsigned from)
{
	T_GOOD(writer_do(kf.st.writer, kf_fill_some, &from));
}

/* ---- does everything open? ---- */

static size_t
kf_table(struct lane *l, enum seal_table table)
{
	struct str cursor = STR("");
	struct sealed_row *row;
	size_t n, all = 0;

	do {
		T_GOOD(store_sealed_rows(l->conn, table, cursor, 100, &kf_arena,
		    &row, &n, &cursor));
		for (size_t i = 0; i < n; i++) {
			struct seal_where w = {.table = table,
			    .schema = 1,
			    .project = row[i].project,
			    .pk_n = row[i].pk_n};
			struct str text;
			err e;

			memcpy(w.pk, row[i].pk, sizeof w.pk);
			e = keyring_open(l->ring, &w, row[i].stored, &kf_arena,
			    &text);
			if (!err_ok(e)) {
				T_FAIL("table %u row %zu: %s", table, all + i,
				    err_name(e));
				return all;
			}
		}
		all += n;
	} while (n == 100);
	return all;
}

/* With keys that nobody has cached. */
static void
kf_opens(size_t rows)
{
	struct lane l;

	T_GOOD(lane_open(&kf.st, LANE_READER, 0, &l));
	T_EQ_INT(kf_table(&l, SEAL_TABLE_OBJECT), 4);
	T_EQ_INT(kf_table(&l, SEAL_TABLE_ALERT), rows);
	T_EQ_INT(kf_table(&l, SEAL_TABLE_DELIVERY), rows);
	T_EQ_INT(kf_table(&l, SEAL_TABLE_REPLY), rows);
	T_EQ_INT(kf_table(&l, SEAL_TABLE_AUDIT), rows);
	T_EQ_INT(kf_table(&l, SEAL_TABLE_INCIDENT), rows);
	T_EQ_INT(kf_table(&l, SEAL_TABLE_TIMELINE), rows);
	lane_close(&l);
}

/* ---- rotating, up to some piece ---- */

static atomic_bool kf_stop;
static int kf_pieces, kf_limit;

static void
kf_tend(void *ctx)
{
	(void)ctx;
	if (++kf_pieces == kf_limit)
		atomic_store(&kf_stop, true);
}

static struct rotation
kf_rotation(int limit)
{
	atomic_store(&kf_stop, false);
	kf_pieces = 0;
	kf_limit = limit;
	return (struct rotation){.st = &kf.st,
	    .reload = local_reload,
	    .tend = kf_tend,
	    .ctx = &kf,
	    .stop = &kf_stop,
	    .by = "test"};
}

static inline err
kf_rotate(const char *root, int limit, struct rotated *ret)
{
	struct rotation r = kf_rotation(limit);
	struct trail t = {{0}};
	err e = rotate_keys(&r, root, &t, ret);

	if (!err_ok(e) && limit == 0)
		T_FAIL("rotate: %s %s", err_name(e), t.detail);
	return e;
}

static inline err
kf_rewrap(int limit, struct rewrapped *ret)
{
	struct rotation r = kf_rotation(limit);
	struct trail t = {{0}};
	err e = rotate_rewrap(&r, &t, ret);

	if (!err_ok(e) && limit == 0)
		T_FAIL("rewrap: %s %s", err_name(e), t.detail);
	return e;
}

/* A new root key in the file; its id. */
static inline void
kf_add_root(char id[ROOT_TEXT + 1])
{
	struct trail t = {{0}};
	struct root_file f;

	T_GOOD(root_file_open(&kf_dir, STR(""), &t, &f));
	T_GOOD(root_file_add(&f, &t));
	root_id(f.keys, 0, id);
	root_file_close(&f);
}

static inline err
kf_drop_root(void)
{
	struct trail t = {{0}};
	struct root_file f;
	err e;

	T_GOOD(root_file_open(&kf_dir, STR(""), &t, &f));
	e = root_file_drop(&f, &t);
	root_file_close(&f);
	return e;
}

/* The first column of the first row, as text; empty: there is none. */
static inline struct str
kf_sql(const char *text)
{
	static char out[256];
	sqlite3_stmt *s = NULL;
	sqlite3 *db;
	char path[160];
	int rc;

	(void)snprintf(path, sizeof path, "%s/store.db", fx_db);
	BUG_ON(sqlite3_open(path, &db) != SQLITE_OK);
	BUG_ON(sqlite3_prepare_v2(db, text, -1, &s, NULL) != SQLITE_OK);
	out[0] = '\0';
	rc = sqlite3_step(s);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		printf("# %s: %s\n", text, sqlite3_errmsg(db));
	BUG_ON(rc != SQLITE_ROW && rc != SQLITE_DONE);
	if (rc == SQLITE_ROW)
		(void)snprintf(out, sizeof out, "%s",
		    sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	sqlite3_close(db);
	return str_c(out);
}

static inline void
kf_begin(void)
{
	fx_begin();
	kf_up();
	kf_fill(0);
}

static inline void
kf_end(void)
{
	kf_down();
	fx_end();
}

#endif
