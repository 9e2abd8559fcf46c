#include "role/role.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/log.h"
#include "role/child.h"

/* A person who types --role has no such sockets. */
static bool
is_pair(int fd)
{
	int type = 0;
	socklen_t n = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
	    type == SOCK_SEQPACKET;
}

int
role_main(int argc, char *const *argv)
{
	bool keeper;

	if (argc != 3 || strcmp(argv[1], "--role") != 0)
		return -1;
	keeper = strcmp(argv[2], "keeper") == 0;
	if ((!keeper && strcmp(argv[2], "server") != 0) ||
	    !is_pair(CHILD_SUPERVISOR_FD) || !is_pair(CHILD_PEER_FD)) {
		(void)fprintf(stderr,
		    "redoubt: roles are started by `redoubt serve`\n");
		return 2;
	}
	(void)prctl(PR_SET_NAME, keeper ? "redoubt-keeper" : "redoubt-server",
	    0, 0, 0);
	log_role(keeper ? "keeper" : "server");
	return keeper ? role_keeper() : role_server();
}

void
role_confined(const struct confinement *c)
{
	const struct kv kv[] = {
	    KVN("own_user", c->own_user),
	    KVN("no_caps", c->no_caps),
	    KVN("netns", c->netns),
	    KVN("landlock", c->landlock),
	    KVN("seccomp", c->seccomp),
	    KVN("no_core", c->no_core),
	};
	bool weak = !c->netns || c->landlock == 0 || !c->seccomp;

	log_kv(weak ? LOG_CONFINE_WEAK : LOG_CONFINED, kv,
	    sizeof kv / sizeof *kv);
}
