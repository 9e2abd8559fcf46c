/* Too much of everything, what is left behind, step to step. */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "escape.h"

enum { MIB = 1024 * 1024, PIDS = 400, SECRET = 3 };

static void
nap(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&t, NULL);
}

/* ---- processes ---- */

static void
kill_children(const pid_t *pids, int n)
{
	for (int i = 0; i < n; i++) {
		(void)kill(pids[i], SIGKILL);
		(void)waitpid(pids[i], NULL, 0);
	}
}

long
dos_fork(const struct victim *v)
{
	static pid_t pids[200];
	int n = 0, e = 0;

	(void)v;
	for (; n < 200; n++) {
		pids[n] = fork();
		if (pids[n] == 0) {
			nap(5000);
			_exit(0);
		}
		if (pids[n] < 0) {
			e = errno;
			break;
		}
	}
	kill_children(pids, n);
	return n == 200 ? 0 : refused(e);
}

static void *
sleeper(void *arg)
{
	nap(2000);
	return arg;
}

long
dos_threads(const struct victim *v)
{
	pthread_t t;
	int n = 0;
	pthread_attr_t a;

	(void)v;
	(void)pthread_attr_init(&a);
	(void)pthread_attr_setstacksize(&a, 65536);
	while (n < 200 && pthread_create(&t, &a, sleeper, NULL) == 0)
		n++;
	return n == 200 ? 0 : refused(EAGAIN);
}

static pid_t
daemonize(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)setsid();
		if (fork() != 0)
			_exit(0);
		for (int i = 0; i < 64; i++)
			(void)close(i);
		nap(8000);
		_exit(0);
	}
	(void)waitpid(pid, NULL, 0);
	return pid;
}

long
dos_daemon(const struct victim *v)
{
	(void)v;
	return daemonize();
}

long
time_orphans(const struct victim *v)
{
	(void)v;
	for (int i = 0; i < 20; i++)
		if (daemonize() < 0)
			return -1;
	return 0;
}

long
time_ignore(const struct victim *v)
{
	(void)v;
	for (int i = 1; i < 32; i++)
		(void)signal(i, SIG_IGN);
	for (;;)
		nap(1000);
}

long
time_stop(const struct victim *v)
{
	(void)v;
	(void)signal(SIGTERM, SIG_IGN);
	return raise(SIGSTOP);
}

/* Each forks its successor and ends: there is never one to aim at. */
long
time_refork(const struct victim *v)
{
	(void)v;
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	if (fork() == 0)
		for (;;) {
			pid_t pid = fork();

			if (pid > 0)
				_exit(0);
			if (pid < 0)
				nap(1);
		}
	for (;;)
		nap(1000);
}

long
time_cpu(const struct victim *v)
{
	struct rusage r;

	(void)v;
	(void)signal(SIGXCPU, SIG_IGN);
	do
		(void)getrusage(RUSAGE_SELF, &r);
	while (r.ru_utime.tv_sec + r.ru_stime.tv_sec < 4);
	return 0;
}

/* ---- memory ---- */

static long
fill(size_t mib, int flags)
{
	size_t n = mib * MIB;
	char *p =
	    mmap(NULL, n, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	for (size_t i = 0; i < n; i += 4096)
		p[i] = 1;
	return 0;
}

long
dos_mem(const struct victim *v)
{
	(void)v;
	if (fill(384, MAP_PRIVATE) != 0)
		return -1;
	nap(200);
	return 0;
}

long
dos_shared(const struct victim *v)
{
	(void)v;
	if (fill(384, MAP_SHARED) != 0)
		return -1;
	nap(200);
	return 0;
}

long
dos_mem_many(const struct victim *v)
{
	pid_t pids[8];
	int p[2], good = 0;
	char c;

	(void)v;
	if (pipe(p) != 0)
		return -1;
	for (int i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		(void)close(p[0]);
		if (fill(64, MAP_PRIVATE) == 0)
			(void)!write(p[1], "x", 1);
		(void)close(p[1]);
		nap(3000);
		_exit(0);
	}
	(void)close(p[1]);
	while (good < 8 && read(p[0], &c, 1) == 1)
		good++;
	nap(200);
	for (int i = 0; i < 8; i++)
		good -= waitpid(pids[i], NULL, WNOHANG) != 0;
	kill_children(pids, 8);
	return good == 8 ? 0 : refused(ENOMEM);
}

static long
write_mib(const char *name, size_t mib)
{
	static char b[MIB];
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	long n = 0;

	if (fd < 0)
		return -1;
	for (size_t i = 0; i < mib && n >= 0; i++)
		n = write(fd, b, sizeof b) == (ssize_t)sizeof b
		    ? 0
		    : refused(errno == 0 ? ENOSPC : errno);
	(void)close(fd);
	return n;
}

/* Neither is too much; together they are. */
long
dos_job_mem(const struct victim *v)
{
	(void)v;
	if (write_mib("seven", 7) != 0 || fill(252, MAP_PRIVATE) != 0)
		return -1;
	nap(300);
	return 0;
}

long
dos_mlock(const struct victim *v)
{
	void *p = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)v;
	return mlock(p, 16 * MIB);
}

long
dos_wx(const struct victim *v)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)v;
	return p == MAP_FAILED ? -1 : 0;
}

long
dos_signals(const struct victim *v)
{
	union sigval x = {.sival_int = 1};
	sigset_t set;

	(void)v;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGRTMIN);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 10000; i++)
		if (sigqueue(getpid(), SIGRTMIN, x) != 0)
			return -1;
	return 0;
}

/* ---- files ---- */

long
dos_disk(const struct victim *v)
{
	long n = write_mib("big", 12);

	(void)v;
	(void)unlink("big");
	return n;
}

long
dos_sparse(const struct victim *v)
{
	int fd = open("sparse", O_WRONLY | O_CREAT, 0600);
	long n;

	(void)v;
	(void)signal(SIGXFSZ, SIG_IGN);
	n = fd < 0 ? -1 : ftruncate(fd, (off_t)1 << 40);
	(void)unlink("sparse");
	return n;
}

long
dos_inodes(const struct victim *v)
{
	char name[32];
	long n = 0;
	int i = 0;

	(void)v;
	for (; i < 5000 && n >= 0; i++) {
		(void)snprintf(name, sizeof name, "i%d", i);
		n = mkdir(name, 0700);
	}
	while (i-- > 0) {
		int e = errno;

		(void)snprintf(name, sizeof name, "i%d", i);
		(void)rmdir(name);
		errno = e;
	}
	return n;
}

long
dos_fds(const struct victim *v)
{
	(void)v;
	for (int i = 0; i < 5000; i++)
		if (dup(1) < 0)
			return -1;
	return 0;
}

/* ---- outputs ---- */

#define OUT "outputs.json"

static long
link_out(const char *to)
{
	return symlink(to, OUT);
}

long
out_symlink(const struct victim *v)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/secret", v->dir);
	return link_out(path);
}

long
out_dotdot(const struct victim *v)
{
	char path[256];

	(void)snprintf(path, sizeof path, "../../../../../../../..%s/secret",
	    v->dir);
	return link_out(path);
}

long
out_proc(const struct victim *v)
{
	(void)v;
	return link_out("/proc/self/environ");
}

long
out_hardlink(const struct victim *v)
{
	(void)v;
	return write_mib("one", 0) != 0 ? -1 : link("one", OUT);
}

long
out_fifo(const struct victim *v)
{
	(void)v;
	return mkfifo(OUT, 0600);
}

long
out_dir(const struct victim *v)
{
	(void)v;
	return mkdir(OUT, 0700);
}

long
out_sparse(const struct victim *v)
{
	int fd = open(OUT, O_WRONLY | O_CREAT, 0600);

	(void)v;
	return ftruncate(fd, 5 * MIB);
}

long
out_mode(const struct victim *v)
{
	(void)v;
	return write_mib(OUT, 0) != 0 ? -1 : chmod(OUT, 0);
}

long
out_job(const struct victim *v)
{
	(void)v;
	if (rename("/job", "/work") == 0 || rmdir("/job") == 0 ||
	    symlink("/etc", "/job/../job2") == 0)
		return 0;
	return -1;
}

long
out_race(const struct victim *v)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/secret", v->dir);
	if (fork() == 0)
		for (;;) {
			(void)unlink("l");
			(void)!symlink(path, "l");
			(void)rename("l", OUT);
			(void)write_mib("f", 0);
			(void)rename("f", OUT);
		}
	nap(20);
	return 0;
}

long
out_names(const struct victim *v)
{
	char name[512] = {0};

	(void)v;
	(void)mkdir("a\nb\033[31m\033]52;c;eA==\a", 0700);
	for (int i = 0; i < 127; i++)
		memcpy(name + 2L * i, "\xc3\xa9", 2);
	(void)mkdir(name, 0700);
	for (int i = 0; i < 4000; i++)
		if (mkdir("d", 0700) != 0 || chdir("d") != 0)
			return -1;
	return 0;
}

/* ---- floods ---- */

static long
flood(int fd, char what)
{
	static char b[MIB];

	memset(b, what, sizeof b);
	for (int i = 0; i < 1024; i++)
		if (write(fd, b, sizeof b) < 0)
			return -1;
	return 0;
}

long
flood_out(const struct victim *v)
{
	(void)v;
	return flood(1, '\n');
}

long
flood_err(const struct victim *v)
{
	(void)v;
	return flood(2, '\n');
}

long
flood_line(const struct victim *v)
{
	(void)v;
	return flood(1, 'x');
}

/* ---- from step to step ---- */

static long
leak_of_each(const char *what)
{
	char path[64];
	long best = -1;

	for (int pid = 1; pid < PIDS; pid++) {
		long n;

		if (pid == getpid())
			continue;
		(void)snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
		n = leak(path);
		best = n > best ? n : best;
	}
	return best;
}

long
step_job(const struct victim *v)
{
	long a = leak_of_each("root/job/secret"),
	     b = leak_of_each("cwd/secret");

	(void)v;
	return a > b ? a : b;
}

long
step_fd(const struct victim *v)
{
	(void)v;
	return leak_of_each("fd/3");
}

long
step_environ(const struct victim *v)
{
	(void)v;
	return leak_of_each("environ");
}

long
step_signal(const struct victim *v)
{
	(void)v;
	for (int pid = 2; pid < 32768; pid++)
		if (pid != getpid())
			(void)kill(pid, SIGKILL);
	return 0;
}

long
step_ptrace(const struct victim *v)
{
	char b[16];
	struct iovec here = {b, sizeof b};
	struct iovec there = {(void *)(uintptr_t)v->addr, sizeof b};

	for (int pid = 1; pid < PIDS; pid++)
		if (pid != getpid() &&
		    process_vm_readv(pid, &here, 1, &there, 1, 0) > 0)
			return 0;
	return refused(ESRCH);
}

/* ---- the secret at descriptor 3 ---- */

static long
drain(int fd)
{
	char b[4096];
	long sum = 0;
	ssize_t n;

	while ((n = read(fd, b, sizeof b)) > 0)
		sum += n;
	return n < 0 ? -1 : sum;
}

long
fd_secret_again(const struct victim *v)
{
	int fd;

	(void)v;
	if (drain(SECRET) <= 0)
		return 0; /* it was not there: this would prove nothing */
	(void)lseek(SECRET, 0, SEEK_SET);
	fd = open("/proc/self/fd/3", O_RDONLY | O_NONBLOCK);
	return drain(SECRET) > 0 || (fd >= 0 && drain(fd) > 0)
	    ? 0
	    : refused(ENODATA);
}

long
fd_secret_write(const struct victim *v)
{
	(void)v;
	return write(SECRET, "x", 1);
}

static long
execute_secret(void *arg)
{
	char *argv[] = {(char *)(uintptr_t) "x", NULL};

	(void)arg;
	return execve("/proc/self/fd/3", argv, argv + 1);
}

long
fd_secret_exec(const struct victim *v)
{
	(void)v;
	return in_child(execute_secret, NULL);
}
