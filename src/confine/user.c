#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/inner.h"

/* ---- network namespace ---- */

static bool
write_file(const char *path, const char *text)
{
	size_t n = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, n) == (ssize_t)n;

	if (fd >= 0)
		(void)close(fd);
	return good;
}

/* Without root a network namespace needs a user namespace around it; in it
 * we stay who we are. */
static bool
userns_enter(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	/* A change of user has made our /proc entries root's. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	(void)snprintf(map, sizeof map, "%u %u 1", uid, uid);
	if (!write_file("/proc/self/setgroups", "deny") ||
	    !write_file("/proc/self/uid_map", map))
		return true;
	(void)snprintf(map, sizeof map, "%u %u 1", gid, gid);
	(void)write_file("/proc/self/gid_map", map);
	return true;
}

/* Anywhere else 127.0.0.1 can be reached; here not even that. */
static bool
netns_is_empty(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(9),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool unreachable;

	/* EACCES: the filter of confine_first(), who has tried it. */
	if (fd < 0)
		return errno == EAFNOSUPPORT || errno == EACCES;
	unreachable = connect(fd, (struct sockaddr *)&to, sizeof to) != 0 &&
	    errno == ENETUNREACH;
	(void)close(fd);
	return unreachable;
}

bool
netns_enter(void)
{
	return (unshare(CLONE_NEWNET) == 0 ||
		   (geteuid() != 0 && userns_enter())) &&
	    netns_is_empty();
}

/* ---- capabilities ---- */

enum { CAPS_MAX = 63 };

/* What an exec could give back.  Needs CAP_SETPCAP; who lacks that has
 * nothing an exec could give with no_new_privs set. */
static void
bounding_drop(void)
{
	for (unsigned long i = 0; i <= CAPS_MAX; i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	(void)prctl(PR_SET_SECUREBITS,
	    SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
		SECBIT_NO_CAP_AMBIENT_RAISE |
		SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
	    0, 0, 0);
}

/* ---- user ---- */

err
user_drop(const struct confine_plan *p, struct trail *t,
    struct confinement *ret)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (geteuid() != 0 || p->uid == 0)
		return OK;
	bounding_drop(); /* while we may */
	if (setgroups(0, NULL) != 0 || setresgid(p->gid, p->gid, p->gid) != 0 ||
	    setresuid(p->uid, p->uid, p->uid) != 0) {
		trail_set(t, "cannot become uid %u gid %u: errno %d", p->uid,
		    p->gid, errno);
		return err_of(E_DENIED);
	}
	if (getresuid(&r, &e, &s) != 0 || getresgid(&rg, &eg, &sg) != 0 ||
	    r != p->uid || e != p->uid || s != p->uid || rg != p->gid ||
	    eg != p->gid || sg != p->gid || setresuid(0, 0, 0) == 0 ||
	    setresgid(0, 0, 0) == 0 || getgroups(0, NULL) != 0) {
		trail_set(t, "root could be had back after becoming uid %u",
		    p->uid);
		return err_of(E_DENIED);
	}
	ret->own_user = true;
	return OK;
}

struct caps {
	struct __user_cap_data_struct w[2];
};

static bool
caps_get(struct caps *ret)
{
	struct __user_cap_header_struct h = {
	    .version = _LINUX_CAPABILITY_VERSION_3};

	return syscall(SYS_capget, &h, ret->w) == 0;
}

static bool
caps_set(uint64_t keep)
{
	struct __user_cap_header_struct h = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct caps c = {0};

	for (size_t i = 0; i < 2; i++) {
		c.w[i].permitted = (uint32_t)(keep >> 32 * i);
		c.w[i].effective = c.w[i].permitted;
	}
	return syscall(SYS_capset, &h, c.w) == 0;
}

err
caps_drop(const struct confine_plan *p, struct trail *t,
    struct confinement *ret)
{
	uint64_t keep = 0, had;
	struct caps c;

	if (!caps_get(&c)) {
		trail_set(t, "capget: errno %d", errno);
		return err_of(E_DENIED);
	}
	/* Children run as other users, certificates belong to others. */
	if (p->role == CONFINE_SUPERVISOR)
		keep = UINT64_C(1) << CAP_KILL |
		    UINT64_C(1) << CAP_DAC_READ_SEARCH;
	had = (uint64_t)c.w[1].permitted << 32 | c.w[0].permitted;
	keep &= had;
	bounding_drop();
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (!caps_set(keep) || !caps_get(&c) ||
	    c.w[0].permitted != (uint32_t)keep ||
	    c.w[0].effective != (uint32_t)keep || c.w[0].inheritable != 0 ||
	    c.w[1].permitted != 0 || c.w[1].effective != 0 ||
	    c.w[1].inheritable != 0) {
		trail_set(t, "capabilities are left");
		return err_of(E_DENIED);
	}
	ret->no_caps = keep == 0;
	return OK;
}
