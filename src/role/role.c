#include "role/role.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/log.h"
#include "role/child.h"
#include "role/idp.h"

/* A person who types --role has no such sockets. */
static bool
is_pair(int fd)
{
	int type = 0;
	socklen_t n = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
	    type == SOCK_SEQPACKET;
}

static const struct {
	const char *name, *title;
	int (*run)(void);
	bool peer; /* has a pair with another child from the start */
} roles[] = {
    {"server", "redoubt-server", role_server, true},
    {"keeper", "redoubt-keeper", role_keeper, true},
    {"idp", "redoubt-idp", role_idp, false},
};

int
role_main(int argc, char *const *argv)
{
	if (argc != 3 || strcmp(argv[1], "--role") != 0)
		return -1;
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
		if (strcmp(argv[2], roles[i].name) != 0 ||
		    !is_pair(CHILD_SUPERVISOR_FD) ||
		    (roles[i].peer && !is_pair(CHILD_PEER_FD)))
			continue;
		(void)prctl(PR_SET_NAME, roles[i].title, 0, 0, 0);
		log_role(roles[i].name);
		return roles[i].run();
	}
	(void)fprintf(stderr,
	    "redoubt: roles are started by `redoubt serve`\n");
	return 2;
}

void
role_confined(const struct confinement *c, bool network)
{
	const struct kv kv[] = {
	    KVN("own_user", c->own_user),
	    KVN("no_caps", c->no_caps),
	    KVN("netns", c->netns),
	    KVN("landlock", c->landlock),
	    KVN("seccomp", c->seccomp),
	    KVN("no_core", c->no_core),
	};
	bool weak = (!c->netns && !network) || c->landlock == 0 || !c->seccomp;

	log_kv(weak ? LOG_CONFINE_WEAK : LOG_CONFINED, kv,
	    sizeof kv / sizeof *kv);
}
