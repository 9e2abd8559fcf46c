/*
 * shut.c: what the agent gives up once everything is open and the zygote and
 * the broker run: programs, files but its directory and the system's, TCP to
 * any port but the server's, and listening.  Steps, broker and zygote have
 * stricter rules of their own; this one talks to the server and holds keys.
 *
 * Each thing is tried afterwards and must be refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "confine/landlock_abi.h"
#include "delegate/agent.h"

#ifdef REDOUBT_SANITIZED
enum { RELAXED = 1 }; /* the sanitizers' own needs */
#else
enum { RELAXED = 0 };
#endif

enum { DNS = 53 };

/* ---- files and ports ---- */

static const char *const readable[] = {"/etc", "/usr", "/lib", "/lib64", "/run",
    "/dev"};

static bool
files(const struct agent *g, int fd, uint64_t known)
{
	const uint64_t own = FS_READ_FILE | FS_WRITE_FILE | FS_READ_DIR |
	    FS_REMOVE_FILE | FS_MAKE_REG | FS_TRUNCATE;

	for (size_t i = 0; i < sizeof readable / sizeof *readable; i++)
		if (access(readable[i], F_OK) == 0 &&
		    !landlock_allow(fd, readable[i],
			FS_READ_FILE | FS_READ_DIR))
			return false;
	return landlock_allow(fd, g->path, own & known);
}

static bool
port_of(const struct agent *g, uint64_t *ret)
{
	struct trail ignored = {0};
	struct arena a;
	struct url u;
	bool good;

	arena_init(&a, 65536);
	good = err_ok(url_parse(&a, g->e.url, &ignored, &u)) &&
	    str_u64(str_c(u.port), 1, UINT16_MAX, ret);
	arena_done(&a);
	return good;
}

static bool
landlock(const struct agent *g, long abi)
{
	/* The zygote and its steps are outside: they are told by sockets. */
	struct landlock_ruleset r = {.fs = landlock_files(abi),
	    .net = abi >= 4 ? NET_TCP : 0,
	    .scoped = abi >= 6 ? SCOPE_ABSTRACT : 0};
	int fd = landlock_create(&r, abi);
	uint64_t port;
	bool good = fd >= 0 && files(g, fd, r.fs) && port_of(g, &port);

	if (good && abi >= 4)
		good = landlock_port(fd, NET_CONNECT, port) &&
		    landlock_port(fd, NET_CONNECT, DNS);
	good = good && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	if (fd >= 0)
		(void)close(fd);
	return good;
}

/* ---- system calls ---- */

static const char *const refused[] = {"execve", "execveat", "vfork", "listen",
    "accept", "accept4", "ptrace", "process_vm_readv", "process_vm_writev",
    "process_madvise", "pidfd_getfd", "kcmp", "unshare", "setns", "mount",
    "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen",
    "bpf", "userfaultfd", "perf_event_open", "io_uring_setup", "keyctl",
    "add_key", "request_key", "open_by_handle_at", "init_module",
    "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot",
    "swapon", "swapoff", "iopl", "ioperm", "personality", "acct", "quotactl",
    "settimeofday", "clock_settime", "adjtimex", "setuid", "setgid", "setreuid",
    "setregid", "setresuid", "setresgid", "setgroups", "mknod", "mknodat",
    "symlink", "symlinkat", "link", "linkat"};

static bool
seccomp(void)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
	bool good = c != NULL &&
	    seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH,
		SCMP_ACT_KILL_PROCESS) == 0 &&
	    seccomp_attr_set(c, SCMP_FLTATR_CTL_NNP, 1) == 0;

	for (size_t i = 0; good && i < sizeof refused / sizeof *refused; i++) {
		int nr = seccomp_syscall_resolve_name(refused[i]);

		if (nr != __NR_SCMP_ERROR)
			good = seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), nr,
				   0) == 0;
	}
	good = good && seccomp_load(c) == 0;
	seccomp_release(c);
	return good;
}

/* ---- trying it ---- */

static bool
listens(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = fd >= 0 && listen(fd, 1) == 0;

	if (fd >= 0)
		(void)close(fd);
	return yes;
}

/* Asked so that nothing could run: the filter is seen before the missing
 * path is. */
static bool
runs(void)
{
	return syscall(SYS_execveat, -1, "", NULL, NULL, 0) == 0 ||
	    errno != EPERM;
}

static bool
reads(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

err
agent_shut(struct agent *g, struct trail *t)
{
	long abi = landlock_abi();

	if (RELAXED != 0)
		return OK;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_of(E_DENIED);
	if (abi >= 1 && (!landlock(g, abi) || reads("/"))) {
		trail_set(t, "Landlock: errno %d", errno);
		return err_of(E_DENIED);
	}
	if (!seccomp() || listens() || runs()) {
		trail_set(t, "seccomp: errno %d", errno);
		return err_of(E_DENIED);
	}
	log_event(abi >= 1 ? LOG_CONFINED : LOG_CONFINE_WEAK,
	    KVN("landlock", abi), KVN("seccomp", 1));
	return OK;
}
