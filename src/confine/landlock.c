/*
 * Landlock: what files and ports a role can still name.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/inner.h"
#include "confine/landlock_abi.h"

static struct landlock_ruleset
ruleset(long abi, const struct confine_plan *p)
{
	struct landlock_ruleset r = {.fs = landlock_files(abi)};

	/* What is forked for the network names its ports itself; a broker
	 * learns them with each task. */
	if (abi >= 4)
		r.net = p->role == CONFINE_BROKER ||
			(p->role == CONFINE_IDP && p->egress)
		    ? NET_BIND
		    : NET_TCP;
	/* The supervisor signals its children, who are outside its domain. */
	if (abi >= 6)
		r.scoped =
		    p->role == CONFINE_SUPERVISOR ? SCOPE_ABSTRACT : SCOPE_ALL;
	return r;
}

static bool
ports(int fd, const struct landlock_ruleset *r, const struct confine_plan *p)
{
	if (r->net == 0)
		return true;
	for (size_t i = 0; i < p->ports_n; i++)
		if (!landlock_port(fd, NET_CONNECT, p->ports[i]))
			return false;
	return true;
}

static bool
rules(int fd, const struct landlock_ruleset *r, const struct confine_plan *p)
{
	uint64_t db = FS_READ_FILE | FS_WRITE_FILE | FS_READ_DIR |
	    FS_REMOVE_FILE | FS_MAKE_REG | FS_TRUNCATE;

	switch (p->role) {
	case CONFINE_SUPERVISOR: /* certificates may be anywhere */
		return landlock_allow(fd, "/", FS_READ_FILE | FS_READ_DIR);
	case CONFINE_SERVER:
		return p->data_dir == NULL ||
		    landlock_allow(fd, p->data_dir, db & r->fs);
	case CONFINE_EGRESS:
		return ports(fd, r, p);
	default: /* no file at all */
		return true;
	}
}

err
landlock_enter(const struct confine_plan *p, struct trail *t,
    struct confinement *ret)
{
	long abi = landlock_abi();
	struct landlock_ruleset r;
	bool good;
	int fd;

	ret->landlock = 0;
	if (abi < 1 || confine_relaxed)
		return OK;
	r = ruleset(abi, p);
	fd = landlock_create(&r, abi);
	good = fd >= 0 && rules(fd, &r, p) &&
	    syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	if (!good)
		trail_set(t, "landlock (ABI %ld): errno %d", abi, errno);
	if (fd >= 0)
		(void)close(fd);
	if (!good)
		return err_of(E_DENIED);
	ret->landlock = (int)abi;
	return OK;
}
