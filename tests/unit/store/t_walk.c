/*
 * t_walk.c: rotation: every sealed row is found again with the identity it
 * was sealed under, sealed anew, and nobody's newer text is lost.
 */
#include "base/rand.h"
#include "seal/keyring.h"
#include "store/retention.h"
#include "store/run.h"
#include "store/runbook.h"
#include "store/secret.h"
#include "store/conn.h"
#include "store/task.h"
#include "tests/unit/store/fake.h"

enum { OLD = 1, NEW = 2, EACH = 23 };

static struct store *s;
static struct store_conn *w;
static struct arena a;
static struct keyring *ring;
static const struct data_key *key[3];

static err
no_load(void *ctx, uint32_t id, struct arena *x, struct wrapped_key *ret)
{
	(void)ctx;
	(void)id;
	(void)x;
	(void)ret;
	return err_of(E_NOT_FOUND);
}

static void
make_keys(void)
{
	struct project_keys *pk = project_keys_new();
	struct wrapped_key wrapped;
	uint8_t b[SECRET_SIZE];

	rand_bytes(b, sizeof b);
	T_GOOD(project_keys_add(pk, 1, 1, b));
	T_GOOD(keyring_new(pk, no_load, NULL, &ring));
	project_keys_unref(pk);
	for (uint32_t i = OLD; i <= NEW; i++)
		T_GOOD(keyring_make(ring, i, 1, SEAL_CLASS_OBJECT, NULL, i, &a,
		    &wrapped, &key[i]));
}

static struct sealed
close_at(const struct seal_where *where, const char *text)
{
	struct sealed out = {STR_NONE};

	T_GOOD(keyring_get(ring, OLD, &key[OLD]));
	T_GOOD(seal_close(key[OLD], where, str_c(text), &a, &out));
	return out;
}

static struct seal_where
at(enum seal_table table, uint32_t project)
{
	return (
	    struct seal_where){.table = table, .schema = 1, .project = project};
}

static void
put_big(uint64_t i)
{
	struct seal_where x = at(SEAL_TABLE_INCIDENT, 1);
	struct incident_row r = {.seq = i,
	    .id = {fake_uuid(1, i)},
	    .project = 1,
	    .number = i};
	struct entry_row e = {.incident = i};
	struct object_row o = {.kind = (uint8_t)(1 + i % 3),
	    .id = fake_uuid(2, i),
	    .project = 1};

	seal_where_id(&x, &r.id.u);
	r.sealed = close_at(&x, "incident");
	T_GOOD(store_incident_insert(w, &r));
	for (e.n = 1; e.n <= 2; e.n++) {
		x = at(SEAL_TABLE_TIMELINE, 1);
		seal_where_num(&x, e.incident);
		seal_where_num(&x, e.n);
		e.sealed = close_at(&x, "entry");
		T_GOOD(store_entry_insert(w, &e));
	}
	x = at(SEAL_TABLE_OBJECT, 1);
	seal_where_id(&x, &o.id);
	seal_where_num(&x, o.kind);
	o.sealed = close_at(&x, "object");
	T_GOOD(store_object_put(w, &o));
}

static void
put_small(uint64_t i)
{
	struct seal_where x = at(SEAL_TABLE_ALERT, 1);
	struct alert_row r = {.seq = i, .id = {fake_uuid(3, i)}, .project = 1};
	struct delivery_row d = {.seq = i,
	    .id = {fake_uuid(4, i)},
	    .project = 1};
	struct reply_row p = {.created = 1};
	struct uuid u = fake_uuid(5, i);

	seal_where_id(&x, &r.id.u);
	r.sealed = close_at(&x, "alert");
	T_GOOD(store_alert_insert(w, &r));
	x = at(SEAL_TABLE_DELIVERY, 1);
	seal_where_id(&x, &d.id.u);
	d.sealed = close_at(&x, "delivery");
	T_GOOD(store_delivery_insert(w, &d));
	x = at(SEAL_TABLE_AUDIT, 0);
	seal_where_num(&x, i);
	T_GOOD(store_audit_body_put(w, i, close_at(&x, "body")));
	x = at(SEAL_TABLE_REPLY, 0);
	memcpy(p.key, u.b, sizeof p.key);
	seal_where_id(&x, &u);
	p.sealed = close_at(&x, "reply");
	T_GOOD(store_reply_put(w, &p));
}

static void
put_versions(uint64_t i)
{
	struct seal_where x = at(SEAL_TABLE_RUNBOOK, 1);
	struct version_row r = {.seq = i,
	    .id = fake_uuid(7, i),
	    .project = 1,
	    .runbook = fake_uuid(8, 1),
	    .n = (uint32_t)i,
	    .state = 1};

	seal_where_id(&x, &r.id);
	r.sealed = close_at(&x, "version");
	T_GOOD(store_version_insert(w, &r));
}

static void
put_runs(uint64_t i)
{
	struct seal_where x = at(SEAL_TABLE_RUN, 1);
	struct run_row r = {.seq = i, .id = fake_uuid(6, i), .project = 1};
	struct happening_row h = {.seq = i, .project = 1, .due = 1};

	seal_where_id(&x, &r.id);
	r.sealed = close_at(&x, "run");
	T_GOOD(store_run_insert(w, &r));
	x = at(SEAL_TABLE_HAPPENING, 1);
	seal_where_num(&x, i);
	h.sealed = close_at(&x, "happening");
	T_GOOD(store_happening_add(w, &h));
}

/* Its row is named by the number of its key, which is not the one here. */
static void
put_secrets(uint64_t i)
{
	struct seal_where x = at(SEAL_TABLE_SECRET, 1);
	struct secret_row r = {.key = (uint32_t)(1000 + i),
	    .project = 1,
	    .secret = fake_uuid(9, i % 3)};

	seal_where_id(&x, &r.secret);
	seal_where_num(&x, r.key);
	r.sealed = close_at(&x, "secret");
	T_GOOD(store_secret_put(w, &r));
	T_ERR(store_secret_get(w, 7, &a, &r), E_NOT_FOUND);
	T_GOOD(store_secret_get(w, (uint32_t)(1000 + i), &a, &r));
	T_EQ_INT(r.project, 1);
	T_ERR(store_secret_delete(w, 7), E_NOT_FOUND);
}

static void
put_tasks(uint64_t i)
{
	struct seal_where x = at(SEAL_TABLE_TASK, 1);
	struct task_row r = {.seq = i, .id = fake_uuid(10, i), .project = 1};
	struct destruction_row d = {.seq = i, .time = 1, .class = 1};
	struct log_row g = {.project = 1,
	    .run = fake_uuid(11, i % 4),
	    .task = fake_uuid(10, i),
	    .at = i * 10,
	    .bytes = 10};

	seal_where_id(&x, &r.id);
	r.sealed = close_at(&x, "task");
	T_GOOD(store_task_insert(w, &r));
	x = at(SEAL_TABLE_RUN_LOG, 1);
	seal_where_id(&x, &g.run);
	seal_where_num(&x, g.at);
	g.sealed = close_at(&x, "log");
	T_GOOD(store_log_insert(w, &g));
	x = at(SEAL_TABLE_DESTRUCTION, 0);
	seal_where_num(&x, i);
	d.sealed = close_at(&x, "destruction");
	T_GOOD(store_destruction_put(w, &d));
}

static bool
begin(void)
{
	arena_init(&a, 64 * 1024 * 1024);
	s = fake_open(fake_dir(), STORE_CREATE);
	if (s == NULL)
		return false;
	w = store_writer(s);
	make_keys();
	T_GOOD(store_begin(w));
	for (uint64_t i = 1; i <= EACH; i++) {
		put_big(i);
		put_small(i);
		put_versions(i);
		put_runs(i);
		put_secrets(i);
		put_tasks(i);
	}
	T_GOOD(store_commit(w));
	return true;
}

static void
end(void)
{
	ring = keyring_free(ring);
	s = store_close(s);
	arena_done(&a);
}

/* Open with the identity the walk tells, seal under the new key. */
static bool
renew(const struct sealed_row *r, struct sealed *ret)
{
	struct seal_where x = at(r->table, r->project);
	struct str plain;
	err e;

	memcpy(x.pk, r->pk, r->pk_n);
	x.pk_n = r->pk_n;
	e = keyring_open(ring, &x, r->stored, &a, &plain);
	if (err_ok(e))
		e = keyring_get(ring, NEW, &key[NEW]);
	if (err_ok(e))
		e = seal_close(key[NEW], &x, plain, &a, ret);
	if (!err_ok(e))
		T_FAIL("table %d: %s", (int)r->table, err_name(e));
	return err_ok(e);
}

static uint64_t
uses(uint32_t id)
{
	uint64_t n = 0;

	T_GOOD(store_data_key_uses(w, id, &n));
	return n;
}

TEST(rotate_everything)
{
	uint64_t all = 0, n_rows;
	enum seal_table table;

	T_REQUIRE(begin());
	T_EQ_INT(uses(OLD), EACH * 15);
	T_EQ_INT(uses(NEW), 0);
	T_GOOD(store_begin(w));
	for (size_t i = 0; store_sealed_table(i, &table) != NULL; i++) {
		struct str cursor = STR_NONE;
		struct sealed_row *rows;
		uint64_t before = all;
		size_t n = 5;

		while (n == 5) {
			struct sealed fresh;

			T_GOOD(store_sealed_rows(w, table, cursor, 5, &a, &rows,
			    &n, &cursor));
			all += n;
			for (size_t k = 0; k < n; k++) {
				T_REQUIRE(renew(&rows[k], &fresh));
				T_GOOD(
				    store_sealed_replace(w, &rows[k], fresh));
				/* once only: it is not what was read */
				T_ERR(store_sealed_replace(w, &rows[k], fresh),
				    E_STALE);
			}
		}
		T_GOOD(store_sealed_count(w, table, &n_rows));
		T_EQ_INT(all - before, n_rows);
		T_OK(n_rows >= EACH); /* this test has rows of each table */
	}
	T_GOOD(store_commit(w));
	T_EQ_INT(all, EACH * 15);
	T_EQ_INT(uses(OLD), 0);
	T_EQ_INT(uses(NEW), EACH * 15);
	end();
}

/* A table with sealed rows that rotation does not know would keep its old
 * keys for ever, or lose them: whoever adds one adds it to the walk. */
TEST(no_table_is_missing)
{
	static const char ask[] =
	    "SELECT m.name FROM sqlite_schema m, pragma_table_info(m.name) c "
	    "WHERE m.type = 'table' AND c.name LIKE '%sealed%'";
	enum seal_table table;
	sqlite3_stmt *st;
	const char *name;
	size_t n = 0, known = 0;

	T_REQUIRE(begin());
	while (store_sealed_table(known, &table) != NULL)
		known++;
	T_REQUIRE(sqlite3_prepare_v2(w->db, ask, -1, &st, NULL) == SQLITE_OK);
	for (; sqlite3_step(st) == SQLITE_ROW; n++) {
		bool found = false;

		for (size_t i = 0;
		     (name = store_sealed_table(i, &table)) != NULL; i++)
			found |=
			    strcmp(name,
				(const char *)sqlite3_column_text(st, 0)) == 0;
		if (!found)
			T_FAIL("%s has sealed rows, and sqlite_walk.c does not "
			       "know it",
			    (const char *)sqlite3_column_text(st, 0));
	}
	(void)sqlite3_finalize(st);
	T_EQ_INT(n, known);
	end();
}

/* Somebody wrote the row between the walk and the replacement. */
TEST(newer_text_stays)
{
	struct sealed_row *rows;
	struct incident_row r;
	struct str cursor;
	struct sealed fresh;
	struct seal_where x = at(SEAL_TABLE_INCIDENT, 1);
	struct str plain;
	size_t n;

	T_REQUIRE(begin());
	T_GOOD(store_sealed_rows(w, SEAL_TABLE_INCIDENT, STR_NONE, 1, &a, &rows,
	    &n, &cursor));
	T_REQUIRE(n == 1 && renew(rows, &fresh));
	T_GOOD(store_begin(w));
	T_GOOD(store_incident_by_seq(w, 1, &a, &r));
	seal_where_id(&x, &r.id.u);
	r.sealed = close_at(&x, "newer");
	T_GOOD(store_incident_update(w, &r));
	T_ERR(store_sealed_replace(w, rows, fresh), E_STALE);
	T_GOOD(store_commit(w));
	T_GOOD(store_incident_by_seq(w, 1, &a, &r));
	T_GOOD(keyring_open(ring, &x, r.stored, &a, &plain));
	T_EQ_STR(plain, STR("newer"));
	end();
}

TEST(not_a_blob)
{
	uint64_t n;

	T_REQUIRE(begin());
	T_GOOD(store_begin(w));
	T_GOOD(store_audit_body_put(w, 900, fake_sealed("plain")));
	T_GOOD(store_commit(w));
	T_ERR(store_data_key_uses(w, OLD, &n), E_CORRUPT);
	end();
}

TEST(bad_cursor)
{
	struct sealed_row *rows;
	struct str cursor;
	size_t n;

	T_REQUIRE(begin());
	T_ERR(store_sealed_rows(w, SEAL_TABLE_ALERT, STR("x"), 5, &a, &rows, &n,
		  &cursor),
	    E_BAD_CURSOR);
	end();
}

T_MAIN
