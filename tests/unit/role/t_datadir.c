/* The data directory and the files with secrets in it. */
#include "role/datadir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "tests/t.h"

static char dir[64];
static struct datadir d;

static void
file(const char *name, const char *text, mode_t mode)
{
	int fd =
	    openat(d.fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	BUG_ON(fd < 0 || write(fd, text, strlen(text)) < 0 ||
	    fchmod(fd, mode) != 0);
	(void)close(fd);
}

static void
begin(void)
{
	struct trail t = {{0}};

	(void)snprintf(dir, sizeof dir, "/tmp/t_datadir.XXXXXX");
	BUG_ON(mkdtemp(dir) == NULL);
	T_GOOD(datadir_open(dir, &t, &d));
}

static void
end(void)
{
	char cmd[96];

	datadir_close(&d);
	(void)snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	BUG_ON(system(cmd) != 0);
}

static err
secret(const char *name)
{
	struct trail t = {{0}};
	int fd;
	err e = secret_open(&d, name, false, &t, &fd);

	if (err_ok(e))
		(void)close(fd);
	else
		T_OK(strstr(t.detail, name) != NULL);
	return e;
}

TEST(opening)
{
	struct trail t = {{0}};
	struct datadir o;

	begin();
	T_EQ_STR(str_c(d.path), str_c(dir));
	file("f", "x", 0600);
	(void)chmod(dir, 0720);
	T_ERR(datadir_open(dir, &t, &o), E_CONFIG);
	(void)chmod(dir, 0702);
	T_ERR(datadir_open(dir, &t, &o), E_CONFIG);
	(void)chmod(dir, 0755);
	T_GOOD(datadir_open(dir, &t, &o));
	datadir_close(&o);
	T_ERR(datadir_open("/nonexistent/x", &t, &o), E_NOT_FOUND);
	T_ERR(datadir_open("/proc/self/exe", &t, &o), E_NOT_FOUND);
	end();
}

TEST(secrets)
{
	static const mode_t good[] = {0400, 0600, 0200};
	static const mode_t bad[] = {0440, 0404, 0640, 0604, 0420, 0402, 0644,
	    0700, 0500, 0601, 0777};

	begin();
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		file("k", "x", good[i]);
		T_ERR(secret("k"),
		    good[i] == 0200 && geteuid() != 0 ? E_DENIED : E_OK);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		file("k", "x", bad[i]);
		T_ERR(secret("k"), E_CONFIG);
	}
	T_ERR(secret("absent"), E_NOT_FOUND);
	BUG_ON(mkfifoat(d.fd, "fifo", 0600) != 0);
	T_ERR(secret("fifo"), E_CONFIG);
	BUG_ON(mkdirat(d.fd, "sub", 0700) != 0);
	T_ERR(secret("sub"), E_CONFIG);
	T_ERR(secret("/dev/null"), E_CONFIG);
	file("k", "x", 0600);
	if (geteuid() == 0) {
		BUG_ON(fchownat(d.fd, "k", 12345, 12345, 0) != 0);
		T_ERR(secret("k"), E_CONFIG);
	}
	end();
}

TEST(size_at_n_and_n_plus_1)
{
	static char big[SECRET_FILE_MAX + 2];
	struct trail t = {{0}};
	struct buf b;
	int fd;

	begin();
	memset(big, 'k', SECRET_FILE_MAX);
	file("k", big, 0600);
	T_GOOD(secret_open(&d, "k", false, &t, &fd));
	T_GOOD(fd_read_all(fd, SECRET_FILE_MAX, &b));
	T_EQ_INT(b.n, SECRET_FILE_MAX);
	buf_wipe(&b);
	T_ERR(fd_read_all(fd, SECRET_FILE_MAX - 1, &b), E_TOO_LARGE);
	buf_wipe(&b);
	(void)close(fd);
	big[SECRET_FILE_MAX] = 'k';
	file("k", big, 0600);
	T_ERR(secret("k"), E_CONFIG);
	end();
}

TEST(root_key_sources)
{
	struct trail t = {{0}};
	char path[128];
	int fd;

	begin();
	BUG_ON(mkdirat(d.fd, "keys", 0700) != 0);
	file("keys/root.key", "default", 0400);
	file("cred", "credential", 0440);
	T_GOOD(root_key_open(&d, STR(""), &t, &fd));
	(void)close(fd);
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	T_ERR(root_key_open(&d, STR("cred"), &t, &fd), E_CONFIG);
	(void)setenv("CREDENTIALS_DIRECTORY", dir, 1);
	T_GOOD(root_key_open(&d, STR("cred"), &t, &fd));
	(void)close(fd);
	T_ERR(root_key_open(&d, STR(".."), &t, &fd), E_CONFIG);
	T_ERR(root_key_open(&d, STR("absent"), &t, &fd), E_NOT_FOUND);
	file("cred", "credential", 0444);
	T_ERR(root_key_open(&d, STR("cred"), &t, &fd), E_CONFIG);
	/* By path it is an ordinary secret file. */
	file("cred", "credential", 0440);
	(void)snprintf(path, sizeof path, "%s/cred", dir);
	T_ERR(root_key_open(&d, str_c(path), &t, &fd), E_CONFIG);
	file("cred", "credential", 0400);
	T_GOOD(root_key_open(&d, str_c(path), &t, &fd));
	(void)close(fd);
	T_GOOD(root_key_open(&d, STR("./cred"), &t, &fd));
	(void)close(fd);
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	end();
}

TEST(lock)
{
	struct trail t = {{0}};
	int a, b;
	int64_t start;

	begin();
	T_GOOD(datadir_lock(&d, 0, &t, &a));
	T_ERR(datadir_lock(&d, 0, &t, &b), E_LOCKED);
	start = time_mono_us();
	T_ERR(datadir_lock(&d, 100, &t, &b), E_LOCKED);
	T_OK(time_mono_us() - start >= 100000);
	(void)close(a);
	T_GOOD(datadir_lock(&d, 0, &t, &b));
	(void)close(b);
	end();
}

TEST(paths)
{
	struct arena a;

	arena_init(&a, 1 << 16);
	begin();
	T_OK(strcmp(datadir_path(&d, &a, STR("/abs/x")), "/abs/x") == 0);
	T_OK(str_ends(str_c(datadir_path(&d, &a, STR("db"))), STR("/db")));
	T_OK(datadir_path(&d, &a, str_of("a\0b", 3)) == NULL);
	end();
	arena_done(&a);
}

T_MAIN
