/*
 * t_log_ahead.c: the log is longer than what was written to it, and nobody
 * who reads it can tell.
 */
#include "tests/unit/store/fake.h"

enum { AHEAD = 4 * 1024 * 1024 };

static off_t
size_of(const char *name)
{
	struct stat st;

	return stat(fake_file(name), &st) == 0 ? st.st_size : -1;
}

static void
put(struct store *s, uint64_t from, uint64_t n)
{
	struct store_conn *w = store_writer(s);

	for (uint64_t i = from; i < from + n; i++) {
		T_GOOD(store_begin(w));
		T_GOOD(store_audit_append(w, i, STR("a leaf")));
		T_GOOD(store_commit(w));
	}
}

static uint64_t
last(struct store *s)
{
	uint64_t n = 0;

	T_GOOD(store_audit_last(store_writer(s), &n));
	return n;
}

static void
copy(const char *dir, const char *name)
{
	char cmd[300];

	(void)snprintf(cmd, sizeof cmd, "cp %s/%s %s/", fake_root, name, dir);
	T_REQUIRE(system(cmd) == 0);
}

TEST(longer)
{
	struct store *s = fake_open(fake_dir(), STORE_CREATE);
	off_t n;

	T_REQUIRE(s != NULL);
	put(s, 1, 3);
	T_OK(size_of("store.db-wal") < 1024 * 1024);
	store_log_ahead(s);
	n = size_of("store.db-wal");
	T_OK(n >= AHEAD);
	put(s, 4, 20);
	store_log_ahead(s);
	T_EQ_INT(size_of("store.db-wal"), n); /* there is enough */
	T_EQ_INT(last(s), 23);
	/* nothing of an old page stays; then it is made anew */
	T_GOOD(store_checkpoint(s, true));
	T_EQ_INT(size_of("store.db-wal"), 0);
	store_log_ahead(s);
	T_OK(size_of("store.db-wal") >= AHEAD);
	put(s, 24, 3);
	s = store_close(s);
	T_OK(size_of("store.db-wal") <= 0);
	s = fake_open(fake_root, STORE_WRITE);
	T_REQUIRE(s != NULL);
	T_EQ_INT(last(s), 26);
	s = store_close(s);
}

/* As after a crash: the files as they are now, without an end. */
TEST(found_after_a_crash)
{
	struct store *s = fake_open(fake_dir(), STORE_CREATE), *t;
	char dir[] = "/tmp/rd-ahead-XXXXXX";
	struct trail trail = {""};

	T_REQUIRE(s != NULL && mkdtemp(dir) != NULL);
	put(s, 1, 3);
	store_log_ahead(s);
	put(s, 4, 4);
	copy(dir, "store.db");
	copy(dir, "store.db-wal");
	T_GOOD(store_open(dir, STORE_WRITE, &trail, &t));
	T_EQ_INT(last(t), 7);
	put(t, 8, 2);
	T_GOOD(store_check(t, &trail));
	t = store_close(t);
	s = store_close(s);
	T_OK(nftw(dir, fake_unlink, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

/* Only as far as a log may be before it is cut. */
TEST(not_for_ever)
{
	struct store *s = fake_open(fake_dir(), STORE_CREATE);
	static char leaf[60000];
	struct store_conn *w;

	T_REQUIRE(s != NULL);
	memset(leaf, 'x', sizeof leaf);
	w = store_writer(s);
	T_GOOD(store_begin(w));
	for (uint64_t i = 1; i <= 1000; i++)
		T_GOOD(store_audit_append(w, i, str_of(leaf, sizeof leaf)));
	T_GOOD(store_commit(w));
	T_OK(size_of("store.db-wal") > 50 * 1024 * 1024);
	store_log_ahead(s);
	T_OK(size_of("store.db-wal") < 64 * 1024 * 1024);
	T_EQ_INT(last(s), 1000);
	s = store_close(s);
}

T_MAIN
