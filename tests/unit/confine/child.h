/* child.h: one confined child a test: see t_confine.c. */
#ifndef TESTS_CHILD_H
#define TESTS_CHILD_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/t.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			_exit(__LINE__ % 199 + 50);                            \
	} while (0)
#define REFUSED(x)                                                             \
	do {                                                                   \
		errno = 0;                                                     \
		MUST((x) < 0 && errno == EACCES);                              \
	} while (0)

static char dir[64]; /* dir/db is the server's, dir/keys is not */

static void
make_dir(void)
{
	char path[96];
	int fd;

	(void)snprintf(dir, sizeof dir, "/tmp/t_confine.XXXXXX");
	BUG_ON(mkdtemp(dir) == NULL);
	(void)chmod(dir, 0755);
	(void)snprintf(path, sizeof path, "%s/db", dir);
	BUG_ON(mkdir(path, 0777) != 0);
	(void)chmod(path, 0777);
	(void)snprintf(path, sizeof path, "%s/db/way-out", dir);
	BUG_ON(symlink("../root.key", path) != 0);
	(void)snprintf(path, sizeof path, "%s/root.key", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	BUG_ON(fd < 0 || write(fd, "k", 1) != 1);
	(void)close(fd);
}

static void
remove_dir(void)
{
	static const char *const names[] = {"db/way-out", "db/store.db", "db",
	    "root.key", ""};
	char path[96];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		(void)remove(path);
	}
}

/* The wait status of a child that runs fn. */
static int
in_child(void (*fn)(void))
{
	int status = -1;
	pid_t pid;

	make_dir();
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fn();
		_exit(0);
	}
	(void)waitpid(pid, &status, 0);
	remove_dir();
	return status;
}

#define T_CHILD(fn)                                                            \
	do {                                                                   \
		int t_s = in_child(fn);                                        \
		if (t_s != 0)                                                  \
			T_FAIL("%s: exit %d signal %d", #fn, WEXITSTATUS(t_s), \
			    WTERMSIG(t_s));                                    \
	} while (0)

#endif
