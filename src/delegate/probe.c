#include "delegate/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/landlock_abi.h"
#include "delegate/cell.h"

enum { TEXT = 512, VSOCK = 40, SET_MDWE = 65, NESTED = 1000 };
enum { ONE_OF_POOL = 0x7ffffffe };

/* ---- small things ---- */

/* The first line of a file. */
static bool
line_of(const char *path, char *ret, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, max - 1);

	if (fd >= 0)
		(void)close(fd);
	ret[n > 0 ? n : 0] = 0;
	ret[strcspn(ret, "\n")] = 0;
	return n > 0;
}

/* Into a user namespace of ours, and others with it. */
static bool
enter(int flags)
{
	char uid[64], gid[64];

	(void)snprintf(uid, sizeof uid, "%d %u 1", NESTED, geteuid());
	(void)snprintf(gid, sizeof gid, "%d %u 1", NESTED, getegid());
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 &&
	    unshare(CLONE_NEWUSER | flags) == 0 &&
	    cell_put("/proc/self/setgroups", "deny") &&
	    cell_put("/proc/self/uid_map", uid) &&
	    cell_put("/proc/self/gid_map", gid) &&
	    setresgid(NESTED, NESTED, NESTED) == 0 &&
	    setresuid(NESTED, NESTED, NESTED) == 0;
}

static bool
enter_mounts(int flags)
{
	return enter(CLONE_NEWNS | flags) &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Does `run` succeed in a child of the pid namespace we have made? */
static bool
in_child(bool (*run)(void))
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return false;
	if (pid == 0)
		_exit(run() ? 0 : errno != 0 ? errno : 255);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return false;
	errno = WEXITSTATUS(status);
	return WEXITSTATUS(status) == 0;
}

/* ---- namespaces ---- */

#define NAMESPACE(name, flag)                                                  \
	bool probe_##name##_namespace(char *detail, size_t n)                  \
	{                                                                      \
		(void)detail;                                                  \
		(void)n;                                                       \
		return unshare(CLONE_NEWUSER | (flag)) == 0;                   \
	}
NAMESPACE(user, 0)
NAMESPACE(mount, CLONE_NEWNS)
NAMESPACE(pid, CLONE_NEWPID)
NAMESPACE(net, CLONE_NEWNET)
NAMESPACE(ipc, CLONE_NEWIPC)
NAMESPACE(uts, CLONE_NEWUTS)
NAMESPACE(cgroup, CLONE_NEWCGROUP)

bool
probe_id_maps(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return enter(0) && geteuid() == NESTED;
}

bool
probe_tmpfs(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return enter_mounts(0) &&
	    mount("t", "/usr", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		"size=64k,nr_inodes=8") == 0;
}

bool
probe_bind_mounts(char *detail, size_t n)
{
	struct mount_attr a = {.attr_set = MOUNT_ATTR_RDONLY};
	int fd;

	(void)detail;
	(void)n;
	if (!enter_mounts(0))
		return false;
	fd = open_tree(AT_FDCWD, "/usr", OPEN_TREE_CLONE | AT_RECURSIVE);
	return fd >= 0 &&
	    mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof a) ==
	    0 &&
	    move_mount(fd, "", AT_FDCWD, "/usr", MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

bool
probe_pivot_root(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return enter_mounts(0) && mount("t", "/usr", "tmpfs", 0, NULL) == 0 &&
	    chdir("/usr") == 0 && syscall(SYS_pivot_root, ".", ".") == 0;
}

static bool
mount_proc(void)
{
	return mount("proc", "/proc", "proc", MS_RDONLY,
		   "hidepid=2,subset=pid") == 0;
}

bool
probe_private_proc(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return enter_mounts(CLONE_NEWPID) && in_child(mount_proc);
}

bool
probe_devices(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return access("/dev/null", R_OK | W_OK) == 0 &&
	    access("/dev/zero", R_OK) == 0 && access("/dev/urandom", R_OK) == 0;
}

bool
probe_tools(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return access("/usr/bin/true", X_OK) == 0;
}

/* ---- system calls ---- */

bool
probe_clone3(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	/* Too small: EINVAL where it is known. */
	return syscall(SYS_clone3, NULL, 0) < 0 && errno == EINVAL;
}

bool
probe_pidfd(char *detail, size_t n)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	(void)detail;
	(void)n;
	return fd >= 0 && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0;
}

bool
probe_openat2(char *detail, size_t n)
{
	struct open_how how = {.flags = O_PATH,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
		RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};

	(void)detail;
	(void)n;
	return syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how) >= 0;
}

bool
probe_close_range(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return close_range(1000, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

bool
probe_no_new_privs(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

bool
probe_drop_capabilities(char *detail, size_t n)
{
	struct trail t = {{0}};

	if (!enter(0))
		return false;
	if (err_ok(payload_bound_caps(&t)) && err_ok(payload_no_caps(&t)))
		return true;
	(void)snprintf(detail, n, "%.80s", t.detail);
	return false;
}

static struct filter filter;

bool
probe_seccomp(char *detail, size_t n)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    !err_ok(filter_make(SANDBOX_INTERP, false, &filter)) ||
	    !filter_install(&filter))
		return false;
	(void)snprintf(detail, n, "%d instructions", filter.n);
	return syscall(SYS_unshare, 0) < 0 && errno == EPERM;
}

static bool
forbidden(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    err_ok(filter_make(SANDBOX_INTERP, false, &filter)) &&
	    filter_install(&filter) && syscall(SYS_reboot, 0, 0, 0, 0) == 0;
}

bool
probe_seccomp_kill(char *detail, size_t n)
{
	int status;
	pid_t pid = fork();

	(void)detail;
	(void)n;
	if (pid == 0)
		_exit(forbidden() ? 1 : 2);
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGSYS;
}

/* ---- limits ---- */

static bool
one_too_many(void)
{
	struct rlimit one = {1, 1};
	struct trail t = {{0}};
	pid_t pid;

	if (setrlimit(RLIMIT_NPROC, &one) != 0 || !err_ok(payload_no_caps(&t)))
		return false;
	pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 && errno == EAGAIN;
}

/* It has to count in the namespace, not all that the user runs. */
bool
probe_process_limit(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	/* Root is exempt; its steps have a uid of the pool. */
	if (geteuid() == 0 &&
	    (setresgid(ONE_OF_POOL, ONE_OF_POOL, ONE_OF_POOL) != 0 ||
		setresuid(ONE_OF_POOL, ONE_OF_POOL, ONE_OF_POOL) != 0))
		return false;
	return enter(0) && in_child(one_too_many);
}

static bool
too_large(void)
{
	const size_t most = 64U << 20;
	struct rlimit r = {most, most};

	return setrlimit(RLIMIT_AS, &r) == 0 &&
	    mmap(NULL, 2 * most, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

bool
probe_memory_limit(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return in_child(too_large);
}

bool
probe_memfd(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return memfd_create("probe", MFD_CLOEXEC) >= 0;
}

bool
probe_sandbox(char *detail, size_t n)
{
	const struct zygote_conf c = {0};
	struct trail t = {{0}};
	struct zygote *z;

	if (!err_ok(zygote_start(&c, &t, &z))) {
		(void)snprintf(detail, n, "%.90s", t.detail);
		return false;
	}
	(void)snprintf(detail, n, "limits by %s", zygote_level(z));
	(void)zygote_stop(z);
	return true;
}

/* ---- more layers ---- */

static bool
landlock_at_least(long least, char *detail, size_t n)
{
	long abi = landlock_abi();

	if (abi > 0)
		(void)snprintf(detail, n, "ABI %ld", abi);
	return abi >= least;
}

bool
probe_landlock(char *detail, size_t n)
{
	return landlock_at_least(1, detail, n);
}

bool
probe_landlock_network(char *detail, size_t n)
{
	return landlock_at_least(4, detail, n);
}

bool
probe_landlock_devices(char *detail, size_t n)
{
	return landlock_at_least(5, detail, n);
}

bool
probe_landlock_scopes(char *detail, size_t n)
{
	return landlock_at_least(6, detail, n);
}

bool
probe_cgroup(char *detail, size_t n)
{
	struct cgroups c;
	enum cgroup_level level;

	cgroups_open(&c);
	level = c.level;
	cgroups_close(&c);
	(void)snprintf(detail, n, "%s", cgroup_level_name(level));
	return level != CGROUP_NONE;
}

bool
probe_no_nesting(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return enter(0) &&
	    cell_put("/proc/sys/user/max_user_namespaces", "0") &&
	    unshare(CLONE_NEWUSER) != 0;
}

bool
probe_mdwe(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return prctl(SET_MDWE, 1, 0, 0, 0) == 0;
}

bool
probe_memfd_secret(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return syscall(SYS_memfd_secret, 0) >= 0;
}

bool
probe_locked_memory(char *detail, size_t n)
{
	const size_t size = 1U << 20;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)detail;
	(void)n;
	return p != MAP_FAILED && mlock(p, size) == 0;
}

/* ---- told ---- */

bool
probe_no_swap(char *detail, size_t n)
{
	char text[TEXT] = "";
	int fd = open("/proc/swaps", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	const char *second = strchr(text, '\n');

	(void)detail;
	(void)n;
	return got > 0 && second != NULL && second[1] == 0;
}

bool
probe_root(char *detail, size_t n)
{
	(void)snprintf(detail, n, "uid %u", geteuid());
	return geteuid() == 0;
}

bool
probe_kernel(char *detail, size_t n)
{
	struct utsname u;

	if (uname(&u) != 0)
		return false;
	(void)snprintf(detail, n, "%.40s %.30s", u.release, u.machine);
	return true;
}

bool
probe_lsm(char *detail, size_t n)
{
	return line_of("/sys/kernel/security/lsm", detail, n);
}

bool
probe_userns_sysctl(char *detail, size_t n)
{
	return line_of("/proc/sys/user/max_user_namespaces", detail, n) &&
	    strcmp(detail, "0") != 0;
}

bool
probe_apparmor_userns(char *detail, size_t n)
{
	return !line_of("/proc/sys/kernel/"
			"apparmor_restrict_unprivileged_userns",
		   detail, n) ||
	    strcmp(detail, "0") == 0;
}

bool
probe_io_uring(char *detail, size_t n)
{
	return line_of("/proc/sys/kernel/io_uring_disabled", detail, n) &&
	    strcmp(detail, "0") == 0;
}

bool
probe_vsock(char *detail, size_t n)
{
	(void)detail;
	(void)n;
	return socket(VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0;
}

bool
probe_core_dumps(char *detail, size_t n)
{
	return line_of("/proc/sys/kernel/core_pattern", detail, n);
}

bool
probe_interpreters(char *detail, size_t n)
{
	static const char *const names[] = {"sh", "bash", "python3", "perl",
	    "node", "ruby", "php"};
	char path[64];
	size_t at = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(path, sizeof path, "/usr/bin/%s", names[i]);
		if (access(path, X_OK) == 0 && at < n)
			at += (size_t)snprintf(detail + at, n - at, "%s%s",
			    at == 0 ? "" : " ", names[i]);
	}
	return at > 0;
}
