/*
 * Everything under new keys, cut short at every piece, beside writers, with
 * damage.
 */
#include "flow/keys.h"
#include "tests/unit/role/key_fixture.h"

static err
reencrypt(int limit, struct rewrapped *ret)
{
	struct rotation r = kf_rotation(limit);
	struct trail t = {{0}};
	err e = rotate_reencrypt(&r, &t, ret);

	if (!err_ok(e) && limit == 0)
		T_FAIL("reencrypt: %s %s", err_name(e), t.detail);
	return e;
}

/* Class keys twice INDEX and TOKEN stay; all others are new. */
static void
all_is_new(const char *below)
{
	char text[200];

	kf_down();
	(void)snprintf(text, sizeof text,
	    "SELECT count(*) FROM data_key WHERE id < %s", below);
	T_EQ_STR(kf_sql(text), STR("3"));
	T_EQ_STR(kf_sql("SELECT count(*) FROM data_key WHERE subject IS NULL"),
	    STR("9"));
	T_EQ_STR(kf_sql("SELECT count(*) FROM data_key WHERE term = 2 AND "
			"subject IS NOT NULL"),
	    STR("301"));
	T_EQ_STR(kf_sql("SELECT count(*) FROM key_renewal"), STR("0"));
	T_EQ_STR(kf_sql("SELECT value FROM meta WHERE name = 'keys.reencrypt'"),
	    STR(""));
	kf_up();
}

static err
ask_last(struct lane *l, void *arg)
{
	return store_data_key_last(l->conn, arg);
}

static err
ask_at(struct lane *l, void *arg)
{
	return reencrypt_at(l->conn, arg);
}

/* The number of the next key, as text. */
static const char *
next_key(void)
{
	static char text[32];
	uint32_t id;

	T_GOOD(writer_do(kf.st.writer, ask_last, &id));
	(void)snprintf(text, sizeof text, "%u", id + 1);
	return text;
}

TEST(everything)
{
	struct reencryption at;
	struct rewrapped w;
	const char *below;

	kf_begin();
	below = next_key();
	T_GOOD(reencrypt(0, &w));
	T_EQ_INT(w.rows, 6 * KF_ROWS + 4);
	T_EQ_INT(w.deleted, KF_ROWS + 7);
	T_EQ_INT(w.kept, 0);
	T_EQ_INT(w.damaged, 0);
	T_OK(w.clean);
	kf_opens(KF_ROWS);
	T_GOOD(writer_do(kf.st.writer, ask_at, &at));
	T_EQ_INT(at.below, 0);
	all_is_new(below);
	kf_opens(KF_ROWS);
	kf_fill(KF_ROWS);
	kf_opens(2 * KF_ROWS);
	T_GOOD(reencrypt(0, &w)); /* once more: nothing is special */
	T_EQ_INT(w.rows, 12 * KF_ROWS + 4);
	T_EQ_INT(w.kept, 0);
	kf_opens(2 * KF_ROWS);
	kf_end();
}

/* Whatever piece is the last one, all opens, also what is written then; the
 * next one goes on where it was. */
TEST(cut_short_at_every_piece)
{
	struct reencryption at;
	struct rewrapped w;
	uint64_t rows = 0, done = 0;
	int cut = 0;
	const char *below;

	kf_begin();
	below = next_key();
	for (int limit = 1; limit < 200; limit++) {
		err e = reencrypt(5, &w); /* two to find its place */

		rows += w.rows;
		if (err_ok(e))
			break;
		T_ERR(e, E_UNAVAILABLE);
		cut++;
		kf_down();
		kf_up();
		kf_opens(KF_ROWS);
		T_GOOD(writer_do(kf.st.writer, ask_at, &at));
		T_OK(at.below != 0);
		T_OK(at.done >= done);
		done = at.done;
		T_REQUIRE(limit < 199);
	}
	T_OK(cut >= 4);
	T_EQ_INT(rows, 6 * KF_ROWS + 4);
	T_OK(done > KF_ROWS); /* it did not begin anew each time */
	kf_opens(KF_ROWS);
	all_is_new(below);
	kf_opens(KF_ROWS);
	kf_end();
}

/* ---- others are at work ---- */

static err
new_entry(struct lane *l, void *arg)
{
	unsigned *n = arg, i = 1 + *n % KF_ROWS;
	struct entry_row e = {.incident = i, .n = 2 + *n / KF_ROWS};
	struct seal_where w = {.table = SEAL_TABLE_TIMELINE,
	    .schema = 1,
	    .project = 1};
	struct incident_row row;
	const struct data_key *k;
	uint32_t id;

	seal_where_num(&w, i);
	seal_where_num(&w, e.n);
	TRY(store_incident_by_seq(l->conn, i, &kf_arena, &row));
	TRY(seal_key_id(row.stored, &id)); /* as the desk does it */
	TRY(keyring_get(l->ring, id, &k));
	TRY(seal_close(k, &w, STR("entry"), &kf_arena, &e.sealed));
	++*n;
	return store_entry_insert(l->conn, &e);
}

static unsigned entries;

static void
tend_writing(void *ctx)
{
	(void)ctx;
	T_GOOD(writer_do(kf.st.writer, new_entry, &entries));
}

/* Entries for each incident, between any two pieces. */
TEST(beside_a_writer)
{
	struct rotation r;
	struct trail t = {{0}};
	struct rewrapped w;
	const char *below;
	struct lane l;

	kf_begin();
	below = next_key();
	entries = 0;
	r = kf_rotation(0);
	r.tend = tend_writing;
	T_GOOD(rotate_reencrypt(&r, &t, &w));
	T_EQ_INT(w.kept, 0);
	T_OK(entries > 5);
	T_GOOD(lane_open(&kf.st, LANE_READER, 0, &l));
	T_EQ_INT(kf_table(&l, SEAL_TABLE_TIMELINE), KF_ROWS + entries);
	lane_close(&l);
	all_is_new(below);
	kf_end();
}

/* An incident is destroyed in the middle of it: by its key and those of the
 * same subject. */
static err
destroy(struct lane *l, void *arg)
{
	uint32_t id, kin[KEYS_KIN];
	struct incident_row row;
	size_t n;

	TRY(store_incident_by_seq(l->conn, 7, &kf_arena, &row));
	TRY(seal_key_id(row.stored, &id));
	TRY(keys_kin(l->conn, id, kin, &n));
	*(size_t *)arg = n;
	return keys_destroy(l, kin, n, &kf_arena);
}

TEST(a_subject_ends_meanwhile)
{
	struct rewrapped w;
	size_t keys = 0;

	kf_begin();
	T_ERR(reencrypt(8, &w), E_UNAVAILABLE); /* incidents are done */
	kf_down();
	T_EQ_STR(kf_sql("SELECT count(*) > 0 FROM key_renewal"), STR("1"));
	kf_up();
	T_GOOD(writer_do(kf.st.writer, destroy, &keys));
	T_EQ_INT(keys, 2);
	T_GOOD(reencrypt(0, &w));
	/* its rows still stand there, and nothing opens them any more */
	T_OK(w.damaged > 0);
	T_EQ_INT(w.kept, 0);
	kf_down();
	T_EQ_STR(kf_sql("SELECT count(*) FROM data_key WHERE class = 4"),
	    STR("299"));
	kf_up();
	kf_end();
}

TEST(damage)
{
	struct rewrapped w;

	kf_begin();
	kf_down();
	(void)kf_sql(
	    "UPDATE timeline SET sealed = CAST(substr(sealed, 1, 70) || "
	    "substr(sealed, 1, length(sealed) - 70) AS BLOB) "
	    "WHERE key = 7 << 24 | 1");
	kf_up();
	T_GOOD(reencrypt(0, &w));
	T_EQ_INT(w.damaged, 1);
	T_EQ_INT(w.kept, 1);
	T_EQ_INT(w.deleted, KF_ROWS + 6);
	T_EQ_INT(w.rows, 6 * KF_ROWS + 3);
	kf_end();
}

TEST(a_note_that_is_none)
{
	struct rewrapped w;
	struct rotation r;
	struct trail t = {{0}};

	kf_begin();
	kf_down();
	(void)kf_sql(
	    "INSERT INTO meta VALUES ('keys.reencrypt', CAST('1 2 3' AS "
	    "BLOB))");
	kf_up();
	r = kf_rotation(0);
	T_ERR(rotate_reencrypt(&r, &t, &w), E_CORRUPT);
	kf_opens(KF_ROWS);
	kf_end();
}

T_MAIN
