/* `redoubt init`: whole, private, different each time, or nothing. */
#include "role/role.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/verify.h"
#include "auth/token.h"
#include "base/time.h"
#include "flow/objects.h"
#include "role/datadir.h"
#include "role/keep.h"
#include "tests/t.h"

static char top[64], dir[96];
static struct arena a;
static struct init_result r;

static void
begin(void)
{
	arena_init(&a, (size_t)16 << 20);
	(void)umask(022);
	(void)snprintf(top, sizeof top, "/tmp/t_init.XXXXXX");
	BUG_ON(mkdtemp(top) == NULL);
	(void)snprintf(dir, sizeof dir, "%s/data", top);
}

static void
end(void)
{
	char cmd[128];

	(void)snprintf(cmd, sizeof cmd, "rm -rf %s", top);
	BUG_ON(system(cmd) != 0);
	arena_done(&a);
}

static err
init(struct str org, struct str admin)
{
	struct init_options o = {.data = dir,
	    .org = org,
	    .admin = admin,
	    .now = INT64_C(1790000000000)};
	struct trail t = {{0}};
	err e = role_init(&a, &o, &t, &r);

	if (!err_ok(e))
		T_OK(t.detail[0] != '\0');
	return e;
}

static unsigned
mode(const char *name)
{
	char path[160];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return stat(path, &st) == 0 ? (unsigned)st.st_mode & 07777 : 0;
}

static struct str
content(const char *name)
{
	char path[160];
	struct buf b;
	struct str s;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	BUG_ON(fd < 0 || !err_ok(fd_read_all(fd, 1 << 22, &b)));
	(void)close(fd);
	s = arena_dup(&a, buf_view(&b));
	buf_done(&b);
	return s;
}

static bool
contains(struct str hay, struct str needle)
{
	return memmem(hay.p, hay.n, needle.p, needle.n) != NULL;
}

TEST(modes)
{
	begin();
	T_GOOD(init(STR(""), STR("")));
	T_EQ_INT(mode(""), 0700);
	T_EQ_INT(mode("keys"), 0700);
	T_EQ_INT(mode("tls"), 0700);
	T_EQ_INT(mode("db"), 0700);
	T_EQ_INT(mode("keys/root.key"), 0400);
	T_EQ_INT(mode("keys/audit.key"), 0600);
	T_EQ_INT(mode("keys/keeper.state"), 0600);
	T_EQ_INT(mode("tls/key.pem"), 0600);
	T_EQ_INT(mode("db/store.db") & 077, 0);
	T_EQ_INT(mode("redoubt.conf"), 0600);
	end();
}

TEST(answer)
{
	char kind;
	struct str id, secret;

	begin();
	T_GOOD(init(STR("Example"), STR("ops@example.org")));
	T_OK(token_parse(r.token, &kind, &id, &secret));
	T_EQ_INT(kind, 'b');
	T_EQ_STR(r.project, STR("default"));
	T_EQ_STR(r.url, STR("https://127.0.0.1:8443"));
	T_EQ_INT(r.fingerprint.n, 95);
	T_OK(str_ends(r.ca, STR("/tls/ca.pem")));
	T_EQ_INT(r.expires, INT64_C(1790000000000) + INT64_C(30) * 86400000);
	T_OK(contains(content("tls/ca.pem"), STR("BEGIN CERTIFICATE")));
	end();
}

/* What a person wrote, and the token, are nowhere in the clear (L05). */
TEST(L05_nothing_in_the_clear)
{
	static const char *const files[] = {"db/store.db", "redoubt.conf",
	    "keys/audit.key", "keys/keeper.state"};
	char kind;
	struct str id, secret;

	begin();
	T_GOOD(init(STR("Canary Org 7431"), STR("canary7431@example.org")));
	T_OK(token_parse(r.token, &kind, &id, &secret));
	for (size_t i = 0; i < 4; i++) {
		struct str s = content(files[i]);

		T_OK(!contains(s, STR("7431")));
		T_OK(!contains(s, secret));
		T_OK(!contains(s, id));
	}
	end();
}

static uint8_t seen[2][64][32];

/* Every key of one installation, as the bytes that would be used. */
static size_t
key_material(size_t which)
{
	int root = open(arena_cstr(&a, r.root_key), O_RDONLY | O_CLOEXEC);
	char path[160];
	struct keep k;
	struct trail t = {{0}};
	struct store *s;
	struct project_key_row *rows;
	size_t n;
	int au, st;

	(void)snprintf(path, sizeof path, "%s/keys/audit.key", dir);
	au = open(path, O_RDWR | O_CLOEXEC);
	(void)snprintf(path, sizeof path, "%s/keys/keeper.state", dir);
	st = open(path, O_RDWR | O_CLOEXEC);
	T_GOOD(keep_open(&k, root, au, st, &t));
	T_EQ_INT(k.last.size, 1);
	memcpy(seen[which][0], secret_view(k.seed), 32);
	(void)snprintf(path, sizeof path, "%s/db", dir);
	T_GOOD(store_open(path, STORE_WRITE, &t, &s));
	T_GOOD(store_project_keys(store_writer(s), &a, &rows, &n));
	T_EQ_INT(n, 2);
	for (size_t i = 0; i < n; i++)
		T_GOOD(root_unwrap(k.roots, rows[i].project, rows[i].version,
		    rows[i].wrapped, seen[which][1 + i]));
	(void)store_close(s);
	keep_close(&k);
	(void)close(root);
	(void)close(au);
	(void)close(st);
	return 1 + n;
}

/* Longest run of bytes two files share, up to 16. */
static bool
share16(struct str x, struct str y)
{
	for (size_t i = 0; i + 16 <= x.n; i++)
		if (contains(y, str_of(x.p + i, 16)))
			return true;
	return false;
}

TEST(L06_two_installations_share_no_key_material)
{
	struct str root[2], tls[2], token[2];
	size_t n[2];

	for (size_t i = 0; i < 2; i++) {
		begin();
		T_GOOD(init(STR(""), STR("")));
		n[i] = key_material(i);
		root[i] = str_skip(content("keys/root.key"), 32);
		tls[i] = content("tls/key.pem");
		token[i] = r.token;
		if (i == 0) {
			static char keep[3][4096];
			struct str *s[3] = {&root[0], &tls[0], &token[0]};

			for (size_t j = 0; j < 3; j++) {
				BUG_ON(s[j]->n > sizeof keep[j]);
				memcpy(keep[j], s[j]->p, s[j]->n);
				s[j]->p = keep[j];
			}
			end();
		}
	}
	for (size_t i = 0; i < n[0]; i++)
		for (size_t j = 0; j < n[1]; j++)
			T_OK(memcmp(seen[0][i], seen[1][j], 32) != 0);
	for (size_t i = 0; i < n[0]; i++)
		for (size_t j = 0; j < i; j++)
			T_OK(memcmp(seen[0][i], seen[0][j], 32) != 0);
	T_OK(!share16(root[0], root[1]));
	T_OK(!str_eq(tls[0], tls[1]));
	T_OK(!share16(str_skip(token[0], 4), str_skip(token[1], 4)));
	end();
}

TEST(the_log_begins_with_its_making_and_is_signed)
{
	struct trail t = {{0}};
	struct audit_verdict v = {0};
	struct audit_check *c;
	struct note_key key;
	struct audit_entry entry;
	struct str leaf, note, vkey;
	struct store *s;
	char path[160];
	uint64_t size;

	begin();
	T_GOOD(init(STR(""), STR("")));
	(void)snprintf(path, sizeof path, "%s/db", dir);
	T_GOOD(store_open(path, STORE_WRITE, &t, &s));
	T_GOOD(store_meta_get(store_writer(s), "audit.vkey", &a, &vkey));
	T_GOOD(note_key_parse(vkey, &key));
	T_GOOD(store_audit_get(store_writer(s), 1, &a, &leaf));
	T_GOOD(audit_leaf_read(&a, leaf, &entry));
	T_EQ_INT(entry.action, AUDIT_ORG_CREATE);
	T_GOOD(store_checkpoint_get(store_writer(s), 0, &a, &size, &note));
	T_EQ_INT(size, 1);
	T_GOOD(audit_check_new(&c));
	T_GOOD(audit_check_leaf(c, leaf, &v));
	T_GOOD(audit_check_note(c, size, note, &key, &v));
	T_EQ_INT(v.signed_size, 1);
	(void)audit_check_free(c);
	(void)store_close(s);
	end();
}

TEST(a_directory_in_use_is_refused_and_untouched)
{
	char path[160];
	int fd;

	begin();
	T_OK(mkdir(dir, 0755) == 0);
	T_GOOD(init(STR(""), STR(""))); /* empty: taken */
	T_EQ_INT(mode(""), 0700);
	T_ERR(init(STR(""), STR("")), E_EXISTS);
	T_EQ_INT(mode("keys/root.key"), 0400);
	end();
	begin();
	T_OK(mkdir(dir, 0755) == 0);
	(void)snprintf(path, sizeof path, "%s/other", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	(void)close(fd);
	T_ERR(init(STR(""), STR("")), E_EXISTS);
	T_EQ_INT(mode("other"), 0644);
	T_EQ_INT(mode("keys"), 0);
	T_EQ_INT(mode(""), 0755);
	(void)unlink(path);
	(void)rmdir(dir);
	fd = open(dir, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	(void)close(fd);
	T_ERR(init(STR(""), STR("")), E_EXISTS);
	end();
}

TEST(bad_words)
{
	static const char *const bad[] = {"nobody", "@x", "x@", "a b@c",
	    "a@b@c", "a@b\n"};

	begin();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_ERR(init(STR(""), str_c(bad[i])), E_INVALID);
	T_ERR(init(STR("two\nlines"), STR("")), E_INVALID);
	T_ERR(init(STR("\xff"), STR("")), E_INVALID);
	T_OK(access(dir, F_OK) != 0);
	(void)snprintf(dir, sizeof dir, "%s/no/such", top);
	T_ERR(init(STR(""), STR("")), E_NOT_FOUND);
	end();
}

/* Stop it at each file size: nothing is left of it. */
static int
init_limited(rlim_t bytes)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit l = {bytes, bytes};

		(void)signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &l);
		_exit(err_ok(init(STR(""), STR(""))) ? 0 : 1);
	}
	(void)waitpid(pid, &status, 0);
	return status;
}

TEST(a_failure_leaves_nothing)
{
	int failures = 0;

	begin();
	for (rlim_t n = 0; n < 400000; n += n < 9000 ? 500 : 37000) {
		int status = init_limited(n);

		T_OK(WIFEXITED(status));
		if (WEXITSTATUS(status) == 0)
			break;
		failures++;
		T_OK(access(dir, F_OK) != 0);
	}
	T_OK(failures > 5);
	/* Into a directory that was there: it stays, empty. */
	end();
	begin();
	T_OK(mkdir(dir, 0700) == 0);
	T_OK(init_limited(9000) != 0);
	T_OK(rmdir(dir) == 0);
	end();
}

T_MAIN
