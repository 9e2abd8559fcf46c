/*
 * The idp role and what it forks, tried from inside: the one that may
 * connect, and the one that reads a document.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "confine/inner.h"
#include "tests/t.h"

#include "child.h"

static uint16_t port, other;
static int listener, other_listener, fds[2];

static int
listening(uint16_t *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	BUG_ON(bind(fd, (struct sockaddr *)&a, n) != 0 || listen(fd, 8) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) != 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static int
dial(uint16_t to)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons(to),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -1;
	rc = connect(fd, (struct sockaddr *)&a, sizeof a);
	(void)close(fd);
	return rc;
}

static struct confinement
parent(bool egress)
{
	struct confine_plan p = {.role = CONFINE_IDP,
	    .egress = egress,
	    .keep = fds,
	    .keep_n = 2};
	struct confinement c = {0};
	struct trail t = {{0}};
	err e = confine(&p, &t, &c);

	if (!err_ok(e)) {
		(void)dprintf(1, "# %s: %s\n", err_name(e), t.detail);
		_exit(99);
	}
	return c;
}

/* Runs fn in a child of a confined idp role; the wait status. */
static int
forked(enum confine_role role, bool resolver, void (*fn)(void))
{
	struct confinement c = parent(role == CONFINE_EGRESS), mine;
	struct trail t = {{0}};
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct confine_plan p = {.role = role,
		    .egress = role == CONFINE_EGRESS,
		    .resolver = resolver,
		    .ports = &port,
		    .ports_n = 1,
		    .keep = fds,
		    .keep_n = 2};
		err e = confine_child(&p, &c, &t, &mine);

		if (!err_ok(e)) {
			(void)dprintf(1, "# %s: %s\n", err_name(e), t.detail);
			_exit(98);
		}
		fn();
		_exit(0);
	}
	MUST(pid > 0);
	(void)waitpid(pid, &status, 0);
	return status;
}

static void
no_files_no_exec(void)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};

	if (confine_relaxed)
		return;
	REFUSED(open("/etc/passwd", O_RDONLY));
	REFUSED(open("/", O_RDONLY | O_DIRECTORY));
	REFUSED(open("/dev/null", O_WRONLY));
	REFUSED(execve("/bin/true", argv, argv + 1));
	REFUSED(syscall(SYS_memfd_create, "x", 0));
	REFUSED(syscall(SYS_ptrace, 16, 1, 0, 0));
	REFUSED(syscall(SYS_kill, 1, 0));
	REFUSED(unlink("/tmp/x"));
}

static void
no_listening(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};

	REFUSED(bind(-1, (struct sockaddr *)&a, sizeof a));
	REFUSED(listen(-1, 1));
	REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
	REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
	REFUSED(socket(AF_INET, SOCK_RAW, 1));
	REFUSED(socket(AF_INET, SOCK_STREAM, 262));
	REFUSED(socket(40 /* VSOCK */, SOCK_STREAM, 0));
	REFUSED(syscall(SYS_io_uring_setup, 1, NULL));
}

/* ---- the parent ---- */

static void
without_a_way_out(void)
{
	struct confinement c = parent(false);

	MUST(c.netns && c.no_caps);
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(socket(AF_INET6, SOCK_DGRAM, 0));
	REFUSED(connect(-1, NULL, 0));
	no_listening();
	no_files_no_exec();
}

static void
with_a_way_out(void)
{
	struct confinement c = parent(true);

	MUST(!c.netns && c.no_caps);
	MUST(dial(port) == 0);
	no_listening();
	no_files_no_exec();
	REFUSED(socketpair(AF_INET, SOCK_STREAM, 0, fds));
}

TEST(the_idp_role)
{
	listener = listening(&port);
	T_CHILD(without_a_way_out);
	T_CHILD(with_a_way_out);
	(void)close(listener);
}

/* ---- what may connect ---- */

static void *
thread(void *arg)
{
	*(int *)arg = 7;
	return NULL;
}

static void
egress_does(void)
{
	pthread_t t;
	int seen = 0;

	MUST(dial(port) == 0);
	REFUSED(dial(other)); /* Landlock, by port */
	REFUSED(socket(AF_INET, SOCK_DGRAM, 0));
	REFUSED(socket(AF_INET6, SOCK_DGRAM, 0));
	no_listening();
	no_files_no_exec();
	MUST(pthread_create(&t, NULL, thread, &seen) == 0);
	MUST(pthread_join(t, NULL) == 0 && seen == 7);
	if (!confine_relaxed) {
		REFUSED(fork());
		REFUSED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	}
}

static void
egress(void)
{
	int s = forked(CONFINE_EGRESS, false, egress_does);

	MUST(WIFEXITED(s));
	_exit(WEXITSTATUS(s));
}

static void
resolver_does(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	MUST(fd >= 0);
	REFUSED(socket(AF_INET, SOCK_DGRAM, 136 /* UDPLITE */));
	MUST(dial(port) == 0);
}

static void
resolver(void)
{
	int s = forked(CONFINE_EGRESS, true, resolver_does);

	MUST(WIFEXITED(s));
	_exit(WEXITSTATUS(s));
}

TEST(what_may_connect)
{
	listener = listening(&port);
	other_listener = listening(&other);
	if (!confine_relaxed)
		T_CHILD(egress);
	T_CHILD(resolver);
	(void)close(listener);
	(void)close(other_listener);
}

/* ---- what reads a document ---- */

static void
saml_does(void)
{
	struct rlimit cpu;
	char b[64];
	char *p;

	MUST(getrlimit(RLIMIT_CPU, &cpu) == 0 && cpu.rlim_max == CONFINE_CPU_S);

	MUST(write(fds[1], "hello", 5) == 5);
	MUST(read(fds[0], b, sizeof b) == 5);
	no_files_no_exec();
	no_listening();
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(connect(-1, NULL, 0));
	REFUSED(send(fds[1], "x", 1, 0));
	REFUSED(sendmsg(fds[1], NULL, 0));
	if (confine_relaxed)
		return;
	REFUSED(fork());
	/* Some memory, no more, and none of it shared or executable. */
	p = malloc(8 << 20);
	MUST(p != NULL);
	memset(p, 1, 8 << 20);
	p = realloc(p, 24 << 20);
	MUST(p != NULL);
	memset(p, 2, 24 << 20);
	MUST(malloc(CONFINE_DATA) == NULL);
	MUST(mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

static void
saml(void)
{
	int s;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	s = forked(CONFINE_SAML, false, saml_does);
	MUST(WIFEXITED(s));
	_exit(WEXITSTATUS(s));
}

static void
shared_memory(void)
{
	(void)mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void
receives(void)
{
	char b;

	(void)recv(fds[0], &b, 1, MSG_DONTWAIT);
	(void)syscall(SYS_recvmsg, fds[0], NULL, 0);
}

static void
no_wait(void)
{
	(void)syscall(SYS_ppoll, NULL, 0, NULL, NULL);
}

static void
stops_its_clock(void)
{
	(void)syscall(SYS_alarm, 0);
}

static void
works_for_ever(void)
{
	for (volatile unsigned i = 0;; i++)
		;
}

static void
waits_for_ever(void)
{
	char b;

	MUST(read(fds[0], &b, 1) >= 0);
}

static void (*deed)(void);
static int deadly;

static void
killed(void)
{
	int s;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	s = forked(CONFINE_SAML, false, deed);
	/* On a busy machine the clock is faster than the work. */
	MUST(WIFSIGNALED(s) &&
	    (WTERMSIG(s) == deadly ||
		(deadly == SIGKILL && WTERMSIG(s) == SIGALRM)));
}

static void
kills(void (*fn)(void), int signal)
{
	deed = fn;
	deadly = signal;
	T_CHILD(killed);
}

TEST(what_reads_a_document)
{
	T_CHILD(saml);
	if (confine_relaxed)
		return;
	kills(shared_memory, SIGSYS);
	kills(receives, SIGSYS);
	kills(no_wait, SIGSYS);
	kills(stops_its_clock, SIGSYS);
}

TEST(what_reads_a_document_does_not_live_long)
{
	struct timespec a, b;

	kills(waits_for_ever, SIGALRM);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	kills(works_for_ever, SIGKILL);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	T_OK(b.tv_sec - a.tv_sec <= CONFINE_WALL_S + 1);
}

/* ---- they end with the one who started them ---- */

static int up[2];

static void
orphan_does(void)
{
	char b;

	MUST(write(up[1], "c", 1) == 1);
	MUST(read(up[1], &b, 1) >= 0);
}

static void
orphaned(void)
{
	char b;

	if (fork() == 0) {
		memcpy(fds, up, sizeof fds);
		(void)forked(CONFINE_EGRESS, false, orphan_does);
		_exit(0);
	}
	MUST(read(up[0], &b, 1) == 1);
	/* We end, so the idp role does, so its child does. */
}

TEST(children_end_with_the_idp_role)
{
	char b;

	T_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, up) == 0);
	T_CHILD(orphaned);
	(void)close(up[1]);
	T_EQ_INT(read(up[0], &b, 1), 0);
	(void)close(up[0]);
}

/* ---- the proof can fail ---- */

static void
unproved(void)
{
	struct confine_plan p = {.role = CONFINE_SAML};
	struct confinement c = parent(true);
	struct trail t = {{0}};

	c.seccomp = !confine_relaxed;
	MUST(err_is(prove(&p, &c, &t), E_DENIED));
	MUST(strstr(t.detail, "socket") != NULL);
}

TEST(a_missing_refusal_is_found)
{
	T_CHILD(unproved);
}

T_MAIN
