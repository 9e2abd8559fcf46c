/*
 * t_tx.c: transactions: whole or not at all, whatever fails.  The calls by
 * which SQLite reaches the disk come through here and can be made to fail.
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "tests/unit/store/fake.h"

/* ---- failing system calls ---- */

static int fail_sync, fail_write, fail_truncate; /* errno, 0 = work */
static const char *fail_on = "-wal";		 /* end of the file's name */
static int syncs;				 /* seen on that file */

static bool
is_file(int fd)
{
	char link[64], path[256] = "";
	size_t n, m = strlen(fail_on);
	ssize_t k;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	k = readlink(link, path, sizeof path - 1);
	n = k < 0 ? 0 : (size_t)k;
	return n >= m && memcmp(path + n - m, fail_on, m) == 0;
}

int
fdatasync(int fd)
{
	if (is_file(fd)) {
		syncs++;
		if (fail_sync != 0) {
			errno = fail_sync;
			return -1;
		}
	}
	return (int)syscall(SYS_fdatasync, fd);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off_t at)
{
	if (fail_write != 0 && is_file(fd)) {
		errno = fail_write;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

int
ftruncate64(int fd, off_t n)
{
	if (fail_truncate != 0 && is_file(fd)) {
		errno = fail_truncate;
		return -1;
	}
	return (int)syscall(SYS_ftruncate, fd, n);
}

/* ---- helpers ---- */

static struct store *s;
static struct store_conn *w;
static struct arena a;

static bool
begin(void)
{
	arena_init(&a, 64 * 1024 * 1024);
	s = fake_open(fake_dir(), STORE_CREATE);
	if (s != NULL)
		w = store_writer(s);
	return s != NULL;
}

static bool
again(void)
{
	s = store_close(s);
	s = fake_open(fake_root, STORE_WRITE);
	if (s != NULL)
		w = store_writer(s);
	return s != NULL;
}

static void
end(void)
{
	fail_sync = fail_write = fail_truncate = 0;
	s = store_close(s);
	arena_done(&a);
}

static err
put(const char *name)
{
	return store_meta_set(w, name, STR("1"));
}

static bool
has(struct store_conn *c, const char *name)
{
	struct str v;
	err e = store_meta_get(c, name, &a, &v);

	T_OK(err_ok(e) || err_is(e, E_NOT_FOUND));
	return err_ok(e);
}

static void
must_put(const char *name)
{
	T_GOOD(store_begin(w));
	T_GOOD(put(name));
	T_GOOD(store_commit(w));
}

/* ---- plain ---- */

TEST(rollback)
{
	T_REQUIRE(begin());
	T_GOOD(store_begin(w));
	T_GOOD(put("a"));
	store_rollback(w);
	T_OK(!has(w, "a"));
	must_put("b");
	store_rollback(w); /* nothing to roll back: harmless */
	T_OK(has(w, "b"));
	end();
}

TEST(view)
{
	struct store_conn *r;

	T_REQUIRE(begin());
	T_GOOD(store_reader(s, &r));
	T_GOOD(store_view_begin(r));
	T_OK(!has(r, "a"));
	must_put("a");
	T_OK(!has(r, "a")); /* one view until its end */
	store_view_end(r);
	T_OK(has(r, "a"));
	T_GOOD(store_view_begin(r));
	T_OK(has(r, "a"));
	store_view_end(r);
	store_view_end(r);
	r = store_conn_close(r);
	end();
}

TEST(savepoint)
{
	struct stored b;

	T_REQUIRE(begin());
	T_GOOD(store_begin(w));
	T_GOOD(put("a"));
	T_GOOD(store_savepoint(w));
	T_GOOD(put("b"));
	T_GOOD(store_audit_body_put(w, 1, fake_sealed("one")));
	T_GOOD(store_savepoint_keep(w));
	T_GOOD(store_savepoint(w));
	T_GOOD(put("c"));
	T_ERR(store_audit_body_put(w, 1, fake_sealed("two")), E_EXISTS);
	T_ERR(put("d"), E_EXISTS); /* refused until undone */
	T_GOOD(store_savepoint_undo(w));
	T_GOOD(store_savepoint(w));
	T_GOOD(put("e"));
	T_GOOD(store_savepoint_keep(w));
	T_GOOD(store_commit(w));
	T_OK(has(w, "a") && has(w, "b") && has(w, "e"));
	T_OK(!has(w, "c") && !has(w, "d"));
	T_GOOD(store_audit_body_get(w, 1, &a, &b));
	T_EQ_STR(b.bytes, STR("one"));
	end();
}

TEST(reopen)
{
	T_REQUIRE(begin());
	must_put("a");
	T_REQUIRE(again());
	T_OK(has(w, "a"));
	s = store_close(s); /* a closed one is one file */
	T_OK(access(fake_file("store.db-wal"), F_OK) != 0);
	T_OK(access(fake_file("store.db-shm"), F_OK) != 0);
	end();
}

/* ---- failing disks ---- */

TEST(fsync_fails)
{
	struct store_conn *r;
	int code, os;

	T_REQUIRE(begin());
	must_put("a");
	T_GOOD(store_reader(s, &r));
	T_GOOD(store_begin(w));
	T_GOOD(put("b"));
	fail_sync = EIO;
	T_ERR(store_commit(w), E_IO);
	store_fault(w, &code, &os);
	T_EQ_INT(os, EIO);
	fail_sync = 0; /* the kernel tells it once */
	T_OK(store_poisoned(s));
	T_OK(has(r, "a") && !has(r, "b"));
	T_OK(has(w, "a") && !has(w, "b"));
	T_ERR(store_begin(w), E_IO);
	T_ERR(store_checkpoint(s, false), E_IO);
	T_ERR(store_checkpoint(s, true), E_IO);
	r = store_conn_close(r);
	T_REQUIRE(again());
	T_OK(!store_poisoned(s));
	T_OK(has(w, "a") && !has(w, "b"));
	must_put("c");
	T_REQUIRE(again());
	T_OK(has(w, "a") && !has(w, "b") && has(w, "c"));
	end();
}

/* The first write after the log was started anew: its header is at stake. */
TEST(fsync_fails_at_a_new_log)
{
	T_REQUIRE(begin());
	must_put("a");
	T_GOOD(store_checkpoint(s, true));
	T_GOOD(store_begin(w));
	T_GOOD(put("b"));
	fail_sync = EIO;
	T_ERR(store_commit(w), E_IO);
	fail_sync = 0;
	T_REQUIRE(again());
	T_OK(has(w, "a") && !has(w, "b"));
	end();
}

/* Not even cutting off works: then it may be there, but surely durable. */
TEST(fsync_and_truncate_fail)
{
	T_REQUIRE(begin());
	must_put("a");
	T_GOOD(store_begin(w));
	T_GOOD(put("b"));
	fail_sync = fail_truncate = EIO;
	T_ERR(store_commit(w), E_IO);
	fail_sync = fail_truncate = 0;
	syncs = 0;
	T_REQUIRE(again());
	T_OK(syncs > 0); /* the log was written again and synced */
	T_OK(has(w, "a"));
	end();
}

TEST(checkpoint_fsync_fails)
{
	T_REQUIRE(begin());
	must_put("a");
	fail_on = "store.db";
	fail_sync = EIO;
	T_ERR(store_checkpoint(s, false), E_IO);
	fail_sync = 0;
	fail_on = "-wal";
	T_OK(store_poisoned(s));
	T_ERR(store_begin(w), E_IO);
	T_REQUIRE(again());
	T_OK(has(w, "a"));
	must_put("b");
	end();
}

TEST(no_space_at_commit)
{
	T_REQUIRE(begin());
	must_put("a");
	T_GOOD(store_begin(w));
	T_GOOD(put("b"));
	fail_write = ENOSPC;
	T_ERR(store_commit(w), E_NO_SPACE);
	T_OK(!store_poisoned(s));
	T_OK(!has(w, "b"));
	fail_write = 0;
	must_put("c");
	T_REQUIRE(again());
	T_OK(has(w, "a") && !has(w, "b") && has(w, "c"));
	end();
}

TEST(write_fails)
{
	T_REQUIRE(begin());
	must_put("a");
	T_GOOD(store_begin(w));
	T_GOOD(put("b"));
	fail_write = EIO;
	T_ERR(store_commit(w), E_IO);
	T_OK(store_poisoned(s));
	fail_write = 0;
	T_REQUIRE(again());
	T_OK(has(w, "a") && !has(w, "b"));
	end();
}

/* More than the cache holds goes to the log before the commit. */
static err
fill(unsigned n, const char *prefix)
{
	static char big[100000];

	for (unsigned i = 0; i < n; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "%s%u", prefix, i);
		memset(big, (int)('a' + i % 26), sizeof big);
		TRY(store_meta_set(w, name, str_of(big, sizeof big)));
	}
	return OK;
}

TEST(bigger_than_the_cache)
{
	struct trail t = {""};

	T_REQUIRE(begin());
	T_GOOD(store_begin(w));
	T_GOOD(fill(300, "x"));
	store_rollback(w);
	T_OK(!has(w, "x0") && !has(w, "x299"));
	T_GOOD(store_begin(w));
	T_GOOD(fill(300, "y"));
	T_GOOD(store_commit(w));
	T_GOOD(store_begin(w));
	T_GOOD(fill(300, "z"));
	fail_sync = EIO;
	T_ERR(store_commit(w), E_IO);
	fail_sync = 0;
	T_REQUIRE(again());
	T_OK(has(w, "y0") && has(w, "y299"));
	T_OK(!has(w, "x0") && !has(w, "z0") && !has(w, "z299"));
	T_GOOD(store_check(s, &t));
	end();
}

/* The engine gives the whole transaction up: what follows must not be
 * committed piece by piece. */
TEST(no_space_within)
{
	T_REQUIRE(begin());
	T_GOOD(store_begin(w));
	fail_write = ENOSPC;
	T_ERR(fill(600, "x"), E_NO_SPACE);
	fail_write = 0;
	T_ERR(put("a"), E_NO_SPACE);
	T_ERR(store_commit(w), E_NO_SPACE);
	T_OK(!has(w, "a") && !has(w, "x0"));
	must_put("b");
	T_REQUIRE(again());
	T_OK(!has(w, "a") && !has(w, "x0") && has(w, "b"));
	end();
}

/* The log was started anew since its last failure: cut off at its start. */
TEST(fsync_fails_after_no_space)
{
	T_REQUIRE(begin());
	must_put("a");
	T_GOOD(store_begin(w));
	T_GOOD(put("b"));
	fail_write = ENOSPC;
	T_ERR(store_commit(w), E_NO_SPACE);
	fail_write = 0;
	T_GOOD(store_checkpoint(s, true));
	T_GOOD(store_begin(w));
	T_GOOD(put("c"));
	fail_sync = EIO;
	T_ERR(store_commit(w), E_IO);
	fail_sync = 0;
	T_REQUIRE(again());
	T_OK(has(w, "a") && !has(w, "b") && !has(w, "c"));
	end();
}

/* What was rolled back is not written later. */
TEST(forgotten)
{
	struct stat st;

	T_REQUIRE(begin());
	T_GOOD(store_begin(w));
	T_GOOD(fill(300, "x"));
	store_rollback(w);
	T_GOOD(store_checkpoint(s, true));
	must_put("a");
	T_REQUIRE(stat(fake_file("store.db-wal"), &st) == 0);
	T_OK(st.st_size > 0 && st.st_size < 100000);
	end();
}

/* No room for the log's index: an I/O error to SQLite, a full disk to us. */
TEST(no_space_for_the_index)
{
	T_REQUIRE(begin());
	fail_on = "-shm";
	fail_write = ENOSPC;
	T_GOOD(store_begin(w));
	(void)fill(600, "x");
	T_ERR(store_commit(w), E_NO_SPACE);
	fail_write = 0;
	fail_on = "-wal";
	T_OK(!has(w, "x0"));
	end();
}

/* ---- kill -9 ---- */

/* Two rows each; tells the number after the commit. */
static _Noreturn void
commit_until_killed(int out)
{
	struct store *c;

	if (!err_ok(store_open(fake_root, STORE_WRITE, NULL, &c)))
		_exit(1);
	w = store_writer(c);
	for (uint64_t i = 1;; i++) {
		struct str leaf = STR("leaf");
		uint64_t last;

		if (!err_ok(store_begin(w)) ||
		    !err_ok(store_audit_last(w, &last)) ||
		    !err_ok(store_audit_append(w, last + 1, leaf)) ||
		    !err_ok(store_audit_append(w, last + 2, leaf)) ||
		    (i % 7 == 0 && !err_ok(fill(40, "big"))) ||
		    !err_ok(store_commit(w)) ||
		    (i % 10 == 0 && !err_ok(store_checkpoint(c, false))))
			_exit(2);
		last += 2;
		if (write(out, &last, sizeof last) != sizeof last)
			_exit(3);
	}
}

TEST(killed)
{
	uint64_t told = 0, last;

	T_REQUIRE(begin());
	s = store_close(s);
	for (int i = 0; i < 25; i++) {
		struct trail t = {""};
		int p[2], status;
		uint64_t v;
		pid_t pid;

		T_REQUIRE(pipe(p) == 0);
		pid = fork();
		if (pid == 0)
			commit_until_killed(p[1]);
		(void)close(p[1]);
		/* after the first commit, a random moment */
		T_REQUIRE(read(p[0], &v, sizeof v) == sizeof v);
		told = v;
		(void)usleep(fake_rand(20000));
		(void)kill(pid, SIGKILL);
		while (read(p[0], &v, sizeof v) == sizeof v)
			told = v;
		(void)close(p[0]);
		(void)waitpid(pid, &status, 0);
		T_OK(WIFSIGNALED(status));
		s = fake_open(fake_root, STORE_WRITE);
		T_REQUIRE(s != NULL);
		T_GOOD(store_audit_last(store_writer(s), &last));
		T_OK(last >= told && last <= told + 2);
		T_EQ_INT(last % 2, 0);
		if (i % 8 == 0)
			T_GOOD(store_check(s, &t));
		s = store_close(s);
	}
	arena_done(&a);
}

/* ---- the log ---- */

TEST(checkpoint)
{
	struct stat st;
	struct store_conn *r;

	T_REQUIRE(begin());
	T_GOOD(store_begin(w));
	T_GOOD(fill(20, "x"));
	T_GOOD(store_commit(w));
	T_OK(store_wal_pages(s) > 400);
	T_GOOD(store_checkpoint(s, false));
	T_EQ_INT(store_wal_pages(s), 0);
	must_put("a");
	T_OK(store_wal_pages(s) > 0 && store_wal_pages(s) < 20);
	T_GOOD(store_checkpoint(s, true));
	T_REQUIRE(stat(fake_file("store.db-wal"), &st) == 0);
	T_EQ_INT(st.st_size, 0);
	T_EQ_INT(store_wal_pages(s), 0);
	/* a reader's view holds it back */
	T_GOOD(store_reader(s, &r));
	T_GOOD(store_view_begin(r));
	T_OK(has(r, "a"));
	must_put("b");
	T_ERR(store_checkpoint(s, true), E_LOCKED);
	T_GOOD(store_checkpoint(s, false));
	store_view_end(r);
	T_GOOD(store_checkpoint(s, true));
	r = store_conn_close(r);
	end();
}

/* Deleted bytes are gone from all files: a destroyed key stays destroyed. */
static bool
in_file(const char *name, const char *needle)
{
	static char b[1 << 22];
	FILE *f = fopen(fake_file(name), "r");
	size_t n;

	if (f == NULL)
		return false;
	n = fread(b, 1, sizeof b, f);
	(void)fclose(f);
	return memmem(b, n, needle, strlen(needle)) != NULL;
}

TEST(destroyed_is_gone)
{
	static const char key[] = "WRAPPED-KEY-0123456789abcdef";
	struct data_key_row k = {.id = 1,
	    .class = 1,
	    .wrapped = fake_sealed(key)};

	T_REQUIRE(begin());
	T_GOOD(store_begin(w));
	T_GOOD(store_data_key_put(w, &k));
	T_GOOD(store_commit(w));
	T_GOOD(store_checkpoint(s, false));
	T_OK(in_file("store.db", key));
	T_GOOD(store_begin(w));
	T_GOOD(store_data_key_delete(w, 1));
	T_GOOD(store_commit(w));
	T_GOOD(store_checkpoint(s, true));
	T_OK(!in_file("store.db", key));
	T_OK(!in_file("store.db-wal", key));
	end();
}

T_MAIN
