/*
 * L19: a log that was edited, cut, reordered or rolled back in the store is
 * named, offline, with the entry.
 */
#include "tests/unit/role/store_fixture.h"

static struct verify_report r;

static err
verify(void)
{
	struct trail t = {{0}};
	err e = role_audit_verify(fx_dir, &t, &r);

	if (err_is(e, E_BAD_ANSWER))
		T_OK(r.v.what[0] != '\0' && t.detail[0] != '\0');
	return e;
}

static void
named(const char *sql, uint64_t bad)
{
	fx_begin();
	fx_grow(1000, 100);
	fx_sql(sql);
	T_ERR(verify(), E_BAD_ANSWER);
	if (bad != 0)
		T_EQ_INT(r.v.bad_seq, bad);
	fx_end();
}

TEST(a_fresh_store)
{
	fx_begin();
	T_GOOD(verify());
	T_EQ_INT(r.v.entries, 1);
	T_EQ_INT(r.v.signed_size, 1);
	T_OK(r.key_known);
	T_OK(strstr(r.vkey, "redoubt/") == r.vkey);
	fx_end();
}

TEST(good_logs_of_many_lengths)
{
	static const uint64_t n[] = {2, 255, 256, 257, 511, 512, 513, 1000,
	    65536, 65537, 66000};

	for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
		fx_begin();
		fx_grow(n[i], n[i] > 2000 ? 5000 : 37);
		T_GOOD(verify());
		T_EQ_INT(r.v.entries, n[i]);
		T_EQ_INT(r.v.signed_size, n[i]);
		fx_end();
	}
}

TEST(entries_behind_the_last_signature_are_no_finding)
{
	fx_begin();
	fx_grow(300, 100);
	fx_sql("DELETE FROM checkpoint WHERE size > 200");
	T_ERR(verify(), E_OK); /* the keeper vouches for 300 itself */
	T_EQ_INT(r.v.signed_size, 300);
	fx_end();
}

TEST(L19_edited)
{
	named("UPDATE audit SET leaf = CAST(replace(CAST(leaf AS TEXT), "
	      "'192.0.2.1', '192.0.2.2') AS BLOB) WHERE seq = 77",
	    77);
	named("UPDATE audit SET leaf = CAST(replace(CAST(leaf AS TEXT), "
	      "'192.0.2.1', '192.0.2.2') AS BLOB) WHERE seq = 1000",
	    0);
	/* With the tile made to fit. */
	named("UPDATE audit_tile SET hashes = zeroblob(8192) "
	      "WHERE key = 1",
	    257);
}

TEST(L19_tail_cut)
{
	named("DELETE FROM audit WHERE seq > 990", 991);
	named("DELETE FROM audit WHERE seq > 900; "
	      "DELETE FROM checkpoint WHERE size > 900",
	    901);
	named("DELETE FROM audit WHERE seq > 512; "
	      "DELETE FROM checkpoint WHERE size > 512; "
	      "DELETE FROM audit_tile WHERE key > 1",
	    513);
	named("DELETE FROM audit; DELETE FROM checkpoint; "
	      "DELETE FROM audit_tile",
	    1);
}

TEST(L19_reordered_and_holed)
{
	named("UPDATE audit SET seq = 5000 WHERE seq = 10; "
	      "UPDATE audit SET seq = 10 WHERE seq = 11; "
	      "UPDATE audit SET seq = 11 WHERE seq = 5000",
	    0);
	named("DELETE FROM audit WHERE seq = 500", 500);
	named("DELETE FROM audit_tile WHERE key = 2", 0);
}

TEST(L19_forged_checkpoint)
{
	named("UPDATE checkpoint SET note = CAST(replace(CAST(note AS TEXT), "
	      "'1000', '1001') AS BLOB) WHERE size = 1000",
	    0);
	named("UPDATE checkpoint SET note = "
	      "(SELECT note FROM checkpoint WHERE size = 900) "
	      "WHERE size = 1000; UPDATE checkpoint SET note = x'78' "
	      "WHERE size = 500",
	    0);
}

TEST(L19_a_checkpoint_in_anothers_place)
{
	named("UPDATE checkpoint SET size = -size WHERE size IN (500, 400); "
	      "UPDATE checkpoint SET size = 900 + size WHERE size < 0",
	    0);
	named("UPDATE checkpoint SET note = (SELECT note FROM checkpoint "
	      "WHERE size = 600) WHERE size = 700",
	    601);
	T_OK(strcmp(r.v.what, "checkpoint 700 is that of size 600") == 0);
}

/* What a list would show and no walk comes by. */
TEST(L19_rows_beside_the_log)
{
	named("UPDATE audit SET seq = -seq; "
	      "UPDATE audit SET seq = 3 - seq",
	    1);
	T_OK(strcmp(r.v.what, "entry 1 is kept under number 4") == 0);
	named("INSERT INTO audit SELECT -3, leaf FROM audit WHERE seq = 7", 1);
	named("INSERT INTO checkpoint SELECT -3, time, note FROM checkpoint "
	      "WHERE size = 100",
	    1);
	named("INSERT INTO audit_tile SELECT 9, hashes FROM audit_tile "
	      "WHERE key = 1",
	    1001);
	named("UPDATE audit_tile SET hashes = x'00' WHERE key = 1", 512);
}

static void
spoilt(const char *command)
{
	char cmd[320];

	fx_begin();
	fx_grow(300, 100);
	(void)snprintf(cmd, sizeof cmd, "cd %s/keys && %s", fx_dir, command);
	T_OK(system(cmd) == 0);
	T_ERR(verify(), E_BAD_ANSWER);
	T_OK(strstr(r.v.what, "keeper") != NULL);
	T_OK(!r.key_known);
	fx_end();
}

/* With the root key there, what the keeper signed last is part of the log:
 * without it a cut tail would go unnoticed. */
TEST(L19_the_keepers_files)
{
	spoilt("rm keeper.state");
	spoilt("rm audit.key");
	spoilt(": >keeper.state");
	spoilt("head -c 8192 /dev/zero >audit.key");
	spoilt("chmod 644 keeper.state");
}

/* A whole store of another installation, consistent and signed, but not by
 * this keeper. */
TEST(L19_another_log_in_its_place)
{
	char cmd[320], other[128];

	fx_begin();
	fx_grow(100, 10);
	(void)snprintf(other, sizeof other, "%s", fx_db);
	(void)snprintf(cmd, sizeof cmd, "mv %s/store.db /tmp/t_other.db",
	    fx_db);
	T_OK(system(cmd) == 0);
	fx_end();
	fx_begin();
	fx_grow(100, 10);
	(void)snprintf(cmd, sizeof cmd, "mv /tmp/t_other.db %s/store.db",
	    fx_db);
	T_OK(system(cmd) == 0);
	T_ERR(verify(), E_BAD_ANSWER);
	/* Without the root key the store can only agree with itself. */
	(void)snprintf(cmd, sizeof cmd, "rm -f %s/keys/root.key", fx_dir);
	T_OK(system(cmd) == 0);
	T_GOOD(verify());
	T_OK(!r.key_known);
	fx_end();
}

TEST(no_store)
{
	struct trail t = {{0}};

	T_ERR(role_audit_verify("/nonexistent", &t, &r), E_NOT_FOUND);
}

T_MAIN
