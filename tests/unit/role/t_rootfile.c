/* The root key file: whole at every moment, and by hand where it must be. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "role/rootfile.h"
#include "role/slots.h"
#include "tests/t.h"

enum { SOMEBODY = 65534 };

static char top[64];
static struct datadir dir;
static struct trail t;

static const char *
path(const char *name)
{
	static char p[4][128];
	static unsigned at;

	at = (at + 1) % 4;
	(void)snprintf(p[at], sizeof p[at], "%s/%s", top, name);
	return p[at];
}

static void
put(const char *name, struct str text, mode_t mode)
{
	int fd;

	(void)unlink(path(name));
	fd = open(path(name), O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	BUG_ON(fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n);
	(void)close(fd);
}

/* How many keys the file has; -1: it is none. */
static int
keys(const char *name)
{
	struct root_keys *k = NULL;
	struct trail quiet = {{0}};
	struct buf b;
	int fd = open(path(name), O_RDONLY | O_CLOEXEC), n = -1;

	if (fd < 0)
		return -1;
	T_GOOD(fd_read_all(fd, SECRET_FILE_MAX, &b));
	(void)close(fd);
	if (err_ok(root_parse(buf_view(&b), &quiet, &k))) {
		n = (int)root_count(k);
		(void)root_free(k);
	}
	buf_wipe(&b);
	return n;
}

/* audit.key under the file's first key. */
static void
seed(const struct root_file *f)
{
	static const uint8_t bytes[SECRET_SIZE] = {1};
	struct arena a;
	struct sealed s;
	int fd = open(path("keys/audit.key"),
	    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	arena_init(&a, 65536);
	T_GOOD(root_seal_seed(f->keys, bytes, &a, &s));
	T_GOOD(slots_make(fd, s.bytes));
	arena_done(&a);
	(void)close(fd);
}

static void
begin(void)
{
	struct buf b;

	(void)snprintf(top, sizeof top, "/tmp/t_rootfile.XXXXXX");
	BUG_ON(mkdtemp(top) == NULL);
	BUG_ON(mkdir(path("keys"), 0700) != 0);
	BUG_ON(mkdir(path("away"), 0700) != 0);
	buf_init(&b, 256);
	T_GOOD(root_generate(&b));
	put("keys/root.key", buf_view(&b), 0400);
	buf_done(&b);
	t = (struct trail){{0}};
	T_GOOD(datadir_open(top, &t, &dir));
}

static void
end(void)
{
	char cmd[128];

	datadir_close(&dir);
	(void)snprintf(cmd, sizeof cmd, "rm -rf %s", top);
	BUG_ON(system(cmd) != 0);
}

static mode_t
mode(const char *name)
{
	struct stat st;

	return stat(path(name), &st) == 0 ? st.st_mode & 07777 : 0;
}

TEST(add_then_drop)
{
	char first[ROOT_ID_TEXT + 1], id[ROOT_ID_TEXT + 1];
	struct root_file f;

	begin();
	T_GOOD(root_file_open(&dir, STR(""), &t, &f));
	root_id(f.keys, 0, first);
	T_GOOD(root_file_add(&f, &t));
	T_EQ_INT(root_count(f.keys), 2);
	root_id(f.keys, 1, id);
	T_OK(strcmp(id, first) == 0);
	T_EQ_INT(keys("keys/root.key"), 2);
	T_EQ_INT(mode("keys/root.key"), 0400);
	seed(&f);
	T_GOOD(root_file_drop(&f, &t));
	T_EQ_INT(keys("keys/root.key"), 1);
	root_id(f.keys, 0, id);
	T_OK(strcmp(id, first) != 0);
	T_EQ_INT(mode("keys/root.key"), 0400);
	T_EQ_INT(mode("keys/root.key.part"), 0);
	root_file_close(&f);
	end();
}

/* Either copy of the seed may be the one that is left. */
TEST(drop_wants_both_copies)
{
	struct root_file f;
	struct slot s[2];
	uint64_t counter;
	struct arena a;
	struct sealed sealed;
	static const uint8_t bytes[SECRET_SIZE] = {1};
	int fd;

	begin();
	T_GOOD(root_file_open(&dir, STR(""), &t, &f));
	seed(&f);
	T_GOOD(root_file_add(&f, &t));
	T_ERR(root_file_drop(&f, &t), E_WRONG_KEY);
	fd = open(path("keys/audit.key"), O_RDWR | O_CLOEXEC);
	T_GOOD(slots_read(fd, s));
	counter = s[0].counter;
	arena_init(&a, 65536);
	T_GOOD(root_seal_seed(f.keys, bytes, &a, &sealed));
	T_GOOD(slots_write(fd, &counter, sealed.bytes));
	T_ERR(root_file_drop(&f, &t), E_WRONG_KEY);
	T_EQ_INT(keys("keys/root.key"), 2);
	T_GOOD(slots_write(fd, &counter, sealed.bytes));
	T_GOOD(root_file_drop(&f, &t));
	T_EQ_INT(keys("keys/root.key"), 1);
	arena_done(&a);
	(void)close(fd);
	root_file_close(&f);
	end();
}

TEST(eight_and_no_more)
{
	struct root_file f;

	begin();
	T_GOOD(root_file_open(&dir, STR(""), &t, &f));
	for (int i = 1; i < ROOT_KEYS_MAX; i++)
		T_GOOD(root_file_add(&f, &t));
	T_ERR(root_file_add(&f, &t), E_LIMIT);
	T_EQ_INT(keys("keys/root.key"), ROOT_KEYS_MAX);
	root_file_close(&f);
	end();
}

/* What a crash left of a new file is in nobody's way. */
TEST(a_part_is_left)
{
	struct root_file f;

	begin();
	put("keys/root.key.part", STR("redoubt-root-1 00"), 0400);
	T_GOOD(root_file_open(&dir, STR(""), &t, &f));
	T_GOOD(root_file_add(&f, &t));
	T_EQ_INT(keys("keys/root.key"), 2);
	T_EQ_INT(mode("keys/root.key.part"), 0);
	root_file_close(&f);
	end();
}

TEST(elsewhere_and_through_a_link)
{
	struct root_file f;

	begin();
	BUG_ON(rename(path("keys/root.key"), path("away/r.key")) != 0);
	T_GOOD(root_file_open(&dir, STR("away/r.key"), &t, &f));
	T_GOOD(root_file_add(&f, &t));
	root_file_close(&f);
	T_EQ_INT(keys("away/r.key"), 2);
	BUG_ON(symlink(path("away/r.key"), path("keys/root.key")) != 0);
	T_GOOD(root_file_open(&dir, STR(""), &t, &f));
	T_OK(strstr(f.path, "/away/r.key") != NULL);
	T_GOOD(root_file_add(&f, &t));
	root_file_close(&f);
	T_EQ_INT(keys("away/r.key"), 3);
	T_EQ_INT(keys("keys/root.key"), 3);
	end();
}

TEST(what_is_no_root_key)
{
	struct root_file f;

	begin();
	put("keys/root.key", STR("nonsense"), 0400);
	T_ERR(root_file_open(&dir, STR(""), &t, &f), E_WRONG_KEY);
	T_OK(strstr(t.detail, "nonsense") == NULL);
	(void)unlink(path("keys/root.key"));
	T_ERR(root_file_open(&dir, STR(""), &t, &f), E_NOT_FOUND);
	T_ERR(root_file_open(&dir, STR("./absent"), &t, &f), E_NOT_FOUND);
	put("keys/root.key", STR("nonsense"), 0440);
	T_ERR(root_file_open(&dir, STR(""), &t, &f), E_CONFIG);
	end();
}

/* ---- by hand ---- */

TEST(a_credential)
{
	struct root_keys *next = NULL;
	struct root_file f;
	struct buf b;
	char id[ROOT_ID_TEXT + 1];
	int fd;

	begin();
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	T_GOOD(root_file_open(&dir, STR("root"), &t, &f));
	T_OK(f.keys == NULL && f.path[0] == '\0');
	T_ERR(root_file_add(&f, &t), E_CONFIG);
	T_OK(strstr(t.detail, "by hand") != NULL);
	T_EQ_INT(keys("keys/root.next"), 1);
	T_EQ_INT(mode("keys/root.next"), 0400);
	fd = open(path("keys/root.next"), O_RDONLY | O_CLOEXEC);
	T_GOOD(fd_read_all(fd, 4096, &b));
	(void)close(fd);
	T_GOOD(root_parse(buf_view(&b), &t, &next));
	buf_wipe(&b);
	root_id(next, 0, id);
	(void)root_free(next);
	/* asked again, it says the same and keeps the line */
	T_ERR(root_file_add(&f, &t), E_CONFIG);
	T_ERR(root_file_drop(&f, &t), E_CONFIG);
	root_file_next_done(&f, "0123456789abcdef");
	T_EQ_INT(keys("keys/root.next"), 1);
	root_file_next_done(&f, id);
	T_EQ_INT(mode("keys/root.next"), 0);
	root_file_close(&f);
	end();
}

/* A directory that only others may write in. */
static int
as_somebody(void)
{
	struct trail why = {{0}};
	struct root_file f;

	if (setuid(SOMEBODY) != 0)
		return 1;
	T_GOOD(root_file_open(&dir, STR("away/r.key"), &why, &f));
	T_ERR(root_file_add(&f, &why), E_CONFIG);
	T_OK(strstr(why.detail, "by hand") != NULL);
	T_OK(strstr(why.detail, "away/r.key") != NULL);
	T_EQ_INT(root_count(f.keys), 1);
	root_file_close(&f);
	return t_bad != 0;
}

TEST(a_place_not_ours)
{
	int status = -1;
	pid_t pid;

	if (geteuid() != 0)
		return; /* whoever owns a directory may change its mode */
	begin();
	BUG_ON(rename(path("keys/root.key"), path("away/r.key")) != 0);
	BUG_ON(chown(path("away/r.key"), SOMEBODY, SOMEBODY) != 0 ||
	    chown(path("away"), 0, 0) != 0 || chmod(path("away"), 0755) != 0 ||
	    chown(path("keys"), SOMEBODY, SOMEBODY) != 0 ||
	    chown(top, SOMEBODY, SOMEBODY) != 0);
	pid = fork();
	if (pid == 0)
		_exit(as_somebody());
	T_OK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0);
	T_EQ_INT(keys("away/r.key"), 1);
	T_EQ_INT(keys("keys/root.next"), 1);
	end();
}

T_MAIN
