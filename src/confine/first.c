/*
 * first.c: the process that starts the others, again and again.  It must be
 * able to fork and to open files; it has no use for a way out, and what it
 * gives up here none of its children has either.
 */
#include <errno.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine/inner.h"
#include "confine/landlock_abi.h"

enum { TCP_FASTOPEN_CONNECT_ = 30 };

/* Sockets of this machine only; and the listening ones, which came from
 * outside of the namespace, are not turned round. */
static err
filter(struct trail *t)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	uint32_t no = SCMP_ACT_ERRNO(EACCES);
	int rc = f == NULL ? -ENOMEM : 0;

	if (rc == 0)
		rc = seccomp_rule_add(f, no, SCMP_SYS(socket), 1,
		    SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0));
	if (rc == 0)
		rc = seccomp_rule_add(f, no, SCMP_SYS(sendto), 1,
		    SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, MSG_FASTOPEN));
	if (rc == 0)
		rc = seccomp_rule_add(f, no, SCMP_SYS(sendmsg), 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, MSG_FASTOPEN));
	if (rc == 0)
		rc = seccomp_rule_add(f, no, SCMP_SYS(sendmmsg), 1,
		    SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, MSG_FASTOPEN));
	if (rc == 0)
		rc = seccomp_rule_add(f, no, SCMP_SYS(setsockopt), 2,
		    SCMP_A1(SCMP_CMP_EQ, IPPROTO_TCP, 0),
		    SCMP_A2(SCMP_CMP_EQ, TCP_FASTOPEN_CONNECT_, 0));
	if (rc == 0)
		rc = seccomp_rule_add(f, no, SCMP_SYS(io_uring_setup), 0);
	if (rc == 0)
		rc = seccomp_load(f);
	if (f != NULL)
		seccomp_release(f);
	if (rc == 0)
		return OK;
	trail_set(t, "seccomp: %s", strerror(-rc));
	return err_of(E_DENIED);
}

/* A listening socket that was shut down can be connected. */
static err
no_connecting(struct trail *t)
{
	struct landlock_ruleset r = {.net = NET_CONNECT};
	long abi = landlock_abi();
	bool good;
	int fd;

	if (abi < 4)
		return OK;
	fd = landlock_create(&r, abi);
	good = fd >= 0 && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	if (!good)
		trail_set(t, "landlock (ABI %ld): errno %d", abi, errno);
	if (fd >= 0)
		(void)close(fd);
	return err_of(good ? E_OK : E_DENIED);
}

static err
tried(struct trail *t)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 && errno == EACCES)
		return OK;
	if (fd >= 0)
		(void)close(fd);
	trail_set(t, "a socket could be made");
	return err_of(E_DENIED);
}

err
confine_first(struct trail *t)
{
	(void)netns_enter();
	/* The way there may have made us dumpable. */
	TRY(confine_light(t));
	TRY(no_connecting(t));
	TRY(filter(t));
	return tried(t);
}
