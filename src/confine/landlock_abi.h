/*
 * landlock_abi.h: Landlock as the kernel has it
 * (Documentation/userspace-api/landlock.rst).  The numbers are the kernel's
 * interface, written out because Debian 12's headers end at ABI 2; a kernel
 * that knows less is asked for less.
 */
#ifndef CONFINE_LANDLOCK_ABI_H
#define CONFINE_LANDLOCK_ABI_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum landlock_number {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SOCK = 1 << 9,
	FS_MAKE_FIFO = 1 << 10,
	FS_MAKE_SYM = 1 << 12,
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

struct landlock_ruleset {
	uint64_t fs, net, scoped;
};

struct landlock_path {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

struct landlock_port {
	uint64_t allowed, port;
};

/* The kernel's ABI; under 1: none. */
static inline long
landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
	    CREATE_RULESET_VERSION);
}

/* How much of struct landlock_ruleset each ABI knows. */
static inline int
landlock_create(const struct landlock_ruleset *r, long abi)
{
	size_t n = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;

	return (int)syscall(SYS_landlock_create_ruleset, r, n, 0);
}

/* All rights on files that the ABI knows. */
static inline uint64_t
landlock_files(long abi)
{
	return FS_ABI_1 | (abi >= 2 ? FS_REFER : 0U) |
	    (abi >= 3 ? FS_TRUNCATE : 0U) | (abi >= 5 ? FS_IOCTL_DEV : 0U);
}

/* `what` beneath path. */
static inline bool
landlock_allow(int ruleset, const char *path, uint64_t what)
{
	struct landlock_path rule = {.allowed = what,
	    .fd = open(path, O_PATH | O_CLOEXEC)};
	bool good = rule.fd >= 0 &&
	    syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule,
		0) == 0;

	if (rule.fd >= 0)
		(void)close(rule.fd);
	return good;
}

static inline bool
landlock_port(int ruleset, uint64_t what, uint64_t port)
{
	struct landlock_port rule = {what, port};

	return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule,
		   0) == 0;
}

#endif
