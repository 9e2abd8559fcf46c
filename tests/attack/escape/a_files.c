/* Files, /proc, /sys, /dev. */
#include <dirent.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "escape.h"

static const char *
in_dir(const struct victim *v, const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", v->dir, name);
	return path;
}

static const char *
of_pid(int pid, const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	return path;
}

long
fs_shadow(const struct victim *v)
{
	(void)v;
	return leak("/etc/shadow");
}

/* Root's line: that of a sandbox has none. */
long
fs_passwd(const struct victim *v)
{
	char b[4096] = {0};
	int fd = open("/etc/passwd", O_RDONLY);

	(void)v;
	if (fd < 0 || read(fd, b, sizeof b - 1) < 0)
		return -1;
	return strstr(b, "root:") != NULL ? 0 : refused(ENOENT);
}

long
fs_secret_read(const struct victim *v)
{
	return leak(in_dir(v, "secret"));
}

long
fs_secret_write(const struct victim *v)
{
	return scribble(in_dir(v, "secret"));
}

long
fs_dotdot(const struct victim *v)
{
	(void)v;
	return leak("../../../../../../../../../../etc/shadow");
}

static long
make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	if (fd < 0)
		return -1;
	(void)close(fd);
	return unlink(path) == 0 ? 0 : 1;
}

long
fs_write_usr(const struct victim *v)
{
	(void)v;
	return make("/usr/redoubt-escape");
}

long
fs_write_root(const struct victim *v)
{
	(void)v;
	return make("/redoubt-escape");
}

long
fs_preload(const struct victim *v)
{
	(void)v;
	return make("/etc/ld.so.preload");
}

long
fs_by_handle(const struct victim *v)
{
	union {
		struct file_handle h;
		char space[256];
	} u = {.h = {.handle_bytes = 128}};
	int mount, fd;

	(void)v;
	if (name_to_handle_at(AT_FDCWD, "/usr", &u.h, &mount, 0) != 0)
		return -1;
	fd = open("/", O_RDONLY | O_DIRECTORY);
	return open_by_handle_at(fd, &u.h, O_RDONLY);
}

long
fs_mknod(const struct victim *v)
{
	(void)v;
	return mknod("disk", S_IFBLK | 0600, makedev(254, 0));
}

static long
run_it(void *path)
{
	char *argv[] = {path, (char *)(uintptr_t) "attempt",
	    (char *)(uintptr_t) "true", NULL};
	char *env[] = {NULL};

	return execve(path, argv, env);
}

static long
copy(const char *from, int to)
{
	char b[65536];
	int fd = open(from, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = read(fd, b, sizeof b)) > 0)
		if (write(to, b, (size_t)n) != n)
			return -1;
	(void)close(fd);
	return n;
}

long
fs_exec_job(const struct victim *v)
{
	char path[] = "dropper";
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	long n;

	(void)v;
	if (fd < 0 || copy("/bin/true", fd) != 0)
		return -1;
	(void)close(fd);
	n = in_child(run_it, path);
	(void)unlink(path);
	return n;
}

long
fs_exec_memfd(const struct victim *v)
{
	char path[64];
	int fd = memfd_create("x", 0);

	(void)v;
	if (fd < 0 || copy("/bin/true", fd) != 0)
		return -1;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return in_child(run_it, path);
}

/* ---- /proc ---- */

long
proc_environ(const struct victim *v)
{
	return leak(of_pid(v->pid, "environ"));
}

long
proc_cmdline(const struct victim *v)
{
	return leak(of_pid(v->pid, "cmdline")) > 0 ? 0 : -1;
}

static long
look(const char *path)
{
	char b[256];

	return readlink(path, b, sizeof b);
}

long
proc_1_root(const struct victim *v)
{
	(void)v;
	return look("/proc/1/root");
}

long
proc_1_environ(const struct victim *v)
{
	(void)v;
	return leak("/proc/1/environ");
}

long
proc_1_cwd(const struct victim *v)
{
	(void)v;
	return look("/proc/1/cwd");
}

long
proc_mem(const struct victim *v)
{
	char b[64] = {0};
	int fd = open(of_pid(v->pid, "mem"), O_RDONLY);

	if (fd < 0 || pread(fd, b, sizeof b, (off_t)v->addr) < 0)
		return -1;
	return write(1, b, sizeof b);
}

long
proc_self_exe(const struct victim *v)
{
	(void)v;
	return open("/proc/self/exe", O_WRONLY);
}

long
proc_1_exe(const struct victim *v)
{
	(void)v;
	return open("/proc/1/exe", O_WRONLY);
}

/* Whatever is open besides the standard three and our secret. */
long
proc_fds(const struct victim *v)
{
	(void)v;
	for (int fd = 4; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return fd;
	return refused(EBADF);
}

long
proc_core(const struct victim *v)
{
	(void)v;
	return open("/proc/sys/kernel/core_pattern", O_WRONLY);
}

long
proc_sysrq(const struct victim *v)
{
	(void)v;
	return open("/proc/sysrq-trigger", O_WRONLY);
}

long
proc_kallsyms(const struct victim *v)
{
	(void)v;
	return open("/proc/kallsyms", O_RDONLY);
}

long
proc_kcore(const struct victim *v)
{
	(void)v;
	return open("/proc/kcore", O_RDONLY);
}

long
proc_net(const struct victim *v)
{
	(void)v;
	return open("/proc/net/tcp", O_RDONLY);
}

long
proc_mountinfo(const struct victim *v)
{
	(void)v;
	return open("/proc/self/mountinfo", O_RDONLY);
}

long
proc_self_mem(const struct victim *v)
{
	(void)v;
	return open("/proc/self/mem", O_RDWR);
}

long
proc_oom(const struct victim *v)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	(void)v;
	return fd < 0 ? -1 : write(fd, "-900", 4);
}

/* ---- /sys and /dev ---- */

long
sys_read(const struct victim *v)
{
	(void)v;
	return open("/sys/kernel/notes", O_RDONLY);
}

long
sys_cgroup(const struct victim *v)
{
	static const char *const paths[] = {"/sys/fs/cgroup/escape",
	    "/sys/fs/cgroup/pids/escape", "/sys/fs/cgroup/unified/escape"};

	(void)v;
	for (size_t i = 0; i < 3; i++)
		if (mkdir(paths[i], 0700) == 0)
			return rmdir(paths[i]);
	return -1;
}

long
dev_vda(const struct victim *v)
{
	static const char *const paths[] = {"/dev/vda", "/dev/sda",
	    "/dev/nvme0n1", "/dev/root"};

	(void)v;
	for (size_t i = 0; i < 4; i++)
		if (open(paths[i], O_RDONLY) >= 0)
			return 0;
	return -1;
}

long
dev_mem(const struct victim *v)
{
	(void)v;
	return open("/dev/mem", O_RDONLY);
}

long
dev_kmsg(const struct victim *v)
{
	(void)v;
	return open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
}

long
dev_kvm(const struct victim *v)
{
	(void)v;
	return open("/dev/kvm", O_RDWR);
}

long
dev_tun(const struct victim *v)
{
	(void)v;
	return open("/dev/net/tun", O_RDWR);
}

long
dev_fuse(const struct victim *v)
{
	(void)v;
	return open("/dev/fuse", O_RDWR);
}

long
dev_tty(const struct victim *v)
{
	(void)v;
	return open("/dev/tty", O_RDWR | O_NONBLOCK);
}

long
dev_shm(const struct victim *v)
{
	(void)v;
	return make("/dev/shm/redoubt-escape");
}

/* ---- out of the working directory ---- */

long
fd_cwd(const struct victim *v)
{
	char path[512];
	long best = -1;

	for (int up = 1; up < 12; up++) {
		size_t n = 0;
		long got;

		for (int i = 0; i < up; i++)
			n += (size_t)snprintf(path + n, sizeof path - n, "../");
		(void)snprintf(path + n, sizeof path - n, "%s/secret",
		    v->dir + 1);
		got = leak(path);
		best = got > best ? got : best;
	}
	return best;
}

long
fd_pid1(const struct victim *v)
{
	char path[64];

	(void)v;
	for (int i = 0; i < 64; i++) {
		(void)snprintf(path, sizeof path, "/proc/1/fd/%d", i);
		if (look(path) >= 0)
			return 0;
	}
	return -1;
}

/* ---- programs where none may be ---- */

static long
loader(void *path)
{
	char *argv[] = {(char *)(uintptr_t) "ld.so", path, NULL};
	char *env[] = {NULL};
	static const char *const at[] = {"/lib64/ld-linux-x86-64.so.2",
	    "/lib/ld-linux-aarch64.so.1"};

	for (size_t i = 0; i < 2; i++)
		(void)execve(at[i], argv, env);
	return -1;
}

long
ex_loader(const struct victim *v)
{
	char path[] = "./loaded";
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	long n;

	(void)v;
	if (fd < 0 || copy("/bin/true", fd) != 0)
		return -1;
	(void)close(fd);
	n = in_child(loader, path);
	(void)unlink(path);
	return n;
}

long
ex_mmap(const struct victim *v)
{
	int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0700);
	void *p;

	(void)v;
	if (fd < 0 || ftruncate(fd, 4096) != 0)
		return -1;
	p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	(void)unlink("mapped");
	return p == MAP_FAILED ? -1 : 0;
}

long
ex_mprotect(const struct victim *v)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)v;
	memset(p, 0xc3, 4096);
	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static long
execveat_it(void *arg)
{
	char *argv[] = {(char *)(uintptr_t) "x", NULL};
	int fd = open("/bin/true", O_RDONLY);

	(void)arg;
	return syscall(SYS_execveat, fd, "", argv, argv + 1, AT_EMPTY_PATH);
}

long
ex_execveat(const struct victim *v)
{
	(void)v;
	return in_child(execveat_it, NULL);
}
