/*
 * device.c: the child that lets foreign code (a PKCS#11 module, a TPM's
 * library) work for a moment.  What such code needs cannot be listed, so
 * here, unlike in the roles, what it must not have is refused.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>

#include "confine/inner.h"
#include "confine/landlock_abi.h"

static const char *const refused[] = {"execve", "execveat", "ptrace",
    "process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd", "bpf",
    "perf_event_open", "userfaultfd", "io_uring_setup", "keyctl", "add_key",
    "request_key", "mount", "umount2", "pivot_root", "chroot", "unshare",
    "setns", "setuid", "setgid", "setreuid", "setregid", "setresuid",
    "setresgid", "setgroups", "capset", "init_module", "finit_module",
    "delete_module", "kexec_load", "reboot", "swapon", "swapoff",
    "settimeofday", "clock_settime", "adjtimex", "open_by_handle_at", "listen",
    "accept", "accept4", "fork", "vfork", "kill", "tkill", "process_madvise",
    "chmod", "fchmodat", "chown", "fchownat", "lchown"};

static err
filter(struct trail *t)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	uint32_t no = SCMP_ACT_ERRNO(EACCES);
	int rc = f == NULL ? -ENOMEM : 0;

	for (size_t i = 0; rc == 0 && i < sizeof refused / sizeof *refused;
	     i++) {
		int nr = seccomp_syscall_resolve_name(refused[i]);

		if (nr >= 0)
			rc = seccomp_rule_add(f, no, nr, 0);
	}
	/* A daemon of this machine may be asked; nobody else can be. */
	if (rc == 0)
		rc = seccomp_rule_add(f, no, SCMP_SYS(socket), 1,
		    SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0));
	/* Threads, but no process. */
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS),
		    SCMP_SYS(clone3), 0);
	if (rc == 0)
		rc = seccomp_rule_add(f, no, SCMP_SYS(clone), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	if (rc == 0)
		rc = seccomp_load(f);
	if (f != NULL)
		seccomp_release(f);
	if (rc == 0)
		return OK;
	trail_set(t, "seccomp: %s", strerror(-rc));
	return err_of(E_DENIED);
}

/* Reads what it likes; writes to devices, to sockets and locks of daemons, and
 * where its settings lie. */
static err
files(const char *const *writable, size_t n, struct trail *t)
{
	static const char *const usual[] = {"/dev", "/run", "/var/lib/softhsm",
	    "/var/lib/opencryptoki"};
	long abi = landlock_abi();
	struct landlock_ruleset r = {.fs = landlock_files(abi)};
	uint64_t all = landlock_files(abi) & ~(uint64_t)FS_EXECUTE;
	bool good;
	int fd;

	if (abi < 1)
		return OK;
	fd = landlock_create(&r, abi);
	good = fd >= 0 && landlock_allow(fd, "/", FS_READ_FILE | FS_READ_DIR);
	for (size_t i = 0; good && i < sizeof usual / sizeof *usual; i++)
		(void)landlock_allow(fd, usual[i], all); /* if it is there */
	for (size_t i = 0; good && i < n; i++)
		(void)landlock_allow(fd, writable[i], all);
	good = good && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	if (!good)
		trail_set(t, "landlock (ABI %ld): errno %d", abi, errno);
	if (fd >= 0)
		(void)close(fd);
	return err_of(good ? E_OK : E_DENIED);
}

err
confine_device(const char *const *writable, size_t n, struct trail *t)
{
	TRY(confine_light(t));
	(void)netns_enter();
	if (confine_relaxed)
		return OK;
	TRY(files(writable, n, t));
	return filter(t);
}
