/*
 * Rotation and rewrapping, cut short at every piece, beside writers and
 * readers, with damage.
 */
#include "tests/unit/role/key_fixture.h"

#include <semaphore.h>

#include "flow/objects.h"

TEST(everything_gets_new_keys)
{
	char root[ROOT_TEXT + 1];
	struct rotated d;
	struct rewrapped w;

	kf_begin();
	kf_add_root(root);
	T_GOOD(kf_rotate(root, 0, &d));
	T_EQ_INT(d.project_keys, 2);
	T_EQ_INT(d.projects, 2);
	T_EQ_INT(d.data_keys, KF_ROWS + 10);
	T_EQ_INT(d.class_keys, 6);
	T_EQ_INT(d.deleted, 2);
	T_EQ_INT(d.damaged, 0);
	kf_opens(KF_ROWS);
	kf_fill(KF_ROWS); /* under the new keys */
	T_GOOD(kf_drop_root());
	T_GOOD(kf_rewrap(0, &w));
	T_EQ_INT(w.rows, 4 * KF_ROWS + 3);
	T_EQ_INT(w.deleted, 6);
	T_EQ_INT(w.kept, 0);
	T_OK(w.clean);
	kf_opens(2 * KF_ROWS);
	kf_down();
	kf_up(); /* with the one root key */
	kf_opens(2 * KF_ROWS);
	kf_down();
	T_EQ_STR(kf_sql("SELECT count(*) || ' ' || min(version) || ' ' || "
			"max(version) FROM project_key"),
	    STR("2 2 2"));
	T_EQ_STR(kf_sql("SELECT count(*) FROM data_key WHERE version != 2"),
	    STR("0"));
	/* INDEX twice, TOKEN, and six that are new */
	T_EQ_STR(kf_sql("SELECT count(*) FROM data_key WHERE subject IS NULL"),
	    STR("9"));
	T_EQ_STR(kf_sql("SELECT group_concat(term, '') FROM (SELECT term FROM "
			"data_key WHERE subject IS NULL ORDER BY class, id)"),
	    STR("222221112"));
	kf_up();
	kf_end();
}

/* Whatever piece is the last one, all opens with the file there is, and the
 * next rotation finishes. */
TEST(cut_short_at_every_piece)
{
	char root[ROOT_TEXT + 1];
	struct rotated d;
	int at, cut = 0;

	kf_begin();
	kf_add_root(root);
	for (at = 1; at < 100; at++) {
		err e = kf_rotate(root, at, &d);

		if (err_ok(e))
			break;
		T_ERR(e, E_UNAVAILABLE);
		cut++;
		kf_down();
		kf_up();
		kf_opens(KF_ROWS);
	}
	T_OK(cut >= 7);
	T_OK(at < 100);
	T_GOOD(kf_drop_root());
	kf_down();
	kf_up();
	kf_opens(KF_ROWS);
	kf_down();
	T_EQ_STR(kf_sql("SELECT count(*) FROM project_key"), STR("2"));
	kf_up();
	kf_end();
}

TEST(rewrap_cut_short)
{
	char root[ROOT_TEXT + 1];
	struct rewrapped w;
	struct rotated d;
	uint64_t rows = 0;
	int cut = 0;

	kf_begin();
	kf_add_root(root);
	T_GOOD(kf_rotate(root, 0, &d));
	for (;;) {
		err e = kf_rewrap(2, &w);

		rows += w.rows;
		if (err_ok(e))
			break;
		T_ERR(e, E_UNAVAILABLE);
		T_EQ_INT(w.deleted, 0);
		cut++;
		kf_down();
		kf_up();
		kf_opens(KF_ROWS);
		T_REQUIRE(cut < 100);
	}
	T_OK(cut >= 3);
	T_EQ_INT(rows, 4 * KF_ROWS + 3);
	T_EQ_INT(w.deleted, 6);
	kf_opens(KF_ROWS);
	kf_end();
}

/* Without the file nothing is begun. */
TEST(another_root_key_file)
{
	struct rotation r;
	struct trail t = {{0}};
	struct rotated d;

	kf_begin();
	r = kf_rotation(0);
	T_ERR(rotate_keys(&r, "0123456789abcdef", &t, &d), E_CONFLICT);
	T_OK(strstr(t.detail, "another root key file") != NULL);
	T_ERR(rotate_keys(&r, "x", &t, &d), E_INVALID);
	T_ERR(rotate_dropped(&r, "0123456789abcdef", &t), E_CONFLICT);
	kf_end();
	T_EQ_INT(d.project_keys, 0);
}

TEST(dropped_only_when_it_is)
{
	char root[ROOT_TEXT + 1];
	struct rotation r;
	struct trail t = {{0}};
	struct rotated d;

	kf_begin();
	kf_add_root(root);
	/* the signing seed is still under the old one */
	T_ERR(kf_drop_root(), E_WRONG_KEY);
	T_GOOD(kf_rotate(root, 0, &d));
	r = kf_rotation(0);
	T_ERR(rotate_dropped(&r, root, &t), E_CONFLICT);
	T_GOOD(kf_drop_root());
	T_GOOD(rotate_dropped(&r, root, &t));
	kf_end();
}

/* ---- beside others ---- */

static atomic_bool quiet;
static unsigned last_text, lost;

static struct str
text_of(struct lane *l, unsigned i)
{
	struct seal_where at = {.table = SEAL_TABLE_ALERT,
	    .schema = 1,
	    .project = 1};
	struct alert_id id = {{{0}}};
	struct str text = STR("");
	struct alert_row row;

	memcpy(id.u.b, &i, sizeof i);
	seal_where_id(&at, &id.u);
	T_GOOD(store_alert_by_id(l->conn, &id, &kf_arena, &row));
	T_GOOD(keyring_open(l->ring, &at, row.stored, &kf_arena, &text));
	return text;
}

/* All of them at once, so that no piece is without one between its reading
 * and its writing; and each time what was written before must be there. */
static err
change(struct lane *l, void *arg)
{
	unsigned n = *(unsigned *)arg;

	for (unsigned i = 1; i <= KF_ROWS; i++) {
		struct str was = kf_text(&kf_arena, "changed", n - 1);

		lost += n > 1 && !str_eq(text_of(l, i), was);
		TRY(kf_alert(l, i, kf_text(&kf_arena, "changed", n), false));
	}
	return OK;
}

static sem_t go, gone;

static void *
changing(void *arg)
{
	(void)arg;
	for (;;) {
		(void)sem_wait(&go);
		if (atomic_load(&quiet))
			return NULL;
		last_text++;
		T_GOOD(writer_do(kf.st.writer, change, &last_text));
		(void)sem_post(&gone);
	}
}

/* After the first piece, when the rows of the next are about to be read. */
static void
tend_once(void *ctx)
{
	(void)ctx;
	if (++kf_pieces == 1)
		(void)sem_post(&go);
}

/* A row that is changed while it is sealed anew keeps its newer text. */
TEST(a_newer_text_wins)
{
	char root[ROOT_TEXT + 1];
	struct trail why = {{0}};
	struct rewrapped w;
	struct rotated d;
	struct rotation r;
	struct lane l;
	pthread_t t;

	kf_begin();
	last_text = lost = 0;
	atomic_store(&quiet, false);
	BUG_ON(sem_init(&go, 0, 0) != 0 || sem_init(&gone, 0, 0) != 0);
	BUG_ON(pthread_create(&t, NULL, changing, NULL) != 0);
	for (int i = 0; i < 4; i++) {
		kf_add_root(root);
		T_GOOD(kf_rotate(root, 0, &d));
		T_GOOD(kf_drop_root());
		r = kf_rotation(0);
		r.tend = tend_once;
		T_GOOD(rotate_rewrap(&r, &why, &w));
		T_EQ_INT(w.kept, 0);
		T_EQ_INT(w.damaged, 0);
		(void)sem_wait(&gone);
	}
	atomic_store(&quiet, true);
	(void)sem_post(&go);
	pthread_join(t, NULL);
	kf_opens(KF_ROWS);
	T_EQ_INT(lost, 0);
	T_GOOD(lane_open(&kf.st, LANE_READER, 0, &l));
	for (unsigned i = 1; i <= KF_ROWS; i++)
		T_EQ_STR(text_of(&l, i),
		    kf_text(&kf_arena, "changed", last_text));
	lane_close(&l);
	kf_end();
}

/* Who holds an old snapshot reads what is wrapped under newer keys. */
TEST(an_old_snapshot_reads)
{
	char root[ROOT_TEXT + 1];
	struct rotated d;
	struct lane l;

	kf_begin();
	T_GOOD(lane_open(&kf.st, LANE_READER, 0, &l));
	for (int i = 0; i < 2; i++) {
		kf_add_root(root);
		T_GOOD(kf_rotate(root, 0, &d));
		T_GOOD(kf_drop_root());
	}
	T_EQ_INT(project_keys_latest(l.snap->keys, 1), 1);
	T_EQ_INT(kf_table(&l, SEAL_TABLE_INCIDENT), KF_ROWS);
	T_EQ_INT(kf_table(&l, SEAL_TABLE_ALERT), KF_ROWS);
	lane_close(&l);
	kf_end();
}

/* And who holds an old view, with newer keys. */
TEST(an_old_view_reads)
{
	char root[ROOT_TEXT + 1];
	struct rotated d;
	struct lane l;

	kf_begin();
	T_GOOD(lane_open(&kf.st, LANE_READER, 0, &l));
	T_GOOD(store_view_begin(l.conn));
	kf_add_root(root);
	T_GOOD(kf_rotate(root, 0, &d));
	lane_refresh(&l);
	T_EQ_INT(project_keys_latest(l.snap->keys, 1), 2);
	T_EQ_INT(kf_table(&l, SEAL_TABLE_INCIDENT), KF_ROWS);
	store_view_end(l.conn);
	lane_close(&l);
	kf_end();
}

/* ---- size and damage ---- */

static err
big(struct lane *l, void *arg)
{
	for (unsigned i = 1; i <= 12; i++)
		TRY(kf_delivery(l, KF_ROWS + i, LIM_INGEST_BODY));
	(void)arg;
	return OK;
}

TEST(large_payloads)
{
	char root[ROOT_TEXT + 1];
	struct rewrapped w;
	struct rotated d;
	struct lane l;

	kf_begin();
	T_GOOD(writer_do(kf.st.writer, big, NULL));
	kf_add_root(root);
	T_GOOD(kf_rotate(root, 0, &d));
	T_GOOD(kf_rewrap(0, &w));
	T_EQ_INT(w.rows, 4 * KF_ROWS + 3 + 12);
	T_EQ_INT(w.deleted, 6);
	T_GOOD(lane_open(&kf.st, LANE_READER, 0, &l));
	T_EQ_INT(kf_table(&l, SEAL_TABLE_DELIVERY), KF_ROWS + 12);
	lane_close(&l);
	kf_end();
}

/* What does not open is left alone, with its key; the rest goes on. */
TEST(damage)
{
	char root[ROOT_TEXT + 1];
	struct rewrapped w;
	struct rotated d;

	kf_begin();
	kf_down();
	(void)kf_sql("UPDATE alert SET sealed = CAST(substr(sealed, 1, 70) || "
		     "substr(sealed, 1, length(sealed) - 70) AS BLOB) "
		     "WHERE seq = 7");
	(void)kf_sql("UPDATE data_key SET wrapped = CAST(substr(wrapped, 1, "
		     "90) || zeroblob(22) AS BLOB) "
		     "WHERE id = (SELECT max(id) FROM data_key WHERE "
		     "class = 4)");
	kf_up();
	kf_add_root(root);
	T_GOOD(kf_rotate(root, 0, &d));
	T_EQ_INT(d.damaged, 1);
	T_EQ_INT(d.data_keys, KF_ROWS + 9);
	T_EQ_INT(d.deleted, 1); /* project 1's is still named */
	T_GOOD(kf_rewrap(0, &w));
	T_EQ_INT(w.damaged, 1);
	T_EQ_INT(w.kept, 1);
	T_EQ_INT(w.deleted, 5);
	T_EQ_INT(w.rows, 4 * KF_ROWS + 2);
	kf_down();
	T_EQ_STR(kf_sql("SELECT count(*) FROM data_key WHERE class = 2"),
	    STR("2"));
	kf_up();
	kf_end();
}

/* ---- what is said ---- */

static bool
told(const char *like)
{
	char text[256];

	(void)snprintf(text, sizeof text,
	    "SELECT leaf FROM audit WHERE "
	    "CAST(leaf AS TEXT) LIKE '%s'",
	    like);
	return kf_sql(text).n > 0;
}

TEST(the_log_tells)
{
	char root[ROOT_TEXT + 1];
	struct rewrapped w;
	struct rotated d;
	struct rotation r;
	struct trail t = {{0}};

	kf_begin();
	kf_add_root(root);
	T_GOOD(kf_rotate(root, 0, &d));
	T_GOOD(kf_drop_root());
	r = kf_rotation(0);
	T_GOOD(rotate_dropped(&r, root, &t));
	T_GOOD(kf_rewrap(0, &w));
	kf_down();
	T_EQ_STR(kf_sql(
		     "SELECT group_concat(CAST(leaf AS TEXT) LIKE "
		     "'%\"key.rotate\"%', '') "
		     "FROM (SELECT leaf FROM audit ORDER BY seq DESC LIMIT 4)"),
	    STR("0111"));
	T_OK(told("%begin root=% by=test%"));
	T_OK(told("%done root=%data_keys=310 class_keys=6 deleted=2 damaged=0"
		  "%"));
	T_OK(told("%dropped root=% by=test%"));
	T_OK(told("%key.rewrap%rows=1203 deleted=6 kept=0 damaged=0%"));
	kf_up();
	kf_end();
}

TEST(status_says_what_waits)
{
	static const struct json_limits lim = {16, 1000, 100000};
	char root[ROOT_TEXT + 1];
	const struct json *j, *k;
	struct keeper_last last = {.roots = 1};
	struct rotated d;
	struct lane l;
	struct buf b;
	struct jw w;
	int64_t n = -1;
	bool exact = false;

	kf_begin();
	kf_add_root(root);
	T_GOOD(kf_rotate(root, 0, &d));
	memcpy(last.root_ids[0], root, sizeof root);
	T_GOOD(lane_open(&kf.st, LANE_READER, 0, &l));
	buf_init_on(&b, &kf_arena, 1 << 20);
	jw_init(&w, &b);
	jw_obj(&w);
	T_GOOD(rotate_status(&l, &last, &w));
	jw_obj_end(&w);
	lane_close(&l);
	T_GOOD(json_parse(&kf_arena, buf_view(&b), &lim, NULL, &j));
	k = json_get(j, STR("waiting"));
	T_OK(json_i64(json_get(k, STR("keys")), 0, 99, &n) && n == 6);
	T_OK(json_i64(json_get(k, STR("rows")), 0, 9999, &n) &&
	    n == 4 * KF_ROWS + 3);
	T_OK(json_bool(json_get(k, STR("exact")), &exact) && exact);
	k = json_first(json_get(j, STR("projects")));
	T_OK(k != NULL && k->next != NULL && k->next->next == NULL);
	T_EQ_STR(json_str_at(k->next, STR("project")), STR("default"));
	k = json_first(json_get(k, STR("keys")));
	T_EQ_STR(json_str_at(k, STR("root")), str_c(root));
	kf_end();
}

T_MAIN
