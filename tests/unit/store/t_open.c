/*
 * t_open.c: opening stores that are missing, taken, foreign, damaged, newer,
 * on full or read-only disks; and what lies in the directory.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>

#include "base/time.h"
#include "store/conn.h"
#include "tests/unit/store/fake.h"

static struct trail t;

static err
try(const char *dir, enum store_mode mode, struct store **ret)
{
	*ret = NULL;
	t = (struct trail){""};
	return store_open(dir, mode, &t, ret);
}

static struct store *
with_row(void)
{
	struct store *s = fake_open(fake_root, STORE_CREATE);

	if (s == NULL)
		return NULL;
	T_GOOD(store_begin(store_writer(s)));
	T_GOOD(store_meta_set(store_writer(s), "a", STR("1")));
	T_GOOD(store_commit(store_writer(s)));
	return s;
}

static bool
row_in(struct store_conn *c)
{
	struct arena a;
	struct str v;
	bool got;

	arena_init(&a, 4096);
	got = err_ok(store_meta_get(c, "a", &a, &v));
	arena_done(&a);
	return got;
}

/* By SQLite itself, as a stranger would. */
static void
stranger(const char *sql)
{
	sqlite3 *db;

	T_REQUIRE(sqlite3_open(fake_file("store.db"), &db) == SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		T_FAIL("%s", sqlite3_errmsg(db));
	(void)sqlite3_close(db);
}

TEST(modes)
{
	struct store *s, *s2;
	char missing[128];

	(void)fake_dir();
	T_ERR(try(fake_root, STORE_WRITE, &s), E_NOT_FOUND);
	T_ERR(try(fake_root, STORE_READ, &s), E_NOT_FOUND);
	T_OK(access(fake_file("lock"), F_OK) != 0); /* nothing is left */
	(void)snprintf(missing, sizeof missing, "%s/a/b", fake_root);
	T_ERR(try(missing, STORE_WRITE, &s), E_NOT_FOUND);
	T_ERR(try(missing, STORE_CREATE, &s), E_NOT_FOUND);
	(void)snprintf(missing, sizeof missing, "%s/new", fake_root);
	T_GOOD(try(missing, STORE_CREATE, &s));
	s = store_close(s);
	T_ERR(try(missing, STORE_CREATE, &s), E_EXISTS);
	T_GOOD(try(missing, STORE_WRITE, &s));
	T_ERR(try(missing, STORE_WRITE, &s2), E_LOCKED);
	T_OK(strstr(t.detail, "held by process") != NULL);
	T_ERR(try(missing, STORE_CREATE, &s2), E_LOCKED);
	s = store_close(s);
	T_OK(s == NULL && store_close(NULL) == NULL);
}

static int
mode_of(const char *name)
{
	struct stat st;

	return stat(fake_file(name), &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

TEST(file_modes)
{
	static const mode_t masks[] = {0, 0077, 0777};

	for (size_t i = 0; i < 3; i++) {
		struct store *s;

		(void)fake_dir();
		(void)umask(masks[i]);
		s = with_row();
		T_REQUIRE(s != NULL);
		T_EQ_INT(mode_of("store.db"), 0600);
		T_EQ_INT(mode_of("store.db-wal"), 0600);
		T_EQ_INT(mode_of("store.db-shm"), 0600);
		T_OK((mode_of("lock") & 0177) == 0);
		s = store_close(s);
	}
	(void)umask(0022);
}

/* What a crashed `init` left does not stand in the way of the next. */
TEST(half_made)
{
	struct store *s;
	FILE *f;

	(void)fake_dir();
	f = fopen(fake_file("store.db.new"), "w");
	T_REQUIRE(f != NULL);
	(void)fputs("half", f);
	(void)fclose(f);
	s = with_row();
	T_REQUIRE(s != NULL);
	T_OK(access(fake_file("store.db.new"), F_OK) != 0);
	s = store_close(s);
}

TEST(held_by_another_process)
{
	struct store *s;
	int p[2], status;
	char c = 0;
	pid_t pid;

	(void)fake_dir();
	s = store_close(with_row());
	T_REQUIRE(pipe(p) == 0);
	pid = fork();
	if (pid == 0) {
		if (err_ok(try(fake_root, STORE_WRITE, &s)) &&
		    write(p[1], "x", 1) == 1)
			(void)pause();
		_exit(1);
	}
	T_REQUIRE(read(p[0], &c, 1) == 1);
	T_ERR(try(fake_root, STORE_WRITE, &s), E_LOCKED);
	T_OK(strstr(t.detail, "held by process") != NULL);
	/* reading goes on beside it */
	T_GOOD(try(fake_root, STORE_READ, &s));
	s = store_close(s);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	T_GOOD(try(fake_root, STORE_WRITE, &s));
	T_OK(row_in(store_writer(s)));
	s = store_close(s);
	(void)close(p[0]);
	(void)close(p[1]);
}

/* Takes SQLite's own write lock when told to, and keeps it. */
static _Noreturn void
be_stranger(int in, int out)
{
	sqlite3 *db;
	char c;

	if (read(in, &c, 1) != 1 ||
	    sqlite3_open(fake_file("store.db"), &db) != SQLITE_OK ||
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
		SQLITE_OK ||
	    write(out, "x", 1) != 1)
		_exit(1);
	for (;;)
		(void)pause();
}

/* A bounded wait, then the error. */
TEST(locked_by_a_stranger)
{
	struct store *s;
	struct store_conn *r;
	int go[2], done[2], status;
	int64_t from, took;
	char c = 0;
	pid_t pid;

	(void)fake_dir();
	T_REQUIRE(pipe(go) == 0 && pipe(done) == 0);
	pid = fork(); /* before this process has the file open */
	if (pid == 0)
		be_stranger(go[0], done[1]);
	s = with_row();
	T_REQUIRE(s != NULL);
	T_REQUIRE(write(go[1], "x", 1) == 1 && read(done[0], &c, 1) == 1);
	from = time_mono_us();
	T_ERR(store_begin(store_writer(s)), E_LOCKED);
	took = time_mono_us() - from;
	T_OK(took > 1000000 && took < 8000000);
	T_GOOD(store_reader(s, &r));
	T_OK(row_in(r));
	r = store_conn_close(r);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	T_GOOD(store_begin(store_writer(s)));
	store_rollback(store_writer(s));
	s = store_close(s);
	for (int i = 0; i < 2; i++)
		(void)(close(go[i]) + close(done[i]));
}

TEST(read_beside_the_writer)
{
	struct store *s, *o;
	struct store_conn *r;

	(void)fake_dir();
	s = with_row();
	T_REQUIRE(s != NULL);
	o = fake_open(fake_root, STORE_READ);
	T_REQUIRE(o != NULL);
	T_OK(store_writer(o) == NULL);
	T_GOOD(store_reader(o, &r));
	T_OK(row_in(r));
	T_GOOD(store_begin(store_writer(s)));
	T_GOOD(store_meta_set(store_writer(s), "b", STR("2")));
	T_GOOD(store_check(o, &t));
	T_GOOD(store_commit(store_writer(s)));
	r = store_conn_close(r);
	o = store_close(o);
	s = store_close(s);
	/* alone, after a clean end */
	o = fake_open(fake_root, STORE_READ);
	T_REQUIRE(o != NULL);
	T_GOOD(store_check(o, &t));
	o = store_close(o);
}

TEST(newer_schema)
{
	struct store *s;
	char sql[64];

	(void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d",
	    SCHEMA_VERSION);
	(void)fake_dir();
	s = store_close(with_row());
	stranger("PRAGMA user_version = 99");
	T_ERR(try(fake_root, STORE_WRITE, &s), E_CORRUPT);
	T_OK(strstr(t.detail, "schema 99") != NULL);
	T_ERR(try(fake_root, STORE_READ, &s), E_CORRUPT);
	stranger(sql);
	T_GOOD(try(fake_root, STORE_WRITE, &s));
	T_OK(row_in(store_writer(s)));
	s = store_close(s);
	stranger("PRAGMA application_id = 7");
	T_ERR(try(fake_root, STORE_WRITE, &s), E_CORRUPT);
	T_OK(strstr(t.detail, "not a store") != NULL);
}

/* Does the first schema make it? */
static bool
is_first(const char *kind, const char *name)
{
	char text[128];

	(void)snprintf(text, sizeof text, " %s %s ", kind, name);
	if (strstr(schemas[0].sql, text) != NULL)
		return true;
	(void)snprintf(text, sizeof text, " %s %s\n", kind, name);
	return strstr(schemas[0].sql, text) != NULL;
}

/* What later schemas made, indexes before the tables they are of. */
static void
drop_newer(void)
{
	static const char ask[] =
	    "SELECT upper(type), name FROM sqlite_schema WHERE sql IS NOT NULL "
	    "AND name NOT LIKE 'sqlite%' ORDER BY type";
	static char drop[8192];
	sqlite3_stmt *st;
	sqlite3 *db;
	size_t n = 0;

	T_REQUIRE(sqlite3_open(fake_file("store.db"), &db) == SQLITE_OK);
	T_REQUIRE(sqlite3_prepare_v2(db, ask, -1, &st, NULL) == SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *kind = (const char *)sqlite3_column_text(st, 0);
		const char *name = (const char *)sqlite3_column_text(st, 1);

		if (!is_first(kind, name))
			n += (size_t)snprintf(drop + n, sizeof drop - n,
			    "DROP %s %s;", kind, name);
		T_REQUIRE(n < sizeof drop);
	}
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	T_OK(n > 0);
	stranger(drop);
}

/* What an older binary left; `pages` more, to be looked at from its edges
 * only.  Readers ask for the server, which brings it up to date. */
static void
older(unsigned pages)
{
	static const uint8_t hash[SEEN_SIZE];
	char sql[256];
	struct store *s;

	(void)fake_dir();
	s = store_close(with_row());
	drop_newer();
	stranger("PRAGMA user_version = 1");
	(void)snprintf(sql, sizeof sql,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < %u) INSERT INTO audit SELECT i, zeroblob(4096) FROM n",
	    pages);
	stranger(sql);
	T_ERR(try(fake_root, STORE_READ, &s), E_CORRUPT);
	T_OK(strstr(t.detail, "start the server once") != NULL);
	T_GOOD(try(fake_root, STORE_WRITE, &s));
	T_REQUIRE(s != NULL);
	T_OK(row_in(store_writer(s)));
	T_GOOD(store_begin(store_writer(s)));
	T_GOOD(store_seen_add(store_writer(s), SEEN_JWT, hash, 1));
	T_GOOD(store_commit(store_writer(s)));
	T_GOOD(store_check(s, &t));
	s = store_close(s);
	T_GOOD(try(fake_root, STORE_READ, &s));
	s = store_close(s);
}

TEST(older_schema)
{
	older(1);
	older(5000);
}

static void
write_file(const char *name, const char *text, size_t n)
{
	FILE *f = fopen(fake_file(name), "w");

	T_REQUIRE(f != NULL);
	T_OK(fwrite(text, 1, n, f) == n);
	(void)fclose(f);
}

TEST(not_a_store)
{
	static char noise[20000];
	struct store *s;

	(void)fake_dir();
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (char)fake_rand(256);
	write_file("store.db", noise, sizeof noise);
	T_ERR(try(fake_root, STORE_WRITE, &s), E_CORRUPT);
	T_OK(t.detail[0] != '\0');
	T_ERR(try(fake_root, STORE_READ, &s), E_CORRUPT);
	write_file("store.db", "", 0);
	T_ERR(try(fake_root, STORE_WRITE, &s), E_CORRUPT);
	write_file("store.db", "SQLite format 3", 16);
	T_ERR(try(fake_root, STORE_WRITE, &s), E_CORRUPT);
	T_OK(unlink(fake_file("store.db")) == 0);
	T_OK(mkdir(fake_file("store.db"), 0700) == 0);
	T_ERR(try(fake_root, STORE_WRITE, &s), E_CORRUPT);
	T_OK(rmdir(fake_file("store.db")) == 0);
	T_OK(symlink("/etc/passwd", fake_file("store.db")) == 0);
	T_ERR(try(fake_root, STORE_WRITE, &s), E_CORRUPT);
	T_OK(unlink(fake_file("store.db")) == 0);
	stranger("CREATE TABLE x (y)"); /* somebody else's database */
	T_ERR(try(fake_root, STORE_WRITE, &s), E_CORRUPT);
}

/* ---- damage ---- */

enum { PAGE = 4096, ROWS = 400 };

static bool
populate(void)
{
	struct store *s = fake_open(fake_root, STORE_CREATE);
	struct store_conn *w;
	static char blob[900];

	if (s == NULL)
		return false;
	w = store_writer(s);
	memset(blob, 'x', sizeof blob);
	T_GOOD(store_begin(w));
	for (uint64_t i = 1; i <= ROWS; i++) {
		struct incident_row r = {.seq = i,
		    .id = {fake_uuid(1, i)},
		    .project = 1,
		    .number = i,
		    .created = (int64_t)i,
		    .sealed = {str_of(blob, sizeof blob)}};

		T_GOOD(store_incident_insert(w, &r));
		T_GOOD(store_audit_append(w, i, str_of(blob, 300)));
	}
	T_GOOD(store_commit(w));
	s = store_close(s);
	return true;
}

static long
file_size(void)
{
	struct stat st;

	return stat(fake_file("store.db"), &st) == 0 ? (long)st.st_size : -1;
}

/* Invert n bytes, and again to undo. */
static void
flip(long at, long n)
{
	int fd = open(fake_file("store.db"), O_RDWR);
	unsigned char b[64];

	T_REQUIRE(fd >= 0 && pread(fd, b, (size_t)n, at) == n);
	for (long i = 0; i < n; i++)
		b[i] = (unsigned char)~b[i];
	T_REQUIRE(pwrite(fd, b, (size_t)n, at) == n);
	(void)close(fd);
}

static bool
found_by_check(void)
{
	struct store *s;
	err e = try(fake_root, STORE_READ, &s);

	if (err_ok(e)) {
		e = store_check(s, &t);
		s = store_close(s);
	}
	if (!err_ok(e) && !err_is(e, E_CORRUPT))
		T_FAIL("%s", err_name(e));
	return err_is(e, E_CORRUPT) && t.detail[0] != '\0';
}

TEST(damaged_pages)
{
	long pages;
	int missed = 0;

	(void)fake_dir();
	T_REQUIRE(populate());
	pages = file_size() / PAGE;
	T_OK(pages > 100);
	T_OK(!found_by_check());
	for (long i = 1; i < pages; i++) {
		flip(i * PAGE, 8); /* the page's header */
		missed += !found_by_check();
		flip(i * PAGE, 8);
	}
	T_EQ_INT(missed, 0);
	flip(100, 8);
	T_OK(found_by_check());
	flip(100, 8);
	T_OK(!found_by_check());
}

/* A start looks at a small store as a whole too. */
TEST(damaged_at_start)
{
	struct store *s;
	long at;

	(void)fake_dir();
	T_REQUIRE(populate());
	at = file_size() / 2 / PAGE * PAGE;
	flip(at, 8);
	T_ERR(try(fake_root, STORE_WRITE, &s), E_CORRUPT);
	T_OK(t.detail[0] != '\0');
	flip(at, 8);
	T_GOOD(try(fake_root, STORE_WRITE, &s));
	s = store_close(s);
}

TEST(truncated)
{
	struct store *s;

	(void)fake_dir();
	T_REQUIRE(populate());
	T_REQUIRE(truncate(fake_file("store.db"),
		      file_size() / 2 / PAGE * PAGE) == 0);
	T_ERR(try(fake_root, STORE_WRITE, &s), E_CORRUPT);
	T_OK(found_by_check());
}

/* A damaged log is as if it ended there: what came before is there. */
TEST(damaged_log)
{
	struct store *s;
	struct stat st;
	int fd, status;
	pid_t pid;

	(void)fake_dir();
	s = store_close(with_row());
	pid = fork();
	if (pid == 0) {
		if (!err_ok(try(fake_root, STORE_WRITE, &s)) ||
		    !err_ok(store_begin(store_writer(s))) ||
		    !err_ok(store_meta_set(store_writer(s), "b", STR("2"))) ||
		    !err_ok(store_commit(store_writer(s))))
			_exit(1);
		_exit(0); /* no clean end */
	}
	(void)waitpid(pid, &status, 0);
	T_OK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	T_REQUIRE(
	    stat(fake_file("store.db-wal"), &st) == 0 && st.st_size > 100);
	fd = open(fake_file("store.db-wal"), O_WRONLY);
	T_OK(pwrite(fd, "damage", 6, st.st_size - 50) == 6);
	(void)close(fd);
	T_GOOD(try(fake_root, STORE_WRITE, &s));
	T_OK(row_in(store_writer(s)));
	T_GOOD(store_check(s, &t));
	s = store_close(s);
}

/* ---- disks ---- */

/* A file system of our own, seen by this process only. */
static bool
mount_at(const char *dir, const char *options)
{
	static bool alone;

	if (!alone &&
	    (unshare(CLONE_NEWNS) != 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)) {
		printf("# skipped: %s\n", strerror(errno));
		return false;
	}
	alone = true;
	if (mount("tmpfs", dir, "tmpfs", 0, options) != 0) {
		printf("# skipped: %s\n", strerror(errno));
		return false;
	}
	return true;
}

TEST(full_disk)
{
	static char blob[3000];
	struct store *s;
	struct store_conn *w;
	uint64_t kept = 0, last;
	err e = OK;

	(void)fake_dir();
	if (!mount_at(fake_root, "size=1m"))
		return;
	memset(blob, 'x', sizeof blob);
	s = with_row();
	T_REQUIRE(s != NULL);
	w = store_writer(s);
	write_file("ballast", blob, sizeof blob);
	T_OK(truncate(fake_file("ballast"), 0) == 0);
	for (uint64_t i = 1; err_ok(e) && i < 2000; i++) {
		T_GOOD(store_begin(w));
		e = store_audit_append(w, i, str_of(blob, sizeof blob));
		if (err_ok(e))
			e = store_commit(w);
		else
			store_rollback(w);
		kept = err_ok(e) ? i : kept;
	}
	T_ERR(e, E_NO_SPACE);
	T_OK(kept > 10);
	T_OK(!store_poisoned(s));
	T_OK(row_in(w));
	T_GOOD(store_audit_last(w, &last));
	T_EQ_INT(last, kept);
	e = store_checkpoint(s, true);
	T_OK(err_ok(e) || err_is(e, E_NO_SPACE));
	T_OK(!store_poisoned(s));
	s = store_close(s);
	/* with room again, everything goes on */
	T_OK(mount("tmpfs", fake_root, "tmpfs", MS_REMOUNT, "size=8m") == 0);
	s = fake_open(fake_root, STORE_WRITE);
	T_REQUIRE(s != NULL);
	w = store_writer(s);
	T_GOOD(store_audit_last(w, &last));
	T_EQ_INT(last, kept);
	T_GOOD(store_begin(w));
	T_GOOD(store_audit_append(w, kept + 1, STR("leaf")));
	T_GOOD(store_commit(w));
	T_GOOD(store_check(s, &t));
	s = store_close(s);
	T_OK(umount(fake_root) == 0);
}

TEST(no_room_to_start)
{
	struct store *s;

	(void)fake_dir();
	if (!mount_at(fake_root, "size=40k"))
		return;
	T_ERR(try(fake_root, STORE_CREATE, &s), E_NO_SPACE);
	T_OK(access(fake_file("store.db"), F_OK) != 0);
	T_OK(access(fake_file("store.db.new"), F_OK) != 0);
	T_OK(umount(fake_root) == 0);
}

TEST(read_only_disk)
{
	struct store *s;
	struct store_conn *r;

	(void)fake_dir();
	if (!mount_at(fake_root, "size=8m"))
		return;
	s = store_close(with_row());
	T_OK(mount("tmpfs", fake_root, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) ==
	    0);
	T_ERR(try(fake_root, STORE_WRITE, &s), E_IO);
	T_OK(t.detail[0] != '\0');
	s = fake_open(fake_root, STORE_READ);
	T_REQUIRE(s != NULL);
	T_GOOD(store_reader(s, &r));
	T_OK(row_in(r));
	T_GOOD(store_check(s, &t));
	r = store_conn_close(r);
	s = store_close(s);
	/* a log there cannot be read without writing: said, not skipped */
	T_OK(mount("tmpfs", fake_root, "tmpfs", MS_REMOUNT, NULL) == 0);
	write_file("store.db-wal", "log", 3);
	T_OK(mount("tmpfs", fake_root, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) ==
	    0);
	T_ERR(try(fake_root, STORE_READ, &s), E_IO);
	T_OK(strstr(t.detail, "log") != NULL);
	T_OK(umount(fake_root) == 0);
}

T_MAIN
