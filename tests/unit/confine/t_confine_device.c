/* The child that lets a driver work: what it may, and what it must not. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/inner.h"
#include "tests/t.h"

#include "child.h"

static void
confined(void)
{
	static char own[128];
	const char *writable[] = {own};
	struct trail t = {{0}};

	(void)snprintf(own, sizeof own, "%s/db", dir);
	if (!err_ok(confine_device(writable, 1, &t))) {
		(void)dprintf(1, "# %s\n", t.detail);
		_exit(99);
	}
	if (confine_relaxed) /* sanitizers need what is refused */
		_exit(0);
}

static int
make(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return open(path, O_WRONLY | O_CREAT, 0600);
}

static void
files(void)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/db", dir);
	confined();
	MUST(make("db/store.db") >= 0);
	MUST(make("root.key") < 0 && errno == EACCES);
	MUST(open("/etc/passwd", O_RDONLY) >= 0);
	MUST(open("/etc/redoubt-test", O_WRONLY | O_CREAT, 0600) < 0);
	MUST(chmod(path, 0777) < 0 && errno == EACCES);
}

TEST(writes_where_its_settings_lie)
{
	T_CHILD(files);
}

static void
network(void)
{
	confined();
	MUST(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES);
	MUST(socket(AF_INET6, SOCK_DGRAM, 0) < 0 && errno == EACCES);
	MUST(socket(AF_NETLINK, SOCK_RAW, 0) < 0 && errno == EACCES);
	MUST(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

TEST(talks_to_daemons_of_this_machine_only)
{
	T_CHILD(network);
}

static void *
nothing(void *arg)
{
	return arg;
}

static void
processes(void)
{
	char *argv[] = {NULL};
	pthread_t t;

	confined();
	MUST(execve("/bin/true", argv, argv) < 0 && errno == EACCES);
	MUST(fork() < 0 && errno == EACCES);
	MUST(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 &&
	    errno == EACCES);
	MUST(kill(getppid(), 0) < 0 && errno == EACCES);
	MUST(pthread_create(&t, NULL, nothing, NULL) == 0);
	MUST(pthread_join(t, NULL) == 0);
	MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	MUST(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
}

TEST(starts_no_program_and_touches_no_process)
{
	T_CHILD(processes);
}

T_MAIN
