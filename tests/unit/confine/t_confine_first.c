/* The process that starts the others: what it keeps, and what it lost. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/inner.h"
#include "tests/t.h"

#include "child.h"

enum { TURNED = 30 /* TCP_FASTOPEN_CONNECT */ };

static int listener;
static struct sockaddr_in here;

static void
confined(void)
{
	struct trail t = {{0}};

	if (!err_ok(confine_first(&t))) {
		(void)dprintf(1, "# %s\n", t.detail);
		_exit(99);
	}
}

static void
listening(void)
{
	socklen_t n = sizeof here;

	here = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	listener = socket(AF_INET, SOCK_STREAM, 0);
	MUST(bind(listener, (struct sockaddr *)&here, n) == 0);
	MUST(listen(listener, 1) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&here, &n) == 0);
}

static void
sockets(void)
{
	confined();
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(socket(AF_INET6, SOCK_DGRAM, 0));
	REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
	MUST(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

TEST(makes_sockets_of_this_machine_only)
{
	T_CHILD(sockets);
}

/* What listens can be shut down and connected: here to another listener. */
static void
turned(void)
{
	struct sockaddr_in to;
	int other;

	listening();
	other = listener;
	to = here;
	listening();
	confined();
	MUST(shutdown(listener, SHUT_RDWR) == 0);
	REFUSED(sendto(listener, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to,
	    sizeof to));
	REFUSED(
	    setsockopt(listener, IPPROTO_TCP, TURNED, &(int){1}, sizeof(int)));
	REFUSED(connect(listener, (struct sockaddr *)&to, sizeof to));
	(void)close(other);
}

TEST(does_not_turn_what_listens_round)
{
	T_CHILD(turned);
}

static void
starts(void)
{
	int status;
	pid_t pid;

	confined();
	MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	MUST(confine_relaxed || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0)
		_exit(socket(AF_INET, SOCK_STREAM, 0) < 0 ? 7 : 8);
	MUST(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
	MUST(open("/etc/passwd", O_RDONLY) >= 0);
}

TEST(starts_others_that_have_no_more)
{
	T_CHILD(starts);
}

T_MAIN
