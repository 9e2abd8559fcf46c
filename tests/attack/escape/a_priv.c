/* Privileges, IPC, the environment, more of the kernel. */
#include <grp.h>
#include <linux/capability.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/uio.h>

#include "escape.h"

/* ---- privileges ---- */

static long
run_suid(void *path)
{
	char *argv[] = {path, (char *)(uintptr_t) "rooted", NULL};
	char *env[] = {NULL};

	return execve(path, argv, env);
}

/* The copy that root's harness made setuid answers 0 when it is root. */
long
priv_suid(const struct victim *v)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/bin/suid", v->dir);
	return in_child(run_suid, path);
}

long
priv_ambient(const struct victim *v)
{
	(void)v;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 12, 0, 0);
}

long
priv_setuid(const struct victim *v)
{
	(void)v;
	return setresuid(0, 0, 0);
}

long
priv_setgroups(const struct victim *v)
{
	(void)v;
	return setgroups(0, NULL);
}

long
priv_rt(const struct victim *v)
{
	struct sched_param p = {.sched_priority = 10};

	(void)v;
	return sched_setscheduler(0, SCHED_FIFO, &p);
}

long
priv_nice(const struct victim *v)
{
	(void)v;
	return setpriority(PRIO_PROCESS, 0, -5);
}

static long
raise_limit(int what)
{
	struct rlimit r;

	if (getrlimit((__rlimit_resource_t)what, &r) != 0)
		return -1;
	if (r.rlim_max == RLIM_INFINITY)
		return 0;
	r.rlim_max++;
	r.rlim_cur = r.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &r);
}

long
priv_memlock(const struct victim *v)
{
	(void)v;
	return raise_limit(RLIMIT_MEMLOCK);
}

long
priv_nproc(const struct victim *v)
{
	(void)v;
	return raise_limit(RLIMIT_NPROC);
}

long
priv_dumpable(const struct victim *v)
{
	(void)v;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* ---- ipc, environment ---- */

long
ipc_shm(const struct victim *v)
{
	const char *p = shmat(v->shm, NULL, SHM_RDONLY);

	return p == (void *)-1 ? -1 : write(1, p, 64);
}

long
ipc_mq(const struct victim *v)
{
	mqd_t q = mq_open("/redoubt-escape", O_RDWR | O_CREAT, 0600, NULL);

	(void)v;
	if (q < 0)
		return -1;
	return mq_unlink("/redoubt-escape");
}

long
leak_env(const struct victim *v)
{
	(void)v;
	for (char **e = environ; *e != NULL; e++)
		(void)!write(1, *e, strlen(*e));
	return leak("/proc/self/environ");
}

/* ---- more of the kernel ---- */

static long
first_open(const char *const *paths, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		int fd = open(paths[i], O_WRONLY);

		if (fd >= 0)
			return write(fd, text, strlen(text));
	}
	return -1;
}

long
k_release_agent(const struct victim *v)
{
	static const char *const paths[] = {"/sys/fs/cgroup/release_agent",
	    "/sys/fs/cgroup/pids/release_agent",
	    "/sys/fs/cgroup/memory/release_agent"};

	(void)v;
	return first_open(paths, 3, "");
}

long
k_cgroup_procs(const struct victim *v)
{
	static const char *const paths[] = {"/sys/fs/cgroup/cgroup.procs",
	    "/sys/fs/cgroup/pids/cgroup.procs",
	    "/sys/fs/cgroup/memory/cgroup.procs"};

	(void)v;
	return first_open(paths, 3, "0");
}

long
k_modify_ldt(const struct victim *v)
{
	char b[64];

	(void)v;
#ifdef SYS_modify_ldt
	return syscall(SYS_modify_ldt, 0, b, sizeof b);
#else
	(void)b;
	return refused(ENOSYS);
#endif
}

long
k_vmsplice(const struct victim *v)
{
	char b[16] = {0};
	struct iovec i = {b, sizeof b};
	int p[2];

	(void)v;
	return pipe(p) != 0 ? -1 : vmsplice(p[1], &i, 1, 0);
}

long
k_fanotify(const struct victim *v)
{
	(void)v;
	return syscall(SYS_fanotify_init, 0x200 /* REPORT_FID */, O_RDONLY);
}

long
k_setxattr(const struct victim *v)
{
	static const uint32_t cap[5] = {0x02000001, 1U << 21, 0, 0, 0};
	int fd = open("capable", O_WRONLY | O_CREAT, 0700);

	(void)v;
	return fd < 0 ? -1
		      : syscall(SYS_fsetxattr, fd, "security.capability", cap,
			    sizeof cap, 0);
}

long
k_landlock(const struct victim *v)
{
	(void)v;
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

long
k_unknown(const struct victim *v)
{
	(void)v;
	return syscall(1000);
}

long
k_reboot(const struct victim *v)
{
	(void)v;
	return reboot((int)RB_ENABLE_CAD);
}
