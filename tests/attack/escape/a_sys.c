/* Processes, namespaces, mounts, system calls, privileges. */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/swap.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "escape.h"

/* ---- other processes ---- */

static long
seize(int pid)
{
	long n = ptrace(PTRACE_SEIZE, pid, NULL, NULL);

	if (n == 0)
		(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return n;
}

long
pt_host(const struct victim *v)
{
	return seize(v->pid);
}

long
pt_parent(const struct victim *v)
{
	(void)v;
	return seize(getppid());
}

static long
trace_me(void *arg)
{
	(void)arg;
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

long
pt_me(const struct victim *v)
{
	(void)v;
	return in_child(trace_me, NULL);
}

long
pt_vm_readv(const struct victim *v)
{
	char b[64] = {0};
	struct iovec here = {b, sizeof b};
	struct iovec there = {(void *)(uintptr_t)v->addr, sizeof b};

	if (process_vm_readv(v->pid, &here, 1, &there, 1, 0) < 0)
		return -1;
	return write(1, b, sizeof b);
}

long
k_vm_writev(const struct victim *v)
{
	char b[8] = "changed";
	struct iovec here = {b, sizeof b};
	struct iovec there = {(void *)(uintptr_t)v->addr, sizeof b};

	return process_vm_writev(v->pid, &here, 1, &there, 1, 0);
}

long
pt_pidfd_getfd(const struct victim *v)
{
	int fd = (int)syscall(SYS_pidfd_open, v->pid, 0);

	return fd < 0 ? -1 : syscall(SYS_pidfd_getfd, fd, 0, 0);
}

long
k_pidfd_signal(const struct victim *v)
{
	int fd = (int)syscall(SYS_pidfd_open, v->pid, 0);

	return fd < 0 ? -1
		      : syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
}

/* ---- namespaces ---- */

static long
unshare_it(void *flags)
{
	return unshare((int)(intptr_t)flags);
}

long
ns_user(const struct victim *v)
{
	(void)v;
	return in_child(unshare_it, (void *)(intptr_t)CLONE_NEWUSER);
}

long
ns_mnt(const struct victim *v)
{
	(void)v;
	return in_child(unshare_it, (void *)(intptr_t)CLONE_NEWNS);
}

long
ns_net(const struct victim *v)
{
	(void)v;
	return in_child(unshare_it, (void *)(intptr_t)CLONE_NEWNET);
}

static long
reap(long pid)
{
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, 0);
	return pid;
}

long
ns_clone3(const struct victim *v)
{
	uint64_t args[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};

	(void)v;
	return reap(syscall(SYS_clone3, args, sizeof args));
}

long
ns_clone(const struct victim *v)
{
	(void)v;
	return reap(
	    syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0));
}

long
ns_setns(const struct victim *v)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/ns/mnt", v->parent);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		fd = open("/proc/self/ns/mnt", O_RDONLY);
	return fd < 0 ? -1 : setns(fd, 0);
}

/* ---- mounts ---- */

long
mnt_tmpfs(const struct victim *v)
{
	(void)v;
	return mount("x", ".", "tmpfs", 0, NULL);
}

long
mnt_private(const struct victim *v)
{
	(void)v;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

long
mnt_remount(const struct victim *v)
{
	(void)v;
	return mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL);
}

long
ex_remount(const struct victim *v)
{
	(void)v;
	return mount(NULL, "/job", NULL, MS_REMOUNT | MS_BIND, NULL);
}

long
mnt_umount(const struct victim *v)
{
	(void)v;
	return umount2("/proc", MNT_DETACH);
}

long
mnt_fsopen(const struct victim *v)
{
	(void)v;
	return fsopen("tmpfs", 0);
}

long
mnt_open_tree(const struct victim *v)
{
	(void)v;
	return open_tree(AT_FDCWD, "/usr", OPEN_TREE_CLONE);
}

long
k_move_mount(const struct victim *v)
{
	(void)v;
	return move_mount(AT_FDCWD, "/usr", AT_FDCWD, "/job", 0);
}

long
k_mount_setattr(const struct victim *v)
{
	struct mount_attr a = {.attr_clr = MOUNT_ATTR_RDONLY};

	(void)v;
	return mount_setattr(AT_FDCWD, "/usr", 0, &a, sizeof a);
}

long
mnt_chroot(const struct victim *v)
{
	(void)v;
	return chroot(".");
}

long
mnt_pivot(const struct victim *v)
{
	(void)v;
	return syscall(SYS_pivot_root, ".", ".");
}

/* ---- signals, terminals ---- */

long
sig_host(const struct victim *v)
{
	return kill(v->pid, SIGKILL);
}

/* All that are left to be signalled are its own. */
long
sig_all(const struct victim *v)
{
	pid_t pid = fork();
	long n;

	(void)v;
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	(void)signal(SIGTERM, SIG_IGN);
	n = kill(-1, SIGTERM);
	(void)waitpid(pid, NULL, 0);
	return n;
}

long
sig_queue(const struct victim *v)
{
	siginfo_t i = {.si_signo = SIGKILL, .si_code = SI_QUEUE};

	return syscall(SYS_rt_sigqueueinfo, v->pid, SIGKILL, &i);
}

long
sig_setown(const struct victim *v)
{
	int p[2];

	return pipe(p) != 0 ? -1 : fcntl(p[0], F_SETOWN, v->pid);
}

static long
ioctl_of(unsigned long what, int fd)
{
	char c = 'x';

	return syscall(SYS_ioctl, fd, what, &c);
}

/* On a terminal of our own where there can be one. */
static int
terminal(void)
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY);

	return fd >= 0 ? fd : 0;
}

long
tty_sti(const struct victim *v)
{
	(void)v;
	return ioctl_of(0x5412, terminal());
}

long
tty_sti_high(const struct victim *v)
{
	(void)v;
	return ioctl_of(0x5412UL | 1UL << 32, terminal());
}

long
tty_linux(const struct victim *v)
{
	(void)v;
	return ioctl_of(0x541c, terminal());
}

/* ---- system calls ---- */

long
sc_io_uring(const struct victim *v)
{
	char params[120] = {0};

	(void)v;
	return syscall(SYS_io_uring_setup, 4, params);
}

long
sc_keyctl(const struct victim *v)
{
	(void)v;
	return syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -2, 1);
}

long
sc_add_key(const struct victim *v)
{
	(void)v;
	return syscall(SYS_add_key, "user", "x", "y", 1, -2);
}

long
k_request_key(const struct victim *v)
{
	(void)v;
	return syscall(SYS_request_key, "user", "nothing", NULL, -2);
}

/* A map; where that is for privileged users, the kernel says EPERM too. */
long
sc_bpf(const struct victim *v)
{
	uint32_t attr[32] = {2 /* ARRAY */, 4, 4, 1};

	(void)v;
	return syscall(SYS_bpf, 0, attr, sizeof attr);
}

long
sc_uffd(const struct victim *v)
{
	(void)v;
	return syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* USER_MODE_ONLY */);
}

long
sc_perf(const struct victim *v)
{
	uint32_t attr[32] = {1 /* SOFTWARE */, sizeof attr};

	(void)v;
	return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0);
}

long
sc_kexec(const struct victim *v)
{
	(void)v;
	return syscall(SYS_kexec_load, 0, 0, NULL, 0);
}

long
sc_module(const struct victim *v)
{
	(void)v;
	return syscall(SYS_init_module, "", 0, "");
}

long
sc_iopl(const struct victim *v)
{
	(void)v;
#ifdef SYS_iopl
	return syscall(SYS_iopl, 3);
#else
	return refused(ENOSYS);
#endif
}

long
sc_hostname(const struct victim *v)
{
	(void)v;
	return sethostname("pwned", 5);
}

long
sc_syslog(const struct victim *v)
{
	(void)v;
	return syscall(SYS_syslog, 10 /* SIZE_BUFFER */, NULL, 0);
}

long
sc_clock(const struct victim *v)
{
	struct timespec t;

	(void)v;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return clock_settime(CLOCK_REALTIME, &t);
}

long
time_adj(const struct victim *v)
{
	struct timex t = {.modes = ADJ_OFFSET};

	(void)v;
	return adjtimex(&t);
}

long
sc_swapon(const struct victim *v)
{
	(void)v;
	return swapon("/nothing", 0);
}

long
sc_acct(const struct victim *v)
{
	(void)v;
	return acct(NULL);
}

static long
int80(void *arg)
{
	long n = -1;

	(void)arg;
#ifdef __x86_64__
	__asm__ volatile("int $0x80"
			 : "=a"(n)
			 : "a"(20L /* getpid of i386 */)
			 : "memory", "r8", "r9", "r10", "r11");
#endif
	return n > 0 ? 0 : refused(ENOSYS);
}

long
sc_int80(const struct victim *v)
{
	(void)v;
	return in_child(int80, NULL);
}

static long
x32(void *arg)
{
	(void)arg;
	return syscall(0x40000000L | 39 /* getpid */) > 0 ? 0 : -1;
}

long
sc_x32(const struct victim *v)
{
	(void)v;
	return in_child(x32, NULL);
}

long
sc_personality(const struct victim *v)
{
	(void)v;
	return personality(ADDR_NO_RANDOMIZE);
}

long
sc_unseccomp(const struct victim *v)
{
	(void)v;
	return prctl(PR_SET_SECCOMP, 0, NULL, 0, 0);
}

long
sc_listener(const struct victim *v)
{
	struct sock_filter all[] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
	struct sock_fprog p = {1, all};

	(void)v;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER, &p);
}
