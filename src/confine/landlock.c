/*
 * Landlock (Documentation/userspace-api/landlock.rst): what files and ports
 * a role can still name.  The numbers are the kernel's interface, written
 * out because Debian 12's headers end at ABI 2; a kernel that knows less is
 * asked for less.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/inner.h"

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_REG = 1 << 8,
	FS_ABI_1 = (1 << 13) - 1,
	FS_REFER = 1 << 13,	/* ABI 2 */
	FS_TRUNCATE = 1 << 14,	/* ABI 3 */
	FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
	NET_BIND = 1,		/* ABI 4 */
	NET_TCP = 3,		/* bind, connect */
	NET_CONNECT = 2,
	SCOPE_ALL = 3, /* ABI 6: abstract sockets, signals */
	SCOPE_ABSTRACT = 1,
	CREATE_RULESET_VERSION = 1,
	RULE_PATH_BENEATH = 1,
	RULE_NET_PORT = 2,
};

struct ruleset {
	uint64_t fs, net, scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

struct port_rule {
	uint64_t allowed, port;
};

/* How much of struct ruleset each ABI knows. */
static size_t
ruleset_size(long abi)
{
	return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

static struct ruleset
ruleset(long abi, const struct confine_plan *p)
{
	struct ruleset r = {.fs = FS_ABI_1};

	if (abi >= 2)
		r.fs |= FS_REFER;
	if (abi >= 3)
		r.fs |= FS_TRUNCATE;
	if (abi >= 5)
		r.fs |= FS_IOCTL_DEV;
	/* What is forked for the network names its ports itself. */
	if (abi >= 4)
		r.net =
		    p->role == CONFINE_IDP && p->egress ? NET_BIND : NET_TCP;
	/* The supervisor signals its children, who are outside its domain. */
	if (abi >= 6)
		r.scoped =
		    p->role == CONFINE_SUPERVISOR ? SCOPE_ABSTRACT : SCOPE_ALL;
	return r;
}

static bool
allow(int ruleset_fd, const char *path, uint64_t what)
{
	struct path_rule rule = {.allowed = what,
	    .fd = open(path, O_PATH | O_CLOEXEC)};
	bool good = rule.fd >= 0 &&
	    syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule,
		0) == 0;

	if (rule.fd >= 0)
		(void)close(rule.fd);
	return good;
}

static bool
ports(int fd, const struct ruleset *r, const struct confine_plan *p)
{
	if (r->net == 0)
		return true;
	for (size_t i = 0; i < p->ports_n; i++) {
		struct port_rule rule = {NET_CONNECT, p->ports[i]};

		if (syscall(SYS_landlock_add_rule, fd, RULE_NET_PORT, &rule,
			0) != 0)
			return false;
	}
	return true;
}

static bool
rules(int fd, const struct ruleset *r, const struct confine_plan *p)
{
	uint64_t db = FS_READ_FILE | FS_WRITE_FILE | FS_READ_DIR |
	    FS_REMOVE_FILE | FS_MAKE_REG | FS_TRUNCATE;

	switch (p->role) {
	case CONFINE_SUPERVISOR: /* certificates may be anywhere */
		return allow(fd, "/", FS_READ_FILE | FS_READ_DIR);
	case CONFINE_SERVER:
		return p->data_dir != NULL &&
		    allow(fd, p->data_dir, db & r->fs);
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
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    CREATE_RULESET_VERSION);
	struct ruleset r;
	bool good;
	int fd;

	ret->landlock = 0;
	if (abi < 1 || confine_relaxed)
		return OK;
	r = ruleset(abi, p);
	fd =
	    (int)syscall(SYS_landlock_create_ruleset, &r, ruleset_size(abi), 0);
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
