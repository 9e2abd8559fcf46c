/*
 * child.h: how the supervisor starts a role, and where a role finds what it
 * was given.
 */
#ifndef ROLE_CHILD_H
#define ROLE_CHILD_H

#include <sys/types.h>

#include "ipc/ipc.h"
#include "role/role.h"

enum {
	CHILD_SUPERVISOR_FD = 3,
	CHILD_PEER_FD = 4,
	CHILD_BOOT_MS = 30000, /* for the first message */
};

struct child {
	const char *name; /* "server", "keeper", "idp" */
	pid_t pid;	  /* 0 = not running */
	struct ipc_end end;
	int status; /* of waitpid, once it has ended */
};

/*
 * Start /proc/self/exe as that role: descriptors 3 and 4 are `up` and
 * `peer` (-1: it has none), 0 and 1 are /dev/null, 2 is ours, all others are
 * closed; an empty environment; signals that stop the supervisor are ignored.
 */
err child_start(struct child *c, int up, int peer, struct trail *t) MUST_USE;
/* Exit code to pass on: the child's own, or 1 after a signal. */
int child_exit_code(const struct child *c);

#endif
