/* The delegate's directory: whose it is, what is replaced, what is locked. */
#include "tests/unit/delegate/home.h"

#include <sys/wait.h>

TEST(a_directory_of_others_is_refused)
{
	struct trail t = {0};
	int dir = test_home(), again;

	T_OK(chmod(test_path, 0750) == 0);
	T_ERR(home_open(test_path, false, &t, &again), E_DENIED);
	T_OK(strstr(t.detail, "0700") != NULL);
	T_OK(chmod(test_path, 0700) == 0);
	T_GOOD(home_open(test_path, true, &t, &again));
	close(again);
	T_ERR(home_open("/nowhere/at/all", true, &t, &again), E_NOT_FOUND);
	T_ERR(home_open("/etc/passwd", false, &t, &again), E_IO);
	test_home_done(dir);
}

TEST(a_file_is_replaced_whole)
{
	char store[64];
	struct stat st;
	int dir = test_home();

	test_write(dir, "x", "one");
	T_GOOD(home_write(dir, "x", 0400, STR("two")));
	T_EQ_STR(test_read(dir, "x", store, sizeof store), STR("two"));
	T_OK(fstatat(dir, "x", &st, 0) == 0 && (st.st_mode & 0777) == 0400);
	T_OK(faccessat(dir, "x.new", F_OK, 0) != 0);
	/* what a crash left in the way of the next write */
	test_write(dir, "x.new", "half");
	T_GOOD(home_write(dir, "x", 0400, STR("three")));
	T_EQ_STR(test_read(dir, "x", store, sizeof store), STR("three"));
	T_GOOD(home_remove(dir, "x"));
	T_GOOD(home_remove(dir, "x"));
	test_home_done(dir);
}

TEST(no_link_is_followed)
{
	char store[64];
	struct buf b = {.p = store, .cap = sizeof store, .max = sizeof store};
	int dir = test_home();

	T_OK(symlinkat("/etc/hostname", dir, "x") == 0);
	T_ERR(home_read(dir, "x", &b), E_DENIED);
	T_OK(mkfifoat(dir, "fifo", 0600) == 0);
	T_ERR(home_read(dir, "fifo", &b), E_DENIED);
	T_ERR(home_read(dir, "nothing", &b), E_NOT_FOUND);
	test_write(dir, "y", "too long for the buffer");
	b.max = b.cap = 4;
	T_ERR(home_read(dir, "y", &b), E_TOO_LARGE);
	test_home_done(dir);
}

TEST(keys_are_made_once_and_are_ours_alone)
{
	struct secret *one, *two;
	struct stat st;
	int dir = test_home();

	T_GOOD(home_key(dir, "k", &one));
	T_GOOD(home_key(dir, "k", &two));
	T_EQ_MEM(secret_view(one), secret_view(two), SECRET_SIZE);
	T_OK(fstatat(dir, "k", &st, 0) == 0 && (st.st_mode & 0777) == 0400);
	secret_free(one);
	secret_free(two);
	T_GOOD(home_write(dir, "short", 0400, STR("short")));
	T_ERR(home_key(dir, "short", &one), E_CORRUPT);
	T_ERR(home_key_read(dir, "none", &one), E_NOT_FOUND);
	test_home_done(dir);
}

TEST(one_process_at_a_time)
{
	struct trail t = {0};
	int dir = test_home(), status = -1;
	pid_t child;

	T_GOOD(home_lock(dir, &t));
	child = fork();
	if (child == 0)
		_exit(err_is(home_lock(dir, &t), E_LOCKED) ? 0 : 1);
	T_OK(waitpid(child, &status, 0) == child && status == 0);
	test_home_done(dir);
}

T_MAIN
