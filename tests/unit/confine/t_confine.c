/*
 * Each role's confinement, tried from inside: one child a test, which gives
 * up power and then does what it must not.  A child answers 0, or the line
 * of the check that failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/inner.h"
#include "tests/t.h"

#include "child.h"

static struct confinement
confined(enum confine_role role, const int *keep, size_t n)
{
	static char db[96];
	struct confine_plan p = {.role = role, .keep = keep, .keep_n = n};
	struct confinement c = {0};
	struct trail t = {{0}};
	err e;

	(void)snprintf(db, sizeof db, "%s/db", dir);
	if (role == CONFINE_SERVER)
		p.data_dir = db;
	e = confine(&p, &t, &c);
	if (!err_ok(e)) {
		(void)dprintf(1, "# %s: %s\n", err_name(e), t.detail);
		_exit(99);
	}
	return c;
}

static const struct sockaddr_in lo = {.sin_family = AF_INET,
    .sin_port = 0x0900,
    .sin_addr = {0x0100007f}};

/* ---- the report ---- */

static void
reported(enum confine_role role)
{
	struct confinement c = confined(role, NULL, 0);

	MUST(c.no_core);
	MUST(c.netns);
	MUST(c.no_caps == (role != CONFINE_SUPERVISOR || geteuid() != 0));
	MUST(c.seccomp == !confine_relaxed);
	MUST((c.landlock > 0) == !confine_relaxed);
	MUST(!c.own_user);
}

static void
report_supervisor(void)
{
	reported(CONFINE_SUPERVISOR);
}

static void
report_server(void)
{
	reported(CONFINE_SERVER);
}

static void
report_keeper(void)
{
	reported(CONFINE_KEEPER);
}

TEST(every_role_is_confined_whole_on_this_machine)
{
	T_CHILD(report_supervisor);
	T_CHILD(report_server);
	T_CHILD(report_keeper);
}

/* ---- network ---- */

static void
no_connect(enum confine_role role)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	int keep[2] = {tcp, udp};
	struct msghdr m = {.msg_name = (void *)(uintptr_t)&lo,
	    .msg_namelen = sizeof lo};

	(void)confined(role, keep, 2);
	REFUSED(connect(tcp, (const struct sockaddr *)&lo, sizeof lo));
	REFUSED(connect(udp, (const struct sockaddr *)&lo, sizeof lo));
	REFUSED(
	    sendto(udp, "x", 1, 0, (const struct sockaddr *)&lo, sizeof lo));
	REFUSED(sendto(tcp, "x", 1, MSG_FASTOPEN, (const struct sockaddr *)&lo,
	    sizeof lo));
	REFUSED(sendto(tcp, "x", 1, MSG_FASTOPEN, NULL, 0));
	REFUSED(sendmsg(tcp, &m, MSG_FASTOPEN));
	REFUSED(syscall(SYS_sendmmsg, udp, NULL, 0, 0));
	REFUSED(setsockopt(tcp, IPPROTO_TCP, 30, &on, sizeof on));
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(socket(AF_INET, SOCK_STREAM, 262 /* MPTCP */));
	REFUSED(socket(AF_INET6, SOCK_STREAM, 0));
	REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
	REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
	REFUSED(socket(40 /* VSOCK */, SOCK_STREAM, 0));
	REFUSED(bind(tcp, (const struct sockaddr *)&lo, sizeof lo));
	REFUSED(listen(tcp, 1));
	REFUSED(syscall(SYS_io_uring_setup, 1, NULL));
}

static void
no_connect_supervisor(void)
{
	no_connect(CONFINE_SUPERVISOR);
}

static void
no_connect_server(void)
{
	no_connect(CONFINE_SERVER);
}

static void
no_connect_keeper(void)
{
	no_connect(CONFINE_KEEPER);
}

TEST(L01_no_role_can_reach_out)
{
	T_CHILD(no_connect_supervisor);
	T_CHILD(no_connect_server);
	T_CHILD(no_connect_keeper);
}

/* The namespace alone refuses too: the two do not lean on each other. */
static void
netns_alone(void)
{
	int fd;

	MUST(netns_enter());
	fd = socket(AF_INET, SOCK_STREAM, 0);
	MUST(fd >= 0);
	MUST(connect(fd, (const struct sockaddr *)&lo, sizeof lo) != 0 &&
	    errno == ENETUNREACH);
}

static void
netns_unprivileged(void)
{
	if (geteuid() == 0)
		MUST(setgroups(0, NULL) == 0 &&
		    setresgid(65534, 65534, 65534) == 0 &&
		    setresuid(65534, 65534, 65534) == 0);
	netns_alone();
	MUST(geteuid() == 65534);
	(void)confined(CONFINE_KEEPER, NULL, 0);
}

TEST(the_network_namespace_is_empty)
{
	T_CHILD(netns_alone);
	T_CHILD(netns_unprivileged);
}

static int listener, port;

/* What the server is for must still work. */
static void
accepts(void)
{
	char b[4];
	int fd, on = 1;

	(void)confined(CONFINE_SERVER, &listener, 1);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	MUST(fd >= 0);
	MUST(setsockopt(fd, IPPROTO_TCP, 1, &on, sizeof on) == 0);
	MUST(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &on, sizeof on) == 0);
	MUST(recv(fd, b, sizeof b, 0) == 4);
	MUST(send(fd, b, sizeof b, MSG_NOSIGNAL) == 4);
	/* An accepted connection cannot be turned into another one. */
	REFUSED(connect(fd, (const struct sockaddr *)&lo, sizeof lo));
	/* Nor a listener, which belongs to the outer network. */
	(void)shutdown(listener, SHUT_RD);
	REFUSED(sendto(listener, "x", 1, MSG_FASTOPEN,
	    (const struct sockaddr *)&lo, sizeof lo));
}

TEST(a_confined_server_accepts_and_answers)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof a;
	struct timeval patience = {5, 0};
	char b[4] = {0};
	int fd, status;
	pid_t pid;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	T_REQUIRE(bind(listener, (struct sockaddr *)&a, n) == 0);
	T_REQUIRE(listen(listener, 8) == 0);
	T_REQUIRE(getsockname(listener, (struct sockaddr *)&a, &n) == 0);
	port = ntohs(a.sin_port);
	make_dir();
	pid = fork();
	if (pid == 0) {
		accepts();
		_exit(0);
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	T_OK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		 sizeof patience) == 0);
	T_OK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
	T_EQ_INT(send(fd, "ping", 4, MSG_NOSIGNAL), 4);
	T_EQ_INT(recv(fd, b, 4, MSG_WAITALL), 4);
	T_EQ_MEM(b, "ping", 4);
	(void)waitpid(pid, &status, 0);
	T_EQ_INT(status, 0);
	(void)close(fd);
	(void)close(listener);
	remove_dir();
}

/* ---- files ---- */

static int
opened(const char *name, int flags)
{
	char path[160];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return open(path, flags | O_CLOEXEC, 0600);
}

static void
server_files(void)
{
	char path[160];
	int fd;

	(void)confined(CONFINE_SERVER, NULL, 0);
	fd = opened("db/store.db", O_RDWR | O_CREAT);
	MUST(fd >= 0);
	MUST(pwrite(fd, "x", 1, 0) == 1 && fdatasync(fd) == 0 &&
	    ftruncate(fd, 0) == 0 && fchmod(fd, 0600) == 0);
	(void)snprintf(path, sizeof path, "%s/db/store.db", dir);
	MUST(unlink(path) == 0);
	REFUSED(opened("root.key", O_RDONLY));
	REFUSED(opened("db/../root.key", O_RDONLY));
	REFUSED(opened("db/way-out", O_RDONLY));
	REFUSED(opened("new", O_WRONLY | O_CREAT));
	REFUSED(open("/etc/passwd", O_RDONLY));
	REFUSED(open("/proc/self/environ", O_RDONLY));
	REFUSED(open("/proc/self/mem", O_RDWR));
	REFUSED(open("/", O_RDONLY | O_DIRECTORY));
	REFUSED(mkdir("x", 0700));
	REFUSED(symlink("/", "x"));
	REFUSED(link("/etc/passwd", "x"));
}

static void
keeper_files(void)
{
	int fd = opened("root.key", O_RDWR);
	char b;

	(void)confined(CONFINE_KEEPER, &fd, 1);
	MUST(pread(fd, &b, 1, 0) == 1 && b == 'k');
	MUST(pwrite(fd, "l", 1, 0) == 1 && fdatasync(fd) == 0);
	REFUSED(opened("root.key", O_RDONLY));
	REFUSED(opened("db/store.db", O_RDWR | O_CREAT));
	REFUSED(open("/etc/passwd", O_RDONLY));
}

static void
supervisor_files(void)
{
	char path[160];
	int fd;

	(void)confined(CONFINE_SUPERVISOR, NULL, 0);
	fd = opened("root.key", O_RDONLY);
	MUST(fd >= 0);
	REFUSED(opened("root.key", O_RDWR));
	REFUSED(opened("root.key", O_WRONLY));
	REFUSED(opened("new", O_WRONLY | O_CREAT));
	(void)snprintf(path, sizeof path, "%s/root.key", dir);
	REFUSED(unlink(path));
	REFUSED(rename(path, "/tmp/x"));
}

TEST(files)
{
	if (confine_relaxed)
		return;
	T_CHILD(server_files);
	T_CHILD(keeper_files);
	T_CHILD(supervisor_files);
}

static void
descriptors(void)
{
	int a = open("/dev/null", O_RDONLY), b = dup(a), c = dup(a);
	int d = fcntl(a, F_DUPFD, 200);
	int keep[2] = {c, a};

	MUST(a > 2 && b > a && c > b && d >= 200);
	(void)confined(CONFINE_SERVER, keep, 2);
	MUST(fcntl(a, F_GETFD) >= 0);
	MUST(fcntl(c, F_GETFD) >= 0);
	MUST(fcntl(1, F_GETFD) >= 0);
	MUST(fcntl(b, F_GETFD) < 0 && errno == EBADF);
	MUST(fcntl(d, F_GETFD) < 0 && errno == EBADF);
}

TEST(descriptors_that_were_not_named_are_closed)
{
	T_CHILD(descriptors);
}

/* ---- processes and memory ---- */

static void *
thread(void *arg)
{
	*(int *)arg = 7;
	return NULL;
}

static void
server_threads(void)
{
	pthread_t t;
	int seen = 0;

	(void)confined(CONFINE_SERVER, NULL, 0);
	MUST(pthread_create(&t, NULL, thread, &seen) == 0);
	MUST(pthread_join(t, NULL) == 0 && seen == 7);
}

TEST(the_server_has_threads)
{
	T_CHILD(server_threads);
}

static void
no_processes(enum confine_role role)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};
	pthread_t t;
	int seen;

	(void)confined(role, NULL, 0);
	REFUSED(fork());
	REFUSED(syscall(SYS_vfork));
	REFUSED(execve("/bin/true", argv, argv + 1));
	REFUSED(syscall(SYS_execveat, 0, "", argv, argv + 1, AT_EMPTY_PATH));
	REFUSED(syscall(SYS_ptrace, 16 /* ATTACH */, getppid(), 0, 0));
	REFUSED(syscall(SYS_process_vm_readv, getppid(), 0, 0, 0, 0, 0));
	REFUSED(syscall(SYS_process_vm_writev, getppid(), 0, 0, 0, 0, 0));
	REFUSED(syscall(SYS_pidfd_open, getppid(), 0));
	REFUSED(syscall(SYS_memfd_create, "x", 0));
	REFUSED(syscall(SYS_tgkill, getppid(), getppid(), SIGKILL));
	REFUSED(syscall(SYS_tkill, getppid(), SIGKILL));
	REFUSED(syscall(SYS_bpf, 0, NULL, 0));
	REFUSED(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
	REFUSED(syscall(SYS_userfaultfd, 0));
	REFUSED(unshare(CLONE_NEWUSER));
	REFUSED(setresuid(0, 0, 0));
	REFUSED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	MUST(syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS);
	MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	if (role != CONFINE_SUPERVISOR)
		REFUSED(kill(getppid(), SIGKILL));
	if (role != CONFINE_SERVER)
		MUST(pthread_create(&t, NULL, thread, &seen) != 0);
}

static void
no_processes_supervisor(void)
{
	no_processes(CONFINE_SUPERVISOR);
}

static void
no_processes_server(void)
{
	no_processes(CONFINE_SERVER);
}

static void
no_processes_keeper(void)
{
	no_processes(CONFINE_KEEPER);
}

TEST(no_role_can_start_or_touch_a_process)
{
	if (confine_relaxed)
		return;
	T_CHILD(no_processes_supervisor);
	T_CHILD(no_processes_server);
	T_CHILD(no_processes_keeper);
}

static void
unlisted(enum confine_role role)
{
	(void)confined(role, NULL, 0);
	sync();
}

static void
unlisted_supervisor(void)
{
	unlisted(CONFINE_SUPERVISOR);
}

static void
unlisted_server(void)
{
	unlisted(CONFINE_SERVER);
}

static void
unlisted_keeper(void)
{
	unlisted(CONFINE_KEEPER);
}

static void
new_space(void)
{
	(void)confined(CONFINE_SERVER, NULL, 0);
	(void)syscall(SYS_clone,
	    CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_NEWNET, NULL, NULL,
	    NULL, NULL);
}

TEST(a_call_that_is_not_listed_kills)
{
	if (confine_relaxed)
		return;
	T_EQ_INT(WTERMSIG(in_child(unlisted_supervisor)), SIGSYS);
	T_EQ_INT(WTERMSIG(in_child(unlisted_server)), SIGSYS);
	T_EQ_INT(WTERMSIG(in_child(unlisted_keeper)), SIGSYS);
	T_EQ_INT(WTERMSIG(in_child(new_space)), SIGSYS);
}

/* ---- user, capabilities, dumps ---- */

static void
caps_are(uint32_t low)
{
	struct __user_cap_header_struct h = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];

	MUST(syscall(SYS_capget, &h, d) == 0);
	MUST(d[0].permitted == low && d[0].effective == low);
	MUST(d[1].permitted == 0 && d[1].effective == 0);
	MUST(d[0].inheritable == 0 && d[1].inheritable == 0);
	for (unsigned long i = 0; i < 41; i++)
		MUST(prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 0);
}

static void
caps_server(void)
{
	(void)confined(CONFINE_SERVER, NULL, 0);
	caps_are(0);
}

static void
caps_keeper(void)
{
	(void)confined(CONFINE_KEEPER, NULL, 0);
	caps_are(0);
}

static void
caps_supervisor(void)
{
	(void)confined(CONFINE_SUPERVISOR, NULL, 0);
	caps_are(1U << CAP_KILL | 1U << CAP_DAC_READ_SEARCH);
}

TEST(capabilities)
{
	T_CHILD(caps_server);
	T_CHILD(caps_keeper);
	if (geteuid() == 0)
		T_CHILD(caps_supervisor);
}

static void
another_user(void)
{
	struct confine_plan p = {.role = CONFINE_KEEPER,
	    .uid = 65534,
	    .gid = 65533};
	struct confinement c;
	struct trail t = {{0}};
	uid_t r, e, s;

	MUST(err_ok(confine(&p, &t, &c)));
	MUST(c.own_user && c.no_caps && c.netns);
	MUST(getresuid(&r, &e, &s) == 0 && r == 65534 && e == r && s == r);
	MUST(getegid() == 65533 && getgid() == 65533);
	MUST(setresuid(0, 0, 0) != 0);
	caps_are(0);
}

TEST(root_becomes_another_user_for_good)
{
	if (geteuid() == 0)
		T_CHILD(another_user);
}

static void
no_dump(void)
{
	struct rlimit r;

	(void)confined(CONFINE_KEEPER, NULL, 0);
	MUST(getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_cur == 0 &&
	    r.rlim_max == 0);
	MUST(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

static bool
pages_in_cores(void)
{
	FILE *f = fopen("/proc/self/coredump_filter", "r");
	char line[16] = "";

	MUST(f != NULL && fgets(line, sizeof line, f) != NULL);
	return strspn(line, "0") != 8;
}

static void
light(void)
{
	struct trail t = {{0}};
	struct rlimit r;

	MUST(err_ok(confine_light(&t)));
	MUST(getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_max == 0);
	MUST(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	MUST(open("/dev/null", O_WRONLY) >= 0);
	MUST(!pages_in_cores());
}

TEST(no_core_dumps)
{
	T_CHILD(no_dump);
	T_CHILD(light);
}

static int up[2];

static void
orphan(void)
{
	pid_t pid = fork();
	char b;

	if (pid == 0) {
		(void)confined(CONFINE_KEEPER, &up[1], 1);
		MUST(write(up[1], "c", 1) == 1);
		for (;;)
			(void)poll(NULL, 0, 1000);
	}
	/* The child is confined; now its parent ends. */
	MUST(read(up[0], &b, 1) == 1);
}

TEST(children_die_with_the_supervisor)
{
	char b;

	T_REQUIRE(pipe(up) == 0);
	T_CHILD(orphan);
	(void)close(up[1]);
	/* End of file: the grandchild is gone, or this hangs. */
	T_EQ_INT(read(up[0], &b, 1), 0);
	(void)close(up[0]);
}

/* ---- the proof can fail ---- */

static void
unproved(void)
{
	struct confine_plan p = {.role = CONFINE_KEEPER};
	struct confinement c = {.seccomp = true, .no_core = true};
	struct trail t = {{0}};

	MUST(err_is(prove(&p, &c, &t), E_DENIED));
	MUST(err_ok(confine_light(&t)));
	MUST(err_is(prove(&p, &c, &t), E_DENIED));
	c.seccomp = false;
	t.detail[0] = '\0';
	MUST(err_is(prove(&p, &c, &t), E_DENIED));
	MUST(strstr(t.detail, "socket") != NULL);
}

static void
wrong_dir(void)
{
	struct confine_plan p = {.role = CONFINE_SERVER,
	    .data_dir = "/nonexistent"};
	struct confinement c;
	struct trail t = {{0}};

	MUST(err_is(confine(&p, &t, &c), E_DENIED));
	MUST(t.detail[0] != '\0');
}

TEST(a_missing_refusal_is_found)
{
	T_CHILD(unproved);
	T_CHILD(wrong_dir);
}

T_MAIN
