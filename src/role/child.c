#include "role/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Both out of the way of the places they will have. */
static bool
place(int up, int peer)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int a = fcntl(up, F_DUPFD_CLOEXEC, 16);
	int b = fcntl(peer < 0 ? null : peer, F_DUPFD_CLOEXEC, 16);

	return null >= 0 && a >= 0 && b >= 0 && dup2(null, 0) == 0 &&
	    dup2(null, 1) == 1 &&
	    dup2(a, CHILD_SUPERVISOR_FD) == CHILD_SUPERVISOR_FD &&
	    dup2(b, CHILD_PEER_FD) == CHILD_PEER_FD;
}

/* What stops the supervisor reaches the whole group or cgroup; children end
 * when the supervisor says so, or ends. */
static void
deaf(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE,
	    SIGQUIT};
	sigset_t none;

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
become(const char *name, int up, int peer)
{
	char title[32], role[16], flag[] = "--role";
	char *const argv[] = {title, flag, role, NULL};
#ifdef REDOUBT_SANITIZED
	char *const *env = environ;
#else
	static char *const env[] = {NULL};
#endif

	(void)snprintf(title, sizeof title, "redoubt: %s", name);
	(void)snprintf(role, sizeof role, "%s", name);
	deaf();
	if (place(up, peer)) {
		(void)close_range(CHILD_PEER_FD + 1, ~0U, 0);
		(void)execve("/proc/self/exe", argv, env);
	}
	(void)dprintf(2, "redoubt: cannot start the %s: %s\n", name,
	    strerrordesc_np(errno));
	_exit(1);
}

err
child_start(struct child *c, int up, int peer, struct trail *t)
{
	pid_t pid = fork();

	if (pid == 0)
		become(c->name, up, peer);
	if (pid < 0) {
		trail_set(t, "cannot start the %s: %s", c->name,
		    strerrordesc_np(errno));
		return err_of(E_UNAVAILABLE);
	}
	c->pid = pid;
	return OK;
}

int
child_exit_code(const struct child *c)
{
	if (WIFEXITED(c->status) && WEXITSTATUS(c->status) >= 1 &&
	    WEXITSTATUS(c->status) <= 8)
		return WEXITSTATUS(c->status);
	return 1;
}
